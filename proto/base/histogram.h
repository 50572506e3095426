/* histogram.h -- how long things take, counted in fixed buckets.  Lock-free: any thread may add, any thread may read;
 * what is read while others add may lack the last of them.  Zero-initialise, with the
 * bounds; one without bounds counts nothing. */
#ifndef HS_BASE_HISTOGRAM_H
#define HS_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define HS_BOUNDS_MAX 16

struct hs_bounds {
    size_t count;
    uint64_t us[HS_BOUNDS_MAX]; /* upper bounds, ascending */
};
extern const struct hs_bounds HS_BOUNDS_WORK; /* commits, requests: 0.5 ms to 10 s */
extern const struct hs_bounds HS_BOUNDS_WAY;  /* from node to node: 50 ms to a day */

struct hs_histogram {
    const struct hs_bounds *bounds;
    _Atomic uint64_t counts[HS_BOUNDS_MAX + 1]; /* up to each bound; behind them: above all */
    _Atomic uint64_t sum_us;
};
void hs_histogram_add(struct hs_histogram *histogram, uint64_t us);
uint64_t hs_tick_us(void); /* of the monotonic clock */

#endif
