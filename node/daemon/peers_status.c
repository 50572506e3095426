/* What other threads may know of the sessions: packed by the peers' thread a few times a second, copied out under the
 * lock. */
#include "node/daemon/peers_private.h"

#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PUBLISH_MS  100
#define PEERS_SHOWN 4096

static uint64_t wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct upstream_state *upstream_at(struct hs_peers *peers, const char *address)
{
    for (size_t i = 0; i < peers->upstream_count; i++) {
        if (strcmp(peers->upstreams[i].address, address) == 0)
            return &peers->upstreams[i];
    }
    return NULL;
}

static struct upstream_state *upstream_of(struct hs_peers *peers, hs_peer peer)
{
    for (size_t i = 0; peer != 0 && i < peers->upstream_count; i++) {
        if (peers->upstreams[i].peer == peer)
            return &peers->upstreams[i];
    }
    return NULL;
}

static void set_state(struct hs_peers *peers, struct upstream_state *state, enum hs_err err, const char *text)
{
    if (state == NULL)
        return;
    if (state->err != err || state->since_ms == 0)
        state->since_ms = wall_ms();
    state->err = err;
    snprintf(state->text, sizeof state->text, "%s", text != NULL ? text : "");
    peers->published_ms = 0;
}

void peers_upstream_up(struct hs_peers *peers, const char *address, hs_peer peer)
{
    struct upstream_state *state = upstream_at(peers, address);
    set_state(peers, state, HS_OK, "connected");
    if (state != NULL)
        state->peer = peer;
}

void peers_upstream_down(struct hs_peers *peers, const char *address, enum hs_err err, const char *text)
{
    struct upstream_state *state = upstream_at(peers, address);
    /* that the line is down again must not cover why the last session was refused */
    bool refused = state != NULL && (state->err == HS_EREFUSED || state->err == HS_ECERT || state->err == HS_EREGION);
    if (!refused)
        set_state(peers, state, err, text);
    if (state != NULL)
        state->peer = 0;
    peers->published_ms = 0;
}

void peers_upstream_session(struct hs_peers *peers, hs_peer peer, enum hs_err err, const char *text)
{
    set_state(peers, upstream_of(peers, peer), err, text);
}

void peers_upstream_gone(struct hs_peers *peers, hs_peer peer)
{
    struct upstream_state *state = upstream_of(peers, peer);
    if (state != NULL)
        state->peer = 0;
    peers->published_ms = 0;
}

static void fill_live(Hallsync__PeerStatus *to, const struct hs_peer_status *from, uint64_t mono, uint64_t wall)
{
    to->node_id = (char *)from->certificate.node_id;
    to->role = (char *)(from->live ? hs_role_text(from->certificate.role) : "");
    to->state = (char *)(from->live ? "live" : "hello");
    to->has_since_ms = from->live;
    to->since_ms = wall - (mono - from->live_since_ms);
    to->has_lag_out_ops = to->has_lag_in_ops = to->has_lag_out_seconds = to->has_clock_offset_ms =
        to->has_round_trip_ms = true;
    to->has_sent_ops = to->has_received_ops = true;
    to->lag_out_ops = from->lag_out_ops;
    to->lag_in_ops = from->lag_in_ops;
    to->lag_out_seconds = from->oldest_unsent_ms != 0 && mono > from->oldest_unsent_ms
                              ? (mono - from->oldest_unsent_ms) / 1000
                              : 0;
    to->clock_offset_ms = from->clock_offset_ms;
    to->round_trip_ms = from->round_trip_ms;
    to->has_equal_as_of_ms = from->equal_ms != 0;
    to->equal_as_of_ms = from->equal_ms;
    to->sent_ops = from->sent_ops;
    to->received_ops = from->received_ops;
}

static const char *address_of(const struct hs_peers *peers, hs_peer peer)
{
    for (size_t i = 0; i < peers->upstream_count; i++) {
        if (peers->upstreams[i].peer == peer)
            return peers->upstreams[i].address;
    }
    return NULL;
}

