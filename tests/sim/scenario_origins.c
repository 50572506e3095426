/* scenario_origins.c -- stores that go back in time, disks that lie, copies, clones: who numbers on where?
 *
 * Counterexamples H1, H3, H6, H7 and the first two bullets of their second round. */
#include "tests/sim/scenarios.h"

#include <stdio.h>
#include <string.h>

static const struct sim_restore DISK_IN_PLACE = {.log = true, .records = true, .same_files = true};
static const struct sim_restore DISK_AND_MEMORY = {.log = true, .records = true, .notes = true, .same_files = true};

/* ---- older copies ---- */

/* H1.  Hall 1 hands in five payments at hub 1, which hub 2 has not heard of; it is set back and goes on at hub 2 with
 * other payments, which get the same numbers unless it notices.  Both hubs have acknowledged: when they meet, all must
 * be everywhere. */
static void two_hubs_two_branches(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    pay_many(stage, cast.hall, "before", 3);
    stage_settle(stage);
    sim_snapshot(cast.hall, 0);
    stage_part(stage, cast.hub, cast.other_hub, true);
    pay_many(stage, cast.hall, "first", 5);
    stage_run(stage, 2000);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 8) && has_payments(stage, cast.other_hub, 3));
    stage_part(stage, cast.hall, cast.hub, true);
    stage_restore(stage, cast.hall, 0);
    pay_many(stage, cast.hall, "second", 7);
    stage_run(stage, 15000);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 8) && has_payments(stage, cast.other_hub, 10));
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 15) && all_conflicts(stage, "fork") == 0);
    STAGE_CHECK(stage, origins_of(stage, cast.hall) == 2);
}

/* H1 in small: the disk says that it has written and has not.  After the power cut the log is shorter than the hub
 * knows, and the hall goes on off line before anybody could tell it. */
static void a_disk_lies_about_its_flush(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    pay_many(stage, cast.hall, "kept", 3);
    sim_snapshot(cast.hall, 0);
    pay_many(stage, cast.hall, "lost", 4);
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_set_back(stage, cast.hall, 0, (struct sim_restore){.log = true, .same_files = true});
    sim_reboot(cast.hall);
    sim_start(cast.hall);
    STAGE_CHECK(stage, has_payments(stage, cast.hall, 3));
    pay_many(stage, cast.hall, "after", 2);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 9) && all_conflicts(stage, "fork") == 0);
}

/* Second round: as above, but before the hall writes again it takes something of others (a commit, and a note for it),
 * is killed and starts once more: that note is satisfied, and proves nothing about what was lost before it. */
static void a_note_written_after_the_loss_proves_nothing(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    pay_many(stage, cast.hall, "kept", 3);
    stage_settle(stage);
    sim_snapshot(cast.hall, 0);
    stage_part(stage, cast.hub, cast.other_hub, true);
    pay_many(stage, cast.hall, "lost", 4);
    stage_run(stage, 2000);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_set_back(stage, cast.hall, 0, (struct sim_restore){.log = true, .same_files = true});
    sim_reboot(cast.hall);
    sim_start(cast.hall);
    pay_many(stage, cast.other_hall, "foreign", 1); /* comes through hub 2, which never had the lost ones */
    stage_run(stage, 15000);
    STAGE_CHECK(stage, has_payments(stage, cast.hall, 4));
    sim_kill(cast.hall);
    sim_start(cast.hall);
    pay_many(stage, cast.hall, "after", 2);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 10) && all_conflicts(stage, "fork") == 0);
}

/* H3.  Monday's copy is put back on Tuesday and again on Wednesday: "one more than the last life" would be the same
 * life twice. */
static void the_same_copy_twice(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    char origin[3][17];
    pay_many(stage, cast.hall, "monday", 2);
    stage_settle(stage);
    stage_origins(stage, cast.hall, origin[0]);
    sim_snapshot(cast.hall, 0);
    stage_restore(stage, cast.hall, 0);
    pay_many(stage, cast.hall, "tuesday", 3);
    stage_origins(stage, cast.hall, origin[1]);
    stage_settle(stage);
    stage_restore(stage, cast.hall, 0);
    pay_many(stage, cast.hall, "wednesday", 4);
    stage_origins(stage, cast.hall, origin[2]);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 9) && all_conflicts(stage, "fork") == 0);
    STAGE_CHECK(stage, strcmp(origin[0], origin[1]) != 0 && strcmp(origin[1], origin[2]) != 0 &&
                           strcmp(origin[0], origin[2]) != 0);
}

/* Second round: killed anywhere between commit and note, then set back to the copy made just before, in the very same
 * file.  If the old note still holds, nothing of the lost commit may have left the machine. */
