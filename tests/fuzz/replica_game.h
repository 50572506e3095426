/* replica_game.h -- the liar and his victim, for the files of the target replica. */
#ifndef HS_FUZZ_REPLICA_GAME_H
#define HS_FUZZ_REPLICA_GAME_H

#include "proto/msg/tlv.h"
#include "proto/peer.pb-c.h"
#include "proto/msg/frame.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/replica_world.h"

#define COMMANDS_MAX 48
#define NAMES_MAX    8

struct game {
    struct world *world;
    struct world_node *victim, *liar, *honest;
    struct world_link *link;
    hs_peer peer; /* the liar, as the victim knows it */
    uint32_t sequence;
    struct hs_stream names[NAMES_MAX]; /* worth talking about */
    size_t name_count;
    struct hs_stream stream;                 /* the liar's own */
    uint64_t n;                              /* how much of it was signed in segments */
    struct hs_hash hashes[COMMANDS_MAX + 1]; /* h(0) to h(n) */
    struct hs_buf ops[COMMANDS_MAX + 1];     /* 1 to n */
    bool is_cut_off; /* the honest hall or the victim is revoked: nothing is to arrive any more */
};

static inline void send_bytes(struct game *game, uint8_t type, struct hs_bytes body)
{
    struct hs_buf frame = {0};
    hs_buf_put_u8(&frame, HS_FRAME_VERSION);
    hs_buf_put_u8(&frame, type);
    hs_buf_put_u32(&frame, ++game->sequence);
    hs_buf_put_bytes(&frame, body);
    world_hand(game->victim, game->peer, hs_buf_bytes(&frame));
    hs_buf_fini(&frame);
}

static inline struct hs_stream read_name(struct game *game, struct hs_cur *in)
{
    uint8_t which = fuzz_u8(in);
    struct hs_stream name = game->names[which % 8 % game->name_count];
    if (which >= 0x40)
        name.lane = fuzz_u8(in);
    if (which >= 0x80)
        name.partition = fuzz_u16(in);
    if (which >= 0xc0)
        name.origin = fuzz_number(in);
    return name;
}

static inline void put_name(struct hs_buf *to, uint32_t field, const struct hs_stream *name)
{
    struct hs_buf packed = {0};
    hs_tlv_put_fixed64(&packed, 1, name->origin);
    hs_tlv_put_u64(&packed, 2, name->partition);
    hs_tlv_put_u64(&packed, 3, name->lane);
    hs_tlv_put_bytes(to, field, hs_buf_bytes(&packed));
    hs_buf_fini(&packed);
}

static inline uint64_t some_number(const struct game *game, struct hs_cur *in)
{
    return 1 + fuzz_u8(in) % (game->n + 1);
}

#endif
