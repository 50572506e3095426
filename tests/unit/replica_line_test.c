/* replica_line_test.c -- slow lines, modelled: each frame takes its time on the line, one behind the other.  An urgent
 * order passes a backlog of operations and of states; a limit that people set holds in both directions. */
#include "tests/unit/replica_puppet.h"

#include <stdio.h>

#define ONE_MESSAGE 18000 /* a segment, with what is never held back beside it */

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *hub, *hall;
    struct world_link *link;
};

static void set(struct table *t, uint64_t line_bytes_per_s)
{
    *t = (struct table){.w = world_new(1)};
    t->w->line_bytes_per_s = line_bytes_per_s;
    t->w->latency_ms = 20;
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    world_start(t->hub);
}

static void clear(struct table *t)
{
    world_free(t->w);
}

/* One millisecond of the line: what is due arrives, stores are made. */
static void tick(struct table *t)
{
    t->w->now_ms++;
    for (int to = 0; to < 2; to++) {
        while (t->link->frames[to] != NULL && t->link->frames[to]->due_ms <= t->w->now_ms)
            world_deliver(t->link, to);
    }
    struct world_node *ends[] = {t->hub, t->hall};
    for (size_t i = 0; i < 2; i++) {
        if (!ends[i]->disk_waits)
            world_store_next(ends[i], 64);
        if (ends[i]->wake_ms <= t->w->now_ms)
            world_tick(ends[i]);
    }
}

/* Until the node holds that many of a stream; the time that it took. */
static uint64_t time_until(struct table *t, const struct world_node *node, const struct hs_stream *stream, uint64_t n)
{
    uint64_t begin_ms = t->w->now_ms;
    while (world_head(node, stream) < n) {
        tick(t);
        assert_true(t->w->now_ms < begin_ms + 600000);
    }
    return t->w->now_ms - begin_ms;
}

static void run(struct table *t, uint64_t ms)
{
    for (uint64_t end_ms = t->w->now_ms + ms; t->w->now_ms < end_ms;)
        tick(t);
}

/* The longest way of a work order written by @from, one now and then, while the rest goes on. */
static uint64_t longest_way(struct table *t, struct world_node *from, const struct world_node *to, unsigned orders)
{
    uint64_t longest_ms = 0;
    for (unsigned i = 1; i <= orders; i++) {
        char text[64];
        snprintf(text, sizeof text, "gas smells, order %u", i);
        struct hs_stream order = world_write_text(from, 3201, HS_LANE_WORK, text);
        uint64_t ms = time_until(t, to, &order, i);
        longest_ms = ms > longest_ms ? ms : longest_ms;
        run(t, 1000 + i * 137 % 1000);
    }
    return longest_ms;
}

/* A hundred thousand operations of each lower lane wait at the hall. */
static uint64_t past_operations(uint64_t line_bytes_per_s)
{
    struct table t;
    set(&t, line_bytes_per_s);
    world_start(t.hall);
    world_write_many(t.hall, 3201, HS_LANE_BULK, 60000, 100);
    world_write_many(t.hall, 3201, HS_LANE_MONEY, 40000, 60);
    t.link = world_dial(t.hall, t.hub);
    run(&t, 5000);
    uint64_t longest_ms = longest_way(&t, t.hall, t.hub, 12);
    struct hs_peer_status status;
    assert_true(world_status(t.hall, t.link->peer[0], &status));
    assert_true(status.lag_out_ops > 0); /* the backlog was there all the while */
    assert_int_equal(status.lanes[HS_LANE_WORK].out_ops, 0);
    assert_true(status.lanes[HS_LANE_BULK].out_ops > 0);
    assert_int_equal(status.waits, HS_WAITS_LINE); /* and no fault of the hub's */
    clear(&t);
    return longest_ms;
}

/* A hall is being filled with customers. */
static uint64_t past_states(uint64_t line_bytes_per_s)
{
    struct table t;
    set(&t, line_bytes_per_s);
    world_write_many(t.hub, 3201, HS_LANE_PEOPLE, line_bytes_per_s / 5, 300);
    world_fill_scope(t.hall);
    world_start(t.hall);
    t.link = world_dial(t.hall, t.hub);
    run(&t, 8000);
    uint64_t longest_ms = longest_way(&t, t.hub, t.hall, 8);
    struct hs_peer_status status;
    assert_true(world_status(t.hall, t.link->peer[0], &status));
    assert_true(status.filling > 0);
    clear(&t);
    return longest_ms;
}

