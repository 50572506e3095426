/* Operations and receipts of our own store that rotted: had again from a peer that holds them.  PROTOCOL.md, "Fetch".
 *
 * What is to be had is the store's to say (healed, in state "waits"): this keeps whom each was asked of.  One question
 * a session is open at a time; an answer that leads on from the sound hash before the rot, to a hash that the writer
 * has signed, is true whoever gave it. */
#include "node/replica/core.h"

#include <stdlib.h>
#include <string.h>

#define ROTS_MAX HS_HEALED_MAX
#define NONE_MAX 16
#define AGAIN_MS 30000 /* nobody who is here has it */

struct rep_rot {
    struct hs_stream name;
    uint64_t first, last;
    uint64_t store_id;      /* not 0: not operations, but this store's receipt */
    hs_peer asked;          /* 0: nobody */
    uint64_t asked_ms;      /* then */
    bool storing;           /* the answer is with the store */
    bool seen;              /* by the walk under way */
    hs_peer none[NONE_MAX]; /* these have said that they do not hold it */
    size_t none_count;
    hs_peer none_upto; /* so have these, or were busy: all up to this one, where there are more than have room */
    uint64_t again_ms; /* not before */
    TAILQ_ENTRY(rep_rot) order;
};

/* ---- the list ---- */

static struct rep_rot *find(const struct hs_replica *r, const struct hs_healed *healed)
{
    struct rep_rot *rot;
    TAILQ_FOREACH(rot, &r->rots, order)
    {
        if (rot->first == healed->first && rot->store_id == healed->store_id &&
            hs_stream_equal(&rot->name, &healed->stream))
            return rot;
    }
    return NULL;
}

static struct rep_rot *asked_of(const struct rep_session *s)
{
    struct rep_rot *rot;
    TAILQ_FOREACH(rot, &s->r->rots, order)
    {
        if (rot->asked == s->peer && !rot->storing)
            return rot;
    }
    return NULL;
}

static void forget(struct hs_replica *r, struct rep_rot *rot)
{
    hs_rep_probes_moved(r);
    TAILQ_REMOVE(&r->rots, rot, order);
    r->rot_count--;
    free(rot);
}

static enum hs_err see(void *ctx, const struct hs_healed *healed)
{
    struct hs_replica *r = ctx;
    struct rep_rot *rot = find(r, healed);
    if (healed->state != HS_HEALING_WAITS || (r->rot_count == ROTS_MAX && rot == NULL))
        return HS_OK;
    if (rot == NULL) {
        rot = calloc(1, sizeof *rot);
        if (rot == NULL)
            return HS_ENOMEM;
        *rot = (struct rep_rot){.name = healed->stream, .first = healed->first, .store_id = healed->store_id};
        TAILQ_INSERT_TAIL(&r->rots, rot, order);
        r->rot_count++;
    }
    rot->last = healed->last;
    rot->seen = true;
    return HS_OK;
}

static void resume(struct rep_session *s, const struct rep_stream *stream, void *ctx)
{
    struct rep_lag *lag = hs_rep_lag_find(s, &stream->name);
    (void)ctx;
    if (lag != NULL)
        hs_rep_lag_settle(s, lag);
    hs_rep_session_dirty(s);
}

/* The head's hash itself had rotted: what was concluded from it, here and by others, is not true. */
static void compare_anew(struct hs_replica *r, struct rep_stream *stream, const struct hs_hash *hash)
{
    stream->hash = *hash;
    hs_rep_stream_touch(stream);
    for (size_t i = 0; i < r->session_count; i++) {
        if (r->sessions[i]->state == REP_LIVE)
            hs_rep_session_end(r->sessions[i], HS_EDAMAGED,
                               "a hash in this node's log had rotted: what both hold is compared anew");
    }
}

/* It can be read again. */
static void released(struct hs_replica *r, const struct hs_stream *name)
{
    struct rep_stream *stream = hs_rep_stream_find(&r->frontier, name);
    struct hs_hash hash;
    if (stream == NULL)
        return;
    stream->damaged = false;
    if (r->source.hash_at(r->source.ctx, name, stream->n, &hash) == HS_OK && !hs_hash_equal(&hash, &stream->hash))
        compare_anew(r, stream, &hash);
    hs_rep_session_each(r, stream, resume, NULL);
}

