/* What this node wants as record states instead of operations: whom it asks, and when it has it.
 *
 * Each (partition, lane) is asked of one hub at a time, work first; who cannot supply it now is followed by the next
 * one, and when all were asked, by a pause.  The store keeps how far it is: a session that ends costs what was on its
 * way. */
#include "node/replica/fill.h"

#include "proto/msg/frame.h"

#include <stdlib.h>
#include <string.h>

#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 30000
#define PATIENCE     30 /* times as long, while it sends other things */

/* ---- the table ---- */

static int compare(const struct rep_fill *fill, hs_partition partition, uint32_t lane)
{
    if (fill->lane != lane)
        return fill->lane < lane ? -1 : 1;
    return (int)fill->partition - (int)partition;
}

static size_t place_of(const struct hs_replica *r, hs_partition partition, uint32_t lane)
{
    size_t low = 0, high = r->fill_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(r->fills[middle], partition, lane) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct rep_fill *hs_rep_fill_find(const struct hs_replica *r, hs_partition partition, uint32_t lane)
{
    size_t at = place_of(r, partition, lane);
    return at < r->fill_count && compare(r->fills[at], partition, lane) == 0 ? r->fills[at] : NULL;
}

bool hs_rep_is_filling(const struct hs_replica *r, hs_partition partition)
{
    for (uint32_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++) {
        if (hs_rep_fill_find(r, partition, lane) != NULL)
            return true;
    }
    return false;
}

static bool has_room(struct hs_replica *r)
{
    if (r->fill_count < r->fill_room)
        return true;
    size_t room = r->fill_room == 0 ? 16 : r->fill_room * 2;
    struct rep_fill **fills = realloc(r->fills, room * sizeof(struct rep_fill *));
    if (fills == NULL)
        return false;
    r->fills = fills;
    r->fill_room = room;
    return true;
}

static struct rep_fill *add(struct hs_replica *r, hs_partition partition, uint8_t lane)
{
    struct rep_fill *fill = has_room(r) ? calloc(1, sizeof *fill) : NULL;
    if (fill == NULL) {
        hs_rep_fail(r, HS_ENOMEM);
        return NULL;
    }
    *fill = (struct rep_fill){.partition = partition, .lane = lane, .pause_ms = PAUSE_MIN_MS};
    size_t at = place_of(r, partition, lane);
    memmove(r->fills + at + 1, r->fills + at, (r->fill_count - at) * sizeof(struct rep_fill *));
    r->fills[at] = fill;
    r->fill_count++;
    return fill;
}

/* What belongs to the session that supplied it. */
static void leave_session(struct rep_fill *fill)
{
    if (fill->from != NULL) {
        fill->from->fill_bounds -= fill->bound_count;
        if (fill->state != REP_FILL_REACHING)
            fill->from->fills_open[fill->lane]--;
    }
    fill->from = NULL;
    free(fill->bounds);
    fill->bounds = NULL;
    fill->bound_count = fill->bound_room = 0;
    hs_buf_fini(&fill->partial);
    fill->is_listing = false;
}

static void remove_fill(struct hs_replica *r, struct rep_fill *fill)
{
    size_t at = place_of(r, fill->partition, fill->lane);
    leave_session(fill);
    r->fill_count--;
    memmove(r->fills + at, r->fills + at + 1, (r->fill_count - at) * sizeof(struct rep_fill *));
    free(fill);
}

void hs_rep_fills_fini(struct hs_replica *r)
{
    while (r->fill_count > 0)
        remove_fill(r, r->fills[r->fill_count - 1]);
    free(r->fills);
    r->fills = NULL;
    r->fill_room = 0;
}

/* ---- as the store has it ---- */

static enum hs_err load_one(void *ctx, const struct hs_fill *row)
{
    struct hs_replica *r = ctx;
    struct rep_fill *fill = hs_rep_fill_find(r, row->partition, row->lane);
    if (fill == NULL)
        fill = add(r, row->partition, row->lane);
    if (fill == NULL)
        return HS_ENOMEM;
    fill->is_kept = true;
    fill->since_ms = row->since_ms;
    fill->total = row->total;
    if (fill->state != REP_FILL_WAITING || row->after.size > sizeof fill->after)
        return HS_OK;
    fill->after_size = row->after.size;
    if (row->after.size > 0)
        memcpy(fill->after, row->after.data, row->after.size);
    fill->records = row->records;
    fill->is_mixed = row->after.size > 0;
    return HS_OK;
}

static enum hs_err load(struct hs_replica *r)
{
    for (size_t i = 0; i < r->fill_count; i++)
        r->fills[i]->is_kept = false;
    return r->source.fills(r->source.ctx, load_one, r);
}

enum hs_err hs_rep_fills_load(struct hs_replica *r)
{
    r->fills_ms = UINT64_MAX;
    return load(r);
}

/* ---- the end ---- */

const char *hs_rep_fill_text(struct hs_replica *r, const struct rep_fill *fill)
{
    char partition[HS_PARTITION_TEXT_BYTES];
    return hs_rep_text(r, "%s of %s", hs_lane_text((enum hs_lane)fill->lane),
                       hs_partition_text(fill->partition, partition));
}

void hs_rep_fill_tell_done(struct rep_session *s, hs_partition partition, uint8_t lane)
{
    hs_rep_pairs_remove(&s->pruned_there, partition, lane);
    struct hs_replica *r = s->r;
    const struct rep_partition *held = hs_rep_partition_find(&r->frontier, partition);
    struct hs_stream names[HS_LIST_ITEMS_MAX / 4];
    size_t count = 0;
    for (size_t i = 0; held != NULL && i < held->count; i++) {
        for (size_t k = 0; k < held->members[i]->count; k++) {
            const struct rep_stream *stream = held->members[i]->streams[k];
            if (stream->name.lane != lane || stream->n == 0 || stream->fork != NULL || !hs_rep_may_tell(s, stream))
                continue;
            names[count++] = stream->name;
            if (count == sizeof names / sizeof *names) {
                hs_rep_announce(s, names, count);
                count = 0;
            }
        }
    }
    hs_rep_announce(s, names, count);
    Hallsync__PeerFill done = HALLSYNC__PEER_FILL__INIT;
    done.partition = partition;
    done.lane = lane;
    done.has_done = done.done = true;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_FILL, &done.base);
}

