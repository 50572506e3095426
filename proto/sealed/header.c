#include "proto/base/limits.h"
#include "proto/msg/frame.h"
#include "proto/msg/trust_signed.h"
#include "proto/sealed.pb-c.h"
#include "proto/sealed/unsealer_inside.h"

#include <string.h>

#define ARENA_BYTES (128 * 1024)
#define SIZE_BYTES  4 /* before the header and each block */

/* ---- what kind of file it is ---- */

/* Something else is told from a sealed file that is cut within its first bytes. */
static enum hs_err judge_begin(struct hs_bytes begin)
{
    size_t magic = begin.size < SEALED_MAGIC_BYTES ? begin.size : SEALED_MAGIC_BYTES;
    if (magic == 0 || memcmp(begin.data, SEALED_MAGIC, magic) != 0)
        return HS_ENOTSEALED;
    if (begin.size < SEALED_BEGIN_BYTES)
        return HS_ECUTSHORT;
    if (memcmp(begin.data, SEALED_BEGIN, SEALED_BEGIN_BYTES) == 0)
        return HS_OK;
    bool newer = begin.data[SEALED_MAGIC_BYTES] >= '1' && begin.data[SEALED_MAGIC_BYTES] <= '9';
    return newer ? HS_ENEWERFILE : HS_ENOTSEALED;
}

static enum hs_err check_begin(struct hs_unsealer *unsealer, struct hs_why *why)
{
    uint8_t begin[SEALED_BEGIN_BYTES] = {0};
    size_t done = 0, got = 1;
    while (done < sizeof begin && got != 0) {
        enum hs_err err = unsealer->source.read(unsealer->source.ctx, begin + done, sizeof begin - done, &got);
        if (err != HS_OK)
            return err;
        done += got;
    }
    crypto_generichash_update(&unsealer->hashing, begin, sizeof begin);
    unsealer->bytes = done;
    enum hs_err err = judge_begin(HS_BYTES(begin, done));
    if (err == HS_ECUTSHORT)
        return hs_fail(err, why, "it ends after %zu bytes, before its end: copy it again", done);
    return err == HS_OK ? HS_OK : hs_fail(err, why, "%s", hs_err_text(err));
}

static enum hs_err take_header(struct hs_unsealer *unsealer, struct hs_buf *header, struct hs_why *why)
{
    uint8_t raw[4];
    struct hs_hash told, hash;
    struct hs_buf whole = {0};
    enum hs_err err = hs_unsealer_take(unsealer, raw, sizeof raw, why);
    uint32_t size = hs_from_be32(raw);
    if (err == HS_OK && (size == 0 || size > HS_SEALED_HEADER_BYTES_MAX))
        return hs_fail(HS_EDAMAGED, why, "its header is damaged: copy it again, or take another one");
    uint8_t *at = err == HS_OK ? hs_buf_extend(header, size) : NULL;
    if (at == NULL)
        return err == HS_OK ? header->err : err;
    err = hs_unsealer_take(unsealer, at, size, why);
    if (err == HS_OK)
        err = hs_unsealer_take(unsealer, told.bytes, sizeof told.bytes, why);
    if (err != HS_OK)
        return err;
    hs_buf_put(&whole, SEALED_BEGIN, SEALED_BEGIN_BYTES);
    hs_buf_put(&whole, raw, sizeof raw);
    hs_buf_put(&whole, at, size);
    err = whole.err;
    hash = err == HS_OK ? hs_hash_of(hs_buf_bytes(&whole)) : (struct hs_hash){{0}};
    hs_buf_fini(&whole);
    if (err == HS_OK && !hs_hash_equal(&hash, &told))
        err = hs_fail(HS_EDAMAGED, why, "its header is damaged: copy it again, or take another one");
    unsealer->header_hash = hash;
    return err;
}

/* ---- what it says ---- */

static enum hs_err malformed(struct hs_why *why)
{
    return hs_fail(HS_EDAMAGED, why, "its header makes no sense: it was made wrongly");
}

static bool purpose_known(uint32_t purpose)
{
#define X(constant, number, text) purpose == (number) ||
    return HS_SEALED_PURPOSES(X) false;
#undef X
}

static enum hs_err check_sender(struct hs_unsealer *unsealer, const struct hs_sealed_opening *opening,
                                const Hallsync__SealedHeader *read, struct hs_why *why)
{
    struct hs_sealed_header *header = &unsealer->header;
    if (!hs_fixed_read(&read->root_key, header->root_key.bytes, sizeof header->root_key.bytes))
        return malformed(why);
    if (opening->root_key != NULL && !hs_key_equal(opening->root_key, &header->root_key))
        return hs_fail(HS_EREGION, why, "it is of another region");
    hs_buf_put(&unsealer->certificate, read->certificate.data, read->certificate.len);
    if (unsealer->certificate.err != HS_OK)
        return unsealer->certificate.err;
    header->certificate = hs_buf_bytes(&unsealer->certificate);
    enum hs_err err = hs_certificate_verify(header->certificate, &header->root_key, &header->sender);
    return err == HS_OK || err == HS_ENOMEM ? err
                                            : hs_fail(HS_ECERT, why, "the certificate of its sender does not hold");
}

