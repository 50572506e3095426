/* What each peer lacks and what we lack of it, stream by stream; nothing is kept about what both hold. */
#include "node/replica/core.h"

#include <assert.h>
#include <search.h>
#include <stdlib.h>

static int compare_lags(const void *a, const void *b)
{
    return hs_stream_compare(a, b); /* the name comes first in both */
}

struct rep_lag *hs_rep_lag_find(const struct rep_session *s, const struct hs_stream *name)
{
    struct rep_lag *const *found = tfind(name, &s->lags, compare_lags);
    return found == NULL ? NULL : *found;
}

struct rep_lag *hs_rep_lag_get(struct rep_session *s, const struct hs_stream *name)
{
    struct rep_lag *lag = hs_rep_lag_find(s, name);
    if (lag != NULL)
        return lag;
    lag = calloc(1, sizeof *lag);
    if (lag != NULL)
        *lag = (struct rep_lag){.name = *name, .stream = hs_rep_stream_find(&s->r->frontier, name)};
    if (lag == NULL || tsearch(lag, &s->lags, compare_lags) == NULL) {
        free(lag);
        hs_rep_fail(s->r, HS_ENOMEM);
        return NULL;
    }
    s->lag_count++;
    return lag;
}

static void dequeue(struct rep_session *s, struct rep_lag *lag)
{
    if (lag->queued)
        TAILQ_REMOVE(&s->turns[lag->name.lane], lag, turn);
    lag->queued = false;
}

static void enqueue(struct rep_session *s, struct rep_lag *lag)
{
    if (lag->queued)
        return;
    lag->queued = true;
    lag->queued_ms = s->r->now_ms;
    TAILQ_INSERT_TAIL(&s->turns[lag->name.lane], lag, turn);
    hs_rep_session_dirty(s);
}

static void assume(struct rep_session *s, struct rep_lag *lag, bool assumed)
{
    s->assumed_count += assumed;
    s->assumed_count -= lag->assumed;
    lag->assumed = assumed;
}

static void forget(struct rep_session *s, struct rep_lag *lag)
{
    dequeue(s, lag);
    assume(s, lag, false);
    tdelete(lag, &s->lags, compare_lags);
    s->lag_count--;
    free(lag);
}

static uint64_t held(const struct rep_lag *lag)
{
    return lag->stream == NULL ? 0 : lag->stream->n;
}

/* Of a revoked key it does not take more, and has been shown what there is. */
static bool is_refused(const struct rep_session *s, const struct rep_lag *lag)
{
    return lag->stream->origin->node->is_revoked && lag->sent_n >= held(lag) &&
           lag->peer_n >= hs_rep_limit(s->r, lag->stream);
}

static bool lags_out(const struct rep_session *s, const struct rep_lag *lag)
{
    return lag->peer_n < held(lag) && hs_rep_may_send(s, lag->stream) && !is_refused(s, lag);
}

static bool lags_in(const struct rep_session *s, const struct rep_lag *lag)
{
    return lag->peer_n > held(lag) && hs_rep_may_take(s, &lag->name) && !hs_rep_waits(s->r, &lag->name, lag->peer_n);
}

/* By number, and now: not what the peer takes as states instead. */
static bool is_sendable(const struct rep_session *s, const struct rep_lag *lag)
{
    return lags_out(s, lag) && lag->sent_n < held(lag) && !lag->blocked && !lag->assumed && !lag->pruned &&
           !lag->stream->damaged && !hs_rep_pairs_have(&s->peer_fills, lag->name.partition, lag->name.lane);
}

bool hs_rep_lag_is_elsewhere(const struct rep_session *s, const struct rep_lag *lag)
{
    return lag->pruned && !hs_rep_in_view(s, lag->name.partition);
}

void hs_rep_lag_settle(struct rep_session *s, struct rep_lag *lag)
{
    bool forked = lag->stream != NULL && lag->stream->fork != NULL;
    bool out = !forked && lags_out(s, lag);
    bool in = !forked && lags_in(s, lag);
    if (forked || (!out && !lag->blocked && !in)) {
        forget(s, lag);
        return;
    }
    if (!in)
        lag->awaited_ms = 0;
    else if (lag->awaited_ms == 0)
        lag->awaited_ms = s->r->now_ms;
    if (!out || hs_rep_lag_is_elsewhere(s, lag))
        lag->since_ms = 0;
    else if (lag->since_ms == 0)
        lag->since_ms = s->r->now_ms;
    if (out && is_sendable(s, lag))
        enqueue(s, lag);
    else
        dequeue(s, lag);
}

/* It has had its turn: behind all others of its lane, if there is more of it. */
void hs_rep_lag_rotate(struct rep_session *s, struct rep_lag *lag)
{
    dequeue(s, lag);
    hs_rep_lag_settle(s, lag);
}

/* The peer has named it.  NULL: it holds what we hold; or one of too many that are never sent: only figures would have
 * it. */
