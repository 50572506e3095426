/* why_test.c -- the causes: each state and each reason has one, texts in both languages, who comes first. */
#include "node/status/why.h"
#include "proto/base/standing.h"
#include "tests/lib/made_doc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define NOW_MS 1795000000000

/* A hall with one hub, live, and nothing that waits. */
struct world {
    Hallsync__StatusReply status;
    Hallsync__PeerStatus peer, *peers[1];
    Hallsync__LaneStatus lane, *lanes[1], waiting, *waitings[1];
    Hallsync__StoppedStatus stopped, *stops[1];
    Hallsync__OlderCopyStatus older;
    Hallsync__RebuildStatus rebuild;
    Hallsync__RefusedStatus refused, *refusals[1];
    Hallsync__FillStatus fill, *fills[1];
};

static void lane_init(Hallsync__LaneStatus *lane, const char *name)
{
    hallsync__lane_status__init(lane);
    lane->lane = (char *)name;
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    hallsync__status_reply__init(&w->status);
    hallsync__peer_status__init(&w->peer);
    w->status.node_id = (char *)"nj-gulou";
    w->status.role = (char *)"hall";
    w->status.version = (char *)"0.1.0";
    w->status.clock_ms = NOW_MS;
    w->status.disk_free_bytes = 1000000;
    w->peers[0] = &w->peer;
    w->status.peers = w->peers;
    w->status.n_peers = 1;
    w->peer.node_id = (char *)"nj-hub";
    w->peer.role = (char *)"hub";
    w->peer.state = (char *)"live";
    w->peer.group = (char *)"hub";
    w->peer.address = (char *)"tcp://192.0.2.1:7400";
    lane_init(&w->lane, "people");
    lane_init(&w->waiting, "money");
    w->lanes[0] = &w->lane;
    w->waitings[0] = &w->waiting;
}

static enum hs_cause_id cause_of(const struct world *w)
{
    struct hs_cause cause;
    hs_why_peer(&w->status, &w->peer, &cause);
    return cause.id;
}

/* ---- the tables ---- */

static void texts_are_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < HS_CAUSE_COUNT; i++) {
        const struct hs_cause_row *row = hs_cause_row((enum hs_cause_id)i);
        const char *texts[] = {row->name, row->en, row->zh, row->next_en, row->next_zh, row->command};
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            assert_true(texts[k] != NULL && texts[k][0] != '\0');
        assert_string_not_equal(row->en, row->zh);
        assert_string_not_equal(row->next_en, row->next_zh);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(hs_cause_row((enum hs_cause_id)k)->name, row->name);
    }
}

/* The worst stand first: who sorts by the row shows trouble before what passes by itself. */
static void the_worst_stand_first(void **state)
{
    (void)state;
    for (size_t i = 1; i < HS_CAUSE_COUNT; i++)
        assert_true(hs_cause_row((enum hs_cause_id)(i - 1))->sort >= hs_cause_row((enum hs_cause_id)i)->sort);
    assert_int_equal(HS_CAUSE_NOT_BEHIND, HS_CAUSE_COUNT - 1);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)) != NULL; text++)
        count++;
    return count;
}

/* Both languages name the same figures, and every place is one that can be filled in. */
static void evidence_is_filled_in(void **state)
{
    (void)state;
    static const char *const PLACES[] = {"{0}",      "{1}",      "{2}",      "{s}",      "{0:time}",
                                         "{1:time}", "{2:time}", "{0:span}", "{1:span}", "{0:bytes}"};
    for (size_t i = 0; i < HS_EVIDENCE_COUNT; i++) {
        const struct hs_evidence_row *row = hs_evidence_row((enum hs_evidence_id)i);
        struct hs_evidence evidence = {(enum hs_evidence_id)i, {NOW_MS, 7200, 3}, "words"};
        size_t places = 0;
        for (size_t k = 0; k < sizeof PLACES / sizeof *PLACES; k++) {
            assert_int_equal(count_of(row->en, PLACES[k]), count_of(row->zh, PLACES[k]));
            places += count_of(row->en, PLACES[k]);
        }
        assert_int_equal(places, count_of(row->en, "{"));
        for (int language = HS_ENGLISH; language <= HS_CHINESE; language++) {
            struct hs_buf text = {0};
            hs_evidence_put(&evidence, (enum hs_language)language, 480, &text);
            hs_buf_put_u8(&text, 0);
            assert_int_equal(text.err, HS_OK);
            assert_true(text.size > 1 && strchr((char *)text.data, '{') == NULL);
            hs_buf_fini(&text);
        }
    }
}

