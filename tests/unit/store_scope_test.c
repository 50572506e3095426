/* store_scope_test.c -- what a node holds in full: by certificate and configuration, what is new filled, what is gone
 * evicted. */
#include "tests/unit/store_place.h"

#include "storage/store/inside.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, place_end)

static int setup(void **state)
{
    struct place *place = place_begin(state);
    place->hall.draft.districts[1] = 3202;
    place->hall.draft.district_count = 2;
    world_certify(&place->hall);
    return 0;
}

static void set_districts(struct world_node *node, const hs_partition *districts, size_t count)
{
    node->options.districts = districts;
    node->options.district_count = count;
}

/* ---- fills ---- */

static enum hs_err put_fill(void *ctx, const struct hs_fill *fill)
{
    hs_buf_put_format(ctx, "%u/%u ", (unsigned)fill->partition, (unsigned)fill->lane);
    return HS_OK;
}

static void expect_fills(struct world_node *node, const char *wanted)
{
    struct hs_buf text = {0};
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_fills(view, put_fill, &text), HS_OK);
    hs_view_close(view);
    hs_buf_put_u8(&text, 0);
    assert_int_equal(text.err, HS_OK);
    assert_string_equal((const char *)text.data, wanted);
    hs_buf_fini(&text);
}

static bool whole(struct world_node *node, hs_partition partition)
{
    struct hs_view *view = world_view(node);
    bool answer = hs_view_whole(view, partition);
    hs_view_close(view);
    return answer;
}

static void a_new_hall_wants_all_of_its_scope(void **state)
{
    struct place *place = *state;
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    world_open(&place->witness, true);
    expect_fills(&place->hall,
                 "3201/1 3201/2 3201/3 3201/4 3202/1 3202/2 3202/3 3202/4 65535/1 65535/2 65535/3 65535/4 ");
    expect_fills(&place->hub, "");
    expect_fills(&place->witness, "");
    assert_false(whole(&place->hall, 3201));
    assert_true(whole(&place->hub, 3201));
    assert_false(whole(&place->witness, 3201));
    world_fill_empty(&place->hall);
    expect_fills(&place->hall, "");
    assert_true(whole(&place->hall, 3201) && whole(&place->hall, HS_PARTITION_REGION));
    assert_false(whole(&place->hall, 3203));
    world_reopen(&place->hall);
    expect_fills(&place->hall, "");
}

static void configuration_narrows_the_scope(void **state)
{
    static const hs_partition SOME[] = {3202, 3209}; /* of which the certificate names one */
    static const hs_partition CITY[] = {3201, 3202};
    struct place *place = *state;
    set_districts(&place->hall, SOME, 2);
    set_districts(&place->hub, CITY, 2);
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    expect_fills(&place->hall, "3202/1 3202/2 3202/3 3202/4 65535/1 65535/2 65535/3 65535/4 ");
    assert_true(hs_store_holds(place->hall.store, 3202));
    assert_false(hs_store_holds(place->hall.store, 3201) || hs_store_holds(place->hall.store, 3209));
    assert_true(hs_store_holds(place->hub.store, 3201) && hs_store_holds(place->hub.store, HS_PARTITION_REGION));
    assert_false(hs_store_holds(place->hub.store, 3203));
    world_fill_empty(&place->hall);
    world_close(&place->hall);
    set_districts(&place->hall, NULL, 0);
    world_open(&place->hall, false);
    expect_fills(&place->hall, "3201/1 3201/2 3201/3 3201/4 ");
    world_close(&place->hub);
    set_districts(&place->hub, NULL, 0);
    world_open(&place->hub, false);
    assert_true(hs_store_holds(place->hub.store, 3203));
    expect_fills(&place->hub, "");
}

/* ---- certificates of later issue ---- */

static enum hs_err put_certificate(struct world_node *node, struct hs_bytes certificate)
{
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    enum hs_err err = hs_store_put_certificate(node->store, certificate);
    if (err == HS_OK)
        assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    else
        hs_store_abort(node->store);
    return err;
}

