/* bundle_world.h -- nodes of a store_world that hand bundles to each other, part by part, in memory. */
#ifndef HS_TESTS_BUNDLE_WORLD_H
#define HS_TESTS_BUNDLE_WORLD_H

#include "tests/lib/store_world.h"

#include "node/bundle/bundle.h"

#include <sodium.h>

#define BUNDLE_PARTS_MAX 64

struct bundle_node {
    struct world_node node;
    uint8_t curve[HS_SEALED_KEY_BYTES];
};

struct bundle_parts {
    struct hs_buf part[BUNDLE_PARTS_MAX];
    size_t count;
    uint64_t operations, receipts, pruned, left_out;
};

/* What an import has answered, without its lists. */
struct bundle_told {
    uint64_t operations, taken, held, outside, receipts, receipts_taken, revocations;
    size_t left;
    char error[32]; /* of the first that is left */
    uint64_t needs_first, needs_last;
    bool last;
};

static inline void bundle_certify(struct bundle_node *node)
{
    assert_int_equal(crypto_box_keypair(node->node.draft.curve_key.bytes, node->curve), 0);
    world_certify(&node->node);
}

/* A node with a store, and with nothing under way. */
static inline void bundle_add(struct world_region *region, struct bundle_node *node, const char *id, enum hs_role role)
{
    assert_true(sodium_init() >= 0);
    world_add(region, &node->node, id, role);
    bundle_certify(node);
    world_open(&node->node, true);
    world_fill_empty(&node->node);
}

/* They know each other's certificates, as from a session or from joining. */
static inline void bundle_meet(struct bundle_node *a, struct bundle_node *b)
{
    struct bundle_node *pair[2] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        struct hs_commit commit;
        struct hs_store *store = pair[i]->node.store;
        assert_int_equal(hs_store_begin(store), HS_OK);
        assert_int_equal(hs_store_put_certificate(store, hs_buf_bytes(&pair[1 - i]->node.certificate)), HS_OK);
        assert_int_equal(hs_store_commit(store, &commit), HS_OK);
    }
}

static inline struct hs_bundle_node bundle_keys(const struct bundle_node *node)
{
    return (struct hs_bundle_node){node->node.store, node->node.options.signer, node->curve, node->node.region->now_ms};
}

static inline void bundle_parts_fini(struct bundle_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        hs_buf_fini(&parts->part[i]);
    *parts = (struct bundle_parts){.count = 0};
}

/* One part; @reply owned by the caller. */
static inline enum hs_err bundle_export_part(struct bundle_node *from, Hallsync__BundleExportRequest *request,
                                             Hallsync__BundleExportReply **reply, struct hs_why *why)
{
    struct hs_bundle_node node = bundle_keys(from);
    struct hs_view *view = world_view(&from->node);
    struct hs_buf packed = {0};
    enum hs_err err = hs_bundle_export(&node, view, request, &packed, why);
    hs_view_close(view);
    if (err == HS_OK) {
        *reply = hallsync__bundle_export_reply__unpack(NULL, packed.size, packed.data);
        assert_non_null(*reply);
    }
    hs_buf_fini(&packed);
    return err;
}

