/* store.h -- the store: everything a node keeps, behind one interface.
 *
 * Two LMDB environments below DIR: log/ (the truth: operations, checkpoints, receipts, certificates; synced at each
 * commit) and records/ (what the log adds up to; committed in large steps with its position, replayed after a crash).
 * storage/FORMAT.md has the bytes.
 *
 * Threads: one writer calls everything named hs_store_*; any thread may open views.  A view is used by one thread at a
 * time and is short-lived (milliseconds): what it returns is a view into the map and ends with it.
 *
 * A failed commit, sync or continuity-note write leaves the store unusable (every call answers that error): the process
 * ends and starts again.  A group that fails before its commit (disk full) is given up whole: hs_store_abort, and the
 * store goes on. */
#ifndef HS_STORE_H
#define HS_STORE_H

#include "proto/base/arena.h"
#include "proto/base/hash.h"
#include "proto/base/names.h"
#include "proto/msg/op.h"
#include "proto/msg/trust.h"

#include <sys/types.h>

struct hs_store;
struct hs_view;

#define HS_OLDER_WHY_BYTES 201

/* ---- opening ---- */

struct hs_store_options {
    const char *dir;               /* the data directory; log/, records/ and lock lie in it */
    struct hs_bytes certificate;   /* encoded; verified by the caller; the store belongs to its node and region */
    struct hs_signer signer;       /* with the node's key: origins, checkpoints, receipts */
    bool create;                   /* make a new store; HS_EEXISTS if there is one */
    bool visits;                   /* a command, and not the node: a doubt stays for the node's own start to find */
    const hs_partition *districts; /* the configured scope, ascending; narrows the certificate's */
    size_t district_count;         /* 0: as the certificate says */
    size_t map_bytes;              /* of each environment; 0: 1 TiB (64 GiB under sanitizers) */
    const char *note_dir;          /* a tmpfs for the continuity note; NULL: /dev/shm */
    int utc_offset_minutes;        /* of the region, for business dates */
    size_t flush_ops;              /* records are committed after so many ops; 0: 20000 */
    uint64_t (*now_ms)(void *ctx); /* NULL: the system's clock */
    void (*random)(void *ctx, void *to, size_t size); /* NULL: libsodium's */
    /* Called by a reader's thread that waits for hs_store_flush; NULL: nobody would flush. */
    void (*flush_wanted)(void *ctx);
    void *ctx;
};

/* HS_ENOSTORE, HS_EEXISTS, HS_ELOCKED, HS_EFOREIGN, HS_ENETFS, HS_ESCHEMA, HS_EFULL, HS_EPERM, HS_EDAMAGED, HS_EIO,
 * HS_ENOMEM. Replays the records up to the log's end, and checks continuity: if it is not proven, the current origin is
 * struck out. */
enum hs_err hs_store_open(const struct hs_store_options *options, struct hs_store **store, struct hs_why *why);
/* Commits the records; NULL is fine. */
void hs_store_close(struct hs_store *store);

uint64_t hs_store_id(const struct hs_store *store);                              /* random, made with the store */
const struct hs_certificate *hs_store_certificate(const struct hs_store *store); /* of this node */
bool hs_store_holds(const struct hs_store *store, hs_partition partition);       /* in its scope */
bool hs_store_holds_all(const struct hs_store *store);                           /* every district */
/* The certificate that this opening goes by: the given one, or a later one of this node that had come before
 * (hs_store_put_certificate; same key, home, role and id).  Any thread. */
struct hs_bytes hs_store_certificate_bytes(const struct hs_store *store);
/* Wall clock of the last start at which it could not be proven that this store is the newest that the node ever had: it
 * was made then, or the machine had been started anew, or an older copy is in its place.  Never in the future of the
 * start: then it counts from there. */
uint64_t hs_store_doubt_ms(const struct hs_store *store);
/* The format of the log before this start, if this start has migrated it; else 0. */
uint32_t hs_store_migrated(const struct hs_store *store);
/* Is it not proven of this start that this store is the newest that the node ever had?  A store that was just made is
 * not in doubt. */
bool hs_store_in_doubt(const struct hs_store *store);
/* Why the origin was struck out at this start: NULL if it was not. */
const char *hs_store_break(const struct hs_store *store);

/* ---- writing: begin, any number of calls, commit or abort ---- */

enum hs_err hs_store_begin(struct hs_store *store);

/* A local operation: numbered in the current origin (opened now if there is none), applied to the records at once. */
struct hs_draft {
    hs_partition partition;
    enum hs_lane lane;
    hs_stamp above; /* the stamp will be above this one */
    const struct hs_write *writes;
    size_t write_count;
    struct hs_bytes request; /* 16 bytes or none */
};
/* HS_ETOOBIG or HS_EINVAL (hs_op_check), HS_ESCOPE (a witness's): nothing was done.  Else as above. */
enum hs_err hs_store_write(struct hs_store *store, const struct hs_draft *draft, struct hs_dot *dot, hs_stamp *stamp);

/* The next cash entry number of this node: "node-20261121-03-K7Q2ZD-000017", gap-free within its series; taken by
 * writing the cash entry with it as id in the same group.  Its day is the first one from @date on that neither the hall
 * nor the window has closed (storage/books.h). */
#define HS_NUMBER_BYTES_MAX 80
enum hs_err hs_store_number(struct hs_store *store, uint32_t date, uint32_t window,
                            char number[static HS_NUMBER_BYTES_MAX]);

/* Operations of another store's, a segment as it came.  Verified by the caller against the origin's key; the store
 * checks the chain again.  HS_EGAP: does not continue what is held.  An op that its writer's certificate does not allow
 * or that is malformed is kept, has no effect and is listed as void. */
struct hs_segment {
    struct hs_stream stream;
    uint64_t first;
    uint32_t count;
    struct hs_bytes body;          /* the ops, each with a varint length before it */
    struct hs_hash end;            /* h of the last op */
    struct hs_signature signature; /* checkpoint of the last op */
    const char *from;              /* node id of who sent it, to be shown; NULL: not known */
};
enum hs_err hs_store_receive(struct hs_store *store, const struct hs_segment *segment);

