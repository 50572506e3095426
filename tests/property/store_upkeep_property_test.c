/* store_upkeep_property_test.c -- random worlds of real stores that forget: two halls and a hub write, fold what is
 * old, lose districts and get them back, are killed before their records are on disk, and are filled by state where
 * logs do not reach; beside them a second hub keeps everything.
 *
 * Held true at any time: the records are what base states and operations add up to, made anew or not.  In the end: who
 * holds a district in full has the records of the hub that kept everything, and who followed the changes has the
 * records of his node.
 *
 * HS_SEED and HS_WORLDS choose what is run. */
#include "tests/lib/random.h"
#include "tests/lib/store_fill.h"

#include "storage/log/inside.h"
#include "storage/model/record.h"
#include "storage/store/inside.h"

#define DEFAULT_SEED   20261122
#define DEFAULT_WORLDS 5
#define STEPS          80
#define DISTRICTS      3
#define FOLLOWED_MAX   4096
#define DOTS_KEPT      16

/* ---- the world ---- */

/* Who follows the changes of a node, as a counter program does. */
struct follower {
    struct hs_position at;
    size_t count;
    struct followed {
        uint8_t key[HS_RECORD_KEY_BYTES_MAX];
        size_t key_size;
        struct hs_hash hash;
    } records[FOLLOWED_MAX];
};

enum { HALL, OTHER_HALL, HUB, KEEPER, NODES };

struct world {
    struct world_region region;
    struct world_node nodes[NODES];
    hs_partition districts[DISTRICTS]; /* the hall's */
    size_t district_count;
    struct hs_dot dots[DOTS_KEPT];
    uint64_t facts;
    struct follower follower; /* of the hall */
};

static void crash(struct world_node *node)
{
    node->store->behind = true; /* the records are not committed at the end */
    world_reopen(node);
}

static void verify(struct world_node *node)
{
    struct hs_why why = {{0}};
    struct hs_hash before = world_digests(node);
    struct hs_view *view = world_view(node);
    if (hs_records_verify(store_records_txn(view), &why) != HS_OK)
        fail_msg("%s: %s", node->id, why.text);
    hs_view_close(view);
    if (random_below(2) == 0)
        assert_int_equal(hs_store_rebuild(node->store), HS_OK);
    else
        crash(node);
    struct hs_hash after = world_digests(node);
    assert_true(hs_hash_equal(&before, &after));
}

/* ---- writing ---- */

static void write_one(struct world *world, struct world_node *node)
{
    static const enum hs_lane LANES[] = {HS_LANE_WORK, HS_LANE_MONEY, HS_LANE_PEOPLE, HS_LANE_BULK};
    static const char *const IDS[] = {"a", "b", "c"};
    uint8_t bytes[64] = {0}, raw[2] = {0x08, (uint8_t)(1 + random_below(100))}, request[16] = {1};
    struct hs_field_write field = {.number = 1, .value = HS_BYTES(raw, 2)};
    struct hs_write write = {.kind = WORLD_KIND_REGISTER, .fields = &field, .field_count = 1};
    struct hs_draft draft = {
        .partition = (hs_partition)(3201 + random_below(DISTRICTS)), .writes = &write, .write_count = 1};
    struct hs_dot *over = &world->dots[random_below(DOTS_KEPT)];
    struct hs_id id = {{0}};
    struct hs_dot dot;
    hs_stamp stamp;
    const char *name = IDS[random_below(3)];
    bool fact = random_below(3) != 0;
    write.id = HS_BYTES(name, 1);
    draft.lane = fact ? LANES[random_below(4)] : HS_LANE_PEOPLE;
    if (over->n != 0 && random_below(2) == 0) {
        field.over = over;
        field.over_count = 1;
    }
    if (fact) {
        hs_be64(bytes, ++world->facts);
        hs_be64(id.bytes, random_below(10) == 0 ? 1 + random_below((size_t)world->facts) : world->facts);
        write = (struct hs_write){.kind = WORLD_KIND_FACT,
                                  .id = HS_BYTES(id.bytes, sizeof id.bytes),
                                  .is_fact = true,
                                  .fact = HS_BYTES(bytes, 8 + random_below(50))};
    }
    if (random_below(20) == 0)
        write.kind = 1500; /* void from a hall */
    hs_be64(request + 8, world->facts);
    if (random_below(4) == 0)
        draft.request = HS_BYTES(request, sizeof request);
    assert_int_equal(hs_store_write(node->store, &draft, &dot, &stamp), HS_OK);
    if (!fact && write.kind == WORLD_KIND_REGISTER)
        world->dots[random_below(DOTS_KEPT)] = dot;
}

