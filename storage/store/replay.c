/* replay.c -- keeping the records where the log is: one op, a flush, a replay. */
#include "storage/store/inside.h"

#include <assert.h>
#include <string.h>

void store_publish(struct hs_store *store, const struct hs_position *noted, const struct hs_position *flushed)
{
    pthread_mutex_lock(&store->mutex);
    if (noted != NULL)
        store->noted = *noted;
    if (flushed != NULL)
        store->flushed = *flushed;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->mutex);
}

enum hs_err store_break(struct hs_store *store, enum hs_err err)
{
    pthread_mutex_lock(&store->mutex);
    store->failed = err;
    pthread_cond_broadcast(&store->changed);
    pthread_mutex_unlock(&store->mutex);
    return err;
}

enum hs_err store_failed(struct hs_store *store)
{
    pthread_mutex_lock(&store->mutex);
    enum hs_err err = store->failed;
    pthread_mutex_unlock(&store->mutex);
    return err;
}

/* What a full disk or lack of memory kept from being done can be done later; after anything else only a new start
 * knows. */
static enum hs_err fall_behind(struct hs_store *store, enum hs_err err)
{
    store->behind = true;
    return err == HS_EFULL || err == HS_ENOMEM ? err : store_break(store, err);
}

static enum hs_err apply(struct hs_store *store, struct hs_txn *txn, const struct hs_logged *logged,
                         const struct hs_records_range *only, struct hs_dot *watched)
{
    const struct hs_certificate *own = hs_log_certificate(store->log);
    if (own->role == HS_ROLE_WITNESS)
        return HS_OK; /* it keeps logs for others, and no records */
    const struct hs_certificate *writer = hs_log_writer_of_held(store->log, txn, logged->stream.origin);
    if (writer == NULL)
        return txn->err;
    struct hs_records_op op = {
        .stream = logged->stream,
        .n = logged->n,
        .only = only,
        .bytes = logged->bytes,
        .writer = writer,
        .own = strcmp(writer->node_id, own->node_id) == 0,
        .mode = logged->loose ? HS_APPLY_FACTS : HS_APPLY_WHOLE,
        .watched = watched,
    };
    store->unflushed++;
    enum hs_err err = hs_records_apply(store->records, &op);
    store->rotten = store->rotten || err == HS_EDAMAGED;
    return err;
}

enum hs_err store_apply(struct hs_store *store, struct hs_txn *txn, const struct hs_logged *op, struct hs_dot *watched)
{
    return apply(store, txn, op, NULL, watched);
}

enum hs_err store_apply_in(struct hs_store *store, struct hs_txn *txn, const struct hs_logged *op,
                           const struct hs_records_range *only)
{
    return apply(store, txn, op, only, NULL);
}

enum hs_err store_join(struct hs_store *store, const struct hs_stored *came, struct hs_dot *watched)
{
    store->base_rotten = store->base_rotten || came->state.size == 0;
    if (came->state.size == 0)
        return HS_OK;
    store->unflushed++;
    enum hs_err err = hs_records_join(store->records, came, watched);
    store->rotten = store->rotten || err == HS_EDAMAGED;
    return err;
}

struct replay {
    struct hs_store *store;
    struct hs_txn *txn;
    bool from_start; /* all base states are applied */
};

/* What was evicted and is over left nothing in the log that could come back, but for who goes on from before it. */
static enum hs_err replay_eviction(const struct replay *replay, const struct hs_evicted *piece)
{
    if (replay->from_start && !hs_log_evicting(replay->txn, piece->partition))
        return replay->txn->err;
    return store_evict(replay->store, replay->txn, piece);
}

static enum hs_err replay_op(void *ctx, const struct hs_logged *op)
{
    struct replay *replay = ctx;
    if (op->evicted != NULL)
        return replay_eviction(replay, op->evicted);
    if (op->state == NULL)
        return store_apply(replay->store, replay->txn, op, NULL);
    return replay->from_start ? HS_OK : store_join(replay->store, op->state, NULL);
}