static void evidence_reads_as_written(void **state)
{
    (void)state;
    struct hs_evidence evidence = {HS_EVIDENCE_SINCE, {1795000000000, 7200, 0}, NULL};
    struct hs_buf text = {0};
    hs_evidence_put(&evidence, HS_ENGLISH, 480, &text);
    hs_buf_put_u8(&text, '|');
    hs_evidence_put(&evidence, HS_CHINESE, 0, &text);
    evidence = (struct hs_evidence){HS_EVIDENCE_RATE, {64500, 0, 0}, NULL};
    hs_buf_put_u8(&text, '|');
    hs_evidence_put(&evidence, HS_ENGLISH, 0, &text);
    hs_buf_put_u8(&text, 0);
    assert_string_equal((char *)text.data, "since 2026-11-18 19:06, for 2 h|自 2026-11-18 11:06 起，已 2小时|"
                                           "at most 64.5 kB a second");
    hs_buf_fini(&text);
}

/* ---- docs/operations.md ---- */

#define GUIDE HS_SOURCE_DIR "/docs/operations.md"

/* The table between its head and the next empty line; HS_WRITE_DOCS=1 writes it anew. */
static void the_guide_has_the_table(void **state)
{
    static const char HEAD[] = "| cause | it means | what to do |\n|---|---|---|\n";
    struct hs_buf guide = {0}, rows = {0}, text = {0};
    (void)state;
    for (size_t i = 0; i < HS_CAUSE_COUNT; i++) {
        const struct hs_cause_row *row = hs_cause_row((enum hs_cause_id)i);
        hs_buf_put_format(&rows, "| `%s` | %s | %s%s%s%s |\n", row->name, row->en, row->next_en,
                          row->sort == HS_CAUSE_WELL ? "" : ": `", row->sort == HS_CAUSE_WELL ? "" : row->command,
                          row->sort == HS_CAUSE_WELL ? "" : "`");
    }
    hs_buf_put_u8(&rows, 0);
    made_doc_read(GUIDE, &guide);
    const char *at = made_doc_part(GUIDE, HEAD, &guide), *end = strstr(at, "\n\n");
    assert_non_null(end);
    if (getenv("HS_WRITE_DOCS") != NULL) {
        hs_buf_put_format(&text, "%s%s", (const char *)rows.data, end + 1);
        hs_buf_put_u8(&text, 0);
        made_doc_write(GUIDE, HEAD, &text);
        hs_buf_reset(&guide);
        made_doc_read(GUIDE, &guide);
        at = made_doc_part(GUIDE, HEAD, &guide);
    }
    hs_buf_reset(&text);
    hs_buf_put(&text, at, (size_t)(strstr(at, "\n\n") + 1 - at));
    hs_buf_put_u8(&text, 0);
    assert_string_equal((const char *)text.data, (const char *)rows.data);
    hs_buf_fini(&guide);
    hs_buf_fini(&rows);
    hs_buf_fini(&text);
}

/* ---- every state, every reason ---- */

static const enum hs_cause_id OF_REASON[] = {[HS_REASON_NONE] = HS_CAUSE_LINK_DOWN,
#define X(id, name, cause) [HS_REASON_##id] = HS_CAUSE_##cause,
                                             HS_REASONS(X)
#undef X
};

static enum hs_cause_id wanted(enum hs_peer_standing standing, enum hs_reason reason)
{
    enum hs_cause_id of = OF_REASON[reason];
    switch (standing) {
    case HS_STANDING_LIVE:
        return HS_CAUSE_NOT_BEHIND;
    case HS_STANDING_STANDBY:
        return HS_CAUSE_STANDBY;
    case HS_STANDING_TWIN:
        return HS_CAUSE_TWIN;
    case HS_STANDING_ENROLLED:
    case HS_STANDING_EXPIRED:
        return HS_CAUSE_NOT_JOINED;
    case HS_STANDING_AWAY:
        return of == HS_CAUSE_LINK_DOWN ? HS_CAUSE_AWAY : of;
    case HS_STANDING_CONNECTING:
    case HS_STANDING_HELLO:
        return reason == HS_REASON_NONE ? HS_CAUSE_CONNECTING : of;
    case HS_STANDING_DOWN:
    case HS_STANDING_REFUSED:
        return of;
    case HS_STANDING_COUNT:
        break;
    }
    return HS_CAUSE_COUNT;
}

