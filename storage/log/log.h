/* log.h -- the truth: operations in signed, chained streams, what proves them, and the order in which they came. Inside
 * storage/ only; node/ sees store.h.  FORMAT.md, section 1, has the bytes.
 *
 * One writer, whose thread opens and closes the log.  A group is begun, filled, and committed or aborted whole; an
 * error inside a group sticks to it.  After a failure that leaves the disk's state unknown the log is unusable and
 * every call answers that error. */
#ifndef HS_LOG_H
#define HS_LOG_H

#include "storage/db/db.h"
#include "storage/store.h"

struct hs_log;

struct hs_log_options {
    const char *path;
    size_t map_bytes;
    bool create;
    bool visits;                   /* as hs_store_options */
    struct hs_bytes certificate;   /* of this node; a later one of the same node that has come takes its place */
    const hs_partition *districts; /* to narrow its scope; ascending */
    size_t district_count;         /* 0: not narrowed */
    struct hs_signer signer;
    const char *note_dir; /* of the continuity note */
    uint64_t (*now_ms)(void *ctx);
    void (*random)(void *ctx, void *to, size_t size);
    void *ctx; /* of now_ms and random */
};

/* HS_ENOSTORE, HS_EEXISTS (create), HS_EFOREIGN, HS_ESCHEMA, HS_ECERT, and as hs_env_open.  If continuity is not
 * proven, the current origin is struck out by a commit of its own. */
enum hs_err hs_log_open(const struct hs_log_options *options, struct hs_log **log, struct hs_why *why);
void hs_log_close(struct hs_log *log); /* NULL is fine; an open group is given up */

uint64_t hs_log_store_id(const struct hs_log *log);
const struct hs_certificate *hs_log_certificate(const struct hs_log *log);
struct hs_bytes hs_log_certificate_bytes(const struct hs_log *log);  /* the same, encoded */
bool hs_log_holds(const struct hs_log *log, hs_partition partition); /* in its scope */
uint64_t hs_log_doubt_ms(const struct hs_log *log);
uint32_t hs_log_migrated(const struct hs_log *log);
bool hs_log_in_doubt(const struct hs_log *log);
const char *hs_log_renewed(const struct hs_log *log);         /* why it got another id at this start, or NULL */
const char *hs_log_break(const struct hs_log *log);           /* why the origin was struck out at this start, or NULL */
struct hs_position hs_log_position(const struct hs_log *log); /* of the last commit whose note is written */
enum hs_err hs_log_failed(const struct hs_log *log);          /* the error that made it unusable, or HS_OK */
struct hs_env *hs_log_env(struct hs_log *log);

/* ---- writing ---- */

enum hs_err hs_log_begin(struct hs_log *log);
/* As hs_store_commit.  HS_EFULL and HS_ENOMEM leave the log as it was before the group; any other failure of the commit
 * itself or of the note makes it unusable. */
enum hs_err hs_log_commit(struct hs_log *log, struct hs_commit *commit);
void hs_log_abort(struct hs_log *log);

/* The current origin, opened now if there is none. */
enum hs_err hs_log_origin(struct hs_log *log, uint64_t *origin);
/* The next stamp of this node, above @above. */
hs_stamp hs_log_stamp(struct hs_log *log, hs_stamp above);
/* Number an op of this node in the current origin. */
enum hs_err hs_log_write(struct hs_log *log, hs_partition partition, uint8_t lane, struct hs_bytes op,
                         struct hs_dot *dot);
/* Take a segment; @from out: its first op that was not held.  Nothing is changed by HS_EGAP, HS_EEXISTS (all held),
 * HS_EFORK, HS_ECERT (origin unknown), HS_ESIGNATURE (the chain does not lead to the signed hash), HS_EREVOKED (beyond
 * the limit of a revoked key), HS_EMALFORMED; except that a segment beyond the head of the current origin strikes that
 * out. */
enum hs_err hs_log_receive(struct hs_log *log, const struct hs_segment *segment, uint64_t *from);

