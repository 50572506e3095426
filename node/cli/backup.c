/* backup, backup show, backup-key new: of a running node, or of a stopped one's store. */
#include "node/backup/backup.h"

#include "node/cli/backup.h"
#include "node/cli/forms.h"
#include "node/cli/progress.h"
#include "node/cli/setup.h"
#include "node/json/json.h"
#include "node/cli/stopped.h"
#include "node/cli/table.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/sealed/recovery.h"
#include "proto/sealed/sealed_file.h"

#include <inttypes.h>
#include <libgen.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 200

static void pause_ms(long ms)
{
    struct timespec rest = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&rest, NULL);
}

/* ---- a copy where the user wants it ---- */

static enum hs_err copy_bytes(const struct hs_sealed_source *source, const struct hs_sealed_sink *sink)
{
    static uint8_t bytes[1 << 16];
    size_t got = 1;
    enum hs_err err = HS_OK;
    while (err == HS_OK && got > 0) {
        err = source->read(source->ctx, bytes, sizeof bytes, &got);
        if (err == HS_OK && got > 0)
            err = sink->write(sink->ctx, HS_BYTES(bytes, got));
    }
    return err;
}

/* The signature over all of it holds: whoever carries the copy away carries the whole. */
static enum hs_err check_copy(const char *path, struct hs_why *why)
{
    struct hs_sealed_opening opening = {.purpose = HS_SEALED_BACKUP};
    struct hs_sealed_in *in = NULL;
    struct hs_unsealer *unsealer = NULL;
    enum hs_err err = hs_sealed_in_open(path, &in, why);
    if (err != HS_OK)
        return err;
    struct hs_sealed_source source = hs_sealed_in_source(in);
    err = hs_unsealer_open(&opening, &source, &unsealer, why);
    if (err == HS_OK)
        err = hs_unsealer_verify(unsealer, why);
    hs_unsealer_close(unsealer);
    hs_sealed_in_close(in);
    if (err != HS_OK)
        unlink(path);
    return err == HS_OK ? HS_OK : hs_wrap(err, why, "the copy %s", path);
}

static enum hs_err copy_file(const char *from, const char *to, struct hs_why *why)
{
    struct hs_sealed_in *in = NULL;
    struct hs_sealed_out *out = NULL;
    enum hs_err err = hs_sealed_in_open(from, &in, why);
    if (err == HS_OK)
        err = hs_sealed_out_open(to, &out, why);
    if (err == HS_OK) {
        struct hs_sealed_source source = hs_sealed_in_source(in);
        struct hs_sealed_sink sink = hs_sealed_out_sink(out);
        err = copy_bytes(&source, &sink);
        if (err != HS_OK)
            hs_fail(err, why, "%s",
                    hs_sealed_out_why(out)->text[0] != '\0' ? hs_sealed_out_why(out)->text : hs_err_text(err));
    }
    if (err == HS_OK)
        err = hs_sealed_out_commit(out, why);
    hs_sealed_out_close(out);
    hs_sealed_in_close(in);
    return err == HS_OK ? check_copy(to, why) : err;
}

/* Before a backup is made, which may take the place of an older one. */
static enum hs_err check_out(struct cli *cli)
{
    struct stat status;
    char dir[PATH_MAX];
    const char *out = cli->options[CLI_OUT];
    if (out == NULL || (stat(out, &status) == 0 && S_ISDIR(status.st_mode)))
        return HS_OK;
    if (access(out, F_OK) == 0)
        return cli_bad(&cli->bad, HS_EEXISTS, NULL, "--out: %s is there already: take another name, or remove it", out);
    if ((size_t)snprintf(dir, sizeof dir, "%s", out) >= sizeof dir)
        return cli_usage(cli, "--out: the path is too long");
    bool named = out[0] != '\0' && out[strlen(out) - 1] != '/';
    if (!named || stat(dirname(dir), &status) != 0 || !S_ISDIR(status.st_mode))
        return cli_usage(cli, "--out: there is no directory for %s to lie in", out);
    return HS_OK;
}

