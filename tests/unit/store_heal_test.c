/* store_heal_test.c -- operations that rotted: a store that opens all the same, what comes back from another store, and
 * what only this node had, which is issued anew. */
#include "tests/lib/store_number.h"
#include "tests/lib/store_rot.h"
#include "tests/unit/store_place.h"

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

static void put_receipt(struct world_node *to, const struct hs_receipt *receipt, const struct world_node *from)
{
    assert_int_equal(hs_store_begin(to->store), HS_OK);
    assert_int_equal(hs_store_put_receipt(to->store, receipt, from->options.certificate), HS_OK);
    assert_int_equal(hs_store_commit(to->store, &(struct hs_commit){0}), HS_OK);
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
        put_receipt(from, &receipt, to);
    }
    hs_view_close(view);
    hs_buf_fini(&body);
}

static struct hs_stream stream_of(const struct hs_dot *dot, enum hs_lane lane)
{
    return (struct hs_stream){dot->origin, 3201, (uint8_t)lane};
}

/* A group of so many payments of the hall's; the hub has all of its stream, and the hall the receipt. */
static struct hs_stream signed_for(struct place *place, size_t count)
{
    struct hs_dot dot = world_group(&place->hall, count);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    open_at(&place->hall, &place->hub, dot.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    return stream;
}

static void note_rot(struct world_node *node, const struct hs_stream *stream, uint64_t first, uint64_t last)
{
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_note_rot(node->store, stream, first, last), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &(struct hs_commit){0}), HS_OK);
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
    assert_int_equal(world_record_count(&place->hall), 12);
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
    assert_int_equal(world_record_count(&place->hall), 12); /* nothing was lost */
    uint64_t fresh = world_current_origin(&place->hall);
    assert_true(fresh != 0 && fresh != dot.origin);
    assert_int_equal(world_head(&place->hall, &(struct hs_stream){fresh, 3201, HS_LANE_MONEY}), 9);
    struct hs_hash after = world_digests(&place->hall);
    assert_false(hs_hash_equal(&before, &after)); /* the facts came by other operations */
    world_assert_sound(&place->hall);
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
    note_rot(&place->hall, &stream, 2, 2);
    world_reopen(&place->hall);
    uint64_t fresh = world_current_origin(&place->hall);
    struct hs_stream anew = {fresh, 3201, HS_LANE_PEOPLE};
    assert_int_equal(world_head(&place->hall, &stream), 1);
    assert_int_equal(world_head(&place->hall, &anew), 2);
    open_at(&place->hall, &place->hub, fresh);
    carry(&place->hall, &place->hub, &anew, 1, hs_store_receive);
    struct hs_hash here = world_digests(&place->hall), there = world_digests(&place->hub);
    assert_true(hs_hash_equal(&here, &there));
    world_assert_sound(&place->hall);
    struct hs_view *view = world_view(&place->hub);
    assert_int_equal(hs_view_list_count(view, HS_LIST_FIELD), 0); /* the first value does not show beside it */
    hs_view_close(view);
}

static bool is_whole(struct world_node *node)
{
    struct hs_view *view = world_view(node);
    bool whole = hs_view_whole(view, 3201);
    hs_view_close(view);
    return whole;
}

static void what_a_hub_has_comes_back_from_it(void **state)
{
    struct place *place = *state;
    world_group(&place->hall, 3);
    world_group(&place->hall, 4);
    struct hs_stream stream = signed_for(place, 5);
    struct hs_hash before = world_digests(&place->hall);
    world_close(&place->hall);
    world_turn(&place->hall, &stream, 5, ROW_OP, 40);
    world_turn(&place->hall, &stream, 9, ROW_OP, 41);
    forget_records(&place->hall);
    world_open(&place->hall, false);      /* without what cannot be read */
    assert_false(is_whole(&place->hall)); /* or it would say that there is no such customer */
    struct rows rows = healed_of(&place->hall);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.rows[0].state, HS_HEALING_WAITS);
    assert_int_equal(rows.rows[0].first, 4);
    assert_int_equal(rows.rows[1].first, 8);
    assert_int_equal(world_record_count(&place->hall), 3);
    carry(&place->hub, &place->hall, &stream, 4, hs_store_heal);
    rows = healed_of(&place->hall);
    assert_int_equal(rows.rows[0].state, HS_HEALING_DONE);
    assert_int_equal(rows.rows[1].state, HS_HEALING_DONE);
    assert_true(is_whole(&place->hall));
    assert_int_equal(world_record_count(&place->hall), 12);
    struct hs_hash after = world_digests(&place->hall);
    assert_true(hs_hash_equal(&before, &after));
    world_assert_sound(&place->hall);
    assert_int_equal(hs_store_rebuild(place->hall.store), HS_OK);
    after = world_digests(&place->hall);
    assert_true(hs_hash_equal(&before, &after));
}

