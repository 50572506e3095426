/* Settlements that count, and who may make them: look-ups of both. */
#include "node/service/settled.h"
#include "node/service/put.h"

#include "proto/msg/tlv.h"

#include <string.h>

enum { SETTLEMENT_BILL = 3, SETTLEMENT_AMOUNT = 5, SETTLEMENT_TYPE = 6, SETTLEMENT_TO_BILL = 14 };
enum { GRANT_NUMBER = 3, GRANT_OWNER = 4 };

/* ---- settlements ---- */

struct settled {
    const struct hs_look *look;
    hs_visit_settled visit;
    void *ctx;
};

bool hs_settlement_counts(struct hs_view *view, const struct hs_record_name *name)
{
    return !hs_view_listed(view, HS_LIST_NOT_OWNER, name) && !hs_view_listed(view, HS_LIST_SETTLED_TWICE, name);
}

static enum hs_err take_settlement(void *ctx, const struct hs_stored *stored)
{
    const struct settled *settled = ctx;
    const struct hs_variant *variant;
    if (!hs_settlement_counts(settled->look->view, &stored->name))
        return HS_OK;
    enum hs_err err = hs_fact_variant(stored, settled->look->arena, &variant);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    return settled->visit(settled->ctx, &stored->name, variant);
}

enum hs_err hs_look_settled(const struct hs_look *look, const char *index, struct hs_bytes key, hs_visit_settled visit,
                            void *ctx)
{
    struct settled settled = {look, visit, ctx};
    struct hs_ask settlements = {.kind = HS_KIND_SETTLEMENT, .key = key};
    settlements.index = hs_kind_index(hs_kind_by_number(HS_KIND_SETTLEMENT), index)->number;
    return hs_look_index(look, &settlements, take_settlement, &settled);
}

int64_t hs_settlement_gives(struct hs_bytes settlement, struct hs_bytes bill_id)
{
    int64_t fen = hs_tlv_i64(settlement, SETTLEMENT_AMOUNT, 0);
    bool is_credit = hs_bytes_equal(hs_tlv_bytes(settlement, SETTLEMENT_TYPE), HS_BYTES("credit", 6));
    bool to = is_credit && hs_bytes_equal(hs_tlv_bytes(settlement, SETTLEMENT_TO_BILL), bill_id);
    bool from = hs_bytes_equal(hs_tlv_bytes(settlement, SETTLEMENT_BILL), bill_id);
    return (to ? fen : 0) - (from ? fen : 0);
}

/* ---- owners ---- */

struct granting {
    struct hs_owner *owner;
    struct hs_arena *arena;
};

static enum hs_err take_grant(void *ctx, const struct hs_stored *stored)
{
    struct granting *granting = ctx;
    struct hs_owner *owner = granting->owner;
    const struct hs_variant *grant;
    enum hs_err err = hs_fact_variant(stored, granting->arena, &grant);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    uint64_t number = hs_tlv_u64(grant->bytes, GRANT_NUMBER, 0);
    struct hs_bytes node = hs_tlv_bytes(grant->bytes, GRANT_OWNER);
    if (number <= owner->number || node.size >= sizeof owner->node)
        return HS_OK;
    owner->number = (uint32_t)number;
    memcpy(owner->node, node.data, node.size);
    owner->node[node.size] = '\0';
    memcpy(owner->id.bytes, stored->name.id.data, stored->name.id.size < HS_ID_BYTES ? 0 : HS_ID_BYTES);
    return HS_OK;
}

enum hs_err hs_owner_find(struct hs_view *view, struct hs_arena *arena, const char *district, struct hs_owner *owner)
{
    struct granting granting = {owner, arena};
    uint8_t index = hs_kind_index(hs_kind_by_number(HS_KIND_GRANT), "district")->number;
    *owner = (struct hs_owner){0};
    return hs_view_index(view, HS_KIND_GRANT, index, HS_BYTES(district, strlen(district)), HS_BYTES_NONE, take_grant,
                         &granting);
}
