/* The world's stores: everything in arrays, nothing fast. */
#include "tests/lib/replica_world.h"

#include "proto/msg/tlv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more in an array that grows by one. */
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

/* ---- streams ---- */

const struct world_stream *world_store_find(const struct world_store *store, const struct hs_stream *name)
{
    for (size_t i = 0; i < store->stream_count; i++) {
        if (hs_stream_equal(&store->streams[i].name, name))
            return &store->streams[i];
    }
    return NULL;
}

struct world_stream *world_store_stream(struct world_store *store, const struct hs_stream *name)
{
    size_t at = 0;
    while (at < store->stream_count && hs_stream_compare(&store->streams[at].name, name) < 0)
        at++;
    if (at < store->stream_count && hs_stream_equal(&store->streams[at].name, name))
        return &store->streams[at];
    store->streams = more(store->streams, store->stream_count, sizeof *store->streams);
    memmove(store->streams + at + 1, store->streams + at, (store->stream_count - at) * sizeof *store->streams);
    store->stream_count++;
    store->streams[at] = (struct world_stream){.name = *name};
    return &store->streams[at];
}

void world_stream_append(struct world_stream *stream, struct hs_bytes op)
{
    struct hs_hash before = stream->count == 0 ? hs_chain_start(&stream->name) : stream->ops[stream->count - 1].hash;
    if (stream->count >= stream->room) {
        stream->room = stream->count * 2 + 4;
        stream->ops = realloc(stream->ops, stream->room * sizeof *stream->ops);
        assert(stream->ops != NULL);
    }
    stream->ops[stream->count++] = (struct world_op){buf_of(op), hs_chain_next(&before, op)};
}

void world_stream_check(struct world_stream *stream, const struct hs_signature *signature)
{
    stream->checkpoints = more(stream->checkpoints, stream->checkpoint_count, sizeof *stream->checkpoints);
    stream->checkpoints[stream->checkpoint_count++] = (struct hs_checkpoint){
        stream->count, stream->ops[stream->count - 1].hash, *signature};
}

enum hs_err world_store_put_base(struct world_store *store, const struct hs_signed_head *head)
{
    if (world_store_origin(store, head->stream.origin) == NULL)
        return HS_EINTERNAL; /* the opening goes first */
    struct world_stream *stream = world_store_stream(store, &head->stream);
    if (stream->count > 0)
        return HS_EEXISTS;
    while (stream->count < head->n) {
        stream->ops = more(stream->ops, stream->count, sizeof *stream->ops);
        stream->count++;
    }
    stream->ops[stream->count - 1].hash = head->hash;
    stream->base = stream->room = stream->count;
    world_stream_check(stream, &head->signature);
    return HS_OK;
}

bool world_store_forked(const struct world_store *store, const struct hs_stream *name)
{
    for (size_t i = 0; i < store->fork_count; i++) {
        if (hs_stream_equal(&store->forks[i].stream, name))
            return true;
    }
    return false;
}

enum hs_err world_store_receive(struct world_store *store, const struct hs_segment *segment)
{
    if (world_store_origin(store, segment->stream.origin) == NULL)
        return HS_EINTERNAL; /* the opening goes first */
    if (world_store_forked(store, &segment->stream))
        return HS_EFORK;
    struct world_stream *stream = world_store_stream(store, &segment->stream);
    if (segment->first != stream->count + 1)
        return HS_EGAP;
    struct hs_cur cur = hs_cur_of(segment->body);
    for (uint32_t i = 0; i < segment->count; i++)
        world_stream_append(stream, hs_cur_sized(&cur));
    assert(hs_cur_done(&cur));
    assert(hs_hash_equal(&stream->ops[stream->count - 1].hash, &segment->end));
    world_stream_check(stream, &segment->signature);
    return HS_OK;
}

/* ---- the other tables ---- */

const struct world_origin *world_store_origin(const struct world_store *store, uint64_t id)
{
    for (size_t i = 0; i < store->origin_count; i++) {
        if (store->origins[i].id == id)
            return &store->origins[i];
    }
    return NULL;
}

void world_store_put_origin(struct world_store *store, uint64_t id, struct hs_bytes certificate,
                            struct hs_bytes opening)
{
    if (world_store_origin(store, id) != NULL)
        return;
    store->origins = more(store->origins, store->origin_count, sizeof *store->origins);
    store->origins[store->origin_count++] = (struct world_origin){id, buf_of(certificate), buf_of(opening)};
}

