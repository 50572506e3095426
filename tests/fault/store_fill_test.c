/* store_fill_test.c -- what comes as state while something fails: a step of a fill that was answered OK is there after
 * a new start, one that was not is given up whole; and base states are never lost to records that are made anew. */
#include "tests/fault/store_place.h"
#include "tests/lib/store_fill.h"

#include "storage/log/inside.h"

#define STEP_KINDS                                                                                           \
    (FAULT_OF_MEMORY | FAULT_OF_DB | FAULT_OF_LATE | FAULT_BIT(FAULT_FILE_IO) | FAULT_BIT(FAULT_FILE_FULL) | \
     FAULT_BIT(FAULT_FILE_SHORT))

/* A fill of the hub from the hall, in one group, from what was taken out of the hall before. */
struct attempt {
    struct place *place;
    struct hs_signed_head head;
    struct hs_buf certificate, opening, body;
    bool ends_money; /* the step is a segment, with which a fill of money ends */
    struct hs_segment segment;
    struct hs_dot dots[3]; /* the last writes of the records */
};

/* The same few records again and again: an attempt must not become longer than the one before. */
static void write_people(struct attempt *attempt)
{
    struct world_node *hall = &attempt->place->hall;
    struct hs_commit commit;
    hs_stamp stamp;
    assert_int_equal(hs_store_begin(hall->store), HS_OK);
    for (uint8_t i = 0; i < 3; i++) {
        uint8_t id[1] = {i};
        uint8_t raw[2] = {0x08, (uint8_t)(++hall->made & 0x7f)};
        struct hs_dot over = attempt->dots[i];
        struct hs_field_write field = {
            .number = 1, .value = HS_BYTES(raw, 2), .over = &over, .over_count = over.n != 0};
        struct hs_write write = {
            .kind = WORLD_KIND_REGISTER, .id = HS_BYTES(id, 1), .fields = &field, .field_count = 1};
        struct hs_draft draft = {.partition = 3201, .lane = HS_LANE_PEOPLE, .writes = &write, .write_count = 1};
        assert_int_equal(hs_store_write(hall->store, &draft, &attempt->dots[i], &stamp), HS_OK);
    }
    assert_int_equal(hs_store_commit(hall->store, &commit), HS_OK);
    attempt->head.stream = (struct hs_stream){attempt->dots[0].origin, 3201, HS_LANE_PEOPLE};
}

static void take_out(struct attempt *attempt)
{
    struct fill_heads heads = {.partition = 3201, .lane = attempt->head.stream.lane};
    struct hs_head head;
    struct hs_bytes certificate, opening, next;
    bool last;
    struct hs_view *view = world_view(&attempt->place->hall);
    heads.view = view;
    assert_int_equal(hs_view_head(view, &attempt->head.stream, &head), HS_OK);
    assert_int_equal(fill_take_head(&heads, &head), HS_OK);
    attempt->head = heads.heads[0];
    assert_int_equal(hs_view_origin(view, head.stream.origin, &certificate, &opening), HS_OK);
    hs_buf_reset(&attempt->certificate);
    hs_buf_reset(&attempt->opening);
    hs_buf_reset(&attempt->body);
    hs_buf_put_bytes(&attempt->certificate, certificate);
    hs_buf_put_bytes(&attempt->opening, opening);
    if (attempt->ends_money)
        assert_int_equal(hs_view_cut(view, &head.stream, head.n, &attempt->body, &attempt->segment), HS_OK);
    else
        assert_int_equal(
            hs_view_states(view, 3201, HS_LANE_PEOPLE, HS_BYTES_NONE, 1 << 20, &attempt->body, &next, &last), HS_OK);
    hs_view_close(view);
}

static enum hs_err note(struct attempt *attempt)
{
    struct hs_store *store = attempt->place->hub.store;
    uint8_t lane = attempt->head.stream.lane;
    struct hs_fill_note list = {
        .partition = 3201, .lane = lane, .heads = &attempt->head, .count = 1, .last = true, .total = 2};
    enum hs_err err = hs_store_put_origin(store, hs_buf_bytes(&attempt->certificate), hs_buf_bytes(&attempt->opening));
    if (err == HS_OK)
        err = hs_store_fill_begin(store, 3201, lane);
    return err == HS_OK ? hs_store_fill_note(store, &list) : err;
}

static enum hs_err perform(struct attempt *attempt)
{
    struct hs_store *store = attempt->place->hub.store;
    struct hs_states states = {3201, HS_LANE_PEOPLE, hs_buf_bytes(&attempt->body)};
    if (attempt->ends_money)
        return hs_store_receive(store, &attempt->segment);
    enum hs_err err = note(attempt);
    if (err == HS_OK)
        err = hs_store_fill_states(store, &states);
    return err == HS_OK ? hs_store_fill_end(store, 3201, HS_LANE_PEOPLE) : err;
}

static enum hs_err run_group(struct attempt *attempt, enum hs_err (*step)(struct attempt *attempt))
{
    struct hs_store *store = attempt->place->hub.store;
    struct hs_commit commit;
    enum hs_err err = hs_store_begin(store);
    if (err != HS_OK)
        return err;
    err = step(attempt);
    if (err == HS_OK)
        return hs_store_commit(store, &commit);
    hs_store_abort(store);
    return err;
}

