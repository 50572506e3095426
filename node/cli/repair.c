/* repair: what a check finds is put right, as far as it can be from here.  A running node does it by itself, and is
 * waited for; of a stopped one all is done that needs no peer, and said what the node will get from others. */
#include "node/cli/forms.h"
#include "node/json/json.h"
#include "node/cli/progress.h"
#include "node/cli/stopped.h"
#include "node/cli/table.h"
#include "node/cli/verify.h"
#include "proto/base/thread.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REPAIR_MS 60000

static const struct cli_column HEALED[] = {
    {"node_id", "of", CLI_FORM_TEXT},   {"partition", "district", CLI_FORM_TEXT}, {"lane", "lane", CLI_FORM_TEXT},
    {"first", "from", CLI_FORM_NUMBER}, {"last", "to", CLI_FORM_NUMBER},          {"state", "is", CLI_FORM_TEXT},
    {"time_ms", "since", CLI_FORM_AGE}, {"why", "note", CLI_FORM_PROSE},
};
#define HEALED_COLUMNS (sizeof HEALED / sizeof *HEALED)

static enum hs_err show_end(struct cli *cli, uint64_t found, size_t waiting)
{
    cli->status = found != 0 || waiting != 0 ? CLI_DAMAGED : 0;
    if (cli->json)
        return cli_json_line(json_pack("{sI sI}", "damaged", (json_int_t)found, "waiting", (json_int_t)waiting));
    if (cli->status == 0)
        printf("everything is as it was written\n");
    else
        printf("%" PRIu64 " damaged, %zu wait for a node that has them\n", found, waiting);
    return HS_OK;
}

static enum hs_err show_plan(struct cli *cli, uint64_t found)
{
    cli->status = found != 0 ? CLI_DAMAGED : 0;
    if (cli->json)
        return cli_json_line(json_pack("{sI sb}", "damaged", (json_int_t)found, "dry_run", 1));
    if (found == 0)
        printf("everything is as it was written\n");
    else
        printf("%" PRIu64 " damaged; nothing was changed\n", found);
    return HS_OK;
}

/* ---- a running node ---- */

static size_t still_waiting(const Hallsync__VerifyReply *verify)
{
    size_t count = 0;
    for (size_t i = 0; i < verify->n_healed; i++)
        count += strcmp(verify->healed[i]->state, "waits") == 0;
    return count;
}

/* The node does it by itself; what it waits for is a node that has what rotted. */
static enum hs_err wait_for_healing(struct cli *cli, uint64_t end, const Hallsync__VerifyReply **verify)
{
    enum hs_err err = cli_ask_verify(cli, false, verify);
    while (err == HS_OK && still_waiting(*verify) > 0 && hs_tick_ms() < end) {
        cli_progress_step(&(struct cli_step){.what = "waiting for nodes that have what rotted",
                                             .done = (*verify)->n_healed - still_waiting(*verify),
                                             .total = (*verify)->n_healed,
                                             .unit = "pieces healed"});
        nanosleep(&(struct timespec){.tv_nsec = CLI_LOOK_AGAIN * 1000000L}, NULL);
        err = cli_ask_verify(cli, false, verify);
    }
    cli_progress_end();
    return err;
}

static enum hs_err show_healed(struct cli *cli, const Hallsync__VerifyReply *verify)
{
    struct cli_list list;
    cli_list_begin(&list, cli, HEALED, HEALED_COLUMNS);
    for (size_t i = 0; i < verify->n_healed; i++)
        cli_list_add(&list, hs_json_message(&verify->healed[i]->base));
    return cli_list_end(&list);
}

static bool may_mend(const Hallsync__VerifyReply *verify)
{
    bool may = false;
    for (size_t i = 0; i < verify->n_findings; i++)
        may = may || verify->findings[i]->mends;
    return may;
}

/* Records are made anew when the writer gets to it. */
static enum hs_err check_again(struct cli *cli, uint64_t end, const Hallsync__VerifyReply **verify)
{
    enum hs_err err = cli_wait_for_check(cli, verify);
    while (err == HS_OK && may_mend(*verify) && hs_tick_ms() < end) {
        nanosleep(&(struct timespec){.tv_nsec = CLI_LOOK_AGAIN * 1000000L}, NULL);
        err = cli_wait_for_check(cli, verify);
    }
    return err;
}

