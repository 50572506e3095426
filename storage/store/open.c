/* open.c -- opening and closing: the directory, the log, then the records, replayed to where the log is. */
#include "proto/base/thread.h"
#include "storage/store/inside.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#ifdef HS_UNDER_SANITIZER /* the thread sanitizer cannot map 1 TiB */
#define MAP_BYTES_DEFAULT ((size_t)64 << 30)
#else
#define MAP_BYTES_DEFAULT ((size_t)1 << 40)
#endif
#define FLUSH_OPS_DEFAULT 20000
#define NOTE_DIR_DEFAULT  "/dev/shm"

static uint64_t system_now_ms(void *ctx)
{
    (void)ctx;
    return hs_now_ms();
}

/* Linux has had it since 3.17, and requests this small are neither cut nor interrupted. */
static void system_random(void *ctx, void *to, size_t size)
{
    (void)ctx;
    ssize_t got = getrandom(to, size, 0);
    assert(got == (ssize_t)size);
    (void)got;
}

struct path {
    char text[4096];
};

static struct path path_of(const char *dir, const char *name)
{
    struct path path;
    snprintf(path.text, sizeof path.text, "%s/%s", dir, name); /* store_prepare_dir has seen a longer one */
    return path;
}

size_t store_map_bytes(size_t wanted)
{
    return wanted == 0 ? MAP_BYTES_DEFAULT : wanted;
}

static enum hs_err open_log(struct hs_store *store, const struct hs_store_options *options, struct hs_why *why)
{
    struct path path = path_of(options->dir, "log");
    struct hs_log_options log = {
        .path = path.text,
        .map_bytes = store_map_bytes(options->map_bytes),
        .create = options->create,
        .visits = options->visits,
        .certificate = options->certificate,
        .districts = options->districts,
        .district_count = options->district_count,
        .signer = options->signer,
        .note_dir = options->note_dir == NULL ? NOTE_DIR_DEFAULT : options->note_dir,
        .now_ms = options->now_ms == NULL ? system_now_ms : options->now_ms,
        .random = options->random == NULL ? system_random : options->random,
        .ctx = options->ctx,
    };
    return hs_log_open(&log, &store->log, why);
}

static void remove_records(const struct hs_store_options *options)
{
    unlink(path_of(options->dir, "records/data.mdb").text);
    unlink(path_of(options->dir, "records/lock.mdb").text);
}

/* The records are no more than what the log adds up to: what cannot be read is made anew. */
static enum hs_err open_records(struct hs_store *store, const struct hs_store_options *options, struct hs_why *why)
{
    struct path path = path_of(options->dir, "records");
    struct hs_records_options records = {
        .path = path.text,
        .map_bytes = store_map_bytes(options->map_bytes),
        .create = true,
        .utc_offset_minutes = options->utc_offset_minutes,
    };
    enum hs_err err = hs_records_open(&records, &store->records, why);
    if (err == HS_EDAMAGED) {
        remove_records(options);
        err = hs_records_open(&records, &store->records, why);
    }
    return err;
}

/* Records of which so much has rotted that they cannot even be emptied go with their file. */
static enum hs_err catch_up(struct hs_store *store, const struct hs_store_options *options, struct hs_why *why)
{
    enum hs_err err = store_catch_up(store);
    if (err == HS_EDAMAGED && store->rotten) {
        hs_records_close(store->records);
        store->records = NULL;
        store->failed = HS_OK; /* nobody else has it yet */
        remove_records(options);
        err = open_records(store, options, why);
        if (err != HS_OK)
            return err;
        err = store_catch_up(store);
    }
    return err == HS_OK
               ? HS_OK
               : hs_fail(err, why, "cannot replay the log of %s into its records: %s", options->dir, hs_err_text(err));
}

