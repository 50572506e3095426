/* rebuild: a node that has lost its disk is made anew, and what is known of it comes back: a join with progress, and at
 * the end what came, by life of the node. */
#include "node/cli/forms.h"
#include "node/cli/progress.h"
#include "node/cli/setup.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/hash.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MARK_DOMAIN "hallsync rebuild 1"
#define MARK_MODE   0600
#define MARK_BYTES  (2 * HS_HASH_BYTES)
#define COME_MS     60000 /* so long the daemon is waited for, by default */
#define LOOK_MS     500
#define CALL_MS     10000
#define SYNC_MS     5000

static void pause_ms(unsigned ms)
{
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&pause, NULL);
}

/* ---- whose directory it is ---- */

/* A directory that this token has begun to fill is gone on with; one with other keys is the lost node's, or another's,
 * and its keys would be used again. */
struct mark {
    char path[PATH_MAX + 16];
    char text[MARK_BYTES + 1];
};

static void make_mark(const struct cli_setup *setup, const struct hs_token *token, struct mark *mark)
{
    struct hs_hash hash = hs_hash_domain(MARK_DOMAIN, HS_BYTES(token->secret, sizeof token->secret));
    hs_text_to_hex(HS_BYTES(hash.bytes, sizeof hash.bytes), mark->text);
    snprintf(mark->path, sizeof mark->path, "%s/rebuild", setup->dir);
}

static bool is_marked(const struct mark *mark)
{
    char text[MARK_BYTES + 1] = "";
    FILE *file = fopen(mark->path, "re");
    if (file == NULL)
        return false;
    size_t size = fread(text, 1, MARK_BYTES, file);
    fclose(file);
    return size == MARK_BYTES && memcmp(text, mark->text, MARK_BYTES) == 0;
}

static enum hs_err enter(struct cli_setup *setup, const struct hs_token *token)
{
    struct mark mark;
    struct hs_why why = {0};
    make_mark(setup, token, &mark);
    if (is_marked(&mark))
        return HS_OK;
    if (cli_is_joined(setup) || cli_setup_has_store(setup))
        return cli_bad(&setup->cli->bad, HS_EEXISTS, NULL,
                       "%s holds a node already, and rebuild makes new keys: move it aside, or say another --data",
                       setup->dir);
    enum hs_err err = hs_file_write(mark.path, HS_BYTES(mark.text, MARK_BYTES), MARK_MODE, &why);
    return err == HS_OK ? HS_OK : cli_fail(setup->cli, err, &why);
}

/* ---- until everything is here ---- */

struct watch {
    struct cli *cli;
    uint64_t end_ms; /* 0: no limit */
    size_t fills_max;
    uint64_t most; /* operations that were still to come */
};

static bool is_over(const struct watch *watch)
{
    return watch->end_ms != 0 && hs_tick_ms() >= watch->end_ms;
}

static enum hs_err ask_status(struct cli *cli, const Hallsync__StatusReply **status)
{
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_STATUS, &reply);
    if (err == HS_OK)
        *status = reply->status;
    return err;
}

/* Whoever starts the daemon does it meanwhile. */
static enum hs_err wait_for_node(struct watch *watch, const char *config)
{
    const Hallsync__StatusReply *status;
    uint64_t come_ms = hs_tick_ms() + COME_MS;
    enum hs_err err = ask_status(watch->cli, &status);
    if (err == HS_EUNREACHABLE || err == HS_ETIMEDOUT)
        fprintf(stderr, "Waiting for the node to be started: hallsyncd -c %s\n", config);
    while ((err == HS_EUNREACHABLE || err == HS_ETIMEDOUT) && !is_over(watch) && hs_tick_ms() < come_ms) {
        cli_progress_step(&(struct cli_step){.what = "waiting for the node to be started", .limit_ms = COME_MS});
        pause_ms(LOOK_MS);
        err = ask_status(watch->cli, &status);
    }
    cli_progress_end();
    return err;
}

/* Of thousandths, over all districts and lanes alike. */
static uint64_t filled(struct watch *watch, const Hallsync__StatusReply *status)
{
    if (status->n_fills > watch->fills_max)
        watch->fills_max = status->n_fills;
    uint64_t done = (watch->fills_max - status->n_fills) * 1000;
    for (size_t i = 0; i < status->n_fills; i++) {
        const Hallsync__FillStatus *fill = status->fills[i];
        if (fill->has_total && fill->total > 0)
            done += fill->records < fill->total ? fill->records * 1000 / fill->total : 999;
    }
    return done;
}

static enum hs_err ask_synced(struct cli *cli, bool *synced)
{
    Hallsync__WaitRequest body = HALLSYNC__WAIT_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    body.timeout_ms = SYNC_MS;
    request.body_case = HALLSYNC__REQUEST__BODY_WAIT;
    request.wait = &body;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_WAIT, &reply);
    *synced = err == HS_OK && reply->wait->synced;
    return err;
}

static uint64_t to_come(const Hallsync__StatusReply *status)
{
    uint64_t ops = 0;
    for (size_t i = 0; i < status->n_peers; i++)
        ops += strcmp(status->peers[i]->state, "live") == 0 ? status->peers[i]->lag_in_ops : 0;
    return ops;
}

