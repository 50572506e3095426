/* fork.c -- streams of which two contents were signed: the proofs, and what came loose of them. */
#include "storage/log/inside.h"

#include <string.h>

/* Fork: key stream; row n u64, proof.  Loose: key stream, first u64, end hash 32; row count u32, start hash 32,
 * signature 64, body. */
#define LOOSE_HEAD_BYTES (4 + HS_HASH_BYTES + HS_SIGNATURE_BYTES)

static enum hs_err find_fork(struct hs_txn *txn, const struct hs_stream *stream, struct hs_bytes *row)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_stream_key(stream, key);
    enum hs_err err = hs_txn_get(txn, LOG_FORK, HS_BYTES(key, sizeof key), row);
    return err == HS_OK && row->size < 8 ? HS_EDAMAGED : err;
}

enum hs_err hs_log_fork(struct hs_txn *txn, const struct hs_stream *stream, uint64_t *n)
{
    struct hs_bytes row;
    enum hs_err err = find_fork(txn, stream, &row);
    if (err == HS_OK)
        *n = hs_from_be64(row.data);
    return err;
}

enum hs_err hs_log_put_fork(struct hs_log *log, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    struct hs_bytes held;
    enum hs_err err = find_fork(&log->txn, stream, &held);
    if (err != HS_ENOTFOUND)
        return err; /* one proof is enough */
    if (hs_log_writer(log, &log->txn, stream->origin) == NULL)
        /* Who signed it is not known: at the next start nobody could say what it proves. */
        return log->txn.err == HS_OK ? HS_ECERT : log->txn.err;
    if (stream->origin == log->life.current)
        log_renew_or_strike(log, "two contents were signed under one number of this origin");
    hs_stream_key(stream, key);
    uint8_t *row = hs_txn_reserve(log_change(log), LOG_FORK, HS_BYTES(key, sizeof key), 8 + proof.size);
    if (row != NULL) {
        hs_be64(row, n);
        memcpy(row + 8, proof.data, proof.size);
    }
    return log->txn.err;
}

enum hs_err hs_log_forks(struct hs_txn *txn, hs_visit_fork visit, void *ctx)
{
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, LOG_FORK, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        if (scan.key.size != HS_STREAM_KEY_BYTES || scan.value.size < 8) {
            err = HS_EDAMAGED;
            break;
        }
        struct hs_stream stream = hs_stream_from_key(scan.key.data);
        err = visit(ctx, &stream, hs_from_be64(scan.value.data), HS_BYTES(scan.value.data + 8, scan.value.size - 8));
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

uint64_t hs_log_fork_count(struct hs_txn *txn)
{
    return hs_txn_count(txn, LOG_FORK);
}

/* ---- loose ops ---- */

void log_loose_key(const struct hs_stream *stream, uint64_t first, const struct hs_hash *end,
                   uint8_t key[static LOOSE_KEY_BYTES])
{
    hs_stream_key(stream, key);
    hs_be64(key + HS_STREAM_KEY_BYTES, first);
    memcpy(key + HS_STREAM_KEY_BYTES + 8, end->bytes, HS_HASH_BYTES);
}

static enum hs_err check_chain(const struct hs_loose *loose)
{
    struct hs_cur cur = hs_cur_of(loose->segment.body);
    struct hs_hash hash = loose->start;
    for (uint32_t i = 0; i < loose->segment.count && cur.err == HS_OK; i++) {
        struct hs_bytes op = hs_cur_sized(&cur);
        hash = hs_chain_next(&hash, op);
    }
    if (!hs_cur_done(&cur))
        return HS_EMALFORMED;
    return hs_hash_equal(&hash, &loose->segment.end) ? HS_OK : HS_ESIGNATURE;
}

enum hs_err log_loose_decode(struct hs_bytes key, struct hs_bytes value, struct hs_loose *loose)
{
    if (key.size != LOOSE_KEY_BYTES || value.size < LOOSE_HEAD_BYTES)
        return HS_EDAMAGED;
    struct hs_segment *segment = &loose->segment;
    segment->stream = hs_stream_from_key(key.data);
    segment->first = hs_from_be64(key.data + HS_STREAM_KEY_BYTES);
    memcpy(segment->end.bytes, key.data + HS_STREAM_KEY_BYTES + 8, HS_HASH_BYTES);
    segment->count = hs_from_be32(value.data);
    memcpy(loose->start.bytes, value.data + 4, HS_HASH_BYTES);
    memcpy(segment->signature.bytes, value.data + 4 + HS_HASH_BYTES, HS_SIGNATURE_BYTES);
    segment->body = HS_BYTES(value.data + LOOSE_HEAD_BYTES, value.size - LOOSE_HEAD_BYTES);
    return check_chain(loose) == HS_OK ? HS_OK : HS_EDAMAGED;
}

static void put_loose(struct hs_log *log, const struct hs_loose *loose)
{
    const struct hs_segment *segment = &loose->segment;
    uint8_t key[LOOSE_KEY_BYTES];
    log_loose_key(&segment->stream, segment->first, &segment->end, key);
    size_t size = LOOSE_HEAD_BYTES + segment->body.size;
    uint8_t *row = hs_txn_reserve(log_change(log), LOG_LOOSE, HS_BYTES(key, sizeof key), size);
    if (row == NULL)
        return;
    hs_be32(row, segment->count);
    memcpy(row + 4, loose->start.bytes, HS_HASH_BYTES);
    memcpy(row + 4 + HS_HASH_BYTES, segment->signature.bytes, HS_SIGNATURE_BYTES);
    memcpy(row + LOOSE_HEAD_BYTES, segment->body.data, segment->body.size);
    log_list(
        log,
        &(struct log_item){
            .type = ITEM_LOOSE, .stream = segment->stream, .first = segment->first, .count = 1, .end = segment->end});
}

enum hs_err hs_log_put_loose(struct hs_log *log, const struct hs_loose *loose)
{
    const struct hs_segment *segment = &loose->segment;
    uint8_t key[LOOSE_KEY_BYTES];
    struct hs_bytes held;
    if (segment->first == 0 || segment->count == 0 || segment->first > UINT64_MAX - segment->count)
        return HS_EMALFORMED;
    if (hs_log_writer(log, &log->txn, segment->stream.origin) == NULL)
        return log->txn.err == HS_OK ? HS_ECERT : log->txn.err;
    enum hs_err err = find_fork(&log->txn, &segment->stream, &held);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_EINVAL : err;
    err = check_chain(loose);
    if (err != HS_OK)
        return err;
    log_loose_key(&segment->stream, segment->first, &segment->end, key);
    err = hs_txn_get(&log->txn, LOG_LOOSE, HS_BYTES(key, sizeof key), &held);
    if (err != HS_ENOTFOUND)
        return err == HS_OK ? HS_EEXISTS : err;
    put_loose(log, loose);
    return log->txn.err;
}

enum hs_err hs_log_loose(struct hs_txn *txn, const struct hs_stream *stream, hs_visit_loose visit, void *ctx)
{
    uint8_t prefix[HS_STREAM_KEY_BYTES];
    struct hs_scan scan;
    struct hs_loose loose;
    enum hs_err err = HS_OK;
    hs_stream_key(stream, prefix);
    hs_scan_begin(&scan, txn, LOG_LOOSE, HS_BYTES(prefix, sizeof prefix), HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        err = log_loose_decode(scan.key, scan.value, &loose);
        if (err == HS_OK)
            err = visit(ctx, &loose);
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}
