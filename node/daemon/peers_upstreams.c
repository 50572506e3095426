/* The nodes that this one dials: what is known of each, what is wrong with it, and how much it may be sent. */
#include "node/daemon/peers_private.h"

#include "node/log/log.h"
#include "proto/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WATCH_MS    1000
#define DAY_MINUTES (24 * 60)
#define STEADY_MS   5000  /* a failure after a session that lasted so long is news */
#define TWIN_MS     60000 /* the other session's end is noticed before; this is for when it is not */

_Static_assert(HS_CONF_UPSTREAMS_MAX <= HS_LINK_UPSTREAMS_MAX && HS_CONF_GROUPS_MAX <= HS_LINK_GROUPS_MAX,
               "what may be configured can be dialled");

/* ---- which one ---- */

static struct upstream *upstream_at(struct hs_peers *peers, const char *address)
{
    for (size_t i = 0; i < peers->upstream_count; i++) {
        if (strcmp(peers->upstreams[i].conf->address, address) == 0)
            return &peers->upstreams[i];
    }
    return NULL;
}

struct upstream *peers_upstream_of(struct hs_peers *peers, hs_peer peer)
{
    for (size_t i = 0; peer != 0 && i < peers->upstream_count; i++) {
        if (peers->upstreams[i].peer == peer)
            return &peers->upstreams[i];
    }
    return NULL;
}

/* ---- what becomes of it ---- */

/* What fails all night fails once in the log, and a line that fails now so, now so, once for each. */
static bool was_told(struct upstream *upstream, const char *text)
{
    for (size_t i = 0; i < TOLD_MAX && i < upstream->told_count; i++) {
        if (strcmp(upstream->told[i], text) == 0)
            return true;
    }
    snprintf(upstream->told[upstream->told_count++ % TOLD_MAX], HS_WHY_BYTES, "%s", text);
    return false;
}

static void set_phase(struct hs_peers *peers, struct upstream *upstream, enum upstream_phase phase, enum hs_err err,
                      enum hs_reason reason, const char *text)
{
    bool same = upstream->phase == phase && upstream->err == err && strcmp(upstream->text, text) == 0;
    bool failure = phase == UPSTREAM_DOWN || phase == UPSTREAM_REFUSED || phase == UPSTREAM_OWN;
    if (upstream->phase != phase || upstream->since_ms == 0)
        upstream->since_ms = hs_link_now_ms();
    upstream->phase = phase;
    upstream->err = err;
    upstream->reason = reason;
    snprintf(upstream->text, sizeof upstream->text, "%s", text);
    peers->published_ms = 0;
    if (same || !failure || was_told(upstream, upstream->text))
        return;
    HS_LOG_AT(phase == UPSTREAM_OWN ? HS_LOG_ERROR : HS_LOG_WARN, HS_EV_UPSTREAM_FAILED,
              HS_WORD("address", upstream->conf->address), HS_WORD("group", upstream->conf->group),
              HS_WORD("reason", hs_err_name(err)), HS_PROSE("text", text));
}

void peers_upstream_up(struct hs_peers *peers, const char *address, hs_peer peer)
{
    struct upstream *upstream = upstream_at(peers, address);
    if (upstream == NULL)
        return;
    upstream->peer = peer;
    upstream->rate = 0;
    peers->published_ms = 0;
}

/* It could not be connected to: a wrong key looks from here like somebody who hangs up. */
void peers_upstream_failed(struct hs_peers *peers, const struct hs_link_event *event)
{
    char why[HS_WHY_BYTES + 64];
    struct upstream *upstream = upstream_at(peers, event->address);
    if (upstream == NULL)
        return;
    snprintf(why, sizeof why, "%s%s", event->text, event->err == HS_EREFUSED ? " (see its key in upstreams)" : "");
    set_phase(peers, upstream, UPSTREAM_DOWN, event->err, event->reason, why);
    upstream->peer = 0;
}

/* That the line is down must not cover why the session before was refused. */
void peers_upstream_down(struct hs_peers *peers, hs_peer peer, enum hs_err err, enum hs_reason reason, const char *text)
{
    struct upstream *upstream = peers_upstream_of(peers, peer);
    if (upstream == NULL)
        return;
    if (upstream->phase != UPSTREAM_REFUSED)
        set_phase(peers, upstream, UPSTREAM_DOWN, err, reason, text);
    upstream->peer = 0;
    peers->published_ms = 0;
}

void peers_upstream_live(struct hs_peers *peers, hs_peer peer, const char *node_id)
{
    struct upstream *upstream = peers_upstream_of(peers, peer);
    if (upstream == NULL)
        return;
    snprintf(upstream->node_id, sizeof upstream->node_id, "%s", node_id);
    set_phase(peers, upstream, UPSTREAM_LIVE, HS_OK, HS_REASON_NONE, "");
}