/* As a source of states for others: the records as they were when they were last committed. */
static enum hs_err supplies(struct world_node *node, hs_partition partition, uint8_t lane)
{
    struct hs_buf body = {0};
    struct hs_bytes next;
    struct hs_view *view;
    bool last;
    assert_int_equal(hs_view_open(node->store, 0, 0, &view), HS_OK);
    enum hs_err err = hs_view_states(view, partition, lane, HS_BYTES_NONE, 1000, &body, &next, &last);
    hs_view_close(view);
    hs_buf_fini(&body);
    return err;
}

/* Seed 253 of the simulator: states made without an operation would hide it from whoever takes them, for good.  Nobody
 * gets them before it has come again and is in the records. */
static void records_that_lack_something_supply_nobody(void **state)
{
    struct place *place = *state;
    struct hs_dot first = write_register(&place->hall, "a", 1, NULL);
    struct hs_stream stream = stream_of(&first, HS_LANE_PEOPLE);
    write_field(&place->hall, "a", 2, 3, NULL);
    open_at(&place->hall, &place->hub, first.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    world_close(&place->hub);
    world_open(&place->hub, false);
    assert_int_equal(supplies(&place->hub, 3201, HS_LANE_PEOPLE), HS_OK);
    world_close(&place->hub);
    world_turn(&place->hub, &stream, 1, ROW_OP, 5);
    forget_records(&place->hub);
    world_open(&place->hub, false);
    assert_int_equal(healed_of(&place->hub).count, 1);
    assert_int_equal(supplies(&place->hub, 3201, HS_LANE_PEOPLE), HS_EFILLING);
    assert_int_equal(supplies(&place->hub, 3201, HS_LANE_BULK), HS_OK);
    assert_int_equal(supplies(&place->hub, 3202, HS_LANE_PEOPLE), HS_OK);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_heal);
    assert_int_equal(supplies(&place->hub, 3201, HS_LANE_PEOPLE), HS_EBUSY); /* the log has it, the records have not */
    assert_int_equal(healed_of(&place->hub).rows[0].state, HS_HEALING_DONE);
    assert_int_equal(hs_store_flush(place->hub.store), HS_OK);
    assert_int_equal(supplies(&place->hub, 3201, HS_LANE_PEOPLE), HS_OK);
    world_assert_sound(&place->hub);
}

