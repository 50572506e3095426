/* backup_test.c -- node/backup: what is backed up comes back as another store of the same node, whole or not at all. */
#include "tests/lib/backup_place.h"

#include "proto/sealed/sealed_file.h"

#include <pthread.h>
#include <sodium.h>

static int begin(void **state)
{
    *state = place_new(20);
    return 0;
}

static int end(void **state)
{
    place_free(*state);
    return 0;
}

static void make(struct place *place)
{
    struct hs_backup_options options = place_backup(place);
    struct hs_backup *backup;
    struct hs_why why = {""};
    assert_int_equal(hs_backup_begin(&options, place->hub.store, &backup, &why), HS_OK);
    enum hs_err err = hs_backup_run(backup, &why);
    if (err != HS_OK)
        fail_msg("%s: %s", hs_err_name(err), why.text);
    hs_backup_end(backup);
}

static void must_restore(struct place *place, bool force, struct hs_restored *restored)
{
    struct hs_why why = {""};
    enum hs_err err = place_restore(place, force, restored, &why);
    if (err != HS_OK)
        fail_msg("%s: %s", hs_err_name(err), why.text);
}

/* The restored store as a node of the same keys. */
static void open_restored(struct place *place, struct world_node *node)
{
    *node = place->hub;
    node->store = NULL;
    snprintf(node->dir, sizeof node->dir, "%s", place->target);
    node->options.dir = node->dir;
    node->options.ctx = node;
    world_open(node, false);
}

/* ---- what comes back ---- */

static void test_what_was_there_comes_back_as_another_store(void **state)
{
    struct place *place = *state;
    struct world_node copy;
    struct hs_restored restored;
    make(place);
    struct hs_hash heads = world_heads(&place->hub), digests = world_digests(&place->hub);
    struct hs_position position = hs_store_position(place->hub.store);
    must_restore(place, false, &restored);
    assert_string_equal(restored.found.manifest->node_id, "nj-hub");
    assert_int_equal(restored.found.manifest->commit, position.commit);
    assert_int_equal(restored.found.manifest->store_id, hs_store_id(place->hub.store));
    assert_int_equal(restored.found.config.size, 6);
    assert_string_equal(restored.replaced, "");
    open_restored(place, &copy);
    assert_true(hs_store_in_doubt(copy.store)); /* at its first start, after the command has opened it */
    assert_int_equal(hs_store_id(copy.store), restored.store_id);
    assert_int_not_equal(restored.store_id, hs_store_id(place->hub.store));
    struct hs_hash copied_heads = world_heads(&copy), copied_digests = world_digests(&copy);
    assert_true(hs_hash_equal(&heads, &copied_heads));
    assert_true(hs_hash_equal(&digests, &copied_digests));
    world_close(&copy);
    hs_restored_fini(&restored);
}

/* A command that opens a store in doubt, and is not the node, leaves the doubt to it; one that is sound stays so. */
static void test_a_command_leaves_the_doubt(void **state)
{
    struct place *place = *state;
    struct world_node *hub = &place->hub;
    world_reopen(hub);
    assert_false(hs_store_in_doubt(hub->store));
    world_close(hub);
    world_remove(place->region.notes); /* a reboot */
    assert_int_equal(mkdir(place->region.notes, 0700), 0);
    hub->options.visits = true;
    for (int command = 0; command < 2; command++) {
        world_open(hub, false);
        assert_true(hs_store_in_doubt(hub->store));
        world_group(hub, 1); /* what it notes in the store */
        world_close(hub);
    }
    hub->options.visits = false;
    world_open(hub, false);
    assert_true(hs_store_in_doubt(hub->store));
    world_reopen(hub);
    assert_false(hs_store_in_doubt(hub->store));
    hub->options.visits = true;
    world_reopen(hub);
    assert_false(hs_store_in_doubt(hub->store));
    world_group(hub, 1);
    hub->options.visits = false;
    world_reopen(hub);
    assert_false(hs_store_in_doubt(hub->store));
}

