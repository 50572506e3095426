/* replica_stores_test.c -- stores of hubs that are gone: how one learns it of itself, and others of it.  PROTOCOL.md,
 * "Stores that are gone". */
#include "tests/lib/replica_world_source.h"
#include "tests/unit/replica_puppet.h"

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *hub, *other, *hall;
    struct hs_stream money;
    struct world_store copy; /* the hub's, when it held one payment of three */
    bool has_copy;
};

static int setup(void **state)
{
    struct table *t = test_malloc(sizeof *t);
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->other = world_hub(t->w, "hub-2");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct table *t = *state;
    if (t->has_copy)
        world_store_fini(&t->copy);
    world_free(t->w);
    test_free(t);
    return 0;
}

static void pay(struct table *t, const char *text)
{
    t->money = world_write_text(t->hall, 3201, HS_LANE_MONEY, text);
    world_settle(t->w);
}

/* Three payments; the hub's disk is then put back to when it had one. */
static void live(struct table *t, bool with_other)
{
    world_start(t->hub);
    world_start(t->hall);
    if (with_other) {
        world_start(t->other);
        world_dial(t->other, t->hub);
    }
    world_dial(t->hall, t->hub);
    pay(t, "one");
    world_store_copy(&t->hub->store, &t->copy);
    t->has_copy = true;
    pay(t, "two");
    pay(t, "three");
    assert_int_equal(world_head(t->hub, &t->money), 3);
    world_stop(t->hub);
    world_settle(t->w);
}

static void set_back(struct table *t)
{
    world_store_fini(&t->hub->store);
    t->hub->store = t->copy;
    t->has_copy = false;
    world_start(t->hub);
}

static bool counts(struct world_node *node, const struct world_node *whose, uint64_t id)
{
    bool result = false;
    struct hs_replica_source source = world_source(node);
    assert_int_equal(source.store_counts(node, &whose->certificate.node_key, id, &result), HS_OK);
    return result;
}

static uint64_t signed_as(const struct world_node *node, uint64_t id, const struct hs_stream *stream)
{
    uint64_t n = 0;
    for (size_t i = 0; i < node->store.receipt_count; i++) {
        const struct hs_receipt *receipt = &node->store.receipts[i];
        if (receipt->store_id == id && hs_stream_equal(&receipt->stream, stream) && receipt->n > n)
            n = receipt->n;
    }
    return n;
}

/* ---- how it learns it ---- */

static void it_is_shown_its_own_receipts(void **state)
{
    struct table *t = *state;
    live(t, false);
    uint64_t old_id = t->hub->store_id;
    set_back(t);
    world_dial(t->hall, t->hub);
    world_settle(t->w);
    assert_true(t->hub->renews);
    assert_int_equal(world_notices(t->hub, HS_NOTICE_SET_BACK), 1);
    assert_int_equal(signed_as(t->hub, old_id, &t->money), 3); /* it is evidence of what it once had */
    assert_int_equal(world_head(t->hub, &t->money), 3);        /* and the rest comes back anyway */
}

static void one_that_lost_nothing_is_not_renewed(void **state)
{
    struct table *t = *state;
    live(t, true);
    world_start(t->hub);
    world_dial(t->hall, t->hub);
    world_dial(t->other, t->hub);
    pay(t, "four");
    assert_false(t->hub->renews);
    assert_int_equal(world_notices(t->hub, HS_NOTICE_SET_BACK), 0);
}

/* A receipt of a former life says nothing new, however often it is shown. */
static void it_learns_it_once(void **state)
{
    struct table *t = *state;
    live(t, false);
    set_back(t);
    world_dial(t->hall, t->hub);
    world_settle(t->w);
    world_stop(t->hub);
    world_renew(t->hub);
    world_start(t->hub);
    world_dial(t->hall, t->hub);
    world_settle(t->w);
    assert_false(t->hub->renews);
    assert_int_equal(world_notices(t->hub, HS_NOTICE_SET_BACK), 1);
}

/* ---- how others do ---- */

static void those_who_meet_it_ask_for_its_receipts_anew(void **state)
{
    struct table *t = *state;
    live(t, true);
    uint64_t old_id = t->hub->store_id;
    set_back(t);
    world_dial(t->hall, t->hub);
    world_settle(t->w);
    world_stop(t->hub);
    world_renew(t->hub);
    uint64_t id = t->hub->store_id;
    world_start(t->hub);
    assert_true(counts(t->hall, t->hub, old_id));
    world_dial(t->hall, t->hub);
    world_dial(t->other, t->hub);
    world_settle(t->w);
    assert_false(counts(t->hall, t->hub, old_id));
    assert_false(counts(t->other, t->hub, old_id));
    assert_true(counts(t->hall, t->hub, id));
    assert_int_equal(signed_as(t->hall, id, &t->money), 3);
    assert_int_equal(signed_as(t->other, id, &t->money), 3);
    for (size_t i = 0; i < t->hall->store.peer_store_count; i++) {
        const struct hs_peer_store *row = &t->hall->store.peer_stores[i];
        assert_true(!row->is_wanted || hs_key_equal(&row->node_key, &t->other->certificate.node_key));
    }
}

