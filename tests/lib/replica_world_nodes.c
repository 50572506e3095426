/* The nodes of the world: keys, certificates, scopes. */
#include "tests/lib/replica_world_source.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Ed25519 keys from a name: the same in every run. */
void world_keys(const char *name, struct hs_secret *secret, struct hs_key *key)
{
    struct hs_hash seed = hs_hash_domain("replica world", HS_BYTES(name, strlen(name)));
    int failed = crypto_sign_seed_keypair(key->bytes, secret->bytes, seed.bytes);
    assert(failed == 0);
}

static void sign_certificate(const struct world *w, const struct hs_certificate *draft, struct hs_buf *certificate)
{
    struct hs_buf issuer = {0};
    struct hs_issuer_draft issuer_draft = {"test region", "hub-1", w->issuer_key, 1};
    enum hs_err err = hs_issuer_sign(&issuer_draft, &w->root, &issuer);
    assert(err == HS_OK);
    err = hs_certificate_sign(draft, hs_buf_bytes(&issuer), &w->issuer, certificate);
    assert(err == HS_OK);
    hs_buf_fini(&issuer);
}

void world_certify(struct world_node *node, const hs_partition *districts, size_t count, struct hs_buf *certificate)
{
    struct hs_certificate draft = node->certificate;
    memcpy(draft.districts, districts, count * sizeof *districts);
    draft.district_count = count;
    draft.issued_ms++;
    sign_certificate(node->world, &draft, certificate);
}

static struct world_node *make_node(struct world *w, const char *id, enum hs_role role, const hs_partition *districts,
                                    size_t count)
{
    struct world_node *node = calloc(1, sizeof *node);
    assert(node != NULL);
    node->world = w;
    node->wake_ms = UINT64_MAX;
    struct hs_certificate *draft = &node->certificate;
    snprintf(draft->node_id, sizeof draft->node_id, "%s", id);
    draft->role = role;
    draft->home = count == 0 ? 0 : districts[0];
    draft->district_count = role == HS_ROLE_HUB ? 0 : count;
    memcpy(draft->districts, districts, draft->district_count * sizeof *districts);
    world_keys(id, &node->secret, &draft->node_key);
    draft->curve_key = draft->node_key;
    draft->curve_key.bytes[0] ^= 0xff;
    sign_certificate(w, draft, &node->certificate_bytes);
    node->store_id = world_random(w);
    world_store_put_certificate(&node->store, &draft->node_key, hs_buf_bytes(&node->certificate_bytes));
    return node;
}

static struct world_node *add_node(struct world *w, const char *id, enum hs_role role, const hs_partition *districts,
                                   size_t count)
{
    assert(w->node_count < WORLD_NODES_MAX);
    w->nodes[w->node_count] = make_node(w, id, role, districts, count);
    return w->nodes[w->node_count++];
}

struct world_node *world_extra(struct world *w, const char *id, hs_partition district)
{
    return make_node(w, id, HS_ROLE_HALL, &district, 1);
}

void world_node_fini(struct world_node *node)
{
    world_store_fini(&node->store);
    hs_buf_fini(&node->certificate_bytes);
    free(node->stores);
}

void world_extra_free(struct world_node *node)
{
    world_node_fini(node);
    free(node);
}

struct world_node *world_hub_at(struct world *w, const char *id, hs_partition home)
{
    return add_node(w, id, HS_ROLE_HUB, &home, 1);
}

struct world_node *world_witness(struct world *w, const char *id, const hs_partition *districts, size_t count)
{
    return add_node(w, id, HS_ROLE_WITNESS, districts, count);
}

void world_narrow(struct world_node *node, const hs_partition *districts, size_t count)
{
    assert(node->replica == NULL);
    node->districts = districts;
    node->district_count = count;
}

bool world_in_scope(const struct world_node *node, hs_partition partition)
{
    bool named = node->district_count == 0 || partition == HS_PARTITION_REGION;
    for (size_t i = 0; i < node->district_count; i++)
        named |= node->districts[i] == partition;
    return named && hs_certificate_scope(&node->certificate, partition);
}

struct world_node *world_hub(struct world *w, const char *id)
{
    static const hs_partition NONE[1];
    return add_node(w, id, HS_ROLE_HUB, NONE, 0);
}

struct world_node *world_hall(struct world *w, const char *id, const hs_partition *districts, size_t count)
{
    return add_node(w, id, HS_ROLE_HALL, districts, count);
}
