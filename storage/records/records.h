/* records.h -- what the log adds up to: states, indexes, balances, digests, derived lists.  Inside storage/ only; node/
 * sees store.h.  Everything here is a function of the ops applied: never replicated, rebuilt by replaying the log.
 *
 * One writer transaction stays open across many groups (hs_records_apply sees everything applied so far) and is
 * committed with the log position that it reflects.  It is begun by the first call that needs it and belongs to that
 * call's thread. */
#ifndef HS_RECORDS_H
#define HS_RECORDS_H

#include "storage/db/db.h"
#include "storage/store.h"

struct hs_records;

struct hs_records_options {
    const char *path;
    size_t map_bytes;
    bool create;
    int utc_offset_minutes;
};

/* Errors as hs_env_open; HS_ESCHEMA. */
enum hs_err hs_records_open(const struct hs_records_options *options, struct hs_records **records, struct hs_why *why);
void hs_records_close(struct hs_records *records); /* what is not committed is given up */

/* The log position that the last commit reflects; commit 0 in a new environment. */
struct hs_position hs_records_position(const struct hs_records *records);

struct hs_states_wanted {
    hs_partition partition;
    uint8_t lane;
    struct hs_bytes after; /* record key, or none */
    size_t limit;          /* bytes */
};

/* Records of a partition by their keys. */
struct hs_records_range {
    hs_partition partition;
    struct hs_bytes after, to; /* behind the one (none: all), up to the other (none: all) */
};
/* The last of at most so many records from the range's beginning on; how many they are. */
size_t hs_records_range(struct hs_txn *txn, const struct hs_records_range *range, size_t most,
                        uint8_t last[static HS_RECORD_KEY_BYTES_MAX], size_t *last_size);
bool hs_records_in_range(const struct hs_records_range *range, struct hs_bytes key);
/* They go, and everything that follows from them; with the first range of a partition its void ops. */
enum hs_err hs_records_evict(struct hs_records *records, const struct hs_records_range *range);

/* How an op takes effect.  @writer: its origin's certificate, NULL for an op of an unknown writer (void). */
enum hs_records_mode {
    HS_APPLY_WHOLE,
    HS_APPLY_FACTS, /* of a forked stream: register writes have no effect */
};
struct hs_records_op {
    struct hs_stream stream;
    uint64_t n;
    struct hs_bytes bytes;
    const struct hs_certificate *writer;
    bool own; /* of this node: its request id and its cash numbers are indexed */
    enum hs_records_mode mode;
    const struct hs_records_range *only; /* records in it, and no others; NULL: all */
    struct hs_dot *watched; /* an origin; n is raised to the highest number of it that the op names; or NULL */
};
/* HS_OK also for a void op (listed).  Else the environment failed: abort. */
enum hs_err hs_records_apply(struct hs_records *records, const struct hs_records_op *op);
/* What the op would write, were it applied now: HS_OK, the reason why it is void, or HS_ENOMEM. */
enum hs_err hs_records_judge(const struct hs_records_op *op, struct hs_arena *arena, struct hs_op *decoded);
/* The op is not kept any more: its request id and its being void are forgotten. */
enum hs_err hs_records_forget(struct hs_records *records, const struct hs_records_op *op, struct hs_bytes request);
/* Join a state, with its hash, to the record of that name.  @watched as above.  HS_EMALFORMED: it is not in canonical
 * form; as any other failure it sticks. */
enum hs_err hs_records_join(struct hs_records *records, const struct hs_stored *came, struct hs_dot *watched);

/* For a supplier, as hs_view_states and hs_view_states_count. */
enum hs_err hs_records_states(struct hs_txn *txn, const struct hs_states_wanted *wanted, struct hs_buf *body,
                              struct hs_bytes *next, bool *last);
uint64_t hs_records_states_count(struct hs_txn *txn, hs_partition partition, uint8_t lane);

/* Commit with this position, synced.  On failure everything since the last commit is gone and must be replayed. */
enum hs_err hs_records_commit(struct hs_records *records, const struct hs_position *position);
/* Give up everything since the last commit and begin the next transaction. */
enum hs_err hs_records_abort(struct hs_records *records);
/* End the transaction, in which nothing was applied: its thread is about to end, or has nothing more to do. */
void hs_records_rest(struct hs_records *records);
enum hs_err hs_records_empty(struct hs_records *records); /* everything, position 0: before a replay from the start */

/* Reading: in the writer's transaction (hs_records_txn) or in a snapshot. All of hs_view_* in store.h about records is
 * a thin call of these, with the same names and contracts. */
