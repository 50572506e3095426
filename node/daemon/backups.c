#include "node/daemon/backups.h"

#include "node/backup/backup.h"
#include "node/log/log.h"
#include "proto/base/thread.h"
#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define LOOK_S          600 /* so often it is looked whether the newest is there */
#define VOUCH_PIECE     256 /* receipts signed in one job: some milliseconds */
#define STATUS_BACKUP   30
#define STATUS_PROBLEMS 21
#define OLD_MS          (3 * 24 * 3600 * 1000ULL) /* a nightly backup has failed twice by then */
#define KEPT_MAX        64

enum phase { PHASE_IDLE, PHASE_WAITING, PHASE_RUNNING, PHASE_VOUCHING };

/* A job of the writer's, for which the thread waits. */
struct errand {
    struct hs_job job;
    struct hs_backups *backups;
    enum hs_err (*run)(struct errand *errand, struct hs_store *store); /* in a group */
    const struct hs_backup_row *row;
    const struct hs_head *heads;
    size_t head_count;
    enum hs_err err;
    bool done;
};

struct kept {
    uint64_t time_ms, bytes, commit;
    char path[HS_BACKUP_PATH_BYTES_MAX + 1];
};

struct listing {
    struct kept kept[KEPT_MAX]; /* by commit: each holds what those before it held, whatever the clock said */
    size_t count;
};

struct hs_backups {
    struct hs_backups_options options;
    char dir[PATH_MAX];
    struct listing listing; /* the thread's */
    pthread_t thread;
    bool running;

    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t wake;  /* waits by CLOCK_MONOTONIC */
    bool stopping;
    uint64_t wanted, ended; /* numbers of runs */
    enum phase phase;
    struct hs_backup *backup; /* while it runs */
    bool has_last;
    struct kept last;
    bool vouches;          /* the newest backup is vouched for */
    const char *no_second; /* why backups do not count as a store; NULL: they do */
    uint64_t failed_ms;    /* 0: the newest run did not fail */
    enum hs_err failed;
    struct hs_why failed_why;
    bool has_run;
    Hallsync__BackupRun run;
    char run_file[HS_BACKUP_PATH_BYTES_MAX + 1];
};

static void set_phase(struct hs_backups *backups, enum phase phase, struct hs_backup *backup)
{
    pthread_mutex_lock(&backups->lock);
    backups->phase = phase;
    backups->backup = backup;
    pthread_mutex_unlock(&backups->lock);
}

static bool is_stopping(struct hs_backups *backups)
{
    pthread_mutex_lock(&backups->lock);
    bool stopping = backups->stopping;
    pthread_mutex_unlock(&backups->lock);
    return stopping;
}

/* ---- errands: the writer does them, the thread waits ---- */

static enum hs_err run_errand(struct hs_job *job, struct hs_store *store)
{
    struct errand *errand = (struct errand *)job;
    enum hs_err err = errand->run(errand, store);
    job->torn = err != HS_OK;
    return err;
}

static void errand_done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct errand *errand = (struct errand *)job;
    struct hs_backups *backups = errand->backups;
    (void)commit;
    pthread_mutex_lock(&backups->lock);
    errand->err = err;
    errand->done = true;
    pthread_cond_broadcast(&backups->wake);
    pthread_mutex_unlock(&backups->lock);
}

static enum hs_err wait_for(struct hs_backups *backups, struct errand *errand)
{
    pthread_mutex_lock(&backups->lock);
    while (!errand->done)
        pthread_cond_wait(&backups->wake, &backups->lock);
    pthread_mutex_unlock(&backups->lock);
    return errand->err;
}

static enum hs_err write_errand(struct hs_backups *backups, struct errand *errand)
{
    errand->backups = backups;
    errand->job = (struct hs_job){.run = run_errand, .done = errand_done, .weight = 64 * 1024};
    enum hs_err err = hs_writer_submit(backups->options.writer, &errand->job);
    return err == HS_OK ? wait_for(backups, errand) : err;
}

/* ---- beginning: on the writer's thread, behind a flush ---- */

