#include "node/cli/table.h"

#include "node/cli/csv.h"
#include "node/cli/forms.h"
#include "node/json/json.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define PAGE_ROWS   500
#define CELL_BYTES  256
#define GAP         2
#define ROOM_MIN    40 /* of a terminal that says that it is narrower, we believe nothing */
#define PROSE_WIDTH 24 /* less is not read with ease */

enum hs_err cli_json_line(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(HS_JSON_REAL_DIGITS));
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

#define LIST_BYTES (CELL_BYTES + 8) /* so that line_text() sees that it is to be cut, and where characters end */

static size_t put_piece(const json_t *value, const char *before, char text[static LIST_BYTES], size_t used)
{
    if (used >= LIST_BYTES)
        return used;
    if (json_is_integer(value))
        return used + (size_t)snprintf(text + used, LIST_BYTES - used, "%s%" JSON_INTEGER_FORMAT, before,
                                       json_integer_value(value));
    const char *string = json_string_value(value);
    return used + (size_t)snprintf(text + used, LIST_BYTES - used, "%s%s", before, string != NULL ? string : "");
}

/* Texts with commas between; of lines their values, with semicolons between them. */
static void list_text(const json_t *values, char text[static CELL_BYTES])
{
    char whole[LIST_BYTES] = "";
    size_t used = 0;
    for (size_t i = 0; i < json_array_size(values); i++) {
        json_t *value = json_array_get(values, i);
        if (!json_is_object(value)) {
            used = put_piece(value, i == 0 ? "" : ",", whole, used);
            continue;
        }
        void *at = json_object_iter(value);
        for (const char *before = i == 0 ? "" : "; "; at != NULL; at = json_object_iter_next(value, at)) {
            used = put_piece(json_object_iter_value(at), before, whole, used);
            before = " ";
        }
    }
    line_text(whole, text);
}

static void number_text(const struct cli_list *list, enum cli_form form, json_int_t value, char text[static CELL_BYTES])
{
    if (form == CLI_FORM_MONEY)
        cli_money_text(value, text);
    else if (form == CLI_FORM_TIME)
        hs_time_text((uint64_t)value, list->cli->utc_offset_minutes, text);
    else if (form == CLI_FORM_BYTES)
        cli_bytes_text((uint64_t)value, text);
    else if (form == CLI_FORM_SPAN)
        cli_age_text((uint64_t)value, text);
    else if (form == CLI_FORM_AGE)
        cli_age_text(list->now_s > (uint64_t)value / 1000 ? list->now_s - (uint64_t)value / 1000 : 0, text);
    else
        snprintf(text, CELL_BYTES, "%" JSON_INTEGER_FORMAT, value);
}

