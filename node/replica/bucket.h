/* bucket.h -- what may pass in a time: it fills at a rate up to its room, and what passes takes out of it.  One thing
 * may overdraw it, and the next one waits for so long.  Inside node/replica only. */
#ifndef HS_REPLICA_BUCKET_H
#define HS_REPLICA_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct rep_bucket {
    int64_t left;   /* bytes that may pass now; below 0: it is overdrawn by so much */
    uint64_t at_ms; /* as of then */
};

void hs_rep_bucket_open(struct rep_bucket *bucket, uint64_t room, uint64_t now_ms); /* full */
/* May something pass?  @rate: bytes a second, above 0. */
bool hs_rep_bucket_has(struct rep_bucket *bucket, uint64_t rate, uint64_t room, uint64_t now_ms);
/* When it has something again, if nothing more passes. */
uint64_t hs_rep_bucket_due_ms(const struct rep_bucket *bucket, uint64_t rate, uint64_t now_ms);

#endif
