/* node revoke, node release: at a hub. */
#include "node/cli/forms.h"
#include "node/json/json.h"
#include "node/cli/table.h"

#include "node/link/keys.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/msg/revoke.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool begins_with(const char *key, const char *digits)
{
    return digits == NULL || (key != NULL && strncmp(key, digits, strlen(digits)) == 0);
}

/* ---- with the region's root key, which the node never sees ---- */

static enum hs_err load_root(struct cli *cli, struct hs_secret **root)
{
    struct hs_why why = {0};
    enum hs_err err = hs_root_load(cli->options[CLI_ROOT], root, &why);
    return err == HS_OK ? HS_OK : cli_bad(&cli->bad, err, NULL, "%s", why.text);
}

static enum hs_err sign_failed(struct cli *cli, enum hs_err err)
{
    return err == HS_OK || err == HS_ENOMEM
               ? err
               : cli_bad(&cli->bad, err, NULL, "--reason, --name: 1 to %d and %d bytes of text", HS_REASON_BYTES_MAX,
                         HS_PERSON_BYTES_MAX);
}

static enum hs_err find_certificate(struct cli *cli, const Hallsync__NodesReply *nodes, const Hallsync__Node **found)
{
    size_t count = 0;
    for (size_t i = 0; i < nodes->n_nodes; i++) {
        const Hallsync__Node *node = nodes->nodes[i];
        if (strcmp(node->node_id, cli->args[0]) != 0 || !node->has_certificate ||
            !begins_with(node->key, cli->options[CLI_KEY]))
            continue;
        *found = node;
        count++;
    }
    if (count == 0)
        return cli_bad(&cli->bad, HS_ENOTFOUND, NULL,
                       "no node %s with such a key has joined, as far as this node knows", cli->args[0]);
    return count == 1 ? HS_OK
                      : cli_bad(&cli->bad, HS_EINVAL, NULL,
                                "%s was made anew and has %zu keys: --key DIGITS says which one; node list --json "
                                "names them, and since when",
                                cli->args[0], count);
}

static enum hs_err sign_revocation(struct cli *cli, struct hs_buf *row)
{
    Hallsync__NodesRequest body = HALLSYNC__NODES_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    const Hallsync__Node *node = NULL;
    struct hs_secret *root = NULL;
    body.has_certificates = body.certificates = true;
    request.body_case = HALLSYNC__REQUEST__BODY_NODES;
    request.nodes = &body;
    enum hs_err err = load_root(cli, &root);
    if (err == HS_OK)
        err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_NODES, &reply);
    if (err == HS_OK)
        err = find_certificate(cli, reply->nodes, &node);
    if (err == HS_OK) {
        struct hs_authority authority = {HS_BYTES_NONE, root};
        err = sign_failed(cli, hs_revocation_sign(HS_BYTES(node->certificate.data, node->certificate.len),
                                                  cli->options[CLI_REASON], hs_now_ms(), &authority, row));
    }
    hs_root_free(root);
    return err;
}

/* ---- revoke ---- */

static enum hs_err take_options(struct cli *cli, bool names_person)
{
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK && cli->options[CLI_REASON] == NULL)
        err = cli_usage(cli, "why?  --reason TEXT: it is kept, and shown to whoever asks");
    if (err == HS_OK && names_person && cli->options[CLI_NAME] == NULL)
        err = cli_usage(cli, "who has decided it?  --name NAME");
    return err;
}

static enum hs_err show_revoked(const struct cli *cli, const Hallsync__Node *node)
{
    static const struct cli_column CARD[] = {
        {"node_id", "node", CLI_FORM_TEXT},       {"role", "role", CLI_FORM_TEXT},
        {"state", "state", CLI_FORM_TEXT},        {"reason", "reason", CLI_FORM_TEXT},
        {"revoked_ms", "revoked", CLI_FORM_TIME}, {"key", "node key", CLI_FORM_TEXT},
    };
    enum hs_err err = cli_card(cli, CARD, sizeof CARD / sizeof *CARD, hs_json_message(&node->base));
    if (err == HS_OK && !cli->json)
        printf("\nEvery node ends its sessions with this key when it hears of it.  What it had written and no hub has "
               "signed for\nwaits where it is: hallsync status shows it, hallsync node release %s lets it count.\n",
               node->node_id);
    return err;
}

enum hs_err cli_run_revoke(struct cli *cli)
{
    Hallsync__RevokeRequest body = HALLSYNC__REVOKE_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    struct hs_buf row = {0};
    enum hs_err err = take_options(cli, false);
    if (err == HS_OK && cli->options[CLI_ROOT] != NULL)
        err = sign_revocation(cli, &row);
    if (err == HS_OK) {
        body.node_id = cli->args[0];
        body.key = (char *)cli->options[CLI_KEY]; /* only read */
        body.reason = (char *)cli->options[CLI_REASON];
        body.has_revocation = row.size > 0;
        body.revocation = (ProtobufCBinaryData){row.size, row.data};
        request.body_case = HALLSYNC__REQUEST__BODY_REVOKE;
        request.revoke = &body;
        err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_NODES, &reply);
    }
    if (err == HS_OK && reply->nodes->n_nodes > 0)
        err = show_revoked(cli, reply->nodes->nodes[0]);
    hs_buf_fini(&row);
    return err;
}

