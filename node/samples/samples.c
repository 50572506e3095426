#include "node/samples/samples.h"

#include "node/samples/file.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MONTH_MS  ((uint64_t)30 * 24 * 3600 * 1000)
#define HOUR_MS   ((uint64_t)3600 * 1000)
#define MINUTE_MS ((uint64_t)60 * 1000)

struct hs_samples {
    int fd;
    pthread_mutex_t lock;
    uint64_t last_ms, told_ms;                 /* the last sample's step; when the times in the table were written */
    struct place places[HS_SAMPLES_PEERS_MAX]; /* as in the file, but for the time of the last sample */
    uint16_t order[HS_SAMPLES_PEERS_MAX];      /* of those that are somebody's, by id */
    size_t count;                              /* of them */
    bool sparks_are_old;
    float sparks[HS_SAMPLES_PEERS_MAX][HS_SPARK_COUNT];
};

const char *hs_measure_name(enum hs_measure measure)
{
    static const char *const NAMES[] = {[HS_MEASURE_LINK] = "link",
                                        [HS_MEASURE_LAG_OUT_OPS] = "lag_out_ops",
                                        [HS_MEASURE_LAG_IN_OPS] = "lag_in_ops",
                                        [HS_MEASURE_LAG_SECONDS] = "lag_seconds",
                                        [HS_MEASURE_OUT_OPS_PER_S] = "out_ops_per_s",
                                        [HS_MEASURE_IN_OPS_PER_S] = "in_ops_per_s",
                                        [HS_MEASURE_OUT_BYTES_PER_S] = "out_bytes_per_s",
                                        [HS_MEASURE_IN_BYTES_PER_S] = "in_bytes_per_s"};
    return NAMES[measure];
}

static uint64_t step_of(uint64_t time_ms, uint64_t step_ms)
{
    return time_ms / step_ms * step_ms;
}

/* ---- who has which place ---- */

/* Where the id stands in the order, or would. */
static size_t order_of(const struct hs_samples *samples, const char *node_id, bool *found)
{
    size_t low = 0, high = samples->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(samples->places[samples->order[middle]].node_id, node_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < samples->count && strcmp(samples->places[samples->order[low]].node_id, node_id) == 0;
    return low;
}

static const struct place *place_of(const struct hs_samples *samples, const char *node_id)
{
    bool found;
    size_t at = order_of(samples, node_id, &found);
    return found ? &samples->places[samples->order[at]] : NULL;
}

static void enter(struct hs_samples *samples, size_t at)
{
    bool found;
    size_t to = order_of(samples, samples->places[at].node_id, &found);
    if (found) { /* a table that says so twice has rotted */
        samples->places[at] = (struct place){0};
        return;
    }
    memmove(&samples->order[to + 1], &samples->order[to], (samples->count - to) * sizeof *samples->order);
    samples->order[to] = (uint16_t)at;
    samples->count++;
}

static void leave(struct hs_samples *samples, size_t at)
{
    bool found;
    size_t from = order_of(samples, samples->places[at].node_id, &found);
    samples->count--;
    memmove(&samples->order[from], &samples->order[from + 1], (samples->count - from) * sizeof *samples->order);
    samples->places[at] = (struct place){0};
}

static enum hs_err forget(struct hs_samples *samples, uint64_t now_ms)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < HS_SAMPLES_PEERS_MAX && err == HS_OK; i++) {
        const struct place *place = &samples->places[i];
        if (place->node_id[0] == '\0' || now_ms <= place->last_ms || now_ms - place->last_ms <= MONTH_MS)
            continue;
        leave(samples, i);
        err = file_write_place(samples->fd, i, &samples->places[i]);
    }
    return err;
}

/* The first that is nobody's, or of whoever was away longest. */
static size_t free_place(struct hs_samples *samples, uint64_t now_ms)
{
    size_t longest = HS_SAMPLES_PEERS_MAX;
    for (size_t i = 0; i < HS_SAMPLES_PEERS_MAX; i++) {
        const struct place *place = &samples->places[i];
        if (place->node_id[0] == '\0')
            return i;
        if (now_ms > place->last_ms + HOUR_MS &&
            (longest == HS_SAMPLES_PEERS_MAX || place->last_ms < samples->places[longest].last_ms))
            longest = i;
    }
    if (longest != HS_SAMPLES_PEERS_MAX)
        leave(samples, longest);
    return longest;
}

