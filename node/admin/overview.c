#include "node/admin/overview.h"

#include "node/admin/inside.h"
#include "node/admin/text.h"
#include "node/json/json.h"
#include "node/status/why.h"
#include "proto/base/names.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS  60000
#define SECOND_MS  1000 /* finer times and offsets would make each row another one each second */
#define OFFSET_MS  100
#define NODE_TURNS 5    /* every so many statuses those who watch are told the node's own figures */
#define KEEP_MS    1000 /* an answer says the time: it is made anew when it is older */
#define PAST_MAX   1024
#define ID_BYTES   64 /* a node's id, or the address of one that is not known yet */

/* A peer's row.  Its text is the JSON list without its end: spark and bracket follow. */
struct row {
    char id[ID_BYTES];
    struct hs_buf text;
    enum hs_cause_id cause;
    uint64_t main_hash, text_hash, spark_hash; /* as it is */
    uint64_t told_main, told_text, told_spark; /* as was told last */
    uint64_t told_ms;
    struct hs_buf spark; /* JSON, made once a minute */
    bool live;
};

/* What became of a peer. */
struct past {
    char id[ID_BYTES];
    uint64_t time_ms;
    enum hs_cause_id cause;
};

struct admin_overview {
    pthread_mutex_t lock;
    struct hs_samples *samples; /* NULL: there are none */
    bool is_told;               /* a status has come */
    bool missed;                /* something that those who watch were to be told */
    struct hs_buf node;         /* the status without its peers, as JSON */
    uint64_t as_of_ms, minute_ms;
    struct row *rows; /* ascending by id */
    size_t count;
    char (*gone)[ID_BYTES]; /* and not told yet */
    size_t gone_count;
    size_t next; /* who is told of next, if only figures have changed */
    unsigned turns;
    struct past past[PAST_MAX]; /* a ring */
    size_t past_at;
    struct hs_buf answer; /* as gzip; empty: to be made */
    size_t answer_size;
    uint64_t answer_ms;
};

static void rows_free(struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        hs_buf_fini(&rows[i].text);
        hs_buf_fini(&rows[i].spark);
    }
    free(rows);
}

/* FNV-1a: to see a change, of what nobody forges to hide it. */
static uint64_t hash_of(struct hs_bytes bytes)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < bytes.size; i++)
        hash = (hash ^ bytes.data[i]) * 0x100000001b3;
    return hash;
}

/* ---- one row ---- */

static const char COLUMNS[] =
    "[\"node_id\",\"role\",\"state\",\"reason\",\"group\",\"since_ms\",\"seen_ms\",\"cause\",\"lag_out_ops\",\"lag_in_"
    "ops\","
    "\"lag_out_seconds\",\"lag_in_seconds\",\"out_ops_per_s\",\"in_ops_per_s\",\"caught_up_ms\",\"equal_as_of_ms\","
    "\"comparison\",\"conflicts\",\"parked\",\"disk_days\",\"disk_level\",\"backup_ms\",\"version\",\"clock_offset_"
    "ms\","
    "\"districts\",\"spark\"]";

static void put_comma(struct hs_buf *to)
{
    hs_buf_put_u8(to, ',');
}

/* What makes it better or worse. */
static uint64_t main_of(const Hallsync__PeerStatus *peer, enum hs_cause_id cause)
{
    const uint64_t numbers[] = {cause, peer->conflicts, peer->parked};
    const char *reason = peer->reason != NULL ? peer->reason : "";
    return hash_of(HS_BYTES(numbers, sizeof numbers)) ^ hash_of(HS_BYTES(peer->state, strlen(peer->state))) ^
           hash_of(HS_BYTES(reason, strlen(reason)));
}

static void put_standing(struct hs_buf *to, const Hallsync__PeerStatus *peer, const char *cause)
{
    bool live = strcmp(peer->state, "live") == 0;
    admin_put_text(to, peer->role);
    put_comma(to);
    admin_put_text(to, peer->state);
    put_comma(to);
    admin_put_text(to, peer->reason);
    put_comma(to);
    admin_put_text(to, peer->group);
    put_comma(to);
    admin_put_u64(to, peer->has_since_ms, peer->since_ms / SECOND_MS * SECOND_MS);
    put_comma(to);
    admin_put_u64(to, peer->has_seen_ms && !live, peer->seen_ms);
    put_comma(to);
    admin_put_text(to, cause);
}

