/* The table of sessions: begun, found, ended. */
#include "node/replica/core.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WHY_BYTES 240

/* ---- the table ---- */

static size_t place_of(const struct hs_replica *r, hs_peer peer)
{
    size_t low = 0, high = r->session_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->sessions[middle]->peer < peer)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct rep_session *hs_rep_session_find(struct hs_replica *r, hs_peer peer)
{
    size_t at = place_of(r, peer);
    struct rep_session *s = at < r->session_count ? r->sessions[at] : NULL;
    return s != NULL && s->peer == peer && s->state != REP_ENDED ? s : NULL;
}

static bool table_insert(struct hs_replica *r, struct rep_session *s)
{
    if (r->session_count == r->session_room) {
        size_t room = r->session_room == 0 ? 16 : r->session_room * 2;
        struct rep_session **sessions = realloc(r->sessions, room * sizeof(struct rep_session *));
        if (sessions == NULL)
            return false;
        r->sessions = sessions;
        r->session_room = room;
    }
    size_t at = place_of(r, s->peer);
    memmove(r->sessions + at + 1, r->sessions + at, (r->session_count - at) * sizeof(struct rep_session *));
    r->sessions[at] = s;
    r->session_count++;
    return true;
}

static void session_free(struct rep_session *s)
{
    if (s == NULL)
        return;
    hs_rep_lags_fini(s);
    hs_rep_exchange_fini(s);
    hs_rep_looses_fini(s);
    hs_rep_wanted_fini(s);
    hs_rep_inquiries_fini(s);
    hs_rep_compare_fini(s);
    free(s->differs);
    hs_rep_supplies_fini(s);
    hs_rep_pairs_fini(&s->peer_fills);
    hs_rep_pairs_fini(&s->peer_lacks);
    hs_rep_pairs_fini(&s->told_fills);
    hs_rep_pairs_fini(&s->pruned_there);
    hs_rep_pairs_fini(&s->said_pruned);
    hs_buf_fini(&s->certificate_bytes);
    hs_buf_fini(&s->acks);
    free(s);
}

/* ---- beginning ---- */

/* What all peers together have in flight to the store stays bounded, however many they are. */
static uint64_t first_credit(const struct hs_replica *r)
{
    uint64_t share = REP_UNSTORED_BYTES / (r->session_count + 1);
    uint64_t credit = share < r->options.credit_bytes ? share : r->options.credit_bytes;
    return credit > HS_CREDIT_BYTES_MIN ? credit : HS_CREDIT_BYTES_MIN;
}

static struct rep_session *session_new(struct hs_replica *r, const struct hs_replica_event *event)
{
    struct rep_session *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->r = r;
    s->peer = event->peer;
    s->outbound = event->outbound;
    s->curve_key = event->curve_key;
    s->state = REP_GREETED;
    s->up_ms = s->heard_ms = r->now_ms;
    s->in.first = first_credit(r);
    hs_rep_heartbeat_next(s);
    for (size_t lane = 0; lane < HS_LANE_COUNT; lane++)
        TAILQ_INIT(&s->turns[lane]);
    hs_rep_exchange_init(s);
    hs_rep_inquiries_init(s);
    return s;
}

/* Strangers get at most REP_HALF_OPEN_MAX places; a new one pushes out who has been silent longest, so that a flood of
 * them cannot keep out a certified node, which shows its certificate at once. */
static void make_room(struct hs_replica *r)
{
    struct rep_session *oldest = NULL;
    size_t half_open = 0;
    for (size_t i = 0; i < r->session_count; i++) {
        struct rep_session *s = r->sessions[i];
        if (s->state != REP_GREETED || s->outbound)
            continue;
        half_open++;
        if (oldest == NULL || s->up_ms < oldest->up_ms)
            oldest = s;
    }
    if (half_open >= REP_HALF_OPEN_MAX)
        hs_rep_session_end(oldest, HS_EBUSY, "too many connections that say nothing");
}

void hs_rep_session_up(struct hs_replica *r, const struct hs_replica_event *event)
{
    if (!event->outbound)
        make_room(r);
    struct rep_session *s = r->session_count < REP_SESSIONS_MAX ? session_new(r, event) : NULL;
    if (r->session_count >= REP_SESSIONS_MAX) {
        struct hs_replica_update *update = hs_rep_update(r, HS_REPLICA_DROP);
        if (update != NULL)
            update->peer = event->peer;
        size_t before = r->update_count;
        hs_rep_notice(r, HS_NOTICE_ENDED, event->peer, HS_EBUSY, "too many sessions");
        if (r->update_count > before)
            r->updates[before].reason = HS_REASON_BUSY;
        return;
    }
    if (s == NULL || !table_insert(r, s)) {
        session_free(s);
        hs_rep_fail(r, HS_ENOMEM);
        return;
    }
    hs_rep_wake(r, s->beat_ms);
    hs_rep_hello_send(s);
}

/* ---- ending ---- */

