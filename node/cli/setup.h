/* setup.h -- what init and join share: a data directory, its configuration and its store. */
#ifndef HS_CLI_SETUP_H
#define HS_CLI_SETUP_H

#include "node/cli/cli.h"
#include "node/conf/conf.h"
#include "node/link/keys.h"

#include <limits.h>

#define CLI_LISTEN_DEFAULT "tcp://0.0.0.0:7400"

struct cli_setup {
    struct cli *cli;
    char dir[PATH_MAX];    /* absolute */
    char config[PATH_MAX]; /* DIR/hallsync.yaml */
    struct hs_keys keys;
};

/* Make --data DIR if it is not there and find its absolute path. */
enum hs_err cli_setup_begin(struct cli_setup *setup, struct cli *cli);
void cli_setup_end(struct cli_setup *setup);
bool cli_setup_has_store(const struct cli_setup *setup);

/* join.c.  The token of the arguments or of --token-file. */
enum hs_err cli_read_token(struct cli *cli, struct hs_token *token);
void cli_forget_token(struct hs_token *token);
bool cli_is_joined(const struct cli_setup *setup); /* there are keys and a certificate, be they damaged */
/* Keys, certificate, configuration and store, each unless an earlier try has made it.  @before: it was whole. */
enum hs_err cli_join(struct cli_setup *setup, const struct hs_token *token, struct hs_certificate *certificate,
                     bool *before);
enum hs_err cli_tell_joined(const struct cli_setup *setup, const struct hs_certificate *certificate, bool before);

/* hallsync.yaml, whole or not at all; replaced if it is there. */
enum hs_err cli_setup_config(const struct cli_setup *setup, const struct hs_conf *conf);
/* An empty store of the loaded keys' node. */
enum hs_err cli_setup_store(const struct cli_setup *setup);

#endif
