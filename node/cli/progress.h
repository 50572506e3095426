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

#endif
