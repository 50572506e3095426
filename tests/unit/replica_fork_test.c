/* replica_fork_test.c -- two signed contents under one number: found, proven, told to all, and nothing of either branch
 * lost. */
#include "tests/unit/replica_puppet.h"

#include <stdio.h>

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *hub, *hall;
    struct world_link *link;
    struct hs_stream stream;
    struct world_store other; /* the hall's as it was before it came back */
};

static void clear(struct table *t)
{
    world_store_fini(&t->other);
    world_free(t->w);
}

static void write_some(struct table *t, struct world_node *node, const char *what, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        char text[40];
        snprintf(text, sizeof text, "%s %u", what, i);
        t->stream = world_write_text(node, 3201, HS_LANE_MONEY, text);
    }
}

static bool has(const struct world_node *node, const char *what, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        char text[40];
        int size = snprintf(text, sizeof text, "%s %u", what, i);
        if (!world_store_has(&node->store, 3201, HS_BYTES(text, (size_t)size)))
            return false;
    }
    return true;
}

/* The hall hands in @common + @lost ops, comes back with its memory as it was after @common, and writes @again others.
 */
static void resume(struct table *t, unsigned common, unsigned lost, unsigned again)
{
    struct world_store copy;
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    world_start(t->hub);
    world_start(t->hall);
    t->link = world_dial(t->hall, t->hub);
    world_write_text(t->hall, 3201, HS_LANE_WORK, "opens the origin");
    write_some(t, t->hall, "common", common);
    world_store_copy(&t->hall->store, &copy);
    write_some(t, t->hall, "lost", lost);
    world_settle(t->w);
    world_stop(t->hall);
    t->other = t->hall->store;
    t->hall->store = copy;
    world_start(t->hall);
    world_settle(t->w);
    write_some(t, t->hall, "again", again);
}

static void connect(struct table *t)
{
    t->link = world_dial(t->hall, t->hub);
    world_settle(t->w);
}

static void whole(struct table *t, const struct world_node *node, unsigned common, unsigned lost, unsigned again)
{
    assert_true(has(node, "common", common));
    assert_true(has(node, "lost", lost));
    assert_true(has(node, "again", again));
    assert_true(world_store_forked(&node->store, &t->stream));
    assert_true(world_notices(node, HS_NOTICE_FORK) <= 1);
}

static void found(unsigned common, unsigned lost, unsigned again)
{
    struct table t;
    resume(&t, common, lost, again);
    connect(&t);
    whole(&t, t.hub, common, lost, again);
    whole(&t, t.hall, common, lost, again);
    assert_true(world_live(t.link));
    assert_int_equal(t.hall->store.current, 0); /* no more is written under it */
    clear(&t);
}

static void a_node_resumed_with_its_memory_is_found(void **state)
{
    (void)state;
    found(3, 2, 3);
}

static void a_shorter_branch_is_found(void **state)
{
    (void)state;
    found(3, 10, 10);
    found(3, 4, 5);
}

static void a_fork_at_the_first_operation_is_found(void **state)
{
    (void)state;
    found(0, 1, 4);
    found(0, 1, 1);
    found(0, 4, 4);
}

static void a_fork_far_back_is_found(void **state)
{
    (void)state;
    found(70, 500, 700);
    found(500, 300, 301);
}

static void nothing_is_sent_again_when_both_know_all(void **state)
{
    (void)state;
    struct table t;
    struct hs_peer_status before, after;
    resume(&t, 3, 20, 30);
    connect(&t);
    world_cut(t.link);
    connect(&t);
    assert_true(world_status(t.hub, t.link->peer[1], &before));
    assert_int_equal(before.sent_ops + before.received_ops, 0);
    world_advance(t.w, 5000);
    assert_true(world_status(t.hub, t.link->peer[1], &after));
    assert_int_equal(after.sent_ops + after.received_ops, 0);
    assert_true(after.equal_ms != 0);
    clear(&t);
}

static void a_restart_forgets_nothing_of_it(void **state)
{
    (void)state;
    struct table t;
    struct hs_peer_status status;
    resume(&t, 3, 20, 30);
    connect(&t);
    world_stop(t.hub);
    world_stop(t.hall);
    world_start(t.hub);
    world_start(t.hall);
    connect(&t);
    assert_true(world_status(t.hub, t.link->peer[1], &status));
    assert_int_equal(status.sent_ops + status.received_ops, 0);
    clear(&t);
}

