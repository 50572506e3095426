/* store_migrate_test.c -- a store of an older schema: migrated in place behind a copy of what that changes, whatever
 * stops it; and one that finds no room for that is read, and migrated when there is room. */
#include "tests/lib/store_schema.h"

#include <sys/stat.h>

struct place {
    struct world_region region;
    struct world_node hall;
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    world_begin(&place->region);
    world_add(&place->region, &place->hall, "nj-hall", HS_ROLE_HALL);
    world_open(&place->hall, true);
    world_group(&place->hall, 3);
    world_reopen(&place->hall);
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    world_drop(&place->hall);
    world_end(&place->region);
    free(place);
    return 0;
}

static struct hs_buf read_file(const char *path)
{
    struct hs_buf text = {0};
    char bytes[4096];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    for (size_t size = fread(bytes, 1, sizeof bytes, file); size > 0; size = fread(bytes, 1, sizeof bytes, file))
        hs_buf_put(&text, bytes, size);
    fclose(file);
    hs_buf_put_u8(&text, '\0');
    assert_int_equal(text.err, HS_OK);
    return text;
}

static void an_older_store_is_migrated_behind_a_copy(void **state)
{
    struct place *place = *state;
    struct world_node *hall = &place->hall;
    char path[WORLD_PATH_BYTES];
    struct stat status;
    struct hs_hash heads = world_heads(hall);
    uint64_t origin = world_current_origin(hall);
    assert_false(world_kept(hall, "meta", path));
    world_put_schema(hall, 1);
    world_reopen(hall);
    assert_int_equal(hs_store_migrated(hall->store), 1);
    assert_int_equal(world_schema(hall), LOG_SCHEMA);
    struct hs_hash now = world_heads(hall);
    assert_true(hs_hash_equal(&heads, &now));
    assert_true(world_current_origin(hall) == origin); /* no doubt: it is the newest that there ever was */
    assert_true(world_kept(hall, "meta", path));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    struct hs_buf kept = read_file(path);
    assert_non_null(strstr((char *)kept.data, "database=meta\n"));
    assert_non_null(strstr((char *)kept.data, "\n 736368656d61\n 00000001\n")); /* schema: 1 */
    hs_buf_fini(&kept);
    assert_true(world_kept(hall, "README", path));
    world_group(hall, 1);
    world_reopen(hall);
    assert_int_equal(hs_store_migrated(hall->store), 0);
}

static void a_later_migration_keeps_what_is_there_then(void **state)
{
    struct place *place = *state;
    struct world_node *hall = &place->hall;
    char path[WORLD_PATH_BYTES];
    world_put_schema(hall, 1);
    world_reopen(hall);
    assert_true(world_kept(hall, "meta", path));
    struct hs_buf first = read_file(path);
    world_put_schema(hall, 1); /* it has gone back, and worked on */
    hs_store_begin(hall->store);
    hs_store_strike(hall->store, "for another row");
    struct hs_commit commit;
    assert_int_equal(hs_store_commit(hall->store, &commit), HS_OK);
    world_reopen(hall);
    struct hs_buf second = read_file(path);
    assert_int_equal(world_schema(hall), LOG_SCHEMA);
    assert_false(hs_bytes_equal(hs_buf_bytes(&first), hs_buf_bytes(&second)));
    hs_buf_fini(&first);
    hs_buf_fini(&second);
}

/* Something in the place of the copies: named, and nothing is changed. */
static void without_a_copy_nothing_is_migrated(void **state)
{
    struct place *place = *state;
    struct world_node *hall = &place->hall;
    char folder[WORLD_PATH_BYTES];
    struct hs_store *store = NULL;
    struct hs_why why = {{0}};
    world_put_schema(hall, 1);
    world_close(hall);
    world_path(folder, hall->dir, "before-2");
    FILE *file = fopen(folder, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_not_equal(hs_store_open(&hall->options, &store, &why), HS_OK);
    assert_non_null(strstr(why.text, "before-2"));
    world_remove(folder);
    world_open(hall, false);
    assert_int_equal(hs_store_migrated(hall->store), 1); /* so it was 1 until now */
}

static void a_schema_that_there_never_was_is_refused(void **state)
{
    struct place *place = *state;
    struct world_node *hall = &place->hall;
    struct hs_store *store = NULL;
    struct hs_why why = {{0}};
    world_put_schema(hall, 0);
    world_close(hall);
    assert_int_equal(hs_store_open(&hall->options, &store, &why), HS_EDAMAGED);
    assert_non_null(strstr(why.text, "version"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_older_store_is_migrated_behind_a_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(a_later_migration_keeps_what_is_there_then, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_copy_nothing_is_migrated, setup, teardown),
        cmocka_unit_test_setup_teardown(a_schema_that_there_never_was_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
