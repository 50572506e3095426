/* verify --remote: has this node the same records as those that it is connected with?  What is on its way is told from
 * what is damaged. */
#include "node/cli/verify_remote.h"

#include "node/cli/differ.h"
#include "node/cli/progress.h"
#include "node/cli/table.h"
#include "node/cli/verify.h"
#include "proto/base/names.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/msg/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LAGS          1     /* exit status */
#define DIFFERS_NAMED 16    /* the node keeps no more of them */
#define WAIT_MS       30000 /* for what is on its way, too, unless --timeout says otherwise */

/* ---- asking ---- */

static enum hs_err begin(struct cli *cli, uint64_t *number)
{
    Hallsync__CompareRequest body = HALLSYNC__COMPARE_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    request.body_case = HALLSYNC__REQUEST__BODY_COMPARE;
    request.compare = &body;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_COMPARE, &reply);
    if (err == HS_OK)
        *number = reply->compare->number;
    return err;
}

static enum hs_err look(struct cli *cli, const Hallsync__StatusReply **status)
{
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_STATUS, &reply);
    if (err == HS_OK)
        *status = reply->status;
    return err;
}

/* A witness has no records. */
static bool is_meant(const struct cli *cli, const Hallsync__StatusReply *status, const Hallsync__PeerStatus *peer)
{
    const char *only = cli->options[CLI_PEER];
    return strcmp(peer->state, "live") == 0 && strcmp(peer->role, "witness") != 0 &&
           strcmp(status->role, "witness") != 0 && (only == NULL || strcmp(peer->node_id, only) == 0);
}

static bool is_done(const Hallsync__PeerStatus *peer, uint64_t number)
{
    return peer->has_compared && peer->compared >= number && peer->comparison != NULL;
}

/* What was on its way a moment ago may have come. */
static bool any_lags(const struct cli *cli, const Hallsync__StatusReply *status)
{
    for (size_t i = 0; i < status->n_peers; i++) {
        const Hallsync__PeerStatus *peer = status->peers[i];
        if (is_meant(cli, status, peer) && peer->comparison != NULL && strcmp(peer->comparison, "lag") == 0)
            return true;
    }
    return false;
}

static bool all_done(const struct cli *cli, const Hallsync__StatusReply *status, uint64_t number)
{
    uint64_t meant = 0, done = 0;
    for (size_t i = 0; i < status->n_peers; i++) {
        bool is = is_meant(cli, status, status->peers[i]);
        meant += is;
        done += is && is_done(status->peers[i], number);
    }
    if (done < meant)
        cli_progress_step(&(struct cli_step){.what = "comparing", .done = done, .total = meant, .unit = "nodes"});
    else
        cli_progress_step(&(struct cli_step){.what = "waiting for what is on its way", .note = "compared with all"});
    return done == meant;
}

/* ---- showing ---- */

static enum hs_err show_peer(struct cli *cli, const Hallsync__PeerStatus *peer, bool done)
{
    const char *result = done ? peer->comparison : "no-answer";
    char at[HS_TIME_TEXT_BYTES] = "";
    enum hs_err err = HS_OK;
    for (size_t i = 0; done && i < peer->n_differs && err == HS_OK; i++)
        err = cli_show_differ(cli, peer, peer->differs[i]);
    if (err != HS_OK)
        return err;
    if (peer->n_differs >= DIFFERS_NAMED && !cli->json)
        printf("DAMAGED   there may be more: of each node %d are named\n", DIFFERS_NAMED);
    if (cli->json)
        return cli_json_line(json_pack("{ss ss ss sI sI sI}", "node_id", peer->node_id, "role", peer->role, "result",
                                       result, "equal_as_of_ms", (json_int_t)peer->equal_as_of_ms, "lag_out_ops",
                                       (json_int_t)peer->lag_out_ops, "lag_in_ops", (json_int_t)peer->lag_in_ops));
    if (peer->has_equal_as_of_ms)
        hs_time_text(peer->equal_as_of_ms, cli->utc_offset_minutes, at);
    if (strcmp(result, "equal") == 0)
        printf("equal with %s as of %.5s\n", peer->node_id, at + 11);
    else if (strcmp(result, "lag") == 0)
        printf("not equal with %s: operations are on their way, or one side is being filled\n", peer->node_id);
    else if (strcmp(result, "damage") == 0)
        printf("DAMAGED here or at %s: 'hallsync verify --full' on both says where\n", peer->node_id);
    else
        printf("%s has not answered in time\n", peer->node_id);
    return HS_OK;
}

/* The worst of all is the answer. */
static int status_of(const Hallsync__PeerStatus *peer, bool done)
{
    if (done && strcmp(peer->comparison, "damage") == 0)
        return CLI_DAMAGED;
    return done && strcmp(peer->comparison, "equal") == 0 ? 0 : LAGS;
}

static enum hs_err show_all(struct cli *cli, const Hallsync__StatusReply *status, uint64_t first)
{
    enum hs_err err = HS_OK;
    size_t count = 0;
    for (size_t i = 0; i < status->n_peers && err == HS_OK; i++) {
        const Hallsync__PeerStatus *peer = status->peers[i];
        if (!is_meant(cli, status, peer))
            continue;
        bool done = is_done(peer, first);
        int worst = status_of(peer, done);
        count++;
        cli->status = worst > cli->status ? worst : cli->status;
        err = show_peer(cli, peer, done);
    }
    if (err == HS_OK && count == 0)
        return cli_bad(&cli->bad, HS_ENOLINK, NULL, "there is no session with %s: nothing was compared",
                       cli->options[CLI_PEER] != NULL ? cli->options[CLI_PEER] : "any node that has records");
    return err;
}

enum hs_err cli_verify_remote(struct cli *cli)
{
    const Hallsync__StatusReply *status = NULL;
    uint64_t number = 0;
    uint64_t end = hs_tick_ms() + (cli->options[CLI_TIMEOUT] != NULL ? cli_timeout_ms(cli) : WAIT_MS);
    enum hs_err err = begin(cli, &number);
    uint64_t first = number;
    if (err == HS_OK)
        err = look(cli, &status);
    while (err == HS_OK && hs_tick_ms() < end) {
        bool done = all_done(cli, status, number);
        if (done && !any_lags(cli, status))
            break;
        if (done)
            err = begin(cli, &number);
        nanosleep(&(struct timespec){.tv_nsec = CLI_LOOK_AGAIN * 1000000L}, NULL);
        if (err == HS_OK)
            err = look(cli, &status);
    }
    cli_progress_end();
    /* another call would take the reply away */
    Hallsync__StatusReply *kept = err == HS_OK ? (Hallsync__StatusReply *)hs_msg_copy(&status->base) : NULL;
    if (err == HS_OK)
        err = kept != NULL ? show_all(cli, kept, first) : HS_ENOMEM;
    if (kept != NULL)
        hallsync__status_reply__free_unpacked(kept, NULL);
    return err;
}