/* The original goes on, and so does the copy: never under one number. */
static void test_the_restored_store_writes_under_an_origin_of_its_own(void **state)
{
    struct place *place = *state;
    struct world_node first, second;
    struct hs_restored restored;
    make(place);
    uint64_t origin = world_current_origin(&place->hub);
    assert_int_not_equal(origin, 0);
    must_restore(place, false, &restored);
    open_restored(place, &first);
    first.made = 1000;
    struct hs_dot dot = world_group(&first, 1);
    assert_int_not_equal(dot.origin, origin);
    world_close(&first);
    hs_restored_fini(&restored);
    must_restore(place, true, &restored); /* the same backup twice */
    open_restored(place, &second);
    second.made = 2000;
    struct hs_dot other = world_group(&second, 1);
    assert_int_not_equal(other.origin, origin);
    assert_int_not_equal(other.origin, dot.origin);
    world_close(&second);
    hs_restored_fini(&restored);
    struct hs_dot own = world_group(&place->hub, 1);
    assert_int_equal(own.origin, origin);
}

static void test_keys_come_back_but_the_root_key(void **state)
{
    struct place *place = *state;
    char path[WORLD_PATH_BYTES];
    struct stat status;
    struct hs_restored restored;
    struct hs_keys keys = {0};
    make(place);
    must_restore(place, false, &restored);
    assert_int_equal(hs_keys_load(place->target, &keys, NULL), HS_OK);
    assert_non_null(keys.issuer);
    assert_true(hs_key_equal(&keys.node_key, &place->keys.node_key));
    world_path(path, place->target, "keys/node.key");
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    world_path(path, place->target, "keys/root.key");
    assert_int_equal(access(path, F_OK), -1);
    hs_keys_free(&keys);
    hs_restored_fini(&restored);
}

/* ---- hot ---- */

static void *run(void *arg)
{
    struct hs_why why = {""};
    enum hs_err err = hs_backup_run(arg, &why);
    if (err != HS_OK)
        fprintf(stderr, "%s: %s\n", hs_err_name(err), why.text);
    return (void *)(uintptr_t)err;
}

static void test_what_is_written_meanwhile_is_not_in_it(void **state)
{
    struct place *place = *state;
    struct hs_backup_options options = place_backup(place);
    struct hs_backup *backup;
    struct hs_restored restored;
    pthread_t thread;
    void *err;
    uint64_t commit = hs_store_position(place->hub.store).commit;
    assert_int_equal(hs_backup_begin(&options, place->hub.store, &backup, NULL), HS_OK);
    assert_int_equal(pthread_create(&thread, NULL, run, backup), 0);
    for (int i = 0; i < 50; i++)
        world_group(&place->hub, 13);
    pthread_join(thread, &err);
    assert_int_equal((uintptr_t)err, HS_OK);
    size_t heads;
    hs_backup_heads(backup, &heads);
    assert_int_equal(heads, 1);
    struct hs_backup_progress progress;
    hs_backup_progress(backup, &progress);
    assert_int_equal(progress.phase, HS_BACKUP_DONE);
    hs_backup_end(backup);
    must_restore(place, false, &restored);
    assert_int_equal(restored.found.manifest->commit, commit);
    assert_int_equal(restored.found.manifest->n_own, 1);
    assert_int_equal(restored.found.manifest->own[0]->n, 20 * 13);
    hs_restored_fini(&restored);
}

static void test_a_log_that_grows_too_much_ends_the_backup(void **state)
{
    struct place *place = *state;
    struct hs_backup_options options = place_backup(place);
    struct hs_backup *backup;
    struct hs_why why = {""};
    options.growth_max_bytes = 64 * 1024;
    assert_int_equal(hs_backup_begin(&options, place->hub.store, &backup, NULL), HS_OK);
    for (int i = 0; i < 400; i++)
        world_group(&place->hub, 13);
    assert_int_equal(hs_backup_run(backup, &why), HS_EBUSY);
    assert_non_null(strstr(why.text, "growth_max_mib"));
    hs_backup_end(backup);
    assert_int_equal(access(place->file, F_OK), -1);
}

