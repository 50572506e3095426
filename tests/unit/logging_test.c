/* logging_test.c -- what is logged: as lines, as JSON whatever the bytes, as entries of the journal; and docs/logs.md.
 */
#include "tests/lib/made_doc.h"
#include "tests/lib/random.h"

#include "node/log/log.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define DOCS_PATH HS_SOURCE_DIR "/docs/logs.md"
#define MARK \
    "<!-- From here on made by tests/unit/logging_test.c of node/log/events.h; HS_WRITE_DOCS=1 writes it anew. -->\n"
#define ROOM_BYTES 4096

/* ---- standard error and the journal, in our place ---- */

static char sent[ROOM_BYTES]; /* the entry's fields, a line each */
static bool has_journal, journal_fails;

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
    bool is_journal = strcmp(path, "/run/systemd/journal/socket") == 0;
    return is_journal ? (has_journal ? 0 : -1) : __real_access(path, mode);
}

int __wrap_sd_journal_sendv(const struct iovec *parts, int count);
int __wrap_sd_journal_sendv(const struct iovec *parts, int count)
{
    size_t size = 0;
    for (int i = 0; i < count; i++)
        size += (size_t)snprintf(sent + size, sizeof sent - size, "%.*s\n", (int)parts[i].iov_len,
                                 (const char *)parts[i].iov_base);
    return journal_fails ? -1 : 0;
}

/* What @fields of ROOM are logged as; the text lives until the next call. */
static const char *logged(enum hs_log_level level, const char *text)
{
    static char line[ROOM_BYTES];
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    int was = dup(STDERR_FILENO);
    dup2(pipes[1], STDERR_FILENO);
    close(pipes[1]);
    HS_LOG_AT(level, HS_EV_ROOM, HS_WORD("room", "low"), HS_NUMBER("free_mib", 400), HS_PROSE("text", text));
    dup2(was, STDERR_FILENO);
    close(was);
    ssize_t size = read(pipes[0], line, sizeof line - 1);
    close(pipes[0]);
    line[size > 0 ? size : 0] = '\0';
    return line;
}

/* ---- formats ---- */

static void a_line_has_its_fields(void **state)
{
    (void)state;
    hs_log_init(HS_LOG_INFO, HS_LOG_TEXT);
    const char *line = logged(HS_LOG_WARN, "a \"b\" \\ c\nlevel=error");
    assert_non_null(strstr(line, "Z level=warn module=disk event=room room=low free_mib=400 "
                                 "text=\"a \\\"b\\\" \\\\ c?level=error\"\n"));
    assert_non_null(strstr(logged(HS_LOG_WARN, "磁\xff\xc2\x9b"
                                               "31m \u202e"),
                           "text=\"磁??31m ?\"\n"));
    assert_string_equal(logged(HS_LOG_DEBUG, ""), "");
    hs_log_set_level(HS_LOG_DEBUG);
    assert_non_null(strstr(logged(HS_LOG_DEBUG, ""), "level=debug"));
}

static void json_is_an_object_a_line(void **state)
{
    (void)state;
    hs_log_init(HS_LOG_INFO, HS_LOG_JSON);
    const char *line = logged(HS_LOG_ERROR, "磁盘\xff\x01\"\n");
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    assert_string_equal(json_string_value(json_object_get(object, "level")), "error");
    assert_string_equal(json_string_value(json_object_get(object, "module")), "disk");
    assert_string_equal(json_string_value(json_object_get(object, "event")), "room");
    assert_int_equal(json_integer_value(json_object_get(object, "free_mib")), 400);
    assert_string_equal(json_string_value(json_object_get(object, "text")), "磁盘\xef\xbf\xbd\x01\"\n");
    assert_int_equal(strlen(json_string_value(json_object_get(object, "time"))), 24);
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    json_decref(object);
}

static void the_journal_gets_fields(void **state)
{
    (void)state;
    has_journal = true;
    hs_log_init(HS_LOG_INFO, HS_LOG_JOURNAL);
    assert_string_equal(logged(HS_LOG_WARN, "two\nlines"), "");
    assert_non_null(
        strstr(sent, "MESSAGE=level=warn module=disk event=room room=low free_mib=400 text=\"two?lines\"\n"));
    assert_non_null(strstr(sent, "\nPRIORITY=4\nSYSLOG_IDENTIFIER=test_logging\n"));
    assert_non_null(strstr(sent, "\nHALLSYNC_EVENT=room\n"));
    assert_non_null(strstr(sent, "\nHALLSYNC_FREE_MIB=400\nHALLSYNC_TEXT=two\nlines\n"));
    journal_fails = true;
    assert_non_null(strstr(logged(HS_LOG_WARN, "x"), "event=room"));
    journal_fails = has_journal = false;
    hs_log_init(HS_LOG_INFO, HS_LOG_JOURNAL);
    assert_non_null(strstr(logged(HS_LOG_WARN, "x"), "event=room"));
}

