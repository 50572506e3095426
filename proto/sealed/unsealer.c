#include "proto/sealed/sealed_inside.h"

#include "proto/base/limits.h"
#include "proto/msg/trust_signed.h"
#include "proto/sealed/unsealer_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- bytes in ---- */

enum hs_err hs_unsealer_take(struct hs_unsealer *unsealer, uint8_t *to, size_t size, struct hs_why *why)
{
    size_t done = 0, got = 0;
    while (done < size) {
        enum hs_err err = unsealer->source.read(unsealer->source.ctx, to + done, size - done, &got);
        if (err != HS_OK)
            return err;
        if (got == 0)
            return hs_fail(HS_ECUTSHORT, why, "it ends after %" PRIu64 " bytes, before its end: copy it again",
                           unsealer->bytes + done);
        done += got;
    }
    crypto_generichash_update(&unsealer->hashing, to, size);
    unsealer->bytes += size;
    return HS_OK;
}

static enum hs_err damaged(const struct hs_unsealer *unsealer, struct hs_why *why)
{
    return hs_fail(HS_EDAMAGED, why, "it is damaged before byte %llu: copy it again, or take another one",
                   (unsigned long long)unsealer->bytes);
}

/* ---- the end ---- */

static enum hs_err nothing_behind(struct hs_unsealer *unsealer, struct hs_why *why)
{
    uint8_t byte;
    size_t got = 0;
    enum hs_err err = unsealer->source.read(unsealer->source.ctx, &byte, 1, &got);
    if (err == HS_OK && got != 0)
        err = hs_fail(HS_EDAMAGED, why, "it goes on behind its end, at byte %llu", (unsigned long long)unsealer->bytes);
    return err;
}

static enum hs_err check_end(struct hs_unsealer *unsealer, struct hs_why *why)
{
    struct hs_signature signature;
    crypto_generichash_state hashing = unsealer->hashing;
    crypto_generichash_final(&hashing, unsealer->hash.bytes, HS_HASH_BYTES);
    enum hs_err err = hs_unsealer_take(unsealer, signature.bytes, sizeof signature.bytes, why);
    if (err == HS_OK)
        err = nothing_behind(unsealer, why);
    if (err != HS_OK)
        return err;
    err = hs_signature_check(SEALED_DOMAIN, HS_BYTES(unsealer->hash.bytes, HS_HASH_BYTES),
                             &unsealer->header.sender.node_key, &signature);
    if (err == HS_ESIGNATURE)
        return hs_fail(err, why, "it is not signed by %s, which it names as its sender",
                       unsealer->header.sender.node_id);
    unsealer->at_end = err == HS_OK;
    return err;
}

/* ---- blocks ---- */

static enum hs_err open_block(struct hs_unsealer *unsealer, size_t size, uint8_t *tag, struct hs_why *why)
{
    unsigned long long packed = 0;
    if (size < SEALED_OVER_BYTES ||
        crypto_secretstream_xchacha20poly1305_pull(&unsealer->stream, unsealer->packed, &packed, tag, unsealer->cipher,
                                                   size, unsealer->header_hash.bytes, HS_HASH_BYTES) != 0)
        return damaged(unsealer, why);
    size_t plain = ZSTD_decompressDCtx(unsealer->zstd, unsealer->plain, HS_SEALED_BLOCK_BYTES, unsealer->packed,
                                       (size_t)packed);
    if (ZSTD_isError(plain))
        return ZSTD_getErrorCode(plain) == ZSTD_error_memory_allocation ? HS_ENOMEM : damaged(unsealer, why);
    unsealer->plain_at = unsealer->plain;
    unsealer->plain_left = plain;
    return HS_OK;
}

static enum hs_err keep_manifest(struct hs_unsealer *unsealer, struct hs_why *why)
{
    if (unsealer->manifest.size + unsealer->plain_left > HS_SEALED_MANIFEST_BYTES_MAX)
        return damaged(unsealer, why);
    hs_buf_put(&unsealer->manifest, unsealer->plain_at, unsealer->plain_left);
    unsealer->plain_left = 0;
    return unsealer->manifest.err;
}

