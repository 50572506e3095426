/* segment_fuzz.c -- segments as a hub gets them: a chain that is valid and signed, then one thing about it damaged.  By
 * the replica and by the store it is refused or taken whole, bytes and all; what was refused leaves nothing behind, and
 * the sound one is taken after it.  PROTOCOL.md, 8.6.
 *
 *     input = form u8, ops (how u8, ...), damage u8, where ... */
#include "node/replica/replica.h"
#include "proto/msg/frame.h"
#include "proto/peer.pb-c.h"
#include "tests/fuzz/fuzz_op.h"
#include "tests/fuzz/fuzz_region.h"

#include <zstd.h>

#define OPS_MAX    12
#define ORIGIN     4711
#define BOMB_BYTES ((size_t)16 << 20)
#define MEMORY_MAX ((uint64_t)1 << 20)
#define SKIPPABLE  "\x50\x2a\x4d\x18\x03\x00\x00\x00xyz"

enum damage {
    NONE,
    OP_BYTE,
    COUNT,
    RAW_BYTES,
    BODY_SHORT,
    BODY_LONG,
    PACKED_BYTE,
    FRAME_TWICE,
    FRAME_BEHIND, /* a frame that holds nothing, behind */
    FRAME_BEFORE,
    FRAME_BOMB,
    FRAME_OTHER, /* the same in another frame: sound */
    SIGNATURE,
    SIGNED_OTHER, /* a checkpoint of another number or stream */
    FIRST,
    STREAM,
    OPS_SWAPPED,
    OP_LEFT_OUT,
    OP_TWICE,
    FLAG,
    LONG_LENGTH, /* not in its shortest form */
    DAMAGE_COUNT
};

/* What a PeerSegment says. */
struct wire {
    struct hs_stream stream;
    uint64_t first, count, raw_bytes;
    bool compressed;
    struct hs_signature signature;
    struct hs_buf raw;  /* before compression */
    struct hs_buf body; /* as sent */
};

struct chain {
    struct hs_stream stream;
    struct hs_bytes ops[OPS_MAX];
    struct hs_hash hashes[OPS_MAX + 1];
    size_t count, held; /* of them the first were sent before, soundly */
};

/* A hub's replica over the store, in a group that is given up at the end. */
struct victim {
    struct hs_replica *replica;
    hs_peer peer;
    uint32_t sequence;
    uint64_t commit;
    size_t taken; /* segments */
    struct hs_segment last;
    struct hs_arena arena; /* of the last one's body */
};

static struct fuzz_region region;
static struct fuzz_node hub, liar;
static struct hs_store *store;
static struct hs_buf opening;
static uint8_t *bomb;
static size_t bomb_size;
static ZSTD_CCtx *compressor;

static void set_up(void)
{
    if (store != NULL)
        return;
    fuzz_region_make(&region);
    fuzz_node_make(&region, "hub-1", 3, HS_ROLE_HUB, &hub);
    fuzz_node_make(&region, "hall-1", 4, HS_ROLE_HALL, &liar);
    struct hs_opening opened = {.origin = ORIGIN, .node_key = liar.certificate.node_key, .opened_ms = 1};
    struct hs_signer signer = hs_signer_of(&liar.secret);
    FUZZ_CHECK(hs_opening_sign(&opened, &signer, &opening) == HS_OK);
    compressor = ZSTD_createCCtx();
    uint8_t *zeros = calloc(1, BOMB_BYTES);
    bomb_size = ZSTD_compressBound(BOMB_BYTES);
    bomb = malloc(bomb_size);
    FUZZ_CHECK(compressor != NULL && zeros != NULL && bomb != NULL);
    bomb_size = ZSTD_compress(bomb, bomb_size, zeros, BOMB_BYTES, 19);
    FUZZ_CHECK(!ZSTD_isError(bomb_size) && bomb_size < HS_SEGMENT_BYTES_MAX);
    free(zeros);
    store = fuzz_store_make(&hub);
}

/* ---- a chain ---- */

