/* log_test.c -- storage/log: opening, a node's own streams, groups and what makes them fail. */
#include "tests/lib/log_place.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/resource.h>

/* ---- opening ---- */

static void a_store_keeps_its_id_and_refuses_a_second_making(void **state)
{
    struct place *place = *state;
    struct hs_log *other = NULL;
    struct hs_why why = {{0}};
    uint64_t id = hs_log_store_id(place->log);
    assert_true(id != 0 && id != hs_log_store_id(place->hub_log));
    reopen(place);
    assert_true(hs_log_store_id(place->log) == id);
    hs_log_close(place->log);
    place->log = NULL;
    assert_int_equal(open_log(&place->hall, true, &other, &why), HS_EEXISTS);
    assert_non_null(strstr(why.text, place->hall.dir));
}

static void another_nodes_or_regions_store_is_refused(void **state)
{
    struct place *place = *state;
    struct hs_log *other = NULL;
    struct hs_why why = {{0}};
    struct world_region elsewhere;
    struct world_node stranger;
    hs_log_close(place->log);
    place->log = NULL;
    struct world_node wrong = place->hub;
    memcpy(wrong.dir, place->hall.dir, sizeof wrong.dir);
    assert_int_equal(open_log(&wrong, false, &other, &why), HS_EFOREIGN);
    assert_non_null(strstr(why.text, "nj-hall"));
    world_begin(&elsewhere);
    world_add(&elsewhere, &stranger, "nj-hall", HS_ROLE_HALL);
    memcpy(stranger.dir, place->hall.dir, sizeof stranger.dir);
    assert_int_equal(open_log(&stranger, false, &other, &why), HS_EFOREIGN);
    assert_non_null(strstr(why.text, "region"));
    world_drop(&stranger);
    world_end(&elsewhere);
}

static void a_newer_format_is_refused(void **state)
{
    struct place *place = *state;
    struct hs_why why = {{0}};
    struct hs_txn txn;
    uint8_t schema[4];
    hs_be32(schema, LOG_SCHEMA + 1);
    assert_int_equal(hs_txn_begin(hs_log_env(place->log), true, &txn), HS_OK);
    hs_txn_put(&txn, LOG_META, HS_BYTES("schema", 6), HS_BYTES(schema, sizeof schema));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_log_close(place->log);
    place->log = NULL;
    assert_int_equal(open_log(&place->hall, false, &place->log, &why), HS_ESCHEMA);
    assert_non_null(strstr(why.text, "newer"));
}

static void a_store_that_was_never_finished_can_be_made_again(void **state)
{
    struct place *place = *state;
    struct hs_txn txn;
    assert_int_equal(hs_txn_begin(hs_log_env(place->log), true, &txn), HS_OK);
    for (hs_table table = 0; table < LOG_TABLE_COUNT; table++)
        hs_txn_empty(&txn, table);
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    hs_log_close(place->log);
    place->log = NULL;
    assert_int_equal(open_log(&place->hall, false, &place->log, NULL), HS_ENOSTORE);
    assert_int_equal(open_log(&place->hall, true, &place->log, NULL), HS_OK);
}

static void a_newer_certificate_replaces_and_an_older_does_not(void **state)
{
    struct place *place = *state;
    struct hs_bytes held;
    struct hs_buf old = {0};
    hs_buf_put_bytes(&old, place->hall.options.certificate);
    place->hall.draft.issued_ms++;
    world_certify(&place->hall);
    reopen(place);
    struct hs_txn txn = snapshot(place->log);
    assert_int_equal(hs_log_find_certificate(&txn, &place->hall.draft.node_key, &held), HS_OK);
    assert_true(hs_bytes_equal(held, place->hall.options.certificate));
    hs_txn_abort(&txn);
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    assert_int_equal(hs_log_put_certificate(place->log, hs_buf_bytes(&old)), HS_OK);
    commit(place->log);
    txn = snapshot(place->log);
    assert_int_equal(hs_log_find_certificate(&txn, &place->hall.draft.node_key, &held), HS_OK);
    assert_true(hs_bytes_equal(held, place->hall.options.certificate));
    hs_txn_abort(&txn);
    hs_buf_fini(&old);
}

