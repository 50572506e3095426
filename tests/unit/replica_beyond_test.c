/* replica_beyond_test.c -- what a hall names and has not handed in is noted by its hub: each minute, if it is news. */
#include "tests/unit/replica_puppet.h"

#define MINUTE_S 60

static const hs_partition D1[] = {3201};

/* A hall made by hand, and its hub, whose notes wait for the disk. */
struct table {
    struct world *w;
    struct world_node *hub, *hall;
    struct puppet p;
    struct hs_stream money;
};

static int setup(void **state)
{
    struct table *t = test_malloc(sizeof *t);
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    t->money = world_write_text(t->hall, 3201, HS_LANE_MONEY, "paid");
    world_start(t->hub);
    puppet_dial(&t->p, t->hall, t->hub);
    puppet_greet(&t->p);
    world_settle(t->w);
    t->hub->disk_waits = true;
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

static void pass(struct table *t, unsigned seconds, uint64_t payments, int64_t fen)
{
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    beat.has_own_payments = beat.has_own_fen = payments != 0;
    beat.own_payments = payments;
    beat.own_fen = fen;
    for (unsigned i = 0; i < seconds; i++) {
        puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
        world_advance(t->w, 1000);
    }
    assert_true(puppet_is_live(&t->p));
}

static size_t notes(const struct table *t, const struct hs_announcement **last)
{
    size_t count = 0;
    for (size_t i = 0; i < t->hub->store_count; i++) {
        if (t->hub->stores[i]->type != HS_STORE_ANNOUNCED)
            continue;
        *last = &t->hub->stores[i]->announcement;
        count++;
    }
    return count;
}

static void what_it_names_is_noted_with_its_payments(void **state)
{
    struct table *t = *state;
    const struct hs_announcement *last = NULL;
    puppet_announce(&t->p, &t->money, 1);
    pass(t, MINUTE_S + 1, 1, 250);
    assert_int_equal(notes(t, &last), 1);
    assert_int_equal(last->count, 1);
    assert_int_equal(last->heads[0].n, 1);
    assert_true(hs_stream_equal(&last->heads[0].stream, &t->money));
    assert_true(last->payments_known);
    assert_int_equal(last->payments, 1);
    assert_int_equal(last->fen, 250);
}

static void only_what_is_new_is_noted_again(void **state)
{
    struct table *t = *state;
    const struct hs_announcement *last = NULL;
    puppet_announce(&t->p, &t->money, 1);
    pass(t, 3 * MINUTE_S, 0, 0);
    assert_int_equal(notes(t, &last), 1);
    assert_false(last->payments_known);
    pass(t, 2 * MINUTE_S, 2, 300); /* the figures are, though the heads are not */
    assert_int_equal(notes(t, &last), 2);
    assert_int_equal(last->payments, 2);
    pass(t, 2 * MINUTE_S, 2, 400);
    assert_int_equal(notes(t, &last), 3);
    assert_int_equal(last->fen, 400);
}

static void who_has_handed_in_all_is_not_noted(void **state)
{
    struct table *t = *state;
    const struct hs_announcement *last = NULL;
    pass(t, 2 * MINUTE_S, 1, 250);
    assert_int_equal(notes(t, &last), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_it_names_is_noted_with_its_payments),
        TEST(only_what_is_new_is_noted_again),
        TEST(who_has_handed_in_all_is_not_noted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
