/* announced.c -- what others were heard to have, and this hub does not: when they come back without it, this is what is
 * known of what is gone.  Keys: node key 32: u64 time (ms), u64 payments, u64 their sum in fen; node key 32, stream 11:
 * u64 time (ms), u64 n.  A row goes once that much is held. */
#include "storage/log/inside.h"

#include <stdlib.h>
#include <string.h>

#define SUMMARY_BYTES (8 + 8 + 8)
#define HEAD_BYTES    (8 + 8)
#define HEAD_KEY      (HS_KEY_BYTES + HS_STREAM_KEY_BYTES)

static uint64_t held_of(const struct hs_log_reader *reader, const struct hs_stream *stream)
{
    struct hs_head head;
    return hs_log_head(reader, stream, &head) == HS_OK ? head.n : 0;
}

/* ---- reading ---- */

struct reading {
    const struct hs_log_reader *reader;
    struct hs_announced summary; /* of the key that the rows are about */
};

static enum hs_err take_row(struct reading *reading, const struct hs_scan *scan, struct hs_announced *row)
{
    struct hs_cur cur = hs_cur_of(scan->value);
    if (scan->key.size == HS_KEY_BYTES && scan->value.size == SUMMARY_BYTES) {
        memcpy(reading->summary.node_key.bytes, scan->key.data, HS_KEY_BYTES);
        reading->summary.time_ms = hs_cur_u64(&cur);
        reading->summary.payments = hs_cur_u64(&cur);
        reading->summary.fen = (int64_t)hs_cur_u64(&cur);
        return HS_ENOTFOUND;
    }
    if (scan->key.size != HEAD_KEY || scan->value.size != HEAD_BYTES)
        return HS_EDAMAGED;
    if (memcmp(reading->summary.node_key.bytes, scan->key.data, HS_KEY_BYTES) != 0) {
        reading->summary = (struct hs_announced){0};
        memcpy(reading->summary.node_key.bytes, scan->key.data, HS_KEY_BYTES);
    }
    *row = reading->summary;
    row->time_ms = hs_cur_u64(&cur);
    row->head.n = hs_cur_u64(&cur);
    row->head.stream = hs_stream_from_key(scan->key.data + HS_KEY_BYTES);
    row->held = held_of(reading->reader, &row->head.stream);
    return row->head.n > row->held ? HS_OK : HS_ENOTFOUND;
}

enum hs_err hs_log_announced(const struct hs_log_reader *reader, hs_visit_announced visit, void *ctx)
{
    struct reading reading = {.reader = reader};
    struct hs_scan scan;
    struct hs_announced row;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, reader->txn, LOG_ANNOUNCED, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        err = take_row(&reading, &scan, &row);
        if (err == HS_OK)
            err = visit(ctx, &row);
        if (err == HS_ENOTFOUND)
            err = HS_OK;
    }
    hs_scan_end(&scan);
    return err == HS_OK ? reader->txn->err : err;
}

/* ---- writing ---- */

static struct hs_bytes make_key(const struct hs_key *node, const struct hs_stream *stream, uint8_t to[static HEAD_KEY])
{
    memcpy(to, node->bytes, HS_KEY_BYTES);
    hs_stream_key(stream, to + HS_KEY_BYTES);
    return HS_BYTES(to, HEAD_KEY);
}

/* No node has more rows than are free: one that makes up streams leaves room for what others say. */
static bool has_room(struct hs_log *log, size_t of_node)
{
    uint64_t count = hs_txn_count(&log->txn, LOG_ANNOUNCED);
    return count < HS_ANNOUNCED_MAX && of_node < HS_ANNOUNCED_MAX - count;
}

/* True: it is a row more.  Without room it is none: what is listed already is enough to look into it. */
static bool put_head(struct hs_log *log, const struct hs_key *node, const struct hs_stream *stream, uint64_t n,
                     size_t of_node)
{
    uint8_t key[HEAD_KEY], value[HEAD_BYTES];
    struct hs_bytes row, name = make_key(node, stream, key);
    enum hs_err err = hs_txn_get(&log->txn, LOG_ANNOUNCED, name, &row);
    if (err == HS_OK && row.size == HEAD_BYTES && hs_from_be64(row.data + 8) >= n)
        return false;
    if (err == HS_ENOTFOUND && !has_room(log, of_node))
        return false;
    hs_be64(value, log->now_ms(log->ctx));
    hs_be64(value + 8, n);
    hs_txn_put(log_change(log), LOG_ANNOUNCED, name, HS_BYTES(value, sizeof value));
    return err == HS_ENOTFOUND;
}

/* The first row of the node from @from on of which that much is held; @passed: those before it. */
static bool find_done(struct hs_log *log, const struct hs_key *node, struct hs_bytes from, uint8_t key[static HEAD_KEY],
                      size_t *passed)
{
    struct hs_log_reader reader = hs_log_reader_of(log);
    struct hs_scan scan;
    bool found = false;
    hs_scan_begin(&scan, &log->txn, LOG_ANNOUNCED, HS_BYTES(node->bytes, HS_KEY_BYTES), from);
    while (!found && hs_scan_next(&scan)) {
        if (scan.key.size != HEAD_KEY || scan.value.size != HEAD_BYTES)
            continue;
        struct hs_stream stream = hs_stream_from_key(scan.key.data + HS_KEY_BYTES);
        found = hs_from_be64(scan.value.data + 8) <= held_of(&reader, &stream);
        if (found)
            memcpy(key, scan.key.data, HEAD_KEY);
        else
            ++*passed;
    }
    hs_scan_end(&scan);
    return found;
}

/* How many rows of the node are left. */
static size_t drop_done(struct hs_log *log, const struct hs_key *node)
{
    uint8_t key[HEAD_KEY];
    struct hs_bytes from = HS_BYTES_NONE;
    size_t left = 0;
    while (log->txn.err == HS_OK && find_done(log, node, from, key, &left)) {
        from = HS_BYTES(key, sizeof key);
        hs_txn_delete(log_change(log), LOG_ANNOUNCED, from);
    }
    return left;
}

enum hs_err hs_log_put_announced(struct hs_log *log, const struct hs_announcement *announcement)
{
    const struct hs_key *node = &announcement->node_key;
    uint8_t value[SUMMARY_BYTES];
    size_t rows = drop_done(log, node);
    for (size_t i = 0; i < announcement->count && log->txn.err == HS_OK; i++)
        rows += put_head(log, node, &announcement->heads[i].stream, announcement->heads[i].n, rows);
    if (announcement->payments_known) {
        hs_be64(value, log->now_ms(log->ctx));
        hs_be64(value + 8, announcement->payments);
        hs_be64(value + 16, (uint64_t)announcement->fen);
        hs_txn_put(log_change(log), LOG_ANNOUNCED, HS_BYTES(node->bytes, HS_KEY_BYTES), HS_BYTES(value, sizeof value));
    }
    return log->txn.err;
}

/* Somebody has signed that he held more than is here. */
void log_note_signed(struct hs_log *log, const struct hs_receipt *receipt)
{
    struct hs_log_reader reader = hs_log_reader_of(log);
    const struct hs_certificate *writer = hs_log_writer(log, &log->txn, receipt->stream.origin);
    if (log->certificate.role == HS_ROLE_HUB && receipt->n > held_of(&reader, &receipt->stream))
        put_head(log, writer == NULL ? &receipt->hub_key : &writer->node_key, &receipt->stream, receipt->n, 0);
}
