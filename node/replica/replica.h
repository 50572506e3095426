/* replica.h -- the replication protocol as a pure state machine: no socket, clock, thread, randomness or LMDB.
 *
 * Events go in (a message came, a commit was made, time has passed), obligations come out in order (store this, send
 * that, wake me at).  The contract of their order: what is to be stored is committed, and told back by
 * HS_REPLICA_STORED, before anything that depends on it is sent; the replica itself sees to that by sending only after
 * STORED.  The daemon and the tests drive the same object.  proto/PROTOCOL.md says what the messages mean.
 *
 * One object a node, all sessions in it; calls from one thread.  Reading committed data goes through struct
 * hs_replica_source, synchronously; it must answer from a snapshot that contains everything told by STORED so far. */
#ifndef HS_REPLICA_H
#define HS_REPLICA_H

#include "proto/base/arena.h"
#include "proto/base/standing.h"
#include "proto/msg/trust.h"
#include "storage/store.h" /* types only: heads, segments, loose, digests */

struct hs_replica;

/* A connection as the link knows it: never used again for another. */
typedef uint64_t hs_peer;

struct hs_replica_options {
    struct hs_bytes certificate; /* of this node, encoded; copied */
    struct hs_key root_key;
    uint64_t store_id;
    uint8_t process_id[16]; /* random */
    uint32_t credit_bytes;  /* that a peer may have in flight to us; 0: HS_CREDIT_BYTES_DEFAULT */
    uint32_t heartbeat_ms;  /* 0: 2000 */
    uint32_t silence_ms;    /* the session ends after so long without a frame; 0: 3.5 heartbeats */
    uint32_t compare_ms;    /* digests are compared so often while equal frontiers stand; 0: 60000 */
    const char *software;   /* "hallsync 0.1.0" */
    /* The configured scope, ascending; narrows the certificate's.  Copied.  0: as the certificate says. */
    const hs_partition *districts;
    size_t district_count;
    /* Until then (by the events' clock: no wall clock that is put right ends it) a hub may have lost what halls still
     * have as state, and takes it from them. */
    uint64_t rebuilding_until_ms;
    /* This store may not be the newest that the node had: a hub's hears of revoked keys before it lets halls in, from
     * another hub, or from halls for so long. */
    bool in_doubt;
    uint32_t admit_after_ms; /* 0: 60000 */
};

/* A record as digests are compared: what it is, and what went into it (hs_record_inputs). */
struct hs_compared {
    struct hs_bytes key; /* record key */
    struct hs_hash hash;
    struct hs_hash inputs;
    struct hs_bytes state; /* borrowed */
};
typedef enum hs_err (*hs_visit_compared)(void *ctx, const struct hs_compared *compared);

/* A piece of the records of (partition, lane), to be sent as states. */
struct hs_states_wanted {
    hs_partition partition;
    uint8_t lane;
    struct hs_bytes after; /* record key to go on behind; or none */
    size_t limit;          /* about so many bytes, and at least one record */
};
struct hs_states_read {
    struct hs_bytes next; /* key of the last one, a view into the body */
    bool last;            /* no more lie behind it */
    uint64_t commit;
};

/* Committed data, read synchronously.  All as in store.h's hs_view_*. */
/* What a node says of itself, for people: nothing is decided by it. */
#define HS_SOFTWARE_BYTES_MAX 48
#define HS_FIGURES_LEVEL_MAX  3
struct hs_figures {
    uint64_t heard_ms; /* wall clock, when a peer said so; 0: it says nothing of that kind */
    uint64_t disk_free_bytes, store_bytes;
    uint64_t backup_ms; /* wall clock; 0: none that is known */
    uint64_t conflicts, parked, problems;
    uint32_t disk_level; /* enum hs_disk_level: 0 plenty to 3 full */
    bool has_disk_hours; /* else nobody knows how long room lasts */
    uint32_t disk_hours;
};

