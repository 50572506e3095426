/* replica_limits_test.c -- what a peer can make a node do and hold by asking: answers come out of a bucket, questions
 * wait, and not many.  PROTOCOL.md, "Questions that wait". */
#include "proto/msg/tlv.h"
#include "tests/unit/replica_puppet.h"

#include <stdio.h>

#define KIND       3
#define BIG_BYTES  90000                                /* of an answer */
#define AT_ONCE    (HS_QUESTIONS_BYTES / BIG_BYTES + 1) /* of these: the last one overdraws */
#define LEAST_COST HS_QUESTION_COST

static const hs_partition D1[] = {3201};

/* A hub, and a hall made by hand that asks it. */
struct table {
    struct world *w;
    struct world_node *hub, *hall, *other;
    struct puppet p;
    uint64_t asked;
};

static enum hs_err big_answer(struct world_node *node, const struct hs_ask *ask, hs_visit_asked visit, void *ctx)
{
    static const uint8_t STATE[BIG_BYTES];
    struct hs_asked asked = {.stored.state = HS_BYTES(STATE, sizeof STATE)};
    (void)node;
    asked.stored.name = (struct hs_record_name){.partition = 3299, .lane = HS_LANE_MONEY, .kind = KIND, .id = ask->key};
    return visit(ctx, &asked);
}

static int setup(void **state)
{
    struct table *t = test_malloc(sizeof *t);
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    t->other = world_hub(t->w, "hub-2");
    t->hub->ask = big_answer;
    world_start(t->hub);
    puppet_dial(&t->p, t->hall, t->hub);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct table *t = *state;
    puppet_fini(&t->p);
    world_free(t->w);
    test_free(t);
    return 0;
}

static void ask(struct table *t)
{
    Hallsync__PeerAsk message = HALLSYNC__PEER_ASK__INIT;
    message.id = ++t->asked;
    message.kind = KIND;
    message.key = puppet_data("the-key", 7);
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_ASK, &message.base);
}

static void compare(struct table *t)
{
    Hallsync__PeerCompare message = HALLSYNC__PEER_COMPARE__INIT;
    message.id = ++t->asked;
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_COMPARE, &message.base);
}

/* A second goes by, and the session stays. */
static void let_a_second_pass(struct table *t)
{
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    beat.clock_ms = 1;
    t->w->now_ms += 1000;
    world_tick(t->hub);
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
    puppet_let_store(&t->p);
}

/* ---- answers out of a bucket ---- */

static void answers_come_out_of_a_bucket(void **state)
{
    struct table *t = *state;
    size_t answered = 0;
    puppet_greet(&t->p);
    for (size_t i = 0; i < AT_ONCE + HS_QUESTIONS_OPEN_MAX; i++)
        ask(t);
    answered = puppet_count(&t->p, HALLSYNC__PEER_TYPE__PEER_ANSWER);
    assert_int_equal(answered, AT_ONCE);
    assert_true(puppet_is_live(&t->p));
    let_a_second_pass(t);
    size_t more = puppet_count(&t->p, HALLSYNC__PEER_TYPE__PEER_ANSWER);
    assert_in_range(more, HS_QUESTIONS_BYTES_S / BIG_BYTES - 1, HS_QUESTIONS_BYTES_S / BIG_BYTES + 1);
    let_a_second_pass(t);
    answered += more + puppet_count(&t->p, HALLSYNC__PEER_TYPE__PEER_ANSWER);
    assert_int_equal(answered, AT_ONCE + HS_QUESTIONS_OPEN_MAX); /* each one, once */
    assert_true(puppet_is_live(&t->p));
}

static void one_question_too_many_ends_the_session(void **state)
{
    struct table *t = *state;
    puppet_greet(&t->p);
    for (size_t i = 0; i < AT_ONCE + HS_QUESTIONS_OPEN_MAX; i++)
        ask(t);
    assert_true(puppet_is_live(&t->p));
    ask(t);
    assert_int_equal(puppet_ended(&t->p), HS_EMALFORMED);
}

