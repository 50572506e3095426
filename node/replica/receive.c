/* Openings and segments coming in: checked whole before anything of them is stored. */
#include "node/replica/core.h"

#include "proto/msg/frame.h"

#include <stdlib.h>
#include <string.h>

/* ---- credit that we give ---- */

/* PROTOCOL.md, "Credit": a segment costs its raw bytes and 256 for its frame, until it is stored or dropped. */
bool hs_rep_take_credit(struct rep_session *s, uint64_t cost)
{
    s->in.taken += cost;
    s->brought_ms = s->r->now_ms;
    if (s->in.taken <= s->in.first + s->in.told)
        return true;
    hs_rep_session_end(s, HS_ECREDIT, "more was sent than was allowed");
    return false;
}

void hs_rep_give_credit(struct rep_session *s, uint64_t cost)
{
    s->in.back += cost;
    hs_rep_session_dirty(s);
}

/* ---- openings ---- */

static enum hs_err check_opening(struct hs_replica *r, struct hs_bytes certificate, struct hs_bytes opening,
                                 struct hs_opening *opened)
{
    struct hs_certificate writer;
    enum hs_err err = hs_certificate_verify(certificate, &r->options.root_key, &writer);
    if (err == HS_OK)
        err = hs_opening_verify(opening, opened);
    if (err == HS_OK && !hs_key_equal(&writer.node_key, &opened->node_key))
        err = HS_ECERT;
    return err;
}

static void store_origin(struct rep_session *s, struct rep_origin *origin, struct hs_bytes certificate,
                         struct hs_bytes opening)
{
    struct hs_replica *r = s->r;
    struct hs_replica_store *store = hs_rep_store_new(r, HS_STORE_ORIGIN);
    if (store == NULL)
        return;
    store->certificate = hs_rep_store_copy(r, store, certificate);
    store->opening = hs_rep_store_copy(r, store, opening);
    struct rep_pending *pending = hs_rep_store_take(s, store); /* if it cannot be kept, the session ends */
    if (pending != NULL)
        pending->origin = origin;
    origin->stored = true; /* taken back if the store says no */
}

static enum hs_err take_opening(struct rep_session *s, struct hs_bytes certificate, struct hs_bytes encoded)
{
    struct hs_replica *r = s->r;
    struct hs_opening opened;
    enum hs_err err = hs_opening_verify(encoded, &opened);
    struct rep_origin *origin = err == HS_OK ? hs_rep_origin_find(&r->frontier, opened.origin) : NULL;
    if (err != HS_OK || (origin != NULL && origin->stored))
        return err;
    err = check_opening(r, certificate, encoded, &opened);
    if (err == HS_OK && origin == NULL)
        origin = hs_rep_origin_add(r, opened.origin, &opened.node_key);
    if (err == HS_OK && origin != NULL) {
        hs_rep_node_learn(origin->node, certificate);
        store_origin(s, origin, certificate, encoded);
    }
    return err;
}

/* PROTOCOL.md, "Opening": root, issuer, node, origin, each signed by the one before; a known origin's is ignored. */
void hs_rep_opening_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerOpening *opening = (const Hallsync__PeerOpening *)message;
    struct hs_buf certificate = {0}, origin = {0};
    hs_msg_pack(&opening->certificate->base, &certificate);
    hs_msg_pack(&opening->origin->base, &origin);
    hs_rep_fail(s->r, certificate.err);
    hs_rep_fail(s->r, origin.err);
    enum hs_err err = take_opening(s, hs_buf_bytes(&certificate), hs_buf_bytes(&origin));
    hs_buf_fini(&certificate);
    hs_buf_fini(&origin);
    if (err != HS_OK)
        hs_rep_session_end(s, err, "an origin's opening does not hold");
}

/* ---- segments ---- */

static enum hs_err check_form(const Hallsync__PeerSegment *message, struct hs_segment *segment)
{
    if (!hs_rep_stream_read(message->stream, &segment->stream) || message->first == 0 || message->count == 0 ||
        message->raw_bytes > HS_SEGMENT_BYTES_MAX || message->first > UINT64_MAX - message->count ||
        message->count > message->raw_bytes || message->signature.len != HS_SIGNATURE_BYTES)
        return HS_EMALFORMED;
    segment->first = message->first;
    segment->count = message->count;
    memcpy(segment->signature.bytes, message->signature.data, HS_SIGNATURE_BYTES);
    return HS_OK;
}

