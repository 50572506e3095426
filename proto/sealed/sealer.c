#include "proto/sealed/sealed_inside.h"

#include "proto/base/limits.h"
#include "proto/msg/frame.h"
#include "proto/msg/trust_signed.h"
#include "proto/sealed.pb-c.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define COMPRESSION 3 /* zstd's own choice: customers become a quarter, at some 200 MB a second */

struct hs_sealer {
    struct hs_sealed_sink sink;
    struct hs_signer signer;
    uint8_t key[HS_SEALED_KEY_BYTES];
    crypto_secretstream_xchacha20poly1305_state stream;
    crypto_generichash_state hashing; /* all that was written */
    struct hs_hash header_hash;       /* goes with each block, so that header and blocks belong together */
    struct hs_hash hash;
    ZSTD_CCtx *zstd;
    uint8_t *plain; /* a block that is being filled */
    size_t plain_size;
    uint8_t *packed; /* the same, compressed */
    uint8_t *cipher;
    uint64_t bytes;
    enum hs_err err;
};

const char *hs_sealed_purpose_text(enum hs_sealed_purpose purpose)
{
    switch (purpose) {
#define X(constant, number, text) \
    case constant:                \
        return text;
        HS_SEALED_PURPOSES(X)
#undef X
    }
    return "file";
}

/* ---- bytes out ---- */

static enum hs_err write_out(struct hs_sealer *sealer, struct hs_bytes bytes)
{
    if (sealer->err != HS_OK)
        return sealer->err;
    crypto_generichash_update(&sealer->hashing, bytes.data, bytes.size);
    sealer->err = sealer->sink.write(sealer->sink.ctx, bytes);
    if (sealer->err == HS_OK)
        sealer->bytes += bytes.size;
    return sealer->err;
}

static enum hs_err write_size(struct hs_sealer *sealer, size_t size)
{
    uint8_t raw[4];
    hs_be32(raw, (uint32_t)size);
    return write_out(sealer, HS_BYTES(raw, sizeof raw));
}

/* The block that was filled, in an own zstd frame: a reader needs no more memory than for one. */
static enum hs_err write_block(struct hs_sealer *sealer, uint8_t tag)
{
    if (sealer->err != HS_OK)
        return sealer->err;
    size_t room = SEALED_CIPHER_BYTES_MAX - SEALED_OVER_BYTES;
    size_t size = ZSTD_compressCCtx(sealer->zstd, sealer->packed, room, sealer->plain, sealer->plain_size, COMPRESSION);
    unsigned long long cipher_size = 0;
    if (ZSTD_isError(size))
        sealer->err = HS_ENOMEM; /* the room is enough for any block */
    else if (crypto_secretstream_xchacha20poly1305_push(&sealer->stream, sealer->cipher, &cipher_size, sealer->packed,
                                                        size, sealer->header_hash.bytes, HS_HASH_BYTES, tag) != 0)
        sealer->err = HS_EINTERNAL;
    sealer->plain_size = 0;
    write_size(sealer, (size_t)cipher_size);
    return write_out(sealer, HS_BYTES(sealer->cipher, (size_t)cipher_size));
}

static enum hs_err fill(struct hs_sealer *sealer, struct hs_bytes bytes)
{
    while (sealer->err == HS_OK && bytes.size > 0) {
        if (sealer->plain_size == HS_SEALED_BLOCK_BYTES)
            write_block(sealer, SEALED_TAG_MORE);
        size_t room = HS_SEALED_BLOCK_BYTES - sealer->plain_size;
        size_t size = bytes.size < room ? bytes.size : room;
        memcpy(sealer->plain + sealer->plain_size, bytes.data, size);
        sealer->plain_size += size;
        bytes = HS_BYTES(bytes.data + size, bytes.size - size);
    }
    return sealer->err;
}

/* ---- header ---- */

static ProtobufCBinaryData data_of(const void *bytes, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)bytes};
}

/* The file's key for one recipient. */
struct sealed_for {
    Hallsync__SealedFor message;
    uint8_t file_key[SEALED_FOR_BYTES];
};

