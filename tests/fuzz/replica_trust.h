/* replica_trust.h -- messages 24 to 26, more or less sound: revocations and releases, operations that rotted, stores
 * that are gone. */
#ifndef HS_FUZZ_REPLICA_TRUST_H
#define HS_FUZZ_REPLICA_TRUST_H

#include "tests/fuzz/replica_game.h"

static inline struct world_node *read_node(struct game *game, uint8_t which)
{
    struct world_node *const nodes[] = {game->liar, game->honest, game->victim};
    return nodes[which % (sizeof nodes / sizeof *nodes)];
}

/* A bit of what was signed is another one, or it ends early. */
static inline void spoil(struct hs_cur *in, uint8_t how, struct hs_buf *row)
{
    if (how >= 0xf0)
        row->data[fuzz_u16(in) % row->size] ^= 1;
    else if (how >= 0xe0)
        row->size -= fuzz_u8(in) % row->size;
}

static inline void revocations(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0}, row = {0};
    uint8_t how = fuzz_u8(in);
    for (unsigned i = 0; i < how % 4U; i++) {
        uint8_t which = fuzz_u8(in);
        const struct world_node *node = read_node(game, which);
        hs_buf_reset(&row);
        world_revocation(game->world, node, which / 4 % 2 == 0, &row);
        spoil(in, which, &row);
        hs_tlv_put_bytes(&body, 1, hs_buf_bytes(&row));
        game->is_cut_off = game->is_cut_off || node != game->liar;
    }
    for (unsigned i = 0; i < how / 4 % 4U; i++) {
        uint8_t which = fuzz_u8(in);
        uint64_t n = some_number(game, in);
        struct hs_stream name = which / 4 % 4 == 3 ? read_name(game, in) : game->stream;
        struct hs_waiting waiting = {.stream = name,
                                     .node_key = read_node(game, which)->certificate.node_key,
                                     .n = n,
                                     .hash = game->hashes[n <= game->n ? n : 0]};
        if (!hs_lane_valid(name.lane) || !hs_partition_valid(name.partition) || name.origin == 0)
            waiting.stream = game->stream; /* nobody signs what is no stream */
        hs_buf_reset(&row);
        world_release_row(game->world, &waiting, 1, &row);
        spoil(in, which, &row);
        hs_tlv_put_bytes(&body, 2, hs_buf_bytes(&row));
    }
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_REVOCATIONS, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    hs_buf_fini(&row);
}

static inline void stores(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0}, part = {0};
    uint8_t how = fuzz_u8(in);
    for (unsigned i = 0; i < how % 8U; i++) {
        uint8_t which = fuzz_u8(in);
        const struct world_node *node = read_node(game, which);
        uint64_t id = which < 0x80 ? node->store_id : fuzz_number(in);
        hs_buf_reset(&part);
        hs_tlv_put_bytes(&part, 1, HS_BYTES(node->certificate.node_key.bytes, which == 0xff ? 31 : HS_KEY_BYTES));
        hs_tlv_put_fixed64(&part, 2, id);
        hs_tlv_put_bytes(&body, 1, hs_buf_bytes(&part));
    }
    for (unsigned i = 0; i < how / 8 % 8U * (how >= 0xe0 ? 8 : 1); i++) {
        struct hs_stream name = read_name(game, in);
        put_name(&body, 2, &name);
    }
    if (how / 64 % 2 == 1)
        hs_tlv_put_u64(&body, 3, true);
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_STORES, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    hs_buf_fini(&part);
}

/* Operations first to last of the liar's stream, signed again; @how says what is wrong with them. */
static inline void put_answer(struct game *game, uint8_t how, uint64_t first, struct hs_buf *to)
{
    struct hs_buf raw = {0}, segment = {0};
    uint64_t last = first <= game->n && how / 16 % 2 == 0 ? game->n : first;
    struct hs_signer signer = hs_signer_of(&game->liar->secret);
    struct hs_signature signature;
    FUZZ_CHECK(hs_checkpoint_sign(&game->stream, last, &game->hashes[last <= game->n ? last : 0], &signer,
                                  &signature) == HS_OK);
    signature.bytes[0] ^= how / 32 % 4 == 3;
    for (uint64_t n = first; n <= last; n++)
        hs_buf_put_sized(&raw, n <= game->n ? hs_buf_bytes(&game->ops[n]) : HS_BYTES("x", 1));
    put_name(&segment, 1, &game->stream);
    hs_tlv_put_u64(&segment, 2, how >= 0xf8 ? first + 1 : first);
    hs_tlv_put_u64(&segment, 3, how / 32 % 4 == 2 ? 7 : last - first + 1);
    hs_tlv_put_bytes(&segment, 4, HS_BYTES(signature.bytes, sizeof signature.bytes));
    hs_tlv_put_u64(&segment, 5, how >= 0xf0 ? HS_SEGMENT_BYTES_MAX : raw.size);
    hs_tlv_put_u64(&segment, 6, how >= 0xe8);
    hs_tlv_put_bytes(&segment, 7, hs_buf_bytes(&raw));
    hs_tlv_put_bytes(to, 3, hs_buf_bytes(&segment));
    hs_buf_fini(&raw);
    hs_buf_fini(&segment);
}

/* A question, "not held", or what was asked for. */
static inline void fetch(struct game *game, struct hs_cur *in)
{
    struct hs_buf body = {0};
    uint8_t how = fuzz_u8(in);
    struct hs_stream name = how / 4 % 4 == 3 || how % 4 == 0 ? read_name(game, in) : game->stream;
    uint64_t first = how % 4 == 3 ? fuzz_number(in) : some_number(game, in);
    put_name(&body, 1, &name);
    hs_tlv_put_u64(&body, 2, first);
    if (how % 4 == 1)
        hs_tlv_put_u64(&body, 4, true);
    if (how % 4 == 2)
        put_answer(game, how, first, &body);
    send_bytes(game, HALLSYNC__PEER_TYPE__PEER_FETCH, hs_buf_bytes(&body));
    hs_buf_fini(&body);
}

/* Of what the victim holds of the liar's stream; it learns that at its start. */
static inline void let_rot(struct game *game, struct hs_cur *in)
{
    const struct world_stream *held = world_store_find(&game->victim->store, &game->stream);
    uint64_t count = fuzz_u8(in) % 4;
    if (held == NULL || held->count == 0)
        return;
    uint64_t first = 1 + count % held->count;
    game->victim->rotten = (struct hs_healed){.stream = game->stream, .first = first, .last = held->count};
    game->victim->is_rot_noted = true;
}

#endif
