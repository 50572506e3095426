/* The life of a queue ticket:
 *
 *   waiting --> called --> serving --> served
 *      ^          |  \       |
 *      |          |   +--> skipped --> called (he has come after all)
 *      +----------+----------+            transferred: waits again
 *
 * From called the step serving may be left out; from all but served and left one can leave.  What a window has called
 * is moved on by that window only, so that nobody is served by two. */
#include "storage/model/queue.h"

#include "proto/msg/tlv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TO(state)       (1U << HS_QUEUE_##state)
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

enum { EVENT_MOVE = 3, EVENT_WINDOW = 4, EVENT_CLERK = 5, EVENT_TO_WINDOW = 6, EVENT_TO_GROUP = 7 };

static const char *const STATE_TEXTS[HS_QUEUE_STATE_COUNT] = {
    [HS_QUEUE_WAITING] = "waiting", [HS_QUEUE_CALLED] = "called",   [HS_QUEUE_SERVING] = "serving",
    [HS_QUEUE_SERVED] = "served",   [HS_QUEUE_SKIPPED] = "skipped", [HS_QUEUE_LEFT] = "left",
};
const char *const HS_QUEUE_EVENTS[HS_QUEUE_MOVE_COUNT + 1] = {
    [HS_QUEUE_CALL] = "called", [HS_QUEUE_RECALL] = "recalled", [HS_QUEUE_SERVE] = "serving",
    [HS_QUEUE_DONE] = "served", [HS_QUEUE_SKIP] = "skipped",    [HS_QUEUE_TRANSFER] = "transferred",
    [HS_QUEUE_LEAVE] = "left",  [HS_QUEUE_MOVE_COUNT] = NULL,
};

/* From which states a move can be made, and where it leads. */
static const struct {
    unsigned from;
    enum hs_queue_state to;
    bool own; /* by the window that has called it */
} MOVES[HS_QUEUE_MOVE_COUNT] = {
    [HS_QUEUE_CALL] = {TO(WAITING) | TO(SKIPPED), HS_QUEUE_CALLED, false},
    [HS_QUEUE_RECALL] = {TO(CALLED), HS_QUEUE_CALLED, true},
    [HS_QUEUE_SERVE] = {TO(CALLED), HS_QUEUE_SERVING, true},
    [HS_QUEUE_DONE] = {TO(CALLED) | TO(SERVING), HS_QUEUE_SERVED, true},
    [HS_QUEUE_SKIP] = {TO(CALLED), HS_QUEUE_SKIPPED, true},
    [HS_QUEUE_TRANSFER] = {TO(CALLED) | TO(SERVING), HS_QUEUE_WAITING, true},
    [HS_QUEUE_LEAVE] = {TO(WAITING) | TO(CALLED) | TO(SERVING) | TO(SKIPPED), HS_QUEUE_LEFT, false},
};

/* ---- texts ---- */

static bool text_is(const char *known, const char *text, size_t size)
{
    return strlen(known) == size && memcmp(known, text, size) == 0;
}

const char *hs_queue_state_text(enum hs_queue_state state)
{
    return STATE_TEXTS[state];
}

bool hs_queue_state_parse(const char *text, size_t size, enum hs_queue_state *state)
{
    for (unsigned i = 0; i < HS_QUEUE_STATE_COUNT; i++) {
        if (text_is(STATE_TEXTS[i], text, size)) {
            *state = (enum hs_queue_state)i;
            return true;
        }
    }
    return false;
}

bool hs_queue_move_parse(const char *text, size_t size, enum hs_queue_move *move)
{
    for (unsigned i = 0; i < HS_QUEUE_MOVE_COUNT; i++) {
        if (text_is(HS_QUEUE_EVENTS[i], text, size)) {
            *move = (enum hs_queue_move)i;
            return true;
        }
    }
    return false;
}

enum hs_queue_state hs_queue_leads_to(enum hs_queue_move move)
{
    return MOVES[move].to;
}

bool hs_queue_group_valid(const char *text, size_t size)
{
    bool valid = size >= 1 && size <= HS_QUEUE_GROUP_BYTES_MAX;
    for (size_t i = 0; i < size && valid; i++)
        valid = text[i] >= 'A' && text[i] <= 'Z';
    return valid;
}

const char *hs_queue_number(const char *group, unsigned counter, char text[static HS_QUEUE_NUMBER_BYTES_MAX])
{
    snprintf(text, HS_QUEUE_NUMBER_BYTES_MAX, "%.*s%03u", HS_QUEUE_GROUP_BYTES_MAX, group, counter);
    return text;
}

