/* When there last was a session with a node: for lists of nodes, and only as long as this process lives. */
#include "node/daemon/peers_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const struct seen *seen, const struct hs_key *key)
{
    return memcmp(seen->node_key.bytes, key->bytes, HS_KEY_BYTES);
}

/* Where it stands, or would. */
static size_t place_of(const struct hs_peers *peers, const struct hs_key *key, bool *found)
{
    size_t low = 0, high = peers->seen_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(&peers->seen[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < peers->seen_count && compare(&peers->seen[low], key) == 0;
    return low;
}

static bool make_room(struct hs_peers *peers)
{
    size_t room = peers->seen_room == 0 ? 16 : peers->seen_room * 2;
    if (peers->seen_count < peers->seen_room)
        return true;
    struct seen *seen = room > SEEN_MAX ? NULL : realloc(peers->seen, room * sizeof *seen);
    if (seen == NULL)
        return false;
    peers->seen = seen;
    peers->seen_room = room;
    return true;
}

static void note(struct hs_peers *peers, const struct hs_key *key, uint64_t mono_ms, bool shown)
{
    bool found;
    size_t at = place_of(peers, key, &found);
    if (!found) {
        if (!make_room(peers))
            return; /* a time less in a list */
        memmove(&peers->seen[at + 1], &peers->seen[at], (peers->seen_count - at) * sizeof *peers->seen);
        peers->seen[at] = (struct seen){.node_key = *key};
        peers->seen_count++;
    }
    peers->seen[at].last_ms = mono_ms;
    peers->seen[at].live = true;
    peers->seen[at].shown = peers->seen[at].shown || shown;
}

void peers_seen_note(struct hs_peers *peers, const struct hs_key *key, uint64_t mono_ms)
{
    note(peers, key, mono_ms, true);
}

void peers_seen_said(struct hs_peers *peers, const struct hs_key *key, const struct hs_figures *figures,
                     const char *software)
{
    bool found;
    size_t at = place_of(peers, key, &found);
    if (!found)
        return;
    if (figures->heard_ms != 0)
        peers->seen[at].figures = *figures;
    snprintf(peers->seen[at].version, sizeof peers->seen[at].version, "%s", software);
}

void peers_seen_begin(struct hs_peers *peers)
{
    for (size_t i = 0; i < peers->seen_count; i++)
        peers->seen[i].live = peers->seen[i].shown = false;
}

void peers_seen_live(struct hs_peers *peers, const struct hs_key *key)
{
    pthread_mutex_lock(&peers->lock);
    note(peers, key, hs_link_now_ms(), false);
    pthread_mutex_unlock(&peers->lock);
}

uint64_t hs_peers_seen(struct hs_peers *peers, const struct hs_key *key, bool *live)
{
    bool found;
    pthread_mutex_lock(&peers->lock);
    size_t at = place_of(peers, key, &found);
    uint64_t last_ms = found ? peers_wall_ms(peers->seen[at].last_ms) : 0;
    *live = found && peers->seen[at].live;
    pthread_mutex_unlock(&peers->lock);
    return last_ms;
}