void peers_upstream_ended(struct hs_peers *peers, const struct hs_replica_update *update)
{
    struct upstream *upstream = peers_upstream_of(peers, update->peer);
    bool refused = update->notice == HS_NOTICE_REFUSED;
    if (upstream != NULL && upstream->phase != UPSTREAM_TWIN)
        set_phase(peers, upstream, refused ? UPSTREAM_REFUSED : UPSTREAM_DOWN, update->err, update->reason,
                  update->text != NULL ? update->text : "");
}

/* The link hears of the end of a session from us: the twin of another one waits until that is gone. */
void peers_upstream_drop(struct hs_peers *peers, hs_peer peer, enum hs_err err)
{
    struct upstream *upstream = peers_upstream_of(peers, peer);
    if (upstream != NULL && err == HS_EEXISTS) {
        hs_link_pause(peers->link, peer, TWIN_MS);
        set_phase(peers, upstream, UPSTREAM_TWIN, err, HS_REASON_TWIN,
                  "it has dialled this node, and that session stays");
    } else {
        hs_link_drop(peers->link, peer, true);
    }
    if (upstream != NULL)
        upstream->peer = 0;
    peers->published_ms = 0;
}

/* ---- what is told of them ---- */

/* That there was no line is over, now that there is one; what was wrong with the session may be wrong with the next. */
static bool is_of_session(enum hs_reason reason)
{
    switch (reason) {
    case HS_REASON_NONE:
    case HS_REASON_UNREACHABLE:
    case HS_REASON_NO_ANSWER:
    case HS_REASON_NO_HOST:
    case HS_REASON_CLOSED:
    case HS_REASON_OVERRUN:
    case HS_REASON_NO_MEANS:
    case HS_REASON_REPLACED:
        return false;
    default:
        return true;
    }
}

void peers_upstream_tell(const struct upstream *upstream, bool live, Hallsync__PeerStatus *to)
{
    to->group = upstream->conf->group;
    to->limited_hours = upstream->conf->limited_hours[0] != '\0' ? upstream->conf->limited_hours : NULL;
    if (live || !is_of_session(upstream->reason))
        return;
    to->reason = (char *)hs_reason_text(upstream->reason);
    to->why = upstream->text[0] != '\0' ? (char *)upstream->text : NULL;
    to->has_since_ms = true;
    to->since_ms = peers_wall_ms(upstream->since_ms);
}

/* ---- watching over them ---- */

static enum hs_err tell_limit(struct hs_peers *peers, struct upstream *upstream)
{
    uint64_t minutes = hs_now_ms() / 60000 + DAY_MINUTES + (uint64_t)(int64_t)peers->options.conf->utc_offset_minutes;
    uint32_t rate = hs_conf_rate(upstream->conf, (unsigned)(minutes % DAY_MINUTES));
    if (upstream->peer == 0 || upstream->rate == rate)
        return HS_OK;
    upstream->rate = rate;
    return peers_rate(peers, upstream->peer, rate);
}

enum hs_err peers_upstream_limit(struct hs_peers *peers, hs_peer peer)
{
    struct upstream *upstream = peers_upstream_of(peers, peer);
    return upstream == NULL ? HS_OK : tell_limit(peers, upstream);
}

/* A group serves one purpose: with hubs and witnesses in it, now there would be no hub and now no witness. */
static void check_group(struct hs_peers *peers, struct upstream *upstream)
{
    for (size_t i = 0; i < peers->upstream_count; i++) {
        const struct upstream *other = &peers->upstreams[i];
        if (upstream->mixed || other->role == 0 || other->role == upstream->role ||
            other->conf->group_number != upstream->conf->group_number)
            continue;
        upstream->mixed = true;
        HS_LOG(MIXED_GROUP, HS_WORD("group", upstream->conf->group), HS_WORD("address", upstream->conf->address),
               HS_WORD("role", hs_role_text(upstream->role)), HS_WORD("other_address", other->conf->address),
               HS_WORD("other_role", hs_role_text(other->role)),
               HS_PROSE("text", "put the witness into a group of its own"));
    }
}

void peers_upstream_meet(struct hs_peers *peers, const struct hs_certificate *certificate)
{
    for (size_t i = 0; i < peers->upstream_count; i++) {
        struct upstream *upstream = &peers->upstreams[i];
        if (!hs_key_equal(&upstream->key, &certificate->curve_key) || upstream->role == certificate->role)
            continue;
        upstream->role = certificate->role;
        snprintf(upstream->node_id, sizeof upstream->node_id, "%s", certificate->node_id);
        check_group(peers, upstream);
    }
}

