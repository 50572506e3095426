/* What goes out next.  PROTOCOL.md, "Order of sending":
 *
 * Lanes in strict order: work, money, people, bulk, in each the segments before the states; every eighth turn goes to
 * what has waited longest.  Never more than the credit that the peer gave; and unless it is work, no more on its way
 * than one segment or what comes back as credit in a quarter of a second and a round trip, so that an urgent order
 * overtakes a backlog on a slow line.  The measured rate of a fast line doubles with each answer, as long as more
 * waits.  A limit that people have set holds back everything but work, and counts that too. */
#include "node/replica/core.h"

#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"

#include <string.h>

#define OLDEST_TURN         8
#define COMPRESS_FROM_BYTES 64
#define COMPRESSION_LEVEL   3
#define WINDOW_MS           250
#define BASE_MS_MAX         1000
#define ONE_SEGMENT         (HS_SEGMENT_BYTES_SOFT + REP_SEGMENT_COST)
#define STALLED_MS          3000
#define STALLED_TIMES       4
#define SLOW_LINE_MS        2000                /* for what is on its way, where no rate is known */
#define LIMIT_MAX           ((uint64_t)1 << 40) /* bytes a second: beyond it there is none */

/* ---- segments ready to send ---- */

/* Ops that the source has and STORED has not told are not ours to send yet: cut back to the newest checkpoint that it
 * told. */
static enum hs_err trim(struct hs_replica *r, const struct rep_stream *stream, uint64_t n, struct hs_segment *segment)
{
    if (segment->first + segment->count - 1 <= n)
        return HS_OK;
    struct hs_checkpoint checkpoint;
    enum hs_err err = r->source.checkpoint(r->source.ctx, &stream->name, n, &checkpoint);
    if (err == HS_OK && checkpoint.n < segment->first)
        err = HS_ENOTFOUND;
    if (err != HS_OK)
        return err;
    segment->count = (uint32_t)(checkpoint.n - segment->first + 1);
    segment->signature = checkpoint.signature;
    segment->end = checkpoint.hash;
    struct hs_cur cur = hs_cur_of(segment->body);
    for (uint32_t i = 0; i < segment->count; i++)
        hs_cur_sized(&cur);
    segment->body.size -= cur.left;
    return cur.err == HS_OK ? HS_OK : HS_EDAMAGED;
}

/* Of a revoked key the others take what a hub has signed for: what lies on both sides of that goes as two, if there is
 * a checkpoint between. */
