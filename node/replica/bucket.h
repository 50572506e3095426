/* bucket.h -- what may pass in a time: what passes fills it, and it empties at a rate.  As long as it is not full
 * something may pass, which may overfill it by so much; the next one waits until that has run out.  Zeroed: empty.
 * Inside node/replica only. */
#ifndef HS_REPLICA_BUCKET_H
#define HS_REPLICA_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct rep_bucket {
    uint64_t bytes; /* in it */
    uint64_t at_ms; /* as of then */
};

/* What runs out until now.  @rate: bytes a second, above 0. */
void hs_rep_bucket_drain(struct rep_bucket *bucket, uint64_t rate, uint64_t now_ms);
/* May something pass?  @room: bytes that it holds, above 0. */
bool hs_rep_bucket_has(struct rep_bucket *bucket, uint64_t rate, uint64_t room, uint64_t now_ms);
void hs_rep_bucket_put(struct rep_bucket *bucket, uint64_t bytes); /* it has passed */
/* When something may again, if nothing more passes; as of the last look. */
uint64_t hs_rep_bucket_due_ms(const struct rep_bucket *bucket, uint64_t rate, uint64_t room, uint64_t now_ms);

#endif
