#include "tests/light/light.h"

#include "storage/model/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void *grown(void *array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return array;
    *room = *room == 0 ? 4 : *room * 2;
    array = realloc(array, *room * size);
    assert(array != NULL);
    return array;
}

static struct hs_bytes copy_of(struct hs_bytes bytes)
{
    uint8_t *copy = malloc(bytes.size + 1);
    assert(copy != NULL);
    memcpy(copy, bytes.data, bytes.size);
    return HS_BYTES(copy, bytes.size);
}

static void free_bytes(struct hs_bytes bytes)
{
    free((void *)(uintptr_t)bytes.data);
}

/* ---- streams ---- */

static size_t stream_place(const struct light_store *store, const struct hs_stream *name)
{
    size_t low = 0, high = store->stream_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (hs_stream_compare(&store->streams[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct light_stream *light_stream_find(const struct light_store *store, const struct hs_stream *name)
{
    size_t at = stream_place(store, name);
    return at < store->stream_count && hs_stream_equal(&store->streams[at]->name, name) ? store->streams[at] : NULL;
}

struct light_stream *light_stream_get(struct light_store *store, const struct hs_stream *name)
{
    size_t at = stream_place(store, name);
    if (at < store->stream_count && hs_stream_equal(&store->streams[at]->name, name))
        return store->streams[at];
    struct light_stream *stream = calloc(1, sizeof *stream);
    assert(stream != NULL);
    stream->name = *name;
    stream->hash = stream->base_hash = hs_chain_start(name);
    stream->own = name->origin == store->current;
    store->streams = grown(store->streams, &store->stream_room, store->stream_count, sizeof(struct light_stream *));
    memmove(store->streams + at + 1, store->streams + at, (store->stream_count - at) * sizeof(struct light_stream *));
    store->streams[at] = stream;
    store->stream_count++;
    return stream;
}

static void forget_ops(struct light_stream *stream, size_t count)
{
    if (count == 0)
        return;
    stream->base_hash = stream->ops[count - 1].hash;
    for (size_t i = 0; i < count; i++)
        free(stream->ops[i].bytes);
    memmove(stream->ops, stream->ops + count, (stream->n - stream->base - count) * sizeof *stream->ops);
    stream->base += count;
}

/* Down to the newest checkpoint that leaves as much as is to be kept; not each time, so that it costs little. */
static void let_go(struct light_stream *stream, size_t keep)
{
    if (stream->n - stream->base <= 2 * keep)
        return;
    size_t at = 0;
    while (at + 1 < stream->checkpoint_count && stream->checkpoints[at + 1].n + keep <= stream->n)
        at++;
    if (stream->checkpoints[at].n <= stream->base)
        return;
    forget_ops(stream, stream->checkpoints[at].n - stream->base);
    stream->checkpoint_count -= at;
    memmove(stream->checkpoints, stream->checkpoints + at, stream->checkpoint_count * sizeof *stream->checkpoints);
}

void light_stream_check(struct light_store *store, struct light_stream *stream, const struct hs_signature *signature)
{
    stream->checkpoints = grown(stream->checkpoints, &stream->checkpoint_room, stream->checkpoint_count,
                                sizeof *stream->checkpoints);
    stream->checkpoints[stream->checkpoint_count++] = (struct hs_checkpoint){stream->n, stream->hash, *signature};
    let_go(stream, stream->own ? store->keep_own : store->keep_foreign);
}

/* ---- digests ---- */

static struct light_digest *digest_get(struct light_store *store, hs_partition partition, uint16_t kind)
{
    size_t at = 0;
    while (at < store->digest_count && (store->digests[at].partition < partition ||
                                        (store->digests[at].partition == partition && store->digests[at].kind < kind)))
        at++;
    if (at < store->digest_count && store->digests[at].partition == partition && store->digests[at].kind == kind)
        return &store->digests[at];
    store->digests = realloc(store->digests, (store->digest_count + 1) * sizeof *store->digests);
    assert(store->digests != NULL);
    memmove(store->digests + at + 1, store->digests + at, (store->digest_count - at) * sizeof *store->digests);
    store->digest_count++;
    store->digests[at] = (struct light_digest){.partition = partition, .kind = kind};
    return &store->digests[at];
}

/* As if it were the first write of its record: light nodes and what is sent to them write each record once. */
static void add_write(struct light_store *store, const struct hs_stream *stream, uint64_t n, hs_stamp stamp,
                      const struct hs_write *write)
{
    struct hs_record record = {0};
    struct hs_dot dot = {stream->origin, n};
    struct hs_record_name name = {stream->partition, stream->lane, write->kind, write->id};
    struct hs_buf state = {0};
    enum hs_err err = hs_record_apply(&record, &dot, stamp, write, &store->arena);
    assert(err == HS_OK);
    hs_record_encode(&record, &state);
    struct hs_hash hash = hs_record_hash(&name, hs_buf_bytes(&state));
    struct light_digest *digest = digest_get(store, stream->partition, write->kind);
    digest->count++;
    hs_sum_add(&digest->sum, &hash);
    hs_buf_fini(&state);
}

static void add_op(struct light_store *store, const struct hs_stream *stream, uint64_t n, struct hs_bytes bytes)
{
    struct hs_op op;
    hs_arena_reset(&store->arena);
    enum hs_err err = hs_op_decode(bytes, &store->arena, &op);
    assert(err == HS_OK);
    for (size_t i = 0; i < op.write_count; i++)
        add_write(store, stream, n, op.stamp, &op.writes[i]);
}

/* ---- operations ---- */

void light_stream_append(struct light_store *store, struct light_stream *stream, struct hs_bytes op)
{
    stream->ops = grown(stream->ops, &stream->op_room, stream->n - stream->base, sizeof *stream->ops);
    struct light_op *added = &stream->ops[stream->n - stream->base];
    struct hs_bytes copy = copy_of(op);
    stream->hash = hs_chain_next(&stream->hash, op);
    *added = (struct light_op){(uint8_t *)(uintptr_t)copy.data, (uint32_t)copy.size, stream->hash};
    stream->n++;
    if (store->has_digests)
        add_op(store, &stream->name, stream->n, op);
}

enum hs_err light_store_receive(struct light_store *store, const struct hs_segment *segment)
{
    struct light_stream *stream = light_stream_get(store, &segment->stream);
    assert(light_origin_find(store, segment->stream.origin) != NULL);
    if (segment->first != stream->n + 1)
        return HS_EGAP;
    struct hs_cur cur = hs_cur_of(segment->body);
    for (uint32_t i = 0; i < segment->count; i++)
        light_stream_append(store, stream, hs_cur_sized(&cur));
    assert(hs_cur_done(&cur) && hs_hash_equal(&stream->hash, &segment->end));
    light_stream_check(store, stream, &segment->signature);
    return HS_OK;
}

/* ---- the other tables ---- */

static size_t origin_place(const struct light_store *store, uint64_t id)
{
    size_t low = 0, high = store->origin_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (store->origins[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct light_origin *light_origin_find(const struct light_store *store, uint64_t id)
{
    size_t at = origin_place(store, id);
    return at < store->origin_count && store->origins[at].id == id ? &store->origins[at] : NULL;
}

void light_put_origin(struct light_store *store, uint64_t id, struct hs_bytes certificate, struct hs_bytes opening)
{
    size_t at = origin_place(store, id);
    if (at < store->origin_count && store->origins[at].id == id)
        return;
    store->origins = grown(store->origins, &store->origin_room, store->origin_count, sizeof *store->origins);
    memmove(store->origins + at + 1, store->origins + at, (store->origin_count - at) * sizeof *store->origins);
    store->origins[at] = (struct light_origin){id, copy_of(certificate), copy_of(opening)};
    store->origin_count++;
}

void light_put_certificate(struct light_store *store, const struct hs_key *key, struct hs_bytes certificate)
{
    for (size_t i = 0; i < store->key_count; i++) {
        if (hs_key_equal(&store->keys[i], key))
            return;
    }
    store->keys = realloc(store->keys, (store->key_count + 1) * sizeof *store->keys);
    store->certificates = realloc(store->certificates, (store->key_count + 1) * sizeof *store->certificates);
    assert(store->keys != NULL && store->certificates != NULL);
    store->keys[store->key_count] = *key;
    store->certificates[store->key_count++] = copy_of(certificate);
}

void light_put_receipt(struct light_store *store, const struct hs_receipt *receipt)
{
    struct light_stream *stream = light_stream_find(store, &receipt->stream);
    size_t at = 0;
    if (stream == NULL)
        return;
    while (at < stream->receipt_count && stream->receipts[at].store_id != receipt->store_id)
        at++;
    if (at == LIGHT_STORES || (at < stream->receipt_count && stream->receipts[at].n >= receipt->n))
        return;
    stream->receipts[at] = *receipt;
    if (at == stream->receipt_count)
        stream->receipt_count++;
}

/* ---- the end ---- */

void light_store_fini(struct light_store *store)
{
    for (size_t i = 0; i < store->stream_count; i++) {
        struct light_stream *stream = store->streams[i];
        for (size_t op = 0; op < stream->n - stream->base; op++)
            free(stream->ops[op].bytes);
        free(stream->ops);
        free(stream->checkpoints);
        free(stream);
    }
    for (size_t i = 0; i < store->origin_count; i++) {
        free_bytes(store->origins[i].certificate);
        free_bytes(store->origins[i].opening);
    }
    for (size_t i = 0; i < store->key_count; i++)
        free_bytes(store->certificates[i]);
    free(store->streams);
    free(store->origins);
    free(store->digests);
    free(store->keys);
    free(store->certificates);
    hs_arena_fini(&store->arena);
    *store = (struct light_store){0};
}
