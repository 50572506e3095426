/* Sockets, descriptors, threads. */
#include "tests/fault/fault.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <zmq.h>

static bool fails(enum fault_kind kind, int error, const char *function)
{
    if (fault_kind() != kind || !fault_due(kind, function))
        return false;
    errno = error;
    return true;
}

#define WRAP(kind, error, result, failed, name, parameters, arguments)       \
    result __real_##name parameters;                                         \
    result __wrap_##name parameters;                                         \
    result __wrap_##name parameters                                          \
    {                                                                        \
        return fails(kind, error, #name) ? failed : __real_##name arguments; \
    }

/* ---- nothing left of it ---- */

WRAP(FAULT_SYSTEM, EMFILE, void *, NULL, zmq_ctx_new, (void), ())
WRAP(FAULT_SYSTEM, EMFILE, void *, NULL, zmq_socket, (void *context, int type), (context, type))
WRAP(FAULT_SYSTEM, EADDRINUSE, int, -1, zmq_bind, (void *socket, const char *endpoint), (socket, endpoint))
WRAP(FAULT_SYSTEM, ENOMEM, int, -1, zmq_connect, (void *socket, const char *endpoint), (socket, endpoint))
WRAP(FAULT_SYSTEM, EMFILE, int, -1, zmq_socket_monitor, (void *socket, const char *endpoint, int events),
     (socket, endpoint, events))
WRAP(FAULT_SYSTEM, ENOMEM, int, -1, zmq_setsockopt, (void *socket, int option, const void *value, size_t size),
     (socket, option, value, size))
WRAP(FAULT_SYSTEM, EMFILE, int, -1, eventfd, (unsigned value, int flags), (value, flags))
WRAP(FAULT_SYSTEM, EMFILE, int, -1, socket, (int domain, int type, int protocol), (domain, type, protocol))

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg)
{
    return fails(FAULT_SYSTEM, EAGAIN, "pthread_create") ? EAGAIN : __real_pthread_create(thread, attributes, run, arg);
}

int __real_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found);
int __wrap_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    return fails(FAULT_SYSTEM, 0, "getaddrinfo") ? EAI_MEMORY : __real_getaddrinfo(node, service, hints, found);
}

/* ---- messages ---- */

/* A part behind the first one fails for lack of memory only, and one without bytes needs none.  One that waits does not
 * fail here: that is the ZAP thread's, and libzmq loses what it had of an answer that lacks a part. */
int __real_zmq_send(void *socket, const void *bytes, size_t size, int flags);
int __wrap_zmq_send(void *socket, const void *bytes, size_t size, int flags);
int __wrap_zmq_send(void *socket, const void *bytes, size_t size, int flags)
{
    if (size > 0 && (flags & ZMQ_DONTWAIT) != 0 && fails(FAULT_SEND, EAGAIN, "zmq_send"))
        return -1;
    return __real_zmq_send(socket, bytes, size, flags);
}

/* One that waits never says that nothing is there. */
int __real_zmq_msg_recv(zmq_msg_t *message, void *socket, int flags);
int __wrap_zmq_msg_recv(zmq_msg_t *message, void *socket, int flags);
int __wrap_zmq_msg_recv(zmq_msg_t *message, void *socket, int flags)
{
    if (fails(FAULT_RECEIVE, (flags & ZMQ_DONTWAIT) != 0 ? EAGAIN : EINTR, "zmq_msg_recv"))
        return -1;
    return __real_zmq_msg_recv(message, socket, flags);
}

WRAP(FAULT_RECEIVE, EINTR, int, -1, zmq_poll, (zmq_pollitem_t * items, int count, long timeout),
     (items, count, timeout))