static void a_later_certificate_stands_from_the_next_start_on(void **state)
{
    struct place *place = *state;
    struct world_node later;
    world_open(&place->hall, true);
    world_fill_empty(&place->hall);
    assert_true(hs_bytes_equal(hs_store_certificate_bytes(place->hall.store), place->hall.options.certificate));
    world_twin(&place->hall, &later, "later");
    later.draft.districts[2] = 3203;
    later.draft.district_count = 3;
    later.draft.issued_ms = 9;
    world_certify(&later);
    assert_int_equal(put_certificate(&place->hall, later.options.certificate), HS_OK);
    assert_false(hs_store_holds(place->hall.store, 3203));
    world_reopen(&place->hall); /* with the old file */
    assert_true(hs_store_holds(place->hall.store, 3203));
    assert_true(hs_bytes_equal(hs_store_certificate_bytes(place->hall.store), later.options.certificate));
    assert_int_equal(hs_store_certificate(place->hall.store)->district_count, 3);
    expect_fills(&place->hall, "3203/1 3203/2 3203/3 3203/4 ");
    later.draft.home = 3202;
    later.draft.issued_ms = 10;
    world_certify(&later);
    assert_int_equal(put_certificate(&place->hall, later.options.certificate), HS_ECERT);
    hs_buf_fini(&later.certificate);
}

/* ---- eviction ---- */

static struct hs_dot write_in(struct world_node *node, hs_partition partition, enum hs_lane lane, uint64_t number)
{
    struct hs_commit commit;
    struct hs_dot dot;
    struct world_fact fact = world_money(number);
    fact.partition = partition;
    fact.lane = lane;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(world_write(node, &fact, &dot), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return dot;
}

static bool has(struct world_node *node, const struct world_node *writer, hs_partition partition, enum hs_lane lane,
                uint64_t number)
{
    struct hs_id id = world_fact_id(writer, number);
    struct hs_record_name name = {partition, (uint8_t)lane, WORLD_KIND_FACT, HS_BYTES(id.bytes, sizeof id.bytes)};
    struct hs_stored stored;
    struct hs_view *view = world_view(node);
    enum hs_err err = hs_view_record(view, &name, &stored);
    hs_view_close(view);
    assert_true(err == HS_OK || err == HS_ENOTFOUND);
    return err == HS_OK;
}

static void verify(struct world_node *node)
{
    struct hs_why why = {{0}};
    struct hs_hash before = world_digests(node);
    struct hs_view *view = world_view(node);
    if (hs_records_verify(store_records_txn(view), &why) != HS_OK)
        fail_msg("verify: %s", why.text);
    hs_view_close(view);
    assert_int_equal(hs_store_rebuild(node->store), HS_OK);
    struct hs_hash after = world_digests(node);
    assert_true(hs_hash_equal(&before, &after));
}

static size_t upkeep(struct world_node *node, size_t budget)
{
    size_t pieces = 0;
    for (bool more = true; more; pieces++) {
        struct hs_commit commit;
        assert_int_equal(hs_store_begin(node->store), HS_OK);
        assert_int_equal(hs_store_upkeep(node->store, &(struct hs_upkeep){.budget = budget}, &more), HS_OK);
        assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    }
    return pieces;
}

/* A hub's for what @held has of the stream. */
static void put_receipt_of(struct world_node *by, struct world_node *to, struct world_node *held,
                           const struct hs_stream *stream, uint64_t n)
{
    struct hs_commit commit;
    struct hs_receipt receipt = {
        .store_id = 77, .stream = *stream, .n = n, .time_ms = 1, .hub_key = by->draft.node_key};
    struct hs_view *view = world_view(held);
    assert_int_equal(hs_view_hash_at(view, stream, n, &receipt.hash), HS_OK);
    hs_view_close(view);
    assert_int_equal(hs_receipt_sign(&receipt, &by->options.signer), HS_OK);
    assert_int_equal(hs_store_begin(to->store), HS_OK);
    assert_int_equal(hs_store_put_receipt(to->store, &receipt, by->options.certificate), HS_OK);
    assert_int_equal(hs_store_commit(to->store, &commit), HS_OK);
}

static void put_receipt(struct place *place, struct world_node *to, struct world_node *held,
                        const struct hs_stream *stream, uint64_t n)
{
    put_receipt_of(&place->hub, to, held, stream, n);
}

static void give_receipt(struct place *place, const struct hs_stream *stream, uint64_t n)
{
    put_receipt(place, &place->hall, &place->hall, stream, n);
}

/* 3201 of hall and hub, of the hall's 1 and 2 signed for by a hub, 3 not; and as much in 3202. */
static struct hs_stream fill_both_districts(struct place *place)
{
    struct hs_stream own = {.partition = 3201, .lane = HS_LANE_PEOPLE};
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    world_fill_empty(&place->hall);
    for (uint64_t i = 1; i <= 3; i++)
        own.origin = write_in(&place->hall, 3201, HS_LANE_PEOPLE, i).origin;
    write_in(&place->hall, 3202, HS_LANE_PEOPLE, 4);
    for (uint64_t i = 1; i <= 50; i++) {
        write_in(&place->hub, 3201, i % 2 == 0 ? HS_LANE_MONEY : HS_LANE_BULK, i);
        write_in(&place->hub, 3202, HS_LANE_BULK, 100 + i);
    }
    world_carry(&place->hub, &place->hall);
    give_receipt(place, &own, 2);
    return own;
}

static void leave(struct world_node *hall, const hs_partition *districts)
{
    world_close(hall);
    set_districts(hall, districts, 1);
    world_open(hall, false);
}

static void expect_evicted(struct place *place, const struct hs_stream *own)
{
    struct world_node *hall = &place->hall;
    assert_false(has(hall, &place->hub, 3201, HS_LANE_MONEY, 2) || has(hall, &place->hub, 3201, HS_LANE_BULK, 1));
    assert_false(has(hall, hall, 3201, HS_LANE_PEOPLE, 1) || has(hall, hall, 3201, HS_LANE_PEOPLE, 2));
    assert_true(has(hall, hall, 3201, HS_LANE_PEOPLE, 3)); /* it is nowhere else */
    assert_true(has(hall, hall, 3202, HS_LANE_PEOPLE, 4) && has(hall, &place->hub, 3202, HS_LANE_BULK, 150));
    assert_int_equal(world_head(hall, own), 3);
    struct hs_stream foreign = {world_current_origin(&place->hub), 3201, HS_LANE_BULK};
    assert_int_equal(world_head(hall, &foreign), 0);
    assert_true(world_head(&place->hub, &foreign) == 25);
    foreign.partition = 3202;
    assert_int_equal(world_head(hall, &foreign), 50);
    struct hs_view *view = world_view(hall);
    struct hs_segment segment;
    struct hs_buf body = {0};
    assert_int_equal(hs_view_cut(view, own, 1, &body, &segment), HS_EPRUNED);
    assert_int_equal(hs_view_cut(view, own, 3, &body, &segment), HS_OK);
    hs_buf_fini(&body);
    hs_view_close(view);
}

static enum hs_err put_evicting(void *ctx, hs_partition partition, bool waits)
{
    hs_buf_put_format(ctx, "%u %s", (unsigned)partition, waits ? "waits " : "");
    return HS_OK;
}

static void expect_evicting(struct world_node *node, const char *wanted)
{
    struct hs_buf text = {0};
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_evicting(view, put_evicting, &text), HS_OK);
    hs_view_close(view);
    hs_buf_put_u8(&text, 0);
    assert_int_equal(text.err, HS_OK);
    assert_string_equal((const char *)text.data, wanted);
    hs_buf_fini(&text);
}

