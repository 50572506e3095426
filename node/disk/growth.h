/* growth.h -- how fast a store grows, and how long room lasts for it.  Pure: the clock is an argument.
 *
 * The store's bytes are noted each hour and kept for a day, in memory: after a start nothing is said for an hour, and
 * then by the hours that are known, until it is a day.  Without a link nothing of a node's own is dropped for age, so
 * what grows, stays. */
#ifndef HS_DISK_GROWTH_H
#define HS_DISK_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HS_GROWTH_MARKS 25 /* a day, and the hour that is under way */

struct hs_growth {
    struct {
        uint64_t at_ms, bytes;
    } marks[HS_GROWTH_MARKS]; /* ascending by time */
    size_t count;
    uint64_t at_ms, bytes; /* as noted last */
};

/* @now_ms: monotonic; more often than hourly is fine.  @once: the store is being filled, and what came until now comes
 * once: all that is known begins anew. */
void hs_growth_note(struct hs_growth *growth, uint64_t now_ms, uint64_t bytes, bool once);
/* So many days until @room bytes are filled, by the growth of the last day.  False: less than an hour is known, or the
 * store did not grow, or it is more than HS_GROWTH_DAYS_MAX. */
bool hs_growth_days(const struct hs_growth *growth, uint64_t room, double *days);
#define HS_GROWTH_DAYS_MAX 3650

#endif