/* Costs nothing: reading digests, totals or counts writes the cached rows first. */
struct hs_txn *hs_records_txn(struct hs_records *records);
enum hs_err hs_records_snapshot(struct hs_records *records, struct hs_txn *txn); /* any thread */
struct hs_position hs_records_snapshot_position(struct hs_txn *txn);
enum hs_err hs_records_readers(const struct hs_records *records, struct hs_reader *oldest); /* any thread */
uint64_t hs_records_left_bytes(const struct hs_records *records);                           /* of the map; any thread */
uint64_t hs_records_used_bytes(struct hs_records *records);

enum hs_err hs_records_get(struct hs_txn *txn, const struct hs_record_name *name, struct hs_stored *stored);
enum hs_err hs_records_find(struct hs_txn *txn, uint16_t kind, struct hs_bytes id, struct hs_stored *stored);
enum hs_err hs_records_index(struct hs_txn *txn, uint16_t kind, uint8_t index, struct hs_bytes key,
                             struct hs_bytes after, hs_visit_record visit, void *ctx);
enum hs_err hs_records_all(struct hs_txn *txn, uint16_t kind, struct hs_bytes after, hs_visit_record visit, void *ctx);
enum hs_err hs_records_request(struct hs_txn *txn, struct hs_bytes request, struct hs_stream *stream, uint64_t *n);
enum hs_err hs_records_totals(struct hs_txn *txn, const struct hs_totals_filter *filter, struct hs_totals *totals);
enum hs_err hs_records_bill(struct hs_txn *txn, const char *account, struct hs_bytes bill_id,
                            struct hs_bill_sums *sums);
enum hs_err hs_records_unpaid(struct hs_txn *txn, struct hs_unpaid_scan *at, hs_visit_unpaid visit, void *ctx);
enum hs_err hs_records_digests(struct hs_txn *txn, hs_visit_digest visit, void *ctx);
enum hs_err hs_records_digest_level(struct hs_txn *txn, hs_partition partition, uint16_t kind, int branch,
                                    hs_visit_digest visit, void *ctx);
enum hs_err hs_records_digest_leaf(struct hs_txn *txn, hs_partition partition, uint16_t kind, uint32_t leaf,
                                   struct hs_bytes after, hs_visit_record visit, void *ctx);
enum hs_err hs_records_list(struct hs_txn *txn, enum hs_list list, struct hs_bytes after, hs_visit_listed visit,
                            void *ctx);
uint64_t hs_records_list_count(struct hs_txn *txn, enum hs_list list);
bool hs_records_listed(struct hs_txn *txn, enum hs_list list, const struct hs_record_name *name);
enum hs_err hs_records_standing(struct hs_txn *txn, const struct hs_stored *stored, struct hs_standing *standing);
enum hs_err hs_records_decisions(struct hs_txn *txn, const struct hs_record_name *record, hs_visit_decided visit,
                                 void *ctx);
/* The highest counter of a cash number series of this node so far; 0: none.  @series: as in the number, without the
 * counter. */
uint64_t hs_records_counter(struct hs_txn *txn, const char *series);

/* Recompute everything derived from the states (indexes, groups, digests, lists) in a snapshot and compare: HS_EDAMAGED
 * and why. */
enum hs_err hs_records_verify(struct hs_txn *txn, struct hs_why *why);
/* The same, given up with HS_ESTOPPING when @stopped, asked at each record and row, says so. */
enum hs_err hs_records_verify_until(struct hs_txn *txn, bool (*stopped)(void *ctx), void *ctx, struct hs_why *why);

/* All of a partition and lane; HS_EDAMAGED ones are left out. */
enum hs_err hs_records_each(struct hs_txn *txn, hs_partition partition, uint8_t lane, hs_visit_record visit, void *ctx);
/* Each record's own checksum, in steps; zeroed before the first. */
struct hs_records_scan {
    uint8_t key[HS_RECORD_KEY_BYTES_MAX]; /* of the last one */
    size_t size;
    uint64_t records;
    bool over;
};
enum hs_err hs_records_scan(struct hs_txn *txn, struct hs_records_scan *at, size_t budget, hs_visit_rotten visit,
                            void *ctx);
uint64_t hs_records_count(struct hs_txn *txn); /* that it will read */
/* The environment alone, of a store that nobody has open, to be looked at.  HS_ERESET: of another version or other
 * rules, which the next start makes anew; HS_ENOSTORE, HS_EDAMAGED... */
enum hs_err hs_records_inspect(const char *path, size_t map_bytes, struct hs_env **env, struct hs_why *why);

#endif
