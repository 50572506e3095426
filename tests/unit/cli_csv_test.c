/* cli_csv_test.c -- CSV as it comes, and rows as records. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/cli/rows.h"
#include "proto/records.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)

struct source {
    FILE *file;
    struct cli_input input;
    struct cli_csv csv;
};

static FILE *file_of(struct hs_bytes content)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(content.data, 1, content.size, file), content.size);
    rewind(file); /* flushes */
    return file;
}

static void open_source(struct source *source, struct hs_bytes content)
{
    source->file = file_of(content);
    cli_input_init(&source->input, fileno(source->file));
    cli_csv_init(&source->csv, &source->input);
}

static void close_source(struct source *source)
{
    cli_csv_fini(&source->csv);
    fclose(source->file);
}

/* The cells of all rows as "a|b;c|d"; a bad row as "!name@line". */
static void assert_rows(struct hs_bytes content, const char *expected)
{
    struct source source;
    struct cli_csv_row row;
    struct hs_buf seen = {0};
    open_source(&source, content);
    for (bool first = true; cli_csv_next(&source.csv, &row); first = false) {
        hs_buf_put_format(&seen, "%s", first ? "" : ";");
        if (row.err != HS_OK)
            hs_buf_put_format(&seen, "!%s@%u", hs_err_name(row.err), (unsigned)row.line);
        for (size_t i = 0; i < row.count && row.err == HS_OK; i++) {
            hs_buf_put_format(&seen, "%s", i == 0 ? "" : "|");
            hs_buf_put_bytes(&seen, row.cells[i]);
        }
    }
    hs_buf_put_u8(&seen, 0);
    assert_string_equal((const char *)seen.data, expected);
    hs_buf_fini(&seen);
    close_source(&source);
}

static void rows_and_cells(void **state)
{
    (void)state;
    assert_rows(TEXT(""), "");
    assert_rows(TEXT("\n\r\n\n"), "");
    assert_rows(TEXT("a"), "a");
    assert_rows(TEXT("a,b\nc,d\n"), "a|b;c|d");
    assert_rows(TEXT("a,b\r\nc,d"), "a|b;c|d");
    assert_rows(TEXT("a,,\n,,\n"), "a||;||");
    assert_rows(TEXT("\xef\xbb\xbf"
                     "a,b\n"),
                "a|b");
    assert_rows(TEXT("\xef\xbb\xbf\"a\",b\n"), "a|b");
    assert_rows(TEXT("a\n\n\nb\n"), "a;b");
    assert_rows(TEXT("a, b ,c\n"), "a| b |c");
}

static void quotes(void **state)
{
    (void)state;
    assert_rows(TEXT("\"a\",\"b,c\"\n"), "a|b,c");
    assert_rows(TEXT("\"a\"\"b\",\"\"\n"), "a\"b|");
    assert_rows(TEXT("\"\"\"\"\n"), "\"");
    assert_rows(TEXT("\"a\nb\",c\n"), "a\nb|c");
    assert_rows(TEXT("\"a\r\nb\",c\r\n"), "a\nb|c");
    assert_rows(TEXT("\"\""), "");
    assert_rows(TEXT("\"a\"\n"), "a");
}

static void bad_rows_do_not_stop_the_good(void **state)
{
    (void)state;
    assert_rows(TEXT("a\"b,c\nd,e\n"), "!bad-value@1;d|e");
    assert_rows(TEXT("\"a\"b,c\nd,e\n"), "!bad-value@1;d|e");
    assert_rows(TEXT("a,b\n\"c,d\ne,f\n"), "a|b;!bad-value@2");
    assert_rows(TEXT("a\n\xff\nb\n"), "a;!bad-utf8@2;b");
    assert_rows(TEXT("a\nb\0c\nd\n"), "a;!bad-utf8@2;d");
    assert_rows(TEXT("a\rb\nc\n"), "!bad-utf8@1;c");
    assert_rows(TEXT("\"a\nb\nc\",d\n\xfe\ne\n"), "a\nb\nc|d;!bad-utf8@4;e");
}

