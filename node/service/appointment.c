/* Appointments: what is asked of a slot is written wherever the slot is known, or taken on trust without a link; the
 * fold of the slot has the last word.  A node that knows of no free seat says so at once. */
#include "node/service/put.h"
#include "node/service/slots.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"

#include <assert.h>
#include <string.h>

enum { SLOT_HALL = 2, SLOT_OFFERED = 8 };
enum { APPOINTMENT_SLOT = 2 };
enum { EVENT_APPOINTMENT = 2, EVENT_MOVE = 3 };

static struct hs_bytes bytes_of(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

/* ---- slots ---- */

/* A hall says itself when it can be come to. */
enum hs_err hs_slot_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__Slot *given = (const Hallsync__Slot *)item->parsed;
    const char *own = hs_store_certificate(work->store)->node_id;
    struct hs_bytes hall = given->hall != NULL ? bytes_of(given->hall) : HS_BYTES_NONE;
    struct hs_slot slot;
    enum hs_err err = hs_slot_load(&work->look, HS_SLOT_ANYWHERE, item->id, work->scratch, &slot);
    if (err == HS_OK)
        hall = hs_tlv_bytes(slot.message, SLOT_HALL);
    else if (err != HS_ENOTFOUND)
        return err;
    if (hall.size != 0 && !hs_bytes_equal(hall, bytes_of(own)))
        return hs_refuse(&work->refusal, HS_EINVAL, SLOT_HALL, "hall: the slot is of %.*s, and is written there",
                         (int)hall.size, (const char *)hall.data);
    return hs_register_write(work, item);
}

/* ---- asking for a seat ---- */

/* Of a slot that is not here: a hub is asked; without one it is written on trust where the client says where to. */
static enum hs_err slot_elsewhere(struct hs_work *work, const struct hs_item *item, const char *slot_id)
{
    if (item->put->has_partition)
        return hs_fact_write(work, item);
    if (!hs_store_holds_all(work->store) && !work->answered && hs_work_wants(work, HS_KIND_SLOT, bytes_of(slot_id)))
        return hs_refuse(&work->refusal, HS_ENOTHERE, APPOINTMENT_SLOT, "slot_id: %s is not here", slot_id);
    return hs_refuse(&work->refusal, HS_ENOTFOUND, APPOINTMENT_SLOT, "slot_id: there is no slot %s", slot_id);
}

static enum hs_err check_slot(struct hs_work *work, const struct hs_slot *slot, const char *slot_id)
{
    if (hs_bytes_equal(hs_tlv_bytes(slot->message, SLOT_OFFERED), bytes_of("no")))
        return hs_refuse(&work->refusal, HS_ESTATE, APPOINTMENT_SLOT, "slot_id: %s takes no more", slot_id);
    if (slot->asked.booking_count >= HS_SLOT_BOOKINGS_MAX)
        return hs_refuse(&work->refusal, HS_EOVERFLOW, APPOINTMENT_SLOT,
                         "slot_id: %s was asked for %zu times; it takes no more, make another one", slot_id,
                         slot->asked.booking_count);
    if (hs_slot_free(slot) == 0)
        return hs_refuse(&work->refusal, HS_ESTATE, APPOINTMENT_SLOT, "slot_id: %s is full: %u of %u are booked",
                         slot_id, (unsigned)slot->taken, (unsigned)slot->asked.capacity);
    return HS_OK;
}

enum hs_err hs_appointment_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__Appointment *asked = (const Hallsync__Appointment *)item->parsed;
    struct hs_slot slot;
    enum hs_err err = hs_fact_known(work, item, item->message);
    if (err != HS_ENOTFOUND)
        return err;
    hs_partition where = item->put->has_partition ? (hs_partition)item->put->partition : HS_SLOT_ANYWHERE;
    err = hs_slot_load(&work->look, where, bytes_of(asked->slot_id), work->scratch, &slot);
    if (err == HS_ENOTFOUND)
        return slot_elsewhere(work, item, asked->slot_id);
    if (err == HS_OK)
        err = check_slot(work, &slot, asked->slot_id);
    const struct hs_new_fact fact = {.message = item->message, .partition = slot.name.partition, .above = slot.highest};
    return err == HS_OK ? hs_fact_put(work, item, &fact) : err;
}

