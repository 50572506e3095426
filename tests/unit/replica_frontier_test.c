/* replica_frontier_test.c -- frontiers compared: hashes first, lists only where they differ, few bytes where little
 * does, nothing outside the common view. */
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
    size_t offers[3], answers[3], heads, segments;
    uint64_t bytes, messages; /* of frontiers, both ways */
    bool saw_foreign;
};

static void count_part(struct count *count, const Hallsync__FrontierPart *part)
{
    struct part_item items[PART_ITEMS_MAX];
    bool reply = part->has_reply && part->reply;
    if (reply)
        count->answers[part->level]++;
    else
        count->offers[part->level]++;
    count->saw_foreign |= part->partition == 3209;
    size_t listed = part_items(part, &part->items, reply, items);
    for (size_t i = 0; i < listed; i++)
        count->saw_foreign |= items[i].partition == 3209;
    if (!reply)
        assert_in_range(listed, 0, 32);
}

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
    count->bytes += frame.size;
    count->messages++;
    hs_arena_init(&arena, 0);
    assert_int_equal(hs_msg_unpack(&hallsync__peer_frontier__descriptor, decoded.body, &arena, &message), HS_OK);
    const Hallsync__PeerFrontier *frontier = (const Hallsync__PeerFrontier *)message;
    count->heads += frontier->n_heads;
    for (size_t i = 0; i < frontier->n_parts; i++)
        count_part(count, frontier->parts[i]);
    hs_arena_fini(&arena);
}

static void count_from_now(struct table *t, struct count *count)
{
    *count = (struct count){0};
    t->w->sent = count_frame;
    t->w->ctx = count;
}

/* ---- tests ---- */

static void equal_frontiers_need_one_list(void **state)
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
    assert_int_equal(count.offers[0], 1);
    assert_int_equal(count.answers[0], 1);
    assert_int_equal(count.offers[1], 0);
    assert_int_equal(count.heads, 4); /* the answer to those of the hall's greeting */
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
    for (size_t level = 0; level < 3; level++) {
        assert_int_equal(count.offers[level], 1);
        assert_int_equal(count.answers[level], 1);
    }
    assert_int_equal(count.segments, 1);
    assert_true(world_same(t.hub, hub2));
    world_free(t.w);
}

/* A day's work of one life, after years of rebooting each day. */
static void years_of_lives_are_not_listed(void **state)
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
    struct hs_stream last = world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid");
    count_from_now(&t, &count);
    connect(&t);
    assert_true(world_same(t.hub, t.hall));
    assert_in_range(count.heads, 2200, 2300); /* those of Hello, and the hub hears what is to come */
    world_cut(t.link);
    t.hall->store.current = 0;
    world_write_text(t.hall, 3201, HS_LANE_MONEY, "paid in another life");
    t.hall->store.current = last.origin;
    world_stop(t.hall);
    world_start(t.hall);
    t.hall->store.current = 0;
    count_from_now(&t, &count);
    connect(&t);
    assert_true(world_same(t.hub, t.hall));
    assert_in_range(count.bytes, 1, 2500);
    world_free(t.w);
}

/* A hub with many nodes in one district, some of which move while the hall is away. */
static void write_as(struct world_node *to, struct world_node *node)
{
    struct hs_stream money = world_write_text(node, 3201, HS_LANE_MONEY, node->certificate.node_id);
    world_import(to, node, &money);
}

