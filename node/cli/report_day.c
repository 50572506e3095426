/* report day: what a hall did on a business day: one object for programs, one table for people and as CSV. */
#include "node/cli/forms.h"
#include "node/cli/pages.h"
#include "node/json/json.h"
#include "node/cli/table.h"

#include "proto/base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct cli_column ROWS[] = {
    {"what", "", CLI_FORM_TEXT},        {"item", "", CLI_FORM_TEXT},  {"count", "count", CLI_FORM_NUMBER},
    {"sum_fen", "sum", CLI_FORM_MONEY}, {"note", "", CLI_FORM_PROSE},
};
#define ROWS_KEEP 4
#define NOTE      256

struct lines {
    struct cli_list list;
    const Hallsync__DayReportReply *day;
};

/* @count, @fen: NULL: none.  People are spared rows of nothing. */
static void add_row(struct lines *lines, const char *what, const char *item, const uint64_t *count, const int64_t *fen,
                    const char *note)
{
    bool nothing = (count == NULL || *count == 0) && (fen == NULL || *fen == 0) && note[0] == '\0';
    if (nothing && !lines->list.cli->csv)
        return;
    json_t *row = json_object();
    json_object_set_new(row, "what", json_string(what));
    json_object_set_new(row, "item", hs_json_text(HS_BYTES(item, strlen(item))));
    if (count != NULL)
        json_object_set_new(row, "count", json_integer((json_int_t)*count));
    if (fen != NULL)
        json_object_set_new(row, "sum_fen", json_integer(*fen));
    json_object_set_new(row, "note", hs_json_text(HS_BYTES(note, strlen(note))));
    cli_list_add(&lines->list, row);
}

static void add_count(struct lines *lines, const char *what, const char *item, uint64_t count)
{
    add_row(lines, what, item, &count, NULL, "");
}

static void add_sum(struct lines *lines, const char *what, const char *item, int64_t fen)
{
    add_row(lines, what, item, NULL, &fen, "");
}

