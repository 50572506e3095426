/* status_model_test.c -- each field of the messages of StatusReply has a row in node/status/model.c, and each row a
 * field; types, units and names of metrics fit each other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/status/model.h"
#include "proto/local.pb-c.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES_MAX 64

struct messages {
    const ProtobufCMessageDescriptor *list[MESSAGES_MAX];
    size_t count;
};

static void add_messages(struct messages *messages, const ProtobufCMessageDescriptor *message)
{
    for (size_t i = 0; i < messages->count; i++) {
        if (messages->list[i] == message)
            return;
    }
    assert_true(messages->count < MESSAGES_MAX);
    messages->list[messages->count++] = message;
    for (unsigned i = 0; i < message->n_fields; i++) {
        if (message->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
            add_messages(messages, message->fields[i].descriptor);
    }
}

static const ProtobufCFieldDescriptor *field_of(const struct messages *messages, const struct hs_figure *figure)
{
    for (size_t i = 0; i < messages->count; i++) {
        if (strcmp(messages->list[i]->short_name, figure->message) == 0)
            return protobuf_c_message_descriptor_get_field_by_name(messages->list[i], figure->field);
    }
    return NULL;
}

static void every_field_has_a_row(void **state)
{
    (void)state;
    struct messages messages = {0};
    size_t fields = 0, figures;
    add_messages(&messages, &hallsync__status_reply__descriptor);
    for (size_t i = 0; i < messages.count; i++) {
        for (unsigned f = 0; f < messages.list[i]->n_fields; f++, fields++) {
            const char *field = messages.list[i]->fields[f].name;
            if (hs_figure_find(messages.list[i]->short_name, field) == NULL)
                fail_msg("%s.%s has no row in node/status/model.c", messages.list[i]->short_name, field);
        }
    }
    hs_figures(&figures);
    assert_int_equal(figures, fields); /* none twice, none too many */
}

static void every_row_has_a_field(void **state)
{
    (void)state;
    struct messages messages = {0};
    size_t count;
    const struct hs_figure *figures = hs_figures(&count);
    add_messages(&messages, &hallsync__status_reply__descriptor);
    for (size_t i = 0; i < count; i++) {
        if (field_of(&messages, &figures[i]) == NULL)
            fail_msg("%s.%s is no field", figures[i].message, figures[i].field);
        assert_ptr_equal(hs_figure_find(figures[i].message, figures[i].field), &figures[i]);
    }
}

/* ---- types and units ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size >= end_size && strcmp(text + size - end_size, end) == 0;
}

static bool is_number(ProtobufCType type)
{
    return type == PROTOBUF_C_TYPE_UINT32 || type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_INT64 ||
           type == PROTOBUF_C_TYPE_SINT64 || type == PROTOBUF_C_TYPE_FIXED64 || type == PROTOBUF_C_TYPE_DOUBLE;
}

static bool fits(const struct hs_figure *figure, const ProtobufCFieldDescriptor *field)
{
    bool message = field->type == PROTOBUF_C_TYPE_MESSAGE, repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
    switch (figure->type) {
    case HS_FIGURE_TEXT:
        return !message && (repeated || !is_number(field->type));
    case HS_FIGURE_NAME:
        return !repeated && is_number(field->type) && figure->metric == NULL;
    case HS_FIGURE_GAUGE:
        return !repeated && is_number(field->type);
    case HS_FIGURE_COUNTER:
        return is_number(field->type) && (figure->metric == NULL || ends_with(figure->metric, "_total"));
    case HS_FIGURE_TIME:
        return field->type == PROTOBUF_C_TYPE_UINT64 && ends_with(field->name, "_ms") &&
               (figure->metric == NULL || ends_with(figure->metric, "_timestamp_seconds"));
    case HS_FIGURE_FLAG:
        return !repeated && (field->type == PROTOBUF_C_TYPE_BOOL || field->type == PROTOBUF_C_TYPE_STRING);
    case HS_FIGURE_LEVEL:
        return !repeated && field->type == PROTOBUF_C_TYPE_STRING && figure->levels != NULL;
    case HS_FIGURE_LIST:
        return message && repeated;
    case HS_FIGURE_PART:
        return message && ends_with(figure->metric, "_");
    }
    return false;
}

static void rows_fit_their_fields(void **state)
{
    (void)state;
    struct messages messages = {0};
    size_t count;
    const struct hs_figure *figures = hs_figures(&count);
    add_messages(&messages, &hallsync__status_reply__descriptor);
    for (size_t i = 0; i < count; i++) {
        const ProtobufCFieldDescriptor *field = field_of(&messages, &figures[i]);
        if (field == NULL || !fits(&figures[i], field))
            fail_msg("%s.%s: its row does not fit the field", figures[i].message, figures[i].field);
    }
}

/* In a metric there are base units, and they end its name, before _total. */
static bool names_unit(const char *metric, const char *unit)
{
    static const char *const ENDS[][2] = {
        {"bytes", "bytes"},  {"milliseconds", "seconds"},  {"seconds", "seconds"},
        {"days", "seconds"}, {"percent", "ratio"},         {"bytes/second", "bytes_per_second"},
        {"fen", "fen"},      {"operations", "operations"}, {"operations/second", "operations_per_second"},
    };
    char end[64], total[72];
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        if (strcmp(unit, ENDS[i][0]) != 0)
            continue;
        snprintf(end, sizeof end, "%s", ENDS[i][1]);
        snprintf(total, sizeof total, "%s_total", end);
        return ends_with(metric, end) || ends_with(metric, total);
    }
    return true;
}

