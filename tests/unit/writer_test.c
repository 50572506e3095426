/* writer_test.c -- node/writer over a store that is only pretended: it records what is called in which order, and fails
 * when told. */
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

static void trace(struct hs_store *store, char what)
{
    pthread_mutex_lock(&store->lock);
    if (store->traced < TRACE_BYTES - 1)
        store->trace[store->traced++] = what;
    pthread_mutex_unlock(&store->lock);
}

static void set_err(struct hs_store *store, enum hs_err *which, enum hs_err err)
{
    pthread_mutex_lock(&store->lock);
    *which = err;
    pthread_mutex_unlock(&store->lock);
}

static enum hs_err take_err(struct hs_store *store, enum hs_err *which)
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

static enum hs_err run_job(struct hs_job *hs_job, struct hs_store *store)
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

static void end_job(struct hs_job *hs_job, enum hs_err err, const struct hs_commit *commit)
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

static void on_commit(void *ctx, const struct hs_commit *commit)
{
    struct fixture *fixture = ctx;
    assert_non_null(commit);
    pthread_mutex_lock(&fixture->lock);
    fixture->committed++;
    pthread_mutex_unlock(&fixture->lock);
}

static void on_fatal(void *ctx, enum hs_err err)
{
    struct fixture *fixture = ctx;
    pthread_mutex_lock(&fixture->lock);
    fixture->fatal = err;
    pthread_mutex_unlock(&fixture->lock);
}

static enum hs_err submit(struct fixture *fixture, unsigned number, enum hs_err refuse, size_t weight)
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

static void wait_for(sem_t *semaphore, unsigned times)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    while (times-- > 0)
        assert_int_equal(sem_timedwait(semaphore, &until), 0);
}

static struct fixture *start(const struct hs_writer_options *with)
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
static void finish(struct fixture *fixture)
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
static void hold_first_commit(struct fixture *fixture, sem_t *gate)
{
    sem_init(gate, 0, 0);
    fixture->store.at_commit = gate;
    assert_int_equal(submit(fixture, 0, HS_OK, 0), HS_OK);
    wait_for(&fixture->store.in_commit, 1);
}

static void open_gate(sem_t *gate)
{
    for (int i = 0; i < 100; i++)
        sem_post(gate);
}

/* ---- tests ---- */

static void waiting_jobs_share_one_commit_and_keep_their_order(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    for (unsigned i = 1; i <= 10; i++)
        assert_int_equal(submit(fixture, i, HS_OK, 100), HS_OK);
    open_gate(&gate);
    wait_for(&fixture->done, 11);
    struct hs_writer_figures figures;
    hs_writer_figures(fixture->writer, &figures);
    assert_int_equal(figures.groups, 2);
    assert_int_equal(figures.jobs, 11);
    assert_int_equal(figures.inbox_jobs, 0);
    assert_int_equal(figures.inbox_bytes, 0);
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcbwwwwwwwwwwcf");
    assert_int_equal(fixture->committed, 2);
    assert_int_equal(fixture->last_commit, 2);
    for (unsigned i = 0; i <= 10; i++)
        assert_int_equal(fixture->order[i], i);
    sem_destroy(&gate);
    finish(fixture);
}

static void groups_are_bounded(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.group_bytes = 3000, .flush_ms = 60000});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    for (unsigned i = 1; i <= 4; i++)
        assert_int_equal(submit(fixture, i, HS_OK, 1000), HS_OK);
    assert_int_equal(submit(fixture, 5, HS_OK, 1000000), HS_OK); /* larger than a group: alone */
    open_gate(&gate);
    wait_for(&fixture->done, 6);
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcbwwcbwwcbwcf");
    sem_destroy(&gate);
    finish(fixture);
}

static void full_inbox_says_busy(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.inbox_bytes = 5000});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    assert_int_equal(submit(fixture, 1, HS_OK, 100000), HS_OK); /* into an empty inbox always */
    assert_int_equal(submit(fixture, 2, HS_OK, 1), HS_EBUSY);
    struct hs_writer_figures figures;
    hs_writer_figures(fixture->writer, &figures);
    assert_int_equal(figures.refused, 1);
    assert_int_equal(figures.inbox_jobs, 1);
    assert_true(figures.inbox_bytes >= 100000);
    open_gate(&gate);
    wait_for(&fixture->done, 2);
    assert_int_equal(submit(fixture, 3, HS_OK, 1), HS_OK);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->answered, 3);
    sem_destroy(&gate);
    finish(fixture);
}

