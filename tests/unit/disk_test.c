/* disk_test.c -- node/disk: levels by the room on the disk and in the store's map, what each refuses, and who reads one
 * snapshot for long. */
#include "tests/lib/store_world.h"

#include "node/disk/disk.h"
#include "node/disk/readers.h"
#include "storage/db/db.h"

#include <lmdb.h>
#include <signal.h>
#include <sys/wait.h>

#define MAP_BYTES ((size_t)64 << 20) /* far less than the disk has */

struct place {
    struct world_region region;
    struct world_node hall;
    struct hs_disk disk;
    uint64_t now_ms;
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    world_begin(&place->region);
    world_add(&place->region, &place->hall, "nj-hall", HS_ROLE_HALL);
    place->hall.options.map_bytes = MAP_BYTES;
    world_open(&place->hall, true);
    place->disk = (struct hs_disk){.dir = place->hall.dir, .store = place->hall.store};
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

static enum hs_disk_level level_with(struct place *place, uint64_t reserve, bool *is_news)
{
    place->disk.reserve_bytes = reserve;
    place->now_ms += HS_DISK_LOOK_MS;
    *is_news = hs_disk_look(&place->disk, place->now_ms);
    return place->disk.level;
}

static enum hs_err refusal(const struct place *place, unsigned lane)
{
    struct hs_why why = {{0}};
    enum hs_err err = hs_disk_check(&place->disk, lane, &why);
    assert_true(err == HS_OK || strstr(why.text, "MiB") != NULL);
    return err;
}

static void expect(const struct place *place, enum hs_err people, enum hs_err other, enum hs_err money)
{
    assert_int_equal(refusal(place, HS_LANE_PEOPLE), people);
    assert_int_equal(refusal(place, HS_LANE_BULK), people);
    assert_int_equal(refusal(place, 0), other);
    assert_int_equal(refusal(place, HS_LANE_WORK), money);
    assert_int_equal(refusal(place, HS_LANE_MONEY), money);
}

static void the_less_room_the_more_must_wait(void **state)
{
    struct place *place = *state;
    bool is_news;
    assert_int_equal(level_with(place, 0, &is_news), HS_DISK_PLENTY);
    assert_false(is_news);
    uint64_t room = hs_store_map_left(place->hall.store);
    assert_in_range(room, MAP_BYTES / 2, MAP_BYTES);
    expect(place, HS_OK, HS_OK, HS_OK);
    assert_int_equal(level_with(place, room * 2 / 3, &is_news), HS_DISK_LOW);
    assert_true(is_news);
    expect(place, HS_EFULL, HS_OK, HS_OK);
    assert_int_equal(level_with(place, room * 2, &is_news), HS_DISK_SCARCE);
    expect(place, HS_EFULL, HS_EFULL, HS_OK);
    assert_int_equal(level_with(place, room * 5, &is_news), HS_DISK_FULL);
    expect(place, HS_EFULL, HS_EFULL, HS_EFULL);
    assert_int_equal(level_with(place, room * 5, &is_news), HS_DISK_FULL);
    assert_false(is_news);
    assert_int_equal(level_with(place, room / 10, &is_news), HS_DISK_PLENTY);
    assert_true(is_news);
    expect(place, HS_OK, HS_OK, HS_OK);
}

static void it_is_looked_at_now_and_then(void **state)
{
    struct place *place = *state;
    bool is_news;
    level_with(place, 0, &is_news);
    place->disk.reserve_bytes = UINT64_MAX;
    assert_false(hs_disk_look(&place->disk, place->now_ms + HS_DISK_LOOK_MS - 1));
    assert_true(hs_disk_look(&place->disk, place->now_ms + HS_DISK_LOOK_MS));
    assert_int_equal(place->disk.level, HS_DISK_FULL); /* of whatever there is */
}

/* On the border nobody is told of each byte that comes and goes. */
static void it_is_better_only_with_something_to_spare(void **state)
{
    struct place *place = *state;
    bool is_news;
    uint64_t room = hs_store_map_left(place->hall.store);
    assert_int_equal(level_with(place, room / 2 + 1, &is_news), HS_DISK_LOW);
    assert_int_equal(level_with(place, room / 2 - room / 100, &is_news), HS_DISK_LOW);
    assert_int_equal(refusal(place, HS_LANE_PEOPLE), HS_OK); /* who asks is answered by what there is */
    assert_int_equal(level_with(place, room / 2 - room / 16, &is_news), HS_DISK_PLENTY);
}

static void it_says_whether_it_is_the_disk_or_the_store(void **state)
{
    struct place *place = *state;
    struct hs_why why = {{0}};
    bool is_news;
    level_with(place, UINT64_MAX, &is_news);
    assert_int_equal(hs_disk_check(&place->disk, HS_LANE_MONEY, &why), HS_EFULL);
    assert_non_null(strstr(why.text, "room of the store"));
    place->disk.map_bytes = UINT64_MAX;
    assert_int_equal(hs_disk_check(&place->disk, HS_LANE_MONEY, &why), HS_EFULL);
    assert_non_null(strstr(why.text, "free on the disk"));
    assert_non_null(strstr(why.text, place->hall.dir));
}

static void what_is_held_is_never_money(void **state)
{
    (void)state;
    assert_int_equal(hs_disk_held_lanes(HS_DISK_PLENTY), 0);
    for (enum hs_disk_level level = HS_DISK_LOW; level <= HS_DISK_FULL; level++)
        assert_int_equal(hs_disk_held_lanes(level), 1U << HS_LANE_PEOPLE | 1U << HS_LANE_BULK);
}

/* Pages that were given back are room too, though the file does not shrink. */
static void a_map_that_was_nearly_full_has_room_again(void **state)
{
    static const char *const TABLES[] = {"t"};
    static const uint8_t row[4000];
    struct place *place = *state;
    char path[WORLD_PATH_BYTES];
    struct hs_env *env;
    struct hs_txn txn;
    struct hs_why why;
    world_path(path, place->region.base, "map");
    struct hs_env_options options = {
        .path = path, .tables = TABLES, .table_count = 1, .map_bytes = 4 << 20, .create = true};
    if (hs_env_open(&options, &env, &why) != HS_OK)
        fail_msg("%s", why.text);
    uint64_t much = hs_env_left_bytes(env);
    for (uint32_t i = 0; hs_env_left_bytes(env) > much / 16; i++) {
        uint8_t key[4];
        hs_be32(key, i);
        assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
        hs_txn_put(&txn, 0, HS_BYTES(key, sizeof key), HS_BYTES(row, sizeof row));
        assert_int_equal(hs_txn_commit(&txn), HS_OK);
    }
    assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
    hs_txn_empty(&txn, 0);
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    assert_true(hs_env_left_bytes(env) > much / 2);
    hs_env_close(env);
}

/* ---- readers ---- */

/* Another process that holds a snapshot of the log, until it is killed. */
static pid_t read_in_child(const struct world_node *node)
{
    int ready[2];
    char path[WORLD_PATH_BYTES], byte;
    world_path(path, node->dir, "log");
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        MDB_env *env = NULL;
        MDB_txn *txn = NULL;
        bool good = mdb_env_create(&env) == 0 && mdb_env_open(env, path, MDB_RDONLY, 0) == 0 &&
                    mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0;
        if (write(ready[1], good ? "y" : "n", 1) == 1)
            pause();
        _exit(1);
    }
    assert_true(child > 0);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    close(ready[0]);
    close(ready[1]);
    return child;
}

