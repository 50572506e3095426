#include "node/disk/growth.h"

#include <string.h>

#define HOUR_MS ((uint64_t)3600 * 1000)
#define DAY_MS  (24 * HOUR_MS)

void hs_growth_note(struct hs_growth *growth, uint64_t now_ms, uint64_t bytes, bool once)
{
    size_t old = 0;
    if (once)
        growth->count = 0;
    growth->at_ms = now_ms;
    growth->bytes = bytes;
    if (growth->count > 0 && now_ms < growth->marks[growth->count - 1].at_ms + HOUR_MS)
        return;
    while (old < growth->count &&
           (growth->count - old == HS_GROWTH_MARKS || growth->marks[old].at_ms + DAY_MS < now_ms))
        old++;
    growth->count -= old;
    memmove(growth->marks, growth->marks + old, growth->count * sizeof *growth->marks);
    growth->marks[growth->count].at_ms = now_ms;
    growth->marks[growth->count].bytes = bytes;
    growth->count++;
}

bool hs_growth_days(const struct hs_growth *growth, uint64_t room, double *days)
{
    if (growth->count == 0 || growth->at_ms < growth->marks[0].at_ms + HOUR_MS ||
        growth->bytes <= growth->marks[0].bytes)
        return false;
    double grown = (double)(growth->bytes - growth->marks[0].bytes);
    double known_days = (double)(growth->at_ms - growth->marks[0].at_ms) / (double)DAY_MS;
    *days = (double)room / (grown / known_days);
    return *days <= HS_GROWTH_DAYS_MAX;
}
