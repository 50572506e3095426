/* store_upkeep_test.c -- what goes with time: operations that become base states, and a witness's that two hubs have.
 */
#include "tests/unit/store_place.h"

#include "storage/log/inside.h"
#include "storage/store/inside.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, place_end)
#define DAY_MS     (24 * 3600 * 1000ULL)

static int setup(void **state)
{
    struct place *place = place_begin(state);
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    return 0;
}

/* ---- writing ---- */

static struct hs_stream write_lane(struct world_node *node, enum hs_lane lane, size_t count)
{
    struct hs_commit commit;
    struct hs_dot dot = {0};
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    for (size_t i = 0; i < count; i++) {
        struct world_fact fact = world_money(++node->made);
        fact.lane = lane;
        assert_int_equal(world_write(node, &fact, &dot), HS_OK);
    }
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return (struct hs_stream){dot.origin, 3201, (uint8_t)lane};
}

static struct hs_dot write_register(struct world_node *node, uint8_t value, const struct hs_dot *over)
{
    uint8_t raw[2] = {0x08, value};
    struct hs_field_write field = {
        .number = 1, .value = HS_BYTES(raw, 2), .over = (struct hs_dot *)(uintptr_t)over, .over_count = over != NULL};
    struct hs_write write = {.kind = WORLD_KIND_REGISTER, .id = HS_BYTES("a", 1), .fields = &field, .field_count = 1};
    struct hs_draft draft = {.partition = 3201, .lane = HS_LANE_PEOPLE, .writes = &write, .write_count = 1};
    struct hs_commit commit;
    struct hs_dot dot;
    hs_stamp stamp;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_write(node->store, &draft, &dot, &stamp), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return dot;
}

/* All that @from has to @to, and the receipts back. */
struct receipts {
    struct world_node *to;
    struct world_node *by;
};

static enum hs_err put_receipt(void *ctx, const struct hs_receipt *receipt)
{
    const struct receipts *receipts = ctx;
    enum hs_err err = hs_store_put_receipt(receipts->to->store, receipt, receipts->by->options.certificate);
    assert_int_equal(err, HS_OK);
    return HS_OK;
}

static struct hs_view *receipts_view;

static enum hs_err put_receipts_of(void *ctx, const struct hs_head *head)
{
    return hs_view_receipts(receipts_view, &head->stream, put_receipt, ctx);
}

/* What @by has signed, to @to. */
static void carry_receipts(struct world_node *by, struct world_node *to)
{
    struct receipts receipts = {to, by};
    struct hs_commit commit;
    receipts_view = world_view(by);
    assert_int_equal(hs_store_begin(to->store), HS_OK);
    assert_int_equal(hs_view_heads(receipts_view, put_receipts_of, &receipts), HS_OK);
    assert_int_equal(hs_store_commit(to->store, &commit), HS_OK);
    hs_view_close(receipts_view);
}

