/* node enroll, list, show, scope: at the hub. */
#include "node/cli/announced.h"
#include "node/cli/forms.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/limits.h"

#include "proto/base/names.h"
#include "proto/msg/frame.h"

#include <stdio.h>
#include <string.h>

#define TTL_MS ((uint64_t)24 * 3600 * 1000)

static enum hs_err take_districts(struct cli *cli, uint32_t to[static HS_SCOPE_MAX], size_t *count)
{
    const char *at = cli->options[CLI_DISTRICT] != NULL ? cli->options[CLI_DISTRICT] : "";
    while (*at != '\0') {
        size_t size = strcspn(at, ",");
        char text[HS_PARTITION_TEXT_BYTES];
        hs_partition partition;
        snprintf(text, sizeof text, "%.*s", (int)(size < sizeof text ? size : sizeof text), at);
        if (*count == HS_SCOPE_MAX)
            return cli_usage(cli, "--district: more than %d districts", HS_SCOPE_MAX);
        if (size >= sizeof text || hs_partition_parse(text, &partition) != HS_OK || partition == HS_PARTITION_REGION)
            return cli_usage(cli, "--district: '%.*s' is not four digits", (int)size, at);
        to[(*count)++] = partition;
        at += size + (at[size] == ',');
    }
    return HS_OK;
}

static enum hs_err take_enrolment(struct cli *cli, Hallsync__EnrollRequest *enroll)
{
    const char *ttl = cli->options[CLI_TTL];
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err != HS_OK)
        return err;
    enroll->node_id = cli->args[0];
    enroll->ttl_ms = TTL_MS;
    enroll->role = (char *)cli->options[CLI_ROLE]; /* only read: protobuf-c's members know no const */
    if (!hs_node_id_valid(enroll->node_id))
        return cli_usage(cli, "'%s' is not a node id: 1 to 32 of a-z, 0-9 and -, a letter first", enroll->node_id);
    if (ttl != NULL && cli_duration_parse(ttl, &enroll->ttl_ms) != HS_OK)
        return cli_usage(cli, "--ttl: '%s' is not a time such as 24h", ttl);
    enroll->has_rebuild = enroll->rebuild = cli->options[CLI_REBUILD] != NULL;
    err = take_districts(cli, enroll->districts, &enroll->n_districts);
    if (err == HS_OK && enroll->n_districts == 0 && !enroll->rebuild)
        err = cli_usage(cli, "which districts?  --district 3201[,3202...], the home district first");
    return err;
}

/* Of a node that was made anew: what is of the life that is over.  Kept packed: the next answer takes the place of this
 * one. */
static enum hs_err find_announced(struct cli *cli, const char *node_id, struct hs_buf *packed)
{
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    const Hallsync__Reply *reply;
    const Hallsync__AnnouncedStatus *found = NULL;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_STATUS, &reply);
    for (size_t i = 0; err == HS_OK && i < reply->status->n_announced; i++) {
        const Hallsync__AnnouncedStatus *row = reply->status->announced[i];
        if (strcmp(row->node_id, node_id) == 0 && (found == NULL || (found->live && !row->live)))
            found = row;
    }
    if (found != NULL)
        hs_msg_pack(&found->base, packed);
    return err == HS_OK ? packed->err : err;
}

/* What its disk took with it, as far as it had said so: counters and witness may have it. */
static enum hs_err tell_announced(struct cli *cli, const char *node_id)
{
    struct hs_buf packed = {0}, text = {0};
    enum hs_err err = find_announced(cli, node_id, &packed);
    Hallsync__AnnouncedStatus *row = err == HS_OK && packed.size > 0
                                         ? hallsync__announced_status__unpack(NULL, packed.size, packed.data)
                                         : NULL;
    if (err == HS_OK && packed.size > 0)
        err = row != NULL ? HS_OK : HS_ENOMEM;
    if (row != NULL) {
        cli_put_announced(row, &text, row->n_streams);
        if (text.err == HS_OK)
            fprintf(stderr, "%.*s\n", (int)text.size, (const char *)text.data);
        err = text.err;
        hallsync__announced_status__free_unpacked(row, NULL);
    }
    hs_buf_fini(&text);
    hs_buf_fini(&packed);
    return err;
}

