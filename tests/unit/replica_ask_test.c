/* replica_ask_test.c -- questions about records: who is asked, what an answer holds, and that one always comes. */
#include "tests/unit/replica_puppet.h"

#include <stdio.h>

#define KIND       3
#define BIG_STATES 9000 /* bytes of a state of which two are a page */

static const hs_partition D1[] = {3201};

/* What came back at the node that asked. */
struct came {
    size_t count; /* answers */
    uint64_t token;
    enum hs_err err;
    size_t records, beside;
    char first[40], last_one[40];
    bool last, cut;
    char node[HS_NODE_ID_BYTES_MAX + 1];
    uint64_t as_of_ms;
};
static struct came came;

static void took(struct world_node *node, const struct hs_replica_update *update)
{
    const struct hs_answer *answer = update->answer;
    (void)node;
    came = (struct came){.count = came.count + 1, .token = update->token, .err = update->err};
    for (size_t i = 0; update->err == HS_OK && i < answer->count; i++) {
        struct hs_bytes id = answer->records[i].stored.name.id;
        char *to = came.records + came.beside == 0 ? came.first : came.last_one;
        snprintf(to, sizeof came.first, "%.*s", (int)id.size, (const char *)id.data);
        came.beside += answer->records[i].beside;
        came.records += !answer->records[i].beside;
    }
    if (update->err != HS_OK)
        return;
    came.last = answer->last;
    came.cut = answer->cut;
    came.as_of_ms = answer->as_of_ms;
    snprintf(came.node, sizeof came.node, "%s", answer->node);
}

/* What a hub has: @asked_for records "r-0000"..., each with @beside others. */
static struct {
    size_t asked_for, beside, state_bytes;
    enum hs_err err;
    size_t questions;
} has;

static enum hs_err visit_one(const char *id, bool beside, hs_visit_asked visit, void *ctx)
{
    static const uint8_t STATE[200000];
    struct hs_asked asked = {.beside = beside};
    asked.stored.name = (struct hs_record_name){
        .partition = 3299, .lane = HS_LANE_MONEY, .kind = beside ? KIND + 1 : KIND, .id = HS_BYTES(id, strlen(id))};
    asked.stored.state = HS_BYTES(STATE, has.state_bytes);
    return visit(ctx, &asked);
}

static enum hs_err answer(struct world_node *node, const struct hs_ask *ask, hs_visit_asked visit, void *ctx)
{
    enum hs_err err = HS_OK;
    struct hs_record_name after = {0};
    (void)node;
    has.questions++;
    if (ask->after.size != 0)
        assert_int_equal(hs_record_from_key(ask->after, &after), HS_OK);
    for (size_t i = 0; i < has.asked_for && err == HS_OK; i++) {
        char id[32];
        snprintf(id, sizeof id, "r-%04zu", i);
        if (after.id.size != 0 && hs_bytes_compare(HS_BYTES(id, strlen(id)), after.id) <= 0)
            continue;
        err = visit_one(ask->index == 0 ? "the-key" : id, false, visit, ctx);
        for (size_t j = 0; j < has.beside && err == HS_OK; j++)
            err = visit_one("goes-with-it", true, visit, ctx);
    }
    return err == HS_OK ? has.err : err;
}

struct table {
    struct world *w;
    struct world_node *hub, *other, *hall;
};