static struct hs_bytes read_op(struct hs_cur *in, struct hs_arena *arena)
{
    uint8_t how = fuzz_u8(in);
    if (how % 4 == 0)
        return fuzz_bytes(in, fuzz_u8(in) % 32); /* malformed: void, and no fault of the segment */
    if (how % 8 == 1)
        return fuzz_zeros(arena,
                          how < 0x80 ? 512U * (fuzz_u8(in) % 130U) : fuzz_u16(in)); /* to the limits and beyond */
    struct hs_op op = fuzz_op(in, arena, true);
    struct hs_buf encoded = {0};
    hs_op_encode(&op, &encoded);
    struct hs_bytes bytes = hs_arena_copy(arena, hs_buf_bytes(&encoded));
    hs_buf_fini(&encoded);
    return bytes;
}

static void read_chain(struct hs_cur *in, struct hs_arena *arena, struct chain *chain)
{
    uint8_t form = fuzz_u8(in);
    chain->stream = (struct hs_stream){ORIGIN, form & 1 ? 3201 : HS_PARTITION_REGION, (uint8_t)(1 + form / 2 % 4)};
    chain->hashes[0] = hs_chain_start(&chain->stream);
    chain->held = form / 8 % 4;
    size_t count = chain->held + 1 + form / 32 % 8;
    while (chain->count < count) {
        chain->ops[chain->count] = chain->count < chain->held ? fuzz_bytes(in, fuzz_u8(in) % 32) : read_op(in, arena);
        chain->hashes[chain->count + 1] = hs_chain_next(&chain->hashes[chain->count], chain->ops[chain->count]);
        chain->count++;
    }
}

/* ---- on the wire ---- */

static void sign(const struct hs_stream *stream, uint64_t n, const struct hs_hash *hash, struct hs_signature *signature)
{
    struct hs_signer signer = hs_signer_of(&liar.secret);
    FUZZ_CHECK(hs_checkpoint_sign(stream, n, hash, &signer, signature) == HS_OK);
}

static void compress(struct wire *wire, bool size_in_frame, bool checksum)
{
    size_t room = ZSTD_compressBound(wire->raw.size);
    uint8_t *to = hs_buf_extend(&wire->body, room);
    ZSTD_CCtx_setParameter(compressor, ZSTD_c_contentSizeFlag, size_in_frame);
    ZSTD_CCtx_setParameter(compressor, ZSTD_c_checksumFlag, checksum);
    size_t size = ZSTD_compress2(compressor, to, room, wire->raw.data, wire->raw.size);
    FUZZ_CHECK(to != NULL && !ZSTD_isError(size));
    wire->body.size -= room - size;
}

static void fill(const struct chain *chain, size_t from, size_t to, bool compressed, struct wire *wire)
{
    *wire = (struct wire){.stream = chain->stream, .first = from + 1, .count = to - from, .compressed = compressed};
    for (size_t i = from; i < to; i++)
        hs_buf_put_sized(&wire->raw, chain->ops[i]);
    wire->raw_bytes = wire->raw.size;
    sign(&chain->stream, to, &chain->hashes[to], &wire->signature);
    if (compressed)
        compress(wire, true, false);
    else
        hs_buf_put_bytes(&wire->body, hs_buf_bytes(&wire->raw));
}

static void wire_fini(struct wire *wire)
{
    hs_buf_fini(&wire->raw);
    hs_buf_fini(&wire->body);
}

/* ---- damage ---- */

static void put_ops(const struct chain *chain, const size_t *order, size_t count, struct wire *wire)
{
    hs_buf_reset(&wire->raw);
    for (size_t i = 0; i < count; i++)
        hs_buf_put_sized(&wire->raw, chain->ops[order[i]]);
    wire->count = count;
}

static void damage_ops(struct hs_cur *in, const struct chain *chain, enum damage damage, struct wire *wire)
{
    size_t order[OPS_MAX + 1], count = 0, fresh = chain->count - chain->held;
    size_t at = chain->held + fuzz_u8(in) % fresh, other = chain->held + fuzz_u8(in) % fresh;
    for (size_t i = chain->held; i < chain->count; i++) {
        if (damage == OP_LEFT_OUT && i == at && fresh > 1)
            continue;
        order[count++] = damage != OPS_SWAPPED ? i : i == at ? other : i == other ? at : i;
        if (damage == OP_TWICE && i == at)
            order[count++] = i;
    }
    put_ops(chain, order, count, wire);
    if (fuzz_u8(in) % 2 != 0)
        wire->count = fresh; /* as if nothing had happened */
}