static enum hs_err part(struct hs_replica *r, const struct rep_stream *stream, struct hs_segment *segment)
{
    uint64_t limit = hs_rep_limit(r, stream);
    enum hs_err err = segment->first > limit ? HS_OK : trim(r, stream, limit, segment);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* PROTOCOL.md, "Segment": one zstd frame, if that makes it smaller. */
bool hs_rep_compress(struct hs_replica *r, struct hs_bytes body, struct hs_buf *to)
{
    bool compressed = false;
    hs_buf_reset(to);
    if (body.size >= COMPRESS_FROM_BYTES) {
        uint8_t *room = hs_buf_extend(to, body.size - 1);
        size_t size = room == NULL ? 0
                                   : ZSTD_compressCCtx(r->compressor, room, body.size - 1, body.data, body.size,
                                                       COMPRESSION_LEVEL);
        compressed = room != NULL && !ZSTD_isError(size);
        to->size = compressed ? size : 0;
    }
    if (!compressed)
        hs_buf_put_bytes(to, body);
    hs_rep_fail(r, to->err);
    return compressed;
}

static enum hs_err read_cut(struct hs_replica *r, const struct rep_stream *stream, uint64_t first, struct rep_cut *cut)
{
    struct hs_segment segment;
    hs_buf_reset(&r->cutting);
    enum hs_err err = r->source.cut(r->source.ctx, &stream->name, first, &r->cutting, &segment);
    if (err == HS_OK)
        err = trim(r, stream, stream->n, &segment);
    if (err == HS_OK)
        err = part(r, stream, &segment);
    if (err == HS_OK && segment.body.size > HS_SEGMENT_BYTES_MAX)
        err = HS_ETOOBIG;
    if (err == HS_OK && hs_checkpoint_verify(&stream->name, first + segment.count - 1, &segment.end,
                                             &stream->origin->node->key, &segment.signature) != HS_OK)
        err = HS_EDAMAGED; /* whoever got it would take it for a lie */
    if (err != HS_OK)
        return err;
    cut->count = segment.count;
    cut->signature = segment.signature;
    cut->raw_bytes = (uint32_t)segment.body.size;
    cut->compressed = hs_rep_compress(r, segment.body, &cut->body);
    return r->err;
}

/* Several sessions often want the same segment one after the other. */
static enum hs_err cut_of(struct hs_replica *r, const struct rep_stream *stream, uint64_t first, struct rep_cut **found)
{
    struct rep_cut *cut =
        &r->cuts[(stream->name.origin + stream->name.partition + stream->name.lane + first) % REP_CUTS];
    *found = cut;
    if (cut->stream == stream && cut->first == first && cut->head == stream->n)
        return HS_OK;
    cut->stream = NULL;
    enum hs_err err = read_cut(r, stream, first, cut);
    if (err != HS_OK)
        return err;
    cut->stream = stream;
    cut->first = first;
    cut->head = stream->n;
    return HS_OK;
}

/* ---- the limit that people set ---- */

uint64_t hs_rep_rate_max(const struct rep_session *s)
{
    const struct rep_outflow *out = &s->out;
    if (out->limit == 0 || out->peer_limit == 0)
        return out->limit + out->peer_limit;
    return out->limit < out->peer_limit ? out->limit : out->peer_limit;
}

/* All that went out since: also what is never held back. */
static void count_bytes(struct rep_session *s)
{
    struct rep_outflow *out = &s->out;
    if (hs_rep_rate_max(s) > 0)
        hs_rep_bucket_put(&s->node->sent, s->sent_bytes - out->counted);
    out->counted = s->sent_bytes;
}

/* So PROTOCOL.md, "Order of sending": in any time what may pass in it, what may pass in a second, and one message. */
static bool is_within_limit(struct rep_session *s)
{
    struct rep_outflow *out = &s->out;
    uint64_t rate = hs_rep_rate_max(s);
    if (rate == 0)
        return true;
    count_bytes(s);
    if (hs_rep_bucket_has(&s->node->sent, rate, rate, s->r->now_ms))
        return true;
    out->limit_wake_ms = hs_rep_bucket_due_ms(&s->node->sent, rate, rate, s->r->now_ms);
    hs_rep_wake(s->r, out->limit_wake_ms);
    return false;
}

/* Up to now the limit was another one, or none.  Who is not known yet has been sent nothing that could be held back. */
static void end_limit(struct rep_session *s)
{
    uint64_t rate = hs_rep_rate_max(s);
    if (s->node == NULL || rate == 0) {
        s->out.counted = s->sent_bytes;
        return;
    }
    count_bytes(s);
    hs_rep_bucket_drain(&s->node->sent, rate, s->r->now_ms);
}

void hs_rep_rate(struct hs_replica *r, const struct hs_replica_event *event)
{
    struct rep_session *s = hs_rep_session_find(r, event->peer);
    uint64_t limit = event->rate_max < LIMIT_MAX ? event->rate_max : LIMIT_MAX;
    if (s == NULL || s->out.limit == limit)
        return;
    end_limit(s);
    s->out.limit = limit;
    s->is_limit_new = true;
    hs_rep_heartbeat_soon(s);
    hs_rep_session_dirty(s);
}

void hs_rep_rate_told(struct rep_session *s, uint64_t limit)
{
    limit = limit < LIMIT_MAX ? limit : LIMIT_MAX;
    if (s->out.peer_limit == limit)
        return;
    end_limit(s);
    s->out.peer_limit = limit;
    hs_rep_session_dirty(s);
}

uint64_t hs_rep_schedule_tick(struct rep_session *s)
{
    uint64_t wake_ms = s->out.limit_wake_ms;
    if (wake_ms == 0 || s->state != REP_LIVE)
        return UINT64_MAX;
    if (s->r->now_ms < wake_ms)
        return wake_ms;
    s->out.limit_wake_ms = 0;
    hs_rep_session_dirty(s);
    return UINT64_MAX;
}

/* ---- room ---- */

static uint64_t came_back(const struct rep_outflow *out)
{
    return out->allowed - out->first;
}

/* What fills the line for a quarter of a second, beyond the time that an answer takes when nothing else is on its way:
 * routers drop what waits much longer, and TCP then stands still for a second. */
static uint64_t span_ms(const struct rep_outflow *out)
{
    return WINDOW_MS + (out->base_ms < BASE_MS_MAX ? out->base_ms : BASE_MS_MAX);
}

static uint64_t window(const struct rep_outflow *out)
{
    return out->rate * span_ms(out) / 1000;
}

/* By the packing of the one before, if it had any. */
static uint64_t bytes_of(const struct rep_outflow *out, uint64_t cost)
{
    bool packs = out->last_bytes < out->last_cost;
    return packs ? cost * out->last_bytes / out->last_cost : cost;
}

/* The line is full by the bytes that it carries; what they cost in credit may be many times that. */
bool hs_rep_room(struct rep_session *s, uint8_t lane, uint64_t cost)
{
    struct rep_outflow *out = &s->out;
    uint64_t on_way = out->sent - came_back(out);
    bool room = lane == HS_LANE_WORK || on_way == 0 || on_way + cost <= ONE_SEGMENT ||
                out->bytes - out->bytes_back + bytes_of(out, cost) <= window(out);
    bool fit = room && cost <= out->allowed - out->sent;
    if (!fit)
        out->limited = true;
    bool goes = fit && (lane == HS_LANE_WORK || is_within_limit(s));
    out->waits = goes ? HS_WAITS_NOT : fit ? HS_WAITS_LIMIT : room ? HS_WAITS_CREDIT : HS_WAITS_LINE;
    return goes;
}

/* A line that carries no answer for many times what it should take, and heartbeats: it is the peer's store. */
enum hs_waits hs_rep_waits_for(const struct rep_session *s)
{
    const struct rep_outflow *out = &s->out;
    uint64_t due_ms = out->rate > 0 ? (out->bytes - out->bytes_back) * 1000 / out->rate : SLOW_LINE_MS;
    bool stalled = out->sent != came_back(out) && s->r->now_ms > out->back_ms + STALLED_MS + STALLED_TIMES * due_ms;
    return stalled ? HS_WAITS_CREDIT : out->waits;
}

static void put_part(struct rep_outflow *out)
{
    if (out->part_count < REP_PARTS)
        out->part_count++;
    out->parts[(out->part_at + out->part_count - 1) % REP_PARTS] = (struct rep_flight){out->sent, out->bytes};
}

static void take_parts(struct rep_outflow *out)
{
    for (; out->part_count > 0 && out->parts[out->part_at].sent <= came_back(out); out->part_count--) {
        out->bytes_back = out->parts[out->part_at].bytes;
        out->part_at = (out->part_at + 1) % REP_PARTS;
    }
}

/* What was just sent. */
void hs_rep_spend(struct rep_session *s, uint64_t cost)
{
    struct rep_outflow *out = &s->out;
    count_bytes(s);
    bool is_alone = out->sent == came_back(out);
    out->last_cost = cost;
    out->last_bytes = s->sent_bytes - out->bytes;
    if (is_alone) {
        out->bytes_back = out->bytes;
        out->back_ms = s->r->now_ms;
    }
    out->sent += cost;
    out->bytes = s->sent_bytes;
    put_part(out);
    out->turns++;
    if (out->marked)
        return;
    out->marked = true;
    out->is_alone = is_alone;
    out->limited = false;
    out->mark_sent = out->sent;
    out->mark_back = out->bytes_back;
    out->mark_ms = s->r->now_ms;
}

/* A sample ends when what was sent at its beginning came back.  It counts only if more waited all the while, else it
 * was not the line that was slow; and a higher one only if it was about a window's worth, and only by twice: every line
 * passes something small, or the first bytes after a pause, faster than it goes on. */
static void measure(struct rep_session *s)
{
    struct rep_outflow *out = &s->out;
    if (!out->marked || came_back(out) < out->mark_sent)
        return;
    uint64_t ms = s->r->now_ms - out->mark_ms;
    uint64_t amount = out->bytes_back - out->mark_back, full = window(out) > amount ? window(out) : amount;
    uint64_t sample = amount * 1000 / (ms == 0 ? 1 : ms), most = 2 * full * 1000 / span_ms(out);
    if (out->limited && sample < out->rate)
        out->rate = (out->rate + sample) / 2;
    else if (out->limited && amount >= window(out) / 2)
        out->rate = sample < most ? sample : most;
    if (out->is_alone)
        out->base_ms = out->base_ms == 0 || ms < out->base_ms ? ms : (3 * out->base_ms + ms) / 4;
    out->marked = false;
}

void hs_rep_credit_received(struct rep_session *s, uint64_t total)
{
    if (total < s->out.allowed || total > s->out.first + s->out.sent) {
        hs_rep_session_end(s, HS_ECREDIT, "credit for more than was sent");
        return;
    }
    if (total > s->out.allowed)
        s->out.back_ms = s->r->now_ms;
    s->out.allowed = total;
    take_parts(&s->out);
    measure(s);
    hs_rep_session_dirty(s);
}

/* ---- sending ---- */

/* PROTOCOL.md, "Opening": ahead of a segment that begins a stream; who holds an op of a stream holds its opening. */
bool hs_rep_opening_send(struct rep_session *s, uint64_t origin)
{
    struct hs_replica *r = s->r;
    struct hs_buf certificate = {0}, opening = {0};
    Hallsync__PeerOpening message = HALLSYNC__PEER_OPENING__INIT;
    ProtobufCMessage *parts[2];
    enum hs_err err = r->source.origin(r->source.ctx, origin, &certificate, &opening);
    hs_arena_reset(&r->sending);
    if (err == HS_OK)
        err = hs_msg_unpack(&hallsync__certificate__descriptor, hs_buf_bytes(&certificate), &r->sending, &parts[0]);
    if (err == HS_OK)
        err = hs_msg_unpack(&hallsync__signed__descriptor, hs_buf_bytes(&opening), &r->sending, &parts[1]);
    if (err == HS_OK) {
        message.certificate = (Hallsync__Certificate *)parts[0];
        message.origin = (Hallsync__Signed *)parts[1];
        hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_OPENING, &message.base);
    }
    hs_buf_fini(&certificate);
    hs_buf_fini(&opening);
    return hs_rep_read(r, err) == HS_OK;
}