/* A running store makes its records anew: what that leaves out is named by no commit yet. */
static void nor_before_the_log_says_what_they_lack(void **state)
{
    struct place *place = *state;
    struct hs_dot first = write_register(&place->hall, "a", 1, NULL);
    struct hs_stream stream = stream_of(&first, HS_LANE_PEOPLE);
    write_field(&place->hall, "a", 2, 3, NULL);
    open_at(&place->hall, &place->hub, first.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    assert_int_equal(hs_store_flush(place->hub.store), HS_OK);
    world_turn(&place->hub, &stream, 1, ROW_OP, 5);
    assert_int_equal(hs_store_rebuild(place->hub.store), HS_OK);
    assert_int_equal(supplies(&place->hub, 3201, HS_LANE_PEOPLE), HS_EBUSY);
    bool more;
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    assert_int_equal(hs_store_upkeep(place->hub.store, &(struct hs_upkeep){.budget = 1000}, &more), HS_OK);
    assert_int_equal(hs_store_commit(place->hub.store, &(struct hs_commit){0}), HS_OK);
    assert_int_equal(hs_store_flush(place->hub.store), HS_OK);
    assert_int_equal(supplies(&place->hub, 3201, HS_LANE_PEOPLE), HS_EFILLING);
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
    world_assert_sound(&place->hall);
    world_reopen(&place->hall);
    after = world_digests(&place->hall);
    assert_true(hs_hash_equal(&before, &after));
}

/* The hub has it all as one run, which rotted in two places; another hub has only its first part. */
static void what_comes_in_parts_is_right_in_parts(void **state)
{
    struct place *place = *state;
    struct world_node *other = &place->second_hub;
    struct hs_dot dot = world_group(&place->hall, 5);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    world_open(other, true);
    open_at(&place->hall, other, dot.origin);
    carry(&place->hall, other, &stream, 1, hs_store_receive);
    signed_for(place, 7);
    struct hs_hash before = world_digests(&place->hub);
    world_turn(&place->hub, &stream, 3, ROW_OP, 40);
    world_turn(&place->hub, &stream, 9, ROW_OP, 40);
    note_rot(&place->hub, &stream, 3, 3);
    assert_int_equal(healed_of(&place->hub).count, 1);
    carry(other, &place->hub, &stream, 1, hs_store_heal);
    struct rows rows = healed_of(&place->hub);
    assert_int_equal(rows.count, 2);
    assert_true(rows.rows[0].state == HS_HEALING_DONE && rows.rows[0].first == 1 && rows.rows[0].last == 5);
    assert_true(rows.rows[1].state == HS_HEALING_WAITS && rows.rows[1].first == 6 && rows.rows[1].last == 12);
    carry(&place->hall, &place->hub, &stream, 6, hs_store_heal);
    rows = healed_of(&place->hub);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.rows[1].state, HS_HEALING_DONE);
    world_assert_sound(&place->hub);
    assert_int_equal(hs_store_rebuild(place->hub.store), HS_OK);
    struct hs_hash after = world_digests(&place->hub);
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

/* The records are made anew while the node runs, and its next upkeep is a while away. */
static void nor_before_the_rot_is_noted(void **state)
{
    struct place *place = *state;
    char series[HS_NUMBER_BYTES_MAX], other[HS_NUMBER_BYTES_MAX], again[HS_NUMBER_BYTES_MAX];
    struct hs_stream stream = write_numbers(place, series);
    world_turn(&place->hall, &stream, 3, ROW_OP, 40);
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

static void fold_all(struct world_node *node)
{
    bool more = true;
    while (more) {
        struct hs_upkeep what = {.before_ms = UINT64_MAX, .budget = 1000};
        assert_int_equal(hs_store_flush(node->store), HS_OK);
        assert_int_equal(hs_store_begin(node->store), HS_OK);
        assert_int_equal(hs_store_upkeep(node->store, &what, &more), HS_OK);
        assert_int_equal(hs_store_commit(node->store, &(struct hs_commit){0}), HS_OK);
    }
}

/* The beginning behind operations that have become base states rots, is had again by @segment, and the records are made
 * anew. */
static void rot_beginning(struct world_node *node, const struct hs_segment *segment, size_t at)
{
    struct hs_hash before = world_digests(node);
    world_close(node);
    world_turn(node, &segment->stream, 2, ROW_CHECKPOINT, at);
    world_open(node, false);
    note_rot(node, &segment->stream, 1, 2);
    assert_int_equal(healed_of(node).rows[0].state, HS_HEALING_WAITS);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_heal(node->store, segment), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &(struct hs_commit){0}), HS_OK);
    assert_int_equal(healed_of(node).rows[0].state, HS_HEALING_DONE);
    world_close(node);
    forget_records(node);
    world_open(node, false);
    struct hs_hash after = world_digests(node);
    assert_true(hs_hash_equal(&before, &after));
    world_assert_sound(node);
}

/* Seed 880050: they came back as operations that no commit lists, and the store did not start any more. */
static void a_rotten_beginning_brings_nothing_back_that_was_folded(void **state)
{
    struct place *place = *state;
    struct hs_segment two, three;
    struct hs_buf bodies[2] = {{0}, {0}};
    struct hs_dot dot = write_register(&place->hall, "a", 1, NULL);
    struct hs_stream stream = stream_of(&dot, HS_LANE_PEOPLE);
    dot = write_register(&place->hall, "a", 2, &dot);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_cut(view, &stream, 1, &bodies[0], &two), HS_OK);
    hs_view_close(view);
    open_at(&place->hall, &place->hub, dot.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    fold_all(&place->hub);
    write_register(&place->hall, "a", 3, &dot);
    carry(&place->hall, &place->hub, &stream, 3, hs_store_receive);
    view = world_view(&place->hall);
    assert_int_equal(hs_view_cut(view, &stream, 1, &bodies[1], &three), HS_OK);
    hs_view_close(view);
    rot_beginning(&place->hub, &three, 4);               /* the hash: its own signature proves it */
    rot_beginning(&place->hub, &two, HS_HASH_BYTES + 4); /* the signature */
    hs_buf_fini(&bodies[0]);
    hs_buf_fini(&bodies[1]);
}

static void a_rotten_signature_is_made_good(void **state)
{
    struct place *place = *state;
    world_group(&place->hall, 3);
    struct hs_stream stream = signed_for(place, 4);
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
        note_rot(nodes[i], &stream, 1, 7);
        assert_int_equal(healed_of(nodes[i]).count, 0);
        world_assert_sound(nodes[i]);
    }
}