/* The first op's length in one byte more than it needs. */
static void lengthen(struct wire *wire)
{
    struct hs_buf longer = {0};
    struct hs_bytes raw = hs_buf_bytes(&wire->raw);
    size_t at = 0;
    while (at < raw.size && (raw.data[at] & 0x80) != 0)
        at++;
    hs_buf_put(&longer, raw.data, at);
    hs_buf_put_u8(&longer, raw.data[at] | 0x80);
    hs_buf_put_u8(&longer, 0);
    hs_buf_put(&longer, raw.data + at + 1, raw.size - at - 1);
    hs_buf_fini(&wire->raw);
    wire->raw = longer;
}

/* What lies under the compression; the frame is made anew. */
static void damage_raw(struct hs_cur *in, const struct chain *chain, enum damage damage, struct wire *wire)
{
    uint8_t more[4] = {fuzz_u8(in), fuzz_u8(in), 0, 0};
    size_t at = fuzz_u16(in) % wire->raw.size;
    if (damage == OP_BYTE)
        wire->raw.data[at] ^= more[0];
    else if (damage == BODY_SHORT)
        wire->raw.size -= at;
    else if (damage == BODY_LONG)
        hs_buf_put(&wire->raw, more, 1 + more[1] % 4U);
    else if (damage == LONG_LENGTH)
        lengthen(wire);
    else
        damage_ops(in, chain, damage, wire);
    if (more[1] % 8 != 7)
        wire->raw_bytes = wire->raw.size;
    hs_buf_reset(&wire->body);
    if (wire->compressed)
        compress(wire, more[1] % 16 < 12, more[1] % 3 == 0);
    else
        hs_buf_put_bytes(&wire->body, hs_buf_bytes(&wire->raw));
}

static void set_body(struct wire *wire, struct hs_bytes before, struct hs_bytes middle, struct hs_bytes behind)
{
    struct hs_buf body = {0};
    hs_buf_put_bytes(&body, before);
    hs_buf_put_bytes(&body, middle);
    hs_buf_put_bytes(&body, behind);
    hs_buf_fini(&wire->body);
    wire->body = body;
}

static void damage_frame(struct hs_cur *in, enum damage damage, struct wire *wire)
{
    const struct hs_bytes empty = FUZZ_SEED(SKIPPABLE);
    struct hs_bytes body = hs_buf_bytes(&wire->body);
    if (damage == PACKED_BYTE) {
        for (unsigned left = 1 + fuzz_u8(in) % 4U; left > 0; left--)
            wire->body.data[fuzz_u16(in) % wire->body.size] ^= fuzz_u8(in);
    } else if (damage == FRAME_TWICE) {
        set_body(wire, body, body, HS_BYTES_NONE);
    } else if (damage == FRAME_BEHIND) {
        set_body(wire, HS_BYTES_NONE, body, empty);
    } else if (damage == FRAME_BEFORE) {
        set_body(wire, empty, body, HS_BYTES_NONE);
    } else if (damage == FRAME_BOMB) {
        set_body(wire, HS_BYTES(bomb, bomb_size), HS_BYTES_NONE, HS_BYTES_NONE);
        wire->compressed = true;
        wire->raw_bytes = fuzz_u8(in) % 2 != 0 ? HS_SEGMENT_BYTES_MAX : fuzz_number(in);
        wire->count = fuzz_u8(in) % 2 != 0 ? wire->raw_bytes : wire->count;
    } else {
        hs_buf_reset(&wire->body);
        wire->compressed = true;
        compress(wire, false, fuzz_u8(in) % 2 != 0);
    }
}

