/* conflict list, show, resolve. */
#include "node/cli/forms.h"
#include "node/cli/pages.h"
#include "node/cli/show.h"
#include "node/cli/table.h"

#include "proto/base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_column CONFLICT[] = {
    {"id", "conflict", CLI_FORM_TEXT},      {"type", "type", CLI_FORM_TEXT},
    {"kind", "kind", CLI_FORM_TEXT},        {"partition", "district", CLI_FORM_TEXT},
    {"record_id", "record", CLI_FORM_TEXT}, {"amount_fen", "amount", CLI_FORM_MONEY},
    {"text", "what", CLI_FORM_TEXT},
};
#define CONFLICT_COUNT (sizeof CONFLICT / sizeof *CONFLICT)

static const struct cli_column VALUE[] = {
    {"field", "field", CLI_FORM_TEXT}, {"shown", "shown", CLI_FORM_TEXT},  {"text", "value", CLI_FORM_TEXT},
    {"node", "node", CLI_FORM_TEXT},   {"time_ms", "time", CLI_FORM_TIME},
};

static enum hs_err ask(struct cli *cli, Hallsync__ConflictsRequest *body, const Hallsync__ConflictsReply **page)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_CONFLICTS;
    request.conflicts = body;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_CONFLICTS, &reply);
    if (err == HS_OK)
        *page = reply->conflicts;
    return err;
}

static uint32_t page_size(uint64_t left)
{
    return (uint32_t)(left < HS_PAGE_RECORDS_MAX ? left : HS_PAGE_RECORDS_MAX);
}

static enum hs_err list_pages(struct cli *cli, uint64_t limit, struct cli_list *list, struct hs_buf *after)
{
    const Hallsync__ConflictsReply *page = NULL;
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    body.type = (char *)cli->options[CLI_TYPE]; /* only read: protobuf-c's members know no const */
    body.has_limit = 1;
    enum hs_err err = HS_OK;
    do {
        body.limit = page_size(limit);
        err = ask(cli, &body, &page);
        for (size_t i = 0; err == HS_OK && i < page->n_conflicts; i++)
            cli_list_add(list, cli_show_message(&page->conflicts[i]->base));
        if (err == HS_OK) {
            limit -= page->n_conflicts < limit ? page->n_conflicts : limit;
            hs_buf_reset(after);
            hs_buf_put(after, page->next.data, page->next.len);
            body.has_after = page->has_next;
            body.after = (ProtobufCBinaryData){.len = after->size, .data = after->data};
            err = after->err;
        }
    } while (err == HS_OK && body.has_after && limit != 0);
    return err;
}

enum hs_err cli_run_conflict_list(struct cli *cli)
{
    uint64_t limit;
    struct cli_list list;
    struct hs_buf after = {0};
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        err = cli_limit(cli, &limit);
    if (err != HS_OK)
        return err;
    cli_list_begin(&list, cli, CONFLICT, CONFLICT_COUNT);
    err = list_pages(cli, limit != 0 ? limit : UINT64_MAX, &list, &after);
    enum hs_err ended = cli_list_end(&list);
    hs_buf_fini(&after);
    return err != HS_OK ? err : ended;
}

static void add_values(struct cli_list *list, const Hallsync__ConflictField *field)
{
    for (size_t i = 0; i < field->n_values; i++) {
        json_t *value = cli_show_message(&field->values[i]->base);
        json_object_set_new(value, "field", json_string(field->name));
        json_object_set_new(value, "shown", json_string(i == 0 ? "*" : ""));
        cli_list_add(list, value);
    }
}

static enum hs_err show(struct cli *cli, const Hallsync__Conflict *conflict)
{
    enum hs_err err = cli_card(cli, CONFLICT, CONFLICT_COUNT, cli_show_message(&conflict->base));
    if (err != HS_OK || cli->json || conflict->n_fields == 0)
        return err;
    struct cli_list list;
    putchar('\n');
    cli_list_begin(&list, cli, VALUE, sizeof VALUE / sizeof *VALUE);
    for (size_t i = 0; i < conflict->n_fields; i++)
        add_values(&list, conflict->fields[i]);
    return cli_list_end(&list);
}

enum hs_err cli_run_conflict_show(struct cli *cli)
{
    const Hallsync__ConflictsReply *page;
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err != HS_OK)
        return err;
    body.id = cli->args[0];
    err = ask(cli, &body, &page);
    if (err == HS_OK && page->n_conflicts != 1)
        err = cli_bad(&cli->bad, HS_ENOTFOUND, NULL, "no conflict %s: it may be resolved", cli->args[0]);
    return err == HS_OK ? show(cli, page->conflicts[0]) : err;
}

#define CHOICES_MAX 64

struct choices {
    Hallsync__FieldChoice list[CHOICES_MAX];
    Hallsync__FieldChoice *pointers[CHOICES_MAX];
    size_t count;
};

/* The arguments stay ours: the equals sign becomes the end of the field's name. */
static enum hs_err take_choice(struct cli *cli, char *argument, struct choices *choices)
{
    char *equals = strchr(argument, '=');
    if (equals == NULL)
        return cli_usage(cli, "'%s' is not field=value", argument);
    if (choices->count == CHOICES_MAX)
        return cli_usage(cli, "more than %d fields", CHOICES_MAX);
    *equals = '\0';
    Hallsync__FieldChoice *choice = &choices->list[choices->count];
    hallsync__field_choice__init(choice);
    choice->field = argument;
    choice->value = equals + 1;
    choices->pointers[choices->count++] = choice;
    return HS_OK;
}

static enum hs_err resolve(struct cli *cli, struct choices *choices)
{
    static const struct cli_column RESULT[] = {
        {"id", "conflict", CLI_FORM_TEXT}, {"result", "result", CLI_FORM_TEXT}, {"safe", "safe", CLI_FORM_TEXT}};
    Hallsync__ResolveRequest body = HALLSYNC__RESOLVE_REQUEST__INIT;
    body.id = cli->args[0];
    body.choices = choices->pointers;
    body.n_choices = choices->count;
    body.reason = (char *)cli->options[CLI_REASON]; /* only read */
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_RESOLVE;
    request.resolve = &body;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_PUT, &reply);
    if (err == HS_OK && reply->put->n_results != 1)
        err = cli_bad(&cli->bad, HS_EMALFORMED, NULL, "the node gave %zu results for one conflict",
                      reply->put->n_results);
    if (err == HS_OK)
        err = cli_result_error(cli, reply->put->results[0]);
    if (err == HS_OK)
        err = cli_card(cli, RESULT, sizeof RESULT / sizeof *RESULT, cli_show_result(reply->put->results[0]));
    return err;
}

enum hs_err cli_run_conflict_resolve(struct cli *cli)
{
    struct choices choices = {.count = 0};
    enum hs_err err = cli_take_args(cli, 1, SIZE_MAX);
    for (size_t i = 1; i < cli->arg_count && err == HS_OK; i++)
        err = take_choice(cli, cli->args[i], &choices);
    return err == HS_OK ? resolve(cli, &choices) : err;
}