/* A check, which sets the node to work on what it finds; and another one, when that is done. */
static enum hs_err repair_node(struct cli *cli)
{
    const Hallsync__VerifyReply *verify;
    bool plan_only = cli->options[CLI_DRY_RUN] != NULL;
    uint64_t end = hs_tick_ms() + (cli->options[CLI_TIMEOUT] != NULL ? cli_timeout_ms(cli) : REPAIR_MS);
    enum hs_err err = cli_wait_for_check(cli, &verify);
    if (err == HS_OK && verify->found > 0)
        err = cli_show_findings(cli, verify, true);
    if (err == HS_OK && plan_only)
        return show_plan(cli, verify->found);
    if (err == HS_OK)
        err = wait_for_healing(cli, end, &verify);
    if (err == HS_OK)
        err = show_healed(cli, verify);
    size_t waiting = err == HS_OK ? still_waiting(verify) : 0;
    if (err == HS_OK)
        err = check_again(cli, end, &verify);
    return err == HS_OK ? show_end(cli, verify->found, waiting) : err;
}

/* ---- a stopped store ---- */

struct finding {
    struct hs_rotten rotten;
    uint8_t id[HS_RECORD_ID_BYTES_MAX];
};

struct repair {
    struct cli *cli;
    struct finding *findings;
    size_t count, room;
    bool of_records;
    bool is_quiet; /* the check after it counts only */
};

static enum hs_err make_room(struct repair *repair)
{
    if (repair->count < repair->room)
        return HS_OK;
    size_t room = repair->room == 0 ? 64 : 2 * repair->room;
    struct finding *findings = reallocarray(repair->findings, room, sizeof *findings);
    if (findings == NULL)
        return HS_ENOMEM;
    repair->findings = findings;
    repair->room = room;
    return HS_OK;
}

/* Of what lies in the store only names are kept: where they lie changes. */
static enum hs_err keep(void *ctx, const struct hs_rotten *rotten)
{
    struct repair *repair = ctx;
    if (repair->is_quiet)
        return HS_OK;
    enum hs_err err = cli_show_rotten(repair->cli, rotten, true);
    repair->of_records = repair->of_records || rotten->sort >= HS_ROT_RECORD;
    if (err != HS_OK || rotten->sort >= HS_ROT_RECORD || rotten->name.id.size > HS_RECORD_ID_BYTES_MAX ||
        repair->count == HS_HEALED_MAX)
        return err;
    err = make_room(repair);
    if (err != HS_OK)
        return err;
    struct finding *finding = &repair->findings[repair->count++];
    finding->rotten = *rotten;
    finding->rotten.node = finding->rotten.text = NULL;
    finding->rotten.key = finding->rotten.row = HS_BYTES_NONE;
    if (rotten->name.id.size > 0)
        memcpy(finding->id, rotten->name.id.data, rotten->name.id.size);
    return HS_OK;
}

static enum hs_err check(struct repair *repair, const struct hs_conf *conf, uint64_t *found)
{
    struct hs_check_options options = {.full = true, .visit = keep, .told = cli_verify_told, .ctx = repair};
    struct hs_check_figures figures;
    struct hs_why why = {0};
    enum hs_err err = hs_check_dir(conf->node.data, &options, &figures, &why);
    cli_progress_end();
    *found = figures.found;
    return err == HS_OK ? HS_OK : cli_fail(repair->cli, err, &why);
}

static enum hs_err mend_all(struct repair *repair, struct hs_store *store)
{
    struct hs_commit commit;
    enum hs_err err = hs_store_begin(store);
    if (err != HS_OK)
        return err;
    for (size_t i = 0; i < repair->count && err == HS_OK; i++) {
        struct finding *finding = &repair->findings[i];
        finding->rotten.name.id.data = finding->id;
        err = hs_store_mend(store, &finding->rotten);
    }
    if (err == HS_OK)
        return hs_store_commit(store, &commit);
    hs_store_abort(store);
    return err;
}

static enum hs_err mend(struct repair *repair, struct hs_store *store)
{
    enum hs_err err = mend_all(repair, store);
    return err == HS_OK && repair->of_records ? hs_store_rebuild(store) : err;
}

/* With the second opening a node's own operations are issued anew. */
static enum hs_err mend_store(struct repair *repair, const struct hs_conf *conf)
{
    struct cli_stopped stopped;
    struct hs_why why = {0};
    enum hs_err err = HS_OK;
    for (int opening = 0; opening < 2 && err == HS_OK; opening++) {
        err = cli_stopped_open(&stopped, conf, &why);
        cli_progress_step(&(struct cli_step){.what = "putting right what can be"});
        if (err == HS_OK && opening == 0)
            err = mend(repair, stopped.store);
        cli_stopped_close(&stopped);
    }
    cli_progress_end();
    return err == HS_OK ? HS_OK : cli_fail(repair->cli, err, &why);
}

