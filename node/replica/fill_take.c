/* Heads and record states that come instead of operations: checked whole before anything of them is stored.
 *
 * A record is believed as the hub has it; that no origin is named beyond what its writer has signed is not: a number
 * that is applied too early would hide the operation that bears it. */
#include "node/replica/fill.h"

#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "storage/model/kinds.h"
#include "storage/model/record.h"

#include <stdlib.h>
#include <string.h>

#define PARTIAL_BYTES_MAX (HS_STATE_BYTES_MAX + HS_RECORD_KEY_BYTES_MAX + 16)

/* The fill that this session supplies; NULL: the session has ended. */
static struct rep_fill *fill_of(struct rep_session *s, uint32_t partition, uint32_t lane)
{
    struct rep_fill *fill = hs_partition_valid(partition) && hs_lane_valid(lane)
                                ? hs_rep_fill_find(s->r, (hs_partition)partition, lane)
                                : NULL;
    if (fill == NULL || fill->from != s || (fill->state != REP_FILL_HEADS && fill->state != REP_FILL_STATES))
        hs_rep_session_end(s, HS_EMALFORMED, "states that nobody has asked for");
    else if (!hs_rep_may_supply_us(s))
        hs_rep_session_end(s, HS_ENOTHUB, "states of a hall, which this hub does not take any more");
    else
        return fill;
    return NULL;
}

static struct rep_pending *give(struct rep_session *s, struct rep_fill *fill, struct hs_replica_store *store,
                                uint64_t cost)
{
    struct rep_pending *pending = hs_rep_store_take(s, store);
    if (pending == NULL)
        return NULL;
    pending->cost = cost;
    pending->fill = fill;
    fill->stores++;
    return pending;
}

/* ---- bounds ---- */

static size_t bound_place(const struct rep_fill *fill, uint64_t origin)
{
    size_t low = 0, high = fill->bound_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fill->bounds[middle].origin < origin)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum hs_err bound_raise(struct rep_session *s, struct rep_fill *fill, uint64_t origin, uint64_t n)
{
    size_t at = bound_place(fill, origin);
    if (at < fill->bound_count && fill->bounds[at].origin == origin) {
        fill->bounds[at].n = n > fill->bounds[at].n ? n : fill->bounds[at].n;
        return HS_OK;
    }
    if (s->fill_bounds >= REP_FILL_BOUNDS_MAX)
        return HS_ETOOBIG;
    if (fill->bound_count == fill->bound_room) {
        size_t room = fill->bound_room == 0 ? 16 : fill->bound_room * 2;
        struct rep_bound *bounds = realloc(fill->bounds, room * sizeof *bounds);
        if (bounds == NULL) {
            hs_rep_fail(s->r, HS_ENOMEM);
            return HS_ENOMEM;
        }
        fill->bounds = bounds;
        fill->bound_room = room;
    }
    memmove(fill->bounds + at + 1, fill->bounds + at, (fill->bound_count - at) * sizeof *fill->bounds);
    fill->bounds[at] = (struct rep_bound){origin, n};
    fill->bound_count++;
    s->fill_bounds++;
    return HS_OK;
}

static uint64_t bound_of(const struct rep_session *s, const struct rep_fill *fill, uint64_t origin)
{
    struct hs_stream name = {origin, fill->partition, fill->lane};
    const struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, &name);
    uint64_t held = stream == NULL ? 0 : stream->n;
    size_t at = bound_place(fill, origin);
    bool told = at < fill->bound_count && fill->bounds[at].origin == origin;
    return told && fill->bounds[at].n > held ? fill->bounds[at].n : held;
}

/* ---- heads ---- */

static enum hs_err read_head(const struct rep_fill *fill, const Hallsync__SignedHead *from, struct hs_signed_head *to)
{
    if (!hs_rep_stream_read(from->stream, &to->stream) || to->stream.partition != fill->partition ||
        to->stream.lane != fill->lane || from->n == 0 || from->hash.len != HS_HASH_BYTES ||
        from->signature.len != HS_SIGNATURE_BYTES)
        return HS_EMALFORMED;
    to->n = from->n;
    memcpy(to->hash.bytes, from->hash.data, HS_HASH_BYTES);
    memcpy(to->signature.bytes, from->signature.data, HS_SIGNATURE_BYTES);
    return HS_OK;
}

