/* get, list, find, export, totals. */
#include "node/cli/forms.h"
#include "node/cli/pages.h"
#include "node/cli/record_csv.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/text.h"
#include "storage/model/kinds.h"

#include <stdio.h>
#include <string.h>

#define KIND_KEEP 4 /* columns that a narrow terminal shows too */

static const struct cli_column EVENTS[] = {
    {"time", "time", CLI_FORM_TIME},      {"state", "state", CLI_FORM_TEXT}, {"assignee", "assignee", CLI_FORM_TEXT},
    {"clerk", "clerk", CLI_FORM_TEXT},    {"node", "node", CLI_FORM_TEXT},   {"fits", "fits", CLI_FORM_TEXT},
    {"event_id", "event", CLI_FORM_TEXT}, {"note", "note", CLI_FORM_PROSE},
};

static const struct cli_column QUEUE_EVENTS[] = {
    {"time", "time", CLI_FORM_TIME},
    {"event", "event", CLI_FORM_TEXT},
    {"window", "window", CLI_FORM_NUMBER},
    {"clerk", "clerk", CLI_FORM_TEXT},
    {"to_window", "to window", CLI_FORM_NUMBER},
    {"to_group", "to group", CLI_FORM_TEXT},
    {"fits", "fits", CLI_FORM_TEXT},
    {"event_id", "id", CLI_FORM_TEXT},
    {"note", "note", CLI_FORM_PROSE},
};

static const struct cli_column NOTICES[] = {
    {"notice_id", "notice", CLI_FORM_TEXT}, {"state", "state", CLI_FORM_TEXT}, {"type", "type", CLI_FORM_TEXT},
    {"starts", "starts", CLI_FORM_TIME},    {"ends", "ends", CLI_FORM_TIME},   {"areas", "areas", CLI_FORM_TEXT},
    {"text", "text", CLI_FORM_PROSE},
};

/* What a record has many of, below it; in JSON they are in the object itself. */
static enum hs_err show_many(const struct cli *cli, const json_t *many, const struct cli_column *columns, size_t count)
{
    if (cli->json || json_array_size(many) == 0)
        return HS_OK;
    struct cli_list list;
    putchar('\n');
    cli_list_begin(&list, cli, columns, count);
    list.keep = KIND_KEEP;
    for (size_t i = 0; i < json_array_size(many); i++)
        cli_list_add(&list, json_incref(json_array_get(many, i)));
    return cli_list_end(&list);
}

/* What people must know of an answer that is a hub's, or not all. */
static void tell_source(const struct cli *cli, const Hallsync__Record *record, bool incomplete)
{
    char time[HS_TIME_TEXT_BYTES];
    if (cli->json)
        return;
    if (record != NULL && record->from != NULL)
        printf("\nas of %.16s, from %s\n", hs_time_text(record->as_of_ms, cli->utc_offset_minutes, time), record->from);
    if (incomplete)
        printf("\nThis is what is here of another district; no hub %s.\n",
               cli->options[CLI_HERE] != NULL ? "was asked" : "can be reached");
}

static enum hs_err show_events(const struct cli *cli, const json_t *record)
{
    const json_t *events = json_object_get(record, "events");
    if (json_object_get(record, "queue_id") != NULL)
        return show_many(cli, events, QUEUE_EVENTS, sizeof QUEUE_EVENTS / sizeof *QUEUE_EVENTS);
    return show_many(cli, events, EVENTS, sizeof EVENTS / sizeof *EVENTS);
}

static enum hs_err show_one(const struct cli *cli, const Hallsync__Record *record)
{
    const struct cli_column *columns;
    size_t count = cli_kind_columns(record->kind, &columns);
    json_t *object = hs_json_record(record, cli->utc_offset_minutes);
    enum hs_err err = cli_card(cli, columns, count, json_incref(object));
    if (err == HS_OK)
        err = show_events(cli, object);
    if (err == HS_OK)
        err = show_many(cli, json_object_get(object, "notices"), NOTICES, sizeof NOTICES / sizeof *NOTICES);
    if (err == HS_OK)
        tell_source(cli, record, record->has_complete && !record->complete);
    json_decref(object);
    return err;
}

