#include "node/link/monitor.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define NEWS_BYTES \
    (sizeof(uint16_t) + sizeof(uint32_t)) /* zmq_socket_monitor(3): event and value, in the machine's order */

static const struct {
    int event;
    const char *name;
} NAMES[] = {
    {ZMQ_EVENT_CONNECTED, "connected"},
    {ZMQ_EVENT_ACCEPTED, "accepted"},
    {ZMQ_EVENT_ACCEPT_FAILED, "accept-failed"},
    {ZMQ_EVENT_CLOSED, "connect-failed"},
    {ZMQ_EVENT_DISCONNECTED, "disconnected"},
    {ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, "handshake-failed"},
    {ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, "handshake-failed-protocol"},
    {ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, "handshake-failed-auth"},
    {ZMQ_EVENT_HANDSHAKE_SUCCEEDED, "handshake-succeeded"},
};

enum hs_err hs_monitor_open(struct hs_link_base *base, void *socket, int events, void **pair)
{
    /* News that nobody has read yet must never block the I/O thread. */
    static const struct hs_sock_option OPTIONS[] = {{ZMQ_RCVHWM, 0}};
    char name[64];
    enum hs_err err;
    snprintf(name, sizeof name, "inproc://hallsync-news-%llu", (unsigned long long)hs_base_number(base, 0));
    *pair = hs_sock_new(base->context, ZMQ_PAIR, OPTIONS, COUNT(OPTIONS), &err);
    if (*pair == NULL)
        return err;
    if (zmq_socket_monitor(socket, name, events) == 0 && zmq_connect(*pair, name) == 0)
        return HS_OK;
    err = hs_sock_err(zmq_errno());
    hs_monitor_close(socket, pair);
    return err;
}

void hs_monitor_close(void *socket, void **pair)
{
    if (socket != NULL)
        zmq_socket_monitor(socket, NULL, 0);
    hs_sock_close(pair);
}

bool hs_monitor_next(void *pair, struct hs_monitor_news *news)
{
    zmq_msg_t part;
    uint16_t event;
    int32_t value;
    zmq_msg_init(&part);
    bool got = hs_sock_receive(pair, &part) && zmq_msg_size(&part) == NEWS_BYTES;
    if (got) {
        memcpy(&event, zmq_msg_data(&part), sizeof event);
        memcpy(&value, (uint8_t *)zmq_msg_data(&part) + sizeof event, sizeof value);
        *news = (struct hs_monitor_news){event, value};
        if (zmq_msg_more(&part))
            hs_sock_skip(pair); /* the address: on the listening side that of ourselves */
    }
    zmq_msg_close(&part);
    return got;
}

const char *hs_monitor_name(int event)
{
    for (size_t i = 0; i < COUNT(NAMES); i++) {
        if (NAMES[i].event == event)
            return NAMES[i].name;
    }
    return "event";
}

bool hs_monitor_is_handshake_failure(int event)
{
    return event == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL || event == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ||
           event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
}

static const char *protocol_reason(int value)
{
    switch (value) {
    case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC:
        return "the other end has another key than the one given for it";
    case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
        return "the other end does not speak CURVE";
    default:
        return "the other end does not keep the protocol";
    }
}

const char *hs_monitor_reason(const struct hs_monitor_news *news)
{
    switch (news->event) {
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return protocol_reason(news->value);
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return "refused";
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        return "closed by the other end: it has another key than the one given for it, is no hallsync node, or lets no "
               "more strangers in now";
    case ZMQ_EVENT_CLOSED:
        return "cannot connect";
    case ZMQ_EVENT_ACCEPT_FAILED:
        return strerror(news->value);
    default:
        return "the connection ended";
    }
}

enum hs_reason hs_monitor_code(const struct hs_monitor_news *news)
{
    switch (news->event) {
    case ZMQ_EVENT_CLOSED:
        return HS_REASON_UNREACHABLE;
    case ZMQ_EVENT_DISCONNECTED:
        return HS_REASON_CLOSED;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        return news->value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC ? HS_REASON_HANDSHAKE : HS_REASON_NOT_CURVE;
    default:
        return HS_REASON_HANDSHAKE;
    }
}

enum hs_reason hs_monitor_code_heard(const struct hs_monitor_news *news)
{
    if (news->event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        return HS_REASON_STRANGERS;
    if (news->event != ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL)
        return HS_REASON_CLOSED;
    return news->value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC ? HS_REASON_WRONG_KEY : HS_REASON_NOT_CURVE;
}

const char *hs_monitor_reason_heard(const struct hs_monitor_news *news)
{
    switch (news->event) {
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        if (news->value == ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC)
            return "it expects another key here: see upstreams in its configuration";
        if (news->value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH)
            return "it does not speak CURVE";
        return "it does not keep the protocol";
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        return "too many unknown keys at once";
    default:
        return "it ended the connection before it was proven";
    }
}