/* An origin's certificate and opening, ahead of its first segment; known ones change nothing.  Verified by the caller.
 */
enum hs_err hs_store_put_origin(struct hs_store *store, struct hs_bytes certificate, struct hs_bytes opening);
/* Another store's receipt; only the highest of each (stream, store) is kept.  Verified by the caller; @certificate is
 * the hub's or the witness's. */
enum hs_err hs_store_put_receipt(struct hs_store *store, const struct hs_receipt *receipt, struct hs_bytes certificate);
enum hs_err hs_store_put_certificate(struct hs_store *store, struct hs_bytes certificate);

/* A key that is not its node's any more (encoded Revocation), and what it had signed that counts nevertheless
 * (Release). Both are checked here too (as hs_revocation_verify, HS_EFULL: there are too many); known ones change
 * nothing.  Of the streams of a revoked key hs_store_receive takes what a receipt of a hub reaches that is not revoked,
 * or a release: HS_EREVOKED beyond it, and nothing was done.  Receipts of a revoked key give no level any more. */
enum hs_err hs_store_put_revocation(struct hs_store *store, struct hs_bytes encoded);
enum hs_err hs_store_put_release(struct hs_store *store, struct hs_bytes encoded);

/* ---- what others have announced ---- */

struct hs_head {
    struct hs_stream stream;
    uint64_t n;
    struct hs_hash hash;
};

/* Of a node, at a hub: heads beyond what is held here, and the node's own payments in all. */
struct hs_announcement {
    struct hs_key node_key;
    const struct hs_head *heads;
    size_t count;
    bool payments_known;
    uint64_t payments;
    int64_t fen;
};
enum hs_err hs_store_put_announced(struct hs_store *store, const struct hs_announcement *announcement);
/* One of these heads that is beyond what is held still; who announced it is the writer, where that is known. */
struct hs_announced {
    struct hs_key node_key;
    uint64_t time_ms; /* when it was heard */
    struct hs_head head;
    uint64_t held;     /* ... up to here */
    uint64_t payments; /* of the node, in all, as it said last */
    int64_t fen;
};
typedef enum hs_err (*hs_visit_announced)(void *ctx, const struct hs_announced *row);
/* All origins whose openings are known, and whose they are. */
typedef enum hs_err (*hs_visit_origin)(void *ctx, uint64_t origin, const struct hs_key *node_key);
enum hs_err hs_view_origins(struct hs_view *view, hs_visit_origin visit, void *ctx);
enum hs_err hs_view_announced(struct hs_view *view, hs_visit_announced visit, void *ctx); /* by node key */

/* ---- stores that are gone ----
 *
 * A hub or a witness that was set back, or made anew, does not hold any more what it has signed for; it goes on under
 * another store id, and receipts of the one before give no level.  Each node keeps which store a key named last. */

enum hs_peer_store_state { HS_PEER_STORE_GONE = 0, HS_PEER_STORE_CURRENT = 1, HS_PEER_STORE_BACKUP = 2 };
struct hs_peer_store {
    struct hs_key node_key;
    uint64_t store_id; /* 0: all that this key ever had (gone only) */
    unsigned state;    /* hs_peer_store_state */
    uint64_t since_ms; /* wall clock */
    bool is_wanted;    /* its receipts are to be asked for anew: those of the store before are worth nothing */
};
typedef enum hs_err (*hs_visit_peer_store)(void *ctx, const struct hs_peer_store *row);

/* What a hub or a witness says of its stores; all others of that key are gone, and all of an earlier key of the same
 * node.  HS_EBUSY: there are more than can be remembered. */
struct hs_met {
    struct hs_bytes certificate; /* its own, verified */
    uint64_t store_id;
    uint64_t backup_store; /* 0: none */
};
enum hs_err hs_store_meet(struct hs_store *store, const struct hs_met *met);
/* A hub says so.  Of this very store: as hs_store_strike.  HS_ETOOBIG: HS_PEER_STORES_MAX are known, and it is not
 * kept. */
enum hs_err hs_store_gone(struct hs_store *store, const struct hs_key *node_key, uint64_t store_id);
enum hs_err hs_store_told(struct hs_store *store, const struct hs_key *node_key, uint64_t store_id); /* is_wanted */
const char *hs_store_renewed(const struct hs_store *store); /* why it did at this start, or NULL */
enum hs_err hs_view_peer_stores(struct hs_view *view, hs_visit_peer_store visit, void *ctx);
/* The one that the key named last; HS_ENOTFOUND: it was never met, or has none. */
enum hs_err hs_view_peer_store(struct hs_view *view, const struct hs_key *node_key, struct hs_peer_store *current);
/* Does a receipt of this store say anything of how safe an operation is? */
enum hs_err hs_view_store_counts(struct hs_view *view, const struct hs_key *node_key, uint64_t store_id, bool *counts);

/* Somebody knows more of this node's writes than this store holds.  No more ops of the current origin: the next write
 * opens another; a hub's or a witness's goes on as another store, too.  @why is kept and shown (hs_view_older). */
enum hs_err hs_store_strike(struct hs_store *store, const char *why);

/* A fork proof (verified by the caller): the stream takes no more segments by number. */
enum hs_err hs_store_put_fork(struct hs_store *store, const struct hs_stream *stream, uint64_t n,
                              struct hs_bytes proof);
/* Loose ops of a forked stream (verified): facts are merged, register writes have no effect.  Known ones change
 * nothing. */
struct hs_loose {
    struct hs_segment segment; /* end: h of the last op */
    struct hs_hash start;      /* h(first - 1) on that branch */
};
enum hs_err hs_store_put_loose(struct hs_store *store, const struct hs_loose *loose);