static enum hs_err get(struct cli *cli, const char *id)
{
    const Hallsync__Record *record;
    enum hs_err err = cli_get(cli, cli->command->kind, id, &record);
    return err == HS_OK ? show_one(cli, record) : err;
}

enum hs_err cli_run_get(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 1, 1);
    return err == HS_OK ? get(cli, cli->args[0]) : err;
}

struct listing {
    struct cli_list list;
    size_t count;
    bool overdue;     /* only what is late ... */
    bool in_district; /* ... and of this district */
    uint32_t district;
    Hallsync__Record oldest; /* of those that a hub told of: when and who */
    char from[HS_NODE_ID_BYTES_MAX + 1];
};

static enum hs_err list_record(void *ctx, const Hallsync__Record *record)
{
    struct listing *listing = ctx;
    if ((listing->overdue && (record->ticket == NULL || !record->ticket->overdue)) ||
        (listing->in_district && record->partition != listing->district))
        return HS_OK;
    listing->count++;
    if (record->from != NULL && (listing->oldest.from == NULL || record->as_of_ms < listing->oldest.as_of_ms)) {
        snprintf(listing->from, sizeof listing->from, "%s", record->from);
        listing->oldest.from = listing->from;
        listing->oldest.as_of_ms = record->as_of_ms;
    }
    cli_list_add(&listing->list, hs_json_record(record, listing->list.cli->utc_offset_minutes));
    return listing->list.failed ? HS_ENOMEM : HS_OK;
}

static enum hs_err list_all(struct cli *cli, struct cli_find *find, size_t *count)
{
    bool incomplete = false;
    struct listing listing = {0};
    const struct cli_column *columns;
    size_t column_count = cli_kind_columns(find->kind, &columns);
    cli_list_begin(&listing.list, cli, columns, column_count);
    listing.list.keep = KIND_KEEP;
    find->here = cli->options[CLI_HERE] != NULL;
    find->incomplete = &incomplete;
    enum hs_err err = cli_find(cli, find, list_record, &listing);
    enum hs_err ended = cli_list_end(&listing.list);
    bool asks = find->index != NULL && strcmp(find->index, "state") != 0 && strcmp(find->index, "assignee") != 0 &&
                strcmp(find->index, "department") != 0;
    if (err == HS_OK)
        tell_source(cli, &listing.oldest, incomplete && asks);
    if (err == HS_OK && incomplete && !asks && !cli->json)
        puts("\n" CLI_STILL_COMING);
    *count = listing.count;
    return err != HS_OK ? err : ended;
}

/* What is late is in one of the states in which something is still to be done. */
static enum hs_err list_overdue(struct cli *cli, struct listing *listing, const struct cli_column *columns,
                                size_t column_count)
{
    static const char *const OPEN[] = {"open", "accepted", "assigned", "working", "waiting"};
    bool incomplete = false;
    enum hs_err err = HS_OK;
    listing->overdue = true;
    cli_list_begin(&listing->list, cli, columns, column_count);
    listing->list.keep = KIND_KEEP;
    for (size_t i = 0; i < sizeof OPEN / sizeof *OPEN && err == HS_OK; i++) {
        bool more = false;
        struct cli_find find = {
            .kind = cli->command->kind, .index = "state", .key = OPEN[i], .here = true, .incomplete = &more};
        err = cli_find(cli, &find, list_record, listing);
        incomplete = incomplete || more;
    }
    enum hs_err ended = cli_list_end(&listing->list);
    if (err == HS_OK && incomplete && !cli->json)
        fputs("\n" CLI_STILL_COMING "\n", cli->csv ? stderr : stdout);
    return err != HS_OK ? err : ended;
}

static enum hs_err list_late_tickets(struct cli *cli)
{
    struct listing listing = {0};
    const struct cli_column *columns;
    size_t count = cli_kind_columns(cli->command->kind, &columns);
    return list_overdue(cli, &listing, columns, count);
}

