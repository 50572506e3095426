/* The replica itself: made, stepped, freed. */
#include "node/replica/core.h"

#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HEARTBEAT_MS      2000
#define COMPARE_MS        60000
#define KEPT_FRAMES_BYTES (1024 * 1024) /* a step that needed more gives it back */

enum { SIGNED_BODY = 1, ORIGIN_NODE_KEY = 2 }; /* fields of Signed and OriginBody */

/* ---- messages ---- */

#define IN(state) (1U << (state))

/* One that asks nothing whose answer costs; and one of which @max may be open, if @asks says that it is a question. */
#define SAYS(name, takes, in)                               \
    {                                                       \
        &hallsync__##name##__descriptor, takes, in, 0, NULL \
    }
#define ASKS(name, takes, in, max, asks)                      \
    {                                                         \
        &hallsync__##name##__descriptor, takes, in, max, asks \
    }

/* PROTOCOL.md, "Session": what may come when.  Anything else ends the session. */
static const struct rep_message MESSAGES[] = {
    [HALLSYNC__PEER_TYPE__PEER_HELLO] = SAYS(peer_hello, hs_rep_hello_received, IN(REP_GREETED)),
    [HALLSYNC__PEER_TYPE__PEER_REFUSE] = SAYS(peer_refuse, hs_rep_refuse_received, IN(REP_GREETED) | IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_FRONTIER] = SAYS(peer_frontier, hs_rep_exchange_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_OPENING] = SAYS(peer_opening, hs_rep_opening_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_SEGMENT] = SAYS(peer_segment, hs_rep_segment_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_ACK] = SAYS(peer_ack, hs_rep_ack_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_HEARTBEAT] = SAYS(peer_heartbeat, hs_rep_heartbeat_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_PROBE] = SAYS(peer_probe, hs_rep_probe_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY] = SAYS(peer_probe_reply, hs_rep_probe_answered, IN(REP_LIVE)),
    /* One of a round, and one about one record. */
    [HALLSYNC__PEER_TYPE__PEER_COMPARE] = ASKS(peer_compare, hs_rep_compare_received, IN(REP_LIVE), 2, NULL),
    [HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY] = SAYS(peer_compare_reply, hs_rep_compare_answered, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_DISPUTE] = SAYS(peer_dispute, hs_rep_dispute_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_FORK_PROOF] = SAYS(peer_fork_proof, hs_rep_proof_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_BASE] = SAYS(peer_base, hs_rep_base_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_LOOSE] = SAYS(peer_loose, hs_rep_loose_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_PRUNED] = SAYS(peer_pruned, hs_rep_pruned_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_FILL] = SAYS(peer_fill, hs_rep_fill_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_FILL_HEADS] = SAYS(peer_fill_heads, hs_rep_heads_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_STATES] = SAYS(peer_states, hs_rep_states_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_ASK] = ASKS(peer_ask, hs_rep_ask_received, IN(REP_LIVE), HS_QUESTIONS_OPEN_MAX, NULL),
    [HALLSYNC__PEER_TYPE__PEER_ANSWER] = SAYS(peer_answer, hs_rep_answer_received, IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_REVOCATIONS] = SAYS(peer_revocations, hs_rep_revocations_received,
                                                   IN(REP_GREETED) | IN(REP_LIVE)),
    [HALLSYNC__PEER_TYPE__PEER_STORES] = ASKS(peer_stores, hs_rep_stores_received, IN(REP_LIVE), 1, hs_rep_stores_asks),
    [HALLSYNC__PEER_TYPE__PEER_FETCH] = SAYS(peer_fetch, hs_rep_fetch_received, IN(REP_LIVE)),
};

#define MESSAGE_COUNT (sizeof MESSAGES / sizeof *MESSAGES)
_Static_assert(MESSAGE_COUNT <= REP_TYPES_MAX, "a session has a bit for each");

bool hs_rep_knows_type(unsigned type)
{
    return type < MESSAGE_COUNT && MESSAGES[type].received != NULL;
}

