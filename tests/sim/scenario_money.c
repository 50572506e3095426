/* scenario_money.c -- payments, reversals, slips: each counts once, whatever is retried, reordered, written twice.
 *
 * Counterexamples H5, H9, H13, H14, H26, H27 and of their second round; the ninth finding about peers. */
#include "tests/sim/scenarios.h"

#include <stdio.h>
#include <string.h>

/* ---- numbers on slips ---- */

/* H5 (a), odoo#152259: the hall pays off line, its disk dies at noon, a new one goes on the same day at the same
 * window.  The hub never heard of the morning's slips: yet no number may be printed twice. */
static void numbers_after_a_lost_disk(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    char slips[6][80];
    stage_part(stage, cast.hall, cast.hub, true);
    for (unsigned i = 0; i < 6; i++) {
        char id[16];
        snprintf(id, sizeof id, "slip-%u", i);
        if (i == 3)
            stage_wipe(stage, cast.hall);
        struct deed_told told = stage_do(stage, cast.hall, deed_payment(&stage->random, id, ACCOUNT, 100, "", 1));
        snprintf(slips[i], sizeof slips[i], "%s", told.receipt);
        for (unsigned j = 0; j < i; j++)
            STAGE_CHECK(stage, strcmp(slips[i], slips[j]) != 0);
    }
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 3));
}

/* H5 (b, c) and the second round: a payment is acknowledged with a slip, the answer is lost, the hall is set back off
 * line, the client asks again.  It is one payment with two slips: counted once, no second content, and listed. */
static void a_retry_after_a_rollback_is_one_payment(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct deed *deed = deed_payment(&stage->random, "again", ACCOUNT, 100, "", 1);
    stage_pay(stage, cast.hall, "before", ACCOUNT, 100, "");
    sim_snapshot(cast.hall, 0);
    struct deed_told first = stage_do(stage, cast.hall, deed);
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_restore(stage, cast.hall, 0);
    stage_pay(stage, cast.hall, "another", ACCOUNT, 100, "");
    struct deed_told second = stage_do(stage, cast.hall, deed);
    STAGE_CHECK(stage, second.result == HALLSYNC__RESULT__RESULT_CREATED && strcmp(first.receipt, second.receipt) != 0);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 3));
    STAGE_CHECK(stage, all_conflicts(stage, "double-entry") == 1 && all_conflicts(stage, "fact") == 0);
}

/* H14: a reversal is cash out of a drawer, with a number of its own, at another hall than the payment's. */
static void a_reversal_at_another_hall_has_its_own_slip(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct deed *payment = deed_payment(&stage->random, "paid", ACCOUNT, 700, "", 1);
    struct deed_told paid = stage_do(stage, cast.hall, payment);
    stage_settle(stage);
    stage_reverse(stage, cast.other_hall, "back", payment);
    stage_settle(stage);
    Hallsync__Reply *reply = stage_get(stage, cast.hub, HS_KIND_REVERSAL, "back");
    const char *voucher = reply->records->records[0]->receipt;
    STAGE_CHECK(stage, voucher != NULL && strcmp(voucher, paid.receipt) != 0 && strncmp(voucher, "hall-2-", 7) == 0);
    hallsync__reply__free_unpacked(reply, NULL);
    struct stage_totals totals = stage_totals(stage, cast.hub);
    STAGE_CHECK(stage, totals.sum_fen == 700 && totals.reversed_fen == 700);
}

/* ---- sent again ---- */

/* nats-server#7302 remembers for two minutes; here a payment sent again after a month, to the hall, to another one and
 * to the hub, is the same payment. */
static void a_payment_sent_again_after_a_month(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct deed *deed = deed_payment(&stage->random, "once", ACCOUNT, 100, "", 1);
    struct deed_told first = stage_do(stage, cast.hall, deed);
    stage_settle(stage);
    for (unsigned i = 0; i < 3; i++) {
        sim_stop(stage->sim->machines[i]);
        stage->sim->machines[i]->clock_skew_ms = (int64_t)30 * 24 * 3600 * 1000;
        sim_start(stage->sim->machines[i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        struct deed_told told = stage_do(stage, stage->sim->machines[i], deed);
        STAGE_CHECK(stage, told.result == HALLSYNC__RESULT__RESULT_EXISTS);
        STAGE_CHECK(stage, strcmp(told.receipt, first.receipt) == 0);
    }
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 1));
}

