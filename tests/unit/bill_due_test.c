/* bill_due_test.c -- storage/model/bill_due.h: what payments give to bills and what bills ask for on a day, against
 * sums made the plain way; over random bills and payments, and over random bytes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/base/limits.h"
#include "proto/msg/tlv.h"
#include "storage/model/bill_due.h"
#include "storage/model/kinds.h"
#include "tests/lib/random.h"

#include <stdio.h>
#include <string.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define COUNT(array)  (sizeof(array) / sizeof *(array))

static void put_line(struct hs_buf *to, uint32_t field, const char *text, uint32_t number, int64_t fen)
{
    struct hs_buf line = {0};
    if (text != NULL)
        hs_tlv_put_text(&line, 1, text);
    hs_tlv_put_u64(&line, number, (uint64_t)fen);
    hs_tlv_put_bytes(to, field, hs_buf_bytes(&line));
    hs_buf_fini(&line);
}

/* ---- payments ---- */

struct taken {
    struct hs_part list[40];
    size_t count;
};

static void take(void *ctx, const struct hs_part *part)
{
    struct taken *taken = ctx;
    assert_true(taken->count < COUNT(taken->list));
    assert_true(part->fen > 0);
    taken->list[taken->count++] = *part;
}

static void a_bill_alone_gets_the_whole_amount(void **state)
{
    (void)state;
    struct hs_buf payment = {0};
    struct taken taken = {.count = 0};
    hs_tlv_put_u64(&payment, 3, 500);
    assert_int_equal(hs_payment_parts(hs_buf_bytes(&payment), take, &taken), 500);
    assert_int_equal(taken.count, 0);
    assert_int_equal(hs_payment_ahead(hs_buf_bytes(&payment)), 500);
    hs_tlv_put_text(&payment, 4, "B1");
    assert_int_equal(hs_payment_ahead(hs_buf_bytes(&payment)), 0);
    assert_int_equal(hs_payment_parts(hs_buf_bytes(&payment), take, &taken), 0);
    assert_int_equal(taken.count, 1);
    assert_int_equal(taken.list[0].fen, 500);
    assert_true(hs_bytes_equal(taken.list[0].bill_id, TEXT("B1")));
    hs_buf_fini(&payment);
}

static void topups_and_fees_are_not_paid_ahead(void **state)
{
    (void)state;
    static const char *const PURPOSES[] = {"topup", "fee", "advance"};
    for (size_t i = 0; i < COUNT(PURPOSES); i++) {
        struct hs_buf payment = {0};
        hs_tlv_put_u64(&payment, 3, 500);
        hs_tlv_put_text(&payment, 9, PURPOSES[i]);
        assert_int_equal(hs_payment_ahead(hs_buf_bytes(&payment)), i == 2 ? 500 : 0);
        hs_buf_fini(&payment);
    }
}

static void parts_get_theirs_and_the_rest_is_advance(void **state)
{
    (void)state;
    struct hs_buf payment = {0};
    struct taken taken = {.count = 0};
    hs_tlv_put_u64(&payment, 3, 500);
    put_line(&payment, 8, "B1", 2, 200);
    put_line(&payment, 8, "B2", 2, 250);
    assert_int_equal(hs_payment_parts(hs_buf_bytes(&payment), take, &taken), 50);
    assert_int_equal(taken.count, 2);
    assert_int_equal(hs_payment_gives(hs_buf_bytes(&payment), TEXT("B2")), 250);
    assert_int_equal(hs_payment_gives(hs_buf_bytes(&payment), TEXT("B")), 0);
    put_line(&payment, 8, "B3", 2, 100); /* a strange writer's: as far as the amount goes */
    put_line(&payment, 8, "B4", 2, 100);
    assert_int_equal(hs_payment_gives(hs_buf_bytes(&payment), TEXT("B3")), 50);
    assert_int_equal(hs_payment_gives(hs_buf_bytes(&payment), TEXT("B4")), 0);
    hs_buf_fini(&payment);
}

