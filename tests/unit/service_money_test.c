/* service_money_test.c -- node/service: what a payment may say, which bills take it, top-ups, what is due today, who
 * may take money back, receipts printed again. */
#include "tests/unit/service_desk.h"

#include "proto/base/text.h"
#include "proto/base/thread.h"

#include <stdio.h>

#define CREATED HALLSYNC__RESULT__RESULT_CREATED
#define EXISTS  HALLSYNC__RESULT__RESULT_EXISTS

static void own_customer(struct client *client)
{
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("Wang")), CREATED);
    assert_result(CUSTOMER(.account = TEXT(OTHER_ACCOUNT), .name = TEXT("Li")), CREATED);
}

static Hallsync__PaymentPart part(const char *bill, int64_t fen)
{
    Hallsync__PaymentPart one = HALLSYNC__PAYMENT_PART__INIT;
    one.bill_id = TEXT(bill);
    one.has_amount_fen = true;
    one.amount_fen = fen;
    return one;
}

static void expect_bill(struct client *client, const char *bill, int64_t paid, int64_t due, const char *state)
{
    const Hallsync__Record *record = get_record(client, HS_KIND_BILL, bill);
    assert_non_null(record);
    assert_non_null(record->bill);
    assert_int_equal(record->bill->paid_fen, paid);
    assert_int_equal(record->bill->due_fen, due);
    assert_string_equal(record->bill->state, state);
}

/* ---- payments ---- */

static void one_payment_pays_several_bills(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__PaymentPart parts[] = {part("B1", 200), part("B2", 300)};
    Hallsync__PaymentPart *list[] = {&parts[0], &parts[1]};
    own_customer(client);
    assert_result(BILL(.bill_id = TEXT("B1"), .account = TEXT(ACCOUNT), .amount_fen = 200), CREATED);
    assert_result(BILL(.bill_id = TEXT("B2"), .account = TEXT(ACCOUNT), .amount_fen = 400), CREATED);
    assert_result(
        PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 650, .parts = list, .n_parts = 2),
        CREATED);
    expect_bill(client, "B1", 200, 0, "paid");
    expect_bill(client, "B2", 300, 100, "part-paid");
    Hallsync__TotalsRequest of = HALLSYNC__TOTALS_REQUEST__INIT;
    of.account = TEXT(ACCOUNT);
    of.has_balance = of.balance = true;
    Hallsync__TotalsReply sums = totals(client, &of);
    assert_int_equal(sums.sum_fen, 650);
    assert_true(sums.has_advance_fen);
    assert_int_equal(sums.advance_fen, 150);
    assert_int_equal(sums.due_fen, 100);
    assert_int_equal(find_by(client, HS_KIND_PAYMENT, "bill_id", "B2")->records->n_records, 1);
    assert_null(reverse(client, "p-1", "r-1")->error);
    expect_bill(client, "B1", 0, 200, "open");
    assert_int_equal(totals(client, &of).advance_fen, 0);
    assert_int_equal(totals(client, &of).due_fen, 600);
}

static void parts_that_do_not_fit_are_refused(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__PaymentPart parts[] = {part("B1", 200), part("B1", 300), part("B3", 300)};
    Hallsync__PaymentPart *same[] = {&parts[0], &parts[1]};
    Hallsync__PaymentPart *other[] = {&parts[0], &parts[2]};
    own_customer(client);
    assert_result(BILL(.bill_id = TEXT("B3"), .account = TEXT(OTHER_ACCOUNT), .amount_fen = 300), CREATED);
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 500, .parts = same, .n_parts = 2), "bad-value", "parts");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 499, .parts = other, .n_parts = 2), "bad-amount",
                   "parts");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 500, .parts = other, .n_parts = 2),
                   "bill-of-another-account", "parts");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 500, .bill_id = TEXT("B1"), .parts = same, .n_parts = 1),
                   "bad-value", "bill_id");
    assert_int_equal(totals(client, NULL).count, 0);
}

