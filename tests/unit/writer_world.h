/* writer_world.h -- for tests of node/writer: a store that is only pretended (it records what is called in which order,
 * and fails when told), and jobs that tell what became of them. */
#ifndef HS_TESTS_WRITER_WORLD_H
#define HS_TESTS_WRITER_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/writer/writer.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TRACE_BYTES (256 * 1024)

/* ---- the pretended store ---- */

struct hs_store {
    pthread_mutex_t lock;
    char
        trace[TRACE_BYTES]; /* one letter a call: b(egin) c(ommit) a(bort) f(lush, of something), w(rite) by the jobs */
    size_t traced;
    bool open;
    uint64_t unflushed, in_group, commits;
    enum hs_err commit_err, flush_err; /* of the next call */
    enum hs_err begin_err, broken;     /* of each from now on */
    enum hs_err abort_err;             /* breaks the store when a group is given up */
    bool flush_due;
    sem_t *at_commit; /* waited for in commit, if there is one */
    sem_t in_commit;  /* posted when a commit has begun */
};

static inline void trace(struct hs_store *store, char what)
{
    pthread_mutex_lock(&store->lock);
    if (store->traced < TRACE_BYTES - 1)
        store->trace[store->traced++] = what;
    pthread_mutex_unlock(&store->lock);
}

static inline void set_err(struct hs_store *store, enum hs_err *which, enum hs_err err)
{
    pthread_mutex_lock(&store->lock);
    *which = err;
    pthread_mutex_unlock(&store->lock);
}

static inline enum hs_err take_err(struct hs_store *store, enum hs_err *which)
{
    pthread_mutex_lock(&store->lock);
    enum hs_err err = *which;
    *which = HS_OK;
    pthread_mutex_unlock(&store->lock);
    return err;
}

enum hs_err hs_store_begin(struct hs_store *store)
{
    assert_false(store->open);
    pthread_mutex_lock(&store->lock);
    enum hs_err err = store->begin_err;
    pthread_mutex_unlock(&store->lock);
    if (err != HS_OK)
        return err;
    trace(store, 'b');
    store->open = true;
    store->in_group = 0;
    return HS_OK;
}

enum hs_err hs_store_commit(struct hs_store *store, struct hs_commit *commit)
{
    assert_true(store->open);
    sem_post(&store->in_commit);
    if (store->at_commit != NULL)
        sem_wait(store->at_commit);
    trace(store, 'c');
    enum hs_err err = take_err(store, &store->commit_err);
    if (err != HS_OK)
        return err;
    store->open = false;
    store->unflushed += store->in_group;
    *commit = (struct hs_commit){.position = {.commit = ++store->commits}};
    return HS_OK;
}

void hs_store_abort(struct hs_store *store)
{
    assert_true(store->open);
    trace(store, 'a');
    store->open = false;
    pthread_mutex_lock(&store->lock);
    if (store->abort_err != HS_OK)
        store->broken = store->begin_err = store->abort_err;
    pthread_mutex_unlock(&store->lock);
}

enum hs_err hs_view_open(struct hs_store *store, uint64_t min_commit, unsigned wait_ms, struct hs_view **view)
{
    assert_true(min_commit == 0);
    assert_int_equal(wait_ms, 0);
    *view = NULL;
    pthread_mutex_lock(&store->lock);
    enum hs_err err = store->broken;
    pthread_mutex_unlock(&store->lock);
    return err;
}

void hs_view_close(struct hs_view *view)
{
    assert_null(view);
}

enum hs_err hs_store_flush(struct hs_store *store)
{
    assert_false(store->open);
    if (store->unflushed > 0)
        trace(store, 'f');
    pthread_mutex_lock(&store->lock);
    store->flush_due = false;
    pthread_mutex_unlock(&store->lock);
    enum hs_err err = take_err(store, &store->flush_err);
    if (err == HS_OK)
        store->unflushed = 0;
    return err;
}

bool hs_store_flush_due(const struct hs_store *store)
{
    pthread_mutex_lock((pthread_mutex_t *)&store->lock);
    bool due = store->flush_due;
    pthread_mutex_unlock((pthread_mutex_t *)&store->lock);
    return due;
}

uint64_t hs_store_unflushed(const struct hs_store *store)
{
    return store->unflushed;
}

/* ---- jobs and what became of them ---- */

