/* samples_test.c -- the file of samples: what is read back is what was added, folded as promised; it never grows; what
 * rotted is a gap; and clocks jump. */
#include "node/samples/code.h"
#include "node/samples/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000ULL
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)
#define BEGIN  (20000 * DAY) /* a day's first moment */

#define HEAD_BYTES  4096
#define PLACE_BYTES 64
#define BLOCKS_AT   (HEAD_BYTES + 4096 * PLACE_BYTES)
#define BLOCK_BYTES (2520 * 1040) /* of 64 peers */

struct world {
    char dir[64], path[96];
    struct hs_samples *samples;
    struct hs_series series;
};

static void open_at(struct world *world, uint64_t now_ms, bool is_anew)
{
    struct hs_why why = {""};
    bool anew;
    assert_int_equal(hs_samples_open(world->path, now_ms, &world->samples, &anew, &why), HS_OK);
    assert_int_equal(anew, is_anew);
    assert_int_equal(why.text[0] != '\0', is_anew);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    snprintf(world->dir, sizeof world->dir, "/tmp/hallsync-samples-XXXXXX");
    assert_non_null(mkdtemp(world->dir));
    snprintf(world->path, sizeof world->path, "%s/samples", world->dir);
    open_at(world, BEGIN, false);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    hs_samples_close(world->samples);
    unlink(world->path);
    rmdir(world->dir);
    free(world);
    return 0;
}

static void reopen(struct world *world, uint64_t now_ms, bool is_anew)
{
    hs_samples_close(world->samples);
    open_at(world, now_ms, is_anew);
}

static struct hs_sample sample(const char *node_id, float link, float lag)
{
    struct hs_sample made = {.node_id = node_id};
    for (int i = 0; i < HS_MEASURE_COUNT; i++)
        made.values[i] = NAN;
    made.values[HS_MEASURE_LINK] = link;
    made.values[HS_MEASURE_LAG_OUT_OPS] = lag;
    made.values[HS_MEASURE_OUT_BYTES_PER_S] = lag;
    return made;
}

static void add_one(struct world *world, uint64_t now_ms, const char *node_id, float lag)
{
    struct hs_sample one = sample(node_id, 1, lag);
    assert_int_equal(hs_samples_add(world->samples, now_ms, &one, 1), HS_OK);
}

static float value(const struct world *world, enum hs_measure measure, uint64_t time_ms)
{
    size_t at = (time_ms - world->series.from_ms) / world->series.step_ms;
    assert_true(time_ms >= world->series.from_ms && at < world->series.count);
    return world->series.values[measure][at];
}

static void read_span(struct world *world, const char *node_id, enum hs_span span, uint64_t now_ms)
{
    assert_int_equal(hs_samples_read(world->samples, node_id, span, now_ms, &world->series), HS_OK);
}

static float lag_at(struct world *world, const char *node_id, enum hs_span span, uint64_t now_ms, uint64_t time_ms)
{
    read_span(world, node_id, span, now_ms);
    return value(world, HS_MEASURE_LAG_OUT_OPS, time_ms);
}

static void is_near(float found, float wanted)
{
    if (!(fabsf(found - wanted) <= wanted * 0.0005F))
        fail_msg("%f is not %f", (double)found, (double)wanted);
}

/* ---- the code ---- */

static float there_and_back(float in)
{
    uint8_t bytes[SAMPLE_BYTES];
    float values[HS_MEASURE_COUNT];
    struct hs_sample made = sample("x", 1, in);
    sample_encode(made.values, bytes);
    assert_true(sample_decode(bytes, values));
    return values[HS_MEASURE_LAG_OUT_OPS];
}

static void numbers_come_back(void **state)
{
    (void)state;
    for (unsigned in = 0; in < 4096; in++)
        assert_true(there_and_back((float)in) == (float)in);
    for (uint64_t in = 4096; in < 100000000000; in += in / 333)
        is_near(there_and_back((float)in), (float)in);
    assert_true(there_and_back(0.25F) == 0.25F);
    assert_true(there_and_back(-5) == 0);
    assert_true(isnan(there_and_back(NAN)));
    assert_true(there_and_back(INFINITY) > 1e11F); /* the greatest, and not "unknown" */
    assert_true(there_and_back(1e30F) == there_and_back(INFINITY));
}

