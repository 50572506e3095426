/* records_decision_test.c -- storage/records: what people decide about records that break a rule, and what counts then.
 */
#include "tests/unit/records_world.h"

#include "proto/base/hash.h"
#include "storage/model/record.h"

#define BEADS "beads" /* a way of paying that this version does not know */

enum { RELEASE = 1, REJECT = 2 };

static struct hs_record_name name_of(uint16_t kind, struct hs_bytes id)
{
    return (struct hs_record_name){3201, (uint8_t)hs_kind_by_number(kind)->lane, kind, id};
}

static struct hs_standing standing_of(struct world *world, const struct hs_record_name *name)
{
    struct hs_standing standing;
    struct hs_stored stored;
    assert_int_equal(hs_records_get(world_txn(world), name, &stored), HS_OK);
    assert_int_equal(hs_records_standing(world_txn(world), &stored, &standing), HS_OK);
    return standing;
}

static void pay_in(struct world *world, uint64_t origin, uint64_t number, int64_t fen, const char *method)
{
    struct hs_buf message = {0};
    struct hs_id id = id_of(number);
    hs_tlv_put_text(&message, 2, "3201000001");
    hs_tlv_put_u64(&message, 3, (uint64_t)fen);
    hs_tlv_put_text(&message, 4, "B1");
    hs_tlv_put_text(&message, 5, method);
    hs_tlv_put_u64(&message, 6, 3);
    world_fact(world, origin, 3201, HS_KIND_PAYMENT, HS_BYTES(id.bytes, sizeof id.bytes), &message);
    hs_buf_fini(&message);
}

/* A world with one payment that is parked, number 1; its name. */
static struct hs_record_name open_with_parked(struct world *world)
{
    static struct hs_id id;
    id = id_of(1);
    world_open(world);
    pay_in(world, 1, 1, 500, BEADS);
    return name_of(HS_KIND_PAYMENT, HS_BYTES(id.bytes, sizeof id.bytes));
}

struct deciding {
    uint64_t number; /* of the decision */
    int verdict;
    uint64_t follows; /* another's number; 0: none */
    struct hs_standing standing;
};

static void decide(struct world *world, const struct hs_record_name *name, const struct deciding *deciding)
{
    struct hs_buf fact = {0};
    struct hs_id id = id_of(deciding->number), follows = id_of(deciding->follows);
    hs_tlv_put_u64(&fact, 2, name->lane);
    hs_tlv_put_u64(&fact, 3, name->kind);
    hs_tlv_put_bytes(&fact, 4, name->id);
    hs_tlv_put_text(&fact, 5, deciding->verdict == RELEASE ? "release" : "reject");
    hs_tlv_put_bytes(&fact, 6, HS_BYTES(deciding->standing.contents.bytes, HS_HASH_BYTES));
    hs_tlv_put_bytes(&fact, 7, HS_BYTES(deciding->standing.flaw.bytes, HS_HASH_BYTES));
    if (deciding->follows != 0)
        hs_tlv_put_bytes(&fact, 8, HS_BYTES(follows.bytes, sizeof follows.bytes));
    hs_tlv_put_text(&fact, 9, "Zhao");
    hs_tlv_put_text(&fact, 10, "the slip was seen");
    world_fact(world, 9, name->partition, HS_KIND_DECISION, HS_BYTES(id.bytes, sizeof id.bytes), &fact);
    hs_buf_fini(&fact);
}

static void now_decide(struct world *world, const struct hs_record_name *name, uint64_t number, int verdict,
                       uint64_t follows)
{
    struct deciding deciding = {number, verdict, follows, standing_of(world, name)};
    decide(world, name, &deciding);
    world_verify(world);
}

static void expect_sums(struct world *world, uint64_t count, int64_t fen, uint64_t reversed)
{
    struct hs_bill_sums bill;
    expect_totals(totals_of(world, &(struct hs_totals_filter){0}), count, fen, reversed, reversed != 0 ? fen : 0);
    expect_totals(totals_of(world, &(struct hs_totals_filter){.account = "3201000001"}), count, fen, reversed,
                  reversed != 0 ? fen : 0);
    assert_int_equal(hs_records_bill(world_txn(world), "3201000001", TEXT("B1"), &bill), HS_OK);
    assert_int_equal(bill.paid_fen, reversed != 0 ? 0 : fen);
    assert_int_equal(count_index(world, HS_KIND_PAYMENT, "account", TEXT("3201000001")), count);
}