/* The records that a start makes anew had been left without the operations that the row covers, and nobody was told:
 * the row is good again before anybody asks. */
static void what_a_rotten_signature_kept_out_gets_into_the_records(void **state)
{
    struct place *place = *state;
    world_group(&place->hall, 3);
    struct hs_stream stream = signed_for(place, 4);
    struct world_node *nodes[] = {&place->hall, &place->hub};
    for (size_t i = 0; i < 2; i++) {
        struct hs_hash before = world_digests(nodes[i]);
        world_close(nodes[i]);
        world_turn(nodes[i], &stream, 7, ROW_CHECKPOINT, 4);
        forget_records(nodes[i]);
        world_open(nodes[i], false);
        assert_int_equal(world_record_count(nodes[i]), 7);
        struct hs_hash after = world_digests(nodes[i]);
        assert_true(hs_hash_equal(&before, &after));
        assert_int_equal(healed_of(nodes[i]).count, 0);
        world_assert_sound(nodes[i]);
    }
}

/* Found by flipping bits: what lies behind a checkpoint of which nothing is right is right again with it, but had been
 * left out of the records. */
static void what_lies_behind_a_rotten_checkpoint_gets_into_the_records(void **state)
{
    struct place *place = *state;
    struct hs_segment segment;
    struct hs_buf body = {0};
    world_group(&place->hall, 3);
    struct hs_dot dot = world_group(&place->hall, 4);
    struct hs_stream stream = stream_of(&dot, HS_LANE_MONEY);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_cut(view, &stream, 4, &body, &segment), HS_OK);
    hs_view_close(view);
    world_group(&place->hall, 5);
    open_at(&place->hall, &place->hub, dot.origin);
    carry(&place->hall, &place->hub, &stream, 1, hs_store_receive);
    struct hs_hash before = world_digests(&place->hall);
    world_close(&place->hall);
    world_turn(&place->hall, &stream, 7, ROW_CHECKPOINT, 4);
    world_turn(&place->hall, &stream, 7, ROW_CHECKPOINT, HS_HASH_BYTES + 4);
    forget_records(&place->hall);
    world_open(&place->hall, false);
    assert_int_equal(healed_of(&place->hall).count, 2);
    struct hs_hash without = world_digests(&place->hall);
    assert_false(hs_hash_equal(&before, &without));
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(hs_store_heal(place->hall.store, &segment), HS_OK);
    assert_int_equal(hs_store_commit(place->hall.store, &(struct hs_commit){0}), HS_OK);
    assert_int_equal(healed_of(&place->hall).rows[1].state, HS_HEALING_DONE);
    struct hs_hash after = world_digests(&place->hall);
    assert_true(hs_hash_equal(&before, &after));
    world_assert_sound(&place->hall);
    hs_buf_fini(&body);
}

/* ---- receipts ---- */

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
    struct hs_stream stream = signed_for(place, 3);
    uint64_t hub = hs_store_id(place->hub.store);
    struct hs_receipt sound = receipt_of(&place->hall, &stream);
    note_receipt(&place->hall, &stream, hub);
    assert_int_equal(healed_of(&place->hall).count, 0); /* somebody was mistaken */
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        world_close(&place->hall);
        world_turn_receipt(&place->hall, &stream, hub, PARTS[i]);
        world_open(&place->hall, false);
        note_receipt(&place->hall, &stream, hub);
        struct rows rows = healed_of(&place->hall);
        assert_int_equal(rows.count, 1);
        assert_int_equal(rows.rows[0].state, HS_HEALING_WAITS);
        assert_true(rows.rows[0].store_id == hub && rows.rows[0].first == 0);
        assert_int_equal(receipt_of(&place->hall, &stream).n, 0); /* it counts for nothing */
        world_assert_sound(&place->hall);
        assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
        assert_false(hs_store_wants_opening(place->hall.store));
        hs_store_abort(place->hall.store);
        put_receipt(&place->hall, &sound, &place->hub);
        assert_int_equal(healed_of(&place->hall).rows[0].state, HS_HEALING_DONE);
        assert_int_equal(receipt_of(&place->hall, &stream).n, 3);
    }
}

static void ones_own_receipt_is_signed_anew(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = signed_for(place, 3);
    uint64_t hub = hs_store_id(place->hub.store);
    world_close(&place->hub);
    world_turn_receipt(&place->hub, &stream, hub, 0); /* a number beyond all that there is */
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
    world_assert_sound(&place->hub);
}

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
    world_turn_receipt(witness, &stream, receipt.store_id, 0);
    world_open(witness, false);
    commit = note_receipt(witness, &stream, receipt.store_id);
    assert_int_equal(commit.receipt_count, 0);
    assert_int_equal(receipt_of(witness, &stream).n, 0);
    struct rows rows = healed_of(witness);
    assert_int_equal(rows.count, 1);
    assert_int_equal(rows.rows[0].state, HS_HEALING_GONE);
}

