/* replica_receipt_test.c -- receipts, and our own origin named beyond its end. */
#include "tests/unit/replica_puppet.h"

static const hs_partition D1[] = {3201};

static bool has_receipt(const struct world_node *node, const struct hs_stream *stream, uint64_t store_id, uint64_t n)
{
    for (size_t i = 0; i < node->store.receipt_count; i++) {
        const struct hs_receipt *receipt = &node->store.receipts[i];
        if (receipt->store_id == store_id && hs_stream_equal(&receipt->stream, stream) && receipt->n >= n)
            return true;
    }
    return false;
}

static void a_hubs_receipt_comes_back(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    world_start(hub);
    world_start(hall);
    world_dial(hall, hub);
    struct hs_stream home = world_write_text(hall, 3201, HS_LANE_MONEY, "paid");
    struct hs_stream away = world_write_text(hall, 3209, HS_LANE_MONEY, "paid for another district");
    world_settle(w);
    assert_true(has_receipt(hall, &home, hub->store_id, 1));
    assert_true(has_receipt(hall, &away, hub->store_id, 1));
    world_free(w);
}

static void receipts_travel_with_the_streams(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub1 = world_hub(w, "hub-1"), *hub2 = world_hub(w, "hub-2");
    struct world_node *hall1 = world_hall(w, "hall-1", D1, 1), *hall2 = world_hall(w, "hall-2", D1, 1);
    for (size_t i = 0; i < w->node_count; i++)
        world_start(w->nodes[i]);
    world_dial(hub1, hub2);
    world_dial(hall1, hub1);
    world_dial(hall2, hub2);
    struct hs_stream stream = world_write_text(hall1, 3201, HS_LANE_MONEY, "paid");
    world_settle(w);
    for (size_t i = 0; i < w->node_count; i++) { /* safe, and everybody in scope can see it */
        assert_true(has_receipt(w->nodes[i], &stream, hub1->store_id, 1));
        assert_true(has_receipt(w->nodes[i], &stream, hub2->store_id, 1));
    }
    world_free(w);
}

/* A payment that the hub has, and whose receipt was lost on the way back. */
static struct hs_stream lose_a_receipt(struct world_node *hall, struct world_node *hub)
{
    struct hs_stream stream = world_write_text(hall, 3201, HS_LANE_MONEY, "paid");
    struct world_link *link = world_dial(hall, hub);
    while (world_head(hub, &stream) == 0) {
        world_deliver(link, 1);
        world_deliver(link, 0);
        world_store_next(hub, 8);
    }
    world_cut(link);
    assert_false(has_receipt(hall, &stream, hub->store_id, 1));
    return stream;
}

static void a_session_begins_with_the_receipts_that_may_be_lacking(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    world_start(hub);
    world_start(hall);
    struct hs_stream stream = lose_a_receipt(hall, hub);
    world_dial(hall, hub);
    world_settle(w);
    assert_true(has_receipt(hall, &stream, hub->store_id, 1));
    world_free(w);
}

/* Found by the simulator: a hall that was rebooted meanwhile showed "here" for ever. */
static void a_receipt_lost_before_a_reboot_comes_again(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    world_start(hub);
    world_start(hall);
    struct hs_stream stream = lose_a_receipt(hall, hub);
    world_stop(hall);
    hall->store.current = 0; /* the origin is struck out: what it wrote is not named any more for being new */
    world_start(hall);
    world_dial(hall, hub);
    world_settle(w);
    assert_true(has_receipt(hall, &stream, hub->store_id, 1));
    world_free(w);
}

/* Found by the simulator: a hall whose disk was lost got its operations back, and showed them as "here" for ever. */
static void what_comes_back_brings_its_receipts(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    world_start(hub);
    world_start(hall);
    world_dial(hall, hub);
    struct hs_stream stream = world_write_text(hall, 3201, HS_LANE_MONEY, "paid");
    world_settle(w);
    world_stop(hall);
    world_settle(w);
    world_store_fini(&hall->store);
    hall->store = (struct world_store){0};
    world_start(hall);
    world_dial(hall, hub);
    world_settle(w);
    assert_int_equal(world_head(hall, &stream), 1);
    assert_true(has_receipt(hall, &stream, hub->store_id, 1));
    world_free(w);
}