static void change_is_what_was_handed_over_too_much(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    own_customer(client);
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 500, .has_tendered_fen = true, .tendered_fen = 1000,
                       .has_change_fen = true, .change_fen = 400),
                   "bad-amount", "change_fen");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 500, .has_change_fen = true, .change_fen = 400),
                   "missing-field", "tendered_fen");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 500, .method = TEXT("card"), .has_tendered_fen = true,
                       .tendered_fen = 500),
                   "bad-value", "tendered_fen");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 500, .method = TEXT("bank_slip")), "missing-field",
                   "slip_no");
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 500, .has_tendered_fen = true, .tendered_fen = 1000,
                      .has_change_fen = true, .change_fen = 500),
                  CREATED);
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 500, .method = TEXT("bank_slip"), .slip_no = TEXT("s-1")),
                  CREATED);
    assert_int_equal(find_by(client, HS_KIND_PAYMENT, "slip_no", "s-1")->records->n_records, 1);
}

#define TOPUP(id, counter)                                                                              \
    PAY(.payment_id = TEXT(id), .account = TEXT(ACCOUNT), .amount_fen = 5000, .purpose = TEXT("topup"), \
        .card_no = TEXT("C-1"), .has_card_counter = true, .card_counter = (counter))

static void a_card_is_topped_up_once_under_a_counter(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    own_customer(client);
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 5000, .purpose = TEXT("topup"), .card_no = TEXT("C-1")),
                   "missing-field", "card_counter");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 5000, .card_no = TEXT("C-1")), "bad-value", "purpose");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 5000, .purpose = TEXT("advance"), .bill_id = TEXT("B1")),
                   "bad-value", "purpose");
    assert_result(TOPUP("t-1", 4), CREATED);
    assert_result(TOPUP("t-1", 4), EXISTS);
    assert_refused(TOPUP("t-2", 4), "topup-done", "card_counter");
    assert_result(TOPUP("t-3", 5), CREATED);
    assert_null(reverse(client, "t-1", "r-1")->error); /* the card was not written */
    assert_result(TOPUP("t-2", 4), CREATED);
    assert_int_equal(totals(client, NULL).count, 3);
    Hallsync__TotalsRequest of = HALLSYNC__TOTALS_REQUEST__INIT;
    of.account = TEXT(ACCOUNT);
    of.has_balance = of.balance = true;
    assert_int_equal(totals(client, &of).advance_fen, 0);
    assert_int_equal(status(client)->conflicts, 0);
}

/* ---- bills ---- */

static void late_fees_are_asked_for_from_their_days_on(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char days[3][HS_TIME_TEXT_BYTES];
    Hallsync__LateFee fees[3];
    Hallsync__LateFee *list[3];
    for (int i = 0; i < 3; i++) {
        hallsync__late_fee__init(&fees[i]);
        fees[i].date = (char *)(uintptr_t)day_text(i * 3 - 4, days[i]); /* four days and one day ago, in two days */
        fees[i].has_amount_fen = true;
        fees[i].amount_fen = 100 * (i + 1);
        list[i] = &fees[i];
    }
    own_customer(client);
    assert_result(
        BILL(.bill_id = TEXT("B1"), .account = TEXT(ACCOUNT), .amount_fen = 10000, .late_fees = list, .n_late_fees = 3),
        CREATED);
    expect_bill(client, "B1", 0, 10300, "open");
    assert_int_equal(get_record(client, HS_KIND_BILL, "B1")->bill->late_fen, 300);
    assert_result(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 10300, .bill_id = TEXT("B1")),
                  CREATED);
    expect_bill(client, "B1", 10300, 0, "paid");
    assert_null(reverse(client, "p-1", "r-1")->error);
    expect_bill(client, "B1", 0, 10300, "open");
}

