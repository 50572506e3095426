/* call.h -- a request under way, and the desk at which all of them are served.  Inside node/service/ only.
 *
 * A call belongs to the service's thread; while its job is with the writer, to the writer's thread, until it comes back
 * through the desk's outbox. */
#ifndef HS_SERVICE_CALL_H
#define HS_SERVICE_CALL_H

#include "node/disk/disk.h"
#include "node/service/foreign.h"
#include "node/service/service.h"
#include "node/service/socket.h"
#include "proto/base/arena.h"
#include "proto/base/histogram.h"
#include "proto/base/thread.h"
#include "proto/local.pb-c.h"

#include <pthread.h>
#include <stdatomic.h>

#define HS_CALLS_MAX            1024 /* requests under way; beyond them HS_EBUSY */
#define HS_PARKED_MAX           256  /* of these, such as wait for something to happen */
#define HS_CALL_ARENA_BYTES_MAX ((size_t)24 << 20)
#define HS_PAGE_BYTES_SOFT      ((size_t)512 << 10) /* a page of records ends with the one that passes it */
#define HS_TOLD_POSITIONS       1024
#define HS_STRUCK_POSITIONS     64

struct hs_desk;
struct hs_call;

/* What a request is, in one row: how it is named, who may ask it and what is done about it. */
struct hs_request_row {
    uint32_t body; /* field of Request */
    const char *name;
    uint32_t reply; /* field of Reply */
    bool hub_only;
    bool counter; /* at a counter's socket, too: counter.c */
    bool each;    /* records are answered one by one: the reply as a whole has no error then */
    enum hs_err (*read)(struct hs_call *call,
                        struct hs_view *view);    /* a read; may set parked: then again after each commit */
    enum hs_err (*park)(struct hs_call *call);    /* sets parked and a token: answered when that is probed */
    void (*late)(struct hs_call *call);           /* parked: the answer when the time is over */
    enum hs_err (*prepare)(struct hs_call *call); /* a write: what can be checked without state */
    enum hs_err (*run)(struct hs_call *call, struct hs_store *store); /* ... and the rest, on the writer's thread */
};

enum hs_asking { HS_ASKING_NOT, HS_ASKING_NOW, HS_ASKING_OVER };

struct hs_call {
    struct hs_job job; /* first: what the writer hands back is the call */
    struct hs_desk *desk;
    struct hs_call *next; /* in the list in which it stands */
    struct hs_route route;
    uint8_t id[HS_REQUEST_ID_BYTES];
    bool has_id;
    struct hs_arena arena;   /* the request, and what was prepared from it */
    struct hs_arena scratch; /* of one record, or one page */
    struct hs_buf bytes;     /* the same: room for encodings */
    const Hallsync__Request *request;
    const struct hs_request_row *row;
    unsigned lane;               /* enum hs_lane of what a write writes; 0: no records */
    void *plan;                  /* what prepare() or park() left for later */
    struct hs_buf body;          /* the answer: content of the reply's body */
    bool answered;               /* body is the answer, whatever the error */
    struct hs_position position; /* commit 0: the answer names none */
    enum hs_err err;
    enum hs_err own_err; /* what run() said: not the fault of its group */
    struct hs_why why;
    enum hs_asking asking; /* a hub about records that are not here */
    struct hs_ask ask;     /* what; run() sets it and answers HS_ENOTHERE where it needs that first; kind 0: nothing */
    struct hs_foreign *foreign; /* what it said; NULL: nothing, foreign_err */
    enum hs_err foreign_err;
    bool parked;            /* set by a handler: keep it, nothing to say yet */
    uint64_t deadline_tick; /* parked: answer at the latest then */
    uint64_t token;         /* a wait's */
    uint64_t begun_us;      /* it came in; of the monotonic clock */
    bool waited;            /* for something to happen: its time says nothing of this node */
};

/* Positions that clients were told, so that most of those that they show need no look-up. */
struct hs_told {
    struct hs_position told[HS_TOLD_POSITIONS];     /* by commit number */
    struct hs_position struck[HS_STRUCK_POSITIONS]; /* proofs of a rollback that have been acted on */
    unsigned struck_next;
};

/* How long requests take is told of these. */
enum hs_request_sort { HS_SORT_PUT, HS_SORT_GET, HS_SORT_FIND, HS_SORT_STATUS, HS_SORT_OTHER, HS_SORT_COUNT };

struct hs_desk {
    struct hs_service_options options; /* texts are the service's own copies */
    struct hs_socket socket;
    struct hs_socket counters;          /* zeroed: none */
    int wake;                           /* eventfd: something for the service's thread */
    void (*over)(struct hs_desk *desk); /* nobody holds it any more */
    atomic_uint holders;
    atomic_bool stopping;
    atomic_bool committed;
    atomic_uint watching; /* calls that wait for a commit */

    pthread_mutex_t lock; /* of what follows */
    struct hs_call *done; /* the outbox: jobs that are over, the oldest first */
    struct hs_call **done_tail;
    struct hs_buf probed;    /* tokens, u64 each */
    struct hs_foreign *said; /* answers of hubs, the newest first */
    bool closed;             /* nobody looks into the outbox any more */

