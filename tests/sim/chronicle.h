/* chronicle.h -- a run as tests/system/audit.py reads it: what clients were told, and what each node holds in the end.
 * So the auditor of the system tests, which shares no code with ours, judges runs of the simulator as well. */
#ifndef HS_SIM_CHRONICLE_H
#define HS_SIM_CHRONICLE_H

#include "tests/sim/deed.h"

struct chronicle; /* of NULL nothing is kept */

/* Writes DIR/history and, at the end, DIR/NODE.state of each machine that runs. */
struct chronicle *chronicle_open(struct sim *sim, const char *dir);
void chronicle_asked(struct chronicle *chronicle, const struct deed *deed, const struct sim_machine *machine);
void chronicle_told(struct chronicle *chronicle, const struct deed_told *told);
void chronicle_forgot(struct chronicle *chronicle, const struct sim_machine *machine); /* its disk is another one */
void chronicle_close(struct chronicle *chronicle);

#endif
