/* progress.h -- how far long work is: a bar on a terminal, else a line now and then; on standard error. */
#ifndef HS_CLI_PROGRESS_H
#define HS_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct cli_progress {
    bool terminal, shown;
    time_t told;
    char what[32];
};
void cli_progress_begin(struct cli_progress *progress);
/* @what: "writing"; @total 0: not known. */
void cli_progress_tell(struct cli_progress *progress, const char *what, uint64_t done, uint64_t total);
void cli_progress_end(struct cli_progress *progress);

/* Rows of a file, by how much of it has been read: "143000 rows, 25300/s, 8 s left".  What is left is said of a file
 * whose size is known, while some is left and at least a second has passed. */
struct cli_rate {
    uint64_t rows;
    uint64_t bytes, bytes_all; /* read; of the file, 0: not known */
    uint64_t ms;               /* since the beginning */
};
#define CLI_RATE_BYTES 96
const char *cli_rate_text(const struct cli_rate *rate, char text[static CLI_RATE_BYTES]);

#endif
