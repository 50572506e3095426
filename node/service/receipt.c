/* Receipts printed again.  A receipt is the cash entry of its number; each further print of it is a fact of its own,
 * so that everybody can see how many slips of one number are about. */
#include "node/service/handlers.h"
#include "node/service/put.h"

#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"

#include <string.h>

enum { REPRINT_NUMBER = 2 };

#define REPRINTS_COUNTED 1000 /* nobody prints a slip so often */

static enum hs_err count_one(void *ctx, const struct hs_stored *stored)
{
    uint32_t *count = ctx;
    (void)stored;
    return ++*count < REPRINTS_COUNTED ? HS_OK : HS_EEXISTS;
}

enum hs_err hs_receipt_reprints(const struct hs_look *look, struct hs_bytes number, uint32_t *count)
{
    struct hs_ask reprints = {.kind = HS_KIND_REPRINT, .key = number};
    reprints.index = hs_kind_index(hs_kind_by_number(HS_KIND_REPRINT), "number")->number;
    *count = 0;
    enum hs_err err = hs_look_index(look, &reprints, count_one, count);
    return err == HS_EEXISTS ? HS_OK : err;
}

/* Another hall's receipt may be nowhere here: then a hub is asked. */
static enum hs_err check_receipt(struct hs_work *work, struct hs_bytes number)
{
    struct hs_stored stored;
    enum hs_err err = hs_look_find(&work->look, HS_KIND_CASH_ENTRY, number, &stored);
    if (err != HS_ENOTFOUND)
        return err;
    bool elsewhere = !hs_store_holds_all(work->store);
    if (elsewhere && hs_work_wants(work, HS_KIND_CASH_ENTRY, number))
        return hs_refuse(&work->refusal, HS_ENOTHERE, REPRINT_NUMBER, "number: %.*s is not here", (int)number.size,
                         (const char *)number.data);
    return hs_refuse(&work->refusal, HS_ENORECEIPT, REPRINT_NUMBER, "number: there is no receipt %.*s%s",
                     (int)number.size, (const char *)number.data, elsewhere && !work->answered ? " here" : "");
}

enum hs_err hs_reprint_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__Reprint *reprint = (const Hallsync__Reprint *)item->parsed;
    struct hs_bytes number = HS_BYTES(reprint->number, strlen(reprint->number));
    enum hs_err err = hs_fact_known(work, item, item->message);
    bool is_new = err == HS_ENOTFOUND;
    if (is_new)
        err = check_receipt(work, number);
    if (err == HS_OK && is_new)
        err = hs_fact_write(work, item);
    if (err == HS_OK)
        err = hs_receipt_reprints(&work->look, number, &work->out.reprints);
    return err;
}
