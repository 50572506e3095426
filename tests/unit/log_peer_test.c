/* log_peer_test.c -- storage/log: what comes from other nodes, what is kept of their word, and the order in which it
 * all came. */
#include "tests/lib/log_place.h"

/* ---- foreign streams ---- */

static void a_segment_is_taken_once_whole_and_only_in_order(void **state)
{
    struct place *place = *state;
    struct hs_buf body = {0};
    uint64_t from = 0;
    struct hs_stream stream = money_of(write_group(place->log, 1, 4, OP_BYTES).origin);
    struct hs_segment early = cut(place->log, &stream, 3, &body);
    assert_int_equal(hs_log_begin(place->hub_log), HS_OK);
    assert_int_equal(hs_log_receive(place->hub_log, &early, &from), HS_ECERT);
    introduce(place, stream.origin);
    assert_int_equal(hs_log_receive(place->hub_log, &early, &from), HS_EGAP);
    struct hs_segment whole = cut(place->log, &stream, 1, &body);
    assert_int_equal(hs_log_receive(place->hub_log, &whole, &from), HS_OK);
    assert_int_equal(from, 1);
    assert_int_equal(hs_log_receive(place->hub_log, &whole, &from), HS_EEXISTS);
    struct hs_commit done = commit(place->hub_log);
    assert_int_equal(done.head_count, 1);
    assert_int_equal(done.heads[0].n, 4);
    write_group(place->log, 5, 2, OP_BYTES);
    struct hs_segment longer = cut(place->log, &stream, 1, &body);
    assert_int_equal(longer.count, 6);
    assert_int_equal(hs_log_begin(place->hub_log), HS_OK);
    assert_int_equal(hs_log_receive(place->hub_log, &longer, &from), HS_OK); /* what is held of it is passed over */
    assert_int_equal(from, 5);
    commit(place->hub_log);
    assert_int_equal(head_of(place->hub_log, &stream), 6);
    hs_buf_fini(&body);
}

static void a_chain_that_does_not_fit_is_refused(void **state)
{
    struct place *place = *state;
    struct hs_buf body = {0};
    uint64_t from;
    struct hs_stream stream = money_of(write_group(place->log, 1, 4, OP_BYTES).origin);
    struct hs_segment good = cut(place->log, &stream, 1, &body);
    assert_int_equal(hs_log_begin(place->hub_log), HS_OK);
    introduce(place, stream.origin);
    struct hs_segment bad = good;
    bad.end.bytes[0] ^= 1;
    assert_int_equal(hs_log_receive(place->hub_log, &bad, &from), HS_ESIGNATURE);
    body.data[50] ^= 1;
    assert_int_equal(hs_log_receive(place->hub_log, &good, &from), HS_ESIGNATURE);
    body.data[50] ^= 1;
    bad = good;
    bad.count = 3;
    assert_int_equal(hs_log_receive(place->hub_log, &bad, &from), HS_EMALFORMED);
    bad.count = 5;
    assert_int_equal(hs_log_receive(place->hub_log, &bad, &from), HS_EMALFORMED);
    bad = good;
    bad.first = 0;
    assert_int_equal(hs_log_receive(place->hub_log, &bad, &from), HS_EMALFORMED);
    bad.first = UINT64_MAX;
    assert_int_equal(hs_log_receive(place->hub_log, &bad, &from), HS_EMALFORMED);
    assert_int_equal(hs_log_receive(place->hub_log, &good, &from), HS_OK); /* none of these has spoilt the group */
    commit(place->hub_log);
    hs_buf_fini(&body);
}