static void an_order_passes_a_backlog_on_64_kbit(void **state)
{
    (void)state;
    uint64_t ms = past_operations(8000);
    print_message("64 kbit/s, operations: %u ms at the longest\n", (unsigned)ms);
    assert_true(ms < 5000);
}

static void an_order_passes_a_backlog_on_2_mbit(void **state)
{
    (void)state;
    uint64_t ms = past_operations(250000);
    print_message("2 Mbit/s, operations: %u ms at the longest\n", (unsigned)ms);
    assert_true(ms < 450); /* a router drops what waits longer, and the line stands still for a second */
}

static void an_order_passes_states_on_64_kbit(void **state)
{
    (void)state;
    uint64_t ms = past_states(8000);
    print_message("64 kbit/s, states: %u ms at the longest\n", (unsigned)ms);
    assert_true(ms < 5000);
}

/* ---- limits ---- */

static void a_limit_holds_in_both_directions(void **state)
{
    (void)state;
    struct table t;
    struct hs_peer_status hall, hub;
    set(&t, 1000000);
    world_start(t.hall);
    world_write_many(t.hub, 3201, HS_LANE_PEOPLE, 3000, 100);
    world_write_many(t.hall, 3201, HS_LANE_MONEY, 3000, 100);
    t.link = world_dial(t.hall, t.hub);
    world_rate(t.hall, t.link->peer[0], 3000); /* said before the session is live */
    run(&t, 1000);
    assert_true(world_status(t.hall, t.link->peer[0], &hall) && world_status(t.hub, t.link->peer[1], &hub));
    assert_int_equal(hall.rate_max, 3000);
    assert_int_equal(hub.rate_max, 3000);
    uint64_t out = hall.sent_bytes, in = hall.received_bytes;
    run(&t, 60000);
    assert_true(world_status(t.hall, t.link->peer[0], &hall));
    assert_in_range(hall.sent_bytes - out, 150000, 60 * 3000 + 3000 + 17000);
    assert_in_range(hall.received_bytes - in, 150000, 60 * 3000 + 3000 + 17000);
    assert_int_equal(hall.waits, HS_WAITS_LIMIT);
    struct hs_stream order = world_write_text(t.hall, 3201, HS_LANE_WORK, "work is never held back");
    assert_true(time_until(&t, t.hub, &order, 1) < 100);
    world_rate(t.hall, t.link->peer[0], 0);
    run(&t, 3000);
    assert_true(world_status(t.hall, t.link->peer[0], &hall) && world_status(t.hub, t.link->peer[1], &hub));
    assert_int_equal(hall.rate_max + hub.rate_max, 0);
    assert_int_equal(hall.lag_out_ops + hub.lag_out_ops, 0);
    assert_int_equal(hall.waits, HS_WAITS_NOT);
    clear(&t);
}

/* Heartbeats go on, and nothing comes back: it is not the line. */
static void a_store_that_stands_still_is_told_from_a_line(void **state)
{
    (void)state;
    struct table t;
    struct hs_peer_status hall;
    set(&t, 8000);
    world_start(t.hall);
    world_write_many(t.hall, 3201, HS_LANE_BULK, 60000, 100);
    t.link = world_dial(t.hall, t.hub);
    run(&t, 10000);
    assert_true(world_status(t.hall, t.link->peer[0], &hall));
    assert_int_equal(hall.waits, HS_WAITS_LINE);
    t.hub->disk_waits = true;
    run(&t, 30000);
    assert_true(world_status(t.hall, t.link->peer[0], &hall));
    assert_true(hall.live);
    assert_int_equal(hall.waits, HS_WAITS_CREDIT);
    clear(&t);
}

/* What was sent beyond the limit, at most, in any span of time: of each direction by itself, over all sessions. */
static struct beyond {
    uint64_t rate, at_ms[2], bytes[2], most[2];
} beyond;