static enum hs_err leave_out(void *ctx, const struct hs_stream *stream, uint64_t first, uint64_t last)
{
    return store_rot_found(((struct replay *)ctx)->store, stream, first, last);
}

static enum hs_err commit_records(struct hs_store *store, const struct hs_position *position)
{
    enum hs_err err = hs_records_commit(store->records, position);
    store->rotten = store->rotten || err == HS_EDAMAGED;
    if (err != HS_OK)
        return err;
    store->unflushed = 0;
    store_publish(store, NULL, position);
    return HS_OK;
}

/* Records of a position that is not in this log were made from another one. */
static enum hs_err find_start(struct hs_store *store, struct hs_txn *txn, struct hs_position *from)
{
    struct hs_position start = {0};
    *from = hs_records_position(store->records);
    enum hs_err err = hs_log_check_position(txn, from);
    if (err == HS_OK && from->commit > 0)
        return HS_OK;
    if (err != HS_OK && err != HS_ERESET)
        return err;
    *from = start;
    err = hs_records_empty(store->records);
    store->rotten = err == HS_EDAMAGED;
    return err == HS_OK ? commit_records(store, &start) : err;
}

static enum hs_err replay_base(void *ctx, const struct hs_stored *base)
{
    struct hs_store *store = ctx;
    struct hs_position start = {0};
    enum hs_err err = store_join(store, base, NULL);
    return err == HS_OK && store->unflushed >= store->flush_ops ? commit_records(store, &start) : err;
}

/* From the start: what the folded ops were comes first, and then the states that came need not be met again. */
static enum hs_err replay(struct hs_store *store, struct hs_txn *txn)
{
    struct replay ctx = {store, txn, false};
    struct hs_position last = hs_log_position(store->log);
    struct hs_position at;
    enum hs_err err = find_start(store, txn, &at);
    ctx.from_start = at.commit == 0;
    if (err == HS_OK && ctx.from_start)
        err = hs_log_base_states(txn, HS_BYTES_NONE, replay_base, store);
    while (err == HS_OK && at.commit < last.commit) {
        struct hs_log_span span = {at.commit, last.commit, store->flush_ops, leave_out};
        uint64_t before = at.commit;
        err = hs_log_walk(txn, &span, replay_op, &ctx, &at);
        if (err == HS_OK && at.commit == before)
            err = HS_EDAMAGED; /* commits are missing */
        if (err == HS_OK)
            err = commit_records(store, &at);
    }
    if (err == HS_OK)
        store_publish(store, &last, &at);
    return err;
}

static enum hs_err replay_log(struct hs_store *store)
{
    struct hs_txn txn = {0};
    store->unflushed = 0;
    store->rotten = false;
    enum hs_err err = hs_txn_begin(hs_log_env(store->log), false, &txn);
    if (err == HS_OK)
        err = replay(store, &txn);
    hs_txn_abort(&txn);
    if (err == HS_OK)
        hs_records_rest(store->records);
    return err;
}

static enum hs_err keep_rotten(void *ctx, const struct hs_rotten *rotten)
{
    struct hs_store *store = ctx;
    return hs_log_keep(store->log, "state", rotten->key, rotten->row);
}

/* What of the records does not match its checksum, before they are emptied. */
static enum hs_err keep_records(struct hs_store *store)
{
    struct hs_records_scan scan = {.over = false};
    struct hs_txn txn;
    enum hs_err err = hs_records_snapshot(store->records, &txn);
    if (err == HS_OK)
        err = hs_records_scan(&txn, &scan, SIZE_MAX, keep_rotten, store);
    hs_txn_abort(&txn);
    return err == HS_EDAMAGED ? HS_OK : err; /* pages that cannot be read: nothing to keep */
}