/* The variable is inherited by who has another standard error, too: systemd.exec(5) says what to compare. */
static void the_journal_is_found_by_its_stream(void **state)
{
    (void)state;
    struct stat file;
    char stream[64];
    has_journal = true;
    assert_int_equal(fstat(STDERR_FILENO, &file), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)file.st_dev, (unsigned long long)file.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    hs_log_init(HS_LOG_INFO, HS_LOG_AUTO);
    assert_string_equal(logged(HS_LOG_WARN, "x"), "");
    hs_log_init(HS_LOG_INFO, HS_LOG_TEXT);
    assert_memory_equal(logged(HS_LOG_WARN, "x"), "<4>level=warn ", 14);
    const char *const OTHERS[] = {"1:1", "", "x", "8:", ":8"};
    for (size_t i = 0; i < COUNT_OF(OTHERS); i++) {
        setenv("JOURNAL_STREAM", OTHERS[i], 1);
        hs_log_init(HS_LOG_INFO, HS_LOG_AUTO);
        assert_non_null(strstr(logged(HS_LOG_WARN, "x"), "Z level=warn"));
    }
    unsetenv("JOURNAL_STREAM");
    has_journal = false;
}

static void names_are_read(void **state)
{
    (void)state;
    enum hs_log_level level = HS_LOG_ERROR;
    enum hs_log_format format = HS_LOG_TEXT;
    assert_true(hs_log_level_parse("debug", &level) && level == HS_LOG_DEBUG);
    assert_false(hs_log_level_parse("loud", &level));
    assert_true(hs_log_format_parse("journal", &format) && format == HS_LOG_JOURNAL);
    assert_false(hs_log_format_parse("xml", &format));
}

/* ---- any bytes, any room ---- */

static struct hs_detail any_detail(char *text, const char *name)
{
    static const char *const ODD[] = {
        "\"", "\\", "\n",       "\x7f",   "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "磁",    "😀",
        "=",  " ",  "\xc2\x9b", "\u2028", "\u202e",   "\u2069",       "\ufeff",           "\u200e"};
    size_t size = 0;
    switch (random_below(6)) {
    case 0:
        return HS_NUMBER(name, random_u64());
    case 1:
        return HS_AMOUNT(name, (int64_t)random_u64());
    case 2:
        return HS_HEX(name, random_u64());
    case 3:
        return HS_YES(name, chance(50));
    default:
        for (size_t left = random_below(40); left > 0; left--) {
            const char any[2] = {(char)(1 + random_below(255)), '\0'};
            const char *odd = chance(60) ? any : ODD[random_below(COUNT_OF(ODD))];
            size += (size_t)snprintf(text + size, 200 - size, "%s", odd);
        }
        text[size] = '\0';
        return chance(50) ? HS_WORD(name, chance(10) ? NULL : text) : HS_PROSE(name, text);
    }
}

/* Nothing that a terminal or a viewer would take for more than letters. */
static void is_line(const char *line)
{
    static const char *const HIDDEN[] = {"\u2028", "\u2029", "\u202a", "\u202e",
                                         "\u2066", "\u2069", "\u200e", "\ufeff"};
    json_t *string = json_string(line);
    assert_non_null(string); /* UTF-8 */
    json_decref(string);
    for (const char *at = line; *at != '\0'; at++) {
        assert_true((unsigned char)*at >= ' ' && *at != 0x7f);
        assert_false(at[0] == '\xc2' && (unsigned char)at[1] < 0xa0); /* CSI and the like in one character */
    }
    for (size_t i = 0; i < COUNT_OF(HIDDEN); i++)
        assert_null(strstr(line, HIDDEN[i]));
}