struct hs_replica_source {
    void *ctx;
    enum hs_err (*cut)(void *ctx, const struct hs_stream *stream, uint64_t first, struct hs_buf *body,
                       struct hs_segment *segment);
    enum hs_err (*origin)(void *ctx, uint64_t origin, struct hs_buf *certificate, struct hs_buf *opening); /* copies */
    enum hs_err (*hash_at)(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_hash *hash);
    enum hs_err (*checkpoint)(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_checkpoint *out);
    enum hs_err (*whole_from)(void *ctx, const struct hs_stream *stream, uint64_t *n);
    enum hs_err (*receipts)(void *ctx, const struct hs_stream *stream, hs_visit_receipt visit, void *visit_ctx);
    enum hs_err (*certificate)(void *ctx, const struct hs_key *node_key, struct hs_buf *certificate);
    enum hs_err (*heads)(void *ctx, hs_visit_head visit, void *visit_ctx); /* at start */
    enum hs_err (*forks)(void *ctx, hs_visit_fork visit, void *visit_ctx); /* at start */
    enum hs_err (*loose)(void *ctx, const struct hs_stream *stream, hs_visit_loose visit, void *visit_ctx);
    enum hs_err (*revocations)(void *ctx, hs_visit_bytes visit, void *visit_ctx);
    enum hs_err (*releases)(void *ctx, hs_visit_bytes visit, void *visit_ctx);
    enum hs_err (*limit)(void *ctx, const struct hs_stream *stream, uint64_t *n);
    enum hs_err (*peer_stores)(void *ctx, hs_visit_peer_store visit, void *visit_ctx);
    enum hs_err (*store_counts)(void *ctx, const struct hs_key *node_key, uint64_t store_id, bool *counts);
    uint64_t (*backup_store)(void *ctx); /* 0: none */
    /* Of this node's own origins; at a hall. */
    enum hs_err (*own_payments)(void *ctx, uint64_t *count, int64_t *sum_fen);
    /* Digests may be older than STORED.  All ascending: by partition and kind, index, key. */
    enum hs_err (*digests)(void *ctx, hs_visit_digest visit, void *visit_ctx); /* roots */
    enum hs_err (*digest_level)(void *ctx, hs_partition partition, uint16_t kind, int branch, hs_visit_digest visit,
                                void *visit_ctx);
    enum hs_err (*digest_leaf)(void *ctx, hs_partition partition, uint16_t kind, uint32_t leaf, struct hs_bytes after,
                               hs_visit_compared visit, void *visit_ctx);
    /* State transfer: hs_view_fills, at start and when one may have ended; hs_view_states of a snapshot of the records
     * at @least or later; hs_view_states_count.  @commit out: the newest commit that the states may reflect; it may be
     * later than STORED has told.  HS_EBUSY: the records are not there yet, ask again soon; HS_EFILLING: they may lack
     * something (8.17). */
    enum hs_err (*fills)(void *ctx, hs_visit_fill visit, void *visit_ctx);
    enum hs_err (*states)(void *ctx, uint64_t least, const struct hs_states_wanted *wanted, struct hs_buf *body,
                          struct hs_states_read *read);
    uint64_t (*states_count)(void *ctx, hs_partition partition, uint8_t lane);
    uint64_t (*commit)(void *ctx); /* number of the log's last commit; at start, with the heads */
    /* hs_view_healed, at start and when one may have ended; NULL: nobody looks after what rots. */
    enum hs_err (*healed)(void *ctx, hs_visit_healed visit, void *visit_ctx);
    /* Answer a question: hs_view_ask. */
    enum hs_err (*ask)(void *ctx, const struct hs_ask *ask, hs_visit_asked visit, void *visit_ctx);
    uint64_t (*current_origin)(void *ctx); /* 0: none */
    uint64_t (*clock_ms)(void *ctx);       /* wall clock, for what is told to peers; never for timers */
    /* Figures for heartbeats: payments of this node. */
    void (*payments)(void *ctx, uint64_t *count, int64_t *sum_fen);
    /* What this node says of itself to hubs; false, or NULL: nothing now. */
    bool (*figures)(void *ctx, struct hs_figures *figures);
};

/* ---- events ---- */

enum hs_replica_event_type {
    HS_REPLICA_PEER_UP,   /* a connection is there; outbound ones are dialled to a hub */
    HS_REPLICA_PEER_DOWN, /* it is gone */
    HS_REPLICA_RECEIVED,  /* a frame came */
    HS_REPLICA_STORED,    /* a commit was made: by a STORE of ours (token), or a local one (token 0) */
    HS_REPLICA_TICK,      /* the time asked for by WAKE_AT has come (or any time) */
    HS_REPLICA_PROBE,     /* somebody waits until this node and its hubs (a hub: its peers) have the same: token */
    HS_REPLICA_PROBE_END, /* gave up */
    HS_REPLICA_COMPARE,   /* compare digests with all peers now: token, a number that grows */
    HS_REPLICA_RATE,      /* from now on at most so much to and from this peer: peer, rate_max */
    HS_REPLICA_HOLD,      /* from now on nothing is taken of these lanes, the others go: lanes */
    HS_REPLICA_ASK,       /* put a question to a hub: token, ask; answered by an ANSWER update, always */
    HS_REPLICA_ASK_NODE,  /* how has that node this record, of which both have one: token, node_id, record; as ASK */
    HS_REPLICA_ROT,       /* somebody found operations or a receipt of our own store that cannot be read: rot */
    HS_REPLICA_ASK_END,   /* nobody waits for that answer any more: token */
};