static enum hs_err seal_key(const struct hs_sealer *sealer, const struct hs_key *recipient, struct sealed_for *to)
{
    hallsync__sealed_for__init(&to->message);
    if (crypto_box_seal(to->file_key, sealer->key, sizeof sealer->key, recipient->bytes) != 0)
        return HS_EINVAL;
    to->message.key = data_of(recipient->bytes, sizeof recipient->bytes);
    to->message.file_key = data_of(to->file_key, sizeof to->file_key);
    return HS_OK;
}

static void pack_header(const struct hs_sealed_draft *draft, struct sealed_for *recipients,
                        const uint8_t stream[static SEALED_STREAM_BYTES], struct hs_buf *packed)
{
    Hallsync__SealedFor *list[HS_SEALED_RECIPIENTS_MAX];
    for (size_t i = 0; i < draft->recipient_count; i++)
        list[i] = &recipients[i].message;
    Hallsync__SealedHeader header = HALLSYNC__SEALED_HEADER__INIT;
    header.purpose = draft->purpose;
    header.root_key = data_of(draft->root_key.bytes, sizeof draft->root_key.bytes);
    header.certificate = data_of(draft->certificate.data, draft->certificate.size);
    header.made_ms = draft->made_ms;
    header.n_recipients = draft->recipient_count;
    header.recipients = list;
    header.stream = data_of(stream, SEALED_STREAM_BYTES);
    hs_msg_pack(&header.base, packed);
}

/* Begin, size, header, and their hash, by which a damaged header is told from a strange one. */
static enum hs_err write_header(struct hs_sealer *sealer, struct hs_bytes header)
{
    struct hs_buf whole = {0};
    hs_buf_put(&whole, SEALED_BEGIN, SEALED_BEGIN_BYTES);
    hs_buf_put_u32(&whole, (uint32_t)header.size);
    hs_buf_put_bytes(&whole, header);
    if (whole.err == HS_OK)
        sealer->header_hash = hs_hash_of(hs_buf_bytes(&whole));
    hs_buf_put(&whole, sealer->header_hash.bytes, HS_HASH_BYTES);
    enum hs_err err = whole.err == HS_OK ? write_out(sealer, hs_buf_bytes(&whole)) : whole.err;
    hs_buf_fini(&whole);
    return err;
}

static enum hs_err begin(struct hs_sealer *sealer, const struct hs_sealed_draft *draft, struct hs_why *why)
{
    uint8_t stream[SEALED_STREAM_BYTES];
    struct hs_buf header = {0};
    struct sealed_for *recipients = calloc(draft->recipient_count, sizeof *recipients);
    enum hs_err err = recipients == NULL ? HS_ENOMEM : HS_OK;
    crypto_secretstream_xchacha20poly1305_keygen(sealer->key);
    crypto_secretstream_xchacha20poly1305_init_push(&sealer->stream, stream, sealer->key);
    crypto_generichash_init(&sealer->hashing, NULL, 0, HS_HASH_BYTES);
    for (size_t i = 0; i < draft->recipient_count && err == HS_OK; i++) {
        if (seal_key(sealer, &draft->recipients[i], &recipients[i]) != HS_OK)
            err = hs_fail(HS_EINVAL, why, "recipient %zu has a key that nothing can be sealed to", i + 1);
    }
    if (err == HS_OK) {
        pack_header(draft, recipients, stream, &header);
        err = header.err;
    }
    if (err == HS_OK && header.size > HS_SEALED_HEADER_BYTES_MAX)
        err = hs_fail(HS_ETOOBIG, why, "the header would have %zu bytes, and %d may be", header.size,
                      HS_SEALED_HEADER_BYTES_MAX);
    if (err == HS_OK)
        err = write_header(sealer, hs_buf_bytes(&header));
    free(recipients);
    hs_buf_fini(&header);
    return err;
}

/* ---- the object ---- */

