/* evict.c -- districts that left the scope go, a piece at a time: first the records with their base states, then what
 * the commits list of their ops, then what is left of their streams.  What stays is what only this node has: own ops
 * that no other store has signed for, and whole the records that they wrote to.
 *
 * Key: partition u16.  Row: phase u8, how far that phase is (sized: a record key, a commit number, a stream), then the
 * streams of which ops stay: origin u64, lane u8, varint n, behind which they stay.
 *
 * A record says up to which number of an origin it knows everything.  So no op may be applied to it while earlier ones
 * of the same origin have been forgotten: the current origin is struck out if it has written there, and what is written
 * to the district from then on has a beginning of its own.  And money comes by number only, so of money a stream that
 * stays stays whole: should the district come back, nobody would be asked for the ops below its head.  At a hub that is
 * so of all: its halls go on under their origins. */
#include "storage/log/inside.h"

#include "proto/msg/tlv.h"

#include <assert.h>
#include <string.h>

/* So many ops, applied again for each piece of the records, are a few milliseconds.  With more of them the eviction
 * waits: a link would have taken them away. */
#define KEPT_OPS_MAX 2000

enum { PHASE_WAITING, PHASE_RECORDS, PHASE_COMMITS, PHASE_STREAMS };

struct eviction {
    hs_partition partition;
    uint8_t phase;
    struct hs_bytes at;
    struct hs_bytes kept;
};

static struct hs_bytes partition_key(hs_partition partition, uint8_t key[static 2])
{
    hs_be16(key, partition);
    return HS_BYTES(key, 2);
}

struct kept {
    uint64_t origin, behind;
    uint8_t lane;
};

/* False: that was the last one, or the list cannot be read. */
static bool next_kept(struct hs_cur *cur, struct kept *kept)
{
    if (cur->left == 0)
        return false;
    kept->origin = hs_cur_u64(cur);
    kept->lane = hs_cur_u8(cur);
    kept->behind = hs_cur_varint(cur);
    return cur->err == HS_OK;
}

/* What is not in the list goes: one that cannot be read to its end is not to be gone by. */
static bool is_kept_list(struct hs_bytes list)
{
    struct hs_cur cur = hs_cur_of(list);
    struct kept kept;
    while (next_kept(&cur, &kept))
        ;
    return cur.err == HS_OK;
}

/* Views into the map: valid until the next write. */
static enum hs_err find(struct hs_txn *txn, hs_partition partition, struct eviction *eviction)
{
    uint8_t key[2];
    struct hs_bytes row;
    enum hs_err err = hs_txn_get(txn, LOG_EVICT, partition_key(partition, key), &row);
    if (err != HS_OK)
        return err;
    struct hs_cur cur = hs_cur_of(row);
    *eviction = (struct eviction){.partition = partition, .phase = hs_cur_u8(&cur)};
    eviction->at = hs_cur_sized(&cur);
    eviction->kept = hs_cur_take(&cur, cur.left);
    bool whole = cur.err == HS_OK && eviction->phase <= PHASE_STREAMS && is_kept_list(eviction->kept);
    return whole ? HS_OK : HS_EDAMAGED;
}

static void put(struct hs_log *log, const struct eviction *eviction)
{
    uint8_t key[2];
    struct hs_buf row = {0};
    hs_buf_put_u8(&row, eviction->phase);
    hs_buf_put_sized(&row, eviction->at);
    hs_buf_put_bytes(&row, eviction->kept);
    if (row.err != HS_OK)
        log_fail(log, row.err);
    hs_txn_put(log_change(log), LOG_EVICT, partition_key(eviction->partition, key), hs_buf_bytes(&row));
    hs_buf_fini(&row);
}

bool hs_log_evicting(struct hs_txn *txn, hs_partition partition)
{
    uint8_t key[2];
    struct hs_bytes row;
    return hs_txn_get(txn, LOG_EVICT, partition_key(partition, key), &row) != HS_ENOTFOUND;
}