static void leave_node(struct rep_session *s)
{
    for (struct rep_session **at = &s->node->sessions; *at != NULL; at = &(*at)->of_node) {
        if (*at == s) {
            *at = s->of_node;
            return;
        }
    }
}

static void leave_live(struct rep_session *s)
{
    hs_rep_view_end(s);
    leave_node(s);
}

static void finish(struct rep_session *s)
{
    if (s->state == REP_LIVE) {
        hs_rep_beyond_left(s);
        leave_live(s);
    }
    if (s->dirty)
        TAILQ_REMOVE(&s->r->dirty, s, work);
    s->dirty = false;
    s->state = REP_ENDED;
    s->r->ended = true;
    hs_rep_fills_left(s);
    hs_rep_probes_left(s);
    hs_rep_asks_left(s);
    hs_rep_rots_left(s);
}

static void tell_end(struct rep_session *s, enum hs_replica_notice notice, enum hs_err err, const char *text)
{
    struct hs_replica *r = s->r;
    enum hs_reason reason = notice == HS_NOTICE_REFUSED ? hs_reason_refused(err) : hs_reason_ended(err);
    size_t before = r->update_count;
    hs_rep_notice(r, notice, s->peer, err, text);
    if (r->update_count == before)
        return;
    struct hs_replica_update *update = &r->updates[before];
    update->reason = s->reason != HS_REASON_NONE ? s->reason : reason;
    update->curve_key = s->curve_key;
    update->node_id = s->is_proven ? hs_rep_text(r, "%s", s->certificate.node_id) : NULL;
}

void hs_rep_session_end(struct rep_session *s, enum hs_err err, const char *format, ...)
{
    if (s->state == REP_ENDED)
        return;
    char why[WHY_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    struct hs_replica *r = s->r;
    finish(s);
    struct hs_replica_update *update = hs_rep_update(r, HS_REPLICA_DROP);
    if (update != NULL)
        update->peer = s->peer;
    tell_end(s, HS_NOTICE_ENDED, err, hs_rep_text(r, "%s", why));
}

/* No failure: both ends know which of the two stays. */
void hs_rep_session_twin(struct rep_session *s, const struct rep_session *stays)
{
    struct hs_replica *r = s->r;
    finish(s);
    struct hs_replica_update *update = hs_rep_update(r, HS_REPLICA_DROP);
    if (update != NULL) {
        update->peer = s->peer;
        update->err = HS_EEXISTS;
    }
    size_t before = r->update_count;
    hs_rep_notice(
        r, HS_NOTICE_TWIN, s->peer, HS_EEXISTS,
        hs_rep_text(r, "%s and this node have dialled each other: one session stays", stays->certificate.node_id));
    if (r->update_count > before)
        r->updates[before].token = stays->peer;
}

/* PROTOCOL.md, "Session": who refuses says why, and hangs up. */
void hs_rep_session_refuse(struct rep_session *s, enum hs_err err, const char *text)
{
    Hallsync__PeerRefuse refuse = HALLSYNC__PEER_REFUSE__INIT;
    refuse.error = (char *)hs_err_name(err);
    refuse.text = (char *)text;
    hs_rep_send(s, HALLSYNC__PEER_TYPE__PEER_REFUSE, &refuse.base);
    hs_rep_session_refused(s, err, text);
}

void hs_rep_session_refused(struct rep_session *s, enum hs_err err, const char *text)
{
    struct hs_replica *r = s->r;
    finish(s);
    struct hs_replica_update *update = hs_rep_update(r, HS_REPLICA_DROP);
    if (update != NULL)
        update->peer = s->peer;
    tell_end(s, HS_NOTICE_REFUSED, err, hs_rep_text(r, "%s", text));
}

void hs_rep_session_down(struct hs_replica *r, const struct hs_replica_event *event)
{
    struct rep_session *s = hs_rep_session_find(r, event->peer);
    if (s == NULL)
        return;
    finish(s);
    tell_end(s, HS_NOTICE_ENDED, HS_EUNREACHABLE, "the connection is gone");
}

void hs_rep_sessions_sweep(struct hs_replica *r)
{
    if (!r->ended)
        return;
    size_t kept = 0;
    for (size_t i = 0; i < r->session_count; i++) {
        if (r->sessions[i]->state == REP_ENDED)
            session_free(r->sessions[i]);
        else
            r->sessions[kept++] = r->sessions[i];
    }
    r->session_count = kept;
    r->ended = false;
}

void hs_rep_sessions_fini(struct hs_replica *r)
{
    for (size_t i = 0; i < r->session_count; i++)
        session_free(r->sessions[i]);
    free(r->sessions);
}

/* ---- work to do ---- */

void hs_rep_session_dirty(struct rep_session *s)
{
    if (s->dirty || s->state != REP_LIVE)
        return;
    TAILQ_INSERT_TAIL(&s->r->dirty, s, work);
    s->dirty = true;
}
