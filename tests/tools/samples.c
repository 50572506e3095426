/* hallsync-make-samples FILE SEED NODE... -- a month of samples up to now, as of a working region: halls are switched
 * off at night, lose their lines now and then, and fall behind while they have none; for one evening nobody looked.
 * hallsync-admin is not to be running. */
#include "node/samples/samples.h"
#include "proto/base/thread.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND    1000ULL
#define MINUTE    (60 * SECOND)
#define HOUR      (60 * MINUTE)
#define DAY       (24 * HOUR)
#define REGION_MS (8 * HOUR) /* east of Greenwich */
#define NODES_MAX 1000

static uint64_t state;

/* xorshift64*: from 0 to 1. */
static double chance(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (double)(state * 0x2545f4914f6cdd1dULL >> 11) / 9007199254740992.0;
}

struct hall {
    double lag;
    uint64_t back_ms; /* its line is down until then */
};

static struct hs_sample step(struct hall *hall, const char *node_id, uint64_t now_ms, uint64_t step_ms)
{
    uint64_t clock = (now_ms + REGION_MS) % DAY;
    bool works = clock >= 8 * HOUR && clock < 18 * HOUR;
    double seconds = (double)step_ms / SECOND, rate = works ? 0.2 + 0.3 * chance() : 0;
    if (works && chance() < seconds / 200000)
        hall->back_ms = now_ms + (uint64_t)(chance() * 3 * HOUR);
    bool up = now_ms >= hall->back_ms && clock >= 7 * HOUR && clock < 20 * HOUR;
    double sent = up ? fmin(hall->lag + rate * seconds, 40 * seconds) : 0;
    hall->lag += rate * seconds - sent;
    return (struct hs_sample){.node_id = node_id,
                              .values = {[HS_MEASURE_LINK] = up,
                                         [HS_MEASURE_LAG_OUT_OPS] = up ? (float)(chance() < 0.1 ? 1 : 0) : NAN,
                                         [HS_MEASURE_LAG_IN_OPS] = (float)hall->lag,
                                         [HS_MEASURE_LAG_SECONDS] = up ? 0 : (float)(hall->lag * 3),
                                         [HS_MEASURE_OUT_OPS_PER_S] = up ? (float)(rate * 2) : NAN,
                                         [HS_MEASURE_IN_OPS_PER_S] = up ? (float)(sent / seconds) : NAN,
                                         [HS_MEASURE_OUT_BYTES_PER_S] = up ? (float)(40 + rate * 700) : NAN,
                                         [HS_MEASURE_IN_BYTES_PER_S] = up ? (float)(40 + sent / seconds * 350) : NAN}};
}

/* As finely as it will be kept. */
static uint64_t step_at(uint64_t age_ms)
{
    return age_ms > 25 * HOUR ? 10 * MINUTE : age_ms > 2 * HOUR ? MINUTE : HS_SAMPLES_EVERY_MS;
}

static enum hs_err fill(struct hs_samples *samples, char **names, size_t count)
{
    static struct hall halls[NODES_MAX];
    static struct hs_sample all[NODES_MAX];
    uint64_t now = hs_now_ms(), step_ms = 0;
    enum hs_err err = HS_OK;
    for (uint64_t at = now - 30 * DAY; at < now && err == HS_OK; at += step_ms) {
        step_ms = step_at(now - at);
        for (size_t i = 0; i < count; i++)
            all[i] = step(&halls[i], names[i], at, step_ms);
        bool nobody_looks = at > now - 12 * DAY && at < now - 12 * DAY + 6 * HOUR;
        if (!nobody_looks)
            err = hs_samples_add(samples, at, all, count);
    }
    return err;
}

int main(int argc, char **argv)
{
    struct hs_samples *samples = NULL;
    struct hs_why why = {""};
    bool anew;
    if (argc < 4 || argc - 3 > NODES_MAX) {
        fprintf(stderr, "hallsync-make-samples FILE SEED NODE...\n");
        return 2;
    }
    state = strtoull(argv[2], NULL, 10) * 2 + 1;
    enum hs_err err = hs_samples_open(argv[1], hs_now_ms(), &samples, &anew, &why);
    if (err == HS_OK)
        err = fill(samples, argv + 3, (size_t)argc - 3);
    hs_samples_close(samples);
    if (err != HS_OK)
        fprintf(stderr, "%s: %s\n", hs_err_name(err), why.text);
    return err == HS_OK ? 0 : 1;
}
