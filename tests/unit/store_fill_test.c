/* store_fill_test.c -- what comes as state: streams that begin behind an operation, base states, fills. */
#include "tests/lib/store_fill.h"
#include "tests/unit/store_place.h"

#include "storage/log/inside.h"
#include "storage/store/inside.h"

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, setup, place_end)

static int setup(void **state)
{
    struct place *place = place_begin(state);
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    world_open(&place->second_hub, true);
    return 0;
}

/* ---- operations ---- */

static struct hs_commit begin_commit(struct world_node *node)
{
    struct hs_commit commit;
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return commit;
}

/* Facts of a lane in a group of their own. */
static struct hs_stream write_facts(struct world_node *node, enum hs_lane lane, size_t count)
{
    struct hs_dot dot = {0};
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    for (size_t i = 0; i < count; i++) {
        struct world_fact fact = world_money(++node->made);
        fact.lane = lane;
        assert_int_equal(world_write(node, &fact, &dot), HS_OK);
    }
    begin_commit(node);
    return (struct hs_stream){dot.origin, 3201, (uint8_t)lane};
}

/* A register write, as of a customer's address. */
static struct hs_dot write_register(struct world_node *node, enum hs_lane lane, const char *id, uint8_t value,
                                    const struct hs_dot *over)
{
    uint8_t raw[2] = {0x08, value};
    struct hs_field_write field = {
        .number = 1, .value = HS_BYTES(raw, 2), .over = (struct hs_dot *)(uintptr_t)over, .over_count = over != NULL};
    struct hs_write write = {
        .kind = WORLD_KIND_REGISTER, .id = HS_BYTES(id, strlen(id)), .fields = &field, .field_count = 1};
    struct hs_draft draft = {.partition = 3201, .lane = lane, .writes = &write, .write_count = 1};
    struct hs_dot dot;
    hs_stamp stamp;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_write(node->store, &draft, &dot, &stamp), HS_OK);
    begin_commit(node);
    return dot;
}

static void assert_verified(struct world_node *node)
{
    struct hs_why why = {{0}};
    struct hs_view *view = world_view(node);
    if (hs_records_verify(store_records_txn(view), &why) != HS_OK)
        fail_msg("verify: %s", why.text);
    hs_view_close(view);
}

/* The records are what base states and operations add up to, made anew and opened anew. */
static void assert_sound(struct world_node *node)
{
    struct hs_hash before = world_digests(node);
    assert_verified(node);
    assert_int_equal(hs_store_rebuild(node->store), HS_OK);
    struct hs_hash after = world_digests(node);
    assert_true(hs_hash_equal(&before, &after));
    assert_verified(node);
    world_reopen(node);
    after = world_digests(node);
    assert_true(hs_hash_equal(&before, &after));
}

static void assert_same_records(struct world_node *a, struct world_node *b)
{
    struct hs_hash digests[2] = {world_digests(a), world_digests(b)};
    assert_true(hs_hash_equal(&digests[0], &digests[1]));
}

static struct hs_signed_head head_of(struct world_node *from, struct world_node *to, const struct hs_stream *stream)
{
    struct hs_view *view = world_view(from);
    struct fill_heads heads = {.view = view, .to = to, .partition = stream->partition, .lane = stream->lane};
    struct hs_head head;
    assert_int_equal(hs_view_head(view, stream, &head), HS_OK);
    assert_int_equal(fill_take_head(&heads, &head), HS_OK);
    hs_view_close(view);
    return heads.heads[0];
}

/* ---- streams that begin behind an operation ---- */

