/* service_put_test.c -- records written through the local API: what is taken, what is refused and by what name, and
 * what is done once however often it is sent. */
#include "tests/unit/service_desk.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"

#include <pthread.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define HEX_ID       "00112233445566778899aabbccddeeff"

enum { WINDOWS = 13, PAYMENTS_EACH = 100 };

/* A hall with two customers and a bill of the first, and a client of it. */
static int open_desk(void **state)
{
    struct desk *desk = make_desk(HS_ROLE_HALL);
    struct client *client = &desk->client;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("陈")), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(CUSTOMER(.account = TEXT(OTHER_ACCOUNT), .name = TEXT("李")), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(BILL(.bill_id = TEXT("B1"), .account = TEXT(ACCOUNT), .amount_fen = 5000),
                  HALLSYNC__RESULT__RESULT_CREATED);
    *state = desk;
    return 0;
}

/* ---- money ---- */

static void a_payment_gets_a_receipt_and_pays_its_bill(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    const Hallsync__PutResult *result = PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 3000,
                                            .bill_id = TEXT("B1"), .method = TEXT("cash"), .window = 3);
    assert_result(result, HALLSYNC__RESULT__RESULT_CREATED);
    assert_string_equal(result->id, "p-1");
    assert_int_equal(result->safe, HALLSYNC__SAFETY__SAFETY_HERE);
    assert_non_null(strstr(result->receipt, "nj-gulou-"));
    assert_non_null(strstr(result->receipt, "-03-"));
    char receipt[HS_NUMBER_BYTES_MAX];
    snprintf(receipt, sizeof receipt, "%s", result->receipt);

    const Hallsync__Record *payment = get_record(client, HS_KIND_PAYMENT, "p-1");
    assert_string_equal(payment->receipt, receipt);
    assert_false(payment->reversed);
    assert_string_equal(payment->node, "nj-gulou");
    assert_int_equal(strlen(payment->origin), 16);
    const Hallsync__Record *entry = get_record(client, HS_KIND_CASH_ENTRY, receipt);
    Hallsync__CashEntry *cash = hallsync__cash_entry__unpack(NULL, entry->record.len, entry->record.data);
    assert_int_equal(cash->amount_fen, 3000);
    assert_int_equal(cash->fact_kind, HS_KIND_PAYMENT);
    assert_int_equal(cash->fact_partition, 3201);
    hallsync__cash_entry__free_unpacked(cash, NULL);
    const Hallsync__BillState *bill = get_record(client, HS_KIND_BILL, "B1")->bill;
    assert_int_equal(bill->paid_fen, 3000);
    assert_int_equal(bill->due_fen, 2000);
    assert_string_equal(bill->state, "part-paid");
}

static void a_payment_sent_again_is_the_same_payment(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char receipt[HS_NUMBER_BYTES_MAX];
    const Hallsync__PutResult *first = PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 100);
    assert_result(first, HALLSYNC__RESULT__RESULT_CREATED);
    snprintf(receipt, sizeof receipt, "%s", first->receipt);
    for (unsigned restarts = 0; restarts < 2; restarts++) {
        const Hallsync__PutResult *again = PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 100);
        assert_result(again, HALLSYNC__RESULT__RESULT_EXISTS);
        assert_string_equal(again->receipt, receipt);
        restart(desk);
    }
    assert_refused(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 200), "id-in-use", NULL);
    Hallsync__TotalsReply sums = totals(client, NULL);
    assert_int_equal(sums.count, 1);
    assert_int_equal(sums.sum_fen, 100);
}

/* The same fields in another order and with another spelling of the id are the same content. */
static void equal_content_has_equal_bytes(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    struct hs_id id;
    assert_int_equal(hs_text_from_hex(HEX_ID, 32, id.bytes, sizeof id.bytes), HS_OK);
    const Hallsync__PutResult *made = PAY(.payment_id = TEXT(HEX_ID), .account = TEXT(ACCOUNT), .amount_fen = 100);
    assert_result(made, HALLSYNC__RESULT__RESULT_CREATED);
    assert_string_equal(made->id, HEX_ID);
    assert_result(
        PAY(.payment_id = TEXT("00112233-4455-6677-8899-AABBCCDDEEFF"), .account = TEXT(ACCOUNT), .amount_fen = 100),
        HALLSYNC__RESULT__RESULT_EXISTS);
    static const uint8_t TURNED[] = "\x18\x64\x12\x0a" ACCOUNT; /* amount before account */
    struct putting turned = {
        .kind = HS_KIND_PAYMENT, .raw = HS_BYTES(TURNED, sizeof TURNED - 1), .id = HS_BYTES(id.bytes, sizeof id.bytes)};
    assert_result(put(client, &turned), HALLSYNC__RESULT__RESULT_EXISTS);
    const Hallsync__Record *record = get_record(client, HS_KIND_PAYMENT, HEX_ID);
    Hallsync__Payment *payment = hallsync__payment__unpack(NULL, record->record.len, record->record.data);
    assert_string_equal(payment->payment_id, HEX_ID); /* filled in for people */
    hallsync__payment__free_unpacked(payment, NULL);
}

