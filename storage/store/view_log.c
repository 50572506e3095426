/* view_log.c -- a view's reads of the log. */
#include "storage/store/inside.h"

#include "proto/msg/tlv.h"

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

void hs_view_lag(struct hs_view *view, const struct hs_stream *stream, uint64_t after, uint64_t *ops, uint64_t *bytes)
{
    struct hs_log_reader reader = store_log_reader(view);
    hs_log_lag(&reader, stream, after, ops, bytes);
}

enum hs_err hs_view_receipts(struct hs_view *view, const struct hs_stream *stream, hs_visit_receipt visit, void *ctx)
{
    return hs_log_receipts(store_log_reader(view).txn, stream, visit, ctx);
}

enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_ROLE = 2 }; /* fields of keys.proto */

/* What a hub wrote itself needs no receipt: it has signed for it, and holds it. */
static bool written_by_hub(struct hs_view *view, uint64_t origin)
{
    struct hs_bytes certificate, opening;
    if (hs_log_find_origin(store_log_reader(view).txn, origin, &certificate, &opening) != HS_OK)
        return false;
    struct hs_bytes body = hs_tlv_bytes(hs_tlv_bytes(certificate, CERTIFICATE_NODE), SIGNED_BODY);
    return hs_tlv_u64(body, NODE_ROLE, 0) == HS_ROLE_HUB;
}

/* A number of a forked stream names two operations, and nobody can tell which of them a receipt is about. */
enum hs_safety hs_view_safety(struct hs_view *view, const struct hs_stream *stream, uint64_t n)
{
    struct hs_log_reader reader = store_log_reader(view);
    struct hs_store *store = view->store;
    uint64_t fork;
    bool forked = hs_log_fork(reader.txn, stream, &fork) == HS_OK;
    unsigned stores = forked ? 0 : hs_log_receipt_count(&reader, stream, n, hs_store_id(store));
    if (hs_store_certificate(store)->role == HS_ROLE_HUB || written_by_hub(view, stream->origin))
        stores++;
    return stores == 0 ? HS_SAFETY_HERE : stores == 1 ? HS_SAFETY_HUB : HS_SAFETY_SAFE;
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

uint64_t hs_view_current_origin(struct hs_view *view)
{
    return hs_log_current_origin(store_log_reader(view).txn);
}

uint64_t hs_view_own_origins(struct hs_view *view)
{
    return hs_log_own_origins(store_log_reader(view).txn);
}

struct change {
    hs_visit_op visit;
    void *ctx;
};

static enum hs_err visit_change(void *ctx, const struct hs_logged *op)
{
    struct change *change = ctx;
    return change->visit(change->ctx, &op->stream, op->n, op->bytes);
}

/* Not beyond the records: who is told of a change must find it there. */
enum hs_err hs_view_changes(struct hs_view *view, const struct hs_position *from, size_t limit, hs_visit_op visit,
                            void *ctx, struct hs_position *to)
{
    struct hs_txn *txn = store_log_reader(view).txn;
    struct change change = {visit, ctx};
    struct hs_log_span span = {from->commit, hs_view_position(view).commit, limit};
    enum hs_err err = store_records_txn(view)->err; /* else no position is known, and nothing would seem to be new */
    if (err == HS_OK)
        err = hs_log_check_position(txn, from);
    if (err != HS_OK)
        return err;
    *to = *from;
    return hs_log_walk(txn, &span, visit_change, &change, to);
}
