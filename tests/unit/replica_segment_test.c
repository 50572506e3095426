/* replica_segment_test.c -- segments coming in: what is taken, dropped, refused, stopped; credit; stores that fail. */
#include "tests/unit/replica_puppet.h"

#include <zstd.h>

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *hub, *hall; /* the hall is the puppet's */
    struct puppet p;
    struct hs_stream stream; /* five ops of the hall's, one checkpoint each */
};

static void set(struct table *t)
{
    t->w = world_new(1);
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    for (unsigned i = 0; i < 5; i++)
        t->stream = world_write(t->hall, 3201, HS_LANE_MONEY, &"one\0two\0thr\0fou\0fiv"[4 * i], 3);
    world_start(t->hub);
    puppet_dial(&t->p, t->hall, t->hub);
    puppet_greet(&t->p);
}

static void clear(struct table *t)
{
    puppet_fini(&t->p);
    world_free(t->w);
}

static const Hallsync__PeerAck *last_ack(struct table *t)
{
    const Hallsync__PeerAck *ack = NULL, *next;
    while ((next = puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_ACK)) != NULL)
        ack = next;
    return ack;
}

/* ---- what is taken ---- */

static void a_segment_is_stored_then_acknowledged(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    puppet_send(&t.p, &t.stream, 1, 2);
    assert_int_equal(world_head(t.hub, &t.stream), 0);
    assert_null(last_ack(&t)); /* nothing before the commit */
    assert_true(world_store_next(t.hub, 8));
    const Hallsync__PeerAck *ack = puppet_hear(&t.p, HALLSYNC__PEER_TYPE__PEER_ACK);
    assert_int_equal(world_head(t.hub, &t.stream), 2);
    assert_int_equal(ack->n_stored, 1);
    assert_int_equal(ack->stored[0]->n, 2);
    assert_int_equal(ack->n_receipts, 1);
    assert_int_equal(last_ack(&t)->credit_total, HS_CREDIT_BYTES_DEFAULT + 2 * 4 + 256);
    clear(&t);
}

static void segments_may_follow_before_the_first_is_stored(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    puppet_send(&t.p, &t.stream, 1, 2);
    puppet_send(&t.p, &t.stream, 3, 3);
    puppet_send(&t.p, &t.stream, 4, 5);
    assert_int_equal(t.hub->store_count, 4); /* opening and three segments */
    puppet_let_store(&t.p);
    assert_int_equal(world_head(t.hub, &t.stream), 5);
    clear(&t);
}

static void credit_of_a_group_comes_in_one_message(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    for (uint64_t n = 1; n <= 5; n++)
        puppet_send(&t.p, &t.stream, n, n);
    assert_true(world_store_next(t.hub, 8));
    assert_int_equal(puppet_count(&t.p, HALLSYNC__PEER_TYPE__PEER_ACK), 2); /* what was stored; credit */
    clear(&t);
}

static void many_streams_are_acknowledged_in_messages_within_the_limit(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    size_t stored = 0;
    for (unsigned i = 0; i < 500; i++) {
        t.hall->store.current = 0;
        t.stream = world_write_text(t.hall, 3201, HS_LANE_MONEY, "x");
        puppet_send(&t.p, &t.stream, 1, 1);
    }
    assert_true(world_store_next(t.hub, 2000)); /* one commit: 500 acknowledgements and receipts */
    const Hallsync__PeerAck *ack;
    while ((ack = puppet_hear(&t.p, HALLSYNC__PEER_TYPE__PEER_ACK)) != NULL)
        stored += ack->n_stored;
    assert_int_equal(stored, 500);
    clear(&t);
}

static void what_came_by_another_way_meanwhile_counts(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    puppet_send(&t.p, &t.stream, 1, 2);
    world_import(t.hub, t.hall, &t.stream); /* a bundle, say */
    assert_int_equal(last_ack(&t)->stored[0]->n, 5);
    puppet_let_store(&t.p); /* the segment does not fit any more */
    assert_int_equal(puppet_ended(&t.p), HS_EGAP);
    assert_int_equal(world_head(t.hub, &t.stream), 5);
    clear(&t);
}