static void write_group(struct world *world, struct world_node *node)
{
    struct hs_commit commit;
    size_t count = 1 + random_below(30);
    world->region.now_ms += random_below(1000);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    for (size_t i = 0; i < count; i++)
        write_one(world, node);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
}

/* ---- from store to store ---- */

struct lacking {
    struct world_node *from, *to;
    struct hs_view *view;
    size_t moved;
};

static bool wants(const struct world_node *to, const struct hs_stream *stream)
{
    return to->role == HS_ROLE_HUB || hs_store_holds(to->store, stream->partition);
}

/* By number as far as the log goes, else as state. */
static enum hs_err carry_stream(void *ctx, const struct hs_head *head)
{
    struct lacking *lacking = ctx;
    struct hs_commit commit;
    uint64_t next = world_head(lacking->to, &head->stream) + 1;
    enum hs_err err = HS_OK;
    if (!wants(lacking->to, &head->stream))
        return HS_OK;
    while (err == HS_OK && next <= head->n) {
        assert_int_equal(hs_store_begin(lacking->to->store), HS_OK);
        err = world_carry_segment(lacking->view, lacking->to, &head->stream, next, &next);
        assert_int_equal(hs_store_commit(lacking->to->store, &commit), HS_OK);
        lacking->moved++;
    }
    if (err != HS_EPRUNED || lacking->from->role != HS_ROLE_HUB)
        return err == HS_EPRUNED ? HS_OK : err; /* a hub has what a hall has not any more; only hubs supply */
    assert_true(head->stream.lane != HS_LANE_MONEY);
    fill_all(lacking->from, lacking->to, head->stream.partition, head->stream.lane, 200);
    return HS_OK;
}

static size_t carry(struct world_node *from, struct world_node *to)
{
    struct lacking lacking = {from, to, world_view(from), 0};
    assert_int_equal(hs_view_heads(lacking.view, carry_stream, &lacking), HS_OK);
    hs_view_close(lacking.view);
    return lacking.moved;
}

static void fill_pending(struct world_node *from, struct world_node *to)
{
    static struct world_fills fills;
    struct hs_view *view = world_view(to);
    fills.count = 0;
    assert_int_equal(hs_view_fills(view, world_keep_fill, &fills), HS_OK);
    hs_view_close(view);
    for (size_t i = 0; i < fills.count; i++)
        fill_all(from, to, fills.fills[i].partition, fills.fills[i].lane, 300);
}

struct giving {
    struct world_node *by, *to;
    struct hs_view *view;
};

static enum hs_err give_receipt(void *ctx, const struct hs_receipt *receipt)
{
    const struct giving *giving = ctx;
    if (receipt->store_id != hs_store_id(giving->by->store))
        return HS_OK;
    enum hs_err err = hs_store_put_receipt(giving->to->store, receipt, giving->by->options.certificate);
    assert_int_equal(err, HS_OK);
    return HS_OK;
}

static enum hs_err give_receipts(void *ctx, const struct hs_head *head)
{
    const struct giving *giving = ctx;
    struct hs_head held;
    struct hs_view *open = hs_store_view(giving->to->store);
    if (!wants(giving->to, &head->stream) && hs_view_head(open, &head->stream, &held) != HS_OK)
        return HS_OK; /* of what is not here, and is not to come, nothing is told */
    return hs_view_receipts(giving->view, &head->stream, give_receipt, ctx);
}

static void receipts(struct world_node *by, struct world_node *to)
{
    struct giving giving = {by, to, world_view(by)};
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(to->store), HS_OK);
    assert_int_equal(hs_view_heads(giving.view, give_receipts, &giving), HS_OK);
    assert_int_equal(hs_store_commit(to->store, &commit), HS_OK);
    hs_view_close(giving.view);
}

/* A session of a hall with the hub. */
static void meet(struct world *world, struct world_node *hall)
{
    struct world_node *hub = &world->nodes[HUB];
    carry(hall, hub);
    fill_pending(hub, hall);
    carry(hub, hall);
    receipts(hub, hall);
}

static void keep_everything(struct world *world)
{
    for (size_t i = 0; i < KEEPER; i++)
        carry(&world->nodes[i], &world->nodes[KEEPER]);
}

/* ---- upkeep ---- */