/* OCA/l10n-spain#4921, POSNext#50: a client that gets no answer at its hall sends the same payment at the next one,
 * while neither knows of the other.  Once; the second slip is listed. */
static void one_payment_sent_to_two_halls(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct deed *deed = deed_payment(&stage->random, "once", ACCOUNT, 100, "", 1);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_do(stage, cast.hall, deed);
    stage_do(stage, cast.other_hall, deed);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_have_payments(stage, 1) && all_conflicts(stage, "double-entry") == 1);
    STAGE_CHECK(stage, all_conflicts(stage, "fact") == 0);
}

/* ---- the same thing told in two ways ---- */

/* H9: one id with two amounts, at two hubs that are apart.  "First seen wins" would make two sums. */
static void one_payment_id_with_two_amounts(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    stage_part(stage, cast.hub, cast.other_hub, true);
    stage_pay(stage, cast.hall, "same-id", ACCOUNT, 100, "");
    stage_pay(stage, cast.other_hall, "same-id", ACCOUNT, 120, "");
    stage_run(stage, 2000);
    STAGE_CHECK(stage, stage_totals(stage, cast.hub).sum_fen == 100);
    STAGE_CHECK(stage, stage_totals(stage, cast.other_hub).sum_fen == 120);
    stage_watch(stage, "damage"); /* second round: another variant is lag, and nobody's is replaced */
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_settle(stage);
    stage_run(stage, 65000);
    STAGE_CHECK(stage, stage_seen(stage) == 0 && all_have_payments(stage, 1) && all_conflicts(stage, "fact") == 1);
    STAGE_CHECK(stage, stage_totals(stage, cast.hub).sum_fen == stage_totals(stage, cast.other_hub).sum_fen);
}

/* H9: two halls import one bill, with 100 and 120. */
static void two_halls_import_one_bill_with_two_amounts(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    int64_t due[2];
    stage_part(stage, cast.hub, cast.other_hub, true);
    stage_bill(stage, cast.hall, "bill-1", ACCOUNT, 100);
    stage_bill(stage, cast.other_hall, "bill-1", ACCOUNT, 120);
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_settle(stage);
    for (unsigned i = 0; i < 2; i++) {
        Hallsync__Reply *reply = stage_get(stage, stage->sim->machines[i], HS_KIND_BILL, "bill-1");
        due[i] = reply->records->records[0]->bill->due_fen;
        hallsync__reply__free_unpacked(reply, NULL);
    }
    STAGE_CHECK(stage, due[0] == due[1] && due[0] == 120 && all_conflicts(stage, NULL) == 1);
}

/* H13: one bill is paid twice at two hubs.  Both must agree how much is too much, and which bill, whatever came first
 * to whom. */
static void two_hubs_agree_what_was_paid_twice(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    stage_bill(stage, cast.hub, "bill-1", ACCOUNT, 500);
    stage_settle(stage);
    stage_part(stage, cast.hub, cast.other_hub, true);
    stage_pay(stage, cast.hall, "first", ACCOUNT, 500, "bill-1");
    stage_pay(stage, cast.other_hall, "second", ACCOUNT, 500, "bill-1");
    stage_run(stage, 2000);
    STAGE_CHECK(stage, stage_conflicts(stage, cast.hub, "overpaid") == 0);
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "overpaid") == 1);
}