static void finish(struct hs_replica *r, struct rep_fill *fill)
{
    hs_partition partition = fill->partition;
    uint8_t lane = fill->lane;
    hs_rep_notice(r, HS_NOTICE_FILLED, fill->from == NULL ? 0 : fill->from->peer, HS_OK, hs_rep_fill_text(r, fill));
    remove_fill(r, fill);
    for (size_t i = 0; i < r->session_count; i++) {
        struct rep_session *s = r->sessions[i];
        if (s->state == REP_LIVE && hs_rep_pairs_remove(&s->told_fills, partition, lane) && lane != HS_LANE_MONEY)
            hs_rep_fill_tell_done(s, partition, lane);
        if (s->state == REP_LIVE)
            hs_rep_witness_filled(s, partition, lane);
    }
    hs_rep_fills_soon(r);
    hs_rep_probes_moved(r);
}

void hs_rep_fill_end(struct hs_replica *r, struct rep_fill *fill)
{
    struct hs_replica_store *store = hs_rep_store_new(r, HS_STORE_FILLED);
    if (store == NULL)
        return;
    store->partition = fill->partition;
    store->lane = fill->lane;
    struct rep_pending *pending = hs_rep_store_give(r, store);
    if (pending == NULL)
        return;
    pending->fill = fill;
    fill->stores++;
    fill->state = REP_FILL_ENDING;
}

static void pause_fill(struct rep_fill *fill, uint64_t now_ms)
{
    fill->refused = (struct rep_turn){0};
    fill->retry_ms = now_ms + fill->pause_ms;
    fill->pause_ms = fill->pause_ms * 2 < PAUSE_MAX_MS ? fill->pause_ms * 2 : PAUSE_MAX_MS;
}

/* First of all who has said that it has what we lack, and not by number any more; then hubs, then halls. */
static struct rep_turn turn_of(const struct rep_session *s, const struct rep_fill *fill)
{
    bool has_it = hs_rep_pairs_have(&s->pruned_there, fill->partition, fill->lane);
    return (struct rep_turn){has_it ? 1 : s->certificate.role == HS_ROLE_HUB ? 2 : 3, s->peer};
}

static bool is_before(const struct rep_turn *a, const struct rep_turn *b)
{
    return a->rank != b->rank ? a->rank < b->rank : a->peer < b->peer;
}

void hs_rep_fill_refused(struct rep_fill *fill, enum hs_err err, const char *why)
{
    struct rep_session *s = fill->from;
    struct hs_replica *r = s->r;
    hs_rep_notice(r, HS_NOTICE_FILL_FAILED, s->peer, err,
                  hs_rep_text(r, "%s: %s: %s", hs_rep_fill_text(r, fill), s->certificate.node_id, why));
    leave_session(fill);
    fill->state = REP_FILL_WAITING;
    fill->refused = turn_of(s, fill);
    hs_rep_fills_soon(r);
}

void hs_rep_fills_left(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    for (size_t i = 0; i < r->fill_count; i++) {
        struct rep_fill *fill = r->fills[i];
        if (fill->from != s)
            continue;
        leave_session(fill);
        if (fill->state != REP_FILL_ENDING) /* that one needs nobody any more */
            fill->state = REP_FILL_WAITING;
    }
    if (r->fill_count > 0)
        hs_rep_fills_soon(r);
}

