/* service_settlement_test.c -- node/service: who settles, how much, and what one settlement keeps from being done. */
#include "tests/unit/service_trail.h"

#include "node/service/call.h"
#include "node/writer/writer.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/msg/tlv.h"
#include "storage/model/close.h"

#include <stdio.h>

#define CREATED HALLSYNC__RESULT__RESULT_CREATED
#define EXISTS  HALLSYNC__RESULT__RESULT_EXISTS

#define SETTLE(what, of, fen, form, ...)                                                                        \
    put_settlement(client, (Hallsync__Settlement){MESSAGE(settlement), .type = TEXT(what), .account = TEXT(of), \
                                                  .amount_fen = (fen), .form_no = TEXT(form),                   \
                                                  .reason = TEXT("paid twice"), .clerk = TEXT("li"), __VA_ARGS__})
#define REFUND(fen, form, bill, ...) SETTLE("refund", ACCOUNT, fen, form, .bill_id = TEXT(bill), __VA_ARGS__)
#define CREDIT(fen, form, bill, ...) SETTLE("credit", ACCOUNT, fen, form, .bill_id = TEXT(bill), __VA_ARGS__)

static const Hallsync__PutResult *put_settlement(struct client *client, Hallsync__Settlement settlement)
{
    settlement.has_amount_fen = true;
    return put(client, &(struct putting){.kind = HS_KIND_SETTLEMENT, .message = &settlement.base});
}

/* A bill of 500 paid with 700, another of 300, and 200 paid ahead. */
static void own_money(struct client *client)
{
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("Wang")), CREATED);
    assert_result(CUSTOMER(.account = TEXT(OTHER_ACCOUNT), .name = TEXT("Li")), CREATED);
    assert_result(BILL(.bill_id = TEXT("B1"), .account = TEXT(ACCOUNT), .amount_fen = 500), CREATED);
    assert_result(BILL(.bill_id = TEXT("B2"), .account = TEXT(ACCOUNT), .amount_fen = 300), CREATED);
    assert_result(BILL(.bill_id = TEXT("B3"), .account = TEXT(OTHER_ACCOUNT), .amount_fen = 300), CREATED);
    assert_result(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 700, .bill_id = TEXT("B1")),
                  CREATED);
    assert_result(PAY(.payment_id = TEXT("p-2"), .account = TEXT(ACCOUNT), .amount_fen = 200), CREATED);
}

static const Hallsync__PutResult *reverse_as(struct client *client, const char *payment, const char *type)
{
    Hallsync__ReverseRequest body = HALLSYNC__REVERSE_REQUEST__INIT;
    body.payment_id = TEXT(payment);
    body.reason = TEXT("mistyped");
    body.clerk = TEXT("li");
    body.second = TEXT("sun");
    body.type = TEXT(type);
    Hallsync__Request request = REQUEST(reverse, REVERSE, &body);
    return client_ask(client, &request)->put->results[0];
}

static void grants_are_numbered_and_of_known_nodes(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char id[HS_ID_TEXT_BYTES];
    assert_refused(put_grant(client, "3201", "nobody"), "not-found", "owner");
    Hallsync__Grant grant = HALLSYNC__GRANT__INIT;
    grant.district = TEXT("3201");
    grant.owner = TEXT("nj-hub");
    grant.granted_by = TEXT("Wang");
    grant.has_number = true;
    grant.number = 7;
    assert_refused(put(client, &(struct putting){.kind = HS_KIND_GRANT, .message = &grant.base}), "invalid", "number");
    const Hallsync__PutResult *result = put_grant(client, "3201", "nj-hub");
    assert_result(result, CREATED);
    snprintf(id, sizeof id, "%s", result->id);
    result = put_grant(client, "3201", "nj-hub");
    assert_result(result, EXISTS);
    assert_string_equal(result->id, id);
    const Hallsync__Record *record = get_record(client, HS_KIND_GRANT, id);
    Hallsync__Grant *kept = hallsync__grant__unpack(NULL, record->record.len, record->record.data);
    assert_int_equal(kept->number, 1);
    hallsync__grant__free_unpacked(kept, NULL);
}

