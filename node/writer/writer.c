#include "node/writer/writer.h"
#include "proto/base/thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define INBOX_BYTES    ((size_t)64 << 20)
#define GROUP_BYTES    ((size_t)4 << 20)
#define FLUSH_MS       50
#define FLUSH_SPREAD   20   /* under load each commit puts the flush off by flush_ms, up to so many of them */
#define FLUSH_AGAIN_MS 1000 /* after one that failed */
#define STOP_MS        1000 /* for what is in the inbox at the end: who stops us has no patience for all of it */
#define GATHER_JOBS    64
#define GATHER_NS      100000 /* about the time of a sync */
#define CHORE_LATE_MS  1000   /* then it is no more put off for other work */
#define JOB_BYTES      256    /* what a job weighs beyond what it says: jobs without weight are bounded too */

struct queue {
    struct hs_job *head;
    struct hs_job **tail;
    size_t jobs;
    size_t bytes;
};

struct hs_writer {
    struct hs_writer_options options;
    pthread_t thread;
    bool running; /* the thread is there */
    pthread_mutex_t lock;
    pthread_cond_t wake;

    /* under the lock */
    struct queue inbox;
    struct queue readers; /* jobs that wait for a flush */
    size_t gather;        /* jobs that are waited for a moment; 0: none */
    bool flush_wanted;
    bool stopping;
    uint64_t stop_at_ms; /* stopping: jobs that are later than this are not run */
    uint64_t groups, done, refused;

    struct hs_histogram commits; /* how long they took */

    /* the writer's thread only */
    uint64_t flush_at_ms;   /* UINT64_MAX: the records are whole */
    uint64_t flush_last_ms; /* not later, whatever comes */
    enum hs_err dead;       /* the store cannot be used any more */
    size_t last_jobs;       /* in the group before */
};

/* What is to be done next. */
struct turn {
    struct hs_job *jobs;
    size_t job_count;
    struct hs_job *readers;
    bool flush;
    bool last;
    bool refuse; /* the time to stop is over: the jobs are not run */
};

static size_t weight_of(const struct hs_job *job)
{
    return job->weight + JOB_BYTES;
}

/* ---- the inbox; under the lock ---- */

static void clear(struct queue *queue)
{
    *queue = (struct queue){.tail = &queue->head};
}

static void append(struct queue *queue, struct hs_job *job)
{
    job->next = NULL;
    *queue->tail = job;
    queue->tail = &job->next;
    queue->jobs++;
    queue->bytes += weight_of(job);
}

/* Take jobs from the front, at least one if there is any, up to @bytes. */
static void take_group(struct queue *queue, size_t bytes, struct turn *turn)
{
    size_t taken = 0;
    struct hs_job **end = &queue->head;
    while (*end != NULL && (turn->job_count == 0 || taken + weight_of(*end) <= bytes)) {
        taken += weight_of(*end);
        turn->job_count++;
        end = &(*end)->next;
    }
    struct hs_job *rest = *end;
    *end = NULL;
    turn->jobs = queue->head;
    queue->head = rest;
    queue->jobs -= turn->job_count;
    queue->bytes -= taken;
    if (rest == NULL)
        queue->tail = &queue->head;
}

/* ---- what to do next ---- */

static void wait_until(struct hs_writer *writer, uint64_t at_ms)
{
    if (at_ms == UINT64_MAX) {
        pthread_cond_wait(&writer->wake, &writer->lock);
    } else {
        struct timespec at = {.tv_sec = (time_t)(at_ms / 1000), .tv_nsec = (long)(at_ms % 1000) * 1000000};
        pthread_cond_timedwait(&writer->wake, &writer->lock, &at);
    }
}

/* Who was answered a moment ago asks again at once, but not all in the same instant: the first of them is not run alone
 * while the others are on their way, which would be a second sync for each round.  One client alone never waits.  With
 * the lock held. */
static void gather(struct hs_writer *writer)
{
    size_t expected = writer->last_jobs < GATHER_JOBS ? writer->last_jobs : GATHER_JOBS;
    int code = 0;
    if (writer->inbox.jobs == 0 || writer->inbox.jobs >= expected || writer->readers.jobs > 0)
        return;
    struct timespec until = hs_tick_in_ns(GATHER_NS);
    writer->gather = expected;
    while (code == 0 && writer->inbox.jobs < expected && !writer->stopping)
        code = pthread_cond_timedwait(&writer->wake, &writer->lock, &until);
    writer->gather = 0;
}

/* The chore that is to come first; NULL: none. */
static struct hs_chore *first_chore(const struct hs_writer *writer)
{
    struct hs_chore *first = writer->dead == HS_OK ? writer->options.chore : NULL;
    for (struct hs_chore *chore = first; chore != NULL; chore = chore->next)
        first = chore->at_ms < first->at_ms ? chore : first;
    return first;
}

