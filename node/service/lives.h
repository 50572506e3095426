/* lives.h -- a node that was made anew has one id and several keys.  Inside node/service/ only. */
#ifndef HS_SERVICE_LIVES_H
#define HS_SERVICE_LIVES_H

#include "node/service/call.h"

/* Each certificate of this node id, in the order of their keys; damaged ones are left out. */
typedef enum hs_err (*hs_visit_life)(void *ctx, const struct hs_certificate *certificate);
enum hs_err hs_lives_of(const struct hs_store *store, struct hs_view *view, const char *node_id, hs_visit_life visit,
                        void *ctx);

/* HS_ENOTFOUND, with the call's reason: there is no certificate of such a hall here. */
enum hs_err hs_hall_known(struct hs_call *call, struct hs_view *view, const char *node_id);

#endif