/* ---- the fold ---- */

int hs_queue_event_compare(const struct hs_queue_event *a, const struct hs_queue_event *b)
{
    if (a->stamp != b->stamp)
        return a->stamp < b->stamp ? -1 : 1;
    return memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
}

static int event_compare(const void *a, const void *b)
{
    return hs_queue_event_compare(a, b);
}

struct asked {
    bool readable; /* a move that this version knows */
    enum hs_queue_move move;
    uint32_t window, to_window;
    struct hs_bytes to_group, clerk;
};

static struct asked read_event(struct hs_bytes message)
{
    struct asked asked = {0};
    struct hs_bytes move = HS_BYTES_NONE;
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number == EVENT_MOVE)
            move = tlv.bytes;
        else if (tlv.number == EVENT_WINDOW)
            asked.window = (uint32_t)tlv.value;
        else if (tlv.number == EVENT_CLERK)
            asked.clerk = tlv.bytes;
        else if (tlv.number == EVENT_TO_WINDOW)
            asked.to_window = (uint32_t)tlv.value;
        else if (tlv.number == EVENT_TO_GROUP)
            asked.to_group = tlv.bytes;
    }
    asked.readable = cur.err == HS_OK && hs_queue_move_parse((const char *)move.data, move.size, &asked.move);
    return asked;
}

bool hs_queue_fits(const struct hs_queue_fold *fold, enum hs_queue_move move, uint32_t window)
{
    if ((MOVES[move].from >> fold->state & 1) == 0)
        return false;
    if (move == HS_QUEUE_CALL && fold->state == HS_QUEUE_WAITING && fold->window != 0)
        return window == fold->window; /* it was passed on to that one */
    return !MOVES[move].own || window == fold->window;
}

static uint64_t ms_between(hs_stamp from, hs_stamp to)
{
    return to > from ? hs_stamp_ms(to) - hs_stamp_ms(from) : 0;
}

static void take_event(struct hs_queue_fold *fold, hs_stamp stamp, const struct asked *asked)
{
    enum hs_queue_state to = MOVES[asked->move].to;
    if (fold->state == HS_QUEUE_WAITING)
        fold->waited_ms += ms_between(fold->since, stamp);
    else if (fold->state == HS_QUEUE_SERVING)
        fold->served_ms += ms_between(fold->since, stamp);
    if (to == HS_QUEUE_CALLED)
        fold->calls++;
    if (to == HS_QUEUE_CALLED && fold->first_called == 0)
        fold->first_called = stamp;
    if (asked->move == HS_QUEUE_CALL)
        fold->window = asked->window;
    if (asked->move == HS_QUEUE_TRANSFER) {
        fold->window = asked->to_window;
        fold->group = asked->to_group.size != 0 ? asked->to_group : fold->group;
    }
    if (asked->clerk.size != 0)
        fold->clerk = asked->clerk;
    if (to != fold->state)
        fold->since = stamp;
    fold->state = to;
}

void hs_queue_fold_begin(hs_stamp taken, struct hs_queue_fold *fold)
{
    *fold = (struct hs_queue_fold){.state = HS_QUEUE_WAITING, .since = taken};
}

void hs_queue_fold_on(struct hs_queue_event *event, struct hs_queue_fold *fold)
{
    struct asked asked = read_event(event->message);
    event->fits = asked.readable && hs_queue_fits(fold, asked.move, asked.window);
    if (event->fits)
        take_event(fold, event->stamp, &asked);
    else
        fold->misfits++;
}

void hs_queue_fold(hs_stamp taken, struct hs_queue_event *events, size_t count, struct hs_queue_fold *fold)
{
    hs_queue_fold_begin(taken, fold);
    if (count > HS_QUEUE_EVENTS_MAX) {
        fold->state = HS_QUEUE_LEFT;
        for (size_t i = 0; i < count; i++)
            events[i].fits = true; /* nobody is to look at each of them */
        return;
    }
    if (count > 1)
        qsort(events, count, sizeof *events, event_compare);
    for (size_t i = 0; i < count; i++)
        hs_queue_fold_on(&events[i], fold);
}

/* ---- who is next ---- */

int hs_queue_compare(const struct hs_queue_waiting *a, const struct hs_queue_waiting *b)
{
    if ((a->window != 0) != (b->window != 0))
        return a->window != 0 ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority ? -1 : 1;
    if (a->taken != b->taken)
        return a->taken < b->taken ? -1 : 1;
    return memcmp(a->id.bytes, b->id.bytes, sizeof a->id.bytes);
}

