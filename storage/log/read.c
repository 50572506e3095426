/* read.c -- streams read: heads, ops, checkpoints, hashes, lag. */
#include "storage/log/inside.h"

#include <string.h>

void log_op_key(const struct hs_stream *stream, uint64_t n, uint8_t row, uint8_t key[static OP_KEY_BYTES])
{
    hs_stream_key(stream, key);
    hs_be64(key + HS_STREAM_KEY_BYTES, n);
    key[OP_KEY_BYTES - 1] = row;
}

size_t log_sized_bytes(size_t size)
{
    size_t length = 1;
    for (size_t rest = size; rest >= 0x80; rest >>= 7)
        length++;
    return length + size;
}

static bool is_checkpoint(const struct hs_scan *scan)
{
    return scan->key.size == OP_KEY_BYTES && scan->key.data[OP_KEY_BYTES - 1] == ROW_CHECKPOINT;
}

static bool is_beginning(const struct hs_scan *scan)
{
    return is_checkpoint(scan) && scan->value.size == BEGINNING_ROW_BYTES;
}

enum hs_err log_decode_checkpoint(const struct hs_scan *scan, struct log_checkpoint *out)
{
    struct hs_cur cur = hs_cur_of(scan->value);
    out->begins = is_beginning(scan);
    if (!out->begins && scan->value.size != CHECKPOINT_ROW_BYTES)
        return HS_EDAMAGED;
    out->n = hs_from_be64(scan->key.data + HS_STREAM_KEY_BYTES);
    hs_cur_copy(&cur, out->hash.bytes, HS_HASH_BYTES);
    hs_cur_copy(&cur, out->signature.bytes, HS_SIGNATURE_BYTES);
    out->bytes = hs_cur_u64(&cur);
    return !out->begins || hs_cur_u8(&cur) == BEGINNING_MARK ? HS_OK : HS_EDAMAGED;
}

enum hs_err log_find_checkpoint(struct hs_txn *txn, const struct hs_stream *stream, uint64_t n,
                                struct log_checkpoint *out)
{
    uint8_t key[OP_KEY_BYTES];
    struct hs_scan scan;
    log_op_key(stream, n, ROW_CHECKPOINT, key);
    hs_scan_begin(&scan, txn, LOG_OP, HS_BYTES(key, HS_STREAM_KEY_BYTES), HS_BYTES_NONE);
    bool found = hs_scan_last(&scan, HS_BYTES(key, sizeof key));
    while (found && !is_checkpoint(&scan))
        found = hs_scan_prev(&scan);
    enum hs_err err = found ? log_decode_checkpoint(&scan, out) : HS_ENOTFOUND;
    hs_scan_end(&scan);
    return txn->err == HS_OK ? err : txn->err;
}

enum hs_err log_next_checkpoint(struct hs_txn *txn, const struct hs_stream *stream, uint64_t n,
                                struct log_checkpoint *out)
{
    uint8_t key[OP_KEY_BYTES];
    struct hs_scan scan;
    log_op_key(stream, n, ROW_CHECKPOINT, key);
    hs_scan_begin(&scan, txn, LOG_OP, HS_BYTES(key, HS_STREAM_KEY_BYTES), HS_BYTES(key, sizeof key));
    bool found = hs_scan_next(&scan);
    while (found && !is_checkpoint(&scan))
        found = hs_scan_next(&scan);
    enum hs_err err = found ? log_decode_checkpoint(&scan, out) : HS_ENOTFOUND;
    hs_scan_end(&scan);
    return txn->err == HS_OK ? err : txn->err;
}

/* ---- heads ---- */

enum hs_err hs_log_head(const struct hs_log_reader *reader, const struct hs_stream *stream, struct hs_head *head)
{
    const struct log_grown *grown = reader->log == NULL ? NULL : log_touched(reader->log, stream);
    if (grown != NULL) {
        *head = (struct hs_head){*stream, grown->n, grown->hash};
        return grown->n == 0 ? HS_ENOTFOUND : HS_OK;
    }
    struct log_checkpoint checkpoint;
    enum hs_err err = log_find_checkpoint(reader->txn, stream, UINT64_MAX, &checkpoint);
    if (err == HS_OK)
        *head = (struct hs_head){*stream, checkpoint.n, checkpoint.hash};
    return err;
}