enum hs_err hs_log_put_certificate(struct hs_log *log, struct hs_bytes certificate);
enum hs_err hs_log_put_origin(struct hs_log *log, struct hs_bytes certificate, struct hs_bytes opening);
enum hs_err hs_log_put_receipt(struct hs_log *log, const struct hs_receipt *receipt, struct hs_bytes certificate);
/* Both are checked; known ones change nothing.  HS_EFULL: there are too many. */
enum hs_err hs_log_put_revocation(struct hs_log *log, struct hs_bytes encoded);
enum hs_err hs_log_put_release(struct hs_log *log, struct hs_bytes encoded);
enum hs_err hs_log_strike(struct hs_log *log, const char *why);
/* As hs_store_strike. */
enum hs_err hs_log_prove_older(struct hs_log *log, const char *why);
enum hs_err hs_log_older(struct hs_txn *txn, struct hs_older *older); /* HS_ENOTFOUND */
enum hs_err hs_log_put_fork(struct hs_log *log, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof);
enum hs_err hs_log_put_loose(struct hs_log *log, const struct hs_loose *loose); /* HS_EEXISTS: known */
enum hs_err hs_log_put_enrolment(struct hs_log *log, const struct hs_hash *secret_hash,
                                 const struct hs_enrolment *enrolment);

enum hs_err hs_log_put_announced(struct hs_log *log, const struct hs_announcement *announcement);
enum hs_err hs_log_meet(struct hs_log *log, const struct hs_met *met);
enum hs_err hs_log_store_gone(struct hs_log *log, const struct hs_key *key, uint64_t id);
enum hs_err hs_log_store_told(struct hs_log *log, const struct hs_key *key, uint64_t id);

/* ---- what came as state: as hs_store_* in store.h ---- */

/* A base state, with its hash; not canonical bytes are the caller's fault. */
void hs_log_put_base_state(struct hs_log *log, const struct hs_stored *state);
/* HS_ENOTFOUND, HS_EDAMAGED.  A view into the map. */
enum hs_err hs_log_base_state(struct hs_txn *txn, const struct hs_record_name *name, struct hs_stored *state);
/* All of them (one that does not match its checksum without its state), ascending, behind the record key @after (none:
 * from the first). */
enum hs_err hs_log_base_states(struct hs_txn *txn, struct hs_bytes after, hs_visit_record visit, void *ctx);

enum hs_err hs_log_fill_begin(struct hs_log *log, hs_partition partition, uint8_t lane);
enum hs_err hs_log_fill_note(struct hs_log *log, const struct hs_fill_note *note);
/* The states of (partition, lane) from one record key to another were put: the fill goes on behind them.  HS_EGAP: they
 * are not behind what came before; HS_EINVAL: no such fill, or no list of heads yet. */
struct hs_fill_step {
    hs_partition partition;
    uint8_t lane;
    struct hs_bytes first, last;
    uint64_t count;
};
enum hs_err hs_log_fill_step(struct hs_log *log, const struct hs_fill_step *step);
enum hs_err hs_log_fill_end(struct hs_log *log, hs_partition partition, uint8_t lane);
enum hs_err hs_log_fills(struct hs_txn *txn, hs_visit_fill visit, void *ctx);
bool hs_log_filling(struct hs_txn *txn, hs_partition partition); /* in any lane; also after a failure of @txn */
enum hs_err hs_log_put_base(struct hs_log *log, const struct hs_signed_head *head);

struct hs_logged;

/* ---- districts that left the scope ----
 *
 * Their records go first, in pieces that the commits list, then the rest, which only the log knows of. */
struct hs_evicted {
    hs_partition partition;
    struct hs_bytes after, to; /* record keys: behind the one (none: all), up to the other (none: all) */
};
bool hs_log_evicting(struct hs_txn *txn, hs_partition partition); /* also after a failure of @txn */
enum hs_err hs_log_evictions(struct hs_txn *txn, hs_visit_evicting visit, void *ctx);
struct hs_eviction {
    hs_partition partition;
    bool of_records; /* its records behind this key are next; else hs_log_evict */
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
    size_t after_size;
};
enum hs_err hs_log_next_eviction(struct hs_log *log, struct hs_eviction *next); /* HS_ENOTFOUND: none that can go on */
/* At its start, before anything else: a district that came back meanwhile; and any of a hub, which goes on taking what
 * its halls write there, and signs for it. */
bool hs_log_evicts_first(const struct hs_log *log);
enum hs_err hs_log_evict_records(struct hs_log *log, const struct hs_evicted *piece);
enum hs_err hs_log_evict(struct hs_log *log, hs_partition partition, size_t *budget);
/* The ops that stay of a partition under eviction, for they are nowhere else: those of the piece's lanes. */
typedef enum hs_err (*hs_visit_logged)(void *ctx, const struct hs_logged *op);
enum hs_err hs_log_kept(struct hs_log *log, struct hs_txn *txn, const struct hs_evicted *piece, hs_visit_logged visit,
                        void *ctx);

/* ---- ops that are not kept for ever ---- */

