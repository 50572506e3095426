/* upkeep.c -- tidying up, in pieces of a few milliseconds: districts that left the scope, operations that are old and
 * held by a hub, what a witness need not keep any more. */
#include "storage/store/inside.h"

#include "storage/model/record.h"

#include <assert.h>
#include <string.h>

/* ---- eviction ---- */

struct evicting {
    struct hs_store *store;
    struct hs_txn *txn;
    struct hs_records_range range;
};

static enum hs_err apply_kept(void *ctx, const struct hs_logged *op)
{
    const struct evicting *evicting = ctx;
    return store_apply_in(evicting->store, evicting->txn, op, &evicting->range);
}

#define BEYOND HS_EEXISTS /* the range: ends the visit */

static enum hs_err join_kept(void *ctx, const struct hs_stored *base)
{
    const struct evicting *evicting = ctx;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_bytes name = HS_BYTES(key, hs_record_key(&base->name, key));
    if (base->name.partition != evicting->range.partition || !hs_records_in_range(&evicting->range, name))
        return BEYOND;
    return store_join(evicting->store, base, NULL);
}

/* Base states that are there: of records that stay, and in a replay of a district that has come back since. */
static enum hs_err join_bases(struct evicting *evicting)
{
    uint8_t prefix[2];
    struct hs_bytes after = evicting->range.after;
    hs_be16(prefix, evicting->range.partition);
    enum hs_err err = hs_log_base_states(evicting->txn, after.size > 0 ? after : HS_BYTES(prefix, sizeof prefix),
                                         join_kept, evicting);
    return err == BEYOND ? HS_OK : err;
}

enum hs_err store_evict(struct hs_store *store, struct hs_txn *txn, const struct hs_evicted *piece)
{
    struct evicting evicting = {store, txn, {piece->partition, piece->after, piece->to}};
    store->unflushed++;
    enum hs_err err = hs_records_evict(store->records, &evicting.range);
    if (err == HS_OK)
        err = join_bases(&evicting);
    if (err == HS_OK)
        err = hs_log_kept(store->log, txn, piece, apply_kept, &evicting);
    store->rotten = store->rotten || err == HS_EDAMAGED;
    return err;
}

/* Records of the piece to which ops that stay have written; they become base states. */
struct touched {
    struct hs_store *store;
    const struct hs_records_range *range;
    struct hs_arena arena;
    struct touched_state {
        struct touched_state *next;
        struct hs_stored stored;
    } * first;
};

static enum hs_err touch(struct touched *touched, const struct hs_record_name *name)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_stored stored;
    if (!hs_records_in_range(touched->range, HS_BYTES(key, hs_record_key(name, key))))
        return HS_OK;
    enum hs_err err = hs_records_get(hs_records_txn(touched->store->records), name, &stored);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err; /* of a void op */
    struct touched_state *state = hs_arena_alloc(&touched->arena, sizeof *state);
    if (state == NULL)
        return HS_ENOMEM;
    *state = (struct touched_state){touched->first, stored};
    state->stored.name.id = hs_arena_copy(&touched->arena, name->id);
    state->stored.state = hs_arena_copy(&touched->arena, stored.state);
    touched->first = state;
    return state->stored.name.id.size == name->id.size && state->stored.state.size == stored.state.size ? HS_OK
                                                                                                        : HS_ENOMEM;
}

static enum hs_err touch_op(void *ctx, const struct hs_logged *logged)
{
    struct touched *touched = ctx;
    struct hs_op op;
    enum hs_err err = hs_op_decode(logged->bytes, &touched->arena, &op);
    if (err != HS_OK)
        return err == HS_ENOMEM ? err : HS_OK;
    for (size_t i = 0; i < op.write_count && err == HS_OK; i++) {
        struct hs_record_name name = {logged->stream.partition, logged->stream.lane, op.writes[i].kind,
                                      op.writes[i].id};
        err = touch(touched, &name);
    }
    return err;
}

static enum hs_err evict_from_log(struct hs_store *store, const struct hs_evicted *piece,
                                  const struct hs_records_range *range)
{
    struct touched touched = {.store = store, .range = range};
    struct hs_txn *txn = hs_log_reader_of(store->log).txn;
    hs_arena_init(&touched.arena, 0);
    enum hs_err err = hs_log_kept(store->log, txn, piece, touch_op, &touched);
    if (err == HS_OK)
        err = hs_log_evict_records(store->log, piece);
    for (const struct touched_state *state = touched.first; state != NULL && err == HS_OK; state = state->next)
        hs_log_put_base_state(store->log, &state->stored);
    hs_arena_fini(&touched.arena);
    return err == HS_OK ? txn->err : err;
}

static enum hs_err evict_records(struct hs_store *store, const struct hs_eviction *next, size_t *budget)
{
    uint8_t last[HS_RECORD_KEY_BYTES_MAX];
    size_t last_size = 0;
    struct hs_records_range range = {next->partition, HS_BYTES(next->after, next->after_size), HS_BYTES_NONE};
    struct hs_txn *records = hs_records_txn(store->records);
    size_t count = hs_records_range(records, &range, *budget, last, &last_size);
    if (records->err != HS_OK)
        return store->group_err = records->err;
    if (count == *budget)
        range.to = HS_BYTES(last, last_size);
    struct hs_evicted piece = {next->partition, range.after, range.to};
    *budget -= count;
    enum hs_err err = evict_from_log(store, &piece, &range);
    if (err != HS_OK)
        return err;
    store->group_ops++;
    return store->group_err = store_evict(store, hs_log_reader_of(store->log).txn, &piece);
}

