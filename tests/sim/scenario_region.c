/* scenario_region.c -- what comes as state, hubs that have lost it, tiers, and the witness beside a hall. */
#include "tests/sim/scenarios.h"

#include <stdio.h>
#include <string.h>

#define CITY_ACCOUNT "3202000007"
#define LODGER       "3201000009"

static void prune_all(struct stage *stage)
{
    for (unsigned i = 0; i < stage->sim->machine_count; i++) {
        struct sim_machine *machine = stage->sim->machines[i];
        if (machine->life == SIM_RUNNING)
            sim_prune(machine, sim_wall_ms(machine) + 1);
    }
    stage_run(stage, 5000);
}

/* The only hub burns down, and so does the hall that wrote a customer; the other hall has it only as a state that it
 * was filled with.  The hub takes it from there, and the money as signed operations. */
static void a_burnt_hub_takes_states_from_halls(struct stage *stage)
{
    struct sim_machine *hub = stage_hub(stage, "hub-1", NULL);
    struct sim_machine *gone = stage_hall(stage, "hall-1", DISTRICT, hub, NULL);
    stage_name(stage, gone, ACCOUNT, "kept");
    pay_many(stage, gone, "paid", 3);
    stage_settle(stage);
    struct sim_machine *hall = stage_hall(stage, "hall-2", DISTRICT, hub, NULL);
    stage_settle(stage);
    sim_stop(gone);
    stage_watch(stage, "filled");
    stage_wipe(stage, hub);
    stage_run(stage, 60000);
    STAGE_CHECK(stage, stage_seen(stage) > 0);
    STAGE_CHECK(stage, has_payments(stage, hub, 3) && has_payments(stage, hall, 3));
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "kept"));
}

#define DAY_MS   ((int64_t)24 * 3600 * 1000)
#define WEEK_MS  (7 * DAY_MS)
#define SHOWN_MS 5000 /* a heartbeat or two, and status is of now */

/* Until when halls fill it, as its status says, in true time; 0: they do not. */
static int64_t rebuilding_until(struct stage *stage, struct sim_machine *machine)
{
    Hallsync__Reply *reply = stage_status(stage, machine);
    const Hallsync__StatusReply *told = reply->status;
    int64_t until_ms = told->has_rebuilding_until_ms ? (int64_t)told->rebuilding_until_ms - machine->clock_skew_ms : 0;
    hallsync__reply__free_unpacked(reply, NULL);
    return until_ms;
}

/* The hub's status tells what is so: the week goes on while its clock stands wrong, and its end is told by that clock.
 * A hub that starts when it is over has none, and on a machine that was started anew another one. */
static void a_wrong_clock_ends_no_week(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_run(stage, SHOWN_MS);
    int64_t until_ms = rebuilding_until(stage, cast.hub), now_ms = (int64_t)sim_wall_ms(cast.hub);
    STAGE_CHECK(stage, until_ms > now_ms + WEEK_MS - 60000 && until_ms <= now_ms + WEEK_MS);
    set_clock(cast.hub, 30 * DAY_MS);
    stage_run(stage, SHOWN_MS);
    STAGE_CHECK(stage, rebuilding_until(stage, cast.hub) == until_ms);
    set_clock(cast.hub, -30 * DAY_MS);
    stage_run(stage, SHOWN_MS);
    STAGE_CHECK(stage, rebuilding_until(stage, cast.hub) == until_ms);
    STAGE_CHECK(stage, rebuilding_until(stage, cast.hall) == 0);
    sim_stop(cast.hub);
    set_clock(cast.hub, WEEK_MS);
    sim_start(cast.hub);
    stage_run(stage, SHOWN_MS);
    STAGE_CHECK(stage, rebuilding_until(stage, cast.hub) == 0);
    sim_stop(cast.hub);
    sim_reboot(cast.hub);
    now_ms = (int64_t)cast.hub->sim->now_ms + SIM_EPOCH_MS;
    sim_start(cast.hub);
    stage_run(stage, SHOWN_MS);
    STAGE_CHECK(stage, rebuilding_until(stage, cast.hub) == now_ms + WEEK_MS);
    set_clock(cast.hub, 0);
}

static uint64_t store_of(struct stage *stage, struct sim_machine *machine)
{
    Hallsync__Reply *reply = stage_status(stage, machine);
    uint64_t store_id = reply->status->store_id;
    hallsync__reply__free_unpacked(reply, NULL);
    return store_id;
}

