#include "node/cli/status_peers.h"

#include "node/cli/forms.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "node/status/why.h"
#include "proto/base/buf.h"
#include "proto/base/limits.h"
#include "proto/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATE_S   5    /* what has waited so long is worth a look */
#define MANY_OPS 1000 /* or so much */

#define LONG_DISK_DAYS 365 /* that long is no figure to look at */

#define LEAST_OPS_PER_S 0.05 /* some a minute: what is slower is no speed to look at */

static const struct cli_column PEER[] = {
    {"node_id", "peer", CLI_FORM_TEXT},
    {"role", "role", CLI_FORM_TEXT},
    {"state", "link", CLI_FORM_TEXT},
    {"since_ms", "for", CLI_FORM_AGE},
    {"lag_out_ops", "to send", CLI_FORM_NUMBER},
    {"late_s", "oldest", CLI_FORM_SPAN},
    {"lag_in_ops", "to come", CLI_FORM_NUMBER},
    {"awaited_s", "awaited", CLI_FORM_SPAN},
    {"waiting", "in lanes", CLI_FORM_TEXT},
    {"unsigned_ops", "unsigned", CLI_FORM_NUMBER},
    {"speed", "speed", CLI_FORM_TEXT},
    {"states", "states", CLI_FORM_TEXT},
    {"equal_as_of_ms", "equal", CLI_FORM_AGE},
    {"group", "group", CLI_FORM_TEXT},
    {"limit", "limit", CLI_FORM_TEXT},
    {"round_trip_ms", "trip ms", CLI_FORM_NUMBER},
    {"clock_offset_ms", "clock off ms", CLI_FORM_NUMBER},
    {"disk", "disk", CLI_FORM_TEXT},
    {"backup_ms", "backup", CLI_FORM_AGE},
    {"version", "version", CLI_FORM_TEXT},
    {"districts", "districts", CLI_FORM_TEXT},
    {"address", "address", CLI_FORM_TEXT},
    {"why", "why", CLI_FORM_PROSE},
};
#define PEER_KEEP 5 /* columns that a narrow terminal shows too */

/* What a row is sorted by: trouble first. */
enum rank { RANK_TROUBLE, RANK_LATE, RANK_AWAY, RANK_WELL };

struct row {
    enum rank rank;
    bool dialled;
    char node_id[HS_NODE_ID_BYTES_MAX + 1];
    json_t *object;
};

struct rows {
    struct row *items;
    size_t count, room;
    size_t halls, hubs, witnesses; /* live */
    size_t away;
    uint64_t clock_ms,
        caught_up_ms; /* of the node; when the last of those that lag will have caught up; 0: nobody lags */
    bool is_open;     /* of one that lags nobody knows */
    bool failed;
};

/* ---- one peer ---- */

static void set_text(json_t *object, const char *key, struct hs_buf *text)
{
    if (text->size != 0 && text->err == HS_OK)
        json_object_set_new(object, key, hs_json_text(hs_buf_bytes(text)));
    hs_buf_reset(text);
}

static void set_lanes(json_t *object, const Hallsync__PeerStatus *peer, struct hs_buf *text)
{
    for (size_t i = 0; i < peer->n_lanes; i++) {
        const Hallsync__LaneStatus *lane = peer->lanes[i];
        if (lane->out_ops == 0 && lane->in_ops == 0)
            continue; /* it moves */
        hs_buf_put_format(text, "%s%s", text->size == 0 ? "" : ", ", lane->lane);
        if (lane->out_ops != 0)
            hs_buf_put_format(text, " %" PRIu64, lane->out_ops);
        if (lane->in_ops != 0)
            hs_buf_put_format(text, " (+%" PRIu64 ")", lane->in_ops);
    }
    if (peer->held)
        hs_buf_put_format(text, "%sheld there: little room", text->size == 0 ? "" : "; ");
    set_text(object, "waiting", text);
}

