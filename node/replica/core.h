/* core.h -- the replica as its files see it: all sessions, the frontier, what is on its way to the store, what the step
 * wants done.  Inside node/replica only.
 *
 * Errors: hs_rep_fail() notes the first failure of memory or of the source; hs_replica_step() returns it and the object
 * is not used any more, so nothing here goes on carefully after it.  What a peer does wrong ends its session. */
#ifndef HS_REPLICA_CORE_H
#define HS_REPLICA_CORE_H

#include "node/replica/frontier.h"
#include "node/replica/session.h"

#include <zstd.h>

#define REP_VERSION            1                                /* of the protocol: the only one so far */
#define REP_TYPE_COMMON        HALLSYNC__PEER_TYPE__PEER_ANSWER /* types up to it are known to every node */
#define REP_TYPES_MAX          64
#define REP_SESSIONS_MAX       16384
#define REP_HALF_OPEN_MAX      32                 /* inbound sessions that have not shown a certificate */
#define REP_UNSTORED_BYTES     (64 * 1024 * 1024) /* first credits are shares of it */
#define REP_SEGMENT_COST       256                /* credit that a segment takes besides its raw bytes */
#define REP_UNPACKED_BYTES_MAX (1024 * 1024)      /* memory that one message may take */
#define REP_LISTS_OPEN_MAX     64                 /* frontier lists offered and not answered yet, a session */
#define REP_LISTS_MAX          131072             /* known to differ, a session */
#define REP_STRANGE_LAGS_MAX   65536              /* streams that only the peer names, a session */
#define REP_CUTS               32                 /* segments kept ready for several sessions */
#define REP_SAMPLES_MAX        64                 /* of a dispute */
#define REP_STORES_MAX         65536              /* of what one session has brought, with the writer */

/* What was handed to the writer and has not come back. */
struct rep_pending {
    uint64_t token;
    enum hs_replica_store_type type;
    hs_peer peer;  /* who gave it; 0: nobody */
    uint64_t cost; /* credit to give back */
    struct rep_stream *stream;
    struct rep_origin *origin;
    struct hs_receipt receipt;
    struct hs_loose loose; /* its name; the body went to the store */
    struct rep_fill *fill;
    TAILQ_ENTRY(rep_pending) order;
};
TAILQ_HEAD(rep_pendings, rep_pending);

/* A segment read, compressed and ready to send. */
struct rep_cut {
    const struct rep_stream *stream; /* NULL: empty */
    uint64_t first, head;
    uint32_t count, raw_bytes;
    struct hs_signature signature;
    bool compressed;
    struct hs_buf body;
};

/* Revocations and releases that the store has: the beginnings of their hashes, ascending. */
struct rep_revocations {
    uint64_t *names;
    size_t count, room;
};

/* gate.c: of a hub in doubt. */
struct rep_gate {
    bool is_closed;
    uint64_t opens_ms; /* UINT64_MAX: nobody has come yet who knows something */
};

/* Stores of hubs and witnesses. */
struct rep_stores {
    struct hs_peer_store *rows; /* ascending by key and id */
    size_t count, room;
};

struct rep_waiting;
struct rep_fill;
struct rep_ask;
TAILQ_HEAD(rep_asks, rep_ask);
struct rep_rot;
TAILQ_HEAD(rep_rots, rep_rot);
struct rep_probe;
TAILQ_HEAD(rep_probes, rep_probe);

struct hs_replica {
    struct hs_replica_options options;
    struct hs_buf certificate_bytes;
    char *software;
    struct hs_replica_source source;
    struct hs_certificate certificate; /* own */
    struct rep_node *node;             /* own */
    struct rep_scope scope;            /* own: as the certificate and the options say */

    struct rep_frontier frontier;
    struct rep_session **sessions; /* ascending by peer */
    size_t session_count, session_room;
    bool ended; /* some session has, and is to be freed */
    struct rep_sessions dirty;
    struct rep_sessions by_node; /* live ones that hear of some nodes only (view.c) */
    struct rep_pendings pending;
    uint64_t token;          /* last given */
    uint64_t commit;         /* last seen */
    uint64_t struck;         /* the own origin that was struck out last; 0: none */
    bool striking;           /* the store has not answered that yet */
    struct rep_fill **fills; /* by lane, then partition */
    size_t fill_count, fill_room;
    uint64_t fills_ms;     /* ask for them then; UINT64_MAX: nobody is to be asked */
    bool is_fills_changed; /* one of money may have ended */
    struct rep_revocations revocations;
    struct rep_stores stores;
    uint64_t backup_store;  /* own: as told last */
    uint64_t compare_token; /* of the last COMPARE */
    bool is_renewing;       /* this store is to get another id */
    bool is_stores_full;    /* told: no more stores that are gone are kept */
    struct rep_waiting *waiting;
    size_t waiting_count;
    struct rep_gate gate;
    struct rep_probes probes;
    uint64_t probe_id; /* last given */
    struct rep_asks asks;
    uint64_t ask_id;      /* last given */
    struct rep_rots rots; /* of our own store, to be had from a peer */
    size_t rot_count;
    uint32_t held; /* lanes of which nothing is taken now: bits 1 << lane */
    struct {
        uint64_t ops, bytes; /* of segments that were sent or taken */
    } moved[HS_LANE_COUNT];
    uint64_t now_ms, wake_ms;

