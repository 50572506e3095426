/* Ops of forked streams in pieces that are verified by themselves: from a start hash through the ops to a signed
 * checkpoint. PROTOCOL.md, "Loose": sent behind everything else and against the same credit as segments. */
#include "node/replica/fork.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is to be sent ---- */

/* A piece that the store has, by name. */
struct rep_stored {
    uint64_t first;
    struct hs_hash end;
};

/* One stream's pieces for one peer: first the numbered branch, then stored ones. */
struct rep_loose_job {
    struct rep_stream *stream;
    uint64_t next; /* of the numbered branch */
    struct rep_stored *stored;
    size_t count, room;
    TAILQ_ENTRY(rep_loose_job) turn;
};
TAILQ_HEAD(rep_loose_jobs, rep_loose_job);
struct rep_looses {
    struct rep_loose_jobs jobs;
    size_t bytes;
};

static void job_free(struct rep_looses *looses, struct rep_loose_job *job)
{
    looses->bytes -= sizeof *job + job->room * sizeof *job->stored;
    TAILQ_REMOVE(&looses->jobs, job, turn);
    free(job->stored);
    free(job);
}

void hs_rep_looses_fini(struct rep_session *s)
{
    if (s->looses == NULL)
        return;
    while (!TAILQ_EMPTY(&s->looses->jobs))
        job_free(s->looses, TAILQ_FIRST(&s->looses->jobs));
    free(s->looses);
    s->looses = NULL;
}

uint64_t hs_rep_looses_bytes(const struct rep_session *s)
{
    return s->looses == NULL ? 0 : sizeof *s->looses + s->looses->bytes;
}

static struct rep_looses *looses_of(struct rep_session *s)
{
    if (s->looses == NULL) {
        s->looses = calloc(1, sizeof *s->looses);
        if (s->looses != NULL)
            TAILQ_INIT(&s->looses->jobs);
        else
            hs_rep_fail(s->r, HS_ENOMEM);
    }
    return s->looses;
}

static struct rep_loose_job *job_of(struct rep_session *s, struct rep_stream *stream)
{
    struct rep_looses *looses = looses_of(s);
    struct rep_loose_job *job = looses == NULL ? NULL : TAILQ_FIRST(&looses->jobs);
    while (job != NULL && job->stream != stream)
        job = TAILQ_NEXT(job, turn);
    if (job != NULL || looses == NULL)
        return job;
    job = calloc(1, sizeof *job);
    if (job == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return NULL;
    }
    *job = (struct rep_loose_job){.stream = stream, .next = UINT64_MAX};
    TAILQ_INSERT_TAIL(&looses->jobs, job, turn);
    looses->bytes += sizeof *job;
    hs_rep_session_dirty(s);
    return job;
}

struct adding {
    struct rep_session *s;
    struct rep_loose_job *job;
};

/* One that waits already, because it was news or because the peer asked for all, goes once. */
static enum hs_err add_stored(void *ctx, const struct hs_loose *piece)
{
    struct adding *adding = ctx;
    struct rep_loose_job *job = adding->job;
    for (size_t i = 0; i < job->count; i++) {
        if (job->stored[i].first == piece->segment.first && hs_hash_equal(&job->stored[i].end, &piece->segment.end))
            return HS_OK;
    }
    if (job->count == job->room) {
        size_t room = job->room == 0 ? 8 : job->room * 2;
        struct rep_stored *stored = realloc(job->stored, room * sizeof *stored);
        if (stored == NULL)
            return HS_ENOMEM;
        adding->s->looses->bytes += (room - job->room) * sizeof *stored;
        job->stored = stored;
        job->room = room;
    }
    job->stored[job->count++] = (struct rep_stored){piece->segment.first, piece->segment.end};
    return HS_OK;
}

/* Send the numbered branch from @first on, and with @all, to a peer that has our proof, all pieces that the store has:
 * once a session, then only what is new (hs_rep_loose_more).  A peer without the proof drops pieces in which it finds
 * no fork itself; it asks again when it has the proof. */
void hs_rep_loose_serve(struct rep_session *s, struct rep_stream *stream, uint64_t first, bool all)
{
    bool proven = stream->fork != NULL && stream->fork->stored; /* and so the proof has been sent */
    struct rep_knower *knower = all && proven ? hs_rep_fork_knower(s, stream->fork) : NULL;
    if (!hs_rep_may_send(s, stream) || (knower != NULL && knower->served))
        return;
    struct rep_loose_job *job = job_of(s, stream);
    if (job == NULL)
        return;
    if (first < job->next)
        job->next = first;
    if (knower == NULL)
        return;
    knower->served = true;
    struct adding adding = {s, job};
    enum hs_err err = s->r->source.loose(s->r->source.ctx, &stream->name, add_stored, &adding);
    if (err != HS_OK && err != HS_ENOTFOUND)
        hs_rep_fail(s->r, err);
}

