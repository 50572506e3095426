/* Bundles by chance: a hall that only ever sends sticks and a hub that only ever answers by them.  Whatever part of
 * whatever stick is read at whatever time, twice, in any order or never: what a store holds of a stream is what its
 * writer wrote, and the last bundle alone makes both sides equal. */
#include "tests/lib/bundle_world.h"
#include "tests/lib/random.h"

#define DEFAULT_SEED   20261122
#define DEFAULT_WORLDS 24
#define STEPS          24
#define STICKS_MAX     32

struct game {
    struct world_region region;
    struct bundle_node hub, hall, other; /* the other hall hands in by stick, too */
    struct bundle_parts sticks[STICKS_MAX];
    struct bundle_node *to[STICKS_MAX];
    size_t count;
    struct hs_buf heads[2]; /* what the halls have told last */
};

static struct bundle_node *hall_of(struct game *game, unsigned number)
{
    return number == 0 ? &game->hall : &game->other;
}

/* ---- what must always hold ---- */

struct comparing {
    struct hs_view *writers;
    bool same;
};

/* What is held of the writer's streams is the beginning of what it wrote. */
static enum hs_err compare_head(void *ctx, const struct hs_head *head)
{
    struct comparing *comparing = ctx;
    struct hs_hash hash;
    struct hs_bytes certificate, opening;
    if (hs_view_origin(comparing->writers, head->stream.origin, &certificate, &opening) != HS_OK)
        return HS_OK; /* it has not heard of that origin */
    struct hs_head own;
    if (hs_view_head(comparing->writers, &head->stream, &own) != HS_OK || own.n < head->n)
        return HS_OK;
    enum hs_err err = hs_view_hash_at(comparing->writers, &head->stream, head->n, &hash);
    comparing->same = comparing->same && err == HS_OK && hs_hash_equal(&hash, &head->hash);
    return HS_OK;
}

static void check_same_history(struct bundle_node *a, struct bundle_node *b)
{
    struct hs_view *views[2] = {world_view(&a->node), world_view(&b->node)};
    struct comparing comparing = {views[1], true};
    assert_int_equal(hs_view_heads(views[0], compare_head, &comparing), HS_OK);
    hs_view_close(views[0]);
    hs_view_close(views[1]);
    assert_true(comparing.same);
}

/* ---- steps ---- */

static void write_some(struct bundle_node *node)
{
    struct hs_commit commit;
    struct hs_dot dot;
    assert_int_equal(hs_store_begin(node->node.store), HS_OK);
    for (uint64_t i = 1 + random_below(20); i > 0; i--) {
        struct world_fact fact = world_money(++node->node.made);
        fact.lane = (enum hs_lane)(1 + random_below(4));
        assert_int_equal(world_write(&node->node, &fact, &dot), HS_OK);
    }
    assert_int_equal(hs_store_commit(node->node.store, &commit), HS_OK);
}

static size_t new_stick(struct game *game, struct bundle_node *to)
{
    size_t at = game->count++ % STICKS_MAX;
    bundle_parts_fini(&game->sticks[at]);
    game->to[at] = to;
    return at;
}

static size_t hand_in(struct game *game, unsigned hall)
{
    size_t at = new_stick(game, &game->hub);
    bundle_export(hall_of(game, hall), game->hub.node.id, 0, HS_BYTES_NONE, &game->sticks[at]);
    return at;
}

static size_t answer(struct game *game, unsigned hall)
{
    size_t at = new_stick(game, hall_of(game, hall));
    bundle_export(&game->hub, hall_of(game, hall)->node.id, 0, hs_buf_bytes(&game->heads[hall]), &game->sticks[at]);
    return at;
}

