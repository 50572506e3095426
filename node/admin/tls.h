/* tls.h -- the certificate and its key, read and held against each other. */
#ifndef HS_ADMIN_TLS_H
#define HS_ADMIN_TLS_H

#include "proto/base/buf.h"

#include <stdint.h>

struct admin_tls {
    struct hs_buf certificate, key; /* PEM, each with a zero behind it */
    uint64_t expires_ms;            /* of the certificate */
};
/* HS_ECONFIG, HS_EPERM: why says what to do.  What was there is left as it is on failure. */
enum hs_err admin_tls_load(const char *certificate, const char *key, struct admin_tls *tls, struct hs_why *why);
void admin_tls_free(struct admin_tls *tls); /* a zeroed one is fine; the key is wiped */

#endif
