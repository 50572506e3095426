/* What other threads may know of the sessions: packed by the peers' thread a few times a second, copied out under the
 * lock. */
#include "node/daemon/peers_private.h"

#include "node/status/spread.h"
#include "proto/local.pb-c.h"
#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PUBLISH_MS     100
#define PUBLISH_SHARE  50 /* of the thread's time a fiftieth at most: a hub has a thousand sessions to look through */
#define PEERS_SHOWN    4096
#define WITHHELD_SHOWN 256
#define STOPPED_SHOWN  256

/* What a peer's message points into. */
struct shown {
    Hallsync__PeerStatus status;
    Hallsync__LaneStatus lanes[HS_LANE_COUNT];
    Hallsync__LaneStatus *lane_list[HS_LANE_COUNT];
    uint32_t districts[HS_SCOPE_MAX];
    Hallsync__DifferStatus differs[HS_DIFFERS_MAX];
    Hallsync__DifferStatus *differ_list[HS_DIFFERS_MAX];
    char hashes[HS_DIFFERS_MAX][2][2 * HS_HASH_BYTES + 1];
    uint8_t keys[HS_DIFFERS_MAX][HS_RECORD_KEY_BYTES_MAX];
};

static uint64_t age_s(uint64_t since_ms, uint64_t mono)
{
    return since_ms != 0 && mono > since_ms ? (mono - since_ms) / 1000 : 0;
}

/* Some a minute: what goes more slowly is no movement to look at. */
#define MOVES_PER_S 0.05

static bool moves(const Hallsync__LaneStatus *lane)
{
    return lane->out_ops_per_s >= MOVES_PER_S || lane->in_ops_per_s >= MOVES_PER_S;
}

/* About, by the mean of what was moved of the lane; of one of which nothing was moved yet nobody knows. */
static void fill_sizes(struct shown *to, Hallsync__LaneStatus *row, uint64_t op_bytes)
{
    row->has_out_bytes = row->has_in_bytes = op_bytes != 0;
    row->out_bytes = row->out_ops * op_bytes;
    row->in_bytes = row->in_ops * op_bytes;
    to->status.has_lag_out_bytes = to->status.has_lag_out_bytes && (op_bytes != 0 || row->out_ops == 0);
    to->status.has_lag_in_bytes = to->status.has_lag_in_bytes && (op_bytes != 0 || row->in_ops == 0);
    to->status.lag_out_bytes += row->out_bytes;
    to->status.lag_in_bytes += row->in_bytes;
}

static void fill_lanes(struct shown *to, const struct hs_peer_status *from, const struct pace *pace, uint64_t mono)
{
    to->status.has_lag_out_bytes = to->status.has_lag_in_bytes = to->status.has_lag_in_seconds = true;
    for (size_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++) {
        Hallsync__LaneStatus *row = &to->lanes[to->status.n_lanes];
        hallsync__lane_status__init(row);
        row->has_out_ops_per_s = pace_rate(pace, PACE_OUT_OPS + (enum pace_count)lane, &row->out_ops_per_s);
        row->has_in_ops_per_s = pace_rate(pace, PACE_IN_OPS + (enum pace_count)lane, &row->in_ops_per_s);
        if (from->lanes[lane].out_ops == 0 && from->lanes[lane].in_ops == 0 && !moves(row))
            continue;
        row->lane = (char *)hs_lane_text((enum hs_lane)lane);
        row->out_ops = from->lanes[lane].out_ops;
        row->out_seconds = age_s(from->lanes[lane].oldest_unsent_ms, mono);
        row->in_ops = from->lanes[lane].in_ops;
        fill_sizes(to, row, from->lanes[lane].op_bytes);
        row->has_in_seconds = true;
        row->in_seconds = age_s(from->lanes[lane].oldest_awaited_ms, mono);
        if (row->in_seconds > to->status.lag_in_seconds)
            to->status.lag_in_seconds = row->in_seconds;
        to->lane_list[to->status.n_lanes++] = row;
    }
    to->status.lanes = to->lane_list;
}

static void fill_states(Hallsync__PeerStatus *to, const struct hs_peer_status *from)
{
    to->has_filling = from->filling != 0;
    to->filling = (uint32_t)from->filling;
    to->has_being_filled = from->being_filled != 0;
    to->being_filled = (uint32_t)from->being_filled;
    to->has_supplying = to->has_supplied_records = to->has_supplied_total = from->supplying != 0;
    to->supplying = (uint32_t)from->supplying;
    to->supplied_records = from->supplied_records;
    to->supplied_total = from->supplied_total;
}

