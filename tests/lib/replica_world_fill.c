/* The world's base states and fills: what came as state instead of operations. */
#include "storage/model/record.h"
#include "tests/lib/replica_world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define KIND 1

static void *more(void *array, size_t count, size_t size)
{
    void *grown = realloc(array, (count + 1) * size);
    assert(grown != NULL);
    memset((uint8_t *)grown + count * size, 0, size);
    return grown;
}

static struct hs_buf buf_of(struct hs_bytes bytes)
{
    struct hs_buf buf = {0};
    hs_buf_put_bytes(&buf, bytes);
    assert(buf.err == HS_OK);
    return buf;
}

/* ---- records: one fact for each distinct op of a partition ---- */

void world_record_of(const struct hs_stream *stream, uint64_t n, struct hs_bytes op, struct hs_buf *key,
                     struct hs_buf *state)
{
    struct hs_hash id = hs_hash_of(op);
    struct hs_record_name name = {stream->partition, stream->lane, KIND, HS_BYTES(id.bytes, 16)};
    struct hs_write write = {.kind = KIND, .id = name.id, .is_fact = true, .fact = op};
    struct hs_dot dot = {stream->origin, n};
    struct hs_record record = {0};
    struct hs_arena arena;
    uint8_t packed[HS_RECORD_KEY_BYTES_MAX];
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_record_apply(&record, &dot, n, &write, &arena);
    assert(err == HS_OK);
    hs_buf_reset(key);
    hs_buf_reset(state);
    hs_buf_put(key, packed, hs_record_key(&name, packed));
    hs_record_encode(&record, state);
    assert(key->err == HS_OK && state->err == HS_OK);
    hs_arena_fini(&arena);
}