enum hs_err hs_rep_rots_load(struct hs_replica *r)
{
    struct rep_rot *rot, *next;
    if (r->source.healed == NULL)
        return HS_OK; /* nobody looks after what rots */
    TAILQ_FOREACH(rot, &r->rots, order)
    rot->seen = false;
    enum hs_err err = r->source.healed(r->source.ctx, see, r);
    if (err == HS_EDAMAGED)
        err = HS_OK; /* the list itself has rotted: what was read of it is looked after */
    for (rot = TAILQ_FIRST(&r->rots); rot != NULL && err == HS_OK; rot = next) {
        next = TAILQ_NEXT(rot, order);
        if (rot->seen)
            continue;
        struct hs_stream name = rot->name;
        bool is_receipt = rot->store_id != 0;
        forget(r, rot);
        if (!is_receipt)
            released(r, &name);
    }
    return err;
}

void hs_rep_rots_fini(struct hs_replica *r)
{
    while (!TAILQ_EMPTY(&r->rots))
        forget(r, TAILQ_FIRST(&r->rots));
}

/* ---- found ---- */

void hs_rep_rot_seen(struct hs_replica *r, const struct hs_healed *what)
{
    if (r->source.healed == NULL)
        return;
    struct hs_replica_store *store = hs_rep_store_new(r, HS_STORE_ROT);
    if (store == NULL)
        return;
    store->stream = what->stream;
    store->n = what->first;
    store->last = what->last;
    store->store_id = what->store_id;
    struct rep_pending *pending = hs_rep_store_give(r, store);
    if (pending != NULL && what->store_id == 0)
        pending->stream = hs_rep_stream_find(&r->frontier, &what->stream);
}

void hs_rep_ops_rot_seen(struct hs_replica *r, const struct hs_stream *name, uint64_t first, uint64_t last)
{
    hs_rep_rot_seen(r, &(struct hs_healed){.stream = *name, .first = first, .last = last});
}

void hs_rep_rot_told(struct hs_replica *r, const struct hs_replica_event *event)
{
    hs_rep_rot_seen(r, &event->rot);
}

enum hs_err hs_rep_checkpoint(struct hs_replica *r, const struct rep_stream *stream, uint64_t n,
                              struct hs_checkpoint *checkpoint)
{
    enum hs_err err = r->source.checkpoint(r->source.ctx, &stream->name, n, checkpoint);
    if (err == HS_OK && hs_checkpoint_verify(&stream->name, checkpoint->n, &checkpoint->hash,
                                             &stream->origin->node->key, &checkpoint->signature) != HS_OK) {
        hs_rep_ops_rot_seen(r, &stream->name, checkpoint->n, checkpoint->n);
        return HS_EDAMAGED;
    }
    return err;
}

/* ---- asking ---- */

static bool has_none(const struct rep_rot *rot, hs_peer peer)
{
    if (peer <= rot->none_upto)
        return true;
    for (size_t i = 0; i < rot->none_count; i++) {
        if (rot->none[i] == peer)
            return true;
    }
    return false;
}

static bool may_have(const struct rep_session *s, const struct rep_rot *rot)
{
    return s->state == REP_LIVE && hs_rep_takes(s, HALLSYNC__PEER_TYPE__PEER_FETCH) && !has_none(rot, s->peer) &&
           hs_rep_may_hear(s, &rot->name);
}

static struct rep_session *choose(struct hs_replica *r, const struct rep_rot *rot)
{
    for (size_t i = 0; i < r->session_count; i++) {
        if (!r->sessions[i]->is_fetching && may_have(r->sessions[i], rot))
            return r->sessions[i];
    }
    return NULL;
}

static bool may_come(const struct hs_replica *r, const struct rep_rot *rot)
{
    bool may = rot->asked != 0;
    for (size_t i = 0; i < r->session_count && !may && rot->again_ms <= r->now_ms; i++)
        may = may_have(r->sessions[i], rot);
    return may;
}

bool hs_rep_rots_coming(const struct hs_replica *r)
{
    const struct rep_rot *rot;
    TAILQ_FOREACH(rot, &r->rots, order)
    {
        if (rot->store_id == 0 && may_come(r, rot))
            return true;
    }
    return false;
}