/* PROTOCOL.md, "Revocations": nothing counts before those that the peer's Hello has promised. */
static bool may_come_first(uint8_t type)
{
    return type == HALLSYNC__PEER_TYPE__PEER_REVOCATIONS || type == HALLSYNC__PEER_TYPE__PEER_REFUSE;
}

static void handle(struct rep_session *s, const struct hs_frame *frame)
{
    if (!hs_rep_knows_type(frame->type) || (MESSAGES[frame->type].states & IN(s->state)) == 0) {
        hs_rep_session_end(s, HS_EMALFORMED, "message of type %u out of place", frame->type);
        return;
    }
    if (s->revocations_due > 0 && s->state == REP_LIVE && !may_come_first(frame->type)) {
        hs_rep_session_end(s, HS_EMALFORMED, "message of type %u before the revocations that were promised",
                           frame->type);
        return;
    }
    struct hs_arena *arena = &s->r->arena;
    hs_arena_reset(arena);
    ProtobufCMessage *message;
    enum hs_err err = hs_msg_unpack(MESSAGES[frame->type].descriptor, frame->body, arena, &message);
    const struct rep_message *kind = &MESSAGES[frame->type];
    if (err == HS_OK && kind->questions_max > 0 && (kind->asks == NULL || kind->asks(message)))
        hs_rep_inquiry_received(s, kind, message, frame->body);
    else if (err == HS_OK)
        kind->received(s, message);
    else /* the arena's limit is a limit on messages: HS_ENOMEM is the peer's doing too */
        hs_rep_session_end(s, HS_EMALFORMED, "message of type %u cannot be read: %s", frame->type, hs_err_text(err));
}

static void received(struct hs_replica *r, const struct hs_replica_event *event)
{
    struct rep_session *s = hs_rep_session_find(r, event->peer);
    if (s == NULL)
        return; /* ended; the link has not dropped it yet */
    struct hs_frame frame;
    enum hs_err err = hs_frame_decode(event->frame, &frame);
    s->heard_ms = r->now_ms;
    s->received_bytes += event->frame.size;
    if (err != HS_OK)
        hs_rep_session_end(s, err, "not a frame of this protocol");
    else if (frame.sequence != ++s->sequence_in)
        hs_rep_session_end(s, HS_EMALFORMED, "frame %u came where %u should", frame.sequence, s->sequence_in);
    else
        handle(s, &frame);
    if (s->stores > REP_STORES_MAX && s->state != REP_ENDED)
        hs_rep_session_end(s, HS_EBUSY, "it brings more than this node can store: %zu pieces wait", s->stores);
}

/* ---- a step ---- */

typedef void (*event_fn)(struct hs_replica *r, const struct hs_replica_event *event);

static const event_fn EVENTS[] = {
    [HS_REPLICA_PEER_UP] = hs_rep_session_up,
    [HS_REPLICA_PEER_DOWN] = hs_rep_session_down,
    [HS_REPLICA_RECEIVED] = received,
    [HS_REPLICA_STORED] = hs_rep_stored,
    [HS_REPLICA_TICK] = NULL, /* the timers run in every step */
    [HS_REPLICA_PROBE] = hs_rep_probe_begin,
    [HS_REPLICA_PROBE_END] = hs_rep_probe_end,
    [HS_REPLICA_COMPARE] = hs_rep_compare_all,
    [HS_REPLICA_RATE] = hs_rep_rate,
    [HS_REPLICA_HOLD] = hs_rep_hold,
    [HS_REPLICA_ROT] = hs_rep_rot_told,
    [HS_REPLICA_ASK] = hs_rep_ask_begin,
    [HS_REPLICA_ASK_NODE] = hs_rep_ask_node,
    [HS_REPLICA_ASK_END] = hs_rep_ask_end,
};

/* If this process itself was held up beyond its time, frames that came meanwhile wait behind this event: their senders
 * were not silent. */
