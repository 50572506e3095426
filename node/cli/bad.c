#include "node/cli/bad.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum hs_err cli_bad_text(struct cli_bad *bad, enum hs_err err, const char *field, const char *text)
{
    snprintf(bad->field, sizeof bad->field, "%s", field != NULL ? field : "");
    size_t size = strlen(bad->field);
    if (size != 0 && strncmp(text, bad->field, size) != 0)
        return hs_fail(err, &bad->why, "%s: %s", bad->field, text);
    return hs_fail(err, &bad->why, "%s", text);
}

enum hs_err cli_bad(struct cli_bad *bad, enum hs_err err, const char *field, const char *format, ...)
{
    char text[HS_WHY_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return cli_bad_text(bad, err, field, text);
}