/* Nothing comes from nowhere: parts and rest are the amount, whatever the message. */
static void no_fen_is_made_or_lost(void **state)
{
    (void)state;
    for (int turn = 0; turn < 3000; turn++) {
        struct hs_buf payment = {0};
        struct taken taken = {.count = 0};
        int64_t amount = chance(90) ? (int64_t)random_below(1000) : -(int64_t)random_below(1000);
        int64_t given = 0;
        hs_tlv_put_u64(&payment, 3, (uint64_t)amount);
        if (chance(30))
            hs_tlv_put_text(&payment, 4, "B9");
        for (uint64_t i = random_below(6); i > 0; i--)
            put_line(&payment, 8, chance(95) ? PICK("B1", "B2", "B3") : NULL, 2,
                     chance(90) ? (int64_t)random_below(500) : INT64_MAX - (int64_t)random_below(3));
        if (chance(20) && payment.size > 0)
            payment.data[random_below(payment.size)] ^= (uint8_t)random_below(256);
        int64_t left = hs_payment_parts(hs_buf_bytes(&payment), take, &taken);
        for (size_t i = 0; i < taken.count; i++)
            given += taken.list[i].fen;
        int64_t read = hs_tlv_i64(hs_buf_bytes(&payment), 3, 0);
        assert_int_equal(given + left, read > 0 && read <= HS_AMOUNT_FEN_MAX ? read : 0);
        assert_true(left >= 0);
        hs_buf_fini(&payment);
    }
}

/* ---- bills ---- */

static struct hs_bill_asks asks_on(const struct hs_buf *bill, const struct hs_bill_paid *paid, size_t count,
                                   uint32_t today)
{
    struct hs_bill_asks asks;
    hs_bill_asks(hs_buf_bytes(bill), paid, count, today, &asks);
    return asks;
}

static void late_fees_come_with_their_days(void **state)
{
    (void)state;
    struct hs_buf bill = {0};
    hs_tlv_put_u64(&bill, 4, 10000);
    put_line(&bill, 7, "2026-12-15", 2, 30);
    put_line(&bill, 7, "2026-12-01", 2, 100);
    assert_int_equal(hs_bill_most(hs_buf_bytes(&bill)), 10130);
    assert_int_equal(asks_on(&bill, NULL, 0, 20261130).late_fen, 0);
    assert_int_equal(asks_on(&bill, NULL, 0, 20261201).late_fen, 100);
    assert_int_equal(asks_on(&bill, NULL, 0, 20261214).late_fen, 100);
    assert_int_equal(asks_on(&bill, NULL, 0, 20270101).late_fen, 130);
    assert_int_equal(asks_on(&bill, NULL, 0, 20270101).amount_fen, 10000);
    hs_buf_fini(&bill);
}

static void who_paid_in_time_owes_no_later_fee(void **state)
{
    (void)state;
    struct hs_buf bill = {0};
    hs_tlv_put_u64(&bill, 4, 10000);
    put_line(&bill, 7, "2026-12-01", 2, 100);
    put_line(&bill, 7, "2026-12-15", 2, 30);
    const struct hs_bill_paid in_time[] = {{20261120, 4000}, {20261130, 6000}};
    const struct hs_bill_paid on_the_day[] = {{20261201, 10000}};
    const struct hs_bill_paid with_the_fee[] = {{20261205, 10100}};
    const struct hs_bill_paid without_it[] = {{20261205, 10000}};
    assert_int_equal(asks_on(&bill, in_time, 2, 20270101).late_fen, 0);
    assert_int_equal(asks_on(&bill, in_time, 1, 20270101).late_fen, 130);
    assert_int_equal(asks_on(&bill, on_the_day, 1, 20270101).late_fen, 130); /* the fee was owed that day already */
    assert_int_equal(asks_on(&bill, with_the_fee, 1, 20270101).late_fen, 100);
    assert_int_equal(asks_on(&bill, without_it, 1, 20270101).late_fen, 130);
    hs_buf_fini(&bill);
}

static void what_was_cancelled_asks_for_nothing(void **state)
{
    (void)state;
    struct hs_buf bill = {0};
    hs_tlv_put_u64(&bill, 4, 10000);
    put_line(&bill, 7, "2026-12-01", 2, 100);
    size_t open = bill.size;
    hs_tlv_put_text(&bill, 8, "cancelled");
    assert_int_equal(hs_bill_end(hs_buf_bytes(&bill)), HS_BILL_CANCELLED);
    assert_int_equal(hs_bill_most(hs_buf_bytes(&bill)), 0);
    assert_int_equal(asks_on(&bill, NULL, 0, 20270101).amount_fen, 0);
    bill.size = open;
    hs_tlv_put_text(&bill, 8, "corrected"); /* in its place */
    assert_int_equal(hs_bill_end(hs_buf_bytes(&bill)), HS_BILL_STANDS);
    assert_int_equal(asks_on(&bill, NULL, 0, 20270101).late_fen, 100);
    hs_tlv_put_text(&bill, 9, "B2"); /* by another one */
    assert_int_equal(hs_bill_end(hs_buf_bytes(&bill)), HS_BILL_REPLACED);
    assert_int_equal(hs_bill_most(hs_buf_bytes(&bill)), 0);
    hs_buf_fini(&bill);
}

