/* heal.c -- operations that rotted: noted, put right from a segment of another store's, or taken out of the log
 * together with what lies behind them, to be issued anew.
 *
 * Healed: key stream, first u64; of a receipt stream, u64 0, store id u64.  Row: last u64, time u64, state u8, why. */
#include "storage/log/inside.h"

#include <stdio.h>
#include <string.h>

#define HEALED_KEY_BYTES (HS_STREAM_KEY_BYTES + 8)
#define RECEIPT_BYTES    (HEALED_KEY_BYTES + 8)
#define HEALED_HEAD      (8 + 8 + 1)
#define HEALED_WHY_MAX   200

/* ---- the list ---- */

static struct hs_bytes healed_key(const struct hs_healed *healed, uint8_t key[static RECEIPT_BYTES])
{
    hs_stream_key(&healed->stream, key);
    hs_be64(key + HS_STREAM_KEY_BYTES, healed->first);
    hs_be64(key + HEALED_KEY_BYTES, healed->store_id);
    return HS_BYTES(key, healed->store_id == 0 ? HEALED_KEY_BYTES : RECEIPT_BYTES);
}

static enum hs_err decode(struct hs_bytes key, struct hs_bytes row, struct hs_healed *healed)
{
    struct hs_cur cur = hs_cur_of(row);
    if (key.size != HEALED_KEY_BYTES && key.size != RECEIPT_BYTES)
        return HS_EDAMAGED;
    *healed = (struct hs_healed){.stream = hs_stream_from_key(key.data),
                                 .first = hs_from_be64(key.data + HS_STREAM_KEY_BYTES)};
    if (key.size == RECEIPT_BYTES)
        healed->store_id = hs_from_be64(key.data + HEALED_KEY_BYTES);
    healed->last = hs_cur_u64(&cur);
    healed->time_ms = hs_cur_u64(&cur);
    healed->state = (enum hs_healing)hs_cur_u8(&cur);
    healed->why = hs_cur_take(&cur, cur.left);
    bool whole = cur.err == HS_OK && healed->last >= healed->first && hs_lane_valid(healed->stream.lane) &&
                 healed->state <= HS_HEALING_GONE;
    return whole ? HS_OK : HS_EDAMAGED;
}