static void upkeep(struct world *world, struct world_node *node)
{
    struct hs_commit commit;
    bool more = true;
    size_t pieces = 1 + random_below(20);
    uint64_t back = random_below(20000);
    struct hs_upkeep what = {.before_ms = random_below(4) == 0 ? 0 : world->region.now_ms + 1000 - back};
    for (size_t i = 0; more && i < pieces; i++) {
        what.budget = 1 + random_below(60);
        if (random_below(3) != 0)
            assert_int_equal(hs_store_flush(node->store), HS_OK);
        assert_int_equal(hs_store_begin(node->store), HS_OK);
        assert_int_equal(hs_store_upkeep(node->store, &what, &more), HS_OK);
        if (random_below(10) == 0)
            hs_store_abort(node->store);
        else
            assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
        if (random_below(6) == 0)
            crash(node);
    }
}

static void finish_upkeep(struct world_node *node)
{
    struct hs_commit commit;
    for (bool more = true; more;) {
        assert_int_equal(hs_store_begin(node->store), HS_OK);
        assert_int_equal(hs_store_upkeep(node->store, &(struct hs_upkeep){.budget = 500}, &more), HS_OK);
        assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    }
}

static void change_scope(struct world *world)
{
    struct world_node *hall = &world->nodes[HALL];
    world->district_count = 0;
    for (size_t i = 0; i < DISTRICTS; i++) {
        if (random_below(2) == 0)
            world->districts[world->district_count++] = (hs_partition)(3201 + i);
    }
    if (random_below(2) == 0)
        hall->store->behind = true;
    world_close(hall);
    hall->options.districts = world->districts;
    hall->options.district_count = world->district_count;
    world_open(hall, false);
}

/* ---- who follows ---- */

static struct followed *find_followed(struct follower *follower, struct hs_bytes key)
{
    for (size_t i = 0; i < follower->count; i++) {
        if (hs_bytes_equal(HS_BYTES(follower->records[i].key, follower->records[i].key_size), key))
            return &follower->records[i];
    }
    return NULL;
}

static enum hs_err follow_record(void *ctx, const struct hs_stored *stored)
{
    struct follower *follower = ctx;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_bytes bytes = HS_BYTES(key, hs_record_key(&stored->name, key));
    struct followed *followed = find_followed(follower, bytes);
    if (followed == NULL) {
        assert_true(follower->count < FOLLOWED_MAX);
        followed = &follower->records[follower->count++];
        memcpy(followed->key, bytes.data, bytes.size);
        followed->key_size = bytes.size;
    }
    followed->hash = stored->hash;
    return HS_OK;
}

struct following {
    struct follower *follower;
    struct hs_view *view;
};

static void look_up(const struct following *following, const struct hs_record_name *name)
{
    struct hs_stored stored;
    enum hs_err err = hs_view_record(following->view, name, &stored);
    assert_true(err == HS_OK || err == HS_ENOTFOUND);
    if (err == HS_OK)
        follow_record(following->follower, &stored);
}

static enum hs_err follow_change(void *ctx, const struct hs_change *change)
{
    const struct following *following = ctx;
    struct hs_arena arena;
    struct hs_op op;
    if (change->n == 0) {
        look_up(following, &change->record);
        return HS_OK;
    }
    hs_arena_init(&arena, 0);
    assert_int_equal(hs_op_decode(change->op, &arena, &op), HS_OK);
    for (size_t i = 0; i < op.write_count; i++) {
        struct hs_record_name name = {change->stream.partition, change->stream.lane, op.writes[i].kind,
                                      op.writes[i].id};
        look_up(following, &name);
    }
    hs_arena_fini(&arena);
    return HS_OK;
}

static void list_all(struct hs_view *view, struct follower *follower)
{
    static const uint16_t KINDS[] = {WORLD_KIND_FACT, WORLD_KIND_REGISTER, 1500};
    follower->count = 0;
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++)
        assert_int_equal(hs_view_all(view, KINDS[i], HS_BYTES_NONE, follow_record, follower), HS_OK);
    follower->at = hs_view_position(view);
}

static void follow(struct world_node *node, struct follower *follower)
{
    struct hs_view *view = world_view(node);
    struct following following = {follower, view};
    struct hs_position to = follower->at;
    enum hs_err err = hs_view_changes(view, &follower->at, SIZE_MAX, follow_change, &following, &to);
    assert_true(err == HS_OK || err == HS_ERESET);
    if (err == HS_OK)
        follower->at = to;
    else
        list_all(view, follower);
    hs_view_close(view);
}

static void expect_followed(struct world *world)
{
    static struct follower now;
    struct world_node *hall = &world->nodes[HALL];
    follow(hall, &world->follower);
    struct hs_view *view = world_view(hall);
    list_all(view, &now);
    hs_view_close(view);
    assert_int_equal(now.count, world->follower.count);
    for (size_t i = 0; i < now.count; i++) {
        const struct followed *followed = find_followed(&world->follower,
                                                        HS_BYTES(now.records[i].key, now.records[i].key_size));
        assert_non_null(followed);
        assert_true(hs_hash_equal(&followed->hash, &now.records[i].hash));
    }
}