/* Nobody's next one comes before the answer. */
static void comparisons_wait_one_at_a_time(void **state)
{
    struct table *t = *state;
    size_t answered = 0;
    puppet_greet(&t->p);
    world_write_text(t->hub, 3201, HS_LANE_BULK, "bill");
    for (; answered < HS_QUESTIONS_BYTES / LEAST_COST; answered++) {
        compare(t);
        if (puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY) == NULL)
            break;
    }
    assert_in_range(answered, 100, HS_QUESTIONS_BYTES / LEAST_COST - 1);
    let_a_second_pass(t);
    assert_int_equal(puppet_count(&t->p, HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY), 1);
    for (size_t i = 0; i < HS_QUESTIONS_BYTES / LEAST_COST && puppet_is_live(&t->p); i++)
        compare(t);
    assert_int_equal(puppet_ended(&t->p), HS_EMALFORMED);
}

static void receipts_that_are_asked_for_wait(void **state)
{
    struct table *t = *state;
    Hallsync__PeerStores message = HALLSYNC__PEER_STORES__INIT;
    struct hs_stream name = {1, 3201, HS_LANE_MONEY};
    puppet_greet(&t->p);
    for (size_t i = 0; i < AT_ONCE; i++)
        ask(t);
    Hallsync__StreamName *list[] = {puppet_name(&t->p, &name)};
    message.wanted = list;
    message.n_wanted = 1;
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_STORES, &message.base);
    assert_true(puppet_is_live(&t->p));
    assert_null(puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_STORES));
    let_a_second_pass(t);
    const Hallsync__PeerStores *told = puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_STORES);
    assert_true(told != NULL && told->has_told && told->told);
}

/* Fields that this version does not know could make one as large as a message. */
static void what_waits_is_small(void **state)
{
    static const uint8_t UNKNOWN[HS_QUESTIONS_WAITING_BYTES];
    struct table *t = *state;
    struct hs_buf frame = {0};
    puppet_greet(&t->p);
    for (size_t i = 0; i < AT_ONCE; i++)
        ask(t);
    hs_buf_put_u8(&frame, HS_FRAME_VERSION);
    hs_buf_put_u8(&frame, HALLSYNC__PEER_TYPE__PEER_COMPARE);
    hs_buf_put_u32(&frame, ++t->p.sequence);
    hs_tlv_put_u64(&frame, 1, 1);
    hs_tlv_put_u64(&frame, 2, 0);
    hs_tlv_put_bytes(&frame, 200, HS_BYTES(UNKNOWN, sizeof UNKNOWN));
    world_hand(t->hub, t->p.link->peer[1], hs_buf_bytes(&frame));
    hs_buf_fini(&frame);
    assert_int_equal(puppet_ended(&t->p), HS_EMALFORMED);
}

/* The walk over all that lags, for a message of six bytes. */
static void probes_wait(void **state)
{
    struct table *t = *state;
    Hallsync__PeerProbe probe = HALLSYNC__PEER_PROBE__INIT;
    puppet_greet(&t->p);
    for (size_t i = 0; i < AT_ONCE; i++)
        ask(t);
    probe.id = 1;
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_PROBE, &probe.base);
    assert_null(puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY));
    let_a_second_pass(t);
    assert_non_null(puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_PROBE_REPLY));
}

