#include "node/admin/work.h"

#include "proto/base/thread.h"

#include <pthread.h>
#include <stdlib.h>

#define THREADS_MAX 8

struct admin_work {
    struct admin_work_options options;
    pthread_mutex_t lock;
    pthread_cond_t some;
    void **queue; /* a ring */
    size_t first, count;
    bool stopping;
    pthread_t threads[THREADS_MAX];
    unsigned running;
};

/* NULL: it is stopping and nothing waits. */
static void *take(struct admin_work *work)
{
    void *job = NULL;
    pthread_mutex_lock(&work->lock);
    while (work->count == 0 && !work->stopping)
        pthread_cond_wait(&work->some, &work->lock);
    if (work->count != 0) {
        job = work->queue[work->first];
        work->first = (work->first + 1) % work->options.queue_max;
        work->count--;
    }
    pthread_mutex_unlock(&work->lock);
    return job;
}

static void *work_on(void *ctx)
{
    struct admin_work *work = ctx;
    struct hallsync *node = NULL;
    for (void *job = take(work); job != NULL; job = take(work)) {
        if (node == NULL && work->options.endpoint != NULL)
            node = hallsync_open(work->options.endpoint);
        work->options.run(job, node);
    }
    hallsync_close(node);
    return NULL;
}

enum hs_err admin_work_new(const struct admin_work_options *options, struct admin_work **made)
{
    struct admin_work *work = calloc(1, sizeof *work);
    if (work == NULL)
        return HS_ENOMEM;
    work->options = *options;
    work->queue = calloc(options->queue_max, sizeof *work->queue);
    enum hs_err err = work->queue != NULL ? hs_cond_init(&work->some) : HS_ENOMEM;
    if (err != HS_OK) {
        free(work->queue);
        free(work);
        return err;
    }
    pthread_mutex_init(&work->lock, NULL);
    while (err == HS_OK && work->running < options->threads && work->running < THREADS_MAX) {
        err = hs_thread_start(&work->threads[work->running], options->name, work_on, work);
        work->running += err == HS_OK;
    }
    if (err == HS_OK)
        *made = work;
    else
        admin_work_free(work);
    return err;
}

bool admin_work_put(struct admin_work *work, void *job)
{
    pthread_mutex_lock(&work->lock);
    bool room = !work->stopping && work->count < work->options.queue_max;
    if (room) {
        work->queue[(work->first + work->count) % work->options.queue_max] = job;
        work->count++;
        pthread_cond_signal(&work->some);
    }
    pthread_mutex_unlock(&work->lock);
    return room;
}

void admin_work_stop(struct admin_work *work)
{
    if (work == NULL)
        return;
    pthread_mutex_lock(&work->lock);
    work->stopping = true;
    pthread_cond_broadcast(&work->some);
    pthread_mutex_unlock(&work->lock);
    for (unsigned i = 0; i < work->running; i++)
        pthread_join(work->threads[i], NULL);
    work->running = 0;
}

void admin_work_free(struct admin_work *work)
{
    if (work == NULL)
        return;
    admin_work_stop(work);
    pthread_cond_destroy(&work->some);
    pthread_mutex_destroy(&work->lock);
    free(work->queue);
    free(work);
}