static void ask(struct rep_session *s, struct rep_rot *rot)
{
    Hallsync__PeerFetch message = HALLSYNC__PEER_FETCH__INIT;
    Hallsync__StreamName name;
    hs_rep_stream_write(&rot->name, &name);
    message.stream = &name;
    message.first = rot->first;
    rot->asked = s->peer;
    rot->asked_ms = s->r->now_ms;
    s->is_fetching = true;
    hs_rep_wake(s->r, rot->asked_ms + AGAIN_MS);
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_FETCH, &message.base);
}

/* Who comes later may have it. */
static void rest(struct hs_replica *r, struct rep_rot *rot)
{
    rot->again_ms = r->now_ms + AGAIN_MS;
    rot->none_count = 0;
    rot->none_upto = 0;
    hs_rep_probes_moved(r);
}

/* They are asked in the order of their numbers: of many it is enough to know how far. */
static void make_room(struct rep_rot *rot)
{
    for (size_t i = 0; i < rot->none_count; i++)
        rot->none_upto = rot->none[i] > rot->none_upto ? rot->none[i] : rot->none_upto;
    rot->none_count = 0;
}

static void says_none(struct rep_rot *rot, hs_peer peer)
{
    rot->asked = 0;
    rot->storing = false;
    if (rot->none_count == NONE_MAX)
        make_room(rot);
    rot->none[rot->none_count++] = peer;
}

/* Who does not answer is not asked again before he does; another may have it. */
static void give_up(const struct hs_replica *r, struct rep_rot *rot, uint64_t *wake)
{
    uint64_t until_ms = rot->asked_ms + AGAIN_MS;
    if (rot->asked == 0 || rot->storing)
        return;
    if (until_ms <= r->now_ms)
        says_none(rot, rot->asked);
    else if (until_ms < *wake)
        *wake = until_ms;
}

uint64_t hs_rep_rots_tick(struct hs_replica *r)
{
    struct rep_rot *rot;
    uint64_t wake = UINT64_MAX;
    TAILQ_FOREACH(rot, &r->rots, order)
    {
        give_up(r, rot, &wake);
        if (rot->asked != 0)
            continue;
        struct rep_session *s = rot->again_ms <= r->now_ms ? choose(r, rot) : NULL;
        if (s != NULL)
            ask(s, rot);
        else if (rot->again_ms <= r->now_ms && rot->none_count > 0)
            rest(r, rot);
        if (rot->asked == 0 && rot->again_ms > r->now_ms && rot->again_ms < wake)
            wake = rot->again_ms;
    }
    return wake;
}

void hs_rep_rots_left(struct rep_session *s)
{
    struct rep_rot *rot = asked_of(s);
    if (rot != NULL)
        rot->asked = 0;
}

/* ---- answering ---- */

static void answer_none(struct rep_session *s, const Hallsync__PeerFetch *question)
{
    Hallsync__PeerFetch message = HALLSYNC__PEER_FETCH__INIT;
    message.stream = question->stream;
    message.first = question->first;
    message.has_none = message.none = true;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_FETCH, &message.base);
}

static void answer_segment(struct rep_session *s, const Hallsync__PeerFetch *question, const struct hs_segment *segment)
{
    Hallsync__PeerFetch message = HALLSYNC__PEER_FETCH__INIT;
    Hallsync__PeerSegment inner = HALLSYNC__PEER_SEGMENT__INIT;
    inner.stream = question->stream;
    inner.first = segment->first;
    inner.count = segment->count;
    inner.signature = hs_rep_data(segment->signature.bytes, sizeof segment->signature.bytes);
    inner.raw_bytes = (uint32_t)segment->body.size;
    inner.body = hs_rep_data(segment->body.data, segment->body.size);
    message.stream = question->stream;
    message.first = question->first;
    message.segment = &inner;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_FETCH, &message.base);
}

/* All receipts of the stream, as ever, and that that was all. */
static void answer_receipts(struct rep_session *s, const Hallsync__PeerFetch *question)
{
    const struct hs_stream *name = &s->fetch.stream;
    const struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, name);
    if (stream != NULL && hs_rep_may_tell(s, stream)) {
        hs_rep_receipts_tell(s, name);
        hs_rep_ack_send(s);
    }
    answer_none(s, question);
}

