/* scenario_replication.c -- slow, broken and silent lines; order on the disk and on the wire; rot; the change feed.
 *
 * Counterexamples H22 to H26, H30, H31, H34, H35 and of their second round. */
#include "tests/sim/scenarios.h"

#include "proto/peer.pb-c.h"

#include <stdio.h>
#include <string.h>

/* ---- lines ---- */

static void set_line(struct sim_machine *a, struct sim_machine *b, uint32_t bytes_per_s, uint32_t delay_ms)
{
    struct sim_road *roads[] = {&a->sim->roads[a->index][b->index], &a->sim->roads[b->index][a->index]};
    for (unsigned i = 0; i < 2; i++) {
        roads[i]->bytes_per_s = bytes_per_s;
        roads[i]->delay_ms = delay_ms;
    }
}

/* H23: a line that passes 1 kB a second and drops every five seconds; the backlog takes many such sessions.  Segments
 * are small enough that each session brings something home. */
static void a_line_that_drops_all_the_time(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    unsigned sessions = 0;
    stage_part(stage, cast.hall, cast.hub, true);
    pay_many(stage, cast.hall, "paid", 250);
    set_line(cast.hall, cast.hub, 1000, 100);
    stage_part(stage, cast.hall, cast.hub, false);
    while (!has_payments(stage, cast.hub, 250)) {
        STAGE_CHECK(stage, sessions++ < 60);
        stage_run(stage, 5000);
        sim_hang_up(cast.hall, cast.hub);
    }
    STAGE_CHECK(stage, sessions > 2);
}

/* H25: over a satellite line of half a second each way, the hall's own payment goes with the greeting: it needs no
 * frontier exchange. */
static void own_operations_go_with_the_greeting(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    pay_many(stage, cast.other_hall, "others", 20);
    pay_many(stage, cast.hall, "own", 1);
    set_line(cast.hall, cast.hub, 0, 500);
    stage_run(stage, 40000);
    uint64_t dialled = stage->frames[cast.hall->index][HALLSYNC__PEER_TYPE__PEER_HELLO];
    stage_part(stage, cast.hall, cast.hub, false);
    while (stage->frames[cast.hall->index][HALLSYNC__PEER_TYPE__PEER_HELLO] == dialled)
        STAGE_CHECK(stage, sim_step(stage->sim, stage->sim->now_ms + 60000));
    stage_run(stage, 1700); /* greeting there, greeting back, operations there */
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 21));
}

/* Second round: payments committed one by one, 199 bytes and a signature each, if nobody may cut them together. */
static void a_backlog_travels_in_few_segments(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    pay_many(stage, cast.hall, "paid", 120);
    uint64_t segments = stage->frames[cast.hall->index][HALLSYNC__PEER_TYPE__PEER_SEGMENT];
    uint64_t bytes = stage->bytes[cast.hall->index];
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    segments = stage->frames[cast.hall->index][HALLSYNC__PEER_TYPE__PEER_SEGMENT] - segments;
    bytes = stage->bytes[cast.hall->index] - bytes;
    STAGE_CHECK(stage, segments > 0 && segments <= 4 && bytes < 120 * 100);
}

/* libzmq#4340, nats-server#7615, couchdb#5094: one direction of the line dies, silently.  The session ends by itself,
 * status says why, and when the line is back all goes on by itself, without a new write. */
static void a_line_dead_one_way_is_found_and_named(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    sim_cut(cast.hub, cast.hall, true);
    pay_many(stage, cast.hall, "paid", 3);
    stage_run(stage, 20000);
    Hallsync__Reply *reply = stage_status(stage, cast.hall);
    const Hallsync__PeerStatus *peer = reply->status->peers[0];
    STAGE_CHECK(stage, strcmp(peer->state, "live") != 0 && peer->why != NULL && peer->why[0] != '\0');
    hallsync__reply__free_unpacked(reply, NULL);
    sim_cut(cast.hub, cast.hall, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 3));
}

/* sync_gateway#2108, #3787: what is lost on the way is not waited for an hour and then given up: a gap ends the session
 * and the next one begins with where both are. */