static void a_stream_begins_behind_a_head_and_goes_on(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = write_facts(&place->hall, HS_LANE_MONEY, 5);
    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    struct hs_signed_head five = head_of(&place->hall, &place->second_hub, &stream);
    assert_int_equal(hs_store_put_base(place->second_hub.store, &five), HS_OK);
    assert_int_equal(hs_store_put_base(place->second_hub.store, &five), HS_EEXISTS);
    struct hs_commit commit = begin_commit(&place->second_hub);
    assert_int_equal(commit.head_count, 1);
    assert_int_equal(commit.heads[0].n, 5);
    assert_int_equal(commit.receipt_count, 0); /* it holds nothing yet */
    write_facts(&place->hall, HS_LANE_MONEY, 3);
    world_carry(&place->hall, &place->second_hub);
    assert_int_equal(world_head(&place->second_hub, &stream), 8);

    struct hs_view *view = world_view(&place->second_hub);
    struct hs_buf body = {0};
    struct hs_segment segment;
    struct hs_hash hash;
    struct hs_bytes op;
    struct hs_checkpoint checkpoint;
    uint64_t ops, bytes;
    assert_int_equal(hs_view_cut(view, &stream, 1, &body, &segment), HS_EPRUNED);
    assert_int_equal(hs_view_cut(view, &stream, 5, &body, &segment), HS_EPRUNED);
    assert_int_equal(hs_view_cut(view, &stream, 6, &body, &segment), HS_OK);
    assert_int_equal(segment.count, 3);
    size_t size = segment.body.size;
    assert_int_equal(hs_view_cut(view, &stream, 9, &body, &segment), HS_ENOTFOUND);
    assert_int_equal(hs_view_cut(view, &stream, 20, &body, &segment), HS_ENOTFOUND);
    assert_int_equal(hs_view_hash_at(view, &stream, 4, &hash), HS_ENOTFOUND);
    assert_int_equal(hs_view_hash_at(view, &stream, 5, &hash), HS_OK);
    assert_true(hs_hash_equal(&hash, &five.hash));
    assert_int_equal(hs_view_op(view, &stream, 5, &op), HS_ENOTFOUND);
    assert_int_equal(hs_view_op(view, &stream, 6, &op), HS_OK);
    assert_int_equal(hs_view_checkpoint(view, &stream, 7, &checkpoint), HS_OK);
    assert_int_equal(checkpoint.n, 5);
    hs_view_lag(view, &stream, 5, &ops, &bytes);
    assert_int_equal(ops, 3);
    assert_int_equal(bytes, size);
    hs_view_lag(view, &stream, 2, &ops, &bytes);
    assert_int_equal(ops, 6);
    hs_view_close(view);
    hs_buf_fini(&body);
    assert_sound(&place->second_hub);
}

static void a_base_needs_an_origin_and_a_number(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = write_facts(&place->hall, HS_LANE_MONEY, 2);
    struct hs_signed_head head = head_of(&place->hall, NULL, &stream);
    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    assert_int_equal(hs_store_put_base(place->second_hub.store, &head), HS_ECERT);
    head.n = 0;
    assert_int_equal(hs_store_put_base(place->second_hub.store, &head), HS_EMALFORMED);
    hs_store_abort(place->second_hub.store);
}

/* The owner was set back: somebody holds more of its current origin. */
static void a_base_of_the_own_origin_ends_it(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = write_facts(&place->hall, HS_LANE_MONEY, 2);
    struct hs_signed_head head = head_of(&place->hall, NULL, &stream);
    head.stream.lane = HS_LANE_WORK;
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(hs_store_put_base(place->hall.store, &head), HS_OK);
    begin_commit(&place->hall);
    assert_true(world_current_origin(&place->hall) == 0);
}

/* ---- fills ---- */

static void a_hall_is_filled_and_goes_on_by_number(void **state)
{
    struct place *place = *state;
    struct hs_stream own = write_facts(&place->hall, HS_LANE_PEOPLE, 3);
    struct hs_dot dot = write_register(&place->hub, HS_LANE_PEOPLE, "a", 1, NULL);
    write_register(&place->hub, HS_LANE_PEOPLE, "a", 2, &dot);
    write_register(&place->hub, HS_LANE_PEOPLE, "b", 1, NULL);
    struct hs_stream hubs = {dot.origin, 3201, HS_LANE_PEOPLE};
    world_carry(&place->hall, &place->hub);

    fill_all(&place->hub, &place->second_hub, 3201, HS_LANE_PEOPLE, 1);
    struct fill_found found;
    fill_state(&place->second_hub, 3201, HS_LANE_PEOPLE, &found);
    assert_false(found.there);
    assert_same_records(&place->hub, &place->second_hub);
    assert_int_equal(world_head(&place->second_hub, &own), 3);
    assert_int_equal(world_head(&place->second_hub, &hubs), 3);
    assert_sound(&place->second_hub);

    write_facts(&place->hall, HS_LANE_PEOPLE, 2);
    write_register(&place->hub, HS_LANE_PEOPLE, "b", 9, NULL);
    world_carry(&place->hall, &place->hub);
    world_carry(&place->hub, &place->second_hub);
    world_assert_equal(&place->hub, &place->second_hub);
    assert_sound(&place->second_hub);
}

