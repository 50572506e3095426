#include "node/daemon/advertise.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static void add(struct hs_advertised *to, const char *host, const char *port)
{
    if (to->count == HS_ADDRESSES_MAX)
        return;
    int size = snprintf(to->text[to->count], sizeof to->text[0], "tcp://%s:%s", host, port);
    if (size < 0 || (size_t)size >= sizeof to->text[0])
        return;
    to->list[to->count] = to->text[to->count];
    to->count++;
}

/* The port of an address at which all of the machine's addresses are listened at; NULL: it is a particular one. */
static const char *wildcard_port(const char *address)
{
    static const char *const wildcards[] = {"tcp://0.0.0.0:", "tcp://[::]:", "tcp://*:"};
    for (size_t i = 0; i < sizeof wildcards / sizeof wildcards[0]; i++) {
        if (strncmp(address, wildcards[i], strlen(wildcards[i])) == 0)
            return address + strlen(wildcards[i]);
    }
    return NULL;
}

/* Addresses of version 6 are left out: those of a single link could not be dialled, and the others can be configured.
 */
static void add_own(struct hs_advertised *to, const char *port)
{
    struct ifaddrs *all = NULL;
    size_t before = to->count;
    if (getifaddrs(&all) != 0)
        all = NULL;
    for (const struct ifaddrs *one = all; one != NULL; one = one->ifa_next) {
        char host[INET_ADDRSTRLEN];
        bool usable = one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET && (one->ifa_flags & IFF_UP) != 0 &&
                      (one->ifa_flags & IFF_LOOPBACK) == 0;
        if (usable &&
            inet_ntop(AF_INET, &((const struct sockaddr_in *)one->ifa_addr)->sin_addr, host, sizeof host) != NULL)
            add(to, host, port);
    }
    if (all != NULL)
        freeifaddrs(all);
    if (to->count == before)
        add(to, "127.0.0.1", port);
}

void hs_advertise(const char *const *bound, size_t count, struct hs_advertised *advertised)
{
    *advertised = (struct hs_advertised){0};
    for (size_t i = 0; i < count; i++) {
        const char *port = wildcard_port(bound[i]);
        if (port != NULL) {
            add_own(advertised, port);
        } else if (advertised->count < HS_ADDRESSES_MAX && strlen(bound[i]) <= HS_ADDRESS_BYTES_MAX) {
            char *text = advertised->text[advertised->count];
            memcpy(text, bound[i], strlen(bound[i]) + 1);
            advertised->list[advertised->count++] = text;
        }
    }
}
