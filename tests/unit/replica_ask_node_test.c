/* replica_ask_node_test.c -- one record as another node has it: told by halls and hubs, and an answer always comes. */
#include "tests/unit/replica_puppet.h"

#include "storage/model/record.h"

#include <stdio.h>

#define KIND     1
#define ANSWER_S 5

static const hs_partition D1[] = {3201};

static struct {
    size_t count;
    uint64_t token;
    enum hs_err err;
    uint8_t state[HS_HASH_BYTES];
    size_t state_size;
    char node[HS_NODE_ID_BYTES_MAX + 1];
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    size_t key_size;
} came;

static void took(struct world_node *node, const struct hs_replica_update *update)
{
    (void)node;
    came.count++;
    came.token = update->token;
    came.err = update->err;
    if (update->err != HS_OK)
        return;
    assert_int_equal(update->answer->count, 1);
    assert_true(update->answer->last && update->answer->as_of_ms != 0);
    const struct hs_stored *stored = &update->answer->records[0].stored;
    came.state_size = stored->state.size;
    memcpy(came.state, stored->state.data, came.state_size < HS_HASH_BYTES ? came.state_size : HS_HASH_BYTES);
    came.key_size = hs_record_key(&stored->name, came.key);
    snprintf(came.node, sizeof came.node, "%s", update->answer->node);
}

struct table {
    struct world *w;
    struct world_node *hub, *hall;
    struct world_link *link;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX]; /* of a record that both have */
    size_t key_size;
};

static size_t key_of(hs_partition partition, const char *text, uint8_t key[static HS_RECORD_KEY_BYTES_MAX])
{
    struct hs_hash id = hs_hash_of(HS_BYTES(text, strlen(text)));
    struct hs_record_name name = {partition, HS_LANE_MONEY, KIND, HS_BYTES(id.bytes, 16)};
    return hs_record_key(&name, key);
}

static void set(struct table *t)
{
    memset(&came, 0, sizeof came);
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    t->hub->answered = t->hall->answered = took;
    world_start(t->hub);
    world_start(t->hall);
    for (unsigned i = 0; i < 50; i++) {
        char text[32];
        snprintf(text, sizeof text, "payment %u", i);
        world_write_text(t->hall, 3201, HS_LANE_MONEY, text);
    }
    world_write_text(t->hub, 3209, HS_LANE_MONEY, "payment of others");
    t->link = world_dial(t->hall, t->hub);
    world_settle(t->w);
    t->key_size = key_of(3201, "payment 31", t->key);
}

static void came_is(const struct table *t, size_t count, const char *node, const char *text)
{
    struct hs_hash hash = hs_hash_domain("record", HS_BYTES(text, strlen(text)));
    assert_int_equal(came.count, count);
    assert_int_equal(came.err, HS_OK);
    assert_int_equal(came.token, 70 + count);
    assert_string_equal(came.node, node);
    assert_int_equal(came.key_size, t->key_size);
    assert_memory_equal(came.key, t->key, t->key_size);
    assert_int_equal(came.state_size, HS_HASH_BYTES);
    assert_memory_equal(came.state, hash.bytes, HS_HASH_BYTES);
}

static void hub_and_hall_tell_each_other(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_ask_node(t.hall, 71, "hub-1", HS_BYTES(t.key, t.key_size));
    world_settle(t.w);
    came_is(&t, 1, "hub-1", "payment 31");
    world_ask_node(t.hub, 72, "hall-1", HS_BYTES(t.key, t.key_size));
    world_settle(t.w);
    came_is(&t, 2, "hall-1", "payment 31");
    assert_true(world_live(t.link));
    world_free(t.w);
}

static struct hs_record_name text_name(const char *text)
{
    return (struct hs_record_name){3201, HS_LANE_MONEY, KIND, HS_BYTES(text, strlen(text))};
}

/* In the order of keys it lies behind "payment 3", and so does what begins like that. */
static void a_longer_id_before_it_does_not_hide_it(void **state)
{
    (void)state;
    static const char TEXT[] = "payment 4";
    struct table t;
    struct hs_record_name name = text_name(TEXT), longer;
    char text[32];
    unsigned i = 0;
    set(&t);
    t.hub->text_ids = t.hall->text_ids = true;
    do {
        snprintf(text, sizeof text, "payment 3-%u", i++);
        longer = text_name(text);
    } while (hs_record_leaf(&longer) != hs_record_leaf(&name));
    world_write_text(t.hall, 3201, HS_LANE_MONEY, text);
    world_settle(t.w);
    t.key_size = hs_record_key(&name, t.key);
    world_ask_node(t.hall, 71, "hub-1", HS_BYTES(t.key, t.key_size));
    world_settle(t.w);
    came_is(&t, 1, "hub-1", TEXT);
    world_free(t.w);
}

