/* store_start_test.c -- storage/store: what a start finds after reboots, copies, restores, kills and lost records; and
 * that nothing acknowledged is missing and no number is ever given to two contents. */
#include "tests/lib/store_world.h"

#include "storage/store/inside.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

struct place {
    struct world_region region;
    struct world_node hall, hub, twin;
    char backup[WORLD_PATH_BYTES];
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    world_begin(&place->region);
    world_add(&place->region, &place->hall, "nj-hall", HS_ROLE_HALL);
    world_add(&place->region, &place->hub, "nj-hub", HS_ROLE_HUB);
    world_twin(&place->hall, &place->twin, "twin");
    world_path(place->backup, place->region.base, "backup");
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    world_drop(&place->hall);
    world_drop(&place->hub);
    world_drop(&place->twin);
    world_end(&place->region);
    free(place);
    return 0;
}

/* ---- helpers ---- */

/* The same file with the contents of the backup: what a restore of a disk does. */
static void put_back(struct place *place)
{
    world_copy_dir(place->backup, place->hall.dir);
}

static void back_up(struct place *place)
{
    world_close(&place->hall);
    world_copy_dir(place->hall.dir, place->backup);
    world_open(&place->hall, false);
}

static void expect_same_origin(struct world_node *node, uint64_t origin)
{
    assert_null(hs_store_break(node->store));
    assert_true(world_current_origin(node) == origin);
    assert_true(world_group(node, 1).origin == origin);
}

static void expect_fresh_origin(struct world_node *node, uint64_t origin, const char *because)
{
    const char *why = hs_store_break(node->store);
    assert_non_null(why);
    if (strstr(why, because) == NULL)
        fail_msg("struck because '%s', not because '%s'", why, because);
    assert_true(world_current_origin(node) == 0); /* opened by the first write only */
    struct hs_dot dot = world_group(node, 1);
    assert_true(dot.origin != origin);
    assert_int_equal(dot.n, 1);
    world_reopen(node); /* and from then on it is the one */
    assert_null(hs_store_break(node->store));
    assert_true(world_group(node, 1).origin == dot.origin);
}

/* ---- continuity ---- */

static void a_clean_stop_and_start_is_continuous(void **state)
{
    struct place *place = *state;
    world_open(&place->hall, true);
    uint64_t origin = world_group(&place->hall, 2).origin;
    for (int i = 0; i < 3; i++) {
        world_reopen(&place->hall);
        expect_same_origin(&place->hall, origin);
    }
    world_close(&place->hall);
    world_open(&place->hall, false);
    world_close(&place->hall); /* a start without a commit changes nothing */
    world_open(&place->hall, false);
    expect_same_origin(&place->hall, origin);
}

static void a_store_that_has_not_written_has_nothing_to_strike(void **state)
{
    struct place *place = *state;
    char note[WORLD_PATH_BYTES];
    world_open(&place->hall, true);
    world_note_path(&place->hall, note);
    world_close(&place->hall);
    assert_int_equal(unlink(note), 0);
    world_open(&place->hall, false);
    assert_null(hs_store_break(place->hall.store));
    assert_true(world_current_origin(&place->hall) == 0);
}

static void a_reboot_takes_the_note_and_the_origin_with_it(void **state)
{
    struct place *place = *state;
    char note[WORLD_PATH_BYTES];
    world_open(&place->hall, true);
    uint64_t origin = world_group(&place->hall, 2).origin;
    world_note_path(&place->hall, note);
    world_close(&place->hall);
    assert_int_equal(unlink(note), 0);
    world_open(&place->hall, false);
    expect_fresh_origin(&place->hall, origin, "restarted");
}

static void a_note_of_the_commit_before_is_enough_and_an_older_is_not(void **state)
{
    struct place *place = *state;
    char note[WORLD_PATH_BYTES];
    char kept[WORLD_PATH_BYTES];
    world_open(&place->hall, true);
    world_path(kept, place->region.base, "kept.note");
    world_note_path(&place->hall, note);
    uint64_t origin = world_group(&place->hall, 1).origin;
    for (int behind = 1; behind <= 2; behind++) {
        world_copy_file(note, kept);
        for (int i = 0; i < behind; i++)
            world_group(&place->hall, 1);
        world_close(&place->hall);
        world_copy_file(kept, note); /* killed between a commit and its note */
        world_open(&place->hall, false);
        if (behind == 1)
            expect_same_origin(&place->hall, origin);
        else
            expect_fresh_origin(&place->hall, origin, "another commit");
    }
}

