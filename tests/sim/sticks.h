/* sticks.h -- bundles that somebody carries from machine to machine: written now, read at any time, in any order, in
 * part, twice, or never. */
#ifndef HS_SIM_STICKS_H
#define HS_SIM_STICKS_H

#include "tests/sim/sim.h"

#define STICKS_MAX 32 /* in the drawer: the newest ones */

struct sticks;
struct sticks *sticks_new(struct sim *sim);
void sticks_free(struct sticks *sticks); /* NULL is fine */

/* What @to lacks of what @from has, from operation @first of each stream on (0: as the node chooses), onto the next
 * stick; of a hall with what it told last by a bundle of its own.  Answers the stick; -1: there is none, for a node
 * does not run, or not for such a node. */
int sticks_write(struct sticks *sticks, struct sim_machine *from, struct sim_machine *to, uint64_t first);
unsigned sticks_parts(const struct sticks *sticks, int stick);               /* 0: there is no such stick (any more) */
int sticks_newest(const struct sticks *sticks);                              /* -1: none */
struct sim_machine *sticks_receiver(const struct sticks *sticks, int stick); /* NULL: no such stick */

struct sticks_told {
    uint64_t operations, taken, held, outside, receipts_taken;
    unsigned left;  /* streams of which something was not taken */
    char error[32]; /* why, of the first */
    bool last;      /* the bundle's last part */
};
/* One part at a machine's node; false: it does not run, it died of it, or the part is not for it.  What cannot be from
 * an honest sender ends the run. */
bool sticks_read(struct sticks *sticks, int stick, unsigned part, struct sim_machine *to, struct sticks_told *told);

#endif