/* ---- what became of it ---- */

struct outcome {
    struct cli_list list;
    size_t waiting;
};

static json_t *healed_json(const struct hs_healed *healed)
{
    static const char *const STATES[] = {"waits", "healed", "anew", "gone"};
    char part[HS_PARTITION_TEXT_BYTES], origin[17], store[17];
    snprintf(origin, sizeof origin, "%016" PRIx64, healed->stream.origin);
    json_t *row = json_pack(
        "{ss ss ss sI sI ss sI}", "origin", origin, "partition", hs_partition_text(healed->stream.partition, part),
        "lane", hs_lane_text((enum hs_lane)healed->stream.lane), "first", (json_int_t)healed->first, "last",
        (json_int_t)healed->last, "state", STATES[healed->state], "time_ms", (json_int_t)healed->time_ms);
    if (row != NULL && healed->why.size > 0)
        json_object_set_new(row, "why", json_stringn((const char *)healed->why.data, healed->why.size));
    if (row != NULL && healed->store_id != 0) {
        snprintf(store, sizeof store, "%016" PRIx64, healed->store_id);
        json_object_set_new(row, "store_id", json_string(store));
    }
    return row;
}

static enum hs_err add_healed(void *ctx, const struct hs_healed *healed)
{
    struct outcome *outcome = ctx;
    outcome->waiting += healed->state == HS_HEALING_WAITS;
    cli_list_add(&outcome->list, healed_json(healed));
    return HS_OK;
}

static enum hs_err show_outcome(struct cli *cli, const struct hs_conf *conf, struct outcome *outcome)
{
    static const struct cli_column COLUMNS[] = {
        {"origin", "origin", CLI_FORM_TEXT}, {"partition", "district", CLI_FORM_TEXT}, {"lane", "lane", CLI_FORM_TEXT},
        {"first", "from", CLI_FORM_NUMBER},  {"last", "to", CLI_FORM_NUMBER},          {"state", "is", CLI_FORM_TEXT},
        {"time_ms", "since", CLI_FORM_AGE},  {"why", "note", CLI_FORM_PROSE},
    };
    struct cli_stopped stopped;
    struct hs_why why = {0};
    struct hs_view *view = NULL;
    enum hs_err err = cli_stopped_open(&stopped, conf, &why);
    if (err == HS_OK)
        err = hs_view_open(stopped.store, 0, 0, &view);
    if (err == HS_OK) {
        cli_list_begin(&outcome->list, cli, COLUMNS, sizeof COLUMNS / sizeof *COLUMNS);
        err = hs_view_healed(view, add_healed, outcome);
        enum hs_err listed = cli_list_end(&outcome->list);
        err = err == HS_OK ? listed : err;
    }
    hs_view_close(view);
    cli_stopped_close(&stopped);
    return err == HS_OK ? HS_OK : cli_fail(cli, err, &why);
}

static enum hs_err repair_dir(struct cli *cli, const struct hs_conf *conf)
{
    struct repair repair = {.cli = cli};
    struct outcome outcome = {.waiting = 0};
    uint64_t found = 0;
    enum hs_err err = check(&repair, conf, &found);
    if (err == HS_OK && cli->options[CLI_DRY_RUN] != NULL) {
        free(repair.findings);
        return show_plan(cli, found);
    }
    if (err == HS_OK && found > 0)
        err = mend_store(&repair, conf);
    if (err == HS_OK)
        err = show_outcome(cli, conf, &outcome);
    repair.is_quiet = true;
    if (err == HS_OK && found > 0)
        err = check(&repair, conf, &found);
    free(repair.findings);
    if (err == HS_OK && !cli->json && outcome.waiting > 0)
        printf("what waits the node gets from others when it runs: start it, and see hallsync status\n");
    return err == HS_OK ? show_end(cli, found, outcome.waiting) : err;
}

static enum hs_err repair(struct cli *cli, const struct hs_conf *conf)
{
    enum hs_err err = conf == NULL ? HS_ELOCKED : repair_dir(cli, conf);
    return cli_stopped_asks(cli, err, &cli->bad.why) ? repair_node(cli) : err;
}

enum hs_err cli_run_repair(struct cli *cli)
{
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        err = cli_config_find(cli);
    return err == HS_OK ? cli_with_conf(cli, repair) : err;
}
