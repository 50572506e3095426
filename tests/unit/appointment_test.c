/* appointment_test.c -- storage/model/appointment.h: who has a seat, in what order, and what becomes of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/msg/tlv.h"
#include "storage/model/appointment.h"

#include <stdlib.h>
#include <string.h>

struct asked {
    struct hs_booking bookings[8];
    struct hs_booking_event events[8];
    struct hs_buf messages[8];
    struct hs_slot_asked slot;
};

static void begin(struct asked *asked, uint32_t capacity)
{
    *asked = (struct asked){.slot = {.capacity = capacity}};
    asked->slot.bookings = asked->bookings;
    asked->slot.events = asked->events;
}

static void book(struct asked *asked, hs_stamp stamp, uint8_t id)
{
    asked->bookings[asked->slot.booking_count++] = (struct hs_booking){.stamp = stamp, .id = {.bytes = {id}}};
}

static void happen(struct asked *asked, hs_stamp stamp, uint8_t booking, const char *what)
{
    size_t at = asked->slot.event_count++;
    hs_tlv_put_text(&asked->messages[at], 3, what);
    asked->events[at] = (struct hs_booking_event){.stamp = stamp,
                                                  .id = {.bytes = {(uint8_t)(100 + at)}},
                                                  .booking = {.bytes = {booking}},
                                                  .message = hs_buf_bytes(&asked->messages[at])};
}

static enum hs_booking_state state_of(const struct asked *asked, uint8_t id)
{
    for (size_t i = 0; i < asked->slot.booking_count; i++) {
        if (asked->bookings[i].id.bytes[0] == id)
            return asked->bookings[i].state;
    }
    fail_msg("no booking %u", id);
    return HS_BOOKING_STATE_COUNT;
}

static void end(struct asked *asked)
{
    for (size_t i = 0; i < asked->slot.event_count; i++)
        hs_buf_fini(&asked->messages[i]);
}

static void moves_have_texts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HS_BOOKING_MOVE_COUNT; i++) {
        enum hs_booking_move parsed;
        assert_true(hs_booking_move_parse(HS_BOOKING_EVENTS[i], strlen(HS_BOOKING_EVENTS[i]), &parsed));
        assert_int_equal(parsed, i);
        assert_false(hs_booking_move_parse(HS_BOOKING_EVENTS[i], 3, &parsed));
    }
    assert_null(HS_BOOKING_EVENTS[HS_BOOKING_MOVE_COUNT]);
    assert_string_equal(hs_booking_state_text(HS_BOOKING_BOOKED), "booked");
    assert_string_equal(hs_booking_state_text(HS_BOOKING_MISSED), "missed");
}

/* Two halls give away the last seat without knowing of each other: stamp and id decide, whatever came first. */
static void the_last_seat_has_one_owner(void **state)
{
    (void)state;
    struct asked asked;
    begin(&asked, 2);
    book(&asked, 30, 1);
    book(&asked, 20, 3);
    book(&asked, 20, 2);
    assert_int_equal(hs_slot_fold(&asked.slot), 2);
    assert_int_equal(state_of(&asked, 2), HS_BOOKING_BOOKED);
    assert_int_equal(state_of(&asked, 3), HS_BOOKING_BOOKED);
    assert_int_equal(state_of(&asked, 1), HS_BOOKING_FULL);
}

static void a_seat_given_back_is_for_who_comes_next(void **state)
{
    (void)state;
    struct asked asked;
    begin(&asked, 1);
    book(&asked, 10, 1);
    book(&asked, 20, 2); /* was told that there is none, and has gone elsewhere */
    book(&asked, 40, 3);
    happen(&asked, 30, 1, "cancelled");
    assert_int_equal(hs_slot_fold(&asked.slot), 1);
    assert_int_equal(state_of(&asked, 1), HS_BOOKING_CANCELLED);
    assert_int_equal(state_of(&asked, 2), HS_BOOKING_FULL);
    assert_int_equal(state_of(&asked, 3), HS_BOOKING_BOOKED);
    assert_true(asked.events[0].fits);
    end(&asked);
}

static void what_comes_of_it(void **state)
{
    (void)state;
    struct asked asked;
    begin(&asked, 2);
    book(&asked, 10, 1);
    book(&asked, 11, 2);
    book(&asked, 12, 3);
    happen(&asked, 20, 1, "missed");
    happen(&asked, 21, 1, "kept"); /* he was only late */
    happen(&asked, 22, 1, "cancelled");
    happen(&asked, 23, 3, "kept"); /* who has no seat cannot keep it */
    happen(&asked, 24, 3, "cancelled");
    happen(&asked, 9, 2, "cancelled");  /* before it was asked for */
    happen(&asked, 25, 9, "cancelled"); /* of another slot */
    happen(&asked, 26, 2, "forgotten");
    assert_int_equal(hs_slot_fold(&asked.slot), 2);
    assert_int_equal(state_of(&asked, 1), HS_BOOKING_KEPT);
    assert_int_equal(state_of(&asked, 2), HS_BOOKING_BOOKED);
    assert_int_equal(state_of(&asked, 3), HS_BOOKING_CANCELLED);
    size_t fits = 0;
    for (size_t i = 0; i < asked.slot.event_count; i++)
        fits += asked.events[i].fits;
    assert_int_equal(fits, 3);
    end(&asked);
}

static void too_many_have_no_seat(void **state)
{
    (void)state;
    struct hs_booking *bookings = calloc(HS_SLOT_BOOKINGS_MAX + 1, sizeof *bookings);
    struct hs_slot_asked slot = {.capacity = 3, .bookings = bookings, .booking_count = HS_SLOT_BOOKINGS_MAX};
    for (size_t i = 0; i <= HS_SLOT_BOOKINGS_MAX; i++) {
        bookings[i].stamp = 10;
        hs_be32(bookings[i].id.bytes, (uint32_t)i);
    }
    assert_int_equal(hs_slot_fold(&slot), 3);
    slot.booking_count++;
    assert_int_equal(hs_slot_fold(&slot), 0);
    assert_int_equal(bookings[0].state, HS_BOOKING_FULL);
    free(bookings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_have_texts),
        cmocka_unit_test(the_last_seat_has_one_owner),
        cmocka_unit_test(a_seat_given_back_is_for_who_comes_next),
        cmocka_unit_test(what_comes_of_it),
        cmocka_unit_test(too_many_have_no_seat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