static void who_grants_is_told(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__Actor wang = person("wang", "command_line");
    char id[HS_ID_TEXT_BYTES];
    client->actor = &wang;
    snprintf(id, sizeof id, "%s", put_grant(client, "3201", "nj-hub")->id);
    assert_result(put_grant(client, "3201", "nj-hub"), EXISTS);
    own_money(client); /* of this nobody decides anything */
    assert_int_equal(trail_size(client), 1);
    TOLD(.name = TEXT("wang"), .way = TEXT("command_line"), .action = TEXT("grant"), .node_id = TEXT("nj-hub"),
         .of_kind = TEXT("grant"), .record_id = id, .detail = TEXT("3201"), .reason = TEXT("the hall decides"));
}

static void only_the_owner_settles(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    own_money(client);
    assert_refused(REFUND(100, "F-1", "B1"), "not-owner", "account");
    assert_result(put_grant(client, "3202", "nj-hub"), CREATED);
    assert_refused(REFUND(100, "F-1", "B1"), "not-owner", "account");
    assert_result(put_grant(client, "3201", "nj-hub"), CREATED);
    assert_result(REFUND(100, "F-1", "B1"), CREATED);
}

static void what_has_no_meaning_is_refused(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__SettledFact fact = HALLSYNC__SETTLED_FACT__INIT;
    Hallsync__SettledFact *facts[] = {&fact};
    uint8_t id[HS_ID_BYTES] = {1};
    fact.has_payment_id = true;
    fact.payment_id = (ProtobufCBinaryData){sizeof id, id};
    own_money(client);
    assert_result(put_grant(client, "3201", "nj-hub"), CREATED);
    assert_refused(REFUND(1, "F-1", NULL, .facts = facts, .n_facts = 1), "invalid", "facts");
    assert_refused(REFUND(1, "F-1", NULL, .has_after = true, .after = fact.payment_id), "invalid", "after");
    assert_refused(REFUND(1, "F-1", NULL, .has_grant = true, .grant = 1), "invalid", "grant");
    assert_refused(REFUND(1, "F-1", NULL, .to_bill = TEXT("B2")), "bad-value", "to_bill");
    assert_refused(CREDIT(1, "F-1", NULL), "missing-field", "to_bill");
    assert_refused(CREDIT(1, "F-1", "B1", .to_bill = TEXT("B1")), "bad-value", "to_bill");
    assert_refused(CREDIT(1, "F-1", NULL, .to_bill = TEXT("B2"), .method = TEXT("cash")), "bad-value", "method");
    assert_refused(CREDIT(1, "F-1", NULL, .to_bill = TEXT("B2"), .payee = TEXT("Zhao")), "bad-value", "payee");
    assert_refused(REFUND(1, "F-1", "B9"), "not-found", "bill_id");
    assert_refused(REFUND(1, "F-1", "B3"), "bill-of-another-account", "bill_id");
    assert_refused(CREDIT(1, "F-1", NULL, .to_bill = TEXT("B3")), "bill-of-another-account", "to_bill");
    Hallsync__TotalsReply sums = totals(client, NULL);
    assert_false(sums.has_settled_count);
}

static void no_fen_more_than_there_is(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__TotalsRequest of = HALLSYNC__TOTALS_REQUEST__INIT;
    own_money(client);
    of.account = TEXT(ACCOUNT);
    of.has_balance = of.balance = true;
    assert_result(put_grant(client, "3201", "nj-hub"), CREATED);
    assert_refused(REFUND(201, "F-1", "B1"), "not-so-much", "amount_fen");
    assert_refused(REFUND(1, "F-1", "B2"), "not-so-much", "amount_fen");
    assert_refused(REFUND(201, "F-1", NULL), "not-so-much", "amount_fen");
    assert_result(REFUND(150, "F-1", "B1"), CREATED);
    assert_refused(REFUND(51, "F-2", "B1"), "not-so-much", "amount_fen");
    assert_result(CREDIT(50, "F-3", "B1"), CREATED);
    assert_int_equal(totals(client, &of).advance_fen, 250);
    assert_refused(CREDIT(251, "F-4", NULL, .to_bill = TEXT("B2")), "not-so-much", "amount_fen");
    assert_result(CREDIT(220, "F-5", NULL, .to_bill = TEXT("B2")), CREATED);
    assert_int_equal(totals(client, &of).advance_fen, 30);
    assert_int_equal(totals(client, &of).due_fen, 80);
    assert_result(REFUND(30, "F-6", NULL), CREATED);
    assert_int_equal(totals(client, &of).advance_fen, 0);
    assert_int_equal(totals(client, &of).settled_fen, 180);
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 1000), CREATED);
    assert_refused(CREDIT(81, "F-7", NULL, .to_bill = TEXT("B2")), "not-so-much", "amount_fen"); /* it asks for 80 */
    assert_result(CREDIT(80, "F-8", NULL, .to_bill = TEXT("B2")), CREATED);
    const Hallsync__Record *record = get_record(client, HS_KIND_BILL, "B2");
    assert_string_equal(record->bill->state, "paid");
    assert_int_equal(record->bill->settled_fen, -300);
}

