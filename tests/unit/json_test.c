/* json_test.c -- messages of the local API and records as JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/json/json.h"
#include "proto/records.pb-c.h"
#include "storage/model/kinds.h"

#include <stdlib.h>

#define S(literal) ((char[]){literal}) /* protobuf-c's members know no const */

static void assert_shown(json_t *object, const char *expected)
{
    assert_non_null(object);
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(HS_JSON_REAL_DIGITS));
    assert_string_equal(text, expected);
    free(text);
    json_decref(object);
}

static void a_payment_shows_what_the_node_knows(void **state)
{
    (void)state;
    uint8_t packed[128];
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    payment.account = S("3201000001");
    payment.has_amount_fen = 1;
    payment.amount_fen = 12345;
    payment.has_window = 1;
    payment.window = 3;
    Hallsync__Record record = HALLSYNC__RECORD__INIT;
    record.kind = HS_KIND_PAYMENT;
    record.partition = 3201;
    record.id = S("00112233445566778899aabbccddeeff");
    record.record = (ProtobufCBinaryData){.len = hallsync__payment__pack(&payment, packed), .data = packed};
    record.has_safe = 1;
    record.safe = HALLSYNC__SAFETY__SAFETY_HUB;
    record.receipt = S("nj-20261121-03-K7Q2ZD-000017");
    record.node = S("nj");
    record.has_time_ms = 1;
    record.time_ms = 1795221005123;
    assert_shown(hs_json_record(&record, 480),
                 "{\"payment_id\":\"00112233445566778899aabbccddeeff\",\"account\":\"3201000001\",\"amount_fen\":12345,"
                 "\"window\":3,\"receipt\":\"nj-20261121-03-K7Q2ZD-000017\",\"safe\":\"hub\",\"reversed\":false,"
                 "\"node\":\"nj\",\"partition\":\"3201\",\"time\":\"2026-11-21T08:30:05.123+08:00\"}");
    assert_shown(hs_json_content(&record),
                 "{\"payment_id\":\"00112233445566778899aabbccddeeff\",\"account\":\"3201000001\","
                 "\"amount_fen\":12345,\"window\":3}");
}

static void a_bill_shows_what_is_due(void **state)
{
    (void)state;
    Hallsync__BillState sums = HALLSYNC__BILL_STATE__INIT;
    sums.paid_fen = 20000;
    sums.due_fen = -7655;
    sums.state = S("overpaid");
    Hallsync__Record record = HALLSYNC__RECORD__INIT;
    record.kind = HS_KIND_BILL;
    record.partition = 3201;
    record.id = S("B1");
    record.bill = &sums;
    assert_shown(
        hs_json_record(&record, 480),
        "{\"bill_id\":\"B1\",\"paid_fen\":20000,\"due_fen\":-7655,\"state\":\"overpaid\",\"partition\":\"3201\"}");
}

static void a_ticket_shows_its_events(void **state)
{
    (void)state;
    Hallsync__TicketStep step = HALLSYNC__TICKET_STEP__INIT;
    step.event_id = S("e1");
    step.state = S("assigned");
    step.has_time_ms = 1;
    step.time_ms = 0;
    step.has_fits = 1;
    step.fits = 0;
    Hallsync__TicketStep *steps[] = {&step};
    Hallsync__TicketState folded = HALLSYNC__TICKET_STATE__INIT;
    folded.state = S("open");
    folded.assignee = S("zhang");
    folded.n_events = 1;
    folded.events = steps;
    Hallsync__Record record = HALLSYNC__RECORD__INIT;
    record.kind = HS_KIND_TICKET;
    record.partition = HS_PARTITION_REGION;
    record.id = S("T-1");
    record.ticket = &folded;
    assert_shown(
        hs_json_record(&record, 480),
        "{\"ticket_id\":\"T-1\",\"state\":\"open\",\"assignee\":\"zhang\",\"events\":[{\"event_id\":\"e1\","
        "\"state\":\"assigned\",\"fits\":false,\"time\":\"1970-01-01T08:00:00.000+08:00\"}],\"partition\":\"region\"}");
}

static void unknown_kinds_and_bytes_do_not_stop_anything(void **state)
{
    (void)state;
    Hallsync__Record record = HALLSYNC__RECORD__INIT;
    record.kind = 99;
    record.partition = 3201;
    record.id = S("\xff?");
    record.record = (ProtobufCBinaryData){.len = 2, .data = (uint8_t *)"\x08\xff"};
    assert_shown(hs_json_content(&record), "{\"id\":\"\?\?\",\"record\":\"08ff\"}");
    record.kind = HS_KIND_PAYMENT; /* bytes that are no payment */
    assert_shown(hs_json_content(&record), "{\"id\":\"\?\?\",\"record\":\"08ff\"}");
    char text[HS_JSON_KIND_BYTES];
    assert_string_equal(hs_json_kind(99, text), "kind-99");
    assert_string_equal(hs_json_kind(4, text), "cash_entry");
}

