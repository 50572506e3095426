/* Heads by themselves: "this is where I am", in an announcement, a Hello, a heartbeat, a list.  PROTOCOL.md,
 * "Frontier".
 */
#include "node/replica/exchange.h"

enum { FRONTIER_HEADS = 2 }; /* of PeerFrontier */

/* ---- ours ---- */

static void put_head(struct rep_session *s, const struct hs_stream *name)
{
    struct hs_replica *r = s->r;
    const struct rep_stream *stream = hs_rep_stream_find(&r->frontier, name);
    struct hs_head head = {.stream = *name, .hash = hs_chain_start(name)};
    if (stream != NULL) /* by number, also of a forked stream */
        head = (struct hs_head){stream->name, stream->n, stream->hash};
    hs_rep_put_head(r, &r->list, FRONTIER_HEADS, &head);
}

static void send_heads(struct rep_session *s)
{
    hs_rep_fail(s->r, s->r->list.err);
    hs_rep_send_bytes(s, HALLSYNC__PEER_TYPE__PEER_FRONTIER, hs_buf_bytes(&s->r->list));
    hs_buf_reset(&s->r->list);
}

void hs_rep_announce(struct rep_session *s, const struct hs_stream *names, size_t count)
{
    hs_buf_reset(&s->r->list);
    for (size_t i = 0; i < count; i++) {
        put_head(s, &names[i]);
        if ((i + 1) % HS_LIST_ITEMS_MAX == 0 && i + 1 < count)
            send_heads(s);
    }
    if (count > 0 || !hs_rep_has_view(s)) /* with a witness nothing opens the session but this */
        send_heads(s);
}

/* ---- theirs ---- */

/* Does a head agree with what we hold?  Beyond our last number there is nothing to compare. */
static bool agrees(struct rep_session *s, const struct rep_stream *stream, uint64_t n,
                   const ProtobufCBinaryData *prefix)
{
    struct hs_hash hash = stream->hash;
    if (n == 0 || n > stream->n)
        return true;
    enum hs_err err = HS_OK;
    if (n < stream->n)
        err = s->r->source.hash_at(s->r->source.ctx, &stream->name, n, &hash);
    if (err != HS_OK && err != HS_ENOTFOUND && err != HS_EDAMAGED)
        hs_rep_fail(s->r, err);
    return err != HS_OK || hs_rep_same_hash(prefix, &hash);
}

/* PROTOCOL.md, "Forks": two hashes for one number are looked into, and nothing more is sent by number meanwhile. */
void rep_head_take(struct rep_session *s, const struct hs_stream *name, const Hallsync__StreamHead *head, bool rewinds)
{
    struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, name);
    hs_rep_named(s, name, head->n);
    if (stream != NULL && stream->fork != NULL) {
        hs_rep_fork_named(s, stream, head);
        return;
    }
    if (stream != NULL && !agrees(s, stream, head->n, &head->hash)) {
        hs_rep_dispute_send(s, stream);
        return;
    }
    if (rewinds)
        hs_rep_lag_rewind(s, name, head->n);
    else
        hs_rep_lag_learn(s, name, head->n);
    if (stream != NULL)
        hs_rep_stores_check(s, stream, head->n);
}

bool hs_rep_head_received(struct rep_session *s, const Hallsync__StreamHead *head, struct hs_stream *name)
{
    if (!hs_rep_stream_read(head->stream, name) || head->hash.len != REP_SHORT_HASH_BYTES) {
        hs_rep_session_end(s, HS_EMALFORMED, "a head that is none");
        return false;
    }
    rep_head_take(s, name, head, false);
    return s->state == REP_LIVE;
}

enum hs_err rep_announced(struct rep_session *s, const Hallsync__PeerFrontier *message)
{
    struct hs_stream *names = hs_arena_array(&s->r->arena, message->n_heads, sizeof *names);
    if (names == NULL)
        return HS_EMALFORMED; /* more than a message may take */
    for (size_t i = 0; i < message->n_heads; i++) {
        const Hallsync__StreamHead *head = message->heads[i];
        if (!hs_rep_stream_read(head->stream, &names[i]) || head->hash.len != REP_SHORT_HASH_BYTES)
            return HS_EMALFORMED;
        rep_head_take(s, &names[i], head, true);
    }
    if (!hs_rep_has_view(s))
        hs_rep_witness_announced(s, names, message->n_heads);
    return HS_OK;
}

/* ---- what the peer has nothing of ---- */

/* It gets all; and hears beforehand how much that is. */
void rep_peer_lacks_stream(struct rep_session *s, struct rep_stream *stream)
{
    struct hs_head head = {stream->name, stream->n, stream->hash};
    if (stream->fork != NULL) {
        hs_rep_fork_named(s, stream, NULL);
        return;
    }
    rep_tell_head(s, &head);
    hs_rep_lag_learn(s, &stream->name, 0);
    hs_rep_stores_check(s, stream, 0);
}

static void lacks_streams(struct rep_session *s, const struct rep_place *place)
{
    struct rep_below below;
    struct rep_item item;
    rep_below(s, place, &below);
    while (rep_below_next(&below, &item))
        rep_peer_lacks_stream(s, item.stream);
}

static void lacks_nodes(struct rep_session *s, const struct rep_place *place)
{
    struct rep_below below;
    struct rep_item item;
    rep_below(s, place, &below);
    while (rep_below_next(&below, &item)) {
        struct rep_place streams = rep_place_item(place, item.name);
        lacks_streams(s, &streams);
    }
}

void rep_peer_lacks(struct rep_session *s, const struct rep_place *place)
{
    struct rep_below below;
    struct rep_item item;
    if (place->level == REP_STREAMS) {
        lacks_streams(s, place);
        return;
    }
    if (place->level == REP_NODES) {
        lacks_nodes(s, place);
        return;
    }
    rep_below(s, place, &below);
    while (rep_below_next(&below, &item)) {
        struct rep_place nodes = rep_place_item(place, item.name);
        lacks_nodes(s, &nodes);
    }
}