enum hs_err cli_run_report_overdue(struct cli *cli)
{
    static const struct cli_column LATE[] = {
        {"ticket_id", "ticket", CLI_FORM_TEXT},      {"service", "service", CLI_FORM_TEXT},
        {"state", "state", CLI_FORM_TEXT},           {"due", "due", CLI_FORM_TIME},
        {"account", "account", CLI_FORM_TEXT},       {"department", "department", CLI_FORM_TEXT},
        {"assignee", "assignee", CLI_FORM_TEXT},     {"urged", "urged", CLI_FORM_NUMBER},
        {"escalated", "escalated", CLI_FORM_NUMBER}, {"opened", "opened", CLI_FORM_TIME},
        {"summary", "summary", CLI_FORM_PROSE},
    };
    struct listing listing = {0};
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        err = cli_district(cli, &listing.in_district, &listing.district);
    return err == HS_OK ? list_overdue(cli, &listing, LATE, sizeof LATE / sizeof *LATE) : err;
}

/* The options that narrow a list; each stands for an index. */
static enum hs_err take_options(struct cli *cli, struct cli_find *find)
{
    static const struct {
        enum cli_option option;
        const char *index;
    } INDEXES[] = {{CLI_ACCOUNT, "account"},   {CLI_BILL, "bill_id"},          {CLI_STATE, "state"},
                   {CLI_ASSIGNEE, "assignee"}, {CLI_DEPARTMENT, "department"}, {CLI_DISTRICT, "district"}};
    for (size_t i = 0; i < sizeof INDEXES / sizeof *INDEXES; i++) {
        const char *key = cli->options[INDEXES[i].option];
        if (key != NULL && find->index != NULL)
            return cli_usage(cli, "only one of the options that narrow the list at a time");
        if (key != NULL) {
            find->index = INDEXES[i].index;
            find->key = key;
        }
    }
    return HS_OK;
}

/* INDEX=VALUE, and FIELD=VALUE where the index has a second field.  The arguments are cut at their '='. */
static enum hs_err take_index(struct cli *cli, struct cli_find *find)
{
    const struct hs_kind *kind = hs_kind_by_number(find->kind);
    const struct hs_index *index = NULL;
    for (size_t i = 0; i < cli->arg_count; i++) {
        char *equals = strchr(cli->args[i], '=');
        if (equals == NULL || equals[1] == '\0' || i > 1)
            return cli_usage(cli, "usage: hallsync %s %s", cli->command->words, cli->command->usage);
        *equals = '\0';
        if (i == 0)
            index = hs_kind_index(kind, cli->args[i]);
        if (index == NULL)
            return cli_usage(cli, "a %s is not found by '%s'", kind->name, cli->args[i]);
        if (i == 0 && find->index != NULL)
            return cli_usage(cli, "only one way to narrow the list at a time");
        const char *wanted = index->then != 0 ? hs_kind_field_name(kind, index->then) : NULL;
        if (i == 1 && (wanted == NULL || strcmp(wanted, cli->args[i]) != 0))
            return cli_usage(cli, "'%s' does not go with %s", cli->args[i], index->name);
        *(i == 0 ? &find->key : &find->then) = equals + 1;
    }
    if (index != NULL)
        find->index = index->name;
    return HS_OK;
}

enum hs_err cli_run_list(struct cli *cli)
{
    struct cli_find find = {.kind = cli->command->kind};
    size_t count;
    enum hs_err err = take_options(cli, &find);
    if (err == HS_OK && cli->options[CLI_OVERDUE] != NULL)
        return find.index == NULL && cli->arg_count == 0 ? list_late_tickets(cli)
                                                         : cli_usage(cli, "--overdue goes with nothing else");
    if (err == HS_OK)
        err = take_index(cli, &find);
    if (err == HS_OK)
        err = cli_limit(cli, &find.limit);
    return err == HS_OK ? list_all(cli, &find, &count) : err;
}

/* Nobody is looked up without a number of his (DOMAIN: account, electricity card or identity card). */
enum hs_err cli_run_find(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err != HS_OK)
        return err;
    const char *argument = cli->args[0];
    const char *equals = strchr(argument, '=');
    if (equals == NULL || equals[1] == '\0')
        return cli_usage(cli, "usage: hallsync %s %s", cli->command->words, cli->command->usage);
    char name[CLI_FIELD_BYTES];
    snprintf(name, sizeof name, "%.*s", (int)(equals - argument), argument);
    if (strcmp(name, "account") == 0)
        return get(cli, equals + 1);
    const struct hs_kind *kind = hs_kind_by_number(cli->command->kind);
    if (hs_kind_index(kind, name) == NULL)
        return cli_usage(cli, "'%s': look-ups go by account, card_no or identity_no", name);
    size_t count;
    err = list_all(cli, &(struct cli_find){.kind = kind->number, .index = name, .key = equals + 1}, &count);
    if (err == HS_OK && count == 0)
        err = cli_bad(&cli->bad, HS_ENOTFOUND, NULL, "no %s has %s %s", kind->name, name, equals + 1);
    return err;
}