/* Its place from now on; NULL: there is none. */
static struct place *take_place(struct hs_samples *samples, const char *node_id, uint64_t now_ms, enum hs_err *err)
{
    bool found;
    size_t size = strlen(node_id), at = order_of(samples, node_id, &found);
    struct place *place = found ? &samples->places[samples->order[at]] : NULL;
    if (found && place->first_ms > now_ms) { /* by a clock that was wrong */
        place->first_ms = now_ms;
        *err = file_write_place(samples->fd, (size_t)(place - samples->places), place);
    }
    if (found || size == 0 || size > HS_NODE_ID_BYTES_MAX)
        return place;
    at = free_place(samples, now_ms);
    if (at == HS_SAMPLES_PEERS_MAX)
        return NULL;
    place = &samples->places[at];
    *place = (struct place){.first_ms = now_ms, .last_ms = now_ms};
    memcpy(place->node_id, node_id, size);
    enter(samples, at);
    for (size_t i = 0; i < HS_SPARK_COUNT; i++)
        samples->sparks[at][i] = NAN;
    *err = file_write_place(samples->fd, at, place);
    return place;
}

/* ---- folding ---- */

static bool block_used(const struct hs_samples *samples, size_t block)
{
    for (size_t i = 0; i < BLOCK_PEERS; i++) {
        if (samples->places[block * BLOCK_PEERS + i].node_id[0] != '\0')
            return true;
    }
    return false;
}

/* What the row says of that place; false: nothing, or of whoever had it before. */
static bool sample_at(const struct hs_samples *samples, const struct row *row, size_t at, uint64_t end_ms,
                      float values[static HS_MEASURE_COUNT])
{
    const struct place *place = &samples->places[at];
    return place->node_id[0] != '\0' && end_ms > place->first_ms &&
           sample_decode(ROW_SAMPLE(row, at % BLOCK_PEERS), values);
}

static enum hs_err fold_block(const struct hs_samples *samples, size_t block, enum tier to, uint64_t time_ms)
{
    uint64_t step_ms = TIERS[to - 1].step_ms;
    struct fold folds[BLOCK_PEERS] = {0};
    float values[HS_MEASURE_COUNT];
    struct row row;
    for (uint64_t at_ms = time_ms; at_ms < time_ms + TIERS[to].step_ms; at_ms += step_ms) {
        if (!file_read_row(samples->fd, block, to - 1, at_ms, &row))
            continue;
        for (size_t i = 0; i < BLOCK_PEERS; i++) {
            if (sample_at(samples, &row, block * BLOCK_PEERS + i, at_ms + step_ms, values))
                fold_add(&folds[i], values);
        }
    }
    row = (struct row){0};
    for (size_t i = 0; i < BLOCK_PEERS; i++) {
        if (fold_end(&folds[i], values))
            sample_encode(values, ROW_SAMPLE(&row, i));
    }
    return file_write_row(samples->fd, block, to, time_ms, &row);
}

static enum hs_err fold_tier(const struct hs_samples *samples, enum tier to, uint64_t time_ms)
{
    enum hs_err err = HS_OK;
    for (size_t block = 0; block < BLOCKS_MAX && err == HS_OK; block++) {
        if (block_used(samples, block))
            err = fold_block(samples, block, to, time_ms);
    }
    return err;
}

/* ---- the last hour, in memory ---- */

static void put_sparks(struct hs_samples *samples, const struct row *row, size_t block, size_t minute, uint64_t end_ms)
{
    float values[HS_MEASURE_COUNT];
    for (size_t i = 0; i < BLOCK_PEERS; i++) {
        size_t at = block * BLOCK_PEERS + i;
        if (!sample_at(samples, row, at, end_ms, values))
            continue;
        float out = values[HS_MEASURE_LAG_OUT_OPS], in = values[HS_MEASURE_LAG_IN_OPS];
        samples->sparks[at][minute] = isnan(out) ? in : isnan(in) ? out : out + in;
    }
}

/* Of the minutes before that of the last sample; once a minute, if somebody looks. */
static void make_sparks(struct hs_samples *samples)
{
    uint64_t end_ms = step_of(samples->last_ms, MINUTE_MS);
    samples->sparks_are_old = false;
    struct row row;
    for (size_t i = 0; i < HS_SAMPLES_PEERS_MAX; i++) {
        for (size_t k = 0; k < HS_SPARK_COUNT; k++)
            samples->sparks[i][k] = NAN;
    }
    for (size_t block = 0; block < BLOCKS_MAX; block++) {
        for (size_t k = 0; k < HS_SPARK_COUNT && block_used(samples, block); k++) {
            uint64_t before_ms = (HS_SPARK_COUNT - k) * MINUTE_MS;
            if (before_ms <= end_ms && file_read_row(samples->fd, block, TIER_MINUTE, end_ms - before_ms, &row))
                put_sparks(samples, &row, block, k, end_ms - before_ms + MINUTE_MS);
        }
    }
}