static void the_proof_and_both_branches_reach_everybody(void **state)
{
    (void)state;
    struct table t;
    resume(&t, 3, 5, 6);
    struct world_node *hub2 = world_hub(t.w, "hub-2"), *hall2 = world_hall(t.w, "hall-2", D1, 1);
    struct world_node *late = world_hall(t.w, "hall-3", D1, 1);
    world_start(hub2);
    world_start(hall2);
    world_start(late);
    world_dial(t.hub, hub2);
    world_dial(hall2, hub2);
    world_settle(t.w);
    connect(&t);
    world_dial(late, hub2); /* holds nothing of that stream */
    world_settle(t.w);
    for (size_t i = 0; i < t.w->node_count; i++)
        whole(&t, t.w->nodes[i], 3, 5, 6);
    clear(&t);
}

/* A hall that holds nothing of the stream connects while the hub finds out: pieces and proof in any order of events. */
static void a_newcomer_misses_nothing(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct table t;
        resume(&t, 2, 2, 3);
        struct world_node *late = world_hall(t.w, "hall-2", D1, 1);
        world_start(late);
        t.w->random = seed;
        t.link = world_dial(t.hall, t.hub);
        struct world_link *other = world_dial(late, t.hub);
        for (unsigned i = 0; i < 300; i++) {
            uint64_t choice = world_random(t.w) % 7;
            if (choice < 4)
                world_deliver(choice < 2 ? t.link : other, (int)choice % 2);
            else
                world_store_next(t.w->nodes[choice - 4], 1);
        }
        world_settle(t.w);
        for (size_t i = 0; i < t.w->node_count; i++)
            whole(&t, t.w->nodes[i], 2, 2, 3);
        clear(&t);
    }
}

/* H1: each hub has another branch, and the writer is gone. */
static void two_hubs_with_two_branches_find_out(void **state)
{
    (void)state;
    struct table t;
    resume(&t, 5, 3, 4);
    struct world_node *hub2 = world_hub(t.w, "hub-2");
    world_start(hub2);
    world_dial(t.hall, hub2);
    world_settle(t.w);
    assert_int_equal(world_head(hub2, &t.stream), 9);
    assert_int_equal(world_head(t.hub, &t.stream), 8);
    world_stop(t.hall);
    world_dial(t.hub, hub2);
    world_settle(t.w);
    whole(&t, t.hub, 5, 3, 4);
    whole(&t, hub2, 5, 3, 4);
    clear(&t);
}

static void its_own_streams_of_other_districts_too(void **state)
{
    (void)state;
    struct table t = {.w = world_new(1)};
    struct world_store copy;
    t.hub = world_hub(t.w, "hub-1");
    t.hall = world_hall(t.w, "hall-1", D1, 1);
    world_start(t.hub);
    world_start(t.hall);
    connect(&t);
    world_write_text(t.hall, 3209, HS_LANE_MONEY, "common");
    world_store_copy(&t.hall->store, &copy);
    struct hs_stream stream = world_write_text(t.hall, 3209, HS_LANE_MONEY, "lost");
    world_settle(t.w);
    world_stop(t.hall);
    world_store_fini(&t.hall->store);
    t.hall->store = copy;
    world_start(t.hall);
    world_settle(t.w);
    world_write_text(t.hall, 3209, HS_LANE_MONEY, "again");
    connect(&t);
    assert_true(world_store_forked(&t.hall->store, &stream)); /* it must hear of it */
    assert_true(world_store_has(&t.hub->store, 3209, HS_BYTES("again", 5)));
    assert_int_equal(t.hall->store.current, 0);
    clear(&t);
}

