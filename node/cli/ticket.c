/* ticket urge and its like; ticket missing: the notice of what has still to come in; catalogue load: the default
 * services. */
#include "node/cli/pages.h"
#include "node/cli/put.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "storage/model/ticket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "ticket urge" is an event of the type urge, whatever else it says. */
enum hs_err cli_run_ticket_event(struct cli *cli)
{
    struct cli_given type = {"type", strchr(cli->command->words, ' ') + 1};
    enum hs_err err = cli_take_args(cli, 1, SIZE_MAX);
    return err == HS_OK ? cli_write(cli, &type, 1, "ticket_id") : err;
}

/* ---- the missing-documents notice ---- */

static enum hs_err show_notice(const struct cli *cli, const Hallsync__Record *record)
{
    static const struct cli_column NOTICE[] = {{"document", "missing 缺件", CLI_FORM_TEXT}};
    struct cli_list list;
    const Hallsync__TicketState *ticket = record->ticket;
    cli_list_begin(&list, cli, NOTICE, sizeof NOTICE / sizeof *NOTICE);
    for (size_t i = 0; ticket != NULL && i < ticket->n_missing; i++) {
        json_t *row = json_object();
        json_object_set_new(row, "document", hs_json_text(HS_BYTES(ticket->missing[i], strlen(ticket->missing[i]))));
        cli_list_add(&list, row);
    }
    return cli_list_end(&list);
}

enum hs_err cli_run_missing(struct cli *cli)
{
    const Hallsync__Record *record;
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK)
        err = cli_get(cli, cli->command->kind, cli->args[0], &record);
    return err == HS_OK ? show_notice(cli, record) : err;
}

/* ---- the default catalogue ---- */

#define SOURCE "hallsync" /* as an import: what the region has changed since stays */

static enum hs_err add_services(struct cli_put *put)
{
    struct hs_buf message = {0};
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < HS_SERVICE_COUNT && err == HS_OK; i++) {
        hs_buf_reset(&message);
        hs_service_put(&HS_SERVICES[i], &message);
        err = message.err != HS_OK ? message.err : cli_put_add_message(put, hs_buf_bytes(&message), SOURCE);
    }
    hs_buf_fini(&message);
    return err;
}

static enum hs_err tell_loaded(struct cli *cli, const Hallsync__PutReply *reply)
{
    static const struct cli_column LOADED[] = {
        {"created", "created", CLI_FORM_NUMBER},
        {"changed", "changed", CLI_FORM_NUMBER},
        {"unchanged", "unchanged", CLI_FORM_NUMBER},
    };
    json_int_t created = 0;
    json_int_t changed = 0;
    for (size_t i = 0; i < reply->n_results; i++) {
        const Hallsync__PutResult *result = reply->results[i];
        if (result->error != NULL)
            return cli_bad(&cli->bad, hs_err_by_name(result->error), NULL, "%s: %s", HS_SERVICES[i].code,
                           result->text != NULL ? result->text : result->error);
        created += result->result == HALLSYNC__RESULT__RESULT_CREATED;
        changed += result->result == HALLSYNC__RESULT__RESULT_CHANGED;
    }
    json_t *object = json_object();
    json_object_set_new(object, "created", json_integer(created));
    json_object_set_new(object, "changed", json_integer(changed));
    json_object_set_new(object, "unchanged", json_integer((json_int_t)reply->n_results - created - changed));
    return cli_card(cli, LOADED, sizeof LOADED / sizeof *LOADED, object);
}

enum hs_err cli_run_load(struct cli *cli)
{
    const Hallsync__PutReply *reply;
    enum hs_err err = cli_take_args(cli, 0, 0);
    struct cli_put *put = err == HS_OK ? malloc(sizeof *put) : NULL;
    if (put == NULL)
        return err != HS_OK ? err : HS_ENOMEM;
    cli_put_init(put, cli->command->kind);
    err = add_services(put);
    if (err == HS_OK)
        err = cli_put_send(cli, put, &reply);
    if (err == HS_OK)
        err = tell_loaded(cli, reply);
    cli_put_fini(put);
    free(put);
    return err;
}
