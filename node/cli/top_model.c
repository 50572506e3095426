#include "node/cli/top_model.h"

#include "node/cli/forms.h"
#include "proto/base/names.h"
#include "proto/base/standing.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct top_order_name TOP_ORDER_NAMES[TOP_ORDER_COUNT] = {
#define X(id, letter, name, first) {letter, name, first},
    TOP_ORDERS(X)
#undef X
};

void top_model_fini(struct top_model *model)
{
    if (model->reply != NULL)
        hallsync__reply__free_unpacked(model->reply, NULL);
    free(model->rows);
    free(model->shown);
    free(model->history);
    *model = (struct top_model){0};
}

/* ---- what was ---- */

static int compare_history(const void *a, const void *b)
{
    return strcmp(((const struct top_history *)a)->key, ((const struct top_history *)b)->key);
}

static struct top_history *find_history(const struct top_model *model, const char *key, size_t count)
{
    struct top_history wanted;
    snprintf(wanted.key, sizeof wanted.key, "%s", key);
    return count == 0 ? NULL : bsearch(&wanted, model->history, count, sizeof *model->history, compare_history);
}

/* Slots between the newest sample and now, of which nothing is known. */
static void pass_slots(struct top_model *model, uint64_t slot)
{
    uint64_t passed = slot > model->slot ? slot - model->slot : 0;
    for (uint64_t i = 1; i <= passed && i <= TOP_SAMPLES; i++) {
        for (size_t h = 0; h < model->history_count; h++)
            model->history[h].lag[(model->slot + i) % TOP_SAMPLES] = TOP_NOT_SEEN;
    }
    model->slot = slot > model->slot ? slot : model->slot;
}

/* Those of whom nothing was seen for all that time are forgotten. */
static void forget_gone(struct top_model *model)
{
    size_t kept = 0;
    for (size_t h = 0; h < model->history_count; h++) {
        bool seen = false;
        for (size_t i = 0; i < TOP_SAMPLES && !seen; i++)
            seen = model->history[h].lag[i] != TOP_NOT_SEEN;
        if (seen)
            model->history[kept++] = model->history[h];
    }
    model->history_count = kept;
}

static enum hs_err reserve_history(struct top_model *model, size_t more)
{
    if (model->history_count + more <= model->history_room)
        return HS_OK;
    size_t room = model->history_count + more;
    struct top_history *history = realloc(model->history, room * sizeof *history);
    if (history == NULL)
        return HS_ENOMEM;
    model->history = history;
    model->history_room = room;
    return HS_OK;
}

static void add_missing(struct top_model *model)
{
    size_t sorted = model->history_count;
    for (size_t i = 0; i < model->count; i++) {
        if (find_history(model, model->rows[i].key, sorted) != NULL)
            continue;
        struct top_history *history = &model->history[model->history_count++];
        snprintf(history->key, sizeof history->key, "%s", model->rows[i].key);
        for (size_t k = 0; k < TOP_SAMPLES; k++)
            history->lag[k] = TOP_NOT_SEEN;
    }
    if (model->history_count == sorted)
        return;
    qsort(model->history, model->history_count, sizeof *model->history, compare_history);
    size_t kept = 1; /* two sessions of one node: one history */
    for (size_t h = 1; h < model->history_count; h++) {
        if (compare_history(&model->history[kept - 1], &model->history[h]) != 0)
            model->history[kept++] = model->history[h];
    }
    model->history_count = kept;
}

static bool is_known(uint32_t lag)
{
    return lag <= TOP_LAG_MAX;
}

static void note_lag(struct top_model *model, struct top_row *row)
{
    struct top_history *history = find_history(model, row->key, model->history_count);
    assert(history != NULL); /* add_missing() */
    uint64_t ops = row->peer->lag_out_ops < TOP_LAG_MAX ? row->peer->lag_out_ops : TOP_LAG_MAX;
    ops += row->peer->lag_in_ops < TOP_LAG_MAX - ops ? row->peer->lag_in_ops : TOP_LAG_MAX - ops;
    uint32_t lag = row->live ? (uint32_t)ops : TOP_NO_LINK;
    uint32_t *sample = &history->lag[model->slot % TOP_SAMPLES];
    if (!is_known(*sample) || (is_known(lag) && lag > *sample) || lag == TOP_NO_LINK)
        *sample = lag;
    row->history = (size_t)(history - model->history);
}

