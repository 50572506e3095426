/* customer import, bill import: rows in, what is refused into a rejects file, the rest to the node. */
#include "node/cli/progress.h"
#include "node/cli/put.h"
#include "node/cli/rows.h"
#include "node/json/json.h"
#include "node/cli/table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SOURCE     "import"
#define PATH_BYTES 4096

struct counts {
    uint64_t rows, created, changed, unchanged, exists, rejected;
};

/* A row under way, for the rejects file. */
struct sent {
    uint64_t line;
    size_t raw_at, raw_size;
};

struct import {
    struct cli *cli;
    const char *path;
    const char *source;
    char rejects_path[PATH_BYTES];
    FILE *rejects; /* opened with the first one */
    struct counts counts;
    struct cli_put put;
    struct sent sent[CLI_PUT_RECORDS_MAX];
    struct hs_buf raws;
    uint64_t bytes_all; /* of the file; 0: not known */
    uint64_t began_ms;
};

/* ---- rejects ---- */

static enum hs_err write_cells(FILE *file, const struct hs_bytes *cells, size_t count)
{
    struct hs_buf line = {0};
    for (size_t i = 0; i < count; i++)
        cli_csv_put(&line, cells[i], i == 0);
    hs_buf_put_u8(&line, '\n');
    enum hs_err err = line.err;
    if (err == HS_OK && fwrite(line.data, 1, line.size, file) != line.size)
        err = HS_EIO;
    hs_buf_fini(&line);
    return err;
}

static struct hs_bytes bytes_of(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

static enum hs_err open_rejects(struct import *import)
{
    if (import->rejects != NULL)
        return HS_OK;
    import->rejects = fopen(import->rejects_path, "we");
    if (import->rejects == NULL)
        return cli_bad(&import->cli->bad, HS_EIO, NULL, "%s: %s", import->rejects_path, strerror(errno));
    const struct hs_bytes header[] = {bytes_of("line"), bytes_of("field"), bytes_of("error"), bytes_of("text"),
                                      bytes_of("row")};
    return write_cells(import->rejects, header, sizeof header / sizeof *header);
}

/* The row as the file has it, made fit for a text file. */
static enum hs_err reject(struct import *import, uint64_t line, struct hs_bytes raw, const char *name,
                          const struct cli_bad *bad)
{
    char number[24];
    snprintf(number, sizeof number, "%" PRIu64, line);
    import->counts.rejected++;
    enum hs_err err = open_rejects(import);
    json_t *row = hs_json_text(raw);
    if (err == HS_OK && row == NULL)
        err = HS_ENOMEM;
    if (err == HS_OK) {
        const struct hs_bytes cells[] = {bytes_of(number), bytes_of(bad->field), bytes_of(name),
                                         bytes_of(bad->why.text),
                                         HS_BYTES(json_string_value(row), json_string_length(row))};
        err = write_cells(import->rejects, cells, sizeof cells / sizeof *cells);
    }
    json_decref(row);
    return err;
}

/* ---- progress ---- */

static uint64_t tick_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static const char *text_of(const struct import *import, char text[static CLI_RATE_BYTES + 32])
{
    struct cli_rate rate = {.rows = import->counts.rows, .ms = tick_ms() - import->began_ms};
    cli_rate_text(&rate, text);
    size_t used = strlen(text);
    snprintf(text + used, CLI_RATE_BYTES + 32 - used, ", %" PRIu64 " rejected", import->counts.rejected);
    return text;
}

static void tell(const struct import *import, uint64_t bytes)
{
    char text[CLI_RATE_BYTES + 32];
    cli_progress_step(&(struct cli_step){
        .what = "importing", .done = bytes, .total = import->bytes_all, .note = text_of(import, text)});
}

/* In a log too, how long it took. */
static void tell_end(const struct import *import)
{
    char text[CLI_RATE_BYTES + 32];
    cli_progress_end();
    fprintf(stderr, "%s\n", text_of(import, text));
}

/* ---- rows to the node ---- */

static enum hs_err take_result(struct import *import, const Hallsync__PutResult *result, const struct sent *sent)
{
    struct cli *cli = import->cli;
    struct counts *counts = &import->counts;
    enum hs_err err = cli_result_error(cli, result);
    if (err != HS_OK)
        return reject(import, sent->line, HS_BYTES(import->raws.data + sent->raw_at, sent->raw_size), result->error,
                      &cli->bad);
    switch (result->result) {
    case HALLSYNC__RESULT__RESULT_CREATED:
        counts->created++;
        break;
    case HALLSYNC__RESULT__RESULT_CHANGED:
        counts->changed++;
        break;
    case HALLSYNC__RESULT__RESULT_EXISTS:
        counts->exists++;
        break;
    default:
        counts->unchanged++;
    }
    return HS_OK;
}

static enum hs_err flush(struct import *import)
{
    const Hallsync__PutReply *reply;
    if (import->put.count == 0)
        return HS_OK;
    enum hs_err err = cli_put_send(import->cli, &import->put, &reply);
    for (size_t i = 0; i < import->put.count && err == HS_OK; i++)
        err = take_result(import, reply->results[i], &import->sent[i]);
    cli_put_reset(&import->put);
    hs_buf_reset(&import->raws);
    return err;
}

static enum hs_err take_row(struct import *import, const struct cli_draft *draft, const struct cli_row *row)
{
    import->counts.rows++;
    if (row->err == HS_ENOMEM) { /* nothing is wrong with the row, and perhaps not all of it is here */
        import->cli->bad = row->bad;
        return row->err;
    }
    if (row->err != HS_OK)
        return reject(import, row->line, row->raw, hs_err_name(row->err), &row->bad);
    import->sent[import->put.count] = (struct sent){row->line, import->raws.size, row->raw.size};
    hs_buf_put_bytes(&import->raws, row->raw);
    enum hs_err err = import->raws.err;
    if (err == HS_OK)
        err = cli_put_add(&import->put, draft, import->source);
    if (err == HS_OK && cli_put_full(&import->put))
        err = flush(import);
    return err;
}

static enum hs_err take_rows(struct import *import, struct cli_rows *rows)
{
    struct cli_row row;
    bool more = true;
    enum hs_err err = HS_OK;
    tell(import, 0);
    while (err == HS_OK && more) {
        struct cli_draft draft;
        more = cli_rows_next(rows, &draft, &row);
        if (more)
            err = take_row(import, &draft, &row);
        cli_draft_fini(&draft);
        if (err == HS_OK && import->counts.rows % 100 == 0)
            tell(import, rows->input.offset);
    }
    if (err == HS_OK && rows->input.error != 0)
        err = cli_bad(&import->cli->bad, HS_EIO, NULL, "%s: %s", import->path, strerror(rows->input.error));
    return err == HS_OK ? flush(import) : err;
}

/* ---- the whole ---- */

static enum hs_err close_rejects(struct import *import, bool whole)
{
    struct stat file;
    if (import->rejects == NULL) {
        if (whole && stat(import->rejects_path, &file) == 0 && S_ISREG(file.st_mode))
            unlink(import->rejects_path); /* of an earlier run, whose rows are in now */
        return HS_OK;
    }
    bool failed = ferror(import->rejects) != 0;
    failed = fclose(import->rejects) != 0 || failed;
    return failed ? cli_bad(&import->cli->bad, HS_EIO, NULL, "%s: %s", import->rejects_path, strerror(errno)) : HS_OK;
}

static enum hs_err summary(const struct import *import)
{
    static const struct cli_column COLUMNS[] = {
        {"rows", "rows", CLI_FORM_NUMBER},        {"created", "created", CLI_FORM_NUMBER},
        {"changed", "changed", CLI_FORM_NUMBER},  {"unchanged", "unchanged", CLI_FORM_NUMBER},
        {"exists", "exists", CLI_FORM_NUMBER},    {"rejected", "rejected", CLI_FORM_NUMBER},
        {"rejects", "rejects in", CLI_FORM_TEXT},
    };
    const struct counts *counts = &import->counts;
    json_t *object = json_pack("{sI sI sI sI sI sI}", "rows", (json_int_t)counts->rows, "created",
                               (json_int_t)counts->created, "changed", (json_int_t)counts->changed, "unchanged",
                               (json_int_t)counts->unchanged, "exists", (json_int_t)counts->exists, "rejected",
                               (json_int_t)counts->rejected);
    if (counts->rejected != 0)
        json_object_set_new(object, "rejects", hs_json_text(bytes_of(import->rejects_path)));
    return cli_card(import->cli, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS, object);
}

static enum hs_err import_rows(struct import *import, struct cli_rows *rows, int fd)
{
    const struct hs_kind *kind = hs_kind_by_number(import->cli->command->kind);
    enum hs_err err = cli_rows_open(rows, kind, fd, import->path, &import->cli->bad);
    if (err == HS_OK) {
        err = take_rows(import, rows);
        enum hs_err closed = close_rejects(import, err == HS_OK);
        err = err != HS_OK ? err : closed;
        tell(import, rows->input.offset);
        tell_end(import);
        enum hs_err shown = summary(import);
        err = err != HS_OK ? err : shown;
    }
    cli_rows_close(rows);
    if (err == HS_OK && import->counts.rejected != 0)
        import->cli->status = 1;
    return err;
}

static enum hs_err import_file(struct import *import, int fd)
{
    struct stat about;
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode))
        import->bytes_all = (uint64_t)about.st_size;
    import->began_ms = tick_ms();
    struct cli_rows *rows = calloc(1, sizeof *rows);
    enum hs_err err = rows != NULL ? import_rows(import, rows, fd) : HS_ENOMEM;
    free(rows);
    return err;
}

