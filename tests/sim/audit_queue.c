/* audit_queue.c -- folds of a hall's day: where a queue ticket has got to, and who has a seat of a slot.  By the words
 * of docs/records.md: everything that was asked for in the order of stamps and ids. */
#include "tests/sim/audit_inside.h"

#include <stdlib.h>
#include <string.h>

enum { QUEUE_TICKET = 19, QUEUE_EVENT = 20, SLOT = 21, APPOINTMENT = 22, APPOINTMENT_EVENT = 23 };
enum { EVENT_OF = 2, EVENT_MOVE = 3, EVENT_WINDOW = 4, EVENT_TO_WINDOW = 6, APPOINTMENT_SLOT = 2, SLOT_CAPACITY = 7 };

#define QUEUE_EVENTS_MAX   64
#define BOOKING_EVENTS_MAX 8

/* ---- what names a record, in the order of stamps and ids ---- */

struct named {
    const struct audit_write **list;
    size_t count, room;
};

static void add(struct named *named, const struct audit_write *write)
{
    if (named->count == named->room) {
        named->room = named->room == 0 ? 16 : 2 * named->room;
        named->list = realloc(named->list, named->room * sizeof *named->list);
        if (named->list == NULL)
            abort();
    }
    named->list[named->count++] = write;
}

/* Facts of @kind whose field @field says @id, as they count at the machine. */
static void find_named(const struct auditor *auditor, const struct audit_record *of, uint16_t kind, uint32_t bit,
                       struct named *named)
{
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        bool beside = record->kind == kind && record->partition == of->partition;
        const struct audit_write *write = beside ? audit_variant(record, bit) : NULL;
        if (write != NULL && hs_bytes_equal(audit_tlv_find(write->fact, EVENT_OF).data, of->id))
            add(named, write);
    }
}

static int compare_ids(const void *left, const void *right)
{
    const struct audit_write *a = *(const struct audit_write *const *)left;
    const struct audit_write *b = *(const struct audit_write *const *)right;
    return memcmp(a->record->id.data, b->record->id.data, a->record->id.size);
}

/* Of one stamp: bookings first. */
static int compare_turns(const void *left, const void *right)
{
    const struct audit_write *a = *(const struct audit_write *const *)left;
    const struct audit_write *b = *(const struct audit_write *const *)right;
    if (a->op->stamp != b->op->stamp)
        return a->op->stamp < b->op->stamp ? -1 : 1;
    if (a->record->kind != b->record->kind)
        return a->record->kind < b->record->kind ? -1 : 1;
    return compare_ids(left, right);
}

static void sort(struct named *named, int (*compare)(const void *left, const void *right))
{
    if (named->count > 1)
        qsort(named->list, named->count, sizeof *named->list, compare);
}

static bool says(const struct audit_write *event, const char *move)
{
    return hs_bytes_equal(audit_tlv_find(event->fact, EVENT_MOVE).data, audit_text(move));
}

/* ---- the queue ---- */

/* What is said of someone who is in a state that is one of the letters: w waiting, c called, g serving, s skipped. */
static const struct {
    const char *move, *from, *to;
    bool own; /* by the window that has called */
} MOVES[] = {{"called", "ws", "called", false}, {"recalled", "c", "called", true},
             {"serving", "c", "serving", true}, {"served", "cg", "served", true},
             {"skipped", "c", "skipped", true}, {"transferred", "cg", "waiting", true},
             {"left", "wcgs", "left", false}};

static char letter_of(const char *state)
{
    return strcmp(state, "serving") == 0 ? 'g' : strcmp(state, "served") == 0 ? 'e' : state[0];
}

static bool take_turn(const struct audit_write *event, struct audit_queue *queue)
{
    uint64_t window = audit_tlv_find(event->fact, EVENT_WINDOW).value;
    size_t at = 0;
    while (at < sizeof MOVES / sizeof *MOVES && !says(event, MOVES[at].move))
        at++;
    if (at == sizeof MOVES / sizeof *MOVES || strchr(MOVES[at].from, letter_of(queue->state)) == NULL)
        return false;
    bool calls = strcmp(MOVES[at].move, "called") == 0;
    bool kept = calls && strcmp(queue->state, "waiting") == 0 && queue->window != 0; /* for a window */
    if ((MOVES[at].own || kept) && window != queue->window)
        return false;
    if (calls)
        queue->window = window;
    else if (strcmp(MOVES[at].to, "waiting") == 0)
        queue->window = audit_tlv_find(event->fact, EVENT_TO_WINDOW).value;
    queue->state = MOVES[at].to;
    return true;
}

