/* One DEALER socket, one request under way.  ZMQ_IMMEDIATE keeps requests out of queues of connections that do not
 * exist yet, so that the socket being writable means that a node is there. */
#include "node/client/hallsync.h"

#include "node/client/client.h"
#include "proto/base/limits.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#define TIMEOUT_MS_DEFAULT 10000
#define PATIENCE_MS        1000 /* silence before a request is sent again; doubled each time */
#define PATIENCE_MS_MAX    8000
#define LOOK_MS            250 /* how often we look whether the connection still stands */

struct hallsync {
    void *context;
    void *socket; /* NULL: not connected yet, or given up after a failure */
    char *endpoint;
    unsigned timeout_ms;
    Hallsync__Reply *reply; /* of the last call */
    struct hallsync_position position;
    char error[HALLSYNC_ERROR_BYTES];
};

/* The sending of one request: the same bytes each time. */
struct sending {
    const uint8_t *bytes;
    size_t size;
    const uint8_t *id;
    uint64_t end_ms;
    uint64_t due_ms; /* when it is to be sent next */
    uint64_t patience_ms;
};

enum hallsync_status hallsync_fail(struct hallsync *client, enum hallsync_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(client->error, sizeof client->error, format, args);
    va_end(args);
    return status;
}

struct hallsync *hallsync_open(const char *endpoint)
{
    struct hallsync *client = calloc(1, sizeof *client);
    if (client == NULL)
        return NULL;
    client->timeout_ms = TIMEOUT_MS_DEFAULT;
    client->endpoint = strdup(endpoint);
    client->context = zmq_ctx_new();
    if (client->endpoint == NULL || client->context == NULL || sodium_init() < 0) {
        hallsync_close(client);
        errno = ENOMEM;
        return NULL;
    }
    return client;
}

static void disconnect(struct hallsync *client)
{
    if (client->socket != NULL)
        zmq_close(client->socket);
    client->socket = NULL;
}

static void forget_reply(struct hallsync *client)
{
    if (client->reply != NULL)
        hallsync__reply__free_unpacked(client->reply, NULL);
    client->reply = NULL;
}

void hallsync_close(struct hallsync *client)
{
    if (client == NULL)
        return;
    forget_reply(client);
    disconnect(client);
    if (client->context != NULL)
        zmq_ctx_term(client->context);
    free(client->endpoint);
    free(client);
}

struct hallsync_position hallsync_position(const struct hallsync *client)
{
    return client->position;
}

void hallsync_set_position(struct hallsync *client, const struct hallsync_position *position)
{
    client->position = *position;
}

static void take_position(struct hallsync *client, const Hallsync__Position *told)
{
    if (told != NULL && told->commit != 0)
        client->position = (struct hallsync_position){
            .commit = told->commit, .tag = told->tag, .store = told->has_store ? told->store : 0};
}

void hallsync_set_timeout(struct hallsync *client, unsigned timeout_ms)
{
    client->timeout_ms = timeout_ms;
}

unsigned hallsync_timeout(const struct hallsync *client)
{
    return client->timeout_ms;
}

const char *hallsync_error(const struct hallsync *client)
{
    return client->error;
}

const char *hallsync_version(void)
{
    return HS_VERSION;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool set_options(void *socket)
{
    const int immediate = 1;
    const int linger = 0;
    const int64_t size_max = HS_REPLY_BYTES_MAX;
    return zmq_setsockopt(socket, ZMQ_IMMEDIATE, &immediate, sizeof immediate) == 0 &&
           zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger) == 0 &&
           zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &size_max, sizeof size_max) == 0;
}

static enum hallsync_status connect_socket(struct hallsync *client)
{
    if (client->socket != NULL)
        return HALLSYNC_OK;
    client->socket = zmq_socket(client->context, ZMQ_DEALER);
    if (client->socket != NULL && set_options(client->socket) && zmq_connect(client->socket, client->endpoint) == 0)
        return HALLSYNC_OK;
    int error = errno;
    disconnect(client);
    errno = error;
    return hallsync_fail(client, HALLSYNC_SYSTEM, "%s: %s", client->endpoint, zmq_strerror(error));
}

