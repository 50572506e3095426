#include "node/link/link.h"

#include "node/link/dial.h"
#include "node/link/router.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define TURN_EVENTS  64 /* that one source may give before the others are looked at */
#define WAIT_MS_MAX  3600000
#define NOTHING      (-1) /* as a file descriptor */

/* Sources of events, in the order in which they have their turn: whatever the load, the first are looked at again after
 * a few hundred events.  First who wakes us, then of each dialling group its news and its frames, then the same of the
 * listening half. */
#define SOURCE_WAKE    0
#define SOURCES_BEFORE 1
#define SOURCES_MAX    (SOURCES_BEFORE + 2 * HS_LINK_GROUPS_MAX + 2)

struct hs_link {
    struct hs_link_base base;
    struct hs_dial *dials[HS_LINK_GROUPS_MAX];
    size_t dial_count;
    struct hs_router *router; /* NULL: does not listen */
    size_t listen_count;
    int wake_fd;
    bool ready[SOURCES_MAX];
    size_t turn;    /* the source that has it */
    unsigned given; /* in this turn */
};

static const char *const COUNTER_NAMES[] = {
    [HS_LINK_ACCEPTED] = "accepted",
    [HS_LINK_DIALLED] = "dialled",
    [HS_LINK_CONNECTED] = "connected",
    [HS_LINK_DISCONNECTED] = "disconnected",
    [HS_LINK_HANDSHAKE_FAILED] = "handshake-failed",
    [HS_LINK_FRAMES_IN] = "frames-in",
    [HS_LINK_FRAMES_OUT] = "frames-out",
    [HS_LINK_BYTES_IN] = "bytes-in",
    [HS_LINK_BYTES_OUT] = "bytes-out",
    [HS_LINK_SEND_FAILED] = "send-failed",
    [HS_LINK_REFUSED_KEYS] = "refused-keys",
};
_Static_assert(COUNT(COUNTER_NAMES) == HS_LINK_COUNTER_COUNT, "each counter has a name");

const char *hs_link_counter_name(enum hs_link_counter counter)
{
    return COUNTER_NAMES[counter];
}

uint64_t hs_link_count(const struct hs_link *link, enum hs_link_counter counter)
{
    return atomic_load_explicit(&link->base.counts[counter], memory_order_relaxed);
}

uint64_t hs_link_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- life ---- */

static enum hs_err open_base(struct hs_link *link, const struct hs_link_options *options)
{
    if (sodium_init() < 0)
        return HS_EIO;
    link->base.curve_public = options->curve_public;
    link->base.curve_secret = sodium_malloc(HS_KEY_BYTES);
    if (link->base.curve_secret == NULL)
        return HS_ENOMEM;
    memcpy(link->base.curve_secret, options->curve_secret, HS_KEY_BYTES);
    sodium_mprotect_readonly(link->base.curve_secret);
    link->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (link->wake_fd < 0)
        return hs_err_from_errno(errno);
    link->base.context =
        zmq_ctx_new(); /* with one I/O thread: so news and frames of a connection come in their order */
    return link->base.context == NULL ? HS_ENOMEM : HS_OK;
}

static bool has_group(const struct hs_link_options *options, unsigned group)
{
    for (size_t i = 0; i < options->upstream_count; i++) {
        if (options->upstreams[i].group == group)
            return true;
    }
    return false;
}

static enum hs_err open_dials(struct hs_link *link, const struct hs_link_options *options, struct hs_why *why)
{
    enum hs_err err = HS_OK;
    for (unsigned group = 0; group < HS_LINK_GROUPS_MAX && err == HS_OK; group++) {
        if (!has_group(options, group))
            continue;
        err = hs_dial_new(options, group, &link->base, &link->dials[link->dial_count], why);
        link->dial_count += link->dials[link->dial_count] != NULL;
    }
    return err;
}

static enum hs_err open_halves(struct hs_link *link, const struct hs_link_options *options, struct hs_why *why)
{
    if (options->listen_count > HS_ADDRESSES_MAX)
        return hs_fail(HS_EADDRESS, why, "more than %d addresses to listen at", HS_ADDRESSES_MAX);
    if (options->upstream_count > HS_LINK_UPSTREAMS_MAX)
        return hs_fail(HS_EADDRESS, why, "more than %d upstreams", HS_LINK_UPSTREAMS_MAX);
    for (size_t i = 0; i < options->upstream_count; i++) {
        if (options->upstreams[i].group >= HS_LINK_GROUPS_MAX)
            return hs_fail(HS_EADDRESS, why, "more than %d groups of upstreams", HS_LINK_GROUPS_MAX);
    }
    enum hs_err err = open_dials(link, options, why);
    if (err == HS_OK && options->listen_count > 0)
        err = hs_router_new(options, &link->base, &link->router, why);
    link->listen_count = options->listen_count;
    return err;
}