/* What a start shows, it notes first, be it of a commit that the process before it did not live to note. */
static void a_start_notes_what_it_shows_though_it_writes_nothing(void **state)
{
    struct place *place = *state;
    char note[WORLD_PATH_BYTES];
    char kept[WORLD_PATH_BYTES];
    world_open(&place->hall, true);
    world_path(kept, place->region.base, "kept.note");
    world_note_path(&place->hall, note);
    uint64_t origin = world_group(&place->hall, 1).origin;
    back_up(place);
    world_copy_file(note, kept);
    world_group(&place->hall, 1);
    world_close(&place->hall);
    world_copy_file(kept, note); /* killed between a commit and its note */
    world_open(&place->hall, false);
    assert_null(hs_store_break(place->hall.store));
    hs_view_close(world_view(&place->hall)); /* here a hub sees the second op */
    world_close(&place->hall);
    put_back(place);
    world_open(&place->hall, false);
    expect_fresh_origin(&place->hall, origin, "older copy");
}

static void an_older_state_put_back_in_place_is_found_out(void **state)
{
    struct place *place = *state;
    world_open(&place->hall, true);
    uint64_t origin = world_group(&place->hall, 2).origin;
    for (int lost = 0; lost <= 2; lost++) {
        back_up(place);
        for (int i = 0; i < lost; i++)
            world_group(&place->hall, 1);
        world_close(&place->hall);
        put_back(place);
        world_open(&place->hall, false);
        if (lost == 0) {
            expect_same_origin(&place->hall, origin);
        } else {
            expect_fresh_origin(&place->hall, origin, "older copy");
            origin = world_current_origin(&place->hall);
        }
    }
}

static void two_clones_write_under_origins_of_their_own(void **state)
{
    struct place *place = *state;
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    uint64_t origin = world_group(&place->hall, 3).origin;
    back_up(place);
    world_copy_dir(place->backup, place->twin.dir);
    place->twin.made = 1000;
    world_open(&place->twin, false); /* beside the running first */
    expect_same_origin(&place->hall, origin);
    uint64_t twins = world_group(&place->twin, 4).origin;
    assert_true(twins != origin);
    world_group(&place->hall, 2);
    world_reopen(&place->twin); /* it keeps no note, so each start is a break */
    assert_non_null(strstr(hs_store_break(place->twin.store), "another process"));
    assert_true(world_group(&place->twin, 1).origin != twins);
    world_carry(&place->hall, &place->hub);
    world_carry(&place->twin, &place->hub);
    world_carry(&place->hub, &place->hall);
    world_carry(&place->hub, &place->twin);
    world_assert_equal(&place->hall, &place->hub);
    world_assert_equal(&place->twin, &place->hub);
}

static void the_same_copy_put_back_twice_gives_two_origins(void **state)
{
    struct place *place = *state;
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    uint64_t origins[3] = {world_group(&place->hall, 3).origin};
    back_up(place);
    for (int i = 1; i <= 2; i++) {
        world_group(&place->hall, 2);
        world_close(&place->hall);
        put_back(place);
        world_open(&place->hall, false);
        origins[i] = world_group(&place->hall, 5).origin;
        world_carry(&place->hall, &place->hub);
    }
    assert_true(origins[1] != origins[0] && origins[2] != origins[0] && origins[2] != origins[1]);
    world_carry(&place->hub, &place->hall);
    world_assert_equal(&place->hall, &place->hub);
}

static void a_copy_moved_into_place_is_another_file(void **state)
{
    struct place *place = *state;
    char log[WORLD_PATH_BYTES];
    char copy[WORLD_PATH_BYTES];
    world_open(&place->hall, true);
    uint64_t origin = world_group(&place->hall, 2).origin;
    back_up(place);
    world_close(&place->hall);
    world_path(log, place->hall.dir, "log/data.mdb");
    world_path(copy, place->backup, "log/data.mdb");
    assert_int_equal(rename(copy, log), 0);
    world_open(&place->hall, false);
    expect_fresh_origin(&place->hall, origin, "copy");
}

static void without_a_tmpfs_every_start_is_a_break(void **state)
{
    struct place *place = *state;
    place->hall.options.note_dir = place->region.base;
    world_open(&place->hall, true);
    uint64_t origin = world_group(&place->hall, 2).origin;
    assert_true(world_group(&place->hall, 2).origin == origin);
    world_reopen(&place->hall);
    assert_non_null(strstr(hs_store_break(place->hall.store), "tmpfs"));
    assert_true(world_group(&place->hall, 1).origin != origin);
}