/* Days 1 to 28 of one month: with a walk from day to day as the oracle. */
static void fees_are_those_of_a_walk_from_day_to_day(void **state)
{
    (void)state;
    for (int turn = 0; turn < 2000; turn++) {
        struct hs_buf bill = {0};
        int64_t fees[29] = {0};
        int64_t paid_on[29] = {0};
        struct hs_bill_paid paid[6];
        size_t paid_count = random_below(COUNT(paid) + 1);
        int64_t amount = 1 + (int64_t)random_below(300);
        hs_tlv_put_u64(&bill, 4, (uint64_t)amount);
        for (uint64_t i = random_below(7); i > 0; i--) {
            char date[16];
            uint32_t day = (uint32_t)(1 + random_below(28));
            int64_t fen = 1 + (int64_t)random_below(40);
            snprintf(date, sizeof date, "2026-12-%02u", (unsigned)day);
            put_line(&bill, 7, date, 2, fen);
            fees[day] += fen;
        }
        put_line(&bill, 7, PICK("2026-13-01", "soon", "2026-02-30"), 2, 7); /* no days: no fees */
        for (size_t i = 0; i < paid_count; i++) {
            uint32_t day = (uint32_t)(1 + random_below(28));
            paid[i] = (struct hs_bill_paid){20261200 + day, (int64_t)random_below(200)};
            paid_on[day] += paid[i].fen;
        }
        int64_t late = 0, before = 0, last = 0;
        for (uint32_t day = 1; day <= 28; day++) {
            if (amount + late > before)
                late += fees[day];
            before += paid_on[day];
            struct hs_bill_asks asks = asks_on(&bill, paid, paid_count, 20261200 + day);
            assert_int_equal(asks.late_fen, late);
            assert_int_equal(asks.amount_fen, amount);
            assert_true(asks.late_fen >= last); /* it never gets less */
            last = asks.late_fen;
        }
        assert_true(amount + late <= hs_bill_most(hs_buf_bytes(&bill)));
        hs_buf_fini(&bill);
    }
}

static void any_bytes_are_read(void **state)
{
    static const uint8_t TAGS[] = {0x18, 0x3a, 0x42, 0x0a, 0x10, 0x05, 0x20};
    (void)state;
    for (int turn = 0; turn < 5000; turn++) {
        uint8_t bytes[64];
        struct hs_bill_asks asks;
        struct taken taken = {.count = 0};
        size_t size = random_below(sizeof bytes + 1);
        for (size_t i = 0; i < size; i++)
            bytes[i] = chance(50) ? TAGS[random_below(COUNT(TAGS))] : (uint8_t)random_below(256);
        hs_bill_asks(HS_BYTES(bytes, size), NULL, 0, 20261201, &asks);
        assert_true(asks.amount_fen >= 0 && asks.late_fen >= 0);
        assert_true(asks.amount_fen + asks.late_fen <= hs_bill_most(HS_BYTES(bytes, size)));
        assert_true(hs_payment_parts(HS_BYTES(bytes, size), take, &taken) >= 0);
    }
}

int main(void)
{
    random_state = 20261122;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bill_alone_gets_the_whole_amount),
        cmocka_unit_test(topups_and_fees_are_not_paid_ahead),
        cmocka_unit_test(parts_get_theirs_and_the_rest_is_advance),
        cmocka_unit_test(no_fen_is_made_or_lost),
        cmocka_unit_test(late_fees_come_with_their_days),
        cmocka_unit_test(who_paid_in_time_owes_no_later_fee),
        cmocka_unit_test(what_was_cancelled_asks_for_nothing),
        cmocka_unit_test(fees_are_those_of_a_walk_from_day_to_day),
        cmocka_unit_test(any_bytes_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
