/* replica_fill_liar_test.c -- record states from a hub that lies, or from a hall that lies to a hub which is being
 * rebuilt, and questions for them from a hall that does: what is not in order is not stored, ends the session, and says
 * why. */
#include "tests/unit/replica_puppet.h"

#include <sodium.h>
#include <stdio.h>

static const hs_partition D1[] = {3201};

struct table {
    struct world *w;
    struct world_node *taker, *supplier; /* this one is the puppet's */
    struct puppet p;
    struct hs_stream customers;
    struct hs_buf body;
};

/* A hall wants to be filled, or a hub that is being rebuilt; and the puppet has two customers. */
static void set(struct table *t, bool by_hall)
{
    *t = (struct table){.w = world_new(1)};
    t->supplier = by_hall ? world_hall(t->w, "hall-1", D1, 1) : world_hub(t->w, "hub-1");
    t->taker = by_hall ? world_hub_at(t->w, "hub-1", 3201) : world_hall(t->w, "hall-1", D1, 1);
    world_write_text(t->supplier, 3201, HS_LANE_PEOPLE, "a customer");
    t->customers = world_write_text(t->supplier, 3201, HS_LANE_PEOPLE, "another customer");
    t->taker->rebuilding_ms = by_hall ? 60000 : 0;
    for (uint8_t lane = HS_LANE_WORK; lane < HS_LANE_COUNT; lane++) {
        world_store_fill_begin(&t->taker->store, 3201, lane);
        world_store_fill_begin(&t->taker->store, HS_PARTITION_REGION, lane);
    }
    world_start(t->taker);
    if (by_hall)
        puppet_dial(&t->p, t->supplier, t->taker);
    else
        puppet_dialled(&t->p, t->supplier, t->taker);
    puppet_greet(&t->p);
}

static void clear(struct table *t)
{
    hs_buf_fini(&t->body);
    puppet_fini(&t->p);
    world_free(t->w);
}

static int lie_of_a_hub(void **state)
{
    struct table *t = test_malloc(sizeof *t);
    set(t, false);
    *state = t;
    return 0;
}

static int lie_of_a_hall(void **state)
{
    struct table *t = test_malloc(sizeof *t);
    set(t, true);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    clear(*state);
    test_free(*state);
    return 0;
}

static void say_opening(struct table *t)
{
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_OPENING, &puppet_opening(&t->p, t->customers.origin)->base);
}

static Hallsync__PeerFillHeads *heads_of(struct table *t, uint64_t n)
{
    Hallsync__SignedHead *head = n == 0 ? NULL : puppet_signed_head(&t->p, &t->customers, n);
    return puppet_fill_heads(&t->p, 3201, HS_LANE_PEOPLE, head);
}

static void say_heads(struct table *t, const Hallsync__PeerFillHeads *heads)
{
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS, &heads->base);
}

static void say_states(struct table *t, const Hallsync__PeerStates *states)
{
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_STATES, &states->base);
}

/* The list of heads is told, up to n. */
static void list_up_to(struct table *t, uint64_t n)
{
    say_opening(t);
    say_heads(t, heads_of(t, n));
    puppet_let_store(&t->p);
}

/* A record as the hub would have it of operation n of a stream. */
static void put_record(struct table *t, const struct hs_stream *stream, uint64_t n, const char *op)
{
    struct hs_buf key = {0}, state = {0};
    world_record_of(stream, n, HS_BYTES(op, strlen(op)), &key, &state);
    hs_buf_put_sized(&t->body, hs_buf_bytes(&key));
    hs_buf_put_sized(&t->body, hs_buf_bytes(&state));
    hs_buf_fini(&key);
    hs_buf_fini(&state);
}

static Hallsync__PeerStates *states_of(struct table *t)
{
    return puppet_states(&t->p, 3201, HS_LANE_PEOPLE, hs_arena_copy(&t->p.arena, hs_buf_bytes(&t->body)));
}

static bool nothing_was_stored(const struct table *t)
{
    for (size_t i = 0; i < t->taker->store_count; i++) {
        if (t->taker->stores[i]->type == HS_STORE_STATES)
            return false;
    }
    return t->taker->store.state_count == 0;
}