enum hs_err hs_link_new(const struct hs_link_options *options, struct hs_link **link, struct hs_why *why)
{
    struct hs_link *made = calloc(1, sizeof *made);
    if (made == NULL)
        return HS_ENOMEM;
    made->wake_fd = NOTHING;
    enum hs_err err = open_base(made, options);
    if (err == HS_OK)
        err = open_halves(made, options, why);
    if (err == HS_OK)
        *link = made;
    else
        hs_link_free(made);
    return err;
}

static void close_context(struct hs_link *link)
{
    int ended;
    do
        ended = zmq_ctx_term(link->base.context);
    while (ended != 0 && zmq_errno() == EINTR);
}

void hs_link_free(struct hs_link *link)
{
    if (link == NULL)
        return;
    for (size_t i = 0; i < link->dial_count; i++)
        hs_dial_free(link->dials[i]);
    hs_router_close(link->router);
    if (link->base.context != NULL)
        zmq_ctx_shutdown(link->base.context); /* ends the thread that answers for who may connect */
    hs_router_free(link->router);
    if (link->base.context != NULL)
        close_context(link);
    if (link->wake_fd != NOTHING)
        close(link->wake_fd);
    sodium_free(link->base.curve_secret);
    free(link);
}

const char *hs_link_address(const struct hs_link *link, size_t i)
{
    return i < link->listen_count ? hs_router_address(link->router, i) : "";
}

/* ---- events ---- */

static bool give_wake(struct hs_link *link, struct hs_link_event *event)
{
    eventfd_t calls;
    if (eventfd_read(link->wake_fd, &calls) != 0)
        return false;
    event->type = HS_LINK_WOKEN;
    return true;
}

/* Sources of the listening half. */
static size_t router_news(const struct hs_link *link)
{
    return SOURCES_BEFORE + 2 * link->dial_count;
}

static size_t source_count(const struct hs_link *link)
{
    return router_news(link) + (link->router != NULL ? 2 : 0);
}

static bool give_from(struct hs_link *link, size_t source, struct hs_link_event *event)
{
    if (source == SOURCE_WAKE)
        return give_wake(link, event);
    bool is_news = source % 2 == SOURCES_BEFORE % 2;
    if (source >= router_news(link))
        return is_news ? hs_router_news(link->router, event) : hs_router_next(link->router, event);
    struct hs_dial *dial = link->dials[(source - SOURCES_BEFORE) / 2];
    return is_news ? hs_dial_news(dial, event) : hs_dial_next(dial, event);
}

/* The next event of what was ready at the last look; false: it is time for another look. */
static bool give_ready(struct hs_link *link, struct hs_link_event *event)
{
    while (link->turn < source_count(link)) {
        if (link->ready[link->turn] && link->given < TURN_EVENTS && give_from(link, link->turn, event)) {
            link->given++;
            return true;
        }
        link->turn++;
        link->given = 0;
    }
    return false;
}

static bool give_due(struct hs_link *link, uint64_t now_ms, struct hs_link_event *event)
{
    if (link->router != NULL)
        hs_router_tick(link->router, now_ms);
    for (size_t i = 0; i < link->dial_count; i++) {
        if (hs_dial_tick(link->dials[i], now_ms, event))
            return true;
    }
    return false;
}

/* ---- looking for events ---- */

static zmq_pollitem_t item_of(void *socket, int fd)
{
    return (zmq_pollitem_t){.socket = socket, .fd = fd, .events = ZMQ_POLLIN};
}

