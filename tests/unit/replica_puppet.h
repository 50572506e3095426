/* replica_puppet.h -- a peer whose every message the test makes by hand: a node of the world that does not run.  What
 * it "has" is written into its store with world_write; the messages it gets wait on its link. */
#ifndef HS_TEST_REPLICA_PUPPET_H
#define HS_TEST_REPLICA_PUPPET_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/peer.pb-c.h"
#include "tests/lib/replica_parts.h"
#include "tests/lib/replica_world.h"

#include <stdlib.h>
#include <string.h>

struct puppet {
    struct world_node *self; /* stopped */
    struct world_link *link;
    int me; /* which end */
    uint32_t sequence;
    struct hs_arena arena; /* of what it heard and says */
};

static inline ProtobufCBinaryData puppet_data(const void *data, size_t size)
{
    return (ProtobufCBinaryData){size, (uint8_t *)data};
}

static inline struct world_node *puppet_other(const struct puppet *p)
{
    return p->link->end[1 - p->me];
}

static inline void puppet_say(struct puppet *p, uint8_t type, const ProtobufCMessage *message)
{
    struct hs_buf frame = {0};
    hs_frame_encode(type, ++p->sequence, message, &frame);
    world_hand(puppet_other(p), p->link->peer[1 - p->me], hs_buf_bytes(&frame));
    hs_buf_fini(&frame);
}

static inline const ProtobufCMessageDescriptor *puppet_descriptor(uint8_t type)
{
    static const ProtobufCMessageDescriptor *const ALL[] = {
        [HALLSYNC__PEER_TYPE__PEER_HELLO] = &hallsync__peer_hello__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_REFUSE] = &hallsync__peer_refuse__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_FRONTIER] = &hallsync__peer_frontier__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_OPENING] = &hallsync__peer_opening__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_SEGMENT] = &hallsync__peer_segment__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_ACK] = &hallsync__peer_ack__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_HEARTBEAT] = &hallsync__peer_heartbeat__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_PROBE] = &hallsync__peer_probe__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY] = &hallsync__peer_probe_reply__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_COMPARE] = &hallsync__peer_compare__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY] = &hallsync__peer_compare_reply__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_DISPUTE] = &hallsync__peer_dispute__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_FORK_PROOF] = &hallsync__peer_fork_proof__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_LOOSE] = &hallsync__peer_loose__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_BASE] = &hallsync__peer_base__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_JOIN] = &hallsync__peer_join__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_JOIN_REPLY] = &hallsync__peer_join_reply__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_PRUNED] = &hallsync__peer_pruned__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_FILL] = &hallsync__peer_fill__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_FILL_HEADS] = &hallsync__peer_fill_heads__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_STATES] = &hallsync__peer_states__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_ASK] = &hallsync__peer_ask__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_ANSWER] = &hallsync__peer_answer__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_REVOCATIONS] = &hallsync__peer_revocations__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_STORES] = &hallsync__peer_stores__descriptor,
        [HALLSYNC__PEER_TYPE__PEER_FETCH] = &hallsync__peer_fetch__descriptor,
    };
    assert_in_range(type, 1, sizeof ALL / sizeof *ALL - 1);
    assert_non_null(ALL[type]);
    return ALL[type];
}

/* The next message of that type that waits, the ones before it dropped; NULL: none. */
static inline void *puppet_hear(struct puppet *p, uint8_t type)
{
    ProtobufCMessage *message = NULL;
    struct world_frame *frame;
    while (message == NULL && (frame = p->link->frames[p->me]) != NULL) {
        struct hs_frame decoded;
        assert_int_equal(hs_frame_decode(hs_buf_bytes(&frame->bytes), &decoded), HS_OK);
        struct hs_bytes body = decoded.body.size == 0 ? HS_BYTES_NONE : hs_arena_copy(&p->arena, decoded.body);
        if (decoded.type == type)
            assert_int_equal(hs_msg_unpack(puppet_descriptor(type), body, &p->arena, &message), HS_OK);
        world_lose(p->link, p->me);
    }
    return message;
}

static inline size_t puppet_count(struct puppet *p, uint8_t type)
{
    size_t count = 0;
    while (puppet_hear(p, type) != NULL)
        count++;
    return count;
}

/* @self dials @other; nothing is said yet. */
static inline void puppet_dial(struct puppet *p, struct world_node *self, struct world_node *other)
{
    *p = (struct puppet){.self = self, .link = world_dial(self, other), .me = 0};
    hs_arena_init(&p->arena, 0);
}

