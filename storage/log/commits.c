/* commits.c -- the order in which ops came: one row a commit.  Key: number u64.  Row: tag u64, last stamp u64, items:
 * type u8, stream, first varint, then of ops the count (varint), of a loose segment its end hash (32). */
#include "storage/log/inside.h"

#include <assert.h>

#define COMMIT_HEAD_BYTES (8 + 8)

static void put_item(struct hs_log *log, const struct log_item *item)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_stream_key(&item->stream, key);
    hs_buf_put_u8(&log->items, item->type);
    hs_buf_put(&log->items, key, sizeof key);
    hs_buf_put_varint(&log->items, item->first);
    if (item->type == ITEM_OPS)
        hs_buf_put_varint(&log->items, item->count);
    else
        hs_buf_put(&log->items, item->end.bytes, HS_HASH_BYTES);
}

static void end_run(struct hs_log *log)
{
    if (log->run.count > 0)
        put_item(log, &log->run);
    log->run.count = 0;
}

void log_list(struct hs_log *log, const struct log_item *item)
{
    struct log_item *run = &log->run;
    bool goes_on = run->count > 0 && run->type == ITEM_OPS && item->type == ITEM_OPS &&
                   hs_stream_equal(&run->stream, &item->stream);
    if (goes_on) {
        assert(run->first + run->count == item->first);
        run->count += item->count;
        return;
    }
    end_run(log);
    *run = *item;
}

void log_begin_commit(struct hs_log *log)
{
    hs_buf_reset(&log->items);
    hs_buf_extend(&log->items, COMMIT_HEAD_BYTES); /* filled in when it is put */
    log->run.count = 0;
}

void log_put_commit(struct hs_log *log, const struct hs_position *position)
{
    uint8_t key[8];
    end_run(log);
    if (log->items.err != HS_OK) {
        log_fail(log, log->items.err);
        return;
    }
    hs_be64(key, position->commit);
    hs_be64(log->items.data, position->tag);
    hs_be64(log->items.data + 8, log->stamp);
    hs_txn_append(log_change(log), LOG_COMMIT, HS_BYTES(key, sizeof key), hs_buf_bytes(&log->items));
}

/* ---- positions ---- */

/* The commit @back places before the last one; zeros: there is none. */
static struct hs_position from_end(struct hs_txn *txn, unsigned back, hs_stamp *stamp)
{
    struct hs_position position = {0};
    struct hs_scan scan;
    hs_scan_begin(&scan, txn, LOG_COMMIT, HS_BYTES_NONE, HS_BYTES_NONE);
    bool found = hs_scan_last(&scan, HS_BYTES_NONE);
    while (found && back-- > 0)
        found = hs_scan_prev(&scan);
    if (found && scan.key.size == 8 && scan.value.size >= COMMIT_HEAD_BYTES) {
        position = (struct hs_position){hs_from_be64(scan.key.data), hs_from_be64(scan.value.data)};
        *stamp = hs_from_be64(scan.value.data + 8);
    }
    hs_scan_end(&scan);
    return position;
}

struct hs_position hs_log_last(struct hs_txn *txn)
{
    hs_stamp stamp;
    return from_end(txn, 0, &stamp);
}

struct hs_position log_before_last(struct hs_txn *txn)
{
    hs_stamp stamp;
    return from_end(txn, 1, &stamp);
}

hs_stamp log_last_stamp(struct hs_txn *txn)
{
    hs_stamp stamp = 0;
    from_end(txn, 0, &stamp);
    return stamp;
}

enum hs_err hs_log_check_position(struct hs_txn *txn, const struct hs_position *position)
{
    uint8_t key[8];
    struct hs_bytes row;
    if (position->commit == 0)
        return HS_OK; /* before everything */
    hs_be64(key, position->commit);
    enum hs_err err = hs_txn_get(txn, LOG_COMMIT, HS_BYTES(key, sizeof key), &row);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_ERESET : err;
    if (row.size < COMMIT_HEAD_BYTES)
        return HS_EDAMAGED;
    return hs_from_be64(row.data) == position->tag ? HS_OK : HS_ERESET;
}

/* ---- the walk ---- */

struct walker {
    struct hs_txn *txn;
    hs_visit_logged visit;
    void *ctx;
    size_t visited;
};

static enum hs_err read_item(struct hs_cur *cur, struct log_item *item)
{
    *item = (struct log_item){.type = hs_cur_u8(cur)};
    struct hs_bytes key = hs_cur_take(cur, HS_STREAM_KEY_BYTES);
    item->first = hs_cur_varint(cur);
    if (item->type == ITEM_OPS)
        item->count = hs_cur_varint(cur);
    else
        hs_cur_copy(cur, item->end.bytes, HS_HASH_BYTES);
    if (cur->err != HS_OK || (item->type != ITEM_OPS && item->type != ITEM_LOOSE))
        return HS_EDAMAGED;
    item->stream = hs_stream_from_key(key.data);
    return HS_OK;
}

static enum hs_err visit_op(struct walker *walker, const struct hs_logged *op)
{
    walker->visited++;
    return walker->visit(walker->ctx, op);
}