static void what_is_written_until_the_origin_is_struck_out_is_not_lost(void **state)
{
    (void)state;
    struct table t;
    resume(&t, 3, 2, 3);
    t.link = world_dial(t.hall, t.hub);
    while (world_notices(t.hall, HS_NOTICE_FORK) == 0 || !world_store_forked(&t.hall->store, &t.stream)) {
        world_deliver(t.link, 0);
        world_deliver(t.link, 1);
        world_store_next(t.hub, 1);
        if (t.hall->store_count > 0 && t.hall->stores[0]->type != HS_STORE_STRIKE)
            world_store_next(t.hall, 1);
    }
    struct hs_stream stream = world_write_text(t.hall, 3201, HS_LANE_MONEY, "under the forked origin");
    assert_int_equal(stream.origin, t.stream.origin);
    world_settle(t.w);
    assert_true(world_store_has(&t.hub->store, 3201, HS_BYTES("under the forked origin", 23)));
    whole(&t, t.hub, 3, 2, 3);
    world_cut(t.link);
    struct hs_peer_status status;
    connect(&t);
    assert_true(world_status(t.hub, t.link->peer[1], &status));
    assert_int_equal(status.received_ops + status.sent_ops, 0); /* they agree on what is held */
    clear(&t);
}

static void a_proof_that_cannot_be_stored_is_found_again(void **state)
{
    (void)state;
    struct table t;
    resume(&t, 3, 2, 3);
    t.hall->store_fails = t.hub->store_fails = HS_EFULL;
    connect(&t);
    assert_false(world_store_forked(&t.hall->store, &t.stream));
    t.hall->store_fails = t.hub->store_fails = HS_OK;
    connect(&t);
    assert_true(world_store_forked(&t.hall->store, &t.stream));
    assert_true(has(t.hall, "lost", 2) && has(t.hub, "again", 3));
    clear(&t);
}

/* ---- by hand ---- */

/* The puppet is the hub; the hall holds @common + @again. */
static void meet(struct table *t, struct puppet *p)
{
    world_stop(t->hub);
    world_store_fini(&t->hub->store);
    world_store_copy(&t->other, &t->hub->store); /* with a checkpoint at each operation */
    puppet_dialled(p, t->hub, t->hall);
    puppet_greet(p);
}

static Hallsync__PeerLoose *piece(struct puppet *p, const struct hs_stream *stream, uint64_t first, uint64_t last)
{
    const struct world_stream *held = world_store_find(&p->self->store, stream);
    Hallsync__PeerLoose *loose = hs_arena_alloc(&p->arena, sizeof *loose);
    struct hs_hash *start = hs_arena_alloc(&p->arena, sizeof *start);
    struct hs_bytes body = puppet_body(p, held, first, last);
    *start = first == 1 ? hs_chain_start(stream) : held->ops[first - 2].hash;
    hallsync__peer_loose__init(loose);
    loose->stream = puppet_name(p, stream);
    loose->first = first;
    loose->start_hash = puppet_data(start->bytes, HS_HASH_BYTES);
    loose->count = (uint32_t)(last - first + 1);
    loose->signature = puppet_data(puppet_checkpoint(held, last)->signature.bytes, HS_SIGNATURE_BYTES);
    loose->body = puppet_data(body.data, body.size);
    return loose;
}

/* The hall's own checkpoint of @n, against the puppet's piece. */
static Hallsync__PeerForkProof *proof(struct table *t, struct puppet *p, uint64_t n, Hallsync__PeerLoose *branch)
{
    const struct world_stream *held = world_store_find(&t->hall->store, &t->stream);
    const struct hs_checkpoint *checkpoint = puppet_checkpoint(held, n);
    Hallsync__PeerForkProof *message = hs_arena_alloc(&p->arena, sizeof *message);
    hallsync__peer_fork_proof__init(message);
    message->stream = puppet_name(p, &t->stream);
    message->n = n;
    message->hash = puppet_data(checkpoint->hash.bytes, HS_HASH_BYTES);
    message->signature = puppet_data(checkpoint->signature.bytes, HS_SIGNATURE_BYTES);
    message->branch = branch;
    return message;
}

static void a_proof_is_believed_when_it_holds(void **state)
{
    (void)state;
    struct table t;
    struct puppet p;
    resume(&t, 3, 4, 4);
    meet(&t, &p);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FORK_PROOF, &proof(&t, &p, 5, piece(&p, &t.stream, 4, 6))->base);
    assert_int_equal(puppet_ended(&p), HS_OK);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_FORK), 1);
    puppet_let_store(&p);
    assert_true(world_store_forked(&t.hall->store, &t.stream));
    assert_true(has(t.hall, "lost", 3)); /* the proof's own branch is kept as well */
    puppet_fini(&p);
    clear(&t);
}

