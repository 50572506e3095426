/* Tickets: the events of one, and how it is opened: head and first event in one op. */
#include "node/service/catalogue.h"
#include "node/service/tickets.h"

#include "proto/msg/tlv.h"

#include <assert.h>
#include <string.h>

enum { INDEX_EVENT_TICKET = 1 };

/* ---- the events of a ticket ---- */

struct gathering {
    struct hs_ticket_events *events;
    hs_partition partition;
    struct hs_arena *arena;
    size_t room;
};

static bool make_room(struct gathering *gathering)
{
    struct hs_ticket_events *events = gathering->events;
    if (events->count < gathering->room)
        return true;
    size_t room = gathering->room == 0 ? 16 : 2 * gathering->room;
    struct hs_ticket_event *list = hs_arena_array(gathering->arena, room, sizeof *list);
    struct hs_event_writer *writers = hs_arena_array(gathering->arena, room, sizeof *writers);
    if (list == NULL || writers == NULL)
        return false;
    if (events->count > 0) {
        memcpy(list, events->list, events->count * sizeof *list);
        memcpy(writers, events->writers, events->count * sizeof *writers);
    }
    events->list = list;
    events->writers = writers;
    gathering->room = room;
    return true;
}

static enum hs_err gather_one(void *ctx, const struct hs_stored *stored)
{
    struct gathering *gathering = ctx;
    struct hs_ticket_events *events = gathering->events;
    const struct hs_variant *variant;
    if (stored->name.partition != gathering->partition || stored->name.id.size != HS_ID_BYTES)
        return HS_OK;
    enum hs_err err = hs_fact_variant(stored, gathering->arena, &variant);
    if (err != HS_OK || !make_room(gathering))
        return err == HS_OK ? HS_ENOMEM : err == HS_ENOTFOUND ? HS_OK : err;
    struct hs_ticket_event *event = &events->list[events->count];
    event->stamp = variant->stamp;
    memcpy(event->id.bytes, stored->name.id.data, sizeof event->id.bytes);
    event->message = hs_arena_copy(gathering->arena, variant->bytes);
    events->writers[events->count++] = (struct hs_event_writer){.event = event->id, .origin = variant->dot.origin};
    events->highest = variant->stamp > events->highest ? variant->stamp : events->highest;
    return event->message.data != NULL || variant->bytes.size == 0 ? HS_OK : HS_ENOMEM;
}

enum hs_err hs_ticket_gather(const struct hs_look *look, const struct hs_record_name *ticket, struct hs_arena *arena,
                             struct hs_ticket_events *events)
{
    struct gathering gathering = {.events = events, .partition = ticket->partition, .arena = arena};
    *events = (struct hs_ticket_events){0};
    struct hs_ask of_ticket = {.kind = HS_KIND_TICKET_EVENT, .index = INDEX_EVENT_TICKET, .key = ticket->id};
    return hs_look_index(look, &of_ticket, gather_one, &gathering);
}

/* ---- opening ---- */

void hs_ticket_opening_id(struct hs_bytes ticket, struct hs_id *id)
{
    hs_id_made("hallsync opening 1", ticket, id);
}

static enum hs_err opening_event(const struct hs_ticket_opening *opening, struct hs_arena *arena, struct hs_id *id,
                                 struct hs_bytes *message)
{
    char state[] = "open";
    Hallsync__TicketEvent event = HALLSYNC__TICKET_EVENT__INIT;
    hs_ticket_opening_id(opening->id, id);
    event.has_ticket_id = true;
    event.ticket_id = hs_binary(opening->id);
    event.state = state;
    event.note = (char *)(uintptr_t)opening->note;
    event.clerk = (char *)(uintptr_t)opening->clerk;
    *message = hs_canonical(&event.base, arena);
    return message->data != NULL ? HS_OK : HS_ENOMEM;
}

