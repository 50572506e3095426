/* reminder subscribe, reminder due: who wants to be told of bills, and who is to be told today. */
#include "node/cli/cli.h"
#include "node/cli/forms.h"
#include "node/cli/pages.h"
#include "node/cli/progress.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/buf.h"
#include "proto/base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DUE_KEEP 6

static const struct cli_column DUE[] = {
    {"account", "account", CLI_FORM_TEXT}, {"name", "name", CLI_FORM_TEXT},
    {"channel", "channel", CLI_FORM_TEXT}, {"contact", "contact", CLI_FORM_TEXT},
    {"due_fen", "due", CLI_FORM_MONEY},    {"due_date", "due date", CLI_FORM_TEXT},
    {"state", "state", CLI_FORM_TEXT},     {"bill_id", "bill", CLI_FORM_TEXT},
    {"hall", "hall", CLI_FORM_TEXT},       {"subscription_id", "subscription", CLI_FORM_TEXT},
};

/* The id of a subscription is its account and its channel: people name these. */
static const char *channel_of(const struct cli *cli)
{
    static const char FIELD[] = "channel=";
    for (size_t i = 1; i < cli->arg_count; i++) {
        if (strncmp(cli->args[i], FIELD, sizeof FIELD - 1) == 0)
            return cli->args[i] + sizeof FIELD - 1;
    }
    return NULL;
}

enum hs_err cli_run_subscribe(struct cli *cli)
{
    char id[CLI_FIELD_BYTES], account[CLI_FIELD_BYTES];
    enum hs_err err = cli_take_args(cli, 1, SIZE_MAX);
    const char *channel = err == HS_OK ? channel_of(cli) : NULL;
    if (err == HS_OK && (channel == NULL || strchr(cli->args[0], '=') != NULL))
        return cli_usage(cli, "usage: hallsync %s %s", cli->command->words, cli->command->usage);
    char **given = cli->args;
    char **args = err == HS_OK ? calloc(cli->arg_count + 1, sizeof *args) : NULL;
    if (args == NULL)
        return err != HS_OK ? err : HS_ENOMEM;
    snprintf(id, sizeof id, "%s-%s", given[0], channel);
    snprintf(account, sizeof account, "account=%s", given[0]);
    args[0] = id;
    args[1] = account;
    memcpy(args + 2, given + 1, (cli->arg_count - 1) * sizeof *args);
    cli->args = args;
    cli->arg_count++;
    err = cli_run_put(cli);
    cli->args = given;
    cli->arg_count--;
    free(args);
    return err;
}

/* ---- who is to be told ---- */

static enum hs_err take_options(struct cli *cli, Hallsync__RemindersRequest *body, uint64_t *limit)
{
    enum hs_err err = cli_date(cli, &body->date);
    body->has_date = cli->options[CLI_DATE] != NULL;
    body->hall = (char *)cli->options[CLI_HALL]; /* only read */
    if (err == HS_OK)
        err = cli_limit(cli, limit);
    return err == HS_OK ? cli_take_args(cli, 0, 0) : err;
}

struct dues {
    struct cli_list list;
    uint64_t shown, limit; /* limit 0: none */
    bool incomplete;
};

static enum hs_err add_page(struct dues *dues, const Hallsync__RemindersReply *page)
{
    for (size_t i = 0; i < page->n_due && (dues->limit == 0 || dues->shown < dues->limit); i++) {
        cli_list_add(&dues->list, hs_json_message(&page->due[i]->base));
        dues->shown++;
    }
    dues->incomplete = dues->incomplete || (page->has_complete && !page->complete);
    return dues->list.failed ? HS_ENOMEM : HS_OK;
}

static enum hs_err ask_all(struct cli *cli, Hallsync__RemindersRequest *body, struct dues *dues)
{
    struct hs_buf after = {0};
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    request.body_case = HALLSYNC__REQUEST__BODY_REMINDERS;
    request.reminders = body;
    body->has_limit = 1;
    body->limit = HS_PAGE_RECORDS_MAX;
    enum hs_err err;
    do {
        cli_progress_step(&(struct cli_step){
            .what = "reading reminders", .done = dues->shown, .total = dues->limit, .unit = "customers"});
        err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_REMINDERS, &reply);
        if (err == HS_OK)
            err = add_page(dues, reply->reminders);
        if (err != HS_OK)
            break;
        hs_buf_reset(&after);
        hs_buf_put(&after, reply->reminders->next.data, reply->reminders->next.len);
        body->has_after = reply->reminders->has_next;
        body->after = (ProtobufCBinaryData){.len = after.size, .data = after.data};
        err = after.err;
    } while (err == HS_OK && body->has_after && (dues->limit == 0 || dues->shown < dues->limit));
    hs_buf_fini(&after);
    cli_progress_end();
    return err;
}

enum hs_err cli_run_reminders(struct cli *cli)
{
    Hallsync__RemindersRequest body = HALLSYNC__REMINDERS_REQUEST__INIT;
    struct dues dues = {0};
    enum hs_err err = take_options(cli, &body, &dues.limit);
    if (err != HS_OK)
        return err;
    cli_list_begin(&dues.list, cli, DUE, sizeof DUE / sizeof *DUE);
    dues.list.keep = DUE_KEEP;
    err = ask_all(cli, &body, &dues);
    enum hs_err ended = cli_list_end(&dues.list);
    if (err == HS_OK && dues.incomplete)
        fputs("hallsync: " CLI_STILL_COMING "\n", stderr);
    return err != HS_OK ? err : ended;
}
