/* replica_fetch_test.c -- operations that rotted in one store, had again from another. */
#include "tests/unit/replica_puppet.h"

static const hs_partition D1[] = {3201};

/* A hub with two halls of one district; the first has written. */
struct region {
    struct world *w;
    struct world_node *hub, *hall, *other;
    struct hs_stream stream;
};

static void set(struct region *t)
{
    *t = (struct region){.w = world_new(7)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    t->other = world_hall(t->w, "hall-2", D1, 1);
    world_start(t->hub);
    world_start(t->hall);
    world_start(t->other);
    for (int i = 0; i < 6; i++)
        t->stream = world_write_text(t->hall, 3201, HS_LANE_MONEY, "paid");
}

static void rot(struct region *t, struct world_node *node)
{
    node->rotten = (struct hs_healed){.stream = t->stream, .first = 1, .last = 5};
    world_stop(node);
    node->is_rot_noted = true;
    world_start(node);
}

static struct world_link *meet(struct world_node *from, struct world_node *to)
{
    struct world_link *link = world_dial(from, to);
    world_settle(from->world);
    return link;
}

static void it_comes_back_from_who_has_it(void **state)
{
    (void)state;
    struct region t;
    set(&t);
    meet(t.hall, t.hub);
    rot(&t, t.hub);
    meet(t.hall, t.hub);
    assert_int_equal(t.hub->rotten.last, 0);
    world_free(t.w);
}

/* Found by reading it to send it: the store is asked to look, and then it is fetched; at last everybody has it. */
static void what_cannot_be_sent_is_fetched_and_sent(void **state)
{
    (void)state;
    struct region t;
    set(&t);
    struct world_link *first = meet(t.hall, t.hub);
    t.hub->rotten = (struct hs_healed){.stream = t.stream, .first = 1, .last = 5};
    world_cut(first);
    world_settle(t.w);
    meet(t.other, t.hub);
    assert_int_equal(world_last_notice(t.hub, HS_NOTICE_STREAM_STOPPED)->err, HS_EDAMAGED);
    assert_true(t.hub->is_rot_noted);
    assert_null(world_store_find(&t.other->store, &t.stream));
    meet(t.hall, t.hub);
    t.w->now_ms += 31000; /* the other hall has said that it has none: nobody is asked again at once */
    meet(t.hall, t.hub);
    assert_int_equal(t.hub->rotten.last, 0);
    const struct world_stream *got = world_store_find(&t.other->store, &t.stream);
    assert_non_null(got);
    assert_int_equal(got->count, 6);
    world_free(t.w);
}

static struct hs_receipt *receipt_of(struct world_node *node, const struct world_node *hub)
{
    for (size_t i = 0; i < node->store.receipt_count; i++) {
        if (hs_key_equal(&node->store.receipts[i].hub_key, &hub->certificate.node_key))
            return &node->store.receipts[i];
    }
    return NULL;
}

/* A hall has a hub's receipt for what it wrote, which rots: when it is to tell its witness, it is not sent, goes, and
 * comes again from the hub; no session ends. */
static void a_receipt_that_rotted_is_not_sent_and_comes_again(void **state)
{
    (void)state;
    struct region t;
    set(&t);
    struct world_node *witness = world_witness(t.w, "witness-1", D1, 1);
    world_start(witness);
    meet(t.hall, t.hub);
    struct hs_receipt *receipt = receipt_of(t.hall, t.hub), before = *receipt;
    receipt->signature.bytes[7] ^= 1;
    meet(t.hall, witness);
    assert_null(world_last_notice(witness, HS_NOTICE_ENDED));
    assert_true(t.hall->is_rot_noted);
    receipt = receipt_of(t.hall, t.hub);
    assert_non_null(receipt);
    assert_memory_equal(&receipt->signature, &before.signature, sizeof before.signature);
    assert_int_equal(t.hall->rotten.store_id, 0);
    world_free(t.w);
}

/* Two hubs have signed for what a hall wrote, so a witness is to begin behind that; the signature there has rotted. */
static void a_checkpoint_that_rotted_is_not_sent(void **state)
{
    (void)state;
    struct region t;
    set(&t);
    struct world_node *other = world_hub(t.w, "hub-2"), *witness = world_witness(t.w, "witness-1", D1, 1);
    world_start(other);
    world_start(witness);
    meet(t.hall, t.hub);
    meet(other, t.hub);
    assert_non_null(receipt_of(t.hall, other));
    struct world_stream *stream = (struct world_stream *)(uintptr_t)world_store_find(&t.hall->store, &t.stream);
    struct hs_checkpoint *last = &stream->checkpoints[stream->checkpoint_count - 1];
    last->signature.bytes[3] ^= 1;
    t.hall->rotten = (struct hs_healed){.stream = t.stream, .first = last->n, .last = last->n};
    meet(t.hall, witness);
    assert_null(world_last_notice(witness, HS_NOTICE_ENDED));
    assert_int_equal(t.hall->rotten.last, 0); /* it was looked at, and had again */
    world_free(t.w);
}

/* A peer of the version before has not named the message: it is not sent one, and the session goes on. */
static void an_older_peer_is_not_asked(void **state)
{
    (void)state;
    struct region t;
    struct puppet p = {.self = NULL};
    set(&t);
    meet(t.hall, t.hub);
    rot(&t, t.hub);
    world_stop(t.other);
    puppet_dial(&p, t.other, t.hub);
    puppet_greet(&p);
    world_settle(t.w);
    assert_true(puppet_is_live(&p));
    assert_int_equal(puppet_count(&p, HALLSYNC__PEER_TYPE__PEER_FETCH), 0);
    assert_int_equal(t.hub->rotten.last, 5);
    puppet_fini(&p);
    world_free(t.w);
}

static void a_fetch_that_is_none_ends_the_session(void **state)
{
    (void)state;
    struct region t;
    struct puppet p = {.self = NULL};
    set(&t);
    world_stop(t.other);
    puppet_dial(&p, t.other, t.hub);
    puppet_greet(&p);
    Hallsync__PeerFetch fetch = HALLSYNC__PEER_FETCH__INIT;
    fetch.stream = puppet_name(&p, &t.stream);
    fetch.first = 1;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FETCH, &fetch.base);
    assert_true(puppet_is_live(&p)); /* the hub has nothing of it, and says so */
    fetch.has_none = fetch.none = true;
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FETCH, &fetch.base);
    assert_true(puppet_is_live(&p)); /* an answer that nobody waits for */
    Hallsync__PeerSegment segment = HALLSYNC__PEER_SEGMENT__INIT;
    segment.stream = fetch.stream;
    fetch.segment = &segment; /* here it is, and not held */
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FETCH, &fetch.base);
    assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
    puppet_fini(&p);
    world_free(t.w);
}

