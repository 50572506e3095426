/* scenario_bundles.c -- what somebody carries by hand instead of a link. */
#include "tests/sim/scenarios.h"
#include "tests/sim/sticks.h"

#include "storage/log/inside.h"
#include "storage/store/inside.h"

#include <string.h>

struct laptop {
    struct cast cast;
    struct sticks *sticks;
};

/* The first hall has lost its line for good; the second has one. */
static struct laptop cut_off(struct stage *stage)
{
    struct laptop laptop = {one_hub(stage), sticks_new(stage->sim)};
    stage_name(stage, laptop.cast.hall, ACCOUNT, "known to all");
    stage_settle(stage);
    stage_part(stage, laptop.cast.hall, laptop.cast.hub, true);
    return laptop;
}

/* All parts, none of which may leave anything. */
static struct sticks_told carry(struct stage *stage, struct laptop *laptop, int stick, struct sim_machine *to)
{
    struct sticks_told sum = {.operations = 0}, told;
    STAGE_CHECK(stage, sticks_parts(laptop->sticks, stick) > 0);
    for (unsigned i = 0; i < sticks_parts(laptop->sticks, stick); i++) {
        STAGE_CHECK(stage, sticks_read(laptop->sticks, stick, i, to, &told));
        sum.operations += told.operations;
        sum.taken += told.taken;
        sum.left += told.left;
        sum.receipts_taken += told.receipts_taken;
    }
    return sum;
}

/* H36.  The first stick is lost: the second is enough.  It comes twice, and the first turns up after all.  Receipts and
 * the others' work go back the same way. */
static void a_lost_stick_leaves_no_gap(struct stage *stage)
{
    struct laptop laptop = cut_off(stage);
    struct sim_machine *hall = laptop.cast.hall, *hub = laptop.cast.hub;
    pay_many(stage, hall, "first", 3);
    int lost = sticks_write(laptop.sticks, hall, hub, 0);
    pay_many(stage, hall, "second", 3);
    stage_name(stage, hall, NEIGHBOR, "written away");
    pay_many(stage, laptop.cast.other_hall, "there", 2);
    stage_run(stage, 5000);
    int enough = sticks_write(laptop.sticks, hall, hub, 0);
    STAGE_CHECK(stage, carry(stage, &laptop, enough, hub).left == 0 && has_payments(stage, hub, 8));
    STAGE_CHECK(stage, carry(stage, &laptop, enough, hub).taken == 0);
    STAGE_CHECK(stage, carry(stage, &laptop, lost, hub).taken == 0);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_PAYMENT, "first-1") == HERE);
    STAGE_CHECK(stage, carry(stage, &laptop, sticks_write(laptop.sticks, hub, hall, 0), hall).taken >= 2);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_PAYMENT, "first-1") == HUB);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_PAYMENT, "second-3") == HUB);
    stage_run(stage, 5000);
    STAGE_CHECK(stage, all_have_payments(stage, 8) && all_show(stage, NEIGHBOR, "written away"));
    stage_part(stage, hall, hub, false);
    stage_settle(stage);
    sticks_free(laptop.sticks);
}

/* H36.  What a stick lacks before its first operation is not guessed: nothing of that stream is taken before it is
 * there. */
static void a_stick_with_a_gap_is_not_taken(struct stage *stage)
{
    struct laptop laptop = cut_off(stage);
    struct sim_machine *hall = laptop.cast.hall, *hub = laptop.cast.hub;
    struct sticks_told told;
    pay_many(stage, hall, "paid", 5);
    int tail = sticks_write(laptop.sticks, hall, hub, 3);
    STAGE_CHECK(stage, sticks_read(laptop.sticks, tail, 0, hub, &told));
    STAGE_CHECK(stage, told.taken == 0 && told.left == 1 && strcmp(told.error, "gap") == 0);
    STAGE_CHECK(stage, has_payments(stage, hub, 0));
    STAGE_CHECK(stage, carry(stage, &laptop, sticks_write(laptop.sticks, hall, hub, 0), hub).left == 0);
    STAGE_CHECK(stage, carry(stage, &laptop, tail, hub).left == 0);
    STAGE_CHECK(stage, has_payments(stage, hub, 5));
    stage_part(stage, hall, hub, false);
    stage_settle(stage);
    sticks_free(laptop.sticks);
}

