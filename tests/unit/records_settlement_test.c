/* records_settlement_test.c -- storage/records: refunds and credits by the owner of a district, and by others; what
 * two of them do who do not know of each other; in whatever order they and the grants come. */
#include "tests/unit/records_world.h"

#define ACCOUNT "3201000001"

static const struct hs_certificate OWNER = {.role = HS_ROLE_HUB, .node_id = "hub-1"};
static const struct hs_certificate OTHER = {.role = HS_ROLE_HUB, .node_id = "hub-2"};

/* Origins: 1 and 5 are lives of hub-1, 2 is hub-2's. */
static void write_as(struct world *world, uint64_t origin)
{
    world->writer = origin == 2 ? &OTHER : &OWNER;
}

static void put_grant(struct world *world, const char *district, uint64_t number, const char *owner)
{
    struct hs_buf message = {0};
    struct hs_id id;
    hs_tlv_put_text(&message, 2, district);
    hs_tlv_put_u64(&message, 3, number);
    hs_tlv_put_text(&message, 4, owner);
    hs_tlv_put_text(&message, 5, "Director Wang");
    hs_kind_id(hs_kind_by_number(HS_KIND_GRANT), hs_buf_bytes(&message), &id);
    world->writer = NULL;
    world_fact(world, 9, HS_PARTITION_REGION, HS_KIND_GRANT, HS_BYTES(id.bytes, sizeof id.bytes), &message);
    hs_buf_fini(&message);
}

struct settling {
    uint64_t origin, payment; /* 0: none */
    int64_t fen;
    uint64_t grant;
    const char *bill, *to_bill;
    bool is_credit;
    const struct hs_id *after;
};

static struct hs_id put_settlement(struct world *world, const struct settling *settling)
{
    struct hs_buf message = {0}, fact = {0};
    struct hs_id id, payment = id_of(settling->payment);
    hs_tlv_put_text(&message, 2, ACCOUNT);
    if (settling->bill != NULL)
        hs_tlv_put_text(&message, 3, settling->bill);
    hs_tlv_put_bytes(&fact, 1, HS_BYTES(payment.bytes, sizeof payment.bytes));
    if (settling->payment != 0)
        hs_tlv_put_bytes(&message, 4, hs_buf_bytes(&fact));
    hs_tlv_put_u64(&message, 5, (uint64_t)settling->fen);
    hs_tlv_put_text(&message, 6, settling->is_credit ? "credit" : "refund");
    hs_tlv_put_text(&message, 7, "paid twice");
    hs_tlv_put_text(&message, 8, "Li Min");
    hs_tlv_put_text(&message, 9, "T-1");
    hs_tlv_put_u64(&message, 10, 3);
    if (settling->after != NULL)
        hs_tlv_put_bytes(&message, 12, HS_BYTES(settling->after->bytes, sizeof settling->after->bytes));
    hs_tlv_put_u64(&message, 13, settling->grant);
    if (settling->to_bill != NULL)
        hs_tlv_put_text(&message, 14, settling->to_bill);
    hs_kind_id(hs_kind_by_number(HS_KIND_SETTLEMENT), hs_buf_bytes(&message), &id);
    write_as(world, settling->origin);
    world_fact(world, settling->origin, 3201, HS_KIND_SETTLEMENT, HS_BYTES(id.bytes, sizeof id.bytes), &message);
    world->writer = NULL;
    hs_buf_fini(&message);
    hs_buf_fini(&fact);
    return id;
}

static struct hs_bill_sums bill_sums(struct world *world, const char *bill)
{
    struct hs_bill_sums sums;
    assert_int_equal(hs_records_bill(world_txn(world), ACCOUNT, HS_BYTES(bill, strlen(bill)), &sums), HS_OK);
    return sums;
}

static void paid_twice(struct world *world)
{
    world_open(world);
    put_bill(world, 1, "B1", ACCOUNT, "#100", NULL);
    put_payment(world, 1, 1, ACCOUNT, 100, "B1");
    put_payment(world, 2, 2, ACCOUNT, 100, "B1");
    assert_int_equal(look_at_list(world, HS_LIST_OVERPAID).row.amount_fen, 100);
}

static void expect_settled(struct world *world, const struct hs_totals_filter *filter, uint64_t count, int64_t fen)
{
    struct hs_totals totals = totals_of(world, filter);
    assert_int_equal(totals.settled_count, count);
    assert_int_equal(totals.settled_fen, fen);
}

