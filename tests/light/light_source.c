/* Light stores as the replica reads them. */
#include "tests/light/light.h"

#include <string.h>

static enum hs_err cut(void *ctx, const struct hs_stream *name, uint64_t first, struct hs_buf *body,
                       struct hs_segment *segment)
{
    const struct light_node *node = ctx;
    const struct light_stream *stream = light_stream_find(&node->store, name);
    const struct hs_checkpoint *end = NULL;
    size_t bytes = 0;
    if (stream == NULL || first > stream->n)
        return HS_ENOTFOUND;
    if (first <= stream->base)
        return HS_EPRUNED;
    uint64_t at = first;
    for (size_t i = 0; i < stream->checkpoint_count; i++) {
        const struct hs_checkpoint *checkpoint = &stream->checkpoints[i];
        if (checkpoint->n < first)
            continue;
        for (; at <= checkpoint->n; at++)
            bytes += stream->ops[at - stream->base - 1].size + 3;
        if (end != NULL && (bytes > HS_SEGMENT_BYTES_SOFT || checkpoint->n - first + 1 > HS_SEGMENT_OPS_MAX))
            break;
        end = checkpoint;
    }
    if (end == NULL)
        return HS_ENOTFOUND;
    for (at = first; at <= end->n; at++) {
        const struct light_op *op = &stream->ops[at - stream->base - 1];
        hs_buf_put_sized(body, HS_BYTES(op->bytes, op->size));
    }
    *segment = (struct hs_segment){.stream = *name,
                                   .first = first,
                                   .count = (uint32_t)(end->n - first + 1),
                                   .body = hs_buf_bytes(body),
                                   .end = end->hash,
                                   .signature = end->signature};
    return body->err;
}

static enum hs_err origin(void *ctx, uint64_t id, struct hs_buf *certificate, struct hs_buf *opening)
{
    const struct light_node *node = ctx;
    const struct light_origin *found = light_origin_find(&node->store, id);
    if (found == NULL)
        return HS_ENOTFOUND;
    hs_buf_put_bytes(certificate, found->certificate);
    hs_buf_put_bytes(opening, found->opening);
    return certificate->err != HS_OK ? certificate->err : opening->err;
}

static enum hs_err hash_at(void *ctx, const struct hs_stream *name, uint64_t n, struct hs_hash *hash)
{
    const struct light_node *node = ctx;
    const struct light_stream *stream = light_stream_find(&node->store, name);
    if (n == 0)
        *hash = hs_chain_start(name);
    else if (stream == NULL || n > stream->n || n < stream->base)
        return HS_ENOTFOUND;
    else
        *hash = n == stream->base ? stream->base_hash : stream->ops[n - stream->base - 1].hash;
    return HS_OK;
}

static enum hs_err checkpoint(void *ctx, const struct hs_stream *name, uint64_t n, struct hs_checkpoint *out)
{
    const struct light_node *node = ctx;
    const struct light_stream *stream = light_stream_find(&node->store, name);
    for (size_t i = stream == NULL ? 0 : stream->checkpoint_count; i > 0; i--) {
        if (stream->checkpoints[i - 1].n <= n) {
            *out = stream->checkpoints[i - 1];
            return HS_OK;
        }
    }
    return HS_ENOTFOUND;
}

static enum hs_err receipts(void *ctx, const struct hs_stream *name, hs_visit_receipt visit, void *visit_ctx)
{
    const struct light_node *node = ctx;
    const struct light_stream *stream = light_stream_find(&node->store, name);
    enum hs_err err = HS_OK;
    for (size_t i = 0; stream != NULL && i < stream->receipt_count && err == HS_OK; i++)
        err = visit(visit_ctx, &stream->receipts[i]);
    return err;
}

static enum hs_err certificate_of(void *ctx, const struct hs_key *key, struct hs_buf *certificate)
{
    const struct light_node *node = ctx;
    for (size_t i = 0; i < node->store.key_count; i++) {
        if (!hs_key_equal(&node->store.keys[i], key))
            continue;
        hs_buf_put_bytes(certificate, node->store.certificates[i]);
        return certificate->err;
    }
    return HS_ENOTFOUND;
}

static enum hs_err heads(void *ctx, hs_visit_head visit, void *visit_ctx)
{
    const struct light_node *node = ctx;
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < node->store.stream_count && err == HS_OK; i++) {
        const struct light_stream *stream = node->store.streams[i];
        struct hs_head head = {stream->name, stream->n, stream->hash};
        err = stream->n == 0 ? HS_OK : visit(visit_ctx, &head);
    }
    return err;
}

