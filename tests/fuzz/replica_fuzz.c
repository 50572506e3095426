/* replica_fuzz.c -- the replica against a peer with a valid CURVE key: garbage, frames out of place, sound frames with
 * wrong content, and a certified hall that lies.  It must never fail; what such a peer can make it hold is bounded; and
 * an honest hall's operations still arrive at their hub (looked at where the setting says so: it takes as long as all
 * the rest).
 *
 *     input = setting u8, then commands: what u8 || its arguments */
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "proto/peer.pb-c.h"
#include "tests/fuzz/replica_trust.h"

#include <zstd.h>

#define MEMORY_MAX ((size_t)16 << 20)

#define SETTING_HONEST 0xc0 /* and above: let an honest hall write at the end */

enum {
    BODY,
    FRAME,
    HELLO,
    OPENING,
    SEGMENT,
    FRONTIER,
    ACK,
    HEARTBEAT,
    PROBE,
    COMPARE,
    PART,
    LOOSE,
    PROOF,
    DISPUTE,
    TIME,
    STORE,
    STORE_FAILS,
    WRITE,
    AGAIN,
    RESTART,
    FILL,
    FILL_HEADS,
    STATES,
    REVOCATIONS,
    STORES,
    FETCH,
    ROT,
    COMMAND_COUNT
};

/* ---- talking to the victim ---- */

static void connect(struct game *game)
{
    bool dials = game->victim->certificate.role == HS_ROLE_HALL;
    struct world_node *from = dials ? game->victim : game->liar, *to = dials ? game->liar : game->victim;
    if (game->link != NULL)
        world_cut(game->link);
    game->link = world_dial(from, to);
    game->peer = game->link->peer[dials ? 0 : 1];
    game->sequence = 0;
}

/* ---- what there is to talk about ---- */

static void take_name(struct game *game, struct hs_stream name)
{
    FUZZ_CHECK(game->name_count < NAMES_MAX);
    game->names[game->name_count++] = name;
}

static void set_up(struct game *game, uint8_t setting)
{
    static const hs_partition MINE[] = {3202, 3203}, THEIRS[] = {3201};
    struct world *w = game->world = world_new(1);
    bool is_hub = setting % 2 == 0;
    game->honest = world_hall(w, "hall-1", THEIRS, 1);
    game->victim = is_hub ? world_hub(w, "hub-1") : world_hall(w, "hall-2", MINE, 2);
    game->liar = is_hub && setting % 4 == 0 ? world_hall(w, "hall-9", MINE, 2) : world_hub(w, "hub-9");
    for (uint8_t lane = HS_LANE_WORK; setting % 8 >= 4 && lane < HS_LANE_COUNT; lane++)
        world_store_fill_begin(&game->victim->store, 3202, lane);
    game->victim->rebuilding_ms = setting % 16 >= 8 ? 60000 : 0; /* a hub then asks halls for states, too */
    world_start(game->honest);
    world_start(game->victim);
    take_name(game, world_write_text(game->victim, is_hub ? HS_PARTITION_REGION : 3202, HS_LANE_MONEY, "own"));
    take_name(game, world_write_text(game->honest, 3201, HS_LANE_MONEY, "honest"));
    game->stream = world_write_text(game->liar, 3202, HS_LANE_WORK, "first");
    game->hashes[0] = hs_chain_start(&game->stream);
    take_name(game, game->stream);
    take_name(game, (struct hs_stream){4711, 3202, HS_LANE_BULK});
    if (is_hub) {
        world_dial(game->honest, game->victim);
        world_settle(w);
    }
    connect(game);
}

/* A StreamHead: of the true hash where there is one, or of any. */
static void put_head(struct game *game, struct hs_cur *in, struct hs_buf *to, uint32_t field)
{
    struct hs_buf packed = {0};
    struct hs_stream name = read_name(game, in);
    uint8_t how = fuzz_u8(in);
    uint64_t n = how % 4 == 3 ? fuzz_u64(in) : how % 4;
    struct hs_hash hash = hs_chain_start(&name);
    const struct world_stream *held = world_store_find(&game->victim->store, &name);
    if (how < 0x80 && held != NULL && n > 0 && n <= held->count)
        hash = held->ops[n - 1].hash;
    put_name(&packed, 1, &name);
    hs_tlv_put_u64(&packed, 2, n);
    hs_tlv_put_bytes(&packed, 3, HS_BYTES(hash.bytes, how >= 0xf8 ? how % 8 : 8));
    hs_tlv_put_bytes(to, field, hs_buf_bytes(&packed));
    hs_buf_fini(&packed);
}

