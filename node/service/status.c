/* What this node knows of itself; peers and links are told by the rest of the daemon and merged in. */
#include "node/service/handlers.h"

#include "proto/msg/frame.h"

#include <inttypes.h>
#include <stdio.h>

#define ORIGIN_TEXT_BYTES 17

static const struct {
    enum hs_list list;
    const char *counter;
} LISTS[] = {
    {HS_LIST_FIELD, "list_field"},
    {HS_LIST_FACT, "list_fact"},
    {HS_LIST_OVERPAID, "list_overpaid"},
    {HS_LIST_OVER_REVERSED, "list_over_reversed"},
    {HS_LIST_DOUBLE_ENTRY, "list_double_entry"},
    {HS_LIST_NO_BILL, "list_no_bill"},
    {HS_LIST_EVENT, "list_event"},
    {HS_LIST_PARKED, "list_parked"},
    {HS_LIST_VOID, "list_void"},
};

/* Of these a person has to decide something; the rest have figures of their own or end by themselves. */
static uint64_t conflict_count(struct hs_view *view)
{
    return hs_view_list_count(view, HS_LIST_FIELD) + hs_view_list_count(view, HS_LIST_FACT) +
           hs_view_list_count(view, HS_LIST_OVER_REVERSED) + hs_view_list_count(view, HS_LIST_DOUBLE_ENTRY) +
           hs_view_list_count(view, HS_LIST_EVENT);
}

/* ---- counters ---- */

struct counters {
    struct hs_arena *arena;
    Hallsync__StatusReply *status;
    size_t room;
};

static void count(struct counters *counters, const char *name, uint64_t value)
{
    Hallsync__Counter *counter = hs_arena_alloc(counters->arena, sizeof *counter);
    if (counter == NULL || counters->status->n_counters >= counters->room)
        return; /* a figure less is better than no status */
    hallsync__counter__init(counter);
    counter->name = (char *)(uintptr_t)name;
    counter->value = value;
    counters->status->counters[counters->status->n_counters++] = counter;
}

static void add_counters(struct hs_call *call, struct hs_view *view, Hallsync__StatusReply *status)
{
    enum { LIST_COUNT = sizeof LISTS / sizeof *LISTS, OTHER_COUNT = 7 };
    const struct hs_desk *desk = call->desk;
    struct hs_writer_figures writer;
    struct counters counters = {.arena = &call->scratch, .status = status, .room = LIST_COUNT + OTHER_COUNT};
    status->counters = hs_arena_array(&call->scratch, counters.room, sizeof *status->counters);
    if (status->counters == NULL)
        return;
    hs_writer_figures(desk->options.writer, &writer);
    for (size_t i = 0; i < LIST_COUNT; i++)
        count(&counters, LISTS[i].counter, hs_view_list_count(view, LISTS[i].list));
    count(&counters, "requests", desk->requests);
    count(&counters, "requests_refused", desk->refusals);
    count(&counters, "requests_waiting", desk->parked_count);
    count(&counters, "writer_groups", writer.groups);
    count(&counters, "writer_jobs", writer.jobs);
    count(&counters, "writer_refused", writer.refused);
    count(&counters, "writer_inbox_bytes", writer.inbox_bytes);
}

/* ---- the reply ---- */

static void add_identity(struct hs_call *call, Hallsync__StatusReply *status)
{
    const struct hs_store *store = call->desk->options.store;
    const struct hs_certificate *certificate = hs_store_certificate(store);
    status->node_id = (char *)(uintptr_t)certificate->node_id;
    status->role = (char *)(uintptr_t)hs_role_text(certificate->role);
    status->region = (char *)(uintptr_t)certificate->region;
    status->store_id = hs_store_id(store);
    status->version = (char *)(uintptr_t)HS_VERSION;
    status->clock_ms = hs_now_ms();
    status->districts = hs_arena_array(&call->scratch, certificate->district_count, sizeof *status->districts);
    for (size_t i = 0; i < certificate->district_count && status->districts != NULL; i++)
        status->districts[status->n_districts++] = certificate->districts[i];
}

static void add_store(struct hs_call *call, struct hs_view *view, Hallsync__StatusReply *status)
{
    struct hs_store_sizes sizes;
    hs_view_sizes(view, &sizes);
    status->commit = sizes.commit;
    status->records_commit = sizes.records_commit;
    status->store_bytes = sizes.log_bytes + sizes.records_bytes;
    status->disk_free_bytes = hs_disk_free_bytes(call->desk);
    status->conflicts = conflict_count(view);
    status->overpayments = hs_view_list_count(view, HS_LIST_OVERPAID);
    status->parked = hs_view_list_count(view, HS_LIST_PARKED);
    status->forks = hs_view_list_count(view, HS_LIST_FORK);
    status->origins_opened = hs_view_own_origins(view);
}

enum hs_err hs_status_read(struct hs_call *call, struct hs_view *view)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    Hallsync__StatusReply status = HALLSYNC__STATUS_REPLY__INIT;
    char origin[ORIGIN_TEXT_BYTES];
    uint64_t current = hs_view_current_origin(view);
    add_identity(call, &status);
    add_store(call, view, &status);
    add_counters(call, view, &status);
    if (current != 0) {
        snprintf(origin, sizeof origin, "%016" PRIx64, current);
        status.origin = origin;
    }
    hs_msg_pack(&status.base, &call->body);
    if (hooks->status != NULL)
        hooks->status(hooks->ctx, &call->body); /* later parts win, lists are joined: protobuf's rule for merging */
    return HS_OK;
}
