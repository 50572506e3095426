/* restore: a backup becomes a data directory again, and what the node did after it is named. */
#include "node/cli/backup.h"
#include "node/cli/forms.h"
#include "node/cli/progress.h"
#include "node/cli/setup.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- hallsync.yaml ---- */

/* It says where the node lay; here it lies elsewhere, and so do those of its paths that were below. */
static void move_path(char **path, const char *from, const char *scheme)
{
    size_t skip = strlen(scheme), size = strlen(from);
    if (*path != NULL && strncmp(*path, scheme, skip) == 0 && strncmp(*path + skip, from, size) == 0 &&
        (*path)[skip + size] == '/')
        (*path)[0] = '\0'; /* as by default, below the data directory */
}

/* A path without a default that lay below the old data directory lies below the new one. */
struct moved {
    char **path; /* of the configuration */
    const char *scheme;
    char *was, *is; /* is: to be freed; NULL: it stays where it is */
};

static enum hs_err move_below(struct moved *moved, const char *from, const char *to)
{
    size_t skip = strlen(moved->scheme), size = strlen(from);
    const char *path = moved->was = *moved->path;
    if (strncmp(path, moved->scheme, skip) != 0 || strncmp(path + skip, from, size) != 0 || path[skip + size] != '/')
        return HS_OK;
    if (asprintf(&moved->is, "%s%s%s", moved->scheme, to, path + skip + size) < 0) {
        moved->is = NULL;
        return HS_ENOMEM;
    }
    *moved->path = moved->is;
    return HS_OK;
}

static enum hs_err move_paths(struct hs_conf *conf, const char *from, const char *to, struct moved *moved, size_t count)
{
    enum hs_err err = HS_OK;
    move_path(&conf->listen.clients, from, "ipc://");
    move_path(&conf->backup.dir, from, "");
    move_path(&conf->admin.dir, from, "");
    for (size_t i = 0; i < count && err == HS_OK; i++)
        err = move_below(&moved[i], from, to);
    return err;
}

static enum hs_err load_config(struct cli_setup *setup, struct hs_bytes text, struct hs_conf *conf)
{
    struct hs_why why = {""};
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s.backup", setup->config);
    enum hs_err err = hs_file_write(path, text, 0600, &why);
    if (err == HS_OK)
        err = hs_conf_load(path, conf, &why);
    unlink(path);
    return err == HS_OK ? HS_OK : cli_fail(setup->cli, err, &why);
}

static enum hs_err write_config(struct cli_setup *setup, struct hs_bytes text)
{
    struct hs_conf conf = {0};
    if (text.size == 0)
        return HS_OK;
    enum hs_err err = load_config(setup, text, &conf);
    if (err != HS_OK)
        return err;
    struct moved moved[] = {
        {.path = &conf.listen.counters, .scheme = "ipc://"},
        {.path = &conf.admin.tls_cert, .scheme = ""},
        {.path = &conf.admin.tls_key, .scheme = ""},
        {.path = &conf.hook.command, .scheme = ""},
        {.path = &conf.hook.file, .scheme = ""},
    };
    char *data = conf.node.data;
    if (data != NULL)
        err = move_paths(&conf, data, setup->dir, moved, sizeof moved / sizeof *moved);
    conf.node.data = setup->dir;
    if (err == HS_OK)
        err = cli_setup_config(setup, &conf);
    conf.node.data = data;
    for (size_t i = 0; i < sizeof moved / sizeof *moved; i++) {
        if (moved[i].is != NULL)
            *moved[i].path = moved[i].was;
        free(moved[i].is);
    }
    hs_conf_free(&conf);
    return err;
}

/* ---- what is told ---- */

static enum hs_err tell_json(const struct cli_setup *setup, const struct hs_restored *restored)
{
    json_t *object = cli_backup_json(&restored->found);
    char store[17];
    if (object == NULL)
        return HS_ENOMEM;
    snprintf(store, sizeof store, "%016" PRIx64, restored->store_id);
    json_object_set_new(object, "from_store_id", json_incref(json_object_get(object, "store_id")));
    json_object_set_new(object, "store_id", json_string(store));
    json_object_set_new(object, "data", json_string(setup->dir));
    json_object_set_new(object, "config", restored->found.config.size > 0 ? json_string(setup->config) : json_null());
    json_object_set_new(object, "replaced",
                        restored->replaced[0] != '\0' ? json_string(restored->replaced) : json_null());
    json_object_set_new(object, "rows", json_integer((json_int_t)restored->rows));
    return cli_json_line(object);
}

