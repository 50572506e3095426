/* fill_property_test.c -- stores that are filled from the records of others while everybody goes on writing: random ops
 * of all kinds at a hall and two hubs, and two new halls that take heads and states now from one hub, now from the
 * other (the second also from the first), in chunks of any size, and operations as they come; with starts, aborts,
 * records that are lost or older than the log, and records made anew, at any point.
 *
 * Held true: what a new hall has verifies at any time and is the same when it is made anew from base states and
 * operations; in the end every table of its records is byte for byte that of a hub which took the logs; no record of
 * the lane money ever lies there as state.
 *
 * HS_SEED and HS_WORLDS choose what is run. */
#include "tests/property/random_writes.h"
#include "tests/lib/store_fill.h"

#include "proto/msg/tlv.h"
#include "storage/log/inside.h"
#include "storage/records/rows.h"
#include "storage/store/inside.h"

#include <sodium.h>

#define DEFAULT_SEED   20261121
#define DEFAULT_WORLDS 4
#define STEPS          240
#define OPS_MAX        12 /* of a group */
#define DOTS_KEPT      24
#define LANES          4
#define FILLS          ((size_t)2 * LANES)

enum { HALL, HUB_A, HUB_B, FIRST, SECOND, REFERENCE, NODES };
static const hs_partition DISTRICTS[] = {3201, 3301};

/* A new hall's fills, DISTRICTS by lanes, each with the node that supplies it in this session. */
struct filler {
    struct world_node *suppliers[FILLS]; /* NULL: nobody yet */
    bool over[FILLS];
    char old_records[WORLD_PATH_BYTES];
    bool has_old_records;
};

struct world {
    struct world_region region;
    struct world_node nodes[NODES];
    struct filler fillers[NODES]; /* from the start FIRST and SECOND have everything to be filled */
    struct hs_arena arena;        /* of one op */
    struct hs_dot dots[DOTS_KEPT];
};

/* ---- random ops of every kind ---- */

static struct hs_bytes fact_of(struct world *world, uint16_t kind, struct hs_bytes id)
{
    struct hs_buf fact = {0};
    switch (kind) {
    case HS_KIND_PAYMENT:
        hs_tlv_put_text(&fact, 2, some_account());
        hs_tlv_put_u64(&fact, 3, 1 + random_below(200));
        if (chance(80))
            hs_tlv_put_text(&fact, 4, some_bill());
        hs_tlv_put_u64(&fact, 6, random_below(3));
        break;
    case HS_KIND_REVERSAL:
        hs_tlv_put_bytes(&fact, 2, small_id(&world->arena, 20));
        hs_tlv_put_u64(&fact, 5, random_below(3));
        break;
    case HS_KIND_CASH_ENTRY:
        hs_tlv_put_bytes(&fact, 1, id);
        hs_tlv_put_u64(&fact, 2, 1795233600000);
        hs_tlv_put_s64(&fact, 3, (int64_t)random_below(200) + 1);
        hs_tlv_put_u64(&fact, 4, chance(80) ? HS_KIND_PAYMENT : HS_KIND_REVERSAL);
        hs_tlv_put_bytes(&fact, 5, small_id(&world->arena, 20));
        hs_tlv_put_u64(&fact, 6, 3201);
        break;
    case HS_KIND_TICKET_EVENT:
        hs_tlv_put_bytes(&fact, 2, small_id(&world->arena, 6));
        hs_tlv_put_text(&fact, 3, PICK("open", "open", "accepted", "assigned", "working", "resolved", "archived"));
        if (chance(40))
            hs_tlv_put_text(&fact, 4, PICK("zhao", "qian"));
        break;
    default:
        hs_buf_put_u8(&fact, (uint8_t)random_below(3));
    }
    return keep(&world->arena, &fact);
}

static void register_write(struct world *world, struct hs_write *write)
{
    struct hs_field_write *fields = take(&world->arena, 6, sizeof *fields);
    write->fields = fields;
    for (uint32_t number = 1; number <= 6; number++) {
        if (!chance(70) && !(number == 6 && write->field_count == 0))
            continue;
        struct hs_field_write *field = &fields[write->field_count++];
        struct hs_dot *over = take(&world->arena, 1, sizeof *over);
        *field = (struct hs_field_write){
            .number = number, .value = field_value(&world->arena, write->kind, number, write->id), .over = over};
        *over = world->dots[random_below(DOTS_KEPT)]; /* that it may be of another stream is the point */
        field->over_count = over->n != 0 && chance(60);
    }
}