static void test_a_backup_can_be_stopped(void **state)
{
    struct place *place = *state;
    struct hs_backup_options options = place_backup(place);
    struct hs_backup *backup;
    assert_int_equal(hs_backup_begin(&options, place->hub.store, &backup, NULL), HS_OK);
    hs_backup_stop(backup);
    assert_int_equal(hs_backup_run(backup, NULL), HS_ESTOPPING);
    hs_backup_end(backup);
    assert_int_equal(access(place->file, F_OK), -1);
}

/* ---- what is refused ---- */

static void test_without_recipients_there_is_no_backup(void **state)
{
    struct place *place = *state;
    struct hs_backup_options options = place_backup(place);
    struct hs_backup *backup;
    struct hs_why why = {""};
    options.recipient_count = 0;
    assert_int_equal(hs_backup_begin(&options, place->hub.store, &backup, &why), HS_EINVAL);
    assert_non_null(strstr(why.text, "backup-key new"));
}

static void test_a_directory_in_use_is_left_alone(void **state)
{
    struct place *place = *state;
    struct hs_restored restored;
    struct hs_why why = {""};
    make(place);
    snprintf(place->target, sizeof place->target, "%s", place->hub.dir);
    assert_int_equal(place_restore(place, true, &restored, &why), HS_ELOCKED);
    hs_restored_fini(&restored);
    world_close(&place->hub);
    assert_int_equal(place_restore(place, false, &restored, &why), HS_EEXISTS);
    assert_non_null(strstr(why.text, "--force"));
    hs_restored_fini(&restored);
    world_open(&place->hub, false);
    assert_int_equal(world_current_origin(&place->hub) != 0, true); /* and nothing spoke against going on */
}

static void test_force_moves_what_was_there_aside(void **state)
{
    struct place *place = *state;
    struct hs_restored restored;
    char path[WORLD_PATH_BYTES];
    make(place);
    world_close(&place->hub);
    snprintf(place->target, sizeof place->target, "%s", place->hub.dir);
    must_restore(place, true, &restored);
    assert_non_null(strstr(restored.replaced, "/replaced/"));
    world_path(path, restored.replaced, "log/data.mdb");
    assert_int_equal(access(path, F_OK), 0);
    world_path(path, restored.replaced, "keys/root.key");
    assert_int_equal(access(path, F_OK), 0);
    hs_restored_fini(&restored);
    world_open(&place->hub, false);
}

static void test_a_restore_that_was_cut_short_begins_again(void **state)
{
    struct place *place = *state;
    char path[WORLD_PATH_BYTES];
    struct hs_load *load;
    struct hs_restored restored;
    make(place);
    struct hs_load_options options = {.dir = place->target, .map_bytes = WORLD_MAP_BYTES};
    assert_int_equal(hs_load_begin(&options, &load, NULL), HS_OK);
    uint8_t key = 1;
    assert_int_equal(hs_load_row(load, "commit", HS_BYTES(&key, 1), HS_BYTES("x", 1)), HS_OK);
    hs_load_abort(load); /* as a killed process leaves it */
    world_path(path, place->target, "restoring");
    assert_int_equal(access(path, F_OK), 0);
    must_restore(place, false, &restored);
    assert_int_equal(access(path, F_OK), -1);
    hs_restored_fini(&restored);
}

/* Nothing is changed for a file that does not hold. */
static void test_a_damaged_backup_changes_nothing(void **state)
{
    struct place *place = *state;
    struct hs_restored restored;
    struct hs_why why = {""};
    make(place);
    int fd = open(place->file, O_RDWR);
    uint8_t byte;
    off_t at = lseek(fd, 0, SEEK_END) - 200;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
    assert_int_equal(place_restore(place, false, &restored, &why), HS_EDAMAGED);
    assert_non_null(strstr(why.text, "first.backup"));
    assert_int_equal(access(place->target, F_OK), -1);
    hs_restored_fini(&restored);
    place->secret[1] ^= 1;
    assert_int_equal(place_restore(place, false, &restored, &why), HS_ERECIPIENT);
    hs_restored_fini(&restored);
}

