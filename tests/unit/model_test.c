/* model_test.c -- storage/model: the table of kinds, what it lets pass and why it refuses. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/msg/tlv.h"
#include "storage/model/appointment.h"
#include "storage/model/kinds.h"
#include "storage/model/queue.h"

#include <string.h>

#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define HUB_KINDS     1000 /* from here on; PROTOCOL.md, "What a node may write" */

/* ---- the table ---- */

static void kinds_have_frozen_numbers_and_names(void **state)
{
    (void)state;
    static const struct {
        uint32_t number;
        const char *name;
        enum hs_shape shape;
        enum hs_lane lane;
    } FROZEN[] = {
        {1, "customer", HS_SHAPE_REGISTER, HS_LANE_PEOPLE},
        {2, "bill", HS_SHAPE_REGISTER, HS_LANE_BULK},
        {3, "payment", HS_SHAPE_FACT, HS_LANE_MONEY},
        {4, "cash_entry", HS_SHAPE_FACT, HS_LANE_MONEY},
        {5, "reversal", HS_SHAPE_FACT, HS_LANE_MONEY},
        {6, "ticket", HS_SHAPE_REGISTER, HS_LANE_WORK},
        {7, "ticket_event", HS_SHAPE_FACT, HS_LANE_WORK},
        {1000, "catalogue", HS_SHAPE_REGISTER, HS_LANE_BULK},
        {1001, "notice", HS_SHAPE_REGISTER, HS_LANE_WORK},
        {1002, "reissue", HS_SHAPE_FACT, HS_LANE_PEOPLE},
        {19, "queue_ticket", HS_SHAPE_FACT, HS_LANE_WORK},
        {20, "queue_event", HS_SHAPE_FACT, HS_LANE_WORK},
        {1003, "decision", HS_SHAPE_FACT, HS_LANE_MONEY},
        {25, "rating", HS_SHAPE_FACT, HS_LANE_WORK},
        {26, "audit", HS_SHAPE_FACT, HS_LANE_WORK},
        {10, "reprint", HS_SHAPE_FACT, HS_LANE_MONEY},
        {11, "invoice_request", HS_SHAPE_REGISTER, HS_LANE_WORK},
        {8, "title_change", HS_SHAPE_FACT, HS_LANE_PEOPLE},
        {9, "subscription", HS_SHAPE_REGISTER, HS_LANE_PEOPLE},
        {24, "reminder", HS_SHAPE_FACT, HS_LANE_PEOPLE},
        {12, "window_event", HS_SHAPE_FACT, HS_LANE_MONEY},
        {13, "close", HS_SHAPE_FACT, HS_LANE_MONEY},
        {15, "handing_in", HS_SHAPE_FACT, HS_LANE_MONEY},
        {1004, "close_answer", HS_SHAPE_FACT, HS_LANE_MONEY},
        {1005, "calendar", HS_SHAPE_REGISTER, HS_LANE_BULK},
        {16, "settlement", HS_SHAPE_FACT, HS_LANE_MONEY},
        {1006, "grant", HS_SHAPE_FACT, HS_LANE_PEOPLE},
        {21, "slot", HS_SHAPE_REGISTER, HS_LANE_WORK},
        {22, "appointment", HS_SHAPE_FACT, HS_LANE_WORK},
        {23, "appointment_event", HS_SHAPE_FACT, HS_LANE_WORK},
    };
    assert_int_equal(HS_KIND_COUNT, COUNT(FROZEN));
    for (size_t i = 0; i < COUNT(FROZEN); i++) {
        const struct hs_kind *kind = hs_kind_by_number(FROZEN[i].number);
        assert_non_null(kind);
        assert_string_equal(kind->name, FROZEN[i].name);
        assert_ptr_equal(hs_kind_by_name(FROZEN[i].name), kind);
        assert_int_equal(kind->shape, FROZEN[i].shape);
        assert_int_equal(kind->lane, FROZEN[i].lane);
        bool by_node_only = kind->number == HS_KIND_CASH_ENTRY || kind->number == HS_KIND_REISSUE ||
                            kind->number == HS_KIND_DECISION || kind->number == HS_KIND_CLOSE ||
                            kind->number == HS_KIND_CLOSE_ANSWER || kind->number == HS_KIND_AUDIT;
        assert_int_equal(kind->by == HS_BY_NODE, by_node_only);
        if (kind->by != HS_BY_NODE)
            assert_int_equal(kind->by == HS_BY_HUBS, kind->number >= HUB_KINDS);
    }
    assert_null(hs_kind_by_number(0));
    assert_null(hs_kind_by_number(999));
    assert_null(hs_kind_by_name("payments"));
}

