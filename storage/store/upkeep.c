/* upkeep.c -- tidying up, in pieces of a few milliseconds: districts that left the scope, operations that are old and
 * held by a hub, what a witness need not keep any more. */
#include "storage/store/inside.h"

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

/* Base states are there only in a replay, of a district that has come back since. */
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
        err = hs_log_kept(store->log, txn, piece->partition, apply_kept, &evicting);
    store->rotten = store->rotten || err == HS_EDAMAGED;
    return err;
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
    enum hs_err err = hs_log_evict_records(store->log, &piece);
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
    bool more = hs_log_evicts_held(store->log);
    enum hs_err err = HS_OK;
    while (more && err == HS_OK)
        err = evict_some(store, &more);
    if (err == HS_OK)
        err = hs_store_flush(store);
    hs_records_rest(store->records); /* this thread may not be the writer's */
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
    enum hs_err err = evict(store, &budget);
    *more = err == HS_OK && budget == 0;
    return err;
}