void top_model_lag(const struct top_model *model, const struct top_row *row, uint32_t *lag, size_t count)
{
    const struct top_history *history = &model->history[row->history];
    for (size_t i = 0; i < count; i++) {
        size_t back = count - 1 - i;
        lag[i] = back < TOP_SAMPLES && back <= model->slot ? history->lag[(model->slot - back) % TOP_SAMPLES]
                                                           : TOP_NOT_SEEN;
    }
}

/* ---- the newest answer ---- */

static enum hs_err reserve_rows(struct top_model *model, size_t count)
{
    if (count <= model->room)
        return HS_OK;
    struct top_row *rows = realloc(model->rows, count * sizeof *rows);
    if (rows == NULL)
        return HS_ENOMEM;
    model->rows = rows;
    uint32_t *shown = realloc(model->shown, count * sizeof *shown);
    if (shown == NULL)
        return HS_ENOMEM;
    model->shown = shown;
    model->room = count;
    return HS_OK;
}

static void fill_rows(struct top_model *model)
{
    const Hallsync__StatusReply *status = model->reply->status;
    struct hs_cause cause;
    model->live = model->behind = model->away = 0;
    model->count = status->n_peers;
    for (size_t i = 0; i < status->n_peers; i++) {
        const Hallsync__PeerStatus *peer = status->peers[i];
        struct top_row *row = &model->rows[i];
        bool named = peer->node_id[0] != '\0';
        hs_why_peer(status, peer, &cause);
        *row = (struct top_row){.peer = peer, .cause = cause.id};
        row->live = strcmp(peer->state, hs_standing_text(HS_STANDING_LIVE)) == 0;
        snprintf(row->key, sizeof row->key, "%s", named ? peer->node_id : peer->address != NULL ? peer->address : "?");
        model->live += row->live;
        model->behind += row->live && hs_cause_is_behind(&cause);
        model->away += !row->live && hs_cause_is_behind(&cause);
    }
}

enum hs_err top_model_take(struct top_model *model, Hallsync__Reply *reply, uint64_t now_ms, uint64_t tick_ms)
{
    size_t count = reply->status->n_peers;
    bool first = model->reply == NULL;
    if (reserve_rows(model, count) != HS_OK || reserve_history(model, count) != HS_OK) {
        hallsync__reply__free_unpacked(reply, NULL);
        return HS_ENOMEM;
    }
    if (!first)
        hallsync__reply__free_unpacked(model->reply, NULL);
    model->reply = reply;
    model->answered_ms = now_ms;
    model->error[0] = '\0';
    if (first)
        model->slot = tick_ms / TOP_SAMPLE_MS;
    pass_slots(model, tick_ms / TOP_SAMPLE_MS);
    fill_rows(model);
    forget_gone(model);
    add_missing(model);
    for (size_t i = 0; i < model->count; i++)
        note_lag(model, &model->rows[i]);
    top_model_arrange(model);
    return HS_OK;
}

void top_model_miss(struct top_model *model, const char *text)
{
    snprintf(model->error, sizeof model->error, "%s", text);
}

/* ---- which, in what order ---- */

const char *top_cause(const struct top_row *row)
{
    return row->cause == HS_CAUSE_NOT_BEHIND ? "" : hs_cause_row(row->cause)->name;
}

/* Letters of ASCII in either case. */
static bool has_text(const char *text, const char *part)
{
    return text != NULL && strcasestr(text, part) != NULL;
}

static bool has_district(const Hallsync__PeerStatus *peer, const char *part)
{
    char text[HS_PARTITION_TEXT_BYTES];
    for (size_t i = 0; i < peer->n_districts; i++) {
        if (has_text(hs_partition_text((hs_partition)peer->districts[i], text), part))
            return true;
    }
    return false;
}

