/* stopped.h -- the store of a node that does not run, for a command that does what the node would do. */
#ifndef HS_CLI_STOPPED_H
#define HS_CLI_STOPPED_H

#include "node/cli/cli.h"
#include "node/conf/conf.h"
#include "node/link/keys.h"
#include "storage/store.h"

struct cli_stopped {
    struct hs_keys keys;
    struct hs_store *store;
};
/* The store of the configuration's data directory; a doubt whether it is the newest is left to the node's own start.
 * HS_ELOCKED: the node runs; HS_EPERM: it is another user's; as hs_keys_load and hs_store_open.  Close it in any case.
 */
enum hs_err cli_stopped_open(struct cli_stopped *stopped, const struct hs_conf *conf, struct hs_why *why);
void cli_stopped_close(struct cli_stopped *stopped);
/* Is the node to be asked, when its store could not be opened?  It runs; or this user may not see whether it does. */
bool cli_stopped_asks(struct cli *cli, enum hs_err err, const struct hs_why *why);

#endif
