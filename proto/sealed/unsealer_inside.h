/* unsealer_inside.h -- the reader of a sealed file: header.c begins, unsealer.c goes on. */
#ifndef HS_SEALED_UNSEALER_INSIDE_H
#define HS_SEALED_UNSEALER_INSIDE_H

#include "proto/sealed/sealed_inside.h"

#include <zstd.h>
#include <zstd_errors.h>

enum sealed_part { SEALED_CONTENT, SEALED_MANIFEST, SEALED_END };

struct hs_unsealer {
    struct hs_sealed_source source;
    struct hs_sealed_header header;
    struct hs_buf certificate; /* header.certificate */
    bool can_open;
    crypto_secretstream_xchacha20poly1305_state stream;
    crypto_generichash_state hashing; /* all that was read */
    struct hs_hash header_hash, hash;
    ZSTD_DCtx *zstd;
    enum sealed_part part;
    bool at_end;                      /* all has been read and is right */
    uint64_t bytes;                   /* read */
    uint8_t *cipher, *packed, *plain; /* a block */
    const uint8_t *plain_at;
    size_t plain_left;
    struct hs_buf item; /* one that lies in several blocks */
    struct hs_buf manifest;
    enum hs_err err;
    struct hs_why said;
};

/* Exactly @size bytes, hashed; HS_ECUTSHORT. */
enum hs_err hs_unsealer_take(struct hs_unsealer *unsealer, uint8_t *to, size_t size, struct hs_why *why);
/* Read and check the header, and find the key. */
enum hs_err hs_unsealer_begin(struct hs_unsealer *unsealer, const struct hs_sealed_opening *opening,
                              struct hs_why *why);

#endif
