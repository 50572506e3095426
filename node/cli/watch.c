/* watch: the change feed, one JSON line a change, until somebody ends it. */
#include "node/cli/feed.h"
#include "node/cli/forms.h"
#include "node/cli/table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define WAIT_MS 30000

static enum hs_err take_from(struct cli_feed *feed)
{
    const char *text = feed->cli->options[CLI_FROM];
    if (text == NULL)
        return HS_OK;
    if (cli_place_parse(text, &feed->from) != HS_OK)
        return cli_usage(feed->cli, "--from: '%s' is not a position such as 17:0123456789abcdef", text);
    feed->body.from = &feed->from;
    return HS_OK;
}

static enum hs_err print_change(const struct cli_feed *feed, const Hallsync__Record *record, const char *position)
{
    json_t *line = json_object();
    json_t *change = cli_feed_line(feed->cli, record);
    bool made = json_object_set_new(line, "position", json_string(position)) == 0 &&
                json_object_update(line, change) == 0;
    json_decref(change);
    if (made)
        return cli_json_line(line);
    json_decref(line);
    return HS_ENOMEM;
}

/* What was gone over and does not fit need not be gone over again. */
static enum hs_err print_place(const struct cli_feed *feed, const Hallsync__WatchReply *reply, const char *position)
{
    bool narrow = feed->body.n_districts != 0 || feed->body.n_where != 0;
    bool moved = reply->position->commit != feed->from.commit || reply->position->ops != feed->from.ops;
    return narrow && moved ? cli_json_line(json_pack("{ss}", "position", position)) : HS_OK;
}

/* A position stands for all that is before it, so only the last line of an answer carries the new one: who goes on from
 * any line misses nothing, and meets at most a few changes twice. */
static enum hs_err print_changes(struct cli_feed *feed, const Hallsync__WatchReply *reply)
{
    char before[CLI_PLACE_BYTES];
    char after[CLI_PLACE_BYTES];
    Hallsync__Position here = cli_feed_before(feed, reply);
    cli_place_text(&here, before);
    cli_place_text(reply->position, after);
    enum hs_err err = reply->n_records == 0 ? print_place(feed, reply, after) : HS_OK;
    for (size_t i = 0; i < reply->n_records && err == HS_OK; i++)
        err = print_change(feed, reply->records[i], i + 1 == reply->n_records ? after : before);
    if (err == HS_OK && fflush(stdout) != 0)
        err = cli_bad(&feed->cli->bad, HS_EIO, NULL, "standard output: %s", strerror(errno));
    return err;
}

static enum hs_err next(struct cli_feed *feed)
{
    const Hallsync__Reply *reply;
    enum hs_err err = cli_feed_next(feed, &reply);
    if (err == HS_OK && feed->body.from != NULL)
        err = print_changes(feed, reply->watch);
    if (err == HS_OK)
        cli_feed_pass(feed, reply->watch);
    return err;
}

/* The first question is only where we are; it does not wait. */
static enum hs_err follow(struct cli_feed *feed)
{
    enum hs_err err = feed->body.from == NULL ? next(feed) : HS_OK;
    feed->body.wait_ms = WAIT_MS;
    while (err == HS_OK)
        err = next(feed);
    return err;
}

enum hs_err cli_run_watch(struct cli *cli)
{
    struct cli_feed feed;
    cli->json = true;
    enum hs_err err = cli_feed_take(&feed, cli);
    feed.body.has_wait_ms = 1;
    cli->call_ms = WAIT_MS + cli_timeout_ms(cli);
    if (err == HS_OK)
        err = take_from(&feed);
    return err == HS_OK ? follow(&feed) : err;
}
