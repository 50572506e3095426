/* Where the node is: -e, else what -c names, else the environment, else the usual places. */
#include "node/cli/cli.h"
#include "node/conf/conf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UTC_OFFSET_MINUTES 480 /* Asia/Shanghai */

static const char *first_readable(void)
{
    static const char *const PLACES[] = {"hallsync.yaml", "/etc/hallsync/hallsync.yaml",
                                         "/var/lib/hallsync/hallsync.yaml"};
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        if (access(PLACES[i], R_OK) == 0)
            return PLACES[i];
    }
    return NULL;
}

static enum hs_err no_memory(struct cli *cli)
{
    return cli_bad(&cli->bad, HS_ENOMEM, NULL, "%s", hs_err_text(HS_ENOMEM));
}

static enum hs_err from_file(struct cli *cli, const char *path)
{
    struct hs_conf conf;
    struct hs_why why = {0};
    enum hs_err err = hs_conf_load(path, &conf, &why);
    if (err != HS_OK)
        return cli_fail(cli, HS_ECONFIG, &why);
    cli->utc_offset_minutes = conf.utc_offset_minutes;
    cli->config = cli->options[CLI_ENDPOINT] == NULL ? path : NULL;
    if (cli->endpoint == NULL)
        cli->endpoint = strdup(conf.listen.clients);
    hs_conf_free(&conf);
    return cli->endpoint != NULL ? HS_OK : no_memory(cli);
}

enum hs_err cli_config_find(struct cli *cli)
{
    const char *path = cli->options[CLI_CONFIG];
    const char *endpoint = cli->options[CLI_ENDPOINT];
    cli->utc_offset_minutes = UTC_OFFSET_MINUTES;
    if (endpoint == NULL && path == NULL)
        endpoint = getenv("HALLSYNC_ENDPOINT");
    if (endpoint != NULL) {
        cli->endpoint = strdup(endpoint);
        if (cli->endpoint == NULL)
            return no_memory(cli);
    }
    if (path == NULL)
        path = getenv("HALLSYNC_CONFIG");
    if (path == NULL && endpoint == NULL)
        path = first_readable();
    if (path != NULL)
        return from_file(cli, path);
    if (cli->endpoint != NULL)
        return HS_OK;
    return cli_bad(
        &cli->bad, HS_ECONFIG, NULL,
        "no hallsync.yaml here, in /etc/hallsync or /var/lib/hallsync: name one with -c, or a socket with -e");
}
