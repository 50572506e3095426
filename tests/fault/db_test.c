/* db_test.c -- storage/db: a transaction remembers its first failure, its commit answers it, and nothing of it is
 * there; an environment that could not be opened can be opened afterwards. */
#include "tests/fault/fault.h"

#include "storage/db/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define AHEAD_BYTES   ((size_t)1 << 20)
#define MAP_BYTES     ((size_t)64 << 20)

enum { FIRST, SECOND, TABLE_COUNT };
static const char *const NAMES[TABLE_COUNT] = {"first", "second"};

struct place {
    char dir[256];
    struct hs_env *env;
    size_t map_bytes; /* 0: MAP_BYTES */
    size_t ahead_bytes;
    uint64_t tries;
};

static enum hs_err open_env(struct place *place)
{
    struct hs_why why = {{0}};
    struct hs_env_options options = {.path = place->dir,
                                     .tables = NAMES,
                                     .table_count = TABLE_COUNT,
                                     .map_bytes = place->map_bytes == 0 ? MAP_BYTES : place->map_bytes,
                                     .ahead_bytes = place->ahead_bytes,
                                     .create = true};
    enum hs_err err = hs_env_open(&options, &place->env, &why);
    if (err != HS_OK) {
        assert_null(place->env);
        assert_true(why.text[0] != '\0');
    }
    return err;
}

static void close_env(struct place *place)
{
    hs_env_close(place->env);
    place->env = NULL;
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    const char *tmp = getenv("TMPDIR");
    if (place == NULL)
        return -1;
    *state = place;
    snprintf(place->dir, sizeof place->dir, "%s/hallsync-fault-XXXXXX", tmp == NULL ? "/tmp" : tmp);
    return mkdtemp(place->dir) == NULL ? -1 : open_env(place) == HS_OK ? 0 : -1;
}

static void remove_env(struct place *place)
{
    static const char *const FILES[] = {"/data.mdb", "/lock.mdb", ""};
    close_env(place);
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        char path[300];
        snprintf(path, sizeof path, "%s%s", place->dir, FILES[i]);
        remove(path);
    }
}

static int teardown(void **state)
{
    struct place *place = *state;
    fault_report(NULL);
    remove_env(place);
    free(place);
    return 0;
}

/* ---- opening ---- */

static void open_once(void *ctx)
{
    struct place *place = ctx;
    close_env(place);
    fault_begin();
    enum hs_err err = open_env(place);
    fault_end();
    fault_assert_named(err);
    close_env(place);
    assert_int_equal(open_env(place), HS_OK);
}

static void an_environment_that_was_not_opened_can_be(void **state)
{
    fault_each("opening an environment",
               FAULT_OF_MEMORY | FAULT_BIT(FAULT_DB_MEMORY) | FAULT_BIT(FAULT_DB_IO) | FAULT_BIT(FAULT_DB_ODD) |
                   FAULT_BIT(FAULT_FILE_IO) | FAULT_BIT(FAULT_FILE_FULL),
               open_once, *state);
}

/* ---- one transaction that does everything ---- */

static struct hs_bytes key_of(uint64_t number, uint8_t key[static 8])
{
    hs_be64(key, number);
    return HS_BYTES(key, 8);
}

static uint64_t rows(struct place *place, hs_table table)
{
    struct hs_txn txn;
    assert_int_equal(hs_txn_begin(place->env, false, &txn), HS_OK);
    uint64_t count = hs_txn_count(&txn, table);
    assert_int_equal(txn.err, HS_OK);
    hs_txn_abort(&txn);
    return count;
}

static bool has(struct place *place, hs_table table, uint64_t number)
{
    uint8_t key[8];
    struct hs_bytes value;
    struct hs_txn txn;
    assert_int_equal(hs_txn_begin(place->env, false, &txn), HS_OK);
    enum hs_err err = hs_txn_get(&txn, table, key_of(number, key), &value);
    assert_true(err == HS_OK || err == HS_ENOTFOUND);
    hs_txn_abort(&txn);
    return err == HS_OK;
}

static void walk(struct hs_txn *txn)
{
    struct hs_scan scan;
    hs_scan_begin(&scan, txn, FIRST, HS_BYTES_NONE, HS_BYTES_NONE);
    bool last = hs_scan_last(&scan, HS_BYTES_NONE);
    bool before = last && hs_scan_prev(&scan);
    bool after = before && hs_scan_next(&scan);
    /* A row that is missed without an error would be one lost. */
    assert_true(txn->err != HS_OK || after);
    hs_scan_end(&scan);
}

static void fill(struct hs_txn *txn, uint64_t number)
{
    uint8_t key[8];
    struct hs_bytes value;
    hs_txn_append(txn, FIRST, key_of(number, key), TEXT("appended"));
    hs_txn_put(txn, SECOND, key_of(number, key), TEXT("put"));
    void *at = hs_txn_reserve(txn, SECOND, key_of(number + 1, key), 4);
    assert_true((at == NULL) == (txn->err != HS_OK));
    if (at != NULL)
        memcpy(at, "four", 4);
    hs_txn_delete(txn, SECOND, key_of(1, key));
    hs_txn_delete(txn, SECOND, key_of(1, key));
    enum hs_err err = hs_txn_get(txn, FIRST, key_of(number, key), &value);
    assert_true(err == (txn->err == HS_OK ? HS_OK : txn->err));
    walk(txn);
    assert_true(hs_txn_count(txn, FIRST) >= 2 || txn->err != HS_OK);
}

