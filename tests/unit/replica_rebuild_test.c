/* replica_rebuild_test.c -- a hub that may have lost something, and takes from halls what they hold as states only.
 * What a hall sends it is checked in replica_fill_liar_test.c. */
#include "tests/unit/replica_puppet.h"

#define WINDOW_MS 60000
#define BRIEF_MS  3000 /* no session is given up in it */
#define YEARS_MS  (50 * 365 * 24 * 3600 * 1000LL)

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *hub, *hall; /* it runs; the hall has what the hub has lost, as states only */
    struct world_node *other;      /* a second hub; stopped */
    struct world_node *gone;       /* who wrote that */
    struct hs_stream customers;
};

/* The hall has been filled by a hub that has burnt down since, with what another hall had written. */
static void set(struct table *t)
{
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->other = world_hub(t->w, "hub-2");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    t->gone = world_hall(t->w, "hall-2", D1, 1);
    for (unsigned i = 0; i < 20; i++) {
        char text[] = "customer a";
        text[sizeof text - 2] = (char)('a' + i);
        t->customers = world_write_text(t->gone, 3201, HS_LANE_PEOPLE, text);
    }
    world_import(t->hall, t->gone, &t->customers);
    world_prune(t->hall, &t->customers, 20);
}

static int setup(void **state)
{
    struct table *t = test_malloc(sizeof *t);
    set(t);
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

static void start_hub(struct table *t, uint64_t rebuilding_ms)
{
    t->hub->rebuilding_ms = rebuilding_ms;
    world_start(t->hub);
}

static size_t records_at_hub(const struct table *t)
{
    return world_store_records(&t->hub->store, 3201, HS_LANE_PEOPLE);
}

static void say_pruned(const struct table *t, struct puppet *p)
{
    const struct world_stream *held = world_store_find(&p->self->store, &t->customers);
    Hallsync__PeerPruned pruned = HALLSYNC__PEER_PRUNED__INIT;
    pruned.head = puppet_head(p, &t->customers, 20, held->ops[19].hash.bytes);
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_PRUNED, &pruned.base);
}

/* ---- what the hub takes ---- */

static void a_hub_takes_back_what_halls_have_as_states(void **state)
{
    struct table *t = *state;
    start_hub(t, WINDOW_MS);
    world_start(t->hall);
    world_dial(t->hall, t->hub);
    world_settle(t->w);
    assert_int_equal(records_at_hub(t), 20);
    assert_int_equal(world_head(t->hub, &t->customers), 20);
    assert_int_equal(t->hub->store.fill_count, 0);
    assert_int_equal(world_notices(t->hub, HS_NOTICE_FILL_FAILED), 0);
}

/* It says so, and waits for another hub. */
static void a_hub_whose_time_is_over_takes_nothing_from_a_hall(void **state)
{
    struct table *t = *state;
    start_hub(t, WINDOW_MS);
    world_advance(t->w, WINDOW_MS);
    world_start(t->hall);
    world_dial(t->hall, t->hub);
    world_settle(t->w);
    assert_int_equal(records_at_hub(t), 0);
    assert_int_equal(world_head(t->hub, &t->customers), 0);
    assert_int_equal(world_last_notice(t->hub, HS_NOTICE_FILL_FAILED)->err, HS_ENOTHUB);
    assert_int_equal(world_notices(t->hub, HS_NOTICE_FILLING), 0);
    world_import(t->other, t->gone, &t->customers);
    world_start(t->other);
    world_dial(t->hub, t->other);
    world_advance(t->w, 1000);
    assert_int_equal(records_at_hub(t), 20);
}

/* A new machine begins in 1970, and is told the time then. */
static void a_clock_put_right_does_not_end_the_time(void **state)
{
    struct table *t = *state;
    t->hub->clock_offset_ms = -YEARS_MS;
    start_hub(t, WINDOW_MS);
    world_advance(t->w, 1000);
    t->hub->clock_offset_ms = 0;
    world_start(t->hall);
    world_dial(t->hall, t->hub);
    world_settle(t->w);
    assert_int_equal(records_at_hub(t), 20);
}

/* Whatever its clock says. */
static void a_hub_tells_until_when_it_is_rebuilding(void **state)
{
    struct table *t = *state;
    uint64_t until_ms = t->w->now_ms + WINDOW_MS;
    start_hub(t, WINDOW_MS);
    world_start(t->hall);
    world_dial(t->hall, t->hub);
    t->hub->clock_offset_ms = YEARS_MS;
    world_advance(t->w, WINDOW_MS - BRIEF_MS);
    assert_int_equal(hs_replica_rebuilding(t->hub->replica), until_ms);
    t->hub->clock_offset_ms = -YEARS_MS;
    world_advance(t->w, 2 * BRIEF_MS);
    assert_int_equal(hs_replica_rebuilding(t->hub->replica), 0);
}

static void a_hall_is_never_rebuilding(void **state)
{
    struct table *t = *state;
    t->hall->rebuilding_ms = WINDOW_MS;
    world_start(t->hall);
    assert_int_equal(hs_replica_rebuilding(t->hall->replica), 0);
}

static void what_a_hall_has_begun_to_send_ends_with_the_time(void **state)
{
    struct table *t = *state;
    struct puppet p;
    start_hub(t, BRIEF_MS);
    puppet_dial(&p, t->hall, t->hub);
    puppet_greet(&p);
    say_pruned(t, &p);
    puppet_let_store(&p);
    assert_non_null(puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FILL));
    world_advance(t->w, BRIEF_MS);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS, &puppet_fill_heads(&p, 3201, HS_LANE_PEOPLE, NULL)->base);
    assert_int_equal(puppet_ended(&p), HS_ENOTHUB);
    assert_int_equal(t->hub->store_count, 1);
    assert_int_equal(t->hub->stores[0]->type, HS_STORE_ANNOUNCED); /* what the hall had and has not sent, and no more */
    puppet_fini(&p);
}

