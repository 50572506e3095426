/* replica_frontier_test.c -- frontiers compared: hashes first, lists only where they differ, nothing outside the common
 * view. */
#include "tests/unit/replica_puppet.h"

#include <stdio.h>

static const hs_partition D1[] = {3201};
static const hs_partition D12[] = {3201, 3202};

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

static void connect(struct table *t)
{
    t->link = world_dial(t->hall, t->hub);
    world_settle(t->w);
}

/* ---- what is said, counted ---- */

struct count {
    size_t lists[3], entries, segments, unfinished;
    bool saw_foreign;
};

static void count_frame(struct world *w, struct world_link *link, int to, struct hs_bytes frame)
{
    struct count *count = w->ctx;
    struct hs_frame decoded;
    struct hs_arena arena;
    ProtobufCMessage *message;
    (void)link;
    (void)to;
    assert_int_equal(hs_frame_decode(frame, &decoded), HS_OK);
    count->segments += decoded.type == HALLSYNC__PEER_TYPE__PEER_SEGMENT;
    if (decoded.type != HALLSYNC__PEER_TYPE__PEER_FRONTIER)
        return;
    hs_arena_init(&arena, 0);
    assert_int_equal(hs_msg_unpack(&hallsync__peer_frontier__descriptor, decoded.body, &arena, &message), HS_OK);
    const Hallsync__PeerFrontier *list = (const Hallsync__PeerFrontier *)message;
    count->lists[list->level]++;
    count->entries += list->n_entries;
    count->unfinished += !list->last;
    count->saw_foreign |= list->partition == 3209;
    for (size_t i = 0; i < list->n_entries; i++)
        count->saw_foreign |= list->entries[i]->partition == 3209;
    hs_arena_fini(&arena);
}

static void count_from_now(struct table *t, struct count *count)
{
    *count = (struct count){0};
    t->w->sent = count_frame;
    t->w->ctx = count;
}

/* ---- tests ---- */

static void equal_frontiers_need_one_list_each(void **state)
{
    (void)state;
    struct table t;
    struct count count;
    set(&t);
    for (unsigned i = 0; i < 20; i++)
        world_write_text(t.hall, 3201, (enum hs_lane)(1 + i % 4), "something");
    world_write_text(t.hub, 3201, HS_LANE_BULK, "bill");
    connect(&t);
    world_cut(t.link);
    count_from_now(&t, &count);
    connect(&t);
    assert_int_equal(count.lists[0], 2);
    assert_int_equal(count.lists[1], 0);
    assert_int_equal(count.lists[2], 1); /* the answer to the heads of the hall's greeting */
    assert_int_equal(count.segments, 0);
    world_free(t.w);
}

static void one_difference_is_found_by_going_down_one_path(void **state)
{
    (void)state;
    struct table t;
    struct count count;
    set(&t);
    struct world_node *hub2 = world_hub(t.w, "hub-2");
    world_start(hub2);
    for (hs_partition place = 3201; place < 3221; place++)
        world_write_text(t.hub, place, HS_LANE_BULK, "bill");
    struct world_link *link = world_dial(t.hub, hub2);
    world_settle(t.w);
    world_cut(link);
    t.hub->store.current = 0;
    world_write_text(t.hub, 3207, HS_LANE_BULK, "one more, of another origin");
    count_from_now(&t, &count);
    world_dial(hub2, t.hub);
    world_settle(t.w);
    assert_int_equal(count.lists[0], 2);
    assert_int_equal(count.lists[1], 2);
    assert_int_equal(count.lists[2], 2);
    assert_int_equal(count.segments, 1);
    assert_true(world_same(t.hub, hub2));
    world_free(t.w);
}

static void lists_go_on_over_several_messages(void **state)
{
    (void)state;
    struct table t;
    struct count count;
    set(&t);
    for (unsigned i = 0; i < 600; i++) { /* as many lives of the hall, two lanes each */
        t.hall->store.current = 0;
        world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid");
        world_write_text(t.hall, 3201, HS_LANE_WORK, "ticket");
    }
    count_from_now(&t, &count);
    connect(&t);
    assert_int_equal(count.unfinished, 1); /* 1200 streams of one node */
    assert_true(world_same(t.hub, t.hall));
    world_free(t.w);
}