/* ---- money ---- */

static void a_released_payment_counts_and_a_rejected_one_does_not(void **state)
{
    (void)state;
    struct world world;
    struct hs_record_name name = open_with_parked(&world);
    put_bill(&world, 1, "B1", "3201000001", "#500", NULL);
    put_reversal(&world, 1, 77, 1, 3201);
    expect_sums(&world, 0, 0, 0);
    assert_true(standing_of(&world, &name).may_release);

    now_decide(&world, &name, 50, RELEASE, 0);
    expect_sums(&world, 1, 500, 1);
    assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 0);
    assert_int_equal(look_at_list(&world, HS_LIST_DECISION).count, 1);
    assert_int_equal(standing_of(&world, &name).verdict, HS_VERDICT_RELEASED);

    now_decide(&world, &name, 51, REJECT, 50); /* a later one takes its place */
    expect_sums(&world, 0, 0, 0);
    assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 0);
    assert_int_equal(look_at_list(&world, HS_LIST_DECISION).count, 2);
    now_decide(&world, &name, 52, RELEASE, 51);
    expect_sums(&world, 1, 500, 1);
    world_close(&world);
}

static void what_cannot_be_counted_is_not_whoever_decides_so(void **state)
{
    (void)state;
    struct world world;
    struct hs_id none = id_of(1), elsewhere = id_of(2);
    struct hs_record_name nothing = name_of(HS_KIND_PAYMENT, HS_BYTES(none.bytes, sizeof none.bytes));
    struct hs_record_name misplaced = name_of(HS_KIND_PAYMENT, HS_BYTES(elsewhere.bytes, sizeof elsewhere.bytes));
    struct hs_buf message = {0};
    world_open(&world);
    pay_in(&world, 1, 1, -500, BEADS);
    hs_tlv_put_text(&message, 2, "3301000001");
    hs_tlv_put_u64(&message, 3, 100);
    world_fact(&world, 1, 3201, HS_KIND_PAYMENT, misplaced.id, &message);
    hs_buf_fini(&message);
    assert_false(standing_of(&world, &nothing).may_release);
    assert_false(standing_of(&world, &misplaced).may_release);
    assert_string_equal(standing_of(&world, &misplaced).why.text, "lies in district 3201 and belongs to 3301");
    now_decide(&world, &nothing, 50, RELEASE, 0);
    now_decide(&world, &misplaced, 51, RELEASE, 0);
    expect_sums(&world, 0, 0, 0);
    assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 2);
    now_decide(&world, &misplaced, 52, REJECT, 51);
    assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 1);
    struct hs_stored stored; /* who sends it again to its own district must not be told that it is there */
    assert_int_equal(hs_records_find(world_txn(&world), HS_KIND_PAYMENT, misplaced.id, &stored), HS_ENOTFOUND);
    world_close(&world);
}

/* What was decided about was another content of the same id. */
static void another_content_is_decided_about_anew(void **state)
{
    (void)state;
    for (int verdict = RELEASE; verdict <= REJECT; verdict++) {
        struct world world;
        struct hs_record_name name = open_with_parked(&world);
        struct hs_standing seen = standing_of(&world, &name);
        now_decide(&world, &name, 50, verdict, 0);
        for (int64_t fen = 501; fen < 560; fen++) /* until one of them has the lower hash and shows */
            pay_in(&world, 1, 1, fen, BEADS);
        world_verify(&world);
        struct hs_standing now = standing_of(&world, &name);
        assert_false(hs_hash_equal(&seen.contents, &now.contents));
        assert_true(hs_hash_equal(&seen.flaw, &now.flaw)); /* and that says nothing */
        assert_int_equal(now.verdict, HS_VERDICT_NONE);
        assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 1);
        expect_sums(&world, 0, 0, 0);
        world_close(&world);
    }
}

/* ---- decided apart from each other ---- */