/* It is a head like any other besides: it may be ours, or part from what is held here. */
static void compare_head(struct rep_session *s, const Hallsync__SignedHead *from)
{
    Hallsync__StreamHead head = HALLSYNC__STREAM_HEAD__INIT;
    struct hs_stream name;
    head.stream = from->stream;
    head.n = from->n;
    head.hash = hs_rep_data(from->hash.data, REP_SHORT_HASH_BYTES);
    hs_rep_head_received(s, &head, &name);
}

/* PROTOCOL.md, "State transfer": the checkpoint must hold under the key of the origin, whose opening came ahead. */
static enum hs_err take_head(struct rep_session *s, struct rep_fill *fill, const Hallsync__SignedHead *from,
                             struct hs_signed_head *to)
{
    enum hs_err err = read_head(fill, from, to);
    if (err != HS_OK)
        return err;
    const struct rep_origin *origin = hs_rep_origin_find(&s->r->frontier, to->stream.origin);
    if (origin == NULL)
        return HS_EMALFORMED;
    err = hs_checkpoint_verify(&to->stream, to->n, &to->hash, &origin->node->key, &to->signature);
    return err == HS_OK ? bound_raise(s, fill, to->stream.origin, to->n) : err;
}

static bool is_forked(const struct rep_session *s, const struct hs_stream *name)
{
    const struct rep_stream *stream = hs_rep_stream_find(&s->r->frontier, name);
    return stream != NULL && stream->fork != NULL;
}

/* What is noted of a list: all but streams that are known here to be forked; those go by their operations. */
static enum hs_err take_list(struct rep_session *s, struct rep_fill *fill, const Hallsync__PeerFillHeads *message,
                             struct hs_fill_note *note, struct hs_arena *arena)
{
    struct hs_signed_head *heads = hs_arena_array(arena, message->n_heads + 1, sizeof *heads);
    enum hs_err err = HS_OK;
    if (heads == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return HS_ENOMEM;
    }
    for (size_t i = 0; i < message->n_heads && err == HS_OK; i++) {
        err = take_head(s, fill, message->heads[i], &heads[note->count]);
        const struct hs_stream name = heads[note->count].stream;
        if (err == HS_OK && fill->is_listing && hs_stream_compare(&name, &fill->last_head) <= 0)
            err = HS_EMALFORMED;
        if (err != HS_OK)
            return err;
        fill->is_listing = true;
        fill->last_head = name;
        note->count += !is_forked(s, &name);
    }
    note->heads = heads;
    return err;
}

static void list_ended(struct rep_session *s, struct rep_fill *fill)
{
    fill->is_listing = false;
    fill->state = REP_FILL_STATES;
    if (fill->lane != HS_LANE_MONEY)
        return;
    s->fills_open[fill->lane]--;
    fill->state = REP_FILL_REACHING;
    hs_rep_fills_soon(s->r);
}

static void note_list(struct rep_session *s, struct rep_fill *fill, const Hallsync__PeerFillHeads *message,
                      uint64_t cost)
{
    struct hs_replica_store *store = hs_rep_store_new(s->r, HS_STORE_NOTE);
    if (store == NULL)
        return;
    struct hs_fill_note *note = &store->note;
    *note = (struct hs_fill_note){.partition = fill->partition,
                                  .lane = fill->lane,
                                  .last = message->last,
                                  .total = message->has_records ? message->records : 0};
    if (fill->is_listing)
        note->after = (const struct hs_stream *)hs_rep_store_copy(s->r, store,
                                                                  HS_BYTES(&fill->last_head, sizeof fill->last_head))
                          .data;
    else
        hs_rep_notice(s->r, HS_NOTICE_FILLING, s->peer, HS_OK, hs_rep_fill_text(s->r, fill));
    enum hs_err err = take_list(s, fill, message, note, &store->arena);
    if (err != HS_OK) {
        hs_replica_store_free(store);
        hs_rep_session_end(s, err, "a head of what it supplies does not hold");
        return;
    }
    if (note->total > 0)
        fill->total = note->total;
    if (give(s, fill, store, cost) != NULL && message->last)
        list_ended(s, fill);
}

