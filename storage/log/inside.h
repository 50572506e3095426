/* inside.h -- what the files of this room share: tables, rows, the open group. */
#ifndef HS_LOG_INSIDE_H
#define HS_LOG_INSIDE_H

#include "storage/log/continuity.h"
#include "storage/log/log.h"

#define LOG_SCHEMA 2

enum {
    LOG_META,
    LOG_COMMIT,
    LOG_OP,
    LOG_RECEIPT,
    LOG_CERTIFICATE,
    LOG_ORIGIN,
    LOG_ENROLMENT,
    LOG_FORK,
    LOG_LOOSE,
    LOG_SERIES,
    LOG_BASE,
    LOG_FILL,
    LOG_FILL_HEAD,
    LOG_FOLD,
    LOG_EVICT,
    LOG_REVOCATION, /* from here on since schema 2 */
    LOG_RELEASE,
    LOG_PEER_STORE,
    LOG_ANNOUNCED,
    LOG_BACKUP,
    LOG_HEALED,
    LOG_TABLE_COUNT
};
extern const char *const LOG_TABLES[LOG_TABLE_COUNT];
hs_table log_table_of(const char *name); /* dump.c; LOG_TABLE_COUNT: there is none */

/* Rows of LOG_OP: a stream's ops and, behind the op that it signs, its checkpoint.  One table, so that a commit touches
 * one page for both; the last row of a stream is always a checkpoint, so it is the stream's head as well.
 *
 * A stream begins with op 1, or behind a checkpoint that is marked as a beginning: what lies below came as state, or
 * became that.  A beginning may stand in the middle, behind a gap: the ops before it are left to be folded (LOG_FOLD).
 */
enum { ROW_OP = 0, ROW_CHECKPOINT = 1 };
#define OP_KEY_BYTES         (HS_STREAM_KEY_BYTES + 8 + 1)
#define CHECKPOINT_ROW_BYTES (HS_HASH_BYTES + HS_SIGNATURE_BYTES + 8)
#define BEGINNING_ROW_BYTES  (CHECKPOINT_ROW_BYTES + 1)
#define BEGINNING_MARK       1

struct log_checkpoint {
    uint64_t n;
    struct hs_hash hash;
    struct hs_signature signature;
    uint64_t bytes; /* of the stream's ops up to n, as they lie in segments, as far as they ever lay here */
    bool begins;    /* no op before it in the table leads to it */
};

void log_op_key(const struct hs_stream *stream, uint64_t n, uint8_t row, uint8_t key[static OP_KEY_BYTES]);
/* The newest checkpoint at or below n; HS_ENOTFOUND, HS_EDAMAGED. */
enum hs_err log_find_checkpoint(struct hs_txn *txn, const struct hs_stream *stream, uint64_t n,
                                struct log_checkpoint *out);
/* The oldest at or above n.  In a commit that alternates between streams a run may end before the one that signs it. */
enum hs_err log_next_checkpoint(struct hs_txn *txn, const struct hs_stream *stream, uint64_t n,
                                struct log_checkpoint *out);
enum hs_err log_decode_checkpoint(const struct hs_scan *scan, struct log_checkpoint *out); /* n is of the key */
bool log_reaches(const struct hs_log_reader *reader, const struct hs_stream *stream,
                 uint64_t n); /* is its head there? */
/* Bytes of an op in a segment: its length and itself. */
size_t log_sized_bytes(size_t size);

/* A stream that the open group has touched. */
struct log_grown {
    struct hs_stream stream;
    uint64_t n; /* its head */
    struct hs_hash hash;
    uint64_t bytes;
    uint64_t sealed_n, sealed_bytes; /* its newest checkpoint */
    uint64_t before_n;               /* its head when the group began */
    bool received;                   /* a segment came */
};