static void one_commit_of_many_stores_is_told_once(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    puppet_send(&t.p, &t.stream, 1, 1);
    puppet_send(&t.p, &t.stream, 2, 2);
    puppet_send(&t.p, &t.stream, 3, 3);
    assert_true(world_store_next(t.hub, 8));
    size_t stored = 0, receipts = 0;
    const Hallsync__PeerAck *ack;
    while ((ack = puppet_hear(&t.p, HALLSYNC__PEER_TYPE__PEER_ACK)) != NULL) {
        stored += ack->n_stored;
        receipts += ack->n_receipts;
    }
    assert_int_equal(stored, 1);
    assert_int_equal(receipts, 1);
    clear(&t);
}

static void a_compressed_segment_is_taken(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(&t.p, t.stream.origin)->base);
    Hallsync__PeerSegment *segment = puppet_segment(&t.p, &t.stream, 1, 5);
    uint8_t small[256];
    size_t size = ZSTD_compress(small, sizeof small, segment->body.data, segment->body.len, 3);
    assert_false(ZSTD_isError(size));
    segment->body = puppet_data(small, size);
    segment->compressed = true;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
    puppet_let_store(&t.p);
    assert_int_equal(world_head(t.hub, &t.stream), 5);
    clear(&t);
}

/* ---- what is dropped ---- */

static void what_is_held_is_dropped_and_acknowledged(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    puppet_send(&t.p, &t.stream, 1, 3);
    puppet_let_store(&t.p);
    last_ack(&t);
    puppet_send(&t.p, &t.stream, 1, 2);
    assert_int_equal(t.hub->store_count, 0);
    const Hallsync__PeerAck *ack = puppet_hear(&t.p, HALLSYNC__PEER_TYPE__PEER_ACK);
    assert_int_equal(ack->n_stored, 1);
    assert_int_equal(ack->stored[0]->n, 3);
    assert_int_equal(ack->credit_total, HS_CREDIT_BYTES_DEFAULT + (12 + 256) + (8 + 256));
    clear(&t);
}

/* The announcement among what the hub said since; UINT64_MAX: none. */
static uint64_t announced(struct table *t)
{
    const Hallsync__PeerFrontier *list;
    uint64_t n = UINT64_MAX;
    while ((list = puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_FRONTIER)) != NULL) {
        if (list->n_heads == 1)
            n = list->heads[0]->n;
    }
    return n;
}

static void a_gap_is_answered_once_by_where_we_are(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    puppet_send(&t.p, &t.stream, 1, 1);
    puppet_let_store(&t.p);
    announced(&t);
    puppet_send(&t.p, &t.stream, 3, 3);
    assert_int_equal(announced(&t), 1);
    puppet_send(&t.p, &t.stream, 4, 4); /* was on its way */
    assert_true(announced(&t) == UINT64_MAX);
    puppet_send(&t.p, &t.stream, 2, 5);
    puppet_let_store(&t.p);
    assert_int_equal(world_head(t.hub, &t.stream), 5);
    clear(&t);
}

static void an_overlap_waits_for_what_is_being_stored(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    puppet_send(&t.p, &t.stream, 1, 2);
    puppet_send(&t.p, &t.stream, 1, 5); /* holds part of it, not yet stored */
    assert_true(announced(&t) == UINT64_MAX);
    puppet_let_store(&t.p);
    assert_int_equal(announced(&t), 2);
    puppet_send(&t.p, &t.stream, 3, 5);
    puppet_let_store(&t.p);
    assert_int_equal(world_head(t.hub, &t.stream), 5);
    clear(&t);
}

/* ---- what ends the session ---- */

static void ends_with(struct table *t, const Hallsync__PeerSegment *segment, enum hs_err err)
{
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
    assert_int_equal(puppet_ended(&t->p), err);
    assert_int_equal(world_head(t->hub, &t->stream), 0);
    clear(t);
}

static void a_segment_before_its_opening_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    ends_with(&t, puppet_segment(&t.p, &t.stream, 1, 1), HS_EMALFORMED);
}

static void opened(struct table *t)
{
    set(t);
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(&t->p, t->stream.origin)->base);
}

static void a_wrong_count_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    opened(&t);
    Hallsync__PeerSegment *segment = puppet_segment(&t.p, &t.stream, 1, 2);
    segment->count = 3;
    ends_with(&t, segment, HS_EMALFORMED);
}

