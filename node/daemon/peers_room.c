/* What the peers' thread watches of the disk: with little room left its peers' people and bulk wait, and whoever reads
 * an old snapshot for long keeps room from being used again. */
#include "node/daemon/peers_private.h"

#include "node/log/log.h"

#include <inttypes.h>

void peers_room_open(struct hs_peers *peers)
{
    const struct hs_conf *conf = peers->options.conf;
    peers->disk = (struct hs_disk){.dir = conf->node.data,
                                   .store = peers->options.store,
                                   .reserve_bytes = (uint64_t)conf->limits.disk_reserve_mib << 20};
}

static void tell_room(const struct hs_disk *disk)
{
    static const struct {
        enum hs_log_level level;
        const char *text;
    } TOLD[] = {
        [HS_DISK_PLENTY] = {HS_LOG_INFO, "everything is taken again"},
        [HS_DISK_LOW] = {HS_LOG_WARN, "people and bulk wait, from clients and from peers"},
        [HS_DISK_SCARCE] = {HS_LOG_ERROR, "only money and work are taken"},
        [HS_DISK_FULL] = {HS_LOG_ERROR, "nothing is taken from clients any more; reads go on"},
    };
    HS_LOG_AT(TOLD[disk->level].level, HS_EV_ROOM, HS_WORD("room", hs_disk_level_text(disk->level)),
              HS_NUMBER("free_mib", disk->free_bytes >> 20), HS_NUMBER("map_mib", disk->map_bytes >> 20),
              HS_PROSE("text", TOLD[disk->level].text));
}

static void watch_readers(struct hs_peers *peers, uint64_t now_ms)
{
    bool is_news;
    enum hs_err err = hs_readers_look(&peers->readers, peers->options.store, now_ms, &is_news);
    if (err != HS_OK) /* nobody waits for it: the next look tells */
        HS_LOG(READERS_UNKNOWN, HS_WORD("reason", hs_err_name(err)));
    else if (is_news && peers->readers.is_long)
        HS_LOG(LONG_READER, HS_PROSE("text", peers->readers.text));
    else if (is_news)
        HS_LOG(LONG_READER_GONE, HS_PROSE("text", "freed pages are used again"));
}

#define GROWTH_EVERY_MS 60000

static void watch_growth(struct hs_peers *peers, uint64_t now_ms)
{
    if (now_ms < peers->growth_ms)
        return;
    uint64_t bytes = peers_store_bytes(peers);
    if (bytes != 0)
        hs_growth_note(&peers->growth, now_ms, bytes, hs_replica_is_filling(peers->replica));
    peers->growth_ms = now_ms + GROWTH_EVERY_MS;
}

/* Payments are taken down to a quarter of the reserve. */
bool peers_disk_days(const struct hs_peers *peers, double *days)
{
    const struct hs_disk *disk = &peers->disk;
    uint64_t room = disk->free_bytes < disk->map_bytes ? disk->free_bytes : disk->map_bytes;
    uint64_t kept = disk->reserve_bytes / 4;
    return hs_growth_days(&peers->growth, room > kept ? room - kept : 0, days);
}

enum hs_err peers_room_watch(struct hs_peers *peers, uint64_t now_ms)
{
    watch_readers(peers, now_ms);
    watch_growth(peers, now_ms);
    if (!hs_disk_look(&peers->disk, now_ms))
        return HS_OK;
    tell_room(&peers->disk);
    return peers_hold(peers, hs_disk_held_lanes(peers->disk.level));
}