static void assert_refused(const struct table *t, enum hs_err err)
{
    assert_int_equal(puppet_ended(&t->p), err);
    assert_true(nothing_was_stored(t));
}

static void what_is_in_order_is_taken(void **state)
{
    struct table *t = *state;
    list_up_to(t, 2);
    put_record(t, &t->customers, 1, "a customer");
    say_states(t, states_of(t));
    puppet_let_store(&t->p);
    assert_int_equal(puppet_ended(&t->p), HS_OK);
    assert_int_equal(t->taker->store.state_count, 1);
    assert_int_equal(world_head(t->taker, &t->customers), 2);
}

/* ---- heads ---- */

static void heads_must_have_been_asked_for(void **state)
{
    struct table *t = *state;
    say_opening(t);
    Hallsync__PeerFillHeads *heads = heads_of(t, 2);
    heads->partition = 3202;
    say_heads(t, heads);
    assert_refused(t, HS_EMALFORMED);
}

static void an_opening_comes_ahead_of_a_head(void **state)
{
    struct table *t = *state;
    say_heads(t, heads_of(t, 2));
    assert_refused(t, HS_EMALFORMED);
}

static void a_head_is_signed_by_its_writer(void **state)
{
    struct table *t = *state;
    say_opening(t);
    Hallsync__PeerFillHeads *heads = heads_of(t, 2);
    heads->heads[0]->n = 1000; /* so that later operations would seem to be applied */
    say_heads(t, heads);
    assert_refused(t, HS_ESIGNATURE);
}

static void a_head_is_of_the_partition_and_lane(void **state)
{
    struct table *t = *state;
    struct hs_stream elsewhere;
    elsewhere = world_write_text(t->supplier, 3201, HS_LANE_BULK, "a bill");
    say_opening(t);
    Hallsync__PeerFillHeads *heads = heads_of(t, 2);
    heads->heads[0] = puppet_signed_head(&t->p, &elsewhere, 1);
    say_heads(t, heads);
    assert_refused(t, HS_EMALFORMED);
}

static void heads_of_a_list_ascend(void **state)
{
    struct table *t = *state;
    say_opening(t);
    Hallsync__PeerFillHeads *heads = heads_of(t, 2);
    heads->last = false;
    say_heads(t, heads);
    assert_int_equal(puppet_ended(&t->p), HS_OK);
    say_heads(t, heads);
    assert_refused(t, HS_EMALFORMED);
}

static void a_list_comes_once_and_first(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct table t;
        bool update = i % 2 == 1;
        set(&t, i >= 2);
        Hallsync__PeerFillHeads *heads = heads_of(&t, 2);
        heads->update = update;
        if (update)
            say_opening(&t); /* an update before the list */
        else
            list_up_to(&t, 2); /* or another list behind it */
        say_heads(&t, heads);
        assert_refused(&t, HS_EMALFORMED);
        clear(&t);
    }
}

static void an_update_is_signed_as_well(void **state)
{
    struct table *t = *state;
    list_up_to(t, 1);
    Hallsync__PeerFillHeads *heads = heads_of(t, 2);
    heads->update = true;
    heads->heads[0]->n = 7;
    say_heads(t, heads);
    assert_refused(t, HS_ESIGNATURE);
}

static void heads_cost_credit(void **state)
{
    struct table *t = *state;
    say_opening(t);
    Hallsync__PeerFillHeads *heads = heads_of(t, 2);
    Hallsync__SignedHead **many = hs_arena_array(&t->p.arena, 600, sizeof *many);
    for (size_t i = 0; i < 600; i++)
        many[i] = heads->heads[0];
    heads->heads = many;
    heads->n_heads = 600; /* more than half a megabyte of credit */
    say_heads(t, heads);
    assert_refused(t, HS_ECREDIT);
}