static void a_district_that_is_gone_is_evicted(void **state)
{
    static const hs_partition ONE[] = {3202};
    static const size_t BUDGETS[] = {1, 7, 1000};
    struct place *place = *state;
    struct hs_stream own = fill_both_districts(place);
    expect_evicting(&place->hall, "");
    struct hs_position feed = hs_store_position(place->hall.store);
    leave(&place->hall, ONE);
    expect_evicting(&place->hall, "3201 waits ");
    for (size_t i = 0; i < sizeof BUDGETS / sizeof *BUDGETS; i++) {
        bool more = true;
        for (size_t pieces = 0; more && pieces < 40; pieces++) {
            struct hs_commit commit;
            assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
            assert_int_equal(hs_store_upkeep(place->hall.store, &(struct hs_upkeep){.budget = BUDGETS[i]}, &more),
                             HS_OK);
            assert_int_equal(hs_store_commit(place->hall.store, &commit), HS_OK);
            if (pieces % 7 == 3)
                verify(&place->hall);
            assert_false(whole(&place->hall, 3201));
            if (more)
                expect_evicting(&place->hall, "3201 ");
        }
    }
    upkeep(&place->hall, 1000);
    expect_evicting(&place->hall, "");
    expect_evicted(place, &own);
    verify(&place->hall);
    world_reopen(&place->hall);
    expect_evicted(place, &own);
    struct hs_view *view = world_view(&place->hall);
    struct hs_position to;
    assert_int_equal(hs_view_changes(view, &feed, 10, NULL, NULL, &to), HS_ERESET);
    hs_view_close(view);
}

