/* A ticket as people see it: the fold of its events, what is missing, whether it is late. */
#include "node/service/show.h"
#include "node/service/tickets.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"

#include <string.h>

enum {
    EVENT_STATE = 3,
    EVENT_ASSIGNEE = 4,
    EVENT_NOTE = 5,
    EVENT_CLERK = 6,
    EVENT_DOCUMENTS = 8,
    EVENT_TYPE = 7,
    EVENT_ATTACHMENTS = 9,
    EVENT_DEPARTMENT = 10,
    EVENT_LINKED = 11,
    EVENT_RESULT = 12,
    EVENT_DISTRICT = 13,
    EVENT_CONSENT = 14,
};
enum { TICKET_DUE = 11, TICKET_DOCUMENTS = 12, LINE_NAME = 1, LINE_NEEDED = 2 };
enum { RATING_KIND = 2, RATING_OF = 3 };

/* ---- its events ---- */

static char *event_text(struct hs_arena *arena, struct hs_bytes message, uint32_t field)
{
    struct hs_bytes text = hs_tlv_bytes(message, field);
    return text.size != 0 ? hs_arena_text(arena, text) : NULL;
}

/* What is no text by itself, as people write it. */
static char *event_lines(const struct hs_show *show, struct hs_bytes message, uint32_t field)
{
    struct hs_bytes raw = HS_BYTES_NONE;
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number == field)
            raw = HS_BYTES(raw.size != 0 ? raw.data : tlv.raw.data, raw.size + tlv.raw.size);
    }
    return raw.size != 0 ? hs_show_value(show->arena, hs_kind_by_number(HS_KIND_TICKET_EVENT), field, raw) : NULL;
}

static char *event_node(const struct hs_show *show, const struct hs_ticket_events *events, const struct hs_id *id)
{
    struct hs_bytes node = HS_BYTES_NONE;
    for (size_t i = 0; i < events->count; i++) {
        if (memcmp(events->writers[i].event.bytes, id->bytes, sizeof id->bytes) == 0)
            node = hs_show_node(show->look.view, events->writers[i].origin);
    }
    return node.size != 0 ? hs_arena_text(show->arena, node) : NULL;
}

static Hallsync__TicketStep *show_step(const struct hs_show *show, const struct hs_ticket_events *events,
                                       const struct hs_ticket_event *event)
{
    const struct hs_kind *kind = hs_kind_by_number(HS_KIND_TICKET_EVENT);
    Hallsync__TicketStep *step = hs_arena_alloc(show->arena, sizeof *step);
    if (step == NULL)
        return NULL;
    hallsync__ticket_step__init(step);
    step->event_id = hs_show_id(show->arena, kind, HS_BYTES(event->id.bytes, sizeof event->id.bytes), event->message);
    step->state = event_text(show->arena, event->message, EVENT_STATE);
    step->assignee = event_text(show->arena, event->message, EVENT_ASSIGNEE);
    step->note = event_text(show->arena, event->message, EVENT_NOTE);
    step->clerk = event_text(show->arena, event->message, EVENT_CLERK);
    step->type = event_text(show->arena, event->message, EVENT_TYPE);
    step->department = event_text(show->arena, event->message, EVENT_DEPARTMENT);
    step->to_district = event_text(show->arena, event->message, EVENT_DISTRICT);
    step->consent = event_text(show->arena, event->message, EVENT_CONSENT);
    step->linked_ticket = event_lines(show, event->message, EVENT_LINKED);
    step->documents = event_lines(show, event->message, EVENT_DOCUMENTS);
    step->result = event_lines(show, event->message, EVENT_RESULT);
    step->attachments = event_lines(show, event->message, EVENT_ATTACHMENTS);
    step->has_time_ms = true;
    step->time_ms = hs_stamp_ms(event->stamp);
    step->node = event_node(show, events, &event->id);
    step->has_fits = true;
    step->fits = event->fits;
    return step->event_id != NULL ? step : NULL;
}

static enum hs_err show_steps(const struct hs_show *show, const struct hs_ticket_events *events,
                              Hallsync__TicketState *ticket)
{
    ticket->events = hs_arena_array(show->arena, events->count, sizeof *ticket->events);
    if (ticket->events == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < events->count; i++) {
        Hallsync__TicketStep *step = show_step(show, events, &events->list[i]);
        if (step == NULL)
            return HS_ENOMEM;
        ticket->events[ticket->n_events++] = step;
    }
    return HS_OK;
}

/* ---- documents ---- */

static bool is(struct hs_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

static bool ticks(struct hs_bytes event, struct hs_bytes name)
{
    struct hs_cur cur = hs_cur_of(event);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number == EVENT_DOCUMENTS && hs_bytes_equal(hs_tlv_bytes(tlv.bytes, LINE_NAME), name))
            return true;
    }
    return false;
}

static bool has_come(const struct hs_ticket_events *events, struct hs_bytes name)
{
    bool come = false;
    for (size_t i = 0; i < events->count && !come; i++)
        come = ticks(events->list[i].message, name);
    return come;
}

