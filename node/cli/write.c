/* customer put, payment add, ticket open, ticket event, payment reverse: one record from arguments. */
#include "node/cli/put.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/names.h"

#include <stdlib.h>
#include <string.h>

static const struct cli_column RESULT[] = {
    {"id", "id", CLI_FORM_TEXT},
    {"result", "result", CLI_FORM_TEXT},
    {"safe", "safe", CLI_FORM_TEXT},
    {"receipt", "receipt", CLI_FORM_TEXT},
    {"number", "number", CLI_FORM_TEXT},
    {"of", "of", CLI_FORM_TEXT},
    {"reprints", "reprints", CLI_FORM_NUMBER},
};
#define RESULT_COUNT (sizeof RESULT / sizeof *RESULT)

/* A window or day that was closed has no receipt, but a close by this name. */
static enum hs_err show_result(const struct cli *cli, const Hallsync__PutResult *result)
{
    struct cli_column columns[RESULT_COUNT];
    for (size_t i = 0; i < RESULT_COUNT; i++) {
        bool is_close = cli->command->kind == HS_KIND_WINDOW_EVENT && strcmp(RESULT[i].key, "receipt") == 0;
        columns[i] = RESULT[i];
        columns[i].title = is_close ? "close" : RESULT[i].title;
    }
    return cli_card(cli, columns, RESULT_COUNT, hs_json_result(result));
}

static const char *id_field(const struct hs_kind *kind)
{
    if (kind->number == HS_KIND_TICKET_EVENT)
        return "ticket_id"; /* what people name is the ticket; its events get ids from the node */
    if (kind->number == HS_KIND_QUEUE_TICKET)
        return "group";
    if (kind->number == HS_KIND_TITLE_CHANGE || kind->number == HS_KIND_REMINDER)
        return "account";
    if (kind->number == HS_KIND_APPOINTMENT)
        return "slot_id";
    return hs_kind_field_name(kind, kind->id_field);
}

/* "field=value"; or, of an argument that is no other, the value of @first, if there is one. */
static enum hs_err take_argument(struct cli *cli, struct cli_draft *draft, const char *argument, const char *first)
{
    const char *equals = strchr(argument, '=');
    if (equals == NULL && first != NULL)
        return cli_draft_text(draft, first, HS_BYTES(argument, strlen(argument)), &cli->bad);
    if (equals == NULL)
        return cli_usage(cli, "'%s' is not field=value", argument);
    char *name = strndup(argument, (size_t)(equals - argument));
    if (name == NULL)
        return HS_ENOMEM;
    enum hs_err err = cli_draft_text(draft, name, HS_BYTES(equals + 1, strlen(equals + 1)), &cli->bad);
    free(name);
    return err;
}

enum hs_err cli_take_fields(struct cli *cli, struct cli_draft *draft, const char *first)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < cli->arg_count && err == HS_OK; i++)
        err = take_argument(cli, draft, cli->args[i], i == 0 ? first : NULL);
    return err;
}

static enum hs_err take_given(struct cli *cli, struct cli_draft *draft, const struct cli_given *given, size_t count)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < count && err == HS_OK; i++)
        err = cli_draft_text(draft, given[i].name, HS_BYTES(given[i].value, strlen(given[i].value)), &cli->bad);
    return err;
}

static enum hs_err set_partition(struct cli *cli, struct cli_put *put)
{
    hs_partition partition;
    if (cli->options[CLI_DISTRICT] == NULL)
        return HS_OK;
    if (hs_partition_parse(cli->options[CLI_DISTRICT], &partition) != HS_OK)
        return cli_usage(cli, "--district: '%s' is not a district", cli->options[CLI_DISTRICT]);
    put->records[0].has_partition = 1;
    put->records[0].partition = partition;
    return HS_OK;
}

