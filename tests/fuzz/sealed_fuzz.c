/* sealed_fuzz.c -- sealed files, and what a backup makes of the items in one.
 *
 *     input = 0 u8 || file                                        a file as it is, to an owner of its key and to nobody
 *           | 1 u8 || SealedHeader                                 in its frame, with nothing behind it
 *           | 2 u8 || *( tag u8 || how u8 || size u16 || bytes )   blocks under a known key, behind a sound header,
 * with a sound signature; how: a zstd frame of ours, or bytes */
#include "node/backup/tally.h"
#include "proto/base/limits.h"
#include "proto/msg/frame.h"
#include "proto/msg/trust_signed.h"
#include "proto/sealed/sealed_inside.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/sealed_world.h"

#include <zstd.h>

#define PIECE_ODD 7

static struct sealed_world *the_world(void)
{
    static struct sealed_world world;
    if (world.certificate.size == 0)
        sealed_world_init(&world);
    return &world;
}

/* ---- reading ---- */

static bool is_expected(enum hs_err err)
{
    switch (err) {
    case HS_OK:
    case HS_ENOTSEALED:
    case HS_ENEWERFILE:
    case HS_EPURPOSE:
    case HS_EREGION:
    case HS_ERECIPIENT:
    case HS_ECERT:
    case HS_ECUTSHORT:
    case HS_EDAMAGED:
    case HS_ESIGNATURE:
        return true;
    default:
        return false;
    }
}

static void look_at_manifest(struct hs_bytes bytes, struct backup_tally *tally)
{
    struct hs_arena arena;
    ProtobufCMessage *message;
    hs_arena_init(&arena, 1024 * 1024);
    if (hs_msg_unpack(&hallsync__backup_manifest__descriptor, bytes, &arena, &message) == HS_OK)
        backup_tally_check(tally, (const Hallsync__BackupManifest *)message, NULL);
    hs_arena_fini(&arena);
}

/* To its end or its failure; what it said, hashed. */
static enum hs_err read_file(const struct hs_sealed_opening *opening, struct hs_bytes file, size_t piece,
                             struct hs_hash *said)
{
    struct sealed_memory memory = {.left = file, .piece = piece};
    struct hs_sealed_source source = {sealed_read, &memory};
    struct hs_unsealer *unsealer = NULL;
    struct hs_sealed_item item = {.type = 1};
    struct hs_why why = {""};
    static struct backup_tally tally;
    struct backup_item part;
    struct hs_buf all = {0};
    bool backup = true;
    backup_tally_begin(&tally);
    enum hs_err err = hs_unsealer_open(opening, &source, &unsealer, &why);
    while (err == HS_OK && item.type != 0) {
        err = hs_unsealer_next(unsealer, &item, &why);
        FUZZ_CHECK(item.bytes.size <= HS_SEALED_ITEM_BYTES_MAX);
        hs_buf_put_u8(&all, item.type);
        hs_buf_put_sized(&all, item.bytes);
        backup = backup && item.type != 0 && backup_tally_item(&tally, &item, &part) == HS_OK;
    }
    FUZZ_CHECK(is_expected(err));
    FUZZ_CHECK(err == HS_OK || why.text[0] != '\0');
    FUZZ_CHECK(err == HS_OK || unsealer == NULL || hs_unsealer_manifest(unsealer).size == 0);
    if (err == HS_OK) {
        hs_buf_put_bytes(&all, hs_unsealer_manifest(unsealer));
        look_at_manifest(hs_unsealer_manifest(unsealer), &tally);
    }
    FUZZ_CHECK(unsealer == NULL || hs_unsealer_next(unsealer, &item, NULL) == err);
    *said = hs_hash_of(hs_buf_bytes(&all));
    hs_buf_fini(&all);
    hs_unsealer_close(unsealer);
    return err;
}