/* What a commit's row lists. */
#define COMMIT_HEAD_BYTES (8 + 8)
enum { ITEM_OPS = 1, ITEM_LOOSE = 2, ITEM_STATES = 3, ITEM_EVICTED = 4 };
struct log_item {
    uint8_t type;
    struct hs_stream stream;
    uint64_t first, count; /* of ITEM_LOOSE only first, and: */
    struct hs_hash end;
    struct hs_bytes from, to; /* of ITEM_STATES only these: record keys of the first and the last; of ITEM_EVICTED
                                 behind which, up to which, and the stream's partition */
};

/* Base states that came in the open group, in a row. */
struct log_came {
    uint8_t first[HS_RECORD_KEY_BYTES_MAX], last[HS_RECORD_KEY_BYTES_MAX];
    size_t first_size, last_size; /* 0: none */
};
#define LOOSE_KEY_BYTES (HS_STREAM_KEY_BYTES + 8 + HS_HASH_BYTES)
void log_loose_key(const struct hs_stream *stream, uint64_t first, const struct hs_hash *end,
                   uint8_t key[static LOOSE_KEY_BYTES]);
/* HS_EDAMAGED, too, if the ops are not those that were signed. */
enum hs_err log_loose_decode(struct hs_bytes key, struct hs_bytes value, struct hs_loose *loose);
/* The part of a run that has not been folded; count 0: all of it has. */
enum hs_err log_clip_run(struct hs_txn *txn, struct log_item *run);
/* Are the ops of a run those that the checkpoint which covers them says?  HS_EDAMAGED. */
enum hs_err log_check_run(struct hs_txn *txn, const struct log_item *run);

/* This node's origins. */
#define WHY_BYTES_MAX 200
struct log_life {
    uint64_t current;            /* 0: none is open */
    uint64_t last;               /* the newest that was ever open */
    uint64_t count;              /* of this node, other copies' included */
    char why[WHY_BYTES_MAX + 1]; /* the last one was struck out, if it was */
};

/* What this node holds in full. */
enum log_extent { SCOPE_NOTHING, SCOPE_LISTED, SCOPE_EVERYTHING };
struct log_scope {
    enum log_extent extent;
    size_t count;
    hs_partition partitions[HS_SCOPE_MAX + 1];
};

struct log_known; /* a decoded certificate */

struct hs_log {
    struct hs_env *env;
    char *path; /* of its environment */
    struct hs_signer signer;
    uint64_t (*now_ms)(void *ctx);
    void (*random)(void *ctx, void *to, size_t size);
    void *ctx;
    uint64_t store_id;
    uint32_t schema;   /* on disk */
    uint32_t migrated; /* the one before this start, if it was another; else 0 */
    struct hs_certificate certificate;
    struct hs_buf own; /* the same, encoded */
    struct log_scope scope;
    bool evicts_first; /* at the start: an eviction is to be ended before anything else comes */
    struct hs_note *note;
    const char *broken;
    bool in_doubt;
    struct hs_older older; /* as the open group found it */
    bool older_found;
    uint64_t renewed_from;           /* the store's id before this start, if it got another; else 0 */
    char renewed[WHY_BYTES_MAX + 1]; /* and why */
    uint64_t doubt_ms;               /* as hs_store_doubt_ms */
    bool doubt_stale;                /* the table does not say so yet */
    struct hs_position position;
    enum hs_err fatal;
    hs_stamp stamp; /* the last one given */
    struct log_life life;
    bool life_stale; /* the table does not say so yet */

    /* the open group */
    bool in_group;
    bool dirty;
    bool migrates;       /* this group does */
    bool stores_changed; /* of this group: a store is known to be gone that was not */
    bool is_to_renew;    /* of this group: this store gets another id at its next opening */
    struct hs_txn txn;
    struct log_life life_before;
    struct log_grown *grown;
    size_t grown_count, grown_room;
    struct hs_buf items;
    bool revoked;         /* a revocation or a release came in it */
    struct log_item run;  /* the last item, still growing; count 0: none */
    struct log_came came; /* the same of states */

    struct hs_receipt *vouched; /* signed in the name of the backups; told with the commit's own */
    size_t vouched_count, vouched_room;

