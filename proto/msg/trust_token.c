#include "proto/base/text.h"
#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/trust_signed.h"

#include <sodium.h>
#include <string.h>

#define TOKEN_PREFIX       "hsj1-"
#define TOKEN_PREFIX_BYTES (sizeof TOKEN_PREFIX - 1)
#define TOKEN_BYTES_MAX    2048
#define TOKEN_ARENA_BYTES  (16 * 1024)
#define TOKEN_BASE64       sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(TOKEN_BYTES_MAX > HS_ADDRESSES_MAX * (HS_ADDRESS_BYTES_MAX + 3) + HS_NODE_ID_BYTES_MAX +
                                     HS_REGION_BYTES_MAX + 3 * HS_KEY_BYTES + 64,
               "the largest token fits");

static bool line_valid(const char *text, size_t bytes_max)
{
    size_t size = strnlen(text, bytes_max + 1);
    return size > 0 && size <= bytes_max && hs_text_valid(HS_BYTES(text, size));
}

static bool token_valid(const struct hs_token *token)
{
    if (token->address_count == 0 || token->address_count > HS_ADDRESSES_MAX)
        return false;
    for (size_t i = 0; i < token->address_count; i++) {
        if (!line_valid(token->addresses[i], HS_ADDRESS_BYTES_MAX))
            return false;
    }
    return hs_node_id_valid(token->node_id) && line_valid(token->region, HS_REGION_BYTES_MAX);
}

/* ---- encoding ---- */

/* protobuf-c has no const; it does not write through these while packing. */
static ProtobufCBinaryData data_of(const uint8_t *bytes, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)bytes};
}

static void pack_token(const struct hs_token *token, struct hs_buf *packed)
{
    char *addresses[HS_ADDRESSES_MAX];
    for (size_t i = 0; i < token->address_count; i++)
        addresses[i] = (char *)token->addresses[i];
    Hallsync__JoinToken body = HALLSYNC__JOIN_TOKEN__INIT;
    body.node_id = (char *)token->node_id;
    body.secret = data_of(token->secret, sizeof token->secret);
    body.root_key = data_of(token->root_key.bytes, sizeof token->root_key.bytes);
    body.hub_curve_key = data_of(token->hub_curve_key.bytes, sizeof token->hub_curve_key.bytes);
    body.addresses = addresses;
    body.n_addresses = token->address_count;
    body.expires_ms = token->expires_ms;
    body.region = (char *)token->region;
    hs_msg_pack(&body.base, packed);
}

enum hs_err hs_token_encode(const struct hs_token *token, struct hs_buf *text)
{
    if (!token_valid(token))
        return HS_EINVAL;
    struct hs_buf packed = {0};
    pack_token(token, &packed);
    enum hs_err err = packed.err;
    if (err == HS_OK) {
        hs_buf_put(text, TOKEN_PREFIX, TOKEN_PREFIX_BYTES);
        size_t room = sodium_base64_encoded_len(packed.size, TOKEN_BASE64); /* with the terminating zero */
        char *at = (char *)hs_buf_extend(text, room);
        if (at != NULL) {
            sodium_bin2base64(at, room, packed.data, packed.size, TOKEN_BASE64);
            text->size--;
        }
        err = text->err;
        sodium_memzero(packed.data, packed.size);
    }
    hs_buf_fini(&packed);
    return err;
}

/* ---- decoding ---- */

static bool read_addresses(const Hallsync__JoinToken *body, struct hs_token *token)
{
    if (body->n_addresses > HS_ADDRESSES_MAX)
        return false;
    for (size_t i = 0; i < body->n_addresses; i++) {
        if (!hs_line_read(body->addresses[i], token->addresses[i], HS_ADDRESS_BYTES_MAX))
            return false;
    }
    token->address_count = body->n_addresses;
    return true;
}

static bool read_token(const Hallsync__JoinToken *body, struct hs_token *token)
{
    token->expires_ms = body->expires_ms;
    return hs_line_read(body->node_id, token->node_id, HS_NODE_ID_BYTES_MAX) &&
           hs_line_read(body->region, token->region, HS_REGION_BYTES_MAX) &&
           hs_fixed_read(&body->secret, token->secret, sizeof token->secret) &&
           hs_fixed_read(&body->root_key, token->root_key.bytes, sizeof token->root_key.bytes) &&
           hs_fixed_read(&body->hub_curve_key, token->hub_curve_key.bytes, sizeof token->hub_curve_key.bytes) &&
           read_addresses(body, token) && token_valid(token);
}

static enum hs_err decode_packed(struct hs_bytes packed, struct hs_token *token)
{
    struct hs_arena arena;
    ProtobufCMessage *message;
    hs_arena_init(&arena, TOKEN_ARENA_BYTES);
    enum hs_err err = hs_msg_unpack(&hallsync__join_token__descriptor, packed, &arena, &message);
    if (err == HS_OK) {
        Hallsync__JoinToken *body = (Hallsync__JoinToken *)message;
        if (!read_token(body, token))
            err = HS_ETOKEN;
        sodium_memzero(body->secret.data, body->secret.len);
    }
    hs_arena_fini(&arena);
    return err == HS_OK || err == HS_ENOMEM ? err : HS_ETOKEN;
}

enum hs_err hs_token_decode(const char *text, struct hs_token *token)
{
    if (strncmp(text, TOKEN_PREFIX, TOKEN_PREFIX_BYTES) != 0)
        return HS_ETOKEN;
    text += TOKEN_PREFIX_BYTES;
    uint8_t packed[TOKEN_BYTES_MAX];
    struct hs_token read = {0};
    size_t size = 0;
    enum hs_err err = HS_ETOKEN;
    if (sodium_base642bin(packed, sizeof packed, text, strlen(text), NULL, &size, NULL, TOKEN_BASE64) == 0)
        err = decode_packed(HS_BYTES(packed, size), &read);
    if (err == HS_OK)
        *token = read;
    sodium_memzero(packed, sizeof packed);
    sodium_memzero(&read, sizeof read);
    return err;
}
