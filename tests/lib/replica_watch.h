/* replica_watch.h -- looks into every frame of a world: does it name anything that its receiver may not have?  The
 * rules are written here a second time, from roles, homes and scopes alone. */
#ifndef HS_TEST_REPLICA_WATCH_H
#define HS_TEST_REPLICA_WATCH_H

#include "tests/lib/replica_world.h"

struct world_watched {
    size_t frames, named; /* seen; things named in them */
    size_t bad;           /* that should not have been sent */
    uint64_t bytes[2];    /* of frames from who has dialled, and to it */
    char first[200];      /* the first bad one */
};
/* From now on; sets w->sent and w->ctx. */
void world_look_at(struct world *w, struct world_watched *watched);
/* Who opened an origin; NULL: nobody of this world. */
const struct world_node *world_writer(const struct world *w, uint64_t origin);

#endif