static struct hs_backup_options options_of(const struct hs_backups *backups, const char *path, struct hs_bytes config)
{
    const struct hs_conf *conf = backups->options.conf;
    return (struct hs_backup_options){
        .dir = conf->node.data,
        .path = path,
        .config = config,
        .recipients = conf->backup_keys,
        .recipient_count = conf->backup_key_count,
        .signer = backups->options.signer,
        .utc_offset_minutes = conf->utc_offset_minutes,
        .districts = conf->districts,
        .district_count = conf->district_count,
        .growth_max_bytes = (uint64_t)conf->backup.growth_max_mib << 20,
        .now_ms = hs_now_ms(),
    };
}

struct beginning {
    struct errand errand;
    struct hs_backup *backup;
    struct hs_why why;
};

static void begin_done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct beginning *beginning = (struct beginning *)job;
    struct hs_backups *backups = beginning->errand.backups;
    struct hs_buf config = {0};
    char path[PATH_MAX + 2];
    snprintf(path, sizeof path, "%s/", backups->dir);
    hs_conf_write(backups->options.conf, &config);
    struct hs_backup_options options = options_of(backups, path, hs_buf_bytes(&config));
    if (err == HS_OK)
        err = config.err;
    if (err == HS_OK)
        err = hs_backup_begin(&options, backups->options.store, &beginning->backup, &beginning->why);
    hs_buf_fini(&config);
    errand_done(job, err, commit);
}

/* A backup is about a quarter of the log; half of it must be free, and on the data's own disk the reserve besides. */
static enum hs_err check_room(const struct hs_backups *backups, struct hs_why *why)
{
    const struct hs_conf *conf = backups->options.conf;
    struct hs_view *view = NULL;
    struct hs_store_sizes sizes;
    struct statvfs disk;
    struct stat data, dir;
    enum hs_err err = hs_view_open(backups->options.store, 0, 0, &view);
    if (err != HS_OK)
        return err;
    hs_view_sizes(view, &sizes);
    hs_view_close(view);
    if (statvfs(backups->dir, &disk) != 0 || stat(backups->dir, &dir) != 0 || stat(conf->node.data, &data) != 0)
        return hs_fail(hs_err_from_errno(errno), why, "backup.dir: %s: %s", backups->dir, strerror(errno));
    uint64_t needed = sizes.log_bytes / 2;
    if (data.st_dev == dir.st_dev)
        needed += (uint64_t)conf->limits.disk_reserve_mib << 20;
    uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (left >= needed)
        return HS_OK;
    return hs_fail(HS_EFULL, why, "backup.dir: %s has %" PRIu64 " MiB left, and a backup may need %" PRIu64 " MiB",
                   backups->dir, left >> 20, needed >> 20);
}

static enum hs_err begin(struct hs_backups *backups, struct hs_backup **backup, struct hs_why *why)
{
    struct beginning beginning = {.errand = {.backups = backups, .job = {.done = begin_done}}};
    enum hs_err err = hs_backup_make_dir(backups->dir, why);
    if (err == HS_OK)
        err = check_room(backups, why);
    if (err == HS_OK)
        err = hs_writer_after_flush(backups->options.writer, &beginning.errand.job);
    if (err != HS_OK)
        return err;
    err = wait_for(backups, &beginning.errand);
    *why = beginning.why;
    *backup = beginning.backup;
    return err;
}

/* ---- what there is ---- */

static enum hs_err list_one(void *ctx, const struct hs_backup_row *row)
{
    struct listing *listing = ctx;
    if (listing->count == KEPT_MAX)
        return HS_OK;
    struct kept *kept = &listing->kept[listing->count++];
    *kept = (struct kept){.time_ms = row->time_ms, .bytes = row->bytes, .commit = row->position.commit};
    if (row->path.size <= HS_BACKUP_PATH_BYTES_MAX)
        memcpy(kept->path, row->path.data, row->path.size);
    return HS_OK;
}

static int by_commit(const void *a, const void *b)
{
    const struct kept *one = a, *other = b;
    return one->commit < other->commit ? -1 : one->commit > other->commit;
}

