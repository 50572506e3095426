/* pages.h -- all records of a find, page after page. */
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

/* The option --district, one of four digits: whether it was given. */
enum hs_err cli_district(struct cli *cli, bool *given, uint32_t *district);
/* The option --limit: 0 if it was not given. */
enum hs_err cli_limit(struct cli *cli, uint64_t *limit);

#endif