static void a_crash_between_commit_and_note(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct deed_told told;
    unsigned died = 0;
    pay_many(stage, cast.hall, "before", 2);
    for (unsigned effect = 1; effect <= 10; effect++) {
        char id[2][32];
        snprintf(id[0], sizeof id[0], "cut-off-%u", effect);
        snprintf(id[1], sizeof id[1], "after-%u", effect);
        stage_settle(stage);
        sim_snapshot(cast.hall, 0);
        sim_crash_at(cast.hall, effect / 2 + 1, effect % 2 != 0);
        stage_try(stage, cast.hall, deed_payment(&stage->random, id[0], ACCOUNT, 100, "", 1), 500, &told);
        stage_run(stage, 200);
        died += cast.hall->life == SIM_STOPPED;
        stage_set_back(stage, cast.hall, 0, DISK_IN_PLACE);
        sim_start(cast.hall);
        stage_pay(stage, cast.hall, id[1], ACCOUNT, 100, "");
    }
    STAGE_CHECK(stage, died >= 8);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "fork") == 0);
}

/* ---- resumed with its memory: what nobody can prevent ---- */

/* H1 (b): the hub names more of the hall's origin than the hall has: it takes a fresh one before it writes. */
static void a_hub_that_knows_more_is_proof(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    pay_many(stage, cast.hall, "before", 2);
    stage_settle(stage);
    sim_snapshot(cast.hall, 0);
    pay_many(stage, cast.hall, "lost", 3);
    stage_settle(stage);
    stage_watch(stage, "origin-named-beyond");
    stage_set_back(stage, cast.hall, 0, DISK_AND_MEMORY);
    sim_start(cast.hall);
    stage_run(stage, 3000);
    STAGE_CHECK(stage, stage_seen(stage) > 0);
    pay_many(stage, cast.hall, "after", 2);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 7) && all_conflicts(stage, "fork") == 0);
}

/* H1 (a): off line, a client shows the position that it was told: proof enough, with no link. */
static void a_client_that_knows_more_is_proof(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Position seen;
    pay_many(stage, cast.hall, "before", 2);
    sim_snapshot(cast.hall, 0);
    pay_many(stage, cast.hall, "lost", 3);
    stage_settle(stage);
    position_of(stage, cast.hall, &seen);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_set_back(stage, cast.hall, 0, DISK_AND_MEMORY);
    sim_start(cast.hall);
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    request.seen = &seen;
    hallsync__reply__free_unpacked(stage_ask(stage, cast.hall, &request), NULL);
    stage_run(stage, 100);
    pay_many(stage, cast.hall, "after", 2);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 7) && all_conflicts(stage, "fork") == 0);
}

/* H1 (c): it writes before anybody could warn it: two contents under one number.  The proof and both branches' facts
 * reach everybody, and the hall writes on under a fresh origin. */
static void a_machine_resumed_with_its_memory(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    pay_many(stage, cast.hall, "before", 2);
    stage_settle(stage);
    sim_snapshot(cast.hall, 0);
    pay_many(stage, cast.hall, "first", 3);
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_part(stage, cast.hall, cast.other_hub, true);
    auditor_fork_possible(stage->auditor, cast.hall);
    stage_set_back(stage, cast.hall, 0, DISK_AND_MEMORY);
    sim_start(cast.hall);
    pay_many(stage, cast.hall, "second", 4);
    stage_watch(stage, "fork");
    stage_part(stage, cast.hall, cast.hub, false);
    stage_part(stage, cast.hall, cast.other_hub, false);
    stage_settle(stage);
    pay_many(stage, cast.hall, "after", 1);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 10) && all_conflicts(stage, "fork") > 0);
    STAGE_CHECK(stage, stage_seen(stage) > 0 && origins_of(stage, cast.hall) == 2);
}

/* H1 with a machine that has kept its memory: each branch is acknowledged by another hub, the hubs are apart, and other
 * halls have taken them.  When the hubs meet, both branches' payments are everywhere, and everybody has the proof. */
static void a_fork_between_two_hubs(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    pay_many(stage, cast.hall, "before", 2);
    stage_settle(stage);
    sim_snapshot(cast.hall, 0);
    stage_part(stage, cast.hub, cast.other_hub, true);
    pay_many(stage, cast.hall, "first", 5);
    stage_run(stage, 2000);
    auditor_fork_possible(stage->auditor, cast.hall);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_set_back(stage, cast.hall, 0, DISK_AND_MEMORY);
    sim_start(cast.hall);
    pay_many(stage, cast.hall, "second", 3);
    stage_run(stage, 15000);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 7) && has_payments(stage, cast.other_hub, 5));
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, cast.hall, 10) && has_payments(stage, cast.hub, 10));
    stage_part(stage, cast.hall, cast.hub, false);
    pay_many(stage, cast.hall, "after", 2);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 12) && all_conflicts(stage, "fork") > 0);
}