/* The old key goes on to be good until somebody says that it is not: its disk may be in a thief's hands, or in a drawer
 * with money on it that nobody else has. */
static enum hs_err tell_rebuild(struct cli *cli, const Hallsync__EnrollReply *reply)
{
    const char *node_id = cli->args[0];
    fprintf(stderr, "At the new machine of %s: hallsync rebuild - --data DIR\n", node_id);
    if (reply->has_live && reply->live)
        fprintf(stderr, "NOTE: %s has a session with a hub now: is its disk really lost?\n", node_id);
    for (size_t i = 0; i < reply->n_replaced_keys; i++)
        fprintf(
            stderr,
            "Its key %.16s... stays good.  When its disk is known to be gone, and witness and counters have handed in "
            "what they have:\n  hallsync node revoke %s --key %.16s --reason \"disk lost\"\n",
            reply->replaced_keys[i], node_id, reply->replaced_keys[i]);
    return tell_announced(cli, node_id); /* the reply is gone with that */
}

/* The token alone, so that a script can take it; what to do with it for whoever sits at a terminal. */
static enum hs_err show_token(struct cli *cli, const Hallsync__EnrollReply *reply)
{
    if (cli->json)
        return cli_json_line(hs_json_message(&reply->base));
    puts(reply->token);
    fflush(stdout);
    if (cli->options[CLI_REBUILD] != NULL)
        return tell_rebuild(cli, reply);
    fprintf(stderr, "At the new node, once and before it expires: hallsync join - --data DIR\n"
                    "(with the token on standard input: arguments are seen by others of that machine)\n");
    return HS_OK;
}

enum hs_err cli_run_enroll(struct cli *cli)
{
    uint32_t districts[HS_SCOPE_MAX];
    Hallsync__EnrollRequest body = HALLSYNC__ENROLL_REQUEST__INIT;
    body.districts = districts;
    enum hs_err err = take_enrolment(cli, &body);
    if (err != HS_OK)
        return err;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_ENROLL;
    request.enroll = &body;
    const Hallsync__Reply *reply;
    err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_ENROLL, &reply);
    return err == HS_OK ? show_token(cli, reply->enroll) : err;
}

/* ---- those that there are ---- */

enum hs_err cli_call_nodes(struct cli *cli, const Hallsync__NodesReply **nodes)
{
    Hallsync__NodesRequest body = HALLSYNC__NODES_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_NODES;
    request.nodes = &body;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_NODES, &reply);
    if (err == HS_OK)
        *nodes = reply->nodes;
    return err;
}

enum hs_err cli_run_nodes(struct cli *cli)
{
    static const struct cli_column NODE[] = {
        {"node_id", "node", CLI_FORM_TEXT},        {"role", "role", CLI_FORM_TEXT},
        {"districts", "districts", CLI_FORM_TEXT}, {"state", "state", CLI_FORM_TEXT},
        {"since_ms", "since", CLI_FORM_TIME},      {"seen_ms", "last seen", CLI_FORM_TIME},
        {"expires_ms", "expires", CLI_FORM_TIME},  {"key", "key", CLI_FORM_TEXT},
    };
    const Hallsync__NodesReply *nodes;
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        err = cli_call_nodes(cli, &nodes);
    if (err != HS_OK)
        return err;
    struct cli_list list;
    cli_list_begin(&list, cli, NODE, sizeof NODE / sizeof *NODE);
    list.keep = 5; /* up to since; the key is long, and for programs */
    for (size_t i = 0; i < nodes->n_nodes; i++)
        cli_list_add(&list, hs_json_message(&nodes->nodes[i]->base));
    return cli_list_end(&list);
}

/* ---- one of them ---- */

static enum hs_err show_announced(const Hallsync__AnnouncedStatus *announced)
{
    struct hs_buf text = {0};
    cli_put_announced(announced, &text, announced->n_streams);
    if (text.err == HS_OK)
        printf("\n%.*s\n", (int)text.size, (const char *)text.data);
    enum hs_err err = text.err;
    hs_buf_fini(&text);
    return err;
}

