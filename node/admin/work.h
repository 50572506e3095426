/* work.h -- pools of workers: a bounded queue and a few threads each. */
#ifndef HS_ADMIN_WORK_H
#define HS_ADMIN_WORK_H

#include "node/client/hallsync.h"
#include "proto/base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct admin_work;

/* @run is called on a worker for each job, with the worker's own client of @endpoint (NULL: it has none). */
struct admin_work_options {
    const char *name; /* of the threads, 15 bytes at most */
    unsigned threads;
    size_t queue_max;
    const char *endpoint; /* borrowed; NULL: the jobs ask no node */
    void (*run)(void *job, struct hallsync *node);
};
enum hs_err admin_work_new(const struct admin_work_options *options, struct admin_work **work);
/* False: too much is waiting, or it is stopping; the job is the caller's again. */
bool admin_work_put(struct admin_work *work, void *job);
/* No new jobs; those that wait are run, and what runs ends.  NULL is fine, for both. */
void admin_work_stop(struct admin_work *work);
void admin_work_free(struct admin_work *work);

#endif