/* A form and the type that carries it. */
static ProtobufCType type_of_form(enum hs_form form)
{
    switch (form) {
    case HS_FORM_ID:
    case HS_FORM_HASH:
    case HS_FORM_BYTES:
        return PROTOBUF_C_TYPE_BYTES;
    case HS_FORM_AMOUNT:
    case HS_FORM_SUM:
        return PROTOBUF_C_TYPE_INT64;
    case HS_FORM_CHANGE:
    case HS_FORM_BALANCE:
        return PROTOBUF_C_TYPE_SINT64;
    case HS_FORM_NUMBER:
    case HS_FORM_COUNT:
        return PROTOBUF_C_TYPE_UINT32;
    case HS_FORM_TIME:
    case HS_FORM_QUANTITY:
        return PROTOBUF_C_TYPE_UINT64;
    case HS_FORM_LINES:
        return PROTOBUF_C_TYPE_MESSAGE;
    default:
        return PROTOBUF_C_TYPE_STRING;
    }
}

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((uint8_t)*text & 0xc0) != 0x80;
    return count;
}

static void check_meaning(const char *en, const char *zh)
{
    assert_in_range(strlen(en), 1, HS_MEANING_BYTES);
    assert_in_range(characters(zh), 1, HS_MEANING_BYTES);
    assert_true(characters(zh) < strlen(zh)); /* it is Chinese */
}

/* Every field of a message has a rule of a form that its type can have, and no rule is of another field. */
static void check_fields(const struct hs_fields *fields, bool of_lines)
{
    assert_int_equal(fields->count, fields->message->n_fields);
    for (size_t i = 0; i < fields->count; i++) {
        const struct hs_field_rule *rule = &fields->rules[i];
        const ProtobufCFieldDescriptor *field = &fields->message->fields[i];
        bool is_lines = rule->form == HS_FORM_LINES;
        bool bounded = rule->form == HS_FORM_TEXT || rule->form == HS_FORM_BYTES || is_lines;
        assert_int_equal(rule->number, field->id);
        assert_in_range(rule->number, 1, HS_FIELD_ID_MAX);
        assert_ptr_equal(hs_field_rule(fields, field->id), rule);
        assert_int_equal(field->type, type_of_form(rule->form));
        assert_int_equal(field->label, is_lines ? PROTOBUF_C_LABEL_REPEATED : PROTOBUF_C_LABEL_OPTIONAL);
        assert_int_equal(rule->form == HS_FORM_CHOICE, rule->choices != NULL);
        assert_true(!bounded || rule->most != 0);
        assert_true(bounded || rule->most == 0 || rule->form == HS_FORM_NUMBER || rule->form == HS_FORM_COUNT);
        assert_int_equal(is_lines, rule->lines != NULL);
        assert_true(!is_lines || (!of_lines && rule->most <= HS_LINES_MAX));
        assert_true(!of_lines || rule->policy == HS_POLICY_FIXED);
        check_meaning(rule->en, rule->zh);
        for (const struct hs_choice *choice = rule->choices; choice != NULL && choice->value != NULL; choice++)
            check_meaning(choice->en, choice->zh);
        bool is_money = field->type == PROTOBUF_C_TYPE_INT64 || field->type == PROTOBUF_C_TYPE_SINT64;
        assert_true(!is_money || strcmp(rule->unit, "fen") == 0);
        assert_true(rule->form != HS_FORM_TIME || strcmp(rule->unit, "ms") == 0);
        if (is_lines) {
            struct hs_fields line = hs_line_fields(fields, rule);
            check_fields(&line, true);
        }
    }
    assert_null(hs_field_rule(fields, 1000));
}

