/* replica_fill_test.c -- record states in the place of operations, between replicas: from the first to the last. */
#include "tests/unit/replica_puppet.h"

#include <stdio.h>

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *hub, *other, *hall; /* a second hub */
    struct world_link *link;
};

static void set(struct table *t)
{
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->other = world_hub(t->w, "hub-2");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    world_start(t->hub);
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

/* So that there is something to fill a hall with. */
static struct hs_stream write_some(struct world_node *node, hs_partition partition, enum hs_lane lane, unsigned count)
{
    char text[160];
    struct hs_stream stream = {0};
    for (unsigned i = 0; i < count; i++) {
        uint64_t n = world_random(node->world);
        snprintf(text, sizeof text, "%llu of %s in lane %u of %u", (unsigned long long)n, node->certificate.node_id,
                 lane, partition);
        stream = world_write_text(node, partition, lane, text);
    }
    return stream;
}

static void begin(struct table *t)
{
    world_fill_scope(t->hall);
    world_start(t->hall);
    t->link = world_dial(t->hall, t->hub);
}

/* Until the hall asks its store for the @count-th time to keep states. */
static void run_into_states(struct table *t, size_t count)
{
    for (size_t asked = 0; asked < count;) {
        bool is_states = t->hall->store_count > 0 && t->hall->stores[0]->type == HS_STORE_STATES;
        asked += is_states;
        if (asked == count)
            break;
        assert_true(world_store_next(t->hall, 1) || world_deliver(t->link, 1) || world_deliver(t->link, 0));
    }
}

static void a_new_hall_is_filled_with_states(void **state)
{
    struct table *t = *state;
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 500);
    write_some(t->hub, 3201, HS_LANE_MONEY, 300);
    write_some(t->hub, HS_PARTITION_REGION, HS_LANE_WORK, 3);
    write_some(t->hub, 3202, HS_LANE_PEOPLE, 5);
    begin(t);
    world_settle(t->w);
    assert_int_equal(t->hall->store.fill_count, 0);
    assert_true(world_same(t->hall, t->hub));
    assert_int_equal(world_ops(t->hall), 803);
    assert_int_equal(t->hall->store.state_count, 503);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_FILLED), 8);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_FILLING), 8);
    world_advance(t->w, 10000);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_DAMAGE), 0);
    assert_true(world_notices(t->hall, HS_NOTICE_EQUAL) > 0);
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 1); /* the log goes on behind the states */
    world_settle(t->w);
    assert_int_equal(world_ops(t->hall), 804);
}

static void both_ends_go_on_working_meanwhile(void **state)
{
    struct table *t = *state;
    struct hs_stream customers = write_some(t->hub, 3201, HS_LANE_PEOPLE, 1500);
    begin(t);
    run_into_states(t, 1);
    for (unsigned i = 0; i < 40; i++) {
        write_some(t->hub, 3201, HS_LANE_PEOPLE, 3);
        write_some(t->hall, 3201, HS_LANE_PEOPLE, 1);
        write_some(t->hall, 3201, HS_LANE_MONEY, 1);
        world_deliver(t->link, (int)(i % 2));
        world_store_next(t->hall, 1);
        world_store_next(t->hub, 1);
    }
    world_settle(t->w);
    assert_int_equal(world_head(t->hall, &customers), 1620);
    assert_true(world_same(t->hall, t->hub));
    assert_int_equal(world_ops(t->hall), 1700);
    assert_int_equal(world_ops(t->hub), 1700);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_ENDED), 0);
}

/* Each moves by one; false: nothing is left to move. */
static bool turn(struct table *t)
{
    bool moved = world_deliver(t->link, 1);
    moved = world_deliver(t->link, 0) || moved;
    return world_store_next(t->hall, 1) || moved;
}

static void what_was_stored_is_not_sent_again(void **state)
{
    struct table *t = *state;
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 1500);
    begin(t);
    run_into_states(t, 4);
    world_store_next(t->hall, 1);
    size_t held = t->hall->store.state_count;
    assert_in_range(held, 200, 1200);
    world_cut(t->link);
    world_stop(t->hall);
    world_start(t->hall);
    struct hs_peer_status status;
    t->link = world_dial(t->hall, t->hub);
    while (t->hall->store.state_count == held)
        assert_true(turn(t));
    world_settle(t->w);
    assert_int_equal(world_ops(t->hall), 1500);
    assert_true(world_status(t->hall, t->link->peer[0], &status));
    size_t left = 1500 - held;
    assert_in_range(status.received_bytes, left * 30, left * 50);
}

