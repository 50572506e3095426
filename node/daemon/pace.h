/* pace.h -- how fast a session goes, and when it will have caught up: from counts and lags that are looked at now and
 * then.  Pure: the clock is an argument. */
#ifndef HS_DAEMON_PACE_H
#define HS_DAEMON_PACE_H

#include "proto/base/names.h"

/* What only grows. */
enum pace_count {
    PACE_OUT_OPS, /* by lane, [0] unused */
    PACE_IN_OPS = PACE_OUT_OPS + HS_LANE_COUNT,
    PACE_OUT_BYTES = PACE_IN_OPS + HS_LANE_COUNT,
    PACE_IN_BYTES,
    PACE_COUNTS
};
/* What grows and shrinks, and is to come to nothing. */
enum pace_lag { PACE_LAG_OUT, PACE_LAG_IN, PACE_LAG_STATES, PACE_LAGS };

struct pace_look {
    uint64_t counts[PACE_COUNTS], lags[PACE_LAGS];
};

/* Means over about the last minute, each look weighing by the time since the one before; of a session that is younger,
 * over its life.  Zeroed: nothing is known yet. */
struct pace {
    uint64_t at_ms, restarted_ms[PACE_LAGS], shrunk_ms[PACE_LAGS]; /* monotonic */
    bool begun;
    struct pace_look last;
    uint64_t most[PACE_LAGS];          /* since then */
    double rates[PACE_COUNTS], weight; /* sums of rates, and of their weights */
    double shrinks[PACE_LAGS], weights[PACE_LAGS];
};

/* Looks that are less than a second apart are one.  Counts that have fallen are of another session: all begins anew. */
void pace_note(struct pace *pace, uint64_t now_ms, const struct pace_look *look);
/* A second; false: not known yet. */
bool pace_rate(const struct pace *pace, enum pace_count count, double *per_s);
/* Until nothing waits any more, at the speed at which it becomes less; what comes meanwhile is in that.  False: nothing
 * waits; or some of it does not become less, or did not for PACE_STILL_MS, behind which it is
 * looked at anew; or not enough is known, as for some seconds
 * after a lot has come at once; or it would take more than PACE_LEFT_MAX_MS. */
bool pace_left_ms(const struct pace *pace, uint64_t *left_ms);

#define PACE_LOOK_MS     1000
#define PACE_MEAN_MS     60000
#define PACE_KNOWN_MS    5000
#define PACE_STILL_MS    15000
#define PACE_LEFT_MAX_MS (30 * 24 * 3600 * 1000ULL)

#endif
