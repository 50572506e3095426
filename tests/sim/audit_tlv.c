/* audit_tlv.c -- fields of protobuf messages and texts of ids, read by PROTOCOL.md sections 3.2 and 3.4. */
#include "tests/sim/audit_inside.h"

#include <sodium.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static uint64_t little_endian(struct hs_bytes bytes)
{
    uint64_t value = 0;
    for (size_t i = bytes.size; i > 0; i--)
        value = value << 8 | bytes.data[i - 1];
    return value;
}

bool audit_tlv_next(struct hs_cur *cur, struct audit_tlv *tlv)
{
    const uint8_t *start = cur->at;
    if (cur->left == 0 || cur->err != HS_OK)
        return false;
    uint64_t tag = hs_cur_varint(cur);
    *tlv = (struct audit_tlv){.number = (uint32_t)(tag >> 3), .wire = tag & 7};
    if (tag >> 3 == 0 || tag >> 3 > HS_FIELD_NUMBER_MAX)
        hs_cur_fail(cur);
    if (tlv->wire == WIRE_VARINT)
        tlv->value = hs_cur_varint(cur);
    else if (tlv->wire == WIRE_BYTES)
        tlv->data = hs_cur_sized(cur);
    else if (tlv->wire == WIRE_FIXED64 || tlv->wire == WIRE_FIXED32)
        tlv->value = little_endian(hs_cur_take(cur, tlv->wire == WIRE_FIXED64 ? 8 : 4));
    else
        hs_cur_fail(cur);
    if (cur->err != HS_OK)
        return false;
    tlv->raw = HS_BYTES(start, (size_t)(cur->at - start));
    return true;
}

struct audit_tlv audit_tlv_find(struct hs_bytes message, uint32_t number)
{
    struct hs_cur cur = hs_cur_of(message);
    struct audit_tlv tlv, found = {0};
    while (audit_tlv_next(&cur, &tlv)) {
        if (tlv.number == number)
            found = tlv;
    }
    return found;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 32 hexadecimal digits, or a UUID of the form 8-4-4-4-12. */
static bool from_hex(const char *text, uint8_t id[static 16])
{
    size_t size = strlen(text), digits = 0;
    if (size != 32 && size != 36)
        return false;
    for (size_t i = 0; i < size; i++) {
        bool dash = size == 36 && (i == 8 || i == 13 || i == 18 || i == 23);
        int digit = hex_digit(text[i]);
        if (dash != (text[i] == '-') || (!dash && digit < 0))
            return false;
        if (dash)
            continue;
        id[digits / 2] = (uint8_t)(digits % 2 == 0 ? digit << 4 : id[digits / 2] | digit);
        digits++;
    }
    return true;
}

bool audit_id(const char *text, uint8_t id[static 16])
{
    static const char DOMAIN[] = "hallsync id 1"; /* with its zero */
    crypto_generichash_state state;
    if (from_hex(text, id))
        return true;
    crypto_generichash_init(&state, NULL, 0, 16);
    crypto_generichash_update(&state, (const uint8_t *)DOMAIN, sizeof DOMAIN);
    crypto_generichash_update(&state, (const uint8_t *)text, strlen(text));
    crypto_generichash_final(&state, id, 16);
    return false;
}
