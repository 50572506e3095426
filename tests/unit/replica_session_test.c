/* replica_session_test.c -- sessions: greeting, refusals, sequence, clones, heartbeats, strangers. */
#include "tests/unit/replica_puppet.h"

static const hs_partition D1[] = {3201};
static const hs_partition D2[] = {3202};

struct pair {
    struct world *w;
    struct world_node *hub, *hall;
    struct puppet p; /* plays the hall */
};

static void open_pair(struct pair *t)
{
    t->w = world_new(1);
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    world_start(t->hub);
}

static void open_puppet(struct pair *t)
{
    open_pair(t);
    puppet_dial(&t->p, t->hall, t->hub);
}

static void close_pair(struct pair *t)
{
    puppet_fini(&t->p);
    world_free(t->w);
}

static void both_sides_greet_and_are_live(void **state)
{
    (void)state;
    struct pair t = {0};
    open_pair(&t);
    world_start(t.hall);
    struct world_link *link = world_dial(t.hall, t.hub);
    assert_false(world_live(link));
    world_settle(t.w);
    assert_true(world_live(link));
    assert_int_equal(world_notices(t.hub, HS_NOTICE_LIVE), 1);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_LIVE), 1);
    assert_string_equal(world_last_notice(t.hub, HS_NOTICE_LIVE)->text, "hall-1");
    close_pair(&t);
}

static void what_is_written_arrives(void **state)
{
    (void)state;
    struct pair t = {0};
    open_pair(&t);
    world_start(t.hall);
    struct hs_stream before = world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid before the link");
    struct hs_stream there = world_write_text(t.hub, HS_PARTITION_REGION, HS_LANE_BULK, "catalogue");
    world_dial(t.hall, t.hub);
    world_settle(t.w);
    assert_int_equal(world_head(t.hub, &before), 1);
    assert_int_equal(world_head(t.hall, &there), 1);
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid with the link");
    world_settle(t.w);
    assert_int_equal(world_head(t.hub, &before), 2);
    assert_true(world_same(t.hub, t.hall));
    close_pair(&t);
}

/* ---- refusals ---- */

static void refused_with(struct pair *t, enum hs_err err)
{
    const Hallsync__PeerRefuse *refuse = puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_REFUSE);
    assert_non_null(refuse);
    assert_string_equal(refuse->error, hs_err_name(err));
    assert_false(t->p.link->up[1]);
    assert_int_equal(world_notices(t->hub, HS_NOTICE_REFUSED), 1);
    assert_int_equal(world_last_notice(t->hub, HS_NOTICE_REFUSED)->err, err);
}

static void another_version_is_refused(void **state)
{
    (void)state;
    struct pair t;
    open_puppet(&t);
    Hallsync__PeerHello *hello = puppet_hello(&t.p);
    hello->version_min = 2;
    hello->version_max = 9;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    refused_with(&t, HS_EVERSION);
    assert_int_equal(world_last_notice(t.hub, HS_NOTICE_REFUSED)->reason, HS_REASON_VERSION);
    assert_string_equal(world_last_notice(t.hub, HS_NOTICE_REFUSED)->node_id, ""); /* it was not looked at */
    close_pair(&t);
}

static void a_range_of_versions_with_ours_is_fine(void **state)
{
    (void)state;
    struct pair t;
    open_puppet(&t);
    Hallsync__PeerHello *hello = puppet_hello(&t.p);
    hello->version_max = 9;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    assert_true(puppet_is_live(&t.p));
    close_pair(&t);
}

static void a_forged_certificate_is_refused(void **state)
{
    (void)state;
    struct pair t;
    open_puppet(&t);
    Hallsync__PeerHello *hello = puppet_hello(&t.p);
    hello->certificate->node->signature.data[5] ^= 1;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    refused_with(&t, HS_ECERT);
    assert_int_equal(world_last_notice(t.hub, HS_NOTICE_REFUSED)->reason, HS_REASON_CERTIFICATE);
    assert_string_equal(world_last_notice(t.hub, HS_NOTICE_REFUSED)->node_id, ""); /* anybody can write a name */
    close_pair(&t);
}

