#include "proto/msg/frame.h"

#include "proto/base/limits.h"
#include "proto/base/text.h"
#include "proto/msg/tlv.h"

/* protobuf-c allocates through this; what it frees stays in the arena until the arena goes. */
struct allocation {
    struct hs_arena *arena;
    bool failed;
};

static void *allocate(void *ctx, size_t size)
{
    struct allocation *allocation = ctx;
    void *memory = hs_arena_alloc(allocation->arena, size);
    if (memory == NULL)
        allocation->failed = true;
    return memory;
}

static void keep(void *ctx, void *memory)
{
    (void)ctx;
    (void)memory;
}

/* protobuf-c cuts such numbers short, and what is cut is another number. */
static bool has_32_bits(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_UINT32 || field->type == PROTOBUF_C_TYPE_ENUM ||
           field->type == PROTOBUF_C_TYPE_SINT32;
}

static enum hs_err check_fields(const ProtobufCMessageDescriptor *descriptor, struct hs_bytes bytes);

static enum hs_err check_field(const ProtobufCFieldDescriptor *field, const struct hs_tlv *tlv)
{
    if (tlv->wire == HS_WIRE_VARINT)
        return has_32_bits(field) && tlv->value > UINT32_MAX ? HS_EMALFORMED : HS_OK;
    if (tlv->wire != HS_WIRE_BYTES)
        return HS_OK;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return check_fields(field->descriptor, tlv->bytes);
    return field->type == PROTOBUF_C_TYPE_STRING && !hs_text_valid(tlv->bytes) ? HS_EUTF8 : HS_OK;
}

/* Read from the bytes and not from the message: there a text would end at its first zero and hide the rest.
 * The depth is that of the schema, which has no recursive message. */
static enum hs_err check_fields(const ProtobufCMessageDescriptor *descriptor, struct hs_bytes bytes)
{
    struct hs_cur cur = hs_cur_of(bytes);
    struct hs_tlv tlv;
    enum hs_err err = HS_OK;
    while (err == HS_OK && hs_tlv_next(&cur, &tlv)) {
        const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(descriptor, tlv.number);
        if (field != NULL)
            err = check_field(field, &tlv);
    }
    return err == HS_OK ? cur.err : err;
}

enum hs_err hs_msg_unpack(const ProtobufCMessageDescriptor *descriptor, struct hs_bytes bytes, struct hs_arena *arena,
                          ProtobufCMessage **message)
{
    enum hs_err err = check_fields(descriptor, bytes);
    if (err != HS_OK)
        return err;
    struct allocation allocation = {arena, false};
    ProtobufCAllocator allocator = {.alloc = allocate, .free = keep, .allocator_data = &allocation};
    ProtobufCMessage *unpacked = protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);
    if (unpacked == NULL)
        return allocation.failed ? HS_ENOMEM : HS_EMALFORMED;
    *message = unpacked;
    return HS_OK;
}

void hs_msg_pack(const ProtobufCMessage *message, struct hs_buf *buf)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *at = size == 0 ? NULL : hs_buf_extend(buf, size);
    if (at != NULL)
        protobuf_c_message_pack(message, at);
}

ProtobufCMessage *hs_msg_copy(const ProtobufCMessage *message)
{
    struct hs_buf packed = {0};
    hs_msg_pack(message, &packed);
    ProtobufCMessage *copy = packed.err == HS_OK
                                 ? protobuf_c_message_unpack(message->descriptor, NULL, packed.size, packed.data)
                                 : NULL;
    hs_buf_fini(&packed);
    return copy;
}

void hs_frame_encode(uint8_t type, uint32_t sequence, const ProtobufCMessage *body, struct hs_buf *buf)
{
    hs_buf_put_u8(buf, HS_FRAME_VERSION);
    hs_buf_put_u8(buf, type);
    hs_buf_put_u32(buf, sequence);
    hs_msg_pack(body, buf);
}

enum hs_err hs_frame_decode(struct hs_bytes bytes, struct hs_frame *frame)
{
    if (bytes.size < HS_FRAME_HEADER_BYTES || bytes.size > HS_MESSAGE_BYTES_MAX)
        return HS_EMALFORMED;
    struct hs_cur cur = hs_cur_of(bytes);
    if (hs_cur_u8(&cur) != HS_FRAME_VERSION)
        return HS_EVERSION;
    frame->type = hs_cur_u8(&cur);
    frame->sequence = hs_cur_u32(&cur);
    frame->body = hs_cur_take(&cur, cur.left);
    return HS_OK;
}
