/* What nodes were heard to have and nobody who is here has: of which streams, how many operations, how many payments.
 */
#include "node/service/announced.h"

#include "proto/msg/trust.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NODES_MAX   1024
#define STREAMS_MAX 256 /* listed, of a node: the rest is in the figures */

struct listing {
    struct hs_call *call;
    struct hs_view *view;
    Hallsync__StatusReply *status;
    struct hs_key key; /* of the last one */
    Hallsync__AnnouncedStatus *last;
    uint64_t payments; /* that it has said to have */
    int64_t fen;
    bool is_said;
};

/* ---- its payments here ---- */

struct origins {
    const struct hs_key *key;
    struct hs_arena *arena;
    uint64_t *list;
    size_t count;
};

static enum hs_err count_origin(void *ctx, uint64_t origin, const struct hs_key *key)
{
    struct origins *origins = ctx;
    if (!hs_key_equal(key, origins->key))
        return HS_OK;
    if (origins->list != NULL)
        origins->list[origins->count] = origin;
    origins->count++;
    return HS_OK;
}

static enum hs_err payments_here(struct listing *listing, struct hs_totals *totals)
{
    struct origins origins = {.key = &listing->key, .arena = &listing->call->scratch};
    *totals = (struct hs_totals){0};
    enum hs_err err = hs_view_origins(listing->view, count_origin, &origins);
    if (err != HS_OK || origins.count == 0)
        return err;
    origins.list = hs_arena_array(origins.arena, origins.count, sizeof *origins.list);
    if (origins.list == NULL)
        return HS_ENOMEM;
    origins.count = 0;
    err = hs_view_origins(listing->view, count_origin, &origins);
    struct hs_totals_filter filter = {.origins = origins.list, .origin_count = origins.count};
    return err == HS_OK ? hs_view_totals(listing->view, &filter, totals) : err;
}

/* What it said to have, less what is here; what it said may be older than that. */
static void end_node(struct listing *listing)
{
    Hallsync__AnnouncedStatus *row = listing->last;
    struct hs_totals here;
    if (row == NULL || !listing->is_said || row->money == 0 || payments_here(listing, &here) != HS_OK ||
        listing->payments < here.count)
        return;
    row->has_payments = row->has_fen = true;
    row->payments = listing->payments - here.count;
    row->fen = listing->fen - here.sum_fen;
}

/* ---- rows ---- */

static char *node_id_of(struct listing *listing, const struct hs_key *key)
{
    const struct hs_certificate *own = hs_store_certificate(listing->call->desk->options.store);
    struct hs_certificate certificate;
    struct hs_bytes encoded;
    if (hs_view_certificate(listing->view, key, &encoded) != HS_OK ||
        hs_certificate_verify(encoded, &own->root_key, &certificate) != HS_OK)
        return NULL;
    return hs_arena_text(&listing->call->scratch, HS_BYTES(certificate.node_id, strlen(certificate.node_id)));
}

static void begin_node(struct listing *listing, const struct hs_announced *announced)
{
    const struct hs_service_hooks *hooks = &listing->call->desk->options.hooks;
    struct hs_arena *arena = &listing->call->scratch;
    end_node(listing);
    listing->key = announced->node_key;
    listing->last = NULL;
    listing->is_said = announced->payments != 0 || announced->fen != 0;
    listing->payments = announced->payments;
    listing->fen = announced->fen;
    char *node_id = node_id_of(listing, &announced->node_key);
    Hallsync__AnnouncedStatus *row = hs_arena_alloc(arena, sizeof *row);
    if (row == NULL || node_id == NULL || listing->status->n_announced == NODES_MAX)
        return; /* a figure less is better than no status */
    hallsync__announced_status__init(row);
    row->node_id = node_id;
    row->streams = hs_arena_array(arena, STREAMS_MAX, sizeof *row->streams);
    if (hooks->seen != NULL) {
        bool live = false;
        hooks->seen(hooks->ctx, &announced->node_key, &live);
        row->has_live = true;
        row->live = live;
    }
    listing->last = row;
    listing->status->announced[listing->status->n_announced++] = row;
}

static void add_stream(struct listing *listing, const struct hs_announced *announced)
{
    struct hs_arena *arena = &listing->call->scratch;
    Hallsync__AnnouncedStatus *row = listing->last;
    char origin[17];
    if (row->streams == NULL || row->n_streams == STREAMS_MAX)
        return;
    Hallsync__AnnouncedStream *stream = hs_arena_alloc(arena, sizeof *stream);
    if (stream == NULL)
        return;
    hallsync__announced_stream__init(stream);
    snprintf(origin, sizeof origin, "%016" PRIx64, announced->head.stream.origin);
    stream->partition = announced->head.stream.partition;
    stream->lane = (char *)(uintptr_t)hs_lane_text((enum hs_lane)announced->head.stream.lane);
    stream->origin = hs_arena_text(arena, HS_BYTES(origin, sizeof origin - 1));
    stream->behind = announced->held;
    stream->last = announced->head.n;
    if (stream->origin != NULL)
        row->streams[row->n_streams++] = stream;
}

static enum hs_err add_row(void *ctx, const struct hs_announced *announced)
{
    struct listing *listing = ctx;
    uint64_t count = announced->head.n - announced->held;
    if (listing->last == NULL || !hs_key_equal(&listing->key, &announced->node_key))
        begin_node(listing, announced);
    Hallsync__AnnouncedStatus *row = listing->last;
    if (row == NULL)
        return HS_OK;
    row->operations += count;
    row->money += announced->head.stream.lane == HS_LANE_MONEY ? count : 0;
    row->time_ms = announced->time_ms > row->time_ms ? announced->time_ms : row->time_ms;
    add_stream(listing, announced);
    return HS_OK;
}

void hs_announced_add(struct hs_call *call, struct hs_view *view, Hallsync__StatusReply *status)
{
    struct listing listing = {.call = call, .view = view, .status = status};
    if (hs_store_certificate(call->desk->options.store)->role != HS_ROLE_HUB)
        return;
    status->announced = hs_arena_array(&call->scratch, NODES_MAX, sizeof *status->announced);
    if (status->announced == NULL)
        return;
    hs_view_announced(view, add_row, &listing); /* a damaged store says so elsewhere */
    end_node(&listing);
}