    /* what the last commit did */
    struct hs_head *heads;
    struct hs_receipt *receipts;
    size_t result_room;

    /* A witness's way through all commits, to see that their rows list what is held, or to delete them. */
    bool tidying, tidy_again; /* under way; ops went since it began */
    uint64_t tidied;          /* how far it is */

    struct log_known *known; /* ascending by node key */
    size_t known_count, known_room;
    uint64_t memo_origin; /* the last one asked for, and its writer */
    const struct hs_certificate *memo_writer;
};

/* make.c.  Where a new log at @path is to be made: beside it, or empty if there is a file already. */
#define LOG_PATH_BYTES 4096
enum hs_err log_make_beside(const char *path, char beside[static LOG_PATH_BYTES], struct hs_why *why);
/* It is whole: to its place, and all names down to it on disk. */
enum hs_err log_put_in_place(const char *beside, const char *path, struct hs_why *why);

enum hs_err log_sync_names(const char *dir, struct hs_why *why); /* of its files, and its own */

const char *log_table_name(hs_table table);
/* migrate.c.  In the open group, from log->schema to LOG_SCHEMA, after copies of the tables that it changes. */
enum hs_err log_migrate(struct hs_log *log, struct hs_why *why);

/* Let the group fail; the first error stays. */
enum hs_err log_fail(struct hs_log *log, enum hs_err err);
/* The group's transaction, to change something in it. */
struct hs_txn *log_change(struct hs_log *log);
/* The stream as the group has it; NULL after an error.  Valid until the next call. */
struct log_grown *log_touch(struct hs_log *log, const struct hs_stream *stream);
/* The same if it was touched before, else NULL. */
const struct log_grown *log_touched(const struct hs_log *log, const struct hs_stream *stream);
/* Sign the head of a stream if ops of this node lie beyond its newest checkpoint. */
void log_seal(struct hs_log *log, struct log_grown *grown);
/* Its head is now this, though what leads to it is not here: the stream goes on behind it. */
void log_begin_behind(struct hs_log *log, struct log_grown *grown, const struct hs_signed_head *head);
/* Its head is signed by this. */
void log_put_checkpoint(struct hs_log *log, struct log_grown *grown, const struct hs_signature *signature);
/* The commit's row: begun with the group, and what it lists. */
void log_begin_commit(struct hs_log *log);
void log_list(struct hs_log *log, const struct log_item *item);
void log_list_states(struct hs_log *log, struct hs_bytes from, struct hs_bytes to); /* of one partition and lane */
void log_put_commit(struct hs_log *log, const struct hs_position *position);
void log_put_receipt_row(struct hs_log *log, const struct hs_receipt *receipt);

/* base.c, begin.c, fill.c */
enum hs_err log_decode_base(struct hs_bytes key, struct hs_bytes row, struct hs_stored *state); /* hash checked */
enum hs_err log_bases(struct hs_txn *txn, struct hs_bytes from, struct hs_bytes to, hs_visit_record visit, void *ctx);
#define FOLD_KEY_BYTES (HS_STREAM_KEY_BYTES + 8)
struct hs_bytes log_fold_key(const struct hs_stream *stream, uint64_t n, uint8_t key[static FOLD_KEY_BYTES]);
/* Ops at or below @n of the stream are left to be folded, those before its first gap.  HS_ENOTFOUND: it has none. */
enum hs_err log_find_fold(struct hs_txn *txn, const struct hs_stream *stream, uint64_t *n);
/* If that is more of the current origin than is held, the origin is struck out. */
enum hs_err log_watch_own(struct hs_log *log, const struct hs_signed_head *head, uint64_t held);
/* Let the stream go on behind this head, unless it has got there or is forked. */
enum hs_err log_jump(struct hs_log *log, const struct hs_signed_head *head);
/* At the end of a group: a fill of money is over where the log has got to the heads noted. */
void log_end_money_fills(struct hs_log *log);

