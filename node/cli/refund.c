/* payment refund, payment credit: settlements, made at the node that owns the district.  Elsewhere a refund becomes a
 * ticket for the people there, under an id that follows from the application: sent again it is the same one. */
#include "node/cli/forms.h"
#include "node/cli/put.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "storage/model/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SUMMARY_BYTES 1024

static const char *value_of(const struct cli *cli, const char *field)
{
    size_t size = strlen(field);
    for (size_t i = 0; i < cli->arg_count; i++) {
        const char *argument = cli->args[i];
        if (strncmp(argument, field, size) == 0 && argument[size] == '=')
            return argument + size + 1;
        if (i == 0 && strcmp(field, "account") == 0 && strchr(argument, '=') == NULL)
            return argument;
    }
    return "";
}

static enum hs_err fill_ticket(struct cli *cli, struct cli_draft *draft)
{
    char id[HS_RECORD_ID_BYTES_MAX + 1];
    char summary[SUMMARY_BYTES];
    const char *account = value_of(cli, "account");
    const char *bill = value_of(cli, "bill_id");
    int64_t fen = strtoll(value_of(cli, "amount_fen"), NULL, 10); /* it was sent: it is an amount */
    char money[CLI_MONEY_BYTES];
    snprintf(id, sizeof id, "refund-%s-%s", account, value_of(cli, "form_no"));
    snprintf(summary, sizeof summary, "退款申请 / refund asked for: %s, %s %s, 申请单 form %s: %.512s",
             cli_money_text(fen, money), bill[0] != '\0' ? "账单 bill" : "预收 paid ahead", bill,
             value_of(cli, "form_no"), value_of(cli, "reason"));
    const struct cli_given given[] = {
        {"ticket_id", id}, {"service", "refund"}, {"account", account}, {"summary", summary}};
    enum hs_err err = cli_draft_init(draft, hs_kind_by_number(HS_KIND_TICKET));
    for (size_t i = 0; i < sizeof given / sizeof *given && err == HS_OK; i++)
        err = cli_draft_text(draft, given[i].name, HS_BYTES(given[i].value, strlen(given[i].value)), &cli->bad);
    return err;
}

/* What the customer asked for goes to those who can do it; no money goes out. */
static enum hs_err send_ticket(struct cli *cli, struct cli_put *put, const struct cli_draft *draft)
{
    static const struct cli_column OPENED[] = {{"result", "result", CLI_FORM_TEXT},
                                               {"ticket_id", "ticket", CLI_FORM_TEXT},
                                               {"why", "why", CLI_FORM_TEXT},
                                               {"safe", "safe", CLI_FORM_TEXT}};
    const Hallsync__PutResult *result;
    struct hs_why why = cli->bad.why;
    enum hs_err err = cli_put_add(put, draft, NULL);
    if (err == HS_OK)
        err = cli_call_one(cli, cli_put_request(put), &result);
    if (err != HS_OK)
        return err;
    json_t *shown = hs_json_result(result);
    json_object_set(shown, "ticket_id", json_object_get(shown, "id"));
    json_object_del(shown, "id");
    json_object_set_new(shown, "result", json_string("ticket"));
    json_object_set_new(shown, "why", json_string(why.text));
    return cli_card(cli, OPENED, sizeof OPENED / sizeof *OPENED, shown);
}

static enum hs_err open_ticket(struct cli *cli)
{
    struct cli_put *put = malloc(sizeof *put);
    struct cli_draft draft = {0};
    if (put == NULL)
        return HS_ENOMEM;
    cli_put_init(put, HS_KIND_TICKET);
    enum hs_err err = fill_ticket(cli, &draft);
    if (err == HS_OK)
        err = send_ticket(cli, put, &draft);
    cli_draft_fini(&draft);
    cli_put_fini(put);
    free(put);
    return err;
}

enum hs_err cli_run_settle(struct cli *cli)
{
    const char *verb = strrchr(cli->command->words, ' ') + 1;
    struct cli_given given = {"type", verb};
    enum hs_err err = cli_take_args(cli, 1, SIZE_MAX);
    if (err != HS_OK)
        return err;
    err = cli_write(cli, &given, 1, "account");
    return err == HS_ENOTOWNER && strcmp(verb, "refund") == 0 ? open_ticket(cli) : err;
}