/* A head beyond our own current origin's is the word of who has seen more of it than we know of. */
static void a_head_of_our_own_that_we_do_not_know_is_told(void **state)
{
    struct table *t = *state;
    struct hs_stream own = world_write_text(t->taker, 3201, HS_LANE_PEOPLE, "ours");
    world_import(t->supplier, t->taker, &own);
    world_write_text(t->taker, 3201, HS_LANE_PEOPLE, "ours, too");
    const struct world_stream *held = world_store_find(&t->taker->store, &own);
    Hallsync__PeerFillHeads *heads = heads_of(t, 0);
    Hallsync__SignedHead *head = puppet_signed_head(&t->p, &own, 1);
    struct hs_hash next = hs_chain_next(&held->ops[1].hash, HS_BYTES("lost", 4));
    struct hs_signer signer = hs_signer_of(&t->taker->secret);
    struct hs_signature signature;
    assert_int_equal(hs_checkpoint_sign(&own, 3, &next, &signer, &signature), HS_OK);
    head->n = 3;
    head->hash = puppet_data(next.bytes, HS_HASH_BYTES);
    head->signature = puppet_data(signature.bytes, HS_SIGNATURE_BYTES);
    heads->heads = &head;
    heads->n_heads = 1;
    say_heads(t, heads);
    assert_int_equal(world_notices(t->taker, HS_NOTICE_NAMED_BEYOND), 1);
    puppet_let_store(&t->p);
    assert_true(t->taker->store.current != own.origin);
}

/* ---- states ---- */

static void states_come_behind_the_list(void **state)
{
    struct table *t = *state;
    put_record(t, &t->customers, 1, "a customer");
    say_states(t, states_of(t));
    assert_refused(t, HS_EMALFORMED);
}

static void no_record_names_what_nobody_has_signed(void **state)
{
    struct table *t = *state;
    list_up_to(t, 1);
    put_record(t, &t->customers, 2, "another customer"); /* there is such an operation, but it was not told */
    say_states(t, states_of(t));
    assert_refused(t, HS_EGAP);
}

static void an_update_lets_states_name_more(void **state)
{
    struct table *t = *state;
    list_up_to(t, 1);
    Hallsync__PeerFillHeads *heads = heads_of(t, 2);
    heads->update = true;
    say_heads(t, heads);
    put_record(t, &t->customers, 2, "another customer");
    say_states(t, states_of(t));
    puppet_let_store(&t->p);
    assert_int_equal(puppet_ended(&t->p), HS_OK);
    assert_int_equal(t->taker->store.state_count, 1);
    assert_int_equal(world_head(t->taker, &t->customers), 1); /* as the list said */
}

static void no_record_names_an_origin_that_was_not_told(void **state)
{
    struct table *t = *state;
    list_up_to(t, 2);
    struct hs_stream strange = {4711, 3201, HS_LANE_PEOPLE};
    put_record(t, &strange, 1, "a customer");
    say_states(t, states_of(t));
    assert_refused(t, HS_EGAP);
}

static void records_are_of_the_partition_and_lane(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct table t;
        set(&t, i >= 2);
        list_up_to(&t, 2);
        struct hs_stream other = t.customers;
        other.partition = i % 2 == 0 ? 3202 : 3201;
        other.lane = i % 2 == 0 ? HS_LANE_PEOPLE : HS_LANE_BULK;
        put_record(&t, &other, 1, "a customer");
        say_states(&t, states_of(&t));
        assert_refused(&t, HS_EMALFORMED);
        clear(&t);
    }
}

static void records_ascend(void **state)
{
    struct table *t = *state;
    list_up_to(t, 2);
    put_record(t, &t->customers, 1, "a customer");
    put_record(t, &t->customers, 1, "a customer");
    say_states(t, states_of(t));
    assert_refused(t, HS_EMALFORMED);
}

/* It is parked wherever it is, and counts nowhere; without it the digests would differ for ever. */
static void a_payment_in_another_lane_comes_as_what_it_is(void **state)
{
    struct table *t = *state;
    list_up_to(t, 2);
    put_record(t, &t->customers, 1, "a customer");
    t->body.data[1 + 4] = 3; /* the kind in the key: a payment */
    say_states(t, states_of(t));
    puppet_let_store(&t->p);
    assert_int_equal(puppet_ended(&t->p), HS_OK);
}

