/* sealed_world.h -- a region's keys of fixed seeds, recipients, and sealed files in memory, from the same random
 * numbers in every process. */
#ifndef HS_TESTS_SEALED_WORLD_H
#define HS_TESTS_SEALED_WORLD_H

#include "proto/sealed/recovery.h"
#include "proto/sealed/sealed.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sealed_world {
    struct hs_secret root, issuer, node;
    struct hs_key root_key, issuer_key, node_key;
    struct hs_signer signer;
    struct hs_buf issuer_signed, certificate;
    struct hs_key recipient[3];
    uint8_t secret[3][HS_SEALED_KEY_BYTES];
};

/* ---- random numbers that repeat ---- */

static inline const char *sealed_random_name(void)
{
    return "repeating";
}
static inline void sealed_random_buf(void *to, size_t size)
{
    static uint64_t drawn;
    uint8_t seed[randombytes_SEEDBYTES] = {0};
    hs_be64(seed, ++drawn);
    randombytes_buf_deterministic(to, size, seed);
}
static inline uint32_t sealed_random(void)
{
    uint32_t value;
    sealed_random_buf(&value, sizeof value);
    return value;
}
static inline void sealed_repeat_random(void)
{
    static struct randombytes_implementation implementation = {
        .implementation_name = sealed_random_name, .random = sealed_random, .buf = sealed_random_buf};
    randombytes_set_implementation(&implementation);
}

/* ---- the region ---- */

static inline void sealed_must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "sealed_world: %s\n", what);
    abort();
}

static inline void sealed_keypair(uint8_t number, struct hs_secret *secret, struct hs_key *key)
{
    uint8_t seed[crypto_sign_SEEDBYTES];
    memset(seed, number, sizeof seed);
    sealed_must(crypto_sign_seed_keypair(key->bytes, secret->bytes, seed) == 0, "key pair");
}

static inline void sealed_world_init(struct sealed_world *world)
{
    memset(world, 0, sizeof *world);
    sealed_repeat_random();
    sealed_must(sodium_init() >= 0, "libsodium");
    sealed_keypair(1, &world->root, &world->root_key);
    sealed_keypair(2, &world->issuer, &world->issuer_key);
    sealed_keypair(3, &world->node, &world->node_key);
    world->signer = hs_signer_of(&world->node);
    struct hs_issuer_draft issuer = {"Jiangbei", "jb-hub", world->issuer_key, 1000};
    sealed_must(hs_issuer_sign(&issuer, &world->root, &world->issuer_signed) == HS_OK, "issuer");
    struct hs_certificate draft = {.node_id = "jb-hub", .role = HS_ROLE_HUB, .node_key = world->node_key, .home = 3201};
    memset(draft.curve_key.bytes, 0xcc, sizeof draft.curve_key.bytes);
    sealed_must(hs_certificate_sign(&draft, hs_buf_bytes(&world->issuer_signed), &world->issuer, &world->certificate) ==
                    HS_OK,
                "certificate");
    for (uint8_t i = 0; i < 3; i++) {
        memset(world->secret[i], 0x40 + i, sizeof world->secret[i]);
        sealed_must(hs_recovery_public(world->secret[i], &world->recipient[i]) == HS_OK, "recipient");
    }
}

static inline void sealed_world_fini(struct sealed_world *world)
{
    hs_buf_fini(&world->issuer_signed);
    hs_buf_fini(&world->certificate);
}

/* To the first @recipients of the world's. */
static inline struct hs_sealed_draft sealed_draft(const struct sealed_world *world, enum hs_sealed_purpose purpose,
                                                  size_t recipients)
{
    return (struct hs_sealed_draft){.purpose = purpose,
                                    .root_key = world->root_key,
                                    .certificate = hs_buf_bytes(&world->certificate),
                                    .signer = world->signer,
                                    .recipients = world->recipient,
                                    .recipient_count = recipients,
                                    .made_ms = 1795233600000};
}

/* As the world's recipient @number; another than 0 to 2: without a key. */
static inline struct hs_sealed_opening sealed_opening(const struct sealed_world *world, unsigned number)
{
    struct hs_sealed_opening opening = {.root_key = &world->root_key};
    if (number < 3) {
        opening.public_key = &world->recipient[number];
        opening.secret = world->secret[number];
    }
    return opening;
}

/* ---- files in memory ---- */

static inline enum hs_err sealed_write(void *ctx, struct hs_bytes bytes)
{
    struct hs_buf *buf = ctx;
    hs_buf_put_bytes(buf, bytes);
    return buf->err;
}
static inline struct hs_sealed_sink sealed_sink(struct hs_buf *buf)
{
    return (struct hs_sealed_sink){sealed_write, buf};
}

/* In pieces of at most @piece bytes. */
struct sealed_memory {
    struct hs_bytes left;
    size_t piece;
};
static inline enum hs_err sealed_read(void *ctx, uint8_t *to, size_t size, size_t *got)
{
    struct sealed_memory *memory = ctx;
    *got = memory->left.size < size ? memory->left.size : size;
    if (memory->piece != 0 && *got > memory->piece)
        *got = memory->piece;
    if (*got > 0)
        memcpy(to, memory->left.data, *got);
    memory->left = HS_BYTES(memory->left.data + *got, memory->left.size - *got);
    return HS_OK;
}

/* Items and manifest as one text: "type:bytes;...|manifest". */
static inline enum hs_err sealed_read_all(const struct hs_sealed_opening *opening, struct hs_bytes file,
                                          struct hs_buf *said, struct hs_why *why)
{
    struct sealed_memory memory = {.left = file, .piece = 0};
    struct hs_sealed_source source = {sealed_read, &memory};
    struct hs_unsealer *unsealer;
    struct hs_sealed_item item = {.type = 1};
    enum hs_err err = hs_unsealer_open(opening, &source, &unsealer, why);
    while (err == HS_OK && item.type != 0) {
        err = hs_unsealer_next(unsealer, &item, why);
        if (err != HS_OK || item.type == 0)
            break;
        hs_buf_put_format(said, "%u:", item.type);
        hs_buf_put_bytes(said, item.bytes);
        hs_buf_put(said, ";", 1);
    }
    if (err == HS_OK) {
        hs_buf_put(said, "|", 1);
        hs_buf_put_bytes(said, hs_unsealer_manifest(unsealer));
    }
    hs_unsealer_close(unsealer);
    return err;
}

#endif
