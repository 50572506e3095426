/* conflict list, show, resolve, release, reject. */
#include "node/cli/forms.h"
#include "node/cli/pages.h"
#include "node/cli/progress.h"
#include "node/json/json.h"
#include "node/cli/table.h"

#include "proto/base/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_column CONFLICT[] = {
    {"id", "conflict", CLI_FORM_TEXT},        {"type", "type", CLI_FORM_TEXT},
    {"kind", "kind", CLI_FORM_TEXT},          {"partition", "district", CLI_FORM_TEXT},
    {"record_id", "record", CLI_FORM_TEXT},   {"amount_fen", "amount", CLI_FORM_MONEY},
    {"account", "account", CLI_FORM_TEXT},    {"customer", "customer", CLI_FORM_TEXT},
    {"window", "window", CLI_FORM_TEXT},      {"node", "hall", CLI_FORM_TEXT},
    {"time_ms", "time", CLI_FORM_TIME},       {"text", "what", CLI_FORM_PROSE},
    {"advice", "what to do", CLI_FORM_PROSE},
};
#define CONFLICT_COUNT (sizeof CONFLICT / sizeof *CONFLICT)

static const struct cli_column VALUE[] = {
    {"field", "field", CLI_FORM_TEXT}, {"shown", "shown", CLI_FORM_TEXT},  {"text", "value", CLI_FORM_TEXT},
    {"node", "node", CLI_FORM_TEXT},   {"time_ms", "time", CLI_FORM_TIME},
};

