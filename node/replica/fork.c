/* What is held of a forked stream, and who knows.  PROTOCOL.md, "Forks":
 *
 * Two signed hashes for one number are a fork.  Its proof is a fact: kept, alarmed, passed on once to all who may have
 * the stream. From then on nobody takes or sends that stream by number.  Its ops travel as loose pieces that are
 * verified by themselves; in frontier lists the stream stands with the number of its ops, of all branches, and a hash
 * over the set of their chain hashes, so nodes that hold the same ops agree whatever way they came. */
#include "node/replica/fork.h"

#include "proto/msg/frame.h"

#include <stdlib.h>
#include <string.h>

#define SET_DOMAIN "hallsync fork set 1"

/* ---- the set ---- */

static uint64_t short_of(const struct hs_hash *hash)
{
    return hs_from_be64(hash->bytes);
}

static size_t place_of(const struct rep_fork *fork, uint64_t op)
{
    size_t low = 0, high = fork->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fork->ops[middle] < op)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool hs_rep_fork_has(const struct rep_fork *fork, const struct hs_hash *op)
{
    size_t at = place_of(fork, short_of(op));
    return at < fork->count && fork->ops[at] == short_of(op);
}

void hs_rep_fork_add(struct hs_replica *r, struct rep_fork *fork, const struct hs_hash *op)
{
    if (hs_rep_fork_has(fork, op))
        return;
    if (fork->count == fork->room) {
        size_t room = fork->room == 0 ? 64 : fork->room * 2;
        uint64_t *ops = realloc(fork->ops, room * sizeof *ops);
        if (ops == NULL) {
            hs_rep_fail(r, HS_ENOMEM);
            return;
        }
        fork->ops = ops;
        fork->room = room;
    }
    size_t at = place_of(fork, short_of(op));
    memmove(fork->ops + at + 1, fork->ops + at, (fork->count - at) * sizeof *fork->ops);
    fork->ops[at] = short_of(op);
    fork->count++;
    fork->dirty = true;
    hs_rep_stream_touch(fork->stream);
}

static void hash_set(struct rep_fork *fork)
{
    struct hs_buf ops = {0};
    for (size_t i = 0; i < fork->count; i++)
        hs_buf_put_u64(&ops, fork->ops[i]);
    if (ops.err == HS_OK)
        fork->hash = hs_hash_domain(SET_DOMAIN, hs_buf_bytes(&ops));
    fork->dirty = ops.err != HS_OK;
    hs_buf_fini(&ops);
}

struct hs_head hs_rep_stream_head(const struct rep_stream *stream)
{
    struct rep_fork *fork = stream->fork;
    if (fork == NULL)
        return (struct hs_head){stream->name, stream->n, stream->hash};
    if (fork->dirty)
        hash_set(fork);
    return (struct hs_head){stream->name, fork->count, fork->hash};
}

/* ---- filling it from what is held ---- */

static void count_numbered(struct hs_replica *r, struct rep_stream *stream)
{
    struct rep_fork *fork = stream->fork;
    for (; fork->counted < stream->n && r->err == HS_OK; fork->counted++) {
        struct hs_hash hash;
        enum hs_err err = r->source.hash_at(r->source.ctx, &stream->name, fork->counted + 1, &hash);
        if (err == HS_OK)
            hs_rep_fork_add(r, fork, &hash);
        else if (err != HS_EDAMAGED && err != HS_ENOTFOUND)
            hs_rep_fail(r, err);
    }
}

struct counting {
    struct hs_replica *r;
    struct rep_fork *fork;
};

static enum hs_err count_loose(void *ctx, const struct hs_loose *loose)
{
    const struct counting *counting = ctx;
    struct hs_cur cur = hs_cur_of(loose->segment.body);
    struct hs_hash hash = loose->start;
    for (uint32_t i = 0; i < loose->segment.count && cur.err == HS_OK; i++) {
        hash = hs_chain_next(&hash, hs_cur_sized(&cur));
        hs_rep_fork_add(counting->r, counting->fork, &hash);
    }
    return counting->r->err;
}