/* The folds read the same values that the table knows. */
static void events_are_those_of_their_folds(void **state)
{
    (void)state;
    const struct hs_choice *moves = hs_kind_rule(hs_kind_by_name("queue_event"), 3)->choices;
    for (size_t i = 0; HS_QUEUE_EVENTS[i] != NULL || moves[i].value != NULL; i++)
        assert_string_equal(moves[i].value, HS_QUEUE_EVENTS[i]);
    moves = hs_kind_rule(hs_kind_by_name("appointment_event"), 3)->choices;
    for (size_t i = 0; HS_BOOKING_EVENTS[i] != NULL || moves[i].value != NULL; i++)
        assert_string_equal(moves[i].value, HS_BOOKING_EVENTS[i]);
}

/* In JSON these stand beside the fields of a record, and would hide fields of the same name. */
static void no_field_has_a_name_of_what_the_node_knows(void **state)
{
    (void)state;
    static const char *const TAKEN[] = {"id",    "kind", "node",    "origin",   "partition", "time",    "safe",
                                        "as_of", "from", "held_by", "complete", "parked",    "receipt", "reversed"};
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        for (size_t j = 0; j < HS_KINDS[i].message->n_fields && HS_KINDS[i].number != HS_KIND_DECISION; j++) {
            for (size_t k = 0; k < COUNT(TAKEN); k++)
                assert_string_not_equal(HS_KINDS[i].message->fields[j].name, TAKEN[k]);
        }
    }
}

static void rules_and_messages_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        const struct hs_kind *kind = &HS_KINDS[i];
        struct hs_fields fields = hs_kind_fields(kind);
        check_fields(&fields, false);
        assert_true(kind->en[0] != '\0' && kind->zh[0] != '\0' && kind->about[0] != '\0' && kind->about_zh[0] != '\0');
        for (size_t j = 0; j < kind->field_count; j++) {
            const ProtobufCFieldDescriptor *field = &kind->message->fields[j];
            assert_ptr_equal(hs_kind_rule(kind, field->id), &kind->fields[j]);
            assert_string_equal(hs_kind_field_name(kind, field->id), field->name);
            assert_true(kind->fields[j].policy == HS_POLICY_FIXED || kind->shape == HS_SHAPE_REGISTER);
        }
        assert_null(hs_kind_rule(kind, 1000));
        assert_null(hs_kind_field_name(kind, 1000));
    }
}

static void ids_homes_and_indexes_name_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        const struct hs_kind *kind = &HS_KINDS[i];
        const struct hs_field_rule *id = hs_kind_rule(kind, kind->id_field);
        assert_non_null(id);
        assert_true(id->form == HS_FORM_ACCOUNT || id->form == HS_FORM_DATE ||
                    (id->form == HS_FORM_TEXT && id->most <= HS_RECORD_ID_BYTES_MAX));
        if (kind->home_form == HS_HOME_DISTRICT)
            assert_int_equal(hs_kind_rule(kind, kind->home_field)->form, HS_FORM_DISTRICT);
        else if (kind->home_field != 0)
            assert_int_equal(hs_kind_rule(kind, kind->home_field)->form, HS_FORM_ACCOUNT);
        for (size_t j = 0; j < kind->index_count; j++) {
            const struct hs_index *index = &kind->indexes[j];
            assert_true(index->field != 0 || index->line == 0);     /* computed, perhaps with a field behind */
            bool more = j > 0 && index->number == index[-1].number; /* another row of the same index */
            assert_int_equal(index->number, j == 0 ? 1 : index[-1].number + !more);
            if (more)
                assert_string_equal(index->name, index[-1].name);
            else
                assert_ptr_equal(hs_kind_index(kind, index->name), index);
            assert_int_equal(index->line != 0, index->field != 0 && hs_kind_rule(kind, index->field)->lines != NULL);
            assert_true(index->then == 0 || hs_kind_rule(kind, index->then)->lines == NULL);
            if (index->field != 0 && !more)
                assert_string_equal(index->name, hs_kind_field_name(kind, index->field));
        }
        assert_null(hs_kind_index(kind, "phone"));
        assert_int_equal(kind->id_form == HS_ID_HASH, kind->id_of != NULL);
        for (const uint32_t *of = kind->id_of; of != NULL && *of != 0; of++)
            assert_true(hs_kind_rule(kind, *of)->policy == HS_POLICY_FIXED);
    }
}

