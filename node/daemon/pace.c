#include "node/daemon/pace.h"

#define LEAST_PER_S 0.001 /* less is what is left of a mean over what went by long ago */

static bool has_fallen(const struct pace *pace, const struct pace_look *look)
{
    for (int i = 0; i < PACE_COUNTS; i++) {
        if (look->counts[i] < pace->last.counts[i])
            return true;
    }
    return false;
}

static void begin(struct pace *pace, uint64_t now_ms, const struct pace_look *look)
{
    *pace = (struct pace){.at_ms = now_ms, .begun = true, .last = *look};
    for (int i = 0; i < PACE_LAGS; i++) {
        pace->restarted_ms[i] = pace->shrunk_ms[i] = now_ms;
        pace->most[i] = look->lags[i];
    }
}

/* @part: how much of the mean is new. */
static void mix(double *mean, double value, double part)
{
    *mean += (value - *mean) * part;
}

/* It was never so much; or so much has come at once that what was known of it says nothing any more. */
static bool is_leap(uint64_t most, uint64_t before, uint64_t now)
{
    return now > most || (now > before && now - before > before / 8 + 10);
}

static void note_lag(struct pace *pace, uint64_t now_ms, int lag, uint64_t now, double seconds, double part)
{
    uint64_t before = pace->last.lags[lag];
    bool goes_on = now < before && now_ms >= pace->shrunk_ms[lag] + PACE_STILL_MS;
    if (now < before)
        pace->shrunk_ms[lag] = now_ms;
    if (goes_on || is_leap(pace->most[lag], before, now)) {
        pace->most[lag] = now;
        pace->restarted_ms[lag] = now_ms;
        pace->shrinks[lag] = pace->weights[lag] = 0;
        return;
    }
    mix(&pace->shrinks[lag], ((double)before - (double)now) / seconds, part);
    mix(&pace->weights[lag], 1, part);
}

void pace_note(struct pace *pace, uint64_t now_ms, const struct pace_look *look)
{
    if (!pace->begun || has_fallen(pace, look)) {
        begin(pace, now_ms, look);
        return;
    }
    if (now_ms < pace->at_ms + PACE_LOOK_MS)
        return;
    double took_ms = (double)(now_ms - pace->at_ms), seconds = took_ms / 1000;
    double part = took_ms / (PACE_MEAN_MS + took_ms);
    for (int i = 0; i < PACE_COUNTS; i++)
        mix(&pace->rates[i], (double)(look->counts[i] - pace->last.counts[i]) / seconds, part);
    mix(&pace->weight, 1, part);
    for (int i = 0; i < PACE_LAGS; i++)
        note_lag(pace, now_ms, i, look->lags[i], seconds, part);
    pace->at_ms = now_ms;
    pace->last = *look;
}

bool pace_rate(const struct pace *pace, enum pace_count count, double *per_s)
{
    *per_s = 0;
    if (pace->weight <= 0)
        return false;
    if (pace->rates[count] / pace->weight >= LEAST_PER_S)
        *per_s = pace->rates[count] / pace->weight;
    return true;
}

/* Until that lag is gone; false: nobody knows. */
static bool lag_left_ms(const struct pace *pace, int lag, double *left_ms)
{
    bool is_known = pace->weights[lag] > 0 && pace->at_ms >= pace->restarted_ms[lag] + PACE_KNOWN_MS &&
                    pace->at_ms < pace->shrunk_ms[lag] + PACE_STILL_MS;
    double shrink = is_known ? pace->shrinks[lag] / pace->weights[lag] : 0;
    if (shrink < LEAST_PER_S)
        return false;
    *left_ms = (double)pace->last.lags[lag] * 1000 / shrink;
    return *left_ms <= (double)PACE_LEFT_MAX_MS;
}

bool pace_left_ms(const struct pace *pace, uint64_t *left_ms)
{
    double most = 0, left;
    for (int i = 0; i < PACE_LAGS; i++) {
        if (pace->last.lags[i] == 0)
            continue;
        if (!lag_left_ms(pace, i, &left))
            return false;
        most = left > most ? left : most;
    }
    *left_ms = (uint64_t)most;
    return most > 0;
}
