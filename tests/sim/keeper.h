/* keeper.h -- the person whom a log calls when nothing else helps: docs/operations.md, in a run. */
#ifndef HS_SIM_KEEPER_H
#define HS_SIM_KEEPER_H

#include "tests/sim/sim.h"

struct keeper {
    struct sim *sim;
    uint64_t from_ms;                          /* somebody looks from then on */
    struct sim_machine *hub[SIM_MACHINES_MAX]; /* by hall: the one that it is to leave; NULL: none */
    uint64_t until_ms[SIM_MACHINES_MAX];       /* it is kept from it until then; 0: not yet, UINT64_MAX: it is over */
};

/* All is healed.  What comes right by itself has done so long before anybody looks. */
struct keeper keeper_of(struct sim *sim);
void keeper_logged(struct keeper *keeper, struct sim_machine *machine, const char *event, const char *line);
void keeper_step(struct keeper *keeper);

#endif
