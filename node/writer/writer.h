/* writer.h -- the one thread that writes the store.  Jobs from the service and the peers go through a bounded inbox;
 * all that wait are run in one group, committed and synced once, and then told.  While the log of one group is synced
 * the next one gathers. */
#ifndef HS_WRITER_H
#define HS_WRITER_H

#include "proto/base/histogram.h"
#include "storage/store.h"

struct hs_writer;

struct hs_job {
    /* In the open group, on the writer's thread.  Anything but HS_OK: the job has written nothing (it checks before it
     * writes), or says that it is torn.  May be run again if the group had to be given up. */
    enum hs_err (*run)(struct hs_job *job, struct hs_store *store);
    /* After the commit (or when it failed, or run said no), on the writer's thread; @commit is NULL unless HS_OK. Frees
     * the job. */
    void (*done)(struct hs_job *job, enum hs_err err, const struct hs_commit *commit);
    size_t weight;       /* about the bytes that it writes: groups and the inbox are bounded by it */
    struct hs_job *next; /* the writer's */
    enum hs_err err;     /* the writer's */
    bool torn; /* set by a run() that failed after it had written: its group is given up, and run without it */
};

/* A job that comes again and again by itself, when nothing else waits. */
struct hs_chore {
    struct hs_job job;
    uint64_t wait_ms;      /* until the next time; set by its run() or done(); UINT64_MAX: until it is called */
    struct hs_chore *next; /* of the writer's; each is run in groups of its own */
    uint64_t at_ms;        /* the writer's: when, by the monotonic clock */
};
/* It is to come again in so many milliseconds at the latest.  On the writer's thread only: after a commit. */
void hs_chore_soon(struct hs_chore *chore, uint64_t ms);

struct hs_writer_options {
    struct hs_store *store;
    struct hs_chore *chore; /* and those behind it; NULL: none; not run after the writer was told to stop */
    size_t inbox_bytes;     /* 0: 64 MiB */
    size_t group_bytes;     /* 0: 4 MiB */
    unsigned
        flush_ms; /* records are committed when nothing was written for so long, or after 20 times as long; 0: 50 */
    /* After each commit, on the writer's thread, once for the group and before the jobs' done(). */
    void (*committed)(void *ctx, const struct hs_commit *commit);
    /* The store cannot be used any more: the process should end. */
    void (*fatal)(void *ctx, enum hs_err err);
    void *ctx;
};
enum hs_err hs_writer_new(const struct hs_writer_options *options, struct hs_writer **writer); /* HS_ENOMEM */
enum hs_err hs_writer_start(struct hs_writer *writer); /* its thread, which takes turns.  HS_ENOMEM */
/* One turn, for who gives it no thread (a simulator): flush, one group, flush, as far as these are due; never waits.
 * Answers when it wants the next one at the latest, by the monotonic clock; UINT64_MAX: when there is something new. */
uint64_t hs_writer_turn(struct hs_writer *writer);
/* Takes the job.  HS_EBUSY, HS_ESTOPPING: not taken, done is not called. */
enum hs_err hs_writer_submit(struct hs_writer *writer, struct hs_job *job);
void hs_writer_flush(struct hs_writer *writer); /* somebody waits for the records; any thread (store's flush_wanted) */
/* For a reader that must not block: done() is called, and run() is not, once the records reflect every commit made
 * before this call, or with the error that kept them back.  HS_ESTOPPING: not taken. */
enum hs_err hs_writer_after_flush(struct hs_writer *writer, struct hs_job *job);
/* Finish what is in the inbox, as far as that takes about a second, answer the rest HS_ESTOPPING, flush the records,
 * end the thread; from now on submit answers HS_ESTOPPING. */
void hs_writer_stop(struct hs_writer *writer);
void hs_writer_free(struct hs_writer *writer); /* stopped before, and nobody submits any more; NULL is fine */
struct hs_writer_figures {
    uint64_t groups, jobs, refused;
    uint64_t inbox_jobs, inbox_bytes;
};
void hs_writer_figures(struct hs_writer *writer, struct hs_writer_figures *figures); /* any thread */
const struct hs_histogram *
hs_writer_commits(const struct hs_writer *writer); /* how long each took, from its first job */

#endif