static void a_new_node_key_is_a_new_origin(void **state)
{
    struct place *place = *state;
    struct hs_dot before = write_group(place->log, 1, 1, OP_BYTES);
    assert_int_equal(hs_secret_new(&place->hall.secret, &place->hall.draft.node_key), HS_OK);
    world_certify(&place->hall);
    reopen(place);
    assert_true(current_origin(place->log) == 0);
    struct hs_dot after = write_group(place->log, 2, 1, OP_BYTES);
    assert_true(before.origin != after.origin);
    struct hs_txn txn = snapshot(place->log);
    assert_int_equal(hs_log_own_origins(&txn), 2);
    hs_txn_abort(&txn);
}

/* ---- own streams ---- */

static void ops_are_numbered_chained_and_signed_once_a_commit(void **state)
{
    struct place *place = *state;
    assert_true(current_origin(place->log) == 0); /* lazily */
    struct hs_dot dot = write_group(place->log, 1, 3, OP_BYTES);
    assert_int_equal(dot.n, 3);
    dot = write_group(place->log, 4, 2, OP_BYTES);
    assert_int_equal(dot.n, 5);
    struct hs_stream stream = money_of(dot.origin);
    struct hs_hash hash = hs_chain_start(&stream);
    struct hs_txn txn = snapshot(place->log);
    struct hs_log_reader reader = {&txn, NULL};
    for (uint64_t n = 1; n <= 5; n++) {
        struct hs_bytes op;
        struct hs_hash held;
        struct hs_checkpoint checkpoint;
        assert_int_equal(hs_log_op(&reader, &stream, n, &op), HS_OK);
        assert_int_equal(hs_from_be64(op.data), n);
        hash = hs_chain_next(&hash, op);
        assert_int_equal(hs_log_hash_at(&reader, &stream, n, &held), HS_OK);
        assert_true(hs_hash_equal(&hash, &held));
        enum hs_err err = hs_log_checkpoint(&reader, &stream, n, &checkpoint);
        assert_int_equal(err, n < 3 ? HS_ENOTFOUND : HS_OK);
        if (err == HS_OK)
            assert_int_equal(checkpoint.n, n < 5 ? 3 : 5);
        if (n == 3 || n == 5)
            assert_int_equal(
                hs_checkpoint_verify(&stream, n, &hash, &place->hall.draft.node_key, &checkpoint.signature), HS_OK);
    }
    struct hs_hash beyond;
    assert_int_equal(hs_log_hash_at(&reader, &stream, 6, &beyond), HS_ENOTFOUND);
    hs_txn_abort(&txn);
}

/* Every run between checkpoints is a segment by itself. */
static void expect_segments(struct place *place, const struct hs_stream *stream, size_t most)
{
    struct hs_buf body = {0};
    uint64_t head = head_of(place->log, stream);
    size_t count = 0;
    for (uint64_t next = 1; next <= head; count++) {
        struct hs_segment segment = cut(place->log, stream, next, &body);
        assert_true(segment.count <= HS_SEGMENT_OPS_MAX);
        assert_true(segment.body.size <= HS_SEGMENT_BYTES_SOFT || segment.count == 1);
        assert_int_equal(segment.first, next);
        assert_int_equal(hs_checkpoint_verify(stream, next + segment.count - 1, &segment.end,
                                              &place->hall.draft.node_key, &segment.signature),
                         HS_OK);
        next += segment.count;
    }
    assert_true(count <= most);
    hs_buf_fini(&body);
}

static void a_large_group_is_checkpointed_within_the_limits(void **state)
{
    struct place *place = *state;
    struct hs_dot dot = write_group(place->log, 1, 2000, 30);
    struct hs_stream stream = money_of(dot.origin);
    expect_segments(place, &stream, 8);
    write_group(place->log, 3000, 2000, 500);
    expect_segments(place, &stream, 8 + 1 + 63);
    write_group(place->log, 9000, 3, 40000);
    expect_segments(place, &stream, 8 + 1 + 63 + 3);
}

