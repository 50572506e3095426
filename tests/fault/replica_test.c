/* replica_test.c -- sessions in which memory or the store fails at some point: the step says so and the process ends,
 * or the session does, or it was nothing; after the next start all nodes have the same, and nothing is lost. */
#include "tests/fault/fault.h"
#include "tests/fault/fault_replica.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_KINDS (FAULT_OF_MEMORY | FAULT_BIT(FAULT_DB_MEMORY) | FAULT_BIT(FAULT_DB_IO))

static const hs_partition EAST[] = {3201};
static const hs_partition BOTH[] = {3201, 3202};

struct town {
    struct world *w;
    struct world_node *hub, *hall, *other;
    struct world_store branch; /* the hall's as it was before it came back */
    size_t written;
};

static void write_some(struct town *town, struct world_node *node, hs_partition partition, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char text[600];
        int size = snprintf(text, sizeof text, "operation %zu of %s, ", ++town->written, node->certificate.node_id);
        memset(text + size, 'x', sizeof text - 1 - (size_t)size); /* so that it is worth compressing */
        text[sizeof text - 1] = '\0';
        world_write_text(node, partition, i % 2 == 0 ? HS_LANE_MONEY : HS_LANE_WORK, text);
    }
}

static void dial_all(struct town *town)
{
    world_dial(town->hall, town->hub);
    world_dial(town->other, town->hub);
}

static void build(struct town *town)
{
    *town = (struct town){.w = world_new(1)};
    town->hub = world_hub(town->w, "hub-1");
    town->hall = world_hall(town->w, "hall-1", EAST, 1);
    town->other = world_hall(town->w, "hall-2", BOTH, 2);
    for (size_t i = 0; i < town->w->node_count; i++)
        world_start(town->w->nodes[i]);
    write_some(town, town->hall, 3201, 5);
    write_some(town, town->other, 3202, 3);
    write_some(town, town->hub, 3201, 3);
}

/* The processes that ended start again; the lines come back. */
static void heal(struct town *town)
{
    struct world *w = town->w;
    for (size_t i = 0; i < w->link_count; i++)
        world_cut(&w->links[i]);
    for (size_t i = 0; i < w->node_count; i++) {
        if (!fault_replica_is_dead(w->nodes[i]->replica))
            continue;
        world_stop(w->nodes[i]);
        world_start(w->nodes[i]);
    }
    fault_replica_forget();
    dial_all(town);
    world_settle(w);
    world_advance(w, 10000);
}

static void assert_whole(const struct town *town)
{
    assert_true(world_same(town->hub, town->hall));
    assert_true(world_same(town->hub, town->other));
    assert_int_equal(world_ops(town->hub), town->written);
}

static void tear_down(struct town *town)
{
    world_store_fini(&town->branch);
    world_free(town->w);
}

static void run(void (*live)(struct town *town), struct town *town)
{
    fault_begin();
    fault_pause(); /* until a replica's step */
    live(town);
    fault_resume();
    fault_end();
    fault_assert_named(fault_replica_error());
    heal(town);
    assert_whole(town);
    tear_down(town);
}

/* ---- a day ---- */

static void live_a_day(struct town *town)
{
    dial_all(town);
    world_settle(town->w);
    write_some(town, town->hall, 3201, 3);
    world_settle(town->w);
    world_probe(town->hall, 7);
    world_settle(town->w);
    world_compare(town->hub);
    world_advance(town->w, 5000);
    world_stop(town->other);
    world_start(town->other);
    world_dial(town->other, town->hub);
    write_some(town, town->other, 3201, 2);
    world_settle(town->w);
}

static void a_day_once(void *ctx)
{
    struct town town;
    (void)ctx;
    build(&town);
    run(live_a_day, &town);
}

static void a_day_in_which_something_fails(void **state)
{
    (void)state;
    fault_each("a day", STEP_KINDS | FAULT_BIT(FAULT_SYSTEM), a_day_once, NULL);
}

/* ---- a fork ---- */

static void live_with_a_fork(struct town *town)
{
    world_dial(town->hall, town->hub);
    world_settle(town->w);
    world_dial(town->other, town->hub);
    world_settle(town->w);
    world_advance(town->w, 5000);
}

/* The hall hands some in, comes back with its memory of before, and writes others under the same numbers. */
static void a_fork_once(void *ctx)
{
    struct town town;
    struct world_store copy;
    (void)ctx;
    build(&town);
    world_store_copy(&town.hall->store, &copy);
    write_some(&town, town.hall, 3201, 2);
    world_dial(town.hall, town.hub);
    world_settle(town.w);
    world_stop(town.hall);
    town.branch = town.hall->store;
    town.hall->store = copy;
    world_start(town.hall);
    world_settle(town.w);
    write_some(&town, town.hall, 3201, 4);
    run(live_with_a_fork, &town);
}

static void a_fork_while_something_fails(void **state)
{
    (void)state;
    fault_each("a fork", STEP_KINDS, a_fork_once, NULL);
}

/* Once a piece that had just been stored went to a hall which had not heard of its origin yet, and ended the session.
 */
static void a_fork_told_by_processes_that_are_killed_at_any_step(void **state)
{
    (void)state;
    fault_each_without_sampling("a fork, and a kill", FAULT_BIT(FAULT_SYSTEM), a_fork_once, NULL);
}

/* ---- records that have rotted ---- */

static void live_with_rot(struct town *town)
{
    dial_all(town);
    world_settle(town->w);
    world_compare(town->hub);
    world_advance(town->w, 61000);
}

static void rot_once(void *ctx)
{
    struct town town;
    (void)ctx;
    build(&town);
    const struct world_stream *stream = &town.hall->store.streams[0];
    town.hall->store.rotten = true;
    town.hall->store.rot = hs_hash_of(hs_buf_bytes(&stream->ops[0].bytes));
    run(live_with_rot, &town);
}

static void rotten_records_while_something_fails(void **state)
{
    (void)state;
    fault_each("rot", STEP_KINDS, rot_once, NULL);
}

/* ---- little room ---- */

#define PATIENT (1U << HS_LANE_PEOPLE | 1U << HS_LANE_BULK)

static void write_patient(struct town *town, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char text[60];
        snprintf(text, sizeof text, "operation %zu that can wait", ++town->written);
        world_write_text(town->hub, 3201, i % 2 == 0 ? HS_LANE_PEOPLE : HS_LANE_BULK, text);
    }
}

/* What is on its way is dropped, what comes later waits; then there is room again. */
static void live_with_little_room(struct town *town)
{
    dial_all(town);
    world_settle(town->w);
    write_patient(town, 6);
    world_hold(town->hall, PATIENT);
    world_hold(town->hub, PATIENT);
    write_patient(town, 4);
    world_settle(town->w);
    write_some(town, town->hub, 3201, 2);
    world_settle(town->w);
    world_hold(town->hall, 0);
    world_hold(town->hub, 0);
    world_settle(town->w);
}

static void little_room_once(void *ctx)
{
    struct town town;
    (void)ctx;
    build(&town);
    run(live_with_little_room, &town);
}

static void little_room_while_something_fails(void **state)
{
    (void)state;
    fault_each("little room", STEP_KINDS | FAULT_BIT(FAULT_SYSTEM), little_room_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        fault_test(a_day_in_which_something_fails), fault_test(a_fork_while_something_fails),
        fault_test(a_fork_told_by_processes_that_are_killed_at_any_step),
        fault_test(rotten_records_while_something_fails), fault_test(little_room_while_something_fails)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