/* Head and first event are one op: nobody ever sees a ticket that is not open. */
static enum hs_err write_opening(struct hs_work *work, const struct hs_ticket_opening *opening)
{
    struct hs_id event_id;
    struct hs_bytes event;
    struct hs_dot dot;
    hs_stamp stamp;
    enum hs_err err = opening_event(opening, work->scratch, &event_id, &event);
    if (err != HS_OK)
        return err;
    struct hs_write writes[] = {
        {.kind = HS_KIND_TICKET, .id = opening->id, .fields = opening->fields, .field_count = opening->field_count},
        {.kind = HS_KIND_TICKET_EVENT,
         .id = HS_BYTES(event_id.bytes, sizeof event_id.bytes),
         .is_fact = true,
         .fact = event},
    };
    struct hs_draft draft = {.partition = opening->partition,
                             .lane = HS_LANE_WORK,
                             .above = opening->above,
                             .writes = writes,
                             .write_count = 2,
                             .request = opening->request};
    return hs_store_write(work->store, &draft, &dot, &stamp);
}

enum hs_err hs_ticket_open(struct hs_work *work, const Hallsync__Ticket *ticket, struct hs_ticket_opening *opening)
{
    struct hs_bytes message = hs_canonical(&ticket->base, work->scratch);
    struct hs_field_write *fields = hs_arena_array(work->scratch, HS_FIELD_ID_MAX, sizeof *fields);
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    size_t count = 0;
    if (message.data == NULL || fields == NULL)
        return HS_ENOMEM;
    while (hs_tlv_next(&cur, &tlv)) {
        assert(tlv.number <= HS_FIELD_ID_MAX); /* its maker gave it no fields of later versions */
        if (count > 0 && fields[count - 1].number == tlv.number)
            fields[count - 1].value.size += tlv.raw.size;
        else
            fields[count++] = (struct hs_field_write){.number = tlv.number, .value = tlv.raw};
    }
    opening->fields = fields;
    opening->field_count = count;
    return write_opening(work, opening);
}

/* @item with what the catalogue says besides. */
static enum hs_err complete(struct hs_work *work, const struct hs_item *item, struct hs_item *whole)
{
    Hallsync__Ticket ticket = *(const Hallsync__Ticket *)item->parsed;
    enum hs_err err = hs_catalogue_fill(work, &ticket);
    if (err != HS_OK)
        return err;
    struct hs_given *given = hs_arena_array(work->scratch, item->kind->field_count, sizeof *given);
    *whole = *item;
    whole->message = hs_canonical(&ticket.base, work->scratch);
    if (given == NULL || whole->message.data == NULL)
        return HS_ENOMEM;
    whole->given_count = hs_given_of(item->kind, whole->message, given);
    whole->given = given;
    return HS_OK;
}

static enum hs_err open_ticket(struct hs_work *work, const struct hs_item *item, const struct hs_target *target)
{
    struct hs_item whole;
    struct hs_plan plan;
    enum hs_err err = complete(work, item, &whole);
    if (err == HS_OK)
        err = hs_register_plan(work, &whole, target, &plan);
    if (err != HS_OK)
        return err;
    struct hs_ticket_opening opening = {.partition = target->partition,
                                        .id = item->id,
                                        .fields = plan.writes,
                                        .field_count = plan.count,
                                        .above = plan.above,
                                        .request = item->request};
    work->out.result = HALLSYNC__RESULT__RESULT_CREATED;
    work->out.safe = hs_safety_here(work->desk);
    return write_opening(work, &opening);
}

enum hs_err hs_ticket_write(struct hs_work *work, const struct hs_item *item)
{
    struct hs_target target;
    if (!hs_register_repeated(work, item)) {
        enum hs_err err = hs_register_find(work, item, &target);
        if (err == HS_OK && target.is_new)
            return open_ticket(work, item, &target);
        if (err == HS_OK)
            err = hs_register_write(work, item);
        if (err != HS_OK)
            return err;
    }
    if (work->out.result == HALLSYNC__RESULT__RESULT_UNCHANGED)
        work->out.result =
            HALLSYNC__RESULT__RESULT_EXISTS; /* opened before: by this request, or by one that says the same */
    return HS_OK;
}
