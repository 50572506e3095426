/* A record's hashes, and the leaf that it is counted in.  The first two are BLAKE2b-256 over a domain with its zero,
 * then record: the record's key (partition be16, lane u8, kind be16, id), the canonical state inputs: u64 how many
 * applied numbers, of each, ascending, origin u64 and n u64; then of each variant, ascending by hash, its hash, stamp
 * u64, origin u64, n u64
 *
 * A variant's stamp and dot are among the inputs because a fact that came under a second, lower name has had one more
 * input than elsewhere: that is lag, not damage. */
#include "storage/model/record.h"

#include <sodium.h>

static void begin(crypto_generichash_state *state, const char *domain, size_t domain_size)
{
    crypto_generichash_init(state, NULL, 0, HS_HASH_BYTES);
    crypto_generichash_update(state, (const unsigned char *)domain, domain_size);
}

static struct hs_hash end(crypto_generichash_state *state)
{
    struct hs_hash hash;
    crypto_generichash_final(state, hash.bytes, sizeof hash.bytes);
    return hash;
}

struct hs_hash hs_record_hash(const struct hs_record_name *name, struct hs_bytes bytes)
{
    static const char DOMAIN[] = "hallsync record 1";
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    crypto_generichash_state state;
    begin(&state, DOMAIN, sizeof DOMAIN);
    crypto_generichash_update(&state, key, hs_record_key(name, key));
    crypto_generichash_update(&state, bytes.data, bytes.size);
    return end(&state);
}

uint32_t hs_record_leaf(const struct hs_record_name *name)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_hash hash = hs_hash_domain("hallsync leaf 1", HS_BYTES(key, hs_record_key(name, key)));
    return (uint32_t)hash.bytes[0] << 4 | hash.bytes[1] >> 4;
}

static void add_u64(crypto_generichash_state *state, uint64_t value)
{
    uint8_t raw[8];
    hs_be64(raw, value);
    crypto_generichash_update(state, raw, sizeof raw);
}

static void add_dot(crypto_generichash_state *state, const struct hs_dot *dot)
{
    add_u64(state, dot->origin);
    add_u64(state, dot->n);
}

struct hs_hash hs_record_inputs(const struct hs_record *record)
{
    static const char DOMAIN[] = "hallsync inputs 1";
    crypto_generichash_state state;
    begin(&state, DOMAIN, sizeof DOMAIN);
    add_u64(&state, record->applied_count);
    for (size_t i = 0; i < record->applied_count; i++)
        add_dot(&state, &record->applied[i]);
    for (size_t i = 0; i < record->variant_count; i++) {
        const struct hs_variant *variant = &record->variants[i];
        crypto_generichash_update(&state, variant->hash.bytes, sizeof variant->hash.bytes);
        add_u64(&state, variant->stamp);
        add_dot(&state, &variant->dot);
    }
    return end(&state);
}