/* Who is to take it needs to know who has signed for it. */
static void vouch(struct rep_session *s, struct rep_lag *lag)
{
    if (lag->vouched || !lag->stream->origin->node->is_revoked)
        return;
    lag->vouched = true;
    hs_rep_receipts_tell(s, &lag->name);
    hs_rep_ack_send(s);
}

static void send_segment(struct rep_session *s, const struct rep_lag *lag, const struct rep_cut *cut)
{
    Hallsync__PeerSegment message = HALLSYNC__PEER_SEGMENT__INIT;
    Hallsync__StreamName name;
    hs_rep_stream_write(&lag->name, &name);
    message.stream = &name;
    message.first = cut->first;
    message.count = cut->count;
    message.signature = hs_rep_data(cut->signature.bytes, sizeof cut->signature.bytes);
    message.raw_bytes = cut->raw_bytes;
    message.compressed = cut->compressed;
    message.body = hs_rep_data(cut->body.data, cut->body.size);
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &message.base);
    hs_rep_moved(s->r, lag->name.lane, cut->count, cut->body.size);
    s->sent_ops[lag->name.lane] += cut->count;
}

/* It cannot be read: nobody gets it until the head changes, and somebody is told. */
static void stop_sending(struct rep_session *s, struct rep_lag *lag, enum hs_err err)
{
    struct rep_stream *stream = lag->stream;
    hs_rep_read(s->r, err);
    if (s->r->err != HS_OK)
        return;
    stream->damaged = true;
    hs_rep_notice_stream(s, HS_NOTICE_STREAM_STOPPED, &stream->name, err, "cannot be read to be sent");
    if (err == HS_EDAMAGED)
        hs_rep_ops_rot_seen(s->r, &stream->name, lag->sent_n + 1, lag->sent_n + HS_SEGMENT_OPS_MAX);
    hs_rep_lag_settle(s, lag);
}