static void what_is_written_meanwhile_is_not_forgotten(void **state)
{
    (void)state;
    for (size_t moment = 0; moment < 40; moment++) { /* one more message each time before the write */
        struct table t;
        set(&t);
        struct world_node *hub2 = world_hub(t.w, "hub-2");
        world_start(hub2);
        for (hs_partition place = 3201; place < 3204; place++) {
            world_write_text(t.hub, place, HS_LANE_BULK, "first");
            world_write_text(hub2, place, HS_LANE_BULK, "other");
        }
        struct world_link *link = world_dial(hub2, t.hub);
        for (size_t i = 0; i < moment; i++) {
            if (!world_deliver(link, (int)(i % 2)))
                world_store_next(i % 2 ? t.hub : hub2, 1);
        }
        world_write_text(t.hub, 3202, HS_LANE_BULK, "second");
        world_write_text(t.hub, 3209, HS_LANE_BULK, "new place");
        world_write_text(hub2, 3202, HS_LANE_BULK, "other second");
        world_settle(t.w);
        assert_true(world_same(t.hub, hub2));
        world_free(t.w);
    }
}

static void a_hub_that_lost_its_disk_is_filled_by_the_halls(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct world_node *other = world_hall(t.w, "hall-2", D12, 2);
    world_start(other);
    world_dial(other, t.hub);
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid here");
    world_write_text(other, 3202, HS_LANE_MONEY, "paid there");
    world_write_text(t.hub, HS_PARTITION_REGION, HS_LANE_BULK, "catalogue");
    connect(&t);
    world_stop(t.hub);
    world_store_fini(&t.hub->store);
    world_store_put_certificate(&t.hub->store, &t.hub->certificate.node_key, hs_buf_bytes(&t.hub->certificate_bytes));
    world_start(t.hub);
    world_settle(t.w);
    world_dial(other, t.hub);
    connect(&t);
    assert_int_equal(world_ops(t.hub), 3); /* the catalogue too: the halls had it */
    assert_true(world_same(t.hub, other) && world_same(t.hub, t.hall));
    world_free(t.w);
}

/* ---- scope ---- */

static void a_hall_hears_nothing_of_other_districts(void **state)
{
    (void)state;
    struct table t;
    struct count count;
    set(&t);
    world_write_text(t.hub, 3201, HS_LANE_BULK, "mine");
    world_write_text(t.hub, 3209, HS_LANE_BULK, "not mine");
    count_from_now(&t, &count);
    connect(&t);
    world_write_text(t.hub, 3209, HS_LANE_BULK, "not mine, with the link up");
    world_advance(t.w, 5000);
    assert_false(count.saw_foreign);
    assert_int_equal(world_ops(t.hall), 1);
    world_free(t.w);
}

static void a_hall_hands_in_what_it_took_for_other_districts(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct hs_stream old = world_write_text(t.hall, 3209, HS_LANE_MONEY, "of an earlier life");
    t.hall->store.current = 0;
    struct hs_stream new = world_write_text(t.hall, 3209, HS_LANE_MONEY, "of this life");
    world_stop(t.hall);
    world_start(t.hall);
    connect(&t);
    assert_int_equal(world_head(t.hub, &old), 1);
    assert_int_equal(world_head(t.hub, &new), 1);
    struct hs_peer_status status;
    assert_true(world_status(t.hall, t.link->peer[0], &status));
    assert_int_equal(status.lag_out_ops, 0);
    world_free(t.w);
}

static void its_own_old_payments_for_other_districts_do_not_come_back(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct hs_stream stream = world_write_text(t.hall, 3209, HS_LANE_MONEY, "handed in");
    struct hs_stream home = world_write_text(t.hall, 3201, HS_LANE_MONEY, "handed in at home");
    connect(&t);
    world_stop(t.hall);
    world_store_fini(&t.hall->store); /* a new disk */
    world_start(t.hall);
    world_settle(t.w);
    connect(&t);
    assert_int_equal(world_head(t.hall, &stream), 0);
    assert_int_equal(world_head(t.hall, &home), 1);
    world_free(t.w);
}

static void a_narrower_greeting_narrows_the_scope(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D12, 2);
    struct puppet p;
    world_start(hub);
    world_write_text(hub, 3201, HS_LANE_BULK, "asked for");
    world_write_text(hub, 3202, HS_LANE_BULK, "not asked for");
    world_write_text(hub, HS_PARTITION_REGION, HS_LANE_BULK, "for all");
    puppet_dial(&p, hall, hub);
    Hallsync__PeerHello *hello = puppet_hello(&p);
    hello->n_districts = 1;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    const Hallsync__PeerFrontier *roots = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER);
    assert_int_equal(roots->n_entries, 2);
    assert_int_equal(roots->entries[0]->partition, 3201);
    assert_int_equal(roots->entries[1]->partition, HS_PARTITION_REGION);
    puppet_fini(&p);
    world_free(w);
}

static void a_greeting_does_not_widen_the_scope(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    struct puppet p;
    world_start(hub);
    world_write_text(hub, 3202, HS_LANE_BULK, "not its business");
    puppet_dial(&p, hall, hub);
    Hallsync__PeerHello *hello = puppet_hello(&p);
    hello->everything = true;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    const Hallsync__PeerFrontier *roots = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER);
    assert_int_equal(roots->n_entries, 0);
    puppet_fini(&p);
    world_free(w);
}

