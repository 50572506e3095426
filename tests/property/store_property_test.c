/* store_property_test.c -- small random worlds of real stores: two halls and two hubs that write, abort, flush, stop,
 * start, lose their note, their records or their newest days, and hand each other segments in random portions.
 *
 * Held true: no (stream, n) ever gets two contents; the records are what the log adds up to, at any time; what a hub
 * has held is at everybody's in the end; and then all heads and digests are equal.
 *
 * HS_SEED and HS_WORLDS choose what is run. */
#include "tests/lib/random.h"
#include "tests/lib/store_world.h"

#define DEFAULT_SEED   20261121
#define DEFAULT_WORLDS 15
#define STEPS          70
#define NODES          4
#define HALLS          2
#define DOTS_KEPT      16

/* ---- what the auditor knows ---- */

struct known_op {
    struct hs_stream stream;
    uint64_t n;
    struct hs_hash content;
    bool at_hub; /* a hub has held it: nothing may take it away any more */
};

struct world {
    struct world_region region;
    struct world_node nodes[NODES];
    char backups[HALLS][WORLD_PATH_BYTES];
    bool backed_up[HALLS];
    struct known_op *ops;
    size_t op_count, op_room;
    struct hs_dot dots[DOTS_KEPT]; /* of register writes, to be overwritten */
    uint64_t facts;
};

static struct known_op *find_op(struct world *world, const struct hs_stream *stream, uint64_t n)
{
    for (size_t i = world->op_count; i > 0; i--) {
        struct known_op *op = &world->ops[i - 1];
        if (op->n == n && hs_stream_equal(&op->stream, stream))
            return op;
    }
    return NULL;
}

static struct hs_hash content_of(struct hs_view *view, const struct hs_stream *stream, uint64_t n)
{
    struct hs_bytes op;
    assert_int_equal(hs_view_op(view, stream, n, &op), HS_OK);
    return hs_hash_of(op);
}

/* An op that was acknowledged: its number is new. */
static void learn(struct world *world, struct hs_view *view, const struct hs_stream *stream, uint64_t n, bool at_hub)
{
    assert_null(find_op(world, stream, n));
    if (world->op_count == world->op_room) {
        world->op_room = world->op_room == 0 ? 256 : 2 * world->op_room;
        world->ops = realloc(world->ops, world->op_room * sizeof *world->ops);
        assert_non_null(world->ops);
    }
    world->ops[world->op_count++] = (struct known_op){*stream, n, content_of(view, stream, n), at_hub};
}

/* An op that came: it is one that somebody wrote, with its content. */
static void recognize(struct world *world, struct hs_view *view, const struct hs_stream *stream, uint64_t n,
                      bool at_hub)
{
    struct known_op *known = find_op(world, stream, n);
    struct hs_hash content = content_of(view, stream, n);
    assert_non_null(known);
    assert_true(hs_hash_equal(&known->content, &content));
    known->at_hub = known->at_hub || at_hub;
}

/* ---- steps ---- */

static void draw_fact(struct world *world, struct hs_write *write, struct hs_id *id, uint8_t *bytes)
{
    hs_be64(bytes, ++world->facts);
    memset(id->bytes, 0, sizeof id->bytes);
    hs_be64(id->bytes,
            random_below(10) == 0 ? 1 + random_below((size_t)world->facts) : world->facts); /* now and then an old id */
    *write = (struct hs_write){.kind = WORLD_KIND_FACT,
                               .id = HS_BYTES(id->bytes, sizeof id->bytes),
                               .is_fact = true,
                               .fact = HS_BYTES(bytes, 8 + random_below(300))};
}

static void draw_register(struct world *world, struct hs_write *write, struct hs_field_write *field)
{
    static const char *const IDS[] = {"a", "b", "c"};
    static const uint8_t VALUES[][2] = {{0x08, 0x01}, {0x08, 0x02}, {0x08, 0x03}};
    *field = (struct hs_field_write){.number = 1, .value = HS_BYTES(VALUES[random_below(3)], 2)};
    struct hs_dot *over = &world->dots[random_below(DOTS_KEPT)];
    if (over->n != 0) {
        field->over = over;
        field->over_count = 1;
    }
    *write = (struct hs_write){
        .kind = WORLD_KIND_REGISTER, .id = HS_BYTES(IDS[random_below(3)], 1), .fields = field, .field_count = 1};
}