/* ---- who brings nothing ---- */

/* On a line that people have limited to little, two messages of the largest size take longer than that. */
static uint64_t stall_ms(const struct rep_session *s)
{
    uint64_t rate = hs_rep_rate_max(s), slow_ms = rate == 0 ? 0 : 2 * HS_MESSAGE_BYTES_MAX * 1000ULL / rate;
    return slow_ms > HS_SUPPLY_STALL_MS ? slow_ms : HS_SUPPLY_STALL_MS;
}

static bool is_supplied(const struct rep_fill *fill, const struct rep_session *s)
{
    return fill->from == s && (fill->state == REP_FILL_HEADS || fill->state == REP_FILL_STATES);
}

/* It has been asked, may send, and its heartbeats go on: whatever keeps it, another one, or a session that begins anew,
 * may bring it.  While it sends what goes ahead it has much longer. */
uint64_t hs_rep_fills_tick(struct rep_session *s)
{
    struct hs_replica *r = s->r;
    uint64_t next_ms = UINT64_MAX;
    if (s->in.back != s->in.taken)
        s->brought_ms = r->now_ms; /* it waits for us */
    for (size_t i = 0; i < r->fill_count && s->state == REP_LIVE; i++) {
        struct rep_fill *fill = r->fills[i];
        if (!is_supplied(fill, s))
            continue;
        if (fill->stores > 0 || hs_rep_is_held(r, fill->lane))
            fill->moved_ms = r->now_ms;
        uint64_t quiet_ms = s->brought_ms > fill->moved_ms ? s->brought_ms : fill->moved_ms;
        uint64_t until_ms = quiet_ms + stall_ms(s), longest_ms = fill->moved_ms + PATIENCE * stall_ms(s);
        until_ms = until_ms < longest_ms ? until_ms : longest_ms;
        next_ms = until_ms < next_ms ? until_ms : next_ms;
        if (r->now_ms >= until_ms)
            hs_rep_session_end(s, HS_ETIMEDOUT, "it was asked for %s and brings nothing", hs_rep_fill_text(r, fill));
    }
    return s->state == REP_LIVE ? next_ms : UINT64_MAX;
}

/* ---- asking ---- */

static void send_fill(struct rep_session *s, struct rep_fill *fill)
{
    Hallsync__PeerFill message = HALLSYNC__PEER_FILL__INIT;
    message.partition = fill->partition;
    message.lane = fill->lane;
    message.has_after = fill->after_size > 0;
    message.after = hs_rep_data(fill->after, fill->after_size);
    fill->from = s;
    fill->state = REP_FILL_HEADS;
    fill->moved_ms = s->r->now_ms;
    hs_rep_wake(s->r, s->r->now_ms + stall_ms(s));
    s->fills_open[fill->lane]++;
    hs_rep_pairs_add(s->r, &s->told_fills, fill->partition, fill->lane);
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_FILL, &message.base);
}

bool hs_rep_is_rebuilding(const struct hs_replica *r)
{
    return r->certificate.role == HS_ROLE_HUB && r->now_ms < r->options.rebuilding_until_ms;
}

bool hs_rep_may_supply_us(const struct rep_session *s)
{
    return s->certificate.role == HS_ROLE_HUB || (s->certificate.role == HS_ROLE_HALL && hs_rep_is_rebuilding(s->r));
}

static bool may_ask(const struct rep_session *s, const struct rep_fill *fill)
{
    const struct rep_turn turn = turn_of(s, fill);
    return s->state == REP_LIVE && hs_rep_may_supply_us(s) && hs_rep_in_view(s, fill->partition) &&
           is_before(&fill->refused, &turn);
}

static struct rep_session *whom_to_ask(struct hs_replica *r, const struct rep_fill *fill, bool *is_full)
{
    struct rep_session *next = NULL;
    struct rep_turn next_turn = {0};
    for (size_t i = 0; i < r->session_count; i++) {
        struct rep_session *s = r->sessions[i];
        const struct rep_turn turn = turn_of(s, fill);
        if (!may_ask(s, fill) || (next != NULL && is_before(&next_turn, &turn)))
            continue;
        if (s->fills_open[fill->lane] >= REP_FILLS_OPEN_MAX) {
            *is_full = true;
            continue;
        }
        next = s;
        next_turn = turn;
    }
    return next;
}

static void ask_one(struct hs_replica *r, struct rep_fill *fill)
{
    bool is_full = false;
    struct rep_session *s = whom_to_ask(r, fill, &is_full);
    if (s != NULL)
        send_fill(s, fill);
    else if (!is_full && fill->refused.peer != 0) /* all were asked */
        pause_fill(fill, r->now_ms);
}

