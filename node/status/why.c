#include "node/status/why.h"

#include "proto/base/standing.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define LATE_S   5     /* what has waited so long is worth a look */
#define MANY_OPS 1000  /* or so much */
#define CLOCK_MS 60000 /* beyond what the way there and back may hide */

/* ---- the table ---- */

static const struct hs_cause_row CAUSES[] = {
#define X(id, name, sort, en, zh, next_en, next_zh, command) \
    [HS_CAUSE_##id] = {name, HS_CAUSE_##sort, en, zh, next_en, next_zh, command},
    HS_CAUSES(X)
#undef X
};

static const struct hs_evidence_row EVIDENCE[] = {
#define X(id, name, en, zh) [HS_EVIDENCE_##id] = {name, en, zh},
    HS_EVIDENCE(X)
#undef X
};

/* Of each reason for which there is no session. */
static const enum hs_cause_id CAUSE_OF[] = {[HS_REASON_NONE] = HS_CAUSE_LINK_DOWN,
#define X(id, name, cause) [HS_REASON_##id] = HS_CAUSE_##cause,
                                            HS_REASONS(X)
#undef X
};

const struct hs_cause_row *hs_cause_row(enum hs_cause_id id)
{
    assert(id < HS_CAUSE_COUNT);
    return &CAUSES[id];
}

const struct hs_evidence_row *hs_evidence_row(enum hs_evidence_id id)
{
    assert(id < HS_EVIDENCE_COUNT);
    return &EVIDENCE[id];
}

/* ---- what is known ---- */

struct known {
    const Hallsync__StatusReply *status;
    const Hallsync__PeerStatus *peer;
    enum hs_peer_standing standing;
    enum hs_reason reason;                  /* why there is no session */
    const Hallsync__RefusedStatus *refused; /* the newest time that it was not let in, if that is why */
};

static const Hallsync__RefusedStatus *find_refused(const Hallsync__StatusReply *status,
                                                   const Hallsync__PeerStatus *peer)
{
    const Hallsync__RefusedStatus *found = NULL;
    for (size_t i = 0; i < status->n_refused; i++) {
        const Hallsync__RefusedStatus *row = status->refused[i];
        bool its = row->node_id != NULL && strcmp(row->node_id, peer->node_id) == 0;
        if (its && row->last_ms + LATE_S * 1000 >= peer->seen_ms && (found == NULL || row->last_ms > found->last_ms))
            found = row;
    }
    return found;
}

static struct known know(const Hallsync__StatusReply *status, const Hallsync__PeerStatus *peer)
{
    struct known known = {.status = status, .peer = peer, .standing = hs_standing_by_name(peer->state)};
    known.reason = hs_reason_by_name(peer->reason);
    if (known.standing == HS_STANDING_AWAY || known.standing == HS_STANDING_HELLO)
        known.refused = find_refused(status, peer);
    if (known.reason == HS_REASON_NONE && known.refused != NULL)
        known.reason = hs_reason_by_name(known.refused->why);
    return known;
}

static bool is_live(const struct known *known)
{
    return known->standing == HS_STANDING_LIVE;
}

/* No session, for this cause. */
static bool is_reason(const struct known *known, enum hs_cause_id cause)
{
    switch (known->standing) {
    case HS_STANDING_DOWN:
    case HS_STANDING_REFUSED:
        return CAUSE_OF[known->reason] == cause;
    case HS_STANDING_CONNECTING:
    case HS_STANDING_HELLO:
    case HS_STANDING_AWAY:
        return known->reason != HS_REASON_NONE && CAUSE_OF[known->reason] == cause;
    default:
        return false;
    }
}

static bool is_late(const struct known *known)
{
    const Hallsync__PeerStatus *peer = known->peer;
    return is_live(known) && ((peer->lag_out_ops > 0 && peer->lag_out_seconds >= LATE_S) ||
                              (peer->lag_in_ops > 0 && peer->lag_in_seconds >= LATE_S) ||
                              peer->lag_out_ops >= MANY_OPS || peer->lag_in_ops >= MANY_OPS);
}

static bool is_held_lane(const char *lane)
{
    return strcmp(lane, "people") == 0 || strcmp(lane, "bulk") == 0;
}

/* A hub may bring what is to come as states, also while it is not asked: nobody had room for it, or had it. */
static bool awaits_states(const struct known *known, bool held)
{
    const Hallsync__StatusReply *status = known->status;
    bool awaits = false;
    for (size_t i = 0; i < status->n_fills; i++)
        awaits = awaits || !held || is_held_lane(status->fills[i]->lane);
    return awaits && strcmp(known->peer->role, "hub") == 0;
}

static bool is_transfer(const struct known *known)
{
    bool moves = known->peer->filling > 0 || known->peer->supplying > 0;
    return is_live(known) && (moves || awaits_states(known, false));
}

/* Of what waits for room on a disk. */
static bool waits_for_room(const struct known *known, bool out)
{
    const Hallsync__PeerStatus *peer = known->peer;
    for (size_t i = 0; i < peer->n_lanes; i++) {
        const Hallsync__LaneStatus *lane = peer->lanes[i];
        if (is_held_lane(lane->lane) && (out ? lane->out_ops : lane->in_ops) > 0)
            return true;
    }
    return out ? peer->supplying > 0 : peer->filling > 0 || awaits_states(known, true);
}

static bool is_tight(const char *disk_level)
{
    return disk_level != NULL && strcmp(disk_level, "plenty") != 0;
}

static bool is_map(const Hallsync__StatusReply *status)
{
    return status->has_map_free_bytes && status->map_free_bytes < status->disk_free_bytes;
}

static bool is_full_here(const struct known *known)
{
    return is_tight(known->status->disk_level) && is_live(known) && waits_for_room(known, false);
}

/* ---- the rules ---- */

static bool is_own(const struct known *known)
{
    return is_reason(known, HS_CAUSE_OWN);
}

static bool is_refused_key(const struct known *known)
{
    bool own = known->status->revoked != NULL && known->peer->group != NULL;
    return own || is_reason(known, HS_CAUSE_REFUSED_KEY);
}

static bool is_refused_version(const struct known *known)
{
    return is_reason(known, HS_CAUSE_REFUSED_VERSION);
}

static bool is_certificate(const struct known *known)
{
    return is_reason(known, HS_CAUSE_CERTIFICATE);
}

static bool is_scope(const struct known *known)
{
    return is_reason(known, HS_CAUSE_SCOPE);
}

/* Of the node alone: hs_why_node. */
static bool is_no_upstream(const struct known *known)
{
    (void)known;
    return false;
}

static bool is_protocol(const struct known *known)
{
    return is_reason(known, HS_CAUSE_PROTOCOL);
}

static const Hallsync__StoppedStatus *find_stopped(const struct known *known)
{
    for (size_t i = 0; i < known->status->n_stopped; i++) {
        if (strcmp(known->status->stopped[i]->from, known->peer->node_id) == 0)
            return known->status->stopped[i];
    }
    return NULL;
}

/* Of a revoked key: the peer has them. */
static const Hallsync__WithheldStatus *find_withheld(const struct known *known)
{
    for (size_t i = 0; i < known->status->n_withheld; i++) {
        const char *holder = known->status->withheld[i]->holder;
        if (holder != NULL && strcmp(holder, known->peer->node_id) == 0)
            return known->status->withheld[i];
    }
    return NULL;
}

static bool is_stopped(const struct known *known)
{
    return is_live(known) && (find_stopped(known) != NULL || find_withheld(known) != NULL);
}

static bool is_fork(const struct known *known)
{
    return is_live(known) && known->peer->disputed > 0;
}

static bool is_damage(const struct known *known)
{
    return is_live(known) && known->peer->comparison != NULL && strcmp(known->peer->comparison, "damage") == 0;
}

static bool is_rotten(const struct known *known)
{
    return is_reason(known, HS_CAUSE_ROTTEN) || (is_late(known) && known->status->rotten > 0);
}

static bool is_map_full(const struct known *known)
{
    return is_full_here(known) && is_map(known->status);
}

static bool is_disk(const struct known *known)
{
    bool there = is_live(known) && (known->peer->held || is_tight(known->peer->disk_level));
    return is_reason(known, HS_CAUSE_DISK) || is_full_here(known) || (there && waits_for_room(known, true));
}

static bool is_not_admitting(const struct known *known)
{
    return is_reason(known, HS_CAUSE_NOT_ADMITTING);
}

static bool is_link_down(const struct known *known)
{
    return is_reason(known, HS_CAUSE_LINK_DOWN) && known->standing != HS_STANDING_AWAY;
}

/* Also where its line was lost: from here the two are the same. */
static bool is_away(const struct known *known)
{
    return known->standing == HS_STANDING_AWAY &&
           (known->reason == HS_REASON_NONE || CAUSE_OF[known->reason] == HS_CAUSE_LINK_DOWN);
}

/* A hall's own, that it has handed in and no hub has signed for. */
static uint64_t unsigned_seconds(const struct known *known)
{
    const Hallsync__StatusReply *status = known->status;
    uint64_t seconds = 0;
    bool waits = known->peer->unsigned_ops > 0 && strcmp(status->role, "hall") == 0 &&
                 strcmp(known->peer->role, "hub") == 0 && known->peer->lag_out_ops == 0;
    for (size_t i = 0; waits && i < status->n_waiting; i++)
        seconds = status->waiting[i]->out_seconds > seconds ? status->waiting[i]->out_seconds : seconds;
    return seconds;
}

static bool waits_for(const struct known *known, const char *what)
{
    return known->peer->waits_for != NULL && strcmp(known->peer->waits_for, what) == 0;
}

static bool is_hub_busy(const struct known *known)
{
    bool late = is_late(known) || is_transfer(known);
    return is_reason(known, HS_CAUSE_HUB_BUSY) || (late && waits_for(known, "credit")) ||
           (is_live(known) && unsigned_seconds(known) >= LATE_S);
}

static bool is_clock(const struct known *known)
{
    int64_t offset = known->peer->clock_offset_ms;
    uint64_t by = offset < 0 ? (uint64_t)0 - (uint64_t)offset : (uint64_t)offset;
    return is_live(known) && by > CLOCK_MS + known->peer->round_trip_ms;
}

static bool is_not_joined(const struct known *known)
{
    return known->standing == HS_STANDING_ENROLLED || known->standing == HS_STANDING_EXPIRED ||
           is_reason(known, HS_CAUSE_NOT_JOINED);
}

/* It stays on record; what is told here is that something is still coming. */
static bool is_older_copy(const struct known *known)
{
    bool comes = known->peer->lag_in_ops > 0 || known->peer->filling > 0;
    return known->status->older_copy != NULL && comes && (is_late(known) || is_transfer(known));
}

static bool is_rebuilding(const struct known *known)
{
    bool lacks = known->peer->lag_in_ops > 0 || known->peer->filling > 0;
    bool behind = lacks && (is_late(known) || is_transfer(known));
    return is_live(known) && ((known->status->rebuild != NULL && behind) || known->peer->being_filled > 0);
}

static bool is_limited(const struct known *known)
{
    return (is_late(known) || is_transfer(known)) && (known->peer->has_rate_max || waits_for(known, "limit"));
}

static bool is_backlog(const struct known *known)
{
    return is_late(known);
}

static bool is_connecting(const struct known *known)
{
    bool connects = known->standing == HS_STANDING_CONNECTING || known->standing == HS_STANDING_HELLO;
    return connects && known->reason == HS_REASON_NONE;
}

static bool is_standby(const struct known *known)
{
    return known->standing == HS_STANDING_STANDBY;
}

static bool is_twin(const struct known *known)
{
    return known->standing == HS_STANDING_TWIN || is_reason(known, HS_CAUSE_TWIN);
}

static bool is_not_behind(const struct known *known)
{
    return is_live(known);
}

static bool (*const RULES[])(const struct known *known) = {
    [HS_CAUSE_OWN] = is_own,
    [HS_CAUSE_REFUSED_KEY] = is_refused_key,
    [HS_CAUSE_REFUSED_VERSION] = is_refused_version,
    [HS_CAUSE_CERTIFICATE] = is_certificate,
    [HS_CAUSE_SCOPE] = is_scope,
    [HS_CAUSE_NO_UPSTREAM] = is_no_upstream,
    [HS_CAUSE_PROTOCOL] = is_protocol,
    [HS_CAUSE_STOPPED] = is_stopped,
    [HS_CAUSE_FORK] = is_fork,
    [HS_CAUSE_DAMAGE] = is_damage,
    [HS_CAUSE_ROTTEN] = is_rotten,
    [HS_CAUSE_MAP_FULL] = is_map_full,
    [HS_CAUSE_DISK] = is_disk,
    [HS_CAUSE_NOT_ADMITTING] = is_not_admitting,
    [HS_CAUSE_LINK_DOWN] = is_link_down,
    [HS_CAUSE_AWAY] = is_away,
    [HS_CAUSE_HUB_BUSY] = is_hub_busy,
    [HS_CAUSE_CLOCK] = is_clock,
    [HS_CAUSE_NOT_JOINED] = is_not_joined,
    [HS_CAUSE_OLDER_COPY] = is_older_copy,
    [HS_CAUSE_REBUILDING] = is_rebuilding,
    [HS_CAUSE_LIMITED] = is_limited,
    [HS_CAUSE_TRANSFER] = is_transfer,
    [HS_CAUSE_BACKLOG] = is_backlog,
    [HS_CAUSE_CONNECTING] = is_connecting,
    [HS_CAUSE_STANDBY] = is_standby,
    [HS_CAUSE_TWIN] = is_twin,
    [HS_CAUSE_NOT_BEHIND] = is_not_behind,
};
_Static_assert(sizeof RULES / sizeof *RULES == HS_CAUSE_COUNT, "each cause has its rule");

/* A state of a later version, which no rule knows, is none that is well. */
static enum hs_cause_id decide(const struct known *known)
{
    size_t i = 0;
    while (i < HS_CAUSE_COUNT && !RULES[i](known))
        i++;
    return i < HS_CAUSE_COUNT ? (enum hs_cause_id)i : HS_CAUSE_LINK_DOWN;
}

/* ---- what shows it ---- */

static void add(struct hs_cause *to, enum hs_evidence_id id, int64_t a, int64_t b, int64_t c, const char *text)
{
    if (to->evidence_count < HS_EVIDENCE_MAX)
        to->evidence[to->evidence_count++] = (struct hs_evidence){id, {a, b, c}, text};
}

static int64_t seconds_since(const Hallsync__StatusReply *status, uint64_t ms)
{
    return status->clock_ms > ms ? (int64_t)((status->clock_ms - ms) / 1000) : 0;
}

static int64_t percent(uint64_t part, uint64_t whole)
{
    return part < whole ? (int64_t)(part * 100 / whole) : 99;
}

/* Why there is no session, as far as somebody knows. */
static void tell_refused(const struct known *known, struct hs_cause *to)
{
    const Hallsync__RefusedStatus *refused = known->refused;
    add(to, HS_EVIDENCE_KNOCKED, (int64_t)refused->count, (int64_t)refused->last_ms, 0,
        refused->text != NULL ? refused->text : refused->why);
    if (refused->key != NULL)
        add(to, HS_EVIDENCE_KEY, 0, 0, 0, refused->key);
    if (refused->address != NULL)
        add(to, HS_EVIDENCE_ADDRESS, 0, 0, 0, refused->address);
}

/* Who knocks and looks for another key here may be the one that is away: nobody knows who it is. */
static void tell_strangers(const struct known *known, struct hs_cause *to)
{
    for (size_t i = 0; i < known->status->n_refused; i++) {
        const Hallsync__RefusedStatus *row = known->status->refused[i];
        if (row->node_id == NULL && row->address != NULL && hs_reason_by_name(row->why) == HS_REASON_WRONG_KEY)
            add(to, HS_EVIDENCE_STRANGER, (int64_t)row->count, (int64_t)row->last_ms, 0, row->address);
    }
}

/* What it had when it was heard last. */
static void tell_announced(const struct known *known, struct hs_cause *to)
{
    for (size_t i = 0; i < known->status->n_announced; i++) {
        const Hallsync__AnnouncedStatus *row = known->status->announced[i];
        if (strcmp(row->node_id, known->peer->node_id) == 0)
            add(to, HS_EVIDENCE_ANNOUNCED, (int64_t)row->operations, (int64_t)row->money, 0, NULL);
    }
}

/* Its row has when that was, or when it was seen last. */
static void tell_revoked(const Hallsync__PeerStatus *peer, struct hs_cause *to)
{
    if (peer->has_since_ms && peer->since_ms != peer->seen_ms)
        add(to, HS_EVIDENCE_REVOKED, (int64_t)peer->since_ms, 0, 0, NULL);
    if (peer->why != NULL)
        add(to, HS_EVIDENCE_WORDS, 0, 0, 0, peer->why);
}

static void tell_line(const struct known *known, struct hs_cause *to)
{
    const Hallsync__PeerStatus *peer = known->peer;
    if (peer->has_since_ms)
        add(to, HS_EVIDENCE_SINCE, (int64_t)peer->since_ms, seconds_since(known->status, peer->since_ms), 0, NULL);
    if (peer->why != NULL)
        add(to, HS_EVIDENCE_ERROR, 0, 0, 0, peer->why);
}

static void tell_not_live(const struct known *known, struct hs_cause *to)
{
    const Hallsync__StatusReply *status = known->status;
    const Hallsync__PeerStatus *peer = known->peer;
    if (status->revoked != NULL && to->id == HS_CAUSE_REFUSED_KEY)
        add(to, HS_EVIDENCE_OWN_REVOKED, 0, 0, 0, status->revoked);
    if (known->standing == HS_STANDING_AWAY && known->reason == HS_REASON_REVOKED)
        tell_revoked(peer, to);
    else if (known->standing != HS_STANDING_AWAY)
        tell_line(known, to);
    if (known->refused != NULL)
        tell_refused(known, to);
    if (known->standing == HS_STANDING_AWAY && peer->has_seen_ms)
        add(to, HS_EVIDENCE_SEEN, (int64_t)peer->seen_ms, seconds_since(status, peer->seen_ms), 0, NULL);
    else if (known->standing == HS_STANDING_AWAY)
        add(to, HS_EVIDENCE_NOT_SEEN, 0, 0, 0, NULL);
    if (known->standing == HS_STANDING_AWAY)
        tell_announced(known, to);
    if (to->id == HS_CAUSE_AWAY)
        tell_strangers(known, to);
    if (to->id == HS_CAUSE_REFUSED_VERSION)
        add(to, HS_EVIDENCE_VERSION, 0, 0, 0, status->version);
    if (peer->address != NULL)
        add(to, HS_EVIDENCE_ADDRESS, 0, 0, 0, peer->address);
    if (peer->group != NULL)
        add(to, HS_EVIDENCE_GROUP, 0, 0, 0, peer->group);
}

static void tell_disk(const struct known *known, struct hs_cause *to)
{
    const Hallsync__StatusReply *status = known->status;
    if (is_full_here(known) && is_map(status))
        add(to, HS_EVIDENCE_MAP_HERE, (int64_t)status->map_free_bytes, 0, 0, status->disk_level);
    else if (is_full_here(known))
        add(to, HS_EVIDENCE_DISK_HERE, (int64_t)status->disk_free_bytes, 0, 0, status->disk_level);
    bool there = known->peer->held || is_tight(known->peer->disk_level);
    if (there)
        add(to, HS_EVIDENCE_DISK_THERE, 0, 0, 0, NULL);
    if (there && known->peer->has_disk_free_bytes)
        add(to, HS_EVIDENCE_FREE_THERE, (int64_t)known->peer->disk_free_bytes, 0, 0, NULL);
}

static void tell_fills(const Hallsync__StatusReply *status, struct hs_cause *to)
{
    uint64_t records = 0, total = 0;
    for (size_t i = 0; i < status->n_fills; i++) {
        records += status->fills[i]->records;
        total += status->fills[i]->total;
    }
    if (total > 0)
        add(to, HS_EVIDENCE_STATES_IN, (int64_t)records, (int64_t)total, percent(records, total), NULL);
}

static void tell_transfer(const struct known *known, struct hs_cause *to)
{
    const Hallsync__PeerStatus *peer = known->peer;
    if (peer->filling > 0 || awaits_states(known, false))
        tell_fills(known->status, to);
    if (peer->supplying > 0 && peer->supplied_total > 0)
        add(to, HS_EVIDENCE_STATES_OUT, (int64_t)peer->supplied_records, (int64_t)peer->supplied_total,
            percent(peer->supplied_records, peer->supplied_total), NULL);
}

static void tell_limit(const Hallsync__PeerStatus *peer, struct hs_cause *to)
{
    if (peer->has_rate_max)
        add(to, HS_EVIDENCE_RATE, (int64_t)peer->rate_max, 0, 0, NULL);
    if (peer->limited_hours != NULL)
        add(to, HS_EVIDENCE_HOURS, 0, 0, 0, peer->limited_hours);
}

static void tell_stopped(const struct known *known, struct hs_cause *to)
{
    const Hallsync__StoppedStatus *stopped = find_stopped(known);
    const Hallsync__WithheldStatus *withheld = find_withheld(known);
    if (stopped != NULL) {
        add(to, HS_EVIDENCE_STOPPED, (int64_t)stopped->behind, (int64_t)stopped->last, (int64_t)stopped->since_ms,
            stopped->node_id);
        add(to, HS_EVIDENCE_STREAM, stopped->partition, 0, 0, stopped->lane);
    }
    if (withheld != NULL)
        add(to, HS_EVIDENCE_WITHHELD, (int64_t)(withheld->last - withheld->behind), (int64_t)withheld->behind, 0,
            withheld->node_id);
}

static void tell_busy(const struct known *known, struct hs_cause *to)
{
    uint64_t seconds = unsigned_seconds(known);
    if (waits_for(known, "credit"))
        add(to, HS_EVIDENCE_CREDIT, 0, 0, 0, NULL);
    if (seconds >= LATE_S)
        add(to, HS_EVIDENCE_UNSIGNED, (int64_t)known->peer->unsigned_ops, (int64_t)seconds, 0, NULL);
}

static void tell_rebuilding(const struct known *known, struct hs_cause *to)
{
    const Hallsync__RebuildStatus *rebuild = known->status->rebuild;
    if (rebuild != NULL)
        add(to, HS_EVIDENCE_REBUILT, (int64_t)rebuild->held, (int64_t)rebuild->named, rebuild->percent, NULL);
    if (known->peer->being_filled > 0)
        add(to, HS_EVIDENCE_BEING_FILLED, known->peer->being_filled, 0, 0, NULL);
}

static void tell_clock(const struct known *known, struct hs_cause *to)
{
    int64_t seconds = known->peer->clock_offset_ms / 1000;
    if (is_clock(known))
        add(to, seconds < 0 ? HS_EVIDENCE_SLOW : HS_EVIDENCE_AHEAD, seconds < 0 ? -seconds : seconds, 0, 0, NULL);
}

static void tell_older(const Hallsync__StatusReply *status, struct hs_cause *to)
{
    const Hallsync__OlderCopyStatus *older = status->older_copy;
    add(to, HS_EVIDENCE_OLDER, (int64_t)older->found_ms, (int64_t)older->operations, 0, older->why);
}

static void tell_lag(const struct known *known, struct hs_cause *to)
{
    const Hallsync__PeerStatus *peer = known->peer;
    if (!is_late(known) && peer->lag_out_ops + peer->lag_in_ops > 0)
        add(to, HS_EVIDENCE_ON_WAY, (int64_t)(peer->lag_out_ops + peer->lag_in_ops), 0, 0, NULL);
    if (!is_late(known))
        return;
    if (peer->lag_out_ops > 0)
        add(to, HS_EVIDENCE_LAG_OUT, (int64_t)peer->lag_out_ops, (int64_t)peer->lag_out_seconds, 0, NULL);
    if (peer->lag_in_ops > 0)
        add(to, HS_EVIDENCE_LAG_IN, (int64_t)peer->lag_in_ops, 0, 0, NULL);
}

/* What is of one cause comes first, then what is worth knowing with each. */
static void tell_live(const struct known *known, struct hs_cause *to)
{
    const Hallsync__StatusReply *status = known->status;
    const Hallsync__PeerStatus *peer = known->peer;
    const Hallsync__DifferStatus *differ = peer->n_differs > 0 ? peer->differs[0] : NULL;
    if (is_stopped(known))
        tell_stopped(known, to);
    if (is_fork(known))
        add(to, HS_EVIDENCE_DISPUTED, peer->disputed, 0, 0, NULL);
    if (is_fork(known) && status->forks > 0)
        add(to, HS_EVIDENCE_FORKS, (int64_t)status->forks, 0, 0, NULL);
    if (is_damage(known) && differ != NULL)
        add(to, HS_EVIDENCE_DIFFERS, (int64_t)peer->n_differs, differ->kind, differ->partition, NULL);
    if (is_rotten(known))
        add(to, HS_EVIDENCE_ROTTEN, (int64_t)status->rotten, 0, 0, NULL);
    if (is_disk(known))
        tell_disk(known, to);
    tell_busy(known, to);
    tell_clock(known, to);
    if (is_older_copy(known))
        tell_older(status, to);
    tell_rebuilding(known, to);
    if (is_limited(known))
        tell_limit(peer, to);
    tell_transfer(known, to);
    tell_lag(known, to);
    if (is_late(known) && peer->has_caught_up_ms)
        add(to, HS_EVIDENCE_CAUGHT_UP, (int64_t)peer->caught_up_ms, 0, 0, NULL);
    if (peer->has_equal_as_of_ms)
        add(to, HS_EVIDENCE_EQUAL, (int64_t)peer->equal_as_of_ms, seconds_since(status, peer->equal_as_of_ms), 0, NULL);
}

/* ---- the next step ---- */

/* Who is not known by name yet is found in the list. */
static void put_command(struct hs_cause *to)
{
    static const char PLACE[] = "{node}";
    const char *command = CAUSES[to->id].command, *place = strstr(command, PLACE);
    const char *name = to->peer != NULL ? to->peer->node_id : "";
    if (place == NULL)
        snprintf(to->command, sizeof to->command, "%s", command);
    else if (name[0] == '\0')
        snprintf(to->command, sizeof to->command, "hallsync node list");
    else
        snprintf(to->command, sizeof to->command, "%.*s%s%s", (int)(place - command), command, name,
                 place + sizeof PLACE - 1);
}

void hs_why_peer(const Hallsync__StatusReply *status, const Hallsync__PeerStatus *peer, struct hs_cause *to)
{
    struct known known = know(status, peer);
    *to = (struct hs_cause){.id = decide(&known), .peer = peer};
    if (is_live(&known))
        tell_live(&known, to);
    else
        tell_not_live(&known, to);
    put_command(to);
}

/* ---- the node itself ---- */

static bool same_group(const Hallsync__PeerStatus *a, const Hallsync__PeerStatus *b)
{
    return a->group != NULL && b->group != NULL && strcmp(a->group, b->group) == 0;
}

/* Who is connected stands for the group; if nobody is, whoever has the most to be told of. */
static void why_group(const Hallsync__StatusReply *status, const char *group, struct hs_cause *to)
{
    bool live = false;
    to->id = HS_CAUSE_COUNT;
    for (size_t i = 0; i < status->n_peers; i++) {
        const Hallsync__PeerStatus *peer = status->peers[i];
        struct hs_cause cause;
        if (peer->group == NULL || strcmp(peer->group, group) != 0)
            continue;
        bool is = hs_standing_by_name(peer->state) == HS_STANDING_LIVE;
        hs_why_peer(status, peer, &cause);
        bool better = is != live ? is : cause.id < to->id;
        if (better)
            *to = cause;
        live = live || is;
    }
}

static bool is_first_of_group(const Hallsync__StatusReply *status, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (same_group(status->peers[i], status->peers[at]))
            return false;
    }
    return status->peers[at]->group != NULL;
}

