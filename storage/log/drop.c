/* drop.c -- rows that go: the beginning of a stream, all of a stream, loose pieces; and commits' rows that list less
 * than before. */
#include "storage/log/inside.h"

#include <string.h>

/* ---- streams ---- */

/* The first row of the stream's, if it lies at or below the row @last; false: none does. */
static bool first_row(struct hs_txn *txn, const uint8_t last[static OP_KEY_BYTES], uint8_t key[static OP_KEY_BYTES])
{
    struct hs_scan scan;
    hs_scan_begin(&scan, txn, LOG_OP, HS_BYTES(last, HS_STREAM_KEY_BYTES), HS_BYTES_NONE);
    bool found = hs_scan_next(&scan) && scan.key.size == OP_KEY_BYTES && memcmp(scan.key.data, last, OP_KEY_BYTES) <= 0;
    if (found)
        memcpy(key, scan.key.data, OP_KEY_BYTES);
    hs_scan_end(&scan);
    return found;
}

void log_put_row(struct hs_log *log, const struct hs_stream *stream, const struct log_checkpoint *at)
{
    uint8_t key[OP_KEY_BYTES];
    size_t size = at->begins ? BEGINNING_ROW_BYTES : CHECKPOINT_ROW_BYTES;
    log_op_key(stream, at->n, ROW_CHECKPOINT, key);
    uint8_t *row = hs_txn_reserve(log_change(log), LOG_OP, HS_BYTES(key, sizeof key), size);
    if (row == NULL)
        return;
    memcpy(row, at->hash.bytes, HS_HASH_BYTES);
    memcpy(row + HS_HASH_BYTES, at->signature.bytes, HS_SIGNATURE_BYTES);
    hs_be64(row + HS_HASH_BYTES + HS_SIGNATURE_BYTES, at->bytes);
    if (at->begins)
        row[BEGINNING_ROW_BYTES - 1] = BEGINNING_MARK;
}

/* Ops before a gap: are they all gone? */
static void end_folds(struct hs_log *log, const struct hs_stream *stream, uint64_t n)
{
    uint8_t key[FOLD_KEY_BYTES];
    uint64_t until;
    while (log_find_fold(&log->txn, stream, &until) == HS_OK && until <= n)
        hs_txn_delete(log_change(log), LOG_FOLD, log_fold_key(stream, until, key));
}

/* Then what lies behind the gap begins the stream. */
static enum hs_err is_before_gap(struct hs_txn *txn, const struct hs_stream *stream, uint64_t n, bool *before_gap)
{
    struct log_checkpoint next = {.n = 0};
    enum hs_err err = log_next_checkpoint(txn, stream, n + 1, &next);
    *before_gap = err == HS_OK && next.begins;
    return err == HS_ENOTFOUND ? HS_OK : err;
}

enum hs_err log_drop_until(struct hs_log *log, const struct hs_stream *stream, uint64_t n)
{
    struct log_checkpoint at = {.n = 0};
    uint8_t last[OP_KEY_BYTES];
    uint8_t key[OP_KEY_BYTES];
    enum hs_err err = log_find_checkpoint(&log->txn, stream, n, &at);
    if (err == HS_OK && at.n == n)
        err = log_drop_false_receipts(log, stream, n);
    else if (err == HS_OK || err == HS_ENOTFOUND)
        err = HS_EDAMAGED; /* runs end at checkpoints */
    if (err != HS_OK)
        return log_fail(log, err);
    bool before_gap;
    err = is_before_gap(&log->txn, stream, n, &before_gap);
    if (err != HS_OK)
        return log_fail(log, err);
    log_op_key(stream, n, before_gap ? ROW_CHECKPOINT : ROW_OP, last);
    while (first_row(&log->txn, last, key))
        hs_txn_delete(log_change(log), LOG_OP, HS_BYTES(key, sizeof key));
    if (!before_gap && !at.begins) {
        at.begins = true;
        log_put_row(log, stream, &at);
    }
    end_folds(log, stream, n);
    return log->txn.err;
}