/* @other dials @self. */
static inline void puppet_dialled(struct puppet *p, struct world_node *self, struct world_node *other)
{
    *p = (struct puppet){.self = self, .link = world_dial(other, self), .me = 1};
    hs_arena_init(&p->arena, 0);
}

static inline void puppet_fini(struct puppet *p)
{
    hs_arena_fini(&p->arena);
}

/* A greeting without fault. */
static inline Hallsync__PeerHello *puppet_hello(struct puppet *p)
{
    static const uint8_t PROCESS[16] = "a puppet";
    const struct hs_certificate *own = &p->self->certificate;
    Hallsync__PeerHello *hello = hs_arena_alloc(&p->arena, sizeof *hello);
    ProtobufCMessage *certificate;
    hallsync__peer_hello__init(hello);
    assert_int_equal(hs_msg_unpack(&hallsync__certificate__descriptor, hs_buf_bytes(&p->self->certificate_bytes),
                                   &p->arena, &certificate),
                     HS_OK);
    hello->version_min = hello->version_max = 1;
    hello->certificate = (Hallsync__Certificate *)certificate;
    hello->process_id = puppet_data(PROCESS, sizeof PROCESS);
    hello->store_id = p->self->store_id;
    hello->everything = own->role == HS_ROLE_HUB;
    hello->districts = hs_arena_array(&p->arena, own->district_count, sizeof *hello->districts);
    for (size_t i = 0; i < own->district_count; i++)
        hello->districts[i] = own->districts[i];
    hello->n_districts = own->district_count;
    hello->credit = HS_CREDIT_BYTES_MIN;
    return hello;
}

static inline bool puppet_is_live(const struct puppet *p)
{
    struct hs_peer_status status;
    return world_status(puppet_other(p), p->link->peer[1 - p->me], &status) && status.live;
}

/* A part as an offer (of what it holds, @packed), or as an answer. */
static inline Hallsync__FrontierPart *puppet_part(struct puppet *p, uint32_t level, hs_partition partition,
                                                  const struct world_node *node)
{
    Hallsync__FrontierPart *part = hs_arena_alloc(&p->arena, sizeof *part);
    uint8_t *name = hs_arena_alloc(&p->arena, HS_NODE_HASH_BYTES);
    hallsync__frontier_part__init(part);
    part->level = level;
    part->has_partition = level > 0;
    part->partition = level > 0 ? partition : 0;
    part->has_node = level == 2;
    if (level == 2)
        hs_node_hash(&node->certificate.node_key, name);
    part->node = puppet_data(name, level == 2 ? HS_NODE_HASH_BYTES : 0);
    return part;
}

static inline Hallsync__FrontierPart *puppet_items(Hallsync__FrontierPart *part, const void *packed, size_t size)
{
    part->has_items = true;
    part->items = puppet_data(packed, size);
    return part;
}

static inline Hallsync__PeerFrontier *puppet_frontier(struct puppet *p, Hallsync__FrontierPart *part)
{
    Hallsync__PeerFrontier *message = hs_arena_alloc(&p->arena, sizeof *message);
    Hallsync__FrontierPart **parts = hs_arena_alloc(&p->arena, sizeof(Hallsync__FrontierPart *));
    hallsync__peer_frontier__init(message);
    *parts = part;
    message->parts = parts;
    message->n_parts = 1;
    return message;
}

/* The root's list of who has dialled and holds nothing. */
static inline Hallsync__PeerFrontier *puppet_nothing(struct puppet *p)
{
    return puppet_frontier(p, puppet_items(puppet_part(p, 0, 0, NULL), NULL, 0));
}

/* The answer to an offer by who holds nothing. */
static inline Hallsync__FrontierPart *puppet_lacks_all(struct puppet *p, const Hallsync__FrontierPart *offered)
{
    Hallsync__FrontierPart *part = hs_arena_alloc(&p->arena, sizeof *part);
    struct part_item items[PART_ITEMS_MAX];
    struct hs_buf names = {0};
    *part = *offered;
    part->has_reply = part->reply = true;
    part->has_items = part->has_buckets = false;
    part->has_lacks = offered->has_buckets;
    part->lacks = part_present(offered);
    size_t count = offered->has_items ? part_items(offered, &offered->items, false, items) : 0;
    for (size_t i = 0; i < count; i++) {
        if (offered->level == 0)
            hs_buf_put_u16(&names, items[i].partition);
        else
            hs_buf_put(&names, items[i].node, sizeof items[i].node);
    }
    struct hs_bytes copy = hs_arena_copy(&p->arena, hs_buf_bytes(&names));
    part->has_lacked = count > 0;
    part->lacked = puppet_data(copy.data, copy.size);
    hs_buf_fini(&names);
    return part;
}

