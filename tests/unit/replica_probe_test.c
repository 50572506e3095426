/* replica_probe_test.c -- wait --synced: done when everything from before is at both sides, and not before. */
#include "tests/unit/replica_puppet.h"

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *hub, *hall;
    struct world_link *link;
};

static void set(struct table *t)
{
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    world_start(t->hub);
    world_start(t->hall);
}

static bool done(const struct world_node *node, uint64_t token)
{
    for (size_t i = 0; i < node->notice_count; i++) {
        if (node->notices[i].type == HS_NOTICE_PROBE_DONE && node->notices[i].token == token)
            return true;
    }
    return false;
}

static void nothing_to_wait_for_is_done_at_once(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_dial(t.hall, t.hub);
    world_settle(t.w);
    world_probe(t.hall, 7);
    world_settle(t.w);
    assert_true(done(t.hall, 7));
    world_free(t.w);
}

static void a_hall_without_a_hub_waits(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct hs_stream stream = world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid");
    world_probe(t.hall, 7);
    world_advance(t.w, 10000);
    assert_false(done(t.hall, 7));
    world_dial(t.hall, t.hub);
    world_settle(t.w);
    assert_true(done(t.hall, 7));
    assert_int_equal(world_head(t.hub, &stream), 1);
    world_free(t.w);
}

/* In whatever order things move: at the moment of "done" both hold what the other had. */
static void done_means_that_both_have_it(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct table t;
        set(&t);
        t.w->random = seed;
        struct world_link *link = world_dial(t.hall, t.hub);
        struct hs_stream up = world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid");
        struct hs_stream down = world_write_text(t.hub, 3201, HS_LANE_BULK, "bill");
        struct hs_stream away = world_write_text(t.hall, 3209, HS_LANE_MONEY, "paid for another district");
        world_probe(t.hall, 7);
        for (unsigned i = 0; !done(t.hall, 7); i++) {
            assert_true(i < 10000);
            uint64_t choice = world_random(t.w) % 4;
            if (choice < 2)
                world_deliver(link, (int)choice);
            else
                world_store_next(choice == 2 ? t.hall : t.hub, 1);
        }
        assert_int_equal(world_head(t.hub, &up), 1);
        assert_int_equal(world_head(t.hub, &away), 1);
        assert_int_equal(world_head(t.hall, &down), 1);
        world_free(t.w);
    }
}

static void what_is_written_later_is_not_waited_for(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct world_link *link = world_dial(t.hall, t.hub);
    world_settle(t.w);
    world_probe(t.hall, 7);
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "later");
    while (world_deliver(link, 1))
        ; /* the hub has been asked */
    world_write_text(t.hub, 3201, HS_LANE_BULK, "later too");
    while (world_deliver(link, 0) || world_deliver(link, 1))
        ; /* nothing is stored any more */
    assert_true(done(t.hall, 7));
    world_free(t.w);
}

static void a_probe_goes_on_at_the_next_hub(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct world_node *hub2 = world_hub(t.w, "hub-2");
    world_start(hub2);
    struct world_link *first = world_dial(t.hall, t.hub);
    world_settle(t.w);
    struct world_link *second = world_dial(t.hall, hub2);
    world_settle(t.w);
    struct hs_stream stream = world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid");
    world_probe(t.hall, 7);
    world_cut(first);
    assert_false(done(t.hall, 7));
    world_settle(t.w);
    assert_true(done(t.hall, 7));
    assert_int_equal(world_head(hub2, &stream), 1);
    assert_true(world_live(second));
    world_free(t.w);
}

static void a_hub_waits_for_all_who_are_there(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct world_node *other = world_hall(t.w, "hall-2", D1, 1);
    world_start(other);
    world_dial(t.hall, t.hub);
    struct world_link *slow = world_dial(other, t.hub);
    world_settle(t.w);
    struct hs_stream stream = world_write_text(t.hub, 3201, HS_LANE_BULK, "bill");
    world_probe(t.hub, 9);
    for (unsigned i = 0; i < 50; i++) { /* the first hall only */
        world_deliver(&t.w->links[0], 0);
        world_deliver(&t.w->links[0], 1);
        world_store_next(t.hall, 8);
        world_store_next(t.hub, 8);
    }
    assert_int_equal(world_head(t.hall, &stream), 1);
    assert_false(done(t.hub, 9));
    world_settle(t.w);
    assert_true(done(t.hub, 9));
    assert_int_equal(world_head(other, &stream), 1);
    assert_true(world_live(slow));
    world_free(t.w);
}

static void a_hub_alone_is_done(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_probe(t.hub, 9);
    assert_true(done(t.hub, 9));
    world_free(t.w);
}

