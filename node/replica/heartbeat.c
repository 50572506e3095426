/* Heartbeats: the end of a session is found by them, for ZeroMQ does not tell it; they carry clocks and own heads. */
#include "node/replica/core.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

enum {
    BEAT_CLOCK = 1,
    BEAT_ECHO = 2,
    BEAT_HEADS = 3,
    BEAT_COUNT = 4,
    BEAT_FEN = 5,
    BEAT_RATE_MAX = 6,
    BEAT_HELD = 7,
    BEAT_BACKUP = 8,
    BEAT_OWN_COUNT = 9,
    BEAT_OWN_FEN = 10,
    BEAT_FIGURES = 11
}; /* fields of PeerHeartbeat */

#define FIGURES_MS 30000 /* they are for people, and lines may be slow */

#define BEAT_PARTS 16

/* Own streams of the current origin that changed since the last heartbeat of this session, as far as the peer may see
 * them. */
static void put_changed_heads(struct rep_session *s, struct hs_buf *body)
{
    struct hs_replica *r = s->r;
    uint64_t current = r->source.current_origin(r->source.ctx);
    size_t count = 0;
    for (const struct rep_member *member = r->node->members; member != NULL && current != 0; member = member->of_node) {
        struct hs_stream before = {.origin = current, .partition = member->partition->id}; /* no lane is 0 */
        for (size_t i = hs_rep_stream_from(member, &before);
             i < member->count && member->streams[i]->name.origin == current && count < HS_LIST_ITEMS_MAX; i++) {
            const struct rep_stream *stream = member->streams[i];
            bool changed = stream->n > 0 && stream->changed > s->heads_told;
            if (!changed || !hs_rep_may_send(s, stream))
                continue;
            struct hs_head head = {stream->name, stream->n, stream->hash};
            hs_rep_put_head(r, body, BEAT_HEADS, &head);
            count++;
        }
    }
    s->heads_told = r->commit;
}

static void put_own_payments(struct hs_replica *r, struct hs_buf *body)
{
    uint64_t count = 0;
    int64_t sum_fen = 0;
    if (r->certificate.role != HS_ROLE_HALL || r->source.own_payments(r->source.ctx, &count, &sum_fen) != HS_OK)
        return;
    hs_tlv_put_u64(body, BEAT_OWN_COUNT, count);
    hs_tlv_put_u64(body, BEAT_OWN_FEN, (uint64_t)sum_fen);
}

/* The peer knows it from our Hello, and now that it has changed. */
static void put_backup_store(struct rep_session *s, struct hs_buf *body)
{
    struct hs_replica *r = s->r;
    if (r->certificate.role == HS_ROLE_HUB)
        r->backup_store = r->source.backup_store(r->source.ctx);
    if (r->backup_store != s->backup_told)
        hs_tlv_put_fixed64(body, BEAT_BACKUP, r->backup_store);
    s->backup_told = r->backup_store;
}

static void put_figures(struct rep_session *s, struct hs_buf *body)
{
    struct hs_replica *r = s->r;
    struct hs_figures figures;
    Hallsync__PeerFigures message = HALLSYNC__PEER_FIGURES__INIT;
    bool due = s->figures_told_ms == 0 || r->now_ms >= s->figures_told_ms + FIGURES_MS;
    if (!due || s->certificate.role != HS_ROLE_HUB || r->source.figures == NULL ||
        !r->source.figures(r->source.ctx, &figures))
        return;
    s->figures_told_ms = r->now_ms;
    message.has_disk_free_bytes = message.has_store_bytes = message.has_conflicts = message.has_parked =
        message.has_problems = message.has_disk_level = true;
    message.disk_free_bytes = figures.disk_free_bytes;
    message.store_bytes = figures.store_bytes;
    message.has_backup_ms = figures.backup_ms != 0;
    message.backup_ms = figures.backup_ms;
    message.conflicts = figures.conflicts;
    message.parked = figures.parked;
    message.problems = figures.problems;
    message.disk_level = figures.disk_level;
    message.has_disk_hours = figures.has_disk_hours;
    message.disk_hours = figures.disk_hours;
    hs_buf_reset(&r->head);
    hs_msg_pack(&message.base, &r->head);
    hs_rep_fail(r, r->head.err);
    hs_tlv_put_bytes(body, BEAT_FIGURES, hs_buf_bytes(&r->head));
}

/* What is absent is 0, and a level beyond the last one the last. */
static void take_figures(struct rep_session *s, const Hallsync__PeerFigures *figures)
{
    s->figures = (struct hs_figures){
        .heard_ms = s->r->source.clock_ms(s->r->source.ctx),
        .disk_free_bytes = figures->disk_free_bytes,
        .store_bytes = figures->store_bytes,
        .backup_ms = figures->backup_ms,
        .conflicts = figures->conflicts,
        .parked = figures->parked,
        .problems = figures->problems,
        .disk_level = figures->disk_level < HS_FIGURES_LEVEL_MAX ? figures->disk_level : HS_FIGURES_LEVEL_MAX,
        .has_disk_hours = figures->has_disk_hours,
        .disk_hours = figures->disk_hours,
    };
}

