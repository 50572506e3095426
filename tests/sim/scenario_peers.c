/* scenario_peers.c -- what users of comparable systems report, where it could happen to us: restored and lost hubs,
 * bootstrap, full disks, absence, stalls.  Numbers are those of the public issue trackers. */
#include "tests/sim/scenarios.h"

#include <stdio.h>
#include <string.h>

/* ---- hubs that were restored, lost, away ---- */

/* medic/cht-core#8093, IBM/couchbackup#151: the hub is restored from a backup; users' later data never come back,
 * because each side believes its own checkpoint.  Here nothing about a peer is remembered: all comes back, that of a
 * hall which is gone for good included, for the other halls hold it. */
static void a_restored_hub_is_filled_again(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    pay_many(stage, cast.hall, "before", 3);
    stage_settle(stage);
    sim_snapshot(cast.hub, 0);
    pay_many(stage, cast.hall, "after", 3);
    pay_many(stage, cast.other_hall, "other", 3);
    stage_settle(stage);
    sim_stop(cast.hall);
    stage_restore(stage, cast.hub, 0);
    stage_settle(stage);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 9));
    sim_start(cast.hall);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 9));
    STAGE_CHECK(stage, stage_safe(stage, cast.hall, HS_KIND_PAYMENT, "after-3") == HUB);
}

/* couchbase-lite-core#453, realm-js#3548, ReOpenLDAP#71, syncthing#3876: the hub is made anew, empty, and meets halls
 * that are full.  It is filled; nobody concludes from what it lacks that something was deleted; and it ends. */
static void an_empty_hub_deletes_nothing(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    pay_many(stage, cast.hall, "paid", 5);
    stage_name(stage, cast.other_hall, ACCOUNT, "kept");
    stage_settle(stage);
    stage_wipe(stage, cast.hub);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 5) && all_show(stage, ACCOUNT, "kept"));
    uint64_t before = stage->sim->frames; /* automerge-classic#364: an endless loop */
    stage_run(stage, 20000);
    STAGE_CHECK(stage, stage->sim->frames - before < 200);
}

/* rqlite#1133, LiteFS#112: a hub dies; the halls go on at the other one.  It comes back with what it alone had taken
 * and hands that in; nothing is rolled back. */
static void a_hub_that_comes_back_hands_in_its_own(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    stage_part(stage, cast.hub, cast.other_hub, true);
    pay_many(stage, cast.hall, "first", 3);
    stage_run(stage, 2000);
    sim_kill(cast.hub);
    stage_wipe(stage, cast.hall); /* so that hub 1 alone has them */
    stage_run(stage, 15000);
    pay_many(stage, cast.hall, "second", 3);
    stage_run(stage, 2000);
    STAGE_CHECK(stage, has_payments(stage, cast.other_hub, 3));
    sim_reboot(cast.hub);
    sim_start(cast.hub);
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 6));
}

/* patroni#1749, debezium#3970, spock#12: after a failover rows written in between never arrive.  A hall changes hubs
 * while its neighbour writes at the old one. */
static void a_hall_changes_hubs_and_misses_nothing(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    for (unsigned round = 0; round < 3; round++) {
        char ids[2][16];
        struct sim_machine *leaves = round % 2 == 0 ? cast.hub : cast.other_hub;
        snprintf(ids[0], sizeof ids[0], "hall-%u", round);
        snprintf(ids[1], sizeof ids[1], "other-%u", round);
        stage_part(stage, cast.hall, leaves, true);
        stage_pay(stage, cast.other_hall, ids[0], ACCOUNT, 100, "");
        stage_run(stage, 12000);
        stage_pay(stage, cast.hall, ids[1], ACCOUNT, 100, "");
        stage_part(stage, cast.hall, leaves, false);
        stage_settle(stage);
    }
    STAGE_CHECK(stage, all_have_payments(stage, 6));
}

/* Second round of the counterexamples: "safe" was said because two hubs had signed, then one of them was set back.
 * What it had comes back to it, and what is said is true again. */
static void two_hubs_have_signed_and_one_is_set_back(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    sim_snapshot(cast.hub, 0);
    pay_many(stage, cast.hall, "paid", 3);
    stage_settle(stage);
    stage_run(stage, 1000);
    STAGE_CHECK(stage, stage_safe(stage, cast.hall, HS_KIND_PAYMENT, "paid-3") == SAFE);
    sim_kill(cast.hall);
    stage_restore(stage, cast.hub, 0);
    stage_settle(stage); /* from hub 2, the hall being away */
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 3));
    sim_start(cast.hall);
}

