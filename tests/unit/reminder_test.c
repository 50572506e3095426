/* reminder_test.c -- storage/model/reminder.h and notice.h: who is to be told today, and whom a notice concerns. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/model/notice.h"
#include "storage/model/reminder.h"

#include <string.h>

#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define ACCOUNT       "3201000001"

/* ---- days ---- */

static void days_are_read_and_counted_back(void **state)
{
    (void)state;
    assert_int_equal(hs_date_parse(TEXT("2026-11-21")), 20261121);
    assert_int_equal(hs_date_parse(TEXT("2026-02-29")), 0);
    assert_int_equal(hs_date_parse(TEXT("2026-1-021")), 0);
    assert_int_equal(hs_date_parse(TEXT("20261121")), 0);
    assert_int_equal(hs_date_parse(TEXT("")), 0);
    assert_int_equal(hs_date_before(20261121, 0), 20261121);
    assert_int_equal(hs_date_before(20261101, 1), 20261031);
    assert_int_equal(hs_date_before(20270101, 1), 20261231);
    assert_int_equal(hs_date_before(20280301, 1), 20280229);
    assert_int_equal(hs_date_before(20260301, 1), 20260228);
    assert_int_equal(hs_date_before(20260310, 30), 20260208);
}

/* ---- who is to be told ---- */

static const struct hs_subscribed SMS = {
    .channel = {(const uint8_t *)"sms", 3}, .active = true, .days_before = 3, .contact_stamp = 1000};
static const struct hs_owed BILL = {.bill_id = {(const uint8_t *)"B1", 2}, .due_fen = 5000, .due_date = 20261125};

static struct hs_reminding done(enum hs_reminded result, uint32_t date)
{
    return (struct hs_reminding){
        .bill_id = BILL.bill_id, .channel = SMS.channel, .result = result, .stamp = 2000, .date = date};
}

static void a_customer_is_told_from_the_day_that_he_asked_for(void **state)
{
    (void)state;
    assert_int_equal(hs_reminder_of(&SMS, &BILL, NULL, 0, 20261121), HS_REMINDER_NOT);
    assert_int_equal(hs_reminder_of(&SMS, &BILL, NULL, 0, 20261122), HS_REMINDER_DUE);
    assert_int_equal(hs_reminder_of(&SMS, &BILL, NULL, 0, 20261125), HS_REMINDER_DUE);
    assert_int_equal(hs_reminder_of(&SMS, &BILL, NULL, 0, 20270301), HS_REMINDER_DUE); /* it is owed still */
    struct hs_subscribed last_day = SMS;
    last_day.days_before = 0;
    assert_int_equal(hs_reminder_of(&last_day, &BILL, NULL, 0, 20261124), HS_REMINDER_NOT);
    assert_int_equal(hs_reminder_of(&last_day, &BILL, NULL, 0, 20261125), HS_REMINDER_DUE);
}

static void nobody_is_told_of_what_he_does_not_owe_or_does_not_want(void **state)
{
    (void)state;
    struct hs_subscribed ended = SMS;
    struct hs_owed paid = BILL, undated = BILL;
    ended.active = false;
    paid.due_fen = 0;
    undated.due_date = 0;
    assert_int_equal(hs_reminder_of(&ended, &BILL, NULL, 0, 20261125), HS_REMINDER_NOT);
    assert_int_equal(hs_reminder_of(&SMS, &paid, NULL, 0, 20261125), HS_REMINDER_NOT);
    assert_int_equal(hs_reminder_of(&SMS, &undated, NULL, 0, 20261125), HS_REMINDER_NOT);
    paid.due_fen = -100;
    assert_int_equal(hs_reminder_of(&SMS, &paid, NULL, 0, 20261125), HS_REMINDER_NOT);
}

static void what_was_done_counts_for_its_bill_and_channel(void **state)
{
    (void)state;
    struct hs_reminding told = done(HS_REMINDED_TOLD, 20261122);
    assert_int_equal(hs_reminder_of(&SMS, &BILL, &told, 1, 20261125), HS_REMINDER_NOT);
    told.bill_id = TEXT("B2");
    assert_int_equal(hs_reminder_of(&SMS, &BILL, &told, 1, 20261125), HS_REMINDER_DUE);
    told.bill_id = BILL.bill_id;
    told.channel = TEXT("phone");
    assert_int_equal(hs_reminder_of(&SMS, &BILL, &told, 1, 20261125), HS_REMINDER_DUE);
}