static const char *comparison_text(enum hs_comparison comparison)
{
    static const char *const TEXTS[] = {[HS_COMPARED_NOT] = NULL,
                                        [HS_COMPARED_EQUAL] = "equal",
                                        [HS_COMPARED_LAG] = "lag",
                                        [HS_COMPARED_DAMAGE] = "damage"};
    return TEXTS[comparison];
}

static const char *waits_text(enum hs_waits waits)
{
    static const char *const TEXTS[] = {
        [HS_WAITS_NOT] = NULL, [HS_WAITS_LINE] = "line", [HS_WAITS_CREDIT] = "credit", [HS_WAITS_LIMIT] = "limit"};
    return TEXTS[waits];
}

static void fill_figures(Hallsync__PeerStatus *to, const struct hs_peer_status *from, uint64_t mono)
{
    to->has_lag_out_ops = to->has_lag_in_ops = to->has_lag_out_seconds = to->has_clock_offset_ms =
        to->has_round_trip_ms = true;
    to->has_sent_ops = to->has_received_ops = to->has_sent_bytes = to->has_received_bytes = true;
    to->lag_out_ops = from->lag_out_ops;
    to->lag_in_ops = from->lag_in_ops;
    to->lag_out_seconds = age_s(from->oldest_unsent_ms, mono);
    to->clock_offset_ms = from->clock_offset_ms;
    to->round_trip_ms = from->round_trip_ms;
    to->has_equal_as_of_ms = from->equal_ms != 0;
    to->equal_as_of_ms = from->equal_ms;
    to->has_compared = from->comparison != HS_COMPARED_NOT;
    to->compared = from->compared;
    to->comparison = (char *)comparison_text(from->comparison);
    to->sent_ops = from->sent_ops;
    to->received_ops = from->received_ops;
    to->sent_bytes = from->sent_bytes;
    to->received_bytes = from->received_bytes;
    to->has_unsigned_ops = from->live && from->certificate.role != HS_ROLE_HALL;
    to->unsigned_ops = from->unsigned_ops;
    to->has_rate_max = from->rate_max != 0;
    to->rate_max = from->rate_max;
    to->has_held = to->held = from->held_lanes != 0;
    to->waits_for = (char *)waits_text(from->waits);
    to->has_disputed = from->disputed != 0;
    to->disputed = (uint32_t)from->disputed;
    to->has_own_payments = to->has_own_fen = from->own_known;
    to->own_payments = from->own_payments;
    to->own_fen = from->own_fen;
}

static void fill_differs(struct shown *to, const struct hs_peer_status *from)
{
    for (size_t i = 0; i < from->differ_count; i++) {
        const struct hs_differ *differ = &from->differs[i];
        Hallsync__DifferStatus *row = &to->differs[i];
        hallsync__differ_status__init(row);
        hs_text_to_hex(HS_BYTES(differ->here.bytes, HS_HASH_BYTES), to->hashes[i][0]);
        hs_text_to_hex(HS_BYTES(differ->there.bytes, HS_HASH_BYTES), to->hashes[i][1]);
        row->partition = differ->name.partition;
        row->kind = differ->name.kind;
        row->record_id = (ProtobufCBinaryData){differ->name.id.size, (uint8_t *)differ->name.id.data};
        row->here = to->hashes[i][0];
        row->there = to->hashes[i][1];
        row->has_key = true;
        row->key = (ProtobufCBinaryData){hs_record_key(&differ->name, to->keys[i]), to->keys[i]};
        to->differ_list[to->status.n_differs++] = row;
    }
    to->status.differs = to->differ_list;
}

/* It has not caught up by now; and of what comes as states without a total nobody knows when it will have come. */
static bool is_countable(const struct hs_peer_status *from)
{
    bool lags = from->lag_out_ops != 0 || from->lag_in_ops != 0 || from->supplying != 0;
    return lags && from->filling == 0 && (from->supplying == 0 || from->supplied_total != 0);
}

