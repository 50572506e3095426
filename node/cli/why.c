/* why: why is a node behind, what shows it, and what to do. */
#include "node/cli/table.h"
#include "node/json/cause.h"
#include "proto/base/limits.h"
#include "proto/base/names.h"
#include "proto/base/standing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INDENT 10

/* ---- on the screen ---- */

static void put_line(const char *title, struct hs_buf *text)
{
    hs_buf_put_u8(text, 0);
    cli_line(title, text->err == HS_OK ? (const char *)text->data : "?", INDENT);
    hs_buf_reset(text);
}

static enum hs_err show_one(struct cli *cli, const char *node_id, const struct hs_cause *cause)
{
    const struct hs_cause_row *row = hs_cause_row(cause->id);
    struct hs_buf text = {0};
    if (hs_cause_is_behind(cause))
        cli->status = 1;
    if (cli->json)
        return cli_json_line(hs_json_cause(node_id, cause, cli->utc_offset_minutes));
    printf("%s: %s\n", node_id, row->name);
    hs_buf_put_format(&text, "%s", row->en);
    if (cause->peer != NULL && cause->peer->group != NULL && strcmp(cause->peer->node_id, node_id) != 0)
        hs_buf_put_format(&text, " (%s)",
                          cause->peer->node_id[0] != '\0' ? cause->peer->node_id : cause->peer->address);
    put_line("why", &text);
    for (size_t i = 0; i < cause->evidence_count; i++) {
        hs_evidence_put(&cause->evidence[i], HS_ENGLISH, cli->utc_offset_minutes, &text);
        put_line(i == 0 ? "evidence" : "", &text);
    }
    if (row->sort != HS_CAUSE_WELL) {
        cli_line("next", row->next_en, INDENT);
        cli_line("", cause->command, INDENT);
    }
    hs_buf_fini(&text);
    return HS_OK;
}

/* ---- one node ---- */

/* What the registry says of a node that the status does not list. */
struct known {
    Hallsync__PeerStatus peer;
    char node_id[HS_NODE_ID_BYTES_MAX + 1], role[16], reason[HS_WHY_BYTES];
    bool found, revoked;
};

static bool is_later(const struct known *known, const Hallsync__Node *node)
{
    return !known->found || (node->live && strcmp(known->peer.state, "live") != 0) ||
           node->since_ms > known->peer.key_ms;
}

static void take_node(struct known *known, const Hallsync__Node *node)
{
    bool revoked = strcmp(node->state, "revoked") == 0;
    enum hs_peer_standing standing = hs_standing_by_name(node->state);
    hallsync__peer_status__init(&known->peer);
    snprintf(known->node_id, sizeof known->node_id, "%s", node->node_id);
    snprintf(known->role, sizeof known->role, "%s", node->role);
    known->found = true;
    known->peer.node_id = known->node_id;
    known->peer.role = known->role;
    known->peer.state = (char *)hs_standing_text(standing != HS_STANDING_COUNT ? standing : HS_STANDING_AWAY);
    snprintf(known->reason, sizeof known->reason, "%s", node->reason != NULL ? node->reason : "");
    known->revoked = revoked;
    known->peer.why = known->reason[0] != '\0' ? known->reason : NULL;
    known->peer.reason = revoked ? (char *)hs_reason_text(HS_REASON_REVOKED) : NULL;
    known->peer.has_since_ms = revoked && node->has_revoked_ms;
    known->peer.since_ms = node->revoked_ms;
    known->peer.has_seen_ms = node->has_seen_ms;
    known->peer.seen_ms = node->seen_ms;
    known->peer.key_ms = node->since_ms;
}

static enum hs_err find_node(struct cli *cli, const char *node_id, struct known *known)
{
    const Hallsync__NodesReply *nodes;
    enum hs_err err = cli_call_nodes(cli, &nodes);
    for (size_t i = 0; err == HS_OK && i < nodes->n_nodes; i++) {
        if (strcmp(nodes->nodes[i]->node_id, node_id) == 0 && is_later(known, nodes->nodes[i]))
            take_node(known, nodes->nodes[i]);
    }
    return err;
}

/* A live session says more than an upstream that waits, or than the registry. */
static const Hallsync__PeerStatus *find_peer(const Hallsync__StatusReply *status, const char *node_id)
{
    const Hallsync__PeerStatus *found = NULL;
    for (size_t i = 0; i < status->n_peers; i++) {
        const Hallsync__PeerStatus *peer = status->peers[i];
        bool its = strcmp(peer->node_id, node_id) == 0 ||
                   (peer->address != NULL && strcmp(peer->address, node_id) == 0);
        if (its && (found == NULL || hs_standing_by_name(peer->state) == HS_STANDING_LIVE))
            found = peer;
    }
    return found;
}