/* ---- what comes as state instead of operations ----
 *
 * A (partition, lane) other than money is *filled* from another store's records: noted heads, then states in ascending
 * order of record keys, then the end, at which the frontier jumps to the noted heads, stream by stream.  Everything is
 * durable with its commit, so a fill goes on where it was, from whatever store.  Of money only the heads are noted: it
 * is filled when the log has reached them.  The store begins fills by itself for what its scope gained (all of a new
 * hall's).  A state that came, and what pruning leaves of operations, lies in the log environment as a *base state*:
 * the records are at any time what base states and operations add up to. */

struct hs_signed_head {
    struct hs_stream stream;
    uint64_t n;
    struct hs_hash hash;
    struct hs_signature signature; /* checkpoint of n; verified by the caller */
};
/* HS_ENOTHERE: outside the scope.  Under way already: HS_OK. */
enum hs_err hs_store_fill_begin(struct hs_store *store, hs_partition partition, uint8_t lane);
/* A part of the list of heads that the states to come reflect at least, one list for each session that supplies.  Of
 * several lists the lowest of each stream counts; a stream that one of them leaves out is not in the frontier at the
 * end. */
struct hs_fill_note {
    hs_partition partition;
    uint8_t lane;
    const struct hs_stream *after; /* the list's part begins behind this stream; NULL: at its beginning */
    const struct hs_signed_head *heads;
    size_t count;
    bool last;      /* the list's end: streams behind the last head are left out */
    uint64_t total; /* records to come in all, about; 0: unknown */
};
/* HS_EINVAL: no such fill (one of money may have ended by itself: HS_OK), or not a list of its streams in their order;
 * HS_ECERT: an origin is not known yet. */
enum hs_err hs_store_fill_note(struct hs_store *store, const struct hs_fill_note *note);
/* Whole records, ascending and behind all that came before.  Verified by the caller: canonical, of this partition and
 * lane, not the lane money.  HS_EGAP: not behind; HS_EINVAL: no such fill, or no whole list of heads yet;
 * HS_EMALFORMED: not of this form (that a state is not canonical is seen late: the group is to be given up). */
struct hs_states {
    hs_partition partition;
    uint8_t lane;
    struct hs_bytes body; /* *( sized(record-key) sized(state) ) */
};
enum hs_err hs_store_fill_states(struct hs_store *store, const struct hs_states *states);
/* HS_EINVAL: no such fill, no whole list of heads yet, or of money. */
enum hs_err hs_store_fill_end(struct hs_store *store, hs_partition partition, uint8_t lane);

/* A witness's: the stream, of which nothing is held, begins behind this head.  HS_EEXISTS: something is held. */
enum hs_err hs_store_put_base(struct hs_store *store, const struct hs_signed_head *head);

/* A piece of what is to be tidied up: districts that left the scope are evicted (a hub's
 * while it is opened), operations that are old enough and
 * held by a hub become base states, rows that a fill has made needless go; a witness drops what two hubs have signed
 * for.  @more out: there is more to do now.  Inside a group that holds nothing else. */
struct hs_upkeep {
    uint64_t before_ms; /* operations of lanes other than money that came before this (wall clock) may go; 0: none */
    size_t budget;      /* operations or records, about */
};
enum hs_err hs_store_upkeep(struct hs_store *store, const struct hs_upkeep *upkeep, bool *more);

/* Join tokens: hashed, single-use, expiring. */
struct hs_enrolment {
    char node_id[HS_NODE_ID_BYTES_MAX + 1];
    enum hs_role role;
    hs_partition districts[HS_SCOPE_MAX];
    size_t district_count;
    uint64_t created_ms, expires_ms;
    bool used;
    struct hs_key used_by; /* node key */
};
enum hs_err hs_store_put_enrolment(struct hs_store *store, const struct hs_hash *secret_hash,
                                   const struct hs_enrolment *enrolment);
enum hs_err hs_view_enrolment(struct hs_view *view, const struct hs_hash *secret_hash,
                              struct hs_enrolment *out); /* HS_ETOKEN */

/* What a commit did; valid until the next hs_store_begin. */
struct hs_commit {
    struct hs_position position;
    const struct hs_head *heads; /* new heads of the streams that grew */
    size_t head_count;
    const struct hs_receipt *receipts; /* a hub's or a witness's own, signed for foreign streams in this commit */
    size_t receipt_count;
    bool is_revoking;             /* a revocation or a release came */
    bool stores;                  /* what is known of others' stores has changed */
    bool renews;                  /* this store gets another id when it is opened next: do so now */
    const struct hs_older *older; /* what was found anew of this store being an older copy; NULL: nothing */
};
/* Signs checkpoints (and a hub receipts), commits and syncs the log, writes the continuity note.  The records stay
 * open. */
enum hs_err hs_store_commit(struct hs_store *store, struct hs_commit *commit);
void hs_store_abort(struct hs_store *store);

/* Commit the records up to the log's end and wake readers.  Not inside a group. */
enum hs_err hs_store_flush(struct hs_store *store);
bool hs_store_flush_due(const struct hs_store *store);        /* somebody waits, or flush_ops are uncommitted */
uint64_t hs_store_unflushed(const struct hs_store *store);    /* ops applied and not committed */
struct hs_position hs_store_position(struct hs_store *store); /* of the last log commit; any thread */

/* The oldest snapshot of each environment, the log's and the records', that anybody reads, in whatever process: pid 0,
 * nobody.  Readers that have died are forgotten.  Any thread.  HS_EIO. */
#define HS_STORE_ENVS 2
struct hs_store_reader {
    pid_t pid;
    size_t thread;
    uint64_t snapshot;
    bool pins; /* something was committed since: what was freed then cannot be used again */
};
enum hs_err hs_store_readers(struct hs_store *store, struct hs_store_reader oldest[static HS_STORE_ENVS]);
/* Bytes that are left of the smaller of the two maps; any thread. */
uint64_t hs_store_map_left(struct hs_store *store);

/* Rebuild the records from the log.  Not inside a group. */
enum hs_err hs_store_rebuild(struct hs_store *store);

/* ---- views ---- */