static void messages_show_by_their_descriptors(void **state)
{
    (void)state;
    Hallsync__DotName dot = HALLSYNC__DOT_NAME__INIT;
    dot.origin = 0xfedcba9876543210;
    dot.n = 7;
    Hallsync__ConflictValue value = HALLSYNC__CONFLICT_VALUE__INIT;
    value.text = S("王");
    value.node = S("nj");
    value.dot = &dot;
    Hallsync__ConflictValue *values[] = {&value};
    Hallsync__ConflictField field = HALLSYNC__CONFLICT_FIELD__INIT;
    field.number = 2;
    field.name = S("name");
    field.n_values = 1;
    field.values = values;
    Hallsync__ConflictField *fields[] = {&field};
    Hallsync__Conflict conflict = HALLSYNC__CONFLICT__INIT;
    conflict.id = S("c1");
    conflict.type = S("field");
    conflict.kind = HS_KIND_CUSTOMER;
    conflict.partition = 7;
    conflict.record_id = S("0007000001");
    conflict.n_fields = 1;
    conflict.fields = fields;
    assert_shown(
        hs_json_message(&conflict.base),
        "{\"id\":\"c1\",\"type\":\"field\",\"kind\":\"customer\",\"partition\":\"0007\",\"record_id\":\"0007000001\","
        "\"fields\":[{\"number\":2,\"name\":\"name\",\"values\":[{\"text\":\"王\",\"time_ms\":0,\"node\":\"nj\","
        "\"dot\":{\"origin\":\"fedcba9876543210\",\"n\":7}}]}],\"decisions\":[]}");
}

static void reals_show_by_their_descriptors(void **state)
{
    (void)state;
    double bounds[] = {0.001, 2.5};
    uint64_t counts[] = {1, 0, 7};
    Hallsync__Histogram histogram = HALLSYNC__HISTOGRAM__INIT;
    histogram.name = S("commit");
    histogram.unit = S("seconds");
    histogram.bounds = bounds;
    histogram.n_bounds = 2;
    histogram.counts = counts;
    histogram.n_counts = 3;
    histogram.sum = 1.0 / 3;
    assert_shown(hs_json_message(&histogram.base),
                 "{\"name\":\"commit\",\"unit\":\"seconds\",\"bounds\":[0.001,2.5],\"counts\":[1,0,7],"
                 "\"sum\":0.333333333}");
}

static void results_show_answers_and_errors(void **state)
{
    (void)state;
    Hallsync__PutResult result = HALLSYNC__PUT_RESULT__INIT;
    result.id = S("P-1");
    result.has_result = 1;
    result.result = HALLSYNC__RESULT__RESULT_EXISTS;
    result.has_safe = 1;
    result.safe = HALLSYNC__SAFETY__SAFETY_SAFE;
    result.receipt = S("r");
    assert_shown(hs_json_result(&result), "{\"id\":\"P-1\",\"result\":\"exists\",\"safe\":\"safe\",\"receipt\":\"r\"}");
    Hallsync__PutResult bad = HALLSYNC__PUT_RESULT__INIT;
    bad.error = S("bad-amount");
    bad.text = S("amount_fen: 0");
    bad.field = S("amount_fen");
    assert_shown(hs_json_result(&bad),
                 "{\"error\":\"bad-amount\",\"text\":\"amount_fen: 0\",\"field\":\"amount_fen\"}");
}

/* What json.c leaves to its defaults must not occur in what it is given. */
static void our_messages_have_no_types_that_are_not_shown(void **state)
{
    (void)state;
    static const ProtobufCMessageDescriptor *const MESSAGES[] = {
        &hallsync__record__descriptor,         &hallsync__ticket_step__descriptor,
        &hallsync__conflict__descriptor,       &hallsync__conflict_field__descriptor,
        &hallsync__conflict_value__descriptor, &hallsync__status_reply__descriptor,
        &hallsync__peer_status__descriptor,    &hallsync__counter__descriptor,
        &hallsync__lane_status__descriptor,    &hallsync__fill_status__descriptor,
        &hallsync__histogram__descriptor,      &hallsync__books_status__descriptor,
        &hallsync__refused_status__descriptor, &hallsync__evicting_status__descriptor,
        &hallsync__node__descriptor,           &hallsync__digest__descriptor,
        &hallsync__totals_reply__descriptor,   &hallsync__enroll_reply__descriptor,
        &hallsync__wait_reply__descriptor,     &hallsync__customer__descriptor,
        &hallsync__bill__descriptor,           &hallsync__payment__descriptor,
        &hallsync__cash_entry__descriptor,     &hallsync__reversal__descriptor,
        &hallsync__ticket__descriptor,         &hallsync__ticket_event__descriptor,
    };
    for (size_t i = 0; i < sizeof MESSAGES / sizeof *MESSAGES; i++) {
        for (unsigned f = 0; f < MESSAGES[i]->n_fields; f++) {
            const ProtobufCFieldDescriptor *field = &MESSAGES[i]->fields[f];
            bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
            bool small = field->type == PROTOBUF_C_TYPE_ENUM || field->type == PROTOBUF_C_TYPE_BOOL;
            assert_false(repeated && small);
            assert_false(field->type == PROTOBUF_C_TYPE_INT32 || field->type == PROTOBUF_C_TYPE_SINT32 ||
                         field->type == PROTOBUF_C_TYPE_FIXED32 || field->type == PROTOBUF_C_TYPE_SFIXED32 ||
                         field->type == PROTOBUF_C_TYPE_FLOAT);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_payment_shows_what_the_node_knows),
        cmocka_unit_test(a_bill_shows_what_is_due),
        cmocka_unit_test(a_ticket_shows_its_events),
        cmocka_unit_test(unknown_kinds_and_bytes_do_not_stop_anything),
        cmocka_unit_test(messages_show_by_their_descriptors),
        cmocka_unit_test(reals_show_by_their_descriptors),
        cmocka_unit_test(results_show_answers_and_errors),
        cmocka_unit_test(our_messages_have_no_types_that_are_not_shown),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
