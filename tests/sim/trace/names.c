/* Stable names for what is random: origins, hashes, keys. */
#include "tests/sim/trace/trace.h"

#include <assert.h>
#include <stdio.h>

void trace_names_fini(struct trace *t)
{
    free(t->origins);
    free(t->hashes);
    free(t->labels);
}

static void *more(void *array, size_t count, size_t size)
{
    void *grown = realloc(array, (count + 1) * size);
    assert(grown != NULL);
    return grown;
}

/* ---- nodes ---- */

/* Two nodes with one id are a node and its clone. */
const char *trace_node_name(const struct trace *t, const struct world_node *node, char text[static 48])
{
    const char *id = node->certificate.node_id;
    bool is_twin = false;
    for (size_t i = 0; i < t->w->node_count && t->w->nodes[i] != node; i++)
        is_twin |= strcmp(t->w->nodes[i]->certificate.node_id, id) == 0;
    snprintf(text, 48, "%s%s", id, is_twin ? "-twin" : "");
    return text;
}

const char *trace_key_name(const struct trace *t, const struct hs_key *key)
{
    for (size_t i = 0; i < t->w->node_count; i++) {
        if (hs_key_equal(&t->w->nodes[i]->certificate.node_key, key))
            return t->w->nodes[i]->certificate.node_id;
    }
    return "a stranger";
}

const char *trace_hash_name(const struct trace *t, const ProtobufCBinaryData *hash)
{
    uint8_t own[HS_NODE_HASH_BYTES];
    for (size_t i = 0; i < t->w->node_count; i++) {
        hs_node_hash(&t->w->nodes[i]->certificate.node_key, own);
        if (hash->len == sizeof own && memcmp(hash->data, own, sizeof own) == 0)
            return t->w->nodes[i]->certificate.node_id;
    }
    return "a stranger";
}

const char *trace_store_name(const struct trace *t, uint64_t store_id)
{
    for (size_t i = 0; i < t->w->node_count; i++) {
        if (t->w->nodes[i]->store_id == store_id)
            return t->w->nodes[i]->certificate.node_id;
    }
    return "a stranger";
}

/* ---- origins ---- */

static const struct trace_origin *find_origin(const struct trace *t, uint64_t id)
{
    for (size_t i = 0; i < t->origin_count; i++) {
        if (t->origins[i].id == id)
            return &t->origins[i];
    }
    return NULL;
}

static void add_origin(struct trace *t, const struct world_origin *origin)
{
    struct hs_opening opening;
    size_t lives = 1;
    if (find_origin(t, origin->id) != NULL || hs_opening_verify(hs_buf_bytes(&origin->opening), &opening) != HS_OK)
        return;
    const char *node = trace_key_name(t, &opening.node_key);
    size_t size = strlen(node);
    for (size_t i = 0; i < t->origin_count; i++) {
        const char *name = t->origins[i].name;
        lives += strncmp(name, node, size) == 0 && (name[size] == '\0' || name[size] == '#');
    }
    t->origins = more(t->origins, t->origin_count, sizeof *t->origins);
    struct trace_origin *added = &t->origins[t->origin_count++];
    added->id = origin->id;
    if (lives == 1)
        snprintf(added->name, sizeof added->name, "%.32s", node);
    else
        snprintf(added->name, sizeof added->name, "%.32s#%u", node, (unsigned)lives);
}

const char *trace_origin_name(struct trace *t, uint64_t id)
{
    const struct trace_origin *found = find_origin(t, id);
    for (size_t i = 0; found == NULL && i < t->w->node_count; i++) {
        const struct world_store *store = &t->w->nodes[i]->store;
        for (size_t k = 0; k < store->origin_count; k++)
            add_origin(t, &store->origins[k]);
    }
    if (found == NULL)
        found = find_origin(t, id);
    return found == NULL ? "unknown" : found->name;
}

void trace_put_stream(struct trace *t, const struct hs_stream *stream)
{
    char partition[HS_PARTITION_TEXT_BYTES];
    trace_put(t, "%s/%s/%s", trace_origin_name(t, stream->origin), hs_partition_text(stream->partition, partition),
              hs_lane_valid(stream->lane) ? hs_lane_text((enum hs_lane)stream->lane) : "no lane");
}

/* ---- numbers and their hashes ---- */