static void lost_doubled_and_reordered_frames(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    for (unsigned i = 0; i < 2; i++) {
        struct sim_machine *ends[] = {cast.hall, cast.hub};
        struct sim_road *road = &stage->sim->roads[ends[i]->index][ends[1 - i]->index];
        road->lost = road->doubled = road->reordered = 50000;
    }
    for (unsigned i = 0; i < 30; i++) {
        char id[16];
        snprintf(id, sizeof id, "paid-%u", i);
        stage_pay(stage, cast.hall, id, ACCOUNT, 100, "");
        stage_run(stage, 300);
    }
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 30));
}

/* ---- order on disk and wire ---- */

/* H34, nats-server#7564, syncthing#6335: the hall dies at every effect of a payment in turn (commit, note, answer,
 * frame; before it and after it), each time with the power.  What was told is there, nothing twice; no number is used
 * again. */
static void a_hall_dies_at_every_effect(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    unsigned told_count = 0, died = 0;
    for (unsigned i = 0; i < 24; i++) {
        struct deed_told told = {0};
        char id[16];
        snprintf(id, sizeof id, "paid-%u", i);
        struct deed *deed = deed_payment(&stage->random, id, ACCOUNT, 100, "", 1);
        sim_crash_at(cast.hall, i / 2 + 1, i % 2 != 0);
        bool answered = stage_try(stage, cast.hall, deed, 300, &told) && told.error[0] == '\0';
        stage_run(stage, 3000);
        cast.hall->crash_at = 0;
        if (cast.hall->life == SIM_STOPPED) {
            died++;
            sim_reboot(cast.hall);
            sim_start(cast.hall);
        }
        told_count += answered;
        STAGE_CHECK(stage, !answered || stage_has(stage, cast.hall, HS_KIND_PAYMENT, id));
        stage_do(stage, cast.hall, deed);
        stage_settle(stage);
    }
    STAGE_CHECK(stage, died >= 20 && told_count >= 5 && all_have_payments(stage, 24));
}

/* H34 and the second round's receipts: hub 1 dies at every effect of taking a payment: nothing that it has forwarded or
 * signed is missing when it comes back. */
static void a_hub_dies_at_every_effect(struct stage *stage)
{
    struct cast cast = {.hub = stage_hub(stage, "hub-1", NULL)};
    unsigned died = 0;
    cast.other_hub = stage_hub(stage, "hub-2", cast.hub);
    cast.hall = stage_hall(stage, "hall-1", DISTRICT, cast.hub, NULL);
    cast.other_hall = stage_hall(stage, "hall-2", DISTRICT, cast.other_hub, NULL);
    stage_run(stage, 500);
    for (unsigned i = 0; i < 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "paid-%u", i);
        sim_crash_at(cast.hub, i / 2 + 1, i % 2 != 0);
        stage_pay(stage, cast.hall, id, ACCOUNT, 100, "");
        stage_run(stage, 3000);
        cast.hub->crash_at = 0;
        if (cast.hub->life == SIM_STOPPED) {
            died++;
            sim_reboot(cast.hub);
            sim_start(cast.hub);
        }
        stage_run(stage, 40000); /* all are with it again */
    }
    STAGE_CHECK(stage, died == 20 && all_have_payments(stage, 20));
}

/* ---- rot ---- */

/* A row of its log rots while it stands; what is wrong there from now on is the disk's. */
static void stop_and_rot(struct stage *stage, struct sim_machine *machine, const char *table, unsigned which)
{
    struct sim_random random = {which};
    sim_stop(machine);
    STAGE_CHECK(stage, sim_rot(machine, "log", table, &random));
    auditor_damaged(stage->auditor, machine);
}

/* H22, dqlite#283: an operation that nobody else has rots in the hall's own log.  Somebody is told, everything else
 * goes on, and what the records have of it is issued anew under another origin: the payment counts once, at the hub
 * too. */
static void a_rotten_operation_is_issued_anew(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    pay_many(stage, cast.hall, "paid", 1);
    stop_and_rot(stage, cast.hall, "op", 7);
    stage_watch(stage, "stream-stopped");
    STAGE_CHECK(stage, sim_try_start(cast.hall) == HS_OK);
    stage_name(stage, cast.hall, ACCOUNT, "still-here");
    stage_part(stage, cast.hall, cast.hub, false);
    stage_run(stage, 10000);
    STAGE_CHECK(stage, stage_seen(stage) > 0);
    char shown[64];
    stage_shown(stage, cast.other_hall, ACCOUNT, shown);
    STAGE_CHECK(stage, strcmp(shown, "still-here") == 0);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 1) && has_payments(stage, cast.hall, 1));
    stage_watch(stage, "session-ended");
    stage_run(stage, 30000);
    STAGE_CHECK(stage, stage_seen(stage) == 0);
}

