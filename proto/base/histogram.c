#include "proto/base/histogram.h"

#include <time.h>

#define MS 1000ULL
#define S  1000000ULL

const struct hs_bounds HS_BOUNDS_WORK = {
    .count = 14,
    .us = {MS / 2, MS, 5 * MS / 2, 5 * MS, 10 * MS, 25 * MS, 50 * MS, 100 * MS, 250 * MS, 500 * MS, S, 5 * S / 2, 5 * S,
           10 * S},
};
const struct hs_bounds HS_BOUNDS_WAY = {
    .count = 15,
    .us = {50 * MS, 100 * MS, 250 * MS, 500 * MS, S, 5 * S / 2, 5 * S, 10 * S, 30 * S, 60 * S, 300 * S, 1800 * S,
           3600 * S, 6 * 3600 * S, 24 * 3600 * S},
};

void hs_histogram_add(struct hs_histogram *histogram, uint64_t us)
{
    const struct hs_bounds *bounds = histogram->bounds;
    size_t at = 0;
    if (bounds == NULL)
        return;
    while (at < bounds->count && us > bounds->us[at])
        at++;
    atomic_fetch_add_explicit(&histogram->counts[at], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, us, memory_order_relaxed);
}

uint64_t hs_tick_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * S + (uint64_t)now.tv_nsec / 1000;
}