/* A snapshot of both environments, the records at @min_commit or later (0: whatever is committed).  Waits for the
 * writer's flush at most @wait_ms: HS_ETIMEDOUT. */
enum hs_err hs_view_open(struct hs_store *store, uint64_t min_commit, unsigned wait_ms, struct hs_view **view);
void hs_view_close(struct hs_view *view); /* NULL is fine */
/* The writer's own view of its open group, all writes so far included; not closed; writer thread, inside a group only.
 */
struct hs_view *hs_store_view(struct hs_store *store);
struct hs_position hs_view_position(struct hs_view *view); /* of the records */

/* The log. */
typedef enum hs_err (*hs_visit_head)(void *ctx,
                                     const struct hs_head *head); /* anything but HS_OK stops and is returned */
enum hs_err hs_view_heads(struct hs_view *view, hs_visit_head visit, void *ctx); /* all streams, ascending */
enum hs_err hs_view_head(struct hs_view *view, const struct hs_stream *stream, struct hs_head *head); /* HS_ENOTFOUND */
enum hs_err hs_view_op(struct hs_view *view, const struct hs_stream *stream, uint64_t n, struct hs_bytes *op);
/* The largest segment from @first that ends at a checkpoint and keeps the segment limits (one checkpointed run alone
 * may pass them).  Appends the body to @body; segment->body is set to it.  HS_ENOTFOUND: nothing there.  HS_EPRUNED:
 * @first lies below what is kept.  HS_EDAMAGED: chain broken. */
enum hs_err hs_view_cut(struct hs_view *view, const struct hs_stream *stream, uint64_t first, struct hs_buf *body,
                        struct hs_segment *segment);
enum hs_err hs_view_hash_at(struct hs_view *view, const struct hs_stream *stream, uint64_t n, struct hs_hash *hash);
/* The newest checkpoint at or below n. */
struct hs_checkpoint {
    uint64_t n;
    struct hs_hash hash;
    struct hs_signature signature;
};
enum hs_err hs_view_checkpoint(struct hs_view *view, const struct hs_stream *stream, uint64_t n,
                               struct hs_checkpoint *out);
/* Behind which op all of the stream is in the log: 0, but where the log ends early; HS_ENOTFOUND: none of it is. */
enum hs_err hs_view_whole_from(struct hs_view *view, const struct hs_stream *stream, uint64_t *n);
typedef enum hs_err (*hs_visit_receipt)(void *ctx, const struct hs_receipt *receipt);
enum hs_err hs_view_receipts(struct hs_view *view, const struct hs_stream *stream, hs_visit_receipt visit, void *ctx);
/* How safe op n of the stream is: receipts of distinct stores; this store counts if it is a hub's.  HUB: a hub's store
 * has it; SAFE: besides, a second store has, a hub's or a witness's.  Not what a witness may have let go of, or have
 * begun behind, though it has signed for what follows. */
enum hs_safety { HS_SAFETY_HERE = 1, HS_SAFETY_HUB = 2, HS_SAFETY_SAFE = 3 };
enum hs_safety hs_view_safety(struct hs_view *view, const struct hs_stream *stream, uint64_t n);
/* The stores that have signed for op n: node id of each. */
typedef enum hs_err (*hs_visit_holder)(void *ctx, const char *node_id, enum hs_role role);
enum hs_err hs_view_holders(struct hs_view *view, const struct hs_stream *stream, uint64_t n, hs_visit_holder visit,
                            void *ctx);

/* Fills under way, ascending. */
struct hs_fill {
    hs_partition partition;
    uint8_t lane;
    bool noted;            /* at least one whole list of heads has come */
    struct hs_bytes after; /* record key of the last that came; none: nothing yet */
    uint64_t records, total;
    uint64_t since_ms; /* wall clock */
};
typedef enum hs_err (*hs_visit_fill)(void *ctx, const struct hs_fill *fill);
enum hs_err hs_view_fills(struct hs_view *view, hs_visit_fill visit, void *ctx);
/* Is everything of this partition here that a hub had when it was last asked?  Else an answer about it is a partial
 * one: outside the scope, being filled, being evicted, or with operations that rotted and have not come again. */
bool hs_view_whole(struct hs_view *view, hs_partition partition);
/* Districts that left the scope and are being evicted, ascending.  @waits: nothing goes yet, for too much of them is
 * nowhere else: own operations that no hub has signed for. */
typedef enum hs_err (*hs_visit_evicting)(void *ctx, hs_partition partition, bool waits);
enum hs_err hs_view_evicting(struct hs_view *view, hs_visit_evicting visit, void *ctx);
/* For a supplier: record states of (partition, lane), not of lane money (HS_EINVAL), behind @after, about @limit bytes
 * and at least one, whole, as hs_states has them; appended to @body.  @next out: the last one's key, a view into @body;
 * @last out.  HS_EFILLING: they may lack operations that rotted and have not come again; HS_EBUSY: for a moment. */
enum hs_err hs_view_states(struct hs_view *view, hs_partition partition, uint8_t lane, struct hs_bytes after,
                           size_t limit, struct hs_buf *body, struct hs_bytes *next, bool *last);
uint64_t hs_view_states_count(struct hs_view *view, hs_partition partition, uint8_t lane); /* about */
/* Certificate (encoded) and opening (encoded) of an origin. */
enum hs_err hs_view_origin(struct hs_view *view, uint64_t origin, struct hs_bytes *certificate,
                           struct hs_bytes *opening);