static void set_states(json_t *object, const Hallsync__PeerStatus *peer, struct hs_buf *text)
{
    if (peer->supplying != 0 && peer->supplied_total > 0)
        hs_buf_put_format(
            text, "%" PRIu64 " %% there",
            peer->supplied_records < peer->supplied_total ? peer->supplied_records * 100 / peer->supplied_total : 99);
    else if (peer->supplying != 0)
        hs_buf_put_format(text, "%" PRIu64 " there", peer->supplied_records);
    if (peer->filling != 0)
        hs_buf_put_format(text, "%s%" PRIu32 " to come", text->size != 0 ? ", " : "", peer->filling);
    if (peer->being_filled != 0)
        hs_buf_put_format(text, "%sbeing filled", text->size != 0 ? ", " : "");
    set_text(object, "states", text);
}

static void set_limit(json_t *object, const Hallsync__PeerStatus *peer, struct hs_buf *text)
{
    char rate[CLI_BYTES_BYTES];
    if (peer->has_rate_max)
        hs_buf_put_format(text, "%s/s", cli_bytes_text(peer->rate_max, rate));
    else if (peer->limited_hours != NULL)
        hs_buf_put_format(text, "none now");
    if (peer->limited_hours != NULL)
        hs_buf_put_format(text, " (%s)", peer->limited_hours);
    set_text(object, "limit", text);
}

/* Both ways, where something moves. */
static void set_rates(json_t *object, const Hallsync__PeerStatus *peer, struct hs_buf *text)
{
    char rate[CLI_BYTES_BYTES];
    if (peer->out_ops_per_s >= LEAST_OPS_PER_S || peer->in_ops_per_s >= LEAST_OPS_PER_S)
        hs_buf_put_format(text, "%s/s", cli_bytes_text((uint64_t)(peer->out_bytes_per_s + peer->in_bytes_per_s), rate));
    set_text(object, "speed", text);
}

/* As it last said. */
static void set_disk(json_t *object, const Hallsync__PeerStatus *peer, struct hs_buf *text)
{
    if (peer->disk_level != NULL && strcmp(peer->disk_level, "plenty") != 0)
        hs_buf_put_format(text, "%s", peer->disk_level);
    if (peer->has_disk_days && peer->disk_days < LONG_DISK_DAYS)
        hs_buf_put_format(text, "%s%.0f d", text->size != 0 ? ", " : "", peer->disk_days);
    set_text(object, "disk", text);
}

/* Zeros say nothing, and hide what does. */
static void drop_zero(json_t *object, const char *key)
{
    if (json_integer_value(json_object_get(object, key)) == 0)
        json_object_del(object, key);
}

/* The cause, which hallsync why tells more of, and what the node itself says. */
static void set_cause(json_t *object, const Hallsync__StatusReply *status, const Hallsync__PeerStatus *peer,
                      struct hs_buf *text)
{
    struct hs_cause cause;
    hs_why_peer(status, peer, &cause);
    const struct hs_cause_row *row = hs_cause_row(cause.id);
    if (!hs_cause_is_behind(&cause))
        return;
    hs_buf_put_format(text, "%s: %s", row->name, peer->why != NULL ? peer->why : row->en);
    set_text(object, "why", text);
}

static json_t *peer_object(const Hallsync__StatusReply *status, const Hallsync__PeerStatus *peer)
{
    struct hs_buf text = {0};
    json_t *object = hs_json_message(&peer->base);
    if (object == NULL)
        return NULL;
    set_cause(object, status, peer, &text);
    set_lanes(object, peer, &text);
    set_states(object, peer, &text);
    set_limit(object, peer, &text);
    set_disk(object, peer, &text);
    set_rates(object, peer, &text);
    hs_buf_fini(&text);
    if (peer->node_id[0] == '\0') /* nobody knows yet who it is */
        json_object_set_new(object, "node_id", json_string(peer->address != NULL ? peer->address : ""));
    if (peer->lag_out_ops != 0)
        json_object_set_new(object, "late_s", json_integer((json_int_t)peer->lag_out_seconds));
    if (peer->lag_in_ops != 0)
        json_object_set_new(object, "awaited_s", json_integer((json_int_t)peer->lag_in_seconds));
    drop_zero(object, "lag_out_ops");
    drop_zero(object, "lag_in_ops");
    drop_zero(object, "unsigned_ops");
    return object;
}

