/* core.h -- what the files of the replica share: the in-memory frontier, the sessions, what is on its way to the store.
 * Inside node/replica only.
 *
 * Errors: hs_rep_fail() notes the first failure of memory or of the source; hs_replica_step() returns it and the object is not
 * used any more, so nothing here goes on carefully after it.  What a peer does wrong ends its session: hs_rep_session_end(). */
#ifndef HS_REPLICA_CORE_H
#define HS_REPLICA_CORE_H

#include "node/replica/replica.h"
#include "proto/peer.pb-c.h"

#include <sys/queue.h>
#include <zstd.h>

#define REP_VERSION 1               /* of the protocol: the only one so far */
#define REP_SESSIONS_MAX 4096
#define REP_HALF_OPEN_MAX 32        /* inbound sessions that have not shown a certificate */
#define REP_PROCESS_BYTES 16
#define REP_SHORT_HASH_BYTES 8      /* of h(n) in heads, and of subtrees */
#define REP_SEGMENT_COST 256        /* credit that a segment takes besides its raw bytes */
#define REP_UNPACKED_BYTES_MAX (1024 * 1024)
#define REP_LISTS_OPEN_MAX 16       /* frontier lists sent and not answered yet, a session */
#define REP_STRANGE_LAGS_MAX 65536  /* streams that only the peer names, a session */
#define REP_CUTS 32                 /* segments kept ready for several sessions */
#define REP_SAMPLES_MAX 64          /* of a dispute */

/* ---- frontier.c: what STORED told us that we hold, as the tree partition -> node -> stream ------------------------------------- */

struct rep_session;
TAILQ_HEAD(rep_sessions, rep_session);

struct rep_node {
    struct hs_key key;
    uint8_t hash[HS_NODE_HASH_BYTES];
    struct rep_member *members;    /* one for each partition that it wrote to */
    struct rep_session *sessions;  /* live ones of this node */
};

struct rep_origin {
    uint64_t id;
    struct rep_node *node;
    bool stored; /* the store has its opening */
};

/* What was handed to the store and has not come back yet: the next segment must continue this. */
struct rep_incoming {
    uint64_t n;
    struct hs_hash hash;
    size_t stores;
    bool failed; /* one was not stored: the others will not be either */
};

struct rep_stream {
    struct hs_stream name;
    uint64_t n; /* 0: nothing held yet */
    struct hs_hash hash;
    struct rep_member *member;
    struct rep_origin *origin;
    struct rep_incoming *incoming; /* NULL: nothing on its way */
    struct rep_fork *fork;         /* NULL: not forked */
    bool stopped;                  /* bad chain or signature: not taken until the head changes */
    uint64_t changed;              /* number of the commit that moved the head */
    bool damaged;                  /* cannot be read: not sent until the head changes */
};

/* The streams of one node in one partition. */
struct rep_member {
    struct rep_partition *partition;
    struct rep_node *node;
    struct rep_member *of_node; /* the node's next one */
    struct rep_stream **streams; /* ascending */
    size_t count, room;
    size_t held; /* those with n > 0 or a fork: only they are in lists and hashes */
    uint8_t hash[REP_SHORT_HASH_BYTES];
    bool dirty;
};

struct rep_partition {
    hs_partition id;
    struct rep_member **members; /* ascending by node hash */
    size_t count, room;
    uint8_t hash[REP_SHORT_HASH_BYTES];
    bool dirty;
    struct rep_session **sessions; /* live ones whose scope has it */
    size_t session_count, session_room;
};

struct rep_frontier {
    struct rep_partition **partitions; /* ascending */
    size_t count, room;
    void *origins; /* tsearch trees */
    void *nodes;
};