/* --out DIR: under its own name. */
static enum hs_err copy_out(struct cli *cli, const char *file, char path[static PATH_MAX])
{
    struct stat status;
    struct hs_why why = {""};
    const char *out = cli->options[CLI_OUT];
    const char *name = strrchr(file, '/');
    snprintf(path, PATH_MAX, "%s", out == NULL ? file : out);
    if (out == NULL)
        return HS_OK;
    if (stat(out, &status) == 0 && S_ISDIR(status.st_mode))
        snprintf(path, PATH_MAX, "%s/%s", out, name == NULL ? file : name + 1);
    enum hs_err err = copy_file(file, path, &why);
    if (err == HS_OK)
        return HS_OK;
    hs_wrap(err, &why, "the backup is in %s; the copy that --out asks for", file);
    return cli_fail(cli, err, &why);
}

/* ---- the end ---- */

static enum hs_err tell(struct cli *cli, const Hallsync__BackupRun *run)
{
    char path[PATH_MAX], bytes[CLI_BYTES_BYTES], sum[CLI_MONEY_BYTES], position[CLI_POSITION_BYTES];
    enum hs_err err = copy_out(cli, run->file, path);
    if (err != HS_OK)
        return err;
    if (cli->json) {
        json_t *object = hs_json_message(&run->base);
        if (object != NULL) {
            json_object_set_new(object, "file", json_string(path));
            json_object_set_new(object, "verified", json_true());
            json_object_set_new(object, "position", json_string(cli_position_text(run->commit, run->tag, position)));
        }
        return object == NULL ? HS_ENOMEM : cli_json_line(object);
    }
    printf("%s: %s, written in %.1f s and read back whole\n", path, cli_bytes_text(run->bytes, bytes),
           (double)run->ms / 1000);
    printf("%" PRIu64 " rows up to position %s; %" PRIu64 " payments, %s yuan\n", run->rows,
           cli_position_text(run->commit, run->tag, position), run->payments, cli_money_text(run->sum_fen, sum));
    return HS_OK;
}

/* ---- of a running node ---- */

static enum hs_err ask(struct cli *cli, bool start, const Hallsync__BackupReply **backup)
{
    Hallsync__BackupRequest body = HALLSYNC__BACKUP_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    body.start = start;
    request.body_case = HALLSYNC__REQUEST__BODY_BACKUP;
    request.backup = &body;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_BACKUP, &reply);
    if (err == HS_OK)
        *backup = reply->backup;
    return err;
}

static enum hs_err backup_running(struct cli *cli)
{
    const Hallsync__BackupReply *backup;
    enum hs_err err = ask(cli, true, &backup);
    uint64_t number = err == HS_OK ? backup->number : 0;
    while (err == HS_OK && backup->status->ended < number) {
        const Hallsync__BackupStatus *status = backup->status;
        cli_backup_told(NULL, status->running != NULL ? status->running : "waiting", status->done, status->total);
        pause_ms(LOOK_MS);
        err = ask(cli, false, &backup);
    }
    cli_progress_end();
    if (err != HS_OK)
        return err;
    if (backup->status->failed != NULL || backup->status->run == NULL)
        return cli_bad(&cli->bad, hs_err_by_name(backup->status->failed != NULL ? backup->status->failed : "internal"),
                       NULL, "%s", backup->status->failed_text != NULL ? backup->status->failed_text : "no backup");
    return tell(cli, backup->status->run);
}

/* ---- of a store that nobody has open ---- */

struct making {
    struct hs_backup *backup;
    struct hs_why why;
    enum hs_err err;
    _Atomic bool ended;
};

static void *make(void *arg)
{
    struct making *making = arg;
    making->err = hs_backup_run(making->backup, &making->why);
    making->ended = true;
    return NULL;
}

/* It is made on a thread of its own, and this one shows how far it is. */
static enum hs_err make_and_show(struct hs_backup *backup, struct hs_why *why)
{
    struct making making = {.backup = backup, .why = {""}};
    pthread_t thread;
    enum hs_err err = hs_thread_start(&thread, "backup", make, &making);
    if (err != HS_OK)
        return hs_fail(err, why, "no thread to make the backup on: %s", hs_err_text(err));
    while (!making.ended) {
        struct hs_backup_progress at;
        hs_backup_progress(backup, &at);
        cli_backup_told(NULL, at.phase == HS_BACKUP_WRITING ? "writing" : "reading", at.done, at.total);
        pause_ms(LOOK_MS / 4);
    }
    pthread_join(thread, NULL);
    cli_progress_end();
    *why = making.why;
    return making.err;
}

