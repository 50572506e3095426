/* The world's stores as the replica reads them. */
#include "tests/lib/replica_world_source.h"

#include "storage/model/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define KIND 1 /* of every record: an op is one fact, its id is a hash of its bytes */

static enum hs_err cut(void *ctx, const struct hs_stream *name, uint64_t first, struct hs_buf *body,
                       struct hs_segment *segment)
{
    struct world_node *node = ctx;
    const struct world_stream *stream = world_store_find(&node->store, name);
    node->reads++;
    if (stream == NULL || first > stream->count)
        return HS_ENOTFOUND;
    if (first <= stream->base)
        return HS_EPRUNED;
    if (hs_stream_equal(name, &node->unreadable))
        return HS_EDAMAGED;
    if (node->rotten.last != 0 && hs_stream_equal(name, &node->rotten.stream) && first <= node->rotten.last)
        return HS_EDAMAGED; /* whatever lies before it is asked for in the same segment */
    const struct hs_checkpoint *end = NULL;
    size_t bytes = 0, at = first - 1;
    for (size_t i = 0; i < stream->checkpoint_count; i++) {
        const struct hs_checkpoint *checkpoint = &stream->checkpoints[i];
        if (checkpoint->n < first)
            continue;
        for (; at < checkpoint->n; at++)
            bytes += stream->ops[at].bytes.size + 3;
        if (end != NULL && (bytes > HS_SEGMENT_BYTES_SOFT || checkpoint->n - first + 1 > HS_SEGMENT_OPS_MAX))
            break;
        end = checkpoint;
    }
    assert(end != NULL);
    for (at = first - 1; at < end->n; at++)
        hs_buf_put_sized(body, hs_buf_bytes(&stream->ops[at].bytes));
    *segment = (struct hs_segment){.stream = *name,
                                   .first = first,
                                   .count = (uint32_t)(end->n - first + 1),
                                   .body = hs_buf_bytes(body),
                                   .end = end->hash,
                                   .signature = end->signature};
    return body->err;
}

static enum hs_err origin(void *ctx, uint64_t id, struct hs_buf *certificate, struct hs_buf *opening)
{
    const struct world_node *node = ctx;
    const struct world_origin *found = world_store_origin(&node->store, id);
    if (found == NULL)
        return HS_ENOTFOUND;
    hs_buf_put_bytes(certificate, hs_buf_bytes(&found->certificate));
    hs_buf_put_bytes(opening, hs_buf_bytes(&found->opening));
    return HS_OK;
}

static enum hs_err hash_at(void *ctx, const struct hs_stream *name, uint64_t n, struct hs_hash *hash)
{
    const struct world_node *node = ctx;
    const struct world_stream *stream = world_store_find(&node->store, name);
    if (stream == NULL || n > stream->count || n < stream->base)
        return HS_ENOTFOUND;
    *hash = n == 0 ? hs_chain_start(name) : stream->ops[n - 1].hash;
    return HS_OK;
}

static enum hs_err checkpoint(void *ctx, const struct hs_stream *name, uint64_t n, struct hs_checkpoint *out)
{
    const struct world_node *node = ctx;
    const struct world_stream *stream = world_store_find(&node->store, name);
    for (size_t i = stream == NULL ? 0 : stream->checkpoint_count; i > 0; i--) {
        if (stream->checkpoints[i - 1].n <= n) {
            *out = stream->checkpoints[i - 1];
            return HS_OK;
        }
    }
    return HS_ENOTFOUND;
}

static enum hs_err whole_from(void *ctx, const struct hs_stream *name, uint64_t *n)
{
    const struct world_node *node = ctx;
    const struct world_stream *stream = world_store_find(&node->store, name);
    if (stream == NULL || stream->count == 0)
        return HS_ENOTFOUND;
    *n = stream->base;
    return HS_OK;
}

static enum hs_err receipts(void *ctx, const struct hs_stream *name, hs_visit_receipt visit, void *visit_ctx)
{
    const struct world_node *node = ctx;
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < node->store.receipt_count && err == HS_OK; i++) {
        if (hs_stream_equal(&node->store.receipts[i].stream, name))
            err = visit(visit_ctx, &node->store.receipts[i]);
    }
    return err;
}