/* Who has more of the current origin than this store has it from an owner that was set back. */
static void a_list_that_names_more_of_the_origin_ends_it(void **state)
{
    static const enum hs_lane LANES[] = {HS_LANE_PEOPLE, HS_LANE_MONEY};
    struct place *place = *state;
    for (size_t i = 0; i < 2; i++) {
        struct hs_signed_head head = {.stream = write_facts(&place->hall, LANES[i], 2), .n = 2};
        struct hs_fill_note note = {
            .partition = 3201, .lane = (uint8_t)LANES[i], .heads = &head, .count = 1, .last = true};
        assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
        assert_int_equal(hs_store_fill_begin(place->hall.store, 3201, note.lane), HS_OK);
        assert_int_equal(hs_store_fill_note(place->hall.store, &note), HS_OK);
        begin_commit(&place->hall);
        assert_true(world_current_origin(&place->hall) == head.stream.origin);
        head.n = 3;
        assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
        assert_int_equal(hs_store_fill_begin(place->hall.store, 3201, note.lane), HS_OK);
        assert_int_equal(hs_store_fill_note(place->hall.store, &note), HS_OK);
        begin_commit(&place->hall);
        assert_true(world_current_origin(&place->hall) == 0);
    }
}

static void money_is_never_taken_as_state(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = write_facts(&place->hall, HS_LANE_MONEY, 3);
    struct fill_found found;
    fill_all(&place->hall, &place->second_hub, 3201, HS_LANE_MONEY, 1);
    fill_state(&place->second_hub, 3201, HS_LANE_MONEY, &found);
    assert_true(found.there && found.fill.noted);
    assert_int_equal(world_head(&place->second_hub, &stream), 0);
    struct hs_states states = {3201, HS_LANE_MONEY, HS_BYTES("\x06\x0c\x81\x02\x01\xf4x\x01y", 9)};
    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    assert_true(hs_store_fill_states(place->second_hub.store, &states) != HS_OK);
    assert_int_equal(hs_store_fill_end(place->second_hub.store, 3201, HS_LANE_MONEY), HS_EINVAL);
    hs_store_abort(place->second_hub.store);
    write_facts(&place->hall, HS_LANE_MONEY, 1);   /* more than was noted */
    world_carry(&place->hall, &place->second_hub); /* and the log gets there */
    fill_state(&place->second_hub, 3201, HS_LANE_MONEY, &found);
    assert_false(found.there);
    assert_same_records(&place->hall, &place->second_hub);
}

static void a_fill_of_money_that_is_here_ends_at_once(void **state)
{
    struct place *place = *state;
    struct fill_found found;
    write_facts(&place->hall, HS_LANE_MONEY, 3);
    world_carry(&place->hall, &place->second_hub);
    fill_all(&place->hall, &place->second_hub, 3201, HS_LANE_MONEY, 1);
    fill_state(&place->second_hub, 3201, HS_LANE_MONEY, &found);
    assert_false(found.there);
}

static void what_is_filled_is_not_whole(void **state)
{
    struct place *place = *state;
    write_facts(&place->hall, HS_LANE_WORK, 3);
    struct hs_view *view = world_view(&place->hub);
    assert_true(hs_view_whole(view, 3201));
    hs_view_close(view);
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    assert_int_equal(hs_store_fill_begin(place->hub.store, 3201, HS_LANE_WORK), HS_OK);
    assert_int_equal(hs_store_fill_begin(place->hub.store, 3201, HS_LANE_WORK), HS_OK);
    assert_int_equal(hs_store_fill_end(place->hub.store, 3201, HS_LANE_WORK), HS_EINVAL); /* no heads yet */
    begin_commit(&place->hub);
    world_reopen(&place->hub);
    view = world_view(&place->hub);
    assert_false(hs_view_whole(view, 3201));
    assert_true(hs_view_whole(view, 3202));
    hs_view_close(view);
    fill_all(&place->hall, &place->hub, 3201, HS_LANE_WORK, 1 << 20);
    view = world_view(&place->hub);
    assert_true(hs_view_whole(view, 3201));
    hs_view_close(view);
}

static void a_hall_is_filled_within_its_scope_only(void **state)
{
    struct place *place = *state;
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(hs_store_fill_begin(place->hall.store, 3205, HS_LANE_WORK), HS_ENOTHERE);
    assert_int_equal(hs_store_fill_begin(place->hall.store, HS_PARTITION_REGION, HS_LANE_WORK), HS_OK);
    assert_int_equal(hs_store_fill_begin(place->hall.store, 3201, (uint8_t)9), HS_EINVAL);
    hs_store_abort(place->hall.store);
}

