/* tended.h -- the tasks of tend.h.  Inside node/service/ only. */
#ifndef HS_SERVICE_TENDED_H
#define HS_SERVICE_TENDED_H

#include "node/service/put.h"

/* A record about which something is to be done. */
struct hs_tended {
    struct hs_record_name name; /* its id is a view into id */
    uint8_t id[HS_RECORD_ID_BYTES_MAX];
    hs_stamp above;      /* what is written comes behind it */
    struct hs_id follow; /* what it follows from: the payment */
    enum hs_err err;     /* what came of it */
};

struct hs_tend_task {
    const char *name;
    uint16_t kind;
    const char *index;
    const char *const *values; /* NULL behind the last */
    unsigned lanes;            /* in which something may come that matters: a bit each */
    uint64_t rest_ms;          /* from round to round, at most */
    /* Is something to be done?  @wait_ms out: 0: now; else in so many ms, as far as is known; UINT64_MAX: not at all.
     * May set what write() needs. */
    enum hs_err (*look)(struct hs_work *work, const struct hs_stored *stored, struct hs_tended *tended,
                        uint64_t *wait_ms);
    /* Do it.  A refusal by a rule leaves work->refusal, and nothing written. */
    enum hs_err (*write)(struct hs_work *work, const struct hs_tended *tended);
};
extern const struct hs_tend_task HS_TASK_OVERDUE; /* overdue.c */
extern const struct hs_tend_task HS_TASK_CUT_OFF; /* reconnect.c */

/* How long this node leaves it to others: not at all, if it owns the district, or if nobody does and @is_own says so;
 * a hub for an hour, since whoever's turn it is may be gone for good; else for ever, UINT64_MAX. */
enum hs_err hs_tend_leave(struct hs_work *work, hs_partition district, bool is_own, uint64_t *leave_ms);

#endif