static enum hs_err certificate_of(void *ctx, const struct hs_key *key, struct hs_buf *certificate)
{
    const struct world_node *node = ctx;
    for (size_t i = 0; i < node->store.certificate_count; i++) {
        if (!hs_key_equal(&node->store.certificates[i].key, key))
            continue;
        hs_buf_put_bytes(certificate, hs_buf_bytes(&node->store.certificates[i].bytes));
        return HS_OK;
    }
    return HS_ENOTFOUND;
}

static enum hs_err heads(void *ctx, hs_visit_head visit, void *visit_ctx)
{
    const struct world_node *node = ctx;
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < node->store.stream_count && err == HS_OK; i++) {
        const struct world_stream *stream = &node->store.streams[i];
        struct hs_head head = {stream->name, stream->count, {{0}}};
        if (stream->count == 0)
            continue;
        head.hash = stream->ops[stream->count - 1].hash;
        err = visit(visit_ctx, &head);
    }
    return err;
}

static enum hs_err forks(void *ctx, hs_visit_fork visit, void *visit_ctx)
{
    const struct world_node *node = ctx;
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < node->store.fork_count && err == HS_OK; i++) {
        const struct world_fork *fork = &node->store.forks[i];
        err = visit(visit_ctx, &fork->stream, fork->n, hs_buf_bytes(&fork->proof));
    }
    return err;
}

static enum hs_err looses(void *ctx, const struct hs_stream *name, hs_visit_loose visit, void *visit_ctx)
{
    const struct world_node *node = ctx;
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < node->store.loose_count && err == HS_OK; i++) {
        if (hs_stream_equal(&node->store.looses[i].loose.segment.stream, name))
            err = visit(visit_ctx, &node->store.looses[i].loose);
    }
    return err;
}

/* ---- records: one fact for each distinct op of a partition ---- */

struct fact {
    hs_partition partition;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    size_t key_size;
    uint32_t leaf;
    struct hs_hash hash, inputs;
};
struct facts {
    struct fact *items;
    size_t count;
};

static void add_fact(struct facts *facts, const struct world_node *node, const struct hs_stream *stream,
                     struct hs_bytes op)
{
    struct hs_hash id = hs_hash_of(op);
    struct hs_record_name name = {stream->partition, stream->lane, KIND, node->text_ids ? op : HS_BYTES(id.bytes, 16)};
    facts->items = realloc(facts->items, (facts->count + 1) * sizeof *facts->items);
    assert(facts->items != NULL);
    struct fact *fact = &facts->items[facts->count++];
    fact->partition = stream->partition;
    fact->key_size = hs_record_key(&name, fact->key);
    struct hs_hash place = hs_hash_domain("hallsync leaf 1", HS_BYTES(fact->key, fact->key_size));
    fact->leaf = node->one_leaf ? 0 : (uint32_t)hs_from_be16(place.bytes) >> 4;
    fact->inputs = hs_hash_domain("inputs", op);
    fact->hash = hs_hash_domain("record", op);
    if (node->store.rotten && hs_hash_equal(&node->store.rot, &id))
        fact->hash.bytes[0] ^= 1;
}

static void add_states(struct facts *facts, const struct world_node *node)
{
    struct hs_arena arena;
    hs_arena_init(&arena, 0);
    for (size_t i = 0; i < node->store.state_count; i++) {
        const struct world_state *from = &node->store.states[i];
        struct hs_stream stream = {.partition = hs_from_be16(from->key.data), .lane = from->key.data[2]};
        struct hs_record record;
        hs_arena_reset(&arena);
        enum hs_err err = hs_record_decode(hs_buf_bytes(&from->state), &arena, &record);
        assert(err == HS_OK && record.variant_count == 1);
        add_fact(facts, node, &stream, record.variants[0].bytes);
    }
    hs_arena_fini(&arena);
}

static int compare_facts(const void *a, const void *b)
{
    const struct fact *first = a, *second = b;
    return hs_bytes_compare(HS_BYTES(first->key, first->key_size), HS_BYTES(second->key, second->key_size));
}