/* ---- within credit ---- */

#define OP_BYTES 9000

static Hallsync__PeerFetch *question(struct puppet *p, const struct hs_stream *stream)
{
    Hallsync__PeerFetch *fetch = hs_arena_alloc(&p->arena, sizeof *fetch);
    hallsync__peer_fetch__init(fetch);
    fetch->stream = puppet_name(p, stream);
    fetch->first = 1;
    return fetch;
}

static void give_credit(struct puppet *p, uint64_t total)
{
    Hallsync__PeerAck ack = HALLSYNC__PEER_ACK__INIT;
    ack.has_credit_total = true;
    ack.credit_total = total;
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_ACK, &ack.base);
}

/* What it was sent by itself has cost so much. */
static uint64_t take_segments(struct puppet *p)
{
    const Hallsync__PeerSegment *segment;
    uint64_t cost = 0;
    while ((segment = puppet_hear(p, HALLSYNC__PEER_TYPE__PEER_SEGMENT)) != NULL)
        cost += segment->raw_bytes + 256;
    return cost;
}

static void answers_keep_to_the_credit(void **state)
{
    (void)state;
    static const uint8_t LARGE[OP_BYTES];
    struct region t;
    struct puppet p = {.self = NULL};
    const Hallsync__PeerFetch *answer;
    uint64_t given = 0, cost = 0;
    set(&t);
    world_stop(t.other);
    puppet_dial(&p, t.other, t.hub);
    puppet_greet(&p);
    struct hs_stream stream = world_write(t.hub, 3201, HS_LANE_PEOPLE, LARGE, sizeof LARGE);
    given += take_segments(&p);
    give_credit(&p, HS_CREDIT_BYTES_MIN + given);
    for (int i = 0; i < 100; i++) {
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FETCH, &question(&p, &stream)->base);
        answer = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FETCH);
        if (answer == NULL)
            break;
        assert_non_null(answer->segment);
        assert_int_equal(answer->segment->compressed, false);
        cost += answer->segment->raw_bytes + 256;
    }
    assert_null(answer);
    assert_in_range(cost, OP_BYTES, HS_SEGMENT_BYTES_SOFT + 256); /* no more on its way than one segment */
    assert_true(puppet_is_live(&p));
    give_credit(&p, HS_CREDIT_BYTES_MIN + given + cost); /* now the one that waits goes */
    answer = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FETCH);
    assert_true(answer != NULL && answer->segment != NULL);
    puppet_fini(&p);
    world_free(t.w);
}