struct hs_folding {
    uint64_t before_ms;    /* in commits before this (wall clock); 0: none, but for those before a gap */
    uint64_t until;        /* a commit that every replay of the records begins behind of */
    hs_visit_logged visit; /* puts what the op did into base states */
    void *ctx;
};
/* Ops of all lanes but money that a hub's receipt reaches, in the order of their commits. */
enum hs_err hs_log_fold(struct hs_log *log, const struct hs_folding *folding, size_t *budget);
/* A witness's: what two hubs have signed for. */
enum hs_err hs_log_drop_signed(struct hs_log *log, size_t *budget);
/* Behind which op the log of the stream begins; HS_ENOTFOUND: nothing is held. */
enum hs_err hs_log_beginning(struct hs_txn *txn, const struct hs_stream *stream, uint64_t *n);
/* Behind which op all of the stream is in the log: behind the last gap in it, if it has one.  HS_ENOTFOUND as above. */
enum hs_err hs_log_whole_from(struct hs_txn *txn, const struct hs_stream *stream, uint64_t *n);

/* Which origin a series of cash numbers belongs to. */
enum hs_err hs_log_put_series(struct hs_log *log, const char *series, uint64_t origin);
enum hs_err hs_log_close_series(struct hs_log *log); /* those of the current origin are nobody's any more */

/* The certificate of an origin's node, from a cache; valid until the next call that writes; NULL: unknown, or @txn has
 * failed. */
const struct hs_certificate *hs_log_writer(struct hs_log *log, struct hs_txn *txn, uint64_t origin);
/* Of an op that is held, and so was taken from somebody known: NULL is damage, or another failure of @txn. */
const struct hs_certificate *hs_log_writer_of_held(struct hs_log *log, struct hs_txn *txn, uint64_t origin);

/* ---- reading ---- */

/* Where to read: a snapshot, or (with @log) the writer's open group, whose newest ops lie beyond the last checkpoint.
 */
struct hs_log_reader {
    struct hs_txn *txn;
    const struct hs_log *log;
};
struct hs_log_reader hs_log_reader_of(struct hs_log *log); /* the open group; writer thread */

/* All as hs_view_* in store.h. */
enum hs_err hs_log_heads(const struct hs_log_reader *reader, hs_visit_head visit, void *ctx);
enum hs_err hs_log_head(const struct hs_log_reader *reader, const struct hs_stream *stream, struct hs_head *head);
enum hs_err hs_log_op(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n,
                      struct hs_bytes *op);
enum hs_err hs_log_hash_at(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n,
                           struct hs_hash *hash);
enum hs_err hs_log_checkpoint(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n,
                              struct hs_checkpoint *out);
void hs_log_lag(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t after, uint64_t *ops,
                uint64_t *bytes);
enum hs_err hs_log_cut(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t first,
                       struct hs_buf *body, struct hs_segment *segment);

enum hs_err hs_log_origins(struct hs_txn *txn, hs_visit_origin visit, void *ctx);
enum hs_err hs_log_announced(const struct hs_log_reader *reader, hs_visit_announced visit, void *ctx);
enum hs_err hs_log_peer_stores(struct hs_txn *txn, hs_visit_peer_store visit, void *ctx);
enum hs_err hs_log_peer_store(struct hs_txn *txn, const struct hs_key *key, struct hs_peer_store *current);
enum hs_err hs_log_store_counts(struct hs_txn *txn, const struct hs_key *key, uint64_t id, bool *counts);
enum hs_err hs_log_receipts(struct hs_txn *txn, const struct hs_stream *stream, hs_visit_receipt visit, void *ctx);
/* The stores other than @store_id and the writer's own that have signed that they hold op n, of what is held here. */
enum hs_err hs_log_holders(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n,
                           uint64_t store_id, hs_visit_holder visit, void *ctx);
/* How far two hubs have signed for it, gone or revoked since or not; of what is held here. */
enum hs_err hs_log_two_hubs_had(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t *n);
/* Did this node's own key, as it is now, open the origin? */
bool hs_log_is_own_origin(struct hs_txn *txn, uint64_t origin);
/* The writer of an origin's ops. */
enum hs_err hs_log_writer_holds(struct hs_txn *txn, uint64_t origin, hs_visit_holder visit, void *ctx);
enum hs_err hs_log_find_origin(struct hs_txn *txn, uint64_t origin, struct hs_bytes *certificate,
                               struct hs_bytes *opening);
