/* What this node knows of itself; peers and links are told by the rest of the daemon and merged in. */
#include "node/service/announced.h"
#include "node/service/handlers.h"
#include "node/service/revoke.h"
#include "node/service/survey.h"
#include "node/service/telling.h"

#include "node/status/spread.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <inttypes.h>
#include <stdio.h>

#define ORIGIN_TEXT_BYTES 17
enum { STATUS_STOPPED_STREAMS = 20 }; /* of StatusReply */
#define FILLS_MAX ((HS_SCOPE_MAX + 1) * 4)

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
    {HS_LIST_TOPUP_TWICE, "list_topup_twice"},
    {HS_LIST_NOT_OWNER, "list_not_owner"},
    {HS_LIST_SETTLED_TWICE, "list_settled_twice"},
    {HS_LIST_EVENT, "list_event"},
    {HS_LIST_PARKED, "list_parked"},
    {HS_LIST_VOID, "list_void"},
    {HS_LIST_DECISION, "list_decided"},
};

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

/* ---- what comes as states, and what goes ---- */

struct fills {
    struct hs_arena *arena;
    Hallsync__StatusReply *status;
    size_t room;
};

static enum hs_err add_fill(void *ctx, const struct hs_fill *fill)
{
    struct fills *fills = ctx;
    Hallsync__FillStatus *row = hs_arena_alloc(fills->arena, sizeof *row);
    if (row == NULL || fills->status->n_fills == fills->room)
        return HS_OK; /* a figure less is better than no status */
    hallsync__fill_status__init(row);
    row->partition = fill->partition;
    row->lane = (char *)(uintptr_t)hs_lane_text((enum hs_lane)fill->lane);
    row->records = fill->records;
    row->has_total = fill->total != 0;
    row->total = fill->total;
    row->since_ms = fill->since_ms;
    fills->status->fills[fills->status->n_fills++] = row;
    return HS_OK;
}

static void add_fills(struct hs_call *call, struct hs_view *view, Hallsync__StatusReply *status)
{
    struct fills fills = {.arena = &call->scratch, .status = status, .room = FILLS_MAX};
    status->fills = hs_arena_array(&call->scratch, fills.room, sizeof *status->fills);
    if (status->fills != NULL)
        hs_view_fills(view, add_fill, &fills); /* a damaged store says so elsewhere */
}

static enum hs_err add_evicting(void *ctx, hs_partition partition, bool waits)
{
    struct fills *rows = ctx;
    Hallsync__EvictingStatus *row = hs_arena_alloc(rows->arena, sizeof *row);
    if (row == NULL || rows->status->n_evicting == rows->room)
        return HS_OK;
    hallsync__evicting_status__init(row);
    row->partition = partition;
    row->waits = waits;
    rows->status->evicting[rows->status->n_evicting++] = row;
    return HS_OK;
}

static void add_evictions(struct hs_call *call, struct hs_view *view, Hallsync__StatusReply *status)
{
    struct fills rows = {.arena = &call->scratch, .status = status, .room = HS_SCOPE_MAX};
    status->evicting = hs_arena_array(&call->scratch, rows.room, sizeof *status->evicting);
    if (status->evicting != NULL)
        hs_view_evicting(view, add_evicting, &rows);
}

/* ---- an older copy ---- */

struct older {
    struct hs_older found;
    Hallsync__OlderCopyStatus status;
};

/* @room: what the reply points to. */
static void add_older(struct hs_view *view, struct older *room, Hallsync__StatusReply *status)
{
    struct hs_older *found = &room->found;
    if (hs_view_older(view, found) != HS_OK)
        return; /* a damaged store says so elsewhere */
    hallsync__older_copy_status__init(&room->status);
    room->status.found_ms = found->found_ms;
    room->status.why = found->why;
    room->status.operations = found->operations;
    room->status.money = found->money;
    room->status.from = found->from[0] != '\0' ? found->from : NULL;
    room->status.has_last_ms = true;
    room->status.last_ms = found->last_ms;
    status->older_copy = &room->status;
}

/* ---- the reply ---- */

static void add_scope(struct hs_call *call, Hallsync__StatusReply *status)
{
    const struct hs_service_options *options = &call->desk->options;
    status->scope = hs_arena_array(&call->scratch, options->scope_count, sizeof *status->scope);
    for (size_t i = 0; i < options->scope_count && status->scope != NULL; i++) {
        if (hs_store_holds(options->store, options->scope[i]))
            status->scope[status->n_scope++] = options->scope[i];
    }
    status->has_retention_days = options->retention_days != 0;
    status->retention_days = options->retention_days;
}

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
    add_scope(call, status);
}

