/* queue_test.c -- storage/model/queue.h: what becomes of a queue ticket, who is next, the figures of a day. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/msg/tlv.h"
#include "storage/model/queue.h"

#include <string.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define SECONDS(n)    ((hs_stamp)(n)*1000 << 16)
#define MORNING       SECONDS(1795233600) /* 2026-11-21 12:00 at +08:00 */

struct events {
    struct hs_queue_event list[HS_QUEUE_EVENTS_MAX + 1];
    struct hs_buf messages[HS_QUEUE_EVENTS_MAX + 1];
    size_t count;
};

static struct hs_buf *add(struct events *events, hs_stamp stamp, const char *what, uint32_t window)
{
    struct hs_buf *message = &events->messages[events->count];
    struct hs_queue_event *event = &events->list[events->count];
    hs_tlv_put_text(message, 3, what);
    if (window != 0)
        hs_tlv_put_u64(message, 4, window);
    *event = (struct hs_queue_event){
        .stamp = stamp, .id = {.bytes = {(uint8_t)++events->count}}, .message = hs_buf_bytes(message)};
    return message;
}

static void events_fini(struct events *events)
{
    for (size_t i = 0; i < events->count; i++)
        hs_buf_fini(&events->messages[i]);
}

/* A transfer says where to; its bytes grow, so the event is given them last. */
static void add_transfer(struct events *events, hs_stamp stamp, uint32_t window, uint32_t to_window, const char *group)
{
    struct hs_buf *message = add(events, stamp, "transferred", window);
    if (to_window != 0)
        hs_tlv_put_u64(message, 6, to_window);
    if (group != NULL)
        hs_tlv_put_text(message, 7, group);
    events->list[events->count - 1].message = hs_buf_bytes(message);
}

static struct hs_queue_fold fold(struct events *events)
{
    struct hs_queue_fold result;
    hs_queue_fold(MORNING, events->list, events->count, &result);
    return result;
}

/* ---- texts ---- */

static void states_and_events_have_texts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HS_QUEUE_STATE_COUNT; i++) {
        enum hs_queue_state parsed;
        const char *text = hs_queue_state_text((enum hs_queue_state)i);
        assert_true(hs_queue_state_parse(text, strlen(text), &parsed));
        assert_int_equal(parsed, i);
        assert_false(hs_queue_state_parse(text, strlen(text) - 1, &parsed));
    }
    for (unsigned i = 0; i < HS_QUEUE_MOVE_COUNT; i++) {
        enum hs_queue_move parsed;
        assert_true(hs_queue_move_parse(HS_QUEUE_EVENTS[i], strlen(HS_QUEUE_EVENTS[i]), &parsed));
        assert_int_equal(parsed, i);
    }
    assert_null(HS_QUEUE_EVENTS[HS_QUEUE_MOVE_COUNT]);
}

static void groups_and_numbers_look_as_people_read_them(void **state)
{
    (void)state;
    char text[HS_QUEUE_NUMBER_BYTES_MAX];
    assert_true(hs_queue_group_valid("A", 1));
    assert_true(hs_queue_group_valid("VIPX", 4));
    assert_false(hs_queue_group_valid("", 0));
    assert_false(hs_queue_group_valid("ABCDE", 5));
    assert_false(hs_queue_group_valid("a", 1));
    assert_false(hs_queue_group_valid("A1", 2));
    assert_string_equal(hs_queue_number("A", 12, text), "A012");
    assert_string_equal(hs_queue_number("B", 1000, text), "B1000");
    assert_string_equal(hs_queue_number("VIPX", HS_QUEUE_COUNTER_MAX, text), "VIPX9999");
}

/* ---- the fold ---- */

static void a_ticket_without_events_waits(void **state)
{
    (void)state;
    struct hs_queue_fold result;
    hs_queue_fold(MORNING, NULL, 0, &result);
    assert_int_equal(result.state, HS_QUEUE_WAITING);
    assert_int_equal(result.since, MORNING);
    assert_int_equal(result.first_called, 0);
}

