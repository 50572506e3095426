/* replica_world_source.h -- what the world's files share; a store as hs_replica_new wants it. */
#ifndef HS_TEST_REPLICA_WORLD_SOURCE_H
#define HS_TEST_REPLICA_WORLD_SOURCE_H

#include "tests/lib/replica_world.h"

#define WORLD_CLOCK_MS 1795219200000LL /* wall clock at the world's beginning */

/* replica_world_revoke.c */
enum hs_err world_revocations(void *ctx, hs_visit_bytes visit, void *visit_ctx);
enum hs_err world_releases(void *ctx, hs_visit_bytes visit, void *visit_ctx);
enum hs_err world_limit(void *ctx, const struct hs_stream *stream, uint64_t *n);
/* replica_world_stores.c */
enum hs_err world_peer_stores(void *ctx, hs_visit_peer_store visit, void *visit_ctx);
enum hs_err world_store_counts(void *ctx, const struct hs_key *key, uint64_t id, bool *counts);
uint64_t world_backup_store(void *ctx);
void world_tell_trust(struct world_node *node); /* a commit that brought one */
struct hs_replica_source world_source(struct world_node *node);
void world_keys(const char *name, struct hs_secret *secret, struct hs_key *key);
void world_node_fini(struct world_node *node);

#endif