static void the_branch_may_begin_behind_the_number(void **state)
{
    (void)state;
    struct table t;
    struct puppet p;
    resume(&t, 3, 4, 4);
    meet(&t, &p);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FORK_PROOF, &proof(&t, &p, 4, piece(&p, &t.stream, 5, 6))->base);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_FORK), 1);
    puppet_fini(&p);
    clear(&t);
}

static void not_believed(uint64_t n, uint64_t first, uint64_t last, int flip, enum hs_err err)
{
    struct table t;
    struct puppet p;
    resume(&t, 3, 4, 4);
    meet(&t, &p);
    Hallsync__PeerForkProof *message = proof(&t, &p, n, piece(&p, &t.stream, first, last));
    if (flip == 1)
        message->signature.data = memcpy(hs_arena_alloc(&p.arena, 64), message->branch->signature.data, 64);
    if (flip == 2)
        message->branch->body.data[2] ^= 1;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FORK_PROOF, &message->base);
    assert_int_equal(puppet_ended(&p), err);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_FORK), 0);
    puppet_fini(&p);
    clear(&t);
}

static void a_proof_that_proves_nothing_ends_the_session(void **state)
{
    (void)state;
    not_believed(3, 2, 5, 0, HS_EMALFORMED); /* the same hash there */
    not_believed(7, 4, 6, 0, HS_EMALFORMED); /* another number */
    not_believed(4, 6, 7, 0, HS_EMALFORMED);
    not_believed(5, 4, 6, 1, HS_ESIGNATURE);
    not_believed(5, 4, 6, 2, HS_ESIGNATURE);
}

static void a_piece_that_does_not_hold_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    struct puppet p;
    resume(&t, 3, 4, 4);
    meet(&t, &p);
    Hallsync__PeerLoose *loose = piece(&p, &t.stream, 4, 6);
    loose->body.data[3] ^= 1;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &loose->base);
    assert_int_equal(puppet_ended(&p), HS_ESIGNATURE);
    puppet_fini(&p);
    clear(&t);
}

static void a_piece_of_what_is_held_proves_nothing(void **state)
{
    (void)state;
    struct table t;
    struct puppet p;
    resume(&t, 3, 4, 4);
    meet(&t, &p);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &piece(&p, &t.stream, 1, 3)->base);
    assert_int_equal(puppet_ended(&p), HS_OK);
    assert_int_equal(t.hall->store_count, 0);
    const Hallsync__PeerAck *ack = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_ACK);
    assert_true(ack->credit_total > HS_CREDIT_BYTES_DEFAULT + 256); /* and costs nothing in the end */
    puppet_fini(&p);
    clear(&t);
}

static void a_piece_that_differs_makes_the_proof(void **state)
{
    (void)state;
    for (uint64_t last = 4; last <= 7; last++) {
        struct table t;
        struct puppet p;
        resume(&t, 3, 4, 4);
        meet(&t, &p);
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &piece(&p, &t.stream, 2, last)->base);
        assert_int_equal(world_notices(t.hall, HS_NOTICE_FORK), 1);
        puppet_let_store(&p);
        assert_true(has(t.hall, "lost", (unsigned)last - 3));
        assert_non_null(puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FORK_PROOF));
        puppet_fini(&p);
        clear(&t);
    }
}

/* Our commits were large: no checkpoint of ours lies inside the peer's piece. */
static void a_proof_by_our_own_branch(void **state)
{
    (void)state;
    struct table t;
    struct puppet p;
    resume(&t, 3, 4, 6);
    struct world_stream *held = world_store_stream(&t.hall->store, &t.stream);
    held->checkpoints[3] = held->checkpoints[held->checkpoint_count - 1]; /* 1, 2, 3, 9 */
    held->checkpoint_count = 4;
    meet(&t, &p);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &piece(&p, &t.stream, 4, 6)->base);
    assert_int_equal(world_notices(t.hall, HS_NOTICE_FORK), 1);
    puppet_let_store(&p);
    const Hallsync__PeerForkProof *made = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FORK_PROOF);
    assert_int_equal(made->n, 6);
    assert_int_equal(made->branch->first, 4);
    assert_int_equal(made->branch->count, 6);
    puppet_fini(&p);
    clear(&t);
}