static void put_peer(struct hs_buf *buf, Hallsync__PeerStatus *peer)
{
    struct hs_buf inner = {0};
    hs_msg_pack(&peer->base, &inner);
    hs_buf_put_varint(buf, 9u << 3 | 2); /* StatusReply.peers: a partial message, merged by the service */
    hs_buf_put_sized(buf, hs_buf_bytes(&inner));
    hs_buf_fini(&inner);
}

/* StatusReply.counters: a partial message, as the peers'. */
static void put_counter(struct hs_buf *buf, const char *name, uint64_t value)
{
    Hallsync__Counter counter = HALLSYNC__COUNTER__INIT;
    struct hs_buf inner = {0};
    counter.name = (char *)name;
    counter.value = value;
    hs_msg_pack(&counter.base, &inner);
    hs_buf_put_varint(buf, 18u << 3 | 2);
    hs_buf_put_sized(buf, hs_buf_bytes(&inner));
    hs_buf_fini(&inner);
}

static void put_live(struct hs_peers *peers, struct hs_buf *buf)
{
    static struct hs_peer_status shown[PEERS_SHOWN]; /* one peers' thread a process */
    size_t count = hs_replica_peers(peers->replica, shown, PEERS_SHOWN);
    uint64_t mono = hs_link_now_ms(), wall = wall_ms(), most = 0;
    for (size_t i = 0; i < count; i++) {
        Hallsync__PeerStatus peer = HALLSYNC__PEER_STATUS__INIT;
        fill_live(&peer, &shown[i], mono, wall);
        peer.address = (char *)address_of(peers, shown[i].peer);
        put_peer(buf, &peer);
        most = shown[i].memory_bytes > most ? shown[i].memory_bytes : most;
    }
    put_counter(buf, "session-bytes-max", most); /* memory that the largest session holds */
}

static void put_upstreams(struct hs_peers *peers, struct hs_buf *buf)
{
    for (size_t i = 0; i < peers->upstream_count; i++) {
        const struct upstream_state *state = &peers->upstreams[i];
        if (state->peer != 0)
            continue; /* shown among the sessions */
        Hallsync__PeerStatus peer = HALLSYNC__PEER_STATUS__INIT;
        bool refused = state->err == HS_EREFUSED || state->err == HS_ECERT || state->err == HS_EREGION;
        peer.node_id = (char *)"";
        peer.role = (char *)"hub";
        peer.address = (char *)state->address;
        peer.state = (char *)(refused ? "refused" : "down");
        peer.why = (char *)(state->text[0] != '\0' ? state->text : "not tried yet");
        peer.has_since_ms = state->since_ms != 0;
        peer.since_ms = state->since_ms;
        put_peer(buf, &peer);
    }
}

static void put_counters(struct hs_peers *peers, struct hs_buf *buf)
{
    for (int i = 0; i < HS_LINK_COUNTER_COUNT; i++) {
        enum hs_link_counter counter = (enum hs_link_counter)i;
        put_counter(buf, hs_link_counter_name(counter), hs_link_count(peers->link, counter));
    }
}

void peers_publish(struct hs_peers *peers, bool now)
{
    uint64_t mono = hs_link_now_ms();
    if (!now && mono < peers->published_ms + PUBLISH_MS)
        return;
    peers->published_ms = mono;
    pthread_mutex_lock(&peers->lock);
    hs_buf_reset(&peers->status);
    put_live(peers, &peers->status);
    put_upstreams(peers, &peers->status);
    put_counters(peers, &peers->status);
    pthread_mutex_unlock(&peers->lock);
}

void hs_peers_status(struct hs_peers *peers, struct hs_buf *partial)
{
    pthread_mutex_lock(&peers->lock);
    hs_buf_put_bytes(partial, hs_buf_bytes(&peers->status));
    pthread_mutex_unlock(&peers->lock);
}
