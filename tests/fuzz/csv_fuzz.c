/* csv_fuzz.c -- files that people import: every row lies within its bounds, says what is wrong with it or is text; and
 * sound rows written again are read again the same. */
#include "node/cli/csv.h"
#include "proto/base/limits.h"
#include "proto/base/text.h"
#include "tests/fuzz/fuzz_file.h"

static void check_row(const struct cli_csv_row *row)
{
    FUZZ_CHECK((row->err == HS_OK) == (row->reason == NULL));
    FUZZ_CHECK(row->count >= 1);
    FUZZ_CHECK(row->count <= CLI_CSV_COLUMNS_MAX);
    FUZZ_CHECK(row->raw.size <= CLI_RAW_BYTES_MAX);
    for (size_t i = 0; i < row->count; i++) {
        FUZZ_CHECK(row->cells[i].size <= HS_FIELD_BYTES_MAX);
        FUZZ_CHECK(row->err != HS_OK || hs_text_valid(row->cells[i]));
    }
}

static void put_row(const struct cli_csv_row *row, struct hs_buf *to)
{
    for (size_t i = 0; i < row->count; i++)
        cli_csv_put(to, row->cells[i], i == 0);
    hs_buf_put_u8(to, '\n');
}

/* Reads all rows; the sound ones are written to @to. */
static size_t read_rows(struct hs_bytes bytes, struct hs_buf *to)
{
    struct cli_input input;
    struct cli_csv csv;
    struct cli_csv_row row;
    int fd = fuzz_file(bytes);
    size_t sound = 0;
    uint64_t line = 0;
    cli_input_init(&input, fd);
    cli_csv_init(&csv, &input);
    while (cli_csv_next(&csv, &row)) {
        check_row(&row);
        FUZZ_CHECK(row.line > line);
        line = row.line;
        bool empty = row.count == 1 && row.cells[0].size == 0; /* is a blank line when it is written */
        if (row.err == HS_OK && !empty) {
            put_row(&row, to);
            sound++;
        }
    }
    cli_csv_fini(&csv);
    close(fd);
    return sound;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_buf first = {0}, second = {0};
    size_t sound = read_rows(HS_BYTES(data, size), &first);
    bool marked = first.size >= 3 && memcmp(first.data, "\xef\xbb\xbf", 3) == 0; /* a text of its own, read as a mark */
    if (!marked) {
        FUZZ_CHECK(read_rows(hs_buf_bytes(&first), &second) == sound);
        FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&first), hs_buf_bytes(&second)));
    }
    hs_buf_fini(&first);
    hs_buf_fini(&second);
    return 0;
}

void fuzz_seeds(fuzz_put put)
{
    static const char *const FILES[] = {
        "account,name\n3201000017,\"a \"\"b\"\" c\"\r\n\r\n3201000018,\"two\nlines\"\n",
        "\xef\xbb\xbfx,y\n1,2",
        "a\n\"\"\n\"open",
        "a,\"b\"c,d\"e\n, ,\" x\"\n\r\r\n",
        ",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n\xff\n",
    };
    char name[32];
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        snprintf(name, sizeof name, "file-%zu", i);
        put(name, HS_BYTES(FILES[i], strlen(FILES[i])));
    }
}