void hs_rep_frontier_fini(struct rep_frontier *frontier);
struct rep_node *hs_rep_node_get(struct hs_replica *r, const struct hs_key *key);           /* made if need be; NULL: no memory */
struct rep_origin *hs_rep_origin_find(const struct rep_frontier *frontier, uint64_t id);    /* NULL: unknown */
struct rep_origin *hs_rep_origin_load(struct hs_replica *r, uint64_t id); /* of a stream in the store; NULL: the source fails */
struct rep_origin *hs_rep_origin_add(struct hs_replica *r, uint64_t id, const struct hs_key *node_key);
struct rep_stream *hs_rep_stream_find(const struct rep_frontier *frontier, const struct hs_stream *name);
struct rep_stream *hs_rep_stream_get(struct hs_replica *r, const struct hs_stream *name, struct rep_origin *origin); /* n = 0 */
void hs_rep_stream_advance(struct rep_stream *stream, uint64_t n, const struct hs_hash *hash);
void hs_rep_stream_touch(struct rep_stream *stream); /* its entry in lists changed */
bool hs_rep_stream_listed(const struct rep_stream *stream);
struct rep_partition *hs_rep_partition_find(const struct rep_frontier *frontier, hs_partition id);
size_t hs_rep_partition_from(const struct rep_frontier *frontier, uint32_t id); /* index of the first one >= id */
struct rep_member *hs_rep_member_find(const struct rep_partition *partition, const uint8_t node[static HS_NODE_HASH_BYTES]);
size_t hs_rep_member_from(const struct rep_partition *partition, struct hs_bytes node); /* index of the first one > node */
size_t hs_rep_stream_from(const struct rep_member *member, const struct hs_stream *name); /* index of the first one > name */
const uint8_t *hs_rep_member_hash(struct hs_replica *r, struct rep_member *member);
const uint8_t *hs_rep_partition_hash(struct hs_replica *r, struct rep_partition *partition);
void hs_rep_nodes_hash(struct hs_replica *r, struct rep_member *const *members, size_t count,
                       uint8_t hash[static REP_SHORT_HASH_BYTES]);
bool hs_rep_partition_watch(struct rep_partition *partition, struct rep_session *session); /* false: no memory */
void hs_rep_partition_unwatch(struct rep_partition *partition, const struct rep_session *session);

/* ---- fork.c: streams with two contents under one number --------------------------------------------------------------------- */

struct rep_fork;
struct rep_looses;
struct hs_head hs_rep_stream_head(const struct rep_stream *stream); /* as lists say it: of a forked one what is held of all branches */
void hs_rep_fork_free(struct rep_fork *fork);

/* ---- lag.c: what a peer and we do not both hold ------------------------------------------------------------------------------ */

/* One stream of which the peer is known to hold another number than we do.  No entry: the same, or nothing is known yet
 * (hs_rep_exchange_open). */
struct rep_lag {
    struct hs_stream name;
    struct rep_stream *stream; /* NULL: we hold nothing of it */
    uint64_t peer_n;           /* what it surely holds */
    uint64_t sent_n;           /* what was sent on top */
    uint64_t since_ms;         /* something has waited to be stored there since; 0: nothing does */
    uint64_t queued_ms;        /* waiting for its turn since */
    bool queued;
    bool blocked;              /* disputed: nothing is sent by number */
    bool gapped;               /* what it sent was dropped: it begins anew from the head that it is, or will be, told */
    TAILQ_ENTRY(rep_lag) turn;
};
TAILQ_HEAD(rep_lags, rep_lag);