static void a_district_comes_back_after_its_eviction(void **state)
{
    static const hs_partition ONE[] = {3202};
    struct place *place = *state;
    fill_both_districts(place);
    leave(&place->hall, ONE);
    set_districts(&place->hall, NULL, 0);
    world_reopen(&place->hall); /* nothing went yet */
    expect_fills(&place->hall, "3201/1 3201/2 3201/3 3201/4 ");
    assert_true(has(&place->hall, &place->hub, 3201, HS_LANE_MONEY, 2));
    world_fill_empty(&place->hall);
    leave(&place->hall, ONE);
    struct hs_commit commit;
    bool more;
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(hs_store_upkeep(place->hall.store, &(struct hs_upkeep){.budget = 3}, &more), HS_OK);
    assert_int_equal(hs_store_commit(place->hall.store, &commit), HS_OK);
    assert_true(more);
    set_districts(&place->hall, NULL, 0);
    world_reopen(&place->hall); /* the rest goes first */
    assert_false(has(&place->hall, &place->hub, 3201, HS_LANE_MONEY, 2));
    assert_true(has(&place->hall, &place->hall, 3201, HS_LANE_PEOPLE, 3));
    expect_fills(&place->hall, "3201/1 3201/2 3201/3 3201/4 ");
    world_carry(&place->hub, &place->hall);
    assert_true(has(&place->hall, &place->hub, 3201, HS_LANE_MONEY, 2));
    verify(&place->hall);
}

/* Found by the property test: of a stream whose head stays nobody is asked for the payments below it. */
static void money_of_a_district_that_comes_back_is_whole(void **state)
{
    static const hs_partition ONE[] = {3202};
    struct place *place = *state;
    struct world_node *hall = &place->hall;
    world_open(hall, true);
    world_open(&place->hub, true);
    world_fill_empty(hall);
    struct hs_stream money = {.partition = 3201, .lane = HS_LANE_MONEY};
    for (uint64_t i = 1; i <= 3; i++)
        money.origin = write_in(hall, 3201, HS_LANE_MONEY, i).origin;
    give_receipt(place, &money, 2); /* the third is nowhere else */
    world_carry(hall, &place->hub);
    leave(hall, ONE);
    upkeep(hall, 10);
    assert_true(has(hall, hall, 3201, HS_LANE_MONEY, 1) && has(hall, hall, 3201, HS_LANE_MONEY, 3));
    assert_true(world_current_origin(hall) == 0); /* it wrote to what is forgotten */
    leave(hall, ONE);
    world_close(hall);
    set_districts(hall, NULL, 0);
    world_open(hall, false);
    give_receipt(place, &money, 3);
    leave(hall, ONE);
    upkeep(hall, 10); /* a hub has all of it */
    assert_false(has(hall, hall, 3201, HS_LANE_MONEY, 1) || has(hall, hall, 3201, HS_LANE_MONEY, 3));
    assert_int_equal(world_head(hall, &money), 0);
    world_close(hall);
    set_districts(hall, NULL, 0);
    world_open(hall, false);
    world_carry(&place->hub, hall);
    for (uint64_t i = 1; i <= 3; i++)
        assert_true(has(hall, hall, 3201, HS_LANE_MONEY, i));
    verify(hall);
}

/* What its halls write elsewhere goes on coming to a hub, and it signs for it: nothing of that may go with what went.
 */
