/* view_log.c -- a view's reads of the log. */
#include "storage/store/inside.h"

#include <string.h>

enum hs_err hs_view_heads(struct hs_view *view, hs_visit_head visit, void *ctx)
{
    struct hs_log_reader reader = store_log_reader(view);
    return hs_log_heads(&reader, visit, ctx);
}

enum hs_err hs_view_head(struct hs_view *view, const struct hs_stream *stream, struct hs_head *head)
{
    struct hs_log_reader reader = store_log_reader(view);
    return hs_log_head(&reader, stream, head);
}

enum hs_err hs_view_op(struct hs_view *view, const struct hs_stream *stream, uint64_t n, struct hs_bytes *op)
{
    struct hs_log_reader reader = store_log_reader(view);
    return hs_log_op(&reader, stream, n, op);
}

enum hs_err hs_view_cut(struct hs_view *view, const struct hs_stream *stream, uint64_t first, struct hs_buf *body,
                        struct hs_segment *segment)
{
    struct hs_log_reader reader = store_log_reader(view);
    return hs_log_cut(&reader, stream, first, body, segment);
}

enum hs_err hs_view_hash_at(struct hs_view *view, const struct hs_stream *stream, uint64_t n, struct hs_hash *hash)
{
    struct hs_log_reader reader = store_log_reader(view);
    return hs_log_hash_at(&reader, stream, n, hash);
}

enum hs_err hs_view_checkpoint(struct hs_view *view, const struct hs_stream *stream, uint64_t n,
                               struct hs_checkpoint *out)
{
    struct hs_log_reader reader = store_log_reader(view);
    return hs_log_checkpoint(&reader, stream, n, out);
}

enum hs_err hs_view_whole_from(struct hs_view *view, const struct hs_stream *stream, uint64_t *n)
{
    return hs_log_whole_from(store_log_reader(view).txn, stream, n);
}

void hs_view_lag(struct hs_view *view, const struct hs_stream *stream, uint64_t after, uint64_t *ops, uint64_t *bytes)
{
    struct hs_log_reader reader = store_log_reader(view);
    hs_log_lag(&reader, stream, after, ops, bytes);
}

enum hs_err hs_view_receipts(struct hs_view *view, const struct hs_stream *stream, hs_visit_receipt visit, void *ctx)
{
    return hs_log_receipts(store_log_reader(view).txn, stream, visit, ctx);
}

/* ---- who holds an op ---- */

static bool keeps_for_others(enum hs_role role)
{
    return role == HS_ROLE_HUB || role == HS_ROLE_WITNESS;
}

struct holders {
    hs_visit_holder visit;
    void *ctx;
    const char *own_id;
    bool is_writer; /* this node is the op's writer */
};

/* What a hub wrote itself needs no receipt: it has signed for it, and holds it. */
static enum hs_err visit_writer(void *ctx, const char *node_id, enum hs_role role)
{
    struct holders *holders = ctx;
    holders->is_writer = strcmp(node_id, holders->own_id) == 0;
    return role == HS_ROLE_HUB ? holders->visit(holders->ctx, node_id, role) : HS_OK;
}

/* A hall's receipt would be no more than its word: only hubs and witnesses keep what is others'. */
static enum hs_err visit_signer(void *ctx, const char *node_id, enum hs_role role)
{
    const struct holders *holders = ctx;
    return keeps_for_others(role) ? holders->visit(holders->ctx, node_id, role) : HS_OK;
}

/* A number of a forked stream names two operations, and nobody can tell which of them a receipt is about. */
static enum hs_err visit_signers(struct hs_view *view, const struct hs_stream *stream, uint64_t n,
                                 struct holders *holders)
{
    struct hs_log_reader reader = store_log_reader(view);
    uint64_t fork;
    enum hs_err err = hs_log_fork(reader.txn, stream, &fork);
    if (err != HS_ENOTFOUND)
        return err;
    return hs_log_holders(&reader, stream, n, hs_store_id(view->store), visit_signer, holders);
}