static void a_certificate_of_another_connection_is_refused(void **state)
{
    (void)state;
    struct pair t;
    open_pair(&t);
    world_start(t.hall);
    struct hs_key other = t.hall->certificate.curve_key;
    other.bytes[3] ^= 4;
    struct world_link *link = world_dial_as(t.hall, t.hub, &other);
    world_settle(t.w);
    assert_false(world_live(link));
    assert_int_equal(world_last_notice(t.hub, HS_NOTICE_REFUSED)->err, HS_ECERT);
    assert_int_equal(world_last_notice(t.hall, HS_NOTICE_REFUSED)->err, HS_ECERT);
    assert_string_equal(world_last_notice(t.hub, HS_NOTICE_REFUSED)->node_id, "");
    t.p = (struct puppet){0};
    close_pair(&t);
}

static void halls_do_not_talk_to_halls(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *a = world_hall(w, "hall-1", D1, 1), *b = world_hall(w, "hall-2", D2, 1);
    world_start(a);
    world_start(b);
    world_dial(a, b);
    world_settle(w);
    assert_int_equal(world_last_notice(a, HS_NOTICE_REFUSED)->err, HS_ENOTHUB);
    assert_int_equal(world_last_notice(a, HS_NOTICE_REFUSED)->reason, HS_REASON_ROLE);
    assert_string_equal(world_last_notice(b, HS_NOTICE_REFUSED)->node_id, "hall-1");
    assert_int_equal(world_notices(a, HS_NOTICE_LIVE) + world_notices(b, HS_NOTICE_LIVE), 0);
    world_free(w);
}

static void a_hub_dials_hubs_only(void **state)
{
    (void)state;
    struct pair t = {0};
    open_pair(&t);
    world_start(t.hall);
    world_dial(t.hub, t.hall);
    world_settle(t.w);
    assert_int_equal(world_last_notice(t.hub, HS_NOTICE_REFUSED)->err, HS_ENOTHUB);
    close_pair(&t);
}

static void a_node_does_not_talk_to_itself(void **state)
{
    (void)state;
    struct pair t = {0};
    open_pair(&t);
    world_dial(t.hub, t.hub);
    world_settle(t.w);
    assert_int_equal(world_last_notice(t.hub, HS_NOTICE_REFUSED)->err, HS_EREFUSED);
    assert_int_equal(world_last_notice(t.hub, HS_NOTICE_REFUSED)->reason, HS_REASON_ITSELF);
    assert_int_equal(world_notices(t.hub, HS_NOTICE_LIVE), 0);
    close_pair(&t);
}

static void too_little_credit_is_refused(void **state)
{
    (void)state;
    struct pair t;
    open_puppet(&t);
    Hallsync__PeerHello *hello = puppet_hello(&t.p);
    hello->credit = HS_CREDIT_BYTES_MIN - 1;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    refused_with(&t, HS_EMALFORMED);
    close_pair(&t);
}

static void who_is_refused_says_why(void **state)
{
    (void)state;
    struct pair t;
    open_pair(&t);
    world_stop(t.hub);
    world_start(t.hall);
    puppet_dialled(&t.p, t.hub, t.hall);
    Hallsync__PeerRefuse refuse = HALLSYNC__PEER_REFUSE__INIT;
    refuse.error = (char *)"bad-certificate";
    refuse.text = (char *)"who are you?";
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_REFUSE, &refuse.base);
    const struct world_notice *notice = world_last_notice(t.hall, HS_NOTICE_REFUSED);
    assert_int_equal(notice->err, HS_ECERT);
    assert_non_null(strstr(notice->text, "who are you?"));
    assert_false(t.p.link->up[0]);
    close_pair(&t);
}

/* ---- frames ---- */

static void a_frame_out_of_sequence_ends_the_session(void **state)
{
    (void)state;
    struct pair t;
    open_puppet(&t);
    puppet_greet(&t.p);
    t.p.sequence++; /* one was lost */
    puppet_announce(&t.p, &(struct hs_stream){1, 3201, 1}, 0);
    assert_int_equal(puppet_ended(&t.p), HS_EMALFORMED);
    close_pair(&t);
}

