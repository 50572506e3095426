#include "node/link/router.h"

#include "node/link/conns.h"
#include "node/link/monitor.h"
#include "node/link/roster.h"
#include "node/link/zap.h"
#include "proto/base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define ROUTING_BYTES 5    /* a zero and a number: given by libzmq.  Our nodes choose none */
#define LAST_FRAME_MS 500  /* one that was dropped is closed after, so that what was sent before gets there */
#define COMPLAINT_MS  1000 /* of failing accepts only one in this time is told */
#define SKIP_MAX      64   /* frames passed over in one call */
#define UNKNOWN_MAX   32
#define HANDSHAKE_MS  5000
#define BACKLOG       1024

#define EVENTS                                                                                                      \
    (ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | \
     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

/* Of the frame in hs_router.frame. */
enum frame_state {
    FRAME_NONE,  /* there is none, or it was given */
    FRAME_HELD,  /* from a routing id that is not known yet: the news of connections come first */
    FRAME_READY, /* UP was given, the frame is next */
};

struct hs_router {
    struct hs_link_base *base;
    struct hs_zap *zap;
    void *socket;
    void *news;
    struct hs_roster *roster;
    struct hs_conns conns;
    size_t strangers; /* live entries whose key is not known */
    zmq_msg_t frame;
    uint32_t routing; /* of the frame */
    enum frame_state state;
    struct hs_monitor_news failure; /* a handshake that failed: whose, the end of its connection says; event 0: none */
    uint64_t complained_ms;
    char text[HS_WHY_BYTES];
    size_t address_count;
    char addresses[HS_ADDRESSES_MAX][HS_ADDRESS_BYTES_MAX + 1];
};

/* ---- life ---- */

/* With IPv6 on, libzmq tells a bound IPv4 address as a mapped one, which other programs than libzmq may not take. */
static void unmap(char *address)
{
    static const char mapped[] = "tcp://[::ffff:";
    char *end = strchr(address, ']');
    if (strncmp(address, mapped, sizeof mapped - 1) != 0 || end == NULL || strchr(address, '.') == NULL)
        return;
    *end = '\0';
    char plain[HS_ADDRESS_BYTES_MAX + 1];
    snprintf(plain, sizeof plain, "tcp://%s%s", address + sizeof mapped - 1, end + 1);
    memcpy(address, plain, sizeof plain);
}

static enum hs_err bind_to(struct hs_router *router, const char *address, struct hs_why *why)
{
    char *bound = router->addresses[router->address_count];
    size_t size = HS_ADDRESS_BYTES_MAX + 1;
    enum hs_err err = hs_link_check_address(address, why);
    if (err != HS_OK)
        return err;
    if (zmq_bind(router->socket, address) != 0 ||
        zmq_getsockopt(router->socket, ZMQ_LAST_ENDPOINT, bound, &size) != 0) {
        int error = zmq_errno();
        return hs_fail(hs_sock_err(error), why, "cannot listen at %s: %s", address, zmq_strerror(error));
    }
    unmap(bound);
    router->address_count++;
    return HS_OK;
}

static enum hs_err set_curve(struct hs_router *router)
{
    int on = 1;
    enum hs_err err = hs_sock_set(router->socket, ZMQ_CURVE_SERVER, &on, sizeof on);
    if (err == HS_OK)
        err = hs_sock_set(router->socket, ZMQ_CURVE_SECRETKEY, router->base->curve_secret, HS_KEY_BYTES);
    if (err == HS_OK)
        err = hs_sock_set(router->socket, ZMQ_ZAP_DOMAIN, HS_ZAP_DOMAIN, sizeof HS_ZAP_DOMAIN - 1);
    return err;
}

static enum hs_err open_socket(struct hs_router *router)
{
    static const struct hs_sock_option OPTIONS[] = {
        {ZMQ_ROUTER_MANDATORY, 1}, {ZMQ_BACKLOG, BACKLOG}, {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS}};
    enum hs_err err;
    router->socket = hs_sock_new(router->base->context, ZMQ_ROUTER, OPTIONS, COUNT(OPTIONS), &err);
    if (router->socket == NULL)
        return err;
    err = set_curve(router);
    return err == HS_OK ? hs_monitor_open(router->base, router->socket, EVENTS, &router->news) : err;
}

enum hs_err hs_router_new(const struct hs_link_options *options, struct hs_link_base *base, struct hs_router **router,
                          struct hs_why *why)
{
    struct hs_router *made = calloc(1, sizeof *made);
    if (made == NULL)
        return HS_ENOMEM;
    made->base = base;
    made->conns.due_ms = UINT64_MAX;
    zmq_msg_init(&made->frame);
    made->roster = hs_roster_new();
    enum hs_err err = made->roster == NULL ? HS_ENOMEM : HS_OK;
    if (err == HS_OK)
        err = hs_zap_start(base, options->unknown_max == 0 ? UNKNOWN_MAX : options->unknown_max, &made->zap);
    if (err == HS_OK)
        err = open_socket(made);
    for (size_t i = 0; i < options->listen_count && err == HS_OK; i++)
        err = bind_to(made, options->listen[i], why);
    *router = made; /* also on failure: closed and freed in two steps by the caller */
    return err;
}

void hs_router_close(struct hs_router *router)
{
    if (router == NULL)
        return;
    hs_monitor_close(router->socket, &router->news);
    hs_sock_close(&router->socket);
}

void hs_router_free(struct hs_router *router)
{
    if (router == NULL)
        return;
    hs_zap_stop(router->zap);
    zmq_msg_close(&router->frame);
    hs_roster_free(router->roster);
    hs_conns_fini(&router->conns);
    free(router);
}

const char *hs_router_address(const struct hs_router *router, size_t i)
{
    return router->addresses[i];
}

/* ---- what is waited for ---- */

void *hs_router_socket(struct hs_router *router)
{
    return router->socket;
}

void *hs_router_news_socket(struct hs_router *router)
{
    return router->news;
}

bool hs_router_pending(const struct hs_router *router)
{
    return router->state != FRAME_NONE || hs_roster_ending(router->roster) != NULL;
}

uint64_t hs_router_due_ms(const struct hs_router *router)
{
    return router->conns.due_ms;
}

void hs_router_tick(struct hs_router *router, uint64_t now_ms)
{
    hs_conns_sweep(&router->conns, now_ms);
}

/* ---- connections come and go ---- */

static void note(struct hs_router *router, enum hs_err err, struct hs_link_event *event)
{
    event->type = HS_LINK_NOTE;
    event->err = err;
    event->text = router->text;
}

static void has_come(struct hs_router *router, int descriptor, struct hs_link_event *event)
{
    struct hs_conn *conn = hs_conns_open(&router->conns, descriptor, hs_link_now_ms() + HS_ZAP_FIRST_FRAME_MS);
    hs_base_count(router->base, HS_LINK_ACCEPTED, 1);
    snprintf(router->text, sizeof router->text, "accepted %s",
             conn == NULL ? "one that there is no memory for" : conn->remote);
    note(router, HS_OK, event);
}

/* libzmq names no connection in its news of a handshake that failed.  The end of that connection is told next, for one
 * I/O thread does both. */
static void tell_failure(struct hs_router *router, const struct hs_conn *conn, struct hs_link_event *event)
{
    snprintf(router->text, sizeof router->text, "%s from %s: %s", hs_monitor_name(router->failure.event),
             conn == NULL || conn->remote[0] == '\0' ? "outside" : conn->remote,
             hs_monitor_reason_heard(&router->failure));
    note(router, HS_EREFUSED, event);
    event->address = conn == NULL ? "" : conn->remote;
    event->reason = hs_monitor_code_heard(&router->failure);
    router->failure.event = 0;
}

static void has_gone(struct hs_router *router, int descriptor, struct hs_link_event *event)
{
    struct hs_conn *conn = hs_conns_find(&router->conns, descriptor);
    hs_base_count(router->base, HS_LINK_DISCONNECTED, 1);
    snprintf(router->text, sizeof router->text, "disconnected %s", conn == NULL ? "" : conn->remote);
    note(router, HS_OK, event);
    if (router->failure.event != 0)
        tell_failure(router, conn, event);
    if (conn == NULL)
        return;
    struct hs_roster_entry *entry = hs_roster_by_peer(router->roster, conn->peer);
    if (entry != NULL)
        hs_roster_set_ending(router->roster, entry);
    hs_conns_close(conn);
}

/* Out of descriptors, libzmq tries again at once and for ever: this would fill the log. */
static bool may_complain(struct hs_router *router)
{
    uint64_t now = hs_link_now_ms();
    if (router->complained_ms != 0 && now - router->complained_ms < COMPLAINT_MS)
        return false;
    router->complained_ms = now;
    return true;
}

/* False: nothing to tell, or not yet. */
static bool has_failed(struct hs_router *router, const struct hs_monitor_news *news, struct hs_link_event *event)
{
    bool handshake = hs_monitor_is_handshake_failure(news->event);
    if (handshake)
        hs_base_count(router->base, HS_LINK_HANDSHAKE_FAILED, 1);
    if (handshake && news->event != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
        router->failure = *news;
        return false;
    }
    if (!handshake && !may_complain(router))
        return false;
    snprintf(router->text, sizeof router->text, "%s from outside: %s", hs_monitor_name(news->event),
             handshake ? hs_monitor_reason_heard(news) : hs_monitor_reason(news));
    note(router, handshake ? HS_EREFUSED : HS_ENOMEM, event);
    event->reason = handshake ? hs_monitor_code_heard(news) : HS_REASON_NO_MEANS;
    return true;
}

bool hs_router_news(struct hs_router *router, struct hs_link_event *event)
{
    struct hs_monitor_news news;
    bool told = false;
    for (int i = 0; i < SKIP_MAX && !told && hs_monitor_next(router->news, &news); i++) {
        told = true;
        if (news.event == ZMQ_EVENT_ACCEPTED)
            has_come(router, news.value, event);
        else if (news.event == ZMQ_EVENT_DISCONNECTED)
            has_gone(router, news.value, event);
        else
            told = has_failed(router, &news, event);
    }
    return told;
}

/* ---- frames ---- */

static bool read_routing(struct hs_router *router, zmq_msg_t *name)
{
    const uint8_t *routing = zmq_msg_data(name);
    if (zmq_msg_size(name) != ROUTING_BYTES || routing[0] != 0)
        return false;
    router->routing = hs_from_be32(routing + 1);
    return true;
}

/* Take the next message off the socket: 1 a frame, 0 one to pass over, -1 there is none. */
static int receive(struct hs_router *router)
{
    zmq_msg_t name;
    zmq_msg_init(&name);
    int got = -1;
    if (hs_sock_receive(router->socket, &name) && zmq_msg_more(&name) &&
        hs_sock_receive(router->socket, &router->frame)) {
        got = read_routing(router, &name) && zmq_msg_size(&router->frame) <= HS_MESSAGE_BYTES_MAX;
        if (zmq_msg_more(&router->frame)) {
            hs_sock_skip(router->socket);
            got = 0;
        }
    }
    zmq_msg_close(&name);
    return got;
}

static struct hs_bytes frame_bytes(struct hs_router *router)
{
    return HS_BYTES(zmq_msg_data(&router->frame), zmq_msg_size(&router->frame));
}

static void give_frame(struct hs_router *router, const struct hs_roster_entry *entry, struct hs_link_event *event)
{
    event->type = HS_LINK_FRAME;
    event->peer = entry->peer;
    event->curve_key = entry->key;
    event->data = frame_bytes(router);
    hs_base_count(router->base, HS_LINK_FRAMES_IN, 1);
    hs_base_count(router->base, HS_LINK_BYTES_IN, event->data.size);
    router->state = FRAME_NONE;
}

static void give_down(struct hs_router *router, struct hs_roster_entry *entry, enum hs_err err, const char *text,
                      struct hs_link_event *event)
{
    event->type = HS_LINK_DOWN;
    event->peer = entry->peer;
    event->curve_key = entry->key;
    event->err = err;
    event->text = text;
    hs_router_drop(router, entry->peer);
}

/* libzmq puts our ZAP answer on every frame of a connection: it must be the one by which the routing id came to its
 * key. */
static const char *user_of(struct hs_router *router)
{
    return zmq_msg_gets(&router->frame, "User-Id");
}

static bool give_known(struct hs_router *router, struct hs_roster_entry *entry, struct hs_link_event *event)
{
    const char *user = user_of(router);
    if (entry->retired)
        return false;
    if (user != NULL && strcmp(user, entry->user) == 0)
        give_frame(router, entry, event);
    else
        give_down(router, entry, HS_EREFUSED, "its key changed", event);
    return true;
}

static struct hs_roster_entry *enter(struct hs_router *router, const char *user, struct hs_conn *conn)
{
    struct hs_roster_entry *entry = hs_roster_add(router->roster, router->base, router->routing);
    if (entry == NULL)
        return NULL;
    hs_text_from_hex(user, strlen(user), entry->key.bytes, sizeof entry->key.bytes);
    snprintf(entry->user, sizeof entry->user, "%s", user);
    entry->descriptor = (int)(conn - router->conns.items);
    entry->known = hs_zap_knows(router->zap, &entry->key);
    conn->peer = entry->peer;
    conn->due_ms = UINT64_MAX;
    if (!entry->known) {
        hs_zap_arrived(router->zap, &entry->key);
        hs_zap_set_strangers(router->zap, ++router->strangers);
    }
    return entry;
}

/* The first frame of a connection: UP, and the frame after it.  One whose connection is gone by now has nobody to
 * answer to. */
static bool give_new(struct hs_router *router, struct hs_link_event *event)
{
    const char *user = user_of(router);
    struct hs_conn *conn = hs_conns_find(&router->conns, zmq_msg_get(&router->frame, ZMQ_SRCFD));
    router->state = FRAME_NONE;
    if (user == NULL || strlen(user) != HS_ZAP_USER_BYTES - 1 || conn == NULL || conn->peer != 0)
        return false;
    struct hs_roster_entry *entry = enter(router, user, conn);
    if (entry == NULL) {
        hs_conns_set_due(&router->conns, conn, hs_link_now_ms());
        snprintf(router->text, sizeof router->text, "closed %s: %d connections are open already", conn->remote,
                 HS_ROSTER_LIVE_MAX);
        note(router, HS_EBUSY, event);
        return true;
    }
    event->type = HS_LINK_UP;
    event->peer = entry->peer;
    event->curve_key = entry->key;
    event->address = conn->remote;
    router->state = FRAME_READY;
    return true;
}

static bool give_ending(struct hs_router *router, struct hs_link_event *event)
{
    struct hs_roster_entry *entry = hs_roster_ending(router->roster);
    if (entry != NULL)
        give_down(router, entry, HS_EUNREACHABLE, "the other end closed the connection", event);
    return entry != NULL;
}

/* The frame in hand; false: nobody wants it. */
static bool give_held(struct hs_router *router, struct hs_link_event *event)
{
    struct hs_roster_entry *entry = hs_roster_by_routing(router->roster, router->routing);
    if (entry != NULL) {
        router->state = FRAME_NONE;
        return give_known(router, entry, event);
    }
    router->state = FRAME_HELD;
    return hs_router_news(router, event) || give_new(router, event);
}

bool hs_router_next(struct hs_router *router, struct hs_link_event *event)
{
    if (router->state != FRAME_NONE && give_held(router, event))
        return true;
    for (int i = 0; i < SKIP_MAX; i++) {
        int got = receive(router);
        if (got < 0)
            return give_ending(router, event);
        if (got > 0 && give_held(router, event))
            return true;
    }
    return false;
}

/* ---- to them ---- */

static bool send_part(void *socket, const void *data, size_t size, int flags)
{
    int sent;
    do
        sent = zmq_send(socket, data, size, flags | ZMQ_DONTWAIT);
    while (sent < 0 && zmq_errno() == EINTR);
    return sent >= 0;
}

enum hs_err hs_router_send(struct hs_router *router, hs_peer peer, struct hs_bytes frame)
{
    uint8_t routing[ROUTING_BYTES] = {0};
    struct hs_roster_entry *entry = hs_roster_by_peer(router->roster, peer);
    if (entry == NULL || entry->ending)
        return HS_EUNREACHABLE;
    hs_be32(routing + 1, entry->routing);
    bool sent = send_part(router->socket, routing, sizeof routing, ZMQ_SNDMORE);
    if (!sent) { /* a full queue may have emptied: libzmq does not look each time */
        hs_sock_refresh(router->socket);
        sent = send_part(router->socket, routing, sizeof routing, ZMQ_SNDMORE);
    }
    if (!sent)
        return HS_EUNREACHABLE;
    if (send_part(router->socket, frame.data, frame.size, 0))
        return HS_OK;
    send_part(router->socket, "", 0, 0); /* or the next peer's frame would be taken for the rest of this one's */
    return HS_EUNREACHABLE;
}

void hs_router_drop(struct hs_router *router, hs_peer peer)
{
    struct hs_roster_entry *entry = hs_roster_by_peer(router->roster, peer);
    if (entry == NULL)
        return;
    struct hs_conn *conn = hs_conns_find(&router->conns, entry->descriptor);
    if (conn != NULL && conn->peer == peer)
        hs_conns_set_due(&router->conns, conn, hs_link_now_ms() + LAST_FRAME_MS);
    if (!entry->known)
        hs_zap_set_strangers(router->zap, --router->strangers);
    hs_roster_retire(router->roster, entry);
}

void hs_router_good(struct hs_router *router, hs_peer peer)
{
    struct hs_roster_entry *entry = hs_roster_by_peer(router->roster, peer);
    if (entry == NULL || entry->known)
        return;
    hs_zap_know(router->zap, &entry->key);
    entry->known = true;
    hs_zap_set_strangers(router->zap, --router->strangers);
}

void hs_router_know(struct hs_router *router, const struct hs_key *key)
{
    hs_zap_know(router->zap, key);
}

const char *hs_router_peer_address(struct hs_router *router, hs_peer peer)
{
    const struct hs_roster_entry *entry = hs_roster_by_peer(router->roster, peer);
    struct hs_conn *conn = entry == NULL ? NULL : hs_conns_find(&router->conns, entry->descriptor);
    return conn != NULL && conn->peer == peer ? conn->remote : "";
}