static void take_update(struct rep_session *s, struct rep_fill *fill, const Hallsync__PeerFillHeads *message,
                        uint64_t cost)
{
    struct hs_signed_head head;
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < message->n_heads && err == HS_OK; i++)
        err = take_head(s, fill, message->heads[i], &head);
    if (err != HS_OK)
        hs_rep_session_end(s, err, "a head of what it supplies does not hold");
    else
        hs_rep_give_credit(s, cost);
}

void hs_rep_heads_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerFillHeads *heads = (const Hallsync__PeerFillHeads *)message;
    struct rep_fill *fill = fill_of(s, heads->partition, heads->lane);
    uint64_t cost = heads->n_heads * REP_FILL_HEAD_COST + REP_SEGMENT_COST;
    if (fill == NULL)
        return;
    fill->moved_ms = s->r->now_ms;
    if (heads->error != NULL) {
        hs_rep_fill_refused(fill, hs_err_by_name(heads->error), heads->error);
        return;
    }
    bool is_out_of_place = heads->update != (fill->state == REP_FILL_STATES);
    if (is_out_of_place || heads->n_heads > HS_LIST_ITEMS_MAX || (heads->n_heads == 0 && !heads->last)) {
        hs_rep_session_end(s, HS_EMALFORMED, "heads out of place");
        return;
    }
    if (!hs_rep_take_credit(s, cost))
        return;
    if (heads->update)
        take_update(s, fill, heads, cost);
    else
        note_list(s, fill, heads, cost);
    for (size_t i = 0; i < heads->n_heads && s->state == REP_LIVE && s->r->err == HS_OK; i++) {
        struct hs_stream name;
        if (hs_rep_stream_read(heads->heads[i]->stream, &name) && !is_forked(s, &name))
            compare_head(s, heads->heads[i]);
    }
}

/* ---- states ---- */

struct reading {
    struct rep_session *s;
    struct rep_fill *fill;
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
    size_t after_size;
    uint64_t records;
    const char *why;
};

static bool is_within(void *ctx, const struct hs_dot *dot)
{
    const struct reading *in = ctx;
    return dot->n <= bound_of(in->s, in->fill, dot->origin);
}

/* Covered dots name operations that may not have come anywhere yet; but not ours. */
static void look_at_covered(struct reading *in, const struct hs_field_state *field)
{
    for (size_t i = 0; i < field->covered_count; i++) {
        struct hs_stream name = {field->covered[i].origin, in->fill->partition, in->fill->lane};
        hs_rep_named(in->s, &name, field->covered[i].n);
    }
}

typedef bool (*within_fn)(void *ctx, const struct hs_dot *dot);

static bool all_within(const struct hs_record *record, within_fn within, void *ctx)
{
    bool good = true;
    for (size_t i = 0; i < record->applied_count && good; i++)
        good = within(ctx, &record->applied[i]);
    for (size_t i = 0; i < record->variant_count && good; i++)
        good = within(ctx, &record->variants[i].dot);
    for (size_t i = 0; i < record->field_count && good; i++) {
        for (size_t k = 0; k < record->fields[i].live_count && good; k++)
            good = within(ctx, &record->fields[i].live[k].dot);
    }
    return good;
}

static enum hs_err check_sources(struct reading *in, const struct hs_record *record)
{
    for (size_t i = 0; i < record->field_count; i++)
        look_at_covered(in, &record->fields[i]);
    in->why = "it names operations that nobody is known to have written";
    return all_within(record, is_within, in) ? HS_OK : HS_EGAP;
}

