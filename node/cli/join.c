/* join: from an empty directory to an enrolled node in one step.  Every step finds what an earlier try has done, so
 * that after a lost answer or a power cut the same command goes on. */
#include "node/link/join.h"

#include "node/cli/progress.h"
#include "node/cli/setup.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/text.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_BYTES_MAX 4096
#define KEY_TEXT_BYTES  (2 * HS_KEY_BYTES + 1)

/* One line without its end. */
static enum hs_err read_line(struct cli *cli, FILE *file, char line[static TOKEN_BYTES_MAX])
{
    if (fgets(line, TOKEN_BYTES_MAX, file) == NULL)
        return cli_usage(cli, "the token cannot be read: %s", ferror(file) ? strerror(errno) : "nothing is there");
    line[strcspn(line, " \t\r\n")] = '\0';
    return HS_OK;
}

static enum hs_err read_token_file(struct cli *cli, const char *path, char line[static TOKEN_BYTES_MAX])
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return cli_usage(cli, "--token-file: %s: %s", path, strerror(errno));
    enum hs_err err = read_line(cli, file, line);
    fclose(file);
    return err;
}

enum hs_err cli_read_token(struct cli *cli, struct hs_token *token)
{
    char text[TOKEN_BYTES_MAX] = "";
    const char *path = cli->options[CLI_TOKEN_FILE];
    enum hs_err err = cli_take_args(cli, path == NULL, path == NULL);
    if (err != HS_OK)
        return err;
    if (path != NULL)
        err = read_token_file(cli, path, text);
    else if (strcmp(cli->args[0], "-") == 0)
        err = read_line(cli, stdin, text);
    else
        snprintf(text, sizeof text, "%s", cli->args[0]);
    if (err == HS_OK && hs_token_decode(text, token) != HS_OK)
        err = cli_bad(&cli->bad, HS_ETOKEN, NULL, "this is not a whole join token; one begins with hsj1-");
    sodium_memzero(text, sizeof text);
    const char *id = cli->options[CLI_ID];
    if (err == HS_OK && id != NULL && strcmp(id, token->node_id) != 0)
        err = cli_usage(cli, "the token is for %s, not for %s", token->node_id, id);
    return err;
}

static enum hs_err ask_hub(struct cli_setup *setup, const struct hs_token *token)
{
    struct hs_why why = {0};
    struct hs_buf certificate = {0};
    struct hs_buf hub = {0};
    enum hs_err err = hs_keys_make_hall(setup->dir, &setup->keys, &why);
    if (err == HS_OK) {
        uint64_t timeout = cli_timeout_ms(setup->cli);
        struct hs_join join = {
            .token = token,
            .node_secret = setup->keys.node,
            .node_key = setup->keys.node_key,
            .curve_key = setup->keys.curve_key,
            .curve_secret = setup->keys.curve_secret,
            .timeout_ms = timeout < UINT32_MAX ? (unsigned)timeout : UINT32_MAX,
        };
        cli_progress_step(&(struct cli_step){.what = "waiting for the hub", .limit_ms = timeout});
        err = hs_join_ask(&join, &certificate, &hub, &why);
        cli_progress_end();
    }
    if (err == HS_OK)
        err = hs_keys_save_certificate(setup->dir, hs_buf_bytes(&certificate), hs_buf_bytes(&hub), &token->root_key,
                                       &why);
    hs_keys_free(&setup->keys);
    hs_buf_fini(&certificate);
    hs_buf_fini(&hub);
    return err == HS_OK ? HS_OK : cli_fail(setup->cli, err, &why);
}

/* The certificate that lies in the directory now must be the one that the token is for. */
static enum hs_err load_joined(struct cli_setup *setup, const struct hs_token *token,
                               struct hs_certificate *certificate)
{
    struct hs_why why = {0};
    enum hs_err err = hs_keys_load(setup->dir, &setup->keys, &why);
    if (err == HS_OK && !hs_key_equal(&setup->keys.root_key, &token->root_key))
        err = hs_fail(HS_EREGION, &why, "%s belongs to another region than the token", setup->dir);
    if (err == HS_OK)
        err = hs_certificate_verify(hs_buf_bytes(&setup->keys.certificate), &token->root_key, certificate);
    if (err == HS_OK && strcmp(certificate->node_id, token->node_id) != 0)
        err = hs_fail(HS_EEXISTS, &why, "%s is the directory of %s; the token is for %s", setup->dir,
                      certificate->node_id, token->node_id);
    return err == HS_OK ? HS_OK : cli_fail(setup->cli, err, &why);
}