/* ---- made and unmade ---- */

static void settle_one(struct rep_session *s, const struct rep_stream *stream, void *ctx)
{
    struct rep_lag *lag = hs_rep_lag_find(s, &stream->name);
    (void)ctx;
    if (lag != NULL)
        hs_rep_lag_settle(s, lag);
}

struct rep_fork *hs_rep_fork_make(struct hs_replica *r, struct rep_stream *stream, struct hs_bytes proof)
{
    struct rep_fork *fork = calloc(1, sizeof *fork);
    if (fork == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        return NULL;
    }
    fork->stream = stream;
    fork->dirty = true;
    hs_buf_put_bytes(&fork->proof, proof);
    hs_rep_fail(r, fork->proof.err);
    if (!hs_rep_stream_listed(stream))
        stream->member->held++;
    stream->fork = fork;
    hs_rep_stream_touch(stream);
    struct counting counting = {r, fork};
    count_numbered(r, stream);
    enum hs_err err = r->source.loose(r->source.ctx, &stream->name, count_loose, &counting);
    if (err != HS_OK && err != HS_ENOTFOUND)
        hs_rep_fail(r, err);
    hs_rep_session_each(r, stream, settle_one, NULL);
    return fork;
}

void hs_rep_fork_free(struct rep_fork *fork)
{
    if (fork == NULL)
        return;
    hs_buf_fini(&fork->proof);
    free(fork->ops);
    free(fork->knowers);
    free(fork);
}

void hs_rep_fork_unmake(struct hs_replica *r, struct rep_stream *stream)
{
    (void)r;
    hs_rep_fork_free(stream->fork);
    stream->fork = NULL;
    if (!hs_rep_stream_listed(stream))
        stream->member->held--;
    hs_rep_stream_touch(stream);
}

static enum hs_err load_fork(void *ctx, const struct hs_stream *name, uint64_t n, struct hs_bytes proof)
{
    struct hs_replica *r = ctx;
    struct rep_origin *origin = hs_rep_origin_load(r, name->origin);
    struct rep_stream *stream = origin == NULL ? NULL : hs_rep_stream_get(r, name, origin);
    (void)n;
    if (stream == NULL || stream->fork != NULL)
        return r->err;
    struct rep_fork *fork = hs_rep_fork_make(r, stream, proof);
    if (fork != NULL)
        fork->stored = true;
    return r->err;
}

enum hs_err hs_rep_forks_load(struct hs_replica *r)
{
    return r->source.forks(r->source.ctx, load_fork, r);
}

/* ---- who knows ---- */

/* Numbers of connections are never used again: those that are gone make room. */
static void forget_gone(struct hs_replica *r, struct rep_fork *fork)
{
    size_t kept = 0;
    for (size_t i = 0; i < fork->knower_count; i++) {
        if (hs_rep_session_find(r, fork->knowers[i].peer) != NULL)
            fork->knowers[kept++] = fork->knowers[i];
    }
    fork->knower_count = kept;
}

struct rep_knower *hs_rep_fork_knower(struct rep_session *s, struct rep_fork *fork)
{
    for (size_t i = 0; i < fork->knower_count; i++) {
        if (fork->knowers[i].peer == s->peer)
            return &fork->knowers[i];
    }
    forget_gone(s->r, fork);
    if (fork->knower_count == fork->knower_room) {
        size_t room = fork->knower_room == 0 ? 4 : fork->knower_room * 2;
        struct rep_knower *knowers = realloc(fork->knowers, room * sizeof *knowers);
        if (knowers == NULL) {
            hs_rep_fail(s->r, HS_ENOMEM);
            return NULL;
        }
        fork->knowers = knowers;
        fork->knower_room = room;
    }
    struct rep_knower *knower = &fork->knowers[fork->knower_count++];
    *knower = (struct rep_knower){.peer = s->peer};
    return knower;
}

