/* Our current origin named beyond its last number: this store was set back with its memory, or somebody lies.
 * PROTOCOL.md, "Rollback": no more is written under that origin, and an alarm says who named it. */
#include "node/replica/core.h"

#include <string.h>

bool hs_rep_is_striking(const struct hs_replica *r, uint64_t origin)
{
    return r->struck == origin && r->striking;
}

void hs_rep_strike(struct rep_session *s, uint64_t origin, const char *why)
{
    struct hs_replica *r = s->r;
    if (r->struck == origin)
        return;
    struct hs_replica_store *store = hs_rep_store_new(r, HS_STORE_STRIKE);
    if (store == NULL)
        return;
    store->why = (const char *)hs_rep_store_copy(r, store, HS_BYTES(why, strlen(why) + 1)).data;
    r->struck = origin;
    r->striking = true;
    hs_rep_store_give(r, store);
}

/* Only streams of this node's own origins are asked about: most messages name others'. */
static bool is_current(struct hs_replica *r, uint64_t origin)
{
    const struct rep_origin *known = hs_rep_origin_find(&r->frontier, origin);
    return (known == NULL || known->node == r->node) && origin != 0 &&
           r->source.current_origin(r->source.ctx) == origin;
}

void hs_rep_named(struct rep_session *s, const struct hs_stream *name, uint64_t n)
{
    struct hs_replica *r = s->r;
    const struct rep_stream *stream = hs_rep_stream_find(&r->frontier, name);
    uint64_t held = stream == NULL ? 0 : stream->n;
    if (n <= held || r->struck == name->origin || !is_current(r, name->origin))
        return;
    const char *why = hs_rep_text(r, "%s names number %llu of this node's current origin, which ends at %llu",
                                  s->certificate.node_id, (unsigned long long)n, (unsigned long long)held);
    hs_rep_notice_stream(s, HS_NOTICE_NAMED_BEYOND, name, HS_EFORK, why);
    hs_rep_strike(s, name->origin, why);
}

/* Now that nothing more is written under it, what it lost may come back: the senders begin from where we are. */
static void ask_again(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    const uint64_t *origin = ctx;
    uint64_t held = lag->stream == NULL ? 0 : lag->stream->n;
    if (lag->name.origin == *origin && lag->peer_n > held)
        hs_rep_announce(s, &lag->name, 1);
}

void hs_rep_struck(struct hs_replica *r, enum hs_err err)
{
    r->striking = false;
    if (err != HS_OK) {
        r->struck = 0; /* the next message that names it tries again */
        return;
    }
    for (size_t i = 0; i < r->session_count; i++) {
        if (r->sessions[i]->state == REP_LIVE)
            hs_rep_lags_visit(r->sessions[i], ask_again, &r->struck);
    }
}
