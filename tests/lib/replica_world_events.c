/* What a node of the world is told besides messages and commits. */
#include "tests/lib/replica_world.h"

void world_rate(struct world_node *node, hs_peer peer, uint64_t bytes_per_s)
{
    world_step(node, (struct hs_replica_event){.type = HS_REPLICA_RATE, .peer = peer, .rate_max = bytes_per_s});
}

void world_hold(struct world_node *node, uint32_t lanes)
{
    world_step(node, (struct hs_replica_event){.type = HS_REPLICA_HOLD, .lanes = lanes});
}

void world_probe(struct world_node *node, uint64_t token)
{
    world_step(node, (struct hs_replica_event){.type = HS_REPLICA_PROBE, .token = token});
}

void world_probe_end(struct world_node *node, uint64_t token)
{
    world_step(node, (struct hs_replica_event){.type = HS_REPLICA_PROBE_END, .token = token});
}

void world_compare(struct world_node *node)
{
    world_step(node, (struct hs_replica_event){.type = HS_REPLICA_COMPARE});
}

void world_ask(struct world_node *node, uint64_t token, const struct hs_ask *ask)
{
    world_step(node, (struct hs_replica_event){.type = HS_REPLICA_ASK, .token = token, .ask = *ask});
}

void world_ask_node(struct world_node *node, uint64_t token, const char *node_id, struct hs_bytes record)
{
    world_step(node, (struct hs_replica_event){
                         .type = HS_REPLICA_ASK_NODE, .token = token, .node_id = node_id, .record = record});
}

void world_ask_end(struct world_node *node, uint64_t token)
{
    world_step(node, (struct hs_replica_event){.type = HS_REPLICA_ASK_END, .token = token});
}