/* Look-up is by account, card or identity number only; by the meter, and of all, where no counter asks. */
static void customers_are_found_by_three_numbers(void **state)
{
    (void)state;
    const struct hs_kind *customer = hs_kind_by_number(HS_KIND_CUSTOMER);
    assert_int_equal(customer->id_form, HS_ID_FIELD);
    assert_string_equal(hs_kind_field_name(customer, customer->id_field), "account");
    assert_int_equal(customer->index_count, 4);
    assert_true(hs_kind_open(customer, hs_kind_index(customer, "card_no")));
    assert_true(hs_kind_open(customer, hs_kind_index(customer, "identity_no")));
    assert_non_null(hs_kind_index(customer, "meter_no"));
    assert_false(hs_kind_open(customer, hs_kind_index(customer, "meter_no")));
    assert_non_null(hs_kind_index(customer, HS_SUPPLY));
    assert_false(hs_kind_open(customer, hs_kind_index(customer, HS_SUPPLY)));
    assert_false(hs_kind_open(customer, NULL));
}

static bool is_among(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* What names an account or a person, or by an id what does, is about a customer, and listed at no counter.  A number of
 * the queue is: whoever drew it is in the hall, and a board shows it. */
static void records_about_a_customer_are_personal(void **state)
{
    static const char *const NAMING[] = {"account", "name",      "phone",          "contact", "fact_id",
                                         "of_id",   "ticket_id", "appointment_id", NULL};
    (void)state;
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        const struct hs_kind *kind = &HS_KINDS[i];
        bool about_one = kind->home_form == HS_HOME_ACCOUNT;
        for (size_t j = 0; j < kind->field_count && kind->lane != HS_LANE_BULK; j++)
            about_one = about_one || is_among(hs_kind_field_name(kind, kind->fields[j].number), NAMING);
        about_one = about_one && kind->number != HS_KIND_QUEUE_TICKET;
        if (about_one && !kind->personal)
            fail_msg("%s is about a customer", kind->name);
        assert_true(hs_kind_open(kind, NULL) == !kind->personal);
        if (hs_kind_index(kind, "account") != NULL)
            assert_true(hs_kind_open(kind, hs_kind_index(kind, "account")));
    }
}

static void policies_are_as_agreed(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        uint32_t field;
        enum hs_policy policy;
    } AGREED[] = {
        {HS_KIND_CUSTOMER, 1, HS_POLICY_FIXED},      {HS_KIND_CUSTOMER, 2, HS_POLICY_REVIEW},
        {HS_KIND_CUSTOMER, 7, HS_POLICY_REVIEW},     {HS_KIND_CUSTOMER, 8, HS_POLICY_REVIEW},
        {HS_KIND_CUSTOMER, 9, HS_POLICY_MERGE},      {HS_KIND_CUSTOMER, 11, HS_POLICY_REVIEW},
        {HS_KIND_CUSTOMER, 13, HS_POLICY_REVIEW},    {HS_KIND_CUSTOMER, 14, HS_POLICY_REVIEW},
        {HS_KIND_CUSTOMER, 16, HS_POLICY_MERGE},     {HS_KIND_SUBSCRIPTION, 2, HS_POLICY_FIXED},
        {HS_KIND_SUBSCRIPTION, 7, HS_POLICY_REVIEW}, {HS_KIND_BILL, 2, HS_POLICY_FIXED},
        {HS_KIND_BILL, 4, HS_POLICY_REVIEW},         {HS_KIND_TICKET, 2, HS_POLICY_FIXED},
        {HS_KIND_TICKET, 3, HS_POLICY_FIXED},        {HS_KIND_TICKET, 4, HS_POLICY_MERGE},
    };
    for (size_t i = 0; i < COUNT(AGREED); i++)
        assert_int_equal(hs_kind_rule(hs_kind_by_number(AGREED[i].kind), AGREED[i].field)->policy, AGREED[i].policy);
    assert_string_equal(hs_policy_text(HS_POLICY_REVIEW), "review");
}

/* ---- checks ---- */

static const struct hs_check ANY = {.complete = false, .strict = false};
static const struct hs_check STRICT = {.complete = true, .strict = true};

static enum hs_err check(uint32_t kind, const struct hs_buf *message, struct hs_check how, uint32_t *field,
                         struct hs_why *why)
{
    *why = (struct hs_why){""};
    return hs_kind_check(hs_kind_by_number(kind), hs_buf_bytes(message), how, field, why);
}

