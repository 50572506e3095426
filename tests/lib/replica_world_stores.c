/* The world's idea of stores that are gone, as storage/store.h has it: an array, nothing fast. */
#include "tests/lib/replica_world_source.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct hs_peer_store *find(const struct world_store *store, const struct hs_key *key, uint64_t id)
{
    for (size_t i = 0; i < store->peer_store_count; i++) {
        struct hs_peer_store *row = &store->peer_stores[i];
        if (row->store_id == id && hs_key_equal(&row->node_key, key))
            return row;
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const struct hs_peer_store *first = a, *second = b;
    int order = memcmp(first->node_key.bytes, second->node_key.bytes, HS_KEY_BYTES);
    return order != 0 ? order : first->store_id < second->store_id ? -1 : first->store_id > second->store_id;
}

static struct hs_peer_store *get(struct world_store *store, const struct hs_key *key, uint64_t id)
{
    struct hs_peer_store *row = find(store, key, id);
    if (row != NULL)
        return row;
    store->peer_stores = realloc(store->peer_stores, (store->peer_store_count + 1) * sizeof *store->peer_stores);
    assert(store->peer_stores != NULL);
    store->peer_stores[store->peer_store_count++] = (struct hs_peer_store){
        .node_key = *key, .store_id = id, .state = HS_PEER_STORE_CURRENT};
    qsort(store->peer_stores, store->peer_store_count, sizeof *store->peer_stores, compare);
    return find(store, key, id);
}

void world_stores_copy(struct world_store *to)
{
    size_t size = to->peer_store_count * sizeof *to->peer_stores;
    struct hs_peer_store *copy = malloc(size + 1);
    assert(copy != NULL);
    if (size > 0)
        memcpy(copy, to->peer_stores, size);
    to->peer_stores = copy;
}

/* ---- writing ---- */

static void want_others(struct world_store *store, const struct hs_key *gone)
{
    for (size_t i = 0; i < store->peer_store_count; i++) {
        struct hs_peer_store *row = &store->peer_stores[i];
        row->is_wanted = row->is_wanted || (row->state == HS_PEER_STORE_CURRENT && !hs_key_equal(&row->node_key, gone));
    }
}

/* @is_new: something is gone that was not. */
static void gone(struct world_store *store, const struct hs_key *key, uint64_t id, bool *is_new)
{
    struct hs_peer_store *row = find(store, key, id);
    if (row != NULL && row->state == HS_PEER_STORE_GONE)
        return;
    *is_new = true;
    get(store, key, id)->state = HS_PEER_STORE_GONE;
    want_others(store, key);
}

void world_store_meet(struct world_node *node, const struct hs_met *met, bool *is_new)
{
    struct world_store *store = &node->store;
    struct hs_certificate certificate;
    enum hs_err err = hs_certificate_verify(met->certificate, &node->world->root_key, &certificate);
    assert(err == HS_OK);
    (void)err;
    const struct hs_key *key = &certificate.node_key;
    bool had = false;
    for (size_t i = 0; i < store->peer_store_count; i++) {
        struct hs_peer_store *row = &store->peer_stores[i];
        bool named = row->store_id == met->store_id || (met->backup_store != 0 && row->store_id == met->backup_store);
        if (!hs_key_equal(&row->node_key, key) || named)
            continue;
        had = true;
        gone(store, key, row->store_id, is_new);
    }
    for (size_t i = 0; i < store->peer_store_count; i++)
        had = had || (store->peer_stores[i].state == HS_PEER_STORE_GONE &&
                      !hs_key_equal(&store->peer_stores[i].node_key, &node->certificate.node_key));
    bool known = find(store, key, met->store_id) != NULL;
    *is_new = true;
    struct hs_peer_store *row = get(store, key, met->store_id);
    if (!known)
        row->is_wanted = had;
    if (met->backup_store != 0 && find(store, key, met->backup_store) == NULL)
        get(store, key, met->backup_store)->state = HS_PEER_STORE_BACKUP;
}

void world_store_gone(struct world_node *node, const struct hs_key *key, uint64_t id, bool *is_new)
{
    if (id == node->store_id && hs_key_equal(key, &node->certificate.node_key))
        node->renews = true;
    else
        gone(&node->store, key, id, is_new);
}

void world_store_told(struct world_store *store, const struct hs_key *key, uint64_t id, bool *is_new)
{
    *is_new = true;
    get(store, key, id)->is_wanted = false;
}

/* All have met before, unless a test is about that. */
void world_have_met(struct world_node *node)
{
    const struct world *world = node->world;
    for (size_t i = 0; i < world->node_count; i++) {
        const struct world_node *other = world->nodes[i];
        if (other != node && other->certificate.role != HS_ROLE_HALL &&
            find(&node->store, &other->certificate.node_key, other->store_id) == NULL && !node->has_met)
            get(&node->store, &other->certificate.node_key, other->store_id);
    }
    node->has_met = true;
}

/* As hs_store_open does it. */
void world_renew(struct world_node *node)
{
    assert(node->replica == NULL);
    get(&node->store, &node->certificate.node_key, node->store_id)->state = HS_PEER_STORE_GONE;
    node->store_id = world_random(node->world);
    node->renews = false;
    for (size_t i = 0; i < node->store.stream_count; i++) {
        const struct world_stream *stream = &node->store.streams[i];
        if (stream->count == 0 || node->certificate.role == HS_ROLE_HALL)
            continue;
        struct hs_head head = {stream->name, stream->count, stream->ops[stream->count - 1].hash};
        world_sign_receipt(node, &head);
    }
}

/* ---- reading ---- */

enum hs_err world_peer_stores(void *ctx, hs_visit_peer_store visit, void *visit_ctx)
{
    const struct world_node *node = ctx;
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < node->store.peer_store_count && err == HS_OK; i++)
        err = visit(visit_ctx, &node->store.peer_stores[i]);
    return err;
}

enum hs_err world_store_counts(void *ctx, const struct hs_key *key, uint64_t id, bool *counts)
{
    const struct world_node *node = ctx;
    const struct hs_peer_store *row = find(&node->store, key, id);
    *counts = row == NULL || row->state != HS_PEER_STORE_GONE;
    if (find(&node->store, key, 0) != NULL)
        *counts = false;
    for (size_t i = 0; row == NULL && i < node->store.peer_store_count; i++) {
        const struct hs_peer_store *other = &node->store.peer_stores[i];
        if (other->state == HS_PEER_STORE_CURRENT && hs_key_equal(&other->node_key, key))
            *counts = false;
    }
    return HS_OK;
}

uint64_t world_backup_store(void *ctx)
{
    return ((const struct world_node *)ctx)->backup_store;
}
