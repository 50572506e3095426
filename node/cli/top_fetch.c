#include "node/cli/top_fetch.h"

#include "proto/base/thread.h"
#include "proto/msg/frame.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define REACH    "200ms" /* the node is there, or it is not: it is asked again soon */
#define CALL_MS  4000
#define END_NS   300000000
#define AGAIN_MS 500 /* where nobody is */

struct top_fetch {
    struct cli cli; /* the thread's own */
    uint64_t interval_ms;
    pthread_t thread;
    int fd;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    bool end, ended;
    bool fresh;             /* there is something to take */
    Hallsync__Reply *reply; /* NULL: text says why */
    char text[TOP_FETCH_TEXT_BYTES];
};

static void hand_over(struct top_fetch *fetch, Hallsync__Reply *reply, const char *text)
{
    pthread_mutex_lock(&fetch->lock);
    if (fetch->reply != NULL)
        hallsync__reply__free_unpacked(fetch->reply, NULL);
    fetch->reply = reply;
    snprintf(fetch->text, sizeof fetch->text, "%s", text);
    fetch->fresh = true;
    pthread_mutex_unlock(&fetch->lock);
    eventfd_write(fetch->fd, 1);
}

static bool ask(struct top_fetch *fetch)
{
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    struct cli *cli = &fetch->cli;
    const Hallsync__Reply *reply;
    body.has_region = body.region = true;
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &body;
    enum hs_err err = cli_call(cli, &request, HALLSYNC__REPLY__BODY_STATUS, &reply);
    /* the answer is valid until the next call */
    Hallsync__Reply *copy = err == HS_OK ? (Hallsync__Reply *)hs_msg_copy(&reply->base) : NULL;
    if (copy != NULL) {
        hand_over(fetch, copy, "");
        return true;
    }
    cli->reached = false; /* the next time it is said why nobody is there */
    hand_over(fetch, NULL,
              err == HS_OK                   ? "not enough memory"
              : cli->bad.why.text[0] != '\0' ? cli->bad.why.text
                                             : hs_err_text(err));
    return false;
}

static void *run(void *arg)
{
    struct top_fetch *fetch = arg;
    pthread_mutex_lock(&fetch->lock);
    while (!fetch->end) {
        pthread_mutex_unlock(&fetch->lock);
        bool there = ask(fetch);
        pthread_mutex_lock(&fetch->lock);
        uint64_t pause_ms = there || fetch->interval_ms < AGAIN_MS ? fetch->interval_ms : AGAIN_MS;
        struct timespec until = hs_tick_in_ns(pause_ms * 1000000);
        int waited = 0;
        while (!fetch->end && waited != ETIMEDOUT)
            waited = pthread_cond_timedwait(&fetch->changed, &fetch->lock, &until);
    }
    fetch->ended = true;
    pthread_cond_broadcast(&fetch->changed);
    pthread_mutex_unlock(&fetch->lock);
    return NULL;
}

static void release(struct top_fetch *fetch)
{
    hallsync_close(fetch->cli.client);
    free(fetch->cli.endpoint);
    if (fetch->reply != NULL)
        hallsync__reply__free_unpacked(fetch->reply, NULL);
    if (fetch->fd >= 0)
        close(fetch->fd);
    pthread_cond_destroy(&fetch->changed);
    pthread_mutex_destroy(&fetch->lock);
    free(fetch);
}

struct top_fetch *top_fetch_start(const struct cli *cli, uint64_t interval_ms)
{
    struct top_fetch *fetch = calloc(1, sizeof *fetch);
    if (fetch == NULL)
        return NULL;
    if (pthread_mutex_init(&fetch->lock, NULL) != 0 || hs_cond_init(&fetch->changed) != HS_OK) {
        free(fetch);
        return NULL;
    }
    fetch->cli = *cli;
    fetch->cli.client = NULL;
    fetch->cli.endpoint = strdup(cli->endpoint);
    fetch->cli.options[CLI_TIMEOUT] = REACH;
    fetch->cli.call_ms = cli->options[CLI_TIMEOUT] != NULL ? cli_timeout_ms(cli) : CALL_MS;
    fetch->interval_ms = interval_ms;
    fetch->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fetch->cli.endpoint != NULL && fetch->fd >= 0 &&
        hs_thread_start(&fetch->thread, "top-ask", run, fetch) == HS_OK)
        return fetch;
    release(fetch);
    return NULL;
}

int top_fetch_fd(const struct top_fetch *fetch)
{
    return fetch->fd;
}

bool top_fetch_take(struct top_fetch *fetch, Hallsync__Reply **reply, char text[static TOP_FETCH_TEXT_BYTES])
{
    eventfd_t count;
    if (eventfd_read(fetch->fd, &count) != 0)
        return false;
    pthread_mutex_lock(&fetch->lock);
    bool fresh = fetch->fresh;
    *reply = fetch->reply;
    snprintf(text, TOP_FETCH_TEXT_BYTES, "%s", fetch->text);
    fetch->reply = NULL;
    fetch->fresh = false;
    pthread_mutex_unlock(&fetch->lock);
    return fresh;
}

void top_fetch_end(struct top_fetch *fetch)
{
    struct timespec until = hs_tick_in_ns(END_NS);
    int waited = 0;
    if (fetch == NULL)
        return;
    pthread_mutex_lock(&fetch->lock);
    fetch->end = true;
    pthread_cond_broadcast(&fetch->changed);
    while (!fetch->ended && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&fetch->changed, &fetch->lock, &until);
    bool ended = fetch->ended;
    pthread_mutex_unlock(&fetch->lock);
    if (!ended)
        return; /* it holds what is its own until the process is gone */
    pthread_join(fetch->thread, NULL);
    release(fetch);
}