/* ---- sound messages, more or less ---- */

static void hello(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0};
    uint8_t how = fuzz_u8(in);
    hs_tlv_put_u64(&body, 1, 1);
    hs_tlv_put_u64(&body, 2, 1 + how % 2);
    hs_tlv_put_bytes(&body, 3, hs_buf_bytes(&game->liar->certificate_bytes));
    hs_tlv_put_bytes(&body, 4, HS_BYTES("0123456789abcdef", how == 0xff ? 15 : 16));
    hs_tlv_put_fixed64(&body, 5, game->liar->store_id);
    hs_tlv_put_u64(&body, 6, how / 2 % 2);
    for (uint64_t i = 0; i < how / 4 % 4; i++)
        hs_tlv_put_u64(&body, 7, 3200 + fuzz_u8(in) % 4);
    for (uint64_t i = 0; i < how / 16 % 4; i++)
        put_head(game, in, &body, 8);
    hs_tlv_put_u64(&body, 9, fuzz_number(in));
    hs_tlv_put_u64(&body, 10, how >= 0xf0 ? fuzz_number(in) : HS_CREDIT_BYTES_MIN);
    if (how / 64 == 1)
        hs_tlv_put_u64(&body, 13, 3202 * 256 + how % 6);
    hs_tlv_put_u64(&body, 14, how / 8 % 2); /* so a hall supplies states */
    if (how / 64 == 2) {
        for (uint64_t type = HALLSYNC__PEER_TYPE__PEER_REVOCATIONS; type <= HALLSYNC__PEER_TYPE__PEER_STORES; type++)
            hs_tlv_put_u64(&body, 11, type);
        hs_tlv_put_u64(&body, 15, how % 4 == 3 ? fuzz_number(in) : 0);
    }
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_HELLO, hs_buf_bytes(&body));
    hs_buf_fini(&body);
}

static void opening(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0}, fresh = {0};
    struct hs_opening opened = {
        .origin = fuzz_number(in), .node_key = game->liar->certificate.node_key, .opened_ms = 1};
    struct hs_signer signer = hs_signer_of(&game->liar->secret);
    const struct world_origin *own = world_store_origin(&game->liar->store, game->stream.origin);
    if (opened.origin == 0)
        hs_buf_put_bytes(&fresh, hs_buf_bytes(&own->opening));
    else
        FUZZ_CHECK(hs_opening_sign(&opened, &signer, &fresh) == HS_OK);
    hs_tlv_put_bytes(&body, 1, hs_buf_bytes(&own->certificate));
    hs_tlv_put_bytes(&body, 2, hs_buf_bytes(&fresh));
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_OPENING, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    hs_buf_fini(&fresh);
}

static void sign_segment(struct game *game, const struct hs_stream *name, uint64_t last, struct hs_bytes op,
                         struct hs_signature *signature)
{
    struct hs_signer signer = hs_signer_of(&game->liar->secret);
    struct hs_hash hash = hs_chain_next(&game->hashes[game->n], op);
    FUZZ_CHECK(hs_checkpoint_sign(name, last, &hash, &signer, signature) == HS_OK);
    if (hs_stream_equal(name, &game->stream) && last == game->n + 1) {
        game->n = last;
        game->hashes[last] = hash;
        hs_buf_reset(&game->ops[last]);
        hs_buf_put_bytes(&game->ops[last], op);
    }
}

