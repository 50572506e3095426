/* status: how the node is, what people should look at, and how it stands with others. */
#include "node/cli/status_peers.h"

#include "node/cli/announced.h"
#include "node/cli/forms.h"
#include "node/json/json.h"
#include "node/status/metrics.h"
#include "node/cli/table.h"
#include "proto/base/buf.h"
#include "proto/base/names.h"
#include "proto/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WATCH_S 2
#define INDENT  12

/* ---- texts put together ---- */

/* Empties @text. */
static void put_line(const char *title, struct hs_buf *text)
{
    hs_buf_put_u8(text, 0);
    cli_line(title, text->err == HS_OK ? (const char *)text->data : "?", INDENT);
    hs_buf_reset(text);
}

static void put_districts(struct hs_buf *text, const uint32_t *districts, size_t count)
{
    char one[HS_PARTITION_TEXT_BYTES];
    for (size_t i = 0; i < count; i++)
        hs_buf_put_format(text, "%s%s", i == 0 ? "" : ", ", hs_partition_text((hs_partition)districts[i], one));
}

/* ---- the node itself ---- */

static void show_evicting(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    char one[HS_PARTITION_TEXT_BYTES];
    if (status->n_evicting == 0)
        return;
    for (size_t i = 0; i < status->n_evicting; i++)
        hs_buf_put_format(text, "%s%s%s", i == 0 ? "" : ", ",
                          hs_partition_text((hs_partition)status->evicting[i]->partition, one),
                          status->evicting[i]->waits ? " (when a hub has what was written here)" : "");
    put_line("going", text);
}

static void show_districts(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    bool hub = strcmp(status->role, "hub") == 0;
    bool witness = strcmp(status->role, "witness") == 0;
    if (status->n_scope > 0)
        put_districts(text, status->scope, status->n_scope);
    else if (hub)
        hs_buf_put_format(text, "all");
    else
        put_districts(text, status->districts, status->n_districts);
    if (witness)
        hs_buf_put_format(text, " (keeps what their halls have not handed in yet)");
    else if (status->n_scope > 0 && !hub && status->n_scope < status->n_districts)
        hs_buf_put_format(text, " (of the %zu that its certificate names)", status->n_districts);
    put_line("districts", text);
    show_evicting(status, text);
}

/* What only this hall has, and whoever keeps its tail. */
static void show_waiting(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    char age[CLI_AGE_BYTES];
    uint64_t ops = 0, oldest = 0;
    if (strcmp(status->role, "hall") != 0)
        return;
    for (size_t i = 0; i < status->n_waiting; i++) {
        const Hallsync__LaneStatus *lane = status->waiting[i];
        ops += lane->out_ops;
        oldest = lane->out_seconds > oldest ? lane->out_seconds : oldest;
        hs_buf_put_format(text, "%s%" PRIu64 " of lane %s", i == 0 ? "" : ", ", lane->out_ops, lane->lane);
    }
    if (ops == 0)
        hs_buf_put_format(text, "everything is at a hub");
    else
        hs_buf_put_format(text, " no hub has signed for; the oldest is of %s ago", cli_age_text(oldest, age));
    put_line("handed in", text);
}

/* What is zero needs no looking at. */
static void show_to_look_at(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    const struct {
        uint64_t count;
        const char *name, *names;
    } rows[] = {
        {status->conflicts, "conflict", "conflicts"},
        {status->overpayments, "overpayment", "overpayments"},
        {status->parked, "parked record", "parked records"},
        {status->forks, "fork", "forks"},
        {status->stopped_streams, "stopped stream", "stopped streams"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].count != 0)
            hs_buf_put_format(text, "%s%" PRIu64 " %s", text->size == 0 ? "" : ", ", rows[i].count,
                              rows[i].count == 1 ? rows[i].name : rows[i].names);
    }
    if (text->size == 0)
        hs_buf_put_format(text, "nothing");
    else
        hs_buf_put_format(text, ": hallsync conflict list");
    put_line("to look at", text);
    if (status->overdue_tickets != 0) {
        hs_buf_put_format(text, "%" PRIu64 " %s late: hallsync ticket list --overdue", status->overdue_tickets,
                          status->overdue_tickets == 1 ? "is" : "are");
        put_line("tickets", text);
    }
    for (size_t i = 0; i < status->n_problems; i++)
        cli_line("PROBLEM", status->problems[i], INDENT);
}