    /* Room for work, kept from step to step. */
    struct rep_cut cuts[REP_CUTS];
    struct hs_buf cutting, packing; /* a body read, a body compressed */
    ZSTD_CCtx *compressor;
    ZSTD_DCtx *decompressor;
    struct hs_arena arena;             /* of the message being handled */
    struct hs_arena inquiring;         /* of a question that has waited */
    struct hs_arena sending;           /* of an opening being sent */
    struct hs_arena walking;           /* hashes of a loose piece */
    struct hs_arena decoding;          /* a record's state */
    struct hs_buf hashing;             /* what a subtree's hash is made of */
    struct hs_buf name, head, entry;   /* sub-messages being packed, the inner ones first */
    struct hs_buf list;                /* the list that they go into */
    struct hs_buf part, items, lacked; /* of a frontier */
    struct hs_buf bucket[3];           /* what a bucket's hash is made of, by level */

    /* What the step wants done. */
    enum hs_err err;
    struct hs_replica_update *updates;
    size_t update_count, update_room;
    struct hs_buf frames; /* of all SENDs */
    struct hs_arena texts;
};

/* out.c: obligations */
void hs_rep_fail(struct hs_replica *r, enum hs_err err); /* HS_OK is fine */
/* Answers @err, of a read whose failure is borne: what is damaged or not there.  Lack of memory and a machine that
 * fails are not borne: who goes on without what it could not read stops a stream or hides a fork for nothing. */
