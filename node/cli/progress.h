/* progress.h -- what a long command does, how far it is, and how long it will take: on standard error, from the second
 * second on; as a bar on a terminal, else as a line now and then.
 *
 * Every command has it: cli_call() tells by itself that the node is waited for.  A command that makes many calls, or
 * works without a node, says in steps what it does.  There is one for the process, since there is one terminal. */
#ifndef HS_CLI_PROGRESS_H
#define HS_CLI_PROGRESS_H

#include "proto/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cli_step {
    const char *what;     /* "reading the log" */
    uint64_t done, total; /* total 0: nobody knows */
    const char *unit;     /* what is counted: "rows", CLI_BYTES; NULL: nothing that people know */
    const char *note;     /* said behind it; NULL: nothing */
    uint64_t limit_ms;    /* of a wait: it is given up then; 0: not */
};
#define CLI_BYTES "bytes"

/* From the beginning of a command to its end.  @command: its words, borrowed.  Until then output goes through stdout
 * and stderr, for a bar makes way for it. */
void cli_progress_open(const char *command);
void cli_progress_close(void); /* not open is fine */

/* What is done now, to be called as often as one likes; copies.  It holds until the next one, or the end. */
void cli_progress_step(const struct cli_step *step);
void cli_progress_end(void);
/* One call of the node begins, or has ended: said if no step is.  Any thread. */
void cli_progress_call(bool begins);

/* ---- pure ---- */

/* How fast something goes: the last seconds count most. */
struct cli_pace {
    bool begun, known;
    uint64_t done, ms; /* as last noted */
    double per_s;
};
void cli_pace_note(struct cli_pace *pace, uint64_t done, uint64_t ms);
/* It was to be looked at by @due_ms; who comes much later was stopped meanwhile, and the pace is learnt anew. */
void cli_pace_look(struct cli_pace *pace, uint64_t due_ms, uint64_t ms);
/* Seconds until @total is done; false: that cannot be told. */
bool cli_pace_left(const struct cli_pace *pace, uint64_t done, uint64_t total, uint64_t *seconds);

/* "[####......]  42 %  reading the log, 120000 rows, 25300/s, 8 s left" on @width columns, or without a bar, where
 * @width is 0, "reading the log: 42 %, 120000 rows, 25300/s, 8 s left".  @ms: since the step began. */
#define CLI_PROGRESS_BYTES 256
const char *cli_progress_text(const struct cli_step *step, const struct cli_pace *pace, uint64_t ms, size_t width,
                              char text[static CLI_PROGRESS_BYTES]);
/* When the next line is due where there is no terminal, @ms after the command began, if one was written then. */
uint64_t cli_progress_next_line(uint64_t ms);

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