/* H13: a payment that names another account's bill pays nobody's bill, at every node alike. */
static void a_bill_of_another_account_is_not_paid(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    stage_part(stage, cast.other_hall, cast.hub, true);
    stage_bill(stage, cast.hall, "bill-1", NEIGHBOR, 500);
    stage_pay(stage, cast.other_hall, "astray", ACCOUNT, 500, "bill-1"); /* where the bill is not known */
    stage_part(stage, cast.other_hall, cast.hub, false);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "no-bill") == 1 && all_conflicts(stage, "overpaid") == 0);
    Hallsync__Reply *reply = stage_get(stage, cast.hub, HS_KIND_BILL, "bill-1");
    STAGE_CHECK(stage, reply->records->records[0]->bill->paid_fen == 0);
    hallsync__reply__free_unpacked(reply, NULL);
}

/* H14 (a): both halls reverse one payment off line: cash went out twice.  Never clamped, listed everywhere. */
static void both_halls_reverse_one_payment(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    const struct deed *payment = stage_pay(stage, cast.hall, "paid", ACCOUNT, 300, "");
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_reverse(stage, cast.hall, "back-1", payment);
    stage_reverse(stage, cast.other_hall, "back-2", payment);
    stage_part(stage, cast.hall, cast.hub, false);
    stage_settle(stage);
    struct stage_totals totals = stage_totals(stage, cast.hub);
    STAGE_CHECK(stage, all_conflicts(stage, "over-reversed") == 1);
    STAGE_CHECK(stage, totals.sum_fen == 300 && totals.reversed_count == 2 && totals.reversed_fen == 600);
}

/* ---- out of order ---- */

/* Steps until the machine has it. */
static void until_it_has(struct stage *stage, struct sim_machine *machine, uint16_t kind, const char *id)
{
    while (!stage_has(stage, machine, kind, id)) {
        if (!sim_step(stage->sim, stage->sim->now_ms + 60000))
            sim_fail(stage->sim, "%s never gets %s", machine->name, id);
    }
}

/* H13: hub 2 hears of a reversal before its payment, for the hall's own operations go with its greeting and those of
 * others only after the frontiers.  What reverses nothing yet contributes nothing. */
static void a_reversal_before_its_payment(struct stage *stage)
{
    struct cast cast = two_hubs(stage);
    stage_part(stage, cast.hub, cast.other_hub, true);
    stage_part(stage, cast.other_hall, cast.other_hub, true);
    stage_run(stage, 15000); /* hall 2 goes to hub 1 */
    const struct deed *payment = stage_pay(stage, cast.hall, "paid", ACCOUNT, 300, "");
    stage_settled(stage, 1000);
    STAGE_CHECK(stage, stage_has(stage, cast.other_hall, HS_KIND_PAYMENT, "paid"));
    stage_reverse(stage, cast.other_hall, "back", payment);
    stage->sim->roads[cast.other_hall->index][cast.other_hub->index].delay_ms = 300;
    stage_part(stage, cast.other_hall, cast.hub, true);
    stage_part(stage, cast.other_hall, cast.other_hub, false);
    until_it_has(stage, cast.other_hub, HS_KIND_REVERSAL, "back");
    STAGE_CHECK(stage, !stage_has(stage, cast.other_hub, HS_KIND_PAYMENT, "paid"));
    struct stage_totals totals = stage_totals(stage, cast.other_hub);
    STAGE_CHECK(stage, totals.count == 0 && totals.reversed_count == 0 && totals.reversed_fen == 0);
    stage_part(stage, cast.hub, cast.other_hub, false);
    stage_part(stage, cast.other_hall, cast.hub, false);
    stage_settle(stage);
    totals = stage_totals(stage, cast.other_hub);
    STAGE_CHECK(stage, totals.sum_fen == 300 && totals.reversed_fen == 300);
}

/* H13, H26: over a slow line the ticket comes first, then the payment that it is about, the bill last; each is shown as
 * what it is, and all fits in the end. */
