/* scenario_decide.c -- records that break a rule, and what people decide about them: all come to the same sums.
 *
 * DESIGN, section 7: one bad record stops nobody. */
#include "tests/sim/scenarios.h"

#include "proto/msg/tlv.h"

#include <string.h>

enum { PAYMENT_ACCOUNT = 2, PAYMENT_AMOUNT = 3, PAYMENT_METHOD = 5, PAYMENT_WINDOW = 6 };

/* As a newer version's counter takes it: paid in a way that this one does not know. */
static void pay_in_beads(struct stage *stage, struct sim_machine *machine, uint8_t number, int64_t fen)
{
    struct hs_buf fact = {0};
    uint8_t id[HS_ID_BYTES] = {0xbe, number};
    hs_tlv_put_text(&fact, PAYMENT_ACCOUNT, ACCOUNT);
    hs_tlv_put_u64(&fact, PAYMENT_AMOUNT, (uint64_t)fen);
    hs_tlv_put_text(&fact, PAYMENT_METHOD, "beads");
    hs_tlv_put_u64(&fact, PAYMENT_WINDOW, 3);
    struct hs_write write = {
        .kind = HS_KIND_PAYMENT, .id = HS_BYTES(id, sizeof id), .is_fact = true, .fact = hs_buf_bytes(&fact)};
    struct hs_draft draft = {.partition = DISTRICT, .lane = HS_LANE_MONEY, .writes = &write, .write_count = 1};
    stage_write(stage, machine, &draft);
    hs_buf_fini(&fact);
}

static bool has_sums(struct stage *stage, struct sim_machine *machine, uint64_t count, int64_t fen)
{
    struct stage_totals totals = stage_totals(stage, machine);
    return totals.count == count && totals.sum_fen == fen;
}

static bool all_have(struct stage *stage, const struct cast *cast, uint64_t count, int64_t fen)
{
    return has_sums(stage, cast->hub, count, fen) && has_sums(stage, cast->other_hub, count, fen) &&
           has_sums(stage, cast->hall, count, fen) && has_sums(stage, cast->other_hall, count, fen);
}

/* The payment is merged and parked, what comes behind it in the same stream counts.  A hub releases it, while a hall is
 * away; from then on it counts, at the hall when it is back. */
static void a_parked_payment_is_released(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    pay_in_beads(stage, cast.hall, 1, 5000);
    pay_many(stage, cast.hall, "behind", 2);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "parked") == 1 && all_have(stage, &cast, 2, 200));
    stage_part(stage, cast.other_hall, cast.hub, true);
    stage_part(stage, cast.other_hall, cast.other_hub, true);
    stage_decide(stage, cast.hub, "parked", "release");
    stage_run(stage, 5000);
    STAGE_CHECK(stage, has_sums(stage, cast.hall, 3, 5200) && has_sums(stage, cast.other_hall, 2, 200));
    stage_part(stage, cast.other_hall, cast.hub, false);
    stage_part(stage, cast.other_hall, cast.other_hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have(stage, &cast, 3, 5200) && all_conflicts(stage, "parked") == 0);
    STAGE_CHECK(stage, all_conflicts(stage, "decided") == 1);
}

/* Two hubs that do not reach each other decide the contrary.  Joined, the later holds everywhere and both are told; who
 * knows both ends it. */
static void contrary_decisions_come_to_one(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    pay_in_beads(stage, cast.hall, 1, 5000);
    stage_settle(stage);
    stage_part(stage, cast.hub, cast.other_hub, true);
    stage_decide(stage, cast.hub, "parked", "release");
    stage_run(stage, 1000);
    stage_decide(stage, cast.other_hub, "parked", "reject");
    stage_run(stage, 5000);
    STAGE_CHECK(stage, has_sums(stage, cast.hub, 1, 5000) && has_sums(stage, cast.other_hub, 0, 0));
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have(stage, &cast, 0, 0));
    STAGE_CHECK(stage, all_conflicts(stage, "parked") == 1 && all_conflicts(stage, "decided") == 2);
    stage_decide(stage, cast.hub, "parked", "release");
    stage_settle(stage);
    STAGE_CHECK(stage, all_have(stage, &cast, 1, 5000));
    STAGE_CHECK(stage, all_conflicts(stage, "parked") == 0 && all_conflicts(stage, "decided") == 3);
}

/* Decided at a hub that is then set back: what it decided comes back to it from the halls. */
static void a_decision_outlives_its_hub(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    pay_in_beads(stage, cast.hall, 1, 5000);
    stage_settle(stage);
    sim_snapshot(cast.hub, 0);
    stage_decide(stage, cast.hub, "parked", "release");
    stage_settle(stage);
    stage_restore(stage, cast.hub, 0);
    stage_settle(stage);
    STAGE_CHECK(stage, has_sums(stage, cast.hub, 1, 5000) && has_sums(stage, cast.hall, 1, 5000));
    STAGE_CHECK(stage, all_conflicts(stage, "parked") == 0);
}

const struct scenario SCENARIOS_DECIDE[] = {
    {"a-parked-payment-is-released", a_parked_payment_is_released},
    {"contrary-decisions-come-to-one", contrary_decisions_come_to_one},
    {"a-decision-outlives-its-hub", a_decision_outlives_its_hub},
    {0},
};