/* Without an id of its own a fact has one that follows from the request: a retry finds it. */
static void a_request_sent_again_makes_nothing_new(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    static const uint8_t ID[HS_REQUEST_ID_BYTES] = {7, 7};
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    payment.account = TEXT(ACCOUNT);
    payment.has_amount_fen = true;
    payment.amount_fen = 100;
    struct putting putting = {.kind = HS_KIND_PAYMENT, .message = &payment.base, .request = HS_BYTES(ID, sizeof ID)};
    const Hallsync__PutResult *result = put(client, &putting);
    assert_result(result, HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(strlen(result->id), 32);
    assert_result(put(client, &putting), HALLSYNC__RESULT__RESULT_EXISTS);
    payment.amount_fen = 200;
    assert_refused(put(client, &putting), "id-in-use", NULL);
}

static void bad_payments_are_refused_by_name(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_refused(PAY(.account = TEXT("320100000"), .amount_fen = 1), "bad-account", "account");
    assert_refused(PAY(.account = TEXT("3201000009"), .amount_fen = 1), "unknown-account", "account");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = -1), "bad-amount", "amount_fen");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 0), "bad-amount", "amount_fen");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = INT64_MAX), "overflow", "amount_fen");
    assert_refused(PAY(.account = TEXT(OTHER_ACCOUNT), .amount_fen = 1, .bill_id = TEXT("B1")),
                   "bill-of-another-account", "bill_id");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 1, .method = TEXT("barter")), "bad-value", "method");
    assert_refused(PAY(.amount_fen = 1), "missing-field", "account");
    assert_refused(PAY(.account = TEXT(ACCOUNT), .amount_fen = 1, .clerk = TEXT("\xff\xfe")), "bad-utf8", "clerk");
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 1, .bill_id = TEXT("B-not-here")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    Hallsync__TotalsReply sums = totals(client, NULL);
    assert_int_equal(sums.count, 1);
}

static void raw_records_that_lie_are_refused(void **state)
{
    static const struct {
        uint32_t kind;
        const char *bytes;
        const char *error;
    } CASES[] = {
        {HS_KIND_PAYMENT, "\x12\x0a" ACCOUNT "\x18\x64\xb8\x06\x01", "unknown-field"}, /* field 103 */
        {HS_KIND_PAYMENT, "\x12\x0a" ACCOUNT "\x18\x64\x3a\x05", "malformed"},         /* cut */
        {HS_KIND_PAYMENT, "\x12\x0a" ACCOUNT "\x1a\x01x", "bad-value"},                /* amount as text */
        {HS_KIND_PAYMENT, "\x12\x0a" ACCOUNT "\x18\x64\x18\x65", "bad-value"},         /* amount twice */
        {HS_KIND_CUSTOMER, "\x12\x01x", "missing-field"},
        {HS_KIND_TICKET, "\x12\x08teleport\x22\x01x", "unknown-service"},
    };
    struct client *client = &((struct desk *)*state)->client;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct putting putting = {.kind = CASES[i].kind, .raw = HS_BYTES(CASES[i].bytes, strlen(CASES[i].bytes))};
        assert_refused(put(client, &putting), CASES[i].error, NULL);
    }
}