static void set(struct table *t)
{
    came = (struct came){0};
    has.asked_for = 1;
    has.beside = 0;
    has.state_bytes = 40;
    has.err = HS_OK;
    has.questions = 0;
    *t = (struct table){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->other = world_hub(t->w, "hub-2");
    t->hall = world_hall(t->w, "hall-1", D1, 1);
    t->hub->ask = t->other->ask = answer;
    t->hall->answered = took;
    world_start(t->hub);
    world_start(t->other);
    world_start(t->hall);
}

static void ask(struct table *t, uint64_t token, uint8_t index, struct hs_bytes after)
{
    struct hs_ask question = {.kind = KIND, .index = index, .key = HS_BYTES("the-key", 7), .after = after};
    world_ask(t->hall, token, &question);
}

static void a_hub_answers(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    has.beside = 2;
    world_dial(t.hall, t.hub);
    world_settle(t.w);
    ask(&t, 7, 0, HS_BYTES_NONE);
    world_settle(t.w);
    assert_int_equal(came.count, 1);
    assert_int_equal(came.token, 7);
    assert_int_equal(came.err, HS_OK);
    assert_int_equal(came.records, 1);
    assert_int_equal(came.beside, 2);
    assert_string_equal(came.first, "the-key");
    assert_string_equal(came.last_one, "goes-with-it");
    assert_string_equal(came.node, "hub-1");
    assert_true(came.last && !came.cut && came.as_of_ms != 0);
    world_free(t.w);
}

/* What has been put together for an answer is in no other message. */
static void what_was_answered_is_in_no_later_message(void **state)
{
    (void)state;
    struct world *w = world_new(1);
    struct world_node *hub = world_hub(w, "hub-1"), *hall = world_hall(w, "hall-1", D1, 1);
    struct puppet p;
    Hallsync__PeerAsk ask = HALLSYNC__PEER_ASK__INIT;
    Hallsync__PeerCompare compare = HALLSYNC__PEER_COMPARE__INIT;
    has.asked_for = 1;
    has.beside = 0;
    has.state_bytes = 40;
    has.err = HS_OK;
    hub->ask = answer;
    world_start(hub);
    world_write_text(hub, 3201, HS_LANE_BULK, "bill");
    puppet_dial(&p, hall, hub);
    puppet_greet(&p);
    ask.id = compare.id = 1;
    ask.kind = KIND;
    ask.key = (ProtobufCBinaryData){7, (uint8_t *)(uintptr_t) "the-key"};
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_ASK, &ask.base);
    const Hallsync__PeerAnswer *told = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_ANSWER);
    assert_int_equal(told->n_records, 1);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE, &compare.base);
    const Hallsync__PeerCompareReply *reply = puppet_hear(&p, HALLSYNC__PEER_TYPE__PEER_COMPARE_REPLY);
    assert_int_equal(reply->n_entries, 1);
    assert_int_equal(reply->entries[0]->partition, 3201);
    puppet_fini(&p);
    world_free(w);
}

static void without_a_hub_there_is_no_link(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    ask(&t, 7, 0, HS_BYTES_NONE);
    assert_int_equal(came.err, HS_ENOLINK);
    world_free(t.w);
}

/* The first hub is gone, or cannot say: the other one is asked; when nobody can, the first reason is told. */
static void another_hub_is_asked_instead(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    struct world_link *first = world_dial(t.hall, t.hub);
    struct world_link *second = world_dial(t.hall, t.other);
    world_settle(t.w);
    ask(&t, 7, 0, HS_BYTES_NONE);
    world_cut(first);
    world_settle(t.w);
    assert_int_equal(came.count, 1);
    assert_string_equal(came.node, "hub-2");
    ask(&t, 8, 0, HS_BYTES_NONE);
    world_cut(second);
    assert_int_equal(came.count, 2);
    assert_int_equal(came.err, HS_ENOLINK);

    world_dial(t.hall, t.hub);
    world_dial(t.hall, t.other);
    world_settle(t.w);
    has.asked_for = 0;
    has.questions = 0;
    has.err = HS_EFILLING;
    ask(&t, 9, 0, HS_BYTES_NONE);
    world_settle(t.w);
    assert_int_equal(came.count, 3);
    assert_int_equal(came.err, HS_EFILLING);
    assert_int_equal(has.questions, 2);
    world_free(t.w);
}

static void answers_come_in_pages(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    has.asked_for = 250;
    world_dial(t.hall, t.hub);
    world_settle(t.w);
    ask(&t, 1, 1, HS_BYTES_NONE);
    world_settle(t.w);
    assert_int_equal(came.records, HS_ANSWER_RECORDS_MAX);
    assert_false(came.last);
    assert_string_equal(came.last_one, "r-0099");
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_record_name last = {3299, HS_LANE_MONEY, KIND, HS_BYTES("r-0199", 6)};
    ask(&t, 2, 1, HS_BYTES(key, hs_record_key(&last, key)));
    world_settle(t.w);
    assert_int_equal(came.records, 50);
    assert_true(came.last);
    assert_string_equal(came.first, "r-0200");
    has.state_bytes = BIG_STATES;
    ask(&t, 3, 1, HS_BYTES_NONE);
    world_settle(t.w);
    assert_int_equal(came.records, 2);
    assert_false(came.last);
    world_free(t.w);
}

