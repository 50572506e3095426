/* hash.h -- BLAKE2b (RFC 7693), by libsodium's crypto_generichash, and the digests' 256-bit sums.  Pure. */
#ifndef HS_BASE_HASH_H
#define HS_BASE_HASH_H

#include "proto/base/buf.h"
#include "proto/base/names.h"

#define HS_HASH_BYTES 32

struct hs_hash {
    uint8_t bytes[HS_HASH_BYTES];
};

struct hs_hash hs_hash_of(struct hs_bytes data);
/* BLAKE2b-256(domain NUL data): @domain is a short ASCII string that names the use and its version. */
struct hs_hash hs_hash_domain(const char *domain, struct hs_bytes data);
bool hs_hash_equal(const struct hs_hash *a, const struct hs_hash *b);
bool hs_hash_is_zero(const struct hs_hash *hash);
int hs_hash_compare(const struct hs_hash *a, const struct hs_hash *b);

/* The chain of a stream: start value, and one step per op.  PROTOCOL.md, "Chain". */
struct hs_hash hs_chain_start(const struct hs_stream *stream);
struct hs_hash hs_chain_next(const struct hs_hash *previous, struct hs_bytes op);

/* Digest sums: addition and subtraction modulo 2^256, little-endian. */
void hs_sum_add(struct hs_hash *sum, const struct hs_hash *hash);
void hs_sum_subtract(struct hs_hash *sum, const struct hs_hash *hash);

#define HS_HASH_TEXT_BYTES 65
const char *hs_hash_text(const struct hs_hash *hash, char text[static HS_HASH_TEXT_BYTES]); /* lower-case hex */

#endif