static void a_forwarded_stream_is_byte_for_byte_the_same(void **state)
{
    struct place *place = *state;
    struct hs_buf ours = {0};
    struct hs_buf theirs = {0};
    uint64_t origin = 0;
    for (uint64_t i = 0; i < 50; i++)
        origin = write_group(place->log, i * 10, 1 + i % 9, 200).origin;
    struct hs_stream stream = money_of(origin);
    carry(place, &stream);
    uint64_t head = head_of(place->log, &stream);
    assert_int_equal(head_of(place->hub_log, &stream), head);
    for (uint64_t next = 1; next <= head;) {
        struct hs_segment a = cut(place->log, &stream, next, &ours);
        struct hs_segment b = cut(place->hub_log, &stream, next, &theirs);
        assert_true(hs_bytes_equal(a.body, b.body));
        assert_memory_equal(&a.signature, &b.signature, sizeof a.signature);
        assert_true(hs_hash_equal(&a.end, &b.end));
        next += a.count;
    }
    hs_buf_fini(&ours);
    hs_buf_fini(&theirs);
}

/* ---- receipts ---- */

static enum hs_err keep_receipt(void *ctx, const struct hs_receipt *receipt)
{
    *(struct hs_receipt *)ctx = *receipt;
    return HS_OK;
}

static enum hs_err count_signer(void *ctx, const char *node_id, enum hs_role role)
{
    assert_string_equal(node_id, "nj-hub");
    assert_int_equal(role, HS_ROLE_HUB);
    ++*(unsigned *)ctx;
    return HS_OK;
}

static unsigned signers(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n,
                        uint64_t store_id)
{
    unsigned count = 0;
    assert_int_equal(hs_log_holders(reader, stream, n, store_id, count_signer, &count), HS_OK);
    return count;
}

static void a_hub_signs_for_what_came_and_a_hall_for_nothing(void **state)
{
    struct place *place = *state;
    struct hs_buf body = {0};
    uint64_t from;
    struct hs_stream stream = money_of(write_group(place->log, 1, 4, OP_BYTES).origin);
    struct hs_segment segment = cut(place->log, &stream, 1, &body);
    assert_int_equal(hs_log_begin(place->hub_log), HS_OK);
    introduce(place, stream.origin);
    assert_int_equal(hs_log_receive(place->hub_log, &segment, &from), HS_OK);
    write_op(place->hub_log, HS_LANE_WORK, 7, OP_BYTES);
    struct hs_commit done = commit(place->hub_log);
    assert_int_equal(done.head_count, 2);
    assert_int_equal(done.receipt_count, 1); /* its own stream needs none */
    const struct hs_receipt *receipt = &done.receipts[0];
    assert_int_equal(hs_receipt_verify(receipt), HS_OK);
    assert_true(receipt->store_id == hs_log_store_id(place->hub_log) && receipt->n == 4);
    assert_true(hs_stream_equal(&receipt->stream, &stream));
    struct hs_receipt held;
    struct hs_txn txn = snapshot(place->hub_log);
    assert_int_equal(hs_log_receipts(&txn, &stream, keep_receipt, &held), HS_OK);
    hs_txn_abort(&txn);
    assert_memory_equal(&held.signature, &receipt->signature, sizeof held.signature);

    assert_int_equal(hs_log_begin(place->log), HS_OK);
    assert_int_equal(hs_log_put_receipt(place->log, receipt, place->hub.options.certificate), HS_OK);
    assert_int_equal(commit(place->log).receipt_count, 0);
    txn = snapshot(place->log);
    struct hs_log_reader reader = {&txn, NULL};
    assert_int_equal(signers(&reader, &stream, 4, hs_log_store_id(place->log)), 1);
    assert_int_equal(signers(&reader, &stream, 5, hs_log_store_id(place->log)), 0);
    hs_txn_abort(&txn);
    hs_buf_fini(&body);
}