/* What no store will ever say again is not waited for. */
static void a_receipt_of_a_store_that_is_gone_is_given_up(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = signed_for(place, 3);
    uint64_t hub = hs_store_id(place->hub.store);
    const struct hs_key key = hs_store_certificate(place->hub.store)->node_key;
    struct hs_receipt sound = receipt_of(&place->hall, &stream);
    for (int before = 0; before < 2; before++) {
        world_close(&place->hall);
        world_turn_receipt(&place->hall, &stream, hub, 100);
        world_open(&place->hall, false);
        note_receipt(&place->hall, &stream, hub);
        struct rows rows = healed_of(&place->hall);
        assert_int_equal(rows.rows[0].state, before ? HS_HEALING_GONE : HS_HEALING_WAITS);
        assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
        assert_int_equal(hs_store_gone(place->hall.store, &key, hub), HS_OK);
        assert_int_equal(hs_store_commit(place->hall.store, &(struct hs_commit){0}), HS_OK);
        assert_int_equal(healed_of(&place->hall).rows[0].state, HS_HEALING_GONE);
        put_receipt(&place->hall, &sound, &place->hub);
    }
}

/* A hub has signed for it, but of that the disk has made a lower number: nobody knows, so a node that has it is waited
 * for, also when the receipt has been dropped. */
static void what_somebody_may_have_is_not_issued_anew(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = signed_for(place, 20);
    world_close(&place->hall);
    world_turn(&place->hall, &stream, 10, ROW_OP, 40);
    world_turn_receipt(&place->hall, &stream, hs_store_id(place->hub.store), 7);
    forget_records(&place->hall);
    world_open(&place->hall, false);
    assert_int_equal(healed_of(&place->hall).rows[0].state, HS_HEALING_WAITS);
    note_receipt(&place->hall, &stream, hs_store_id(place->hub.store));
    world_reopen(&place->hall);
    struct rows rows = healed_of(&place->hall);
    assert_int_equal(rows.count, 2);
    assert_int_equal(rows.rows[0].state, HS_HEALING_WAITS);
    assert_int_equal(rows.rows[1].state, HS_HEALING_WAITS);
    assert_true(world_current_origin(&place->hall) == stream.origin);
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
    body.data[body.size - 1] ^= 1; /* a good operation, and another than was signed */
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(hs_store_heal(place->hall.store, &segment), HS_ESIGNATURE);
    body.data[body.size - 1] ^= 1;
    body.size--;
    segment.body = hs_buf_bytes(&body);
    assert_int_equal(hs_store_heal(place->hall.store, &segment), HS_EMALFORMED);
    segment.first = 2;
    assert_int_equal(hs_store_heal(place->hall.store, &segment), HS_EGAP);
    segment.stream.origin++;
    assert_int_equal(hs_store_heal(place->hall.store, &segment), HS_ECERT);
    hs_store_abort(place->hall.store);
    hs_buf_fini(&body);
    world_assert_sound(&place->hall);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rotten_operation_of_ones_own_is_issued_anew),
        TEST(values_issued_anew_overwrite_what_they_overwrote),
        TEST(what_a_hub_has_comes_back_from_it),
        TEST(what_comes_back_gets_into_its_record_behind_later_ones),
        TEST(records_that_lack_something_supply_nobody),
        TEST(nor_before_the_log_says_what_they_lack),
        TEST(what_comes_in_parts_is_right_in_parts),
        TEST(a_number_that_rotted_is_not_given_again),
        TEST(nor_before_the_rot_is_noted),
        TEST(a_rotten_beginning_brings_nothing_back_that_was_folded),
        TEST(a_rotten_signature_is_made_good),
        TEST(what_a_rotten_signature_kept_out_gets_into_the_records),
        TEST(what_lies_behind_a_rotten_checkpoint_gets_into_the_records),
        TEST(a_rotten_receipt_waits_until_it_comes_again),
        TEST(ones_own_receipt_is_signed_anew),
        TEST(of_a_beginning_nothing_is_signed_anew),
        TEST(a_receipt_of_a_store_that_is_gone_is_given_up),
        TEST(what_somebody_may_have_is_not_issued_anew),
        TEST(what_leads_nowhere_heals_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