static void nothing_is_no_sample(void **state)
{
    uint8_t none[SAMPLE_BYTES] = {0}, bad[SAMPLE_BYTES] = {255};
    float values[HS_MEASURE_COUNT];
    (void)state;
    assert_false(sample_decode(none, values));
    assert_true(isnan(values[HS_MEASURE_LAG_IN_OPS]));
    assert_false(sample_decode(bad, values));
}

/* ---- adding and reading ---- */

static void an_hour_shows_each_ten_seconds(void **state)
{
    struct world *world = *state;
    add_one(world, BEGIN + 3 * SECOND, "nj-win1", 7);
    add_one(world, BEGIN + 9 * SECOND, "nj-win1", 9); /* the same ten seconds */
    add_one(world, BEGIN + 10 * SECOND, "nj-win1", 11);
    read_span(world, "nj-win1", HS_SPAN_HOUR, BEGIN + 35 * SECOND);
    assert_int_equal(world->series.step_ms, 10 * SECOND);
    assert_int_equal(world->series.count, 360);
    assert_int_equal(world->series.from_ms + 359 * 10 * SECOND, BEGIN + 30 * SECOND);
    assert_true(value(world, HS_MEASURE_LAG_OUT_OPS, BEGIN) == 7);
    assert_true(value(world, HS_MEASURE_LAG_OUT_OPS, BEGIN + 10 * SECOND) == 11);
    assert_true(isnan(value(world, HS_MEASURE_LAG_OUT_OPS, BEGIN + 20 * SECOND)));
    assert_true(value(world, HS_MEASURE_LINK, BEGIN) == 1);
    assert_true(isnan(value(world, HS_MEASURE_LINK, BEGIN + 20 * SECOND)));
    assert_true(isnan(value(world, HS_MEASURE_LAG_SECONDS, BEGIN)));
    assert_int_equal(hs_samples_read(world->samples, "nj-win2", HS_SPAN_HOUR, BEGIN, &world->series), HS_ENOTFOUND);
}

static float seconds_of(uint64_t time_ms)
{
    uint64_t second = time_ms / SECOND % 60;
    return (float)second;
}

static float minutes_of(uint64_t time_ms)
{
    uint64_t minute = time_ms / MINUTE;
    return (float)minute;
}

/* What waits by the most of it, rates and the link by the mean. */
static void minutes_and_hours_are_folded(void **state)
{
    struct world *world = *state;
    for (uint64_t at = 0; at <= 2 * HOUR; at += 10 * SECOND) {
        struct hs_sample one = sample("nj-win1", at % MINUTE < 30 * SECOND, seconds_of(at));
        assert_int_equal(hs_samples_add(world->samples, BEGIN + at, &one, 1), HS_OK);
    }
    read_span(world, "nj-win1", HS_SPAN_DAY, BEGIN + 2 * HOUR);
    assert_int_equal(world->series.count, 720);
    assert_true(value(world, HS_MEASURE_LAG_OUT_OPS, BEGIN + 30 * MINUTE) == 50);
    assert_true(value(world, HS_MEASURE_OUT_BYTES_PER_S, BEGIN + 30 * MINUTE) == 25);
    assert_true(value(world, HS_MEASURE_LINK, BEGIN + 30 * MINUTE) == 0.5F);
    assert_true(isnan(value(world, HS_MEASURE_LINK, BEGIN - 2 * MINUTE)));
    assert_true(isnan(value(world, HS_MEASURE_LINK, BEGIN + 2 * HOUR))); /* is not over */
    read_span(world, "nj-win1", HS_SPAN_MONTH, BEGIN + 2 * HOUR);
    assert_int_equal(world->series.count, 720);
    assert_true(value(world, HS_MEASURE_LAG_OUT_OPS, BEGIN + HOUR) == 50);
    assert_true(value(world, HS_MEASURE_OUT_BYTES_PER_S, BEGIN) == 25);
}

