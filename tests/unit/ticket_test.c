/* ticket_test.c -- storage/model/ticket.h: services, their machines, and a ticket's state as the fold of its events. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/msg/tlv.h"
#include "storage/model/ticket.h"

#include <string.h>

#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)

/* ---- tickets ---- */

static const struct hs_ticket_service *service(const char *code)
{
    const struct hs_ticket_service *found = hs_service_by_code(code, strlen(code));
    assert_non_null(found);
    return found;
}

static void states_have_texts(void **state)
{
    (void)state;
    for (int i = HS_TICKET_OPEN; i < HS_TICKET_STATE_COUNT; i++) {
        enum hs_ticket_state parsed;
        const char *text = hs_ticket_state_text((enum hs_ticket_state)i);
        assert_true(hs_ticket_state_parse(text, strlen(text), &parsed));
        assert_int_equal(parsed, i);
        assert_false(hs_ticket_state_parse(text, strlen(text) - 1, &parsed));
    }
    assert_string_equal(hs_ticket_state_text(HS_TICKET_CALLED_BACK), "called_back");
}

static void services_have_codes_and_names(void **state)
{
    (void)state;
    assert_int_equal(HS_SERVICE_COUNT, 44);
    for (size_t i = 0; i < HS_SERVICE_COUNT; i++) {
        assert_ptr_equal(service(HS_SERVICES[i].code), &HS_SERVICES[i]);
        assert_true(hs_service_code_valid(HS_SERVICES[i].code, strlen(HS_SERVICES[i].code)));
        assert_true(strlen(HS_SERVICES[i].name_en) > 0);
        assert_true(strlen(HS_SERVICES[i].department) > 0);
        assert_true(HS_SERVICES[i].deadline_hours > 0);
        assert_true((unsigned char)HS_SERVICES[i].name_zh[0] >= 0xe4); /* a Chinese character's first byte */
    }
    assert_null(hs_service_by_code("outage", 6));
    assert_null(hs_service_by_code("", 0));
    assert_true(service("reconnection")->urgent);
    assert_false(service("consultation")->urgent);
}

static bool can(const char *code, enum hs_ticket_state from, enum hs_ticket_state to)
{
    return hs_ticket_move(code != NULL ? service(code)->machine : NULL, from, to);
}

static void machines_allow_what_they_should(void **state)
{
    (void)state;
    static const char *const CODES[] = {NULL, "new-connection", "reconnection", "complaint"};
    for (size_t i = 0; i < COUNT(CODES); i++) {
        const char *code = CODES[i];
        for (int to = HS_TICKET_NONE; to < HS_TICKET_STATE_COUNT; to++) {
            assert_int_equal(can(code, HS_TICKET_NONE, (enum hs_ticket_state)to), to == HS_TICKET_OPEN);
            assert_false(can(code, HS_TICKET_ARCHIVED, (enum hs_ticket_state)to));
            assert_false(can(code, (enum hs_ticket_state)to, HS_TICKET_NONE));
        }
        assert_true(can(code, HS_TICKET_OPEN, HS_TICKET_ACCEPTED));
        assert_true(can(code, HS_TICKET_ASSIGNED, HS_TICKET_ASSIGNED));
        assert_true(can(code, HS_TICKET_WORKING, HS_TICKET_WORKING));
        assert_true(can(code, HS_TICKET_WORKING, HS_TICKET_WAITING));
        assert_true(can(code, HS_TICKET_WAITING, HS_TICKET_WORKING));
        assert_true(can(code, HS_TICKET_RESOLVED, HS_TICKET_WORKING));
        assert_true(can(code, HS_TICKET_CALLED_BACK, HS_TICKET_WORKING));
        assert_false(can(code, HS_TICKET_OPEN, HS_TICKET_ARCHIVED));
        assert_false(can(code, HS_TICKET_OPEN, HS_TICKET_OPEN));
    }
    assert_true(can("reconnection", HS_TICKET_OPEN, HS_TICKET_WORKING));
    assert_false(can("new-connection", HS_TICKET_OPEN, HS_TICKET_RESOLVED));
    assert_true(can("new-connection", HS_TICKET_RESOLVED, HS_TICKET_ARCHIVED));
    assert_false(can("complaint", HS_TICKET_RESOLVED, HS_TICKET_ARCHIVED));
    assert_true(can("complaint", HS_TICKET_CALLED_BACK, HS_TICKET_ARCHIVED));
}

