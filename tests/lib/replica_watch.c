#include "tests/lib/replica_watch.h"

#include "tests/lib/replica_parts.h"

#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/peer.pb-c.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const struct world_node *world_writer(const struct world *w, uint64_t origin)
{
    for (size_t i = 0; i < w->node_count; i++) {
        const struct world_origin *found = world_store_origin(&w->nodes[i]->store, origin);
        struct hs_certificate writer;
        if (found == NULL || hs_certificate_verify(hs_buf_bytes(&found->certificate), &w->root_key, &writer) != HS_OK)
            continue;
        for (size_t k = 0; k < w->node_count; k++) {
            if (hs_key_equal(&w->nodes[k]->certificate.node_key, &writer.node_key))
                return w->nodes[k];
        }
    }
    return NULL;
}

struct look {
    const struct world *w;
    struct world_watched *watched;
    const struct world_node *from, *to;
    uint8_t type;
};

/* ---- the rules ---- */

static bool is_district_of(const struct world_node *node, hs_partition district)
{
    if (node->certificate.role == HS_ROLE_WITNESS)
        return hs_certificate_names(&node->certificate, district);
    return district != HS_PARTITION_REGION && world_in_scope(node, district);
}

static bool may_have(const struct look *look, hs_partition partition, const struct world_node *writer)
{
    const struct world_node *to = look->to;
    enum hs_role role = to->certificate.role;
    if (writer == to || (writer == look->from && role != HS_ROLE_HALL))
        return true; /* its own, or handed in by its writer */
    if (role != HS_ROLE_WITNESS && (partition == HS_PARTITION_REGION || is_district_of(to, partition)))
        return true;
    return role != HS_ROLE_HALL && writer != NULL && is_district_of(to, writer->certificate.home);
}

/* Operations go to a witness from their writer only. */
static bool may_take(const struct look *look, hs_partition partition, const struct world_node *writer)
{
    bool witness = look->to->certificate.role == HS_ROLE_WITNESS;
    return witness ? writer == look->from : may_have(look, partition, writer);
}

static void judge(const struct look *look, bool good, hs_partition partition, const struct world_node *writer)
{
    look->watched->named++;
    if (good)
        return;
    if (look->watched->bad++ == 0)
        snprintf(look->watched->first, sizeof look->watched->first,
                 "%s sent %s a message of type %u about partition %u of %s", look->from->certificate.node_id,
                 look->to->certificate.node_id, look->type, partition,
                 writer == NULL ? "nobody" : writer->certificate.node_id);
}

/* ---- what a frame names ---- */

static void look_stream(const struct look *look, const Hallsync__StreamName *name, uint64_t n)
{
    const struct world_node *writer = world_writer(look->w, name->origin);
    if (n > 0) /* "nothing" says nothing */
        judge(look, may_have(look, (hs_partition)name->partition, writer), (hs_partition)name->partition, writer);
}

static void look_ops(const struct look *look, const Hallsync__StreamName *name)
{
    const struct world_node *writer = world_writer(look->w, name->origin);
    judge(look, may_take(look, (hs_partition)name->partition, writer), (hs_partition)name->partition, writer);
}

static void look_partition(const struct look *look, uint32_t id)
{
    const struct world_store *store = &look->from->store;
    bool good = may_have(look, (hs_partition)id, NULL);
    for (size_t i = 0; i < store->stream_count && !good; i++)
        good = store->streams[i].name.partition == id &&
               may_have(look, (hs_partition)id, world_writer(look->w, store->streams[i].name.origin));
    judge(look, good, (hs_partition)id, NULL);
}

static const struct world_node *node_named(const struct world *w, const uint8_t name[static HS_NODE_HASH_BYTES])
{
    uint8_t own[HS_NODE_HASH_BYTES];
    for (size_t i = 0; i < w->node_count; i++) {
        hs_node_hash(&w->nodes[i]->certificate.node_key, own);
        if (memcmp(own, name, sizeof own) == 0)
            return w->nodes[i];
    }
    return NULL;
}

/* What an answer says it lacks was named by who gets the answer. */
static void look_part(const struct look *look, const Hallsync__FrontierPart *part)
{
    struct part_item items[PART_ITEMS_MAX];
    size_t count = part_items(part, &part->items, part->has_reply && part->reply, items);
    for (size_t i = 0; i < count; i++) {
        const struct world_node *writer = part->level == 1 ? node_named(look->w, items[i].node)
                                                           : world_writer(look->w, items[i].stream.origin);
        if (part->level == 0)
            look_partition(look, items[i].partition);
        else if (part->level == 1 || items[i].n > 0)
            judge(look, may_have(look, (hs_partition)part->partition, writer), (hs_partition)part->partition, writer);
    }
    if (part_present(part) != 0 && part->level > 0)
        look_partition(look, part->partition);
}

static void look_frontier(const struct look *look, const Hallsync__PeerFrontier *frontier)
{
    for (size_t i = 0; i < frontier->n_parts; i++)
        look_part(look, frontier->parts[i]);
    for (size_t i = 0; i < frontier->n_heads; i++)
        look_stream(look, frontier->heads[i]->stream, frontier->heads[i]->n);
}