enum hs_err hs_view_certificate(struct hs_view *view, const struct hs_key *node_key, struct hs_bytes *certificate);
typedef enum hs_err (*hs_visit_bytes)(void *ctx, struct hs_bytes key, struct hs_bytes value);
enum hs_err hs_view_certificates(struct hs_view *view, hs_visit_bytes visit, void *ctx); /* node key -> certificate */
/* Node key -> Revocation, node key and more -> Release, encoded. */
enum hs_err hs_view_revocation(struct hs_view *view, const struct hs_key *node_key, struct hs_bytes *encoded);
enum hs_err hs_view_revocations(struct hs_view *view, hs_visit_bytes visit, void *ctx);
enum hs_err hs_view_releases(struct hs_view *view, hs_visit_bytes visit, void *ctx);
/* How far operations of this stream are taken; HS_ENOTFOUND: there is no limit, for its writer is not revoked. */
enum hs_err hs_view_limit(struct hs_view *view, const struct hs_stream *stream, uint64_t *n);
typedef enum hs_err (*hs_visit_enrolment)(void *ctx, const struct hs_enrolment *enrolment);
enum hs_err hs_view_enrolments(struct hs_view *view, hs_visit_enrolment visit, void *ctx);
typedef enum hs_err (*hs_visit_fork)(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof);
enum hs_err hs_view_forks(struct hs_view *view, hs_visit_fork visit, void *ctx);
typedef enum hs_err (*hs_visit_loose)(void *ctx, const struct hs_loose *loose);
enum hs_err hs_view_loose(struct hs_view *view, const struct hs_stream *stream, hs_visit_loose visit, void *ctx);
/* The current origin, 0 if none is open; and how many this node had. */
uint64_t hs_view_current_origin(struct hs_view *view);
uint64_t hs_view_own_origins(struct hs_view *view);
/* This store was found to be an older copy of itself: since when, by what, and what came back of what it had forgotten.
 * HS_ENOTFOUND: it was not. */
struct hs_older {
    uint64_t found_ms, last_ms;          /* wall clock: when, and the last that came of it */
    uint64_t operations;                 /* of this node's own that came back */
    uint64_t money;                      /* of these, payments and reversals */
    char from[HS_NODE_ID_BYTES_MAX + 1]; /* who brought the last of them; "": nobody did */
    char why[HS_OLDER_WHY_BYTES];
};
enum hs_err hs_view_older(struct hs_view *view, struct hs_older *older);
/* Bytes and ops of a stream from @first on, for lag figures. */
void hs_view_lag(struct hs_view *view, const struct hs_stream *stream, uint64_t after, uint64_t *ops, uint64_t *bytes);

/* Records.  States are views into the map; @hash is the stored hash, checked: HS_EDAMAGED. */
struct hs_stored {
    struct hs_record_name name;
    struct hs_hash hash;
    struct hs_bytes state;
};
enum hs_err hs_view_record(struct hs_view *view, const struct hs_record_name *name,
                           struct hs_stored *stored); /* HS_ENOTFOUND */
/* The same when only kind and id are known: in whatever partition it is, ascending. */
enum hs_err hs_view_find(struct hs_view *view, uint16_t kind, struct hs_bytes id, struct hs_stored *stored);
typedef enum hs_err (*hs_visit_record)(void *ctx, const struct hs_stored *stored);
/* By index (kinds.h) in all partitions; parked records are left out.  @after: a record key to go on behind, or none. */
enum hs_err hs_view_index(struct hs_view *view, uint16_t kind, uint8_t index, struct hs_bytes key,
                          struct hs_bytes after, hs_visit_record visit, void *ctx);
enum hs_err hs_view_all(struct hs_view *view, uint16_t kind, struct hs_bytes after, hs_visit_record visit, void *ctx);
/* A question about records that the asker does not hold, and what is said to it; borrowed. */
struct hs_ask {
    uint16_t kind;
    uint8_t index;         /* 0: by record id */
    struct hs_bytes key;   /* the id, or the index's value */
    struct hs_bytes after; /* record key to go on behind; or none */
};
/* One record of an answer: such as were asked for ascend by key, each with what goes with it behind. */
struct hs_asked {
    struct hs_stored stored; /* hash is not set */
    bool beside;             /* not asked for: it goes with the last one that was */
};
typedef enum hs_err (*hs_visit_asked)(void *ctx, const struct hs_asked *asked);
struct hs_answer {
    const struct hs_asked *records;
    size_t count;
    bool last;         /* nothing that was asked for lies behind these */
    bool cut;          /* what goes with the only record is more than an answer holds */
    uint64_t as_of_ms; /* the clock of the hub that read them */
    const char *node;  /* that hub's id */
};
/* Answer a question.  HS_ENOTHERE, HS_EFILLING: there may be more of it elsewhere; what is here was visited. HS_EINVAL:
 * it cannot be asked: by id, or by an index of the kind that is a field of it.  Stops at whatever @visit says. */
enum hs_err hs_view_ask(struct hs_view *view, const struct hs_ask *ask, hs_visit_asked visit, void *ctx);
/* Did an op with this request id come from here?  Its dot and partition; HS_ENOTFOUND. */
enum hs_err hs_view_request(struct hs_view *view, struct hs_bytes request, struct hs_stream *stream, uint64_t *n);
/* What was committed after @from, in order, for the change feed: HS_ERESET if the position is not one of this store's.
 * @to out: the position of the last commit visited; whole commits only, at most about @limit changes. */
struct hs_change {
    struct hs_stream stream; /* of an op */
    uint64_t n;              /* 0: a record came as state, and no op */
    struct hs_bytes op;
    struct hs_record_name record; /* of a state that came */
};
typedef enum hs_err (*hs_visit_change)(void *ctx, const struct hs_change *change);
enum hs_err hs_view_changes(struct hs_view *view, const struct hs_position *from, size_t limit, hs_visit_change visit,
                            void *ctx, struct hs_position *to);

/* Is the position one of this store's history?  HS_ERESET: no, of another one, or beyond its end; HS_EPRUNED: so old
 * that its commit is not kept. */
enum hs_err hs_view_knows(struct hs_view *view, const struct hs_position *position);