enum hs_err hs_view_holders(struct hs_view *view, const struct hs_stream *stream, uint64_t n, hs_visit_holder visit,
                            void *ctx)
{
    const struct hs_certificate *own = hs_store_certificate(view->store);
    struct holders holders = {visit, ctx, own->node_id, false};
    enum hs_err err = hs_log_writer_holds(store_log_reader(view).txn, stream->origin, visit_writer, &holders);
    if (err == HS_ENOTFOUND)
        err = HS_OK; /* a writer that nobody knows */
    struct hs_bytes revocation;
    bool is_revoked = hs_log_revocation(store_log_reader(view).txn, &own->node_key, &revocation) != HS_ENOTFOUND;
    if (err == HS_OK && keeps_for_others(own->role) && !holders.is_writer && !is_revoked)
        err = visit(ctx, own->node_id, own->role);
    return err == HS_OK ? visit_signers(view, stream, n, &holders) : err;
}

struct levels {
    unsigned hubs, witnesses;
};

static enum hs_err count_holder(void *ctx, const char *node_id, enum hs_role role)
{
    struct levels *levels = ctx;
    (void)node_id;
    levels->hubs += role == HS_ROLE_HUB;
    levels->witnesses += role == HS_ROLE_WITNESS;
    return HS_OK;
}

/* A witness lets go of what two hubs have, and its word for that stays when the store of one of them is gone.  And it
 * begins where its hall's log did when they met, and may not have what lies before: who wrote it knows where that is,
 * but not who has taken his place.  Of money nothing else is left out. */
static bool may_be_witnessed(struct hs_view *view, const struct hs_stream *stream, uint64_t n)
{
    struct hs_log_reader reader = store_log_reader(view);
    uint64_t from = 0, dropped = 0;
    if (hs_log_whole_from(reader.txn, stream, &from) != HS_OK || n <= from)
        return false;
    if (hs_log_two_hubs_had(&reader, stream, &dropped) != HS_OK || n <= dropped)
        return false;
    return stream->lane == HS_LANE_MONEY || hs_log_is_own_origin(reader.txn, stream->origin);
}

enum hs_safety hs_view_safety(struct hs_view *view, const struct hs_stream *stream, uint64_t n)
{
    struct levels levels = {0};
    hs_view_holders(view, stream, n, count_holder, &levels); /* what cannot be read counts for nothing */
    if (levels.hubs == 1 && levels.witnesses > 0 && !may_be_witnessed(view, stream, n))
        levels.witnesses = 0;
    if (levels.hubs == 0)
        return HS_SAFETY_HERE;
    return levels.hubs + levels.witnesses == 1 ? HS_SAFETY_HUB : HS_SAFETY_SAFE;
}

enum hs_err hs_view_origin(struct hs_view *view, uint64_t origin, struct hs_bytes *certificate,
                           struct hs_bytes *opening)
{
    return hs_log_find_origin(store_log_reader(view).txn, origin, certificate, opening);
}

enum hs_err hs_view_certificate(struct hs_view *view, const struct hs_key *node_key, struct hs_bytes *certificate)
{
    return hs_log_find_certificate(store_log_reader(view).txn, node_key, certificate);
}

enum hs_err hs_view_certificates(struct hs_view *view, hs_visit_bytes visit, void *ctx)
{
    return hs_log_certificates(store_log_reader(view).txn, visit, ctx);
}

enum hs_err hs_view_enrolment(struct hs_view *view, const struct hs_hash *secret_hash, struct hs_enrolment *out)
{
    return hs_log_enrolment(store_log_reader(view).txn, secret_hash, out);
}

enum hs_err hs_view_enrolments(struct hs_view *view, hs_visit_enrolment visit, void *ctx)
{
    return hs_log_enrolments(store_log_reader(view).txn, visit, ctx);
}

enum hs_err hs_view_forks(struct hs_view *view, hs_visit_fork visit, void *ctx)
{
    return hs_log_forks(store_log_reader(view).txn, visit, ctx);
}

enum hs_err hs_view_loose(struct hs_view *view, const struct hs_stream *stream, hs_visit_loose visit, void *ctx)
{
    return hs_log_loose(store_log_reader(view).txn, stream, visit, ctx);
}

