/* disk.h -- how much room a node has left, and what must wait for more.  Room is kept so that money can still be taken
 * when everything else must wait:
 *
 *   room           level    refused to clients, and not taken from peers
 *   below 2   x    low      people, bulk: customers, bills, imports
 *   below 1   x    scarce   whatever is not money or work
 *   below 1/4 x    full     everything; what peers hand in of money and work is stored as long as it fits
 *
 * of the reserve that the configuration names.  Room is what is free on the disk, or what is left of the store's map,
 * if that is less.  A value; each thread that looks has its own. */
#ifndef HS_DISK_H
#define HS_DISK_H

#include "storage/store.h"

enum hs_disk_level { HS_DISK_PLENTY, HS_DISK_LOW, HS_DISK_SCARCE, HS_DISK_FULL };
const char *hs_disk_level_text(enum hs_disk_level level); /* "plenty", "low", "scarce", "full" */
/* What of a peer's must wait: bits 1 << lane. */
uint32_t hs_disk_held_lanes(enum hs_disk_level level);

#define HS_DISK_LOOK_MS 500

struct hs_disk {
    const char *dir;          /* borrowed */
    struct hs_store *store;   /* borrowed; NULL: the disk alone counts */
    uint64_t reserve_bytes;   /* 0: nothing ever waits */
    uint64_t free_bytes;      /* on the disk; UINT64_MAX: not to be known, nobody is refused for it */
    uint64_t map_bytes;       /* left of the store's map */
    enum hs_disk_level level; /* better again only with an eighth more than it takes */
    uint64_t look_ms;         /* look again then */
};
/* At most each HS_DISK_LOOK_MS by the monotonic clock; true: the level is another one. */
bool hs_disk_look(struct hs_disk *disk, uint64_t now_ms);
/* Just by the room: HS_EFULL if there is too little for a write of this lane (0: none of them). */
enum hs_err hs_disk_check(const struct hs_disk *disk, unsigned lane, struct hs_why *why);

#endif