/* The same in pieces of any size. */
static void read_both_ways(const struct hs_sealed_opening *opening, struct hs_bytes file)
{
    struct hs_hash whole, pieces;
    enum hs_err err = read_file(opening, file, 0, &whole);
    FUZZ_CHECK(read_file(opening, file, PIECE_ODD, &pieces) == err);
    FUZZ_CHECK(hs_hash_equal(&whole, &pieces));
}

/* ---- making ---- */

static void put_frame(struct hs_buf *file, struct hs_bytes header)
{
    hs_buf_put(file, SEALED_BEGIN, SEALED_BEGIN_BYTES);
    hs_buf_put_u32(file, (uint32_t)header.size);
    hs_buf_put_bytes(file, header);
    struct hs_hash hash = hs_hash_of(hs_buf_bytes(file));
    hs_buf_put(file, hash.bytes, HS_HASH_BYTES);
}

/* A sound header whose file key is known: that of a file that is never finished. */
static void begin_file(const struct sealed_world *world, struct hs_buf *file, uint8_t key[static HS_SEALED_KEY_BYTES],
                       struct hs_hash *header_hash)
{
    struct hs_sealed_draft draft = sealed_draft(world, HS_SEALED_BACKUP, 1);
    struct hs_sealed_sink sink = sealed_sink(file);
    struct hs_sealer *sealer;
    FUZZ_CHECK(hs_sealer_open(&draft, &sink, &sealer, NULL) == HS_OK);
    memcpy(key, hs_sealer_key(sealer), HS_SEALED_KEY_BYTES);
    hs_sealer_close(sealer);
    memcpy(header_hash->bytes, file->data + file->size - HS_HASH_BYTES, HS_HASH_BYTES);
}

static void put_block(crypto_secretstream_xchacha20poly1305_state *stream, const struct hs_hash *header_hash,
                      struct hs_cur *in, struct hs_buf *file)
{
    static uint8_t packed[SEALED_CIPHER_BYTES_MAX], cipher[SEALED_CIPHER_BYTES_MAX + SEALED_OVER_BYTES];
    uint8_t tag = fuzz_u8(in), how = fuzz_u8(in);
    struct hs_bytes bytes = fuzz_bytes(in, fuzz_u16(in));
    size_t size = bytes.size;
    if (how % 4 != 0)
        size = ZSTD_compress(packed, sizeof packed, bytes.data, bytes.size, 1);
    else if (size > 0)
        memcpy(packed, bytes.data, size);
    FUZZ_CHECK(!ZSTD_isError(size));
    unsigned long long cipher_size;
    crypto_secretstream_xchacha20poly1305_push(stream, cipher, &cipher_size, packed, size, header_hash->bytes,
                                               HS_HASH_BYTES, tag);
    hs_buf_put_u32(file, (uint32_t)cipher_size);
    hs_buf_put(file, cipher, (size_t)cipher_size);
}

/* The stream's header is in the file's: a stream of the same key and header goes on where the sealer's began. */
static void read_blocks(const struct sealed_world *world, struct hs_cur *in)
{
    struct hs_buf file = {0};
    struct hs_hash header_hash;
    struct hs_signature signature;
    uint8_t key[HS_SEALED_KEY_BYTES];
    crypto_secretstream_xchacha20poly1305_state stream;
    begin_file(world, &file, key, &header_hash);
    size_t header_end = file.size - HS_HASH_BYTES; /* the field "stream" is the header's last */
    crypto_secretstream_xchacha20poly1305_init_pull(&stream, file.data + header_end - SEALED_STREAM_BYTES, key);
    while (in->left > 0)
        put_block(&stream, &header_hash, in, &file);
    hs_buf_put_u32(&file, 0);
    struct hs_hash hash = hs_hash_of(hs_buf_bytes(&file));
    FUZZ_CHECK(hs_signature_make(SEALED_DOMAIN, HS_BYTES(hash.bytes, HS_HASH_BYTES), &world->signer, &signature) ==
               HS_OK);
    hs_buf_put(&file, signature.bytes, sizeof signature.bytes);
    struct hs_sealed_opening opening = {.file_key = key, .root_key = &world->root_key};
    read_both_ways(&opening, hs_buf_bytes(&file));
    hs_buf_fini(&file);
}