static void limits_hold(void **state)
{
    (void)state;
    const size_t size = 10 << 20;
    uint8_t *big = malloc(size);
    memset(big, 'x', size);
    memcpy(big + size - 6, "\nb,c\nd", 6);
    assert_rows(HS_BYTES(big, size), "!too-big@1;b|c;d");
    big[0] = '"';
    assert_rows(HS_BYTES(big, size), "!too-big@1");
    memset(big, ',', 200);
    memcpy(big + 200, "\nb\n", 3);
    assert_rows(HS_BYTES(big, 203), "!too-big@1;b");

    struct source source;
    struct cli_csv_row row;
    memset(big, 'y', size);
    open_source(&source, HS_BYTES(big, size));
    assert_true(cli_csv_next(&source.csv, &row));
    assert_int_equal(row.raw.size, CLI_RAW_BYTES_MAX);
    assert_true(source.csv.cells.room <= 2 * HS_FIELD_BYTES_MAX);
    close_source(&source);
    free(big);
}

static void what_is_written_reads_the_same(void **state)
{
    (void)state;
    static const char *const CELLS[] = {"", "a", "a,b", "\"", "a\"b", "a\nb", " a", "a ", "王,小明", "\"\"", "\n"};
    struct hs_buf line = {0};
    for (size_t i = 0; i < sizeof CELLS / sizeof *CELLS; i++)
        cli_csv_put(&line, HS_BYTES(CELLS[i], strlen(CELLS[i])), i == 0);
    struct source source;
    struct cli_csv_row row;
    open_source(&source, hs_buf_bytes(&line));
    assert_true(cli_csv_next(&source.csv, &row));
    assert_int_equal(row.err, HS_OK);
    assert_int_equal(row.count, sizeof CELLS / sizeof *CELLS);
    for (size_t i = 0; i < row.count; i++)
        assert_true(hs_bytes_equal(row.cells[i], HS_BYTES(CELLS[i], strlen(CELLS[i]))));
    close_source(&source);
    hs_buf_fini(&line);
}

/* ---- rows as records ---- */

static enum hs_err open_error(struct hs_bytes content, struct cli_bad *bad)
{
    struct cli_rows rows;
    FILE *file = file_of(content);
    memset(bad, 0, sizeof *bad);
    enum hs_err err = cli_rows_open(&rows, hs_kind_by_number(HS_KIND_CUSTOMER), fileno(file), "customers.csv", bad);
    cli_rows_close(&rows);
    fclose(file);
    return err;
}

static void headers_are_checked(void **state)
{
    (void)state;
    struct cli_bad bad;
    assert_int_equal(open_error(TEXT("name,account\n"), &bad), HS_OK);
    assert_int_equal(open_error(TEXT(""), &bad), HS_EREQUIRED);
    assert_int_equal(open_error(TEXT("name,phone\n"), &bad), HS_EREQUIRED);
    assert_string_equal(bad.field, "account");
    assert_int_equal(open_error(TEXT("account,nmae\n"), &bad), HS_EFIELD);
    assert_string_equal(bad.field, "nmae");
    assert_int_equal(open_error(TEXT("account,name,account\n"), &bad), HS_EVALUE);
    assert_string_equal(bad.field, "account");
    assert_int_equal(open_error(TEXT("account,\n"), &bad), HS_EFIELD);
    assert_int_equal(open_error(TEXT("account,\xbb\xa7\n"), &bad), HS_EUTF8); /* GBK */
    assert_int_equal(open_error(TEXT("\"account"), &bad), HS_EVALUE);
}

/* "name,name" of the good rows and "!error:field@line" of the bad ones. */
static void assert_records(const char *name, struct hs_bytes content, const char *expected)
{
    struct cli_rows rows;
    struct cli_row row;
    struct cli_bad bad;
    struct hs_buf seen = {0};
    FILE *file = file_of(content);
    assert_int_equal(cli_rows_open(&rows, hs_kind_by_number(HS_KIND_CUSTOMER), fileno(file), name, &bad), HS_OK);
    bool more = true;
    while (more) {
        struct cli_draft draft;
        more = cli_rows_next(&rows, &draft, &row);
        const Hallsync__Customer *customer = (const Hallsync__Customer *)draft.message;
        if (more && row.err != HS_OK)
            hs_buf_put_format(&seen, "!%s:%s@%u ", hs_err_name(row.err), row.bad.field, (unsigned)row.line);
        else if (more)
            hs_buf_put_format(&seen, "%s=%s/%u ", customer->account, customer->name != NULL ? customer->name : "-",
                              (unsigned)draft.clear_count);
        cli_draft_fini(&draft);
    }
    hs_buf_put_u8(&seen, 0);
    assert_string_equal((const char *)seen.data, expected);
    hs_buf_fini(&seen);
    cli_rows_close(&rows);
    fclose(file);
}

