/* A queue ticket and its events are one group: from their fold come the index by state and day, and the list of events
 * that did not fit.  Events may come before their ticket: without it they give nothing.  A ticket has few events, so
 * all are folded each time; one that was given more than HS_QUEUE_EVENTS_MAX has left, whatever they say, and is looked
 * at no more. */
#include "storage/model/queue.h"
#include "storage/records/derive.h"

#include <assert.h>
#include <string.h>

enum { TICKET_DATE = 3, EVENT_TICKET = 2 };

/* The group at one time. */
struct side {
    const struct hs_facet *ticket;
    struct hs_queue_event *events; /* in the order of the fold */
    size_t count;
    struct hs_queue_fold fold;
};

/* ---- the fold ---- */

static bool is_event(const struct hs_facet *facet, const struct hs_facet *event)
{
    return event != NULL && hs_bytes_equal(facet->name.id, event->name.id);
}

static void add_event(struct side *side, const struct hs_facet *event)
{
    struct hs_queue_event *at = &side->events[side->count++];
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
    hs_queue_fold(side->ticket->record.variants[0].stamp, side->events, side->count, &side->fold);
}

/* ---- rows ---- */

/* The key of the index by state and day; none for what is no ticket, or of no day. */
static struct hs_bytes state_key(struct hs_derive *derive, const struct side *side)
{
    struct hs_buf key = {0};
    if (!hs_facet_counts(side->ticket))
        return HS_BYTES_NONE;
    struct hs_bytes date = hs_facet_bytes(side->ticket, TICKET_DATE);
    const char *state = hs_queue_state_text(side->fold.state);
    if (date.size == 0)
        return HS_BYTES_NONE;
    hs_index_pair(&key, HS_BYTES(state, strlen(state)), date);
    struct hs_bytes copy = hs_arena_copy(derive->arena, hs_buf_bytes(&key));
    if (key.err != HS_OK || copy.size != key.size)
        hs_derive_fail(derive, HS_ENOMEM);
    hs_buf_fini(&key);
    return copy;
}

static void change_state(struct hs_derive *derive, const struct hs_record_name *ticket, const struct side *old,
                         const struct side *new)
{
    struct hs_bytes before = state_key(derive, old);
    struct hs_bytes after = state_key(derive, new);
    if (hs_bytes_equal(before, after))
        return;
    hs_index_row(derive, "state", before, ticket, false);
    hs_index_row(derive, "state", after, ticket, true);
}

static bool is_misfit(const struct side *side, const struct hs_queue_event *event)
{
    for (size_t i = 0; i < side->count; i++) {
        if (memcmp(side->events[i].id.bytes, event->id.bytes, HS_ID_BYTES) == 0)
            return !side->events[i].fits;
    }
    return false;
}

static void list_event(struct hs_derive *derive, const struct hs_record_name *ticket,
                       const struct hs_queue_event *event, bool misfit)
{
    struct hs_row_key key;
    struct hs_record_name name = {ticket->partition, HS_LANE_WORK, HS_KIND_QUEUE_EVENT,
                                  HS_BYTES(event->id.bytes, HS_ID_BYTES)};
    struct hs_listing listing = {.detail = ticket->id};
    hs_list_key(&key, HS_LIST_EVENT, &name, HS_BYTES_NONE);
    derive->sink->list(derive, &key, misfit ? &listing : NULL);
}

/* Both sides have a few events: those whose standing has changed. */
static void change_misfits(struct hs_derive *derive, const struct hs_record_name *ticket, const struct side *old,
                           const struct side *new)
{
    for (size_t i = 0; i < old->count; i++) {
        if (!old->events[i].fits && !is_misfit(new, &old->events[i]))
            list_event(derive, ticket, &old->events[i], false);
    }
    for (size_t i = 0; i < new->count; i++) {
        if (!new->events[i].fits && !is_misfit(old, &new->events[i]))
            list_event(derive, ticket, &new->events[i], true);
    }
}

/* ---- hooks ---- */

/* Looked at no more: it has left before and after. */
static bool is_overfull(struct hs_derive *derive, const struct hs_wanted *events)
{
    size_t most = HS_QUEUE_EVENTS_MAX + 2; /* one of these may be what has changed */
    return hs_index_count(derive, events, most) == most;
}

static struct hs_wanted events_of(const struct hs_record_name *ticket)
{
    return (struct hs_wanted){
        .kind = HS_KIND_QUEUE_EVENT, .index = "queue_id", .value = ticket->id, .partition = ticket->partition};
}

static void change_group(struct hs_derive *derive, const struct hs_record_name *ticket, const struct side *before,
                         const struct side *after)
{
    if (*derive->err != HS_OK)
        return;
    change_state(derive, ticket, before, after);
    change_misfits(derive, ticket, before, after);
}

void hs_queue_ticket_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    struct side before = {.ticket = old};
    struct side after = {.ticket = new};
    struct hs_wanted wanted = events_of(&new->name);
    if (is_overfull(derive, &wanted)) {
        before.fold.state = after.fold.state = HS_QUEUE_LEFT;
    } else {
        const struct hs_facet *events = hs_index_facets(derive, &wanted);
        fold_side(derive, events, NULL, &before);
        fold_side(derive, events, NULL, &after);
    }
    change_group(derive, &new->name, &before, &after);
}

void hs_queue_ticket_whole(struct hs_derive *derive, const struct hs_facet *ticket)
{
    struct hs_facet none = {.name = ticket->name};
    hs_queue_ticket_change(derive, &none, ticket);
}

static bool ticket_of(const struct hs_facet *event, struct hs_record_name *name)
{
    if (!hs_facet_counts(event) || hs_facet_bytes(event, EVENT_TICKET).size != HS_ID_BYTES)
        return false;
    *name = (struct hs_record_name){event->name.partition, HS_LANE_WORK, HS_KIND_QUEUE_TICKET,
                                    hs_facet_bytes(event, EVENT_TICKET)};
    return true;
}

/* In one ticket's group @old gives way to @new; either may be NULL: not of this ticket. */
static void change_event(struct hs_derive *derive, const struct hs_record_name *name, const struct hs_facet *old,
                         const struct hs_facet *new)
{
    struct hs_facet ticket;
    struct hs_wanted wanted = events_of(name);
    hs_facet_load(derive, name, &ticket);
    if (!hs_facet_counts(&ticket) || is_overfull(derive, &wanted))
        return;
    const struct hs_facet gone = {.name = old != NULL ? old->name : new->name};
    struct side before = {.ticket = &ticket};
    struct side after = {.ticket = &ticket};
    const struct hs_facet *events = hs_index_facets(derive, &wanted);
    fold_side(derive, events, old != NULL ? old : &gone, &before);
    fold_side(derive, events, new != NULL ? new : &gone, &after);
    change_group(derive, name, &before, &after);
}

void hs_queue_event_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
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
