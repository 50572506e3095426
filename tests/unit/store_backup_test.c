/* store_backup_test.c -- what the store notes of its backups, and what a hub vouches for by them. */
#include "tests/lib/store_world.h"

struct two {
    struct world_region region;
    struct world_node hub, hall;
};

static int begin(void **state)
{
    struct two *two = calloc(1, sizeof *two);
    assert_non_null(two);
    world_begin(&two->region);
    world_add(&two->region, &two->hub, "nj-hub", HS_ROLE_HUB);
    world_add(&two->region, &two->hall, "nj-gulou", HS_ROLE_HALL);
    world_open(&two->hub, true);
    world_open(&two->hall, true);
    world_group(&two->hall, 5);
    world_carry(&two->hall, &two->hub);
    *state = two;
    return 0;
}

static int end(void **state)
{
    struct two *two = *state;
    world_drop(&two->hub);
    world_drop(&two->hall);
    world_end(&two->region);
    free(two);
    return 0;
}

struct heads {
    struct hs_head list[16];
    size_t count;
};

static enum hs_err keep_head(void *ctx, const struct hs_head *head)
{
    struct heads *heads = ctx;
    assert_true(heads->count < 16);
    heads->list[heads->count++] = *head;
    return HS_OK;
}

static struct heads heads_of(struct world_node *node)
{
    struct heads heads = {.count = 0};
    struct hs_dump *dump;
    assert_int_equal(hs_dump_begin(node->store, &dump), HS_OK);
    assert_int_equal(hs_dump_heads(dump, keep_head, &heads), HS_OK);
    hs_dump_end(dump);
    return heads;
}

/* In a group of its own; the receipts are valid until the next. */
static const struct hs_receipt *vouch(struct world_node *hub, const struct heads *heads, size_t *count)
{
    static struct hs_commit commit;
    assert_int_equal(hs_store_begin(hub->store), HS_OK);
    assert_int_equal(hs_store_vouch(hub->store, heads->list, heads->count), HS_OK);
    assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
    *count = commit.receipt_count;
    return commit.receipts;
}

static enum hs_safety level(struct world_node *node, const struct hs_head *head)
{
    struct hs_view *view = world_view(node);
    enum hs_safety safety = hs_view_safety(view, &head->stream, head->n);
    hs_view_close(view);
    return safety;
}

static uint64_t backup_store(struct world_node *node)
{
    struct hs_view *view = world_view(node);
    uint64_t id = hs_view_backup_store(view);
    hs_view_close(view);
    return id;
}

static void tell(struct two *two, const struct hs_receipt *receipt)
{
    struct hs_commit commit;
    assert_int_equal(hs_receipt_verify(receipt), HS_OK);
    assert_int_equal(hs_store_begin(two->hall.store), HS_OK);
    assert_int_equal(hs_store_put_receipt(two->hall.store, receipt, hs_buf_bytes(&two->hub.certificate)), HS_OK);
    assert_int_equal(hs_store_commit(two->hall.store, &commit), HS_OK);
}

/* ---- vouching ---- */

static void a_verified_backup_makes_safe(void **state)
{
    struct two *two = *state;
    struct heads heads = heads_of(&two->hub);
    size_t count;
    assert_int_equal(heads.count, 1);
    assert_int_equal(level(&two->hub, &heads.list[0]), HS_SAFETY_HUB);
    const struct hs_receipt *receipts = vouch(&two->hub, &heads, &count);
    assert_int_equal(count, 1);
    assert_int_equal(receipts[0].store_id, backup_store(&two->hub));
    assert_int_not_equal(receipts[0].store_id, hs_store_id(two->hub.store));
    assert_int_equal(receipts[0].n, 5);
    tell(two, &receipts[0]);
    assert_int_equal(level(&two->hub, &heads.list[0]), HS_SAFETY_SAFE);
    assert_int_equal(level(&two->hall, &heads.list[0]), HS_SAFETY_HUB); /* the hub's own receipt has not come yet */
}

/* Only what is new in a backup is signed for, under the same id; what came after it is not. */
static void the_next_backup_is_the_same_store(void **state)
{
    struct two *two = *state;
    struct heads heads = heads_of(&two->hub);
    size_t count;
    vouch(&two->hub, &heads, &count);
    uint64_t id = backup_store(&two->hub);
    vouch(&two->hub, &heads, &count);
    assert_int_equal(count, 0);
    world_group(&two->hall, 3);
    world_carry(&two->hall, &two->hub);
    struct heads later = heads_of(&two->hub);
    assert_int_equal(level(&two->hub, &later.list[0]), HS_SAFETY_HUB);
    assert_int_equal(level(&two->hub, &heads.list[0]), HS_SAFETY_SAFE);
    vouch(&two->hub, &later, &count);
    assert_int_equal(count, 1);
    assert_int_equal(backup_store(&two->hub), id);
    assert_int_equal(level(&two->hub, &later.list[0]), HS_SAFETY_SAFE);
}

