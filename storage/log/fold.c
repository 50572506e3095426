/* fold.c -- operations that go: what is old and held by a hub, of all lanes but money, becomes base states; so do ops
 * that a stream has jumped over; and a witness drops what two hubs have signed for.
 *
 * Ops are folded in the order of the commits in which they came, so that one number tells who follows the changes
 * whether he has missed something (meta/folded).  Forked streams and loose pieces are left alone. */
#include "storage/log/inside.h"

#include <string.h>

#define BLOCKED HS_EBUSY /* ends the way through a commit: nothing of it is folded before all of it may be */

struct folder {
    struct hs_log *log;
    const struct hs_folding *folding;
    size_t *budget;
    bool unfinished; /* of this commit something is left that is to be folded */
};

/* ---- may it go? ---- */

static enum hs_err find_hub(void *ctx, const char *node_id, enum hs_role role)
{
    (void)node_id;
    *(bool *)ctx = *(bool *)ctx || role == HS_ROLE_HUB;
    return HS_OK;
}

static enum hs_err is_at_hub(struct hs_log *log, const struct hs_stream *stream, uint64_t n, bool *held)
{
    struct hs_log_reader reader = hs_log_reader_of(log);
    *held = log->certificate.role == HS_ROLE_HUB;
    enum hs_err err = *held ? HS_OK : hs_log_writer_holds(&log->txn, stream->origin, find_hub, held);
    if (err == HS_OK && !*held)
        err = hs_log_holders(&reader, stream, n, log->store_id, find_hub, held);
    return err;
}

/* Is the run, clipped here, one of those that are folded?  Not what lies outside the scope: nobody could be given it as
 * state, and a hub that has lost it would hold up all that is written there later. */
static enum hs_err is_foldable(struct hs_log *log, struct log_item *item, bool *foldable)
{
    uint64_t fork;
    *foldable = false;
    if (item->type != ITEM_OPS || item->stream.lane == HS_LANE_MONEY || !hs_log_holds(log, item->stream.partition))
        return HS_OK;
    enum hs_err err = hs_log_fork(&log->txn, &item->stream, &fork);
    if (err != HS_ENOTFOUND)
        return err;
    err = log_clip_run(&log->txn, item);
    *foldable = err == HS_OK;
    return err;
}

static enum hs_err check_item(void *ctx, struct log_item *item, bool *keep)
{
    const struct folder *folder = ctx;
    struct log_item run = *item;
    bool foldable, held = true;
    (void)keep; /* nothing is changed yet */
    enum hs_err err = is_foldable(folder->log, &run, &foldable);
    if (err == HS_OK && foldable && run.count > 0)
        err = is_at_hub(folder->log, &run.stream, run.first + run.count - 1, &held);
    if (err == HS_OK && held && foldable && run.count > 0)
        err = log_check_run(&folder->log->txn, &run);
    return err == HS_OK && !held ? BLOCKED : err;
}

/* ---- runs ---- */

/* A checkpoint up to which about so many ops lie; runs without one are short, and end before the one of their commit:
 * then more of this commit's goes with them. */
static enum hs_err find_end(struct hs_log *log, const struct log_item *run, size_t budget, uint64_t *end)
{
    struct log_checkpoint at;
    uint64_t last = run->first + run->count - 1;
    uint64_t most = budget > HS_SEGMENT_OPS_MAX ? budget : HS_SEGMENT_OPS_MAX;
    uint64_t n = run->count > most ? run->first + most - 1 : last;
    enum hs_err err = log_find_checkpoint(&log->txn, &run->stream, n, &at);
    if (err == HS_ENOTFOUND || (err == HS_OK && at.n < run->first))
        err = log_next_checkpoint(&log->txn, &run->stream, n, &at);
    *end = err == HS_OK ? at.n : last;
    return err == HS_ENOTFOUND ? HS_EDAMAGED : err;
}

static enum hs_err visit_run(struct folder *folder, const struct log_item *run, uint64_t end)
{
    struct hs_log_reader reader = hs_log_reader_of(folder->log);
    struct hs_logged op = {.stream = run->stream, .n = run->first};
    enum hs_err err = HS_OK;
    for (; err == HS_OK && op.n <= end; op.n++) {
        err = hs_log_op(&reader, &run->stream, op.n, &op.bytes);
        if (err == HS_OK)
            err = folder->folding->visit(folder->folding->ctx, &op);
    }
    return err == HS_ENOTFOUND ? HS_EDAMAGED : err;
}

