/* remembered.c -- Ed25519 answers remembered, for targets that would spend their time with it: signing and verifying
 * are functions of their arguments, and a fuzzer asks for the same ones again and again.  Linked by --wrap, so that the
 * code under test is what it is elsewhere.  A question is known by 32 bytes of BLAKE2b over all of it. */
#include "proto/base/buf.h"

#include <sodium.h>
#include <string.h>

#define PLACES      4096
#define KNOWN_BYTES 32

enum question { SIGN, VERIFY, KEYPAIR };

static struct place {
    bool taken;
    uint8_t known[KNOWN_BYTES];
    int result;
    uint8_t answer[crypto_sign_SECRETKEYBYTES + crypto_sign_PUBLICKEYBYTES];
} places[PLACES];

/* The place of a question, where its answer is or is to go. */
static struct place *place_of(enum question question, struct hs_bytes a, struct hs_bytes b, struct hs_bytes c,
                              bool *found)
{
    const struct hs_bytes parts[] = {a, b, c};
    uint8_t known[KNOWN_BYTES], head[9] = {(uint8_t)question};
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof known);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        hs_be64(head + 1, parts[i].size);
        crypto_generichash_update(&state, head, sizeof head);
        crypto_generichash_update(&state, parts[i].data, parts[i].size);
    }
    crypto_generichash_final(&state, known, sizeof known);
    struct place *place = &places[(known[0] << 8 | known[1]) % PLACES];
    *found = place->taken && memcmp(place->known, known, sizeof known) == 0;
    place->taken = true;
    memcpy(place->known, known, sizeof known);
    return place;
}

#define WRAPPED(name, ...)          \
    int __real_##name(__VA_ARGS__); \
    int __wrap_##name(__VA_ARGS__); \
    int __wrap_##name(__VA_ARGS__)

WRAPPED(crypto_sign_detached, unsigned char *signature, unsigned long long *size, const unsigned char *message,
        unsigned long long message_size, const unsigned char *secret)
{
    bool found;
    struct place *place = place_of(SIGN, HS_BYTES(message, message_size), HS_BYTES(secret, crypto_sign_SECRETKEYBYTES),
                                   HS_BYTES_NONE, &found);
    if (!found)
        place->result = __real_crypto_sign_detached(place->answer, NULL, message, message_size, secret);
    memcpy(signature, place->answer, crypto_sign_BYTES);
    if (size != NULL)
        *size = crypto_sign_BYTES;
    return place->result;
}

WRAPPED(crypto_sign_verify_detached, const unsigned char *signature, const unsigned char *message,
        unsigned long long message_size, const unsigned char *key)
{
    bool found;
    struct place *place = place_of(VERIFY, HS_BYTES(message, message_size), HS_BYTES(key, crypto_sign_PUBLICKEYBYTES),
                                   HS_BYTES(signature, crypto_sign_BYTES), &found);
    if (!found)
        place->result = __real_crypto_sign_verify_detached(signature, message, message_size, key);
    return place->result;
}

WRAPPED(crypto_sign_seed_keypair, unsigned char *key, unsigned char *secret, const unsigned char *seed)
{
    bool found;
    struct place *place = place_of(KEYPAIR, HS_BYTES(seed, crypto_sign_SEEDBYTES), HS_BYTES_NONE, HS_BYTES_NONE,
                                   &found);
    if (!found)
        place->result = __real_crypto_sign_seed_keypair(place->answer + crypto_sign_SECRETKEYBYTES, place->answer,
                                                        seed);
    memcpy(secret, place->answer, crypto_sign_SECRETKEYBYTES);
    memcpy(key, place->answer + crypto_sign_SECRETKEYBYTES, crypto_sign_PUBLICKEYBYTES);
    return place->result;
}
