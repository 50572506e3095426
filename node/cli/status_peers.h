/* status_peers.h -- the part of status that is about other nodes, for people. */
#ifndef HS_CLI_STATUS_PEERS_H
#define HS_CLI_STATUS_PEERS_H

#include "node/cli/cli.h"

/* A line of sums and a table: first what needs looking at.  At a hub also those that have joined and are away: asks the
 * node for them, so what was answered before, @status too, is not valid any more.  @lines: at most so many rows; 0:
 * all.
 */
enum hs_err cli_status_peers(struct cli *cli, const Hallsync__StatusReply *status, size_t lines);

#endif
