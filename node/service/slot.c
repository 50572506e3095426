/* Slots: loaded with their appointments and the events of these, and shown. */
#include "node/service/put.h"
#include "node/service/slots.h"

#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"

#include <string.h>

enum { SLOT_HALL = 2, SLOT_DATE = 4, SLOT_BEGINS = 5, SLOT_CAPACITY = 7 };
enum { APPOINTMENT_SLOT = 2, APPOINTMENT_NAME = 3, APPOINTMENT_PHONE = 4, APPOINTMENT_ACCOUNT = 5 };

static uint8_t index_of(uint16_t kind, const char *name)
{
    return hs_kind_index(hs_kind_by_number(kind), name)->number;
}

/* ---- loading ---- */

struct loading {
    const struct hs_look *look;
    struct hs_arena *arena;
    struct hs_slot *slot;
    size_t room; /* of bookings */
    size_t event_room;
    size_t events_of_one;
    struct hs_id booking; /* whose events are being gathered */
};

/* A longer copy of a list of @count. */
static void *grown(struct hs_arena *arena, const void *list, size_t count, size_t room, size_t size)
{
    void *longer = hs_arena_array(arena, room, size);
    if (longer != NULL && count > 0)
        memcpy(longer, list, count * size);
    return longer;
}

static bool make_room(struct loading *loading)
{
    struct hs_slot *slot = loading->slot;
    size_t count = slot->asked.booking_count;
    if (count < loading->room)
        return true;
    size_t room = loading->room == 0 ? 16 : 2 * loading->room;
    slot->asked.bookings = grown(loading->arena, slot->asked.bookings, count, room, sizeof *slot->asked.bookings);
    slot->messages = grown(loading->arena, slot->messages, count, room, sizeof *slot->messages);
    slot->ids = grown(loading->arena, slot->ids, count, room, sizeof *slot->ids);
    loading->room = room;
    return slot->asked.bookings != NULL && slot->messages != NULL && slot->ids != NULL;
}

static bool make_event_room(struct loading *loading)
{
    struct hs_slot_asked *asked = &loading->slot->asked;
    if (asked->event_count < loading->event_room)
        return true;
    size_t room = loading->event_room == 0 ? 16 : 2 * loading->event_room;
    asked->events = grown(loading->arena, asked->events, asked->event_count, room, sizeof *asked->events);
    loading->event_room = room;
    return asked->events != NULL;
}

/* A hub may have told of one twice: with what was asked for, and with its slot. */
static bool is_told(const struct loading *loading, struct hs_bytes id)
{
    const struct hs_slot_asked *asked = &loading->slot->asked;
    for (size_t i = asked->booking_count; i-- > 0;) {
        if (hs_bytes_equal(HS_BYTES(loading->slot->ids[i].bytes, HS_ID_BYTES), id))
            return true;
    }
    return false;
}

static bool is_told_event(const struct loading *loading, struct hs_bytes id)
{
    const struct hs_slot_asked *asked = &loading->slot->asked;
    for (size_t i = 0; i < loading->events_of_one; i++) {
        if (hs_bytes_equal(HS_BYTES(asked->events[asked->event_count - 1 - i].id.bytes, HS_ID_BYTES), id))
            return true;
    }
    return false;
}

static bool belongs(const struct loading *loading, const struct hs_stored *stored)
{
    return stored->name.partition == loading->slot->name.partition && stored->name.id.size == HS_ID_BYTES;
}

static void note_stamp(struct loading *loading, hs_stamp stamp)
{
    struct hs_slot *slot = loading->slot;
    slot->highest = stamp > slot->highest ? stamp : slot->highest;
}

static enum hs_err add_event(void *ctx, const struct hs_stored *stored)
{
    struct loading *loading = ctx;
    struct hs_slot_asked *asked = &loading->slot->asked;
    const struct hs_variant *variant;
    if (!belongs(loading, stored) || is_told_event(loading, stored->name.id))
        return HS_OK;
    enum hs_err err = hs_fact_variant(stored, loading->arena, &variant);
    if (err != HS_OK || !make_event_room(loading))
        return err == HS_OK ? HS_ENOMEM : err == HS_ENOTFOUND ? HS_OK : err;
    struct hs_booking_event *event = &asked->events[asked->event_count++];
    *event = (struct hs_booking_event){
        .stamp = variant->stamp, .booking = loading->booking, .message = hs_arena_copy(loading->arena, variant->bytes)};
    memcpy(event->id.bytes, stored->name.id.data, HS_ID_BYTES);
    note_stamp(loading, variant->stamp);
    if (event->message.size != variant->bytes.size)
        return HS_ENOMEM;
    return ++loading->events_of_one == HS_BOOKING_EVENTS_MAX ? HS_EEXISTS : HS_OK;
}

