/* replica_schedule_test.c -- what goes out next: lanes, turns, credit, the measured rate, only what STORED told. */
#include "tests/unit/replica_puppet.h"

#include <stdio.h>

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *hall, *hub; /* the hub is the puppet's */
    struct puppet p;
    uint64_t stored; /* credit given back */
};

static void set(struct table *t)
{
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    world_start(t->hall);
}

/* The hub greets with this first credit and says that it holds nothing. */
static void meet(struct table *t, uint32_t credit)
{
    puppet_dialled(&t->p, t->hub, t->hall);
    Hallsync__PeerHello *hello = puppet_hello(&t->p);
    hello->credit = credit;
    t->stored = credit;
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    puppet_hold_nothing(&t->p);
}

static void clear(struct table *t)
{
    puppet_fini(&t->p);
    world_free(t->w);
}

static const Hallsync__PeerSegment *next_segment(struct table *t)
{
    return puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_SEGMENT);
}

static void give_back(struct table *t, uint64_t cost)
{
    Hallsync__PeerAck ack = HALLSYNC__PEER_ACK__INIT;
    t->stored += cost;
    ack.has_credit_total = true;
    ack.credit_total = t->stored;
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_ACK, &ack.base);
}

static void acknowledge(struct table *t, const Hallsync__PeerSegment *segment)
{
    give_back(t, segment->raw_bytes + 256);
}

/* @count segments' worth of a lane. */
static struct hs_stream fill(struct table *t, enum hs_lane lane, size_t count)
{
    struct hs_stream stream = {0};
    static char op[16000];
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < sizeof op; k++)
            op[k] = (char)world_random(t->w);
        stream = world_write(t->hall, 3201, lane, op, sizeof op);
    }
    return stream;
}

static void nothing_is_sent_before_the_peer_says_where_it_is(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct hs_stream stream = world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid");
    puppet_dialled(&t.p, t.hub, t.hall);
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&t.p)->base);
    assert_null(next_segment(&t));
    puppet_announce(&t.p, &stream, 0); /* the answer to the heads of the greeting */
    assert_non_null(next_segment(&t));
    clear(&t);
}

static void own_heads_go_with_the_greeting(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid");
    world_write_text(t.hall, 3202, HS_LANE_MONEY, "paid for another district");
    puppet_dialled(&t.p, t.hub, t.hall);
    const Hallsync__PeerHello *hello = puppet_hear(&t.p, HALLSYNC__PEER_TYPE__PEER_HELLO);
    assert_int_equal(hello->n_heads, 2);
    clear(&t);
}

static void an_opening_goes_ahead_of_the_first_operation_only(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid");
    meet(&t, HS_CREDIT_BYTES_MIN);
    assert_non_null(puppet_hear(&t.p, HALLSYNC__PEER_TYPE__PEER_OPENING));
    assert_non_null(next_segment(&t));
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid again");
    assert_null(puppet_hear(&t.p, HALLSYNC__PEER_TYPE__PEER_OPENING));
    clear(&t);
}

static void lanes_go_in_strict_order(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_write_text(t.hall, 3201, HS_LANE_BULK, "bill");
    world_write_text(t.hall, 3201, HS_LANE_PEOPLE, "customer");
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "payment");
    world_write_text(t.hall, 3201, HS_LANE_WORK, "ticket");
    meet(&t, HS_CREDIT_BYTES_MIN);
    for (uint32_t lane = 1; lane <= 4; lane++)
        assert_int_equal(next_segment(&t)->stream->lane, lane);
    clear(&t);
}

static void what_waited_longest_has_every_eighth_turn(void **state)
{
    (void)state;
    struct table t;
    unsigned turns[5] = {0};
    set(&t);
    fill(&t, HS_LANE_BULK, 3);
    fill(&t, HS_LANE_MONEY, 40);
    meet(&t, HS_CREDIT_BYTES_MIN);
    for (unsigned i = 0; i < 16; i++) {
        const Hallsync__PeerSegment *segment = next_segment(&t);
        assert_non_null(segment);
        turns[segment->stream->lane]++;
        t.w->now_ms += 10;
        acknowledge(&t, segment);
    }
    assert_int_equal(turns[HS_LANE_BULK], 2);
    assert_int_equal(turns[HS_LANE_MONEY], 14);
    clear(&t);
}