static void a_hall_comes_back_to_a_thousand_for_a_few_kilobytes(void **state)
{
    (void)state;
    static struct world_node *others[1000];
    struct table t;
    struct count count;
    char id[24];
    set(&t);
    for (size_t i = 0; i < 1000; i++) {
        snprintf(id, sizeof id, "hall-%u", (unsigned)i + 10);
        others[i] = world_extra(t.w, id, 3201);
        struct hs_stream work = world_write_text(others[i], 3201, HS_LANE_WORK, id);
        world_import(t.hub, others[i], &work);
        write_as(t.hub, others[i]);
    }
    connect(&t);
    world_cut(t.link);
    assert_true(world_same(t.hub, t.hall));
    for (size_t i = 0; i < 20; i++)
        write_as(t.hub, others[world_random(t.w) % 1000]);
    count_from_now(&t, &count);
    connect(&t);
    assert_true(world_same(t.hub, t.hall));
    assert_in_range(count.segments, 15, 20);
    print_message("20 of 1,000 nodes moved: %u bytes of frontiers in %u messages, both ways\n", (unsigned)count.bytes,
                  (unsigned)count.messages);
    assert_in_range(count.bytes, 1, 8 * 1024);
    for (size_t i = 0; i < 1000; i++)
        world_extra_free(others[i]);
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
    puppet_hold_nothing(&p);
    const Hallsync__PeerFrontier *lacking = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER);
    while (lacking->n_heads == 0)
        lacking = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER);
    assert_int_equal(lacking->n_heads, 2);
    assert_int_equal(lacking->heads[0]->stream->partition, 3201);
    assert_int_equal(lacking->heads[1]->stream->partition, HS_PARTITION_REGION);
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
    puppet_hold_nothing(&p);
    const Hallsync__PeerFrontier *answer = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER);
    assert_int_equal(answer->n_parts, 1);
    assert_true(answer->parts[0]->reply && !answer->parts[0]->has_lacked && !answer->parts[0]->has_items);
    assert_null(puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER));
    puppet_fini(&p);
    world_free(w);
}

/* ---- bad lists ---- */

/* What becomes of a session in which a hub that holds something of district 3201 hears this. */
struct bad {
    struct world *w;
    struct world_node *hub;
    struct hs_stream stream;
    struct puppet p;
};

static void bad_begin(struct bad *t)
{
    t->w = world_new(1);
    t->hub = world_hub(t->w, "hub-1");
    struct world_node *hall = world_hall(t->w, "hall-1", D1, 1);
    world_start(t->hub);
    t->stream = world_write_text(t->hub, 3201, HS_LANE_BULK, "bill");
    puppet_dial(&t->p, hall, t->hub);
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&t->p)->base);
}

static void bad_say(struct bad *t, Hallsync__FrontierPart *part)
{
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &puppet_frontier(&t->p, part)->base);
}

static void bad_end(struct bad *t, enum hs_err err)
{
    assert_int_equal(puppet_ended(&t->p), err);
    puppet_fini(&t->p);
    world_free(t->w);
}

static void bad_root(const void *packed, size_t size, bool as_buckets, enum hs_err err)
{
    struct bad t;
    bad_begin(&t);
    Hallsync__FrontierPart *part = puppet_items(puppet_part(&t.p, 0, 0, NULL), packed, size);
    if (as_buckets) {
        part->has_items = false;
        part->has_buckets = true;
        part->buckets = puppet_data(packed, size);
    }
    bad_say(&t, part);
    bad_end(&t, err);
}

