/* heal_property_test.c -- random bits turn in random rows of a hall's log, in operations, checkpoints and receipts, of
 * which a hub has everything: what a check finds is noted, had again from the hub, and then the log is what it was,
 * byte for byte, and the records are. */
#include "tests/lib/random.h"
#include "tests/unit/store_place.h"

#include "storage/log/inside.h"
#include "storage/store/inside.h"

#define ROUNDS      12
#define ROT_MAX     6
#define KEPT_MAX    64
#define BYTES_FIELD 8 /* at the end of a checkpoint: not signed, and used for estimates only */

/* ---- rows ---- */

static struct hs_env *open_log(struct world_node *node, struct hs_txn *txn)
{
    char path[WORLD_PATH_BYTES];
    struct hs_env *env = NULL;
    world_path(path, node->dir, "log");
    assert_int_equal(hs_log_inspect(path, WORLD_MAP_BYTES, &env, NULL), HS_OK);
    assert_int_equal(hs_txn_begin(env, true, txn), HS_OK);
    return env;
}

/* All rows of operations, checkpoints and receipts. */
static void note_rows(struct world_node *node, struct hs_buf *to)
{
    static const hs_table TABLES[] = {LOG_OP, LOG_RECEIPT};
    struct hs_txn txn;
    struct hs_scan scan;
    struct hs_env *env = open_log(node, &txn);
    for (size_t i = 0; i < 2; i++) {
        hs_scan_begin(&scan, &txn, TABLES[i], HS_BYTES_NONE, HS_BYTES_NONE);
        while (hs_scan_next(&scan)) {
            hs_buf_put_sized(to, scan.key);
            hs_buf_put_sized(to, scan.value);
        }
        hs_scan_end(&scan);
    }
    hs_txn_abort(&txn);
    hs_env_close(env);
    assert_int_equal(to->err, HS_OK);
}

static void turn_one(struct hs_txn *txn, hs_table table, size_t which)
{
    uint8_t key[64], value[4096];
    struct hs_scan scan;
    size_t key_size, size;
    hs_scan_begin(&scan, txn, table, HS_BYTES_NONE, HS_BYTES_NONE);
    for (size_t i = 0; i <= which; i++)
        assert_true(hs_scan_next(&scan));
    key_size = scan.key.size;
    size = scan.value.size;
    assert_true(key_size <= sizeof key && size <= sizeof value);
    memcpy(key, scan.key.data, key_size);
    memcpy(value, scan.value.data, size);
    hs_scan_end(&scan);
    bool is_checkpoint = table == LOG_OP && key[key_size - 1] == ROW_CHECKPOINT;
    value[random_below(is_checkpoint ? size - BYTES_FIELD : size)] ^= (uint8_t)(1U << random_below(8));
    hs_txn_put(txn, table, HS_BYTES(key, key_size), HS_BYTES(value, size));
}

static void rot(struct world_node *node)
{
    struct hs_txn txn;
    struct hs_env *env = open_log(node, &txn);
    for (size_t i = 1 + random_below(ROT_MAX); i > 0; i--) {
        hs_table table = random_below(4) == 0 ? LOG_RECEIPT : LOG_OP;
        turn_one(&txn, table, random_below((size_t)hs_txn_count(&txn, table)));
    }
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_env_close(env);
}

/* ---- the region ---- */

static void put_origin(struct world_node *from, struct world_node *to, uint64_t origin)
{
    struct hs_bytes certificate, opening;
    struct hs_view *view = world_view(from);
    assert_int_equal(hs_view_origin(view, origin, &certificate, &opening), HS_OK);
    assert_int_equal(hs_store_begin(to->store), HS_OK);
    assert_int_equal(hs_store_put_origin(to->store, certificate, opening), HS_OK);
    assert_int_equal(hs_store_commit(to->store, &(struct hs_commit){0}), HS_OK);
    hs_view_close(view);
}

static void put_receipts(struct world_node *hub, struct world_node *hall, const struct hs_receipt *receipts,
                         size_t count)
{
    assert_int_equal(hs_store_begin(hall->store), HS_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(hs_store_put_receipt(hall->store, &receipts[i], hub->options.certificate), HS_OK);
    assert_int_equal(hs_store_commit(hall->store, &(struct hs_commit){0}), HS_OK);
}

/* The next segment, if there is one; the hub's receipts for it go back. */
static bool carry(struct world_node *hall, struct world_node *hub, const struct hs_stream *stream)
{
    struct hs_segment segment;
    struct hs_receipt receipts[KEPT_MAX];
    struct hs_commit commit = {0};
    struct hs_buf body = {0};
    struct hs_view *view = world_view(hall);
    enum hs_err err = hs_view_cut(view, stream, world_head(hub, stream) + 1, &body, &segment);
    if (err == HS_OK) {
        assert_int_equal(hs_store_begin(hub->store), HS_OK);
        assert_int_equal(hs_store_receive(hub->store, &segment), HS_OK);
        assert_int_equal(hs_store_commit(hub->store, &commit), HS_OK);
        assert_true(commit.receipt_count <= KEPT_MAX);
        memcpy(receipts, commit.receipts, commit.receipt_count * sizeof *receipts);
        put_receipts(hub, hall, receipts, commit.receipt_count);
    }
    hs_view_close(view);
    hs_buf_fini(&body);
    return err == HS_OK;
}

static enum hs_err mend(void *ctx, const struct hs_rotten *rotten)
{
    struct world_node *node = ctx;
    struct hs_buf text = {0};
    hs_rotten_text(rotten, &text);
    assert_int_equal(text.err, HS_OK);
    assert_true(hs_rot_mends(rotten));
    hs_buf_fini(&text);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_mend(node->store, rotten), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &(struct hs_commit){0}), HS_OK);
    return HS_OK;
}

