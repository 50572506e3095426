/* Sets of (partition, lane). */
#include "node/replica/core.h"

#include <stdlib.h>
#include <string.h>

static size_t place_of(const struct rep_pairs *pairs, uint32_t pair)
{
    size_t low = 0, high = pairs->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pairs->items[middle] < pair)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool hs_rep_pairs_have(const struct rep_pairs *pairs, hs_partition partition, uint8_t lane)
{
    size_t at = place_of(pairs, REP_PAIR(partition, lane));
    return at < pairs->count && pairs->items[at] == REP_PAIR(partition, lane);
}

bool hs_rep_pairs_add(struct hs_replica *r, struct rep_pairs *pairs, hs_partition partition, uint8_t lane)
{
    size_t at = place_of(pairs, REP_PAIR(partition, lane));
    if (at < pairs->count && pairs->items[at] == REP_PAIR(partition, lane))
        return false;
    if (pairs->count == pairs->room) {
        size_t room = pairs->room == 0 ? 4 : pairs->room * 2;
        uint32_t *items = realloc(pairs->items, room * sizeof *items);
        if (items == NULL) {
            hs_rep_fail(r, HS_ENOMEM);
            return false;
        }
        pairs->items = items;
        pairs->room = room;
    }
    memmove(pairs->items + at + 1, pairs->items + at, (pairs->count - at) * sizeof *pairs->items);
    pairs->items[at] = REP_PAIR(partition, lane);
    pairs->count++;
    return true;
}

bool hs_rep_pairs_remove(struct rep_pairs *pairs, hs_partition partition, uint8_t lane)
{
    if (!hs_rep_pairs_have(pairs, partition, lane))
        return false;
    size_t at = place_of(pairs, REP_PAIR(partition, lane));
    pairs->count--;
    memmove(pairs->items + at, pairs->items + at + 1, (pairs->count - at) * sizeof *pairs->items);
    return true;
}

void hs_rep_pairs_fini(struct rep_pairs *pairs)
{
    free(pairs->items);
    *pairs = (struct rep_pairs){0};
}