/* A node that was away for long: what it holds of a stream lies before the gap, and counts. */
static void a_stream_jumps_over_what_is_not_kept(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = write_facts(&place->hall, HS_LANE_PEOPLE, 4);
    world_carry(&place->hall, &place->second_hub);
    write_facts(&place->hall, HS_LANE_PEOPLE, 3);
    struct hs_stream own = write_facts(&place->second_hub, HS_LANE_PEOPLE, 2);
    uint64_t flushed = hs_store_position(place->second_hub.store).commit;
    fill_all(&place->hall, &place->second_hub, 3201, HS_LANE_PEOPLE, 1);
    assert_int_equal(world_head(&place->second_hub, &stream), 7);
    assert_int_equal(world_head(&place->second_hub, &own), 2); /* further on than the supplier */
    struct hs_view *view = world_view(&place->second_hub);
    struct hs_buf body = {0};
    struct hs_segment segment;
    struct hs_hash hash;
    assert_int_equal(hs_view_cut(view, &stream, 3, &body, &segment), HS_OK); /* it has not been folded */
    assert_int_equal(segment.count, 2);
    assert_int_equal(hs_view_cut(view, &stream, 5, &body, &segment), HS_EPRUNED);
    assert_int_equal(hs_view_cut(view, &stream, 7, &body, &segment), HS_EPRUNED);
    assert_int_equal(hs_view_cut(view, &stream, 8, &body, &segment), HS_ENOTFOUND);
    assert_int_equal(hs_view_hash_at(view, &stream, 6, &hash), HS_ENOTFOUND);
    uint64_t fold;
    assert_int_equal(log_find_fold(store_log_reader(view).txn, &stream, &fold), HS_OK);
    assert_int_equal(fold, 4);
    uint64_t from = 0;
    assert_int_equal(hs_view_whole_from(view, &stream, &from), HS_OK);
    assert_int_equal(from, 7); /* and 3 and 4 lead nowhere */
    assert_int_equal(hs_view_whole_from(view, &own, &from), HS_OK);
    assert_int_equal(from, 0);
    own.lane = HS_LANE_MONEY;
    assert_int_equal(hs_view_whole_from(view, &own, &from), HS_ENOTFOUND);
    hs_view_close(view);
    hs_buf_fini(&body);
    assert_true(flushed > 0);
    assert_sound(&place->second_hub);
    write_facts(&place->hall, HS_LANE_PEOPLE, 2);
    world_carry(&place->hall, &place->second_hub);
    assert_int_equal(world_head(&place->second_hub, &stream), 9);
    assert_sound(&place->second_hub);
}

/* In pieces, until nothing is left. */
static void keep_up(struct world_node *node, uint64_t before_ms)
{
    struct hs_upkeep upkeep = {.before_ms = before_ms, .budget = 3};
    bool more = true;
    world_close(node); /* what is on disk is folded only when the records on disk have it */
    world_open(node, false);
    struct hs_hash before = world_digests(node);
    while (more) {
        assert_int_equal(hs_store_begin(node->store), HS_OK);
        assert_int_equal(hs_store_upkeep(node->store, &upkeep, &more), HS_OK);
        begin_commit(node);
    }
    struct hs_hash after = world_digests(node);
    assert_true(hs_hash_equal(&before, &after));
}

static void assert_begins_behind(struct world_node *node, const struct hs_stream *stream, uint64_t n)
{
    uint64_t beginning = 0;
    uint64_t fold;
    struct hs_view *view = world_view(node);
    struct hs_txn *txn = store_log_reader(view).txn;
    assert_int_equal(log_find_fold(txn, stream, &fold), HS_ENOTFOUND);
    assert_int_equal(hs_log_beginning(txn, stream, &beginning), HS_OK);
    assert_int_equal(beginning, n);
    assert_int_equal(hs_view_whole_from(view, stream, &beginning), HS_OK);
    assert_int_equal(beginning, n);
    hs_view_close(view);
}

/* Found by fill_property: the last checkpoint before a gap was taken for the stream's beginning, and a replay missed
 * operations. */
static void what_lies_before_gaps_is_folded(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = write_facts(&place->hall, HS_LANE_PEOPLE, 4);
    world_carry(&place->hall, &place->second_hub);
    write_facts(&place->hall, HS_LANE_PEOPLE, 3);
    fill_all(&place->hall, &place->second_hub, 3201, HS_LANE_PEOPLE, 1 << 20);
    write_facts(&place->hall, HS_LANE_PEOPLE, 2);
    world_carry(&place->hall, &place->second_hub);
    write_facts(&place->hall, HS_LANE_PEOPLE, 1);
    fill_all(&place->hall, &place->second_hub, 3201, HS_LANE_PEOPLE, 1 << 20); /* a second gap */
    assert_sound(&place->second_hub);
    struct hs_view *view = world_view(&place->second_hub);
    uint64_t from = 0;
    assert_int_equal(hs_view_whole_from(view, &stream, &from), HS_OK);
    hs_view_close(view);
    assert_int_equal(from, 10);
    keep_up(&place->second_hub, 0);
    assert_begins_behind(&place->second_hub, &stream, 10);
    assert_sound(&place->second_hub);
    write_facts(&place->hall, HS_LANE_PEOPLE, 1);
    fill_all(&place->hall, &place->second_hub, 3201, HS_LANE_PEOPLE, 1 << 20); /* and one behind which nothing came */
    assert_begins_behind(&place->second_hub, &stream, 11);
    assert_sound(&place->second_hub);
    write_facts(&place->hall, HS_LANE_PEOPLE, 1);
    world_carry(&place->hall, &place->second_hub);
    world_assert_equal(&place->hall, &place->second_hub);
    assert_sound(&place->second_hub);
}

