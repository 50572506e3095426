/* scenario_trust.c -- who may say what, and who is believed: restored registries, forbidden kinds, hostile halls.
 *
 * Counterexamples H18 to H21, and invariants 14 and 19. */
#include "tests/sim/scenarios.h"

#include "proto/msg/tlv.h"

#include <stdio.h>
#include <string.h>

enum { KIND_OF_HUBS = 1500 };

static void write_fact(struct stage *stage, struct sim_machine *machine, const struct hs_stream *stream, uint16_t kind,
                       struct hs_bytes id, struct hs_bytes fact)
{
    struct hs_write write = {.kind = kind, .id = id, .is_fact = true, .fact = fact};
    struct hs_draft draft = {
        .partition = stream->partition, .lane = (enum hs_lane)stream->lane, .writes = &write, .write_count = 1};
    stage_write(stage, machine, &draft);
}

/* H20 (d).  The hub is restored to a day before the hall was enrolled: the hall alone carries the proof, and is let in
 * by it; its log is believed by the certificates that come along. */
static void a_hub_set_back_before_a_hall_joined(struct stage *stage)
{
    struct cast cast = {.hub = stage_hub(stage, "hub-1", NULL)};
    cast.hall = stage_hall(stage, "hall-1", DISTRICT, cast.hub, NULL);
    pay_many(stage, cast.hall, "old", 2);
    stage_settle(stage);
    sim_snapshot(cast.hub, 0);
    cast.other_hall = stage_hall(stage, "hall-2", DISTRICT, cast.hub, NULL);
    pay_many(stage, cast.other_hall, "new", 3);
    stage_settle(stage);
    stage_restore(stage, cast.hub, 0);
    pay_many(stage, cast.other_hall, "newer", 1);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 6));
}

/* H18; the last sentence of invariant 13.  The only hub burns; what it knew is made whole from the halls' signed logs,
 * those of a third hall that has gone for good included, operation by operation: the auditor holds each against what
 * its origin signed. */
static void a_burnt_hub_is_rebuilt_from_signed_logs(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct sim_machine *third = stage_hall(stage, "hall-3", DISTRICT, cast.hub, NULL);
    pay_many(stage, third, "gone", 4);
    pay_many(stage, cast.hall, "paid", 4);
    const struct deed *payment = stage_pay(stage, cast.other_hall, "wrong", ACCOUNT, 900, "");
    stage_reverse(stage, cast.other_hall, "righted", payment);
    stage_settle(stage);
    struct stage_totals before = stage_totals(stage, cast.hub);
    sim_kill(third);
    stage_wipe(stage, cast.hub);
    stage_settle(stage);
    struct stage_totals after = stage_totals(stage, cast.hub);
    STAGE_CHECK(stage,
                after.count == 9 && after.sum_fen == before.sum_fen && after.reversed_fen == before.reversed_fen);
}

/* H20 (b, f): a hall writes a kind that only hubs may write.  All judge by its certificate, so all call it void and
 * list it; nobody parks it here and merges it there, and what comes behind it is not held up. */
static void a_hall_writes_what_only_hubs_may(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    struct hs_stream stream = {.partition = DISTRICT, .lane = HS_LANE_MONEY};
    auditor_damaged(stage->auditor, cast.hall); /* it does what no hall does */
    write_fact(stage, cast.hall, &stream, KIND_OF_HUBS, HS_BYTES("settlement", 10), HS_BYTES("1000000", 7));
    pay_many(stage, cast.hall, "behind", 2);
    stage_settle(stage);
    stage_run(stage, 2000);
    STAGE_CHECK(stage, all_have_payments(stage, 2) && all_conflicts(stage, "void") == 1);
    write_fact(stage, cast.hub, &stream, KIND_OF_HUBS, HS_BYTES("settlement", 10), HS_BYTES("1000000", 7));
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "void") == 1);
}

/* Invariant 19: a hostile hall writes nonsense about others' records into its own stream: a customer's account that is
 * another's, a name without an account, a bill in a district where its account does not lie.  All keep it, list it
 * alike, look nothing up by it, and go on. */
static void a_hostile_hall_writes_nonsense(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    struct hs_buf values[3] = {{0}};
    static const uint16_t KINDS[] = {HS_KIND_CUSTOMER, HS_KIND_CUSTOMER, HS_KIND_BILL};
    static const uint32_t FIELDS[] = {1, 2, 2};
    static const char *const TEXTS[] = {ACCOUNT, "nobody", ELSEWHERE};
    auditor_damaged(stage->auditor, cast.hall);
    for (unsigned i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "nonsense-%u", i);
        hs_tlv_put_text(&values[i], FIELDS[i], TEXTS[i]);
        struct hs_field_write field = {.number = FIELDS[i], .value = hs_buf_bytes(&values[i])};
        struct hs_write write = {.kind = KINDS[i], .id = HS_BYTES(id, strlen(id)), .fields = &field, .field_count = 1};
        struct hs_draft draft = {.partition = DISTRICT,
                                 .lane = KINDS[i] == HS_KIND_BILL ? HS_LANE_BULK : HS_LANE_PEOPLE,
                                 .writes = &write,
                                 .write_count = 1};
        stage_write(stage, cast.hall, &draft);
        hs_buf_fini(&values[i]);
    }
    pay_many(stage, cast.hall, "behind", 2);
    stage_settle(stage);
    stage_run(stage, 2000);
    STAGE_CHECK(stage, all_have_payments(stage, 2) && all_conflicts(stage, "parked") == 3);
}

/* H21.  Two halls with the same windows pay on the same day in a split: what is printed names the node and a series of
 * the origin's, so no leased range and no agreement is needed. */
static void numbers_in_a_split_are_unique(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    stage_part(stage, cast.hub, cast.other_hub, true);
    for (unsigned i = 0; i < 5; i++) {
        char ids[2][16];
        snprintf(ids[0], sizeof ids[0], "one-%u", i);
        snprintf(ids[1], sizeof ids[1], "two-%u", i);
        struct deed_told one = stage_do(stage, cast.hall, deed_payment(&stage->random, ids[0], ACCOUNT, 100, "", 1));
        struct deed_told two = stage_do(stage, cast.other_hall,
                                        deed_payment(&stage->random, ids[1], ACCOUNT, 100, "", 1));
        STAGE_CHECK(stage, strcmp(one.receipt, two.receipt) != 0);
    }
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 10) && all_conflicts(stage, NULL) == 0);
}

const struct scenario SCENARIOS_TRUST[] = {
    {"a-hub-set-back-before-a-hall-joined", a_hub_set_back_before_a_hall_joined},
    {"a-burnt-hub-is-rebuilt-from-signed-logs", a_burnt_hub_is_rebuilt_from_signed_logs},
    {"a-hall-writes-what-only-hubs-may", a_hall_writes_what_only_hubs_may},
    {"a-hostile-hall-writes-nonsense", a_hostile_hall_writes_nonsense},
    {"numbers-in-a-split-are-unique", numbers_in_a_split_are_unique},
    {0},
};
