/* store_number_test.c -- storage/store: numbers of receipts, which no fault may give out twice. */
#include "tests/lib/store_number.h"

#include "storage/store/inside.h"

struct place {
    struct world_region region;
    struct world_node hall;
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    world_begin(&place->region);
    world_add(&place->region, &place->hall, "nj-hall", HS_ROLE_HALL);
    world_open(&place->hall, true);
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    world_drop(&place->hall);
    world_end(&place->region);
    free(place);
    return 0;
}

static void commit(struct world_node *node)
{
    struct hs_commit done;
    assert_int_equal(hs_store_commit(node->store, &done), HS_OK);
}

static void numbers_are_gap_free_within_their_series(void **state)
{
    struct place *place = *state;
    char series[HS_NUMBER_BYTES_MAX];
    char again[HS_NUMBER_BYTES_MAX];
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(world_next_number(&place->hall, 3, series), 1);
    assert_int_equal(strncmp(series, "nj-hall-20261121-03-", 20), 0);
    assert_int_equal(strlen(series), 26);
    assert_int_equal(world_next_number(&place->hall, 3, again), 2);
    assert_string_equal(series, again);
    assert_int_equal(world_next_number(&place->hall, 4, again), 1); /* each window has its own */
    commit(&place->hall);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(world_next_number(&place->hall, 3, again), 3);
    hs_store_abort(place->hall.store);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(world_next_number(&place->hall, 3, again), 3); /* what was given up is given again */
    commit(&place->hall);
    world_reopen(&place->hall);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(world_next_number(&place->hall, 3, again), 4);
    assert_string_equal(series, again);
    assert_int_equal(hs_store_number(place->hall.store, 20261132, 3, again), HS_EINVAL);
    commit(&place->hall);
}

/* A number under which somebody else has put an entry is not given out: ours would be one of two contents. */
static void a_number_that_is_taken_by_a_stranger_is_passed_over(void **state)
{
    struct place *place = *state;
    struct world_node hub;
    char series[HS_NUMBER_BYTES_MAX];
    char number[HS_NUMBER_BYTES_MAX];
    char again[HS_NUMBER_BYTES_MAX];
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(world_next_number(&place->hall, 3, series), 1);
    commit(&place->hall);
    world_add(&place->region, &hub, "nj-hub", HS_ROLE_HUB);
    world_open(&hub, true);
    assert_int_equal(hs_store_begin(hub.store), HS_OK);
    snprintf(number, sizeof number, "%.70s-000002", series);
    world_take_number(&hub, number, 1);
    commit(&hub);
    world_carry(&hub, &place->hall);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(world_next_number(&place->hall, 3, number), 1);
    assert_string_not_equal(number, series);
    assert_int_equal(world_next_number(&place->hall, 3, again), 2); /* and it stays with the other series */
    assert_string_equal(again, number);
    commit(&place->hall);
    world_drop(&hub);
}

static void another_origin_never_uses_a_series_of_the_former(void **state)
{
    struct place *place = *state;
    char series[HS_NUMBER_BYTES_MAX];
    char again[HS_NUMBER_BYTES_MAX];
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(world_next_number(&place->hall, 3, series), 1);
    assert_int_equal(hs_store_strike(place->hall.store, "asked for"), HS_OK);
    assert_int_equal(world_next_number(&place->hall, 3, again), 1);
    assert_string_not_equal(series, again);
    commit(&place->hall);
}

static void a_series_that_clashes_is_drawn_again(void **state)
{
    struct place *place = *state;
    char series[HS_NUMBER_BYTES_MAX];
    char again[HS_NUMBER_BYTES_MAX];
    struct hs_log *log = place->hall.store->log;
    world_group(&place->hall, 1);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(world_next_number(&place->hall, 3, series), 1);
    assert_int_equal(hs_log_put_series(log, series, 99), HS_OK); /* the row says: another origin's */
    assert_int_equal(world_next_number(&place->hall, 3, again), 1);
    assert_string_not_equal(series, again);
    hs_store_abort(place->hall.store);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    char number[HS_NUMBER_BYTES_MAX + 8];
    snprintf(number, sizeof number, "%s-000009", series); /* no row, but numbers: they came back from a hub */
    world_take_number(&place->hall, number, ++place->hall.made);
    assert_int_equal(world_next_number(&place->hall, 3, again), 1);
    assert_string_not_equal(series, again);
    commit(&place->hall);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(numbers_are_gap_free_within_their_series),
        TEST(a_number_that_is_taken_by_a_stranger_is_passed_over),
        TEST(another_origin_never_uses_a_series_of_the_former),
        TEST(a_series_that_clashes_is_drawn_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