static void fill_pace(Hallsync__PeerStatus *to, const struct hs_peer_status *from, const struct pace *pace,
                      uint64_t wall)
{
    double lane_per_s;
    uint64_t left_ms;
    for (int lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++) {
        to->has_out_ops_per_s = pace_rate(pace, PACE_OUT_OPS + (enum pace_count)lane, &lane_per_s);
        to->out_ops_per_s += lane_per_s;
        to->has_in_ops_per_s = pace_rate(pace, PACE_IN_OPS + (enum pace_count)lane, &lane_per_s);
        to->in_ops_per_s += lane_per_s;
    }
    to->has_out_bytes_per_s = pace_rate(pace, PACE_OUT_BYTES, &to->out_bytes_per_s);
    to->has_in_bytes_per_s = pace_rate(pace, PACE_IN_BYTES, &to->in_bytes_per_s);
    to->has_caught_up_ms = is_countable(from) && pace_left_ms(pace, &left_ms);
    to->caught_up_ms = to->has_caught_up_ms ? wall + left_ms : 0;
}

static void fill_live(struct shown *to, const struct hs_peer_status *from, const struct pace *pace, uint64_t mono,
                      uint64_t wall)
{
    Hallsync__PeerStatus *status = &to->status;
    hallsync__peer_status__init(status);
    status->node_id = (char *)from->certificate.node_id;
    status->role = (char *)(from->live ? hs_role_text(from->certificate.role) : "");
    status->state = (char *)hs_standing_text(from->live ? HS_STANDING_LIVE : HS_STANDING_HELLO);
    status->has_since_ms = from->live;
    status->since_ms = from->live ? peers_wall_ms(from->live_since_ms) : 0;
    fill_figures(status, from, mono);
    fill_states(status, from);
    fill_lanes(to, from, pace, mono);
    fill_pace(status, from, pace, wall);
    fill_differs(to, from);
    status->districts = to->districts;
    for (size_t i = 0; i < from->district_count; i++)
        to->districts[status->n_districts++] = from->districts[i];
}

/* StatusReply.counters: a partial message, as the peers'. */
void hs_peers_put_counter(struct hs_buf *buf, const char *name, uint64_t value)
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

/* ---- how far a hub is that may have lost something ---- */

enum { STATUS_REBUILDING = 28 }; /* of StatusReply */

/* Records stay counted when what brought them has ended: else the share would fall then. */
static enum hs_err add_records(void *ctx, const struct hs_digest *digest)
{
    Hallsync__RebuildStatus *rebuild = ctx;
    rebuild->held += digest->count;
    rebuild->named += digest->count;
    return HS_OK;
}

static enum hs_err add_fill(void *ctx, const struct hs_fill *fill)
{
    Hallsync__RebuildStatus *rebuild = ctx;
    rebuild->named += fill->total > fill->records ? fill->total - fill->records : 0;
    return HS_OK;
}

static void put_rebuild(struct hs_peers *peers, struct hs_buf *buf)
{
    struct hs_replica_source source = peers_source(peers);
    Hallsync__RebuildStatus rebuild = HALLSYNC__REBUILD_STATUS__INIT;
    struct hs_buf inner = {0};
    if (!hs_replica_progress(peers->replica, &rebuild.held, &rebuild.named) ||
        source.fills(source.ctx, add_fill, &rebuild) != HS_OK || rebuild.held >= rebuild.named ||
        source.digests(source.ctx, add_records, &rebuild) != HS_OK)
        return;
    rebuild.percent = (uint32_t)(rebuild.held * 100 / rebuild.named);
    hs_msg_pack(&rebuild.base, &inner);
    hs_buf_put_varint(buf, 41u << 3 | 2); /* StatusReply.rebuild */
    hs_buf_put_sized(buf, hs_buf_bytes(&inner));
    if (inner.err != HS_OK && buf->err == HS_OK)
        buf->err = inner.err;
    hs_buf_fini(&inner);
}

/* In the time of day, as the clock stands now. */
static void put_rebuilding(const struct hs_peers *peers, struct hs_buf *buf)
{
    uint64_t until_ms = hs_replica_rebuilding(peers->replica), mono = hs_link_now_ms();
    if (until_ms > mono)
        hs_tlv_put_u64(buf, STATUS_REBUILDING, peers_wall_ms(until_ms));
}