static void count_beyond(struct world *w, struct world_link *link, int to, struct hs_bytes frame)
{
    uint64_t passed = beyond.rate * (w->now_ms - beyond.at_ms[to]) / 1000;
    (void)link;
    beyond.bytes[to] = (beyond.bytes[to] > passed ? beyond.bytes[to] - passed : 0) + frame.size;
    beyond.at_ms[to] = w->now_ms;
    if (beyond.bytes[to] > beyond.most[to])
        beyond.most[to] = beyond.bytes[to];
}

/* Nobody gets more than a second's worth and one message at once: not before the other end has heard of the limit, and
 * not by coming anew again and again. */
static void no_window_has_more_than_the_limit_and_one_burst(void **state)
{
    (void)state;
    struct table t;
    struct hs_peer_status hall;
    set(&t, 1000000);
    world_start(t.hall);
    world_write_many(t.hub, 3201, HS_LANE_PEOPLE, 6000, 100);
    world_write_many(t.hall, 3201, HS_LANE_MONEY, 6000, 100);
    beyond = (struct beyond){.rate = 8000};
    t.w->sent = count_beyond;
    for (unsigned i = 0; i < 8; i++) {
        t.link = world_dial(t.hall, t.hub);
        world_rate(t.hall, t.link->peer[0], beyond.rate);
        run(&t, 700);
        if (i < 7)
            world_cut(t.link);
    }
    run(&t, 8000);
    assert_true(world_status(t.hall, t.link->peer[0], &hall));
    assert_true(hall.lag_out_ops > 0 && hall.lag_in_ops > 0);
    print_message("8,000 bytes a second: %u and %u bytes beyond it at the most\n", (unsigned)beyond.most[0],
                  (unsigned)beyond.most[1]);
    for (int to = 0; to < 2; to++)
        assert_in_range(beyond.most[to], 8000, 8000 + ONE_MESSAGE);
    clear(&t);
}

/* Nobody gets more by saying another limit again and again. */
static void a_limit_that_changes_gives_nothing_anew(void **state)
{
    (void)state;
    struct table t;
    struct hs_peer_status before, after;
    set(&t, 1000000);
    world_start(t.hall);
    world_write_many(t.hub, 3201, HS_LANE_PEOPLE, 6000, 100);
    t.link = world_dial(t.hall, t.hub);
    run(&t, 50);
    world_rate(t.hub, t.link->peer[1], 3000);
    run(&t, 5000);
    assert_true(world_status(t.hub, t.link->peer[1], &before));
    for (unsigned i = 0; i < 100; i++) {
        world_rate(t.hall, t.link->peer[0], 5000 + i);
        run(&t, 200);
    }
    assert_true(world_status(t.hub, t.link->peer[1], &after));
    assert_true(after.lag_out_ops > 0);
    assert_in_range(after.sent_bytes - before.sent_bytes, 30000, 20 * 3000 + 3000 + 17000);
    clear(&t);
}

static void work_counts_against_the_limit(void **state)
{
    (void)state;
    struct table t;
    struct hs_peer_status before, after;
    set(&t, 1000000);
    world_start(t.hall);
    t.link = world_dial(t.hall, t.hub);
    run(&t, 1000);
    world_rate(t.hall, t.link->peer[0], 2000);
    struct hs_stream orders = world_write_many(t.hall, 3201, HS_LANE_WORK, 200, 100); /* ten seconds' worth */
    struct hs_stream paid = world_write_many(t.hall, 3201, HS_LANE_MONEY, 20, 100);
    assert_true(time_until(&t, t.hub, &orders, 200) < 500);
    assert_true(world_status(t.hall, t.link->peer[0], &before));
    assert_in_range(time_until(&t, t.hub, &paid, 20), 9000, 14000);
    assert_true(world_status(t.hall, t.link->peer[0], &after));
    assert_true(after.sent_bytes > before.sent_bytes);
    clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_passes_a_backlog_on_64_kbit),
        cmocka_unit_test(an_order_passes_a_backlog_on_2_mbit),
        cmocka_unit_test(an_order_passes_states_on_64_kbit),
        cmocka_unit_test(a_limit_holds_in_both_directions),
        cmocka_unit_test(no_window_has_more_than_the_limit_and_one_burst),
        cmocka_unit_test(work_counts_against_the_limit),
        cmocka_unit_test(a_store_that_stands_still_is_told_from_a_line),
        cmocka_unit_test(a_limit_that_changes_gives_nothing_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
