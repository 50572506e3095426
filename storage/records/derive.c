#include "storage/records/derive.h"

/* What a kind gives besides indexes and lists of its own. */
struct hook {
    uint16_t kind;
    void (*change)(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new);
    void (*whole)(struct hs_derive *derive, const struct hs_facet *facet); /* NULL: asked through another */
};
static const struct hook HOOKS[] = {
    {HS_KIND_CUSTOMER, hs_customer_change, hs_customer_whole},
    {HS_KIND_BILL, hs_bill_change, hs_bill_whole},
    {HS_KIND_PAYMENT, hs_payment_change, hs_payment_whole},
    {HS_KIND_CASH_ENTRY, hs_entry_change, hs_entry_whole},
    {HS_KIND_REVERSAL, hs_reversal_change, NULL},
    {HS_KIND_SETTLEMENT, hs_settlement_change, hs_settlement_whole},
    {HS_KIND_GRANT, hs_grant_change, NULL},
    {HS_KIND_TICKET, hs_ticket_change, hs_ticket_whole},
    {HS_KIND_TICKET_EVENT, hs_ticket_event_change, NULL},
    {HS_KIND_QUEUE_TICKET, hs_queue_ticket_change, hs_queue_ticket_whole},
    {HS_KIND_QUEUE_EVENT, hs_queue_event_change, NULL},
    {HS_KIND_CLOSE, hs_close_change, hs_close_whole},
    {HS_KIND_CLOSE_ANSWER, hs_answer_change, NULL},
    {HS_KIND_NOTICE, hs_notice_change, hs_notice_whole},
    {HS_KIND_DECISION, hs_decision_change, hs_decision_whole},
};

static const struct hook *hook_of(uint16_t kind)
{
    for (size_t i = 0; i < sizeof HOOKS / sizeof *HOOKS; i++) {
        if (HOOKS[i].kind == kind)
            return &HOOKS[i];
    }
    return NULL;
}

void hs_derive_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    if (new->kind == NULL || *derive->err != HS_OK)
        return;
    hs_index_change(derive, old, new);
    hs_written_change(derive, old, new);
    hs_lists_change(derive, old, new);
    const struct hook *hook = hook_of(new->kind->number);
    if (hook != NULL)
        hook->change(derive, old, new);
}

void hs_derive_whole(struct hs_derive *derive, const struct hs_facet *facet)
{
    if (facet->kind == NULL || *derive->err != HS_OK)
        return;
    struct hs_facet none = {.name = facet->name};
    hs_index_change(derive, &none, facet);
    hs_written_change(derive, &none, facet);
    hs_lists_change(derive, &none, facet);
    const struct hook *hook = hook_of(facet->kind->number);
    if (hook != NULL && hook->whole != NULL)
        hook->whole(derive, facet);
}
