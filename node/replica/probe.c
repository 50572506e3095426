/* "Is everything there that was here, and here that was there, when I asked?"  PROTOCOL.md, "Probe":
 *
 * The asker notes which of its heads the peer has not acknowledged, and sends PeerProbe.  The answer names the heads
 * that the peer holds and the asker has not acknowledged; what it has acknowledged it has stored.  The probe is done
 * when the peer has acknowledged the one and the asker has stored the other.  Both wait until the frontiers have been
 * compared.
 *
 * A witness neither asks nor is asked.  A hall asks one hub and needs its receipts for the hall's own streams; if that
 * session ends, it asks the next one.  A hub asks everybody who is there. */
#include "node/replica/core.h"

#include "proto/msg/tlv.h"

#include <stdlib.h>

enum { REPLY_ID = 1, REPLY_HEADS = 2, REPLY_LAST = 3 }; /* fields of PeerProbeReply */

#define TARGETS_MAX ((size_t)1 << 20)

/* A stream, and the number that it must reach. */
struct target {
    struct hs_stream name;
    uint64_t n;
};
struct targets {
    struct target *items;
    size_t count, room;
};

/* What is asked of one peer. */
struct rep_part {
    struct rep_session *s;
    uint64_t id;
    bool sent, answered;
    struct targets out, in;
    TAILQ_ENTRY(rep_part) order;
};
TAILQ_HEAD(rep_parts, rep_part);

struct rep_probe {
    uint64_t token;
    struct rep_parts parts;
    TAILQ_ENTRY(rep_probe) order;
};

/* ---- targets ---- */

static bool target_add(struct hs_replica *r, struct targets *targets, const struct hs_stream *name, uint64_t n)
{
    if (targets->count == targets->room) {
        size_t room = targets->room == 0 ? 16 : targets->room * 2;
        struct target *items = room > TARGETS_MAX ? NULL : realloc(targets->items, room * sizeof *items);
        if (items == NULL) {
            if (room <= TARGETS_MAX)
                hs_rep_fail(r, HS_ENOMEM);
            return false;
        }
        targets->items = items;
        targets->room = room;
    }
    targets->items[targets->count++] = (struct target){*name, n};
    return true;
}

typedef bool (*reached_fn)(const struct rep_session *s, const struct target *target);

/* Drop the targets that are reached; are all? */
static bool all_reached(const struct rep_session *s, struct targets *targets, reached_fn reached)
{
    size_t kept = 0;
    for (size_t i = 0; i < targets->count; i++) {
        if (!reached(s, &targets->items[i]))
            targets->items[kept++] = targets->items[i];
    }
    targets->count = kept;
    return kept == 0;
}

static bool reached_there(const struct rep_session *s, const struct target *target)
{
    const struct rep_lag *lag = hs_rep_lag_find(s, &target->name);
    return lag == NULL || lag->peer_n >= target->n;
}

/* A forked stream has no numbers any more; what is outside the scope never comes, nor what nobody vouches for. */
static bool reached_here(const struct rep_session *s, const struct target *target)
{
    const struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, &target->name);
    bool wanted = hs_rep_may_take(s, &target->name) && !hs_rep_waits(s->r, &target->name, target->n);
    return !wanted || (stream != NULL && (stream->n >= target->n || stream->fork != NULL));
}

/* A hall answers for its own streams only: others' came from a hub. */
static void note_unacknowledged(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    struct rep_part *part = ctx;
    const struct hs_replica *r = s->r;
    bool ours = r->certificate.role == HS_ROLE_HUB || (lag->stream != NULL && lag->stream->member->node == r->node);
    if (lag->stream != NULL && ours && lag->since_ms != 0)
        target_add(s->r, &part->out, &lag->name, lag->stream->n);
}

/* ---- parts ---- */

static void part_free(struct rep_probe *probe, struct rep_part *part)
{
    TAILQ_REMOVE(&probe->parts, part, order);
    free(part->out.items);
    free(part->in.items);
    free(part);
}

static void part_add(struct rep_probe *probe, struct rep_session *s)
{
    struct rep_part *part = calloc(1, sizeof *part);
    if (part == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return;
    }
    part->s = s;
    TAILQ_INSERT_TAIL(&probe->parts, part, order);
    hs_rep_session_dirty(s);
}

