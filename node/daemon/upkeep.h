/* upkeep.h -- the store is tidied up while the writer has nothing else to do: in pieces that nobody has to wait for
 * long, one after the other while there is more, else once a minute. */
#ifndef HS_DAEMON_UPKEEP_H
#define HS_DAEMON_UPKEEP_H

#include "node/writer/writer.h"

struct hs_upkeeper {
    struct hs_chore chore; /* first; given to the writer */
    uint64_t retention_ms; /* operations but money that are older may become base states */
    size_t budget;         /* of the next piece, by how long the last one took */
};
void hs_upkeeper_init(struct hs_upkeeper *upkeeper, unsigned retention_days);

#endif