static void jobs_without_weight_are_bounded_too(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.inbox_bytes = 5000});
    sem_t gate;
    unsigned taken = 0;
    hold_first_commit(fixture, &gate);
    while (taken < 1000 && submit(fixture, taken, HS_OK, 0) == HS_OK)
        taken++;
    assert_in_range(taken, 2, 100);
    open_gate(&gate);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->answered, taken + 1);
    sem_destroy(&gate);
    finish(fixture);
}

static void refused_job_leaves_the_others_alone(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    submit(fixture, 1, HS_OK, 0);
    submit(fixture, 2, HS_OK, 0);
    submit(fixture, 3, HS_EREVERSED, 0);
    open_gate(&gate);
    wait_for(&fixture->done, 4);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->last_err, HS_EREVERSED);
    assert_string_equal(fixture->store.trace, "bwcbwwcf");
    sem_destroy(&gate);
    finish(fixture);
}

static void group_of_refusals_commits_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){0});
    submit(fixture, 1, HS_EDIFFERS, 0);
    wait_for(&fixture->done, 1);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->last_err, HS_EDIFFERS);
    assert_int_equal(fixture->committed, 0);
    assert_string_equal(fixture->store.trace, "ba");
    finish(fixture);
}

static void submit_torn(struct fixture *fixture, unsigned number)
{
    struct job *job = calloc(1, sizeof *job);
    assert_non_null(job);
    *job = (struct job){.job = {.run = run_job, .done = end_job}, .refuse = HS_ENOMEM, .tears = true, .number = number};
    job->fixture = fixture;
    assert_int_equal(hs_writer_submit(fixture->writer, &job->job), HS_OK);
}

/* A payment without its cash entry must not be committed because its neighbours are. */
static void torn_job_is_taken_back_and_the_others_run_again(void **state)
{
    (void)state;
    sem_t gate;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    hold_first_commit(fixture, &gate);
    submit(fixture, 1, HS_OK, 0);
    submit_torn(fixture, 2);
    submit(fixture, 3, HS_OK, 0);
    open_gate(&gate);
    wait_for(&fixture->done, 4);
    assert_int_equal(fixture->last_err, HS_OK);
    assert_int_equal(fixture->last_commit, 2);
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcbwwwabwwcf");
    assert_int_equal(fixture->fatal, HS_OK);
    finish(fixture);
    sem_destroy(&gate);
}

static void torn_job_alone_commits_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    submit_torn(fixture, 1);
    wait_for(&fixture->done, 1);
    assert_int_equal(fixture->last_err, HS_ENOMEM);
    hs_writer_stop(fixture->writer);
    assert_null(strchr(fixture->store.trace, 'c'));
    assert_int_equal(fixture->committed, 0);
    finish(fixture);
}

static void full_disk_gives_up_the_group_and_goes_on(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    set_err(&fixture->store, &fixture->store.commit_err, HS_EFULL);
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    pthread_mutex_lock(&fixture->lock);
    assert_int_equal(fixture->last_err, HS_EFULL);
    assert_int_equal(fixture->fatal, HS_OK);
    pthread_mutex_unlock(&fixture->lock);
    submit(fixture, 2, HS_OK, 0);
    wait_for(&fixture->done, 1);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->last_err, HS_OK);
    assert_int_equal(fixture->committed, 1);
    assert_string_equal(fixture->store.trace, "bwcabwcf");
    finish(fixture);
}

/* What a job refused may rest on what another wrote: if that is gone, so is the refusal. */
static void refusals_fall_with_their_group(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){0});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    submit(fixture, 1, HS_OK, 0);
    submit(fixture, 2, HS_EREVERSED, 0);
    sem_post(&gate);
    wait_for(&fixture->done, 1);
    set_err(&fixture->store, &fixture->store.commit_err, HS_ENOMEM);
    open_gate(&gate);
    wait_for(&fixture->done, 2);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->last_err, HS_ENOMEM);
    sem_destroy(&gate);
    finish(fixture);
}

static void broken_store_is_fatal(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 1});
    set_err(&fixture->store, &fixture->store.commit_err, HS_EIO);
    submit(fixture, 1, HS_OK, 0);
    submit(fixture, 2, HS_OK, 0);
    wait_for(&fixture->done, 2);
    hs_writer_flush(fixture->writer);
    submit(fixture, 3, HS_OK, 0);
    wait_for(&fixture->done, 1);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->fatal, HS_EIO);
    assert_int_equal(fixture->last_err, HS_EIO);
    assert_null(strchr(fixture->store.trace, 'f'));
    finish(fixture);
}