/* Found by fill_property: of own streams that take turns in a commit only the last run ends at a checkpoint. */
static void runs_that_take_turns_are_folded(void **state)
{
    struct place *place = *state;
    struct hs_dot dots[2];
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    for (size_t i = 0; i < 12; i++) {
        struct world_fact fact = world_money(++place->hub.made);
        fact.lane = i % 4 < 2 ? HS_LANE_PEOPLE : HS_LANE_WORK;
        assert_int_equal(world_write(&place->hub, &fact, &dots[i % 4 / 2]), HS_OK);
    }
    begin_commit(&place->hub);
    place->region.now_ms += 1000;
    keep_up(&place->hub, place->region.now_ms);
    for (size_t i = 0; i < 2; i++) {
        struct hs_stream stream = {dots[i].origin, 3201, i == 0 ? HS_LANE_PEOPLE : HS_LANE_WORK};
        assert_begins_behind(&place->hub, &stream, 6);
    }
    assert_sound(&place->hub);
}

/* A fill that goes on from another hub ends at what both have said. */
static void of_two_lists_the_lowest_counts(void **state)
{
    struct place *place = *state;
    struct hs_commit commit;
    struct fill_found at;
    struct hs_stream first = write_facts(&place->hall, HS_LANE_PEOPLE, 4);
    world_carry(&place->hall, &place->hub);
    write_facts(&place->hall, HS_LANE_PEOPLE, 5);                        /* not at the hub */
    struct hs_stream hubs = write_facts(&place->hub, HS_LANE_PEOPLE, 2); /* not at the hall */
    struct hs_view *hall = world_view(&place->hall);
    struct hs_view *hub = world_view(&place->hub);
    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    assert_int_equal(hs_store_fill_begin(place->second_hub.store, 3201, HS_LANE_PEOPLE), HS_OK);
    fill_note(hall, &place->second_hub, 3201, HS_LANE_PEOPLE, 1);
    assert_int_equal(hs_store_commit(place->second_hub.store, &commit), HS_OK);
    fill_state(&place->second_hub, 3201, HS_LANE_PEOPLE, &at);
    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    assert_true(fill_chunk(hall, &place->second_hub, &at, 300));
    assert_int_equal(hs_store_commit(place->second_hub.store, &commit), HS_OK);
    world_reopen(&place->second_hub);
    fill_state(&place->second_hub, 3201, HS_LANE_PEOPLE, &at);
    assert_true(at.there && at.fill.after.size > 0 && at.fill.records > 0);

    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    fill_note(hub, &place->second_hub, 3201, HS_LANE_PEOPLE, 1);
    while (fill_chunk(hub, &place->second_hub, &at, 300)) {
    }
    assert_int_equal(hs_store_fill_end(place->second_hub.store, 3201, HS_LANE_PEOPLE), HS_OK);
    assert_int_equal(hs_store_commit(place->second_hub.store, &commit), HS_OK);
    hs_view_close(hall);
    hs_view_close(hub);
    assert_int_equal(world_head(&place->second_hub, &first), 4);
    assert_int_equal(world_head(&place->second_hub, &hubs), 0); /* the first supplier had none of it */
    assert_sound(&place->second_hub);
    world_carry(&place->hall, &place->hub);
    world_carry(&place->hub, &place->second_hub);
    world_assert_equal(&place->hub, &place->second_hub);
    assert_sound(&place->second_hub);
}

