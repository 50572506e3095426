/* store_heal_test.c -- operations that rotted: a store that opens all the same, what comes back from another store, and
 * what only this node had, which is issued anew. */
#include "tests/lib/store_number.h"
#include "tests/lib/store_rot.h"
#include "tests/unit/store_place.h"

#include "storage/log/inside.h"
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

/* ---- damage ---- */

static void forget_records(struct world_node *node)
{
    char path[WORLD_PATH_BYTES];
    world_path(path, node->dir, "records/data.mdb");
    assert_int_equal(unlink(path), 0);
}

/* ---- looking ---- */

struct rows {
    size_t count;
    struct hs_healed rows[16];
};

static enum hs_err keep_row(void *ctx, const struct hs_healed *healed)
{
    struct rows *rows = ctx;
    assert_true(rows->count < 16);
    rows->rows[rows->count++] = *healed;
    return HS_OK;
}

static struct rows healed_of(struct world_node *node)
{
    struct rows rows = {.count = 0};
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_healed(view, keep_row, &rows), HS_OK);
    hs_view_close(view);
    return rows;
}

static enum hs_err tell(void *ctx, const struct hs_rotten *rotten)
{
    struct hs_buf text = {0};
    hs_rotten_text(rotten, &text);
    hs_buf_put_u8(&text, 0);
    print_message("%s\n", (const char *)text.data);
    hs_buf_fini(&text);
    ++*(size_t *)ctx;
    return HS_OK;
}

static void expect_sound(struct world_node *node)
{
    size_t found = 0;
    struct hs_check_options options = {.full = true, .visit = tell, .ctx = &found};
    struct hs_check *check = NULL;
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_check_new(&options, &check), HS_OK);
    while (!hs_check_over(check))
        assert_int_equal(hs_check_step(check, view, 100), HS_OK);
    hs_check_free(check);
    hs_view_close(view);
    assert_int_equal(found, 0);
}

static enum hs_err add_count(void *ctx, const struct hs_digest *digest)
{
    *(uint64_t *)ctx += digest->count;
    return HS_OK;
}

static uint64_t records_of(struct world_node *node)
{
    uint64_t count = 0;
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_digests(view, add_count, &count), HS_OK);
    hs_view_close(view);
    return count;
}

/* ---- from store to store ---- */

static void open_at(struct world_node *from, struct world_node *to, uint64_t origin)
{
    struct hs_bytes certificate, opening;
    struct hs_commit commit;
    struct hs_view *view = world_view(from);
    assert_int_equal(hs_view_origin(view, origin, &certificate, &opening), HS_OK);
    assert_int_equal(hs_store_begin(to->store), HS_OK);
    assert_int_equal(hs_store_put_origin(to->store, certificate, opening), HS_OK);
    assert_int_equal(hs_store_commit(to->store, &commit), HS_OK);
    hs_view_close(view);
}

static void carry(struct world_node *from, struct world_node *to, const struct hs_stream *stream, uint64_t first,
                  enum hs_err (*put)(struct hs_store *store, const struct hs_segment *segment))
{
    struct hs_segment segment;
    struct hs_commit commit;
    struct hs_buf body = {0};
    struct hs_view *view = world_view(from);
    assert_int_equal(hs_view_cut(view, stream, first, &body, &segment), HS_OK);
    assert_int_equal(hs_store_begin(to->store), HS_OK);
    assert_int_equal(put(to->store, &segment), HS_OK);
    assert_int_equal(hs_store_commit(to->store, &commit), HS_OK);
    for (size_t i = 0; i < commit.receipt_count; i++) {
        struct hs_receipt receipt = commit.receipts[i];
        assert_int_equal(hs_store_begin(from->store), HS_OK);
        assert_int_equal(hs_store_put_receipt(from->store, &receipt, to->options.certificate), HS_OK);
        assert_int_equal(hs_store_commit(from->store, &(struct hs_commit){0}), HS_OK);
    }
    hs_view_close(view);
    hs_buf_fini(&body);
}

static struct hs_stream stream_of(const struct hs_dot *dot, enum hs_lane lane)
{
    return (struct hs_stream){dot->origin, 3201, (uint8_t)lane};
}

