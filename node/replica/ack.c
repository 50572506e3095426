/* What came back from the store, and what is told about it: credit, heads, receipts. */
#include "node/replica/core.h"

#include "proto/msg/tlv.h"

#include <assert.h>
#include <stdlib.h>

enum { ACK_CREDIT = 1, ACK_STORED = 2 };  /* fields of PeerAck */
enum { STORED_STREAM = 1, STORED_N = 2 }; /* fields of StreamAck */

#define CREDIT_PARTS 8
#define ACK_BYTES    32768 /* about, of one message: more go into the next */

/* ---- sending ---- */

void hs_rep_ack_put(struct rep_session *s, const struct rep_stream *stream)
{
    struct hs_replica *r = s->r;
    hs_buf_reset(&r->entry);
    hs_rep_put_stream(r, &r->entry, STORED_STREAM, &stream->name);
    hs_tlv_put_u64(&r->entry, STORED_N, stream->n);
    hs_rep_fail(r, r->entry.err);
    hs_rep_ack_part(s, ACK_STORED, hs_buf_bytes(&r->entry));
    hs_buf_reset(&r->entry);
}

/* Append a stored or receipts field to the next PeerAck; a full one goes out at once. */
void hs_rep_ack_part(struct rep_session *s, uint32_t field, struct hs_bytes part)
{
    hs_tlv_put_bytes(&s->acks, field, part);
    hs_rep_fail(s->r, s->acks.err);
    s->ack_parts++;
    if (s->acks.size >= ACK_BYTES || s->ack_parts == HS_LIST_ITEMS_MAX) {
        hs_rep_send_bytes(s, HALLSYNC__PEER_TYPE__PEER_ACK, hs_buf_bytes(&s->acks));
        hs_buf_reset(&s->acks);
        s->ack_parts = 0;
    }
    hs_rep_session_dirty(s);
}

/* A group of segments comes back from the store one by one: credit alone is told when it is worth a message, or all are
 * back. */
static bool credit_is_due(const struct rep_session *s)
{
    uint64_t due = s->in.back - s->in.told;
    return due > 0 && (s->acks.size > 0 || due >= s->in.first / CREDIT_PARTS || s->in.back == s->in.taken);
}

/* PROTOCOL.md, "Credit": the total is cumulative, so that one answer stands for many. */
void hs_rep_ack_send(struct rep_session *s)
{
    if (credit_is_due(s)) {
        s->in.told = s->in.back;
        hs_tlv_put_u64(&s->acks, ACK_CREDIT, s->in.first + s->in.told);
    } else if (s->acks.size == 0) {
        return;
    }
    hs_rep_fail(s->r, s->acks.err);
    hs_rep_send_bytes(s, HALLSYNC__PEER_TYPE__PEER_ACK, hs_buf_bytes(&s->acks));
    hs_buf_fini(&s->acks); /* idle sessions hold nothing */
    s->ack_parts = 0;
}

/* ---- receiving ---- */

static enum hs_err take_stored(struct rep_session *s, const Hallsync__StreamAck *stored)
{
    struct hs_stream name;
    if (!hs_rep_stream_read(stored->stream, &name))
        return HS_EMALFORMED;
    const struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, &name);
    if (stream == NULL || stream->fork == NULL)
        hs_rep_lag_learn(s, &name, stored->n);
    hs_rep_named(s, &name, stored->n);
    return HS_OK;
}

void hs_rep_ack_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerAck *ack = (const Hallsync__PeerAck *)message;
    enum hs_err err = ack->n_stored > HS_LIST_ITEMS_MAX || ack->n_receipts > HS_LIST_ITEMS_MAX ? HS_EMALFORMED : HS_OK;
    for (size_t i = 0; i < ack->n_stored && err == HS_OK; i++)
        err = take_stored(s, ack->stored[i]);
    if (err != HS_OK) {
        hs_rep_session_end(s, err, "an acknowledgement that is none");
        return;
    }
    for (size_t i = 0; i < ack->n_receipts && s->state == REP_LIVE; i++)
        hs_rep_receipt_received(s, ack->receipts[i]);
    if (ack->has_credit_total && s->state == REP_LIVE)
        hs_rep_credit_received(s, ack->credit_total);
    hs_rep_session_dirty(s); /* somebody may wait for just this */
}

/* ---- commits ---- */

struct moved {
    struct rep_stream *stream;
    uint64_t old_n;
};

static void tell_commit(struct rep_session *s, const struct rep_stream *stream, void *ctx)
{
    const struct moved *moved = ctx;
    (void)stream;
    hs_rep_lag_commit(s, moved->stream, moved->old_n);
}

static void take_new_head(struct hs_replica *r, const struct hs_head *head)
{
    struct rep_origin *origin = hs_rep_origin_load(r, head->stream.origin);
    struct rep_stream *stream = origin == NULL ? NULL : hs_rep_stream_get(r, &head->stream, origin);
    if (stream == NULL || head->n <= stream->n)
        return;
    struct moved moved = {stream, stream->n};
    hs_rep_stream_advance(stream, head->n, &head->hash);
    stream->changed = stream->member->partition->changed[stream->name.lane] = r->commit;
    if (stream->incoming != NULL && stream->incoming->n < head->n)
        *stream->incoming = (struct rep_incoming){head->n, head->hash, stream->incoming->stores,
                                                  stream->incoming->failed};
    if (stream->fork != NULL)
        hs_rep_fork_grew(r, stream);
    hs_rep_session_each(r, stream, tell_commit, &moved);
}