void hs_rep_loose_more(struct rep_session *s, struct rep_stream *stream, const struct hs_loose *piece)
{
    struct rep_loose_job *job = hs_rep_may_send(s, stream) ? job_of(s, stream) : NULL;
    struct adding adding = {s, job};
    if (job != NULL)
        hs_rep_fail(s->r, add_stored(&adding, piece));
}

/* ---- sending ---- */

/* False: no room now. */
static bool send_piece(struct rep_session *s, const struct hs_loose *piece)
{
    const struct hs_segment *segment = &piece->segment;
    uint64_t cost = segment->body.size + REP_SEGMENT_COST;
    if (!hs_rep_room(s, HS_LANE_BULK, cost))
        return false;
    Hallsync__PeerLoose message = HALLSYNC__PEER_LOOSE__INIT;
    Hallsync__StreamName name;
    hs_rep_stream_write(&segment->stream, &name);
    message.stream = &name;
    message.first = segment->first;
    message.start_hash = hs_rep_data(piece->start.bytes, sizeof piece->start.bytes);
    message.count = segment->count;
    message.signature = hs_rep_data(segment->signature.bytes, sizeof segment->signature.bytes);
    message.body = hs_rep_data(segment->body.data, segment->body.size);
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_LOOSE, &message.base);
    hs_rep_spend(s, cost);
    s->sent_ops[segment->stream.lane] += segment->count;
    return true;
}

/* What cannot be read any more is left out: others have it. */
static bool send_numbered(struct rep_session *s, struct rep_loose_job *job)
{
    struct hs_replica *r = s->r;
    struct hs_loose piece;
    hs_buf_reset(&r->cutting);
    enum hs_err err = r->source.cut(r->source.ctx, &job->stream->name, job->next, &r->cutting, &piece.segment);
    if (err == HS_OK)
        err = r->source.hash_at(r->source.ctx, &job->stream->name, job->next - 1, &piece.start);
    if (hs_rep_read(r, err) != HS_OK || piece.segment.body.size > HS_SEGMENT_BYTES_MAX) {
        job->next = UINT64_MAX;
        return true;
    }
    if (!send_piece(s, &piece))
        return false;
    job->next += piece.segment.count;
    return true;
}

struct finding {
    struct rep_session *s;
    const struct rep_stored *wanted;
    bool sent, found;
};

static enum hs_err send_if_wanted(void *ctx, const struct hs_loose *piece)
{
    struct finding *finding = ctx;
    if (finding->found || piece->segment.first != finding->wanted->first ||
        !hs_hash_equal(&piece->segment.end, &finding->wanted->end))
        return HS_OK;
    finding->found = true;
    finding->sent = send_piece(finding->s, piece);
    return HS_OK;
}

static bool send_stored(struct rep_session *s, struct rep_loose_job *job)
{
    struct finding finding = {s, &job->stored[job->count - 1], false, false};
    enum hs_err err = s->r->source.loose(s->r->source.ctx, &job->stream->name, send_if_wanted, &finding);
    if (err != HS_OK && err != HS_ENOTFOUND)
        hs_rep_fail(s->r, err);
    if (finding.found && !finding.sent)
        return false;
    job->count--;
    return true;
}

/* Ahead of the first piece goes the opening, for the peer may know nothing of the origin. */
static bool send_some(struct rep_session *s, struct rep_loose_job *job)
{
    if (job->next == 1)
        hs_rep_opening_send(s, job->stream->name.origin);
    if (job->next <= job->stream->n)
        return send_numbered(s, job);
    return job->count == 0 || send_stored(s, job);
}

void hs_rep_looses_send(struct rep_session *s)
{
    struct rep_loose_job *job;
    while (s->looses != NULL && (job = TAILQ_FIRST(&s->looses->jobs)) != NULL && s->r->err == HS_OK) {
        if (job->next > job->stream->n && job->count == 0)
            job_free(s->looses, job);
        else if (!send_some(s, job))
            return;
    }
    hs_rep_looses_fini(s);
}

/* ---- receiving ---- */

static enum hs_err read_form(const Hallsync__PeerLoose *message, struct hs_loose *loose)
{
    struct hs_segment *segment = &loose->segment;
    if (!hs_rep_stream_read(message->stream, &segment->stream) || message->first == 0 || message->count == 0 ||
        message->count > message->body.len || message->body.len > HS_SEGMENT_BYTES_MAX ||
        message->first > UINT64_MAX - message->count || message->start_hash.len != HS_HASH_BYTES ||
        message->signature.len != HS_SIGNATURE_BYTES)
        return HS_EMALFORMED;
    segment->first = message->first;
    segment->count = message->count;
    segment->body = HS_BYTES(message->body.data, message->body.len);
    memcpy(loose->start.bytes, message->start_hash.data, HS_HASH_BYTES);
    memcpy(segment->signature.bytes, message->signature.data, HS_SIGNATURE_BYTES);
    return HS_OK;
}