struct rep_lag *hs_rep_lag_find(const struct rep_session *s, const struct hs_stream *name);
struct rep_lag *hs_rep_lag_get(struct rep_session *s, const struct hs_stream *name); /* made if need be; NULL: no memory */
void hs_rep_lag_learn(struct rep_session *s, const struct hs_stream *name, uint64_t n);   /* the peer holds it up to n at least */
void hs_rep_lag_rewind(struct rep_session *s, const struct hs_stream *name, uint64_t n);  /* ... up to n and no further */
void hs_rep_lag_commit(struct rep_session *s, struct rep_stream *stream, uint64_t old_n); /* our head has moved */
void hs_rep_lag_settle(struct rep_session *s, struct rep_lag *lag); /* queue it, or forget it if there is no lag; may free it */
void hs_rep_lags_visit(struct rep_session *s, void (*visit)(struct rep_session *s, struct rep_lag *lag, void *ctx), void *ctx);
void hs_rep_lag_forget(struct rep_session *s, struct rep_lag *lag);
void hs_rep_lag_rotate(struct rep_session *s, struct rep_lag *lag); /* it has had its turn; may free it */
void hs_rep_lags_fini(struct rep_session *s);
bool hs_rep_may_take(const struct hs_replica *r, hs_partition partition);

/* ---- sessions ------------------------------------------------------------------------------------------------------------------ */

/*            PEER_UP            their Hello is good
 *    (none) ---------> GREETED ---------------------> LIVE
 *                         |  refused, silent, garbled   |  silent, garbled, connection gone
 *                         +----------> ENDED <----------+        (freed when the step is over)
 */
enum rep_session_state { REP_GREETED, REP_LIVE, REP_ENDED, REP_STATE_COUNT };

/* One list of the frontier being compared: of a partition's nodes, or of a node's streams. */
struct rep_list {
    hs_partition partition;
    bool has_node;
    uint8_t node[HS_NODE_HASH_BYTES];
    bool sent;              /* ours is; else it waits for its turn */
    bool begun;             /* the peer's has begun to come, up to: */
    uint8_t at_node[HS_NODE_HASH_BYTES];
    struct hs_stream at_stream;
    TAILQ_ENTRY(rep_list) turn;
};
TAILQ_HEAD(rep_lists, rep_list);

struct rep_exchange {
    uint32_t root_next; /* partitions below are compared */
    bool root_done;
    void *lists; /* tsearch tree */
    struct rep_lists waiting;
    size_t list_count, sent_count;
};

/* Credit and the measured rate, of what we send. */
struct rep_outflow {
    uint64_t allowed;  /* cumulative, as the peer says */
    uint64_t first;    /* the first credit */
    uint64_t sent;     /* cumulative cost */
    uint64_t rate;     /* cost per second that came back as credit */
    uint64_t mark_sent, mark_back, mark_ms; /* the sample being taken */
    bool marked, limited;
    unsigned turns;
};

struct rep_inflow {
    uint64_t first; /* the first credit */
    uint64_t taken; /* cumulative cost of what came */
    uint64_t back;  /* ... of what was stored or dropped */
    uint64_t told;  /* ... as last told */
};

struct rep_clock {
    uint64_t peer_ms; /* of its last heartbeat */
    int64_t offset_ms;
    uint64_t round_trip_ms;
};

struct rep_session {
    struct hs_replica *r;
    hs_peer peer;
    bool outbound;
    enum rep_session_state state;
    struct hs_key curve_key;
    uint32_t sequence_in, sequence_out;
    uint64_t up_ms, live_ms, heard_ms, beat_ms;

    /* From its Hello. */
    struct hs_certificate certificate;
    struct hs_buf certificate_bytes;
    uint8_t process_id[REP_PROCESS_BYTES];
    uint64_t store_id;
    struct rep_node *node;
    struct rep_session *of_node; /* the node's next live one */

    /* The common view: these partitions in full, and the view's node (a hall's own) in all others. */
    bool view_all;
    hs_partition *view; /* ascending */
    size_t view_count;
    const struct rep_node *view_node; /* NULL between hubs */