void audit_queue_fold(const struct auditor *auditor, const struct audit_record *ticket, uint32_t bit,
                      struct audit_queue *queue)
{
    struct named events = {0};
    find_named(auditor, ticket, QUEUE_EVENT, bit, &events);
    sort(&events, compare_turns);
    queue->state = events.count > QUEUE_EVENTS_MAX ? "left" : "waiting";
    queue->window = 0;
    for (size_t i = 0; i < events.count && events.count <= QUEUE_EVENTS_MAX; i++) {
        if (!take_turn(events.list[i], queue) && queue->misfit != NULL)
            queue->misfit(queue->ctx, events.list[i]->record);
    }
    free(events.list);
}

/* ---- seats ---- */

struct seat {
    const struct audit_record *asked;
    const char *state;
};

struct seats {
    struct seat *list;
    size_t count;
    uint64_t capacity, taken;
};

static struct seat *seat_of(const struct seats *seats, struct hs_bytes id)
{
    for (size_t i = 0; i < seats->count; i++) {
        if (hs_bytes_equal(seats->list[i].asked->id, id))
            return &seats->list[i];
    }
    return NULL;
}

static bool sits(const char *state)
{
    return strcmp(state, "booked") == 0 || strcmp(state, "kept") == 0 || strcmp(state, "missed") == 0;
}

static void take_seat(struct seats *seats, const struct audit_record *asked)
{
    bool free_one = seats->taken < seats->capacity;
    seats->list[seats->count++] = (struct seat){asked, free_one ? "booked" : "full"};
    seats->taken += free_one;
}

static void give_back(struct seats *seats, const struct audit_write *event)
{
    struct seat *seat = seat_of(seats, audit_tlv_find(event->fact, EVENT_OF).data);
    const char *to = says(event, "cancelled") ? "cancelled" : says(event, "kept") ? "kept" : "missed";
    if (seat == NULL)
        return;
    bool fits = to[0] == 'c' ? strcmp(seat->state, "booked") == 0 || strcmp(seat->state, "full") == 0
                             : sits(seat->state) && strcmp(seat->state, to) != 0;
    if (!fits)
        return;
    seats->taken -= sits(seat->state) && !sits(to);
    seat->state = to;
}

/* Of each booking the first events by id are looked at. */
static void add_events(const struct auditor *auditor, const struct audit_record *asked, uint32_t bit,
                       struct named *turns)
{
    struct named events = {0};
    find_named(auditor, asked, APPOINTMENT_EVENT, bit, &events);
    sort(&events, compare_ids);
    for (size_t i = 0; i < events.count && i < BOOKING_EVENTS_MAX; i++)
        add(turns, events.list[i]);
    free(events.list);
}

static struct seats seats_of(const struct auditor *auditor, const struct audit_record *slot, uint32_t bit)
{
    struct audit_values values = {0};
    struct named turns = {0};
    struct seats seats = {0};
    audit_values(slot, bit, &values);
    const struct audit_value *capacity = audit_shown(&values, SLOT_CAPACITY);
    seats.capacity = capacity != NULL ? audit_tlv_find(capacity->value, SLOT_CAPACITY).value : 0;
    audit_values_fini(&values);
    find_named(auditor, slot, APPOINTMENT, bit, &turns);
    size_t asked = turns.count;
    seats.list = calloc(asked + 1, sizeof *seats.list);
    if (seats.list == NULL)
        abort();
    for (size_t i = 0; i < asked; i++)
        add_events(auditor, turns.list[i]->record, bit, &turns);
    sort(&turns, compare_turns);
    for (size_t i = 0; i < turns.count; i++) {
        if (turns.list[i]->record->kind == APPOINTMENT)
            take_seat(&seats, turns.list[i]->record);
        else
            give_back(&seats, turns.list[i]);
    }
    free(turns.list);
    return seats;
}

struct audit_slot audit_slot_fold(const struct auditor *auditor, const struct audit_record *slot, uint32_t bit)
{
    struct seats seats = seats_of(auditor, slot, bit);
    free(seats.list);
    return (struct audit_slot){seats.capacity, seats.taken};
}

const char *audit_seat(const struct auditor *auditor, const struct audit_record *asked, uint32_t bit)
{
    const struct audit_write *write = audit_variant(asked, bit);
    struct hs_bytes slot_id = write != NULL ? audit_tlv_find(write->fact, APPOINTMENT_SLOT).data : HS_BYTES_NONE;
    const struct audit_record *slot = audit_named(auditor, SLOT, slot_id);
    while (slot != NULL && (slot->partition != asked->partition || !audit_complete(slot, bit)))
        slot = slot->same_name;
    if (slot == NULL)
        return "asked";
    struct seats seats = seats_of(auditor, slot, bit);
    const struct seat *seat = seat_of(&seats, asked->id);
    const char *state = seat != NULL ? seat->state : "asked";
    free(seats.list);
    return state;
}