static void a_second_one_before_the_answer_ends_the_session(void **state)
{
    (void)state;
    static const uint8_t LARGE[OP_BYTES];
    struct region t;
    struct puppet p = {.self = NULL};
    set(&t);
    world_stop(t.other);
    puppet_dial(&p, t.other, t.hub);
    puppet_greet(&p);
    struct hs_stream stream = world_write(t.hub, 3201, HS_LANE_PEOPLE, LARGE, sizeof LARGE);
    for (int i = 0; i < 40 && puppet_is_live(&p); i++)
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FETCH, &question(&p, &stream)->base);
    assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
    puppet_fini(&p);
    world_free(t.w);
}

/* A hall made by hand that takes questions, and has what the other one has; as processes of their own several are. */
static void greet_as(struct puppet *p, uint8_t process)
{
    static uint32_t takes[] = {HALLSYNC__PEER_TYPE__PEER_FETCH};
    Hallsync__PeerHello *hello = puppet_hello(p);
    uint8_t *id = hs_arena_alloc(&p->arena, hello->process_id.len);
    memset(id, process, hello->process_id.len);
    hello->process_id.data = id;
    hello->features = takes;
    hello->n_features = 1;
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    assert_true(puppet_is_live(p));
    puppet_hold_nothing(p);
}

static void greet_with_fetch(struct puppet *p)
{
    greet_as(p, 1);
}

static Hallsync__PeerSegment *segment_of(struct puppet *p, const struct world_node *node,
                                         const struct hs_stream *stream, uint64_t last)
{
    struct world_node *self = p->self;
    p->self = (struct world_node *)node;
    Hallsync__PeerSegment *segment = puppet_segment(p, stream, 1, last);
    p->self = self;
    return segment;
}

static uint64_t credit_told(struct puppet *p)
{
    const Hallsync__PeerAck *ack;
    uint64_t total = 0;
    while ((ack = puppet_hear(p, HALLSYNC__PEER_TYPE__PEER_ACK)) != NULL)
        total = ack->has_credit_total ? ack->credit_total : total;
    return total;
}

/* Also what one cost that nobody had asked for, and that is ignored. */
static void what_an_answer_cost_is_given_back(void **state)
{
    (void)state;
    struct region t;
    struct puppet p = {.self = NULL};
    set(&t);
    meet(t.hall, t.hub);
    world_stop(t.other);
    rot(&t, t.hub);
    puppet_dial(&p, t.other, t.hub);
    greet_with_fetch(&p);
    const Hallsync__PeerFetch *asked = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FETCH);
    assert_non_null(asked);
    assert_int_equal(asked->first, 1);
    Hallsync__PeerFetch *answer = question(&p, &t.stream);
    answer->segment = segment_of(&p, t.hall, &t.stream, 5);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FETCH, &answer->base);
    puppet_let_store(&p);
    assert_int_equal(t.hub->rotten.last, 0);
    uint64_t first = t.hub->credit_bytes == 0 ? HS_CREDIT_BYTES_DEFAULT : t.hub->credit_bytes;
    uint64_t cost = answer->segment->raw_bytes + 256;
    assert_int_equal(credit_told(&p), first + cost);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FETCH, &answer->base);
    puppet_let_store(&p);
    assert_int_equal(credit_told(&p), first + 2 * cost);
    puppet_fini(&p);
    world_free(t.w);
}