/* And keep it, for when it is away. */
static void put_said(struct hs_peers *peers, const struct hs_peer_status *from, const struct hs_known *known,
                     uint64_t mono, Hallsync__PeerStatus *to)
{
    const struct hs_key *key = &from->certificate.node_key;
    peers_seen_note(peers, key, mono);
    peers_seen_said(peers, key, &from->figures, from->software);
    to->has_seen_ms = to->has_certificate_ms = true;
    to->seen_ms = peers_wall_ms(mono);
    to->certificate_ms = from->certificate.issued_ms;
    peers_fill_keys(to, known, key);
    if (known != NULL && hs_roll_find(&known->roll, key) == NULL)
        hs_surveyor_want(peers->options.surveyor);
    peers_fill_said(to, &from->figures, from->software);
}

/* Of one that fails now so, now so, "since" is new each time. */
static void fill_seen(const struct upstream *upstream, Hallsync__PeerStatus *to)
{
    to->has_seen_ms = upstream->seen_ms != 0;
    to->seen_ms = to->has_seen_ms ? peers_wall_ms(upstream->seen_ms) : 0;
}

static void put_live(struct hs_peers *peers, struct hs_buf *buf)
{
    static struct hs_peer_status shown[PEERS_SHOWN]; /* one peers' thread a process */
    size_t count = hs_replica_peers(peers->replica, shown, PEERS_SHOWN);
    uint64_t mono = hs_link_now_ms(), wall = hs_now_ms(), most = 0;
    struct hs_known *known = peers->options.surveyor != NULL ? hs_surveyor_known(peers->options.surveyor) : NULL;
    peers_seen_begin(peers);
    peers_pace_look(peers, shown, count, mono);
    for (size_t i = 0; i < count; i++) {
        struct shown peer;
        struct upstream *upstream = peers_upstream_of(peers, shown[i].peer);
        fill_live(&peer, &shown[i], peers_pace_of(peers, shown[i].peer), mono, wall);
        peer.status.address = (char *)hs_link_peer_address(peers->link, shown[i].peer);
        if (upstream != NULL) {
            upstream->seen_ms = shown[i].live ? mono : upstream->seen_ms;
            fill_seen(upstream, &peer.status);
            peers_upstream_tell(upstream, shown[i].live, &peer.status);
        }
        if (shown[i].live)
            put_said(peers, &shown[i], known, mono, &peer.status);
        peers_put_peer(buf, &peer.status);
        most = shown[i].memory_bytes > most ? shown[i].memory_bytes : most;
    }
    hs_known_release(known);
    peers_clock_look(peers, shown, count);
    put_rebuilding(peers, buf);
    put_rebuild(peers, buf);
    hs_peers_put_counter(buf, "session-bytes-max", most); /* memory that the largest session holds */
    peers_upstreams_seen(peers, shown, count);
}

/* Of a group in which another one is connected. */
static bool stands_by(const struct hs_peers *peers, const struct upstream *upstream)
{
    bool other = false;
    for (size_t i = 0; i < peers->upstream_count; i++)
        other = other || (peers->upstreams[i].peer != 0 &&
                          peers->upstreams[i].conf->group_number == upstream->conf->group_number);
    return other && (upstream->phase == UPSTREAM_UNTRIED || upstream->phase == UPSTREAM_LIVE);
}

static const char *state_of(const struct hs_peers *peers, const struct upstream *upstream)
{
    static const enum hs_peer_standing STANDINGS[] = {
#define X(id, standing) [UPSTREAM_##id] = HS_STANDING_##standing,
        UPSTREAM_PHASES(X)
#undef X
    };
    return hs_standing_text(stands_by(peers, upstream) ? HS_STANDING_STANDBY : STANDINGS[upstream->phase]);
}

static void put_upstreams(struct hs_peers *peers, struct hs_buf *buf)
{
    peers->shown_upstream_count = 0;
    for (size_t i = 0; i < peers->upstream_count; i++) {
        const struct upstream *upstream = &peers->upstreams[i];
        if (upstream->peer != 0)
            continue; /* shown among the sessions */
        Hallsync__PeerStatus peer = HALLSYNC__PEER_STATUS__INIT;
        peer.node_id = (char *)upstream->node_id;
        peer.role = (char *)(upstream->role != 0 ? hs_role_text(upstream->role) : "");
        peer.address = upstream->conf->address;
        peer.group = upstream->conf->group;
        peer.state = (char *)state_of(peers, upstream);
        peer.why = upstream->text[0] != '\0' ? (char *)upstream->text : NULL;
        peer.reason = upstream->reason != HS_REASON_NONE ? (char *)hs_reason_text(upstream->reason) : NULL;
        peer.has_since_ms = upstream->since_ms != 0;
        peer.since_ms = upstream->since_ms != 0 ? peers_wall_ms(upstream->since_ms) : 0;
        fill_seen(upstream, &peer);
        peers_put_peer(buf, &peer);
        if (upstream->node_id[0] != '\0')
            snprintf(peers->shown_upstreams[peers->shown_upstream_count++], HS_NODE_ID_BYTES_MAX + 1, "%s",
                     upstream->node_id);
    }
}

