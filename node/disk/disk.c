#include "node/disk/disk.h"

#include <inttypes.h>
#include <sys/statvfs.h>

const char *hs_disk_level_text(enum hs_disk_level level)
{
    static const char *const TEXTS[] = {
        [HS_DISK_PLENTY] = "plenty", [HS_DISK_LOW] = "low", [HS_DISK_SCARCE] = "scarce", [HS_DISK_FULL] = "full"};
    return TEXTS[level];
}

uint32_t hs_disk_held_lanes(enum hs_disk_level level)
{
    return level == HS_DISK_PLENTY ? 0 : 1U << HS_LANE_PEOPLE | 1U << HS_LANE_BULK;
}

static uint64_t needed(uint64_t reserve, enum hs_disk_level level)
{
    switch (level) {
    case HS_DISK_PLENTY:
        return reserve < UINT64_MAX / 4 ? 2 * reserve : UINT64_MAX / 2;
    case HS_DISK_LOW:
        return reserve;
    case HS_DISK_SCARCE:
        return reserve / 4;
    case HS_DISK_FULL:
        break;
    }
    return 0;
}

static uint64_t room(const struct hs_disk *disk)
{
    return disk->free_bytes < disk->map_bytes ? disk->free_bytes : disk->map_bytes;
}

static enum hs_disk_level level_of(const struct hs_disk *disk)
{
    enum hs_disk_level level = HS_DISK_PLENTY;
    while (level < HS_DISK_FULL && room(disk) < needed(disk->reserve_bytes, level))
        level++;
    return level;
}

bool hs_disk_look(struct hs_disk *disk, uint64_t now_ms)
{
    struct statvfs fs;
    if (now_ms < disk->look_ms)
        return false;
    disk->look_ms = now_ms + HS_DISK_LOOK_MS;
    disk->free_bytes = statvfs(disk->dir, &fs) == 0 ? (uint64_t)fs.f_bavail * fs.f_frsize : UINT64_MAX;
    disk->map_bytes = disk->store == NULL ? UINT64_MAX : hs_store_map_left(disk->store);
    enum hs_disk_level level = level_of(disk);
    while (level < disk->level && room(disk) < needed(disk->reserve_bytes, level) + disk->reserve_bytes / 8)
        level++;
    bool is_other = level != disk->level;
    disk->level = level;
    return is_other;
}

enum hs_err hs_disk_check(const struct hs_disk *disk, unsigned lane, struct hs_why *why)
{
    bool urgent = lane == HS_LANE_MONEY || lane == HS_LANE_WORK;
    bool patient = lane == HS_LANE_PEOPLE || lane == HS_LANE_BULK;
    uint64_t least = needed(disk->reserve_bytes, urgent ? HS_DISK_SCARCE : patient ? HS_DISK_PLENTY : HS_DISK_LOW);
    if (room(disk) >= least)
        return HS_OK;
    if (disk->map_bytes < disk->free_bytes)
        return hs_fail(HS_EFULL, why,
                       "%" PRIu64 " MiB are left of the room of the store in %s; such writes need %" PRIu64 " MiB",
                       disk->map_bytes >> 20, disk->dir, least >> 20);
    return hs_fail(HS_EFULL, why, "%" PRIu64 " MiB are free on the disk of %s; such writes need %" PRIu64 " MiB",
                   disk->free_bytes >> 20, disk->dir, least >> 20);
}
