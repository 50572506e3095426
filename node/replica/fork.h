/* fork.h -- streams with two contents under one number: what fork.c (what is held of them), proof.c (proofs made and
 * checked), dispute.c (how they are found) and loose.c (their ops by themselves) share.  Inside node/replica only. */
#ifndef HS_REPLICA_FORK_H
#define HS_REPLICA_FORK_H

#include "node/replica/core.h"

/* A session that has been told of the fork, or has told us. */
struct rep_knower {
    hs_peer peer;
    bool greeted; /* it has our proof and our state */
    bool served;  /* it gets, or got, what it lacks */
};

/* All that is held of all branches, as a set of chain hashes: equal sets, equal ops, however they were cut. */
struct rep_fork {
    struct rep_stream *stream;
    struct hs_buf proof; /* PeerForkProof, packed */
    uint64_t *ops;       /* first 8 bytes of each op's chain hash, ascending */
    size_t count, room;
    uint64_t counted;    /* ops of the numbered branch up to here are among them */
    struct hs_hash hash; /* of the set */
    bool dirty;
    bool stored; /* the proof is */
    struct rep_knower *knowers;
    size_t knower_count, knower_room;
};

/* PeerLoose, checked and walked. */
struct rep_piece {
    struct hs_loose loose;  /* its body lies in the message */
    struct hs_hash *hashes; /* of each op */
    struct rep_origin *origin;
    struct rep_stream *stream;
};

/* fork.c */
/* NULL: no memory, noted. */
struct rep_fork *hs_rep_fork_make(struct hs_replica *r, struct rep_stream *stream, struct hs_bytes proof);
void hs_rep_fork_unmake(struct hs_replica *r, struct rep_stream *stream); /* the store would not take it */
bool hs_rep_fork_has(const struct rep_fork *fork, const struct hs_hash *op);
void hs_rep_fork_add(struct hs_replica *r, struct rep_fork *fork, const struct hs_hash *op);
struct rep_knower *hs_rep_fork_knower(struct rep_session *s, struct rep_fork *fork); /* NULL: no memory */

/* proof.c */
void hs_rep_fork_found(struct rep_session *s, struct rep_stream *stream, struct hs_bytes proof, uint64_t n);
/* @k: the first number at which the piece differs from what we hold.  @proof, @n: appended, that of the proof.  False:
 * it cannot be made from what can be read. */
bool hs_rep_proof_make(struct rep_session *s, const struct rep_piece *piece, const Hallsync__PeerLoose *message,
                       uint64_t k, struct hs_buf *proof, uint64_t *n);

/* loose.c */
void hs_rep_loose_serve(struct rep_session *s, struct rep_stream *stream, uint64_t first, bool all);
void hs_rep_loose_more(struct rep_session *s, struct rep_stream *stream, const struct hs_loose *piece);
enum hs_err hs_rep_piece_read(struct rep_session *s, const Hallsync__PeerLoose *message, struct rep_piece *piece);
bool hs_rep_piece_store(struct rep_session *s, const struct rep_piece *piece, uint64_t cost); /* false: nothing new */

#endif
