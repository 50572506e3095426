/* arena.h -- bump allocator for what lives as long as one step: one operation applied, one message handled, one page
 * answered. Nothing is freed singly.  Not for use by two threads at once. */
#ifndef HS_BASE_ARENA_H
#define HS_BASE_ARENA_H

#include "proto/base/buf.h"

#include <stddef.h>

struct hs_arena_block;

struct hs_arena {
    struct hs_arena_block *blocks; /* newest first */
    size_t used;                   /* in the newest */
    size_t total;                  /* bytes held in all */
    size_t limit;                  /* 0: none; beyond it allocations fail */
    bool over;                     /* one did so: it was the limit, and not the machine's memory */
    bool failed;                   /* one did so, for whatever reason, since the last reset */
};

void hs_arena_init(struct hs_arena *arena, size_t limit);
void hs_arena_fini(struct hs_arena *arena);
void hs_arena_reset(struct hs_arena *arena); /* forget everything, keep the newest block */
void *hs_arena_alloc(struct hs_arena *arena,
                     size_t size); /* zeroed, aligned for any type; NULL: out of memory or over limit */
void *hs_arena_array(struct hs_arena *arena, size_t count, size_t size); /* checks the product */
struct hs_bytes hs_arena_copy(struct hs_arena *arena,
                              struct hs_bytes bytes);               /* data NULL on failure (also for no bytes) */
char *hs_arena_text(struct hs_arena *arena, struct hs_bytes bytes); /* copy with a terminating zero; NULL on failure */

#endif
