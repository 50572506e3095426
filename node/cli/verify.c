/* verify: is everything in the store as it was written?  The running node is asked; a stopped store is read here, also
 * one that does not open any more. */
#include "node/cli/forms.h"
#include "node/json/json.h"
#include "node/cli/progress.h"
#include "node/cli/stopped.h"
#include "node/cli/table.h"
#include "node/cli/verify.h"
#include "node/cli/verify_remote.h"
#include "proto/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static json_t *id_json(struct hs_bytes id)
{
    char hex[2 * HS_RECORD_ID_BYTES_MAX + 1] = "";
    if (id.size <= HS_RECORD_ID_BYTES_MAX)
        hs_text_to_hex(id, hex);
    return json_string(hex);
}

static json_t *finding_json(const struct hs_rotten *rotten, const char *text)
{
    char part[HS_PARTITION_TEXT_BYTES], kind[HS_JSON_KIND_BYTES], origin[17];
    json_t *row = json_pack("{ss ss ss sb}", "sort", hs_rot_text(rotten->sort), "text", text, "remedy",
                            hs_rot_remedy(rotten), "mends", hs_rot_mends(rotten));
    if (row == NULL)
        return NULL;
    if (rotten->node != NULL)
        json_object_set_new(row, "node_id", json_string(rotten->node));
    if (rotten->stream.origin != 0) {
        snprintf(origin, sizeof origin, "%016" PRIx64, rotten->stream.origin);
        json_object_set_new(row, "origin", json_string(origin));
    }
    if (rotten->stream.lane != 0 && hs_lane_valid(rotten->stream.lane)) {
        json_object_set_new(row, "partition", json_string(hs_partition_text(rotten->stream.partition, part)));
        json_object_set_new(row, "lane", json_string(hs_lane_text((enum hs_lane)rotten->stream.lane)));
        json_object_set_new(row, "first", json_integer((json_int_t)rotten->first));
        json_object_set_new(row, "last", json_integer((json_int_t)rotten->last));
    }
    if (rotten->name.kind != 0) {
        json_object_set_new(row, "partition", json_string(hs_partition_text(rotten->name.partition, part)));
        json_object_set_new(row, "kind", json_string(hs_json_kind(rotten->name.kind, kind)));
        json_object_set_new(row, "record_id", id_json(rotten->name.id));
    }
    return row;
}

/* In columns: a repair says below it what is done. */
static void show_line(const char *text, bool mends, const char *remedy, bool repairs)
{
    cli_line("DAMAGED", text, 9);
    if (repairs && remedy != NULL)
        cli_line(mends ? "  repair" : "  TO DO", remedy, 9);
}

enum hs_err cli_show_rotten(const struct cli *cli, const struct hs_rotten *rotten, bool repairs)
{
    struct hs_buf text = {0};
    enum hs_err err = HS_OK;
    hs_rotten_text(rotten, &text);
    hs_buf_put_u8(&text, 0);
    if (text.err != HS_OK)
        err = text.err;
    else if (cli->json)
        err = cli_json_line(finding_json(rotten, (const char *)text.data));
    else
        show_line((const char *)text.data, hs_rot_mends(rotten), hs_rot_remedy(rotten), repairs);
    hs_buf_fini(&text);
    return err;
}

static enum hs_err show_finding(void *ctx, const struct hs_rotten *rotten)
{
    return cli_show_rotten(ctx, rotten, false);
}

/* ---- the end ---- */

struct verdict {
    bool full, no_records;
    uint64_t rows, streams, ops, records, effects, found;
};

static enum hs_err show_verdict(struct cli *cli, const struct verdict *verdict)
{
    cli->status = verdict->found != 0 ? CLI_DAMAGED : 0;
    if (cli->json)
        return cli_json_line(json_pack("{sI sb sI sI sI sI sI sb}", "damaged", (json_int_t)verdict->found, "full",
                                       verdict->full, "rows", (json_int_t)verdict->rows, "streams",
                                       (json_int_t)verdict->streams, "ops", (json_int_t)verdict->ops, "records",
                                       (json_int_t)verdict->records, "effects", (json_int_t)verdict->effects,
                                       "records_to_be_made", verdict->no_records));
    printf("%" PRIu64 " operations of %" PRIu64 " streams: chains and signatures\n", verdict->ops, verdict->streams);
    printf("%" PRIu64 " operations against the records%s\n", verdict->effects,
           verdict->full ? "" : " (a sample; all with --full)");
    if (verdict->no_records)
        printf("the records are made anew from the log at the next start\n");
    else
        printf("%" PRIu64 " records: checksums, indexes, sums, digests, lists\n", verdict->records);
    if (verdict->found == 0)
        printf("everything is as it was written\n");
    else
        printf("%" PRIu64 " damaged: 'hallsync repair' says what can be done\n", verdict->found);
    return HS_OK;
}

/* ---- a stopped store ---- */

void cli_verify_told(void *ctx, const struct hs_check_progress *at)
{
    (void)ctx; /* there is one progress for all */
    cli_progress_step(&(struct cli_step){.what = at->what, .done = at->done, .total = at->total, .unit = at->unit});
}