/* Answers about a round of comparing and about a record are told apart, whichever comes first. */
static void it_goes_beside_a_round(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_compare(t.hall);
    world_ask_node(t.hall, 71, "hub-1", HS_BYTES(t.key, t.key_size));
    world_compare(t.hub);
    world_settle(t.w);
    came_is(&t, 1, "hub-1", "payment 31");
    assert_int_equal(world_notices(t.hall, HS_NOTICE_EQUAL), 1);
    assert_int_equal(world_notices(t.hub, HS_NOTICE_EQUAL), 1);
    world_free(t.w);
}

static void refused(struct table *t, const char *node, struct hs_bytes key, enum hs_err err)
{
    size_t before = came.count;
    world_ask_node(t->hall, 80 + before, node, key);
    world_settle(t->w);
    assert_int_equal(came.count, before + 1);
    assert_int_equal(came.token, 80 + before);
    assert_int_equal(came.err, err);
    assert_true(world_live(t->link));
}

static void what_is_not_told_has_a_reason(void **state)
{
    (void)state;
    static uint8_t content[HS_ANSWER_BYTES_MAX];
    struct table t;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    set(&t);
    refused(&t, "hub-1", HS_BYTES(key, key_of(3201, "payment 77", key)), HS_ENOTFOUND);
    refused(&t, "hub-1", HS_BYTES(key, key_of(3209, "payment of others", key)), HS_ENOTHERE);
    refused(&t, "hub-2", HS_BYTES(t.key, t.key_size), HS_EUNREACHABLE);
    refused(&t, "hub-1", HS_BYTES(t.key, 3), HS_EINVAL);
    t.hub->content = HS_BYTES(content, sizeof content);
    refused(&t, "hub-1", HS_BYTES(t.key, t.key_size), HS_ETOOBIG);
    t.hub->content.size = sizeof content - 1024;
    world_ask_node(t.hall, 1, "hub-1", HS_BYTES(t.key, t.key_size));
    world_settle(t.w);
    assert_int_equal(came.err, HS_OK);
    assert_int_equal(came.state_size, sizeof content - 1024);
    world_free(t.w);
}

static void one_is_open_at_a_time(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_ask_node(t.hall, 71, "hub-1", HS_BYTES(t.key, t.key_size));
    world_ask_node(t.hall, 90, "hub-1", HS_BYTES(t.key, t.key_size));
    assert_int_equal(came.count, 1);
    assert_int_equal(came.err, HS_EBUSY);
    came.count = 0;
    world_settle(t.w);
    came_is(&t, 1, "hub-1", "payment 31");
    world_free(t.w);
}

static void an_end_of_the_session_is_an_answer(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    world_ask_node(t.hall, 71, "hub-1", HS_BYTES(t.key, t.key_size));
    world_cut(t.link);
    world_settle(t.w);
    assert_int_equal(came.count, 1);
    assert_int_equal(came.err, HS_ENOLINK);
    world_free(t.w);
}

/* ---- a hub that is a puppet ---- */

struct asked {
    struct world *w;
    struct world_node *hub, *hall;
    struct puppet p;
    const Hallsync__PeerCompare *question;
};

static void ask_puppet(struct asked *a)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    memset(&came, 0, sizeof came);
    *a = (struct asked){.w = world_new(1)};
    a->hub = world_hub(a->w, "hub-1");
    a->hall = world_hall(a->w, "hall-1", D1, 1);
    a->hall->answered = took;
    world_start(a->hall);
    puppet_dialled(&a->p, a->hub, a->hall);
    puppet_greet(&a->p);
    world_ask_node(a->hall, 71, "hub-1", HS_BYTES(key, key_of(3201, "payment 31", key)));
    a->question = puppet_hear(&a->p, HALLSYNC__PEER_TYPE__PEER_COMPARE);
    assert_non_null(a->question);
    assert_int_equal(a->question->level, 3);
    assert_int_equal(a->question->partition, 3201);
    struct hs_record_name name;
    assert_int_equal(hs_record_from_key(HS_BYTES(key, key_of(3201, "payment 31", key)), &name), HS_OK);
    assert_int_equal(a->question->branch, hs_record_leaf(&name));
}