/* What goes with a record goes in the same answer, or the record waits for the next one. */
static void what_goes_with_a_record_is_not_parted_from_it(void **state)
{
    (void)state;
    struct table t;
    set(&t);
    has.asked_for = 3;
    has.beside = 60;
    has.state_bytes = 1000;
    world_dial(t.hall, t.hub);
    world_settle(t.w);
    ask(&t, 1, 1, HS_BYTES_NONE);
    world_settle(t.w);
    assert_int_equal(came.records, 1);
    assert_int_equal(came.beside, 60);
    assert_false(came.last || came.cut);
    has.asked_for = 2;
    has.beside = 10;
    has.state_bytes = 9000; /* one is above the page's size, two would pass the limit */
    ask(&t, 2, 1, HS_BYTES_NONE);
    world_settle(t.w);
    assert_int_equal(came.records, 1);
    assert_false(came.last);
    has.beside = 100;
    ask(&t, 3, 1, HS_BYTES_NONE);
    world_settle(t.w);
    assert_int_equal(came.records, 1);
    assert_true(came.cut && !came.last);
    assert_in_range(came.beside, 8, 10);
    has.asked_for = 1;
    ask(&t, 4, 0, HS_BYTES_NONE);
    world_settle(t.w);
    assert_true(came.cut && came.last);
    has.state_bytes = 100000;
    ask(&t, 5, 0, HS_BYTES_NONE);
    world_settle(t.w);
    assert_int_equal(came.err, HS_ETOOBIG);
    world_free(t.w);
}

/* ---- a hub that does what it likes ---- */

static void begin_puppet(struct puppet *p, struct table *t)
{
    set(t);
    world_stop(t->hub);
    puppet_dialled(p, t->hub, t->hall);
    puppet_greet(p);
}

static const Hallsync__PeerAsk *hear_ask(struct puppet *p)
{
    return puppet_hear(p, HALLSYNC__PEER_TYPE__PEER_ASK);
}

static void say_answer(struct puppet *p, Hallsync__PeerAnswer *answer)
{
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_ANSWER, &answer->base);
}

static Hallsync__PeerAnswer answer_to(uint64_t id)
{
    Hallsync__PeerAnswer answer = HALLSYNC__PEER_ANSWER__INIT;
    answer.id = id;
    answer.last = true;
    answer.as_of_ms = 5;
    answer.node = (char *)(uintptr_t) "hub-1";
    return answer;
}

static void beat(struct puppet *p)
{
    Hallsync__PeerHeartbeat heartbeat = HALLSYNC__PEER_HEARTBEAT__INIT;
    puppet_say(p, HALLSYNC__PEER_TYPE__PEER_HEARTBEAT, &heartbeat.base);
}

static void nobody_waits_longer_than_five_seconds(void **state)
{
    (void)state;
    struct table t;
    struct puppet p;
    begin_puppet(&p, &t);
    ask(&t, 7, 0, HS_BYTES_NONE);
    const Hallsync__PeerAsk *heard = hear_ask(&p);
    assert_non_null(heard);
    for (unsigned second = 0; second < 5; second++) {
        assert_int_equal(came.count, 0);
        beat(&p);
        world_advance(t.w, 1000);
    }
    assert_int_equal(came.count, 1);
    assert_int_equal(came.err, HS_ENOLINK);
    Hallsync__PeerAnswer late = answer_to(heard->id);
    say_answer(&p, &late);
    assert_int_equal(came.count, 1);
    assert_true(puppet_is_live(&p));
    say_answer(&p, &late); /* once more: that is an answer to nothing */
    assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
    puppet_fini(&p);
    world_free(t.w);
}

static void sixteen_are_open_at_most(void **state)
{
    (void)state;
    struct table t;
    struct puppet p;
    begin_puppet(&p, &t);
    for (uint64_t token = 1; token <= 16; token++)
        ask(&t, token, 0, HS_BYTES_NONE);
    assert_int_equal(came.count, 0);
    ask(&t, 17, 0, HS_BYTES_NONE);
    assert_int_equal(came.err, HS_EBUSY);
    world_ask_end(t.hall, 1); /* nobody waits for it, and it is open all the same */
    ask(&t, 18, 0, HS_BYTES_NONE);
    assert_int_equal(came.err, HS_EBUSY);
    Hallsync__PeerAnswer answer = answer_to(hear_ask(&p)->id);
    say_answer(&p, &answer);
    assert_int_equal(came.count, 2);
    ask(&t, 19, 0, HS_BYTES_NONE);
    assert_int_equal(came.count, 2);
    world_cut(p.link);
    assert_int_equal(came.count, 2 + 16);
    puppet_fini(&p);
    world_free(t.w);
}