static void small_commits_are_cut_together(void **state)
{
    struct place *place = *state;
    struct hs_buf body = {0};
    uint64_t origin = 0;
    for (uint64_t i = 0; i < 300; i++)
        origin = write_group(place->log, i, 1, 20).origin;
    struct hs_stream stream = money_of(origin);
    struct hs_segment segment = cut(place->log, &stream, 1, &body);
    assert_int_equal(segment.count, HS_SEGMENT_OPS_MAX);
    segment = cut(place->log, &stream, 290, &body);
    assert_int_equal(segment.count, 11);
    hs_buf_fini(&body);
}

static void a_cut_appends_and_ends_at_a_checkpoint(void **state)
{
    struct place *place = *state;
    struct hs_buf body = {0};
    struct hs_segment segment;
    uint64_t origin = write_group(place->log, 1, 5, OP_BYTES).origin;
    struct hs_stream stream = money_of(origin);
    hs_buf_put(&body, "before", 6);
    struct hs_txn txn = snapshot(place->log);
    struct hs_log_reader reader = {&txn, NULL};
    assert_int_equal(hs_log_cut(&reader, &stream, 3, &body, &segment), HS_OK); /* from within a run */
    assert_int_equal(segment.count, 3);
    assert_int_equal(body.size, 6 + 3 * (OP_BYTES + 1));
    assert_ptr_equal(segment.body.data, body.data + 6);
    assert_int_equal(hs_log_cut(&reader, &stream, 6, &body, &segment), HS_ENOTFOUND);
    assert_int_equal(hs_log_cut(&reader, &stream, 7, &body, &segment), HS_ENOTFOUND);
    assert_int_equal(hs_log_cut(&reader, &stream, 0, &body, &segment), HS_ENOTFOUND);
    assert_int_equal(body.size, 6 + 3 * (OP_BYTES + 1));
    hs_txn_abort(&txn);
    hs_buf_fini(&body);
}

static void change_op(struct hs_log *log, const struct hs_stream *stream, uint64_t n, bool lose)
{
    uint8_t key[OP_KEY_BYTES];
    struct hs_txn txn;
    log_op_key(stream, n, ROW_OP, key);
    assert_int_equal(hs_txn_begin(hs_log_env(log), true, &txn), HS_OK);
    if (lose)
        hs_txn_delete(&txn, LOG_OP, HS_BYTES(key, sizeof key));
    else
        hs_txn_put(&txn, LOG_OP, HS_BYTES(key, sizeof key), HS_BYTES("rotten", 6));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
}

static void a_rotten_or_lost_op_is_never_sent(void **state)
{
    struct place *place = *state;
    struct hs_buf body = {0};
    struct hs_segment segment;
    struct hs_stream stream = money_of(write_group(place->log, 1, 5, OP_BYTES).origin);
    for (int lose = 0; lose < 2; lose++) {
        change_op(place->log, &stream, 3, lose);
        struct hs_txn txn = snapshot(place->log);
        struct hs_log_reader reader = {&txn, NULL};
        assert_int_equal(hs_log_cut(&reader, &stream, 1, &body, &segment), HS_EDAMAGED);
        assert_int_equal(body.size, 0);
        hs_txn_abort(&txn);
    }
    hs_buf_fini(&body);
}

static enum hs_err see_sound_op(void *ctx, const struct hs_logged *op)
{
    size_t *seen = ctx;
    assert_int_equal(op->bytes.size, OP_BYTES);
    (*seen)++;
    return HS_OK;
}

/* Found by flipping bytes of log/data.mdb under a stopped node whose records had to be made anew: it showed payments
 * with other amounts, and no error. */
static void a_rotten_or_lost_op_is_never_replayed(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = money_of(write_group(place->log, 1, 5, OP_BYTES).origin);
    write_group(place->log, 6, 2, OP_BYTES);
    for (int lose = 0; lose < 2; lose++) {
        size_t seen = 0;
        struct hs_position to = {0};
        struct hs_log_span span = {0, hs_log_position(place->log).commit, 100, NULL};
        change_op(place->log, &stream, 7, lose);
        struct hs_txn txn = snapshot(place->log);
        assert_int_equal(hs_log_walk(&txn, &span, see_sound_op, &seen, &to), HS_EDAMAGED);
        assert_int_equal(seen, 5); /* of the group before */
        hs_txn_abort(&txn);
    }
}