static void damage_head(struct hs_cur *in, const struct chain *chain, enum damage damage, struct wire *wire)
{
    uint8_t how = fuzz_u8(in);
    struct hs_stream other = wire->stream;
    size_t n = fuzz_u8(in) % (chain->count + 1);
    if (damage == COUNT)
        wire->count = how % 4 == 0 ? fuzz_u64(in) : wire->count + how % 3 - 1;
    else if (damage == RAW_BYTES)
        wire->raw_bytes = how % 4 == 0 ? fuzz_u64(in) : wire->raw_bytes + how % 3 - 1;
    else if (damage == SIGNATURE)
        wire->signature.bytes[how % HS_SIGNATURE_BYTES] ^= fuzz_u8(in);
    else if (damage == FIRST)
        wire->first = how % 4 == 0 ? fuzz_u64(in) : wire->first + how % 5 - 2;
    else if (damage == FLAG)
        wire->compressed = !wire->compressed;
    if (damage != STREAM && damage != SIGNED_OTHER)
        return;
    other.lane = how & 1 ? fuzz_u8(in) : other.lane;
    other.partition = how & 2 ? fuzz_u16(in) : other.partition;
    other.origin = how & 4 ? fuzz_number(in) : other.origin;
    if (damage == STREAM)
        wire->stream = other;
    else
        sign(&other, how & 8 ? n : chain->count, &chain->hashes[how & 16 ? n : chain->count], &wire->signature);
}

static void do_damage(struct hs_cur *in, const struct chain *chain, enum damage damage, struct wire *wire)
{
    switch (damage) {
    case NONE:
        return;
    case OP_BYTE:
    case BODY_SHORT:
    case BODY_LONG:
    case OPS_SWAPPED:
    case OP_LEFT_OUT:
    case OP_TWICE:
    case LONG_LENGTH:
        damage_raw(in, chain, damage, wire);
        return;
    case PACKED_BYTE:
    case FRAME_TWICE:
    case FRAME_BEHIND:
    case FRAME_BEFORE:
    case FRAME_BOMB:
    case FRAME_OTHER:
        damage_frame(in, damage, wire);
        return;
    default:
        damage_head(in, chain, damage, wire);
    }
}

/* ---- the victim: what it reads is what the open group has ---- */

static enum hs_err source_cut(void *ctx, const struct hs_stream *stream, uint64_t first, struct hs_buf *body,
                              struct hs_segment *segment)
{
    return hs_view_cut(hs_store_view(ctx), stream, first, body, segment);
}

static enum hs_err source_origin(void *ctx, uint64_t origin, struct hs_buf *certificate, struct hs_buf *opened)
{
    struct hs_bytes bytes[2];
    enum hs_err err = hs_view_origin(hs_store_view(ctx), origin, &bytes[0], &bytes[1]);
    if (err == HS_OK) {
        hs_buf_put_bytes(certificate, bytes[0]);
        hs_buf_put_bytes(opened, bytes[1]);
    }
    return err;
}

static enum hs_err source_hash_at(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_hash *hash)
{
    return hs_view_hash_at(hs_store_view(ctx), stream, n, hash);
}

static enum hs_err source_checkpoint(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_checkpoint *out)
{
    return hs_view_checkpoint(hs_store_view(ctx), stream, n, out);
}

static enum hs_err source_whole_from(void *ctx, const struct hs_stream *stream, uint64_t *n)
{
    return hs_view_whole_from(hs_store_view(ctx), stream, n);
}

static enum hs_err source_receipts(void *ctx, const struct hs_stream *stream, hs_visit_receipt visit, void *visit_ctx)
{
    return hs_view_receipts(hs_store_view(ctx), stream, visit, visit_ctx);
}

static enum hs_err source_certificate(void *ctx, const struct hs_key *key, struct hs_buf *certificate)
{
    struct hs_bytes bytes;
    enum hs_err err = hs_view_certificate(hs_store_view(ctx), key, &bytes);
    if (err == HS_OK)
        hs_buf_put_bytes(certificate, bytes);
    return err;
}

static enum hs_err source_heads(void *ctx, hs_visit_head visit, void *visit_ctx)
{
    return hs_view_heads(hs_store_view(ctx), visit, visit_ctx);
}

static enum hs_err source_forks(void *ctx, hs_visit_fork visit, void *visit_ctx)
{
    return hs_view_forks(hs_store_view(ctx), visit, visit_ctx);
}

