#include "node/cli/rows.h"

#include <stdio.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

static bool names_json(const char *name)
{
    return ends_with(name, ".json") || ends_with(name, ".jsonl") || ends_with(name, ".ndjson");
}

static enum hs_err read_column(struct cli_rows *rows, struct hs_bytes cell, struct cli_bad *bad)
{
    char name[CLI_FIELD_BYTES];
    snprintf(name, sizeof name, "%.*s", cell.size < sizeof name ? (int)cell.size : (int)sizeof name - 1,
             cell.size != 0 ? (const char *)cell.data : "");
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(rows->kind->message, name);
    if (field == NULL)
        return cli_bad(bad, HS_EFIELD, name, "a %s has no such field: column %zu of the header", rows->kind->name,
                       rows->column_count + 1);
    for (size_t i = 0; i < rows->column_count; i++) {
        if (rows->columns[i] == field->name)
            return cli_bad(bad, HS_EVALUE, name, "stands twice in the header");
    }
    rows->columns[rows->column_count++] = field->name;
    return HS_OK;
}

static enum hs_err read_header(struct cli_rows *rows, struct cli_bad *bad)
{
    struct cli_csv_row header;
    if (!cli_csv_next(&rows->csv, &header))
        return cli_bad(bad, HS_EREQUIRED, NULL, "there is no header: the file is empty");
    if (header.err != HS_OK)
        return cli_bad(bad, header.err, NULL, "header, column %zu: %s", header.column + 1, header.reason);
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < header.count && err == HS_OK; i++)
        err = read_column(rows, header.cells[i], bad);
    if (err != HS_OK)
        return err;
    const char *id = hs_kind_field_name(rows->kind, rows->kind->id_field);
    for (size_t i = 0; i < rows->column_count; i++) {
        if (strcmp(rows->columns[i], id) == 0)
            return HS_OK;
    }
    return cli_bad(bad, HS_EREQUIRED, id, "the header has no such column");
}

enum hs_err cli_rows_open(struct cli_rows *rows, const struct hs_kind *kind, int fd, const char *name,
                          struct cli_bad *bad)
{
    rows->kind = kind;
    rows->line = (struct hs_buf){0};
    rows->column_count = 0;
    cli_input_init(&rows->input, fd);
    cli_csv_init(&rows->csv, &rows->input);
    rows->json = names_json(name) || cli_input_peek(&rows->input) == '{';
    enum hs_err err = rows->json ? HS_OK : read_header(rows, bad);
    if (rows->input.error != 0) /* whatever the header seems to lack */
        err = cli_bad(bad, HS_EIO, NULL, "%s: %s", name, strerror(rows->input.error));
    return err;
}

void cli_rows_close(struct cli_rows *rows)
{
    cli_csv_fini(&rows->csv);
    hs_buf_fini(&rows->line);
}

static enum hs_err fill(const struct cli_rows *rows, const struct cli_csv_row *cells, struct cli_draft *draft,
                        struct cli_bad *bad)
{
    if (cells->err != HS_OK)
        return cli_bad(bad, cells->err, cells->column < rows->column_count ? rows->columns[cells->column] : NULL, "%s",
                       cells->reason);
    if (cells->count != rows->column_count)
        return cli_bad(bad, HS_EVALUE, NULL, "%zu columns where the header has %zu", cells->count, rows->column_count);
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < cells->count && err == HS_OK; i++) {
        if (cells->cells[i].size != 0)
            err = cli_draft_text(draft, rows->columns[i], cells->cells[i], bad);
    }
    return err;
}

static bool next_csv(struct cli_rows *rows, struct cli_draft *draft, struct cli_row *row)
{
    struct cli_csv_row cells;
    if (!cli_csv_next(&rows->csv, &cells))
        return false;
    row->line = cells.line;
    row->raw = cells.raw;
    if (row->err == HS_OK)
        row->err = fill(rows, &cells, draft, &row->bad);
    return true;
}

static bool next_json(struct cli_rows *rows, struct cli_draft *draft, struct cli_row *row)
{
    if (!cli_input_line(&rows->input, &rows->line, &row->line))
        return false;
    row->raw = hs_buf_bytes(&rows->line);
    if (row->raw.size > CLI_RAW_BYTES_MAX)
        row->raw.size = CLI_RAW_BYTES_MAX;
    if (rows->line.err != HS_OK)
        row->err = cli_bad(&row->bad, rows->line.err, NULL, "a line has at most %d bytes", CLI_LINE_BYTES_MAX);
    if (row->err == HS_OK)
        row->err = cli_draft_line(draft, hs_buf_bytes(&rows->line), &row->bad);
    return true;
}

bool cli_rows_next(struct cli_rows *rows, struct cli_draft *draft, struct cli_row *row)
{
    *row = (struct cli_row){.err = cli_draft_init(draft, rows->kind)};
    if (row->err != HS_OK)
        cli_bad(&row->bad, row->err, NULL, "%s", hs_err_text(row->err));
    bool more = rows->json ? next_json(rows, draft, row) : next_csv(rows, draft, row);
    return more && rows->input.error == 0; /* one that could not be read to its end may be half an amount */
}
