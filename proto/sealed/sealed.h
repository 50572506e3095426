/* sealed.h -- a sealed file: the container of backups and bundles.  Items of bytes and a manifest, compressed,
 * encrypted to some recipients and signed by a node; what was changed, cut or exchanged is refused.  PROTOCOL.md,
 * "Files".  Pure but for the callbacks: sealed_file.h has those of a file.
 *
 * Threads: a sealer or unsealer is used by one thread at a time.  Randomness: libsodium's. */
#ifndef HS_SEALED_SEALED_H
#define HS_SEALED_SEALED_H

#include "proto/msg/trust.h"

/* X(constant, number in the file, text) */
#define HS_SEALED_PURPOSES(X)        \
    X(HS_SEALED_BACKUP, 1, "backup") \
    X(HS_SEALED_BUNDLE, 2, "bundle") \
    X(HS_SEALED_RECEIPTS, 3, "receipts")
enum hs_sealed_purpose {
#define X(constant, number, text) constant = number,
    HS_SEALED_PURPOSES(X)
#undef X
};
const char *hs_sealed_purpose_text(enum hs_sealed_purpose purpose); /* "backup"; "file" for one that is not known */

#define HS_SEALED_KEY_BYTES 32

/* One thing in a file: what its type means, the purpose's owner says. */
struct hs_sealed_item {
    uint8_t type; /* 1..255; 0: there is no more */
    struct hs_bytes bytes;
};

/* ---- writing ---- */

struct hs_sealed_sink {
    enum hs_err (*write)(void *ctx, struct hs_bytes bytes);
    void *ctx;
};
struct hs_sealed_draft {
    enum hs_sealed_purpose purpose;
    struct hs_key root_key;
    struct hs_bytes certificate; /* of the sender, encoded; verified by the caller */
    struct hs_signer signer;     /* with the sender's node key */
    const struct hs_key *recipients;
    size_t recipient_count; /* 1..HS_SEALED_RECIPIENTS_MAX */
    uint64_t made_ms;
};
struct hs_sealer;
/* Writes the header.  HS_EINVAL: number of recipients, or a key that is none; HS_ENOMEM; what the sink says.  What the
 * draft points to is copied, but for the signer's and the sink's ctx. */
enum hs_err hs_sealer_open(const struct hs_sealed_draft *draft, const struct hs_sealed_sink *sink,
                           struct hs_sealer **sealer, struct hs_why *why);
/* HS_ETOOBIG: the bytes are over HS_SEALED_ITEM_BYTES_MAX; HS_ENOMEM; what the sink says.  After a failure every call
 * answers the same. */
enum hs_err hs_sealer_put(struct hs_sealer *sealer, uint8_t type, struct hs_bytes bytes);
/* The manifest (at most HS_SEALED_MANIFEST_BYTES_MAX) and the signature.  Only then the file is whole. */
enum hs_err hs_sealer_finish(struct hs_sealer *sealer, struct hs_bytes manifest);
uint64_t hs_sealer_bytes(const struct hs_sealer *sealer); /* given to the sink so far; up to a block is held back */
/* The key of the blocks, for who reads the file back and is no recipient.  Wiped with the sealer. */
const uint8_t *hs_sealer_key(const struct hs_sealer *sealer);
const struct hs_hash *hs_sealer_hash(const struct hs_sealer *sealer); /* of the whole file, once finished: its name */
void hs_sealer_close(struct hs_sealer *sealer);                       /* NULL is fine */

/* ---- reading ---- */

struct hs_sealed_source {
    /* At most @size bytes; *got 0: the end. */
    enum hs_err (*read)(void *ctx, uint8_t *to, size_t size, size_t *got);
    void *ctx;
};
struct hs_sealed_opening {
    enum hs_sealed_purpose purpose;  /* 0: any */
    const struct hs_key *root_key;   /* of the region that it must be of; NULL: any */
    const struct hs_key *public_key; /* of the recipient who opens it, with its secret; NULL: */
    const uint8_t *secret;
    const uint8_t *file_key; /* hs_sealer_key of the file; NULL as well: nothing can be opened, header, form and
                                signature are checked, and there are no items and no manifest */
};
struct hs_sealed_header {
    enum hs_sealed_purpose purpose;
    struct hs_key root_key;
    struct hs_certificate sender; /* verified against root_key */
    struct hs_bytes certificate;  /* encoded */
    uint64_t made_ms;
    size_t recipient_count;
};
struct hs_unsealer;
/* Reads and checks the header.  HS_ENOTSEALED: something else; HS_ENEWERFILE: made by a later version; HS_EPURPOSE;
 * HS_EREGION; HS_ERECIPIENT: sealed to others; HS_ECERT: the sender's certificate does not hold; HS_ECUTSHORT;
 * HS_EDAMAGED; HS_ENOMEM; what the source says.  @why says it in a sentence. */
enum hs_err hs_unsealer_open(const struct hs_sealed_opening *opening, const struct hs_sealed_source *source,
                             struct hs_unsealer **unsealer, struct hs_why *why);
const struct hs_sealed_header *hs_unsealer_header(const struct hs_unsealer *unsealer); /* lives with the unsealer */
/* The next item, valid until the next call.  Of type 0: that was all, and all of it is as its sender made it.  Before
 * that end nothing may count for good: read the file once for its end, and again for what is in it (comparing
 * hs_unsealer_hash at both ends), or put what is read aside.  HS_ECUTSHORT; HS_EDAMAGED; HS_ESIGNATURE: not signed by
 * the sender of the header; HS_ENOMEM; what the source says; afterwards the same again. */
enum hs_err hs_unsealer_next(struct hs_unsealer *unsealer, struct hs_sealed_item *item, struct hs_why *why);
/* All that is left, read for its end. */
enum hs_err hs_unsealer_verify(struct hs_unsealer *unsealer, struct hs_why *why);
struct hs_bytes hs_unsealer_manifest(const struct hs_unsealer *unsealer);   /* at the end; else none */
const struct hs_hash *hs_unsealer_hash(const struct hs_unsealer *unsealer); /* of the whole file; at the end */
void hs_unsealer_close(struct hs_unsealer *unsealer);                       /* NULL is fine */

/* ---- several of them, one behind the other ---- */

/* The size of the one at the beginning of @bytes, by its form alone.  HS_ECUTSHORT: more is needed, as of no bytes;
 * HS_ETOOBIG: it would be over @most; HS_ENOTSEALED; HS_ENEWERFILE; HS_EDAMAGED: no such header or block. */
enum hs_err hs_sealed_size(struct hs_bytes bytes, size_t most, size_t *size);

#endif