static struct hs_receipt receipt_for(struct place *place, const struct hs_stream *stream, uint64_t n, uint64_t store_id)
{
    struct hs_receipt receipt = {.store_id = store_id, .stream = *stream, .n = n, .hub_key = place->hub.draft.node_key};
    struct hs_txn txn = snapshot(place->log);
    struct hs_log_reader reader = {&txn, NULL};
    if (hs_log_hash_at(&reader, stream, n, &receipt.hash) != HS_OK)
        memset(receipt.hash.bytes, 7, sizeof receipt.hash);
    hs_txn_abort(&txn);
    assert_int_equal(hs_receipt_sign(&receipt, &place->hub.options.signer), HS_OK);
    return receipt;
}

static enum hs_err put_receipt(struct place *place, const struct hs_receipt *receipt)
{
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    enum hs_err err = hs_log_put_receipt(place->log, receipt, place->hub.options.certificate);
    commit(place->log);
    return err;
}

static void only_the_highest_receipt_of_a_store_is_kept(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = money_of(write_group(place->log, 1, 4, OP_BYTES).origin);
    static const uint64_t NS[] = {2, 4, 3};
    for (size_t i = 0; i < 3; i++) {
        struct hs_receipt receipt = receipt_for(place, &stream, NS[i], 77);
        assert_int_equal(put_receipt(place, &receipt), HS_OK);
    }
    struct hs_receipt held;
    struct hs_txn txn = snapshot(place->log);
    assert_int_equal(hs_log_receipts(&txn, &stream, keep_receipt, &held), HS_OK);
    assert_int_equal(held.n, 4);
    hs_txn_abort(&txn);
    struct hs_receipt second = receipt_for(place, &stream, 3, 78);
    assert_int_equal(put_receipt(place, &second), HS_OK);
    txn = snapshot(place->log);
    struct hs_log_reader reader = {&txn, NULL};
    assert_int_equal(signers(&reader, &stream, 3, 0), 2);
    assert_int_equal(signers(&reader, &stream, 3, 78), 1);
    assert_int_equal(signers(&reader, &stream, 4, 0), 1);
    hs_txn_abort(&txn);
}

static void a_receipt_of_another_branch_does_not_count(void **state)
{
    struct place *place = *state;
    struct hs_stream stream = money_of(write_group(place->log, 1, 4, OP_BYTES).origin);
    struct hs_receipt receipt = receipt_for(place, &stream, 4, 77);
    receipt.hash.bytes[0] ^= 1;
    assert_int_equal(put_receipt(place, &receipt), HS_EFORK);
}

static void a_receipt_ahead_of_the_log_is_proof_of_a_rollback(void **state)
{
    struct place *place = *state;
    uint64_t origin = write_group(place->log, 1, 4, OP_BYTES).origin;
    struct hs_stream stream = money_of(origin);
    struct hs_receipt receipt = receipt_for(place, &stream, 5, 77);
    assert_int_equal(put_receipt(place, &receipt), HS_OK);
    struct hs_dot dot = write_group(place->log, 9, 1, OP_BYTES);
    assert_true(dot.origin != origin);
    struct hs_txn txn = snapshot(place->log);
    struct hs_log_reader reader = {&txn, NULL};
    assert_int_equal(signers(&reader, &stream, 1, 0), 0); /* cannot be compared: not counted */
    hs_txn_abort(&txn);
}

/* ---- origins ---- */

static void a_struck_origin_is_followed_by_another(void **state)
{
    struct place *place = *state;
    struct hs_bytes certificate;
    struct hs_bytes encoded;
    struct hs_opening opening;
    uint64_t first = write_group(place->log, 1, 1, OP_BYTES).origin;
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    assert_int_equal(hs_log_strike(place->log, "asked for"), HS_OK);
    commit(place->log);
    assert_true(current_origin(place->log) == 0);
    uint64_t second = write_group(place->log, 2, 1, OP_BYTES).origin;
    struct hs_txn txn = snapshot(place->log);
    assert_int_equal(hs_log_find_origin(&txn, second, &certificate, &encoded), HS_OK);
    assert_int_equal(hs_opening_verify(encoded, &opening), HS_OK);
    assert_true(opening.origin == second && opening.follows == first);
    assert_true(hs_bytes_equal(certificate, place->hall.options.certificate));
    assert_int_equal(hs_log_own_origins(&txn), 2);
    assert_int_equal(hs_log_find_origin(&txn, 12345, &certificate, &encoded), HS_ENOTFOUND);
    hs_txn_abort(&txn);
}

