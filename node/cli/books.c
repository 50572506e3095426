/* window open, close, pause, resume; day close; books. */
#include "node/cli/pages.h"
#include "node/cli/put.h"
#include "node/json/json.h"
#include "node/cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_column BOOK[] = {
    {"hall", "hall", CLI_FORM_TEXT},
    {"date", "date", CLI_FORM_TEXT},
    {"books", "books", CLI_FORM_TEXT},
    {"window", "window", CLI_FORM_NUMBER},
    {"entries", "entries", CLI_FORM_NUMBER},
    {"sum_fen", "sum", CLI_FORM_MONEY},
    {"closed_entries", "closed", CLI_FORM_NUMBER},
    {"closed_fen", "sum of these", CLI_FORM_MONEY},
    {"cash_fen", "in cash", CLI_FORM_MONEY},
    {"later_entries", "later", CLI_FORM_NUMBER},
    {"later_fen", "sum of these", CLI_FORM_MONEY},
    {"twice_entries", "twice", CLI_FORM_NUMBER},
    {"float_fen", "float", CLI_FORM_MONEY},
    {"counted_fen", "counted", CLI_FORM_MONEY},
    {"difference_fen", "difference", CLI_FORM_MONEY},
    {"handed_fen", "handed in", CLI_FORM_MONEY},
};
static const struct cli_column CLOSE[] = {
    {"close_id", "close", CLI_FORM_TEXT}, {"books", "books", CLI_FORM_TEXT},    {"entries", "entries", CLI_FORM_NUMBER},
    {"sum_fen", "sum", CLI_FORM_MONEY},   {"clerk", "clerk", CLI_FORM_TEXT},    {"time_ms", "time", CLI_FORM_TIME},
    {"node", "signed by", CLI_FORM_TEXT}, {"origin", "origin", CLI_FORM_TEXT},  {"n", "operation", CLI_FORM_NUMBER},
    {"hash", "hash", CLI_FORM_TEXT},      {"reason", "reason", CLI_FORM_PROSE},
};
static const struct cli_column ANSWER[] = {
    {"close_id", "close", CLI_FORM_TEXT},    {"verdict", "answer", CLI_FORM_TEXT},
    {"entries", "entries", CLI_FORM_NUMBER}, {"sum_fen", "sum", CLI_FORM_MONEY},
    {"time_ms", "time", CLI_FORM_TIME},      {"node", "signed by", CLI_FORM_TEXT},
    {"origin", "origin", CLI_FORM_TEXT},     {"n", "operation", CLI_FORM_NUMBER},
    {"hash", "hash", CLI_FORM_TEXT},         {"numbers_text", "numbers", CLI_FORM_PROSE},
};
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define KEEP            6

/* ---- windows ---- */

/* window open, close, pause, resume; day close: one verb, one event. */
enum hs_err cli_run_window(struct cli *cli)
{
    struct cli_given event = {"event", strchr(cli->command->words, ' ') + 1};
    bool is_day = strncmp(cli->command->words, "day ", 4) == 0;
    enum hs_err err = cli_take_args(cli, 1, SIZE_MAX);
    return err == HS_OK ? cli_write(cli, &event, 1, is_day ? NULL : "window") : err;
}

/* ---- books ---- */

static enum hs_err ask(struct cli *cli, Hallsync__BooksRequest *body, const Hallsync__BooksReply **page)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_BOOKS;
    request.books = body;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_BOOKS, &reply);
    if (err == HS_OK)
        *page = reply->books;
    return err;
}