static void show_room(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    static const struct {
        const char *level, *text;
    } ROOM[] = {
        {"low", "customers, bills and imports wait, from clients and from peers"},
        {"scarce", "only payments and tickets are taken"},
        {"full", "nothing is taken any more; reads go on"},
    };
    char left[CLI_BYTES_BYTES];
    for (size_t i = 0; status->disk_level != NULL && i < sizeof ROOM / sizeof *ROOM; i++) {
        if (strcmp(status->disk_level, ROOM[i].level) != 0)
            continue;
        hs_buf_put_format(text, "%s: %s", ROOM[i].level, ROOM[i].text);
        if (status->has_map_free_bytes && status->map_free_bytes < status->disk_free_bytes)
            hs_buf_put_format(text, " (%s are left in its store)", cli_bytes_text(status->map_free_bytes, left));
        put_line("ROOM", text);
    }
}

static void show_checked(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    char age[CLI_AGE_BYTES];
    const Hallsync__CheckStatus *checked = status->checked;
    if (checked == NULL || (!checked->has_ended_ms && !checked->running))
        return;
    if (checked->has_ended_ms) {
        uint64_t seconds = status->clock_ms > checked->ended_ms ? (status->clock_ms - checked->ended_ms) / 1000 : 0;
        hs_buf_put_format(text, "log and records read whole %s ago", cli_age_text(seconds, age));
        if (checked->found != 0)
            hs_buf_put_format(text, ": %" PRIu64 " DAMAGED: hallsync verify", checked->found);
    }
    if (checked->running)
        hs_buf_put_format(text, "%s", checked->has_ended_ms ? "; again now" : "log and records are being read whole");
    put_line("checked", text);
}

#define LONG_DAYS 3 /* so many days are said as days, fewer with hours */

static void show_lasts(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    if (!status->has_disk_days)
        return;
    if (status->disk_days >= LONG_DAYS)
        hs_buf_put_format(text, "lasts %.0f days without a link, at the growth of the last day", status->disk_days);
    else
        hs_buf_put_format(text, "lasts %.0f hours without a link, at the growth of the last day",
                          status->disk_days * 24);
    put_line("disk", text);
}

static void show_store(const Hallsync__Reply *reply, struct hs_buf *text)
{
    const Hallsync__StatusReply *status = reply->status;
    char position[CLI_POSITION_BYTES];
    char used[CLI_BYTES_BYTES], left[CLI_BYTES_BYTES];
    hs_buf_put_format(text, "%016" PRIx64 ", %s, %s free on its disk", status->store_id,
                      cli_bytes_text(status->store_bytes, used), cli_bytes_text(status->disk_free_bytes, left));
    if (reply->position != NULL)
        hs_buf_put_format(text, "; position %s",
                          cli_position_text(reply->position->commit, reply->position->tag, position));
    if (status->records_commit < status->commit)
        hs_buf_put_format(text, ", records up to %" PRIu64, status->records_commit);
    put_line("store", text);
    show_lasts(status, text);
    show_room(status, text);
    if (status->origin != NULL) {
        hs_buf_put_format(text, "%s, life %" PRIu64 " of this node", status->origin, status->origins_opened);
        put_line("origin", text);
    }
    show_checked(status, text);
    if (status->has_retention_days && strcmp(status->role, "witness") != 0) {
        hs_buf_put_format(text, "operations for %" PRIu32 " days, money for ever", status->retention_days);
        put_line("kept", text);
    }
}

/* As hubs say it of themselves to halls. */
static void show_rebuilding(const struct cli *cli, const Hallsync__StatusReply *status, struct hs_buf *text)
{
    char until[HS_TIME_TEXT_BYTES];
    if (!status->has_rebuilding_until_ms)
        return;
    hs_time_text(status->rebuilding_until_ms, cli->utc_offset_minutes, until);
    until[10] = ' ';
    hs_buf_put_format(text, "until %.16s halls fill it too: its store is new, or not proven to be the newest", until);
    put_line("rebuilding", text);
}

/* Nothing is to be done about it: what a hub had is here again, and the numbers are fresh ones. */
static void show_older(const struct cli *cli, const Hallsync__StatusReply *status, struct hs_buf *text)
{
    const Hallsync__OlderCopyStatus *older = status->older_copy;
    char found[HS_TIME_TEXT_BYTES];
    if (older == NULL)
        return;
    hs_time_text(older->found_ms, cli->utc_offset_minutes, found);
    found[10] = ' ';
    hs_buf_put_format(text, "this store was found to be an older copy at %.16s (%s)", found, older->why);
    if (older->operations != 0)
        hs_buf_put_format(text, "; %" PRIu64 " operation%s came back from %s, %" PRIu64 " of them money",
                          older->operations, older->operations == 1 ? "" : "s",
                          older->from != NULL ? older->from : "others", older->money);
    else
        hs_buf_put_format(text, "; nothing came back yet");
    put_line("OLDER COPY", text);
}