    /* the service's thread only */
    struct hs_buf incoming, outgoing;
    struct hs_call *idle;
    size_t idle_count;
    struct hs_call *parked;
    size_t parked_count;
    size_t under_way;    /* calls that are not answered */
    size_t jobs;         /* of these, with the writer */
    bool changed;        /* commits that watchers have not been shown */
    uint64_t watch_tick; /* when they may be shown the next */
    uint64_t watch_from; /* commit that the records must have for it; 0: not asked yet */
    uint64_t next_token;
    struct hs_told told;
    struct hs_foreign_cache cache;
    struct hs_disk disk;
    uint64_t requests, refusals;
    struct hs_histogram times[HS_SORT_COUNT];
};

/* A call for the next request, or NULL: out of memory.  hs_call_drop(NULL) is fine. */
struct hs_call *hs_call_take(struct hs_desk *desk);
void hs_call_drop(struct hs_call *call);
void hs_call_free(struct hs_call *call); /* one that will not come home */
void hs_call_free_idle(struct hs_desk *desk);
/* Send the reply and drop the call. */
void hs_call_answer(struct hs_call *call, enum hs_err err);
/* Append a message as a field of another. */
void hs_call_put(struct hs_buf *to, uint32_t field, const ProtobufCMessage *message);

/* request.c: take in one message; the desk's rows. */
void hs_request_take(struct hs_desk *desk, const struct hs_route *route, struct hs_bytes message, enum hs_err received);
void hs_request_flushed(struct hs_call *call); /* a read whose flush is over: answer it */
void hs_request_ran(struct hs_call *call);     /* a write is over: answer it, or ask for what it needs first */
void hs_request_again(struct hs_call *call);   /* what it asked a hub for has come, or will not: go on with it */

/* outbox.c: jobs on their way to the writer and back. */
/* A write to be run, or a read to come back when the records are up to date.  Takes the call on HS_OK; HS_EBUSY,
 * HS_ESTOPPING. */
enum hs_err hs_desk_submit(struct hs_call *call);
void hs_desk_wake(struct hs_desk *desk);
void hs_desk_collect(struct hs_desk *desk); /* answer the jobs that are over */
void hs_desk_close(struct hs_desk *desk);   /* what comes back later is given up */
void hs_desk_hold(struct hs_desk *desk);    /* whoever holds the desk must leave it; the last one frees it */
void hs_desk_leave(struct hs_desk *desk);

/* park.c: calls that wait for something to happen. */
enum hs_err hs_park(struct hs_call *call); /* until call->deadline_tick; HS_EBUSY: too many wait already */
void hs_park_look(struct hs_desk *desk);   /* answer those that have something to say or no more time */
int hs_park_timeout_ms(const struct hs_desk *desk);
void hs_park_probed(struct hs_desk *desk, uint64_t token);
void hs_park_end(struct hs_desk *desk); /* answer all of them */
/* The parked call that asks a hub with this token, taken out; NULL: none. */
struct hs_call *hs_park_asking(struct hs_desk *desk, uint64_t token);

/* asking.c: records of districts that are not here. */
/* Does a question go to the hubs' answers?  False where everything that it is about is here, or nobody can be asked. */
bool hs_ask_wanted(const struct hs_call *call, struct hs_view *view, const struct hs_ask *ask);
/* Is all that a hub had of it here?  Where there is no hub to ask, what is held is all that there is. */
bool hs_whole(const struct hs_desk *desk, struct hs_view *view, hs_partition partition);
/* Are records of this lane still coming as states, or money's logs, of any district?  For sums and lists of all that is
 * here, about which nobody is asked. */
bool hs_still_coming(struct hs_view *view, enum hs_lane lane);
/* Put the question once: sets parked; then, with the answer come or not, what there is: the answer, or what a hub said
 * to it some time ago, or NULL. */
const struct hs_foreign *hs_ask_foreign(struct hs_call *call, const struct hs_ask *ask);
bool hs_ask_put(struct hs_call *call); /* call->ask; false: it cannot be, foreign_err says why */
/* How has this node that record?  As hs_ask_put: call->foreign, with the one record, or foreign_err. */
bool hs_ask_node(struct hs_call *call, const char *node_id, struct hs_bytes record);
void hs_ask_said(struct hs_desk *desk, uint64_t token, enum hs_err err,
                 const struct hs_answer *answer); /* any thread */
void hs_ask_collect(struct hs_desk *desk);        /* answers that have come */
void hs_ask_late(struct hs_call *call);           /* nobody waits for it any more */
/* HS_ENOLINK or what else kept a hub from answering, and a sentence. */
enum hs_err hs_ask_fail(struct hs_call *call, const char *what);

/* told.c: positions and what they prove. */
void hs_told_note(struct hs_desk *desk, const struct hs_position *position);
/* A position that this store does not know is proof that it was set back: its origin is struck out before the next
 * write. */
void hs_told_check(struct hs_desk *desk, const Hallsync__Position *seen);

#endif
