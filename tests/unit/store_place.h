/* store_place.h -- for the tests of storage/store: a region with one store of each kind, none of them open yet. */
#ifndef HS_TESTS_STORE_PLACE_H
#define HS_TESTS_STORE_PLACE_H

#include "tests/lib/store_world.h"

struct place {
    struct world_region region;
    struct world_node hall, hub, second_hub, witness;
};

static inline struct place *place_begin(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    *state = place;
    world_begin(&place->region);
    world_add(&place->region, &place->hall, "nj-hall", HS_ROLE_HALL);
    world_add(&place->region, &place->hub, "nj-hub", HS_ROLE_HUB);
    world_add(&place->region, &place->second_hub, "nj-hub-2", HS_ROLE_HUB);
    world_add(&place->region, &place->witness, "nj-witness", HS_ROLE_WITNESS);
    return place;
}

static inline int place_end(void **state)
{
    struct place *place = *state;
    world_drop(&place->hall);
    world_drop(&place->hub);
    world_drop(&place->second_hub);
    world_drop(&place->witness);
    world_end(&place->region);
    free(place);
    return 0;
}

#endif
