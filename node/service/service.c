/* The service's life: a socket, an outbox, and one thread that looks after both. */
#include "node/service/call.h"
#include "proto/base/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MESSAGES_AT_ONCE 256 /* taken in before the outbox gets its turn */
#define STOP_WAIT_MS     700 /* for jobs that the writer still has */
#define STOP_LINGER_MS   200 /* for answers on their way */

struct hs_service {
    struct hs_desk desk; /* first: whoever leaves it last frees the service */
    pthread_t thread;
    bool running; /* the thread is there */
    char *endpoint;
    char *dir;
    char **addresses;
};

/* ---- the thread ---- */

static void take_probed(struct hs_desk *desk)
{
    struct hs_buf probed;
    pthread_mutex_lock(&desk->lock);
    probed = desk->probed;
    desk->probed = (struct hs_buf){0};
    pthread_mutex_unlock(&desk->lock);
    struct hs_cur cur = hs_cur_of(hs_buf_bytes(&probed));
    while (cur.left > 0)
        hs_park_probed(desk, hs_cur_u64(&cur));
    hs_buf_fini(&probed);
}

static void take_messages(struct hs_desk *desk, struct hs_socket *from)
{
    struct hs_route route = {.counter = from == &desk->counters};
    for (unsigned i = 0; i < MESSAGES_AT_ONCE && from->router != NULL; i++) {
        enum hs_err err = hs_socket_receive(from, &route, &desk->incoming);
        if (err == HS_ENOTFOUND)
            return;
        hs_request_take(desk, &route, hs_buf_bytes(&desk->incoming), err);
    }
}

static void look_around(struct hs_desk *desk, int timeout_ms)
{
    eventfd_t rings;
    if (hs_socket_wait(&desk->socket, &desk->counters, desk->wake, timeout_ms))
        eventfd_read(desk->wake, &rings);
    hs_desk_collect(desk);
    take_probed(desk);
    hs_ask_collect(desk);
}

/* Nothing more is taken in; what is under way is answered, as far as the writer lets go of it in time. */
static void finish(struct hs_desk *desk)
{
    uint64_t until = hs_tick_ms() + STOP_WAIT_MS;
    hs_park_end(desk);
    for (uint64_t now = hs_tick_ms(); desk->jobs > 0 && now < until; now = hs_tick_ms()) {
        struct timespec pause = {.tv_nsec = 1000000};
        hs_desk_collect(desk);
        if (desk->jobs > 0)
            nanosleep(&pause, NULL);
    }
    hs_park_end(desk); /* a watcher whose first look was with the writer */
    hs_desk_close(desk);
    hs_socket_close(&desk->socket, STOP_LINGER_MS);
    hs_socket_close(&desk->counters, STOP_LINGER_MS);
}

static void take_turn(struct hs_desk *desk, int timeout_ms)
{
    look_around(desk, timeout_ms);
    take_messages(desk, &desk->socket);
    take_messages(desk, &desk->counters);
    hs_park_look(desk);
}

static void *serve(void *arg)
{
    struct hs_desk *desk = arg;
    while (!atomic_load(&desk->stopping))
        take_turn(desk, hs_park_timeout_ms(desk));
    finish(desk);
    return NULL;
}

uint64_t hs_service_turn(struct hs_service *service)
{
    take_turn(&service->desk, 0);
    int timeout_ms = hs_park_timeout_ms(&service->desk);
    return timeout_ms < 0 ? UINT64_MAX : hs_tick_ms() + (uint64_t)timeout_ms;
}

/* ---- life ---- */

static void free_service(struct hs_desk *desk)
{
    struct hs_service *service = (struct hs_service *)desk;
    hs_call_free_idle(desk);
    hs_buf_fini(&desk->incoming);
    hs_buf_fini(&desk->outgoing);
    hs_buf_fini(&desk->probed);
    hs_foreign_forget(&desk->cache);
    for (struct hs_foreign *said = desk->said, *next; said != NULL; said = next) {
        next = said->next;
        hs_foreign_free(said);
    }
    hs_socket_close(&desk->socket, 0);
    hs_socket_close(&desk->counters, 0);
    if (desk->wake >= 0)
        close(desk->wake);
    pthread_mutex_destroy(&desk->lock);
    for (size_t i = 0; service->addresses != NULL && i < desk->options.peer_address_count; i++)
        free(service->addresses[i]);
    free(service->addresses);
    free(service->endpoint);
    free(service->dir);
    free(service);
}

