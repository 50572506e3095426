/* Nodes of the registry that are not connected, and what the others say of themselves. */
#include "node/daemon/peers_private.h"

#include "proto/base/standing.h"
#include "proto/msg/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_PEERS = 9 }; /* of StatusReply */

void peers_put_peer(struct hs_buf *buf, const Hallsync__PeerStatus *peer)
{
    struct hs_buf inner = {0};
    hs_msg_pack(&peer->base, &inner);
    hs_buf_put_varint(buf, STATUS_PEERS << 3 | 2); /* a partial message, merged by the service */
    hs_buf_put_sized(buf, hs_buf_bytes(&inner));
    hs_buf_fini(&inner);
}

void peers_fill_said(Hallsync__PeerStatus *to, const struct hs_figures *figures, const char *software)
{
    static const char OURS[] = "hallsync ";
    bool ours = strncmp(software, OURS, sizeof OURS - 1) == 0;
    to->version = software[0] != '\0' ? (char *)software + (ours ? sizeof OURS - 1 : 0) : NULL;
    if (figures->heard_ms == 0)
        return;
    to->has_self_ms = to->has_disk_free_bytes = to->has_store_bytes = to->has_conflicts = to->has_parked =
        to->has_problems = true;
    to->self_ms = figures->heard_ms;
    to->disk_free_bytes = figures->disk_free_bytes;
    to->store_bytes = figures->store_bytes;
    to->has_backup_ms = figures->backup_ms != 0;
    to->backup_ms = figures->backup_ms;
    to->conflicts = figures->conflicts;
    to->parked = figures->parked;
    to->problems = figures->problems;
    to->disk_level = (char *)hs_disk_level_text((enum hs_disk_level)figures->disk_level);
    to->has_disk_days = figures->has_disk_hours;
    to->disk_days = figures->disk_hours / 24.0;
}

void peers_fill_keys(Hallsync__PeerStatus *to, const struct hs_known *known, const struct hs_key *key)
{
    const struct hs_enrolled *row = known == NULL ? NULL : hs_roll_find(&known->roll, key);
    to->has_key_ms = row != NULL || to->has_certificate_ms;
    to->key_ms = row != NULL ? row->key_ms : to->certificate_ms;
}

/* ---- who is away ---- */

struct region {
    struct seen *seen; /* a copy: nobody waits while it is told */
    size_t seen_count;
    char upstreams[HS_CONF_UPSTREAMS_MAX][HS_NODE_ID_BYTES_MAX + 1]; /* shown by their own state */
    size_t upstream_count;
};

static void copy_region(const struct hs_peers *peers, struct region *region)
{
    region->seen_count = peers->seen_count;
    region->seen = malloc((peers->seen_count + 1) * sizeof *region->seen);
    if (region->seen != NULL && peers->seen_count > 0)
        memcpy(region->seen, peers->seen, peers->seen_count * sizeof *region->seen);
    memcpy(region->upstreams, peers->shown_upstreams, sizeof region->upstreams);
    region->upstream_count = peers->shown_upstream_count;
}

/* As of what is published, which is put before it.  NULL: out of memory; then only that. */
static struct region *put_published(struct hs_peers *peers, struct hs_buf *partial)
{
    struct region *region = calloc(1, sizeof *region);
    pthread_mutex_lock(&peers->lock);
    hs_buf_put_bytes(partial, hs_buf_bytes(&peers->status));
    if (region != NULL)
        copy_region(peers, region);
    pthread_mutex_unlock(&peers->lock);
    if (region != NULL && region->seen == NULL) {
        free(region);
        return NULL;
    }
    return region;
}

static int compare_seen(const void *key, const void *seen)
{
    return memcmp(((const struct hs_key *)key)->bytes, ((const struct seen *)seen)->node_key.bytes, HS_KEY_BYTES);
}

static const struct seen *find_seen(const struct region *region, const struct hs_key *key)
{
    return bsearch(key, region->seen, region->seen_count, sizeof *region->seen, compare_seen);
}

static bool is_upstream(const struct region *region, const char *node_id)
{
    for (size_t i = 0; i < region->upstream_count; i++) {
        if (strcmp(region->upstreams[i], node_id) == 0)
            return true;
    }
    return false;
}

/* By one of its keys, if it was made anew. */
static void find_live(const struct region *region, const struct hs_roll *roll, bool *live)
{
    for (size_t i = 0; i < roll->count; i++) {
        const struct seen *seen = find_seen(region, &roll->rows[i].key);
        live[roll->rows[i].newest] = live[roll->rows[i].newest] || (seen != NULL && seen->shown);
    }
}

static void put_away(const struct region *region, const struct hs_enrolled *row, struct hs_buf *partial)
{
    const struct seen *seen = find_seen(region, &row->key);
    Hallsync__PeerStatus peer = HALLSYNC__PEER_STATUS__INIT;
    uint32_t districts[HS_SCOPE_MAX];
    char why[HS_WHY_BYTES];
    peer.node_id = (char *)row->node_id;
    peer.role = (char *)hs_role_text(row->role);
    peer.state = (char *)hs_standing_text(HS_STANDING_AWAY);
    peer.districts = districts;
    for (size_t i = 0; i < row->district_count && i < HS_SCOPE_MAX; i++)
        districts[peer.n_districts++] = row->districts[i];
    peer.has_certificate_ms = peer.has_key_ms = true;
    peer.certificate_ms = row->issued_ms;
    peer.key_ms = row->key_ms;
    if (row->revoked != NULL) {
        snprintf(why, sizeof why, "its key was revoked: %s", row->revoked);
        peer.why = why;
        peer.reason = (char *)hs_reason_text(HS_REASON_REVOKED);
    } else if (seen == NULL) {
        peer.why = (char *)"not seen since this node started";
    }
    if (seen != NULL) {
        peer.has_seen_ms = peer.has_since_ms = true;
        peer.seen_ms = peer.since_ms = peers_wall_ms(seen->last_ms);
        peers_fill_said(&peer, &seen->figures, seen->version);
    }
    peers_put_peer(partial, &peer);
}

void hs_peers_region(struct hs_peers *peers, struct hs_buf *partial)
{
    const struct hs_certificate *own = hs_store_certificate(peers->options.store);
    struct hs_known *known = peers->options.surveyor != NULL ? hs_surveyor_known(peers->options.surveyor) : NULL;
    struct region *region = put_published(peers, partial);
    bool *live = calloc(known != NULL ? known->roll.count + 1 : 1, sizeof *live);
    if (known != NULL && own->role == HS_ROLE_HUB && region != NULL && live != NULL) {
        find_live(region, &known->roll, live);
        for (size_t i = 0; i < known->roll.count; i++) {
            const struct hs_enrolled *row = &known->roll.rows[i];
            if (row->newest == i && !live[i] && strcmp(row->node_id, own->node_id) != 0 &&
                !is_upstream(region, row->node_id))
                put_away(region, row, partial);
        }
    }
    if (region != NULL)
        free(region->seen);
    free(region);
    free(live);
    hs_known_release(known);
}

/* ---- what this node says of itself ---- */

void hs_peers_say(struct hs_peers *peers, const struct hs_figures *figures)
{
    pthread_mutex_lock(&peers->lock);
    peers->own = *figures;
    peers->has_own = true;
    pthread_mutex_unlock(&peers->lock);
}
