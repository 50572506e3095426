#include "node/daemon/peers_private.h"

#include "node/log/log.h"
#include "proto/msg/frame.h"
#include "proto/peer.pb-c.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLISH_MS 200

/* ---- the replica's obligations ---- */

static enum hs_err step(struct hs_peers *peers, const struct hs_replica_event *event);

static const enum hs_log_event NOTICE_EVENTS[] = {
    [HS_NOTICE_LIVE] = HS_EV_SESSION_LIVE,
    [HS_NOTICE_REFUSED] = HS_EV_SESSION_REFUSED,
    [HS_NOTICE_ENDED] = HS_EV_SESSION_ENDED,
    [HS_NOTICE_PROBE_DONE] = HS_EV_PROBE_DONE,
    [HS_NOTICE_EQUAL] = HS_EV_DIGESTS_EQUAL,
    [HS_NOTICE_DAMAGE] = HS_EV_DAMAGE,
    [HS_NOTICE_FORK] = HS_EV_FORK,
    [HS_NOTICE_STREAM_STOPPED] = HS_EV_STREAM_STOPPED,
    [HS_NOTICE_NAMED_BEYOND] = HS_EV_NAMED_BEYOND,
    [HS_NOTICE_CLONE] = HS_EV_CLONE,
    [HS_NOTICE_FILLING] = HS_EV_FILLING,
    [HS_NOTICE_FILLED] = HS_EV_FILLED,
    [HS_NOTICE_FILL_FAILED] = HS_EV_FILL_FAILED,
    [HS_NOTICE_REVOKED] = HS_EV_REVOKED,
    [HS_NOTICE_OWN_REVOKED] = HS_EV_OWN_KEY_REVOKED,
    [HS_NOTICE_WAITING] = HS_EV_REVOKED_WAITING,
    [HS_NOTICE_ADMITTING] = HS_EV_ADMITTING,
    [HS_NOTICE_HELD] = HS_EV_PEER_HELD,
    [HS_NOTICE_SET_BACK] = HS_EV_STORE_SET_BACK,
    [HS_NOTICE_STORES_FULL] = HS_EV_STORES_FULL,
    [HS_NOTICE_TWIN] = HS_EV_SESSION_TWIN,
};

static void notice(struct hs_peers *peers, const struct hs_replica_update *update)
{
    const char *address = hs_link_peer_address(peers->link, update->peer);
    const char *text = update->text != NULL ? update->text : "";
    enum hs_log_event event = NOTICE_EVENTS[update->notice];
    bool is_over = update->notice == HS_NOTICE_HELD && update->err == HS_OK;
    HS_LOG_AT(is_over ? HS_LOG_INFO : hs_log_row(event)->level, event, HS_NUMBER("peer", update->peer),
              HS_WORD("address", address[0] != '\0' ? address : NULL), HS_WORD("reason", hs_err_name(update->err)),
              HS_PROSE("text", text));
    if (update->notice == HS_NOTICE_LIVE) {
        hs_link_good(peers->link, update->peer);
        peers_upstream_live(peers, update->peer, text);
        const struct hs_key *key = hs_replica_node_key(peers->replica, update->peer);
        if (key != NULL)
            peers_seen_live(peers, key);
    }
    if (update->notice == HS_NOTICE_PROBE_DONE) {
        peers_publish(peers, true); /* who has waited may ask for the status next */
        peers->options.probed(peers->options.ctx, update->token);
    }
    if (update->notice == HS_NOTICE_REFUSED || update->notice == HS_NOTICE_ENDED)
        peers_refused_ended(peers, update, address);
}

/* What could not be carried out, each to be told to the replica after the list is done. */
struct failures {
    struct hs_replica_event *events; /* room for one an update */
    size_t count;
    bool stores; /* one of them is a store: those behind it are not even tried, so that none overtakes it */
};