static enum rank rank_of(const Hallsync__PeerStatus *peer)
{
    bool live = strcmp(peer->state, "live") == 0;
    if (strcmp(peer->state, "standby") == 0 || strcmp(peer->state, "twin") == 0)
        return RANK_WELL;
    if (!live)
        return RANK_TROUBLE;
    bool late = (peer->lag_out_ops != 0 && peer->lag_out_seconds >= LATE_S) || peer->lag_out_ops >= MANY_OPS ||
                peer->lag_in_ops >= MANY_OPS || peer->filling != 0 || peer->supplying != 0;
    return late ? RANK_LATE : RANK_WELL;
}

/* ---- all of them ---- */

static void add_row(struct rows *rows, enum rank rank, bool dialled, const char *node_id, json_t *object)
{
    if (object != NULL && rows->count < rows->room) {
        struct row *row = &rows->items[rows->count++];
        *row = (struct row){.rank = rank, .dialled = dialled, .object = object};
        snprintf(row->node_id, sizeof row->node_id, "%s", node_id);
    } else {
        json_decref(object);
        rows->failed = true;
    }
}

static void make_room(struct rows *rows, size_t count)
{
    struct row *items = realloc(rows->items, (rows->room + count) * sizeof *items);
    if (items == NULL)
        return; /* what finds no room is a failure */
    rows->items = items;
    rows->room += count;
}

static void count_live(struct rows *rows, const char *role)
{
    rows->halls += strcmp(role, "hall") == 0;
    rows->hubs += strcmp(role, "hub") == 0;
    rows->witnesses += strcmp(role, "witness") == 0;
}

static void count_forecast(struct rows *rows, const Hallsync__PeerStatus *peer)
{
    if (peer->lag_out_ops == 0 && peer->lag_in_ops == 0 && peer->supplying == 0 && peer->filling == 0)
        return;
    rows->is_open = rows->is_open || !peer->has_caught_up_ms;
    rows->caught_up_ms = peer->caught_up_ms > rows->caught_up_ms ? peer->caught_up_ms : rows->caught_up_ms;
}

static void take_peers(struct rows *rows, const Hallsync__StatusReply *status)
{
    make_room(rows, status->n_peers);
    rows->clock_ms = status->clock_ms;
    for (size_t i = 0; i < status->n_peers; i++) {
        const Hallsync__PeerStatus *peer = status->peers[i];
        if (strcmp(peer->state, "live") == 0) {
            count_live(rows, peer->role);
            count_forecast(rows, peer);
        }
        add_row(rows, rank_of(peer), peer->group != NULL, peer->node_id, peer_object(status, peer));
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct row *)a)->node_id, ((const struct row *)b)->node_id);
}

static json_t *node_object(const Hallsync__Node *node)
{
    json_t *object = json_pack("{ss ss ss}", "node_id", node->node_id, "role", node->role, "state",
                               node->live ? "live" : "away");
    if (object != NULL && node->has_seen_ms)
        json_object_set_new(object, "since_ms", json_integer((json_int_t)node->seen_ms));
    else if (object != NULL)
        json_object_set_new(object, "why", json_string("not seen since this node started"));
    return object;
}

/* Of a node that was made anew there are two keys: the one that is here, or was the last to be, is the node. */
static bool is_outlived(const Hallsync__NodesReply *nodes, const Hallsync__Node *node)
{
    for (size_t i = 0; i < nodes->n_nodes; i++) {
        const Hallsync__Node *other = nodes->nodes[i];
        bool later = other->live != node->live ? other->live : other->seen_ms > node->seen_ms;
        if (other->curve_key != NULL && later && strcmp(other->node_id, node->node_id) == 0)
            return true;
    }
    return false;
}

/* The others that have joined: away, or live since a moment that the status was too old for.  The rows before them are
 * sorted by name. */
static void take_others(struct rows *rows, const Hallsync__NodesReply *nodes, const char *own_id)
{
    size_t before = rows->count;
    make_room(rows, nodes->n_nodes);
    for (size_t i = 0; i < nodes->n_nodes; i++) {
        const Hallsync__Node *node = nodes->nodes[i];
        struct row key = {0};
        snprintf(key.node_id, sizeof key.node_id, "%s", node->node_id);
        bool known = bsearch(&key, rows->items, before, sizeof key, compare_names) != NULL;
        for (size_t k = before; k < rows->count && !known; k++)
            known = strcmp(rows->items[k].node_id, node->node_id) == 0; /* made anew: two keys, one node */
        if (known || node->curve_key == NULL || strcmp(node->node_id, own_id) == 0 || is_outlived(nodes, node))
            continue;
        if (node->live)
            count_live(rows, node->role);
        else
            rows->away++;
        add_row(rows, node->live ? RANK_WELL : RANK_AWAY, false, node->node_id, node_object(node));
    }
}

