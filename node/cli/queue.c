/* queue call, recall, serve, done, skip, transfer, leave, list, figures.  queue take is a put. */
#include "node/cli/forms.h"
#include "node/cli/pages.h"
#include "node/cli/put.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"

#include <stdio.h>
#include <string.h>

#define DATE_BYTES 11

/* ---- events ---- */

static const struct {
    const char *verb, *event;
} VERBS[] = {
    {"call", "called"},  {"recall", "recalled"},      {"serve", "serving"}, {"done", "served"},
    {"skip", "skipped"}, {"transfer", "transferred"}, {"leave", "left"},
};

static const char *event_of(const struct cli *cli)
{
    const char *verb = strrchr(cli->command->words, ' ') + 1;
    for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
        if (strcmp(VERBS[i].verb, verb) == 0)
            return VERBS[i].event;
    }
    return NULL;
}

/* A window is a number, a number of the queue begins with its group. */
enum hs_err cli_run_queue_event(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 1, SIZE_MAX);
    uint64_t window;
    if (err != HS_OK)
        return err;
    bool is_window = cli_number_parse(cli->args[0], UINT32_MAX, &window) == HS_OK;
    struct cli_given given[] = {{"event", event_of(cli)}};
    return cli_write(cli, given, 1, is_window ? "window" : "number");
}

/* appointment cancel, keep, miss: one verb, one event, as here. */
enum hs_err cli_run_appointment_event(struct cli *cli)
{
    static const struct {
        const char *verb, *event;
    } ENDS[] = {{"cancel", "cancelled"}, {"keep", "kept"}, {"miss", "missed"}};
    const char *verb = strrchr(cli->command->words, ' ') + 1;
    struct cli_given given = {.name = "event"};
    enum hs_err err = cli_take_args(cli, 1, SIZE_MAX);
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        if (strcmp(ENDS[i].verb, verb) == 0)
            given.value = ENDS[i].event;
    }
    return err == HS_OK ? cli_write(cli, &given, 1, "appointment_id") : err;
}

/* ---- the list ---- */

static const struct cli_column QUEUED[] = {
    {"number", "number", CLI_FORM_TEXT},   {"state", "state", CLI_FORM_TEXT},
    {"window", "window", CLI_FORM_NUMBER}, {"priority", "priority", CLI_FORM_TEXT},
    {"taken", "taken", CLI_FORM_TIME},     {"called", "called", CLI_FORM_TIME},
    {"account", "account", CLI_FORM_TEXT}, {"service", "service", CLI_FORM_TEXT},
    {"clerk", "clerk", CLI_FORM_TEXT},     {"hall", "hall", CLI_FORM_TEXT},
    {"queue_id", "id", CLI_FORM_TEXT},
};

static enum hs_err take_date(struct cli *cli, uint32_t *date)
{
    *date = hs_date_of(hs_now_ms(), cli->utc_offset_minutes);
    return cli_date(cli, date);
}

static enum hs_err list_one(void *ctx, const Hallsync__Record *record)
{
    struct cli_list *list = ctx;
    cli_list_add(list, hs_json_record(record, list->cli->utc_offset_minutes));
    return list->failed ? HS_ENOMEM : HS_OK;
}

enum hs_err cli_run_queue_list(struct cli *cli)
{
    struct cli_find find = {.kind = HS_KIND_QUEUE_TICKET, .index = "state", .key = "waiting", .here = true};
    struct cli_list list;
    char text[DATE_BYTES + 16];
    uint32_t date;
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        err = take_date(cli, &date);
    if (err == HS_OK)
        err = cli_limit(cli, &find.limit);
    if (err != HS_OK)
        return err;
    if (cli->options[CLI_STATE] != NULL)
        find.key = cli->options[CLI_STATE];
    snprintf(text, sizeof text, "%04u-%02u-%02u", date / 10000, date / 100 % 100, date % 100);
    find.then = text;
    cli_list_begin(&list, cli, QUEUED, sizeof QUEUED / sizeof *QUEUED);
    list.keep = 3;
    err = cli_find(cli, &find, list_one, &list);
    enum hs_err ended = cli_list_end(&list);
    return err != HS_OK ? err : ended;
}

/* ---- figures ---- */

static const struct cli_column HOURS[] = {
    {"hour", "hour", CLI_FORM_TEXT},       {"taken", "taken", CLI_FORM_NUMBER},
    {"served", "served", CLI_FORM_NUMBER}, {"skipped", "skipped", CLI_FORM_NUMBER},
    {"left", "left", CLI_FORM_NUMBER},     {"waiting", "waiting", CLI_FORM_NUMBER},
    {"called", "called", CLI_FORM_NUMBER}, {"serving", "serving", CLI_FORM_NUMBER},
    {"wait_s", "wait s", CLI_FORM_NUMBER}, {"wait_most_s", "longest s", CLI_FORM_NUMBER},
};
static const struct cli_column WINDOWS[] = {
    {"window", "window", CLI_FORM_NUMBER},     {"calls", "calls", CLI_FORM_NUMBER},
    {"recalls", "recalls", CLI_FORM_NUMBER},   {"served", "served", CLI_FORM_NUMBER},
    {"skipped", "skipped", CLI_FORM_NUMBER},   {"transferred", "transferred", CLI_FORM_NUMBER},
    {"serve_s", "service s", CLI_FORM_NUMBER}, {"serve_most_s", "longest s", CLI_FORM_NUMBER},
};

