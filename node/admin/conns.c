#include "node/admin/conns.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>

struct admin_conn {
    int fd; /* -1: free */
    enum admin_conn_state state;
    uint64_t since_ms;
};

struct admin_conns {
    pthread_mutex_t lock;
    struct admin_conn list[ADMIN_CONNS_MAX];
};

enum hs_err admin_conns_new(struct admin_conns **made)
{
    struct admin_conns *conns = calloc(1, sizeof *conns);
    if (conns == NULL)
        return HS_ENOMEM;
    pthread_mutex_init(&conns->lock, NULL);
    for (size_t i = 0; i < ADMIN_CONNS_MAX; i++)
        conns->list[i].fd = -1;
    *made = conns;
    return HS_OK;
}

void admin_conns_free(struct admin_conns *conns)
{
    if (conns == NULL)
        return;
    pthread_mutex_destroy(&conns->lock);
    free(conns);
}

struct admin_conn *admin_conn_open(struct admin_conns *conns, int fd, uint64_t now_ms)
{
    struct admin_conn *conn = NULL;
    pthread_mutex_lock(&conns->lock);
    for (size_t i = 0; i < ADMIN_CONNS_MAX && conn == NULL; i++) {
        if (conns->list[i].fd < 0)
            conn = &conns->list[i];
    }
    if (conn != NULL)
        *conn = (struct admin_conn){.fd = fd, .state = ADMIN_CONN_ASKS, .since_ms = now_ms};
    pthread_mutex_unlock(&conns->lock);
    return conn;
}

void admin_conn_close(struct admin_conns *conns, struct admin_conn *conn)
{
    if (conn == NULL)
        return;
    pthread_mutex_lock(&conns->lock);
    conn->fd = -1;
    pthread_mutex_unlock(&conns->lock);
}

void admin_conn_now(struct admin_conns *conns, struct admin_conn *conn, enum admin_conn_state state, uint64_t now_ms)
{
    if (conn == NULL)
        return;
    pthread_mutex_lock(&conns->lock);
    conn->state = state;
    conn->since_ms = now_ms;
    pthread_mutex_unlock(&conns->lock);
}

static uint64_t limit_of(enum admin_conn_state state)
{
    return state == ADMIN_CONN_ASKS ? ADMIN_ASK_MS_MAX : state == ADMIN_CONN_ANSWERS ? ADMIN_ANSWER_MS_MAX : UINT64_MAX;
}

unsigned admin_conns_tick(struct admin_conns *conns, uint64_t now_ms)
{
    unsigned ended = 0;
    pthread_mutex_lock(&conns->lock);
    for (size_t i = 0; i < ADMIN_CONNS_MAX; i++) {
        const struct admin_conn *conn = &conns->list[i];
        bool has_aged = now_ms > conn->since_ms; /* else it began behind the moment at which the clock was read */
        if (conn->fd >= 0 && has_aged && now_ms - conn->since_ms >= limit_of(conn->state)) {
            shutdown(conn->fd, SHUT_RDWR);
            ended++;
        }
    }
    pthread_mutex_unlock(&conns->lock);
    return ended;
}