bool cli_is_joined(const struct cli_setup *setup)
{
    struct hs_keys keys = {0};
    bool joined = hs_keys_load(setup->dir, &keys, NULL) !=
                  HS_ENOSTORE; /* damaged keys count: they are never replaced */
    hs_keys_free(&keys);
    return joined;
}

static enum hs_err write_config(struct cli_setup *setup, const struct hs_token *token,
                                const struct hs_certificate *certificate)
{
    char key[KEY_TEXT_BYTES];
    const char *listen = setup->cli->options[CLI_LISTEN];
    if (listen == NULL && certificate->role != HS_ROLE_HALL)
        listen = CLI_LISTEN_DEFAULT;
    char *peers[] = {(char *)listen}; /* only read, like all of these */
    struct hs_conf_upstream upstreams[HS_ADDRESSES_MAX];
    struct hs_conf conf = {0};
    hs_text_to_hex(HS_BYTES(token->hub_curve_key.bytes, sizeof token->hub_curve_key.bytes), key);
    for (size_t i = 0; i < token->address_count; i++)
        upstreams[i] = (struct hs_conf_upstream){.address = (char *)token->addresses[i], .key = key};
    conf.node.id = (char *)token->node_id;
    conf.node.role = (char *)hs_role_text(certificate->role);
    conf.node.data = setup->dir;
    conf.listen.peers = peers;
    conf.listen.peers_count = listen != NULL;
    conf.upstreams = upstreams;
    conf.upstreams_count = (unsigned)token->address_count;
    return cli_setup_config(setup, &conf);
}

/* What others need to dial this node. */
static void tell_how_to_dial(const struct cli_setup *setup, const struct hs_certificate *certificate)
{
    char key[KEY_TEXT_BYTES];
    hs_text_to_hex(HS_BYTES(certificate->curve_key.bytes, sizeof certificate->curve_key.bytes), key);
    printf("Nodes that shall dial it have in their hallsync.yaml, with an address of this machine:\n\n"
           "upstreams:\n  - address: \"tcp://HOST:7400\"\n    key: \"%s\"\n",
           key);
    if (certificate->role == HS_ROLE_WITNESS)
        printf("    group: \"witness\"\n");
    printf("\nIt listens where listen.peers in %s says.\n", setup->config);
}

enum hs_err cli_tell_joined(const struct cli_setup *setup, const struct hs_certificate *certificate, bool before)
{
    if (setup->cli->json)
        return cli_json_line(json_pack("{ss ss ss ss ss sb}", "id", certificate->node_id, "role",
                                       hs_role_text(certificate->role), "region", certificate->region, "data",
                                       setup->dir, "config", setup->config, "before", before));
    printf("%s %s region %s; keys and store are in %s.\n\n", certificate->node_id, before ? "had joined" : "has joined",
           certificate->region, setup->dir);
    printf("Next: hallsyncd -c %s\n", setup->config);
    if (certificate->role != HS_ROLE_HALL)
        tell_how_to_dial(setup, certificate);
    return HS_OK;
}

void cli_forget_token(struct hs_token *token)
{
    sodium_memzero(token, sizeof *token);
}

enum hs_err cli_join(struct cli_setup *setup, const struct hs_token *token, struct hs_certificate *certificate,
                     bool *before)
{
    *before = cli_setup_has_store(setup);
    enum hs_err err = *before || cli_is_joined(setup) ? HS_OK : ask_hub(setup, token);
    if (err == HS_OK)
        err = load_joined(setup, token, certificate);
    if (err == HS_OK && !*before)
        err = write_config(setup, token, certificate);
    if (err == HS_OK && !*before)
        err = cli_setup_store(setup);
    return err;
}

enum hs_err cli_run_join(struct cli *cli)
{
    struct cli_setup setup = {.cli = cli};
    struct hs_token token = {0};
    struct hs_certificate certificate = {0};
    bool before = false;
    enum hs_err err = cli_read_token(cli, &token);
    if (err == HS_OK)
        err = cli_setup_begin(&setup, cli);
    if (err == HS_OK)
        err = cli_join(&setup, &token, &certificate, &before);
    if (err == HS_OK)
        err = cli_tell_joined(&setup, &certificate, before);
    cli_setup_end(&setup);
    cli_forget_token(&token);
    return err;
}
