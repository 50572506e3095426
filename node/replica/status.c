/* Figures of the sessions, for people. */
#include "node/replica/fill.h"

#include <string.h>

#define NODE_OVERHEAD_BYTES 48 /* of an allocation and its place in a tree */

static bool comes_as_states(const struct rep_session *s, const struct rep_lag *lag)
{
    const struct hs_stream *name = &lag->name;
    return name->lane != HS_LANE_MONEY && (hs_rep_fill_find(s->r, name->partition, name->lane) != NULL ||
                                           hs_rep_pairs_have(&s->peer_fills, name->partition, name->lane));
}

static void count_lag(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    struct hs_peer_status *status = ctx;
    uint64_t held = lag->stream == NULL ? 0 : lag->stream->n;
    uint8_t lane = lag->name.lane;
    status->disputed += lag->blocked;
    if (comes_as_states(s, lag))
        return;
    if (lag->peer_n > held)
        status->lanes[lane].in_ops += lag->peer_n - held;
    else if (lag->stream != NULL && hs_rep_may_send(s, lag->stream) && !hs_rep_lag_is_elsewhere(s, lag))
        status->lanes[lane].out_ops += held - lag->peer_n;
    uint64_t *oldest = &status->lanes[lane].oldest_unsent_ms;
    if (lag->since_ms != 0 && (*oldest == 0 || lag->since_ms < *oldest))
        *oldest = lag->since_ms;
    uint64_t *awaited = &status->lanes[lane].oldest_awaited_ms;
    if (lag->awaited_ms != 0 && (*awaited == 0 || lag->awaited_ms < *awaited))
        *awaited = lag->awaited_ms;
}

void hs_rep_moved(struct hs_replica *r, uint8_t lane, uint32_t ops, size_t bytes)
{
    r->moved[lane].ops += ops;
    r->moved[lane].bytes += bytes;
}

static void add_lanes(const struct rep_session *s, struct hs_peer_status *status)
{
    for (size_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++) {
        uint64_t oldest = status->lanes[lane].oldest_unsent_ms;
        status->lanes[lane].sent_ops = s->sent_ops[lane];
        status->lanes[lane].received_ops = s->received_ops[lane];
        status->sent_ops += s->sent_ops[lane];
        status->received_ops += s->received_ops[lane];
        status->lag_in_ops += status->lanes[lane].in_ops;
        status->lag_out_ops += status->lanes[lane].out_ops;
        if (oldest != 0 && (status->oldest_unsent_ms == 0 || oldest < status->oldest_unsent_ms))
            status->oldest_unsent_ms = oldest;
    }
}

/* ---- what the peer has not signed for ---- */

struct signing {
    uint64_t store_id, n;
};

static enum hs_err find_signed(void *ctx, const struct hs_receipt *receipt)
{
    struct signing *signing = ctx;
    if (receipt->store_id == signing->store_id && receipt->n > signing->n)
        signing->n = receipt->n;
    return HS_OK;
}

/* A store that cannot be read has other ways to say so. */
static uint64_t unsigned_ops(const struct rep_session *s)
{
    const struct hs_replica *r = s->r;
    uint64_t ops = 0;
    if (s->state != REP_LIVE || s->certificate.role == HS_ROLE_HALL)
        return 0;
    for (const struct rep_member *member = r->node->members; member != NULL; member = member->of_node) {
        for (size_t i = 0; i < member->count; i++) {
            const struct rep_stream *stream = member->streams[i];
            struct signing signing = {s->store_id, 0};
            if (stream->n == 0 || stream->fork != NULL || !hs_rep_may_send(s, stream))
                continue;
            r->source.receipts(r->source.ctx, &stream->name, find_signed, &signing);
            ops += stream->n > signing.n ? stream->n - signing.n : 0;
        }
    }
    return ops;
}

/* Of the node's own streams. */
static size_t forks_of(const struct rep_session *s)
{
    size_t count = 0;
    const struct rep_member *member = s->state == REP_LIVE ? s->node->members : NULL;
    for (; member != NULL; member = member->of_node) {
        for (size_t i = 0; i < member->count; i++)
            count += member->streams[i]->fork != NULL;
    }
    return count;
}

/* ---- all ---- */

static uint64_t fills_bytes(const struct rep_session *s)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < s->r->fill_count; i++) {
        const struct rep_fill *fill = s->r->fills[i];
        if (fill->from == s)
            bytes += fill->bound_room * sizeof *fill->bounds + fill->partial.room;
    }
    return bytes;
}

static uint64_t memory_of(const struct rep_session *s)
{
    return sizeof *s + s->certificate_bytes.room + s->acks.room +
           s->lag_count * (sizeof(struct rep_lag) + NODE_OVERHEAD_BYTES) +
           s->exchange.list_count * NODE_OVERHEAD_BYTES + hs_rep_exchange_bytes(s) + hs_rep_looses_bytes(s) +
           hs_rep_compare_bytes(s) + hs_rep_wanted_bytes(s) + hs_rep_inquiries_bytes(s) + hs_rep_supplies_bytes(s) +
           fills_bytes(s) +
           (s->peer_fills.room + s->peer_lacks.room + s->told_fills.room + s->said_pruned.room + s->pruned_there.room) *
               sizeof(uint32_t);
}

