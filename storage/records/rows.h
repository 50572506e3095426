/* rows.h -- the tables of the records environment, their keys, and the values of its sums.  FORMAT.md, section 2. */
#ifndef HS_RECORDS_ROWS_H
#define HS_RECORDS_ROWS_H

#include "proto/base/hash.h"
#include "storage/db/db.h"
#include "storage/store.h"

enum hs_records_table {
    HS_TABLE_META,  /* position and rules; how many rows each list has; nodes of origins */
    HS_TABLE_STATE, /* record key -> hash, state */
    HS_TABLE_INDEX, /* by value: index rows, and the sums of accounts and bills beside them */
    HS_TABLE_DAY,   /* sums by business date, window and origin */
    HS_TABLE_ROOT,  /* digests */
    HS_TABLE_LEAF,
    HS_TABLE_LIST,
    HS_TABLE_FOLD,    /* record key of a ticket -> its state and its last event, so that the next one goes on there */
    HS_TABLE_REQUEST, /* own request ids -> stream, n */
    HS_TABLE_NUMBER,  /* own cash number series -> highest counter */
    HS_TABLE_COUNT,
};
extern const char *const HS_RECORDS_TABLES[HS_TABLE_COUNT];

/* ---- keys ---- */

#define HS_INDEX_VALUE_BYTES_MAX 200 /* a longer value stands as its hash */
#define HS_ROW_KEY_BYTES_MAX     (1 + HS_INDEX_VALUE_BYTES_MAX + 2 + 1 + 2 + HS_RECORD_ID_BYTES_MAX)

struct hs_row_key {
    uint8_t bytes[HS_ROW_KEY_BYTES_MAX];
    size_t size;
};
struct hs_bytes hs_row_key_bytes(const struct hs_row_key *key);
void hs_row_key_put(struct hs_row_key *key, struct hs_bytes bytes);

/* What all index rows of one value and index begin with; and one of them. */
void hs_index_prefix(struct hs_row_key *key, struct hs_bytes value, uint16_t kind, uint8_t index);
void hs_index_key(struct hs_row_key *key, struct hs_bytes value, uint8_t index, const struct hs_record_name *name);

/* Rows of sums lie in the same table under the account, as if they were of a kind 0. */
enum hs_sums_index { HS_SUMS_ACCOUNT = 1, HS_SUMS_BILL = 2 };
void hs_account_key(struct hs_row_key *key, struct hs_bytes account, hs_partition partition);
void hs_bill_key(struct hs_row_key *key, struct hs_bytes account, struct hs_bytes bill_id, hs_partition partition);
/* Is this the key of a sums row, and of which sort?  0: of an index row.  HS_EMALFORMED leaves *sort alone. */
enum hs_err hs_sums_sort(struct hs_bytes key, uint8_t *sort);
/* Account and bill of the key of a bill's sums; views into the key. */
void hs_bill_from_key(struct hs_bytes key, struct hs_bytes *account, struct hs_record_name *bill);

struct hs_day {
    uint32_t date;
    uint32_t window;
    uint64_t origin;
};
#define HS_DAY_KEY_BYTES 16
extern const struct hs_day HS_DAY_TOTAL; /* a date that is none: the sums over all days */
void hs_day_key(struct hs_row_key *key, const struct hs_day *day);
enum hs_err hs_day_from_key(struct hs_bytes key, struct hs_day *day); /* HS_EMALFORMED */

void hs_root_key(struct hs_row_key *key, hs_partition partition, uint16_t kind);
void hs_leaf_key(struct hs_row_key *key, hs_partition partition, uint16_t kind, uint32_t leaf);

/* @extra tells rows of one record apart; may be empty. */
void hs_list_key(struct hs_row_key *key, enum hs_list list, const struct hs_record_name *name, struct hs_bytes extra);
enum hs_err hs_list_from_key(struct hs_bytes key, enum hs_list *list, struct hs_record_name *name); /* HS_EMALFORMED */

/* ---- values ---- */

/* A sum of amounts: no number of records that fits a disk makes it overflow. */
typedef __int128 hs_wide;
void hs_wide_put(struct hs_buf *buf, hs_wide value);
hs_wide hs_wide_take(struct hs_cur *cur);
enum hs_err hs_wide_narrow(hs_wide wide, int64_t *narrow); /* HS_EOVERFLOW leaves *narrow alone */

enum hs_pair {
    HS_PAIR_PAID,     /* payments */
    HS_PAIR_REVERSED, /* reversals of payments that are here, with the amounts of these */
    HS_PAIR_BILLED,   /* of a bill's sums: the bill itself */
    HS_PAIR_SETTLED,  /* given back, or of a bill's sums counted elsewhere; below zero: counted here */
    HS_PAIR_LATE,     /* of a bill's sums: its late fees, which are in what it can ever ask for */
    HS_PAIR_COUNT,
};
struct hs_sums {
    struct {
        int64_t count;
        hs_wide fen;
    } of[HS_PAIR_COUNT];
};
/* Pairs at the end that are zero are left out, so sums of nothing have no bytes. */
void hs_sums_put(struct hs_buf *buf, const struct hs_sums *sums);
enum hs_err hs_sums_read(struct hs_bytes bytes, struct hs_sums *sums); /* HS_EMALFORMED */

/* A digest row: how many records, and the sum of their hashes. */
struct hs_tally {
    uint64_t count;
    struct hs_hash sum;
};
void hs_tally_put(struct hs_buf *buf, const struct hs_tally *tally);
enum hs_err hs_tally_read(struct hs_bytes bytes, struct hs_tally *tally); /* HS_EMALFORMED */

/* A row of the state table: 32 bytes of hash, then the state.  HS_EDAMAGED if they do not belong together. */
enum hs_err hs_state_read(const struct hs_record_name *name, struct hs_bytes value, struct hs_stored *stored);

#endif
