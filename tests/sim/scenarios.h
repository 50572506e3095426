/* scenarios.h -- failure stories with a name, each told once on a stage (stage.h).  One function, one story; where it
 * comes from stands above it: SCENARIOS.md has the list of sources. */
#ifndef HS_SIM_SCENARIOS_H
#define HS_SIM_SCENARIOS_H

#include "storage/model/kinds.h"
#include "tests/sim/stage.h"

struct scenario {
    const char *name; /* a sentence with hyphens: "two-hubs-two-branches" */
    void (*tell)(struct stage *stage);
};
/* Each file of scenarios ends with a list of its own, closed by a zero. */
extern const struct scenario SCENARIOS_ORIGINS[], SCENARIOS_MERGE[], SCENARIOS_MONEY[], SCENARIOS_REPLICATION[],
    SCENARIOS_TRUST[], SCENARIOS_PEERS[], SCENARIOS_REGION[], SCENARIOS_BOUNDS[], SCENARIOS_BACKUP[],
    SCENARIOS_REVOKE[], SCENARIOS_BUNDLES[], SCENARIOS_DECIDE[], SCENARIOS_BOOKS[];

#define ACCOUNT   "3201000001"
#define NEIGHBOR  "3201000002"
#define ELSEWHERE "3202000001"
enum { DISTRICT = 3201, OTHER_DISTRICT = 3202 };
enum { HERE = HALLSYNC__SAFETY__SAFETY_HERE, HUB = HALLSYNC__SAFETY__SAFETY_HUB, SAFE = HALLSYNC__SAFETY__SAFETY_SAFE };

/* Who plays in most stories: a hub and two halls of one district; or two hubs, the first hall at the first hub, the
 * second at the second, each with the other as its next. */
struct cast {
    struct sim_machine *hub, *other_hub, *hall, *other_hall;
};
struct cast one_hub(struct stage *stage);
struct cast two_hubs(struct stage *stage);
/* A witness of DISTRICT that dials the hub; and the plan of hall-1, which dials both. */
struct sim_machine *witness_of(struct stage *stage, struct sim_machine *hub);
struct sim_plan hall_beside(struct sim_machine *hub, struct sim_machine *witness);

/* Payments "PREFIX-1" to "PREFIX-COUNT" of 100 fen for ACCOUNT. */
void pay_many(struct stage *stage, struct sim_machine *machine, const char *prefix, unsigned count);
void set_clock(struct sim_machine *machine, int64_t skew_ms); /* as far from the true time */
/* It has so many payments, reversed ones included. */
bool has_payments(struct stage *stage, struct sim_machine *machine, uint64_t count);
bool all_have_payments(struct stage *stage, uint64_t count); /* all that run */
bool all_show(struct stage *stage, const char *account, const char *name);
size_t all_conflicts(struct stage *stage, const char *type); /* of each that runs; fails if they do not agree */
uint64_t origins_of(struct stage *stage, struct sim_machine *machine);
/* What its client was told last, as in Request.seen. */
void position_of(struct stage *stage, struct sim_machine *machine, Hallsync__Position *position);

#endif