static struct rep_lag *named_lag(struct rep_session *s, const struct hs_stream *name, uint64_t n)
{
    struct rep_lag *lag = hs_rep_lag_find(s, name);
    const struct rep_stream *stream = lag == NULL ? hs_rep_stream_find(&s->r->frontier, name) : NULL;
    if (lag != NULL)
        return lag;
    bool same = (stream == NULL ? 0 : stream->n) == n;
    bool too_many = stream == NULL && s->lag_count >= REP_STRANGE_LAGS_MAX;
    return same || too_many ? NULL : hs_rep_lag_get(s, name);
}

void hs_rep_lag_learn(struct rep_session *s, const struct hs_stream *name, uint64_t n)
{
    struct rep_lag *lag = named_lag(s, name, n);
    if (lag == NULL)
        return;
    if (lag->assumed)
        lag->sent_n = 0; /* it is this, and not what was assumed */
    if (n > lag->peer_n || lag->assumed) {
        lag->peer_n = n;
        lag->pruned = false;
    }
    if (lag->sent_n < lag->peer_n)
        lag->sent_n = lag->peer_n;
    assume(s, lag, false);
    hs_rep_lag_settle(s, lag);
}

void hs_rep_lag_rewind(struct rep_session *s, const struct hs_stream *name, uint64_t n)
{
    struct rep_lag *lag = named_lag(s, name, n);
    if (lag == NULL)
        return;
    lag->peer_n = lag->sent_n = n;
    lag->blocked = lag->pruned = false;
    assume(s, lag, false);
    hs_rep_lag_settle(s, lag);
}

void hs_rep_lag_commit(struct rep_session *s, struct rep_stream *stream, uint64_t old_n)
{
    struct rep_lag *lag = hs_rep_lag_find(s, &stream->name);
    if (lag != NULL) {
        lag->stream = stream;
        if (lag->gapped)
            hs_rep_announce(s, &stream->name, 1);
        else if (lag->peer_n > old_n)
            hs_rep_ack_put(s, stream);
        lag->gapped = lag->stopped = false;
        hs_rep_lag_settle(s, lag);
        return;
    }
    if (s->r->certificate.role == HS_ROLE_WITNESS)
        return; /* it sends what it was asked for */
    bool offered = hs_rep_exchange_offered(s, stream);
    if (stream->fork != NULL || !hs_rep_may_send(s, stream) || (!offered && hs_rep_exchange_open(s, stream)))
        return;
    lag = hs_rep_lag_get(s, &stream->name); /* so far it held what we held */
    if (lag == NULL)
        return;
    lag->peer_n = lag->sent_n = old_n;
    assume(s, lag, offered);
    hs_rep_lag_settle(s, lag);
}

struct assumed {
    struct hs_stream *names;
    size_t count;
};

static void note_assured(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    struct assumed *assumed = ctx;
    if (lag->assumed && lag->stream != NULL && !hs_rep_exchange_open(s, lag->stream))
        assumed->names[assumed->count++] = lag->name;
}

/* The peer holds just what we held when we offered it. */
void hs_rep_lags_assured(struct rep_session *s)
{
    struct assumed assumed = {0};
    if (s->assumed_count == 0)
        return;
    assumed.names = calloc(s->assumed_count, sizeof *assumed.names);
    if (assumed.names == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return;
    }
    hs_rep_lags_visit(s, note_assured, &assumed);
    for (size_t i = 0; i < assumed.count; i++) {
        struct rep_lag *lag = hs_rep_lag_find(s, &assumed.names[i]);
        assume(s, lag, false);
        hs_rep_lag_settle(s, lag);
    }
    free(assumed.names);
}

struct visit {
    struct rep_session *s;
    hs_rep_visit_lag visit;
    void *ctx;
};

static void visit_lag(const void *node, VISIT which, void *closure)
{
    const struct visit *v = closure;
    if (which == postorder || which == leaf)
        v->visit(v->s, *(struct rep_lag *const *)node, v->ctx);
}

void hs_rep_lags_visit(struct rep_session *s, hs_rep_visit_lag visit, void *ctx)
{
    struct visit v = {s, visit, ctx};
    twalk_r(s->lags, visit_lag, &v);
}

static void resume(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    const struct hs_stream *like = ctx;
    if (lag->name.partition != like->partition || lag->name.lane != like->lane)
        return;
    if ((lag->stream == NULL || lag->stream->fork == NULL) && is_sendable(s, lag))
        enqueue(s, lag);
}

static void retry(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    (void)ctx;
    if (!lag->pruned)
        return;
    lag->pruned = false;
    resume(s, lag, &lag->name);
}

void hs_rep_lags_retry(struct rep_session *s)
{
    hs_rep_lags_visit(s, retry, NULL);
}

void hs_rep_lags_resume(struct rep_session *s, hs_partition partition, uint8_t lane)
{
    struct hs_stream like = {.partition = partition, .lane = lane};
    hs_rep_lags_visit(s, resume, &like);
}

void hs_rep_lags_fini(struct rep_session *s)
{
    tdestroy(s->lags, free);
    s->lags = NULL;
}