static struct hs_replica_event *fail(struct failures *failures, size_t room, enum hs_replica_event_type type,
                                     enum hs_err err)
{
    if (failures->events == NULL)
        failures->events = calloc(room, sizeof *failures->events);
    if (failures->events == NULL)
        return NULL;
    struct hs_replica_event *event = &failures->events[failures->count++];
    *event = (struct hs_replica_event){.type = type, .err = err};
    return event;
}

static enum hs_err carry_store(struct hs_peers *peers, struct hs_replica_store *store, size_t room,
                               struct failures *failures)
{
    enum hs_err err = failures->stores ? HS_EBUSY : peers_store(peers, store);
    if (err == HS_OK)
        return HS_OK;
    struct hs_replica_event *event = fail(failures, room, HS_REPLICA_STORED, err);
    if (event != NULL)
        event->token = store->token;
    failures->stores = true;
    hs_replica_store_free(store);
    return event != NULL ? HS_OK : HS_ENOMEM;
}

/* A frame that is lost ends its session: what comes behind it would not be understood. */
static enum hs_err carry_frame(struct hs_peers *peers, const struct hs_replica_update *update, size_t room,
                               struct failures *failures)
{
    enum hs_err err = hs_link_send(peers->link, update->peer, update->frame);
    if (err == HS_OK)
        return HS_OK;
    HS_LOG(SEND_FAILED, HS_NUMBER("peer", update->peer), HS_WORD("reason", hs_err_name(err)));
    struct hs_replica_event *event = fail(failures, room, HS_REPLICA_PEER_DOWN, err);
    if (event == NULL)
        return HS_ENOMEM;
    event->peer = update->peer;
    peers_upstream_down(peers, update->peer, err, HS_REASON_OVERRUN, "the connection does not take any more");
    peers_upstream_drop(peers, update->peer, err);
    return HS_OK;
}

static enum hs_err carry_out(struct hs_peers *peers, const struct hs_replica_updates *updates,
                             struct failures *failures)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < updates->count && err == HS_OK; i++) {
        const struct hs_replica_update *update = &updates->items[i];
        switch (update->type) {
        case HS_REPLICA_STORE:
            err = carry_store(peers, update->store, updates->count, failures);
            break;
        case HS_REPLICA_SEND:
            err = carry_frame(peers, update, updates->count, failures);
            break;
        case HS_REPLICA_DROP: /* below */
            break;
        case HS_REPLICA_NOTICE:
            notice(peers, update);
            break;
        case HS_REPLICA_ANSWER:
            peers->options.answered(peers->options.ctx, update->token, update->err, update->answer);
            break;
        }
    }
    /* Nothing is sent behind a drop.  They come last: notices tell of connections that are still known. */
    for (size_t i = 0; i < updates->count && err == HS_OK; i++) {
        if (updates->items[i].type == HS_REPLICA_DROP)
            peers_upstream_drop(peers, updates->items[i].peer, updates->items[i].err);
    }
    return err;
}

static enum hs_err step(struct hs_peers *peers, const struct hs_replica_event *event)
{
    struct hs_replica_updates updates = {0};
    struct failures failures = {0};
    enum hs_err err = hs_replica_step(peers->replica, event, &updates);
    if (err != HS_OK)
        return err;
    peers->wake_at_ms = updates.wake_at_ms;
    err = carry_out(peers, &updates, &failures);
    for (size_t i = 0; i < failures.count && err == HS_OK; i++) {
        failures.events[i].now_ms = event->now_ms;
        err = step(peers, &failures.events[i]);
    }
    free(failures.events);
    return err;
}

enum hs_err peers_rate(struct hs_peers *peers, hs_peer peer, uint32_t rate)
{
    struct hs_replica_event event = {
        .type = HS_REPLICA_RATE, .now_ms = hs_link_now_ms(), .peer = peer, .rate_max = rate};
    return step(peers, &event);
}

enum hs_err peers_hold(struct hs_peers *peers, uint32_t lanes)
{
    struct hs_replica_event event = {.type = HS_REPLICA_HOLD, .now_ms = hs_link_now_ms(), .lanes = lanes};
    return step(peers, &event);
}

