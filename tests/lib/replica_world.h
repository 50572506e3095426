/* replica_world.h -- a small world for tests of the replica: nodes with real keys from fixed seeds, stores in memory,
 * links on which the test hands over each message by itself (or loses it, doubles it, swaps two, cuts the link), a
 * clock that moves when told.
 *
 * Nothing here fails quietly: what cannot happen in a test ends it. */
#ifndef HS_TEST_REPLICA_WORLD_H
#define HS_TEST_REPLICA_WORLD_H

#include "node/replica/replica.h"

#define WORLD_NODES_MAX    8
#define WORLD_LINKS_MAX    512 /* ever dialled */
#define WORLD_SESSIONS_MAX 64
#define WORLD_NOTICES_MAX  4096

/* ---- a store in memory (replica_world_store.c) ---- */

struct world_op {
    struct hs_buf bytes;
    struct hs_hash hash; /* h(n) */
};
struct world_stream {
    struct hs_stream name;
    struct world_op *ops; /* [base, count): those before are gone, but for the hash of the last of them */
    size_t count, room, base;
    struct hs_checkpoint *checkpoints; /* ascending */
    size_t checkpoint_count;
};
struct world_origin {
    uint64_t id;
    struct hs_buf certificate, opening;
};
struct world_loose {
    struct hs_loose loose;
    struct hs_buf body;
};
struct world_fork {
    struct hs_stream stream;
    uint64_t n;
    struct hs_buf proof;
};
struct world_certificate {
    struct hs_key key;
    struct hs_buf bytes;
};
struct world_trust { /* a revocation or a release */
    bool is_release;
    struct hs_key key;
    struct hs_buf row;
};
struct world_state { /* a record that came as state, or what pruned ops became */
    struct hs_buf key, state;
};
struct world_fill {
    hs_partition partition;
    uint8_t lane;
    bool noted, listing;          /* a whole list has come; one is coming */
    struct hs_signed_head *heads; /* ascending */
    size_t head_count;
    struct hs_buf after;
    uint64_t records, total;
};
struct world_node;
struct world_store {
    struct world_stream *streams; /* ascending */
    struct world_origin *origins;
    struct hs_receipt *receipts;
    struct world_certificate *certificates;
    struct world_fork *forks;
    struct world_loose *looses;
    struct world_state *states; /* ascending */
    struct world_fill *fills;   /* ascending */
    struct world_trust *trusts;
    struct hs_peer_store *peer_stores; /* ascending */
    size_t stream_count, origin_count, receipt_count, certificate_count, fork_count, loose_count, state_count,
        fill_count, trust_count, peer_store_count;
    uint64_t current; /* origin; 0: none */
    uint64_t commit;
    bool rotten;        /* the digests of @rot are wrong */
    struct hs_hash rot; /* the op whose record has rotted, by hash of its bytes */
};
void world_store_fini(struct world_store *store);
void world_store_copy(const struct world_store *from, struct world_store *to);
struct world_stream *world_store_stream(struct world_store *store, const struct hs_stream *name); /* made if need be */
const struct world_stream *world_store_find(const struct world_store *store,
                                            const struct hs_stream *name); /* NULL: none */
const struct world_origin *world_store_origin(const struct world_store *store, uint64_t id);
void world_store_put_origin(struct world_store *store, uint64_t id, struct hs_bytes certificate,
                            struct hs_bytes opening);
void world_store_put_certificate(struct world_store *store, const struct hs_key *key, struct hs_bytes bytes);
void world_store_put_receipt(struct world_store *store, const struct hs_receipt *receipt);
void world_store_put_fork(struct world_store *store, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof);
void world_store_put_loose(struct world_store *store, const struct hs_loose *loose);
enum hs_err world_store_put_base(struct world_store *store, const struct hs_signed_head *head);
void world_stream_append(struct world_stream *stream, struct hs_bytes op);
void world_stream_check(struct world_stream *stream,
                        const struct hs_signature *signature); /* a checkpoint of its last op */
enum hs_err world_store_receive(struct world_store *store, const struct hs_segment *segment);
/* replica_world_revoke.c */
enum hs_err world_store_put_trust(struct world_store *store, const struct hs_key *root, bool is_release,
                                  struct hs_bytes row, bool *is_new);