struct hs_replica_event {
    enum hs_replica_event_type type;
    uint64_t now_ms;                /* monotonic; of every event */
    hs_peer peer;                   /* PEER_UP, PEER_DOWN, RECEIVED, RATE */
    bool outbound;                  /* PEER_UP */
    struct hs_key curve_key;        /* PEER_UP: the other end's, authenticated by CURVE */
    struct hs_bytes frame;          /* RECEIVED; borrowed for the call */
    uint64_t token;                 /* STORED: of the STORE, 0 for a local commit; PROBE, PROBE_END, ASK, ASK_END */
    enum hs_err err;                /* STORED: HS_OK or why it was not stored */
    const struct hs_commit *commit; /* STORED; borrowed for the call */
    uint64_t rate_max;              /* RATE: bytes a second, each direction; 0: as many as may be */
    uint32_t lanes;                 /* HOLD: bits 1 << lane */
    struct hs_ask ask;              /* ASK */
    const char *node_id;            /* ASK_NODE */
    struct hs_bytes record;         /* ASK_NODE: record key, of a partition that both hold */
    struct hs_healed rot;           /* ROT: what, not when or how it stands */
};

/* ---- obligations ---- */

enum hs_replica_update_type {
    HS_REPLICA_STORE,  /* hand @store to the writer; answer with STORED and its token, also when it failed */
    HS_REPLICA_SEND,   /* to @peer */
    HS_REPLICA_DROP,   /* end the connection; PEER_DOWN need not follow; HS_EEXISTS: the peer's other session stays */
    HS_REPLICA_NOTICE, /* something happened that people or counters want to know */
    HS_REPLICA_ANSWER, /* to ASK and ASK_NODE: token, err, answer; HS_ENOLINK: nobody could be asked */
};

enum hs_replica_store_type {
    HS_STORE_ORIGIN,      /* certificate, opening */
    HS_STORE_SEGMENT,     /* segment */
    HS_STORE_RECEIPT,     /* receipt, certificate of its hub */
    HS_STORE_STRIKE,      /* why */
    HS_STORE_FORK,        /* stream, n, proof */
    HS_STORE_LOOSE,       /* loose */
    HS_STORE_FILL,        /* partition, lane: begin */
    HS_STORE_NOTE,        /* note */
    HS_STORE_STATES,      /* states */
    HS_STORE_FILLED,      /* partition, lane: the end */
    HS_STORE_BASE,        /* head */
    HS_STORE_ROT,         /* stream, from n to last, or store_id (a receipt): rotten; the store looks, and notes it */
    HS_STORE_HEAL,        /* segment: of what rotted */
    HS_STORE_CERTIFICATE, /* certificate: this node's own, issued anew */
    HS_STORE_REVOCATION,  /* row */
    HS_STORE_RELEASE,     /* row */
    HS_STORE_MEET,        /* met */
    HS_STORE_GONE,        /* key, store_id */
    HS_STORE_TOLD,        /* key, store_id */
    HS_STORE_RENEW,       /* why */
    HS_STORE_ANNOUNCED,   /* announcement */
};

/* Owned by whoever takes it out of the updates; frees with hs_replica_store_free.  Everything lives in its arena. */
struct hs_replica_store {
    enum hs_replica_store_type type;
    uint64_t token;
    struct hs_bytes certificate, opening, row;
    struct hs_segment segment;
    struct hs_receipt receipt;
    struct hs_stream stream;
    uint64_t n, last;
    struct hs_bytes proof;
    struct hs_loose loose;
    const char *why;
    hs_partition partition;
    uint8_t lane;
    struct hs_fill_note note;
    struct hs_states states;
    struct hs_signed_head head;
    struct hs_met met;
    struct hs_announcement announcement;
    struct hs_key key;
    uint64_t store_id;
    struct hs_arena arena;
};
void hs_replica_store_free(struct hs_replica_store *store); /* NULL is fine */