/* ---- the fold ---- */

#define EVENTS_MAX 8

struct events {
    struct hs_ticket_event list[EVENTS_MAX];
    struct hs_buf messages[EVENTS_MAX];
    size_t count;
};

static void add(struct events *events, hs_stamp stamp, uint8_t id, const char *move, const char *assignee)
{
    struct hs_buf *message = &events->messages[events->count];
    struct hs_ticket_event *event = &events->list[events->count++];
    hs_tlv_put_bytes(message, 2, TEXT("0123456789abcdef"));
    if (move != NULL)
        hs_tlv_put_text(message, 3, move);
    if (assignee != NULL)
        hs_tlv_put_text(message, 4, assignee);
    *event = (struct hs_ticket_event){.stamp = stamp, .id = {.bytes = {id}}, .message = hs_buf_bytes(message)};
}

static void events_fini(struct events *events)
{
    for (size_t i = 0; i < events->count; i++)
        hs_buf_fini(&events->messages[i]);
}

static struct hs_ticket_fold fold(struct events *events, const char *code)
{
    struct hs_ticket_fold result;
    struct hs_ticket_terms terms = {.machine = code != NULL ? service(code)->machine : NULL};
    hs_ticket_fold(&terms, events->list, events->count, &result);
    return result;
}

/* A text field of the event added last. */
static void say(struct events *events, uint32_t field, const char *text)
{
    struct hs_buf *message = &events->messages[events->count - 1];
    hs_tlv_put_text(message, field, text);
    events->list[events->count - 1].message = hs_buf_bytes(message);
}

enum { TYPE = 7, DEPARTMENT = 10, CONSENT = 14 };

static void a_ticket_without_events_is_none(void **state)
{
    (void)state;
    struct hs_ticket_fold result;
    struct hs_ticket_terms terms = {0};
    hs_ticket_fold(&terms, NULL, 0, &result);
    assert_int_equal(result.state, HS_TICKET_NONE);
    assert_int_equal(result.assignee.size, 0);
    assert_int_equal(result.opened, 0);
}

/* They come in any order; stamp and id decide. */
static void events_are_folded_in_their_own_order(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, 300, 1, "working", NULL);
    add(&events, 200, 1, "assigned", "crew 2");
    add(&events, 100, 2, "accepted", NULL); /* the same millisecond: the id decides */
    add(&events, 100, 1, "open", NULL);
    add(&events, 250, 1, NULL, NULL);
    struct hs_ticket_fold result = fold(&events, "outage-report");
    assert_int_equal(result.state, HS_TICKET_WORKING);
    assert_int_equal(result.misfits, 0);
    assert_int_equal(result.opened, 100);
    assert_int_equal(result.changed, 300);
    assert_true(hs_bytes_equal(result.assignee, TEXT("crew 2")));
    assert_int_equal(events.list[0].id.bytes[0], 1);
    assert_int_equal(events.list[4].stamp, 300);
    events_fini(&events);
}

/* H16: two move it at once; the later one no longer fits, stays in the history and is listed. */
static void concurrent_moves_have_one_outcome(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, 100, 1, "open", NULL);
    add(&events, 110, 1, "accepted", "a");
    add(&events, 111, 1, "accepted", "b");
    add(&events, 400, 1, "archived", NULL);
    struct hs_ticket_fold result = fold(&events, "complaint");
    assert_int_equal(result.state, HS_TICKET_ACCEPTED);
    assert_int_equal(result.misfits, 2);
    assert_int_equal(result.changed, 110);
    assert_true(hs_bytes_equal(result.assignee, TEXT("a")));
    assert_true(events.list[1].fits);
    assert_false(events.list[2].fits);
    assert_false(events.list[3].fits);
    events_fini(&events);
}

