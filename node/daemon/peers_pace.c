/* How fast each session goes: what the peers' thread has seen of its counts and lags. */
#include "node/daemon/peers_private.h"

#include <stdlib.h>
#include <string.h>

/* Where it stands, or would. */
static size_t place_of(const struct hs_peers *peers, hs_peer peer, bool *found)
{
    size_t low = 0, high = peers->paced_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (peers->paced[middle].peer < peer)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < peers->paced_count && peers->paced[low].peer == peer;
    return low;
}

/* NULL: no memory, and it has no figures. */
static struct paced *get(struct hs_peers *peers, hs_peer peer)
{
    bool found;
    size_t at = place_of(peers, peer, &found);
    if (found)
        return &peers->paced[at];
    if (peers->paced_count == peers->paced_room) {
        size_t room = peers->paced_room == 0 ? 16 : peers->paced_room * 2;
        struct paced *paced = realloc(peers->paced, room * sizeof *paced);
        if (paced == NULL)
            return NULL;
        peers->paced = paced;
        peers->paced_room = room;
    }
    if (at < peers->paced_count)
        memmove(&peers->paced[at + 1], &peers->paced[at], (peers->paced_count - at) * sizeof *peers->paced);
    peers->paced[at] = (struct paced){.peer = peer};
    peers->paced_count++;
    return &peers->paced[at];
}

static void drop_ended(struct hs_peers *peers)
{
    size_t kept = 0;
    for (size_t i = 0; i < peers->paced_count; i++) {
        if (!peers->paced[i].live)
            continue;
        if (kept != i)
            peers->paced[kept] = peers->paced[i];
        kept++;
    }
    peers->paced_count = kept;
}

/* What comes as states counts as far as it is known how much there is of it; it is not known of what we are filled
 * with. */
static struct pace_look look_of(const struct hs_peer_status *from)
{
    struct pace_look look = {0};
    for (int lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++) {
        look.counts[PACE_OUT_OPS + lane] = from->lanes[lane].sent_ops;
        look.counts[PACE_IN_OPS + lane] = from->lanes[lane].received_ops;
    }
    look.counts[PACE_OUT_BYTES] = from->sent_bytes;
    look.counts[PACE_IN_BYTES] = from->received_bytes;
    look.lags[PACE_LAG_OUT] = from->lag_out_ops;
    look.lags[PACE_LAG_IN] = from->lag_in_ops;
    if (from->supplied_total > from->supplied_records)
        look.lags[PACE_LAG_STATES] = from->supplied_total - from->supplied_records;
    return look;
}

void peers_pace_look(struct hs_peers *peers, const struct hs_peer_status *shown, size_t count, uint64_t mono_ms)
{
    for (size_t i = 0; i < peers->paced_count; i++)
        peers->paced[i].live = false;
    for (size_t i = 0; i < count; i++) {
        struct paced *paced = shown[i].live ? get(peers, shown[i].peer) : NULL;
        struct pace_look look = look_of(&shown[i]);
        if (paced == NULL)
            continue;
        paced->live = true;
        pace_note(&paced->pace, mono_ms, &look);
    }
    drop_ended(peers);
}

const struct pace *peers_pace_of(const struct hs_peers *peers, hs_peer peer)
{
    static const struct pace UNKNOWN;
    bool found;
    size_t at = place_of(peers, peer, &found);
    return found ? &peers->paced[at].pace : &UNKNOWN;
}
