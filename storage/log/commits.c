/* commits.c -- the order in which ops and states came: one row a commit.  Key: number u64.  Row: tag u64, last stamp
 * u64, items: type u8, stream, first varint, then of ops the count (varint), of a loose segment its end hash (32); of
 * states type u8 and the record keys of the first and the last, each sized; of evicted records type u8, partition u16
 * and the record keys behind which they began (none: all) and up to which they went (none: all), each sized. */
#include "storage/log/inside.h"

#include <assert.h>
#include <string.h>

void log_put_item(struct hs_buf *to, const struct log_item *item)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_buf_put_u8(to, item->type);
    if (item->type == ITEM_STATES || item->type == ITEM_EVICTED) {
        if (item->type == ITEM_EVICTED)
            hs_buf_put_u16(to, item->stream.partition);
        hs_buf_put_sized(to, item->from);
        hs_buf_put_sized(to, item->to);
        return;
    }
    hs_stream_key(&item->stream, key);
    hs_buf_put(to, key, sizeof key);
    hs_buf_put_varint(to, item->first);
    if (item->type == ITEM_OPS)
        hs_buf_put_varint(to, item->count);
    else
        hs_buf_put(to, item->end.bytes, HS_HASH_BYTES);
}

static void end_run(struct hs_log *log)
{
    struct log_came *came = &log->came;
    if (log->run.count > 0)
        log_put_item(&log->items, &log->run);
    log->run.count = 0;
    if (came->last_size > 0)
        log_put_item(&log->items, &(struct log_item){.type = ITEM_STATES,
                                                     .from = HS_BYTES(came->first, came->first_size),
                                                     .to = HS_BYTES(came->last, came->last_size)});
    came->last_size = 0;
}

void log_list(struct hs_log *log, const struct log_item *item)
{
    struct log_item *run = &log->run;
    bool goes_on = run->count > 0 && run->type == ITEM_OPS && item->type == ITEM_OPS &&
                   hs_stream_equal(&run->stream, &item->stream) && run->first + run->count == item->first;
    if (goes_on) {
        run->count += item->count;
        return;
    }
    end_run(log);
    *run = *item;
}

#define PLACE_BYTES 3 /* partition and lane, with which a record key begins */

/* They come in ascending order, so what was listed of the same partition and lane goes on. */
void log_list_states(struct hs_log *log, struct hs_bytes from, struct hs_bytes to)
{
    struct log_came *came = &log->came;
    assert(to.size > PLACE_BYTES && to.size <= sizeof came->last && from.size <= sizeof came->first);
    bool goes_on = came->last_size > 0 && memcmp(came->last, to.data, PLACE_BYTES) == 0 &&
                   hs_bytes_compare(HS_BYTES(came->last, came->last_size), from) < 0;
    if (!goes_on) {
        end_run(log);
        memcpy(came->first, from.data, from.size);
        came->first_size = from.size;
    }
    memcpy(came->last, to.data, to.size);
    came->last_size = to.size;
}

void log_list_evicted(struct hs_log *log, const struct hs_evicted *piece)
{
    end_run(log);
    log_put_item(&log->items, &(struct log_item){.type = ITEM_EVICTED,
                                                 .stream = {.partition = piece->partition},
                                                 .from = piece->after,
                                                 .to = piece->to});
}

void log_begin_commit(struct hs_log *log)
{
    hs_buf_reset(&log->items);
    hs_buf_extend(&log->items, COMMIT_HEAD_BYTES); /* filled in when it is put */
    log->run.count = 0;
    log->came.last_size = 0;
}

/* The row says when it was made: by the last stamp given, or now if that is long past. */
static void mark_time(struct hs_log *log)
{
    uint64_t now = log->now_ms(log->ctx);
    if (hs_stamp_ms(log->stamp) < now)
        log->stamp = hs_stamp_next(log->stamp, 0, now);
}

void log_put_commit(struct hs_log *log, const struct hs_position *position)
{
    uint8_t key[8];
    mark_time(log);
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
    if (position->commit < hs_log_folded(txn))
        return HS_ERESET; /* of what came behind it some is in base states only */
    if (position->commit < log_anew(txn))
        return HS_ERESET; /* operations were put right, or taken out */
    hs_be64(key, position->commit);
    enum hs_err err = hs_txn_get(txn, LOG_COMMIT, HS_BYTES(key, sizeof key), &row);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_ERESET : err;
    if (row.size < COMMIT_HEAD_BYTES)
        return HS_EDAMAGED;
    return hs_from_be64(row.data) == position->tag ? HS_OK : HS_ERESET;
}