/* ---- what becomes of it ---- */

static enum hs_err find_appointment(struct hs_work *work, struct hs_bytes id, struct hs_stored *stored,
                                    struct hs_bytes *message)
{
    const struct hs_variant *variant;
    char text[HS_ID_TEXT_BYTES];
    enum hs_err err = hs_look_find(&work->look, HS_KIND_APPOINTMENT, id, stored);
    if (err == HS_OK)
        err = hs_fact_variant(stored, work->scratch, &variant);
    if (err == HS_OK)
        *message = variant->bytes;
    if (err != HS_ENOTFOUND)
        return err;
    hs_text_to_hex(id, text);
    if (!hs_store_holds_all(work->store) && !work->answered && hs_work_wants(work, HS_KIND_APPOINTMENT, id))
        return hs_refuse(&work->refusal, HS_ENOTHERE, EVENT_APPOINTMENT, "appointment_id: %s is not here", text);
    return hs_refuse(&work->refusal, HS_ENOTFOUND, EVENT_APPOINTMENT, "appointment_id: there is no appointment %s",
                     text);
}

static size_t events_of(const struct hs_slot *slot, struct hs_bytes id)
{
    size_t count = 0;
    for (size_t i = 0; i < slot->asked.event_count; i++)
        count += hs_bytes_equal(HS_BYTES(slot->asked.events[i].booking.bytes, HS_ID_BYTES), id);
    return count;
}

/* One event more than are looked at would put another one out of sight, and a seat might change its owner. */
static enum hs_err check_move(struct hs_work *work, const struct hs_slot *slot, struct hs_bytes id, const char *event)
{
    enum hs_booking_move move;
    const struct hs_booking *booking = hs_slot_booking(slot, id);
    bool known = hs_booking_move_parse(event, strlen(event), &move);
    assert(known); /* one of the field's choices */
    if (booking != NULL && !hs_booking_fits(booking->state, move))
        return hs_refuse(&work->refusal, HS_ESTATE, EVENT_MOVE, "event: the appointment is %s: it cannot be %s",
                         hs_booking_state_text(booking->state), event);
    if (events_of(slot, id) >= HS_BOOKING_EVENTS_MAX)
        return hs_refuse(&work->refusal, HS_EOVERFLOW, EVENT_MOVE, "event: the appointment has %d events already",
                         HS_BOOKING_EVENTS_MAX);
    return HS_OK;
}

enum hs_err hs_appointment_event_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__AppointmentEvent *event = (const Hallsync__AppointmentEvent *)item->parsed;
    struct hs_bytes id = HS_BYTES(event->appointment_id.data, event->appointment_id.len);
    struct hs_bytes message = HS_BYTES_NONE;
    struct hs_stored stored;
    struct hs_slot slot;
    enum hs_err err = hs_fact_known(work, item, item->message);
    if (err != HS_ENOTFOUND)
        return err;
    err = find_appointment(work, id, &stored, &message);
    if (err != HS_OK)
        return err;
    err = hs_slot_load(&work->look, stored.name.partition, hs_tlv_bytes(message, APPOINTMENT_SLOT), work->scratch,
                       &slot);
    if (err == HS_OK)
        err = check_move(work, &slot, id, event->event);
    else if (err == HS_ENOTFOUND)
        err = HS_OK; /* what was taken on trust is given back on trust */
    const struct hs_new_fact fact = {
        .message = item->message, .partition = stored.name.partition, .above = slot.highest};
    return err == HS_OK ? hs_fact_put(work, item, &fact) : err;
}