/* Money. */
struct hs_totals {
    uint64_t count; /* payments */
    int64_t sum_fen;
    uint64_t reversed_count;
    int64_t reversed_fen;
    uint64_t settled_count; /* refunds that count */
    int64_t settled_fen;
};
struct hs_totals_filter {
    const char *account; /* NULL: any; the others as well then do not apply together with it, except date and window */
    uint32_t date;       /* 0: any */
    bool has_window;
    uint32_t window;
    const uint64_t *origins; /* NULL: any */
    size_t origin_count;
};
enum hs_err hs_view_totals(struct hs_view *view, const struct hs_totals_filter *filter, struct hs_totals *totals);
struct hs_bill_sums {
    bool known; /* the bill itself is here */
    int64_t amount_fen;
    int64_t paid_fen;    /* payments less reversals, less what was settled */
    int64_t settled_fen; /* given back or counted elsewhere; below zero: counted here */
};
enum hs_err hs_view_bill(struct hs_view *view, const char *account, struct hs_bytes bill_id, struct hs_bill_sums *sums);
/* Bills of which less was paid than the most that they can ever ask for, by account; what one asks for now, if anything
 * at all, says storage/model/bill_due.h. */
struct hs_unpaid_scan {
    char district[HS_DISTRICT_DIGITS + 1]; /* empty: all */
    bool has_after;                        /* else from the beginning */
    char after[HS_ACCOUNT_DIGITS + 1];     /* account to go on behind.  Out: the last that was looked at */
    size_t accounts;                       /* how many to look at, at most.  Out: how many are left of these */
    bool over;                             /* out: there are no more */
};
typedef enum hs_err (*hs_visit_unpaid)(void *ctx, struct hs_bytes account, const struct hs_record_name *bill);
/* An account is visited whole, but for what @visit stops at. */
enum hs_err hs_view_unpaid(struct hs_view *view, struct hs_unpaid_scan *scan, hs_visit_unpaid visit, void *ctx);

/* Digests: a fixed tree over BLAKE2b("hallsync leaf 1", record key): its first 12 bits choose one of 4096 leaves, the
 * first 6 one of 64 branches. */
#define HS_DIGEST_BRANCHES 64
#define HS_DIGEST_LEAVES   4096
struct hs_digest {
    hs_partition partition;
    uint16_t kind;
    uint32_t index; /* of branch or leaf */
    uint64_t count;
    struct hs_hash sum;
};
typedef enum hs_err (*hs_visit_digest)(void *ctx, const struct hs_digest *digest);
enum hs_err hs_view_digests(struct hs_view *view, hs_visit_digest visit,
                            void *ctx); /* roots; those without records are left out */
/* The 64 branches (branch < 0), or the 64 leaves of one; those that are zero are left out. */
enum hs_err hs_view_digest_level(struct hs_view *view, hs_partition partition, uint16_t kind, int branch,
                                 hs_visit_digest visit, void *ctx);
enum hs_err hs_view_digest_leaf(struct hs_view *view, hs_partition partition, uint16_t kind, uint32_t leaf,
                                struct hs_bytes after, hs_visit_record visit, void *ctx);

/* Derived lists: what people must decide or know of. */
enum hs_list {
    HS_LIST_FIELD = 1,         /* concurrent values of a field with policy review */
    HS_LIST_FACT = 2,          /* one id, two contents */
    HS_LIST_OVERPAID = 3,      /* bill paid with more than it asks for in the end; key: (account, bill_id) */
    HS_LIST_OVER_REVERSED = 4, /* payment reversed more than once */
    HS_LIST_DOUBLE_ENTRY = 5,  /* two cash entries for one payment or reversal */
    HS_LIST_NO_BILL = 6,       /* paid, and no such bill of this account here */
    HS_LIST_EVENT = 7,         /* ticket event that did not fit */
    HS_LIST_PARKED = 8,        /* record that breaks a rule */
    HS_LIST_VOID = 9,          /* op without effect */
    HS_LIST_FORK = 10,
    HS_LIST_DECISION = 11,      /* record that somebody has decided about: a row for each decision */
    HS_LIST_STOPPED = 12,       /* streams that do not go on: made by the service, in no table */
    HS_LIST_TOPUP_TWICE = 13,   /* payment for a card and counter that another one is for, neither taken back */
    HS_LIST_NOT_OWNER = 14,     /* settlement whose writer does not own the district: it counts nothing */
    HS_LIST_SETTLED_TWICE = 15, /* settlement that follows what another one follows, which counts instead */
};
struct hs_listed {
    enum hs_list list;
    struct hs_record_name name; /* of the record concerned (the bill, the payment, the ticket...) */
    int64_t amount_fen;         /* money lists: how much */
    struct hs_bytes detail;     /* per list, see FORMAT.md; a void op: reason name */
    struct hs_bytes key;        /* to go on behind */
};
typedef enum hs_err (*hs_visit_listed)(void *ctx, const struct hs_listed *listed);
enum hs_err hs_view_list(struct hs_view *view, enum hs_list list, struct hs_bytes after, hs_visit_listed visit,
                         void *ctx); /* 0: all */
uint64_t hs_view_list_count(struct hs_view *view, enum hs_list list);
bool hs_view_listed(struct hs_view *view, enum hs_list list, const struct hs_record_name *name);

/* ---- decisions about records that break a rule ---- */

enum hs_verdict { HS_VERDICT_NONE, HS_VERDICT_RELEASED, HS_VERDICT_REJECTED };

/* Does a record count, and why?  A function of it and of the decisions about it, the same on every node. */
struct hs_standing {
    bool counts;
    enum hs_err fault;    /* the first rule that it breaks; HS_OK: none */
    struct hs_why why;    /* the same as a sentence ... */
    struct hs_why why_zh; /* ... and in Chinese: which field, and the rule */
    bool may_release;     /* false: it cannot be counted as it is, whoever decides so */
    enum hs_verdict verdict;
    struct hs_id decision; /* the one that holds, if any */
    bool is_disputed;      /* somebody who did not know of that has decided otherwise */
    struct hs_hash contents, flaw;
};
enum hs_err hs_view_standing(struct hs_view *view, const struct hs_stored *stored, struct hs_standing *standing);

