/* replica_hold_test.c -- a node with little room left: people and bulk wait at its peers, by number and as states, work
 * and money never; and when there is room everything comes, nothing twice, whatever was on its way. */
#include "tests/unit/replica_puppet.h"

#include <stdio.h>

#define PATIENT (1U << HS_LANE_PEOPLE | 1U << HS_LANE_BULK)
#define EVERY   UINT32_MAX

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *hub, *hall;
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

/* One of each lane, written at the hub: the streams. */
static void write_all(struct table *t, struct hs_stream streams[static HS_LANE_COUNT])
{
    for (uint8_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++)
        streams[lane] = world_write_text(t->hub, 3201, (enum hs_lane)lane, "something");
}

static void expect_only_urgent(struct table *t, const struct hs_stream streams[static HS_LANE_COUNT], uint64_t n)
{
    assert_int_equal(world_head(t->hall, &streams[HS_LANE_WORK]), n);
    assert_int_equal(world_head(t->hall, &streams[HS_LANE_MONEY]), n);
    assert_true(world_head(t->hall, &streams[HS_LANE_PEOPLE]) < n);
    assert_true(world_head(t->hall, &streams[HS_LANE_BULK]) < n);
}

static void work_and_money_go_and_the_rest_waits(void **state)
{
    struct table *t = *state;
    struct hs_stream streams[HS_LANE_COUNT];
    struct hs_peer_status status;
    world_start(t->hall);
    struct world_link *link = world_dial(t->hall, t->hub);
    write_all(t, streams);
    world_settle(t->w);
    assert_true(world_same(t->hub, t->hall));
    world_hold(t->hall, EVERY); /* it would not take money: it may not say so */
    world_settle(t->w);
    assert_true(world_status(t->hub, link->peer[1], &status));
    assert_int_equal(status.held_lanes, PATIENT);
    assert_int_equal(world_last_notice(t->hub, HS_NOTICE_HELD)->err, HS_EFULL);
    uint64_t sent = status.sent_ops;
    write_all(t, streams);
    world_advance(t->w, 10000);
    expect_only_urgent(t, streams, 2);
    assert_true(world_status(t->hub, link->peer[1], &status));
    assert_int_equal(status.sent_ops - sent, 2); /* the line is not used for what is not taken */
    world_hold(t->hall, 0);
    world_settle(t->w);
    assert_true(world_same(t->hub, t->hall));
    assert_int_equal(world_last_notice(t->hub, HS_NOTICE_HELD)->err, HS_OK);
    assert_true(world_live(link));
}

static void who_changes_his_mind_all_the_time_fills_no_log(void **state)
{
    struct table *t = *state;
    world_start(t->hall);
    world_dial(t->hall, t->hub);
    world_settle(t->w);
    for (unsigned i = 0; i < 100; i++) {
        world_hold(t->hall, i % 2 == 0 ? PATIENT : 0);
        world_settle(t->w);
    }
    assert_in_range(world_notices(t->hub, HS_NOTICE_HELD), 2, 10);
    world_advance(t->w, 61000);
    world_hold(t->hall, PATIENT);
    world_settle(t->w);
    assert_int_equal(world_last_notice(t->hub, HS_NOTICE_HELD)->err, HS_EFULL);
    assert_in_range(world_notices(t->hub, HS_NOTICE_HELD), 3, 11);
}

/* What the hub has sent when it hears of it. */
static void what_was_on_its_way_comes_again(void **state)
{
    struct table *t = *state;
    struct hs_stream streams[HS_LANE_COUNT];
    world_start(t->hall);
    struct world_link *link = world_dial(t->hall, t->hub);
    world_settle(t->w);
    write_all(t, streams);
    assert_true(world_waiting(link, 0) > 0);
    world_hold(t->hall, PATIENT);
    world_settle(t->w);
    expect_only_urgent(t, streams, 1);
    for (unsigned i = 0; i < 3; i++)
        write_all(t, streams);
    world_advance(t->w, 5000);
    expect_only_urgent(t, streams, 4);
    world_hold(t->hall, 0);
    world_settle(t->w);
    assert_true(world_same(t->hub, t->hall));
    assert_true(world_live(link));
}

static void a_session_that_begins_meanwhile_hears_of_it(void **state)
{
    struct table *t = *state;
    struct hs_stream streams[HS_LANE_COUNT];
    write_all(t, streams);
    world_start(t->hall);
    world_hold(t->hall, PATIENT);
    struct world_link *link = world_dial(t->hall, t->hub);
    world_settle(t->w);
    expect_only_urgent(t, streams, 1);
    world_cut(link);
    world_settle(t->w);
    link = world_dial(t->hall, t->hub);
    write_all(t, streams);
    world_settle(t->w);
    expect_only_urgent(t, streams, 2);
    world_hold(t->hall, 0);
    world_settle(t->w);
    assert_true(world_same(t->hub, t->hall));
    assert_true(world_live(link));
}

/* ---- states ---- */

#define CUSTOMERS 600

static void write_customers(struct table *t)
{
    uint8_t customer[200];
    for (unsigned i = 0; i < CUSTOMERS; i++) {
        for (size_t k = 0; k + 8 <= sizeof customer; k += 8)
            hs_be64(customer + k, world_random(t->w));
        world_write(t->hub, 3201, HS_LANE_PEOPLE, customer, sizeof customer);
    }
    world_store_fill_begin(&t->hall->store, 3201, HS_LANE_PEOPLE);
}

