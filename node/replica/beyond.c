/* What a peer has and this hub does not: it may never come.  A hub notes it when a session ends, and each minute while
 * one lasts: it is all that is known of what a node had not handed in when it was lost. */
#include "node/replica/core.h"

#include <string.h>

#define NOTE_MS   60000
#define NOTED_MAX 1024 /* streams of one session */

struct noting {
    struct hs_head *heads;
    size_t count;
    uint64_t sum;
};

/* Of others' streams their writers know more. */
static bool is_its_own(const struct rep_session *s, const struct rep_lag *lag)
{
    const struct rep_origin *origin = hs_rep_origin_find(&s->r->frontier, lag->name.origin);
    return origin == NULL || origin->node == s->node;
}

static void note_lag(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    struct noting *noting = ctx;
    uint64_t held = lag->stream == NULL ? 0 : lag->stream->n;
    if (lag->peer_n <= held || !is_its_own(s, lag) || noting->count == NOTED_MAX)
        return;
    if (noting->heads != NULL)
        noting->heads[noting->count] = (struct hs_head){.stream = lag->name, .n = lag->peer_n};
    noting->count++;
    noting->sum = noting->sum * 31 + lag->name.origin + lag->name.partition + lag->name.lane + lag->peer_n;
}

static void note(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    struct noting noting = {NULL, 0, 1};
    hs_rep_lags_visit(s, note_lag, &noting);
    noting.sum = noting.sum * 31 + s->own_payments + (uint64_t)s->own_fen + s->own_known;
    if (noting.count == 0 || noting.sum == s->beyond_was)
        return;
    s->beyond_was = noting.sum;
    struct hs_replica_store *store = hs_rep_store_new(r, HS_STORE_ANNOUNCED);
    if (store == NULL)
        return;
    struct hs_announcement *announcement = &store->announcement;
    *announcement = (struct hs_announcement){.node_key = s->certificate.node_key,
                                             .payments_known = s->own_known,
                                             .payments = s->own_payments,
                                             .fen = s->own_fen};
    noting = (struct noting){hs_arena_array(&store->arena, noting.count, sizeof *noting.heads), 0, 1};
    if (noting.heads == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        hs_replica_store_free(store);
        return;
    }
    hs_rep_lags_visit(s, note_lag, &noting);
    announcement->heads = noting.heads;
    announcement->count = noting.count;
    hs_rep_store_give(r, store);
}

static bool is_noted(const struct rep_session *s)
{
    return s->r->certificate.role == HS_ROLE_HUB && s->state == REP_LIVE && s->r->err == HS_OK;
}

void hs_rep_beyond_left(struct rep_session *s)
{
    if (is_noted(s))
        note(s);
}

uint64_t hs_rep_beyond_tick(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    if (!is_noted(s))
        return UINT64_MAX;
    if (s->beyond_ms == 0)
        s->beyond_ms = r->now_ms + NOTE_MS;
    if (r->now_ms >= s->beyond_ms) {
        note(s);
        s->beyond_ms = r->now_ms + NOTE_MS;
    }
    return s->beyond_ms;
}