static void states_come_in_order_and_once(void **state)
{
    struct place *place = *state;
    struct fill_found at;
    struct hs_buf body = {0};
    struct hs_buf twice = {0};
    struct hs_bytes next;
    bool last;
    write_facts(&place->hall, HS_LANE_WORK, 9);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_states_count(view, 3201, HS_LANE_WORK), 0); /* of a kind that is not known here */
    assert_int_equal(hs_view_states(view, 3201, HS_LANE_WORK, HS_BYTES_NONE, 600, &body, &next, &last), HS_OK);
    assert_false(last);
    assert_true(body.size <= 600);
    struct hs_states states = {3201, HS_LANE_WORK, hs_buf_bytes(&body)};
    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    assert_int_equal(hs_store_fill_states(place->second_hub.store, &states), HS_EINVAL); /* no fill */
    assert_int_equal(hs_store_fill_begin(place->second_hub.store, 3201, HS_LANE_WORK), HS_OK);
    assert_int_equal(hs_store_fill_states(place->second_hub.store, &states), HS_EINVAL); /* no heads */
    fill_note(view, &place->second_hub, 3201, HS_LANE_WORK, 8);
    assert_int_equal(hs_store_fill_states(place->second_hub.store, &states), HS_OK);
    assert_int_equal(hs_store_fill_states(place->second_hub.store, &states), HS_EGAP);
    struct hs_states wrong = {3201, HS_LANE_BULK, states.body};
    assert_int_equal(hs_store_fill_states(place->second_hub.store, &wrong), HS_EMALFORMED);
    wrong = (struct hs_states){3202, HS_LANE_WORK, states.body};
    assert_int_equal(hs_store_fill_states(place->second_hub.store, &wrong), HS_EMALFORMED);
    wrong = (struct hs_states){3201, HS_LANE_WORK, HS_BYTES(body.data, body.size - 1)};
    assert_int_equal(hs_store_fill_states(place->second_hub.store, &wrong), HS_EMALFORMED);
    hs_buf_put_bytes(&twice, states.body);
    hs_buf_put_bytes(&twice, states.body);
    wrong.body = hs_buf_bytes(&twice);
    assert_int_equal(hs_store_fill_states(place->second_hub.store, &wrong), HS_EMALFORMED);
    hs_buf_fini(&twice);
    begin_commit(&place->second_hub);
    fill_state(&place->second_hub, 3201, HS_LANE_WORK, &at);
    assert_true(at.fill.records > 0 && hs_bytes_equal(at.fill.after, next));
    assert_int_equal(hs_view_states(view, 3201, HS_LANE_WORK, HS_BYTES("\x0c\x82\x01zz", 5), 600, &body, &next, &last),
                     HS_EINVAL);
    assert_int_equal(hs_view_states(view, 3201, HS_LANE_MONEY, HS_BYTES_NONE, 600, &body, &next, &last), HS_EINVAL);
    hs_view_close(view);
    hs_buf_fini(&body);
}

static void lists_of_heads_are_checked(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = write_facts(&place->hall, HS_LANE_WORK, 2);
    struct hs_stream second = write_facts(&place->hub, HS_LANE_WORK, 2);
    struct hs_signed_head heads[2] = {{.stream = stream, .n = 2}, {.stream = second, .n = 2}};
    struct hs_fill_note note = {.partition = 3201, .lane = HS_LANE_WORK, .heads = heads, .count = 1, .last = true};
    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    assert_int_equal(hs_store_fill_note(place->second_hub.store, &note), HS_EINVAL); /* no fill */
    assert_int_equal(hs_store_fill_begin(place->second_hub.store, 3201, HS_LANE_WORK), HS_OK);
    assert_int_equal(hs_store_fill_note(place->second_hub.store, &note), HS_ECERT);
    head_of(&place->hall, &place->second_hub, &stream);
    head_of(&place->hub, &place->second_hub, &second);
    assert_int_equal(hs_store_fill_note(place->second_hub.store, &note), HS_OK);
    note.count = 2;
    if (hs_stream_compare(&stream, &second) < 0) { /* then the wrong way round */
        heads[0].stream = second;
        heads[1].stream = stream;
    }
    assert_int_equal(hs_store_fill_note(place->second_hub.store, &note), HS_EINVAL);
    note.count = 1;
    heads[0].n = 0;
    assert_int_equal(hs_store_fill_note(place->second_hub.store, &note), HS_EINVAL);
    heads[0] = (struct hs_signed_head){.stream = {stream.origin, 3201, HS_LANE_BULK}, .n = 1};
    assert_int_equal(hs_store_fill_note(place->second_hub.store, &note), HS_EINVAL);
    hs_store_abort(place->second_hub.store);
}

/* ---- what else sees states that came ---- */

struct seen {
    size_t ops, states;
    struct hs_buf keys;
};

static enum hs_err see_change(void *ctx, const struct hs_change *change)
{
    struct seen *seen = ctx;
    seen->ops += change->n != 0;
    seen->states += change->n == 0;
    if (change->n == 0)
        assert_true(change->record.partition == 3201 && change->record.id.size > 0);
    return HS_OK;
}

