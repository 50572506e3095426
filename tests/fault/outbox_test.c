/* outbox_test.c -- the file of a counter's outbox while calls fail: a request that was said to be kept is there at the
 * next opening, whatever failed; what was there before is, too; and the file can be opened and written on. */
#include "tests/fault/fault.h"

#include "node/client/outbox_file.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROUNDS     6
#define BIG        60000 /* a few of them make it worth making the file anew */
#define PATH_BYTES 96

static char path[PATH_BYTES], beside[PATH_BYTES + 4];
static uint8_t big[BIG];

static void id_of(unsigned number, uint8_t id[16])
{
    memset(id, (int)number + 1, 16);
}

static int add(struct hs_box *box, unsigned number)
{
    uint8_t id[16];
    id_of(number, id);
    return hs_box_add(box, number, id, big, sizeof big);
}

static bool holds(const struct hs_box *box, unsigned number)
{
    uint8_t id[16];
    id_of(number, id);
    return hs_box_find(box, id) < box->count;
}

/* One request that stays, and some that come and go: so the file is made anew, too. */
static void work(struct hs_box *box, bool kept[static ROUNDS + 1])
{
    struct hs_box_position told = {.commit = 7, .tag = 8, .store = 9};
    for (unsigned i = 1; i <= ROUNDS; i++) {
        kept[i] = add(box, i) == 0;
        if (!kept[i] || i == ROUNDS)
            continue;
        hs_box_answered(box, box->count - 1, &told); /* a note that fails costs a sending more */
        hs_box_done(box, box->count - 1);
        kept[i] = false;
    }
}

static void attempt(void *ctx)
{
    struct hs_box box;
    bool kept[ROUNDS + 1] = {false};
    (void)ctx;
    unlink(path);
    unlink(beside);
    assert_int_equal(hs_box_open(&box, path), 0);
    assert_int_equal(add(&box, 0), 0);
    hs_box_close(&box);
    fault_begin();
    if (hs_box_open(&box, path) == 0) {
        work(&box, kept);
        hs_box_close(&box);
    }
    fault_end();
    assert_int_equal(hs_box_open(&box, path), 0);
    assert_true(holds(&box, 0));
    assert_true(!kept[ROUNDS] || holds(&box, ROUNDS));
    assert_int_equal(add(&box, 50), 0);
    hs_box_close(&box);
    assert_int_equal(hs_box_open(&box, path), 0);
    assert_true(holds(&box, 0) && holds(&box, 50));
    hs_box_close(&box);
}

static void what_is_kept_stays_kept(void **state)
{
    (void)state;
    fault_each("an outbox", FAULT_OF_MEMORY | FAULT_OF_FILES, attempt, NULL);
}

static int set_up(void **state)
{
    const char *dir = getenv("TMPDIR");
    (void)state;
    if (sodium_init() < 0)
        return -1;
    snprintf(path, sizeof path, "%s/hallsync-outbox.%ld", dir != NULL ? dir : "/tmp", (long)getpid());
    snprintf(beside, sizeof beside, "%s.new", path);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    unlink(beside);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {fault_test(what_is_kept_stays_kept)};
    return cmocka_run_group_tests_name("outbox faults", tests, set_up, tear_down);
}
