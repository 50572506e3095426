/* log_place.h -- for the tests of storage/log: a hall's log and a hub's, without the records. */
#ifndef HS_TESTS_LOG_PLACE_H
#define HS_TESTS_LOG_PLACE_H

#include "tests/lib/store_world.h"

#include "storage/log/inside.h"

#define OP_BYTES 100

/* A hall and its log, and a hub's. */
struct place {
    struct world_region region;
    struct world_node hall, hub;
    struct hs_log *log, *hub_log;
};

static inline void draw(void *ctx, void *to, size_t size)
{
    (void)ctx;
    struct hs_key unused;
    struct hs_secret random;
    assert_true(size <= HS_KEY_BYTES);
    assert_int_equal(hs_secret_new(&random, &unused), HS_OK);
    memcpy(to, unused.bytes, size);
}

static inline enum hs_err open_log(struct world_node *node, bool create, struct hs_log **log, struct hs_why *why)
{
    struct hs_log_options options = {
        .path = node->dir,
        .map_bytes = node->options.map_bytes,
        .create = create,
        .certificate = node->options.certificate,
        .signer = node->options.signer,
        .note_dir = node->options.note_dir,
        .now_ms = world_now,
        .random = draw,
        .ctx = node,
    };
    return hs_log_open(&options, log, why);
}

static inline int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    world_begin(&place->region);
    world_add(&place->region, &place->hall, "nj-hall", HS_ROLE_HALL);
    world_add(&place->region, &place->hub, "nj-hub", HS_ROLE_HUB);
    return open_log(&place->hall, true, &place->log, NULL) == HS_OK &&
                   open_log(&place->hub, true, &place->hub_log, NULL) == HS_OK
               ? 0
               : -1;
}

static inline int teardown(void **state)
{
    struct place *place = *state;
    hs_log_close(place->log);
    hs_log_close(place->hub_log);
    world_drop(&place->hall);
    world_drop(&place->hub);
    world_end(&place->region);
    free(place);
    return 0;
}

static inline void reopen(struct place *place)
{
    hs_log_close(place->log);
    assert_int_equal(open_log(&place->hall, false, &place->log, NULL), HS_OK);
}

/* ---- groups ---- */

static inline struct hs_commit commit(struct hs_log *log)
{
    struct hs_commit done;
    assert_int_equal(hs_log_commit(log, &done), HS_OK);
    return done;
}

static inline struct hs_dot write_op(struct hs_log *log, enum hs_lane lane, uint64_t seed, size_t size)
{
    static uint8_t op[HS_OP_BYTES_MAX];
    struct hs_dot dot;
    memset(op, (int)seed, size);
    hs_be64(op, seed);
    assert_int_equal(hs_log_write(log, 3201, (uint8_t)lane, HS_BYTES(op, size), &dot), HS_OK);
    return dot;
}

static inline struct hs_dot write_group(struct hs_log *log, uint64_t first, size_t count, size_t size)
{
    struct hs_dot dot = {0};
    assert_int_equal(hs_log_begin(log), HS_OK);
    for (size_t i = 0; i < count; i++)
        dot = write_op(log, HS_LANE_MONEY, first + i, size);
    commit(log);
    return dot;
}

static inline struct hs_stream money_of(uint64_t origin)
{
    return (struct hs_stream){origin, 3201, HS_LANE_MONEY};
}

static inline struct hs_txn snapshot(struct hs_log *log)
{
    struct hs_txn txn;
    assert_int_equal(hs_txn_begin(hs_log_env(log), false, &txn), HS_OK);
    return txn;
}

static inline uint64_t current_origin(struct hs_log *log)
{
    struct hs_txn txn = snapshot(log);
    uint64_t origin = hs_log_current_origin(&txn);
    hs_txn_abort(&txn);
    return origin;
}

static inline uint64_t head_of(struct hs_log *log, const struct hs_stream *stream)
{
    struct hs_txn txn = snapshot(log);
    struct hs_log_reader reader = {&txn, NULL};
    struct hs_head head = {.n = 0};
    enum hs_err err = hs_log_head(&reader, stream, &head);
    assert_true(err == HS_OK || err == HS_ENOTFOUND);
    hs_txn_abort(&txn);
    return head.n;
}

/* A segment of the hall's, with its body. */
static inline struct hs_segment cut(struct hs_log *log, const struct hs_stream *stream, uint64_t first,
                                    struct hs_buf *body)
{
    struct hs_txn txn = snapshot(log);
    struct hs_log_reader reader = {&txn, NULL};
    struct hs_segment segment;
    hs_buf_reset(body);
    assert_int_equal(hs_log_cut(&reader, stream, first, body, &segment), HS_OK);
    hs_txn_abort(&txn);
    return segment;
}

static inline void introduce(struct place *place, uint64_t origin)
{
    struct hs_txn txn = snapshot(place->log);
    struct hs_bytes certificate;
    struct hs_bytes opening;
    assert_int_equal(hs_log_find_origin(&txn, origin, &certificate, &opening), HS_OK);
    assert_int_equal(hs_log_put_origin(place->hub_log, certificate, opening), HS_OK);
    hs_txn_abort(&txn);
}

/* The hall's stream up to its head, at the hub. */
static inline void carry(struct place *place, const struct hs_stream *stream)
{
    struct hs_buf body = {0};
    uint64_t from;
    for (uint64_t next = head_of(place->hub_log, stream) + 1; next <= head_of(place->log, stream);) {
        struct hs_segment segment = cut(place->log, stream, next, &body);
        assert_int_equal(hs_log_begin(place->hub_log), HS_OK);
        introduce(place, stream->origin);
        assert_int_equal(hs_log_receive(place->hub_log, &segment, &from), HS_OK);
        assert_int_equal(from, next);
        commit(place->hub_log);
        next += segment.count;
    }
    hs_buf_fini(&body);
}

#endif