static void a_form_is_settled_once(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char receipt[HS_NUMBER_BYTES_MAX], id[HS_ID_TEXT_BYTES];
    own_money(client);
    assert_result(put_grant(client, "3201", "nj-hub"), CREATED);
    const Hallsync__PutResult *result = REFUND(100, "F-1", "B1");
    assert_result(result, CREATED);
    snprintf(receipt, sizeof receipt, "%s", result->receipt);
    snprintf(id, sizeof id, "%s", result->id);
    assert_true(receipt[0] != '\0');
    assert_string_equal(get_record(client, HS_KIND_SETTLEMENT, id)->receipt, receipt);
    result = REFUND(100, "F-1", "B1");
    assert_result(result, EXISTS);
    assert_string_equal(result->receipt, receipt);
    assert_string_equal(result->id, id);
    assert_refused(REFUND(99, "F-1", "B1"), "id-in-use", "form_no");
    assert_refused(REFUND(100, "F-1", NULL), "id-in-use", "form_no");
    /* Another customer's form may have the same number. */
    assert_refused(SETTLE("refund", OTHER_ACCOUNT, 100, "F-1", .bill_id = TEXT("B3")), "not-so-much", "amount_fen");
}

/* Each names the payments that none before it has named, and the one before it. */
static void settlements_name_what_they_are_about(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char first[HS_ID_TEXT_BYTES], second[HS_ID_TEXT_BYTES], named[HS_ID_TEXT_BYTES];
    own_money(client);
    assert_result(put_grant(client, "3201", "nj-hub"), CREATED);
    snprintf(first, sizeof first, "%s", REFUND(100, "F-1", "B1")->id);
    snprintf(second, sizeof second, "%s", REFUND(50, "F-2", "B1")->id);
    const Hallsync__Record *record = get_record(client, HS_KIND_SETTLEMENT, first);
    Hallsync__Settlement *one = hallsync__settlement__unpack(NULL, record->record.len, record->record.data);
    assert_int_equal(one->n_facts, 1);
    assert_false(one->has_after);
    assert_int_equal(one->grant, 1);
    hallsync__settlement__free_unpacked(one, NULL);
    record = get_record(client, HS_KIND_SETTLEMENT, second);
    one = hallsync__settlement__unpack(NULL, record->record.len, record->record.data);
    assert_int_equal(one->n_facts, 0);
    assert_true(one->has_after);
    hs_text_to_hex(HS_BYTES(one->after.data, one->after.len), named);
    assert_string_equal(named, first);
    hallsync__settlement__free_unpacked(one, NULL);
}

/* What a credit paid in time bears no late fee. */
static void a_credit_pays_on_its_day(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    uint64_t today = hs_now_ms();
    char day[HS_DAY_TEXT_BYTES];
    Hallsync__LateFee fee = HALLSYNC__LATE_FEE__INIT;
    Hallsync__LateFee *fees[] = {&fee};
    fee.date = (char *)(uintptr_t)hs_day_text(hs_date_of(today, desk->office.options.utc_offset_minutes), day);
    fee.has_amount_fen = true;
    fee.amount_fen = 7;
    desk->office.region->now_ms = today - 86400000;
    own_money(client);
    assert_result(
        BILL(.bill_id = TEXT("B4"), .account = TEXT(ACCOUNT), .amount_fen = 200, .late_fees = fees, .n_late_fees = 1),
        CREATED);
    assert_result(put_grant(client, "3201", "nj-hub"), CREATED);
    assert_int_equal(get_record(client, HS_KIND_BILL, "B4")->bill->due_fen, 207);
    assert_result(CREDIT(200, "C-1", NULL, .to_bill = TEXT("B4")), CREATED);
    desk->office.region->now_ms = today;
    assert_int_equal(get_record(client, HS_KIND_BILL, "B4")->bill->due_fen, 0);
    assert_string_equal(get_record(client, HS_KIND_BILL, "B4")->bill->state, "paid");
}

/* ---- what somebody wrote who does not own the district ---- */

