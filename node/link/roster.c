#include "node/link/roster.h"

#include <assert.h>
#include <stdlib.h>

#define BUCKETS 8192 /* a power of two */
#define NONE    HS_ROSTER_SLOTS

_Static_assert(HS_ROSTER_SLOTS < 0xffff - HS_LINK_GROUPS_MAX,
               "slots are named by the low 16 bits of a peer, and the last of these are the dialled ones'");

struct hs_roster {
    struct hs_roster_entry slots[HS_ROSTER_SLOTS];
    uint16_t buckets[BUCKETS];
    uint16_t free;
    size_t live;
    uint16_t retired[HS_ROSTER_RETIRED_MAX]; /* a ring, oldest first */
    size_t retired_first, retired_count;
    uint16_t ending[HS_ROSTER_LIVE_MAX]; /* in no order */
    size_t ending_count;
};

struct hs_roster *hs_roster_new(void)
{
    struct hs_roster *roster = calloc(1, sizeof *roster);
    if (roster == NULL)
        return NULL;
    for (uint16_t i = 0; i < HS_ROSTER_SLOTS; i++)
        roster->slots[i].next = (uint16_t)(i + 1);
    for (size_t i = 0; i < BUCKETS; i++)
        roster->buckets[i] = NONE;
    return roster;
}

void hs_roster_free(struct hs_roster *roster)
{
    free(roster);
}

/* libzmq counts its routing ids up. */
static uint16_t *bucket_of(struct hs_roster *roster, uint32_t routing)
{
    return &roster->buckets[routing & (BUCKETS - 1)];
}

struct hs_roster_entry *hs_roster_by_routing(struct hs_roster *roster, uint32_t routing)
{
    uint16_t at = *bucket_of(roster, routing);
    while (at != NONE && roster->slots[at].routing != routing)
        at = roster->slots[at].next;
    return at == NONE ? NULL : &roster->slots[at];
}

struct hs_roster_entry *hs_roster_by_peer(struct hs_roster *roster, hs_peer peer)
{
    size_t slot = peer & 0xffff;
    if (peer == 0 || slot >= HS_ROSTER_SLOTS)
        return NULL;
    struct hs_roster_entry *entry = &roster->slots[slot];
    return entry->peer == peer && !entry->retired ? entry : NULL;
}

struct hs_roster_entry *hs_roster_add(struct hs_roster *roster, struct hs_link_base *base, uint32_t routing)
{
    if (roster->live == HS_ROSTER_LIVE_MAX)
        return NULL;
    uint16_t slot = roster->free;
    assert(slot != NONE);
    struct hs_roster_entry *entry = &roster->slots[slot];
    roster->free = entry->next;
    roster->live++;
    uint16_t *bucket = bucket_of(roster, routing);
    *entry = (struct hs_roster_entry){.peer = hs_base_number(base, slot), .routing = routing, .next = *bucket};
    *bucket = slot;
    return entry;
}

static void forget(struct hs_roster *roster, uint16_t slot)
{
    struct hs_roster_entry *entry = &roster->slots[slot];
    uint16_t *at = bucket_of(roster, entry->routing);
    while (*at != slot)
        at = &roster->slots[*at].next;
    *at = entry->next;
    *entry = (struct hs_roster_entry){.next = roster->free};
    roster->free = slot;
}

static void forget_oldest(struct hs_roster *roster)
{
    forget(roster, roster->retired[roster->retired_first]);
    roster->retired_first = (roster->retired_first + 1) % HS_ROSTER_RETIRED_MAX;
    roster->retired_count--;
}

static void unset_ending(struct hs_roster *roster, struct hs_roster_entry *entry)
{
    size_t at = 0;
    while (roster->ending[at] != entry - roster->slots)
        at++;
    roster->ending[at] = roster->ending[--roster->ending_count];
    entry->ending = false;
}

void hs_roster_retire(struct hs_roster *roster, struct hs_roster_entry *entry)
{
    assert(!entry->retired);
    if (entry->ending)
        unset_ending(roster, entry);
    if (roster->retired_count == HS_ROSTER_RETIRED_MAX)
        forget_oldest(roster);
    size_t end = (roster->retired_first + roster->retired_count) % HS_ROSTER_RETIRED_MAX;
    roster->retired[end] = (uint16_t)(entry - roster->slots);
    roster->retired_count++;
    roster->live--;
    entry->retired = true;
}

void hs_roster_set_ending(struct hs_roster *roster, struct hs_roster_entry *entry)
{
    if (entry->ending || entry->retired)
        return;
    assert(roster->ending_count < HS_ROSTER_LIVE_MAX);
    entry->ending = true;
    roster->ending[roster->ending_count++] = (uint16_t)(entry - roster->slots);
}

struct hs_roster_entry *hs_roster_ending(struct hs_roster *roster)
{
    return roster->ending_count == 0 ? NULL : &roster->slots[roster->ending[roster->ending_count - 1]];
}
