/* replica_fill_test.c -- record states in the place of operations: between two replicas, from the first to the last. */
#include "tests/unit/replica_puppet.h"

#include <stdio.h>

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *hub, *hall;
    struct world_link *link;
};

static void set(struct table *t)
{
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    world_start(t->hub);
}

static void clear(struct table *t)
{
    world_free(t->w);
}

/* The hub's operations, so that there is something to fill a hall with. */
static void write_some(struct world_node *node, hs_partition partition, enum hs_lane lane, unsigned count)
{
    char text[160];
    for (unsigned i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%u of %s in lane %u of %u", i, node->certificate.node_id, lane, partition);
        world_write_text(node, partition, lane, text);
    }
}

static void begin(struct table *t)
{
    world_fill_scope(t->hall);
    world_start(t->hall);
    t->link = world_dial(t->hall, t->hub);
}

static void a_new_hall_is_filled_with_states(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    write_some(t.hub, 3201, HS_LANE_PEOPLE, 500);
    write_some(t.hub, 3201, HS_LANE_MONEY, 300);
    write_some(t.hub, HS_PARTITION_REGION, HS_LANE_WORK, 3);
    write_some(t.hub, 3202, HS_LANE_PEOPLE, 5);
    begin(&t);
    world_settle(t.w);
    assert_int_equal(t.hall->store.fill_count, 0);
    assert_true(world_same(t.hall, t.hub));
    assert_int_equal(world_ops(t.hall), 803);
    assert_int_equal(t.hall->store.state_count, 503);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_FILLED), 8);
    world_advance(t.w, 10000);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_DAMAGE), 0);
    assert_true(world_notices(t.hall, HS_NOTICE_EQUAL) > 0);
    write_some(t.hub, 3201, HS_LANE_PEOPLE, 501); /* the log goes on behind the states */
    world_settle(t.w);
    assert_int_equal(world_ops(t.hall), 804);
    clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_hall_is_filled_with_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