static void of_two_of_one_id_the_connected_one_counts(void **state)
{
    struct world *world = *state;
    struct hs_sample two[] = {sample("nj-win1", 1, 5), sample("nj-win1", 0, 9)};
    assert_int_equal(hs_samples_add(world->samples, BEGIN, two, 2), HS_OK);
    assert_true(lag_at(world, "nj-win1", HS_SPAN_HOUR, BEGIN, BEGIN) == 5);
    two[0] = sample("nj-win1", 0, 9);
    two[1] = sample("nj-win1", 1, 6);
    assert_int_equal(hs_samples_add(world->samples, BEGIN + 10 * SECOND, two, 2), HS_OK);
    assert_true(lag_at(world, "nj-win1", HS_SPAN_HOUR, BEGIN + 10 * SECOND, BEGIN + 10 * SECOND) == 6);
}

static void sparks_are_the_last_hour_by_minutes(void **state)
{
    struct world *world = *state;
    float spark[HS_SPARK_COUNT];
    for (uint64_t at = 0; at < 90 * MINUTE; at += 10 * SECOND)
        add_one(world, BEGIN + at, "nj-win1", minutes_of(at));
    assert_true(hs_samples_spark(world->samples, "nj-win1", spark));
    for (size_t i = 0; i < HS_SPARK_COUNT; i++)
        assert_true(spark[i] == (float)(29 + i));
    assert_false(hs_samples_spark(world->samples, "nj-win2", spark));
    assert_true(isnan(spark[0]));
    reopen(world, BEGIN + 90 * MINUTE, false);
    assert_true(hs_samples_spark(world->samples, "nj-win1", spark));
    assert_true(spark[59] == 88);
}

static void spans_have_names(void **state)
{
    enum hs_span span;
    (void)state;
    assert_true(hs_span_parse("day", &span) && span == HS_SPAN_DAY);
    assert_true(hs_span_parse("month", &span) && span == HS_SPAN_MONTH);
    assert_false(hs_span_parse("year", &span));
}

/* ---- restarts, clocks ---- */

/* A minute that began before a restart is folded whole. */
static void a_restart_loses_nothing(void **state)
{
    struct world *world = *state;
    add_one(world, BEGIN, "nj-win1", 40);
    reopen(world, BEGIN + 5 * SECOND, false);
    add_one(world, BEGIN + 10 * SECOND, "nj-win1", 4);
    reopen(world, BEGIN + 2 * HOUR, false);
    add_one(world, BEGIN + 2 * HOUR, "nj-win1", 0);
    assert_true(lag_at(world, "nj-win1", HS_SPAN_DAY, BEGIN + 2 * HOUR, BEGIN) == 40);
    assert_true(lag_at(world, "nj-win1", HS_SPAN_MONTH, BEGIN + 2 * HOUR, BEGIN) == 40);
}

static void one_process_has_it(void **state)
{
    struct world *world = *state;
    struct hs_samples *second = NULL;
    struct hs_why why = {""};
    bool anew;
    assert_int_equal(hs_samples_open(world->path, BEGIN, &second, &anew, &why), HS_ELOCKED);
    assert_non_null(strstr(why.text, "another hallsync-admin"));
}

static void a_clock_that_jumps_leaves_a_gap_only(void **state)
{
    struct world *world = *state;
    uint64_t wrong = BEGIN + 365 * DAY + 7 * MINUTE;
    add_one(world, BEGIN, "nj-win1", 1);
    add_one(world, wrong, "nj-win1", 2);
    add_one(world, wrong + MINUTE, "nj-win2", 2);
    add_one(world, BEGIN + MINUTE, "nj-win1", 3); /* put right */
    assert_true(lag_at(world, "nj-win1", HS_SPAN_HOUR, BEGIN + MINUTE, BEGIN) == 1);
    assert_true(lag_at(world, "nj-win1", HS_SPAN_HOUR, BEGIN + MINUTE, BEGIN + MINUTE) == 3);
    add_one(world, BEGIN + 2 * MINUTE, "nj-win2", 4); /* came while the clock was wrong */
    assert_true(lag_at(world, "nj-win2", HS_SPAN_HOUR, BEGIN + 2 * MINUTE, BEGIN + 2 * MINUTE) == 4);
}