static void every_state_and_reason_has_its_cause(void **state)
{
    (void)state;
    for (size_t i = 0; i < HS_STANDING_COUNT; i++) {
        for (size_t k = 0; k < HS_REASON_COUNT; k++) {
            struct world w;
            world_init(&w);
            w.peer.state = (char *)hs_standing_text((enum hs_peer_standing)i);
            w.peer.reason = k == 0 ? NULL : (char *)hs_reason_text((enum hs_reason)k);
            enum hs_cause_id cause = wanted((enum hs_peer_standing)i, (enum hs_reason)k);
            assert_string_equal(hs_cause_row(cause_of(&w))->name, hs_cause_row(cause)->name);
        }
    }
}

/* At the hub: a hall that is away and was refused for a reason. */
static void every_refusal_at_a_hub_has_its_cause(void **state)
{
    (void)state;
    for (size_t k = 1; k < HS_REASON_COUNT; k++) {
        struct world w;
        world_init(&w);
        hallsync__refused_status__init(&w.refused);
        w.refused.node_id = (char *)"nj-hub";
        w.refused.why = (char *)hs_reason_text((enum hs_reason)k);
        w.refused.last_ms = NOW_MS;
        w.refusals[0] = &w.refused;
        w.status.refused = w.refusals;
        w.status.n_refused = 1;
        w.peer.state = (char *)"away";
        assert_int_equal(cause_of(&w), wanted(HS_STANDING_AWAY, (enum hs_reason)k));
        w.peer.has_seen_ms = true; /* there was a session after that */
        w.peer.seen_ms = NOW_MS + 60000;
        assert_int_equal(cause_of(&w), HS_CAUSE_AWAY);
    }
}

static void every_error_has_a_reason(void **state)
{
    (void)state;
    for (int err = 0; err < HS_ERR_COUNT; err++) {
        enum hs_reason refused = hs_reason_refused((enum hs_err)err), ended = hs_reason_ended((enum hs_err)err);
        assert_true(refused > HS_REASON_NONE && refused < HS_REASON_COUNT);
        assert_true(ended > HS_REASON_NONE && ended < HS_REASON_COUNT);
        assert_int_equal(hs_reason_by_name(hs_reason_text(ended)), ended);
    }
    assert_int_equal(hs_reason_ended(HS_EIO), HS_REASON_STORE);
    assert_int_equal(hs_reason_ended(HS_EMALFORMED), HS_REASON_PROTOCOL);
    assert_int_equal(hs_reason_refused(HS_EVERSION), HS_REASON_VERSION);
    assert_int_equal(hs_reason_by_name("no-such"), HS_REASON_NONE);
    assert_int_equal(hs_standing_by_name("no-such"), HS_STANDING_COUNT);
}

/* Of a later version: it is not taken for well. */
static void a_state_that_is_not_known_is_not_well(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.peer.state = (char *)"levitating";
    assert_int_equal(cause_of(&w), HS_CAUSE_LINK_DOWN);
    w.peer.state = (char *)"down";
    w.peer.reason = (char *)"moonlight";
    assert_int_equal(cause_of(&w), HS_CAUSE_LINK_DOWN);
}

/* ---- what holds of a live session, alone and with others ---- */

static void make_late(struct world *w)
{
    w->peer.has_lag_out_ops = w->peer.has_lag_out_seconds = true;
    w->peer.lag_out_ops = 3;
    w->peer.lag_out_seconds = 60;
}

static void make_stopped(struct world *w)
{
    hallsync__stopped_status__init(&w->stopped);
    w->stopped.node_id = (char *)"nj-other";
    w->stopped.lane = (char *)"money";
    w->stopped.from = w->peer.node_id;
    w->stops[0] = &w->stopped;
    w->status.stopped = w->stops;
    w->status.n_stopped = 1;
}

static void make_fork(struct world *w)
{
    w->peer.has_disputed = true;
    w->peer.disputed = 1;
    w->status.forks = 1;
}

static void make_damage(struct world *w)
{
    w->peer.comparison = (char *)"damage";
}

static void make_rotten(struct world *w)
{
    make_late(w);
    w->status.has_rotten = true;
    w->status.rotten = 2;
}