/* ---- bad lists ---- */

static void bad_list(const Hallsync__PeerFrontier *list, enum hs_err err)
{
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    struct puppet p;
    world_start(hub);
    puppet_dial(&p, hall, hub);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &list->base);
    assert_int_equal(puppet_ended(&p), err);
    puppet_fini(&p);
    world_free(w);
}

static void lists_must_ascend(void **state)
{
    (void)state;
    static uint8_t hash[8];
    Hallsync__FrontierNode a = HALLSYNC__FRONTIER_NODE__INIT, b = HALLSYNC__FRONTIER_NODE__INIT, *entries[] = {&a, &b};
    Hallsync__PeerFrontier list = HALLSYNC__PEER_FRONTIER__INIT;
    a.has_partition = b.has_partition = a.has_hash = b.has_hash = true;
    a.hash = b.hash = puppet_data(hash, sizeof hash);
    a.partition = 3202;
    b.partition = 3201;
    list.entries = entries;
    list.n_entries = 2;
    list.last = true;
    bad_list(&list, HS_EMALFORMED);
    b.partition = 3203;
    bad_list(&list, HS_OK);
    b.partition = 10000; /* no such district */
    bad_list(&list, HS_EMALFORMED);
}

static void lists_must_be_of_a_known_level_and_whole(void **state)
{
    (void)state;
    static uint8_t node[8];
    Hallsync__PeerFrontier list = HALLSYNC__PEER_FRONTIER__INIT;
    list.last = true;
    list.level = 3;
    bad_list(&list, HS_EMALFORMED);
    list.level = 1;
    bad_list(&list, HS_EMALFORMED); /* of which partition? */
    list.has_partition = true;
    list.partition = 3201;
    bad_list(&list, HS_OK);
    list.level = 2;
    bad_list(&list, HS_EMALFORMED); /* of which node? */
    list.has_node = true;
    list.node = puppet_data(node, 7);
    bad_list(&list, HS_EMALFORMED);
    list.node = puppet_data(node, 8);
    bad_list(&list, HS_OK);
}

static void a_list_that_comes_unasked_is_answered(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    struct puppet p;
    world_start(hub);
    struct hs_stream stream = world_write_text(hub, 3201, HS_LANE_BULK, "bill");
    puppet_dial(&p, hall, hub);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    Hallsync__PeerFrontier list = HALLSYNC__PEER_FRONTIER__INIT;
    uint8_t name[HS_NODE_HASH_BYTES];
    hs_node_hash(&hub->certificate.node_key, name);
    list.level = 2;
    list.has_partition = list.has_node = list.last = true;
    list.partition = 3201;
    list.node = puppet_data(name, sizeof name);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &list.base);
    const Hallsync__PeerFrontier *answer = puppet_take_list(&p);
    assert_int_equal(answer->n_entries, 1);
    assert_int_equal(answer->entries[0]->head->stream->origin, stream.origin);
    assert_int_equal(answer->entries[0]->head->n, 1);
    assert_non_null(puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_SEGMENT)); /* for the list was empty */
    puppet_fini(&p);
    world_free(w);
}

static void few_lists_are_open_at_a_time(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *other = world_hub(w, "hub-2");
    struct puppet p;
    world_start(hub);
    for (hs_partition place = 1; place <= 100; place++)
        world_write_text(hub, place, HS_LANE_BULK, "bill");
    puppet_dial(&p, other, hub);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
    Hallsync__PeerFrontier nothing = HALLSYNC__PEER_FRONTIER__INIT;
    nothing.last = true;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &nothing.base);
    size_t open = 0;
    while (puppet_take_list(&p) != NULL)
        open++;
    assert_int_equal(open, 16);
    puppet_fini(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_frontiers_need_one_list_each),
        cmocka_unit_test(one_difference_is_found_by_going_down_one_path),
        cmocka_unit_test(lists_go_on_over_several_messages),
        cmocka_unit_test(what_is_written_meanwhile_is_not_forgotten),
        cmocka_unit_test(a_hub_that_lost_its_disk_is_filled_by_the_halls),
        cmocka_unit_test(a_hall_hears_nothing_of_other_districts),
        cmocka_unit_test(a_hall_hands_in_what_it_took_for_other_districts),
        cmocka_unit_test(its_own_old_payments_for_other_districts_do_not_come_back),
        cmocka_unit_test(a_narrower_greeting_narrows_the_scope),
        cmocka_unit_test(a_greeting_does_not_widen_the_scope),
        cmocka_unit_test(lists_must_ascend),
        cmocka_unit_test(lists_must_be_of_a_known_level_and_whole),
        cmocka_unit_test(a_list_that_comes_unasked_is_answered),
        cmocka_unit_test(few_lists_are_open_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