/* What is left of the run is in *run. */
static enum hs_err fold_run(struct folder *folder, struct log_item *run)
{
    uint64_t end = 0;
    uint64_t last = run->first + run->count - 1;
    enum hs_err err = find_end(folder->log, run, *folder->budget, &end);
    if (err == HS_OK)
        err = visit_run(folder, run, end);
    if (err == HS_OK)
        err = log_drop_until(folder->log, &run->stream, end);
    uint64_t folded = end - run->first + 1;
    *folder->budget -= folded < *folder->budget ? folded : *folder->budget;
    run->first = end + 1;
    run->count = end < last ? last - end : 0;
    return err;
}

/* ---- commits ---- */

static enum hs_err fold_item(void *ctx, struct log_item *item, bool *keep)
{
    struct folder *folder = ctx;
    bool foldable = false;
    if (item->type == ITEM_STATES || item->type == ITEM_EVICTED) {
        *keep = false; /* for replays and followers from before it, of which there are none any more */
        return HS_OK;
    }
    enum hs_err err = is_foldable(folder->log, item, &foldable);
    while (err == HS_OK && foldable && item->count > 0 && *folder->budget > 0)
        err = fold_run(folder, item);
    *keep = !foldable || item->count > 0;
    folder->unfinished = folder->unfinished || (foldable && item->count > 0);
    return err;
}

/* The number and time of the first commit from @from on, and whether it lists anything. */
static enum hs_err find_commit(struct hs_txn *txn, uint64_t from, uint64_t *commit, uint64_t *ms, bool *empty)
{
    uint8_t key[8];
    struct hs_scan scan;
    hs_be64(key, from);
    hs_scan_begin(&scan, txn, LOG_COMMIT, HS_BYTES_NONE, HS_BYTES(key, sizeof key));
    enum hs_err err = hs_scan_next(&scan) ? HS_OK : HS_ENOTFOUND;
    if (err == HS_OK && (scan.key.size != sizeof key || scan.value.size < COMMIT_HEAD_BYTES))
        err = HS_EDAMAGED;
    if (err == HS_OK) {
        *commit = hs_from_be64(scan.key.data);
        *ms = hs_stamp_ms(hs_from_be64(scan.value.data + 8));
        *empty = scan.value.size == COMMIT_HEAD_BYTES;
    }
    hs_scan_end(&scan);
    return txn->err == HS_OK ? err : txn->err;
}

/* Rows that list nothing any more go, but for the last one that was looked at: who has got that far may go on. */
static enum hs_err drop_if_empty(struct hs_log *log, uint64_t commit)
{
    uint8_t key[8];
    uint64_t found = 0, ms;
    bool empty = false;
    enum hs_err err = commit == 0 ? HS_ENOTFOUND : find_commit(&log->txn, commit, &found, &ms, &empty);
    hs_be64(key, commit);
    if (err == HS_OK && found == commit && empty)
        hs_txn_delete(log_change(log), LOG_COMMIT, HS_BYTES(key, sizeof key));
    return err == HS_ENOTFOUND ? log->txn.err : err;
}

static enum hs_err fold_commits(struct folder *folder)
{
    struct hs_log *log = folder->log;
    uint64_t folded = hs_log_folded(&log->txn);
    uint64_t next = folded == 0 ? 1 : folded; /* of which something may be left */
    enum hs_err err = log->txn.err;
    while (err == HS_OK && *folder->budget > 0 && !folder->unfinished) {
        uint64_t commit, ms;
        bool empty;
        err = find_commit(&log->txn, next, &commit, &ms, &empty);
        if (err == HS_OK && (commit > folder->folding->until || ms >= folder->folding->before_ms))
            return HS_OK;
        if (err == HS_OK)
            err = log_edit_commit(log, &commit, check_item, folder);
        if (err == HS_OK && commit != folded) {
            err = drop_if_empty(log, folded);
            folded = commit;
            log_put_folded(log, folded);
        }
        if (err == HS_OK)
            err = log_edit_commit(log, &commit, fold_item, folder);
        *folder->budget -= *folder->budget > 0;
        next = commit + 1;
    }
    return err == HS_ENOTFOUND || err == BLOCKED ? log->txn.err : err;
}

/* ---- ops before a gap ---- */

/* The first stream with some that every replay is behind of. */
static enum hs_err find_gap(struct hs_txn *txn, uint64_t until, struct hs_stream *stream, uint64_t *n)
{
    struct hs_scan scan;
    enum hs_err err = HS_ENOTFOUND;
    hs_scan_begin(&scan, txn, LOG_FOLD, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_ENOTFOUND && hs_scan_next(&scan)) {
        bool whole = scan.key.size == FOLD_KEY_BYTES && scan.value.size == 8;
        if (whole && hs_from_be64(scan.value.data) > until)
            continue;
        err = whole ? HS_OK : HS_EDAMAGED;
        if (whole) {
            *stream = hs_stream_from_key(scan.key.data);
            *n = hs_from_be64(scan.key.data + HS_STREAM_KEY_BYTES);
        }
    }
    hs_scan_end(&scan);
    return txn->err == HS_OK ? err : txn->err;
}

