/* view.c -- snapshots for readers: waiting for a flush, opening, closing. */
#include "proto/base/thread.h"
#include "storage/store/inside.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* ---- waiting ---- */

static bool is_flushed(const struct hs_store *store, uint64_t min_commit)
{
    return store->flushed.commit >= (min_commit > store->floor ? min_commit : store->floor);
}

/* With the mutex held; given up while the writer is asked. */
static enum hs_err wait_for_flush(struct hs_store *store, uint64_t min_commit, unsigned wait_ms)
{
    struct timespec deadline = hs_tick_in_ns(wait_ms * 1000000ULL);
    int code = 0;
    store->waiting++;
    if (store->flush_wanted != NULL) {
        pthread_mutex_unlock(&store->mutex);
        store->flush_wanted(store->ctx);
        pthread_mutex_lock(&store->mutex);
    }
    while (!is_flushed(store, min_commit) && store->failed == HS_OK && code == 0)
        code = pthread_cond_timedwait(&store->changed, &store->mutex, &deadline);
    store->waiting--;
    if (store->failed != HS_OK)
        return store->failed;
    return is_flushed(store, min_commit) ? HS_OK : HS_ETIMEDOUT;
}

/* A commit is on disk a moment before its continuity note is written; until then nobody may see it. */
enum hs_err store_wait_for_note(struct hs_store *store, const struct hs_position *seen)
{
    pthread_mutex_lock(&store->mutex);
    while (store->noted.commit < seen->commit && store->failed == HS_OK)
        pthread_cond_wait(&store->changed, &store->mutex);
    enum hs_err err = store->failed;
    pthread_mutex_unlock(&store->mutex);
    return err;
}

/* ---- opening and closing ---- */

static void free_view(struct hs_view *view)
{
    if (view == NULL)
        return;
    hs_txn_abort(&view->records);
    hs_txn_abort(&view->log);
    free(view);
}

/* The records first: the log that is seen is then never older than they are. */
static enum hs_err open_new(struct hs_store *store, struct hs_view **out)
{
    struct hs_view *view = calloc(1, sizeof *view);
    if (view == NULL)
        return HS_ENOMEM;
    view->store = store;
    enum hs_err err = hs_records_snapshot(store->records, &view->records);
    if (err == HS_OK)
        err = hs_txn_begin(hs_log_env(store->log), false, &view->log);
    if (err != HS_OK) {
        free_view(view);
        return err;
    }
    *out = view;
    return HS_OK;
}

static enum hs_err open_spare(struct hs_view *view, struct hs_view **out)
{
    enum hs_err err = hs_txn_renew(&view->records);
    if (err == HS_OK)
        err = hs_txn_renew(&view->log);
    if (err != HS_OK) {
        free_view(view);
        return err;
    }
    *out = view;
    return HS_OK;
}

static enum hs_err admit(struct hs_store *store, uint64_t min_commit, unsigned wait_ms, struct hs_view **spare)
{
    pthread_mutex_lock(&store->mutex);
    enum hs_err err = store->failed;
    if (err == HS_OK && !is_flushed(store, min_commit))
        err = wait_for_flush(store, min_commit, wait_ms);
    *spare = err == HS_OK ? store->spare : NULL;
    if (*spare != NULL) {
        store->spare = (*spare)->next;
        store->spare_count--;
    }
    if (err == HS_OK)
        store->view_count++;
    pthread_mutex_unlock(&store->mutex);
    return err;
}

static void dismiss(struct hs_store *store)
{
    pthread_mutex_lock(&store->mutex);
    store->view_count--;
    pthread_mutex_unlock(&store->mutex);
}

enum hs_err hs_view_open(struct hs_store *store, uint64_t min_commit, unsigned wait_ms, struct hs_view **out)
{
    struct hs_view *spare = NULL;
    enum hs_err err = admit(store, min_commit, wait_ms, &spare);
    if (err != HS_OK)
        return err;
    struct hs_view *view = NULL;
    err = spare != NULL ? open_spare(spare, &view) : open_new(store, &view);
    if (err != HS_OK) {
        dismiss(store);
        return err;
    }
    struct hs_position seen = hs_log_last(&view->log);
    err = store_wait_for_note(store, &seen);
    if (err != HS_OK) {
        hs_view_close(view);
        return err;
    }
    *out = view;
    return HS_OK;
}

void hs_view_close(struct hs_view *view)
{
    if (view == NULL)
        return;
    assert(!view->writers);
    struct hs_store *store = view->store;
    hs_txn_park(&view->records);
    hs_txn_park(&view->log);
    pthread_mutex_lock(&store->mutex);
    store->view_count--;
    bool keep = store->spare_count < SPARE_VIEWS_MAX;
    if (keep) {
        view->next = store->spare;
        store->spare = view;
        store->spare_count++;
    }
    pthread_mutex_unlock(&store->mutex);
    if (!keep)
        free_view(view);
}

void store_free_views(struct hs_store *store)
{
    assert(store->view_count == 0);
    while (store->spare != NULL) {
        struct hs_view *view = store->spare;
        store->spare = view->next;
        free_view(view);
    }
}

struct hs_view *hs_store_view(struct hs_store *store)
{
    assert(store->in_group);
    return &store->writer_view;
}

struct hs_log_reader store_log_reader(struct hs_view *view)
{
    return view->writers ? hs_log_reader_of(view->store->log) : (struct hs_log_reader){&view->log, NULL};
}

struct hs_txn *store_records_txn(struct hs_view *view)
{
    return view->writers ? hs_records_txn(view->store->records) : &view->records;
}

struct hs_position hs_view_position(struct hs_view *view)
{
    return view->writers ? hs_log_position(view->store->log) : hs_records_snapshot_position(&view->records);
}

void hs_view_sizes(struct hs_view *view, struct hs_store_sizes *sizes)
{
    struct hs_log_reader reader = store_log_reader(view);
    *sizes = (struct hs_store_sizes){
        .log_bytes = hs_env_used_bytes(hs_log_env(view->store->log)),
        .records_bytes = hs_records_used_bytes(view->store->records),
        .commit = hs_log_last(reader.txn).commit,
        .records_commit = hs_view_position(view).commit,
    };
}