static size_t upkeep(struct world_node *node, uint64_t before_ms, size_t budget)
{
    size_t pieces = 0;
    for (bool more = true; more; pieces++) {
        struct hs_commit commit;
        struct hs_upkeep what = {.before_ms = before_ms, .budget = budget};
        assert_int_equal(hs_store_flush(node->store), HS_OK);
        assert_int_equal(hs_store_begin(node->store), HS_OK);
        assert_int_equal(hs_store_upkeep(node->store, &what, &more), HS_OK);
        assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    }
    return pieces;
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

static uint64_t beginning(struct world_node *node, const struct hs_stream *stream)
{
    struct hs_view *view = world_view(node);
    uint64_t n = UINT64_MAX;
    assert_int_equal(hs_log_beginning(store_log_reader(view).txn, stream, &n), HS_OK);
    hs_view_close(view);
    return n;
}

static uint64_t rows(struct world_node *node, hs_table table)
{
    struct hs_view *view = world_view(node);
    uint64_t count = hs_txn_count(store_log_reader(view).txn, table);
    hs_view_close(view);
    return count;
}

static enum hs_err count_change(void *ctx, const struct hs_change *change)
{
    (void)change;
    ++*(size_t *)ctx;
    return HS_OK;
}

static enum hs_err feed_from(struct world_node *node, const struct hs_position *from)
{
    struct hs_view *view = world_view(node);
    struct hs_position to;
    size_t count = 0;
    enum hs_err err = hs_view_changes(view, from, SIZE_MAX, count_change, &count, &to);
    hs_view_close(view);
    return err;
}

/* ---- retention ---- */

static void old_operations_at_a_hub_become_base_states(void **state)
{
    struct place *place = *state;
    struct world_node *hall = &place->hall;
    struct hs_stream people = write_lane(hall, HS_LANE_PEOPLE, 300);
    struct hs_stream money = write_lane(hall, HS_LANE_MONEY, 5);
    struct hs_dot first = write_register(hall, 1, NULL);
    struct hs_position early = hs_store_position(hall->store);
    place->region.now_ms += 100 * DAY_MS;
    write_register(hall, 2, &first);
    struct hs_position late = hs_store_position(hall->store);
    struct hs_hash before = world_digests(hall);
    uint64_t limit = place->region.now_ms - 90 * DAY_MS;
    upkeep(hall, limit, 50);
    assert_int_equal(beginning(hall, &people), 0); /* no hub has them */
    assert_int_equal(feed_from(hall, &early), HS_OK);
    world_carry(hall, &place->hub);
    carry_receipts(&place->hub, hall);
    assert_true(upkeep(hall, limit, 50) > 1);
    struct hs_hash after = world_digests(hall);
    assert_true(hs_hash_equal(&before, &after));
    assert_int_equal(beginning(hall, &people), 301); /* the register's write, too; not the later one */
    assert_int_equal(world_head(hall, &people), 302);
    assert_int_equal(beginning(hall, &money), 0);
    assert_int_equal(rows(hall, LOG_BASE), 301);
    verify(hall);
    world_reopen(hall);
    verify(hall);
    struct hs_position start = {0, 0};
    early.commit--;
    assert_int_equal(feed_from(hall, &early), HS_ERESET);
    assert_int_equal(feed_from(hall, &start), HS_ERESET);
    assert_int_equal(feed_from(hall, &late), HS_OK);
    upkeep(&place->hub, limit, 10); /* a hub's own counts; what it took in came only now */
    assert_int_equal(beginning(&place->hub, &people), 0);
    place->region.now_ms += 100 * DAY_MS;
    upkeep(&place->hub, place->region.now_ms - 90 * DAY_MS, 10);
    assert_int_equal(beginning(&place->hub, &people), 302);
    verify(&place->hub);
    world_assert_equal(hall, &place->hub);
}

static void what_the_records_have_not_on_disk_is_not_folded(void **state)
{
    struct place *place = *state;
    struct hs_commit commit;
    bool more;
    world_carry(&place->hall, &place->hub);
    assert_int_equal(hs_store_flush(place->hub.store), HS_OK);
    struct hs_stream stream = write_lane(&place->hub, HS_LANE_BULK, 20);
    struct hs_upkeep what = {.before_ms = UINT64_MAX, .budget = 1000};
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    assert_int_equal(hs_store_upkeep(place->hub.store, &what, &more), HS_OK);
    assert_int_equal(hs_store_commit(place->hub.store, &commit), HS_OK);
    assert_int_equal(beginning(&place->hub, &stream), 0);
    upkeep(&place->hub, UINT64_MAX, 1000);
    assert_int_equal(beginning(&place->hub, &stream), 20);
}

static void empty_commits_go_and_the_log_goes_on(void **state)
{
    struct place *place = *state;
    struct world_node *hub = &place->hub;
    for (int i = 0; i < 50; i++)
        write_lane(hub, HS_LANE_BULK, 2);
    uint64_t before = rows(hub, LOG_COMMIT);
    upkeep(hub, UINT64_MAX, 7);
    assert_true(before >= 50 && rows(hub, LOG_COMMIT) < 12); /* the last, and those of the pieces themselves */
    upkeep(hub, UINT64_MAX, 1000);
    assert_true(rows(hub, LOG_COMMIT) <= 4);
    verify(hub);
    struct hs_stream stream = write_lane(hub, HS_LANE_BULK, 2);
    world_reopen(hub);
    verify(hub);
    assert_int_equal(world_head(hub, &stream), 102);
    struct hs_position now = hs_store_position(hub->store);
    assert_int_equal(feed_from(hub, &now), HS_OK);
}

static void a_large_commit_goes_in_pieces(void **state)
{
    struct place *place = *state;
    struct world_node *hub = &place->hub;
    write_lane(hub, HS_LANE_MONEY, 3);
    struct hs_stream stream = write_lane(hub, HS_LANE_BULK, 2000);
    struct hs_hash before = world_digests(hub);
    size_t pieces = 0;
    for (bool more = true; more; pieces++) {
        struct hs_commit commit;
        struct hs_upkeep what = {.before_ms = UINT64_MAX, .budget = 100};
        assert_int_equal(hs_store_flush(hub->store), HS_OK);
        assert_int_equal(hs_store_begin(hub->store), HS_OK);
        assert_int_equal(hs_store_upkeep(hub->store, &what, &more), HS_OK);
        assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
        verify(hub);
    }
    assert_true(pieces >= 8);
    assert_int_equal(beginning(hub, &stream), 2000);
    struct hs_hash after = world_digests(hub);
    assert_true(hs_hash_equal(&before, &after));
}

/* Found by the property test: what a group wrote to two streams in turns is signed at its end only. */
static void streams_written_in_turns_are_folded(void **state)
{
    struct place *place = *state;
    struct world_node *hub = &place->hub;
    struct hs_commit commit;
    struct hs_dot dot;
    assert_int_equal(hs_store_begin(hub->store), HS_OK);
    for (uint64_t i = 0; i < 9; i++) {
        struct world_fact fact = world_money(++hub->made);
        fact.lane = i % 3 == 0 ? HS_LANE_MONEY : i % 3 == 1 ? HS_LANE_BULK : HS_LANE_WORK;
        assert_int_equal(world_write(hub, &fact, &dot), HS_OK);
    }
    assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
    upkeep(hub, UINT64_MAX, 5);
    for (uint8_t lane = HS_LANE_WORK; lane <= HS_LANE_BULK; lane++) {
        struct hs_stream stream = {dot.origin, 3201, lane};
        if (lane != HS_LANE_PEOPLE)
            assert_int_equal(beginning(hub, &stream), lane == HS_LANE_MONEY ? 0 : 3);
    }
    verify(hub);
}

static void a_folded_op_is_void_and_its_request_known_no_more(void **state)
{
    struct place *place = *state;
    struct world_node *hall = &place->hall;
    static const uint8_t REQUEST[16] = {7};
    struct hs_commit commit;
    struct hs_dot dot;
    struct world_fact fact = world_money(++hall->made);
    fact.lane = HS_LANE_BULK;
    fact.request = HS_BYTES(REQUEST, sizeof REQUEST);
    assert_int_equal(hs_store_begin(hall->store), HS_OK);
    assert_int_equal(world_write(hall, &fact, &dot), HS_OK);
    fact.request = HS_BYTES_NONE;
    fact.kind = 1500; /* a hub's */
    fact.number = ++hall->made;
    assert_int_equal(world_write(hall, &fact, &dot), HS_OK);
    assert_int_equal(hs_store_commit(hall->store, &commit), HS_OK);
    world_carry(hall, &place->hub);
    carry_receipts(&place->hub, hall);
    struct hs_stream stream;
    uint64_t n;
    struct hs_view *view = world_view(hall);
    assert_int_equal(hs_view_request(view, HS_BYTES(REQUEST, sizeof REQUEST), &stream, &n), HS_OK);
    assert_int_equal(hs_view_list_count(view, HS_LIST_VOID), 1);
    hs_view_close(view);
    upkeep(hall, UINT64_MAX, 1000);
    upkeep(&place->hub, UINT64_MAX, 1000);
    view = world_view(hall);
    assert_int_equal(hs_view_request(view, HS_BYTES(REQUEST, sizeof REQUEST), &stream, &n), HS_ENOTFOUND);
    assert_int_equal(hs_view_list_count(view, HS_LIST_VOID), 0);
    hs_view_close(view);
    verify(hall);
    verify(&place->hub);
    world_assert_equal(hall, &place->hub);
}

static void what_lies_outside_the_scope_is_not_folded(void **state)
{
    static const hs_partition CITY[] = {3202};
    struct place *place = *state;
    struct world_node *city = &place->second_hub;
    city->options.districts = CITY;
    city->options.district_count = 1;
    world_open(city, true);
    struct hs_stream stream = write_lane(&place->hall, HS_LANE_BULK, 5); /* of 3201 */
    world_carry(&place->hall, city);
    upkeep(city, UINT64_MAX, 100);
    assert_int_equal(beginning(city, &stream), 0);
    world_carry(city, &place->hub);
    carry_receipts(&place->hub, city);
    upkeep(city, UINT64_MAX, 100);
    assert_int_equal(beginning(city, &stream), 0); /* nobody could be given it as state */
    verify(city);
}

static void forked_streams_are_left_alone(void **state)
{
    struct place *place = *state;
    struct hs_commit commit;
    struct hs_stream forked = write_lane(&place->hall, HS_LANE_BULK, 5);
    world_carry(&place->hall, &place->hub);
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    assert_int_equal(hs_store_put_fork(place->hub.store, &forked, 3, HS_BYTES("proof", 5)), HS_OK);
    assert_int_equal(hs_store_commit(place->hub.store, &commit), HS_OK);
    struct hs_stream other = write_lane(&place->hub, HS_LANE_BULK, 5);
    upkeep(&place->hub, UINT64_MAX, 1000);
    assert_int_equal(beginning(&place->hub, &forked), 0);
    assert_int_equal(beginning(&place->hub, &other), 5);
    verify(&place->hub);
}

static enum hs_err find_store(void *ctx, const struct hs_receipt *receipt)
{
    uint64_t *store = ctx;
    *store = receipt->store_id == *store ? 0 : *store;
    return HS_OK;
}

static bool has_receipt_of(struct world_node *node, const struct hs_stream *stream, uint64_t store)
{
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_receipts(view, stream, find_store, &store), HS_OK);
    hs_view_close(view);
    return store == 0;
}