static bool look(struct place *place, struct hs_readers *readers, uint64_t later_ms)
{
    bool is_news;
    place->now_ms += later_ms;
    assert_int_equal(hs_readers_look(readers, place->hall.store, place->now_ms, &is_news), HS_OK);
    return is_news;
}

static void who_reads_for_long_is_named_until_he_is_gone(void **state)
{
    struct place *place = *state;
    struct hs_readers readers = {0};
    char who[32];
    look(place, &readers, 1);
    pid_t child = read_in_child(&place->hall);
    snprintf(who, sizeof who, "process %d ", (int)child);
    assert_false(look(place, &readers, HS_READERS_LOOK_MS));
    world_group(&place->hall, 1);
    assert_false(look(place, &readers, HS_READER_LONG_MS - 1));
    assert_false(readers.is_long);
    assert_true(look(place, &readers, HS_READERS_LOOK_MS));
    assert_true(readers.is_long);
    assert_non_null(strstr(readers.text, who));
    assert_false(look(place, &readers, HS_READERS_LOOK_MS)); /* told once */
    assert_true(readers.is_long);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(look(place, &readers, HS_READERS_LOOK_MS));
    assert_false(readers.is_long);
    assert_int_equal(readers.oldest[0].pid, 0); /* cleared away: its pages are free */
}

static void short_reads_are_nothing(void **state)
{
    struct place *place = *state;
    struct hs_readers readers = {0};
    for (unsigned i = 0; i < 5; i++) {
        world_group(&place->hall, 1);
        assert_int_equal(hs_store_flush(place->hall.store), HS_OK);
        struct hs_view *view = world_view(&place->hall);
        assert_false(look(place, &readers, HS_READER_LONG_MS / 2));
        assert_int_equal(readers.oldest[0].pid, getpid());
        hs_view_close(view);
    }
    assert_false(look(place, &readers, HS_READERS_LOOK_MS));
    assert_int_equal(readers.oldest[0].pid, 0);
}

/* As an idle node does, over and over. */
static void who_reads_what_nobody_has_changed_is_no_trouble(void **state)
{
    struct place *place = *state;
    struct hs_readers readers = {0};
    world_group(&place->hall, 1);
    assert_int_equal(hs_store_flush(place->hall.store), HS_OK);
    struct hs_view *view = world_view(&place->hall);
    look(place, &readers, 1);
    assert_false(look(place, &readers, 10 * HS_READER_LONG_MS));
    assert_int_equal(readers.oldest[0].pid, getpid());
    world_group(&place->hall, 1);
    assert_false(look(place, &readers, HS_READERS_LOOK_MS));
    assert_true(look(place, &readers, HS_READER_LONG_MS));
    hs_view_close(view);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_less_room_the_more_must_wait),
        CASE(it_is_looked_at_now_and_then),
        CASE(it_is_better_only_with_something_to_spare),
        CASE(it_says_whether_it_is_the_disk_or_the_store),
        CASE(what_is_held_is_never_money),
        CASE(a_map_that_was_nearly_full_has_room_again),
        CASE(who_reads_for_long_is_named_until_he_is_gone),
        CASE(short_reads_are_nothing),
        CASE(who_reads_what_nobody_has_changed_is_no_trouble),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