static void times_are_of_waiting_and_of_service(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, MORNING + SECONDS(900), "served", 3);
    add(&events, MORNING + SECONDS(300), "called", 3);
    add(&events, MORNING + SECONDS(320), "recalled", 3);
    add(&events, MORNING + SECONDS(330), "serving", 3);
    struct hs_queue_fold result = fold(&events);
    assert_int_equal(result.state, HS_QUEUE_SERVED);
    assert_int_equal(result.window, 3);
    assert_int_equal(result.calls, 2);
    assert_int_equal(result.waited_ms, 300000);
    assert_int_equal(result.served_ms, 570000);
    assert_int_equal(result.first_called, MORNING + SECONDS(300));
    assert_int_equal(result.since, MORNING + SECONDS(900));
    assert_int_equal(result.misfits, 0);
    events_fini(&events);
}

/* Two windows that were apart, or a client that lies: the first call stands, the other is listed. */
static void nobody_is_served_by_two_windows(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, MORNING + 1, "called", 3);
    add(&events, MORNING + 2, "called", 4);
    add(&events, MORNING + 3, "serving", 4);
    add(&events, MORNING + 4, "served", 4);
    add(&events, MORNING + 5, "serving", 3);
    struct hs_queue_fold result = fold(&events);
    assert_int_equal(result.state, HS_QUEUE_SERVING);
    assert_int_equal(result.window, 3);
    assert_int_equal(result.misfits, 3);
    assert_true(events.list[0].fits);
    assert_false(events.list[1].fits);
    assert_false(events.list[2].fits);
    assert_false(events.list[3].fits);
    assert_true(events.list[4].fits);
    events_fini(&events);
}

static void who_was_skipped_may_be_called_again(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, MORNING + 1, "called", 3);
    add(&events, MORNING + 2, "skipped", 3);
    assert_int_equal(fold(&events).state, HS_QUEUE_SKIPPED);
    add(&events, MORNING + 3, "recalled", 3); /* that is for who is called */
    add(&events, MORNING + 4, "called", 5);
    add(&events, MORNING + 5, "served", 5);
    struct hs_queue_fold result = fold(&events);
    assert_int_equal(result.state, HS_QUEUE_SERVED);
    assert_int_equal(result.window, 5);
    assert_int_equal(result.misfits, 1);
    events_fini(&events);
}

static void a_transfer_waits_for_its_window(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, MORNING + SECONDS(10), "called", 3);
    add(&events, MORNING + SECONDS(20), "serving", 3);
    add_transfer(&events, MORNING + SECONDS(50), 3, 7, "B");
    struct hs_queue_fold result = fold(&events);
    assert_int_equal(result.state, HS_QUEUE_WAITING);
    assert_int_equal(result.window, 7);
    assert_true(hs_bytes_equal(result.group, TEXT("B")));
    assert_int_equal(result.served_ms, 30000);
    assert_false(hs_queue_fits(&result, HS_QUEUE_CALL, 3));
    assert_true(hs_queue_fits(&result, HS_QUEUE_CALL, 7));
    add(&events, MORNING + SECONDS(60), "called", 3);
    add(&events, MORNING + SECONDS(70), "called", 7);
    result = fold(&events);
    assert_int_equal(result.state, HS_QUEUE_CALLED);
    assert_int_equal(result.window, 7);
    assert_int_equal(result.misfits, 1);
    assert_int_equal(result.waited_ms, 30000);
    events_fini(&events);
}

static void what_this_version_does_not_know_does_not_fit(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    add(&events, MORNING + 1, "evaporated", 3);
    add(&events, MORNING + 2, "left", 0);
    add(&events, MORNING + 3, "called", 3);
    struct hs_queue_fold result = fold(&events);
    assert_int_equal(result.state, HS_QUEUE_LEFT);
    assert_int_equal(result.misfits, 2);
    events_fini(&events);
}

static void too_many_events_are_looked_at_no_more(void **state)
{
    (void)state;
    struct events events = {.count = 0};
    for (unsigned i = 0; i < HS_QUEUE_EVENTS_MAX; i++)
        add(&events, MORNING + 1 + i, i == 0 ? "called" : "recalled", 3);
    assert_int_equal(fold(&events).state, HS_QUEUE_CALLED);
    add(&events, MORNING + 1000, "recalled", 3);
    struct hs_queue_fold result = fold(&events);
    assert_int_equal(result.state, HS_QUEUE_LEFT);
    assert_int_equal(result.misfits, 0);
    events_fini(&events);
}

/* ---- who is next ---- */