/* H36.  The way back names more of the hall's origin than its disk has: it was set back, and finds out without a line,
 * before it has written a second content under a number; what it had handed in is in the same stick. */
static void a_stick_proves_a_rollback(struct stage *stage)
{
    struct laptop laptop = cut_off(stage);
    struct sim_machine *hall = laptop.cast.hall, *hub = laptop.cast.hub;
    char before[17], after[17];
    sim_snapshot(hall, 0);
    pay_many(stage, hall, "lost", 3);
    carry(stage, &laptop, sticks_write(laptop.sticks, hall, hub, 0), hub);
    stage_origins(stage, hall, before);
    auditor_fork_possible(stage->auditor, hall);
    stage_set_back(stage, hall, 0,
                   (struct sim_restore){.log = true, .records = true, .notes = true, .same_files = true});
    sim_start(hall);
    STAGE_CHECK(stage, carry(stage, &laptop, sticks_write(laptop.sticks, hub, hall, 1), hall).left == 0);
    STAGE_CHECK(stage, has_payments(stage, hall, 3));
    pay_many(stage, hall, "new", 1);
    stage_origins(stage, hall, after);
    STAGE_CHECK(stage, strcmp(before, after) != 0);
    carry(stage, &laptop, sticks_write(laptop.sticks, hall, hub, 0), hub);
    STAGE_CHECK(stage, has_payments(stage, hub, 4) && stage_conflicts(stage, hub, "fork") == 0);
    stage_part(stage, hall, hub, false);
    stage_settle(stage);
    sticks_free(laptop.sticks);
}

/* H36.  The hub that the stick was made for has burnt down: another one can open it. */
static void a_stick_for_a_hub_that_is_gone(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    struct laptop laptop = {cast, sticks_new(stage->sim)};
    pay_many(stage, cast.other_hall, "there", 1);
    pay_many(stage, cast.hall, "before", 1);
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_part(stage, cast.hall, cast.other_hub, true);
    pay_many(stage, cast.hall, "away", 2);
    int stick = sticks_write(laptop.sticks, cast.hall, cast.hub, 0);
    sim_kill(cast.hub);
    struct sticks_told told = carry(stage, &laptop, stick, cast.other_hub);
    STAGE_CHECK(stage, told.taken == 2 && has_payments(stage, cast.other_hub, 4));
    carry(stage, &laptop, sticks_write(laptop.sticks, cast.other_hub, cast.hall, 0), cast.hall);
    STAGE_CHECK(stage, stage_safe(stage, cast.hall, HS_KIND_PAYMENT, "away-2") == HUB);
    sim_start(cast.hub);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_part(stage, cast.hall, cast.other_hub, false);
    stage_settle(stage);
    sticks_free(laptop.sticks);
}

/* The only hub is set back to before a hall's stick, of which nobody else has anything.  The hall's next stick shows it
 * that, and the way back shows the hall what its receipts are worth: so the stick after that brings all again. */
static void a_hub_set_back_says_so_by_stick(struct stage *stage)
{
    struct laptop laptop = cut_off(stage);
    struct sim_machine *hall = laptop.cast.hall, *hub = laptop.cast.hub;
    stage_part(stage, laptop.cast.other_hall, hub, true);
    sim_snapshot(hub, 0);
    pay_many(stage, hall, "away", 3);
    carry(stage, &laptop, sticks_write(laptop.sticks, hall, hub, 0), hub);
    carry(stage, &laptop, sticks_write(laptop.sticks, hub, hall, 0), hall);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_PAYMENT, "away-3") == HUB);
    stage_restore(stage, hub, 0);
    STAGE_CHECK(stage, has_payments(stage, hub, 0));
    pay_many(stage, hall, "more", 1);
    STAGE_CHECK(stage, carry(stage, &laptop, sticks_write(laptop.sticks, hall, hub, 0), hub).left == 1);
    stage_run(stage, 1000);
    carry(stage, &laptop, sticks_write(laptop.sticks, hub, hall, 0), hall);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_PAYMENT, "away-3") == HERE);
    STAGE_CHECK(stage, carry(stage, &laptop, sticks_write(laptop.sticks, hall, hub, 0), hub).left == 0);
    STAGE_CHECK(stage, has_payments(stage, hub, 4));
    carry(stage, &laptop, sticks_write(laptop.sticks, hub, hall, 0), hall);
    STAGE_CHECK(stage, stage_safe(stage, hall, HS_KIND_PAYMENT, "away-3") == HUB);
    stage_part(stage, hall, hub, false);
    stage_part(stage, laptop.cast.other_hall, hub, false);
    stage_settle(stage);
    sticks_free(laptop.sticks);
}

