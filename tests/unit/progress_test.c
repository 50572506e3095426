/* progress_test.c -- pace, time left and the texts of what a long command shows, by a clock that is made up. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/cli/forms.h"
#include "node/cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void what_is_left_follows_from_the_pace(void **state)
{
    (void)state;
    struct cli_pace pace = {0};
    uint64_t seconds = 77;
    cli_pace_note(&pace, 1000, 5000); /* it went on from there */
    assert_false(cli_pace_left(&pace, 1000, 9000, &seconds));
    cli_pace_note(&pace, 1100, 5100); /* too early to tell */
    assert_false(cli_pace_left(&pace, 1100, 9000, &seconds));
    cli_pace_note(&pace, 3000, 7000);
    assert_true(cli_pace_left(&pace, 3000, 9000, &seconds)); /* a thousand a second */
    assert_int_equal(seconds, 7);
    assert_false(cli_pace_left(&pace, 9000, 9000, &seconds));
    assert_false(cli_pace_left(&pace, 9001, 9000, &seconds));
}

static void the_last_seconds_count_most(void **state)
{
    (void)state;
    struct cli_pace pace = {0};
    uint64_t seconds = 0, done = 0, ms = 0;
    for (int i = 0; i < 20; i++, ms += 1000, done += 1000)
        cli_pace_note(&pace, done, ms);
    assert_true(pace.per_s > 990 && pace.per_s < 1010);
    for (int i = 0; i < 30; i++, ms += 1000, done += 10) /* the line became narrow */
        cli_pace_note(&pace, done, ms);
    assert_true(pace.per_s < 60 && pace.per_s > 10);
    for (int i = 0; i < 120; i++, ms += 1000) /* and is gone */
        cli_pace_note(&pace, done, ms);
    assert_true(pace.per_s < 0.01);
    assert_true(cli_pace_left(&pace, done, UINT64_MAX, &seconds));
    assert_int_equal(seconds, 31536000); /* nobody waits longer */
    cli_pace_note(&pace, 5, ms + 1000);  /* it was begun anew */
    assert_false(cli_pace_left(&pace, 5, 10, &seconds));
}

/* An hour behind Ctrl-Z is no hour's work. */
static void a_stop_says_nothing_of_the_pace(void **state)
{
    (void)state;
    struct cli_pace pace = {0};
    uint64_t seconds = 0;
    cli_pace_note(&pace, 0, 10000);
    cli_pace_note(&pace, 5000, 15000);
    cli_pace_look(&pace, 15250, 15900); /* a busy machine */
    assert_true(cli_pace_left(&pace, 5000, 9000, &seconds));
    cli_pace_look(&pace, 15250, 3615000);
    cli_pace_note(&pace, 5000, 3615000);
    assert_false(cli_pace_left(&pace, 5000, 9000, &seconds));
    cli_pace_note(&pace, 6000, 3616000);
    assert_true(cli_pace_left(&pace, 6000, 9000, &seconds));
    assert_int_equal(seconds, 4);
}

static void it_reads_as_people_speak(void **state)
{
    (void)state;
    static const struct cli_pace NONE = {0}, FAST = {.begun = true, .known = true, .per_s = 25300};
    const struct {
        struct cli_step step;
        const struct cli_pace *pace;
        uint64_t ms;
        size_t width;
        const char *text;
    } CASES[] = {
        {{.what = "reading the log", .done = 42000, .total = 100000, .unit = "rows"},
         &FAST,
         4000,
         100,
         "[########            ]  42 %  reading the log, 42000 rows, 25300/s, 3 s left"},
        {{.what = "reading the log", .done = 42000, .total = 100000, .unit = "rows"},
         &FAST,
         4000,
         0,
         "reading the log: 42 %, 42000 rows, 25300/s, 3 s left"},
        {{.what = "reading", .done = 42000, .total = 100000, .unit = CLI_BYTES},
         &FAST,
         4000,
         50, /* too narrow for a bar */
         "reading: 42 %, 42.0 kB, 25.3 kB/s, 3 s left"},
        {{.what = "reading", .done = 7, .total = 7, .unit = "rows"},
         &FAST,
         9000,
         0,
         "reading: 100 %, 7 rows, 25300/s, for 9 s"},
        {{.what = "reading", .done = 9, .total = 7}, &NONE, 9000, 0, "reading: 100 %, for 9 s"},
        {{.what = "waiting for the node"}, &NONE, 3999, 80, "waiting for the node, for 3 s"},
        {{.what = "waiting", .limit_ms = 30000, .note = "2 peers"},
         &NONE,
         12000,
         80,
         "waiting, 2 peers, for 12 s of at most 30 s"},
        {{.what = "writing", .done = 5, .unit = "lines"}, &NONE, 200000, 80, "writing, 5 lines, for 3 min"},
        {{.what = "waiting for the node"}, &NONE, 3999, 12, "waiting for"},
    };
    char text[CLI_PROGRESS_BYTES];
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++)
        assert_string_equal(cli_progress_text(&CASES[i].step, CASES[i].pace, CASES[i].ms, CASES[i].width, text),
                            CASES[i].text);
}

/* A bar that is wrapped is no bar. */
static void no_text_is_as_wide_as_the_terminal(void **state)
{
    (void)state;
    static const struct cli_pace FAST = {.begun = true, .known = true, .per_s = 1e15};
    const struct cli_step step = {
        .what = "\u5357\u4eac\u5e02 of a name that is long beyond all measure, and longer",
        .done = UINT64_MAX / 2,
        .total = UINT64_MAX,
        .unit = "operations of all lanes",
        .note = "\u5357\u4eac\u5e02 and more of it, as much as there is room for, or not at all"};
    char text[CLI_PROGRESS_BYTES];
    for (size_t width = 1; width < 400; width++)
        assert_true(cli_width(cli_progress_text(&step, &FAST, UINT64_MAX, width, text)) < width);
}

static void lines_become_rare(void **state)
{
    (void)state;
    assert_int_equal(cli_progress_next_line(2000), 10000);
    assert_int_equal(cli_progress_next_line(10000), 20000);
    assert_int_equal(cli_progress_next_line(20500), 40000);
    assert_int_equal(cli_progress_next_line(40000), 100000);
    assert_int_equal(cli_progress_next_line(100000), 160000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_follows_from_the_pace), cmocka_unit_test(the_last_seconds_count_most),
        cmocka_unit_test(a_stop_says_nothing_of_the_pace),    cmocka_unit_test(it_reads_as_people_speak),
        cmocka_unit_test(no_text_is_as_wide_as_the_terminal), cmocka_unit_test(lines_become_rare),
    };
    return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