static struct hs_stream write_one(struct world *world, struct world_node *node, struct hs_dot *dot)
{
    uint8_t bytes[512] = {0};
    struct hs_write write;
    struct hs_field_write field;
    struct hs_id id;
    struct hs_draft draft = {.partition = (hs_partition)(3201 + random_below(2)), .writes = &write, .write_count = 1};
    hs_stamp stamp;
    bool fact = random_below(2) == 0;
    draft.lane = fact ? HS_LANE_MONEY : HS_LANE_PEOPLE;
    if (fact)
        draw_fact(world, &write, &id, bytes);
    else
        draw_register(world, &write, &field);
    assert_int_equal(hs_store_write(node->store, &draft, dot, &stamp), HS_OK);
    if (!fact)
        world->dots[random_below(DOTS_KEPT)] = *dot;
    return (struct hs_stream){dot->origin, draft.partition, (uint8_t)draft.lane};
}

static void write_group(struct world *world, struct world_node *node)
{
    struct hs_stream streams[40];
    struct hs_dot dots[40];
    struct hs_commit commit;
    size_t count = 1 + random_below(40);
    world->region.now_ms += random_below(1000);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    for (size_t i = 0; i < count; i++)
        streams[i] = write_one(world, node, &dots[i]);
    if (random_below(6) == 0) {
        hs_store_abort(node->store);
        memset(world->dots, 0, sizeof world->dots); /* some of them never were */
        return;
    }
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    struct hs_view *view = world_view(node);
    for (size_t i = 0; i < count; i++)
        learn(world, view, &streams[i], dots[i].n, node->role == HS_ROLE_HUB);
    hs_view_close(view);
}

struct chooser {
    size_t wanted, count;
    struct hs_head head;
};

static enum hs_err choose_head(void *ctx, const struct hs_head *head)
{
    struct chooser *chooser = ctx;
    if (chooser->count++ == chooser->wanted)
        chooser->head = *head;
    return HS_OK;
}

static bool choose_stream(struct world_node *node, struct hs_head *head)
{
    struct hs_view *view = world_view(node);
    struct chooser chooser = {.wanted = SIZE_MAX};
    assert_int_equal(hs_view_heads(view, choose_head, &chooser), HS_OK);
    if (chooser.count > 0) {
        chooser.wanted = random_below(chooser.count);
        chooser.count = 0;
        assert_int_equal(hs_view_heads(view, choose_head, &chooser), HS_OK);
    }
    hs_view_close(view);
    *head = chooser.head;
    return chooser.count > 0;
}

/* What a receiver says to a segment from @first on, given its own head. */
static enum hs_err wanted_answer(uint64_t first, uint64_t next, uint64_t held)
{
    if (next <= held + 1)
        return HS_EEXISTS;
    return first > held + 1 ? HS_EGAP : HS_OK;
}

/* A few segments of one stream, in order or not, all in one group. */
static void carry_some(struct world *world, struct world_node *from, struct world_node *to)
{
    struct hs_head head;
    struct hs_commit commit;
    if (from == to || !choose_stream(from, &head))
        return;
    uint64_t before = world_head(to, &head.stream);
    uint64_t held = before;
    struct hs_view *source = world_view(from);
    assert_int_equal(hs_store_begin(to->store), HS_OK);
    for (size_t i = 1 + random_below(3); i > 0; i--) {
        uint64_t first = random_below(4) == 0 ? 1 + random_below((size_t)head.n) : held + 1;
        uint64_t next = 0;
        enum hs_err err = world_carry_segment(source, to, &head.stream, first, &next);
        if (next == 0)
            break; /* nothing there to be cut */
        assert_int_equal(err, wanted_answer(first, next, held));
        held = err == HS_OK ? next - 1 : held;
    }
    assert_int_equal(hs_store_commit(to->store, &commit), HS_OK);
    assert_int_equal(commit.receipt_count, to->role == HS_ROLE_HUB && held > before ? 1 : 0);
    hs_view_close(source);
    struct hs_view *view = world_view(to);
    for (uint64_t n = before + 1; n <= held; n++)
        recognize(world, view, &head.stream, n, to->role == HS_ROLE_HUB);
    hs_view_close(view);
}

