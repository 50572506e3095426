/* Digests: per partition and kind the sum of the records' hashes, and the same by leaf; branches are summed up when
 * asked for. */
#include "storage/records/env.h"

#define BRANCH_LEAVES  (HS_DIGEST_LEAVES / HS_DIGEST_BRANCHES)
#define ROOT_KEY_BYTES 4
#define LEAF_KEY_BYTES 6

static struct hs_row *change_row(struct hs_records *records, hs_table table, const struct hs_row_key *key,
                                 const struct hs_hash *old, const struct hs_hash *new)
{
    struct hs_row *row = hs_cache_row(&records->cache, &records->txn, table, hs_row_key_bytes(key));
    if (row == NULL)
        return NULL;
    row->tally.count += (uint64_t)(new != NULL) - (uint64_t)(old != NULL);
    if (old != NULL)
        hs_sum_subtract(&row->tally.sum, old);
    if (new != NULL)
        hs_sum_add(&row->tally.sum, new);
    hs_cache_touch(&records->cache, row);
    return row;
}

void hs_digest_change(struct hs_records *records, const struct hs_record_name *name, const struct hs_hash *old,
                      const struct hs_hash *new)
{
    struct hs_row_key key;
    hs_leaf_key(&key, name->partition, name->kind, hs_record_leaf(name));
    change_row(records, HS_TABLE_LEAF, &key, old, new);
    hs_root_key(&key, name->partition, name->kind);
    struct hs_row *root = change_row(records, HS_TABLE_ROOT, &key, old, new);
    if (root != NULL && !root->stored) /* hs_records_find and _all go by the roots, without settling first */
        hs_cache_write_row(&records->cache, &records->txn, root);
}

/* ---- reading ---- */

static enum hs_err read_digest(const struct hs_scan *scan, size_t key_bytes, struct hs_digest *digest)
{
    struct hs_tally tally;
    struct hs_cur cur = hs_cur_of(scan->key);
    *digest = (struct hs_digest){.partition = hs_cur_u16(&cur), .kind = 0};
    digest->kind = hs_cur_u16(&cur);
    if (key_bytes == LEAF_KEY_BYTES)
        digest->index = hs_cur_u16(&cur);
    if (!hs_cur_done(&cur) || hs_tally_read(scan->value, &tally) != HS_OK || digest->index >= HS_DIGEST_LEAVES)
        return HS_EDAMAGED;
    digest->count = tally.count;
    digest->sum = tally.sum;
    return HS_OK;
}

enum hs_err hs_records_digests(struct hs_txn *txn, hs_visit_digest visit, void *ctx)
{
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_records_settle(txn);
    hs_scan_begin(&scan, txn, HS_TABLE_ROOT, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        struct hs_digest digest;
        err = read_digest(&scan, ROOT_KEY_BYTES, &digest);
        if (err == HS_OK)
            err = visit(ctx, &digest);
    }
    hs_scan_end(&scan);
    return err != HS_OK ? err : txn->err;
}

/* Leaves come in order, so a branch is whole as soon as a leaf of another one comes. */
struct branches {
    struct hs_digest sum; /* of the branch at hand; count 0: none yet */
    hs_visit_digest visit;
    void *ctx;
};

static enum hs_err end_branch(struct branches *branches)
{
    return branches->sum.count == 0 ? HS_OK : branches->visit(branches->ctx, &branches->sum);
}

static enum hs_err add_leaf(void *ctx, const struct hs_digest *leaf)
{
    struct branches *branches = ctx;
    uint32_t branch = leaf->index / BRANCH_LEAVES;
    enum hs_err err = HS_OK;
    if (branches->sum.count != 0 && branches->sum.index != branch) {
        err = end_branch(branches);
        branches->sum = (struct hs_digest){0};
    }
    branches->sum.partition = leaf->partition;
    branches->sum.kind = leaf->kind;
    branches->sum.index = branch;
    branches->sum.count += leaf->count;
    hs_sum_add(&branches->sum.sum, &leaf->sum);
    return err;
}

/* The leaves first..end - 1. */
static enum hs_err visit_leaves(struct hs_txn *txn, const struct hs_row_key *root, uint32_t first, uint32_t end,
                                hs_visit_digest visit, void *ctx)
{
    struct hs_row_key from = *root;
    struct hs_scan scan;
    uint8_t raw[2];
    enum hs_err err = HS_OK;
    hs_be16(raw, (uint16_t)first);
    hs_row_key_put(&from, HS_BYTES(raw, sizeof raw));
    hs_scan_begin(&scan, txn, HS_TABLE_LEAF, hs_row_key_bytes(root), hs_row_key_bytes(&from));
    while (err == HS_OK && hs_scan_next(&scan)) {
        struct hs_digest digest;
        err = read_digest(&scan, LEAF_KEY_BYTES, &digest);
        if (err == HS_OK && digest.index >= end)
            break;
        if (err == HS_OK)
            err = visit(ctx, &digest);
    }
    hs_scan_end(&scan);
    return err != HS_OK ? err : txn->err;
}

enum hs_err hs_records_digest_level(struct hs_txn *txn, hs_partition partition, uint16_t kind, int branch,
                                    hs_visit_digest visit, void *ctx)
{
    struct hs_row_key root;
    if (branch >= HS_DIGEST_BRANCHES)
        return HS_EINVAL;
    hs_records_settle(txn);
    hs_root_key(&root, partition, kind);
    if (branch >= 0) {
        uint32_t first = (uint32_t)branch * BRANCH_LEAVES;
        return visit_leaves(txn, &root, first, first + BRANCH_LEAVES, visit, ctx);
    }
    struct branches branches = {.visit = visit, .ctx = ctx};
    enum hs_err err = visit_leaves(txn, &root, 0, HS_DIGEST_LEAVES, add_leaf, &branches);
    return err != HS_OK ? err : end_branch(&branches);
}