static enum hs_err ask_status(struct cli *cli, const Hallsync__StatusReply **status)
{
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    body.has_region = body.region = true;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_STATUS, &reply);
    if (err == HS_OK)
        *status = reply->status;
    return err;
}

static enum hs_err why_one(struct cli *cli, const char *node_id)
{
    struct known known = {0};
    const Hallsync__StatusReply *status;
    struct hs_cause cause;
    enum hs_err err = find_node(cli, node_id, &known);
    if (err == HS_OK)
        err = ask_status(cli, &status);
    if (err != HS_OK)
        return err;
    const Hallsync__PeerStatus *peer = find_peer(status, node_id);
    if (strcmp(status->node_id, node_id) == 0) {
        hs_why_node(status, &cause);
        return show_one(cli, node_id, &cause);
    }
    if (peer == NULL && !known.found) {
        struct hs_why why;
        return cli_fail(cli, hs_fail(HS_ENOTFOUND, &why, "no node '%s' is known here: hallsync node list", node_id),
                        &why);
    }
    bool away = peer == NULL || (known.revoked && hs_standing_by_name(peer->state) == HS_STANDING_AWAY);
    hs_why_peer(status, away ? &known.peer : peer, &cause); /* the registry says when a key was revoked */
    return show_one(cli, node_id, &cause);
}

/* ---- all that are behind ---- */

struct row {
    const Hallsync__PeerStatus *peer;
    struct hs_cause cause;
};

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    if (left->cause.id != right->cause.id)
        return left->cause.id < right->cause.id ? -1 : 1;
    return strcmp(left->peer->node_id, right->peer->node_id);
}

static json_t *row_object(const struct cli *cli, const struct row *row)
{
    const struct hs_cause_row *cause = hs_cause_row(row->cause.id);
    struct hs_buf text = {0};
    if (cli->json)
        return hs_json_cause(row->peer->node_id, &row->cause, cli->utc_offset_minutes);
    hs_buf_put_format(&text, "%s", cause->en);
    if (row->cause.evidence_count > 0) {
        hs_buf_put_format(&text, "; ");
        hs_evidence_put(&row->cause.evidence[0], HS_ENGLISH, cli->utc_offset_minutes, &text);
    }
    hs_buf_put_u8(&text, 0);
    json_t *object = json_pack("{ss ss ss}", "node_id", row->peer->node_id, "code", cause->name, "why",
                               text.err == HS_OK ? (const char *)text.data : "?");
    hs_buf_fini(&text);
    return object;
}

static enum hs_err show_rows(struct cli *cli, struct row *rows, size_t count)
{
    static const struct cli_column COLUMNS[] = {
        {"node_id", "node", CLI_FORM_TEXT}, {"code", "cause", CLI_FORM_TEXT}, {"why", "why", CLI_FORM_PROSE}};
    struct cli_list list;
    qsort(rows, count, sizeof *rows, compare_rows);
    cli_list_begin(&list, cli, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
    for (size_t i = 0; i < count; i++)
        cli_list_add(&list, row_object(cli, &rows[i]));
    return cli_list_end(&list);
}

/* A hub: those below it, and itself where it is behind others. */
static enum hs_err why_all(struct cli *cli, const Hallsync__StatusReply *status)
{
    size_t count = 0;
    struct row *rows = calloc(status->n_peers + 1, sizeof *rows);
    if (rows == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < status->n_peers; i++) {
        struct row *row = &rows[count];
        row->peer = status->peers[i];
        if (row->peer->group != NULL || row->peer->node_id[0] == '\0')
            continue;
        hs_why_peer(status, row->peer, &row->cause);
        count += hs_cause_is_behind(&row->cause);
    }
    enum hs_err err = HS_OK;
    if (count > 0) {
        cli->status = 1;
        err = show_rows(cli, rows, count);
    } else if (!cli->json && cli->status == 0) { /* else it has just been said of the hub itself */
        puts("nobody is behind");
    }
    free(rows);
    return err;
}

enum hs_err cli_run_why(struct cli *cli)
{
    const Hallsync__StatusReply *status;
    struct hs_cause cause;
    enum hs_err err = cli_take_args(cli, 0, 1);
    if (err != HS_OK)
        return err;
    if (cli->arg_count == 1)
        return why_one(cli, cli->args[0]);
    err = ask_status(cli, &status);
    if (err != HS_OK)
        return err;
    bool hub = strcmp(status->role, "hub") == 0;
    hs_why_node(status, &cause);
    if (!hub || hs_cause_is_behind(&cause))
        err = show_one(cli, status->node_id, &cause);
    return err == HS_OK && hub ? why_all(cli, status) : err;
}
