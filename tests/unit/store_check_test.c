/* store_check_test.c -- a store read whole: sound ones, while they are written to, and each sort of damage. */
#include "tests/unit/store_place.h"

#include "storage/log/inside.h"
#include "storage/records/env.h"
#include "storage/store/inside.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, place_end)

static int setup(void **state)
{
    struct place *place = place_begin(state);
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    world_fill_empty(&place->hall);
    return 0;
}

/* ---- looking ---- */

struct seen {
    size_t count;
    struct hs_rotten rotten[64];
};

static enum hs_err keep(void *ctx, const struct hs_rotten *rotten)
{
    struct seen *seen = ctx;
    struct hs_buf text = {0};
    assert_true(seen->count < sizeof seen->rotten / sizeof *seen->rotten);
    hs_rotten_text(rotten, &text);
    assert_true(text.err == HS_OK && text.size > 10);
    hs_buf_fini(&text);
    seen->rotten[seen->count++] = *rotten; /* ids and texts are not looked at later */
    return HS_OK;
}

static void check_stopped(struct world_node *node, struct seen *seen)
{
    struct hs_check_options options = {.full = true, .visit = keep, .ctx = seen};
    struct hs_check_figures figures;
    struct hs_why why = {{0}};
    seen->count = 0;
    enum hs_err err = hs_check_dir(node->dir, &options, &figures, &why);
    if (err != HS_OK)
        fail_msg("%s: %s", hs_err_name(err), why.text);
    assert_int_equal(figures.found, seen->count);
}

/* In steps of @budget rows, @between each two of them. */
static void check_open(struct world_node *node, size_t budget, void (*between)(struct world_node *node),
                       struct seen *seen)
{
    struct hs_check_options options = {.full = true, .visit = keep, .ctx = seen};
    struct hs_check *check = NULL;
    seen->count = 0;
    assert_int_equal(hs_check_new(&options, &check), HS_OK);
    while (!hs_check_over(check)) {
        struct hs_view *view = NULL;
        assert_int_equal(hs_view_open(node->store, 0, 0, &view), HS_OK);
        assert_int_equal(hs_check_step(check, view, budget), HS_OK);
        hs_view_close(view);
        if (between != NULL)
            between(node);
    }
    hs_check_free(check);
}

/* ---- damage of a stopped store ---- */

struct rot {
    const char *part; /* "log" or "records" */
    hs_table table;
    struct hs_bytes prefix; /* of the key */
    size_t index;           /* of the row among these */
    size_t at;              /* byte of the value; beyond it: the last one */
};

static void turn(struct world_node *node, const struct rot *rot)
{
    char path[WORLD_PATH_BYTES];
    struct hs_env *env = NULL;
    struct hs_txn txn;
    struct hs_scan scan;
    uint8_t key[512], value[4096];
    world_path(path, node->dir, rot->part);
    enum hs_err err = strcmp(rot->part, "log") == 0 ? hs_log_inspect(path, WORLD_MAP_BYTES, &env, NULL)
                                                    : hs_records_inspect(path, WORLD_MAP_BYTES, &env, NULL);
    assert_int_equal(err, HS_OK);
    assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
    hs_scan_begin(&scan, &txn, rot->table, rot->prefix, HS_BYTES_NONE);
    for (size_t i = 0; i <= rot->index; i++)
        assert_true(hs_scan_next(&scan));
    assert_true(scan.value.size <= sizeof value && scan.key.size <= sizeof key);
    struct hs_bytes name = HS_BYTES(key, scan.key.size), row = HS_BYTES(value, scan.value.size);
    memcpy(key, scan.key.data, name.size);
    memcpy(value, scan.value.data, row.size);
    hs_scan_end(&scan);
    value[rot->at < row.size ? rot->at : row.size - 1] ^= 4;
    hs_txn_put(&txn, rot->table, name, row);
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_env_close(env);
}

