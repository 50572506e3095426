/* status, wait, digest: how the node is. */
#include "node/cli/forms.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "proto/base/names.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define WATCH_S       2
#define WAIT_MS       30000
#define WAIT_GRACE_MS 10000 /* the node's answer comes after its own time is over */

static const struct cli_column STATUS[] = {
    {"node_id", "node", CLI_FORM_TEXT},
    {"role", "role", CLI_FORM_TEXT},
    {"region", "region", CLI_FORM_TEXT},
    {"districts", "districts", CLI_FORM_TEXT},
    {"version", "version", CLI_FORM_TEXT},
    {"store_id", "store", CLI_FORM_TEXT},
    {"origin", "origin", CLI_FORM_TEXT},
    {"origins_opened", "origins so far", CLI_FORM_NUMBER},
    {"position", "position", CLI_FORM_TEXT},
    {"records_commit", "records up to", CLI_FORM_NUMBER},
    {"conflicts", "conflicts", CLI_FORM_NUMBER},
    {"overpayments", "overpayments", CLI_FORM_NUMBER},
    {"parked", "parked records", CLI_FORM_NUMBER},
    {"forks", "forks", CLI_FORM_NUMBER},
    {"stopped_streams", "stopped streams", CLI_FORM_NUMBER},
    {"store_bytes", "store size", CLI_FORM_BYTES},
    {"disk_free_bytes", "free on disk", CLI_FORM_BYTES},
    {"clock_ms", "clock", CLI_FORM_TIME},
};

static const struct cli_column PEER[] = {
    {"node_id", "peer", CLI_FORM_TEXT},
    {"role", "role", CLI_FORM_TEXT},
    {"state", "link", CLI_FORM_TEXT},
    {"since_ms", "since", CLI_FORM_TIME},
    {"lag_out_ops", "to send", CLI_FORM_NUMBER},
    {"lag_out_seconds", "oldest s", CLI_FORM_NUMBER},
    {"lag_in_ops", "to come", CLI_FORM_NUMBER},
    {"equal_as_of_ms", "found equal", CLI_FORM_TIME},
    {"lag_out_bytes", "size", CLI_FORM_BYTES},
    {"clock_offset_ms", "clock off ms", CLI_FORM_NUMBER},
    {"round_trip_ms", "round trip ms", CLI_FORM_NUMBER},
    {"address", "address", CLI_FORM_TEXT},
    {"why", "why", CLI_FORM_PROSE},
};
#define PEER_KEEP 5 /* columns that a narrow terminal shows too */

static void add_position(json_t *object, const Hallsync__Reply *reply)
{
    char text[CLI_POSITION_BYTES];
    if (reply->position != NULL)
        json_object_set_new(object, "position",
                            json_string(cli_position_text(reply->position->commit, reply->position->tag, text)));
}

static enum hs_err show_peers(const struct cli *cli, const Hallsync__StatusReply *status)
{
    if (cli->json || status->n_peers == 0)
        return HS_OK;
    struct cli_list list;
    putchar('\n');
    cli_list_begin(&list, cli, PEER, sizeof PEER / sizeof *PEER);
    list.keep = PEER_KEEP;
    for (size_t i = 0; i < status->n_peers; i++)
        cli_list_add(&list, cli_show_message(&status->peers[i]->base));
    return cli_list_end(&list);
}

static enum hs_err show_status(struct cli *cli)
{
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_STATUS, &reply);
    if (err != HS_OK)
        return err;
    json_t *object = cli_show_message(&reply->status->base);
    add_position(object, reply);
    err = cli_card(cli, STATUS, sizeof STATUS / sizeof *STATUS, object);
    return err == HS_OK ? show_peers(cli, reply->status) : err;
}

enum hs_err cli_run_status(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err != HS_OK || cli->options[CLI_WATCH] == NULL)
        return err == HS_OK ? show_status(cli) : err;
    bool clear = !cli->json && isatty(STDOUT_FILENO) == 1;
    while (err == HS_OK) {
        fputs(clear ? "\033[H\033[2J" : "", stdout);
        err = show_status(cli);
        fflush(stdout);
        sleep(WATCH_S);
    }
    return err;
}

/* Not synced in time is an answer, and the answer is no. */
static enum hs_err show_wait(struct cli *cli, const Hallsync__WaitReply *wait)
{
    if (!wait->synced)
        cli->status = 1;
    if (cli->json)
        return cli_json_line(cli_show_message(&wait->base));
    if (wait->synced)
        puts("synced");
    else
        printf("not synced: %s\n", wait->missing != NULL ? wait->missing : "it takes longer");
    return HS_OK;
}

enum hs_err cli_run_wait(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK && cli->options[CLI_SYNCED] == NULL)
        err = cli_usage(cli, "wait for what?  hallsync wait --synced [--timeout 30s]");
    if (err != HS_OK)
        return err;
    uint64_t timeout = cli->options[CLI_TIMEOUT] != NULL ? cli_timeout_ms(cli) : WAIT_MS;
    cli->call_ms = timeout + WAIT_GRACE_MS;
    Hallsync__WaitRequest body = HALLSYNC__WAIT_REQUEST__INIT;
    body.timeout_ms = (uint32_t)(timeout < UINT32_MAX ? timeout : UINT32_MAX);
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_WAIT;
    request.wait = &body;
    const Hallsync__Reply *reply;
    err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_WAIT, &reply);
    return err == HS_OK ? show_wait(cli, reply->wait) : err;
}

static enum hs_err ask_digest(struct cli *cli, Hallsync__DigestRequest *body, const Hallsync__DigestReply **digests)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_DIGEST;
    request.digest = body;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_DIGEST, &reply);
    if (err == HS_OK)
        *digests = reply->digest;
    return err;
}

enum hs_err cli_run_digest(struct cli *cli)
{
    static const struct cli_column DIGEST[] = {{"partition", "district", CLI_FORM_TEXT},
                                               {"kind", "kind", CLI_FORM_TEXT},
                                               {"count", "count", CLI_FORM_NUMBER},
                                               {"digest", "digest", CLI_FORM_TEXT}};
    const char *text = cli->options[CLI_PARTITION];
    hs_partition partition = 0;
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK && text != NULL && hs_partition_parse(text, &partition) != HS_OK)
        err = cli_usage(cli, "--partition: '%s' is neither a district nor region", text);
    if (err != HS_OK)
        return err;
    Hallsync__DigestRequest body = HALLSYNC__DIGEST_REQUEST__INIT;
    body.has_partition = text != NULL;
    body.partition = partition;
    const Hallsync__DigestReply *digests;
    err = ask_digest(cli, &body, &digests);
    if (err != HS_OK)
        return err;
    struct cli_list list;
    cli_list_begin(&list, cli, DIGEST, sizeof DIGEST / sizeof *DIGEST);
    for (size_t i = 0; i < digests->n_digests; i++)
        cli_list_add(&list, cli_show_message(&digests->digests[i]->base));
    return cli_list_end(&list);
}