static void another_hub_goes_on_where_the_first_one_was(void **state)
{
    struct table *t = *state;
    struct hs_stream customers = write_some(t->hub, 3201, HS_LANE_PEOPLE, 1000);
    world_start(t->other);
    world_dial(t->other, t->hub);
    world_settle(t->w);
    begin(t);
    run_into_states(t, 2);
    world_stop(t->hub);
    write_some(t->other, 3201, HS_LANE_PEOPLE, 10);
    t->link = world_dial(t->hall, t->other);
    world_settle(t->w);
    assert_int_equal(t->hall->store.fill_count, 0);
    assert_int_equal(world_ops(t->hall), 1010);
    assert_true(world_same(t->hall, t->other));
    assert_int_equal(world_head(t->hall, &customers), 1000);
}

/* The second hub has not all that the first one had: what it leaves out is not in the frontier, and comes as operations
 * from the first one later. */
static void what_one_list_leaves_out_comes_as_operations(void **state)
{
    struct table *t = *state;
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 1000);
    world_start(t->other);
    struct world_link *between = world_dial(t->other, t->hub);
    world_settle(t->w);
    world_cut(between);
    struct hs_stream late = write_some(t->hub, 3201, HS_LANE_PEOPLE, 200); /* the second hub has not these */
    begin(t);
    run_into_states(t, 3);
    world_store_next(t->hall, 1);
    world_stop(t->hub);
    t->link = world_dial(t->hall, t->other);
    world_settle(t->w);
    assert_int_equal(world_head(t->hall, &late), 1000);
    world_start(t->hub);
    world_dial(t->hall, t->hub);
    world_settle(t->w);
    assert_int_equal(world_head(t->hall, &late), 1200);
    assert_int_equal(world_ops(t->hall), 1200);
}

static void a_large_record_comes_in_parts(void **state)
{
    struct table *t = *state;
    static char large[60000];
    for (unsigned i = 0; i < 3; i++) {
        for (size_t k = 0; k < sizeof large; k++)
            large[k] = (char)world_random(t->w);
        world_write(t->hub, 3201, HS_LANE_PEOPLE, large, sizeof large);
    }
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 20);
    t->hall->credit_bytes = HS_CREDIT_BYTES_MIN;
    begin(t);
    world_settle(t->w);
    assert_int_equal(world_ops(t->hall), 23);
    assert_true(world_same(t->hall, t->hub));
}

static void an_empty_partition_is_filled_at_once(void **state)
{
    struct table *t = *state;
    begin(t);
    world_settle(t->w);
    assert_int_equal(t->hall->store.fill_count, 0);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_FILLED), 8);
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 2);
    world_settle(t->w);
    assert_int_equal(world_ops(t->hall), 2);
}

static void operations_wait_until_the_states_are_there(void **state)
{
    struct table *t = *state;
    struct hs_stream customers = write_some(t->hub, 3201, HS_LANE_PEOPLE, 400);
    struct hs_stream paid = write_some(t->hub, 3201, HS_LANE_MONEY, 10);
    begin(t);
    run_into_states(t, 1);
    struct hs_peer_status at_hub, at_hall;
    assert_true(world_status(t->hub, t->link->peer[1], &at_hub));
    assert_true(world_status(t->hall, t->link->peer[0], &at_hall));
    assert_true(at_hub.supplying > 0);
    assert_int_equal(at_hub.supplied_total, 400);
    assert_true(at_hub.supplied_records > 0);
    assert_true(at_hall.filling > 0);
    assert_int_equal(at_hub.lanes[HS_LANE_PEOPLE].out_ops, 0);
    assert_int_equal(at_hub.lag_out_ops, at_hub.lanes[HS_LANE_MONEY].out_ops);
    world_settle(t->w);
    assert_int_equal(world_head(t->hall, &paid), 10);
    assert_int_equal(world_head(t->hall, &customers), 400);
    assert_true(world_status(t->hub, t->link->peer[1], &at_hub));
    assert_int_equal(at_hub.supplying, 0);
    assert_int_equal(at_hub.sent_ops, 10);
}

