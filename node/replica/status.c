/* Figures of the sessions, for people. */
#include "node/replica/core.h"

#define NODE_OVERHEAD_BYTES 48 /* of an allocation and its place in a tree */

static void count_lag(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    struct hs_peer_status *status = ctx;
    uint64_t held = lag->stream == NULL ? 0 : lag->stream->n;
    if (lag->peer_n > held)
        status->lag_in_ops += lag->peer_n - held;
    else if (hs_rep_may_send(s, lag->name.partition))
        status->lag_out_ops += held - lag->peer_n;
    if (lag->since_ms != 0 && (status->oldest_unsent_ms == 0 || lag->since_ms < status->oldest_unsent_ms))
        status->oldest_unsent_ms = lag->since_ms;
}

static uint64_t memory_of(const struct rep_session *s)
{
    return sizeof *s + s->view_count * sizeof *s->view + s->certificate_bytes.room + s->acks.room +
           s->lag_count * (sizeof(struct rep_lag) + NODE_OVERHEAD_BYTES) +
           s->exchange.list_count * (sizeof(struct rep_list) + NODE_OVERHEAD_BYTES) + hs_rep_looses_bytes(s) +
           hs_rep_compare_bytes(s);
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
        .sent_ops = s->sent_ops,
        .received_ops = s->received_ops,
        .sent_bytes = s->sent_bytes,
        .received_bytes = s->received_bytes,
        .payments_known = s->payments_known,
        .payments_count = s->payments_count,
        .payments_fen = s->payments_fen,
        .memory_bytes = memory_of(s),
    };
    hs_rep_lags_visit(s, count_lag, to);
}

size_t hs_replica_peers(const struct hs_replica *r, struct hs_peer_status *to, size_t room)
{
    size_t count = 0;
    for (; count < r->session_count && count < room; count++)
        fill(r->sessions[count], &to[count]);
    return count;
}