static void who_is_next(void **state)
{
    (void)state;
    struct hs_queue_waiting passed = {.taken = 9, .window = 3};
    struct hs_queue_waiting old = {.taken = 5, .priority = true};
    struct hs_queue_waiting first = {.taken = 1, .id = {{1}}};
    struct hs_queue_waiting second = {.taken = 1, .id = {{2}}};
    assert_true(hs_queue_compare(&passed, &old) < 0);
    assert_true(hs_queue_compare(&old, &first) < 0);
    assert_true(hs_queue_compare(&first, &second) < 0);
    assert_true(hs_queue_compare(&second, &old) > 0);
    assert_int_equal(hs_queue_compare(&first, &first), 0);
}

static void groups_of_a_window(void **state)
{
    (void)state;
    assert_true(hs_queue_among(HS_BYTES_NONE, TEXT("A")));
    assert_true(hs_queue_among(TEXT("A"), TEXT("A")));
    assert_true(hs_queue_among(TEXT("A,BC"), TEXT("BC")));
    assert_false(hs_queue_among(TEXT("A,BC"), TEXT("B")));
    assert_false(hs_queue_among(TEXT("A,BC"), TEXT("C")));
    assert_false(hs_queue_among(TEXT("B"), TEXT("A")));
}

/* ---- figures ---- */

static void figures_are_by_hour_and_by_window(void **state)
{
    (void)state;
    struct hs_queue_window windows[HS_QUEUE_WINDOW_MAX + 1];
    struct hs_queue_figures figures = {.windows = windows};
    struct events served = {.count = 0};
    struct events skipped = {.count = 0};
    add(&served, MORNING + SECONDS(60), "called", 3);
    add(&served, MORNING + SECONDS(70), "serving", 3);
    add_transfer(&served, MORNING + SECONDS(100), 3, 2, NULL);
    add(&served, MORNING + SECONDS(110), "called", 2);
    add(&served, MORNING + SECONDS(120), "serving", 2);
    add(&served, MORNING + SECONDS(200), "served", 2);
    add(&skipped, MORNING + SECONDS(7200), "called", 3);
    add(&skipped, MORNING + SECONDS(7210), "recalled", 3);
    add(&skipped, MORNING + SECONDS(7220), "skipped", 3);
    hs_queue_figures_add(&figures, MORNING, served.list, served.count, 480);
    hs_queue_figures_add(&figures, MORNING + SECONDS(3600), skipped.list, skipped.count, 480);
    hs_queue_figures_add(&figures, MORNING + SECONDS(3601), NULL, 0, 480);
    assert_int_equal(figures.hours[12].taken, 1);
    assert_int_equal(figures.hours[12].served, 1);
    assert_int_equal(figures.hours[12].wait_ms, 60000);
    assert_int_equal(figures.hours[13].taken, 2);
    assert_int_equal(figures.hours[13].skipped, 1);
    assert_int_equal(figures.hours[13].waiting, 1);
    assert_int_equal(figures.hours[13].waits, 1);
    assert_int_equal(figures.hours[13].wait_most_ms, 3600000);
    assert_int_equal(figures.window_count, 2);
    assert_int_equal(windows[0].window, 2);
    assert_int_equal(windows[0].served, 1);
    assert_int_equal(windows[0].serve_ms, 80000);
    assert_int_equal(windows[1].window, 3);
    assert_int_equal(windows[1].calls, 2);
    assert_int_equal(windows[1].recalls, 1);
    assert_int_equal(windows[1].skipped, 1);
    assert_int_equal(windows[1].transferred, 1);
    assert_int_equal(windows[1].served, 1);
    assert_int_equal(windows[1].serve_most_ms, 30000);
    events_fini(&served);
    events_fini(&skipped);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_and_events_have_texts),
        cmocka_unit_test(groups_and_numbers_look_as_people_read_them),
        cmocka_unit_test(a_ticket_without_events_waits),
        cmocka_unit_test(times_are_of_waiting_and_of_service),
        cmocka_unit_test(nobody_is_served_by_two_windows),
        cmocka_unit_test(who_was_skipped_may_be_called_again),
        cmocka_unit_test(a_transfer_waits_for_its_window),
        cmocka_unit_test(what_this_version_does_not_know_does_not_fit),
        cmocka_unit_test(too_many_events_are_looked_at_no_more),
        cmocka_unit_test(who_is_next),
        cmocka_unit_test(groups_of_a_window),
        cmocka_unit_test(figures_are_by_hour_and_by_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