/* All records are here, and of the operations all that a hub and live witnesses have named. */
static enum hs_err look(struct watch *watch, bool *whole)
{
    const Hallsync__StatusReply *status;
    enum hs_err err = ask_status(watch->cli, &status);
    *whole = false;
    if (err != HS_OK)
        return err;
    if (status->n_fills > 0) {
        uint64_t done = filled(watch, status);
        cli_progress_step(&(struct cli_step){.what = "filling", .done = done, .total = watch->fills_max * 1000});
        return HS_OK;
    }
    uint64_t left = to_come(status);
    watch->most = left > watch->most ? left : watch->most;
    cli_progress_step(&(struct cli_step){
        .what = "catching up", .done = watch->most - left, .total = watch->most, .unit = "operations"});
    err = left > 0 ? HS_OK : ask_synced(watch->cli, whole);
    return err;
}

static enum hs_err wait_until_whole(struct watch *watch, bool *whole)
{
    enum hs_err err = HS_OK;
    *whole = false;
    while (!*whole && !is_over(watch) && (err == HS_OK || err == HS_EUNREACHABLE || err == HS_ETIMEDOUT)) {
        err = look(watch, whole);
        if (!*whole && !is_over(watch))
            pause_ms(LOOK_MS);
    }
    cli_progress_end();
    return err;
}

/* ---- what came ---- */

static enum hs_err ask_lives(struct cli *cli, const char *node_id, const Hallsync__LivesReply **lives)
{
    Hallsync__LivesRequest body = HALLSYNC__LIVES_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    body.node_id = (char *)(uintptr_t)node_id; /* only read */
    request.body_case = HALLSYNC__REQUEST__BODY_LIVES;
    request.lives = &body;
    const Hallsync__Reply *reply;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_LIVES, &reply);
    if (err == HS_OK)
        *lives = reply->lives;
    return err;
}

static json_t *came_back(const Hallsync__LivesReply *lives)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < lives->n_lives && rows != NULL; i++) {
        if (!lives->lives[i]->own)
            json_array_append_new(rows, hs_json_message(&lives->lives[i]->base));
    }
    return rows;
}

static void tell_lives(const struct cli *cli, const char *node_id, const Hallsync__LivesReply *lives)
{
    char since[HS_TIME_TEXT_BYTES], sum[CLI_MONEY_BYTES];
    for (size_t i = 0; i < lives->n_lives; i++) {
        const Hallsync__Life *life = lives->lives[i];
        if (life->own)
            continue;
        hs_time_text(life->since_ms, cli->utc_offset_minutes, since);
        printf("Of its life under key %.16s... (since %.10s) %" PRIu64 " operations are here", life->key, since,
               life->operations);
        if (life->has_payments)
            printf(", among them %" PRIu64 " payments of %s yuan in all", life->payments,
                   cli_money_text(life->sum_fen, sum));
        printf("%s.\n", life->revoked ? "; the key is revoked" : "");
    }
    printf("What it had said to have and nobody has: at the hub, hallsync node show %s.\n"
           "Counters with an outbox hand in by themselves what only they have.\n",
           node_id);
}

static enum hs_err report(const struct cli_setup *setup, const char *node_id, bool before, bool whole)
{
    struct cli *cli = setup->cli;
    const Hallsync__LivesReply *lives;
    enum hs_err err = ask_lives(cli, node_id, &lives);
    if (err != HS_OK)
        return err;
    cli->status = whole ? 0 : 1;
    if (cli->json)
        return cli_json_line(json_pack("{ss ss ss sb sb so}", "id", node_id, "data", setup->dir, "config",
                                       setup->config, "before", before, "whole", whole, "came_back", came_back(lives)));
    printf("%s %s.\n", node_id,
           whole ? "is whole again: everything that a hub or a live witness has of its districts is here"
                 : "is not whole yet: it goes on by itself, hallsync status shows it");
    tell_lives(cli, node_id, lives);
    return HS_OK;
}

/* ---- the command ---- */

/* The node's own configuration, whatever else is configured on this machine. */
static enum hs_err find_node(struct cli_setup *setup)
{
    setup->cli->options[CLI_CONFIG] = setup->config;
    return cli_config_find(setup->cli);
}

static enum hs_err follow(struct cli_setup *setup, const char *node_id, bool before)
{
    struct cli *cli = setup->cli;
    bool limited = cli->options[CLI_TIMEOUT] != NULL;
    struct watch watch = {.cli = cli, .end_ms = limited ? hs_tick_ms() + cli_timeout_ms(cli) : 0};
    bool whole;
    cli->call_ms = CALL_MS;
    enum hs_err err = find_node(setup);
    if (err == HS_OK)
        err = wait_for_node(&watch, setup->config);
    if (err == HS_OK)
        err = wait_until_whole(&watch, &whole);
    return err == HS_OK ? report(setup, node_id, before, whole) : err;
}

enum hs_err cli_run_rebuild(struct cli *cli)
{
    struct cli_setup setup = {.cli = cli};
    struct hs_token token = {0};
    struct hs_certificate certificate = {0};
    bool before = false;
    enum hs_err err = cli_read_token(cli, &token);
    if (err == HS_OK)
        err = cli_setup_begin(&setup, cli);
    if (err == HS_OK)
        err = enter(&setup, &token);
    if (err == HS_OK)
        err = cli_join(&setup, &token, &certificate, &before);
    cli_forget_token(&token);
    if (err == HS_OK && cli->options[CLI_NO_WAIT] != NULL)
        err = cli_tell_joined(&setup, &certificate, before);
    else if (err == HS_OK)
        err = follow(&setup, certificate.node_id, before);
    cli_setup_end(&setup);
    return err;
}
