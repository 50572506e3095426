/* fill.c -- what comes as state instead of operations: kept as base states in the log, joined to the records at once.
 */
#include "storage/store/inside.h"

#include "storage/model/record.h"

#include <assert.h>
#include <string.h>

enum hs_err hs_store_fill_begin(struct hs_store *store, hs_partition partition, uint8_t lane)
{
    assert(store->in_group);
    return hs_store_holds(store, partition) ? hs_log_fill_begin(store->log, partition, lane) : HS_ENOTHERE;
}

enum hs_err hs_store_fill_note(struct hs_store *store, const struct hs_fill_note *note)
{
    assert(store->in_group);
    return hs_log_fill_note(store->log, note);
}

enum hs_err hs_store_fill_end(struct hs_store *store, hs_partition partition, uint8_t lane)
{
    assert(store->in_group);
    return hs_log_fill_end(store->log, partition, lane);
}

enum hs_err hs_store_put_base(struct hs_store *store, const struct hs_signed_head *head)
{
    assert(store->in_group);
    return hs_log_put_base(store->log, head);
}

/* ---- states ---- */

static bool next_state(struct hs_cur *cur, struct hs_bytes *key, struct hs_bytes *state)
{
    if (cur->left == 0)
        return false;
    *key = hs_cur_sized(cur);
    *state = hs_cur_sized(cur);
    return cur->err == HS_OK;
}

/* Are they whole and in order?  @step out: from where to where, and how many. */
static enum hs_err survey(const struct hs_states *states, struct hs_fill_step *step)
{
    struct hs_cur cur = hs_cur_of(states->body);
    struct hs_record_name name;
    struct hs_bytes key;
    struct hs_bytes state;
    *step = (struct hs_fill_step){.partition = states->partition, .lane = states->lane};
    while (next_state(&cur, &key, &state)) {
        if (hs_record_from_key(key, &name) != HS_OK || name.partition != states->partition ||
            name.lane != states->lane || (step->count > 0 && hs_bytes_compare(step->last, key) >= 0))
            return HS_EMALFORMED;
        step->first = step->count == 0 ? key : step->first;
        step->last = key;
        step->count++;
    }
    return cur.err;
}

/* What was folded before stays in it. */
static enum hs_err join_base(struct hs_store *store, const struct hs_stored *base, struct hs_stored *came)
{
    struct hs_record old;
    struct hs_record new;
    struct hs_record joined;
    struct hs_arena arena;
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_record_decode(base->state, &arena, &old);
    if (err == HS_EMALFORMED)
        err = HS_EDAMAGED;
    if (err == HS_OK)
        err = hs_record_decode(came->state, &arena, &new);
    if (err == HS_OK)
        err = hs_record_join(&old, &new, &arena, &joined);
    if (err == HS_OK) {
        hs_buf_reset(&store->op);
        hs_record_encode(&joined, &store->op);
        err = store->op.err;
    }
    hs_arena_fini(&arena);
    came->state = hs_buf_bytes(&store->op);
    return err;
}

static enum hs_err take_state(struct hs_store *store, struct hs_bytes key, struct hs_bytes state,
                              struct hs_dot *watched)
{
    struct hs_log_reader reader = hs_log_reader_of(store->log);
    struct hs_stored came = {.state = state};
    struct hs_stored base;
    enum hs_err err = hs_record_from_key(key, &came.name);
    if (err == HS_OK)
        err = hs_log_base_state(reader.txn, &came.name, &base);
    if (err == HS_EDAMAGED && reader.txn->err == HS_OK)
        err = hs_log_note_base(store->log, &came.name, &came); /* what came takes its place */
    else if (err == HS_OK)
        err = join_base(store, &base, &came);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    came.hash = hs_record_hash(&came.name, came.state);
    hs_log_put_base_state(store->log, &came);
    store->group_ops++;
    return store_join(store, &came, watched);
}

enum hs_err hs_store_fill_states(struct hs_store *store, const struct hs_states *states)
{
    assert(store->in_group);
    struct hs_fill_step step;
    enum hs_err err = survey(states, &step);
    if (err != HS_OK || step.count == 0)
        return err;
    err = hs_log_fill_step(store->log, &step);
    if (err != HS_OK)
        return err;
    struct hs_dot watched = {hs_log_current_origin(hs_log_reader_of(store->log).txn), 0};
    struct hs_cur cur = hs_cur_of(states->body);
    struct hs_bytes key;
    struct hs_bytes state;
    while (store->group_err == HS_OK && next_state(&cur, &key, &state))
        store->group_err = take_state(store, key, state, &watched);
    struct hs_stream place = {.partition = states->partition, .lane = states->lane};
    return store->group_err == HS_OK ? store_check_named(store, &place, &watched) : store->group_err;
}

/* ---- reading ---- */

enum hs_err hs_view_fills(struct hs_view *view, hs_visit_fill visit, void *ctx)
{
    return hs_log_fills(store_log_reader(view).txn, visit, ctx);
}

struct lacking {
    hs_partition partition;
    uint8_t lane; /* 0: any */
    bool found;
};

static enum hs_err look_at_rot(void *ctx, const struct hs_healed *healed)
{
    struct lacking *lacking = ctx;
    bool here = healed->stream.partition == lacking->partition &&
                (lacking->lane == 0 || healed->stream.lane == lacking->lane);
    lacking->found = lacking->found || (here && healed->store_id == 0 && healed->state == HS_HEALING_WAITS);
    return HS_OK;
}

/* HS_EFILLING: operations rotted and have not come again, and the records may lack what they say. */
static enum hs_err check_rot(struct hs_txn *txn, hs_partition partition, uint8_t lane)
{
    struct lacking lacking = {.partition = partition, .lane = lane};
    enum hs_err err = hs_log_healed(txn, look_at_rot, &lacking);
    return err == HS_OK && lacking.found ? HS_EFILLING : err;
}

bool hs_view_whole(struct hs_view *view, hs_partition partition)
{
    struct hs_txn *txn = store_log_reader(view).txn;
    return hs_store_holds(view->store, partition) && !hs_log_filling(txn, partition) &&
           !hs_log_evicting(txn, partition) && check_rot(txn, partition, 0) == HS_OK;
}

/* Not while a replay has left out what is not noted yet, nor while what came again is not in the records: they would
 * hide for ever, with whoever is filled, what they lack themselves for a moment. */
static enum hs_err may_supply(struct hs_view *view, hs_partition partition, uint8_t lane)
{
    struct hs_store *store = view->store;
    pthread_mutex_lock(&store->mutex);
    bool whole = store->whole_from <= hs_view_position(view).commit;
    pthread_mutex_unlock(&store->mutex);
    if (!whole && store->flush_wanted != NULL)
        store->flush_wanted(store->ctx);
    if (!whole)
        return HS_EBUSY;
    return check_rot(store_log_reader(view).txn, partition, lane);
}

enum hs_err hs_view_states(struct hs_view *view, hs_partition partition, uint8_t lane, struct hs_bytes after,
                           size_t limit, struct hs_buf *body, struct hs_bytes *next, bool *last)
{
    struct hs_states_wanted wanted = {partition, lane, after, limit};
    if (lane == HS_LANE_MONEY)
        return HS_EINVAL;
    enum hs_err err = may_supply(view, partition, lane);
    return err != HS_OK ? err
                        : store_watched(view, hs_records_states(store_records_txn(view), &wanted, body, next, last));
}

uint64_t hs_view_states_count(struct hs_view *view, hs_partition partition, uint8_t lane)
{
    return hs_records_states_count(store_records_txn(view), partition, lane);
}
