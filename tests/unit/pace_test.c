/* pace_test.c -- how fast a session goes and when it will have caught up, by made-up clocks. */
#include "node/daemon/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define SECOND 1000ULL

struct session {
    struct pace pace;
    struct pace_look look;
    uint64_t now_ms;
};

static void note(struct session *session)
{
    pace_note(&session->pace, session->now_ms, &session->look);
}

/* For @seconds each second @out operations of lane money go out and the lag changes by @lag. */
static void run(struct session *session, unsigned seconds, uint64_t out, int64_t lag)
{
    for (unsigned i = 0; i < seconds; i++) {
        session->now_ms += SECOND;
        session->look.counts[PACE_OUT_OPS + HS_LANE_MONEY] += out;
        session->look.counts[PACE_OUT_BYTES] += out * 300;
        session->look.lags[PACE_LAG_OUT] += (uint64_t)lag;
        note(session);
    }
}

static struct session begin(uint64_t lag)
{
    struct session session = {.now_ms = 1000000};
    session.look.lags[PACE_LAG_OUT] = lag;
    note(&session);
    return session;
}

static void rate_is(const struct session *session, double wanted)
{
    double per_s;
    assert_true(pace_rate(&session->pace, PACE_OUT_OPS + HS_LANE_MONEY, &per_s));
    if (fabs(per_s - wanted) > wanted * 0.01)
        fail_msg("%f is not %f", per_s, wanted);
}

static void left_is(const struct session *session, double wanted_s)
{
    uint64_t left_ms;
    assert_true(pace_left_ms(&session->pace, &left_ms));
    if (fabs((double)left_ms / 1000 - wanted_s) > wanted_s * 0.02 + 1)
        fail_msg("%f s is not %f s", (double)left_ms / 1000, wanted_s);
}

static void left_is_unknown(const struct session *session)
{
    uint64_t left_ms;
    assert_false(pace_left_ms(&session->pace, &left_ms));
}

/* ---- rates ---- */

static void nothing_is_known_of_a_session_that_has_begun(void **state)
{
    struct session session = begin(0);
    double per_s;
    (void)state;
    assert_false(pace_rate(&session.pace, PACE_OUT_BYTES, &per_s));
    session.now_ms += 500;
    session.look.counts[PACE_OUT_BYTES] = 1000000;
    note(&session);
    assert_false(pace_rate(&session.pace, PACE_OUT_BYTES, &per_s)); /* not from half a second */
    session.now_ms += 500;
    note(&session);
    assert_true(pace_rate(&session.pace, PACE_OUT_BYTES, &per_s));
    assert_true(fabs(per_s - 1000000) < 1);
}

/* A young session's is the mean of its life: not a sixtieth of it. */
static void a_steady_rate_is_told_from_the_first_second(void **state)
{
    struct session session = begin(0);
    double per_s;
    (void)state;
    run(&session, 1, 50, 0);
    rate_is(&session, 50);
    run(&session, 300, 50, 0);
    rate_is(&session, 50);
    assert_true(pace_rate(&session.pace, PACE_OUT_BYTES, &per_s));
    assert_true(fabs(per_s - 15000) < 150);
    assert_true(pace_rate(&session.pace, PACE_IN_BYTES, &per_s));
    assert_true(per_s == 0);
    assert_true(pace_rate(&session.pace, PACE_OUT_OPS + HS_LANE_WORK, &per_s));
    assert_true(per_s == 0);
}

static void a_rate_follows_within_minutes(void **state)
{
    struct session session = begin(0);
    double per_s;
    (void)state;
    run(&session, 600, 10, 0);
    run(&session, 60, 100, 0);
    assert_true(pace_rate(&session.pace, PACE_OUT_OPS + HS_LANE_MONEY, &per_s));
    assert_true(per_s > 60 && per_s < 70); /* two thirds of the way */
    run(&session, 540, 100, 0);
    rate_is(&session, 100);
}

static void an_idle_session_comes_to_nothing(void **state)
{
    struct session session = begin(0);
    double per_s;
    (void)state;
    run(&session, 60, 100, 0);
    run(&session, 900, 0, 0);
    assert_true(pace_rate(&session.pace, PACE_OUT_OPS + HS_LANE_MONEY, &per_s));
    assert_true(per_s == 0);
}

/* A look weighs by the time since the one before: a process that was stopped, looks that are late. */
static void looks_need_not_be_regular(void **state)
{
    struct session session = begin(0);
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        uint64_t seconds = 1 + i % 7;
        session.now_ms += seconds * SECOND;
        session.look.counts[PACE_OUT_OPS + HS_LANE_MONEY] += 20 * seconds;
        note(&session);
    }
    rate_is(&session, 20);
    session.now_ms += 7200 * SECOND;
    session.look.counts[PACE_OUT_OPS + HS_LANE_MONEY] += (uint64_t)7200 * 40;
    note(&session);
    rate_is(&session, 40);
}