bool log_reaches(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n)
{
    struct hs_head head;
    return hs_log_head(reader, stream, &head) == HS_OK && head.n >= n;
}

enum hs_err log_next_stream_in(struct hs_txn *txn, hs_table table, const struct hs_stream *from,
                               struct hs_stream *stream)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    struct hs_scan scan;
    hs_stream_key(from, key);
    hs_scan_begin(&scan, txn, table, HS_BYTES_NONE, HS_BYTES(key, sizeof key));
    enum hs_err err = hs_scan_next(&scan) ? HS_OK : HS_ENOTFOUND;
    if (err == HS_OK && (table == LOG_OP ? scan.key.size != OP_KEY_BYTES : scan.key.size < HS_STREAM_KEY_BYTES))
        err = HS_EDAMAGED;
    if (err == HS_OK)
        *stream = hs_stream_from_key(scan.key.data);
    hs_scan_end(&scan);
    return txn->err == HS_OK ? err : txn->err;
}

enum hs_err log_next_stream(struct hs_txn *txn, const struct hs_stream *from, struct hs_stream *stream)
{
    return log_next_stream_in(txn, LOG_OP, from, stream);
}

/* The next greater key of the same length. */
bool log_step_stream(struct hs_stream *stream)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    size_t at = HS_STREAM_KEY_BYTES;
    hs_stream_key(stream, key);
    while (at > 0 && ++key[at - 1] == 0)
        at--;
    *stream = hs_stream_from_key(key);
    return at > 0;
}

enum hs_err hs_log_heads(const struct hs_log_reader *reader, hs_visit_head visit, void *ctx)
{
    struct hs_stream stream = {.partition = 0};
    struct hs_head head;
    enum hs_err err;
    do {
        err = log_next_stream(reader->txn, &stream, &stream);
        if (err == HS_ENOTFOUND)
            return HS_OK;
        if (err == HS_OK)
            err = hs_log_head(reader, &stream, &head);
        if (err == HS_ENOTFOUND)
            err = HS_EDAMAGED; /* ops that nothing signs */
        if (err == HS_OK)
            err = visit(ctx, &head);
    } while (err == HS_OK && log_step_stream(&stream));
    return err;
}

enum hs_err hs_log_beginning(struct hs_txn *txn, const struct hs_stream *stream, uint64_t *n)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    struct hs_scan scan;
    hs_stream_key(stream, key);
    hs_scan_begin(&scan, txn, LOG_OP, HS_BYTES(key, sizeof key), HS_BYTES_NONE);
    enum hs_err err = hs_scan_next(&scan) ? HS_OK : HS_ENOTFOUND;
    uint64_t first = err == HS_OK && scan.key.size == OP_KEY_BYTES ? hs_from_be64(scan.key.data + sizeof key) : 0;
    if (err == HS_OK && !is_beginning(&scan) && (is_checkpoint(&scan) || first != 1))
        err = HS_EDAMAGED;
    if (err == HS_OK)
        *n = is_checkpoint(&scan) ? first : 0;
    hs_scan_end(&scan);
    return txn->err == HS_OK ? err : txn->err;
}

/* ---- ops and hashes ---- */

enum hs_err hs_log_op(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n,
                      struct hs_bytes *op)
{
    uint8_t key[OP_KEY_BYTES];
    log_op_key(stream, n, ROW_OP, key);
    return hs_txn_get(reader->txn, LOG_OP, HS_BYTES(key, sizeof key), op);
}

enum hs_err hs_log_checkpoint(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n,
                              struct hs_checkpoint *out)
{
    struct log_checkpoint found;
    enum hs_err err = log_find_checkpoint(reader->txn, stream, n, &found);
    if (err == HS_OK)
        *out = (struct hs_checkpoint){found.n, found.hash, found.signature};
    return err;
}

/* Go on from a checkpoint (or the start, n 0) to op n: hash and bytes there.  HS_ENOTFOUND also if there is a gap
 * before it. */
