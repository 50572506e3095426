/* store_place.h -- a hall's and a hub's store for the fault tests, and what must hold of a store after any failure. */
#ifndef HS_TESTS_FAULT_STORE_PLACE_H
#define HS_TESTS_FAULT_STORE_PLACE_H

#include "tests/fault/fault.h"
#include "tests/lib/store_world.h"

#include "proto/msg/tlv.h"
#include "storage/store/inside.h"

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define COUNT(array)  (sizeof(array) / sizeof *(array))

struct place {
    struct world_region region;
    struct world_node hall, hub;
};

static inline int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    world_begin(&place->region);
    world_add(&place->region, &place->hall, "nj-hall", HS_ROLE_HALL);
    world_add(&place->region, &place->hub, "nj-hub", HS_ROLE_HUB);
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    return 0;
}

static inline int teardown(void **state)
{
    struct place *place = *state;
    fault_report(NULL);
    world_drop(&place->hall);
    world_drop(&place->hub);
    world_end(&place->region);
    free(place);
    return 0;
}
#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* ---- everything that a store holds, as bytes ---- */

static inline enum hs_err note_bytes(void *ctx, struct hs_bytes key, struct hs_bytes value)
{
    hs_buf_put_sized(ctx, key);
    hs_buf_put_sized(ctx, value);
    return HS_OK;
}

static inline enum hs_err note_receipt(void *ctx, const struct hs_receipt *receipt)
{
    hs_buf_put_u64(ctx, receipt->store_id);
    hs_buf_put_u64(ctx, receipt->n);
    hs_buf_put(ctx, receipt->signature.bytes, HS_SIGNATURE_BYTES);
    return HS_OK;
}

static inline enum hs_err note_enrolment(void *ctx, const struct hs_enrolment *enrolment)
{
    hs_buf_put_sized(ctx, HS_BYTES(enrolment->node_id, strlen(enrolment->node_id)));
    hs_buf_put_u64(ctx, enrolment->expires_ms);
    hs_buf_put_u8(ctx, enrolment->used);
    return HS_OK;
}

static inline enum hs_err note_fork(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof)
{
    hs_buf_put_u64(ctx, stream->origin);
    hs_buf_put_u64(ctx, n);
    hs_buf_put_sized(ctx, proof);
    return HS_OK;
}

static inline enum hs_err note_loose(void *ctx, const struct hs_loose *loose)
{
    hs_buf_put(ctx, loose->segment.end.bytes, HS_HASH_BYTES);
    hs_buf_put_sized(ctx, loose->segment.body);
    return HS_OK;
}

static inline enum hs_err note_listed(void *ctx, const struct hs_listed *listed)
{
    hs_buf_put_sized(ctx, listed->key);
    hs_buf_put_u64(ctx, (uint64_t)listed->amount_fen);
    hs_buf_put_sized(ctx, listed->detail);
    return HS_OK;
}

struct stream_note {
    struct hs_view *view;
    struct hs_buf *buf;
};

static inline enum hs_err note_stream(void *ctx, const struct hs_head *head)
{
    struct stream_note *note = ctx;
    world_hash_head(note->buf, head);
    enum hs_err err = hs_view_receipts(note->view, &head->stream, note_receipt, note->buf);
    return err == HS_OK ? hs_view_loose(note->view, &head->stream, note_loose, note->buf) : err;
}

static inline void assert_verified(struct hs_view *view)
{
    struct hs_why why = {{0}};
    if (hs_records_verify(store_records_txn(view), &why) != HS_OK)
        fail_msg("verify: %s", why.text);
}

/* The records are checked on the way. */
static inline struct hs_hash holdings(struct world_node *node)
{
    struct hs_buf buf = {0};
    struct hs_view *view = world_view(node);
    struct stream_note note = {view, &buf};
    assert_verified(view);
    assert_int_equal(hs_view_heads(view, note_stream, &note), HS_OK);
    assert_int_equal(hs_view_certificates(view, note_bytes, &buf), HS_OK);
    assert_int_equal(hs_view_revocations(view, note_bytes, &buf), HS_OK);
    assert_int_equal(hs_view_releases(view, note_bytes, &buf), HS_OK);
    assert_int_equal(hs_view_enrolments(view, note_enrolment, &buf), HS_OK);
    assert_int_equal(hs_view_forks(view, note_fork, &buf), HS_OK);
    assert_int_equal(hs_view_digests(view, world_hash_digest, &buf), HS_OK);
    assert_int_equal(hs_view_list(view, 0, HS_BYTES_NONE, note_listed, &buf), HS_OK);
    hs_view_close(view);
    return world_finish(&buf);
}

/* What the records say is what the log adds up to. */
static inline void assert_rebuilt_the_same(struct world_node *node)
{
    struct hs_hash before = holdings(node);
    assert_int_equal(hs_store_rebuild(node->store), HS_OK);
    struct hs_hash after = holdings(node);
    assert_true(hs_hash_equal(&before, &after));
}

static inline bool has_record(struct world_node *node, hs_partition partition, uint8_t lane, uint16_t kind,
                              struct hs_bytes id)
{
    struct hs_stored stored;
    struct hs_record_name name = {partition, lane, kind, id};
    struct hs_view *view = world_view(node);
    enum hs_err err = hs_view_record(view, &name, &stored);
    assert_true(err == HS_OK || err == HS_ENOTFOUND);
    hs_view_close(view);
    return err == HS_OK;
}

static inline struct hs_stream money_of(uint64_t origin)
{
    return (struct hs_stream){origin, 3201, HS_LANE_MONEY};
}

#endif