/* Several jobs of one group are told with the same commit: its heads and receipts count once. */
static void take_commit(struct hs_replica *r, const struct hs_commit *commit)
{
    if (commit->position.commit <= r->commit)
        return;
    r->commit = commit->position.commit;
    for (size_t i = 0; i < commit->head_count && r->err == HS_OK; i++)
        take_new_head(r, &commit->heads[i]);
    if (commit->stores)
        hs_rep_stores_committed(r);
    hs_rep_receipts_committed(r, commit);
    if (commit->is_revoking)
        hs_rep_revocations_committed(r);
    hs_rep_probes_moved(r);
    hs_rep_fills_moved(r, commit);
    for (size_t i = 0; i < r->session_count; i++) {
        if (r->sessions[i]->supplies != NULL) /* a piece may have waited for just this commit */
            hs_rep_session_dirty(r->sessions[i]);
    }
}

/* ---- stores ---- */

static struct rep_pending *pending_take(struct hs_replica *r, uint64_t token)
{
    struct rep_pending *pending = TAILQ_FIRST(&r->pending); /* nearly always the first */
    while (pending != NULL && pending->token != token)
        pending = TAILQ_NEXT(pending, order);
    if (pending != NULL)
        TAILQ_REMOVE(&r->pending, pending, order);
    return pending;
}

static void say_where(struct rep_session *s, const struct rep_stream *stream, void *ctx)
{
    struct rep_lag *lag = hs_rep_lag_find(s, &stream->name);
    bool waits = lag == NULL && stream->origin->node->is_revoked && hs_rep_may_take(s, &stream->name);
    (void)ctx;
    if (!waits && (lag == NULL || lag->peer_n <= stream->n))
        return;
    if (lag != NULL)
        lag->gapped = true;
    hs_rep_announce(s, &stream->name, 1); /* of a revoked key: for whoever has more to show it */
}

/* When the last store of a stream has come back, its head says all; after a failure the senders begin anew from there.
 */
static void incoming_back(struct hs_replica *r, struct rep_stream *stream, enum hs_err err)
{
    struct rep_incoming *incoming = stream->incoming;
    assert(incoming != NULL && incoming->stores > 0);
    if (err != HS_OK)
        incoming->failed = true;
    if (--incoming->stores > 0)
        return;
    bool failed = incoming->failed;
    free(incoming);
    stream->incoming = NULL;
    if (failed)
        hs_rep_session_each(r, stream, say_where, NULL);
}

static void segment_back(struct hs_replica *r, const struct rep_pending *pending, enum hs_err err)
{
    if (pending->type == HS_STORE_SEGMENT || pending->type == HS_STORE_BASE)
        incoming_back(r, pending->stream, err);
}

/* Somebody has named more stores that are gone than there can be: who passes that on is not to be cut off for it. */
static bool is_full(const struct rep_pending *pending, enum hs_err err)
{
    return pending->type == HS_STORE_GONE && err == HS_ETOOBIG;
}

/* A receipt for the other branch of a fork is nobody's fault, and says nothing of what is held here: dropped.  Nor can
 * anybody know that a key was revoked while something of it was on its way. */
static bool is_fault(const struct rep_pending *pending, enum hs_err err)
{
    return err != HS_OK && err != HS_EREVOKED && pending->type != HS_STORE_HEAL &&
           (pending->type != HS_STORE_RECEIPT || err != HS_EFORK) && !is_full(pending, err);
}

/* @err: what the store has said. */
static void finish_store(struct hs_replica *r, const struct rep_pending *pending, enum hs_err err)
{
    if (pending->type == HS_STORE_SEGMENT && err == HS_EEXISTS)
        err = HS_OK; /* a bundle has brought it meanwhile */
    struct rep_session *s = hs_rep_session_find(r, pending->peer);
    if (s != NULL)
        s->stores--;
    if (err != HS_OK && pending->type == HS_STORE_ORIGIN)
        pending->origin->stored = false;
    if (is_fault(pending, err) && s != NULL)
        hs_rep_session_end(s, err, "what it sent could not be stored: %s", hs_err_text(err));
    segment_back(r, pending, err);
    if (!is_fault(pending, err) && s != NULL && pending->cost > 0)
        hs_rep_give_credit(s, pending->cost);
    if (pending->type == HS_STORE_STRIKE)
        hs_rep_struck(r, err);
    if (err == HS_OK && pending->type == HS_STORE_ORIGIN)
        hs_rep_limits_known(r, pending->origin);
    if (err == HS_OK && pending->type == HS_STORE_RECEIPT)
        hs_rep_receipt_stored(r, &pending->receipt, pending->peer);
    if (err == HS_OK && pending->type == HS_STORE_RECEIPT)
        hs_rep_rots_receipt(r, &pending->receipt);
    if (pending->type == HS_STORE_FORK || pending->type == HS_STORE_LOOSE)
        hs_rep_fork_stored(r, pending, err);
    if (is_full(pending, err))
        hs_rep_stores_full(r, s);
    if (err == HS_OK && pending->type == HS_STORE_MEET)
        hs_rep_stores_stored(r, pending);
    if (pending->type == HS_STORE_ROT || pending->type == HS_STORE_HEAL)
        hs_rep_rots_stored(r, pending, err);
    if (pending->type == HS_STORE_FILL || pending->fill != NULL)
        hs_rep_fill_stored(r, pending, err);
}

void hs_rep_stored(struct hs_replica *r, const struct hs_replica_event *event)
{
    if (event->err == HS_OK && event->commit != NULL)
        take_commit(r, event->commit);
    struct rep_pending *pending = event->token == 0 ? NULL : pending_take(r, event->token);
    if (pending == NULL)
        return;
    finish_store(r, pending, event->err);
    free(pending);
}

void hs_rep_pendings_fini(struct hs_replica *r)
{
    struct rep_pending *pending;
    while ((pending = TAILQ_FIRST(&r->pending)) != NULL) {
        TAILQ_REMOVE(&r->pending, pending, order);
        free(pending);
    }
}