/* The hub's disk is put back to yesterday while the hall that has handed in since is away: the other hall brings that,
 * and shows the hub its own receipts.  It goes on as another store, whose receipts alone give a level. */
static void a_hub_set_back_goes_on_as_another(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    pay_many(stage, cast.hall, "before", 2);
    stage_settle(stage);
    sim_snapshot(cast.hub, 0);
    uint64_t store_id = store_of(stage, cast.hub);
    pay_many(stage, cast.hall, "since", 3);
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_watch(stage, "store-set-back");
    stage_set_back(stage, cast.hub, 0, (struct sim_restore){.log = true, .records = true});
    sim_start(cast.hub);
    stage_run(stage, 90000); /* it hears of revoked keys first */
    STAGE_CHECK(stage, stage_seen(stage) == 1);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 5));
    STAGE_CHECK(stage, store_of(stage, cast.hub) != store_id);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 5));
    STAGE_CHECK(stage, stage_safe(stage, cast.hall, HS_KIND_PAYMENT, "before-1") == HS_SAFETY_HUB);
    STAGE_CHECK(stage, stage_seen(stage) == 1);
}

/* The only hub is set back to before it took a payment itself.  It gets that back from the halls and signs for it like
 * for anything that comes: it is in one hub's store all the same. */
static void what_a_hub_gets_back_is_no_safer(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    sim_snapshot(cast.hub, 0);
    pay_many(stage, cast.hub, "at-the-hub", 2);
    stage_settle(stage);
    STAGE_CHECK(stage, stage_safe(stage, cast.hall, HS_KIND_PAYMENT, "at-the-hub-2") == HUB);
    stage_restore(stage, cast.hub, 0);
    stage_run(stage, 90000); /* it hears of revoked keys first */
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 2));
    stage_settle(stage);
    STAGE_CHECK(stage, stage_safe(stage, cast.hub, HS_KIND_PAYMENT, "at-the-hub-2") == HUB);
    STAGE_CHECK(stage, stage_safe(stage, cast.hall, HS_KIND_PAYMENT, "at-the-hub-2") == HUB);
}

/* A hall is away while the hub's log is pruned: it gets state instead, and what it wrote meanwhile is not lost, which
 * the hub would take from it in no other way than by number. */
static void away_longer_than_the_log(struct stage *stage)
{
    stage->sim->options.age_ms = SIM_OLD_MS;
    struct cast cast = one_hub(stage);
    stage_name(stage, cast.hall, ACCOUNT, "before");
    stage_settle(stage);
    stage_part(stage, cast.other_hall, cast.hub, true);
    stage_name(stage, cast.hall, ACCOUNT, "while it was away");
    stage_name(stage, cast.other_hall, NEIGHBOR, "written away");
    pay_many(stage, cast.other_hall, "away", 2);
    pay_many(stage, cast.hall, "there", 2);
    stage_run(stage, 5000);
    prune_all(stage);
    stage_watch(stage, "filled");
    stage_part(stage, cast.other_hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, stage_seen(stage) > 0);
    STAGE_CHECK(stage, all_have_payments(stage, 4));
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "while it was away") && all_show(stage, NEIGHBOR, "written away"));
}

/* What a hall's log has let go of was at one hub, which is set back; the hall is at the other hub by then, which has
 * lost nothing and takes no states from halls.  It says so, until somebody starts its machine anew
 * (docs/operations.md), or sends the hall to the hub that is rebuilding (keeper.c): then all have it. */