static void put_figures(struct hs_buf *to, const Hallsync__PeerStatus *peer)
{
    const struct {
        bool is_there;
        uint64_t value;
    } lags[] = {{peer->has_lag_out_ops, peer->lag_out_ops},
                {peer->has_lag_in_ops, peer->lag_in_ops},
                {peer->has_lag_out_seconds, peer->lag_out_seconds},
                {peer->has_lag_in_seconds, peer->lag_in_seconds}};
    for (size_t i = 0; i < sizeof lags / sizeof *lags; i++) {
        put_comma(to);
        admin_put_u64(to, lags[i].is_there, lags[i].value);
    }
    put_comma(to);
    admin_put_real(to, peer->has_out_ops_per_s, peer->out_ops_per_s);
    put_comma(to);
    admin_put_real(to, peer->has_in_ops_per_s, peer->in_ops_per_s);
    put_comma(to);
    admin_put_u64(to, peer->has_caught_up_ms, peer->caught_up_ms / SECOND_MS * SECOND_MS);
    put_comma(to);
    admin_put_u64(to, peer->has_equal_as_of_ms, peer->equal_as_of_ms);
    put_comma(to);
    admin_put_text(to, peer->comparison);
}

/* What it has said of itself. */
static void put_said(struct hs_buf *to, const Hallsync__PeerStatus *peer)
{
    char name[HS_PARTITION_TEXT_BYTES];
    put_comma(to);
    admin_put_u64(to, peer->has_conflicts, peer->conflicts);
    put_comma(to);
    admin_put_u64(to, peer->has_parked, peer->parked);
    put_comma(to);
    admin_put_real(to, peer->has_disk_days, peer->disk_days);
    put_comma(to);
    admin_put_text(to, peer->disk_level);
    put_comma(to);
    admin_put_u64(to, peer->has_backup_ms, peer->backup_ms);
    put_comma(to);
    admin_put_text(to, peer->version);
    put_comma(to);
    admin_put_s64(to, peer->has_clock_offset_ms, peer->clock_offset_ms / OFFSET_MS * OFFSET_MS);
    put_comma(to);
    hs_buf_put_u8(to, '[');
    for (size_t i = 0; i < peer->n_districts; i++) {
        if (i > 0)
            put_comma(to);
        if (hs_partition_valid(peer->districts[i]))
            admin_put_text(to, hs_partition_text((hs_partition)peer->districts[i], name));
        else
            admin_put_u64(to, true, peer->districts[i]);
    }
    hs_buf_put_u8(to, ']');
}

static const char *id_of(const Hallsync__PeerStatus *peer)
{
    return peer->node_id[0] != '\0' || peer->address == NULL ? peer->node_id : peer->address;
}

static void make_row(struct row *row, const Hallsync__StatusReply *reply, const Hallsync__PeerStatus *peer)
{
    struct hs_cause cause;
    hs_why_peer(reply, peer, &cause);
    snprintf(row->id, sizeof row->id, "%s", id_of(peer));
    row->cause = cause.id;
    row->main_hash = main_of(peer, cause.id);
    row->live = strcmp(peer->state, "live") == 0;
    hs_buf_put_u8(&row->text, '[');
    admin_put_text(&row->text, row->id);
    put_comma(&row->text);
    put_standing(&row->text, peer, hs_cause_row(cause.id)->name);
    put_figures(&row->text, peer);
    put_said(&row->text, peer);
    row->text_hash = hash_of(hs_buf_bytes(&row->text));
}

/* Of two of one id the one that is connected comes first. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int order = strcmp(left->id, right->id);
    return order != 0 ? order : (int)right->live - (int)left->live;
}

/* ---- all of them ---- */

static size_t drop_doubles(struct row *rows, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && strcmp(rows[i].id, rows[kept - 1].id) == 0) {
            hs_buf_fini(&rows[i].text);
            continue;
        }
        if (kept != i)
            rows[kept] = rows[i];
        kept++;
    }
    return kept;
}

