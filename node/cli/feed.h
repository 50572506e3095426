/* feed.h -- what a command wants of the change feed, from its arguments: kinds, --district, --where. */
#ifndef HS_CLI_FEED_H
#define HS_CLI_FEED_H

#include "node/cli/cli.h"
#include "storage/model/where.h"

#define CLI_FEED_KINDS_MAX 64

struct cli_feed {
    struct cli *cli;
    Hallsync__WatchRequest body; /* borrows from here */
    Hallsync__Position from;
    uint32_t kinds[2 * CLI_FEED_KINDS_MAX];
    uint32_t districts[HS_SCOPE_MAX];
    Hallsync__WatchWhere where[HS_WHERE_FIELDS_MAX];
    Hallsync__WatchWhere *where_list[HS_WHERE_FIELDS_MAX];
    char *values[HS_WHERE_FIELDS_MAX][HS_WHERE_VALUES_MAX];
};

/* The command's arguments are the kinds; those of --where are cut at their '='.  HS_OK, or usage. */
enum hs_err cli_feed_take(struct cli_feed *feed, struct cli *cli);
/* The next answer, valid until the next call; the feed goes on from there only by cli_feed_pass(). */
enum hs_err cli_feed_next(struct cli_feed *feed, const Hallsync__Reply **reply);
void cli_feed_pass(struct cli_feed *feed, const Hallsync__WatchReply *reply);

/* A place in the feed, in the state that the records of @reply reflect at least: who goes on from there meets them
 * again. */
Hallsync__Position cli_feed_before(const struct cli_feed *feed, const Hallsync__WatchReply *reply);

/* A record in a line for programs: {"change", "kind", "record"}; NULL: out of memory. */
json_t *cli_feed_line(const struct cli *cli, const Hallsync__Record *record);

#endif