/* A district that is not held: nobody here can say that the account is none, and the money is taken. */
static void a_foreign_payment_is_taken_but_not_reversed_here(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    const Hallsync__PutResult *result = PAY(.payment_id = TEXT("far"), .account = TEXT(FOREIGN_ACCOUNT),
                                            .amount_fen = 700);
    assert_result(result, HALLSYNC__RESULT__RESULT_CREATED);
    char receipt[HS_NUMBER_BYTES_MAX];
    snprintf(receipt, sizeof receipt, "%s", result->receipt);
    assert_result(PAY(.payment_id = TEXT("far"), .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 700),
                  HALLSYNC__RESULT__RESULT_EXISTS);
    assert_int_equal(get_record(client, HS_KIND_PAYMENT, "far")->partition, 3299);
    assert_int_equal(get_record(client, HS_KIND_CASH_ENTRY, receipt)->partition, 3201);
    const Hallsync__Reply *reply = reverse(client, "far", NULL);
    assert_string_equal(reply->error, "not-here");
}

static enum hs_err say_nothing(void *ctx, uint64_t token, const struct hs_ask *ask)
{
    const struct hs_answer answer = {.last = true, .as_of_ms = 1, .node = "nj-hub"};
    assert_int_equal(ask->kind, HS_KIND_PAYMENT);
    hs_service_answered(((struct office *)ctx)->service, token, HS_OK, &answer);
    return HS_OK;
}

/* Mistyped a moment ago: no hub has heard of it, and so nobody else can have reversed it. */
static void a_foreign_payment_that_no_hub_knows_yet_is_reversed(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    desk->office.options.hooks = (struct hs_service_hooks){.ctx = &desk->office, .ask = say_nothing};
    restart(desk);
    assert_result(PAY(.payment_id = TEXT("far"), .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 700),
                  HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__Reply *reply = reverse(client, "far", "r-far");
    assert_null(reply->error);
    reply = reverse(client, "far", "r-again");
    assert_string_equal(reply->error, "already-reversed");
    reply = reverse(client, "nobody's", "r-nobody");
    assert_string_equal(reply->error, "unknown-payment");
}

static void a_payment_is_reversed_once(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_string_equal(reverse(client, "p-1", "r-1")->error, "unknown-payment");
    assert_result(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 400),
                  HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__Reply *reply = reverse(client, "p-1", "r-1");
    assert_null(reply->error);
    assert_result(reply->put->results[0], HALLSYNC__RESULT__RESULT_CREATED);
    char voucher[HS_NUMBER_BYTES_MAX];
    snprintf(voucher, sizeof voucher, "%s", reply->put->results[0]->receipt);
    reply = reverse(client, "p-1", "r-1");
    assert_result(reply->put->results[0], HALLSYNC__RESULT__RESULT_EXISTS);
    assert_string_equal(reply->put->results[0]->receipt, voucher);
    reply = reverse(client, "p-1", "r-2");
    assert_string_equal(reply->error, "already-reversed");
    assert_string_equal(reply->put->results[0]->error, "already-reversed");

    assert_true(get_record(client, HS_KIND_PAYMENT, "p-1")->reversed);
    const Hallsync__Record *entry = get_record(client, HS_KIND_CASH_ENTRY, voucher);
    Hallsync__CashEntry *cash = hallsync__cash_entry__unpack(NULL, entry->record.len, entry->record.data);
    assert_int_equal(cash->amount_fen, -400);
    hallsync__cash_entry__free_unpacked(cash, NULL);
    Hallsync__TotalsReply sums = totals(client, NULL);
    assert_int_equal(sums.count, 1);
    assert_int_equal(sums.reversed_count, 1);
    assert_int_equal(sums.reversed_fen, 400);
}

static void many_records_are_judged_one_by_one(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    static const char *const ACCOUNTS[] = {"3201000020", "short", "3201000021", "3201000020"};
    static const char *const ERRORS[] = {NULL, "bad-account", NULL, NULL};
    struct hs_buf packed[COUNT(ACCOUNTS)] = {{0}};
    Hallsync__PutRecord records[COUNT(ACCOUNTS)];
    Hallsync__PutRecord *list[COUNT(ACCOUNTS)];
    Hallsync__PutRequest body = HALLSYNC__PUT_REQUEST__INIT;
    for (size_t i = 0; i < COUNT(ACCOUNTS); i++) {
        Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
        customer.account = TEXT(ACCOUNTS[i]);
        customer.name = TEXT("x");
        hs_msg_pack(&customer.base, &packed[i]);
        hallsync__put_record__init(&records[i]);
        records[i].record = (ProtobufCBinaryData){.len = packed[i].size, .data = packed[i].data};
        list[i] = &records[i];
    }
    body.kind = HS_KIND_CUSTOMER;
    body.records = list;
    body.n_records = COUNT(ACCOUNTS);
    Hallsync__Request request = REQUEST(put, PUT, &body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    assert_null(reply->error);
    assert_int_equal(reply->put->n_results, COUNT(ACCOUNTS));
    for (size_t i = 0; i < COUNT(ACCOUNTS); i++) {
        if (ERRORS[i] != NULL)
            assert_refused(reply->put->results[i], ERRORS[i], "account");
        else
            assert_null(reply->put->results[i]->error);
        hs_buf_fini(&packed[i]);
    }
    assert_int_equal(reply->put->results[3]->result, HALLSYNC__RESULT__RESULT_UNCHANGED);
    assert_non_null(get_record(client, HS_KIND_CUSTOMER, "3201000021"));
}

/* ---- registers ---- */

static void only_fields_given_are_written(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("1")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("1")), HALLSYNC__RESULT__RESULT_UNCHANGED);
    const Hallsync__Record *record = get_record(client, HS_KIND_CUSTOMER, ACCOUNT);
    Hallsync__Customer *customer = hallsync__customer__unpack(NULL, record->record.len, record->record.data);
    assert_string_equal(customer->name, "陈");
    assert_string_equal(customer->phone, "1");
    hallsync__customer__free_unpacked(customer, NULL);
    assert_int_equal(record->n_dots, 3);

    static const uint32_t PHONE[] = {3};
    static const uint32_t NAME[] = {2};
    Hallsync__Customer bare = HALLSYNC__CUSTOMER__INIT;
    bare.account = TEXT(ACCOUNT);
    struct putting clearing = {.kind = HS_KIND_CUSTOMER, .message = &bare.base, .clear = PHONE, .clear_count = 1};
    assert_result(put(client, &clearing), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_result(put(client, &clearing), HALLSYNC__RESULT__RESULT_UNCHANGED);
    clearing.clear = NAME;
    assert_refused(put(client, &clearing), "missing-field", "name");
    assert_refused(CUSTOMER(.account = TEXT("3201000003")), "missing-field", "name");
    assert_refused(BILL(.bill_id = TEXT("B1"), .account = TEXT(OTHER_ACCOUNT), .amount_fen = 1), "fixed-field",
                   "account");
    assert_result(BILL(.bill_id = TEXT("B1"), .amount_fen = 6000), HALLSYNC__RESULT__RESULT_CHANGED);
}

/* "Sent again" must not undo what somebody else has written meanwhile. */
static void a_repeated_write_changes_nothing(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    static const uint8_t ID[HS_REQUEST_ID_BYTES] = {9};
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    customer.account = TEXT(ACCOUNT);
    customer.phone = TEXT("old");
    struct putting putting = {.kind = HS_KIND_CUSTOMER, .message = &customer.base, .request = HS_BYTES(ID, sizeof ID)};
    assert_result(put(client, &putting), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("new")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_result(put(client, &putting), HALLSYNC__RESULT__RESULT_UNCHANGED);
    restart(desk);
    assert_result(put(client, &putting), HALLSYNC__RESULT__RESULT_UNCHANGED);
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("new")), HALLSYNC__RESULT__RESULT_UNCHANGED);
}