static enum hs_err add_booking(void *ctx, const struct hs_stored *stored)
{
    struct loading *loading = ctx;
    struct hs_slot *slot = loading->slot;
    const struct hs_variant *variant;
    if (!belongs(loading, stored) || is_told(loading, stored->name.id))
        return HS_OK;
    enum hs_err err = hs_fact_variant(stored, loading->arena, &variant);
    if (err != HS_OK || !make_room(loading))
        return err == HS_OK ? HS_ENOMEM : err == HS_ENOTFOUND ? HS_OK : err;
    size_t at = slot->asked.booking_count++;
    memcpy(slot->ids[at].bytes, stored->name.id.data, HS_ID_BYTES);
    slot->messages[at] = hs_arena_copy(loading->arena, variant->bytes);
    slot->asked.bookings[at] = (struct hs_booking){.stamp = variant->stamp, .id = slot->ids[at]};
    note_stamp(loading, variant->stamp);
    if (slot->messages[at].size != variant->bytes.size)
        return HS_ENOMEM;
    return slot->asked.booking_count > HS_SLOT_BOOKINGS_MAX ? HS_EEXISTS : HS_OK;
}

static enum hs_err load_bookings(struct loading *loading)
{
    struct hs_slot *slot = loading->slot;
    struct hs_ask asked = {
        .kind = HS_KIND_APPOINTMENT, .index = index_of(HS_KIND_APPOINTMENT, "slot_id"), .key = slot->name.id};
    enum hs_err err = hs_look_index(loading->look, &asked, add_booking, loading);
    bool few = slot->asked.booking_count <= HS_SLOT_BOOKINGS_MAX; /* else nobody has a seat */
    for (size_t i = 0; i < slot->asked.booking_count && few && (err == HS_OK || err == HS_EEXISTS); i++) {
        struct hs_ask events = {.kind = HS_KIND_APPOINTMENT_EVENT,
                                .index = index_of(HS_KIND_APPOINTMENT_EVENT, "appointment_id"),
                                .key = HS_BYTES(slot->ids[i].bytes, HS_ID_BYTES)};
        loading->booking = slot->ids[i];
        loading->events_of_one = 0;
        err = hs_look_index(loading->look, &events, add_event, loading);
    }
    return err == HS_EEXISTS ? HS_OK : err;
}

/* What the slot's record shows, and its stamp. */
static enum hs_err load_record(struct loading *loading, const struct hs_stored *stored)
{
    struct hs_slot *slot = loading->slot;
    struct hs_record record;
    struct hs_buf shown = {0};
    enum hs_err err = hs_record_decode(stored->state, loading->arena, &record);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    slot->name = stored->name;
    slot->name.id = hs_arena_copy(loading->arena, stored->name.id);
    slot->highest = hs_record_stamp(&record);
    err = hs_record_shown(&record, &shown);
    slot->message = hs_arena_copy(loading->arena, hs_buf_bytes(&shown));
    if (err == HS_OK && (slot->message.size != shown.size || slot->name.id.size != stored->name.id.size))
        err = HS_ENOMEM;
    hs_buf_fini(&shown);
    slot->asked.capacity = (uint32_t)hs_tlv_u64(slot->message, SLOT_CAPACITY, 0);
    return err;
}

static enum hs_err find_slot(const struct hs_look *look, hs_partition partition, struct hs_bytes slot_id,
                             struct hs_stored *stored)
{
    struct hs_record_name name = {.partition = partition, .lane = HS_LANE_WORK, .kind = HS_KIND_SLOT, .id = slot_id};
    enum hs_err err = hs_look_find(look, HS_KIND_SLOT, slot_id, stored);
    bool other = err == HS_OK && partition != HS_SLOT_ANYWHERE && stored->name.partition != partition;
    return other ? hs_view_record(look->view, &name, stored) : err;
}

enum hs_err hs_slot_load(const struct hs_look *look, hs_partition partition, struct hs_bytes slot_id,
                         struct hs_arena *arena, struct hs_slot *slot)
{
    struct loading loading = {.look = look, .arena = arena, .slot = slot};
    struct hs_stored stored;
    *slot = (struct hs_slot){0};
    enum hs_err err = find_slot(look, partition, slot_id, &stored);
    if (err == HS_OK)
        err = load_record(&loading, &stored);
    if (err == HS_OK)
        err = load_bookings(&loading);
    if (err == HS_OK)
        slot->taken = hs_slot_fold(&slot->asked);
    return err;
}