static void the_feed_tells_of_states_that_came(void **state)
{
    struct place *place = *state;
    struct seen seen = {0};
    write_facts(&place->hall, HS_LANE_WORK, 20);
    world_group(&place->second_hub, 1);
    struct hs_position from = hs_store_position(place->second_hub.store);
    struct hs_position to;
    fill_all(&place->hall, &place->second_hub, 3201, HS_LANE_WORK, 700);
    write_facts(&place->hall, HS_LANE_WORK, 2);
    world_carry(&place->hall, &place->second_hub);
    struct hs_view *view = world_view(&place->second_hub);
    assert_int_equal(hs_view_changes(view, &from, SIZE_MAX, see_change, &seen, &to), HS_OK);
    assert_int_equal(seen.states, 20);
    assert_int_equal(seen.ops, 2);
    seen = (struct seen){0};
    from = (struct hs_position){0};
    assert_int_equal(hs_view_changes(view, &from, SIZE_MAX, see_change, &seen, &to), HS_OK);
    assert_int_equal(seen.states, 20);
    assert_int_equal(seen.ops, 3);
    hs_view_close(view);
}

static void drop_commit(struct world_node *node, uint64_t commit)
{
    struct hs_txn txn;
    uint8_t key[8];
    hs_be64(key, commit);
    assert_int_equal(hs_txn_begin(hs_log_env(node->store->log), true, &txn), HS_OK);
    hs_txn_delete(&txn, LOG_COMMIT, HS_BYTES(key, sizeof key));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
}

/* Who was told of a commit that is not kept any more does not know more than this store. */
static void an_old_position_is_no_foreign_one(void **state)
{
    struct place *place = *state;
    world_group(&place->hall, 1);
    struct hs_position old = hs_store_position(place->hall.store);
    world_group(&place->hall, 1);
    struct hs_position last = hs_store_position(place->hall.store);
    struct hs_position foreign = {old.commit, old.tag + 1};
    struct hs_position beyond = {last.commit + 1, last.tag};
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_knows(view, &(struct hs_position){0, 0}), HS_OK);
    assert_int_equal(hs_view_knows(view, &old), HS_OK);
    assert_int_equal(hs_view_knows(view, &foreign), HS_ERESET);
    assert_int_equal(hs_view_knows(view, &beyond), HS_ERESET);
    hs_view_close(view);
    drop_commit(&place->hall, old.commit);
    view = world_view(&place->hall);
    assert_int_equal(hs_view_knows(view, &old), HS_EPRUNED);
    assert_int_equal(hs_view_knows(view, &foreign), HS_EPRUNED);
    assert_int_equal(hs_view_knows(view, &last), HS_OK);
    hs_view_close(view);
}

/* A crash in the middle of a fill: what was committed to the log is there, whatever the records had. */
static void a_start_replays_states_that_came(void **state)
{
    struct place *place = *state;
    write_facts(&place->hall, HS_LANE_WORK, 20);
    write_register(&place->hall, HS_LANE_WORK, "r", 3, NULL);
    char spare[WORLD_PATH_BYTES];
    world_path(spare, place->region.base, "spare");
    world_copy_dir(place->second_hub.dir, spare); /* its records, as they were before */
    fill_all(&place->hall, &place->second_hub, 3201, HS_LANE_WORK, 500);
    struct hs_hash before = world_digests(&place->second_hub);
    world_close(&place->second_hub);
    char from[WORLD_PATH_BYTES];
    char to[WORLD_PATH_BYTES];
    world_path(from, spare, "records/data.mdb");
    world_path(to, place->second_hub.dir, "records/data.mdb");
    world_copy_file(from, to);
    world_open(&place->second_hub, false);
    struct hs_hash after = world_digests(&place->second_hub);
    assert_true(hs_hash_equal(&before, &after));
    assert_sound(&place->second_hub);
}

static void an_aborted_step_leaves_nothing(void **state)
{
    struct place *place = *state;
    struct fill_found at;
    write_facts(&place->hall, HS_LANE_WORK, 5);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    assert_int_equal(hs_store_fill_begin(place->second_hub.store, 3201, HS_LANE_WORK), HS_OK);
    fill_note(view, &place->second_hub, 3201, HS_LANE_WORK, 8);
    begin_commit(&place->second_hub);
    struct hs_hash before = world_digests(&place->second_hub);
    fill_state(&place->second_hub, 3201, HS_LANE_WORK, &at);
    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    fill_chunk(view, &place->second_hub, &at, 300);
    hs_store_abort(place->second_hub.store);
    struct hs_hash after = world_digests(&place->second_hub);
    assert_true(hs_hash_equal(&before, &after));
    fill_state(&place->second_hub, 3201, HS_LANE_WORK, &at);
    assert_int_equal(at.fill.after.size, 0);
    hs_view_close(view);
    assert_sound(&place->second_hub);
}