static enum hs_err show_node(const struct cli *cli, const Hallsync__Node *node)
{
    static const struct cli_column CARD[] = {
        {"node_id", "node", CLI_FORM_TEXT},        {"role", "role", CLI_FORM_TEXT},
        {"districts", "districts", CLI_FORM_TEXT}, {"home", "home", CLI_FORM_TEXT},
        {"state", "state", CLI_FORM_TEXT},         {"reason", "reason", CLI_FORM_TEXT},
        {"since_ms", "since", CLI_FORM_TIME},      {"expires_ms", "expires", CLI_FORM_TIME},
        {"seen_ms", "last seen", CLI_FORM_TIME},   {"key", "node key", CLI_FORM_TEXT},
        {"curve_key", "link key", CLI_FORM_TEXT},
    };
    enum hs_err err = cli_card(cli, CARD, sizeof CARD / sizeof *CARD, hs_json_message(&node->base));
    if (err == HS_OK && !cli->json && node->announced != NULL)
        err = show_announced(node->announced);
    if (err != HS_OK || cli->json || node->curve_key == NULL || strcmp(node->role, "hall") == 0)
        return err;
    printf("\nWho dials it has in hallsync.yaml:\n\nupstreams:\n  - address: \"tcp://HOST:7400\"\n    key: \"%s\"\n%s",
           node->curve_key, strcmp(node->role, "witness") == 0 ? "    group: \"witness\"\n" : "");
    return HS_OK;
}

/* One that was made anew has joined with several keys, and may have a token that waits: the certificate made last is
 * the one in use. */
static const Hallsync__Node *find_node(const Hallsync__NodesReply *nodes, const char *node_id)
{
    const Hallsync__Node *found = NULL;
    for (size_t i = 0; i < nodes->n_nodes; i++) {
        const Hallsync__Node *node = nodes->nodes[i];
        bool joined = node->curve_key != NULL;
        if (strcmp(node->node_id, node_id) == 0 &&
            (found == NULL || (joined && (found->curve_key == NULL || node->since_ms > found->since_ms))))
            found = node;
    }
    return found;
}

static enum hs_err show_found(struct cli *cli, const Hallsync__Node *found, struct hs_bytes packed)
{
    Hallsync__Node node = *found;
    if (packed.size > 0)
        node.announced = hallsync__announced_status__unpack(NULL, packed.size, packed.data);
    enum hs_err err = packed.size > 0 && node.announced == NULL ? HS_ENOMEM : show_node(cli, &node);
    if (node.announced != NULL)
        hallsync__announced_status__free_unpacked(node.announced, NULL);
    return err;
}

enum hs_err cli_run_node_show(struct cli *cli)
{
    const Hallsync__NodesReply *nodes;
    struct hs_buf packed = {0};
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK)
        err = find_announced(cli, cli->args[0], &packed);
    if (err == HS_OK)
        err = cli_call_nodes(cli, &nodes);
    const Hallsync__Node *found = err == HS_OK ? find_node(nodes, cli->args[0]) : NULL;
    if (found != NULL)
        err = show_found(cli, found, hs_buf_bytes(&packed));
    else if (err == HS_OK)
        err = cli_bad(&cli->bad, HS_ENOTFOUND, NULL, "no node %s has joined or may join, as far as this node knows",
                      cli->args[0]);
    hs_buf_fini(&packed);
    return err;
}

enum hs_err cli_run_node_scope(struct cli *cli)
{
    uint32_t districts[HS_SCOPE_MAX];
    Hallsync__ScopeRequest body = HALLSYNC__SCOPE_REQUEST__INIT;
    body.districts = districts;
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK)
        err = take_districts(cli, districts, &body.n_districts);
    if (err == HS_OK && body.n_districts == 0)
        err = cli_usage(cli, "which districts?  --district 3201[,3202...], all that it shall have");
    if (err != HS_OK)
        return err;
    body.node_id = cli->args[0];
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_SCOPE;
    request.scope = &body;
    const Hallsync__Reply *reply;
    err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_NODES, &reply);
    return err == HS_OK && reply->nodes->n_nodes > 0 ? show_node(cli, reply->nodes->nodes[0]) : err;
}