/* @heads: what the receiver has said that it holds; or none. */
static inline void bundle_export(struct bundle_node *from, const char *receiver, uint64_t first, struct hs_bytes heads,
                                 struct bundle_parts *parts)
{
    Hallsync__BundleExportRequest request = HALLSYNC__BUNDLE_EXPORT_REQUEST__INIT;
    Hallsync__BundleExportReply *reply = NULL;
    uint8_t next[256];
    *parts = (struct bundle_parts){.count = 0};
    request.receiver = (char *)(uintptr_t)receiver;
    request.has_from = first != 0;
    request.from = first;
    request.has_heads = heads.size > 0;
    request.heads = (ProtobufCBinaryData){heads.size, (uint8_t *)(uintptr_t)heads.data};
    do {
        struct hs_why why = {""};
        enum hs_err err = bundle_export_part(from, &request, &reply, &why);
        if (err != HS_OK)
            fail_msg("no bundle of %s for %s: %s: %s", from->node.id, receiver, hs_err_name(err), why.text);
        assert_true(parts->count < BUNDLE_PARTS_MAX && reply->part.len <= HS_BUNDLE_PART_MAX);
        hs_buf_put(&parts->part[parts->count++], reply->part.data, reply->part.len);
        parts->operations += reply->operations;
        parts->receipts += reply->receipts;
        parts->pruned += reply->pruned;
        parts->left_out += reply->left_out;
        request.has_after = reply->has_next;
        assert_true(reply->next.len <= sizeof next);
        if (reply->has_next)
            memcpy(next, reply->next.data, reply->next.len);
        request.after = (ProtobufCBinaryData){reply->next.len, next};
        hallsync__bundle_export_reply__free_unpacked(reply, NULL);
    } while (request.has_after);
}

static inline void bundle_read_reply(const struct hs_buf *packed, struct bundle_told *told, struct hs_buf *heads)
{
    Hallsync__BundleImportReply *reply = hallsync__bundle_import_reply__unpack(NULL, packed->size, packed->data);
    assert_non_null(reply);
    *told = (struct bundle_told){.operations = reply->operations,
                                 .taken = reply->taken,
                                 .held = reply->held,
                                 .outside = reply->outside,
                                 .receipts = reply->receipts,
                                 .receipts_taken = reply->receipts_taken,
                                 .revocations = reply->revocations,
                                 .left = reply->n_left};
    told->last = reply->last;
    if (reply->n_left > 0) {
        snprintf(told->error, sizeof told->error, "%s", reply->left[0]->error);
        told->needs_first = reply->left[0]->needs_first;
        told->needs_last = reply->left[0]->needs_last;
    }
    if (heads != NULL)
        hs_buf_put(heads, reply->heads.data, reply->heads.len);
    hallsync__bundle_import_reply__free_unpacked(reply, NULL);
}

/* In a group of its own; @heads, NULL: appended to. */
static inline enum hs_err bundle_import(struct bundle_node *to, struct hs_bytes part, struct bundle_told *told,
                                        struct hs_buf *heads)
{
    struct hs_bundle_node node = bundle_keys(to);
    struct hs_store *store = to->node.store;
    struct hs_bundle *bundle = NULL;
    struct hs_arena arena;
    struct hs_why why = {""};
    struct hs_commit commit;
    struct hs_buf packed = {0};
    *told = (struct bundle_told){.operations = 0};
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_bundle_open(&node, part, &arena, &bundle, &why);
    assert_true(err == HS_OK || why.text[0] != '\0');
    if (err == HS_OK) {
        assert_int_equal(hs_store_begin(store), HS_OK);
        assert_int_equal(hs_bundle_apply(bundle, store, false, &arena, &packed), HS_OK);
        assert_int_equal(hs_store_commit(store, &commit), HS_OK);
        bundle_read_reply(&packed, told, heads);
    }
    hs_buf_fini(&packed);
    hs_arena_fini(&arena);
    return err;
}

/* All parts in their order, none refused. */
static inline void bundle_take(struct bundle_node *to, const struct bundle_parts *parts, struct bundle_told *told,
                               struct hs_buf *heads)
{
    struct bundle_told sum = {.operations = 0}, one;
    for (size_t i = 0; i < parts->count; i++) {
        assert_int_equal(bundle_import(to, hs_buf_bytes(&parts->part[i]), &one, heads), HS_OK);
        sum.operations += one.operations;
        sum.taken += one.taken;
        sum.held += one.held;
        sum.outside += one.outside;
        sum.receipts += one.receipts;
        sum.receipts_taken += one.receipts_taken;
        sum.revocations += one.revocations;
        if (sum.left == 0)
            memcpy(sum.error, one.error, sizeof sum.error);
        sum.left += one.left;
        assert_int_equal(one.last, i + 1 == parts->count);
    }
    sum.last = true;
    *told = sum;
}

#endif
