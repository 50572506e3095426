/* Lanes of which a node takes nothing for a while, for it has little room left: PROTOCOL.md, "Order of sending".
 *
 * Its peers are told with a heartbeat and wait.  What was on its way is dropped if it came by number, and asked for by
 * an announcement when the lane goes again; states that were on their way are stored, for a fill goes on where it is,
 * and no new one is begun. */
#include "node/replica/core.h"

#include <stdlib.h>

#define NOTICES_FREE    8
#define NOTICE_EVERY_MS 60000

/* Money and work are never held, whatever is said. */
#define MAY_BE_HELD (1U << HS_LANE_PEOPLE | 1U << HS_LANE_BULK)

bool hs_rep_goes(const struct rep_session *s, uint8_t lane)
{
    return (s->peer_held & 1U << lane) == 0;
}

bool hs_rep_is_held(const struct hs_replica *r, uint8_t lane)
{
    return (r->held & 1U << lane) != 0;
}

/* A few are told at once; a peer that changes its mind all the time fills nobody's log. */
static bool is_worth_telling(struct rep_session *s)
{
    if (s->held_notices >= NOTICES_FREE && s->r->now_ms < s->held_notice_ms + NOTICE_EVERY_MS)
        return false;
    s->held_notices++;
    s->held_notice_ms = s->r->now_ms;
    return true;
}

void hs_rep_hold_told(struct rep_session *s, uint32_t lanes)
{
    lanes &= MAY_BE_HELD;
    if (s->peer_held == lanes)
        return;
    s->peer_held = lanes;
    if (is_worth_telling(s))
        hs_rep_notice(
            s->r, HS_NOTICE_HELD, s->peer, lanes == 0 ? HS_OK : HS_EFULL,
            hs_rep_text(s->r, "%s %s", s->certificate.node_id,
                        lanes == 0 ? "takes everything again" : "has little room left: people and bulk wait"));
    hs_rep_session_dirty(s);
}

bool hs_rep_hold_bears(struct rep_session *s, uint8_t lane, uint64_t cost)
{
    if (!hs_rep_is_held(s->r, lane))
        return true;
    s->held_bytes += cost;
    if (s->held_bytes <= s->in.first)
        return true;
    hs_rep_session_end(s, HS_EFULL, "it goes on sending states, and there is little room left");
    return false;
}

/* ---- our own ---- */

struct released {
    uint32_t lanes;
    struct hs_stream *names;
    size_t count;
};

static void note_released(struct rep_session *s, struct rep_lag *lag, void *ctx)
{
    struct released *released = ctx;
    (void)s;
    if (!lag->gapped || (released->lanes & 1U << lag->name.lane) == 0)
        return;
    released->names[released->count++] = lag->name;
}

static void ask_again(struct rep_session *s, uint32_t lanes)
{
    struct released released = {.lanes = lanes};
    if (s->lag_count == 0)
        return;
    released.names = calloc(s->lag_count, sizeof *released.names);
    if (released.names == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return;
    }
    hs_rep_lags_visit(s, note_released, &released);
    if (released.count > 0)
        hs_rep_announce(s, released.names, released.count);
    free(released.names);
}

void hs_rep_hold(struct hs_replica *r, const struct hs_replica_event *event)
{
    uint32_t held = event->lanes & MAY_BE_HELD;
    uint32_t released = r->held & ~held;
    if (r->held == held)
        return;
    r->held = held;
    for (size_t i = 0; i < r->session_count && r->err == HS_OK; i++) {
        struct rep_session *s = r->sessions[i];
        if (s->state != REP_LIVE)
            continue;
        s->held_bytes = 0;
        hs_rep_heartbeat_soon(s);
        if (released != 0)
            ask_again(s, released);
    }
    if (released != 0)
        hs_rep_fills_soon(r);
}
