/* scenario_backup.c -- nodes that come back from a backup: another store of the same node, with what it had then.
 *
 * DESIGN section 7, "hall set back to an older copy", "hub lost or set back"; litestream#752, a restore that does not
 * work. */
#include "tests/sim/scenarios.h"

#include <string.h>

/* The disk is lost; the machine's tmpfs too if it was another machine. */
static void come_back(struct stage *stage, struct sim_machine *machine, const struct hs_buf *backup)
{
    sim_kill(machine);
    sim_restore_backup(machine, backup);
    auditor_disk_changed(stage->auditor, machine);
    sim_start(machine);
}

static uint64_t store_of(struct stage *stage, struct sim_machine *machine)
{
    Hallsync__Reply *reply = stage_status(stage, machine);
    uint64_t id = reply->status->store_id;
    hallsync__reply__free_unpacked(reply, NULL);
    return id;
}

/* A hall's disk is lost.  From its backup it goes on off line at once, under a fresh origin; what it had handed in
 * since comes back, and nothing is numbered twice. */
static void a_hall_comes_back_from_its_backup(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct hs_buf backup = {0};
    char before[17], after[17];
    pay_many(stage, cast.hall, "in-the-backup", 3);
    stage_settle(stage);
    sim_backup(cast.hall, &backup);
    pay_many(stage, cast.hall, "handed-in-since", 4);
    pay_many(stage, cast.other_hall, "of-others", 2);
    stage_settle(stage);
    stage_origins(stage, cast.hall, before);
    uint64_t store = store_of(stage, cast.hall);
    stage_part(stage, cast.hall, cast.hub, true);
    come_back(stage, cast.hall, &backup);
    STAGE_CHECK(stage, has_payments(stage, cast.hall, 3));
    pay_many(stage, cast.hall, "off-line", 2);
    stage_origins(stage, cast.hall, after);
    STAGE_CHECK(stage, strcmp(before, after) != 0 && store_of(stage, cast.hall) != store);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 11) && all_conflicts(stage, "fork") == 0);
    hs_buf_fini(&backup);
}

/* The same backup is put in place on Monday, and again on Tuesday: two stores, two origins. */
static void the_same_backup_twice(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct hs_buf backup = {0};
    char monday[17], tuesday[17];
    pay_many(stage, cast.hall, "before", 2);
    stage_settle(stage);
    sim_backup(cast.hall, &backup);
    come_back(stage, cast.hall, &backup);
    pay_many(stage, cast.hall, "monday", 3);
    stage_origins(stage, cast.hall, monday);
    uint64_t store = store_of(stage, cast.hall);
    stage_settle(stage);
    come_back(stage, cast.hall, &backup);
    pay_many(stage, cast.hall, "tuesday", 4);
    stage_origins(stage, cast.hall, tuesday);
    STAGE_CHECK(stage, strcmp(monday, tuesday) != 0 && store_of(stage, cast.hall) != store);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 9) && all_conflicts(stage, "fork") == 0);
    hs_buf_fini(&backup);
}

/* The only hub comes back from yesterday's backup: the halls give it what it lacks, each other's included, and receipts
 * of its new store for it. */
static void a_hub_comes_back_from_its_backup(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct hs_buf backup = {0};
    pay_many(stage, cast.hall, "in-the-backup", 3);
    stage_name(stage, cast.hall, ACCOUNT, "before");
    stage_settle(stage);
    sim_backup(cast.hub, &backup);
    pay_many(stage, cast.hall, "since", 4);
    pay_many(stage, cast.other_hall, "since-elsewhere", 2);
    stage_name(stage, cast.other_hall, ACCOUNT, "since");
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true); /* what hall 1 wrote is at hall 2, too */
    come_back(stage, cast.hub, &backup);
    stage_run(stage, 90000); /* it is closed for a minute: it may have forgotten who was revoked */
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 9));
    stage_part(stage, cast.hall, cast.hub, false);
    pay_many(stage, cast.hall, "after", 1);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 10) && all_show(stage, ACCOUNT, "since"));
    STAGE_CHECK(stage, all_conflicts(stage, "fork") == 0);
    STAGE_CHECK(stage, stage_safe(stage, cast.hub, HS_KIND_PAYMENT, "in-the-backup-1") == HUB);
    hs_buf_fini(&backup);
}

/* A backup older than what is kept: what was folded since lies in base states elsewhere, and comes as states. */
static void a_backup_older_than_the_log(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct hs_buf backup = {0};
    stage_name(stage, cast.hall, ACCOUNT, "in the backup");
    pay_many(stage, cast.hall, "in-the-backup", 1);
    stage_settle(stage);
    sim_backup(cast.hall, &backup);
    stage_name(stage, cast.other_hall, ACCOUNT, "since");
    stage_name(stage, cast.hall, NEIGHBOR, "since, too");
    pay_many(stage, cast.hall, "since", 2);
    stage_settle(stage);
    stage_run(stage, 5000);
    for (unsigned i = 0; i < stage->sim->machine_count; i++)
        sim_prune(stage->sim->machines[i], UINT64_MAX);
    stage_settle(stage);
    come_back(stage, cast.hall, &backup);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 3));
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "since") && all_show(stage, NEIGHBOR, "since, too"));
    hs_buf_fini(&backup);
}