/* A client that saw nothing in a field overwrites nothing of what has come since: both stand, and a person decides. */
static void put_apart(struct client *client, const char *phone)
{
    Hallsync__FieldDots dots = HALLSYNC__FIELD_DOTS__INIT;
    Hallsync__FieldDots *seen[] = {&dots};
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    dots.field = 3;
    customer.account = TEXT(ACCOUNT);
    customer.phone = TEXT(phone);
    struct putting putting = {.kind = HS_KIND_CUSTOMER, .message = &customer.base, .seen = seen, .seen_count = 1};
    assert_result(put(client, &putting), HALLSYNC__RESULT__RESULT_CHANGED);
}

static const Hallsync__Reply *conflicts(struct client *client, const char *type, const char *id)
{
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    body.type = TEXT(type);
    body.id = TEXT(id);
    Hallsync__Request request = REQUEST(conflicts, CONFLICTS, &body);
    return client_ask(client, &request);
}

static const Hallsync__Reply *resolve(struct client *client, const char *id, const char *field, const char *value)
{
    Hallsync__FieldChoice choice = HALLSYNC__FIELD_CHOICE__INIT;
    Hallsync__FieldChoice *choices[] = {&choice};
    Hallsync__ResolveRequest body = HALLSYNC__RESOLVE_REQUEST__INIT;
    choice.field = TEXT(field);
    choice.value = TEXT(value);
    body.id = TEXT(id);
    body.choices = choices;
    body.n_choices = field != NULL;
    Hallsync__Request request = REQUEST(resolve, RESOLVE, &body);
    return client_ask(client, &request);
}

