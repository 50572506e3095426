/* scenarios.h -- failure stories with a name, each told once on a stage (stage.h).  One function, one story; where it
 * comes from stands above it. */
#ifndef HS_SIM_SCENARIOS_H
#define HS_SIM_SCENARIOS_H

#include "tests/sim/stage.h"

struct scenario {
    const char *name; /* a sentence with hyphens: "an-older-copy-heals-by-itself" */
    void (*tell)(struct stage *stage);
};
/* Each file of scenarios ends with a list of its own, closed by a zero. */
extern const struct scenario SCENARIOS_ORIGINS[], SCENARIOS_MERGE[], SCENARIOS_MONEY[], SCENARIOS_REPLICATION[],
    SCENARIOS_TRUST[], SCENARIOS_PEERS[];

#endif