static void an_origin_belongs_to_the_key_that_opened_it(void **state)
{
    struct place *place = *state;
    struct hs_buf encoded = {0};
    struct hs_opening opening = {.origin = 42, .node_key = place->hall.draft.node_key, .opened_ms = 1};
    assert_int_equal(hs_opening_sign(&opening, &place->hall.options.signer, &encoded), HS_OK);
    assert_int_equal(hs_log_begin(place->hub_log), HS_OK);
    assert_int_equal(hs_log_put_origin(place->hub_log, place->hub.options.certificate, hs_buf_bytes(&encoded)),
                     HS_ECERT);
    assert_int_equal(hs_log_put_origin(place->hub_log, place->hall.options.certificate, hs_buf_bytes(&encoded)), HS_OK);
    assert_int_equal(hs_log_put_origin(place->hub_log, place->hall.options.certificate, hs_buf_bytes(&encoded)), HS_OK);
    hs_buf_reset(&encoded);
    opening.node_key = place->hub.draft.node_key; /* the same number, claimed by another */
    assert_int_equal(hs_opening_sign(&opening, &place->hub.options.signer, &encoded), HS_OK);
    assert_int_equal(hs_log_put_origin(place->hub_log, place->hub.options.certificate, hs_buf_bytes(&encoded)),
                     HS_ECERT);
    const struct hs_certificate *writer = hs_log_writer(place->hub_log, hs_log_reader_of(place->hub_log).txn, 42);
    assert_non_null(writer);
    assert_string_equal(writer->node_id, "nj-hall");
    commit(place->hub_log);
    hs_buf_fini(&encoded);
}

/* Ops of a node whose certificate is rotten must not be taken for those of nobody: void here, and nowhere else. */
static void a_rotten_certificate_is_a_failure_and_not_an_unknown_writer(void **state)
{
    struct place *place = *state;
    uint64_t origin = write_group(place->log, 1, 1, OP_BYTES).origin;
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    struct hs_txn *txn = hs_log_reader_of(place->log).txn;
    assert_null(hs_log_writer(place->log, txn, 12345));
    assert_int_equal(txn->err, HS_OK);
    const struct hs_key *key = &place->log->certificate.node_key;
    hs_txn_put(log_change(place->log), LOG_CERTIFICATE, HS_BYTES(key->bytes, HS_KEY_BYTES), HS_BYTES("rot", 3));
    log_forget_certificates(place->log);
    assert_null(hs_log_writer(place->log, txn, origin));
    assert_int_equal(txn->err, HS_EDAMAGED);
    hs_log_abort(place->log);
}