static void money_comes_as_operations_and_ends_by_itself(void **state)
{
    struct table *t = *state;
    struct hs_stream paid = write_some(t->hub, 3201, HS_LANE_MONEY, 900);
    begin(t);
    while (world_head(t->hall, &paid) < 900) {
        assert_non_null(world_store_fill(&t->hall->store, 3201, HS_LANE_MONEY));
        assert_true(turn(t));
    }
    world_settle(t->w);
    assert_int_equal(world_head(t->hall, &paid), 900);
    assert_null(world_store_fill(&t->hall->store, 3201, HS_LANE_MONEY));
    assert_int_equal(t->hall->store.state_count, 0);
    struct hs_peer_status status;
    assert_true(world_status(t->hall, t->link->peer[0], &status));
    assert_int_equal(status.filling, 0);
}

static void who_waits_until_all_is_here_waits_for_states(void **state)
{
    struct table *t = *state;
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 400);
    begin(t);
    world_probe(t->hall, 7);
    run_into_states(t, 1);
    world_deliver(t->link, 1);
    world_deliver(t->link, 0);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_PROBE_DONE), 0);
    world_settle(t->w);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_PROBE_DONE), 1);
}

/* Nobody can supply it: digests are compared, but for this partition; nothing is equal and nothing is damaged. */
static void a_partition_that_is_being_filled_is_not_compared(void **state)
{
    struct table *t = *state;
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 30);
    begin(t);
    world_settle(t->w);
    world_advance(t->w, 3000);
    size_t equal = world_notices(t->hall, HS_NOTICE_EQUAL);
    assert_true(equal > 0);
    world_cut(t->link);
    world_stop(t->hall);
    t->hall->store.rotten = true; /* what would be damage */
    t->hall->store.rot = hs_hash_of(HS_BYTES("rot", 3));
    world_write_text(t->hub, 3201, HS_LANE_PEOPLE, "rot");
    world_store_fill_begin(&t->hall->store, 3201, HS_LANE_BULK);
    t->hub->records_late = 1000; /* it cannot supply it now */
    world_start(t->hall);
    t->hall->notice_count = t->hub->notice_count = 0;
    t->link = world_dial(t->hall, t->hub);
    world_settle(t->w);
    world_compare(t->hall);
    world_compare(t->hub);
    world_advance(t->w, 10000);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_DAMAGE) + world_notices(t->hub, HS_NOTICE_DAMAGE), 0);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_EQUAL) + world_notices(t->hub, HS_NOTICE_EQUAL), 0);
    t->hub->records_late = 0;
    world_advance(t->w, 100000);
    assert_int_equal(t->hall->store.fill_count, 0);
    assert_true(world_notices(t->hall, HS_NOTICE_DAMAGE) > 0);
}

static void work_is_asked_for_first_and_four_at_a_time(void **state)
{
    static const hs_partition MANY[] = {3201, 3202, 3203, 3204, 3205, 3206};
    struct table *t = *state;
    struct puppet p;
    size_t asked[HS_LANE_COUNT] = {0};
    struct world_node *large = world_hall(t->w, "hall-2", MANY, 6);
    world_fill_scope(large);
    world_start(large);
    puppet_dialled(&p, t->other, large);
    puppet_greet(&p);
    const Hallsync__PeerFill *fill;
    uint32_t lane = HS_LANE_WORK;
    while ((fill = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FILL)) != NULL) {
        assert_true(fill->lane >= lane);
        lane = fill->lane;
        asked[lane]++;
    }
    for (lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++)
        assert_int_equal(asked[lane], 4);
    Hallsync__PeerFillHeads *refused = puppet_fill_heads(&p, 3201, HS_LANE_BULK, NULL);
    refused->error = (char *)"filling";
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS, &refused->base);
    fill = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FILL); /* another one in its place */
    assert_int_equal(fill->lane, HS_LANE_BULK);
    assert_int_equal(fill->partition, 3205);
    puppet_fini(&p);
}

