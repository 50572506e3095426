/* wait, digest: whether others have what is here. */
#include "node/cli/forms.h"
#include "node/cli/progress.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/names.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MS       30000
#define WAIT_GRACE_MS 10000 /* the node's answer comes after its own time is over */

/* Not synced in time is an answer, and the answer is no. */
static enum hs_err show_wait(struct cli *cli, const Hallsync__WaitReply *wait)
{
    if (!wait->synced)
        cli->status = 1;
    if (cli->json)
        return cli_json_line(hs_json_message(&wait->base));
    if (wait->synced)
        puts("synced");
    else
        printf("not synced: %s\n", wait->missing != NULL ? wait->missing : "it takes longer");
    return HS_OK;
}

static enum hs_err wait_synced(struct cli *cli, uint64_t timeout, const Hallsync__WaitReply **wait)
{
    Hallsync__WaitRequest body = HALLSYNC__WAIT_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    body.timeout_ms = (uint32_t)(timeout < UINT32_MAX ? timeout : UINT32_MAX);
    request.body_case = HALLSYNC__REQUEST__BODY_WAIT;
    request.wait = &body;
    cli->call_ms = timeout + WAIT_GRACE_MS;
    cli_progress_step(&(struct cli_step){.what = "waiting until hub and node hold the same", .limit_ms = timeout});
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_WAIT, &reply);
    cli_progress_end();
    if (err == HS_OK)
        *wait = reply->wait;
    return err;
}

enum hs_err cli_run_wait(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK && cli->options[CLI_SYNCED] == NULL)
        err = cli_usage(cli, "wait for what?  hallsync wait --synced [--timeout 30s]");
    if (err != HS_OK)
        return err;
    uint64_t timeout = cli->options[CLI_TIMEOUT] != NULL ? cli_timeout_ms(cli) : WAIT_MS;
    const Hallsync__WaitReply *wait;
    err = wait_synced(cli, timeout, &wait);
    return err == HS_OK ? show_wait(cli, wait) : err;
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
        cli_list_add(&list, hs_json_message(&digests->digests[i]->base));
    return cli_list_end(&list);
}