static enum hs_err list_all(struct hs_backups *backups, uint64_t *store_id)
{
    struct listing *listing = &backups->listing;
    struct hs_view *view = NULL;
    listing->count = 0;
    enum hs_err err = hs_view_open(backups->options.store, 0, 0, &view);
    if (err != HS_OK)
        return err;
    err = hs_view_backups(view, list_one, listing);
    *store_id = hs_view_backup_store(view);
    hs_view_close(view);
    qsort(listing->kept, listing->count, sizeof *listing->kept, by_commit);
    return err;
}

static bool is_there(const struct kept *kept, bool *gone)
{
    struct stat status;
    bool there = stat(kept->path, &status) == 0;
    *gone = !there && (errno == ENOENT || errno == ENOTDIR);
    return there && S_ISREG(status.st_mode) && (uint64_t)status.st_size == kept->bytes;
}

static enum hs_err run_drop(struct errand *errand, struct hs_store *store)
{
    return hs_store_drop_backup(store, errand->row->time_ms);
}

static enum hs_err run_retire(struct errand *errand, struct hs_store *store)
{
    (void)errand;
    return hs_store_retire_backups(store);
}

static void drop_row(struct hs_backups *backups, const struct kept *kept)
{
    struct hs_backup_row row = {.time_ms = kept->time_ms};
    struct errand errand = {.run = run_drop, .row = &row};
    enum hs_err err = write_errand(backups, &errand);
    if (err != HS_OK && err != HS_ESTOPPING)
        HS_LOG(BACKUP_NOT_NOTED, HS_WORD("reason", hs_err_name(err)));
}

/* Only what the newest backup holds can be vouched for; without it the word is taken back. */
static void retire(struct hs_backups *backups)
{
    struct errand errand = {.run = run_retire};
    enum hs_err err = write_errand(backups, &errand);
    if (err == HS_OK)
        HS_LOG(BACKUP_NOT_VOUCHED, HS_PROSE("text", "the newest verified backup is not there any more"));
    else if (err != HS_ESTOPPING)
        HS_LOG(BACKUP_NOT_NOTED, HS_WORD("reason", hs_err_name(err)));
}

/* A backup on the data's own disk goes with it. */
static const char *find_no_second(const struct hs_backups *backups)
{
    const struct hs_conf *conf = backups->options.conf;
    struct stat data, dir;
    if (hs_store_certificate(backups->options.store)->role != HS_ROLE_HUB)
        return "only a hub's do";
    if (strcmp(conf->backup.second_store, "yes") != 0)
        return "backup.second_store says no";
    if (stat(conf->node.data, &data) != 0 || stat(backups->dir, &dir) != 0)
        return "backup.dir is not there";
    return data.st_dev == dir.st_dev ? "backup.dir is on the data's own disk" : NULL;
}

static void look(struct hs_backups *backups)
{
    const struct listing *listing = &backups->listing;
    uint64_t store_id = 0;
    bool gone = false, newest = true;
    struct kept last = {0};
    if (list_all(backups, &store_id) != HS_OK)
        return;
    const char *no_second = find_no_second(backups);
    for (size_t i = listing->count; i > 0 && last.time_ms == 0; i--) {
        if (is_there(&listing->kept[i - 1], &gone)) {
            last = listing->kept[i - 1];
            break;
        }
        newest = false;
        if (gone)
            drop_row(backups, &listing->kept[i - 1]);
    }
    bool vouches = store_id != 0 && newest && last.time_ms != 0 && no_second == NULL;
    if (store_id != 0 && !vouches)
        retire(backups);
    pthread_mutex_lock(&backups->lock);
    backups->last = last;
    backups->has_last = last.time_ms != 0;
    backups->vouches = vouches;
    backups->no_second = no_second;
    pthread_mutex_unlock(&backups->lock);
}

