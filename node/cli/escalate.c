/* ticket escalate --overdue: an event for each ticket that is late and of which nobody above has been told, for a timer
 * to run.  The id of the event follows from the ticket, so that two nodes that do it apart have done it once. */
#include "node/cli/pages.h"
#include "node/cli/put.h"
#include "node/json/json.h"
#include "node/cli/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct late {
    struct cli *cli;
    struct cli_put *put;
};

static enum hs_err add_event(struct late *late, const char *ticket)
{
    struct hs_id id;
    char hex[HS_ID_TEXT_BYTES];
    char event[sizeof "overdue-" + HS_ID_TEXT_BYTES];
    struct cli_draft draft;
    bool hashed;
    struct cli_bad *bad = &late->cli->bad;
    if (hs_id_from_text(ticket, strlen(ticket), &id, &hashed) != HS_OK)
        return cli_bad(bad, HS_EVALUE, NULL, "%s: is no id of a ticket", ticket);
    snprintf(event, sizeof event, "overdue-%s", hs_id_text(&id, hex));
    const struct cli_given own[] = {{"event_id", event}, {"ticket_id", ticket}, {"type", "escalate"}};
    enum hs_err err = cli_draft_init(&draft, hs_kind_by_number(HS_KIND_TICKET_EVENT));
    for (size_t i = 0; i < sizeof own / sizeof *own && err == HS_OK; i++)
        err = cli_draft_text(&draft, own[i].name, HS_BYTES(own[i].value, strlen(own[i].value)), bad);
    if (err == HS_OK)
        err = cli_take_fields(late->cli, &draft, NULL);
    if (err == HS_OK)
        err = cli_put_add(late->put, &draft, NULL);
    cli_draft_fini(&draft);
    return err;
}

/* HS_EEXISTS: a request is full; the next run does the others. */
static enum hs_err take_ticket(void *ctx, const Hallsync__Record *record)
{
    struct late *late = ctx;
    const Hallsync__TicketState *ticket = record->ticket;
    if (ticket == NULL || !ticket->overdue || ticket->has_escalated)
        return HS_OK;
    return cli_put_full(late->put) ? HS_EEXISTS : add_event(late, record->id);
}

static enum hs_err find_late(struct late *late)
{
    static const char *const OPEN[] = {"open", "accepted", "assigned", "working", "waiting"};
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < sizeof OPEN / sizeof *OPEN && err == HS_OK; i++) {
        struct cli_find find = {.kind = HS_KIND_TICKET, .index = "state", .key = OPEN[i], .here = true};
        err = cli_find(late->cli, &find, take_ticket, late);
    }
    return err == HS_EEXISTS ? HS_OK : err;
}

/* Another node may have said it in other words meanwhile: then it is said. */
static enum hs_err tell(struct cli *cli, const Hallsync__PutReply *reply)
{
    static const struct cli_column ESCALATED[] = {{"escalated", "escalated", CLI_FORM_NUMBER}};
    json_int_t count = 0;
    for (size_t i = 0; i < reply->n_results; i++) {
        const Hallsync__PutResult *result = reply->results[i];
        enum hs_err err = result->error != NULL ? hs_err_by_name(result->error) : HS_OK;
        if (err != HS_OK && err != HS_EDIFFERS)
            return cli_bad(&cli->bad, err, NULL, "%s", result->text != NULL ? result->text : result->error);
        count += err == HS_OK && result->result == HALLSYNC__RESULT__RESULT_CREATED;
    }
    json_t *object = json_object();
    json_object_set_new(object, "escalated", json_integer(count));
    return cli_card(cli, ESCALATED, 1, object);
}

enum hs_err cli_run_escalate(struct cli *cli)
{
    static const Hallsync__PutReply NONE = HALLSYNC__PUT_REPLY__INIT;
    struct late late = {.cli = cli};
    const Hallsync__PutReply *reply = &NONE;
    if (cli->options[CLI_OVERDUE] == NULL)
        return cli_run_ticket_event(cli);
    enum hs_err err = cli_take_args(cli, 0, SIZE_MAX);
    if (err == HS_OK)
        late.put = malloc(sizeof *late.put);
    if (late.put == NULL)
        return err != HS_OK ? err : HS_ENOMEM;
    cli_put_init(late.put, HS_KIND_TICKET_EVENT);
    err = find_late(&late);
    if (err == HS_OK && late.put->count > 0)
        err = cli_put_send(cli, late.put, &reply);
    if (err == HS_OK)
        err = tell(cli, reply);
    cli_put_fini(late.put);
    free(late.put);
    return err;
}
