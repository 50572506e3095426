/* The queue of a hall: numbers drawn, and what becomes of them.  All of it runs on the writer's thread, one item at a
 * time and each seeing what the one before it wrote: no number is drawn twice, and nobody is called by two windows. */
#include "node/service/put.h"
#include "node/service/queues.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define WAITING_MAX     10000 /* tickets of a hall and day that are looked through for who is next */
#define SAME_NUMBER_MAX 16    /* tickets of one number and day that are looked at */

enum { TICKET_NUMBER = 2, TICKET_DATE = 3, TICKET_HALL = 4, TICKET_GROUP = 5, TICKET_PRIORITY = 6 };
enum {
    EVENT_TICKET = 2,
    EVENT_MOVE = 3,
    EVENT_WINDOW = 4,
    EVENT_TO_WINDOW = 6,
    EVENT_TO_GROUP = 7,
    EVENT_NUMBER = 8,
    EVENT_GROUPS = 9
};

static struct hs_bytes bytes_of(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

static const char *own_hall(const struct hs_work *work)
{
    return hs_store_certificate(work->store)->node_id;
}

static const char *today(const struct hs_work *work, char text[static HS_DATE_TEXT_BYTES])
{
    return hs_queue_date(hs_date_of(work->now_ms, work->desk->options.utc_offset_minutes), text);
}

static enum hs_err find(struct hs_work *work, const char *index, const char *value, const char *date, size_t most,
                        struct hs_queued **first)
{
    struct hs_queue_wanted wanted = {.index = index,
                                     .value = bytes_of(value),
                                     .then = bytes_of(date),
                                     .hall = bytes_of(own_hall(work)),
                                     .most = most};
    return hs_queued_find(&work->look, &wanted, work->scratch, first);
}

static void copy_number(struct hs_bytes number, char text[static HS_QUEUE_NUMBER_BYTES_MAX])
{
    size_t size = number.size < HS_QUEUE_NUMBER_BYTES_MAX ? number.size : HS_QUEUE_NUMBER_BYTES_MAX - 1;
    memcpy(text, number.data, size);
    text[size] = '\0';
}

/* ---- a number is drawn ---- */

/* What the node makes, and no client. */
static enum hs_err check_ticket(struct hs_work *work, const Hallsync__QueueTicket *ticket)
{
    if (ticket->number != NULL)
        return hs_refuse(&work->refusal, HS_EINVAL, TICKET_NUMBER, "number: is made by the node");
    if (ticket->date != NULL)
        return hs_refuse(&work->refusal, HS_EINVAL, TICKET_DATE, "date: is made by the node");
    if (ticket->hall != NULL)
        return hs_refuse(&work->refusal, HS_EINVAL, TICKET_HALL, "hall: is made by the node");
    if (!hs_queue_group_valid(ticket->group, strlen(ticket->group)))
        return hs_refuse(&work->refusal, HS_EVALUE, TICKET_GROUP, "group: 1 to %d capital letters, not '%s'",
                         HS_QUEUE_GROUP_BYTES_MAX, ticket->group);
    return HS_OK;
}

static enum hs_err is_taken(struct hs_work *work, const char *group, const char *date, unsigned counter, bool *taken)
{
    char number[HS_QUEUE_NUMBER_BYTES_MAX];
    struct hs_queued *first;
    enum hs_err err = find(work, "number", hs_queue_number(group, counter, number), date, 1, &first);
    *taken = first != NULL;
    return err == HS_EEXISTS ? HS_OK : err;
}

/* The last number drawn has no row of its own: it is looked for, in steps that double and halve.  What is found is
 * always a number that is free here, whatever may be missing between. */
static enum hs_err next_counter(struct hs_work *work, const char *group, const char *date, unsigned *counter)
{
    unsigned low = 0; /* taken, or none */
    unsigned high = 1;
    bool taken = false;
    enum hs_err err = is_taken(work, group, date, high, &taken);
    while (err == HS_OK && taken) {
        low = high;
        high = 2 * high;
        err = is_taken(work, group, date, high, &taken);
    }
    while (err == HS_OK && high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        err = is_taken(work, group, date, middle, &taken);
        if (taken)
            low = middle;
        else
            high = middle;
    }
    *counter = high;
    return err;
}

/* The message with what the node had made of it when it was first sent. */
static enum hs_err same_ticket(struct hs_work *work, const struct hs_item *item, struct hs_bytes first,
                               struct hs_bytes *message)
{
    Hallsync__QueueTicket ticket = *(const Hallsync__QueueTicket *)item->parsed;
    ticket.number = hs_arena_text(work->scratch, hs_tlv_bytes(first, TICKET_NUMBER));
    ticket.date = hs_arena_text(work->scratch, hs_tlv_bytes(first, TICKET_DATE));
    ticket.hall = hs_arena_text(work->scratch, hs_tlv_bytes(first, TICKET_HALL));
    if (ticket.number == NULL || ticket.date == NULL || ticket.hall == NULL)
        return HS_ENOMEM;
    *message = hs_canonical(&ticket.base, work->scratch);
    return message->data != NULL ? HS_OK : HS_ENOMEM;
}

/* What was first sent under this id.  HS_ENOTFOUND: nothing. */
static enum hs_err sent_before(struct hs_work *work, const struct hs_item *item, struct hs_bytes *first)
{
    struct hs_stored stored;
    const struct hs_variant *variant;
    enum hs_err err = hs_look_find(&work->look, item->kind->number, item->id, &stored);
    if (err == HS_OK)
        err = hs_fact_variant(&stored, work->scratch, &variant);
    if (err == HS_OK)
        *first = variant->bytes;
    return err;
}

enum hs_err hs_queue_ticket_write(struct hs_work *work, const struct hs_item *item)
{
    Hallsync__QueueTicket ticket = *(const Hallsync__QueueTicket *)item->parsed;
    char date[HS_DATE_TEXT_BYTES];
    char hall[HS_NODE_ID_BYTES_MAX + 1];
    unsigned counter = 0;
    struct hs_bytes first;
    struct hs_bytes message;
    enum hs_err err = check_ticket(work, &ticket);
    if (err != HS_OK)
        return err;
    err = sent_before(work, item, &first);
    if (err == HS_OK)
        err = same_ticket(work, item, first, &message);
    if (err == HS_OK) {
        copy_number(hs_tlv_bytes(first, TICKET_NUMBER), work->out.number);
        return hs_fact_known(work, item, message);
    }
    if (err == HS_ENOTFOUND)
        err = next_counter(work, ticket.group, today(work, date), &counter);
    if (err != HS_OK)
        return err;
    if (counter > HS_QUEUE_COUNTER_MAX)
        return hs_refuse(&work->refusal, HS_EOVERFLOW, TICKET_GROUP, "group: %s has given out its %d numbers of today",
                         ticket.group, HS_QUEUE_COUNTER_MAX);
    snprintf(hall, sizeof hall, "%s", own_hall(work));
    hs_queue_number(ticket.group, counter, work->out.number);
    ticket.number = work->out.number;
    ticket.date = date;
    ticket.hall = hall;
    const struct hs_new_fact fact = {.message = hs_canonical(&ticket.base, work->scratch),
                                     .partition = hs_store_certificate(work->store)->home};
    return fact.message.data != NULL ? hs_fact_put(work, item, &fact) : HS_ENOMEM;
}

/* ---- whom an event is about ---- */

struct move {
    const Hallsync__QueueEvent *event;
    enum hs_queue_move move;
    char date[HS_DATE_TEXT_BYTES];
    struct hs_queued ticket;
};

static enum hs_err by_id(struct hs_work *work, struct move *move)
{
    struct hs_stored stored;
    struct hs_bytes id = HS_BYTES(move->event->queue_id.data, move->event->queue_id.len);
    enum hs_err err = hs_look_find(&work->look, HS_KIND_QUEUE_TICKET, id, &stored);
    if (err == HS_OK)
        err = hs_queued_load(&work->look, &stored, work->scratch, &move->ticket);
    if (err == HS_ENOTFOUND)
        return hs_refuse(&work->refusal, HS_ENOTICKET, EVENT_TICKET, "queue_id: there is no such queue ticket here");
    struct hs_bytes hall = hs_queued_hall(&move->ticket);
    if (err == HS_OK && !hs_bytes_equal(hall, bytes_of(own_hall(work))))
        return hs_refuse(&work->refusal, HS_EINVAL, EVENT_TICKET, "queue_id: the queue ticket is of %.*s",
                         (int)hall.size, (const char *)hall.data);
    if (err == HS_OK && move->event->number != NULL &&
        !hs_bytes_equal(hs_queued_number(&move->ticket), bytes_of(move->event->number)))
        return hs_refuse(&work->refusal, HS_EVALUE, EVENT_NUMBER, "number: the queue ticket has another than %s",
                         move->event->number);
    return err;
}

/* A node that was set back has drawn some numbers of the day twice, and learns of the first ones later: whoever it is
 * who can make the move, and of these who came last. */
static bool is_meant(const struct move *move, const struct hs_queued *one, const struct hs_queued *other)
{
    bool fits = hs_queue_fits(&one->fold, move->move, move->event->window);
    if (other == NULL || fits != hs_queue_fits(&other->fold, move->move, move->event->window))
        return other == NULL || fits;
    return one->taken > other->taken;
}

static enum hs_err by_number(struct hs_work *work, struct move *move)
{
    struct hs_queued *first;
    const struct hs_queued *meant = NULL;
    enum hs_err err = find(work, "number", move->event->number, move->date, SAME_NUMBER_MAX, &first);
    if (err != HS_OK && err != HS_EEXISTS)
        return err;
    for (const struct hs_queued *queued = first; queued != NULL; queued = queued->next)
        meant = is_meant(move, queued, meant) ? queued : meant;
    if (meant == NULL)
        return hs_refuse(&work->refusal, HS_ENOTICKET, EVENT_NUMBER, "number: nobody has drawn %s here today",
                         move->event->number);
    move->ticket = *meant;
    return HS_OK;
}

/* Who is at a window: called to it, or served there; NULL: nobody. */
static enum hs_err at_window(struct hs_work *work, const char *date, uint32_t window, struct hs_queued **found)
{
    static const enum hs_queue_state STATES[] = {HS_QUEUE_CALLED, HS_QUEUE_SERVING};
    *found = NULL;
    for (size_t i = 0; i < 2 && *found == NULL; i++) {
        struct hs_queued *first;
        enum hs_err err = find(work, "state", hs_queue_state_text(STATES[i]), date, WAITING_MAX, &first);
        if (err != HS_OK && err != HS_EEXISTS)
            return err;
        for (struct hs_queued *queued = first; queued != NULL && *found == NULL; queued = queued->next)
            *found = queued->fold.window == window ? queued : NULL;
    }
    return HS_OK;
}

static enum hs_err by_window(struct hs_work *work, struct move *move)
{
    struct hs_queued *found;
    enum hs_err err = at_window(work, move->date, move->event->window, &found);
    if (err != HS_OK)
        return err;
    if (found == NULL)
        return hs_refuse(&work->refusal, HS_ENOTFOUND, EVENT_WINDOW, "window: nobody is at window %u",
                         (unsigned)move->event->window);
    move->ticket = *found;
    return HS_OK;
}

static struct hs_queue_waiting as_waiting(const struct hs_queued *queued)
{
    return (struct hs_queue_waiting){.taken = queued->taken,
                                     .id = queued->id,
                                     .window = queued->fold.window,
                                     .priority = hs_tlv_bytes(queued->message, TICKET_PRIORITY).size != 0};
}

static bool may_call(const struct hs_queued *queued, uint32_t window, struct hs_bytes groups)
{
    if (queued->fold.window != 0)
        return queued->fold.window == window; /* passed on to that one, whatever its group */
    return hs_queue_among(groups, hs_queued_group(queued));
}

static enum hs_err next_one(struct hs_work *work, struct move *move)
{
    const Hallsync__QueueEvent *event = move->event;
    struct hs_bytes groups = event->groups != NULL ? bytes_of(event->groups) : HS_BYTES_NONE;
    struct hs_queued *first;
    const struct hs_queued *best = NULL;
    enum hs_err err = find(work, "state", hs_queue_state_text(HS_QUEUE_WAITING), move->date, WAITING_MAX, &first);
    if (err != HS_OK && err != HS_EEXISTS)
        return err;
    for (const struct hs_queued *queued = first; queued != NULL; queued = queued->next) {
        struct hs_queue_waiting one = as_waiting(queued);
        if (!may_call(queued, event->window, groups))
            continue;
        struct hs_queue_waiting other = best != NULL ? as_waiting(best) : one;
        best = best == NULL || hs_queue_compare(&one, &other) < 0 ? queued : best;
    }
    if (best == NULL)
        return hs_refuse(&work->refusal, HS_ENOTFOUND, 0, "nobody waits%s%s", event->groups != NULL ? " of " : "",
                         event->groups != NULL ? event->groups : "");
    move->ticket = *best;
    return HS_OK;
}

static enum hs_err find_ticket(struct hs_work *work, struct move *move)
{
    if (move->event->has_queue_id)
        return by_id(work, move);
    if (move->event->number != NULL)
        return by_number(work, move);
    return move->move == HS_QUEUE_CALL ? next_one(work, move) : by_window(work, move);
}

/* ---- may it be? ---- */

static enum hs_err check_event(struct hs_work *work, const struct move *move)
{
    const Hallsync__QueueEvent *event = move->event;
    bool names = event->has_queue_id || event->number != NULL;
    if (event->window == 0 && (move->move != HS_QUEUE_LEAVE || !names))
        return hs_refuse(&work->refusal, HS_EREQUIRED, EVENT_WINDOW, "window: is missing; at which was it?");
    if (event->to_window != 0 && move->move != HS_QUEUE_TRANSFER)
        return hs_refuse(&work->refusal, HS_EINVAL, EVENT_TO_WINDOW, "to_window: only of an event 'transferred'");
    if (event->to_group != NULL && move->move != HS_QUEUE_TRANSFER)
        return hs_refuse(&work->refusal, HS_EINVAL, EVENT_TO_GROUP, "to_group: only of an event 'transferred'");
    if (event->to_group != NULL && !hs_queue_group_valid(event->to_group, strlen(event->to_group)))
        return hs_refuse(&work->refusal, HS_EVALUE, EVENT_TO_GROUP, "to_group: 1 to %d capital letters, not '%s'",
                         HS_QUEUE_GROUP_BYTES_MAX, event->to_group);
    if (event->groups != NULL && (move->move != HS_QUEUE_CALL || names))
        return hs_refuse(&work->refusal, HS_EINVAL, EVENT_GROUPS, "groups: only of an event 'called' for who is next");
    return HS_OK;
}

/* A window that is open has one customer at a time. */
static enum hs_err check_window(struct hs_work *work, const struct move *move)
{
    struct hs_queued *found;
    if (move->move != HS_QUEUE_CALL)
        return HS_OK;
    enum hs_err err = hs_window_check(work, move->event->window, EVENT_WINDOW);
    if (err == HS_OK)
        err = at_window(work, move->date, move->event->window, &found);
    if (err != HS_OK || found == NULL)
        return err;
    struct hs_bytes number = hs_queued_number(found);
    return hs_refuse(&work->refusal, HS_ESTATE, EVENT_WINDOW,
                     "window: %.*s is at window %u still (%s): serve, skip or transfer it first", (int)number.size,
                     (const char *)number.data, (unsigned)move->event->window, hs_queue_state_text(found->fold.state));
}

static enum hs_err check_move(struct hs_work *work, const struct move *move)
{
    const struct hs_queue_fold *fold = &move->ticket.fold;
    struct hs_bytes number = hs_queued_number(&move->ticket);
    char at[32] = "";
    if (fold->window != 0)
        snprintf(at, sizeof at, ", window %u", (unsigned)fold->window);
    if (!hs_queue_fits(fold, move->move, move->event->window))
        return hs_refuse(&work->refusal, HS_ESTATE, EVENT_MOVE, "event: %.*s is %s%s: it cannot be %s%s",
                         (int)number.size, (const char *)number.data, hs_queue_state_text(fold->state), at,
                         HS_QUEUE_EVENTS[move->move], at[0] != '\0' ? " by another" : "");
    if (move->ticket.event_count + 1 >= HS_QUEUE_EVENTS_MAX && move->move != HS_QUEUE_LEAVE)
        return hs_refuse(&work->refusal, HS_EOVERFLOW, EVENT_MOVE,
                         "event: %.*s has %zu events; draw a new number for the customer", (int)number.size,
                         (const char *)number.data, move->ticket.event_count);
    return HS_OK;
}

/* ---- an event ---- */

/* The event says whom it is about, whatever the client had left to the node. */
static struct hs_bytes complete(struct hs_work *work, const struct hs_item *item, struct hs_bytes queue_id,
                                struct hs_bytes number)
{
    Hallsync__QueueEvent event = *(const Hallsync__QueueEvent *)item->parsed;
    copy_number(number, work->out.number);
    hs_text_to_hex(queue_id, work->out.of);
    event.has_queue_id = true;
    event.queue_id = (ProtobufCBinaryData){.len = queue_id.size, .data = (uint8_t *)(uintptr_t)queue_id.data};
    event.number = work->out.number;
    return hs_canonical(&event.base, work->scratch);
}

/* Sent again: the same, about the one whom the node had found the first time. */
static enum hs_err done_before(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__QueueEvent *event = (const Hallsync__QueueEvent *)item->parsed;
    struct hs_bytes first;
    enum hs_err err = sent_before(work, item, &first);
    if (err != HS_OK)
        return err;
    struct hs_bytes queue_id = hs_tlv_bytes(first, EVENT_TICKET);
    struct hs_bytes number = hs_tlv_bytes(first, EVENT_NUMBER);
    bool other = queue_id.size != HS_ID_BYTES ||
                 (event->has_queue_id &&
                  !hs_bytes_equal(queue_id, HS_BYTES(event->queue_id.data, event->queue_id.len))) ||
                 (event->number != NULL && !hs_bytes_equal(number, bytes_of(event->number)));
    if (other)
        return hs_fact_known(work, item, item->message);
    struct hs_bytes message = complete(work, item, queue_id, number);
    return message.data != NULL ? hs_fact_known(work, item, message) : HS_ENOMEM;
}

enum hs_err hs_queue_event_write(struct hs_work *work, const struct hs_item *item)
{
    struct move move = {.event = (const Hallsync__QueueEvent *)item->parsed};
    bool known = hs_queue_move_parse(move.event->event, strlen(move.event->event), &move.move);
    assert(known); /* one of the field's choices */
    enum hs_err err = done_before(work, item);
    if (err != HS_ENOTFOUND)
        return err;
    today(work, move.date);
    err = check_event(work, &move);
    if (err == HS_OK)
        err = check_window(work, &move);
    if (err == HS_OK)
        err = find_ticket(work, &move);
    if (err == HS_OK)
        err = check_move(work, &move);
    if (err != HS_OK)
        return err;
    const struct hs_new_fact fact = {
        .message = complete(work, item, move.ticket.name.id, hs_queued_number(&move.ticket)),
        .partition = move.ticket.name.partition,
        .above = move.ticket.highest};
    return fact.message.data != NULL ? hs_fact_put(work, item, &fact) : HS_ENOMEM;
}