void hs_peers_put_problem(struct hs_buf *partial, const char *text)
{
    hs_buf_put_varint(partial, 21u << 3 | 2);
    hs_buf_put_sized(partial, HS_BYTES(text, strlen(text)));
}

static void put_problems(const struct hs_peers *peers, struct hs_buf *buf)
{
    char text[HS_WHY_BYTES];
    if (peers->readers.is_long)
        hs_peers_put_problem(buf, peers->readers.text);
    if (peers->clocks[0] != '\0')
        hs_peers_put_problem(buf, peers->clocks);
    for (size_t i = 0; i < peers->upstream_count; i++) {
        const struct upstream *upstream = &peers->upstreams[i];
        if (upstream->phase == UPSTREAM_OWN) {
            snprintf(text, sizeof text, "upstreams: %s: %.200s", upstream->conf->address, upstream->text);
            hs_peers_put_problem(buf, text);
        }
        if (upstream->mixed) {
            snprintf(text, sizeof text,
                     "upstreams: group %s has hubs and witnesses: put %s into a group of its own, so that both are "
                     "connected",
                     upstream->conf->group, upstream->conf->address);
            hs_peers_put_problem(buf, text);
        }
    }
}

/* ---- revoked keys ---- */

enum {
    STATUS_WITHHELD = 51,
    STATUS_ADMITTING = 52,
    STATUS_ADMITS = 53,
    STATUS_STOPPED = 60,
    STATUS_DISK_DAYS = 71
};                                                           /* of StatusReply */
enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_ID = 1 }; /* of Certificate, Signed, NodeBody */

static void name_of(struct hs_peers *peers, const struct hs_key *key, char to[static HS_NODE_ID_BYTES_MAX + 1])
{
    struct hs_buf certificate = {0};
    to[0] = '\0';
    if (peers_certificate(peers, key, &certificate) == HS_OK) {
        struct hs_bytes body = hs_tlv_bytes(hs_tlv_bytes(hs_buf_bytes(&certificate), CERTIFICATE_NODE), SIGNED_BODY);
        struct hs_bytes id = hs_tlv_bytes(body, NODE_ID);
        snprintf(to, HS_NODE_ID_BYTES_MAX + 1, "%.*s", (int)id.size, (const char *)id.data);
    }
    hs_buf_fini(&certificate);
}

static void put_withheld(struct hs_peers *peers, const struct hs_waiting *waiting, struct hs_buf *buf)
{
    Hallsync__WithheldStatus row = HALLSYNC__WITHHELD_STATUS__INIT;
    char node[HS_NODE_ID_BYTES_MAX + 1], holder[HS_NODE_ID_BYTES_MAX + 1];
    char key[2 * HS_KEY_BYTES + 1], origin[17];
    struct hs_buf inner = {0};
    name_of(peers, &waiting->node_key, node);
    name_of(peers, &waiting->holder, holder);
    hs_text_to_hex(HS_BYTES(waiting->node_key.bytes, HS_KEY_BYTES), key);
    snprintf(origin, sizeof origin, "%016" PRIx64, waiting->stream.origin);
    row.node_id = node;
    row.holder = holder[0] != '\0' ? holder : NULL;
    row.key = key;
    row.origin = origin;
    row.partition = waiting->stream.partition;
    row.lane = (char *)hs_lane_text((enum hs_lane)waiting->stream.lane);
    row.behind = waiting->behind;
    row.last = waiting->n;
    row.hash = (ProtobufCBinaryData){HS_HASH_BYTES, (uint8_t *)waiting->hash.bytes};
    row.payments = waiting->payments;
    row.payments_fen = waiting->fen;
    hs_msg_pack(&row.base, &inner);
    hs_tlv_put_bytes(buf, STATUS_WITHHELD, hs_buf_bytes(&inner));
    hs_buf_fini(&inner);
}

/* ---- streams that do not go on ---- */