bool hs_samples_spark(struct hs_samples *samples, const char *node_id, float to[static HS_SPARK_COUNT])
{
    pthread_mutex_lock(&samples->lock);
    const struct place *place = place_of(samples, node_id);
    if (samples->sparks_are_old)
        make_sparks(samples);
    for (size_t i = 0; i < HS_SPARK_COUNT; i++)
        to[i] = place == NULL ? NAN : samples->sparks[place - samples->places][i];
    pthread_mutex_unlock(&samples->lock);
    return place != NULL;
}

/* ---- adding ---- */

/* What ended between the last sample and now: its minute, and its hour. */
static enum hs_err fold_ended(struct hs_samples *samples, uint64_t now_ms)
{
    uint64_t minute = step_of(samples->last_ms, MINUTE_MS), hour = step_of(samples->last_ms, HOUR_MS);
    enum hs_err err = HS_OK;
    if (minute == step_of(now_ms, MINUTE_MS))
        return HS_OK;
    if (samples->last_ms != 0)
        err = fold_tier(samples, TIER_MINUTE, minute);
    if (err == HS_OK && samples->last_ms != 0 && hour != step_of(now_ms, HOUR_MS))
        err = fold_tier(samples, TIER_HOUR, hour);
    samples->sparks_are_old = true;
    return err;
}

/* Times of the last sample, for who starts next. */
static enum hs_err write_times(struct hs_samples *samples, uint64_t now_ms)
{
    enum hs_err err = HS_OK;
    if (step_of(now_ms, HOUR_MS) == samples->told_ms)
        return HS_OK;
    for (size_t i = 0; i < samples->count && err == HS_OK; i++)
        err = file_write_place(samples->fd, samples->order[i], &samples->places[samples->order[i]]);
    samples->told_ms = step_of(now_ms, HOUR_MS);
    return err;
}

static enum hs_err write_samples(struct hs_samples *samples, struct row *rows, uint64_t now_ms)
{
    enum hs_err err = HS_OK;
    for (size_t block = 0; block < BLOCKS_MAX && err == HS_OK; block++) {
        if (block_used(samples, block))
            err = file_write_row(samples->fd, block, TIER_SAMPLE, step_of(now_ms, HS_SAMPLES_EVERY_MS), &rows[block]);
    }
    return err;
}

static enum hs_err add(struct hs_samples *samples, uint64_t now_ms, const struct hs_sample *peers, size_t count)
{
    struct row *rows = calloc(BLOCKS_MAX, sizeof *rows);
    if (rows == NULL)
        return HS_ENOMEM;
    enum hs_err err = fold_ended(samples, now_ms);
    for (size_t i = 0; i < count && err == HS_OK; i++) {
        struct place *place = take_place(samples, peers[i].node_id, now_ms, &err);
        float before[HS_MEASURE_COUNT];
        if (place == NULL)
            continue;
        size_t at = (size_t)(place - samples->places);
        uint8_t *to = ROW_SAMPLE(&rows[at / BLOCK_PEERS], at % BLOCK_PEERS);
        place->last_ms = now_ms;
        if (!sample_decode(to, before) || peers[i].values[HS_MEASURE_LINK] > before[HS_MEASURE_LINK])
            sample_encode(peers[i].values, to);
    }
    if (err == HS_OK)
        err = write_samples(samples, rows, now_ms);
    if (err == HS_OK)
        err = forget(samples, now_ms);
    if (err == HS_OK)
        err = write_times(samples, now_ms);
    free(rows);
    return err;
}

enum hs_err hs_samples_add(struct hs_samples *samples, uint64_t now_ms, const struct hs_sample *peers, size_t count)
{
    enum hs_err err = HS_OK;
    pthread_mutex_lock(&samples->lock);
    if (step_of(now_ms, HS_SAMPLES_EVERY_MS) != samples->last_ms) {
        err = add(samples, now_ms, peers, count);
        samples->last_ms = step_of(now_ms, HS_SAMPLES_EVERY_MS); /* after a failure, too: not again at once */
    }
    pthread_mutex_unlock(&samples->lock);
    return err;
}

/* ---- reading ---- */