static void csv_rows_become_customers(void **state)
{
    (void)state;
    assert_records("c.csv",
                   TEXT("account,name,phone\n"
                        "3201000001,王小明,1\n"
                        "3201000002,,2\n" /* empty: not given */
                        "3201000003,x\n"
                        "3201000004,\xff,4\n"
                        "3201000005,\"a\nb\",5\n"
                        "3201000006,c,6,7\n"
                        "3201000007,d,7\n"),
                   "3201000001=王小明/0 3201000002=-/0 !bad-value:@4 !bad-utf8:name@5 3201000005=a\nb/0 !bad-value:@8 "
                   "3201000007=d/0 ");
}

static void json_lines_become_customers(void **state)
{
    (void)state;
    static const char LINES[] = "{\"account\":\"3201000001\",\"name\":\"a\"}\n"
                                "\n"
                                "{\"account\":\"3201000002\",\"nmae\":\"b\"}\r\n"
                                "{\"account\":\"3201000003\",\"name\":null}\n"
                                "{\"account\":\n"
                                "{\"account\":\"3201000004\"}";
    static const char EXPECTED[] = "3201000001=a/0 !unknown-field:nmae@3 3201000003=-/1 !bad-value:@5 3201000004=-/0 ";
    assert_records("-", TEXT(LINES), EXPECTED);
    assert_records("c.csv", TEXT(LINES), EXPECTED);
    assert_records("c.jsonl", TEXT("\n{\"account\":\"3201000004\"}"), "3201000004=-/0 ");
    assert_records("c.jsonl", TEXT(""), "");
}

static void long_lines_are_refused_alone(void **state)
{
    (void)state;
    size_t size = 1 << 20;
    char *big = malloc(size);
    memset(big, ' ', size);
    big[0] = '{';
    static const char TAIL[] = "\n{\"account\":\"3201000004\"}\n";
    memcpy(big + size - (sizeof TAIL - 1), TAIL, sizeof TAIL - 1);
    assert_records("-", HS_BYTES(big, size), "!too-big:@1 3201000004=-/0 ");
    free(big);
}

/* Any bytes at all: no crash, and it ends.  The seed is printed when it fails. */
static void noise_is_survived(void **state)
{
    (void)state;
    static const char ALPHABET[] = "ab,\"\n\r\xff\xef\xbb\xbf{}:0\\ ";
    for (unsigned seed = 1; seed <= 2000; seed++) {
        char noise[64];
        unsigned chance = seed;
        size_t size = seed % sizeof noise;
        for (size_t i = 0; i < size; i++) {
            chance = chance * 1103515245 + 12345;
            noise[i] = ALPHABET[(chance >> 16) % sizeof ALPHABET]; /* its zero as well */
        }
        struct cli_rows rows;
        struct cli_bad bad;
        FILE *file = file_of(HS_BYTES(noise, size));
        bool more = cli_rows_open(&rows, hs_kind_by_number(HS_KIND_BILL), fileno(file), "-", &bad) == HS_OK;
        for (size_t count = 0; more; count++) {
            struct cli_draft draft;
            struct cli_row row;
            more = cli_rows_next(&rows, &draft, &row);
            cli_draft_fini(&draft);
            if (count > sizeof noise)
                fail_msg("seed %u does not end", seed);
        }
        cli_rows_close(&rows);
        fclose(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_cells),
        cmocka_unit_test(quotes),
        cmocka_unit_test(bad_rows_do_not_stop_the_good),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(what_is_written_reads_the_same),
        cmocka_unit_test(headers_are_checked),
        cmocka_unit_test(csv_rows_become_customers),
        cmocka_unit_test(json_lines_become_customers),
        cmocka_unit_test(long_lines_are_refused_alone),
        cmocka_unit_test(noise_is_survived),
    };
    return cmocka_run_group_tests_name("cli_csv", tests, NULL, NULL);
}