static struct hs_bytes id_for(struct world *world, uint16_t kind)
{
    switch (kind) {
    case HS_KIND_CUSTOMER:
        return keep_text(&world->arena, some_account());
    case HS_KIND_BILL:
        return keep_text(&world->arena, some_bill());
    case HS_KIND_CASH_ENTRY:
        return keep_text(&world->arena, PICK("nj-1", "nj-2", "nj-3", "nj-4", "nj-5"));
    case HS_KIND_TICKET:
        return small_id(&world->arena, 6);
    default:
        return small_id(&world->arena, 40);
    }
}

static void random_write(struct world *world, struct hs_write *write)
{
    static const uint16_t KINDS[] = {HS_KIND_CUSTOMER,
                                     HS_KIND_CUSTOMER,
                                     HS_KIND_BILL,
                                     HS_KIND_PAYMENT,
                                     HS_KIND_PAYMENT,
                                     HS_KIND_CASH_ENTRY,
                                     HS_KIND_TICKET,
                                     HS_KIND_REVERSAL,
                                     HS_KIND_BILL,
                                     HS_KIND_TICKET_EVENT,
                                     77,
                                     1077};
    *write = (struct hs_write){.kind = KINDS[random_below(COUNT_OF(KINDS))]};
    write->id = id_for(world, write->kind);
    const struct hs_kind *kind = hs_kind_by_number(write->kind);
    write->is_fact = kind != NULL ? kind->shape == HS_SHAPE_FACT : chance(50);
    if (write->is_fact)
        write->fact = fact_of(world, write->kind, write->id);
    else
        register_write(world, write);
}

static void write_one(struct world *world, struct world_node *node)
{
    struct hs_write write;
    struct hs_dot dot;
    hs_stamp stamp;
    random_write(world, &write);
    const struct hs_kind *kind = hs_kind_by_number(write.kind);
    struct hs_draft draft = {
        .partition = DISTRICTS[chance(85) ? 0 : 1],
        .lane = kind == NULL || chance(3) ? (enum hs_lane)(1 + random_below(LANES)) : kind->lane,
        .writes = &write,
        .write_count = 1,
    };
    assert_int_equal(hs_store_write(node->store, &draft, &dot, &stamp), HS_OK);
    world->dots[random_below(DOTS_KEPT)] = dot;
    hs_arena_reset(&world->arena);
}

/* ---- operations from store to store ---- */

static size_t fill_index(hs_partition partition, uint8_t lane)
{
    return (partition == DISTRICTS[0] ? 0 : LANES) + (size_t)lane - 1;
}

static struct filler *filler_of(struct world *world, const struct world_node *node)
{
    return &world->fillers[node - world->nodes];
}

static void look(struct world *world, struct world_node *node)
{
    for (size_t i = 0; i < FILLS; i++) {
        struct fill_found found;
        fill_state(node, DISTRICTS[i / LANES], (uint8_t)(1 + i % LANES), &found);
        filler_of(world, node)->over[i] = !found.there;
    }
}

static void begin_fill(struct world *world, struct world_node *node, size_t at)
{
    struct hs_commit commit;
    struct filler *filler = filler_of(world, node);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_fill_begin(node->store, DISTRICTS[at / LANES], (uint8_t)(1 + at % LANES)), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    filler->suppliers[at] = filler->over[at] ? NULL : filler->suppliers[at];
    look(world, node);
}

struct carrier {
    struct world *world;
    struct hs_view *view;
    struct world_node *to;
    bool all; /* else what comes as state is left out */
    size_t segments;
};

/* Who sends the stream has not kept what is lacked: it is filled. */
static enum hs_err carry_stream(void *ctx, const struct hs_head *head)
{
    struct carrier *carrier = ctx;
    struct hs_commit commit;
    const struct filler *filler = filler_of(carrier->world, carrier->to);
    size_t at = fill_index(head->stream.partition, head->stream.lane);
    bool as_state = head->stream.lane != HS_LANE_MONEY && !carrier->all && !filler->over[at];
    uint64_t next = world_head(carrier->to, &head->stream) + 1;
    enum hs_err err = HS_OK;
    while (!as_state && err == HS_OK && next <= head->n) {
        assert_int_equal(hs_store_begin(carrier->to->store), HS_OK);
        err = world_carry_segment(carrier->view, carrier->to, &head->stream, next, &next);
        assert_true(err == HS_OK || (err == HS_EPRUNED && head->stream.lane != HS_LANE_MONEY));
        assert_int_equal(hs_store_commit(carrier->to->store, &commit), HS_OK);
        carrier->segments += err == HS_OK;
    }
    if (err == HS_EPRUNED) {
        assert_ptr_not_equal(carrier->to, &carrier->world->nodes[REFERENCE]); /* it was told of everything at once */
        begin_fill(carrier->world, carrier->to, at);
    }
    return HS_OK;
}