static void make_full(struct world *w)
{
    w->status.disk_level = (char *)"low";
    w->lane.in_ops = 5;
    w->peer.lanes = w->lanes;
    w->peer.n_lanes = 1;
}

static void make_map_full(struct world *w)
{
    make_full(w);
    w->status.has_map_free_bytes = true;
    w->status.map_free_bytes = 1000;
}

static void make_disk(struct world *w)
{
    w->peer.has_held = w->peer.held = true;
    w->lane.out_ops = 5;
    w->peer.lanes = w->lanes;
    w->peer.n_lanes = 1;
}

static void make_busy(struct world *w)
{
    make_late(w);
    w->peer.waits_for = (char *)"credit";
}

static void make_clock(struct world *w)
{
    w->peer.has_clock_offset_ms = true;
    w->peer.clock_offset_ms = -7200000;
}

static void make_older(struct world *w)
{
    make_late(w);
    w->peer.lag_in_ops = 9;
    hallsync__older_copy_status__init(&w->older);
    w->older.why = (char *)"a hub named more";
    w->status.older_copy = &w->older;
}

static void make_rebuilding(struct world *w)
{
    hallsync__rebuild_status__init(&w->rebuild);
    w->peer.lag_in_ops = 7;
    w->peer.lag_in_seconds = 60;
    w->rebuild.held = 5;
    w->rebuild.named = 10;
    w->status.rebuild = &w->rebuild;
}

static void make_limited(struct world *w)
{
    make_late(w);
    w->peer.has_rate_max = true;
    w->peer.rate_max = 8000;
}

static void make_transfer(struct world *w)
{
    w->peer.has_filling = true;
    w->peer.filling = 2;
}

static const struct {
    enum hs_cause_id cause;
    void (*make)(struct world *w);
} MAKERS[] = {
    {HS_CAUSE_STOPPED, make_stopped},       {HS_CAUSE_FORK, make_fork},         {HS_CAUSE_DAMAGE, make_damage},
    {HS_CAUSE_ROTTEN, make_rotten},         {HS_CAUSE_MAP_FULL, make_map_full}, {HS_CAUSE_DISK, make_disk},
    {HS_CAUSE_HUB_BUSY, make_busy},         {HS_CAUSE_CLOCK, make_clock},       {HS_CAUSE_OLDER_COPY, make_older},
    {HS_CAUSE_REBUILDING, make_rebuilding}, {HS_CAUSE_LIMITED, make_limited},   {HS_CAUSE_TRANSFER, make_transfer},
    {HS_CAUSE_BACKLOG, make_late},
};
#define MAKERS_COUNT (sizeof MAKERS / sizeof *MAKERS)

static void each_is_told_and_the_first_of_two(void **state)
{
    (void)state;
    for (size_t i = 0; i < MAKERS_COUNT; i++) {
        for (size_t k = 0; k < MAKERS_COUNT; k++) {
            struct world w;
            world_init(&w);
            MAKERS[k].make(&w);
            MAKERS[i].make(&w);
            enum hs_cause_id first = MAKERS[i].cause < MAKERS[k].cause ? MAKERS[i].cause : MAKERS[k].cause;
            assert_string_equal(hs_cause_row(cause_of(&w))->name, hs_cause_row(first)->name);
        }
    }
}

/* Records that are to come as states, and that nobody brings now. */
static void make_awaiting(struct world *w, const char *lane)
{
    hallsync__fill_status__init(&w->fill);
    w->fill.lane = (char *)lane;
    w->fill.records = 20;
    w->fill.has_total = true;
    w->fill.total = 80;
    w->fills[0] = &w->fill;
    w->status.fills = w->fills;
    w->status.n_fills = 1;
}

