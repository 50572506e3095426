/* replica_view_test.c -- who may see what: scopes, tiers, certificates issued anew, hubs that dial each other. */
#include "tests/lib/replica_watch.h"
#include "tests/unit/replica_puppet.h"

static const hs_partition NORTH[] = {3201, 3202};
static const hs_partition SOUTH[] = {3301, 3302};
static const hs_partition ONE[] = {3201};
static const hs_partition MIXED[] = {3202, 3301};

/* A province, two cities below it, halls below these. */
struct region {
    struct world *w;
    struct world_watched watched;
    struct world_node *province, *north, *south, *hall_north, *hall_south;
};

static void open_region(struct region *t)
{
    t->w = world_new(1);
    world_look_at(t->w, &t->watched);
    t->province = world_hub(t->w, "province");
    t->north = world_hub(t->w, "north");
    t->south = world_hub(t->w, "south");
    t->hall_north = world_hall(t->w, "hall-north", NORTH, 2);
    t->hall_south = world_hall(t->w, "hall-south", SOUTH, 2);
    world_narrow(t->north, NORTH, 2);
    world_narrow(t->south, SOUTH, 2);
    for (size_t i = 0; i < t->w->node_count; i++)
        world_start(t->w->nodes[i]);
}

static void dial_region(struct region *t)
{
    world_dial(t->north, t->province);
    world_dial(t->south, t->province);
    world_dial(t->hall_north, t->north);
    world_dial(t->hall_south, t->south);
}

static void close_region(struct region *t)
{
    if (t->watched.bad > 0)
        fail_msg("%s", t->watched.first);
    world_free(t->w);
}

static void assert_same(const struct region *t)
{
    for (size_t i = 0; i < t->w->node_count; i++) {
        for (size_t k = 0; k < t->w->node_count; k++) {
            const struct world_node *a = t->w->nodes[i], *b = t->w->nodes[k];
            if (!world_same(a, b))
                fail_msg("%s and %s differ", a->certificate.node_id, b->certificate.node_id);
        }
    }
}