static void a_refund_by_the_owner_takes_the_overpayment_away(void **state)
{
    (void)state;
    struct world world;
    paid_twice(&world);
    put_grant(&world, "3201", 1, "hub-1");
    put_settlement(&world, &(struct settling){.origin = 1, .payment = 2, .fen = 40, .grant = 1, .bill = "B1"});
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 60);
    assert_int_equal(look_at_list(&world, HS_LIST_NOT_OWNER).count, 0);
    assert_int_equal(bill_sums(&world, "B1").paid_fen, 160);
    assert_int_equal(bill_sums(&world, "B1").settled_fen, 40);
    expect_settled(&world, &(struct hs_totals_filter){0}, 1, 40);
    expect_settled(&world, &(struct hs_totals_filter){.account = ACCOUNT}, 1, 40);
    expect_settled(&world, &(struct hs_totals_filter){.account = ACCOUNT, .has_window = true, .window = 3}, 1, 40);
    expect_settled(&world, &(struct hs_totals_filter){.account = ACCOUNT, .has_window = true, .window = 4}, 0, 0);
    expect_settled(&world, &(struct hs_totals_filter){.has_window = true, .window = 3}, 1, 40);
    world_verify(&world);
    world_close(&world);
}

static enum hs_err count_unpaid(void *ctx, struct hs_bytes account, const struct hs_record_name *bill)
{
    assert_true(hs_bytes_equal(account, TEXT(ACCOUNT)));
    assert_true(hs_bytes_equal(bill->id, TEXT("B1")));
    ++*(size_t *)ctx;
    return HS_OK;
}

static size_t unpaid_bills(struct world *world)
{
    size_t count = 0;
    struct hs_unpaid_scan scan = {.accounts = 100};
    assert_int_equal(hs_records_unpaid(world_txn(world), &scan, count_unpaid, &count), HS_OK);
    return count;
}

/* One payment was given back, and the other taken back by somebody who had not heard of it: nobody has paid. */
static void a_bill_whose_money_went_back_is_not_paid_off(void **state)
{
    (void)state;
    struct world world;
    paid_twice(&world);
    put_grant(&world, "3201", 1, "hub-1");
    put_settlement(&world, &(struct settling){.origin = 1, .payment = 2, .fen = 100, .grant = 1, .bill = "B1"});
    assert_int_equal(unpaid_bills(&world), 0);
    put_reversal(&world, 1, 50, 1, 3201);
    assert_int_equal(bill_sums(&world, "B1").paid_fen, 0);
    assert_int_equal(unpaid_bills(&world), 1);
    world_close(&world);
}

static void others_refund_nothing_and_are_listed(void **state)
{
    (void)state;
    struct world world;
    paid_twice(&world);
    put_settlement(&world, &(struct settling){.origin = 2, .payment = 2, .fen = 100, .grant = 1, .bill = "B1"});
    struct listed listed = look_at_list(&world, HS_LIST_NOT_OWNER);
    assert_int_equal(listed.count, 1);
    assert_int_equal(listed.row.amount_fen, 100);
    assert_string_equal(listed.detail, "hub-2");
    put_grant(&world, "3201", 1, "hub-1");
    put_grant(&world, "3301", 2, "hub-2"); /* of another district */
    assert_int_equal(look_at_list(&world, HS_LIST_NOT_OWNER).count, 1);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 100);
    world_verify(&world);
    put_grant(&world, "3201", 2, "hub-2"); /* it named the first grant, not this one */
    assert_int_equal(look_at_list(&world, HS_LIST_NOT_OWNER).count, 1);
    expect_settled(&world, &(struct hs_totals_filter){0}, 0, 0);
    world_verify(&world);
    world_close(&world);
}

/* A refund made before the district was handed on counts after it. */
static void a_grant_makes_what_came_before_it_count(void **state)
{
    (void)state;
    struct world world;
    paid_twice(&world);
    put_settlement(&world, &(struct settling){.origin = 1, .payment = 2, .fen = 100, .grant = 1, .bill = "B1"});
    assert_int_equal(look_at_list(&world, HS_LIST_NOT_OWNER).count, 1);
    put_grant(&world, "3201", 2, "hub-2");
    assert_int_equal(look_at_list(&world, HS_LIST_NOT_OWNER).count, 1);
    put_grant(&world, "3201", 1, "hub-1");
    assert_int_equal(look_at_list(&world, HS_LIST_NOT_OWNER).count, 0);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 0);
    expect_settled(&world, &(struct hs_totals_filter){0}, 1, 100);
    world_verify(&world);
    world_close(&world);
}

