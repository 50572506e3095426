#include "node/link/dial.h"

#include "node/link/address.h"
#include "node/link/backoff.h"
#include "node/link/monitor.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array)   (sizeof(array) / sizeof *(array))
#define SLOT           0xffff /* low bits of the numbers of dialled peers: this less the group */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 30000
#define CONNECT_MS     3000
#define STEADY_MS      10000
#define LINGER_MS      50 /* for what was sent just before a drop */
#define SKIP_MAX       64 /* messages passed over in one call */

#define EVENTS                                                                                         \
    (ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | \
     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)

/*  WAITING --due--> LOOKING_UP (names only) --answer--> CONNECTING --handshake--> UP
 *     ^                 | no answer                        | no, or not in time    | drop, or the connection ended
 *     +-----------------+----------------------------------+-----------------------+  */
enum dial_state { DIAL_WAITING, DIAL_LOOKING_UP, DIAL_CONNECTING, DIAL_UP };

struct upstream {
    char text[HS_ADDRESS_BYTES_MAX + 1];
    struct hs_address address;
    struct hs_key key;
};

struct hs_dial {
    struct hs_link_base *base;
    unsigned group;
    struct upstream upstreams[HS_LINK_UPSTREAMS_MAX];
    size_t count;
    size_t at;      /* the one dialled */
    unsigned round; /* times that all were tried: a name with several addresses gives the next one */
    uint32_t connect_ms;
    struct hs_backoff backoff;

    enum dial_state state;
    uint64_t due_ms; /* when the state ends by itself; UINT64_MAX: never */
    struct hs_lookup *lookup;
    void *socket;
    void *news;
    hs_peer peer;     /* of the connection that is up */
    uint64_t good_ms; /* since when there is a session; 0: there is none */
    bool ending;      /* the connection is gone, what it sent is still read */
    bool paused;      /* waiting, and hs_link_resume may end that */
    zmq_msg_t frame;
    char text[HS_WHY_BYTES];
};

/* ---- life ---- */

static enum hs_err add_upstream(struct hs_dial *dial, const struct hs_link_upstream *from, struct hs_why *why)
{
    struct upstream *upstream = &dial->upstreams[dial->count];
    enum hs_err err = hs_address_parse(from->address, &upstream->address, why);
    if (err != HS_OK)
        return err;
    if (upstream->address.form == HS_HOST_ANY || upstream->address.port == 0)
        return hs_fail(HS_EADDRESS, why, "'%s' names no host and port to connect to", from->address);
    snprintf(upstream->text, sizeof upstream->text, "%s", from->address);
    upstream->key = from->curve_key;
    dial->count++;
    return HS_OK;
}

enum hs_err hs_dial_new(const struct hs_link_options *options, unsigned group, struct hs_link_base *base,
                        struct hs_dial **dial, struct hs_why *why)
{
    struct hs_dial *made = calloc(1, sizeof *made);
    if (made == NULL)
        return HS_ENOMEM;
    enum hs_err err = HS_OK;
    made->base = base;
    made->group = group;
    zmq_msg_init(&made->frame);
    hs_backoff_init(&made->backoff, options->backoff_min_ms == 0 ? BACKOFF_MIN_MS : options->backoff_min_ms,
                    options->backoff_max_ms == 0 ? BACKOFF_MAX_MS : options->backoff_max_ms);
    made->connect_ms = options->connect_ms == 0 ? CONNECT_MS : options->connect_ms;
    for (size_t i = 0; i < options->upstream_count && err == HS_OK; i++) {
        if (options->upstreams[i].group == group)
            err = add_upstream(made, &options->upstreams[i], why);
    }
    *dial = made; /* also on failure: the caller frees it */
    return err;
}

/* Null-safe in each part. */
static void hang_up(struct hs_dial *dial)
{
    hs_lookup_free(dial->lookup);
    dial->lookup = NULL;
    hs_monitor_close(dial->socket, &dial->news);
    hs_sock_close(&dial->socket);
    dial->peer = 0;
    dial->good_ms = 0;
    dial->ending = false;
}