static void what_one_hub_has_lost_a_hall_must_bring(struct stage *stage)
{
    stage->sim->options.age_ms = SIM_OLD_MS;
    struct cast cast = two_hubs(stage);
    stage_settle(stage);
    sim_snapshot(cast.hub, 0);
    stage_part(stage, cast.hub, cast.other_hub, true);
    stage_name(stage, cast.hall, ACCOUNT, "at one hub");
    stage_run(stage, 5000);
    STAGE_CHECK(stage, stage_safe(stage, cast.hall, HS_KIND_CUSTOMER, ACCOUNT) == HUB);
    prune_all(stage);
    sim_stop(cast.hall); /* what it sent last is still in its memory */
    sim_start(cast.hall);
    stage_watch(stage, "fill-failed");
    stage_part(stage, cast.hall, cast.hub, true);
    stage_set_back(stage, cast.hub, 0, (struct sim_restore){.log = true, .records = true});
    sim_start(cast.hub);
    stage_run(stage, 10000); /* it is at the other hub now */
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_run(stage, 60000);
    STAGE_CHECK(stage, stage_seen(stage) > 0);
    STAGE_CHECK(stage, !stage_has(stage, cast.hub, HS_KIND_CUSTOMER, ACCOUNT));
    STAGE_CHECK(stage, !stage_has(stage, cast.other_hub, HS_KIND_CUSTOMER, ACCOUNT));
    sim_stop(cast.other_hub);
    sim_reboot(cast.other_hub);
    sim_start(cast.other_hub);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "at one hub"));
}

/* Both hubs have pruned; a third hall comes, and the hub that fills it dies in the middle: it goes on at the other. */
static void a_fill_goes_on_at_the_other_hub(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    for (unsigned i = 1; i <= 40; i++) {
        char account[16], name[16];
        snprintf(account, sizeof account, "3201%06u", i);
        snprintf(name, sizeof name, "customer %u", i);
        stage_name(stage, cast.hall, account, name);
    }
    stage_settle(stage);
    prune_all(stage);
    struct sim_machine *hall = stage_hall(stage, "hall-3", DISTRICT, cast.hub, cast.other_hub);
    stage_run(stage, 60);
    sim_kill(cast.hub);
    stage_run(stage, 30000);
    STAGE_CHECK(stage, stage_has(stage, hall, HS_KIND_CUSTOMER, "3201000040"));
    sim_start(cast.hub);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, "3201000001", "customer 1"));
}

/* The hub that a new hall has asked never sends its records, and lives on: the other one is asked. */
static void a_hub_that_stalls_is_not_waited_for(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    stage_name(stage, cast.hall, ACCOUNT, "before");
    stage_settle(stage);
    prune_all(stage);
    cast.hub->no_states = true;
    struct sim_machine *hall = stage_hall(stage, "hall-3", DISTRICT, cast.hub, cast.other_hub);
    stage_run(stage, HS_SUPPLY_STALL_MS - 10000);
    STAGE_CHECK(stage, !stage_has(stage, hall, HS_KIND_CUSTOMER, ACCOUNT));
    stage_run(stage, 30000);
    STAGE_CHECK(stage, stage_has(stage, hall, HS_KIND_CUSTOMER, ACCOUNT));
    cast.hub->no_states = false;
    stage_settle(stage);
}

/* A hall's disk is lost; it is filled, and its counter asks again for what it had been told: it is there already. */
static void who_was_filled_is_asked_again(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    const struct deed *ticket = stage_ticket(stage, cast.hall, "T-1", ACCOUNT);
    struct deed *event = deed_event(&stage->random, "E-1", ticket, "assigned", NULL, NULL);
    stage_do(stage, cast.hall, event);
    stage_run(stage, 5000);
    stage_watch(stage, "filled");
    stage_wipe(stage, cast.hall);
    while (stage_seen(stage) == 0)
        stage_run(stage, 10);
    stage_run(stage, 1000);
    STAGE_CHECK(stage, stage_do(stage, cast.hall, event).result == HALLSYNC__RESULT__RESULT_EXISTS);
    stage_settle(stage);
}

struct tiers {
    struct sim_machine *province, *city, *other_city, *hall, *other_hall;
};

static struct sim_machine *city_of(struct stage *stage, const char *name, const hs_partition *district,
                                   struct sim_machine *province)
{
    return stage_add(stage, &(struct sim_plan){.node_id = name,
                                               .role = HS_ROLE_HUB,
                                               .home = *district,
                                               .districts = district,
                                               .district_count = 1,
                                               .upstreams = {{province, NULL}},
                                               .upstream_count = 1});
}

static struct tiers make_tiers(struct stage *stage)
{
    static const hs_partition DISTRICTS[] = {DISTRICT, OTHER_DISTRICT};
    struct tiers tiers = {.province = stage_hub(stage, "province", NULL)};
    tiers.city = city_of(stage, "city-1", &DISTRICTS[0], tiers.province);
    tiers.other_city = city_of(stage, "city-2", &DISTRICTS[1], tiers.province);
    tiers.hall = stage_hall(stage, "hall-1", DISTRICT, tiers.city, NULL);
    tiers.other_hall = stage_hall(stage, "hall-2", OTHER_DISTRICT, tiers.other_city, NULL);
    stage_run(stage, 1000);
    return tiers;
}