static void contrary_decisions_converge_and_are_told(void **state)
{
    (void)state;
    struct world worlds[2];
    struct hs_record_name name;
    struct deciding deciding[2] = {{.number = 50, .verdict = RELEASE}, {.number = 51, .verdict = REJECT}};
    for (int i = 0; i < 2; i++) {
        struct world *world = &worlds[i];
        name = open_with_parked(world);
        hs_stamp stamp = world->stamp;
        for (int k = 0; k < 2; k++) {
            int one = k ^ i; /* they come in another order */
            deciding[one].standing = standing_of(world, &name);
            world->stamp = stamp + (hs_stamp)(one + 1);
            decide(world, &name, &deciding[one]);
        }
        world_verify(world);
        struct hs_standing standing = standing_of(world, &name);
        assert_int_equal(standing.verdict, HS_VERDICT_REJECTED); /* the later */
        assert_true(standing.is_disputed);
        assert_string_equal(look_at_list(world, HS_LIST_PARKED).detail, "bad-value");
        expect_sums(world, 0, 0, 0);
    }
    world_close(&worlds[1]);

    struct hs_buf follows = {0};
    struct hs_id both[2] = {id_of(50), id_of(51)};
    worlds[0].stamp += 1 << 20;
    hs_buf_put(&follows, both, sizeof both);
    struct hs_buf fact = {0}; /* who knows both decides */
    struct hs_standing standing = standing_of(&worlds[0], &name);
    struct hs_id third = id_of(52);
    hs_tlv_put_u64(&fact, 2, name.lane);
    hs_tlv_put_u64(&fact, 3, name.kind);
    hs_tlv_put_bytes(&fact, 4, name.id);
    hs_tlv_put_text(&fact, 5, "release");
    hs_tlv_put_bytes(&fact, 6, HS_BYTES(standing.contents.bytes, HS_HASH_BYTES));
    hs_tlv_put_bytes(&fact, 8, hs_buf_bytes(&follows));
    hs_tlv_put_text(&fact, 9, "Qian");
    hs_tlv_put_text(&fact, 10, "both were asked");
    world_fact(&worlds[0], 9, 3201, HS_KIND_DECISION, HS_BYTES(third.bytes, sizeof third.bytes), &fact);
    world_verify(&worlds[0]);
    assert_false(standing_of(&worlds[0], &name).is_disputed);
    assert_int_equal(look_at_list(&worlds[0], HS_LIST_PARKED).count, 0);
    expect_sums(&worlds[0], 1, 500, 0);
    hs_buf_fini(&fact);
    hs_buf_fini(&follows);
    world_close(&worlds[0]);
}

/* A decision may be here before its record. */
static void a_decision_waits_for_its_record(void **state)
{
    (void)state;
    struct world first, second;
    struct hs_record_name name = open_with_parked(&first);
    struct deciding deciding = {50, RELEASE, 0, standing_of(&first, &name)};
    world_close(&first);
    world_open(&second);
    decide(&second, &name, &deciding);
    world_verify(&second);
    expect_sums(&second, 0, 0, 0);
    pay_in(&second, 1, 1, 500, BEADS);
    world_verify(&second);
    expect_sums(&second, 1, 500, 0);
    world_close(&second);
}

/* ---- register records ---- */

static void a_released_customer_stays_so_while_others_of_its_fields_change(void **state)
{
    (void)state;
    struct world world;
    struct hs_record_name name = name_of(HS_KIND_CUSTOMER, TEXT("3201000001"));
    world_open(&world);
    struct hs_dot dot = world_register(
        &world, 1, HS_KIND_CUSTOMER, "3201000001",
        (const char *const[8]){"3201000001", "Li", "1", NULL, NULL, "card-1", NULL, "suspended"}, NULL);
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "card_no", TEXT("card-1")), 0);
    now_decide(&world, &name, 50, RELEASE, 0);
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "card_no", TEXT("card-1")), 1);
    world_register(&world, 1, HS_KIND_CUSTOMER, "3201000001", (const char *const[8]){NULL, NULL, "2"}, &dot);
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "card_no", TEXT("card-1")), 1);
    assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 0);
    world_register(&world, 1, HS_KIND_CUSTOMER, "3201000001",
                   (const char *const[8]){NULL, NULL, NULL, NULL, NULL, NULL, NULL, "hidden"}, &dot);
    assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 1); /* another fault than was let pass */
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "card_no", TEXT("card-1")), 0);
    world_verify(&world);
    now_decide(&world, &name, 51, REJECT, 50);
    assert_int_equal(look_at_list(&world, HS_LIST_PARKED).count, 0);
    world_register(&world, 2, HS_KIND_CUSTOMER, "3201000001",
                   (const char *const[8]){NULL, NULL, NULL, NULL, NULL, NULL, NULL, "on"}, NULL);
    assert_int_equal(count_index(&world, HS_KIND_CUSTOMER, "card_no", TEXT("card-1")), 1); /* mended: it counts */
    world_verify(&world);
    world_close(&world);
}