/* Its counts begin at nothing; what it was before must not wrap round. */
static void counts_that_fall_are_another_session(void **state)
{
    struct session session = begin(100);
    double per_s;
    (void)state;
    run(&session, 60, 100, -1);
    session.look = (struct pace_look){.lags = {[PACE_LAG_OUT] = 40}};
    session.now_ms += SECOND;
    note(&session);
    assert_false(pace_rate(&session.pace, PACE_OUT_OPS + HS_LANE_MONEY, &per_s));
    left_is_unknown(&session);
    run(&session, 10, 7, 0);
    rate_is(&session, 7);
}

/* ---- forecasts ---- */

static void a_lag_that_shrinks_has_an_end(void **state)
{
    struct session session = begin(10000);
    (void)state;
    run(&session, 4, 100, -100);
    left_is_unknown(&session);
    run(&session, 6, 100, -100);
    left_is(&session, 90);
    run(&session, 80, 100, -100);
    left_is(&session, 10);
    run(&session, 10, 100, -100);
    left_is_unknown(&session); /* it has caught up */
}

/* 100 go out a second, but 90 come: it is the difference that counts. */
static void what_comes_meanwhile_counts(void **state)
{
    struct session session = begin(6000);
    (void)state;
    run(&session, 100, 100, -10);
    left_is(&session, 500);
}

static void a_lag_that_grows_has_none(void **state)
{
    struct session session = begin(10000);
    (void)state;
    run(&session, 100, 100, 5);
    left_is_unknown(&session);
    run(&session, 100, 100, 0);
    left_is_unknown(&session);
}

/* A file of bills is imported: after some seconds it is known how long that takes, and not after minutes. */
static void a_leap_begins_it_anew(void **state)
{
    struct session session = begin(100);
    (void)state;
    run(&session, 60, 1, -1);
    session.look.lags[PACE_LAG_OUT] += 20000;
    run(&session, 1, 100, -100);
    left_is_unknown(&session);
    run(&session, 3, 100, -100);
    left_is_unknown(&session);
    run(&session, 6, 100, -100);
    left_is(&session, 190);
}

/* The same behind a greater backlog, of which a part is left. */
static void a_leap_below_the_peak_is_one_as_well(void **state)
{
    struct session session = begin(10000);
    (void)state;
    run(&session, 50, 100, -100);
    session.look.lags[PACE_LAG_OUT] += 4000;
    run(&session, 11, 100, -100);
    left_is(&session, 79);
}

/* What is still being entered, in parts that are none by themselves: it counts from when it was the most. */
static void it_counts_from_its_peak(void **state)
{
    struct session session = begin(2000);
    (void)state;
    run(&session, 3, 10, 200);
    run(&session, 10, 100, -100);
    left_is(&session, 16);
}

/* A line that was held back for a while: what it does now counts, not the mean with its rest. */
static void who_goes_on_begins_anew(void **state)
{
    struct session session = begin(5000);
    (void)state;
    run(&session, 20, 50, -50);
    run(&session, 20, 0, 0);
    left_is_unknown(&session);
    run(&session, 10, 100, -100);
    left_is(&session, 30);
}

/* Of both directions the later one. */
static void both_directions_count(void **state)
{
    struct session session = begin(1000);
    (void)state;
    session.look.lags[PACE_LAG_IN] = 5000;
    note(&session);
    for (unsigned i = 0; i < 20; i++) {
        session.look.lags[PACE_LAG_IN] -= 10;
        run(&session, 1, 10, -10);
    }
    left_is(&session, 480);
    run(&session, 13, 1, -1); /* the other one stands still */
    assert_int_equal(session.look.lags[PACE_LAG_IN], 4800);
    uint64_t left_ms;
    assert_true(pace_left_ms(&session.pace, &left_ms));
    run(&session, 10, 1, -1);
    left_is_unknown(&session);
}

static void a_month_is_no_forecast(void **state)
{
    struct session session = begin(1000000000);
    (void)state;
    run(&session, 60, 1, -1);
    left_is_unknown(&session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_of_a_session_that_has_begun),
        cmocka_unit_test(a_steady_rate_is_told_from_the_first_second),
        cmocka_unit_test(a_rate_follows_within_minutes),
        cmocka_unit_test(an_idle_session_comes_to_nothing),
        cmocka_unit_test(looks_need_not_be_regular),
        cmocka_unit_test(counts_that_fall_are_another_session),
        cmocka_unit_test(a_lag_that_shrinks_has_an_end),
        cmocka_unit_test(what_comes_meanwhile_counts),
        cmocka_unit_test(a_lag_that_grows_has_none),
        cmocka_unit_test(a_leap_begins_it_anew),
        cmocka_unit_test(a_leap_below_the_peak_is_one_as_well),
        cmocka_unit_test(it_counts_from_its_peak),
        cmocka_unit_test(who_goes_on_begins_anew),
        cmocka_unit_test(both_directions_count),
        cmocka_unit_test(a_month_is_no_forecast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
