/* join.h -- the joining side of enrolment: one exchange with the hub that made the token. */
#ifndef HS_LINK_JOIN_H
#define HS_LINK_JOIN_H

#include "proto/msg/trust.h"

struct hs_join {
    const struct hs_token *token;
    const struct hs_secret *node_secret;
    struct hs_key node_key;
    struct hs_key curve_key;
    const uint8_t *curve_secret; /* 32 bytes */
    unsigned timeout_ms;
};
/* Ask the token's addresses in order.  Sent again (the answer was lost) with the same keys it gives the same
 * certificate.
 * @certificate, @hub: appended, verified against the token's root key, node id and our keys.
 * HS_EUNREACHABLE, HS_ETOKEN, HS_ETOKENUSED, HS_ETOKENEXPIRED, HS_EREFUSED, HS_ECERT. */
enum hs_err hs_join_ask(const struct hs_join *join, struct hs_buf *certificate, struct hs_buf *hub, struct hs_why *why);

#endif