/* Of the same bill and payment as the owner's first one would be, so under its id; by no grant that there is. */
static void put_strange(struct desk *desk)
{
    struct hs_buf message = {0}, fact = {0};
    struct hs_id payment, id;
    bool hashed;
    assert_int_equal(hs_id_from_text("p-1", 3, &payment, &hashed), HS_OK);
    hs_tlv_put_text(&message, 2, ACCOUNT);
    hs_tlv_put_text(&message, 3, "B1");
    hs_tlv_put_bytes(&fact, 1, HS_BYTES(payment.bytes, sizeof payment.bytes));
    hs_tlv_put_bytes(&message, 4, hs_buf_bytes(&fact));
    hs_tlv_put_u64(&message, 5, 200);
    hs_tlv_put_text(&message, 6, "refund");
    hs_tlv_put_text(&message, 7, "mine");
    hs_tlv_put_text(&message, 8, "zhao");
    hs_tlv_put_text(&message, 9, "X-1");
    hs_tlv_put_u64(&message, 13, 9);
    hs_kind_id(hs_kind_by_number(HS_KIND_SETTLEMENT), hs_buf_bytes(&message), &id);
    struct hs_write write = {.kind = HS_KIND_SETTLEMENT,
                             .id = HS_BYTES(id.bytes, sizeof id.bytes),
                             .is_fact = true,
                             .fact = hs_buf_bytes(&message)};
    office_write(&desk->office, 3201, HS_LANE_MONEY, &write);
    hs_buf_fini(&message);
    hs_buf_fini(&fact);
}

static void a_strangers_settlement_is_not_in_the_owners_way(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    own_money(client);
    put_strange(desk);
    assert_result(put_grant(client, "3201", "nj-hub"), CREATED);
    assert_int_equal(get_record(client, HS_KIND_BILL, "B1")->bill->due_fen, -200);
    assert_result(REFUND(150, "F-1", "B1"), CREATED);
    assert_result(REFUND(50, "F-2", "B1"), CREATED);
    assert_int_equal(get_record(client, HS_KIND_BILL, "B1")->bill->due_fen, 0);
    assert_int_equal(totals(client, NULL).settled_count, 2);
}

/* Nothing was given back by it: the owner is not told that his form is done. */
static void a_form_of_a_stranger_is_not_done(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    own_money(client);
    put_strange(desk);
    assert_result(put_grant(client, "3201", "nj-hub"), CREATED);
    const Hallsync__PutResult *result = REFUND(200, "X-1", "B1");
    assert_refused(result, "id-in-use", "form_no");
    assert_non_null(strstr(result->text, "not-owner"));
    assert_int_equal(get_record(client, HS_KIND_BILL, "B1")->bill->due_fen, -200);
    assert_result(REFUND(200, "F-1", "B1"), CREATED);
    assert_result(REFUND(200, "F-1", "B1"), EXISTS);
}

static void what_was_settled_is_reversed_only_as_bounced(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    own_money(client);
    assert_result(PAY(.payment_id = TEXT("p-3"), .account = TEXT(ACCOUNT), .amount_fen = 400, .bill_id = TEXT("B1"),
                      .method = TEXT("cheque")),
                  CREATED);
    assert_result(put_grant(client, "3201", "nj-hub"), CREATED);
    assert_result(REFUND(600, "F-1", "B1"), CREATED);
    assert_refused(reverse_as(client, "p-1", NULL), "settled", "payment_id");
    assert_refused(reverse_as(client, "p-3", "mistake"), "settled", "payment_id");
    assert_null(reverse_as(client, "p-2", NULL)->error); /* of another bill, or none */
    assert_null(reverse_as(client, "p-3", "bounced")->error);
    assert_int_equal(get_record(client, HS_KIND_BILL, "B1")->bill->due_fen, 400); /* he owes what he was given */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_hub_today, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(grants_are_numbered_and_of_known_nodes),
        CASE(who_grants_is_told),
        CASE(only_the_owner_settles),
        CASE(what_has_no_meaning_is_refused),
        CASE(no_fen_more_than_there_is),
        CASE(a_form_is_settled_once),
        CASE(settlements_name_what_they_are_about),
        CASE(a_credit_pays_on_its_day),
        CASE(a_strangers_settlement_is_not_in_the_owners_way),
        CASE(a_form_of_a_stranger_is_not_done),
        CASE(what_was_settled_is_reversed_only_as_bounced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