static void a_payment_before_its_bill(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    char state[32];
    stage_part(stage, cast.hall, cast.hub, true);
    for (unsigned i = 0; i < 30; i++) {
        char id[16];
        snprintf(id, sizeof id, "bill-%u", i);
        stage_bill(stage, cast.hall, id, ACCOUNT, 500);
    }
    stage_pay(stage, cast.hall, "paid", ACCOUNT, 500, "bill-29");
    stage_ticket(stage, cast.hall, "reconnect", ACCOUNT);
    stage->sim->roads[cast.hall->index][cast.hub->index].bytes_per_s = 1000;
    stage_part(stage, cast.hall, cast.hub, false);
    until_it_has(stage, cast.hub, HS_KIND_TICKET, "reconnect");
    STAGE_CHECK(stage, !stage_has(stage, cast.hub, HS_KIND_BILL, "bill-29"));
    stage_state(stage, cast.hub, "reconnect", state);
    STAGE_CHECK(stage, strcmp(state, "open") == 0);
    until_it_has(stage, cast.hub, HS_KIND_PAYMENT, "paid");
    STAGE_CHECK(stage, !stage_has(stage, cast.hub, HS_KIND_BILL, "bill-29"));
    STAGE_CHECK(stage, stage_conflicts(stage, cast.hub, "no-bill") == 1);
    stage_settle(stage);
    STAGE_CHECK(stage, all_conflicts(stage, "no-bill") == 0);
}

/* ---- other districts ---- */

/* H27, and the second round's forty payments: the hall takes money for another district.  It is handed in, belongs to
 * those who hold the district, and stays known here: sent again it exists, though here it cannot be reversed. */
static void a_payment_for_another_district(struct stage *stage)
{
    struct sim_machine *hub = stage_hub(stage, "hub-1", NULL);
    struct sim_machine *hall = stage_hall(stage, "hall-1", DISTRICT, hub, NULL);
    struct sim_machine *theirs = stage_hall(stage, "hall-2", OTHER_DISTRICT, hub, NULL);
    struct deed *payment = deed_payment(&stage->random, "foreign", ELSEWHERE, 400, "", 1);
    stage_run(stage, 500);
    stage_do(stage, hall, payment);
    stage_settle(stage);
    STAGE_CHECK(stage, stage_has(stage, theirs, HS_KIND_PAYMENT, "foreign"));
    stage_reverse(stage, theirs, "back", payment);
    stage_settle(stage);
    STAGE_CHECK(stage, !stage_has(stage, hall, HS_KIND_REVERSAL, "back"));
    struct deed_told told = stage_do(stage, hall, deed_reversal(&stage->random, "back-too", payment, 1));
    stage_expect(stage, &told, "already-reversed"); /* the hub says so: what the other hall wrote is not here */
    told = stage_do(stage, hall, payment);
    STAGE_CHECK(stage, told.result == HALLSYNC__RESULT__RESULT_EXISTS && told.safe == HUB);
    stage_settle(stage);
    struct stage_totals totals = stage_totals(stage, hub);
    STAGE_CHECK(stage, totals.count == 1 && totals.reversed_count == 1);
}

const struct scenario SCENARIOS_MONEY[] = {
    {"numbers-after-a-lost-disk", numbers_after_a_lost_disk},
    {"a-retry-after-a-rollback-is-one-payment", a_retry_after_a_rollback_is_one_payment},
    {"a-reversal-at-another-hall-has-its-own-slip", a_reversal_at_another_hall_has_its_own_slip},
    {"a-payment-sent-again-after-a-month", a_payment_sent_again_after_a_month},
    {"one-payment-sent-to-two-halls", one_payment_sent_to_two_halls},
    {"one-payment-id-with-two-amounts", one_payment_id_with_two_amounts},
    {"two-halls-import-one-bill-with-two-amounts", two_halls_import_one_bill_with_two_amounts},
    {"two-hubs-agree-what-was-paid-twice", two_hubs_agree_what_was_paid_twice},
    {"a-bill-of-another-account-is-not-paid", a_bill_of_another_account_is_not_paid},
    {"both-halls-reverse-one-payment", both_halls_reverse_one_payment},
    {"a-reversal-before-its-payment", a_reversal_before_its_payment},
    {"a-payment-before-its-bill", a_payment_before_its_bill},
    {"a-payment-for-another-district", a_payment_for_another_district},
    {0},
};
