/* Everything derived, recomputed from the states and held against the tables, in one pass over each and in memory
 * that does not grow: digests leaf by leaf; rows of indexes and lists as a sum of keyed hashes; sums of money as a
 * sum of (keyed hash of the row's key) times (number), which adds up alike whether taken from the contributions or
 * from the rows.  The key is fresh each time, so no two errors can be made to cancel. */
#include "storage/records/env.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned __int128 mark;

#define LISTS_MAX 16

/* What one side, states or tables, comes to. */
struct account {
    mark index;
    mark lists;
    mark folds;
    mark counts[2][HS_PAIR_COUNT]; /* [0] accounts and bills, [1] days */
    mark fens[2][HS_PAIR_COUNT];
};

struct check {
    struct hs_derive derive;
    enum hs_err err;
    bool (*stopped)(void *ctx);
    void *stopped_ctx;
    struct hs_txn *txn;
    struct hs_arena arena;
    uint8_t secret[crypto_generichash_KEYBYTES];
    struct account states;
    struct account tables;
    uint64_t listed[LISTS_MAX];
    uint64_t records;
    uint64_t leaves;
    struct hs_tally root;
    struct hs_tally leaf[HS_DIGEST_LEAVES];
};

static mark mark_of(const struct check *check, hs_table table, struct hs_bytes key, struct hs_bytes value)
{
    mark out;
    uint8_t head[3] = {(uint8_t)table, (uint8_t)(key.size >> 8), (uint8_t)key.size};
    crypto_generichash_state state;
    crypto_generichash_init(&state, check->secret, sizeof check->secret, sizeof out);
    crypto_generichash_update(&state, head, sizeof head);
    crypto_generichash_update(&state, key.data, key.size);
    crypto_generichash_update(&state, value.data, value.size);
    crypto_generichash_final(&state, (uint8_t *)&out, sizeof out);
    return out;
}

static enum hs_err go_on(const struct check *check)
{
    return check->stopped != NULL && check->stopped(check->stopped_ctx) ? HS_ESTOPPING : HS_OK;
}

static void account_sum(struct account *account, hs_table table, mark row, enum hs_pair pair, int64_t count,
                        hs_wide fen)
{
    size_t sort = table == HS_TABLE_DAY;
    account->counts[sort][pair] += row * (mark)count;
    account->fens[sort][pair] += row * (mark)fen;
}

/* ---- from the states ---- */

static void mark_index(struct hs_derive *derive, const struct hs_row_key *key, bool there)
{
    struct check *check = derive->ctx;
    if (there)
        check->states.index += mark_of(check, HS_TABLE_INDEX, hs_row_key_bytes(key), HS_BYTES_NONE);
}

static void mark_sum(struct hs_derive *derive, const struct hs_addition *addition)
{
    struct check *check = derive->ctx;
    mark row = mark_of(check, addition->table, hs_row_key_bytes(addition->key), HS_BYTES_NONE);
    account_sum(&check->states, addition->table, row, addition->pair, addition->sign,
                addition->sign * (hs_wide)addition->fen);
}

static void mark_listing(struct hs_derive *derive, const struct hs_row_key *key, const struct hs_listing *listing)
{
    struct check *check = derive->ctx;
    if (listing == NULL)
        return;
    struct hs_buf value = {0};
    hs_wide_put(&value, listing->fen);
    hs_buf_put_bytes(&value, listing->detail);
    hs_derive_fail(derive, value.err);
    check->states.lists += mark_of(check, HS_TABLE_LIST, hs_row_key_bytes(key), hs_buf_bytes(&value));
    hs_buf_fini(&value);
}

static void mark_fold(struct hs_derive *derive, struct hs_bytes key, struct hs_bytes row)
{
    struct check *check = derive->ctx;
    if (row.size != 0)
        check->states.folds += mark_of(check, HS_TABLE_FOLD, key, row);
}

static const struct hs_derive_sink CHECK_SINK = {
    .index = mark_index, .add = mark_sum, .list = mark_listing, .fold = mark_fold};

static void tally(struct hs_tally *to, const struct hs_hash *hash)
{
    to->count++;
    hs_sum_add(&to->sum, hash);
}

static enum hs_err check_record(struct check *check, const struct hs_stored *stored)
{
    struct hs_facet facet;
    hs_arena_reset(&check->arena);
    hs_facet_of_stored(&check->derive, stored, &facet);
    if (check->err == HS_OK)
        hs_derive_whole(&check->derive, &facet);
    tally(&check->root, &stored->hash);
    tally(&check->leaf[hs_record_leaf(&stored->name)], &stored->hash);
    check->records++;
    return check->err == HS_OK ? go_on(check) : check->err;
}

