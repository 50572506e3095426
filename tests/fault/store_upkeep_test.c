/* store_upkeep_test.c -- tidying up while something fails: a piece is done or given up whole, no record changes that is
 * not to go, and what is left of it is done after a new start. */
#include "tests/fault/store_place.h"

#include "storage/log/inside.h"

#define PIECE_KINDS                                                                                          \
    (FAULT_OF_MEMORY | FAULT_OF_DB | FAULT_OF_LATE | FAULT_BIT(FAULT_FILE_IO) | FAULT_BIT(FAULT_FILE_FULL) | \
     FAULT_BIT(FAULT_FILE_SHORT))

static enum hs_err tidy(struct hs_store *store, size_t budget, bool *more)
{
    struct hs_upkeep what = {.before_ms = UINT64_MAX, .budget = budget};
    struct hs_commit commit;
    enum hs_err err = hs_store_begin(store);
    if (err != HS_OK)
        return err;
    err = hs_store_upkeep(store, &what, more);
    if (err == HS_OK)
        return hs_store_commit(store, &commit);
    hs_store_abort(store);
    return err;
}

static void finish(struct world_node *node)
{
    for (bool more = true; more;) {
        assert_int_equal(hs_store_flush(node->store), HS_OK);
        assert_int_equal(tidy(node->store, 100, &more), HS_OK);
    }
}

/* One that must not hurt. */
static void tidy_with_faults(struct world_node *node, size_t budget)
{
    bool more;
    assert_int_equal(hs_store_flush(node->store), HS_OK);
    fault_begin();
    enum hs_err err = tidy(node->store, budget, &more);
    enum hs_err flushed = err == HS_OK ? hs_store_flush(node->store) : HS_OK;
    fault_end();
    fault_assert_named(err);
    fault_assert_named(flushed);
    if (store_failed(node->store) == HS_OK) {
        assert_int_equal(hs_store_begin(node->store), HS_OK);
        hs_store_abort(node->store);
    }
}

static void write_some(struct world_node *node, hs_partition partition, enum hs_lane lane)
{
    struct hs_commit commit;
    struct hs_dot dot;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    for (uint64_t i = 0; i < 3; i++) {
        struct world_fact fact = world_money(++node->made % 7);
        fact.partition = partition;
        fact.lane = lane;
        assert_int_equal(world_write(node, &fact, &dot), HS_OK);
    }
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
}

/* ---- retention ---- */

static void fold_once(void *ctx)
{
    struct world_node *hub = ctx;
    write_some(hub, 3201, HS_LANE_BULK);
    struct hs_hash heads = world_heads(hub);
    struct hs_hash before = world_digests(hub);
    tidy_with_faults(hub, 100);
    world_reopen(hub);
    struct hs_hash after = world_digests(hub);
    assert_true(hs_hash_equal(&before, &after));
    finish(hub);
    after = world_digests(hub);
    assert_true(hs_hash_equal(&before, &after));
    after = world_heads(hub);
    assert_true(hs_hash_equal(&heads, &after));
}

static void folding_changes_no_record(void **state)
{
    struct place *place = *state;
    fault_each("folding", PIECE_KINDS, fold_once, &place->hub);
    assert_rebuilt_the_same(&place->hub);
}

/* ---- eviction ---- */

static void open_with(struct world_node *hall, const hs_partition *districts, size_t count)
{
    world_close(hall);
    hall->options.districts = districts;
    hall->options.district_count = count;
    world_open(hall, false);
}

static bool holds_any(struct world_node *node, hs_partition partition)
{
    struct hs_view *view = world_view(node);
    bool holds = hs_log_evicting(store_log_reader(view).txn, partition);
    for (uint64_t i = 0; i < 7; i++) {
        struct hs_id id = world_fact_id(node, i);
        struct hs_record_name name = {partition, HS_LANE_BULK, WORLD_KIND_FACT, HS_BYTES(id.bytes, sizeof id.bytes)};
        struct hs_stored stored;
        holds = holds || hs_view_record(view, &name, &stored) == HS_OK;
    }
    hs_view_close(view);
    return holds;
}

static void evict_once(void *ctx)
{
    static const hs_partition HOME[] = {3201};
    struct place *place = ctx;
    struct world_node *hall = &place->hall;
    open_with(hall, NULL, 0);
    world_fill_empty(hall);
    write_some(&place->hub, 3202, HS_LANE_BULK);
    write_some(&place->hub, 3202, HS_LANE_MONEY);
    world_carry(&place->hub, hall);
    open_with(hall, HOME, 1);
    tidy_with_faults(hall, 2);
    world_reopen(hall);
    finish(hall);
    assert_false(holds_any(hall, 3202));
    assert_rebuilt_the_same(hall);
}

static void eviction_is_finished_after_any_failure(void **state)
{
    struct place *place = *state;
    place->hall.draft.districts[1] = 3202;
    place->hall.draft.district_count = 2;
    place->hall.draft.issued_ms++;
    world_certify(&place->hall);
    fault_each("evicting", PIECE_KINDS, evict_once, place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(folding_changes_no_record),
        IN_PLACE(eviction_is_finished_after_any_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
