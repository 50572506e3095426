/* watch: the change feed, one JSON line a change, until somebody ends it. */
#include "node/cli/forms.h"
#include "node/cli/kind_commands.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "storage/model/kinds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS   30000
#define KINDS_MAX 64

struct feed {
    struct cli *cli;
    Hallsync__WatchRequest body;
    Hallsync__Position from;
    uint32_t kinds[2 * KINDS_MAX];
};

static enum hs_err take_kinds(struct feed *feed)
{
    struct cli *cli = feed->cli;
    enum hs_err err = cli_take_args(cli, 0, KINDS_MAX);
    for (size_t i = 0; i < cli->arg_count && err == HS_OK; i++) {
        const struct hs_kind *kind = cli_kind_of_word(cli->args[i]);
        if (strcmp(cli->args[i], "queue") == 0) { /* what a board shows */
            feed->kinds[feed->body.n_kinds++] = HS_KIND_QUEUE_TICKET;
            feed->kinds[feed->body.n_kinds++] = HS_KIND_QUEUE_EVENT;
        } else if (kind == NULL)
            err = cli_usage(cli, "'%s' is not a kind of record", cli->args[i]);
        else
            feed->kinds[feed->body.n_kinds++] = kind->number;
    }
    return err;
}

static enum hs_err take_from(struct feed *feed)
{
    const char *text = feed->cli->options[CLI_FROM];
    if (text == NULL)
        return HS_OK;
    if (cli_place_parse(text, &feed->from) != HS_OK)
        return cli_usage(feed->cli, "--from: '%s' is not a position such as 17:0123456789abcdef", text);
    feed->body.from = &feed->from;
    return HS_OK;
}

static enum hs_err print_change(const struct feed *feed, const Hallsync__Record *record, const char *position)
{
    char kind[CLI_KIND_NAME_BYTES];
    json_t *object = json_object();
    json_object_set_new(object, "position", json_string(position));
    json_object_set_new(object, "kind", json_string(cli_kind_name(record->kind, kind)));
    json_object_set_new(object, "record", cli_show_record(record, feed->cli->utc_offset_minutes));
    return cli_json_line(object);
}

/* A position stands for all that is before it, so only the last line of an answer carries the new one: who goes on from
 * any line misses nothing, and meets at most a few changes twice. */
static enum hs_err print_changes(struct feed *feed, const Hallsync__WatchReply *reply)
{
    char before[CLI_PLACE_BYTES];
    char after[CLI_PLACE_BYTES];
    Hallsync__Position here = feed->from;
    const Hallsync__Position *next = reply->position;
    here.has_shown_commit = here.has_shown_tag = true;
    here.shown_commit = next->has_shown_commit ? next->shown_commit : next->commit;
    here.shown_tag = next->has_shown_commit ? next->shown_tag : next->tag;
    cli_place_text(&here, before);
    cli_place_text(reply->position, after);
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < reply->n_records && err == HS_OK; i++)
        err = print_change(feed, reply->records[i], i + 1 == reply->n_records ? after : before);
    if (err == HS_OK && fflush(stdout) != 0)
        err = cli_bad(&feed->cli->bad, HS_EIO, NULL, "standard output: %s", strerror(errno));
    return err;
}

static enum hs_err next(struct feed *feed)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_WATCH;
    request.watch = &feed->body;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(feed->cli, &request, HALLSYNC__REPLY__BODY_WATCH, &reply);
    if (err == HS_OK && feed->body.from != NULL)
        err = print_changes(feed, reply->watch);
    if (err != HS_OK)
        return err;
    feed->from = *reply->watch->position; /* numbers only */
    feed->body.from = &feed->from;
    return HS_OK;
}

/* The first question is only where we are; it does not wait. */
static enum hs_err follow(struct feed *feed)
{
    enum hs_err err = feed->body.from == NULL ? next(feed) : HS_OK;
    feed->body.wait_ms = WAIT_MS;
    while (err == HS_OK)
        err = next(feed);
    return err;
}

enum hs_err cli_run_watch(struct cli *cli)
{
    struct feed feed = {.cli = cli};
    hallsync__watch_request__init(&feed.body);
    hallsync__position__init(&feed.from);
    feed.body.kinds = feed.kinds;
    feed.body.has_wait_ms = 1;
    cli->json = true;
    cli->call_ms = WAIT_MS + cli_timeout_ms(cli);
    enum hs_err err = take_kinds(&feed);
    if (err == HS_OK)
        err = take_from(&feed);
    return err == HS_OK ? follow(&feed) : err;
}