/* One that came ahead of the operations counts only as far as it agrees with them: later nobody could tell. */
static void receipts_of_another_branch_go_with_what_contradicts_them(void **state)
{
    struct place *place = *state;
    struct world_node *hub = &place->hub, *signer = &place->second_hub;
    struct hs_commit commit;
    struct hs_stream stream = write_lane(&place->hall, HS_LANE_BULK, 3);
    struct hs_view *view = world_view(&place->hall);
    struct hs_receipt receipts[2];
    for (uint64_t i = 0; i < 2; i++) {
        receipts[i] = (struct hs_receipt){.store_id = 78 + i, .stream = stream, .n = 2, .time_ms = 1};
        receipts[i].hub_key = signer->draft.node_key;
        assert_int_equal(hs_view_hash_at(view, &stream, 2, &receipts[i].hash), HS_OK);
        receipts[i].hash.bytes[0] ^= (uint8_t)i;
        assert_int_equal(hs_receipt_sign(&receipts[i], &signer->options.signer), HS_OK);
        assert_int_equal(hs_store_begin(hub->store), HS_OK);
        assert_int_equal(hs_store_put_receipt(hub->store, &receipts[i], signer->options.certificate), HS_OK);
        assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
    }
    hs_view_close(view);
    world_carry(&place->hall, hub);
    assert_true(has_receipt_of(hub, &stream, 78) && has_receipt_of(hub, &stream, 79));
    upkeep(hub, UINT64_MAX, 100);
    assert_int_equal(beginning(hub, &stream), 3);
    assert_true(has_receipt_of(hub, &stream, 78));
    assert_false(has_receipt_of(hub, &stream, 79));
}