static void own_ops_from_elsewhere_strike_the_origin_and_are_taken(void **state)
{
    struct place *place = *state;
    struct hs_buf body = {0};
    uint64_t from;
    struct hs_stream stream = money_of(write_group(place->log, 1, 2, OP_BYTES).origin);
    /* This machine's memory goes back to 2 while 3 and 4 live on elsewhere: the log is put back beneath the running
     * node. */
    struct world_node twin;
    struct hs_log *later = NULL;
    char backup[WORLD_PATH_BYTES];
    char data[WORLD_PATH_BYTES];
    world_path(backup, place->region.base, "backup.mdb");
    world_path(data, place->hall.dir, "data.mdb");
    hs_log_close(place->log);
    world_copy_file(data, backup);
    assert_int_equal(open_log(&place->hall, false, &later, NULL), HS_OK);
    write_group(later, 3, 2, OP_BYTES);
    place->log = later;
    struct hs_segment tail = cut(later, &stream, 3, &body);
    hs_log_close(later);
    world_twin(&place->hall, &twin, "older");
    assert_int_equal(mkdir(twin.dir, 0700), 0);
    world_path(data, twin.dir, "data.mdb");
    world_copy_file(backup, data);
    assert_int_equal(open_log(&twin, false, &place->log, NULL), HS_OK);
    place->log->life.current = stream.origin; /* as if it had never stopped */
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    tail.from = "nj-hub";
    assert_int_equal(hs_log_receive(place->log, &tail, &from), HS_OK);
    commit(place->log);
    struct hs_older older;
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    assert_int_equal(hs_log_older(hs_log_reader_of(place->log).txn, &older), HS_OK);
    hs_log_abort(place->log);
    assert_int_equal(older.operations, 2);
    assert_int_equal(older.money, 2);
    assert_string_equal(older.from, "nj-hub");
    assert_string_equal(older.why, "another store holds more of this origin than this one");
    assert_true(current_origin(place->log) == 0);
    assert_int_equal(head_of(place->log, &stream), 4);
    assert_true(write_group(place->log, 5, 1, OP_BYTES).origin != stream.origin);
    hs_buf_fini(&body);
    world_drop(&twin);
}

/* ---- enrolments ---- */

static void join_tokens_are_kept_as_given(void **state)
{
    struct place *place = *state;
    struct hs_hash secret = hs_hash_of(HS_BYTES("secret", 6));
    struct hs_hash other = hs_hash_of(HS_BYTES("other", 5));
    struct hs_enrolment out;
    struct hs_enrolment enrolment = {.node_id = "nj-east",
                                     .role = HS_ROLE_HALL,
                                     .districts = {3201, 3207},
                                     .district_count = 2,
                                     .created_ms = 5,
                                     .expires_ms = 99};
    for (int used = 0; used < 2; used++) {
        enrolment.used = used;
        enrolment.used_by.bytes[3] = (uint8_t)used;
        assert_int_equal(hs_log_begin(place->hub_log), HS_OK);
        assert_int_equal(hs_log_put_enrolment(place->hub_log, &secret, &enrolment), HS_OK);
        commit(place->hub_log);
        struct hs_txn txn = snapshot(place->hub_log);
        assert_int_equal(hs_log_enrolment(&txn, &secret, &out), HS_OK);
        assert_memory_equal(&out, &enrolment, sizeof out);
        assert_int_equal(hs_log_enrolment(&txn, &other, &out), HS_ETOKEN);
        hs_txn_abort(&txn);
    }
}

/* ---- forks ---- */

static void a_forked_stream_takes_loose_ops_only(void **state)
{
    struct place *place = *state;
    struct hs_buf body = {0};
    uint64_t from;
    struct hs_stream stream = money_of(write_group(place->log, 1, 4, OP_BYTES).origin);
    struct hs_loose loose = {.segment = cut(place->log, &stream, 1, &body), .start = hs_chain_start(&stream)};
    assert_int_equal(hs_log_begin(place->hub_log), HS_OK);
    introduce(place, stream.origin);
    assert_int_equal(hs_log_put_loose(place->hub_log, &loose), HS_EINVAL);
    struct hs_stream stranger = stream; /* of an origin whose certificate never came */
    stranger.origin ^= 1;
    assert_int_equal(hs_log_put_fork(place->hub_log, &stranger, 3, HS_BYTES("proof", 5)), HS_ECERT);
    assert_int_equal(hs_log_put_fork(place->hub_log, &stream, 3, HS_BYTES("proof", 5)), HS_OK);
    assert_int_equal(hs_log_put_fork(place->hub_log, &stream, 2, HS_BYTES("again", 5)), HS_OK);
    assert_int_equal(hs_log_receive(place->hub_log, &loose.segment, &from), HS_EFORK);
    assert_int_equal(hs_log_put_loose(place->hub_log, &loose), HS_OK);
    assert_int_equal(hs_log_put_loose(place->hub_log, &loose), HS_EEXISTS);
    loose.start.bytes[0] ^= 1;
    assert_int_equal(hs_log_put_loose(place->hub_log, &loose), HS_ESIGNATURE);
    commit(place->hub_log);
    struct hs_txn txn = snapshot(place->hub_log);
    uint64_t n = 0;
    assert_int_equal(hs_log_fork(&txn, &stream, &n), HS_OK);
    assert_int_equal(n, 3);
    assert_int_equal(hs_log_fork_count(&txn), 1);
    hs_txn_abort(&txn);
    hs_buf_fini(&body);
}