static struct facts facts_of(const struct world_node *node)
{
    const struct world_store *store = &node->store;
    struct facts facts = {0};
    for (size_t i = 0; i < store->stream_count; i++) {
        for (size_t n = store->streams[i].base; n < store->streams[i].count; n++)
            add_fact(&facts, node, &store->streams[i].name, hs_buf_bytes(&store->streams[i].ops[n].bytes));
    }
    add_states(&facts, node);
    for (size_t i = 0; i < store->loose_count; i++) {
        struct hs_cur cur = hs_cur_of(store->looses[i].loose.segment.body);
        while (cur.left > 0)
            add_fact(&facts, node, &store->looses[i].loose.segment.stream, hs_cur_sized(&cur));
    }
    if (facts.count > 0)
        qsort(facts.items, facts.count, sizeof *facts.items, compare_facts);
    size_t kept = 0;
    for (size_t i = 0; i < facts.count; i++) {
        if (kept == 0 || compare_facts(&facts.items[kept - 1], &facts.items[i]) != 0)
            facts.items[kept++] = facts.items[i];
    }
    facts.count = kept;
    return facts;
}

size_t world_ops(const struct world_node *node)
{
    struct facts facts = facts_of(node);
    free(facts.items);
    return facts.count;
}

static enum hs_err digests(void *ctx, hs_visit_digest visit, void *visit_ctx)
{
    const struct world_node *node = ctx;
    struct facts facts = facts_of(node);
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < facts.count && err == HS_OK;) {
        struct hs_digest digest = {.partition = facts.items[i].partition, .kind = KIND};
        for (; i < facts.count && facts.items[i].partition == digest.partition; i++) {
            digest.count++;
            hs_sum_add(&digest.sum, &facts.items[i].hash);
        }
        err = visit(visit_ctx, &digest);
    }
    free(facts.items);
    return err;
}

static uint32_t index_of(const struct fact *fact, int branch)
{
    return branch < 0 ? fact->leaf / HS_DIGEST_BRANCHES : fact->leaf;
}

static enum hs_err digest_level(void *ctx, hs_partition partition, uint16_t kind, int branch, hs_visit_digest visit,
                                void *visit_ctx)
{
    const struct world_node *node = ctx;
    struct facts facts = facts_of(node);
    enum hs_err err = HS_OK;
    uint32_t first = branch < 0 ? 0 : (uint32_t)branch * HS_DIGEST_BRANCHES;
    for (uint32_t index = first; index < first + HS_DIGEST_BRANCHES && err == HS_OK; index++) {
        struct hs_digest digest = {.partition = partition, .kind = kind, .index = index};
        for (size_t i = 0; i < facts.count; i++) {
            if (facts.items[i].partition != partition || kind != KIND || index_of(&facts.items[i], branch) != index)
                continue;
            digest.count++;
            hs_sum_add(&digest.sum, &facts.items[i].hash);
        }
        if (digest.count > 0)
            err = visit(visit_ctx, &digest);
    }
    free(facts.items);
    return err;
}

static enum hs_err digest_leaf(void *ctx, hs_partition partition, uint16_t kind, uint32_t leaf, struct hs_bytes after,
                               hs_visit_compared visit, void *visit_ctx)
{
    const struct world_node *node = ctx;
    struct facts facts = facts_of(node);
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < facts.count && err == HS_OK; i++) {
        const struct fact *fact = &facts.items[i];
        struct hs_bytes key = HS_BYTES(fact->key, fact->key_size);
        if (fact->partition != partition || kind != KIND || fact->leaf != leaf || hs_bytes_compare(key, after) <= 0)
            continue;
        struct hs_compared compared = {key, fact->hash, fact->inputs,
                                       node->content.size != 0 ? node->content
                                                               : HS_BYTES(fact->hash.bytes, HS_HASH_BYTES)};
        err = visit(visit_ctx, &compared);
    }
    free(facts.items);
    return err;
}

/* ---- state transfer ---- */

static enum hs_err fills(void *ctx, hs_visit_fill visit, void *visit_ctx)
{
    const struct world_node *node = ctx;
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < node->store.fill_count && err == HS_OK; i++) {
        const struct world_fill *from = &node->store.fills[i];
        struct hs_fill fill = {from->partition, from->lane, from->noted, hs_buf_bytes(&from->after), from->records,
                               from->total,     0};
        err = visit(visit_ctx, &fill);
    }
    return err;
}

static enum hs_err states(void *ctx, uint64_t least, const struct hs_states_wanted *wanted, struct hs_buf *body,
                          struct hs_states_read *read)
{
    struct world_node *node = ctx;
    node->state_reads++;
    if (node->store.commit < least + node->records_late)
        return HS_EBUSY;
    world_store_states(&node->store, wanted, body, read);
    read->commit = node->store.commit;
    return HS_OK;
}