void world_trusts_copy(struct world_store *to);
void world_trusts_fini(struct world_store *store);
/* replica_world_stores.c */
void world_stores_copy(struct world_store *to);
void world_store_meet(struct world_node *node, const struct hs_met *met, bool *is_new);
void world_store_gone(struct world_node *node, const struct hs_key *key, uint64_t id, bool *is_new);
void world_store_told(struct world_store *store, const struct hs_key *key, uint64_t id, bool *is_new);
void world_have_met(struct world_node *node);
void world_renew(struct world_node *node); /* a stopped one goes on as another store */
struct hs_receipt world_sign_receipt(struct world_node *node, const struct hs_head *head);
/* replica_world_fill.c: base states and fills, as store.h has them. */
void world_store_put_state(struct world_store *store, struct hs_bytes key, struct hs_bytes state);    /* joined */
void world_store_prune(struct world_store *store, struct world_stream *stream, uint64_t n);           /* ops up to n */
struct world_fill *world_store_fill(struct world_store *store, hs_partition partition, uint8_t lane); /* NULL: none */
void world_store_fill_begin(struct world_store *store, hs_partition partition, uint8_t lane);
void world_store_fill_note(struct world_store *store, const struct hs_fill_note *note);
enum hs_err world_store_fill_states(struct world_store *store, const struct hs_states *states);
typedef void (*world_visit_jump)(void *ctx, const struct hs_head *head);
void world_store_fill_end(struct world_store *store, hs_partition partition, uint8_t lane, world_visit_jump visit,
                          void *ctx);
void world_store_settle_money(struct world_store *store); /* those that have reached their heads end */
/* The state of the record that one op is, as all stores would have it. */
void world_record_of(const struct hs_stream *stream, uint64_t n, struct hs_bytes op, struct hs_buf *key,
                     struct hs_buf *state);
/* Records of (partition, lane) behind @after: ops that are kept and base states joined. */
void world_store_states(const struct world_store *store, const struct hs_states_wanted *wanted, struct hs_buf *body,
                        struct hs_states_read *read);
uint64_t world_store_records(const struct world_store *store, hs_partition partition, uint8_t lane);
void world_fills_copy(struct world_store *to);
void world_fills_fini(struct world_store *store);
bool world_store_forked(const struct world_store *store, const struct hs_stream *name);
/* Is there an op with these bytes, in a log or loose, or a record of it? */
bool world_store_has(const struct world_store *store, hs_partition partition, struct hs_bytes op);

/* ---- nodes and links ---- */

struct world_notice {
    enum hs_replica_notice type;
    hs_peer peer;
    enum hs_err err;
    uint64_t token;
    struct hs_stream stream;
    char text[120];
    enum hs_reason reason;                  /* of REFUSED and ENDED, which always have one */
    char node_id[HS_NODE_ID_BYTES_MAX + 1]; /* ... as they have this, once it is proven */
};

struct world;
struct world_node {
    struct world *world;
    struct hs_certificate certificate;
    struct hs_buf certificate_bytes;
    struct hs_secret secret;
    uint64_t store_id;
    uint64_t processes; /* begun so far */
    struct world_store store;
    struct hs_replica *replica;       /* NULL: stopped */
    struct hs_replica_store **stores; /* asked for, not made */
    size_t store_count;
    uint64_t asked_ms;       /* the first of them was */
    enum hs_err store_fails; /* the next stores fail with it */
    uint64_t wake_ms;
    struct world_notice notices[WORLD_NOTICES_MAX];
    size_t notice_count;
    int64_t clock_offset_ms;
    uint64_t reads;              /* of segments to be sent */
    bool disk_waits;             /* nothing is stored by itself */
    bool one_leaf;               /* all records lie in leaf 0 */
    bool text_ids;               /* a record's id is the text of its operation, not that text's hash */
    struct hs_bytes content;     /* of every record; none: its hash */
    struct hs_stream unreadable; /* whose segments cannot be read */
    struct hs_healed rotten;     /* nor these operations, or the receipt is lost; last, store_id 0: none */
    bool is_rot_noted;
    uint32_t credit_bytes;
    uint64_t records_late; /* the records are so many commits behind the log: states of them cannot be read yet */
    uint64_t state_reads;
    uint64_t backup_store;            /* 0: none */
    const struct hs_figures *figures; /* what it says of itself; NULL: nothing */
    bool has_met;                     /* with all that there were at its first start */
    bool renews;                      /* it was shown to be an older copy */
    bool in_doubt;                    /* at its next start: it may be an old copy */
    uint32_t admit_after_ms;
    const hs_partition *districts; /* configured; NULL: as the certificate says */
    size_t district_count;
    uint64_t rebuilding_ms; /* so long after its start a hub takes states from halls */
    /* What it answers to questions, NULL: it has nothing; and who hears of answers to its own. */
    enum hs_err (*ask)(struct world_node *node, const struct hs_ask *ask, hs_visit_asked visit, void *ctx);
    void (*answered)(struct world_node *node, const struct hs_replica_update *update);
};