static void a_doubled_frame_ends_the_session(void **state)
{
    (void)state;
    struct pair t;
    open_puppet(&t);
    puppet_greet(&t.p);
    t.p.sequence--;
    puppet_announce(&t.p, &(struct hs_stream){1, 3201, 1}, 0);
    assert_int_equal(puppet_ended(&t.p), HS_EMALFORMED);
    close_pair(&t);
}

static void garbage_ends_the_session(void **state)
{
    (void)state;
    static const uint8_t GARBAGE[] = "\x01\x03\x00\x00\x00\x03 this is no message";
    struct pair t;
    open_puppet(&t);
    puppet_greet(&t.p);
    world_hand(t.hub, t.p.link->peer[1], HS_BYTES(GARBAGE, sizeof GARBAGE - 1));
    assert_int_equal(puppet_ended(&t.p), HS_EMALFORMED);
    world_hand(t.hub, t.p.link->peer[1],
               HS_BYTES(GARBAGE, sizeof GARBAGE - 1)); /* the link had more: nothing happens */
    close_pair(&t);
}

static void nothing_but_hello_comes_first(void **state)
{
    (void)state;
    struct pair t;
    open_puppet(&t);
    puppet_announce(&t.p, &(struct hs_stream){1, 3201, 1}, 0);
    assert_int_equal(puppet_ended(&t.p), HS_EMALFORMED);
    close_pair(&t);
}

static void a_second_hello_ends_the_session(void **state)
{
    (void)state;
    struct pair t;
    open_puppet(&t);
    puppet_greet(&t.p);
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&t.p)->base);
    assert_int_equal(puppet_ended(&t.p), HS_EMALFORMED);
    close_pair(&t);
}

/* ---- more than one ---- */

static void the_same_process_anew_replaces_its_session(void **state)
{
    (void)state;
    struct pair t = {0};
    open_pair(&t);
    world_start(t.hall);
    struct world_link *first = world_dial(t.hall, t.hub);
    world_settle(t.w);
    struct world_link *second = world_dial(t.hall, t.hub);
    world_deliver(second, 1);
    assert_false(first->up[1]);
    world_settle(t.w);
    assert_true(world_live(second));
    assert_int_equal(world_notices(t.hub, HS_NOTICE_CLONE), 0);
    close_pair(&t);
}

static void a_clone_is_a_second_session_and_an_alarm(void **state)
{
    (void)state;
    struct pair t = {0};
    open_pair(&t);
    struct world_node *twin = world_hall(t.w, "hall-1", D1, 1); /* same name, so the same keys */
    world_start(t.hall);
    twin->processes = 100;
    world_start(twin);
    struct world_link *first = world_dial(t.hall, t.hub), *second = world_dial(twin, t.hub);
    world_settle(t.w);
    assert_true(world_live(first));
    assert_true(world_live(second));
    assert_int_equal(world_notices(t.hub, HS_NOTICE_CLONE), 1);
    struct hs_stream a = world_write_text(t.hall, 3201, HS_LANE_MONEY, "one");
    struct hs_stream b = world_write_text(twin, 3201, HS_LANE_MONEY, "other");
    world_settle(t.w);
    assert_int_equal(world_head(twin, &a), 1);
    assert_int_equal(world_head(t.hall, &b), 1);
    close_pair(&t);
}

static void strangers_push_out_strangers(void **state)
{
    (void)state;
    struct pair t = {0};
    open_pair(&t);
    struct puppet strangers[33];
    for (size_t i = 0; i < 33; i++) {
        t.w->now_ms++;
        puppet_dial(&strangers[i], t.hall, t.hub);
    }
    assert_int_equal(puppet_ended(&strangers[0]), HS_EBUSY);
    assert_true(strangers[1].link->up[1]);
    world_start(t.hall);
    struct world_link *honest = world_dial(t.hall, t.hub);
    while (world_deliver(honest, 1))
        ;
    assert_int_equal(world_notices(t.hub, HS_NOTICE_LIVE), 1);
    close_pair(&t);
}

