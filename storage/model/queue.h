/* queue.h -- a queue ticket's state as the fold of its events, who is next, and the figures of a day.  Pure. */
#ifndef HS_MODEL_QUEUE_H
#define HS_MODEL_QUEUE_H

#include "proto/base/buf.h"
#include "proto/base/names.h"

#define HS_QUEUE_GROUP_BYTES_MAX  4    /* capital letters: "A" */
#define HS_QUEUE_COUNTER_MAX      9999 /* numbers of a group and day */
#define HS_QUEUE_NUMBER_BYTES_MAX 16   /* "A012" and a zero */
#define HS_QUEUE_WINDOW_MAX       999
#define HS_QUEUE_EVENTS_MAX       64 /* of one ticket; one with more has left: a peer could make it cost too much */

enum hs_queue_state {
    HS_QUEUE_WAITING,
    HS_QUEUE_CALLED,
    HS_QUEUE_SERVING,
    HS_QUEUE_SERVED,
    HS_QUEUE_SKIPPED, /* called, and nobody came */
    HS_QUEUE_LEFT,
    HS_QUEUE_STATE_COUNT
};
const char *hs_queue_state_text(enum hs_queue_state state); /* "waiting" */
bool hs_queue_state_parse(const char *text, size_t size, enum hs_queue_state *state);

enum hs_queue_move {
    HS_QUEUE_CALL,
    HS_QUEUE_RECALL,
    HS_QUEUE_SERVE,
    HS_QUEUE_DONE,
    HS_QUEUE_SKIP,
    HS_QUEUE_TRANSFER,
    HS_QUEUE_LEAVE,
    HS_QUEUE_MOVE_COUNT
};
extern const char *const HS_QUEUE_EVENTS[]; /* "called", ...: by move, NULL behind the last */
bool hs_queue_move_parse(const char *text, size_t size, enum hs_queue_move *move);

enum hs_queue_state hs_queue_leads_to(enum hs_queue_move move);

/* "A" to "ZZZZ" */
bool hs_queue_group_valid(const char *text, size_t size);
/* "A012": at least three digits.  @counter: 1..HS_QUEUE_COUNTER_MAX. */
const char *hs_queue_number(const char *group, unsigned counter, char text[static HS_QUEUE_NUMBER_BYTES_MAX]);

/* One event as the fold sees it. */
struct hs_queue_event {
    hs_stamp stamp;
    struct hs_id id;
    struct hs_bytes message; /* QueueEvent */
    bool fits;               /* out: it was possible when its turn came */
};
int hs_queue_event_compare(const struct hs_queue_event *a, const struct hs_queue_event *b); /* by (stamp, id) */

struct hs_queue_fold {
    enum hs_queue_state state;
    uint32_t window;       /* that has called it; waiting: the only one that may, 0: any */
    struct hs_bytes group; /* that it was passed on to; view into an event; size 0: its own */
    struct hs_bytes clerk; /* the same, of the last event that named one */
    hs_stamp since;        /* in this state */
    hs_stamp first_called; /* 0: not yet */
    uint32_t calls;        /* recalls among them */
    uint64_t waited_ms;    /* until it was called, each time; without the wait that goes on */
    uint64_t served_ms;
    size_t misfits;
};

/* Sort @events by (stamp, id) and fold them, from a ticket that was taken at @taken; sets each event's fits. */
void hs_queue_fold(hs_stamp taken, struct hs_queue_event *events, size_t count, struct hs_queue_fold *fold);
/* The same step by step, of sorted events. */
void hs_queue_fold_begin(hs_stamp taken, struct hs_queue_fold *fold);
void hs_queue_fold_on(struct hs_queue_event *event, struct hs_queue_fold *fold);
/* Can @move be made from @window?  What has been called is moved on by the window that called it. */
bool hs_queue_fits(const struct hs_queue_fold *fold, enum hs_queue_move move, uint32_t window);

/* ---- who is next ---- */

struct hs_queue_waiting {
    hs_stamp taken;
    struct hs_id id;
    uint32_t window; /* passed on to this one */
    bool priority;
};
/* Below zero: @a comes first.  Who was passed on to this very window, then those with priority, then who came first. */
int hs_queue_compare(const struct hs_queue_waiting *a, const struct hs_queue_waiting *b);
/* Is @group one of @groups, "A,B"?  No groups: any is. */
bool hs_queue_among(struct hs_bytes groups, struct hs_bytes group);

/* ---- figures of a day ---- */

#define HS_QUEUE_HOURS 24
struct hs_queue_sums {                                               /* of an hour: the tickets that were taken in it */
    uint64_t taken, waiting, called, serving, served, skipped, left; /* by the state that they are in */
    uint64_t waits;                                                  /* tickets that were called */
    uint64_t wait_ms, wait_most_ms; /* until the first call, of these: all together, and the longest */
};
struct hs_queue_window { /* what a window did */
    uint32_t window;
    uint64_t calls, recalls, skipped, transferred;
    uint64_t served;                  /* services that were ended here, those passed on among them */
    uint64_t serve_ms, serve_most_ms; /* of these */
};
struct hs_queue_figures {
    struct hs_queue_sums hours[HS_QUEUE_HOURS]; /* by the local hour in which the ticket was taken */
    struct hs_queue_window *windows;            /* ascending; room for HS_QUEUE_WINDOW_MAX + 1, the caller's */
    size_t window_count;
};
/* Add a ticket, with all its events; sorts them.  @offset_minutes: from UTC to local time. */
void hs_queue_figures_add(struct hs_queue_figures *figures, hs_stamp taken, struct hs_queue_event *events, size_t count,
                          int offset_minutes);

#endif