static void who_was_absent_is_tried_on_another_day(void **state)
{
    (void)state;
    struct hs_reminding list[] = {done(HS_REMINDED_ABSENT, 20261122), done(HS_REMINDED_TOLD, 20261123)};
    assert_int_equal(hs_reminder_of(&SMS, &BILL, list, 1, 20261122), HS_REMINDER_NOT);
    assert_int_equal(hs_reminder_of(&SMS, &BILL, list, 1, 20261123), HS_REMINDER_AGAIN);
    assert_int_equal(hs_reminder_of(&SMS, &BILL, list, 2, 20261124), HS_REMINDER_NOT);
}

static void a_wrong_number_stands_until_there_is_another(void **state)
{
    (void)state;
    struct hs_reminding list[] = {done(HS_REMINDED_WRONG_NUMBER, 20261122), done(HS_REMINDED_ABSENT, 20261123)};
    struct hs_subscribed other = SMS;
    assert_int_equal(hs_reminder_of(&SMS, &BILL, list, 1, 20261122), HS_REMINDER_WRONG);
    assert_int_equal(hs_reminder_of(&SMS, &BILL, list, 2, 20261123), HS_REMINDER_WRONG);
    other.contact_stamp = 2001;
    assert_int_equal(hs_reminder_of(&other, &BILL, list, 1, 20261122), HS_REMINDER_AGAIN);
    assert_int_equal(hs_reminder_of(&other, &BILL, list, 2, 20261123), HS_REMINDER_NOT);
}

static void results_have_texts(void **state)
{
    enum hs_reminded result = HS_REMINDED_TOLD;
    (void)state;
    assert_true(hs_reminded_parse(TEXT("wrong_number"), &result));
    assert_int_equal(result, HS_REMINDED_WRONG_NUMBER);
    assert_false(hs_reminded_parse(TEXT("tol"), &result));
    assert_string_equal(hs_reminder_text(HS_REMINDER_WRONG), "wrong_number");
    assert_string_equal(hs_reminder_text(HS_REMINDER_DUE), "due");
}

/* ---- notices ---- */

struct notice {
    const char *district;
    uint64_t starts_ms, ends_ms;
    const char *accounts;
};

static struct hs_bytes notice(struct hs_buf *buf, const struct notice *notice)
{
    hs_buf_reset(buf);
    hs_tlv_put_text(buf, 1, "N1");
    if (notice->district != NULL)
        hs_tlv_put_text(buf, 2, notice->district);
    if (notice->starts_ms != 0)
        hs_tlv_put_u64(buf, 5, notice->starts_ms);
    if (notice->ends_ms != 0)
        hs_tlv_put_u64(buf, 6, notice->ends_ms);
    if (notice->accounts != NULL)
        hs_tlv_put_text(buf, 8, notice->accounts);
    assert_int_equal(buf->err, HS_OK);
    return hs_buf_bytes(buf);
}

static void a_notice_is_planned_active_and_over(void **state)
{
    static const struct {
        struct notice notice;
        uint64_t now_ms;
        enum hs_notice_state state;
    } CASES[] = {
        {{.starts_ms = 100, .ends_ms = 200}, 99, HS_NOTICE_PLANNED},
        {{.starts_ms = 100, .ends_ms = 200}, 100, HS_NOTICE_ACTIVE},
        {{.starts_ms = 100, .ends_ms = 200}, 199, HS_NOTICE_ACTIVE},
        {{.starts_ms = 100, .ends_ms = 200}, 200, HS_NOTICE_OVER},
        {{.starts_ms = 300, .ends_ms = 200}, 250, HS_NOTICE_OVER}, /* never */
        {{0}, 5, HS_NOTICE_ACTIVE},
        {{.starts_ms = 100}, 5000, HS_NOTICE_ACTIVE},
        {{.ends_ms = 100}, 5, HS_NOTICE_ACTIVE},
    };
    struct hs_buf buf = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_int_equal(hs_notice_at(notice(&buf, &CASES[i].notice), CASES[i].now_ms), CASES[i].state);
    assert_string_equal(hs_notice_state_text(HS_NOTICE_PLANNED), "planned");
    hs_buf_fini(&buf);
}