static void a_body_of_another_size_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    opened(&t);
    Hallsync__PeerSegment *segment = puppet_segment(&t.p, &t.stream, 1, 2);
    segment->raw_bytes++;
    ends_with(&t, segment, HS_EMALFORMED);
}

static void a_zip_bomb_ends_the_session(void **state)
{
    (void)state;
    static uint8_t zeros[16 * 1024 * 1024];
    struct table t;
    opened(&t);
    Hallsync__PeerSegment *segment = puppet_segment(&t.p, &t.stream, 1, 1);
    uint8_t *bomb = hs_arena_alloc(&t.p.arena, 65536);
    size_t size = ZSTD_compress(bomb, 65536, zeros, sizeof zeros, 3);
    assert_false(ZSTD_isError(size));
    segment->body = puppet_data(bomb, size);
    segment->compressed = true;
    segment->raw_bytes = HS_SEGMENT_BYTES_MAX;
    ends_with(&t, segment, HS_EMALFORMED);
}

static void two_zstd_frames_end_the_session(void **state)
{
    (void)state;
    struct table t;
    opened(&t);
    Hallsync__PeerSegment *segment = puppet_segment(&t.p, &t.stream, 1, 2);
    uint8_t two[256];
    size_t first = ZSTD_compress(two, sizeof two, segment->body.data, 4, 3);
    size_t second = ZSTD_compress(two + first, sizeof two - first, segment->body.data + 4, 4, 3);
    segment->body = puppet_data(two, first + second);
    segment->compressed = true;
    ends_with(&t, segment, HS_EMALFORMED);
}

static void more_than_the_limit_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    opened(&t);
    Hallsync__PeerSegment *segment = puppet_segment(&t.p, &t.stream, 1, 1);
    segment->raw_bytes = HS_SEGMENT_BYTES_MAX + 1;
    ends_with(&t, segment, HS_EMALFORMED);
}

static void number_zero_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    opened(&t);
    Hallsync__PeerSegment *segment = puppet_segment(&t.p, &t.stream, 1, 1);
    segment->first = 0;
    ends_with(&t, segment, HS_EMALFORMED);
}

static void an_opening_by_another_key_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct world_node *other = world_hall(t.w, "hall-2", D1, 1);
    ProtobufCMessage *certificate;
    assert_int_equal(hs_msg_unpack(&hallsync__certificate__descriptor, hs_buf_bytes(&other->certificate_bytes),
                                   &t.p.arena, &certificate),
                     HS_OK);
    Hallsync__PeerOpening *opening = puppet_opening(&t.p, t.stream.origin);
    opening->certificate = (Hallsync__Certificate *)certificate;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_OPENING, &opening->base);
    assert_int_equal(puppet_ended(&t.p), HS_ECERT);
    assert_int_equal(t.hub->store_count, 0);
    clear(&t);
}

static void a_known_opening_is_dropped(void **state)
{
    (void)state;
    struct table t;
    opened(&t);
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(&t.p, t.stream.origin)->base);
    assert_int_equal(t.hub->store_count, 1);
    clear(&t);
}

/* ---- scope ---- */

static void a_hall_refuses_what_is_outside_its_scope(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    struct hs_stream inside = world_write_text(hub, 3201, HS_LANE_BULK, "bill");
    struct hs_stream outside = world_write_text(hub, 3202, HS_LANE_BULK, "bill");
    struct puppet p;
    world_start(hall);
    puppet_dialled(&p, hub, hall);
    puppet_greet(&p);
    puppet_send(&p, &inside, 1, 1);
    puppet_let_store(&p);
    assert_int_equal(world_head(hall, &inside), 1);
    puppet_send(&p, &outside, 1, 1);
    assert_int_equal(puppet_ended(&p), HS_ESCOPE);
    assert_int_equal(hall->store_count, 0);
    puppet_fini(&p);
    world_free(w);
}

/* ---- bad chains ---- */