enum hs_err hs_view_revocation(struct hs_view *view, const struct hs_key *node_key, struct hs_bytes *encoded)
{
    return hs_log_revocation(store_log_reader(view).txn, node_key, encoded);
}

enum hs_err hs_view_revocations(struct hs_view *view, hs_visit_bytes visit, void *ctx)
{
    return hs_log_revocations(store_log_reader(view).txn, visit, ctx);
}

enum hs_err hs_view_releases(struct hs_view *view, hs_visit_bytes visit, void *ctx)
{
    return hs_log_releases(store_log_reader(view).txn, visit, ctx);
}

enum hs_err hs_view_limit(struct hs_view *view, const struct hs_stream *stream, uint64_t *n)
{
    struct hs_log_reader reader = store_log_reader(view);
    return hs_log_limit(&reader, stream, n);
}

enum hs_err hs_view_origins(struct hs_view *view, hs_visit_origin visit, void *ctx)
{
    return hs_log_origins(store_log_reader(view).txn, visit, ctx);
}

enum hs_err hs_view_announced(struct hs_view *view, hs_visit_announced visit, void *ctx)
{
    struct hs_log_reader reader = store_log_reader(view);
    return hs_log_announced(&reader, visit, ctx);
}

enum hs_err hs_view_peer_stores(struct hs_view *view, hs_visit_peer_store visit, void *ctx)
{
    return hs_log_peer_stores(store_log_reader(view).txn, visit, ctx);
}

enum hs_err hs_view_peer_store(struct hs_view *view, const struct hs_key *node_key, struct hs_peer_store *current)
{
    return hs_log_peer_store(store_log_reader(view).txn, node_key, current);
}

enum hs_err hs_view_store_counts(struct hs_view *view, const struct hs_key *node_key, uint64_t store_id, bool *counts)
{
    return hs_log_store_counts(store_log_reader(view).txn, node_key, store_id, counts);
}

uint64_t hs_view_current_origin(struct hs_view *view)
{
    return hs_log_current_origin(store_log_reader(view).txn);
}

uint64_t hs_view_own_origins(struct hs_view *view)
{
    return hs_log_own_origins(store_log_reader(view).txn);
}

enum hs_err hs_view_older(struct hs_view *view, struct hs_older *older)
{
    return hs_log_older(store_log_reader(view).txn, older);
}

enum hs_err hs_view_knows(struct hs_view *view, const struct hs_position *position)
{
    return hs_log_knows(store_log_reader(view).txn, position);
}

struct changes {
    hs_visit_change visit;
    void *ctx;
};

static enum hs_err visit_change(void *ctx, const struct hs_logged *logged)
{
    const struct changes *changes = ctx;
    if (logged->evicted != NULL)
        return HS_OK; /* at its end all feeds begin anew */
    struct hs_change change = {logged->stream, logged->n, logged->bytes, {0}};
    if (logged->state != NULL)
        change.record = logged->state->name;
    return changes->visit(changes->ctx, &change);
}

/* When it is put right, all feeds begin anew. */
static enum hs_err pass_over(void *ctx, const struct hs_stream *stream, uint64_t first, uint64_t last)
{
    (void)ctx, (void)stream, (void)first, (void)last;
    return HS_OK;
}

/* Not beyond the records: who is told of a change must find it there. */
enum hs_err hs_view_changes(struct hs_view *view, const struct hs_position *from, size_t limit, hs_visit_change visit,
                            void *ctx, struct hs_position *to)
{
    struct hs_txn *txn = store_log_reader(view).txn;
    struct changes changes = {visit, ctx};
    struct hs_log_span span = {from->commit, hs_view_position(view).commit, limit, pass_over};
    enum hs_err err = store_records_txn(view)->err; /* else no position is known, and nothing would seem to be new */
    if (err == HS_OK)
        err = hs_log_check_feed(txn, from);
    if (err != HS_OK)
        return err;
    *to = *from;
    return hs_log_walk(txn, &span, visit_change, &changes, to);
}
