/* foreign.h -- what hubs have said about records of districts that this node does not hold: answers, and a small memory
 * of them for when there is no link.  Inside node/service/ only. */
#ifndef HS_SERVICE_FOREIGN_H
#define HS_SERVICE_FOREIGN_H

#include "proto/base/arena.h"
#include "storage/store.h"

#define HS_FOREIGN_RECORDS_MAX 1000
#define HS_FOREIGN_BYTES_MAX   ((size_t)4 << 20)

/* One answer, with everything that it says. */
struct hs_foreign {
    struct hs_foreign *next;
    uint64_t token;
    enum hs_err err;   /* why there is none */
    struct hs_ask ask; /* what was asked, once it is kept */
    const struct hs_asked *records;
    size_t count;
    bool last, cut;
    uint64_t as_of_ms;
    const char *node;
    struct hs_arena arena;
};
struct hs_foreign *hs_foreign_new(uint64_t token, enum hs_err err,
                                  const struct hs_answer *answer); /* NULL: no memory */
void hs_foreign_free(struct hs_foreign *foreign);                  /* NULL is fine */
/* Are all states in it what states must be?  HS_EMALFORMED, HS_ENOMEM. */
enum hs_err hs_foreign_check(const struct hs_foreign *foreign);
/* A record in it; NULL: none. */
const struct hs_asked *hs_foreign_record(const struct hs_foreign *foreign, uint16_t kind, struct hs_bytes id);

/* The memory: the newest answer to each question, those used last first. */
struct hs_foreign_cache {
    struct hs_foreign *first;
    size_t records, bytes;
};
/* Takes the answer, instead of an older one to the same question; what was used longest ago goes.  Answers that say
 * nothing, and such as are too large, are not kept. */
void hs_foreign_keep(struct hs_foreign_cache *cache, const struct hs_ask *ask, struct hs_foreign *foreign);
/* NULL: none.  Valid until the next hs_foreign_keep.  By id, also as one of those that another question was about. */
const struct hs_foreign *hs_foreign_find(struct hs_foreign_cache *cache, const struct hs_ask *ask);
void hs_foreign_forget(struct hs_foreign_cache *cache); /* all */

#endif
