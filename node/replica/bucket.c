#include "node/replica/bucket.h"

#define FORGOTTEN_MS 3600000 /* in an hour everything has run out */

void hs_rep_bucket_drain(struct rep_bucket *bucket, uint64_t rate, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms - bucket->at_ms;
    bool is_empty = passed_ms >= FORGOTTEN_MS || bucket->bytes <= rate * passed_ms / 1000;
    uint64_t less = is_empty ? bucket->bytes : rate * passed_ms / 1000;
    bucket->bytes -= less;
    if (less > 0 || is_empty) /* else the next look counts this time, too */
        bucket->at_ms = now_ms;
}

bool hs_rep_bucket_has(struct rep_bucket *bucket, uint64_t rate, uint64_t room, uint64_t now_ms)
{
    hs_rep_bucket_drain(bucket, rate, now_ms);
    return bucket->bytes < room;
}

void hs_rep_bucket_put(struct rep_bucket *bucket, uint64_t bytes)
{
    bucket->bytes += bytes;
}

uint64_t hs_rep_bucket_due_ms(const struct rep_bucket *bucket, uint64_t rate, uint64_t room, uint64_t now_ms)
{
    return bucket->bytes < room ? now_ms : now_ms + (bucket->bytes - room) * 1000 / rate + 1;
}
