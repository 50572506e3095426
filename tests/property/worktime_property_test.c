/* Deadlines by chance: for calendars of all sorts, what hs_worktime_due says is what counting minute by minute says,
 * and hs_worktime_between counts the same back. */
#include "tests/lib/random.h"

#include "proto/base/text.h"
#include "storage/model/worktime.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#define DEFAULT_SEED   20261122
#define DEFAULT_WORLDS 60
#define DAYS           40
#define MINUTE_MS      60000ULL
#define DAY_MS         (1440 * MINUTE_MS)

struct world {
    int offset;
    uint64_t begin_ms; /* local midnight of the first day, as UTC */
    uint32_t dates[DAYS];
    struct hs_workday days[DAYS];
    bool differs[DAYS];
};

static uint32_t local_date(uint64_t ms, int offset)
{
    time_t seconds = (time_t)(ms / 1000) + offset * 60;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return (uint32_t)((tm.tm_year + 1900) * 10000 + (tm.tm_mon + 1) * 100 + tm.tm_mday);
}

static enum hs_err look_up(void *ctx, uint32_t date, struct hs_workday *day)
{
    const struct world *world = ctx;
    for (size_t i = 0; i < DAYS; i++) {
        if (world->dates[i] == date && world->differs[i])
            *day = world->days[i];
    }
    return HS_OK;
}

static bool weekend(uint64_t ms, int offset)
{
    time_t seconds = (time_t)(ms / 1000) + offset * 60;
    struct tm tm;
    gmtime_r(&seconds, &tm);
    return tm.tm_wday == 0 || tm.tm_wday == 6;
}

static void make_world(struct world *world)
{
    *world = (struct world){.offset = (int)random_below(27 * 60) - 12 * 60};
    world->begin_ms = (uint64_t)(1 + random_below(30000)) * DAY_MS - (uint64_t)((int64_t)world->offset * 60000);
    for (size_t i = 0; i < DAYS; i++) {
        uint64_t noon = world->begin_ms + i * DAY_MS + DAY_MS / 2;
        world->dates[i] = local_date(noon, world->offset);
        world->days[i] = hs_workday_usual(
            (world->begin_ms + DAY_MS / 2 + i * DAY_MS + (uint64_t)((int64_t)world->offset * 60000)) / DAY_MS);
        assert_int_equal(world->days[i].from < world->days[i].to, !weekend(noon, world->offset));
        world->differs[i] = random_below(3) == 0;
        if (world->differs[i])
            world->days[i] = (struct hs_workday){(uint16_t)random_below(1441), (uint16_t)random_below(1441)};
    }
}

static bool works(const struct world *world, uint64_t minute)
{
    uint64_t of_day = minute % 1440;
    const struct hs_workday *day = &world->days[minute / 1440];
    return of_day >= day->from && of_day < day->to;
}

/* Minutes from @start until @work of them were worked; those of all days: not within them. */
static uint64_t count_on(const struct world *world, uint64_t start, uint64_t work)
{
    uint64_t at = start;
    while (work > 0 && at < DAYS * 1440) {
        work -= works(world, at);
        at++;
    }
    return work == 0 ? at : DAYS * 1440 + 1;
}

static void check_one(const struct world *world)
{
    struct hs_worktime time = {world->offset, look_up, (void *)(uintptr_t)world};
    uint64_t start = random_below(10 * 1440);
    uint64_t work = random_below(80 * 60);
    uint64_t start_ms = world->begin_ms + start * MINUTE_MS;
    uint64_t expected = count_on(world, start, work);
    uint64_t due, between;
    if (expected > DAYS * 1440)
        return;
    assert_int_equal(hs_worktime_due(&time, start_ms, work * MINUTE_MS, &due), HS_OK);
    assert_int_equal(due, world->begin_ms + expected * MINUTE_MS);
    assert_int_equal(hs_worktime_between(&time, start_ms, due, &between), HS_OK);
    assert_int_equal(between, work * MINUTE_MS);
    if (work > 0) {
        assert_int_equal(hs_worktime_between(&time, start_ms, due - 1, &between), HS_OK);
        assert_true(between < work * MINUTE_MS);
    }
}