/* An operation of a hall's rots at the hub, and the records with which it began are gone too: it starts without it, has
 * it again from the hall, and hands it on to another hall. */
static void a_rotten_operation_comes_back_from_who_has_it(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_part(stage, cast.other_hall, cast.hub, true);
    pay_many(stage, cast.hall, "paid", 1);
    stage_run(stage, 10000);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 1));
    stop_and_rot(stage, cast.hub, "op", 7);
    sim_forget_records(cast.hub);
    STAGE_CHECK(stage, sim_try_start(cast.hub) == HS_OK);
    stage_part(stage, cast.other_hall, cast.hub, false);
    stage_run(stage, 40000);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 1) && has_payments(stage, cast.other_hall, 1));
}

static enum hs_err count_waiting(void *ctx, const struct hs_healed *healed)
{
    *(unsigned *)ctx += healed->state == HS_HEALING_WAITS;
    return HS_OK;
}

static unsigned waiting_at(struct stage *stage, struct sim_machine *machine)
{
    struct hs_view *view = NULL;
    unsigned count = 0;
    STAGE_CHECK(stage, hs_view_open(hs_daemon_store(machine->daemon), 0, 0, &view) == HS_OK);
    STAGE_CHECK(stage, hs_view_healed(view, count_waiting, &count) == HS_OK);
    hs_view_close(view);
    return count;
}

/* Seed 253: of two writes of a hall to a customer the first rots at the hub, whose records are made anew without it.
 * They say that the second was applied: whoever took them as state would hide the first one's values for good, also
 * those that he had.  So a new hall waits until the operation has come again. */
static void what_rotted_is_hidden_from_nobody(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    char shown[64];
    stage_part(stage, cast.other_hall, cast.hub, true);
    stage_name(stage, cast.hall, ACCOUNT, "first");
    stage_do(stage, cast.hall, deed_customer(&stage->random, ACCOUNT, &(struct deed_fields){.phone = "13900000000"}));
    stage_run(stage, 10000);
    STAGE_CHECK(stage, stage_has(stage, cast.hub, HS_KIND_CUSTOMER, ACCOUNT));
    stop_and_rot(stage, cast.hub, "op", 2);
    sim_forget_records(cast.hub);
    stage_part(stage, cast.hall, cast.hub, true);
    STAGE_CHECK(stage, sim_try_start(cast.hub) == HS_OK && waiting_at(stage, cast.hub) == 1);
    struct sim_machine *late = stage_hall(stage, "late", DISTRICT, cast.hub, NULL);
    stage_run(stage, 20000);
    STAGE_CHECK(stage, !stage_has(stage, late, HS_KIND_CUSTOMER, ACCOUNT));
    stage_part(stage, cast.hall, cast.hub, false);
    stage_part(stage, cast.other_hall, cast.hub, false);
    stage_settle(stage);
    stage_shown(stage, late, ACCOUNT, shown);
    STAGE_CHECK(stage, strcmp(shown, "first") == 0);
}

/* The same where the hall that wrote it has burnt since: a gap that nobody can fill.  Its stream waits, by name; all
 * else goes on. */
static void a_gap_that_nobody_can_fill_stops_its_stream_only(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_part(stage, cast.other_hall, cast.hub, true);
    pay_many(stage, cast.hall, "paid", 1);
    stage_run(stage, 10000);
    sim_stop(cast.hall);
    stop_and_rot(stage, cast.hub, "op", 7);
    stage_watch(stage, "stream-stopped");
    STAGE_CHECK(stage, sim_try_start(cast.hub) == HS_OK);
    stage_name(stage, cast.other_hall, ACCOUNT, "goes-on");
    stage_part(stage, cast.other_hall, cast.hub, false);
    stage_run(stage, 40000);
    char shown[64];
    stage_shown(stage, cast.hub, ACCOUNT, shown);
    STAGE_CHECK(stage, stage_seen(stage) > 0 && strcmp(shown, "goes-on") == 0);
    STAGE_CHECK(stage, has_payments(stage, cast.other_hall, 0));
}

