/* fill.c -- (partition, lane) that come as state from other stores: how far they are, and the heads that are reached
 * with the last state.  A fill: key partition u16, lane u8; row flags u8 (1: a whole list of heads has come), records
 * u64, total u64, since u64 (ms), record key of the last that came (the rest).  A head: key partition, lane, origin
 * u64; row n u64, h(n) 32, signature 64. */
#include "storage/log/inside.h"

#include <string.h>

#define PLACE_BYTES    3
#define HEAD_KEY_BYTES (PLACE_BYTES + 8)
#define HEAD_ROW_BYTES (8 + HS_HASH_BYTES + HS_SIGNATURE_BYTES)
#define FLAG_NOTED     1

static struct hs_bytes place_key(hs_partition partition, uint8_t lane, uint8_t key[static PLACE_BYTES])
{
    hs_be16(key, partition);
    key[2] = lane;
    return HS_BYTES(key, PLACE_BYTES);
}

/* ---- fills ---- */

static enum hs_err decode_fill(struct hs_bytes key, struct hs_bytes row, struct hs_fill *fill)
{
    struct hs_cur cur = hs_cur_of(row);
    uint8_t flags = hs_cur_u8(&cur);
    if (key.size != PLACE_BYTES || flags > FLAG_NOTED)
        return HS_EDAMAGED;
    *fill = (struct hs_fill){.partition = hs_from_be16(key.data), .lane = key.data[2], .noted = flags != 0};
    fill->records = hs_cur_u64(&cur);
    fill->total = hs_cur_u64(&cur);
    fill->since_ms = hs_cur_u64(&cur);
    fill->after = hs_cur_take(&cur, cur.left);
    return cur.err == HS_OK && fill->after.size <= HS_RECORD_KEY_BYTES_MAX && hs_lane_valid(fill->lane) ? HS_OK
                                                                                                        : HS_EDAMAGED;
}

static enum hs_err find_fill(struct hs_txn *txn, hs_partition partition, uint8_t lane, struct hs_fill *fill)
{
    uint8_t raw[PLACE_BYTES];
    struct hs_bytes key = place_key(partition, lane, raw);
    struct hs_bytes row;
    enum hs_err err = hs_txn_get(txn, LOG_FILL, key, &row);
    return err == HS_OK ? decode_fill(key, row, fill) : err;
}

static void put_fill(struct hs_log *log, const struct hs_fill *fill)
{
    uint8_t key[PLACE_BYTES];
    struct hs_buf row = {0};
    hs_buf_put_u8(&row, fill->noted ? FLAG_NOTED : 0);
    hs_buf_put_u64(&row, fill->records);
    hs_buf_put_u64(&row, fill->total);
    hs_buf_put_u64(&row, fill->since_ms);
    hs_buf_put_bytes(&row, fill->after);
    if (row.err != HS_OK)
        log_fail(log, row.err);
    hs_txn_put(log_change(log), LOG_FILL, place_key(fill->partition, fill->lane, key), hs_buf_bytes(&row));
    hs_buf_fini(&row);
}

enum hs_err hs_log_fill_begin(struct hs_log *log, hs_partition partition, uint8_t lane)
{
    struct hs_fill fill;
    if (!hs_partition_valid(partition) || !hs_lane_valid(lane))
        return HS_EINVAL;
    enum hs_err err = find_fill(&log->txn, partition, lane, &fill);
    if (err != HS_ENOTFOUND)
        return err;
    put_fill(log, &(struct hs_fill){.partition = partition, .lane = lane, .since_ms = log->now_ms(log->ctx)});
    return log->txn.err;
}