static struct hs_stream stream_of(const struct hs_dot *dot)
{
    return (struct hs_stream){dot->origin, 3201, HS_LANE_MONEY};
}

/* The row of an op or a checkpoint. */
static void turn_row(struct world_node *node, const struct hs_stream *stream, uint64_t n, uint8_t row, size_t at)
{
    uint8_t key[OP_KEY_BYTES];
    log_op_key(stream, n, row, key);
    turn(node, &(struct rot){"log", LOG_OP, HS_BYTES(key, sizeof key), 0, at});
}

static void expect_one(const struct seen *seen, enum hs_rot sort, uint64_t first, uint64_t last)
{
    assert_int_equal(seen->count, 1);
    assert_int_equal(seen->rotten[0].sort, sort);
    assert_int_equal(seen->rotten[0].first, first);
    assert_int_equal(seen->rotten[0].last, last);
}

/* ---- tests ---- */

static void a_sound_store_is_sound(void **state)
{
    struct place *place = *state;
    struct seen seen;
    for (size_t i = 1; i < 20; i++)
        world_group(&place->hall, i);
    assert_int_equal(hs_store_flush(place->hall.store), HS_OK);
    check_open(&place->hall, 7, NULL, &seen);
    assert_int_equal(seen.count, 0);
    check_open(&place->hub, SIZE_MAX, NULL, &seen); /* it is empty */
    assert_int_equal(seen.count, 0);
    world_close(&place->hall);
    check_stopped(&place->hall, &seen);
    assert_int_equal(seen.count, 0);
}

static void write_one(struct world_node *node)
{
    if (node->made < 300)
        world_group(node, 1);
    if (node->made % 7 == 0)
        assert_int_equal(hs_store_flush(node->store), HS_OK);
}

static void what_is_written_meanwhile_is_no_damage(void **state)
{
    struct place *place = *state;
    struct seen seen;
    world_group(&place->hall, 20);
    check_open(&place->hall, 1, write_one, &seen);
    assert_int_equal(seen.count, 0);
    assert_true(place->hall.made > 100);
}

static void a_rotten_operation_is_found(void **state)
{
    struct place *place = *state;
    struct seen seen;
    world_group(&place->hall, 3);
    world_group(&place->hall, 4);
    struct hs_dot dot = world_group(&place->hall, 5);
    struct hs_stream stream = stream_of(&dot);
    world_close(&place->hall);
    turn_row(&place->hall, &stream, 5, ROW_OP, 40);
    check_stopped(&place->hall, &seen);
    expect_one(&seen, HS_ROT_OPS, 4, 7); /* one of those that one signature covers */
    assert_true(hs_stream_equal(&seen.rotten[0].stream, &stream));
}

static void a_rotten_signature_is_told_from_a_rotten_operation(void **state)
{
    struct place *place = *state;
    struct seen seen;
    world_group(&place->hall, 3);
    world_group(&place->hall, 4);
    struct hs_dot dot = world_group(&place->hall, 5);
    struct hs_stream stream = stream_of(&dot);
    world_close(&place->hall);
    turn_row(&place->hall, &stream, 7, ROW_CHECKPOINT, HS_HASH_BYTES + 3);
    check_stopped(&place->hall, &seen);
    expect_one(&seen, HS_ROT_CHECKPOINT, 7, 7);
    turn_row(&place->hall, &stream, 7, ROW_CHECKPOINT, HS_HASH_BYTES + 3); /* back */
    turn_row(&place->hall, &stream, 7, ROW_CHECKPOINT, 3);                 /* its hash instead */
    check_stopped(&place->hall, &seen);
    expect_one(&seen, HS_ROT_CHECKPOINT, 7, 7);
    turn_row(&place->hall, &stream, 7, ROW_CHECKPOINT, 3);
    check_stopped(&place->hall, &seen);
    assert_int_equal(seen.count, 0);
}