static struct hs_sealer *make(const struct hs_sealed_draft *draft, const struct hs_sealed_sink *sink)
{
    struct hs_sealer *sealer = calloc(1, sizeof *sealer);
    if (sealer == NULL)
        return NULL;
    sealer->sink = *sink;
    sealer->signer = draft->signer;
    sealer->zstd = ZSTD_createCCtx();
    sealer->plain = malloc(HS_SEALED_BLOCK_BYTES);
    sealer->packed = malloc(SEALED_CIPHER_BYTES_MAX);
    sealer->cipher = malloc(SEALED_CIPHER_BYTES_MAX);
    if (sealer->zstd != NULL && sealer->plain != NULL && sealer->packed != NULL && sealer->cipher != NULL)
        return sealer;
    hs_sealer_close(sealer);
    return NULL;
}

enum hs_err hs_sealer_open(const struct hs_sealed_draft *draft, const struct hs_sealed_sink *sink,
                           struct hs_sealer **sealer, struct hs_why *why)
{
    *sealer = NULL;
    if (draft->recipient_count == 0 || draft->recipient_count > HS_SEALED_RECIPIENTS_MAX)
        return hs_fail(HS_EINVAL, why, "a file is sealed to 1 to %d recipients, not %zu", HS_SEALED_RECIPIENTS_MAX,
                       draft->recipient_count);
    struct hs_sealer *made = sodium_init() < 0 ? NULL : make(draft, sink);
    if (made == NULL)
        return hs_fail(HS_ENOMEM, why, "no memory to seal a file");
    enum hs_err err = begin(made, draft, why);
    if (err == HS_OK)
        *sealer = made;
    else
        hs_sealer_close(made);
    return err;
}

enum hs_err hs_sealer_put(struct hs_sealer *sealer, uint8_t type, struct hs_bytes bytes)
{
    uint8_t head[1 + 10];
    size_t size = 0;
    if (sealer->err == HS_OK && (type == 0 || bytes.size > HS_SEALED_ITEM_BYTES_MAX))
        sealer->err = type == 0 ? HS_EINVAL : HS_ETOOBIG;
    head[size++] = type;
    size_t left = bytes.size;
    for (; left >= 0x80; left >>= 7)
        head[size++] = (uint8_t)(left | 0x80);
    head[size++] = (uint8_t)left;
    fill(sealer, HS_BYTES(head, size));
    return fill(sealer, bytes);
}

enum hs_err hs_sealer_finish(struct hs_sealer *sealer, struct hs_bytes manifest)
{
    struct hs_signature signature;
    if (sealer->err == HS_OK && manifest.size > HS_SEALED_MANIFEST_BYTES_MAX)
        sealer->err = HS_ETOOBIG;
    write_block(sealer, SEALED_TAG_CONTENT);
    fill(sealer, manifest);
    write_block(sealer, SEALED_TAG_END);
    write_size(sealer, 0);
    if (sealer->err != HS_OK)
        return sealer->err;
    crypto_generichash_state hashing = sealer->hashing; /* the signature itself is not in it */
    crypto_generichash_final(&hashing, sealer->hash.bytes, HS_HASH_BYTES);
    sealer->err = hs_signature_make(SEALED_DOMAIN, HS_BYTES(sealer->hash.bytes, HS_HASH_BYTES), &sealer->signer,
                                    &signature);
    return write_out(sealer, HS_BYTES(signature.bytes, sizeof signature.bytes));
}

uint64_t hs_sealer_bytes(const struct hs_sealer *sealer)
{
    return sealer->bytes;
}

const uint8_t *hs_sealer_key(const struct hs_sealer *sealer)
{
    return sealer->key;
}

const struct hs_hash *hs_sealer_hash(const struct hs_sealer *sealer)
{
    return &sealer->hash;
}

static void wipe_free(uint8_t *bytes, size_t size)
{
    if (bytes != NULL)
        sodium_memzero(bytes, size);
    free(bytes);
}

void hs_sealer_close(struct hs_sealer *sealer)
{
    if (sealer == NULL)
        return;
    ZSTD_freeCCtx(sealer->zstd);
    wipe_free(sealer->plain, HS_SEALED_BLOCK_BYTES);
    wipe_free(sealer->packed, SEALED_CIPHER_BYTES_MAX);
    free(sealer->cipher);
    sodium_memzero(sealer, sizeof *sealer);
    free(sealer);
}