static enum hs_err name_rejects(struct import *import)
{
    const char *given = import->cli->options[CLI_REJECTS];
    const char *base = strcmp(import->path, "-") == 0 ? "stdin" : import->path;
    int size = given != NULL ? snprintf(import->rejects_path, PATH_BYTES, "%s", given)
                             : snprintf(import->rejects_path, PATH_BYTES, "%s.rejects.csv", base);
    if (size >= PATH_BYTES || strcmp(import->rejects_path, import->path) == 0)
        return cli_usage(import->cli, "--rejects: '%s' cannot be used", given != NULL ? given : base);
    return HS_OK;
}

static enum hs_err open_and_import(struct import *import)
{
    bool standard = strcmp(import->path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(import->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cli_usage(import->cli, "%s: %s", import->path, strerror(errno));
    enum hs_err err = import_file(import, fd);
    if (!standard)
        close(fd);
    return err;
}

enum hs_err cli_run_import(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err != HS_OK)
        return err;
    struct import *import = calloc(1, sizeof *import);
    if (import == NULL)
        return HS_ENOMEM;
    import->cli = cli;
    import->path = cli->args[0];
    import->source = cli->options[CLI_SOURCE] != NULL ? cli->options[CLI_SOURCE] : SOURCE;
    cli_put_init(&import->put, cli->command->kind);
    err = name_rejects(import);
    if (err == HS_OK)
        err = open_and_import(import);
    cli_put_fini(&import->put);
    hs_buf_fini(&import->raws);
    free(import);
    return err;
}
