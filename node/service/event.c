/* Events of tickets: what is possible from where the ticket is now, and what goes with it in the same commit. */
#include "node/service/put.h"
#include "node/service/tickets.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <stdio.h>
#include <string.h>

enum {
    EVENT_TICKET = 2,
    EVENT_STATE = 3,
    EVENT_ASSIGNEE = 4,
    EVENT_DOCUMENTS = 8,
    EVENT_ATTACHMENTS = 9,
    EVENT_DEPARTMENT = 10,
    EVENT_LINKED = 11,
    EVENT_RESULT = 12,
    EVENT_DISTRICT = 13,
    EVENT_CONSENT = 14,
};

/* An event about to be written, and its ticket. */
struct event {
    const Hallsync__TicketEvent *said;
    enum hs_event_type type;
    struct hs_bytes message; /* as it will be written */
    struct hs_record_name ticket;
    struct hs_bytes head; /* what the ticket says */
    const Hallsync__Ticket *ticket_said;
    hs_stamp above;
    struct hs_ticket_terms terms;
    struct hs_ticket_events before;
    struct hs_ticket_fold fold;
};

/* ---- its ticket ---- */

static enum hs_err read_head(struct hs_work *work, const struct hs_stored *stored, struct event *event)
{
    struct hs_record record;
    struct hs_buf shown = {0};
    ProtobufCMessage *message = NULL;
    enum hs_err err = hs_record_decode(stored->state, work->scratch, &record);
    if (err == HS_OK)
        err = hs_record_shown(&record, &shown);
    if (err == HS_OK) {
        event->above = hs_record_stamp(&record);
        event->head = hs_arena_copy(work->scratch, hs_buf_bytes(&shown));
        err = event->head.size == shown.size ? HS_OK : HS_ENOMEM;
    }
    hs_buf_fini(&shown);
    if (err == HS_OK)
        err = hs_msg_unpack(&hallsync__ticket__descriptor, event->head, work->scratch, &message);
    event->ticket_said = (const Hallsync__Ticket *)message;
    return err == HS_EMALFORMED || err == HS_EUTF8 ? HS_EDAMAGED : err;
}

static enum hs_err find_ticket(struct hs_work *work, struct event *event)
{
    struct hs_bytes id = HS_BYTES(event->said->ticket_id.data, event->said->ticket_id.len);
    struct hs_stored stored;
    struct hs_ticket_events *events = &event->before;
    enum hs_err err = hs_view_find(work->view, HS_KIND_TICKET, id, &stored);
    if (err == HS_ENOTFOUND)
        return hs_refuse(&work->refusal, HS_ENOTICKET, EVENT_TICKET, "ticket_id: there is no such ticket here");
    if (err != HS_OK)
        return err;
    event->ticket = (struct hs_record_name){.partition = stored.name.partition, .id = id};
    err = read_head(work, &stored, event);
    if (err == HS_OK)
        err = hs_ticket_gather(&work->look, &event->ticket, work->scratch, events);
    if (err != HS_OK)
        return err;
    event->terms = hs_ticket_terms(event->head);
    event->above = events->highest > event->above ? events->highest : event->above;
    hs_ticket_fold(&event->terms, events->list, events->count, &event->fold);
    return HS_OK;
}

/* ---- moves ---- */

/* "resolved, waiting" */
static void list_moves(const struct event *event, char *list, size_t room)
{
    size_t used = 0;
    list[0] = '\0';
    for (unsigned to = HS_TICKET_OPEN; to < HS_TICKET_STATE_COUNT && used < room; to++) {
        if (hs_ticket_move(event->terms.machine, event->fold.state, (enum hs_ticket_state)to))
            used += (size_t)snprintf(list + used, room - used, "%s%s", used == 0 ? "" : ", ",
                                     hs_ticket_state_text((enum hs_ticket_state)to));
    }
}

