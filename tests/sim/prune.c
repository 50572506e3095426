/* prune.c -- retention as a machine's upkeep does it, in seconds instead of months. */
#include "tests/sim/inside.h"

#include <stdlib.h>

#define PRUNE_BUDGET 20

struct prune {
    struct hs_job job;
    struct sim_machine *machine;
    uint64_t before_ms;
    bool more;
};

static enum hs_err run_prune(struct hs_job *job, struct hs_store *store)
{
    struct prune *prune = (struct prune *)job;
    struct hs_upkeep upkeep = {.before_ms = prune->before_ms, .budget = PRUNE_BUDGET};
    return hs_store_upkeep(store, &upkeep, &prune->more);
}

static void pruned(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct prune *prune = (struct prune *)job;
    (void)commit;
    if (err == HS_OK && prune->more)
        sim_prune(prune->machine, prune->before_ms);
    free(prune);
}

void sim_prune(struct sim_machine *machine, uint64_t before_ms)
{
    struct prune *prune = calloc(1, sizeof *prune);
    if (prune == NULL)
        sim_fail(machine->sim, "out of memory");
    *prune = (struct prune){
        .job = {.run = run_prune, .done = pruned, .weight = 1}, .machine = machine, .before_ms = before_ms};
    if (!sim_submit(machine, &prune->job))
        free(prune);
}