static void assert_refused(const struct world_node *node, enum hs_err err, const char *text)
{
    const struct world_notice *notice = world_last_notice(node, HS_NOTICE_REFUSED);
    assert_non_null(notice);
    assert_int_equal(notice->err, err);
    if (strstr(notice->text, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", notice->text, text);
}

static void write_everywhere(struct region *t, const char *text)
{
    static const hs_partition PLACES[] = {3201, 3202, 3301, 3302, 3999, HS_PARTITION_REGION};
    for (size_t i = 0; i < t->w->node_count; i++) {
        for (size_t k = 0; k < sizeof PLACES / sizeof *PLACES; k++)
            world_write_text(t->w->nodes[i], PLACES[k], (enum hs_lane)(1 + k % 4), text);
    }
}

static void records_go_up_and_down_three_tiers(void **state)
{
    (void)state;
    struct region t = {0};
    open_region(&t);
    write_everywhere(&t, "before");
    dial_region(&t);
    world_advance(t.w, 3000);
    assert_same(&t);
    write_everywhere(&t, "after");
    world_settle(t.w);
    assert_same(&t);
    struct hs_stream foreign = world_write_text(t.hall_north, 3301, HS_LANE_MONEY, "paid in the north for the south");
    world_settle(t.w);
    assert_int_equal(world_head(t.north, &foreign), 1);
    assert_int_equal(world_head(t.hall_south, &foreign), 1);
    for (size_t i = 0; i < t.w->node_count; i++)
        assert_int_equal(world_notices(t.w->nodes[i], HS_NOTICE_REFUSED), 0);
    assert_in_range(world_notices(t.province, HS_NOTICE_EQUAL), 2, 100);
    close_region(&t);
}

static void what_is_nobodys_business_is_not_sent(void **state)
{
    (void)state;
    struct region t = {0};
    open_region(&t);
    dial_region(&t);
    struct hs_stream stream = world_write_text(t.hall_south, 3302, HS_LANE_MONEY, "paid in the south");
    world_advance(t.w, 3000);
    assert_int_equal(world_head(t.province, &stream), 1);
    assert_int_equal(world_head(t.north, &stream), 0);
    assert_int_equal(world_head(t.hall_north, &stream), 0);
    close_region(&t);
}

static void a_hub_without_the_halls_districts_refuses_it(void **state)
{
    (void)state;
    struct region t = {0};
    open_region(&t);
    struct world_node *mixed = world_hall(t.w, "mixed", MIXED, 2);
    world_start(mixed);
    struct world_link *link = world_dial(mixed, t.north);
    world_settle(t.w);
    assert_false(world_live(link));
    assert_refused(t.north, HS_ESCOPE, "north does not hold district 3301 of mixed; it holds 3201, 3202");
    assert_refused(mixed, HS_ESCOPE, "north does not hold district 3301 of mixed");
    link = world_dial(mixed, t.province);
    world_settle(t.w);
    assert_true(world_live(link));
    close_region(&t);
}

static void a_hall_narrowed_by_configuration_gets_less(void **state)
{
    (void)state;
    struct region t = {0};
    open_region(&t);
    struct world_node *narrow = world_hall(t.w, "narrow", NORTH, 2);
    world_narrow(narrow, ONE, 1);
    world_start(narrow);
    struct hs_stream out = world_write_text(t.north, 3202, HS_LANE_BULK, "not for it");
    struct hs_stream in = world_write_text(t.north, 3201, HS_LANE_BULK, "for it");
    struct hs_stream own = world_write_text(narrow, 3202, HS_LANE_MONEY, "its own");
    world_dial(narrow, t.north);
    world_advance(t.w, 3000);
    assert_int_equal(world_head(narrow, &out), 0);
    assert_int_equal(world_head(narrow, &in), 1);
    assert_int_equal(world_head(t.north, &own), 1);
    close_region(&t);
}

static void a_hub_that_has_less_is_nobodys_upstream(void **state)
{
    (void)state;
    struct region t = {0};
    open_region(&t);
    world_dial(t.province, t.north);
    world_settle(t.w);
    assert_refused(t.north, HS_ESCOPE, "north does not hold every district of province; it holds 3201, 3202");
    world_dial(t.south, t.north);
    world_settle(t.w);
    assert_refused(t.north, HS_ESCOPE, "north does not hold district 3301 of south");
    close_region(&t);
}

static void two_hubs_below_share_all_or_nothing(void **state)
{
    (void)state;
    struct region t = {0};
    open_region(&t);
    struct world_node *other = world_hub(t.w, "other"), *twin = world_hub(t.w, "twin");
    world_narrow(other, MIXED, 2);
    world_narrow(twin, NORTH, 2);
    world_start(other);
    world_start(twin);
    world_dial(t.north, t.province);
    world_settle(t.w);
    struct world_link *link = world_dial(other, t.province);
    world_settle(t.w);
    assert_false(world_live(link));
    assert_refused(t.province, HS_ESCOPE,
                   "other holds 3202, 3301 and north holds 3201, 3202: both district 3202, and not the same");
    link = world_dial(twin, t.province);
    world_settle(t.w);
    assert_true(world_live(link));
    close_region(&t);
}

static void equal_hubs_below_pass_on_what_each_wrote(void **state)
{
    (void)state;
    struct region t = {0};
    open_region(&t);
    struct world_node *twin = world_hub_at(t.w, "twin", 3202);
    world_narrow(twin, NORTH, 2);
    world_start(twin);
    world_dial(twin, t.north);
    world_dial(t.north, t.province);
    struct hs_stream stream = world_write_text(twin, 3999, HS_LANE_MONEY, "for a district that it does not hold");
    world_advance(t.w, 3000);
    assert_int_equal(world_head(t.province, &stream), 1);
    close_region(&t);
}

static void a_hub_is_not_its_own_upstream(void **state)
{
    (void)state;
    struct region t = {0};
    open_region(&t);
    world_dial(t.province, t.province);
    world_settle(t.w);
    assert_refused(t.province, HS_EREFUSED, "its own");
    close_region(&t);
}

static void wear(struct world_node *node)
{
    for (size_t i = 0; i < node->store.certificate_count; i++) {
        struct world_certificate *held = &node->store.certificates[i];
        if (!hs_key_equal(&held->key, &node->certificate.node_key))
            continue;
        hs_buf_reset(&node->certificate_bytes);
        hs_buf_put_bytes(&node->certificate_bytes, hs_buf_bytes(&held->bytes));
    }
    enum hs_err err = hs_certificate_verify(hs_buf_bytes(&node->certificate_bytes), &node->world->root_key,
                                            &node->certificate);
    assert_int_equal(err, HS_OK);
}

/* The hub has heard of it; the hall has not yet. */
static void who_shows_an_older_certificate_gets_the_later_one(void **state)
{
    (void)state;
    struct region t = {0};
    struct hs_buf later = {0};
    open_region(&t);
    struct hs_stream kept = world_write_text(t.north, 3201, HS_LANE_BULK, "still its");
    struct hs_stream gone = world_write_text(t.north, 3202, HS_LANE_BULK, "not its any more");
    world_certify(t.hall_north, ONE, 1, &later);
    world_store_put_certificate(&t.north->store, &t.hall_north->certificate.node_key, hs_buf_bytes(&later));
    struct world_link *link = world_dial(t.hall_north, t.north);
    world_settle(t.w);
    assert_false(world_live(link));
    assert_refused(t.north, HS_EREFUSED, "the certificate of hall-north was issued anew");
    assert_refused(t.hall_north, HS_EREFUSED, "the certificate of hall-north was issued anew");
    assert_int_equal(world_last_notice(t.north, HS_NOTICE_REFUSED)->reason, HS_REASON_OLDER_CERTIFICATE);
    assert_int_equal(world_last_notice(t.hall_north, HS_NOTICE_REFUSED)->reason, HS_REASON_OLDER_CERTIFICATE);
    world_stop(t.hall_north);
    wear(t.hall_north); /* it has got it */
    assert_int_equal(t.hall_north->certificate.district_count, 1);
    world_start(t.hall_north);
    link = world_dial(t.hall_north, t.north);
    world_advance(t.w, 3000);
    assert_true(world_live(link));
    assert_int_equal(world_head(t.hall_north, &kept), 1);
    assert_int_equal(world_head(t.hall_north, &gone), 0);
    hs_buf_fini(&later);
    close_region(&t);
}

static void a_certificate_that_comes_meanwhile_ends_the_session(void **state)
{
    (void)state;
    struct region t = {0};
    struct hs_buf later = {0};
    open_region(&t);
    struct world_link *link = world_dial(t.hall_north, t.north);
    world_advance(t.w, 3000);
    assert_true(world_live(link));
    world_certify(t.hall_north, NORTH, 2, &later); /* the same districts */
    world_store_put_certificate(&t.north->store, &t.hall_north->certificate.node_key, hs_buf_bytes(&later));
    world_advance(t.w, 3000);
    assert_true(world_live(link));
    hs_buf_reset(&later);
    t.hall_north->certificate.issued_ms++;
    world_certify(t.hall_north, ONE, 1, &later);
    world_store_put_certificate(&t.north->store, &t.hall_north->certificate.node_key, hs_buf_bytes(&later));
    world_advance(t.w, 3000);
    assert_false(world_live(link));
    world_stop(t.hall_north);
    wear(t.hall_north);
    assert_int_equal(t.hall_north->certificate.district_count, 1);
    hs_buf_fini(&later);
    close_region(&t);
}

/* Only one's own, only a later one, only of this region. */
static void a_certificate_in_a_refusal_is_checked(void **state)
{
    (void)state;
    for (unsigned fault = 0; fault < 4; fault++) {
        struct region t = {0};
        struct hs_buf later = {0};
        struct puppet p;
        ProtobufCMessage *certificate;
        Hallsync__PeerRefuse refuse = HALLSYNC__PEER_REFUSE__INIT;
        open_region(&t);
        world_stop(t.north);
        puppet_dialled(&p, t.north, t.hall_north);
        if (fault == 1) /* the one that it has */
            hs_buf_put_bytes(&later, hs_buf_bytes(&t.hall_north->certificate_bytes));
        else
            world_certify(fault == 2 ? t.hall_south : t.hall_north, fault == 2 ? SOUTH : ONE, 1, &later);
        assert_int_equal(
            hs_msg_unpack(&hallsync__certificate__descriptor, hs_buf_bytes(&later), &p.arena, &certificate), HS_OK);
        refuse.error = (char *)"refused";
        refuse.certificate = (Hallsync__Certificate *)certificate;
        if (fault == 3)
            refuse.certificate->node->signature.data[7] ^= 1;
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_REFUSE, &refuse.base);
        assert_int_equal(t.hall_north->store_count, fault == 0);
        hs_buf_fini(&later);
        puppet_fini(&p);
        close_region(&t);
    }
}

static size_t live_links(const struct world *w)
{
    size_t count = 0;
    for (size_t i = 0; i < w->link_count; i++)
        count += world_live(&w->links[i]);
    return count;
}

static void two_hubs_that_dial_each_other_keep_one_session(void **state)
{
    (void)state;
    for (int order = 0; order < 8; order++) {
        struct region t = {0};
        open_region(&t);
        struct world_node *a = t.north, *b = world_hub(t.w, "twin");
        world_narrow(b, NORTH, 2);
        world_start(b);
        bool lower = memcmp(a->certificate.node_key.bytes, b->certificate.node_key.bytes, HS_KEY_BYTES) < 0;
        struct world_link *from_a = world_dial(a, b);
        if (order & 1)
            world_settle(t.w);
        struct world_link *from_b = world_dial(b, a);
        if (order & 2)
            world_deliver(from_b, 1);
        if (order & 4)
            world_deliver(from_a, 1);
        world_settle(t.w);
        assert_int_equal(live_links(t.w), 1);
        assert_true(world_live(lower ? from_a : from_b));
        assert_int_equal(world_notices(a, HS_NOTICE_ENDED) + world_notices(b, HS_NOTICE_ENDED), 0);
        const struct world_notice *notice = world_last_notice(lower ? b : a, HS_NOTICE_TWIN);
        assert_non_null(notice);
        assert_int_equal(notice->token, lower ? from_a->peer[1] : from_b->peer[1]);
        struct hs_stream stream = world_write_text(a, 3201, HS_LANE_MONEY, "still connected");
        world_settle(t.w);
        assert_int_equal(world_head(b, &stream), 1);
        close_region(&t);
    }
}

/* The line that the other has dialled is dead, and nobody here knows it yet. */
static void a_twin_that_was_not_heard_of_gives_way(void **state)
{
    (void)state;
    struct region t = {0};
    open_region(&t);
    struct world_node *a = t.north, *b = world_hub(t.w, "twin");
    world_narrow(b, NORTH, 2);
    world_start(b);
    bool lower = memcmp(a->certificate.node_key.bytes, b->certificate.node_key.bytes, HS_KEY_BYTES) < 0;
    struct world_node *first = lower ? a : b, *second = lower ? b : a;
    struct world_link *dead = world_dial(first, second);
    world_settle(t.w);
    dead->up[0] = false;
    world_deliver(dead, 1); /* the other end has given it up */
    dead->up[0] = true;
    for (int i = 0; i < 7; i++) {
        t.w->now_ms += 500;
        world_tick(first);
    }
    struct world_link *link = world_dial(second, first);
    world_settle(t.w);
    assert_true(world_live(link));
    close_region(&t);
}

/* It keeps the streams of its halls, so it must hear that one has forked; from a hub it takes nothing else. */
static void a_witness_hears_of_forks_from_its_hub(void **state)
{
    (void)state;
    struct region t = {0};
    struct world_store older;
    open_region(&t);
    struct world_node *witness = world_witness(t.w, "witness", NORTH, 2);
    world_start(witness);
    struct world_link *link = world_dial(witness, t.north);
    world_dial(t.hall_north, witness);
    struct world_link *line = world_dial(t.hall_north, t.north);
    struct hs_stream stream = world_write_text(t.hall_north, 3201, HS_LANE_MONEY, "paid");
    world_settle(t.w);
    world_store_copy(&t.hall_north->store, &older);
    world_write_text(t.hall_north, 3201, HS_LANE_MONEY, "paid once more");
    world_settle(t.w);
    world_cut(line);
    world_stop(t.hall_north);
    world_store_fini(&t.hall_north->store);
    t.hall_north->store = older;
    world_start(t.hall_north);
    world_write_text(t.hall_north, 3201, HS_LANE_MONEY, "another one under that number");
    world_dial(t.hall_north, t.north);
    world_settle(t.w);
    assert_true(world_store_forked(&t.north->store, &stream));
    assert_true(world_store_forked(&witness->store, &stream));
    assert_true(world_live(link));
    close_region(&t);
}

static void what_is_written_during_the_greeting_reaches_the_witness(void **state)
{
    (void)state;
    for (size_t moment = 0; moment < 5; moment++) {
        struct region t = {0};
        open_region(&t);
        struct world_node *witness = world_witness(t.w, "witness", NORTH, 2);
        world_start(witness);
        struct world_link *link = world_dial(t.hall_north, witness);
        for (size_t i = 0; i < moment; i++)
            world_deliver(link, (int)((i + 1) % 2));
        struct hs_stream stream = world_write_text(t.hall_north, 3301, HS_LANE_MONEY, "paid");
        world_settle(t.w);
        assert_int_equal(world_head(witness, &stream), 1);
        link = world_dial(witness, t.north);
        for (size_t i = 0; i < moment; i++)
            world_deliver(link, (int)((i + 1) % 2));
        struct hs_stream second = world_write_text(t.hall_north, 3302, HS_LANE_MONEY, "paid");
        world_deliver(&t.w->links[0], 1);
        world_deliver(&t.w->links[0], 1);
        world_store_next(witness, 8);
        world_advance(t.w, 40000);
        assert_int_equal(world_head(t.north, &stream), 1);
        assert_int_equal(world_head(t.north, &second), 1);
        close_region(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_go_up_and_down_three_tiers),
        cmocka_unit_test(what_is_nobodys_business_is_not_sent),
        cmocka_unit_test(a_hub_without_the_halls_districts_refuses_it),
        cmocka_unit_test(a_hall_narrowed_by_configuration_gets_less),
        cmocka_unit_test(a_hub_that_has_less_is_nobodys_upstream),
        cmocka_unit_test(two_hubs_below_share_all_or_nothing),
        cmocka_unit_test(equal_hubs_below_pass_on_what_each_wrote),
        cmocka_unit_test(a_hub_is_not_its_own_upstream),
        cmocka_unit_test(who_shows_an_older_certificate_gets_the_later_one),
        cmocka_unit_test(a_certificate_that_comes_meanwhile_ends_the_session),
        cmocka_unit_test(a_certificate_in_a_refusal_is_checked),
        cmocka_unit_test(two_hubs_that_dial_each_other_keep_one_session),
        cmocka_unit_test(a_twin_that_was_not_heard_of_gives_way),
        cmocka_unit_test(a_witness_hears_of_forks_from_its_hub),
        cmocka_unit_test(what_is_written_during_the_greeting_reaches_the_witness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