/* Found by damaging the log so that its table of commits was not found: the hall came up empty and said nothing. */
static void what_no_commit_lists_is_damage(void **state)
{
    struct place *place = *state;
    write_group(place->log, 1, 5, OP_BYTES);
    struct hs_log_span span = {0, hs_log_position(place->log).commit, 100, NULL};
    write_group(place->log, 6, 2, OP_BYTES);
    uint8_t key[8];
    size_t seen = 0;
    struct hs_position to = {0};
    struct hs_txn txn;
    hs_be64(key, hs_log_position(place->log).commit);
    assert_int_equal(hs_txn_begin(hs_log_env(place->log), true, &txn), HS_OK);
    hs_txn_delete(&txn, LOG_COMMIT, HS_BYTES(key, sizeof key));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    txn = snapshot(place->log);
    assert_int_equal(hs_log_walk(&txn, &span, see_sound_op, &seen, &to), HS_EDAMAGED);
    assert_int_equal(seen, 0);
    hs_txn_abort(&txn);
}

static enum hs_err no_rot(void *ctx, const struct hs_stream *stream, uint64_t first, uint64_t last)
{
    (void)ctx, (void)stream;
    fail_msg("left out: %" PRIu64 " to %" PRIu64, first, last);
    return HS_OK;
}

/* Behind the last signature that can be found nobody could say what is missing: it is not left out. */
static void what_is_listed_beyond_the_head_is_damage(void **state)
{
    struct place *place = *state;
    uint8_t key[OP_KEY_BYTES];
    size_t seen = 0;
    struct hs_position to = {0};
    struct hs_txn txn;
    struct hs_stream stream = money_of(write_group(place->log, 1, 5, OP_BYTES).origin);
    struct hs_log_span span = {.after = hs_log_position(place->log).commit, .limit = 100, .rot = no_rot};
    write_group(place->log, 6, 2, OP_BYTES);
    span.until = hs_log_position(place->log).commit;
    change_op(place->log, &stream, 7, true);
    log_op_key(&stream, 7, ROW_CHECKPOINT, key);
    assert_int_equal(hs_txn_begin(hs_log_env(place->log), true, &txn), HS_OK);
    hs_txn_delete(&txn, LOG_OP, HS_BYTES(key, sizeof key));
    assert_int_equal(hs_txn_commit(&txn), HS_OK);
    txn = snapshot(place->log);
    assert_int_equal(hs_log_walk(&txn, &span, see_sound_op, &seen, &to), HS_EDAMAGED);
    hs_txn_abort(&txn);
}

struct seen_heads {
    size_t count;
    struct hs_head heads[8];
};

static enum hs_err see_head(void *ctx, const struct hs_head *head)
{
    struct seen_heads *seen = ctx;
    assert_true(seen->count == 0 || hs_stream_compare(&seen->heads[seen->count - 1].stream, &head->stream) < 0);
    seen->heads[seen->count++] = *head;
    return HS_OK;
}

static void heads_are_listed_and_the_open_group_sees_its_own(void **state)
{
    struct place *place = *state;
    struct seen_heads seen = {0};
    uint64_t origin = write_group(place->log, 1, 2, OP_BYTES).origin;
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    write_op(place->log, HS_LANE_MONEY, 9, OP_BYTES);
    write_op(place->log, HS_LANE_WORK, 10, OP_BYTES);
    struct hs_log_reader reader = hs_log_reader_of(place->log);
    assert_int_equal(hs_log_heads(&reader, see_head, &seen), HS_OK);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.heads[0].stream.lane, HS_LANE_WORK);
    assert_int_equal(seen.heads[0].n, 1);
    assert_int_equal(seen.heads[1].n, 3);
    struct hs_hash hash;
    struct hs_stream stream = money_of(origin);
    assert_int_equal(hs_log_hash_at(&reader, &stream, 3, &hash), HS_OK);
    assert_true(hs_hash_equal(&hash, &seen.heads[1].hash));
    hs_log_abort(place->log);
    assert_int_equal(head_of(place->log, &stream), 2);
}