/* One op; @how says what is wrong with it. */
static void segment(struct game *game, struct hs_cur *in)
{
    uint8_t how = fuzz_u8(in);
    struct hs_stream name = how % 2 == 0 ? game->stream : read_name(game, in);
    struct hs_bytes op = fuzz_bytes(in, fuzz_u8(in) % 64);
    struct hs_buf raw = {0}, packed = {0}, body = {0};
    struct hs_signature signature;
    uint64_t first = how % 4 == 3 ? fuzz_number(in) : game->n + 1;
    sign_segment(game, &name, first, op, &signature);
    signature.bytes[0] ^= how / 4 % 4 == 3;
    hs_buf_put_sized(&raw, op);
    bool compressed = how / 16 % 4 == 1;
    if (compressed) {
        uint8_t *room = hs_buf_extend(&packed, 256);
        packed.size = ZSTD_compress(room, 256, raw.data, raw.size, 1);
    }
    if (how / 16 % 4 == 2)
        hs_buf_put_bytes(&packed, fuzz_bytes(in, 24)); /* says that it is compressed */
    put_name(&body, 1, &name);
    hs_tlv_put_u64(&body, 2, first);
    hs_tlv_put_u64(&body, 3, how >= 0xf0 ? fuzz_number(in) : 1);
    hs_tlv_put_bytes(&body, 4, HS_BYTES(signature.bytes, sizeof signature.bytes));
    hs_tlv_put_u64(&body, 5, how / 16 % 4 == 3 ? fuzz_number(in) : raw.size);
    hs_tlv_put_u64(&body, 6, packed.size > 0);
    hs_tlv_put_bytes(&body, 7, packed.size > 0 ? hs_buf_bytes(&packed) : hs_buf_bytes(&raw));
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_SEGMENT, hs_buf_bytes(&body));
    hs_buf_fini(&raw);
    hs_buf_fini(&packed);
    hs_buf_fini(&body);
}

/* One item of a list, or (@named) of an answer. */
static void put_item(struct game *game, struct hs_cur *in, unsigned level, bool named, struct hs_buf *items)
{
    uint8_t node[HS_NODE_HASH_BYTES];
    const struct world_node *nodes[] = {game->honest, game->victim, game->liar};
    struct hs_stream name;
    switch (level) {
    case 0:
        hs_buf_put_u16(items, (uint16_t)(3200 + fuzz_u8(in) % 4));
        break;
    case 1:
        hs_node_hash(&nodes[fuzz_u8(in) % 3]->certificate.node_key, node);
        hs_buf_put(items, node, sizeof node);
        break;
    default:
        name = read_name(game, in);
        hs_buf_put_u64(items, name.origin);
        hs_buf_put_u8(items, name.lane);
        hs_buf_put_varint(items, fuzz_number(in));
        break;
    }
    if (level == 2 || !named) {
        struct hs_bytes hash = fuzz_bytes(in, 8);
        hs_buf_put_bytes(items, hash);
    }
}

static void put_prefix(struct hs_cur *in, unsigned depth, struct hs_buf *part)
{
    uint8_t digits[4];
    for (unsigned i = 0; i < depth; i++)
        digits[i] = fuzz_u8(in) % 17;
    if (depth > 0)
        hs_tlv_put_bytes(part, 4, HS_BYTES(digits, depth));
}

static void put_part(struct game *game, struct hs_cur *in, struct hs_buf *body)
{
    struct hs_buf part = {0}, items = {0};
    uint8_t node[HS_NODE_HASH_BYTES];
    uint8_t how = fuzz_u8(in), level = how % 4, shape = fuzz_u8(in);
    bool reply = how / 4 % 2;
    hs_node_hash(&(how / 8 % 2 ? game->honest : game->liar)->certificate.node_key, node);
    hs_tlv_put_u64(&part, 1, level);
    if (level > 0)
        hs_tlv_put_u64(&part, 2, 3200 + fuzz_u8(in) % 4);
    if (level == 2)
        hs_tlv_put_bytes(&part, 3, HS_BYTES(node, sizeof node));
    put_prefix(in, how / 16 % 4, &part);
    if (reply)
        hs_tlv_put_u64(&part, 5, true);
    if (shape % 4 == 0) {
        struct hs_bytes buckets = fuzz_bytes(in, 2 + 8 * (shape / 4 % 4U));
        hs_tlv_put_bytes(&part, 6, buckets);
    }
    for (unsigned i = 0; i < shape / 16 % 4U; i++)
        put_item(game, in, level, reply, &items);
    if (shape % 4 != 0)
        hs_tlv_put_bytes(&part, shape % 4 == 3 ? 10 : 7, hs_buf_bytes(&items));
    if (shape / 64 == 1)
        hs_tlv_put_u64(&part, 8, fuzz_number(in));
    if (shape / 64 == 2)
        hs_tlv_put_u64(&part, 9, fuzz_number(in));
    hs_tlv_put_bytes(body, 1, hs_buf_bytes(&part));
    hs_buf_fini(&part);
    hs_buf_fini(&items);
}