/* A hub that is being filled takes what its halls write meanwhile. */
static void a_hall_holds_nothing_back(void **state)
{
    struct table *t = *state;
    world_stop(t->hub);
    world_store_fill_begin(&t->hub->store, 3201, HS_LANE_WORK);
    world_start(t->hub);
    world_start(t->hall);
    t->link = world_dial(t->hall, t->hub);
    struct hs_stream order = write_some(t->hall, 3201, HS_LANE_WORK, 2);
    world_settle(t->w);
    assert_int_equal(t->hub->store.fill_count, 1); /* nobody is there who could supply it */
    assert_int_equal(world_head(t->hub, &order), 2);
}

static size_t being_filled(const struct world_node *node)
{
    struct hs_peer_status status;
    assert_int_equal(hs_replica_peers(node->replica, &status, 1), 1);
    return status.being_filled;
}

/* What a hub answers is not all that there is meanwhile: its halls know, and do not take what is missing for lag. */
static void a_hall_knows_that_its_hub_is_being_filled(void **state)
{
    struct table *t = *state;
    world_start(t->other);
    struct hs_stream customers = write_some(t->other, 3201, HS_LANE_PEOPLE, 10);
    write_some(t->hub, 3201, HS_LANE_WORK, 3);
    world_stop(t->hub);
    world_store_fill_begin(&t->hub->store, 3201, HS_LANE_PEOPLE);
    world_store_fill_begin(&t->hub->store, 3201, HS_LANE_MONEY);
    world_start(t->hub);
    world_start(t->hall);
    t->link = world_dial(t->hall, t->hub);
    world_settle(t->w);
    assert_int_equal(being_filled(t->hall), 1); /* money comes as operations, and nobody says when it has */
    assert_int_equal(being_filled(t->hub), 0);
    world_compare(t->hall);
    world_advance(t->w, 3000);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_EQUAL) + world_notices(t->hall, HS_NOTICE_DAMAGE), 0);
    world_dial(t->hub, t->other);
    world_advance(t->w, 40000);
    assert_int_equal(world_head(t->hub, &customers), 10);
    assert_int_equal(t->hub->store.fill_count, 0);
    assert_int_equal(being_filled(t->hall), 0);
    world_compare(t->hall);
    world_advance(t->w, 3000);
    assert_true(world_notices(t->hall, HS_NOTICE_EQUAL) > 0);
}

/* ---- what the supplier may send, and when ---- */

static void states_wait_until_stored_has_told(void **state)
{
    struct table *t = *state;
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 10);
    struct hs_stream customers = {t->hub->store.current, 3201, HS_LANE_PEOPLE};
    world_write_untold(t->hub, 3201, HS_LANE_PEOPLE, "committed, its note not yet written");
    world_fill_scope(t->hall);
    world_start(t->hall);
    t->link = world_dial(t->hall, t->hub);
    world_settle(t->w);
    assert_int_equal(t->hall->store.state_count, 0);
    world_tell(t->hub, &customers);
    world_settle(t->w);
    assert_int_equal(world_ops(t->hall), 11);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_ENDED), 0);
}

static void records_that_are_behind_the_log_are_read_later(void **state)
{
    struct table *t = *state;
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 10);
    t->hub->records_late = 1;
    begin(t);
    world_settle(t->w);
    assert_int_equal(t->hall->store.state_count, 0);
    size_t reads = t->hub->state_reads;
    world_advance(t->w, 30);
    assert_true(t->hub->state_reads > reads && t->hub->state_reads < reads + 20);
    t->hub->records_late = 0;
    world_advance(t->w, 30);
    assert_int_equal(t->hall->store.state_count, 10);
}

static void a_hub_that_is_half_filled_itself_says_so(void **state)
{
    struct table *t = *state;
    struct hs_stream customers = write_some(t->hub, 3201, HS_LANE_PEOPLE, 10);
    world_stop(t->hub);
    world_store_fill_begin(&t->hub->store, 3201, HS_LANE_PEOPLE);
    hs_buf_put(&world_store_fill(&t->hub->store, 3201, HS_LANE_PEOPLE)->after, "\x0c\x81\x03\x00\x01x", 6);
    world_start(t->hub);
    begin(t);
    world_settle(t->w);
    assert_int_equal(world_last_notice(t->hall, HS_NOTICE_FILL_FAILED)->err, HS_EFILLING);
    assert_int_equal(t->hall->store.fill_count, 1);
    world_start(t->other); /* the next one has it whole */
    world_import(t->other, t->hub, &customers);
    world_dial(t->hall, t->other);
    world_advance(t->w, 40000);
    assert_int_equal(t->hall->store.fill_count, 0);
    assert_int_equal(world_ops(t->hall), 10);
}

