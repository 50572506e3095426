/* growth_test.c -- how long room lasts, by a made-up clock. */
#include "node/disk/growth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>

#define MINUTE ((uint64_t)60 * 1000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define MIB    ((uint64_t)1 << 20)

/* Minute by minute from @from_ms, @per_hour bytes an hour. */
static uint64_t run(struct hs_growth *growth, uint64_t from_ms, uint64_t minutes, uint64_t bytes, uint64_t per_hour)
{
    for (uint64_t i = 0; i <= minutes; i++)
        hs_growth_note(growth, from_ms + i * MINUTE, bytes + i * per_hour / 60, false);
    return bytes + minutes * per_hour / 60;
}

static void days_are(const struct hs_growth *growth, uint64_t room, double wanted)
{
    double days;
    assert_true(hs_growth_days(growth, room, &days));
    if (fabs(days - wanted) > wanted * 0.05)
        fail_msg("%f is not %f", days, wanted);
}

static void less_than_an_hour_says_nothing(void **state)
{
    struct hs_growth growth = {0};
    double days;
    (void)state;
    assert_false(hs_growth_days(&growth, MIB, &days));
    run(&growth, HOUR, 59, 0, 60 * MIB);
    assert_false(hs_growth_days(&growth, MIB, &days));
    hs_growth_note(&growth, 2 * HOUR, 60 * MIB, false);
    days_are(&growth, 24 * 60 * MIB, 1);
}

/* Eight hours of work and sixteen of rest are a day. */
static void a_day_counts_whole(void **state)
{
    struct hs_growth growth = {0};
    (void)state;
    uint64_t bytes = run(&growth, 0, 16 * 60, 0, 0);
    run(&growth, 16 * HOUR, 8 * 60, bytes, 10 * MIB);
    days_are(&growth, 800 * MIB, 10);
}

static void what_is_older_than_a_day_does_not_count(void **state)
{
    struct hs_growth growth = {0};
    (void)state;
    uint64_t bytes = run(&growth, 0, 48 * 60, 0, 1000 * MIB);
    run(&growth, 2 * DAY, 26 * 60, bytes, MIB);
    days_are(&growth, 240 * MIB, 10);
    assert_true(growth.count <= HS_GROWTH_MARKS);
}

static void a_store_that_does_not_grow_lasts(void **state)
{
    struct hs_growth growth = {0};
    double days;
    (void)state;
    run(&growth, 0, 26 * 60, 100 * MIB, 0);
    assert_false(hs_growth_days(&growth, MIB, &days));
    hs_growth_note(&growth, 27 * HOUR, 50 * MIB, false); /* folded */
    assert_false(hs_growth_days(&growth, MIB, &days));
    hs_growth_note(&growth, 28 * HOUR, 101 * MIB, false);
    assert_false(hs_growth_days(&growth, MIB * MIB, &days)); /* for longer than anybody asks */
    days_are(&growth, 24 * MIB, 24);
    days_are(&growth, 0, 0);
}

/* A machine that slept: one mark, and what came since. */
static void marks_may_be_far_apart(void **state)
{
    struct hs_growth growth = {0};
    (void)state;
    hs_growth_note(&growth, 0, 0, false);
    hs_growth_note(&growth, 12 * HOUR, 12 * MIB, false);
    days_are(&growth, 24 * MIB, 1);
    double days;
    hs_growth_note(&growth, 40 * HOUR, 40 * MIB, false);
    assert_false(hs_growth_days(&growth, MIB, &days)); /* of the last day nothing is known yet */
}

/* A new hall is filled within an hour with what it then keeps for years. */
static void a_fill_is_no_growth(void **state)
{
    struct hs_growth growth = {0};
    double days;
    (void)state;
    uint64_t bytes = run(&growth, 0, 30, 0, 10 * MIB);
    for (uint64_t i = 1; i <= 90; i++)
        hs_growth_note(&growth, (30 + i) * MINUTE, bytes += 50 * MIB, true);
    assert_false(hs_growth_days(&growth, MIB, &days));
    run(&growth, 2 * HOUR, 59, bytes, MIB);
    assert_false(hs_growth_days(&growth, MIB, &days));
    run(&growth, 2 * HOUR + 60 * MINUTE, 60, bytes + MIB, MIB);
    days_are(&growth, 240 * MIB, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(less_than_an_hour_says_nothing),
        cmocka_unit_test(a_day_counts_whole),
        cmocka_unit_test(what_is_older_than_a_day_does_not_count),
        cmocka_unit_test(a_store_that_does_not_grow_lasts),
        cmocka_unit_test(marks_may_be_far_apart),
        cmocka_unit_test(a_fill_is_no_growth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
