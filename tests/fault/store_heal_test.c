/* store_heal_test.c -- healing while something fails: what rotted is put right or stays noted, a new opening goes on,
 * and nothing that was paid is lost or there twice. */
#include "tests/fault/store_place.h"
#include "tests/lib/store_rot.h"

#define HEAL_KINDS                                                                                           \
    (FAULT_OF_MEMORY | FAULT_OF_DB | FAULT_OF_LATE | FAULT_BIT(FAULT_FILE_IO) | FAULT_BIT(FAULT_FILE_FULL) | \
     FAULT_BIT(FAULT_FILE_SHORT))

#define ISSUE_KINDS (FAULT_OF_MEMORY | FAULT_BIT(FAULT_DB_IO) | FAULT_BIT(FAULT_DB_FULL) | FAULT_OF_LATE)

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
    struct hs_stream stream = money_of(world_group(&place->hall, 3).origin);
    struct hs_buf body = {0};
    world_carry(&place->hall, &place->hub);
    uint64_t head = world_head(&place->hub, &stream), store_id = hs_store_id(place->hub.store);
    struct healing healing = {.hub = &place->hub,
                              .ops = {.sort = HS_ROT_OPS, .stream = stream, .first = head - 1, .last = head - 1},
                              .receipt = {.sort = HS_ROT_RECEIPT, .stream = stream, .store_id = store_id}};
    struct hs_hash before = world_digests(&place->hub);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_cut(view, &stream, head - 2, &body, &healing.segment), HS_OK);
    world_turn(&place->hub, &stream, head - 1, ROW_OP, 12);
    world_turn_receipt(&place->hub, &stream, store_id, 90);
    fault_begin();
    enum hs_err err = heal(&healing);
    fault_end();
    fault_assert_named(err);
    world_reopen(&place->hub);
    if (err == HS_OK)
        world_assert_sound(&place->hub);
    assert_int_equal(heal(&healing), HS_OK);
    struct hs_hash after = world_digests(&place->hub);
    assert_true(hs_hash_equal(&before, &after));
    world_assert_sound(&place->hub);
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

static enum hs_err open_again(struct world_node *hall)
{
    struct hs_why why = {0};
    world_close(hall);
    hall->options.create = false;
    fault_begin();
    enum hs_err err = hs_store_open(&hall->options, &hall->store, &why);
    fault_end();
    return err;
}

/* Of an opening it has few calls among many. */
static enum hs_err heal_alone(struct world_node *hall)
{
    fault_begin();
    enum hs_err err = store_heal_own(hall->store);
    fault_end();
    return err;
}

static void issue_once(struct world_node *hall, enum hs_err (*issue)(struct world_node *hall))
{
    struct hs_stream stream = money_of(world_group(hall, 3).origin);
    uint64_t head = world_head(hall, &stream), count = world_record_count(hall);
    struct hs_rotten ops = {.sort = HS_ROT_OPS, .stream = stream, .first = head - 1, .last = head - 1};
    world_turn(hall, &stream, head - 1, ROW_OP, 12);
    assert_int_equal(in_group(hall->store, &ops, NULL), HS_OK);
    fault_assert_named(issue(hall));
    world_reopen(hall);
    assert_int_equal(world_record_count(hall), count);
    if (world_head(hall, &stream) == head) {
        /* Given up, for the records could not be read; the next check finds it again. */
        assert_int_equal(in_group(hall->store, &ops, NULL), HS_OK);
        world_reopen(hall);
    }
    assert_int_equal(world_record_count(hall), count);
    assert_true(world_head(hall, &stream) < head);
    world_assert_sound(hall);
}

static void issue_at_an_opening(void *ctx)
{
    issue_once(&((struct place *)ctx)->hall, open_again);
}

static void issue_alone(void *ctx)
{
    issue_once(&((struct place *)ctx)->hall, heal_alone);
}

static void what_only_this_store_has_is_issued_anew_after_any_failure(void **state)
{
    struct place *place = *state;
    world_fill_empty(&place->hall);
    fault_each("issuing anew at an opening", ISSUE_KINDS, issue_at_an_opening, place);
    fault_each("issuing anew", ISSUE_KINDS, issue_alone, place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(what_another_has_is_put_right_after_any_failure),
        IN_PLACE(what_only_this_store_has_is_issued_anew_after_any_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