static void lag_counts_ops_and_their_bytes(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = money_of(write_group(place->log, 1, 5, OP_BYTES).origin);
    write_group(place->log, 6, 5, 2 * OP_BYTES);
    struct hs_txn txn = snapshot(place->log);
    struct hs_log_reader reader = {&txn, NULL};
    static const uint64_t ROWS[][3] = {
        {0, 10, 5 * 101 + 5 * 202}, {5, 5, 5 * 202}, {4, 6, 101 + 5 * 202}, {8, 2, 2 * 202}, {10, 0, 0}, {99, 0, 0}};
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        uint64_t ops;
        uint64_t bytes;
        hs_log_lag(&reader, &stream, ROWS[i][0], &ops, &bytes);
        assert_int_equal(ops, ROWS[i][1]);
        assert_int_equal(bytes, ROWS[i][2]);
    }
    hs_txn_abort(&txn);
}

/* ---- groups ---- */

static void an_empty_group_is_no_commit(void **state)
{
    struct place *place = *state;
    struct hs_position before = hs_log_position(place->log);
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    struct hs_commit done = commit(place->log);
    assert_true(done.position.commit == before.commit && done.position.tag == before.tag);
    assert_int_equal(done.head_count, 0);
}

static void an_aborted_group_leaves_no_trace(void **state)
{
    struct place *place = *state;
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    uint64_t origin = write_op(place->log, HS_LANE_MONEY, 1, OP_BYTES).origin;
    hs_log_abort(place->log);
    struct hs_stream stream = money_of(origin);
    assert_int_equal(head_of(place->log, &stream), 0);
    assert_true(current_origin(place->log) == 0);
    struct hs_dot dot = write_group(place->log, 2, 1, OP_BYTES);
    assert_int_equal(dot.n, 1);
    assert_true(dot.origin != origin);
}

/* A certificate is verified once, not again behind each chore that finds nothing to do. */
static void an_aborted_group_that_wrote_nothing_forgets_nobody(void **state)
{
    struct place *place = *state;
    uint64_t origin = write_group(place->log, 1, 1, OP_BYTES).origin;
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    const struct hs_certificate *writer = hs_log_writer(place->log, &place->log->txn, origin);
    assert_non_null(writer);
    hs_log_abort(place->log);
    void *taken = malloc(sizeof *writer); /* where it was, if it was given up */
    assert_non_null(taken);
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    assert_ptr_equal(hs_log_writer(place->log, &place->log->txn, origin), writer);
    hs_log_abort(place->log);
    free(taken);
}

static void a_strike_outlives_its_aborted_group(void **state)
{
    struct place *place = *state;
    uint64_t origin = write_group(place->log, 1, 1, OP_BYTES).origin;
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    assert_int_equal(hs_log_strike(place->log, "a hub holds more"), HS_OK);
    write_op(place->log, HS_LANE_MONEY, 2, OP_BYTES); /* in a fresh origin, given up as well */
    hs_log_abort(place->log);
    struct hs_dot dot = write_group(place->log, 3, 1, OP_BYTES);
    assert_true(dot.origin != origin);
    assert_int_equal(dot.n, 1);
}

static enum hs_err refuse_to_sign(void *ctx, struct hs_bytes message, struct hs_signature *signature)
{
    (void)ctx;
    (void)message;
    (void)signature;
    return HS_EINTERNAL;
}

static void without_a_signature_nothing_is_committed(void **state)
{
    struct place *place = *state;
    struct hs_commit done;
    uint64_t origin = write_group(place->log, 1, 1, OP_BYTES).origin;
    struct hs_signer signer = place->log->signer;
    place->log->signer.sign = refuse_to_sign;
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    write_op(place->log, HS_LANE_MONEY, 2, OP_BYTES);
    assert_int_equal(hs_log_commit(place->log, &done), HS_EINTERNAL);
    assert_int_equal(hs_log_failed(place->log), HS_OK);
    place->log->signer = signer;
    struct hs_dot dot = write_group(place->log, 3, 1, OP_BYTES);
    assert_true(dot.origin == origin);
    assert_int_equal(dot.n, 2);
}