enum hs_err hs_log_fills(struct hs_txn *txn, hs_visit_fill visit, void *ctx)
{
    struct hs_scan scan;
    struct hs_fill fill;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, LOG_FILL, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        err = decode_fill(scan.key, scan.value, &fill);
        if (err == HS_OK)
            err = visit(ctx, &fill);
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

bool hs_log_filling(struct hs_txn *txn, hs_partition partition)
{
    uint8_t prefix[2];
    struct hs_scan scan;
    hs_be16(prefix, partition);
    hs_scan_begin(&scan, txn, LOG_FILL, HS_BYTES(prefix, sizeof prefix), HS_BYTES_NONE);
    bool found = hs_scan_next(&scan);
    hs_scan_end(&scan);
    return found || txn->err != HS_OK;
}

/* ---- heads noted ---- */

static struct hs_bytes head_key(const struct hs_stream *stream, uint8_t key[static HEAD_KEY_BYTES])
{
    place_key(stream->partition, stream->lane, key);
    hs_be64(key + PLACE_BYTES, stream->origin);
    return HS_BYTES(key, HEAD_KEY_BYTES);
}

static enum hs_err decode_head(struct hs_bytes key, struct hs_bytes row, struct hs_signed_head *head)
{
    struct hs_cur cur = hs_cur_of(row);
    if (key.size != HEAD_KEY_BYTES || row.size != HEAD_ROW_BYTES)
        return HS_EDAMAGED;
    head->stream.partition = hs_from_be16(key.data);
    head->stream.lane = key.data[2];
    head->stream.origin = hs_from_be64(key.data + PLACE_BYTES);
    head->n = hs_cur_u64(&cur);
    hs_cur_copy(&cur, head->hash.bytes, HS_HASH_BYTES);
    hs_cur_copy(&cur, head->signature.bytes, HS_SIGNATURE_BYTES);
    return HS_OK;
}

static void put_head(struct hs_log *log, const struct hs_signed_head *head)
{
    uint8_t key[HEAD_KEY_BYTES];
    uint8_t *row = hs_txn_reserve(log_change(log), LOG_FILL_HEAD, head_key(&head->stream, key), HEAD_ROW_BYTES);
    if (row == NULL)
        return;
    hs_be64(row, head->n);
    memcpy(row + 8, head->hash.bytes, HS_HASH_BYTES);
    memcpy(row + 8 + HS_HASH_BYTES, head->signature.bytes, HS_SIGNATURE_BYTES);
}

static void drop_head(struct hs_log *log, const struct hs_stream *stream)
{
    uint8_t key[HEAD_KEY_BYTES];
    hs_txn_delete(log_change(log), LOG_FILL_HEAD, head_key(stream, key));
}

/* The first head of (partition, lane) behind the stream @after (NULL: of all).  HS_ENOTFOUND. */
static enum hs_err next_head(struct hs_txn *txn, hs_partition partition, uint8_t lane, const struct hs_stream *after,
                             struct hs_signed_head *head)
{
    uint8_t prefix[PLACE_BYTES];
    uint8_t raw[HEAD_KEY_BYTES];
    struct hs_scan scan;
    struct hs_bytes from = after != NULL ? head_key(after, raw) : HS_BYTES_NONE;
    hs_scan_begin(&scan, txn, LOG_FILL_HEAD, place_key(partition, lane, prefix), from);
    bool found = hs_scan_next(&scan);
    if (found && after != NULL && hs_bytes_equal(scan.key, from))
        found = hs_scan_next(&scan);
    enum hs_err err = found ? decode_head(scan.key, scan.value, head) : HS_ENOTFOUND;
    hs_scan_end(&scan);
    return txn->err == HS_OK ? err : txn->err;
}

static enum hs_err drop_heads(struct hs_log *log, hs_partition partition, uint8_t lane)
{
    struct hs_signed_head head;
    enum hs_err err = next_head(&log->txn, partition, lane, NULL, &head);
    while (err == HS_OK) {
        drop_head(log, &head.stream);
        err = next_head(&log->txn, partition, lane, NULL, &head);
    }
    return err == HS_ENOTFOUND ? HS_OK : err;
}

static void drop_fill(struct hs_log *log, hs_partition partition, uint8_t lane)
{
    uint8_t key[PLACE_BYTES];
    hs_txn_delete(log_change(log), LOG_FILL, place_key(partition, lane, key));
}

enum hs_err log_drop_fills(struct hs_log *log, hs_partition partition)
{
    enum hs_err err = HS_OK;
    for (unsigned lane = HS_LANE_WORK; lane <= HS_LANE_BULK && err == HS_OK; lane++) {
        drop_fill(log, partition, (uint8_t)lane);
        err = drop_heads(log, partition, (uint8_t)lane);
    }
    return err == HS_OK ? log->txn.err : err;
}

/* ---- lists of heads ---- */

static enum hs_err check_note(struct hs_log *log, const struct hs_fill_note *note)
{
    const struct hs_stream *before = note->after;
    for (size_t i = 0; i < note->count; i++) {
        const struct hs_signed_head *head = &note->heads[i];
        bool here = head->stream.partition == note->partition && head->stream.lane == note->lane && head->n > 0;
        if (!here || (before != NULL && hs_stream_compare(before, &head->stream) >= 0))
            return HS_EINVAL;
        if (hs_log_writer(log, &log->txn, head->stream.origin) == NULL)
            return log->txn.err == HS_OK ? HS_ECERT : log->txn.err;
        before = &head->stream;
    }
    return HS_OK;
}

static uint64_t held_of(struct hs_log *log, const struct hs_stream *stream)
{
    struct hs_log_reader reader = hs_log_reader_of(log);
    struct hs_head head = {.n = 0};
    enum hs_err err = hs_log_head(&reader, stream, &head);
    if (err != HS_OK && err != HS_ENOTFOUND)
        log_fail(log, err);
    return err == HS_OK ? head.n : 0;
}

static void note_heads(struct hs_log *log, const struct hs_fill_note *note)
{
    for (size_t i = 0; i < note->count; i++)
        put_head(log, &note->heads[i]);
}

/* The lowest of each stream; one that is named with two contents under one number leads nowhere. */
static void lower_head(struct hs_log *log, const struct hs_signed_head *held, const struct hs_signed_head *noted)
{
    if (noted == NULL || (noted->n == held->n && !hs_hash_equal(&noted->hash, &held->hash)))
        drop_head(log, &held->stream);
    else if (noted->n < held->n)
        put_head(log, noted);
}

static enum hs_err lower_heads(struct hs_log *log, const struct hs_fill_note *note)
{
    struct hs_signed_head held;
    size_t i = 0;
    enum hs_err err = next_head(&log->txn, note->partition, note->lane, note->after, &held);
    while (err == HS_OK) {
        while (i < note->count && hs_stream_compare(&note->heads[i].stream, &held.stream) < 0)
            i++;
        if (i == note->count && !note->last)
            break;
        bool named = i < note->count && hs_stream_equal(&note->heads[i].stream, &held.stream);
        lower_head(log, &held, named ? &note->heads[i] : NULL);
        struct hs_stream after = held.stream;
        err = next_head(&log->txn, note->partition, note->lane, &after, &held);
    }
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* ---- money: the log goes on as ever, and the fill is over when it has got to the heads ---- */

static void drop_reached(struct hs_log *log, const struct hs_fill_note *note)
{
    for (size_t i = 0; i < note->count; i++) {
        if (held_of(log, &note->heads[i].stream) >= note->heads[i].n)
            drop_head(log, &note->heads[i].stream);
    }
}

static void end_if_reached(struct hs_log *log, hs_partition partition)
{
    struct hs_fill fill;
    struct hs_signed_head head;
    enum hs_err err = find_fill(&log->txn, partition, HS_LANE_MONEY, &fill);
    if (err == HS_OK && !fill.noted)
        return;
    if (err == HS_OK)
        err = next_head(&log->txn, partition, HS_LANE_MONEY, NULL, &head);
    if (err != HS_OK && err != HS_ENOTFOUND)
        log_fail(log, err);
    if (err == HS_ENOTFOUND)
        drop_fill(log, partition, HS_LANE_MONEY);
}

void log_end_money_fills(struct hs_log *log)
{
    if (log->txn.err != HS_OK || hs_txn_count(&log->txn, LOG_FILL_HEAD) == 0)
        return;
    for (size_t i = 0; i < log->grown_count; i++) {
        const struct log_grown *grown = &log->grown[i];
        uint8_t raw[HEAD_KEY_BYTES];
        struct hs_bytes key = head_key(&grown->stream, raw);
        struct hs_bytes row;
        if (grown->stream.lane != HS_LANE_MONEY || hs_txn_get(&log->txn, LOG_FILL_HEAD, key, &row) != HS_OK)
            continue;
        struct hs_signed_head head;
        if (decode_head(key, row, &head) != HS_OK) {
            log_fail(log, HS_EDAMAGED);
        } else if (grown->n >= head.n) {
            drop_head(log, &grown->stream);
            end_if_reached(log, grown->stream.partition);
        }
    }
}

/* ---- steps of a fill ---- */

static enum hs_err watch_heads(struct hs_log *log, const struct hs_fill_note *note)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < note->count && err == HS_OK; i++) {
        if (note->heads[i].stream.origin == log->life.current)
            err = log_watch_own(log, &note->heads[i], held_of(log, &note->heads[i].stream));
    }
    return err;
}

