/* trust.h -- certificates, origins, checkpoints, receipts and join tokens: made, checked and encoded.  Pure:
 * libsodium's Ed25519 only; keys come as arguments.  PROTOCOL.md, "Trust". */
#ifndef HS_MSG_TRUST_H
#define HS_MSG_TRUST_H

#include "proto/base/arena.h"
#include "proto/base/hash.h"
#include "proto/base/names.h"

#define HS_KEY_BYTES          32
#define HS_SIGNATURE_BYTES    64
#define HS_TOKEN_SECRET_BYTES 32
#define HS_ADDRESSES_MAX      8
#define HS_ADDRESS_BYTES_MAX  128

struct hs_key {
    uint8_t bytes[HS_KEY_BYTES];
};
struct hs_signature {
    uint8_t bytes[HS_SIGNATURE_BYTES];
};
bool hs_key_equal(const struct hs_key *a, const struct hs_key *b); /* constant time */

/* A signing key as libsodium holds it (seed and public part).  Kept in sodium_malloc memory by its owner. */
struct hs_secret {
    uint8_t bytes[64];
};
enum hs_err hs_secret_new(struct hs_secret *secret, struct hs_key *public_key);
enum hs_err hs_secret_public(const struct hs_secret *secret, struct hs_key *public_key);

/* Who signs with the node's key: the daemon (its guarded secret) or a test. */
struct hs_signer {
    enum hs_err (*sign)(void *ctx, struct hs_bytes message, struct hs_signature *signature);
    void *ctx;
};
struct hs_signer hs_signer_of(const struct hs_secret *secret); /* borrows the secret */

/* A witness keeps for halls of its districts what no two hubs hold yet; it writes nothing. */
enum hs_role { HS_ROLE_HALL = 1, HS_ROLE_HUB = 2, HS_ROLE_WITNESS = 3 };
const char *hs_role_text(enum hs_role role);

/* What a verified certificate says.  issuer and node bodies stay available as bytes in @encoded. */
struct hs_certificate {
    char region[HS_REGION_BYTES_MAX + 1];
    char node_id[HS_NODE_ID_BYTES_MAX + 1];
    char issuer_id[HS_NODE_ID_BYTES_MAX + 1]; /* the hub that holds the issuer key */
    enum hs_role role;
    struct hs_key root_key, issuer_key, node_key, curve_key;
    hs_partition home;
    hs_partition districts[HS_SCOPE_MAX];
    size_t district_count; /* 0: all (a hub) */
    uint64_t issued_ms;
};

/* Encode one.  @root signs the issuer body (only when a hub is made), @issuer the node body.  Output: encoded
 * Certificate. */
struct hs_issuer_draft {
    const char *region;
    const char *node_id;
    struct hs_key issuer_key;
    uint64_t issued_ms;
};
enum hs_err hs_issuer_sign(const struct hs_issuer_draft *draft, const struct hs_secret *root,
                           struct hs_buf *issuer /* Signed */);
enum hs_err hs_certificate_sign(const struct hs_certificate *draft, struct hs_bytes issuer,
                                const struct hs_secret *issuer_secret, struct hs_buf *certificate);
/* Check signatures and form against the region's root.  HS_ECERT, HS_EREGION, HS_EMALFORMED. */
enum hs_err hs_certificate_verify(struct hs_bytes certificate, const struct hs_key *root, struct hs_certificate *out);
/* May this node write this kind in this partition?  A pure function of op and certificate: a "no" makes the op void.
 * Kinds 1-999 any node but a witness; 1000-1999 hubs; 2000-2999 nobody until owner grants exist. */
bool hs_certificate_allows(const struct hs_certificate *certificate, uint32_t kind, hs_partition partition);
/* Does its scope, which is what the node holds in full, contain the partition?  Hubs: all; halls: their districts and
 * the region; witnesses: nothing. */
bool hs_certificate_scope(const struct hs_certificate *certificate, hs_partition partition);
/* Is it one of the districts that the certificate names?  Those of a witness say whose halls it keeps operations for.
 */
bool hs_certificate_names(const struct hs_certificate *certificate, hs_partition partition);

/* First 8 bytes of BLAKE2b("hallsync node-name 1", node key): the node's name in frontiers. */
#define HS_NODE_HASH_BYTES 8
void hs_node_hash(const struct hs_key *node_key, uint8_t hash[static HS_NODE_HASH_BYTES]);

struct hs_opening {
    uint64_t origin;
    struct hs_key node_key;
    uint64_t follows; /* 0: none known */
    uint64_t opened_ms;
};
enum hs_err hs_opening_sign(const struct hs_opening *opening, const struct hs_signer *signer,
                            struct hs_buf *encoded /* Signed */);
enum hs_err hs_opening_verify(struct hs_bytes encoded, struct hs_opening *opening); /* HS_ESIGNATURE, HS_EMALFORMED */

/* Checkpoint: "hallsync checkpoint 1" NUL, stream key 11, n u64, h(n) 32. */
enum hs_err hs_checkpoint_sign(const struct hs_stream *stream, uint64_t n, const struct hs_hash *hash,
                               const struct hs_signer *signer, struct hs_signature *signature);
enum hs_err hs_checkpoint_verify(const struct hs_stream *stream, uint64_t n, const struct hs_hash *hash,
                                 const struct hs_key *node_key, const struct hs_signature *signature);

/* Receipt: a hub's or a witness's word that its store holds a stream up to n.  "hallsync receipt 1" NUL, store_id u64,
 * stream key 11, n u64, h(n) 32, time_ms u64. */
struct hs_receipt {
    uint64_t store_id;
    struct hs_stream stream;
    uint64_t n;
    struct hs_hash hash;
    uint64_t time_ms;
    struct hs_key hub_key;
    struct hs_signature signature;
};
enum hs_err hs_receipt_sign(struct hs_receipt *receipt, const struct hs_signer *signer); /* fills signature */
enum hs_err hs_receipt_verify(const struct hs_receipt *receipt);

struct hs_token {
    char node_id[HS_NODE_ID_BYTES_MAX + 1];
    uint8_t secret[HS_TOKEN_SECRET_BYTES];
    struct hs_key root_key;
    struct hs_key hub_curve_key;
    char addresses[HS_ADDRESSES_MAX][HS_ADDRESS_BYTES_MAX + 1];
    size_t address_count;
    uint64_t expires_ms;
    char region[HS_REGION_BYTES_MAX + 1];
};
enum hs_err hs_token_encode(const struct hs_token *token, struct hs_buf *text); /* "hsj1-...", not zero-terminated */
enum hs_err hs_token_decode(const char *text, struct hs_token *token);          /* HS_ETOKEN */

/* Proof in PeerJoin that the joiner has the node key: "hallsync join 1" NUL, secret, node_key, curve_key. */
enum hs_err hs_join_sign(const uint8_t secret[static HS_TOKEN_SECRET_BYTES], const struct hs_key *node_key,
                         const struct hs_key *curve_key, const struct hs_signer *signer, struct hs_signature *proof);
enum hs_err hs_join_verify(const uint8_t secret[static HS_TOKEN_SECRET_BYTES], const struct hs_key *node_key,
                           const struct hs_key *curve_key, const struct hs_signature *proof);

#endif