enum hs_err hs_log_find_certificate(struct hs_txn *txn, const struct hs_key *node_key, struct hs_bytes *certificate);
enum hs_err hs_log_certificates(struct hs_txn *txn, hs_visit_bytes visit, void *ctx);
enum hs_err hs_log_enrolment(struct hs_txn *txn, const struct hs_hash *secret_hash, struct hs_enrolment *out);
enum hs_err hs_log_enrolments(struct hs_txn *txn, hs_visit_enrolment visit, void *ctx);
enum hs_err hs_log_forks(struct hs_txn *txn, hs_visit_fork visit, void *ctx);
enum hs_err hs_log_fork(struct hs_txn *txn, const struct hs_stream *stream, uint64_t *n); /* HS_ENOTFOUND */
uint64_t hs_log_fork_count(struct hs_txn *txn);
enum hs_err hs_log_loose(struct hs_txn *txn, const struct hs_stream *stream, hs_visit_loose visit, void *ctx);
enum hs_err hs_log_revocation(struct hs_txn *txn, const struct hs_key *node_key, struct hs_bytes *encoded);
enum hs_err hs_log_revocations(struct hs_txn *txn, hs_visit_bytes visit, void *ctx);
enum hs_err hs_log_releases(struct hs_txn *txn, hs_visit_bytes visit, void *ctx);
/* How far ops of a revoked key are taken.  HS_ENOTFOUND: it is not revoked, or nobody knows whose the stream is. */
enum hs_err hs_log_limit(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t *n);
uint64_t hs_log_current_origin(struct hs_txn *txn);
uint64_t hs_log_own_origins(struct hs_txn *txn);

enum hs_err hs_log_find_series(struct hs_txn *txn, const char *series, uint64_t *origin); /* HS_ENOTFOUND; 0: closed */

/* ---- backups, dumps and loads: as in store.h ---- */

enum hs_err hs_log_put_backup(struct hs_log *log, const struct hs_backup_row *row);
enum hs_err hs_log_drop_backup(struct hs_log *log, uint64_t time_ms);
enum hs_err hs_log_backups(struct hs_txn *txn, hs_visit_backup visit, void *ctx);
uint64_t hs_log_backup_store(struct hs_txn *txn);
enum hs_err hs_log_retire_backups(struct hs_log *log);
enum hs_err hs_log_vouch(struct hs_log *log, const struct hs_head *heads, size_t count);

uint64_t hs_log_rows(struct hs_txn *txn);
enum hs_err hs_log_dump(struct hs_txn *txn, hs_visit_row visit, void *ctx);
struct hs_log_load;
/* Beside @path.  HS_EEXISTS: there is a log. */
enum hs_err hs_log_load_begin(const char *path, size_t map_bytes, uint64_t store_id, struct hs_log_load **load,
                              struct hs_why *why);
enum hs_err hs_log_load_row(struct hs_log_load *load, const char *table, struct hs_bytes key, struct hs_bytes value);
enum hs_err hs_log_load_end(struct hs_log_load *load, struct hs_why *why); /* frees it */
void hs_log_load_abort(struct hs_log_load *load);

/* The position of the last commit in @txn; {0, 0} in an empty log. */
struct hs_position hs_log_last(struct hs_txn *txn);
/* Is it one of this log's?  HS_ERESET. */
enum hs_err hs_log_check_position(struct hs_txn *txn, const struct hs_position *position);
/* The same of one that need not be followed from; as hs_view_knows. */
enum hs_err hs_log_knows(struct hs_txn *txn, const struct hs_position *position);
/* Rows of commits before this one may be gone, with what was folded of them; 0: none, or after a failure of @txn. */
uint64_t hs_log_folded(struct hs_txn *txn);
/* And would who goes on from there miss nothing? */
enum hs_err hs_log_check_feed(struct hs_txn *txn, const struct hs_position *position);

/* The ops and states in the order in which they came, of the commits after @after up to @until, whole commits; no
 * further commit is begun once @limit of them are visited.  What was folded since is left out: it is in the base
 * states.  @to out: the last commit visited. */
struct hs_logged {
    struct hs_stream stream;
    uint64_t n;
    struct hs_bytes bytes;
    bool loose;                       /* of a forked stream: facts only */
    const struct hs_stored *state;    /* a base state came, and no op: nothing above is said; or NULL */
    const struct hs_evicted *evicted; /* the same: records of a district that is not held any more went; or NULL */
};
typedef enum hs_err (*hs_visit_rot)(void *ctx, const struct hs_stream *stream, uint64_t first, uint64_t last);
struct hs_log_span {
    uint64_t after, until; /* commit numbers */
    size_t limit;
    hs_visit_rot rot; /* ops that are not what was signed, which are left out; NULL: HS_EDAMAGED */
};
enum hs_err hs_log_walk(struct hs_txn *txn, const struct hs_log_span *span, hs_visit_logged visit, void *ctx,
                        struct hs_position *to);