static void put_good_customer(struct hs_buf *buf)
{
    hs_tlv_put_text(buf, 1, "3201000001");
    hs_tlv_put_text(buf, 2, "王小明");
    hs_tlv_put_text(buf, 3, "13800000000");
    hs_tlv_put_text(buf, 8, "off");
    hs_tlv_put_text(buf, 9, "two lines\nand a\ttab");
}

static void put_good_payment(struct hs_buf *buf)
{
    static const char *const TEXTS[] = {
        [1] = "till 4, slip 17", [2] = "3201000001", [4] = "b-2026-10", [5] = "cash", [7] = "li"};
    for (uint32_t i = 1; i < COUNT(TEXTS); i++) {
        if (i == 3)
            hs_tlv_put_u64(buf, 3, HS_AMOUNT_FEN_MAX);
        else if (i == 6)
            hs_tlv_put_u64(buf, 6, UINT32_MAX);
        else
            hs_tlv_put_text(buf, i, TEXTS[i]);
    }
}

static void put_good_cash_entry(struct hs_buf *buf)
{
    hs_tlv_put_text(buf, 1, "nj-chengbei-20261121-04-ABC234-17");
    hs_tlv_put_u64(buf, 2, 1795240000000);
    hs_tlv_put_s64(buf, 3, -HS_AMOUNT_FEN_MAX);
    hs_tlv_put_u64(buf, 4, HS_KIND_REVERSAL);
    hs_tlv_put_bytes(buf, 5, TEXT("0123456789abcdef"));
    hs_tlv_put_u64(buf, 6, 3201);
}

static void put_good_bill(struct hs_buf *buf)
{
    hs_tlv_put_text(buf, 1, "b-2026-10");
    hs_tlv_put_text(buf, 2, "3201000001");
    hs_tlv_put_text(buf, 3, "2026-10");
    hs_tlv_put_u64(buf, 4, 1);
    hs_tlv_put_text(buf, 5, "2028-02-29");
}

static void put_good_ticket(struct hs_buf *buf)
{
    hs_tlv_put_text(buf, 2, "meter-check");
    hs_tlv_put_text(buf, 4, "runs too fast");
}

static void put_good_event(struct hs_buf *buf)
{
    hs_tlv_put_bytes(buf, 2, TEXT("0123456789abcdef"));
    hs_tlv_put_text(buf, 3, "called_back");
}

static void put_good_reversal(struct hs_buf *buf)
{
    hs_tlv_put_bytes(buf, 2, TEXT("0123456789abcdef"));
    hs_tlv_put_text(buf, 4, "wrong account");
}

static void good_records_pass(void **state)
{
    (void)state;
    static void (*const PUT[])(struct hs_buf *) = {
        [HS_KIND_CUSTOMER] = put_good_customer,  [HS_KIND_BILL] = put_good_bill,
        [HS_KIND_PAYMENT] = put_good_payment,    [HS_KIND_CASH_ENTRY] = put_good_cash_entry,
        [HS_KIND_REVERSAL] = put_good_reversal,  [HS_KIND_TICKET] = put_good_ticket,
        [HS_KIND_TICKET_EVENT] = put_good_event,
    };
    for (uint32_t kind = 1; kind < COUNT(PUT); kind++) {
        struct hs_buf buf = {0};
        uint32_t field = 77;
        struct hs_why why;
        PUT[kind](&buf);
        assert_int_equal(check(kind, &buf, STRICT, &field, &why), HS_OK);
        assert_int_equal(field, 0);
        hs_buf_fini(&buf);
    }
}

