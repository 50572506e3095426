/* table.h -- answers on standard output: JSON or CSV for programs, aligned columns for people, from the same objects.
 */
#ifndef HS_CLI_TABLE_H
#define HS_CLI_TABLE_H

#include "node/cli/cli.h"

enum cli_form {
    CLI_FORM_TEXT,
    CLI_FORM_NUMBER,
    CLI_FORM_MONEY,
    CLI_FORM_TIME,
    CLI_FORM_BYTES, /* "81.9 GB" */
    CLI_FORM_AGE,   /* of a time: how long ago */
    CLI_FORM_SPAN,  /* of seconds: so long */
    CLI_FORM_PROSE, /* sentences, only in the last column: on a narrow terminal they are wrapped */
};

struct cli_column {
    const char *key;   /* of the object */
    const char *title; /* for people */
    enum cli_form form;
};

#define CLI_COLUMNS_MAX 32

/* A list: JSON objects and lines of CSV go out at once, lines for people a page at a time.  On a terminal, columns that
 * are empty are left out, and so are, from the right, as many as it takes to make the table fit; what was left out is
 * told. */
struct cli_list {
    const struct cli *cli;
    const struct cli_column *columns;
    size_t column_count;
    size_t keep;  /* so many columns are never left out for lack of room; set to all by cli_list_begin() */
    json_t *page; /* array */
    size_t widths[CLI_COLUMNS_MAX];
    uint32_t used;  /* bits of columns that have a value in some row */
    uint32_t shown; /* bits of columns under the last header */
    uint32_t cut;   /* bits of those that did not fit */
    size_t room;    /* columns of the terminal; 0: it is none, everything is shown */
    uint64_t now_s; /* what ages of this page are counted to: none is wider when printed than when measured */
    bool failed;    /* out of memory */
};

void cli_list_begin(struct cli_list *list, const struct cli *cli, const struct cli_column *columns,
                    size_t column_count);
void cli_list_add(struct cli_list *list, json_t *object); /* takes it; NULL is a failure */
enum hs_err cli_list_end(struct cli_list *list);          /* HS_OK, HS_ENOMEM */

/* One object: as JSON, or one line for each column that it has a value of.  Takes it. */
enum hs_err cli_card(const struct cli *cli, const struct cli_column *columns, size_t column_count, json_t *object);
/* One object as a line of JSON.  Takes it. */
enum hs_err cli_json_line(json_t *object);

/* "TITLE  text", @indent columns apart, wrapped on a terminal. */
void cli_line(const char *title, const char *text, size_t indent);
size_t cli_terminal_lines(void); /* 0: it is none */

/* Columns of a kind. */
size_t cli_kind_columns(uint32_t kind, const struct cli_column **columns);

#endif