static bool is_shown(const struct top_model *model, const struct top_row *row)
{
    const Hallsync__PeerStatus *peer = row->peer;
    const char *part = model->filter;
    if (model->behind_only && hs_cause_row(row->cause)->sort == HS_CAUSE_WELL)
        return false;
    return part[0] == '\0' || has_text(row->key, part) || has_text(peer->role, part) || has_text(peer->state, part) ||
           has_text(top_cause(row), part) || has_text(peer->address, part) || has_text(peer->version, part) ||
           has_district(peer, part);
}

/* Greatest first. */
static int descend(uint64_t left, uint64_t right)
{
    return (left < right) - (left > right);
}

static int ascend(uint64_t left, uint64_t right)
{
    return descend(right, left);
}

static int compare_texts(const char *left, const char *right)
{
    return strcmp(left != NULL ? left : "", right != NULL ? right : "");
}

static uint64_t since_of(const Hallsync__PeerStatus *peer)
{
    return peer->has_since_ms ? peer->since_ms : peer->seen_ms;
}

static double rate_of(const Hallsync__PeerStatus *peer)
{
    return peer->out_ops_per_s + peer->in_ops_per_s;
}

/* Of the same cause that which is newest, or of which most waits. */
static int compare_worst(const struct top_row *a, const struct top_row *b)
{
    if (a->cause != b->cause)
        return a->cause < b->cause ? -1 : 1;
    if (!a->live)
        return descend(since_of(a->peer), since_of(b->peer));
    return descend(a->peer->lag_out_ops + a->peer->lag_in_ops, b->peer->lag_out_ops + b->peer->lag_in_ops);
}

static int compare_by(enum top_order order, const struct top_row *a, const struct top_row *b)
{
    const Hallsync__PeerStatus *left = a->peer, *right = b->peer;
    switch (order) {
    case TOP_ORDER_PEER:
        return strcmp(a->key, b->key);
    case TOP_ORDER_STATE:
        return strcmp(left->state, right->state);
    case TOP_ORDER_SINCE:
        return descend(since_of(left), since_of(right));
    case TOP_ORDER_OUT_OPS:
        return descend(left->lag_out_ops, right->lag_out_ops);
    case TOP_ORDER_OUT_AGE:
        return descend(left->lag_out_seconds, right->lag_out_seconds);
    case TOP_ORDER_IN_OPS:
        return descend(left->lag_in_ops, right->lag_in_ops);
    case TOP_ORDER_RATE:
        return rate_of(left) < rate_of(right) ? 1 : rate_of(left) > rate_of(right) ? -1 : 0;
    case TOP_ORDER_CAUGHT_UP:
        return descend(left->caught_up_ms, right->caught_up_ms);
    case TOP_ORDER_EQUAL:
        return ascend(left->equal_as_of_ms, right->equal_as_of_ms);
    case TOP_ORDER_LOOK:
        return descend(left->conflicts + left->parked, right->conflicts + right->parked);
    case TOP_ORDER_VERSION:
        return compare_texts(left->version, right->version);
    case TOP_ORDER_WORST:
    default:
        return compare_worst(a, b);
    }
}

static int compare_shown(const void *a, const void *b, void *ctx)
{
    const struct top_model *model = ctx;
    const struct top_row *left = &model->rows[*(const uint32_t *)a], *right = &model->rows[*(const uint32_t *)b];
    int order = compare_by(model->order, left, right);
    if (order == 0)
        order = strcmp(left->key, right->key); /* rows that are alike stay where they are */
    if (order == 0)
        order = left < right ? -1 : left > right;
    return model->reverse ? -order : order;
}

void top_model_arrange(struct top_model *model)
{
    model->shown_count = 0;
    for (size_t i = 0; i < model->count; i++) {
        if (is_shown(model, &model->rows[i]))
            model->shown[model->shown_count++] = (uint32_t)i;
    }
    if (model->shown_count > 1)
        qsort_r(model->shown, model->shown_count, sizeof *model->shown, compare_shown, model);
}