static void what_an_older_copy_lacks_comes_back_from_a_hub(void **state)
{
    struct place *place = *state;
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    struct hs_stream stream = {world_group(&place->hall, 3).origin, 3201, HS_LANE_MONEY};
    back_up(place);
    world_group(&place->hall, 4);
    world_carry(&place->hall, &place->hub);
    world_close(&place->hall);
    put_back(place);
    world_open(&place->hall, false);
    assert_int_equal(world_head(&place->hall, &stream), 3);
    world_group(&place->hall, 2); /* before the hub can be reached */
    world_carry(&place->hub, &place->hall);
    assert_int_equal(world_head(&place->hall, &stream), 7);
    world_carry(&place->hall, &place->hub);
    world_assert_equal(&place->hall, &place->hub);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_own_origins(view), 2);
    hs_view_close(view);
}

/* ---- since when is it in doubt? ---- */

#define HOUR_MS (3600 * 1000ULL)

static void lose_note(struct world_node *node)
{
    char note[WORLD_PATH_BYTES];
    world_note_path(node, note);
    world_close(node);
    assert_int_equal(unlink(note), 0);
}

static void a_store_is_in_doubt_from_its_making_on(void **state)
{
    struct place *place = *state;
    uint64_t made = place->region.now_ms;
    world_open(&place->hall, true);
    assert_int_equal(hs_store_doubt_ms(place->hall.store), made);
    for (int i = 0; i < 3; i++) {
        place->region.now_ms += HOUR_MS;
        if (i == 1)
            world_group(&place->hall, 2);
        world_reopen(&place->hall);
        assert_int_equal(hs_store_doubt_ms(place->hall.store), made); /* nothing was lost since */
    }
}

static void a_reboot_brings_new_doubt(void **state)
{
    struct place *place = *state;
    world_open(&place->hall, true);
    for (int i = 0; i < 2; i++) { /* whether the node has ever written or not */
        place->region.now_ms += HOUR_MS;
        lose_note(&place->hall);
        world_open(&place->hall, false);
        uint64_t booted = place->region.now_ms;
        assert_int_equal(hs_store_doubt_ms(place->hall.store), booted);
        place->region.now_ms += HOUR_MS;
        world_reopen(&place->hall);
        assert_int_equal(hs_store_doubt_ms(place->hall.store), booted);
        world_group(&place->hall, 2);
    }
}

static void an_older_copy_is_in_doubt(void **state)
{
    struct place *place = *state;
    world_open(&place->hall, true);
    for (int i = 0; i < 2; i++) {
        back_up(place);
        world_group(&place->hall, 2);
        place->region.now_ms += HOUR_MS;
        world_close(&place->hall);
        put_back(place);
        world_open(&place->hall, false);
        uint64_t found = place->region.now_ms;
        assert_int_equal(hs_store_doubt_ms(place->hall.store), found);
        place->region.now_ms += HOUR_MS;
        world_reopen(&place->hall);
        assert_int_equal(hs_store_doubt_ms(place->hall.store), found);
    }
}

/* Else it would last until that clock's time has come. */
static void doubt_of_a_clock_that_was_put_right_counts_from_then(void **state)
{
    struct place *place = *state;
    uint64_t right = place->region.now_ms;
    place->region.now_ms += 24 * 365 * HOUR_MS;
    world_open(&place->hall, true);
    place->region.now_ms = right;
    world_reopen(&place->hall);
    assert_int_equal(hs_store_doubt_ms(place->hall.store), right);
    assert_null(hs_store_break(place->hall.store));
    place->region.now_ms += HOUR_MS;
    world_reopen(&place->hall);
    assert_int_equal(hs_store_doubt_ms(place->hall.store), right);
}

static void a_full_disk_does_not_take_the_doubt_away(void **state)
{
    struct place *place = *state;
    for (int wrote = 0; wrote <= 1; wrote++) { /* and has an origin to strike out */
        struct world_node *node = wrote ? &place->hub : &place->hall;
        world_open(node, true);
        if (wrote)
            world_group(node, 3);
        lose_note(node);
        place->region.now_ms += HOUR_MS;
        uint64_t booted = place->region.now_ms;
        node->options.map_bytes = 4096;
        world_open(node, false);
        assert_int_equal(hs_store_doubt_ms(node->store), booted);
        world_close(node);
        node->options.map_bytes = WORLD_MAP_BYTES;
        place->region.now_ms += HOUR_MS;
        world_open(node, false); /* nobody has proven anything meanwhile */
        assert_int_equal(hs_store_doubt_ms(node->store), place->region.now_ms);
    }
}

