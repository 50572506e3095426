/* cli_kinds_test.c -- the command line of every kind of record: its commands, and lines as text and as JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/cli/draft.h"
#include "node/cli/kind_commands.h"
#include "tests/lib/thing_kind.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct made {
    struct cli_draft draft;
    struct cli_bad bad;
};

static enum hs_err set(struct made *made, const char *name, const char *value)
{
    return cli_draft_text(&made->draft, name, HS_BYTES(value, strlen(value)), &made->bad);
}

/* ---- lines ---- */

static void begin_thing(struct made *made)
{
    static char state[] = "open";
    memset(&made->bad, 0, sizeof made->bad);
    assert_int_equal(cli_draft_init(&made->draft, &THING), HS_OK);
    assert_int_equal(set(made, "state", state), HS_OK);
}

static void assert_lines(struct made *made, const char *expected)
{
    struct hs_buf packed = {0};
    struct hs_buf text = {0};
    struct hs_fields fields = hs_kind_fields(&THING);
    assert_int_equal(cli_draft_pack(&made->draft, &packed), HS_OK);
    hs_field_text(&fields, hs_kind_rule(&THING, THING_LINES), hs_buf_bytes(&packed), &text);
    hs_buf_put_u8(&text, 0);
    assert_string_equal((const char *)text.data, expected);
    hs_buf_fini(&packed);
    hs_buf_fini(&text);
}

static void lines_come_as_text_and_as_json(void **state)
{
    (void)state;
    static const struct {
        const char *json, *text;
    } SAME[] = {
        {"{\"events\":[{\"event_id\":\"a\",\"time_ms\":5},{\"state\":\"yes\",\"event_id\":\"b:c\"}]}",
         "a::5;b\\:c:yes"},
        {"{\"events\":[{\"event_id\":\"a\",\"state\":null}]}", "a"},
    };
    for (size_t i = 0; i < sizeof SAME / sizeof *SAME; i++) {
        struct made made;
        begin_thing(&made);
        assert_int_equal(set(&made, "events", SAME[i].text), HS_OK);
        assert_lines(&made, SAME[i].text);
        cli_draft_fini(&made.draft);
        begin_thing(&made);
        assert_int_equal(cli_draft_line(&made.draft, HS_BYTES(SAME[i].json, strlen(SAME[i].json)), &made.bad), HS_OK);
        assert_lines(&made, SAME[i].text);
        cli_draft_fini(&made.draft);
    }
}

static void wrong_lines_of_a_record_name_field_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum hs_err err;
        const char *why;
    } CASES[] = {
        {"{\"events\":\"a\"}", HS_EVALUE, "events: is not an array of objects"},
        {"{\"events\":[1]}", HS_EVALUE, "events: line 1: is not a JSON object"},
        {"{\"events\":[{},{},{},{}]}", HS_ETOOBIG, "events: more than 3 lines"},
        {"{\"events\":[{},{\"colour\":1}]}", HS_EFIELD, "events: line 2: colour: a line has no such field"},
        {"{\"events\":[{\"event_id\":1}]}", HS_EVALUE, "events: line 1: event_id: is not a text"},
        {"{\"events\":[{\"time_ms\":\"1\"}]}", HS_EVALUE, "events: line 1: time_ms: is not a whole number"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct made made;
        begin_thing(&made);
        assert_int_equal(cli_draft_line(&made.draft, HS_BYTES(CASES[i].json, strlen(CASES[i].json)), &made.bad),
                         CASES[i].err);
        assert_string_equal(made.bad.field, "events");
        assert_string_equal(made.bad.why.text, CASES[i].why);
        cli_draft_fini(&made.draft);
    }
    struct made made;
    begin_thing(&made);
    assert_int_equal(set(&made, "events", "a;b::x"), HS_EVALUE);
    assert_string_equal(made.bad.why.text, "events[1].time_ms: is not a whole number");
    cli_draft_fini(&made.draft);
}

/* ---- commands ---- */

/* Every kind has its commands, from the table or from a row of its own, and none has two of the same words. */
static void every_kind_has_commands(void **state)
{
    (void)state;
    const struct cli_command *more;
    size_t count = cli_kind_commands(&more);
    for (size_t i = 0; i < count; i++) {
        assert_true(more[i].words[0] != '\0' && more[i].help[0] != '\0' && more[i].run != NULL && more[i].kind != 0);
        for (size_t j = 0; j < CLI_COMMAND_COUNT; j++)
            assert_string_not_equal(more[i].words, CLI_COMMANDS[j].words);
    }
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        char word[CLI_KIND_WORD_BYTES];
        char get[64];
        cli_kind_word(&HS_KINDS[i], word);
        snprintf(get, sizeof get, "%s get", word);
        char *help = cli_help_text(word);
        assert_non_null(help);
        assert_non_null(strstr(help, get));
        assert_non_null(strstr(help, HS_KINDS[i].zh));
        free(help);
    }
    char *help = cli_help_text("customer");
    assert_null(strstr(help, "customer list")); /* nobody is listed without a number of his */
    free(help);
    help = cli_help_text("rating add");
    assert_non_null(help);
    free(help);
    assert_null(cli_help_text("rating put")); /* a fact never changes */
    assert_null(cli_help_text("decision add"));
}

/* The library's header has the numbers of all kinds. */
static void the_header_names_every_kind(void **state)
{
    (void)state;
    FILE *file = fopen(HS_SOURCE_DIR "/node/client/hallsync.h", "r");
    assert_non_null(file);
    char text[16384];
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "HALLSYNC_KIND_%s = %u,", HS_KINDS[i].name, (unsigned)HS_KINDS[i].number);
        for (char *at = wanted; *at != '\0'; at++)
            *at = (char)toupper((unsigned char)*at);
        if (strstr(text, wanted) == NULL)
            fail_msg("hallsync.h has no '%s'", wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_as_text_and_as_json),
        cmocka_unit_test(wrong_lines_of_a_record_name_field_and_line),
        cmocka_unit_test(every_kind_has_commands),
        cmocka_unit_test(the_header_names_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