static void rot_a_receipt(struct stage *stage, struct sim_machine *machine, unsigned which)
{
    stop_and_rot(stage, machine, "receipt", which);
    STAGE_CHECK(stage, sim_try_start(machine) == HS_OK);
}

/* Receipts rot at two of a hall, its hub and another hub in turn: nobody is sent one, no session ends for it, and a
 * check later all are there again, from who has them, or signed anew. */
static void a_rotten_receipt_comes_again(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    struct sim_machine *machines[] = {cast.hall, cast.hub, cast.other_hub};
    stage_pay(stage, cast.hall, "paid", ACCOUNT, 100, "");
    stage_settle(stage);
    unsigned safe = stage_safe(stage, cast.hall, HS_KIND_PAYMENT, "paid");
    for (unsigned i = 0; i < 9; i++) {
        struct sim_machine *one = machines[i % 3], *two = machines[(i + 1) % 3];
        rot_a_receipt(stage, one, i);
        rot_a_receipt(stage, two, 100 + i);
        stage_run(stage, 3000);
        stage_watch(stage, "session-ended");
        stage_run(stage, 100000);
        STAGE_CHECK(stage, stage_seen(stage) == 0 && waiting_at(stage, one) + waiting_at(stage, two) == 0);
        STAGE_CHECK(stage, stage_safe(stage, one, HS_KIND_PAYMENT, "paid") == safe);
        STAGE_CHECK(stage, stage_safe(stage, two, HS_KIND_PAYMENT, "paid") == safe);
    }
}

/* A hall set back gets its payment again, and what was signed for it; but of that the hub's disk has made something
 * else.  It signs anew instead of sending it. */
static void a_rotten_receipt_is_not_sent(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_settle(stage);
    sim_snapshot(cast.hall, 0);
    stage_pay(stage, cast.hall, "paid", ACCOUNT, 100, "");
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    rot_a_receipt(stage, cast.hub, 1);
    stage_restore(stage, cast.hall, 0);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_run(stage, 3000);
    stage_watch(stage, "session-ended");
    stage_run(stage, 30000);
    STAGE_CHECK(stage, stage_seen(stage) == 0 && waiting_at(stage, cast.hub) == 0);
    STAGE_CHECK(stage, has_payments(stage, cast.hall, 1));
}

/* H30 and the second round: a record rots at a hall, while its last operation is not handed in yet.  It is made anew
 * from the log, so that operation is not lost, and the damage reaches nobody. */
static void a_rotten_record_spreads_nowhere(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct sim_random random = {3};
    stage_name(stage, cast.hall, ACCOUNT, "before");
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_name(stage, cast.hall, ACCOUNT, "unsent");
    sim_stop(cast.hall);
    STAGE_CHECK(stage, sim_rot(cast.hall, "records", "state", &random));
    sim_start(cast.hall);
    hallsync__reply__free_unpacked(stage_get(stage, cast.hall, HS_KIND_CUSTOMER, ACCOUNT), NULL); /* it is seen */
    stage_run(stage, 1000);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "unsent") && all_conflicts(stage, NULL) == 0);
}

/* H31: a hub that is busy all day, with halls that lag, compares digests with them again and again: no damage is seen
 * where there is none. */
static void a_busy_hub_sees_no_false_damage(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    stage_watch(stage, "damage");
    set_line(cast.other_hall, cast.other_hub, 4000, 200);
    for (unsigned i = 0; i < 60; i++) {
        char id[16];
        snprintf(id, sizeof id, "paid-%u", i);
        stage_pay(stage, i % 2 == 0 ? cast.hall : cast.other_hall, id, ACCOUNT, 100, "");
        stage_name(stage, i % 3 == 0 ? cast.hall : cast.other_hall, ACCOUNT, id);
        stage_run(stage, 2500);
    }
    STAGE_CHECK(stage, stage_seen(stage) == 0);
    stage_settle(stage);
    stage_watch(stage, "digests-equal");
    stage_run(stage, 65000);
    STAGE_CHECK(stage, stage_seen(stage) >= 6); /* both ends of each line */
}