static void no_states_are_taken_for_the_lane_of_money(void **state)
{
    struct table *t = *state;
    struct hs_stream paid = world_write_text(t->supplier, 3201, HS_LANE_MONEY, "paid");
    say_opening(t);
    say_heads(t, puppet_fill_heads(&t->p, 3201, HS_LANE_MONEY, puppet_signed_head(&t->p, &paid, 1)));
    puppet_let_store(&t->p);
    assert_int_equal(puppet_ended(&t->p), HS_OK);
    put_record(t, &paid, 1, "paid");
    Hallsync__PeerStates *states = states_of(t);
    states->lane = HS_LANE_MONEY;
    say_states(t, states);
    assert_refused(t, HS_EMALFORMED);
}

static void a_state_has_one_form(void **state)
{
    struct table *t = *state;
    list_up_to(t, 2);
    put_record(t, &t->customers, 1, "a customer");
    t->body.data[1 + 21 + 1] = 2; /* the version of the form */
    say_states(t, states_of(t));
    assert_refused(t, HS_EMALFORMED);
}

static void a_record_has_a_limit(void **state)
{
    struct table *t = *state;
    list_up_to(t, 2);
    put_record(t, &t->customers, 1, "a customer");
    t->body.size = 1 + 21;
    hs_buf_put_varint(&t->body, 2 << 20); /* two megabytes are to come */
    Hallsync__PeerStates *states = states_of(t);
    size_t sent = 0;
    states->partial = true;
    states->last = false;
    while (puppet_ended(&t->p) == HS_OK && sent < 64) {
        say_states(t, states);
        hs_buf_reset(&t->body);
        memset(hs_buf_extend(&t->body, 60000), 7, 60000);
        states = states_of(t);
        states->partial = true;
        states->last = false;
        sent++;
    }
    assert_refused(t, HS_ETOOBIG);
    assert_in_range(sent, 17, 20);
}

static void states_are_what_they_say(void **state)
{
    (void)state;
    for (unsigned lie = 0; lie < 14; lie++) {
        struct table t;
        unsigned i = lie % 7;
        set(&t, lie >= 7);
        list_up_to(&t, 2);
        put_record(&t, &t.customers, 1, "a customer");
        if (i == 5)
            t.body.size--; /* the last record is cut */
        Hallsync__PeerStates *states = states_of(&t);
        states->raw_bytes += i == 0; /* not the size */
        states->compressed = i == 1; /* no frame */
        states->raw_bytes = i == 2 ? 66561 : states->raw_bytes;
        states->partial = i == 3;                 /* goes on behind the last */
        states->partition = i == 4 ? 3202 : 3201; /* nobody asked */
        if (i == 6) {                             /* nothing, and no end */
            states->raw_bytes = 0;
            states->body.len = 0;
            states->last = false;
        }
        say_states(&t, states);
        assert_refused(&t, HS_EMALFORMED);
        clear(&t);
    }
}

static int by_key(const void *a, const void *b)
{
    return hs_bytes_compare(hs_buf_bytes(a), hs_buf_bytes(b));
}

static void states_cost_credit(void **state)
{
    struct table *t = *state;
    struct hs_buf records[24];
    char text[24000];
    size_t count = sizeof records / sizeof *records, sent = 0;
    list_up_to(t, 2);
    for (size_t i = 0; i < count; i++) {
        memset(text, 'a' + (int)i, sizeof text - 1);
        text[sizeof text - 1] = '\0';
        put_record(t, &t->customers, 1, text);
        records[i] = t->body;
        t->body = (struct hs_buf){0};
    }
    qsort(records, count, sizeof *records, by_key);
    for (; sent < count && puppet_ended(&t->p) == HS_OK; sent++) {
        hs_buf_put_bytes(&t->body, hs_buf_bytes(&records[sent]));
        Hallsync__PeerStates *states = states_of(t);
        states->last = false;
        say_states(t, states);
        hs_buf_reset(&t->body);
    }
    for (size_t i = 0; i < count; i++)
        hs_buf_fini(&records[i]);
    assert_int_equal(puppet_ended(&t->p), HS_ECREDIT);
    assert_in_range(sent, HS_CREDIT_BYTES_MIN / sizeof text, count - 1);
}