/* Files of this node that are more than are to be kept. */
static void keep_newest(struct hs_backups *backups)
{
    const struct listing *listing = &backups->listing;
    uint64_t store_id;
    if (list_all(backups, &store_id) != HS_OK)
        return;
    for (size_t i = 0; i + backups->options.conf->backup.keep < listing->count; i++) {
        const struct kept *kept = &listing->kept[i];
        if (unlink(kept->path) != 0 && errno != ENOENT) {
            HS_LOG(BACKUP_NOT_REMOVED, HS_PROSE("file", kept->path), HS_PROSE("text", strerror(errno)));
            continue;
        }
        drop_row(backups, kept);
    }
}

/* ---- one run ---- */

static enum hs_err run_note(struct errand *errand, struct hs_store *store)
{
    return hs_store_put_backup(store, errand->row);
}

static enum hs_err run_vouch(struct errand *errand, struct hs_store *store)
{
    return hs_store_vouch(store, errand->heads, errand->head_count);
}

static enum hs_err note(struct hs_backups *backups, const struct hs_backup *backup)
{
    const Hallsync__BackupManifest *manifest = hs_backup_manifest(backup);
    const char *path = hs_backup_path(backup);
    struct hs_backup_row row = {
        .time_ms = hs_now_ms(),
        .position = {manifest->commit, manifest->tag},
        .bytes = hs_backup_bytes(backup),
        .file = *hs_backup_hash(backup),
        .path = HS_BYTES(path, strlen(path)),
    };
    struct errand errand = {.run = run_note, .row = &row};
    return write_errand(backups, &errand);
}

static enum hs_err vouch(struct hs_backups *backups, const struct hs_backup *backup)
{
    size_t count;
    const struct hs_head *heads = hs_backup_heads(backup, &count);
    enum hs_err err = find_no_second(backups) == NULL ? HS_OK : HS_ENOTHUB;
    for (size_t i = 0; i < count && err == HS_OK; i += VOUCH_PIECE) {
        size_t left = count - i;
        struct errand errand = {
            .run = run_vouch, .heads = heads + i, .head_count = left < VOUCH_PIECE ? left : VOUCH_PIECE};
        err = is_stopping(backups) ? HS_ESTOPPING : write_errand(backups, &errand);
    }
    return err == HS_ENOTHUB ? HS_OK : err;
}

static void tell_run(struct hs_backups *backups, const struct hs_backup *backup, uint64_t ms)
{
    const Hallsync__BackupManifest *manifest = hs_backup_manifest(backup);
    uint64_t rows = 0;
    for (size_t i = 0; i < manifest->n_tables; i++)
        rows += manifest->tables[i]->rows;
    pthread_mutex_lock(&backups->lock);
    snprintf(backups->run_file, sizeof backups->run_file, "%.1024s", hs_backup_path(backup));
    hallsync__backup_run__init(&backups->run);
    backups->run.file = backups->run_file;
    backups->run.bytes = hs_backup_bytes(backup);
    backups->run.commit = manifest->commit;
    backups->run.tag = manifest->tag;
    backups->run.rows = rows;
    backups->run.payments = manifest->payments;
    backups->run.sum_fen = manifest->sum_fen;
    backups->run.ms = ms;
    backups->run.open_ms = manifest->open_ms;
    backups->run.growth_bytes = manifest->growth_bytes;
    backups->has_run = true;
    pthread_mutex_unlock(&backups->lock);
    HS_LOG(BACKUP_VERIFIED, HS_PROSE("file", hs_backup_path(backup)), HS_NUMBER("bytes", hs_backup_bytes(backup)),
           HS_NUMBER("commit", manifest->commit), HS_NUMBER("rows", rows), HS_NUMBER("payments", manifest->payments),
           HS_AMOUNT("sum_fen", manifest->sum_fen), HS_NUMBER("ms", ms), HS_NUMBER("open_ms", manifest->open_ms),
           HS_NUMBER("growth_bytes", manifest->growth_bytes));
}

