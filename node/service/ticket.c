/* Tickets: opened with their first event in one op; moved by events that are possible from where the ticket is now. */
#include "node/service/put.h"
#include "node/service/tickets.h"

#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"

#include <stdio.h>
#include <string.h>

enum { TICKET_SERVICE = 2 };
enum { EVENT_TICKET = 2, EVENT_STATE = 3, EVENT_ASSIGNEE = 4 };
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

const struct hs_ticket_service *hs_ticket_service(struct hs_bytes ticket)
{
    struct hs_bytes code = hs_tlv_bytes(ticket, TICKET_SERVICE);
    return hs_service_by_code((const char *)code.data, code.size);
}

/* ---- opening ---- */

static enum hs_err opening_event(const struct hs_item *item, struct hs_arena *arena, struct hs_id *id,
                                 struct hs_bytes *message)
{
    char state[] = "open";
    Hallsync__TicketEvent event = HALLSYNC__TICKET_EVENT__INIT;
    hs_id_made("hallsync opening 1", item->id, id);
    event.has_ticket_id = true;
    event.ticket_id = (ProtobufCBinaryData){.len = item->id.size, .data = (uint8_t *)(uintptr_t)item->id.data};
    event.state = state;
    *message = hs_canonical(&event.base, arena);
    return message->data != NULL ? HS_OK : HS_ENOMEM;
}

/* Head and first event are one op: nobody ever sees a ticket that is not open. */
static enum hs_err open_ticket(struct hs_work *work, const struct hs_item *item, const struct hs_target *target)
{
    struct hs_plan plan;
    struct hs_id event_id;
    struct hs_bytes event;
    struct hs_dot dot;
    hs_stamp stamp;
    enum hs_err err = hs_register_plan(work, item, target, &plan);
    if (err == HS_OK)
        err = opening_event(item, work->scratch, &event_id, &event);
    if (err != HS_OK)
        return err;
    struct hs_write writes[] = {
        {.kind = HS_KIND_TICKET, .id = item->id, .fields = plan.writes, .field_count = plan.count},
        {.kind = HS_KIND_TICKET_EVENT,
         .id = HS_BYTES(event_id.bytes, sizeof event_id.bytes),
         .is_fact = true,
         .fact = event},
    };
    struct hs_draft draft = {.partition = target->partition,
                             .lane = HS_LANE_WORK,
                             .above = plan.above,
                             .writes = writes,
                             .write_count = 2,
                             .request = item->request};
    work->out.result = HALLSYNC__RESULT__RESULT_CREATED;
    work->out.safe = hs_safety_here(work->desk);
    return hs_store_write(work->store, &draft, &dot, &stamp);
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

/* ---- moving ---- */

struct head {
    struct hs_record_name name;
    hs_stamp stamp;
    const struct hs_ticket_service *service;
};

static enum hs_err find_head(struct hs_work *work, struct hs_bytes ticket_id, struct head *head)
{
    struct hs_stored stored;
    struct hs_record record;
    enum hs_err err = hs_view_find(work->view, HS_KIND_TICKET, ticket_id, &stored);
    if (err == HS_ENOTFOUND)
        return hs_refuse(&work->refusal, HS_ENOTICKET, EVENT_TICKET, "ticket_id: there is no such ticket here");
    if (err != HS_OK)
        return err;
    err = hs_record_decode(stored.state, work->scratch, &record);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    const struct hs_field_state *field = hs_record_field(&record, TICKET_SERVICE);
    const struct hs_live *shown = field != NULL ? hs_field_shown(field) : NULL;
    *head = (struct head){.name = {.partition = stored.name.partition, .id = ticket_id},
                          .stamp = hs_record_stamp(&record),
                          .service = hs_ticket_service(shown != NULL ? shown->value : HS_BYTES_NONE)};
    return HS_OK;
}

/* "resolved, waiting" */
static void list_moves(const struct hs_ticket_service *service, enum hs_ticket_state from, char *list, size_t room)
{
    size_t used = 0;
    list[0] = '\0';
    for (unsigned to = HS_TICKET_OPEN; to < HS_TICKET_STATE_COUNT && used < room; to++) {
        if (hs_ticket_move(service, from, (enum hs_ticket_state)to))
            used += (size_t)snprintf(list + used, room - used, "%s%s", used == 0 ? "" : ", ",
                                     hs_ticket_state_text((enum hs_ticket_state)to));
    }
}

static enum hs_err check_move(struct hs_work *work, const Hallsync__TicketEvent *event,
                              const struct hs_ticket_service *service, enum hs_ticket_state from)
{
    enum hs_ticket_state to;
    char list[160];
    if (event->state == NULL) {
        if (event->assignee == NULL || (from != HS_TICKET_NONE && from != HS_TICKET_ARCHIVED))
            return HS_OK;
        return hs_refuse(&work->refusal, HS_ESTATE, EVENT_ASSIGNEE, "assignee: the ticket is %s; nobody works on it",
                         hs_ticket_state_text(from));
    }
    if (hs_ticket_state_parse(event->state, strlen(event->state), &to) && hs_ticket_move(service, from, to))
        return HS_OK;
    list_moves(service, from, list, sizeof list);
    return hs_refuse(&work->refusal, HS_ESTATE, EVENT_STATE, "state: from %s a ticket cannot go to %s; possible: %s",
                     hs_ticket_state_text(from), event->state, list[0] != '\0' ? list : "nothing");
}

enum hs_err hs_event_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__TicketEvent *event = (const Hallsync__TicketEvent *)item->parsed;
    struct hs_bytes ticket_id = HS_BYTES(event->ticket_id.data, event->ticket_id.len);
    struct hs_ticket_events events;
    struct hs_ticket_fold fold;
    struct head head = {0};
    struct hs_dot dot;
    hs_stamp stamp;
    enum hs_err err = hs_fact_known(work, item, item->message);
    if (err != HS_ENOTFOUND)
        return err;
    err = find_head(work, ticket_id, &head);
    if (err == HS_OK)
        err = hs_ticket_gather(&work->look, &head.name, work->scratch, &events);
    if (err != HS_OK)
        return err;
    hs_ticket_fold(head.service, events.list, events.count, &fold);
    err = check_move(work, event, head.service, fold.state);
    if (err != HS_OK)
        return err;
    struct hs_write write = {.kind = HS_KIND_TICKET_EVENT, .id = item->id, .is_fact = true, .fact = item->message};
    struct hs_draft draft = {.partition = head.name.partition,
                             .lane = HS_LANE_WORK,
                             .writes = &write,
                             .write_count = 1,
                             .above = events.highest > head.stamp ? events.highest : head.stamp};
    work->out.result = HALLSYNC__RESULT__RESULT_CREATED;
    work->out.safe = hs_safety_here(work->desk);
    return hs_store_write(work->store, &draft, &dot, &stamp);
}