static enum hs_err fold_gaps(struct folder *folder)
{
    struct hs_log *log = folder->log;
    uint64_t n = 0, beginning = 0;
    struct log_item run = {.type = ITEM_OPS};
    enum hs_err err = find_gap(&log->txn, folder->folding->until, &run.stream, &n);
    while (err == HS_OK && *folder->budget > 0) {
        err = hs_log_beginning(&log->txn, &run.stream, &beginning);
        run.first = beginning + 1;
        run.count = n - beginning;
        if (err == HS_OK && beginning >= n)
            err = HS_EDAMAGED;
        if (err == HS_OK)
            err = log_check_run(&log->txn, &run);
        if (err == HS_OK)
            err = fold_run(folder, &run);
        if (err == HS_OK)
            err = find_gap(&log->txn, folder->folding->until, &run.stream, &n);
    }
    return err == HS_ENOTFOUND ? log->txn.err : err;
}

enum hs_err hs_log_fold(struct hs_log *log, const struct hs_folding *folding, size_t *budget)
{
    struct folder folder = {.log = log, .folding = folding, .budget = budget};
    enum hs_err err = fold_gaps(&folder);
    return err == HS_OK ? fold_commits(&folder) : err;
}

/* ---- a witness ---- */

/* Up to where two hubs' stores have signed, as far as the budget goes. */
static enum hs_err drop_signed(struct hs_log *log, const struct hs_stream *stream, size_t *budget)
{
    struct log_checkpoint at;
    uint64_t n = 0, beginning = 0;
    enum hs_err err = log_signed_by_two_hubs(log, stream, &n);
    if (err == HS_OK)
        err = hs_log_beginning(&log->txn, stream, &beginning);
    if (err != HS_OK || n <= beginning)
        return err;
    uint64_t most = *budget > HS_SEGMENT_OPS_MAX ? *budget : HS_SEGMENT_OPS_MAX;
    err = log_find_checkpoint(&log->txn, stream, n - beginning > most ? beginning + most : n, &at);
    if (err != HS_OK || at.n <= beginning)
        return err == HS_ENOTFOUND ? HS_OK : err;
    *budget -= at.n - beginning < *budget ? at.n - beginning : *budget;
    return log_drop_until(log, stream, at.n);
}

static enum hs_err clip_item(void *ctx, struct log_item *item, bool *keep)
{
    struct hs_log *log = ctx;
    enum hs_err err = item->type == ITEM_OPS ? log_clip_run(&log->txn, item) : HS_OK;
    *keep = item->type == ITEM_LOOSE || (item->type == ITEM_OPS && item->count > 0);
    return err;
}

/* Rows of commits that list nothing more: all but the last one, which tells where the log is.  One way through all of
 * them takes many pieces, and what goes meanwhile is found on the next one. */
static enum hs_err drop_commits(struct hs_log *log, size_t *budget)
{
    enum hs_err err = HS_OK;
    if (!log->tidying && log->tidy_again) {
        log->tidying = true;
        log->tidy_again = false;
        log->tidied = 0;
    }
    while (err == HS_OK && *budget > 0 && log->tidying) {
        uint64_t commit = log->tidied + 1;
        err = commit < log->position.commit ? log_edit_commit(log, &commit, clip_item, log) : HS_ENOTFOUND;
        if (err == HS_OK && commit < log->position.commit)
            err = drop_if_empty(log, commit);
        log->tidied = commit;
        log->tidying = err == HS_OK;
        --*budget;
    }
    if (log->tidied > hs_log_folded(&log->txn))
        log_put_folded(log, log->tidied);
    return err == HS_ENOTFOUND ? log->txn.err : err;
}

enum hs_err hs_log_drop_signed(struct hs_log *log, size_t *budget)
{
    struct hs_stream stream = {.partition = 0};
    size_t before = *budget;
    enum hs_err err = log_next_stream(&log->txn, &stream, &stream);
    while (err == HS_OK && *budget > 0) {
        uint64_t fork;
        err = hs_log_fork(&log->txn, &stream, &fork);
        if (err == HS_ENOTFOUND)
            err = drop_signed(log, &stream, budget);
        if (err == HS_OK)
            err = log_step_stream(&stream) ? log_next_stream(&log->txn, &stream, &stream) : HS_ENOTFOUND;
    }
    log->tidy_again = log->tidy_again || *budget < before;
    return err == HS_OK || err == HS_ENOTFOUND ? drop_commits(log, budget) : err;
}