static void whatever_the_bytes_it_is_json(void **state)
{
    (void)state;
    random_state = number_of(getenv("HS_SEED"), 20261122);
    print_message("HS_SEED=%llu\n", (unsigned long long)random_state);
    for (unsigned round = 0; round < 20000; round++) {
        static const char *const NAMES[] = {"one", "two", "three", "four"};
        char texts[4][200];
        struct hs_detail details[4];
        char out[1024 + 1];
        size_t count = random_below(5), room = HS_DETAILS_ROOM_MIN + random_below(chance(50) ? 64 : 1000);
        for (size_t i = 0; i < count; i++)
            details[i] = any_detail(texts[i], NAMES[i]);
        out[room] = 'x';
        size_t size = hs_details_json(out, room, details, count);
        assert_true(size < room && strlen(out) == size && out[room] == 'x');
        json_t *object = json_loadb(out, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, NULL);
        if (object == NULL)
            fail_msg("%s", out);
        if (room > 900)
            assert_null(json_object_get(object, "cut"));
        json_decref(object);
        is_line(out);
        size = hs_details_line(out, room, details, count);
        assert_true(size < room && strlen(out) == size && out[room] == 'x');
        is_line(out);
    }
}

static void what_does_not_fit_is_said(void **state)
{
    (void)state;
    char out[64];
    const struct hs_detail details[] = {
        HS_WORD("a", "0123456789012345678901234567890123456789012345678901234567890123"), HS_NUMBER("b", 7)};
    hs_details_json(out, sizeof out, details, 2);
    json_t *object = json_loads(out, 0, NULL);
    assert_non_null(object);
    assert_true(json_is_true(json_object_get(object, "cut")));
    assert_memory_equal(json_string_value(json_object_get(object, "a")), "0123456789", 10);
    assert_null(json_object_get(object, "b"));
    json_decref(object);
    hs_details_line(out, sizeof out, details, 2);
    assert_string_equal(out, "cut=yes");
    const struct hs_detail prose[] = {HS_NUMBER("b", 7), HS_PROSE("a", details[0].of.text), HS_NUMBER("c", 7)};
    hs_details_line(out, sizeof out, prose, 3);
    assert_string_equal(out, "b=7 a=\"01234567890123456789012345678901234567890123456\" cut=yes");
    assert_int_equal(strlen(out), sizeof out - 1);
    const struct hs_detail chinese[] = {HS_PROSE("a", "磁盘磁盘磁盘")};
    hs_details_line(out, 24, chinese, 1);
    assert_string_equal(out, "a=\"磁盘磁\" cut=yes");
}

/* ---- the table ---- */

static void put_row(struct hs_buf *doc, const struct hs_log_row *row)
{
    hs_buf_put_format(doc, "| %s | `%s` | %s |", row->module, row->event, hs_log_level_text(row->level));
    const char *before = " `";
    for (const char *at = row->fields; *at != '\0'; before = " `") {
        size_t size = strcspn(at, " ");
        hs_buf_put_format(doc, "%s%.*s`", before, (int)size, at);
        at += size + (at[size] == ' ');
    }
    hs_buf_put_format(doc, " | %s |\n", row->about);
}

static void the_document_has_all_events(void **state)
{
    (void)state;
    struct hs_buf doc = {0};
    hs_buf_put_format(&doc, "\n| module | event | level | fields | what it says |\n|---|---|---|---|---|\n");
    for (unsigned i = 0; i < HS_EV_COUNT; i++)
        put_row(&doc, hs_log_row((enum hs_log_event)i));
    made_doc_check(DOCS_PATH, MARK, &doc);
}

/* In JSON and in the journal they are members of one object. */
static void no_field_takes_a_name_that_all_have(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HS_EV_COUNT; i++) {
        const struct hs_log_row *row = hs_log_row((enum hs_log_event)i);
        char fields[256];
        snprintf(fields, sizeof fields, " %s ", row->fields);
        static const char *const TAKEN[] = {" time ", " level ", " module ", " event ", " cut ", " priority "};
        for (size_t k = 0; k < COUNT_OF(TAKEN); k++)
            assert_null(strstr(fields, TAKEN[k]));
        for (unsigned k = 0; k < i; k++) {
            const struct hs_log_row *other = hs_log_row((enum hs_log_event)k);
            assert_false(strcmp(row->module, other->module) == 0 && strcmp(row->event, other->event) == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_its_fields),
        cmocka_unit_test(json_is_an_object_a_line),
        cmocka_unit_test(the_journal_gets_fields),
        cmocka_unit_test(the_journal_is_found_by_its_stream),
        cmocka_unit_test(names_are_read),
        cmocka_unit_test(whatever_the_bytes_it_is_json),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(the_document_has_all_events),
        cmocka_unit_test(no_field_takes_a_name_that_all_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
