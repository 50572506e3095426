/* What the replica reads: the store's views, through one snapshot that is renewed after each commit told to the replica
 * and never kept while the thread waits, so that it pins no pages. */
#include "node/daemon/peers_private.h"

#include "storage/model/record.h"

#include <stdlib.h>

/* Records that are being made anew from the log cannot be read meanwhile. */
#define VIEW_WAIT_MS 600000

static enum hs_err view_of(struct hs_peers *peers, struct hs_view **view)
{
    enum hs_err err = HS_OK;
    if (peers->view == NULL)
        err = hs_view_open(peers->options.store, 0, VIEW_WAIT_MS, &peers->view);
    *view = peers->view;
    return err;
}

void peers_close_view(struct hs_peers *peers)
{
    hs_view_close(peers->view);
    peers->view = NULL;
}

#define WITH_VIEW(call)                    \
    struct hs_view *view;                  \
    enum hs_err err = view_of(ctx, &view); \
    return err != HS_OK ? err : (call)

static enum hs_err cut(void *ctx, const struct hs_stream *stream, uint64_t first, struct hs_buf *body,
                       struct hs_segment *segment)
{
    WITH_VIEW(hs_view_cut(view, stream, first, body, segment));
}

static enum hs_err origin(void *ctx, uint64_t id, struct hs_buf *certificate, struct hs_buf *opening)
{
    struct hs_view *view;
    struct hs_bytes certified = HS_BYTES_NONE, opened = HS_BYTES_NONE;
    enum hs_err err = view_of(ctx, &view);
    if (err == HS_OK)
        err = hs_view_origin(view, id, &certified, &opened);
    if (err != HS_OK)
        return err;
    hs_buf_put_bytes(certificate, certified);
    hs_buf_put_bytes(opening, opened);
    return certificate->err != HS_OK ? certificate->err : opening->err;
}

enum hs_err peers_certificate(struct hs_peers *peers, const struct hs_key *node_key, struct hs_buf *certificate)
{
    struct hs_view *view;
    struct hs_bytes certified = HS_BYTES_NONE;
    enum hs_err err = view_of(peers, &view);
    if (err == HS_OK)
        err = hs_view_certificate(view, node_key, &certified);
    if (err != HS_OK)
        return err;
    hs_buf_put_bytes(certificate, certified);
    return certificate->err;
}

static enum hs_err certificate_of(void *ctx, const struct hs_key *node_key, struct hs_buf *certificate)
{
    return peers_certificate(ctx, node_key, certificate);
}

static enum hs_err hash_at(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_hash *hash)
{
    WITH_VIEW(hs_view_hash_at(view, stream, n, hash));
}

static enum hs_err checkpoint(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_checkpoint *out)
{
    WITH_VIEW(hs_view_checkpoint(view, stream, n, out));
}

static enum hs_err whole_from(void *ctx, const struct hs_stream *stream, uint64_t *n)
{
    WITH_VIEW(hs_view_whole_from(view, stream, n));
}

static enum hs_err receipts(void *ctx, const struct hs_stream *stream, hs_visit_receipt visit, void *visit_ctx)
{
    WITH_VIEW(hs_view_receipts(view, stream, visit, visit_ctx));
}

static enum hs_err heads(void *ctx, hs_visit_head visit, void *visit_ctx)
{
    WITH_VIEW(hs_view_heads(view, visit, visit_ctx));
}

static enum hs_err forks(void *ctx, hs_visit_fork visit, void *visit_ctx)
{
    WITH_VIEW(hs_view_forks(view, visit, visit_ctx));
}

static enum hs_err loose(void *ctx, const struct hs_stream *stream, hs_visit_loose visit, void *visit_ctx)
{
    WITH_VIEW(hs_view_loose(view, stream, visit, visit_ctx));
}

static enum hs_err revocations(void *ctx, hs_visit_bytes visit, void *visit_ctx)
{
    WITH_VIEW(hs_view_revocations(view, visit, visit_ctx));
}

static enum hs_err releases(void *ctx, hs_visit_bytes visit, void *visit_ctx)
{
    WITH_VIEW(hs_view_releases(view, visit, visit_ctx));
}