static const struct {
    const char *text;
    enum tier tier;
    unsigned rows; /* that are folded into one */
    size_t count;
} SPANS[] = {
    [HS_SPAN_HOUR] = {"hour", TIER_SAMPLE, 1, 360},
    [HS_SPAN_DAY] = {"day", TIER_MINUTE, 2, 720},
    [HS_SPAN_MONTH] = {"month", TIER_HOUR, 1, 720},
};

bool hs_span_parse(const char *text, enum hs_span *span)
{
    for (size_t i = 0; i < sizeof SPANS / sizeof *SPANS; i++) {
        if (strcmp(text, SPANS[i].text) != 0)
            continue;
        *span = (enum hs_span)i;
        return true;
    }
    return false;
}

static void read_step(const struct hs_samples *samples, size_t at, enum tier tier, uint64_t time_ms, uint64_t step_ms,
                      float values[static HS_MEASURE_COUNT])
{
    struct fold fold = {0};
    struct row row;
    for (uint64_t at_ms = time_ms; at_ms < time_ms + step_ms; at_ms += TIERS[tier].step_ms) {
        if (file_read_row(samples->fd, at / BLOCK_PEERS, tier, at_ms, &row) &&
            sample_at(samples, &row, at, at_ms + TIERS[tier].step_ms, values))
            fold_add(&fold, values);
    }
    fold_end(&fold, values);
}

enum hs_err hs_samples_read(struct hs_samples *samples, const char *node_id, enum hs_span span, uint64_t now_ms,
                            struct hs_series *series)
{
    uint64_t step_ms = TIERS[SPANS[span].tier].step_ms * SPANS[span].rows;
    size_t count = SPANS[span].count;
    float values[HS_MEASURE_COUNT];
    uint64_t end_ms = step_of(now_ms, step_ms) + step_ms;
    uint64_t from_ms = end_ms > count * step_ms ? end_ms - count * step_ms : 0;
    series->from_ms = from_ms;
    series->step_ms = step_ms;
    series->count = count;
    pthread_mutex_lock(&samples->lock);
    const struct place *place = place_of(samples, node_id);
    for (size_t i = 0; i < count && place != NULL; i++) {
        read_step(samples, (size_t)(place - samples->places), SPANS[span].tier, from_ms + i * step_ms, step_ms, values);
        for (int k = 0; k < HS_MEASURE_COUNT; k++)
            series->values[k][i] = values[k];
    }
    pthread_mutex_unlock(&samples->lock);
    return place == NULL ? HS_ENOTFOUND : HS_OK;
}

/* ---- opening ---- */

static void load(struct hs_samples *samples, uint64_t now_ms)
{
    file_read_places(samples->fd, samples->places);
    for (size_t i = 0; i < HS_SAMPLES_PEERS_MAX; i++) {
        if (samples->places[i].node_id[0] != '\0')
            enter(samples, i);
    }
    for (size_t block = 0; block < BLOCKS_MAX && samples->last_ms == 0; block++) {
        if (block_used(samples, block))
            samples->last_ms = file_last_ms(samples->fd, block, now_ms);
    }
    samples->sparks_are_old = true;
}

enum hs_err hs_samples_open(const char *path, uint64_t now_ms, struct hs_samples **out, bool *anew, struct hs_why *why)
{
    enum file_state state = FILE_NEW;
    struct hs_samples *samples = calloc(1, sizeof *samples);
    *anew = false;
    if (samples == NULL)
        return hs_fail(HS_ENOMEM, why, "cannot open %.200s: out of memory", path);
    enum hs_err err = file_open(path, &samples->fd, &state, why);
    if (err != HS_OK) {
        free(samples);
        return err;
    }
    pthread_mutex_init(&samples->lock, NULL);
    if (state != FILE_KNOWN)
        err = file_begin(samples->fd);
    if (err != HS_OK) {
        hs_samples_close(samples);
        return hs_fail(err, why, "cannot write %.200s: %s", path, hs_err_text(err));
    }
    load(samples, now_ms);
    *anew = state == FILE_STRANGE;
    if (*anew)
        hs_fail(HS_OK, why, "%.200s was not a whole file of samples: it was made anew, and what was in it is gone",
                path);
    *out = samples;
    return HS_OK;
}

void hs_samples_close(struct hs_samples *samples)
{
    if (samples == NULL)
        return;
    for (size_t i = 0; i < samples->count; i++) { /* best effort: they are at most an hour old */
        if (file_write_place(samples->fd, samples->order[i], &samples->places[samples->order[i]]) != HS_OK)
            break;
    }
    close(samples->fd);
    pthread_mutex_destroy(&samples->lock);
    free(samples);
}
