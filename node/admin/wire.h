/* wire.h -- where the parts that live on the node's status are joined to it: samples, the overview's rows, alarms. */
#ifndef HS_ADMIN_WIRE_H
#define HS_ADMIN_WIRE_H

#include "node/admin/admin.h"

enum hs_err admin_wire_new(struct admin *admin, struct hs_why *why); /* before the first status */
void admin_wire_free(struct admin *admin);                           /* behind the last; also where new failed */
/* On the poll's thread, once a second: a status, or NULL where the node did not answer.  @ctx: the admin. */
void admin_wire_told(void *ctx, const struct admin_status *status);

#endif