static void a_full_map_costs_the_group_and_no_more(void **state)
{
    struct place *place = *state;
    static uint8_t op[8000];
    struct hs_dot dot;
    struct hs_commit done;
    hs_log_close(place->log);
    place->hall.options.map_bytes = 2 << 20;
    assert_int_equal(open_log(&place->hall, false, &place->log, NULL), HS_OK);
    write_group(place->log, 1, 1, OP_BYTES);
    enum hs_err err = hs_log_begin(place->log);
    for (int i = 0; i < 1000 && err == HS_OK; i++)
        err = hs_log_write(place->log, 3201, HS_LANE_BULK, HS_BYTES(op, sizeof op), &dot);
    assert_int_equal(err, HS_EFULL);
    assert_int_equal(hs_log_write(place->log, 3201, HS_LANE_MONEY, HS_BYTES(op, 10), &dot), HS_EFULL);
    assert_int_equal(hs_log_commit(place->log, &done), HS_EFULL);
    assert_int_equal(hs_log_failed(place->log), HS_OK);
    dot = write_group(place->log, 2, 1, OP_BYTES);
    assert_int_equal(dot.n, 2);
}

/* A limit on file sizes stands for a disk that is full. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_costs_the_group_and_no_more(void **state)
{
    struct place *place = *state;
    struct hs_commit done;
    uint64_t origin = write_group(place->log, 1, 1, OP_BYTES).origin;
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    write_op(place->log, HS_LANE_MONEY, 2, OP_BYTES);
    limit_files(4096);
    enum hs_err err = hs_log_commit(place->log, &done);
    limit_files(RLIM_INFINITY);
    assert_int_equal(err, HS_EFULL);
    assert_int_equal(hs_log_failed(place->log), HS_OK);
    struct hs_dot dot = write_group(place->log, 3, 1, OP_BYTES);
    assert_true(dot.origin == origin);
    assert_int_equal(dot.n, 2);
    reopen(place);
    assert_null(hs_log_break(place->log));
}

static void after_a_failed_write_nothing_goes_on(void **state)
{
    struct place *place = *state;
    struct hs_commit done;
    uint64_t origin = write_group(place->log, 1, 1, OP_BYTES).origin;
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    write_op(place->log, HS_LANE_MONEY, 2, OP_BYTES);
    int broken = open("/dev/null", O_RDONLY);
    assert_true(dup2(broken, hs_env_fd(hs_log_env(place->log))) >= 0);
    close(broken);
    assert_int_equal(hs_log_commit(place->log, &done), HS_EIO);
    assert_int_equal(hs_log_failed(place->log), HS_EIO);
    assert_int_equal(hs_log_begin(place->log), HS_EIO);
    reopen(place); /* whatever was on its way to the disk is not written on */
    assert_non_null(hs_log_break(place->log));
    assert_true(write_group(place->log, 3, 1, OP_BYTES).origin != origin);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_store_keeps_its_id_and_refuses_a_second_making),
        TEST(another_nodes_or_regions_store_is_refused),
        TEST(a_newer_format_is_refused),
        TEST(a_store_that_was_never_finished_can_be_made_again),
        TEST(a_newer_certificate_replaces_and_an_older_does_not),
        TEST(a_new_node_key_is_a_new_origin),
        TEST(ops_are_numbered_chained_and_signed_once_a_commit),
        TEST(a_large_group_is_checkpointed_within_the_limits),
        TEST(small_commits_are_cut_together),
        TEST(a_cut_appends_and_ends_at_a_checkpoint),
        TEST(a_rotten_or_lost_op_is_never_sent),
        TEST(a_rotten_or_lost_op_is_never_replayed),
        TEST(what_no_commit_lists_is_damage),
        TEST(what_is_listed_beyond_the_head_is_damage),
        TEST(heads_are_listed_and_the_open_group_sees_its_own),
        TEST(lag_counts_ops_and_their_bytes),
        TEST(an_empty_group_is_no_commit),
        TEST(an_aborted_group_leaves_no_trace),
        TEST(an_aborted_group_that_wrote_nothing_forgets_nobody),
        TEST(a_strike_outlives_its_aborted_group),
        TEST(without_a_signature_nothing_is_committed),
        TEST(a_full_map_costs_the_group_and_no_more),
        TEST(a_full_disk_costs_the_group_and_no_more),
        TEST(after_a_failed_write_nothing_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