static void tell_own(const Hallsync__BackupManifest *manifest)
{
    char partition[HS_PARTITION_TEXT_BYTES];
    if (manifest->n_own == 0)
        return;
    printf("Of its own operations the backup has, in origin %016" PRIx64 ":\n", manifest->origin);
    for (size_t i = 0; i < manifest->n_own; i++)
        printf("  %s %s: up to %" PRIu64 "\n", hs_partition_text((hs_partition)manifest->own[i]->partition, partition),
               hs_lane_text((enum hs_lane)manifest->own[i]->lane), manifest->own[i]->n);
}

static enum hs_err tell(const struct cli_setup *setup, const struct hs_restored *restored)
{
    const Hallsync__BackupManifest *manifest = restored->found.manifest;
    char made[HS_TIME_TEXT_BYTES], position[CLI_POSITION_BYTES], age[CLI_AGE_BYTES];
    if (setup->cli->json)
        return tell_json(setup, restored);
    uint64_t now_ms = hs_now_ms(), made_ms = restored->found.header.made_ms;
    hs_time_text(made_ms, manifest->utc_offset_minutes, made);
    made[10] = ' ';
    cli_backup_print(&restored->found);
    printf("\nIt is in %s now, as store %016" PRIx64 "; records and payments are those of the backup.\n", setup->dir,
           restored->store_id);
    if (restored->replaced[0] != '\0')
        printf("What was there lies in %s.\n", restored->replaced);
    printf("\nMissing is what happened after %.19s (%s ago), position %s:\n", made,
           cli_age_text(now_ms > made_ms ? (now_ms - made_ms) / 1000 : 0, age),
           cli_position_text(manifest->commit, manifest->tag, position));
    printf("%s\n", strcmp(manifest->role, "hub") == 0
                       ? "what it signed for since comes back from halls, witnesses and other hubs."
                       : "what it had handed in since comes back from its hub, and what others wrote.");
    tell_own(manifest);
    printf("It writes under a fresh origin; nothing is numbered twice.\n\nNext: hallsyncd -c %s\n      hallsync -c %s "
           "wait "
           "--synced\n",
           setup->config, setup->config);
    return HS_OK;
}

/* ---- the command ---- */

static enum hs_err restore(struct cli_setup *setup, const uint8_t *secret, struct hs_restored *restored)
{
    struct cli *cli = setup->cli;
    struct hs_why why = {""};
    struct hs_restore_options options = {
        .path = cli->args[0],
        .dir = setup->dir,
        .secret = secret,
        .force = cli->options[CLI_FORCE] != NULL,
        .now_ms = hs_now_ms(),
        .watcher = {cli_backup_told, NULL},
    };
    enum hs_err err = hs_restore(&options, restored, &why);
    cli_progress_end();
    if (err != HS_OK)
        return cli_fail(setup->cli, err, &why);
    err = write_config(setup, hs_buf_bytes(&restored->found.config));
    if (err == HS_OK)
        return tell(setup, restored);
    hs_wrap(err, &cli->bad.why, "the store is restored, its configuration is not: mend this, and restore with --force");
    return err;
}

enum hs_err cli_run_restore(struct cli *cli)
{
    uint8_t secret[HS_SEALED_KEY_BYTES];
    struct cli_setup setup = {.cli = cli};
    struct hs_restored restored = {0};
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK)
        err = cli_backup_secret(cli, secret);
    if (err == HS_OK)
        err = cli_setup_begin(&setup, cli);
    if (err == HS_OK)
        err = restore(&setup, secret, &restored);
    hs_restored_fini(&restored);
    cli_setup_end(&setup);
    sodium_memzero(secret, sizeof secret);
    return err;
}