static void forgive_own_delay(struct hs_replica *r)
{
    if (r->wake_ms == UINT64_MAX || r->now_ms <= r->wake_ms + r->options.heartbeat_ms)
        return;
    uint64_t late_ms = r->now_ms - r->wake_ms;
    for (size_t i = 0; i < r->session_count; i++)
        r->sessions[i]->heard_ms += late_ms;
}

static void run_timers(struct hs_replica *r)
{
    if (r->now_ms < r->wake_ms)
        return;
    r->wake_ms = UINT64_MAX;
    for (size_t i = 0; i < r->session_count; i++) {
        struct rep_session *s = r->sessions[i];
        uint64_t beat = hs_rep_heartbeat_tick(s);
        uint64_t compare = hs_rep_compare_tick(s);
        hs_rep_wake(r, hs_rep_beyond_tick(s));
        hs_rep_wake(r, hs_rep_inquiries_tick(s));
        hs_rep_wake(r, hs_rep_fills_tick(s));
        uint64_t limit = hs_rep_schedule_tick(s), supply = hs_rep_supply_tick(s);
        hs_rep_wake(r, beat);
        hs_rep_wake(r, compare);
        hs_rep_wake(r, limit < supply ? limit : supply);
    }
    hs_rep_wake(r, r->fills_ms);
    hs_rep_wake(r, hs_rep_gate_tick(r));
    hs_rep_wake(r, hs_rep_waiting_tick(r));
    hs_rep_wake(r, hs_rep_asks_tick(r));
    hs_rep_wake(r, hs_rep_rots_tick(r));
}

void hs_rep_wake(struct hs_replica *r, uint64_t at_ms)
{
    if (at_ms < r->wake_ms)
        r->wake_ms = at_ms;
}

/* What the step made possible: answers to what was stored first, then what is waiting to be sent. */
static void run_dirty(struct hs_replica *r)
{
    struct rep_session *s;
    while ((s = TAILQ_FIRST(&r->dirty)) != NULL) {
        TAILQ_REMOVE(&r->dirty, s, work);
        s->dirty = false;
        if (s->state != REP_LIVE)
            continue;
        hs_rep_exchange_flush(s);
        hs_rep_ack_send(s);
        hs_rep_inquiries_run(s);
        hs_rep_probe_check(s);
        hs_rep_schedule(s);
    }
}

static void begin(struct hs_replica *r)
{
    r->update_count = 0;
    hs_arena_reset(&r->texts);
    if (r->frames.room > KEPT_FRAMES_BYTES)
        hs_buf_fini(&r->frames);
    hs_buf_reset(&r->frames);
}

/* Frames were noted by size while their buffer could still move. */
static void place_frames(struct hs_replica *r)
{
    size_t at = 0;
    for (size_t i = 0; i < r->update_count; i++) {
        struct hs_replica_update *update = &r->updates[i];
        if (update->type != HS_REPLICA_SEND)
            continue;
        update->frame.data = r->frames.data + at;
        at += update->frame.size;
    }
    assert(at == r->frames.size || r->err != HS_OK);
}

/* Nobody takes the updates of a step that failed. */
static void drop_updates(struct hs_replica *r)
{
    for (size_t i = 0; i < r->update_count; i++)
        hs_replica_store_free(r->updates[i].store);
    r->update_count = 0;
}

enum hs_err hs_replica_step(struct hs_replica *r, const struct hs_replica_event *event,
                            struct hs_replica_updates *updates)
{
    assert(event->type < sizeof EVENTS / sizeof *EVENTS);
    assert(r->err == HS_OK);
    begin(r);
    r->now_ms = event->now_ms;
    forgive_own_delay(r);
    if (EVENTS[event->type] != NULL)
        EVENTS[event->type](r, event);
    run_timers(r);
    hs_rep_fills_run(r);
    run_dirty(r);
    hs_rep_sessions_sweep(r);
    if (r->err != HS_OK)
        drop_updates(r);
    place_frames(r);
    *updates = (struct hs_replica_updates){r->updates, r->update_count, r->wake_ms};
    return r->err;
}

