/* made_doc.h -- the part of a document that a test makes of a table: it stands behind a line, and HS_WRITE_DOCS=1
 * writes it anew. */
#ifndef HS_TESTS_MADE_DOC_H
#define HS_TESTS_MADE_DOC_H

#include "proto/base/buf.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void made_doc_read(const char *path, struct hs_buf *text)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s is missing", path);
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        hs_buf_put_u8(text, (uint8_t)c);
    fclose(file);
    hs_buf_put_u8(text, 0);
    assert_int_equal(text->err, HS_OK);
}

/* Behind the mark. */
static inline const char *made_doc_part(const char *path, const char *mark, const struct hs_buf *text)
{
    const char *at = strstr((const char *)text->data, mark);
    if (at == NULL)
        fail_msg("%s has not the line %s", path, mark);
    return at + strlen(mark);
}

static inline void made_doc_write(const char *path, const char *mark, const struct hs_buf *doc)
{
    struct hs_buf text = {0};
    made_doc_read(path, &text);
    size_t by_hand = (size_t)(made_doc_part(path, mark, &text) - (const char *)text.data);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text.data, 1, by_hand, file), by_hand);
    assert_int_equal(fwrite(doc->data, 1, doc->size - 1, file), doc->size - 1);
    assert_int_equal(fclose(file), 0);
    hs_buf_fini(&text);
}

/* What stands behind @mark, to the end of the file, is @doc, which is given back. */
static inline void made_doc_check(const char *path, const char *mark, struct hs_buf *doc)
{
    struct hs_buf text = {0};
    hs_buf_put_u8(doc, 0);
    assert_int_equal(doc->err, HS_OK);
    if (getenv("HS_WRITE_DOCS") != NULL)
        made_doc_write(path, mark, doc);
    made_doc_read(path, &text);
    assert_string_equal(made_doc_part(path, mark, &text), (const char *)doc->data);
    hs_buf_fini(doc);
    hs_buf_fini(&text);
}

#endif
