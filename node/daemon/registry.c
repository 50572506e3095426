#include "node/daemon/registry.h"

#include "node/log/log.h"
#include "proto/base/arena.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"
#include "storage/model/record.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { REISSUE_CERTIFICATE = 3 };

struct hs_registry {
    struct hs_job job; /* first; one at a time */
    struct hs_registry_options options;
    struct hs_arena arena; /* the writer's thread */

    pthread_mutex_t lock; /* of what follows */
    bool due, under_way;
};

/* ---- one record ---- */

struct look {
    struct hs_registry *registry;
    struct hs_store *store; /* NULL: only to see whether there is something to take */
    struct hs_view *view;
    size_t wanted;
};

/* The same node with other districts.  Who may say so: the region's root vouches for the issuer. */
static bool is_reissue(const struct hs_certificate *held, const struct hs_certificate *later)
{
    return hs_key_equal(&held->node_key, &later->node_key) && strcmp(held->node_id, later->node_id) == 0 &&
           held->role == later->role && held->home == later->home && later->issued_ms > held->issued_ms;
}

static enum hs_err is_wanted(struct look *look, struct hs_bytes encoded, bool *wanted)
{
    const struct hs_key *root = &hs_store_certificate(look->registry->options.store)->root_key;
    struct hs_certificate later, held;
    struct hs_bytes known;
    *wanted = false;
    if (hs_certificate_verify(encoded, root, &later) != HS_OK)
        return HS_OK; /* no hub of the region writes such; it changes nothing here */
    enum hs_err err = hs_view_certificate(look->view, &later.node_key, &known);
    if (err == HS_ENOTFOUND)
        *wanted = true;
    else if (err == HS_OK && hs_certificate_verify(known, root, &held) == HS_OK)
        *wanted = is_reissue(&held, &later);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

static enum hs_err take(struct look *look, struct hs_bytes encoded)
{
    bool wanted;
    enum hs_err err = is_wanted(look, encoded, &wanted);
    if (err != HS_OK || !wanted)
        return err;
    look->wanted++;
    return look->store == NULL ? HS_OK : hs_store_put_certificate(look->store, encoded);
}

static enum hs_err visit(void *ctx, const struct hs_stored *stored)
{
    struct look *look = ctx;
    struct hs_record record;
    hs_arena_reset(&look->registry->arena);
    enum hs_err err = hs_record_decode(stored->state, &look->registry->arena, &record);
    if (err == HS_EMALFORMED)
        return HS_EDAMAGED;
    for (size_t i = 0; err == HS_OK && i < record.variant_count; i++)
        err = take(look, hs_tlv_bytes(record.variants[i].bytes, REISSUE_CERTIFICATE));
    return err;
}

/* ---- all of them: first a look at the records, then, if there is something to take, a job that writes ---- */

static enum hs_err run(struct hs_job *job, struct hs_store *store)
{
    struct hs_registry *registry = (struct hs_registry *)job;
    struct look look = {.registry = registry, .store = store, .view = hs_store_view(store)};
    enum hs_err err = hs_view_all(look.view, HS_KIND_REISSUE, HS_BYTES_NONE, visit, &look);
    if (err == HS_OK && look.wanted > 0)
        HS_LOG(REISSUED, HS_NUMBER("certificates", look.wanted));
    return err;
}

static enum hs_err see(struct hs_registry *registry, struct hs_view *view, bool *wanted, bool *renewed)
{
    const struct hs_certificate *own = hs_store_certificate(registry->options.store);
    struct look look = {.registry = registry, .view = view};
    struct hs_certificate held;
    struct hs_bytes encoded;
    enum hs_err err = hs_view_all(view, HS_KIND_REISSUE, HS_BYTES_NONE, visit, &look);
    *wanted = look.wanted > 0;
    /* The store goes by it from its next start on, but not with another key of the link. */
    *renewed = err == HS_OK && hs_view_certificate(view, &own->node_key, &encoded) == HS_OK &&
               hs_certificate_verify(encoded, &own->root_key, &held) == HS_OK && is_reissue(own, &held) &&
               hs_key_equal(&own->curve_key, &held.curve_key);
    return err;
}

static void look_if_due(struct hs_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    bool look = registry->due && !registry->under_way;
    if (look)
        registry->due = false;
    registry->under_way = registry->under_way || look;
    pthread_mutex_unlock(&registry->lock);
    if (look && hs_writer_after_flush(registry->options.writer, &registry->job) != HS_OK) {
        pthread_mutex_lock(&registry->lock);
        registry->under_way = false; /* stopping */
        pthread_mutex_unlock(&registry->lock);
    }
}

/* Of a look, or of the job that wrote. */
static void done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct hs_registry *registry = (struct hs_registry *)job;
    struct hs_view *view = NULL;
    bool wanted = false, renewed = false;
    (void)commit;
    if (err == HS_OK)
        err = hs_view_open(registry->options.store, 0, 0, &view);
    if (err == HS_OK)
        err = see(registry, view, &wanted, &renewed);
    hs_view_close(view);
    if (err != HS_OK && err != HS_ESTOPPING)
        HS_LOG(REGISTRY_FAILED, HS_WORD("reason", hs_err_name(err)));
    if (renewed)
        registry->options.renewed(registry->options.ctx);
    if (err == HS_OK && wanted && hs_writer_submit(registry->options.writer, &registry->job) == HS_OK)
        return;
    pthread_mutex_lock(&registry->lock);
    registry->under_way = false;
    registry->due = registry->due || wanted;
    pthread_mutex_unlock(&registry->lock);
    if (err == HS_OK && !wanted) /* else it is too busy: after the next commit, then */
        look_if_due(registry);
}

/* ---- from outside ---- */

enum hs_err hs_registry_new(const struct hs_registry_options *options, struct hs_registry **registry)
{
    struct hs_registry *made = calloc(1, sizeof *made);
    if (made == NULL)
        return HS_ENOMEM;
    made->options = *options;
    made->job = (struct hs_job){.run = run, .done = done, .weight = HS_CERTIFICATE_BYTES_MAX};
    hs_arena_init(&made->arena, 0);
    pthread_mutex_init(&made->lock, NULL);
    *registry = made;
    return HS_OK;
}

static void want(struct hs_registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    registry->due = true;
    pthread_mutex_unlock(&registry->lock);
}

void hs_registry_look(struct hs_registry *registry)
{
    want(registry);
    look_if_due(registry);
}

void hs_registry_start(struct hs_registry *registry)
{
    hs_registry_look(registry);
}

void hs_registry_committed(struct hs_registry *registry, const struct hs_commit *commit)
{
    for (size_t i = 0; i < commit->head_count; i++) {
        const struct hs_stream *stream = &commit->heads[i].stream;
        if (stream->partition == HS_PARTITION_REGION && stream->lane == HS_LANE_PEOPLE)
            want(registry);
    }
    look_if_due(registry);
}

void hs_registry_free(struct hs_registry *registry)
{
    if (registry == NULL)
        return;
    hs_arena_fini(&registry->arena);
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}
