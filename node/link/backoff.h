/* backoff.h -- how long to wait before dialling again: full jitter below a ceiling that doubles.  Within node/link
 * only. */
#ifndef HS_LINK_BACKOFF_H
#define HS_LINK_BACKOFF_H

#include <stdint.h>

struct hs_backoff {
    uint32_t min_ms, max_ms;
    uint32_t ceiling_ms; /* of the next wait */
};

void hs_backoff_init(struct hs_backoff *backoff, uint32_t min_ms, uint32_t max_ms);
void hs_backoff_reset(struct hs_backoff *backoff);
uint32_t hs_backoff_next(struct hs_backoff *backoff);        /* 0..ceiling; the ceiling doubles up to the maximum */
uint32_t hs_backoff_least(const struct hs_backoff *backoff); /* 0..minimum; nothing changes */

#endif