static void assert_metric(const char *name, const char *metric, const char *unit)
{
    if (strspn(metric, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(metric) || !names_unit(metric, unit))
        fail_msg("%s: %s is no good name of a metric in %s", name, metric, unit);
}

static void assert_help(const char *name, const char *en, const char *zh)
{
    if (en[0] == '\0' || zh[0] == '\0' || ends_with(en, ".") || strchr(en, '\n') != NULL)
        fail_msg("%s: its help is no sentence without a dot, in both languages", name);
}

static void names_and_helps_are_good(void **state)
{
    (void)state;
    size_t count;
    const struct hs_figure *figures = hs_figures(&count);
    for (size_t i = 0; i < count; i++) {
        assert_help(figures[i].field, figures[i].en, figures[i].zh);
        if (figures[i].metric != NULL)
            assert_metric(figures[i].field, figures[i].metric, figures[i].unit);
    }
    const struct hs_counted *counted = hs_counted(&count);
    for (size_t i = 0; i < count; i++) {
        assert_help(counted[i].name, counted[i].en, counted[i].zh);
        assert_metric(counted[i].name, counted[i].metric, counted[i].unit);
        assert_int_equal(counted[i].type == HS_FIGURE_COUNTER, ends_with(counted[i].metric, "_total"));
        assert_ptr_equal(hs_counted_find(counted[i].name), &counted[i]);
    }
    const struct hs_spread *spreads = hs_spreads(&count);
    for (size_t i = 0; i < count; i++) {
        assert_help(spreads[i].name, spreads[i].en, spreads[i].zh);
        assert_metric(spreads[i].name, spreads[i].metric, spreads[i].unit);
    }
}

/* The figures that a node may say of another one are those that it says of itself, under the same names. */
static void what_is_said_of_others_has_the_same_unit(void **state)
{
    (void)state;
    size_t count;
    const struct hs_figure *figures = hs_figures(&count);
    for (size_t i = 0; i < count; i++) {
        const struct hs_figure *own = hs_figure_find("StatusReply", figures[i].field);
        if (strcmp(figures[i].message, "PeerStatus") == 0 && own != NULL && own->unit[0] != '\0')
            assert_string_equal(own->unit, figures[i].unit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_has_a_row),
        cmocka_unit_test(every_row_has_a_field),
        cmocka_unit_test(rows_fit_their_fields),
        cmocka_unit_test(names_and_helps_are_good),
        cmocka_unit_test(what_is_said_of_others_has_the_same_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