static void rotten_records_are_found(void **state)
{
    struct place *place = *state;
    struct seen seen;
    world_group(&place->hall, 10);
    world_close(&place->hall);
    struct rot state_row = {"records", HS_TABLE_STATE, HS_BYTES_NONE, 4, 60};
    turn(&place->hall, &state_row);
    check_stopped(&place->hall, &seen);
    assert_int_equal(seen.count, 2); /* the op's effect cannot be seen either */
    assert_int_equal(seen.rotten[0].sort, HS_ROT_EFFECT);
    assert_int_equal(seen.rotten[1].sort, HS_ROT_RECORD);
    turn(&place->hall, &state_row);
    struct rot leaf = {"records", HS_TABLE_LEAF, HS_BYTES_NONE, 2, 9};
    turn(&place->hall, &leaf);
    check_stopped(&place->hall, &seen);
    expect_one(&seen, HS_ROT_DERIVED, 0, 0);
}

static void a_rotten_opening_is_found(void **state)
{
    struct place *place = *state;
    struct seen seen;
    world_group(&place->hall, 2);
    world_close(&place->hall);
    turn(&place->hall, &(struct rot){"log", LOG_ORIGIN, HS_BYTES_NONE, 0, 60});
    check_stopped(&place->hall, &seen);
    assert_true(seen.count >= 1);
    assert_int_equal(seen.rotten[0].sort, HS_ROT_ORIGIN);
}

/* What a torn write leaves: a record that lacks what the log says. */
static void a_record_that_lacks_something_is_found(void **state)
{
    struct place *place = *state;
    struct seen seen;
    char path[WORLD_PATH_BYTES];
    struct hs_env *env = NULL;
    struct hs_txn txn;
    struct hs_scan scan;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    world_group(&place->hall, 3);
    world_close(&place->hall);
    world_path(path, place->hall.dir, "records");
    assert_int_equal(hs_records_inspect(path, WORLD_MAP_BYTES, &env, NULL), HS_OK);
    assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
    hs_scan_begin(&scan, &txn, HS_TABLE_STATE, HS_BYTES_NONE, HS_BYTES_NONE);
    assert_true(hs_scan_next(&scan));
    size_t size = scan.key.size;
    memcpy(key, scan.key.data, size);
    hs_scan_end(&scan);
    hs_txn_delete(&txn, HS_TABLE_STATE, HS_BYTES(key, size));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_env_close(env);
    check_stopped(&place->hall, &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.rotten[0].sort, HS_ROT_EFFECT);
    assert_int_equal(seen.rotten[1].sort, HS_ROT_DERIVED);
}

static struct hs_record_name write_register(struct world_node *node)
{
    static const uint8_t ID[16] = {9, 9}, VALUE[] = {0x0a, 3, 'o', 'l', 'd'}; /* field 1: "old" */
    struct hs_field_write field = {.number = 1, .value = HS_BYTES(VALUE, sizeof VALUE)};
    struct hs_write write = {
        .kind = WORLD_KIND_REGISTER, .id = HS_BYTES(ID, sizeof ID), .fields = &field, .field_count = 1};
    struct hs_draft draft = {.partition = 3201, .lane = HS_LANE_PEOPLE, .writes = &write, .write_count = 1};
    struct hs_commit commit;
    struct hs_dot dot;
    hs_stamp stamp;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_write(node->store, &draft, &dot, &stamp), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return (struct hs_record_name){3201, HS_LANE_PEOPLE, WORLD_KIND_REGISTER, HS_BYTES(ID, sizeof ID)};
}