static void what_nobody_brings_is_behind_too(void **state)
{
    (void)state;
    struct world w;
    struct hs_cause cause;
    world_init(&w);
    make_awaiting(&w, "people");
    hs_why_peer(&w.status, &w.peer, &cause);
    assert_int_equal(cause.id, HS_CAUSE_TRANSFER);
    assert_int_equal(cause.evidence[0].id, HS_EVIDENCE_STATES_IN);
    assert_int_equal(cause.evidence[0].numbers[2], 25);
    w.status.disk_level = (char *)"low"; /* it is not even asked for */
    assert_int_equal(cause_of(&w), HS_CAUSE_DISK);
    w.fill.lane = (char *)"money"; /* which waits for no room */
    assert_int_equal(cause_of(&w), HS_CAUSE_TRANSFER);
    w.peer.role = (char *)"witness"; /* it has none */
    assert_int_equal(cause_of(&w), HS_CAUSE_NOT_BEHIND);
    hs_why_node(&w.status, &cause);
    assert_int_equal(cause.id, HS_CAUSE_TRANSFER);
    w.peer.state = (char *)"connecting"; /* nothing comes, for want of a session */
    hs_why_node(&w.status, &cause);
    assert_int_equal(cause.id, HS_CAUSE_CONNECTING);
    w.status.role = (char *)"hub"; /* a burnt one, when halls are not asked any more */
    w.status.n_peers = 0;
    hs_why_node(&w.status, &cause);
    assert_int_equal(cause.id, HS_CAUSE_TRANSFER);
    assert_int_equal(cause.evidence[0].id, HS_EVIDENCE_STATES_IN);
}

/* What is not there cannot be behind for what a live session lacks. */
static void without_a_session_only_that_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < MAKERS_COUNT; i++) {
        struct world w;
        world_init(&w);
        MAKERS[i].make(&w);
        w.peer.state = (char *)"down";
        w.peer.reason = (char *)hs_reason_text(HS_REASON_NO_ANSWER);
        assert_int_equal(cause_of(&w), HS_CAUSE_LINK_DOWN);
    }
}

/* What waits for a person because its key was revoked stops at who has it. */
static void what_is_withheld_stops_at_its_holder(void **state)
{
    (void)state;
    struct world w;
    Hallsync__WithheldStatus row = HALLSYNC__WITHHELD_STATUS__INIT, *rows[] = {&row};
    world_init(&w);
    row.node_id = (char *)"nj-stolen";
    row.holder = w.peer.node_id;
    row.last = 5;
    w.status.withheld = rows;
    w.status.n_withheld = 1;
    assert_int_equal(cause_of(&w), HS_CAUSE_STOPPED);
    row.holder = (char *)"nj-other";
    w.peer.disk_level = (char *)"plenty"; /* as each hall says of itself */
    w.lane.out_ops = 5;
    w.peer.lanes = w.lanes;
    w.peer.n_lanes = 1;
    assert_int_equal(cause_of(&w), HS_CAUSE_NOT_BEHIND);
}

/* A payment that is on its way for a moment makes nobody behind. */
static void a_moment_is_not_behind(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    make_late(&w);
    w.peer.lag_out_seconds = 4;
    assert_int_equal(cause_of(&w), HS_CAUSE_NOT_BEHIND);
    w.peer.lag_out_ops = 1000;
    assert_int_equal(cause_of(&w), HS_CAUSE_BACKLOG);
    world_init(&w);
    make_older(&w);
    w.peer.lag_in_ops = 0; /* all of it is here again */
    assert_int_equal(cause_of(&w), HS_CAUSE_BACKLOG);
    world_init(&w);
    make_rebuilding(&w); /* for its first minutes a new hub counts whatever is on its way */
    w.peer.lag_in_seconds = 1;
    assert_int_equal(cause_of(&w), HS_CAUSE_NOT_BEHIND);
    world_init(&w);
    make_clock(&w);
    w.peer.clock_offset_ms = 61000;
    w.peer.round_trip_ms = 2000; /* the way there and back may hide it */
    assert_int_equal(cause_of(&w), HS_CAUSE_NOT_BEHIND);
}

/* Handed in, and no hub has signed. */
static void receipts_that_do_not_come_are_the_hubs(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    w.peer.unsigned_ops = 4;
    w.waiting.out_ops = 4;
    w.waiting.out_seconds = 30;
    w.status.waiting = w.waitings;
    w.status.n_waiting = 1;
    assert_int_equal(cause_of(&w), HS_CAUSE_HUB_BUSY);
    w.peer.role = (char *)"witness";
    assert_int_equal(cause_of(&w), HS_CAUSE_NOT_BEHIND);
}

static void commands_name_the_node(void **state)
{
    (void)state;
    struct world w;
    struct hs_cause cause;
    world_init(&w);
    make_damage(&w);
    hs_why_peer(&w.status, &w.peer, &cause);
    assert_string_equal(cause.command, "hallsync verify --remote --peer nj-hub");
    w.peer.node_id = (char *)"";
    hs_why_peer(&w.status, &w.peer, &cause);
    assert_string_equal(cause.command, "hallsync node list");
}