/* ---- operations that rotted ---- */

enum hs_err hs_log_healed(struct hs_txn *txn, hs_visit_healed visit, void *ctx); /* as hs_view_healed */
/* If it is so: noted.  @mended: something was put right instead, which a replay before may have left out. */
enum hs_err hs_log_note_rot(struct hs_log *log, const struct hs_stream *stream, uint64_t first, uint64_t last,
                            bool *mended);
enum hs_err hs_log_note_receipt(struct hs_log *log, const struct hs_stream *stream, uint64_t store_id);
/* As hs_store_heal, in the log alone.  @others: operations outside the segment are right again, too. */
enum hs_err hs_log_heal(struct hs_log *log, const struct hs_segment *segment, bool *others);
/* Own ops from @first on go, and what the commits list of them; noted as issued anew, with @why. */
enum hs_err hs_log_strip(struct hs_log *log, const struct hs_stream *stream, uint64_t first, const char *why);
void hs_log_give_up(struct hs_log *log, const struct hs_healed *healed, const char *why); /* noted as gone */
/* Is it this node's own, and nowhere else as far as receipts say? */
enum hs_err hs_log_is_alone(struct hs_log *log, struct hs_txn *txn, const struct hs_healed *healed, bool *alone);
bool hs_log_is_rotten(struct hs_log *log, struct hs_txn *txn, const struct hs_healed *healed); /* still */

enum hs_err hs_log_note_check(struct hs_log *log, const struct hs_checked *checked);
void hs_log_checked(struct hs_txn *txn, struct hs_checked *checked);
/* Beside the log, in replaced/: a row that rotted, and is replaced. */
enum hs_err hs_log_keep(struct hs_log *log, const char *table, struct hs_bytes key, struct hs_bytes row);
/* A base state that does not match its checksum: the sound record takes its place, for it is what that and operations
 * add up to; NULL: it goes, and its lane of the district is filled anew. */
enum hs_err hs_log_note_base(struct hs_log *log, const struct hs_record_name *name, const struct hs_stored *record);
/* The first such, HS_ENOTFOUND; @name points into @key. */
enum hs_err hs_log_find_rotten_base(struct hs_log *log, uint8_t key[static HS_RECORD_KEY_BYTES_MAX],
                                    struct hs_record_name *name);

/* ---- checking ---- */

/* All tables, from the first row to the last, in steps; zeroed but for what is marked before the first. */
struct hs_log_check {
    struct hs_key root;               /* set: the region's */
    hs_visit_rotten visit;            /* set; anything but HS_OK ends the check */
    hs_visit_record base;             /* set: for each base state that is as it was stored; NULL: nobody cares */
    void *ctx;                        /* set: of both */
    struct hs_check_figures *figures; /* set; counted up */
    enum hs_err err;
    unsigned phase;
    uint8_t key[512]; /* of the last row read in this phase */
    size_t at_size;
    struct {
        struct hs_stream stream;
        uint64_t n, signed_n; /* the last op read, and the last that a checkpoint proves */
        struct hs_hash hash;
        bool broken; /* ops between them are missing */
    } at;
    uint64_t writer_origin;
    bool writer_known;
    struct hs_certificate writer;
};
/* About @budget rows.  HS_ENOMEM, HS_EIO...; damage is visited. */
enum hs_err hs_log_check_step(struct hs_log_check *check, struct hs_txn *txn, size_t budget);
bool hs_log_check_over(const struct hs_log_check *check);
uint64_t hs_log_check_rows(struct hs_txn *txn); /* that it will read; less where pages are damaged */
/* The writer of an origin's ops, NULL: not known; until the next call. */
const struct hs_certificate *hs_log_check_writer(struct hs_log_check *check, struct hs_txn *txn, uint64_t origin);
/* The region's root key and its node's role, as the store has them. */
enum hs_err hs_log_owner(struct hs_txn *txn, struct hs_key *root, enum hs_role *role);
/* The environment alone, of a store that nobody has open, to be looked at.  HS_ENOSTORE, HS_ESCHEMA, HS_EDAMAGED... */
enum hs_err hs_log_inspect(const char *path, size_t map_bytes, struct hs_env **env, struct hs_why *why);

#endif