enum hs_replica_notice {
    HS_NOTICE_LIVE,           /* session established */
    HS_NOTICE_REFUSED,        /* err, text: we refused or were refused */
    HS_NOTICE_ENDED,          /* err, text: the session ended */
    HS_NOTICE_PROBE_DONE,     /* token */
    HS_NOTICE_EQUAL,          /* digests of the common scope were found equal */
    HS_NOTICE_DAMAGE,         /* records with equal inputs and unequal hash: text names them */
    HS_NOTICE_FORK,           /* a fork proof was found or came: stream */
    HS_NOTICE_STREAM_STOPPED, /* bad chain or signature from a peer, or it cannot be read: stream, err */
    HS_NOTICE_NAMED_BEYOND, /* a peer named our current origin beyond its last number: rollback with memory, or a lie */
    HS_NOTICE_CLONE,        /* two live processes with one node key */
    HS_NOTICE_FILLING,      /* a fill begins or goes on from this peer: text names partition and lane */
    HS_NOTICE_FILLED,       /* it has ended */
    HS_NOTICE_FILL_FAILED,  /* it cannot go on from this peer, or not to it: err, text */
    HS_NOTICE_REVOKED,      /* a key was revoked: text names node and reason */
    HS_NOTICE_OWN_REVOKED,  /* this node's own */
    HS_NOTICE_WAITING,      /* a peer has more of a revoked key's stream than is taken: stream */
    HS_NOTICE_ADMITTING,    /* a hub in doubt admits halls from now on: text says why */
    HS_NOTICE_HELD,         /* the peer has little room left, and takes some lanes not now; HS_OK: it does again */
    HS_NOTICE_SET_BACK,     /* a peer has shown that this store is an older copy: text */
    HS_NOTICE_STORES_FULL,  /* so many stores of hubs are gone that no more are kept: text */
    HS_NOTICE_TWIN,         /* two hubs have dialled each other: this session has ended, that of peer @token stays */
};

struct hs_replica_update {
    enum hs_replica_update_type type;
    hs_peer peer;
    struct hs_bytes frame;          /* SEND; valid until the next step */
    struct hs_replica_store *store; /* STORE; the taker owns it */
    enum hs_replica_notice notice;
    enum hs_err err;
    uint64_t token;
    struct hs_stream stream;
    const char *text;               /* valid until the next step */
    enum hs_reason reason;          /* of REFUSED and ENDED, as what follows */
    struct hs_key curve_key;        /* the other end's */
    const char *node_id;            /* of a certificate that holds; NULL: none was shown; valid until the next step */
    const struct hs_answer *answer; /* ANSWER without err; valid until the next step */
};

struct hs_replica_updates {
    const struct hs_replica_update *items;
    size_t count;
    uint64_t wake_at_ms; /* call TICK then at the latest; UINT64_MAX: nothing to wait for */
};

/* HS_ENOMEM, HS_EINVAL (districts that are none), or what the source answered while heads were loaded. */
enum hs_err hs_replica_new(const struct hs_replica_options *options, const struct hs_replica_source *source,
                           struct hs_replica **replica);
void hs_replica_free(struct hs_replica *replica);

/* Take one event; fill @updates, valid until the next step.  Errors of peers end their session and are notices;
 * HS_ENOMEM or a failing source is returned and the object must not be used any more (crash-only). */
enum hs_err hs_replica_step(struct hs_replica *replica, const struct hs_replica_event *event,
                            struct hs_replica_updates *updates);

/* ---- for status ---- */

/* What is to be sent waits for the line, for credit that the peer's store gives back, or for the limit that people set.
 */
enum hs_waits { HS_WAITS_NOT, HS_WAITS_LINE, HS_WAITS_CREDIT, HS_WAITS_LIMIT };
enum hs_comparison { HS_COMPARED_NOT, HS_COMPARED_EQUAL, HS_COMPARED_LAG, HS_COMPARED_DAMAGE };
#define HS_DIFFERS_MAX 16
struct hs_differ {
    struct hs_record_name name; /* its id is in: */
    uint8_t id[HS_RECORD_ID_BYTES_MAX];
    struct hs_hash here, there;
};