static bool make_rows(const Hallsync__StatusReply *reply, struct row **rows, size_t *count)
{
    bool whole = true;
    *rows = calloc(reply->n_peers + 1, sizeof **rows);
    *count = *rows == NULL ? 0 : reply->n_peers;
    for (size_t i = 0; i < *count; i++) {
        make_row(&(*rows)[i], reply, reply->peers[i]);
        whole = whole && (*rows)[i].text.err == HS_OK;
    }
    if (*rows == NULL || !whole) {
        rows_free(*rows, *count);
        return false;
    }
    qsort(*rows, *count, sizeof **rows, compare_rows);
    *count = drop_doubles(*rows, *count);
    return true;
}

static void note_past(struct admin_overview *overview, const struct row *row, uint64_t now_ms)
{
    struct past *past = &overview->past[overview->past_at++ % PAST_MAX];
    *past = (struct past){.time_ms = now_ms, .cause = row->cause};
    memcpy(past->id, row->id, sizeof past->id);
}

/* What was told of it, and its spark if that is still of this minute. */
static void inherit(struct admin_overview *overview, struct row *row, struct row *before, bool same_minute,
                    uint64_t now_ms)
{
    row->told_main = before->told_main;
    row->told_text = before->told_text;
    row->told_spark = before->told_spark;
    row->told_ms = before->told_ms;
    if (row->cause != before->cause)
        note_past(overview, row, now_ms);
    if (!same_minute)
        return;
    row->spark = before->spark;
    row->spark_hash = before->spark_hash;
    before->spark = (struct hs_buf){0};
}

static void make_spark(struct hs_samples *samples, struct row *row)
{
    float values[HS_SPARK_COUNT];
    if (row->spark.size != 0)
        return;
    if (samples == NULL || !hs_samples_spark(samples, row->id, values)) {
        hs_buf_put_format(&row->spark, "null");
    } else {
        for (size_t i = 0; i < HS_SPARK_COUNT; i++) {
            hs_buf_put_u8(&row->spark, i == 0 ? '[' : ',');
            admin_put_u64(&row->spark, !isnan(values[i]), (uint64_t)(isnan(values[i]) ? 0 : values[i]));
        }
        hs_buf_put_u8(&row->spark, ']');
    }
    if (row->spark.err != HS_OK)
        hs_buf_fini(&row->spark); /* tried again with the next status */
    row->spark_hash = hash_of(hs_buf_bytes(&row->spark));
}

static void note_gone(struct admin_overview *overview, const struct row *row)
{
    char(*gone)[ID_BYTES] = realloc(overview->gone, (overview->gone_count + 1) * sizeof *gone);
    if (gone == NULL) {
        overview->missed = true;
        return;
    }
    overview->gone = gone;
    memcpy(gone[overview->gone_count++], row->id, ID_BYTES);
}

/* Both ascend by id. */
static void join(struct admin_overview *overview, struct row *rows, size_t count, bool same_minute, uint64_t now_ms)
{
    size_t k = 0;
    for (size_t i = 0; i < count; i++) {
        while (k < overview->count && strcmp(overview->rows[k].id, rows[i].id) < 0)
            note_gone(overview, &overview->rows[k++]);
        if (k < overview->count && strcmp(overview->rows[k].id, rows[i].id) == 0)
            inherit(overview, &rows[i], &overview->rows[k++], same_minute, now_ms);
        else
            note_past(overview, &rows[i], now_ms);
        make_spark(overview->samples, &rows[i]);
    }
    while (k < overview->count)
        note_gone(overview, &overview->rows[k++]);
}

/* Everything but peers, which are rows, and what only metrics ask for. */
static bool put_node(const Hallsync__StatusReply *reply, struct hs_buf *to)
{
    Hallsync__StatusReply node = *reply;
    node.n_peers = node.n_histograms = 0;
    json_t *json = hs_json_message(&node.base);
    json_object_del(json, "peers");
    json_object_del(json, "histograms");
    char *text = json == NULL || admin_json_lacked() ? NULL : json_dumps(json, JSON_COMPACT);
    if (text != NULL)
        hs_buf_put(to, text, strlen(text));
    free(text);
    json_decref(json);
    return text != NULL && to->err == HS_OK;
}