/* ---- loading ---- */

/* The node key that an opening of our own store names: it was verified before it was stored. */
static bool opening_key(struct hs_bytes opening, struct hs_key *key)
{
    struct hs_bytes named = hs_tlv_bytes(hs_tlv_bytes(opening, SIGNED_BODY), ORIGIN_NODE_KEY);
    if (named.size != sizeof key->bytes)
        return false;
    memcpy(key->bytes, named.data, named.size);
    return true;
}

/* The origin of a stream that the store holds; NULL: the source fails. */
struct rep_origin *hs_rep_origin_load(struct hs_replica *r, uint64_t id)
{
    struct rep_origin *origin = hs_rep_origin_find(&r->frontier, id);
    if (origin != NULL)
        return origin;
    struct hs_buf certificate = {0}, opening = {0};
    struct hs_key key;
    enum hs_err err = r->source.origin(r->source.ctx, id, &certificate, &opening);
    if (err == HS_ENOTFOUND || (err == HS_OK && !opening_key(hs_buf_bytes(&opening), &key)))
        err = HS_EDAMAGED;
    if (err == HS_OK)
        origin = hs_rep_origin_add(r, id, &key);
    if (origin != NULL) {
        origin->stored = true;
        hs_rep_node_learn(origin->node, hs_buf_bytes(&certificate));
    }
    hs_rep_fail(r, err);
    hs_buf_fini(&certificate);
    hs_buf_fini(&opening);
    return origin;
}

static enum hs_err load_head(void *ctx, const struct hs_head *head)
{
    struct hs_replica *r = ctx;
    struct rep_origin *origin = hs_rep_origin_load(r, head->stream.origin);
    struct rep_stream *stream = origin == NULL ? NULL : hs_rep_stream_get(r, &head->stream, origin);
    if (stream != NULL && head->n > stream->n)
        hs_rep_stream_advance(stream, head->n, &head->hash);
    return r->err;
}

static enum hs_err own_scope(struct hs_replica *r)
{
    uint32_t named[HS_SCOPE_MAX];
    size_t count = r->options.district_count;
    for (size_t i = 0; i < count && i < HS_SCOPE_MAX; i++)
        named[i] = r->options.districts[i];
    r->options.districts = NULL; /* borrowed for this */
    return count <= HS_SCOPE_MAX && hs_rep_scope_of(&r->certificate, named, count, &r->scope) ? HS_OK : HS_EINVAL;
}

static enum hs_err set_up(struct hs_replica *r)
{
    enum hs_err err = hs_certificate_verify(r->options.certificate, &r->options.root_key, &r->certificate);
    r->compressor = ZSTD_createCCtx();
    r->decompressor = ZSTD_createDCtx();
    if (err == HS_OK && (r->compressor == NULL || r->decompressor == NULL))
        err = HS_ENOMEM;
    if (err == HS_OK)
        err = own_scope(r);
    if (err == HS_OK)
        r->node = hs_rep_node_get(r, &r->certificate.node_key);
    if (err == HS_OK && r->node != NULL)
        hs_rep_node_learn(r->node, r->options.certificate);
    if (err == HS_OK && r->node != NULL)
        err = r->source.heads(r->source.ctx, load_head, r);
    if (err == HS_OK && r->err == HS_OK)
        err = hs_rep_forks_load(r);
    if (err == HS_OK && r->err == HS_OK)
        err = hs_rep_fills_load(r);
    if (err == HS_OK && r->err == HS_OK)
        err = hs_rep_revocations_load(r);
    if (err == HS_OK && r->err == HS_OK)
        err = hs_rep_stores_load(r);
    if (err == HS_OK && r->err == HS_OK)
        err = hs_rep_rots_load(r);
    hs_rep_gate_init(r);
    r->commit = r->source.commit(r->source.ctx);
    return err == HS_OK ? r->err : err;
}

