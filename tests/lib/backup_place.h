/* backup_place.h -- for the tests of node/backup: a hub with key files, as init makes it, and a recovery key. */
#ifndef HS_TESTS_BACKUP_PLACE_H
#define HS_TESTS_BACKUP_PLACE_H

#include "tests/lib/store_world.h"

#include "node/backup/backup.h"
#include "node/link/keys.h"
#include "proto/sealed/recovery.h"

struct place {
    struct world_region region;
    struct world_node hub;
    struct hs_keys keys;
    uint8_t secret[HS_SEALED_KEY_BYTES];
    struct hs_key recipient;
    char file[WORLD_PATH_BYTES], target[WORLD_PATH_BYTES];
};

/* With so many groups of 13 payments. */
static inline struct place *place_new(int groups)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    struct world_node *hub = &place->hub;
    world_begin(&place->region);
    world_add(&place->region, hub, "nj-hub", HS_ROLE_HUB);
    assert_int_equal(mkdir(hub->dir, 0700), 0);
    struct hs_keys_draft draft = {.region = "Nanjing", .node_id = "nj-hub", .home = 3201, .now_ms = 1};
    assert_int_equal(hs_keys_make_hub(hub->dir, &draft, NULL), HS_OK);
    assert_int_equal(hs_keys_load(hub->dir, &place->keys, NULL), HS_OK);
    hub->options.certificate = hs_buf_bytes(&place->keys.certificate);
    hub->options.signer = hs_signer_of(place->keys.node);
    world_open(hub, true);
    for (int i = 0; i < groups; i++)
        world_group(hub, 13);
    memset(place->secret, 0x55, sizeof place->secret);
    assert_int_equal(hs_recovery_public(place->secret, &place->recipient), HS_OK);
    world_path(place->file, place->region.base, "first.backup");
    world_path(place->target, place->region.base, "restored");
    return place;
}

static inline void place_free(struct place *place)
{
    world_drop(&place->hub);
    hs_keys_free(&place->keys);
    world_end(&place->region);
    free(place);
}

static inline struct hs_backup_options place_backup(const struct place *place)
{
    return (struct hs_backup_options){
        .dir = place->hub.dir,
        .path = place->file,
        .config = HS_BYTES("node:\n", 6),
        .recipients = &place->recipient,
        .recipient_count = 1,
        .signer = place->hub.options.signer,
        .utc_offset_minutes = 480,
        .now_ms = WORLD_START_MS,
    };
}

static inline enum hs_err place_restore(struct place *place, bool force, struct hs_restored *restored,
                                        struct hs_why *why)
{
    struct hs_restore_options options = {
        .path = place->file,
        .dir = place->target,
        .secret = place->secret,
        .force = force,
        .now_ms = WORLD_START_MS + 1,
        .map_bytes = WORLD_MAP_BYTES,
    };
    return hs_restore(&options, restored, why);
}

#endif
