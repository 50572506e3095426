/* replica_figures_test.c -- figures for people: what a peer says of itself, and how much waits, since when. */
#include "tests/unit/replica_puppet.h"

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *hub, *hall;
    struct world_link *link;
};

static int setup(void **state)
{
    struct table *t = test_malloc(sizeof *t);
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    world_start(t->hub);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct table *t = *state;
    world_free(t->w);
    test_free(t);
    return 0;
}

static struct hs_peer_status status_of(const struct table *t, const struct world_node *node, int end)
{
    struct hs_peer_status status;
    assert_true(world_status(node, t->link->peer[end], &status));
    return status;
}

static void a_hall_says_how_it_is(void **state)
{
    struct table *t = *state;
    struct hs_figures figures = {.disk_free_bytes = 81900000000, .store_bytes = 7, .conflicts = 2, .disk_level = 1};
    t->hall->figures = &figures;
    world_start(t->hall);
    t->link = world_dial(t->hall, t->hub);
    world_advance(t->w, 10000);
    struct hs_peer_status status = status_of(t, t->hub, 1);
    assert_true(status.figures.heard_ms != 0);
    assert_true(status.figures.disk_free_bytes == 81900000000 && status.figures.conflicts == 2);
    assert_int_equal(status.figures.disk_level, 1);
    assert_false(status.figures.has_disk_hours);
    assert_int_equal(status.figures.backup_ms, 0);
    figures.disk_hours = 552;
    figures.has_disk_hours = true;
    figures.backup_ms = 77;
    world_advance(t->w, 10000); /* lines may be slow: not with each heartbeat */
    assert_false(status_of(t, t->hub, 1).figures.has_disk_hours);
    world_advance(t->w, 30000);
    assert_int_equal(status_of(t, t->hub, 1).figures.disk_hours, 552);
    assert_int_equal(status_of(t, t->hub, 1).figures.backup_ms, 77);
    assert_int_equal(status_of(t, t->hall, 0).figures.heard_ms, 0); /* the hub has nothing to say to it */
}

/* Nobody asks a witness. */
static void a_hall_says_nothing_to_a_witness(void **state)
{
    struct table *t = *state;
    static const struct hs_figures FIGURES = {.store_bytes = 7};
    struct world_node *witness = world_witness(t->w, "pc", D1, 1);
    t->hall->figures = &FIGURES;
    world_start(witness);
    world_start(t->hall);
    t->link = world_dial(t->hall, witness);
    world_advance(t->w, 60000);
    assert_true(status_of(t, witness, 1).live);
    assert_int_equal(status_of(t, witness, 1).figures.heard_ms, 0);
}

/* A hub is asked by people, a hall is not: it hears of no others. */
static void a_hub_says_nothing_to_halls(void **state)
{
    struct table *t = *state;
    static const struct hs_figures FIGURES = {.store_bytes = 7};
    t->hub->figures = &FIGURES;
    world_start(t->hall);
    t->link = world_dial(t->hall, t->hub);
    world_advance(t->w, 60000);
    assert_int_equal(status_of(t, t->hall, 0).figures.heard_ms, 0);
}

static void what_a_peer_says_is_bounded(void **state)
{
    struct table *t = *state;
    struct puppet p;
    char software[200] = "hallsync 9\t\"你";
    memset(software + strlen(software), 'x', 100);
    puppet_dial(&p, t->hall, t->hub);
    t->link = p.link;
    Hallsync__PeerHello *hello = puppet_hello(&p);
    hello->software = software;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    puppet_hold_nothing(&p);
    struct hs_peer_status status = status_of(t, t->hub, 1);
    assert_int_equal(strlen(status.software), HS_SOFTWARE_BYTES_MAX);
    assert_memory_equal(status.software, "hallsync 9?\"???xxx", 18);
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    Hallsync__PeerFigures figures = HALLSYNC__PEER_FIGURES__INIT;
    beat.figures = &figures;
    figures.has_disk_level = figures.has_store_bytes = true;
    figures.disk_level = UINT32_MAX;
    figures.store_bytes = UINT64_MAX;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
    status = status_of(t, t->hub, 1);
    assert_int_equal(status.figures.disk_level, HS_FIGURES_LEVEL_MAX);
    assert_true(status.figures.store_bytes == UINT64_MAX && status.figures.disk_free_bytes == 0);
    assert_true(puppet_is_live(&p));
    puppet_fini(&p);
}