static enum hs_err visit_ops(struct walker *walker, const struct log_item *item)
{
    uint8_t key[OP_KEY_BYTES];
    struct hs_scan scan;
    struct hs_logged op = {.stream = item->stream, .n = item->first};
    enum hs_err err = log_check_run(walker->txn, item);
    if (err != HS_OK)
        return err;
    log_op_key(&item->stream, item->first, ROW_OP, key);
    hs_scan_begin(&scan, walker->txn, LOG_OP, HS_BYTES(key, HS_STREAM_KEY_BYTES), HS_BYTES(key, sizeof key));
    while (err == HS_OK && op.n - item->first < item->count && hs_scan_next(&scan)) {
        if (scan.key.data[OP_KEY_BYTES - 1] != ROW_OP)
            continue;
        if (hs_from_be64(scan.key.data + HS_STREAM_KEY_BYTES) != op.n)
            break;
        op.bytes = scan.value;
        err = visit_op(walker, &op);
        op.n++;
    }
    hs_scan_end(&scan);
    if (err == HS_OK && op.n - item->first < item->count)
        err = walker->txn->err == HS_OK ? HS_EDAMAGED : walker->txn->err;
    return err;
}

static enum hs_err visit_loose(struct walker *walker, const struct log_item *item)
{
    uint8_t key[LOOSE_KEY_BYTES];
    struct hs_bytes value;
    struct hs_loose loose;
    log_loose_key(&item->stream, item->first, &item->end, key);
    enum hs_err err = hs_txn_get(walker->txn, LOG_LOOSE, HS_BYTES(key, sizeof key), &value);
    if (err == HS_OK)
        err = log_loose_decode(HS_BYTES(key, sizeof key), value, &loose);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_EDAMAGED : err;
    struct hs_cur cur = hs_cur_of(loose.segment.body);
    for (uint32_t i = 0; err == HS_OK && i < loose.segment.count; i++) {
        struct hs_logged op = {item->stream, item->first + i, hs_cur_sized(&cur), true};
        err = cur.err == HS_OK ? visit_op(walker, &op) : HS_EDAMAGED;
    }
    return err;
}

static enum hs_err visit_commit(struct walker *walker, struct hs_bytes row)
{
    struct hs_cur cur = hs_cur_of(row);
    struct log_item item;
    enum hs_err err = HS_OK;
    hs_cur_take(&cur, COMMIT_HEAD_BYTES);
    while (err == HS_OK && cur.left > 0) {
        err = read_item(&cur, &item);
        if (err == HS_OK)
            err = item.type == ITEM_OPS ? visit_ops(walker, &item) : visit_loose(walker, &item);
    }
    return cur.err == HS_OK ? err : HS_EDAMAGED;
}

/* ---- is everything listed? ---- */

static enum hs_err add_listed(struct hs_bytes row, uint64_t *ops)
{
    struct hs_cur cur = hs_cur_of(row);
    struct log_item item;
    hs_cur_take(&cur, COMMIT_HEAD_BYTES);
    while (cur.err == HS_OK && cur.left > 0) {
        if (read_item(&cur, &item) != HS_OK)
            return HS_EDAMAGED;
        *ops += item.type == ITEM_OPS ? item.count : 0;
    }
    return cur.err == HS_OK ? HS_OK : HS_EDAMAGED;
}

static enum hs_err add_head(void *ctx, const struct hs_head *head)
{
    *(uint64_t *)ctx += head->n;
    return HS_OK;
}

/* Where commits are lost, ops are held that no record would show: as many as are held must be listed. */
static enum hs_err check_listed(struct hs_txn *txn)
{
    struct hs_scan scan;
    struct hs_log_reader reader = {txn, NULL};
    uint64_t commit = 0, listed = 0, held = 0;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, LOG_COMMIT, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan))
        err = scan.key.size == 8 && hs_from_be64(scan.key.data) == ++commit ? add_listed(scan.value, &listed)
                                                                            : HS_EDAMAGED;
    hs_scan_end(&scan);
    if (err == HS_OK)
        err = txn->err == HS_OK ? hs_log_heads(&reader, add_head, &held) : txn->err;
    return err == HS_OK && listed != held ? HS_EDAMAGED : err;
}

enum hs_err hs_log_walk(struct hs_txn *txn, const struct hs_log_span *span, hs_visit_logged visit, void *ctx,
                        struct hs_position *to)
{
    uint8_t key[8];
    struct hs_scan scan;
    struct walker walker = {txn, visit, ctx, 0};
    enum hs_err err = HS_OK;
    if (span->after >= span->until)
        return HS_OK;
    if (span->after == 0)
        err = check_listed(txn);
    hs_be64(key, span->after + 1);
    hs_scan_begin(&scan, txn, LOG_COMMIT, HS_BYTES_NONE, HS_BYTES(key, sizeof key));
    while (err == HS_OK && walker.visited < span->limit && hs_scan_next(&scan)) {
        uint64_t commit = hs_from_be64(scan.key.data);
        if (commit > span->until)
            break;
        err = visit_commit(&walker, scan.value);
        if (err == HS_OK)
            *to = (struct hs_position){commit, hs_from_be64(scan.value.data)};
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}