/* It was filled by one that was ahead of it, and the operations have not followed: nobody could check its records. */
static void a_hub_whose_records_are_ahead_of_its_log_waits(void **state)
{
    struct table *t = *state;
    struct hs_buf key = {0}, record = {0};
    struct hs_stream customers = write_some(t->hub, 3201, HS_LANE_PEOPLE, 10);
    world_record_of(&customers, 11, HS_BYTES("ahead", 5), &key, &record);
    world_store_put_state(&t->hub->store, hs_buf_bytes(&key), hs_buf_bytes(&record));
    begin(t);
    world_settle(t->w);
    assert_int_equal(world_last_notice(t->hall, HS_NOTICE_FILL_FAILED)->err, HS_EFILLING);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_ENDED), 0);
    world_write_text(t->hub, 3201, HS_LANE_PEOPLE, "ahead");
    world_advance(t->w, 3000);
    assert_int_equal(t->hall->store.fill_count, 0);
    assert_int_equal(world_ops(t->hall), 11);
    hs_buf_fini(&key);
    hs_buf_fini(&record);
}

/* A hall that is set back with its memory, again and again: several contents of some numbers lie at the hub. */
struct twin {
    struct world_node *node;
    struct world_store kept;
};

static struct twin twin_of(struct table *t)
{
    struct twin twin = {.node = world_hall(t->w, "hall-2", D1, 1)};
    world_start(twin.node);
    struct world_link *link = world_dial(twin.node, t->hub);
    world_write_text(twin.node, 3201, HS_LANE_PEOPLE, "before");
    world_settle(t->w);
    world_cut(link);
    world_store_copy(&twin.node->store, &twin.kept);
    return twin;
}

/* One operation a letter, behind what it had at first. */
static void branch(struct table *t, struct twin *twin, const char *ops)
{
    world_stop(twin->node);
    world_store_fini(&twin->node->store);
    world_store_copy(&twin->kept, &twin->node->store);
    world_start(twin->node);
    for (; *ops != '\0'; ops++)
        world_write(twin->node, 3201, HS_LANE_PEOPLE, ops, 1);
    struct world_link *link = world_dial(twin->node, t->hub);
    world_advance(t->w, 3000);
    world_cut(link);
}

/* It is not in the list, for it goes by its operations; but its operations are in the records. */
static void a_forked_stream_is_no_obstacle(void **state)
{
    struct table *t = *state;
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 5);
    struct twin twin = twin_of(t);
    branch(t, &twin, "ab");
    branch(t, &twin, "wxyz");
    assert_true(t->hub->store.fork_count > 0);
    size_t ops = world_ops(t->hub);
    assert_true(ops >= 10);
    begin(t);
    world_advance(t->w, 5000);
    assert_int_equal(t->hall->store.fill_count, 0);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_ENDED), 0);
    assert_int_equal(world_ops(t->hall), ops);
    assert_int_equal(t->hall->store.fork_count, t->hub->store.fork_count);
    world_store_fini(&twin.kept);
}

/* Another branch comes while the records are being read. */
static void a_fork_that_grows_meanwhile_is_told(void **state)
{
    struct table *t = *state;
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 5);
    struct twin twin = twin_of(t);
    branch(t, &twin, "ab");
    branch(t, &twin, "wxyz");
    t->hub->records_late = 1000; /* the list has gone out, the records not yet */
    begin(t);
    world_advance(t->w, 3000);
    branch(t, &twin, "12345678");
    t->hub->records_late = 0;
    world_advance(t->w, 5000);
    assert_int_equal(t->hall->store.fill_count, 0);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_ENDED), 0);
    assert_int_equal(world_ops(t->hall), world_ops(t->hub));
    world_store_fini(&twin.kept);
}

/* ---- pruned logs ---- */