static enum hs_err note(struct hs_store *store, const struct hs_backup *backup)
{
    const Hallsync__BackupManifest *manifest = hs_backup_manifest(backup);
    const char *path = hs_backup_path(backup);
    struct hs_commit commit;
    struct hs_backup_row row = {
        .time_ms = hs_now_ms(),
        .position = {manifest->commit, manifest->tag},
        .bytes = hs_backup_bytes(backup),
        .file = *hs_backup_hash(backup),
        .path = HS_BYTES(path, strlen(path)),
    };
    enum hs_err err = hs_store_begin(store);
    if (err == HS_OK)
        err = hs_store_put_backup(store, &row);
    if (err == HS_OK)
        return hs_store_commit(store, &commit);
    hs_store_abort(store);
    return err;
}

static void describe(const struct hs_backup *backup, uint64_t ms, Hallsync__BackupRun *run)
{
    const Hallsync__BackupManifest *manifest = hs_backup_manifest(backup);
    hallsync__backup_run__init(run);
    run->file = (char *)(uintptr_t)hs_backup_path(backup);
    run->bytes = hs_backup_bytes(backup);
    run->commit = manifest->commit;
    run->tag = manifest->tag;
    run->payments = manifest->payments;
    run->sum_fen = manifest->sum_fen;
    run->ms = ms;
    run->open_ms = manifest->open_ms;
    run->growth_bytes = manifest->growth_bytes;
    for (size_t i = 0; i < manifest->n_tables; i++)
        run->rows += manifest->tables[i]->rows;
}

static enum hs_err backup_store(struct cli *cli, const struct hs_conf *conf, const struct cli_stopped *stopped)
{
    char path[PATH_MAX];
    struct hs_why why = {""};
    struct hs_buf config = {0};
    struct hs_backup *backup = NULL;
    Hallsync__BackupRun run;
    snprintf(path, sizeof path, "%s/", conf->backup.dir);
    hs_conf_write(conf, &config);
    struct hs_backup_options options = {
        .dir = conf->node.data,
        .path = path,
        .config = hs_buf_bytes(&config),
        .recipients = conf->backup_keys,
        .recipient_count = conf->backup_key_count,
        .signer = hs_signer_of(stopped->keys.node),
        .utc_offset_minutes = conf->utc_offset_minutes,
        .districts = conf->districts,
        .district_count = conf->district_count,
        .now_ms = hs_now_ms(),
    };
    enum hs_err err = config.err;
    if (err == HS_OK && conf->backup_key_count > 0) /* else there is nothing to put into it */
        err = hs_backup_make_dir(conf->backup.dir, &why);
    if (err == HS_OK)
        err = hs_backup_begin(&options, stopped->store, &backup, &why);
    if (err == HS_OK)
        err = make_and_show(backup, &why);
    if (err == HS_OK) {
        err = note(stopped->store, backup);
        if (err != HS_OK)
            hs_fail(err, &why, "%s is whole, but is not listed: %s", hs_backup_path(backup), hs_err_text(err));
    }
    hs_buf_fini(&config);
    if (err == HS_OK) {
        describe(backup, hs_now_ms() - options.now_ms, &run);
        err = tell(cli, &run);
    } else {
        err = cli_fail(cli, err, &why);
    }
    hs_backup_end(backup);
    return err;
}

/* HS_ELOCKED: a node runs on it. */
static enum hs_err backup_stopped(struct cli *cli, const struct hs_conf *conf)
{
    struct hs_why why = {""};
    struct cli_stopped stopped;
    enum hs_err err = cli_stopped_open(&stopped, conf, &why);
    if (err == HS_OK)
        err = backup_store(cli, conf, &stopped);
    else if (cli_stopped_asks(cli, err, &why))
        err = HS_ELOCKED;
    else
        err = cli_fail(cli, err, &why);
    cli_stopped_close(&stopped);
    return err;
}

enum hs_err cli_run_backup(struct cli *cli)
{
    struct hs_conf conf = {0};
    struct hs_why why = {""};
    enum hs_err err = cli_take_args(cli, 0, 0);
    if (err == HS_OK)
        err = check_out(cli);
    if (err == HS_OK)
        err = cli_config_find(cli);
    if (err != HS_OK)
        return err;
    if (cli->config == NULL)
        return backup_running(cli);
    err = hs_conf_load(cli->config, &conf, &why);
    if (err == HS_OK)
        err = backup_stopped(cli, &conf);
    else
        err = cli_fail(cli, err, &why);
    hs_conf_free(&conf);
    return err == HS_ELOCKED ? backup_running(cli) : err;
}

/* ---- backup show ---- */