/* The data directory, or where the socket lies. */
static char *dir_of(const struct hs_service_options *options)
{
    if (options->dir != NULL)
        return strdup(options->dir);
    const char *path = strchr(options->endpoint, '/');
    const char *last = path != NULL ? strrchr(path, '/') : NULL;
    while (path != NULL && path[0] == '/' && path[1] == '/')
        path++; /* "ipc:///dir/..." */
    return last != NULL && last > path ? strndup(path, (size_t)(last - path)) : strdup("/");
}

static bool copy_texts(struct hs_service *service, const struct hs_service_options *options)
{
    struct hs_service_options *own = &service->desk.options;
    service->endpoint = strdup(options->endpoint);
    service->dir = dir_of(options);
    service->addresses = calloc(options->peer_address_count + 1, sizeof *service->addresses);
    bool copied = service->endpoint != NULL && service->dir != NULL && service->addresses != NULL;
    for (size_t i = 0; copied && i < options->peer_address_count; i++) {
        service->addresses[i] = strdup(options->peer_addresses[i]);
        copied = service->addresses[i] != NULL;
    }
    own->endpoint = service->endpoint;
    own->dir = service->dir;
    own->peer_addresses = (const char *const *)service->addresses;
    return copied;
}

static struct hs_service *new_service(const struct hs_service_options *options)
{
    struct hs_service *service = calloc(1, sizeof *service);
    if (service == NULL)
        return NULL;
    struct hs_desk *desk = &service->desk;
    desk->options = *options;
    desk->done_tail = &desk->done;
    for (size_t i = 0; i < HS_SORT_COUNT; i++)
        desk->times[i].bounds = &HS_BOUNDS_WORK;
    desk->over = free_service;
    atomic_init(&desk->holders, 1);
    pthread_mutex_init(&desk->lock, NULL);
    desk->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!copy_texts(service, options) || desk->wake < 0) {
        free_service(desk);
        return NULL;
    }
    desk->disk = (struct hs_disk){
        .dir = service->dir, .store = options->store, .reserve_bytes = options->disk_reserve_bytes};
    return service;
}

enum hs_err hs_service_new(const struct hs_service_options *options, struct hs_service **out, struct hs_why *why)
{
    struct hs_service *service = new_service(options);
    if (service == NULL)
        return hs_fail(HS_ENOMEM, why, "cannot start the service: out of memory or of file descriptors");
    enum hs_err err = hs_socket_open(options->endpoint, &service->desk.socket, why);
    if (err == HS_OK && options->counters != NULL)
        err = hs_socket_open(options->counters, &service->desk.counters, why);
    if (err != HS_OK) {
        free_service(&service->desk);
        return err;
    }
    *out = service;
    return HS_OK;
}

enum hs_err hs_service_start(struct hs_service *service)
{
    enum hs_err err = hs_thread_start(&service->thread, "service", serve, &service->desk);
    service->running = err == HS_OK;
    return err;
}

void hs_service_stop(struct hs_service *service)
{
    if (service == NULL)
        return;
    atomic_store(&service->desk.stopping, true);
    hs_desk_wake(&service->desk);
    if (service->running)
        pthread_join(service->thread, NULL);
    else
        finish(&service->desk);
    hs_desk_leave(&service->desk); /* a job that the writer still has keeps it a while */
}

/* ---- from other threads ---- */

void hs_service_probed(struct hs_service *service, uint64_t token)
{
    struct hs_desk *desk = &service->desk;
    pthread_mutex_lock(&desk->lock);
    hs_buf_put_u64(&desk->probed, token); /* without memory for it the wait ends by its time */
    pthread_mutex_unlock(&desk->lock);
    hs_desk_wake(desk);
}

void hs_service_answered(struct hs_service *service, uint64_t token, enum hs_err err, const struct hs_answer *answer)
{
    hs_ask_said(&service->desk, token, err, answer);
}

void hs_service_committed(struct hs_service *service)
{
    if (service == NULL)
        return;
    atomic_store(&service->desk.committed, true);
    if (atomic_load(&service->desk.watching) > 0)
        hs_desk_wake(&service->desk);
}

const char *hs_service_endpoint(const struct hs_service *service)
{
    return service->endpoint;
}