/* Who is told again and again that logs were pruned, of what is held here, says where it is once for all of these. */
static void where_one_is_is_said_within_bounds(void **state)
{
    struct table *t = *state;
    size_t said = 0, told = 0;
    puppet_greet(&t->p);
    struct hs_stream own = world_write_text(t->hub, 3201, HS_LANE_PEOPLE, "Li");
    const struct world_stream *held = world_store_find(&t->hub->store, &own);
    Hallsync__PeerPruned pruned = HALLSYNC__PEER_PRUNED__INIT;
    pruned.head = puppet_head(&t->p, &own, 1, held->ops[0].hash.bytes);
    for (; said < 2 * HS_QUESTIONS_BYTES / LEAST_COST; said++)
        puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_PRUNED, &pruned.base);
    told = puppet_count(&t->p, HALLSYNC__PEER_TYPE__PEER_FILL);
    assert_in_range(told, 1, HS_QUESTIONS_BYTES / LEAST_COST);
    assert_true(puppet_is_live(&t->p));
    let_a_second_pass(t);
    assert_int_equal(puppet_count(&t->p, HALLSYNC__PEER_TYPE__PEER_FILL), 1);
}

/* ---- what is brought faster than it can be stored ---- */

static void what_waits_for_the_writer_is_bounded(void **state)
{
    struct table *t = *state;
    Hallsync__PeerStores message = HALLSYNC__PEER_STORES__INIT;
    Hallsync__StoreGone gone[HS_LIST_ITEMS_MAX], *list[HS_LIST_ITEMS_MAX];
    struct puppet liar;
    size_t said = 0;
    puppet_dial(&liar, t->other, t->hub);
    puppet_greet(&liar);
    for (size_t i = 0; i < HS_LIST_ITEMS_MAX; i++) {
        hallsync__store_gone__init(&gone[i]);
        gone[i].node_key = puppet_data(t->hall->certificate.node_key.bytes, HS_KEY_BYTES);
        list[i] = &gone[i];
    }
    message.n_gone = HS_LIST_ITEMS_MAX;
    message.gone = list;
    for (; said < 100 && puppet_is_live(&liar); said++) {
        for (size_t i = 0; i < HS_LIST_ITEMS_MAX; i++)
            gone[i].store_id = said * HS_LIST_ITEMS_MAX + i + 1;
        puppet_say(&liar, HALLSYNC__PEER_TYPE__PEER_STORES, &message.base);
    }
    assert_int_equal(puppet_ended(&liar), HS_EBUSY);
    assert_in_range(said, 60, 70);
    puppet_fini(&liar);
}

/* One hub has filled the list: who passes that on is not cut off, or no two hubs would talk any more. */
static void a_full_list_of_stores_ends_no_session(void **state)
{
    struct table *t = *state;
    Hallsync__PeerStores message = HALLSYNC__PEER_STORES__INIT;
    Hallsync__StoreGone gone = HALLSYNC__STORE_GONE__INIT, *list[] = {&gone};
    struct puppet honest;
    puppet_dial(&honest, t->other, t->hub);
    puppet_greet(&honest);
    puppet_let_store(&honest);
    gone.node_key = puppet_data(t->hall->certificate.node_key.bytes, HS_KEY_BYTES);
    message.n_gone = 1;
    message.gone = list;
    t->hub->store_fails = HS_ETOOBIG;
    for (gone.store_id = 1; gone.store_id < 4; gone.store_id++) {
        puppet_say(&honest, HALLSYNC__PEER_TYPE__PEER_STORES, &message.base);
        puppet_let_store(&honest);
    }
    assert_true(puppet_is_live(&honest));
    assert_int_equal(world_notices(t->hub, HS_NOTICE_STORES_FULL), 1);
    puppet_fini(&honest);
}

/* ---- in the greeting ---- */

static void more_revocations_than_there_can_be_are_refused(void **state)
{
    struct table *t = *state;
    Hallsync__PeerHello *hello = puppet_hello(&t->p);
    hello->has_revocations = true;
    hello->revocations = HS_REVOCATIONS_MAX + 1;
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
    const Hallsync__PeerRefuse *refuse = puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_REFUSE);
    assert_non_null(refuse);
    assert_string_equal(refuse->error, hs_err_name(HS_EMALFORMED));
}

/* ---- what is shown to a store that was set back ---- */

