/* sealed_inside.h -- the form of a sealed file: what its writer and its reader share. */
#ifndef HS_SEALED_INSIDE_H
#define HS_SEALED_INSIDE_H

#include "proto/sealed/sealed.h"

#include <sodium.h>

#define SEALED_DOMAIN           "hallsync sealed 1" /* of the signature */
#define SEALED_MAGIC            "hallsync sealed "
#define SEALED_VERSION          "1\n"
#define SEALED_MAGIC_BYTES      (sizeof SEALED_MAGIC - 1)
#define SEALED_BEGIN            SEALED_MAGIC SEALED_VERSION
#define SEALED_BEGIN_BYTES      (sizeof SEALED_BEGIN - 1)
#define SEALED_STREAM_BYTES     crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define SEALED_OVER_BYTES       crypto_secretstream_xchacha20poly1305_ABYTES
#define SEALED_FOR_BYTES        (HS_SEALED_KEY_BYTES + crypto_box_SEALBYTES)
/* zstd's bound for a block, and what encryption adds to it. */
#define SEALED_CIPHER_BYTES_MAX (HS_SEALED_BLOCK_BYTES + HS_SEALED_BLOCK_BYTES / 128 + 512 + SEALED_OVER_BYTES)

/* Tags of blocks: content, its last one, manifest (content's again), its last one. */
#define SEALED_TAG_MORE    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
#define SEALED_TAG_CONTENT crypto_secretstream_xchacha20poly1305_TAG_PUSH
#define SEALED_TAG_END     crypto_secretstream_xchacha20poly1305_TAG_FINAL

_Static_assert(HS_SEALED_KEY_BYTES == crypto_secretstream_xchacha20poly1305_KEYBYTES, "a file's key");
_Static_assert(HS_SEALED_KEY_BYTES == crypto_box_SECRETKEYBYTES, "X25519 secrets");
_Static_assert(HS_HASH_BYTES == crypto_generichash_BYTES, "BLAKE2b-256");

#endif