static void fill(struct rep_session *s, struct hs_peer_status *to)
{
    *to = (struct hs_peer_status){
        .peer = s->peer,
        .outbound = s->outbound,
        .live = s->state == REP_LIVE,
        .certificate = s->certificate,
        .live_since_ms = s->live_ms,
        .clock_offset_ms = s->clock_offset_ms,
        .round_trip_ms = s->round_trip_ms,
        .equal_ms = s->equal_ms,
        .compared = s->compared,
        .comparison = s->comparison,
        .differs = s->differs,
        .differ_count = s->differ_count,
        .sent_bytes = s->sent_bytes,
        .received_bytes = s->received_bytes,
        .payments_known = s->payments_known,
        .payments_count = s->payments_count,
        .payments_fen = s->payments_fen,
        .software = s->software,
        .figures = s->figures,
        .own_known = s->own_known,
        .own_payments = s->own_payments,
        .own_fen = s->own_fen,
        .being_filled = s->peer_lacks.count,
        .memory_bytes = memory_of(s),
    };
    if (to->live && !s->scope.everything) {
        memcpy(to->districts, s->scope.districts, s->scope.count * sizeof *to->districts);
        to->district_count = s->scope.count;
    }
    hs_rep_lags_visit(s, count_lag, to);
    add_lanes(s, to);
    for (size_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++) {
        uint64_t ops = s->r->moved[lane].ops;
        to->lanes[lane].op_bytes = ops == 0 ? 0 : (s->r->moved[lane].bytes + ops - 1) / ops;
    }
    to->unsigned_ops = unsigned_ops(s);
    to->disputed += forks_of(s);
    to->waits = hs_rep_waits_for(s);
    to->rate_max = hs_rep_rate_max(s);
    to->held_lanes = s->peer_held;
    for (size_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++)
        to->filling += s->fills_open[lane];
    hs_rep_supply_status(s, to);
}

/* ---- streams that do not go on ---- */

struct stopping {
    struct hs_stopped *to;
    size_t count, room;
};

static void take_stopped(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    struct stopping *stopping = ctx;
    const struct rep_origin *origin = hs_rep_origin_find(&s->r->frontier, lag->name.origin);
    if (!lag->stopped || origin == NULL || stopping->count == stopping->room)
        return;
    stopping->to[stopping->count++] = (struct hs_stopped){.stream = lag->name,
                                                          .node_key = origin->node->key,
                                                          .behind = lag->stream == NULL ? 0 : lag->stream->n,
                                                          .last = lag->peer_n,
                                                          .since_ms = lag->stopped_ms,
                                                          .from = s->certificate.node_id};
}

size_t hs_replica_stopped(const struct hs_replica *r, struct hs_stopped *to, size_t room)
{
    struct stopping stopping = {to, 0, room};
    for (size_t i = 0; i < r->session_count; i++) {
        if (r->sessions[i]->state == REP_LIVE && r->sessions[i]->has_stopped)
            hs_rep_lags_visit(r->sessions[i], take_stopped, &stopping);
    }
    return stopping.count;
}

/* ---- how far this node is with what the others have ---- */

struct gaps {
    struct rep_session *s;
    uint64_t ops;
};

/* Each stream once, by whoever has most of it. */
static void count_gap(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    struct gaps *gaps = ctx;
    const struct hs_replica *r = s->r;
    uint64_t held = lag->stream == NULL ? 0 : lag->stream->n, most = held;
    for (size_t i = 0; i < r->session_count && r->sessions[i] != s; i++) {
        const struct rep_lag *other = r->sessions[i]->state == REP_LIVE ? hs_rep_lag_find(r->sessions[i], &lag->name)
                                                                        : NULL;
        most = other != NULL && other->peer_n > most ? other->peer_n : most;
    }
    if (lag->peer_n > most && !comes_as_states(s, lag))
        gaps->ops += lag->peer_n - most;
}

uint64_t hs_replica_rebuilding(const struct hs_replica *r)
{
    return hs_rep_is_rebuilding(r) ? r->options.rebuilding_until_ms : 0;
}

bool hs_replica_is_filling(const struct hs_replica *r)
{
    return r->fill_count > 0;
}

bool hs_replica_progress(const struct hs_replica *r, uint64_t *held, uint64_t *named)
{
    struct gaps gaps = {0};
    *held = *named = 0;
    if (!hs_rep_is_rebuilding(r))
        return false;
    for (size_t i = 0; i < r->frontier.count; i++) {
        for (size_t k = 0; k < r->frontier.partitions[i]->count; k++) {
            const struct rep_member *member = r->frontier.partitions[i]->members[k];
            for (size_t m = 0; m < member->count; m++)
                *held += member->streams[m]->n;
        }
    }
    for (size_t i = 0; i < r->session_count; i++) {
        if (r->sessions[i]->state == REP_LIVE)
            hs_rep_lags_visit(r->sessions[i], count_gap, &gaps);
    }
    *named = *held + gaps.ops;
    return true;
}

const struct hs_key *hs_replica_node_key(struct hs_replica *r, hs_peer peer)
{
    const struct rep_session *s = hs_rep_session_find(r, peer);
    return s != NULL && s->state == REP_LIVE ? &s->certificate.node_key : NULL;
}

size_t hs_replica_peers(const struct hs_replica *r, struct hs_peer_status *to, size_t room)
{
    size_t count = 0;
    for (; count < r->session_count && count < room; count++)
        fill(r->sessions[count], &to[count]);
    return count;
}