/* ---- from the link ---- */

static struct waiting *waiting_of(struct hs_peers *peers, hs_peer peer)
{
    for (size_t i = 0; i < peers->waiting_count; i++) {
        if (peers->waiting[i].peer == peer)
            return &peers->waiting[i];
    }
    return NULL;
}

static void forget_waiting(struct hs_peers *peers, struct waiting *waiting)
{
    *waiting = peers->waiting[--peers->waiting_count];
}

static enum hs_err tell_up(struct hs_peers *peers, hs_peer peer, bool outbound, const struct hs_key *key)
{
    struct hs_replica_event event = {
        .type = HS_REPLICA_PEER_UP, .now_ms = hs_link_now_ms(), .peer = peer, .outbound = outbound, .curve_key = *key};
    return step(peers, &event);
}

static enum hs_err link_up(struct hs_peers *peers, const struct hs_link_event *event)
{
    if (event->outbound) {
        peers_upstream_up(peers, event->address, event->peer);
        enum hs_err err = tell_up(peers, event->peer, true, &event->curve_key);
        return err == HS_OK ? peers_upstream_limit(peers, event->peer) : err;
    }
    if (peers->waiting_count == WAITING_MAX) {
        hs_link_drop(peers->link, event->peer, true);
        return HS_OK;
    }
    peers->waiting[peers->waiting_count++] = (struct waiting){event->peer, event->curve_key};
    return HS_OK;
}

static bool is_join(struct hs_bytes data)
{
    struct hs_frame frame;
    return hs_frame_decode(data, &frame) == HS_OK && frame.type == HALLSYNC__PEER_TYPE__PEER_JOIN;
}

static enum hs_err link_frame(struct hs_peers *peers, const struct hs_link_event *event)
{
    struct waiting *waiting = waiting_of(peers, event->peer);
    if (waiting != NULL) {
        struct hs_key key = waiting->curve_key;
        forget_waiting(peers, waiting);
        if (is_join(event->data)) {
            peers_join(peers, event->peer, &key, event->data);
            return HS_OK;
        }
        enum hs_err err = tell_up(peers, event->peer, false, &key);
        if (err != HS_OK)
            return err;
    }
    struct hs_replica_event received = {
        .type = HS_REPLICA_RECEIVED, .now_ms = hs_link_now_ms(), .peer = event->peer, .frame = event->data};
    return step(peers, &received);
}

static enum hs_err link_down(struct hs_peers *peers, const struct hs_link_event *event)
{
    struct waiting *waiting = waiting_of(peers, event->peer);
    if (event->outbound)
        peers_upstream_down(peers, event->peer, event->err, event->reason, event->text);
    if (waiting != NULL) {
        forget_waiting(peers, waiting);
        return HS_OK;
    }
    struct hs_replica_event down = {
        .type = HS_REPLICA_PEER_DOWN, .now_ms = hs_link_now_ms(), .peer = event->peer, .err = event->err};
    return step(peers, &down);
}

static enum hs_err handle_link(struct hs_peers *peers, const struct hs_link_event *event)
{
    switch (event->type) {
    case HS_LINK_UP:
        return link_up(peers, event);
    case HS_LINK_DOWN:
        return link_down(peers, event);
    case HS_LINK_FRAME:
        return link_frame(peers, event);
    case HS_LINK_NOTE:
        HS_LOG(MONITOR, HS_PROSE("text", event->text));
        if (event->outbound && event->err != HS_OK)
            peers_upstream_failed(peers, event);
        else if (event->err == HS_EREFUSED) {
            peers_refused_note(peers, event->reason, NULL, NULL, event->address, event->text);
            peers_knocked(peers, event->address, event->text);
        }
        return HS_OK;
    case HS_LINK_WOKEN:
        return HS_OK;
    }
    return HS_EINTERNAL;
}

/* ---- from other threads ---- */

