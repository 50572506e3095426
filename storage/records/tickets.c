/* A ticket and its events are one group: from their fold come the indexes by state, by assignee and by department,
 * and the list of events that did not fit.  Events may come before their ticket: without it they give nothing.
 *
 * Where the fold has got to is kept, so that an event behind all others, as nearly all are, costs the same whether the
 * ticket has three of them or ten thousand; any other change folds them all again. */
#include "storage/model/ticket.h"
#include "storage/records/derive.h"

#include <assert.h>
#include <string.h>

enum { EVENT_TICKET = 2 };

/* The group at one time. */
struct side {
    const struct hs_facet *ticket;
    struct hs_ticket_terms terms;
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

/* ---- the fold as it is kept, of what rows follow from: stamp u64 and id 16 of its last event, state u8, no_call_back
 * u8, assignee with its size, department; no row without events ---- */

#define FOLD_HEAD_BYTES (8 + HS_ID_BYTES + 1 + 1)

static void keep_fold(struct hs_derive *derive, const struct hs_record_name *ticket, const struct hs_ticket_event *last,
                      const struct hs_ticket_fold *fold)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_buf row = {0};
    if (last != NULL) {
        hs_buf_put_u64(&row, last->stamp);
        hs_buf_put(&row, last->id.bytes, HS_ID_BYTES);
        hs_buf_put_u8(&row, (uint8_t)fold->state);
        hs_buf_put_u8(&row, fold->no_call_back);
        hs_buf_put_sized(&row, fold->assignee);
        hs_buf_put_bytes(&row, fold->department);
    }
    hs_derive_fail(derive, row.err);
    derive->sink->fold(derive, HS_BYTES(key, hs_record_key(ticket, key)), hs_buf_bytes(&row));
    hs_buf_fini(&row);
}

/* That of no events for a ticket without any; its stamp is below that of every event. */
static void kept_fold(struct hs_derive *derive, const struct hs_record_name *ticket,
                      const struct hs_ticket_terms *terms, struct hs_ticket_event *last, struct hs_ticket_fold *fold)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_bytes row;
    *last = (struct hs_ticket_event){0};
    hs_ticket_fold_begin(terms, fold);
    enum hs_err err = hs_txn_get(derive->txn, HS_TABLE_FOLD, HS_BYTES(key, hs_record_key(ticket, key)), &row);
    if (err == HS_ENOTFOUND)
        return;
    struct hs_bytes copy = hs_arena_copy(derive->arena, row);
    if (err == HS_OK && copy.size != row.size)
        err = HS_ENOMEM;
    struct hs_cur cur = hs_cur_of(copy);
    last->stamp = hs_cur_u64(&cur);
    hs_cur_copy(&cur, last->id.bytes, HS_ID_BYTES);
    fold->state = (enum hs_ticket_state)hs_cur_u8(&cur);
    fold->no_call_back = hs_cur_u8(&cur) != 0;
    fold->assignee = hs_cur_sized(&cur);
    fold->department = hs_cur_take(&cur, cur.left);
    if (err == HS_OK && (cur.err != HS_OK || copy.size < FOLD_HEAD_BYTES || fold->state >= HS_TICKET_STATE_COUNT))
        err = HS_EDAMAGED;
    hs_derive_fail(derive, err);
}

/* ---- all events folded ---- */

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
    side->terms = hs_ticket_terms(side->ticket->message);
    hs_ticket_fold_begin(&side->terms, &side->fold);
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
    hs_ticket_fold(&side->terms, side->events, side->count, &side->fold);
}

/* ---- rows ---- */

static struct hs_bytes state_of(const struct side *side)
{
    if (side->fold.state == HS_TICKET_NONE)
        return HS_BYTES_NONE;
    const char *text = hs_ticket_state_text(side->fold.state);
    return HS_BYTES(text, strlen(text));
}

/* Of one that is open: what a department has to do. */
static struct hs_bytes department_of(const struct side *side)
{
    return hs_ticket_is_open(side->fold.state) ? side->fold.department : HS_BYTES_NONE;
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

/* Both sides are in the fold's order.  An event whose stamp has changed is met twice: gone first or last, what it is
 * now comes from the second walk. */
static void change_misfits(struct hs_derive *derive, const struct hs_record_name *ticket, const struct side *old,
                           const struct side *new)
{
    size_t j = 0;
    for (size_t i = 0; i < old->count; i++) {
        while (j < new->count && hs_ticket_event_compare(&new->events[j], &old->events[i]) < 0)
            j++;
        bool same = j < new->count &&hs_ticket_event_compare(&new->events[j], &old->events[i]) == 0;
        if (!old->events[i].fits && (!same || new->events[j].fits))
            list_event(derive, ticket, &old->events[i], false);
    }
    size_t i = 0;
    for (j = 0; j < new->count; j++) {
        while (i < old->count && hs_ticket_event_compare(&old->events[i], &new->events[j]) < 0)
            i++;
        bool same = i < old->count && hs_ticket_event_compare(&old->events[i], &new->events[j]) == 0;
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
    change_row(derive, "department", department_of(old), department_of(new), ticket);
    change_misfits(derive, ticket, old, new);
    keep_fold(derive, ticket, new->count != 0 ? &new->events[new->count - 1] : NULL, &new->fold);
}

/* ---- hooks ---- */

static bool same_terms(const struct hs_facet *old, const struct hs_facet *new)
{
    if (!hs_facet_counts(old) || !hs_facet_counts(new))
        return false;
    struct hs_ticket_terms before = hs_ticket_terms(old->message);
    struct hs_ticket_terms after = hs_ticket_terms(new->message);
    return hs_ticket_terms_equal(&before, &after);
}

void hs_ticket_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    struct side before = {.ticket = old};
    struct side after = {.ticket = new};
    if (same_terms(old, new))
        return; /* what it says besides does not matter to the fold */
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

/* Go on from where the fold has got to, if the event lies behind; false: it does not. */
static bool append_event(struct hs_derive *derive, const struct hs_facet *ticket, const struct hs_facet *event)
{
    struct hs_ticket_event last;
    struct hs_ticket_event next;
    struct side before = {.ticket = ticket, .terms = hs_ticket_terms(ticket->message)};
    struct side after = {.ticket = ticket, .events = &next};
    kept_fold(derive, &ticket->name, &before.terms, &last, &before.fold);
    add_event(&after, event);
    if (*derive->err != HS_OK || hs_ticket_event_compare(&next, &last) <= 0)
        return false;
    after.fold = before.fold;
    hs_ticket_fold_on(&before.terms, &next, &after.fold);
    change_group(derive, &ticket->name, &before, &after);
    return true;
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
    if (!hs_facet_counts(&ticket) || (old == NULL && append_event(derive, &ticket, new)))
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
