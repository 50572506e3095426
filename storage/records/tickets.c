/* A ticket and its events are one group: from their fold come the indexes by state and by assignee, and the list of
 * events that did not fit.  Events may come before their ticket: without it they give nothing. */
#include "storage/model/ticket.h"
#include "storage/records/derive.h"

#include <assert.h>
#include <string.h>

enum { TICKET_SERVICE = 2, EVENT_TICKET = 2 };

/* The group at one time. */
struct side {
    const struct hs_facet *ticket;
    struct hs_ticket_event *events; /* in the order of the fold */
    size_t count;
    struct hs_ticket_fold fold;
};

static struct hs_facet *events_of(struct hs_derive *derive, const struct hs_record_name *ticket)
{
    struct hs_wanted wanted = {
        .kind = HS_KIND_TICKET_EVENT, .index = "ticket_id", .value = ticket->id, .partition = ticket->partition};
    return hs_index_facets(derive, &wanted);
}

static bool is_event(const struct hs_facet *facet, const struct hs_facet *event)
{
    return event != NULL && hs_bytes_equal(facet->name.id, event->name.id);
}

static void add_event(struct side *side, const struct hs_facet *event)
{
    struct hs_ticket_event *at = &side->events[side->count++];
    assert(event->name.id.size == HS_ID_BYTES);
    at->stamp = event->record.variants[0].stamp;
    at->message = event->message;
    memcpy(at->id.bytes, event->name.id.data, HS_ID_BYTES);
}

/* @events, with @changed in place of the one of that name; @changed may be NULL or not count. */
static void fold_side(struct hs_derive *derive, const struct hs_facet *events, const struct hs_facet *changed,
                      struct side *side)
{
    if (!hs_facet_counts(side->ticket))
        return;
    size_t most = 1;
    for (const struct hs_facet *event = events; event != NULL; event = event->next)
        most++;
    side->events = hs_arena_array(derive->arena, most, sizeof *side->events);
    if (side->events == NULL) {
        hs_derive_fail(derive, HS_ENOMEM);
        return;
    }
    for (const struct hs_facet *event = events; event != NULL; event = event->next) {
        if (!is_event(event, changed))
            add_event(side, event);
    }
    if (changed != NULL && hs_facet_counts(changed))
        add_event(side, changed);
    struct hs_bytes code = hs_facet_bytes(side->ticket, TICKET_SERVICE);
    hs_ticket_fold(hs_service_by_code((const char *)code.data, code.size), side->events, side->count, &side->fold);
}

/* ---- rows ---- */

static struct hs_bytes state_of(const struct side *side)
{
    if (side->fold.state == HS_TICKET_NONE)
        return HS_BYTES_NONE;
    const char *text = hs_ticket_state_text(side->fold.state);
    return HS_BYTES(text, strlen(text));
}

static void change_row(struct hs_derive *derive, const char *index, struct hs_bytes old, struct hs_bytes new,
                       const struct hs_record_name *ticket)
{
    if (hs_bytes_equal(old, new))
        return;
    hs_index_row(derive, index, old, ticket, false);
    hs_index_row(derive, index, new, ticket, true);
}

static void list_event(struct hs_derive *derive, const struct hs_record_name *ticket,
                       const struct hs_ticket_event *event, bool misfit)
{
    struct hs_row_key key;
    struct hs_record_name name = {ticket->partition, HS_LANE_WORK, HS_KIND_TICKET_EVENT,
                                  HS_BYTES(event->id.bytes, HS_ID_BYTES)};
    struct hs_listing listing = {.detail = ticket->id};
    hs_list_key(&key, HS_LIST_EVENT, &name, HS_BYTES_NONE);
    derive->sink->list(derive, &key, misfit ? &listing : NULL);
}

static int event_order(const struct hs_ticket_event *a, const struct hs_ticket_event *b)
{
    if (a->stamp != b->stamp)
        return a->stamp < b->stamp ? -1 : 1;
    return memcmp(a->id.bytes, b->id.bytes, HS_ID_BYTES);
}

/* Both sides are in the fold's order.  An event whose stamp has changed is met twice: gone first or last, what it is
 * now comes from the second walk. */
static void change_misfits(struct hs_derive *derive, const struct hs_record_name *ticket, const struct side *old,
                           const struct side *new)
{
    size_t j = 0;
    for (size_t i = 0; i < old->count; i++) {
        while (j < new->count && event_order(&new->events[j], &old->events[i]) < 0)
            j++;
        bool same = j < new->count &&event_order(&new->events[j], &old->events[i]) == 0;
        if (!old->events[i].fits && (!same || new->events[j].fits))
            list_event(derive, ticket, &old->events[i], false);
    }
    size_t i = 0;
    for (j = 0; j < new->count; j++) {
        while (i < old->count && event_order(&old->events[i], &new->events[j]) < 0)
            i++;
        bool same = i < old->count && event_order(&old->events[i], &new->events[j]) == 0;
        if (!new->events[j].fits && (!same || old->events[i].fits))
            list_event(derive, ticket, &new->events[j], true);
    }
}

static void change_group(struct hs_derive *derive, const struct hs_record_name *ticket, const struct side *old,
                         const struct side *new)
{
    if (*derive->err != HS_OK)
        return;
    change_row(derive, "state", state_of(old), state_of(new), ticket);
    change_row(derive, "assignee", old->fold.assignee, new->fold.assignee, ticket);
    change_misfits(derive, ticket, old, new);
}

/* ---- hooks ---- */

void hs_ticket_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    struct side before = {.ticket = old};
    struct side after = {.ticket = new};
    const struct hs_facet *events = events_of(derive, &new->name);
    fold_side(derive, events, NULL, &before);
    fold_side(derive, events, NULL, &after);
    change_group(derive, &new->name, &before, &after);
}

void hs_ticket_whole(struct hs_derive *derive, const struct hs_facet *ticket)
{
    struct hs_facet none = {.name = ticket->name};
    hs_ticket_change(derive, &none, ticket);
}

static bool ticket_of(const struct hs_facet *event, struct hs_record_name *name)
{
    if (!hs_facet_counts(event))
        return false;
    *name = (struct hs_record_name){event->name.partition, HS_LANE_WORK, HS_KIND_TICKET,
                                    hs_facet_bytes(event, EVENT_TICKET)};
    return true;
}

/* In one ticket's group @old gives way to @new; either may be NULL: not of this ticket. */
static void change_event(struct hs_derive *derive, const struct hs_record_name *name, const struct hs_facet *old,
                         const struct hs_facet *new)
{
    struct hs_facet ticket;
    hs_facet_load(derive, name, &ticket);
    if (!hs_facet_counts(&ticket))
        return;
    struct hs_facet gone = {.name = old != NULL ? old->name : new->name};
    struct side before = {.ticket = &ticket};
    struct side after = {.ticket = &ticket};
    const struct hs_facet *events = events_of(derive, name);
    fold_side(derive, events, old != NULL ? old : &gone, &before);
    fold_side(derive, events, new != NULL ? new : &gone, &after);
    change_group(derive, name, &before, &after);
}

void hs_ticket_event_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    struct hs_record_name old_ticket;
    struct hs_record_name new_ticket;
    bool had = ticket_of(old, &old_ticket);
    bool has = ticket_of(new, &new_ticket);
    bool same = had && has && hs_bytes_equal(old_ticket.id, new_ticket.id);
    if (had)
        change_event(derive, &old_ticket, old, same ? new : NULL);
    if (has && !same)
        change_event(derive, &new_ticket, NULL, new);
}