static enum hs_err source_loose(void *ctx, const struct hs_stream *stream, hs_visit_loose visit, void *visit_ctx)
{
    return hs_view_loose(hs_store_view(ctx), stream, visit, visit_ctx);
}

static enum hs_err source_digests(void *ctx, hs_visit_digest visit, void *visit_ctx)
{
    return hs_view_digests(hs_store_view(ctx), visit, visit_ctx);
}

static enum hs_err source_fills(void *ctx, hs_visit_fill visit, void *visit_ctx)
{
    return hs_view_fills(hs_store_view(ctx), visit, visit_ctx);
}

/* Commits are counted by the victim: all in one group of the store. */
static uint64_t source_commit(void *ctx)
{
    (void)ctx;
    return 0;
}

static uint64_t source_origin_now(void *ctx)
{
    return hs_view_current_origin(hs_store_view(ctx));
}

static void source_payments(void *ctx, uint64_t *count, int64_t *sum_fen)
{
    (void)ctx;
    *count = 0;
    *sum_fen = 0;
}

/* What it asks to store is stored at once; the rest of what it wants is of no interest here. */
static void step(struct victim *victim, struct hs_replica_event event)
{
    struct hs_replica_updates updates;
    struct hs_replica_store *wanted[4];
    size_t count = 0;
    event.now_ms = 1000;
    FUZZ_CHECK(hs_replica_step(victim->replica, &event, &updates) == HS_OK);
    for (size_t i = 0; i < updates.count; i++) {
        if (updates.items[i].type != HS_REPLICA_STORE)
            continue;
        FUZZ_CHECK(count < sizeof wanted / sizeof *wanted);
        wanted[count++] = updates.items[i].store;
    }
    for (size_t i = 0; i < count; i++) {
        const struct hs_replica_store *want = wanted[i];
        struct hs_commit commit = {.position = {++victim->commit, 1}};
        struct hs_head head = {want->segment.stream, want->segment.first + want->segment.count - 1, want->segment.end};
        if (want->type == HS_STORE_ORIGIN) {
            FUZZ_CHECK(hs_store_put_origin(store, want->certificate, want->opening) == HS_OK);
        } else if (want->type == HS_STORE_ANNOUNCED) {
            FUZZ_CHECK(hs_store_put_announced(store, &want->announcement) == HS_OK);
        } else if (want->type == HS_STORE_MEET) {
            FUZZ_CHECK(hs_store_meet(store, &want->met) == HS_OK);
        } else {
            FUZZ_CHECK(want->type == HS_STORE_SEGMENT);
            FUZZ_CHECK(hs_store_receive(store, &want->segment) == HS_OK);
            victim->taken++;
            victim->last = want->segment;
            victim->last.body = hs_arena_copy(&victim->arena, want->segment.body);
            commit.heads = &head;
            commit.head_count = 1;
        }
        step(victim, (struct hs_replica_event){
                         .type = HS_REPLICA_STORED, .token = want->token, .err = HS_OK, .commit = &commit});
        hs_replica_store_free(wanted[i]);
    }
}

static void send_frame(struct victim *victim, uint8_t type, struct hs_bytes body)
{
    struct hs_buf frame = {0};
    hs_buf_put_u8(&frame, HS_FRAME_VERSION);
    hs_buf_put_u8(&frame, type);
    hs_buf_put_u32(&frame, ++victim->sequence);
    hs_buf_put_bytes(&frame, body);
    if (frame.size <= HS_MESSAGE_BYTES_MAX)
        step(victim, (struct hs_replica_event){
                         .type = HS_REPLICA_RECEIVED, .peer = victim->peer, .frame = hs_buf_bytes(&frame)});
    hs_buf_fini(&frame);
}