static void a_fork_of_the_current_origin_ends_it(void **state)
{
    struct place *place = *state;
    uint64_t origin = write_group(place->log, 1, 1, OP_BYTES).origin;
    struct hs_stream stream = money_of(origin);
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    assert_int_equal(hs_log_put_fork(place->log, &stream, 1, HS_BYTES("proof", 5)), HS_OK);
    commit(place->log);
    assert_true(write_group(place->log, 2, 1, OP_BYTES).origin != origin);
}

/* ---- the order of arrival ---- */

struct seen_ops {
    size_t count;
    struct hs_logged ops[32];
};

static enum hs_err see_op(void *ctx, const struct hs_logged *op)
{
    struct seen_ops *seen = ctx;
    seen->ops[seen->count++] = *op;
    return HS_OK;
}

static void ops_are_walked_in_the_order_in_which_they_came(void **state)
{
    struct place *place = *state;
    static const enum hs_lane LANES[] = {HS_LANE_MONEY, HS_LANE_MONEY, HS_LANE_WORK,
                                         HS_LANE_MONEY, HS_LANE_WORK,  HS_LANE_WORK};
    uint64_t start = hs_log_position(place->log).commit;
    for (uint64_t group = 0; group < 3; group++) {
        assert_int_equal(hs_log_begin(place->log), HS_OK);
        for (uint64_t i = 0; i < 6; i++)
            write_op(place->log, LANES[i], 10 * group + i, OP_BYTES);
        commit(place->log);
    }
    struct hs_txn txn = snapshot(place->log);
    struct seen_ops seen = {0};
    struct hs_position to = {0};
    struct hs_log_span span = {start, start + 3, 100, NULL};
    assert_int_equal(hs_log_walk(&txn, &span, see_op, &seen, &to), HS_OK);
    assert_int_equal(seen.count, 18);
    for (size_t i = 0; i < 18; i++) {
        assert_int_equal(hs_from_be64(seen.ops[i].bytes.data), i / 6 * 10 + i % 6);
        assert_int_equal(seen.ops[i].stream.lane, LANES[i % 6]);
    }
    assert_int_equal(to.commit, start + 3);
    assert_int_equal(hs_log_check_position(&txn, &to), HS_OK);
    seen.count = 0;
    span = (struct hs_log_span){start, start + 3, 7, NULL}; /* whole commits only */
    assert_int_equal(hs_log_walk(&txn, &span, see_op, &seen, &to), HS_OK);
    assert_int_equal(seen.count, 12);
    assert_int_equal(to.commit, start + 2);
    to.tag++;
    assert_int_equal(hs_log_check_position(&txn, &to), HS_ERESET);
    to.commit = start + 4;
    assert_int_equal(hs_log_check_position(&txn, &to), HS_ERESET);
    hs_txn_abort(&txn);
}

