/* status_docs_test.c -- docs/metrics.md is what the tables of node/status/model.c say, from its mark on;
 * HS_WRITE_DOCS=1 writes that part anew.  What stands before the mark is written by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/status/model.h"
#include "proto/base/buf.h"
#include "proto/local.pb-c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOCS_PATH HS_SOURCE_DIR "/docs/metrics.md"
#define MARK      "<!-- From here on made by tests/unit/status_docs_test.c; HS_WRITE_DOCS=1 writes it anew. -->\n"

/* ---- the metrics, message by message ---- */

static const char *prometheus_type(enum hs_figure_type type)
{
    return type == HS_FIGURE_COUNTER ? "counter" : "gauge";
}

static void put_title(struct hs_buf *doc, const char *message, const char *labels)
{
    hs_buf_put_format(doc, "\n## %s\n\n", message);
    if (labels[0] != '\0')
        hs_buf_put_format(doc, "Labels: %s.\n\n", labels);
    hs_buf_put_format(doc, "| metric | type | of field | meaning | 含义 |\n|---|---|---|---|---|\n");
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *message, const char *name)
{
    return protobuf_c_message_descriptor_get_field_by_name(message, name);
}

static const char *labels_of(const char *part, const char *above)
{
    if (strcmp(part, "peers") == 0)
        return "`peer`";
    if (strcmp(part, "lanes") == 0)
        return "`peer`, `lane`";
    return strcmp(part, "waiting") == 0 ? "`lane`" : above;
}

static void put_message(struct hs_buf *doc, const ProtobufCMessageDescriptor *message, const char *title,
                        const char *prefix, const char *labels)
{
    size_t count;
    const struct hs_figure *figures = hs_figures(&count);
    put_title(doc, title, labels);
    for (size_t i = 0; i < count; i++) {
        const struct hs_figure *figure = &figures[i];
        if (strcmp(figure->message, message->short_name) == 0 && figure->metric != NULL &&
            figure->type != HS_FIGURE_PART)
            hs_buf_put_format(doc, "| `hallsync_%s%s` | %s | `%s` | %s | %s |\n", prefix, figure->metric,
                              prometheus_type(figure->type), figure->field, figure->en, figure->zh);
    }
    for (size_t i = 0; i < count; i++) {
        char longer[64], name[128];
        if (strcmp(figures[i].message, message->short_name) != 0 || figures[i].type != HS_FIGURE_PART)
            continue;
        snprintf(longer, sizeof longer, "%s%s", prefix, figures[i].metric);
        snprintf(name, sizeof name, "%s: %s", figures[i].field, figures[i].en);
        put_message(doc, field_of(message, figures[i].field)->descriptor, name, longer,
                    labels_of(figures[i].field, labels));
    }
}

static void put_named(struct hs_buf *doc)
{
    size_t count;
    const struct hs_counted *counted = hs_counted(&count);
    hs_buf_put_format(doc, "\n## counters\n\n| metric | type | name in the status | meaning | 含义 |\n"
                           "|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        hs_buf_put_format(doc, "| `hallsync_%s` | %s | `%s` | %s | %s |\n", counted[i].metric,
                          prometheus_type(counted[i].type), counted[i].name, counted[i].en, counted[i].zh);
    const struct hs_spread *spreads = hs_spreads(&count);
    hs_buf_put_format(doc, "\n## histograms\n\nEach with `_bucket{le=...}`, `_sum` and `_count`.\n\n"
                           "| metric | type | name in the status | meaning | 含义 |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        hs_buf_put_format(doc, "| `hallsync_%s` | histogram | `%s` | %s | %s |\n", spreads[i].metric, spreads[i].name,
                          spreads[i].en, spreads[i].zh);
}

/* ---- fields of the status that are no metric ---- */

static void put_others(struct hs_buf *doc)
{
    size_t count;
    const struct hs_figure *figures = hs_figures(&count);
    hs_buf_put_format(doc, "\n## What only `hallsync status --json` has\n\n"
                           "| message | field | unit | meaning | 含义 |\n|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++) {
        if (figures[i].metric == NULL)
            hs_buf_put_format(doc, "| %s | `%s` | %s | %s | %s |\n", figures[i].message, figures[i].field,
                              figures[i].unit, figures[i].en, figures[i].zh);
    }
}

/* ---- the file ---- */

static char *read_docs(void)
{
    FILE *file = fopen(DOCS_PATH, "r");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size > 0);
    rewind(file);
    char *text = calloc(1, (size_t)size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, file), size);
    fclose(file);
    return text;
}

static void docs_are_what_the_tables_say(void **state)
{
    (void)state;
    struct hs_buf doc = {0};
    char *text = read_docs();
    char *mark = strstr(text, MARK);
    assert_non_null(mark);
    put_message(&doc, &hallsync__status_reply__descriptor, "The node", "", "");
    put_named(&doc);
    put_others(&doc);
    hs_buf_put_u8(&doc, 0);
    assert_int_equal(doc.err, HS_OK);
    if (getenv("HS_WRITE_DOCS") != NULL) {
        FILE *file = fopen(DOCS_PATH, "w");
        assert_non_null(file);
        fprintf(file, "%.*s%s", (int)(mark - text + (long)strlen(MARK)), text, (const char *)doc.data);
        assert_int_equal(fclose(file), 0);
    } else {
        assert_string_equal(mark + strlen(MARK), (const char *)doc.data);
    }
    hs_buf_fini(&doc);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(docs_are_what_the_tables_say)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