/* ---- halls that were restored, lost, away ---- */

/* syncthing#10216: a restored laptop pushed files of two months ago over newer ones. */
static void a_restored_hall_overwrites_nothing_newer(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_name(stage, cast.hall, ACCOUNT, "old");
    stage_settle(stage);
    sim_snapshot(cast.hall, 0);
    stage_name(stage, cast.hall, ACCOUNT, "newer");
    stage_name(stage, cast.other_hall, NEIGHBOR, "new");
    stage_settle(stage);
    stage_restore(stage, cast.hall, 0);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "newer") && all_show(stage, NEIGHBOR, "new"));
    STAGE_CHECK(stage, all_conflicts(stage, NULL) == 0);
}

/* syncthing#3876: a folder made anew has no history, so its files win over all.  Here a hall without its store writes a
 * record before it has seen it: the two stand side by side. */
static void a_wiped_hall_overwrites_nothing_unseen(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_name(stage, cast.other_hall, ACCOUNT, "known");
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_wipe(stage, cast.hall);
    stage_name(stage, cast.hall, ACCOUNT, "unseen");
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "field") == 1);
}

/* syncthing#10590: an old node came back and brought 8,571 false conflicts.  Here one comes back after a month, with a
 * lot of old records and one edit of its own: that edit is the only conflict. */
static void an_old_machine_comes_back(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    for (unsigned i = 0; i < 20; i++) {
        char account[HS_ACCOUNT_DIGITS + 1];
        snprintf(account, sizeof account, "32010001%02u", i);
        stage_name(stage, i % 2 == 0 ? cast.hall : cast.other_hall, account, "first");
    }
    stage_settle(stage);
    stage_part(stage, cast.other_hall, cast.hub, true);
    stage_name(stage, cast.other_hall, "3201000107", "mine");
    sim_stop(cast.other_hall);
    for (unsigned i = 0; i < 20; i++) {
        char account[HS_ACCOUNT_DIGITS + 1];
        snprintf(account, sizeof account, "32010001%02u", i);
        stage_name(stage, cast.hall, account, "second");
    }
    stage_run(stage, 600000);
    sim_reboot(cast.other_hall);
    stage_part(stage, cast.other_hall, cast.hub, false);
    sim_start(cast.other_hall);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, NULL) == 1 && all_show(stage, "3201000108", "second"));
}

/* JumpMind's offline nodes, zalando/postgres-operator#2012: who is away must cost the others nothing: no slower
 * answers, no session that ends, no more bytes. */
static void a_hall_that_is_away_holds_up_nobody(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    uint64_t bytes[2], sent = 0;
    for (unsigned round = 0; round < 2; round++) {
        if (round == 1)
            sim_stop(cast.other_hall);
        stage_run(stage, 60000);
        stage_watch(stage, "session-ended");
        sent = stage->bytes[cast.hall->index];
        for (unsigned i = 0; i < 20; i++) {
            char id[24];
            snprintf(id, sizeof id, "round-%u-%u", round, i);
            uint64_t begun = stage->sim->now_ms;
            stage_pay(stage, cast.hall, id, ACCOUNT, 100, "");
            STAGE_CHECK(stage, stage->sim->now_ms - begun < 50);
            stage_run(stage, 1000);
        }
        bytes[round] = stage->bytes[cast.hall->index] - sent;
        STAGE_CHECK(stage, has_payments(stage, cast.hub, (round + 1) * 20) && stage_seen(stage) == 0);
    }
    STAGE_CHECK(stage, bytes[1] <= bytes[0] + bytes[0] / 4);
    sim_start(cast.other_hall);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 40));
}

/* nats-server#6206: a re-created source begins at one again, and its readers wait for a number that never comes. */
static void a_hall_made_anew_is_followed(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    pay_many(stage, cast.hall, "before", 8);
    stage_settle(stage);
    stage_wipe(stage, cast.hall);
    pay_many(stage, cast.hall, "anew", 2);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 10));
}

/* ---- bootstrap ---- */

