/* unfinished_test.c -- what a power cut in the middle of init or join has left is taken up again: keys are finished and
 * never replaced, and a half made log is made anew.  tests/system/power_init.py found each of these. */
#include "tests/lib/store_world.h"

#include "node/link/keys.h"

struct place {
    struct world_region region;
    struct world_node hub;
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    world_begin(&place->region);
    world_add(&place->region, &place->hub, "nj-hub", HS_ROLE_HUB);
    return mkdir(place->hub.dir, 0700);
}

static int teardown(void **state)
{
    struct place *place = *state;
    world_drop(&place->hub);
    world_end(&place->region);
    free(place);
    return 0;
}

static const char *in_dir(const struct place *place, const char *name)
{
    static char path[WORLD_PATH_BYTES];
    world_path(path, place->hub.dir, name);
    return path;
}

/* ---- keys ---- */

static const struct hs_keys_draft HUB = {.region = "Jiangsu", .node_id = "hub-1", .home = 3201, .now_ms = 1};

/* In the order in which they are made. */
static const char *const HUB_FILES[] = {"keys/root.key",      "keys/issuer.key", "keys/node.key", "keys/curve.key",
                                        "keys/issuer.signed", "keys/root.pub",   "keys/hub.cert", "keys/node.cert"};
#define HUB_FILE_COUNT (sizeof HUB_FILES / sizeof *HUB_FILES)
#define HUB_KEY_COUNT  4

static void read_key(const struct place *place, size_t which, char text[static 80])
{
    struct hs_buf content = {0};
    assert_int_equal(hs_file_read(in_dir(place, HUB_FILES[which]), 79, &content, NULL), HS_OK);
    snprintf(text, 80, "%.*s", (int)content.size, (const char *)content.data);
    hs_buf_fini(&content);
}

static void hub_keys_that_a_power_cut_left_are_finished(void **state)
{
    struct place *place = *state;
    for (size_t left = 1; left < HUB_FILE_COUNT; left++) {
        struct hs_keys keys = {0};
        struct hs_why why = {0};
        char before[HUB_KEY_COUNT][80];
        char after[80];
        assert_int_equal(hs_keys_make_hub(place->hub.dir, &HUB, &why), HS_OK);
        assert_int_equal(hs_keys_make_hub(place->hub.dir, &HUB, &why), HS_EEXISTS);
        for (size_t i = 0; i < HUB_KEY_COUNT; i++)
            read_key(place, i, before[i]);
        for (size_t i = left; i < HUB_FILE_COUNT; i++)
            assert_int_equal(unlink(in_dir(place, HUB_FILES[i])), 0);
        assert_int_equal(hs_keys_make_hub(place->hub.dir, &HUB, &why), HS_OK);
        assert_int_equal(hs_keys_load(place->hub.dir, &keys, &why), HS_OK);
        hs_keys_free(&keys);
        for (size_t i = 0; i < HUB_KEY_COUNT && i < left; i++) {
            read_key(place, i, after);
            assert_string_equal(after, before[i]);
        }
        world_remove(in_dir(place, "keys"));
    }
}

/* They may be known to a hub already, under another role. */
static void a_hall_s_keys_are_not_taken_for_a_hub_s(void **state)
{
    struct place *place = *state;
    struct hs_keys keys = {0};
    assert_int_equal(hs_keys_make_hall(place->hub.dir, &keys, NULL), HS_OK);
    hs_keys_free(&keys);
    assert_int_equal(hs_keys_make_hub(place->hub.dir, &HUB, NULL), HS_EEXISTS);
}

/* ---- the log ---- */

static bool is_there(const struct place *place, const char *name)
{
    return access(in_dir(place, name), F_OK) == 0;
}

/* LMDB does not open a file that is a part of its first two pages: no later try could have gone on from there. */
static void a_log_that_a_power_cut_left_half_made_is_made_anew(void **state)
{
    static const size_t SIZES[] = {0, 512, 4096, 8192, 20000};
    static const uint8_t zeros[20000];
    struct place *place = *state;
    for (size_t i = 0; i < sizeof SIZES / sizeof *SIZES; i++) {
        assert_int_equal(mkdir(in_dir(place, "log.new"), 0700), 0);
        int fd = open(in_dir(place, "log.new/data.mdb"), O_WRONLY | O_CREAT | O_EXCL, 0600);
        assert_int_equal(write(fd, zeros, SIZES[i]), SIZES[i]);
        close(fd);
        assert_false(is_there(place, "log/data.mdb")); /* which says that there is a store */
        world_open(&place->hub, true);
        assert_true(is_there(place, "log/data.mdb"));
        assert_false(is_there(place, "log.new"));
        world_group(&place->hub, 1);
        world_close(&place->hub);
        world_remove(in_dir(place, "log"));
        world_remove(in_dir(place, "records"));
    }
}

static void a_failed_creation_leaves_no_store(void **state)
{
    struct place *place = *state;
    struct hs_why why = {{0}};
    struct hs_bytes certificate = place->hub.options.certificate;
    place->hub.options.certificate = HS_BYTES("none", 4);
    place->hub.options.create = true;
    assert_int_not_equal(hs_store_open(&place->hub.options, &place->hub.store, &why), HS_OK);
    assert_false(is_there(place, "log/data.mdb"));
    place->hub.options.certificate = certificate;
    world_open(&place->hub, true);
    world_group(&place->hub, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hub_keys_that_a_power_cut_left_are_finished, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hall_s_keys_are_not_taken_for_a_hub_s, setup, teardown),
        cmocka_unit_test_setup_teardown(a_log_that_a_power_cut_left_half_made_is_made_anew, setup, teardown),
        cmocka_unit_test_setup_teardown(a_failed_creation_leaves_no_store, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