struct hs_peer_status {
    hs_peer peer;
    bool outbound, live;
    struct hs_certificate certificate;    /* once live */
    hs_partition districts[HS_SCOPE_MAX]; /* once live: its scope, a witness's whose operations it keeps */
    size_t district_count;                /* 0: everything */
    uint64_t live_since_ms;               /* monotonic */
    uint64_t lag_out_ops, lag_in_ops;
    uint64_t oldest_unsent_ms; /* monotonic time since when something waits to be stored there; 0: nothing */
    int64_t clock_offset_ms;
    uint64_t round_trip_ms;
    uint64_t compared;               /* token of the newest COMPARE that a round has ended for; 0: none */
    enum hs_comparison comparison;   /* how the last round ended */
    const struct hs_differ *differs; /* of a damaged one; valid until the next step */
    size_t differ_count;
    uint64_t equal_ms; /* clock_ms when the digests were last found equal; 0: never */
    uint64_t sent_ops, received_ops, sent_bytes, received_bytes;
    bool payments_known; /* the peer's own figures, all its origins, from its last heartbeat */
    uint64_t payments_count;
    int64_t payments_fen;
    bool own_known; /* a hall's payments of its own origins, as it last said */
    uint64_t own_payments;
    int64_t own_fen;
    const char *software;      /* as its Hello said, "hallsync 0.1.0"; ""; valid until the next step */
    struct hs_figures figures; /* as it last said in this session */
    size_t being_filled;       /* a hub: (partition, lane) that it still waits for itself, as it has said */
    uint64_t memory_bytes;     /* that this session holds */
    struct {
        uint64_t out_ops, in_ops;   /* as lag_out_ops and lag_in_ops */
        uint64_t oldest_unsent_ms;  /* as above */
        uint64_t oldest_awaited_ms; /* the same of what it announced and is not here */
        uint64_t op_bytes;          /* the mean size on a line of what any session moved of the lane; 0: nothing yet */
        uint64_t sent_ops, received_ops;
    } lanes[HS_LANE_COUNT];    /* by enum hs_lane */
    uint64_t unsigned_ops;     /* own operations that this peer's store has not signed for; hubs and witnesses */
    uint32_t held_lanes;       /* it takes none of these now: bits 1 << lane */
    uint64_t rate_max;         /* limit of what is sent to it now, bytes a second; 0: none */
    size_t filling, supplying; /* (partition, lane) under way from it, and to it, or wanted; no lag has any of them */
    uint64_t supplied_records, supplied_total; /* of those under way to it; the total is about */
    enum hs_waits waits;
    size_t disputed; /* streams of its own that have forked, and others that are disputed with it */
};
size_t hs_replica_peers(const struct hs_replica *replica, struct hs_peer_status *to, size_t room);

/* Streams of which a live peer has sent what does not continue what is held, stream by stream. */
struct hs_stopped {
    struct hs_stream stream;
    struct hs_key node_key; /* whose it is */
    uint64_t behind, last;  /* held here, and named by the peer */
    uint64_t since_ms;      /* monotonic */
    const char *from;       /* id of the peer; valid until the next step */
};
size_t hs_replica_stopped(const struct hs_replica *replica, struct hs_stopped *to, size_t room);

/* Who is at the other end of a live session; NULL: there is none. */
const struct hs_key *hs_replica_node_key(struct hs_replica *replica, hs_peer peer);

/* Until when a hub that may have lost something takes from halls what they have as state (monotonic); 0: it does not.
 */
uint64_t hs_replica_rebuilding(const struct hs_replica *replica);
bool hs_replica_is_filling(const struct hs_replica *replica); /* records are to come as states */

/* Of a hub that may have lost something: operations that it holds, of those that it and the live peers have together.
 * False: it is none. */
bool hs_replica_progress(const struct hs_replica *replica, uint64_t *held, uint64_t *named);

/* Operations of revoked keys that live peers have and nobody takes, stream by stream; at most 1,024. */
struct hs_waiting {
    struct hs_stream stream;
    struct hs_key node_key; /* revoked */
    struct hs_key holder;
    uint64_t behind, n;  /* they lie behind the one, up to the other */
    struct hs_hash hash; /* h(n), verified */
    uint64_t payments;
    int64_t fen; /* their sum */
};
size_t hs_replica_waiting(const struct hs_replica *replica, struct hs_waiting *to, size_t room);
/* Are halls let in?  @opens_ms out, if not: when they will be (monotonic; UINT64_MAX: nobody knows). */
bool hs_replica_admits(const struct hs_replica *replica, uint64_t *opens_ms);

#endif