/* Append to a note, with a separator where it has something already; what does not fit is left out. */
static void note_on(char note[static NOTE], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note_on(char note[static NOTE], const char *format, ...)
{
    size_t used = strlen(note);
    va_list args;
    if (used != 0 && used + 3 < NOTE) {
        memcpy(note + used, "; ", 3);
        used += 2;
    }
    va_start(args, format);
    vsnprintf(note + used, NOTE - used, format, args);
    va_end(args);
}

/* ---- money and books ---- */

static void add_money(struct lines *lines)
{
    const Hallsync__DayReportReply *day = lines->day;
    for (size_t i = 0; i < day->n_money; i++) {
        const Hallsync__DayMoney *money = day->money[i];
        char item[80];
        snprintf(item, sizeof item, "%s%s%s", money->method, money->purpose != NULL ? ", " : "",
                 money->purpose != NULL ? money->purpose : "");
        add_row(lines, money->what, item, &money->count, &money->sum_fen, "");
    }
    add_row(lines, "money", "in all", &day->entries, &day->sum_fen, "");
    add_row(lines, "money", "payments", &day->payments, &day->payments_fen, "");
    add_row(lines, "money", "top-ups among them", &day->topups, &day->topups_fen, "");
    add_sum(lines, "money", "paid ahead among them", day->advance_fen);
    add_row(lines, "money", "reversals", &day->reversals, &day->reversals_fen, "");
    add_row(lines, "money", "refunds", &day->refunds, &day->refunds_fen, "");
    add_count(lines, "receipts", "printed again", day->reprints);
    add_count(lines, "receipts", "handed back among them", day->replaced);
}

static void add_books(struct lines *lines)
{
    const Hallsync__DayReportReply *day = lines->day;
    add_row(lines, "books", "closed", &day->closed_entries, &day->closed_fen, day->books);
    add_sum(lines, "books", "in cash", day->cash_fen);
    add_row(lines, "books", "later, for the next close", &day->later_entries, &day->later_fen, "");
    if (day->has_counted_fen)
        add_sum(lines, "books", "counted", day->counted_fen);
    if (day->has_difference_fen)
        add_sum(lines, "books", "difference", day->difference_fen);
    add_sum(lines, "books", "handed in", day->handed_fen);
}

static const char *hour_text(const struct cli *cli, uint64_t ms, char text[static HS_TIME_TEXT_BYTES])
{
    hs_time_text(ms, cli->utc_offset_minutes, text);
    text[16] = '\0'; /* minutes are enough */
    return text + 11;
}

static void add_window(struct lines *lines, const Hallsync__DayWindow *window)
{
    const struct cli *cli = lines->list.cli;
    char what[32], note[NOTE] = "", time[HS_TIME_TEXT_BYTES], money[CLI_MONEY_BYTES];
    snprintf(what, sizeof what, "window %u", (unsigned)window->window);
    if (window->clerk != NULL)
        note_on(note, "%s", window->clerk);
    if (window->has_opened_ms)
        note_on(note, "opened %s", hour_text(cli, window->opened_ms, time));
    if (window->paused != 0)
        note_on(note, "paused %u", (unsigned)window->paused);
    if (window->has_closed_ms)
        note_on(note, "closed %s", hour_text(cli, window->closed_ms, time));
    if (window->has_difference_fen && (window->difference_fen != 0 || window->reason != NULL))
        note_on(note, "difference %s%s%s", cli_money_text(window->difference_fen, money),
                window->reason != NULL ? ": " : "", window->reason != NULL ? window->reason : "");
    if (window->ratings != 0)
        note_on(note, "rated %.2f by %u", (double)window->rating_sum / (double)window->ratings,
                (unsigned)window->ratings);
    add_row(lines, what, window->books, &window->entries, &window->sum_fen, note);
}

/* ---- who came, and for what ---- */

static void add_seconds(struct lines *lines, const char *item, bool has, uint64_t ms)
{
    uint64_t seconds = (ms + 500) / 1000;
    if (has)
        add_row(lines, "waited", item, &seconds, NULL, "s");
}

static void add_queue(struct lines *lines)
{
    const Hallsync__DayReportReply *day = lines->day;
    add_count(lines, "queue", "numbers printed", day->queue_printed);
    add_count(lines, "queue", "served", day->queue_served);
    add_count(lines, "queue", "skipped", day->queue_skipped);
    add_count(lines, "queue", "left", day->queue_left);
    add_count(lines, "queue", "still there", day->queue_waiting);
    add_seconds(lines, "on average", day->has_wait_ms, day->wait_ms);
    add_seconds(lines, "half of them at most", day->has_wait_median_ms, day->wait_median_ms);
    add_seconds(lines, "nine of ten at most", day->has_wait_90_ms, day->wait_90_ms);
    add_seconds(lines, "the longest", day->has_wait_most_ms, day->wait_most_ms);
}

static void add_ratings(struct lines *lines)
{
    const Hallsync__DayReportReply *day = lines->day;
    char note[NOTE] = "";
    if (day->ratings != 0)
        note_on(note, "%.2f on average", (double)day->rating_sum / (double)day->ratings);
    for (size_t i = day->n_scores; day->ratings != 0 && i-- > 0;)
        note_on(note, "%zu: %llu", i + 1, (unsigned long long)day->scores[i]);
    add_row(lines, "ratings", "given", &day->ratings, NULL, note);
}

static void add_work(struct lines *lines)
{
    const Hallsync__DayReportReply *day = lines->day;
    add_count(lines, "tickets", "opened", day->tickets_opened);
    add_count(lines, "tickets", "resolved", day->tickets_resolved);
    add_count(lines, "tickets", "overdue now", day->tickets_overdue);
    add_queue(lines);
    add_ratings(lines);
    add_count(lines, "appointments", "booked", day->appointments_booked);
    add_count(lines, "appointments", "kept", day->appointments_kept);
    add_count(lines, "appointments", "missed", day->appointments_missed);
    add_count(lines, "appointments", "cancelled", day->appointments_cancelled);
    add_count(lines, "reminders", "told", day->reminders_told);
    add_count(lines, "reminders", "absent", day->reminders_absent);
    add_count(lines, "reminders", "wrong number", day->reminders_wrong);
}

/* ---- all of it ---- */

static enum hs_err show(struct cli *cli, const Hallsync__DayReportReply *day)
{
    struct lines lines = {.day = day};
    if (cli->json)
        return cli_json_line(hs_json_message(&day->base));
    if (!cli->csv)
        printf("%s, %s: books %s\n\n", day->hall, day->date, day->books);
    cli_list_begin(&lines.list, cli, ROWS, sizeof ROWS / sizeof *ROWS);
    lines.list.keep = ROWS_KEEP;
    add_money(&lines);
    add_books(&lines);
    for (size_t i = 0; i < day->n_windows; i++)
        add_window(&lines, day->windows[i]);
    add_work(&lines);
    enum hs_err err = cli_list_end(&lines.list);
    if (err == HS_OK && day->has_complete && !day->complete)
        fputs("hallsync: this is not all of it: records are still coming, or more than are looked at\n", stderr);
    return err;
}

enum hs_err cli_run_report_day(struct cli *cli)
{
    Hallsync__DayReportRequest body = HALLSYNC__DAY_REPORT_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        err = cli_date(cli, &body.date);
    if (err != HS_OK)
        return err;
    body.has_date = cli->options[CLI_DATE] != NULL;
    body.hall = (char *)(uintptr_t)cli->options[CLI_HALL]; /* only read */
    request.body_case = HALLSYNC__REQUEST__BODY_DAY_REPORT;
    request.day_report = &body;
    err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_DAY_REPORT, &reply);
    return err == HS_OK ? show(cli, reply->day_report) : err;
}