static void a_forged_dispute_ends_the_session(void **state)
{
    (void)state;
    struct table t;
    struct puppet p;
    resume(&t, 3, 4, 4);
    meet(&t, &p);
    const struct hs_checkpoint *checkpoint = puppet_checkpoint(world_store_find(&t.hub->store, &t.stream), 7);
    uint8_t signature[HS_SIGNATURE_BYTES];
    memcpy(signature, checkpoint->signature.bytes, sizeof signature);
    Hallsync__PeerDispute dispute = HALLSYNC__PEER_DISPUTE__INIT;
    dispute.stream = puppet_name(&p, &t.stream);
    dispute.n = 7;
    dispute.hash = puppet_data(checkpoint->hash.bytes, HS_HASH_BYTES);
    dispute.signature = puppet_data(signature, sizeof signature);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_DISPUTE, &dispute.base);
    assert_int_equal(puppet_ended(&p), HS_OK);
    signature[0] ^= 1;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_DISPUTE, &dispute.base);
    assert_int_equal(puppet_ended(&p), HS_ESIGNATURE);
    puppet_fini(&p);
    clear(&t);
}

static void a_forked_stream_is_not_taken_by_number(void **state)
{
    (void)state;
    struct table t;
    struct puppet p;
    resume(&t, 3, 4, 2);
    meet(&t, &p);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_LOOSE, &piece(&p, &t.stream, 4, 5)->base);
    puppet_let_store(&p);
    uint64_t head = world_head(t.hall, &t.stream);
    puppet_send(&p, &t.stream, 6, 7);
    assert_int_equal(t.hall->store_count, 0);
    assert_int_equal(world_head(t.hall, &t.stream), head);
    assert_int_equal(puppet_ended(&p), HS_OK);
    puppet_fini(&p);
    clear(&t);
}

/* A flipped bit on the way is no fork. */
static void a_bad_segment_is_no_fork(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    struct table t = {.w = w, .hub = hub, .hall = hall};
    struct puppet p;
    world_start(hub);
    write_some(&t, hall, "good", 4);
    puppet_dial(&p, hall, hub);
    puppet_greet(&p);
    puppet_send(&p, &t.stream, 1, 2);
    puppet_let_store(&p);
    Hallsync__PeerSegment *segment = puppet_segment(&p, &t.stream, 3, 4);
    segment->body.data[1] ^= 1;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_SEGMENT, &segment->base);
    assert_non_null(puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_DISPUTE));
    assert_int_equal(world_notices(hub, HS_NOTICE_FORK), 0);
    assert_true(puppet_is_live(&p));
    puppet_fini(&p);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_resumed_with_its_memory_is_found),
        cmocka_unit_test(a_shorter_branch_is_found),
        cmocka_unit_test(a_fork_at_the_first_operation_is_found),
        cmocka_unit_test(a_fork_far_back_is_found),
        cmocka_unit_test(nothing_is_sent_again_when_both_know_all),
        cmocka_unit_test(a_restart_forgets_nothing_of_it),
        cmocka_unit_test(the_proof_and_both_branches_reach_everybody),
        cmocka_unit_test(a_newcomer_misses_nothing),
        cmocka_unit_test(two_hubs_with_two_branches_find_out),
        cmocka_unit_test(its_own_streams_of_other_districts_too),
        cmocka_unit_test(what_is_written_until_the_origin_is_struck_out_is_not_lost),
        cmocka_unit_test(a_proof_that_cannot_be_stored_is_found_again),
        cmocka_unit_test(a_proof_is_believed_when_it_holds),
        cmocka_unit_test(the_branch_may_begin_behind_the_number),
        cmocka_unit_test(a_proof_that_proves_nothing_ends_the_session),
        cmocka_unit_test(a_piece_that_does_not_hold_ends_the_session),
        cmocka_unit_test(a_piece_of_what_is_held_proves_nothing),
        cmocka_unit_test(a_piece_that_differs_makes_the_proof),
        cmocka_unit_test(a_proof_by_our_own_branch),
        cmocka_unit_test(a_forged_dispute_ends_the_session),
        cmocka_unit_test(a_forked_stream_is_not_taken_by_number),
        cmocka_unit_test(a_bad_segment_is_no_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
