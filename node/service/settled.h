/* settled.h -- what was paid too much, or ahead, and given back or counted elsewhere; and which node decides that for
 * a district.  Inside node/service/ only. */
#ifndef HS_SERVICE_SETTLED_H
#define HS_SERVICE_SETTLED_H

#include "node/service/look.h"
#include "proto/base/names.h"

/* Each settlement that counts, by one of its indexes. */
typedef enum hs_err (*hs_visit_settled)(void *ctx, const struct hs_record_name *name, const struct hs_variant *variant);
enum hs_err hs_look_settled(const struct hs_look *look, const char *index, struct hs_bytes key, hs_visit_settled visit,
                            void *ctx);
/* It is by the owner, and no other one stands in its place. */
bool hs_settlement_counts(struct hs_view *view, const struct hs_record_name *name);
/* What it adds to what was paid of a bill, or ahead (no bytes); below zero: takes away. */
int64_t hs_settlement_gives(struct hs_bytes settlement, struct hs_bytes bill_id);

struct hs_owner {
    uint32_t number; /* of its grant; 0: nobody owns the district */
    char node[HS_NODE_ID_BYTES_MAX + 1];
    struct hs_id id; /* of the grant */
};
enum hs_err hs_owner_find(struct hs_view *view, struct hs_arena *arena, const char *district, struct hs_owner *owner);

#endif