static void cell_text(const struct cli_list *list, const struct cli_column *column, const json_t *object,
                      char text[static CELL_BYTES])
{
    const json_t *value = json_object_get(object, column->key);
    text[0] = '\0';
    if (json_is_string(value))
        line_text(json_string_value(value), text);
    else if (json_is_integer(value))
        number_text(list, column->form, json_integer_value(value), text);
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

static bool has(uint32_t columns, size_t column)
{
    return (columns >> column & 1) != 0;
}

/* ---- which columns ---- */

static size_t terminal_room(void)
{
    struct winsize size;
    uint64_t columns = 0;
    const char *given = getenv("COLUMNS");
    if (given == NULL || cli_number_parse(given, UINT16_MAX, &columns) != HS_OK)
        columns = isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
    return columns >= ROOM_MIN ? (size_t)columns : 0;
}

static bool is_prose(const struct cli_list *list, size_t column)
{
    return list->columns[column].form == CLI_FORM_PROSE;
}

static size_t table_width(const struct cli_list *list, uint32_t columns)
{
    size_t width = 0;
    for (size_t c = 0; c < list->column_count; c++) {
        if (has(columns, c))
            width += (width != 0 ? GAP : 0) +
                     (is_prose(list, c) && list->widths[c] > PROSE_WIDTH ? PROSE_WIDTH : list->widths[c]);
    }
    return width;
}

static uint32_t choose_columns(struct cli_list *list)
{
    uint32_t all = ((uint32_t)1 << list->column_count) - 1;
    if (list->room == 0)
        return all;
    uint32_t columns = list->used;
    for (size_t c = list->column_count; c-- > list->keep && table_width(list, columns) > list->room;) {
        if (!is_prose(list, c))
            columns &= ~((uint32_t)1 << c);
    }
    list->cut |= list->used & ~columns;
    return columns;
}

/* ---- lines ---- */

/* Wrapped, if it stands on a terminal, below where it begins. */
static void print_prose(const struct cli_list *list, const char *text, size_t indent)
{
    size_t width = list->room > indent + PROSE_WIDTH ? list->room - indent : PROSE_WIDTH;
    size_t size = list->room != 0 ? cli_wrap(text, width) : strlen(text);
    printf("%.*s", (int)size, text);
    while (text[size] != '\0') {
        text += size;
        size = cli_wrap(text, width);
        putchar('\n');
        pad(indent);
        printf("%.*s", (int)size, text);
    }
}

static void print_cell(const struct cli_list *list, size_t column, const char *text, size_t *at)
{
    size_t width = cli_width(text);
    size_t space = list->widths[column] > width ? list->widths[column] - width : 0;
    enum cli_form form = list->columns[column].form;
    bool right = form == CLI_FORM_NUMBER || form == CLI_FORM_MONEY || form == CLI_FORM_BYTES || form == CLI_FORM_AGE ||
                 form == CLI_FORM_SPAN;
    bool last = list->shown >> column == 1;
    if (right)
        pad(space);
    if (form == CLI_FORM_PROSE)
        print_prose(list, text, *at);
    else
        fputs(text, stdout);
    if (!last)
        pad((right ? 0 : space) + GAP);
    *at += list->widths[column] + GAP;
}

/* @object NULL: the titles. */
static void print_row(const struct cli_list *list, const json_t *object)
{
    char text[CELL_BYTES];
    size_t at = 0;
    for (size_t c = 0; c < list->column_count; c++) {
        if (!has(list->shown, c))
            continue;
        const json_t *value = json_object_get(object, list->columns[c].key);
        bool whole = is_prose(list, c) && json_is_string(value);
        cell_text(list, &list->columns[c], object, text);
        print_cell(list, c, object == NULL ? list->columns[c].title : whole ? json_string_value(value) : text, &at);
    }
    putchar('\n');
}

static void widen(struct cli_list *list, size_t column, const char *text)
{
    size_t width = cli_width(text);
    if (list->widths[column] < width)
        list->widths[column] = width;
    if (width != 0)
        list->used |= (uint32_t)1 << column;
}

static void measure(struct cli_list *list)
{
    char text[CELL_BYTES];
    list->now_s = hs_now_ms() / 1000;
    for (size_t i = 0; i < json_array_size(list->page); i++) {
        for (size_t c = 0; c < list->column_count; c++) {
            cell_text(list, &list->columns[c], json_array_get(list->page, i), text);
            widen(list, c, text);
        }
    }
}

static void print_page(struct cli_list *list)
{
    measure(list);
    uint32_t columns = choose_columns(list);
    if (columns != list->shown) {
        list->shown = columns;
        print_row(list, NULL);
    }
    for (size_t i = 0; i < json_array_size(list->page); i++)
        print_row(list, json_array_get(list->page, i));
    json_array_clear(list->page);
}

static void tell_cut(const struct cli_list *list)
{
    const char *before = "hallsync: the terminal is too narrow for: ";
    for (size_t c = 0; c < list->column_count; c++) {
        if (has(list->cut, c)) {
            fprintf(stderr, "%s%s", before, list->columns[c].title);
            before = ", ";
        }
    }
    if (list->cut != 0)
        fputs("\n", stderr);
}

/* ---- CSV: a line of the columns' keys, then the values as JSON has them ---- */

static void csv_cell(const struct cli_list *list, const struct cli_column *column, const json_t *object,
                     struct hs_buf *line, bool first)
{
    const json_t *value = json_object_get(object, column->key);
    char text[CELL_BYTES];
    if (object == NULL)
        cli_csv_put(line, HS_BYTES(column->key, strlen(column->key)), first);
    else if (json_is_string(value))
        cli_csv_put(line, HS_BYTES(json_string_value(value), json_string_length(value)), first);
    else if (json_is_integer(value)) {
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        cli_csv_put(line, HS_BYTES(text, strlen(text)), first);
    } else {
        cell_text(list, column, object, text);
        cli_csv_put(line, HS_BYTES(text, strlen(text)), first);
    }
}

/* @object NULL: the keys. */
static void print_csv(struct cli_list *list, const json_t *object)
{
    struct hs_buf line = {0};
    for (size_t c = 0; c < list->column_count; c++)
        csv_cell(list, &list->columns[c], object, &line, c == 0);
    hs_buf_put_u8(&line, '\n');
    list->failed = list->failed || line.err != HS_OK;
    if (line.err == HS_OK)
        fwrite(line.data, 1, line.size, stdout); /* main() looks at the stream's errors */
    hs_buf_fini(&line);
}

void cli_list_begin(struct cli_list *list, const struct cli *cli, const struct cli_column *columns, size_t column_count)
{
    assert(column_count <= CLI_COLUMNS_MAX);
    *list = (struct cli_list){.cli = cli,
                              .columns = columns,
                              .column_count = column_count,
                              .keep = column_count,
                              .room = terminal_room(),
                              .page = json_array()};
    list->failed = list->page == NULL;
    for (size_t c = 0; c < column_count; c++)
        list->widths[c] = cli_width(columns[c].title);
    if (cli->csv)
        print_csv(list, NULL);
}

void cli_list_add(struct cli_list *list, json_t *object)
{
    if (list->cli->json) {
        list->failed = cli_json_line(object) != HS_OK || list->failed;
        return;
    }
    if (list->cli->csv && object != NULL) {
        print_csv(list, object);
        json_decref(object);
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
    fflush(stdout);
    tell_cut(list);
    json_decref(list->page);
    return list->failed ? HS_ENOMEM : HS_OK;
}

size_t cli_terminal_lines(void)
{
    struct winsize size;
    return isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

void cli_line(const char *title, const char *text, size_t indent)
{
    const struct cli_list alone = {.room = terminal_room()};
    printf("%-*s", (int)indent, title);
    print_prose(&alone, text, indent);
    putchar('\n');
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
    const struct cli_list alone = {.cli = cli, .now_s = hs_now_ms() / 1000};
    char text[CELL_BYTES];
    const json_t *value = json_object_get(object, column->key);
    cell_text(&alone, column, object, text);
    if (text[0] == '\0')
        return;
    fputs(column->title, stdout);
    pad(widest - cli_width(column->title) + GAP);
    bool whole = json_is_string(value) && (column->form == CLI_FORM_TEXT || column->form == CLI_FORM_PROSE);
    print_whole(whole ? json_string_value(value) : text, widest + GAP);
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
        size_t width = cli_width(columns[c].title);
        if (json_object_get(object, columns[c].key) != NULL && width > widest)
            widest = width;
    }
    for (size_t c = 0; c < column_count; c++)
        print_line(cli, &columns[c], object, widest);
    json_decref(object);
    return HS_OK;
}