static void store_broken_by_a_full_disk_is_fatal(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){0});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    set_err(&fixture->store, &fixture->store.commit_err, HS_EFULL);
    set_err(&fixture->store, &fixture->store.broken, HS_EFULL);
    open_gate(&gate);
    wait_for(&fixture->done, 1);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->fatal, HS_EFULL);
    sem_destroy(&gate);
    finish(fixture);
}

/* Nobody is told OK, so nothing failed; but the records could not be put back to where they were. */
static void store_broken_by_giving_up_a_group_is_fatal_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    set_err(&fixture->store, &fixture->store.abort_err, HS_EDAMAGED);
    submit(fixture, 1, HS_ENOMEM, 0);
    wait_for(&fixture->done, 1);
    pthread_mutex_lock(&fixture->lock);
    assert_int_equal(fixture->last_err, HS_ENOMEM);
    assert_int_equal(fixture->fatal, HS_EDAMAGED);
    pthread_mutex_unlock(&fixture->lock);
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "ba");
    finish(fixture);
}

/* A view that cannot be had just now is no reason to end for the sake of a wrong request. */
static void store_is_not_asked_after_refusals_by_rule(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    set_err(&fixture->store, &fixture->store.broken, HS_EBUSY);
    submit(fixture, 1, HS_EDIFFERS, 0);
    submit(fixture, 2, HS_EGAP, 0);
    wait_for(&fixture->done, 2);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->fatal, HS_OK);
    finish(fixture);
}

/* Its records lag behind for want of disk: no group can begin until there is some. */
static void store_that_cannot_begin_now_goes_on_later(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    set_err(&fixture->store, &fixture->store.begin_err, HS_EFULL);
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    pthread_mutex_lock(&fixture->lock);
    assert_int_equal(fixture->last_err, HS_EFULL);
    pthread_mutex_unlock(&fixture->lock);
    set_err(&fixture->store, &fixture->store.begin_err, HS_OK);
    submit(fixture, 2, HS_OK, 0);
    wait_for(&fixture->done, 1);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->last_err, HS_OK);
    assert_int_equal(fixture->fatal, HS_OK);
    assert_string_equal(fixture->store.trace, "bwcf");
    finish(fixture);
}

static bool traced(struct fixture *fixture, char what)
{
    pthread_mutex_lock(&fixture->store.lock);
    bool found = memchr(fixture->store.trace, what, fixture->store.traced) != NULL;
    pthread_mutex_unlock(&fixture->store.lock);
    return found;
}

static void wait_for_trace(struct fixture *fixture, char what)
{
    for (int i = 0; i < 1000 && !traced(fixture, what); i++)
        usleep(5000);
    assert_true(traced(fixture, what));
}

static void records_are_flushed_after_a_while(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 20});
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    wait_for_trace(fixture, 'f');
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcf");
    finish(fixture);
}

static void records_are_flushed_when_asked_or_due(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    hs_writer_flush(fixture->writer);
    wait_for_trace(fixture, 'f');
    pthread_mutex_lock(&fixture->store.lock);
    fixture->store.traced = 0;
    memset(fixture->store.trace, 0, TRACE_BYTES);
    fixture->store.flush_due = true;
    pthread_mutex_unlock(&fixture->store.lock);
    submit(fixture, 2, HS_OK, 0);
    wait_for_trace(fixture, 'f');
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcf");
    finish(fixture);
}

static void steady_load_does_not_put_the_flush_off_for_ever(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 20});
    for (int i = 0; i < 10000 && !traced(fixture, 'f'); i++) {
        submit(fixture, 1, HS_OK, 0);
        wait_for(&fixture->done, 1);
        usleep(1000);
    }
    assert_true(traced(fixture, 'f'));
    hs_writer_stop(fixture->writer);
    finish(fixture);
}

/* The first commit stands still for longer than a stop may take. */
static void *stop_in_thread(void *arg)
{
    hs_writer_stop(arg);
    return NULL;
}

static void stop_does_not_wait_for_a_full_inbox(void **state)
{
    (void)state;
    sem_t gate;
    pthread_t stopper;
    struct fixture *fixture = start(&(struct hs_writer_options){.group_bytes = 1000, .flush_ms = 60000});
    hold_first_commit(fixture, &gate);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(submit(fixture, i, HS_OK, 500), HS_OK);
    assert_int_equal(pthread_create(&stopper, NULL, stop_in_thread, fixture->writer), 0);
    usleep(1300000);
    open_gate(&gate);
    pthread_join(stopper, NULL);
    assert_int_equal(fixture->answered, 101);
    assert_int_equal(fixture->last_err, HS_ESTOPPING);
    assert_string_equal(fixture->store.trace, "bwcf");
    finish(fixture);
    sem_destroy(&gate);
}