static const struct trace_hash *find_hash(const struct trace *t, const struct hs_stream *stream, uint64_t n,
                                          const uint8_t prefix[static 8])
{
    for (size_t i = 0; i < t->hash_count; i++) {
        const struct trace_hash *hash = &t->hashes[i];
        if (hash->n == n && memcmp(hash->prefix, prefix, 8) == 0 && hs_stream_equal(&hash->stream, stream))
            return hash;
    }
    return NULL;
}

static void learn(struct trace *t, const struct hs_stream *stream, uint64_t n, const struct hs_hash *hash)
{
    unsigned variant = 0;
    if (find_hash(t, stream, n, hash->bytes) != NULL)
        return;
    for (size_t i = 0; i < t->hash_count; i++)
        variant += t->hashes[i].n == n && hs_stream_equal(&t->hashes[i].stream, stream);
    t->hashes = more(t->hashes, t->hash_count, sizeof *t->hashes);
    struct trace_hash *added = &t->hashes[t->hash_count++];
    *added = (struct trace_hash){.stream = *stream, .n = n, .variant = variant};
    memcpy(added->prefix, hash->bytes, 8);
}

static void learn_loose(struct trace *t, const struct hs_loose *loose)
{
    struct hs_cur cur = hs_cur_of(loose->segment.body);
    struct hs_hash hash = loose->start;
    for (uint32_t i = 0; i < loose->segment.count; i++) {
        hash = hs_chain_next(&hash, hs_cur_sized(&cur));
        learn(t, &loose->segment.stream, loose->segment.first + i, &hash);
    }
}

/* Whatever any store holds now. */
static void learn_all(struct trace *t, const struct hs_stream *stream)
{
    for (size_t i = 0; i < t->w->node_count; i++) {
        const struct world_store *store = &t->w->nodes[i]->store;
        const struct world_stream *held = world_store_find(store, stream);
        for (size_t n = 0; held != NULL && n < held->count; n++)
            learn(t, stream, n + 1, &held->ops[n].hash);
        for (size_t k = 0; k < store->loose_count; k++) {
            if (hs_stream_equal(&store->looses[k].loose.segment.stream, stream))
                learn_loose(t, &store->looses[k].loose);
        }
    }
}

void trace_put_number(struct trace *t, const struct hs_stream *stream, uint64_t n, const uint8_t hash[static 8])
{
    const struct trace_hash *found = n == 0 ? NULL : find_hash(t, stream, n, hash);
    if (n > 0 && found == NULL) {
        learn_all(t, stream);
        found = find_hash(t, stream, n, hash);
    }
    if (n > 0 && found == NULL) {
        trace_put(t, "a set of %llu", (unsigned long long)n);
        return;
    }
    trace_put(t, "%llu", (unsigned long long)n);
    for (unsigned i = 0; found != NULL && i < found->variant; i++)
        trace_put(t, "'");
}

void trace_put_label(struct trace *t, const ProtobufCBinaryData *hash)
{
    size_t at = 0;
    while (at < t->label_count && memcmp(t->labels[at].prefix, hash->data, 8) != 0)
        at++;
    if (at == t->label_count) {
        t->labels = more(t->labels, t->label_count, sizeof *t->labels);
        t->labels[t->label_count] = (struct trace_hash){0};
        memcpy(t->labels[t->label_count++].prefix, hash->data, 8);
    }
    if (at < 26)
        trace_put(t, "%c", (char)('a' + at));
    else
        trace_put(t, "%c%c", (char)('a' + at / 26 - 1), (char)('a' + at % 26));
}

bool trace_checkpoint_hash(const struct trace *t, const struct hs_stream *stream, uint64_t n,
                           const ProtobufCBinaryData *signature, struct hs_hash *hash)
{
    for (size_t i = 0; i < t->w->node_count; i++) {
        const struct world_stream *held = world_store_find(&t->w->nodes[i]->store, stream);
        for (size_t k = 0; held != NULL && k < held->checkpoint_count; k++) {
            const struct hs_checkpoint *checkpoint = &held->checkpoints[k];
            if (checkpoint->n != n || signature->len != HS_SIGNATURE_BYTES ||
                memcmp(checkpoint->signature.bytes, signature->data, HS_SIGNATURE_BYTES) != 0)
                continue;
            *hash = checkpoint->hash;
            return true;
        }
    }
    return false;
}