/* What a hall takes for another city's district goes up to the province and down there, and nowhere else. */
static void a_payment_goes_up_and_down_the_tiers(struct stage *stage)
{
    struct tiers tiers = make_tiers(stage);
    stage_name(stage, tiers.other_hall, CITY_ACCOUNT, "of the other city");
    stage_settle(stage);
    stage_pay(stage, tiers.hall, "far", CITY_ACCOUNT, 700, "");
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, tiers.other_hall, 1) && has_payments(stage, tiers.province, 1));
    STAGE_CHECK(stage, stage_has(stage, tiers.other_hall, HS_KIND_PAYMENT, "far"));
    STAGE_CHECK(stage, !stage_has(stage, tiers.hall, HS_KIND_CUSTOMER, CITY_ACCOUNT));
    stage_name(stage, tiers.province, ACCOUNT, "from above");
    stage_settle(stage);
    STAGE_CHECK(stage, stage_has(stage, tiers.hall, HS_KIND_CUSTOMER, ACCOUNT));
    STAGE_CHECK(stage, !stage_has(stage, tiers.other_hall, HS_KIND_CUSTOMER, ACCOUNT));
}

/* The hall's disk dies while its line is down; the witness dials the hub itself when that is back. */
static void a_witness_hands_in_for_a_dead_hall(struct stage *stage)
{
    struct sim_machine *hub = stage_hub(stage, "hub-1", NULL);
    struct sim_machine *witness = witness_of(stage, hub);
    struct sim_plan plan = hall_beside(hub, witness);
    struct sim_machine *hall = stage_add(stage, &plan);
    stage_run(stage, 1000);
    stage_part(stage, hall, hub, true);
    stage_part(stage, witness, hub, true);
    pay_many(stage, hall, "alone", 4);
    stage_run(stage, 2000);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_PAYMENT, "alone-4") == HERE);
    sim_kill(hall);
    sim_reboot(hall);
    sim_wipe(hall);
    auditor_disk_changed(stage->auditor, hall);
    stage_part(stage, witness, hub, false);
    stage_run(stage, 60000);
    STAGE_CHECK(stage, has_payments(stage, hub, 4));
    stage_part(stage, hall, hub, false);
    sim_start(hall);
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, hall, 4));
    STAGE_CHECK(stage, stage_safe(stage, hub, HS_KIND_PAYMENT, "alone-4") >= HUB);
}

/* The hall's disk is lost for good, and another machine takes its name with keys of its own.  What it had not handed in
 * comes from its witness, and what not even that had from the counter that took it: once each, whoever brings it. */
static void a_hall_made_anew_under_its_name(struct stage *stage)
{
    struct sim_machine *hub = stage_hub(stage, "hub-1", NULL);
    struct sim_machine *witness = witness_of(stage, hub);
    struct sim_plan plan = hall_beside(hub, witness);
    struct sim_machine *hall = stage_add(stage, &plan);
    struct deed *kept[2] = {deed_payment(&stage->random, "kept-1", ACCOUNT, 100, "", 1),
                            deed_payment(&stage->random, "kept-2", ACCOUNT, 100, "", 1)};
    pay_many(stage, hall, "handed-in", 3);
    stage_settle(stage);
    stage_part(stage, hall, hub, true);
    stage_part(stage, witness, hub, true);
    pay_many(stage, hall, "witnessed", 2);
    stage_run(stage, 2000);
    stage_part(stage, hall, witness, true);
    for (size_t i = 0; i < 2; i++)
        STAGE_CHECK(stage, stage_do(stage, hall, kept[i]).safe == HERE);
    sim_kill(hall);
    sim_wipe(hall);
    auditor_disk_changed(stage->auditor, hall);
    plan.name = "hall-1-anew";
    struct sim_machine *anew = stage_add(stage, &plan);
    STAGE_CHECK(stage, stage_do(stage, anew, kept[0]).result == HALLSYNC__RESULT__RESULT_CREATED);
    stage_part(stage, witness, hub, false);
    stage_run(stage, 60000);
    STAGE_CHECK(stage, has_payments(stage, anew, 6) && has_payments(stage, hub, 6));
    for (size_t i = 0; i < 2; i++) /* as an outbox does: all that no hub had */
        stage_do(stage, anew, kept[i]);
    pay_many(stage, anew, "goes-on", 2);
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, anew, 9) && has_payments(stage, hub, 9));
    STAGE_CHECK(stage, stage_safe(stage, anew, HS_KIND_PAYMENT, "kept-2") >= HUB);
    STAGE_CHECK(stage, stage_conflicts(stage, hub, NULL) == 0);
}