static void values_written_apart_are_listed_and_resolved(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char id[200];
    put_apart(client, "111");
    put_apart(client, "222");
    const Hallsync__Reply *reply = conflicts(client, NULL, NULL);
    assert_int_equal(reply->conflicts->n_conflicts, 1);
    const Hallsync__Conflict *conflict = reply->conflicts->conflicts[0];
    assert_string_equal(conflict->type, "field");
    assert_string_equal(conflict->record_id, ACCOUNT);
    assert_non_null(strstr(conflict->text, "phone: '222' (nj-gulou), '111' (nj-gulou)"));
    assert_int_equal(conflict->n_fields, 0);
    snprintf(id, sizeof id, "%s", conflict->id);

    conflict = conflicts(client, NULL, id)->conflicts->conflicts[0];
    assert_int_equal(conflict->n_fields, 1);
    assert_string_equal(conflict->fields[0]->name, "phone");
    assert_int_equal(conflict->fields[0]->n_values, 2);
    assert_string_equal(conflict->fields[0]->values[0]->text, "222");

    assert_string_equal(resolve(client, id, "name", "x")->error, "invalid");
    assert_string_equal(resolve(client, id, "colour", "x")->error, "unknown-field");
    reply = resolve(client, id, "phone", "111");
    assert_null(reply->error);
    assert_result(reply->put->results[0], HALLSYNC__RESULT__RESULT_CHANGED);
    assert_string_equal(resolve(client, id, NULL, NULL)->error, "not-found");
    assert_string_equal(conflicts(client, NULL, id)->error, "not-found");
    assert_int_equal(get_record(client, HS_KIND_CUSTOMER, ACCOUNT)->n_dots, 3);
    put_apart(client, "333");
    assert_result(resolve(client, id, NULL, NULL)->put->results[0], HALLSYNC__RESULT__RESULT_CHANGED);
}

static void money_that_does_not_add_up_is_listed(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char id[200];
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 5050, .bill_id = TEXT("B1")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 10, .bill_id = TEXT("B7")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__Conflict *conflict = conflicts(client, "overpaid", NULL)->conflicts->conflicts[0];
    assert_int_equal(conflict->amount_fen, 50);
    assert_non_null(strstr(conflict->text, "bill B1 of account " ACCOUNT ": 0.50 yuan paid too much"));
    snprintf(id, sizeof id, "%s", conflict->id);
    const Hallsync__Reply *reply = resolve(client, id, NULL, NULL);
    assert_string_equal(reply->error, "invalid");
    assert_non_null(strstr(reply->text, "reverse a payment"));
    conflict = conflicts(client, "no-bill", NULL)->conflicts->conflicts[0];
    assert_string_equal(conflict->record_id, "B7");
    assert_string_equal(conflicts(client, "flood", NULL)->error, "invalid");
    assert_string_equal(conflicts(client, NULL, "field:3201:1:zz")->error, "bad-value");
    assert_string_equal(get_record(client, HS_KIND_BILL, "B1")->bill->state, "overpaid");
    assert_int_equal(status(client)->overpayments, 1);
}

/* ---- imports ---- */

static const Hallsync__PutResult *import(struct client *client, const char *source, const char *phone)
{
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    customer.account = TEXT("3201000030");
    customer.name = TEXT("王");
    customer.phone = TEXT(phone);
    return put(client, &(struct putting){.kind = HS_KIND_CUSTOMER, .message = &customer.base, .source = source});
}