enum hs_err hs_log_evictions(struct hs_txn *txn, hs_visit_evicting visit, void *ctx)
{
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, LOG_EVICT, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        bool whole = scan.key.size == 2 && scan.value.size > 0;
        err = whole ? visit(ctx, hs_from_be16(scan.key.data), scan.value.data[0] == PHASE_WAITING) : HS_EDAMAGED;
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

enum hs_err log_evict_begin(struct hs_log *log, hs_partition partition)
{
    struct eviction held;
    enum hs_err err = find(&log->txn, partition, &held);
    if (err != HS_ENOTFOUND)
        return err;
    put(log, &(struct eviction){.partition = partition, .phase = PHASE_WAITING});
    return log_drop_fills(log, partition);
}

static void forget(struct hs_log *log, hs_partition partition)
{
    uint8_t key[2];
    hs_txn_delete(log_change(log), LOG_EVICT, partition_key(partition, key));
}

enum hs_err log_evict_cancel(struct hs_log *log, hs_partition partition, bool *evicting)
{
    struct eviction eviction;
    enum hs_err err = find(&log->txn, partition, &eviction);
    *evicting = err == HS_OK && eviction.phase != PHASE_WAITING;
    if (err == HS_OK && !*evicting)
        forget(log, partition);
    return err == HS_ENOTFOUND ? log->txn.err : err;
}

/* ---- what stays ---- */

static bool is_own(struct hs_log *log, struct hs_txn *txn, uint64_t origin)
{
    const struct hs_certificate *writer = hs_log_writer(log, txn, origin);
    return writer != NULL && strcmp(writer->node_id, log->certificate.node_id) == 0;
}

/* Of the ops that stay of a stream they are those behind the number; false: none stay. */
static bool find_kept(struct hs_bytes list, const struct hs_stream *stream, uint64_t *n)
{
    struct hs_cur cur = hs_cur_of(list);
    struct kept kept;
    while (next_kept(&cur, &kept)) {
        if (kept.origin == stream->origin && kept.lane == stream->lane) {
            *n = kept.behind;
            return true;
        }
    }
    return false;
}

/* An own stream that was begun since stays whole. */
static bool stays(struct hs_log *log, const struct eviction *eviction, const struct hs_stream *stream, uint64_t *n)
{
    *n = 0;
    return find_kept(eviction->kept, stream, n) || is_own(log, &log->txn, stream->origin);
}

struct survey {
    struct hs_log *log;
    struct hs_buf kept;
    uint64_t ops;
    bool current; /* the current origin has written here */
};

/* What nobody else has signed for.  A hub keeps that of others as well: it has signed for it. */
static enum hs_err survey_stream(void *ctx, const struct hs_head *head)
{
    struct survey *survey = ctx;
    struct hs_log *log = survey->log;
    uint64_t signed_n = 0;
    struct log_checkpoint at = {.n = 0};
    bool own = is_own(log, &log->txn, head->stream.origin);
    if (!own && log->certificate.role != HS_ROLE_HUB)
        return log->txn.err;
    enum hs_err err = log_signed_by_hub(log, &head->stream, &signed_n);
    if (err == HS_OK)
        err = log_find_checkpoint(&log->txn, &head->stream, signed_n, &at);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    bool is_signed = at.n >= head->n;
    survey->current = survey->current || head->stream.origin == log->life.current;
    if (!own && is_signed)
        return HS_OK;
    bool whole = head->stream.lane == HS_LANE_MONEY || log->certificate.role == HS_ROLE_HUB;
    if (whole && !is_signed)
        at.n = 0;
    survey->ops += head->n - at.n;
    hs_buf_put_u64(&survey->kept, head->stream.origin);
    hs_buf_put_u8(&survey->kept, head->stream.lane);
    hs_buf_put_varint(&survey->kept, at.n);
    return survey->kept.err;
}

/* Streams of this partition, ascending, from the key on. */
static enum hs_err visit_streams(struct hs_log *log, hs_partition partition, hs_visit_head visit, void *ctx)
{
    struct hs_log_reader reader = hs_log_reader_of(log);
    struct hs_stream stream = {.partition = partition};
    struct hs_head head;
    enum hs_err err = log_next_stream(&log->txn, &stream, &stream);
    while (err == HS_OK && stream.partition == partition) {
        err = hs_log_head(&reader, &stream, &head);
        if (err == HS_OK)
            err = visit(ctx, &head);
        if (err == HS_OK)
            err = log_step_stream(&stream) ? log_next_stream(&log->txn, &stream, &stream) : HS_ENOTFOUND;
    }
    return err == HS_ENOTFOUND ? HS_OK : err;
}

static enum hs_err begin_records(struct hs_log *log, const struct eviction *waiting, bool *begun)
{
    struct survey survey = {.log = log};
    enum hs_err err = visit_streams(log, waiting->partition, survey_stream, &survey);
    *begun = err == HS_OK && survey.ops <= KEPT_OPS_MAX;
    if (*begun && survey.current)
        hs_log_strike(log, "a district that it wrote to left the scope");
    if (*begun)
        put(log, &(struct eviction){waiting->partition, PHASE_RECORDS, HS_BYTES_NONE, hs_buf_bytes(&survey.kept)});
    hs_buf_fini(&survey.kept);
    return err == HS_OK ? log->txn.err : err;
}

/* ---- ops that stay, for the records ---- */

static enum hs_err visit_kept_ops(struct hs_txn *txn, const struct hs_stream *stream, uint64_t after,
                                  hs_visit_logged visit, void *ctx)
{
    uint8_t key[OP_KEY_BYTES];
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    log_op_key(stream, after + 1, ROW_OP, key);
    hs_scan_begin(&scan, txn, LOG_OP, HS_BYTES(key, HS_STREAM_KEY_BYTES), HS_BYTES(key, sizeof key));
    while (err == HS_OK && hs_scan_next(&scan)) {
        if (scan.key.size != OP_KEY_BYTES)
            err = HS_EDAMAGED;
        else if (scan.key.data[OP_KEY_BYTES - 1] == ROW_OP)
            err = visit(ctx, &(struct hs_logged){.stream = *stream,
                                                 .n = hs_from_be64(scan.key.data + HS_STREAM_KEY_BYTES),
                                                 .bytes = scan.value});
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

/* Records lie by lanes as streams do. */
static bool concerns(const struct hs_evicted *piece, uint8_t lane)
{
    bool behind = piece->after.size < 3 || lane >= piece->after.data[2];
    return behind && (piece->to.size < 3 || lane <= piece->to.data[2]);
}

/* Once the eviction is over, whatever is here of the partition stays: a replay may then apply it twice, or early. */
enum hs_err hs_log_kept(struct hs_log *log, struct hs_txn *txn, const struct hs_evicted *piece, hs_visit_logged visit,
                        void *ctx)
{
    hs_partition partition = piece->partition;
    struct eviction eviction = {.partition = partition};
    struct hs_stream stream = {.partition = partition};
    enum hs_err err = find(txn, partition, &eviction);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    bool over = err == HS_ENOTFOUND;
    err = log_next_stream(txn, &stream, &stream);
    while (err == HS_OK && stream.partition == partition) {
        uint64_t n = 0;
        bool kept = over || find_kept(eviction.kept, &stream, &n) || is_own(log, txn, stream.origin);
        err = kept && concerns(piece, stream.lane) ? visit_kept_ops(txn, &stream, n, visit, ctx) : txn->err;
        if (err == HS_OK)
            err = log_step_stream(&stream) ? log_next_stream(txn, &stream, &stream) : HS_ENOTFOUND;
    }
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* ---- pieces ---- */

enum hs_err hs_log_next_eviction(struct hs_log *log, struct hs_eviction *next)
{
    uint32_t from = 0;
    enum hs_err err = HS_ENOTFOUND;
    while (err == HS_ENOTFOUND && from <= UINT16_MAX) {
        uint8_t key[2];
        struct hs_scan scan;
        struct eviction eviction;
        hs_be16(key, (uint16_t)from);
        hs_scan_begin(&scan, &log->txn, LOG_EVICT, HS_BYTES_NONE, HS_BYTES(key, sizeof key));
        bool found = hs_scan_next(&scan) && scan.key.size == sizeof key;
        hs_partition partition = found ? hs_from_be16(scan.key.data) : 0;
        hs_scan_end(&scan);
        if (!found)
            break;
        from = (uint32_t)partition + 1;
        bool begun = true;
        err = find(&log->txn, partition, &eviction);
        if (err == HS_OK && eviction.phase == PHASE_WAITING) {
            err = begin_records(log, &eviction, &begun);
            if (err == HS_OK)
                err = begun ? find(&log->txn, partition, &eviction) : HS_ENOTFOUND;
        }
        if (err != HS_OK)
            continue;
        *next = (struct hs_eviction){.partition = partition, .of_records = eviction.phase == PHASE_RECORDS};
        next->after_size = next->of_records ? eviction.at.size : 0;
        if (next->after_size > sizeof next->after)
            return HS_EDAMAGED;
        if (next->after_size > 0)
            memcpy(next->after, eviction.at.data, next->after_size);
    }
    return log->txn.err == HS_OK ? err : log->txn.err;
}

/* The eviction goes on in this phase from there; its list of what stays is copied, for it lies in the map. */
static enum hs_err go_on(struct hs_log *log, hs_partition partition, uint8_t phase, struct hs_bytes at)
{
    struct eviction eviction;
    struct hs_buf kept = {0};
    enum hs_err err = find(&log->txn, partition, &eviction);
    if (err == HS_OK) {
        hs_buf_put_bytes(&kept, eviction.kept);
        err = kept.err;
    }
    if (err == HS_OK)
        put(log, &(struct eviction){partition, phase, at, hs_buf_bytes(&kept)});
    hs_buf_fini(&kept);
    return err == HS_OK ? log->txn.err : err;
}

/* Base states behind @after up to @to (none: to the partition's end). */
static void drop_bases(struct hs_log *log, const struct hs_evicted *piece)
{
    uint8_t prefix[2];
    bool found = true;
    while (found && log->txn.err == HS_OK) {
        struct hs_scan scan;
        uint8_t raw[HS_RECORD_KEY_BYTES_MAX];
        size_t size = 0;
        hs_scan_begin(&scan, &log->txn, LOG_BASE, partition_key(piece->partition, prefix), piece->after);
        found = hs_scan_next(&scan);
        if (found && hs_bytes_equal(scan.key, piece->after))
            found = hs_scan_next(&scan);
        if (found && piece->to.size > 0)
            found = hs_bytes_compare(scan.key, piece->to) <= 0;
        if (found && scan.key.size <= sizeof raw) {
            size = scan.key.size;
            memcpy(raw, scan.key.data, size);
        }
        hs_scan_end(&scan);
        if (found)
            hs_txn_delete(log_change(log), LOG_BASE, HS_BYTES(raw, size));
    }
}

enum hs_err hs_log_evict_records(struct hs_log *log, const struct hs_evicted *piece)
{
    bool last = piece->to.size == 0;
    uint8_t first_commit[8] = {0};
    drop_bases(log, piece);
    log_list_evicted(log, piece);
    return go_on(log, piece->partition, last ? PHASE_COMMITS : PHASE_RECORDS,
                 last ? HS_BYTES(first_commit, sizeof first_commit) : piece->to);
}

/* ---- what the commits list ---- */

struct sweep {
    struct hs_log *log;
    struct eviction eviction;
    size_t *budget;
};

static bool is_of(const struct log_item *item, hs_partition partition)
{
    if (item->type == ITEM_STATES)
        return item->from.size >= 2 && hs_from_be16(item->from.data) == partition;
    return item->type != ITEM_EVICTED && item->stream.partition == partition;
}

/* A run's ops up to the kept number go, with those up to the next checkpoint; what is left of it is listed still. */
static enum hs_err drop_run(struct sweep *sweep, struct log_item *run)
{
    uint64_t n;
    struct hs_log *log = sweep->log;
    enum hs_err err = log_clip_run(&log->txn, run);
    if (err != HS_OK || run->count == 0)
        return err;
    uint64_t last = run->first + run->count - 1;
    bool some_stay = stays(log, &sweep->eviction, &run->stream, &n);
    if (some_stay && n < run->first)
        return log->txn.err;
    struct log_checkpoint at = {.n = 0};
    err = log_next_checkpoint(&log->txn, &run->stream, some_stay && n < last ? n : last, &at);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_EDAMAGED : err;
    uint64_t until = at.n;
    *sweep->budget -= *sweep->budget < run->count ? *sweep->budget : run->count;
    run->count = until < last ? last - until : 0;
    run->first = until + 1;
    return log_drop_until(log, &run->stream, until);
}

static enum hs_err sweep_item(void *ctx, struct log_item *item, bool *keep)
{
    struct sweep *sweep = ctx;
    if (!is_of(item, sweep->eviction.partition))
        return HS_OK;
    if (item->type == ITEM_OPS) {
        enum hs_err err = drop_run(sweep, item);
        *keep = item->count > 0;
        return err;
    }
    if (item->type == ITEM_LOOSE)
        log_drop_loose(sweep->log, item);
    *keep = false;
    return sweep->log->txn.err;
}

static enum hs_err sweep_commits(struct hs_log *log, struct sweep *sweep)
{
    uint8_t raw[8] = {0};
    if (sweep->eviction.at.size != sizeof raw)
        return HS_EDAMAGED;
    uint64_t commit = hs_from_be64(sweep->eviction.at.data) + 1;
    enum hs_err err = HS_OK;
    while (err == HS_OK && *sweep->budget > 0) {
        err = log_edit_commit(log, &commit, sweep_item, sweep);
        *sweep->budget -= *sweep->budget > 0;
        commit++;
    }
    hs_be64(raw, err == HS_ENOTFOUND ? 0 : commit - 1);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    uint8_t phase = err == HS_ENOTFOUND ? PHASE_STREAMS : PHASE_COMMITS;
    return go_on(log, sweep->eviction.partition, phase, err == HS_ENOTFOUND ? HS_BYTES_NONE : HS_BYTES(raw, 8));
}

/* ---- what is left of the streams ---- */

struct leftover {
    struct hs_stream stream;
    bool found;
};

/* Do ops of it stay, or does what they stand on? */
static enum hs_err is_kept(struct sweep *sweep, const struct hs_stream *stream, bool *kept)
{
    struct hs_log_reader reader = hs_log_reader_of(sweep->log);
    struct hs_head head;
    uint64_t n;
    enum hs_err err = hs_log_head(&reader, stream, &head);
    *kept = err == HS_OK && stays(sweep->log, &sweep->eviction, stream, &n) &&
            (n < head.n || log_touched(sweep->log, stream) != NULL);
    return err == HS_ENOTFOUND ? sweep->log->txn.err : err;
}

/* The first stream with rows in the table of which nothing is to stay. */
static enum hs_err find_leftover_in(struct sweep *sweep, hs_table table, struct leftover *leftover)
{
    struct hs_txn *txn = &sweep->log->txn;
    struct hs_stream stream = {.partition = sweep->eviction.partition};
    enum hs_err err = log_next_stream_in(txn, table, &stream, &stream);
    while (err == HS_OK && stream.partition == sweep->eviction.partition) {
        bool kept;
        err = is_kept(sweep, &stream, &kept);
        if (err == HS_OK && !kept) {
            *leftover = (struct leftover){stream, true};
            return txn->err;
        }
        if (err == HS_OK)
            err = log_step_stream(&stream) ? log_next_stream_in(txn, table, &stream, &stream) : HS_ENOTFOUND;
    }
    return err == HS_ENOTFOUND ? txn->err : err;
}

/* Receipts and proofs of a fork may be here before any op of their stream is. */
static enum hs_err find_leftover(struct sweep *sweep, struct leftover *leftover)
{
    static const hs_table TABLES[] = {LOG_OP, LOG_RECEIPT, LOG_FORK};
    enum hs_err err = HS_OK;
    leftover->found = false;
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES && err == HS_OK && !leftover->found; i++)
        err = find_leftover_in(sweep, TABLES[i], leftover);
    return err;
}

static enum hs_err end(struct hs_log *log, hs_partition partition)
{
    forget(log, partition);
    log_reset_feeds(log); /* who follows has to list anew what is here */
    return hs_log_holds(log, partition) ? log_regain(log, partition) : log->txn.err;
}

static enum hs_err sweep_streams(struct hs_log *log, struct sweep *sweep)
{
    struct leftover leftover;
    enum hs_err err = find_leftover(sweep, &leftover);
    while (err == HS_OK && leftover.found && *sweep->budget > 0) {
        log_drop_stream(log, &leftover.stream, sweep->budget);
        err = find_leftover(sweep, &leftover);
    }
    return err == HS_OK && !leftover.found ? end(log, sweep->eviction.partition) : err;
}

enum hs_err hs_log_evict(struct hs_log *log, hs_partition partition, size_t *budget)
{
    struct sweep sweep = {.log = log, .budget = budget};
    struct hs_buf copy = {0};
    enum hs_err err = find(&log->txn, partition, &sweep.eviction);
    if (err != HS_OK)
        return err;
    size_t at_size = sweep.eviction.at.size;
    hs_buf_put_bytes(&copy, sweep.eviction.at);
    hs_buf_put_bytes(&copy, sweep.eviction.kept);
    err = copy.err;
    if (err == HS_OK) {
        sweep.eviction.at = HS_BYTES(copy.data, at_size);
        sweep.eviction.kept = HS_BYTES(copy.data + at_size, copy.size - at_size);
        err = sweep.eviction.phase == PHASE_COMMITS ? sweep_commits(log, &sweep) : sweep_streams(log, &sweep);
    }
    hs_buf_fini(&copy);
    return err == HS_OK ? log->txn.err : err;
}
