/* Proofs of forks: a signed h(n), and ops from some hash through the same n to a signed checkpoint, with another h(n).
 * PROTOCOL.md, "Forks": self-contained; everybody verifies it before believing it. */
#include "node/replica/fork.h"

#include "proto/msg/frame.h"

#include <string.h>

/* ---- found ---- */

/* The fork is known from now on: kept, told, and if it is our own current origin, not written to any more. */
void hs_rep_fork_found(struct rep_session *s, struct rep_stream *stream, struct hs_bytes proof, uint64_t n)
{
    struct hs_replica *r = s->r;
    struct hs_replica_store *store = hs_rep_store_new(r, HS_STORE_FORK);
    if (store == NULL)
        return;
    store->stream = stream->name;
    store->n = n;
    store->proof = hs_rep_store_copy(r, store, proof);
    struct rep_pending *pending = hs_rep_store_take(s, store);
    if (pending == NULL || hs_rep_fork_make(r, stream, proof) == NULL)
        return;
    pending->stream = stream;
    const char *text = hs_rep_text(r, "%s signed two contents for one number", s->certificate.node_id);
    if (stream->origin->node != s->node)
        text = hs_rep_text(r, "an origin signed two contents for one number; heard from %s", s->certificate.node_id);
    hs_rep_notice_stream(s, HS_NOTICE_FORK, &stream->name, HS_EFORK, text);
    if (stream->origin->node == r->node && r->source.current_origin(r->source.ctx) == stream->name.origin)
        hs_rep_strike(s, stream->name.origin, "this origin is forked");
}

/* ---- made ---- */

static void pack_proof(const struct hs_checkpoint *checkpoint, Hallsync__PeerLoose *branch, struct hs_buf *proof)
{
    Hallsync__PeerForkProof message = HALLSYNC__PEER_FORK_PROOF__INIT;
    message.stream = branch->stream;
    message.n = checkpoint->n;
    message.hash = hs_rep_data(checkpoint->hash.bytes, sizeof checkpoint->hash.bytes);
    message.signature = hs_rep_data(checkpoint->signature.bytes, sizeof checkpoint->signature.bytes);
    message.branch = branch;
    hs_msg_pack(&message.base, proof);
}

/* Their signed end, and our ops from @k through it: when we have no checkpoint inside their piece. */
static bool prove_by_ours(struct hs_replica *r, const struct rep_piece *piece, uint64_t k, struct hs_buf *proof)
{
    const struct hs_segment *theirs = &piece->loose.segment;
    struct hs_checkpoint end = {theirs->first + theirs->count - 1, theirs->end, theirs->signature};
    struct hs_segment ours;
    struct hs_hash start;
    Hallsync__PeerLoose branch = HALLSYNC__PEER_LOOSE__INIT;
    Hallsync__StreamName name;
    hs_buf_reset(&r->cutting);
    if (hs_rep_read(r, r->source.cut(r->source.ctx, &theirs->stream, k, &r->cutting, &ours)) != HS_OK ||
        ours.first + ours.count <= end.n ||
        hs_rep_read(r, r->source.hash_at(r->source.ctx, &theirs->stream, k - 1, &start)) != HS_OK)
        return false;
    hs_rep_stream_write(&theirs->stream, &name);
    branch.stream = &name;
    branch.first = ours.first;
    branch.start_hash = hs_rep_data(start.bytes, sizeof start.bytes);
    branch.count = ours.count;
    branch.signature = hs_rep_data(ours.signature.bytes, sizeof ours.signature.bytes);
    branch.body = hs_rep_data(ours.body.data, ours.body.size);
    pack_proof(&end, &branch, proof);
    return true;
}

bool hs_rep_proof_make(struct rep_session *s, const struct rep_piece *piece, const Hallsync__PeerLoose *message,
                       uint64_t k, struct hs_buf *proof, uint64_t *n)
{
    struct hs_replica *r = s->r;
    const struct hs_segment *theirs = &piece->loose.segment;
    struct hs_checkpoint ours;
    uint64_t last = theirs->first + theirs->count - 1;
    uint64_t below = last < piece->stream->n ? last : piece->stream->n;
    enum hs_err err = hs_rep_read(r, hs_rep_checkpoint(r, piece->stream, below, &ours));
    bool inside = err == HS_OK && ours.n >= k;
    *n = inside ? ours.n : last;
    if (inside)
        pack_proof(&ours, (Hallsync__PeerLoose *)message, proof);
    bool made = inside || prove_by_ours(r, piece, k, proof);
    hs_rep_fail(r, proof->err);
    return made && proof->err == HS_OK;
}

/* ---- received ---- */

/* h(n) on the branch. */
static bool hash_on_branch(const struct rep_piece *piece, uint64_t n, struct hs_hash *hash)
{
    const struct hs_segment *branch = &piece->loose.segment;
    if (n + 1 < branch->first || n > branch->first + branch->count - 1)
        return false;
    *hash = n + 1 == branch->first ? piece->loose.start : piece->hashes[n - branch->first];
    return true;
}

static enum hs_err check_proof(const Hallsync__PeerForkProof *message, const struct rep_piece *piece)
{
    struct hs_hash here, there;
    struct hs_signature signature;
    struct hs_stream name;
    if (!hs_rep_stream_read(message->stream, &name) || !hs_stream_equal(&name, &piece->loose.segment.stream) ||
        message->hash.len != HS_HASH_BYTES || message->signature.len != HS_SIGNATURE_BYTES || message->n == 0)
        return HS_EMALFORMED;
    memcpy(here.bytes, message->hash.data, HS_HASH_BYTES);
    memcpy(signature.bytes, message->signature.data, HS_SIGNATURE_BYTES);
    if (!hash_on_branch(piece, message->n, &there) || hs_hash_equal(&here, &there))
        return HS_EMALFORMED; /* it proves nothing */
    return hs_checkpoint_verify(&name, message->n, &here, &piece->origin->node->key, &signature);
}

void hs_rep_proof_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerForkProof *proof = (const Hallsync__PeerForkProof *)message;
    struct rep_piece piece;
    enum hs_err err = hs_rep_piece_read(s, proof->branch, &piece);
    if (err == HS_OK)
        err = check_proof(proof, &piece);
    if (err != HS_OK) {
        hs_rep_session_end(s, err, "a proof of a fork that proves nothing");
        return;
    }
    struct hs_buf packed = {0};
    hs_msg_pack(message, &packed);
    hs_rep_fail(s->r, packed.err);
    if (piece.stream->fork == NULL && s->r->err == HS_OK)
        hs_rep_fork_found(s, piece.stream, hs_buf_bytes(&packed), proof->n);
    else if (s->r->err == HS_OK)
        hs_rep_fork_greet(s, piece.stream);
    if (piece.stream->fork != NULL && s->r->err == HS_OK)
        hs_rep_piece_store(s, &piece, 0);
    hs_buf_fini(&packed);
}
