#include "node/replica/bucket.h"

#define DEBT_MS 3600000 /* what is forgiven after an hour */

void hs_rep_bucket_open(struct rep_bucket *bucket, uint64_t room, uint64_t now_ms)
{
    *bucket = (struct rep_bucket){(int64_t)room, now_ms};
}

bool hs_rep_bucket_has(struct rep_bucket *bucket, uint64_t rate, uint64_t room, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms - bucket->at_ms;
    if (passed_ms > 0) {
        uint64_t more = passed_ms >= DEBT_MS ? rate * (DEBT_MS / 1000) : rate * passed_ms / 1000;
        bool is_full = bucket->left + (int64_t)more >= (int64_t)room;
        bucket->left = is_full ? (int64_t)room : bucket->left + (int64_t)more;
        if (more > 0 || is_full)
            bucket->at_ms = now_ms;
    }
    return bucket->left > 0;
}

uint64_t hs_rep_bucket_due_ms(const struct rep_bucket *bucket, uint64_t rate, uint64_t now_ms)
{
    return bucket->left > 0 ? now_ms : now_ms + (uint64_t)-bucket->left * 1000 / rate + 1;
}