static enum hallsync_status broken(struct hallsync *client)
{
    int error = errno;
    disconnect(client);
    errno = error;
    return hallsync_fail(client, HALLSYNC_SYSTEM, "%s: %s", client->endpoint, zmq_strerror(error));
}

/* protobuf-c answers NULL for a wrong message and for want of memory alike. */
static void *allocate(void *failed, size_t size)
{
    void *bytes = malloc(size);
    *(bool *)failed = *(bool *)failed || bytes == NULL;
    return bytes;
}

static void release(void *failed, void *bytes)
{
    (void)failed;
    free(bytes);
}

static enum hallsync_status unpack(struct hallsync *client, zmq_msg_t *message, Hallsync__Reply **reply)
{
    bool failed = false;
    ProtobufCAllocator allocator = {.alloc = allocate, .free = release, .allocator_data = &failed};
    *reply = hallsync__reply__unpack(&allocator, zmq_msg_size(message), zmq_msg_data(message));
    if (*reply != NULL)
        return HALLSYNC_OK;
    if (failed)
        return hallsync_fail(client, HALLSYNC_MEMORY, "%s: not enough memory for the answer", client->endpoint);
    return hallsync_fail(client, HALLSYNC_PROTOCOL, "%s: the answer is not one of this protocol", client->endpoint);
}

/* Decode one message and keep it if it answers @id; false: it does not, as answers to earlier sendings. */
static bool take_reply(struct hallsync *client, zmq_msg_t *message, const uint8_t *id, enum hallsync_status *status)
{
    Hallsync__Reply *reply;
    *status = unpack(client, message, &reply);
    if (reply == NULL)
        return true;
    if (reply->id.len != HS_REQUEST_ID_BYTES || memcmp(reply->id.data, id, HS_REQUEST_ID_BYTES) != 0) {
        hallsync__reply__free_unpacked(reply, NULL);
        return false;
    }
    client->reply = reply;
    return true;
}

/* True when the call is over: answered, or the socket is of no more use. */
static bool receive(struct hallsync *client, const struct sending *sending, enum hallsync_status *status)
{
    zmq_msg_t message;
    zmq_msg_init(&message);
    bool over = false;
    if (zmq_msg_recv(&message, client->socket, ZMQ_DONTWAIT) >= 0) {
        over = take_reply(client, &message, sending->id, status);
    } else if (errno != EAGAIN && errno != EINTR) {
        *status = broken(client);
        over = true;
    }
    zmq_msg_close(&message);
    return over;
}

/* Send now; after silence again, later each time. */
static bool transmit(struct hallsync *client, struct sending *sending, enum hallsync_status *status)
{
    if (zmq_send(client->socket, sending->bytes, sending->size, ZMQ_DONTWAIT) >= 0) {
        sending->due_ms = now_ms() + sending->patience_ms;
        sending->patience_ms = sending->patience_ms * 2 < PATIENCE_MS_MAX ? sending->patience_ms * 2
                                                                          : sending->patience_ms;
        return false;
    }
    if (errno == EAGAIN || errno == EINTR)
        return false;
    *status = broken(client);
    return true;
}

/* What was sent over a connection that is gone was perhaps never read. */
static void notice_loss(struct hallsync *client, struct sending *sending, uint64_t now)
{
    int events = 0;
    size_t size = sizeof events;
    if (zmq_getsockopt(client->socket, ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLOUT) == 0)
        sending->due_ms = now;
}

static long wait_of(const struct sending *sending, uint64_t now)
{
    uint64_t until = sending->due_ms > now && sending->due_ms < sending->end_ms ? sending->due_ms : sending->end_ms;
    uint64_t wait = until - now;
    return (long)(wait < LOOK_MS ? wait : LOOK_MS);
}