/* The first frontier parts that wait, taken out from among the others; NULL: none. */
static inline const Hallsync__PeerFrontier *puppet_take_parts(struct puppet *p)
{
    for (struct world_frame **at = &p->link->frames[p->me]; *at != NULL; at = &(*at)->next) {
        struct world_frame *frame = *at;
        struct hs_frame decoded;
        ProtobufCMessage *message;
        assert_int_equal(hs_frame_decode(hs_buf_bytes(&frame->bytes), &decoded), HS_OK);
        if (decoded.type != HALLSYNC__PEER_TYPE__PEER_FRONTIER)
            continue;
        assert_int_equal(hs_msg_unpack(&hallsync__peer_frontier__descriptor, hs_arena_copy(&p->arena, decoded.body),
                                       &p->arena, &message),
                         HS_OK);
        const Hallsync__PeerFrontier *frontier = (const Hallsync__PeerFrontier *)message;
        if (frontier->n_parts == 0)
            continue;
        *at = frame->next;
        hs_buf_fini(&frame->bytes);
        free(frame);
        return frontier;
    }
    return NULL;
}

/* "I hold nothing": its own empty list, or the answer to the other's. */
static inline void puppet_hold_nothing(struct puppet *p)
{
    if (p->me == 0) {
        puppet_say(p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &puppet_nothing(p)->base);
        return;
    }
    const Hallsync__PeerFrontier *offered = puppet_take_parts(p);
    assert_non_null(offered);
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_FRONTIER,
               &puppet_frontier(p, puppet_lacks_all(p, offered->parts[0]))->base);
}

/* Greets, and says that it holds nothing. */
static inline void puppet_greet(struct puppet *p)
{
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(p)->base);
    assert_true(puppet_is_live(p));
    puppet_hold_nothing(p);
}

static inline Hallsync__StreamName *puppet_name(struct puppet *p, const struct hs_stream *stream)
{
    Hallsync__StreamName *name = hs_arena_alloc(&p->arena, sizeof *name);
    hallsync__stream_name__init(name);
    name->origin = stream->origin;
    name->partition = stream->partition;
    name->lane = stream->lane;
    return name;
}

static inline Hallsync__StreamHead *puppet_head(struct puppet *p, const struct hs_stream *stream, uint64_t n,
                                                const void *hash)
{
    Hallsync__StreamHead *head = hs_arena_alloc(&p->arena, sizeof *head);
    hallsync__stream_head__init(head);
    head->stream = puppet_name(p, stream);
    head->n = n;
    head->hash = puppet_data(hash, 8);
    return head;
}

/* "This is where I am": its own heads, or @n. */
static inline void puppet_announce(struct puppet *p, const struct hs_stream *stream, uint64_t n)
{
    const struct world_stream *held = world_store_find(&p->self->store, stream);
    struct hs_hash start = hs_chain_start(stream);
    const struct hs_hash *hash = n == 0 || held == NULL || n > held->count ? &start : &held->ops[n - 1].hash;
    Hallsync__PeerFrontier message = HALLSYNC__PEER_FRONTIER__INIT;
    Hallsync__StreamHead *head = puppet_head(p, stream, n, hash->bytes);
    message.heads = &head;
    message.n_heads = 1;
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &message.base);
}

/* Opening of an origin that it has. */
static inline Hallsync__PeerOpening *puppet_opening(struct puppet *p, uint64_t origin)
{
    const struct world_origin *held = world_store_origin(&p->self->store, origin);
    Hallsync__PeerOpening *opening = hs_arena_alloc(&p->arena, sizeof *opening);
    ProtobufCMessage *certificate, *body;
    assert_non_null(held);
    hallsync__peer_opening__init(opening);
    assert_int_equal(
        hs_msg_unpack(&hallsync__certificate__descriptor, hs_buf_bytes(&held->certificate), &p->arena, &certificate),
        HS_OK);
    assert_int_equal(hs_msg_unpack(&hallsync__signed__descriptor, hs_buf_bytes(&held->opening), &p->arena, &body),
                     HS_OK);
    opening->certificate = (Hallsync__Certificate *)certificate;
    opening->origin = (Hallsync__Signed *)body;
    return opening;
}

