/* revoke.h -- a key that is not its node's any more, and what it had signed that counts nevertheless: made, checked and
 * encoded.  Pure, like trust.h.  PROTOCOL.md, "Revocations". */
#ifndef HS_MSG_REVOKE_H
#define HS_MSG_REVOKE_H

#include "proto/base/limits.h"
#include "proto/local.pb-c.h"
#include "proto/msg/trust.h"

/* Who signs: an issuer (what its certificates carry, and its secret), or the region's root (no @issuer). */
struct hs_authority {
    struct hs_bytes issuer; /* Signed */
    const struct hs_secret *secret;
};

struct hs_revocation {
    struct hs_certificate node; /* the one that is revoked */
    struct hs_key signer;
    bool is_by_root;
    bool is_issuer; /* the issuer key that its node holds goes with it: what that releases does not count */
    uint64_t time_ms;
    char reason[HS_REASON_BYTES_MAX + 1];
};
/* @node: the encoded certificate.  HS_EINVAL: the reason is too long or no text.  Appended to @encoded. */
enum hs_err hs_revocation_sign(struct hs_bytes node, const char *reason, uint64_t time_ms,
                               const struct hs_authority *authority, struct hs_buf *encoded);
/* HS_EMALFORMED, HS_ECERT (a hub's is not by the root; certificate or issuer does not hold), HS_EREGION,
 * HS_ESIGNATURE, HS_ENOMEM. */
enum hs_err hs_revocation_verify(struct hs_bytes encoded, const struct hs_key *root, struct hs_revocation *out);

struct hs_released {
    struct hs_stream stream;
    uint64_t n;
    struct hs_hash hash; /* h(n) */
};
struct hs_release {
    struct hs_key node_key;
    struct hs_key signer;
    bool is_by_root;
    uint64_t time_ms;
    char reason[HS_REASON_BYTES_MAX + 1];
    char name[HS_PERSON_BYTES_MAX + 1]; /* of the person */
    struct hs_released heads[HS_RELEASE_HEADS_MAX];
    size_t count;
};
/* As a node names it in its status; false: not a head. */
bool hs_released_of(const Hallsync__WithheldStatus *row, struct hs_released *head);
/* Of @release all but the signer is taken.  HS_EINVAL: no heads, no reason, no name. */
enum hs_err hs_release_sign(const struct hs_release *release, const struct hs_authority *authority,
                            struct hs_buf *encoded);
/* Errors as above. */
enum hs_err hs_release_verify(struct hs_bytes encoded, const struct hs_key *root, struct hs_release *out);

#endif
