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
    assert_true(HS_SERVICE_COUNT >= 12);
    for (size_t i = 0; i < HS_SERVICE_COUNT; i++) {
        assert_ptr_equal(service(HS_SERVICES[i].code), &HS_SERVICES[i]);
        assert_true(strlen(HS_SERVICES[i].name_en) > 0);
        assert_true((unsigned char)HS_SERVICES[i].name_zh[0] >= 0xe4); /* a Chinese character's first byte */
    }
    assert_null(hs_service_by_code("outage", 6));
    assert_null(hs_service_by_code("", 0));
    assert_true(service("reconnection")->urgent);
    assert_false(service("consultation")->urgent);
}

static bool can(const char *code, enum hs_ticket_state from, enum hs_ticket_state to)
{
    return hs_ticket_move(code != NULL ? service(code) : NULL, from, to);
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
    hs_ticket_fold(code != NULL ? service(code) : NULL, events->list, events->count, &result);
    return result;
}

static void a_ticket_without_events_is_none(void **state)
{
    (void)state;
    struct hs_ticket_fold result;
    hs_ticket_fold(NULL, NULL, 0, &result);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
