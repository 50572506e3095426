/* appointment.h -- who has a seat of a slot, and what became of it: a fold over the slot's bookings and their events.
 * Pure.
 *
 * Halls book apart from one another, and without a link: nobody can promise a seat at the moment of asking.  So all
 * that was asked for is put in one order, by (stamp, id), the same at every node; whoever finds a free seat in his turn
 * has it, and whoever does not has none, also when one becomes free later: he was told so, and has gone elsewhere. */
#ifndef HS_MODEL_APPOINTMENT_H
#define HS_MODEL_APPOINTMENT_H

#include "proto/base/buf.h"
#include "proto/base/names.h"

#define HS_SLOT_CAPACITY_MAX  500
#define HS_SLOT_BOOKINGS_MAX  1024 /* of one slot: beyond that nobody has a seat; a peer could make it cost too much */
#define HS_BOOKING_EVENTS_MAX 8    /* of one appointment that are looked at, the first by id */

enum hs_booking_state {
    HS_BOOKING_BOOKED,
    HS_BOOKING_FULL, /* there was no seat left */
    HS_BOOKING_CANCELLED,
    HS_BOOKING_KEPT,
    HS_BOOKING_MISSED,
    HS_BOOKING_STATE_COUNT
};
const char *hs_booking_state_text(enum hs_booking_state state); /* "booked" */

enum hs_booking_move { HS_BOOKING_CANCEL, HS_BOOKING_KEEP, HS_BOOKING_MISS, HS_BOOKING_MOVE_COUNT };
extern const char *const HS_BOOKING_EVENTS[]; /* "cancelled", "kept", "missed": by move, NULL behind the last */
bool hs_booking_move_parse(const char *text, size_t size, enum hs_booking_move *move);
/* A seat may be given back; who had none may say that he does not want one.  Kept and missed can be corrected. */
bool hs_booking_fits(enum hs_booking_state from, enum hs_booking_move move);

struct hs_booking {
    hs_stamp stamp;
    struct hs_id id;
    enum hs_booking_state state; /* out */
    hs_stamp changed;            /* out */
};
struct hs_booking_event {
    hs_stamp stamp;
    struct hs_id id;
    struct hs_id booking;
    struct hs_bytes message; /* AppointmentEvent */
    bool fits;               /* out: it was possible when its turn came */
};
/* All that was asked of a slot.  Both lists are sorted by the fold. */
struct hs_slot_asked {
    uint32_t capacity;
    struct hs_booking *bookings;
    size_t booking_count;
    struct hs_booking_event *events;
    size_t event_count;
};
/* How many seats are taken: booked, kept or missed. */
uint32_t hs_slot_fold(struct hs_slot_asked *asked);

#endif
