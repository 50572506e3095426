/* Sums of payments, and the digests that prove two stores equal. */
#include "node/service/handlers.h"
#include "node/service/look.h"
#include "node/service/show.h"

#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <string.h>

#define ORIGINS_MAX   65536 /* lives of one node: five years of daily boots are 2,000 */
#define ORIGIN_DIGITS 16
enum { REPLY_DIGESTS = 1 };

/* ---- which origins are meant ---- */

struct origins {
    struct hs_call *call;
    struct hs_view *view;
    struct hs_bytes node;
    uint64_t *list;
    size_t count;
    size_t room;
    uint64_t last_seen; /* a node's origin has many streams, side by side in each partition */
};

static bool is_listed(const struct origins *origins, uint64_t origin)
{
    for (size_t i = 0; i < origins->count; i++) {
        if (origins->list[i] == origin)
            return true;
    }
    return false;
}

static enum hs_err add_origin(struct origins *origins, uint64_t origin)
{
    if (origins->count == origins->room) {
        size_t room = origins->room == 0 ? 16 : 2 * origins->room;
        uint64_t *list = room <= ORIGINS_MAX ? hs_arena_array(&origins->call->scratch, room, sizeof *list) : NULL;
        if (list == NULL)
            return HS_ENOMEM;
        if (origins->count > 0)
            memcpy(list, origins->list, origins->count * sizeof *list);
        origins->list = list;
        origins->room = room;
    }
    origins->list[origins->count++] = origin;
    return HS_OK;
}

static enum hs_err visit_head(void *ctx, const struct hs_head *head)
{
    struct origins *origins = ctx;
    uint64_t origin = head->stream.origin;
    if (head->stream.lane != HS_LANE_MONEY || origin == origins->last_seen)
        return HS_OK;
    origins->last_seen = origin;
    if (!hs_bytes_equal(hs_show_node(origins->view, origin), origins->node) || is_listed(origins, origin))
        return HS_OK;
    return add_origin(origins, origin);
}

static enum hs_err find_origins(struct origins *origins, const char *text)
{
    uint8_t raw[8];
    if (strlen(text) == ORIGIN_DIGITS && hs_text_from_hex(text, ORIGIN_DIGITS, raw, sizeof raw) == HS_OK)
        return add_origin(origins, hs_from_be64(raw));
    if (!hs_node_id_valid(text))
        return hs_fail(HS_EVALUE, &origins->call->why, "origin: '%s' is neither a node's id nor 16 hex digits", text);
    origins->node = HS_BYTES(text, strlen(text));
    enum hs_err err = hs_view_heads(origins->view, visit_head, origins);
    if (err == HS_OK && origins->count == 0)
        return hs_fail(HS_ENOTFOUND, &origins->call->why, "origin: nothing of a node %s has come here", text);
    return err;
}

/* ---- totals ---- */

static enum hs_err make_filter(struct hs_call *call, struct origins *origins, struct hs_totals_filter *filter)
{
    const Hallsync__TotalsRequest *asked = call->request->totals;
    *filter = (struct hs_totals_filter){
        .account = asked->account, .date = asked->date, .has_window = asked->has_window, .window = asked->window};
    if (asked->account != NULL && !hs_account_valid(asked->account, strlen(asked->account)))
        return hs_fail(HS_EACCOUNT, &call->why, "account: '%s' is not 10 digits", asked->account);
    if (asked->has_date && !hs_date_valid(asked->date))
        return hs_fail(HS_EVALUE, &call->why, "date: %u is not a day like 20261121", (unsigned)asked->date);
    if (asked->origin == NULL)
        return HS_OK;
    if (asked->account != NULL)
        return hs_fail(HS_EINVAL, &call->why, "totals are kept by account or by origin, not by both");
    enum hs_err err = find_origins(origins, asked->origin);
    filter->origins = origins->list;
    filter->origin_count = origins->count;
    return err;
}

enum hs_err hs_totals_read(struct hs_call *call, struct hs_view *view)
{
    struct origins origins = {.call = call, .view = view};
    struct hs_totals_filter filter;
    struct hs_totals totals;
    struct hs_look look = {.desk = call->desk, .view = view, .arena = &call->scratch};
    Hallsync__TotalsReply reply = HALLSYNC__TOTALS_REPLY__INIT;
    enum hs_err err = make_filter(call, &origins, &filter);
    if (err == HS_OK)
        err = hs_view_totals(view, &filter, &totals);
    reply.has_advance_fen = filter.account != NULL && call->request->totals->balance;
    if (err == HS_OK && reply.has_advance_fen)
        err = hs_look_advance(&look, filter.account, &reply.advance_fen);
    reply.has_due_fen = reply.has_advance_fen;
    if (err == HS_OK && reply.has_due_fen)
        err = hs_look_account_due(&look, filter.account, &reply.due_fen);
    if (err != HS_OK)
        return err;
    /* What others have taken for an account of another district is not here. */
    reply.has_complete = filter.account != NULL ? !hs_whole(call->desk, view, hs_account_partition(filter.account))
                                                : hs_still_coming(view, HS_LANE_MONEY);
    reply.count = totals.count;
    reply.sum_fen = totals.sum_fen;
    reply.reversed_count = totals.reversed_count;
    reply.reversed_fen = totals.reversed_fen;
    reply.has_settled_count = reply.has_settled_fen = totals.settled_count != 0;
    reply.settled_count = totals.settled_count;
    reply.settled_fen = totals.settled_fen;
    hs_msg_pack(&reply.base, &call->body);
    return HS_OK;
}

/* ---- digests ---- */

static enum hs_err add_digest(void *ctx, const struct hs_digest *digest)
{
    struct hs_call *call = ctx;
    const Hallsync__DigestRequest *asked = call->request->digest;
    struct hs_hash sum = digest->sum;
    Hallsync__Digest one = HALLSYNC__DIGEST__INIT;
    /* What this hall wrote for a district that it does not hold is not that district's records. */
    if (!hs_store_holds(call->desk->options.store, digest->partition))
        return HS_OK;
    if (asked->has_partition && asked->partition != digest->partition)
        return HS_OK;
    one.partition = digest->partition;
    one.kind = digest->kind;
    one.count = digest->count;
    one.digest = (ProtobufCBinaryData){.len = sizeof sum.bytes, .data = sum.bytes};
    hs_call_put(&call->body, REPLY_DIGESTS, &one.base);
    return call->body.err;
}

enum hs_err hs_digest_read(struct hs_call *call, struct hs_view *view)
{
    return hs_view_digests(view, add_digest, call); /* ascending by partition and kind, as the store keeps them */
}