static enum hs_err walk(struct rep_piece *piece, struct hs_arena *arena)
{
    struct hs_segment *segment = &piece->loose.segment;
    struct hs_cur cur = hs_cur_of(segment->body);
    piece->hashes = hs_arena_array(arena, segment->count, sizeof *piece->hashes);
    if (piece->hashes == NULL)
        return HS_ENOMEM;
    struct hs_hash hash = piece->loose.start;
    for (uint32_t i = 0; i < segment->count && cur.err == HS_OK; i++)
        piece->hashes[i] = hash = hs_chain_next(&hash, hs_cur_sized(&cur));
    segment->end = hash;
    return hs_cur_done(&cur) ? HS_OK : HS_EMALFORMED;
}

enum hs_err hs_rep_piece_read(struct rep_session *s, const Hallsync__PeerLoose *message, struct rep_piece *piece)
{
    struct hs_replica *r = s->r;
    struct hs_segment *segment = &piece->loose.segment;
    hs_arena_reset(&r->walking);
    enum hs_err err = read_form(message, &piece->loose);
    piece->origin = err == HS_OK ? hs_rep_origin_find(&r->frontier, segment->stream.origin) : NULL;
    if (err == HS_OK && piece->origin == NULL)
        err = HS_EMALFORMED; /* the opening goes first */
    if (err == HS_OK && !hs_rep_may_hear(s, &segment->stream))
        err = HS_ESCOPE;
    if (err == HS_OK)
        err = walk(piece, &r->walking);
    if (err == HS_OK)
        err = hs_checkpoint_verify(&segment->stream, segment->first + segment->count - 1, &segment->end,
                                   &piece->origin->node->key, &segment->signature);
    piece->stream = err == HS_OK ? hs_rep_stream_get(r, &segment->stream, piece->origin) : NULL;
    return err == HS_OK ? r->err : err;
}

bool hs_rep_piece_store(struct rep_session *s, const struct rep_piece *piece, uint64_t cost)
{
    const struct hs_segment *segment = &piece->loose.segment;
    bool news = false;
    for (uint32_t i = 0; i < segment->count && !news; i++)
        news = !hs_rep_fork_has(piece->stream->fork, &piece->hashes[i]);
    struct hs_replica_store *store = news ? hs_rep_store_new(s->r, HS_STORE_LOOSE) : NULL;
    if (store == NULL)
        return false;
    store->loose = piece->loose;
    store->stream = segment->stream;
    store->loose.segment.body = hs_rep_store_copy(s->r, store, segment->body);
    struct rep_pending *pending = hs_rep_store_take(s, store);
    if (pending == NULL)
        return false;
    pending->cost = cost;
    pending->stream = piece->stream;
    pending->loose = piece->loose;
    s->received_ops[segment->stream.lane] += segment->count;
    return true;
}

/* The first number at which the piece is not what we hold; 0: none. */
static uint64_t parts_at(struct hs_replica *r, const struct rep_piece *piece)
{
    const struct hs_segment *segment = &piece->loose.segment;
    uint64_t first = segment->first == 1 ? 1 : segment->first - 1;
    for (uint64_t n = first; n < segment->first + segment->count && n <= piece->stream->n; n++) {
        struct hs_hash ours;
        const struct hs_hash *theirs = n < segment->first ? &piece->loose.start : &piece->hashes[n - segment->first];
        enum hs_err err = hs_rep_read(r, r->source.hash_at(r->source.ctx, &piece->stream->name, n, &ours));
        if (err == HS_OK && !hs_hash_equal(&ours, theirs))
            return n;
    }
    return 0;
}

/* PROTOCOL.md, "Forks": whoever holds both contents makes the proof. */
static void look_for_fork(struct rep_session *s, const Hallsync__PeerLoose *message, const struct rep_piece *piece)
{
    uint64_t k = parts_at(s->r, piece);
    struct hs_buf proof = {0};
    uint64_t n;
    if (k != 0 && hs_rep_proof_make(s, piece, message, k, &proof, &n))
        hs_rep_fork_found(s, piece->stream, hs_buf_bytes(&proof), n);
    hs_buf_fini(&proof);
}

void hs_rep_loose_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerLoose *loose = (const Hallsync__PeerLoose *)message;
    uint64_t cost = loose->body.len + REP_SEGMENT_COST;
    struct rep_piece piece;
    if (!hs_rep_take_credit(s, cost))
        return;
    enum hs_err err = hs_rep_piece_read(s, loose, &piece);
    if (err != HS_OK) {
        hs_rep_session_end(s, err, "a loose piece that does not hold");
        return;
    }
    if (piece.stream->fork == NULL)
        look_for_fork(s, loose, &piece);
    /* Receipts say nothing of branches: of a revoked key they are taken from hubs alone. */
    bool takes = !piece.origin->node->is_revoked || s->certificate.role == HS_ROLE_HUB;
    bool stored = takes && piece.stream->fork != NULL && s->r->err == HS_OK && hs_rep_piece_store(s, &piece, cost);
    if (!stored)
        hs_rep_give_credit(s, cost);
}