static void test_rows_of_another_form_are_refused(void **state)
{
    struct place *place = *state;
    struct hs_load_options options = {.dir = place->target, .map_bytes = WORLD_MAP_BYTES};
    struct hs_load *load;
    struct hs_why why = {""};
    static const uint8_t LONG[600];
    assert_int_equal(hs_load_begin(&options, &load, NULL), HS_OK);
    assert_int_equal(hs_load_row(load, "a table of tomorrow", HS_BYTES("k", 1), HS_BYTES_NONE), HS_ESCHEMA);
    assert_int_equal(hs_load_row(load, "meta", HS_BYTES_NONE, HS_BYTES_NONE), HS_EDAMAGED);
    assert_int_equal(hs_load_row(load, "meta", HS_BYTES(LONG, sizeof LONG), HS_BYTES_NONE), HS_EDAMAGED);
    assert_int_equal(hs_load_end(load, &why), HS_EDAMAGED); /* no schema: no store */
    assert_int_equal(hs_load_begin(&options, &load, NULL), HS_OK);
    assert_int_equal(hs_load_row(load, "meta", HS_BYTES("b", 1), HS_BYTES("1", 1)), HS_OK);
    assert_int_equal(hs_load_row(load, "meta", HS_BYTES("a", 1), HS_BYTES("1", 1)), HS_EDAMAGED);
    hs_load_abort(load);
}

static void test_recovery_secrets_are_private(void **state)
{
    struct place *place = *state;
    char path[WORLD_PATH_BYTES];
    uint8_t secret[HS_SEALED_KEY_BYTES];
    struct hs_key key, again;
    struct hs_why why = {""};
    world_path(path, place->region.base, "recovery.key");
    assert_int_equal(hs_recovery_make(path, &key, NULL), HS_OK);
    assert_int_equal(hs_recovery_make(path, &again, NULL), HS_EEXISTS);
    assert_int_equal(hs_recovery_read(path, secret, NULL), HS_OK);
    assert_int_equal(hs_recovery_public(secret, &again), HS_OK);
    assert_true(hs_key_equal(&key, &again));
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(hs_recovery_read(path, secret, &why), HS_EPERM);
    assert_int_equal(hs_recovery_read(place->hub.dir, secret, &why), HS_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_was_there_comes_back_as_another_store, begin, end),
        cmocka_unit_test_setup_teardown(test_a_command_leaves_the_doubt, begin, end),
        cmocka_unit_test_setup_teardown(test_the_restored_store_writes_under_an_origin_of_its_own, begin, end),
        cmocka_unit_test_setup_teardown(test_keys_come_back_but_the_root_key, begin, end),
        cmocka_unit_test_setup_teardown(test_what_is_written_meanwhile_is_not_in_it, begin, end),
        cmocka_unit_test_setup_teardown(test_a_log_that_grows_too_much_ends_the_backup, begin, end),
        cmocka_unit_test_setup_teardown(test_a_backup_can_be_stopped, begin, end),
        cmocka_unit_test_setup_teardown(test_without_recipients_there_is_no_backup, begin, end),
        cmocka_unit_test_setup_teardown(test_a_directory_in_use_is_left_alone, begin, end),
        cmocka_unit_test_setup_teardown(test_force_moves_what_was_there_aside, begin, end),
        cmocka_unit_test_setup_teardown(test_a_restore_that_was_cut_short_begins_again, begin, end),
        cmocka_unit_test_setup_teardown(test_a_damaged_backup_changes_nothing, begin, end),
        cmocka_unit_test_setup_teardown(test_rows_of_another_form_are_refused, begin, end),
        cmocka_unit_test_setup_teardown(test_recovery_secrets_are_private, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