/* ---- receipts that do not hold ---- */

struct table {
    struct world *w;
    struct world_node *hall, *hub; /* the hub is the puppet's */
    struct puppet p;
    struct hs_stream stream;
    struct hs_receipt receipt;
    Hallsync__Receipt message;
};

static void sign(struct table *t, struct world_node *by, uint64_t n)
{
    struct hs_signer signer = hs_signer_of(&by->secret);
    t->receipt = (struct hs_receipt){.store_id = by->store_id,
                                     .stream = t->stream,
                                     .n = n,
                                     .time_ms = 5,
                                     .hash = world_store_find(&t->hall->store, &t->stream)->ops[0].hash,
                                     .hub_key = by->certificate.node_key};
    assert_int_equal(hs_receipt_sign(&t->receipt, &signer), HS_OK);
    hallsync__receipt__init(&t->message);
    t->message.stream = puppet_name(&t->p, &t->stream);
    t->message.n = n;
    t->message.hash = puppet_data(t->receipt.hash.bytes, HS_HASH_BYTES);
    t->message.store_id = t->receipt.store_id;
    t->message.time_ms = 5;
    t->message.signature = puppet_data(t->receipt.signature.bytes, HS_SIGNATURE_BYTES);
}

static void set(struct table *t)
{
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    world_start(t->hall);
    t->stream = world_write_text(t->hall, 3201, HS_LANE_MONEY, "paid");
    puppet_dialled(&t->p, t->hub, t->hall);
    puppet_greet(&t->p);
    sign(t, t->hub, 1);
}

static void clear(struct table *t)
{
    puppet_fini(&t->p);
    world_free(t->w);
}

static void tell(struct table *t)
{
    Hallsync__PeerAck ack = HALLSYNC__PEER_ACK__INIT;
    Hallsync__Receipt *receipts = &t->message;
    ack.receipts = &receipts;
    ack.n_receipts = 1;
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_ACK, &ack.base);
}

static void by_certificate_of(struct table *t, const struct world_node *node)
{
    ProtobufCMessage *certificate;
    assert_int_equal(hs_msg_unpack(&hallsync__certificate__descriptor, hs_buf_bytes(&node->certificate_bytes),
                                   &t->p.arena, &certificate),
                     HS_OK);
    t->message.hub = (Hallsync__Certificate *)certificate;
}

static void a_good_receipt_is_stored_once(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    tell(&t);
    assert_int_equal(t.hall->store_count, 1);
    world_store_next(t.hall, 1);
    assert_true(has_receipt(t.hall, &t.stream, t.hub->store_id, 1));
    tell(&t);
    assert_int_equal(t.hall->store_count, 0);
    clear(&t);
}

/* Ended sessions would be all that two holders of a fork's branches ever have. */
static void a_receipt_of_another_branch_is_dropped(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    tell(&t);
    t.hall->store_fails = HS_EFORK;
    world_store_next(t.hall, 1);
    t.hall->store_fails = HS_OK;
    assert_int_equal(puppet_ended(&t.p), HS_OK);
    assert_false(has_receipt(t.hall, &t.stream, t.hub->store_id, 1));
    clear(&t);
}

static void a_forged_receipt_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    t.message.time_ms++;
    tell(&t);
    assert_int_equal(puppet_ended(&t.p), HS_ESIGNATURE);
    assert_int_equal(t.hall->store_count, 0);
    clear(&t);
}

static void a_receipt_of_a_hall_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct world_node *other = world_hall(t.w, "hall-2", D1, 1);
    sign(&t, other, 1);
    by_certificate_of(&t, other);
    tell(&t);
    assert_int_equal(puppet_ended(&t.p), HS_ENOTHUB);
    clear(&t);
}

static void another_hubs_receipt_needs_its_certificate(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct world_node *other = world_hub(t.w, "hub-2");
    sign(&t, other, 1);
    by_certificate_of(&t, other);
    tell(&t);
    world_store_next(t.hall, 1);
    assert_true(has_receipt(t.hall, &t.stream, other->store_id, 1));
    sign(&t, other, 2);
    tell(&t); /* as if it were the peer's own */
    assert_int_equal(puppet_ended(&t.p), HS_ESIGNATURE);
    clear(&t);
}