static bool is_askable(const struct hs_replica *r, const struct rep_fill *fill)
{
    return fill->state == REP_FILL_WAITING && fill->stores == 0 && fill->retry_ms <= r->now_ms &&
           !hs_rep_is_held(r, fill->lane);
}

static void ask_all(struct hs_replica *r)
{
    for (size_t i = 0; i < r->fill_count && r->err == HS_OK; i++) {
        struct rep_fill *fill = r->fills[i];
        if (is_askable(r, fill))
            ask_one(r, fill);
        if (fill->state == REP_FILL_WAITING && fill->retry_ms > r->now_ms && fill->retry_ms < r->fills_ms)
            r->fills_ms = fill->retry_ms;
    }
    if (r->fills_ms != UINT64_MAX)
        hs_rep_wake(r, r->fills_ms);
}

/* One of money ends by itself in the store; what waits may not be wanted any more. */
static void drop_ended(struct hs_replica *r)
{
    for (size_t i = r->fill_count; i > 0; i--) {
        struct rep_fill *fill = i <= r->fill_count ? r->fills[i - 1] : NULL;
        bool is_idle = fill != NULL && (fill->state == REP_FILL_WAITING || fill->state == REP_FILL_REACHING);
        if (is_idle && fill->stores == 0 && !fill->is_kept)
            finish(r, fill);
    }
}

void hs_rep_fills_soon(struct hs_replica *r)
{
    r->fills_ms = r->now_ms;
}

void hs_rep_fills_run(struct hs_replica *r)
{
    if (r->now_ms < r->fills_ms || r->err != HS_OK)
        return;
    bool is_read = r->is_fills_changed;
    for (size_t i = 0; i < r->fill_count; i++)
        is_read |= is_askable(r, r->fills[i]);
    r->is_fills_changed = false;
    if (is_read) {
        hs_rep_fail(r, load(r));
        if (r->err == HS_OK)
            drop_ended(r);
    }
    r->fills_ms = UINT64_MAX;
    ask_all(r);
}

/* ---- what moves ---- */

void hs_rep_fills_moved(struct hs_replica *r, const struct hs_commit *commit)
{
    for (size_t i = 0; r->fill_count > 0 && i < commit->head_count; i++) {
        const struct hs_stream *name = &commit->heads[i].stream;
        if (name->lane == HS_LANE_MONEY && hs_rep_fill_find(r, name->partition, name->lane) != NULL) {
            r->is_fills_changed = true;
            hs_rep_fills_soon(r);
        }
    }
}

void hs_rep_fill_stored(struct hs_replica *r, const struct rep_pending *pending, enum hs_err err)
{
    struct rep_fill *fill = pending->fill;
    hs_rep_fills_soon(r);
    r->is_fills_changed = true;
    if (fill == NULL) /* one begins */
        return;
    fill->stores--;
    if (pending->type != HS_STORE_FILLED)
        return;
    if (err == HS_OK) {
        finish(r, fill);
        return;
    }
    leave_session(fill);
    fill->state = REP_FILL_WAITING;
    pause_fill(fill, r->now_ms);
}

static void begin(struct rep_session *s, hs_partition partition, uint8_t lane)
{
    struct hs_replica_store *store = hs_rep_store_new(s->r, HS_STORE_FILL);
    if (store == NULL)
        return;
    store->partition = partition;
    store->lane = lane;
    hs_rep_store_take(s, store);
}

/* PROTOCOL.md, "State transfer": who lacks nothing any more says so; else states are asked of whoever has them. */
void hs_rep_pruned_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__StreamHead *head = ((const Hallsync__PeerPruned *)message)->head;
    struct hs_replica *r = s->r;
    struct hs_stream name;
    if (!hs_rep_head_received(s, head, &name))
        return;
    if (name.lane == HS_LANE_MONEY || !hs_rep_may_take(s, &name)) {
        bool money = name.lane == HS_LANE_MONEY;
        hs_rep_session_end(s, money ? HS_EMALFORMED : HS_ESCOPE, "operations that cannot have been pruned");
        return;
    }
    const struct rep_stream *stream = hs_rep_stream_find(&r->frontier, &name);
    if (stream != NULL && (stream->n >= head->n || stream->fork != NULL)) {
        hs_rep_inquiry_pruned(s, name.partition, name.lane);
        return;
    }
    if (!hs_rep_may_supply_us(s))
        hs_rep_notice_stream(s, HS_NOTICE_FILL_FAILED, &name, HS_ENOTHUB,
                             "a hall has what is missing here, as state only: another hub must bring it");
    hs_rep_pairs_add(r, &s->pruned_there, name.partition, name.lane);
    bool is_new = hs_rep_fill_find(r, name.partition, name.lane) == NULL && r->fill_count < HS_FILLS_MAX;
    if (hs_rep_pairs_add(r, &s->told_fills, name.partition, name.lane) && is_new)
        begin(s, name.partition, name.lane);
}
