/* verify: is everything in the store as it was written?  The running node is asked; a stopped store is read here, also
 * one that does not open any more. */
#include "node/cli/forms.h"
#include "node/cli/show.h"
#include "node/cli/table.h"
#include "node/cli/verify_remote.h"
#include "node/conf/conf.h"
#include "proto/base/thread.h"
#include "storage/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAMAGED    5   /* exit status */
#define LOOK_AGAIN 200 /* ms */

static json_t *id_json(struct hs_bytes id)
{
    char hex[2 * HS_RECORD_ID_BYTES_MAX + 1] = "";
    for (size_t i = 0; i < id.size && i < HS_RECORD_ID_BYTES_MAX; i++)
        snprintf(hex + 2 * i, 3, "%02x", id.data[i]);
    return json_string(hex);
}

static json_t *finding_json(const struct hs_rotten *rotten, const char *text)
{
    char part[HS_PARTITION_TEXT_BYTES], kind[CLI_KIND_NAME_BYTES], origin[17];
    json_t *row = json_pack("{ss ss}", "sort", hs_rot_text(rotten->sort), "text", text);
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
        json_object_set_new(row, "kind", json_string(cli_kind_name(rotten->name.kind, kind)));
        json_object_set_new(row, "record_id", id_json(rotten->name.id));
    }
    return row;
}

static enum hs_err show_finding(void *ctx, const struct hs_rotten *rotten)
{
    const struct cli *cli = ctx;
    struct hs_buf text = {0};
    enum hs_err err = HS_OK;
    hs_rotten_text(rotten, &text);
    hs_buf_put_u8(&text, 0);
    if (text.err != HS_OK)
        err = text.err;
    else if (cli->json)
        err = cli_json_line(finding_json(rotten, (const char *)text.data));
    else
        cli_line("DAMAGED", (const char *)text.data, 9);
    hs_buf_fini(&text);
    return err;
}

/* ---- the end ---- */

struct verdict {
    bool full, no_records;
    uint64_t rows, streams, ops, records, effects, found;
};

static enum hs_err show_verdict(struct cli *cli, const struct verdict *verdict)
{
    cli->status = verdict->found != 0 ? DAMAGED : 0;
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

static enum hs_err verify_dir(struct cli *cli, const char *dir)
{
    struct hs_check_options options = {.full = cli->options[CLI_FULL] != NULL, .visit = show_finding, .ctx = cli};
    struct hs_check_figures figures;
    struct hs_why why = {0};
    enum hs_err err = hs_check_dir(dir, &options, &figures, &why);
    if (err != HS_OK)
        return cli_fail(cli, err, &why);
    struct verdict verdict = {options.full, figures.no_records, figures.rows,    figures.streams,
                              figures.ops,  figures.records,    figures.effects, figures.found};
    return show_verdict(cli, &verdict);
}

/* ---- a running node ---- */

static enum hs_err ask(struct cli *cli, bool start, const Hallsync__VerifyReply **verify)
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

static enum hs_err show_findings(struct cli *cli, const Hallsync__VerifyReply *verify)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < verify->n_findings && err == HS_OK; i++) {
        if (cli->json)
            err = cli_json_line(cli_show_message(&verify->findings[i]->base));
        else
            cli_line("DAMAGED", verify->findings[i]->text, 9);
    }
    if (verify->n_findings < verify->found && !cli->json)
        printf("and %" PRIu64 " more\n", verify->found - verify->n_findings);
    return err;
}

/* A node whose rooms started anew meanwhile, to issue anew what rotted, has forgotten the check: it is begun again. */
static enum hs_err wait_for_end(struct cli *cli, const Hallsync__VerifyReply **verify)
{
    enum hs_err err = ask(cli, true, verify);
    while (err == HS_OK && ((*verify)->running || !(*verify)->has_ended_ms)) {
        nanosleep(&(struct timespec){.tv_nsec = LOOK_AGAIN * 1000000L}, NULL);
        err = ask(cli, false, verify);
        if (err == HS_OK && !(*verify)->running && !(*verify)->has_ended_ms)
            err = ask(cli, true, verify);
    }
    return err;
}

