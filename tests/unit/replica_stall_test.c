/* replica_stall_test.c -- a hub that is asked for states and brings none, or so slowly that nobody knows, while its
 * heartbeats go on.  PROTOCOL.md, "State transfer". */
#include "tests/unit/replica_puppet.h"

#include <stdio.h>

#define STALL_S (HS_SUPPLY_STALL_MS / 1000)

static const hs_partition D1[] = {3201};

/* A hall that lacks the customers of its district, and a hub made by hand that has two. */
struct table {
    struct world *w;
    struct world_node *hall, *hub, *other;
    struct puppet p;
    struct hs_stream customers, paid;
    uint64_t paid_n;
};

static int setup(void **state)
{
    struct table *t = test_malloc(sizeof *t);
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->other = world_hub(t->w, "hub-2");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    world_write_text(t->hub, 3201, HS_LANE_PEOPLE, "a customer");
    t->customers = world_write_text(t->hub, 3201, HS_LANE_PEOPLE, "another customer");
    world_store_fill_begin(&t->hall->store, 3201, HS_LANE_PEOPLE);
    world_start(t->hall);
    puppet_dialled(&t->p, t->hub, t->hall);
    puppet_greet(&t->p);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct table *t = *state;
    puppet_fini(&t->p);
    world_free(t->w);
    test_free(t);
    return 0;
}

static bool is_asked(struct table *t)
{
    return puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_FILL) != NULL;
}

/* The hub's heartbeats go on; false: its session has ended. */
static bool pass(struct table *t, unsigned seconds)
{
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    for (unsigned i = 0; i < seconds && puppet_is_live(&t->p); i++) {
        puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
        world_advance(t->w, 1000);
    }
    return puppet_is_live(&t->p);
}

static void tell_heads(struct table *t)
{
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(&t->p, t->customers.origin)->base);
    Hallsync__SignedHead *head = puppet_signed_head(&t->p, &t->customers, 2);
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS,
               &puppet_fill_heads(&t->p, 3201, HS_LANE_PEOPLE, head)->base);
    world_settle(t->w);
}

/* A record that stands behind the one before. */
static void tell_state(struct table *t, unsigned number)
{
    struct hs_buf body = {0}, key = {0}, state = {0};
    struct hs_record_name name;
    char id[16];
    world_record_of(&t->customers, 1, HS_BYTES("a customer", 10), &key, &state);
    assert_int_equal(hs_record_from_key(hs_buf_bytes(&key), &name), HS_OK);
    snprintf(id, sizeof id, "c-%08u", number);
    name.id = HS_BYTES(id, strlen(id));
    uint8_t named[HS_RECORD_KEY_BYTES_MAX];
    hs_buf_put_sized(&body, HS_BYTES(named, hs_record_key(&name, named)));
    hs_buf_put_sized(&body, hs_buf_bytes(&state));
    Hallsync__PeerStates *states = puppet_states(&t->p, 3201, HS_LANE_PEOPLE, hs_buf_bytes(&body));
    states->last = false;
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_STATES, &states->base);
    world_settle(t->w);
    hs_buf_fini(&body);
    hs_buf_fini(&key);
    hs_buf_fini(&state);
}

static void pay(struct table *t)
{
    t->paid = world_write_text(t->hub, 3201, HS_LANE_MONEY, "paid");
    t->paid_n++;
    puppet_send(&t->p, &t->paid, t->paid_n, t->paid_n);
    world_settle(t->w);
}

/* ---- nothing comes ---- */

static void who_does_not_answer_is_left(void **state)
{
    struct table *t = *state;
    assert_true(is_asked(t));
    assert_true(pass(t, STALL_S - 3));
    assert_false(pass(t, 5));
    assert_int_equal(puppet_ended(&t->p), HS_ETIMEDOUT);
}

static void who_stops_in_the_middle_is_left(void **state)
{
    struct table *t = *state;
    assert_true(is_asked(t));
    assert_true(pass(t, STALL_S / 2));
    tell_heads(t);
    assert_true(pass(t, STALL_S - 3));
    tell_state(t, 1);
    assert_true(pass(t, STALL_S - 3));
    assert_false(pass(t, 5));
    assert_int_equal(puppet_ended(&t->p), HS_ETIMEDOUT);
}

static void another_hub_is_asked(void **state)
{
    struct table *t = *state;
    assert_true(is_asked(t));
    tell_heads(t);
    tell_state(t, 1);
    world_start(t->other);
    world_write_text(t->other, 3201, HS_LANE_PEOPLE, "of the other hub");
    world_dial(t->hall, t->other);
    assert_true(pass(t, STALL_S / 2));
    assert_int_equal(world_notices(t->hall, HS_NOTICE_FILLED), 0);
    assert_false(pass(t, STALL_S));
    world_advance(t->w, 1000);
    assert_int_equal(world_notices(t->hall, HS_NOTICE_FILLED), 1);
}

/* ---- something does ---- */

static void who_is_slow_is_waited_for(void **state)
{
    struct table *t = *state;
    tell_heads(t);
    for (unsigned i = 1; i < 35; i++) {
        assert_true(pass(t, STALL_S - 10));
        tell_state(t, i);
    }
    assert_true(puppet_is_live(&t->p));
}

/* What goes ahead may take long; but not for ever. */
static void who_brings_other_things_is_waited_for_longer(void **state)
{
    struct table *t = *state;
    unsigned seconds = 0;
    tell_heads(t);
    for (; seconds < 40 * STALL_S && pass(t, STALL_S / 2); seconds += STALL_S / 2) {
        if (puppet_is_live(&t->p))
            pay(t);
    }
    assert_in_range(seconds, 28 * STALL_S, 32 * STALL_S);
    assert_int_equal(puppet_ended(&t->p), HS_ETIMEDOUT);
}

/* The hall itself has no room: nobody else is to blame. */
static void who_may_not_send_is_waited_for(void **state)
{
    struct table *t = *state;
    tell_heads(t);
    world_hold(t->hall, 1U << HS_LANE_PEOPLE);
    assert_true(pass(t, 3 * STALL_S));
    world_hold(t->hall, 0);
    assert_true(pass(t, STALL_S - 3));
    assert_false(pass(t, 5));
}

/* Its disk takes nothing for a while, and so the hub has no credit: it has its time from then on. */
static void who_has_no_credit_is_waited_for(void **state)
{
    struct table *t = *state;
    tell_heads(t);
    t->hall->disk_waits = true;
    pay(t);
    assert_true(pass(t, 3 * STALL_S));
    t->hall->disk_waits = false;
    assert_true(pass(t, STALL_S - 3));
    assert_false(pass(t, 5));
}

/* On such a line two messages of the largest size take longer. */
static void who_is_limited_by_people_is_waited_for_longer(void **state)
{
    struct table *t = *state;
    unsigned longer_s = 2 * STALL_S, bytes_s = 2 * HS_MESSAGE_BYTES_MAX / longer_s;
    tell_heads(t);
    world_rate(t->hall, t->p.link->peer[1 - t->p.me], bytes_s);
    assert_true(pass(t, longer_s - 3));
    assert_false(pass(t, 5));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_does_not_answer_is_left),
        TEST(who_stops_in_the_middle_is_left),
        TEST(another_hub_is_asked),
        TEST(who_is_slow_is_waited_for),
        TEST(who_brings_other_things_is_waited_for_longer),
        TEST(who_may_not_send_is_waited_for),
        TEST(who_has_no_credit_is_waited_for),
        TEST(who_is_limited_by_people_is_waited_for_longer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
