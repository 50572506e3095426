/* workload.h -- clients that work as in a hall's day: customers edited, bills issued, paid (and paid again elsewhere),
 * payments reversed, tickets moved on at both ends, requests sent again when the answer is lost, imports, bursts.
 *
 * It only asks and remembers what it asked; whether the answers are right is the auditor's business. */
#ifndef HS_SIM_WORKLOAD_H
#define HS_SIM_WORKLOAD_H

#include "tests/sim/auditor.h"
#include "tests/sim/chronicle.h"

/* X(action): what a client may choose to do next. */
#define WORKLOAD_ACTIONS(X)                                                         \
    X(NEW_CUSTOMER)                                                                 \
    X(EDIT_CUSTOMER) /* some fields of one that several halls edit */               \
    X(IMPORT)        /* a customer again, from a source, as last time or changed */ \
    X(BILL)                                                                         \
    X(PAY)                                                                          \
    X(PAY_TWICE) /* a bill that somebody has paid */                                \
    X(SAME_ID)   /* another payment under an id that is in use */                   \
    X(REVERSE)                                                                      \
    X(OPEN_TICKET)                                                                  \
    X(MOVE_TICKET)                                                                  \
    X(RESOLVE)                                                                      \
    X(NEWER) /* what only a newer version knows */

enum workload_action {
#define X(action) WORKLOAD_##action,
    WORKLOAD_ACTIONS(X)
#undef X
        WORKLOAD_ACTION_COUNT
};

/* What kind of day it is: drawn from the seed, so that runs differ in kind and not only in order (swarm testing, Groce
 * et al. 2012). */
struct workload_knobs {
    unsigned clients;     /* of each machine */
    unsigned accounts;    /* of each district: few are much conflict */
    uint32_t think_ms;    /* between an answer and the next deed, on average */
    uint32_t patience_ms; /* then the same request is sent again */
    unsigned elsewhere;   /* millionths of the requests sent again that go to another machine */
    unsigned foreign;     /* millionths of the deeds that concern another district */
    unsigned seen;        /* millionths of the edits that name what they were shown */
    unsigned text_ids;    /* millionths of the facts whose id is a text */
    unsigned note_bytes;  /* of what people write into remarks and notes: much fills credits and segments */
    uint64_t deeds;       /* so many in all */
    unsigned weights[WORKLOAD_ACTION_COUNT];
};
void workload_draw(struct sim_random *random, struct workload_knobs *knobs);
void workload_describe(const struct workload_knobs *knobs, char *text, size_t size);

struct workload;
struct workload *workload_new(struct sim *sim, struct auditor *auditor, const struct workload_knobs *knobs);
void workload_record(struct workload *workload, struct chronicle *chronicle); /* from now on; NULL is fine */
void workload_free(struct workload *workload);
void workload_join(struct workload *workload, struct sim_machine *machine);  /* clients of one more machine */
void workload_leave(struct workload *workload, struct sim_machine *machine); /* ... that will not come back */
uint64_t workload_due_ms(const struct workload *workload);
void workload_step(struct workload *workload); /* one client does what is due */
void workload_answered(struct workload *workload, struct sim_machine *machine, uint64_t client, struct hs_bytes reply);
void workload_stop(struct workload *workload);            /* nothing new; what is unanswered goes on being sent again */
bool workload_over(const struct workload *workload);      /* nothing new, and all is answered */
uint64_t workload_deeds(const struct workload *workload); /* begun so far */

#endif