static void greet(struct victim *victim)
{
    struct hs_buf hello = {0}, opened = {0};
    victim->sequence = 0;
    step(victim, (struct hs_replica_event){
                     .type = HS_REPLICA_PEER_UP, .peer = ++victim->peer, .curve_key = liar.certificate.curve_key});
    hs_tlv_put_u64(&hello, 1, 1);
    hs_tlv_put_u64(&hello, 2, 1);
    hs_tlv_put_bytes(&hello, 3, hs_buf_bytes(&liar.encoded));
    hs_tlv_put_bytes(&hello, 4, HS_BYTES("0123456789abcdef", 16));
    hs_tlv_put_fixed64(&hello, 5, 9);
    hs_tlv_put_u64(&hello, 6, 0);
    hs_tlv_put_u64(&hello, 7, 3201);
    hs_tlv_put_u64(&hello, 9, 1);
    hs_tlv_put_u64(&hello, 10, HS_CREDIT_BYTES_MIN);
    send_frame(victim, HALLSYNC__PEER_TYPE__PEER_HELLO, hs_buf_bytes(&hello));
    hs_tlv_put_bytes(&opened, 1, hs_buf_bytes(&liar.encoded));
    hs_tlv_put_bytes(&opened, 2, hs_buf_bytes(&opening));
    send_frame(victim, HALLSYNC__PEER_TYPE__PEER_OPENING, hs_buf_bytes(&opened));
    hs_buf_fini(&hello);
    hs_buf_fini(&opened);
}

/* Whether it was taken. */
static bool send_segment(struct victim *victim, const struct wire *wire)
{
    struct hs_buf body = {0}, name = {0};
    size_t before = victim->taken;
    hs_tlv_put_fixed64(&name, 1, wire->stream.origin);
    hs_tlv_put_u64(&name, 2, wire->stream.partition);
    hs_tlv_put_u64(&name, 3, wire->stream.lane);
    hs_tlv_put_bytes(&body, 1, hs_buf_bytes(&name));
    hs_tlv_put_u64(&body, 2, wire->first);
    hs_tlv_put_u64(&body, 3, wire->count);
    hs_tlv_put_bytes(&body, 4, HS_BYTES(wire->signature.bytes, sizeof wire->signature.bytes));
    hs_tlv_put_u64(&body, 5, wire->raw_bytes);
    hs_tlv_put_u64(&body, 6, wire->compressed);
    hs_tlv_put_bytes(&body, 7, hs_buf_bytes(&wire->body));
    send_frame(victim, HALLSYNC__PEER_TYPE__PEER_SEGMENT, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    hs_buf_fini(&name);
    return victim->taken > before;
}

static enum hs_err source_rows(void *ctx, hs_visit_bytes visit, void *visit_ctx)
{
    (void)ctx, (void)visit, (void)visit_ctx;
    return HS_OK;
}

static enum hs_err source_stores(void *ctx, hs_visit_peer_store visit, void *visit_ctx)
{
    (void)ctx, (void)visit, (void)visit_ctx;
    return HS_OK;
}

static enum hs_err source_counts(void *ctx, const struct hs_key *key, uint64_t id, bool *counts)
{
    (void)ctx, (void)key, (void)id;
    *counts = true;
    return HS_OK;
}

static uint64_t source_backups(void *ctx)
{
    (void)ctx;
    return 0;
}

static enum hs_err source_limit(void *ctx, const struct hs_stream *stream, uint64_t *n)
{
    (void)ctx, (void)stream, (void)n;
    return HS_ENOTFOUND;
}

static enum hs_err source_own(void *ctx, uint64_t *count, int64_t *sum_fen)
{
    (void)ctx;
    *count = 0;
    *sum_fen = 0;
    return HS_OK;
}

static void victim_init(struct victim *victim)
{
    struct hs_replica_options options = {
        .certificate = hs_buf_bytes(&hub.encoded), .root_key = region.root_key, .store_id = 1, .software = "fuzz"};
    struct hs_replica_source source = {.ctx = store,
                                       .cut = source_cut,
                                       .origin = source_origin,
                                       .hash_at = source_hash_at,
                                       .checkpoint = source_checkpoint,
                                       .whole_from = source_whole_from,
                                       .receipts = source_receipts,
                                       .certificate = source_certificate,
                                       .revocations = source_rows,
                                       .releases = source_rows,
                                       .limit = source_limit,
                                       .peer_stores = source_stores,
                                       .store_counts = source_counts,
                                       .backup_store = source_backups,
                                       .own_payments = source_own,
                                       .heads = source_heads,
                                       .forks = source_forks,
                                       .loose = source_loose,
                                       .digests = source_digests,
                                       .fills = source_fills,
                                       .commit = source_commit,
                                       .current_origin = source_origin_now,
                                       .clock_ms = fuzz_now_ms,
                                       .payments = source_payments};
    hs_arena_init(&victim->arena, 0);
    FUZZ_CHECK(hs_replica_new(&options, &source, &victim->replica) == HS_OK);
    greet(victim);
}

static void check_memory(const struct victim *victim)
{
    struct hs_peer_status status[2];
    size_t count = hs_replica_peers(victim->replica, status, 2);
    for (size_t i = 0; i < count && i < 2; i++)
        FUZZ_CHECK(status[i].memory_bytes < MEMORY_MAX);
}

/* ---- what must hold ---- */

static void check_same(const struct hs_segment *taken, const struct wire *sound, const struct chain *chain)
{
    FUZZ_CHECK(hs_stream_equal(&taken->stream, &sound->stream));
    FUZZ_CHECK(taken->first == sound->first);
    FUZZ_CHECK(taken->count == sound->count);
    FUZZ_CHECK(hs_bytes_equal(taken->body, hs_buf_bytes(&sound->raw)));
    FUZZ_CHECK(hs_hash_equal(&taken->end, &chain->hashes[chain->count]));
    FUZZ_CHECK(memcmp(&taken->signature, &sound->signature, sizeof taken->signature) == 0);
}

/* The store has the chain up to @count, and gives it out again as it came. */
static void check_held(const struct chain *chain, size_t count)
{
    struct hs_view *view = hs_store_view(store);
    struct hs_head head = {0};
    struct hs_buf all = {0}, expected = {0};
    enum hs_err err = hs_view_head(view, &chain->stream, &head);
    FUZZ_CHECK(err == (count > 0 ? HS_OK : HS_ENOTFOUND));
    FUZZ_CHECK(head.n == count);
    FUZZ_CHECK(count == 0 || hs_hash_equal(&head.hash, &chain->hashes[count]));
    for (uint64_t next = 1; next <= count;) {
        struct hs_segment segment;
        FUZZ_CHECK(hs_view_cut(view, &chain->stream, next, &all, &segment) == HS_OK);
        FUZZ_CHECK(segment.first == next && segment.count > 0);
        next += segment.count;
    }
    for (size_t i = 0; i < count; i++)
        hs_buf_put_sized(&expected, chain->ops[i]);
    FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&all), hs_buf_bytes(&expected)));
    hs_buf_fini(&all);
    hs_buf_fini(&expected);
}

