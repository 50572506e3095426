#include "proto/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct row {
    enum hs_err_class class;
    const char *name;
    const char *text, *text_zh;
};

static const struct row ROWS[] = {
#define X(code, class, name, text, text_zh) [code] = {HS_CLASS_##class, name, text, text_zh},
    HS_ERRORS(X)
#undef X
};
_Static_assert(sizeof ROWS / sizeof ROWS[0] == HS_ERR_COUNT, "one row for each error");

static const struct row *row_of(enum hs_err err)
{
    return (unsigned)err < HS_ERR_COUNT ? &ROWS[err] : &ROWS[HS_EINTERNAL];
}

const char *hs_err_name(enum hs_err err)
{
    return row_of(err)->name;
}

const char *hs_err_text(enum hs_err err)
{
    return row_of(err)->text;
}

const char *hs_err_text_zh(enum hs_err err)
{
    return row_of(err)->text_zh;
}

enum hs_err_class hs_err_class(enum hs_err err)
{
    return row_of(err)->class;
}

enum hs_err hs_err_by_name(const char *name)
{
    for (unsigned i = 0; i < HS_ERR_COUNT; i++) {
        if (strcmp(ROWS[i].name, name) == 0)
            return (enum hs_err)i;
    }
    return HS_EINTERNAL;
}

enum hs_err hs_err_from_errno(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return HS_EFULL;
    case ENOMEM:
        return HS_ENOMEM;
    case EACCES:
    case EPERM:
    case EROFS:
        return HS_EPERM;
    case EADDRINUSE:
        return HS_EINUSE;
    case ENOENT:
        return HS_ENOSTORE;
    default:
        return HS_EIO;
    }
}

enum hs_err hs_fail(enum hs_err err, struct hs_why *why, const char *format, ...)
{
    if (why != NULL) {
        va_list args;
        va_start(args, format);
        vsnprintf(why->text, sizeof why->text, format, args);
        va_end(args);
    }
    return err;
}

enum hs_err hs_wrap(enum hs_err err, struct hs_why *why, const char *format, ...)
{
    if (why == NULL)
        return err;
    struct hs_why inner = *why;
    va_list args;
    va_start(args, format);
    int used = vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    if (used >= 0 && (size_t)used < sizeof why->text)
        snprintf(why->text + used, sizeof why->text - (size_t)used, ": %.*s", HS_WHY_BYTES - 3 - used,
                 inner.text[0] != '\0' ? inner.text : hs_err_text(err));
    return err;
}