static size_t carry(struct world *world, struct world_node *from, struct world_node *to, bool all)
{
    struct carrier carrier = {world, world_view(from), to, all, 0};
    if (from != to)
        assert_int_equal(hs_view_heads(carrier.view, carry_stream, &carrier), HS_OK);
    hs_view_close(carrier.view);
    look(world, to); /* of money a fill may have ended */
    return carrier.segments;
}

static void write_group(struct world *world, struct world_node *node)
{
    struct hs_commit commit;
    world->region.now_ms += random_below(1000);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    for (size_t i = random_below(OPS_MAX) + 1; i > 0; i--)
        write_one(world, node);
    if (chance(10)) {
        hs_store_abort(node->store);
        memset(world->dots, 0, sizeof world->dots); /* some of them never were */
    } else {
        assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    }
    carry(world, node, &world->nodes[REFERENCE], true);
    look(world, node);
}

/* ---- fills ---- */

static void finish(struct world_node *node, bool sure)
{
    struct hs_commit commit;
    if (sure || !chance(15))
        assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    else
        hs_store_abort(node->store);
}

/* A hub supplies another one also while it is filled itself: its records reflect its heads at any time. */
static struct world_node *choose_supplier(struct world *world, const struct world_node *node, size_t at)
{
    struct world_node *supplier = &world->nodes[chance(50) ? HUB_A : chance(60) ? HUB_B : REFERENCE];
    if (node == &world->nodes[SECOND] && chance(40) && world->fillers[FIRST].over[at])
        supplier = &world->nodes[FIRST];
    return supplier;
}

/* A session with another supplier, or a new one with the same. */
static void connect(struct world *world, struct world_node *node, size_t at)
{
    struct world_node *supplier = choose_supplier(world, node, at);
    if (supplier == node)
        return;
    struct hs_view *view = world_view(supplier);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    fill_note(view, node, DISTRICTS[at / LANES], (uint8_t)(1 + at % LANES), 1 + random_below(4));
    finish(node, true);
    hs_view_close(view);
    filler_of(world, node)->suppliers[at] = supplier;
}

/* From a snapshot of its own: the supplier has gone on writing. */
static void fill_some(struct world *world, struct world_node *node, size_t at)
{
    struct fill_found found;
    hs_partition partition = DISTRICTS[at / LANES];
    uint8_t lane = (uint8_t)(1 + at % LANES);
    struct hs_view *view = world_view(filler_of(world, node)->suppliers[at]);
    fill_state(node, partition, lane, &found);
    bool more = true;
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    for (size_t i = 1 + random_below(3); i > 0 && more; i--)
        more = fill_chunk(view, node, &found, chance(80) ? 1 : random_below(2000));
    if (!more)
        assert_int_equal(hs_store_fill_end(node->store, partition, lane), HS_OK);
    finish(node, false);
    hs_view_close(view);
}

static void fill_step(struct world *world, struct world_node *node)
{
    struct filler *filler = filler_of(world, node);
    size_t at = random_below(FILLS);
    for (size_t i = 0; i < FILLS && filler->over[at]; i++)
        at = (at + 1) % FILLS;
    if (filler->over[at])
        return;
    if (filler->suppliers[at] == NULL || chance(25))
        connect(world, node, at);
    else if (at % LANES + 1 != HS_LANE_MONEY)
        fill_some(world, node, at);
    look(world, node);
}

/* ---- upkeep ---- */

static enum hs_err take_receipts(void *ctx, const struct hs_receipt *receipt)
{
    struct carrier *carrier = ctx;
    enum hs_err err = hs_store_put_receipt(carrier->to->store, receipt,
                                           carrier->world->nodes[REFERENCE].options.certificate);
    assert_int_equal(err, HS_OK);
    return HS_OK;
}

static enum hs_err take_receipts_of(void *ctx, const struct hs_head *head)
{
    struct carrier *carrier = ctx;
    return hs_view_receipts(carrier->view, &head->stream, take_receipts, carrier);
}