static uint64_t issued_ms(struct hs_bytes certificate)
{
    return hs_tlv_u64(hs_tlv_bytes(hs_tlv_bytes(certificate, 2), 1), 8, 0); /* node, body, issued_ms */
}

void world_store_put_certificate(struct world_store *store, const struct hs_key *key, struct hs_bytes bytes)
{
    for (size_t i = 0; i < store->certificate_count; i++) {
        struct world_certificate *known = &store->certificates[i];
        if (!hs_key_equal(&known->key, key))
            continue;
        if (issued_ms(bytes) > issued_ms(hs_buf_bytes(&known->bytes))) {
            hs_buf_fini(&known->bytes);
            known->bytes = buf_of(bytes);
        }
        return;
    }
    store->certificates = more(store->certificates, store->certificate_count, sizeof *store->certificates);
    store->certificates[store->certificate_count++] = (struct world_certificate){*key, buf_of(bytes)};
}

void world_store_put_receipt(struct world_store *store, const struct hs_receipt *receipt)
{
    for (size_t i = 0; i < store->receipt_count; i++) {
        struct hs_receipt *known = &store->receipts[i];
        if (known->store_id != receipt->store_id || !hs_stream_equal(&known->stream, &receipt->stream))
            continue;
        if (receipt->n > known->n)
            *known = *receipt;
        return;
    }
    store->receipts = more(store->receipts, store->receipt_count, sizeof *store->receipts);
    store->receipts[store->receipt_count++] = *receipt;
}

void world_store_put_fork(struct world_store *store, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof)
{
    if (world_store_forked(store, stream))
        return;
    store->forks = more(store->forks, store->fork_count, sizeof *store->forks);
    store->forks[store->fork_count++] = (struct world_fork){*stream, n, buf_of(proof)};
}

void world_store_put_loose(struct world_store *store, const struct hs_loose *loose)
{
    for (size_t i = 0; i < store->loose_count; i++) {
        const struct hs_segment *known = &store->looses[i].loose.segment;
        if (hs_stream_equal(&known->stream, &loose->segment.stream) &&
            hs_hash_equal(&known->end, &loose->segment.end) && known->first == loose->segment.first)
            return;
    }
    store->looses = more(store->looses, store->loose_count, sizeof *store->looses);
    struct world_loose *kept = &store->looses[store->loose_count++];
    *kept = (struct world_loose){*loose, buf_of(loose->segment.body)};
    kept->loose.segment.body = hs_buf_bytes(&kept->body);
}

/* ---- what is in it ---- */

static bool loose_has(const struct hs_segment *segment, struct hs_bytes op)
{
    struct hs_cur cur = hs_cur_of(segment->body);
    for (uint32_t i = 0; i < segment->count; i++) {
        if (hs_bytes_equal(hs_cur_sized(&cur), op))
            return true;
    }
    return false;
}

bool world_store_has(const struct world_store *store, hs_partition partition, struct hs_bytes op)
{
    for (size_t i = 0; i < store->stream_count; i++) {
        const struct world_stream *stream = &store->streams[i];
        for (size_t n = stream->base; stream->name.partition == partition && n < stream->count; n++) {
            if (hs_bytes_equal(hs_buf_bytes(&stream->ops[n].bytes), op))
                return true;
        }
    }
    struct hs_hash id = hs_hash_of(op);
    for (size_t i = 0; i < store->state_count; i++) {
        const struct hs_buf *key = &store->states[i].key;
        if (hs_from_be16(key->data) == partition && memcmp(key->data + key->size - 16, id.bytes, 16) == 0)
            return true;
    }
    for (size_t i = 0; i < store->loose_count; i++) {
        const struct hs_segment *segment = &store->looses[i].loose.segment;
        if (segment->stream.partition == partition && loose_has(segment, op))
            return true;
    }
    return false;
}