static enum hs_err advance(struct hs_txn *txn, const struct hs_stream *stream, uint64_t n, struct log_checkpoint *at)
{
    uint8_t key[OP_KEY_BYTES];
    struct hs_scan scan;
    if (at->n == n)
        return HS_OK;
    log_op_key(stream, at->n + 1, ROW_OP, key);
    hs_scan_begin(&scan, txn, LOG_OP, HS_BYTES(key, HS_STREAM_KEY_BYTES), HS_BYTES(key, sizeof key));
    while (at->n < n && hs_scan_next(&scan) && !is_beginning(&scan)) {
        if (is_checkpoint(&scan))
            continue;
        at->n++;
        at->hash = hs_chain_next(&at->hash, scan.value);
        at->bytes += log_sized_bytes(scan.value.size);
    }
    hs_scan_end(&scan);
    if (txn->err != HS_OK)
        return txn->err;
    return at->n == n ? HS_OK : HS_ENOTFOUND;
}

static enum hs_err find_point(struct hs_txn *txn, const struct hs_stream *stream, uint64_t n, struct log_checkpoint *at)
{
    enum hs_err err = log_find_checkpoint(txn, stream, n, at);
    if (err == HS_ENOTFOUND) {
        *at = (struct log_checkpoint){.hash = hs_chain_start(stream)};
        err = HS_OK;
    }
    return err == HS_OK ? advance(txn, stream, n, at) : err;
}

enum hs_err hs_log_hash_at(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n,
                           struct hs_hash *hash)
{
    struct log_checkpoint at;
    enum hs_err err = find_point(reader->txn, stream, n, &at);
    if (err == HS_OK)
        *hash = at.hash;
    return err;
}

void hs_log_lag(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t after, uint64_t *ops,
                uint64_t *bytes)
{
    struct hs_head head;
    struct log_checkpoint from;
    struct log_checkpoint to;
    *ops = 0;
    *bytes = 0;
    if (hs_log_head(reader, stream, &head) != HS_OK || head.n <= after)
        return;
    *ops = head.n - after;
    enum hs_err err = find_point(reader->txn, stream, after, &from); /* or as far as it gets: bytes of what is here */
    if ((err == HS_OK || err == HS_ENOTFOUND) && find_point(reader->txn, stream, head.n, &to) == HS_OK)
        *bytes = to.bytes - from.bytes;
}

/* ---- what is held against the signed hashes before it is used ---- */

static enum hs_err check_rows(struct hs_scan *scan, struct log_checkpoint *at, uint64_t last)
{
    struct log_checkpoint signed_at;
    while (hs_scan_next(scan)) {
        if (!is_checkpoint(scan)) {
            if (hs_from_be64(scan->key.data + HS_STREAM_KEY_BYTES) != ++at->n)
                return HS_EDAMAGED;
            at->hash = hs_chain_next(&at->hash, scan->value);
            continue;
        }
        enum hs_err err = log_decode_checkpoint(scan, &signed_at);
        if (err != HS_OK || signed_at.begins || signed_at.n != at->n || !hs_hash_equal(&signed_at.hash, &at->hash))
            return HS_EDAMAGED;
        if (at->n >= last)
            return HS_OK;
    }
    return HS_EDAMAGED; /* nothing signs the last of them */
}

/* What is folded is the beginning of a stream, up to a checkpoint. */
enum hs_err log_clip_run(struct hs_txn *txn, struct log_item *run)
{
    uint8_t key[OP_KEY_BYTES];
    struct hs_bytes op;
    uint64_t beginning = 0;
    log_op_key(&run->stream, run->first, ROW_OP, key);
    enum hs_err err = hs_txn_get(txn, LOG_OP, HS_BYTES(key, sizeof key), &op);
    if (err != HS_ENOTFOUND)
        return err;
    err = hs_log_beginning(txn, &run->stream, &beginning);
    if (err != HS_OK || beginning < run->first)
        return err == HS_OK || err == HS_ENOTFOUND ? HS_EDAMAGED : err;
    uint64_t folded = beginning - run->first + 1;
    run->count -= folded < run->count ? folded : run->count;
    run->first = beginning + 1;
    return HS_OK;
}