/* Items that are nothing are polled as a descriptor below zero, which poll passes over; libzmq takes them so too. */
static void fill_items(struct hs_link *link, zmq_pollitem_t items[static SOURCES_MAX])
{
    zmq_pollitem_t *item = items;
    *item++ = item_of(NULL, link->wake_fd);
    for (size_t i = 0; i < link->dial_count; i++) {
        *item++ = item_of(hs_dial_news_socket(link->dials[i]), hs_dial_fd(link->dials[i]));
        *item++ = item_of(hs_dial_socket(link->dials[i]), NOTHING);
    }
    if (link->router != NULL) {
        *item++ = item_of(hs_router_news_socket(link->router), NOTHING);
        *item++ = item_of(hs_router_socket(link->router), NOTHING);
    }
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static long wait_ms(const struct hs_link *link, uint64_t now_ms, uint64_t until_ms)
{
    uint64_t until = until_ms;
    for (size_t i = 0; i < link->dial_count; i++)
        until = earlier(until, hs_dial_pending(link->dials[i]) ? 0 : hs_dial_due_ms(link->dials[i]));
    if (link->router != NULL)
        until = earlier(until, hs_router_pending(link->router) ? 0 : hs_router_due_ms(link->router));
    return until <= now_ms ? 0 : (long)earlier(until - now_ms, WAIT_MS_MAX);
}

static enum hs_err look(struct hs_link *link, uint64_t until_ms)
{
    zmq_pollitem_t items[SOURCES_MAX];
    size_t count = source_count(link);
    fill_items(link, items);
    if (zmq_poll(items, (int)count, wait_ms(link, hs_link_now_ms(), until_ms)) < 0 && zmq_errno() != EINTR)
        return hs_sock_err(zmq_errno());
    for (size_t i = 0; i < count; i++)
        link->ready[i] = items[i].revents != 0;
    for (size_t i = 0; i < link->dial_count; i++)
        link->ready[SOURCES_BEFORE + 2 * i + 1] |= hs_dial_pending(link->dials[i]);
    if (link->router != NULL)
        link->ready[router_news(link) + 1] |= hs_router_pending(link->router);
    link->turn = 0;
    link->given = 0;
    return HS_OK;
}

enum hs_err hs_link_next(struct hs_link *link, uint64_t until_ms, struct hs_link_event *event)
{
    bool late = false; /* the time was up when we last looked */
    *event = (struct hs_link_event){.address = "", .text = ""};
    for (;;) {
        if (give_ready(link, event))
            return HS_OK;
        uint64_t now = hs_link_now_ms();
        if (give_due(link, now, event))
            return HS_OK;
        if (late)
            return HS_ETIMEDOUT;
        late = now >= until_ms;
        enum hs_err err = look(link, until_ms);
        if (err != HS_OK)
            return err;
    }
}

/* ---- what the owner does ---- */

enum hs_err hs_link_send(struct hs_link *link, hs_peer peer, struct hs_bytes frame)
{
    enum hs_err err = HS_EUNREACHABLE;
    if (frame.size > HS_MESSAGE_BYTES_MAX)
        return HS_ETOOBIG;
    for (size_t i = 0; i < link->dial_count && err != HS_OK; i++)
        err = hs_dial_send(link->dials[i], peer, frame);
    if (err != HS_OK && link->router != NULL)
        err = hs_router_send(link->router, peer, frame);
    hs_base_count(&link->base, err == HS_OK ? HS_LINK_FRAMES_OUT : HS_LINK_SEND_FAILED, 1);
    if (err == HS_OK)
        hs_base_count(&link->base, HS_LINK_BYTES_OUT, frame.size);
    return err;
}

void hs_link_drop(struct hs_link *link, hs_peer peer, bool failed)
{
    for (size_t i = 0; i < link->dial_count; i++)
        hs_dial_drop(link->dials[i], peer, failed);
    if (link->router != NULL)
        hs_router_drop(link->router, peer);
}

void hs_link_pause(struct hs_link *link, hs_peer peer, uint32_t ms)
{
    for (size_t i = 0; i < link->dial_count; i++)
        hs_dial_pause(link->dials[i], peer, ms);
    if (link->router != NULL)
        hs_router_drop(link->router, peer);
}

void hs_link_resume(struct hs_link *link, const struct hs_key *curve_key)
{
    for (size_t i = 0; i < link->dial_count; i++)
        hs_dial_resume(link->dials[i], curve_key);
}

void hs_link_good(struct hs_link *link, hs_peer peer)
{
    for (size_t i = 0; i < link->dial_count; i++)
        hs_dial_good(link->dials[i], peer);
    if (link->router != NULL)
        hs_router_good(link->router, peer);
}

const char *hs_link_peer_address(const struct hs_link *link, hs_peer peer)
{
    for (size_t i = 0; i < link->dial_count; i++) {
        const char *address = hs_dial_address(link->dials[i], peer);
        if (address != NULL)
            return address;
    }
    return link->router != NULL ? hs_router_peer_address(link->router, peer) : "";
}

void hs_link_know(struct hs_link *link, const struct hs_key *curve_key)
{
    if (link->router != NULL)
        hs_router_know(link->router, curve_key);
}

void hs_link_wake(struct hs_link *link)
{
    eventfd_write(link->wake_fd, 1);
}
