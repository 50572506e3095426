#include "node/cli/stopped.h"

#include "node/cli/progress.h"

enum hs_err cli_stopped_open(struct cli_stopped *stopped, const struct hs_conf *conf, struct hs_why *why)
{
    *stopped = (struct cli_stopped){.store = NULL};
    enum hs_err err = hs_keys_load(conf->node.data, &stopped->keys, why);
    if (err != HS_OK)
        return err;
    struct hs_store_options options = {
        .dir = conf->node.data,
        .certificate = hs_buf_bytes(&stopped->keys.certificate),
        .signer = hs_signer_of(stopped->keys.node),
        .visits = true,
        .districts = conf->districts,
        .district_count = conf->district_count,
        .utc_offset_minutes = conf->utc_offset_minutes,
    };
    cli_progress_step(&(struct cli_step){.what = "opening the store"}); /* after a crash records are made up */
    err = hs_store_open(&options, &stopped->store, why);
    cli_progress_end();
    return err;
}

void cli_stopped_close(struct cli_stopped *stopped)
{
    hs_store_close(stopped->store);
    hs_keys_free(&stopped->keys);
}

bool cli_stopped_asks(struct cli *cli, enum hs_err err, const struct hs_why *why)
{
    if (err == HS_EPERM)
        cli->denied = *why;
    return err == HS_ELOCKED || err == HS_EPERM;
}