static size_t check(struct world_node *node, hs_visit_rotten visit, void *ctx)
{
    struct hs_check_options options = {.full = true, .visit = visit, .ctx = ctx};
    struct hs_check *check = NULL;
    assert_int_equal(hs_check_new(&options, &check), HS_OK);
    while (!hs_check_over(check)) {
        struct hs_view *view = world_view(node);
        assert_int_equal(hs_check_step(check, view, 1 + random_below(200)), HS_OK);
        hs_view_close(view);
    }
    size_t found = (size_t)hs_check_figures(check)->found;
    hs_check_free(check);
    return found;
}

static enum hs_err just_count(void *ctx, const struct hs_rotten *rotten)
{
    (void)ctx, (void)rotten;
    return HS_OK;
}

struct waiting {
    struct hs_healed rows[KEPT_MAX];
    size_t count;
};

static enum hs_err keep_waiting(void *ctx, const struct hs_healed *healed)
{
    struct waiting *waiting = ctx;
    if (healed->state == HS_HEALING_WAITS && waiting->count < KEPT_MAX)
        waiting->rows[waiting->count++] = *healed;
    return HS_OK;
}

static struct waiting waiting_at(struct world_node *node)
{
    struct waiting waiting = {.count = 0};
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_view_healed(view, keep_waiting, &waiting), HS_OK);
    hs_view_close(view);
    return waiting;
}

static enum hs_err give_receipt(void *ctx, const struct hs_receipt *receipt)
{
    struct world_node **nodes = ctx;
    put_receipts(nodes[0], nodes[1], receipt, 1);
    return HS_OK;
}

/* What FETCH does.  Where the checkpoint before it has rotted as well, what lies before that comes first. */
static void fetch(struct world_node *hub, struct world_node *hall, const struct hs_healed *healed)
{
    struct world_node *nodes[] = {hub, hall};
    struct hs_segment segment;
    struct hs_buf body = {0};
    struct hs_view *view = world_view(hub);
    if (healed->store_id != 0) {
        assert_int_equal(hs_view_receipts(view, &healed->stream, give_receipt, nodes), HS_OK);
    } else {
        assert_int_equal(hs_view_cut(view, &healed->stream, healed->first, &body, &segment), HS_OK);
        assert_int_equal(hs_store_begin(hall->store), HS_OK);
        enum hs_err err = hs_store_heal(hall->store, &segment);
        assert_true(err == HS_OK || err == HS_ESIGNATURE || err == HS_EGAP);
        assert_int_equal(hs_store_commit(hall->store, &(struct hs_commit){0}), HS_OK);
    }
    hs_view_close(view);
    hs_buf_fini(&body);
}

static void heal(struct world_node *hub, struct world_node *hall)
{
    struct waiting waiting;
    for (size_t i = 0; (waiting = waiting_at(hall)).count > 0; i++) {
        assert_true(i < 1000);
        fetch(hub, hall, &waiting.rows[random_below(waiting.count)]);
    }
}

static void round_of(struct place *place, uint64_t origin)
{
    struct hs_buf before = {0}, after = {0};
    struct hs_hash records = world_digests(&place->hall), now;
    world_close(&place->hall);
    note_rows(&place->hall, &before);
    rot(&place->hall);
    if (random_below(2) == 0) {
        char path[WORLD_PATH_BYTES];
        world_path(path, place->hall.dir, "records/data.mdb");
        assert_int_equal(unlink(path), 0);
    }
    world_open(&place->hall, false);
    check(&place->hall, mend, &place->hall);
    heal(&place->hub, &place->hall);
    assert_int_equal(check(&place->hall, just_count, NULL), 0);
    now = world_digests(&place->hall);
    assert_true(hs_hash_equal(&records, &now));
    assert_true(world_current_origin(&place->hall) == origin);
    world_close(&place->hall);
    note_rows(&place->hall, &after);
    assert_int_equal(before.size, after.size);
    assert_memory_equal(before.data, after.data, before.size);
    hs_buf_fini(&before);
    hs_buf_fini(&after);
    world_open(&place->hall, false);
}

static void run_world(void *ctx)
{
    (void)ctx;
    void *state = NULL;
    struct place *place = place_begin(&state);
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    world_fill_empty(&place->hall);
    for (size_t i = 0; i < ROUNDS; i++) {
        struct hs_dot dot = {0};
        for (size_t j = 1 + random_below(4); j > 0; j--)
            dot = world_group(&place->hall, 1 + random_below(20));
        struct hs_stream stream = {dot.origin, 3201, HS_LANE_MONEY};
        put_origin(&place->hall, &place->hub, dot.origin);
        while (carry(&place->hall, &place->hub, &stream))
            continue;
        round_of(place, dot.origin);
    }
    place_end(&state);
}

static void the_log_is_what_it_was(void **state)
{
    (void)state;
    run_worlds(20261122, 6, run_world, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_log_is_what_it_was)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
