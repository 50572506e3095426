#include "node/link/sock.h"

#include <errno.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A connection whose other end is silent below our heartbeats is ended by TCP: probes when idle, and a bound on what
 * may stay unacknowledged. */
static const struct hs_sock_option COMMON[] = {
    {ZMQ_LINGER, 0},
    {ZMQ_IPV6, 1},
    {ZMQ_MAXMSGSIZE, HS_MESSAGE_BYTES_MAX + HS_SOCK_WRAP_BYTES},
    {ZMQ_SNDHWM, HS_SOCK_SEND_MESSAGES},
    {ZMQ_RCVHWM, HS_SOCK_RECEIVE_MESSAGES},
    {ZMQ_TCP_KEEPALIVE, 1},
    {ZMQ_TCP_KEEPALIVE_IDLE, 10},
    {ZMQ_TCP_KEEPALIVE_INTVL, 5},
    {ZMQ_TCP_KEEPALIVE_CNT, 3},
    {ZMQ_TCP_MAXRT, 20000},
};

void hs_base_count(struct hs_link_base *base, enum hs_link_counter counter, uint64_t add)
{
    atomic_fetch_add_explicit(&base->counts[counter], add, memory_order_relaxed);
}

hs_peer hs_base_number(struct hs_link_base *base, uint16_t slot)
{
    return ++base->last_peer << 16 | slot;
}

enum hs_err hs_sock_err(int error)
{
    switch (error) {
    case EADDRINUSE:
        return HS_EINUSE;
    case EADDRNOTAVAIL:
    case EINVAL:
    case ENODEV:
    case EPROTONOSUPPORT:
    case ENOCOMPATPROTO:
        return HS_EADDRESS;
    case EMFILE:
        return HS_ENOMEM;
    case EAGAIN:
    case EHOSTUNREACH:
        return HS_EUNREACHABLE;
    case ETERM:
        return HS_ESTOPPING;
    default:
        return hs_err_from_errno(error);
    }
}

enum hs_err hs_sock_set(void *socket, int name, const void *value, size_t size)
{
    return zmq_setsockopt(socket, name, value, size) == 0 ? HS_OK : hs_sock_err(zmq_errno());
}

static enum hs_err set_all(void *socket, const struct hs_sock_option *options, size_t count)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < count && err == HS_OK; i++) {
        int64_t wide = options[i].value;
        if (options[i].name == ZMQ_MAXMSGSIZE)
            err = hs_sock_set(socket, ZMQ_MAXMSGSIZE, &wide, sizeof wide);
        else
            err = hs_sock_set(socket, options[i].name, &options[i].value, sizeof options[i].value);
    }
    return err;
}

void *hs_sock_new(void *context, int type, const struct hs_sock_option *options, size_t count, enum hs_err *err)
{
    void *socket = zmq_socket(context, type);
    if (socket == NULL) {
        *err = hs_sock_err(zmq_errno());
        return NULL;
    }
    *err = set_all(socket, COMMON, COUNT(COMMON));
    if (*err == HS_OK)
        *err = set_all(socket, options, count);
    if (*err != HS_OK)
        hs_sock_close(&socket);
    return socket;
}

void hs_sock_close(void **socket)
{
    if (*socket != NULL)
        zmq_close(*socket);
    *socket = NULL;
}

bool hs_sock_receive(void *socket, zmq_msg_t *message)
{
    int got;
    do
        got = zmq_msg_recv(message, socket, ZMQ_DONTWAIT);
    while (got < 0 && zmq_errno() == EINTR);
    return got >= 0;
}

void hs_sock_skip(void *socket)
{
    zmq_msg_t part;
    zmq_msg_init(&part);
    while (hs_sock_receive(socket, &part) && zmq_msg_more(&part))
        ;
    zmq_msg_close(&part);
}

void hs_sock_refresh(void *socket)
{
    int events;
    size_t size = sizeof events;
    zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size);
}