static json_t *book_json(const Hallsync__Book *book)
{
    char date[16];
    json_t *object = hs_json_message(&book->base);
    snprintf(date, sizeof date, "%04u-%02u-%02u", book->date / 10000 % 10000, book->date / 100 % 100, book->date % 100);
    if (object == NULL || json_object_set_new(object, "date", json_string(date)) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static void tell_complete(const struct cli *cli, const Hallsync__BooksReply *page)
{
    if (!cli->json && page->has_complete && !page->complete)
        puts("\nMoney is still coming to this node: not all may be here.");
}

static enum hs_err list_books(struct cli *cli, Hallsync__BooksRequest *body)
{
    const Hallsync__BooksReply *page = NULL;
    struct cli_list list;
    char *after = NULL;
    enum hs_err err;
    cli_list_begin(&list, cli, BOOK, COUNT_OF(BOOK));
    list.keep = KEEP;
    do {
        body->after = after;
        err = ask(cli, body, &page);
        free(after);
        after = NULL;
        for (size_t i = 0; err == HS_OK && i < page->n_books; i++)
            cli_list_add(&list, book_json(page->books[i]));
        if (err == HS_OK && page->next != NULL) {
            after = strdup(page->next);
            err = after != NULL ? HS_OK : HS_ENOMEM;
        }
    } while (err == HS_OK && after != NULL);
    enum hs_err ended = cli_list_end(&list);
    if (err == HS_OK)
        tell_complete(cli, page);
    free(after);
    return err != HS_OK ? err : ended;
}

static json_t *numbers_text(const Hallsync__BookAnswer *answer)
{
    struct hs_buf text = {0};
    for (size_t i = 0; i < answer->n_numbers; i++)
        hs_buf_put_format(&text, "%s%s", i == 0 ? "" : ", ", answer->numbers[i]);
    if (answer->more != 0)
        hs_buf_put_format(&text, " and %u more", (unsigned)answer->more);
    json_t *json = text.err == HS_OK ? hs_json_text(hs_buf_bytes(&text)) : NULL;
    hs_buf_fini(&text);
    return json;
}

typedef void (*visit_close)(struct cli_list *list, const Hallsync__BookClose *close);

static void add_close(struct cli_list *list, const Hallsync__BookClose *close)
{
    cli_list_add(list, hs_json_message(&close->base));
}

static void add_answers(struct cli_list *list, const Hallsync__BookClose *close)
{
    for (size_t i = 0; i < close->n_answers; i++) {
        json_t *object = hs_json_message(&close->answers[i]->base);
        if (object != NULL && (json_object_set_new(object, "close_id", json_string(close->close_id)) != 0 ||
                               json_object_set_new(object, "numbers_text", numbers_text(close->answers[i])) != 0)) {
            json_decref(object);
            object = NULL;
        }
        cli_list_add(list, object);
    }
}

static enum hs_err show_closes(const struct cli *cli, const Hallsync__BooksReply *page,
                               const struct cli_column *columns, size_t count, visit_close visit)
{
    struct cli_list list;
    bool any = false;
    for (size_t i = 0; i < page->n_books; i++)
        any = any || page->books[i]->n_closes != 0;
    if (!any)
        return HS_OK;
    putchar('\n');
    cli_list_begin(&list, cli, columns, count);
    list.keep = KEEP;
    for (size_t i = 0; i < page->n_books; i++) {
        for (size_t k = 0; k < page->books[i]->n_closes; k++)
            visit(&list, page->books[i]->closes[k]);
    }
    return cli_list_end(&list);
}

/* One hall: its book and its windows', and what both sides have signed. */
static enum hs_err show_books(struct cli *cli, Hallsync__BooksRequest *body)
{
    const Hallsync__BooksReply *page;
    struct cli_list list;
    enum hs_err err = ask(cli, body, &page);
    if (err != HS_OK)
        return err;
    cli_list_begin(&list, cli, BOOK, COUNT_OF(BOOK));
    list.keep = KEEP;
    for (size_t i = 0; i < page->n_books; i++)
        cli_list_add(&list, book_json(page->books[i]));
    err = cli_list_end(&list);
    if (err == HS_OK && !cli->json)
        err = show_closes(cli, page, CLOSE, COUNT_OF(CLOSE), add_close);
    if (err == HS_OK && !cli->json)
        err = show_closes(cli, page, ANSWER, COUNT_OF(ANSWER), add_answers);
    if (err == HS_OK)
        tell_complete(cli, page);
    return err;
}

static enum hs_err take_date(struct cli *cli, Hallsync__BooksRequest *body)
{
    body->has_date = cli->options[CLI_DATE] != NULL;
    return cli_date(cli, &body->date);
}

enum hs_err cli_run_books(struct cli *cli)
{
    Hallsync__BooksRequest body = HALLSYNC__BOOKS_REQUEST__INIT;
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        err = take_date(cli, &body);
    return err == HS_OK ? list_books(cli, &body) : err;
}

enum hs_err cli_run_books_show(struct cli *cli)
{
    Hallsync__BooksRequest body = HALLSYNC__BOOKS_REQUEST__INIT;
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK)
        err = take_date(cli, &body);
    if (err != HS_OK)
        return err;
    body.hall = cli->args[0];
    return show_books(cli, &body);
}