/* ---- tests ---- */

static void a_rotten_operation_of_ones_own_is_issued_anew(void **state)
{
    struct place *place = *state;
    world_group(&place->hall, 3);
    world_group(&place->hall, 4);
    struct hs_dot dot = world_group(&place->hall, 5);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    struct hs_hash before = world_digests(&place->hall);
    world_close(&place->hall);
    world_turn(&place->hall, &stream, 5, ROW_OP, 40);
    world_open(&place->hall, false); /* nobody has looked yet */
    assert_int_equal(records_of(&place->hall), 12);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(hs_store_note_rot(place->hall.store, &stream, 4, 4), HS_OK);
    assert_true(hs_store_wants_opening(place->hall.store));
    assert_int_equal(hs_store_commit(place->hall.store, &(struct hs_commit){0}), HS_OK);
    world_reopen(&place->hall);
    struct rows rows = healed_of(&place->hall);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.rows[0].state, HS_HEALING_ANEW);
    assert_int_equal(rows.rows[0].first, 4);
    assert_int_equal(rows.rows[0].last, 12);
    assert_int_equal(world_head(&place->hall, &stream), 3);
    assert_int_equal(records_of(&place->hall), 12); /* nothing was lost */
    uint64_t fresh = world_current_origin(&place->hall);
    assert_true(fresh != 0 && fresh != dot.origin);
    assert_int_equal(world_head(&place->hall, &(struct hs_stream){fresh, 3201, HS_LANE_MONEY}), 9);
    struct hs_hash after = world_digests(&place->hall);
    assert_false(hs_hash_equal(&before, &after)); /* the facts came by other operations */
    expect_sound(&place->hall);
    world_reopen(&place->hall);
    struct hs_hash again = world_digests(&place->hall);
    assert_true(hs_hash_equal(&after, &again));
}

static struct hs_dot write_field(struct world_node *node, const char *id, uint8_t number, uint8_t value,
                                 const struct hs_dot *over)
{
    uint8_t raw[2] = {(uint8_t)(number << 3), value};
    struct hs_field_write field = {.number = number,
                                   .value = HS_BYTES(raw, 2),
                                   .over = (struct hs_dot *)(uintptr_t)over,
                                   .over_count = over != NULL};
    struct hs_write write = {
        .kind = WORLD_KIND_REGISTER, .id = HS_BYTES(id, strlen(id)), .fields = &field, .field_count = 1};
    struct hs_draft draft = {.partition = 3201, .lane = HS_LANE_PEOPLE, .writes = &write, .write_count = 1};
    struct hs_commit commit;
    struct hs_dot dot;
    hs_stamp stamp;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_write(node->store, &draft, &dot, &stamp), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return dot;
}

static struct hs_dot write_register(struct world_node *node, const char *id, uint8_t value, const struct hs_dot *over)
{
    return write_field(node, id, 1, value, over);
}