/* The session for whose sake an upstream waits is gone. */
static bool is_met(const struct hs_key *key, const struct hs_peer_status *shown, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (shown[i].live && hs_key_equal(&shown[i].certificate.curve_key, key))
            return true;
    }
    return false;
}

void peers_upstreams_seen(struct hs_peers *peers, const struct hs_peer_status *shown, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct upstream *upstream = shown[i].live ? peers_upstream_of(peers, shown[i].peer) : NULL;
        if (upstream == NULL)
            continue;
        peers_upstream_meet(peers, &shown[i].certificate);
        if (hs_link_now_ms() >= shown[i].live_since_ms + STEADY_MS) /* else the other end may just be about to refuse */
            upstream->told_count = 0;
    }
    for (size_t i = 0; i < peers->upstream_count; i++) {
        struct upstream *upstream = &peers->upstreams[i];
        if (upstream->phase != UPSTREAM_TWIN || upstream->peer != 0 || is_met(&upstream->key, shown, count))
            continue;
        hs_link_resume(peers->link, &upstream->key);
        set_phase(peers, upstream, UPSTREAM_DOWN, HS_EUNREACHABLE, HS_REASON_CLOSED,
                  "the session that it had dialled has ended");
    }
}

enum hs_err peers_upstreams_watch(struct hs_peers *peers, uint64_t now_ms)
{
    enum hs_err err = HS_OK;
    if (now_ms < peers->watched_ms + WATCH_MS)
        return HS_OK;
    peers->watched_ms = now_ms;
    for (size_t i = 0; i < peers->upstream_count && err == HS_OK; i++)
        err = tell_limit(peers, &peers->upstreams[i]);
    return err;
}

/* ---- at the start ---- */

static enum hs_err read_upstream(struct upstream *upstream, const struct hs_conf_upstream *conf, struct hs_why *why)
{
    *upstream = (struct upstream){.conf = conf};
    if (hs_link_check_address(conf->address, why) != HS_OK)
        return hs_wrap(HS_ECONFIG, why, "upstreams");
    if (hs_text_from_hex(conf->key, strlen(conf->key), upstream->key.bytes, HS_KEY_BYTES) != HS_OK)
        return hs_fail(HS_ECONFIG, why, "upstreams: the key of %s is not 64 hex digits", conf->address);
    return HS_OK;
}

enum hs_err peers_upstreams_open(struct hs_peers *peers, struct hs_link_upstream to[static HS_LINK_UPSTREAMS_MAX],
                                 size_t *count, struct hs_why *why)
{
    const struct hs_conf *conf = peers->options.conf;
    *count = 0;
    for (unsigned i = 0; i < conf->upstreams_count; i++) {
        struct upstream *upstream = &peers->upstreams[i];
        enum hs_err err = read_upstream(upstream, &conf->upstreams[i], why);
        if (err != HS_OK)
            return err;
        peers->upstream_count++;
        if (hs_key_equal(&upstream->key, &peers->options.keys->curve_key)) {
            set_phase(peers, upstream, UPSTREAM_OWN, HS_EREFUSED, HS_REASON_ITSELF,
                      "its key is this node's own: a node cannot be its own upstream");
            continue;
        }
        struct hs_link_upstream *link = &to[(*count)++];
        *link = (struct hs_link_upstream){.curve_key = upstream->key, .group = conf->upstreams[i].group_number};
        snprintf(link->address, sizeof link->address, "%s", conf->upstreams[i].address);
    }
    return HS_OK;
}

/* ---- those who knock in vain ---- */

/* Who has our address and looks for another key there, or is no node at all: told once, then by the minute. */
void peers_knocked(struct hs_peers *peers, const char *address, const char *text)
{
    const char *port = strrchr(address, ':');
    size_t size = port != NULL ? (size_t)(port - address) : strlen(address);
    uint64_t now = hs_link_now_ms();
    struct knocker *knocker = &peers->knockers[0];
    for (size_t i = 0; i < KNOCKERS_MAX; i++) {
        struct knocker *at = &peers->knockers[i];
        bool same = strncmp(at->host, address, size) == 0 && at->host[size] == '\0';
        if (same || at->told_ms < knocker->told_ms)
            knocker = at;
        if (same)
            break;
    }
    if (strncmp(knocker->host, address, size) != 0 || knocker->host[size] != '\0') {
        *knocker = (struct knocker){0};
        snprintf(knocker->host, sizeof knocker->host, "%.*s", (int)size, address);
    }
    knocker->count++;
    if (knocker->told_ms != 0 && now < knocker->told_ms + KNOCK_MS)
        return;
    knocker->told_ms = now;
    HS_LOG(HANDSHAKE_FAILED, HS_WORD("address", address), HS_NUMBER("times", knocker->count), HS_PROSE("text", text));
}