static size_t place_of(const struct world_store *store, struct hs_bytes key)
{
    size_t low = 0, high = store->state_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hs_bytes_compare(hs_buf_bytes(&store->states[middle].key), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void join_into(struct hs_buf *held, struct hs_bytes state)
{
    struct hs_record a, b, both;
    struct hs_arena arena;
    struct hs_buf joined = {0};
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_record_decode(hs_buf_bytes(held), &arena, &a);
    if (err == HS_OK)
        err = hs_record_decode(state, &arena, &b);
    if (err == HS_OK)
        err = hs_record_join(&a, &b, &arena, &both);
    assert(err == HS_OK);
    hs_record_encode(&both, &joined);
    hs_buf_fini(held);
    *held = joined;
    hs_arena_fini(&arena);
}

void world_store_put_state(struct world_store *store, struct hs_bytes key, struct hs_bytes state)
{
    size_t at = place_of(store, key);
    if (at < store->state_count && hs_bytes_equal(hs_buf_bytes(&store->states[at].key), key)) {
        join_into(&store->states[at].state, state);
        return;
    }
    store->states = more(store->states, store->state_count, sizeof *store->states);
    memmove(store->states + at + 1, store->states + at, (store->state_count - at) * sizeof *store->states);
    store->states[at] = (struct world_state){buf_of(key), buf_of(state)};
    store->state_count++;
}

void world_store_prune(struct world_store *store, struct world_stream *stream, uint64_t n)
{
    struct hs_buf key = {0}, state = {0};
    for (; stream->base < n; stream->base++) {
        struct hs_buf *op = &stream->ops[stream->base].bytes;
        world_record_of(&stream->name, stream->base + 1, hs_buf_bytes(op), &key, &state);
        world_store_put_state(store, hs_buf_bytes(&key), hs_buf_bytes(&state));
        hs_buf_fini(op);
    }
    hs_buf_fini(&key);
    hs_buf_fini(&state);
}

/* Ops that are kept become records of a copy: the world is small. */
static void all_states(const struct world_store *store, hs_partition partition, uint8_t lane, struct world_store *to)
{
    struct hs_buf key = {0}, state = {0};
    for (size_t i = 0; i < store->state_count; i++) {
        const struct world_state *from = &store->states[i];
        if (hs_from_be16(from->key.data) == partition && from->key.data[2] == lane)
            world_store_put_state(to, hs_buf_bytes(&from->key), hs_buf_bytes(&from->state));
    }
    for (size_t i = 0; i < store->stream_count; i++) {
        const struct world_stream *stream = &store->streams[i];
        for (size_t n = stream->base; n < stream->count; n++) {
            if (stream->name.partition != partition || stream->name.lane != lane)
                break;
            world_record_of(&stream->name, n + 1, hs_buf_bytes(&stream->ops[n].bytes), &key, &state);
            world_store_put_state(to, hs_buf_bytes(&key), hs_buf_bytes(&state));
        }
    }
    for (size_t i = 0; i < store->loose_count; i++) {
        const struct hs_segment *segment = &store->looses[i].loose.segment;
        struct hs_cur cur = hs_cur_of(segment->body);
        for (uint32_t k = 0; k < segment->count; k++) {
            struct hs_bytes op = hs_cur_sized(&cur);
            if (segment->stream.partition != partition || segment->stream.lane != lane)
                break;
            world_record_of(&segment->stream, segment->first + k, op, &key, &state);
            world_store_put_state(to, hs_buf_bytes(&key), hs_buf_bytes(&state));
        }
    }
    hs_buf_fini(&key);
    hs_buf_fini(&state);
}

static void states_fini(struct world_store *store)
{
    for (size_t i = 0; i < store->state_count; i++) {
        hs_buf_fini(&store->states[i].key);
        hs_buf_fini(&store->states[i].state);
    }
    free(store->states);
    store->states = NULL;
    store->state_count = 0;
}

void world_store_states(const struct world_store *store, const struct hs_states_wanted *wanted, struct hs_buf *body,
                        struct hs_states_read *read)
{
    struct world_store all = {0};
    size_t begin = body->size, key_at = 0, key_size = 0, i = 0;
    all_states(store, wanted->partition, wanted->lane, &all);
    while (i < all.state_count && hs_bytes_compare(hs_buf_bytes(&all.states[i].key), wanted->after) <= 0)
        i++;
    for (; i < all.state_count && body->size - begin < wanted->limit; i++) {
        const struct world_state *from = &all.states[i];
        size_t size = from->key.size + from->state.size + 6;
        if (body->size > begin && body->size - begin + size > wanted->limit)
            break;
        hs_buf_put_varint(body, from->key.size);
        key_at = body->size;
        key_size = from->key.size;
        hs_buf_put_bytes(body, hs_buf_bytes(&from->key));
        hs_buf_put_sized(body, hs_buf_bytes(&from->state));
    }
    assert(body->err == HS_OK);
    read->next = HS_BYTES(body->data + key_at, key_size);
    read->last = i == all.state_count;
    states_fini(&all);
}

uint64_t world_store_records(const struct world_store *store, hs_partition partition, uint8_t lane)
{
    struct world_store all = {0};
    all_states(store, partition, lane, &all);
    uint64_t count = all.state_count;
    states_fini(&all);
    return count;
}

/* ---- fills ---- */

struct world_fill *world_store_fill(struct world_store *store, hs_partition partition, uint8_t lane)
{
    for (size_t i = 0; i < store->fill_count; i++) {
        if (store->fills[i].partition == partition && store->fills[i].lane == lane)
            return &store->fills[i];
    }
    return NULL;
}

void world_store_fill_begin(struct world_store *store, hs_partition partition, uint8_t lane)
{
    if (world_store_fill(store, partition, lane) != NULL)
        return;
    store->fills = more(store->fills, store->fill_count, sizeof *store->fills);
    store->fills[store->fill_count++] = (struct world_fill){.partition = partition, .lane = lane};
}

static void fill_remove(struct world_store *store, struct world_fill *fill)
{
    size_t at = (size_t)(fill - store->fills);
    free(fill->heads);
    hs_buf_fini(&fill->after);
    store->fill_count--;
    memmove(store->fills + at, store->fills + at + 1, (store->fill_count - at) * sizeof *store->fills);
}

static const struct hs_signed_head *in_part(const struct hs_fill_note *note, const struct hs_stream *name)
{
    for (size_t i = 0; i < note->count; i++) {
        if (hs_stream_equal(&note->heads[i].stream, name))
            return &note->heads[i];
    }
    return NULL;
}

static bool part_covers(const struct hs_fill_note *note, const struct hs_stream *name)
{
    if (note->after != NULL && hs_stream_compare(name, note->after) <= 0)
        return false;
    return note->last || (note->count > 0 && hs_stream_compare(name, &note->heads[note->count - 1].stream) <= 0);
}

/* Of several lists the lowest of each stream; what one leaves out is not noted. */
static void lower(struct world_fill *fill, const struct hs_fill_note *note)
{
    size_t kept = 0;
    for (size_t i = 0; i < fill->head_count; i++) {
        struct hs_signed_head *head = &fill->heads[i];
        const struct hs_signed_head *other = in_part(note, &head->stream);
        if (other != NULL && other->n < head->n)
            *head = *other;
        if (other != NULL || !part_covers(note, &head->stream))
            fill->heads[kept++] = *head;
    }
    fill->head_count = kept;
}

void world_store_fill_note(struct world_store *store, const struct hs_fill_note *note)
{
    struct world_fill *fill = world_store_fill(store, note->partition, note->lane);
    assert(fill != NULL);
    if (note->total > 0)
        fill->total = note->total;
    if (fill->noted) {
        lower(fill, note);
    } else {
        if (note->after == NULL)
            fill->head_count = 0;
        fill->heads = realloc(fill->heads, (fill->head_count + note->count + 1) * sizeof *fill->heads);
        assert(fill->heads != NULL);
        if (note->count > 0)
            memcpy(fill->heads + fill->head_count, note->heads, note->count * sizeof *note->heads);
        fill->head_count += note->count;
    }
    fill->noted |= note->last;
}

enum hs_err world_store_fill_states(struct world_store *store, const struct hs_states *states)
{
    struct world_fill *fill = world_store_fill(store, states->partition, states->lane);
    struct hs_cur cur = hs_cur_of(states->body);
    assert(fill != NULL && fill->noted);
    while (cur.left > 0) {
        struct hs_bytes key = hs_cur_sized(&cur), state = hs_cur_sized(&cur);
        assert(cur.err == HS_OK);
        if (hs_bytes_compare(key, hs_buf_bytes(&fill->after)) <= 0)
            return HS_EGAP;
        world_store_put_state(store, key, state);
        hs_buf_reset(&fill->after);
        hs_buf_put_bytes(&fill->after, key);
        fill->records++;
    }
    return HS_OK;
}

static void jump(struct world_stream *stream, const struct hs_signed_head *head)
{
    stream->ops = realloc(stream->ops, head->n * sizeof *stream->ops);
    assert(stream->ops != NULL);
    memset(stream->ops + stream->count, 0, (head->n - stream->count) * sizeof *stream->ops);
    stream->count = stream->base = stream->room = head->n;
    stream->ops[head->n - 1].hash = head->hash;
    world_stream_check(stream, &head->signature);
}

void world_store_fill_end(struct world_store *store, hs_partition partition, uint8_t lane, world_visit_jump visit,
                          void *ctx)
{
    struct world_fill *fill = world_store_fill(store, partition, lane);
    assert(fill != NULL && fill->noted);
    for (size_t i = 0; i < fill->head_count; i++) {
        const struct hs_signed_head *noted = &fill->heads[i];
        assert(world_store_origin(store, noted->stream.origin) != NULL);
        if (world_store_forked(store, &noted->stream))
            continue;
        struct world_stream *stream = world_store_stream(store, &noted->stream);
        if (stream->count >= noted->n)
            continue;
        jump(stream, noted);
        struct hs_head head = {noted->stream, noted->n, noted->hash};
        visit(ctx, &head);
    }
    fill_remove(store, fill);
}

static bool has_reached(const struct world_store *store, const struct world_fill *fill)
{
    for (size_t i = 0; i < fill->head_count; i++) {
        const struct world_stream *stream = world_store_find(store, &fill->heads[i].stream);
        if ((stream == NULL ? 0 : stream->count) < fill->heads[i].n &&
            !world_store_forked(store, &fill->heads[i].stream))
            return false;
    }
    return fill->noted;
}

void world_store_settle_money(struct world_store *store)
{
    for (size_t i = store->fill_count; i > 0; i--) {
        struct world_fill *fill = &store->fills[i - 1];
        if (fill->lane == HS_LANE_MONEY && has_reached(store, fill))
            fill_remove(store, fill);
    }
}

/* ---- of a node ---- */

void world_fill_scope(struct world_node *node)
{
    assert(node->replica == NULL);
    for (uint8_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++) {
        for (size_t i = 0; i < node->certificate.district_count; i++)
            world_store_fill_begin(&node->store, node->certificate.districts[i], lane);
        world_store_fill_begin(&node->store, HS_PARTITION_REGION, lane);
    }
}

void world_prune(struct world_node *node, const struct hs_stream *name, uint64_t n)
{
    assert(name->lane != HS_LANE_MONEY);
    world_store_prune(&node->store, world_store_stream(&node->store, name), n);
}

/* ---- copies ---- */

void world_fills_copy(struct world_store *to)
{
    const struct world_state *states = to->states;
    const struct world_fill *fills = to->fills;
    to->states = calloc(to->state_count + 1, sizeof *to->states);
    to->fills = calloc(to->fill_count + 1, sizeof *to->fills);
    assert(to->states != NULL && to->fills != NULL);
    for (size_t i = 0; i < to->state_count; i++)
        to->states[i] = (struct world_state){buf_of(hs_buf_bytes(&states[i].key)),
                                             buf_of(hs_buf_bytes(&states[i].state))};
    for (size_t i = 0; i < to->fill_count; i++) {
        to->fills[i] = fills[i];
        to->fills[i].after = buf_of(hs_buf_bytes(&fills[i].after));
        to->fills[i].heads = calloc(fills[i].head_count + 1, sizeof *fills[i].heads);
        assert(to->fills[i].heads != NULL);
        if (fills[i].head_count > 0)
            memcpy(to->fills[i].heads, fills[i].heads, fills[i].head_count * sizeof *fills[i].heads);
    }
}

void world_fills_fini(struct world_store *store)
{
    while (store->fill_count > 0)
        fill_remove(store, &store->fills[store->fill_count - 1]);
    free(store->fills);
    states_fini(store);
}
