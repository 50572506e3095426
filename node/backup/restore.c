#include "node/backup/inside.h"
#include "node/link/keys.h"
#include "proto/base/text.h"
#include "proto/sealed/recovery.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct restoring {
    const struct hs_restore_options *options;
    struct hs_load *load;
    uint64_t rows;
};

/* ---- putting things in place ---- */

static enum hs_err put_file(const struct restoring *restoring, const struct backup_item *item, struct hs_why *why)
{
    char path[PATH_MAX];
    const char *const *name = BACKUP_FILES;
    while (*name != NULL && !hs_bytes_equal(item->key, HS_BYTES(*name, strlen(*name))))
        name++;
    if (*name == NULL)
        return HS_OK; /* hallsync.yaml, or what a later version has put beside it: not for this directory */
    size_t size = strlen(*name);
    bool secret = size > 4 && strcmp(*name + size - 4, ".key") == 0;
    if ((size_t)snprintf(path, sizeof path, "%s/%s", restoring->options->dir, *name) >= sizeof path)
        return hs_fail(HS_EINVAL, why, "the path %.64s... is too long", restoring->options->dir);
    return hs_file_write(path, item->value, secret ? 0600 : 0644, why);
}

static enum hs_err put_item(void *ctx, const struct backup_item *item, struct hs_why *why)
{
    struct restoring *restoring = ctx;
    if (item->type == BACKUP_FILE)
        return put_file(restoring, item, why);
    if (item->type != BACKUP_ROW)
        return HS_OK;
    restoring->rows++;
    enum hs_err err = hs_load_row(restoring->load, item->table, item->key, item->value);
    return err == HS_OK ? HS_OK : hs_fail(err, why, "a row of the table %s: %s", item->table, hs_err_text(err));
}

static enum hs_err make_keys_folder(const char *dir, struct hs_why *why)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/keys", dir);
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return HS_OK;
    return hs_fail(hs_err_from_errno(errno), why, "cannot make the directory %s: %s", path, strerror(errno));
}

/* The second reading; the file must still be the one that was verified. */
static enum hs_err load(struct restoring *restoring, const struct hs_sealed_opening *opening,
                        const struct hs_backup_found *verified, struct hs_why *why)
{
    struct hs_backup_found again = {0};
    struct backup_pass pass = {.opening = opening,
                               .watcher = &restoring->options->watcher,
                               .what = "restoring",
                               .item = put_item,
                               .ctx = restoring};
    enum hs_err err = make_keys_folder(restoring->options->dir, why);
    if (err == HS_OK)
        err = backup_pass(restoring->options->path, &pass, &again, why);
    if (err == HS_OK && !hs_hash_equal(&again.hash, &verified->hash))
        err = hs_fail(HS_EDAMAGED, why, "%s was changed while it was being restored", restoring->options->path);
    hs_backup_found_fini(&again);
    return err;
}

/* ---- the store that was made, held against the manifest ---- */

struct comparing {
    const Hallsync__BackupManifest *manifest;
    size_t next;
};

static enum hs_err same_digest(void *ctx, const struct hs_digest *digest)
{
    struct comparing *comparing = ctx;
    if (comparing->next >= comparing->manifest->n_digests)
        return HS_EDAMAGED;
    const Hallsync__BackupDigest *told = comparing->manifest->digests[comparing->next++];
    bool same = told->partition == digest->partition && told->kind == digest->kind && told->count == digest->count &&
                told->sum.len == HS_HASH_BYTES && memcmp(told->sum.data, digest->sum.bytes, HS_HASH_BYTES) == 0;
    return same ? HS_OK : HS_EDAMAGED;
}

static enum hs_err compare_view(struct hs_view *view, struct hs_restored *restored, struct hs_why *why)
{
    const Hallsync__BackupManifest *manifest = restored->found.manifest;
    const struct hs_totals_filter all = {0};
    struct comparing comparing = {manifest, 0};
    struct hs_totals totals;
    enum hs_err err = hs_view_digests(view, same_digest, &comparing);
    if (err == HS_EDAMAGED || (err == HS_OK && comparing.next != manifest->n_digests))
        return hs_fail(HS_EDAMAGED, why, "the records that the restored log adds up to are not those of the backup");
    if (err == HS_OK)
        err = hs_view_totals(view, &all, &totals);
    if (err != HS_OK)
        return hs_fail(err, why, "the restored records cannot be read: %s", hs_err_text(err));
    restored->payments = totals.count;
    restored->sum_fen = totals.sum_fen;
    if (totals.count != manifest->payments || totals.sum_fen != manifest->sum_fen ||
        totals.reversed_count != manifest->reversals || totals.reversed_fen != manifest->reversed_fen)
        return hs_fail(HS_EDAMAGED, why, "the restored payments do not add up to those of the backup");
    return HS_OK;
}

