/* write.c -- the writer's group: every op goes into the log and at once into the open transaction of the records. */
#include "storage/store/inside.h"

#include <assert.h>

/* Always before the log's: the writers' locks of the two environments are then taken in one order.  A failure of an
 * earlier group, if only of a read, sticks to the records' transaction: what caused it may be over. */
static enum hs_err begin_records(struct hs_store *store)
{
    store->behind = store->behind || hs_records_txn(store->records)->err != HS_OK;
    enum hs_err err = store->behind ? hs_store_flush(store) : HS_OK;
    if (err == HS_OK)
        err = hs_records_txn(store->records)->err;
    store->behind = store->behind || err != HS_OK;
    return err;
}

enum hs_err hs_store_begin(struct hs_store *store)
{
    assert(!store->in_group);
    enum hs_err err = store_failed(store);
    if (err == HS_OK)
        err = begin_records(store);
    if (err == HS_OK)
        err = hs_log_begin(store->log);
    if (err != HS_OK)
        return err;
    store->in_group = true;
    store->group_err = HS_OK;
    store->group_ops = 0;
    store->group_notes = store->group_heals = store->group_completes = false;
    return HS_OK;
}

static enum hs_err apply(struct hs_store *store, const struct hs_logged *op, struct hs_dot *watched)
{
    struct hs_log_reader reader = hs_log_reader_of(store->log);
    store->group_ops++;
    if (store->group_err == HS_OK)
        store->group_err = store_apply(store, reader.txn, op, watched);
    return store->group_err;
}

enum hs_err hs_store_write(struct hs_store *store, const struct hs_draft *draft, struct hs_dot *dot, hs_stamp *stamp)
{
    assert(store->in_group);
    if (!hs_partition_valid(draft->partition) || !hs_lane_valid(draft->lane))
        return HS_EINVAL;
    if (hs_store_certificate(store)->role == HS_ROLE_WITNESS)
        return HS_ESCOPE; /* whatever it wrote would be void */
    struct hs_op op = {
        .stamp = hs_log_stamp(store->log, draft->above),
        .writes = draft->writes,
        .write_count = draft->write_count,
        .request = draft->request,
    };
    enum hs_err err = hs_op_check(&op);
    if (err != HS_OK)
        return err;
    hs_buf_reset(&store->op);
    hs_op_encode(&op, &store->op);
    struct hs_bytes bytes = hs_buf_bytes(&store->op);
    err = store->op.err;
    if (err == HS_OK)
        err = hs_log_write(store->log, draft->partition, (uint8_t)draft->lane, bytes, dot);
    if (err != HS_OK)
        return err;
    *stamp = op.stamp;
    struct hs_stream stream = {dot->origin, draft->partition, (uint8_t)draft->lane};
    return apply(store, &(struct hs_logged){.stream = stream, .n = dot->n, .bytes = bytes}, NULL);
}

/* Somebody overwrites what this node has not written yet.  Its next writes must not get those numbers: they would be
 * gone as soon as they are there. */
enum hs_err store_check_named(struct hs_store *store, const struct hs_stream *stream, const struct hs_dot *watched)
{
    struct hs_log_reader reader = hs_log_reader_of(store->log);
    struct hs_stream own = {watched->origin, stream->partition, stream->lane};
    struct hs_head head = {.n = 0};
    if (watched->n == 0 || watched->origin == 0)
        return HS_OK;
    enum hs_err err = hs_log_head(&reader, &own, &head);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    return watched->n > head.n
               ? hs_log_prove_older(store->log, "a write names more of this origin than this store holds")
               : HS_OK;
}

static enum hs_err apply_body(struct hs_store *store, const struct hs_segment *segment, uint64_t from, bool loose)
{
    struct hs_cur cur = hs_cur_of(segment->body);
    struct hs_dot watched = {hs_log_current_origin(hs_log_reader_of(store->log).txn), 0};
    enum hs_err err = HS_OK;
    for (uint64_t n = segment->first; err == HS_OK && n < segment->first + segment->count; n++) {
        struct hs_bytes op = hs_cur_sized(&cur);
        if (n >= from)
            err = apply(store, &(struct hs_logged){.stream = segment->stream, .n = n, .bytes = op, .loose = loose},
                        &watched);
    }
    return err == HS_OK && !loose ? store_check_named(store, &segment->stream, &watched) : err;
}