uint32_t hs_slot_free(const struct hs_slot *slot)
{
    return slot->asked.capacity > slot->taken ? slot->asked.capacity - slot->taken : 0;
}

const struct hs_booking *hs_slot_booking(const struct hs_slot *slot, struct hs_bytes id)
{
    for (size_t i = 0; i < slot->asked.booking_count; i++) {
        const struct hs_booking *booking = &slot->asked.bookings[i];
        if (hs_bytes_equal(HS_BYTES(booking->id.bytes, HS_ID_BYTES), id))
            return booking;
    }
    return NULL;
}

/* ---- shown ---- */

static char *text_of(struct hs_arena *arena, struct hs_bytes message, uint32_t field)
{
    struct hs_bytes text = hs_tlv_bytes(message, field);
    return text.size != 0 ? hs_arena_text(arena, text) : NULL;
}

static struct hs_bytes message_of(const struct hs_slot *slot, const struct hs_id *id)
{
    for (size_t i = 0; i < slot->asked.booking_count; i++) {
        if (memcmp(slot->ids[i].bytes, id->bytes, HS_ID_BYTES) == 0)
            return slot->messages[i];
    }
    return HS_BYTES_NONE;
}

static Hallsync__SlotBooking *show_booking(const struct hs_slot *slot, const struct hs_booking *booking,
                                           struct hs_arena *arena)
{
    const struct hs_kind *kind = hs_kind_by_number(HS_KIND_APPOINTMENT);
    struct hs_bytes message = message_of(slot, &booking->id);
    Hallsync__SlotBooking *shown = hs_arena_alloc(arena, sizeof *shown);
    if (shown == NULL)
        return NULL;
    hallsync__slot_booking__init(shown);
    shown->appointment_id = hs_show_id(arena, kind, HS_BYTES(booking->id.bytes, HS_ID_BYTES), message);
    shown->state = (char *)(uintptr_t)hs_booking_state_text(booking->state);
    shown->name = text_of(arena, message, APPOINTMENT_NAME);
    shown->phone = text_of(arena, message, APPOINTMENT_PHONE);
    shown->account = text_of(arena, message, APPOINTMENT_ACCOUNT);
    return shown->appointment_id != NULL ? shown : NULL;
}

enum hs_err hs_slot_show(const struct hs_slot *slot, struct hs_arena *arena, bool detailed, Hallsync__SlotState **shown)
{
    Hallsync__SlotState *state = hs_arena_alloc(arena, sizeof *state);
    if (state == NULL)
        return HS_ENOMEM;
    hallsync__slot_state__init(state);
    state->booked = slot->taken;
    state->free = hs_slot_free(slot);
    for (size_t i = 0; i < slot->asked.booking_count; i++)
        state->full += slot->asked.bookings[i].state == HS_BOOKING_FULL;
    state->has_full = state->full != 0;
    *shown = state;
    if (!detailed)
        return HS_OK;
    state->bookings = hs_arena_array(arena, slot->asked.booking_count, sizeof *state->bookings);
    if (state->bookings == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < slot->asked.booking_count; i++) {
        Hallsync__SlotBooking *booking = show_booking(slot, &slot->asked.bookings[i], arena);
        if (booking == NULL)
            return HS_ENOMEM;
        state->bookings[state->n_bookings++] = booking;
    }
    return HS_OK;
}

enum hs_err hs_appointment_show(const struct hs_look *look, const struct hs_record_name *name, struct hs_bytes message,
                                struct hs_arena *arena, Hallsync__AppointmentState **shown)
{
    Hallsync__AppointmentState *state = hs_arena_alloc(arena, sizeof *state);
    struct hs_slot slot;
    if (state == NULL)
        return HS_ENOMEM;
    hallsync__appointment_state__init(state);
    enum hs_err err = hs_slot_load(look, name->partition, hs_tlv_bytes(message, APPOINTMENT_SLOT), arena, &slot);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    const struct hs_booking *booking = err == HS_OK ? hs_slot_booking(&slot, name->id) : NULL;
    state->state = (char *)(uintptr_t)(booking != NULL ? hs_booking_state_text(booking->state) : "asked");
    *shown = state;
    if (booking == NULL)
        return HS_OK;
    state->has_changed_ms = true;
    state->changed_ms = hs_stamp_ms(booking->changed);
    state->hall = text_of(arena, slot.message, SLOT_HALL);
    state->date = text_of(arena, slot.message, SLOT_DATE);
    state->begins = text_of(arena, slot.message, SLOT_BEGINS);
    return HS_OK;
}
