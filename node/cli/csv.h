/* csv.h -- RFC 4180 as programs really write it: comma, quotes, line breaks inside quotes, CRLF or LF, a byte order
 * mark.  What is wrong with a row is told with the row, and reading goes on behind it; memory is bounded whatever the
 * file holds. */
#ifndef HS_CLI_CSV_H
#define HS_CLI_CSV_H

#include "node/cli/input.h"

#define CLI_CSV_COLUMNS_MAX 64

struct cli_csv {
    struct cli_input *input; /* borrowed */
    struct hs_buf cells;
    struct hs_buf raw;
};

/* One row; cells and raw are valid until the next call. */
struct cli_csv_row {
    uint64_t line; /* where it begins */
    size_t count;
    struct hs_bytes cells[CLI_CSV_COLUMNS_MAX];
    struct hs_bytes raw; /* its first CLI_RAW_BYTES_MAX bytes as they stand in the file */
    enum hs_err err;     /* HS_EVALUE, HS_ETOOBIG, HS_EUTF8, HS_ENOMEM: the row is not to be used */
    const char *reason;  /* NULL if it is sound */
    size_t column;       /* which cell is wrong, from 0 */
};

void cli_csv_init(struct cli_csv *csv, struct cli_input *input);
void cli_csv_fini(struct cli_csv *csv);
bool cli_csv_next(struct cli_csv *csv, struct cli_csv_row *row); /* false: the end; empty lines are left out */

/* Append a cell, quoted where it must be; @first: no comma before it. */
void cli_csv_put(struct hs_buf *buf, struct hs_bytes cell, bool first);

#endif
