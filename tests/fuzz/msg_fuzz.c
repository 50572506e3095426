/* msg_fuzz.c -- frames, and every message of the .proto files as it comes from a peer or a client: what unpacks within
 * its memory limit has valid text only, and packs to bytes that unpack and pack the same.
 *
 *     input = message u8 || bytes */
#include "proto/base/limits.h"
#include "proto/base/text.h"
#include "proto/keys.pb-c.h"
#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/op.pb-c.h"
#include "proto/peer.pb-c.h"
#include "proto/records.pb-c.h"
#include "proto/sealed.pb-c.h"
#include "tests/fuzz/fuzz.h"

#define UNPACKED_BYTES_MAX (1024 * 1024)

/* In this order for ever: the corpus names them by number. */
static const ProtobufCMessageDescriptor *const MESSAGES[] = {
    &hallsync__peer_hello__descriptor,
    &hallsync__peer_refuse__descriptor,
    &hallsync__peer_frontier__descriptor,
    &hallsync__peer_opening__descriptor,
    &hallsync__peer_segment__descriptor,
    &hallsync__peer_ack__descriptor,
    &hallsync__peer_heartbeat__descriptor,
    &hallsync__peer_probe__descriptor,
    &hallsync__peer_probe_reply__descriptor,
    &hallsync__peer_compare__descriptor,
    &hallsync__peer_compare_reply__descriptor,
    &hallsync__peer_dispute__descriptor,
    &hallsync__peer_fork_proof__descriptor,
    &hallsync__peer_loose__descriptor,
    &hallsync__peer_join__descriptor,
    &hallsync__peer_join_reply__descriptor,
    &hallsync__certificate__descriptor,
    &hallsync__signed__descriptor,
    &hallsync__issuer_body__descriptor,
    &hallsync__node_body__descriptor,
    &hallsync__origin_body__descriptor,
    &hallsync__join_token__descriptor,
    &hallsync__revocation_body__descriptor,
    &hallsync__revocation__descriptor,
    &hallsync__release_body__descriptor,
    &hallsync__release__descriptor,
    &hallsync__peer_revocations__descriptor,
    &hallsync__peer_stores__descriptor,
    &hallsync__peer_fetch__descriptor,
    &hallsync__request__descriptor,
    &hallsync__reply__descriptor,
    &hallsync__op__descriptor,
    &hallsync__customer__descriptor,
    &hallsync__bill__descriptor,
    &hallsync__payment__descriptor,
    &hallsync__cash_entry__descriptor,
    &hallsync__reversal__descriptor,
    &hallsync__ticket__descriptor,
    &hallsync__ticket_event__descriptor,
    &hallsync__sealed_header__descriptor,
    &hallsync__backup_manifest__descriptor,
};
#define MESSAGE_COUNT (sizeof MESSAGES / sizeof *MESSAGES)

/* ---- all text in a message is valid ---- */

static void check_message(const ProtobufCMessage *message);

static void check_value(const ProtobufCFieldDescriptor *field, const void *value)
{
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(const char *const *)value;
        FUZZ_CHECK(text == NULL || hs_text_valid(HS_BYTES(text, strlen(text))));
    } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
        const ProtobufCMessage *inner = *(const ProtobufCMessage *const *)value;
        if (inner != NULL)
            check_message(inner);
    }
}

static void check_message(const ProtobufCMessage *message)
{
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        const char *member = (const char *)message + field->offset;
        bool pointers = field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE;
        if (!pointers)
            continue;
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
            *(const uint32_t *)(const void *)((const char *)message + field->quantifier_offset) != field->id)
            continue; /* another one of the union */
        if (field->label != PROTOBUF_C_LABEL_REPEATED) {
            check_value(field, member);
            continue;
        }
        size_t count = *(const size_t *)(const void *)((const char *)message + field->quantifier_offset);
        const void *const *list = *(const void *const *const *)(const void *)member;
        for (size_t j = 0; j < count; j++)
            check_value(field, &list[j]);
    }
}

/* ---- unpacked and packed again ---- */