/* The age of the last one that was read back whole; none at all only where somebody could open one. */
static void show_backup(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    const Hallsync__BackupStatus *backup = status->backup;
    char age[CLI_AGE_BYTES], bytes[CLI_BYTES_BYTES];
    if (backup == NULL)
        return;
    if (backup->has_last_ms)
        hs_buf_put_format(
            text, "last verified %s ago, %s",
            cli_age_text(status->clock_ms > backup->last_ms ? (status->clock_ms - backup->last_ms) / 1000 : 0, age),
            cli_bytes_text(backup->last_bytes, bytes));
    else
        hs_buf_put_format(text, "none yet");
    if (backup->has_last_ms && backup->second_store != NULL && strcmp(backup->second_store, "yes") == 0)
        hs_buf_put_format(text, "; counts as a second store");
    if (backup->running != NULL)
        hs_buf_put_format(text, "; one is being made");
    if (backup->failed != NULL)
        hs_buf_put_format(text, "; the newest FAILED: %s", backup->failed_text);
    put_line("backup", text);
}

static uint64_t age_s(const Hallsync__StatusReply *status, uint64_t ms)
{
    return status->clock_ms > ms ? (status->clock_ms - ms) / 1000 : 0;
}

/* Of yesterday, as far as anybody took money. */
static void show_books(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    const Hallsync__BooksStatus *books = status->books;
    if (books == NULL || books->days == 0)
        return;
    const struct {
        uint32_t count;
        const char *state;
    } rows[] = {
        {books->differ, "differ: hallsync books show"},
        {books->open, "not closed"},
        {books->waiting, "not answered"},
        {books->agree, "agree"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].count != 0)
            hs_buf_put_format(text, "%s%" PRIu32 " %s", text->size == 0 ? "" : ", ", rows[i].count, rows[i].state);
    }
    hs_buf_put_format(text, " (books of %04" PRIu32 "-%02" PRIu32 "-%02" PRIu32 ")", books->date / 10000,
                      books->date / 100 % 100, books->date % 100);
    put_line("yesterday", text);
}

static void show_ages(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    char key[CLI_AGE_BYTES], certificate[CLI_AGE_BYTES], up[CLI_AGE_BYTES];
    if (!status->has_key_ms || !status->has_certificate_ms || !status->has_started_ms)
        return;
    hs_buf_put_format(text, "its key is used for %s, its certificate was issued %s ago; the process runs for %s",
                      cli_age_text(age_s(status, status->key_ms), key),
                      cli_age_text(age_s(status, status->certificate_ms), certificate),
                      cli_age_text(age_s(status, status->started_ms), up));
    put_line("ages", text);
}

static void show_revoked(const struct cli *cli, const Hallsync__StatusReply *status, struct hs_buf *text)
{
    char at[HS_TIME_TEXT_BYTES];
    if (status->revoked != NULL) {
        hs_buf_put_format(text,
                          "the key of this node was revoked: %s.  No other node takes anything of it; what is "
                          "written here stays here",
                          status->revoked);
        put_line("REVOKED", text);
    }
    if (!status->has_admitting || status->admitting)
        return;
    if (status->has_admits_ms) {
        hs_time_text(status->admits_ms, cli->utc_offset_minutes, at);
        hs_buf_put_format(text, "halls from %.8s on, or as soon as another hub is here: ", at + 11);
    } else {
        hs_buf_put_format(text, "nobody yet: ");
    }
    hs_buf_put_format(text, "its store may be an old copy, so it hears first what keys were revoked");
    put_line("admits", text);
}

/* A hub that was made anew, or set back, or got a larger scope. */
static void show_incomplete(const Hallsync__StatusReply *status, struct hs_buf *text)
{
    for (size_t i = 0; i < status->n_peers; i++) {
        const Hallsync__PeerStatus *peer = status->peers[i];
        if (!peer->has_being_filled)
            continue;
        hs_buf_put_format(text,
                          "%s is still being filled itself: what it is asked for of other districts may lack something",
                          peer->node_id);
        put_line("incomplete", text);
    }
}