struct export
{
    struct cli *cli;
    const struct hs_kind *kind;
    struct hs_buf line;
};

static enum hs_err write_line(struct hs_buf *line)
{
    hs_buf_put_u8(line, '\n');
    if (line->err == HS_OK && fwrite(line->data, 1, line->size, stdout) != line->size)
        return HS_EIO;
    return line->err;
}

static enum hs_err export_record(void *ctx, const Hallsync__Record *record)
{
    struct export *export = ctx;
    if (export->cli->json) {
        json_t *object = hs_json_content(record);
        return object != NULL ? cli_json_line(object) : HS_ENOMEM;
    }
    hs_buf_reset(&export->line);
    enum hs_err err = cli_csv_fields(&export->line, export->kind, record, true);
    return err == HS_OK ? write_line(&export->line) : err;
}

enum hs_err cli_run_export(struct cli *cli)
{
    struct export export = {.cli = cli, .kind = hs_kind_by_number(cli->command->kind)};
    bool incomplete = false;
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK && !cli->json) {
        cli_csv_fields_header(&export.line, export.kind, true);
        err = write_line(&export.line);
    }
    if (err == HS_OK)
        err = cli_find(cli, &(struct cli_find){.kind = export.kind->number, .incomplete = &incomplete}, export_record,
                       &export);
    if (err == HS_OK && incomplete)
        fputs("hallsync: " CLI_STILL_COMING "\n", stderr);
    hs_buf_fini(&export.line);
    return err;
}

static enum hs_err take_filter(struct cli *cli, Hallsync__TotalsRequest *filter)
{
    const char *date = cli->options[CLI_DATE];
    const char *window = cli->options[CLI_WINDOW];
    uint64_t number = 0;
    enum hs_err err = cli_date(cli, &filter->date);
    if (err != HS_OK)
        return err;
    if (window != NULL && cli_number_parse(window, UINT32_MAX, &number) != HS_OK)
        return cli_usage(cli, "--window: '%s' is not a number", window);
    filter->has_date = date != NULL;
    filter->has_window = window != NULL;
    filter->window = (uint32_t)number;
    filter->account = (char *)cli->options[CLI_ACCOUNT]; /* only read */
    filter->has_balance = filter->balance = filter->account != NULL && date == NULL && window == NULL;
    filter->origin = (char *)cli->options[CLI_ORIGIN];
    return cli_take_args(cli, 0, 0);
}

enum hs_err cli_run_totals(struct cli *cli)
{
    static const struct cli_column TOTALS[] = {
        {"count", "payments", CLI_FORM_NUMBER},          {"sum_fen", "sum", CLI_FORM_MONEY},
        {"reversed_count", "reversed", CLI_FORM_NUMBER}, {"reversed_fen", "sum of these", CLI_FORM_MONEY},
        {"settled_count", "refunds", CLI_FORM_NUMBER},   {"settled_fen", "sum of these", CLI_FORM_MONEY},
        {"due_fen", "due today", CLI_FORM_MONEY},        {"advance_fen", "paid ahead", CLI_FORM_MONEY},
    };
    Hallsync__TotalsRequest filter = HALLSYNC__TOTALS_REQUEST__INIT;
    enum hs_err err = take_filter(cli, &filter);
    if (err != HS_OK)
        return err;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_TOTALS;
    request.totals = &filter;
    const Hallsync__Reply *reply;
    err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_TOTALS, &reply);
    if (err != HS_OK)
        return err;
    bool incomplete = reply->totals->has_complete && !reply->totals->complete;
    err = cli_card(cli, TOTALS, sizeof TOTALS / sizeof *TOTALS, hs_json_message(&reply->totals->base));
    if (err == HS_OK && incomplete && !cli->json)
        puts(filter.account != NULL ? "\nThis is what is here of another district." : "\n" CLI_STILL_COMING);
    return err;
}