/* What is sent has to hold, as everywhere. */
static enum hs_err cut(struct hs_replica *r, const struct rep_stream *stream, uint64_t first,
                       struct hs_segment *segment)
{
    hs_buf_reset(&r->cutting);
    enum hs_err err = r->source.cut(r->source.ctx, &stream->name, first, &r->cutting, segment);
    if (err == HS_OK && hs_checkpoint_verify(&stream->name, first + segment->count - 1, &segment->end,
                                             &stream->origin->node->key, &segment->signature) != HS_OK)
        err = HS_EDAMAGED;
    if (err == HS_EDAMAGED)
        hs_rep_ops_rot_seen(r, &stream->name, first, first + HS_SEGMENT_OPS_MAX);
    return err;
}

/* Whatever keeps us from reading it: the asker tries another.  False: no room for it now. */
static bool answer(struct rep_session *s, const Hallsync__PeerFetch *question)
{
    struct hs_replica *r = s->r;
    struct hs_segment segment = {0};
    const struct rep_stream *stream = hs_rep_stream_find(&r->frontier, &s->fetch.stream);
    bool may = stream != NULL && hs_rep_may_send(s, stream);
    enum hs_err err = may ? cut(r, stream, question->first, &segment) : HS_ENOTFOUND;
    if (hs_rep_read(r, err) != HS_OK) {
        if (r->err == HS_OK)
            answer_none(s, question);
        return true;
    }
    uint64_t cost = segment.body.size + REP_SEGMENT_COST;
    if (!hs_rep_room(s, HS_LANE_BULK, cost))
        return false;
    answer_segment(s, question, &segment);
    hs_rep_spend(s, cost);
    return true;
}

void hs_rep_fetch_answer(struct rep_session *s)
{
    Hallsync__PeerFetch question = HALLSYNC__PEER_FETCH__INIT;
    Hallsync__StreamName name;
    uint64_t before = s->sent_bytes;
    if (!s->fetch.is_open || !hs_rep_inquiry_may(s))
        return;
    hs_rep_stream_write(&s->fetch.stream, &name);
    question.stream = &name;
    question.first = s->fetch.first;
    if (question.first == 0)
        answer_receipts(s, &question);
    else if (!answer(s, &question))
        return;
    hs_rep_inquiry_pay(s, before);
    s->fetch.is_open = false;
}

static void asked(struct rep_session *s, const struct hs_stream *name, uint64_t first)
{
    if (s->fetch.is_open) {
        hs_rep_session_end(s, HS_EMALFORMED, "a second fetch before the first is answered");
        return;
    }
    s->fetch = (struct rep_fetch){*name, first, true};
    hs_rep_session_dirty(s);
}

/* ---- taking ---- */

static enum hs_err verify(struct hs_replica *r, const struct rep_rot *rot, struct hs_segment *segment)
{
    const struct rep_origin *origin = hs_rep_origin_find(&r->frontier, rot->name.origin);
    struct hs_checkpoint before = {.hash = hs_chain_start(&rot->name)};
    enum hs_err err = HS_OK;
    if (rot->first > 1)
        err = hs_rep_read(r, r->source.checkpoint(r->source.ctx, &rot->name, rot->first - 1, &before));
    if (err != HS_OK || origin == NULL || before.n != rot->first - 1)
        return HS_EGAP;
    segment->end = before.hash;
    err = hs_rep_chain(segment->body, segment->count, &segment->end);
    if (err != HS_OK)
        return err;
    return hs_checkpoint_verify(&segment->stream, segment->first + segment->count - 1, &segment->end,
                                &origin->node->key, &segment->signature);
}

/* Returns whether it was handed to the store. */
static bool take(struct rep_session *s, struct rep_rot *rot, const Hallsync__PeerSegment *message, uint64_t cost)
{
    struct hs_replica *r = s->r;
    struct hs_replica_store *store = hs_rep_store_new(r, HS_STORE_HEAL);
    if (store == NULL)
        return false;
    struct rep_packed packed = {HS_BYTES(message->body.data, message->body.len), message->raw_bytes,
                                message->compressed};
    struct hs_segment *segment = &store->segment;
    *segment = (struct hs_segment){.stream = rot->name, .first = message->first, .count = message->count};
    memcpy(segment->signature.bytes, message->signature.data, HS_SIGNATURE_BYTES);
    enum hs_err err = hs_rep_unpack(r, &packed, &store->arena, &segment->body);
    if (err == HS_OK)
        err = verify(r, rot, segment);
    if (err != HS_OK) {
        hs_replica_store_free(store);
        hs_rep_fail(r, err == HS_ENOMEM ? err : HS_OK);
        says_none(rot, s->peer);
        return false;
    }
    store->n = rot->first;
    struct rep_pending *pending = hs_rep_store_take(s, store);
    if (pending == NULL)
        return false;
    pending->cost = cost;
    rot->storing = true;
    s->received_ops[rot->name.lane] += message->count;
    return true;
}