static const struct cli_column DECISION[] = {
    {"holds", "holds", CLI_FORM_TEXT}, {"verdict", "decision", CLI_FORM_TEXT}, {"name", "by", CLI_FORM_TEXT},
    {"node", "at", CLI_FORM_TEXT},     {"time_ms", "time", CLI_FORM_TIME},     {"reason", "reason", CLI_FORM_PROSE},
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

typedef enum hs_err (*visit_conflict)(void *ctx, const Hallsync__Conflict *conflict);

static enum hs_err visit_pages(struct cli *cli, const char *type, uint64_t limit, visit_conflict visit, void *ctx)
{
    const Hallsync__ConflictsReply *page = NULL;
    struct hs_buf after = {0};
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    body.type = (char *)type; /* only read: protobuf-c's members know no const */
    body.has_limit = 1;
    enum hs_err err = HS_OK;
    uint64_t seen = 0, most = limit;
    do {
        body.limit = page_size(limit);
        cli_progress_step(&(struct cli_step){
            .what = "reading conflicts", .done = seen, .total = most < UINT32_MAX ? most : 0, .unit = "conflicts"});
        err = ask(cli, &body, &page);
        for (size_t i = 0; err == HS_OK && i < page->n_conflicts; i++)
            err = visit(ctx, page->conflicts[i]);
        if (err == HS_OK) {
            seen += page->n_conflicts;
            limit -= page->n_conflicts < limit ? page->n_conflicts : limit;
            hs_buf_reset(&after);
            hs_buf_put(&after, page->next.data, page->next.len);
            body.has_after = page->has_next;
            body.after = (ProtobufCBinaryData){.len = after.size, .data = after.data};
            err = after.err;
        }
    } while (err == HS_OK && body.has_after && limit != 0);
    cli_progress_end();
    hs_buf_fini(&after);
    return err;
}

/* ---- short names: TYPE:RECORD, for people to read and to write; the whole id has more parts ---- */

#define ID_COLONS 3

static bool is_whole(const char *id)
{
    size_t colons = 0;
    for (; *id != '\0'; id++)
        colons += *id == ':';
    return colons >= ID_COLONS;
}

static enum hs_err short_name(const Hallsync__Conflict *conflict, struct hs_buf *name)
{
    hs_buf_reset(name);
    hs_buf_put_format(name, "%s:%s", conflict->type, conflict->record_id);
    hs_buf_put_u8(name, 0);
    return name->err;
}

struct search {
    const char *name;
    char *id; /* owned */
    size_t count;
};

static enum hs_err compare_name(void *ctx, const Hallsync__Conflict *conflict)
{
    struct search *search = ctx;
    struct hs_buf name = {0};
    enum hs_err err = short_name(conflict, &name);
    if (err == HS_OK && strcmp((char *)name.data, search->name) == 0 && search->count++ == 0) {
        search->id = strdup(conflict->id);
        err = search->id != NULL ? HS_OK : HS_ENOMEM;
    }
    hs_buf_fini(&name);
    return err;
}

/* What the user named, as the node calls it; owned by the caller.  What we do not find is the node's to judge. */
static enum hs_err find_id(struct cli *cli, const char *name, char **id)
{
    struct search search = {.name = name};
    char type[CLI_FIELD_BYTES];
    snprintf(type, sizeof type, "%.*s", (int)strcspn(name, ":"), name);
    enum hs_err err = HS_OK;
    if (!is_whole(name) && strchr(name, ':') != NULL)
        err = visit_pages(cli, type, UINT64_MAX, compare_name, &search);
    if (err == HS_OK && search.count > 1)
        err = cli_usage(cli, "%zu conflicts are called %s: name the id that 'conflict list --json' shows", search.count,
                        name);
    if (err == HS_OK && search.id == NULL)
        search.id = strdup(name);
    if (err == HS_OK && search.id != NULL) {
        *id = search.id;
        return HS_OK;
    }
    free(search.id);
    return err != HS_OK ? err : HS_ENOMEM;
}

/* ---- list ---- */

static enum hs_err list_one(void *ctx, const Hallsync__Conflict *conflict)
{
    struct cli_list *list = ctx;
    json_t *object = hs_json_message(&conflict->base);
    struct hs_buf name = {0};
    enum hs_err err = short_name(conflict, &name);
    if (err == HS_OK && !list->cli->json && is_whole(conflict->id) && !is_whole((char *)name.data))
        json_object_set_new(object, "id", hs_json_text(HS_BYTES(name.data, name.size - 1)));
    hs_buf_fini(&name);
    cli_list_add(list, object);
    return err;
}

enum hs_err cli_run_conflict_list(struct cli *cli)
{
    static const struct cli_column LIST[] = {
        {"id", "conflict", CLI_FORM_TEXT},
        {"partition", "district", CLI_FORM_TEXT},
        {"amount_fen", "amount", CLI_FORM_MONEY},
        {"text", "what", CLI_FORM_PROSE},
    };
    uint64_t limit;
    struct cli_list list;
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        err = cli_limit(cli, &limit);
    if (err != HS_OK)
        return err;
    cli_list_begin(&list, cli, LIST, sizeof LIST / sizeof *LIST);
    err = visit_pages(cli, cli->options[CLI_TYPE], limit != 0 ? limit : UINT64_MAX, list_one, &list);
    enum hs_err ended = cli_list_end(&list);
    return err != HS_OK ? err : ended;
}

/* ---- show ---- */

static void add_values(struct cli_list *list, const Hallsync__ConflictField *field)
{
    for (size_t i = 0; i < field->n_values; i++) {
        json_t *value = hs_json_message(&field->values[i]->base);
        json_object_set_new(value, "field", json_string(field->name));
        json_object_set_new(value, "shown", json_string(i == 0 ? "*" : ""));
        cli_list_add(list, value);
    }
}

static enum hs_err show_decisions(struct cli *cli, const Hallsync__Conflict *conflict)
{
    struct cli_list list;
    putchar('\n');
    cli_list_begin(&list, cli, DECISION, sizeof DECISION / sizeof *DECISION);
    for (size_t i = 0; i < conflict->n_decisions; i++) {
        json_t *decision = hs_json_message(&conflict->decisions[i]->base);
        json_object_set_new(decision, "holds", json_string(conflict->decisions[i]->holds ? "*" : ""));
        cli_list_add(&list, decision);
    }
    return cli_list_end(&list);
}

static enum hs_err show(struct cli *cli, const Hallsync__Conflict *conflict)
{
    enum hs_err err = cli_card(cli, CONFLICT, CONFLICT_COUNT, hs_json_message(&conflict->base));
    if (err == HS_OK && !cli->json && conflict->n_decisions != 0)
        err = show_decisions(cli, conflict);
    if (err != HS_OK || cli->json || conflict->n_fields == 0)
        return err;
    struct cli_list list;
    putchar('\n');
    cli_list_begin(&list, cli, VALUE, sizeof VALUE / sizeof *VALUE);
    for (size_t i = 0; i < conflict->n_fields; i++)
        add_values(&list, conflict->fields[i]);
    return cli_list_end(&list);
}

static enum hs_err show_id(struct cli *cli, char *id)
{
    const Hallsync__ConflictsReply *page;
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    body.id = id;
    enum hs_err err = ask(cli, &body, &page);
    if (err == HS_OK && page->n_conflicts != 1)
        err = cli_bad(&cli->bad, HS_ENOTFOUND, NULL, "no conflict %s: it may be resolved", cli->args[0]);
    return err == HS_OK ? show(cli, page->conflicts[0]) : err;
}

enum hs_err cli_run_conflict_show(struct cli *cli)
{
    char *id = NULL;
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK)
        err = find_id(cli, cli->args[0], &id);
    if (err == HS_OK)
        err = show_id(cli, id);
    free(id);
    return err;
}