static void frontier(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0};
    uint8_t how = fuzz_u8(in);
    for (unsigned i = 0; i < how % 4U; i++)
        put_part(game, in, &body);
    for (unsigned i = 0; i < how / 4 % 4U && (how % 4 == 0 || how >= 0xf0); i++)
        put_head(game, in, &body, 2);
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_FRONTIER, hs_buf_bytes(&body));
    hs_buf_fini(&body);
}

static void ack(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0}, part = {0};
    uint8_t how = fuzz_u8(in);
    struct hs_receipt receipt = {.store_id = how,
                                 .stream = read_name(game, in),
                                 .n = 1 + how % 2,
                                 .time_ms = 1,
                                 .hub_key = game->liar->certificate.node_key};
    struct hs_signer signer = hs_signer_of(&game->liar->secret);
    if (how % 4 != 0)
        hs_tlv_put_u64(&body, 1, HS_CREDIT_BYTES_MIN + fuzz_number(in));
    put_name(&part, 1, &receipt.stream);
    hs_tlv_put_u64(&part, 2, fuzz_number(in));
    hs_tlv_put_bytes(&body, 2, hs_buf_bytes(&part));
    hs_buf_reset(&part);
    FUZZ_CHECK(hs_receipt_sign(&receipt, &signer) == HS_OK);
    put_name(&part, 1, &receipt.stream);
    hs_tlv_put_u64(&part, 2, receipt.n);
    hs_tlv_put_bytes(&part, 3, HS_BYTES(receipt.hash.bytes, sizeof receipt.hash.bytes));
    hs_tlv_put_fixed64(&part, 4, receipt.store_id);
    hs_tlv_put_u64(&part, 5, receipt.time_ms);
    hs_tlv_put_bytes(&part, 6, HS_BYTES(receipt.signature.bytes, sizeof receipt.signature.bytes));
    if (how / 4 % 4 == 1)
        hs_tlv_put_bytes(&part, 7, hs_buf_bytes(&game->liar->certificate_bytes));
    if (how / 16 % 4 == 1)
        hs_tlv_put_bytes(&body, 3, hs_buf_bytes(&part));
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_ACK, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    hs_buf_fini(&part);
}

static void heartbeat(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0};
    uint8_t how = fuzz_u8(in);
    hs_tlv_put_u64(&body, 1, fuzz_number(in));
    if (how % 2 != 0)
        hs_tlv_put_u64(&body, 2, fuzz_number(in));
    for (unsigned i = 0; i < how / 2 % 4U; i++)
        put_head(game, in, &body, 3);
    hs_tlv_put_u64(&body, 4, fuzz_number(in));
    hs_tlv_put_u64(&body, 5, fuzz_u64(in));
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, hs_buf_bytes(&body));
    hs_buf_fini(&body);
}

static void probe(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0};
    uint8_t how = fuzz_u8(in);
    if (how % 4 == 0)
        world_probe(game->victim, 1 + how);
    hs_tlv_put_u64(&body, 1, fuzz_number(in));
    if (how % 2 != 0) {
        for (unsigned i = 0; i < how / 4 % 4U; i++)
            put_head(game, in, &body, 2);
        hs_tlv_put_u64(&body, 3, how / 16 % 2);
    }
    send_bytes(game, how % 2 == 0 ? HALLSYNC__PEER_TYPE__PEER_PROBE : HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY,
               hs_buf_bytes(&body));
    hs_buf_fini(&body);
}

static void compare_reply(struct hs_cur *in, uint8_t how, struct hs_buf *body)
{
    for (unsigned i = 0; i < how / 4 % 4U; i++) {
        struct hs_buf entry = {0};
        for (uint32_t field = 1; field <= 4; field++)
            hs_tlv_put_u64(&entry, field, field == 1 ? 3200U + fuzz_u8(in) % 4 : fuzz_number(in));
        hs_tlv_put_bytes(&entry, 5, fuzz_bytes(in, 32));
        hs_tlv_put_bytes(&entry, 6, fuzz_bytes(in, fuzz_u8(in) % 80));
        hs_tlv_put_bytes(&entry, 7, fuzz_bytes(in, 32));
        hs_tlv_put_bytes(body, 2, hs_buf_bytes(&entry));
        hs_buf_fini(&entry);
    }
    hs_tlv_put_u64(body, 3, how / 16 % 2);
}