enum hs_err hs_log_knows(struct hs_txn *txn, const struct hs_position *position)
{
    uint8_t key[8];
    struct hs_bytes row;
    if (position->commit == 0)
        return HS_OK;
    hs_be64(key, position->commit);
    enum hs_err err = hs_txn_get(txn, LOG_COMMIT, HS_BYTES(key, sizeof key), &row);
    if (err == HS_OK && row.size < COMMIT_HEAD_BYTES)
        err = HS_EDAMAGED;
    if (err == HS_OK)
        return hs_from_be64(row.data) == position->tag ? HS_OK : HS_ERESET;
    if (err != HS_ENOTFOUND)
        return err;
    uint64_t last = hs_log_last(txn).commit;
    return txn->err != HS_OK ? txn->err : position->commit > last ? HS_ERESET : HS_EPRUNED;
}

/* ---- the walk ---- */

struct walker {
    struct hs_txn *txn;
    hs_visit_rot rot;
    hs_visit_logged visit;
    void *ctx;
    size_t visited;
    size_t checked; /* visited: the run at hand failed before anything of it was */
};

enum hs_err log_read_item(struct hs_cur *cur, struct log_item *item)
{
    *item = (struct log_item){.type = hs_cur_u8(cur)};
    if (item->type == ITEM_STATES || item->type == ITEM_EVICTED) {
        if (item->type == ITEM_EVICTED)
            item->stream.partition = hs_cur_u16(cur);
        item->from = hs_cur_sized(cur);
        item->to = hs_cur_sized(cur);
        return cur->err == HS_OK ? HS_OK : HS_EDAMAGED;
    }
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

static enum hs_err visit_sound(struct walker *walker, const struct log_item *item)
{
    uint8_t key[OP_KEY_BYTES];
    struct hs_scan scan;
    struct hs_logged op = {.stream = item->stream, .n = item->first};
    walker->checked = walker->visited;
    enum hs_err err = log_check_run(walker->txn, item);
    if (err != HS_OK)
        return err;
    walker->checked = SIZE_MAX; /* what fails from now on is not the log's fault */
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

/* From one checkpoint to the next: what is not what was signed is left out and told, if somebody wants to be. */
static enum hs_err visit_run(struct walker *walker, const struct log_item *item)
{
    struct log_item run = *item;
    uint64_t end = item->first + item->count;
    enum hs_err err = visit_sound(walker, item);
    if (err != HS_EDAMAGED || walker->rot == NULL || walker->txn->err != HS_OK || walker->visited != walker->checked)
        return err;
    for (err = HS_OK; err == HS_OK && run.first < end; run.first += run.count) {
        struct log_checkpoint next;
        err = log_next_checkpoint(walker->txn, &run.stream, run.first, &next);
        run.count = err == HS_OK && next.n < end ? next.n - run.first + 1 : end - run.first;
        if (err == HS_ENOTFOUND)
            return HS_EDAMAGED; /* listed beyond the last that is there: nobody could say what is missing */
        if (err == HS_EDAMAGED)
            err = HS_OK;
        if (err == HS_OK)
            err = log_check_run(walker->txn, &run);
        if (err == HS_OK)
            err = visit_sound(walker, &run);
        else if (err == HS_EDAMAGED && walker->txn->err == HS_OK)
            err = walker->rot(walker->ctx, &run.stream, run.first, run.first + run.count - 1);
    }
    return err;
}

static enum hs_err visit_ops(struct walker *walker, const struct log_item *item)
{
    struct log_item kept = *item;
    enum hs_err err = log_clip_run(walker->txn, &kept);
    return err == HS_OK && kept.count > 0 ? visit_run(walker, &kept) : err;
}

static enum hs_err visit_state(void *ctx, const struct hs_stored *state)
{
    return visit_op(ctx, &(struct hs_logged){.state = state});
}

/* As they are now: what was folded into one since it came is in it. */
static enum hs_err visit_states(struct walker *walker, const struct log_item *item)
{
    return log_bases(walker->txn, item->from, item->to, visit_state, walker);
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
        struct hs_logged op = {
            .stream = item->stream, .n = item->first + i, .bytes = hs_cur_sized(&cur), .loose = true};
        err = cur.err == HS_OK ? visit_op(walker, &op) : HS_EDAMAGED;
    }
    return err;
}

static enum hs_err visit_evicted(struct walker *walker, const struct log_item *item)
{
    struct hs_evicted piece = {item->stream.partition, item->from, item->to};
    return visit_op(walker, &(struct hs_logged){.evicted = &piece});
}

static enum hs_err visit_item(struct walker *walker, const struct log_item *item)
{
    switch (item->type) {
    case ITEM_OPS:
        return visit_ops(walker, item);
    case ITEM_LOOSE:
        return visit_loose(walker, item);
    case ITEM_EVICTED:
        return visit_evicted(walker, item);
    default:
        return visit_states(walker, item);
    }
}

static enum hs_err visit_commit(struct walker *walker, struct hs_bytes row)
{
    struct hs_cur cur = hs_cur_of(row);
    struct log_item item;
    enum hs_err err = HS_OK;
    hs_cur_take(&cur, COMMIT_HEAD_BYTES);
    while (err == HS_OK && cur.left > 0) {
        err = log_read_item(&cur, &item);
        if (err == HS_OK)
            err = visit_item(walker, &item);
    }
    return cur.err == HS_OK ? err : HS_EDAMAGED;
}

/* ---- is everything listed? ---- */

/* Ops as they are listed, of which some may have been folded since, against those that are held. */
struct counter {
    struct hs_txn *txn;
    uint64_t listed, held;
};

static enum hs_err add_listed(struct counter *counter, struct hs_bytes row)
{
    struct hs_cur cur = hs_cur_of(row);
    struct log_item item;
    enum hs_err err = HS_OK;
    hs_cur_take(&cur, COMMIT_HEAD_BYTES);
    while (err == HS_OK && cur.err == HS_OK && cur.left > 0) {
        err = log_read_item(&cur, &item);
        if (err == HS_OK && item.type == ITEM_OPS) {
            err = log_clip_run(counter->txn, &item);
            counter->listed += item.count;
        }
    }
    return cur.err == HS_OK ? err : HS_EDAMAGED;
}

/* Ops before a gap are counted one by one. */
static void count_rows(struct counter *counter, const struct hs_stream *stream)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    struct hs_scan scan;
    hs_stream_key(stream, key);
    hs_scan_begin(&scan, counter->txn, LOG_OP, HS_BYTES(key, sizeof key), HS_BYTES_NONE);
    while (hs_scan_next(&scan))
        counter->held += scan.key.size == OP_KEY_BYTES && scan.key.data[OP_KEY_BYTES - 1] == ROW_OP;
    hs_scan_end(&scan);
}

