/* readers.h -- who reads an old snapshot of the store.  What was given back since cannot be used again while he does,
 * and the files grow: a process that was killed is cleared away, one that lives is named. */
#ifndef HS_DISK_READERS_H
#define HS_DISK_READERS_H

#include "storage/store.h"

#define HS_READERS_LOOK_MS 5000
#define HS_READER_LONG_MS  120000
#define HS_READER_TEXT_MAX 160

struct hs_readers {
    struct hs_store_reader oldest[HS_STORE_ENVS]; /* as of the last look */
    uint64_t since_ms[HS_STORE_ENVS];             /* the same one was the oldest then already */
    uint64_t look_ms;
    bool is_long;
    char text[HS_READER_TEXT_MAX]; /* who, and for how long; empty: nobody */
};
/* By the monotonic clock, at most each HS_READERS_LOOK_MS.  @is_news out: somebody reads for long, or does so no more.
 * Errors of the store's. */
enum hs_err hs_readers_look(struct hs_readers *readers, struct hs_store *store, uint64_t now_ms, bool *is_news);

#endif