/* Another store's record names numbers of this node's origin that it has not given out: it was set back. */
static void a_state_that_names_more_than_was_given_out_ends_the_origin(void **state)
{
    struct place *place = *state;
    struct fill_found at;
    uint64_t origin = write_facts(&place->second_hub, HS_LANE_WORK, 1).origin;
    struct hs_dot ahead = {origin, 7};
    write_register(&place->hall, HS_LANE_WORK, "r", 3, &ahead);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    assert_int_equal(hs_store_fill_begin(place->second_hub.store, 3201, HS_LANE_WORK), HS_OK);
    fill_note(view, &place->second_hub, 3201, HS_LANE_WORK, 8);
    begin_commit(&place->second_hub);
    assert_true(world_current_origin(&place->second_hub) == origin);
    fill_state(&place->second_hub, 3201, HS_LANE_WORK, &at);
    assert_int_equal(hs_store_begin(place->second_hub.store), HS_OK);
    fill_chunk(view, &place->second_hub, &at, 1 << 20);
    begin_commit(&place->second_hub);
    assert_true(world_current_origin(&place->second_hub) == 0);
    hs_view_close(view);
}

static bool is_filling(struct world_node *node)
{
    struct hs_view *view = world_view(node);
    bool whole = hs_view_whole(view, 3201);
    hs_view_close(view);
    return !whole;
}

/* While the record is there it is made anew from that; if not, it is left out, and its lane filled anew. */
static void a_damaged_base_state_is_not_used(void **state)
{
    struct place *place = *state;
    struct hs_txn txn;
    struct hs_scan scan;
    struct hs_buf row = {0};
    struct hs_buf key = {0};
    char path[WORLD_PATH_BYTES];
    write_facts(&place->hall, HS_LANE_WORK, 3);
    fill_all(&place->hall, &place->second_hub, 3201, HS_LANE_WORK, 1 << 20);
    assert_int_equal(hs_txn_begin(hs_log_env(place->second_hub.store->log), true, &txn), HS_OK);
    hs_scan_begin(&scan, &txn, LOG_BASE, HS_BYTES_NONE, HS_BYTES_NONE);
    assert_true(hs_scan_next(&scan));
    hs_buf_put_bytes(&key, scan.key);
    hs_buf_put_bytes(&row, scan.value);
    hs_scan_end(&scan);
    row.data[row.size - 1] ^= 1;
    hs_txn_put(&txn, LOG_BASE, hs_buf_bytes(&key), hs_buf_bytes(&row));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    struct hs_hash before = world_digests(&place->second_hub), after;
    assert_int_equal(hs_store_rebuild(place->second_hub.store), HS_OK);
    after = world_digests(&place->second_hub);
    assert_true(hs_hash_equal(&before, &after));
    assert_false(is_filling(&place->second_hub));
    assert_int_equal(hs_txn_begin(hs_log_env(place->second_hub.store->log), true, &txn), HS_OK);
    hs_txn_put(&txn, LOG_BASE, hs_buf_bytes(&key), hs_buf_bytes(&row));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    world_close(&place->second_hub);
    world_path(path, place->second_hub.dir, "records/data.mdb");
    assert_int_equal(unlink(path), 0);
    world_open(&place->second_hub, false);
    after = world_digests(&place->second_hub);
    assert_false(hs_hash_equal(&before, &after));
    assert_true(is_filling(&place->second_hub));
    world_path(path, place->second_hub.dir, "replaced");
    assert_int_equal(access(path, F_OK), 0);
    hs_buf_fini(&row);
    hs_buf_fini(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_stream_begins_behind_a_head_and_goes_on),
        IN_PLACE(a_base_needs_an_origin_and_a_number),
        IN_PLACE(a_base_of_the_own_origin_ends_it),
        IN_PLACE(a_hall_is_filled_and_goes_on_by_number),
        IN_PLACE(a_list_that_names_more_of_the_origin_ends_it),
        IN_PLACE(money_is_never_taken_as_state),
        IN_PLACE(a_fill_of_money_that_is_here_ends_at_once),
        IN_PLACE(what_is_filled_is_not_whole),
        IN_PLACE(a_hall_is_filled_within_its_scope_only),
        IN_PLACE(a_stream_jumps_over_what_is_not_kept),
        IN_PLACE(what_lies_before_gaps_is_folded),
        IN_PLACE(runs_that_take_turns_are_folded),
        IN_PLACE(of_two_lists_the_lowest_counts),
        IN_PLACE(states_come_in_order_and_once),
        IN_PLACE(lists_of_heads_are_checked),
        IN_PLACE(the_feed_tells_of_states_that_came),
        IN_PLACE(an_old_position_is_no_foreign_one),
        IN_PLACE(a_start_replays_states_that_came),
        IN_PLACE(an_aborted_step_leaves_nothing),
        IN_PLACE(a_state_that_names_more_than_was_given_out_ends_the_origin),
        IN_PLACE(a_damaged_base_state_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
