#include "node/backup/backup.h"

#include "node/backup/inside.h"
#include "node/backup/tally.h"
#include "node/link/keys.h"
#include "proto/base/limits.h"
#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/sealed/sealed_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define GROWTH_ROWS 4096 /* so often it is looked at how much the log has grown */
#define HEADS_FIRST 64

struct hs_backup {
    struct hs_arena arena;
    char dir[PATH_MAX], path[PATH_MAX];
    struct hs_buf config, certificate;
    struct hs_key recipients[HS_BACKUP_RECIPIENTS_MAX];
    struct hs_sealed_draft draft;
    uint64_t growth_max_bytes;
    struct hs_dump *dump;
    Hallsync__BackupManifest manifest;
    struct timespec begun;

    /* while it runs */
    struct hs_sealer *sealer;
    struct backup_tally tally;
    struct hs_buf item;
    uint8_t key[HS_SEALED_KEY_BYTES]; /* of the file, to read it back */
    struct hs_why said;
    struct hs_head *heads;
    size_t head_count, head_room;
    struct hs_hash hash;
    uint64_t bytes;

    /* told to others */
    atomic_bool stop;
    _Atomic uint64_t done, total;
    _Atomic int phase;
};

/* ---- what the records say at that moment ---- */

static enum hs_err add_digest(void *ctx, const struct hs_digest *digest)
{
    struct hs_backup *backup = ctx;
    Hallsync__BackupManifest *manifest = &backup->manifest;
    Hallsync__BackupDigest *row = hs_arena_alloc(&backup->arena, sizeof *row);
    struct hs_bytes sum = hs_arena_copy(&backup->arena, HS_BYTES(digest->sum.bytes, HS_HASH_BYTES));
    if (row == NULL || sum.data == NULL)
        return HS_ENOMEM;
    if (manifest->n_digests == BACKUP_DIGESTS_MAX)
        return HS_ETOOBIG;
    hallsync__backup_digest__init(row);
    row->partition = digest->partition;
    row->kind = digest->kind;
    row->count = digest->count;
    row->sum = (ProtobufCBinaryData){sum.size, (uint8_t *)(uintptr_t)sum.data};
    manifest->digests[manifest->n_digests++] = row;
    return HS_OK;
}