/* One decision, by the record that it is about. */
struct hs_decided {
    struct hs_record_name record;
    struct hs_id id;
    hs_stamp stamp;
    enum hs_verdict verdict;
    struct hs_hash contents, flaw;
    struct hs_bytes follows; /* ids */
};
typedef enum hs_err (*hs_visit_decided)(void *ctx, const struct hs_decided *decided);
enum hs_err hs_view_decisions(struct hs_view *view, const struct hs_record_name *record, hs_visit_decided visit,
                              void *ctx);
/* The record that a decision's message is about; a view into it.  False: it names none. */
bool hs_decision_about(struct hs_bytes message, hs_partition partition, struct hs_record_name *record);
/* Of a row of HS_LIST_DECISION.  HS_EDAMAGED. */
enum hs_err hs_decided_read(struct hs_bytes key, struct hs_bytes detail, struct hs_decided *decided);

/* ---- backups ---- */

/* One of this store that was read back whole. */
#define HS_BACKUP_PATH_BYTES_MAX 1024
struct hs_backup_row {
    uint64_t time_ms;            /* when; its name among them */
    struct hs_position position; /* what it holds */
    uint64_t bytes;
    struct hs_hash file; /* hs_unsealer_hash of it */
    struct hs_bytes path;
};
enum hs_err hs_store_put_backup(struct hs_store *store, const struct hs_backup_row *row); /* the newest 64 are kept */
enum hs_err hs_store_drop_backup(struct hs_store *store, uint64_t time_ms);               /* it is gone */
typedef enum hs_err (*hs_visit_backup)(void *ctx, const struct hs_backup_row *row);
enum hs_err hs_view_backups(struct hs_view *view, hs_visit_backup visit, void *ctx); /* by time */

/* A hub's verified backups, together, count as a store beside its own: each holds what those before it held.  That
 * store has an id of its own, drawn when the hub vouches first; in its name the hub signs receipts for the heads that
 * the newest backup holds, which are in the commit like others.  HS_ENOTHUB. */
enum hs_err hs_store_vouch(struct hs_store *store, const struct hs_head *heads, size_t count);
uint64_t hs_view_backup_store(struct hs_view *view); /* 0: none */
/* The newest one is gone: nothing is vouched for from now on; the next one is another store. */
enum hs_err hs_store_retire_backups(struct hs_store *store);

/* ---- dumps and loads: what backups are made of ---- */

/* All rows of the log at one moment.  The records are not in it: they are what the log adds up to.  While it is open
 * the log's file cannot use again what is deleted: who holds one looks at its growth. */
struct hs_dump;
/* On the writer's thread and outside of a group a view that is opened at once shows the same moment.  Any other call of
 * a dump: any thread, one at a time. */
enum hs_err hs_dump_begin(struct hs_store *store, struct hs_dump **dump);
void hs_dump_end(struct hs_dump *dump); /* before the store is closed; NULL is fine */
struct hs_position hs_dump_position(const struct hs_dump *dump);
uint64_t hs_dump_count(struct hs_dump *dump);        /* rows in all */
uint64_t hs_dump_growth(const struct hs_dump *dump); /* bytes that the log has grown by since it was begun */
uint32_t hs_dump_schema(void);                       /* the version that this program writes */
typedef enum hs_err (*hs_visit_row)(void *ctx, const char *table, struct hs_bytes key, struct hs_bytes value);
enum hs_err hs_dump_rows(struct hs_dump *dump, hs_visit_row visit, void *ctx);   /* by table; of each, ascending */
enum hs_err hs_dump_heads(struct hs_dump *dump, hs_visit_head visit, void *ctx); /* as hs_view_heads */
/* Is it the row of a checkpoint?  The last one of a stream is the stream's head. */
bool hs_row_head(const char *table, struct hs_bytes key, struct hs_bytes value, struct hs_head *head);

/* A store made of such rows, with an id of its own, under the lock of its directory; what else lies there, the keys
 * among it, is its maker's business.  The store is there when it is whole, or not at all; a directory in which a load
 * was cut short counts as empty.  Then it is opened like any other, and replays. */
struct hs_load;
struct hs_load_options {
    const char *dir;
    size_t map_bytes;  /* as hs_store_options */
    const char *aside; /* a name in @dir, not there yet: what lies in @dir is moved to it first; NULL: nothing may */
};
/* HS_EEXISTS: something lies in the directory; HS_ELOCKED, HS_ENETFS, HS_EFULL, HS_EPERM, HS_EIO, HS_ENOMEM. */
enum hs_err hs_load_begin(const struct hs_load_options *options, struct hs_load **load, struct hs_why *why);
/* In the order of a dump.  HS_ESCHEMA: a table that this program does not know; HS_EDAMAGED: not such rows; HS_EFULL,
 * HS_EIO. */
enum hs_err hs_load_row(struct hs_load *load, const char *table, struct hs_bytes key, struct hs_bytes value);
uint64_t hs_load_store_id(const struct hs_load *load);
bool hs_load_moved(const struct hs_load *load);                    /* something lay there, and is aside now */
enum hs_err hs_load_end(struct hs_load *load, struct hs_why *why); /* put in place; frees @load either way */
void hs_load_abort(struct hs_load *load);                          /* NULL is fine */

/* Figures. */
struct hs_store_sizes {
    uint64_t log_bytes, records_bytes; /* used pages */
    uint64_t commit, records_commit;
};
void hs_view_sizes(struct hs_view *view, struct hs_store_sizes *sizes);

/* ---- operations that rotted ----
 *
 * And receipts.  A node's own operations, beyond every receipt, are taken out when the store is opened, with what its
 * stream has behind them, and what the records have of all that is issued anew, in another origin.  Others wait for a
 * node that has them. */