static void compare(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0};
    uint8_t how = fuzz_u8(in);
    bool asks = how % 2 == 0;
    if (how % 4 == 1)
        world_compare(game->victim);
    hs_tlv_put_u64(&body, 1, fuzz_number(in));
    for (uint32_t field = 2; asks && field <= 5; field++)
        hs_tlv_put_u64(&body, field, field == 3 ? 3200U + fuzz_u8(in) % 4 : fuzz_number(in));
    if (asks)
        hs_tlv_put_bytes(&body, 6, fuzz_bytes(in, fuzz_u8(in) % 80));
    else
        compare_reply(in, how, &body);
    send_bytes(game, asks ? HALLSYNC__PEER_TYPE__PEER_COMPARE : HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY,
               hs_buf_bytes(&body));
    hs_buf_fini(&body);
}

/* ---- forks: other contents under numbers that the liar has signed, or the same ones ---- */

/* A PeerLoose from some h(first - 1) of the liar's stream; returns h of its last op. */
static struct hs_hash put_loose(struct game *game, struct hs_cur *in, uint64_t first, struct hs_buf *to)
{
    uint8_t how = fuzz_u8(in);
    struct hs_hash start = game->hashes[first - 1], end = start;
    struct hs_buf body = {0};
    uint64_t count = 1 + how % 3;
    for (uint64_t i = 0; i < count; i++) {
        struct hs_bytes op = fuzz_bytes(in, fuzz_u8(in) % 16);
        end = hs_chain_next(&end, op);
        hs_buf_put_sized(&body, op);
    }
    struct hs_signer signer = hs_signer_of(&game->liar->secret);
    struct hs_signature signature;
    FUZZ_CHECK(hs_checkpoint_sign(&game->stream, first + count - 1, &end, &signer, &signature) == HS_OK);
    signature.bytes[0] ^= how >= 0xf0;
    put_name(to, 1, &game->stream);
    hs_tlv_put_u64(to, 2, how / 4 % 8 == 1 ? fuzz_number(in) : first);
    hs_tlv_put_bytes(to, 3, HS_BYTES(start.bytes, sizeof start.bytes));
    hs_tlv_put_u64(to, 4, how / 4 % 8 == 2 ? fuzz_number(in) : count);
    hs_tlv_put_bytes(to, 5, HS_BYTES(signature.bytes, sizeof signature.bytes));
    hs_tlv_put_bytes(to, 6, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    return end;
}

static void loose(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0};
    put_loose(game, in, some_number(game, in), &body);
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_LOOSE, hs_buf_bytes(&body));
    hs_buf_fini(&body);
}

/* A checkpoint as PeerForkProof and PeerDispute begin with one: of the liar's chain, or of any hash. */
static void put_checkpoint(struct game *game, struct hs_cur *in, uint64_t n, struct hs_buf *body)
{
    uint8_t how = fuzz_u8(in);
    struct hs_hash hash = n <= game->n && how % 4 != 1 ? game->hashes[n] : (struct hs_hash){{how}};
    struct hs_signer signer = hs_signer_of(&game->liar->secret);
    struct hs_signature signature;
    FUZZ_CHECK(hs_checkpoint_sign(&game->stream, n, &hash, &signer, &signature) == HS_OK);
    signature.bytes[0] ^= how >= 0xf0;
    put_name(body, 1, &game->stream);
    hs_tlv_put_u64(body, 2, n);
    hs_tlv_put_bytes(body, 3, HS_BYTES(hash.bytes, sizeof hash.bytes));
    hs_tlv_put_bytes(body, 4, HS_BYTES(signature.bytes, sizeof signature.bytes));
}

static void proof(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0}, branch = {0};
    uint64_t n = some_number(game, in), first = n < 2 || fuzz_u8(in) % 4 != 0 ? n : n - 1;
    put_checkpoint(game, in, n, &body);
    put_loose(game, in, first, &branch);
    hs_tlv_put_bytes(&body, 5, hs_buf_bytes(&branch));
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_FORK_PROOF, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    hs_buf_fini(&branch);
}

