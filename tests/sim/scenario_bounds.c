/* scenario_bounds.c -- what must stay small or quick: urgent orders, memory, what years of restarts leave behind. */
#include "tests/sim/scenarios.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS ((uint64_t)86400000)

static void set_line(struct sim_machine *a, struct sim_machine *b, uint32_t bytes_per_s)
{
    a->sim->roads[a->index][b->index].bytes_per_s = bytes_per_s;
    a->sim->roads[b->index][a->index].bytes_per_s = bytes_per_s;
}

/* Customers with remarks that nothing can compress by more than half. */
static void write_customers(struct stage *stage, struct sim_machine *hall, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char account[HS_ACCOUNT_DIGITS + 1], remark[1601];
        for (unsigned at = 0; at + 16 < sizeof remark; at += 16)
            snprintf(remark + at, 17, "%016" PRIx64, sim_draw(&stage->random));
        snprintf(account, sizeof account, "3201%06u", i % 1000000);
        struct deed_fields fields = {.name = "x", .remark = remark};
        struct deed_told told = stage_do(stage, hall, deed_customer(&stage->random, account, &fields));
        stage_expect(stage, &told, "");
    }
}

/* Half a minute of customers waits behind a line of 64 kbit/s when somebody reports an outage: the order is at the hub
 * within five seconds, long before they are (counterexamples H24 and H25, invariants 10 and 11). */
static void urgent_order_passes_a_backlog(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    sim_part(cast.hall, cast.hub, true);
    write_customers(stage, cast.hall, 300);
    sim_part(cast.hall, cast.hub, false);
    set_line(cast.hall, cast.hub, 8000);
    stage_watch(stage, "session-live");
    while (stage_seen(stage) == 0)
        stage_run(stage, 100);
    stage_run(stage, 2000); /* they are under way */
    struct deed *order = deed_ticket(&stage->random, "order-1", ACCOUNT, "outage-report");
    struct deed_told told = stage_do(stage, cast.hall, order);
    uint64_t begun_ms = stage->sim->now_ms;
    stage_expect(stage, &told, "");
    while (!stage_has(stage, cast.hub, HS_KIND_TICKET, "order-1"))
        stage_run(stage, 50);
    STAGE_CHECK(stage, stage->sim->now_ms - begun_ms < 5000);
    STAGE_CHECK(stage, !stage_settled(stage, 10000)); /* else there was nothing to be passed */
}

static uint64_t counter_of(struct stage *stage, struct sim_machine *machine, const char *name)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    uint64_t value = UINT64_MAX;
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    Hallsync__Reply *reply = stage_ask(stage, machine, &request);
    for (size_t i = 0; reply->status != NULL && i < reply->status->n_counters; i++) {
        if (strcmp(reply->status->counters[i]->name, name) == 0)
            value = reply->status->counters[i]->value;
    }
    hallsync__reply__free_unpacked(reply, NULL);
    return value;
}

/* A machine that is switched off each evening takes a fresh origin each morning.  What that leaves in frontiers, in
 * memory and in what is said at the beginning of a session stays small (second round, "Frontiers"; invariant 12).  Two
 * months in the ordinary run; HS_LONG=1: five years. */
static void daily_boots(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    unsigned days = getenv("HS_LONG") != NULL ? 5 * 365 : 60;
    for (unsigned day = 0; day < days; day++) {
        char id[32];
        snprintf(id, sizeof id, "day-%u", day);
        stage_pay(stage, cast.hall, id, ACCOUNT, 100, "");
        stage_run(stage, 2000);
        sim_stop(cast.hall);
        sim_reboot(cast.hall);
        sim_start(cast.hall);
    }
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, days));
    STAGE_CHECK(stage, origins_of(stage, cast.hall) == days);
    STAGE_CHECK(stage, counter_of(stage, cast.hub, "session-bytes-max") < 300 * 1024);
    uint64_t before = stage->sim->frame_bytes;
    sim_hang_up(cast.hall, cast.hub);
    stage_run(stage, 1500);
    STAGE_CHECK(stage, stage->sim->frame_bytes - before < 16 * 1024); /* a session begun anew, and nothing to be sent */
}

/* Thirty days without a line, payments each day; then all is at the hub, once, and the hall has not grown restless
 * meanwhile: it tries twice a minute, not more. */
static void thirty_days_off_line(struct stage *stage)
{
    struct cast cast = {.hub = stage_hub(stage, "hub-1", NULL)};
    cast.hall = stage_hall(stage, "hall-1", DISTRICT, cast.hub, NULL);
    stage_run(stage, 500);
    sim_part(cast.hall, cast.hub, true);
    uint64_t turns = stage->sim->turns;
    for (unsigned day = 0; day < 30; day++) {
        char id[32];
        snprintf(id, sizeof id, "day-%u", day);
        stage_pay(stage, cast.hall, id, ACCOUNT, 100, "");
        stage_run(stage, DAY_MS);
    }
    STAGE_CHECK(stage, stage->sim->turns - turns < (uint64_t)30 * 2880 * 8);
    sim_part(cast.hall, cast.hub, false);
    STAGE_CHECK(stage, stage_settled(stage, 60000));
    STAGE_CHECK(stage, all_have_payments(stage, 30));
}

const struct scenario SCENARIOS_BOUNDS[] = {
    {"an-urgent-order-passes-a-backlog", urgent_order_passes_a_backlog},
    {"two-months-of-daily-boots", daily_boots},
    {"thirty-days-off-line", thirty_days_off_line},
    {0},
};