static void unpack(const ProtobufCMessageDescriptor *descriptor, struct hs_bytes bytes)
{
    struct hs_arena arena;
    ProtobufCMessage *message, *second;
    struct hs_buf packed = {0}, again = {0};
    hs_arena_init(&arena, UNPACKED_BYTES_MAX);
    enum hs_err err = hs_msg_unpack(descriptor, bytes, &arena, &message);
    FUZZ_CHECK(err == HS_OK || err == HS_EMALFORMED || err == HS_EUTF8 || err == HS_ENOMEM);
    FUZZ_CHECK(arena.total <= UNPACKED_BYTES_MAX);
    if (err == HS_OK) {
        check_message(message);
        hs_msg_pack(message, &packed);
        FUZZ_CHECK(packed.err == HS_OK);
        arena.limit = 0;
        FUZZ_CHECK(hs_msg_unpack(descriptor, hs_buf_bytes(&packed), &arena, &second) == HS_OK);
        hs_msg_pack(second, &again);
        FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&packed), hs_buf_bytes(&again)));
    }
    hs_buf_fini(&packed);
    hs_buf_fini(&again);
    hs_arena_fini(&arena);
}

static void frame(struct hs_bytes bytes)
{
    struct hs_frame frame;
    struct hs_buf again = {0};
    enum hs_err err = hs_frame_decode(bytes, &frame);
    FUZZ_CHECK(err == HS_OK || err == HS_EMALFORMED || err == HS_EVERSION);
    if (err != HS_OK)
        return;
    hs_buf_put_u8(&again, HS_FRAME_VERSION);
    hs_buf_put_u8(&again, frame.type);
    hs_buf_put_u32(&again, frame.sequence);
    hs_buf_put_bytes(&again, frame.body);
    FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&again), bytes));
    hs_buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    frame(HS_BYTES(data, size));
    const ProtobufCMessageDescriptor *descriptor = MESSAGES[fuzz_u8(&in) % MESSAGE_COUNT];
    unpack(descriptor, fuzz_rest(&in));
    return 0;
}

/* ---- seeds: of each message all fields, and the messages in it likewise ---- */

static void put_fields(const ProtobufCMessageDescriptor *descriptor, struct hs_buf *to);

static void put_key(uint32_t number, unsigned wire, struct hs_buf *to)
{
    hs_buf_put_varint(to, (uint64_t)number << 3 | wire);
}

static void put_field(const ProtobufCFieldDescriptor *field, struct hs_buf *to)
{
    struct hs_buf inner = {0};
    switch (field->type) {
    case PROTOBUF_C_TYPE_FIXED64:
        put_key(field->id, 1, to);
        hs_buf_put_u64(to, 1);
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        put_fields(field->descriptor, &inner);
        break;
    case PROTOBUF_C_TYPE_STRING:
        hs_buf_put(&inner, "text", 4);
        break;
    case PROTOBUF_C_TYPE_BYTES:
        hs_buf_put(&inner, "\0\1\2\3\4\5\6\7", 8);
        break;
    default:
        put_key(field->id, 0, to);
        hs_buf_put_varint(to, 1);
        return;
    }
    put_key(field->id, 2, to);
    hs_buf_put_sized(to, hs_buf_bytes(&inner));
    hs_buf_fini(&inner);
}

static void put_fields(const ProtobufCMessageDescriptor *descriptor, struct hs_buf *to)
{
    bool one = false; /* of a oneof the first will do */
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        bool in_oneof = (descriptor->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        if (!in_oneof || !one)
            put_field(&descriptor->fields[i], to);
        one = one || in_oneof;
    }
}

void fuzz_seeds(fuzz_put put)
{
    char name[64];
    for (size_t i = 0; i < MESSAGE_COUNT; i++) {
        struct hs_buf seed = {0};
        hs_buf_put_u8(&seed, (uint8_t)i);
        put_fields(MESSAGES[i], &seed);
        snprintf(name, sizeof name, "%02zu-%s", i, MESSAGES[i]->short_name);
        put(name, hs_buf_bytes(&seed));
        hs_buf_fini(&seed);
    }
    put("frame", FUZZ_SEED("\1\7\0\0\0\1\10\1"));
}