/* Does @b hold what @a does, as far as it may? */
static bool covers(const struct world_node *a, const struct world_node *b)
{
    for (size_t i = 0; i < a->store.stream_count; i++) {
        const struct world_stream *mine = &a->store.streams[i];
        if (mine->count == 0 || !world_in_scope(b, mine->name.partition) || world_store_forked(&a->store, &mine->name))
            continue;
        const struct world_stream *theirs = world_store_find(&b->store, &mine->name);
        bool both = world_in_scope(a, mine->name.partition); /* else it does not come back to its writer */
        if (theirs == NULL || theirs->count < mine->count || (both && theirs->count > mine->count) ||
            !hs_hash_equal(&theirs->ops[mine->count - 1].hash, &mine->ops[mine->count - 1].hash))
            return false;
    }
    return true;
}

bool world_same(const struct world_node *a, const struct world_node *b)
{
    return covers(a, b) && covers(b, a);
}

uint64_t world_head(const struct world_node *node, const struct hs_stream *name)
{
    const struct world_stream *stream = world_store_find(&node->store, name);
    return stream == NULL ? 0 : stream->count;
}

/* ---- copies ---- */

static void *copy_array(const void *from, size_t count, size_t size)
{
    void *to = malloc(count * size + 1);
    assert(to != NULL);
    if (count > 0)
        memcpy(to, from, count * size);
    return to;
}

static void copy_stream(struct world_stream *stream)
{
    stream->ops = copy_array(stream->ops, stream->count, sizeof *stream->ops);
    stream->room = stream->count;
    for (size_t i = 0; i < stream->count; i++)
        stream->ops[i].bytes = buf_of(hs_buf_bytes(&stream->ops[i].bytes));
    stream->checkpoints = copy_array(stream->checkpoints, stream->checkpoint_count, sizeof *stream->checkpoints);
}

void world_store_copy(const struct world_store *from, struct world_store *to)
{
    *to = *from;
    to->streams = copy_array(from->streams, from->stream_count, sizeof *from->streams);
    for (size_t i = 0; i < to->stream_count; i++)
        copy_stream(&to->streams[i]);
    to->origins = copy_array(from->origins, from->origin_count, sizeof *from->origins);
    for (size_t i = 0; i < to->origin_count; i++) {
        to->origins[i].certificate = buf_of(hs_buf_bytes(&from->origins[i].certificate));
        to->origins[i].opening = buf_of(hs_buf_bytes(&from->origins[i].opening));
    }
    to->receipts = copy_array(from->receipts, from->receipt_count, sizeof *from->receipts);
    to->certificates = copy_array(from->certificates, from->certificate_count, sizeof *from->certificates);
    for (size_t i = 0; i < to->certificate_count; i++)
        to->certificates[i].bytes = buf_of(hs_buf_bytes(&from->certificates[i].bytes));
    to->forks = copy_array(from->forks, from->fork_count, sizeof *from->forks);
    for (size_t i = 0; i < to->fork_count; i++)
        to->forks[i].proof = buf_of(hs_buf_bytes(&from->forks[i].proof));
    world_fills_copy(to);
    world_trusts_copy(to);
    world_stores_copy(to);
    to->looses = copy_array(from->looses, from->loose_count, sizeof *from->looses);
    for (size_t i = 0; i < to->loose_count; i++) {
        to->looses[i].body = buf_of(hs_buf_bytes(&from->looses[i].body));
        to->looses[i].loose.segment.body = hs_buf_bytes(&to->looses[i].body);
    }
}

void world_store_fini(struct world_store *store)
{
    for (size_t i = 0; i < store->stream_count; i++) {
        for (size_t n = 0; n < store->streams[i].count; n++)
            hs_buf_fini(&store->streams[i].ops[n].bytes);
        free(store->streams[i].ops);
        free(store->streams[i].checkpoints);
    }
    for (size_t i = 0; i < store->origin_count; i++) {
        hs_buf_fini(&store->origins[i].certificate);
        hs_buf_fini(&store->origins[i].opening);
    }
    for (size_t i = 0; i < store->certificate_count; i++)
        hs_buf_fini(&store->certificates[i].bytes);
    for (size_t i = 0; i < store->fork_count; i++)
        hs_buf_fini(&store->forks[i].proof);
    for (size_t i = 0; i < store->loose_count; i++)
        hs_buf_fini(&store->looses[i].body);
    free(store->streams);
    free(store->origins);
    free(store->receipts);
    free(store->certificates);
    free(store->forks);
    free(store->looses);
    world_fills_fini(store);
    world_trusts_fini(store);
    free(store->peer_stores);
    *store = (struct world_store){0};
}
