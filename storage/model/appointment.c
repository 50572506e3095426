#include "storage/model/appointment.h"

#include "proto/msg/tlv.h"

#include <stdlib.h>
#include <string.h>

enum { EVENT_MOVE = 3 };

static const char *const STATE_TEXTS[HS_BOOKING_STATE_COUNT] = {
    [HS_BOOKING_BOOKED] = "booked", [HS_BOOKING_FULL] = "full",     [HS_BOOKING_CANCELLED] = "cancelled",
    [HS_BOOKING_KEPT] = "kept",     [HS_BOOKING_MISSED] = "missed",
};
const char *const HS_BOOKING_EVENTS[HS_BOOKING_MOVE_COUNT + 1] = {
    [HS_BOOKING_CANCEL] = "cancelled",
    [HS_BOOKING_KEEP] = "kept",
    [HS_BOOKING_MISS] = "missed",
    [HS_BOOKING_MOVE_COUNT] = NULL,
};

/* Indexed by move: from which states, and where to. */
#define FROM(state) (1U << HS_BOOKING_##state)
static const struct {
    unsigned from;
    enum hs_booking_state to;
} MOVES[HS_BOOKING_MOVE_COUNT] = {
    [HS_BOOKING_CANCEL] = {FROM(BOOKED) | FROM(FULL), HS_BOOKING_CANCELLED},
    [HS_BOOKING_KEEP] = {FROM(BOOKED) | FROM(MISSED), HS_BOOKING_KEPT},
    [HS_BOOKING_MISS] = {FROM(BOOKED) | FROM(KEPT), HS_BOOKING_MISSED},
};

const char *hs_booking_state_text(enum hs_booking_state state)
{
    return STATE_TEXTS[state];
}

bool hs_booking_move_parse(const char *text, size_t size, enum hs_booking_move *move)
{
    for (unsigned i = 0; i < HS_BOOKING_MOVE_COUNT; i++) {
        if (strlen(HS_BOOKING_EVENTS[i]) == size && memcmp(HS_BOOKING_EVENTS[i], text, size) == 0) {
            *move = (enum hs_booking_move)i;
            return true;
        }
    }
    return false;
}

bool hs_booking_fits(enum hs_booking_state from, enum hs_booking_move move)
{
    return (MOVES[move].from >> from & 1) != 0;
}

/* ---- the order ---- */

static int compare(hs_stamp one, const struct hs_id *one_id, hs_stamp other, const struct hs_id *other_id)
{
    if (one != other)
        return one < other ? -1 : 1;
    return memcmp(one_id->bytes, other_id->bytes, sizeof one_id->bytes);
}

static int booking_compare(const void *a, const void *b)
{
    const struct hs_booking *one = a;
    const struct hs_booking *other = b;
    return compare(one->stamp, &one->id, other->stamp, &other->id);
}

static int event_compare(const void *a, const void *b)
{
    const struct hs_booking_event *one = a;
    const struct hs_booking_event *other = b;
    return compare(one->stamp, &one->id, other->stamp, &other->id);
}

/* Among those that have had their turn; NULL: it is none of them. */
static struct hs_booking *booking_of(struct hs_booking *bookings, size_t count, const struct hs_id *id)
{
    for (size_t i = count; i-- > 0;) {
        if (memcmp(bookings[i].id.bytes, id->bytes, sizeof id->bytes) == 0)
            return &bookings[i];
    }
    return NULL;
}

/* ---- the fold ---- */

static bool has_seat(enum hs_booking_state state)
{
    return state == HS_BOOKING_BOOKED || state == HS_BOOKING_KEPT || state == HS_BOOKING_MISSED;
}

static void take_booking(struct hs_booking *booking, uint32_t capacity, uint32_t *taken)
{
    booking->state = *taken < capacity ? HS_BOOKING_BOOKED : HS_BOOKING_FULL;
    booking->changed = booking->stamp;
    *taken += booking->state == HS_BOOKING_BOOKED;
}

static void take_event(struct hs_booking_event *event, struct hs_booking *booking, uint32_t *taken)
{
    enum hs_booking_move move;
    struct hs_bytes text = hs_tlv_bytes(event->message, EVENT_MOVE);
    event->fits = booking != NULL && hs_booking_move_parse((const char *)text.data, text.size, &move) &&
                  hs_booking_fits(booking->state, move);
    if (!event->fits)
        return;
    *taken -= has_seat(booking->state) && !has_seat(MOVES[move].to);
    booking->state = MOVES[move].to;
    booking->changed = event->stamp;
}

/* Nobody can have asked for so many in earnest. */
static void turn_away(struct hs_slot_asked *asked)
{
    for (size_t i = 0; i < asked->booking_count; i++) {
        asked->bookings[i].state = HS_BOOKING_FULL;
        asked->bookings[i].changed = asked->bookings[i].stamp;
    }
    for (size_t i = 0; i < asked->event_count; i++)
        asked->events[i].fits = false;
}

uint32_t hs_slot_fold(struct hs_slot_asked *asked)
{
    uint32_t taken = 0;
    size_t booked = 0;
    size_t event = 0;
    if (asked->booking_count > HS_SLOT_BOOKINGS_MAX) {
        turn_away(asked);
        return 0;
    }
    if (asked->booking_count > 1)
        qsort(asked->bookings, asked->booking_count, sizeof *asked->bookings, booking_compare);
    if (asked->event_count > 1)
        qsort(asked->events, asked->event_count, sizeof *asked->events, event_compare);
    while (booked < asked->booking_count || event < asked->event_count) {
        bool is_booking = event == asked->event_count || (booked < asked->booking_count &&
                                                          asked->bookings[booked].stamp <= asked->events[event].stamp);
        if (is_booking) {
            take_booking(&asked->bookings[booked++], asked->capacity, &taken);
            continue;
        }
        take_event(&asked->events[event], booking_of(asked->bookings, booked, &asked->events[event].booking), &taken);
        event++;
    }
    return taken;
}
