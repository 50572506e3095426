/* replica_fetch_test.c -- operations that rotted in one store, had again from another. */
#include "tests/unit/replica_puppet.h"

static const hs_partition D1[] = {3201};

/* A hub with two halls of one district; the first has written. */
struct region {
    struct world *w;
    struct world_node *hub, *hall, *other;
    struct hs_stream stream;
};

static void set(struct region *t)
{
    *t = (struct region){.w = world_new(7)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    t->other = world_hall(t->w, "hall-2", D1, 1);
    world_start(t->hub);
    world_start(t->hall);
    world_start(t->other);
    for (int i = 0; i < 6; i++)
        t->stream = world_write_text(t->hall, 3201, HS_LANE_MONEY, "paid");
}

static void rot(struct region *t, struct world_node *node)
{
    node->rotten = (struct hs_healed){.stream = t->stream, .first = 1, .last = 5};
    world_stop(node);
    node->is_rot_noted = true;
    world_start(node);
}

static void meet(struct region *t, struct world_node *hall)
{
    (void)t;
    world_dial(hall, t->hub);
    world_settle(t->w);
}

static void it_comes_back_from_who_has_it(void **state)
{
    (void)state;
    struct region t;
    set(&t);
    meet(&t, t.hall);
    rot(&t, t.hub);
    meet(&t, t.hall);
    assert_int_equal(t.hub->rotten.last, 0);
    world_free(t.w);
}

/* Found by reading it to send it: the store is asked to look, and then it is fetched; at last everybody has it. */
static void what_cannot_be_sent_is_fetched_and_sent(void **state)
{
    (void)state;
    struct region t;
    set(&t);
    struct world_link *first = world_dial(t.hall, t.hub);
    world_settle(t.w);
    t.hub->rotten = (struct hs_healed){.stream = t.stream, .first = 1, .last = 5};
    world_cut(first);
    world_settle(t.w);
    meet(&t, t.other);
    assert_int_equal(world_last_notice(t.hub, HS_NOTICE_STREAM_STOPPED)->err, HS_EDAMAGED);
    assert_true(t.hub->is_rot_noted);
    assert_null(world_store_find(&t.other->store, &t.stream));
    meet(&t, t.hall);
    t.w->now_ms += 31000; /* the other hall has said that it has none: nobody is asked again at once */
    meet(&t, t.hall);
    assert_int_equal(t.hub->rotten.last, 0);
    const struct world_stream *got = world_store_find(&t.other->store, &t.stream);
    assert_non_null(got);
    assert_int_equal(got->count, 6);
    world_free(t.w);
}

/* A peer of the version before has not named the message: it is not sent one, and the session goes on. */
static void an_older_peer_is_not_asked(void **state)
{
    (void)state;
    struct region t;
    struct puppet p = {.self = NULL};
    set(&t);
    meet(&t, t.hall);
    rot(&t, t.hub);
    world_stop(t.other);
    puppet_dial(&p, t.other, t.hub);
    puppet_greet(&p);
    world_settle(t.w);
    assert_true(puppet_is_live(&p));
    assert_int_equal(puppet_count(&p, HALLSYNC__PEER_TYPE__PEER_FETCH), 0);
    assert_int_equal(t.hub->rotten.last, 5);
    puppet_fini(&p);
    world_free(t.w);
}

static void a_fetch_that_is_none_ends_the_session(void **state)
{
    (void)state;
    struct region t;
    struct puppet p = {.self = NULL};
    set(&t);
    world_stop(t.other);
    puppet_dial(&p, t.other, t.hub);
    puppet_greet(&p);
    Hallsync__PeerFetch fetch = HALLSYNC__PEER_FETCH__INIT;
    fetch.stream = puppet_name(&p, &t.stream);
    fetch.first = 1;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FETCH, &fetch.base);
    assert_true(puppet_is_live(&p)); /* the hub has nothing of it, and says so */
    fetch.has_none = fetch.none = true;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FETCH, &fetch.base);
    assert_true(puppet_is_live(&p)); /* an answer that nobody waits for */
    fetch.first = 0;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FETCH, &fetch.base);
    assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
    puppet_fini(&p);
    world_free(t.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back_from_who_has_it),
        cmocka_unit_test(what_cannot_be_sent_is_fetched_and_sent),
        cmocka_unit_test(an_older_peer_is_not_asked),
        cmocka_unit_test(a_fetch_that_is_none_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
