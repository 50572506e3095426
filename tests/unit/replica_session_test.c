/* replica_session_test.c -- sessions: greeting, refusals, sequence, clones, heartbeats, strangers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/lib/replica_world.h"

#include <string.h>

static const hs_partition D1[] = {3201};

static void both_sides_greet_and_are_live(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    world_start(hub);
    world_start(hall);
    struct world_link *link = world_dial(hall, hub);
    assert_false(world_live(link));
    world_settle(w);
    assert_true(world_live(link));
    assert_int_equal(world_notices(hub, HS_NOTICE_LIVE), 1);
    assert_int_equal(world_notices(hall, HS_NOTICE_LIVE), 1);
    assert_string_equal(world_last_notice(hub, HS_NOTICE_LIVE)->text, "hall-1");
    world_free(w);
}

static void what_is_written_arrives(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    world_start(hub);
    world_start(hall);
    struct hs_stream before = world_write_text(hall, 3201, HS_LANE_MONEY, "paid before the link");
    struct hs_stream there = world_write_text(hub, HS_PARTITION_REGION, HS_LANE_BULK, "catalogue");
    world_dial(hall, hub);
    world_settle(w);
    assert_int_equal(world_head(hub, &before), 1);
    assert_int_equal(world_head(hall, &there), 1);
    world_write_text(hall, 3201, HS_LANE_MONEY, "paid with the link");
    world_settle(w);
    assert_int_equal(world_head(hub, &before), 2);
    assert_true(world_same(hub, hall));
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_greet_and_are_live),
        cmocka_unit_test(what_is_written_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
