/* workload_newer.c -- writes of a newer version: a kind, or a field of a customer, that this version's service would
 * refuse.  They go past it, as a job of the writer. */
#include "tests/sim/workload_inside.h"

#include <stdlib.h>

struct newer_job {
    struct hs_job job;
    struct workload *workload;
    struct sim_machine *machine;
    const struct deed *deed;
};

static enum hs_err run(struct hs_job *job, struct hs_store *store)
{
    return deed_write_newer(((struct newer_job *)job)->deed, store);
}

static void done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct newer_job *self = (struct newer_job *)job;
    struct deed_told told = {.deed = self->deed, .machine = self->machine, .at_ms = self->workload->sim->now_ms};
    (void)commit;
    self->workload->newer_pending--;
    if (err == HS_OK && self->machine->life == SIM_RUNNING) {
        told.result = HALLSYNC__RESULT__RESULT_CREATED;
        told.safe = HALLSYNC__SAFETY__SAFETY_HERE;
        auditor_told(self->workload->auditor, &told);
    }
    free(self);
}

bool workload_write_newer(struct workload *workload, struct sim_machine *machine, struct deed *deed)
{
    struct newer_job *job = calloc(1, sizeof *job);
    if (job == NULL)
        sim_fail(workload->sim, "out of memory");
    *job = (struct newer_job){
        .job = {.run = run, .done = done, .weight = 64}, .workload = workload, .machine = machine, .deed = deed};
    workload->newer_pending++;
    if (sim_submit(machine, &job->job))
        return true;
    workload->newer_pending--;
    free(job);
    return false;
}