/* The hall has the other hub only. */
static void those_who_do_not_meet_it_hear_of_it_from_a_hub(void **state)
{
    struct table *t = *state;
    live(t, true);
    uint64_t old_id = t->hub->store_id;
    world_dial(t->hall, t->other);
    world_settle(t->w);
    world_renew(t->hub);
    world_start(t->hub);
    world_dial(t->other, t->hub);
    world_settle(t->w);
    assert_false(counts(t->hall, t->hub, old_id));
    assert_int_equal(signed_as(t->hall, t->hub->store_id, &t->money), 3);
    assert_true(counts(t->hall, t->hub, t->hub->store_id));
}

static void say_gone(struct puppet *p, const struct hs_key *key, uint64_t id)
{
    Hallsync__PeerStores message = HALLSYNC__PEER_STORES__INIT;
    Hallsync__StoreGone gone = HALLSYNC__STORE_GONE__INIT, *list[] = {&gone};
    gone.node_key = (ProtobufCBinaryData){HS_KEY_BYTES, (uint8_t *)key->bytes};
    gone.store_id = id;
    message.n_gone = 1;
    message.gone = list;
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_STORES, &message.base);
}

/* It could make all levels fall. */
static void a_hall_is_not_believed(void **state)
{
    struct table *t = *state;
    struct puppet p;
    world_start(t->hub);
    puppet_dial(&p, t->hall, t->hub);
    puppet_greet(&p);
    say_gone(&p, &t->other->certificate.node_key, t->other->store_id);
    say_gone(&p, &t->hub->certificate.node_key, t->hub->store_id);
    world_settle(t->w);
    assert_int_equal(puppet_ended(&p), HS_OK);
    assert_true(counts(t->hub, t->other, t->other->store_id));
    assert_false(t->hub->renews);
    puppet_fini(&p);
}

/* But where the store may be an older copy anyway. */
static void a_hub_in_doubt_believes_a_hall_of_itself(void **state)
{
    struct table *t = *state;
    struct puppet p;
    t->hub->in_doubt = true;
    t->hub->admit_after_ms = 1;
    world_start(t->hub);
    world_start(t->other);
    world_dial(t->other, t->hub);
    world_settle(t->w); /* it lets halls in */
    puppet_dial(&p, t->hall, t->hub);
    puppet_greet(&p);
    say_gone(&p, &t->hub->certificate.node_key, t->hub->store_id);
    world_settle(t->w);
    assert_true(t->hub->renews);
    puppet_fini(&p);
}

static void greet_taking_stores(struct puppet *p)
{
    uint32_t features[] = {HALLSYNC__PEER_TYPE__PEER_STORES};
    Hallsync__PeerHello *hello = puppet_hello(p);
    hello->features = features;
    hello->n_features = 1;
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    puppet_hold_nothing(p);
}

/* The session ended before that was answered. */
static void who_was_cut_off_asks_again(void **state)
{
    struct table *t = *state;
    struct puppet p;
    struct world_node *third = world_hub(t->w, "hub-3");
    t->money = world_write_text(t->hall, 3201, HS_LANE_MONEY, "one");
    world_start(t->hub);
    world_start(t->hall);
    world_dial(t->hall, t->hub);
    world_settle(t->w);
    for (unsigned i = 0; i < 2; i++) {
        puppet_dial(&p, t->other, t->hub);
        greet_taking_stores(&p);
        if (i == 0)
            say_gone(&p, &third->certificate.node_key, third->store_id);
        while (world_store_next(t->hub, 1)) {
        }
        const Hallsync__PeerStores *message = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_STORES);
        while (message != NULL && message->n_wanted == 0)
            message = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_STORES);
        assert_non_null(message);
        world_cut(p.link);
        puppet_fini(&p);
        world_settle(t->w);
    }
}

static void a_word_that_nobody_asked_for_ends_the_session(void **state)
{
    struct table *t = *state;
    struct puppet p;
    Hallsync__PeerStores message = HALLSYNC__PEER_STORES__INIT;
    message.has_told = message.told = true;
    world_start(t->hub);
    puppet_dial(&p, t->hall, t->hub);
    puppet_greet(&p);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_STORES, &message.base);
    assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
    puppet_fini(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_is_shown_its_own_receipts, setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_lost_nothing_is_not_renewed, setup, teardown),
        cmocka_unit_test_setup_teardown(it_learns_it_once, setup, teardown),
        cmocka_unit_test_setup_teardown(those_who_meet_it_ask_for_its_receipts_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(those_who_do_not_meet_it_hear_of_it_from_a_hub, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hall_is_not_believed, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hub_in_doubt_believes_a_hall_of_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(who_was_cut_off_asks_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_word_that_nobody_asked_for_ends_the_session, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