static enum hs_err make(struct hs_backups *backups, struct hs_why *why)
{
    struct hs_backup *backup = NULL;
    uint64_t begun_ms = hs_now_ms();
    enum hs_err err = begin(backups, &backup, why);
    if (err != HS_OK)
        return err;
    set_phase(backups, PHASE_RUNNING, backup);
    if (is_stopping(backups))
        hs_backup_stop(backup);
    err = hs_backup_run(backup, why);
    set_phase(backups, PHASE_VOUCHING, NULL);
    if (err == HS_OK) {
        err = note(backups, backup);
        if (err != HS_OK)
            hs_fail(err, why, "%s is whole, but is not listed: %s", hs_backup_path(backup), hs_err_text(err));
    }
    if (err == HS_OK)
        err = vouch(backups, backup);
    if (err == HS_OK)
        tell_run(backups, backup, hs_now_ms() - begun_ms);
    hs_backup_end(backup);
    if (err == HS_OK)
        keep_newest(backups);
    return err;
}

static void run_once(struct hs_backups *backups, uint64_t number)
{
    struct hs_why why = {""};
    set_phase(backups, PHASE_WAITING, NULL);
    enum hs_err err = make(backups, &why);
    look(backups);
    if (err != HS_OK)
        HS_LOG(BACKUP_FAILED, HS_WORD("reason", hs_err_name(err)),
               HS_PROSE("text", why.text[0] != '\0' ? why.text : hs_err_text(err)));
    pthread_mutex_lock(&backups->lock);
    backups->phase = PHASE_IDLE;
    backups->ended = number;
    backups->failed_ms = err == HS_OK ? 0 : hs_now_ms();
    backups->failed = err;
    backups->failed_why = why;
    pthread_mutex_unlock(&backups->lock);
}

/* ---- the thread ---- */

static void wait_for_work(struct hs_backups *backups)
{
    struct timespec until = hs_tick_in_ns(LOOK_S * 1000000000ULL);
    int code = 0;
    while (!backups->stopping && backups->wanted == backups->ended && code == 0)
        code = pthread_cond_timedwait(&backups->wake, &backups->lock, &until);
}

static void *live(void *arg)
{
    struct hs_backups *backups = arg;
    bool stopping = false;
    while (!stopping) {
        look(backups);
        pthread_mutex_lock(&backups->lock);
        wait_for_work(backups);
        uint64_t number = backups->wanted;
        bool wanted = number != backups->ended;
        stopping = backups->stopping;
        pthread_mutex_unlock(&backups->lock);
        if (wanted && !stopping)
            run_once(backups, number);
    }
    return NULL;
}

enum hs_err hs_backups_start(struct hs_backups *backups)
{
    enum hs_err err = hs_thread_start(&backups->thread, "backups", live, backups);
    backups->running = err == HS_OK;
    return err;
}

void hs_backups_stop(struct hs_backups *backups)
{
    if (backups == NULL)
        return;
    pthread_mutex_lock(&backups->lock);
    backups->stopping = true;
    if (backups->backup != NULL)
        hs_backup_stop(backups->backup);
    pthread_cond_broadcast(&backups->wake);
    pthread_mutex_unlock(&backups->lock);
    if (backups->running)
        pthread_join(backups->thread, NULL);
    backups->running = false;
}

enum hs_err hs_backups_new(const struct hs_backups_options *options, struct hs_backups **out)
{
    struct hs_backups *backups = calloc(1, sizeof *backups);
    if (backups == NULL)
        return HS_ENOMEM;
    backups->options = *options;
    snprintf(backups->dir, sizeof backups->dir, "%s", options->conf->backup.dir);
    enum hs_err err = hs_cond_init(&backups->wake);
    if (err != HS_OK) {
        free(backups);
        return err;
    }
    pthread_mutex_init(&backups->lock, NULL);
    *out = backups;
    return HS_OK;
}

void hs_backups_free(struct hs_backups *backups)
{
    if (backups == NULL)
        return;
    pthread_mutex_destroy(&backups->lock);
    pthread_cond_destroy(&backups->wake);
    free(backups);
}

/* ---- what is told ---- */

