/* cache.h -- rows of sums that are changed again and again between two commits: balances, days, digests, counts.  A
 * row is read once, changed in memory, and written when somebody reads the table or the transaction is committed.
 *
 * Failures go to the transaction's sticky error; a row that could not be had is NULL. */
#ifndef HS_RECORDS_CACHE_H
#define HS_RECORDS_CACHE_H

#include "proto/base/arena.h"
#include "storage/records/rows.h"

#define HS_CACHED_ROWS_MAX 32768 /* beyond it everything is written and dropped */

struct hs_row {
    struct hs_bytes key;
    hs_table table;
    bool dirty;
    bool stored; /* the table has it */
    union {
        struct hs_sums sums;
        struct hs_tally tally; /* of HS_TABLE_ROOT and HS_TABLE_LEAF */
    };
};

struct hs_slot {
    struct hs_row *row; /* NULL: free */
    uint64_t hash;
};

struct hs_cache {
    struct hs_arena arena; /* rows and keys */
    struct hs_row **rows;
    size_t count, room;
    size_t dirty_count;
    struct hs_slot *slots; /* open addressing */
    size_t slot_count;     /* a power of two, or 0 */
    struct hs_buf value;
    uint8_t secret[16]; /* of the hash, so that nobody chooses keys that collide */
};

void hs_cache_init(struct hs_cache *cache);
void hs_cache_fini(struct hs_cache *cache);
void hs_cache_drop(struct hs_cache *cache); /* forget all rows, changed ones too */

/* The row, read from the table if it is not here; a row that is nowhere is made of zeros.  Valid until the cache is
 * dropped. */
struct hs_row *hs_cache_row(struct hs_cache *cache, struct hs_txn *txn, hs_table table, struct hs_bytes key);
void hs_cache_touch(struct hs_cache *cache, struct hs_row *row); /* it is about to be changed */
/* Write what has changed, in the tables' order; a row of zeros is deleted. */
void hs_cache_write(struct hs_cache *cache, struct hs_txn *txn);
void hs_cache_write_row(struct hs_cache *cache, struct hs_txn *txn, struct hs_row *row);

#endif