/* Text fields of every form: what is refused, as what, and in which words. */
static void wrong_texts_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        uint32_t field;
        const char *text;
        enum hs_err err;
        const char *why;
    } CASES[] = {
        {HS_KIND_CUSTOMER, 1, "12345", HS_EACCOUNT, "account: '12345' is not 10 digits"},
        {HS_KIND_CUSTOMER, 1, "32010000012", HS_EACCOUNT, "account: '32010000012' is not 10 digits"},
        {HS_KIND_CUSTOMER, 1, "320100000x", HS_EACCOUNT, "account: '320100000x' is not 10 digits"},
        {HS_KIND_CUSTOMER, 1, "", HS_EACCOUNT, "account: '' is not 10 digits"},
        {HS_KIND_CUSTOMER, 1, "a\nb", HS_EACCOUNT, "account: a value of 3 bytes is not 10 digits"},
        {HS_KIND_CUSTOMER, 2, "", HS_EVALUE, "name: is empty; leave it out or clear it"},
        {HS_KIND_CUSTOMER, 2, "\xff", HS_EUTF8, "name: is not valid UTF-8 or has control characters"},
        {HS_KIND_CUSTOMER, 2, "a\x1b[31m", HS_EUTF8, "name: is not valid UTF-8 or has control characters"},
        {HS_KIND_CUSTOMER, 8, "maybe", HS_EVALUE, "supply_status: 'maybe' is none of on, off, closed"},
        {HS_KIND_CUSTOMER, 8, "onn", HS_EVALUE, "supply_status: 'onn' is none of on, off, closed"},
        {HS_KIND_PAYMENT, 5, "gold", HS_EVALUE, "method: 'gold' is none of cash, cheque, card, transfer, bank_slip"},
        {HS_KIND_BILL, 3, "2026-13", HS_EVALUE, "period: '2026-13' is not a month like 2026-11"},
        {HS_KIND_BILL, 3, "2026-11-01", HS_EVALUE, "period: '2026-11-01' is not a month like 2026-11"},
        {HS_KIND_BILL, 5, "2026-02-29", HS_EVALUE, "due_date: '2026-02-29' is not a date like 2026-11-21"},
        {HS_KIND_BILL, 5, "2026/02/28", HS_EVALUE, "due_date: '2026/02/28' is not a date like 2026-11-21"},
        {HS_KIND_BILL, 5, "20260228", HS_EVALUE, "due_date: '20260228' is not a date like 2026-11-21"},
        {HS_KIND_BILL, 5, "2026-02", HS_EVALUE, "due_date: '2026-02' is not a date like 2026-11-21"},
        {HS_KIND_TICKET, 2, "Tea", HS_ESERVICE,
         "service: 'Tea' is no code of a service: lower-case letters, digits and '-'"},
        {HS_KIND_TICKET_EVENT, 3, "none", HS_ESTATE, "state: 'none' is not a state of a ticket"},
        {HS_KIND_TICKET_EVENT, 3, "OPEN", HS_ESTATE, "state: 'OPEN' is not a state of a ticket"},
        {HS_KIND_TICKET_EVENT, 2, "short", HS_EVALUE, "ticket_id: 5 bytes, an id has 16"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct hs_buf buf = {0};
        uint32_t field;
        struct hs_why why;
        hs_tlv_put_text(&buf, CASES[i].field, CASES[i].text);
        assert_int_equal(check(CASES[i].kind, &buf, ANY, &field, &why), CASES[i].err);
        assert_int_equal(field, CASES[i].field);
        assert_string_equal(why.text, CASES[i].why);
        hs_buf_fini(&buf);
    }
}

static void wrong_numbers_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        uint32_t field;
        uint64_t raw;
        enum hs_err err;
        const char *why;
    } CASES[] = {
        {HS_KIND_PAYMENT, 3, 0, HS_EAMOUNT, "amount_fen: 0 is not above zero"},
        {HS_KIND_PAYMENT, 3, (uint64_t)-5, HS_EAMOUNT, "amount_fen: -5 is not above zero"},
        {HS_KIND_BILL, 4, HS_AMOUNT_FEN_MAX + 1, HS_EOVERFLOW, "amount_fen: 100000000001 is above 100000000000"},
        {HS_KIND_PAYMENT, 6, (uint64_t)UINT32_MAX + 1, HS_EOVERFLOW, "window: 4294967296 is above 4294967295"},
        {HS_KIND_CASH_ENTRY, 2, (uint64_t)1 << 47, HS_EOVERFLOW, "time_ms: 140737488355328 is above 140737488355327"},
        {HS_KIND_CASH_ENTRY, 3, 0, HS_EAMOUNT, "amount_fen: is zero"},
        {HS_KIND_CASH_ENTRY, 3, 200000000001, HS_EOVERFLOW, "amount_fen: -100000000001 is beyond 100000000000"},
        {HS_KIND_CASH_ENTRY, 3, 200000000002, HS_EOVERFLOW, "amount_fen: 100000000001 is beyond 100000000000"},
        {HS_KIND_CASH_ENTRY, 3, UINT64_MAX, HS_EOVERFLOW, "amount_fen: -9223372036854775808 is beyond 100000000000"},
        {HS_KIND_CUSTOMER, 2, 1, HS_EVALUE, "name: is not encoded as its type"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct hs_buf buf = {0};
        uint32_t field;
        struct hs_why why;
        hs_tlv_put_u64(&buf, CASES[i].field, CASES[i].raw);
        assert_int_equal(check(CASES[i].kind, &buf, ANY, &field, &why), CASES[i].err);
        assert_int_equal(field, CASES[i].field);
        assert_string_equal(why.text, CASES[i].why);
        hs_buf_fini(&buf);
    }
}