/* ---- peers that are gone ---- */

static void who_is_gone_for_a_month_is_forgotten(void **state)
{
    struct world *world = *state;
    add_one(world, BEGIN, "nj-win1", 1);
    add_one(world, BEGIN + 30 * DAY, "nj-win2", 2);
    read_span(world, "nj-win1", HS_SPAN_HOUR, BEGIN);
    add_one(world, BEGIN + 30 * DAY + 10 * SECOND, "nj-win2", 2);
    assert_int_equal(hs_samples_read(world->samples, "nj-win1", HS_SPAN_HOUR, BEGIN, &world->series), HS_ENOTFOUND);
    reopen(world, BEGIN + 30 * DAY + MINUTE, false);
    assert_int_equal(hs_samples_read(world->samples, "nj-win1", HS_SPAN_HOUR, BEGIN, &world->series), HS_ENOTFOUND);
    read_span(world, "nj-win2", HS_SPAN_HOUR, BEGIN + 30 * DAY);
}

/* Its rows still hold what the one before it had there. */
static void a_new_peer_does_not_show_what_was_anothers(void **state)
{
    struct world *world = *state;
    uint64_t then = BEGIN + 31 * DAY;
    add_one(world, BEGIN, "nj-win1", 1);
    for (uint64_t at = 0; at < 2 * HOUR; at += 10 * SECOND)
        add_one(world, BEGIN + 15 * MINUTE + at, "nj-win1", 1);
    add_one(world, then, "nj-win2", 2);
    add_one(world, then + 10 * SECOND, "nj-win3", 3); /* in the place of the first */
    assert_int_equal(hs_samples_read(world->samples, "nj-win1", HS_SPAN_HOUR, then, &world->series), HS_ENOTFOUND);
    read_span(world, "nj-win3", HS_SPAN_HOUR, BEGIN + 2 * HOUR);
    for (size_t i = 0; i < world->series.count; i++)
        assert_true(isnan(world->series.values[HS_MEASURE_LAG_OUT_OPS][i]));
    assert_true(lag_at(world, "nj-win3", HS_SPAN_HOUR, then + 10 * SECOND, then + 10 * SECOND) == 3);
}

static char names[HS_SAMPLES_PEERS_MAX + 1][32];
static struct hs_sample all[HS_SAMPLES_PEERS_MAX + 1];

static void make_all(float lag)
{
    for (size_t i = 0; i <= HS_SAMPLES_PEERS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "hall-%04zu", i);
        all[i] = sample(names[i], 1, lag + (float)i);
    }
}

static uint64_t file_bytes(const struct world *world)
{
    struct stat status;
    assert_int_equal(stat(world->path, &status), 0);
    return (uint64_t)status.st_size;
}

/* The one too many is left out until one of the others was away for an hour. */
static void there_is_an_end_of_places(void **state)
{
    struct world *world = *state;
    size_t last = HS_SAMPLES_PEERS_MAX;
    make_all(0);
    assert_int_equal(hs_samples_add(world->samples, BEGIN, all, last), HS_OK);
    assert_int_equal(hs_samples_add(world->samples, BEGIN + MINUTE, &all[1], last), HS_OK);
    assert_int_equal(hs_samples_read(world->samples, names[last], HS_SPAN_HOUR, BEGIN, &world->series), HS_ENOTFOUND);
    assert_int_equal(hs_samples_add(world->samples, BEGIN + HOUR, &all[1], last - 1), HS_OK);
    assert_int_equal(hs_samples_add(world->samples, BEGIN + HOUR + MINUTE, &all[1], last), HS_OK);
    assert_int_equal(hs_samples_read(world->samples, names[0], HS_SPAN_HOUR, BEGIN, &world->series), HS_ENOTFOUND);
    assert_true(lag_at(world, names[last], HS_SPAN_HOUR, BEGIN + HOUR + MINUTE, BEGIN + HOUR + MINUTE) == 4096);
    assert_true(file_bytes(world) <= HS_SAMPLES_BYTES_MAX);
    struct hs_sample nameless[] = {sample("", 1, 1), sample("a-name-that-is-longer-than-any-node-has", 1, 1)};
    assert_int_equal(hs_samples_add(world->samples, BEGIN + 2 * HOUR, nameless, 2), HS_OK);
}