static void show_node(const struct cli *cli, const Hallsync__Reply *reply, struct hs_buf *text)
{
    const Hallsync__StatusReply *status = reply->status;
    char clock[HS_TIME_TEXT_BYTES];
    hs_time_text(status->clock_ms, cli->utc_offset_minutes, clock);
    clock[10] = ' ';
    hs_buf_put_format(text, "%s of region %s, hallsync %s, %.19s", status->role, status->region, status->version,
                      clock);
    hs_buf_put_u8(text, 0);
    printf("%s: %s\n\n", status->node_id, text->err == HS_OK ? (const char *)text->data : "?");
    hs_buf_reset(text);
    show_districts(status, text);
    show_waiting(status, text);
    show_to_look_at(status, text);
    show_store(reply, text);
    show_older(cli, status, text);
    show_rebuilding(cli, status, text);
    show_incomplete(status, text);
    cli_show_announced(status, text);
    show_backup(status, text);
    show_books(status, text);
    show_ages(status, text);
    show_revoked(cli, status, text);
}

/* ---- what comes as states ---- */

static json_t *fill_row(const Hallsync__FillStatus *fill)
{
    json_t *row = hs_json_message(&fill->base);
    if (row != NULL && fill->has_total && fill->total > 0)
        json_object_set_new(
            row, "percent",
            json_integer((json_int_t)(fill->records < fill->total ? fill->records * 100 / fill->total : 99)));
    return row;
}

static enum hs_err show_fills(const struct cli *cli, const Hallsync__StatusReply *status)
{
    static const struct cli_column FILL[] = {
        {"partition", "filling", CLI_FORM_TEXT}, {"lane", "lane", CLI_FORM_TEXT},
        {"percent", "%", CLI_FORM_NUMBER},       {"records", "records", CLI_FORM_NUMBER},
        {"total", "of about", CLI_FORM_NUMBER},  {"since_ms", "for", CLI_FORM_AGE},
    };
    struct cli_list list;
    if (status->n_fills == 0)
        return HS_OK;
    putchar('\n');
    cli_list_begin(&list, cli, FILL, sizeof FILL / sizeof *FILL);
    for (size_t i = 0; i < status->n_fills; i++)
        cli_list_add(&list, fill_row(status->fills[i]));
    return cli_list_end(&list);
}

/* ---- the command ---- */

static enum hs_err show_json(const Hallsync__Reply *reply)
{
    char text[CLI_POSITION_BYTES];
    json_t *object = hs_json_message(&reply->status->base);
    if (object != NULL && reply->position != NULL)
        json_object_set_new(object, "position",
                            json_string(cli_position_text(reply->position->commit, reply->position->tag, text)));
    return object == NULL ? HS_ENOMEM : cli_json_line(object);
}

static enum hs_err call_status(struct cli *cli, bool region, const Hallsync__Reply **reply)
{
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    body.has_region = body.region = region;
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    return cli_call(cli, &request, HALLSYNC__REPLY__BODY_STATUS, reply);
}

static enum hs_err show_metrics(struct cli *cli)
{
    const Hallsync__Reply *reply;
    struct hs_buf text = {0};
    enum hs_err err = call_status(cli, true, &reply);
    if (err == HS_OK)
        err = hs_metrics_put(reply->status, &text);
    if (err == HS_OK)
        fwrite(text.data, 1, text.size, stdout);
    hs_buf_fini(&text);
    return err;
}

/* @lines: of the terminal that it shall fit; 0: as many as it takes. */
static enum hs_err show_status(struct cli *cli, size_t lines)
{
    const Hallsync__Reply *reply;
    struct hs_buf text = {0};
    enum hs_err err = call_status(cli, false, &reply);
    if (err != HS_OK)
        return err;
    if (cli->json)
        return show_json(reply);
    show_node(cli, reply, &text);
    hs_buf_fini(&text);
    size_t above = 15 + reply->status->n_problems + (reply->status->n_fills > 0 ? 2 + reply->status->n_fills : 0);
    err = show_fills(cli, reply->status);
    if (err == HS_OK && reply->status->n_withheld > 0) {
        putchar('\n');
        err = cli_show_withheld(cli, reply->status->withheld, reply->status->n_withheld);
    }
    return err == HS_OK ? cli_status_peers(cli, reply->status, lines > above ? lines - above : lines != 0) : err;
}

enum hs_err cli_run_status(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK && cli->options[CLI_PROMETHEUS] != NULL)
        return show_metrics(cli);
    if (err != HS_OK || cli->options[CLI_WATCH] == NULL)
        return err == HS_OK ? show_status(cli, 0) : err;
    bool clear = !cli->json && isatty(STDOUT_FILENO) == 1;
    while (err == HS_OK) {
        fputs(clear ? "\033[H\033[2J" : "", stdout);
        err = show_status(cli, cli_terminal_lines());
        fflush(stdout);
        sleep(WATCH_S);
    }
    return err;
}
