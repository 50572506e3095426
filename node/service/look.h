/* look.h -- looking at records: those of this node's store, and beside them what a hub has said of a district that is
 * not here, each record joined with this node's own part of it.  Inside node/service/ only. */
#ifndef HS_SERVICE_LOOK_H
#define HS_SERVICE_LOOK_H

#include "node/service/foreign.h"
#include "storage/model/kinds.h"
#include "storage/model/record.h"

struct hs_look {
    struct hs_view *view;
    const struct hs_foreign *foreign; /* NULL: nothing was asked, or nobody could say */
    struct hs_arena *arena;           /* what is joined lives in it; may be NULL without @foreign */
};

/* All as the hs_view_* of the same name.  HS_ENOMEM besides. */
enum hs_err hs_look_find(const struct hs_look *look, uint16_t kind, struct hs_bytes id, struct hs_stored *stored);
enum hs_err hs_look_index(const struct hs_look *look, const struct hs_ask *ask, hs_visit_record visit, void *ctx);
enum hs_err hs_look_bill(const struct hs_look *look, const char *account, struct hs_bytes bill_id,
                         struct hs_bill_sums *sums);
/* How safe an op is: what a hub has shown is at a hub. */
enum hs_safety hs_look_safety(const struct hs_look *look, const struct hs_record_name *name, const struct hs_dot *dot);

#endif