static void dispute(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0};
    put_checkpoint(game, in, some_number(game, in), &body);
    for (unsigned left = fuzz_u8(in) % 4U; left > 0; left--)
        put_head(game, in, &body, 5);
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_DISPUTE, hs_buf_bytes(&body));
    hs_buf_fini(&body);
}

/* ---- states instead of operations ---- */

/* A question, the end of one, or that something is pruned. */
static void fill(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0};
    uint8_t how = fuzz_u8(in);
    if (how % 4 == 3) {
        put_head(game, in, &body, 1);
        send_bytes(game, HALLSYNC__PEER_TYPE__PEER_PRUNED, hs_buf_bytes(&body));
    } else {
        hs_tlv_put_u64(&body, 1, 3200 + how / 4 % 4);
        hs_tlv_put_u64(&body, 2, how / 16 % 6);
        if (how % 4 == 1)
            hs_tlv_put_bytes(&body, 3, fuzz_bytes(in, fuzz_u8(in) % 80));
        hs_tlv_put_u64(&body, 4, how % 4 == 2);
        send_bytes(game, HALLSYNC__PEER_TYPE__PEER_FILL, hs_buf_bytes(&body));
    }
    hs_buf_fini(&body);
}

static void fill_heads(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0}, head = {0};
    uint8_t how = fuzz_u8(in);
    hs_tlv_put_u64(&body, 1, how >= 0xf0 ? fuzz_number(in) : 3202);
    hs_tlv_put_u64(&body, 2, how / 32 % 4 == 3 ? fuzz_number(in) : HS_LANE_WORK);
    for (unsigned i = 0; i < how % 4U; i++) {
        hs_buf_reset(&head);
        put_checkpoint(game, in, some_number(game, in), &head);
        hs_tlv_put_bytes(&body, 3, hs_buf_bytes(&head));
    }
    hs_tlv_put_u64(&body, 4, how / 4 % 2);
    hs_tlv_put_u64(&body, 5, how / 8 % 2 == 0);
    if (how / 16 % 8 == 5)
        hs_tlv_put_text(&body, 7, "busy");
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    hs_buf_fini(&head);
}

/* Records of the liar's stream; @how says what is wrong with them. */
static void states(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0}, raw = {0}, key = {0}, state = {0};
    uint8_t how = fuzz_u8(in);
    for (unsigned i = 0; i < how % 4U; i++) {
        struct hs_stream name = how / 4 % 4 == 3 ? read_name(game, in) : game->stream;
        uint64_t n = some_number(game, in);
        world_record_of(&name, n, fuzz_bytes(in, 1 + fuzz_u8(in) % 16), &key, &state);
        hs_buf_put_sized(&raw, hs_buf_bytes(&key));
        hs_buf_put_sized(&raw, hs_buf_bytes(&state));
    }
    if (how / 4 % 4 == 1)
        hs_buf_put_bytes(&raw, fuzz_bytes(in, fuzz_u8(in)));
    if (how / 4 % 4 == 2 && raw.size > 0)
        raw.size -= fuzz_u8(in) % raw.size;
    hs_tlv_put_u64(&body, 1, 3202);
    hs_tlv_put_u64(&body, 2, HS_LANE_WORK);
    hs_tlv_put_u64(&body, 3, how >= 0xf0 ? fuzz_number(in) : raw.size);
    hs_tlv_put_u64(&body, 4, how >= 0xf8);
    hs_tlv_put_bytes(&body, 5, hs_buf_bytes(&raw));
    hs_tlv_put_u64(&body, 6, how / 16 % 4 == 1);
    hs_tlv_put_u64(&body, 7, how / 16 % 4 == 2);
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_STATES, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    hs_buf_fini(&raw);
    hs_buf_fini(&key);
    hs_buf_fini(&state);
}

