/* bundle_test.c -- bundles made and taken in while something fails: a part that was made has all that it says, one that
 * was taken in is there whole, and after a failure the same again does it. */
#include "tests/fault/fault.h"
#include "tests/lib/bundle_world.h"

struct place {
    struct world_region region;
    struct bundle_node hub, hall;
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    world_begin(&place->region);
    bundle_add(&place->region, &place->hub, "nj-hub", HS_ROLE_HUB);
    bundle_add(&place->region, &place->hall, "nj-laptop", HS_ROLE_HALL);
    bundle_meet(&place->hub, &place->hall);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    fault_report(NULL);
    world_drop(&place->hub.node);
    world_drop(&place->hall.node);
    world_end(&place->region);
    free(place);
    return 0;
}

/* ---- made ---- */

static void make_one(void *ctx)
{
    struct place *place = ctx;
    struct hs_bundle_node node = bundle_keys(&place->hall);
    struct hs_view *view = world_view(&place->hall.node);
    struct hs_buf packed = {0};
    struct hs_why why = {""};
    struct bundle_told told;
    Hallsync__BundleExportRequest request = HALLSYNC__BUNDLE_EXPORT_REQUEST__INIT;
    request.receiver = (char *)(uintptr_t) "nj-hub";
    fault_begin();
    enum hs_err err = hs_bundle_export(&node, view, &request, &packed, &why);
    fault_end();
    hs_view_close(view);
    fault_assert_named(err);
    if (err == HS_OK) {
        Hallsync__BundleExportReply *reply = hallsync__bundle_export_reply__unpack(NULL, packed.size, packed.data);
        struct hs_buf heads = {0};
        assert_non_null(reply);
        assert_int_equal(reply->operations, 3);
        assert_int_equal(reply->left_out, 0);
        assert_int_equal(bundle_import(&place->hub, HS_BYTES(reply->part.data, reply->part.len), &told, &heads), HS_OK);
        assert_int_equal(told.taken + told.held, 3);
        assert_true(heads.size > 0);
        hs_buf_fini(&heads);
        hallsync__bundle_export_reply__free_unpacked(reply, NULL);
    }
    hs_buf_fini(&packed);
}

static void a_part_has_all_that_it_says(void **state)
{
    struct place *place = *state;
    world_group(&place->hall.node, 3);
    fault_each("made", FAULT_OF_MEMORY, make_one, place);
}

/* ---- taken in ---- */

static enum hs_err take_in(struct place *place, struct hs_bytes part)
{
    struct hs_bundle_node node = bundle_keys(&place->hub);
    struct hs_store *store = place->hub.node.store;
    struct hs_bundle *bundle = NULL;
    struct hs_arena arena;
    struct hs_why why = {""};
    struct hs_commit commit;
    struct hs_buf reply = {0};
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_bundle_open(&node, part, &arena, &bundle, &why);
    if (err == HS_OK)
        err = hs_store_begin(store);
    if (err == HS_OK) {
        err = hs_bundle_apply(bundle, store, false, &arena, &reply);
        if (err == HS_OK)
            err = hs_store_commit(store, &commit);
        else
            hs_store_abort(store);
    }
    hs_buf_fini(&reply);
    hs_arena_fini(&arena);
    return err;
}

static void take_one(void *ctx)
{
    struct place *place = ctx;
    struct bundle_parts parts;
    struct hs_dot dot = world_group(&place->hall.node, 2);
    struct hs_stream stream = {dot.origin, 3201, HS_LANE_MONEY};
    bundle_export(&place->hall, "nj-hub", dot.n - 1, HS_BYTES_NONE, &parts);
    uint64_t before = world_head(&place->hub.node, &stream);
    fault_begin();
    enum hs_err err = take_in(place, hs_buf_bytes(&parts.part[0]));
    fault_end();
    fault_assert_named(err);
    world_reopen(&place->hub.node);
    uint64_t after = world_head(&place->hub.node, &stream);
    assert_int_equal(after, err == HS_OK ? dot.n : before);
    assert_int_equal(take_in(place, hs_buf_bytes(&parts.part[0])), HS_OK);
    assert_int_equal(world_head(&place->hub.node, &stream), dot.n);
    bundle_parts_fini(&parts);
}

static void a_part_is_taken_whole_or_not_at_all(void **state)
{
    fault_each("taken", FAULT_OF_MEMORY | FAULT_BIT(FAULT_DB_FULL) | FAULT_BIT(FAULT_DB_MEMORY), take_one, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_part_has_all_that_it_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_part_is_taken_whole_or_not_at_all, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("fault_bundle", tests, NULL, NULL);
}
