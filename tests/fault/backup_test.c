/* backup_test.c -- a backup that is made, and one that is restored, while something fails: there is a whole file or
 * none, a whole store or none, the node goes on, and the same command works afterwards. */
#include "tests/fault/fault.h"
#include "tests/lib/backup_place.h"

#include <sodium.h>

#define MAKE_KINDS    (FAULT_OF_MEMORY | FAULT_OF_READING | FAULT_OF_FILES)
#define RESTORE_KINDS (FAULT_OF_MEMORY | FAULT_OF_DB | FAULT_OF_LATE | FAULT_OF_FILES)
#define GROUPS        3

static int setup(void **state)
{
    *state = place_new(GROUPS);
    return 0;
}

static int teardown(void **state)
{
    fault_report(NULL);
    place_free(*state);
    return 0;
}

static enum hs_err make(struct place *place, struct hs_why *why)
{
    struct hs_backup_options options = place_backup(place);
    struct hs_backup *backup = NULL;
    enum hs_err err = hs_backup_begin(&options, place->hub.store, &backup, why);
    if (err == HS_OK)
        err = hs_backup_run(backup, why);
    hs_backup_end(backup);
    return err;
}

static enum hs_err restore(struct place *place, bool force, struct hs_restored *restored, struct hs_why *why)
{
    enum hs_err err = place_restore(place, force, restored, why);
    if (err != HS_OK)
        hs_restored_fini(restored);
    return err;
}

/* ---- making ---- */

static void make_once(void *ctx)
{
    struct place *place = ctx;
    struct hs_backup_found found = {0};
    struct hs_why why = {""};
    unlink(place->file);
    fault_begin();
    enum hs_err err = make(place, &why);
    fault_end();
    fault_assert_named(err);
    assert_true(err == HS_OK || why.text[0] != '\0');
    if (access(place->file, F_OK) == 0 && hs_backup_look(place->file, place->secret, NULL, &found, &why) != HS_OK)
        fail_msg("a file that is no backup: %s", why.text);
    hs_backup_found_fini(&found);
    unlink(place->file);
    world_group(&place->hub, 1); /* the node goes on */
    err = make(place, &why);
    if (err != HS_OK)
        fail_msg("afterwards: %s: %s", hs_err_name(err), why.text);
}

static void a_backup_is_whole_or_not_there(void **state)
{
    fault_each("making a backup", MAKE_KINDS, make_once, *state);
}

/* ---- restoring ---- */

static void check_restored(struct place *place)
{
    struct world_node copy = place->hub;
    copy.store = NULL;
    snprintf(copy.dir, sizeof copy.dir, "%s", place->target);
    copy.options.dir = copy.dir;
    copy.options.ctx = &copy;
    world_open(&copy, false);
    struct hs_hash wanted = world_heads(&place->hub), got = world_heads(&copy);
    assert_true(hs_hash_equal(&wanted, &got));
    world_close(&copy);
}

static void restore_once(void *ctx)
{
    struct place *place = ctx;
    struct hs_restored restored;
    struct hs_why why = {""};
    world_remove(place->target);
    fault_begin();
    enum hs_err err = restore(place, false, &restored, &why);
    fault_end();
    fault_assert_named(err);
    assert_true(err == HS_OK || why.text[0] != '\0');
    if (err != HS_OK) {
        err = restore(place, false, &restored, &why);
        if (err == HS_EEXISTS) /* it was whole, and something failed behind that */
            err = restore(place, true, &restored, &why);
        if (err != HS_OK)
            fail_msg("afterwards: %s: %s", hs_err_name(err), why.text);
    }
    assert_string_equal(restored.found.manifest->node_id, "nj-hub");
    hs_restored_fini(&restored);
    check_restored(place);
}

static void a_store_is_restored_or_not_there(void **state)
{
    struct place *place = *state;
    struct hs_why why = {""};
    assert_int_equal(make(place, &why), HS_OK);
    fault_each("restoring", RESTORE_KINDS, restore_once, place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_backup_is_whole_or_not_there, setup, teardown),
        cmocka_unit_test_setup_teardown(a_store_is_restored_or_not_there, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