static enum hs_err handle_note(struct hs_peers *peers, struct note *note)
{
    struct hs_replica_event event = {.now_ms = hs_link_now_ms(), .token = note->token, .err = note->err};
    switch (note->type) {
    case NOTE_STORED:
        peers_close_view(peers); /* what follows must be read from a snapshot that has this commit */
        event.type = HS_REPLICA_STORED;
        event.commit = note->err == HS_OK ? &note->commit : NULL;
        return step(peers, &event);
    case NOTE_PROBE:
        event.type = HS_REPLICA_PROBE;
        return step(peers, &event);
    case NOTE_PROBE_END:
        event.type = HS_REPLICA_PROBE_END;
        return step(peers, &event);
    case NOTE_COMPARE:
        event.type = HS_REPLICA_COMPARE;
        return step(peers, &event);
    case NOTE_ASK:
        event.type = HS_REPLICA_ASK;
        event.ask = note->ask;
        return step(peers, &event);
    case NOTE_ASK_NODE:
        event.type = HS_REPLICA_ASK_NODE;
        event.node_id = (const char *)note->frame.data;
        event.record = HS_BYTES(note->frame.data + note->record_at, note->frame.size - note->record_at);
        return step(peers, &event);
    case NOTE_ASK_END:
        event.type = HS_REPLICA_ASK_END;
        return step(peers, &event);
    case NOTE_ROT:
        event.type = HS_REPLICA_ROT;
        event.rot = note->rot;
        return step(peers, &event);
    case NOTE_JOINED: /* the answer goes out, then the connection is closed: it takes a stranger's place */
        if (note->verdict != HS_OK)
            peers_refused_note(peers, HS_REASON_JOIN, &note->key, note->node_id[0] != '\0' ? note->node_id : NULL,
                               hs_link_peer_address(peers->link, note->peer), hs_err_text(note->verdict));
        if (note->err == HS_OK)
            hs_link_send(peers->link, note->peer, hs_buf_bytes(&note->frame));
        hs_link_drop(peers->link, note->peer, true);
        return HS_OK;
    }
    return HS_EINTERNAL;
}

static enum hs_err handle_notes(struct hs_peers *peers)
{
    enum hs_err err = HS_OK;
    struct note *note = peers_notes_take(peers);
    while (note != NULL) {
        struct note *next = note->next;
        if (err == HS_OK)
            err = handle_note(peers, note);
        peers_note_free(note);
        note = next;
    }
    return err;
}

/* ---- the thread ---- */

static enum hs_err take_turn(struct hs_peers *peers, unsigned wait_ms)
{
    struct hs_link_event event;
    uint64_t now = hs_link_now_ms();
    uint64_t until = now + wait_ms < peers->wake_at_ms ? now + wait_ms : peers->wake_at_ms;
    enum hs_err err = hs_link_next(peers->link, until, &event);
    if (err == HS_OK)
        err = handle_link(peers, &event);
    else if (err == HS_ETIMEDOUT)
        err = HS_OK;
    if (err == HS_OK)
        err = handle_notes(peers);
    if (err == HS_OK && hs_link_now_ms() >= peers->wake_at_ms) {
        struct hs_replica_event tick = {.type = HS_REPLICA_TICK, .now_ms = hs_link_now_ms()};
        err = step(peers, &tick);
    }
    if (err == HS_OK)
        err = peers_upstreams_watch(peers, hs_link_now_ms());
    if (err == HS_OK)
        err = peers_room_watch(peers, hs_link_now_ms());
    if (until > now || wait_ms == 0)
        peers_close_view(peers);
    peers_publish(peers, false);
    return err;
}

static void fail_all(struct hs_peers *peers, enum hs_err err)
{
    HS_LOG(PEERS_FAILED, HS_WORD("reason", hs_err_name(err)));
    peers->options.fatal(peers->options.ctx, err);
}

uint64_t hs_peers_turn(struct hs_peers *peers)
{
    enum hs_err err = take_turn(peers, 0);
    if (err != HS_OK)
        fail_all(peers, err);
    return err == HS_OK ? peers->wake_at_ms : UINT64_MAX;
}

