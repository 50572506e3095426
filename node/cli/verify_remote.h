/* verify_remote.h -- verify --remote [--peer ID]. */
#ifndef HS_CLI_VERIFY_REMOTE_H
#define HS_CLI_VERIFY_REMOTE_H

#include "node/cli/cli.h"

/* Exit status: 0 equal with all, 1 something lags or has not answered, 5 damage. */
enum hs_err cli_verify_remote(struct cli *cli);

#endif