static void a_fill_is_not_begun(void **state)
{
    struct table *t = *state;
    write_customers(t);
    world_start(t->hall);
    world_hold(t->hall, PATIENT);
    struct world_link *link = world_dial(t->hall, t->hub);
    struct hs_peer_status at_hub;
    world_advance(t->w, 10000);
    assert_int_equal(t->hall->store.state_count, 0);
    assert_true(world_status(t->hub, link->peer[1], &at_hub));
    assert_int_equal(at_hub.supplying, 1); /* the hub knows that it lacks them */
    assert_int_equal(at_hub.lag_out_ops, 0);
    world_hold(t->hall, 0);
    world_settle(t->w);
    assert_int_equal(t->hall->store.state_count, CUSTOMERS);
    assert_true(world_status(t->hub, link->peer[1], &at_hub));
    assert_int_equal(at_hub.supplying, 0);
    assert_true(world_same(t->hub, t->hall));
}

static void a_fill_stops_and_goes_on_where_it_was(void **state)
{
    struct table *t = *state;
    write_customers(t);
    world_start(t->hall);
    struct world_link *link = world_dial(t->hall, t->hub);
    while (t->hall->store.state_count == 0) {
        for (int to = 0; to < 2; to++)
            world_deliver(link, to);
        world_store_next(t->hall, 1);
        world_store_next(t->hub, 1);
    }
    world_hold(t->hall, PATIENT);
    world_advance(t->w, 10000);
    size_t came = t->hall->store.state_count;
    assert_in_range(came, 1, CUSTOMERS - 1);
    world_advance(t->w, 10000);
    assert_int_equal(t->hall->store.state_count, came);
    world_hold(t->hall, 0);
    world_settle(t->w);
    assert_int_equal(t->hall->store.state_count, CUSTOMERS);
    assert_true(world_same(t->hub, t->hall));
    assert_true(world_live(link));
}

/* A hub of the version before goes on with a fill. */
struct large {
    struct hs_buf key, state;
};

static int compare_large(const void *a, const void *b)
{
    return hs_bytes_compare(hs_buf_bytes(&((const struct large *)a)->key),
                            hs_buf_bytes(&((const struct large *)b)->key));
}

#define LARGE 4

static void make_large(struct table *t, struct hs_stream *stream, struct large records[static LARGE])
{
    static uint8_t op[40000];
    for (unsigned i = 0; i < LARGE; i++) {
        op[0] = (uint8_t)i;
        *stream = world_write(t->hub, 3201, HS_LANE_PEOPLE, op, sizeof op);
        records[i] = (struct large){{0}, {0}};
        world_record_of(stream, i + 1, HS_BYTES(op, sizeof op), &records[i].key, &records[i].state);
    }
    qsort(records, LARGE, sizeof *records, compare_large);
}

static void say_large(struct puppet *p, const struct large *record)
{
    struct hs_buf body = {0};
    hs_buf_put_sized(&body, hs_buf_bytes(&record->key));
    hs_buf_put_sized(&body, hs_buf_bytes(&record->state));
    Hallsync__PeerStates *states = puppet_states(p, 3201, HS_LANE_PEOPLE, hs_buf_bytes(&body));
    states->last = false;
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_STATES, &states->base);
    hs_buf_fini(&body);
    puppet_let_store(p);
}

static void a_peer_that_does_not_stop_is_ended(void **state)
{
    struct table *t = *state;
    struct puppet p;
    struct hs_stream stream;
    struct large records[LARGE];
    world_stop(t->hub);
    make_large(t, &stream, records);
    t->hall->credit_bytes = HS_CREDIT_BYTES_MIN; /* three of them */
    world_store_fill_begin(&t->hall->store, 3201, HS_LANE_PEOPLE);
    world_start(t->hall);
    puppet_dialled(&p, t->hub, t->hall);
    puppet_greet(&p);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(&p, stream.origin)->base);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS,
               &puppet_fill_heads(&p, 3201, HS_LANE_PEOPLE, puppet_signed_head(&p, &stream, LARGE))->base);
    puppet_let_store(&p);
    world_hold(t->hall, PATIENT);
    for (unsigned i = 0; i < LARGE - 1; i++) {
        say_large(&p, &records[i]);
        assert_int_equal(puppet_ended(&p), HS_OK); /* it was on its way */
    }
    assert_int_equal(t->hall->store.state_count, LARGE - 1);
    say_large(&p, &records[LARGE - 1]);
    assert_int_equal(puppet_ended(&p), HS_EFULL);
    assert_int_equal(t->hall->store.state_count, LARGE - 1);
    for (unsigned i = 0; i < LARGE; i++) {
        hs_buf_fini(&records[i].key);
        hs_buf_fini(&records[i].state);
    }
    puppet_fini(&p);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(work_and_money_go_and_the_rest_waits),
        CASE(who_changes_his_mind_all_the_time_fills_no_log),
        CASE(what_was_on_its_way_comes_again),
        CASE(a_session_that_begins_meanwhile_hears_of_it),
        CASE(a_fill_is_not_begun),
        CASE(a_fill_stops_and_goes_on_where_it_was),
        CASE(a_peer_that_does_not_stop_is_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
