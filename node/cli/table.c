#include "node/cli/table.h"

#include "node/cli/forms.h"
#include "proto/base/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_ROWS  500
#define CELL_BYTES 256

enum hs_err cli_json_line(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    if (text == NULL)
        return HS_ENOMEM;
    puts(text);
    free(text);
    return HS_OK;
}

/* Text on one line, cut where it would push everything aside. */
static void line_text(const char *from, char text[static CELL_BYTES])
{
    snprintf(text, CELL_BYTES, "%s", from);
    size_t size = strlen(text);
    if (strlen(from) > size) {
        while (size > 0 && ((uint8_t)text[size - 1] & 0xc0) == 0x80) /* no half character */
            size--;
        size -= size > 0 && (uint8_t)text[size - 1] >= 0xc0;
        text[size] = '\0';
    }
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '\n' || *at == '\t')
            *at = ' ';
    }
}

static void list_text(const json_t *values, char text[static CELL_BYTES])
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < json_array_size(values) && used < CELL_BYTES; i++) {
        const char *value = json_string_value(json_array_get(values, i));
        used += (size_t)snprintf(text + used, CELL_BYTES - used, "%s%s", i == 0 ? "" : ",", value != NULL ? value : "");
    }
}

static void number_text(const struct cli *cli, enum cli_form form, json_int_t value, char text[static CELL_BYTES])
{
    if (form == CLI_FORM_MONEY)
        cli_money_text(value, text);
    else if (form == CLI_FORM_TIME)
        hs_time_text((uint64_t)value, cli->utc_offset_minutes, text);
    else
        snprintf(text, CELL_BYTES, "%" JSON_INTEGER_FORMAT, value);
}

static void cell_text(const struct cli *cli, const struct cli_column *column, const json_t *object,
                      char text[static CELL_BYTES])
{
    const json_t *value = json_object_get(object, column->key);
    text[0] = '\0';
    if (json_is_string(value))
        line_text(json_string_value(value), text);
    else if (json_is_integer(value))
        number_text(cli, column->form, json_integer_value(value), text);
    else if (json_is_boolean(value))
        snprintf(text, CELL_BYTES, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_array(value))
        list_text(value, text);
    if (column->form == CLI_FORM_TIME && strlen(text) > 19) { /* seconds are enough, and the zone is everybody's */
        text[10] = ' ';
        text[19] = '\0';
    }
}

static void pad(size_t count)
{
    printf("%*s", (int)count, "");
}

static void print_cell(const struct cli_list *list, size_t column, const char *text)
{
    size_t width = cli_width(text);
    size_t space = list->widths[column] > width ? list->widths[column] - width : 0;
    enum cli_form form = list->columns[column].form;
    bool right = form == CLI_FORM_NUMBER || form == CLI_FORM_MONEY;
    if (right)
        pad(space);
    fputs(text, stdout);
    if (column + 1 == list->column_count)
        fputs("\n", stdout);
    else
        pad((right ? 0 : space) + 2);
}

static void widen(struct cli_list *list, size_t column, const char *text)
{
    size_t width = cli_width(text);
    if (list->widths[column] < width)
        list->widths[column] = width;
}

static void measure(struct cli_list *list)
{
    char text[CELL_BYTES];
    for (size_t i = 0; i < json_array_size(list->page); i++) {
        for (size_t c = 0; c < list->column_count; c++) {
            cell_text(list->cli, &list->columns[c], json_array_get(list->page, i), text);
            widen(list, c, text);
        }
    }
}

static void print_page(struct cli_list *list)
{
    char text[CELL_BYTES];
    measure(list);
    for (size_t c = 0; c < list->column_count && !list->headed; c++)
        print_cell(list, c, list->columns[c].title);
    list->headed = true;
    for (size_t i = 0; i < json_array_size(list->page); i++) {
        for (size_t c = 0; c < list->column_count; c++) {
            cell_text(list->cli, &list->columns[c], json_array_get(list->page, i), text);
            print_cell(list, c, text);
        }
    }
    json_array_clear(list->page);
}

void cli_list_begin(struct cli_list *list, const struct cli *cli, const struct cli_column *columns, size_t column_count)
{
    assert(column_count <= CLI_COLUMNS_MAX);
    *list = (struct cli_list){.cli = cli, .columns = columns, .column_count = column_count, .page = json_array()};
    list->failed = list->page == NULL;
    for (size_t c = 0; c < column_count; c++)
        widen(list, c, columns[c].title);
}

void cli_list_add(struct cli_list *list, json_t *object)
{
    if (list->cli->json) {
        list->failed = cli_json_line(object) != HS_OK || list->failed;
        return;
    }
    list->failed = json_array_append_new(list->page, object) != 0 || list->failed;
    if (json_array_size(list->page) == PAGE_ROWS)
        print_page(list);
}

enum hs_err cli_list_end(struct cli_list *list)
{
    if (json_array_size(list->page) != 0)
        print_page(list);
    json_decref(list->page);
    return list->failed ? HS_ENOMEM : HS_OK;
}

/* A text as long as it is, its further lines below its first. */
static void print_whole(const char *text, size_t indent)
{
    for (; *text != '\0'; text++) {
        putchar(*text);
        if (*text == '\n')
            pad(indent);
    }
}

static void print_line(const struct cli *cli, const struct cli_column *column, const json_t *object, size_t widest)
{
    char text[CELL_BYTES];
    const json_t *value = json_object_get(object, column->key);
    cell_text(cli, column, object, text);
    if (text[0] == '\0')
        return;
    printf("%-*s  ", (int)widest, column->title);
    bool whole = json_is_string(value) && column->form == CLI_FORM_TEXT;
    print_whole(whole ? json_string_value(value) : text, widest + 2);
    putchar('\n');
}

enum hs_err cli_card(const struct cli *cli, const struct cli_column *columns, size_t column_count, json_t *object)
{
    if (object == NULL)
        return HS_ENOMEM;
    if (cli->json)
        return cli_json_line(object);
    size_t widest = 0;
    for (size_t c = 0; c < column_count; c++) {
        if (json_object_get(object, columns[c].key) != NULL && strlen(columns[c].title) > widest)
            widest = strlen(columns[c].title);
    }
    for (size_t c = 0; c < column_count; c++)
        print_line(cli, &columns[c], object, widest);
    json_decref(object);
    return HS_OK;
}