/* The proof, and where we are: who holds something answers the dispute with what we lack, who holds nothing the
 * announcement. */
void hs_rep_fork_greet(struct rep_session *s, struct rep_stream *stream)
{
    struct rep_knower *knower = hs_rep_fork_knower(s, stream->fork);
    if (knower == NULL || knower->greeted || !stream->fork->stored || !hs_rep_may_tell(s, stream))
        return;
    knower->greeted = true;
    if (!hs_rep_opening_send(s, stream->name.origin))
        return;
    hs_rep_send_bytes(s, HALLSYNC__PEER_TYPE__PEER_FORK_PROOF, hs_buf_bytes(&stream->fork->proof));
    if (stream->n > 0)
        hs_rep_dispute_send(s, stream);
    else
        hs_rep_announce(s, &stream->name, 1);
}

static void greet_one(struct rep_session *s, const struct rep_stream *stream, void *ctx)
{
    (void)stream;
    hs_rep_fork_greet(s, ctx);
}

/* A list named a stream that is forked here.  Its holder sees the same difference and does the same. */
void hs_rep_fork_named(struct rep_session *s, struct rep_stream *stream, const Hallsync__StreamHead *head)
{
    struct hs_head own = hs_rep_stream_head(stream);
    if (head != NULL && head->n == own.n && hs_rep_same_hash(&head->hash, &own.hash))
        return;
    hs_rep_fork_greet(s, stream);
    if (head == NULL || head->n == 0)
        hs_rep_loose_serve(s, stream, 1, true);
}

/* A write of our own, or a segment that was on its way to the store: others get it as pieces.  Behind the opening and
 * the proof, as all pieces: the session may be too young to have named this stream. */
static void serve_one(struct rep_session *s, const struct rep_stream *stream, void *ctx)
{
    const uint64_t *first = ctx;
    hs_rep_fork_greet(s, stream->fork->stream);
    hs_rep_loose_serve(s, stream->fork->stream, *first, false);
}

void hs_rep_fork_grew(struct hs_replica *r, struct rep_stream *stream)
{
    uint64_t first = stream->fork->counted + 1;
    count_numbered(r, stream);
    hs_rep_session_each(r, stream, serve_one, &first);
}

struct sought {
    const struct rep_pending *pending;
    struct hs_replica *r;
    struct rep_stream *stream;
};

static void more_one(struct rep_session *s, const struct rep_stream *stream, void *ctx)
{
    const struct sought *sought = ctx;
    if (s->peer == sought->pending->peer)
        return;
    hs_rep_fork_greet(s, stream->fork->stream);
    hs_rep_loose_more(s, stream->fork->stream, &sought->pending->loose);
}

static void proof_stored(struct hs_replica *r, struct rep_stream *stream, enum hs_err err)
{
    if (err != HS_OK) {
        hs_rep_fork_unmake(r, stream);
        return;
    }
    stream->fork->stored = true;
    hs_rep_session_each(r, stream, greet_one, stream);
}

/* PROTOCOL.md, "Forks": a piece that is new here is passed on once to those who know of the fork. */
void hs_rep_fork_stored(struct hs_replica *r, const struct rep_pending *pending, enum hs_err err)
{
    struct rep_stream *stream = pending->stream;
    if (stream->fork == NULL)
        return;
    if (pending->type == HS_STORE_FORK) {
        proof_stored(r, stream, err);
        return;
    }
    if (err != HS_OK)
        return;
    /* Who is sent the records is told how far they go now. */
    stream->changed = stream->member->partition->changed[stream->name.lane] = r->commit;
    struct counting counting = {r, stream->fork};
    struct sought sought = {pending, r, stream};
    enum hs_err read = r->source.loose(r->source.ctx, &stream->name, count_loose, &counting);
    if (read != HS_OK)
        hs_rep_fail(r, read);
    hs_rep_session_each(r, stream, more_one, &sought);
}