void hs_dial_free(struct hs_dial *dial)
{
    if (dial == NULL)
        return;
    hang_up(dial);
    zmq_msg_close(&dial->frame);
    free(dial);
}

/* ---- what is waited for ---- */

void *hs_dial_socket(struct hs_dial *dial)
{
    return dial->state == DIAL_UP ? dial->socket : NULL;
}

void *hs_dial_news_socket(struct hs_dial *dial)
{
    return dial->news;
}

int hs_dial_fd(const struct hs_dial *dial)
{
    return dial->lookup == NULL ? -1 : hs_lookup_fd(dial->lookup);
}

bool hs_dial_pending(const struct hs_dial *dial)
{
    return dial->ending;
}

uint64_t hs_dial_due_ms(const struct hs_dial *dial)
{
    return dial->due_ms;
}

/* ---- dialling, and dialling again ---- */

static const struct upstream *current(const struct hs_dial *dial)
{
    return &dial->upstreams[dial->at];
}

/* Hang up and wait.  After a failure the next address has its turn; once all had theirs, the waits grow.  They begin
 * anew after a session that lasted: one that fails each time for the same reason must not be had ten times a second. */
static void redial(struct hs_dial *dial, bool failed)
{
    uint32_t wait_ms;
    if (dial->good_ms != 0 && hs_link_now_ms() - dial->good_ms >= STEADY_MS)
        hs_backoff_reset(&dial->backoff);
    hang_up(dial);
    if (failed)
        dial->at = (dial->at + 1) % dial->count;
    if (failed && dial->at == 0) {
        dial->round++;
        wait_ms = hs_backoff_next(&dial->backoff);
    } else {
        wait_ms = hs_backoff_least(&dial->backoff);
    }
    dial->state = DIAL_WAITING;
    dial->due_ms = hs_link_now_ms() + wait_ms;
}

static void give_note(struct hs_dial *dial, enum hs_err err, const char *text, struct hs_link_event *event)
{
    snprintf(dial->text, sizeof dial->text, "%s: %s", current(dial)->text, text);
    event->type = HS_LINK_NOTE;
    event->outbound = true;
    event->address = current(dial)->text;
    event->err = err;
    event->text = dial->text;
}

static bool give_failure(struct hs_dial *dial, enum hs_err err, enum hs_reason reason, const char *text,
                         struct hs_link_event *event)
{
    give_note(dial, err, text, event);
    event->reason = reason;
    redial(dial, true);
    return true;
}

static enum hs_err set_curve(struct hs_dial *dial)
{
    const struct hs_link_base *base = dial->base;
    enum hs_err err = hs_sock_set(dial->socket, ZMQ_CURVE_SERVERKEY, current(dial)->key.bytes, HS_KEY_BYTES);
    if (err == HS_OK)
        err = hs_sock_set(dial->socket, ZMQ_CURVE_PUBLICKEY, base->curve_public.bytes, HS_KEY_BYTES);
    if (err == HS_OK)
        err = hs_sock_set(dial->socket, ZMQ_CURVE_SECRETKEY, base->curve_secret, HS_KEY_BYTES);
    return err;
}

static enum hs_err open_socket(struct hs_dial *dial)
{
    const struct hs_sock_option options[] = {
        {ZMQ_LINGER, LINGER_MS},
        {ZMQ_IMMEDIATE, 1},
        {ZMQ_RECONNECT_IVL, -1},
        {ZMQ_CONNECT_TIMEOUT, (int)dial->connect_ms},
        {ZMQ_HANDSHAKE_IVL, (int)dial->connect_ms},
    };
    enum hs_err err;
    dial->socket = hs_sock_new(dial->base->context, ZMQ_DEALER, options, COUNT(options), &err);
    if (dial->socket == NULL)
        return err;
    err = set_curve(dial);
    return err == HS_OK ? hs_monitor_open(dial->base, dial->socket, EVENTS, &dial->news) : err;
}

