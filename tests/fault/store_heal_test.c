/* store_heal_test.c -- healing while something fails: what rotted is put right or stays noted, a new opening goes on,
 * and nothing that was paid is lost or there twice. */
#include "tests/fault/store_place.h"

#include "storage/log/inside.h"

#define HEAL_KINDS                                                                                           \
    (FAULT_OF_MEMORY | FAULT_OF_DB | FAULT_OF_LATE | FAULT_BIT(FAULT_FILE_IO) | FAULT_BIT(FAULT_FILE_FULL) | \
     FAULT_BIT(FAULT_FILE_SHORT))

#define ISSUE_KINDS (FAULT_OF_MEMORY | FAULT_BIT(FAULT_DB_IO) | FAULT_BIT(FAULT_DB_FULL) | FAULT_OF_LATE)

/* ---- damage ---- */

static void turn(struct world_node *node, hs_table table, struct hs_bytes key, size_t at)
{
    uint8_t value[4096];
    struct hs_txn txn;
    struct hs_bytes held;
    assert_int_equal(hs_txn_begin(hs_log_env(node->store->log), true, &txn), HS_OK);
    assert_int_equal(hs_txn_get(&txn, table, key, &held), HS_OK);
    assert_true(held.size <= sizeof value && at < held.size);
    memcpy(value, held.data, held.size);
    value[at] ^= 0x21;
    hs_txn_put(&txn, table, key, HS_BYTES(value, held.size));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
}

static void turn_op(struct world_node *node, const struct hs_stream *stream, uint64_t n)
{
    uint8_t key[OP_KEY_BYTES];
    log_op_key(stream, n, ROW_OP, key);
    turn(node, LOG_OP, HS_BYTES(key, sizeof key), 12);
}

static void turn_receipt(struct world_node *node, const struct hs_stream *stream, uint64_t store_id)
{
    uint8_t key[HS_STREAM_KEY_BYTES + 8];
    hs_stream_key(stream, key);
    hs_be64(key + HS_STREAM_KEY_BYTES, store_id);
    turn(node, LOG_RECEIPT, HS_BYTES(key, sizeof key), 90);
}

/* ---- what is left of it ---- */

static enum hs_err count_found(void *ctx, const struct hs_rotten *rotten)
{
    (void)rotten;
    ++*(size_t *)ctx;
    return HS_OK;
}

static void assert_sound(struct world_node *node)
{
    size_t found = 0;
    struct hs_check_options options = {.full = true, .visit = count_found, .ctx = &found};
    struct hs_check *check = NULL;
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_check_new(&options, &check), HS_OK);
    while (!hs_check_over(check))
        assert_int_equal(hs_check_step(check, view, 1000), HS_OK);
    hs_check_free(check);
    hs_view_close(view);
    assert_int_equal(found, 0);
}

static struct hs_stream write_some(struct world_node *node)
{
    struct hs_commit commit;
    struct hs_dot dot = {0};
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    for (uint64_t i = 0; i < 3; i++) {
        struct world_fact fact = world_money(++node->made);
        assert_int_equal(world_write(node, &fact, &dot), HS_OK);
    }
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return (struct hs_stream){dot.origin, world_money(1).partition, world_money(1).lane};
}

/* ---- from another store ---- */

static enum hs_err in_group(struct hs_store *store, const struct hs_rotten *rotten, const struct hs_segment *segment)
{
    struct hs_commit commit;
    enum hs_err err = hs_store_begin(store);
    if (err != HS_OK)
        return err;
    err = segment != NULL ? hs_store_heal(store, segment) : hs_store_mend(store, rotten);
    if (err == HS_OK)
        return hs_store_commit(store, &commit);
    hs_store_abort(store);
    return err;
}

struct healing {
    struct world_node *hub;
    struct hs_rotten ops, receipt;
    struct hs_segment segment;
};

static enum hs_err heal(const struct healing *healing)
{
    struct hs_store *store = healing->hub->store;
    enum hs_err err = in_group(store, &healing->ops, NULL);
    if (err == HS_OK)
        err = in_group(store, &healing->receipt, NULL);
    if (err == HS_OK)
        err = in_group(store, NULL, &healing->segment);
    return err == HS_OK ? hs_store_flush(store) : err;
}

static void heal_once(void *ctx)
{
    struct place *place = ctx;
    struct hs_stream stream = write_some(&place->hall);
    struct hs_buf body = {0};
    world_carry(&place->hall, &place->hub);
    uint64_t head = world_head(&place->hub, &stream), store_id = hs_store_id(place->hub.store);
    struct healing healing = {.hub = &place->hub,
                              .ops = {.sort = HS_ROT_OPS, .stream = stream, .first = head - 1, .last = head - 1},
                              .receipt = {.sort = HS_ROT_RECEIPT, .stream = stream, .store_id = store_id}};
    struct hs_hash before = world_digests(&place->hub);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_cut(view, &stream, head - 2, &body, &healing.segment), HS_OK);
    turn_op(&place->hub, &stream, head - 1);
    turn_receipt(&place->hub, &stream, store_id);
    fault_begin();
    enum hs_err err = heal(&healing);
    fault_end();
    fault_assert_named(err);
    world_reopen(&place->hub);
    assert_int_equal(heal(&healing), HS_OK);
    struct hs_hash after = world_digests(&place->hub);
    assert_true(hs_hash_equal(&before, &after));
    assert_sound(&place->hub);
    hs_view_close(view);
    hs_buf_fini(&body);
}

static void what_another_has_is_put_right_after_any_failure(void **state)
{
    struct place *place = *state;
    world_fill_empty(&place->hall);
    fault_each("healing", HEAL_KINDS, heal_once, place);
}

/* ---- issued anew ---- */

static enum hs_err count_payments(void *ctx, const struct hs_digest *digest)
{
    *(uint64_t *)ctx += digest->count;
    return HS_OK;
}

static uint64_t records_of(struct world_node *node)
{
    uint64_t count = 0;
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_digests(view, count_payments, &count), HS_OK);
    hs_view_close(view);
    return count;
}

static void issue_once(void *ctx)
{
    struct place *place = ctx;
    struct world_node *hall = &place->hall;
    struct hs_why why = {0};
    struct hs_stream stream = write_some(hall);
    uint64_t head = world_head(hall, &stream), count = records_of(hall);
    struct hs_rotten ops = {.sort = HS_ROT_OPS, .stream = stream, .first = head - 1, .last = head - 1};
    turn_op(hall, &stream, head - 1);
    assert_int_equal(in_group(hall->store, &ops, NULL), HS_OK);
    world_close(hall);
    hall->options.create = false;
    fault_begin();
    enum hs_err err = hs_store_open(&hall->options, &hall->store, &why);
    fault_end();
    fault_assert_named(err);
    if (err == HS_OK)
        world_reopen(hall);
    else
        world_open(hall, false);
    assert_int_equal(records_of(hall), count);
    if (world_head(hall, &stream) ==
        head) { /* given up, for the records could not be read; the next check finds it again */
        assert_int_equal(in_group(hall->store, &ops, NULL), HS_OK);
        world_reopen(hall);
    }
    assert_int_equal(records_of(hall), count);
    assert_true(world_head(hall, &stream) < head);
    assert_sound(hall);
}

static void what_only_this_store_has_is_issued_anew_after_any_failure(void **state)
{
    struct place *place = *state;
    world_fill_empty(&place->hall);
    fault_each("issuing anew", ISSUE_KINDS, issue_once, place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(what_another_has_is_put_right_after_any_failure),
        IN_PLACE(what_only_this_store_has_is_issued_anew_after_any_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