/* ---- a month of a thousand ---- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Each row of the rings is written: hours for a month, minutes for the last day, ten seconds for the last hour; then
 * once more, and the file is as large as before. */
static void a_month_of_a_thousand_halls_is_bounded(void **state)
{
    enum { HALLS = 1000 };
    struct world *world = *state;
    uint64_t end = BEGIN + 30 * DAY, added = 0;
    double began = seconds(), slowest = 0;
    make_all(1);
    for (uint64_t at = BEGIN; at <= end; added++) {
        assert_int_equal(hs_samples_add(world->samples, at, all, HALLS), HS_OK);
        at += at < end - DAY ? HOUR : at < end - HOUR ? MINUTE : 10 * SECOND;
    }
    printf("%llu samples of %d halls: %.2f ms each\n", (unsigned long long)added, HALLS,
           (seconds() - began) * 1000 / (double)added);
    assert_int_equal(file_bytes(world), BLOCKS_AT + 16 * BLOCK_BYTES);
    for (enum hs_span span = HS_SPAN_HOUR; span <= HS_SPAN_MONTH; span++) {
        began = seconds();
        read_span(world, names[999], span, end);
        slowest = seconds() - began > slowest ? seconds() - began : slowest;
        for (size_t i = 1; i + 1 < world->series.count; i++)
            assert_true(world->series.values[HS_MEASURE_LAG_OUT_OPS][i] == 1000);
    }
    printf("a span of one of them: %.2f ms at most\n", slowest * 1000);
    for (uint64_t at = end + DAY; at < end + DAY + HOUR; at += 10 * SECOND)
        assert_int_equal(hs_samples_add(world->samples, at, all, HALLS), HS_OK);
    assert_int_equal(file_bytes(world), BLOCKS_AT + 16 * BLOCK_BYTES);
    assert_true(file_bytes(world) < 43000000);
}

/* ---- damage ---- */