/* ---- the records ---- */

static void lost_or_strange_records_are_made_anew(void **state)
{
    struct place *place = *state;
    char ours[WORLD_PATH_BYTES];
    char theirs[WORLD_PATH_BYTES];
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    world_group(&place->hall, 20);
    world_group(&place->hub, 30);
    struct hs_hash wanted = world_digests(&place->hall);
    world_path(ours, place->hall.dir, "records/data.mdb");
    world_path(theirs, place->hub.dir, "records/data.mdb");
    world_close(&place->hub);
    for (int i = 0; i < 3; i++) {
        world_close(&place->hall);
        if (i == 0)
            assert_int_equal(unlink(ours), 0);
        else if (i == 1)
            world_copy_file(theirs, ours); /* another store's */
        else
            world_copy_file("/proc/self/exe", ours); /* no database at all */
        world_open(&place->hall, false);
        struct hs_hash digests = world_digests(&place->hall);
        assert_true(hs_hash_equal(&digests, &wanted));
    }
}

/* The last byte of each state turned, as a disk may do it. */
static void rot_states(const char *dir)
{
    char path[WORLD_PATH_BYTES];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi table;
    MDB_cursor *cursor;
    MDB_val key, value;
    world_path(path, dir, "records");
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
    assert_int_equal(mdb_env_set_mapsize(env, WORLD_MAP_BYTES), 0);
    assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "state", 0, &table), 0);
    assert_int_equal(mdb_cursor_open(txn, table, &cursor), 0);
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        uint8_t bytes[512];
        assert_true(value.mv_size <= sizeof bytes);
        memcpy(bytes, value.mv_data, value.mv_size);
        bytes[value.mv_size - 1] ^= 1;
        MDB_val rotten = {value.mv_size, bytes};
        assert_int_equal(mdb_cursor_put(cursor, &key, &rotten, MDB_CURRENT), 0);
    }
    mdb_cursor_close(cursor);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

/* Found by the simulator: a hall could take no more segments that touched a record with one turned bit. */
static void a_rotten_record_does_not_stop_what_is_written_to_it(void **state)
{
    struct place *place = *state;
    struct world_node *node = &place->hall;
    struct hs_commit commit;
    struct hs_dot dot;
    world_open(node, true);
    world_group(node, 3);
    struct hs_hash digests = world_digests(node);
    world_close(node);
    rot_states(node->dir);
    world_open(node, false);
    struct world_fact again = world_money(1);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(world_write(node, &again, &dot), HS_EDAMAGED);
    hs_store_abort(node->store);
    struct hs_hash anew = world_digests(node);
    assert_true(hs_hash_equal(&anew, &digests));
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(world_write(node, &again, &dot), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
}

/* Found by the simulator: who read a rotten record got "damaged" for ever. */
static void a_rotten_record_is_made_anew_when_it_is_read(void **state)
{
    struct place *place = *state;
    struct world_node *node = &place->hall;
    struct hs_stored stored;
    struct hs_id id = world_fact_id(node, 1);
    struct hs_record_name name = {3201, HS_LANE_MONEY, WORLD_KIND_FACT, HS_BYTES(id.bytes, sizeof id.bytes)};
    world_open(node, true);
    world_group(node, 3);
    world_close(node);
    rot_states(node->dir);
    world_open(node, false);
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_record(view, &name, &stored), HS_EDAMAGED);
    hs_view_close(view);
    view = world_view(node);
    assert_int_equal(hs_view_record(view, &name, &stored), HS_OK);
    hs_view_close(view);
}

/* Pages that LMDB gives out again: the table whose root is in a meta page (two of them, the first pages of the file)
 * behind 80 bytes.  Its first leaf has the place of its first row behind 16, that a head and a key of 8 each, then how
 * many pages, and which.  The numbers become those of pages beyond any file. */