static void add_room(struct hs_call *call, Hallsync__StatusReply *status)
{
    struct hs_disk *disk = &call->desk->disk;
    hs_disk_look(disk, hs_tick_ms());
    status->disk_free_bytes = disk->free_bytes;
    status->has_map_free_bytes = true;
    status->map_free_bytes = disk->map_bytes;
    if (disk->level != HS_DISK_PLENTY)
        status->disk_level = (char *)(uintptr_t)hs_disk_level_text(disk->level);
}

static void add_store(struct hs_call *call, struct hs_view *view, Hallsync__StatusReply *status)
{
    struct hs_store_sizes sizes;
    hs_view_sizes(view, &sizes);
    status->commit = sizes.commit;
    status->records_commit = sizes.records_commit;
    status->store_bytes = sizes.log_bytes + sizes.records_bytes;
    add_room(call, status);
    status->conflicts = hs_conflict_count(view);
    status->overpayments = hs_view_list_count(view, HS_LIST_OVERPAID);
    status->parked = hs_view_list_count(view, HS_LIST_PARKED);
    status->forks = hs_view_list_count(view, HS_LIST_FORK);
    status->origins_opened = hs_view_own_origins(view);
}

/* Of streams that do not go on, from what all parts say. */
static enum hs_err count_stops(struct hs_call *call, struct hs_view *view)
{
    struct hs_stops stops;
    enum hs_err err = hs_stops_take(call, view, hs_buf_bytes(&call->body), &stops);
    if (err == HS_OK)
        hs_tlv_put_u64(&call->body, STATUS_STOPPED_STREAMS, stops.count);
    return err;
}

static void add_spreads(struct hs_call *call)
{
    static const char *const SORTS[] = {[HS_SORT_PUT] = "put",
                                        [HS_SORT_GET] = "get",
                                        [HS_SORT_FIND] = "find",
                                        [HS_SORT_STATUS] = "status",
                                        [HS_SORT_OTHER] = "other"};
    hs_spread_put(&call->body, "commit", NULL, hs_writer_commits(call->desk->options.writer));
    for (size_t i = 0; i < HS_SORT_COUNT; i++)
        hs_spread_put(&call->body, "request", SORTS[i], &call->desk->times[i]);
}

enum hs_err hs_status_read(struct hs_call *call, struct hs_view *view)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    Hallsync__StatusReply status = HALLSYNC__STATUS_REPLY__INIT;
    char origin[ORIGIN_TEXT_BYTES];
    struct older older;
    uint64_t current = hs_view_current_origin(view);
    add_identity(call, &status);
    add_store(call, view, &status);
    add_counters(call, view, &status);
    add_fills(call, view, &status);
    add_evictions(call, view, &status);
    add_older(view, &older, &status);
    hs_waiting_add(call, view, &status);
    hs_announced_add(call, view, &status);
    hs_healed_problems(call, view, &status);
    struct hs_revocation revocation;
    const struct hs_store *store = call->desk->options.store;
    if (hs_revoked_read(store, view, &hs_store_certificate(store)->node_key, &revocation) == HS_OK)
        status.revoked = revocation.reason;
    if (current != 0) {
        snprintf(origin, sizeof origin, "%016" PRIx64, current);
        status.origin = origin;
    }
    hs_msg_pack(&status.base, &call->body);
    add_spreads(call);
    bool region = hooks->region != NULL && call->request->status->has_region && call->request->status->region;
    void (*put)(void *ctx, struct hs_buf *partial_status) = region ? hooks->region : hooks->status;
    if (put != NULL)
        put(hooks->ctx, &call->body); /* later parts win, lists are joined: protobuf's rule for merging */
    return count_stops(call, view);
}

/* The daemon makes them; the view is only there because each read has one. */
enum hs_err hs_backup_read(struct hs_call *call, struct hs_view *view)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    (void)view;
    if (hooks->backup == NULL)
        return hs_fail(HS_ENOTHERE, &call->why, "this node makes no backups");
    return hooks->backup(hooks->ctx, call->request->backup->start, &call->body, &call->why);
}

/* With others, by the peers' thread. */
enum hs_err hs_compare_read(struct hs_call *call, struct hs_view *view)
{
    const struct hs_service_hooks *hooks = &call->desk->options.hooks;
    Hallsync__CompareReply reply = HALLSYNC__COMPARE_REPLY__INIT;
    (void)view;
    if (hooks->compare == NULL)
        return hs_fail(HS_ENOTHERE, &call->why, "there is nobody to compare with");
    reply.number = hooks->compare(hooks->ctx);
    hs_msg_pack(&reply.base, &call->body);
    return HS_OK;
}
