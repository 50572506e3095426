/* replica_compare_test.c -- digests compared: equal, lag, damage; nothing of other districts. */
#include "tests/unit/replica_puppet.h"

#include <stdio.h>

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
    for (unsigned i = 0; i < 50; i++) {
        char text[32];
        snprintf(text, sizeof text, "payment %u", i);
        world_write_text(t->hall, 3201, HS_LANE_MONEY, text);
        world_write_text(t->hub, 3209, HS_LANE_MONEY, text);
    }
    t->link = world_dial(t->hall, t->hub);
    world_settle(t->w);
}

static void rot(struct world_node *node, const char *text)
{
    node->store.rotten = true;
    node->store.rot = hs_hash_of(HS_BYTES(text, strlen(text)));
}

static void equal_records_are_found_equal_by_themselves(void **state)
{
    (void)state;
    struct table t;
    struct hs_peer_status status;
    set(&t);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_EQUAL), 0);
    world_advance(t.w, 1500);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_EQUAL), 1);
    assert_int_equal(world_notices(t.hub, HS_NOTICE_EQUAL), 1);
    assert_true(world_status(t.hub, t.link->peer[1], &status));
    assert_true(status.equal_ms > 1700000000000);
    world_advance(t.w, 58000);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_EQUAL), 1);
    world_advance(t.w, 3000);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_EQUAL), 2);
    world_free(t.w);
}

static void they_are_compared_when_somebody_asks(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_compare(t.hall);
    world_settle(t.w);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_EQUAL), 1);
    struct hs_peer_status status;
    assert_int_equal(hs_replica_peers(t.hall->replica, &status, 1), 1);
    assert_int_equal(status.comparison, HS_COMPARED_EQUAL);
    assert_int_equal(status.differ_count, 0);
    world_free(t.w);
}

static void damage_is_found_when_it_is_seen_twice(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    rot(t.hub, "payment 31");
    world_compare(t.hall);
    world_settle(t.w);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_DAMAGE), 0); /* once is a suspicion */
    world_advance(t.w, 1100);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_DAMAGE), 1);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_EQUAL), 0);
    const struct world_notice *damage = world_last_notice(t.hall, HS_NOTICE_DAMAGE);
    struct hs_hash id = hs_hash_of(HS_BYTES("payment 31", 10));
    char text[HS_HASH_TEXT_BYTES];
    hs_hash_text(&id, text);
    text[32] = '\0';
    assert_non_null(strstr(damage->text, "3201"));
    assert_non_null(strstr(damage->text, text));
    assert_int_equal(damage->err, HS_EDAMAGED);
    struct hs_peer_status status;
    assert_int_equal(hs_replica_peers(t.hall->replica, &status, 1), 1);
    assert_int_equal(status.comparison, HS_COMPARED_DAMAGE);
    assert_int_equal(status.differ_count, 1);
    assert_int_equal(status.differs[0].name.partition, 3201);
    assert_memory_equal(status.differs[0].name.id.data, id.bytes, status.differs[0].name.id.size);
    assert_false(hs_hash_equal(&status.differs[0].here, &status.differs[0].there));
    world_free(t.w);
}

static void what_was_only_late_is_no_damage(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    rot(t.hub, "payment 31"); /* its records lag behind its log in a way that looks like damage */
    world_compare(t.hall);
    world_settle(t.w);
    t.hub->store.rotten = false;
    world_advance(t.w, 5000);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_DAMAGE), 0);
    assert_true(world_notices(t.hall, HS_NOTICE_EQUAL) > 0);
    world_free(t.w);
}

static void lag_is_no_damage(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    t.hall->store_fails = HS_EBUSY; /* the hall takes nothing at all */
    world_write_text(t.hub, 3201, HS_LANE_BULK, "bill");
    world_compare(t.hub);
    while (world_deliver(t.link, 0) || world_deliver(t.link, 1))
        ;
    assert_int_equal(world_notices(t.hub, HS_NOTICE_DAMAGE) + world_notices(t.hub, HS_NOTICE_EQUAL), 0);
    t.hall->store_fails = HS_OK;
    world_advance(t.w, 5000);
    assert_int_equal(world_notices(t.hub, HS_NOTICE_DAMAGE), 0);
    assert_true(world_notices(t.hub, HS_NOTICE_EQUAL) > 0);
    world_free(t.w);
}

static void what_the_asker_lacks_is_no_damage(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    for (unsigned i = 0; i < 200; i++) /* the same leaves, other leaves, another partition */
        world_write(t.hub, i % 2 == 0 ? 3201 : HS_PARTITION_REGION, HS_LANE_BULK, &i, sizeof i);
    world_compare(t.hall);
    while (world_deliver(t.link, 0) || world_deliver(t.link, 1))
        ; /* nothing is stored */
    assert_int_equal(world_notices(t.hall, HS_NOTICE_DAMAGE) + world_notices(t.hall, HS_NOTICE_EQUAL), 0);
    world_advance(t.w, 5000);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_DAMAGE), 0);
    assert_true(world_notices(t.hall, HS_NOTICE_EQUAL) > 0);
    world_free(t.w);
}