/* The hub has the first value; the second one rots before it gets there, the third lies behind it. */
static void values_issued_anew_overwrite_what_they_overwrote(void **state)
{
    struct place *place = *state;
    struct hs_dot first = write_register(&place->hall, "a", 1, NULL);
    struct hs_stream stream = stream_of(&first, HS_LANE_PEOPLE);
    open_at(&place->hall, &place->hub, first.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    write_register(&place->hall, "a", 2, &first);
    write_register(&place->hall, "b", 3, NULL);
    world_close(&place->hall);
    world_turn(&place->hall, &stream, 2, ROW_OP, 5);
    world_open(&place->hall, false);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(hs_store_note_rot(place->hall.store, &stream, 2, 2), HS_OK);
    assert_int_equal(hs_store_commit(place->hall.store, &(struct hs_commit){0}), HS_OK);
    world_reopen(&place->hall);
    uint64_t fresh = world_current_origin(&place->hall);
    struct hs_stream anew = {fresh, 3201, HS_LANE_PEOPLE};
    assert_int_equal(world_head(&place->hall, &stream), 1);
    assert_int_equal(world_head(&place->hall, &anew), 2);
    open_at(&place->hall, &place->hub, fresh);
    carry(&place->hall, &place->hub, &anew, 1, hs_store_receive);
    struct hs_hash here = world_digests(&place->hall), there = world_digests(&place->hub);
    assert_true(hs_hash_equal(&here, &there));
    expect_sound(&place->hall);
    struct hs_view *view = world_view(&place->hub);
    assert_int_equal(hs_view_list_count(view, HS_LIST_FIELD), 0); /* the first value does not show beside it */
    hs_view_close(view);
}

static void what_a_hub_has_comes_back_from_it(void **state)
{
    struct place *place = *state;
    world_group(&place->hall, 3);
    world_group(&place->hall, 4);
    struct hs_dot dot = world_group(&place->hall, 5);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    open_at(&place->hall, &place->hub, dot.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    struct hs_hash before = world_digests(&place->hall);
    world_close(&place->hall);
    world_turn(&place->hall, &stream, 5, ROW_OP, 40);
    world_turn(&place->hall, &stream, 9, ROW_OP, 41);
    forget_records(&place->hall);
    world_open(&place->hall, false); /* without what cannot be read */
    struct rows rows = healed_of(&place->hall);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.rows[0].state, HS_HEALING_WAITS);
    assert_int_equal(rows.rows[0].first, 4);
    assert_int_equal(rows.rows[1].first, 8);
    assert_int_equal(records_of(&place->hall), 3);
    carry(&place->hub, &place->hall, &stream, 4, hs_store_heal);
    rows = healed_of(&place->hall);
    assert_int_equal(rows.rows[0].state, HS_HEALING_DONE);
    assert_int_equal(rows.rows[1].state, HS_HEALING_DONE);
    assert_int_equal(records_of(&place->hall), 12);
    struct hs_hash after = world_digests(&place->hall);
    assert_true(hs_hash_equal(&before, &after));
    expect_sound(&place->hall);
    assert_int_equal(hs_store_rebuild(place->hall.store), HS_OK);
    after = world_digests(&place->hall);
    assert_true(hs_hash_equal(&before, &after));
}

/* Of an origin that has got further with a record an operation counts as known there: one that a replay had left out
 * would never get in. */
static void what_comes_back_gets_into_its_record_behind_later_ones(void **state)
{
    struct place *place = *state;
    struct hs_dot first = write_register(&place->hall, "a", 1, NULL);
    struct hs_stream stream = stream_of(&first, HS_LANE_PEOPLE);
    write_register(&place->hall, "a", 2, &first);
    write_field(&place->hall, "a", 2, 3, NULL);
    open_at(&place->hall, &place->hub, first.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    struct hs_hash before = world_digests(&place->hall);
    world_close(&place->hall);
    world_turn(&place->hall, &stream, 2, ROW_OP, 5);
    forget_records(&place->hall);
    world_open(&place->hall, false);
    struct hs_hash without = world_digests(&place->hall);
    assert_false(hs_hash_equal(&before, &without));
    carry(&place->hub, &place->hall, &stream, 2, hs_store_heal);
    struct hs_hash after = world_digests(&place->hall);
    assert_true(hs_hash_equal(&before, &after));
    expect_sound(&place->hall);
    world_reopen(&place->hall);
    after = world_digests(&place->hall);
    assert_true(hs_hash_equal(&before, &after));
}

/* ---- numbers ---- */

static uint64_t number_of_group(struct world_node *node, char series[static HS_NUMBER_BYTES_MAX])
{
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    uint64_t counter = world_next_number(node, 3, series);
    assert_int_equal(hs_store_commit(node->store, &(struct hs_commit){0}), HS_OK);
    return counter;
}

/* The hall writes three operations with a number each, and the hub has them all. */
static struct hs_stream write_numbers(struct place *place, char series[static HS_NUMBER_BYTES_MAX])
{
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(number_of_group(&place->hall, series), i);
    struct hs_stream stream = {world_current_origin(&place->hall), 3201, HS_LANE_MONEY};
    open_at(&place->hall, &place->hub, stream.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    return stream;
}

/* Found by the simulator: the records were made without the operation, and so did not know its number. */
static void a_number_that_rotted_is_not_given_again(void **state)
{
    struct place *place = *state;
    char series[HS_NUMBER_BYTES_MAX], other[HS_NUMBER_BYTES_MAX], again[HS_NUMBER_BYTES_MAX];
    struct hs_stream stream = write_numbers(place, series);
    world_close(&place->hall);
    world_turn(&place->hall, &stream, 3, ROW_OP, 40);
    forget_records(&place->hall);
    world_open(&place->hall, false);
    assert_int_equal(healed_of(&place->hall).rows[0].state, HS_HEALING_WAITS);
    assert_int_equal(number_of_group(&place->hall, other), 1);
    assert_string_not_equal(other, series);
    assert_int_equal(number_of_group(&place->hall, again), 2);
    assert_string_equal(again, other);
    carry(&place->hub, &place->hall, &stream, 3, hs_store_heal);
    world_reopen(&place->hall);
    assert_int_equal(number_of_group(&place->hall, again), 3); /* it stays with the other series */
    assert_string_equal(again, other);
    assert_true(world_current_origin(&place->hall) == stream.origin);
}

/* A byte of an operation, in the store of a node that runs. */
static void turn_open(struct world_node *node, const struct hs_stream *stream, uint64_t n)
{
    struct hs_log *log = node->store->log;
    uint8_t key[OP_KEY_BYTES], value[4096];
    struct hs_bytes held;
    log_op_key(stream, n, ROW_OP, key);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_txn_get(log_change(log), LOG_OP, HS_BYTES(key, sizeof key), &held), HS_OK);
    assert_true(held.size > 40 && held.size <= sizeof value);
    memcpy(value, held.data, held.size);
    value[40] ^= 0x5a;
    hs_txn_put(log_change(log), LOG_OP, HS_BYTES(key, sizeof key), HS_BYTES(value, held.size));
    assert_int_equal(hs_store_commit(node->store, &(struct hs_commit){0}), HS_OK);
}

/* The records are made anew while the node runs, and its next upkeep is a while away. */
static void nor_before_the_rot_is_noted(void **state)
{
    struct place *place = *state;
    char series[HS_NUMBER_BYTES_MAX], other[HS_NUMBER_BYTES_MAX], again[HS_NUMBER_BYTES_MAX];
    struct hs_stream stream = write_numbers(place, series);
    turn_open(&place->hall, &stream, 3);
    assert_int_equal(hs_store_rebuild(place->hall.store), HS_OK);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(world_next_number(&place->hall, 3, other), 1);
    assert_string_not_equal(other, series);
    assert_int_equal(world_next_number(&place->hall, 3, again), 2);
    assert_string_equal(again, other);
    hs_store_abort(place->hall.store);
    assert_int_equal(number_of_group(&place->hall, again), 1); /* as if that had not been */
    assert_string_equal(again, other);
    assert_int_equal(number_of_group(&place->hall, again), 2);
    assert_string_equal(again, other);
    assert_int_equal(healed_of(&place->hall).count, 1);
}

/* ---- signatures ---- */

static void a_rotten_signature_is_made_good(void **state)
{
    struct place *place = *state;
    world_group(&place->hall, 3);
    struct hs_dot dot = world_group(&place->hall, 4);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    open_at(&place->hall, &place->hub, dot.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    world_group(&place->hall, 1);
    world_close(&place->hall);
    world_close(&place->hub);
    world_turn(&place->hall, &stream, 3, ROW_CHECKPOINT, 40); /* the signature of one's own */
    world_turn(&place->hall, &stream, 7, ROW_CHECKPOINT, 4);  /* the hash */
    world_turn(&place->hub, &stream, 7, ROW_CHECKPOINT, 4);
    world_open(&place->hall, false);
    world_open(&place->hub, false);
    struct world_node *nodes[] = {&place->hall, &place->hub};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(hs_store_begin(nodes[i]->store), HS_OK);
        assert_int_equal(hs_store_note_rot(nodes[i]->store, &stream, 1, 7), HS_OK);
        assert_int_equal(hs_store_commit(nodes[i]->store, &(struct hs_commit){0}), HS_OK);
        assert_int_equal(healed_of(nodes[i]).count, 0);
        expect_sound(nodes[i]);
    }
}

/* The records that a start makes anew had been left without the operations that the row covers, and nobody was told:
 * the row is good again before anybody asks. */
static void what_a_rotten_signature_kept_out_gets_into_the_records(void **state)
{
    struct place *place = *state;
    world_group(&place->hall, 3);
    struct hs_dot dot = world_group(&place->hall, 4);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    open_at(&place->hall, &place->hub, dot.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    struct world_node *nodes[] = {&place->hall, &place->hub};
    for (size_t i = 0; i < 2; i++) {
        struct hs_hash before = world_digests(nodes[i]);
        world_close(nodes[i]);
        world_turn(nodes[i], &stream, 7, ROW_CHECKPOINT, 4);
        forget_records(nodes[i]);
        world_open(nodes[i], false);
        assert_int_equal(records_of(nodes[i]), 7);
        struct hs_hash after = world_digests(nodes[i]);
        assert_true(hs_hash_equal(&before, &after));
        assert_int_equal(healed_of(nodes[i]).count, 0);
        expect_sound(nodes[i]);
    }
}

/* ---- receipts ---- */

/* A bit of the receipt of @store_id for the stream, and whether there is one at all. */
static bool turn_receipt(struct world_node *node, const struct hs_stream *stream, uint64_t store_id, size_t at)
{
    char path[WORLD_PATH_BYTES];
    struct hs_env *env = NULL;
    struct hs_txn txn;
    uint8_t key[HS_STREAM_KEY_BYTES + 8], value[256];
    struct hs_bytes held;
    world_path(path, node->dir, "log");
    assert_int_equal(hs_log_inspect(path, WORLD_MAP_BYTES, &env, NULL), HS_OK);
    assert_int_equal(hs_txn_begin(env, true, &txn), HS_OK);
    hs_stream_key(stream, key);
    hs_be64(key + HS_STREAM_KEY_BYTES, store_id);
    bool found = hs_txn_get(&txn, LOG_RECEIPT, HS_BYTES(key, sizeof key), &held) == HS_OK;
    if (found) {
        assert_true(held.size <= sizeof value && at < held.size);
        memcpy(value, held.data, held.size);
        value[at] ^= 0x10;
        hs_txn_put(&txn, LOG_RECEIPT, HS_BYTES(key, sizeof key), HS_BYTES(value, held.size));
    }
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_env_close(env);
    return found;
}

static enum hs_err take_receipt(void *ctx, const struct hs_receipt *receipt)
{
    *(struct hs_receipt *)ctx = *receipt;
    return HS_OK;
}

static struct hs_receipt receipt_of(struct world_node *node, const struct hs_stream *stream)
{
    struct hs_receipt receipt = {.n = 0};
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_receipts(view, stream, take_receipt, &receipt), HS_OK);
    hs_view_close(view);
    return receipt;
}

static struct hs_commit note_receipt(struct world_node *node, const struct hs_stream *stream, uint64_t store_id)
{
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_note_receipt(node->store, stream, store_id), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return commit;
}

/* In each part of its row: number, hash, time, key, signature. */
static void a_rotten_receipt_waits_until_it_comes_again(void **state)
{
    static const size_t PARTS[] = {0, 7, 8, 39, 40, 47, 48, 79, 80, 143};
    struct place *place = *state;
    struct hs_dot dot = world_group(&place->hall, 3);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    open_at(&place->hall, &place->hub, dot.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    uint64_t hub = hs_store_id(place->hub.store);
    struct hs_receipt sound = receipt_of(&place->hall, &stream);
    note_receipt(&place->hall, &stream, hub);
    assert_int_equal(healed_of(&place->hall).count, 0); /* somebody was mistaken */
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        world_close(&place->hall);
        assert_true(turn_receipt(&place->hall, &stream, hub, PARTS[i]));
        world_open(&place->hall, false);
        note_receipt(&place->hall, &stream, hub);
        struct rows rows = healed_of(&place->hall);
        assert_int_equal(rows.count, 1);
        assert_int_equal(rows.rows[0].state, HS_HEALING_WAITS);
        assert_true(rows.rows[0].store_id == hub && rows.rows[0].first == 0);
        assert_int_equal(receipt_of(&place->hall, &stream).n, 0); /* it counts for nothing */
        expect_sound(&place->hall);
        assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
        assert_false(hs_store_wants_opening(place->hall.store));
        assert_int_equal(hs_store_put_receipt(place->hall.store, &sound, place->hub.options.certificate), HS_OK);
        assert_int_equal(hs_store_commit(place->hall.store, &(struct hs_commit){0}), HS_OK);
        assert_int_equal(healed_of(&place->hall).rows[0].state, HS_HEALING_DONE);
        assert_int_equal(receipt_of(&place->hall, &stream).n, 3);
    }
}

static void ones_own_receipt_is_signed_anew(void **state)
{
    struct place *place = *state;
    struct hs_dot dot = world_group(&place->hall, 3);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    open_at(&place->hall, &place->hub, dot.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    uint64_t hub = hs_store_id(place->hub.store);
    world_close(&place->hub);
    assert_true(turn_receipt(&place->hub, &stream, hub, 0)); /* a number beyond all that there is */
    world_open(&place->hub, false);
    struct hs_commit commit = note_receipt(&place->hub, &stream, hub);
    assert_int_equal(commit.receipt_count, 1); /* and is told */
    assert_int_equal(commit.receipts[0].n, 3);
    struct hs_receipt held = receipt_of(&place->hub, &stream);
    assert_int_equal(hs_receipt_verify(&held), HS_OK);
    assert_int_equal(held.n, 3);
    struct rows rows = healed_of(&place->hub);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.rows[0].state, HS_HEALING_DONE);
    expect_sound(&place->hub);
}

/* What no store will ever say again is not waited for. */
/* A witness that begins behind what it has let go of before is shown its word for that. */
static void of_a_beginning_nothing_is_signed_anew(void **state)
{
    struct place *place = *state;
    struct world_node *witness = &place->witness;
    struct hs_commit commit;
    struct hs_checkpoint end;
    struct hs_stream stream = stream_of(&(struct hs_dot){world_group(&place->hall, 3).origin, 3}, HS_LANE_MONEY);
    world_open(witness, true);
    open_at(&place->hall, witness, stream.origin);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_checkpoint(view, &stream, 3, &end), HS_OK);
    hs_view_close(view);
    struct hs_receipt receipt = {.store_id = hs_store_id(witness->store),
                                 .stream = stream,
                                 .n = 2,
                                 .time_ms = 1,
                                 .hub_key = witness->draft.node_key};
    struct hs_signer signer = hs_signer_of(&witness->secret);
    assert_int_equal(hs_receipt_sign(&receipt, &signer), HS_OK);
    assert_int_equal(hs_store_begin(witness->store), HS_OK);
    struct hs_signed_head base = {stream, 3, end.hash, end.signature};
    assert_int_equal(hs_store_put_base(witness->store, &base), HS_OK);
    assert_int_equal(hs_store_put_receipt(witness->store, &receipt, witness->options.certificate), HS_OK);
    assert_int_equal(hs_store_commit(witness->store, &commit), HS_OK);
    world_close(witness);
    assert_true(turn_receipt(witness, &stream, receipt.store_id, 0));
    world_open(witness, false);
    commit = note_receipt(witness, &stream, receipt.store_id);
    assert_int_equal(commit.receipt_count, 0);
    assert_int_equal(receipt_of(witness, &stream).n, 0);
    struct rows rows = healed_of(witness);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.rows[0].state, HS_HEALING_GONE);
}

