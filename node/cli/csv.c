/* The states of a cell:
 *
 *   START --"--> QUOTED --"--> CLOSED --"--> QUOTED (a quote that stands for itself)
 *     |                          |--, or line end--> START
 *     +--any--> PLAIN            +--any--> PLAIN, and the row is bad
 *                 |--, or line end--> START */
#include "node/cli/csv.h"

#include "proto/base/limits.h"
#include "proto/base/text.h"

#include <string.h>

enum state { START, PLAIN, QUOTED, CLOSED };

struct parse {
    struct cli_csv *csv;
    struct cli_csv_row *row;
    enum state state;
    size_t begin;                       /* of the current cell */
    size_t begins[CLI_CSV_COLUMNS_MAX]; /* cells move while the buffer grows */
    size_t ends[CLI_CSV_COLUMNS_MAX];
    bool done;
};

void cli_csv_init(struct cli_csv *csv, struct cli_input *input)
{
    *csv = (struct cli_csv){.input = input};
}

void cli_csv_fini(struct cli_csv *csv)
{
    hs_buf_fini(&csv->cells);
    hs_buf_fini(&csv->raw);
}

/* The first thing wrong with the row is the one that is told. */
static void spoil(struct parse *parse, enum hs_err err, const char *reason)
{
    if (parse->row->reason != NULL)
        return;
    parse->row->err = err;
    parse->row->reason = reason;
    parse->row->column = parse->row->count;
}

static void keep(struct parse *parse, int c)
{
    struct hs_buf *cells = &parse->csv->cells;
    if (cells->size - parse->begin >= HS_FIELD_BYTES_MAX)
        spoil(parse, HS_ETOOBIG, "the field is longer than 16 KiB");
    else
        hs_buf_put_u8(cells, (uint8_t)c);
}

static struct hs_bytes between(const struct cli_csv *csv, size_t begin, size_t end)
{
    return begin < end ? HS_BYTES(csv->cells.data + begin, end - begin) : HS_BYTES_NONE;
}

static void end_cell(struct parse *parse)
{
    struct cli_csv_row *row = parse->row;
    size_t end = parse->csv->cells.size;
    if (!hs_text_valid(between(parse->csv, parse->begin, end)))
        spoil(parse, HS_EUTF8, hs_err_text(HS_EUTF8));
    if (row->count == CLI_CSV_COLUMNS_MAX) {
        spoil(parse, HS_ETOOBIG, "more than 64 columns");
    } else {
        parse->begins[row->count] = parse->begin;
        parse->ends[row->count++] = end;
    }
    parse->begin = end;
    parse->state = START;
}

static void end_row(struct parse *parse)
{
    end_cell(parse);
    parse->done = true;
}

/* A character that ends nothing, outside of quotes. */
static void step_text(struct parse *parse, int c)
{
    bool doubled = c == '"' && parse->state == CLOSED;
    if (c == '"' && !doubled)
        spoil(parse, HS_EVALUE, "a quote inside a field that does not begin with one");
    if (c != '"' && parse->state == CLOSED)
        spoil(parse, HS_EVALUE, "something stands between the closing quote and the comma");
    parse->state = doubled ? QUOTED : PLAIN;
    keep(parse, c);
}

static void step_open(struct parse *parse, int c)
{
    if (c == ',')
        end_cell(parse);
    else if (c == '\n')
        end_row(parse);
    else if (c == '"' && parse->state == START)
        parse->state = QUOTED;
    else
        step_text(parse, c);
}

static void step(struct parse *parse, int c)
{
    if (parse->state != QUOTED)
        step_open(parse, c);
    else if (c == '"')
        parse->state = CLOSED;
    else
        keep(parse, c);
}

/* The next character; CRLF comes as one line feed. */
static int next_char(struct cli_csv *csv)
{
    int c = cli_input_get(csv->input);
    if (c == '\r' && cli_input_peek(csv->input) == '\n')
        c = cli_input_get(csv->input);
    if (c >= 0 && csv->raw.size < CLI_RAW_BYTES_MAX)
        hs_buf_put_u8(&csv->raw, (uint8_t)c);
    return c;
}

static void end_file(struct parse *parse)
{
    if (parse->state == QUOTED)
        spoil(parse, HS_EVALUE, "the file ends inside quotes that this row opens");
    if (parse->row->count != 0 || parse->state != START || parse->csv->cells.size != 0)
        end_row(parse);
}

static void set_cells(struct parse *parse)
{
    struct cli_csv_row *row = parse->row;
    for (size_t i = 0; i < row->count; i++)
        row->cells[i] = between(parse->csv, parse->begins[i], parse->ends[i]);
    row->raw = hs_buf_bytes(&parse->csv->raw);
    while (row->raw.size != 0 && row->raw.data[row->raw.size - 1] == '\n')
        row->raw.size--;
    if (parse->csv->cells.err != HS_OK || parse->csv->raw.err != HS_OK) {
        row->err = HS_ENOMEM;
        row->reason = hs_err_text(HS_ENOMEM);
    }
}

bool cli_csv_next(struct cli_csv *csv, struct cli_csv_row *row)
{
    struct parse parse = {.csv = csv, .row = row};
    *row = (struct cli_csv_row){.line = csv->input->line};
    hs_buf_reset(&csv->cells);
    hs_buf_reset(&csv->raw);
    int c = 0;
    while (!parse.done && c >= 0) {
        c = next_char(csv);
        bool blank = c == '\n' && parse.state == START && row->count == 0 && csv->cells.size == 0;
        if (blank) {
            row->line = csv->input->line;
            hs_buf_reset(&csv->raw);
        } else if (c < 0) {
            end_file(&parse);
        } else {
            step(&parse, c);
        }
    }
    if (parse.done)
        set_cells(&parse);
    return parse.done;
}

void cli_csv_put(struct hs_buf *buf, struct hs_bytes cell, bool first)
{
    if (!first)
        hs_buf_put_u8(buf, ',');
    bool plain = cell.size == 0 || (cell.data[0] != ' ' && cell.data[cell.size - 1] != ' ');
    for (size_t i = 0; i < cell.size && plain; i++)
        plain = cell.data[i] != ',' && cell.data[i] != '"' && cell.data[i] != '\n' && cell.data[i] != '\r';
    if (plain) {
        hs_buf_put_bytes(buf, cell);
        return;
    }
    hs_buf_put_u8(buf, '"');
    for (size_t i = 0; i < cell.size; i++) {
        if (cell.data[i] == '"')
            hs_buf_put_u8(buf, '"');
        hs_buf_put_u8(buf, cell.data[i]);
    }
    hs_buf_put_u8(buf, '"');
}