static enum hs_err compare(struct hs_store *store, struct hs_restored *restored, struct hs_why *why)
{
    struct hs_view *view = NULL;
    enum hs_err err = hs_store_flush(store);
    if (err == HS_OK)
        err = hs_view_open(store, 0, 0, &view);
    if (err != HS_OK)
        return hs_fail(err, why, "the restored store cannot be read: %s", hs_err_text(err));
    err = compare_view(view, restored, why);
    hs_view_close(view);
    return err;
}

static enum hs_err open_and_compare(const struct hs_restore_options *options, struct hs_restored *restored,
                                    struct hs_why *why)
{
    const Hallsync__BackupManifest *manifest = restored->found.manifest;
    hs_partition districts[HS_SCOPE_MAX];
    struct hs_keys keys = {0};
    struct hs_store *store = NULL;
    if (manifest->n_districts > HS_SCOPE_MAX)
        return hs_fail(HS_EDAMAGED, why, "the manifest names more districts than a node has");
    for (size_t i = 0; i < manifest->n_districts; i++)
        districts[i] = (hs_partition)manifest->districts[i];
    enum hs_err err = hs_keys_load(options->dir, &keys, why);
    if (err != HS_OK)
        return err;
    struct hs_store_options opening = {
        .dir = options->dir,
        .certificate = hs_buf_bytes(&keys.certificate),
        .signer = hs_signer_of(keys.node),
        .map_bytes = options->map_bytes,
        .visits = true,
        .utc_offset_minutes = manifest->utc_offset_minutes,
        .districts = districts,
        .district_count = manifest->n_districts,
    };
    err = hs_store_open(&opening, &store, why);
    if (err == HS_OK)
        err = compare(store, restored, why);
    hs_store_close(store);
    hs_keys_free(&keys);
    return err;
}

/* ---- all of it ---- */

static void name_aside(const struct hs_restore_options *options, const Hallsync__BackupManifest *manifest,
                       char aside[static 64])
{
    char text[HS_TIME_TEXT_BYTES];
    const char *t = hs_time_text(options->now_ms, manifest->utc_offset_minutes, text);
    snprintf(aside, 64, "replaced/%.4s%.2s%.2s-%.2s%.2s%.2s.%.3s", t, t + 5, t + 8, t + 11, t + 14, t + 17, t + 20);
}

static enum hs_err restore(const struct hs_restore_options *options, const struct hs_sealed_opening *opening,
                           struct hs_restored *restored, struct hs_why *why)
{
    struct restoring restoring = {.options = options};
    char aside[64];
    name_aside(options, restored->found.manifest, aside);
    struct hs_load_options loading = {
        .dir = options->dir, .map_bytes = options->map_bytes, .aside = options->force ? aside : NULL};
    enum hs_err err = hs_load_begin(&loading, &restoring.load, why);
    if (err == HS_EEXISTS && !options->force)
        return hs_wrap(err, why, "nothing was changed; --force moves what is there to %s/replaced", options->dir);
    if (err != HS_OK)
        return err;
    restored->store_id = hs_load_store_id(restoring.load);
    if (hs_load_moved(restoring.load))
        snprintf(restored->replaced, sizeof restored->replaced, "%.4000s/%s", options->dir, aside);
    err = load(&restoring, opening, &restored->found, why);
    restored->rows = restoring.rows;
    if (err != HS_OK) {
        hs_load_abort(restoring.load);
        return err;
    }
    err = hs_load_end(restoring.load, why);
    if (err == HS_OK && options->watcher.told != NULL)
        options->watcher.told(options->watcher.ctx, "replaying", 0, restoring.rows);
    if (err != HS_OK)
        return err;
    err = open_and_compare(options, restored, why);
    return err == HS_OK ? HS_OK
                        : hs_wrap(err, why, "%s is not whole: mend this, and restore with --force", options->dir);
}

enum hs_err hs_restore(const struct hs_restore_options *options, struct hs_restored *restored, struct hs_why *why)
{
    struct hs_key key;
    *restored = (struct hs_restored){0};
    enum hs_err err = hs_backup_look(options->path, options->secret, &options->watcher, &restored->found, why);
    if (err != HS_OK)
        return err;
    err = hs_recovery_public(options->secret, &key);
    struct hs_sealed_opening opening = {.purpose = HS_SEALED_BACKUP, .public_key = &key, .secret = options->secret};
    if (err == HS_OK)
        err = restore(options, &opening, restored, why);
    if (err != HS_OK && restored->replaced[0] != '\0')
        hs_wrap(err, why, "what was there lies in %s", restored->replaced);
    else if (err != HS_OK && why != NULL && why->text[0] == '\0')
        hs_fail(err, why, "%s cannot be restored to %s: %s", options->path, options->dir, hs_err_text(err));
    return err;
}

void hs_restored_fini(struct hs_restored *restored)
{
    hs_backup_found_fini(&restored->found);
}