/* Each way in which an answer can fail to fit its question. */
static void put_wrong(unsigned wrong, Hallsync__PeerAnswer *answer, Hallsync__AnswerRecord *record, uint8_t *key,
                      size_t key_size)
{
    static Hallsync__AnswerRecord *many[HS_LIST_ITEMS_MAX + 1];
    for (size_t i = 0; i < HS_LIST_ITEMS_MAX + 1; i++)
        many[i] = record;
    answer->records = many;
    answer->n_records = 1;
    hallsync__answer_record__init(record);
    record->key = puppet_data(key, key_size);
    if (wrong == 0)
        answer->id++;
    else if (wrong == 1)
        record->key.len = 3;
    else if (wrong == 2)
        key[4] ^= 1; /* another kind */
    else if (wrong == 3)
        key[key_size - 1] ^= 1; /* another id */
    else if (wrong == 4)
        record->has_beside = record->beside = true;
    else if (wrong == 5)
        answer->n_records = 2; /* does not ascend */
    else if (wrong == 6)
        answer->node = NULL;
    else if (wrong == 7)
        answer->node = (char *)(uintptr_t) "No Node";
    else if (wrong == 8)
        answer->n_records = 0, answer->last = false;
    else
        answer->n_records = HS_LIST_ITEMS_MAX + 1;
}

static void answers_that_do_not_fit_end_the_session(void **state)
{
    (void)state;
    for (unsigned wrong = 0; wrong <= 9; wrong++) {
        struct table t;
        struct puppet p;
        Hallsync__AnswerRecord record;
        uint8_t key[HS_RECORD_KEY_BYTES_MAX];
        struct hs_record_name name = {3299, HS_LANE_MONEY, KIND, HS_BYTES("the-key", 7)};
        begin_puppet(&p, &t);
        ask(&t, 7, 0, HS_BYTES_NONE);
        Hallsync__PeerAnswer answer = answer_to(hear_ask(&p)->id);
        put_wrong(wrong, &answer, &record, key, hs_record_key(&name, key));
        say_answer(&p, &answer);
        assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
        assert_int_equal(came.count, 1);
        assert_int_equal(came.err, HS_ENOLINK);
        puppet_fini(&p);
        world_free(t.w);
    }
}

/* ---- questions that cannot be asked ---- */

static void wrong_questions_end_the_session(void **state)
{
    (void)state;
    static const uint8_t LONG[HS_RECORD_KEY_BYTES_MAX + 1];
    static const struct {
        uint32_t kind, index;
        size_t key, after;
    } WRONG[] = {{0, 0, 1, 0}, {65536, 0, 1, 0}, {3, 256, 1, 0}, {3, 0, 0, 0}, {3, 0, 65, 0}, {3, 0, 1, sizeof LONG}};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        struct table t;
        struct puppet p;
        set(&t);
        world_stop(t.hall);
        puppet_dial(&p, t.hall, t.hub);
        puppet_greet(&p);
        Hallsync__PeerAsk wrong = HALLSYNC__PEER_ASK__INIT;
        wrong.kind = WRONG[i].kind;
        wrong.index = WRONG[i].index;
        wrong.key = puppet_data(LONG, WRONG[i].key);
        wrong.has_after = WRONG[i].after != 0;
        wrong.after = puppet_data(LONG, WRONG[i].after);
        puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_ASK, &wrong.base);
        assert_int_equal(puppet_ended(&p), HS_EMALFORMED);
        puppet_fini(&p);
        world_free(t.w);
    }
}

/* ---- a hub between a hall and the province ---- */

struct tiers {
    struct table t;
    struct puppet hall;
    struct world_link *up;
};

static enum hs_err knows_nothing(struct world_node *node, const struct hs_ask *ask, hs_visit_asked visit, void *ctx)
{
    (void)node;
    (void)ask;
    (void)visit;
    (void)ctx;
    return HS_ENOTHERE;
}

/* The city hub has passed all questions on, and the province has not got them. */
static void set_tiers(struct tiers *tiers)
{
    set(&tiers->t);
    world_stop(tiers->t.other);
    world_stop(tiers->t.hall);
    world_narrow(tiers->t.other, D1, 1);
    tiers->t.other->ask = knows_nothing;
    world_start(tiers->t.other);
    tiers->up = world_dial(tiers->t.other, tiers->t.hub);
    world_settle(tiers->t.w);
    puppet_dial(&tiers->hall, tiers->t.hall, tiers->t.other);
    puppet_greet(&tiers->hall);
}