enum hs_err log_check_run(struct hs_txn *txn, const struct log_item *run)
{
    uint8_t key[OP_KEY_BYTES];
    struct log_checkpoint at;
    struct hs_scan scan;
    enum hs_err err = find_point(txn, &run->stream, run->first - 1, &at);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_EDAMAGED : err;
    log_op_key(&run->stream, run->first, ROW_OP, key);
    hs_scan_begin(&scan, txn, LOG_OP, HS_BYTES(key, HS_STREAM_KEY_BYTES), HS_BYTES(key, sizeof key));
    err = check_rows(&scan, &at, run->first + run->count - 1);
    hs_scan_end(&scan);
    return txn->err == HS_OK ? err : txn->err;
}

/* ---- segments ---- */

/* A segment being cut: what was read so far, and how much of it ends at a checkpoint. */
struct cutter {
    struct hs_buf *body;
    size_t start; /* of the segment in it */
    uint64_t next;
    struct hs_hash hash;
    uint32_t count;
    size_t end; /* of body, at the last checkpoint */
    struct hs_segment *segment;
};

/* False: what is held ends a segment, and this op would pass the limits. */
static bool add_op(struct cutter *cutter, struct hs_bytes op)
{
    size_t size = cutter->body->size - cutter->start + log_sized_bytes(op.size);
    if (cutter->segment->count > 0 && (cutter->count >= HS_SEGMENT_OPS_MAX || size > HS_SEGMENT_BYTES_SOFT))
        return false;
    hs_buf_put_sized(cutter->body, op);
    cutter->hash = hs_chain_next(&cutter->hash, op);
    cutter->count++;
    cutter->next++;
    return true;
}

static enum hs_err end_at(struct cutter *cutter, const struct hs_scan *scan)
{
    struct log_checkpoint checkpoint;
    enum hs_err err = log_decode_checkpoint(scan, &checkpoint);
    if (err != HS_OK)
        return err;
    if (checkpoint.n != cutter->next - 1 || !hs_hash_equal(&checkpoint.hash, &cutter->hash))
        return HS_EDAMAGED; /* an op is missing, or is not what was signed */
    cutter->segment->count = cutter->count;
    cutter->segment->end = checkpoint.hash;
    cutter->segment->signature = checkpoint.signature;
    cutter->end = cutter->body->size;
    return HS_OK;
}

static enum hs_err cut_rows(struct cutter *cutter, struct hs_scan *scan)
{
    enum hs_err err = HS_OK;
    bool more = true;
    while (more && err == HS_OK && hs_scan_next(scan)) {
        if (is_beginning(scan)) /* what leads to it came as state */
            return cutter->count == 0 ? HS_EPRUNED : cutter->count == cutter->segment->count ? HS_OK : HS_EDAMAGED;
        if (is_checkpoint(scan))
            err = end_at(cutter, scan);
        else if (hs_from_be64(scan->key.data + HS_STREAM_KEY_BYTES) != cutter->next)
            err = cutter->count == 0 ? HS_ENOTFOUND : HS_EDAMAGED;
        else
            more = add_op(cutter, scan->value);
    }
    return err;
}

enum hs_err hs_log_cut(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t first,
                       struct hs_buf *body, struct hs_segment *segment)
{
    if (first == 0)
        return HS_ENOTFOUND;
    struct cutter cutter = {.body = body, .start = body->size, .next = first, .end = body->size, .segment = segment};
    *segment = (struct hs_segment){.stream = *stream, .first = first};
    enum hs_err err = hs_log_hash_at(reader, stream, first - 1, &cutter.hash);
    if (err != HS_OK)
        return err == HS_ENOTFOUND && log_reaches(reader, stream, first - 1) ? HS_EPRUNED : err;
    uint8_t key[OP_KEY_BYTES];
    struct hs_scan scan;
    log_op_key(stream, first, ROW_OP, key);
    hs_scan_begin(&scan, reader->txn, LOG_OP, HS_BYTES(key, HS_STREAM_KEY_BYTES), HS_BYTES(key, sizeof key));
    err = cut_rows(&cutter, &scan);
    hs_scan_end(&scan);
    if (err == HS_OK)
        err = reader->txn->err == HS_OK ? body->err : reader->txn->err;
    if (err == HS_OK && segment->count == 0)
        err = HS_ENOTFOUND;
    if (err == HS_OK)
        segment->body = HS_BYTES(body->data + cutter.start, cutter.end - cutter.start);
    if (body->err == HS_OK)
        body->size = err == HS_OK ? cutter.end : cutter.start;
    return err;
}