/* ---- the node itself ---- */

static enum hs_cause_id node_with(const char *const states[2], const char *const groups[2], const char *role)
{
    struct world w;
    struct hs_cause cause;
    Hallsync__PeerStatus second, *peers[2] = {&w.peer, &second};
    world_init(&w);
    second = w.peer;
    w.status.peers = peers;
    w.status.n_peers = 2;
    w.status.role = (char *)role;
    w.peer.state = (char *)states[0];
    second.state = (char *)states[1];
    w.peer.group = (char *)groups[0];
    second.group = (char *)groups[1];
    hs_why_node(&w.status, &cause);
    return cause.id;
}

static void a_group_is_as_well_as_its_best(void **state)
{
    (void)state;
    const char *const one[] = {"hub", "hub"}, *const two[] = {"hub", "witness"}, *const none[] = {NULL, NULL};
    const char *const both[] = {"live", "live"}, *const first[] = {"live", "down"}, *const last[] = {"down", "live"};
    const char *const nobody[] = {"connecting", "down"};
    assert_int_equal(node_with(both, one, "hall"), HS_CAUSE_NOT_BEHIND);
    assert_int_equal(node_with(first, one, "hall"), HS_CAUSE_NOT_BEHIND);
    assert_int_equal(node_with(last, one, "hall"), HS_CAUSE_NOT_BEHIND);
    assert_int_equal(node_with(nobody, one, "hall"), HS_CAUSE_LINK_DOWN);
    assert_int_equal(node_with(first, two, "hall"), HS_CAUSE_LINK_DOWN);
    assert_int_equal(node_with(both, none, "hall"), HS_CAUSE_NO_UPSTREAM);
    assert_int_equal(node_with(both, none, "hub"), HS_CAUSE_NOT_BEHIND); /* these have dialled it */
}

static void what_holds_of_the_node_needs_no_peer(void **state)
{
    (void)state;
    struct world w;
    struct hs_cause cause;
    world_init(&w);
    make_rebuilding(&w);
    w.status.n_peers = 0;
    w.status.role = (char *)"hub";
    hs_why_node(&w.status, &cause);
    assert_int_equal(cause.id, HS_CAUSE_REBUILDING);
    w.status.has_rotten = true;
    w.status.rotten = 1;
    hs_why_node(&w.status, &cause);
    assert_int_equal(cause.id, HS_CAUSE_ROTTEN);
}

static void a_revoked_node_hears_of_its_key(void **state)
{
    (void)state;
    struct world w;
    struct hs_cause cause;
    world_init(&w);
    w.status.revoked = (char *)"stolen";
    hs_why_node(&w.status, &cause);
    assert_int_equal(cause.id, HS_CAUSE_REFUSED_KEY);
    w.status.n_peers = 0;
    hs_why_node(&w.status, &cause);
    assert_int_equal(cause.id, HS_CAUSE_REFUSED_KEY);
    assert_int_equal(cause.evidence[0].id, HS_EVIDENCE_OWN_REVOKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_there),
        cmocka_unit_test(the_worst_stand_first),
        cmocka_unit_test(evidence_is_filled_in),
        cmocka_unit_test(evidence_reads_as_written),
        cmocka_unit_test(the_guide_has_the_table),
        cmocka_unit_test(every_state_and_reason_has_its_cause),
        cmocka_unit_test(every_refusal_at_a_hub_has_its_cause),
        cmocka_unit_test(every_error_has_a_reason),
        cmocka_unit_test(a_state_that_is_not_known_is_not_well),
        cmocka_unit_test(each_is_told_and_the_first_of_two),
        cmocka_unit_test(what_nobody_brings_is_behind_too),
        cmocka_unit_test(without_a_session_only_that_is_told),
        cmocka_unit_test(what_is_withheld_stops_at_its_holder),
        cmocka_unit_test(a_moment_is_not_behind),
        cmocka_unit_test(receipts_that_do_not_come_are_the_hubs),
        cmocka_unit_test(commands_name_the_node),
        cmocka_unit_test(a_group_is_as_well_as_its_best),
        cmocka_unit_test(what_holds_of_the_node_needs_no_peer),
        cmocka_unit_test(a_revoked_node_hears_of_its_key),
    };
    return cmocka_run_group_tests_name("why", tests, NULL, NULL);
}