enum hs_err hs_rep_read(struct hs_replica *r, enum hs_err err);
struct hs_replica_update *hs_rep_update(struct hs_replica *r, enum hs_replica_update_type type); /* NULL: no memory */
void hs_rep_send(struct rep_session *s, Hallsync__PeerType type, const ProtobufCMessage *body);
void hs_rep_send_bytes(struct rep_session *s, Hallsync__PeerType type, struct hs_bytes body);
const char *hs_rep_text(struct hs_replica *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hs_rep_notice(struct hs_replica *r, enum hs_replica_notice notice, hs_peer peer, enum hs_err err,
                   const char *text);
void hs_rep_notice_stream(struct rep_session *s, enum hs_replica_notice notice, const struct hs_stream *stream,
                          enum hs_err err, const char *text);
struct hs_replica_store *hs_rep_store_new(struct hs_replica *r, enum hs_replica_store_type type); /* NULL: no memory */
/* Into the store's arena; the replica fails if there is no memory. */
struct hs_bytes hs_rep_store_copy(struct hs_replica *r, struct hs_replica_store *store, struct hs_bytes bytes);
/* Takes the store; NULL: the replica has failed, before or now. */
struct rep_pending *hs_rep_store_give(struct hs_replica *r, struct hs_replica_store *store);
/* The same, of what this session has brought. */
struct rep_pending *hs_rep_store_take(struct rep_session *s, struct hs_replica_store *store);
void hs_rep_wake(struct hs_replica *r, uint64_t at_ms); /* at the latest */

bool hs_rep_knows_type(unsigned type); /* replica.c */

/* wire.c: small parts of messages */
bool hs_rep_stream_read(const Hallsync__StreamName *from, struct hs_stream *to); /* false: no such lane or partition */
void hs_rep_stream_write(const struct hs_stream *from, Hallsync__StreamName *to);
void hs_rep_put_stream(struct hs_replica *r, struct hs_buf *buf, uint32_t field, const struct hs_stream *name);
void hs_rep_put_head(struct hs_replica *r, struct hs_buf *buf, uint32_t field, const struct hs_head *head);
bool hs_rep_same_hash(const ProtobufCBinaryData *prefix, const struct hs_hash *hash);
ProtobufCBinaryData hs_rep_data(const void *data, size_t size);

/* receive.c: what the store was given of a stream, and has not answered for, ends here */
void hs_rep_expect(struct hs_replica *r, struct rep_stream *stream, uint64_t n, const struct hs_hash *hash);
/* from h(first - 1) to h of the last of @count ops; HS_EMALFORMED: not so many */
enum hs_err hs_rep_chain(struct hs_bytes body, uint32_t count, struct hs_hash *hash);

/* What concerns all sessions: ack.c, receipt.c, strike.c */
void hs_rep_stored(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_pendings_fini(struct hs_replica *r);
void hs_rep_receipts_committed(struct hs_replica *r, const struct hs_commit *commit);
void hs_rep_receipt_stored(struct hs_replica *r, const struct hs_receipt *receipt, hs_peer from);
void hs_rep_struck(struct hs_replica *r, enum hs_err err);            /* the store has answered */
bool hs_rep_is_striking(const struct hs_replica *r, uint64_t origin); /* it has not yet */

/* hold.c */
void hs_rep_hold(struct hs_replica *r, const struct hs_replica_event *event);

/* probe.c, compare.c */
void hs_rep_probe_begin(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_probe_end(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_probes_moved(struct hs_replica *r); /* heads did */
void hs_rep_probes_fini(struct hs_replica *r);
void hs_rep_compare_all(struct hs_replica *r, const struct hs_replica_event *event);

/* pairs.c */
bool hs_rep_pairs_have(const struct rep_pairs *pairs, hs_partition partition, uint8_t lane);
bool hs_rep_pairs_add(struct hs_replica *r, struct rep_pairs *pairs, hs_partition partition,
                      uint8_t lane);                                                     /* false: it was there */
bool hs_rep_pairs_remove(struct rep_pairs *pairs, hs_partition partition, uint8_t lane); /* false: it was not */
void hs_rep_pairs_fini(struct rep_pairs *pairs);

/* fill.c */
enum hs_err hs_rep_fills_load(struct hs_replica *r);
void hs_rep_fills_run(struct hs_replica *r);  /* ask whom to ask; look whether one has ended */
void hs_rep_fills_soon(struct hs_replica *r); /* do that in this step */
bool hs_rep_is_rebuilding(const struct hs_replica *r);
void hs_rep_fills_moved(struct hs_replica *r, const struct hs_commit *commit);
void hs_rep_fill_stored(struct hs_replica *r, const struct rep_pending *pending, enum hs_err err);
bool hs_rep_is_filling(const struct hs_replica *r, hs_partition partition); /* in any lane */
void hs_rep_fills_fini(struct hs_replica *r);
/* stores.c */
enum hs_err hs_rep_stores_load(struct hs_replica *r);
void hs_rep_stores_committed(struct hs_replica *r); /* some are new, or gone */
void hs_rep_stores_stored(struct hs_replica *r, const struct rep_pending *pending);
/* The store keeps no more of them.  @s: who has told one, NULL if it has left. */
void hs_rep_stores_full(struct hs_replica *r, const struct rep_session *s);
void hs_rep_stores_fini(struct hs_replica *r);
/* revoke.c, gate.c: the tick returns when to come again */
enum hs_err hs_rep_revocations_load(struct hs_replica *r);
void hs_rep_revocations_committed(struct hs_replica *r); /* some are new */
void hs_rep_revocations_fini(struct hs_replica *r);
/* How far operations of the stream are taken; UINT64_MAX: its key is not revoked. */
uint64_t hs_rep_limit(struct hs_replica *r, const struct rep_stream *stream);
void hs_rep_limit_moved(struct hs_replica *r, struct rep_stream *stream);
void hs_rep_limits_known(struct hs_replica *r, const struct rep_origin *origin); /* its opening is stored */
/* Is all that is held of it, up to a limit, and is n beyond that? */
bool hs_rep_waits(struct hs_replica *r, const struct hs_stream *name, uint64_t n);
uint64_t hs_rep_waiting_tick(struct hs_replica *r);
void hs_rep_gate_init(struct hs_replica *r);
uint64_t hs_rep_gate_tick(struct hs_replica *r);

/* ask.c: the tick returns when to come again */
void hs_rep_ask_begin(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_ask_end(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_ask_node(struct hs_replica *r, const struct hs_replica_event *event); /* ask_node.c */
uint64_t hs_rep_asks_tick(struct hs_replica *r);
void hs_rep_asks_fini(struct hs_replica *r);

/* fetch.c: the tick returns when to come again */
enum hs_err hs_rep_rots_load(struct hs_replica *r);
void hs_rep_rots_fini(struct hs_replica *r);
bool hs_rep_rots_coming(const struct hs_replica *r); /* operations; from somebody who is there and may have them */
/* Operations that cannot be read, or a receipt or checkpoint that does not hold: the store looks at them. */
void hs_rep_rot_seen(struct hs_replica *r, const struct hs_healed *what);
void hs_rep_ops_rot_seen(struct hs_replica *r, const struct hs_stream *name, uint64_t first, uint64_t last);
/* A checkpoint as the source has it, and one that holds: what would be taken for a lie is not sent. */
enum hs_err hs_rep_checkpoint(struct hs_replica *r, const struct rep_stream *stream, uint64_t n,
                              struct hs_checkpoint *checkpoint);
void hs_rep_rot_told(struct hs_replica *r, const struct hs_replica_event *event);
void hs_rep_rots_stored(struct hs_replica *r, const struct rep_pending *pending, enum hs_err err);
void hs_rep_rots_receipt(struct hs_replica *r, const struct hs_receipt *receipt); /* it was stored */
uint64_t hs_rep_rots_tick(struct hs_replica *r);

/* fork.c */
enum hs_err hs_rep_forks_load(struct hs_replica *r);
void hs_rep_fork_grew(struct hs_replica *r, struct rep_stream *stream); /* a commit moved its numbered head */
void hs_rep_fork_stored(struct hs_replica *r, const struct rep_pending *pending, enum hs_err err);
void hs_rep_fork_free(struct rep_fork *fork); /* NULL is fine */

#endif