/* ---- heartbeats ---- */

static void silence_ends_the_session(void **state)
{
    (void)state;
    struct pair t = {0};
    open_pair(&t);
    world_start(t.hall);
    struct world_link *link = world_dial(t.hall, t.hub);
    world_advance(t.w, 60000);
    assert_true(world_live(link));
    for (size_t ms = 0; ms < 8000; ms += 500) { /* nothing arrives any more */
        t.w->now_ms += 500;
        world_tick(t.hub);
    }
    assert_int_equal(world_last_notice(t.hub, HS_NOTICE_ENDED)->err, HS_ETIMEDOUT);
    close_pair(&t);
}

/* Somebody else comes just when timers are due. */
static void it_does_so_whoever_comes_meanwhile(void **state)
{
    static const hs_partition HOME[] = {3201};
    (void)state;
    struct pair t = {0};
    open_pair(&t);
    world_start(t.hall);
    world_dial(t.hall, t.hub);
    world_advance(t.w, 60000);
    struct world_node *other = world_hall(t.w, "other", HOME, 1);
    world_start(other);
    struct world_link *link = world_dial(other, t.hub);
    t.w->now_ms = t.hub->wake_ms;
    while (world_deliver(link, 1) || world_deliver(link, 0))
        ;
    assert_true(world_live(link));
    for (size_t ms = 0; ms < 8000; ms += 500) {
        t.w->now_ms += 500;
        world_tick(t.hub);
    }
    assert_int_equal(world_notices(t.hub, HS_NOTICE_ENDED), 2);
    assert_int_equal(world_last_notice(t.hub, HS_NOTICE_ENDED)->err, HS_ETIMEDOUT);
    close_pair(&t);
}

static void a_stranger_that_says_nothing_is_dropped(void **state)
{
    (void)state;
    struct pair t;
    open_puppet(&t);
    world_advance(t.w, 6900);
    assert_true(t.p.link->up[1]);
    world_advance(t.w, 200);
    assert_int_equal(puppet_ended(&t.p), HS_ETIMEDOUT);
    close_pair(&t);
}

static void own_delay_is_not_the_peers_silence(void **state)
{
    (void)state;
    struct pair t = {0};
    open_pair(&t);
    world_start(t.hall);
    struct world_link *link = world_dial(t.hall, t.hub);
    world_settle(t.w);
    t.w->now_ms += 30000; /* the machine slept; frames wait behind this */
    world_tick(t.hub);
    world_tick(t.hall);
    world_advance(t.w, 10000);
    assert_true(world_live(link));
    close_pair(&t);
}

static void clocks_are_compared(void **state)
{
    (void)state;
    struct pair t = {0};
    struct hs_peer_status status;
    open_pair(&t);
    world_start(t.hall);
    t.hall->clock_offset_ms = -90000;
    struct world_link *link = world_dial(t.hall, t.hub);
    world_advance(t.w, 5000);
    assert_true(world_status(t.hub, link->peer[1], &status));
    assert_int_equal(status.clock_offset_ms, -90000);
    assert_int_equal(status.round_trip_ms, 0);
    t.hall->clock_offset_ms = 3600000;
    world_advance(t.w, 5000);
    assert_true(world_status(t.hub, link->peer[1], &status));
    assert_int_equal(status.clock_offset_ms, 3600000);
    close_pair(&t);
}

static void heartbeats_tell_heads_and_payments(void **state)
{
    (void)state;
    struct pair t = {0};
    struct hs_peer_status status;
    open_pair(&t);
    world_start(t.hall);
    struct world_link *link = world_dial(t.hall, t.hub);
    world_settle(t.w);
    world_write_text(t.hall, 3201, HS_LANE_BULK, "told");
    world_advance(t.w, 5000);
    assert_true(world_status(t.hub, link->peer[1], &status));
    assert_true(status.payments_known);
    assert_int_equal(status.payments_count, t.hall->store.commit);
    assert_int_equal(status.payments_fen, -5);
    close_pair(&t);
}