static void lose_note(struct world_node *node)
{
    char path[WORLD_PATH_BYTES];
    world_note_path(node, path);
    world_close(node);
    assert_int_equal(unlink(path), 0);
    world_open(node, false);
}

static void rebuild(struct world_node *node)
{
    struct hs_hash before = world_digests(node);
    assert_int_equal(hs_store_rebuild(node->store), HS_OK);
    struct hs_hash after = world_digests(node);
    assert_true(hs_hash_equal(&before, &after));
}

static void back_up_or_restore(struct world *world, size_t hall)
{
    struct world_node *node = &world->nodes[hall];
    world_close(node);
    if (world->backed_up[hall] && random_below(2) == 0) {
        world_copy_dir(world->backups[hall], node->dir);
    } else {
        world_copy_dir(node->dir, world->backups[hall]);
        world->backed_up[hall] = true;
    }
    world_open(node, false);
}

static void step(struct world *world)
{
    size_t at = random_below(NODES);
    struct world_node *node = &world->nodes[at];
    switch (random_below(18)) {
    case 0:
        world_reopen(node);
        break;
    case 1:
        lose_note(node);
        break;
    case 2:
        world_lose_records(node);
        break;
    case 3:
        rebuild(node);
        break;
    case 4:
    case 5:
    case 6:
        back_up_or_restore(world, at % HALLS);
        break;
    case 7:
    case 8:
    case 9:
    case 10:
        write_group(world, node);
        break;
    default:
        carry_some(world, &world->nodes[random_below(NODES)], node);
    }
}

/* ---- the end ---- */

static void exchange_all(struct world *world)
{
    size_t carried;
    do {
        carried = 0;
        for (size_t i = 0; i < NODES * NODES; i++) {
            if (i / NODES != i % NODES)
                carried += world_carry(&world->nodes[i / NODES], &world->nodes[i % NODES]);
        }
    } while (carried > 0);
}

static void expect_the_same_everywhere(struct world *world)
{
    for (size_t i = 1; i < NODES; i++)
        world_assert_equal(&world->nodes[0], &world->nodes[i]);
    for (size_t i = 0; i < NODES; i++)
        rebuild(&world->nodes[i]);
    struct hs_view *view = world_view(&world->nodes[0]);
    for (size_t i = 0; i < world->op_count; i++) {
        const struct known_op *op = &world->ops[i];
        struct hs_head head;
        bool held = hs_view_head(view, &op->stream, &head) == HS_OK && head.n >= op->n;
        assert_true(held || !op->at_hub);
        if (held)
            recognize(world, view, &op->stream, op->n, true);
    }
    hs_view_close(view);
}

static void run_world(void *ctx)
{
    struct world *world = ctx;
    static const char *const IDS[NODES] = {"nj-hall-1", "nj-hall-2", "nj-hub-1", "nj-hub-2"};
    static const char *const BACKUPS[HALLS] = {"backup-1", "backup-2"};
    memset(world, 0, sizeof *world);
    world_begin(&world->region);
    for (size_t i = 0; i < NODES; i++) {
        world_add(&world->region, &world->nodes[i], IDS[i], i < HALLS ? HS_ROLE_HALL : HS_ROLE_HUB);
        world->nodes[i].options.flush_ops = 1 + random_below(100);
        world_open(&world->nodes[i], true);
    }
    for (size_t i = 0; i < HALLS; i++)
        world_path(world->backups[i], world->region.base, BACKUPS[i]);
    for (size_t i = 0; i < STEPS; i++)
        step(world);
    exchange_all(world);
    expect_the_same_everywhere(world);
    for (size_t i = 0; i < NODES; i++)
        world_drop(&world->nodes[i]);
    world_end(&world->region);
    free(world->ops);
}

static void stores_come_to_the_same_and_lose_nothing(void **state)
{
    (void)state;
    static struct world world;
    run_worlds(DEFAULT_SEED, DEFAULT_WORLDS, run_world, &world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stores_come_to_the_same_and_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
