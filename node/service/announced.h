/* announced.h -- what is known of operations that never came, for status. */
#ifndef HS_SERVICE_ANNOUNCED_H
#define HS_SERVICE_ANNOUNCED_H

#include "node/service/call.h"

/* Adds StatusReply.announced, at a hub.  What it points to lives in the call's scratch. */
void hs_announced_add(struct hs_call *call, struct hs_view *view, Hallsync__StatusReply *status);

#endif
