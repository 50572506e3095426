/* replica_parts.h -- the packed items of a part of a frontier, read by the rules of PROTOCOL.md for a second time. */
#ifndef HS_TEST_REPLICA_PARTS_H
#define HS_TEST_REPLICA_PARTS_H

#include "proto/msg/trust.h"
#include "proto/peer.pb-c.h"

#include <string.h>

#define PART_ITEMS_MAX 64

struct part_item {
    hs_partition partition;           /* level 0 */
    uint8_t node[HS_NODE_HASH_BYTES]; /* level 1 */
    struct hs_stream stream;          /* level 2 */
    uint64_t n;
    uint8_t hash[8];
};

/* How many; of names alone (@named) the hashes are not set.  What is malformed ends the list. */
static inline size_t part_items(const Hallsync__FrontierPart *part, const ProtobufCBinaryData *packed, bool named,
                                struct part_item *to)
{
    struct hs_cur cur = hs_cur_of(HS_BYTES(packed->data, packed->len));
    size_t count = 0;
    while (cur.left > 0 && cur.err == HS_OK && count < PART_ITEMS_MAX) {
        struct part_item *item = &to[count];
        *item = (struct part_item){.partition = (hs_partition)part->partition};
        if (part->level == 0) {
            item->partition = hs_cur_u16(&cur);
        } else if (part->level == 1) {
            hs_cur_copy(&cur, item->node, sizeof item->node);
        } else {
            item->stream = (struct hs_stream){.origin = hs_cur_u64(&cur), .partition = (hs_partition)part->partition};
            item->stream.lane = hs_cur_u8(&cur);
            item->n = hs_cur_varint(&cur);
        }
        if (part->level == 2 || !named)
            hs_cur_copy(&cur, item->hash, sizeof item->hash);
        count += cur.err == HS_OK;
    }
    return count;
}

static inline uint16_t part_present(const Hallsync__FrontierPart *part)
{
    return part->buckets.len < 2 ? 0 : hs_from_be16(part->buckets.data);
}

#endif
