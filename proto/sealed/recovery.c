#include "proto/sealed/recovery.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define PREFIX         "hsr1-"
#define DOMAIN         "hallsync recovery 1" /* of the checksum */
#define CHECKSUM_BYTES 4
#define RAW_BYTES      (HS_KEY_BYTES + CHECKSUM_BYTES)
#define BASE64         sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define TEXT_BYTES     (sizeof PREFIX + 4 * RAW_BYTES / 3)

_Static_assert(TEXT_BYTES <= HS_RECOVERY_TEXT_BYTES, "the text fits");

enum hs_err hs_recovery_public(const uint8_t secret[static HS_SEALED_KEY_BYTES], struct hs_key *key)
{
    return sodium_init() >= 0 && crypto_scalarmult_base(key->bytes, secret) == 0 ? HS_OK : HS_EINVAL;
}

static void put_raw(const struct hs_key *key, uint8_t raw[static RAW_BYTES])
{
    struct hs_hash hash = hs_hash_domain(DOMAIN, HS_BYTES(key->bytes, sizeof key->bytes));
    memcpy(raw, key->bytes, sizeof key->bytes);
    memcpy(raw + sizeof key->bytes, hash.bytes, CHECKSUM_BYTES);
}

const char *hs_recovery_text(const struct hs_key *key, char text[static HS_RECOVERY_TEXT_BYTES])
{
    uint8_t raw[RAW_BYTES];
    put_raw(key, raw);
    memcpy(text, PREFIX, sizeof PREFIX);
    sodium_bin2base64(text + sizeof PREFIX - 1, HS_RECOVERY_TEXT_BYTES - sizeof PREFIX + 1, raw, sizeof raw, BASE64);
    return text;
}

enum hs_err hs_recovery_parse(const char *text, struct hs_key *key)
{
    uint8_t raw[RAW_BYTES], expected[RAW_BYTES];
    struct hs_key read;
    size_t size = 0;
    if (strncmp(text, PREFIX, sizeof PREFIX - 1) != 0)
        return HS_EVALUE;
    text += sizeof PREFIX - 1;
    if (sodium_base642bin(raw, sizeof raw, text, strlen(text), NULL, &size, NULL, BASE64) != 0 || size != sizeof raw)
        return HS_EVALUE;
    memcpy(read.bytes, raw, sizeof read.bytes);
    put_raw(&read, expected);
    if (memcmp(raw, expected, sizeof raw) != 0)
        return HS_EVALUE;
    *key = read;
    return HS_OK;
}
