/* store_fill.h -- state transfer between real stores without the messages: heads noted, states carried, fills ended. */
#ifndef HS_TESTS_STORE_FILL_H
#define HS_TESTS_STORE_FILL_H

#include "tests/lib/store_world.h"

#include "storage/model/record.h"

#define FILL_HEADS_MAX 64

/* ---- heads ---- */

struct fill_heads {
    struct hs_view *view;
    struct world_node *to; /* told of their origins, in its open group; NULL: nobody is */
    hs_partition partition;
    uint8_t lane;
    struct hs_signed_head heads[FILL_HEADS_MAX];
    size_t count;
};

static inline enum hs_err fill_take_head(void *ctx, const struct hs_head *head)
{
    struct fill_heads *heads = ctx;
    struct hs_checkpoint checkpoint;
    struct hs_bytes certificate;
    struct hs_bytes opening;
    if (head->stream.partition != heads->partition || head->stream.lane != heads->lane)
        return HS_OK;
    assert_true(heads->count < FILL_HEADS_MAX);
    assert_int_equal(hs_view_checkpoint(heads->view, &head->stream, head->n, &checkpoint), HS_OK);
    assert_int_equal(checkpoint.n, head->n);
    assert_int_equal(hs_view_origin(heads->view, head->stream.origin, &certificate, &opening), HS_OK);
    if (heads->to != NULL)
        assert_int_equal(hs_store_put_origin(heads->to->store, certificate, opening), HS_OK);
    heads->heads[heads->count++] = (struct hs_signed_head){head->stream, head->n, head->hash, checkpoint.signature};
    return HS_OK;
}

/* In an open group of @to: the supplier's list, in parts of @part heads. */
static inline void fill_note(struct hs_view *from, struct world_node *to, hs_partition partition, uint8_t lane,
                             size_t part)
{
    struct fill_heads heads = {.view = from, .to = to, .partition = partition, .lane = lane};
    assert_int_equal(hs_view_heads(from, fill_take_head, &heads), HS_OK);
    size_t at = 0;
    do {
        size_t count = heads.count - at < part ? heads.count - at : part;
        struct hs_fill_note note = {
            .partition = partition,
            .lane = lane,
            .after = at == 0 ? NULL : &heads.heads[at - 1].stream,
            .heads = heads.heads + at,
            .count = count,
            .last = at + count == heads.count,
            .total = hs_view_states_count(from, partition, lane),
        };
        assert_int_equal(hs_store_fill_note(to->store, &note), HS_OK);
        at += count;
    } while (at < heads.count);
}

/* ---- states ---- */

struct fill_found {
    hs_partition partition;
    uint8_t lane;
    bool there;
    struct hs_fill fill;
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
};

static inline enum hs_err fill_find(void *ctx, const struct hs_fill *fill)
{
    struct fill_found *found = ctx;
    if (fill->partition != found->partition || fill->lane != found->lane)
        return HS_OK;
    found->there = true;
    found->fill = *fill;
    if (fill->after.size > 0)
        memcpy(found->after, fill->after.data, fill->after.size);
    found->fill.after = HS_BYTES(found->after, fill->after.size);
    return HS_OK;
}

/* How far the fill is; there: false if it is over. */
static inline void fill_state(struct world_node *node, hs_partition partition, uint8_t lane, struct fill_found *found)
{
    struct hs_view *view = world_view(node);
    *found = (struct fill_found){.partition = partition, .lane = lane};
    assert_int_equal(hs_view_fills(view, fill_find, found), HS_OK);
    hs_view_close(view);
}

/* In an open group of @to: one chunk behind @after, which is moved on; false: it was the last. */
static inline bool fill_chunk(struct hs_view *from, struct world_node *to, struct fill_found *at, size_t limit)
{
    struct hs_buf body = {0};
    struct hs_bytes next;
    bool last = false;
    assert_int_equal(hs_view_states(from, at->partition, at->lane, at->fill.after, limit, &body, &next, &last), HS_OK);
    struct hs_states states = {at->partition, at->lane, hs_buf_bytes(&body)};
    assert_int_equal(hs_store_fill_states(to->store, &states), HS_OK);
    if (next.data != at->after && next.size > 0)
        memcpy(at->after, next.data, next.size);
    at->fill.after = HS_BYTES(at->after, next.size);
    hs_buf_fini(&body);
    return !last;
}

/* The whole of a (partition, lane), begun if it is not under way, a group for each chunk of @limit bytes. */
static inline void fill_all(struct world_node *from, struct world_node *to, hs_partition partition, uint8_t lane,
                            size_t limit)
{
    struct hs_commit commit;
    struct fill_found at;
    struct hs_view *view = world_view(from);
    assert_int_equal(hs_store_begin(to->store), HS_OK);
    assert_int_equal(hs_store_fill_begin(to->store, partition, lane), HS_OK);
    fill_note(view, to, partition, lane, FILL_HEADS_MAX);
    assert_int_equal(hs_store_commit(to->store, &commit), HS_OK);
    fill_state(to, partition, lane, &at);
    bool more = lane != HS_LANE_MONEY;
    while (more) {
        assert_int_equal(hs_store_begin(to->store), HS_OK);
        more = fill_chunk(view, to, &at, limit);
        if (!more)
            assert_int_equal(hs_store_fill_end(to->store, partition, lane), HS_OK);
        assert_int_equal(hs_store_commit(to->store, &commit), HS_OK);
    }
    hs_view_close(view);
}

#endif