static void one_record_of_a_lane_is_in_parts_at_a_time(void **state)
{
    struct table *t = *state;
    struct hs_stream region = world_write_text(t->supplier, HS_PARTITION_REGION, HS_LANE_PEOPLE, "everywhere");
    list_up_to(t, 2);
    say_heads(t, puppet_fill_heads(&t->p, HS_PARTITION_REGION, HS_LANE_PEOPLE, puppet_signed_head(&t->p, &region, 1)));
    puppet_let_store(&t->p);
    put_record(t, &t->customers, 1, "a customer");
    t->body.size -= 4;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(puppet_ended(&t->p), HS_OK);
        Hallsync__PeerStates *states = states_of(t);
        states->partial = true;
        states->last = false;
        states->partition = i == 0 ? 3201 : HS_PARTITION_REGION;
        say_states(t, states);
    }
    assert_refused(t, HS_EMALFORMED);
}

/* ---- questions ---- */

struct asking {
    struct world *w;
    struct world_node *hub, *hall; /* the hall is the puppet's */
    struct puppet p;
};

static void set_asking(struct asking *t)
{
    static const hs_partition MANY[] = {3201, 3202, 3203, 3204, 3205, 3206};
    *t = (struct asking){.w = world_new(1)};
    t->hub = world_hub(t->w, "hub-1");
    t->hall = world_hall(t->w, "hall-1", MANY, 6);
    world_start(t->hub);
    for (unsigned i = 0; i < 6; i++)
        world_write_text(t->hub, MANY[i], HS_LANE_PEOPLE, "a customer");
    puppet_dial(&t->p, t->hall, t->hub);
}

static void clear_asking(struct asking *t)
{
    puppet_fini(&t->p);
    world_free(t->w);
}

static void ask(struct asking *t, hs_partition partition, uint32_t lane, const char *after)
{
    Hallsync__PeerFill fill = HALLSYNC__PEER_FILL__INIT;
    fill.partition = partition;
    fill.lane = lane;
    fill.has_after = after != NULL;
    fill.after = puppet_data(after, after == NULL ? 0 : strlen(after));
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_FILL, &fill.base);
}

static void only_the_scope_is_supplied(void **state)
{
    (void)state;
    struct asking t;
    set_asking(&t);
    puppet_greet(&t.p);
    ask(&t, 3299, HS_LANE_PEOPLE, NULL);
    assert_int_equal(puppet_ended(&t.p), HS_ESCOPE);
    clear_asking(&t);
}

static void questions_have_a_form(void **state)
{
    (void)state;
    static const struct {
        hs_partition partition;
        uint32_t lane;
        const char *after;
    } BAD[] = {{3201, 5, NULL},
               {12000, HS_LANE_PEOPLE, NULL},
               {3201, HS_LANE_PEOPLE, "x"},
               {3201, HS_LANE_PEOPLE, "\x0c\x82\x03\x01\x01id"}};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        struct asking t;
        set_asking(&t);
        puppet_greet(&t.p);
        ask(&t, BAD[i].partition, BAD[i].lane, BAD[i].after);
        assert_int_equal(puppet_ended(&t.p), HS_EMALFORMED);
        clear_asking(&t);
    }
}

static void a_supplier_has_four_of_a_lane_at_a_time(void **state)
{
    (void)state;
    struct asking t;
    set_asking(&t);
    t.hub->records_late = 1; /* so that none ends */
    puppet_greet(&t.p);
    for (hs_partition partition = 3201; partition <= 3205; partition++)
        ask(&t, partition, HS_LANE_PEOPLE, NULL);
    const Hallsync__PeerFillHeads *heads, *last = NULL;
    struct hs_peer_status status;
    while ((heads = puppet_hear(&t.p, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS)) != NULL)
        last = heads;
    assert_string_equal(last->error, "busy");
    assert_true(world_status(t.hub, t.p.link->peer[1], &status));
    assert_int_equal(status.supplying, 4);
    assert_int_equal(puppet_ended(&t.p), HS_OK);
    ask(&t, 3201, HS_LANE_PEOPLE, NULL); /* twice the same */
    assert_int_equal(puppet_ended(&t.p), HS_EMALFORMED);
    clear_asking(&t);
}