static enum hallsync_status exchange(struct hallsync *client, struct sending *sending)
{
    enum hallsync_status status = HALLSYNC_OK;
    bool over = false;
    uint64_t now = now_ms();
    while (!over && now < sending->end_ms) {
        bool due = now >= sending->due_ms;
        zmq_pollitem_t item = {.socket = client->socket, .events = (short)(ZMQ_POLLIN | (due ? ZMQ_POLLOUT : 0))};
        int ready = zmq_poll(&item, 1, wait_of(sending, now));
        if (ready < 0 && errno != EINTR)
            return broken(client);
        if (ready > 0 && (item.revents & ZMQ_POLLIN) != 0)
            over = receive(client, sending, &status);
        else if (ready > 0)
            over = transmit(client, sending, &status);
        now = now_ms();
        if (!over && ready == 0)
            notice_loss(client, sending, now);
    }
    return over ? status : hallsync_fail(client, HALLSYNC_TIMEOUT, "%s: no answer", client->endpoint);
}

/* Some requests are answered late by their nature. */
static uint64_t patience_of(const Hallsync__Request *request)
{
    if (request->body_case == HALLSYNC__REQUEST__BODY_WAIT)
        return PATIENCE_MS + (uint64_t)request->wait->timeout_ms;
    if (request->body_case == HALLSYNC__REQUEST__BODY_WATCH)
        return PATIENCE_MS + (uint64_t)request->watch->wait_ms;
    return PATIENCE_MS;
}

static enum hallsync_status send_packed(struct hallsync *client, const Hallsync__Request *request)
{
    size_t size = hallsync__request__get_packed_size(request);
    if (size > HS_REQUEST_BYTES_MAX) {
        errno = EMSGSIZE;
        return hallsync_fail(client, HALLSYNC_SYSTEM, "a request of %zu bytes is too big", size);
    }
    uint8_t *bytes = malloc(size);
    if (bytes == NULL)
        return hallsync_fail(client, HALLSYNC_MEMORY, "not enough memory");
    hallsync__request__pack(request, bytes);
    uint64_t now = now_ms();
    struct sending sending = {.bytes = bytes,
                              .size = size,
                              .id = request->id.data,
                              .end_ms = now + client->timeout_ms,
                              .due_ms = now,
                              .patience_ms = patience_of(request)};
    enum hallsync_status status = exchange(client, &sending);
    free(bytes);
    return status;
}

enum hallsync_status hallsync_call(struct hallsync *client, const Hallsync__Request *request, uint8_t id[16],
                                   const Hallsync__Reply **reply)
{
    *reply = NULL;
    forget_reply(client);
    client->error[0] = '\0';
    Hallsync__Request complete = *request;
    complete.version = request->version != 0 ? request->version : 1;
    if (request->id.len == HS_REQUEST_ID_BYTES)
        memmove(id, request->id.data, HS_REQUEST_ID_BYTES);
    else
        randombytes_buf(id, HS_REQUEST_ID_BYTES);
    complete.id = (ProtobufCBinaryData){.len = HS_REQUEST_ID_BYTES, .data = id};
    Hallsync__Position seen = HALLSYNC__POSITION__INIT;
    seen.commit = client->position.commit;
    seen.tag = client->position.tag;
    seen.store = client->position.store;
    seen.has_store = seen.store != 0;
    if (request->seen == NULL && seen.commit != 0)
        complete.seen = &seen;
    enum hallsync_status status = connect_socket(client);
    if (status == HALLSYNC_OK)
        status = send_packed(client, &complete);
    if (status != HALLSYNC_OK)
        return status;
    *reply = client->reply;
    take_position(client, client->reply->position);
    if (client->reply->error == NULL)
        return HALLSYNC_OK;
    return hallsync_fail(client, HALLSYNC_REFUSED, "%s: %s", client->reply->error,
                         client->reply->text != NULL ? client->reply->text : "refused by the node");
}