static enum hs_err forks(void *ctx, hs_visit_fork visit, void *visit_ctx)
{
    (void)ctx, (void)visit, (void)visit_ctx;
    return HS_OK;
}

static enum hs_err looses(void *ctx, const struct hs_stream *name, hs_visit_loose visit, void *visit_ctx)
{
    (void)ctx, (void)name, (void)visit, (void)visit_ctx;
    return HS_OK;
}

static enum hs_err digests(void *ctx, hs_visit_digest visit, void *visit_ctx)
{
    const struct light_node *node = ctx;
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < node->store.digest_count && err == HS_OK; i++) {
        const struct light_digest *from = &node->store.digests[i];
        struct hs_digest digest = {from->partition, from->kind, 0, from->count, from->sum};
        err = visit(visit_ctx, &digest);
    }
    return err;
}

/* Only roots are kept: who asks for more than those has found a difference, and the program that measures says so. */
static enum hs_err digest_level(void *ctx, hs_partition partition, uint16_t kind, int branch, hs_visit_digest visit,
                                void *visit_ctx)
{
    (void)ctx, (void)partition, (void)kind, (void)branch, (void)visit, (void)visit_ctx;
    return HS_OK;
}

static enum hs_err digest_leaf(void *ctx, hs_partition partition, uint16_t kind, uint32_t leaf, struct hs_bytes after,
                               hs_visit_compared visit, void *visit_ctx)
{
    (void)ctx, (void)partition, (void)kind, (void)leaf, (void)after, (void)visit, (void)visit_ctx;
    return HS_OK;
}

/* No light node is filled, and none supplies. */
static enum hs_err fills(void *ctx, hs_visit_fill visit, void *visit_ctx)
{
    (void)ctx, (void)visit, (void)visit_ctx;
    return HS_OK;
}

static uint64_t commit(void *ctx)
{
    const struct light_node *node = ctx;
    return node->store.commit;
}

static uint64_t current_origin(void *ctx)
{
    const struct light_node *node = ctx;
    return node->store.current;
}

static uint64_t clock_ms(void *ctx)
{
    const struct light_node *node = ctx;
    return node->clock_ms + node->now_ms;
}

static void payments(void *ctx, uint64_t *count, int64_t *sum_fen)
{
    const struct light_node *node = ctx;
    *count = node->payments;
    *sum_fen = node->payments_fen;
}

/* Nobody is revoked here. */
static enum hs_err no_rows(void *ctx, hs_visit_bytes visit, void *visit_ctx)
{
    (void)ctx, (void)visit, (void)visit_ctx;
    return HS_OK;
}

static enum hs_err no_stores(void *ctx, hs_visit_peer_store visit, void *visit_ctx)
{
    (void)ctx, (void)visit, (void)visit_ctx;
    return HS_OK;
}

static enum hs_err all_count(void *ctx, const struct hs_key *key, uint64_t id, bool *counts)
{
    (void)ctx, (void)key, (void)id;
    *counts = true;
    return HS_OK;
}

static uint64_t no_backups(void *ctx)
{
    (void)ctx;
    return 0;
}

static enum hs_err no_limit(void *ctx, const struct hs_stream *stream, uint64_t *n)
{
    (void)ctx, (void)stream, (void)n;
    return HS_ENOTFOUND;
}

static enum hs_err no_own(void *ctx, uint64_t *count, int64_t *sum_fen)
{
    (void)ctx;
    *count = 0;
    *sum_fen = 0;
    return HS_OK;
}

struct hs_replica_source light_source(struct light_node *node)
{
    return (struct hs_replica_source){
        .ctx = node,
        .cut = cut,
        .origin = origin,
        .hash_at = hash_at,
        .checkpoint = checkpoint,
        .receipts = receipts,
        .certificate = certificate_of,
        .revocations = no_rows,
        .releases = no_rows,
        .limit = no_limit,
        .peer_stores = no_stores,
        .store_counts = all_count,
        .backup_store = no_backups,
        .own_payments = no_own,
        .heads = heads,
        .forks = forks,
        .loose = looses,
        .digests = digests,
        .digest_level = digest_level,
        .digest_leaf = digest_leaf,
        .fills = fills,
        .commit = commit,
        .current_origin = current_origin,
        .clock_ms = clock_ms,
        .payments = payments,
    };
}