/* The ops into the store's arena.  PROTOCOL.md, "Segment": one frame, of the size that was announced. */
enum hs_err hs_rep_unpack(struct hs_replica *r, const struct rep_packed *packed, struct hs_arena *arena,
                          struct hs_bytes *raw)
{
    struct hs_bytes body = packed->body;
    uint8_t *to = hs_arena_alloc(arena, (size_t)packed->raw_bytes + 1);
    if (to == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        return HS_ENOMEM;
    }
    *raw = HS_BYTES(to, packed->raw_bytes);
    if (!packed->compressed) {
        if (body.size != packed->raw_bytes)
            return HS_EMALFORMED;
        if (body.size > 0)
            memcpy(to, body.data, body.size);
        return HS_OK;
    }
    if (ZSTD_findFrameCompressedSize(body.data, body.size) != body.size)
        return HS_EMALFORMED;
    size_t size = ZSTD_decompressDCtx(r->decompressor, to, packed->raw_bytes, body.data, body.size);
    return size == packed->raw_bytes ? HS_OK : HS_EMALFORMED;
}

/* PROTOCOL.md, "Chain": h(n) = BLAKE2b-256(h(n-1), op(n)); hashes do not travel. */
enum hs_err hs_rep_chain(struct hs_bytes body, uint32_t count, struct hs_hash *hash)
{
    struct hs_cur cur = hs_cur_of(body);
    for (uint32_t i = 0; i < count && cur.err == HS_OK; i++)
        *hash = hs_chain_next(hash, hs_cur_sized(&cur));
    return hs_cur_done(&cur) ? HS_OK : HS_EMALFORMED;
}

/* A bad chain or signature stops that stream, and somebody is told; the session goes on.  Only from who sent it: else
 * one liar could keep away another's operations for good. */
static void stop_stream(struct rep_session *s, struct rep_stream *stream, enum hs_err err)
{
    struct rep_lag *lag = hs_rep_lag_get(s, &stream->name);
    if (lag == NULL)
        return;
    if (!lag->stopped)
        lag->stopped_ms = s->r->now_ms;
    lag->stopped = s->has_stopped = true;
    hs_rep_notice_stream(s, HS_NOTICE_STREAM_STOPPED, &stream->name, err, "does not continue what is held");
    if (stream->n > 0)
        hs_rep_ops_rot_seen(s->r, &stream->name, stream->n, stream->n); /* or what is held has rotted */
    hs_rep_dispute_send(s, stream);
}

void hs_rep_expect(struct hs_replica *r, struct rep_stream *stream, uint64_t n, const struct hs_hash *hash)
{
    if (stream->incoming == NULL)
        stream->incoming = calloc(1, sizeof *stream->incoming);
    if (stream->incoming == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        return;
    }
    stream->incoming->n = n;
    stream->incoming->hash = *hash;
    stream->incoming->stores++;
}

static void store_segment(struct rep_session *s, struct rep_stream *stream, struct hs_replica_store *store,
                          uint64_t cost)
{
    struct hs_replica *r = s->r;
    uint32_t count = store->segment.count;
    hs_rep_expect(r, stream, store->segment.first + count - 1, &store->segment.end);
    struct rep_pending *pending = hs_rep_store_take(s, store);
    if (pending == NULL)
        return;
    pending->stream = stream;
    pending->cost = cost;
    s->received_ops[stream->name.lane] += count;
}

/* It continues what we expect: verify it whole. */
static bool take_segment(struct rep_session *s, struct rep_stream *stream, const Hallsync__PeerSegment *message,
                         const struct hs_segment *form, uint64_t cost)
{
    struct hs_replica_store *store = hs_rep_store_new(s->r, HS_STORE_SEGMENT);
    if (store == NULL)
        return false;
    struct hs_segment *segment = &store->segment;
    *segment = *form;
    segment->from = hs_arena_text(&store->arena, HS_BYTES(s->certificate.node_id, strlen(s->certificate.node_id)));
    struct rep_packed packed = {HS_BYTES(message->body.data, message->body.len), message->raw_bytes,
                                message->compressed};
    enum hs_err err = hs_rep_unpack(s->r, &packed, &store->arena, &segment->body);
    segment->end = stream->incoming != NULL ? stream->incoming->hash : stream->hash;
    if (err == HS_OK)
        err = hs_rep_chain(segment->body, segment->count, &segment->end);
    if (err != HS_OK) {
        hs_replica_store_free(store);
        hs_rep_session_end(s, err, "a segment that is none");
        return false;
    }
    err = hs_checkpoint_verify(&segment->stream, segment->first + segment->count - 1, &segment->end,
                               &stream->origin->node->key, &segment->signature);
    if (err != HS_OK) {
        hs_replica_store_free(store);
        if (err == HS_ENOMEM)
            hs_rep_fail(s->r, err);
        else
            stop_stream(s, stream, err);
        return false;
    }
    hs_rep_moved(s->r, stream->name.lane, form->count, message->body.len);
    store_segment(s, stream, store, cost);
    return true;
}

