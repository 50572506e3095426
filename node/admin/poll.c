#include "node/admin/poll.h"

#include "node/log/log.h"
#include "proto/base/thread.h"
#include "proto/msg/frame.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define PERIOD_MS       1000
#define CALL_TIMEOUT_MS 3000

struct kept {
    struct admin_status status; /* first: what readers hold points here */
    atomic_uint holders;
};

struct admin_poll {
    struct admin_poll_options options;
    struct hallsync *node;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, stopping, answers;
    struct kept *last;
};

/* ---- the last status, for readers ---- */

void admin_status_release(const struct admin_status *status)
{
    struct kept *kept = (struct kept *)(uintptr_t)status;
    if (kept == NULL || atomic_fetch_sub(&kept->holders, 1) != 1)
        return;
    hallsync__status_reply__free_unpacked((Hallsync__StatusReply *)(uintptr_t)kept->status.reply, NULL);
    free(kept);
}

const struct admin_status *admin_poll_hold(struct admin_poll *poll)
{
    pthread_mutex_lock(&poll->lock);
    struct kept *kept = poll->last;
    if (kept != NULL)
        atomic_fetch_add(&kept->holders, 1);
    pthread_mutex_unlock(&poll->lock);
    return kept != NULL ? &kept->status : NULL;
}

bool admin_poll_answers(struct admin_poll *poll)
{
    pthread_mutex_lock(&poll->lock);
    bool answers = poll->answers;
    pthread_mutex_unlock(&poll->lock);
    return answers;
}

/* A copy that outlives the client's next call.  NULL: out of memory. */
static struct kept *keep(const Hallsync__StatusReply *reply)
{
    struct kept *kept = calloc(1, sizeof *kept);
    Hallsync__StatusReply *copy = kept != NULL ? (Hallsync__StatusReply *)hs_msg_copy(&reply->base) : NULL;
    if (copy == NULL) {
        free(kept);
        return NULL;
    }
    kept->status = (struct admin_status){.reply = copy, .time_ms = hs_now_ms()};
    atomic_init(&kept->holders, 1);
    return kept;
}

static void put(struct admin_poll *poll, struct kept *kept)
{
    pthread_mutex_lock(&poll->lock);
    struct kept *before = kept != NULL ? poll->last : NULL;
    if (kept != NULL)
        poll->last = kept;
    bool changed = poll->answers != (kept != NULL);
    poll->answers = kept != NULL;
    pthread_mutex_unlock(&poll->lock);
    if (before != NULL)
        admin_status_release(&before->status);
    if (changed && kept != NULL)
        HS_LOG(ADMIN_NODE_ANSWERS, HS_WORD("node", kept->status.reply->node_id));
    else if (changed)
        HS_LOG(ADMIN_NODE_SILENT, HS_PROSE("text", hallsync_error(poll->node)));
}

/* ---- the thread ---- */

static void ask(struct admin_poll *poll)
{
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    const Hallsync__Reply *reply;
    uint8_t id[16];
    body.has_region = body.region = true; /* those that are away are rows, too */
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    enum hallsync_status status = hallsync_call(poll->node, &request, id, &reply);
    struct kept *kept = NULL;
    if (status == HALLSYNC_OK && reply->body_case == HALLSYNC__REPLY__BODY_STATUS)
        kept = keep(reply->status);
    put(poll, kept);
    if (poll->options.told != NULL)
        poll->options.told(poll->options.ctx, kept != NULL ? &kept->status : NULL);
}

/* True: it is over. */
static bool rest(struct admin_poll *poll, struct timespec until)
{
    pthread_mutex_lock(&poll->lock);
    while (!poll->stopping && pthread_cond_timedwait(&poll->wake, &poll->lock, &until) == 0)
        continue;
    bool over = poll->stopping;
    pthread_mutex_unlock(&poll->lock);
    return over;
}

static void *poll_on(void *ctx)
{
    struct admin_poll *poll = ctx;
    struct timespec next;
    do {
        next = hs_tick_in_ns((uint64_t)PERIOD_MS * 1000000);
        ask(poll);
    } while (!rest(poll, next));
    return NULL;
}

enum hs_err admin_poll_new(const struct admin_poll_options *options, struct admin_poll **made)
{
    struct admin_poll *poll = calloc(1, sizeof *poll);
    if (poll == NULL)
        return HS_ENOMEM;
    poll->options = *options;
    poll->answers = true; /* so that it is told if it does not, the first time */
    enum hs_err err = hs_cond_init(&poll->wake);
    if (err != HS_OK) {
        free(poll);
        return err;
    }
    pthread_mutex_init(&poll->lock, NULL);
    poll->node = hallsync_open(options->endpoint);
    err = poll->node == NULL ? HS_ENOMEM : HS_OK;
    if (err == HS_OK) {
        hallsync_set_timeout(poll->node, CALL_TIMEOUT_MS);
        err = hs_thread_start(&poll->thread, "admin-poll", poll_on, poll);
    }
    poll->running = err == HS_OK;
    if (err == HS_OK)
        *made = poll;
    else
        admin_poll_stop(poll);
    return err;
}

void admin_poll_stop(struct admin_poll *poll)
{
    if (poll == NULL)
        return;
    pthread_mutex_lock(&poll->lock);
    poll->stopping = true;
    pthread_cond_signal(&poll->wake);
    pthread_mutex_unlock(&poll->lock);
    if (poll->running)
        pthread_join(poll->thread, NULL);
    if (poll->last != NULL)
        admin_status_release(&poll->last->status);
    hallsync_close(poll->node);
    pthread_cond_destroy(&poll->wake);
    pthread_mutex_destroy(&poll->lock);
    free(poll);
}