static enum hs_err make(const struct hs_store_options *options, struct hs_store **out)
{
    struct hs_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return HS_ENOMEM;
    store->lock_fd = -1;
    store->flush_ops = options->flush_ops == 0 ? FLUSH_OPS_DEFAULT : options->flush_ops;
    store->flush_wanted = options->flush_wanted;
    store->ctx = options->ctx;
    store->writer_view = (struct hs_view){.store = store, .writers = true};
    enum hs_err err = hs_cond_init(&store->changed);
    if (err != HS_OK) {
        free(store);
        return err;
    }
    pthread_mutex_init(&store->mutex, NULL);
    *out = store;
    return HS_OK;
}

enum hs_err hs_store_open(const struct hs_store_options *options, struct hs_store **out, struct hs_why *why)
{
    struct hs_store *store = NULL;
    enum hs_err err = store_prepare_dir(options->dir, options->create, why);
    if (err != HS_OK)
        return err;
    err = make(options, &store);
    if (err != HS_OK)
        return hs_fail(err, why, "cannot open %s: out of memory", options->dir);
    err = store_lock_dir(options->dir, &store->lock_fd, why);
    if (err == HS_OK)
        err = open_log(store, options, why);
    if (err == HS_OK)
        err = open_records(store, options, why);
    if (err == HS_OK)
        err = catch_up(store, options, why);
    if (err == HS_OK) {
        err = store_heal_own(store);
        if (err != HS_OK)
            hs_fail(err, why, "cannot issue anew what rotted in the log of %s: %s", options->dir, hs_err_text(err));
    }
    if (err == HS_OK) {
        err = store_end_evictions(store);
        if (err != HS_OK)
            hs_fail(err, why, "cannot evict a district from %s: %s", options->dir, hs_err_text(err));
    }
    if (err != HS_OK) {
        hs_store_close(store);
        return err;
    }
    *out = store;
    return HS_OK;
}

void hs_store_close(struct hs_store *store)
{
    if (store == NULL)
        return;
    if (store->in_group)
        hs_store_abort(store);
    if (store->records != NULL && store->failed == HS_OK && !store->behind && !store->rotten)
        hs_store_flush(store); /* else the next start replays them, or makes them anew */
    store_free_views(store);
    hs_records_close(store->records);
    hs_log_close(store->log);
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    hs_buf_fini(&store->op);
    free(store->found);
    pthread_cond_destroy(&store->changed);
    pthread_mutex_destroy(&store->mutex);
    free(store);
}

uint64_t hs_store_id(const struct hs_store *store)
{
    return hs_log_store_id(store->log);
}

const struct hs_certificate *hs_store_certificate(const struct hs_store *store)
{
    return hs_log_certificate(store->log);
}

bool hs_store_holds(const struct hs_store *store, hs_partition partition)
{
    return hs_log_holds(store->log, partition);
}

struct hs_bytes hs_store_certificate_bytes(const struct hs_store *store)
{
    return hs_log_certificate_bytes(store->log);
}

uint64_t hs_store_doubt_ms(const struct hs_store *store)
{
    return hs_log_doubt_ms(store->log);
}

enum hs_err hs_store_readers(struct hs_store *store, struct hs_store_reader oldest[static HS_STORE_ENVS])
{
    struct hs_reader found[HS_STORE_ENVS];
    enum hs_err err = hs_env_readers(hs_log_env(store->log), &found[0]);
    if (err == HS_OK)
        err = hs_records_readers(store->records, &found[1]);
    for (size_t i = 0; i < HS_STORE_ENVS && err == HS_OK; i++)
        oldest[i] = (struct hs_store_reader){found[i].pid, found[i].thread, found[i].snapshot, found[i].pins};
    return err;
}

uint64_t hs_store_map_left(struct hs_store *store)
{
    uint64_t log = hs_env_left_bytes(hs_log_env(store->log));
    uint64_t records = hs_records_left_bytes(store->records);
    return log < records ? log : records;
}

uint32_t hs_store_migrated(const struct hs_store *store)
{
    return hs_log_migrated(store->log);
}

bool hs_store_in_doubt(const struct hs_store *store)
{
    return hs_log_in_doubt(store->log);
}

const char *hs_store_renewed(const struct hs_store *store)
{
    return hs_log_renewed(store->log);
}

const char *hs_store_break(const struct hs_store *store)
{
    return hs_log_break(store->log);
}