/* Where a block of this tag leads, or that it cannot stand there. */
static enum hs_err go_on(struct hs_unsealer *unsealer, uint8_t tag, struct hs_why *why)
{
    if (tag != SEALED_TAG_MORE && tag != (unsealer->part == SEALED_CONTENT ? SEALED_TAG_CONTENT : SEALED_TAG_END))
        return damaged(unsealer, why);
    enum hs_err err = unsealer->part == SEALED_MANIFEST ? keep_manifest(unsealer, why) : HS_OK;
    if (tag != SEALED_TAG_MORE)
        unsealer->part++;
    return err;
}

/* One block of content or manifest; or the end, which there must be behind the last. */
static enum hs_err read_block(struct hs_unsealer *unsealer, struct hs_why *why)
{
    uint8_t raw[4], tag = 0;
    enum hs_err err = hs_unsealer_take(unsealer, raw, sizeof raw, why);
    size_t size = hs_from_be32(raw);
    if (err != HS_OK)
        return err;
    if (size == 0)
        return unsealer->part == SEALED_END || !unsealer->can_open ? check_end(unsealer, why) : damaged(unsealer, why);
    if (size > SEALED_CIPHER_BYTES_MAX || unsealer->part == SEALED_END)
        return damaged(unsealer, why);
    err = hs_unsealer_take(unsealer, unsealer->cipher, size, why);
    if (err != HS_OK || !unsealer->can_open)
        return err;
    err = open_block(unsealer, size, &tag, why);
    return err == HS_OK ? go_on(unsealer, tag, why) : err;
}

/* ---- items ---- */

/* Content is there, or there is no more of it. */
static enum hs_err need(struct hs_unsealer *unsealer, struct hs_why *why)
{
    enum hs_err err = HS_OK;
    while (err == HS_OK && unsealer->plain_left == 0 && !unsealer->at_end)
        err = read_block(unsealer, why);
    return err;
}

static enum hs_err next_byte(struct hs_unsealer *unsealer, uint8_t *byte, struct hs_why *why)
{
    enum hs_err err = need(unsealer, why);
    if (err != HS_OK)
        return err;
    if (unsealer->plain_left == 0)
        return hs_fail(HS_EDAMAGED, why, "its last item is cut: it was made wrongly");
    *byte = *unsealer->plain_at++;
    unsealer->plain_left--;
    return HS_OK;
}

static enum hs_err next_size(struct hs_unsealer *unsealer, size_t *size, struct hs_why *why)
{
    uint8_t raw[5] = {0}, count = 0;
    enum hs_err err;
    do
        err = next_byte(unsealer, &raw[count], why);
    while (err == HS_OK && (raw[count++] & 0x80) != 0 && count < sizeof raw);
    if (err != HS_OK)
        return err;
    struct hs_cur cur = hs_cur_of(HS_BYTES(raw, count));
    uint64_t value = hs_cur_varint(&cur);
    if (!hs_cur_done(&cur) || value > HS_SEALED_ITEM_BYTES_MAX)
        return hs_fail(HS_EDAMAGED, why, "it has an item of a size that cannot be: it was made wrongly");
    *size = (size_t)value;
    return HS_OK;
}

/* A view into the block where it lies in one; else put together. */
static enum hs_err next_bytes(struct hs_unsealer *unsealer, size_t size, struct hs_bytes *bytes, struct hs_why *why)
{
    enum hs_err err = HS_OK;
    hs_buf_reset(&unsealer->item);
    if (size <= unsealer->plain_left) {
        *bytes = HS_BYTES(unsealer->plain_at, size);
        unsealer->plain_at += size;
        unsealer->plain_left -= size;
        return HS_OK;
    }
    while (err == HS_OK && unsealer->item.size < size) {
        err = need(unsealer, why);
        if (err == HS_OK && unsealer->plain_left == 0)
            err = hs_fail(HS_EDAMAGED, why, "its last item is cut: it was made wrongly");
        size_t left = size - unsealer->item.size;
        size_t part = err != HS_OK ? 0 : left < unsealer->plain_left ? left : unsealer->plain_left;
        hs_buf_put(&unsealer->item, unsealer->plain_at, part);
        unsealer->plain_at += part;
        unsealer->plain_left -= part;
        err = err == HS_OK ? unsealer->item.err : err;
    }
    *bytes = hs_buf_bytes(&unsealer->item);
    return err;
}