static void rot_free_pages(const char *dir)
{
    char path[WORLD_PATH_BYTES];
    uint64_t root = 0, count = 0;
    uint16_t row = 0;
    world_path(path, dir, "records/data.mdb");
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    for (int meta = 0; meta < 2; meta++) {
        assert_int_equal(pread(fd, &root, sizeof root, meta * 4096 + 80), sizeof root);
        assert_true(root != UINT64_MAX);
        assert_int_equal(pread(fd, &row, sizeof row, (off_t)root * 4096 + 16), sizeof row);
        off_t at = (off_t)root * 4096 + row + 16;
        assert_int_equal(pread(fd, &count, sizeof count, at), sizeof count);
        assert_true(count > 0 && count < 512);
        for (uint64_t i = 1; i <= count; i++)
            assert_int_equal(pwrite(fd, "\x01", 1, at + (off_t)(8 * i) + 6), 1);
    }
    close(fd);
}

/* Found by flipping bits: the node said that its disk was full, and did not start again. */
static void records_that_cannot_be_written_any_more_go_with_their_file(void **state)
{
    struct place *place = *state;
    struct world_node *node = &place->hall;
    world_open(node, true);
    for (int i = 0; i < 5; i++) {
        world_group(node, 20);
        world_reopen(node);
    }
    world_close(node);
    rot_free_pages(node->dir);
    world_open(node, false);
    world_group(node, 20);
    assert_int_equal(hs_store_flush(node->store), HS_EDAMAGED);
    world_reopen(node);
    struct hs_hash found = world_digests(node);
    assert_int_equal(hs_store_rebuild(node->store), HS_OK);
    struct hs_hash anew = world_digests(node);
    assert_true(hs_hash_equal(&found, &anew));
}

static void records_ahead_of_an_older_log_are_made_anew(void **state)
{
    struct place *place = *state;
    char ours[WORLD_PATH_BYTES];
    char kept[WORLD_PATH_BYTES];
    world_open(&place->hall, true);
    world_group(&place->hall, 5);
    struct hs_hash wanted = world_digests(&place->hall);
    back_up(place);
    world_group(&place->hall, 5);
    world_close(&place->hall);
    world_path(ours, place->hall.dir, "log/data.mdb");
    world_path(kept, place->backup, "log/data.mdb");
    world_copy_file(kept, ours);
    world_open(&place->hall, false);
    struct hs_hash digests = world_digests(&place->hall);
    assert_true(hs_hash_equal(&digests, &wanted));
    assert_non_null(hs_store_break(place->hall.store));
}

static void a_full_disk_does_not_keep_the_store_from_opening(void **state)
{
    struct place *place = *state;
    char note[WORLD_PATH_BYTES];
    struct hs_view *view = NULL;
    world_open(&place->hall, true);
    uint64_t origin = world_group(&place->hall, 3).origin;
    struct hs_stream stream = {origin, 3201, HS_LANE_MONEY};
    world_note_path(&place->hall, note);
    world_close(&place->hall);
    assert_int_equal(unlink(note), 0);    /* a strike is due, and cannot be written */
    place->hall.options.map_bytes = 4096; /* no page is free: reading is all that can be done */
    world_open(&place->hall, false);
    assert_non_null(hs_store_break(place->hall.store));
    assert_int_equal(hs_view_open(place->hall.store, 0, 0, &view), HS_OK);
    struct hs_head head;
    assert_int_equal(hs_view_head(view, &stream, &head), HS_OK);
    hs_view_close(view);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    struct world_fact fact = world_money(77);
    struct hs_dot dot;
    assert_int_equal(world_write(&place->hall, &fact, &dot), HS_EFULL);
    hs_store_abort(place->hall.store);
    world_close(&place->hall);
    place->hall.options.map_bytes = WORLD_MAP_BYTES;
    world_open(&place->hall, false);
    expect_fresh_origin(&place->hall, origin, "restarted");
}

/* ---- killed at any instant ---- */

#define ROUNDS    8
#define GROUP_MAX 9

/* What the child tells after each commit. */
struct told {
    uint64_t commit, origin, n, made;
};

static uint64_t random_state;

static uint64_t random_below(uint64_t bound)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % bound;
}

static void write_until_killed(struct world_node *node, bool create, int out)
{
    struct hs_commit commit;
    world_open(node, create);
    for (;;) {
        struct hs_dot dot = {0};
        bool ok = hs_store_begin(node->store) == HS_OK;
        for (uint64_t i = 1 + random_below(GROUP_MAX); ok && i > 0; i--) {
            struct world_fact fact = world_money(node->made + 1);
            ok = world_write(node, &fact, &dot) == HS_OK;
            node->made++;
        }
        ok = ok && hs_store_commit(node->store, &commit) == HS_OK;
        struct told told = {commit.position.commit, dot.origin, dot.n, node->made};
        if (!ok || write(out, &told, sizeof told) != sizeof told)
            _exit(1);
        if (random_below(10) == 0 && hs_store_flush(node->store) != HS_OK)
            _exit(1);
    }
}