static bool is_form(const Hallsync__PeerFetch *message, struct hs_stream *name)
{
    const Hallsync__PeerSegment *segment = message->segment;
    struct hs_stream inner;
    if (!hs_rep_stream_read(message->stream, name) || (segment != NULL && (message->has_none || message->first == 0)))
        return false;
    return segment == NULL ||
           (hs_rep_stream_read(segment->stream, &inner) && hs_stream_equal(&inner, name) &&
            segment->first == message->first && segment->count > 0 && segment->raw_bytes <= HS_SEGMENT_BYTES_MAX &&
            segment->count <= segment->raw_bytes && segment->first <= UINT64_MAX - segment->count &&
            segment->signature.len == HS_SIGNATURE_BYTES);
}

void hs_rep_fetch_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerFetch *fetch = (const Hallsync__PeerFetch *)message;
    struct hs_stream name;
    if (!is_form(fetch, &name)) {
        hs_rep_session_end(s, HS_EMALFORMED, "a fetch that is none");
        return;
    }
    if (fetch->segment == NULL && !fetch->has_none) {
        asked(s, &name, fetch->first);
        return;
    }
    uint64_t cost = fetch->segment == NULL ? 0 : (uint64_t)fetch->segment->raw_bytes + REP_SEGMENT_COST;
    if (!hs_rep_take_credit(s, cost))
        return;
    s->is_fetching = false;
    struct rep_rot *rot = asked_of(s);
    bool is_it = rot != NULL && rot->first == fetch->first && hs_stream_equal(&rot->name, &name);
    if (is_it && fetch->segment == NULL) /* if not, what was asked for has been put right otherwise */
        says_none(rot, s->peer);
    if (!is_it || fetch->segment == NULL || !take(s, rot, fetch->segment, cost))
        hs_rep_give_credit(s, cost);
    hs_rep_wake(s->r, s->r->now_ms);
}

static bool waits(const struct hs_replica *r, const struct hs_stream *name)
{
    const struct rep_rot *rot;
    TAILQ_FOREACH(rot, &r->rots, order)
    {
        if (hs_stream_equal(&rot->name, name))
            return true;
    }
    return false;
}

/* The store found nothing wrong, or has put it right by itself.  Should it still not be readable: not at once again. */
static void looked_at(struct hs_replica *r, struct rep_stream *stream)
{
    if (waits(r, &stream->name) || (stream->released_ms != 0 && r->now_ms < stream->released_ms + AGAIN_MS))
        return;
    stream->released_ms = r->now_ms;
    released(r, &stream->name);
}

void hs_rep_rots_receipt(struct hs_replica *r, const struct hs_receipt *receipt)
{
    if (find(r, &(struct hs_healed){.stream = receipt->stream, .store_id = receipt->store_id}) != NULL)
        hs_rep_fail(r, hs_rep_rots_load(r));
}

/* The store has looked, or has taken what came. */
void hs_rep_rots_stored(struct hs_replica *r, const struct rep_pending *pending, enum hs_err err)
{
    struct rep_rot *rot;
    TAILQ_FOREACH(rot, &r->rots, order)
    {
        if (!rot->storing || pending->type != HS_STORE_HEAL || rot->asked != pending->peer)
            continue;
        hs_peer peer = rot->asked;
        rot->storing = false;
        rot->asked = 0;
        if (err != HS_OK)
            says_none(rot, peer);
    }
    if (err == HS_OK)
        hs_rep_fail(r, hs_rep_rots_load(r));
    if (err == HS_OK && r->err == HS_OK && pending->stream != NULL)
        looked_at(r, pending->stream);
    hs_rep_wake(r, r->now_ms);
}