/* ---- named beyond ---- */

static void struck(struct table *t)
{
    assert_int_equal(world_notices(t->hall, HS_NOTICE_NAMED_BEYOND), 1);
    assert_true(hs_stream_equal(&world_last_notice(t->hall, HS_NOTICE_NAMED_BEYOND)->stream, &t->stream));
    puppet_let_store(&t->p);
    assert_int_equal(t->hall->store.current, 0);
    clear(t);
}

static void a_head_beyond_the_current_origins_end_strikes_it(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    puppet_announce(&t.p, &t.stream, 2);
    puppet_announce(&t.p, &t.stream, 7); /* once is enough */
    struck(&t);
}

static void an_acknowledgement_beyond_the_end_strikes_it(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    Hallsync__PeerAck ack = HALLSYNC__PEER_ACK__INIT;
    Hallsync__StreamAck stored = HALLSYNC__STREAM_ACK__INIT, *list = &stored;
    stored.stream = puppet_name(&t.p, &t.stream);
    stored.n = 2;
    ack.stored = &list;
    ack.n_stored = 1;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_ACK, &ack.base);
    struck(&t);
}

static void a_receipt_beyond_the_end_strikes_it(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    sign(&t, t.hub, 2);
    tell(&t);
    struck(&t);
}

static void a_heartbeat_beyond_the_end_strikes_it(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    Hallsync__StreamHead *head = puppet_head(&t.p, &t.stream, 9, t.receipt.hash.bytes);
    beat.heads = &head;
    beat.n_heads = 1;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
    struck(&t);
}

static void an_earlier_origin_may_be_named_beyond(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    t.hall->store.current = 0;
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "of the next life");
    puppet_announce(&t.p, &t.stream, 2);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_NAMED_BEYOND), 0);
    assert_int_equal(t.hall->store_count, 0);
    clear(&t);
}

static void what_was_lost_comes_back_after_the_strike(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    struct world_store copy;
    world_start(hub);
    world_start(hall);
    world_write_text(hall, 3201, HS_LANE_MONEY, "one");
    world_store_copy(&hall->store, &copy);
    struct hs_stream stream = world_write_text(hall, 3201, HS_LANE_MONEY, "two");
    world_dial(hall, hub);
    world_settle(w);
    world_stop(hall);
    world_store_fini(&hall->store);
    hall->store = copy; /* with its memory: it would go on in the same origin */
    world_start(hall);
    world_settle(w);
    world_dial(hall, hub);
    world_settle(w);
    assert_int_equal(world_notices(hall, HS_NOTICE_NAMED_BEYOND), 1);
    assert_int_equal(hall->store.current, 0);
    assert_int_equal(world_head(hall, &stream), 2);
    struct hs_stream next = world_write_text(hall, 3201, HS_LANE_MONEY, "three");
    assert_true(next.origin != stream.origin);
    world_settle(w);
    assert_true(world_same(hub, hall));
    assert_int_equal(world_notices(hub, HS_NOTICE_FORK) + world_notices(hall, HS_NOTICE_FORK), 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hubs_receipt_comes_back),
        cmocka_unit_test(receipts_travel_with_the_streams),
        cmocka_unit_test(a_session_begins_with_the_receipts_that_may_be_lacking),
        cmocka_unit_test(a_receipt_lost_before_a_reboot_comes_again),
        cmocka_unit_test(what_comes_back_brings_its_receipts),
        cmocka_unit_test(a_good_receipt_is_stored_once),
        cmocka_unit_test(a_receipt_of_another_branch_is_dropped),
        cmocka_unit_test(a_forged_receipt_ends_the_session),
        cmocka_unit_test(a_receipt_of_a_hall_ends_the_session),
        cmocka_unit_test(another_hubs_receipt_needs_its_certificate),
        cmocka_unit_test(a_head_beyond_the_current_origins_end_strikes_it),
        cmocka_unit_test(an_acknowledgement_beyond_the_end_strikes_it),
        cmocka_unit_test(a_receipt_beyond_the_end_strikes_it),
        cmocka_unit_test(a_heartbeat_beyond_the_end_strikes_it),
        cmocka_unit_test(an_earlier_origin_may_be_named_beyond),
        cmocka_unit_test(what_was_lost_comes_back_after_the_strike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
