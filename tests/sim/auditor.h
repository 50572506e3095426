/* auditor.h -- watches a world from outside and holds what must hold (docs/architecture.md, "What is promised").
 *
 * It believes nobody: it keeps what clients were told (deed.h), reads the operations that each machine's log has with
 * decoders of its own, and derives from these sets, by plain set arithmetic and true causality, what every node must
 * show.  It shares no code with storage/model and storage/records.  Nodes are asked over their own local API.
 *
 * Invariants have the numbers that auditor.c lists; a violation ends the run by sim_fail, which names the number. */
#ifndef HS_SIM_AUDITOR_H
#define HS_SIM_AUDITOR_H

#include "tests/sim/deed.h"

struct auditor;

struct auditor *auditor_new(struct sim *sim);
void auditor_free(struct auditor *auditor);

/* ---- told by who drives the run ---- */

void auditor_asked(struct auditor *auditor, const struct deed *deed, struct sim_machine *machine); /* each sending */
void auditor_told(struct auditor *auditor, const struct deed_told *told);
void auditor_turned(struct auditor *auditor, struct sim_machine *machine);
void auditor_started(struct auditor *auditor, struct sim_machine *machine);
void auditor_ended(struct auditor *auditor, struct sim_machine *machine, bool clean);
void auditor_sent(struct auditor *auditor, struct sim_machine *from, struct sim_machine *to, struct hs_bytes frame);
void auditor_logged(struct auditor *auditor, struct sim_machine *machine, const char *module, const char *event,
                    const char *line);

/* ---- told by who injects faults, before the machine starts again ---- */

/* Its disk is another one now (restored, wiped, cloned): what it had and no other machine has may be missing. */
void auditor_disk_changed(struct auditor *auditor, struct sim_machine *machine);
/* It may come back with its memory too: this node may sign two contents for one number; a fork proof must then reach
 * everybody. */
void auditor_fork_possible(struct auditor *auditor, struct sim_machine *machine);
/* A bit of it has turned: its own records may differ, nobody else's. */
void auditor_damaged(struct auditor *auditor, struct sim_machine *machine);

/* Its key is revoked at some hub from now on; nobody is to take anything new of it that no hub has had. */
void auditor_revoked(struct auditor *auditor, struct sim_machine *machine);
bool auditor_is_revoked(struct auditor *auditor, struct sim_machine *machine);
/* What it had written by now counts nevertheless. */
void auditor_released(struct auditor *auditor, struct sim_machine *machine);

/* ---- checks ---- */

void auditor_check(struct auditor *auditor); /* what holds at any time, of all machines that run */
/* After healing: is everything everywhere where it belongs?  @why: what is still missing. */
bool auditor_settled(struct auditor *auditor, char why[static 200]);
void auditor_check_end(struct auditor *auditor); /* settled: all invariants, in full */

struct auditor_figures {
    uint64_t deeds, acknowledged, excused, ops, forks;
};
struct auditor_figures auditor_figures(const struct auditor *auditor);

#endif
