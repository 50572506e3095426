/* view_records.c -- a view's reads of the records. */
#include "storage/store/inside.h"

/* What cannot be read is made anew, soon; this read has to say so. */
enum hs_err store_watched(struct hs_view *view, enum hs_err err)
{
    if (err == HS_EDAMAGED)
        store_rot_seen(view->store);
    return err;
}

enum hs_err hs_view_record(struct hs_view *view, const struct hs_record_name *name, struct hs_stored *stored)
{
    return store_watched(view, hs_records_get(store_records_txn(view), name, stored));
}

enum hs_err hs_view_find(struct hs_view *view, uint16_t kind, struct hs_bytes id, struct hs_stored *stored)
{
    return store_watched(view, hs_records_find(store_records_txn(view), kind, id, stored));
}

enum hs_err hs_view_index(struct hs_view *view, uint16_t kind, uint8_t index, struct hs_bytes key,
                          struct hs_bytes after, hs_visit_record visit, void *ctx)
{
    return store_watched(view, hs_records_index(store_records_txn(view), kind, index, key, after, visit, ctx));
}

enum hs_err hs_view_all(struct hs_view *view, uint16_t kind, struct hs_bytes after, hs_visit_record visit, void *ctx)
{
    return store_watched(view, hs_records_all(store_records_txn(view), kind, after, visit, ctx));
}

enum hs_err hs_view_request(struct hs_view *view, struct hs_bytes request, struct hs_stream *stream, uint64_t *n)
{
    return store_watched(view, hs_records_request(store_records_txn(view), request, stream, n));
}

enum hs_err hs_view_totals(struct hs_view *view, const struct hs_totals_filter *filter, struct hs_totals *totals)
{
    return store_watched(view, hs_records_totals(store_records_txn(view), filter, totals));
}

enum hs_err hs_view_bill(struct hs_view *view, const char *account, struct hs_bytes bill_id, struct hs_bill_sums *sums)
{
    return store_watched(view, hs_records_bill(store_records_txn(view), account, bill_id, sums));
}

enum hs_err hs_view_unpaid(struct hs_view *view, struct hs_unpaid_scan *scan, hs_visit_unpaid visit, void *ctx)
{
    return store_watched(view, hs_records_unpaid(store_records_txn(view), scan, visit, ctx));
}

enum hs_err hs_view_digests(struct hs_view *view, hs_visit_digest visit, void *ctx)
{
    return store_watched(view, hs_records_digests(store_records_txn(view), visit, ctx));
}

enum hs_err hs_view_digest_level(struct hs_view *view, hs_partition partition, uint16_t kind, int branch,
                                 hs_visit_digest visit, void *ctx)
{
    return store_watched(view, hs_records_digest_level(store_records_txn(view), partition, kind, branch, visit, ctx));
}

enum hs_err hs_view_digest_leaf(struct hs_view *view, hs_partition partition, uint16_t kind, uint32_t leaf,
                                struct hs_bytes after, hs_visit_record visit, void *ctx)
{
    return store_watched(view,
                         hs_records_digest_leaf(store_records_txn(view), partition, kind, leaf, after, visit, ctx));
}

/* ---- lists: forks lie in the log, all others in the records ---- */

#define FORK_KEY_BYTES (1 + HS_STREAM_KEY_BYTES)

struct fork_lister {
    struct hs_bytes after;
    hs_visit_listed visit;
    void *ctx;
};

/* A forked stream is listed under its own key behind the list's number, as the records' keys begin with theirs. */
static enum hs_err list_fork(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof)
{
    struct fork_lister *lister = ctx;
    uint8_t key[FORK_KEY_BYTES] = {HS_LIST_FORK};
    uint8_t detail[8];
    (void)proof;
    hs_stream_key(stream, key + 1);
    hs_be64(detail, n);
    struct hs_listed listed = {
        .list = HS_LIST_FORK,
        .name = {.partition = stream->partition, .lane = stream->lane, .id = HS_BYTES(key + 1, HS_STREAM_KEY_BYTES)},
        .detail = HS_BYTES(detail, sizeof detail),
        .key = HS_BYTES(key, sizeof key),
    };
    return hs_bytes_compare(listed.key, lister->after) > 0 ? lister->visit(lister->ctx, &listed) : HS_OK;
}

enum hs_err hs_view_list(struct hs_view *view, enum hs_list list, struct hs_bytes after, hs_visit_listed visit,
                         void *ctx)
{
    struct fork_lister lister = {after, visit, ctx};
    enum hs_err err = HS_OK;
    if (list != HS_LIST_FORK)
        err = store_watched(view, hs_records_list(store_records_txn(view), list, after, visit, ctx));
    if (err == HS_OK && (list == HS_LIST_FORK || list == 0))
        err = hs_log_forks(store_log_reader(view).txn, list_fork, &lister);
    return err;
}

uint64_t hs_view_list_count(struct hs_view *view, enum hs_list list)
{
    uint64_t count = list == HS_LIST_FORK ? 0 : hs_records_list_count(store_records_txn(view), list);
    return list == HS_LIST_FORK || list == 0 ? count + hs_log_fork_count(store_log_reader(view).txn) : count;
}

bool hs_view_listed(struct hs_view *view, enum hs_list list, const struct hs_record_name *name)
{
    uint64_t n;
    if (list == HS_LIST_FORK && name->id.size == HS_STREAM_KEY_BYTES) {
        struct hs_stream stream = hs_stream_from_key(name->id.data);
        return hs_log_fork(store_log_reader(view).txn, &stream, &n) == HS_OK;
    }
    return hs_records_listed(store_records_txn(view), list, name);
}

/* ---- decisions ---- */

enum hs_err hs_view_standing(struct hs_view *view, const struct hs_stored *stored, struct hs_standing *standing)
{
    return store_watched(view, hs_records_standing(store_records_txn(view), stored, standing));
}

enum hs_err hs_view_decisions(struct hs_view *view, const struct hs_record_name *record, hs_visit_decided visit,
                              void *ctx)
{
    return store_watched(view, hs_records_decisions(store_records_txn(view), record, visit, ctx));
}