static void a_receipt_of_a_store_that_is_gone_is_given_up(void **state)
{
    struct place *place = *state;
    struct hs_dot dot = world_group(&place->hall, 3);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    open_at(&place->hall, &place->hub, dot.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    uint64_t hub = hs_store_id(place->hub.store);
    const struct hs_key key = hs_store_certificate(place->hub.store)->node_key;
    struct hs_receipt sound = receipt_of(&place->hall, &stream);
    for (int before = 0; before < 2; before++) {
        world_close(&place->hall);
        assert_true(turn_receipt(&place->hall, &stream, hub, 100));
        world_open(&place->hall, false);
        note_receipt(&place->hall, &stream, hub);
        struct rows rows = healed_of(&place->hall);
        assert_int_equal(rows.rows[0].state, before ? HS_HEALING_GONE : HS_HEALING_WAITS);
        assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
        assert_int_equal(hs_store_gone(place->hall.store, &key, hub), HS_OK);
        assert_int_equal(hs_store_commit(place->hall.store, &(struct hs_commit){0}), HS_OK);
        assert_int_equal(healed_of(&place->hall).rows[0].state, HS_HEALING_GONE);
        assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
        assert_int_equal(hs_store_put_receipt(place->hall.store, &sound, place->hub.options.certificate), HS_OK);
        assert_int_equal(hs_store_commit(place->hall.store, &(struct hs_commit){0}), HS_OK);
    }
}

/* A hub has signed for it, but of that the disk has made a lower number: nobody knows, so a node that has it is waited
 * for, also when the receipt has been dropped. */
static void what_somebody_may_have_is_not_issued_anew(void **state)
{
    struct place *place = *state;
    struct hs_dot dot = world_group(&place->hall, 20);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    open_at(&place->hall, &place->hub, dot.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    world_close(&place->hall);
    world_turn(&place->hall, &stream, 10, ROW_OP, 40);
    assert_true(turn_receipt(&place->hall, &stream, hs_store_id(place->hub.store), 7));
    forget_records(&place->hall);
    world_open(&place->hall, false);
    assert_int_equal(healed_of(&place->hall).rows[0].state, HS_HEALING_WAITS);
    note_receipt(&place->hall, &stream, hs_store_id(place->hub.store));
    world_reopen(&place->hall);
    struct rows rows = healed_of(&place->hall);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.rows[0].state, HS_HEALING_WAITS);
    assert_int_equal(rows.rows[1].state, HS_HEALING_WAITS);
    assert_true(world_current_origin(&place->hall) == dot.origin);
}

static void what_leads_nowhere_heals_nothing(void **state)
{
    struct place *place = *state;
    struct hs_segment segment;
    struct hs_buf body = {0};
    struct hs_dot dot = world_group(&place->hall, 3);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    world_group(&place->hall, 3);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_cut(view, &stream, 1, &body, &segment), HS_OK);
    hs_view_close(view);
    body.data[body.size / 2] ^= 1;
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    enum hs_err err = hs_store_heal(place->hall.store, &segment);
    assert_true(err == HS_ESIGNATURE || err == HS_EMALFORMED);
    segment.first = 2;
    assert_int_equal(hs_store_heal(place->hall.store, &segment), HS_EGAP);
    segment.stream.origin++;
    assert_int_equal(hs_store_heal(place->hall.store, &segment), HS_ECERT);
    hs_store_abort(place->hall.store);
    hs_buf_fini(&body);
    expect_sound(&place->hall);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rotten_operation_of_ones_own_is_issued_anew),
        TEST(values_issued_anew_overwrite_what_they_overwrote),
        TEST(what_a_hub_has_comes_back_from_it),
        TEST(what_comes_back_gets_into_its_record_behind_later_ones),
        TEST(a_number_that_rotted_is_not_given_again),
        TEST(nor_before_the_rot_is_noted),
        TEST(a_rotten_signature_is_made_good),
        TEST(what_a_rotten_signature_kept_out_gets_into_the_records),
        TEST(a_rotten_receipt_waits_until_it_comes_again),
        TEST(ones_own_receipt_is_signed_anew),
        TEST(of_a_beginning_nothing_is_signed_anew),
        TEST(a_receipt_of_a_store_that_is_gone_is_given_up),
        TEST(what_somebody_may_have_is_not_issued_anew),
        TEST(what_leads_nowhere_heals_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
