/* pages.h -- records from the node: one by its id, all of a find page after page; and the options that narrow them. */
#ifndef HS_CLI_PAGES_H
#define HS_CLI_PAGES_H

#include "node/cli/cli.h"

struct cli_find {
    uint32_t kind;
    const char *index; /* NULL: all records */
    const char *key;
    const char *then; /* of an index over two fields; NULL: none */
    uint64_t limit;   /* of records in all; 0: none */
    bool here;        /* no hub is asked */
    bool *incomplete; /* out, true: there may be more elsewhere; NULL: not wanted */
};
/* Anything but HS_OK ends it. */
typedef enum hs_err (*cli_visit_record)(void *ctx, const Hallsync__Record *record);
enum hs_err cli_find(struct cli *cli, const struct cli_find *find, cli_visit_record visit, void *ctx);

/* One record by its id, valid until the next call; with the option --here no hub is asked.  HS_ENOTFOUND. */
enum hs_err cli_get(struct cli *cli, uint32_t kind, const char *id, const Hallsync__Record **record);

/* Said below an answer of a node to which records are still coming. */
#define CLI_STILL_COMING "not all is here yet: records are still coming, hallsync status shows how far they are"

/* The option --date; @date is left as it is if it was not given. */
enum hs_err cli_date(struct cli *cli, uint32_t *date);
/* The option --district, one of four digits: whether it was given. */
enum hs_err cli_district(struct cli *cli, bool *given, uint32_t *district);
/* The option --limit: 0 if it was not given. */
enum hs_err cli_limit(struct cli *cli, uint64_t *limit);

#endif