void cli_backup_told(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    bool rows = strcmp(what, "writing") == 0, replays = strcmp(what, "replaying") == 0;
    (void)ctx;   /* there is one progress for all */
    if (replays) /* of which only the end is told */
        cli_progress_step(&(struct cli_step){.what = "making the records anew from the log"});
    else
        cli_progress_step(&(struct cli_step){.what = what,
                                             .done = done,
                                             .total = total,
                                             .unit = total == 0 ? NULL
                                                     : rows     ? "rows"
                                                                : CLI_BYTES});
}

enum hs_err cli_backup_secret(struct cli *cli, uint8_t secret[static HS_SEALED_KEY_BYTES])
{
    struct hs_why why = {""};
    const char *path = cli->options[CLI_SECRET];
    if (path == NULL)
        return cli_usage(cli, "which recovery key?  --secret FILE, as 'hallsync backup-key new' has made it");
    enum hs_err err = hs_recovery_read(path, secret, &why);
    return err == HS_OK ? HS_OK : cli_fail(cli, err, &why);
}

json_t *cli_backup_json(const struct hs_backup_found *found)
{
    char hash[HS_HASH_TEXT_BYTES];
    json_t *object = hs_json_message(&found->manifest->base);
    if (object == NULL)
        return NULL;
    json_object_set_new(object, "bytes", json_integer((json_int_t)found->bytes));
    json_object_set_new(object, "made_ms", json_integer((json_int_t)found->header.made_ms));
    json_object_set_new(object, "hash", json_string(hs_hash_text(&found->hash, hash)));
    return object;
}

void cli_backup_print(const struct hs_backup_found *found)
{
    const Hallsync__BackupManifest *manifest = found->manifest;
    char made[HS_TIME_TEXT_BYTES], position[CLI_POSITION_BYTES], sum[CLI_MONEY_BYTES], bytes[CLI_BYTES_BYTES];
    uint64_t rows = 0;
    for (size_t i = 0; i < manifest->n_tables; i++)
        rows += manifest->tables[i]->rows;
    hs_time_text(found->header.made_ms, manifest->utc_offset_minutes, made);
    made[10] = ' ';
    printf("backup of the %s %s of region %s, %.19s, by hallsync %s, %s\n", manifest->role, manifest->node_id,
           manifest->region, made, manifest->version, cli_bytes_text(found->bytes, bytes));
    printf("store %016" PRIx64 " up to position %s: %" PRIu64 " rows, %" PRIu64 " streams\n", manifest->store_id,
           cli_position_text(manifest->commit, manifest->tag, position), rows, manifest->streams);
    printf("%" PRIu64 " payments, %s yuan\n", manifest->payments, cli_money_text(manifest->sum_fen, sum));
}

enum hs_err cli_run_backup_show(struct cli *cli)
{
    uint8_t secret[HS_SEALED_KEY_BYTES];
    struct hs_backup_watcher watcher = {cli_backup_told, NULL};
    struct hs_backup_found found = {0};
    struct hs_why why = {""};
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK)
        err = cli_backup_secret(cli, secret);
    if (err != HS_OK)
        return err;
    err = hs_backup_look(cli->args[0], secret, &watcher, &found, &why);
    cli_progress_end();
    sodium_memzero(secret, sizeof secret);
    if (err != HS_OK)
        return cli_fail(cli, err, &why);
    if (cli->json) {
        json_t *object = cli_backup_json(&found);
        err = object == NULL ? HS_ENOMEM : cli_json_line(object);
    } else {
        cli_backup_print(&found);
        puts("It is whole: every row is as it was written, and the signature holds.");
    }
    hs_backup_found_fini(&found);
    return err;
}

/* ---- backup-key new ---- */

enum hs_err cli_run_backup_key(struct cli *cli)
{
    struct hs_why why = {""};
    struct hs_key key;
    char text[HS_RECOVERY_TEXT_BYTES];
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err != HS_OK)
        return err;
    err = hs_recovery_make(cli->args[0], &key, &why);
    if (err != HS_OK)
        return cli_fail(cli, err, &why);
    hs_recovery_text(&key, text);
    if (cli->json)
        return cli_json_line(json_pack("{ss ss}", "public", text, "secret", cli->args[0]));
    printf("%s\n", text);
    fprintf(stderr,
            "This goes into backup.recipients of hallsync.yaml.  Its secret is in %s: without it no backup can\n"
            "be opened, and whoever has it can open them all.  Keep it away from this machine.\n",
            cli->args[0]);
    return HS_OK;
}