static enum hs_err read_records(struct hs_backup *backup, struct hs_view *view)
{
    const struct hs_totals_filter all = {0};
    struct hs_totals totals;
    backup->manifest.digests = hs_arena_array(&backup->arena, BACKUP_DIGESTS_MAX, sizeof *backup->manifest.digests);
    if (backup->manifest.digests == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_view_digests(view, add_digest, backup);
    if (err == HS_OK)
        err = hs_view_totals(view, &all, &totals);
    if (err != HS_OK)
        return err;
    backup->manifest.payments = totals.count;
    backup->manifest.sum_fen = totals.sum_fen;
    backup->manifest.reversals = totals.reversed_count;
    backup->manifest.reversed_fen = totals.reversed_fen;
    backup->manifest.origin = hs_view_current_origin(view);
    backup->manifest.has_origin = backup->manifest.origin != 0;
    return HS_OK;
}

/* Records and log of one commit: nobody commits between the two on the writer's thread. */
static enum hs_err take_moment(struct hs_backup *backup, struct hs_store *store)
{
    struct hs_view *view = NULL;
    enum hs_err err = hs_store_flush(store);
    if (err == HS_OK)
        err = hs_view_open(store, 0, 0, &view);
    if (err == HS_OK)
        err = hs_dump_begin(store, &backup->dump);
    if (err == HS_OK) {
        struct hs_position flushed = hs_store_position(store), log = hs_dump_position(backup->dump);
        backup->manifest.commit = log.commit;
        backup->manifest.tag = log.tag;
        err = flushed.commit == log.commit && flushed.tag == log.tag ? read_records(backup, view) : HS_EBUSY;
    }
    hs_view_close(view);
    return err;
}

/* ---- beginning ---- */

/* Synced, as the files in it are: a backup counts when its name is on the disk.  (Where somebody else owns what it lies
 * in, it is his to see to.) */
enum hs_err hs_backup_make_dir(const char *dir, struct hs_why *why)
{
    if (mkdir(dir, 0700) != 0)
        return errno == EEXIST ? HS_OK
                               : hs_fail(hs_err_from_errno(errno), why, "backup.dir: cannot make the directory %s: %s",
                                         dir, strerror(errno));
    enum hs_err err = hs_file_sync_name(dir, why);
    return err == HS_EPERM ? HS_OK : err;
}

static enum hs_err copy_options(struct hs_backup *backup, const struct hs_backup_options *options,
                                const struct hs_store *store)
{
    struct hs_bytes certificate = hs_store_certificate_bytes(store);
    hs_buf_put_bytes(&backup->config, options->config);
    hs_buf_put_bytes(&backup->certificate, certificate);
    memcpy(backup->recipients, options->recipients, options->recipient_count * sizeof *options->recipients);
    backup->growth_max_bytes = options->growth_max_bytes;
    backup->draft = (struct hs_sealed_draft){
        .purpose = HS_SEALED_BACKUP,
        .root_key = hs_store_certificate(store)->root_key,
        .certificate = hs_buf_bytes(&backup->certificate),
        .signer = options->signer,
        .recipients = backup->recipients,
        .recipient_count = options->recipient_count,
        .made_ms = options->now_ms,
    };
    return backup->config.err != HS_OK ? backup->config.err : backup->certificate.err;
}

/* A directory gets a name that sorts by time: nj-hub-20261122-023000-000004d2.backup. */
static enum hs_err choose_path(struct hs_backup *backup, const struct hs_backup_options *options, const char *node_id,
                               struct hs_why *why)
{
    char time_text[HS_TIME_TEXT_BYTES], name[96] = "";
    size_t size = strlen(options->path);
    if (size > 0 && options->path[size - 1] == '/') {
        const char *t = hs_time_text(options->now_ms, options->utc_offset_minutes, time_text);
        snprintf(name, sizeof name, "%s-%.4s%.2s%.2s-%.2s%.2s%.2s-%08llx" HS_BACKUP_SUFFIX, node_id, t, t + 5, t + 8,
                 t + 11, t + 14, t + 17, (unsigned long long)backup->manifest.commit);
    }
    int path = snprintf(backup->path, sizeof backup->path, "%s%s", options->path, name);
    int dir = snprintf(backup->dir, sizeof backup->dir, "%s", options->dir);
    if (path <= 0 || (size_t)path >= sizeof backup->path || (size_t)dir >= sizeof backup->dir)
        return hs_fail(HS_EINVAL, why, "the path %.64s... is too long", options->path);
    return HS_OK;
}

static void tell_node(struct hs_backup *backup, const struct hs_backup_options *options, const struct hs_store *store)
{
    const struct hs_certificate *certificate = hs_store_certificate(store);
    Hallsync__BackupManifest *manifest = &backup->manifest;
    manifest->node_id = hs_arena_text(&backup->arena, HS_BYTES(certificate->node_id, strlen(certificate->node_id)));
    manifest->region = hs_arena_text(&backup->arena, HS_BYTES(certificate->region, strlen(certificate->region)));
    manifest->role = (char *)(uintptr_t)hs_role_text(certificate->role);
    manifest->version = (char *)(uintptr_t)HS_VERSION;
    manifest->store_id = hs_store_id(store);
    manifest->schema = hs_dump_schema();
    manifest->begun_ms = options->now_ms;
    manifest->utc_offset_minutes = options->utc_offset_minutes;
    manifest->districts = hs_arena_array(&backup->arena, options->district_count, sizeof *manifest->districts);
    for (size_t i = 0; i < options->district_count && manifest->districts != NULL; i++)
        manifest->districts[manifest->n_districts++] = options->districts[i];
}

static enum hs_err begin(struct hs_backup *backup, const struct hs_backup_options *options, struct hs_store *store,
                         struct hs_why *why)
{
    hs_arena_init(&backup->arena, BACKUP_ARENA_BYTES);
    hallsync__backup_manifest__init(&backup->manifest);
    clock_gettime(CLOCK_MONOTONIC, &backup->begun);
    enum hs_err err = copy_options(backup, options, store);
    if (err == HS_OK)
        tell_node(backup, options, store);
    if (err == HS_OK && (backup->manifest.node_id == NULL || backup->manifest.region == NULL ||
                         backup->manifest.n_districts != options->district_count))
        err = HS_ENOMEM;
    if (err == HS_OK)
        err = take_moment(backup, store);
    if (err != HS_OK)
        return hs_fail(err, why, "the backup cannot begin: %s",
                       err == HS_EBUSY ? "the store is being written to" : hs_err_text(err));
    backup->total = hs_dump_count(backup->dump);
    return choose_path(backup, options, backup->manifest.node_id, why);
}

enum hs_err hs_backup_begin(const struct hs_backup_options *options, struct hs_store *store, struct hs_backup **out,
                            struct hs_why *why)
{
    *out = NULL;
    if (options->recipient_count == 0 || options->recipient_count > HS_BACKUP_RECIPIENTS_MAX)
        return hs_fail(HS_EINVAL, why,
                       "a backup is sealed to 1 to %d recovery keys: make one with 'hallsync backup-key new', and put "
                       "its public part into backup.recipients",
                       HS_BACKUP_RECIPIENTS_MAX);
    struct hs_backup *backup = calloc(1, sizeof *backup);
    if (backup == NULL)
        return hs_fail(HS_ENOMEM, why, "no memory for a backup");
    enum hs_err err = begin(backup, options, store, why);
    if (err != HS_OK) {
        hs_backup_end(backup);
        return err;
    }
    *out = backup;
    return HS_OK;
}

/* ---- writing ---- */

static enum hs_err put_item(struct hs_backup *backup, uint8_t type, struct hs_bytes bytes)
{
    struct hs_sealed_item item = {type, bytes};
    struct backup_item ignored;
    enum hs_err err = backup_tally_item(&backup->tally, &item, &ignored);
    return err == HS_OK ? hs_sealer_put(backup->sealer, type, bytes) : err;
}

static enum hs_err add_head(struct hs_backup *backup, const struct hs_head *head)
{
    bool same = backup->head_count > 0 && hs_stream_equal(&backup->heads[backup->head_count - 1].stream, &head->stream);
    if (!same && backup->head_count == backup->head_room) {
        size_t room = backup->head_room == 0 ? HEADS_FIRST : 2 * backup->head_room;
        struct hs_head *heads = reallocarray(backup->heads, room, sizeof *heads);
        if (heads == NULL)
            return HS_ENOMEM;
        backup->heads = heads;
        backup->head_room = room;
    }
    backup->head_count += same ? 0 : 1;
    backup->heads[backup->head_count - 1] = *head;
    return HS_OK;
}

/* LMDB takes nothing again that was free when the snapshot was made: a log that is written to meanwhile grows. */
static enum hs_err may_go_on(struct hs_backup *backup, uint64_t done)
{
    backup->done = done;
    if (atomic_load(&backup->stop))
        return hs_fail(HS_ESTOPPING, &backup->said, "the backup was stopped");
    uint64_t growth = done % GROWTH_ROWS == 1 ? hs_dump_growth(backup->dump) : 0;
    if (backup->growth_max_bytes == 0 || growth <= backup->growth_max_bytes)
        return HS_OK;
    return hs_fail(
        HS_EBUSY, &backup->said,
        "the log has grown by %llu MiB while the backup was being made: try again at a quieter hour, or raise "
        "backup.growth_max_mib",
        (unsigned long long)(growth >> 20));
}

static enum hs_err write_row(void *ctx, const char *table, struct hs_bytes key, struct hs_bytes value)
{
    struct hs_backup *backup = ctx;
    struct backup_tally *tally = &backup->tally;
    struct hs_head head;
    enum hs_err err = HS_OK;
    bool same = tally->table_count > 0 && strcmp(tally->tables[tally->table_count - 1].name, table) == 0;
    if (!same)
        err = put_item(backup, BACKUP_TABLE, HS_BYTES(table, strlen(table)));
    hs_buf_reset(&backup->item);
    hs_buf_put_sized(&backup->item, key);
    hs_buf_put_bytes(&backup->item, value);
    if (err == HS_OK)
        err = backup->item.err;
    if (err == HS_OK)
        err = put_item(backup, BACKUP_ROW, hs_buf_bytes(&backup->item));
    if (err == HS_OK && hs_row_head(table, key, value, &head))
        err = add_head(backup, &head);
    return err == HS_OK ? may_go_on(backup, tally->rows) : err;
}

static enum hs_err write_one_file(struct hs_backup *backup, const char *name, struct hs_bytes content)
{
    hs_buf_reset(&backup->item);
    hs_buf_put_sized(&backup->item, HS_BYTES(name, strlen(name)));
    hs_buf_put_bytes(&backup->item, content);
    return backup->item.err == HS_OK ? put_item(backup, BACKUP_FILE, hs_buf_bytes(&backup->item)) : backup->item.err;
}

/* Keys and certificates; a hall has no issuer's. */
static enum hs_err write_files(struct hs_backup *backup)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; BACKUP_FILES[i] != NULL && err == HS_OK; i++) {
        char path[PATH_MAX + BACKUP_FILE_NAME_MAX];
        struct hs_buf content = {0};
        snprintf(path, sizeof path, "%s/%s", backup->dir, BACKUP_FILES[i]);
        err = hs_file_read(path, BACKUP_FILE_BYTES_MAX, &content, &backup->said);
        if (err == HS_OK)
            err = write_one_file(backup, BACKUP_FILES[i], hs_buf_bytes(&content));
        else if (err == HS_ENOTFOUND)
            err = HS_OK;
        backup_wipe(&content);
    }
    if (err == HS_OK && backup->config.size > 0)
        err = write_one_file(backup, BACKUP_CONFIG_NAME, hs_buf_bytes(&backup->config));
    return err;
}

