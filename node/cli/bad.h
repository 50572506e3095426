/* bad.h -- what is wrong with one record that somebody gave us: the field and the sentence, beside the error code. */
#ifndef HS_CLI_BAD_H
#define HS_CLI_BAD_H

#include "proto/base/err.h"

#define CLI_FIELD_BYTES 64

struct cli_bad {
    char field[CLI_FIELD_BYTES]; /* "" if it is none in particular */
    struct hs_why why;
};

/* Note field (NULL: none) and sentence, which gets "field: " before it, and return @err. */
enum hs_err cli_bad(struct cli_bad *bad, enum hs_err err, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same with a sentence from the node, which may begin with the field already. */
enum hs_err cli_bad_text(struct cli_bad *bad, enum hs_err err, const char *field, const char *text);

#endif
