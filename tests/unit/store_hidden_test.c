/* store_hidden_test.c -- rot that hides what a log holds: records made anew without it would show less and say nothing,
 * so that a store has to refuse to start. */
#include "tests/lib/store_fill.h"
#include "tests/lib/store_rot.h"
#include "tests/unit/store_place.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, place_end)

static int setup(void **state)
{
    struct place *place = place_begin(state);
    world_open(&place->hall, true);
    world_group(&place->hall, 5);
    return 0;
}

static void forget_records(const struct world_node *node)
{
    char path[WORLD_PATH_BYTES];
    world_path(path, node->dir, "records/data.mdb");
    assert_int_equal(unlink(path), 0);
}

static void expect_refused(struct world_node *node)
{
    struct hs_why why = {{0}};
    assert_int_equal(world_try_open(node, false, &why), HS_EDAMAGED);
    assert_non_null(strstr(why.text, "replay"));
}

/* Whose operations they are decides whether they count. */
static void operations_of_nobody_are_damage(void **state)
{
    struct place *place = *state;
    uint8_t key[8];
    hs_be64(key, world_current_origin(&place->hall));
    world_close(&place->hall);
    world_turn_row(&place->hall, LOG_ORIGIN, HS_BYTES(key, sizeof key), 3); /* of the node key */
    forget_records(&place->hall);
    expect_refused(&place->hall);
}

/* Base states are in no chain: only their number says that all are there.  LMDB's row of a table has it behind 32
 * bytes. */
static void fewer_base_states_than_there_were_are_damage(void **state)
{
    struct place *place = *state;
    struct hs_commit commit;
    struct hs_dot dot;
    struct world_fact fact = world_money(7);
    fact.lane = HS_LANE_PEOPLE;
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(world_write(&place->hall, &fact, &dot), HS_OK);
    assert_int_equal(hs_store_commit(place->hall.store, &commit), HS_OK);
    world_open(&place->hub, true);
    fill_all(&place->hall, &place->hub, 3201, HS_LANE_PEOPLE, 1000);
    world_close(&place->hub);
    world_turn_file(&place->hub, "base", 4 + 32);
    forget_records(&place->hub);
    expect_refused(&place->hub);
}

/* An empty table in its place would let in whom it keeps out, or forget what it says. */
static void a_table_without_its_name_is_damage(void **state)
{
    struct place *place = *state;
    struct hs_why why = {{0}};
    world_close(&place->hall);
    world_turn_file(&place->hall, "revocation", 0);
    for (int again = 0; again < 2; again++)
        assert_int_equal(world_try_open(&place->hall, false, &why), HS_EDAMAGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fewer_base_states_than_there_were_are_damage),
        TEST(a_table_without_its_name_is_damage),
        TEST(operations_of_nobody_are_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