static bool is_stopping(struct hs_peers *peers)
{
    pthread_mutex_lock(&peers->lock);
    bool stopping = peers->stopping;
    pthread_mutex_unlock(&peers->lock);
    return stopping;
}

static void *run(void *arg)
{
    struct hs_peers *peers = arg;
    enum hs_err err = HS_OK;
    while (err == HS_OK && !is_stopping(peers))
        err = take_turn(peers, PUBLISH_MS);
    peers_close_view(peers);
    if (err != HS_OK)
        fail_all(peers, err);
    return NULL;
}

/* ---- making and ending ---- */

static enum hs_err open_link(struct hs_peers *peers, struct hs_why *why)
{
    const struct hs_conf *conf = peers->options.conf;
    struct hs_link_upstream upstreams[HS_LINK_UPSTREAMS_MAX];
    size_t upstream_count;
    enum hs_err err = peers_upstreams_open(peers, upstreams, &upstream_count, why);
    if (err != HS_OK)
        return err;
    struct hs_link_options options = {
        .listen = (const char *const *)conf->listen.peers,
        .listen_count = conf->listen.peers_count,
        .upstreams = upstreams,
        .upstream_count = upstream_count,
        .curve_public = peers->options.keys->curve_key,
        .curve_secret = peers->options.keys->curve_secret,
        .backoff_max_ms = conf->link.backoff_max_ms,
    };
    return hs_link_new(&options, &peers->link, why);
}

/* By our own clock: a new machine begins in 1970, and is told the time then.  0: it is over. */
static uint64_t rebuilding_until(const struct hs_peers *peers)
{
    uint64_t now_ms = hs_now_ms(), until_ms = hs_store_doubt_ms(peers->options.store) + HS_REBUILDING_MS;
    return until_ms > now_ms ? hs_link_now_ms() + (until_ms - now_ms) : 0;
}

static enum hs_err open_replica(struct hs_peers *peers)
{
    struct hs_replica_options options = {
        .certificate = hs_store_certificate_bytes(peers->options.store),
        .root_key = peers->options.keys->root_key,
        .store_id = hs_store_id(peers->options.store),
        .credit_bytes = peers->options.conf->limits.credit_kib * 1024,
        .heartbeat_ms = peers->options.conf->link.heartbeat_ms,
        .software = "hallsync " HS_VERSION,
        .districts = peers->options.conf->districts,
        .district_count = peers->options.conf->district_count,
        .rebuilding_until_ms = rebuilding_until(peers),
        .in_doubt = hs_store_in_doubt(peers->options.store),
        .admit_after_ms = peers->options.conf->link.admit_after_ms,
    };
    randombytes_buf(options.process_id, sizeof options.process_id);
    struct hs_replica_source source = peers_source(peers);
    enum hs_err err = hs_replica_new(&options, &source, &peers->replica);
    peers_close_view(peers);
    return err;
}

static enum hs_err know_one(void *ctx, struct hs_bytes key, struct hs_bytes value)
{
    struct hs_peers *peers = ctx;
    struct hs_certificate certificate;
    (void)key;
    if (hs_certificate_verify(value, &peers->options.keys->root_key, &certificate) != HS_OK)
        return HS_OK;
    hs_link_know(peers->link, &certificate.curve_key);
    peers_upstream_meet(peers, &certificate);
    return HS_OK;
}

/* After a restart a thousand halls come back at once: whoever is certified here is no stranger. */
static enum hs_err know_certified(struct hs_peers *peers)
{
    struct hs_view *view;
    enum hs_err err = hs_view_open(peers->options.store, 0, 0, &view);
    if (err != HS_OK)
        return err;
    err = hs_view_certificates(view, know_one, peers);
    hs_view_close(view);
    return err;
}