enum hs_healing { HS_HEALING_WAITS = 0, HS_HEALING_DONE = 1, HS_HEALING_ANEW = 2, HS_HEALING_GONE = 3 };
struct hs_healed {
    struct hs_stream stream;
    uint64_t first, last; /* 0: not operations, but: */
    uint64_t store_id;    /* this store's receipt for the stream; else 0 */
    uint64_t time_ms;     /* wall clock */
    enum hs_healing state;
    struct hs_bytes why; /* text, or none */
};
#define HS_HEALED_MAX 1024 /* that wait at a time, and are looked after */
typedef enum hs_err (*hs_visit_healed)(void *ctx, const struct hs_healed *healed);
enum hs_err hs_view_healed(struct hs_view *view, hs_visit_healed visit, void *ctx);
/* Somebody could not read these: looked at again, and noted if it is so. */
enum hs_err hs_store_note_rot(struct hs_store *store, const struct hs_stream *stream, uint64_t first, uint64_t last);
/* The same of a receipt: it goes.  This store's own word is given anew (and is in the commit), others' waits for a node
 * that has it; that of a store which is gone is given up. */
enum hs_err hs_store_note_receipt(struct hs_store *store, const struct hs_stream *stream, uint64_t store_id);
/* A segment of what rotted, from behind a checkpoint that is sound; verified by the caller.  HS_EGAP: not from there;
 * HS_ESIGNATURE: it does not lead on from there. */
enum hs_err hs_store_heal(struct hs_store *store, const struct hs_segment *segment);
/* Is something to be done about it that takes a new opening? */
bool hs_store_wants_opening(struct hs_store *store);

/* ---- checking ----
 *
 * One pass over everything: chains and signatures of all streams, certificates, openings and receipts; checksums of
 * base states and records; that what operations and base states say is in the records; indexes, sums, digests and lists
 * against the records.  Every page in use is read.  In steps, each with a snapshot of its own, so that the store can be
 * written to meanwhile. */
enum hs_rot {
    HS_ROT_OPS = 1,    /* stream, first, last: what is there is not what was signed */
    HS_ROT_CHECKPOINT, /* stream, first: the signature does not hold; the ops may be sound */
    HS_ROT_ORIGIN,     /* stream.origin if known: certificate or opening */
    HS_ROT_RECEIPT,    /* stream */
    HS_ROT_LOOSE,      /* stream, first */
    HS_ROT_BASE,       /* name: a base state's checksum fails */
    HS_ROT_COMMITS,    /* first: commit, or 0 */
    HS_ROT_TABLE,      /* text: pages that cannot be read */
    HS_ROT_RECORD,     /* name: its checksum fails */
    HS_ROT_EFFECT,     /* name: it lacks what an operation (stream, first) or its base state (first 0) says */
    HS_ROT_DERIVED,    /* text: indexes, sums, digests or lists do not fit the records */
    HS_ROT_COUNT
};
const char *hs_rot_text(enum hs_rot rot); /* "operations" */
struct hs_rotten {
    enum hs_rot sort;
    struct hs_stream stream;
    uint64_t first, last;
    uint64_t store_id; /* receipt: of the store that has signed */
    struct hs_record_name name;
    struct hs_bytes key, row; /* record: as they lie there */
    const char *node;         /* who wrote it, if that is known; or NULL */
    const char *text;         /* NULL: nothing more to say */
};
/* In a sentence, appended. */
void hs_rotten_text(const struct hs_rotten *rotten, struct hs_buf *text);
bool hs_rot_mends(const struct hs_rotten *rotten); /* is it put right by hallsync repair, or by the node itself? */
const char *hs_rot_remedy(const struct hs_rotten *rotten); /* how; or what people have to do instead */
typedef enum hs_err (*hs_visit_rotten)(void *ctx, const struct hs_rotten *rotten);
struct hs_check_figures {
    uint64_t rows, streams, ops, checkpoints, receipts, certificates, bases, commits, records;
    uint64_t effects; /* operations held against the records */
    uint64_t found;
    bool no_records; /* they are not of this log, or of another version: the next start makes them anew */
};
/* What it does now, and how far it is with that; total 0: nobody knows. */
struct hs_check_progress {
    const char *what, *unit;
    uint64_t done, total;
};
struct hs_check_options {
    bool full; /* every operation against the records; else every 64th */
    hs_visit_rotten visit;
    void (*told)(void *ctx, const struct hs_check_progress *at); /* by hs_check_dir, now and then; NULL: nobody asks */
    bool (*stopped)(void *ctx); /* asked at each row that is read long after another: give up.  NULL: never */
    void *ctx;
};
struct hs_check;
enum hs_err hs_check_new(const struct hs_check_options *options, struct hs_check **check); /* HS_ENOMEM */
void hs_check_free(struct hs_check *check);                                                /* NULL is fine */
/* The next piece, about @budget rows, of a view that was opened for it; the last one reads all records in it.  The
 * check is of one store.  Any thread.  HS_ESTOPPING: @stopped said so. */
enum hs_err hs_check_step(struct hs_check *check, struct hs_view *view, size_t budget);
/* How much there is to be read, of a view that was opened for this: where pages are damaged, it is of no more use. */
void hs_check_measure(struct hs_check *check, struct hs_view *view);
void hs_check_progress(const struct hs_check *check, struct hs_check_progress *at);
bool hs_check_over(const struct hs_check *check);
const struct hs_check_figures *hs_check_figures(const struct hs_check *check);
/* All of it, of a store that nobody has open, which may be one that does not open any more; changes nothing.
 * HS_ELOCKED, HS_ENOSTORE, HS_ESCHEMA, HS_EDAMAGED (not an LMDB file)... */
enum hs_err hs_check_dir(const char *dir, const struct hs_check_options *options, struct hs_check_figures *figures,
                         struct hs_why *why);

/* The last check that ended whole, so that a restart does not forget it. */
struct hs_checked {
    uint64_t ended_ms, found; /* wall clock; 0: there was none */
};
enum hs_err hs_store_note_check(struct hs_store *store, const struct hs_checked *checked);
void hs_view_checked(struct hs_view *view, struct hs_checked *checked);

/* What a check has found, in a group: noted, put right as far as it can be from here, and what is replaced kept in
 * DIR/replaced/.  Of records, and of what cannot be mended in its place, nothing is done. */
enum hs_err hs_store_mend(struct hs_store *store, const struct hs_rotten *rotten);

#endif
