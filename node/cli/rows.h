/* rows.h -- records of one kind from a file: CSV with a header, or JSON lines. */
#ifndef HS_CLI_ROWS_H
#define HS_CLI_ROWS_H

#include "node/cli/csv.h"
#include "node/cli/draft.h"

struct cli_rows {
    const struct hs_kind *kind;
    bool json;
    struct cli_input input;
    struct cli_csv csv;
    struct hs_buf line;                       /* JSON */
    const char *columns[CLI_CSV_COLUMNS_MAX]; /* field names, from the descriptor */
    size_t column_count;
};

struct cli_row {
    uint64_t line;
    struct hs_bytes raw; /* what stands in the file, perhaps cut; valid until the next call */
    enum hs_err err;     /* not HS_OK: the row is rejected for what @bad says */
    struct cli_bad bad;
};

/* @name: of the file; its ending .json, .jsonl or .ndjson, or a first byte '{', means JSON lines.  The header of a CSV
 * file is read: HS_EREQUIRED (no header, or none with the kind's id), HS_EFIELD, HS_EVALUE (a column twice), HS_EIO. */
enum hs_err cli_rows_open(struct cli_rows *rows, const struct hs_kind *kind, int fd, const char *name,
                          struct cli_bad *bad);
void cli_rows_close(struct cli_rows *rows);

/* The next row; false: the end, or a read failed (input.error): what there is of a row then is not taken.  @draft is
 * initialised here and the caller's to end, whatever row->err. Empty cells are not given. */
bool cli_rows_next(struct cli_rows *rows, struct cli_draft *draft, struct cli_row *row);

#endif
