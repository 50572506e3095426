/* replica_world_source.h -- what the world's files share; a store as hs_replica_new wants it. */
#ifndef HS_TEST_REPLICA_WORLD_SOURCE_H
#define HS_TEST_REPLICA_WORLD_SOURCE_H

#include "tests/lib/replica_world.h"

#define WORLD_CLOCK_MS 1795219200000LL /* wall clock at the world's beginning */

struct hs_replica_source world_source(struct world_node *node);
void world_keys(const char *name, struct hs_secret *secret, struct hs_key *key);
void world_node_fini(struct world_node *node);

#endif
