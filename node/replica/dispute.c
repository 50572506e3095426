/* "Your chain of this stream is not mine": newest checkpoint and samples, so that the other side can send where they
 * part. PROTOCOL.md, "Forks". */
#include "node/replica/fork.h"

#include <string.h>

/* ---- ours ---- */

struct samples {
    Hallsync__StreamHead heads[REP_SAMPLES_MAX];
    Hallsync__StreamHead *list[REP_SAMPLES_MAX];
    Hallsync__StreamName name;
    struct hs_hash hashes[REP_SAMPLES_MAX];
    size_t count;
};

/* Numbers below the checkpoint at doubling distances: the place where the chains part is known within its distance from
 * the end. */
static void take_samples(struct hs_replica *r, const struct hs_stream *name, uint64_t n, struct samples *to)
{
    to->count = 0;
    hs_rep_stream_write(name, &to->name);
    for (uint64_t distance = 1; distance < n && to->count < REP_SAMPLES_MAX; distance *= 2) {
        struct hs_hash *hash = &to->hashes[to->count];
        if (hs_rep_read(r, r->source.hash_at(r->source.ctx, name, n - distance, hash)) != HS_OK)
            return; /* samples are a help; what cannot be read is left out */
        Hallsync__StreamHead *head = &to->heads[to->count];
        hallsync__stream_head__init(head);
        head->stream = &to->name;
        head->n = n - distance;
        head->hash = hs_rep_data(hash->bytes, REP_SHORT_HASH_BYTES);
        to->list[to->count++] = head;
    }
}

static void send(struct rep_session *s, const struct rep_stream *stream)
{
    struct hs_replica *r = s->r;
    struct hs_checkpoint checkpoint;
    struct samples samples;
    Hallsync__PeerDispute message = HALLSYNC__PEER_DISPUTE__INIT;
    if (hs_rep_read(r, hs_rep_checkpoint(r, stream, stream->n, &checkpoint)) != HS_OK)
        return;
    take_samples(r, &stream->name, checkpoint.n, &samples);
    message.stream = &samples.name;
    message.n = checkpoint.n;
    message.hash = hs_rep_data(checkpoint.hash.bytes, sizeof checkpoint.hash.bytes);
    message.signature = hs_rep_data(checkpoint.signature.bytes, sizeof checkpoint.signature.bytes);
    message.n_samples = samples.count;
    message.samples = samples.list;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_DISPUTE, &message.base);
}

/* Nothing of it is sent by number on this session any more, until the peer says where it is. */
static bool block(struct rep_session *s, struct rep_stream *stream)
{
    struct rep_lag *lag = hs_rep_lag_get(s, &stream->name);
    if (lag == NULL || lag->blocked)
        return false;
    lag->blocked = true;
    hs_rep_lag_settle(s, lag);
    return true;
}

void hs_rep_dispute_send(struct rep_session *s, struct rep_stream *stream)
{
    bool forked = stream->fork != NULL; /* known: then it asks for what is missing, once, by fork.c */
    if (stream->n > 0 && hs_rep_may_tell(s, stream) && (forked || block(s, stream)))
        send(s, stream);
}

/* ---- theirs ---- */

static enum hs_err check_form(const Hallsync__PeerDispute *message, struct hs_checkpoint *checkpoint)
{
    if (message->hash.len != HS_HASH_BYTES || message->signature.len != HS_SIGNATURE_BYTES ||
        message->n_samples > REP_SAMPLES_MAX || message->n == 0)
        return HS_EMALFORMED;
    checkpoint->n = message->n;
    memcpy(checkpoint->hash.bytes, message->hash.data, HS_HASH_BYTES);
    memcpy(checkpoint->signature.bytes, message->signature.data, HS_SIGNATURE_BYTES);
    uint64_t above = message->n;
    for (size_t i = 0; i < message->n_samples; i++) {
        if (message->samples[i]->n >= above || message->samples[i]->hash.len != REP_SHORT_HASH_BYTES)
            return HS_EMALFORMED;
        above = message->samples[i]->n;
    }
    return HS_OK;
}

/* Is our h(n) the one named?  What we do not hold does not differ. */
static bool differs(struct hs_replica *r, const struct rep_stream *stream, uint64_t n,
                    const ProtobufCBinaryData *prefix)
{
    struct hs_hash hash;
    if (n == 0 || n > stream->n || hs_rep_read(r, r->source.hash_at(r->source.ctx, &stream->name, n, &hash)) != HS_OK)
        return false;
    return !hs_rep_same_hash(prefix, &hash);
}

/* The highest number at which both chains are surely the same; @parted out: they differ above it. */
static uint64_t last_common(struct hs_replica *r, const struct rep_stream *stream, const Hallsync__PeerDispute *message,
                            bool *parted)
{
    ProtobufCBinaryData head = hs_rep_data(message->hash.data, REP_SHORT_HASH_BYTES);
    *parted = differs(r, stream, message->n, &head);
    if (!*parted && message->n <= stream->n)
        return message->n;
    for (size_t i = 0; i < message->n_samples; i++) {
        const Hallsync__StreamHead *sample = message->samples[i];
        if (differs(r, stream, sample->n, &sample->hash))
            *parted = true;
        else if (sample->n <= stream->n)
            return sample->n;
    }
    return 0;
}

static void answer(struct rep_session *s, struct rep_stream *stream, const Hallsync__PeerDispute *message)
{
    bool parted;
    uint64_t common = last_common(s->r, stream, message, &parted);
    if (stream->fork != NULL) {
        hs_rep_fork_greet(s, stream);
        hs_rep_loose_serve(s, stream, common + 1, true);
        return;
    }
    if (parted && hs_rep_may_send(s, stream)) /* whoever then holds both contents makes the proof */
        hs_rep_loose_serve(s, stream, common + 1, false);
    else if (parted ||
             common < stream->n) /* we may not send it; or the samples do not show where we part: it sees by ours */
        hs_rep_dispute_send(s, stream);
    block(s, stream);
}

/* PROTOCOL.md, "Forks": a checkpoint with a forged signature proves nothing about the origin, but something about the
 * peer. */
void hs_rep_dispute_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerDispute *dispute = (const Hallsync__PeerDispute *)message;
    struct hs_checkpoint checkpoint;
    struct hs_stream name;
    if (!hs_rep_stream_read(dispute->stream, &name) || check_form(dispute, &checkpoint) != HS_OK) {
        hs_rep_session_end(s, HS_EMALFORMED, "a dispute that is none");
        return;
    }
    struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, &name);
    if (stream == NULL || !hs_rep_may_tell(s, stream))
        return;
    enum hs_err err = hs_checkpoint_verify(&name, checkpoint.n, &checkpoint.hash, &stream->origin->node->key,
                                           &checkpoint.signature);
    if (err != HS_OK) {
        hs_rep_session_end(s, err, "a dispute about a checkpoint that nobody signed");
        return;
    }
    hs_rep_named(s, &name, checkpoint.n);
    answer(s, stream, dispute);
}