static enum hs_err limit(void *ctx, const struct hs_stream *stream, uint64_t *n)
{
    WITH_VIEW(hs_view_limit(view, stream, n));
}

static enum hs_err peer_stores(void *ctx, hs_visit_peer_store visit, void *visit_ctx)
{
    WITH_VIEW(hs_view_peer_stores(view, visit, visit_ctx));
}

static enum hs_err store_counts(void *ctx, const struct hs_key *node_key, uint64_t store_id, bool *counts)
{
    WITH_VIEW(hs_view_store_counts(view, node_key, store_id, counts));
}

static uint64_t backup_store(void *ctx)
{
    struct hs_view *view;
    return view_of(ctx, &view) == HS_OK ? hs_view_backup_store(view) : 0;
}

static enum hs_err digests(void *ctx, hs_visit_digest visit, void *visit_ctx)
{
    WITH_VIEW(hs_view_digests(view, visit, visit_ctx));
}

static enum hs_err digest_level(void *ctx, hs_partition partition, uint16_t kind, int branch, hs_visit_digest visit,
                                void *visit_ctx)
{
    WITH_VIEW(hs_view_digest_level(view, partition, kind, branch, visit, visit_ctx));
}

struct compared {
    hs_visit_compared visit;
    void *ctx;
    struct hs_arena arena;
};

/* The replica compares what went into a record with what came out: a stored record as it sees it. */
static enum hs_err compare_stored(void *ctx, const struct hs_stored *stored)
{
    struct compared *to = ctx;
    struct hs_record record;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    hs_arena_reset(&to->arena);
    enum hs_err err = hs_record_decode(stored->state, &to->arena, &record);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    struct hs_compared compared = {
        .key = HS_BYTES(key, hs_record_key(&stored->name, key)),
        .hash = stored->hash,
        .inputs = hs_record_inputs(&record),
        .state = stored->state,
    };
    return to->visit(to->ctx, &compared);
}

static enum hs_err digest_leaf(void *ctx, hs_partition partition, uint16_t kind, uint32_t leaf, struct hs_bytes after,
                               hs_visit_compared visit, void *visit_ctx)
{
    struct hs_view *view;
    struct compared to = {.visit = visit, .ctx = visit_ctx};
    enum hs_err err = view_of(ctx, &view);
    hs_arena_init(&to.arena, 0);
    if (err == HS_OK)
        err = hs_view_digest_leaf(view, partition, kind, leaf, after, compare_stored, &to);
    hs_arena_fini(&to.arena);
    return err;
}

static enum hs_err fills(void *ctx, hs_visit_fill visit, void *visit_ctx)
{
    WITH_VIEW(hs_view_fills(view, visit, visit_ctx));
}

/* A snapshot whose records are at @least or later; the one that is open may be too old.  Nothing is waited for: the
 * other sessions share this thread. */
static enum hs_err view_at(struct hs_peers *peers, uint64_t least, struct hs_view **view)
{
    enum hs_err err = view_of(peers, view);
    if (err != HS_OK || hs_view_position(*view).commit >= least)
        return err;
    peers_close_view(peers);
    err = hs_view_open(peers->options.store, least, 0, &peers->view);
    *view = peers->view;
    return err == HS_ETIMEDOUT ? HS_EBUSY : err;
}

static enum hs_err states(void *ctx, uint64_t least, const struct hs_states_wanted *wanted, struct hs_buf *body,
                          struct hs_states_read *read)
{
    struct hs_view *view;
    enum hs_err err = view_at(ctx, least, &view);
    if (err != HS_OK)
        return err;
    read->commit = hs_view_position(view).commit;
    return hs_view_states(view, wanted->partition, wanted->lane, wanted->after, wanted->limit, body, &read->next,
                          &read->last);
}

static uint64_t states_count(void *ctx, hs_partition partition, uint8_t lane)
{
    struct hs_view *view;
    return view_of(ctx, &view) == HS_OK ? hs_view_states_count(view, partition, lane) : 0;
}

static uint64_t commit_number(void *ctx)
{
    struct hs_view *view;
    struct hs_store_sizes sizes = {0};
    if (view_of(ctx, &view) == HS_OK)
        hs_view_sizes(view, &sizes);
    return sizes.commit;
}