static void a_receipt_is_shown_once(void **state)
{
    struct table *t = *state;
    struct puppet p;
    size_t shown = 0;
    const Hallsync__PeerAck *ack;
    world_start(t->hall);
    world_start(t->other);
    struct world_link *link = world_dial(t->hall, t->other);
    struct hs_stream money = world_write_text(t->hall, 3201, HS_LANE_MONEY, "one");
    world_write_text(t->hall, 3201, HS_LANE_MONEY, "two");
    world_settle(t->w);
    world_cut(link);
    world_stop(t->other);
    world_settle(t->w);
    puppet_dialled(&p, t->other, t->hall);
    puppet_greet(&p);
    puppet_count(&p, HALLSYNC__PEER_TYPE__PEER_ACK);
    for (size_t i = 0; i < 50; i++)
        puppet_announce(&p, &money, 1);
    while ((ack = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_ACK)) != NULL)
        shown += ack->n_receipts;
    assert_in_range(shown, 0, 4); /* it was shown when it said that it holds nothing */
    assert_true(puppet_is_live(&p));
    puppet_fini(&p);
}

/* ---- digests that never end ---- */

static Hallsync__CompareEntry *entry(struct table *t, struct hs_bytes key)
{
    static const uint8_t SUM[HS_HASH_BYTES] = {1};
    Hallsync__CompareEntry *made = hs_arena_alloc(&t->p.arena, sizeof *made);
    hallsync__compare_entry__init(made);
    made->has_sum = made->has_count = made->has_partition = made->has_kind = made->has_index = true;
    made->sum = puppet_data(SUM, sizeof SUM);
    made->count = 7;
    made->partition = 3201;
    made->kind = 1;
    made->has_key = made->has_applied = key.size > 0;
    made->key = puppet_data(key.data, key.size);
    made->applied = puppet_data(SUM, sizeof SUM);
    return made;
}

static void records_out_of_order_end_the_session(void **state)
{
    struct table *t = *state;
    struct puppet p;
    Hallsync__PeerCompareReply reply = HALLSYNC__PEER_COMPARE_REPLY__INIT;
    const Hallsync__PeerCompare *question;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_record_name name = {.partition = 3201, .lane = HS_LANE_BULK, .kind = 1, .id = HS_BYTES("k", 1)};
    struct hs_bytes packed = HS_BYTES(key, hs_record_key(&name, key));
    t->hall->one_leaf = true;
    world_start(t->hall);
    world_write_text(t->hall, 3201, HS_LANE_BULK, "bill");
    puppet_dialled(&p, t->other, t->hall);
    puppet_greet(&p);
    world_compare(t->hall);
    Hallsync__CompareEntry *list[] = {NULL};
    reply.entries = list;
    reply.n_entries = 1;
    for (uint32_t level = 0; level < 3; level++) {
        question = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE);
        assert_true(question != NULL && question->level == level);
        list[0] = entry(t, HS_BYTES_NONE);
        reply.id = question->id;
        reply.last = true;
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY, &reply.base);
    }
    list[0] = entry(t, packed);
    reply.last = false;
    for (int page = 0; page < 2; page++) { /* the same page again, and so for ever */
        question = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE);
        assert_true(question != NULL && question->level == 3);
        reply.id = question->id;
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY, &reply.base);
    }
    assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
    puppet_fini(&p);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_come_out_of_a_bucket),
        TEST(one_question_too_many_ends_the_session),
        TEST(comparisons_wait_one_at_a_time),
        TEST(receipts_that_are_asked_for_wait),
        TEST(what_waits_is_small),
        TEST(probes_wait),
        TEST(where_one_is_is_said_within_bounds),
        TEST(what_waits_for_the_writer_is_bounded),
        TEST(a_full_list_of_stores_ends_no_session),
        TEST(more_revocations_than_there_can_be_are_refused),
        TEST(a_receipt_is_shown_once),
        TEST(records_out_of_order_end_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
