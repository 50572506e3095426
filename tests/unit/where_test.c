/* where_test.c -- storage/model/where.c: which records fit, by what they show and by what is derived of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/records.pb-c.h"
#include "storage/model/where.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define TEXT(text)   ((char *)(uintptr_t)(text))

struct asked {
    struct hs_where_asked list[HS_WHERE_FIELDS_MAX + 1];
    const char *values[HS_WHERE_FIELDS_MAX + 1][2];
    size_t count;
};

/* Another value of the same field, or another field. */
static struct asked *ask(struct asked *asked, const char *field, const char *value)
{
    struct hs_where_asked *last = asked->count > 0 ? &asked->list[asked->count - 1] : NULL;
    if (last == NULL || strcmp(last->field, field) != 0) {
        last = &asked->list[asked->count];
        *last = (struct hs_where_asked){field, asked->values[asked->count], 0};
        asked->count++;
    }
    asked->values[asked->count - 1][last->count++] = value;
    return asked;
}

#define ASK(...) ask(&(struct asked){.count = 0}, __VA_ARGS__)

static enum hs_err make(uint32_t kind, const struct asked *asked, struct hs_arena *arena, struct hs_where *where,
                        struct hs_why *why)
{
    *why = (struct hs_why){""};
    return hs_where_make(hs_kind_by_number(kind), &hallsync__record__descriptor, asked->list, asked->count, arena,
                         where, why);
}

static bool fits_as(uint32_t kind, const ProtobufCMessage *message, const Hallsync__Record *record,
                    const struct asked *asked)
{
    struct hs_buf packed = {0};
    struct hs_arena arena;
    struct hs_where where;
    struct hs_why why;
    bool fits;
    hs_arena_init(&arena, 0);
    hs_msg_pack(message, &packed);
    if (make(kind, asked, &arena, &where, &why) != HS_OK)
        fail_msg("%s", why.text);
    assert_int_equal(hs_where_fits(&where, hs_kind_by_number(kind), hs_buf_bytes(&packed), &record->base, &fits),
                     HS_OK);
    hs_buf_fini(&packed);
    hs_arena_fini(&arena);
    return fits;
}

static bool bill_fits(const Hallsync__Bill *bill, const struct asked *asked)
{
    Hallsync__Record record = HALLSYNC__RECORD__INIT;
    Hallsync__BillState state = HALLSYNC__BILL_STATE__INIT;
    state.state = TEXT("part-paid");
    state.paid_fen = 300;
    record.bill = &state;
    return fits_as(HS_KIND_BILL, &bill->base, &record, asked);
}

static void a_record_fits_by_what_it_shows(void **state)
{
    (void)state;
    Hallsync__Bill bill = HALLSYNC__BILL__INIT;
    bill.bill_id = TEXT("b-1");
    bill.account = TEXT("3201000001");
    bill.has_amount_fen = true;
    bill.amount_fen = 500;
    bill.period = TEXT("2026-11");
    assert_true(bill_fits(&bill, ASK("period", "2026-11")));
    assert_false(bill_fits(&bill, ASK("period", "2026-10")));
    assert_true(bill_fits(&bill, ask(ASK("period", "2026-10"), "period", "2026-11")));
    assert_true(bill_fits(&bill, ASK("amount_fen", "500")));
    assert_false(bill_fits(&bill, ASK("amount_fen", "50")));
    assert_true(bill_fits(&bill, ask(ASK("period", "2026-11"), "account", "3201000001")));
    assert_false(bill_fits(&bill, ask(ASK("period", "2026-11"), "account", "3201000002"))); /* all of them */
    assert_true(bill_fits(&bill, ASK("status", "")));
    assert_false(bill_fits(&bill, ASK("status", "cancelled")));
    assert_false(bill_fits(&bill, ASK("period", "")));
    assert_true(bill_fits(&bill, ask(ASK("status", "cancelled"), "status", "")));
}

static void a_record_fits_by_a_line_of_it(void **state)
{
    (void)state;
    Hallsync__Record record = HALLSYNC__RECORD__INIT;
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    Hallsync__PaymentPart parts[] = {HALLSYNC__PAYMENT_PART__INIT, HALLSYNC__PAYMENT_PART__INIT};
    Hallsync__PaymentPart *list[] = {&parts[0], &parts[1]};
    parts[0].bill_id = TEXT("b-1");
    parts[1].bill_id = TEXT("b-2");
    payment.parts = list;
    payment.n_parts = 2;
    assert_true(fits_as(HS_KIND_PAYMENT, &payment.base, &record, ASK("parts.bill_id", "b-1")));
    assert_true(fits_as(HS_KIND_PAYMENT, &payment.base, &record, ASK("parts.bill_id", "b-2")));
    assert_false(fits_as(HS_KIND_PAYMENT, &payment.base, &record, ASK("parts.bill_id", "b-3")));
    assert_false(fits_as(HS_KIND_PAYMENT, &payment.base, &record, ASK("parts.bill_id", "")));
}

static void a_record_fits_by_an_id(void **state)
{
    (void)state;
    Hallsync__Record record = HALLSYNC__RECORD__INIT;
    Hallsync__TicketEvent event = HALLSYNC__TICKET_EVENT__INIT;
    struct hs_id id;
    bool hashed;
    assert_int_equal(hs_id_from_text("t-1", 3, &id, &hashed), HS_OK);
    event.has_ticket_id = true;
    event.ticket_id = (ProtobufCBinaryData){sizeof id.bytes, id.bytes};
    assert_true(fits_as(HS_KIND_TICKET_EVENT, &event.base, &record, ASK("ticket_id", "t-1")));
    assert_false(fits_as(HS_KIND_TICKET_EVENT, &event.base, &record, ASK("ticket_id", "t-2")));
}