static void to_replica(const struct chain *chain, enum damage damage, const struct wire *sound,
                       const struct wire *damaged)
{
    struct victim victim = {0};
    struct wire held;
    bool fits = sound->raw.size <= HS_SEGMENT_BYTES_MAX;
    victim_init(&victim);
    if (chain->held > 0) {
        fill(chain, 0, chain->held, damage % 2 != 0, &held);
        FUZZ_CHECK(send_segment(&victim, &held));
        wire_fini(&held);
    }
    bool taken = send_segment(&victim, damaged);
    FUZZ_CHECK(taken || !fits || (damage != NONE && damage != FRAME_OTHER));
    FUZZ_CHECK(!taken || (damage != FRAME_TWICE && damage != FRAME_BEHIND && damage != FRAME_BEFORE));
    check_memory(&victim);
    if (!taken) {
        check_held(chain, chain->held);
        step(&victim, (struct hs_replica_event){.type = HS_REPLICA_PEER_DOWN, .peer = victim.peer});
        greet(&victim);
        FUZZ_CHECK(send_segment(&victim, sound) == fits);
    }
    if (fits)
        check_same(&victim.last, sound, chain);
    check_held(chain, fits ? chain->count : chain->held);
    hs_replica_free(victim.replica);
    hs_arena_fini(&victim.arena);
}