void log_list_evicted(struct hs_log *log, const struct hs_evicted *piece);
/* As many ops as are held are listed by commits; HS_EDAMAGED. */
enum hs_err log_check_listed(struct hs_txn *txn);
enum hs_err log_read_item(struct hs_cur *cur, struct log_item *item); /* HS_EDAMAGED */
void log_put_item(struct hs_buf *to, const struct log_item *item);

/* drop.c */
/* The row of a checkpoint, whatever was there. */
void log_put_row(struct hs_log *log, const struct hs_stream *stream, const struct log_checkpoint *at);
/* The ops up to n, at which there is a checkpoint, go; the stream begins behind it. */
enum hs_err log_drop_until(struct hs_log *log, const struct hs_stream *stream, uint64_t n);
/* All of it, as far as the budget goes, rows of ops first. */
void log_drop_stream(struct hs_log *log, const struct hs_stream *stream, size_t *budget);
void log_drop_loose(struct hs_log *log, const struct log_item *item);
/* Go through what the first commit from *commit on lists; *commit out: its number.  HS_ENOTFOUND: there is none. */
typedef enum hs_err (*log_edit_item)(void *ctx, struct log_item *item, bool *keep);
enum hs_err log_edit_commit(struct hs_log *log, uint64_t *commit, log_edit_item edit, void *ctx);

/* receipt.c */
enum hs_err log_decode_receipt(struct hs_bytes key, struct hs_bytes row, struct hs_receipt *receipt);
enum hs_err log_get_receipt(struct hs_txn *txn, const struct hs_stream *stream, uint64_t store_id,
                            struct hs_receipt *receipt);
void log_drop_receipt(struct hs_log *log, const struct hs_stream *stream, uint64_t store_id);
/* How far another hub's store has signed for the stream, on the branch that is here; 0: not at all. */
enum hs_err log_signed_by_hub(struct hs_log *log, const struct hs_stream *stream, uint64_t *n);
enum hs_err log_signed_by_two_hubs(struct hs_log *log, const struct hs_stream *stream, uint64_t *n);
/* Receipts at or below n that speak of another branch: soon they could not be compared any more. */
enum hs_err log_drop_false_receipts(struct hs_log *log, const struct hs_stream *stream, uint64_t n);
void log_drop_receipts(struct hs_log *log, const struct hs_stream *stream);
/* Would this store's receipt for n say more than the one that is held? */
bool log_receipt_raises(struct hs_log *log, const struct hs_stream *stream, uint64_t store_id, uint64_t n);

/* How far hubs' stores, this one among them, have signed for it, held or not. */
enum hs_err log_signed_at_all(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t *n);

/* revoke.c */
/* HS_EREVOKED: the key is not its node's any more. */
enum hs_err log_check_revoked(struct hs_txn *txn, struct hs_bytes node_key);
/* HS_EREVOKED: op n of the stream is not taken, for its writer's key was revoked, and nobody vouches for it. */
enum hs_err log_check_limit(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n);

/* replaced.c: the row is about to go, or to become another, because it has rotted; no row: nothing to be kept. */
void log_keep_row(struct hs_log *log, hs_table table, struct hs_bytes key);

/* heal.c: rows of the list; of the one @of names. */
void log_put_healed(struct hs_log *log, const struct hs_healed *healed);
enum hs_err log_get_healed(struct hs_txn *txn, const struct hs_healed *of, struct hs_healed *healed);

/* heal_receipt.c: a receipt came, or its store is gone: one that rotted is not waited for any more. */
enum hs_err log_settle_receipt(struct hs_log *log, const struct hs_stream *stream, uint64_t store_id);
enum hs_err log_settle_store(struct hs_log *log, uint64_t store_id);

/* backups.c: this node's word for a head, in the name of a store of its own; put, and told with the commit. */
enum hs_err log_vouch(struct hs_log *log, uint64_t store_id, const struct hs_head *head);