static void put_off(struct hs_chore *chore)
{
    chore->at_ms = chore->wait_ms < UINT64_MAX / 2 ? hs_tick_ms() + chore->wait_ms : UINT64_MAX;
}

void hs_chore_soon(struct hs_chore *chore, uint64_t ms)
{
    uint64_t at_ms = hs_tick_ms() + ms;
    chore->at_ms = at_ms < chore->at_ms ? at_ms : chore->at_ms;
}

/* When there is something to do though nobody asks for it. */
static uint64_t due_ms(const struct hs_writer *writer)
{
    const struct hs_chore *chore = first_chore(writer);
    uint64_t chore_at_ms = chore != NULL ? chore->at_ms : UINT64_MAX;
    return writer->flush_at_ms < chore_at_ms ? writer->flush_at_ms : chore_at_ms;
}

/* With the lock held. */
static bool is_idle(const struct hs_writer *writer)
{
    return writer->inbox.jobs == 0 && writer->readers.jobs == 0 && !writer->flush_wanted && !writer->stopping &&
           hs_tick_ms() < due_ms(writer);
}

static void wait_for_work(struct hs_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    while (is_idle(writer))
        wait_until(writer, due_ms(writer));
    gather(writer);
    pthread_mutex_unlock(&writer->lock);
}

static struct turn next_turn(struct hs_writer *writer)
{
    struct turn turn = {0};
    pthread_mutex_lock(&writer->lock);
    take_group(&writer->inbox, writer->options.group_bytes, &turn);
    if (turn.job_count != 0)
        writer->last_jobs = turn.job_count;
    turn.readers = writer->readers.head;
    clear(&writer->readers);
    turn.flush = writer->flush_wanted;
    writer->flush_wanted = false;
    turn.last = writer->stopping && turn.job_count == 0;
    turn.refuse = writer->stopping && hs_tick_ms() >= writer->stop_at_ms;
    pthread_mutex_unlock(&writer->lock);
    return turn;
}

/* ---- the store ---- */

/* A store that is broken answers every call with why, and so does a view; one that was only short of disk or memory
 * does not. */
static enum hs_err ask_store(struct hs_store *store)
{
    struct hs_view *view = NULL;
    enum hs_err err = hs_view_open(store, 0, 0, &view);
    hs_view_close(view);
    return err;
}

/* Is it usable after @err?  What only kept a group out for want of disk or memory may have broken it as well. */
static enum hs_err store_after(struct hs_store *store, enum hs_err err)
{
    return err == HS_EFULL || err == HS_ENOMEM ? ask_store(store) : err;
}

/* A store that does not go on: nor does the process. */
static void give_up_if(struct hs_writer *writer, enum hs_err broken)
{
    if (broken == HS_OK)
        return;
    writer->dead = broken;
    writer->flush_at_ms = UINT64_MAX;
    if (writer->options.fatal != NULL)
        writer->options.fatal(writer->options.ctx, broken);
}

/* Run those that are not torn. */
static void run_each(struct hs_store *store, struct hs_job *jobs, bool *wrote, bool *torn)
{
    *wrote = *torn = false;
    for (struct hs_job *job = jobs; job != NULL; job = job->next) {
        if (job->torn)
            continue;
        job->err = job->run(job, store);
        *wrote = *wrote || job->err == HS_OK;
        *torn = *torn || job->torn;
    }
}

/* What a torn job has written is half of something, such as a payment without its cash entry: it is taken back with the
 * whole group, and the others are run once more. */
static enum hs_err run_jobs(struct hs_store *store, struct hs_job *jobs, struct hs_commit *commit)
{
    bool wrote, torn;
    enum hs_err err = hs_store_begin(store);
    if (err != HS_OK)
        return err;
    run_each(store, jobs, &wrote, &torn);
    if (torn) {
        hs_store_abort(store);
        err = hs_store_begin(store);
        if (err != HS_OK)
            return err;
        run_each(store, jobs, &wrote, &torn);
    }
    if (torn)
        err = HS_ENOMEM; /* again: nothing that is this short of memory is to be trusted with the rest */
    else if (wrote)
        err = hs_store_commit(store, commit);
    if (!wrote || err != HS_OK)
        hs_store_abort(store);
    return err;
}

/* A group that failed takes all its jobs with it: what one of them refused may have been refused because of another's
 * write. */
static void answer(struct hs_job *jobs, enum hs_err err, const struct hs_commit *commit)
{
    while (jobs != NULL) {
        struct hs_job *job = jobs;
        jobs = job->next;
        enum hs_err own = err != HS_OK ? err : job->err;
        job->done(job, own, own == HS_OK ? commit : NULL);
    }
}