enum hs_err hs_peers_new(const struct hs_peers_options *options, struct hs_peers **out, struct hs_why *why)
{
    struct hs_peers *peers = calloc(1, sizeof *peers);
    if (peers == NULL)
        return HS_ENOMEM;
    peers->options = *options;
    peers->notes_end = &peers->notes;
    for (size_t lane = 0; lane < HS_LANE_COUNT; lane++)
        peers->ways[lane].bounds = &HS_BOUNDS_WAY;
    peers_room_open(peers);
    pthread_mutex_init(&peers->lock, NULL);
    pthread_mutex_init(&peers->notes_lock, NULL);
    enum hs_err err = open_link(peers, why);
    if (err == HS_OK)
        err = know_certified(peers);
    if (err == HS_OK) {
        err = open_replica(peers);
        if (err != HS_OK)
            hs_fail(err, why, "cannot read what the log of %s holds: %s", options->conf->node.data, hs_err_text(err));
    }
    if (err != HS_OK) {
        hs_peers_free(peers);
        return err;
    }
    peers_publish(peers, true);
    *out = peers;
    return HS_OK;
}

enum hs_err hs_peers_start(struct hs_peers *peers)
{
    enum hs_err err = hs_thread_start(&peers->thread, "peers", run, peers);
    peers->running = err == HS_OK;
    return err;
}

void hs_peers_stop(struct hs_peers *peers)
{
    if (peers == NULL || !peers->running)
        return;
    pthread_mutex_lock(&peers->lock);
    peers->stopping = true;
    pthread_mutex_unlock(&peers->lock);
    hs_link_wake(peers->link);
    pthread_join(peers->thread, NULL);
    peers->running = false;
}

void hs_peers_free(struct hs_peers *peers)
{
    if (peers == NULL)
        return;
    for (struct note *note = peers_notes_take(peers), *next; note != NULL; note = next) {
        next = note->next;
        peers_note_free(note);
    }
    hs_replica_free(peers->replica);
    if (peers->link != NULL)
        hs_link_free(peers->link);
    hs_buf_fini(&peers->status);
    free(peers->seen);
    free(peers->paced);
    pthread_mutex_destroy(&peers->lock);
    pthread_mutex_destroy(&peers->notes_lock);
    free(peers);
}

/* ---- called by other threads ---- */

void hs_peers_committed(struct hs_peers *peers, const struct hs_commit *commit)
{
    struct note *note = peers_note_new(NOTE_STORED);
    if (note == NULL || peers_note_commit(note, commit) != HS_OK) {
        peers_note_free(note);
        peers->options.fatal(peers->options.ctx, HS_ENOMEM); /* the replica would never hear of these ops */
        return;
    }
    peers_note_post(peers, note);
}

static void post_token(struct hs_peers *peers, enum note_type type, uint64_t token)
{
    struct note *note = peers_note_new(type);
    if (note == NULL)
        return; /* the one who waits gets a time-out */
    note->token = token;
    peers_note_post(peers, note);
}

void hs_peers_probe(struct hs_peers *peers, uint64_t token)
{
    post_token(peers, NOTE_PROBE, token);
}

uint64_t hs_peers_compare(struct hs_peers *peers)
{
    pthread_mutex_lock(&peers->lock);
    uint64_t number = ++peers->compares;
    pthread_mutex_unlock(&peers->lock);
    post_token(peers, NOTE_COMPARE, number);
    return number;
}

void hs_peers_probe_end(struct hs_peers *peers, uint64_t token)
{
    post_token(peers, NOTE_PROBE_END, token);
}

void hs_peers_rotten(struct hs_peers *peers, const struct hs_rotten *rotten)
{
    struct note *note = peers_note_new(NOTE_ROT);
    if (note == NULL)
        return; /* it will be found again */
    note->rot.stream = rotten->stream;
    note->rot.first = rotten->store_id != 0 ? 0 : rotten->first;
    note->rot.last = rotten->store_id != 0 ? 0 : rotten->last;
    note->rot.store_id = rotten->store_id;
    peers_note_post(peers, note);
}

const char *hs_peers_address(const struct hs_peers *peers, size_t i)
{
    return i < peers->options.conf->listen.peers_count ? hs_link_address(peers->link, i) : NULL;
}