/* Any message made of small parts. */
static void parts(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0}, inner = {0};
    uint8_t type = fuzz_u8(in) % 32;
    struct hs_buf *to = &body;
    for (unsigned left = fuzz_u8(in) % 12; left > 0; left--) {
        uint8_t what = fuzz_u8(in);
        uint32_t field = 1 + what % 8;
        struct hs_stream name = what / 8 % 4 == 0 ? read_name(game, in) : game->stream;
        if (what / 8 % 4 == 0)
            put_name(to, field, &name);
        else if (what / 8 % 4 == 1)
            hs_tlv_put_u64(to, field, fuzz_number(in));
        else if (what / 8 % 4 == 2)
            hs_tlv_put_bytes(to, field, fuzz_bytes(in, what < 0x80 ? HS_HASH_BYTES : HS_SIGNATURE_BYTES));
        else
            put_head(game, in, to, field);
        if (what >= 0xe0)
            to = &inner;
    }
    if (inner.size > 0)
        hs_tlv_put_bytes(&body, 5, hs_buf_bytes(&inner));
    send_bytes(game, type, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    hs_buf_fini(&inner);
}

/* ---- commands ---- */

static void any_body(struct game *game, struct hs_cur *in)
{
    uint8_t type = fuzz_u8(in);
    send_bytes(game, type, fuzz_bytes(in, fuzz_u8(in)));
}

static void any_frame(struct game *game, struct hs_cur *in)
{
    world_hand(game->victim, game->peer, fuzz_bytes(in, fuzz_u8(in)));
}

static void command(struct game *game, struct hs_cur *in)
{
    static void (*const TALK[COMMAND_COUNT])(struct game * game, struct hs_cur * in) = {
        [BODY] = any_body,   [FRAME] = any_frame,         [HELLO] = hello,   [OPENING] = opening,
        [SEGMENT] = segment, [FRONTIER] = frontier,       [ACK] = ack,       [HEARTBEAT] = heartbeat,
        [PROBE] = probe,     [COMPARE] = compare,         [PART] = parts,    [LOOSE] = loose,
        [PROOF] = proof,     [DISPUTE] = dispute,         [FILL] = fill,     [FILL_HEADS] = fill_heads,
        [STATES] = states,   [REVOCATIONS] = revocations, [STORES] = stores, [FETCH] = fetch,
    };
    uint8_t what = fuzz_u8(in) % COMMAND_COUNT;
    if (TALK[what] != NULL) {
        TALK[what](game, in);
    } else if (what == TIME) {
        world_advance(game->world, (uint64_t)fuzz_u8(in) * 20);
    } else if (what == AGAIN) {
        connect(game);
    } else if (what == RESTART || what == ROT) {
        world_stop(game->victim);
        if (what == ROT)
            let_rot(game, in);
        world_start(game->victim);
        game->link = NULL;
        connect(game);
    } else if (what == WRITE) {
        struct hs_stream name = game->names[0];
        world_write_text(game->victim, name.partition, (enum hs_lane)(1 + fuzz_u8(in) % 4), "more");
    } else {
        game->victim->store_fails = what == STORE_FAILS ? HS_EBUSY : HS_OK;
        world_store_next(game->victim, 1 + fuzz_u8(in) % 4);
        game->victim->store_fails = HS_OK;
    }
}

static void check_memory(const struct game *game)
{
    struct hs_peer_status status[8];
    size_t count = hs_replica_peers(game->victim->replica, status, sizeof status / sizeof *status);
    for (size_t i = 0; i < count && i < sizeof status / sizeof *status; i++)
        FUZZ_CHECK(status[i].memory_bytes < MEMORY_MAX);
}