static enum hs_err verify_dir(struct cli *cli, const char *dir)
{
    struct hs_check_options options = {
        .full = cli->options[CLI_FULL] != NULL, .visit = show_finding, .told = cli_verify_told, .ctx = cli};
    struct hs_check_figures figures;
    struct hs_why why = {0};
    enum hs_err err = hs_check_dir(dir, &options, &figures, &why);
    cli_progress_end();
    if (err != HS_OK)
        return cli_fail(cli, err, &why);
    struct verdict verdict = {options.full, figures.no_records, figures.rows,    figures.streams,
                              figures.ops,  figures.records,    figures.effects, figures.found};
    return show_verdict(cli, &verdict);
}

/* ---- a running node ---- */

enum hs_err cli_ask_verify(struct cli *cli, bool start, const Hallsync__VerifyReply **verify)
{
    Hallsync__VerifyRequest body = HALLSYNC__VERIFY_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    body.start = start;
    body.has_full = true;
    body.full = cli->options[CLI_FULL] != NULL;
    request.body_case = HALLSYNC__REQUEST__BODY_VERIFY;
    request.verify = &body;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_VERIFY, &reply);
    if (err == HS_OK)
        *verify = reply->verify;
    return err;
}

enum hs_err cli_show_findings(struct cli *cli, const Hallsync__VerifyReply *verify, bool repairs)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < verify->n_findings && err == HS_OK; i++) {
        if (cli->json)
            err = cli_json_line(hs_json_message(&verify->findings[i]->base));
        else
            show_line(verify->findings[i]->text, verify->findings[i]->mends, verify->findings[i]->remedy, repairs);
    }
    if (verify->n_findings < verify->found && !cli->json)
        printf("and %" PRIu64 " more\n", verify->found - verify->n_findings);
    return err;
}

/* A node of an earlier version says no more than how much it has read. */
static void tell(const Hallsync__VerifyReply *verify)
{
    bool told = verify->phase != NULL;
    cli_progress_step(&(struct cli_step){.what = told ? verify->phase : "waiting for the check",
                                         .done = told ? verify->done : verify->rows,
                                         .total = verify->total,
                                         .unit = told ? verify->unit : "rows"});
}

/* A node whose rooms started anew meanwhile, to issue anew what rotted, has forgotten the check: it is begun again. */
enum hs_err cli_wait_for_check(struct cli *cli, const Hallsync__VerifyReply **verify)
{
    enum hs_err err = cli_ask_verify(cli, true, verify);
    while (err == HS_OK && ((*verify)->running || !(*verify)->has_ended_ms)) {
        tell(*verify);
        nanosleep(&(struct timespec){.tv_nsec = CLI_LOOK_AGAIN * 1000000L}, NULL);
        err = cli_ask_verify(cli, false, verify);
        if (err == HS_OK && !(*verify)->running && !(*verify)->has_ended_ms)
            err = cli_ask_verify(cli, true, verify);
    }
    cli_progress_end();
    if (err == HS_OK && (*verify)->error != NULL) /* what it has not found proves nothing */
        return cli_bad(&cli->bad, hs_err_by_name((*verify)->error), NULL, "the check ended early: %s",
                       (*verify)->error);
    return err;
}

static enum hs_err verify_node(struct cli *cli)
{
    const Hallsync__VerifyReply *verify;
    enum hs_err err = cli_wait_for_check(cli, &verify);
    if (err == HS_OK)
        err = cli_show_findings(cli, verify, false);
    if (err != HS_OK)
        return err;
    struct verdict verdict = {verify->full, false,           verify->rows,    verify->streams,
                              verify->ops,  verify->records, verify->effects, verify->found};
    return show_verdict(cli, &verdict);
}

enum hs_err cli_with_conf(struct cli *cli, enum hs_err (*run)(struct cli *cli, const struct hs_conf *conf))
{
    struct hs_conf conf;
    struct hs_why why = {0};
    if (cli->config == NULL)
        return run(cli, NULL);
    enum hs_err err = hs_conf_load(cli->config, &conf, &why);
    if (err != HS_OK)
        return cli_fail(cli, HS_ECONFIG, &why);
    err = run(cli, &conf);
    hs_conf_free(&conf);
    return err;
}

/* Who holds the store's lock is asked; nobody: the store is read here. */
static enum hs_err verify(struct cli *cli, const struct hs_conf *conf)
{
    enum hs_err err = conf == NULL ? HS_ELOCKED : verify_dir(cli, conf->node.data);
    return cli_stopped_asks(cli, err, &cli->bad.why) ? verify_node(cli) : err;
}

enum hs_err cli_run_verify(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK && cli->options[CLI_PEER] != NULL && cli->options[CLI_REMOTE] == NULL)
        err = cli_usage(cli, "--peer goes with --remote");
    if (err == HS_OK)
        err = cli_config_find(cli);
    if (err == HS_OK && cli->options[CLI_REMOTE] != NULL)
        return cli_verify_remote(cli);
    return err == HS_OK ? cli_with_conf(cli, verify) : err;
}