static bool any_ok(const struct hs_job *jobs)
{
    while (jobs != NULL && jobs->err != HS_OK)
        jobs = jobs->next;
    return jobs != NULL;
}

/* Was one refused by something that went wrong here, and not by a rule? */
static bool any_failed(const struct hs_job *jobs)
{
    for (; jobs != NULL; jobs = jobs->next) {
        enum hs_err_class class = hs_err_class(jobs->err);
        if (class != HS_CLASS_OK && class != HS_CLASS_INPUT && class != HS_CLASS_PEER)
            return true;
    }
    return false;
}

/* A group was run, and @err is what became of it.  One in which nobody wrote was given up without an error: taking back
 * what a job had written before it failed may have broken the store, and the next group may come late. */
static void judge_group(struct hs_writer *writer, enum hs_err err, const struct hs_job *jobs,
                        const struct hs_commit *commit)
{
    if (err != HS_OK)
        give_up_if(writer, store_after(writer->options.store, err));
    else if (!any_ok(jobs))
        give_up_if(writer, any_failed(jobs) ? ask_store(writer->options.store) : HS_OK);
    else if (writer->options.committed != NULL)
        writer->options.committed(writer->options.ctx, commit);
}

/* A flush takes as long as many commits and nobody is answered meanwhile: not while they come one after the other.  Who
 * reads asks for it. */
static void put_off_flush(struct hs_writer *writer, uint64_t begun_ms)
{
    uint64_t at_ms = begun_ms + writer->options.flush_ms;
    if (writer->flush_at_ms == UINT64_MAX)
        writer->flush_last_ms = begun_ms + (uint64_t)writer->options.flush_ms * FLUSH_SPREAD;
    writer->flush_at_ms = at_ms < writer->flush_last_ms ? at_ms : writer->flush_last_ms;
}

static void run_group(struct hs_writer *writer, const struct turn *turn)
{
    struct hs_commit commit = {0};
    uint64_t begun_ms = hs_tick_ms(), begun_us = hs_tick_us();
    enum hs_err err = writer->dead == HS_OK && turn->refuse ? HS_ESTOPPING : writer->dead;
    if (err == HS_OK) {
        err = run_jobs(writer->options.store, turn->jobs, &commit);
        hs_histogram_add(&writer->commits, hs_tick_us() - begun_us);
        judge_group(writer, err, turn->jobs, &commit);
    }
    if (err == HS_OK && writer->dead == HS_OK && hs_store_unflushed(writer->options.store) > 0)
        put_off_flush(writer, begun_ms);
    /* Counted first: who has been answered finds his job in the figures. */
    pthread_mutex_lock(&writer->lock);
    writer->groups++;
    writer->done += turn->job_count;
    pthread_mutex_unlock(&writer->lock);
    answer(turn->jobs, err, &commit);
}

static enum hs_err flush(struct hs_writer *writer)
{
    enum hs_err err = hs_store_flush(writer->options.store);
    writer->flush_at_ms = err == HS_OK ? UINT64_MAX : hs_tick_ms() + FLUSH_AGAIN_MS;
    writer->flush_last_ms = writer->flush_at_ms;
    if (err != HS_OK)
        give_up_if(writer, store_after(writer->options.store, err));
    return err;
}

static void tell_readers(struct hs_job *readers, enum hs_err err)
{
    while (readers != NULL) {
        struct hs_job *job = readers;
        readers = job->next;
        job->done(job, err, NULL);
    }
}

static bool must_flush(const struct hs_writer *writer, const struct turn *turn)
{
    if (writer->dead != HS_OK)
        return false;
    return turn->flush || turn->last || hs_store_flush_due(writer->options.store) ||
           hs_tick_ms() >= writer->flush_at_ms;
}

static bool chore_is_due(const struct hs_writer *writer, const struct turn *turn)
{
    const struct hs_chore *chore = first_chore(writer);
    uint64_t now = hs_tick_ms();
    bool late = chore != NULL && now >= CHORE_LATE_MS && now - CHORE_LATE_MS >= chore->at_ms;
    return chore != NULL && now >= chore->at_ms && !turn->last && !turn->refuse && (late || turn->job_count == 0);
}

/* A group of its own. */
static void run_chore(struct hs_writer *writer)
{
    struct hs_chore *chore = first_chore(writer);
    run_group(writer, &(struct turn){.jobs = &chore->job, .job_count = 1});
    put_off(chore);
}