void log_drop_stream(struct hs_log *log, const struct hs_stream *stream, size_t *budget)
{
    uint8_t prefix[HS_STREAM_KEY_BYTES];
    uint8_t last[OP_KEY_BYTES];
    uint8_t key[OP_KEY_BYTES];
    hs_stream_key(stream, prefix);
    log_op_key(stream, UINT64_MAX, ROW_CHECKPOINT, last);
    bool more = true;
    while (more && *budget > 0) {
        more = first_row(&log->txn, last, key);
        if (more)
            hs_txn_delete(log_change(log), LOG_OP, HS_BYTES(key, sizeof key));
        --*budget;
    }
    if (more)
        return;
    log_drop_receipts(log, stream);
    hs_txn_delete(log_change(log), LOG_FORK, HS_BYTES(prefix, sizeof prefix));
    end_folds(log, stream, UINT64_MAX);
}

void log_drop_loose(struct hs_log *log, const struct log_item *item)
{
    uint8_t key[LOOSE_KEY_BYTES];
    log_loose_key(&item->stream, item->first, &item->end, key);
    hs_txn_delete(log_change(log), LOG_LOOSE, HS_BYTES(key, sizeof key));
}

/* ---- commits ---- */

struct editor {
    struct hs_buf old, new;
};

static enum hs_err edit_items(struct hs_log *log, struct editor *editor, log_edit_item edit, void *ctx)
{
    struct hs_cur cur = hs_cur_of(hs_buf_bytes(&editor->old));
    struct log_item item;
    enum hs_err err = HS_OK;
    hs_buf_put_bytes(&editor->new, hs_cur_take(&cur, COMMIT_HEAD_BYTES));
    while (err == HS_OK && cur.err == HS_OK && cur.left > 0) {
        bool keep = true;
        err = log_read_item(&cur, &item);
        if (err == HS_OK)
            err = edit(ctx, &item, &keep);
        if (err == HS_OK && keep)
            log_put_item(&editor->new, &item);
    }
    if (err == HS_OK)
        err = cur.err == HS_OK ? editor->new.err : HS_EDAMAGED;
    return err == HS_OK ? log->txn.err : err;
}

/* The row of the first commit from *commit on, copied. */
static enum hs_err next_commit(struct hs_log *log, uint64_t *commit, struct hs_buf *row)
{
    uint8_t key[8];
    struct hs_scan scan;
    hs_be64(key, *commit);
    hs_scan_begin(&scan, &log->txn, LOG_COMMIT, HS_BYTES_NONE, HS_BYTES(key, sizeof key));
    enum hs_err err = hs_scan_next(&scan) ? HS_OK : HS_ENOTFOUND;
    if (err == HS_OK && (scan.key.size != sizeof key || scan.value.size < COMMIT_HEAD_BYTES))
        err = HS_EDAMAGED;
    if (err == HS_OK) {
        *commit = hs_from_be64(scan.key.data);
        hs_buf_put_bytes(row, scan.value);
        err = row->err;
    }
    hs_scan_end(&scan);
    return log->txn.err == HS_OK ? err : log->txn.err;
}

enum hs_err log_edit_commit(struct hs_log *log, uint64_t *commit, log_edit_item edit, void *ctx)
{
    struct editor editor = {{0}, {0}};
    uint8_t key[8];
    enum hs_err err = next_commit(log, commit, &editor.old);
    if (err == HS_OK)
        err = edit_items(log, &editor, edit, ctx);
    if (err == HS_OK && !hs_bytes_equal(hs_buf_bytes(&editor.old), hs_buf_bytes(&editor.new))) {
        hs_be64(key, *commit);
        hs_txn_put(log_change(log), LOG_COMMIT, HS_BYTES(key, sizeof key), hs_buf_bytes(&editor.new));
    }
    hs_buf_fini(&editor.old);
    hs_buf_fini(&editor.new);
    return err == HS_OK ? log->txn.err : err;
}
