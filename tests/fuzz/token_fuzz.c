/* token_fuzz.c -- join tokens: as text from a person, and with any message under a sound text form.
 *
 *     input = how u8 || text or bytes of a JoinToken */
#include "proto/msg/tlv.h"
#include "proto/msg/trust.h"
#include "tests/fuzz/fuzz.h"

#include <sodium.h>

static void decode(const char *text)
{
    struct hs_token token, again;
    struct hs_buf encoded = {0};
    enum hs_err err = hs_token_decode(text, &token);
    FUZZ_CHECK(err == HS_OK || err == HS_ETOKEN || err == HS_ENOMEM);
    if (err != HS_OK)
        return;
    FUZZ_CHECK(hs_node_id_valid(token.node_id));
    FUZZ_CHECK(token.address_count >= 1);
    FUZZ_CHECK(token.address_count <= HS_ADDRESSES_MAX);
    FUZZ_CHECK(hs_token_encode(&token, &encoded) == HS_OK);
    hs_buf_put_u8(&encoded, 0);
    FUZZ_CHECK(hs_token_decode((const char *)encoded.data, &again) == HS_OK);
    FUZZ_CHECK(memcmp(&token, &again, sizeof token) == 0);
    hs_buf_fini(&encoded);
}

static void decode_packed(struct hs_bytes packed)
{
    static const int VARIANT = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    struct hs_buf text = {0};
    size_t room = sodium_base64_encoded_len(packed.size, VARIANT);
    hs_buf_put(&text, "hsj1-", 5);
    uint8_t *at = hs_buf_extend(&text, room);
    FUZZ_CHECK(at != NULL);
    sodium_bin2base64((char *)at, room, packed.data != NULL ? packed.data : (const uint8_t *)"", packed.size, VARIANT);
    decode((const char *)text.data);
    hs_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_arena arena;
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    hs_arena_init(&arena, 0);
    bool packed = fuzz_u8(&in) % 2 != 0;
    if (packed)
        decode_packed(fuzz_rest(&in));
    else
        decode(fuzz_text(&arena, fuzz_rest(&in)));
    hs_arena_fini(&arena);
    return 0;
}

void fuzz_seeds(fuzz_put put)
{
    struct hs_token token = {.node_id = "hall-1", .address_count = 2, .expires_ms = 1795219200000, .region = "region"};
    struct hs_buf text = {0}, packed = {0};
    snprintf(token.addresses[0], sizeof token.addresses[0], "tcp://hub-1.example:7400");
    snprintf(token.addresses[1], sizeof token.addresses[1], "tcp://[::1]:7400");
    hs_buf_put_u8(&text, 0);
    FUZZ_CHECK(hs_token_encode(&token, &text) == HS_OK);
    put("text", hs_buf_bytes(&text));
    hs_buf_put_u8(&packed, 1);
    hs_tlv_put_text(&packed, 1, token.node_id);
    for (uint32_t number = 2; number <= 4; number++)
        hs_tlv_put_bytes(&packed, number, HS_BYTES(token.secret, sizeof token.secret));
    for (size_t i = 0; i < HS_ADDRESSES_MAX; i++)
        hs_tlv_put_text(&packed, 5, token.addresses[i % 2]);
    hs_tlv_put_u64(&packed, 6, token.expires_ms);
    hs_tlv_put_text(&packed, 7, token.region);
    put("packed", hs_buf_bytes(&packed));
    hs_buf_fini(&text);
    hs_buf_fini(&packed);
}
