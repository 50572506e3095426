/* keyset.h -- a bounded set of public keys.  Within node/link only. */
#ifndef HS_LINK_KEYSET_H
#define HS_LINK_KEYSET_H

#include "proto/msg/trust.h"

struct hs_keyset {
    struct hs_key *slots; /* an all-zero key is an empty slot: it is no Curve25519 public key */
    size_t room;          /* a power of two, or 0 */
    size_t count;
};
#define HS_KEYSET_MAX 65536

void hs_keyset_fini(struct hs_keyset *set);
bool hs_keyset_has(const struct hs_keyset *set, const struct hs_key *key);
enum hs_err hs_keyset_add(struct hs_keyset *set, const struct hs_key *key); /* HS_ENOMEM, HS_ETOOBIG */

#endif