/* The same with a customer's name: under one dot two names stand at different nodes, and none of them can be called the
 * right one.  It is listed as a fork; what a person writes over it is then everywhere. */
static void a_forked_name_waits_for_a_person(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_name(stage, cast.hall, ACCOUNT, "before");
    stage_settle(stage);
    sim_snapshot(cast.hall, 0);
    stage_name(stage, cast.hall, ACCOUNT, "first");
    stage_settle(stage);
    auditor_fork_possible(stage->auditor, cast.hall);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_set_back(stage, cast.hall, 0, DISK_AND_MEMORY);
    sim_start(cast.hall);
    stage_name(stage, cast.hall, ACCOUNT, "second");
    stage_name(stage, cast.hall, NEIGHBOR, "on that branch alone");
    stage_part(stage, cast.hall, cast.hub, false);
    stage_run(stage, 15000);
    STAGE_CHECK(stage, all_conflicts(stage, "fork") > 0);
    STAGE_CHECK(stage, !stage_has(stage, cast.hub, HS_KIND_CUSTOMER, NEIGHBOR));
    auditor_check(stage->auditor); /* each shows the name that it holds by number */
    stage_name(stage, cast.hub, ACCOUNT, "decided");
    stage_run(stage, 5000);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "decided"));
}

/* ---- clones ---- */

static struct sim_machine *clone_of(struct stage *stage, struct sim_machine *machine, int snapshot)
{
    struct sim_machine *clone = sim_clone(machine, snapshot, "clone");
    auditor_disk_changed(stage->auditor, clone);
    sim_start(clone);
    return clone;
}

/* H7.  Two live machines with one key: both keep their sessions, nobody evicts the other for ever, people are told. */
static void two_clones_at_once(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    pay_many(stage, cast.hall, "before", 2);
    stage_settle(stage);
    stage_watch(stage, "clone");
    struct sim_machine *clone = clone_of(stage, cast.hall, -1);
    stage_run(stage, 2000);
    STAGE_CHECK(stage, stage_seen(stage) > 0);
    stage_watch(stage, "session-ended");
    for (unsigned i = 0; i < 5; i++) {
        char id[2][16];
        snprintf(id[0], sizeof id[0], "hall-%u", i);
        snprintf(id[1], sizeof id[1], "clone-%u", i);
        stage_pay(stage, cast.hall, id[0], ACCOUNT, 100, "");
        stage_pay(stage, clone, id[1], ACCOUNT, 100, "");
        stage_run(stage, 5000);
    }
    STAGE_CHECK(stage, stage_seen(stage) == 0);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 12) && all_conflicts(stage, "fork") == 0);
}

/* H3, second round: a copy made before the hall's first write, so that both would open the same origin if origins were
 * anything but random; both write off line and meet. */
static void two_clones_that_have_not_written(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct sim_machine *clone = clone_of(stage, cast.hall, -1);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_part(stage, clone, cast.hub, true);
    pay_many(stage, cast.hall, "hall", 3);
    pay_many(stage, clone, "clone", 3);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_part(stage, clone, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 6) && all_conflicts(stage, "fork") == 0);
}

/* H3.  Two machines from one old copy, off line at the same time. */
static void two_clones_of_one_old_copy(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    pay_many(stage, cast.hall, "before", 2);
    sim_snapshot(cast.hall, 0);
    pay_many(stage, cast.hall, "lost", 2);
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_restore(stage, cast.hall, 0);
    struct sim_machine *clone = sim_clone(cast.hall, 0, "clone");
    stage_part(stage, clone, cast.hub, true);
    auditor_disk_changed(stage->auditor, clone);
    sim_start(clone);
    pay_many(stage, cast.hall, "hall", 3);
    pay_many(stage, clone, "clone", 3);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_part(stage, clone, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 10) && all_conflicts(stage, "fork") == 0);
}

/* ---- lost disks ---- */

/* H6.  What was acknowledged "here" only, dies with its disk; what was "hub" does not.  A client that asks again for
 * what it does not find makes it whole. */
