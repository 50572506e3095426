/* revoke.h -- what is known of a revoked key, for those who show it.  Inside node/service/ only. */
#ifndef HS_SERVICE_REVOKE_H
#define HS_SERVICE_REVOKE_H

#include "proto/msg/revoke.h"
#include "storage/store.h"

/* HS_ENOTFOUND: it is not revoked.  One that rotted counts, too: its reason says so, and it has no time. */
enum hs_err hs_revoked_read(const struct hs_store *store, struct hs_view *view, const struct hs_key *key,
                            struct hs_revocation *revocation);

#endif