static enum hs_err add_head(void *ctx, const struct hs_head *head)
{
    struct counter *counter = ctx;
    uint64_t beginning = 0;
    uint64_t fold;
    enum hs_err err = log_find_fold(counter->txn, &head->stream, &fold);
    if (err == HS_OK)
        count_rows(counter, &head->stream);
    if (err != HS_ENOTFOUND)
        return err;
    err = hs_log_beginning(counter->txn, &head->stream, &beginning);
    counter->held += head->n - beginning;
    return err;
}

/* Where commits are lost, ops are held that no record would show: as many as are held must be listed. */
enum hs_err log_check_listed(struct hs_txn *txn)
{
    struct hs_scan scan;
    struct hs_log_reader reader = {txn, NULL};
    struct counter counter = {txn, 0, 0};
    uint64_t commit = 0;
    uint64_t folded = hs_log_folded(txn); /* rows before it may be gone */
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, LOG_COMMIT, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        uint64_t before = commit;
        commit = scan.key.size == 8 ? hs_from_be64(scan.key.data) : 0;
        bool follows = commit == before + 1 || (commit > before && commit <= folded);
        err = follows ? add_listed(&counter, scan.value) : HS_EDAMAGED;
    }
    hs_scan_end(&scan);
    if (err == HS_OK)
        err = txn->err == HS_OK ? hs_log_heads(&reader, add_head, &counter) : txn->err;
    if (err == HS_OK)
        err = txn->err;
    return err == HS_OK && counter.listed != counter.held ? HS_EDAMAGED : err;
}

enum hs_err hs_log_walk(struct hs_txn *txn, const struct hs_log_span *span, hs_visit_logged visit, void *ctx,
                        struct hs_position *to)
{
    uint8_t key[8];
    struct hs_scan scan;
    struct walker walker = {.txn = txn, .rot = span->rot, .visit = visit, .ctx = ctx};
    enum hs_err err = HS_OK;
    if (span->after >= span->until)
        return HS_OK;
    if (span->after == 0)
        err = log_check_listed(txn);
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