static void put_stopped(struct hs_peers *peers, struct hs_buf *buf)
{
    static struct hs_stopped stopped[STOPPED_SHOWN]; /* as above */
    size_t count = hs_replica_stopped(peers->replica, stopped, STOPPED_SHOWN);
    for (size_t i = 0; i < count; i++) {
        Hallsync__StoppedStatus row = HALLSYNC__STOPPED_STATUS__INIT;
        char node[HS_NODE_ID_BYTES_MAX + 1];
        struct hs_buf inner = {0};
        name_of(peers, &stopped[i].node_key, node);
        row.node_id = node;
        row.origin = stopped[i].stream.origin;
        row.partition = stopped[i].stream.partition;
        row.lane = (char *)hs_lane_text((enum hs_lane)stopped[i].stream.lane);
        row.behind = stopped[i].behind;
        row.last = stopped[i].last;
        row.from = (char *)stopped[i].from;
        row.since_ms = peers_wall_ms(stopped[i].since_ms);
        hs_msg_pack(&row.base, &inner);
        hs_tlv_put_bytes(buf, STATUS_STOPPED, hs_buf_bytes(&inner));
        hs_buf_fini(&inner);
    }
}

static void put_revoked(struct hs_peers *peers, struct hs_buf *buf)
{
    static struct hs_waiting waiting[WITHHELD_SHOWN]; /* one peers' thread a process */
    uint64_t opens_ms;
    size_t count = hs_replica_waiting(peers->replica, waiting, WITHHELD_SHOWN);
    for (size_t i = 0; i < count; i++)
        put_withheld(peers, &waiting[i], buf);
    if (hs_replica_admits(peers->replica, &opens_ms))
        return;
    hs_tlv_put_u64(buf, STATUS_ADMITTING, false);
    if (opens_ms != UINT64_MAX)
        hs_tlv_put_u64(buf, STATUS_ADMITS, peers_wall_ms(opens_ms));
}

static void put_counters(struct hs_peers *peers, struct hs_buf *buf)
{
    for (int i = 0; i < HS_LINK_COUNTER_COUNT; i++) {
        enum hs_link_counter counter = (enum hs_link_counter)i;
        hs_peers_put_counter(buf, hs_link_counter_name(counter), hs_link_count(peers->link, counter));
    }
}

static void put_disk_days(const struct hs_peers *peers, struct hs_buf *buf)
{
    double days;
    uint64_t bits;
    if (!peers_disk_days(peers, &days))
        return;
    memcpy(&bits, &days, sizeof bits);
    hs_tlv_put_fixed64(buf, STATUS_DISK_DAYS, bits); /* a double, as protobuf has it */
}

static void put_ways(const struct hs_peers *peers, struct hs_buf *buf)
{
    for (int lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++)
        hs_spread_put(buf, "replication_lag", hs_lane_text((enum hs_lane)lane), &peers->ways[lane]);
}

/* By this thread alone: a picture is no older because others keep the machine busy. */
static uint64_t spent_us(void)
{
    struct timespec spent;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return (uint64_t)spent.tv_sec * 1000000 + (uint64_t)spent.tv_nsec / 1000;
}

void peers_publish(struct hs_peers *peers, bool now)
{
    uint64_t mono = hs_link_now_ms();
    if (!now && mono < peers->published_ms + peers->publish_every_ms)
        return;
    bool has_view = peers->view != NULL;
    uint64_t begun_us = spent_us();
    peers->published_ms = mono;
    pthread_mutex_lock(&peers->lock);
    hs_buf_reset(&peers->status);
    put_live(peers, &peers->status);
    put_upstreams(peers, &peers->status);
    put_problems(peers, &peers->status);
    put_revoked(peers, &peers->status);
    put_stopped(peers, &peers->status);
    peers_refused_put(peers, &peers->status);
    put_counters(peers, &peers->status);
    put_disk_days(peers, &peers->status);
    put_ways(peers, &peers->status);
    pthread_mutex_unlock(&peers->lock);
    peers->publish_every_ms = PUBLISH_MS + PUBLISH_SHARE * (spent_us() - begun_us) / 1000;
    if (!has_view) /* receipts were looked at: what is opened for that pins no pages while the thread waits */
        peers_close_view(peers);
}

void hs_peers_status(struct hs_peers *peers, struct hs_buf *partial)
{
    pthread_mutex_lock(&peers->lock);
    hs_buf_put_bytes(partial, hs_buf_bytes(&peers->status));
    pthread_mutex_unlock(&peers->lock);
}
