/* differ.h -- a record that two nodes have with other contents, shown with both.  Inside node/cli/ only. */
#ifndef HS_CLI_DIFFER_H
#define HS_CLI_DIFFER_H

#include "node/cli/cli.h"

/* Asks the node for both versions.  What cannot be had is said in their place. */
enum hs_err cli_show_differ(struct cli *cli, const Hallsync__PeerStatus *peer, const Hallsync__DifferStatus *differ);

#endif
