/* input.h -- bytes of a file or of standard input, one after the other, and lines of bounded length. */
#ifndef HS_CLI_INPUT_H
#define HS_CLI_INPUT_H

#include "proto/base/buf.h"

#define CLI_RAW_BYTES_MAX  4096         /* of a row or line, kept for the rejects file */
#define CLI_LINE_BYTES_MAX (256 * 1024) /* a JSON object: the largest record with every character escaped */
#define CLI_READ_BYTES     (64 * 1024)

struct cli_input {
    int fd;          /* borrowed */
    int error;       /* errno of a read that failed; the input then seems to end */
    uint64_t line;   /* of the next byte, from 1 */
    uint64_t offset; /* bytes read from fd so far */
    size_t at, end;  /* what is read and not taken yet */
    uint8_t bytes[CLI_READ_BYTES];
};

/* Leaves out a byte order mark at the begin. */
void cli_input_init(struct cli_input *input, int fd);
int cli_input_get(struct cli_input *input); /* -1 at the end */
int cli_input_peek(struct cli_input *input);

/* The next line that is not blank, without its end; false: the end.  HS_ETOOBIG in line->err: longer than
 * CLI_LINE_BYTES_MAX, cut.  @at out: its number. */
bool cli_input_line(struct cli_input *input, struct hs_buf *line, uint64_t *at);
/* Is a whole line here already, so that cli_input_line() does not wait?  Reads what can be read without waiting. */
bool cli_input_has_line(struct cli_input *input);

#endif