/* Run a child that writes, kill it, and answer the last thing that it said. */
static struct told run_and_kill(struct place *place, bool create)
{
    int ends[2];
    struct told told = {0};
    struct told next;
    assert_int_equal(pipe(ends), 0);
    uint64_t wait_us = random_below(60000);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        write_until_killed(&place->hall, create, ends[1]);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &told, sizeof told), sizeof told);
    nanosleep(&(struct timespec){0, (long)wait_us * 1000}, NULL);
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(ends[0], &next, sizeof next) == sizeof next)
        told = next;
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    return told;
}

/* Answers how many facts there are, those that were made and not told included. */
static uint64_t expect_all(struct world_node *node, const struct told *told)
{
    struct hs_stream stream = {told->origin, 3201, HS_LANE_MONEY};
    struct hs_view *view = world_view(node);
    struct hs_head head;
    assert_int_equal(hs_view_head(view, &stream, &head), HS_OK);
    assert_true(head.n >= told->n);
    assert_true(head.n <= told->n + GROUP_MAX); /* one commit may have been made and not told */
    assert_true(hs_store_position(node->store).commit >= told->commit);
    for (uint64_t number = 1; number <= told->made; number++) {
        struct hs_id id = world_fact_id(node, number);
        struct hs_record_name name = {3201, HS_LANE_MONEY, WORLD_KIND_FACT, HS_BYTES(id.bytes, sizeof id.bytes)};
        struct hs_stored stored;
        assert_int_equal(hs_view_record(view, &name, &stored), HS_OK);
    }
    hs_view_close(view);
    return head.n;
}

static void nothing_told_is_lost_by_a_kill(void **state)
{
    struct place *place = *state;
    uint64_t origin = 0;
    const char *given = getenv("HS_SEED") != NULL ? getenv("HS_SEED") : getenv("HS_TURN");
    random_state = given == NULL ? (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32 : strtoull(given, NULL, 10);
    print_message("HS_SEED=%llu\n", (unsigned long long)random_state);
    for (int round = 0; round < ROUNDS; round++) {
        struct told told = run_and_kill(place, round == 0);
        assert_true(origin == 0 || told.origin == origin); /* the note outlives the process: same origin */
        origin = told.origin;
        world_open(&place->hall, false);
        assert_null(hs_store_break(place->hall.store));
        place->hall.made = expect_all(&place->hall, &told);
        struct hs_hash digests = world_digests(&place->hall);
        assert_int_equal(hs_store_rebuild(place->hall.store), HS_OK);
        struct hs_hash rebuilt = world_digests(&place->hall);
        assert_true(hs_hash_equal(&digests, &rebuilt));
        world_close(&place->hall);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_clean_stop_and_start_is_continuous),
        TEST(a_store_that_has_not_written_has_nothing_to_strike),
        TEST(a_reboot_takes_the_note_and_the_origin_with_it),
        TEST(a_note_of_the_commit_before_is_enough_and_an_older_is_not),
        TEST(a_start_notes_what_it_shows_though_it_writes_nothing),
        TEST(an_older_state_put_back_in_place_is_found_out),
        TEST(two_clones_write_under_origins_of_their_own),
        TEST(the_same_copy_put_back_twice_gives_two_origins),
        TEST(a_copy_moved_into_place_is_another_file),
        TEST(without_a_tmpfs_every_start_is_a_break),
        TEST(what_an_older_copy_lacks_comes_back_from_a_hub),
        TEST(a_store_is_in_doubt_from_its_making_on),
        TEST(a_reboot_brings_new_doubt),
        TEST(an_older_copy_is_in_doubt),
        TEST(doubt_of_a_clock_that_was_put_right_counts_from_then),
        TEST(a_full_disk_does_not_take_the_doubt_away),
        TEST(lost_or_strange_records_are_made_anew),
        TEST(a_rotten_record_does_not_stop_what_is_written_to_it),
        TEST(a_rotten_record_is_made_anew_when_it_is_read),
        TEST(records_that_cannot_be_written_any_more_go_with_their_file),
        TEST(records_ahead_of_an_older_log_are_made_anew),
        TEST(a_full_disk_does_not_keep_the_store_from_opening),
        TEST(nothing_told_is_lost_by_a_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