static void a_hub_does_not_wait_for_who_has_left(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct world_link *link = world_dial(t.hall, t.hub);
    world_settle(t.w);
    world_write_text(t.hub, 3201, HS_LANE_BULK, "bill");
    world_probe(t.hub, 9);
    assert_false(done(t.hub, 9));
    world_cut(link);
    assert_true(done(t.hub, 9));
    world_free(t.w);
}

static void several_wait_at_once(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_dial(t.hall, t.hub);
    for (uint64_t token = 1; token <= 100; token++) {
        world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid");
        world_probe(t.hall, token);
    }
    world_settle(t.w);
    for (uint64_t token = 1; token <= 100; token++)
        assert_true(done(t.hall, token));
    world_free(t.w);
}

static void who_gave_up_is_not_told(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_dial(t.hall, t.hub);
    world_settle(t.w);
    world_probe(t.hall, 1);
    world_probe_end(t.hall, 1); /* its answer is on its way */
    world_probe(t.hall, 2);
    world_settle(t.w);
    assert_false(done(t.hall, 1));
    assert_true(done(t.hall, 2));
    world_free(t.w);
}

static void an_answer_that_nobody_asked_for_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct puppet p;
    world_stop(t.hall);
    puppet_dial(&p, t.hall, t.hub);
    puppet_greet(&p);
    Hallsync__PeerProbeReply reply = HALLSYNC__PEER_PROBE_REPLY__INIT;
    reply.last = true;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY, &reply.base);
    assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
    puppet_fini(&p);
    world_free(t.w);
}

static void an_answer_names_what_the_asker_lacks(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct puppet p;
    world_stop(t.hall);
    struct hs_stream stream = world_write_text(t.hub, 3201, HS_LANE_BULK, "bill");
    world_write_text(t.hub, 3209, HS_LANE_BULK, "not for this hall");
    puppet_dial(&p, t.hall, t.hub);
    puppet_greet(&p);
    Hallsync__PeerProbe probe = HALLSYNC__PEER_PROBE__INIT;
    probe.id = 5;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_PROBE, &probe.base);
    const Hallsync__PeerProbeReply *reply = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY);
    assert_int_equal(reply->id, 5);
    assert_true(reply->last);
    assert_int_equal(reply->n_heads, 1);
    assert_int_equal(reply->heads[0]->stream->origin, stream.origin);
    puppet_fini(&p);
    world_free(t.w);
}

static void an_answer_goes_on_over_several_messages(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct puppet p;
    world_stop(t.hall);
    for (unsigned i = 0; i < 1200; i++) {
        t.hub->store.current = 0;
        world_write_text(t.hub, 3201, HS_LANE_BULK, "bill");
    }
    puppet_dial(&p, t.hall, t.hub);
    puppet_greet(&p);
    Hallsync__PeerProbe probe = HALLSYNC__PEER_PROBE__INIT;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_PROBE, &probe.base);
    const Hallsync__PeerProbeReply *first = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY);
    const Hallsync__PeerProbeReply *second = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY);
    assert_int_equal(first->n_heads, 1000);
    assert_false(first->last);
    assert_int_equal(second->n_heads, 200);
    assert_true(second->last);
    puppet_fini(&p);
    world_free(t.w);
}

static void a_second_question_before_the_answer_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct puppet p;
    world_stop(t.hall);
    puppet_dial(&p, t.hall, t.hub);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    Hallsync__PeerProbe probe = HALLSYNC__PEER_PROBE__INIT;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_PROBE, &probe.base); /* waits for the frontiers */
    assert_null(puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY));
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_PROBE, &probe.base);
    assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
    puppet_fini(&p);
    world_free(t.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_wait_for_is_done_at_once),
        cmocka_unit_test(a_hall_without_a_hub_waits),
        cmocka_unit_test(done_means_that_both_have_it),
        cmocka_unit_test(what_is_written_later_is_not_waited_for),
        cmocka_unit_test(a_probe_goes_on_at_the_next_hub),
        cmocka_unit_test(a_hub_waits_for_all_who_are_there),
        cmocka_unit_test(a_hub_alone_is_done),
        cmocka_unit_test(a_hub_does_not_wait_for_who_has_left),
        cmocka_unit_test(several_wait_at_once),
        cmocka_unit_test(who_gave_up_is_not_told),
        cmocka_unit_test(an_answer_that_nobody_asked_for_ends_the_session),
        cmocka_unit_test(an_answer_goes_on_over_several_messages),
        cmocka_unit_test(a_second_question_before_the_answer_ends_the_session),
        cmocka_unit_test(an_answer_names_what_the_asker_lacks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