static void what_was_cancelled_takes_no_money(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    own_customer(client);
    assert_result(BILL(.bill_id = TEXT("B1"), .account = TEXT(ACCOUNT), .amount_fen = 200), CREATED);
    assert_result(BILL(.bill_id = TEXT("B2"), .account = TEXT(ACCOUNT), .amount_fen = 200), CREATED);
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 200, .bill_id = TEXT("B1")), CREATED);
    BILL(.bill_id = TEXT("B1"), .status = TEXT("cancelled"));
    BILL(.bill_id = TEXT("B2"), .status = TEXT("corrected"), .replaced_by = TEXT("B3"));
    expect_bill(client, "B1", 200, -200, "cancelled"); /* to be given back */
    expect_bill(client, "B2", 0, 0, "corrected");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 200, .bill_id = TEXT("B1")), "bill-closed", "bill_id");
    const Hallsync__PutResult *result = PAY(.account = TEXT(ACCOUNT), .amount_fen = 200, .bill_id = TEXT("B2"));
    assert_refused(result, "bill-closed", "bill_id");
    assert_non_null(strstr(result->text, "B3"));
}

/* ---- taking money back ---- */

struct back {
    const char *payment, *reversal, *reason, *clerk, *second, *type;
    uint32_t window;
};

static const Hallsync__Reply *take_back(struct client *client, struct back how)
{
    Hallsync__ReverseRequest body = HALLSYNC__REVERSE_REQUEST__INIT;
    body.payment_id = TEXT(how.payment);
    body.reversal_id = TEXT(how.reversal);
    body.reason = TEXT(how.reason);
    body.clerk = TEXT(how.clerk);
    body.second = TEXT(how.second);
    body.type = TEXT(how.type);
    body.has_window = how.window != 0;
    body.window = how.window;
    Hallsync__Request request = REQUEST(reverse, REVERSE, &body);
    return client_ask(client, &request);
}
#define BACK(...) take_back(client, (struct back){__VA_ARGS__})

static void expect_needs_second(const Hallsync__Reply *reply, const char *field)
{
    assert_string_equal(reply->error, "needs-second");
    assert_refused(reply->put->results[0], "needs-second", field);
}

static void from_another_window_two_people_take_back(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    own_customer(client);
    assert_result(
        PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 500, .window = 2, .clerk = TEXT("wu")),
        CREATED);
    assert_result(PAY(.payment_id = TEXT("p-2"), .account = TEXT(ACCOUNT), .amount_fen = 600, .window = 2), CREATED);
    assert_null(BACK("p-1", "r-1", .clerk = "sun", .window = 2)->error); /* same day, same window: any clerk */
    expect_needs_second(BACK("p-2", "r-2", .window = 3), "reason");
    expect_needs_second(BACK("p-2", "r-2", "mistyped", .window = 3), "clerk");
    expect_needs_second(BACK("p-2", "r-2", "mistyped", "sun", .window = 3), "second");
    expect_needs_second(BACK("p-2", "r-2", "mistyped", "sun", "sun", .window = 3), "second");
    assert_int_equal(totals(client, NULL).reversed_count, 1);
    const Hallsync__Reply *reply = BACK("p-2", "r-2", "mistyped", "sun", "zhou", .window = 3);
    assert_null(reply->error);
    assert_result(reply->put->results[0], CREATED);
    assert_result(BACK("p-2", "r-2", "mistyped", "sun", "zhou", .window = 3)->put->results[0], EXISTS);
}

static void only_what_a_bank_pays_can_bounce(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    own_customer(client);
    assert_result(BILL(.bill_id = TEXT("B1"), .account = TEXT(ACCOUNT), .amount_fen = 500), CREATED);
    assert_result(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 500, .method = TEXT("cash")),
                  CREATED);
    assert_result(PAY(.payment_id = TEXT("p-2"), .account = TEXT(ACCOUNT), .amount_fen = 500, .method = TEXT("cheque"),
                      .slip_no = TEXT("4711"), .bill_id = TEXT("B1")),
                  CREATED);
    assert_refused(BACK("p-1", "r-1", "no money", .type = "bounced")->put->results[0], "bad-value", "type");
    assert_refused(BACK("p-2", "r-2", .type = "bounced")->put->results[0], "missing-field", "reason");
    assert_null(BACK("p-2", "r-2", "no money", .type = "bounced")->error);
    expect_bill(client, "B1", 0, 500, "open");
}

/* ---- receipts ---- */

static const Hallsync__PutResult *reprint(struct client *client, const char *id, const char *number)
{
    Hallsync__Reprint again = HALLSYNC__REPRINT__INIT;
    again.reprint_id = TEXT(id);
    again.number = TEXT(number);
    again.reason = TEXT("the customer lost it");
    return put(client, &(struct putting){.kind = HS_KIND_REPRINT, .message = &again.base});
}

