/* The way of a job to the writer and back: it comes home through a list under a lock and a ring at the eventfd. */
#include "node/service/call.h"

#include <stdlib.h>
#include <sys/eventfd.h>

void hs_desk_wake(struct hs_desk *desk)
{
    eventfd_write(desk->wake, 1); /* fails only when it rings already, 2^64 times over */
}

void hs_desk_hold(struct hs_desk *desk)
{
    atomic_fetch_add(&desk->holders, 1);
}

void hs_desk_leave(struct hs_desk *desk)
{
    if (atomic_fetch_sub(&desk->holders, 1) == 1)
        desk->over(desk);
}

/* False: the service has gone, nobody will answer. */
static bool come_home(struct hs_desk *desk, struct hs_call *call)
{
    pthread_mutex_lock(&desk->lock);
    bool open = !desk->closed;
    bool first = desk->done == NULL;
    if (open) {
        call->next = NULL;
        *desk->done_tail = call;
        desk->done_tail = &call->next;
    }
    pthread_mutex_unlock(&desk->lock);
    if (open && first)
        hs_desk_wake(desk);
    return open;
}

static enum hs_err job_run(struct hs_job *job, struct hs_store *store)
{
    struct hs_call *call = (struct hs_call *)job;
    call->answered = false;
    hs_buf_reset(&call->body);
    call->own_err = call->row->run(call, store);
    return call->own_err;
}

static void job_done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct hs_call *call = (struct hs_call *)job;
    struct hs_desk *desk = call->desk;
    call->err = err;
    if (commit != NULL)
        call->position = commit->position;
    if (err != call->own_err)
        call->answered = false; /* the group failed: whatever run() found, it is not so */
    if (!come_home(desk, call))
        hs_call_free(call);
    hs_desk_leave(desk);
}

enum hs_err hs_desk_submit(struct hs_call *call)
{
    struct hs_desk *desk = call->desk;
    bool writes = call->row->run != NULL;
    call->job.run = job_run;
    call->job.done = job_done;
    hs_desk_hold(desk);
    desk->jobs++;
    enum hs_err err = writes ? hs_writer_submit(desk->options.writer, &call->job)
                             : hs_writer_after_flush(desk->options.writer, &call->job);
    if (err != HS_OK) {
        desk->jobs--;
        hs_desk_leave(desk);
    }
    return err;
}

static struct hs_call *take_done(struct hs_desk *desk, bool close)
{
    pthread_mutex_lock(&desk->lock);
    struct hs_call *done = desk->done;
    desk->done = NULL;
    desk->done_tail = &desk->done;
    desk->closed = desk->closed || close;
    pthread_mutex_unlock(&desk->lock);
    return done;
}

void hs_desk_collect(struct hs_desk *desk)
{
    struct hs_call *done = take_done(desk, false);
    while (done != NULL) {
        struct hs_call *call = done;
        done = call->next;
        desk->jobs--;
        if (call->row->run != NULL)
            hs_request_ran(call);
        else
            hs_request_flushed(call);
    }
}

void hs_desk_close(struct hs_desk *desk)
{
    struct hs_call *done = take_done(desk, true);
    while (done != NULL) {
        struct hs_call *call = done;
        done = call->next;
        hs_call_drop(call);
    }
}