static bool is_same_record(struct attempt *attempt)
{
    struct world_node *nodes[2] = {&attempt->place->hall, &attempt->place->hub};
    struct hs_hash hashes[2] = {{{0}}, {{0}}};
    for (size_t i = 0; i < 2; i++) {
        struct hs_record_name name = {3201, HS_LANE_PEOPLE, WORLD_KIND_REGISTER, TEXT("\2")};
        struct hs_stored stored;
        struct hs_view *view = world_view(nodes[i]);
        if (hs_view_record(view, &name, &stored) == HS_OK)
            hashes[i] = stored.hash;
        hs_view_close(view);
    }
    return hs_hash_equal(&hashes[0], &hashes[1]);
}

/* Heads, records and the end of the fill are one. */
static bool is_there(struct attempt *attempt)
{
    struct world_node *hub = &attempt->place->hub;
    struct fill_found found;
    bool there = world_head(hub, &attempt->head.stream) == attempt->head.n;
    if (!attempt->ends_money)
        assert_true(is_same_record(attempt) == there);
    fill_state(hub, 3201, attempt->head.stream.lane, &found);
    assert_true(found.there == (attempt->ends_money && !there));
    return there;
}

static void prepare(struct attempt *attempt)
{
    if (attempt->ends_money)
        attempt->head.stream = money_of(world_group(&attempt->place->hall, 1).origin);
    else
        write_people(attempt);
    take_out(attempt);
    if (attempt->ends_money) {
        world_carry(&attempt->place->hall, &attempt->place->hub); /* what the last attempt left behind */
        attempt->head.stream = money_of(world_group(&attempt->place->hall, 1).origin);
        take_out(attempt);
        assert_int_equal(run_group(attempt, note), HS_OK);
    }
}

static void attempt_once(void *ctx)
{
    struct attempt *attempt = ctx;
    struct world_node *hub = &attempt->place->hub;
    prepare(attempt);
    struct hs_hash before = holdings(hub);
    fault_begin();
    enum hs_err err = run_group(attempt, perform);
    enum hs_err flushed = err == HS_OK ? hs_store_flush(hub->store) : HS_OK;
    fault_end();
    fault_assert_named(err);
    fault_assert_named(flushed);
    bool dead = store_failed(hub->store) != HS_OK;
    if (!dead) {
        assert_int_equal(hs_store_begin(hub->store), HS_OK);
        hs_store_abort(hub->store);
        assert_true(is_there(attempt) == (err == HS_OK));
        struct hs_hash after = holdings(hub);
        assert_true(err == HS_OK || hs_hash_equal(&before, &after));
        before = after;
    }
    world_reopen(hub);
    bool there = is_there(attempt);
    struct hs_hash after = holdings(hub);
    assert_true(there || err != HS_OK);
    assert_true(!there || err == HS_OK || dead);
    assert_true((there && dead) || hs_hash_equal(&before, &after));
}

static void run(struct place *place, bool ends_money, const char *name)
{
    struct attempt attempt = {.place = place, .ends_money = ends_money};
    struct hs_commit commit; /* the hub has some of it by itself, and from an earlier fill */
    struct world_fact fact = world_money(++place->hub.made);
    struct hs_dot dot;
    fact.lane = HS_LANE_PEOPLE;
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    assert_int_equal(world_write(&place->hub, &fact, &dot), HS_OK);
    assert_int_equal(hs_store_commit(place->hub.store, &commit), HS_OK);
    fault_each(name, STEP_KINDS, attempt_once, &attempt);
    assert_rebuilt_the_same(&place->hub);
    hs_buf_fini(&attempt.certificate);
    hs_buf_fini(&attempt.opening);
    hs_buf_fini(&attempt.body);
}

static void a_step_of_a_fill_is_whole_or_not_there(void **state)
{
    run(*state, false, "a fill");
}

static void a_fill_of_money_ends_with_the_last_operation_or_not(void **state)
{
    run(*state, true, "the end of a fill of money");
}

/* ---- made anew ---- */

static void rebuild_once(void *ctx)
{
    struct place *place = ctx;
    struct hs_hash before = holdings(&place->hub);
    fault_begin();
    enum hs_err err = hs_store_rebuild(place->hub.store);
    fault_end();
    fault_assert_named(err);
    world_reopen(&place->hub);
    struct hs_hash after = holdings(&place->hub);
    assert_true(hs_hash_equal(&before, &after));
}

static void base_states_outlast_any_replay(void **state)
{
    struct place *place = *state;
    struct attempt attempt = {.place = place};
    place->hub.options.flush_ops = 2;
    world_reopen(&place->hub);
    for (size_t i = 0; i < 3; i++) {
        prepare(&attempt);
        assert_int_equal(run_group(&attempt, perform), HS_OK);
    }
    fault_each("making anew", FAULT_OF_MEMORY | FAULT_OF_DB, rebuild_once, place);
    hs_buf_fini(&attempt.certificate);
    hs_buf_fini(&attempt.opening);
    hs_buf_fini(&attempt.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_PLACE(a_step_of_a_fill_is_whole_or_not_there),
        IN_PLACE(a_fill_of_money_ends_with_the_last_operation_or_not),
        IN_PLACE(base_states_outlast_any_replay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