/* @more out: it used up the budget. */
static enum hs_err evict(struct hs_store *store, size_t *budget)
{
    struct hs_eviction next;
    enum hs_err err = hs_log_next_eviction(store->log, &next);
    while (err == HS_OK && *budget > 0) {
        err = next.of_records ? evict_records(store, &next, budget) : hs_log_evict(store->log, next.partition, budget);
        if (err == HS_OK)
            err = hs_log_next_eviction(store->log, &next);
    }
    return err == HS_ENOTFOUND ? HS_OK : err;
}

enum hs_err hs_view_evicting(struct hs_view *view, hs_visit_evicting visit, void *ctx)
{
    return hs_log_evictions(store_log_reader(view).txn, visit, ctx);
}

#define OPENING_BUDGET 20000

static enum hs_err evict_some(struct hs_store *store, bool *more)
{
    struct hs_commit commit;
    size_t budget = OPENING_BUDGET;
    enum hs_err err = hs_store_begin(store);
    if (err != HS_OK)
        return err;
    err = evict(store, &budget);
    *more = budget == 0;
    if (err != HS_OK) {
        hs_store_abort(store);
        return err;
    }
    return hs_store_commit(store, &commit);
}

enum hs_err store_end_evictions(struct hs_store *store)
{
    bool more = hs_log_evicts_first(store->log);
    enum hs_err err = HS_OK;
    while (more && err == HS_OK)
        err = evict_some(store, &more);
    if (err == HS_OK)
        err = hs_store_flush(store);
    hs_records_rest(store->records); /* this thread may not be the writer's */
    return err;
}

/* ---- operations that become base states ---- */

struct folding {
    struct hs_store *store;
    struct hs_arena arena;
};

static enum hs_err fold_write(struct folding *folding, const struct hs_records_op *op, hs_stamp stamp,
                              const struct hs_write *write)
{
    struct hs_store *store = folding->store;
    struct hs_log_reader reader = hs_log_reader_of(store->log);
    struct hs_record_name name = {op->stream.partition, op->stream.lane, write->kind, write->id};
    struct hs_stored base = {.name = name};
    struct hs_dot dot = {op->stream.origin, op->n};
    struct hs_record record = {0};
    enum hs_err err = hs_log_base_state(reader.txn, &name, &base);
    if (err == HS_OK)
        err = hs_record_decode(base.state, &folding->arena, &record);
    if (err == HS_OK || err == HS_ENOTFOUND)
        err = hs_record_apply(&record, &dot, stamp, write, &folding->arena);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    hs_buf_reset(&store->op);
    hs_record_encode(&record, &store->op);
    if (store->op.err != HS_OK || hs_bytes_equal(base.state, hs_buf_bytes(&store->op)))
        return store->op.err;
    base.state = hs_buf_bytes(&store->op);
    base.hash = hs_record_hash(&base.name, base.state);
    hs_log_put_base_state(store->log, &base);
    return HS_OK;
}

static enum hs_err fold_op(void *ctx, const struct hs_logged *logged)
{
    struct folding *folding = ctx;
    struct hs_store *store = folding->store;
    struct hs_txn *txn = hs_log_reader_of(store->log).txn;
    struct hs_op decoded = {0};
    hs_arena_reset(&folding->arena);
    struct hs_records_op op = {.stream = logged->stream, .n = logged->n};
    op.bytes = hs_arena_copy(&folding->arena, logged->bytes); /* what is written may move it */
    op.writer = hs_log_writer_of_held(store->log, txn, logged->stream.origin);
    if (op.writer == NULL || op.bytes.size != logged->bytes.size)
        return op.writer == NULL ? txn->err : HS_ENOMEM;
    op.own = strcmp(op.writer->node_id, hs_store_certificate(store)->node_id) == 0;
    enum hs_err verdict = hs_records_judge(&op, &folding->arena, &decoded);
    enum hs_err err = verdict == HS_ENOMEM ? verdict : HS_OK;
    for (size_t i = 0; verdict == HS_OK && err == HS_OK && i < decoded.write_count; i++)
        err = fold_write(folding, &op, decoded.stamp, &decoded.writes[i]);
    if (err != HS_OK)
        return err;
    store->group_ops++;
    store->unflushed++;
    return store->group_err = hs_records_forget(store->records, &op, decoded.request);
}

static enum hs_err fold(struct hs_store *store, uint64_t before_ms, size_t *budget)
{
    struct folding folding = {.store = store};
    struct hs_folding what = {
        .before_ms = before_ms,
        .until = hs_records_position(store->records).commit,
        .visit = fold_op,
        .ctx = &folding,
    };
    hs_arena_init(&folding.arena, 0);
    enum hs_err err = hs_log_fold(store->log, &what, budget);
    hs_arena_fini(&folding.arena);
    return err;
}

/* ---- the whole ---- */

enum hs_err hs_store_upkeep(struct hs_store *store, const struct hs_upkeep *upkeep, bool *more)
{
    assert(store->in_group);
    size_t budget = upkeep->budget;
    *more = false;
    if (store->group_err != HS_OK)
        return store->group_err;
    enum hs_err noted = store_note_found(store);
    if (noted != HS_OK || store->rotten || store->group_completes)
        return noted; /* records that lack something are about to be made anew: nothing is made of them before */
    enum hs_role role = hs_store_certificate(store)->role;
    if (role == HS_ROLE_WITNESS) {
        enum hs_err err = hs_log_drop_signed(store->log, &budget);
        *more = err == HS_OK && budget == 0;
        return err;
    }
    enum hs_err err = role == HS_ROLE_HUB ? HS_OK : evict(store, &budget); /* a hub's: at its start */
    if (err == HS_OK && budget > 0)
        err = fold(store, upkeep->before_ms, &budget);
    *more = err == HS_OK && budget == 0;
    return err;
}