static void lists_must_be_well_formed(void **state)
{
    (void)state;
    static const uint8_t ASCENDING[] = {0x0c, 0x81, 1, 2, 3, 4, 5, 6, 7, 8, 0x0c, 0x82, 1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t DESCENDING[] = {0x0c, 0x82, 1, 2, 3, 4, 5, 6, 7, 8, 0x0c, 0x81, 1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t NO_DISTRICT[] = {0x27, 0x10, 1, 2, 3, 4, 5, 6, 7, 8};
    static const uint8_t BUCKETS[] = {0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    static uint8_t many[33 * 10];
    bad_root(ASCENDING, sizeof ASCENDING, false, HS_OK);
    bad_root(ASCENDING, sizeof ASCENDING - 1, false, HS_EMALFORMED);
    bad_root(DESCENDING, sizeof DESCENDING, false, HS_EMALFORMED);
    bad_root(NO_DISTRICT, sizeof NO_DISTRICT, false, HS_EMALFORMED);
    bad_root(BUCKETS, sizeof BUCKETS, true, HS_OK);
    bad_root(BUCKETS, sizeof BUCKETS - 8, true, HS_EMALFORMED);
    bad_root(BUCKETS, 1, true, HS_EMALFORMED);
    for (size_t i = 0; i < 33; i++)
        hs_be16(&many[i * 10], (uint16_t)(3000 + i));
    bad_root(many, sizeof many - 10, false, HS_OK);
    bad_root(many, sizeof many, false, HS_EMALFORMED); /* 33 of them */
}

static void places_must_be_well_formed(void **state)
{
    (void)state;
    static uint8_t digits[17] = {15, 0, 16};
    for (unsigned fault = 0; fault < 8; fault++) {
        struct bad t;
        bad_begin(&t);
        Hallsync__FrontierPart *part = puppet_items(puppet_part(&t.p, 0, 0, NULL), NULL, 0);
        part->level = fault == 1 ? 3 : 0;
        part->has_partition = fault == 2;
        part->partition = 3201;
        part->has_node = fault == 3;
        part->has_prefix = fault >= 4 && fault < 7;
        part->prefix = puppet_data(digits, fault == 4 ? 5 : fault == 5 ? 3 : 1);
        part->has_buckets = fault == 7; /* besides items */
        bad_say(&t, part);
        bad_end(&t, fault == 0 ? HS_OK : HS_EMALFORMED);
    }
}

/* Lists go down by turns: nobody speaks of what the other has not found to differ. */
static void lists_come_in_their_turn(void **state)
{
    (void)state;
    for (unsigned fault = 0; fault < 5; fault++) {
        struct bad t;
        uint8_t root[10] = {0};
        bad_begin(&t);
        hs_be16(root, 3201);
        Hallsync__FrontierPart *part = puppet_part(&t.p, fault == 1 ? 1 : 0, 3201, NULL);
        puppet_items(part, root, fault == 1 ? 0 : sizeof root);
        part->has_reply = part->reply = fault == 2;
        bad_say(&t, part); /* the district's hash is another one: the hub offers its nodes */
        const Hallsync__PeerFrontier *heard = fault == 0 || fault > 2 ? puppet_take_parts(&t.p) : NULL;
        if (heard != NULL) {
            assert_int_equal(heard->n_parts, 2);
            assert_true(heard->parts[0]->reply && heard->parts[0]->items.len == 2);
            assert_int_equal(heard->parts[1]->level, 1);
        }
        Hallsync__FrontierPart *next = fault == 3 ? puppet_items(puppet_part(&t.p, 0, 0, NULL), NULL, 0)
                                                  : puppet_part(&t.p, 1, 3201, NULL);
        next->has_reply = next->reply = fault != 3;
        uint8_t stranger[8] = "stranger";
        if (fault == 4)
            puppet_items(next, stranger, sizeof stranger); /* it was not in the list */
        if (heard != NULL)
            bad_say(&t, next);
        bad_end(&t, fault == 0 ? HS_OK : HS_EMALFORMED);
    }
}

static void answers_to_buckets_name_what_was_offered(void **state)
{
    (void)state;
    for (unsigned fault = 0; fault < 4; fault++) {
        struct world *w = world_new(1);
        struct world_node *hub = world_hub(w, "hub-1"), *other = world_hub(w, "hub-2");
        struct puppet p;
        world_start(hub);
        for (hs_partition place = 0; place < 40; place++)
            world_write_text(hub, place, HS_LANE_BULK, "bill");
        puppet_dialled(&p, other, hub);
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_HELLO, &puppet_hello(&p)->base);
        const Hallsync__PeerFrontier *offered = puppet_take_parts(&p);
        assert_true(offered->parts[0]->has_buckets);
        assert_int_equal(part_present(offered->parts[0]), 1); /* districts 0000 to 0039 all begin with a 0 */
        Hallsync__FrontierPart *part = puppet_part(&p, 0, 0, NULL);
        part->has_reply = part->reply = part->has_differ = part->has_lacks = true;
        part->differ = fault == 1 ? 2 : 1;
        part->lacks = fault == 2 ? 1 : 0;
        part->has_lacked = fault == 3;
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &puppet_frontier(&p, part)->base);
        assert_int_equal(puppet_ended(&p), fault == 0 ? HS_OK : HS_EMALFORMED);
        puppet_fini(&p);
        world_free(w);
    }
}

/* How many lists each side has offered, and not been answered. */
struct open {
    long now[2], most;
};

static void count_open(struct world *w, struct world_link *link, int to, struct hs_bytes frame)
{
    struct open *open = w->ctx;
    struct hs_frame decoded;
    struct hs_arena arena;
    ProtobufCMessage *message;
    (void)link;
    assert_int_equal(hs_frame_decode(frame, &decoded), HS_OK);
    if (decoded.type != HALLSYNC__PEER_TYPE__PEER_FRONTIER)
        return;
    hs_arena_init(&arena, 0);
    assert_int_equal(hs_msg_unpack(&hallsync__peer_frontier__descriptor, decoded.body, &arena, &message), HS_OK);
    const Hallsync__PeerFrontier *frontier = (const Hallsync__PeerFrontier *)message;
    for (size_t i = 0; i < frontier->n_parts; i++) {
        if (frontier->parts[i]->has_reply && frontier->parts[i]->reply)
            open->now[to]--;
        else
            open->now[1 - to]++;
    }
    for (size_t i = 0; i < 2; i++)
        open->most = open->now[i] > open->most ? open->now[i] : open->most;
    hs_arena_fini(&arena);
}

static void few_lists_are_open_at_a_time(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct open open = {{0}, 0};
    hs_partition many[200];
    struct world_node *hub = world_hub(w, "hub-1");
    for (size_t i = 0; i < 200; i++)
        many[i] = (hs_partition)(i * 50);
    struct world_node *hall = world_hall(w, "hall-1", many, 200);
    world_start(hub);
    world_start(hall);
    for (size_t i = 0; i < 200; i++) {
        world_write_text(hub, many[i], HS_LANE_BULK, "bill");
        world_write_text(hall, many[i], HS_LANE_BULK, "another bill");
    }
    w->sent = count_open;
    w->ctx = &open;
    world_dial(hall, hub);
    world_settle(w);
    assert_true(world_same(hub, hall));
    assert_int_equal(open.now[0] + open.now[1], 0);
    assert_in_range(open.most, 33, 64);
    world_free(w);
}

/* Neither in lists nor in announcements. */
static void what_only_a_peer_names_takes_no_memory_for_ever(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    struct hs_peer_status before, after;
    struct hs_stream strange = {.origin = 1, .partition = 3201, .lane = HS_LANE_BULK};
    struct hs_hash start = hs_chain_start(&strange);
    struct puppet p;
    world_start(hub);
    puppet_dial(&p, hall, hub);
    puppet_greet(&p);
    for (unsigned said = 0; said < 70; said++) {
        Hallsync__PeerFrontier message = HALLSYNC__PEER_FRONTIER__INIT;
        Hallsync__StreamHead *heads[1000];
        for (size_t i = 0; i < 1000; i++, strange.origin++)
            heads[i] = puppet_head(&p, &strange, 1, start.bytes);
        message.heads = heads;
        message.n_heads = 1000;
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FRONTIER, &message.base);
        hs_arena_reset(&p.arena);
        if (said == 65)
            assert_true(world_status(hub, p.link->peer[1], &before));
    }
    assert_true(world_status(hub, p.link->peer[1], &after));
    assert_int_equal(puppet_ended(&p), HS_OK);
    assert_int_equal(after.memory_bytes, before.memory_bytes);
    puppet_fini(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_frontiers_need_one_list),
        cmocka_unit_test(one_difference_is_found_by_going_down_one_path),
        cmocka_unit_test(years_of_lives_are_not_listed),
        cmocka_unit_test(a_hall_comes_back_to_a_thousand_for_a_few_kilobytes),
        cmocka_unit_test(what_is_written_meanwhile_is_not_forgotten),
        cmocka_unit_test(a_hub_that_lost_its_disk_is_filled_by_the_halls),
        cmocka_unit_test(a_hall_hears_nothing_of_other_districts),
        cmocka_unit_test(a_hall_hands_in_what_it_took_for_other_districts),
        cmocka_unit_test(its_own_old_payments_for_other_districts_do_not_come_back),
        cmocka_unit_test(a_narrower_greeting_narrows_the_scope),
        cmocka_unit_test(a_greeting_does_not_widen_the_scope),
        cmocka_unit_test(lists_must_be_well_formed),
        cmocka_unit_test(places_must_be_well_formed),
        cmocka_unit_test(lists_come_in_their_turn),
        cmocka_unit_test(answers_to_buckets_name_what_was_offered),
        cmocka_unit_test(few_lists_are_open_at_a_time),
        cmocka_unit_test(what_only_a_peer_names_takes_no_memory_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