static void probe_free(struct hs_replica *r, struct rep_probe *probe)
{
    struct rep_part *part;
    while ((part = TAILQ_FIRST(&probe->parts)) != NULL)
        part_free(probe, part);
    TAILQ_REMOVE(&r->probes, probe, order);
    free(probe);
}

static void probe_done(struct hs_replica *r, struct rep_probe *probe)
{
    size_t before = r->update_count;
    hs_rep_notice(r, HS_NOTICE_PROBE_DONE, 0, HS_OK, "");
    if (r->update_count > before)
        r->updates[before].token = probe->token;
    probe_free(r, probe);
}

/* One question at a time on a session, also when nobody waits for the answer any more. */
static void part_ask(struct rep_part *part)
{
    struct rep_session *s = part->s;
    if (part->sent || !hs_rep_exchange_done(s) || s->question != 0)
        return;
    Hallsync__PeerProbe message = HALLSYNC__PEER_PROBE__INIT;
    part->id = message.id = s->question = ++s->r->probe_id;
    part->sent = true;
    hs_rep_lags_visit(s, note_unacknowledged, part);
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_PROBE, &message.base);
}

static bool part_done(struct rep_part *part)
{
    bool there = all_reached(part->s, &part->out, reached_there);
    bool here = all_reached(part->s, &part->in, reached_here);
    return part->answered && there && here && part->s->r->fill_count == 0 && !hs_rep_rots_coming(part->s->r);
}

/* ---- probes ---- */

static struct rep_session *first_live(struct hs_replica *r)
{
    for (size_t i = 0; i < r->session_count; i++) {
        if (r->sessions[i]->state == REP_LIVE && hs_rep_has_view(r->sessions[i]))
            return r->sessions[i];
    }
    return NULL;
}

static void add_parts(struct hs_replica *r, struct rep_probe *probe)
{
    if (r->certificate.role == HS_ROLE_HALL) {
        struct rep_session *hub = first_live(r);
        if (hub != NULL)
            part_add(probe, hub);
        return;
    }
    for (size_t i = 0; i < r->session_count; i++) {
        if (r->sessions[i]->state == REP_LIVE && hs_rep_has_view(r->sessions[i]))
            part_add(probe, r->sessions[i]);
    }
    if (TAILQ_EMPTY(&probe->parts))
        probe_done(r, probe);
}

void hs_rep_probe_begin(struct hs_replica *r, const struct hs_replica_event *event)
{
    struct rep_probe *probe = calloc(1, sizeof *probe);
    if (probe == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        return;
    }
    probe->token = event->token;
    TAILQ_INIT(&probe->parts);
    TAILQ_INSERT_TAIL(&r->probes, probe, order);
    add_parts(r, probe);
}

void hs_rep_probe_end(struct hs_replica *r, const struct hs_replica_event *event)
{
    struct rep_probe *probe = TAILQ_FIRST(&r->probes);
    while (probe != NULL && probe->token != event->token)
        probe = TAILQ_NEXT(probe, order);
    if (probe != NULL)
        probe_free(r, probe);
}

void hs_rep_probes_fini(struct hs_replica *r)
{
    struct rep_probe *probe;
    while ((probe = TAILQ_FIRST(&r->probes)) != NULL)
        probe_free(r, probe);
}

static struct rep_part *part_of(const struct rep_probe *probe, const struct rep_session *s)
{
    struct rep_part *part = TAILQ_FIRST(&probe->parts);
    while (part != NULL && part->s != s)
        part = TAILQ_NEXT(part, order);
    return part;
}

void hs_rep_probes_joined(struct rep_session *s)
{
    struct rep_probe *probe;
    TAILQ_FOREACH(probe, &s->r->probes, order)
    {
        if (TAILQ_EMPTY(&probe->parts) && hs_rep_has_view(s)) /* only a hall's waits without one */
            part_add(probe, s);
    }
}

void hs_rep_probes_left(struct rep_session *s)
{
    struct rep_probe *probe, *next;
    for (probe = TAILQ_FIRST(&s->r->probes); probe != NULL; probe = next) {
        next = TAILQ_NEXT(probe, order);
        struct rep_part *part = part_of(probe, s);
        if (part == NULL)
            continue;
        part_free(probe, part);
        if (!TAILQ_EMPTY(&probe->parts))
            continue;
        if (s->r->certificate.role == HS_ROLE_HALL)
            add_parts(s->r, probe);
        else
            probe_done(s->r, probe);
    }
}