static enum hs_err check_move(struct hs_work *work, const struct event *event)
{
    const char *from = hs_ticket_state_text(event->fold.state);
    const char *to = event->said->state;
    char list[160];
    if (hs_ticket_fits(&event->terms, &event->fold, event->message))
        return HS_OK;
    if (to == NULL && event->type != HS_EVENT_REOPEN) {
        bool assigns = event->said->assignee != NULL;
        return hs_refuse(&work->refusal, HS_ESTATE, assigns ? EVENT_ASSIGNEE : EVENT_DEPARTMENT,
                         "%s: the ticket is %s; nobody works on it", assigns ? "assignee" : "department", from);
    }
    list_moves(event, list, sizeof list);
    return hs_refuse(&work->refusal, HS_ESTATE, EVENT_STATE, "state: from %s a ticket cannot go to %s; possible: %s",
                     from, to != NULL ? to : "working", list[0] != '\0' ? list : "nothing");
}

static bool has_result(const Hallsync__TicketEvent *said, const char *name)
{
    for (size_t i = 0; i < said->n_result; i++) {
        const Hallsync__Outcome *line = said->result[i];
        if (line->name != NULL && line->value != NULL && strcmp(line->name, name) == 0)
            return true;
    }
    return false;
}

/* What the catalogue asks for is there when it is done: a meter check says how wrong the meter is. */
static enum hs_err check_results(struct hs_work *work, const struct event *event)
{
    const Hallsync__Ticket *ticket = event->ticket_said;
    for (size_t i = 0; i < ticket->n_results; i++) {
        const char *name = ticket->results[i]->name;
        if (name != NULL && !has_result(event->said, name))
            return hs_refuse(&work->refusal, HS_EREQUIRED, EVENT_RESULT,
                             "result: is missing '%s'; without it the ticket cannot be resolved", name);
    }
    return HS_OK;
}

static enum hs_err check_state(struct hs_work *work, const struct event *event)
{
    const char *to = event->said->state;
    enum hs_err err = check_move(work, event);
    if (err != HS_OK || to == NULL)
        return err;
    if (strcmp(to, "called_back") == 0 && event->fold.no_call_back)
        return hs_refuse(&work->refusal, HS_ECONSENT, EVENT_STATE,
                         "state: the customer does not want to be called back; archive it");
    return strcmp(to, "resolved") == 0 ? check_results(work, event) : HS_OK;
}

/* ---- what a type asks for ---- */

static bool takes_document(const Hallsync__Ticket *ticket, const char *name)
{
    bool takes = false;
    for (size_t i = 0; i < ticket->n_documents && !takes && name != NULL; i++)
        takes = ticket->documents[i]->name != NULL && strcmp(ticket->documents[i]->name, name) == 0;
    return takes;
}

static enum hs_err check_tick(struct hs_work *work, const struct event *event)
{
    const Hallsync__TicketEvent *said = event->said;
    if (said->n_documents == 0)
        return hs_refuse(&work->refusal, HS_EREQUIRED, EVENT_DOCUMENTS, "documents: is missing; which have come in?");
    for (size_t i = 0; i < said->n_documents; i++) {
        if (!takes_document(event->ticket_said, said->documents[i]->name))
            return hs_refuse(&work->refusal, HS_EVALUE, EVENT_DOCUMENTS,
                             "documents: '%s' is none that the ticket takes", said->documents[i]->name);
    }
    return HS_OK;
}

static enum hs_err check_link(struct hs_work *work, const struct event *event)
{
    hs_partition to;
    if (event->said->to_district == NULL)
        return hs_refuse(&work->refusal, HS_EREQUIRED, EVENT_DISTRICT, "to_district: is missing; where does it go?");
    if (hs_partition_parse(event->said->to_district, &to) != HS_OK || to == event->ticket.partition)
        return hs_refuse(&work->refusal, HS_EVALUE, EVENT_DISTRICT, "to_district: the ticket is of %s already",
                         event->said->to_district);
    if (!hs_ticket_is_open(event->fold.state))
        return hs_refuse(&work->refusal, HS_ESTATE, EVENT_DISTRICT, "to_district: the ticket is %s; nobody works on it",
                         hs_ticket_state_text(event->fold.state));
    return HS_OK;
}

static enum hs_err needs(struct hs_work *work, bool there, uint32_t field, const char *name)
{
    return there ? HS_OK : hs_refuse(&work->refusal, HS_EREQUIRED, field, "%s: is missing", name);
}