struct job {
    struct hs_job job;
    enum hs_err refuse; /* what run says */
    bool tears;         /* has written when it says no */
    unsigned number;
    struct fixture *fixture;
};

struct fixture {
    struct hs_store store;
    struct hs_writer *writer;
    sem_t done; /* posted by each done() */
    pthread_mutex_t lock;
    unsigned answered;
    enum hs_err last_err;
    uint64_t last_commit;
    unsigned order[4096];
    unsigned committed;
    enum hs_err fatal;
};

static inline enum hs_err run_job(struct hs_job *hs_job, struct hs_store *store)
{
    struct job *job = (struct job *)hs_job;
    assert_true(store->open);
    if (job->refuse == HS_OK || job->tears) {
        trace(store, 'w');
        store->in_group++;
    }
    job->job.torn = job->tears;
    return job->refuse;
}

static inline void end_job(struct hs_job *hs_job, enum hs_err err, const struct hs_commit *commit)
{
    struct job *job = (struct job *)hs_job;
    struct fixture *fixture = job->fixture;
    pthread_mutex_lock(&fixture->lock);
    assert_int_equal(err == HS_OK, commit != NULL);
    if (fixture->answered < 4096)
        fixture->order[fixture->answered] = job->number;
    fixture->answered++;
    fixture->last_err = err;
    fixture->last_commit = commit == NULL ? 0 : commit->position.commit;
    pthread_mutex_unlock(&fixture->lock);
    sem_post(&fixture->done);
    free(job);
}

static inline void on_commit(void *ctx, const struct hs_commit *commit)
{
    struct fixture *fixture = ctx;
    assert_non_null(commit);
    pthread_mutex_lock(&fixture->lock);
    fixture->committed++;
    pthread_mutex_unlock(&fixture->lock);
}

static inline void on_fatal(void *ctx, enum hs_err err)
{
    struct fixture *fixture = ctx;
    pthread_mutex_lock(&fixture->lock);
    fixture->fatal = err;
    pthread_mutex_unlock(&fixture->lock);
}

static inline enum hs_err submit(struct fixture *fixture, unsigned number, enum hs_err refuse, size_t weight)
{
    struct job *job = calloc(1, sizeof *job);
    assert_non_null(job);
    *job = (struct job){.job = {.run = run_job, .done = end_job, .weight = weight}, .refuse = refuse, .number = number};
    job->fixture = fixture;
    enum hs_err err = hs_writer_submit(fixture->writer, &job->job);
    if (err != HS_OK)
        free(job);
    return err;
}

static inline void wait_for(sem_t *semaphore, unsigned times)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    while (times-- > 0)
        assert_int_equal(sem_timedwait(semaphore, &until), 0);
}

static inline struct fixture *start(const struct hs_writer_options *with)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    struct hs_writer_options options = *with;
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_mutex_init(&fixture->store.lock, NULL);
    sem_init(&fixture->done, 0, 0);
    sem_init(&fixture->store.in_commit, 0, 0);
    options.store = &fixture->store;
    options.committed = on_commit;
    options.fatal = on_fatal;
    options.ctx = fixture;
    assert_int_equal(hs_writer_new(&options, &fixture->writer), HS_OK);
    assert_int_equal(hs_writer_start(fixture->writer), HS_OK);
    return fixture;
}

/* After hs_writer_stop: who comes too late is told so. */
static inline void finish(struct fixture *fixture)
{
    assert_int_equal(submit(fixture, 0, HS_OK, 0), HS_ESTOPPING);
    hs_writer_free(fixture->writer);
    sem_destroy(&fixture->done);
    sem_destroy(&fixture->store.in_commit);
    pthread_mutex_destroy(&fixture->lock);
    pthread_mutex_destroy(&fixture->store.lock);
    free(fixture);
}

/* The first commit stands still, so that what is submitted meanwhile gathers. */
static inline void hold_first_commit(struct fixture *fixture, sem_t *gate)
{
    sem_init(gate, 0, 0);
    fixture->store.at_commit = gate;
    assert_int_equal(submit(fixture, 0, HS_OK, 0), HS_OK);
    wait_for(&fixture->store.in_commit, 1);
}

static inline void open_gate(sem_t *gate)
{
    for (int i = 0; i < 100; i++)
        sem_post(gate);
}

#endif
