/* What a check found, and operations that rotted in the log: what became of them, and who is waited for. */
#include "node/service/handlers.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <inttypes.h>
#include <string.h>

#define ROWS_MAX     100
#define FIELD_HEALED 13 /* of VerifyReply */

static const char *const STATES[] = {
    [HS_HEALING_WAITS] = "waits", [HS_HEALING_DONE] = "healed", [HS_HEALING_ANEW] = "anew", [HS_HEALING_GONE] = "gone"};

struct rows {
    struct hs_call *call;
    struct hs_view *view;
    Hallsync__StatusReply *status; /* of problems */
    bool waiting;                  /* those that wait; else the others */
    size_t count;
    uint64_t found; /* of those that wait */
};

static const char *writer_of(const struct rows *rows, uint64_t origin)
{
    struct hs_bytes certificate, opening;
    const struct hs_certificate *own = hs_store_certificate(rows->call->desk->options.store);
    struct hs_certificate *writer = hs_arena_alloc(&rows->call->scratch, sizeof *writer);
    if (writer == NULL || hs_view_origin(rows->view, origin, &certificate, &opening) != HS_OK ||
        hs_certificate_verify(certificate, &own->root_key, writer) != HS_OK)
        return "an unknown node";
    return writer->node_id;
}

static enum hs_err put_row(void *ctx, const struct hs_healed *healed)
{
    struct rows *rows = ctx;
    Hallsync__HealedStatus row = HALLSYNC__HEALED_STATUS__INIT;
    if ((healed->state == HS_HEALING_WAITS) != rows->waiting || rows->count++ >= ROWS_MAX)
        return HS_OK;
    row.node_id = (char *)(uintptr_t)writer_of(rows, healed->stream.origin);
    row.origin = healed->stream.origin;
    row.partition = healed->stream.partition;
    row.lane = (char *)(uintptr_t)hs_lane_text((enum hs_lane)healed->stream.lane);
    row.first = healed->first;
    row.last = healed->last;
    row.has_store_id = healed->store_id != 0;
    row.store_id = healed->store_id;
    row.state = (char *)(uintptr_t)STATES[healed->state];
    row.time_ms = healed->time_ms;
    row.why = healed->why.size == 0 ? NULL : hs_arena_text(&rows->call->scratch, healed->why);
    hs_call_put(&rows->call->body, FIELD_HEALED, &row.base);
    return HS_OK;
}

/* The store is checked by a thread of its own. */
enum hs_err hs_verify_read(struct hs_call *call, struct hs_view *view)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    const Hallsync__VerifyRequest *asked = call->request->verify;
    struct rows rows = {.call = call, .view = view, .waiting = true};
    if (hooks->verify == NULL)
        return hs_fail(HS_ENOTHERE, &call->why, "nobody checks this store");
    hooks->verify(hooks->ctx, asked->start, asked->has_full && asked->full, &call->body);
    hs_view_healed(view, put_row, &rows); /* a list that has rotted itself is one of the findings */
    rows.waiting = false;
    hs_view_healed(view, put_row, &rows);
    return HS_OK;
}

static enum hs_err put_problem(void *ctx, const struct hs_healed *healed)
{
    struct rows *rows = ctx;
    struct hs_buf text = {0};
    char district[HS_PARTITION_TEXT_BYTES];
    rows->found += healed->state == HS_HEALING_WAITS;
    if (healed->state != HS_HEALING_WAITS || rows->count >= ROWS_MAX)
        return HS_OK;
    const char *writer = writer_of(rows, healed->stream.origin);
    const char *lane = hs_lane_text((enum hs_lane)healed->stream.lane);
    hs_partition_text(healed->stream.partition, district);
    if (healed->store_id != 0)
        hs_buf_put_format(&text,
                          "a receipt for what %s wrote, district %s, lane %s, has rotted on this disk: it comes again "
                          "from a node that has it, and until then it counts for nothing here; look at the disk, and "
                          "see hallsync repair",
                          writer, district, lane);
    else
        hs_buf_put_format(
            &text,
            "operations %" PRIu64 " to %" PRIu64 " of %s, district %s, lane %s, have rotted on this disk: they "
            "come back from a node that holds them, and until then nobody gets from here what lies behind "
            "them; look at the disk, and see hallsync repair",
            healed->first, healed->last, writer, district, lane);
    char *problem = text.err == HS_OK ? hs_arena_text(&rows->call->scratch, hs_buf_bytes(&text)) : NULL;
    hs_buf_fini(&text);
    if (problem != NULL)
        rows->status->problems[rows->status->n_problems++] = problem;
    rows->count++;
    return HS_OK;
}

void hs_healed_problems(struct hs_call *call, struct hs_view *view, Hallsync__StatusReply *status)
{
    struct rows rows = {.call = call, .view = view, .status = status};
    status->problems = hs_arena_array(&call->scratch, ROWS_MAX, sizeof *status->problems);
    if (status->problems != NULL)
        hs_view_healed(view, put_problem, &rows);
    status->has_rotten = rows.found != 0;
    status->rotten = rows.found;
}