static void a_backup_that_is_gone_gives_no_level(void **state)
{
    struct two *two = *state;
    struct heads heads = heads_of(&two->hub);
    struct hs_commit commit;
    size_t count;
    vouch(&two->hub, &heads, &count);
    uint64_t id = backup_store(&two->hub);
    assert_int_equal(hs_store_begin(two->hub.store), HS_OK);
    assert_int_equal(hs_store_retire_backups(two->hub.store), HS_OK);
    assert_int_equal(hs_store_commit(two->hub.store, &commit), HS_OK);
    assert_int_equal(backup_store(&two->hub), 0);
    assert_int_equal(level(&two->hub, &heads.list[0]), HS_SAFETY_HUB);
    vouch(&two->hub, &heads, &count);
    assert_int_equal(count, 1); /* the next one is another store, which has signed for nothing yet */
    assert_int_not_equal(backup_store(&two->hub), id);
    assert_int_equal(level(&two->hub, &heads.list[0]), HS_SAFETY_SAFE);
}

static void only_what_is_held_is_vouched_for(void **state)
{
    struct two *two = *state;
    struct heads heads = heads_of(&two->hub);
    size_t count;
    world_group(&two->hub, 1); /* a writer's own word says nothing */
    struct heads more = heads_of(&two->hub);
    assert_int_equal(more.count, 2);
    more.list[0].hash.bytes[0] ^= more.list[0].stream.origin == heads.list[0].stream.origin;
    more.list[1].hash.bytes[0] ^= more.list[1].stream.origin == heads.list[0].stream.origin;
    vouch(&two->hub, &more, &count);
    assert_int_equal(count, 0);
    heads.list[0].n = 9; /* beyond what is here */
    vouch(&two->hub, &heads, &count);
    assert_int_equal(count, 0);
    assert_int_equal(hs_store_begin(two->hall.store), HS_OK);
    assert_int_equal(hs_store_vouch(two->hall.store, heads.list, heads.count), HS_ENOTHUB);
    hs_store_abort(two->hall.store);
}

/* ---- rows ---- */

struct rows {
    uint64_t times[80];
    size_t count;
    char path[64];
};

static enum hs_err keep_row(void *ctx, const struct hs_backup_row *row)
{
    struct rows *rows = ctx;
    rows->times[rows->count++] = row->time_ms;
    snprintf(rows->path, sizeof rows->path, "%.*s", (int)row->path.size, (const char *)row->path.data);
    return HS_OK;
}

static struct rows rows_of(struct world_node *node)
{
    struct rows rows = {.count = 0};
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_backups(view, keep_row, &rows), HS_OK);
    hs_view_close(view);
    return rows;
}

static void the_newest_backups_are_noted(void **state)
{
    struct two *two = *state;
    struct hs_commit commit;
    struct heads heads = heads_of(&two->hub);
    size_t count;
    vouch(&two->hub, &heads, &count); /* its row is none of these */
    for (uint64_t i = 1; i <= 70; i++) {
        struct hs_backup_row row = {.time_ms = i, .bytes = 10, .path = HS_BYTES("/backups/one", 12)};
        assert_int_equal(hs_store_begin(two->hub.store), HS_OK);
        assert_int_equal(hs_store_put_backup(two->hub.store, &row), HS_OK);
        assert_int_equal(hs_store_commit(two->hub.store, &commit), HS_OK);
    }
    struct rows rows = rows_of(&two->hub);
    assert_int_equal(rows.count, 63);
    assert_int_equal(rows.times[62], 70);
    assert_string_equal(rows.path, "/backups/one");
    assert_int_equal(hs_store_begin(two->hub.store), HS_OK);
    assert_int_equal(hs_store_drop_backup(two->hub.store, 70), HS_OK);
    assert_int_equal(hs_store_commit(two->hub.store, &commit), HS_OK);
    assert_int_equal(rows_of(&two->hub).count, 62);
    assert_int_not_equal(backup_store(&two->hub), 0);
}

/* ---- dumps ---- */

struct counting {
    uint64_t rows;
    char table[32];
};

static enum hs_err count_row(void *ctx, const char *table, struct hs_bytes key, struct hs_bytes value)
{
    struct counting *counting = ctx;
    assert_true(key.size > 0);
    assert_true(value.size > 0 || value.data != NULL);
    counting->rows++;
    snprintf(counting->table, sizeof counting->table, "%s", table);
    return HS_OK;
}

static void a_dump_shows_one_moment(void **state)
{
    struct two *two = *state;
    struct hs_dump *dump;
    struct counting counting = {0};
    assert_int_equal(hs_dump_begin(two->hall.store, &dump), HS_OK);
    uint64_t commit = hs_store_position(two->hall.store).commit, rows = hs_dump_count(dump);
    for (int i = 0; i < 300; i++)
        world_group(&two->hall, 13);
    assert_int_equal(hs_dump_position(dump).commit, commit);
    assert_int_equal(hs_dump_rows(dump, count_row, &counting), HS_OK);
    assert_int_equal(counting.rows, rows);
    assert_true(hs_dump_growth(dump) > 0);
    hs_dump_end(dump);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_verified_backup_makes_safe, begin, end),
        cmocka_unit_test_setup_teardown(the_next_backup_is_the_same_store, begin, end),
        cmocka_unit_test_setup_teardown(a_backup_that_is_gone_gives_no_level, begin, end),
        cmocka_unit_test_setup_teardown(only_what_is_held_is_vouched_for, begin, end),
        cmocka_unit_test_setup_teardown(the_newest_backups_are_noted, begin, end),
        cmocka_unit_test_setup_teardown(a_dump_shows_one_moment, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