/* What a program leaves that has merged wrongly: the checksum holds. */
static void a_record_with_another_content_is_found(void **state)
{
    struct place *place = *state;
    struct seen seen;
    char path[WORLD_PATH_BYTES];
    struct hs_env *env = NULL;
    struct hs_txn txn;
    struct hs_bytes row;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX], copy[512];
    struct hs_record_name name = write_register(&place->hall);
    world_close(&place->hall);
    check_stopped(&place->hall, &seen);
    assert_int_equal(seen.count, 0);
    world_path(path, place->hall.dir, "records");
    assert_int_equal(hs_records_inspect(path, WORLD_MAP_BYTES, &env, NULL), HS_OK);
    assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
    struct hs_bytes place_of = HS_BYTES(key, hs_record_key(&name, key));
    assert_int_equal(hs_txn_get(&txn, HS_TABLE_STATE, place_of, &row), HS_OK);
    assert_in_range(row.size, HS_HASH_BYTES + 1, sizeof copy);
    memcpy(copy, row.data, row.size);
    uint8_t *value = memmem(copy, row.size, "old", 3);
    assert_non_null(value);
    value[1] = 'a';
    struct hs_hash hash = hs_record_hash(&name, HS_BYTES(copy + HS_HASH_BYTES, row.size - HS_HASH_BYTES));
    memcpy(copy, hash.bytes, HS_HASH_BYTES);
    hs_txn_put(&txn, HS_TABLE_STATE, place_of, HS_BYTES(copy, row.size));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_env_close(env);
    check_stopped(&place->hall, &seen);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.rotten[0].sort, HS_ROT_EFFECT);
    assert_int_equal(seen.rotten[1].sort, HS_ROT_DERIVED); /* digests */
}

static void a_store_in_use_is_left_alone(void **state)
{
    struct place *place = *state;
    struct seen seen = {.count = 0};
    struct hs_check_options options = {.visit = keep, .ctx = &seen};
    struct hs_check_figures figures;
    struct hs_why why;
    assert_int_equal(hs_check_dir(place->hall.dir, &options, &figures, &why), HS_ELOCKED);
    assert_int_equal(hs_check_dir(place->region.base, &options, &figures, &why), HS_ENOSTORE);
}

struct patience {
    struct seen seen; /* first: the context of what is seen */
    size_t rows, rows_max;
};

static bool loses_patience(void *ctx)
{
    struct patience *patience = ctx;
    return patience->rows++ >= patience->rows_max;
}

/* The pass over all that is derived is one step, and long: wherever it is, a stop does not wait for its end. */
static void a_check_is_given_up_at_any_row(void **state)
{
    struct place *place = *state;
    enum hs_err err = HS_ESTOPPING;
    size_t rows_max = 0;
    world_group(&place->hall, 10);
    assert_int_equal(hs_store_flush(place->hall.store), HS_OK);
    for (; err == HS_ESTOPPING; rows_max++) {
        struct patience patience = {.rows_max = rows_max};
        struct hs_check_options options = {.visit = keep, .stopped = loses_patience, .ctx = &patience};
        struct hs_check *check = NULL;
        assert_int_equal(hs_check_new(&options, &check), HS_OK);
        for (err = HS_OK; err == HS_OK && !hs_check_over(check);) {
            struct hs_view *view = NULL;
            assert_int_equal(hs_view_open(place->hall.store, 0, 0, &view), HS_OK);
            err = hs_check_step(check, view, 100);
            hs_view_close(view);
        }
        hs_check_free(check);
        assert_int_equal(patience.seen.count, 0);
        assert_int_equal(patience.rows, err == HS_OK ? rows_max : rows_max + 1); /* asked no more */
    }
    assert_int_equal(err, HS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_store_is_sound),
        TEST(what_is_written_meanwhile_is_no_damage),
        TEST(a_rotten_operation_is_found),
        TEST(a_rotten_signature_is_told_from_a_rotten_operation),
        TEST(rotten_records_are_found),
        TEST(a_rotten_opening_is_found),
        TEST(a_record_that_lacks_something_is_found),
        TEST(a_record_with_another_content_is_found),
        TEST(a_store_in_use_is_left_alone),
        TEST(a_check_is_given_up_at_any_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