/* ---- on the screen ---- */

static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    if (left->dialled != right->dialled)
        return left->dialled ? -1 : 1;
    if (left->rank != right->rank)
        return left->rank < right->rank ? -1 : 1;
    return compare_names(a, b);
}

static void put_count(struct hs_buf *text, size_t count, const char *name, const char *names)
{
    if (count != 0)
        hs_buf_put_format(text, "%s%zu %s", text->size == 0 ? "" : ", ", count, count == 1 ? name : names);
}

static void put_forecast(const struct cli *cli, const struct rows *rows, struct hs_buf *text)
{
    char at[HS_TIME_TEXT_BYTES], now[HS_TIME_TEXT_BYTES];
    if (rows->caught_up_ms == 0 || rows->is_open)
        return;
    hs_time_text(rows->caught_up_ms, cli->utc_offset_minutes, at);
    hs_time_text(rows->clock_ms, cli->utc_offset_minutes, now);
    bool today = strncmp(at, now, 10) == 0;
    hs_buf_put_format(text, "; caught up at %.*s%s%.5s at this speed", today ? 0 : 10, at, today ? "" : " ", at + 11);
}

static void show_sums(const struct cli *cli, const struct rows *rows)
{
    struct hs_buf text = {0};
    put_count(&text, rows->hubs, "hub", "hubs");
    put_count(&text, rows->witnesses, "witness", "witnesses");
    put_count(&text, rows->halls, "hall", "halls");
    hs_buf_put_format(&text, text.size == 0 ? "nobody is connected" : " connected");
    if (rows->away != 0)
        hs_buf_put_format(&text, "; %zu away", rows->away);
    put_forecast(cli, rows, &text);
    hs_buf_put_u8(&text, 0);
    cli_line("others", text.err == HS_OK ? (const char *)text.data : "?", 12);
    hs_buf_fini(&text);
}

static enum hs_err show_rows(const struct cli *cli, struct rows *rows, size_t lines)
{
    struct cli_list list;
    size_t shown = lines != 0 && lines < rows->count ? lines : rows->count;
    qsort(rows->items, rows->count, sizeof *rows->items, compare_rows);
    putchar('\n');
    cli_list_begin(&list, cli, PEER, sizeof PEER / sizeof *PEER);
    list.keep = PEER_KEEP;
    for (size_t i = 0; i < shown; i++) {
        cli_list_add(&list, rows->items[i].object);
        rows->items[i].object = NULL;
    }
    enum hs_err err = cli_list_end(&list);
    if (shown < rows->count)
        printf("and %zu more\n", rows->count - shown);
    return err;
}

enum hs_err cli_status_peers(struct cli *cli, const Hallsync__StatusReply *status, size_t lines)
{
    struct rows rows = {0};
    char own_id[HS_NODE_ID_BYTES_MAX + 1];
    const Hallsync__NodesReply *nodes;
    bool hub = strcmp(status->role, "hub") == 0;
    enum hs_err err = HS_OK;
    snprintf(own_id, sizeof own_id, "%s", status->node_id);
    take_peers(&rows, status);
    if (hub)
        err = cli_call_nodes(cli, &nodes);
    if (hub && err == HS_OK) {
        if (rows.count > 0)
            qsort(rows.items, rows.count, sizeof *rows.items, compare_names);
        take_others(&rows, nodes, own_id);
    }
    if (err == HS_OK)
        show_sums(cli, &rows);
    if (err == HS_OK && rows.count > 0)
        err = show_rows(cli, &rows, lines);
    for (size_t i = 0; i < rows.count; i++)
        json_decref(rows.items[i].object);
    free(rows.items);
    return err == HS_OK && rows.failed ? HS_ENOMEM : err;
}