static void a_heartbeat_alone_tells_of_what_is_missing(void **state)
{
    (void)state;
    struct pair t;
    struct hs_peer_status status;
    open_puppet(&t);
    puppet_greet(&t.p);
    struct hs_stream stream = world_write_text(t.hall, 3201, HS_LANE_MONEY, "never sent");
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    Hallsync__StreamHead *head = puppet_head(&t.p, &stream, 1,
                                             world_store_find(&t.hall->store, &stream)->ops[0].hash.bytes);
    beat.heads = &head;
    beat.n_heads = 1;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
    assert_true(world_status(t.hub, t.p.link->peer[1], &status));
    assert_int_equal(status.lag_in_ops, 1);
    const Hallsync__PeerHeartbeat *echo = puppet_hear(&t.p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT);
    assert_true(echo->has_echo_ms);
    close_pair(&t);
}

static void an_idle_session_is_small(void **state)
{
    (void)state;
    struct pair t = {0};
    struct hs_peer_status status;
    open_pair(&t);
    world_start(t.hall);
    for (unsigned i = 0; i < 300; i++)
        world_write_text(t.hall, 3201, HS_LANE_MONEY, "a payment of some length, so that segments are not empty");
    struct world_link *link = world_dial(t.hall, t.hub);
    world_advance(t.w, 10000);
    assert_true(world_status(t.hub, link->peer[1], &status));
    assert_int_equal(status.received_ops, 300);
    assert_int_equal(status.lag_out_ops + status.lag_in_ops, 0);
    assert_in_range(status.memory_bytes, 1, 8192);
    close_pair(&t);
}

/* Found by flipping bits in a stopped hall's log: it said "no such record" and ended. */
static void a_stream_without_its_origin_is_damage(void **state)
{
    (void)state;
    struct pair t = {0};
    open_pair(&t);
    world_start(t.hall);
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "a payment");
    world_stop(t.hall);
    t.hall->store.origins[0].id ^= 1;
    assert_int_equal(world_try_start(t.hall), HS_EDAMAGED);
    close_pair(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_greet_and_are_live),
        cmocka_unit_test(what_is_written_arrives),
        cmocka_unit_test(another_version_is_refused),
        cmocka_unit_test(a_range_of_versions_with_ours_is_fine),
        cmocka_unit_test(a_forged_certificate_is_refused),
        cmocka_unit_test(a_certificate_of_another_connection_is_refused),
        cmocka_unit_test(halls_do_not_talk_to_halls),
        cmocka_unit_test(a_hub_dials_hubs_only),
        cmocka_unit_test(a_node_does_not_talk_to_itself),
        cmocka_unit_test(too_little_credit_is_refused),
        cmocka_unit_test(who_is_refused_says_why),
        cmocka_unit_test(a_frame_out_of_sequence_ends_the_session),
        cmocka_unit_test(a_doubled_frame_ends_the_session),
        cmocka_unit_test(garbage_ends_the_session),
        cmocka_unit_test(nothing_but_hello_comes_first),
        cmocka_unit_test(a_second_hello_ends_the_session),
        cmocka_unit_test(the_same_process_anew_replaces_its_session),
        cmocka_unit_test(a_clone_is_a_second_session_and_an_alarm),
        cmocka_unit_test(strangers_push_out_strangers),
        cmocka_unit_test(silence_ends_the_session),
        cmocka_unit_test(it_does_so_whoever_comes_meanwhile),
        cmocka_unit_test(a_stranger_that_says_nothing_is_dropped),
        cmocka_unit_test(own_delay_is_not_the_peers_silence),
        cmocka_unit_test(clocks_are_compared),
        cmocka_unit_test(heartbeats_tell_heads_and_payments),
        cmocka_unit_test(a_heartbeat_alone_tells_of_what_is_missing),
        cmocka_unit_test(an_idle_session_is_small),
        cmocka_unit_test(a_stream_without_its_origin_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
