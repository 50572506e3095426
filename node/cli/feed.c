#include "node/cli/feed.h"

#include "node/cli/kind_commands.h"
#include "node/json/json.h"
#include "proto/base/text.h"

#include <stdio.h>
#include <string.h>

static enum hs_err take_kinds(struct cli_feed *feed)
{
    struct cli *cli = feed->cli;
    enum hs_err err = cli_take_args(cli, 0, CLI_FEED_KINDS_MAX);
    feed->body.kinds = feed->kinds;
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

static enum hs_err take_district(struct cli_feed *feed, const char *text, size_t size)
{
    char word[HS_PARTITION_TEXT_BYTES];
    hs_partition district = 0;
    snprintf(word, sizeof word, "%.*s", size < sizeof word ? (int)size : 0, text);
    if (hs_partition_parse(word, &district) != HS_OK)
        return cli_usage(feed->cli, "--district: '%.*s' is not a district of four digits, nor region", (int)size, text);
    if (feed->body.n_districts == HS_SCOPE_MAX)
        return cli_usage(feed->cli, "--district: more than %d", HS_SCOPE_MAX);
    feed->districts[feed->body.n_districts++] = district;
    return HS_OK;
}

static enum hs_err take_districts(struct cli_feed *feed)
{
    const char *at = feed->cli->options[CLI_DISTRICT];
    enum hs_err err = HS_OK;
    feed->body.districts = feed->districts;
    while (at != NULL && err == HS_OK) {
        size_t size = strcspn(at, ",");
        err = take_district(feed, at, size);
        at = at[size] == ',' ? at + size + 1 : NULL;
    }
    return err;
}

/* Another value of a field, or another field. */
static enum hs_err take_where(struct cli_feed *feed, char *text)
{
    char *equals = strchr(text, '=');
    size_t at = 0;
    if (equals == NULL || equals == text)
        return cli_usage(feed->cli, "--where: '%s' is not FIELD=VALUE", text);
    *equals = '\0';
    while (at < feed->body.n_where && strcmp(feed->where[at].field, text) != 0)
        at++;
    if (at == HS_WHERE_FIELDS_MAX)
        return cli_usage(feed->cli, "--where: more than %d fields", HS_WHERE_FIELDS_MAX);
    Hallsync__WatchWhere *where = &feed->where[at];
    if (at == feed->body.n_where) {
        hallsync__watch_where__init(where);
        where->field = text;
        where->values = feed->values[at];
        feed->where_list[feed->body.n_where++] = where;
    }
    if (where->n_values == HS_WHERE_VALUES_MAX)
        return cli_usage(feed->cli, "--where: more than %d values of %s", HS_WHERE_VALUES_MAX, text);
    where->values[where->n_values++] = equals + 1;
    return HS_OK;
}

enum hs_err cli_feed_take(struct cli_feed *feed, struct cli *cli)
{
    *feed = (struct cli_feed){.cli = cli};
    hallsync__watch_request__init(&feed->body);
    hallsync__position__init(&feed->from);
    feed->body.where = feed->where_list;
    enum hs_err err = take_kinds(feed);
    if (err == HS_OK)
        err = take_districts(feed);
    for (size_t i = 0; i < cli->where_count && err == HS_OK; i++)
        err = take_where(feed, cli->where[i]);
    return err;
}

enum hs_err cli_feed_next(struct cli_feed *feed, const Hallsync__Reply **reply)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_WATCH;
    request.watch = &feed->body;
    return cli_call(feed->cli, &request, HALLSYNC__REPLY__BODY_WATCH, reply);
}

void cli_feed_pass(struct cli_feed *feed, const Hallsync__WatchReply *reply)
{
    feed->from = *reply->position; /* numbers only */
    feed->body.from = &feed->from;
}

Hallsync__Position cli_feed_before(const struct cli_feed *feed, const Hallsync__WatchReply *reply)
{
    Hallsync__Position here = feed->from;
    const Hallsync__Position *next = reply->position;
    here.has_shown_commit = here.has_shown_tag = true;
    here.shown_commit = next->has_shown_commit ? next->shown_commit : next->commit;
    here.shown_tag = next->has_shown_commit ? next->shown_tag : next->tag;
    return here;
}

json_t *cli_feed_line(const struct cli *cli, const Hallsync__Record *record)
{
    char kind[HS_JSON_KIND_BYTES];
    json_t *object = json_object();
    if (record->has_change) {
        char hex[2 * 16 + 1] = "";
        if (record->change.len == 16)
            hs_text_to_hex(HS_BYTES(record->change.data, record->change.len), hex);
        json_object_set_new(object, "change", json_string(hex));
    }
    json_object_set_new(object, "kind", json_string(hs_json_kind(record->kind, kind)));
    json_object_set_new(object, "record", hs_json_record(record, cli->utc_offset_minutes));
    return object;
}