struct forging {
    struct hs_job job;
    struct hs_receipt *receipt;
    enum hs_err err;
    bool done;
};

/* With the hall's own key, and as the word of a store of its own. */
static enum hs_err put_forged(struct hs_job *job, struct hs_store *store)
{
    const struct forging *forging = (struct forging *)job;
    forging->receipt->hub_key = hs_store_certificate(store)->node_key;
    enum hs_err err = hs_receipt_sign(forging->receipt, &store->log->signer);
    return err == HS_OK ? hs_store_put_receipt(store, forging->receipt, hs_store_certificate_bytes(store)) : err;
}

static void forged(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    (void)commit;
    ((struct forging *)job)->err = err;
    ((struct forging *)job)->done = true;
}

static enum hs_err take_money(void *ctx, const struct hs_head *head)
{
    if (head->stream.lane == HS_LANE_MONEY)
        *(struct hs_head *)ctx = *head;
    return HS_OK;
}

static void forge_receipt(struct stage *stage, struct sim_machine *hall)
{
    struct hs_view *view;
    struct hs_head head = {.n = 0};
    STAGE_CHECK(stage, hs_view_open(hs_daemon_store(hall->daemon), 0, 0, &view) == HS_OK);
    STAGE_CHECK(stage, hs_view_heads(view, take_money, &head) == HS_OK && head.n > 0);
    hs_view_close(view);
    struct hs_receipt receipt = {.store_id = 1, .stream = head.stream, .n = head.n, .hash = head.hash, .time_ms = 1};
    struct forging forging = {.job = {.run = put_forged, .done = forged, .weight = 64}, .receipt = &receipt};
    STAGE_CHECK(stage, sim_submit(hall, &forging.job));
    while (!forging.done)
        sim_run(stage->sim, 1);
    STAGE_CHECK(stage, forging.err == HS_OK);
}

/* A stick from a hall that lies brings a receipt of its own for its payments: it is no hub and no witness. */
static void a_stick_brings_a_receipt_of_a_stranger(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    struct laptop laptop = {cast, sticks_new(stage->sim)};
    stage_name(stage, cast.other_hall, ACCOUNT, "known to all");
    stage_settle(stage);
    stage_part(stage, cast.hub, cast.other_hub, true);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_part(stage, cast.hall, cast.other_hub, true);
    auditor_damaged(stage->auditor, cast.hall);
    pay_many(stage, cast.hall, "away", 2);
    forge_receipt(stage, cast.hall);
    struct sticks_told told = carry(stage, &laptop, sticks_write(laptop.sticks, cast.hall, cast.hub, 0), cast.hub);
    STAGE_CHECK(stage, told.taken == 2 && told.receipts_taken == 0);
    STAGE_CHECK(stage, stage_safe(stage, cast.hub, HS_KIND_PAYMENT, "away-2") == HUB);
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_settle(stage);
    sticks_free(laptop.sticks);
}

const struct scenario SCENARIOS_BUNDLES[] = {
    {"a-lost-stick-leaves-no-gap", a_lost_stick_leaves_no_gap},
    {"a-stick-with-a-gap-is-not-taken", a_stick_with_a_gap_is_not_taken},
    {"a-stick-proves-a-rollback", a_stick_proves_a_rollback},
    {"a-stick-for-a-hub-that-is-gone", a_stick_for_a_hub_that_is_gone},
    {"a-hub-set-back-says-so-by-stick", a_hub_set_back_says_so_by_stick},
    {"a-stick-brings-a-receipt-of-a-stranger", a_stick_brings_a_receipt_of_a_stranger},
    {0},
};
