/* appointment_property_test.c -- random bookings of a slot and random events of them, given to the fold in random
 * orders: the outcome is the same, never more seats than there are, and what a plain walk through time says.  HS_SEED=N
 * HS_WORLDS=M repeats a run. */
#include "tests/property/random_writes.h"

#include "storage/model/appointment.h"

#define DEFAULT_SEED   20261123
#define DEFAULT_WORLDS 600
#define BOOKINGS_MAX   12
#define EVENTS_MAX     20
#define TIMES          40 /* few, so that many are of one time */

struct slot {
    struct hs_slot_asked asked;
    struct hs_booking bookings[BOOKINGS_MAX];
    struct hs_booking_event events[EVENTS_MAX];
};

static void random_slot(struct hs_arena *arena, struct slot *slot)
{
    *slot = (struct slot){.asked = {.capacity = (uint32_t)random_below(6)}};
    slot->asked.bookings = slot->bookings;
    slot->asked.events = slot->events;
    slot->asked.booking_count = random_below(BOOKINGS_MAX + 1);
    slot->asked.event_count = random_below(EVENTS_MAX + 1);
    for (size_t i = 0; i < BOOKINGS_MAX; i++) {
        slot->bookings[i].stamp = 1 + random_below(TIMES);
        slot->bookings[i].id.bytes[0] = (uint8_t)random_below(3);
        slot->bookings[i].id.bytes[1] = (uint8_t)i;
    }
    for (size_t i = 0; i < slot->asked.event_count; i++) {
        struct hs_buf message = {0};
        if (chance(95))
            hs_tlv_put_text(&message, 3, PICK("cancelled", "cancelled", "kept", "missed", "lost"));
        struct hs_booking_event *event = &slot->events[i];
        event->stamp = 1 + random_below(TIMES);
        event->id.bytes[0] = (uint8_t)random_below(3);
        event->id.bytes[1] = (uint8_t)i;
        event->booking = slot->bookings[random_below(BOOKINGS_MAX)].id; /* or of nobody */
        event->message = keep(arena, &message);
    }
}

static void shuffle(struct slot *slot)
{
    for (size_t i = slot->asked.booking_count; i > 1; i--) {
        size_t j = random_below(i);
        struct hs_booking one = slot->bookings[i - 1];
        slot->bookings[i - 1] = slot->bookings[j];
        slot->bookings[j] = one;
    }
    for (size_t i = slot->asked.event_count; i > 1; i--) {
        size_t j = random_below(i);
        struct hs_booking_event one = slot->events[i - 1];
        slot->events[i - 1] = slot->events[j];
        slot->events[j] = one;
    }
}

/* ---- a plain walk: at each time the bookings by id, then the events by id ---- */

struct walk {
    const char *states[BOOKINGS_MAX]; /* by the second byte of the id; NULL: not yet */
    uint32_t taken;
};

static bool holds(const char *state)
{
    return state != NULL && strcmp(state, "full") != 0 && strcmp(state, "cancelled") != 0;
}

static void walk_event(struct walk *walk, const struct hs_booking_event *event)
{
    const char **state = &walk->states[event->booking.bytes[1]];
    struct hs_bytes what = hs_tlv_bytes(event->message, 3);
    static const char *const ENDS[] = {"cancelled", "kept", "missed"};
    for (size_t i = 0; i < COUNT_OF(ENDS) && *state != NULL; i++) {
        bool booked = strcmp(*state, "booked") == 0;
        bool other = strcmp(*state, ENDS[i == 1 ? 2 : 1]) == 0;
        bool may = booked || (i == 0 ? strcmp(*state, "full") == 0 : other);
        if (!hs_bytes_equal(what, HS_BYTES(ENDS[i], strlen(ENDS[i]))))
            continue;
        assert_int_equal(event->fits, may);
        walk->taken -= may && i == 0 && holds(*state);
        *state = may ? ENDS[i] : *state;
        return;
    }
    assert_false(event->fits);
}

static void take_walk(const struct slot *slot, struct walk *walk)
{
    size_t booking = 0, event = 0; /* the fold has sorted both */
    *walk = (struct walk){.taken = 0};
    for (hs_stamp time = 1; time <= TIMES; time++) {
        for (; booking < slot->asked.booking_count && slot->bookings[booking].stamp == time; booking++) {
            bool seat = walk->taken < slot->asked.capacity;
            walk->states[slot->bookings[booking].id.bytes[1]] = seat ? "booked" : "full";
            walk->taken += seat;
        }
        for (; event < slot->asked.event_count && slot->events[event].stamp == time; event++)
            walk_event(walk, &slot->events[event]);
        assert_true(walk->taken <= slot->asked.capacity);
    }
}

static void compare(const struct slot *slot, const struct walk *walk, uint32_t taken)
{
    assert_int_equal(taken, walk->taken);
    assert_true(taken <= slot->asked.capacity);
    for (size_t i = 0; i < slot->asked.booking_count; i++)
        assert_string_equal(hs_booking_state_text(slot->bookings[i].state),
                            walk->states[slot->bookings[i].id.bytes[1]]);
}

static void run_world(void *unused)
{
    (void)unused;
    struct hs_arena arena;
    struct slot slot;
    struct walk walk;
    hs_arena_init(&arena, 0);
    random_slot(&arena, &slot);
    uint32_t taken = hs_slot_fold(&slot.asked);
    take_walk(&slot, &walk);
    compare(&slot, &walk, taken);
    for (int order = 0; order < 5; order++) {
        shuffle(&slot);
        compare(&slot, &walk, hs_slot_fold(&slot.asked));
    }
    hs_arena_fini(&arena);
}

static void any_order_gives_the_same_seats(void **state)
{
    (void)state;
    run_worlds(DEFAULT_SEED, DEFAULT_WORLDS, run_world, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_order_gives_the_same_seats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