/* A hub that writes one after the other slows nobody down: so many are looked at, the same ones everywhere. */
static void more_decisions_than_are_looked_at(void **state)
{
    (void)state;
    struct world world;
    struct hs_record_name name = open_with_parked(&world);
    struct deciding deciding = {.verdict = RELEASE, .standing = standing_of(&world, &name)};
    for (deciding.number = 1000; deciding.number < 1000 + HS_FOLLOWS_MAX; deciding.number++)
        decide(&world, &name, &deciding);
    deciding.verdict = REJECT;
    decide(&world, &name, &deciding); /* one too many, by its id */
    expect_sums(&world, 1, 500, 0);
    deciding.number = 7;
    decide(&world, &name, &deciding);
    expect_sums(&world, 0, 0, 0);
    assert_int_equal(look_at_list(&world, HS_LIST_DECISION).count, HS_FOLLOWS_MAX + 2);
    world_verify(&world);
    world_close(&world);
}

/* Only hubs decide: by a hall it is void, and by nobody is there any about a decision. */
static void a_hall_decides_nothing(void **state)
{
    (void)state;
    struct world world;
    struct hs_id decision = id_of(50);
    struct hs_record_name name = open_with_parked(&world);
    struct hs_buf fact = {0}, bytes = {0};
    struct hs_standing standing = standing_of(&world, &name);
    hs_tlv_put_u64(&fact, 2, name.lane);
    hs_tlv_put_u64(&fact, 3, name.kind);
    hs_tlv_put_bytes(&fact, 4, name.id);
    hs_tlv_put_text(&fact, 5, "release");
    hs_tlv_put_bytes(&fact, 6, HS_BYTES(standing.contents.bytes, HS_HASH_BYTES));
    hs_tlv_put_text(&fact, 9, "Zhao");
    hs_tlv_put_text(&fact, 10, "because");
    struct hs_write write = {.kind = HS_KIND_DECISION,
                             .id = HS_BYTES(decision.bytes, sizeof decision.bytes),
                             .is_fact = true,
                             .fact = hs_buf_bytes(&fact)};
    struct hs_op op = {.stamp = world.stamp, .writes = &write, .write_count = 1};
    hs_op_encode(&op, &bytes);
    struct hs_records_op record = {
        .stream = {7, 3201, HS_LANE_MONEY}, .n = 1, .bytes = hs_buf_bytes(&bytes), .writer = &WORLD_HALL};
    assert_int_equal(hs_records_apply(world.records, &record), HS_OK);
    world_verify(&world);
    expect_sums(&world, 0, 0, 0);
    assert_int_equal(look_at_list(&world, HS_LIST_VOID).count, 1);
    assert_int_equal(look_at_list(&world, HS_LIST_DECISION).count, 0);
    hs_buf_fini(&fact);
    hs_buf_fini(&bytes);
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_released_payment_counts_and_a_rejected_one_does_not),
        cmocka_unit_test(what_cannot_be_counted_is_not_whoever_decides_so),
        cmocka_unit_test(another_content_is_decided_about_anew),
        cmocka_unit_test(contrary_decisions_converge_and_are_told),
        cmocka_unit_test(a_decision_waits_for_its_record),
        cmocka_unit_test(a_released_customer_stays_so_while_others_of_its_fields_change),
        cmocka_unit_test(more_decisions_than_are_looked_at),
        cmocka_unit_test(a_hall_decides_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