static void write_once(void *ctx)
{
    struct place *place = ctx;
    uint64_t number = 2 * ++place->tries + 10;
    uint64_t before[] = {rows(place, FIRST), rows(place, SECOND)};
    struct hs_txn txn;
    fault_begin();
    enum hs_err err = hs_txn_begin(place->env, true, &txn);
    if (err == HS_OK) {
        fill(&txn, number);
        enum hs_err sticky = txn.err;
        err = hs_txn_commit(&txn);
        assert_true(sticky == HS_OK || err == sticky);
    }
    fault_end();
    fault_assert_named(err);
    assert_null(txn.handle);
    bool there = err == HS_OK || fault_kind() == FAULT_DB_LATE_IO || fault_kind() == FAULT_DB_LATE_FULL;
    assert_true(has(place, FIRST, number) == there && has(place, SECOND, number) == there);
    if (!there) {
        assert_int_equal(rows(place, FIRST), before[FIRST]);
        assert_int_equal(rows(place, SECOND), before[SECOND]);
    }
}

static void a_failed_transaction_leaves_nothing(void **state)
{
    struct place *place = *state;
    struct hs_txn txn;
    uint8_t key[8];
    assert_int_equal(hs_txn_begin(place->env, true, &txn), HS_OK);
    for (uint64_t i = 1; i < 4; i++)
        hs_txn_put(&txn, FIRST, key_of(i, key), TEXT("before"));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    fault_each("a transaction", FAULT_OF_DB | FAULT_OF_LATE, write_once, place);
}

/* The first commit of an environment writes zeros ahead of what it needs: best effort. */
static void write_ahead_once(void *ctx)
{
    struct place *place = ctx;
    uint8_t key[8];
    uint64_t number = ++place->tries;
    struct hs_txn txn;
    remove_env(place);
    assert_int_equal(open_env(place), HS_OK);
    assert_int_equal(hs_txn_begin(place->env, true, &txn), HS_OK);
    hs_txn_put(&txn, SECOND, key_of(number, key), TEXT("put"));
    fault_begin();
    enum hs_err err = hs_txn_commit(&txn);
    fault_end();
    assert_int_equal(err, HS_OK);
    assert_true(has(place, SECOND, number));
}

static void a_commit_stands_though_nothing_can_be_written_ahead(void **state)
{
    struct place *place = *state;
    place->ahead_bytes = AHEAD_BYTES;
    fault_each("writing ahead", FAULT_OF_FILES, write_ahead_once, place);
}

static void empty_once(void *ctx)
{
    struct place *place = ctx;
    struct hs_txn txn;
    uint8_t key[8];
    assert_int_equal(hs_txn_begin(place->env, true, &txn), HS_OK);
    hs_txn_put(&txn, FIRST, key_of(1, key), TEXT("before"));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    fault_begin();
    enum hs_err err = hs_txn_begin(place->env, true, &txn);
    if (err == HS_OK) {
        hs_txn_empty(&txn, FIRST);
        err = hs_txn_commit(&txn);
    }
    fault_end();
    fault_assert_named(err);
    assert_int_equal(rows(place, FIRST), err == HS_OK ? 0 : 1);
}

static void a_table_is_emptied_or_is_not(void **state)
{
    fault_each("emptying", FAULT_OF_DB, empty_once, *state);
}

static void fill_once(void *ctx)
{
    struct place *place = ctx;
    struct hs_txn txn;
    assert_int_equal(hs_txn_begin(place->env, true, &txn), HS_OK);
    fault_begin();
    hs_txn_put(&txn, FIRST, TEXT("a"), TEXT("1"));
    fault_end();
    if (txn.err != HS_OK)
        assert_int_equal(txn.err, place->map_bytes == 0 ? HS_EFULL : HS_EDAMAGED);
    hs_txn_abort(&txn);
}

/* Found by flipping bits: a node on a nearly empty disk said that it was full. */
static void a_map_with_room_for_a_transaction_is_not_full(void **state)
{
    struct place *place = *state;
    for (int large = 0; large < 2; large++) {
        close_env(place);
        place->map_bytes = large ? (size_t)3 << 30 : 0;
        assert_int_equal(open_env(place), HS_OK);
        fault_each("filling", FAULT_BIT(FAULT_DB_FULL), fill_once, place);
    }
}

/* ---- reading ---- */

static void park_once(void *ctx)
{
    struct place *place = ctx;
    struct hs_txn txn = {0};
    fault_begin();
    enum hs_err err = hs_txn_begin(place->env, false, &txn);
    if (err == HS_OK) {
        hs_txn_park(&txn);
        err = hs_txn_renew(&txn);
    }
    if (err == HS_OK)
        err = hs_env_check_readers(place->env);
    fault_end();
    fault_assert_named(err);
    hs_txn_abort(&txn);
    rows(place, FIRST); /* the slot is free again */
}

static void a_reader_is_parked_and_taken_up(void **state)
{
    fault_each("a reader", FAULT_BIT(FAULT_DB_MEMORY) | FAULT_BIT(FAULT_DB_IO) | FAULT_BIT(FAULT_DB_ODD), park_once,
               *state);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(an_environment_that_was_not_opened_can_be),           IN_PLACE(a_failed_transaction_leaves_nothing),
        IN_PLACE(a_commit_stands_though_nothing_can_be_written_ahead), IN_PLACE(a_table_is_emptied_or_is_not),
        IN_PLACE(a_map_with_room_for_a_transaction_is_not_full),       IN_PLACE(a_reader_is_parked_and_taken_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
