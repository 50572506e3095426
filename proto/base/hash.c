#include "proto/base/hash.h"

#include "proto/base/text.h"

#include <sodium.h>
#include <string.h>

_Static_assert(HS_HASH_TEXT_BYTES == 2 * HS_HASH_BYTES + 1, "two digits a byte and the zero");

/* BLAKE2b-256 of the two, one after the other; it cannot fail with this output size and no key. */
static struct hs_hash hash_pair(struct hs_bytes first, struct hs_bytes second)
{
    struct hs_hash hash;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash.bytes);
    crypto_generichash_update(&state, first.data, first.size);
    crypto_generichash_update(&state, second.data, second.size);
    crypto_generichash_final(&state, hash.bytes, sizeof hash.bytes);
    return hash;
}

struct hs_hash hs_hash_of(struct hs_bytes data)
{
    return hash_pair(data, HS_BYTES_NONE);
}

struct hs_hash hs_hash_domain(const char *domain, struct hs_bytes data)
{
    return hash_pair(HS_BYTES(domain, strlen(domain) + 1), data);
}

bool hs_hash_equal(const struct hs_hash *a, const struct hs_hash *b)
{
    return hs_hash_compare(a, b) == 0;
}

bool hs_hash_is_zero(const struct hs_hash *hash)
{
    static const struct hs_hash ZERO;
    return hs_hash_equal(hash, &ZERO);
}

int hs_hash_compare(const struct hs_hash *a, const struct hs_hash *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

struct hs_hash hs_chain_start(const struct hs_stream *stream)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_stream_key(stream, key);
    return hs_hash_domain("hallsync chain 1", HS_BYTES(key, sizeof key));
}

struct hs_hash hs_chain_next(const struct hs_hash *previous, struct hs_bytes op)
{
    return hash_pair(HS_BYTES(previous->bytes, sizeof previous->bytes), op);
}

void hs_sum_add(struct hs_hash *sum, const struct hs_hash *hash)
{
    unsigned carry = 0;
    for (size_t i = 0; i < HS_HASH_BYTES; i++) {
        carry += (unsigned)sum->bytes[i] + hash->bytes[i];
        sum->bytes[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

void hs_sum_subtract(struct hs_hash *sum, const struct hs_hash *hash)
{
    unsigned borrow = 0;
    for (size_t i = 0; i < HS_HASH_BYTES; i++) {
        unsigned taken = hash->bytes[i] + borrow;
        borrow = sum->bytes[i] < taken;
        sum->bytes[i] = (uint8_t)(sum->bytes[i] - taken);
    }
}

const char *hs_hash_text(const struct hs_hash *hash, char text[static HS_HASH_TEXT_BYTES])
{
    hs_text_to_hex(HS_BYTES(hash->bytes, sizeof hash->bytes), text);
    return text;
}