static void nothing_is_asked_while_something_is_known_to_lag(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_write_text(t.hub, 3201, HS_LANE_BULK, "bill");
    for (unsigned i = 0; i < 20; i++) { /* delivered and never stored */
        t.w->now_ms += 500;
        world_tick(t.hub);
        world_tick(t.hall);
        while (world_deliver(t.link, 0) || world_deliver(t.link, 1))
            ;
    }
    assert_int_equal(world_notices(t.hub, HS_NOTICE_EQUAL), 0);
    assert_true(world_live(t.link));
    world_free(t.w);
}

static void questions_about_other_districts_end_the_session(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    struct puppet p;
    world_start(hub);
    world_write_text(hub, 3201, HS_LANE_BULK, "bill");
    world_write_text(hub, 3209, HS_LANE_BULK, "bill of others");
    puppet_dial(&p, hall, hub);
    puppet_greet(&p);
    Hallsync__PeerCompare question = HALLSYNC__PEER_COMPARE__INIT;
    question.id = 3;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE, &question.base);
    const Hallsync__PeerCompareReply *reply = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY);
    assert_int_equal(reply->n_entries, 1);
    assert_int_equal(reply->entries[0]->partition, 3201);
    question.level = 1;
    question.has_partition = question.has_kind = true;
    question.partition = 3209;
    question.kind = 1;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE, &question.base);
    assert_int_equal(puppet_ended(&p), HS_ESCOPE);
    puppet_fini(&p);
    world_free(w);
}

static void a_leaf_comes_in_pages(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    struct puppet p;
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
    size_t records = 0, pages = 0;
    world_start(hub);
    hub->one_leaf = true;
    for (unsigned i = 0; i < 600; i++)
        world_write(hub, 3201, HS_LANE_BULK, &i, sizeof i);
    puppet_dial(&p, hall, hub);
    puppet_greet(&p);
    Hallsync__PeerCompare question = HALLSYNC__PEER_COMPARE__INIT;
    const Hallsync__PeerCompareReply *reply;
    question.level = 3;
    question.has_partition = question.has_kind = question.has_branch = true;
    question.partition = 3201;
    question.kind = 1;
    question.branch = 0;
    do {
        question.id++;
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE, &question.base);
        reply = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY);
        assert_non_null(reply);
        pages++;
        records += reply->n_entries;
        ProtobufCBinaryData key = reply->entries[reply->n_entries - 1]->key;
        memcpy(after, key.data, key.len);
        question.has_after = true;
        question.after = puppet_data(after, key.len);
    } while (!reply->last);
    assert_int_equal(records, 600);
    assert_int_equal(pages, 3);
    puppet_fini(&p);
    world_free(w);
}

static void damage_in_a_long_leaf_is_found(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    t.hub->one_leaf = t.hall->one_leaf = true;
    for (unsigned i = 0; i < 600; i++)
        world_write(t.hub, 3201, HS_LANE_BULK, &i, sizeof i);
    world_settle(t.w);
    rot(t.hall, "payment 7");
    world_compare(t.hub);
    world_compare(t.hall);
    world_advance(t.w, 1500);
    assert_int_equal(world_notices(t.hub, HS_NOTICE_DAMAGE), 1);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_DAMAGE), 1);
    world_free(t.w);
}

static void a_wrong_answer_ends_the_session(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    struct puppet p;
    world_start(hall);
    puppet_dialled(&p, hub, hall);
    puppet_greet(&p);
    world_compare(hall);
    const Hallsync__PeerCompare *question = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE);
    assert_int_equal(question->level, 0);
    Hallsync__PeerCompareReply reply = HALLSYNC__PEER_COMPARE_REPLY__INIT;
    reply.id = question->id + 1;
    reply.last = true;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY, &reply.base);
    assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
    puppet_fini(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_records_are_found_equal_by_themselves),
        cmocka_unit_test(they_are_compared_when_somebody_asks),
        cmocka_unit_test(damage_is_found_when_it_is_seen_twice),
        cmocka_unit_test(what_was_only_late_is_no_damage),
        cmocka_unit_test(lag_is_no_damage),
        cmocka_unit_test(what_the_asker_lacks_is_no_damage),
        cmocka_unit_test(nothing_is_asked_while_something_is_known_to_lag),
        cmocka_unit_test(questions_about_other_districts_end_the_session),
        cmocka_unit_test(a_leaf_comes_in_pages),
        cmocka_unit_test(damage_in_a_long_leaf_is_found),
        cmocka_unit_test(a_wrong_answer_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
