/* store_open_test.c -- making, opening, closing and rebuilding a store while something fails: it is refused by name and
 * can be opened afterwards, with everything that was acknowledged; and an origin whose continuity is not proven is
 * never written on, whatever failed meanwhile. */
#include "tests/fault/store_place.h"
#include "tests/lib/store_rot.h"
#include "tests/lib/store_schema.h"

#define OPEN_KINDS (FAULT_OF_MEMORY | FAULT_OF_DB | FAULT_OF_LATE | FAULT_OF_FILES)

static void expect_refused(enum hs_err err, const struct hs_store *store, const struct hs_why *why)
{
    fault_assert_named(err);
    if (err == HS_OK)
        return;
    assert_null(store);
    assert_true(why->text[0] != '\0');
}

/* ---- a new store ---- */

struct making {
    struct place *place;
    struct world_node node;
    uint64_t number;
};

static enum hs_err make(struct making *making, bool create, struct hs_why *why)
{
    making->node.store = NULL;
    making->node.options.create = create;
    return hs_store_open(&making->node.options, &making->node.store, why);
}

/* What could not be finished can be made again in the same place, or was finished. */
static void make_once(void *ctx)
{
    struct making *making = ctx;
    struct hs_why why = {{0}};
    char id[HS_NODE_ID_BYTES_MAX];
    snprintf(id, sizeof id, "nj-new-%llu", (unsigned long long)++making->number);
    world_add(&making->place->region, &making->node, id, HS_ROLE_HALL);
    fault_begin();
    enum hs_err err = make(making, true, &why);
    fault_end();
    expect_refused(err, making->node.store, &why);
    if (err != HS_OK) {
        err = make(making, true, &why);
        if (err == HS_EEXISTS)
            err = make(making, false, &why);
    }
    assert_int_equal(err, HS_OK);
    struct hs_dot dot = world_group(&making->node, 1);
    assert_int_equal(dot.n, 1);
    holdings(&making->node);
    world_drop(&making->node);
    world_remove(making->node.dir);
}

static void a_store_half_made_can_be_made_again(void **state)
{
    struct making making = {.place = *state};
    fault_each("making a store", OPEN_KINDS, make_once, &making);
}

/* ---- a store that is there ---- */

struct opening {
    struct place *place;
    char older[WORLD_PATH_BYTES]; /* records of a while ago */
    bool doubtful;                /* the continuity note is gone */
};

static void records_file(const struct world_node *node, char path[static WORLD_PATH_BYTES])
{
    char folder[WORLD_PATH_BYTES];
    world_path(folder, node->dir, "records");
    world_path(path, folder, "data.mdb");
}

static void forget_notes(const char *notes)
{
    world_remove(notes);
    assert_int_equal(mkdir(notes, 0700), 0);
}

/* Closed, with the records two commits behind the log.  What is held, and the origin that wrote last. */
static struct hs_hash leave_behind(struct opening *opening, uint64_t *origin)
{
    struct world_node *hall = &opening->place->hall;
    char records[WORLD_PATH_BYTES];
    records_file(hall, records);
    world_reopen(hall);
    world_group(hall, 1);
    world_close(hall);
    world_copy_file(records, opening->older);
    world_open(hall, false);
    world_group(hall, 2);
    *origin = world_group(hall, 1).origin;
    struct hs_hash held = holdings(hall);
    world_close(hall);
    world_copy_file(opening->older, records);
    if (opening->doubtful)
        forget_notes(opening->place->region.notes);
    return held;
}