/* Some parts of a stick that is in the drawer, in any order. */
static void read_some(struct game *game)
{
    size_t drawer = game->count < STICKS_MAX ? game->count : STICKS_MAX;
    if (drawer == 0)
        return;
    size_t at = random_below(drawer);
    const struct bundle_parts *stick = &game->sticks[at];
    for (uint64_t i = random_below(stick->count + 1); i > 0; i--) {
        struct bundle_told told;
        struct hs_bytes part = hs_buf_bytes(&stick->part[random_below(stick->count)]);
        assert_int_equal(bundle_import(game->to[at], part, &told, NULL), HS_OK);
        assert_true(told.left == 0 || strcmp(told.error, "gap") == 0);
        assert_int_equal(told.outside, 0);
    }
}

/* The whole of one, in its order: nothing is left of the newest. */
static void read_whole(struct game *game, size_t at, struct hs_buf *heads)
{
    struct bundle_told told;
    if (heads != NULL)
        hs_buf_reset(heads);
    bundle_take(game->to[at], &game->sticks[at], &told, heads);
    assert_int_equal(told.left, 0);
}

/* A start on a machine that has been started anew: a fresh origin. */
static void restart(struct bundle_node *node)
{
    world_close(&node->node);
    world_remove(node->node.region->notes);
    assert_int_equal(mkdir(node->node.region->notes, 0700), 0);
    world_open(&node->node, false);
}

static void step(struct game *game)
{
    unsigned hall = (unsigned)random_below(2);
    switch (random_below(8)) {
    case 0:
    case 1:
        write_some(hall_of(game, hall));
        break;
    case 2:
        write_some(&game->hub);
        break;
    case 3:
        hand_in(game, hall);
        break;
    case 4:
        answer(game, hall);
        break;
    case 5:
        read_whole(game, hand_in(game, hall), &game->heads[hall]);
        break;
    default:
        read_some(game);
    }
    if (random_below(12) == 0)
        restart(hall_of(game, hall));
}

/* ---- the test ---- */

static void set_up(struct game *game)
{
    memset(game, 0, sizeof *game);
    world_begin(&game->region);
    bundle_add(&game->region, &game->hub, "nj-hub", HS_ROLE_HUB);
    bundle_add(&game->region, &game->hall, "nj-laptop", HS_ROLE_HALL);
    bundle_add(&game->region, &game->other, "nj-gulou", HS_ROLE_HALL);
    bundle_meet(&game->hub, &game->hall);
    bundle_meet(&game->hub, &game->other);
}

static void tear_down(struct game *game)
{
    for (size_t i = 0; i < STICKS_MAX; i++)
        bundle_parts_fini(&game->sticks[i]);
    hs_buf_fini(&game->heads[0]);
    hs_buf_fini(&game->heads[1]);
    world_drop(&game->hub.node);
    world_drop(&game->hall.node);
    world_drop(&game->other.node);
    world_end(&game->region);
}

/* The last of each hall, and the last answer to each: all equal, everything signed for. */
static void check_last_suffices(struct game *game)
{
    struct bundle_parts rest;
    for (unsigned i = 0; i < 2; i++)
        read_whole(game, hand_in(game, i), &game->heads[i]);
    for (unsigned i = 0; i < 2; i++)
        read_whole(game, answer(game, i), NULL);
    world_assert_equal(&game->hub.node, &game->hall.node);
    world_assert_equal(&game->hub.node, &game->other.node);
    for (unsigned i = 0; i < 2; i++) {
        bundle_export(hall_of(game, i), game->hub.node.id, 0, HS_BYTES_NONE, &rest);
        assert_int_equal(rest.operations, 0);
        bundle_parts_fini(&rest);
    }
}

static void run_world(void *ctx)
{
    struct game *game = ctx;
    set_up(game);
    for (int i = 0; i < STEPS; i++) {
        step(game);
        check_same_history(&game->hub, &game->hall);
        check_same_history(&game->hub, &game->other);
    }
    check_last_suffices(game);
    tear_down(game);
}

static void any_subset_order_and_repetition_is_safe(void **state)
{
    static struct game game;
    (void)state;
    run_worlds(DEFAULT_SEED, DEFAULT_WORLDS, run_world, &game);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_subset_order_and_repetition_is_safe)};
    return cmocka_run_group_tests_name("bundle_property", tests, NULL, NULL);
}
