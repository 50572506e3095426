/* address.h -- tcp://host:port taken apart, and names looked up without holding anybody up.  Within node/link only. */
#ifndef HS_LINK_ADDRESS_H
#define HS_LINK_ADDRESS_H

#include "proto/base/err.h"
#include "proto/msg/trust.h"

#include <stdbool.h>
#include <stdint.h>

enum hs_host { HS_HOST_NAME, HS_HOST_V4, HS_HOST_V6, HS_HOST_ANY /* "*" */ };
struct hs_address {
    char host[HS_ADDRESS_BYTES_MAX + 1]; /* without brackets */
    enum hs_host form;
    uint16_t port; /* 0: any */
};
enum hs_err hs_address_parse(const char *text, struct hs_address *address, struct hs_why *why); /* HS_EADDRESS */

/* getaddrinfo() blocks for as long as name servers are silent, which is just when a link is cut: it gets a thread of
 * its own, and one that still waits when nobody asks any more is left behind to end by itself. */
struct hs_lookup;
#define HS_LOOKUP_ADDRESSES_MAX 8
struct hs_lookup_answer {
    char hosts[HS_LOOKUP_ADDRESSES_MAX][HS_ADDRESS_BYTES_MAX + 1]; /* numeric, as in tcp://HOST:port */
    size_t count;
    int error; /* of getaddrinfo; 0: none */
};
enum hs_err hs_lookup_start(const char *name, struct hs_lookup **lookup);
int hs_lookup_fd(const struct hs_lookup *lookup); /* becomes readable when the answer is there */
bool hs_lookup_take(struct hs_lookup *lookup, struct hs_lookup_answer *answer);
void hs_lookup_free(struct hs_lookup *lookup); /* never waits; NULL is fine */

#endif