static void texts_have_limits(void **state)
{
    (void)state;
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        for (size_t j = 0; j < HS_KINDS[i].field_count; j++) {
            const struct hs_field_rule *rule = &HS_KINDS[i].fields[j];
            char text[HS_FIELD_BYTES_MAX];
            struct hs_buf buf = {0};
            uint32_t field;
            struct hs_why why;
            if (rule->form != HS_FORM_TEXT)
                continue;
            memset(text, 'x', sizeof text);
            hs_tlv_put_bytes(&buf, rule->number, HS_BYTES(text, rule->most));
            assert_int_equal(check(HS_KINDS[i].number, &buf, ANY, &field, &why), HS_OK);
            hs_buf_reset(&buf);
            hs_tlv_put_bytes(&buf, rule->number, HS_BYTES(text, rule->most + 1U));
            assert_int_equal(check(HS_KINDS[i].number, &buf, ANY, &field, &why), HS_ETOOBIG);
            assert_int_equal(field, rule->number);
            hs_buf_fini(&buf);
        }
    }
}

/* Each required field left out in turn; without .complete nothing is asked for. */
static void required_fields_are_asked_for(void **state)
{
    (void)state;
    struct hs_buf empty = {0};
    uint32_t field;
    struct hs_why why;
    for (size_t i = 0; i < HS_KIND_COUNT; i++)
        assert_int_equal(check(HS_KINDS[i].number, &empty, ANY, &field, &why), HS_OK);
    assert_int_equal(check(HS_KIND_BILL, &empty, STRICT, &field, &why), HS_EREQUIRED);
    assert_int_equal(field, 1);
    assert_string_equal(why.text, "bill_id: is missing; a bill needs it");
    struct hs_buf buf = {0};
    hs_tlv_put_text(&buf, 1, "b1");
    assert_int_equal(check(HS_KIND_BILL, &buf, STRICT, &field, &why), HS_EREQUIRED);
    assert_int_equal(field, 2);
    hs_tlv_put_text(&buf, 2, "3201000001");
    assert_int_equal(check(HS_KIND_BILL, &buf, STRICT, &field, &why), HS_EREQUIRED);
    assert_int_equal(field, 4);
    hs_tlv_put_u64(&buf, 4, 100);
    assert_int_equal(check(HS_KIND_BILL, &buf, STRICT, &field, &why), HS_OK);
    hs_buf_fini(&buf);
}

static void unknown_fields_pass_unless_strict(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    uint32_t field;
    struct hs_why why;
    put_good_customer(&buf);
    hs_tlv_put_fixed64(&buf, 1002, 7); /* what an import remembers */
    assert_int_equal(check(HS_KIND_CUSTOMER, &buf, (struct hs_check){.complete = true}, &field, &why), HS_OK);
    assert_int_equal(check(HS_KIND_CUSTOMER, &buf, STRICT, &field, &why), HS_EFIELD);
    assert_int_equal(field, 1002);
    assert_string_equal(why.text, "customer: has no field 1002");
    hs_buf_fini(&buf);
}

static void a_field_given_twice_is_refused(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    uint32_t field;
    struct hs_why why;
    hs_tlv_put_u64(&buf, 3, 100);
    hs_tlv_put_u64(&buf, 3, 120);
    assert_int_equal(check(HS_KIND_PAYMENT, &buf, ANY, &field, &why), HS_EVALUE);
    assert_string_equal(why.text, "amount_fen: is given twice");
    hs_buf_fini(&buf);
}