enum hs_err admin_overview_take(struct admin_overview *overview, const Hallsync__StatusReply *reply, uint64_t now_ms)
{
    struct hs_buf node = {0};
    struct row *rows;
    size_t count;
    bool same_minute = now_ms / MINUTE_MS == overview->minute_ms / MINUTE_MS;
    if (!put_node(reply, &node) || !make_rows(reply, &rows, &count)) {
        hs_buf_fini(&node);
        return HS_ENOMEM;
    }
    pthread_mutex_lock(&overview->lock);
    join(overview, rows, count, same_minute, now_ms);
    rows_free(overview->rows, overview->count);
    hs_buf_fini(&overview->node);
    overview->rows = rows;
    overview->count = count;
    overview->node = node;
    overview->is_told = true;
    overview->as_of_ms = overview->minute_ms = now_ms;
    hs_buf_reset(&overview->answer);
    pthread_mutex_unlock(&overview->lock);
    return HS_OK;
}

/* ---- for those who watch ---- */

static bool figures_due(const struct admin_overview *overview, const struct row *row)
{
    bool changed = row->text_hash != row->told_text || row->spark_hash != row->told_spark;
    return changed && (overview->as_of_ms < row->told_ms || overview->as_of_ms - row->told_ms >= ADMIN_FIGURES_MS);
}

static void put_row(struct hs_buf *to, const struct row *row, bool with_spark)
{
    hs_buf_put_bytes(to, hs_buf_bytes(&row->text));
    put_comma(to);
    if (with_spark && row->spark.size != 0)
        hs_buf_put_bytes(to, hs_buf_bytes(&row->spark));
    else
        admin_put_text(to, NULL); /* the page keeps the one that it has */
    hs_buf_put_u8(to, ']');
}

static size_t tell_rows(struct admin_overview *overview, struct hs_buf *event)
{
    size_t told = 0, figures = 0, last = overview->next;
    for (size_t i = 0; i < overview->count; i++) {
        size_t at = (overview->next + i) % overview->count;
        struct row *row = &overview->rows[at];
        bool is_news = row->main_hash != row->told_main;
        if (!is_news && (figures == ADMIN_FIGURES_ROWS || !figures_due(overview, row)))
            continue;
        figures += !is_news;
        last = is_news ? last : at + 1;
        if (told++ > 0)
            put_comma(event);
        put_row(event, row, row->spark_hash != row->told_spark);
        row->told_main = row->main_hash;
        row->told_text = row->text_hash;
        row->told_spark = row->spark_hash;
        row->told_ms = overview->as_of_ms;
    }
    overview->next = last;
    return told;
}

static void put_times(const struct admin_overview *overview, uint64_t now_ms, struct hs_buf *to)
{
    hs_buf_put_format(to, "{\"now_ms\":%llu,\"as_of_ms\":%llu", (unsigned long long)now_ms,
                      (unsigned long long)overview->as_of_ms);
}

enum hs_err admin_overview_news(struct admin_overview *overview, struct hs_buf *event)
{
    pthread_mutex_lock(&overview->lock);
    bool with_node = overview->turns++ % NODE_TURNS == 0;
    put_times(overview, overview->as_of_ms, event);
    hs_buf_put_format(event, ",\"rows\":[");
    size_t told = tell_rows(overview, event);
    hs_buf_put_format(event, "],\"gone\":[");
    for (size_t i = 0; i < overview->gone_count; i++) {
        if (i > 0)
            put_comma(event);
        admin_put_text(event, overview->gone[i]);
    }
    hs_buf_put_u8(event, ']');
    if (with_node) {
        hs_buf_put_format(event, ",\"node\":");
        hs_buf_put_bytes(event, hs_buf_bytes(&overview->node));
    }
    hs_buf_put_u8(event, '}');
    bool is_news = told > 0 || overview->gone_count > 0 || with_node;
    bool missed = overview->missed || event->err != HS_OK;
    overview->gone_count = 0;
    overview->missed = false;
    pthread_mutex_unlock(&overview->lock);
    return missed ? HS_ENOMEM : is_news ? HS_OK : HS_ENOTFOUND;
}