/* False: no room for it now. */
static bool send_next(struct rep_session *s, struct rep_lag *lag)
{
    struct rep_cut *cut;
    enum hs_err err = cut_of(s->r, lag->stream, lag->sent_n + 1, &cut);
    if (err == HS_OK && !hs_rep_room(s, lag->name.lane, cut->raw_bytes + REP_SEGMENT_COST))
        return false;
    if (err == HS_OK && cut->first == 1 && !hs_rep_opening_send(s, lag->name.origin))
        err = HS_ENOTFOUND;
    if (err == HS_EPRUNED) {
        hs_rep_pruned_send(s, lag);
        return true;
    }
    if (err != HS_OK) {
        stop_sending(s, lag, err);
        return true;
    }
    vouch(s, lag);
    send_segment(s, lag, cut);
    hs_rep_spend(s, cut->raw_bytes + REP_SEGMENT_COST);
    lag->sent_n = cut->first + cut->count - 1;
    if (lag->stream->member->node == s->node && lag->sent_n == lag->stream->n)
        hs_rep_receipts_tell(s, &lag->name); /* what a node gets back of its own, it has lost with its receipts */
    hs_rep_lag_rotate(s, lag);
    return true;
}

/* Whose turn it could be: a stream's, or that of the lane's states. */
struct candidate {
    struct rep_lag *lag; /* NULL: states */
    uint8_t lane;        /* 0: nobody's */
    uint64_t queued_ms;
};