/* Answers false when there will be no further turn. */
static bool take_turn(struct hs_writer *writer)
{
    struct turn turn = next_turn(writer);
    if (turn.readers != NULL) /* first: what they must see is committed already */
        tell_readers(turn.readers, writer->dead == HS_OK ? flush(writer) : writer->dead);
    if (turn.job_count > 0)
        run_group(writer, &turn);
    if (chore_is_due(writer, &turn))
        run_chore(writer);
    if (must_flush(writer, &turn))
        flush(writer);
    return !turn.last;
}

static void *write_all(void *arg)
{
    struct hs_writer *writer = arg;
    do
        wait_for_work(writer);
    while (take_turn(writer));
    return NULL;
}

uint64_t hs_writer_turn(struct hs_writer *writer)
{
    take_turn(writer);
    pthread_mutex_lock(&writer->lock);
    uint64_t next_ms = is_idle(writer) ? due_ms(writer) : hs_tick_ms();
    pthread_mutex_unlock(&writer->lock);
    return next_ms;
}

/* ---- any thread ---- */

enum hs_err hs_writer_submit(struct hs_writer *writer, struct hs_job *job)
{
    enum hs_err err = HS_OK;
    pthread_mutex_lock(&writer->lock);
    if (writer->stopping) {
        err = HS_ESTOPPING;
    } else if (writer->inbox.jobs > 0 && writer->inbox.bytes + weight_of(job) > writer->options.inbox_bytes) {
        writer->refused++;
        err = HS_EBUSY;
    } else {
        append(&writer->inbox, job);
        if (writer->inbox.jobs == 1 || writer->inbox.jobs == writer->gather)
            pthread_cond_signal(&writer->wake);
    }
    pthread_mutex_unlock(&writer->lock);
    return err;
}

enum hs_err hs_writer_after_flush(struct hs_writer *writer, struct hs_job *job)
{
    pthread_mutex_lock(&writer->lock);
    enum hs_err err = writer->stopping ? HS_ESTOPPING : HS_OK;
    if (err == HS_OK) {
        append(&writer->readers, job);
        pthread_cond_signal(&writer->wake);
    }
    pthread_mutex_unlock(&writer->lock);
    return err;
}

void hs_writer_flush(struct hs_writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    writer->flush_wanted = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
}

void hs_writer_figures(struct hs_writer *writer, struct hs_writer_figures *figures)
{
    pthread_mutex_lock(&writer->lock);
    *figures = (struct hs_writer_figures){
        .groups = writer->groups,
        .jobs = writer->done,
        .refused = writer->refused,
        .inbox_jobs = writer->inbox.jobs,
        .inbox_bytes = writer->inbox.bytes,
    };
    pthread_mutex_unlock(&writer->lock);
}

/* ---- life ---- */

static void set_options(struct hs_writer *writer, const struct hs_writer_options *options)
{
    writer->options = *options;
    if (options->inbox_bytes == 0)
        writer->options.inbox_bytes = INBOX_BYTES;
    if (options->group_bytes == 0)
        writer->options.group_bytes = GROUP_BYTES;
    if (options->flush_ms == 0)
        writer->options.flush_ms = FLUSH_MS;
}

enum hs_err hs_writer_new(const struct hs_writer_options *options, struct hs_writer **writer)
{
    struct hs_writer *made = calloc(1, sizeof *made);
    if (made == NULL)
        return HS_ENOMEM;
    set_options(made, options);
    clear(&made->inbox);
    clear(&made->readers);
    made->commits.bounds = &HS_BOUNDS_WORK;
    made->flush_at_ms = UINT64_MAX;
    for (struct hs_chore *chore = options->chore; chore != NULL; chore = chore->next)
        put_off(chore);
    enum hs_err err = hs_cond_init(&made->wake);
    if (err != HS_OK) {
        free(made);
        return err;
    }
    pthread_mutex_init(&made->lock, NULL);
    *writer = made;
    return HS_OK;
}

enum hs_err hs_writer_start(struct hs_writer *writer)
{
    enum hs_err err = hs_thread_start(&writer->thread, "writer", write_all, writer);
    writer->running = err == HS_OK;
    return err;
}

void hs_writer_stop(struct hs_writer *writer)
{
    if (writer == NULL)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    writer->stop_at_ms = hs_tick_ms() + STOP_MS;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    while (!writer->running && take_turn(writer))
        continue;
    if (writer->running)
        pthread_join(writer->thread, NULL);
    writer->running = false;
}

void hs_writer_free(struct hs_writer *writer)
{
    if (writer == NULL)
        return;
    pthread_mutex_destroy(&writer->lock);
    pthread_cond_destroy(&writer->wake);
    free(writer);
}

const struct hs_histogram *hs_writer_commits(const struct hs_writer *writer)
{
    return &writer->commits;
}
