/* disk_test.c -- tests/power/disk: what a power cut may leave and what not, by small journals. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/power/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_BYTES 16384
#define SEEDS      200
#define ROOT       1
#define DIR        2
#define FILE       3

struct place {
    char base[64];
    char journal_path[96];
    char image[96];
    char found[160];
    struct journal *journal;
    struct disk *disk;
    uint8_t bytes[FILE_BYTES];
    ssize_t size; /* -1: no such file */
};

static void put(struct place *place, enum journal_sort sort, uint64_t file, const char *path)
{
    struct journal_entry entry = {
        .sort = sort, .file = file, .path_bytes = path == NULL ? 0 : (uint32_t)strlen(path) + 1};
    journal_put(place->journal, &entry, path, NULL, 0);
}

static void put_write(struct place *place, uint64_t at, size_t size, uint8_t byte)
{
    static uint8_t bytes[FILE_BYTES];
    struct journal_entry entry = {.sort = JOURNAL_WRITE, .file = FILE, .at = at};
    struct iovec data = {bytes, size};
    memset(bytes, byte, size);
    journal_put(place->journal, &entry, NULL, &data, 1);
}

static void put_range_end(struct place *place, uint64_t at, uint64_t size)
{
    struct journal_entry entry = {.sort = JOURNAL_RANGE_END, .file = FILE, .at = at, .size = size};
    journal_put(place->journal, &entry, NULL, NULL, 0);
}

static void put_sync(struct place *place, uint64_t file)
{
    put(place, JOURNAL_SYNC_BEGIN, file, NULL);
    put(place, JOURNAL_SYNC_END, file, NULL);
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    snprintf(place->base, sizeof place->base, "/tmp/hallsync-disk-XXXXXX");
    if (mkdtemp(place->base) == NULL)
        return -1;
    snprintf(place->journal_path, sizeof place->journal_path, "%s/journal", place->base);
    snprintf(place->image, sizeof place->image, "%s/image", place->base);
    place->journal = journal_make(place->journal_path, 1 << 20);
    place->disk = disk_new();
    put(place, JOURNAL_ROOT, ROOT, NULL);
    put(place, JOURNAL_MKDIR, DIR, "d");
    put_sync(place, ROOT);
    return place->journal == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    journal_close(place->journal);
    disk_free(place->disk);
    unlink(place->journal_path);
    rmdir(place->base);
    free(place);
    return 0;
}

/* A file of the folder whose name and size are on disk. */
static void put_file(struct place *place)
{
    put(place, JOURNAL_CREATE, FILE, "d/f");
    put_write(place, 0, FILE_BYTES, 'a');
    put_sync(place, FILE);
    put_sync(place, DIR);
}

static void take_all(struct place *place)
{
    for (const struct journal_entry *entry = journal_next(place->journal, NULL); entry != NULL;
         entry = journal_next(place->journal, entry))
        disk_step(place->disk, entry);
}

/* What a cut leaves of d/NAME. */
static void cut(struct place *place, enum disk_cut kind, uint64_t seed, const char *name)
{
    assert_true(disk_image(place->disk, "d", kind, seed, place->image));
    snprintf(place->found, sizeof place->found, "%s/%s", place->image, name);
    int fd = open(place->found, O_RDONLY);
    place->size = fd < 0 ? -1 : read(fd, place->bytes, sizeof place->bytes);
    if (fd >= 0) {
        close(fd);
        unlink(place->found);
    }
    assert_int_equal(rmdir(place->image), 0); /* nothing else was in it */
}

/* How many of the first so many blocks of 512 bytes hold this byte; -1 if one is of two sorts. */
static int sectors(const struct place *place, uint8_t byte)
{
    int count = 0;
    for (ssize_t at = 0; at < place->size; at += 512) {
        assert_memory_equal(place->bytes + at, place->bytes + at + 1, 511);
        count += place->bytes[at] == byte;
    }
    return count;
}

static void what_is_not_synced_may_be_gone_or_there(void **state)
{
    struct place *place = *state;
    put_file(place);
    put_write(place, 4096, 4096, 'b');
    take_all(place);
    assert_int_equal(disk_pending(place->disk, "d"), 1);
    cut(place, DISK_NONE, 0, "f");
    assert_int_equal(sectors(place, 'b'), 0);
    cut(place, DISK_ALL, 0, "f");
    assert_int_equal(sectors(place, 'b'), 8);
}