/* A hub whose records are damaged goes on writing; a new hall is filled by it, and then holds as state what nobody has
 * by number. */
static void what_a_damaged_hub_wrote_comes_as_state(struct stage *stage)
{
    struct sim_machine *hub = stage_hub(stage, "hub-1", NULL);
    stage_name(stage, hub, ACCOUNT, "before");
    auditor_damaged(stage->auditor, hub);
    stage_name(stage, hub, ACCOUNT, "after");
    struct sim_machine *hall = stage_hall(stage, "hall-1", DISTRICT, hub, NULL);
    stage_run(stage, 10000);
    STAGE_CHECK(stage, stage_has(stage, hall, HS_KIND_CUSTOMER, ACCOUNT));
    stage_name(stage, hall, ACCOUNT, "at the hall");
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "at the hall"));
}

/* Two hubs have signed for what a hall wrote, so its witness begins behind that; what comes then is first at the
 * witness, and the hall is one whose word does not count. */
static void a_witness_begins_behind_what_two_hubs_have(struct stage *stage)
{
    static const hs_partition HOME = DISTRICT;
    struct sim_machine *province = stage_hub(stage, "province", NULL);
    struct sim_machine *city = city_of(stage, "city-1", &HOME, province);
    struct sim_machine *witness = witness_of(stage, city);
    struct sim_plan plan = hall_beside(city, witness);
    struct sim_machine *hall = stage_add(stage, &plan);
    stage_run(stage, 1000);
    stage_part(stage, hall, witness, true);
    stage_part(stage, city, witness, true);
    auditor_damaged(stage->auditor, hall);
    pay_many(stage, hall, "both", 3);
    stage_run(stage, 10000);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_PAYMENT, "both-3") == SAFE);
    stage_part(stage, hall, city, true);
    stage_part(stage, hall, witness, false);
    pay_many(stage, hall, "witness", 2);
    stage_run(stage, 10000);
    stage_part(stage, city, witness, false);
    stage_part(stage, hall, city, false);
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, city, 5) && has_payments(stage, province, 5));
}

/* A witness's disk is put back to before what two hubs have signed for since, one of them with damaged records.  It
 * begins behind that, is shown what it had signed, and signs anew for all. */
static void a_witness_set_back_begins_behind_a_damaged_hub(struct stage *stage)
{
    static const hs_partition HOME = DISTRICT;
    struct sim_machine *province = stage_hub(stage, "province", NULL);
    struct sim_machine *city = city_of(stage, "city-1", &HOME, province);
    struct sim_machine *witness = witness_of(stage, city);
    struct sim_machine *hall = stage_add(stage, &(struct sim_plan){.node_id = "hall-1",
                                                                   .role = HS_ROLE_HALL,
                                                                   .home = HOME,
                                                                   .districts = &HOME,
                                                                   .district_count = 1,
                                                                   .upstreams = {{city, NULL}, {witness, "witness"}},
                                                                   .upstream_count = 2});
    stage_run(stage, 1000);
    sim_snapshot(witness, 0);
    auditor_damaged(stage->auditor, province);
    pay_many(stage, hall, "signed", 3);
    stage_run(stage, 10000);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_PAYMENT, "signed-3") == SAFE);
    uint64_t store_id = store_of(stage, witness);
    stage_set_back(stage, witness, 0, (struct sim_restore){.log = true, .records = true});
    sim_start(witness);
    stage_run(stage, 10000);
    STAGE_CHECK(stage, store_of(stage, witness) != store_id);
    pay_many(stage, hall, "after", 1);
    stage_settle(stage);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_PAYMENT, "after-1") == SAFE);
}

struct late {
    struct sim_machine *hub, *hall, *witness;
};