static void tell_phase(const struct hs_backups *backups, Hallsync__BackupStatus *status)
{
    static const char *const WAITING = "waiting", *const WRITING = "writing", *const READING = "reading",
                             *const VOUCHING = "vouching";
    struct hs_backup_progress progress;
    if (backups->phase == PHASE_WAITING)
        status->running = (char *)(uintptr_t)WAITING;
    else if (backups->phase == PHASE_VOUCHING)
        status->running = (char *)(uintptr_t)VOUCHING;
    if (backups->phase != PHASE_RUNNING)
        return;
    hs_backup_progress(backups->backup, &progress);
    status->running = (char *)(uintptr_t)(progress.phase == HS_BACKUP_WRITING ? WRITING : READING);
    status->has_done = status->has_total = true;
    status->done = progress.done;
    status->total = progress.total;
}

/* With the lock held; what it points to lives as long. */
static void tell(struct hs_backups *backups, Hallsync__BackupStatus *status)
{
    hallsync__backup_status__init(status);
    status->dir = backups->dir;
    status->ended = backups->ended;
    if (backups->has_last) {
        status->has_last_ms = status->has_last_bytes = status->has_last_commit = true;
        status->last_ms = backups->last.time_ms;
        status->last_bytes = backups->last.bytes;
        status->last_commit = backups->last.commit;
        status->last_file = backups->last.path;
    }
    tell_phase(backups, status);
    if (backups->failed_ms != 0) {
        status->has_failed_ms = true;
        status->failed_ms = backups->failed_ms;
        status->failed = (char *)(uintptr_t)hs_err_name(backups->failed);
        status->failed_text = backups->failed_why.text[0] != '\0' ? backups->failed_why.text
                                                                  : (char *)(uintptr_t)hs_err_text(backups->failed);
    }
    static const char *const YES = "yes", *const NOT_YET = "not before the next one is verified";
    if (hs_store_certificate(backups->options.store)->role == HS_ROLE_HUB)
        status->second_store = (char *)(uintptr_t)(backups->no_second != NULL ? backups->no_second
                                                   : backups->vouches         ? YES
                                                                              : NOT_YET);
    if (backups->has_run)
        status->run = &backups->run;
}

enum hs_err hs_backups_ask(struct hs_backups *backups, bool start, struct hs_buf *reply, struct hs_why *why)
{
    Hallsync__BackupReply body = HALLSYNC__BACKUP_REPLY__INIT;
    Hallsync__BackupStatus status;
    if (start && backups->options.conf->backup_key_count == 0)
        return hs_fail(HS_EINVAL, why,
                       "there is nobody who could open a backup: make a recovery key with 'hallsync backup-key new "
                       "FILE' and put what it prints into backup.recipients");
    pthread_mutex_lock(&backups->lock);
    bool stopping = backups->stopping || !backups->running;
    if (start && !stopping && backups->wanted == backups->ended) {
        backups->wanted++;
        backups->phase = PHASE_WAITING;
        pthread_cond_broadcast(&backups->wake);
    }
    tell(backups, &status);
    body.number = backups->wanted;
    body.status = &status;
    hs_msg_pack(&body.base, reply);
    pthread_mutex_unlock(&backups->lock);
    return stopping ? HS_ESTOPPING : reply->err;
}

/* With the lock held.  Where nobody could open a backup nobody wants one. */
static void tell_age(const struct hs_backups *backups, struct hs_buf *partial)
{
    uint64_t now = hs_now_ms(), last = backups->last.time_ms;
    char text[HS_WHY_BYTES];
    if (backups->options.conf->backup_key_count == 0 || !backups->has_last || now < last + OLD_MS)
        return;
    snprintf(text, sizeof text, "the last verified backup is %" PRIu64 " days old: see hallsync-backup.timer",
             (uint64_t)((now - last) / (24 * 3600 * 1000ULL)));
    hs_tlv_put_text(partial, STATUS_PROBLEMS, text);
}

void hs_backups_status(struct hs_backups *backups, struct hs_buf *partial)
{
    Hallsync__BackupStatus status;
    struct hs_buf packed = {0};
    pthread_mutex_lock(&backups->lock);
    tell(backups, &status);
    hs_msg_pack(&status.base, &packed);
    tell_age(backups, partial);
    pthread_mutex_unlock(&backups->lock);
    if (packed.err == HS_OK)
        hs_tlv_put_bytes(partial, STATUS_BACKUP, hs_buf_bytes(&packed));
    hs_buf_fini(&packed);
}