static void what_is_wanted_as_states_is_named_well(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct asking t;
        static uint32_t filling[HS_FILLS_MAX + 1];
        set_asking(&t);
        Hallsync__PeerHello *hello = puppet_hello(&t.p);
        for (size_t k = 0; k <= HS_FILLS_MAX; k++)
            filling[k] = i == 0 ? 3201 * 256 + HS_LANE_PEOPLE : 3201 * 256;
        hello->filling = filling;
        hello->n_filling = i == 0 ? HS_FILLS_MAX + 1 : 1;
        puppet_say(&t.p, HALLSYNC__PEER_TYPE__PEER_HELLO, &hello->base);
        assert_int_equal(world_last_notice(t.hub, HS_NOTICE_REFUSED)->err, HS_EMALFORMED);
        clear_asking(&t);
    }
}

static void only_hubs_supply(void **state)
{
    struct table *t = *state;
    Hallsync__PeerFill fill = HALLSYNC__PEER_FILL__INIT;
    fill.partition = 3201;
    fill.lane = HS_LANE_PEOPLE;
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_FILL, &fill.base);
    const Hallsync__PeerFillHeads *heads = puppet_hear(&t->p, HALLSYNC__PEER_TYPE__PEER_FILL_HEADS);
    assert_string_equal(heads->error, "not-a-hub");
}

static void money_is_never_pruned(void **state)
{
    struct table *t = *state;
    Hallsync__PeerPruned pruned = HALLSYNC__PEER_PRUNED__INIT;
    struct hs_stream paid = world_write_text(t->supplier, 3201, HS_LANE_MONEY, "paid");
    pruned.head = puppet_head(&t->p, &paid, 1, world_store_find(&t->supplier->store, &paid)->ops[0].hash.bytes);
    puppet_say(&t->p, HALLSYNC__PEER_TYPE__PEER_PRUNED, &pruned.base);
    assert_refused(t, HS_EMALFORMED);
}

#define AS(name, setup) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define BOTH(name)      AS(name, lie_of_a_hub), AS(name, lie_of_a_hall)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(what_is_in_order_is_taken),
        BOTH(heads_must_have_been_asked_for),
        BOTH(an_opening_comes_ahead_of_a_head),
        BOTH(a_head_is_signed_by_its_writer),
        BOTH(a_head_is_of_the_partition_and_lane),
        BOTH(heads_of_a_list_ascend),
        cmocka_unit_test(a_list_comes_once_and_first),
        BOTH(an_update_is_signed_as_well),
        BOTH(heads_cost_credit),
        BOTH(a_head_of_our_own_that_we_do_not_know_is_told),
        BOTH(states_come_behind_the_list),
        BOTH(no_record_names_what_nobody_has_signed),
        BOTH(an_update_lets_states_name_more),
        BOTH(no_record_names_an_origin_that_was_not_told),
        cmocka_unit_test(records_are_of_the_partition_and_lane),
        BOTH(records_ascend),
        BOTH(a_payment_in_another_lane_comes_as_what_it_is),
        BOTH(no_states_are_taken_for_the_lane_of_money),
        BOTH(a_state_has_one_form),
        BOTH(a_record_has_a_limit),
        cmocka_unit_test(states_are_what_they_say),
        BOTH(states_cost_credit),
        BOTH(one_record_of_a_lane_is_in_parts_at_a_time),
        cmocka_unit_test(only_the_scope_is_supplied),
        cmocka_unit_test(questions_have_a_form),
        cmocka_unit_test(a_supplier_has_four_of_a_lane_at_a_time),
        cmocka_unit_test(what_is_wanted_as_states_is_named_well),
        AS(only_hubs_supply, lie_of_a_hub),
        BOTH(money_is_never_pruned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