void log_note_signed(struct hs_log *log, const struct hs_receipt *receipt); /* announced.c */

/* renew.c */
enum hs_err log_renew(struct hs_log *log, const char *why); /* at the next opening */
/* No more of the current origin; and one that signs receipts goes on as another store. */
enum hs_err log_renew_or_strike(struct hs_log *log, const char *why);
/* Does this store hold what a receipt of its own for the head would say? */
enum hs_err log_may_vouch(struct hs_log *log, const struct hs_head *head, bool *may);
/* This store goes on under another id than @old_id: what was signed in its name is worth nothing any more, and the next
 * opening signs for all that is held. */
void log_mark_replaced(struct hs_txn *txn, uint64_t old_id, uint64_t now_ms);
enum hs_err log_enter_store(struct hs_log *log); /* at the opening: another id, if it is due */

/* The stream with the lowest key that is not below @from's (may be the same object); HS_ENOTFOUND. */
enum hs_err log_next_stream(struct hs_txn *txn, const struct hs_stream *from, struct hs_stream *stream);
/* The same of those with rows in another table whose keys begin with the stream's. */
enum hs_err log_next_stream_in(struct hs_txn *txn, hs_table table, const struct hs_stream *from,
                               struct hs_stream *stream);
bool log_step_stream(struct hs_stream *stream); /* to the next possible key; false: there is none */

/* older.c: the operations of a segment from this one on are this node's own, and came back. */
enum hs_err log_came_back(struct hs_log *log, const struct hs_segment *segment, uint64_t from);

/* fill.c */
enum hs_err log_drop_fills(struct hs_log *log, hs_partition partition);

/* scope.c, evict.c */
bool log_in_scope(const struct log_scope *scope, hs_partition partition);
/* The scope by certificate and options; against the one before: what is new is filled, what is gone evicted. */
enum hs_err log_enter_scope(struct hs_log *log, const struct hs_log_options *options);
enum hs_err log_regain(struct hs_log *log, hs_partition partition);      /* it is in the scope again, or anew */
enum hs_err log_evict_begin(struct hs_log *log, hs_partition partition); /* under way: HS_OK */
/* If nothing went yet; @evicting: something did. */
enum hs_err log_evict_cancel(struct hs_log *log, hs_partition partition, bool *evicting);

/* origin.c, meta.c: whose key an origin is under, and which the region's root is; HS_ENOTFOUND. */
enum hs_err log_find_writer(struct hs_txn *txn, uint64_t origin, struct hs_key *node_key);
enum hs_err log_find_root(struct hs_txn *txn, struct hs_key *root);

/* meta.c, commits.c */
/* The last commit of which something was folded: older rows list what is left, and may be gone. */
void log_put_folded(struct hs_log *log, uint64_t commit);
uint64_t log_anew(struct hs_txn *txn);
void log_put_anew(struct hs_log *log);    /* records of before this commit are to be made anew */
void log_reset_feeds(struct hs_log *log); /* who follows from before this commit would miss what goes in it */
void log_put_life(struct hs_log *log);
void log_doubt(struct hs_log *log); /* from now on; the next commit that is made puts it */
void log_put_doubt(struct hs_log *log);
void log_put_schema(struct hs_log *log);                                /* this program's */
bool log_is_own_key(struct hs_txn *txn, const struct hs_key *node_key); /* of this node, now */
uint64_t log_own_store(struct hs_txn *txn);
enum hs_err log_get_life(struct hs_txn *txn, struct log_life *life);
enum hs_err log_enter(struct hs_log *log, const struct hs_log_options *options, struct hs_why *why);
hs_stamp log_last_stamp(struct hs_txn *txn);
struct hs_position log_before_last(struct hs_txn *txn);

/* Decoded certificates are forgotten when one is replaced and when a group is given up. */
void log_forget_certificates(struct hs_log *log);
enum hs_err log_decode_certificate(const struct hs_log *log, struct hs_bytes encoded, struct hs_certificate *out);

#endif
