/* continuity_found_test.c -- what the search of continuity_worlds.c found, with real stores. */
#include "tests/lib/store_world.h"

struct place {
    struct world_region region;
    struct world_node hall, twin;
    char backup[WORLD_PATH_BYTES];
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    world_begin(&place->region);
    world_add(&place->region, &place->hall, "nj-hall", HS_ROLE_HALL);
    world_twin(&place->hall, &place->twin, "twin");
    world_path(place->backup, place->region.base, "backup");
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    world_drop(&place->hall);
    world_drop(&place->twin);
    world_end(&place->region);
    free(place);
    return 0;
}

/* The hall is killed between a commit and its note.  A copy that lacks the commit is started beside it, doubts, and
 * finds the disk full; the hall starts and shows the commit, without a note, which the copy has.  Then the copied state
 * is put back: the note, which still named it, must not prove it. */
static void a_note_once_doubted_proves_nothing_any_more(void **state)
{
    struct place *place = *state;
    char note[WORLD_PATH_BYTES];
    char kept[WORLD_PATH_BYTES];
    world_open(&place->hall, true);
    world_path(kept, place->region.base, "kept.note");
    world_note_path(&place->hall, note);
    uint64_t origin = world_group(&place->hall, 1).origin;
    world_close(&place->hall);
    world_copy_dir(place->hall.dir, place->backup);
    world_open(&place->hall, false);
    world_copy_file(note, kept);
    world_group(&place->hall, 1);
    world_close(&place->hall);
    world_copy_file(kept, note); /* killed between a commit and its note */
    world_copy_dir(place->backup, place->twin.dir);
    place->twin.options.map_bytes = 4096; /* it doubts, and cannot strike */
    world_open(&place->twin, false);
    assert_non_null(hs_store_break(place->twin.store));
    world_open(&place->hall, false); /* keeps no note, for the twin has it */
    assert_non_null(hs_store_break(place->hall.store));
    hs_view_close(world_view(&place->hall)); /* here a hub sees the second op */
    world_close(&place->hall);
    world_close(&place->twin);
    world_copy_dir(place->backup, place->hall.dir);
    world_open(&place->hall, false);
    assert_non_null(hs_store_break(place->hall.store));
    assert_true(world_group(&place->hall, 1).origin != origin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_note_once_doubted_proves_nothing_any_more, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