/* ---- steps and the end ---- */

static void step(struct world *world)
{
    struct world_node *node = &world->nodes[random_below(KEEPER)];
    switch (random_below(16)) {
    case 0:
        crash(node);
        break;
    case 1:
        world_lose_records(node);
        break;
    case 2:
        verify(node);
        break;
    case 3:
        keep_everything(world); /* a district may be evicted to its end while the store is opened */
        change_scope(world);
        break;
    case 4:
        follow(&world->nodes[HALL], &world->follower);
        break;
    case 5:
    case 6:
    case 7:
        meet(world, &world->nodes[random_below(2)]);
        break;
    case 8:
    case 9:
    case 10:
        keep_everything(world);
        upkeep(world, node);
        break;
    default:
        write_group(world, node);
    }
}

struct compared {
    const struct world_node *node;
    struct hs_buf digests;
};

static enum hs_err hash_held(void *ctx, const struct hs_digest *digest)
{
    struct compared *compared = ctx;
    bool held = hs_store_holds(compared->node->store, digest->partition);
    return held ? world_hash_digest(&compared->digests, digest) : HS_OK;
}

static struct hs_hash held_digests(struct world_node *of, const struct world_node *as)
{
    struct compared compared = {as, {0}};
    struct hs_view *view = world_view(of);
    assert_int_equal(hs_view_digests(view, hash_held, &compared), HS_OK);
    hs_view_close(view);
    return world_finish(&compared.digests);
}

/* All of its streams elsewhere are its own, so what it has of others' there is what an eviction has left. */
static void expect_no_receipts_without_streams(struct world_node *node)
{
    struct hs_view *view = world_view(node);
    struct hs_stream stream = {.partition = 0};
    struct hs_head head;
    while (log_next_stream_in(store_log_reader(view).txn, LOG_RECEIPT, &stream, &stream) == HS_OK) {
        if (!hs_store_holds(node->store, stream.partition))
            assert_int_equal(hs_view_head(view, &stream, &head), HS_OK);
        assert_true(log_step_stream(&stream));
    }
    hs_view_close(view);
}

static void expect_the_same(struct world *world)
{
    for (size_t i = 0; i < KEEPER; i++) {
        finish_upkeep(&world->nodes[i]);
        expect_no_receipts_without_streams(&world->nodes[i]);
    }
    for (size_t round = 0; round < 3; round++) {
        meet(world, &world->nodes[HALL]);
        meet(world, &world->nodes[OTHER_HALL]);
    }
    keep_everything(world);
    for (size_t i = 0; i < KEEPER; i++) {
        struct hs_hash kept = held_digests(&world->nodes[KEEPER], &world->nodes[i]);
        struct hs_hash here = held_digests(&world->nodes[i], &world->nodes[i]);
        if (!hs_hash_equal(&kept, &here))
            fail_msg("%s has not the records of the hub that kept everything", world->nodes[i].id);
        verify(&world->nodes[i]);
    }
    expect_followed(world);
}

static void run_world(void *ctx)
{
    struct world *world = ctx;
    static const char *const IDS[NODES] = {"nj-hall-1", "nj-hall-2", "nj-hub-1", "nj-hub-2"};
    memset(world, 0, sizeof *world);
    world_begin(&world->region);
    for (size_t i = 0; i < NODES; i++) {
        struct world_node *node = &world->nodes[i];
        world_add(&world->region, node, IDS[i], i < HUB ? HS_ROLE_HALL : HS_ROLE_HUB);
        for (size_t j = 0; i == HALL && j < DISTRICTS; j++)
            node->draft.districts[j] = (hs_partition)(3201 + j);
        if (i == HALL)
            node->draft.district_count = DISTRICTS;
        world_certify(node);
        node->options.flush_ops = 1 + random_below(200);
        world_open(node, true);
    }
    for (size_t i = 0; i < STEPS; i++)
        step(world);
    expect_the_same(world);
    for (size_t i = 0; i < NODES; i++)
        world_drop(&world->nodes[i]);
    world_end(&world->region);
}

static void what_was_forgotten_is_missed_by_nobody(void **state)
{
    (void)state;
    static struct world world;
    run_worlds(DEFAULT_SEED, DEFAULT_WORLDS, run_world, &world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_forgotten_is_missed_by_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
