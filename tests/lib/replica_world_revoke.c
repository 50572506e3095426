/* The world's revoked keys: rows in arrays, limits as the store has them. */
#include "tests/lib/replica_world_source.h"

#include "proto/msg/revoke.h"
#include "proto/msg/tlv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool put_row(struct world_store *store, bool is_release, const struct hs_key *key, struct hs_bytes row)
{
    for (size_t i = 0; i < store->trust_count; i++) {
        const struct world_trust *trust = &store->trusts[i];
        bool same = is_release ? hs_bytes_equal(hs_buf_bytes(&trust->row), row) : hs_key_equal(&trust->key, key);
        if (trust->is_release == is_release && same)
            return false;
    }
    store->trusts = realloc(store->trusts, (store->trust_count + 1) * sizeof *store->trusts);
    assert(store->trusts != NULL);
    struct world_trust *trust = &store->trusts[store->trust_count++];
    *trust = (struct world_trust){.is_release = is_release, .key = *key};
    hs_buf_put_bytes(&trust->row, row);
    assert(trust->row.err == HS_OK);
    return true;
}

enum hs_err world_store_put_trust(struct world_store *store, const struct hs_key *root, bool is_release,
                                  struct hs_bytes row, bool *is_new)
{
    struct hs_revocation revocation;
    struct hs_release *release = malloc(sizeof *release);
    assert(release != NULL);
    enum hs_err err = is_release ? hs_release_verify(row, root, release) : hs_revocation_verify(row, root, &revocation);
    if (err == HS_OK && !is_release)
        world_store_put_certificate(store, &revocation.node.node_key, hs_tlv_bytes(row, 2));
    if (err == HS_OK)
        *is_new = put_row(store, is_release, is_release ? &release->node_key : &revocation.node.node_key, row);
    free(release);
    return err;
}

void world_trusts_copy(struct world_store *to)
{
    const struct world_trust *from = to->trusts;
    to->trusts = calloc(to->trust_count + 1, sizeof *to->trusts);
    assert(to->trusts != NULL);
    for (size_t i = 0; i < to->trust_count; i++) {
        to->trusts[i] = (struct world_trust){.is_release = from[i].is_release, .key = from[i].key};
        hs_buf_put_bytes(&to->trusts[i].row, hs_buf_bytes(&from[i].row));
    }
}

void world_trusts_fini(struct world_store *store)
{
    for (size_t i = 0; i < store->trust_count; i++)
        hs_buf_fini(&store->trusts[i].row);
    free(store->trusts);
}

/* ---- as the replica reads them ---- */

static enum hs_err visit_rows(const struct world_node *node, bool is_release, hs_visit_bytes visit, void *ctx)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < node->store.trust_count && err == HS_OK; i++) {
        const struct world_trust *trust = &node->store.trusts[i];
        if (trust->is_release == is_release)
            err = visit(ctx, HS_BYTES(trust->key.bytes, HS_KEY_BYTES), hs_buf_bytes(&trust->row));
    }
    return err;
}

enum hs_err world_revocations(void *ctx, hs_visit_bytes visit, void *visit_ctx)
{
    return visit_rows(ctx, false, visit, visit_ctx);
}

enum hs_err world_releases(void *ctx, hs_visit_bytes visit, void *visit_ctx)
{
    return visit_rows(ctx, true, visit, visit_ctx);
}

static bool is_revoked(const struct world_node *node, const struct hs_key *key)
{
    for (size_t i = 0; i < node->store.trust_count; i++) {
        if (!node->store.trusts[i].is_release && hs_key_equal(&node->store.trusts[i].key, key))
            return true;
    }
    return false;
}

static bool find_certificate(const struct world_node *node, struct hs_bytes encoded, const struct hs_key *key,
                             struct hs_certificate *certificate)
{
    return hs_certificate_verify(encoded, &node->world->root_key, certificate) == HS_OK &&
           (key == NULL || hs_key_equal(&certificate->node_key, key));
}

static bool is_hub(const struct world_node *node, const struct hs_key *key)
{
    struct hs_certificate certificate;
    if (hs_key_equal(key, &node->certificate.node_key))
        return node->certificate.role == HS_ROLE_HUB;
    for (size_t i = 0; i < node->store.certificate_count; i++) {
        if (find_certificate(node, hs_buf_bytes(&node->store.certificates[i].bytes), key, &certificate))
            return certificate.role == HS_ROLE_HUB;
    }
    return false;
}