/* A hall's log has let go of what one hub has signed for before its witness came. */
static struct late late_witness(struct stage *stage)
{
    stage->sim->options.age_ms = SIM_OLD_MS;
    struct sim_machine *hub = stage_hub(stage, "hub-1", NULL);
    struct sim_machine *witness = witness_of(stage, hub);
    struct sim_plan plan = hall_beside(hub, witness);
    struct sim_machine *hall = stage_add(stage, &plan);
    stage_part(stage, hall, witness, true);
    stage_name(stage, hall, ACCOUNT, "at the hub alone");
    stage_run(stage, 10000);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_CUSTOMER, ACCOUNT) == HUB);
    sim_prune(hall, UINT64_MAX);
    stage_run(stage, 5000);
    return (struct late){hub, hall, witness};
}

/* The witness does not have it, and signs for what comes behind.  Nobody says more than it is: the hall knows where its
 * log begins, the hub does not. */
static void a_witness_begins_behind_what_one_hub_has(struct stage *stage)
{
    struct late late = late_witness(stage);
    struct sim_machine *hub = late.hub, *hall = late.hall, *witness = late.witness;
    stage_part(stage, hall, witness, false);
    stage_run(stage, 10000);
    stage_name(stage, hall, NEIGHBOR, "since");
    pay_many(stage, hall, "paid", 1);
    stage_settle(stage);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_CUSTOMER, NEIGHBOR) == SAFE);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_CUSTOMER, ACCOUNT) == HUB);
    STAGE_CHECK(stage, stage_safe(stage, hub, HS_KIND_CUSTOMER, ACCOUNT) == HUB);
    STAGE_CHECK(stage, stage_safe(stage, hub, HS_KIND_PAYMENT, "paid-1") == SAFE);
}

/* Found by seed 447700306: of what one hub had signed for the witness got nothing, though the hall still had it in its
 * log, and the hall thought that it had. */
static void a_witness_begins_where_its_halls_log_does(struct stage *stage)
{
    struct late late = late_witness(stage);
    struct sim_machine *hall = late.hall, *witness = late.witness;
    stage_name(stage, hall, NEIGHBOR, "still in the log");
    stage_run(stage, 10000);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_CUSTOMER, NEIGHBOR) == HUB);
    stage_part(stage, hall, witness, false);
    stage_run(stage, 10000);
    stage_name(stage, hall, LODGER, "since");
    stage_settle(stage);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_CUSTOMER, LODGER) == SAFE);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_CUSTOMER, NEIGHBOR) == SAFE);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_CUSTOMER, ACCOUNT) == HUB);
}

const struct scenario SCENARIOS_REGION[] = {
    {"a-burnt-hub-takes-states-from-halls", a_burnt_hub_takes_states_from_halls},
    {"a-wrong-clock-ends-no-week", a_wrong_clock_ends_no_week},
    {"a-hub-set-back-goes-on-as-another", a_hub_set_back_goes_on_as_another},
    {"what-a-hub-gets-back-is-no-safer", what_a_hub_gets_back_is_no_safer},
    {"away-longer-than-the-log", away_longer_than_the_log},
    {"who-was-filled-is-asked-again", who_was_filled_is_asked_again},
    {"what-one-hub-has-lost-a-hall-must-bring", what_one_hub_has_lost_a_hall_must_bring},
    {"a-fill-goes-on-at-the-other-hub", a_fill_goes_on_at_the_other_hub},
    {"a-hub-that-stalls-is-not-waited-for", a_hub_that_stalls_is_not_waited_for},
    {"a-payment-goes-up-and-down-the-tiers", a_payment_goes_up_and_down_the_tiers},
    {"a-witness-hands-in-for-a-dead-hall", a_witness_hands_in_for_a_dead_hall},
    {"a-hall-made-anew-under-its-name", a_hall_made_anew_under_its_name},
    {"what-a-damaged-hub-wrote-comes-as-state", what_a_damaged_hub_wrote_comes_as_state},
    {"a-witness-begins-behind-what-two-hubs-have", a_witness_begins_behind_what_two_hubs_have},
    {"a-witness-begins-behind-what-one-hub-has", a_witness_begins_behind_what_one_hub_has},
    {"a-witness-begins-where-its-halls-log-does", a_witness_begins_where_its_halls_log_does},
    {"a-witness-set-back-begins-behind-a-damaged-hub", a_witness_set_back_begins_behind_a_damaged_hub},
    {0},
};
