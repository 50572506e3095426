/* table.h -- answers on standard output: JSON for programs, aligned columns for people, from the same objects. */
#ifndef HS_CLI_TABLE_H
#define HS_CLI_TABLE_H

#include "node/cli/cli.h"

enum cli_form { CLI_FORM_TEXT, CLI_FORM_NUMBER, CLI_FORM_MONEY, CLI_FORM_TIME };

struct cli_column {
    const char *key;   /* of the object */
    const char *title; /* for people */
    enum cli_form form;
};

#define CLI_COLUMNS_MAX 24

/* A list: JSON objects go out at once, lines for people a page at a time. */
struct cli_list {
    const struct cli *cli;
    const struct cli_column *columns;
    size_t column_count;
    json_t *page; /* array */
    size_t widths[CLI_COLUMNS_MAX];
    bool headed;
    bool failed; /* out of memory */
};

void cli_list_begin(struct cli_list *list, const struct cli *cli, const struct cli_column *columns,
                    size_t column_count);
void cli_list_add(struct cli_list *list, json_t *object); /* takes it; NULL is a failure */
enum hs_err cli_list_end(struct cli_list *list);          /* HS_OK, HS_ENOMEM */

/* One object: as JSON, or one line for each column that it has a value of.  Takes it. */
enum hs_err cli_card(const struct cli *cli, const struct cli_column *columns, size_t column_count, json_t *object);
/* One object as a line of JSON.  Takes it. */
enum hs_err cli_json_line(json_t *object);

/* Columns of a kind. */
size_t cli_kind_columns(uint32_t kind, const struct cli_column **columns);

#endif
