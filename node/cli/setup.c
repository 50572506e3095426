#include "node/cli/setup.h"

#include "storage/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_MODE        0644
#define DIR_MODE           0700 /* as the store wants it */
#define UTC_OFFSET_MINUTES 480  /* as hallsync.yaml says by default */

/* The path goes into a quoted YAML text as it is. */
static bool is_plain(const char *path)
{
    for (; *path != '\0'; path++) {
        if (*path == '"' || *path == '\\' || (unsigned char)*path < ' ')
            return false;
    }
    return true;
}

enum hs_err cli_setup_begin(struct cli_setup *setup, struct cli *cli)
{
    const char *dir = cli->options[CLI_DATA];
    *setup = (struct cli_setup){.cli = cli};
    if (dir == NULL)
        return cli_usage(cli, "where to?  --data DIR");
    int error = mkdir(dir, DIR_MODE) == 0 ? 0 : errno;
    if (error == ENOENT)
        return cli_usage(cli, "--data: there is no directory for %s to lie in", dir);
    if (error != 0 && error != EEXIST)
        return cli_bad(&cli->bad, hs_err_from_errno(error), NULL, "%s: %s", dir, strerror(error));
    if (realpath(dir, setup->dir) == NULL)
        return cli_bad(&cli->bad, hs_err_from_errno(errno), NULL, "%s: %s", dir, strerror(errno));
    if (!is_plain(setup->dir))
        return cli_usage(cli, "--data: a path without quotes, backslashes and control characters");
    int size = snprintf(setup->config, sizeof setup->config, "%s/hallsync.yaml", setup->dir);
    if (size < 0 || (size_t)size >= sizeof setup->config)
        return cli_usage(cli, "--data: the path is too long");
    return HS_OK;
}

void cli_setup_end(struct cli_setup *setup)
{
    hs_keys_free(&setup->keys);
}

bool cli_setup_has_store(const struct cli_setup *setup)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/log/data.mdb", setup->dir);
    return access(path, F_OK) == 0;
}

enum hs_err cli_setup_config(const struct cli_setup *setup, const struct hs_conf *conf)
{
    struct hs_why why = {0};
    struct hs_buf text = {0};
    hs_conf_write(conf, &text);
    enum hs_err err = text.err;
    if (err == HS_OK)
        err = hs_file_write(setup->config, hs_buf_bytes(&text), CONFIG_MODE, &why);
    hs_buf_fini(&text);
    return err == HS_OK ? HS_OK : cli_fail(setup->cli, err, &why);
}

/* The hub that let the node in is known from the beginning: bundles can be sealed to it before it has written or signed
 * anything. */
static enum hs_err put_hub(const struct cli_setup *setup, struct hs_store *store, struct hs_why *why)
{
    char path[PATH_MAX + 16];
    struct hs_buf hub = {0};
    struct hs_commit commit;
    snprintf(path, sizeof path, "%s/keys/hub.cert", setup->dir);
    enum hs_err err = hs_file_read(path, HS_CERTIFICATE_BYTES_MAX, &hub, why);
    if (err == HS_OK)
        err = hs_store_begin(store);
    if (err == HS_OK) {
        err = hs_store_put_certificate(store, hs_buf_bytes(&hub));
        if (err == HS_OK)
            err = hs_store_commit(store, &commit);
        else
            hs_store_abort(store);
    }
    hs_buf_fini(&hub);
    return err == HS_ENOTFOUND ? HS_OK : err; /* the region's first hub */
}

enum hs_err cli_setup_store(const struct cli_setup *setup)
{
    struct hs_why why = {0};
    struct hs_store *store = NULL;
    struct hs_store_options options = {
        .dir = setup->dir,
        .certificate = hs_buf_bytes(&setup->keys.certificate),
        .signer = hs_signer_of(setup->keys.node),
        .create = true,
        .utc_offset_minutes = UTC_OFFSET_MINUTES,
    };
    enum hs_err err = hs_store_open(&options, &store, &why);
    if (err == HS_OK)
        err = put_hub(setup, store, &why);
    hs_store_close(store);
    return err == HS_OK ? HS_OK : cli_fail(setup->cli, err, &why);
}