/* ---- release ---- */

static enum hs_err take_withheld(struct cli *cli, const Hallsync__StatusReply *status, struct hs_release *release)
{
    const char *key = NULL;
    for (size_t i = 0; i < status->n_withheld; i++) {
        const Hallsync__WithheldStatus *row = status->withheld[i];
        if (strcmp(row->node_id, cli->args[0]) != 0 || !begins_with(row->key, cli->options[CLI_KEY]) ||
            release->count == HS_RELEASE_HEADS_MAX)
            continue;
        if (key != NULL && strcmp(key, row->key) != 0)
            return cli_bad(&cli->bad, HS_EINVAL, NULL, "operations of several keys of %s wait: --key DIGITS says which",
                           cli->args[0]);
        key = row->key;
        release->count += hs_released_of(row, &release->heads[release->count]);
    }
    if (key == NULL ||
        hs_text_from_hex(key, strlen(key), release->node_key.bytes, sizeof release->node_key.bytes) != HS_OK)
        return cli_bad(&cli->bad, HS_ENOTFOUND, NULL,
                       "nothing of a revoked key of %s waits at a node that is connected to this hub", cli->args[0]);
    return HS_OK;
}

static enum hs_err sign_heads(struct cli *cli, struct hs_release *release, struct hs_buf *row)
{
    struct hs_secret *root = NULL;
    struct hs_authority authority = {HS_BYTES_NONE, NULL};
    const char *reason = cli->options[CLI_REASON], *name = cli->options[CLI_NAME];
    if (strlen(reason) > HS_REASON_BYTES_MAX || strlen(name) > HS_PERSON_BYTES_MAX)
        return sign_failed(cli, HS_EINVAL);
    snprintf(release->reason, sizeof release->reason, "%s", reason);
    snprintf(release->name, sizeof release->name, "%s", name);
    release->time_ms = hs_now_ms();
    enum hs_err err = load_root(cli, &root);
    authority.secret = root;
    if (err == HS_OK)
        err = sign_failed(cli, hs_release_sign(release, &authority, row));
    hs_root_free(root);
    return err;
}

static enum hs_err sign_release(struct cli *cli, struct hs_buf *row)
{
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    struct hs_release *release = calloc(1, sizeof *release);
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    enum hs_err err = release == NULL ? HS_ENOMEM : cli_call(cli, &request, HALLSYNC__REPLY__BODY_STATUS, &reply);
    if (err == HS_OK)
        err = take_withheld(cli, reply->status, release);
    if (err == HS_OK)
        err = sign_heads(cli, release, row);
    free(release);
    return err;
}

enum hs_err cli_show_withheld(const struct cli *cli, Hallsync__WithheldStatus *const *rows, size_t count)
{
    static const struct cli_column ROW[] = {
        {"node_id", "revoked", CLI_FORM_TEXT},     {"partition", "district", CLI_FORM_TEXT},
        {"lane", "lane", CLI_FORM_TEXT},           {"operations", "operations", CLI_FORM_NUMBER},
        {"payments", "payments", CLI_FORM_NUMBER}, {"payments_fen", "sum", CLI_FORM_MONEY},
        {"holder", "waits at", CLI_FORM_TEXT},
    };
    struct cli_list list;
    cli_list_begin(&list, cli, ROW, sizeof ROW / sizeof *ROW);
    for (size_t i = 0; i < count; i++) {
        json_t *row = hs_json_message(&rows[i]->base);
        if (row != NULL)
            json_object_set_new(row, "operations", json_integer((json_int_t)(rows[i]->last - rows[i]->behind)));
        cli_list_add(&list, row);
    }
    return cli_list_end(&list);
}

enum hs_err cli_run_release(struct cli *cli)
{
    Hallsync__ReleaseRequest body = HALLSYNC__RELEASE_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    struct hs_buf row = {0};
    enum hs_err err = take_options(cli, true);
    if (err == HS_OK && cli->options[CLI_ROOT] != NULL)
        err = sign_release(cli, &row);
    if (err == HS_OK) {
        body.node_id = cli->args[0];
        body.key = (char *)cli->options[CLI_KEY];
        body.reason = (char *)cli->options[CLI_REASON];
        body.name = (char *)cli->options[CLI_NAME];
        body.has_release = row.size > 0;
        body.release = (ProtobufCBinaryData){row.size, row.data};
        request.body_case = HALLSYNC__REQUEST__BODY_RELEASE;
        request.release = &body;
        err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_RELEASE, &reply);
    }
    if (err == HS_OK)
        err = cli_show_withheld(cli, reply->release->released, reply->release->n_released);
    hs_buf_fini(&row);
    return err;
}