/* ---- whom it asks ---- */

/* Two puppets, live both; which of them the hub has met first matters to nobody. */
struct two {
    struct puppet hall, hub;
};

static void set_two(struct table *t, struct two *two, bool hub_first)
{
    if (hub_first)
        puppet_dialled(&two->hub, t->other, t->hub);
    puppet_dial(&two->hall, t->hall, t->hub);
    if (!hub_first)
        puppet_dialled(&two->hub, t->other, t->hub);
    puppet_greet(&two->hall);
    puppet_greet(&two->hub);
}

static void clear_two(struct two *two)
{
    puppet_fini(&two->hall);
    puppet_fini(&two->hub);
}

static bool is_asked(struct puppet *p)
{
    const Hallsync__PeerFill *fill = puppet_hear(p, HALLSYNC__PEER_TYPE__PEER_FILL);
    return fill != NULL && !fill->done;
}

static void refuse(struct puppet *p)
{
    Hallsync__PeerFillHeads *heads = puppet_fill_heads(p, 3201, HS_LANE_PEOPLE, NULL);
    heads->error = (char *)"filling";
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS, &heads->base);
}

/* All have refused, and the pause is over. */
static void pause_ends(struct table *t)
{
    t->w->now_ms += 1000;
    world_tick(t->hub);
}

static void a_hub_is_asked_before_a_hall(void **state)
{
    struct table *t = *state;
    for (unsigned hub_first = 0; hub_first < 2; hub_first++) {
        struct two two;
        world_store_fill_begin(&t->hub->store, 3201, HS_LANE_PEOPLE);
        start_hub(t, WINDOW_MS);
        set_two(t, &two, hub_first);
        assert_true(is_asked(&two.hall)); /* it was there first */
        refuse(&two.hall);
        if (is_asked(&two.hub))
            refuse(&two.hub);
        pause_ends(t);
        assert_true(is_asked(&two.hub));
        assert_false(is_asked(&two.hall));
        refuse(&two.hub);
        assert_true(is_asked(&two.hall));
        assert_false(is_asked(&two.hub));
        clear_two(&two);
        world_stop(t->hub);
    }
}

/* It has what is missing: that is more than a hub can promise.  But if it does not give it, the hub is asked as well.
 */
static void who_has_said_pruned_is_asked_before_all(void **state)
{
    struct table *t = *state;
    for (unsigned hub_first = 0; hub_first < 2; hub_first++) {
        struct two two;
        start_hub(t, WINDOW_MS);
        set_two(t, &two, hub_first);
        say_pruned(t, &two.hall);
        puppet_let_store(&two.hall);
        assert_true(is_asked(&two.hall));
        assert_false(is_asked(&two.hub));
        refuse(&two.hall);
        assert_true(is_asked(&two.hub));
        refuse(&two.hub);
        assert_false(is_asked(&two.hall));
        pause_ends(t);
        assert_true(is_asked(&two.hall));
        clear_two(&two);
        world_stop(t->hub);
        t->hub->store.fill_count = 0;
    }
}

/* ---- what a hall gives ---- */

/* The hall runs, and this is the hub's puppet. */
static enum hs_err ask_hall(struct table *t, bool rebuilding, hs_partition partition, struct puppet *p)
{
    Hallsync__PeerFill fill = HALLSYNC__PEER_FILL__INIT;
    world_start(t->hall);
    puppet_dialled(p, t->hub, t->hall);
    Hallsync__PeerHello *hello = puppet_hello(p);
    hello->has_rebuilding = hello->rebuilding = rebuilding;
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    assert_true(puppet_is_live(p));
    fill.partition = partition;
    fill.lane = HS_LANE_PEOPLE;
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_FILL, &fill.base);
    if (puppet_ended(p) != HS_OK)
        return puppet_ended(p);
    const Hallsync__PeerFillHeads *heads = puppet_hear(p, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS);
    assert_non_null(heads);
    return heads->error == NULL ? HS_OK : hs_err_by_name(heads->error);
}

static void a_hall_supplies_a_hub_that_is_being_rebuilt(void **state)
{
    static const struct {
        hs_partition partition;
        bool rebuilding;
        enum hs_err err;
    } CASES[] = {{3201, true, HS_OK},
                 {HS_PARTITION_REGION, true, HS_OK},
                 {3202, true, HS_ESCOPE}, /* not a district of the hall */
                 {3201, false, HS_ENOTHUB}};
    struct table *t = *state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct puppet p;
        assert_int_equal(ask_hall(t, CASES[i].rebuilding, CASES[i].partition, &p), CASES[i].err);
        puppet_fini(&p);
        world_stop(t->hall);
    }
}

/* A witness that says so is none. */
static void a_hall_supplies_nobody_else(void **state)
{
    struct table *t = *state;
    struct puppet p;
    t->hub = world_witness(t->w, "witness-1", D1, 1);
    assert_int_equal(ask_hall(t, true, 3201, &p), HS_ESCOPE);
    puppet_fini(&p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hub_takes_back_what_halls_have_as_states),
        TEST(a_hub_whose_time_is_over_takes_nothing_from_a_hall),
        TEST(what_a_hall_has_begun_to_send_ends_with_the_time),
        TEST(a_clock_put_right_does_not_end_the_time),
        TEST(a_hub_tells_until_when_it_is_rebuilding),
        TEST(a_hall_is_never_rebuilding),
        TEST(a_hub_is_asked_before_a_hall),
        TEST(who_has_said_pruned_is_asked_before_all),
        TEST(a_hall_supplies_a_hub_that_is_being_rebuilt),
        TEST(a_hall_supplies_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