static enum hs_err check_name(struct reading *in, struct hs_bytes key)
{
    struct hs_record_name name;
    in->why = "no key of a record";
    if (hs_record_from_key(key, &name) != HS_OK)
        return HS_EMALFORMED;
    in->why = "of another partition or lane";
    if (name.partition != in->fill->partition || name.lane != in->fill->lane)
        return HS_EMALFORMED;
    in->why = "not in order";
    return in->after_size > 0 && hs_bytes_compare(key, HS_BYTES(in->after, in->after_size)) <= 0 ? HS_EMALFORMED
                                                                                                 : HS_OK;
}

static enum hs_err check_record(struct reading *in, struct hs_bytes key, struct hs_bytes state)
{
    struct hs_replica *r = in->s->r;
    struct hs_record record;
    enum hs_err err = check_name(in, key);
    if (err != HS_OK)
        return err;
    in->why = "too large";
    if (state.size > HS_STATE_BYTES_MAX)
        return HS_ETOOBIG;
    hs_arena_reset(&r->decoding);
    in->why = "not in its one form";
    err = hs_record_decode(state, &r->decoding, &record);
    if (err == HS_ENOMEM)
        hs_rep_fail(r, err);
    return err == HS_OK ? check_sources(in, &record) : err;
}

static void end_for(struct reading *in, enum hs_err err, struct hs_bytes key)
{
    char id[2 * HS_RECORD_KEY_BYTES_MAX + 1] = "";
    if (key.size <= HS_RECORD_KEY_BYTES_MAX)
        hs_text_to_hex(key, id);
    hs_rep_session_end(in->s, err, "a state that does not hold: record %s: %s", id, in->why);
}

/* ---- our own, before they are sent ---- */

struct own {
    struct hs_replica *r;
    struct hs_stream place;
};

static bool is_held(void *ctx, const struct hs_dot *dot)
{
    const struct own *own = ctx;
    struct hs_stream name = {dot->origin, own->place.partition, own->place.lane};
    const struct rep_stream *stream = hs_rep_stream_find(&own->r->frontier, &name);
    return stream != NULL && (stream->fork != NULL || dot->n <= stream->n);
}

enum hs_err hs_rep_states_check(struct hs_replica *r, const struct hs_states *states)
{
    struct own own = {r, {.partition = states->partition, .lane = states->lane}};
    struct hs_cur cur = hs_cur_of(states->body);
    enum hs_err err = HS_OK;
    while (cur.left > 0 && err == HS_OK) {
        struct hs_record record;
        hs_cur_sized(&cur);
        hs_arena_reset(&r->decoding);
        err = hs_record_decode(hs_cur_sized(&cur), &r->decoding, &record);
        if (err == HS_OK && !all_within(&record, is_held, &own))
            err = HS_EFILLING;
    }
    return err == HS_EMALFORMED ? HS_EDAMAGED : err;
}

/* ---- those that come ---- */

/* Whole records of @body; the rest is the beginning of one.  False: the session has ended. */
static bool read_records(struct reading *in, struct hs_bytes body, struct hs_bytes *rest)
{
    struct hs_cur cur = hs_cur_of(body);
    *rest = body;
    while (cur.left > 0) {
        struct hs_bytes key = hs_cur_sized(&cur);
        struct hs_bytes state = hs_cur_sized(&cur);
        if (cur.err != HS_OK)
            return true;
        enum hs_err err = check_record(in, key, state);
        if (err != HS_OK) {
            end_for(in, err, key);
            return false;
        }
        memcpy(in->after, key.data, key.size);
        in->after_size = key.size;
        in->records++;
        *rest = HS_BYTES(cur.at, cur.left);
    }
    return true;
}

/* One beginning of a record a lane and session: that is what bounds them. */
static bool may_keep(const struct rep_session *s, const struct rep_fill *fill)
{
    for (size_t i = 0; i < s->r->fill_count; i++) {
        const struct rep_fill *other = s->r->fills[i];
        if (other != fill && other->from == s && other->lane == fill->lane && other->partial.size > 0)
            return false;
    }
    return true;
}