/* Ops first..last of a stream that it has; last must be checkpointed. */
static inline struct hs_bytes puppet_body(struct puppet *p, const struct world_stream *held, uint64_t first,
                                          uint64_t last)
{
    struct hs_buf body = {0};
    for (uint64_t n = first; n <= last; n++)
        hs_buf_put_sized(&body, hs_buf_bytes(&held->ops[n - 1].bytes));
    struct hs_bytes copy = hs_arena_copy(&p->arena, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    return copy;
}

static inline const struct hs_checkpoint *puppet_checkpoint(const struct world_stream *held, uint64_t n)
{
    for (size_t i = 0; i < held->checkpoint_count; i++) {
        if (held->checkpoints[i].n == n)
            return &held->checkpoints[i];
    }
    fail_msg("no checkpoint of %lu", (unsigned long)n);
    return NULL;
}

static inline Hallsync__PeerSegment *puppet_segment(struct puppet *p, const struct hs_stream *stream, uint64_t first,
                                                    uint64_t last)
{
    const struct world_stream *held = world_store_find(&p->self->store, stream);
    Hallsync__PeerSegment *segment = hs_arena_alloc(&p->arena, sizeof *segment);
    struct hs_bytes body = puppet_body(p, held, first, last);
    hallsync__peer_segment__init(segment);
    segment->stream = puppet_name(p, stream);
    segment->first = first;
    segment->count = (uint32_t)(last - first + 1);
    segment->signature = puppet_data(puppet_checkpoint(held, last)->signature.bytes, HS_SIGNATURE_BYTES);
    segment->raw_bytes = (uint32_t)body.size;
    segment->body = puppet_data(body.data, body.size);
    return segment;
}

static inline void puppet_send(struct puppet *p, const struct hs_stream *stream, uint64_t first, uint64_t last)
{
    if (first == 1)
        puppet_say(p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(p, stream->origin)->base);
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &puppet_segment(p, stream, first, last)->base);
}

/* A head with its checkpoint, of a stream that it has. */
static inline Hallsync__SignedHead *puppet_signed_head(struct puppet *p, const struct hs_stream *stream, uint64_t n)
{
    const struct world_stream *held = world_store_find(&p->self->store, stream);
    Hallsync__SignedHead *head = hs_arena_alloc(&p->arena, sizeof *head);
    hallsync__signed_head__init(head);
    head->stream = puppet_name(p, stream);
    head->n = n;
    head->hash = puppet_data(held->ops[n - 1].hash.bytes, HS_HASH_BYTES);
    head->signature = puppet_data(puppet_checkpoint(held, n)->signature.bytes, HS_SIGNATURE_BYTES);
    return head;
}

/* The heads of what it supplies: one, or none. */
static inline Hallsync__PeerFillHeads *puppet_fill_heads(struct puppet *p, hs_partition partition, uint8_t lane,
                                                         Hallsync__SignedHead *head)
{
    Hallsync__PeerFillHeads *heads = hs_arena_alloc(&p->arena, sizeof *heads);
    Hallsync__SignedHead **list = hs_arena_array(&p->arena, 1, sizeof *list);
    hallsync__peer_fill_heads__init(heads);
    *list = head;
    heads->partition = partition;
    heads->lane = lane;
    heads->heads = list;
    heads->n_heads = head == NULL ? 0 : 1;
    heads->last = true;
    return heads;
}

static inline Hallsync__PeerStates *puppet_states(struct puppet *p, hs_partition partition, uint8_t lane,
                                                  struct hs_bytes body)
{
    Hallsync__PeerStates *states = hs_arena_alloc(&p->arena, sizeof *states);
    hallsync__peer_states__init(states);
    states->partition = partition;
    states->lane = lane;
    states->raw_bytes = (uint32_t)body.size;
    states->body = puppet_data(body.data, body.size);
    states->last = true;
    return states;
}

/* Why did the other end its session? */
static inline enum hs_err puppet_ended(const struct puppet *p)
{
    const struct world_notice *ended = world_last_notice(puppet_other(p), HS_NOTICE_ENDED);
    return ended == NULL || p->link->up[1 - p->me] ? HS_OK : ended->err;
}

/* All stores that the other asks for, without any message moving. */
static inline void puppet_let_store(const struct puppet *p)
{
    while (world_store_next(puppet_other(p), 1))
        ;
}

#endif