static void of_two_refunds_at_once_one_counts(void **state)
{
    (void)state;
    struct world world;
    paid_twice(&world);
    put_grant(&world, "3201", 1, "hub-1");
    put_grant(&world, "3201", 2, "hub-2");
    /* hub-1 has not heard of it yet, and means the other payment */
    put_settlement(&world, &(struct settling){.origin = 1, .payment = 2, .fen = 100, .grant = 1, .bill = "B1"});
    expect_settled(&world, &(struct hs_totals_filter){0}, 1, 100);
    struct hs_id second = put_settlement(
        &world, &(struct settling){.origin = 2, .payment = 1, .fen = 70, .grant = 2, .bill = "B1"});
    expect_settled(&world, &(struct hs_totals_filter){0}, 1, 70); /* the later grant's */
    struct listed listed = look_at_list(&world, HS_LIST_SETTLED_TWICE);
    assert_int_equal(listed.count, 1);
    assert_int_equal(listed.row.amount_fen, 100);
    assert_string_equal(listed.detail, ACCOUNT);
    assert_int_equal(look_at_list(&world, HS_LIST_NOT_OWNER).count, 0);
    world_verify(&world);
    put_settlement(&world, &(struct settling){.origin = 2, .fen = 30, .grant = 2, .bill = "B1", .after = &second});
    expect_settled(&world, &(struct hs_totals_filter){0}, 2, 100);
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 0);
    world_verify(&world);
    world_close(&world);
}

/* By two lives of one owner, set back between: the lower id, whichever came first. */
static void of_two_by_one_grant_the_lower_id_counts(void **state)
{
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        struct world world;
        paid_twice(&world);
        put_grant(&world, "3201", 1, "hub-1");
        struct settling by_life[2] = {{.origin = 1, .payment = 2, .fen = 100, .grant = 1, .bill = "B1"},
                                      {.origin = 5, .payment = 1, .fen = 70, .grant = 1, .bill = "B1"}};
        struct hs_id ids[2];
        ids[turn] = put_settlement(&world, &by_life[turn]);
        ids[!turn] = put_settlement(&world, &by_life[!turn]);
        bool first = memcmp(ids[0].bytes, ids[1].bytes, sizeof ids[0].bytes) < 0;
        expect_settled(&world, &(struct hs_totals_filter){0}, 1, first ? 100 : 70);
        assert_int_equal(look_at_list(&world, HS_LIST_SETTLED_TWICE).row.amount_fen, first ? 70 : 100);
        world_verify(&world);
        world_close(&world);
    }
}

static void the_same_decision_twice_is_one(void **state)
{
    (void)state;
    struct world world;
    paid_twice(&world);
    put_grant(&world, "3201", 1, "hub-1");
    struct settling settling = {.origin = 1, .payment = 2, .fen = 100, .grant = 1, .bill = "B1"};
    struct hs_id first = put_settlement(&world, &settling);
    settling.origin = 5;
    struct hs_id again = put_settlement(&world, &settling);
    assert_memory_equal(first.bytes, again.bytes, sizeof first.bytes);
    expect_settled(&world, &(struct hs_totals_filter){0}, 1, 100);
    settling.fen = 60;
    put_settlement(&world, &settling); /* another amount under the same id: one of the two counts */
    assert_int_equal(totals_of(&world, &(struct hs_totals_filter){0}).settled_count, 1);
    assert_int_equal(look_at_list(&world, HS_LIST_FACT).count, 1);
    world_verify(&world);
    world_close(&world);
}

/* Late fees of days behind it do not count, unless it counts nowhere itself. */
static void a_credit_pays_a_bill_off(void **state)
{
    (void)state;
    struct world world;
    paid_twice(&world);
    put_grant(&world, "3201", 1, "hub-1");
    put_bill(&world, 1, "B2", ACCOUNT, "#80", NULL);
    put_bill(&world, 1, "B3", ACCOUNT, "#80", NULL);
    put_late_fee(&world, "B2", "2026-11-22", 20);
    put_late_fee(&world, "B3", "2026-11-22", 20);
    struct settling settling = {
        .origin = 1, .payment = 2, .fen = 80, .grant = 1, .bill = "B1", .to_bill = "B2", .is_credit = true};
    put_settlement(&world, &settling);
    settling = (struct settling){.origin = 2, .fen = 80, .grant = 1, .bill = "B4", .to_bill = "B3", .is_credit = true};
    put_settlement(&world, &settling); /* by nobody who may */
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 1);
    world.stamp += DAYS(2);
    put_payment(&world, 1, 8, ACCOUNT, 5, "B2");
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 2);
    put_payment(&world, 1, 9, ACCOUNT, 85, "B3");
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 2); /* it asks for 100 */
    world_verify(&world);
    world_close(&world);
}