/* Copies what the options borrow and puts in the defaults. */
static enum hs_err copy_options(struct hs_replica *r, const struct hs_replica_options *options)
{
    struct hs_replica_options *own = &r->options;
    *own = *options;
    hs_buf_put_bytes(&r->certificate_bytes, options->certificate);
    r->software = strdup(options->software == NULL ? "" : options->software);
    if (r->certificate_bytes.err != HS_OK || r->software == NULL)
        return HS_ENOMEM;
    own->certificate = hs_buf_bytes(&r->certificate_bytes);
    own->software = r->software;
    if (own->credit_bytes == 0)
        own->credit_bytes = HS_CREDIT_BYTES_DEFAULT;
    if (own->credit_bytes < HS_CREDIT_BYTES_MIN)
        own->credit_bytes = HS_CREDIT_BYTES_MIN;
    if (own->heartbeat_ms == 0)
        own->heartbeat_ms = HEARTBEAT_MS;
    if (own->silence_ms == 0)
        own->silence_ms = own->heartbeat_ms * 7 / 2;
    if (own->compare_ms == 0)
        own->compare_ms = COMPARE_MS;
    return HS_OK;
}

enum hs_err hs_replica_new(const struct hs_replica_options *options, const struct hs_replica_source *source,
                           struct hs_replica **replica)
{
    struct hs_replica *r = calloc(1, sizeof *r);
    if (r == NULL)
        return HS_ENOMEM;
    r->source = *source;
    r->wake_ms = r->fills_ms = UINT64_MAX;
    TAILQ_INIT(&r->dirty);
    TAILQ_INIT(&r->by_node);
    TAILQ_INIT(&r->pending);
    TAILQ_INIT(&r->probes);
    TAILQ_INIT(&r->asks);
    TAILQ_INIT(&r->rots);
    hs_arena_init(&r->arena, REP_UNPACKED_BYTES_MAX);
    hs_arena_init(&r->inquiring, REP_UNPACKED_BYTES_MAX);
    hs_arena_init(&r->texts, 0);
    hs_arena_init(&r->sending, REP_UNPACKED_BYTES_MAX);
    hs_arena_init(&r->walking, 0);
    hs_arena_init(&r->decoding, 0);
    enum hs_err err = copy_options(r, options);
    if (err == HS_OK)
        err = set_up(r);
    if (err == HS_OK)
        *replica = r;
    else
        hs_replica_free(r);
    return err;
}

void hs_replica_free(struct hs_replica *r)
{
    if (r == NULL)
        return;
    hs_rep_probes_fini(r);
    hs_rep_fills_fini(r);
    hs_rep_asks_fini(r);
    hs_rep_rots_fini(r);
    hs_rep_revocations_fini(r);
    hs_rep_stores_fini(r);
    hs_rep_sessions_fini(r);
    hs_rep_pendings_fini(r);
    hs_rep_frontier_fini(&r->frontier);
    for (size_t i = 0; i < REP_CUTS; i++)
        hs_buf_fini(&r->cuts[i].body);
    ZSTD_freeCCtx(r->compressor);
    ZSTD_freeDCtx(r->decompressor);
    hs_arena_fini(&r->arena);
    hs_arena_fini(&r->inquiring);
    hs_arena_fini(&r->texts);
    hs_arena_fini(&r->sending);
    hs_arena_fini(&r->walking);
    hs_arena_fini(&r->decoding);
    struct hs_buf *bufs[] = {&r->certificate_bytes, &r->hashing,   &r->name,     &r->head, &r->entry, &r->list,
                             &r->cutting,           &r->packing,   &r->frames,   &r->part, &r->items, &r->lacked,
                             &r->bucket[0],         &r->bucket[1], &r->bucket[2]};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        hs_buf_fini(bufs[i]);
    free(r->software);
    free(r->updates);
    free(r);
}