/* What is old enough and at a hub goes, and what a jump has left: a piece of it. */
static void upkeep(struct world *world, struct world_node *node)
{
    struct hs_upkeep upkeep = {.before_ms = world->region.now_ms - random_below(6000), .budget = 1 + random_below(60)};
    bool more = false;
    if (node->role == HS_ROLE_HALL) {
        struct carrier carrier = {world, world_view(&world->nodes[REFERENCE]), node, true, 0};
        assert_int_equal(hs_store_begin(node->store), HS_OK);
        assert_int_equal(hs_view_heads(carrier.view, take_receipts_of, &carrier), HS_OK);
        finish(node, true);
        hs_view_close(carrier.view);
    }
    struct hs_hash before = world_digests(node);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_upkeep(node->store, &upkeep, &more), HS_OK);
    finish(node, false);
    struct hs_hash after = world_digests(node);
    assert_true(hs_hash_equal(&before, &after));
}

/* ---- what may happen to a new hall ---- */

static void records_path(const char *dir, char path[static WORLD_PATH_BYTES])
{
    world_path(path, dir, "records/data.mdb");
}

/* A start ends all sessions. */
static void reopen(struct world_node *node, struct filler *filler)
{
    world_open(node, false);
    memset(filler->suppliers, 0, sizeof filler->suppliers);
}

static void set_records_back(struct world_node *node, struct filler *filler)
{
    char path[WORLD_PATH_BYTES];
    records_path(node->dir, path);
    world_close(node);
    if (filler->has_old_records && chance(60))
        world_copy_file(filler->old_records, path);
    else if (chance(30))
        assert_int_equal(unlink(path), 0);
    else
        world_copy_file(path, filler->old_records);
    filler->has_old_records = access(filler->old_records, F_OK) == 0;
    reopen(node, filler);
}

static void disturb(struct world_node *node, struct filler *filler)
{
    struct hs_hash before = world_digests(node);
    switch (random_below(3)) {
    case 0:
        world_close(node);
        reopen(node, filler);
        break;
    case 1:
        set_records_back(node, filler);
        break;
    default:
        assert_int_equal(hs_store_rebuild(node->store), HS_OK);
    }
    struct hs_hash after = world_digests(node);
    assert_true(hs_hash_equal(&before, &after));
}

/* ---- what must hold ---- */

static enum hs_err refuse_money(void *ctx, const struct hs_stored *base)
{
    (void)ctx;
    assert_int_not_equal(base->name.lane, HS_LANE_MONEY);
    return HS_OK;
}

static void assert_verified(struct world_node *node)
{
    struct hs_why why = {{0}};
    struct hs_view *view = world_view(node);
    if (hs_records_verify(store_records_txn(view), &why) != HS_OK)
        fail_msg("verify of %s: %s", node->id, why.text);
    assert_int_equal(hs_log_base_states(store_log_reader(view).txn, HS_BYTES_NONE, refuse_money, NULL), HS_OK);
    hs_view_close(view);
}

/* Void operations are those of the log that is here. */
static void hash_table(struct hs_view *view, hs_table table, struct hs_hash *hash)
{
    struct hs_scan scan;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash->bytes);
    hs_scan_begin(&scan, store_records_txn(view), table, HS_BYTES_NONE, HS_BYTES_NONE);
    while (hs_scan_next(&scan)) {
        uint64_t sizes[2] = {scan.key.size, scan.value.size};
        if (table == HS_TABLE_LIST && scan.key.data[0] == HS_LIST_VOID)
            continue;
        crypto_generichash_update(&state, (const uint8_t *)sizes, sizeof sizes);
        crypto_generichash_update(&state, scan.key.data, scan.key.size);
        crypto_generichash_update(&state, scan.value.data, scan.value.size);
    }
    hs_scan_end(&scan);
    crypto_generichash_final(&state, hash->bytes, sizeof hash->bytes);
}

static void assert_same_tables(struct world_node *a, struct world_node *b)
{
    static const hs_table TABLES[] = {HS_TABLE_STATE, HS_TABLE_INDEX, HS_TABLE_DAY, HS_TABLE_ROOT,
                                      HS_TABLE_LEAF,  HS_TABLE_LIST,  HS_TABLE_FOLD};
    struct hs_view *views[2] = {world_view(a), world_view(b)};
    for (size_t i = 0; i < COUNT_OF(TABLES); i++) {
        struct hs_hash hashes[2];
        hash_table(views[0], TABLES[i], &hashes[0]);
        hash_table(views[1], TABLES[i], &hashes[1]);
        if (!hs_hash_equal(&hashes[0], &hashes[1]))
            fail_msg("%s and %s differ in the table %s", a->id, b->id, HS_RECORDS_TABLES[TABLES[i]]);
    }
    hs_view_close(views[0]);
    hs_view_close(views[1]);
    world_assert_equal(a, b);
}