static void open_once(void *ctx)
{
    struct opening *opening = ctx;
    struct world_node *hall = &opening->place->hall;
    struct hs_why why = {{0}};
    struct hs_store *store = NULL;
    uint64_t origin;
    struct hs_hash before = leave_behind(opening, &origin);
    fault_begin();
    enum hs_err err = hs_store_open(&hall->options, &store, &why);
    expect_refused(err, store, &why);
    hs_store_close(store);
    fault_end();
    world_open(hall, false);
    struct hs_hash after = holdings(hall);
    assert_true(hs_hash_equal(&before, &after));
    uint64_t current = world_current_origin(hall);
    assert_true(current == 0 || current == origin);
    assert_true(!opening->doubtful || current == 0);
    struct hs_dot dot = world_group(hall, 1);
    assert_true(current == 0 ? dot.origin != origin : dot.origin == origin);
}

static void run_opening(struct place *place, const char *name, bool doubtful)
{
    struct opening opening = {.place = place, .doubtful = doubtful};
    world_path(opening.older, place->region.base, "older.mdb");
    fault_each(name, OPEN_KINDS, open_once, &opening);
    assert_rebuilt_the_same(&place->hall);
}

static void a_store_that_was_refused_opens_the_next_time(void **state)
{
    run_opening(*state, "opening a store", false);
}

static void an_origin_in_doubt_is_not_written_on_whatever_fails(void **state)
{
    run_opening(*state, "opening a store without its note", true);
}

/* The old origin must not go on either when the doubt could not be written down: the disk is full at the start, and for
 * a while after it. */
static void write_on_once(void *ctx)
{
    struct opening *opening = ctx;
    struct world_node *hall = &opening->place->hall;
    struct hs_commit commit;
    struct hs_dot dot = {0};
    uint64_t origin;
    leave_behind(opening, &origin);
    fault_begin();
    enum hs_err err = hs_store_open(&hall->options, &hall->store, NULL);
    fault_assert_named(err);
    if (err != HS_OK) {
        fault_end();
        world_open(hall, false);
        fault_begin();
    }
    err = HS_EFULL;
    for (int i = 0; err == HS_EFULL && i < 100; i++) {
        struct world_fact fact = world_money(hall->made + 1);
        err = hs_store_begin(hall->store);
        if (err != HS_OK)
            continue;
        err = world_write(hall, &fact, &dot);
        if (err == HS_OK)
            err = hs_store_commit(hall->store, &commit);
        hs_store_abort(hall->store);
    }
    fault_end();
    assert_int_equal(err, HS_OK);
    hall->made++;
    assert_true(dot.origin != origin);
    holdings(hall);
}

static void an_origin_in_doubt_is_not_written_on_after_a_full_disk(void **state)
{
    struct place *place = *state;
    struct opening opening = {.place = place, .doubtful = true};
    world_path(opening.older, place->region.base, "older.mdb");
    for (uint64_t calls = 1; calls <= 16; calls *= 4)
        fault_each_while("writing on after a full disk", FAULT_BIT(FAULT_DB_FULL), calls, write_on_once, &opening);
}

/* ---- a store of an older schema ---- */

/* Migrated or as it was, never without the copy; and what found no room is migrated by the first group that does. */
static void migrate_once(void *ctx)
{
    struct place *place = ctx;
    struct world_node *hall = &place->hall;
    struct hs_store *store = NULL;
    struct hs_why why = {{0}};
    char kept[WORLD_PATH_BYTES];
    world_kept(hall, "meta", kept);
    world_remove(kept);
    struct hs_hash before = holdings(hall);
    world_put_schema(hall, 1);
    world_close(hall);
    fault_begin();
    enum hs_err err = hs_store_open(&hall->options, &store, &why);
    fault_end();
    expect_refused(err, store, &why);
    bool usable = err == HS_OK && hs_log_failed(store->log) == HS_OK;
    hall->store = store;
    if (!usable)
        world_reopen(hall);
    assert_true(world_schema(hall) == 1 || world_kept(hall, "meta", kept));
    struct hs_hash after = holdings(hall);
    assert_true(hs_hash_equal(&before, &after));
    world_group(hall, 1);
    assert_int_equal(world_schema(hall), LOG_SCHEMA);
    assert_true(world_kept(hall, "meta", kept));
    if (usable)
        assert_int_equal(hs_store_migrated(hall->store), 1);
}