static void each_further_print_is_counted(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char number[HS_NUMBER_BYTES_MAX];
    own_customer(client);
    const Hallsync__PutResult *paid = PAY(.account = TEXT(ACCOUNT), .amount_fen = 500);
    assert_result(paid, CREATED);
    snprintf(number, sizeof number, "%s", paid->receipt);
    assert_false(get_record(client, HS_KIND_CASH_ENTRY, number)->has_reprints);
    assert_refused(reprint(client, "a-0", "nj-gulou-20261121-01-AAAAAA-000001"), "unknown-receipt", "number");
    const Hallsync__PutResult *printed = reprint(client, "a-1", number);
    assert_result(printed, CREATED);
    assert_int_equal(printed->reprints, 1);
    printed = reprint(client, "a-1", number);
    assert_result(printed, EXISTS);
    assert_int_equal(printed->reprints, 1);
    assert_int_equal(reprint(client, "a-2", number)->reprints, 2);
    assert_int_equal(get_record(client, HS_KIND_CASH_ENTRY, number)->reprints, 2);
}

/* ---- invoices ---- */

#define INVOICE(...) \
    put_invoice(client, (Hallsync__InvoiceRequest){MESSAGE(invoice_request), .title = TEXT("Bakery"), __VA_ARGS__})

static const Hallsync__PutResult *put_invoice(struct client *client, Hallsync__InvoiceRequest wanted)
{
    return put(client, &(struct putting){.kind = HS_KIND_INVOICE_REQUEST, .message = &wanted.base});
}

static void pay_for_invoice(struct client *client, const char *id, char number[static HS_NUMBER_BYTES_MAX])
{
    const Hallsync__PutResult *paid = PAY(.payment_id = TEXT(id), .account = TEXT(ACCOUNT), .amount_fen = 500);
    assert_result(paid, CREATED);
    snprintf(number, HS_NUMBER_BYTES_MAX, "%s", paid->receipt);
}

static void an_invoice_is_asked_for_and_issued(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char number[HS_NUMBER_BYTES_MAX];
    own_customer(client);
    pay_for_invoice(client, "p-1", number);
    assert_refused(INVOICE(.request_id = TEXT("i-1"), .account = TEXT(ACCOUNT), .number = number,
                           .state = TEXT("issued"), .invoice_no = TEXT("00812345")),
                   "bad-state", "state");
    assert_refused(
        INVOICE(.request_id = TEXT("i-1"), .account = TEXT(ACCOUNT), .number = number, .invoice_no = TEXT("00812345")),
        "bad-value", "invoice_no");
    assert_result(INVOICE(.request_id = TEXT("i-1"), .account = TEXT(ACCOUNT), .number = number), CREATED);
    assert_refused(INVOICE(.request_id = TEXT("i-1"), .state = TEXT("issued")), "missing-field", "invoice_no");
    assert_result(INVOICE(.request_id = TEXT("i-1"), .state = TEXT("issued"), .invoice_no = TEXT("00812345")),
                  HALLSYNC__RESULT__RESULT_CHANGED);
    assert_result(INVOICE(.request_id = TEXT("i-1"), .state = TEXT("issued"), .invoice_no = TEXT("00812345")),
                  HALLSYNC__RESULT__RESULT_UNCHANGED);
    assert_refused(INVOICE(.request_id = TEXT("i-1"), .state = TEXT("asked")), "bad-state", "state");
    assert_refused(INVOICE(.request_id = TEXT("i-1"), .invoice_no = TEXT("00812346")), "bad-state", "invoice_no");
    assert_refused(INVOICE(.request_id = TEXT("i-1"), .tax_no = TEXT("91320")), "bad-state", "tax_no");
    assert_int_equal(find_by(client, HS_KIND_INVOICE_REQUEST, "account", ACCOUNT)->records->n_records, 1);
}