static void drop_tiers(struct tiers *tiers)
{
    puppet_fini(&tiers->hall);
    world_free(tiers->t.w);
}

static void put_question(struct tiers *tiers, uint64_t id)
{
    Hallsync__PeerAsk question = HALLSYNC__PEER_ASK__INIT;
    question.id = id;
    question.kind = KIND;
    question.key = puppet_data("the-key", 7);
    puppet_say(&tiers->hall, HALLSYNC__PEER_TYPE__PEER_ASK, &question.base);
}

static void sixteen_are_passed_on_at_most(void **state)
{
    (void)state;
    struct tiers tiers;
    set_tiers(&tiers);
    for (uint64_t id = 1; id <= 16; id++)
        put_question(&tiers, 100 + id);
    assert_true(puppet_is_live(&tiers.hall));
    assert_null(puppet_hear(&tiers.hall, HALLSYNC__PEER_TYPE__PEER_ANSWER));
    put_question(&tiers, 117);
    assert_int_equal(puppet_ended(&tiers.hall), HS_EMALFORMED);
    drop_tiers(&tiers);

    set_tiers(&tiers);
    put_question(&tiers, 5);
    put_question(&tiers, 5); /* which of them would the answer be to? */
    assert_int_equal(puppet_ended(&tiers.hall), HS_EMALFORMED);
    while (world_deliver(tiers.up, 1) || world_deliver(tiers.up, 0))
        ; /* who asked is gone: the answer harms nobody */
    assert_true(world_live(tiers.up));
    drop_tiers(&tiers);
}

static void what_is_passed_on_comes_back_as_it_was(void **state)
{
    (void)state;
    struct tiers tiers;
    set_tiers(&tiers);
    has.beside = 2;
    put_question(&tiers, 7);
    put_question(&tiers, 8);
    while (world_deliver(tiers.up, 1) || world_deliver(tiers.up, 0))
        ;
    for (uint64_t id = 7; id <= 8; id++) {
        const Hallsync__PeerAnswer *heard = puppet_hear(&tiers.hall, HALLSYNC__PEER_TYPE__PEER_ANSWER);
        assert_int_equal(heard->id, id);
        assert_int_equal(heard->n_records, 3);
        assert_string_equal(heard->node, "hub-1");
        assert_null(heard->error);
    }
    put_question(&tiers, 9);
    world_cut(tiers.up);
    const Hallsync__PeerAnswer *heard = puppet_hear(&tiers.hall, HALLSYNC__PEER_TYPE__PEER_ANSWER);
    assert_string_equal(heard->error, "no-link");
    drop_tiers(&tiers);
}

static void a_hall_is_not_asked(void **state)
{
    (void)state;
    struct table t;
    struct puppet p;
    begin_puppet(&p, &t);
    Hallsync__PeerAsk question = HALLSYNC__PEER_ASK__INIT;
    question.kind = KIND;
    question.key = puppet_data("x", 1);
    puppet_say(&p, HALLSYNC__PEER_TYPE__PEER_ASK, &question.base);
    assert_int_equal(puppet_ended(&p), HS_ESCOPE);
    puppet_fini(&p);
    world_free(t.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hub_answers),
        cmocka_unit_test(what_was_answered_is_in_no_later_message),
        cmocka_unit_test(without_a_hub_there_is_no_link),
        cmocka_unit_test(another_hub_is_asked_instead),
        cmocka_unit_test(answers_come_in_pages),
        cmocka_unit_test(what_goes_with_a_record_is_not_parted_from_it),
        cmocka_unit_test(nobody_waits_longer_than_five_seconds),
        cmocka_unit_test(sixteen_are_open_at_most),
        cmocka_unit_test(answers_that_do_not_fit_end_the_session),
        cmocka_unit_test(wrong_questions_end_the_session),
        cmocka_unit_test(sixteen_are_passed_on_at_most),
        cmocka_unit_test(what_is_passed_on_comes_back_as_it_was),
        cmocka_unit_test(a_hall_is_not_asked),
    };
    return cmocka_run_group_tests_name("replica ask", tests, NULL, NULL);
}