static void a_credit_moves_between_bills_and_takes_no_money_out(void **state)
{
    (void)state;
    struct world world;
    paid_twice(&world);
    put_bill(&world, 1, "B2", ACCOUNT, "#80", NULL);
    put_grant(&world, "3201", 1, "hub-1");
    put_settlement(
        &world,
        &(struct settling){
            .origin = 1, .payment = 2, .fen = 80, .grant = 1, .bill = "B1", .to_bill = "B2", .is_credit = true});
    assert_int_equal(bill_sums(&world, "B1").paid_fen, 120);
    assert_int_equal(bill_sums(&world, "B2").paid_fen, 80);
    expect_settled(&world, &(struct hs_totals_filter){0}, 0, 0);
    expect_settled(&world, &(struct hs_totals_filter){.account = ACCOUNT}, 0, 0);
    world_verify(&world);
    world_close(&world);
}

/* ---- in whatever order ---- */

static struct hs_id first_id;

static void put_piece(struct world *world, unsigned piece)
{
    switch (piece) {
    case 0:
        put_bill(world, 1, "B1", ACCOUNT, "#100", NULL);
        break;
    case 1:
        put_payment(world, 1, 1, ACCOUNT, 250, "B1");
        break;
    case 2:
        put_grant(world, "3201", 1, "hub-1");
        break;
    case 3:
        put_grant(world, "3201", 2, "hub-2");
        break;
    case 4:
        first_id = put_settlement(world,
                                  &(struct settling){.origin = 1, .payment = 1, .fen = 30, .grant = 1, .bill = "B1"});
        break;
    case 5:
        put_settlement(world, &(struct settling){.origin = 2, .fen = 20, .grant = 2, .bill = "B1", .after = &first_id});
        break;
    case 6:
        put_settlement(world, &(struct settling){
                                  .origin = 5, .payment = 7, .fen = 10, .grant = 1, .bill = "B1", .after = &first_id});
        break;
    default:
        put_settlement(world, &(struct settling){.origin = 2, .fen = 50, .grant = 1});
        break;
    }
}

/* It pays nothing, but is one more that names the bill: of more than 64 no late fee is left out. */
static void one_that_counts_nothing_bounds_the_look_at_late_fees(void **state)
{
    (void)state;
    struct world world;
    paid_twice(&world);
    put_late_fee(&world, "B1", "2199-12-01", 600);
    for (uint64_t number = 3; number <= 64; number++)
        put_payment(&world, 1, number, "3201000002", 10, "B1");
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 100);
    put_settlement(&world, &(struct settling){.origin = 2, .payment = 2, .fen = 1, .grant = 1, .bill = "B1"});
    assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).count, 0);
    world_verify(&world);
    world_close(&world);
}

static void the_order_does_not_matter(void **state)
{
    (void)state;
    enum { PIECES = 8, ORDERS = 120 };
    uint64_t random = 20261122;
    struct world names;
    world_open(&names);
    put_piece(&names, 4); /* its id is known to those that follow it */
    world_close(&names);
    for (int order = 0; order < ORDERS; order++) {
        unsigned pieces[PIECES] = {0};
        struct world world;
        world_open(&world);
        for (unsigned i = 0; i < PIECES; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            unsigned at = (unsigned)((random >> 33) % (i + 1));
            pieces[i] = pieces[at];
            pieces[at] = i;
        }
        for (unsigned i = 0; i < PIECES; i++) {
            put_piece(&world, pieces[i]);
            world_verify(&world);
        }
        expect_settled(&world, &(struct hs_totals_filter){0}, 2, 50);
        assert_int_equal(bill_sums(&world, "B1").paid_fen, 200);
        assert_int_equal(look_at_list(&world, HS_LIST_OVERPAID).row.amount_fen, 100);
        assert_int_equal(look_at_list(&world, HS_LIST_SETTLED_TWICE).row.amount_fen, 10);
        assert_int_equal(look_at_list(&world, HS_LIST_NOT_OWNER).row.amount_fen, 50);
        world_close(&world);
    }
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(a_refund_by_the_owner_takes_the_overpayment_away),
        cmocka_unit_test(a_bill_whose_money_went_back_is_not_paid_off),
        cmocka_unit_test(others_refund_nothing_and_are_listed),
        cmocka_unit_test(a_grant_makes_what_came_before_it_count),
        cmocka_unit_test(of_two_refunds_at_once_one_counts),
        cmocka_unit_test(of_two_by_one_grant_the_lower_id_counts),
        cmocka_unit_test(the_same_decision_twice_is_one),
        cmocka_unit_test(a_credit_pays_a_bill_off),
        cmocka_unit_test(a_credit_moves_between_bills_and_takes_no_money_out),
        cmocka_unit_test(one_that_counts_nothing_bounds_the_look_at_late_fees),
        cmocka_unit_test(the_order_does_not_matter),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
