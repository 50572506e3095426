/* advertise.h -- the addresses that join tokens name, from those that are listened at. */
#ifndef HS_DAEMON_ADVERTISE_H
#define HS_DAEMON_ADVERTISE_H

#include "proto/msg/trust.h"

struct hs_advertised {
    char text[HS_ADDRESSES_MAX][HS_ADDRESS_BYTES_MAX + 1];
    const char *list[HS_ADDRESSES_MAX];
    size_t count;
};

/* A hall cannot dial 0.0.0.0 or [::]: instead of them the machine's own addresses stand, loopback only where there is
 * no other. What does not fit is left out. */
void hs_advertise(const char *const *bound, size_t count, struct hs_advertised *advertised);

#endif