/* ---- whole ---- */

/* Under the lock: who comes meanwhile finds it made. */
static enum hs_err make_answer(struct admin_overview *overview, uint64_t now_ms)
{
    struct hs_buf text = {0};
    put_times(overview, now_ms, &text);
    hs_buf_put_format(&text, ",\"node\":");
    hs_buf_put_bytes(&text, hs_buf_bytes(&overview->node));
    hs_buf_put_format(&text, ",\"columns\":%s,\"rows\":[", COLUMNS);
    for (size_t i = 0; i < overview->count; i++) {
        if (i > 0)
            put_comma(&text);
        put_row(&text, &overview->rows[i], true);
    }
    hs_buf_put_format(&text, "]}");
    size_t size = text.size;
    if (text.err != HS_OK || !admin_gzip(&text)) {
        hs_buf_fini(&text);
        return HS_ENOMEM;
    }
    hs_buf_fini(&overview->answer);
    overview->answer = text;
    overview->answer_size = size;
    overview->answer_ms = now_ms;
    return HS_OK;
}

enum hs_err admin_overview_put(struct admin_overview *overview, uint64_t now_ms, struct hs_buf *gzip, size_t *size)
{
    enum hs_err err = HS_OK;
    pthread_mutex_lock(&overview->lock);
    bool is_old = overview->answer.size == 0 || now_ms < overview->answer_ms || now_ms - overview->answer_ms > KEEP_MS;
    if (!overview->is_told)
        err = HS_ENOTHERE;
    else if (is_old)
        err = make_answer(overview, now_ms);
    if (err == HS_OK) {
        hs_buf_put_bytes(gzip, hs_buf_bytes(&overview->answer));
        *size = overview->answer_size;
    }
    pthread_mutex_unlock(&overview->lock);
    return err == HS_OK ? gzip->err : err;
}

void admin_overview_put_past(struct admin_overview *overview, const char *node_id, struct hs_buf *to)
{
    size_t told = 0;
    pthread_mutex_lock(&overview->lock);
    size_t kept = overview->past_at < PAST_MAX ? overview->past_at : PAST_MAX;
    hs_buf_put_u8(to, '[');
    for (size_t i = 1; i <= kept; i++) {
        const struct past *past = &overview->past[(overview->past_at - i) % PAST_MAX];
        const struct hs_cause_row *row = hs_cause_row(past->cause);
        if (strcmp(past->id, node_id) != 0)
            continue;
        hs_buf_put_format(to, "%s{\"time_ms\":%llu,\"code\":", told++ > 0 ? "," : "",
                          (unsigned long long)past->time_ms);
        admin_put_text(to, row->name);
        hs_buf_put_format(to, ",\"en\":");
        admin_put_text(to, row->en);
        hs_buf_put_format(to, ",\"zh\":");
        admin_put_text(to, row->zh);
        hs_buf_put_u8(to, '}');
    }
    hs_buf_put_u8(to, ']');
    pthread_mutex_unlock(&overview->lock);
}

/* ---- its life ---- */

enum hs_err admin_overview_new(struct admin_overview **out)
{
    struct admin_overview *overview = calloc(1, sizeof *overview);
    if (overview == NULL)
        return HS_ENOMEM;
    pthread_mutex_init(&overview->lock, NULL);
    *out = overview;
    return HS_OK;
}

void admin_overview_use(struct admin_overview *overview, struct hs_samples *samples)
{
    pthread_mutex_lock(&overview->lock);
    overview->samples = samples;
    pthread_mutex_unlock(&overview->lock);
}

void admin_overview_free(struct admin_overview *overview)
{
    if (overview == NULL)
        return;
    rows_free(overview->rows, overview->count);
    free(overview->gone);
    hs_buf_fini(&overview->node);
    hs_buf_fini(&overview->answer);
    pthread_mutex_destroy(&overview->lock);
    free(overview);
}