static void look_ack(const struct look *look, const Hallsync__PeerAck *ack)
{
    for (size_t i = 0; i < ack->n_stored; i++)
        look_stream(look, ack->stored[i]->stream, ack->stored[i]->n);
    for (size_t i = 0; i < ack->n_receipts; i++)
        look_stream(look, ack->receipts[i]->stream, ack->receipts[i]->n);
}

static void look_compared(const struct look *look, const Hallsync__PeerCompareReply *reply)
{
    struct hs_record_name name;
    for (size_t i = 0; i < reply->n_entries; i++) {
        const Hallsync__CompareEntry *entry = reply->entries[i];
        hs_partition partition = (hs_partition)entry->partition;
        if (entry->has_partition)
            judge(look, world_in_scope(look->to, partition), partition, NULL);
        if (entry->has_key && hs_record_from_key(HS_BYTES(entry->key.data, entry->key.len), &name) == HS_OK)
            judge(look, world_in_scope(look->to, name.partition), name.partition, NULL);
    }
}

static void look_heads(const struct look *look, size_t count, Hallsync__StreamHead *const *heads)
{
    for (size_t i = 0; i < count; i++)
        look_stream(look, heads[i]->stream, heads[i]->n);
}

static void look_fill(const struct look *look, const Hallsync__PeerFillHeads *fill)
{
    for (size_t i = 0; i < fill->n_heads; i++)
        look_stream(look, fill->heads[i]->stream, fill->heads[i]->n);
}

static void look_message(const struct look *look, const ProtobufCMessage *message)
{
    switch (look->type) {
    case HALLSYNC__PEER_TYPE__PEER_FRONTIER:
        look_frontier(look, (const Hallsync__PeerFrontier *)message);
        break;
    case HALLSYNC__PEER_TYPE__PEER_SEGMENT:
        look_ops(look, ((const Hallsync__PeerSegment *)message)->stream);
        break;
    case HALLSYNC__PEER_TYPE__PEER_LOOSE:
        look_ops(look, ((const Hallsync__PeerLoose *)message)->stream);
        break;
    case HALLSYNC__PEER_TYPE__PEER_BASE:
        look_ops(look, ((const Hallsync__PeerBase *)message)->head->stream);
        break;
    case HALLSYNC__PEER_TYPE__PEER_FILL_HEADS:
        look_fill(look, (const Hallsync__PeerFillHeads *)message);
        break;
    case HALLSYNC__PEER_TYPE__PEER_STATES:
        judge(look, world_in_scope(look->to, (hs_partition)((const Hallsync__PeerStates *)message)->partition),
              (hs_partition)((const Hallsync__PeerStates *)message)->partition, NULL);
        break;
    case HALLSYNC__PEER_TYPE__PEER_DISPUTE:
        look_stream(look, ((const Hallsync__PeerDispute *)message)->stream, 1);
        break;
    case HALLSYNC__PEER_TYPE__PEER_ACK:
        look_ack(look, (const Hallsync__PeerAck *)message);
        break;
    case HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY:
        look_compared(look, (const Hallsync__PeerCompareReply *)message);
        break;
    case HALLSYNC__PEER_TYPE__PEER_HEARTBEAT:
        look_heads(look, ((const Hallsync__PeerHeartbeat *)message)->n_heads,
                   ((const Hallsync__PeerHeartbeat *)message)->heads);
        break;
    case HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY:
        look_heads(look, ((const Hallsync__PeerProbeReply *)message)->n_heads,
                   ((const Hallsync__PeerProbeReply *)message)->heads);
        break;
    }
}

static const ProtobufCMessageDescriptor *descriptor_of(uint8_t type)
{
    static const ProtobufCMessageDescriptor *const ALL[] = {
        [HALLSYNC__PEER_TYPE__PEER_FRONTIER] = &hallsync__peer_frontier__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_SEGMENT] = &hallsync__peer_segment__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_ACK] = &hallsync__peer_ack__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_HEARTBEAT] = &hallsync__peer_heartbeat__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY] = &hallsync__peer_probe_reply__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY] = &hallsync__peer_compare_reply__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_FILL_HEADS] = &hallsync__peer_fill_heads__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_STATES] = &hallsync__peer_states__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_DISPUTE] = &hallsync__peer_dispute__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_LOOSE] = &hallsync__peer_loose__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_BASE] = &hallsync__peer_base__descriptor,
    };
    return type < sizeof ALL / sizeof *ALL ? ALL[type] : NULL;
}

static void see(struct world *w, struct world_link *link, int to, struct hs_bytes bytes)
{
    struct look look = {w, w->ctx, link->end[1 - to], link->end[to], 0};
    struct hs_frame frame;
    enum hs_err err = hs_frame_decode(bytes, &frame);
    assert(err == HS_OK);
    look.type = frame.type;
    look.watched->frames++;
    look.watched->bytes[to == 1 ? 0 : 1] += bytes.size;
    const ProtobufCMessageDescriptor *descriptor = descriptor_of(frame.type);
    struct hs_arena arena;
    ProtobufCMessage *message;
    if (descriptor == NULL)
        return;
    hs_arena_init(&arena, 0);
    err = hs_msg_unpack(descriptor, frame.body, &arena, &message);
    assert(err == HS_OK);
    look_message(&look, message);
    hs_arena_fini(&arena);
}

void world_look_at(struct world *w, struct world_watched *watched)
{
    w->sent = see;
    w->ctx = watched;
}
