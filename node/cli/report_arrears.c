/* report arrears: who has not paid in time, page after page. */
#include "node/cli/forms.h"
#include "node/cli/pages.h"
#include "node/cli/progress.h"
#include "node/json/json.h"
#include "node/cli/table.h"

#include "proto/base/names.h"

#include <stdio.h>
#include <string.h>

static const struct cli_column OWES[] = {
    {"account", "account", CLI_FORM_TEXT},      {"due_fen", "due", CLI_FORM_MONEY},
    {"days", "days", CLI_FORM_NUMBER},          {"name", "name", CLI_FORM_TEXT},
    {"phone", "phone", CLI_FORM_TEXT},          {"bills", "bills", CLI_FORM_NUMBER},
    {"oldest", "since", CLI_FORM_TEXT},         {"late_fen", "late fees", CLI_FORM_MONEY},
    {"supply_status", "supply", CLI_FORM_TEXT}, {"address", "address", CLI_FORM_PROSE},
};
#define OWES_KEEP 5

struct owing {
    struct cli_list list;
    uint64_t shown, limit; /* limit 0: none */
    bool incomplete;
    char after[HS_ACCOUNT_DIGITS + 1];
};

static enum hs_err take_options(struct cli *cli, Hallsync__ArrearsRequest *body, uint64_t *limit)
{
    const char *days = cli->options[CLI_DAYS], *fen = cli->options[CLI_AMOUNT];
    bool in_district = false;
    uint64_t number = 0;
    if (days != NULL && (cli_number_parse(days, 100000, &number) != HS_OK || number == 0))
        return cli_usage(cli, "--days: '%s' is not a number of days", days);
    body->has_days = days != NULL;
    body->days = (uint32_t)number;
    if (fen != NULL && cli_number_parse(fen, (uint64_t)HS_AMOUNT_FEN_MAX, &body->fen) != HS_OK)
        return cli_usage(cli, "--amount: '%s' is not a number of fen", fen);
    body->has_fen = fen != NULL;
    enum hs_err err = cli_district(cli, &in_district, &body->district);
    body->has_district = in_district;
    if (err == HS_OK)
        err = cli_limit(cli, limit);
    return err == HS_OK ? cli_take_args(cli, 0, 0) : err;
}

static enum hs_err add_page(struct owing *owing, const Hallsync__ArrearsReply *page)
{
    for (size_t i = 0; i < page->n_accounts && (owing->limit == 0 || owing->shown < owing->limit); i++) {
        cli_list_add(&owing->list, hs_json_message(&page->accounts[i]->base));
        owing->shown++;
    }
    owing->incomplete = owing->incomplete || (page->has_complete && !page->complete);
    return owing->list.failed ? HS_ENOMEM : HS_OK;
}

static enum hs_err ask_all(struct cli *cli, Hallsync__ArrearsRequest *body, struct owing *owing)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    enum hs_err err;
    request.body_case = HALLSYNC__REQUEST__BODY_ARREARS;
    request.arrears = body;
    body->has_limit = 1;
    body->limit = HS_PAGE_RECORDS_MAX;
    do {
        cli_progress_step(&(struct cli_step){
            .what = "reading arrears", .done = owing->shown, .total = owing->limit, .unit = "accounts"});
        err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_ARREARS, &reply);
        if (err == HS_OK)
            err = add_page(owing, reply->arrears);
        body->after = err == HS_OK && reply->arrears->next != NULL ? owing->after : NULL;
        if (body->after != NULL)
            snprintf(owing->after, sizeof owing->after, "%s", reply->arrears->next);
    } while (body->after != NULL && (owing->limit == 0 || owing->shown < owing->limit));
    cli_progress_end();
    return err;
}

enum hs_err cli_run_report_arrears(struct cli *cli)
{
    Hallsync__ArrearsRequest body = HALLSYNC__ARREARS_REQUEST__INIT;
    struct owing owing = {0};
    enum hs_err err = take_options(cli, &body, &owing.limit);
    if (err != HS_OK)
        return err;
    cli_list_begin(&owing.list, cli, OWES, sizeof OWES / sizeof *OWES);
    owing.list.keep = OWES_KEEP;
    err = ask_all(cli, &body, &owing);
    enum hs_err ended = cli_list_end(&owing.list);
    if (err == HS_OK && owing.incomplete)
        fputs("hallsync: " CLI_STILL_COMING "\n", stderr);
    return err != HS_OK ? err : ended;
}