static void a_bad_signature_stops_that_stream_only(void **state)
{
    (void)state;
    struct table t;
    opened(&t);
    struct hs_stream other = world_write_text(t.hall, 3201, HS_LANE_WORK, "a ticket");
    Hallsync__PeerSegment *segment = puppet_segment(&t.p, &t.stream, 1, 2);
    segment->body.data[2] ^= 1;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
    assert_int_equal(puppet_ended(&t.p), HS_OK);
    const struct world_notice *stopped = world_last_notice(t.hub, HS_NOTICE_STREAM_STOPPED);
    assert_int_equal(stopped->err, HS_ESIGNATURE);
    assert_true(hs_stream_equal(&stopped->stream, &t.stream));
    puppet_send(&t.p, &t.stream, 1, 2); /* nothing more of it from this peer, not even good */
    puppet_send(&t.p, &other, 1, 1);
    puppet_let_store(&t.p);
    assert_int_equal(world_head(t.hub, &t.stream), 0);
    assert_int_equal(world_head(t.hub, &other), 1);
    world_write_text(t.hub, 3201, HS_LANE_WORK, "a notice"); /* which the hall does not have yet: not stopped */
    struct hs_stopped list[4];
    assert_int_equal(hs_replica_stopped(t.hub->replica, list, 4), 1);
    assert_true(hs_stream_equal(&list[0].stream, &t.stream));
    assert_int_equal(list[0].behind, 0);
    assert_int_equal(list[0].last, 2);
    assert_string_equal(list[0].from, t.hall->certificate.node_id);
    const Hallsync__PeerAck *ack = last_ack(&t);
    assert_int_equal(ack->credit_total, HS_CREDIT_BYTES_DEFAULT + 2 * (8 + 256) + 9 + 256);
    clear(&t);
}

static void a_liar_keeps_away_nobody_elses_stream(void **state)
{
    (void)state;
    struct table t;
    struct puppet liar;
    opened(&t);
    struct world_node *other = world_hub(t.w, "hub-2");
    world_store_fini(&other->store);
    world_store_copy(&t.hall->store, &other->store);
    puppet_dial(&liar, other, t.hub);
    puppet_greet(&liar);
    Hallsync__PeerSegment *segment = puppet_segment(&liar, &t.stream, 1, 2);
    segment->body.data[2] ^= 1;
    puppet_say(&liar, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
    assert_int_equal(world_notices(t.hub, HS_NOTICE_STREAM_STOPPED), 1);
    puppet_say(&liar, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base); /* told once */
    assert_int_equal(world_notices(t.hub, HS_NOTICE_STREAM_STOPPED), 1);
    puppet_send(&t.p, &t.stream, 1, 2);
    puppet_let_store(&t.p);
    assert_int_equal(world_head(t.hub, &t.stream), 2);
    puppet_send(&liar, &t.stream, 3, 5); /* the head has moved: it may mend its ways */
    puppet_let_store(&t.p);
    assert_int_equal(world_head(t.hub, &t.stream), 5);
    puppet_fini(&liar);
    clear(&t);
}

static void a_chain_that_does_not_continue_is_disputed(void **state)
{
    (void)state;
    struct table t;
    opened(&t);
    puppet_send(&t.p, &t.stream, 1, 2);
    puppet_let_store(&t.p);
    Hallsync__PeerSegment *segment = puppet_segment(&t.p, &t.stream, 3, 3);
    segment->body.data[1] ^= 1;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
    const Hallsync__PeerDispute *dispute = puppet_hear(&t.p, HALLSYNC__PEER_TYPE__PEER_DISPUTE);
    assert_non_null(dispute);
    assert_int_equal(dispute->n, 2);
    assert_int_equal(dispute->n_samples, 1);
    assert_int_equal(dispute->samples[0]->n, 1);
    clear(&t);
}

/* ---- credit ---- */

static void more_than_the_credit_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    size_t sent = 0;
    char op[60000] = "x";
    struct hs_stream stream = t.stream;
    for (; puppet_ended(&t.p) == HS_OK && sent < 20; sent++) {
        memset(op, (int)sent, sizeof op);
        stream = world_write(t.hall, 3201, HS_LANE_BULK, op, sizeof op);
        puppet_send(&t.p, &stream, sent + 1, sent + 1);
    }
    assert_int_equal(puppet_ended(&t.p), HS_ECREDIT);
    assert_int_equal(sent, HS_CREDIT_BYTES_DEFAULT / (60000 + 3 + 256) + 1);
    clear(&t);
}

static void credit_for_what_was_not_sent_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    Hallsync__PeerAck ack = HALLSYNC__PEER_ACK__INIT;
    ack.has_credit_total = true;
    ack.credit_total = HS_CREDIT_BYTES_MIN + 1;
    puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_ACK, &ack.base);
    assert_int_equal(puppet_ended(&t.p), HS_ECREDIT);
    clear(&t);
}