static void a_notice_concerns_accounts_by_district_and_beginning(void **state)
{
    static const struct {
        struct notice notice;
        bool concerns;
    } CASES[] = {
        {{0}, true},
        {{.district = "3201"}, true},
        {{.district = "3202"}, false},
        {{.district = "320"}, false}, /* none */
        {{.accounts = "3201"}, true},
        {{.accounts = "3202,3201000"}, true},
        {{.accounts = "3202, 3203 ,\n" ACCOUNT}, true},
        {{.accounts = "3202，3201"}, true},
        {{.accounts = "3202、3203"}, false},
        {{.accounts = ACCOUNT "1"}, false}, /* longer than an account */
        {{.accounts = ",,"}, false},
        {{.accounts = "all"}, false},
        {{.district = "3202", .accounts = "3201"}, false},
    };
    struct hs_buf buf = {0};
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        if (hs_notice_concerns(notice(&buf, &CASES[i].notice), ACCOUNT) != CASES[i].concerns)
            fail_msg("case %zu", i);
    }
    hs_buf_fini(&buf);
}

static void a_notice_stands_under_its_months(void **state)
{
    enum { HOUR_MS = 3600000 };
    static const uint64_t NOVEMBER = 1793491200000; /* 2026-11-01, UTC */
    static const struct {
        struct notice notice;
        size_t count;
        uint32_t first, last;
    } CASES[] = {
        {{.starts_ms = 1793491200000, .ends_ms = 1793491200000 + HOUR_MS}, 1, 202611, 202611},
        {{.starts_ms = 1793491200000 - 1, .ends_ms = 1793491200000 + 1}, 2, 202610, 202611},
        {{.starts_ms = 1793491200000 - HOUR_MS, .ends_ms = 1793491200000}, 1, 202610, 202610},
        {{.starts_ms = 1793491200000, .ends_ms = 1793491200000 + 100 * 24 * (uint64_t)HOUR_MS}, 4, 202611, 202702},
        {{.starts_ms = 1793491200000, .ends_ms = 1793491200000 + 800 * 24 * (uint64_t)HOUR_MS}, 1, 0, 0},
        {{.starts_ms = 1793491200000}, 1, 0, 0},
        {{.ends_ms = 1793491200000}, 1, 0, 0},
        {{.starts_ms = 1793491200000, .ends_ms = 1793491200000}, 0, 0, 0},
    };
    struct hs_buf buf = {0};
    uint32_t months[HS_NOTICE_MONTHS_MAX];
    char key[HS_NOTICE_KEY_BYTES];
    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        size_t count = hs_notice_months(notice(&buf, &CASES[i].notice), months);
        assert_int_equal(count, CASES[i].count);
        if (count > 0) {
            assert_int_equal(months[0], CASES[i].first);
            assert_int_equal(months[count - 1], CASES[i].last);
        }
    }
    hs_buf_fini(&buf);
    assert_int_equal(hs_date_of(NOVEMBER, 0), 20261101);
    assert_int_equal(hs_notice_month_after(202612), 202701);
    hs_notice_key(3201, 202611, key);
    assert_string_equal(key, "3201-2026-11");
    hs_notice_key(HS_PARTITION_REGION, HS_NOTICE_ALWAYS, key);
    assert_string_equal(key, "region-always");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(days_are_read_and_counted_back),
        cmocka_unit_test(a_customer_is_told_from_the_day_that_he_asked_for),
        cmocka_unit_test(nobody_is_told_of_what_he_does_not_owe_or_does_not_want),
        cmocka_unit_test(what_was_done_counts_for_its_bill_and_channel),
        cmocka_unit_test(who_was_absent_is_tried_on_another_day),
        cmocka_unit_test(a_wrong_number_stands_until_there_is_another),
        cmocka_unit_test(results_have_texts),
        cmocka_unit_test(a_notice_is_planned_active_and_over),
        cmocka_unit_test(a_notice_concerns_accounts_by_district_and_beginning),
        cmocka_unit_test(a_notice_stands_under_its_months),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