static enum hs_err find_key(const struct hs_sealed_opening *opening, const Hallsync__SealedHeader *read,
                            uint8_t key[static HS_SEALED_KEY_BYTES], struct hs_why *why)
{
    for (size_t i = 0; i < read->n_recipients; i++) {
        const Hallsync__SealedFor *to = read->recipients[i];
        struct hs_key whose;
        if (to->file_key.len != SEALED_FOR_BYTES || !hs_fixed_read(&to->key, whose.bytes, sizeof whose.bytes))
            return malformed(why);
        if (opening->public_key != NULL && hs_key_equal(&whose, opening->public_key))
            return crypto_box_seal_open(key, to->file_key.data, to->file_key.len, opening->public_key->bytes,
                                        opening->secret) == 0
                       ? HS_OK
                       : malformed(why);
    }
    return hs_fail(HS_ERECIPIENT, why, "%s", hs_err_text(HS_ERECIPIENT));
}

static enum hs_err begin_stream(struct hs_unsealer *unsealer, const struct hs_sealed_opening *opening,
                                const Hallsync__SealedHeader *read, struct hs_why *why)
{
    uint8_t key[HS_SEALED_KEY_BYTES], stream[SEALED_STREAM_BYTES];
    enum hs_err err = HS_OK;
    if (!hs_fixed_read(&read->stream, stream, sizeof stream))
        return malformed(why);
    if (opening->file_key != NULL)
        memcpy(key, opening->file_key, sizeof key);
    else if (opening->public_key != NULL)
        err = find_key(opening, read, key, why);
    else
        return HS_OK;
    if (err == HS_OK) {
        crypto_secretstream_xchacha20poly1305_init_pull(&unsealer->stream, stream, key);
        unsealer->can_open = true;
    }
    sodium_memzero(key, sizeof key);
    return err;
}

static enum hs_err read_header(struct hs_unsealer *unsealer, const struct hs_sealed_opening *opening,
                               const Hallsync__SealedHeader *read, struct hs_why *why)
{
    struct hs_sealed_header *header = &unsealer->header;
    if (read->n_recipients == 0 || read->n_recipients > HS_SEALED_RECIPIENTS_MAX)
        return malformed(why);
    if (!purpose_known(read->purpose))
        return hs_fail(HS_ENEWERFILE, why, "%s", hs_err_text(HS_ENEWERFILE));
    header->purpose = (enum hs_sealed_purpose)read->purpose;
    header->made_ms = read->made_ms;
    header->recipient_count = read->n_recipients;
    if (opening->purpose != 0 && opening->purpose != header->purpose)
        return hs_fail(HS_EPURPOSE, why, "it is a file of purpose %s, and not %s",
                       hs_sealed_purpose_text(header->purpose), hs_sealed_purpose_text(opening->purpose));
    enum hs_err err = check_sender(unsealer, opening, read, why);
    return err == HS_OK ? begin_stream(unsealer, opening, read, why) : err;
}

enum hs_err hs_unsealer_begin(struct hs_unsealer *unsealer, const struct hs_sealed_opening *opening, struct hs_why *why)
{
    struct hs_arena arena;
    struct hs_buf packed = {0};
    ProtobufCMessage *message;
    hs_arena_init(&arena, ARENA_BYTES);
    enum hs_err err = check_begin(unsealer, why);
    if (err == HS_OK)
        err = take_header(unsealer, &packed, why);
    if (err == HS_OK) {
        err = hs_msg_unpack(&hallsync__sealed_header__descriptor, hs_buf_bytes(&packed), &arena, &message);
        if (err == HS_OK)
            err = read_header(unsealer, opening, (const Hallsync__SealedHeader *)message, why);
        else if (err != HS_ENOMEM || arena.over)
            err = malformed(why);
    }
    hs_buf_fini(&packed);
    hs_arena_fini(&arena);
    return err;
}

/* ---- files of several ---- */

enum hs_err hs_sealed_size(struct hs_bytes bytes, size_t most, size_t *size)
{
    enum hs_err err = judge_begin(bytes);
    size_t at = SEALED_BEGIN_BYTES;
    if (err != HS_OK)
        return err == HS_ENOTSEALED && bytes.size == 0 ? HS_ECUTSHORT : err;
    for (size_t part = 0, length = 1; length != 0; part++) { /* header, blocks, and a zero */
        if (at + SIZE_BYTES > bytes.size)
            return at + SIZE_BYTES > most ? HS_ETOOBIG : HS_ECUTSHORT;
        length = hs_from_be32(bytes.data + at);
        if (length > (part == 0 ? HS_SEALED_HEADER_BYTES_MAX : SEALED_CIPHER_BYTES_MAX) || (part == 0 && length == 0))
            return HS_EDAMAGED;
        at += SIZE_BYTES + length + (part == 0 ? HS_HASH_BYTES : 0);
    }
    *size = at + HS_SIGNATURE_BYTES;
    return *size > most ? HS_ETOOBIG : *size > bytes.size ? HS_ECUTSHORT : HS_OK;
}