static void what_is_synced_stays(void **state)
{
    struct place *place = *state;
    put_file(place);
    put_write(place, 4096, 4096, 'b');
    put_sync(place, FILE);
    take_all(place);
    assert_int_equal(disk_pending(place->disk, "d"), 0);
    for (int kind = 0; kind < DISK_CUTS; kind++) {
        cut(place, (enum disk_cut)kind, 1, "f");
        assert_int_equal(place->size, FILE_BYTES);
        assert_int_equal(sectors(place, 'b'), 8);
    }
}

/* It was on its way when the sync had begun: not part of it. */
static void a_write_during_a_sync_is_not_synced(void **state)
{
    struct place *place = *state;
    put_file(place);
    put(place, JOURNAL_SYNC_BEGIN, FILE, NULL);
    put_write(place, 0, 512, 'b');
    put(place, JOURNAL_SYNC_END, FILE, NULL);
    take_all(place);
    cut(place, DISK_NONE, 0, "f");
    assert_int_equal(sectors(place, 'b'), 0);
}

static void a_synchronous_write_stays_and_takes_its_block_along(void **state)
{
    struct place *place = *state;
    put_file(place);
    put_write(place, 512, 512, 'b');
    put_write(place, 8192, 512, 'b');
    put_write(place, 0, 512, 'c');
    put_range_end(place, 0, 512);
    take_all(place);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        cut(place, (enum disk_cut)(seed % DISK_CUTS), seed, "f");
        assert_int_equal(place->bytes[0], 'c');
        assert_int_equal(place->bytes[512], 'b');
    }
    cut(place, DISK_NONE, 0, "f");
    assert_int_equal(place->bytes[8192], 'a');
}

/* Every mixture is found in the end, and no sector is ever torn. */
static void writes_are_lost_torn_and_reordered(void **state)
{
    struct place *place = *state;
    bool torn = false;
    bool second_only = false;
    put_file(place);
    put_write(place, 0, 4096, 'b');
    put_write(place, 4096, 4096, 'c');
    take_all(place);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        cut(place, DISK_TORN, seed, "f");
        torn = torn || (sectors(place, 'b') > 0 && sectors(place, 'b') < 8);
        assert_true(sectors(place, 'c') == 0 || sectors(place, 'b') == 8); /* in order */
        cut(place, DISK_REORDER, seed, "f");
        second_only = second_only || (sectors(place, 'b') == 0 && sectors(place, 'c') == 8);
        cut(place, DISK_SUBSET, seed, "f");
        second_only = second_only || (sectors(place, 'b') == 0 && sectors(place, 'c') == 8);
    }
    assert_true(torn);
    assert_true(second_only);
}

static void a_name_needs_its_directory_synced(void **state)
{
    struct place *place = *state;
    put(place, JOURNAL_CREATE, FILE, "d/f");
    put_write(place, 0, 4096, 'b');
    put_sync(place, FILE);
    take_all(place);
    cut(place, DISK_NONE, 0, "f");
    assert_int_equal(place->size, -1);
    cut(place, DISK_ALL, 0, "f");
    assert_int_equal(place->size, 4096);
}

static void a_rename_is_there_or_not_and_never_half(void **state)
{
    static const char names[] = "d/f\0d/g";
    struct place *place = *state;
    struct journal_entry entry = {.sort = JOURNAL_RENAME, .path_bytes = sizeof names};
    put_file(place);
    journal_put(place->journal, &entry, names, NULL, 0);
    take_all(place);
    cut(place, DISK_NONE, 0, "f");
    assert_int_equal(place->size, FILE_BYTES);
    cut(place, DISK_ALL, 0, "g");
    assert_int_equal(place->size, FILE_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_not_synced_may_be_gone_or_there, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_synced_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(a_write_during_a_sync_is_not_synced, setup, teardown),
        cmocka_unit_test_setup_teardown(a_synchronous_write_stays_and_takes_its_block_along, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_are_lost_torn_and_reordered, setup, teardown),
        cmocka_unit_test_setup_teardown(a_name_needs_its_directory_synced, setup, teardown),
        cmocka_unit_test_setup_teardown(a_rename_is_there_or_not_and_never_half, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