/* Readers wait until the records are whole again. */
static enum hs_err make_anew(struct hs_store *store)
{
    struct hs_position start = {0};
    pthread_mutex_lock(&store->mutex);
    store->floor = store->noted.commit;
    pthread_mutex_unlock(&store->mutex);
    enum hs_err err = hs_records_abort(store->records);
    if (err == HS_OK)
        err = keep_records(store);
    if (err == HS_OK)
        err = store_mend_bases(store);
    if (err == HS_OK)
        err = hs_records_empty(store->records);
    if (err == HS_OK)
        err = commit_records(store, &start);
    return err == HS_OK ? replay_log(store) : err;
}

static enum hs_err caught_up(struct hs_store *store, enum hs_err err)
{
    store->behind = false;
    return err == HS_OK ? HS_OK : fall_behind(store, err);
}

/* ---- rot ---- */

/* A disk that makes more of it has to be replaced: reads answer that something is damaged. */
#define MADE_ANEW_MAX 8

/* A record that has rotted would stop every op on it for good; the log has all that it is made of. */
enum hs_err store_catch_up(struct hs_store *store)
{
    assert(!store->in_group);
    enum hs_err err = replay_log(store);
    if (err == HS_EDAMAGED && store->rotten)
        err = make_anew(store);
    return caught_up(store, err);
}

void store_rot_seen(struct hs_store *store)
{
    pthread_mutex_lock(&store->mutex);
    bool first = !store->rot_seen;
    store->rot_seen = true;
    pthread_mutex_unlock(&store->mutex);
    if (first && store->flush_wanted != NULL)
        store->flush_wanted(store->ctx);
}

static bool take_rot_seen(struct hs_store *store)
{
    pthread_mutex_lock(&store->mutex);
    bool seen = store->rot_seen && store->made_anew < MADE_ANEW_MAX;
    if (seen) {
        store->rot_seen = false;
        store->made_anew++;
    }
    pthread_mutex_unlock(&store->mutex);
    return seen;
}

/* ---- flushing ---- */

/* What was applied since the records' last commit is not to be trusted: begin again from there. */
static enum hs_err begin_again(struct hs_store *store)
{
    if (store->rotten)
        return caught_up(store, make_anew(store));
    enum hs_err err = hs_records_abort(store->records);
    return err == HS_OK ? store_catch_up(store) : fall_behind(store, err);
}

enum hs_err hs_store_flush(struct hs_store *store)
{
    assert(!store->in_group);
    enum hs_err err = store_failed(store);
    if (err != HS_OK)
        return err;
    store->rotten = store->rotten || take_rot_seen(store);
    if (store->behind || store->rotten)
        return begin_again(store);
    if (store->unflushed == 0 && store->flushed.commit == store->noted.commit) {
        hs_records_rest(store->records);
        return HS_OK;
    }
    struct hs_position position = hs_log_position(store->log);
    err = commit_records(store, &position);
    return err == HS_OK ? HS_OK : fall_behind(store, err);
}

bool hs_store_flush_due(const struct hs_store *store)
{
    struct hs_store *shared = (struct hs_store *)(uintptr_t)store; /* only its mutex is touched */
    pthread_mutex_lock(&shared->mutex);
    bool waited_for = shared->waiting > 0 && shared->flushed.commit < shared->noted.commit;
    pthread_mutex_unlock(&shared->mutex);
    return waited_for || store->unflushed >= store->flush_ops;
}

uint64_t hs_store_unflushed(const struct hs_store *store)
{
    return store->unflushed;
}

struct hs_position hs_store_position(struct hs_store *store)
{
    pthread_mutex_lock(&store->mutex);
    struct hs_position position = store->noted;
    pthread_mutex_unlock(&store->mutex);
    return position;
}

enum hs_err hs_store_rebuild(struct hs_store *store)
{
    assert(!store->in_group);
    enum hs_err err = store_failed(store);
    return err == HS_OK ? caught_up(store, make_anew(store)) : err;
}