uint64_t peers_store_bytes(struct hs_peers *peers)
{
    struct hs_view *view;
    struct hs_store_sizes sizes = {0};
    if (view_of(peers, &view) == HS_OK)
        hs_view_sizes(view, &sizes);
    return sizes.log_bytes + sizes.records_bytes;
}

static enum hs_err healed(void *ctx, hs_visit_healed visit, void *visit_ctx)
{
    WITH_VIEW(hs_view_healed(view, visit, visit_ctx));
}

static enum hs_err ask(void *ctx, const struct hs_ask *question, hs_visit_asked visit, void *visit_ctx)
{
    WITH_VIEW(hs_view_ask(view, question, visit, visit_ctx));
}

static uint64_t current_origin(void *ctx)
{
    struct hs_view *view;
    return view_of(ctx, &view) == HS_OK ? hs_view_current_origin(view) : 0;
}

static uint64_t clock_ms(void *ctx)
{
    (void)ctx;
    return hs_now_ms();
}

static void payments(void *ctx, uint64_t *count, int64_t *sum_fen)
{
    struct hs_view *view;
    struct hs_totals totals = {0};
    struct hs_totals_filter all = {0};
    if (view_of(ctx, &view) == HS_OK && hs_view_totals(view, &all, &totals) != HS_OK)
        totals = (struct hs_totals){0};
    *count = totals.count;
    *sum_fen = totals.sum_fen;
}

static bool figures(void *ctx, struct hs_figures *to)
{
    struct hs_peers *peers = ctx;
    pthread_mutex_lock(&peers->lock);
    bool has = peers->has_own;
    *to = peers->own;
    pthread_mutex_unlock(&peers->lock);
    return has;
}

struct own {
    const struct hs_key *key;
    uint64_t *origins;
    size_t count, room;
};

static enum hs_err add_own(void *ctx, uint64_t origin, const struct hs_key *key)
{
    struct own *own = ctx;
    if (!hs_key_equal(key, own->key))
        return HS_OK;
    if (own->count == own->room) {
        size_t room = own->room == 0 ? 64 : 2 * own->room;
        uint64_t *origins = realloc(own->origins, room * sizeof *origins);
        if (origins == NULL)
            return HS_ENOMEM;
        own->origins = origins;
        own->room = room;
    }
    own->origins[own->count++] = origin;
    return HS_OK;
}

static enum hs_err own_payments(void *ctx, uint64_t *count, int64_t *sum_fen)
{
    struct hs_peers *peers = ctx;
    struct hs_view *view;
    struct own own = {.key = &hs_store_certificate(peers->options.store)->node_key};
    struct hs_totals totals = {0};
    enum hs_err err = view_of(peers, &view);
    if (err == HS_OK)
        err = hs_view_origins(view, add_own, &own);
    struct hs_totals_filter filter = {.origins = own.origins, .origin_count = own.count};
    if (err == HS_OK && own.count > 0)
        err = hs_view_totals(view, &filter, &totals);
    free(own.origins);
    *count = totals.count;
    *sum_fen = totals.sum_fen;
    return err;
}

struct hs_replica_source peers_source(struct hs_peers *peers)
{
    return (struct hs_replica_source){
        .ctx = peers,
        .cut = cut,
        .origin = origin,
        .hash_at = hash_at,
        .checkpoint = checkpoint,
        .whole_from = whole_from,
        .receipts = receipts,
        .certificate = certificate_of,
        .heads = heads,
        .forks = forks,
        .loose = loose,
        .revocations = revocations,
        .releases = releases,
        .limit = limit,
        .peer_stores = peer_stores,
        .store_counts = store_counts,
        .backup_store = backup_store,
        .own_payments = own_payments,
        .figures = figures,
        .digests = digests,
        .digest_level = digest_level,
        .digest_leaf = digest_leaf,
        .fills = fills,
        .states = states,
        .states_count = states_count,
        .commit = commit_number,
        .healed = healed,
        .ask = ask,
        .current_origin = current_origin,
        .clock_ms = clock_ms,
        .payments = payments,
    };
}