    struct rep_exchange exchange;
    struct rep_outflow out;
    struct rep_inflow in;
    void *lags; /* tsearch tree */
    size_t lag_count, strange_count;
    struct rep_lags turns[HS_LANE_COUNT];
    struct rep_looses *looses;      /* branches to be sent; NULL: none */
    struct hs_buf acks;             /* to be sent at the end of the step, packed as fields of PeerAck */
    size_t ack_parts;
    uint64_t heads_told;            /* own heads of commits up to this one were in a heartbeat */
    struct rep_clock clock;
    uint64_t payments_count;
    int64_t payments_fen;
    bool has_payments;
    struct rep_compare *compare;
    uint64_t compare_ms;            /* compare digests, or go on with it, then */
    uint64_t compare_retry_ms;      /* how long was waited last because something lagged */
    bool is_compare_wanted;         /* whatever lags */
    uint64_t equal_ms;
    bool is_asked;                  /* a probe is to be answered when the frontiers are compared */
    uint64_t probe_asked;           /* its id */
    uint64_t question;              /* id of our own that is not answered yet; 0: none */
    bool dirty;                     /* in r->dirty */
    uint64_t sent_ops, received_ops, sent_bytes, received_bytes;
    TAILQ_ENTRY(rep_session) work;
};

struct rep_session *hs_rep_session_find(struct hs_replica *r, hs_peer peer); /* NULL: unknown or ended */
void hs_rep_session_up(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_session_down(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_session_end(struct rep_session *s, enum hs_err err, const char *format, ...) __attribute__((format(printf, 3, 4)));
void hs_rep_session_refuse(struct rep_session *s, enum hs_err err, const char *text);  /* says so, then ends it */
void hs_rep_session_refused(struct rep_session *s, enum hs_err err, const char *text); /* by either side */
void hs_rep_session_dirty(struct rep_session *s); /* something may be sent to it at the end of the step */
void hs_rep_sessions_sweep(struct hs_replica *r); /* free the ended ones */
void hs_rep_sessions_fini(struct hs_replica *r);
bool hs_rep_in_view(const struct rep_session *s, hs_partition partition);
bool hs_rep_may_send(const struct rep_session *s, hs_partition partition);
bool hs_rep_may_tell(const struct rep_session *s, const struct rep_stream *stream);
/* Those that hear of a stream: scope has it, or the stream is the peer's own node's. */
void hs_rep_session_each(struct hs_replica *r, const struct rep_stream *stream,
                         void (*visit)(struct rep_session *s, const struct rep_stream *stream, void *ctx), void *ctx);

/* hello.c */
void hs_rep_hello_send(struct rep_session *s);
void hs_rep_hello_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_refuse_received(struct rep_session *s, const ProtobufCMessage *message);

/* strike.c */
void hs_rep_named(struct rep_session *s, const struct hs_stream *name, uint64_t n); /* is it our current origin, beyond its end? */
void hs_rep_strike(struct rep_session *s, uint64_t origin, const char *why);
void hs_rep_struck(struct hs_replica *r, enum hs_err err); /* the store has answered */
bool hs_rep_is_striking(const struct hs_replica *r, uint64_t origin); /* the store has not answered yet */

/* heartbeat.c */
void hs_rep_heartbeat_received(struct rep_session *s, const ProtobufCMessage *message);
uint64_t hs_rep_heartbeat_tick(struct rep_session *s); /* returns when to come again */

/* exchange.c */
void hs_rep_exchange_init(struct rep_session *s);
void hs_rep_exchange_fini(struct rep_session *s);
void hs_rep_exchange_start(struct rep_session *s);
void hs_rep_exchange_received(struct rep_session *s, const ProtobufCMessage *message);
bool hs_rep_exchange_open(const struct rep_session *s, const struct rep_stream *stream); /* what the peer holds is not known yet */
bool hs_rep_exchange_done(const struct rep_session *s);
void hs_rep_announce(struct rep_session *s, const struct hs_stream *names, size_t count); /* our heads of these, by themselves */
/* The peer holds this much of a stream; false: the session has ended. */
bool hs_rep_head_received(struct rep_session *s, const Hallsync__StreamHead *head, struct hs_stream *name);

/* schedule.c */
void hs_rep_schedule(struct rep_session *s); /* send what may be sent */
void hs_rep_credit_received(struct rep_session *s, uint64_t total);
bool hs_rep_opening_send(struct rep_session *s, uint64_t origin); /* false: the source has it not */
bool hs_rep_room(struct rep_session *s, uint8_t lane, uint64_t cost);
void hs_rep_spend(struct rep_session *s, uint64_t cost);

/* receive.c */
void hs_rep_opening_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_segment_received(struct rep_session *s, const ProtobufCMessage *message);
bool hs_rep_take_credit(struct rep_session *s, uint64_t cost); /* false: more than was allowed, the session has ended */
void hs_rep_give_credit(struct rep_session *s, uint64_t cost);
enum hs_err hs_rep_chain(struct hs_bytes body, uint32_t count, struct hs_hash *hash); /* HS_EMALFORMED: not so many ops */

/* ack.c */
void hs_rep_stored(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_ack_put(struct rep_session *s, const struct rep_stream *stream); /* "I hold it up to n" */
void hs_rep_ack_part(struct rep_session *s, uint32_t field, struct hs_bytes part);
void hs_rep_ack_send(struct rep_session *s);
void hs_rep_ack_received(struct rep_session *s, const ProtobufCMessage *message);

/* receipt.c */
void hs_rep_receipts_committed(struct hs_replica *r, const struct hs_commit *commit);
void hs_rep_receipts_tell(struct rep_session *s, const struct hs_stream *name); /* all that we have of a stream */
void hs_rep_receipt_received(struct rep_session *s, const Hallsync__Receipt *receipt);
void hs_rep_receipt_stored(struct hs_replica *r, const struct hs_receipt *receipt, hs_peer from);

/* probe.c: is everything that was here and there when it began at both sides? */
struct rep_probe;
TAILQ_HEAD(rep_probes, rep_probe);
void hs_rep_probe_begin(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_probe_end(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_probe_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_probe_answered(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_probe_check(struct rep_session *s);
void hs_rep_probes_joined(struct rep_session *s); /* went live */
void hs_rep_probes_left(struct rep_session *s);
void hs_rep_probes_moved(struct hs_replica *r); /* heads moved */
void hs_rep_probes_fini(struct hs_replica *r);

/* compare.c: digests */
void hs_rep_compare_all(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_compare_soon(struct rep_session *s);
uint64_t hs_rep_compare_tick(struct rep_session *s); /* returns when to come again */
void hs_rep_compare_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_compare_answered(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_compare_fini(struct rep_session *s);
uint64_t hs_rep_compare_bytes(const struct rep_session *s);

/* dispute.c, fork.c */
void hs_rep_dispute_send(struct rep_session *s, struct rep_stream *stream);
void hs_rep_dispute_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_proof_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_loose_received(struct rep_session *s, const ProtobufCMessage *message);
void hs_rep_looses_send(struct rep_session *s);
void hs_rep_looses_fini(struct rep_session *s);
uint64_t hs_rep_looses_bytes(const struct rep_session *s);
void hs_rep_fork_named(struct rep_session *s, struct rep_stream *stream, const Hallsync__StreamHead *head); /* NULL: nothing held */
void hs_rep_fork_grew(struct hs_replica *r, struct rep_stream *stream);
struct rep_pending;
void hs_rep_fork_greet(struct rep_session *s, struct rep_stream *stream);
void hs_rep_fork_stored(struct hs_replica *r, const struct rep_pending *pending, enum hs_err err);
enum hs_err hs_rep_forks_load(struct hs_replica *r);

/* ---- out.c: obligations ---------------------------------------------------------------------------------------------------------- */

/* What was handed to the writer and has not come back. */
struct rep_pending {
    uint64_t token;
    enum hs_replica_store_type type;
    hs_peer peer; /* who gave it; 0: nobody */
    uint64_t cost; /* credit to give back */
    struct rep_stream *stream;
    struct rep_origin *origin;
    struct hs_receipt receipt;
    struct hs_loose loose; /* its name; the body went to the store */
    TAILQ_ENTRY(rep_pending) order;
};
TAILQ_HEAD(rep_pendings, rep_pending);

void hs_rep_fail(struct hs_replica *r, enum hs_err err);
struct hs_replica_update *hs_rep_update(struct hs_replica *r, enum hs_replica_update_type type); /* NULL: no memory */
void hs_rep_send(struct rep_session *s, Hallsync__PeerType type, const ProtobufCMessage *body);
void hs_rep_send_bytes(struct rep_session *s, Hallsync__PeerType type, struct hs_bytes body);
const char *hs_rep_text(struct hs_replica *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hs_rep_notice(struct hs_replica *r, enum hs_replica_notice notice, hs_peer peer, enum hs_err err, const char *text);
void hs_rep_notice_stream(struct rep_session *s, enum hs_replica_notice notice, const struct hs_stream *stream, enum hs_err err,
                          const char *text);
struct hs_replica_store *hs_rep_store_new(struct hs_replica *r, enum hs_replica_store_type type); /* NULL: no memory */
struct rep_pending *hs_rep_store_give(struct hs_replica *r, struct hs_replica_store *store); /* taken; NULL: no memory */
void hs_rep_pendings_fini(struct hs_replica *r);
void hs_rep_wake(struct hs_replica *r, uint64_t at_ms); /* at the latest */

/* ---- wire.c: protobuf fields to ours and back ------------------------------------------------------------------------------------ */

bool hs_rep_stream_read(const Hallsync__StreamName *from, struct hs_stream *to); /* false: no such lane or partition */
void hs_rep_stream_write(const struct hs_stream *from, Hallsync__StreamName *to);
void hs_rep_put_stream(struct hs_replica *r, struct hs_buf *buf, uint32_t field, const struct hs_stream *name);
void hs_rep_put_head(struct hs_replica *r, struct hs_buf *buf, uint32_t field, const struct hs_head *head);
bool hs_rep_same_hash(const ProtobufCBinaryData *prefix, const struct hs_hash *hash);
ProtobufCBinaryData hs_rep_data(const void *data, size_t size);

/* ---- the replica ------------------------------------------------------------------------------------------------------------------- */

/* A segment read, compressed and ready to send. */
struct rep_cut {
    const struct rep_stream *stream; /* NULL: empty */
    uint64_t first, head;
    uint32_t count, raw_bytes;
    struct hs_signature signature;
    bool compressed;
    struct hs_buf body;
};

struct hs_replica {
    struct hs_replica_options options;
    struct hs_buf certificate_bytes;
    char *software;
    struct hs_replica_source source;
    struct hs_certificate certificate; /* own */
    struct rep_node *node;             /* own */
    struct rep_frontier frontier;
    struct rep_session **sessions; /* ascending by peer */
    size_t session_count, session_room;
    struct rep_sessions dirty;
    struct rep_pendings pending;
    struct rep_probes probes;
    uint64_t probe_id; /* last given */
    uint64_t token;       /* last given */
    uint64_t commit;      /* last seen */
    uint64_t struck;      /* the own origin that was struck out last */
    bool striking;        /* the store has not answered that yet */
    bool ended;           /* some session has, and is to be freed */
    uint64_t now_ms, wake_ms;
    struct rep_cut cuts[REP_CUTS];
    struct hs_buf cutting;
    struct hs_arena sending; /* of an opening being sent */
    struct hs_arena walking; /* hashes of a loose piece */
    ZSTD_CCtx *compressor;
    ZSTD_DCtx *decompressor;
    struct hs_arena arena; /* of the message being handled */
    struct hs_buf hashing; /* what a subtree's hash is made of */
    struct hs_buf name, head, entry; /* sub-messages being packed, the inner ones first */
    struct hs_buf list;    /* a list being packed */

    enum hs_err err;
    struct hs_replica_update *updates;
    size_t update_count, update_room;
    struct hs_buf frames; /* of all SENDs of the step */
    struct hs_arena texts;
};

#endif
