/* store_announced_test.c -- storage: what was announced and never came is kept, and goes when it has come. */
#include "tests/unit/store_place.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, place_end)

static int setup(void **state)
{
    struct place *place = place_begin(state);
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    return 0;
}

static void announce(struct place *place, const struct hs_stream *stream, uint64_t n, uint64_t payments)
{
    struct hs_commit commit;
    struct hs_head head = {.stream = *stream, .n = n};
    struct hs_announcement announcement = {.node_key = place->hall.draft.node_key,
                                           .heads = &head,
                                           .count = n > 0,
                                           .payments_known = payments > 0,
                                           .payments = payments,
                                           .fen = (int64_t)payments * 100};
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    assert_int_equal(hs_store_put_announced(place->hub.store, &announcement), HS_OK);
    assert_int_equal(hs_store_commit(place->hub.store, &commit), HS_OK);
}

struct found {
    struct hs_announced last;
    size_t count;
};

static enum hs_err find(void *ctx, const struct hs_announced *row)
{
    struct found *found = ctx;
    found->last = *row;
    found->count++;
    return HS_OK;
}

static struct found announced(struct place *place)
{
    struct found found = {0};
    struct hs_view *view = world_view(&place->hub);
    assert_int_equal(hs_view_announced(view, find, &found), HS_OK);
    hs_view_close(view);
    return found;
}

static void what_never_came_is_named(void **state)
{
    struct place *place = *state;
    struct hs_stream money = {world_group(&place->hall, 2).origin, 3201, HS_LANE_MONEY};
    announce(place, &money, 5, 9);
    struct found found = announced(place);
    assert_int_equal(found.count, 1);
    assert_true(hs_key_equal(&found.last.node_key, &place->hall.draft.node_key));
    assert_true(found.last.head.n == 5 && found.last.held == 0 && found.last.payments == 9 && found.last.fen == 900);
    world_carry(&place->hall, &place->hub);
    found = announced(place);
    assert_true(found.count == 1 && found.last.held == 2);
    announce(place, &money, 3, 0); /* less than was heard before takes nothing back */
    assert_true(announced(place).last.head.n == 5);
    world_reopen(&place->hub);
    assert_true(announced(place).last.head.n == 5);
    world_group(&place->hall, 3);
    world_carry(&place->hall, &place->hub);
    assert_int_equal(announced(place).count, 0);
    announce(place, &money, 0, 1); /* and the row goes */
    assert_int_equal(announced(place).count, 0);
}

/* A receipt for more than is held says what somebody had. */
static void what_was_signed_and_is_not_here_is_named(void **state)
{
    struct place *place = *state;
    struct hs_commit commit;
    struct hs_stream money = {world_group(&place->hall, 4).origin, 3201, HS_LANE_MONEY};
    struct hs_receipt receipt = {
        .store_id = 7, .stream = money, .n = 4, .time_ms = 1, .hub_key = place->second_hub.draft.node_key};
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_hash_at(view, &money, 4, &receipt.hash), HS_OK);
    hs_view_close(view);
    struct hs_signer signer = hs_signer_of(&place->second_hub.secret);
    assert_int_equal(hs_receipt_sign(&receipt, &signer), HS_OK);
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    assert_int_equal(hs_store_put_receipt(place->hub.store, &receipt, place->second_hub.options.certificate), HS_OK);
    assert_int_equal(hs_store_commit(place->hub.store, &commit), HS_OK);
    struct found found = announced(place);
    assert_true(found.count == 1 && found.last.head.n == 4);
    assert_true(hs_key_equal(&found.last.node_key, &place->second_hub.draft.node_key)); /* whose it is nobody knows */
    world_carry(&place->hall, &place->hub);
    assert_int_equal(announced(place).count, 0);
}

static void announce_many(struct place *place, const struct hs_key *node, size_t count)
{
    struct hs_commit commit;
    struct hs_head *heads = calloc(count, sizeof *heads);
    assert_non_null(heads);
    for (size_t i = 0; i < count; i++)
        heads[i] = (struct hs_head){.stream = {i + 1, 3201, HS_LANE_MONEY}, .n = 1};
    struct hs_announcement announcement = {.node_key = *node, .heads = heads, .count = count};
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    assert_int_equal(hs_store_put_announced(place->hub.store, &announcement), HS_OK);
    assert_int_equal(hs_store_commit(place->hub.store, &commit), HS_OK);
    free(heads);
}

/* However much one makes up, there is room for what the next one says. */
static void one_node_does_not_take_all_room(void **state)
{
    struct place *place = *state;
    announce_many(place, &place->hall.draft.node_key, HS_ANNOUNCED_MAX);
    size_t made_up = announced(place).count;
    assert_int_equal(made_up, HS_ANNOUNCED_MAX / 2);
    announce_many(place, &place->second_hub.draft.node_key, 1000);
    assert_int_equal(announced(place).count, made_up + 1000);
    announce_many(place, &place->hall.draft.node_key, HS_ANNOUNCED_MAX);
    assert_int_equal(announced(place).count, made_up + 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_never_came_is_named),
        TEST(what_was_signed_and_is_not_here_is_named),
        TEST(one_node_does_not_take_all_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