static void read_header(const struct sealed_world *world, struct hs_bytes header)
{
    struct hs_buf file = {0};
    struct hs_sealed_opening opening = sealed_opening(world, 0);
    if (header.size == 0 || header.size > HS_SEALED_HEADER_BYTES_MAX)
        return;
    put_frame(&file, header);
    read_both_ways(&opening, hs_buf_bytes(&file));
    opening.root_key = NULL;
    read_both_ways(&opening, hs_buf_bytes(&file));
    hs_buf_fini(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct sealed_world *world = the_world();
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    uint8_t how = fuzz_u8(&in) % 3;
    if (how == 2) {
        read_blocks(world, &in);
        return 0;
    }
    struct hs_bytes rest = fuzz_rest(&in);
    if (how == 1) {
        read_header(world, rest);
        return 0;
    }
    struct hs_sealed_opening owner = sealed_opening(world, 0), nobody = sealed_opening(world, 9);
    read_both_ways(&owner, rest);
    read_both_ways(&nobody, rest);
    return 0;
}

static void put_seed_block(struct hs_buf *seed, uint8_t tag, uint8_t how, struct hs_bytes bytes)
{
    hs_buf_put_u8(seed, tag);
    hs_buf_put_u8(seed, how);
    hs_buf_put_u16(seed, (uint16_t)bytes.size);
    hs_buf_put_bytes(seed, bytes);
}

void fuzz_seeds(fuzz_put put)
{
    static const uint8_t ITEMS[] = {1, 4, 'm', 'e', 't', 'a', 2, 5, 3, 'k', 'e', 'y', 'v', 3, 3, 1, 'f', 'c'};
    struct sealed_world *world = the_world();
    struct hs_sealed_draft draft = sealed_draft(world, HS_SEALED_BUNDLE, 3);
    struct hs_buf file = {0}, header = {0}, blocks = {0};
    struct hs_sealed_sink sink = sealed_sink(&file);
    struct hs_sealer *sealer;
    hs_buf_put_u8(&file, 0);
    FUZZ_CHECK(hs_sealer_open(&draft, &sink, &sealer, NULL) == HS_OK);
    hs_buf_put_u8(&header, 1);
    hs_buf_put(&header, file.data + 1 + SEALED_BEGIN_BYTES + 4, file.size - 1 - SEALED_BEGIN_BYTES - 4 - HS_HASH_BYTES);
    put("header", hs_buf_bytes(&header));
    FUZZ_CHECK(hs_sealer_put(sealer, 1, FUZZ_SEED("meta")) == HS_OK);
    FUZZ_CHECK(hs_sealer_finish(sealer, FUZZ_SEED("manifest")) == HS_OK);
    hs_sealer_close(sealer);
    put("file", hs_buf_bytes(&file));
    hs_buf_put_u8(&blocks, 2);
    put_seed_block(&blocks, SEALED_TAG_MORE, 1, HS_BYTES(ITEMS, 7));
    put_seed_block(&blocks, SEALED_TAG_CONTENT, 1, HS_BYTES(ITEMS + 7, sizeof ITEMS - 7));
    put_seed_block(&blocks, SEALED_TAG_END, 1, FUZZ_SEED("\x0a\x01n"));
    put("blocks", hs_buf_bytes(&blocks));
    hs_buf_reset(&blocks);
    hs_buf_put_u8(&blocks, 2);
    put_seed_block(&blocks, SEALED_TAG_CONTENT, 0, FUZZ_SEED("\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00"));
    put_seed_block(&blocks, SEALED_TAG_END, 1, HS_BYTES_NONE);
    put("frame", hs_buf_bytes(&blocks));
    hs_buf_fini(&file);
    hs_buf_fini(&header);
    hs_buf_fini(&blocks);
}