struct world_frame {
    struct hs_buf bytes;
    uint64_t due_ms; /* whoever lets time pass by the line's delay delivers it then */
    struct world_frame *next;
};
struct world_link {
    struct world_node *end[2]; /* [0] dialled */
    hs_peer peer[2];           /* as that end knows the other */
    bool up[2];
    bool is_unmet;                 /* end [1] hears of the connection with the first frame, as a ROUTER does */
    struct hs_key key;             /* ... that CURVE proves for the dialling end */
    uint64_t busy_ms[2];           /* the line to that end is, until then */
    uint64_t down_ms[2];           /* when that end hung up */
    struct world_frame *frames[2]; /* on their way to that end */
    size_t lost[2];
};

/* What somebody who tells the story sees, as it happens.  All are given. */
struct world_watch {
    void *ctx;
    void (*wrote)(void *ctx, const struct world_node *node, const struct hs_head *head);
    void (*received)(void *ctx, struct world_node *node, hs_peer peer, struct hs_bytes frame);
    void (*wants)(void *ctx, struct world_node *node, const struct hs_replica_update *update); /* an obligation */
    void (*stored)(void *ctx, struct world_node *node, const struct hs_replica_store *todo, enum hs_err err);
};

struct world {
    uint64_t seed, random;
    struct hs_secret root, issuer;
    struct hs_key root_key, issuer_key;
    struct hs_buf issuer_signed; /* once somebody has signed with it */
    struct world_node *nodes[WORLD_NODES_MAX];
    size_t node_count;
    struct world_link links[WORLD_LINKS_MAX];
    size_t link_count;
    uint64_t now_ms;
    hs_peer next_peer;
    uint64_t next_token;
    /* Seen with each frame that is sent; may be NULL. */
    void (*sent)(struct world *w, struct world_link *link, int to, struct hs_bytes frame);
    void *ctx;
    const struct world_watch *watch;       /* NULL: nobody */
    uint64_t latency_ms, line_bytes_per_s; /* of frames' due_ms; 0 bytes: the line has no limit */
};

struct world *world_new(uint64_t seed);
void world_free(struct world *w);
uint64_t world_random(struct world *w); /* repeatable */
/* What the store does about rot, and when a receipt has come. */
void world_note_rot(struct world_node *node, const struct hs_replica_store *todo);
void world_settle_receipt(struct world_node *node, const struct hs_receipt *receipt);
struct world_node *world_hub(struct world *w, const char *id);
struct world_node *world_hub_at(struct world *w, const char *id, hs_partition home);
struct world_node *world_witness(struct world *w, const char *id, const hs_partition *districts, size_t count);
/* A hall that is not counted among the world's nodes and never runs: somebody whose operations others hold. */
struct world_node *world_extra(struct world *w, const char *id, hs_partition district);
void world_extra_free(struct world_node *node);
/* The configured scope of a node that is not running; borrowed. */
void world_narrow(struct world_node *node, const hs_partition *districts, size_t count);
/* Another certificate for the same keys, issued later; not shown before the next start, and in no store. */
void world_certify(struct world_node *node, const hs_partition *districts, size_t count, struct hs_buf *certificate);
bool world_in_scope(const struct world_node *node, hs_partition partition); /* held in full */
struct world_node *world_hall(struct world *w, const char *id, const hs_partition *districts,
                              size_t count); /* the first is home */
enum hs_err world_try_start(struct world_node *node);
void world_start(struct world_node *node);     /* a new process over its store */
void world_stop(struct world_node *node);      /* its links go down, what was not stored is forgotten */
void world_lose_disk(struct world_node *node); /* stopped, with a new store that has its certificate only */

