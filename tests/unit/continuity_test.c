/* continuity_test.c -- storage/log/continuity: what a note proves, and what makes it worthless. */
#include "tests/lib/store_world.h"

#include "storage/log/continuity.h"

#include <signal.h>
#include <sys/resource.h>

struct place {
    struct world_region region;
    char file[WORLD_PATH_BYTES]; /* stands for the data file */
    int data;
    struct hs_note *note;
};

#define STORE_ID 0x1234abcdULL
static const struct hs_position AT[] = {{50, 500}, {51, 511}, {52, 522}, {53, 533}};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    world_begin(&place->region);
    world_path(place->file, place->region.base, "data");
    place->data = open(place->file, O_RDWR | O_CREAT, 0600);
    return hs_note_open(place->region.notes, STORE_ID, place->data, &place->note) == HS_OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct place *place = *state;
    hs_note_close(place->note);
    close(place->data);
    world_end(&place->region);
    free(place);
    return 0;
}

static void reopen(struct place *place)
{
    hs_note_close(place->note);
    assert_int_equal(hs_note_open(place->region.notes, STORE_ID, place->data, &place->note), HS_OK);
}

static bool proves(struct place *place, const struct hs_position *last, const struct hs_position *before)
{
    struct hs_note_claim claim = {*last, *before, 7};
    return hs_note_doubt(place->note, &claim) == NULL;
}

static void note_path(struct place *place, char path[static WORLD_PATH_BYTES])
{
    world_path(path, place->region.notes, "hallsync-000000001234abcd.note");
}

static void a_note_proves_the_last_and_the_last_but_one_commit(void **state)
{
    struct place *place = *state;
    assert_false(proves(place, &AT[1], &AT[0])); /* new: says nothing yet */
    assert_int_equal(hs_note_write(place->note, &AT[0], 7), HS_OK);
    assert_int_equal(hs_note_write(place->note, &AT[1], 7), HS_OK);
    reopen(place);
    assert_true(proves(place, &AT[1], &AT[0]));
    assert_true(proves(place, &AT[2], &AT[1]));  /* killed between commit and note */
    assert_false(proves(place, &AT[3], &AT[2])); /* two on: not by this note's keeper */
    assert_false(proves(place, &AT[0], &(struct hs_position){49, 490}));
    struct hs_position twin = {51, 99}; /* the same number in another history */
    assert_false(proves(place, &twin, &AT[0]));
    struct hs_note_claim claim = {AT[1], AT[0], 8};
    assert_non_null(hs_note_doubt(place->note, &claim)); /* another origin's */
}

static void a_note_is_of_one_file(void **state)
{
    struct place *place = *state;
    char copy[WORLD_PATH_BYTES];
    assert_int_equal(hs_note_write(place->note, &AT[1], 7), HS_OK);
    close(place->data);
    world_path(copy, place->region.base, "copy");
    place->data = open(copy, O_RDWR | O_CREAT, 0600);
    reopen(place);
    assert_false(proves(place, &AT[1], &AT[0]));
}

static void a_note_that_is_gone_garbled_or_of_another_start_proves_nothing(void **state)
{
    struct place *place = *state;
    char path[WORLD_PATH_BYTES];
    uint8_t note[512];
    assert_int_equal(hs_note_write(place->note, &AT[1], 7), HS_OK);
    note_path(place, path);
    int fd = open(path, O_RDWR);
    ssize_t size = read(fd, note, sizeof note);
    assert_true(size > 64);
    for (ssize_t i = 0; i < size; i++) { /* boot id and all: nothing of it may differ */
        uint8_t bad = note[i] ^ 0x10;
        assert_int_equal(pwrite(fd, &bad, 1, i), 1);
        assert_false(proves(place, &AT[1], &AT[0]));
        assert_int_equal(pwrite(fd, &note[i], 1, i), 1);
    }
    assert_true(proves(place, &AT[1], &AT[0]));
    close(fd);
    assert_int_equal(unlink(path), 0);
    reopen(place);
    assert_false(proves(place, &AT[1], &AT[0]));
}

static void a_note_has_one_keeper(void **state)
{
    struct place *place = *state;
    struct hs_note *second = NULL;
    struct hs_note_claim claim = {AT[1], AT[0], 7};
    assert_int_equal(hs_note_write(place->note, &AT[1], 7), HS_OK);
    assert_int_equal(hs_note_open(place->region.notes, STORE_ID, place->data, &second), HS_OK);
    assert_non_null(strstr(hs_note_doubt(second, &claim), "another process"));
    assert_int_equal(hs_note_write(second, &AT[3], 7), HS_OK); /* keeps none: nothing to fail */
    hs_note_close(second);
    assert_true(proves(place, &AT[1], &AT[0]));
}

static void only_a_tmpfs_keeps_a_note(void **state)
{
    struct place *place = *state;
    struct hs_note *note = NULL;
    struct hs_note_claim claim = {AT[1], AT[0], 7};
    assert_int_equal(hs_note_open(place->region.base, STORE_ID, place->data, &note), HS_OK);
    assert_int_equal(hs_note_write(note, &AT[1], 7), HS_OK);
    const char *doubt = hs_note_doubt(note, &claim);
    assert_non_null(doubt);
    assert_non_null(strstr(doubt, "tmpfs"));
    hs_note_close(note);
    assert_int_equal(hs_note_open("/nowhere/at/all", STORE_ID, place->data, &note), HS_OK);
    assert_non_null(hs_note_doubt(note, &claim));
    hs_note_close(note);
}

static void a_second_name_or_a_link_is_not_trusted(void **state)
{
    struct place *place = *state;
    char path[WORLD_PATH_BYTES];
    char other[WORLD_PATH_BYTES];
    assert_int_equal(hs_note_write(place->note, &AT[1], 7), HS_OK);
    note_path(place, path);
    world_path(other, place->region.notes, "other");
    assert_int_equal(link(path, other), 0);
    reopen(place);
    assert_false(proves(place, &AT[1], &AT[0]));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(other, path), 0);
    reopen(place);
    assert_false(proves(place, &AT[1], &AT[0]));
}

static void a_note_that_cannot_be_written_is_given_up(void **state)
{
    struct place *place = *state;
    char path[WORLD_PATH_BYTES];
    note_path(place, path);
    assert_int_equal(hs_note_write(place->note, &AT[1], 7), HS_OK);
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 16; /* stands for a tmpfs that fails */
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    enum hs_err err = hs_note_write(place->note, &AT[2], 7);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(err, HS_EIO);
    assert_int_equal(access(path, F_OK), -1);
    assert_false(proves(place, &AT[1], &AT[0]));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_note_proves_the_last_and_the_last_but_one_commit),
        TEST(a_note_is_of_one_file),
        TEST(a_note_that_is_gone_garbled_or_of_another_start_proves_nothing),
        TEST(a_note_has_one_keeper),
        TEST(only_a_tmpfs_keeps_a_note),
        TEST(a_second_name_or_a_link_is_not_trusted),
        TEST(a_note_that_cannot_be_written_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