enum hs_err hs_log_fill_note(struct hs_log *log, const struct hs_fill_note *note)
{
    struct hs_fill fill;
    enum hs_err err = find_fill(&log->txn, note->partition, note->lane, &fill);
    if (err == HS_ENOTFOUND) /* of money: the log has got there before the list has ended */
        return note->lane == HS_LANE_MONEY ? HS_OK : HS_EINVAL;
    if (err != HS_OK)
        return err;
    err = check_note(log, note);
    if (err == HS_OK)
        err = watch_heads(log, note);
    if (err != HS_OK)
        return err;
    if (fill.noted) {
        err = lower_heads(log, note);
    } else { /* no state has come yet: a list that was broken off does not count */
        err = note->after == NULL ? drop_heads(log, note->partition, note->lane) : HS_OK;
        note_heads(log, note);
    }
    if (err != HS_OK)
        return log_fail(log, err);
    if (note->lane == HS_LANE_MONEY)
        drop_reached(log, note);
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
    if (fill.after.size > 0) /* a view into the map, in which has been written */
        memcpy(after, fill.after.data, fill.after.size);
    fill.after = HS_BYTES(after, fill.after.size);
    fill.noted = fill.noted || note->last;
    fill.total = note->total != 0 ? note->total : fill.total;
    put_fill(log, &fill);
    if (note->lane == HS_LANE_MONEY)
        end_if_reached(log, note->partition);
    return log->txn.err;
}