/* A slow clock puts the acceptance before the opening. */
static void a_move_before_the_opening_does_not_fit(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, 90, 1, "accepted", NULL);
    add(&events, 100, 1, "open", NULL);
    struct hs_ticket_fold result = fold(&events, NULL);
    assert_int_equal(result.state, HS_TICKET_OPEN);
    assert_int_equal(result.misfits, 1);
    events_fini(&events);
}

static void an_assignee_without_a_move_passes_it_on(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, 90, 1, NULL, "too early");
    add(&events, 100, 1, "open", NULL);
    add(&events, 110, 1, NULL, "crew 1");
    add(&events, 120, 1, "resolved", NULL);
    add(&events, 130, 1, "archived", NULL);
    add(&events, 140, 1, NULL, "too late");
    add(&events, 150, 1, NULL, NULL); /* a note fits for ever */
    struct hs_ticket_fold result = fold(&events, "reconnection");
    assert_int_equal(result.state, HS_TICKET_ARCHIVED);
    assert_int_equal(result.misfits, 2);
    assert_int_equal(result.changed, 150);
    assert_true(hs_bytes_equal(result.assignee, TEXT("crew 1")));
    events_fini(&events);
}

static void events_that_cannot_be_read_do_not_fit(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, 100, 1, "open", NULL);
    add(&events, 110, 1, "frozen", NULL); /* of a later version */
    add(&events, 120, 1, "accepted", NULL);
    events.list[2].message.size--;
    struct hs_ticket_fold result = fold(&events, NULL);
    assert_int_equal(result.state, HS_TICKET_OPEN);
    assert_int_equal(result.misfits, 2);
    events_fini(&events);
}

static void what_only_counts_fits_always(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, 100, 1, "open", NULL);
    add(&events, 110, 1, NULL, NULL);
    say(&events, TYPE, "urge");
    add(&events, 120, 1, NULL, NULL);
    say(&events, TYPE, "urge");
    add(&events, 130, 1, NULL, NULL);
    say(&events, TYPE, "escalate");
    add(&events, 140, 1, NULL, NULL);
    say(&events, TYPE, "pass");
    say(&events, DEPARTMENT, "metering");
    struct hs_ticket_fold result = fold(&events, "complaint");
    assert_int_equal(result.urged, 2);
    assert_int_equal(result.escalated, 1);
    assert_int_equal(result.misfits, 0);
    assert_int_equal(result.state, HS_TICKET_OPEN);
    assert_true(hs_bytes_equal(result.department, TEXT("metering")));
    events_fini(&events);
}

static void what_is_archived_comes_back_only_when_reopened(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, 100, 1, "open", NULL);
    add(&events, 110, 1, "resolved", NULL);
    add(&events, 120, 1, "archived", NULL);
    add(&events, 130, 1, "working", NULL);
    struct hs_ticket_fold result = fold(&events, "reconnection");
    assert_int_equal(result.state, HS_TICKET_ARCHIVED);
    assert_int_equal(result.misfits, 1);
    add(&events, 140, 1, NULL, NULL);
    say(&events, TYPE, "reopen");
    result = fold(&events, "reconnection");
    assert_int_equal(result.state, HS_TICKET_WORKING);
    assert_int_equal(result.reopened, 1);
    assert_int_equal(result.misfits, 1);
    events_fini(&events);
}

/* A complaint is not filed away before the customer was called, but for one who does not want that. */
static void who_does_not_want_to_be_called_is_not(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, 100, 1, "open", NULL);
    add(&events, 110, 1, "accepted", NULL);
    add(&events, 120, 1, "working", NULL);
    add(&events, 130, 1, "resolved", NULL);
    add(&events, 150, 1, "archived", NULL);
    assert_int_equal(fold(&events, "complaint").state, HS_TICKET_RESOLVED);
    add(&events, 140, 1, NULL, NULL);
    say(&events, TYPE, "consent");
    say(&events, CONSENT, "no");
    struct hs_ticket_fold result = fold(&events, "complaint");
    assert_true(result.no_call_back);
    assert_int_equal(result.state, HS_TICKET_ARCHIVED);
    events_fini(&events);
}