static enum hs_err next_item(struct hs_unsealer *unsealer, struct hs_sealed_item *item, struct hs_why *why)
{
    size_t size = 0;
    enum hs_err err = need(unsealer, why);
    if (err != HS_OK || unsealer->plain_left == 0)
        return err;
    err = next_byte(unsealer, &item->type, why);
    if (err == HS_OK && item->type == 0)
        err = hs_fail(HS_EDAMAGED, why, "it has an item of type 0: it was made wrongly");
    if (err == HS_OK)
        err = next_size(unsealer, &size, why);
    return err == HS_OK ? next_bytes(unsealer, size, &item->bytes, why) : err;
}

enum hs_err hs_unsealer_next(struct hs_unsealer *unsealer, struct hs_sealed_item *item, struct hs_why *why)
{
    *item = (struct hs_sealed_item){0};
    struct hs_why said = {""};
    if (unsealer->err == HS_OK) {
        unsealer->err = next_item(unsealer, item, &said);
        unsealer->said = said;
    }
    if (unsealer->err == HS_OK)
        return HS_OK;
    *item = (struct hs_sealed_item){0};
    return hs_fail(unsealer->err, why, "%s",
                   unsealer->said.text[0] != '\0' ? unsealer->said.text : hs_err_text(unsealer->err));
}

enum hs_err hs_unsealer_verify(struct hs_unsealer *unsealer, struct hs_why *why)
{
    struct hs_sealed_item item;
    enum hs_err err;
    do
        err = hs_unsealer_next(unsealer, &item, why);
    while (err == HS_OK && item.type != 0);
    return err;
}

/* ---- the object ---- */

const struct hs_sealed_header *hs_unsealer_header(const struct hs_unsealer *unsealer)
{
    return &unsealer->header;
}

struct hs_bytes hs_unsealer_manifest(const struct hs_unsealer *unsealer)
{
    return unsealer->at_end && unsealer->err == HS_OK ? hs_buf_bytes(&unsealer->manifest) : HS_BYTES_NONE;
}

const struct hs_hash *hs_unsealer_hash(const struct hs_unsealer *unsealer)
{
    return &unsealer->hash;
}

static struct hs_unsealer *make(const struct hs_sealed_source *source)
{
    struct hs_unsealer *unsealer = calloc(1, sizeof *unsealer);
    if (unsealer == NULL)
        return NULL;
    unsealer->source = *source;
    unsealer->zstd = ZSTD_createDCtx();
    unsealer->plain = malloc(HS_SEALED_BLOCK_BYTES);
    unsealer->packed = malloc(SEALED_CIPHER_BYTES_MAX);
    unsealer->cipher = malloc(SEALED_CIPHER_BYTES_MAX);
    crypto_generichash_init(&unsealer->hashing, NULL, 0, HS_HASH_BYTES);
    if (unsealer->zstd != NULL && unsealer->plain != NULL && unsealer->packed != NULL && unsealer->cipher != NULL)
        return unsealer;
    hs_unsealer_close(unsealer);
    return NULL;
}

enum hs_err hs_unsealer_open(const struct hs_sealed_opening *opening, const struct hs_sealed_source *source,
                             struct hs_unsealer **unsealer, struct hs_why *why)
{
    *unsealer = NULL;
    struct hs_unsealer *made = sodium_init() < 0 ? NULL : make(source);
    if (made == NULL)
        return hs_fail(HS_ENOMEM, why, "no memory to read a sealed file");
    enum hs_err err = hs_unsealer_begin(made, opening, why);
    if (err == HS_OK)
        *unsealer = made;
    else
        hs_unsealer_close(made);
    return err;
}

static void wipe_free(uint8_t *bytes, size_t size)
{
    if (bytes != NULL)
        sodium_memzero(bytes, size);
    free(bytes);
}

static void wipe_buf(struct hs_buf *buf)
{
    if (buf->data != NULL)
        sodium_memzero(buf->data, buf->room);
    hs_buf_fini(buf);
}

void hs_unsealer_close(struct hs_unsealer *unsealer)
{
    if (unsealer == NULL)
        return;
    ZSTD_freeDCtx(unsealer->zstd);
    wipe_free(unsealer->plain, HS_SEALED_BLOCK_BYTES);
    wipe_free(unsealer->packed, SEALED_CIPHER_BYTES_MAX);
    free(unsealer->cipher);
    wipe_buf(&unsealer->item);
    wipe_buf(&unsealer->manifest);
    hs_buf_fini(&unsealer->certificate);
    sodium_memzero(unsealer, sizeof *unsealer);
    free(unsealer);
}