/* "wait_ms" as "wait_s" besides: nobody reads a queue in milliseconds. */
static json_t *in_seconds(const ProtobufCMessage *message, const char *const *names)
{
    json_t *object = hs_json_message(message);
    for (size_t i = 0; names[i] != NULL; i++) {
        char ms[32];
        char s[32];
        snprintf(ms, sizeof ms, "%s_ms", names[i]);
        snprintf(s, sizeof s, "%s_s", names[i]);
        const json_t *value = json_object_get(object, ms);
        if (value != NULL)
            json_object_set_new(object, s, json_integer((json_integer_value(value) + 500) / 1000));
    }
    return object;
}

static json_t *hour_row(const Hallsync__QueueHour *hour)
{
    static const char *const TIMES[] = {"wait", "wait_most", NULL};
    char text[16] = "all";
    json_t *object = in_seconds(&hour->base, TIMES);
    if (hour->has_hour)
        snprintf(text, sizeof text, "%02u", (unsigned)hour->hour % 100);
    json_object_set_new(object, "hour", json_string(text));
    return object;
}

static enum hs_err show_figures(struct cli *cli, const Hallsync__QueueFiguresReply *reply)
{
    static const char *const TIMES[] = {"serve", "serve_most", NULL};
    struct cli_list list;
    if (cli->json)
        return cli_json_line(hs_json_message(&reply->base));
    printf("%s, %s\n\n", reply->hall, reply->date);
    cli_list_begin(&list, cli, HOURS, sizeof HOURS / sizeof *HOURS);
    for (size_t i = 0; i < reply->n_hours; i++)
        cli_list_add(&list, hour_row(reply->hours[i]));
    cli_list_add(&list, hour_row(reply->all));
    enum hs_err err = cli_list_end(&list);
    if (err != HS_OK || reply->n_windows == 0)
        return err;
    putchar('\n');
    cli_list_begin(&list, cli, WINDOWS, sizeof WINDOWS / sizeof *WINDOWS);
    for (size_t i = 0; i < reply->n_windows; i++)
        cli_list_add(&list, in_seconds(&reply->windows[i]->base, TIMES));
    err = cli_list_end(&list);
    if (reply->has_complete)
        puts("\nThis is not all of it: records are still coming, or there are more than are looked at.");
    return err;
}

/* Hours and windows in one table: of a row the half that it is not stays empty. */
static enum hs_err list_figures(struct cli *cli, const Hallsync__QueueFiguresReply *reply)
{
    static const char *const WAIT[] = {"wait", "wait_most", NULL};
    static const char *const SERVE[] = {"serve", "serve_most", NULL};
    static const struct cli_column BOTH[] = {
        {"date", "date", CLI_FORM_TEXT},
        {"hall", "hall", CLI_FORM_TEXT},
        {"hour", "hour", CLI_FORM_TEXT},
        {"window", "window", CLI_FORM_NUMBER},
        {"taken", "taken", CLI_FORM_NUMBER},
        {"waiting", "waiting", CLI_FORM_NUMBER},
        {"called", "called", CLI_FORM_NUMBER},
        {"serving", "serving", CLI_FORM_NUMBER},
        {"served", "served", CLI_FORM_NUMBER},
        {"skipped", "skipped", CLI_FORM_NUMBER},
        {"left", "left", CLI_FORM_NUMBER},
        {"wait_s", "wait s", CLI_FORM_NUMBER},
        {"wait_most_s", "longest s", CLI_FORM_NUMBER},
        {"calls", "calls", CLI_FORM_NUMBER},
        {"recalls", "recalls", CLI_FORM_NUMBER},
        {"transferred", "transferred", CLI_FORM_NUMBER},
        {"serve_s", "service s", CLI_FORM_NUMBER},
        {"serve_most_s", "longest s", CLI_FORM_NUMBER},
    };
    struct cli_list list;
    cli_list_begin(&list, cli, BOTH, sizeof BOTH / sizeof *BOTH);
    for (size_t i = 0; i < reply->n_hours + reply->n_windows; i++) {
        bool is_hour = i < reply->n_hours;
        json_t *row = is_hour ? in_seconds(&reply->hours[i]->base, WAIT)
                              : in_seconds(&reply->windows[i - reply->n_hours]->base, SERVE);
        json_object_set_new(row, "date", json_string(reply->date));
        json_object_set_new(row, "hall", json_string(reply->hall));
        cli_list_add(&list, row);
    }
    return cli_list_end(&list);
}

static enum hs_err ask_figures(struct cli *cli, const char *hall)
{
    Hallsync__QueueFiguresRequest body = HALLSYNC__QUEUE_FIGURES_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    enum hs_err err = take_date(cli, &body.date);
    if (err != HS_OK)
        return err;
    body.has_date = 1;
    body.hall = (char *)(uintptr_t)hall; /* only read */
    request.body_case = HALLSYNC__REQUEST__BODY_QUEUE_FIGURES;
    request.queue_figures = &body;
    err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_QUEUE_FIGURES, &reply);
    if (err != HS_OK)
        return err;
    return cli->csv ? list_figures(cli, reply->queue_figures) : show_figures(cli, reply->queue_figures);
}

enum hs_err cli_run_queue_figures(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 0, 1);
    return err == HS_OK ? ask_figures(cli, cli->arg_count > 0 ? cli->args[0] : NULL) : err;
}

enum hs_err cli_run_report_queue(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 0, 0);
    return err == HS_OK ? ask_figures(cli, cli->options[CLI_HALL]) : err;
}