enum hs_err hs_store_receive(struct hs_store *store, const struct hs_segment *segment)
{
    assert(store->in_group);
    uint64_t from = 0;
    enum hs_err err = hs_log_receive(store->log, segment, &from);
    return err == HS_OK ? apply_body(store, segment, from, false) : err;
}

enum hs_err hs_store_put_loose(struct hs_store *store, const struct hs_loose *loose)
{
    assert(store->in_group);
    enum hs_err err = hs_log_put_loose(store->log, loose);
    if (err == HS_EEXISTS)
        return HS_OK;
    return err == HS_OK ? apply_body(store, &loose->segment, loose->segment.first, true) : err;
}

enum hs_err hs_store_put_origin(struct hs_store *store, struct hs_bytes certificate, struct hs_bytes opening)
{
    return hs_log_put_origin(store->log, certificate, opening);
}

enum hs_err hs_store_put_receipt(struct hs_store *store, const struct hs_receipt *receipt, struct hs_bytes certificate)
{
    return hs_log_put_receipt(store->log, receipt, certificate);
}

enum hs_err hs_store_put_certificate(struct hs_store *store, struct hs_bytes certificate)
{
    return hs_log_put_certificate(store->log, certificate);
}

enum hs_err hs_store_put_revocation(struct hs_store *store, struct hs_bytes encoded)
{
    return hs_log_put_revocation(store->log, encoded);
}

enum hs_err hs_store_put_release(struct hs_store *store, struct hs_bytes encoded)
{
    return hs_log_put_release(store->log, encoded);
}

enum hs_err hs_store_put_announced(struct hs_store *store, const struct hs_announcement *announcement)
{
    return hs_log_put_announced(store->log, announcement);
}

enum hs_err hs_store_meet(struct hs_store *store, const struct hs_met *met)
{
    return hs_log_meet(store->log, met);
}

enum hs_err hs_store_gone(struct hs_store *store, const struct hs_key *node_key, uint64_t store_id)
{
    return hs_log_store_gone(store->log, node_key, store_id);
}

enum hs_err hs_store_told(struct hs_store *store, const struct hs_key *node_key, uint64_t store_id)
{
    return hs_log_store_told(store->log, node_key, store_id);
}

enum hs_err hs_store_strike(struct hs_store *store, const char *why)
{
    return hs_log_prove_older(store->log, why);
}

enum hs_err hs_store_put_fork(struct hs_store *store, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof)
{
    return hs_log_put_fork(store->log, stream, n, proof);
}

enum hs_err hs_store_put_enrolment(struct hs_store *store, const struct hs_hash *secret_hash,
                                   const struct hs_enrolment *enrolment)
{
    return hs_log_put_enrolment(store->log, secret_hash, enrolment);
}

/* ---- the end of a group ---- */

/* The records hold ops that the log has not: back to their last commit, and forward to the log's end. */
static void take_back(struct hs_store *store)
{
    store->in_group = false;
    if (store->group_ops == 0)
        return;
    store->behind = true;
    hs_store_flush(store); /* fails now: tried again by the next group */
}

void hs_store_abort(struct hs_store *store)
{
    if (!store->in_group)
        return; /* its commit failed and ended it */
    hs_log_abort(store->log);
    take_back(store);
}

enum hs_err hs_store_commit(struct hs_store *store, struct hs_commit *commit)
{
    assert(store->in_group);
    *commit = (struct hs_commit){0};
    if (store->group_err != HS_OK) {
        enum hs_err err = store->group_err;
        hs_store_abort(store);
        return err;
    }
    bool heals = store->group_notes || store->group_heals || store->group_completes;
    uint64_t whole_from = heals ? store_set_whole_from(store, UINT64_MAX) : 0;
    enum hs_err err = hs_log_commit(store->log, commit);
    store->in_group = false;
    if (hs_log_failed(store->log) != HS_OK)
        return store_break(store, hs_log_failed(store->log));
    if (err != HS_OK) {
        if (heals)
            store_set_whole_from(store, whole_from);
        take_back(store);
        return err;
    }
    if (store->group_notes)
        store->found_count = 0;
    if (heals && store->found_count == 0)
        store_set_whole_from(store, commit->position.commit);
    store->rotten = store->rotten || store->group_completes;
    store_publish(store, &commit->position, NULL);
    return HS_OK;
}