static bool keep_rest(struct reading *in, const Hallsync__PeerStates *message, struct hs_bytes rest)
{
    struct rep_session *s = in->s;
    struct hs_buf *partial = &in->fill->partial;
    bool none = in->records == 0 && !message->partial && !message->last;
    if (none || (rest.size > 0 && !message->partial) || (message->partial && message->last) || !may_keep(s, in->fill)) {
        hs_rep_session_end(s, HS_EMALFORMED, "states that are none");
        return false;
    }
    if (rest.size > PARTIAL_BYTES_MAX) {
        struct hs_cur cur = hs_cur_of(rest);
        in->why = "too large";
        end_for(in, HS_ETOOBIG, hs_cur_sized(&cur));
        return false;
    }
    struct hs_buf kept = {0};
    hs_buf_put_bytes(&kept, rest);
    hs_rep_fail(s->r, kept.err);
    hs_buf_fini(partial);
    *partial = kept;
    return s->r->err == HS_OK;
}

/* What was kept of the last message, and this one, in the store's arena; false: the session has ended. */
static bool put_together(struct rep_session *s, const struct rep_fill *fill, const Hallsync__PeerStates *message,
                         struct hs_arena *arena, struct hs_bytes *body)
{
    struct rep_packed packed = {HS_BYTES(message->body.data, message->body.len), message->raw_bytes,
                                message->compressed};
    if (hs_rep_unpack(s->r, &packed, arena, body) != HS_OK) {
        hs_rep_session_end(s, HS_EMALFORMED, "states that are none");
        return false;
    }
    if (fill->partial.size == 0)
        return true;
    uint8_t *whole = hs_arena_alloc(arena, fill->partial.size + body->size + 1);
    if (whole == NULL) {
        hs_rep_fail(s->r, HS_ENOMEM);
        return false;
    }
    memcpy(whole, fill->partial.data, fill->partial.size);
    if (body->size > 0)
        memcpy(whole + fill->partial.size, body->data, body->size);
    *body = HS_BYTES(whole, fill->partial.size + body->size);
    return true;
}

/* Returns whether the store was given to the writer. */
static bool take_states(struct rep_session *s, struct rep_fill *fill, const Hallsync__PeerStates *message,
                        struct hs_replica_store *store, uint64_t cost)
{
    struct reading in = {.s = s, .fill = fill, .after_size = fill->after_size};
    struct hs_bytes body, rest;
    memcpy(in.after, fill->after, fill->after_size);
    if (!put_together(s, fill, message, &store->arena, &body) || !read_records(&in, body, &rest) ||
        !keep_rest(&in, message, rest))
        return false;
    memcpy(fill->after, in.after, in.after_size);
    fill->after_size = in.after_size;
    fill->records += in.records;
    if (in.records == 0) {
        hs_rep_give_credit(s, cost); /* or a record larger than the credit would never come */
        return false;
    }
    store->states = (struct hs_states){fill->partition, fill->lane, HS_BYTES(body.data, body.size - rest.size)};
    give(s, fill, store, cost);
    return true;
}

void hs_rep_states_received(struct rep_session *s, const ProtobufCMessage *message)
{
    const Hallsync__PeerStates *states = (const Hallsync__PeerStates *)message;
    uint64_t cost = (uint64_t)states->raw_bytes + REP_SEGMENT_COST;
    struct rep_fill *fill = fill_of(s, states->partition, states->lane);
    if (fill == NULL)
        return;
    fill->moved_ms = s->r->now_ms;
    if (fill->state != REP_FILL_STATES || states->raw_bytes > HS_STATES_BYTES_MAX) {
        hs_rep_session_end(s, HS_EMALFORMED, "states that are none");
        return;
    }
    if (!hs_rep_take_credit(s, cost) || !hs_rep_hold_bears(s, fill->lane, cost))
        return;
    struct hs_replica_store *store = hs_rep_store_new(s->r, HS_STORE_STATES);
    if (store == NULL)
        return;
    if (!take_states(s, fill, states, store, cost))
        hs_replica_store_free(store);
    if (states->last && s->state == REP_LIVE && s->r->err == HS_OK)
        hs_rep_fill_end(s->r, fill);
}