static void credit_is_never_overdrawn(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    fill(&t, HS_LANE_WORK, 40); /* work is bounded by credit only */
    meet(&t, HS_CREDIT_BYTES_MIN);
    uint64_t cost = 0;
    const Hallsync__PeerSegment *segment, *last = NULL;
    for (; (segment = next_segment(&t)) != NULL; last = segment)
        cost += segment->raw_bytes + 256;
    assert_in_range(cost, HS_CREDIT_BYTES_MIN - 16300, HS_CREDIT_BYTES_MIN);
    acknowledge(&t, last);
    assert_non_null(next_segment(&t));
    assert_null(next_segment(&t));
    clear(&t);
}

static void a_slow_line_has_one_segment_of_bulk_on_its_way(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    fill(&t, HS_LANE_BULK, 20);
    meet(&t, HS_CREDIT_BYTES_DEFAULT);
    for (unsigned i = 0; i < 6; i++) { /* 16 KB in two seconds: 64 kbit/s */
        const Hallsync__PeerSegment *segment = next_segment(&t);
        assert_non_null(segment);
        assert_null(next_segment(&t));
        t.w->now_ms += 2000;
        acknowledge(&t, segment);
    }
    clear(&t);
}

static void an_urgent_order_passes_a_backlog(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    fill(&t, HS_LANE_BULK, 20);
    meet(&t, HS_CREDIT_BYTES_DEFAULT);
    assert_non_null(next_segment(&t));
    assert_null(next_segment(&t));
    world_write_text(t.hall, 3201, HS_LANE_WORK,
                     "gas smells at Chengbei Road 5"); /* the bulk segment is still on its way */
    const Hallsync__PeerSegment *segment = next_segment(&t);
    assert_non_null(segment);
    assert_int_equal(segment->stream->lane, HS_LANE_WORK);
    clear(&t);
}

/* Found over a line of 64 kbit/s with a burst of 4 KB: a ticket waited 22 s behind customers. */
static void what_a_line_passes_in_a_burst_is_not_its_rate(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    meet(&t, HS_CREDIT_BYTES_DEFAULT);
    for (unsigned i = 0; i < 10; i++) { /* single payments, each answered at once */
        world_write_text(t.hall, 3201, HS_LANE_MONEY, "a payment, alone on the line");
        const Hallsync__PeerSegment *segment = next_segment(&t);
        assert_non_null(segment);
        t.w->now_ms += 1;
        acknowledge(&t, segment);
    }
    fill(&t, HS_LANE_BULK, 20);
    assert_non_null(next_segment(&t));
    assert_null(next_segment(&t));
    /* The same when more has waited already: small pieces that came back quickly say little of a large one. */
    t.w->now_ms += 1;
    give_back(&t, 300);
    assert_null(next_segment(&t));
    clear(&t);
}

static void a_fast_line_soon_carries_all_the_credit(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    fill(&t, HS_LANE_BULK, 200);
    meet(&t, HS_CREDIT_BYTES_DEFAULT);
    uint64_t on_way = 0;
    for (unsigned answers = 0; answers < 7; answers++) {
        const Hallsync__PeerSegment *segment;
        on_way = 0;
        while ((segment = next_segment(&t)) != NULL)
            on_way += segment->raw_bytes + 256;
        t.w->now_ms += 5; /* there and back */
        give_back(&t, on_way);
    }
    assert_true(on_way > HS_CREDIT_BYTES_DEFAULT - 17000);
    clear(&t);
}

static void what_came_back_slower_counts_when_the_line_was_full(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    fill(&t, HS_LANE_BULK, 100);
    meet(&t, HS_CREDIT_BYTES_MIN);
    const Hallsync__PeerSegment *segment;
    uint64_t on_way = 0;
    for (unsigned i = 0; i < 20; i++) { /* first fast, then 8 KB/s */
        on_way = 0;
        while ((segment = next_segment(&t)) != NULL)
            on_way += segment->raw_bytes + 256;
        t.w->now_ms += i < 3 ? 5 : on_way / 8;
        give_back(&t, on_way);
    }
    assert_in_range(on_way, 16000, 16400);
    clear(&t);
}