static void a_record_fits_by_what_is_derived(void **state)
{
    (void)state;
    Hallsync__Bill bill = HALLSYNC__BILL__INIT;
    assert_true(bill_fits(&bill, ASK("state", "part-paid")));
    assert_false(bill_fits(&bill, ASK("state", "paid")));
    assert_true(bill_fits(&bill, ASK("paid_fen", "300")));
    assert_false(bill_fits(&bill, ASK("due_fen", "300")));
    assert_true(bill_fits(&bill, ASK("late_fen", "")));
    assert_false(bill_fits(&bill, ASK("state", "")));

    Hallsync__Record record = HALLSYNC__RECORD__INIT;
    Hallsync__Ticket ticket = HALLSYNC__TICKET__INIT;
    Hallsync__TicketState folded = HALLSYNC__TICKET_STATE__INIT;
    folded.state = TEXT("open");
    folded.has_overdue = folded.overdue = true;
    record.ticket = &folded;
    assert_true(fits_as(HS_KIND_TICKET, &ticket.base, &record, ASK("overdue", "true")));
    assert_false(fits_as(HS_KIND_TICKET, &ticket.base, &record, ASK("overdue", "false")));
    record.ticket = NULL; /* nothing could be derived */
    assert_false(fits_as(HS_KIND_TICKET, &ticket.base, &record, ASK("state", "open")));
    assert_true(fits_as(HS_KIND_TICKET, &ticket.base, &record, ASK("state", "")));
}

static void what_no_record_can_show_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind;
        const char *field, *value;
        enum hs_err err;
        const char *why;
    } CASES[] = {
        {HS_KIND_BILL, "colour", "red", HS_EFIELD, "a bill has no such field"},
        {HS_KIND_BILL, "account.x", "1", HS_EFIELD, "a bill has no such field"},
        {HS_KIND_PAYMENT, "parts.x", "1", HS_EFIELD, "a payment has no such field"},
        {HS_KIND_TICKET, "events", "x", HS_EFIELD, "a ticket has no such field"},
        {HS_KIND_PAYMENT, "parts", "b-1", HS_EVALUE, "parts.FIELD"},
        {HS_KIND_BILL, "status", "opne", HS_EVALUE, "is none of"},
        {HS_KIND_BILL, "account", "12", HS_EACCOUNT, "is not 10 digits"},
        {HS_KIND_BILL, "amount_fen", "x", HS_EAMOUNT, "amount_fen"},
        {HS_KIND_BILL, "paid_fen", "3x", HS_EVALUE, "is not a whole number"},
        {HS_KIND_BILL, "paid_fen", "007", HS_EVALUE, "is not a whole number"},
        {HS_KIND_TICKET, "overdue", "yes", HS_EVALUE, "neither true nor false"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct hs_arena arena;
        struct hs_where where;
        struct hs_why why;
        hs_arena_init(&arena, 0);
        enum hs_err err = make(CASES[i].kind, ASK(CASES[i].field, CASES[i].value), &arena, &where, &why);
        if (err != CASES[i].err || strstr(why.text, CASES[i].why) == NULL)
            fail_msg("%s=%s: %s, %s", CASES[i].field, CASES[i].value, hs_err_name(err), why.text);
        assert_int_equal(where.count, 0);
        hs_arena_fini(&arena);
    }
}

static void there_are_not_too_many(void **state)
{
    (void)state;
    static const char *MANY[HS_WHERE_VALUES_MAX + 1];
    struct hs_where_asked list[HS_WHERE_FIELDS_MAX + 1];
    const struct hs_kind *bill = hs_kind_by_number(HS_KIND_BILL);
    struct hs_arena arena;
    struct hs_where where;
    struct hs_why why = {""};
    for (size_t i = 0; i < COUNT(MANY); i++)
        MANY[i] = "b-1";
    for (size_t i = 0; i < COUNT(list); i++)
        list[i] = (struct hs_where_asked){"bill_id", MANY, HS_WHERE_VALUES_MAX};
    hs_arena_init(&arena, 0);
    const ProtobufCMessageDescriptor *record = &hallsync__record__descriptor;
    assert_int_equal(hs_where_make(bill, record, list, HS_WHERE_FIELDS_MAX, &arena, &where, &why), HS_OK);
    assert_int_equal(hs_where_make(bill, record, list, HS_WHERE_FIELDS_MAX + 1, &arena, &where, &why), HS_ETOOBIG);
    list[0].count++;
    assert_int_equal(hs_where_make(bill, record, list, 1, &arena, &where, &why), HS_ETOOBIG);
    list[0].count = 0;
    assert_int_equal(hs_where_make(bill, record, list, 1, &arena, &where, &why), HS_EVALUE);
    hs_arena_fini(&arena);
}

/* The table names it by a text. */
static void what_is_derived_stands_in_the_record(void **state)
{
    (void)state;
    size_t folds = 0;
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        const ProtobufCMessageDescriptor *fold = hs_kind_fold(&HS_KINDS[i], &hallsync__record__descriptor);
        if ((fold != NULL) != (HS_KINDS[i].fold != NULL))
            fail_msg("%s: Record has no field %s", HS_KINDS[i].name, HS_KINDS[i].fold);
        folds += fold != NULL;
    }
    assert_true(folds >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_fits_by_what_it_shows),
        cmocka_unit_test(a_record_fits_by_a_line_of_it),
        cmocka_unit_test(a_record_fits_by_an_id),
        cmocka_unit_test(a_record_fits_by_what_is_derived),
        cmocka_unit_test(what_no_record_can_show_is_refused),
        cmocka_unit_test(there_are_not_too_many),
        cmocka_unit_test(what_is_derived_stands_in_the_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