/* The heads of the node's current origin. */
static enum hs_err tell_own(struct hs_backup *backup)
{
    Hallsync__BackupManifest *manifest = &backup->manifest;
    manifest->own = hs_arena_array(&backup->arena, BACKUP_OWN_MAX, sizeof *manifest->own);
    if (manifest->own == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < backup->head_count && manifest->n_own < BACKUP_OWN_MAX; i++) {
        const struct hs_head *head = &backup->heads[i];
        if (!manifest->has_origin || head->stream.origin != manifest->origin)
            continue;
        Hallsync__BackupHead *row = hs_arena_alloc(&backup->arena, sizeof *row);
        if (row == NULL)
            return HS_ENOMEM;
        hallsync__backup_head__init(row);
        row->partition = head->stream.partition;
        row->lane = head->stream.lane;
        row->n = head->n;
        manifest->own[manifest->n_own++] = row;
    }
    return HS_OK;
}

static uint64_t ms_since(const struct timespec *begun)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)(now.tv_sec - begun->tv_sec) * 1000 + (uint64_t)(now.tv_nsec / 1000000) -
           (uint64_t)(begun->tv_nsec / 1000000);
}

static enum hs_err finish(struct hs_backup *backup)
{
    struct hs_buf packed = {0};
    enum hs_err err = tell_own(backup);
    if (err == HS_OK)
        err = backup_tally_tell(&backup->tally, &backup->arena, &backup->manifest);
    if (err == HS_OK) {
        hs_msg_pack(&backup->manifest.base, &packed);
        err = packed.err;
    }
    if (err == HS_OK)
        err = hs_sealer_finish(backup->sealer, hs_buf_bytes(&packed));
    hs_buf_fini(&packed);
    return err;
}