static enum hs_err visit_record(void *ctx, const struct hs_stored *stored)
{
    return check_record(ctx, stored);
}

/* ---- digests ---- */

static bool same_tally(const struct hs_tally *tally, const struct hs_digest *digest)
{
    return tally->count == digest->count && hs_hash_equal(&tally->sum, &digest->sum);
}

static enum hs_err visit_leaf(void *ctx, const struct hs_digest *digest)
{
    struct check *check = ctx;
    struct hs_tally *leaf = &check->leaf[digest->index];
    if (digest->count == 0 || !same_tally(leaf, digest))
        return HS_EDAMAGED;
    *leaf = (struct hs_tally){0}; /* seen: what is left over at the end has no row */
    check->leaves++;
    return HS_OK;
}

static enum hs_err check_leaves(struct check *check, const struct hs_digest *root)
{
    enum hs_err err = HS_OK;
    for (int branch = 0; branch < HS_DIGEST_BRANCHES && err == HS_OK; branch++)
        err = hs_records_digest_level(check->txn, root->partition, root->kind, branch, visit_leaf, check);
    for (size_t i = 0; i < HS_DIGEST_LEAVES && err == HS_OK; i++)
        err = check->leaf[i].count == 0 ? HS_OK : HS_EDAMAGED;
    return err;
}

struct root_walk {
    struct check *check;
    struct hs_why *why;
};

/* The records of one partition and kind. */
static enum hs_err visit_root(void *ctx, const struct hs_digest *root)
{
    const struct root_walk *walk = ctx;
    struct check *check = walk->check;
    char partition[HS_PARTITION_TEXT_BYTES];
    hs_partition_text(root->partition, partition);
    check->root = (struct hs_tally){0};
    memset(check->leaf, 0, sizeof check->leaf);
    enum hs_err err = hs_records_walk(check->txn, root->partition, root->kind, visit_record, check);
    if (err == HS_ESTOPPING)
        return err;
    if (err != HS_OK)
        return hs_fail(err, walk->why, "a record of partition %s, kind %u is not as it was stored", partition,
                       (unsigned)root->kind);
    if (!same_tally(&check->root, root) || check_leaves(check, root) != HS_OK)
        return hs_fail(HS_EDAMAGED, walk->why, "the digest of partition %s, kind %u does not fit its records",
                       partition, (unsigned)root->kind);
    return HS_OK;
}

/* ---- from the tables ---- */

static enum hs_err read_index_row(struct check *check, const struct hs_scan *scan)
{
    uint8_t sort;
    if (hs_sums_sort(scan->key, &sort) != HS_OK)
        return HS_EDAMAGED;
    mark row = mark_of(check, HS_TABLE_INDEX, scan->key, HS_BYTES_NONE);
    if (sort == 0) {
        check->tables.index += row;
        return scan->value.size == 0 ? HS_OK : HS_EDAMAGED;
    }
    struct hs_sums sums;
    if (scan->value.size == 0 || hs_sums_read(scan->value, &sums) != HS_OK)
        return HS_EDAMAGED;
    for (enum hs_pair pair = 0; pair < HS_PAIR_COUNT; pair++)
        account_sum(&check->tables, HS_TABLE_INDEX, row, pair, sums.of[pair].count, sums.of[pair].fen);
    if (sort == HS_SUMS_BILL)
        hs_bill_list(&check->derive, scan->key, &sums, hs_bill_lists(&sums));
    return check->err;
}

static enum hs_err read_day_row(struct check *check, const struct hs_scan *scan)
{
    struct hs_sums sums;
    if (scan->value.size == 0 || hs_sums_read(scan->value, &sums) != HS_OK)
        return HS_EDAMAGED;
    mark row = mark_of(check, HS_TABLE_DAY, scan->key, HS_BYTES_NONE);
    for (enum hs_pair pair = 0; pair < HS_PAIR_COUNT; pair++)
        account_sum(&check->tables, HS_TABLE_DAY, row, pair, sums.of[pair].count, sums.of[pair].fen);
    return HS_OK;
}

/* Void ops follow from the log and not from states: they are counted and no more. */
static enum hs_err read_list_row(struct check *check, const struct hs_scan *scan)
{
    enum hs_list list;
    struct hs_record_name name;
    if (hs_list_from_key(scan->key, &list, &name) != HS_OK || (unsigned)list >= LISTS_MAX)
        return HS_EDAMAGED;
    check->listed[list]++;
    if (list != HS_LIST_VOID)
        check->tables.lists += mark_of(check, HS_TABLE_LIST, scan->key, scan->value);
    return HS_OK;
}