static enum hs_err verify_node(struct cli *cli)
{
    const Hallsync__VerifyReply *verify;
    enum hs_err err = wait_for_end(cli, &verify);
    if (err == HS_OK && verify->error != NULL)
        err = cli_bad(&cli->bad, hs_err_by_name(verify->error), NULL, "the check ended early: %s", verify->error);
    if (err == HS_OK)
        err = show_findings(cli, verify);
    if (err != HS_OK)
        return err;
    struct verdict verdict = {verify->full, false,           verify->rows,    verify->streams,
                              verify->ops,  verify->records, verify->effects, verify->found};
    return show_verdict(cli, &verdict);
}

/* Who holds the store's lock is asked; nobody: the store is read here. */
enum hs_err cli_run_verify(struct cli *cli)
{
    struct hs_conf conf;
    struct hs_why why = {0};
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK && cli->options[CLI_PEER] != NULL && cli->options[CLI_REMOTE] == NULL)
        err = cli_usage(cli, "--peer goes with --remote");
    if (err == HS_OK && cli->options[CLI_REMOTE] != NULL)
        return cli_verify_remote(cli);
    if (err != HS_OK || cli->config == NULL)
        return err == HS_OK ? verify_node(cli) : err;
    err = hs_conf_load(cli->config, &conf, &why);
    if (err != HS_OK)
        return cli_fail(cli, HS_ECONFIG, &why);
    err = verify_dir(cli, conf.node.data);
    hs_conf_free(&conf);
    return err == HS_ELOCKED ? verify_node(cli) : err;
}

/* ---- repair ---- */

#define REPAIR_MS 60000

static size_t still_waiting(const Hallsync__VerifyReply *verify)
{
    size_t count = 0;
    for (size_t i = 0; i < verify->n_healed; i++)
        count += strcmp(verify->healed[i]->state, "waits") == 0;
    return count;
}

/* The node does it by itself; what it waits for is a node that has what rotted. */
static enum hs_err wait_for_healing(struct cli *cli, const Hallsync__VerifyReply **verify)
{
    uint64_t end = hs_tick_ms() + (cli->options[CLI_TIMEOUT] != NULL ? cli_timeout_ms(cli) : REPAIR_MS);
    enum hs_err err = ask(cli, false, verify);
    while (err == HS_OK && still_waiting(*verify) > 0 && hs_tick_ms() < end) {
        nanosleep(&(struct timespec){.tv_nsec = LOOK_AGAIN * 1000000L}, NULL);
        err = ask(cli, false, verify);
    }
    return err;
}

static enum hs_err show_healed(struct cli *cli, const Hallsync__VerifyReply *verify)
{
    static const struct cli_column HEALED[] = {
        {"node_id", "of", CLI_FORM_TEXT},   {"partition", "district", CLI_FORM_TEXT}, {"lane", "lane", CLI_FORM_TEXT},
        {"first", "from", CLI_FORM_NUMBER}, {"last", "to", CLI_FORM_NUMBER},          {"state", "is", CLI_FORM_TEXT},
        {"time_ms", "since", CLI_FORM_AGE}, {"why", "note", CLI_FORM_PROSE},
    };
    struct cli_list list;
    cli_list_begin(&list, cli, HEALED, sizeof HEALED / sizeof *HEALED);
    for (size_t i = 0; i < verify->n_healed; i++)
        cli_list_add(&list, cli_show_message(&verify->healed[i]->base));
    return cli_list_end(&list);
}

/* A check, which sets the node to work on what it finds; and another one, when that is done. */
enum hs_err cli_run_repair(struct cli *cli)
{
    const Hallsync__VerifyReply *verify;
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        err = wait_for_end(cli, &verify);
    if (err == HS_OK && verify->found > 0)
        err = show_findings(cli, verify);
    if (err == HS_OK)
        err = wait_for_healing(cli, &verify);
    if (err == HS_OK)
        err = show_healed(cli, verify);
    size_t waiting = err == HS_OK ? still_waiting(verify) : 0;
    if (err == HS_OK)
        err = wait_for_end(cli, &verify);
    if (err != HS_OK)
        return err;
    cli->status = verify->found != 0 || waiting != 0 ? DAMAGED : 0;
    if (cli->json)
        return cli_json_line(
            json_pack("{sI sI}", "damaged", (json_int_t)verify->found, "waiting", (json_int_t)waiting));
    if (cli->status == 0)
        printf("everything is as it was written\n");
    else
        printf("%" PRIu64 " damaged, %zu wait for a node that has them\n", verify->found, waiting);
    return HS_OK;
}