static void a_store_is_migrated_behind_a_copy_or_not_at_all(void **state)
{
    struct place *place = *state;
    world_reopen(&place->hall);
    fault_each("migrating a store", OPEN_KINDS, migrate_once, place);
}

/* ---- rebuilding ---- */

static void rebuild_once(void *ctx)
{
    struct place *place = ctx;
    struct world_node *hall = &place->hall;
    struct hs_hash before = holdings(hall);
    fault_begin();
    enum hs_err err = hs_store_rebuild(hall->store);
    fault_end();
    fault_assert_named(err);
    if (store_failed(hall->store) == HS_OK) {
        struct hs_hash now = holdings(hall);
        assert_true(hs_hash_equal(&before, &now));
    }
    world_reopen(hall);
    struct hs_hash after = holdings(hall);
    assert_true(hs_hash_equal(&before, &after));
}

static void records_half_rebuilt_are_rebuilt_again(void **state)
{
    struct place *place = *state;
    for (int i = 0; i < 3; i++)
        world_group(&place->hall, 2);
    fault_each("rebuilding", FAULT_OF_MEMORY | FAULT_OF_DB | FAULT_OF_LATE, rebuild_once, place);
}

/* ---- what rotted ---- */

/* One of the last three operations, which nobody else has: what stands behind it goes with it, and all are in the
 * records still. */
static uint64_t leave_rotten(struct world_node *hall)
{
    struct hs_stream stream = money_of(world_group(hall, 3).origin);
    uint64_t records = world_record_count(hall), last = world_head(hall, &stream);
    world_close(hall);
    world_turn(hall, &stream, last - 1, ROW_OP, 40);
    world_open(hall, false);
    assert_int_equal(hs_store_begin(hall->store), HS_OK);
    assert_int_equal(hs_store_note_rot(hall->store, &stream, last - 2, last), HS_OK);
    assert_true(hs_store_wants_opening(hall->store));
    assert_int_equal(hs_store_commit(hall->store, &(struct hs_commit){0}), HS_OK);
    world_close(hall);
    return records;
}

static void heal_once(void *ctx)
{
    struct world_node *hall = ctx;
    struct hs_store *store = NULL;
    struct hs_why why = {{0}};
    uint64_t before = leave_rotten(hall);
    fault_begin();
    enum hs_err err = hs_store_open(&hall->options, &store, &why);
    expect_refused(err, store, &why);
    hs_store_close(store);
    fault_end();
    world_open(hall, false);
    assert_int_equal(world_record_count(hall), before);
    assert_int_equal(hs_store_begin(hall->store), HS_OK);
    assert_false(hs_store_wants_opening(hall->store));
    hs_store_abort(hall->store);
}

/* Without calls that say that pages are gone: records that cannot be read are made anew, and then only the log has it.
 */
static void what_is_issued_anew_is_not_lost_whatever_fails(void **state)
{
    struct place *place = *state;
    unsigned kinds = OPEN_KINDS & ~(FAULT_BIT(FAULT_DB_DAMAGE) | FAULT_BIT(FAULT_DB_ODD));
    fault_each("opening a store of which something rotted", kinds, heal_once, &place->hall);
    assert_rebuilt_the_same(&place->hall);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_store_half_made_can_be_made_again),
        IN_PLACE(a_store_that_was_refused_opens_the_next_time),
        IN_PLACE(an_origin_in_doubt_is_not_written_on_whatever_fails),
        IN_PLACE(an_origin_in_doubt_is_not_written_on_after_a_full_disk),
        IN_PLACE(a_store_is_migrated_behind_a_copy_or_not_at_all),
        IN_PLACE(records_half_rebuilt_are_rebuilt_again),
        IN_PLACE(what_is_issued_anew_is_not_lost_whatever_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