struct world_link *world_dial(struct world_node *from, struct world_node *to);
/* As world_dial, but CURVE proves @key for the dialling end. */
struct world_link *world_dial_as(struct world_node *from, struct world_node *to, const struct hs_key *key);
/* As world_dial, but the end that is dialled hears of it with the first frame. */
struct world_link *world_call(struct world_node *from, struct world_node *to);
struct world_link *world_link_of(struct world_node *node, hs_peer peer, int *end); /* NULL: none */
void world_push(struct world_link *link, int to, struct hs_bytes frame);           /* onto the line, by hand */
void world_cut(struct world_link *link); /* both ends are told, what is on its way is lost */
bool world_deliver(struct world_link *link,
                   int to); /* the next frame, or that the other end hung up; false: nothing there */
bool world_lose(struct world_link *link, int to);
bool world_double(struct world_link *link, int to);
bool world_swap(struct world_link *link, int to);
bool world_flip(struct world_link *link, int to); /* a bit of the next frame */
size_t world_waiting(const struct world_link *link, int to);
void world_hand(struct world_node *node, hs_peer peer, struct hs_bytes frame); /* as if it had come */
bool world_live(const struct world_link *link);

bool world_store_next(struct world_node *node,
                      size_t count); /* make that many stores in one commit; false: none asked for */
struct hs_stream world_write(struct world_node *node, hs_partition partition, enum hs_lane lane, const void *data,
                             size_t size);
struct hs_stream world_write_text(struct world_node *node, hs_partition partition, enum hs_lane lane, const char *text);
/* @count ops of @size random bytes as one commit, checkpointed as often as segments need it. */
struct hs_stream world_write_many(struct world_node *node, hs_partition partition, enum hs_lane lane, size_t count,
                                  size_t size);
/* All ops that @from has of a stream, as one commit of @to's own. */
void world_import(struct world_node *to, const struct world_node *from, const struct hs_stream *name);
/* @at, a person revokes the key of @node, or releases what waits. */
void world_revoke(struct world_node *at, const struct world_node *node, bool by_root);
void world_release(struct world_node *at, const struct hs_waiting *waiting, size_t count);
/* The signed row of it, put behind what is in @row. */
void world_revocation(struct world *w, const struct world_node *node, bool by_root, struct hs_buf *row);
void world_release_row(struct world *w, const struct hs_waiting *waiting, size_t count, struct hs_buf *row);
/* Without telling the replica: as if it were committed and STORED still on its way. */
void world_write_untold(struct world_node *node, hs_partition partition, enum hs_lane lane, const char *text);
/* ... and here it comes. */
void world_tell(struct world_node *node, const struct hs_stream *name);
void world_tick(struct world_node *node);
/* What a new hall's store does by itself: all of its scope is to be filled.  Of a stopped node. */
void world_fill_scope(struct world_node *node);
void world_prune(struct world_node *node, const struct hs_stream *name, uint64_t n); /* of lanes other than money */
void world_step(struct world_node *node, struct hs_replica_event event);
void world_rate(struct world_node *node, hs_peer peer, uint64_t bytes_per_s);
void world_hold(struct world_node *node, uint32_t lanes); /* bits 1 << lane */
void world_probe(struct world_node *node, uint64_t token);
void world_probe_end(struct world_node *node, uint64_t token);
void world_compare(struct world_node *node);
void world_ask(struct world_node *node, uint64_t token, const struct hs_ask *ask);
void world_ask_node(struct world_node *node, uint64_t token, const char *node_id, struct hs_bytes record);
void world_ask_end(struct world_node *node, uint64_t token);

void world_settle(struct world *w);               /* deliver and store until nothing moves */
void world_advance(struct world *w, uint64_t ms); /* time goes by, everything settling */

size_t world_notices(const struct world_node *node, enum hs_replica_notice type); /* how many so far */
const struct world_notice *world_last_notice(const struct world_node *node,
                                             enum hs_replica_notice type); /* NULL: none */
/* Do both hold the same of every partition that both may hold? */
bool world_same(const struct world_node *a, const struct world_node *b);
size_t world_ops(const struct world_node *node); /* distinct ones, loose ones too */
uint64_t world_head(const struct world_node *node, const struct hs_stream *name);
bool world_status(const struct world_node *node, hs_peer peer, struct hs_peer_status *status);

#endif
