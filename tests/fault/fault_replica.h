/* fault_replica.h -- replicas of a world (tests/lib/replica_world.h) that fail and end, as their processes would. */
#ifndef HS_TESTS_FAULT_REPLICA_H
#define HS_TESTS_FAULT_REPLICA_H

#include "tests/lib/replica_world.h"

/* Did a step of it fail?  It gets no event any more. */
bool fault_replica_is_dead(const struct hs_replica *replica);
enum hs_err fault_replica_error(void); /* of the step that failed last; HS_OK: none did */
void fault_replica_forget(void);       /* the dead, once they are freed */

#endif