enum hs_err hs_log_healed(struct hs_txn *txn, hs_visit_healed visit, void *ctx)
{
    struct hs_scan scan;
    struct hs_healed healed;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, LOG_HEALED, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        err = decode(scan.key, scan.value, &healed);
        if (err == HS_OK)
            err = visit(ctx, &healed);
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

void log_put_healed(struct hs_log *log, const struct hs_healed *healed)
{
    uint8_t key[RECEIPT_BYTES];
    uint8_t row[HEALED_HEAD + HEALED_WHY_MAX];
    size_t why = healed->why.size < HEALED_WHY_MAX ? healed->why.size : HEALED_WHY_MAX;
    hs_be64(row, healed->last);
    hs_be64(row + 8, log->now_ms(log->ctx));
    row[16] = (uint8_t)healed->state;
    if (why > 0)
        memcpy(row + HEALED_HEAD, healed->why.data, why);
    hs_txn_put(log_change(log), LOG_HEALED, healed_key(healed, key), HS_BYTES(row, HEALED_HEAD + why));
}

enum hs_err log_get_healed(struct hs_txn *txn, const struct hs_healed *of, struct hs_healed *healed)
{
    uint8_t key[RECEIPT_BYTES];
    struct hs_bytes row;
    struct hs_bytes name = healed_key(of, key);
    enum hs_err err = hs_txn_get(txn, LOG_HEALED, name, &row);
    return err == HS_OK ? decode(name, row, healed) : err;
}

/* ---- where is it? ---- */

/* The sound point at or below n: a checkpoint whose hash the ops before it lead to, or the beginning. */
static enum hs_err point_before(struct hs_txn *txn, const struct hs_stream *stream, uint64_t n,
                                struct log_checkpoint *at)
{
    enum hs_err err = n == 0 ? HS_ENOTFOUND : log_find_checkpoint(txn, stream, n, at);
    if (err == HS_ENOTFOUND) {
        *at = (struct log_checkpoint){.hash = hs_chain_start(stream)};
        err = HS_OK;
    }
    return err;
}

/* Whose stream it is, and who could sign for it. */
struct owner {
    struct hs_log *log;
    const struct hs_certificate *writer; /* NULL: not known */
    bool own;
};

static struct owner owner_of(struct hs_log *log, struct hs_txn *txn, const struct hs_stream *stream)
{
    struct owner owner = {.log = log, .writer = hs_log_writer(log, txn, stream->origin)};
    owner.own = owner.writer != NULL && hs_key_equal(&owner.writer->node_key, &log->certificate.node_key);
    return owner;
}

static bool is_signed(const struct owner *owner, const struct hs_stream *stream, const struct log_checkpoint *at,
                      const struct hs_hash *hash)
{
    return owner->writer == NULL ||
           hs_checkpoint_verify(stream, at->n, hash, &owner->writer->node_key, &at->signature) == HS_OK;
}

/* The run up to a checkpoint: HS_EDAMAGED if ops or signature are not what they were. */
static enum hs_err check_run(struct hs_txn *txn, const struct owner *owner, const struct log_item *run,
                             const struct log_checkpoint *end)
{
    enum hs_err err = end->begins ? HS_OK : log_check_run(txn, run);
    return err == HS_OK && !is_signed(owner, &run->stream, end, &end->hash) ? HS_EDAMAGED : err;
}

/* Is it still so?  The first unsound run from @first on, or HS_ENOTFOUND. */
static enum hs_err find_rot(struct hs_txn *txn, const struct owner *owner, const struct hs_stream *stream,
                            uint64_t *first, uint64_t last)
{
    struct log_checkpoint next, head;
    enum hs_err err = log_find_checkpoint(txn, stream, UINT64_MAX, &head);
    if (err != HS_OK)
        return err;
    last = last < head.n ? last : head.n;
    while (err == HS_OK && *first <= last) {
        struct log_item run = {.type = ITEM_OPS, .stream = *stream, .first = *first};
        err = log_next_checkpoint(txn, stream, *first, &next);
        if (err != HS_OK)
            return err;
        run.count = next.n - *first + 1;
        err = check_run(txn, owner, &run, &next);
        if (err == HS_EDAMAGED && txn->err == HS_OK)
            return HS_OK; /* here */
        *first = next.n + 1;
    }
    return err == HS_OK ? HS_ENOTFOUND : err;
}

/* ---- what can be put right here ---- */

static enum hs_err hash_of_run(struct hs_txn *txn, const struct log_item *run, struct log_checkpoint *at)
{
    struct hs_log_reader reader = {txn, NULL};
    struct hs_bytes op;
    enum hs_err err = HS_OK;
    for (uint64_t n = run->first; n < run->first + run->count && err == HS_OK; n++) {
        err = hs_log_op(&reader, &run->stream, n, &op);
        if (err == HS_OK)
            at->hash = hs_chain_next(&at->hash, op);
    }
    at->n = run->first + run->count - 1;
    return err;
}

static void put_row(struct hs_log *log, const struct hs_stream *stream, const struct log_checkpoint *at)
{
    uint8_t key[OP_KEY_BYTES];
    log_op_key(stream, at->n, ROW_CHECKPOINT, key);
    log_keep_row(log, LOG_OP, HS_BYTES(key, sizeof key));
    log_put_row(log, stream, at);
}

/* The row of a checkpoint rotted and the ops did not: its signature proves them, or it is this node's to sign again. */
static bool mend_row(struct hs_log *log, const struct owner *owner, const struct log_item *run)
{
    struct log_checkpoint at, row;
    if (owner->writer == NULL || point_before(&log->txn, &run->stream, run->first - 1, &at) != HS_OK ||
        at.n != run->first - 1 || hash_of_run(&log->txn, run, &at) != HS_OK ||
        log_find_checkpoint(&log->txn, &run->stream, at.n, &row) != HS_OK || row.n != at.n)
        return false;
    bool same = hs_hash_equal(&row.hash, &at.hash);
    if (!same && !is_signed(owner, &run->stream, &row, &at.hash))
        return false;
    if (same &&
        (!owner->own || hs_checkpoint_sign(&run->stream, at.n, &at.hash, &log->signer, &row.signature) != HS_OK))
        return false;
    row.hash = at.hash;
    put_row(log, &run->stream, &row);
    return true;
}

/* From *first on; *first out: what is left.  HS_ENOTFOUND: nothing is.  @any: true out if a row was. */
static enum hs_err mend_rows(struct hs_log *log, const struct owner *owner, const struct hs_stream *stream,
                             uint64_t *first, uint64_t last, bool *any)
{
    struct log_checkpoint next;
    bool mended = true;
    enum hs_err err = find_rot(&log->txn, owner, stream, first, last);
    while (err == HS_OK && mended) {
        err = log_next_checkpoint(&log->txn, stream, *first, &next);
        if (err != HS_OK)
            return err == HS_ENOTFOUND ? HS_OK : err;
        struct log_item run = {.type = ITEM_OPS, .stream = *stream, .first = *first, .count = next.n - *first + 1};
        mended = mend_row(log, owner, &run);
        *any = *any || mended;
        if (mended)
            err = find_rot(&log->txn, owner, stream, first, last);
    }
    return err;
}

/* The run that begins at @first: up to the checkpoint that should prove it. */
static enum hs_err note_run(struct hs_log *log, const struct hs_stream *stream, uint64_t first, uint64_t *last)
{
    struct hs_healed held;
    struct log_checkpoint next = {.n = first};
    enum hs_err err = log_next_checkpoint(&log->txn, stream, first, &next);
    *last = err == HS_OK || err == HS_EDAMAGED ? next.n : first;
    if (err != HS_OK && err != HS_ENOTFOUND && err != HS_EDAMAGED)
        return err;
    err = log_get_healed(&log->txn, &(struct hs_healed){.stream = *stream, .first = first}, &held);
    if (err != HS_OK || held.state != HS_HEALING_WAITS || held.last != *last)
        log_put_healed(
            log, &(struct hs_healed){.stream = *stream, .first = first, .last = *last, .state = HS_HEALING_WAITS});
    return log->txn.err;
}

enum hs_err hs_log_note_rot(struct hs_log *log, const struct hs_stream *stream, uint64_t first, uint64_t last,
                            bool *mended)
{
    struct log_checkpoint at;
    *mended = false;
    struct owner owner = owner_of(log, &log->txn, stream);
    enum hs_err err = first == 0 ? HS_EINVAL : point_before(&log->txn, stream, first - 1, &at);
    if (err != HS_OK)
        return err;
    uint64_t from = at.n + 1, end = 0;
    err = mend_rows(log, &owner, stream, &from, last > first ? last : first, mended);
    while (err == HS_OK) {
        err = note_run(log, stream, from, &end);
        from = end + 1;
        if (err == HS_OK)
            err = from <= last ? mend_rows(log, &owner, stream, &from, last, mended) : HS_ENOTFOUND;
    }
    if (*mended)
        log_put_anew(log);                    /* a replay may have left out what is right again */
    return err == HS_ENOTFOUND ? HS_OK : err; /* somebody was mistaken, or it is right again */
}

/* ---- put right ---- */

struct healer {
    struct hs_log *log;
    const struct hs_segment *segment;
    const struct hs_certificate *writer;
    bool own;
    uint64_t head;
    struct log_checkpoint at; /* the last op put right */
    uint64_t changed;
    bool others; /* are right again, for what lies before them is */
};

static void put_op(struct healer *healer, struct hs_bytes op)
{
    uint8_t key[OP_KEY_BYTES];
    struct hs_bytes held;
    log_op_key(&healer->segment->stream, healer->at.n, ROW_OP, key);
    enum hs_err err = hs_txn_get(&healer->log->txn, LOG_OP, HS_BYTES(key, sizeof key), &held);
    if (err == HS_OK && hs_bytes_equal(held, op))
        return;
    healer->changed++;
    log_keep_row(healer->log, LOG_OP, HS_BYTES(key, sizeof key));
    hs_txn_put(log_change(healer->log), LOG_OP, HS_BYTES(key, sizeof key), op);
}

static void put_checkpoint(struct healer *healer, const struct hs_signature *signature)
{
    struct log_checkpoint at = healer->at;
    at.signature = *signature;
    put_row(healer->log, &healer->segment->stream, &at);
    healer->changed++;
}

/* Is the row's signature of what leads to it? */
static bool row_signs(const struct healer *healer, struct hs_bytes row, struct hs_signature *signature)
{
    if (row.size < HS_HASH_BYTES + HS_SIGNATURE_BYTES)
        return false;
    memcpy(signature->bytes, row.data + HS_HASH_BYTES, HS_SIGNATURE_BYTES);
    return hs_checkpoint_verify(&healer->segment->stream, healer->at.n, &healer->at.hash, &healer->writer->node_key,
                                signature) == HS_OK;
}

/* The row of a checkpoint that nothing proves is signed anew if the stream is this node's own, else it goes, for a
 * later one covers it; not so a beginning, which waits. */
static enum hs_err mend_checkpoint(struct healer *healer)
{
    const struct hs_segment *segment = healer->segment;
    uint8_t key[OP_KEY_BYTES];
    struct hs_bytes row = HS_BYTES_NONE;
    struct hs_signature signature;
    log_op_key(&segment->stream, healer->at.n, ROW_CHECKPOINT, key);
    enum hs_err err = hs_txn_get(&healer->log->txn, LOG_OP, HS_BYTES(key, sizeof key), &row);
    bool there = err == HS_OK, signs = there && row_signs(healer, row, &signature);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    if (signs && row.size == (healer->at.begins ? BEGINNING_ROW_BYTES : CHECKPOINT_ROW_BYTES) &&
        memcmp(row.data, healer->at.hash.bytes, HS_HASH_BYTES) == 0)
        return HS_OK;
    if (healer->at.n == segment->first + segment->count - 1) {
        put_checkpoint(healer, &segment->signature);
    } else if (signs) {
        put_checkpoint(healer, &signature);
    } else if (there && healer->own) {
        err = hs_checkpoint_sign(&segment->stream, healer->at.n, &healer->at.hash, &healer->log->signer, &signature);
        if (err != HS_OK)
            return err;
        put_checkpoint(healer, &signature);
    } else if (there && !healer->at.begins && healer->at.n < healer->head) {
        log_keep_row(healer->log, LOG_OP, HS_BYTES(key, sizeof key));
        hs_txn_delete(log_change(healer->log), LOG_OP, HS_BYTES(key, sizeof key));
        healer->changed++;
    }
    return healer->log->txn.err;
}

/* What leads to a beginning is not here, for it came as state or became that, and must not come back: no commit lists
 * it. */
static enum hs_err mend_one(struct healer *healer, struct hs_bytes op)
{
    struct hs_log_reader reader = {&healer->log->txn, NULL};
    const struct hs_stream *stream = &healer->segment->stream;
    struct log_checkpoint next = {.n = 0};
    struct hs_bytes held;
    enum hs_err err = log_next_checkpoint(&healer->log->txn, stream, healer->at.n, &next);
    bool is_gone = err == HS_OK && next.begins && hs_log_op(&reader, stream, healer->at.n, &held) == HS_ENOTFOUND;
    healer->at.begins = is_gone && next.n == healer->at.n;
    if (healer->at.begins)
        healer->at.bytes = next.bytes;
    if (!is_gone)
        put_op(healer, op);
    return is_gone && !healer->at.begins ? healer->log->txn.err : mend_checkpoint(healer);
}

static enum hs_err mend(struct healer *healer)
{
    struct hs_cur cur = hs_cur_of(healer->segment->body);
    enum hs_err err = HS_OK;
    while (err == HS_OK && cur.left > 0 && healer->at.n < healer->head) {
        struct hs_bytes op = hs_cur_sized(&cur);
        healer->at.n++;
        healer->at.hash = hs_chain_next(&healer->at.hash, op);
        healer->at.bytes += log_sized_bytes(op.size);
        err = mend_one(healer, op);
    }
    return err;
}

/* Does the body lead from the point before it to the signed hash? */
static enum hs_err check_chain(const struct hs_segment *segment, const struct log_checkpoint *at)
{
    struct hs_cur cur = hs_cur_of(segment->body);
    struct hs_hash hash = at->hash;
    for (uint32_t i = 0; i < segment->count && cur.err == HS_OK; i++)
        hash = hs_chain_next(&hash, hs_cur_sized(&cur));
    if (!hs_cur_done(&cur))
        return HS_EMALFORMED;
    return hs_hash_equal(&hash, &segment->end) ? HS_OK : HS_ESIGNATURE;
}

/* What is noted of the stream and is right again is noted so; what is left of it begins further on. */
static enum hs_err settle(void *ctx, const struct hs_healed *healed)
{
    struct healer *healer = ctx;
    struct hs_healed note = *healed;
    const struct hs_stream *stream = &healer->segment->stream;
    if (!hs_stream_equal(&healed->stream, stream) || healed->state != HS_HEALING_WAITS)
        return HS_OK;
    uint64_t first = healed->first;
    struct owner owner = {healer->log, healer->writer, healer->own};
    enum hs_err err = find_rot(&healer->log->txn, &owner, stream, &first, healed->last);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    if (err == HS_OK && first == healed->first)
        return HS_OK;
    note.state = HS_HEALING_DONE;
    note.last = err == HS_OK ? first - 1 : healed->last;
    healer->others = healer->others || note.first < healer->segment->first ||
                     note.last - healer->segment->first >= healer->segment->count;
    log_put_healed(healer->log, &note);
    if (err == HS_OK)
        log_put_healed(
            healer->log,
            &(struct hs_healed){.stream = *stream, .first = first, .last = healed->last, .state = HS_HEALING_WAITS});
    return healer->log->txn.err;
}

struct noted {
    size_t count;
    struct hs_healed rows[HS_HEALED_MAX];
};

/* The rows lie in the map, which changes while they are settled: the text is not needed. */
static enum hs_err keep(void *ctx, const struct hs_healed *healed)
{
    struct noted *noted = ctx;
    if (healed->state == HS_HEALING_WAITS && healed->store_id == 0 && noted->count < HS_HEALED_MAX) {
        noted->rows[noted->count] = *healed;
        noted->rows[noted->count++].why = HS_BYTES_NONE;
    }
    return HS_OK;
}

static enum hs_err settle_all(struct healer *healer)
{
    struct noted noted = {.count = 0};
    enum hs_err err = hs_log_healed(&healer->log->txn, keep, &noted);
    for (size_t i = 0; i < noted.count && err == HS_OK; i++)
        err = settle(healer, &noted.rows[i]);
    return err;
}

enum hs_err hs_log_heal(struct hs_log *log, const struct hs_segment *segment, bool *others)
{
    struct healer healer = {.log = log, .segment = segment};
    struct log_checkpoint head;
    *others = false;
    if (segment->first == 0 || segment->count == 0 || segment->first > UINT64_MAX - segment->count)
        return HS_EMALFORMED;
    healer.writer = hs_log_writer(log, &log->txn, segment->stream.origin);
    if (healer.writer == NULL)
        return log->txn.err == HS_OK ? HS_ECERT : log->txn.err;
    healer.own = hs_key_equal(&healer.writer->node_key, &log->certificate.node_key);
    enum hs_err err = log_find_checkpoint(&log->txn, &segment->stream, UINT64_MAX, &head);
    if (err == HS_OK)
        err = point_before(&log->txn, &segment->stream, segment->first - 1, &healer.at);
    if (err == HS_OK && healer.at.n != segment->first - 1)
        err = HS_EGAP;
    if (err == HS_OK)
        err = check_chain(segment, &healer.at);
    if (err != HS_OK)
        return err;
    healer.head = head.n;
    err = mend(&healer);
    if (err == HS_OK)
        err = settle_all(&healer);
    *others = healer.others;
    if (err == HS_OK && healer.changed > 0) {
        log_put_anew(log); /* a replay may have left them out */
        log_reset_feeds(log);
    }
    return err == HS_OK ? log->txn.err : err;
}

/* ---- taken out ---- */

struct strip {
    const struct hs_stream *stream;
    uint64_t first;
};

static enum hs_err strip_item(void *ctx, struct log_item *item, bool *keep_it)
{
    const struct strip *strip = ctx;
    if (item->type != ITEM_OPS || !hs_stream_equal(&item->stream, strip->stream) ||
        item->first + item->count <= strip->first)
        return HS_OK;
    *keep_it = item->first < strip->first;
    if (*keep_it)
        item->count = strip->first - item->first;
    return HS_OK;
}

static bool last_row(struct hs_txn *txn, const uint8_t first[static OP_KEY_BYTES], uint8_t key[static OP_KEY_BYTES])
{
    struct hs_scan scan;
    hs_scan_begin(&scan, txn, LOG_OP, HS_BYTES(first, HS_STREAM_KEY_BYTES), HS_BYTES_NONE);
    bool found = hs_scan_last(&scan, HS_BYTES_NONE) && scan.key.size == OP_KEY_BYTES &&
                 memcmp(scan.key.data, first, OP_KEY_BYTES) >= 0;
    if (found)
        memcpy(key, scan.key.data, OP_KEY_BYTES);
    hs_scan_end(&scan);
    return found;
}

enum hs_err hs_log_strip(struct hs_log *log, const struct hs_stream *stream, uint64_t first, const char *why)
{
    struct strip strip = {stream, first};
    struct log_checkpoint head = {.n = 0};
    uint8_t from[OP_KEY_BYTES], key[OP_KEY_BYTES];
    enum hs_err err = log_find_checkpoint(&log->txn, stream, UINT64_MAX, &head);
    if (err != HS_OK)
        return err;
    log_op_key(stream, first, ROW_OP, from);
    while (last_row(&log->txn, from, key)) {
        log_keep_row(log, LOG_OP, HS_BYTES(key, sizeof key));
        hs_txn_delete(log_change(log), LOG_OP, HS_BYTES(key, sizeof key));
    }
    for (uint64_t commit = 0; err == HS_OK; commit++)
        err = log_edit_commit(log, &commit, strip_item, &strip);
    if (err != HS_ENOTFOUND)
        return err;
    log_put_healed(log, &(struct hs_healed){.stream = *stream,
                                            .first = first,
                                            .last = head.n > first ? head.n : first,
                                            .state = HS_HEALING_ANEW,
                                            .why = HS_BYTES(why, strlen(why))});
    log_put_anew(log);
    log_reset_feeds(log);
    return log->txn.err;
}

/* ---- may it be issued anew? ---- */

struct reach {
    const struct hs_stream *stream;
    uint64_t n;
};

/* One that has rotted said something, and nobody knows what. */
static enum hs_err add_receipt(void *ctx, const struct hs_receipt *receipt)
{
    struct reach *reach = ctx;
    uint64_t n = hs_receipt_verify(receipt) == HS_OK ? receipt->n : UINT64_MAX;
    reach->n = n > reach->n ? n : reach->n;
    return HS_OK;
}

static enum hs_err add_waiting(void *ctx, const struct hs_healed *healed)
{
    struct reach *reach = ctx;
    if (healed->store_id != 0 && healed->state == HS_HEALING_WAITS && hs_stream_equal(&healed->stream, reach->stream))
        reach->n = UINT64_MAX;
    return HS_OK;
}

/* Of this node's own, and no store has ever signed for it: else it is to be had from there. */
enum hs_err hs_log_is_alone(struct hs_log *log, struct hs_txn *txn, const struct hs_healed *healed, bool *alone)
{
    struct reach reach = {&healed->stream, 0};
    const struct hs_certificate *writer = hs_log_writer(log, txn, healed->stream.origin);
    *alone = false;
    if (writer == NULL || !hs_key_equal(&writer->node_key, &log->certificate.node_key))
        return txn->err;
    enum hs_err err = hs_log_receipts(txn, &healed->stream, add_receipt, &reach);
    if (err == HS_OK)
        err = hs_log_healed(txn, add_waiting, &reach);
    *alone = err == HS_OK && reach.n < healed->first;
    return err;
}

bool hs_log_is_rotten(struct hs_log *log, struct hs_txn *txn, const struct hs_healed *healed)
{
    uint64_t first = healed->first;
    struct owner owner = owner_of(log, txn, &healed->stream);
    return find_rot(txn, &owner, &healed->stream, &first, healed->last) == HS_OK;
}

void hs_log_give_up(struct hs_log *log, const struct hs_healed *healed, const char *why)
{
    struct hs_healed gone = *healed;
    gone.state = HS_HEALING_GONE;
    gone.why = HS_BYTES(why, strlen(why));
    log_put_healed(log, &gone);
}