/* @host is numeric and in brackets if it is an IPv6 address: libzmq has nothing to look up. */
static bool connect_to(struct hs_dial *dial, const char *host, struct hs_link_event *event)
{
    char endpoint[HS_ADDRESS_BYTES_MAX + 16];
    snprintf(endpoint, sizeof endpoint, "tcp://%s:%u", host, current(dial)->address.port);
    enum hs_err err = open_socket(dial);
    if (err == HS_OK && zmq_connect(dial->socket, endpoint) != 0)
        err = hs_sock_err(zmq_errno());
    if (err != HS_OK)
        return give_failure(dial, err, HS_REASON_NO_MEANS, hs_err_text(err), event);
    dial->state = DIAL_CONNECTING;
    return false;
}

static bool start(struct hs_dial *dial, uint64_t now_ms, struct hs_link_event *event)
{
    const struct hs_address *address = &current(dial)->address;
    char host[HS_ADDRESS_BYTES_MAX + 3];
    dial->paused = false;
    hs_base_count(dial->base, HS_LINK_DIALLED, 1);
    dial->due_ms = now_ms + dial->connect_ms;
    if (address->form == HS_HOST_NAME) {
        dial->state = DIAL_LOOKING_UP;
        enum hs_err err = hs_lookup_start(address->host, &dial->lookup);
        return err != HS_OK && give_failure(dial, err, HS_REASON_NO_MEANS, hs_err_text(err), event);
    }
    snprintf(host, sizeof host, address->form == HS_HOST_V6 ? "[%s]" : "%s", address->host);
    return connect_to(dial, host, event);
}

static bool looked_up(struct hs_dial *dial, struct hs_link_event *event)
{
    struct hs_lookup_answer answer;
    if (!hs_lookup_take(dial->lookup, &answer))
        return false;
    hs_lookup_free(dial->lookup);
    dial->lookup = NULL;
    if (answer.count == 0)
        return give_failure(dial, HS_EUNREACHABLE, HS_REASON_NO_HOST,
                            answer.error == 0 ? "no address" : gai_strerror(answer.error), event);
    return connect_to(dial, answer.hosts[dial->round % answer.count], event);
}

bool hs_dial_tick(struct hs_dial *dial, uint64_t now_ms, struct hs_link_event *event)
{
    if (now_ms < dial->due_ms)
        return false;
    if (dial->state == DIAL_WAITING)
        return start(dial, now_ms, event);
    if (dial->state == DIAL_LOOKING_UP)
        return give_failure(dial, HS_ETIMEDOUT, HS_REASON_NO_HOST, "the name server does not answer", event);
    return give_failure(dial, HS_ETIMEDOUT, HS_REASON_NO_ANSWER, "no answer", event);
}

/* ---- news of the connection ---- */

static void give_up_event(struct hs_dial *dial, struct hs_link_event *event)
{
    dial->state = DIAL_UP;
    dial->due_ms = UINT64_MAX;
    dial->peer = hs_base_number(dial->base, (uint16_t)(SLOT - dial->group));
    hs_sock_refresh(dial->socket); /* else it may not know yet of the connection that we know of */
    event->type = HS_LINK_UP;
    event->peer = dial->peer;
    event->outbound = true;
    event->curve_key = current(dial)->key;
    event->address = current(dial)->text;
}

/* Not to be told if it belongs to an end that is told in its turn. */
static bool has_ended(struct hs_dial *dial, const struct hs_monitor_news *news, struct hs_link_event *event)
{
    if (hs_monitor_is_handshake_failure(news->event))
        hs_base_count(dial->base, HS_LINK_HANDSHAKE_FAILED, 1);
    if (news->event == ZMQ_EVENT_DISCONNECTED)
        hs_base_count(dial->base, HS_LINK_DISCONNECTED, 1);
    if (dial->state == DIAL_UP) {
        dial->ending = true;
        return false;
    }
    enum hs_err err = news->event == ZMQ_EVENT_CLOSED ? HS_EUNREACHABLE : HS_EREFUSED;
    return give_failure(dial, err, hs_monitor_code(news), hs_monitor_reason(news), event);
}