static void who_was_away_longer_than_the_log_gets_states(void **state)
{
    struct table *t = *state;
    struct hs_stream customers = write_some(t->hub, 3201, HS_LANE_PEOPLE, 20);
    world_start(t->hall);
    t->link = world_dial(t->hall, t->hub);
    world_settle(t->w);
    assert_int_equal(t->hall->store.state_count, 0); /* nothing was to be filled: operations */
    world_cut(t->link);
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 30);
    struct hs_stream own = write_some(t->hall, 3201, HS_LANE_PEOPLE, 5);
    struct hs_stream paid = write_some(t->hub, 3201, HS_LANE_MONEY, 4);
    world_prune(t->hub, &customers, 40);
    t->link = world_dial(t->hall, t->hub);
    world_settle(t->w);
    assert_int_equal(world_head(t->hall, &customers), 50);
    assert_int_equal(world_head(t->hub, &own), 5);
    assert_int_equal(world_head(t->hall, &paid), 4);
    assert_int_equal(t->hall->store.fill_count, 0);
    assert_int_equal(t->hall->store.state_count, 55);
    assert_int_equal(world_ops(t->hall), 59);
    world_advance(t->w, 5000);
    assert_true(world_notices(t->hall, HS_NOTICE_EQUAL) > 0);
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 1);
    world_settle(t->w);
    assert_int_equal(world_head(t->hall, &customers), 51);
}

/* Two hubs that were apart, each of which has forgotten what the other lacks. */
static void two_hubs_that_have_pruned_fill_each_other(void **state)
{
    struct table *t = *state;
    world_start(t->other);
    struct hs_stream one = write_some(t->hub, 3201, HS_LANE_PEOPLE, 600);
    struct hs_stream two = write_some(t->other, 3201, HS_LANE_PEOPLE, 500);
    world_prune(t->hub, &one, 600);
    world_prune(t->other, &two, 500);
    world_dial(t->other, t->hub);
    world_settle(t->w);
    world_advance(t->w, 60000);
    assert_int_equal(world_head(t->other, &one), 600);
    assert_int_equal(world_head(t->hub, &two), 500);
    assert_int_equal(t->hub->store.fill_count + t->other->store.fill_count, 0);
    assert_int_equal(world_ops(t->hub), 1100);
    assert_int_equal(world_ops(t->other), 1100);
    assert_int_equal(world_notices(t->hub, HS_NOTICE_ENDED) + world_notices(t->other, HS_NOTICE_ENDED), 0);
}

/* What a hall has pruned its first hub has signed for; a second one gets it from there. */
static void what_a_hall_has_pruned_comes_from_its_hub(void **state)
{
    struct table *t = *state;
    world_start(t->hall);
    world_dial(t->hall, t->hub);
    struct hs_stream own = write_some(t->hall, 3201, HS_LANE_PEOPLE, 30);
    world_settle(t->w);
    world_prune(t->hall, &own, 30);
    write_some(t->hall, 3201, HS_LANE_PEOPLE, 3);
    world_start(t->other);
    world_dial(t->hall, t->other);
    world_settle(t->w);
    assert_int_equal(world_head(t->other, &own), 0);
    assert_non_null(world_store_fill(&t->other->store, 3201, HS_LANE_PEOPLE));
    world_dial(t->other, t->hub);
    world_settle(t->w);
    world_advance(t->w, 1000);
    assert_int_equal(world_head(t->other, &own), 33);
    assert_int_equal(world_ops(t->other), 33);
}

/* Of a district that is not its own it has no states to give: what it cannot send waits for nobody. */
static void what_a_hall_has_pruned_of_others_does_not_wait(void **state)
{
    struct table *t = *state;
    struct hs_peer_status status;
    world_start(t->hall);
    world_dial(t->hall, t->hub);
    struct hs_stream foreign = write_some(t->hall, 3202, HS_LANE_PEOPLE, 30);
    world_settle(t->w);
    assert_int_equal(world_head(t->hub, &foreign), 30);
    world_prune(t->hall, &foreign, 30);
    write_some(t->hall, 3202, HS_LANE_PEOPLE, 3);
    world_start(t->other);
    t->link = world_dial(t->hall, t->other);
    world_settle(t->w);
    world_advance(t->w, 10000);
    assert_int_equal(world_head(t->other, &foreign), 0);
    assert_true(world_status(t->hall, t->link->peer[0], &status));
    assert_true(status.live);
    assert_int_equal(status.oldest_unsent_ms, 0);
    assert_int_equal(status.lag_out_ops, 0);
}