/* ---- stores that fail ---- */

static void a_failed_store_ends_the_session_that_gave_it(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    puppet_send(&t.p, &t.stream, 1, 2);
    t.hub->store_fails = HS_EFULL;
    puppet_let_store(&t.p);
    assert_int_equal(puppet_ended(&t.p), HS_EFULL);
    t.hub->store_fails = HS_OK;
    puppet_fini(&t.p);
    puppet_dial(&t.p, t.hall, t.hub);
    puppet_greet(&t.p);
    puppet_send(&t.p, &t.stream, 1, 5); /* its opening goes to the store again */
    puppet_let_store(&t.p);
    assert_int_equal(world_head(t.hub, &t.stream), 5);
    clear(&t);
}

static void after_a_failed_store_other_senders_begin_anew(void **state)
{
    (void)state;
    struct table t;
    struct puppet q;
    set(&t);
    struct world_node *other = world_hub(t.w, "hub-2");
    world_store_fini(&other->store);
    world_store_copy(&t.hall->store, &other->store);
    puppet_dial(&q, other, t.hub);
    puppet_greet(&q);
    assert_true(world_store_next(t.hub, 1)); /* it has met another hub */
    puppet_send(&t.p, &t.stream, 1, 2);
    puppet_send(&q, &t.stream, 3, 5); /* continues what is on its way */
    t.hub->store_fails = HS_EIO;
    assert_true(world_store_next(t.hub, 2)); /* opening and the first segment */
    assert_int_equal(puppet_ended(&t.p), HS_EIO);
    t.hub->store_fails = HS_OK;
    assert_true(world_store_next(t.hub, 1)); /* the other one finds a gap */
    world_settle(t.w);
    assert_int_equal(world_last_notice(t.hub, HS_NOTICE_ENDED)->err, HS_EINTERNAL); /* its origin is not there either */
    puppet_fini(&q);
    puppet_dial(&q, other, t.hub);
    puppet_greet(&q);
    puppet_send(&q, &t.stream, 1, 5);
    puppet_let_store(&q);
    assert_int_equal(world_head(t.hub, &t.stream), 5);
    puppet_fini(&q);
    clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_segment_is_stored_then_acknowledged),
        cmocka_unit_test(segments_may_follow_before_the_first_is_stored),
        cmocka_unit_test(credit_of_a_group_comes_in_one_message),
        cmocka_unit_test(many_streams_are_acknowledged_in_messages_within_the_limit),
        cmocka_unit_test(what_came_by_another_way_meanwhile_counts),
        cmocka_unit_test(one_commit_of_many_stores_is_told_once),
        cmocka_unit_test(a_compressed_segment_is_taken),
        cmocka_unit_test(what_is_held_is_dropped_and_acknowledged),
        cmocka_unit_test(a_gap_is_answered_once_by_where_we_are),
        cmocka_unit_test(an_overlap_waits_for_what_is_being_stored),
        cmocka_unit_test(a_segment_before_its_opening_ends_the_session),
        cmocka_unit_test(a_wrong_count_ends_the_session),
        cmocka_unit_test(a_body_of_another_size_ends_the_session),
        cmocka_unit_test(a_zip_bomb_ends_the_session),
        cmocka_unit_test(two_zstd_frames_end_the_session),
        cmocka_unit_test(more_than_the_limit_ends_the_session),
        cmocka_unit_test(number_zero_ends_the_session),
        cmocka_unit_test(an_opening_by_another_key_ends_the_session),
        cmocka_unit_test(a_known_opening_is_dropped),
        cmocka_unit_test(a_hall_refuses_what_is_outside_its_scope),
        cmocka_unit_test(a_bad_signature_stops_that_stream_only),
        cmocka_unit_test(a_liar_keeps_away_nobody_elses_stream),
        cmocka_unit_test(a_chain_that_does_not_continue_is_disputed),
        cmocka_unit_test(more_than_the_credit_ends_the_session),
        cmocka_unit_test(credit_for_what_was_not_sent_ends_the_session),
        cmocka_unit_test(a_failed_store_ends_the_session_that_gave_it),
        cmocka_unit_test(after_a_failed_store_other_senders_begin_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