/* Behind the replica the store looks once more, but at signatures. */
static void to_store(const struct chain *chain, const struct wire *sound, const struct wire *damaged)
{
    struct wire held;
    struct hs_segment segments[] = {
        {.first = 1, .count = (uint32_t)chain->held, .end = chain->hashes[chain->held]},
        {.stream = damaged->stream, .first = damaged->first, .count = (uint32_t)damaged->count},
        {.stream = sound->stream, .first = sound->first, .count = (uint32_t)sound->count},
    };
    FUZZ_CHECK(hs_store_put_origin(store, hs_buf_bytes(&liar.encoded), hs_buf_bytes(&opening)) == HS_OK);
    fill(chain, 0, chain->held, false, &held);
    segments[0].stream = chain->stream;
    segments[0].body = hs_buf_bytes(&held.raw);
    if (chain->held > 0)
        FUZZ_CHECK(hs_store_receive(store, &segments[0]) == HS_OK);
    segments[1].body = hs_buf_bytes(&damaged->raw);
    segments[2].body = hs_buf_bytes(&sound->raw);
    segments[1].end = segments[2].end = chain->hashes[chain->count];
    enum hs_err err = hs_store_receive(store, &segments[1]);
    FUZZ_CHECK(err == HS_OK || err == HS_EMALFORMED || err == HS_EGAP || err == HS_EEXISTS || err == HS_ESIGNATURE ||
               err == HS_ECERT);
    check_held(chain, err == HS_OK ? chain->count : chain->held);
    FUZZ_CHECK(hs_store_receive(store, &segments[2]) == (err == HS_OK ? HS_EEXISTS : HS_OK));
    check_held(chain, chain->count);
    wire_fini(&held);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    struct hs_arena arena;
    struct chain chain = {0};
    struct wire sound, damaged;
    set_up();
    hs_arena_init(&arena, 0);
    uint8_t what = fuzz_u8(&in);
    enum damage damage = (enum damage)(what % DAMAGE_COUNT);
    bool compressed = what / DAMAGE_COUNT % 2 != 0;
    read_chain(&in, &arena, &chain);
    fill(&chain, chain.held, chain.count, compressed, &sound);
    fill(&chain, chain.held, chain.count, compressed, &damaged);
    do_damage(&in, &chain, damage, &damaged);
    FUZZ_CHECK(hs_store_begin(store) == HS_OK);
    if (what / DAMAGE_COUNT / 2 % 3 == 2)
        to_store(&chain, &sound, &damaged);
    else
        to_replica(&chain, damage, &sound, &damaged);
    hs_store_abort(store);
    wire_fini(&sound);
    wire_fini(&damaged);
    hs_arena_fini(&arena);
    return 0;
}

/* ---- seeds: each damage to one or three ops, compressed or not, to replica and store ---- */

void fuzz_seeds(fuzz_put put)
{
    static const uint8_t OPS[] = {0, 3, 'o', 'n', 'e', 2, 5, 0, 0, 1, 'x', 0, 0, 4, 'a', 'b', 'c', 'd', 1, 2, 3, 4};
    static const uint8_t HOWS[] = {0, 1, 4};
    char name[48];
    for (uint8_t damage = 0; damage < DAMAGE_COUNT; damage++) {
        for (size_t i = 0; i < sizeof HOWS; i++) {
            struct hs_buf seed = {0};
            hs_buf_put_u8(&seed, (uint8_t)(damage + DAMAGE_COUNT * HOWS[i]));
            hs_buf_put_u8(&seed, i == 0 ? 3 : 0x40 | 8 | 5);
            hs_buf_put(&seed, OPS, sizeof OPS);
            snprintf(name, sizeof name, "damage-%02u-%zu", (unsigned)damage, i);
            put(name, hs_buf_bytes(&seed));
            hs_buf_fini(&seed);
        }
    }
    put("count-of-billions-to-the-store", FUZZ_SEED("\x56\x03\0\3one\0\0\0\0\0\0\xff\xff\xff\xff"));
    /* zeros beyond what a segment holds, compressed: what / 21 odd */
    put("too-big", FUZZ_SEED("\x15\x61\x01\x81\xff\xff\x81\xff\xff\x81\xff\xff"));
    put("big", FUZZ_SEED("\x15\x01\x81\xff\x00"));
}