/* ---- a witness ---- */

static void a_witness_drops_what_two_hubs_have(void **state)
{
    struct place *place = *state;
    struct world_node *witness = &place->witness;
    world_open(&place->second_hub, true);
    world_open(witness, true);
    struct hs_stream money = write_lane(&place->hall, HS_LANE_MONEY, 3);
    struct hs_stream work = write_lane(&place->hall, HS_LANE_WORK, 700);
    world_carry(&place->hall, witness);
    world_carry(&place->hall, &place->hub);
    carry_receipts(&place->hub, witness);
    upkeep(witness, 0, 100);
    assert_int_equal(beginning(witness, &money), 0);
    world_carry(&place->hall, &place->second_hub);
    carry_receipts(&place->second_hub, witness);
    assert_true(upkeep(witness, 0, 100) > 2);
    assert_int_equal(beginning(witness, &money), 3);
    assert_int_equal(beginning(witness, &work), 700);
    assert_int_equal(world_head(witness, &work), 700);
    upkeep(witness, 0, 100);
    uint64_t left = rows(witness, LOG_COMMIT);
    assert_true(left <= 16); /* the pieces' own */
    upkeep(witness, 0, 100);
    assert_int_equal(rows(witness, LOG_COMMIT), left); /* nothing more to do: no commit */
    write_lane(&place->hall, HS_LANE_MONEY, 2);
    world_carry(&place->hall, witness);
    assert_int_equal(world_head(witness, &money), 5);
    world_reopen(witness);
    assert_int_equal(hs_store_rebuild(witness->store), HS_OK);
    assert_int_equal(world_head(witness, &money), 5);
    upkeep(witness, 0, 100);
    assert_int_equal(beginning(witness, &money), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(old_operations_at_a_hub_become_base_states),
        TEST(what_the_records_have_not_on_disk_is_not_folded),
        TEST(empty_commits_go_and_the_log_goes_on),
        TEST(a_large_commit_goes_in_pieces),
        TEST(streams_written_in_turns_are_folded),
        TEST(a_folded_op_is_void_and_its_request_known_no_more),
        TEST(what_lies_outside_the_scope_is_not_folded),
        TEST(forked_streams_are_left_alone),
        TEST(receipts_of_another_branch_go_with_what_contradicts_them),
        TEST(a_witness_drops_what_two_hubs_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