static enum hs_err read_fold_row(struct check *check, const struct hs_scan *scan)
{
    check->tables.folds += mark_of(check, HS_TABLE_FOLD, scan->key, scan->value);
    return HS_OK;
}

static enum hs_err read_table(struct check *check, hs_table table,
                              enum hs_err (*read)(struct check *check, const struct hs_scan *scan))
{
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, check->txn, table, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        hs_arena_reset(&check->arena);
        err = read(check, &scan);
        if (err == HS_OK)
            err = go_on(check);
    }
    hs_scan_end(&scan);
    return err != HS_OK ? err : check->txn->err;
}

static bool list_counts_fit(const struct check *check)
{
    bool fit = true;
    for (unsigned list = 1; list < LISTS_MAX && fit; list++)
        fit = hs_records_list_count(check->txn, (enum hs_list)list) == check->listed[list];
    return fit;
}

/* ---- the verdict ---- */

static enum hs_err read_tables(struct check *check, struct hs_why *why)
{
    enum hs_err err = read_table(check, HS_TABLE_INDEX, read_index_row);
    if (err == HS_OK)
        err = read_table(check, HS_TABLE_DAY, read_day_row);
    if (err == HS_OK)
        err = read_table(check, HS_TABLE_LIST, read_list_row);
    if (err == HS_OK)
        err = read_table(check, HS_TABLE_FOLD, read_fold_row);
    return err == HS_OK || err == HS_ESTOPPING
               ? err
               : hs_fail(err, why, "a row of the indexes, sums or lists is not readable");
}

static enum hs_err compare(const struct check *check, struct hs_why *why)
{
    const struct account *states = &check->states;
    const struct account *tables = &check->tables;
    uint64_t stored = hs_txn_count(check->txn, HS_TABLE_STATE);
    if (check->records != stored)
        return hs_fail(HS_EDAMAGED, why, "%" PRIu64 " records, of which the digests have %" PRIu64, stored,
                       check->records);
    if (check->leaves != hs_txn_count(check->txn, HS_TABLE_LEAF))
        return hs_fail(HS_EDAMAGED, why, "digests of records that are not there");
    if (states->index != tables->index)
        return hs_fail(HS_EDAMAGED, why, "the indexes do not fit the records");
    if (memcmp(states->counts[0], tables->counts[0], sizeof states->counts[0]) != 0 ||
        memcmp(states->fens[0], tables->fens[0], sizeof states->fens[0]) != 0)
        return hs_fail(HS_EDAMAGED, why, "the sums of accounts and bills do not fit the records");
    if (memcmp(states->counts[1], tables->counts[1], sizeof states->counts[1]) != 0 ||
        memcmp(states->fens[1], tables->fens[1], sizeof states->fens[1]) != 0)
        return hs_fail(HS_EDAMAGED, why, "the sums of days and windows do not fit the records");
    if (states->lists != tables->lists)
        return hs_fail(HS_EDAMAGED, why, "the lists do not fit the records");
    if (states->folds != tables->folds)
        return hs_fail(HS_EDAMAGED, why, "the states of tickets do not fit their events");
    if (!list_counts_fit(check))
        return hs_fail(HS_EDAMAGED, why, "the counts of the lists do not fit the lists");
    return check->txn->err;
}

enum hs_err hs_records_verify_until(struct hs_txn *txn, bool (*stopped)(void *ctx), void *ctx, struct hs_why *why)
{
    struct check *check = calloc(1, sizeof *check);
    if (check == NULL)
        return hs_fail(HS_ENOMEM, why, "cannot verify the records: out of memory");
    struct root_walk walk = {check, why};
    check->stopped = stopped;
    check->stopped_ctx = ctx;
    check->txn = txn;
    hs_arena_init(&check->arena, 0);
    randombytes_buf(check->secret, sizeof check->secret);
    hs_records_settle(txn);
    check->derive = hs_derive_reader(txn, &check->arena, &check->err);
    check->derive.sink = &CHECK_SINK;
    check->derive.ctx = check;
    enum hs_err err = check->err;
    if (err == HS_OK)
        err = hs_records_digests(txn, visit_root, &walk);
    if (err == HS_OK)
        err = read_tables(check, why);
    if (err == HS_OK)
        err = compare(check, why);
    hs_arena_fini(&check->arena);
    free(check);
    return err;
}

enum hs_err hs_records_verify(struct hs_txn *txn, struct hs_why *why)
{
    return hs_records_verify_until(txn, NULL, NULL, why);
}