static void spoil(const struct world *world, off_t at)
{
    int fd = open(world->path, O_RDWR);
    uint8_t byte;
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void a_strange_file_is_made_anew(void **state)
{
    struct world *world = *state;
    add_one(world, BEGIN, "nj-win1", 1);
    spoil(world, 9); /* its version */
    reopen(world, BEGIN, true);
    assert_int_equal(hs_samples_read(world->samples, "nj-win1", HS_SPAN_HOUR, BEGIN, &world->series), HS_ENOTFOUND);
    add_one(world, BEGIN, "nj-win1", 2);
    assert_true(lag_at(world, "nj-win1", HS_SPAN_HOUR, BEGIN, BEGIN) == 2);
    assert_int_equal(truncate(world->path, (off_t)HS_SAMPLES_BYTES_MAX + 1), 0);
    reopen(world, BEGIN, true);
    assert_true(file_bytes(world) <= HEAD_BYTES);
}

static void a_row_that_rotted_is_a_gap(void **state)
{
    struct world *world = *state;
    add_one(world, BEGIN, "nj-win1", 1);
    add_one(world, BEGIN + 10 * SECOND, "nj-win1", 2);
    off_t row = BLOCKS_AT + (off_t)(BEGIN / (10 * SECOND) % 360) * 1040;
    spoil(world, row + 16 + 3);
    assert_true(isnan(lag_at(world, "nj-win1", HS_SPAN_HOUR, BEGIN + MINUTE, BEGIN)));
    assert_true(lag_at(world, "nj-win1", HS_SPAN_HOUR, BEGIN + MINUTE, BEGIN + 10 * SECOND) == 2);
}

static void a_place_that_rotted_is_nobodys(void **state)
{
    struct world *world = *state;
    struct hs_sample two[] = {sample("nj-win1", 1, 5), sample("nj-win2", 1, 6)};
    assert_int_equal(hs_samples_add(world->samples, BEGIN, two, 2), HS_OK);
    hs_samples_close(world->samples);
    spoil(world, HEAD_BYTES + 1);
    open_at(world, BEGIN + MINUTE, false);
    assert_int_equal(hs_samples_read(world->samples, "nj-win1", HS_SPAN_HOUR, BEGIN, &world->series), HS_ENOTFOUND);
    assert_true(lag_at(world, "nj-win2", HS_SPAN_HOUR, BEGIN + MINUTE, BEGIN) == 6);
}

static void a_file_that_was_cut_is_read_as_far_as_it_goes(void **state)
{
    struct world *world = *state;
    add_one(world, BEGIN, "nj-win1", 1);
    assert_int_equal(truncate(world->path, BLOCKS_AT), 0);
    assert_true(isnan(lag_at(world, "nj-win1", HS_SPAN_HOUR, BEGIN, BEGIN)));
    add_one(world, BEGIN + 10 * SECOND, "nj-win1", 2);
    assert_true(lag_at(world, "nj-win1", HS_SPAN_HOUR, BEGIN + MINUTE, BEGIN + 10 * SECOND) == 2);
}

/* As on a full disk: an error each time, and what was there before stays. */
static void a_file_that_cannot_grow_is_an_error(void **state)
{
    struct world *world = *state;
    struct hs_sample other = sample("nj-win1", 1, 2);
    struct rlimit whole, less;
    make_all(0);
    add_one(world, BEGIN, "nj-win1", 1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &whole), 0);
    less = (struct rlimit){file_bytes(world), whole.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &less), 0);
    assert_int_not_equal(hs_samples_add(world->samples, BEGIN + 10 * SECOND, all, 200),
                         HS_OK); /* blocks of their own */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &whole), 0);
    assert_int_equal(hs_samples_add(world->samples, BEGIN + 20 * SECOND, &other, 1), HS_OK);
    assert_true(lag_at(world, "nj-win1", HS_SPAN_HOUR, BEGIN + MINUTE, BEGIN) == 1);
    assert_true(lag_at(world, "nj-win1", HS_SPAN_HOUR, BEGIN + MINUTE, BEGIN + 20 * SECOND) == 2);
}

static void what_is_no_file_is_named(void **state)
{
    struct world *world = *state;
    struct hs_samples *other = NULL;
    struct hs_why why = {""};
    bool anew;
    assert_int_not_equal(hs_samples_open(world->dir, BEGIN, &other, &anew, &why), HS_OK);
    assert_non_null(strstr(why.text, world->dir));
}

#define SAMPLES_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAMPLES_TEST(numbers_come_back),
        SAMPLES_TEST(nothing_is_no_sample),
        SAMPLES_TEST(an_hour_shows_each_ten_seconds),
        SAMPLES_TEST(minutes_and_hours_are_folded),
        SAMPLES_TEST(of_two_of_one_id_the_connected_one_counts),
        SAMPLES_TEST(sparks_are_the_last_hour_by_minutes),
        SAMPLES_TEST(spans_have_names),
        SAMPLES_TEST(a_restart_loses_nothing),
        SAMPLES_TEST(one_process_has_it),
        SAMPLES_TEST(a_clock_that_jumps_leaves_a_gap_only),
        SAMPLES_TEST(who_is_gone_for_a_month_is_forgotten),
        SAMPLES_TEST(a_new_peer_does_not_show_what_was_anothers),
        SAMPLES_TEST(there_is_an_end_of_places),
        SAMPLES_TEST(a_month_of_a_thousand_halls_is_bounded),
        SAMPLES_TEST(a_strange_file_is_made_anew),
        SAMPLES_TEST(a_row_that_rotted_is_a_gap),
        SAMPLES_TEST(a_place_that_rotted_is_nobodys),
        SAMPLES_TEST(a_file_that_was_cut_is_read_as_far_as_it_goes),
        SAMPLES_TEST(a_file_that_cannot_grow_is_an_error),
        SAMPLES_TEST(what_is_no_file_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
