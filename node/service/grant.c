/* Grants: a hub says which node decides the refunds and credits of a district.  Each has the next number; nobody takes
 * one back, another one follows. */
#include "node/service/audit.h"
#include "node/service/lives.h"
#include "node/service/put.h"
#include "node/service/settled.h"

#include "proto/base/text.h"
#include "proto/records.pb-c.h"

#include <string.h>

enum { GRANT_DISTRICT = 2, GRANT_NUMBER = 3, GRANT_OWNER = 4 };

struct candidate {
    hs_partition district;
    bool known, holds;
};

static enum hs_err look_at(void *ctx, const struct hs_certificate *certificate)
{
    struct candidate *candidate = ctx;
    candidate->known = true;
    candidate->holds = candidate->holds || certificate->role == HS_ROLE_HUB;
    for (size_t i = 0; i < certificate->district_count; i++)
        candidate->holds = candidate->holds || certificate->districts[i] == candidate->district;
    return HS_OK;
}

/* Who decides about money has to see all of it. */
static enum hs_err check_node(struct hs_work *work, const Hallsync__Grant *asked)
{
    struct candidate candidate = {0};
    enum hs_err err = hs_partition_parse(asked->district, &candidate.district);
    if (err != HS_OK)
        return hs_refuse(&work->refusal, err, GRANT_DISTRICT, "district: '%s' is no district", asked->district);
    err = hs_lives_of(work->store, work->view, asked->owner, look_at, &candidate);
    if (err == HS_OK && !candidate.known)
        return hs_refuse(&work->refusal, HS_ENOTFOUND, GRANT_OWNER, "owner: no node %s has joined", asked->owner);
    if (err == HS_OK && !candidate.holds)
        return hs_refuse(&work->refusal, HS_EVALUE, GRANT_OWNER, "owner: %s does not hold district %s", asked->owner,
                         asked->district);
    return err;
}

static enum hs_err make(struct hs_work *work, const struct hs_item *item, uint32_t number)
{
    Hallsync__Grant made = *(const Hallsync__Grant *)item->parsed;
    struct hs_item own = *item;
    struct hs_id id;
    char text[HS_ID_TEXT_BYTES];
    made.has_number = true;
    made.number = number;
    own.message = hs_canonical(&made.base, work->scratch);
    if (own.message.data == NULL)
        return HS_ENOMEM;
    hs_kind_id(item->kind, own.message, &id);
    own.id = HS_BYTES(id.bytes, sizeof id.bytes);
    own.id_text = hs_id_text(&id, text);
    enum hs_err err = hs_fact_write(work, &own);
    if (err != HS_OK)
        return err;
    hs_id_text(&id, work->out.id);
    struct hs_audited what = {.action = "grant",
                              .partition = HS_PARTITION_REGION,
                              .kind = item->kind,
                              .record_id = work->out.id,
                              .node_id = made.owner,
                              .detail = made.district,
                              .reason = made.reason};
    return hs_audit_write(work->call, work->store, &what);
}

enum hs_err hs_grant_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__Grant *asked = (const Hallsync__Grant *)item->parsed;
    struct hs_owner owner;
    if (asked->has_number)
        return hs_refuse(&work->refusal, HS_EINVAL, GRANT_NUMBER, "number: is made by the node; leave it out");
    enum hs_err err = check_node(work, asked);
    if (err == HS_OK)
        err = hs_owner_find(work->view, work->scratch, asked->district, &owner);
    if (err != HS_OK)
        return err;
    if (owner.number == 0 || strcmp(owner.node, asked->owner) != 0)
        return make(work, item, owner.number + 1);
    work->out.result = HALLSYNC__RESULT__RESULT_EXISTS;
    work->out.safe = hs_safety_here(work->desk);
    hs_id_text(&owner.id, work->out.id);
    return HS_OK;
}