/* What was announced and does not come is waited for since then; when it has come, nothing is. */
static void what_is_awaited_has_an_age(void **state)
{
    struct table *t = *state;
    struct hs_stream money;
    world_start(t->hall);
    t->link = world_dial(t->hall, t->hub);
    for (unsigned i = 0; i < 10; i++)
        money = world_write_text(t->hall, 3201, HS_LANE_MONEY, "a payment");
    world_settle(t->w);
    struct hs_peer_status at_hub = status_of(t, t->hub, 1), at_hall = status_of(t, t->hall, 0);
    assert_int_equal(at_hub.lanes[HS_LANE_MONEY].oldest_awaited_ms, 0);
    assert_in_range(at_hub.lanes[HS_LANE_MONEY].op_bytes, 1, HS_OP_BYTES_MAX);
    assert_int_equal(at_hub.lanes[HS_LANE_MONEY].op_bytes, at_hall.lanes[HS_LANE_MONEY].op_bytes);
    assert_int_equal(at_hub.lanes[HS_LANE_WORK].op_bytes, 0); /* nothing moved yet */
    t->hub->disk_waits = true;
    uint64_t begin_ms = t->w->now_ms;
    world_write_text(t->hall, 3201, HS_LANE_MONEY, "another one");
    world_advance(t->w, 5000);
    at_hub = status_of(t, t->hub, 1);
    assert_int_equal(at_hub.lanes[HS_LANE_MONEY].in_ops, 1);
    assert_in_range(at_hub.lanes[HS_LANE_MONEY].oldest_awaited_ms, begin_ms, begin_ms + 3000);
    at_hall = status_of(t, t->hall, 0);
    assert_in_range(at_hall.lanes[HS_LANE_MONEY].oldest_unsent_ms, begin_ms, begin_ms + 3000);
    t->hub->disk_waits = false;
    world_settle(t->w);
    assert_int_equal(world_head(t->hub, &money), 11);
    assert_int_equal(status_of(t, t->hub, 1).lanes[HS_LANE_MONEY].oldest_awaited_ms, 0);
}

/* The stream of another hall, of which this one had more, then less, then more again: that is another wait. */
static void what_came_otherwise_is_awaited_no_more(void **state)
{
    struct table *t = *state;
    struct world_node *other = world_hall(t->w, "hall-2", D1, 1);
    struct hs_stream money = {0};
    struct puppet p;
    world_start(t->hall);
    world_dial(t->hall, t->hub);
    for (unsigned i = 0; i < 3; i++)
        money = world_write_text(t->hall, 3201, HS_LANE_MONEY, "a payment");
    world_settle(t->w);
    puppet_dial(&p, other, t->hub);
    t->link = p.link;
    puppet_greet(&p);
    puppet_announce(&p, &money, 4); /* the hub asks for it */
    uint64_t first_ms = t->w->now_ms;
    assert_int_equal(status_of(t, t->hub, 1).lanes[HS_LANE_MONEY].in_ops, 1);
    assert_in_range(status_of(t, t->hub, 1).lanes[HS_LANE_MONEY].oldest_awaited_ms, 1, first_ms);
    for (unsigned i = 0; i < 3; i++)
        world_write_text(t->hall, 3201, HS_LANE_MONEY, "a payment");
    world_advance(t->w, 2000);
    assert_int_equal(world_head(t->hub, &money), 6);
    assert_int_equal(status_of(t, t->hub, 1).lanes[HS_LANE_MONEY].out_ops, 2);
    assert_int_equal(status_of(t, t->hub, 1).lanes[HS_LANE_MONEY].oldest_awaited_ms, 0);
    puppet_announce(&p, &money, 8);
    assert_int_equal(status_of(t, t->hub, 1).lanes[HS_LANE_MONEY].in_ops, 2);
    assert_in_range(status_of(t, t->hub, 1).lanes[HS_LANE_MONEY].oldest_awaited_ms, first_ms + 1, t->w->now_ms);
    puppet_fini(&p);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(a_hall_says_how_it_is),       EACH(a_hall_says_nothing_to_a_witness),
        EACH(a_hub_says_nothing_to_halls), EACH(what_a_peer_says_is_bounded),
        EACH(what_is_awaited_has_an_age),  EACH(what_came_otherwise_is_awaited_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