/* PROTOCOL.md, "Heartbeat": one without an echo is answered at once by one that has nothing but clock and echo. */
static void send_beat(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    struct hs_buf *body = &r->list;
    uint64_t count = 0;
    int64_t sum_fen = 0;
    hs_buf_reset(body);
    hs_tlv_put_u64(body, BEAT_CLOCK, r->source.clock_ms(r->source.ctx));
    if (r->certificate.role == HS_ROLE_WITNESS)
        hs_rep_witness_beat(s, body, BEAT_HEADS);
    else
        put_changed_heads(s, body);
    r->source.payments(r->source.ctx, &count, &sum_fen);
    hs_tlv_put_u64(body, BEAT_COUNT, count);
    hs_tlv_put_u64(body, BEAT_FEN, (uint64_t)sum_fen); /* int64: two's complement */
    put_backup_store(s, body);
    put_own_payments(r, body);
    put_figures(s, body);
    if (s->is_limit_new)
        hs_tlv_put_u64(body, BEAT_RATE_MAX, s->out.limit);
    s->is_limit_new = false;
    if (s->told_held != r->held)
        hs_tlv_put_u64(body, BEAT_HELD, r->held);
    s->told_held = r->held;
    hs_rep_fail(r, body->err);
    hs_rep_send_bytes(s, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, hs_buf_bytes(body));
}

static void send_echo(struct rep_session *s, uint64_t clock_ms)
{
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    beat.clock_ms = s->r->source.clock_ms(s->r->source.ctx);
    beat.has_echo_ms = true;
    beat.echo_ms = clock_ms;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
}

/* A clock that was set meanwhile gives nonsense once, and the next echo mends it. */
static void take_echo(struct rep_session *s, const Hallsync__PeerHeartbeat *beat)
{
    uint64_t now = s->r->source.clock_ms(s->r->source.ctx);
    if (beat->echo_ms > now)
        return;
    s->round_trip_ms = now - beat->echo_ms;
    s->clock_offset_ms = (int64_t)(beat->clock_ms + s->round_trip_ms / 2 - now);
}

static void take_heads(struct rep_session *s, const Hallsync__PeerHeartbeat *beat)
{
    struct hs_stream *names = hs_arena_array(&s->r->arena, beat->n_heads, sizeof *names);
    size_t count = 0;
    if (names == NULL) {
        hs_rep_session_end(s, HS_EMALFORMED, "too many heads in a heartbeat");
        return;
    }
    while (count < beat->n_heads && s->state == REP_LIVE && hs_rep_head_received(s, beat->heads[count], &names[count]))
        count++;
    if (s->state == REP_LIVE && s->relation == REP_WITNESS_HUB)
        hs_rep_witness_heard(s, names, count);
}

void hs_rep_heartbeat_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerHeartbeat *beat = (const Hallsync__PeerHeartbeat *)message;
    if (beat->n_heads > HS_LIST_ITEMS_MAX) {
        hs_rep_session_end(s, HS_EMALFORMED, "too many heads in a heartbeat");
        return;
    }
    if (beat->has_echo_ms)
        take_echo(s, beat);
    else
        send_echo(s, beat->clock_ms);
    if (beat->has_rate_max)
        hs_rep_rate_told(s, beat->rate_max);
    if (beat->has_held_lanes)
        hs_rep_hold_told(s, beat->held_lanes);
    if (beat->has_backup_store && beat->backup_store != s->backup_store) {
        s->backup_store = beat->backup_store;
        hs_rep_stores_meet(s);
    }
    if (beat->has_own_payments && beat->has_own_fen) {
        s->own_known = true;
        s->own_payments = beat->own_payments;
        s->own_fen = beat->own_fen;
    }
    if (beat->figures != NULL)
        take_figures(s, beat->figures);
    if (beat->has_payments_count && beat->has_payments_fen) {
        s->payments_known = true;
        s->payments_count = beat->payments_count;
        s->payments_fen = beat->payments_fen;
    }
    take_heads(s, beat);
}

/* Rounded down to a part of the interval: the beats of many sessions then share their ticks. */
void hs_rep_heartbeat_next(struct rep_session *s)
{
    uint64_t interval_ms = s->r->options.heartbeat_ms;
    uint64_t part_ms = interval_ms / BEAT_PARTS + 1;
    s->beat_ms = (s->r->now_ms + interval_ms) / part_ms * part_ms;
}

void hs_rep_heartbeat_now(struct rep_session *s)
{
    send_beat(s);
    hs_rep_heartbeat_next(s);
}

void hs_rep_heartbeat_soon(struct rep_session *s)
{
    s->beat_ms = s->r->now_ms;
    hs_rep_wake(s->r, s->beat_ms);
}

uint64_t hs_rep_heartbeat_tick(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    if (s->state == REP_ENDED)
        return UINT64_MAX;
    uint64_t silent_ms = s->heard_ms + r->options.silence_ms;
    if (r->now_ms >= silent_ms) {
        hs_rep_session_end(s, HS_ETIMEDOUT, "nothing heard for %u ms", r->options.silence_ms);
        return UINT64_MAX;
    }
    if (r->now_ms >= s->beat_ms) {
        if (s->state == REP_LIVE && hs_rep_reissued(s))
            return UINT64_MAX;
        if (s->state == REP_LIVE) {
            send_beat(s);
            hs_rep_receipts_pass(s);
        }
        hs_rep_heartbeat_next(s);
    }
    return silent_ms < s->beat_ms ? silent_ms : s->beat_ms;
}