/* What holds of the node, whoever is connected. */
static void why_itself(const Hallsync__StatusReply *status, struct hs_cause *to)
{
    const Hallsync__RebuildStatus *rebuild = status->rebuild;
    if (status->revoked != NULL && to->id != HS_CAUSE_REFUSED_KEY) {
        *to = (struct hs_cause){.id = HS_CAUSE_REFUSED_KEY};
        add(to, HS_EVIDENCE_OWN_REVOKED, 0, 0, 0, status->revoked);
    } else if (status->rotten > 0 && to->id > HS_CAUSE_ROTTEN) {
        *to = (struct hs_cause){.id = HS_CAUSE_ROTTEN};
        add(to, HS_EVIDENCE_ROTTEN, (int64_t)status->rotten, 0, 0, NULL);
    } else if (rebuild != NULL && to->id > HS_CAUSE_REBUILDING) {
        *to = (struct hs_cause){.id = HS_CAUSE_REBUILDING};
        add(to, HS_EVIDENCE_REBUILT, (int64_t)rebuild->held, (int64_t)rebuild->named, rebuild->percent, NULL);
    } else if (status->n_fills > 0 && !hs_cause_is_behind(to)) {
        *to = (struct hs_cause){.id = HS_CAUSE_TRANSFER};
        tell_fills(status, to);
    }
}

void hs_why_node(const Hallsync__StatusReply *status, struct hs_cause *to)
{
    bool hub = strcmp(status->role, "hub") == 0, any = false;
    *to = (struct hs_cause){.id = HS_CAUSE_NOT_BEHIND};
    for (size_t i = 0; i < status->n_peers; i++) {
        struct hs_cause cause = {0};
        if (!is_first_of_group(status, i))
            continue;
        why_group(status, status->peers[i]->group, &cause);
        if (!any || cause.id < to->id)
            *to = cause;
        any = true;
    }
    if (!any && !hub)
        to->id = HS_CAUSE_NO_UPSTREAM;
    why_itself(status, to);
    put_command(to);
}