static enum hs_err write_all(struct hs_backup *backup)
{
    backup_tally_begin(&backup->tally);
    enum hs_err err = hs_dump_rows(backup->dump, write_row, backup);
    backup->manifest.open_ms = ms_since(&backup->begun);
    backup->manifest.growth_bytes = hs_dump_growth(backup->dump);
    hs_dump_end(backup->dump);
    backup->dump = NULL;
    if (err == HS_OK)
        err = write_files(backup);
    if (err == HS_OK)
        err = finish(backup);
    return err;
}

static enum hs_err write_file(struct hs_backup *backup, struct hs_why *why)
{
    struct hs_sealed_out *out = NULL;
    enum hs_err err = hs_sealed_out_open(backup->path, &out, why);
    if (err != HS_OK)
        return err;
    struct hs_sealed_sink sink = hs_sealed_out_sink(out);
    err = hs_sealer_open(&backup->draft, &sink, &backup->sealer, &backup->said);
    if (err == HS_OK)
        err = write_all(backup);
    if (err == HS_OK) {
        memcpy(backup->key, hs_sealer_key(backup->sealer), sizeof backup->key);
        backup->hash = *hs_sealer_hash(backup->sealer);
        backup->bytes = hs_sealer_bytes(backup->sealer);
        err = hs_sealed_out_commit(out, &backup->said);
    }
    const char *said = backup->said.text[0] != '\0'              ? backup->said.text
                       : hs_sealed_out_why(out)->text[0] != '\0' ? hs_sealed_out_why(out)->text
                                                                 : hs_err_text(err);
    if (err != HS_OK)
        hs_fail(err, why, "%s", said);
    hs_sealer_close(backup->sealer);
    backup->sealer = NULL;
    hs_sealed_out_close(out);
    return err;
}