/* ---- the change feed ---- */

/* From a position; "" or the error; the position goes on. */
static void follow(struct stage *stage, struct sim_machine *machine, Hallsync__Position *at, char error[static 32],
                   size_t *count)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__WatchRequest body = HALLSYNC__WATCH_REQUEST__INIT;
    body.from = at;
    body.has_wait_ms = true;
    body.wait_ms = 0;
    request.body_case = HALLSYNC__REQUEST__BODY_WATCH;
    request.watch = &body;
    Hallsync__Reply *reply = stage_ask(stage, machine, &request);
    snprintf(error, 32, "%s", reply->error != NULL ? reply->error : "");
    *count = reply->watch != NULL ? reply->watch->n_records : 0;
    if (reply->watch != NULL) {
        at->commit = reply->watch->position->commit;
        at->tag = reply->watch->position->tag;
        at->has_ops = reply->watch->position->has_ops;
        at->ops = reply->watch->position->ops;
    }
    hallsync__reply__free_unpacked(reply, NULL);
}

/* H35 and the second round: a consumer has followed to a position, the store goes back, and on beyond it: another
 * history under the same number.  It is told to list everything anew; a later one, of this history, is good. */
static void a_feed_is_reset_when_its_store_went_back(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    Hallsync__Position at, later;
    char error[32];
    size_t count;
    pay_many(stage, cast.hall, "before", 3);
    sim_snapshot(cast.hall, 0);
    pay_many(stage, cast.hall, "lost", 3);
    position_of(stage, cast.hall, &at);
    follow(stage, cast.hall, &at, error, &count);
    STAGE_CHECK(stage, strcmp(error, "") == 0);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_restore(stage, cast.hall, 0);
    later = at;
    follow(stage, cast.hall, &later, error, &count);
    STAGE_CHECK(stage, strcmp(error, "reset") == 0); /* beyond its end */
    pay_many(stage, cast.hall, "after", 6);
    position_of(stage, cast.hall, &later);
    STAGE_CHECK(stage, later.commit > at.commit);
    follow(stage, cast.hall, &at, error, &count);
    STAGE_CHECK(stage, strcmp(error, "reset") == 0); /* its number is there, of another history */
    pay_many(stage, cast.hall, "fresh", 2);
    follow(stage, cast.hall, &later, error, &count);
    STAGE_CHECK(stage, strcmp(error, "") == 0 && count >= 2);
    stage_part(stage, cast.hall, cast.hub, false);
}

const struct scenario SCENARIOS_REPLICATION[] = {
    {"a-line-that-drops-all-the-time", a_line_that_drops_all_the_time},
    {"own-operations-go-with-the-greeting", own_operations_go_with_the_greeting},
    {"a-backlog-travels-in-few-segments", a_backlog_travels_in_few_segments},
    {"a-line-dead-one-way-is-found-and-named", a_line_dead_one_way_is_found_and_named},
    {"lost-doubled-and-reordered-frames", lost_doubled_and_reordered_frames},
    {"a-hall-dies-at-every-effect", a_hall_dies_at_every_effect},
    {"a-hub-dies-at-every-effect", a_hub_dies_at_every_effect},
    {"a-rotten-operation-is-issued-anew", a_rotten_operation_is_issued_anew},
    {"a-rotten-operation-comes-back-from-who-has-it", a_rotten_operation_comes_back_from_who_has_it},
    {"a-gap-that-nobody-can-fill-stops-its-stream-only", a_gap_that_nobody_can_fill_stops_its_stream_only},
    {"what-rotted-is-hidden-from-nobody", what_rotted_is_hidden_from_nobody},
    {"a-rotten-receipt-comes-again", a_rotten_receipt_comes_again},
    {"a-rotten-receipt-is-not-sent", a_rotten_receipt_is_not_sent},
    {"a-rotten-record-spreads-nowhere", a_rotten_record_spreads_nowhere},
    {"a-busy-hub-sees-no-false-damage", a_busy_hub_sees_no_false_damage},
    {"a-feed-is-reset-when-its-store-went-back", a_feed_is_reset_when_its_store_went_back},
    {0},
};