static void deadlines_are_what_counting_says(void **state)
{
    (void)state;
    for (uint64_t i = number_of(getenv("HS_WORLDS"), DEFAULT_WORLDS); i > 0; i--) {
        struct world world;
        make_world(&world);
        for (int j = 0; j < 20; j++)
            check_one(&world);
    }
}

static enum hs_err never(void *ctx, uint32_t date, struct hs_workday *day)
{
    (void)ctx;
    (void)date;
    *day = (struct hs_workday){0};
    return HS_OK;
}

static void what_never_ends_is_refused(void **state)
{
    (void)state;
    struct hs_worktime time = {480, never, NULL};
    uint64_t due;
    assert_int_equal(hs_worktime_due(&time, 1000, 1, &due), HS_EOVERFLOW);
    assert_int_equal(hs_worktime_due(&time, 1000, UINT64_MAX, &due), HS_EOVERFLOW);
    assert_int_equal(hs_worktime_due(&time, 1000, 0, &due), HS_OK);
    assert_int_equal(due, 1000);
    assert_int_equal(hs_worktime_between(&time, 0, (uint64_t)HS_WORKTIME_DAYS_MAX * DAY_MS + 1, &due), HS_EOVERFLOW);
}

static enum hs_err too_long(void *ctx, uint32_t date, struct hs_workday *day)
{
    (void)ctx;
    (void)date;
    *day = (struct hs_workday){.to = 2000};
    return HS_OK;
}

static void a_day_ends_at_midnight(void **state)
{
    (void)state;
    struct hs_worktime time = {.day = too_long};
    uint64_t work_ms;
    assert_int_equal(hs_worktime_between(&time, 0, 2 * DAY_MS, &work_ms), HS_OK);
    assert_int_equal(work_ms, 2 * DAY_MS);
}

static void hours_are_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "8:30", "08.30", "08:60", "24:01", "25:00", "0a:00", "08:300"};
    uint16_t minutes;
    assert_true(hs_hour_parse("00:00", 5, &minutes) && minutes == 0);
    assert_true(hs_hour_parse("08:30", 5, &minutes) && minutes == 510);
    assert_true(hs_hour_parse("24:00", 5, &minutes) && minutes == 1440);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(hs_hour_parse(wrong[i], strlen(wrong[i]), &minutes));
}

static void a_friday_goes_on_on_monday(void **state)
{
    (void)state;
    struct hs_worktime time = {480, NULL, NULL};
    uint64_t friday_1600 = 1795161600000ULL; /* 2026-11-20 16:00 in Shanghai */
    uint64_t due;
    assert_int_equal(local_date(friday_1600, 480), 20261120);
    assert_int_equal(hs_worktime_due(&time, friday_1600, 60 * MINUTE_MS, &due), HS_OK);
    assert_int_equal(due, friday_1600 + 60 * MINUTE_MS);
    assert_int_equal(hs_worktime_due(&time, friday_1600, 61 * MINUTE_MS, &due), HS_OK);
    assert_int_equal(due, friday_1600 + (2 * 1440 + 17 * 60 + 1) * MINUTE_MS); /* Monday 09:01 */
}

int main(void)
{
    random_state = number_of(getenv("HS_SEED"), DEFAULT_SEED);
    print_message("HS_SEED=%llu\n", (unsigned long long)random_state);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_are_what_counting_says), cmocka_unit_test(what_never_ends_is_refused),
        cmocka_unit_test(a_day_ends_at_midnight),           cmocka_unit_test(hours_are_read),
        cmocka_unit_test(a_friday_goes_on_on_monday),
    };
    return cmocka_run_group_tests_name("worktime_property", tests, NULL, NULL);
}