static void a_hub_evicts_before_anything_comes(void **state)
{
    static const hs_partition CITY[] = {3201};
    struct place *place = *state;
    struct world_node *hub = &place->hub, *hall = &place->hall, other;
    world_open(hall, true);
    world_open(hub, true);
    world_add(&place->region, &other, "nj-other", HS_ROLE_HUB);
    world_open(&other, true);
    struct hs_stream streams[8];
    for (uint64_t i = 0; i < 8; i++) {
        enum hs_lane lane = i % 2 == 0 ? HS_LANE_MONEY : HS_LANE_PEOPLE;
        assert_int_equal(hs_store_begin(hall->store), HS_OK);
        assert_int_equal(hs_store_strike(hall->store, "a stream for each"), HS_OK);
        struct hs_commit commit;
        assert_int_equal(hs_store_commit(hall->store, &commit), HS_OK);
        streams[i] = (struct hs_stream){write_in(hall, 3202, lane, i).origin, 3202, (uint8_t)lane};
    }
    world_carry(hall, hub);
    for (size_t i = 0; i < 8; i++)
        put_receipt_of(&other, hub, hub, &streams[i], 1);
    leave(hub, CITY);
    expect_evicting(hub, "");
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(world_head(hub, &streams[i]), 0);
    for (uint64_t i = 0; i < 8; i++) {
        struct hs_dot dot = write_in(hall, 3202, HS_LANE_MONEY, 100 + i);
        struct hs_stream stream = {dot.origin, 3202, HS_LANE_MONEY};
        world_carry(hall, hub);
        upkeep(hub, 1);
        assert_int_equal(world_head(hub, &stream), dot.n);
        assert_true(has(hub, hall, 3202, HS_LANE_MONEY, 100 + i));
        verify(hub);
    }
    world_drop(&other);
}

/* A hall goes on under its origin: of its stream the hub must not forget what lies before. */
static void of_what_no_other_hub_has_a_hub_keeps_all(void **state)
{
    static const hs_partition CITY[] = {3201};
    struct place *place = *state;
    struct world_node *hub = &place->hub, *hall = &place->hall, other;
    world_open(hall, true);
    world_open(hub, true);
    world_add(&place->region, &other, "nj-other", HS_ROLE_HUB);
    struct hs_stream stream = {.partition = 3202, .lane = HS_LANE_PEOPLE};
    for (uint64_t i = 1; i <= 3; i++) {
        stream.origin = write_in(hall, 3202, HS_LANE_PEOPLE, i).origin;
        world_carry(hall, hub); /* each in a segment, at the end of which the stream could be cut */
    }
    put_receipt_of(&other, hub, hub, &stream, 2);
    leave(hub, CITY);
    expect_evicting(hub, "");
    for (uint64_t i = 1; i <= 3; i++)
        assert_true(has(hub, hall, 3202, HS_LANE_PEOPLE, i));
    set_districts(hub, NULL, 0);
    world_reopen(hub);
    expect_fills(hub, "");
    struct hs_commit commit;
    bool more;
    assert_int_equal(hs_store_begin(hub->store), HS_OK);
    assert_int_equal(hs_store_upkeep(hub->store, &(struct hs_upkeep){UINT64_MAX, 1000}, &more), HS_OK);
    assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
    write_in(hall, 3202, HS_LANE_PEOPLE, 4);
    world_carry(hall, hub);
    leave(hub, CITY);
    assert_int_equal(world_head(hub, &stream), 4);
    assert_false(has(hub, hall, 3202, HS_LANE_PEOPLE, 1)); /* it was folded: no operation says it any more */
    verify(hub);
    set_districts(hub, NULL, 0);
    world_reopen(hub);
    expect_fills(hub, "3202/1 3202/2 3202/3 3202/4 "); /* by number nobody would be asked for it */
    verify(hub);
    world_drop(&other);
}

/* ---- receipts of streams of which nothing is held ---- */

static enum hs_err count_receipt(void *ctx, const struct hs_receipt *receipt)
{
    (void)receipt;
    ++*(size_t *)ctx;
    return HS_OK;
}

static size_t receipts(struct world_node *node, const struct hs_stream *stream)
{
    size_t count = 0;
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_receipts(view, stream, count_receipt, &count), HS_OK);
    hs_view_close(view);
    return count;
}

static void know_writer(struct world_node *node, struct world_node *writer, const struct hs_stream *stream)
{
    struct hs_commit commit;
    struct hs_bytes certificate, opening;
    struct hs_view *view = world_view(writer);
    assert_int_equal(hs_view_origin(view, stream->origin, &certificate, &opening), HS_OK);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_put_origin(node->store, certificate, opening), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    hs_view_close(view);
}