static enum hs_err check_type(struct hs_work *work, const struct event *event)
{
    const Hallsync__TicketEvent *said = event->said;
    switch (event->type) {
    case HS_EVENT_TICK:
        return check_tick(work, event);
    case HS_EVENT_LINK:
        return check_link(work, event);
    case HS_EVENT_PASS:
        return needs(work, said->department != NULL || said->assignee != NULL, EVENT_DEPARTMENT, "department");
    case HS_EVENT_ATTACH:
        return needs(work, said->n_attachments != 0, EVENT_ATTACHMENTS, "attachments");
    case HS_EVENT_CONSENT:
        return needs(work, said->consent != NULL, EVENT_CONSENT, "consent");
    default:
        return HS_OK;
    }
}

/* ---- the write ---- */

/* An event that passes a ticket on names the one that it opens: the same for the same event. */
static enum hs_err complete(struct hs_work *work, const struct hs_item *item, Hallsync__TicketEvent *said,
                            struct hs_bytes *message)
{
    *said = *(const Hallsync__TicketEvent *)item->parsed;
    *message = item->message;
    if (hs_event_type_of(item->message) != HS_EVENT_LINK)
        return HS_OK;
    struct hs_id *linked = hs_arena_alloc(work->scratch, sizeof *linked);
    if (linked == NULL)
        return HS_ENOMEM;
    hs_link_id(HS_BYTES(said->ticket_id.data, said->ticket_id.len), item->id, linked);
    if (said->has_linked_ticket && !hs_bytes_equal(HS_BYTES(said->linked_ticket.data, said->linked_ticket.len),
                                                   HS_BYTES(linked->bytes, sizeof linked->bytes)))
        return hs_refuse(&work->refusal, HS_EVALUE, EVENT_LINKED, "linked_ticket: it is made by the node");
    said->has_linked_ticket = true;
    said->linked_ticket = hs_binary(HS_BYTES(linked->bytes, sizeof linked->bytes));
    *message = hs_canonical(&said->base, work->scratch);
    return message->data != NULL ? HS_OK : HS_ENOMEM;
}

/* The node has made it longer. */
static enum hs_err check_size(struct hs_work *work, const struct event *event)
{
    if (event->message.size <= HS_RECORD_BYTES_MAX)
        return HS_OK;
    return hs_refuse(&work->refusal, HS_ETOOBIG, 0, "%zu bytes, a record has at most %d", event->message.size,
                     HS_RECORD_BYTES_MAX);
}

/* What goes with it: a ticket in another district, or the result for the one that this ticket comes from.  It is
 * written first: refused, it leaves nothing behind, and the event itself cannot be refused any more. */
static enum hs_err write_beside(struct hs_work *work, const struct hs_item *item, const struct event *event)
{
    struct hs_link link = {.ticket = event->ticket,
                           .head = event->head,
                           .events = &event->before,
                           .fold = &event->fold,
                           .event = event->said,
                           .event_id = item->id};
    if (event->type == HS_EVENT_LINK)
        return hs_link_open(work, &link);
    if (event->said->state != NULL && strcmp(event->said->state, "resolved") == 0)
        return hs_link_result(work, &link);
    return HS_OK;
}

enum hs_err hs_event_write(struct hs_work *work, const struct hs_item *item)
{
    Hallsync__TicketEvent said;
    struct event event = {.said = &said};
    enum hs_err err = complete(work, item, &said, &event.message);
    if (err == HS_OK)
        err = hs_fact_known(work, item, event.message);
    if (err != HS_ENOTFOUND)
        return err;
    event.type = hs_event_type_of(event.message);
    err = find_ticket(work, &event);
    if (err == HS_OK)
        err = check_type(work, &event);
    if (err == HS_OK)
        err = check_state(work, &event);
    if (err == HS_OK)
        err = check_size(work, &event);
    if (err == HS_OK)
        err = write_beside(work, item, &event);
    const struct hs_new_fact fact = {
        .message = event.message, .partition = event.ticket.partition, .above = event.above};
    return err == HS_OK ? hs_fact_put(work, item, &fact) : err;
}
