#include "node/link/backoff.h"

#include <sodium.h>

void hs_backoff_init(struct hs_backoff *backoff, uint32_t min_ms, uint32_t max_ms)
{
    backoff->min_ms = min_ms;
    backoff->max_ms = max_ms < min_ms ? min_ms : max_ms;
    hs_backoff_reset(backoff);
}

void hs_backoff_reset(struct hs_backoff *backoff)
{
    backoff->ceiling_ms = backoff->min_ms;
}

static uint32_t up_to(uint32_t ceiling_ms)
{
    return ceiling_ms == UINT32_MAX ? randombytes_random() : randombytes_uniform(ceiling_ms + 1);
}

uint32_t hs_backoff_next(struct hs_backoff *backoff)
{
    uint32_t wait = up_to(backoff->ceiling_ms);
    backoff->ceiling_ms = backoff->ceiling_ms > backoff->max_ms / 2 ? backoff->max_ms : backoff->ceiling_ms * 2;
    return wait;
}

uint32_t hs_backoff_least(const struct hs_backoff *backoff)
{
    return up_to(backoff->min_ms);
}