static void small_operations_are_cut_into_large_segments(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    for (unsigned i = 0; i < 600; i++)
        world_write_text(t.hall, 3201, HS_LANE_MONEY, "payment of a bill with some bytes");
    meet(&t, HS_CREDIT_BYTES_MIN);
    const Hallsync__PeerSegment *segment = next_segment(&t);
    assert_int_equal(segment->count, 256);
    assert_true(segment->compressed);
    assert_true(segment->body.len < 600);
    clear(&t);
}

static void what_stored_has_not_told_is_not_sent(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    meet(&t, HS_CREDIT_BYTES_MIN);
    world_write_untold(t.hall, 3201, HS_LANE_MONEY, "committed, its note not yet written");
    world_tick(t.hall);
    assert_null(next_segment(&t));
    struct hs_stream other = world_write_text(t.hall, 3201, HS_LANE_WORK, "told");
    const Hallsync__PeerSegment *segment = next_segment(&t);
    assert_int_equal(segment->stream->lane, other.lane);
    clear(&t);
}

static void a_segment_ends_where_stored_ended(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "one");
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "two");
    world_write_untold(t.hall, 3201, HS_LANE_MONEY, "three");
    meet(&t, HS_CREDIT_BYTES_MIN);
    const Hallsync__PeerSegment *segment = next_segment(&t);
    assert_int_equal(segment->first, 1);
    assert_int_equal(segment->count, 2);
    assert_int_equal(segment->raw_bytes, 8);
    clear(&t);
}

static void several_peers_share_one_reading(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1");
    world_start(hub);
    for (unsigned i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "hall-%u", i);
        struct world_node *hall = world_hall(w, id, D1, 1);
        world_start(hall);
        world_dial(hall, hub);
    }
    world_settle(w);
    hub->reads = 0;
    world_write_text(hub, HS_PARTITION_REGION, HS_LANE_BULK, "catalogue");
    world_settle(w);
    assert_int_equal(hub->reads, 1);
    world_free(w);
}

static void what_cannot_be_read_is_told_and_the_rest_goes_on(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct hs_stream rotten = world_write_text(t.hall, 3201, HS_LANE_WORK, "rotten");
    struct hs_stream good = world_write_text(t.hall, 3201, HS_LANE_MONEY, "good");
    t.hall->unreadable = rotten;
    meet(&t, HS_CREDIT_BYTES_MIN);
    const Hallsync__PeerSegment *segment = next_segment(&t);
    assert_int_equal(segment->stream->lane, good.lane);
    assert_int_equal(world_last_notice(t.hall, HS_NOTICE_STREAM_STOPPED)->err, HS_EDAMAGED);
    assert_true(puppet_is_live(&t.p));
    clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_sent_before_the_peer_says_where_it_is),
        cmocka_unit_test(own_heads_go_with_the_greeting),
        cmocka_unit_test(an_opening_goes_ahead_of_the_first_operation_only),
        cmocka_unit_test(lanes_go_in_strict_order),
        cmocka_unit_test(what_waited_longest_has_every_eighth_turn),
        cmocka_unit_test(credit_is_never_overdrawn),
        cmocka_unit_test(a_slow_line_has_one_segment_of_bulk_on_its_way),
        cmocka_unit_test(an_urgent_order_passes_a_backlog),
        cmocka_unit_test(what_a_line_passes_in_a_burst_is_not_its_rate),
        cmocka_unit_test(a_fast_line_soon_carries_all_the_credit),
        cmocka_unit_test(what_came_back_slower_counts_when_the_line_was_full),
        cmocka_unit_test(small_operations_are_cut_into_large_segments),
        cmocka_unit_test(what_stored_has_not_told_is_not_sent),
        cmocka_unit_test(a_segment_ends_where_stored_ended),
        cmocka_unit_test(several_peers_share_one_reading),
        cmocka_unit_test(what_cannot_be_read_is_told_and_the_rest_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