static void put_fork(struct world_node *node, const struct hs_stream *stream)
{
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_put_fork(node->store, stream, 1, HS_BYTES("proof", 5)), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
}

static uint64_t forks(struct world_node *node)
{
    struct hs_view *view = world_view(node);
    uint64_t count = hs_log_fork_count(store_log_reader(view).txn);
    hs_view_close(view);
    return count;
}

/* Found by tests/system/whole_region: what is signed for comes ahead of the operations, and may be all that ever comes.
 */
static void receipts_ahead_of_their_stream_are_evicted(void **state)
{
    static const hs_partition ONE[] = {3202};
    struct place *place = *state;
    struct world_node *hall = &place->hall;
    world_open(hall, true);
    world_open(&place->hub, true);
    world_fill_empty(hall);
    struct hs_stream streams[2];
    for (size_t i = 0; i < 2; i++) {
        hs_partition partition = (hs_partition)(3201 + i);
        streams[i] = (struct hs_stream){write_in(&place->hub, partition, HS_LANE_BULK, i).origin, partition,
                                        HS_LANE_BULK};
        put_receipt(place, hall, &place->hub, &streams[i], 1);
        assert_int_equal(receipts(hall, &streams[i]), 1);
    }
    know_writer(hall, &place->hub, &streams[0]);
    put_fork(hall, &streams[0]);
    assert_int_equal(forks(hall), 1);
    leave(hall, ONE);
    expect_evicting(hall, "3201 waits ");
    upkeep(hall, 2);
    expect_evicting(hall, "");
    assert_int_equal(receipts(hall, &streams[0]), 0);
    assert_int_equal(receipts(hall, &streams[1]), 1);
    assert_int_equal(forks(hall), 0);
}

static void a_hall_keeps_no_receipts_of_what_is_not_its_own_elsewhere(void **state)
{
    static const hs_partition CITY[] = {3201};
    struct place *place = *state;
    struct world_node *hall = &place->hall, *hub = &place->hub, city;
    struct world_node wiped;
    world_open(hall, true);
    world_open(hub, true);
    world_open(&place->witness, true);
    world_add(&place->region, &city, "nj-city", HS_ROLE_HUB);
    set_districts(&city, CITY, 1);
    world_open(&city, true);
    struct hs_stream foreign = {write_in(hub, 3203, HS_LANE_BULK, 1).origin, 3203, HS_LANE_BULK};
    struct hs_stream own = {write_in(hall, 3203, HS_LANE_BULK, 1).origin, 3203, HS_LANE_BULK};
    world_twin(hall, &wiped, "wiped");
    world_open(&wiped, true);
    put_receipt(place, &wiped, hall, &own, 1);
    assert_int_equal(receipts(&wiped, &own), 1); /* whose it is, is not known yet */
    know_writer(&wiped, hall, &own);
    own.lane = HS_LANE_WORK;
    write_in(hall, 3203, HS_LANE_WORK, 2);
    put_receipt(place, &wiped, hall, &own, 1); /* its operations come back as well */
    assert_int_equal(receipts(&wiped, &own), 1);
    know_writer(hall, hub, &foreign);
    put_receipt(place, hall, hub, &foreign, 1);
    assert_int_equal(receipts(hall, &foreign), 0);
    know_writer(&place->witness, hall, &own);
    put_receipt(place, &place->witness, hall, &own, 1); /* it keeps logs for others, of any district */
    assert_int_equal(receipts(&place->witness, &own), 1);
    know_writer(&city, hall, &own);
    put_receipt(place, &city, hall, &own, 1); /* it passes on what its halls write elsewhere */
    assert_int_equal(receipts(&city, &own), 1);
    world_drop(&wiped);
    world_drop(&city);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_hall_wants_all_of_its_scope),
        TEST(configuration_narrows_the_scope),
        TEST(a_later_certificate_stands_from_the_next_start_on),
        TEST(a_district_that_is_gone_is_evicted),
        TEST(a_district_comes_back_after_its_eviction),
        TEST(money_of_a_district_that_comes_back_is_whole),
        TEST(a_hub_evicts_before_anything_comes),
        TEST(of_what_no_other_hub_has_a_hub_keeps_all),
        TEST(receipts_ahead_of_their_stream_are_evicted),
        TEST(a_hall_keeps_no_receipts_of_what_is_not_its_own_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