static void loose_ops_are_walked_too(void **state)
{
    struct place *place = *state;
    struct hs_buf body = {0};
    struct hs_stream stream = money_of(write_group(place->log, 1, 4, OP_BYTES).origin);
    struct hs_loose loose = {.segment = cut(place->log, &stream, 1, &body), .start = hs_chain_start(&stream)};
    assert_int_equal(hs_log_begin(place->hub_log), HS_OK);
    introduce(place, stream.origin);
    assert_int_equal(hs_log_put_fork(place->hub_log, &stream, 3, HS_BYTES("proof", 5)), HS_OK);
    write_op(place->hub_log, HS_LANE_WORK, 9, OP_BYTES);
    assert_int_equal(hs_log_put_loose(place->hub_log, &loose), HS_OK);
    struct hs_commit done = commit(place->hub_log);
    struct hs_txn txn = snapshot(place->hub_log);
    struct seen_ops seen = {0};
    struct hs_position to;
    struct hs_log_span span = {done.position.commit - 1, done.position.commit, 100, NULL};
    assert_int_equal(hs_log_walk(&txn, &span, see_op, &seen, &to), HS_OK);
    assert_int_equal(seen.count, 5);
    assert_false(seen.ops[0].loose);
    for (size_t i = 1; i < 5; i++) {
        assert_true(seen.ops[i].loose);
        assert_int_equal(seen.ops[i].n, i);
        assert_int_equal(hs_from_be64(seen.ops[i].bytes.data), i);
    }
    hs_txn_abort(&txn);
    hs_buf_fini(&body);
}

static void stamps_go_on_after_a_start_with_a_slower_clock(void **state)
{
    struct place *place = *state;
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    hs_stamp before = hs_log_stamp(place->log, 0);
    write_op(place->log, HS_LANE_MONEY, 1, OP_BYTES);
    commit(place->log);
    place->region.now_ms -= 3600 * 1000;
    reopen(place);
    assert_int_equal(hs_log_begin(place->log), HS_OK);
    hs_stamp after = hs_log_stamp(place->log, 0);
    assert_true(after > before);
    assert_true(hs_log_stamp(place->log, after + 5000) > after + 5000);
    hs_log_abort(place->log);
}

/* Who had to write above a stamp of the year 6000 goes on by his own clock, now and after a start. */
static void a_far_stamp_is_passed_and_not_carried_on(void **state)
{
    struct place *place = *state;
    hs_stamp far = (hs_stamp)1 << 62;
    for (int start = 0; start < 2; start++) {
        assert_int_equal(hs_log_begin(place->log), HS_OK);
        assert_true(hs_log_stamp(place->log, far) > far);
        hs_stamp next = hs_log_stamp(place->log, 0);
        assert_true(hs_stamp_ms(next) == place->region.now_ms);
        assert_true(hs_log_stamp(place->log, 0) > next);
        assert_true(hs_log_stamp(place->log, next + 7) > next + 7);
        write_op(place->log, HS_LANE_MONEY, 1, OP_BYTES);
        commit(place->log);
        reopen(place);
        place->region.now_ms += 1000;
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_segment_is_taken_once_whole_and_only_in_order),
        TEST(a_chain_that_does_not_fit_is_refused),
        TEST(a_forwarded_stream_is_byte_for_byte_the_same),
        TEST(a_hub_signs_for_what_came_and_a_hall_for_nothing),
        TEST(only_the_highest_receipt_of_a_store_is_kept),
        TEST(a_receipt_of_another_branch_does_not_count),
        TEST(a_receipt_ahead_of_the_log_is_proof_of_a_rollback),
        TEST(a_struck_origin_is_followed_by_another),
        TEST(an_origin_belongs_to_the_key_that_opened_it),
        TEST(a_rotten_certificate_is_a_failure_and_not_an_unknown_writer),
        TEST(own_ops_from_elsewhere_strike_the_origin_and_are_taken),
        TEST(join_tokens_are_kept_as_given),
        TEST(a_forked_stream_takes_loose_ops_only),
        TEST(a_fork_of_the_current_origin_ends_it),
        TEST(ops_are_walked_in_the_order_in_which_they_came),
        TEST(loose_ops_are_walked_too),
        TEST(stamps_go_on_after_a_start_with_a_slower_clock),
        TEST(a_far_stamp_is_passed_and_not_carried_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