static hs_stamp at(uint64_t ms)
{
    return (hs_stamp)ms << 16;
}

static void waiting_for_the_customer_moves_the_deadline(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, at(1000), 1, "open", NULL);
    add(&events, at(2000), 1, "accepted", NULL);
    add(&events, at(3000), 1, "waiting", NULL);
    struct hs_ticket_fold result = fold(&events, "complaint");
    assert_int_equal(hs_ticket_due_ms(&result, 5000, 3500), 5500);
    add(&events, at(4000), 1, "working", NULL);
    result = fold(&events, "complaint");
    assert_int_equal(hs_ticket_due_ms(&result, 5000, 9000), 6000);
    assert_int_equal(hs_ticket_due_ms(&result, 0, 9000), 0);
    assert_true(hs_ticket_is_open(HS_TICKET_WAITING));
    assert_false(hs_ticket_is_open(HS_TICKET_RESOLVED));
    assert_false(hs_ticket_is_open(HS_TICKET_NONE));
    events_fini(&events);
}

static const struct hs_machine *machine_of(const char *code, const char *machine)
{
    struct hs_buf head = {0};
    hs_tlv_put_text(&head, 2, code);
    if (machine != NULL)
        hs_tlv_put_text(&head, 14, machine);
    struct hs_ticket_terms terms = hs_ticket_terms(hs_buf_bytes(&head));
    hs_buf_fini(&head);
    return terms.machine;
}

static void the_head_names_the_machine(void **state)
{
    (void)state;
    assert_ptr_equal(machine_of("complaint", "quick"), &HS_MACHINE_QUICK);
    assert_ptr_equal(machine_of("complaint", NULL), &HS_MACHINE_COMPLAINT); /* of an older version */
    assert_ptr_equal(machine_of("of-a-region", "field"), &HS_MACHINE_FIELD);
    assert_ptr_equal(machine_of("of-a-region", NULL), &HS_MACHINE_GENERAL);
    assert_ptr_equal(machine_of("complaint", "of a later version"), &HS_MACHINE_GENERAL);
    assert_false(hs_ticket_move(&HS_MACHINE_FIELD, HS_TICKET_WAITING, HS_TICKET_RESOLVED));
    assert_true(hs_ticket_move(&HS_MACHINE_FIELD, HS_TICKET_WORKING, HS_TICKET_RESOLVED));
}

static void types_have_texts(void **state)
{
    (void)state;
    for (int i = 0; i < HS_EVENT_TYPE_COUNT; i++) {
        struct hs_buf event = {0};
        hs_tlv_put_text(&event, TYPE, hs_event_type_text((enum hs_event_type)i));
        assert_int_equal(hs_event_type_of(hs_buf_bytes(&event)), i);
        hs_buf_fini(&event);
    }
    assert_int_equal(hs_event_type_of(HS_BYTES_NONE), HS_EVENT_PLAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_have_texts),
        cmocka_unit_test(services_have_codes_and_names),
        cmocka_unit_test(machines_allow_what_they_should),
        cmocka_unit_test(a_ticket_without_events_is_none),
        cmocka_unit_test(events_are_folded_in_their_own_order),
        cmocka_unit_test(concurrent_moves_have_one_outcome),
        cmocka_unit_test(a_move_before_the_opening_does_not_fit),
        cmocka_unit_test(an_assignee_without_a_move_passes_it_on),
        cmocka_unit_test(events_that_cannot_be_read_do_not_fit),
        cmocka_unit_test(what_only_counts_fits_always),
        cmocka_unit_test(what_is_archived_comes_back_only_when_reopened),
        cmocka_unit_test(who_does_not_want_to_be_called_is_not),
        cmocka_unit_test(waiting_for_the_customer_moves_the_deadline),
        cmocka_unit_test(the_head_names_the_machine),
        cmocka_unit_test(types_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
