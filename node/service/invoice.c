/* Requests of invoices: one is asked for by the receipt of a payment, and issued once, with a number; or refused. */
#include "node/service/put.h"
#include "node/service/telling.h"

#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"
#include "storage/model/close.h"

#include <string.h>

enum { REQUEST_ACCOUNT = 2, REQUEST_NUMBER = 3, REQUEST_STATE = 7, REQUEST_INVOICE = 8 };
enum { ENTRY_FACT_KIND = 4, ENTRY_FACT_ID = 5, PAYMENT_ACCOUNT = 2 };

/* The record, and what it will be. */
struct asking {
    struct hs_work *work;
    const struct hs_item *item;
    struct hs_target target;
    struct hs_bytes number; /* of the receipt */
    struct hs_bytes was, will;
    bool issued; /* another request of this receipt is, or at least asks */
    bool asked;
};

static bool is(struct hs_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

static struct hs_bytes shown(const struct asking *asking, uint32_t number)
{
    const struct hs_field_state *field = hs_record_field(&asking->target.record, number);
    const struct hs_live *live = field != NULL ? hs_field_shown(field) : NULL;
    return live != NULL ? live->value : HS_BYTES_NONE;
}

static const struct hs_given *given(const struct asking *asking, uint32_t number)
{
    for (size_t i = 0; i < asking->item->given_count; i++) {
        if (asking->item->given[i].number == number)
            return &asking->item->given[i];
    }
    return NULL;
}

/* A field's text behind this write. */
static struct hs_bytes text_after(const struct asking *asking, uint32_t number)
{
    const struct hs_given *one = given(asking, number);
    return hs_tlv_bytes(one != NULL ? one->value : shown(asking, number), number);
}

/* ---- states ---- */

static bool is_over(struct hs_bytes state)
{
    return is(state, "issued") || is(state, "refused");
}

/* What was issued or refused stays as it is: the customer has the paper. */
static enum hs_err check_unchanged(const struct asking *asking)
{
    for (size_t i = 0; i < asking->item->given_count; i++) {
        const struct hs_given *one = &asking->item->given[i];
        if (!hs_bytes_equal(one->value, shown(asking, one->number)))
            return hs_refuse(&asking->work->refusal, HS_ESTATE, one->number,
                             "%s: the request was %.*s; ask for a new one",
                             hs_kind_field_name(asking->item->kind, one->number), (int)asking->was.size,
                             (const char *)asking->was.data);
    }
    return HS_OK;
}

static enum hs_err check_state(const struct asking *asking)
{
    struct hs_refusal *refusal = &asking->work->refusal;
    bool has_invoice = text_after(asking, REQUEST_INVOICE).size != 0;
    if (asking->target.is_new && is_over(asking->will))
        return hs_refuse(refusal, HS_ESTATE, REQUEST_STATE, "state: begins as asked");
    if (is(asking->will, "issued") && !has_invoice)
        return hs_refuse(refusal, HS_EREQUIRED, REQUEST_INVOICE, "invoice_no: is missing; what is issued has a number");
    if (!is(asking->will, "issued") && has_invoice)
        return hs_refuse(refusal, HS_EVALUE, REQUEST_INVOICE, "invoice_no: is of what is issued; give state=issued");
    return HS_OK;
}

/* ---- the receipt ---- */

/* What has to be here, if it is anywhere: all entries of a hub's region, and this node's own. */
static bool must_be_here(const struct asking *asking)
{
    struct hs_number number;
    const char *own = hs_store_certificate(asking->work->store)->node_id;
    return hs_store_holds_all(asking->work->store) ||
           (hs_number_parse(asking->number, &number) && is(number.node, own));
}

static enum hs_err check_payment(const struct asking *asking, struct hs_bytes id)
{
    struct hs_work *work = asking->work;
    struct hs_stored stored;
    const struct hs_variant *payment;
    bool reversed = false;
    enum hs_err err = hs_look_find(&work->look, HS_KIND_PAYMENT, id, &stored);
    if (err == HS_OK)
        err = hs_fact_variant(&stored, work->scratch, &payment);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err; /* of a district that is not here: taken on trust */
    if (!hs_bytes_equal(hs_tlv_bytes(payment->bytes, PAYMENT_ACCOUNT), text_after(asking, REQUEST_ACCOUNT)))
        return hs_refuse(&work->refusal, HS_EVALUE, REQUEST_NUMBER, "number: %.*s is no receipt of this account",
                         (int)asking->number.size, (const char *)asking->number.data);
    err = hs_fact_reversed(&work->look, &stored.name, &reversed);
    if (err != HS_OK || !reversed)
        return err;
    return hs_refuse(&work->refusal, HS_EREVERSED, REQUEST_NUMBER, "number: the payment of %.*s was taken back",
                     (int)asking->number.size, (const char *)asking->number.data);
}

/* A receipt of another hall may be nowhere here; then it is taken on trust until it is issued where it is known. */
static enum hs_err check_receipt(const struct asking *asking)
{
    struct hs_work *work = asking->work;
    struct hs_stored stored;
    const struct hs_variant *entry;
    struct hs_bytes number = asking->number;
    enum hs_err err = hs_look_find(&work->look, HS_KIND_CASH_ENTRY, number, &stored);
    if (err == HS_OK)
        err = hs_fact_variant(&stored, work->scratch, &entry);
    if (err == HS_ENOTFOUND && must_be_here(asking))
        return hs_refuse(&work->refusal, HS_ENORECEIPT, REQUEST_NUMBER, "number: there is no receipt %.*s",
                         (int)number.size, (const char *)number.data);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    if (hs_tlv_u64(entry->bytes, ENTRY_FACT_KIND, 0) != HS_KIND_PAYMENT)
        return hs_refuse(&work->refusal, HS_EVALUE, REQUEST_NUMBER, "number: %.*s is of money that went out",
                         (int)number.size, (const char *)number.data);
    return check_payment(asking, hs_tlv_bytes(entry->bytes, ENTRY_FACT_ID));
}

/* ---- other requests of the same receipt ---- */

static enum hs_err look_at(void *ctx, const struct hs_stored *stored)
{
    struct asking *asking = ctx;
    struct hs_bytes message;
    if (hs_bytes_equal(stored->name.id, asking->item->id))
        return HS_OK;
    enum hs_err err = hs_look_message(&asking->work->look, stored, &message);
    if (err != HS_OK)
        return err;
    struct hs_bytes state = hs_tlv_bytes(message, REQUEST_STATE);
    asking->issued = asking->issued || is(state, "issued");
    asking->asked = asking->asked || !is(state, "refused");
    return HS_OK;
}

/* So the amount of the receipt is invoiced once. */
static enum hs_err check_others(struct asking *asking)
{
    struct hs_ask others = {.kind = HS_KIND_INVOICE_REQUEST, .key = asking->number};
    others.index = hs_kind_index(hs_kind_by_number(HS_KIND_INVOICE_REQUEST), "number")->number;
    enum hs_err err = hs_look_index(&asking->work->look, &others, look_at, asking);
    if (err != HS_OK || !(asking->issued || (asking->target.is_new && asking->asked)))
        return err;
    return hs_refuse(&asking->work->refusal, HS_EEXISTS, REQUEST_NUMBER, "number: an invoice for %.*s was %s before",
                     (int)asking->number.size, (const char *)asking->number.data,
                     asking->issued ? "issued" : "asked for");
}

static enum hs_err check(struct asking *asking)
{
    asking->number = text_after(asking, REQUEST_NUMBER);
    asking->was = hs_tlv_bytes(shown(asking, REQUEST_STATE), REQUEST_STATE);
    asking->will = text_after(asking, REQUEST_STATE);
    if (is_over(asking->was))
        return check_unchanged(asking);
    enum hs_err err = check_state(asking);
    if (err != HS_OK || !(asking->target.is_new || is(asking->will, "issued")))
        return err;
    err = check_receipt(asking);
    return err == HS_OK ? check_others(asking) : err;
}

enum hs_err hs_invoice_write(struct hs_work *work, const struct hs_item *item)
{
    struct asking asking = {.work = work, .item = item};
    if (hs_register_repeated(work, item))
        return HS_OK;
    enum hs_err err = hs_register_find(work, item, &asking.target);
    if (err == HS_OK)
        err = check(&asking);
    return err == HS_OK ? hs_register_write(work, item) : err;
}
