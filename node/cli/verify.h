/* verify.h -- what verify and repair show alike. */
#ifndef HS_CLI_VERIFY_H
#define HS_CLI_VERIFY_H

#include "node/cli/cli.h"
#include "node/conf/conf.h"
#include "proto/local.pb-c.h"
#include "storage/store.h"

#define CLI_DAMAGED    5   /* exit status */
#define CLI_LOOK_AGAIN 200 /* ms */

void cli_verify_told(void *ctx, const struct hs_check_progress *at); /* hs_check_options.told: shown; ctx is not used */
/* One finding of a check of a stopped store; repair: and what is done about it. */
enum hs_err cli_show_rotten(const struct cli *cli, const struct hs_rotten *rotten, bool repairs);
/* The running node's: asked now, and when its check has ended, begun now if there is none; one that ended early is
 * an error. */
enum hs_err cli_ask_verify(struct cli *cli, bool start, const Hallsync__VerifyReply **verify);
enum hs_err cli_wait_for_check(struct cli *cli, const Hallsync__VerifyReply **verify);
enum hs_err cli_show_findings(struct cli *cli, const Hallsync__VerifyReply *verify, bool repairs);
/* The data directory of the configuration; without one @run gets NULL.  HS_ELOCKED by @run: a running node has it. */
enum hs_err cli_with_conf(struct cli *cli, enum hs_err (*run)(struct cli *cli, const struct hs_conf *conf));

#endif