static uint64_t released(const struct world_node *node, const struct hs_stream *stream)
{
    struct hs_release *release = malloc(sizeof *release);
    uint64_t n = 0;
    assert(release != NULL);
    for (size_t i = 0; i < node->store.trust_count; i++) {
        const struct world_trust *trust = &node->store.trusts[i];
        if (!trust->is_release ||
            hs_release_verify(hs_buf_bytes(&trust->row), &node->world->root_key, release) != HS_OK)
            continue;
        for (size_t k = 0; k < release->count; k++) {
            if (hs_stream_equal(&release->heads[k].stream, stream) && release->heads[k].n > n)
                n = release->heads[k].n;
        }
    }
    free(release);
    return n;
}

enum hs_err world_limit(void *ctx, const struct hs_stream *stream, uint64_t *n)
{
    const struct world_node *node = ctx;
    const struct world_origin *origin = world_store_origin(&node->store, stream->origin);
    struct hs_certificate writer;
    if (origin == NULL || !find_certificate(node, hs_buf_bytes(&origin->certificate), NULL, &writer) ||
        !is_revoked(node, &writer.node_key))
        return HS_ENOTFOUND;
    *n = released(node, stream);
    for (size_t i = 0; i < node->store.receipt_count; i++) {
        const struct hs_receipt *receipt = &node->store.receipts[i];
        if (hs_stream_equal(&receipt->stream, stream) && receipt->n > *n && is_hub(node, &receipt->hub_key) &&
            !is_revoked(node, &receipt->hub_key))
            *n = receipt->n;
    }
    return HS_OK;
}

/* ---- what people do ---- */

static struct hs_authority authority_of(struct world *w, bool by_root)
{
    struct hs_issuer_draft draft = {"test region", "hub-1", w->issuer_key, 1};
    enum hs_err err = w->issuer_signed.size > 0 ? HS_OK : hs_issuer_sign(&draft, &w->root, &w->issuer_signed);
    assert(err == HS_OK);
    return by_root ? (struct hs_authority){HS_BYTES_NONE, &w->root}
                   : (struct hs_authority){hs_buf_bytes(&w->issuer_signed), &w->issuer};
}

static void take(struct world_node *node, bool is_release, const struct hs_buf *row)
{
    bool is_new = false;
    enum hs_err err = world_store_put_trust(&node->store, &node->world->root_key, is_release, hs_buf_bytes(row),
                                            &is_new);
    assert(err == HS_OK && row->err == HS_OK);
    if (is_new)
        world_tell_trust(node);
}

void world_revocation(struct world *w, const struct world_node *node, bool by_root, struct hs_buf *row)
{
    struct hs_authority authority = authority_of(w, by_root);
    enum hs_err err = hs_revocation_sign(hs_buf_bytes(&node->certificate_bytes), "stolen", w->now_ms, &authority, row);
    assert(err == HS_OK);
    (void)err;
}

void world_revoke(struct world_node *at, const struct world_node *node, bool by_root)
{
    struct hs_buf row = {0};
    world_revocation(at->world, node, by_root, &row);
    take(at, false, &row);
    hs_buf_fini(&row);
}

void world_release_row(struct world *w, const struct hs_waiting *waiting, size_t count, struct hs_buf *row)
{
    struct hs_authority authority = authority_of(w, false);
    struct hs_release *release = calloc(1, sizeof *release);
    assert(release != NULL && count > 0 && count <= HS_RELEASE_HEADS_MAX);
    *release = (struct hs_release){.node_key = waiting->node_key, .time_ms = w->now_ms, .count = count};
    snprintf(release->reason, sizeof release->reason, "counted");
    snprintf(release->name, sizeof release->name, "Wang Li");
    for (size_t i = 0; i < count; i++)
        release->heads[i] = (struct hs_released){waiting[i].stream, waiting[i].n, waiting[i].hash};
    enum hs_err err = hs_release_sign(release, &authority, row);
    assert(err == HS_OK);
    (void)err;
    free(release);
}

void world_release(struct world_node *at, const struct hs_waiting *waiting, size_t count)
{
    struct hs_buf row = {0};
    world_release_row(at->world, waiting, count, &row);
    take(at, true, &row);
    hs_buf_fini(&row);
}