/* spock#392, #397, synchdb#256, symmetric-ds#497: a node is added while others write; rows of that moment are lost. */
static void a_hall_joins_under_load(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    struct sim_machine *late = NULL;
    for (unsigned i = 0; i < 40; i++) {
        char id[16];
        snprintf(id, sizeof id, "paid-%u", i);
        stage_pay(stage, i % 2 == 0 ? cast.hall : cast.other_hall, id, ACCOUNT, 100, "");
        stage_name(stage, i % 3 == 0 ? cast.hall : cast.other_hall, ACCOUNT, id);
        stage_run(stage, 3);
        if (i == 20)
            late = stage_hall(stage, "hall-3", DISTRICT, cast.other_hub, cast.hub);
    }
    pay_many(stage, late, "late", 3);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 43));
}

/* ---- full disks ---- */

/* nats-server#5382, #7654, dqlite#309: no space is left.  Other writes are refused first, then all; what was told
 * stays, reads go on; when there is room again all goes on, without a restart and without anything having been deleted.
 */
static void a_full_disk_refuses_and_recovers(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct deed_told told = {0};
    uint64_t much = cast.hall->disk_free_bytes;
    uint64_t reserve = (uint64_t)cast.hall->conf.limits.disk_reserve_mib << 20;
    struct deed *name = deed_customer(&stage->random, ACCOUNT, &(struct deed_fields){.name = "later"});
    struct deed *payment = deed_payment(&stage->random, "later", ACCOUNT, 100, "", 1);
    pay_many(stage, cast.hall, "before", 2);
    cast.hall->disk_free_bytes = reserve;
    stage_run(stage, 1000);
    STAGE_CHECK(stage, stage_try(stage, cast.hall, name, 1000, &told));
    stage_expect(stage, &told, "disk-full");
    pay_many(stage, cast.hall, "still", 2); /* money goes on longer */
    cast.hall->disk_free_bytes = 0;
    stage_run(stage, 1000);
    STAGE_CHECK(stage, stage_try(stage, cast.hall, payment, 1000, &told));
    stage_expect(stage, &told, "disk-full");
    STAGE_CHECK(stage, has_payments(stage, cast.hall, 4) && cast.hall->lives == 1);
    cast.hall->disk_free_bytes = much;
    stage_run(stage, 1000);
    stage_do(stage, cast.hall, name);
    stage_do(stage, cast.hall, payment);
    STAGE_CHECK(stage, cast.hall->lives == 1);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 5) && all_show(stage, ACCOUNT, "later"));
}

static bool shows(struct stage *stage, struct sim_machine *machine, const char *account, const char *name)
{
    char shown[64];
    stage_shown(stage, machine, account, shown);
    return strcmp(shown, name) == 0;
}

static void expect_room(struct stage *stage, struct sim_machine *machine, const char *level)
{
    Hallsync__Reply *reply = stage_status(stage, machine);
    const char *told = reply->status->disk_level;
    STAGE_CHECK(stage, strcmp(told == NULL ? "" : told, level) == 0);
    hallsync__reply__free_unpacked(reply, NULL);
}

/* What its peers hand in must not take what is kept for the tills: people and bulk wait with whoever has them, payments
 * come on; told once, and once that it is over. */
static void with_little_room_peers_wait(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct sim_machine *tight[] = {cast.hall, cast.hub};
    stage_name(stage, cast.other_hall, ACCOUNT, "before");
    stage_settle(stage);
    for (unsigned i = 0; i < 2; i++) {
        char name[16], id[16];
        snprintf(name, sizeof name, "changed-%u", i);
        snprintf(id, sizeof id, "paid-%u", i);
        uint64_t much = tight[i]->disk_free_bytes;
        stage_watch(stage, "room");
        tight[i]->disk_free_bytes = ((uint64_t)tight[i]->conf.limits.disk_reserve_mib << 20) * 3 / 2;
        stage_run(stage, 5000);
        expect_room(stage, tight[i], "low");
        stage_name(stage, cast.other_hall, ACCOUNT, name);
        pay_many(stage, cast.other_hall, id, 2);
        stage_run(stage, 20000);
        STAGE_CHECK(stage, has_payments(stage, tight[i], 2 * (i + 1)));
        STAGE_CHECK(stage, !shows(stage, tight[i], ACCOUNT, name));
        tight[i]->disk_free_bytes = much;
        stage_settle(stage);
        STAGE_CHECK(stage, all_show(stage, ACCOUNT, name) && tight[i]->lives == 1 && stage_seen(stage) == 2);
        expect_room(stage, tight[i], "");
    }
}