enum hs_err hs_log_fill_step(struct hs_log *log, const struct hs_fill_step *step)
{
    struct hs_fill fill;
    enum hs_err err = find_fill(&log->txn, step->partition, step->lane, &fill);
    if (err == HS_ENOTFOUND || (err == HS_OK && (!fill.noted || step->lane == HS_LANE_MONEY)))
        return HS_EINVAL;
    if (err != HS_OK)
        return err;
    if (hs_bytes_compare(step->first, fill.after) <= 0)
        return HS_EGAP;
    fill.after = step->last;
    fill.records += step->count;
    put_fill(log, &fill);
    log_list_states(log, step->first, step->last);
    return log->txn.err;
}

enum hs_err hs_log_fill_end(struct hs_log *log, hs_partition partition, uint8_t lane)
{
    struct hs_fill fill;
    struct hs_signed_head head;
    enum hs_err err = find_fill(&log->txn, partition, lane, &fill);
    if (err == HS_ENOTFOUND || (err == HS_OK && (!fill.noted || lane == HS_LANE_MONEY)))
        return HS_EINVAL;
    if (err == HS_OK)
        err = next_head(&log->txn, partition, lane, NULL, &head);
    while (err == HS_OK) {
        err = log_jump(log, &head);
        if (err == HS_OK) {
            drop_head(log, &head.stream);
            err = next_head(&log->txn, partition, lane, NULL, &head);
        }
    }
    if (err != HS_ENOTFOUND)
        return log_fail(log, err);
    drop_fill(log, partition, lane);
    return log->txn.err;
}