static uint64_t states_count(void *ctx, hs_partition partition, uint8_t lane)
{
    const struct world_node *node = ctx;
    return world_store_records(&node->store, partition, lane);
}

static uint64_t commit_number(void *ctx)
{
    const struct world_node *node = ctx;
    return node->store.commit;
}

/* ---- the rest ---- */

static enum hs_err healed(void *ctx, hs_visit_healed visit, void *visit_ctx)
{
    const struct world_node *node = ctx;
    return node->is_rot_noted && (node->rotten.last != 0 || node->rotten.store_id != 0)
               ? visit(visit_ctx, &node->rotten)
               : HS_OK;
}

/* As the store does: the receipt goes, and waits until it comes again. */
static void note_receipt(struct world_node *node, const struct hs_replica_store *todo)
{
    struct world_store *store = &node->store;
    size_t kept = 0;
    for (size_t i = 0; i < store->receipt_count; i++) {
        const struct hs_receipt *receipt = &store->receipts[i];
        bool is_it = receipt->store_id == todo->store_id && hs_stream_equal(&receipt->stream, &todo->stream);
        if (!is_it || hs_receipt_verify(receipt) == HS_OK)
            store->receipts[kept++] = *receipt;
        else
            node->rotten = (struct hs_healed){.stream = todo->stream, .store_id = todo->store_id};
    }
    node->is_rot_noted = node->is_rot_noted || kept < store->receipt_count;
    store->receipt_count = kept;
}

void world_note_rot(struct world_node *node, const struct hs_replica_store *todo)
{
    if (todo->store_id != 0)
        note_receipt(node, todo);
    else
        node->is_rot_noted = node->rotten.last != 0 && hs_stream_equal(&node->rotten.stream, &todo->stream);
}

void world_settle_receipt(struct world_node *node, const struct hs_receipt *receipt)
{
    if (receipt->store_id == node->rotten.store_id && hs_stream_equal(&receipt->stream, &node->rotten.stream))
        node->rotten = (struct hs_healed){.last = 0};
}

static enum hs_err ask(void *ctx, const struct hs_ask *question, hs_visit_asked visit, void *visit_ctx)
{
    struct world_node *node = ctx;
    return node->ask != NULL ? node->ask(node, question, visit, visit_ctx) : HS_OK;
}

static uint64_t current_origin(void *ctx)
{
    const struct world_node *node = ctx;
    return node->store.current;
}

static uint64_t clock_ms(void *ctx)
{
    const struct world_node *node = ctx;
    return (uint64_t)(WORLD_CLOCK_MS + (int64_t)node->world->now_ms + node->clock_offset_ms);
}

static void payments(void *ctx, uint64_t *count, int64_t *sum_fen)
{
    const struct world_node *node = ctx;
    *count = node->store.commit;
    *sum_fen = -5;
}

static enum hs_err own_payments(void *ctx, uint64_t *count, int64_t *sum_fen)
{
    (void)ctx;
    *count = 0;
    *sum_fen = 0;
    return HS_OK;
}

static bool figures(void *ctx, struct hs_figures *to)
{
    const struct world_node *node = ctx;
    if (node->figures != NULL)
        *to = *node->figures;
    return node->figures != NULL;
}

struct hs_replica_source world_source(struct world_node *node)
{
    return (struct hs_replica_source){
        .ctx = node,
        .cut = cut,
        .origin = origin,
        .hash_at = hash_at,
        .checkpoint = checkpoint,
        .whole_from = whole_from,
        .receipts = receipts,
        .certificate = certificate_of,
        .revocations = world_revocations,
        .releases = world_releases,
        .limit = world_limit,
        .peer_stores = world_peer_stores,
        .store_counts = world_store_counts,
        .backup_store = world_backup_store,
        .own_payments = own_payments,
        .figures = figures,
        .heads = heads,
        .forks = forks,
        .loose = looses,
        .digests = digests,
        .digest_level = digest_level,
        .digest_leaf = digest_leaf,
        .fills = fills,
        .states = states,
        .states_count = states_count,
        .commit = commit_number,
        .healed = healed,
        .ask = ask,
        .current_origin = current_origin,
        .clock_ms = clock_ms,
        .payments = payments,
    };
}