/* The disk fills up under it after all: commits fail.  The process ends, as often as it is started; not one payment
 * that was told is lost. */
static void commits_fail_for_a_while(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct deed_told told = {0};
    struct deed *payment = deed_payment(&stage->random, "later", ACCOUNT, 100, "", 1);
    pay_many(stage, cast.hall, "before", 3);
    cast.hall->disk_full = true;
    bool answered = stage_try(stage, cast.hall, payment, 1000, &told);
    STAGE_CHECK(stage, !answered || told.error[0] != '\0');
    stage_run(stage, 1000);
    cast.hall->disk_full = false;
    if (cast.hall->life == SIM_STOPPED)
        sim_start(cast.hall);
    stage_do(stage, cast.hall, payment);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 4));
}

/* ---- stalls ---- */

/* couchbase-lite-core#267, pouchdb#2768, powersync-native#15: the hub is not there for two hours; the hall tries on for
 * ever, says so, and what waits goes without a new write soon after the hub is back. */
static void a_hall_tries_until_the_hub_is_there(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    sim_kill(cast.hub);
    pay_many(stage, cast.hall, "paid", 2);
    stage_run(stage, 2 * 3600 * 1000);
    Hallsync__Reply *reply = stage_status(stage, cast.hall);
    const Hallsync__PeerStatus *peer = reply->status->peers[0];
    STAGE_CHECK(stage, strcmp(peer->state, "live") != 0 && peer->why != NULL && peer->why[0] != '\0');
    hallsync__reply__free_unpacked(reply, NULL);
    sim_reboot(cast.hub);
    sim_start(cast.hub);
    /* The longest wait between two attempts; a machine that was started anew hears for a minute of revoked keys before
     * it lets halls in; once more, and a little. */
    stage_run(stage, 30000 + 60000 + 35000);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 2));
}

/* symmetric-ds#776: heartbeats were durable data and piled up.  A region in which nobody does anything writes nothing.
 */
static void an_idle_region_writes_nothing(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    pay_many(stage, cast.hall, "paid", 2);
    stage_settle(stage);
    stage_run(stage, 10000);
    uint64_t commits = stage->sim->commits;
    stage_run(stage, 600000);
    STAGE_CHECK(stage, stage->sim->commits == commits);
}

/* symmetric-ds#208: a node is paused and resumed: a clean stop is no break in its life. */
static void a_pause_is_no_new_life(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    for (unsigned i = 0; i < 4; i++) {
        char id[16];
        snprintf(id, sizeof id, "paid-%u", i);
        stage_pay(stage, cast.hall, id, ACCOUNT, 100, "");
        sim_stop(cast.hall);
        stage_run(stage, 20000);
        sim_start(cast.hall);
    }
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 4) && origins_of(stage, cast.hall) == 1);
}

const struct scenario SCENARIOS_PEERS[] = {
    {"a-restored-hub-is-filled-again", a_restored_hub_is_filled_again},
    {"an-empty-hub-deletes-nothing", an_empty_hub_deletes_nothing},
    {"a-hub-that-comes-back-hands-in-its-own", a_hub_that_comes_back_hands_in_its_own},
    {"a-hall-changes-hubs-and-misses-nothing", a_hall_changes_hubs_and_misses_nothing},
    {"two-hubs-have-signed-and-one-is-set-back", two_hubs_have_signed_and_one_is_set_back},
    {"a-restored-hall-overwrites-nothing-newer", a_restored_hall_overwrites_nothing_newer},
    {"a-wiped-hall-overwrites-nothing-unseen", a_wiped_hall_overwrites_nothing_unseen},
    {"an-old-machine-comes-back", an_old_machine_comes_back},
    {"a-hall-that-is-away-holds-up-nobody", a_hall_that_is_away_holds_up_nobody},
    {"a-hall-made-anew-is-followed", a_hall_made_anew_is_followed},
    {"a-hall-joins-under-load", a_hall_joins_under_load},
    {"a-full-disk-refuses-and-recovers", a_full_disk_refuses_and_recovers},
    {"with-little-room-peers-wait", with_little_room_peers_wait},
    {"commits-fail-for-a-while", commits_fail_for_a_while},
    {"a-hall-tries-until-the-hub-is-there", a_hall_tries_until_the_hub_is_there},
    {"an-idle-region-writes-nothing", an_idle_region_writes_nothing},
    {"a-pause-is-no-new-life", a_pause_is_no_new_life},
    {0},
};