static void only_what_was_here_dies_with_its_disk(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct deed *deed = deed_payment(&stage->random, "here", ACCOUNT, 100, "", 1);
    pay_many(stage, cast.hall, "handed-in", 3);
    stage_settle(stage);
    STAGE_CHECK(stage, stage_safe(stage, cast.hall, HS_KIND_PAYMENT, "handed-in-3") == HUB);
    stage_part(stage, cast.hall, cast.hub, true);
    struct deed_told told = stage_do(stage, cast.hall, deed);
    STAGE_CHECK(stage, told.safe == HERE);
    stage_wipe(stage, cast.hall);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 3));
    told = stage_do(stage, cast.hall, deed);
    STAGE_CHECK(stage, told.result == HALLSYNC__RESULT__RESULT_CREATED);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 4));
}

/* H6.  An older copy comes back off line: the counter sends again what no hub has, in its order, and once more after
 * the copy has come back again.  A payment and its reversal are done once each, and the hall goes on in fresh origins.
 */
static void a_counter_brings_back_what_its_hall_has_lost(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct deed *payment = deed_payment(&stage->random, "kept", ACCOUNT, 100, "", 1);
    struct deed *reversal = deed_reversal(&stage->random, "kept-back", payment, 1);
    pay_many(stage, cast.hall, "handed-in", 3);
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    sim_stop(cast.hall);
    sim_snapshot(cast.hall, 0);
    sim_start(cast.hall);
    STAGE_CHECK(stage, stage_do(stage, cast.hall, payment).safe == HERE);
    STAGE_CHECK(stage, stage_do(stage, cast.hall, reversal).safe == HERE);
    for (unsigned again = 0; again < 2; again++) {
        stage_restore(stage, cast.hall, 0);
        STAGE_CHECK(stage, !stage_has(stage, cast.hall, HS_KIND_PAYMENT, "kept"));
        struct deed_told told = stage_do(stage, cast.hall, payment);
        STAGE_CHECK(stage, told.result == HALLSYNC__RESULT__RESULT_CREATED);
        told = stage_do(stage, cast.hall, reversal);
        STAGE_CHECK(stage, told.result == HALLSYNC__RESULT__RESULT_CREATED);
    }
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, stage_do(stage, cast.hall, payment).safe >= HUB);
    STAGE_CHECK(stage, all_have_payments(stage, 4) && all_conflicts(stage, NULL) == 0);
    STAGE_CHECK(stage, stage_totals(stage, cast.hub).reversed_count == 1);
}

/* H1's cost, and the second round's frontiers of 29,000 entries: a hall that is switched off every evening opens an
 * origin a day.  When both sides know the same, meeting again costs no more for many lives than for few. */
static void daily_boots_cost_little(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    uint64_t bytes[2];
    for (unsigned day = 1; day <= 40; day++) {
        char id[16];
        snprintf(id, sizeof id, "day-%u", day);
        sim_stop(cast.hall);
        sim_reboot(cast.hall);
        sim_start(cast.hall);
        stage_pay(stage, cast.hall, id, ACCOUNT, 100, "");
        if (day != 2 && day != 40)
            continue;
        stage_settle(stage);
        stage_run(stage, 3000);
        bytes[day == 40] = stage->bytes[cast.hall->index];
        sim_hang_up(cast.hall, cast.hub);
        stage_run(stage, 3000);
        bytes[day == 40] = stage->bytes[cast.hall->index] - bytes[day == 40];
    }
    STAGE_CHECK(stage, origins_of(stage, cast.hall) == 40);
    STAGE_CHECK(stage, bytes[1] < 2 * bytes[0]);
}

const struct scenario SCENARIOS_ORIGINS[] = {
    {"two-hubs-two-branches", two_hubs_two_branches},
    {"a-disk-lies-about-its-flush", a_disk_lies_about_its_flush},
    {"a-note-written-after-the-loss-proves-nothing", a_note_written_after_the_loss_proves_nothing},
    {"the-same-copy-twice", the_same_copy_twice},
    {"a-crash-between-commit-and-note", a_crash_between_commit_and_note},
    {"a-hub-that-knows-more-is-proof", a_hub_that_knows_more_is_proof},
    {"a-client-that-knows-more-is-proof", a_client_that_knows_more_is_proof},
    {"a-machine-resumed-with-its-memory", a_machine_resumed_with_its_memory},
    {"a-fork-between-two-hubs", a_fork_between_two_hubs},
    {"a-forked-name-waits-for-a-person", a_forked_name_waits_for_a_person},
    {"two-clones-at-once", two_clones_at_once},
    {"two-clones-that-have-not-written", two_clones_that_have_not_written},
    {"two-clones-of-one-old-copy", two_clones_of_one_old_copy},
    {"only-what-was-here-dies-with-its-disk", only_what_was_here_dies_with_its_disk},
    {"a-counter-brings-back-what-its-hall-has-lost", a_counter_brings_back_what_its_hall_has_lost},
    {"daily-boots-cost-little", daily_boots_cost_little},
    {0},
};