bool hs_queue_among(struct hs_bytes groups, struct hs_bytes group)
{
    size_t begin = 0;
    for (size_t i = 0; i <= groups.size; i++) {
        if (i < groups.size && groups.data[i] != ',')
            continue;
        if (hs_bytes_equal(HS_BYTES(groups.data + begin, i - begin), group))
            return true;
        begin = i + 1;
    }
    return groups.size == 0;
}

/* ---- figures ---- */

static unsigned hour_of(hs_stamp stamp, int offset_minutes)
{
    int64_t minutes = (int64_t)(hs_stamp_ms(stamp) / 60000) + offset_minutes;
    return minutes > 0 ? (unsigned)(minutes / 60 % HS_QUEUE_HOURS) : 0;
}

/* NULL: there is no room for such a window. */
static struct hs_queue_window *window_of(struct hs_queue_figures *figures, uint32_t number)
{
    size_t at = 0;
    while (at < figures->window_count && figures->windows[at].window < number)
        at++;
    if (at < figures->window_count && figures->windows[at].window == number)
        return &figures->windows[at];
    if (number > HS_QUEUE_WINDOW_MAX)
        return NULL;
    memmove(&figures->windows[at + 1], &figures->windows[at],
            (figures->window_count - at) * sizeof figures->windows[0]);
    figures->window_count++;
    figures->windows[at] = (struct hs_queue_window){.window = number};
    return &figures->windows[at];
}

static void add_served(struct hs_queue_window *window, uint64_t ms)
{
    window->served++;
    window->serve_ms += ms;
    window->serve_most_ms = ms > window->serve_most_ms ? ms : window->serve_most_ms;
}

static void add_event(struct hs_queue_figures *figures, const struct hs_queue_fold *before, hs_stamp stamp,
                      const struct asked *asked)
{
    uint32_t number = asked->move == HS_QUEUE_CALL ? asked->window : before->window;
    bool at_window = asked->move == HS_QUEUE_CALL || before->state == HS_QUEUE_CALLED ||
                     before->state == HS_QUEUE_SERVING;
    struct hs_queue_window *window = at_window ? window_of(figures, number) : NULL;
    if (window == NULL)
        return;
    window->calls += asked->move == HS_QUEUE_CALL;
    window->recalls += asked->move == HS_QUEUE_RECALL;
    window->skipped += asked->move == HS_QUEUE_SKIP;
    window->transferred += asked->move == HS_QUEUE_TRANSFER;
    if (before->state == HS_QUEUE_SERVING)
        add_served(window, ms_between(before->since, stamp));
    else if (asked->move == HS_QUEUE_DONE)
        add_served(window, 0);
}

static void add_state(struct hs_queue_sums *sums, enum hs_queue_state state)
{
    uint64_t *const counts[HS_QUEUE_STATE_COUNT] = {
        [HS_QUEUE_WAITING] = &sums->waiting, [HS_QUEUE_CALLED] = &sums->called,   [HS_QUEUE_SERVING] = &sums->serving,
        [HS_QUEUE_SERVED] = &sums->served,   [HS_QUEUE_SKIPPED] = &sums->skipped, [HS_QUEUE_LEFT] = &sums->left,
    };
    (*counts[state])++;
}

void hs_queue_figures_add(struct hs_queue_figures *figures, hs_stamp taken, struct hs_queue_event *events, size_t count,
                          int offset_minutes)
{
    struct hs_queue_sums *sums = &figures->hours[hour_of(taken, offset_minutes)];
    struct hs_queue_fold fold;
    hs_queue_fold(taken, events, count, &fold);
    sums->taken++;
    add_state(sums, fold.state);
    if (fold.first_called != 0) {
        uint64_t ms = ms_between(taken, fold.first_called);
        sums->waits++;
        sums->wait_ms += ms;
        sums->wait_most_ms = ms > sums->wait_most_ms ? ms : sums->wait_most_ms;
    }
    hs_queue_fold_begin(taken, &fold);
    for (size_t i = 0; i < count && count <= HS_QUEUE_EVENTS_MAX; i++) {
        struct asked asked = read_event(events[i].message);
        if (events[i].fits)
            add_event(figures, &fold, events[i].stamp, &asked);
        hs_queue_fold_on(&events[i], &fold);
    }
}