/* ---- resolve ---- */

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

static enum hs_err send(struct cli *cli, Hallsync__Request *request)
{
    static const struct cli_column RESULT[] = {
        {"id", "conflict", CLI_FORM_TEXT}, {"result", "result", CLI_FORM_TEXT}, {"safe", "safe", CLI_FORM_TEXT}};
    const Hallsync__PutResult *result;
    enum hs_err err = cli_call_one(cli, request, &result);
    return err == HS_OK ? cli_card(cli, RESULT, sizeof RESULT / sizeof *RESULT, hs_json_result(result)) : err;
}

static enum hs_err resolve(struct cli *cli, char *id, struct choices *choices)
{
    Hallsync__ResolveRequest body = HALLSYNC__RESOLVE_REQUEST__INIT;
    body.id = id;
    body.choices = choices->pointers;
    body.n_choices = choices->count;
    body.reason = (char *)cli->options[CLI_REASON]; /* only read */
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_RESOLVE;
    request.resolve = &body;
    return send(cli, &request);
}

enum hs_err cli_run_conflict_resolve(struct cli *cli)
{
    struct choices choices = {.count = 0};
    char *id = NULL;
    enum hs_err err = cli_take_args(cli, 1, SIZE_MAX);
    for (size_t i = 1; i < cli->arg_count && err == HS_OK; i++)
        err = take_choice(cli, cli->args[i], &choices);
    if (err == HS_OK)
        err = find_id(cli, cli->args[0], &id);
    if (err == HS_OK)
        err = resolve(cli, id, &choices);
    free(id);
    return err;
}

/* ---- release, reject ---- */

static enum hs_err decide(struct cli *cli, const char *verdict)
{
    char *id = NULL;
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK && (cli->options[CLI_REASON] == NULL || cli->options[CLI_NAME] == NULL))
        err = cli_usage(cli, "--reason TEXT and --name NAME say why, and who has decided it: both are kept");
    if (err == HS_OK)
        err = find_id(cli, cli->args[0], &id);
    if (err == HS_OK) {
        Hallsync__DecideRequest body = HALLSYNC__DECIDE_REQUEST__INIT;
        body.id = id;
        body.verdict = (char *)verdict; /* only read, as the next two */
        body.reason = (char *)cli->options[CLI_REASON];
        body.name = (char *)cli->options[CLI_NAME];
        Hallsync__Request request = HALLSYNC__REQUEST__INIT;
        request.body_case = HALLSYNC__REQUEST__BODY_DECIDE;
        request.decide = &body;
        err = send(cli, &request);
    }
    free(id);
    return err;
}

enum hs_err cli_run_conflict_release(struct cli *cli)
{
    return decide(cli, "release");
}

enum hs_err cli_run_conflict_reject(struct cli *cli)
{
    return decide(cli, "reject");
}
