/* revoke.h -- revoked keys, and the gate of a hub that may have forgotten some.  Inside node/replica only. */
#ifndef HS_REPLICA_REVOKE_H
#define HS_REPLICA_REVOKE_H

#include "node/replica/core.h"

#define REP_WAITING_MAX 1024 /* streams of revoked keys of which more is known than is taken */

/* Verified operations beyond the limit: they stay where they are. */
struct rep_waiting {
    struct rep_stream *stream;
    uint64_t behind, n;   /* so many lie behind the one, up to the other */
    struct hs_hash hash;  /* h(n) */
    struct hs_key holder; /* who has brought the last of them */
    uint64_t payments;
    int64_t fen;
    uint64_t since_ms;
    bool is_told;
};

#endif