/* PROTOCOL.md, "Segment": one that is held whole is dropped; one that leaves a gap or overlaps is dropped and answered
 * by where we are: once, and when what is on its way to the store has come back (hs_rep_lag_commit). */
static void ask_from_head(struct rep_session *s, const struct rep_stream *stream, struct rep_lag *lag)
{
    if (lag == NULL || lag->gapped)
        return;
    lag->gapped = true;
    if (stream->incoming == NULL)
        hs_rep_announce(s, &stream->name, 1);
}

/* Returns whether it was handed to the store. */
static bool route_segment(struct rep_session *s, struct rep_stream *stream, const Hallsync__PeerSegment *message,
                          const struct hs_segment *form, uint64_t cost)
{
    uint64_t expected = stream->incoming != NULL ? stream->incoming->n : stream->n;
    uint64_t last = form->first + form->count - 1;
    struct rep_lag *lag = hs_rep_lag_find(s, &stream->name);
    if (form->first != expected + 1 && last > expected) {
        ask_from_head(s, stream, lag);
        return false;
    }
    if (lag != NULL)
        lag->gapped = false;
    if (last <= expected) {
        if (last <= stream->n)
            hs_rep_ack_put(s, stream);
        return false;
    }
    return take_segment(s, stream, message, form, cost);
}

static bool may_begin(struct rep_session *s, const struct hs_stream *name, struct rep_origin **origin)
{
    *origin = hs_rep_origin_find(&s->r->frontier, name->origin);
    if (!hs_rep_may_take(s, name))
        hs_rep_session_end(s, HS_ESCOPE, "a segment of partition %u, which is not taken from it", name->partition);
    else if (*origin == NULL)
        hs_rep_session_end(s, HS_EMALFORMED, "a segment before its origin's opening");
    return s->state == REP_LIVE;
}

/* PROTOCOL.md, "Order of sending": what comes of a lane that is held is dropped; where we are is told when it goes
 * again. */
static bool hold_back(struct rep_session *s, const struct hs_stream *name)
{
    struct rep_lag *lag = hs_rep_is_held(s->r, name->lane) ? hs_rep_lag_find(s, name) : NULL;
    if (lag != NULL)
        lag->gapped = true;
    return lag != NULL;
}

void hs_rep_segment_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerSegment *body = (const Hallsync__PeerSegment *)message;
    struct hs_segment form;
    struct rep_origin *origin;
    uint64_t cost = (uint64_t)body->raw_bytes + REP_SEGMENT_COST;
    enum hs_err err = check_form(body, &form);
    if (err != HS_OK) {
        hs_rep_session_end(s, err, "a segment that is none");
        return;
    }
    if (!hs_rep_take_credit(s, cost) || !may_begin(s, &form.stream, &origin))
        return;
    uint64_t last = form.first + form.count - 1;
    struct rep_stream *stream = hs_rep_stream_get(s->r, &form.stream, origin);
    if (stream == NULL)
        return;
    hs_rep_named(s, &form.stream, last);
    hs_rep_lag_learn(s, &form.stream, last);
    const struct rep_lag *lag = hs_rep_lag_find(s, &form.stream);
    bool closed = stream->fork != NULL || (lag != NULL && lag->stopped) ||
                  hs_rep_is_striking(s->r, form.stream.origin) ||
                  (stream->incoming != NULL && stream->incoming->failed) || hold_back(s, &form.stream);
    bool waits = !closed && hs_rep_segment_waits(s, stream, body, &form);
    bool stored = !closed && !waits && route_segment(s, stream, body, &form, cost);
    if (!stored && s->state == REP_LIVE)
        hs_rep_give_credit(s, cost);
    if (stream->fork != NULL && s->state == REP_LIVE)
        hs_rep_fork_greet(s, stream);
}