static void puppet_answers(struct asked *a, const char *error, Hallsync__CompareEntry **entries, size_t count)
{
    Hallsync__PeerCompareReply reply = HALLSYNC__PEER_COMPARE_REPLY__INIT;
    reply.id = a->question->id;
    reply.error = (char *)(uintptr_t)error;
    reply.entries = entries;
    reply.n_entries = count;
    reply.last = true;
    puppet_say(&a->p, HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY, &reply.base);
}

static void is_over(struct asked *a, enum hs_err err)
{
    assert_int_equal(came.count, 1);
    assert_int_equal(came.err, err);
    assert_int_equal(puppet_ended(&a->p), HS_OK);
    puppet_fini(&a->p);
    world_free(a->w);
}

/* It does not know the question's last field: it tells the whole leaf, and no content. */
static void an_older_program_tells_no_content(void **state)
{
    (void)state;
    struct asked a;
    Hallsync__CompareEntry entry = HALLSYNC__COMPARE_ENTRY__INIT, *entries[] = {&entry};
    uint8_t hash[HS_HASH_BYTES] = {1};
    ask_puppet(&a);
    entry.has_key = entry.has_sum = entry.has_applied = true;
    entry.key = a.question->record;
    entry.sum = entry.applied = puppet_data(hash, sizeof hash);
    puppet_answers(&a, NULL, entries, 1);
    is_over(&a, HS_EVERSION);
}

static void another_record_is_no_answer(void **state)
{
    (void)state;
    struct asked a;
    Hallsync__CompareEntry entry = HALLSYNC__COMPARE_ENTRY__INIT, *entries[] = {&entry};
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    ask_puppet(&a);
    entry.has_key = entry.has_state = true;
    entry.key = puppet_data(key, key_of(3201, "payment 32", key));
    entry.state = puppet_data(key, 4);
    puppet_answers(&a, NULL, entries, 1);
    is_over(&a, HS_EVERSION);
}

static void its_errors_are_passed_on(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        enum hs_err err;
    } CASES[] = {{"damaged", HS_EDAMAGED}, {"ok", HS_EREFUSED}, {"of-a-later-version", HS_EREFUSED}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct asked a;
        ask_puppet(&a);
        puppet_answers(&a, CASES[i].says, NULL, 0);
        is_over(&a, CASES[i].err);
    }
}

static void who_says_nothing_is_not_waited_for(void **state)
{
    (void)state;
    struct asked a;
    Hallsync__PeerHeartbeat beat = HALLSYNC__PEER_HEARTBEAT__INIT;
    ask_puppet(&a);
    for (int i = 0; i < 2 * ANSWER_S && came.count == 0; i++) {
        world_advance(a.w, 1000);
        puppet_say(&a.p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &beat.base);
    }
    assert_int_equal(came.count, 1);
    puppet_answers(&a, "not-found", NULL, 0); /* too late */
    is_over(&a, HS_ENOLINK);
}

/* ---- a question that cannot be asked ---- */

static void a_question_that_is_none_ends_the_session(void **state)
{
    (void)state;
    static const struct {
        uint32_t level;
        size_t size;
    } CASES[] = {{3, 0}, {3, HS_RECORD_KEY_BYTES_MAX + 1}, {2, 20}};
    static uint8_t key[HS_RECORD_KEY_BYTES_MAX + 1];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct world *w = world_new(1);
        struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
        struct puppet p;
        Hallsync__PeerCompare question = HALLSYNC__PEER_COMPARE__INIT;
        world_start(hub);
        puppet_dial(&p, hall, hub);
        puppet_greet(&p);
        question.id = 3;
        question.level = CASES[i].level;
        question.has_partition = question.has_kind = question.has_branch = question.has_record = true;
        question.partition = 3201;
        question.kind = KIND;
        question.record = puppet_data(key, CASES[i].size);
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE, &question.base);
        assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
        puppet_fini(&p);
        world_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hub_and_hall_tell_each_other),
        cmocka_unit_test(a_longer_id_before_it_does_not_hide_it),
        cmocka_unit_test(it_goes_beside_a_round),
        cmocka_unit_test(what_is_not_told_has_a_reason),
        cmocka_unit_test(one_is_open_at_a_time),
        cmocka_unit_test(an_end_of_the_session_is_an_answer),
        cmocka_unit_test(an_older_program_tells_no_content),
        cmocka_unit_test(another_record_is_no_answer),
        cmocka_unit_test(its_errors_are_passed_on),
        cmocka_unit_test(who_says_nothing_is_not_waited_for),
        cmocka_unit_test(a_question_that_is_none_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