static void districts_and_bytes_have_a_form(void **state)
{
    (void)state;
    static const char *const BAD[] = {"", "320", "32011", "320a", "region"};
    struct hs_buf buf = {0};
    uint32_t field;
    struct hs_why why;
    for (size_t i = 0; i < COUNT(BAD); i++) {
        hs_buf_reset(&buf);
        hs_tlv_put_text(&buf, 2, BAD[i]);
        assert_int_equal(check(HS_KIND_NOTICE, &buf, ANY, &field, &why), HS_EVALUE);
        assert_int_equal(field, 2);
        assert_non_null(strstr(why.text, "is not a district of 4 digits"));
    }
    hs_buf_reset(&buf);
    hs_tlv_put_bytes(&buf, 3, HS_BYTES_NONE);
    assert_int_equal(check(HS_KIND_REISSUE, &buf, ANY, &field, &why), HS_EVALUE);
    assert_string_equal(why.text, "certificate: is empty");
    static const uint8_t MANY[HS_CERTIFICATE_BYTES_MAX + 1];
    hs_buf_reset(&buf);
    hs_tlv_put_bytes(&buf, 3, HS_BYTES(MANY, sizeof MANY));
    assert_int_equal(check(HS_KIND_REISSUE, &buf, ANY, &field, &why), HS_ETOOBIG);
    hs_buf_fini(&buf);
}

static void homes_follow_from_the_kind(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        const char *value;
        bool says;
        hs_partition home;
    } CASES[] = {
        {HS_KIND_CUSTOMER, "3201000001", true, 3201},
        {HS_KIND_CUSTOMER, "320100000", false, 0},
        {HS_KIND_TICKET, "", false, 0},
        {HS_KIND_CASH_ENTRY, "", false, 0},
        {HS_KIND_CATALOGUE, "", true, HS_PARTITION_REGION},
        {HS_KIND_REISSUE, "", true, HS_PARTITION_REGION},
        {HS_KIND_NOTICE, "", true, HS_PARTITION_REGION},
        {HS_KIND_NOTICE, "0007", true, 7},
        {HS_KIND_NOTICE, "32", false, 0},
        {HS_KIND_NOTICE, "32x1", false, 0},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        hs_partition home = 0;
        struct hs_bytes value = HS_BYTES(CASES[i].value, strlen(CASES[i].value));
        assert_int_equal(hs_kind_home(hs_kind_by_number(CASES[i].kind), value, &home), CASES[i].says);
        if (CASES[i].says)
            assert_int_equal(home, CASES[i].home);
    }
}

static void what_is_no_message_is_malformed(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    uint32_t field = 77;
    struct hs_why why;
    hs_tlv_put_text(&buf, 2, "name");
    buf.size--;
    assert_int_equal(check(HS_KIND_CUSTOMER, &buf, ANY, &field, &why), HS_EMALFORMED);
    assert_int_equal(field, 0);
    assert_string_equal(why.text, "customer: the bytes are not a message");
    assert_int_equal(hs_kind_check(&HS_KINDS[0], hs_buf_bytes(&buf), ANY, &field, NULL), HS_EMALFORMED);
    hs_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_have_frozen_numbers_and_names),
        cmocka_unit_test(rules_and_messages_agree),
        cmocka_unit_test(events_are_those_of_their_folds),
        cmocka_unit_test(no_field_has_a_name_of_what_the_node_knows),
        cmocka_unit_test(ids_homes_and_indexes_name_fields),
        cmocka_unit_test(customers_are_found_by_three_numbers),
        cmocka_unit_test(records_about_a_customer_are_personal),
        cmocka_unit_test(policies_are_as_agreed),
        cmocka_unit_test(good_records_pass),
        cmocka_unit_test(wrong_texts_are_refused_with_a_reason),
        cmocka_unit_test(wrong_numbers_are_refused_with_a_reason),
        cmocka_unit_test(texts_have_limits),
        cmocka_unit_test(required_fields_are_asked_for),
        cmocka_unit_test(unknown_fields_pass_unless_strict),
        cmocka_unit_test(a_field_given_twice_is_refused),
        cmocka_unit_test(districts_and_bytes_have_a_form),
        cmocka_unit_test(homes_follow_from_the_kind),
        cmocka_unit_test(what_is_no_message_is_malformed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
