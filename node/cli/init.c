/* init: an empty directory becomes a region's first hub, or is made ready for a hall to join from. */
#include "node/cli/setup.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/thread.h"

#include <stdio.h>
#include <string.h>

static enum hs_err take_home(struct cli *cli, hs_partition *home)
{
    const char *text = cli->options[CLI_DISTRICT];
    *home = HS_PARTITION_REGION;
    if (text != NULL && hs_partition_parse(text, home) != HS_OK)
        return cli_usage(cli, "--district: '%s' is not a district; a hub has one home district", text);
    return HS_OK;
}

/* Keys of an init that was cut short are taken again, if they are of the same node. */
static enum hs_err make_keys(struct cli_setup *setup, const struct hs_keys_draft *draft)
{
    struct hs_why why = {0};
    struct hs_certificate certificate;
    enum hs_err err = hs_keys_load(setup->dir, &setup->keys, &why);
    if (err == HS_ENOSTORE) {
        err = hs_keys_make_hub(setup->dir, draft, &why);
        if (err == HS_OK)
            err = hs_keys_load(setup->dir, &setup->keys, &why);
    }
    if (err == HS_OK)
        err = hs_certificate_verify(hs_buf_bytes(&setup->keys.certificate), &setup->keys.root_key, &certificate);
    if (err == HS_OK && (strcmp(certificate.node_id, draft->node_id) != 0 || certificate.role != HS_ROLE_HUB))
        err = hs_fail(HS_EEXISTS, &why, "the keys in %s are those of the %s %s", setup->dir,
                      hs_role_text(certificate.role), certificate.node_id);
    return err == HS_OK ? HS_OK : cli_fail(setup->cli, err, &why);
}

static enum hs_err write_config(struct cli_setup *setup, const char *id)
{
    const char *listen = setup->cli->options[CLI_LISTEN];
    char *peers[] = {(char *)(listen != NULL ? listen : CLI_LISTEN_DEFAULT)}; /* only read */
    struct hs_conf conf = {0};
    char role[] = "hub";
    conf.node.id = (char *)id;
    conf.node.role = role;
    conf.node.data = setup->dir;
    conf.listen.peers = peers;
    conf.listen.peers_count = 1;
    return cli_setup_config(setup, &conf);
}

static enum hs_err tell_hub(const struct cli_setup *setup, const struct hs_keys_draft *draft)
{
    char root[PATH_MAX + 32];
    snprintf(root, sizeof root, "%s/keys/root.key", setup->dir);
    if (setup->cli->json)
        return cli_json_line(json_pack("{ss ss ss ss ss ss}", "id", draft->node_id, "role", "hub", "region",
                                       draft->region, "data", setup->dir, "config", setup->config, "root_key", root));
    printf("%s is ready: the first hub of region %s, with new keys and an empty store in %s.\n\n", draft->node_id,
           draft->region, setup->dir);
    printf("1. Take %s off this machine and keep it safe.\n"
           "   Only further hubs need it, and whoever has it can make nodes of this region.\n",
           root);
    printf("2. Look through %s: listen.peers and, where halls reach this hub\n"
           "   under another address, listen.advertise, which goes into the join tokens.\n",
           setup->config);
    printf("3. hallsyncd -c %s\n", setup->config);
    printf("4. For each hall: hallsync -c %s node enroll ID --district D\n", setup->config);
    return HS_OK;
}

static enum hs_err init_hub(struct cli_setup *setup, const char *id)
{
    struct cli *cli = setup->cli;
    const char *region = cli->options[CLI_REGION] != NULL ? cli->options[CLI_REGION] : id;
    struct hs_keys_draft draft = {.region = region, .node_id = id, .now_ms = hs_now_ms()};
    enum hs_err err = take_home(cli, &draft.home);
    if (err == HS_OK)
        err = make_keys(setup, &draft);
    if (err == HS_OK)
        err = write_config(setup, id);
    if (err == HS_OK)
        err = cli_setup_store(setup);
    return err == HS_OK ? tell_hub(setup, &draft) : err;
}

static enum hs_err init_hall(struct cli_setup *setup, const char *id)
{
    struct hs_why why = {0};
    enum hs_err err = hs_keys_make_hall(setup->dir, &setup->keys, &why);
    if (err != HS_OK)
        return cli_fail(setup->cli, err, &why);
    if (setup->cli->json)
        return cli_json_line(json_pack("{ss ss ss}", "id", id, "role", "hall", "data", setup->dir));
    printf("Keys are in %s/keys; they are certified when %s joins.\n\n", setup->dir, id);
    printf("1. At the hub: hallsync node enroll %s --district D[,D...]\n", id);
    printf("2. Here: hallsync join - --data %s  (with the token on standard input)\n", setup->dir);
    return HS_OK;
}

static enum hs_err check_options(struct cli *cli)
{
    const char *id = cli->options[CLI_ID];
    const char *role = cli->options[CLI_ROLE];
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err != HS_OK)
        return err;
    if (role == NULL || (strcmp(role, "hub") != 0 && strcmp(role, "hall") != 0))
        return cli_usage(cli, "which role?  --role hub or --role hall");
    if (id == NULL || !hs_node_id_valid(id))
        return cli_usage(cli, "which id?  --id ID: 1 to 32 of a-z, 0-9 and -, a letter first");
    if (cli->options[CLI_REGION] != NULL && strlen(cli->options[CLI_REGION]) > HS_REGION_BYTES_MAX)
        return cli_usage(cli, "--region: at most %d bytes", HS_REGION_BYTES_MAX);
    return HS_OK;
}

enum hs_err cli_run_init(struct cli *cli)
{
    struct cli_setup setup;
    enum hs_err err = check_options(cli);
    if (err == HS_OK)
        err = cli_setup_begin(&setup, cli);
    if (err != HS_OK)
        return err;
    const char *id = cli->options[CLI_ID];
    if (cli_setup_has_store(&setup))
        err = cli_bad(&cli->bad, HS_EEXISTS, NULL, "%s has a store already; nothing was changed", setup.dir);
    else if (strcmp(cli->options[CLI_ROLE], "hub") == 0)
        err = init_hub(&setup, id);
    else
        err = init_hall(&setup, id);
    cli_setup_end(&setup);
    return err;
}
