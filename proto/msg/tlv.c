#include "proto/msg/tlv.h"

#include <string.h>

#define FIELD_NUMBER_SHIFT 3
#define WIRE_MASK          7U

static uint64_t read_little_endian(struct hs_cur *cur, size_t size)
{
    struct hs_bytes raw = hs_cur_take(cur, size);
    uint64_t value = 0;
    for (size_t i = raw.size; i > 0; i--)
        value = value << 8 | raw.data[i - 1];
    return value;
}

static void read_content(struct hs_cur *cur, struct hs_tlv *tlv)
{
    switch (tlv->wire) {
    case HS_WIRE_VARINT:
        tlv->value = hs_cur_varint(cur);
        break;
    case HS_WIRE_FIXED64:
        tlv->value = read_little_endian(cur, 8);
        break;
    case HS_WIRE_BYTES:
        tlv->bytes = hs_cur_sized(cur);
        break;
    case HS_WIRE_FIXED32:
        tlv->value = read_little_endian(cur, 4);
        break;
    default: /* groups, and what protobuf never defined */
        hs_cur_fail(cur);
    }
}

bool hs_tlv_next(struct hs_cur *cur, struct hs_tlv *tlv)
{
    if (cur->left == 0)
        return false;
    const uint8_t *start = cur->at;
    uint64_t tag = hs_cur_varint(cur);
    if (tag > UINT32_MAX || tag >> FIELD_NUMBER_SHIFT == 0) {
        hs_cur_fail(cur);
        return false;
    }
    *tlv = (struct hs_tlv){.number = (uint32_t)(tag >> FIELD_NUMBER_SHIFT), .wire = (enum hs_wire)(tag & WIRE_MASK)};
    read_content(cur, tlv);
    if (cur->err != HS_OK)
        return false;
    tlv->raw = HS_BYTES(start, (size_t)(cur->at - start));
    return true;
}

bool hs_tlv_find(struct hs_bytes message, uint32_t number, struct hs_tlv *tlv)
{
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv next;
    bool found = false;
    while (hs_tlv_next(&cur, &next)) {
        if (next.number == number) {
            *tlv = next;
            found = true;
        }
    }
    return found && cur.err == HS_OK;
}

uint64_t hs_tlv_u64(struct hs_bytes message, uint32_t number, uint64_t otherwise)
{
    struct hs_tlv tlv;
    return hs_tlv_find(message, number, &tlv) && tlv.wire == HS_WIRE_VARINT ? tlv.value : otherwise;
}

int64_t hs_tlv_i64(struct hs_bytes message, uint32_t number, int64_t otherwise)
{
    return (int64_t)hs_tlv_u64(message, number, (uint64_t)otherwise);
}

static uint64_t zigzag(int64_t value)
{
    return (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0);
}

int64_t hs_tlv_s64(struct hs_bytes message, uint32_t number, int64_t otherwise)
{
    uint64_t value = hs_tlv_u64(message, number, zigzag(otherwise));
    return (int64_t)(value >> 1 ^ ((value & 1) != 0 ? UINT64_MAX : 0));
}

struct hs_bytes hs_tlv_bytes(struct hs_bytes message, uint32_t number)
{
    struct hs_tlv tlv;
    return hs_tlv_find(message, number, &tlv) && tlv.wire == HS_WIRE_BYTES ? tlv.bytes : HS_BYTES_NONE;
}

struct hs_bytes hs_tlv_run(struct hs_bytes message, uint32_t number)
{
    struct hs_bytes run = HS_BYTES_NONE;
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv) && (run.size == 0 || tlv.number == number)) {
        if (tlv.number == number)
            run = HS_BYTES(run.size != 0 ? run.data : tlv.raw.data, run.size + tlv.raw.size);
    }
    return run;
}

static void put_tag(struct hs_buf *buf, uint32_t number, enum hs_wire wire)
{
    hs_buf_put_varint(buf, (uint64_t)number << FIELD_NUMBER_SHIFT | wire);
}

void hs_tlv_put_u64(struct hs_buf *buf, uint32_t number, uint64_t value)
{
    put_tag(buf, number, HS_WIRE_VARINT);
    hs_buf_put_varint(buf, value);
}

void hs_tlv_put_s64(struct hs_buf *buf, uint32_t number, int64_t value)
{
    hs_tlv_put_u64(buf, number, zigzag(value));
}

void hs_tlv_put_fixed64(struct hs_buf *buf, uint32_t number, uint64_t value)
{
    uint8_t raw[8];
    for (size_t i = 0; i < sizeof raw; i++)
        raw[i] = (uint8_t)(value >> (8 * i));
    put_tag(buf, number, HS_WIRE_FIXED64);
    hs_buf_put(buf, raw, sizeof raw);
}

void hs_tlv_put_bytes(struct hs_buf *buf, uint32_t number, struct hs_bytes bytes)
{
    put_tag(buf, number, HS_WIRE_BYTES);
    hs_buf_put_sized(buf, bytes);
}

void hs_tlv_put_text(struct hs_buf *buf, uint32_t number, const char *text)
{
    hs_tlv_put_bytes(buf, number, HS_BYTES(text, strlen(text)));
}