/* All that is missing at once, so that nobody has to come a third time. */
static enum hs_err show_missing(const struct hs_show *show, struct hs_bytes head, const struct hs_ticket_events *events,
                                Hallsync__TicketState *ticket)
{
    size_t most = hs_kind_rule(hs_kind_by_number(HS_KIND_TICKET), TICKET_DOCUMENTS)->most;
    struct hs_cur cur = hs_cur_of(head);
    struct hs_tlv tlv;
    ticket->missing = hs_arena_array(show->arena, most, sizeof *ticket->missing);
    if (ticket->missing == NULL)
        return HS_ENOMEM;
    while (ticket->n_missing < most && hs_tlv_next(&cur, &tlv)) {
        struct hs_bytes name = hs_tlv_bytes(tlv.bytes, LINE_NAME);
        if (tlv.number != TICKET_DOCUMENTS || is(hs_tlv_bytes(tlv.bytes, LINE_NEEDED), "no") || has_come(events, name))
            continue;
        char *text = hs_arena_text(show->arena, name);
        if (text == NULL)
            return HS_ENOMEM;
        ticket->missing[ticket->n_missing++] = text;
    }
    return HS_OK;
}

/* ---- all of it ---- */

static enum hs_err is_rated(const struct hs_show *show, struct hs_bytes id, bool *rated)
{
    struct hs_buf message = {0};
    struct hs_id rating;
    struct hs_stored stored;
    hs_tlv_put_text(&message, RATING_KIND, "ticket");
    hs_tlv_put_bytes(&message, RATING_OF, id);
    hs_kind_id(hs_kind_by_number(HS_KIND_RATING), hs_buf_bytes(&message), &rating);
    enum hs_err err = message.err;
    hs_buf_fini(&message);
    if (err == HS_OK)
        err = hs_look_find(&show->look, HS_KIND_RATING, HS_BYTES(rating.bytes, sizeof rating.bytes), &stored);
    *rated = err == HS_OK;
    return err == HS_ENOTFOUND ? HS_OK : err;
}

static char *text_of(const struct hs_show *show, struct hs_bytes text)
{
    return text.size != 0 ? hs_arena_text(show->arena, text) : NULL;
}

static void show_fold(const struct hs_show *show, const struct hs_ticket_fold *fold, Hallsync__TicketState *ticket)
{
    ticket->state = (char *)(uintptr_t)hs_ticket_state_text(fold->state);
    ticket->assignee = text_of(show, fold->assignee);
    ticket->department = text_of(show, fold->department);
    ticket->has_opened_ms = fold->opened != 0;
    ticket->opened_ms = hs_stamp_ms(fold->opened);
    ticket->has_changed_ms = fold->changed != 0;
    ticket->changed_ms = hs_stamp_ms(fold->changed);
    ticket->has_urged = fold->urged != 0;
    ticket->urged = fold->urged;
    ticket->has_escalated = fold->escalated != 0;
    ticket->escalated = fold->escalated;
    ticket->has_reopened = fold->reopened != 0;
    ticket->reopened = fold->reopened;
    ticket->has_no_call_back = fold->no_call_back;
    ticket->no_call_back = fold->no_call_back;
}

static void show_due(const struct hs_ticket_fold *fold, struct hs_bytes head, Hallsync__TicketState *ticket)
{
    uint64_t now_ms = hs_now_ms();
    ticket->due_ms = hs_ticket_due_ms(fold, hs_tlv_u64(head, TICKET_DUE, 0), now_ms);
    ticket->has_due_ms = ticket->due_ms != 0;
    ticket->has_overdue = ticket->due_ms != 0 && hs_ticket_is_open(fold->state);
    ticket->overdue = ticket->has_overdue && now_ms > ticket->due_ms;
}

enum hs_err hs_show_ticket(const struct hs_show *show, const struct hs_record_name *name, struct hs_bytes head,
                           Hallsync__TicketState **shown)
{
    struct hs_ticket_events events;
    struct hs_ticket_fold fold;
    struct hs_ticket_terms terms = hs_ticket_terms(head);
    Hallsync__TicketState *ticket = hs_arena_alloc(show->arena, sizeof *ticket);
    bool rated = true;
    if (ticket == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_ticket_gather(&show->look, name, show->arena, &events);
    if (err != HS_OK)
        return err;
    hs_ticket_fold(&terms, events.list, events.count, &fold);
    hallsync__ticket_state__init(ticket);
    show_fold(show, &fold, ticket);
    show_due(&fold, head, ticket);
    *shown = ticket;
    err = show_missing(show, head, &events, ticket);
    if (err == HS_OK && show->detailed && fold.state >= HS_TICKET_RESOLVED)
        err = is_rated(show, name->id, &rated);
    ticket->has_rate = !rated;
    ticket->rate = !rated;
    return err == HS_OK && show->detailed ? show_steps(show, &events, ticket) : err;
}