static void end_reader(struct hs_job *hs_job, enum hs_err err, const struct hs_commit *commit)
{
    struct job *job = (struct job *)hs_job;
    assert_null(commit);
    job->refuse = err;
    job->number = traced(job->fixture, 'f');
    sem_post(&job->fixture->done);
}

static void reader_is_told_after_the_flush(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    struct job reader = {.job = {.done = end_reader}, .refuse = HS_EINTERNAL, .fixture = fixture};
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    assert_int_equal(hs_writer_after_flush(fixture->writer, &reader.job), HS_OK);
    wait_for(&fixture->done, 1);
    assert_int_equal(reader.refuse, HS_OK);
    assert_int_equal(reader.number, 1);

    submit(fixture, 2, HS_OK, 0);
    wait_for(&fixture->done, 1);
    set_err(&fixture->store, &fixture->store.flush_err, HS_EFULL);
    assert_int_equal(hs_writer_after_flush(fixture->writer, &reader.job), HS_OK);
    wait_for(&fixture->done, 1);
    assert_int_equal(reader.refuse, HS_EFULL);
    hs_writer_stop(fixture->writer);
    assert_int_equal(hs_writer_after_flush(fixture->writer, &reader.job), HS_ESTOPPING);
    finish(fixture);
}

static void failed_flush_is_tried_again(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 10});
    set_err(&fixture->store, &fixture->store.flush_err, HS_EFULL);
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    wait_for_trace(fixture, 'f');
    usleep(50000);
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcff");
    assert_int_equal(fixture->fatal, HS_OK);
    finish(fixture);
}

static void stop_drains(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.group_bytes = 1000, .flush_ms = 60000});
    for (unsigned i = 0; i < 500; i++)
        assert_int_equal(submit(fixture, i, HS_OK, 500), HS_OK);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->answered, 500);
    assert_int_equal(fixture->store.unflushed, 0);
    finish(fixture);
}

static void *submit_many(void *arg)
{
    struct fixture *fixture = arg;
    for (unsigned i = 0; i < 500; i++) {
        while (submit(fixture, i, i % 7 == 0 ? HS_ESTATE : HS_OK, i) == HS_EBUSY)
            usleep(100);
        if (i % 50 == 0)
            hs_writer_flush(fixture->writer);
    }
    return NULL;
}

static void many_threads_submit_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = start(
        &(struct hs_writer_options){.inbox_bytes = 20000, .group_bytes = 5000, .flush_ms = 2});
    pthread_t threads[8];
    struct hs_writer_figures figures;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, fixture), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    wait_for(&fixture->done, 8 * 500);
    hs_writer_figures(fixture->writer, &figures);
    assert_int_equal(figures.jobs, 8 * 500);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->answered, 8 * 500);
    assert_int_equal(fixture->store.unflushed, 0);
    finish(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_jobs_share_one_commit_and_keep_their_order),
        cmocka_unit_test(groups_are_bounded),
        cmocka_unit_test(full_inbox_says_busy),
        cmocka_unit_test(jobs_without_weight_are_bounded_too),
        cmocka_unit_test(refused_job_leaves_the_others_alone),
        cmocka_unit_test(group_of_refusals_commits_nothing),
        cmocka_unit_test(full_disk_gives_up_the_group_and_goes_on),
        cmocka_unit_test(refusals_fall_with_their_group),
        cmocka_unit_test(broken_store_is_fatal),
        cmocka_unit_test(store_broken_by_a_full_disk_is_fatal),
        cmocka_unit_test(store_broken_by_giving_up_a_group_is_fatal_at_once),
        cmocka_unit_test(store_is_not_asked_after_refusals_by_rule),
        cmocka_unit_test(store_that_cannot_begin_now_goes_on_later),
        cmocka_unit_test(records_are_flushed_after_a_while),
        cmocka_unit_test(records_are_flushed_when_asked_or_due),
        cmocka_unit_test(torn_job_is_taken_back_and_the_others_run_again),
        cmocka_unit_test(torn_job_alone_commits_nothing),
        cmocka_unit_test(reader_is_told_after_the_flush),
        cmocka_unit_test(failed_flush_is_tried_again),
        cmocka_unit_test(steady_load_does_not_put_the_flush_off_for_ever),
        cmocka_unit_test(stop_does_not_wait_for_a_full_inbox),
        cmocka_unit_test(stop_drains),
        cmocka_unit_test(many_threads_submit_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