/* Its disk dies with what only its witness has got.  On the new one it is filled, while the witness names that; what is
 * being filled is not asked for, but must not be forgotten. */
static void what_a_witness_keeps_comes_when_the_fill_has_ended(void **state)
{
    struct table *t = *state;
    struct world_node *witness = world_witness(t->w, "witness-1", D1, 1);
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 40);
    world_start(t->hall);
    world_start(witness);
    struct world_link *line = world_dial(t->hall, witness);
    struct hs_stream own = write_some(t->hall, 3201, HS_LANE_PEOPLE, 3);
    world_settle(t->w);
    assert_int_equal(world_head(witness, &own), 3);
    world_cut(line);
    world_lose_disk(t->hall);
    begin(t);
    world_dial(t->hall, witness);
    world_settle(t->w);
    assert_int_equal(t->hall->store.fill_count, 0);
    assert_int_equal(world_head(t->hall, &own), 3);
    assert_int_equal(world_head(t->hub, &own), 3);
    assert_true(world_same(t->hall, t->hub));
}

static void a_fill_begins_only_where_something_is_missing(void **state)
{
    struct table *t = *state;
    struct puppet p;
    Hallsync__PeerPruned pruned = HALLSYNC__PEER_PRUNED__INIT;
    world_start(t->hall);
    puppet_dialled(&p, t->other, t->hall);
    puppet_greet(&p);
    struct hs_stream held = write_some(t->hall, 3201, HS_LANE_PEOPLE, 2);
    world_import(t->other, t->hall, &held);
    pruned.head = puppet_head(&p, &held, 2, world_store_find(&t->hall->store, &held)->ops[1].hash.bytes);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_PRUNED, &pruned.base);
    assert_int_equal(t->hall->store.fill_count + t->hall->store_count, 0);
    const Hallsync__PeerFill *answer = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FILL);
    assert_true(answer->has_done && answer->done);
    puppet_fini(&p);
}

static void a_store_that_fails_begins_anew_from_what_it_has(void **state)
{
    struct table *t = *state;
    write_some(t->hub, 3201, HS_LANE_PEOPLE, 600);
    begin(t);
    run_into_states(t, 2);
    t->hall->store_fails = HS_EFULL;
    world_store_next(t->hall, 1);
    t->hall->store_fails = HS_OK;
    assert_int_equal(world_notices(t->hall, HS_NOTICE_ENDED), 1);
    world_settle(t->w);
    t->link = world_dial(t->hall, t->hub);
    world_settle(t->w);
    assert_int_equal(world_ops(t->hall), 600);
    assert_int_equal(t->hall->store.fill_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_hall_is_filled_with_states),
        TEST(both_ends_go_on_working_meanwhile),
        TEST(what_was_stored_is_not_sent_again),
        TEST(another_hub_goes_on_where_the_first_one_was),
        TEST(what_one_list_leaves_out_comes_as_operations),
        TEST(a_large_record_comes_in_parts),
        TEST(an_empty_partition_is_filled_at_once),
        TEST(operations_wait_until_the_states_are_there),
        TEST(money_comes_as_operations_and_ends_by_itself),
        TEST(who_waits_until_all_is_here_waits_for_states),
        TEST(a_partition_that_is_being_filled_is_not_compared),
        TEST(work_is_asked_for_first_and_four_at_a_time),
        TEST(a_hall_holds_nothing_back),
        TEST(a_hall_knows_that_its_hub_is_being_filled),
        TEST(states_wait_until_stored_has_told),
        TEST(records_that_are_behind_the_log_are_read_later),
        TEST(a_hub_that_is_half_filled_itself_says_so),
        TEST(a_hub_whose_records_are_ahead_of_its_log_waits),
        TEST(a_forked_stream_is_no_obstacle),
        TEST(a_fork_that_grows_meanwhile_is_told),
        TEST(who_was_away_longer_than_the_log_gets_states),
        TEST(two_hubs_that_have_pruned_fill_each_other),
        TEST(what_a_hall_has_pruned_comes_from_its_hub),
        TEST(what_a_hall_has_pruned_of_others_does_not_wait),
        TEST(what_a_witness_keeps_comes_when_the_fill_has_ended),
        TEST(a_fill_begins_only_where_something_is_missing),
        TEST(a_store_that_fails_begins_anew_from_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