/* What has become states is in the backup like the operations: off line it is there at once. */
static void a_backup_has_what_is_no_operation_any_more(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct hs_buf backup = {0};
    stage_name(stage, cast.hall, ACCOUNT, "long ago");
    pay_many(stage, cast.hall, "before", 2);
    stage_settle(stage);
    sim_prune(cast.hall, UINT64_MAX);
    stage_run(stage, 5000);
    sim_backup(cast.hall, &backup);
    stage_part(stage, cast.hall, cast.hub, true);
    come_back(stage, cast.hall, &backup);
    stage_run(stage, 1000);
    STAGE_CHECK(stage, stage_has(stage, cast.hall, HS_KIND_CUSTOMER, ACCOUNT) && has_payments(stage, cast.hall, 2));
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_show(stage, ACCOUNT, "long ago"));
    hs_buf_fini(&backup);
}

/* A hall has handed in at one hub, of which alone it has receipts; it has started since, so that it names that origin
 * to nobody by itself, and is connected with the other hub, which holds all as well.  Then the first comes back from
 * its backup: the hall hears at the other what its receipts are worth, and has to ask for that one's own. */
static struct cast stand_at_the_other_hub(struct stage *stage, struct hs_buf *backup)
{
    struct cast cast = two_hubs(stage); /* the second hall's first is the second hub */
    stage_part(stage, cast.hub, cast.other_hub, true);
    pay_many(stage, cast.other_hall, "paid", 2);
    stage_run(stage, 5000);
    STAGE_CHECK(stage, stage_safe(stage, cast.other_hall, HS_KIND_PAYMENT, "paid-2") == HUB);
    stage_part(stage, cast.other_hall, cast.other_hub, true);
    sim_kill(cast.other_hall);
    sim_reboot(cast.other_hall);
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_run(stage, 5000);
    sim_start(cast.other_hall);
    stage_run(stage, 10000);
    STAGE_CHECK(stage, has_payments(stage, cast.hub, 2));
    sim_backup(cast.other_hub, backup);
    sim_kill(cast.other_hub);
    sim_restore_backup(cast.other_hub, backup);
    auditor_disk_changed(stage->auditor, cast.other_hub);
    return cast;
}

static void a_hub_is_restored_behind_a_halls_back(struct stage *stage)
{
    struct hs_buf backup = {0};
    struct cast cast = stand_at_the_other_hub(stage, &backup);
    sim_start(cast.other_hub);
    stage_run(stage, 90000);
    STAGE_CHECK(stage, stage_safe(stage, cast.other_hall, HS_KIND_PAYMENT, "paid-2") == SAFE);
    hs_buf_fini(&backup);
}

/* What it asks is lost with the line; so it asks again when that is back. */
static void who_is_cut_off_while_asking_asks_again(struct stage *stage)
{
    struct hs_buf backup = {0};
    struct cast cast = stand_at_the_other_hub(stage, &backup);
    struct sim_road *road = &stage->sim->roads[cast.other_hall->index][cast.hub->index];
    stage_watch(stage, "session-ended");
    road->cut = true; /* what the hall says is lost */
    sim_start(cast.other_hub);
    stage_run(stage, 20000);
    STAGE_CHECK(stage, stage_seen(stage) > 0);
    STAGE_CHECK(stage, stage_safe(stage, cast.other_hall, HS_KIND_PAYMENT, "paid-2") == HUB);
    road->cut = false;
    stage_run(stage, 60000);
    STAGE_CHECK(stage, stage_safe(stage, cast.other_hall, HS_KIND_PAYMENT, "paid-2") == SAFE);
    hs_buf_fini(&backup);
}

const struct scenario SCENARIOS_BACKUP[] = {
    {"a-hall-comes-back-from-its-backup", a_hall_comes_back_from_its_backup},
    {"the-same-backup-twice", the_same_backup_twice},
    {"a-hub-comes-back-from-its-backup", a_hub_comes_back_from_its_backup},
    {"a-backup-older-than-the-log", a_backup_older_than_the_log},
    {"a-backup-has-what-is-no-operation-any-more", a_backup_has_what_is_no_operation_any_more},
    {"a-hub-is-restored-behind-a-halls-back", a_hub_is_restored_behind_a_halls_back},
    {"who-is-cut-off-while-asking-asks-again", who_is_cut_off_while_asking_asks_again},
    {0},
};