static void the_same_import_again_writes_nothing(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    assert_result(import(client, "marketing", "1"), HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__Record *record = get_record(client, HS_KIND_CUSTOMER, "3201000030");
    assert_int_equal(record->n_dots, 3); /* what the import remembers is not for people */
    assert_true(hs_tlv_bytes(HS_BYTES(record->record.data, record->record.len), 3).size == 1);
    for (unsigned i = 0; i < 3; i++)
        assert_result(import(client, "marketing", "1"), HALLSYNC__RESULT__RESULT_UNCHANGED);

    client_close(client);
    office_stop(&desk->office);
    world_open(&desk->office.node, false);
    struct hs_stream stream = {
        .origin = world_current_origin(&desk->office.node), .partition = 3201, .lane = HS_LANE_PEOPLE};
    assert_int_equal(world_head(&desk->office.node, &stream), 3); /* two customers and this one */
    world_close(&desk->office.node);
    office_start(&desk->office, false);
    client_open(client, &desk->office, ZMQ_DEALER);
}

static void what_a_counter_changed_survives_the_nightly_import(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(import(client, "marketing", "1"), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(CUSTOMER(.account = TEXT("3201000030"), .phone = TEXT("2")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_result(import(client, "marketing", "1"), HALLSYNC__RESULT__RESULT_UNCHANGED);
    assert_result(import(client, "marketing", "3"), HALLSYNC__RESULT__RESULT_CHANGED);
    const Hallsync__Conflict *conflict = conflicts(client, "field", NULL)->conflicts->conflicts[0];
    assert_non_null(strstr(conflict->text, "'3'"));
    assert_non_null(strstr(conflict->text, "'2'"));
    assert_result(import(client, "marketing", "3"), HALLSYNC__RESULT__RESULT_UNCHANGED);
}

/* The source took over what the counter wrote, and went on from there. */
static void an_import_that_agrees_goes_on_alone(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(import(client, "marketing", "1"), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(CUSTOMER(.account = TEXT("3201000030"), .phone = TEXT("2")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_result(import(client, "marketing", "2"), HALLSYNC__RESULT__RESULT_UNCHANGED);
    assert_result(import(client, "marketing", "3"), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_int_equal(conflicts(client, NULL, NULL)->conflicts->n_conflicts, 0);
    assert_result(import(client, "metering", "3"), HALLSYNC__RESULT__RESULT_UNCHANGED);
    assert_result(import(client, "marketing", "4"), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_result(import(client, "metering", "3"), HALLSYNC__RESULT__RESULT_UNCHANGED);
    assert_result(import(client, "marketing", "4"), HALLSYNC__RESULT__RESULT_UNCHANGED);
    assert_int_equal(conflicts(client, NULL, NULL)->conflicts->n_conflicts, 0);
    assert_refused(import(client, "", "1"), "bad-value", NULL);
}

/* ---- tickets ---- */

static void a_ticket_is_opened_once_and_moves_as_it_may(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    for (unsigned i = 0; i < 2; i++)
        assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("outage-report"), .account = TEXT(ACCOUNT),
                             .summary = TEXT("停电")),
                      i == 0 ? HALLSYNC__RESULT__RESULT_CREATED : HALLSYNC__RESULT__RESULT_EXISTS);
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .summary = TEXT("全楼停电")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_refused(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("complaint")), "fixed-field", "service");
    assert_refused(TICKET(.ticket_id = TEXT("t-2"), .service = TEXT("teleport"), .summary = TEXT("x")),
                   "unknown-service", "service");
    const Hallsync__PutResult *refused = EVENT(OF_TICKET("t-1"), .state = TEXT("archived"));
    assert_refused(refused, "bad-state", "state");
    assert_non_null(strstr(refused->text, "from open a ticket cannot go to archived; possible: accepted, assigned"));
    assert_refused(EVENT(OF_TICKET("t-1"), .state = TEXT("gone")), "bad-state", "state");
    assert_refused(EVENT(OF_TICKET("t-9"), .state = TEXT("accepted")), "unknown-ticket", "ticket_id");
    for (unsigned i = 0; i < 2; i++)
        assert_result(
            EVENT(.event_id = TEXT("e-1"), OF_TICKET("t-1"), .state = TEXT("assigned"), .assignee = TEXT("抢修一班")),
            i == 0 ? HALLSYNC__RESULT__RESULT_CREATED : HALLSYNC__RESULT__RESULT_EXISTS);
    assert_result(EVENT(OF_TICKET("t-1"), .note = TEXT("on the way")), HALLSYNC__RESULT__RESULT_CREATED);

    const Hallsync__TicketState *ticket = get_record(client, HS_KIND_TICKET, "t-1")->ticket;
    assert_string_equal(ticket->state, "assigned");
    assert_string_equal(ticket->assignee, "抢修一班");
    assert_int_equal(ticket->n_events, 3);
    assert_string_equal(ticket->events[0]->state, "open");
    assert_string_equal(ticket->events[1]->event_id, "e-1");
    assert_string_equal(ticket->events[2]->note, "on the way");
    assert_string_equal(ticket->events[2]->node, "nj-gulou");
    assert_true(ticket->events[2]->fits);
}

static void a_ticket_without_an_account_lies_where_it_is_asked_for(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__Ticket ticket = HALLSYNC__TICKET__INIT;
    ticket.ticket_id = TEXT("t-far");
    ticket.service = TEXT("complaint");
    ticket.summary = TEXT("x");
    struct putting putting = {.kind = HS_KIND_TICKET, .message = &ticket.base, .partition = 3299};
    assert_result(put(client, &putting), HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(get_record(client, HS_KIND_TICKET, "t-far")->partition, 3299);
    putting.partition = 12345;
    ticket.ticket_id = TEXT("t-nowhere");
    assert_refused(put(client, &putting), "bad-value", NULL);
    putting.partition = 0;
    assert_result(put(client, &putting), HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(get_record(client, HS_KIND_TICKET, "t-nowhere")->partition, 3201);
}

/* ---- two nodes ---- */

/* Everything that one node has, into the other; both are stopped for it. */
static void carry(struct office *from, struct office *to)
{
    office_stop(from);
    office_stop(to);
    world_open(&from->node, false);
    world_open(&to->node, false);
    world_carry(&from->node, &to->node);
    world_close(&from->node);
    world_close(&to->node);
    office_start(from, false);
    office_start(to, false);
}

/* The answer of the hall was lost, so the client paid at the hub, which had not heard of it: one payment, and two
 * slips. */
static void one_payment_at_two_nodes_counts_once_and_its_slips_are_listed(void **state)
{
    struct desk *desk = *state;
    struct office *hub = calloc(1, sizeof *hub);
    struct client at_hub;
    struct client *client = &desk->client;
    office_make(hub, HS_ROLE_HUB, desk->office.region);
    hub->options.accept_unknown_accounts = true;
    office_restart(hub);
    client_open(&at_hub, hub, ZMQ_DEALER);
    assert_result(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 100),
                  HALLSYNC__RESULT__RESULT_CREATED);
    client = &at_hub;
    assert_result(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 100),
                  HALLSYNC__RESULT__RESULT_CREATED);
    client_close(&desk->client);
    client_close(&at_hub);
    carry(&desk->office, hub);
    client_open(&desk->client, &desk->office, ZMQ_DEALER);
    client_open(&at_hub, hub, ZMQ_DEALER);

    assert_int_equal(totals(client, NULL).sum_fen, 100);
    const Hallsync__Conflict *conflict = conflicts(client, "double-entry", NULL)->conflicts->conflicts[0];
    assert_non_null(strstr(conflict->text, "nj-gulou-"));
    assert_non_null(strstr(conflict->text, "nj-hub-"));
    assert_result(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 100),
                  HALLSYNC__RESULT__RESULT_EXISTS);
    assert_refused(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 200), "id-in-use", NULL);
    assert_null(reverse(client, "p-1", "r-1")->error);
    assert_string_equal(get_record(client, HS_KIND_CUSTOMER, ACCOUNT)->node, "nj-gulou");
    client_close(&at_hub);
    office_drop(hub);
    free(hub);
}

/* ---- thirteen windows ---- */

struct window {
    pthread_t thread;
    struct office *office;
    unsigned number;
    size_t receipts;
    char numbers[PAYMENTS_EACH][HS_NUMBER_BYTES_MAX];
};

static void *pay_all(void *arg)
{
    struct window *window = arg;
    struct client made;
    struct client *client = &made;
    client_open(client, window->office, ZMQ_DEALER);
    for (unsigned i = 0; i < PAYMENTS_EACH; i++) {
        char id[32];
        snprintf(id, sizeof id, "w%u-%u", window->number, i);
        const Hallsync__PutResult *result = PAY(.payment_id = id, .account = TEXT(i % 2 == 0 ? ACCOUNT : OTHER_ACCOUNT),
                                                .amount_fen = 10, .window = window->number);
        if (result->error == NULL && result->result == HALLSYNC__RESULT__RESULT_CREATED)
            snprintf(window->numbers[window->receipts++], HS_NUMBER_BYTES_MAX, "%s", result->receipt);
    }
    client_close(client);
    return NULL;
}

static int text_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void thirteen_windows_pay_at_once(void **state)
{
    struct desk *desk = *state;
    struct window *windows = calloc(WINDOWS, sizeof *windows);
    char(*all)[HS_NUMBER_BYTES_MAX] = calloc(WINDOWS * PAYMENTS_EACH, sizeof *all);
    size_t count = 0;
    for (unsigned i = 0; i < WINDOWS; i++) {
        windows[i] = (struct window){.office = &desk->office, .number = i + 1};
        assert_int_equal(pthread_create(&windows[i].thread, NULL, pay_all, &windows[i]), 0);
    }
    for (unsigned i = 0; i < WINDOWS; i++) {
        pthread_join(windows[i].thread, NULL);
        memcpy(all[count], windows[i].numbers, windows[i].receipts * sizeof *all);
        count += windows[i].receipts;
    }
    assert_int_equal(count, WINDOWS * PAYMENTS_EACH);
    qsort(all, count, sizeof *all, text_compare);
    for (size_t i = 1; i < count; i++)
        assert_string_not_equal(all[i - 1], all[i]);
    Hallsync__TotalsReply sums = totals(&desk->client, NULL);
    assert_int_equal(sums.count, WINDOWS * PAYMENTS_EACH);
    assert_int_equal(sums.sum_fen, WINDOWS * PAYMENTS_EACH * 10);
    free(windows);
    free(all);
}

/* ---- a full disk ---- */

static void the_reserve_keeps_the_tills_open(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    const Hallsync__StatusReply *before = status(client);
    uint64_t left = before->map_free_bytes < before->disk_free_bytes ? before->map_free_bytes : before->disk_free_bytes;
    assert_null(before->disk_level);
    desk->office.options.disk_reserve_bytes = left / 3 * 2; /* left: one and a half times that */
    restart(desk);
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    Hallsync__PutRecord record = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__PutRecord *records[] = {&record};
    Hallsync__PutRequest body = HALLSYNC__PUT_REQUEST__INIT;
    struct hs_buf packed = {0};
    customer.account = TEXT("3201000040");
    customer.name = TEXT("x");
    hs_msg_pack(&customer.base, &packed);
    record.record = (ProtobufCBinaryData){.len = packed.size, .data = packed.data};
    body.kind = HS_KIND_CUSTOMER;
    body.records = records;
    body.n_records = 1;
    Hallsync__Request request = REQUEST(put, PUT, &body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    assert_string_equal(reply->error, "disk-full");
    assert_non_null(strstr(reply->text, "such writes need"));
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 1), HALLSYNC__RESULT__RESULT_CREATED);
    assert_string_equal(status(client)->disk_level, "low");
    hs_buf_fini(&packed);
    desk->office.options.disk_reserve_bytes = 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_payment_gets_a_receipt_and_pays_its_bill),
        CASE(a_payment_sent_again_is_the_same_payment),
        CASE(equal_content_has_equal_bytes),
        CASE(a_request_sent_again_makes_nothing_new),
        CASE(bad_payments_are_refused_by_name),
        CASE(raw_records_that_lie_are_refused),
        CASE(a_foreign_payment_is_taken_but_not_reversed_here),
        CASE(a_foreign_payment_that_no_hub_knows_yet_is_reversed),
        CASE(a_payment_is_reversed_once),
        CASE(many_records_are_judged_one_by_one),
        CASE(only_fields_given_are_written),
        CASE(a_repeated_write_changes_nothing),
        CASE(values_written_apart_are_listed_and_resolved),
        CASE(money_that_does_not_add_up_is_listed),
        CASE(the_same_import_again_writes_nothing),
        CASE(what_a_counter_changed_survives_the_nightly_import),
        CASE(an_import_that_agrees_goes_on_alone),
        CASE(a_ticket_is_opened_once_and_moves_as_it_may),
        CASE(a_ticket_without_an_account_lies_where_it_is_asked_for),
        CASE(one_payment_at_two_nodes_counts_once_and_its_slips_are_listed),
        CASE(thirteen_windows_pay_at_once),
        CASE(the_reserve_keeps_the_tills_open),
    };
    return cmocka_run_group_tests_name("service put", tests, NULL, NULL);
}