static void one_receipt_is_invoiced_once(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char number[HS_NUMBER_BYTES_MAX];
    own_customer(client);
    pay_for_invoice(client, "p-1", number);
    assert_result(INVOICE(.request_id = TEXT("i-1"), .account = TEXT(ACCOUNT), .number = number), CREATED);
    assert_refused(INVOICE(.request_id = TEXT("i-2"), .account = TEXT(ACCOUNT), .number = number), "exists", "number");
    assert_result(INVOICE(.request_id = TEXT("i-1"), .state = TEXT("refused")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_refused(INVOICE(.request_id = TEXT("i-1"), .state = TEXT("issued"), .invoice_no = TEXT("1")), "bad-state",
                   "state");
    assert_result(INVOICE(.request_id = TEXT("i-2"), .account = TEXT(ACCOUNT), .number = number), CREATED);
    assert_result(INVOICE(.request_id = TEXT("i-2"), .state = TEXT("issued"), .invoice_no = TEXT("2")),
                  HALLSYNC__RESULT__RESULT_CHANGED);
    assert_refused(INVOICE(.request_id = TEXT("i-3"), .account = TEXT(ACCOUNT), .number = number), "exists", "number");
}

static void an_invoice_is_of_a_receipt_of_money_that_stays(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char number[HS_NUMBER_BYTES_MAX], back[HS_NUMBER_BYTES_MAX];
    own_customer(client);
    pay_for_invoice(client, "p-1", number);
    assert_refused(INVOICE(.request_id = TEXT("i-0"), .account = TEXT(ACCOUNT),
                           .number = TEXT("nj-gulou-20261121-01-AAAAAA-000001")),
                   "unknown-receipt", "number");
    assert_refused(INVOICE(.request_id = TEXT("i-0"), .account = TEXT(OTHER_ACCOUNT), .number = number), "bad-value",
                   "number");
    /* Another hall's may be on its way: taken on trust. */
    assert_result(INVOICE(.request_id = TEXT("i-9"), .account = TEXT(ACCOUNT),
                          .number = TEXT("nj-xuanwu-20261121-01-AAAAAA-000001")),
                  CREATED);
    assert_result(INVOICE(.request_id = TEXT("i-1"), .account = TEXT(ACCOUNT), .number = number), CREATED);
    snprintf(back, sizeof back, "%s", BACK("p-1", "r-1", .reason = "mistyped")->put->results[0]->receipt);
    assert_refused(INVOICE(.request_id = TEXT("i-1"), .state = TEXT("issued"), .invoice_no = TEXT("1")),
                   "already-reversed", "number");
    assert_refused(INVOICE(.request_id = TEXT("i-2"), .account = TEXT(ACCOUNT), .number = back), "bad-value", "number");
    assert_result(INVOICE(.request_id = TEXT("i-1"), .state = TEXT("refused")), HALLSYNC__RESULT__RESULT_CHANGED);
}

/* Every entry of the region is at its hub: what is not, is none. */
static void a_hub_trusts_no_receipt_that_it_has_not(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    own_customer(client);
    assert_refused(INVOICE(.request_id = TEXT("i-9"), .account = TEXT(ACCOUNT),
                           .number = TEXT("nj-xuanwu-20261121-01-AAAAAA-000001")),
                   "unknown-receipt", "number");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_hall_today, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(one_payment_pays_several_bills),
        CASE(parts_that_do_not_fit_are_refused),
        CASE(change_is_what_was_handed_over_too_much),
        CASE(a_card_is_topped_up_once_under_a_counter),
        CASE(late_fees_are_asked_for_from_their_days_on),
        CASE(what_was_cancelled_takes_no_money),
        CASE(from_another_window_two_people_take_back),
        CASE(only_what_a_bank_pays_can_bounce),
        CASE(each_further_print_is_counted),
        CASE(an_invoice_is_asked_for_and_issued),
        CASE(one_receipt_is_invoiced_once),
        CASE(an_invoice_is_of_a_receipt_of_money_that_stays),
        cmocka_unit_test_setup_teardown(a_hub_trusts_no_receipt_that_it_has_not, open_hub, close_desk),
    };
    return cmocka_run_group_tests_name("service money", tests, NULL, NULL);
}
