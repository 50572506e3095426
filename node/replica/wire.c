/* Small parts of messages: stream names, heads, hash prefixes. */
#include "node/replica/core.h"

#include "proto/msg/tlv.h"

#include <string.h>

enum { NAME_ORIGIN = 1, NAME_PARTITION = 2, NAME_LANE = 3 }; /* fields of StreamName */
enum { HEAD_STREAM = 1, HEAD_N = 2, HEAD_HASH = 3 };         /* fields of StreamHead */

bool hs_rep_stream_read(const Hallsync__StreamName *from, struct hs_stream *to)
{
    if (!hs_partition_valid(from->partition) || !hs_lane_valid(from->lane))
        return false;
    *to = (struct hs_stream){from->origin, (hs_partition)from->partition, (uint8_t)from->lane};
    return true;
}

void hs_rep_stream_write(const struct hs_stream *from, Hallsync__StreamName *to)
{
    hallsync__stream_name__init(to);
    to->origin = from->origin;
    to->partition = from->partition;
    to->lane = from->lane;
}

static void put_name(struct hs_buf *buf, const struct hs_stream *name)
{
    hs_tlv_put_fixed64(buf, NAME_ORIGIN, name->origin);
    hs_tlv_put_u64(buf, NAME_PARTITION, name->partition);
    hs_tlv_put_u64(buf, NAME_LANE, name->lane);
}

static struct hs_bytes packed_name(struct hs_replica *r, const struct hs_stream *name)
{
    hs_buf_reset(&r->name);
    put_name(&r->name, name);
    hs_rep_fail(r, r->name.err);
    return hs_buf_bytes(&r->name);
}

void hs_rep_put_stream(struct hs_replica *r, struct hs_buf *buf, uint32_t field, const struct hs_stream *name)
{
    hs_tlv_put_bytes(buf, field, packed_name(r, name));
}

void hs_rep_put_head(struct hs_replica *r, struct hs_buf *buf, uint32_t field, const struct hs_head *head)
{
    struct hs_buf *packed = &r->head;
    hs_buf_reset(packed);
    hs_tlv_put_bytes(packed, HEAD_STREAM, packed_name(r, &head->stream));
    hs_tlv_put_u64(packed, HEAD_N, head->n);
    hs_tlv_put_bytes(packed, HEAD_HASH, HS_BYTES(head->hash.bytes, REP_SHORT_HASH_BYTES));
    hs_rep_fail(r, packed->err);
    hs_tlv_put_bytes(buf, field, hs_buf_bytes(packed));
}

bool hs_rep_same_hash(const ProtobufCBinaryData *prefix, const struct hs_hash *hash)
{
    return prefix->len == REP_SHORT_HASH_BYTES && memcmp(prefix->data, hash->bytes, REP_SHORT_HASH_BYTES) == 0;
}

ProtobufCBinaryData hs_rep_data(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)data}; /* protobuf-c has no const; packing does not write */
}