/* Whatever the liar said, what an honest hall writes arrives at its hub. */
static void check_honest(struct game *game)
{
    if (game->victim->certificate.role != HS_ROLE_HUB || game->is_cut_off)
        return;
    struct hs_stream name = game->names[1];
    world_dial(game->honest, game->victim);
    world_write_text(game->honest, name.partition, (enum hs_lane)name.lane, "another");
    world_advance(game->world, 10000);
    FUZZ_CHECK(world_head(game->victim, &name) == world_head(game->honest, &name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    struct game game = {0};
    uint8_t setting = fuzz_u8(&in);
    set_up(&game, setting);
    for (size_t i = 0; i < COMMANDS_MAX && in.left > 0; i++)
        command(&game, &in);
    check_memory(&game);
    if (setting >= SETTING_HONEST)
        check_honest(&game);
    world_free(game.world);
    for (size_t i = 0; i <= COMMANDS_MAX; i++)
        hs_buf_fini(&game.ops[i]);
    return 0;
}

/* ---- seeds: each command in a session that has begun ---- */

#define COMMANDS_A_SEED 5

static void put_commands(fuzz_put put, uint8_t setting, uint8_t first)
{
    static const uint8_t BEGIN[] = {AGAIN, HELLO, 0x10, 0, 1, 1, OPENING, 0, STORE, 4};
    static const uint8_t ARGUMENTS[] = {1, 0, 3, 'a', 'b', 'c'};
    struct hs_buf seed = {0};
    char name[32];
    hs_buf_put_u8(&seed, setting);
    for (uint8_t what = first; what < first + COMMANDS_A_SEED && what < COMMAND_COUNT; what++) {
        hs_buf_put(&seed, BEGIN, sizeof BEGIN);
        hs_buf_put_u8(&seed, what);
        hs_buf_put(&seed, ARGUMENTS, sizeof ARGUMENTS);
    }
    snprintf(name, sizeof name, "setting-%u-from-%02u", setting, first);
    put(name, hs_buf_bytes(&seed));
    hs_buf_fini(&seed);
}

void fuzz_seeds(fuzz_put put)
{
    for (uint8_t setting = 0; setting < 7; setting++) {
        for (uint8_t first = 0; first < COMMAND_COUNT; first += COMMANDS_A_SEED)
            put_commands(put, setting, first);
    }
    for (uint8_t first = 0; first < COMMAND_COUNT; first += COMMANDS_A_SEED)
        put_commands(put, SETTING_HONEST, first);
    static const uint8_t SEGMENTS[] = {0,    HELLO, 0,   1,     OPENING, 0,       SEGMENT, 0, 2, 'a', 'b',  SEGMENT,
                                       0x10, 1,     'c', STORE, 3,       SEGMENT, 1,       1, 1, 'x', TIME, 200};
    static const uint8_t FORKS[] = {0, HELLO,   0,     1, OPENING, 0,        SEGMENT, 0, 1,       'a',   SEGMENT, 0,
                                    1, 'b',     STORE, 3, LOOSE,   1,        0,       1, 'x',     STORE, 3,       PROOF,
                                    1, 1,       0,     0, 1,       'y',      STORE,   3, DISPUTE, 1,     0,       1,
                                    2, 2,       LOOSE, 2, 2,       1,        'z',     1, 'z',     1,     'z',     STORE,
                                    3, RESTART, HELLO, 0, 1,       FRONTIER, 2,       2, 2,       TIME,  200};
    static const uint8_t FILLED[] = {5,     HELLO, 0,      1,    OPENING, 0, FILL_HEADS, 1,     0,  0,
                                     STORE, 3,     STATES, 0x21, 0,       1, 'a',        STORE, 3,  FILL_HEADS,
                                     5,     0,     0,      FILL, 3,       0, 1,          TIME,  200};
    /* A greeting that knows all messages; the liar's operations rot and are asked of him. */
    static const uint8_t ROTTEN[] = {0,     HELLO, 0x80,  OPENING, 0,   SEGMENT, 0,     2,    'a',   'b',  SEGMENT, 0,
                                     1,     'c',   STORE, 3,       ROT, 2,       HELLO, 0x80, FETCH, 0x42, 1,       0,
                                     STORE, 3,     FETCH, 0,       0,   1,       FETCH, 0x22, 2,     0};
    static const uint8_t REVOKED[] = {1,           HELLO, 0x80, REVOCATIONS, 0x01, STORE, 3,
                                      REVOCATIONS, 0x09,  1,    STORE,       3,    TIME,  200};
    static const uint8_t GONE[] = {2,      HELLO, 0x80, STORES, 0x01, 0,      1,    STORE, 3,
                                   STORES, 0x08,  0,    1,      2,    STORES, 0x40, TIME,  200};
    put("rotten", HS_BYTES(ROTTEN, sizeof ROTTEN));
    put("revoked", HS_BYTES(REVOKED, sizeof REVOKED));
    put("gone", HS_BYTES(GONE, sizeof GONE));
    put("filled", HS_BYTES(FILLED, sizeof FILLED));
    put("forks", HS_BYTES(FORKS, sizeof FORKS));
    put("segments", HS_BYTES(SEGMENTS, sizeof SEGMENTS));
}