/* Send one draft and show what the node says. */
static enum hs_err send_draft(struct cli *cli, struct cli_put *put, const struct cli_draft *draft)
{
    const Hallsync__PutResult *result;
    cli_put_reset(put);
    enum hs_err err = cli_put_add(put, draft, NULL);
    if (err == HS_OK)
        err = set_partition(cli, put);
    if (err == HS_OK)
        err = cli_call_one(cli, cli_put_request(put), &result);
    return err == HS_OK ? show_result(cli, result) : err;
}

static enum hs_err put_arguments(struct cli *cli, struct cli_put *put, const struct cli_given *given, size_t count,
                                 const char *first)
{
    const struct hs_kind *kind = hs_kind_by_number(cli->command->kind);
    struct cli_draft draft;
    char id[HS_ID_TEXT_BYTES] = "";
    enum hs_err err = cli_draft_init(&draft, kind);
    draft.utc_offset_minutes = cli->utc_offset_minutes;
    if (err == HS_OK)
        err = take_given(cli, &draft, given, count);
    if (err == HS_OK)
        err = cli_take_fields(cli, &draft, first);
    if (err == HS_OK)
        err = cli_draft_make_id(&draft, id, &cli->bad);
    if (err == HS_OK)
        err = send_draft(cli, put, &draft);
    if (err == HS_ETIMEDOUT && id[0] != '\0') {
        struct hs_why why = cli->bad.why;
        cli_bad(&cli->bad, err, NULL, "%.200s; once more with %s=%s does it once", why.text,
                hs_kind_field_name(kind, kind->id_field), id);
    }
    cli_draft_fini(&draft);
    return err;
}

enum hs_err cli_write(struct cli *cli, const struct cli_given *given, size_t count, const char *first)
{
    struct cli_put *put = malloc(sizeof *put);
    if (put == NULL)
        return HS_ENOMEM;
    cli_put_init(put, cli->command->kind);
    enum hs_err err = put_arguments(cli, put, given, count, first);
    cli_put_fini(put);
    free(put);
    return err;
}

enum hs_err cli_run_put(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 1, SIZE_MAX);
    if (err != HS_OK)
        return err;
    if (cli->arg_count == 1 && strcmp(cli->args[0], "-") == 0)
        return cli_put_lines(cli);
    return cli_write(cli, NULL, 0, id_field(hs_kind_by_number(cli->command->kind)));
}

/* The payment is named as text; the other fields are those of the reversal. */
static enum hs_err send_reversal(struct cli *cli, const Hallsync__Reversal *fields)
{
    Hallsync__ReverseRequest reverse = HALLSYNC__REVERSE_REQUEST__INIT;
    reverse.payment_id = cli->args[0];
    reverse.reversal_id = fields->reversal_id;
    reverse.reason = fields->reason;
    reverse.has_window = fields->has_window;
    reverse.window = fields->window;
    reverse.clerk = fields->clerk;
    reverse.second = fields->second;
    reverse.type = fields->type;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_REVERSE;
    request.reverse = &reverse;
    const Hallsync__PutResult *result;
    enum hs_err err = cli_call_one(cli, &request, &result);
    return err == HS_OK ? show_result(cli, result) : err;
}

enum hs_err cli_run_reverse(struct cli *cli)
{
    struct cli_draft draft;
    enum hs_err err = cli_take_args(cli, 1, SIZE_MAX);
    if (err == HS_OK && strchr(cli->args[0], '=') != NULL)
        err = cli_usage(cli, "usage: hallsync %s %s", cli->command->words, cli->command->usage);
    if (err != HS_OK)
        return err;
    err = cli_draft_init(&draft, hs_kind_by_number(HS_KIND_REVERSAL));
    for (size_t i = 1; i < cli->arg_count && err == HS_OK; i++)
        err = take_argument(cli, &draft, cli->args[i], NULL);
    if (err == HS_OK)
        err = send_reversal(cli, (const Hallsync__Reversal *)draft.message);
    cli_draft_fini(&draft);
    return err;
}