static bool first_of(struct rep_session *s, uint8_t lane, struct candidate *to)
{
    struct rep_lag *lag = TAILQ_FIRST(&s->turns[lane]);
    *to = (struct candidate){lag, lane, lag == NULL ? 0 : lag->queued_ms};
    if (!hs_rep_goes(s, lane))
        return false;
    return lag != NULL || hs_rep_supply_waits(s, lane, &to->queued_ms);
}

static struct candidate first_in_order(struct rep_session *s)
{
    struct candidate first = {0};
    for (uint8_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++) {
        if (first_of(s, lane, &first))
            return first;
    }
    return (struct candidate){0};
}

static struct candidate longest_waiting(struct rep_session *s)
{
    struct candidate longest = {0};
    for (uint8_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++) {
        struct rep_lag *lag = TAILQ_FIRST(&s->turns[lane]);
        struct candidate states = {.lane = lane};
        if (!hs_rep_goes(s, lane))
            continue;
        if (lag != NULL && (longest.lane == 0 || lag->queued_ms < longest.queued_ms))
            longest = (struct candidate){lag, lane, lag->queued_ms};
        if (hs_rep_supply_waits(s, lane, &states.queued_ms) &&
            (longest.lane == 0 || states.queued_ms < longest.queued_ms))
            longest = states;
    }
    return longest;
}

/* False: no room for it now. */
static bool take_turn(struct rep_session *s, const struct candidate *candidate)
{
    return candidate->lag != NULL ? send_next(s, candidate->lag) : hs_rep_supply_send(s, candidate->lane);
}

void hs_rep_schedule(struct rep_session *s)
{
    bool room = true;
    while (room && s->r->err == HS_OK && s->state == REP_LIVE) {
        struct candidate first = first_in_order(s);
        if (first.lane == 0)
            break;
        struct candidate longest = first;
        if (s->out.turns % OLDEST_TURN == OLDEST_TURN - 1)
            longest = longest_waiting(s);
        bool is_other = longest.lag != first.lag || longest.lane != first.lane;
        room = (is_other && take_turn(s, &longest)) || take_turn(s, &first);
    }
    if (room)
        hs_rep_looses_send(s);
    if (room)
        hs_rep_fetch_answer(s);
}