bool hs_dial_news(struct hs_dial *dial, struct hs_link_event *event)
{
    struct hs_monitor_news news;
    if (dial->lookup != NULL)
        return looked_up(dial, event);
    bool told = false;
    while (!told && dial->news != NULL && hs_monitor_next(dial->news, &news)) {
        told = true;
        if (news.event == ZMQ_EVENT_CONNECTED) {
            hs_base_count(dial->base, HS_LINK_CONNECTED, 1);
            give_note(dial, HS_OK, hs_monitor_name(news.event), event);
        } else if (news.event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            give_up_event(dial, event);
        } else {
            told = has_ended(dial, &news, event);
        }
    }
    return told;
}

/* ---- frames ---- */

static bool give_down(struct hs_dial *dial, struct hs_link_event *event)
{
    snprintf(dial->text, sizeof dial->text, "%s: the other end closed the connection", current(dial)->text);
    event->type = HS_LINK_DOWN;
    event->peer = dial->peer;
    event->outbound = true;
    event->address = current(dial)->text;
    event->curve_key = current(dial)->key;
    event->err = HS_EUNREACHABLE;
    event->reason = HS_REASON_CLOSED;
    event->text = dial->text;
    redial(dial, dial->good_ms == 0);
    return true;
}

static void give_frame(struct hs_dial *dial, struct hs_link_event *event)
{
    event->type = HS_LINK_FRAME;
    event->peer = dial->peer;
    event->outbound = true;
    event->curve_key = current(dial)->key;
    event->data = HS_BYTES(zmq_msg_data(&dial->frame), zmq_msg_size(&dial->frame));
    hs_base_count(dial->base, HS_LINK_FRAMES_IN, 1);
    hs_base_count(dial->base, HS_LINK_BYTES_IN, event->data.size);
}

bool hs_dial_next(struct hs_dial *dial, struct hs_link_event *event)
{
    for (int i = 0; i < SKIP_MAX && dial->state == DIAL_UP; i++) {
        if (!hs_sock_receive(dial->socket, &dial->frame))
            return dial->ending && give_down(dial, event);
        bool more = zmq_msg_more(&dial->frame) != 0;
        if (more)
            hs_sock_skip(dial->socket);
        if (!more && zmq_msg_size(&dial->frame) <= HS_MESSAGE_BYTES_MAX) {
            give_frame(dial, event);
            return true;
        }
    }
    return false;
}

static bool send_once(struct hs_dial *dial, struct hs_bytes frame)
{
    int sent;
    do
        sent = zmq_send(dial->socket, frame.data, frame.size, ZMQ_DONTWAIT);
    while (sent < 0 && zmq_errno() == EINTR);
    return sent >= 0;
}

enum hs_err hs_dial_send(struct hs_dial *dial, hs_peer peer, struct hs_bytes frame)
{
    if (peer == 0 || peer != dial->peer || dial->ending)
        return HS_EUNREACHABLE;
    bool sent = send_once(dial, frame);
    if (!sent) { /* a full queue may have emptied: libzmq does not look each time */
        hs_sock_refresh(dial->socket);
        sent = send_once(dial, frame);
    }
    return sent ? HS_OK : HS_EUNREACHABLE;
}

void hs_dial_drop(struct hs_dial *dial, hs_peer peer, bool failed)
{
    if (peer != 0 && peer == dial->peer)
        redial(dial, failed);
}

void hs_dial_good(struct hs_dial *dial, hs_peer peer)
{
    if (peer == 0 || peer != dial->peer)
        return;
    dial->good_ms = hs_link_now_ms();
}

void hs_dial_pause(struct hs_dial *dial, hs_peer peer, uint32_t ms)
{
    if (peer == 0 || peer != dial->peer)
        return;
    redial(dial, false);
    dial->paused = true;
    dial->due_ms = hs_link_now_ms() + ms;
}

void hs_dial_resume(struct hs_dial *dial, const struct hs_key *key)
{
    if (!dial->paused || !hs_key_equal(&current(dial)->key, key))
        return;
    dial->paused = false;
    dial->due_ms = hs_link_now_ms() + hs_backoff_least(&dial->backoff);
}

const char *hs_dial_address(const struct hs_dial *dial, hs_peer peer)
{
    return peer != 0 && peer == dial->peer ? current(dial)->text : NULL;
}