/* ---- reading back ---- */

static void reading(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    struct hs_backup *backup = ctx;
    (void)what;
    backup->total = total;
    backup->done = done;
}

static enum hs_err read_back(struct hs_backup *backup, struct hs_why *why)
{
    struct hs_backup_found found = {0};
    struct hs_sealed_opening opening = {
        .purpose = HS_SEALED_BACKUP, .root_key = &backup->draft.root_key, .file_key = backup->key};
    struct hs_backup_watcher watcher = {reading, backup};
    struct backup_pass pass = {.opening = &opening, .watcher = &watcher, .stop = &backup->stop};
    enum hs_err err = backup_pass(backup->path, &pass, &found, why);
    if (err == HS_OK && !hs_hash_equal(&found.hash, &backup->hash))
        err = hs_fail(HS_EDAMAGED, why, "what was read back of %s is another file", backup->path);
    hs_backup_found_fini(&found);
    return err;
}

enum hs_err hs_backup_run(struct hs_backup *backup, struct hs_why *why)
{
    enum hs_err err = write_file(backup, why);
    if (err != HS_OK)
        return err;
    backup->done = 0;
    backup->total = backup->bytes;
    backup->phase = HS_BACKUP_READING;
    err = read_back(backup, why);
    if (err != HS_OK)
        unlink(backup->path); /* a backup that cannot be read is none */
    else
        backup->phase = HS_BACKUP_DONE;
    return err;
}

/* ---- the object ---- */

void hs_backup_stop(struct hs_backup *backup)
{
    atomic_store(&backup->stop, true);
}

void hs_backup_progress(const struct hs_backup *backup, struct hs_backup_progress *progress)
{
    *progress = (struct hs_backup_progress){(enum hs_backup_phase)backup->phase, backup->done, backup->total};
}

const char *hs_backup_path(const struct hs_backup *backup)
{
    return backup->path;
}

uint64_t hs_backup_bytes(const struct hs_backup *backup)
{
    return backup->bytes;
}

const struct hs_hash *hs_backup_hash(const struct hs_backup *backup)
{
    return &backup->hash;
}

const Hallsync__BackupManifest *hs_backup_manifest(const struct hs_backup *backup)
{
    return &backup->manifest;
}

const struct hs_head *hs_backup_heads(const struct hs_backup *backup, size_t *count)
{
    *count = backup->head_count;
    return backup->heads;
}

void hs_backup_end(struct hs_backup *backup)
{
    if (backup == NULL)
        return;
    hs_dump_end(backup->dump);
    hs_sealer_close(backup->sealer);
    hs_arena_fini(&backup->arena);
    hs_buf_fini(&backup->config);
    hs_buf_fini(&backup->certificate);
    backup_wipe(&backup->item);
    free(backup->heads);
    sodium_memzero(backup->key, sizeof backup->key);
    free(backup);
}