static bool is_filled(const struct filler *filler)
{
    bool filled = true;
    for (size_t i = 0; i < FILLS; i++)
        filled = filled && filler->over[i];
    return filled;
}

/* All fills to their ends, and everything to everybody, until there is nothing more to give. */
static void exchange_all(struct world *world)
{
    size_t carried;
    bool filled;
    do {
        carried = 0;
        filled = true;
        for (size_t i = 0; i < NODES; i++) {
            filled = filled && is_filled(&world->fillers[i]);
            fill_step(world, &world->nodes[i]);
        }
        for (size_t i = 0; i < (size_t)NODES * NODES; i++)
            carried += carry(world, &world->nodes[i / NODES], &world->nodes[i % NODES], false);
    } while (carried > 0 || !filled);
}

/* ---- a world ---- */

static void step(struct world *world)
{
    struct world_node *hubs[2] = {&world->nodes[HUB_A], &world->nodes[HUB_B]};
    struct world_node *node = &world->nodes[FIRST + random_below(2)];
    struct world_node *any = &world->nodes[random_below(REFERENCE)];
    switch (random_below(17)) {
    case 0:
    case 1:
    case 2:
        write_group(world, any);
        break;
    case 3:
        carry(world, &world->nodes[random_below(3)], hubs[random_below(2)], false);
        break;
    case 4:
        carry(world, node, hubs[random_below(2)], false);
        break;
    case 5:
        carry(world, hubs[random_below(2)], node, chance(15));
        break;
    case 6:
        disturb(node, filler_of(world, node));
        assert_verified(node);
        break;
    case 7:
        begin_fill(world, node, random_below(FILLS));
        break;
    case 8:
    case 9:
        upkeep(world, any);
        break;
    case 10:
        fill_step(world, any);
        break;
    default:
        fill_step(world, node);
    }
}

/* Also of origins, whose order is that of the streams. */
static void draw(void *ctx, void *to, size_t size)
{
    uint8_t *bytes = to;
    (void)ctx;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_u64();
}

static void open_all(struct world *world)
{
    static const char *const IDS[NODES] = {"nj-hall", "nj-hub-1", "nj-hub-2", "nj-first", "nj-second", "nj-hub-3"};
    static const char *const OLD[NODES] = {"old-1", "old-2", "old-3", "old-4", "old-5", "old-6"};
    for (size_t i = 0; i < NODES; i++) {
        struct world_node *node = &world->nodes[i];
        world_add(&world->region, node, IDS[i],
                  i == HUB_A || i == HUB_B || i == REFERENCE ? HS_ROLE_HUB : HS_ROLE_HALL);
        node->options.flush_ops = 1 + random_below(100);
        node->options.random = draw;
        if (node->role == HS_ROLE_HALL) {
            memcpy(node->draft.districts, DISTRICTS, sizeof DISTRICTS);
            node->draft.district_count = 2;
            world_certify(node);
        }
        world_open(node, true);
    }
    for (size_t i = 0; i < NODES; i++) {
        look(world, &world->nodes[i]);
        world_path(world->fillers[i].old_records, world->region.base, OLD[i]);
        for (size_t at = 0; at < FILLS && (i == FIRST || i == SECOND); at++)
            begin_fill(world, &world->nodes[i], at);
    }
}

static void run_world(void *ctx)
{
    struct world *world = ctx;
    memset(world, 0, sizeof *world);
    hs_arena_init(&world->arena, 0);
    world_begin(&world->region);
    open_all(world);
    for (size_t i = 0; i < STEPS; i++)
        step(world);
    exchange_all(world);
    for (size_t i = 0; i < NODES; i++) {
        assert_same_tables(&world->nodes[REFERENCE], &world->nodes[i]);
        assert_verified(&world->nodes[i]);
        assert_int_equal(hs_store_rebuild(world->nodes[i].store), HS_OK);
        assert_same_tables(&world->nodes[REFERENCE], &world->nodes[i]);
    }
    for (size_t i = 0; i < NODES; i++)
        world_drop(&world->nodes[i]);
    world_end(&world->region);
    hs_arena_fini(&world->arena);
}

static void a_filled_store_is_one_that_took_the_logs(void **state)
{
    (void)state;
    static struct world world;
    run_worlds(DEFAULT_SEED, DEFAULT_WORLDS, run_world, &world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_filled_store_is_one_that_took_the_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