/* Its heartbeats go on, and it does not answer: another one has it. */
static void who_does_not_answer_is_not_waited_for(void **state)
{
    (void)state;
    struct region t;
    struct puppet p = {.self = NULL};
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    set(&t);
    meet(t.hall, t.hub);
    world_stop(t.other);
    rot(&t, t.hub);
    puppet_dial(&p, t.other, t.hub);
    greet_with_fetch(&p);
    assert_non_null(puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_FETCH));
    meet(t.hall, t.hub);
    for (int i = 0; i < 40; i++) {
        assert_true(puppet_is_live(&p));
        assert_int_equal(puppet_count(&p, HALLSYNC__PEER_TYPE__PEER_FETCH), 0); /* nor asked again */
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
        world_advance(t.w, 1000);
    }
    assert_int_equal(t.hub->rotten.last, 0);
    puppet_fini(&p);
    world_free(t.w);
}

/* ---- is all here? ---- */

/* "Synced" is said when it has come; or when nobody who is there has it, or it would never be said. */
static void what_rotted_is_waited_for(void **state)
{
    (void)state;
    for (int has = 0; has < 2; has++) {
        struct region t;
        struct puppet p = {.self = NULL};
        Hallsync__PeerProbeReply reply = HALLSYNC__PEER_PROBE_REPLY__INIT;
        set(&t);
        meet(t.hall, t.hub);
        meet(t.other, t.hub);
        world_stop(t.hub);
        rot(&t, t.other);
        puppet_dialled(&p, t.hub, t.other);
        greet_with_fetch(&p);
        world_probe(t.other, 5);
        const Hallsync__PeerProbe *asked = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_PROBE);
        assert_non_null(asked);
        reply.id = asked->id;
        reply.last = true;
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY, &reply.base);
        assert_int_equal(world_notices(t.other, HS_NOTICE_PROBE_DONE), 0);
        Hallsync__PeerFetch *answer = question(&p, &t.stream);
        if (has)
            answer->segment = segment_of(&p, t.hall, &t.stream, 5);
        else
            answer->has_none = answer->none = true;
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_FETCH, &answer->base);
        puppet_let_store(&p);
        assert_int_equal(world_notices(t.other, HS_NOTICE_PROBE_DONE), 1);
        assert_int_equal(t.other->rotten.last, has ? 0 : 5);
        puppet_fini(&p);
        world_free(t.w);
    }
}

/* ---- many that do not have it ---- */

#define MANY 40

/* Each is asked once; who has it is the last. */
static void of_many_each_is_asked(void **state)
{
    (void)state;
    struct region t;
    struct puppet many[MANY];
    size_t asked = 0;
    set(&t);
    meet(t.hall, t.hub);
    world_stop(t.other);
    rot(&t, t.hub);
    for (size_t i = 0; i < MANY; i++) {
        puppet_dial(&many[i], t.other, t.hub);
        greet_as(&many[i], (uint8_t)i);
    }
    for (size_t i = 0; i < MANY; i++) {
        struct puppet *p = &many[i];
        for (; puppet_hear(p, HALLSYNC__PEER_TYPE__PEER_FETCH) != NULL; asked++) {
            Hallsync__PeerFetch *answer = question(p, &t.stream);
            if (i == MANY - 1)
                answer->segment = segment_of(p, t.hall, &t.stream, 5);
            else
                answer->has_none = answer->none = true;
            puppet_say(p, HALLSYNC__PEER_TYPE__PEER_FETCH, &answer->base);
        }
    }
    puppet_let_store(&many[0]);
    assert_int_equal(asked, MANY);
    assert_int_equal(t.hub->rotten.last, 0);
    for (size_t i = 0; i < MANY; i++)
        puppet_fini(&many[i]);
    world_free(t.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back_from_who_has_it),
        cmocka_unit_test(what_cannot_be_sent_is_fetched_and_sent),
        cmocka_unit_test(a_receipt_that_rotted_is_not_sent_and_comes_again),
        cmocka_unit_test(a_checkpoint_that_rotted_is_not_sent),
        cmocka_unit_test(an_older_peer_is_not_asked),
        cmocka_unit_test(a_fetch_that_is_none_ends_the_session),
        cmocka_unit_test(answers_keep_to_the_credit),
        cmocka_unit_test(a_second_one_before_the_answer_ends_the_session),
        cmocka_unit_test(what_an_answer_cost_is_given_back),
        cmocka_unit_test(who_does_not_answer_is_not_waited_for),
        cmocka_unit_test(what_rotted_is_waited_for),
        cmocka_unit_test(of_many_each_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
