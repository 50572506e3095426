/* The reserve: room is kept so that money can still be taken when everything else must wait.
 *
 *   free            refused
 *   below 2   x     people, bulk: customers, bills, imports
 *   below 1   x     whatever is not money or work
 *   below 1/4 x     everything
 *
 * of the reserve that the configuration names. */
#include "node/service/call.h"

#include <inttypes.h>
#include <sys/statvfs.h>

#define LOOK_EVERY_MS 500

uint64_t hs_disk_free_bytes(const struct hs_desk *desk)
{
    struct statvfs disk;
    if (statvfs(desk->options.dir, &disk) != 0)
        return UINT64_MAX; /* not to be known: nobody is refused for it */
    return (uint64_t)disk.f_bavail * disk.f_frsize;
}

static uint64_t needed(uint64_t reserve, unsigned lane)
{
    switch (lane) {
    case HS_LANE_MONEY:
    case HS_LANE_WORK:
        return reserve / 4;
    case HS_LANE_PEOPLE:
    case HS_LANE_BULK:
        return reserve * 2;
    default:
        return reserve;
    }
}

enum hs_err hs_disk_check(struct hs_desk *desk, unsigned lane, struct hs_why *why)
{
    uint64_t reserve = desk->options.disk_reserve_bytes;
    uint64_t now = hs_tick_ms();
    if (reserve == 0)
        return HS_OK;
    if (now >= desk->disk_tick) {
        desk->disk_free_bytes = hs_disk_free_bytes(desk);
        desk->disk_tick = now + LOOK_EVERY_MS;
    }
    uint64_t least = needed(reserve < UINT64_MAX / 2 ? reserve : UINT64_MAX / 2, lane);
    if (desk->disk_free_bytes >= least)
        return HS_OK;
    return hs_fail(HS_EFULL, why, "%" PRIu64 " MiB are free on the disk of %s; such writes need %" PRIu64 " MiB",
                   desk->disk_free_bytes >> 20, desk->options.dir, least >> 20);
}
