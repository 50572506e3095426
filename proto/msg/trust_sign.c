#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/trust_signed.h"

#include <sodium.h>
#include <string.h>

#define OPENING_DOMAIN    "hallsync origin 1"
#define CHECKPOINT_DOMAIN "hallsync checkpoint 1"
#define RECEIPT_DOMAIN    "hallsync receipt 1"
#define JOIN_DOMAIN       "hallsync join 1"
#define NODE_NAME_DOMAIN  "hallsync node-name 1"

#define OPENING_ARENA_BYTES (16 * 1024)
#define CHECKPOINT_BYTES    (HS_STREAM_KEY_BYTES + 8 + HS_HASH_BYTES)
#define RECEIPT_BYTES       (8 + CHECKPOINT_BYTES + 8)
#define JOIN_BYTES          (HS_TOKEN_SECRET_BYTES + 2 * HS_KEY_BYTES)

_Static_assert(HS_KEY_BYTES == crypto_sign_PUBLICKEYBYTES, "Ed25519");
_Static_assert(HS_SIGNATURE_BYTES == crypto_sign_BYTES, "Ed25519");
_Static_assert(sizeof(struct hs_secret) == crypto_sign_SECRETKEYBYTES, "Ed25519, as libsodium holds it");

bool hs_key_equal(const struct hs_key *a, const struct hs_key *b)
{
    return sodium_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

enum hs_err hs_secret_new(struct hs_secret *secret, struct hs_key *public_key)
{
    if (sodium_init() < 0 || crypto_sign_keypair(public_key->bytes, secret->bytes) != 0)
        return HS_EIO; /* no source of randomness */
    return HS_OK;
}

enum hs_err hs_secret_public(const struct hs_secret *secret, struct hs_key *public_key)
{
    return crypto_sign_ed25519_sk_to_pk(public_key->bytes, secret->bytes) == 0 ? HS_OK : HS_EINTERNAL;
}

static enum hs_err sign_with_secret(void *ctx, struct hs_bytes message, struct hs_signature *signature)
{
    const struct hs_secret *secret = ctx;
    int failed = crypto_sign_detached(signature->bytes, NULL, message.data, message.size, secret->bytes);
    return failed == 0 ? HS_OK : HS_EINTERNAL;
}

struct hs_signer hs_signer_of(const struct hs_secret *secret)
{
    return (struct hs_signer){.sign = sign_with_secret, .ctx = (void *)secret};
}

/* ---- what is signed: the domain, a zero, the body ---- */

/* In one allocation, so that a secret in it leaves no other copy behind. */
static enum hs_err put_signed_bytes(const char *domain, struct hs_bytes body, struct hs_buf *message)
{
    size_t domain_bytes = strlen(domain) + 1;
    uint8_t *at = hs_buf_extend(message, domain_bytes + body.size);
    if (at == NULL)
        return message->err;
    memcpy(at, domain, domain_bytes);
    if (body.size > 0)
        memcpy(at + domain_bytes, body.data, body.size);
    return HS_OK;
}

static void wipe(struct hs_buf *buf)
{
    if (buf->data != NULL)
        sodium_memzero(buf->data, buf->size);
    hs_buf_fini(buf);
}

enum hs_err hs_signature_make(const char *domain, struct hs_bytes body, const struct hs_signer *signer,
                              struct hs_signature *signature)
{
    struct hs_buf message = {0};
    enum hs_err err = put_signed_bytes(domain, body, &message);
    if (err == HS_OK)
        err = signer->sign(signer->ctx, hs_buf_bytes(&message), signature);
    wipe(&message);
    return err;
}

enum hs_err hs_signature_check(const char *domain, struct hs_bytes body, const struct hs_key *key,
                               const struct hs_signature *signature)
{
    struct hs_buf message = {0};
    enum hs_err err = put_signed_bytes(domain, body, &message);
    if (err == HS_OK && crypto_sign_verify_detached(signature->bytes, message.data, message.size, key->bytes) != 0)
        err = HS_ESIGNATURE;
    wipe(&message);
    return err;
}

enum hs_err hs_signed_make(const char *domain, const ProtobufCMessage *body, const struct hs_signer *signer,
                           struct hs_buf *encoded)
{
    struct hs_buf packed = {0};
    struct hs_signature signature;
    hs_msg_pack(body, &packed);
    enum hs_err err = packed.err;
    if (err == HS_OK)
        err = hs_signature_make(domain, hs_buf_bytes(&packed), signer, &signature);
    if (err == HS_OK) {
        Hallsync__Signed message = HALLSYNC__SIGNED__INIT;
        message.body = (ProtobufCBinaryData){packed.size, packed.data};
        message.signature = (ProtobufCBinaryData){sizeof signature.bytes, signature.bytes};
        hs_msg_pack(&message.base, encoded);
        err = encoded->err;
    }
    hs_buf_fini(&packed);
    return err;
}

bool hs_fixed_read(const ProtobufCBinaryData *from, uint8_t *to, size_t size)
{
    if (from->len != size)
        return false;
    memcpy(to, from->data, size);
    return true;
}

bool hs_line_read(const char *from, char *to, size_t bytes_max)
{
    size_t size = strlen(from);
    if (size == 0 || size > bytes_max)
        return false;
    memcpy(to, from, size + 1);
    return true;
}

void hs_node_hash(const struct hs_key *node_key, uint8_t hash[static HS_NODE_HASH_BYTES])
{
    struct hs_hash whole = hs_hash_domain(NODE_NAME_DOMAIN, HS_BYTES(node_key->bytes, sizeof node_key->bytes));
    memcpy(hash, whole.bytes, HS_NODE_HASH_BYTES);
}

/* ---- openings ---- */

enum hs_err hs_opening_sign(const struct hs_opening *opening, const struct hs_signer *signer, struct hs_buf *encoded)
{
    if (opening->origin == 0)
        return HS_EINVAL;
    struct hs_key node_key = opening->node_key;
    Hallsync__OriginBody body = HALLSYNC__ORIGIN_BODY__INIT;
    body.origin = opening->origin;
    body.node_key = (ProtobufCBinaryData){sizeof node_key.bytes, node_key.bytes};
    body.has_follows = opening->follows != 0;
    body.follows = opening->follows;
    body.opened_ms = opening->opened_ms;
    return hs_signed_make(OPENING_DOMAIN, &body.base, signer, encoded);
}

static enum hs_err read_opening(struct hs_bytes bytes, struct hs_arena *arena, struct hs_opening *opening)
{
    ProtobufCMessage *message;
    enum hs_err err = hs_msg_unpack(&hallsync__origin_body__descriptor, bytes, arena, &message);
    if (err != HS_OK)
        return err;
    const Hallsync__OriginBody *body = (const Hallsync__OriginBody *)message;
    *opening = (struct hs_opening){.origin = body->origin, .opened_ms = body->opened_ms};
    opening->follows = body->has_follows ? body->follows : 0;
    bool key = hs_fixed_read(&body->node_key, opening->node_key.bytes, sizeof opening->node_key.bytes);
    return key && opening->origin != 0 ? HS_OK : HS_EMALFORMED;
}

static enum hs_err verify_opening(struct hs_bytes encoded, struct hs_arena *arena, struct hs_opening *opening)
{
    ProtobufCMessage *message;
    enum hs_err err = hs_msg_unpack(&hallsync__signed__descriptor, encoded, arena, &message);
    if (err != HS_OK)
        return err;
    const Hallsync__Signed *outer = (const Hallsync__Signed *)message;
    struct hs_bytes body = HS_BYTES(outer->body.data, outer->body.len);
    struct hs_signature signature;
    if (message->n_unknown_fields != 0 || !hs_fixed_read(&outer->signature, signature.bytes, sizeof signature.bytes))
        return HS_EMALFORMED;
    err = read_opening(body, arena, opening);
    return err == HS_OK ? hs_signature_check(OPENING_DOMAIN, body, &opening->node_key, &signature) : err;
}

enum hs_err hs_opening_verify(struct hs_bytes encoded, struct hs_opening *opening)
{
    if (encoded.size > HS_OPENING_BYTES_MAX)
        return HS_EMALFORMED;
    struct hs_arena arena;
    struct hs_opening read;
    hs_arena_init(&arena, OPENING_ARENA_BYTES);
    enum hs_err err = verify_opening(encoded, &arena, &read);
    if (err == HS_OK)
        *opening = read;
    hs_arena_fini(&arena);
    return err;
}

/* ---- checkpoints, receipts, the joiner's proof: bodies of fixed layout ---- */

static void put_checkpoint(const struct hs_stream *stream, uint64_t n, const struct hs_hash *hash,
                           uint8_t body[static CHECKPOINT_BYTES])
{
    hs_stream_key(stream, body);
    hs_be64(body + HS_STREAM_KEY_BYTES, n);
    memcpy(body + HS_STREAM_KEY_BYTES + 8, hash->bytes, HS_HASH_BYTES);
}

enum hs_err hs_checkpoint_sign(const struct hs_stream *stream, uint64_t n, const struct hs_hash *hash,
                               const struct hs_signer *signer, struct hs_signature *signature)
{
    uint8_t body[CHECKPOINT_BYTES];
    put_checkpoint(stream, n, hash, body);
    return hs_signature_make(CHECKPOINT_DOMAIN, HS_BYTES(body, sizeof body), signer, signature);
}

enum hs_err hs_checkpoint_verify(const struct hs_stream *stream, uint64_t n, const struct hs_hash *hash,
                                 const struct hs_key *node_key, const struct hs_signature *signature)
{
    uint8_t body[CHECKPOINT_BYTES];
    put_checkpoint(stream, n, hash, body);
    return hs_signature_check(CHECKPOINT_DOMAIN, HS_BYTES(body, sizeof body), node_key, signature);
}

static void put_receipt(const struct hs_receipt *receipt, uint8_t body[static RECEIPT_BYTES])
{
    hs_be64(body, receipt->store_id);
    put_checkpoint(&receipt->stream, receipt->n, &receipt->hash, body + 8);
    hs_be64(body + 8 + CHECKPOINT_BYTES, receipt->time_ms);
}

enum hs_err hs_receipt_sign(struct hs_receipt *receipt, const struct hs_signer *signer)
{
    uint8_t body[RECEIPT_BYTES];
    put_receipt(receipt, body);
    return hs_signature_make(RECEIPT_DOMAIN, HS_BYTES(body, sizeof body), signer, &receipt->signature);
}

enum hs_err hs_receipt_verify(const struct hs_receipt *receipt)
{
    uint8_t body[RECEIPT_BYTES];
    put_receipt(receipt, body);
    return hs_signature_check(RECEIPT_DOMAIN, HS_BYTES(body, sizeof body), &receipt->hub_key, &receipt->signature);
}

static void put_join(const uint8_t secret[static HS_TOKEN_SECRET_BYTES], const struct hs_key *node_key,
                     const struct hs_key *curve_key, uint8_t body[static JOIN_BYTES])
{
    memcpy(body, secret, HS_TOKEN_SECRET_BYTES);
    memcpy(body + HS_TOKEN_SECRET_BYTES, node_key->bytes, HS_KEY_BYTES);
    memcpy(body + HS_TOKEN_SECRET_BYTES + HS_KEY_BYTES, curve_key->bytes, HS_KEY_BYTES);
}

enum hs_err hs_join_sign(const uint8_t secret[static HS_TOKEN_SECRET_BYTES], const struct hs_key *node_key,
                         const struct hs_key *curve_key, const struct hs_signer *signer, struct hs_signature *proof)
{
    uint8_t body[JOIN_BYTES];
    put_join(secret, node_key, curve_key, body);
    enum hs_err err = hs_signature_make(JOIN_DOMAIN, HS_BYTES(body, sizeof body), signer, proof);
    sodium_memzero(body, sizeof body);
    return err;
}

enum hs_err hs_join_verify(const uint8_t secret[static HS_TOKEN_SECRET_BYTES], const struct hs_key *node_key,
                           const struct hs_key *curve_key, const struct hs_signature *proof)
{
    uint8_t body[JOIN_BYTES];
    put_join(secret, node_key, curve_key, body);
    enum hs_err err = hs_signature_check(JOIN_DOMAIN, HS_BYTES(body, sizeof body), node_key, proof);
    sodium_memzero(body, sizeof body);
    return err;
}