void hs_rep_probes_moved(struct hs_replica *r)
{
    struct rep_probe *probe;
    struct rep_part *part;
    TAILQ_FOREACH(probe, &r->probes, order)
    {
        TAILQ_FOREACH(part, &probe->parts, order)
        hs_rep_session_dirty(part->s);
    }
}

/* ---- answering ---- */

static void put_unacknowledged(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    struct hs_replica *r = s->r;
    size_t *count = ctx;
    if (lag->since_ms == 0)
        return;
    if (*count == HS_LIST_ITEMS_MAX) {
        hs_tlv_put_u64(&r->list, REPLY_LAST, false);
        hs_rep_send_bytes(s, HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY, hs_buf_bytes(&r->list));
        hs_buf_reset(&r->list);
        hs_tlv_put_u64(&r->list, REPLY_ID, s->probe_asked);
        *count = 0;
    }
    struct hs_head head = hs_rep_stream_head(lag->stream);
    hs_rep_put_head(r, &r->list, REPLY_HEADS, &head);
    ++*count;
}

static void answer(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    size_t count = 0;
    hs_buf_reset(&r->list);
    hs_tlv_put_u64(&r->list, REPLY_ID, s->probe_asked);
    hs_rep_lags_visit(s, put_unacknowledged, &count);
    hs_tlv_put_u64(&r->list, REPLY_LAST, true);
    hs_rep_fail(r, r->list.err);
    hs_rep_send_bytes(s, HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY, hs_buf_bytes(&r->list));
    s->is_asked = false;
}

void hs_rep_probe_received(struct rep_session *s, const ProtobufCMessage *message)
{
    if (!hs_rep_has_view(s)) {
        hs_rep_session_end(s, HS_EMALFORMED, "a probe between nodes that compare nothing");
        return;
    }
    if (s->is_asked) {
        hs_rep_session_end(s, HS_EMALFORMED, "a second probe before the first is answered");
        return;
    }
    s->is_asked = true;
    s->probe_asked = ((const Hallsync__PeerProbe *)message)->id;
    hs_rep_session_dirty(s);
}

/* ---- answered ---- */

static struct rep_part *part_asked(const struct rep_session *s, uint64_t id)
{
    const struct rep_probe *probe;
    TAILQ_FOREACH(probe, &s->r->probes, order)
    {
        struct rep_part *part = part_of(probe, s);
        if (part != NULL && part->sent && part->id == id)
            return part;
    }
    return NULL;
}

static enum hs_err take_heads(struct rep_session *s, struct rep_part *part, const Hallsync__PeerProbeReply *reply)
{
    struct hs_stream name;
    if (reply->n_heads > HS_LIST_ITEMS_MAX)
        return HS_EMALFORMED;
    for (size_t i = 0; i < reply->n_heads; i++) {
        if (!hs_rep_stream_read(reply->heads[i]->stream, &name) ||
            !target_add(s->r, &part->in, &name, reply->heads[i]->n))
            return HS_EMALFORMED;
    }
    part->answered = reply->last;
    return HS_OK;
}

void hs_rep_probe_answered(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerProbeReply *reply = (const Hallsync__PeerProbeReply *)message;
    struct rep_part *part = part_asked(s, reply->id); /* NULL: given up meanwhile */
    bool asked = reply->id == s->question && s->question != 0;
    if (!asked || (part != NULL && take_heads(s, part, reply) != HS_OK)) {
        hs_rep_session_end(s, HS_EMALFORMED, "an answer to a probe that is none");
        return;
    }
    if (reply->last)
        s->question = 0;
    hs_rep_session_dirty(s);
}

void hs_rep_probe_check(struct rep_session *s)
{
    struct rep_probe *probe, *next;
    uint64_t before = s->sent_bytes;
    if (s->is_asked && hs_rep_exchange_done(s) && hs_rep_inquiry_may(s)) {
        answer(s);
        hs_rep_inquiry_pay(s, before);
    }
    for (probe = TAILQ_FIRST(&s->r->probes); probe != NULL; probe = next) {
        next = TAILQ_NEXT(probe, order);
        struct rep_part *part = part_of(probe, s);
        if (part == NULL)
            continue;
        part_ask(part);
        if (!part_done(part))
            continue;
        part_free(probe, part);
        if (TAILQ_EMPTY(&probe->parts))
            probe_done(s->r, probe);
    }
}
