/* Payments and their reversals. */
#include "node/service/handlers.h"
#include "node/service/put.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"

#include <string.h>

enum { PAYMENT_ACCOUNT = 2, PAYMENT_AMOUNT = 3, PAYMENT_BILL = 4 };
enum { REVERSAL_PAYMENT = 2, REVERSAL_ACCOUNT = 3 };
enum { BILL_ACCOUNT = 2 };

static struct hs_bytes bytes_of(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

/* ---- payments ---- */

/* Where all of a district is here, all its customers are: an account that is not, is mistyped.  Elsewhere nobody can
 * say. */
static enum hs_err check_account(struct hs_work *work, const char *account)
{
    struct hs_stored stored;
    struct hs_record_name name = {.partition = hs_account_partition(account),
                                  .lane = HS_LANE_PEOPLE,
                                  .kind = HS_KIND_CUSTOMER,
                                  .id = bytes_of(account)};
    if (work->desk->options.accept_unknown_accounts || !hs_whole(work->desk, work->view, name.partition))
        return HS_OK;
    enum hs_err err = hs_view_record(work->view, &name, &stored);
    if (err != HS_ENOTFOUND)
        return err;
    return hs_refuse(&work->refusal, HS_ENOACCOUNT, PAYMENT_ACCOUNT, "account: no customer has the number %s", account);
}

/* A bill that is not here yet is taken on trust, and listed until it comes; one that is here belongs to its account. */
static enum hs_err check_bill(struct hs_work *work, const char *account, const char *bill_id)
{
    struct hs_bill_sums sums;
    struct hs_stored stored;
    struct hs_record bill;
    enum hs_err err = hs_view_bill(work->view, account, bytes_of(bill_id), &sums);
    if (err != HS_OK || sums.known)
        return err;
    err = hs_view_find(work->view, HS_KIND_BILL, bytes_of(bill_id), &stored);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    err = hs_record_decode(stored.state, work->scratch, &bill);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    const struct hs_field_state *field = hs_record_field(&bill, BILL_ACCOUNT);
    const struct hs_live *shown = field != NULL ? hs_field_shown(field) : NULL;
    if (shown == NULL || hs_bytes_equal(hs_tlv_bytes(shown->value, BILL_ACCOUNT), bytes_of(account)))
        return HS_OK;
    return hs_refuse(&work->refusal, HS_EBILLACCOUNT, PAYMENT_BILL, "bill_id: the bill %s is not of account %s",
                     bill_id, account);
}

enum hs_err hs_payment_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__Payment *payment = (const Hallsync__Payment *)item->parsed;
    enum hs_err err = hs_fact_known(work, item, item->message);
    if (err != HS_ENOTFOUND)
        return err;
    err = check_account(work, payment->account);
    if (err == HS_OK && payment->bill_id != NULL)
        err = check_bill(work, payment->account, payment->bill_id);
    if (err != HS_OK)
        return err;
    struct hs_money money = {.partition = hs_account_partition(payment->account),
                             .fact = item->message,
                             .window = payment->window,
                             .amount_fen = payment->amount_fen};
    return hs_cash_write(work, item, &money);
}

/* ---- reversals ---- */

struct reversed {
    struct hs_record_name name; /* of the payment */
    struct hs_bytes payment;    /* its message: until the next look-up */
    int64_t amount_fen;
};

/* Of a district that is not here, only this node's own ops are: others may have reversed it long ago.  A hub says; that
 * it knows of no such payment is said as well, of one that has just been taken here. */
static enum hs_err not_here(struct hs_work *work, struct hs_bytes id, enum hs_err err, hs_partition partition)
{
    char text[HS_ID_TEXT_BYTES];
    hs_text_to_hex(id, text);
    bool elsewhere = err == HS_OK || !hs_store_holds_all(work->store); /* who holds all asks nobody */
    if (elsewhere && hs_work_wants(work, HS_KIND_PAYMENT, id))
        return hs_refuse(&work->refusal, HS_ENOTHERE, REVERSAL_PAYMENT, "payment_id: %s is not here", text);
    if (err == HS_ENOTFOUND)
        return hs_refuse(&work->refusal, HS_ENOPAYMENT, REVERSAL_PAYMENT, "payment_id: there is no payment %s", text);
    return hs_refuse(&work->refusal, HS_ENOTHERE, REVERSAL_PAYMENT,
                     "payment_id: %s is of district %04u, which this node does not hold; reverse it by itself, or at "
                     "the hub",
                     text, (unsigned)partition);
}

static enum hs_err find_payment(struct hs_work *work, struct hs_bytes id, struct reversed *reversed)
{
    struct hs_stored stored = {0};
    const struct hs_variant *variant;
    char text[HS_ID_TEXT_BYTES];
    enum hs_err err = hs_look_find(&work->look, HS_KIND_PAYMENT, id, &stored);
    bool is_foreign = err == HS_OK && !hs_whole(work->desk, work->view, stored.name.partition);
    if (err == HS_OK)
        err = hs_fact_variant(&stored, work->scratch, &variant);
    if (err == HS_ENOTFOUND || (err == HS_OK && is_foreign && !work->answered))
        return not_here(work, id, err, stored.name.partition);
    if (err != HS_OK)
        return err;
    *reversed = (struct reversed){.name = {.partition = stored.name.partition, .id = id},
                                  .payment = variant->bytes,
                                  .amount_fen = hs_tlv_i64(variant->bytes, PAYMENT_AMOUNT, 0)};
    hs_text_to_hex(id, text);
    if (reversed->amount_fen <= 0 || reversed->amount_fen > HS_AMOUNT_FEN_MAX)
        return hs_refuse(&work->refusal, HS_EAMOUNT, REVERSAL_PAYMENT,
                         "payment_id: %s counts nowhere: its amount is none", text);
    return HS_OK;
}

static enum hs_err check_not_reversed(struct hs_work *work, const struct hs_record_name *payment)
{
    char text[HS_ID_TEXT_BYTES];
    bool reversed = false;
    enum hs_err err = hs_fact_reversed(&work->look, payment, &reversed);
    if (err != HS_OK || !reversed)
        return err;
    hs_text_to_hex(payment->id, text);
    return hs_refuse(&work->refusal, HS_EREVERSED, REVERSAL_PAYMENT, "payment_id: %s has been reversed before", text);
}

/* The reversal names its payment's account, so that it can be understood without it: filled in, or the same. */
static enum hs_err complete(struct hs_work *work, const struct hs_item *item, struct hs_bytes paid,
                            struct hs_bytes *message)
{
    Hallsync__Reversal reversal = *(const Hallsync__Reversal *)item->parsed;
    char account[HS_ACCOUNT_DIGITS + 1] = "";
    if (paid.size == HS_ACCOUNT_DIGITS)
        memcpy(account, paid.data, paid.size);
    if (reversal.account != NULL && strcmp(reversal.account, account) != 0)
        return hs_refuse(&work->refusal, HS_EVALUE, REVERSAL_ACCOUNT, "account: the payment is not of account %s",
                         reversal.account);
    reversal.account = account[0] != '\0' ? account : NULL;
    *message = hs_canonical(&reversal.base, work->scratch);
    return message->data != NULL ? HS_OK : HS_ENOMEM;
}

/* Sent again after it was done: it is here, whatever else is not.  HS_ENOTFOUND: it was not, or not just this. */
static enum hs_err done_before(struct hs_work *work, const struct hs_item *item)
{
    struct hs_stored stored;
    const struct hs_variant *variant;
    struct hs_bytes message;
    enum hs_err err = hs_look_find(&work->look, HS_KIND_REVERSAL, item->id, &stored);
    if (err == HS_OK)
        err = hs_fact_variant(&stored, work->scratch, &variant);
    if (err == HS_OK)
        err = complete(work, item, hs_tlv_bytes(variant->bytes, REVERSAL_ACCOUNT), &message);
    if (err == HS_OK)
        err = hs_fact_known(work, item, message);
    return err == HS_EVALUE || err == HS_EDIFFERS ? HS_ENOTFOUND : err;
}

enum hs_err hs_reversal_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__Reversal *reversal = (const Hallsync__Reversal *)item->parsed;
    struct hs_bytes payment_id = HS_BYTES(reversal->payment_id.data, reversal->payment_id.len);
    struct reversed reversed = {0};
    struct hs_bytes message;
    enum hs_err err = done_before(work, item);
    if (err != HS_ENOTFOUND)
        return err;
    err = find_payment(work, payment_id, &reversed);
    if (err == HS_OK)
        err = complete(work, item, hs_tlv_bytes(reversed.payment, PAYMENT_ACCOUNT), &message);
    if (err != HS_OK)
        return err;
    err = hs_fact_known(work, item, message);
    if (err != HS_ENOTFOUND)
        return err;
    err = check_not_reversed(work, &reversed.name);
    if (err != HS_OK)
        return err;
    struct hs_money money = {.partition = reversed.name.partition,
                             .fact = message,
                             .window = reversal->window,
                             .amount_fen = -reversed.amount_fen};
    return hs_cash_write(work, item, &money);
}

/* A reverse request is a reversal that names its payment as people do. */
static enum hs_err make_record(struct hs_call *call, Hallsync__PutRecord *put)
{
    const Hallsync__ReverseRequest *request = call->request->reverse;
    Hallsync__Reversal reversal = HALLSYNC__REVERSAL__INIT;
    struct hs_id payment;
    bool hashed;
    if (hs_id_from_text(request->payment_id, strlen(request->payment_id), &payment, &hashed) != HS_OK)
        return hs_fail(HS_EVALUE, &call->why, "payment_id: an id is 1 to 64 bytes of text");
    reversal.reversal_id = request->reversal_id;
    reversal.has_payment_id = true;
    reversal.payment_id = (ProtobufCBinaryData){.len = sizeof payment.bytes, .data = payment.bytes};
    reversal.reason = request->reason;
    reversal.has_window = request->has_window;
    reversal.window = request->window;
    reversal.clerk = request->clerk;
    struct hs_bytes record = hs_canonical(&reversal.base, &call->arena);
    if (record.data == NULL)
        return HS_ENOMEM;
    hallsync__put_record__init(put);
    put->record = (ProtobufCBinaryData){.len = record.size, .data = (uint8_t *)(uintptr_t)record.data};
    return HS_OK;
}

enum hs_err hs_reverse_prepare(struct hs_call *call)
{
    Hallsync__PutRecord *put = hs_arena_alloc(&call->arena, sizeof *put);
    if (put == NULL)
        return HS_ENOMEM;
    struct hs_item item = {.kind = hs_kind_by_number(HS_KIND_REVERSAL), .write = hs_reversal_write, .put = put};
    enum hs_err err = make_record(call, put);
    if (err == HS_OK)
        err = hs_item_prepare(call, 0, &item);
    return err == HS_OK ? hs_batch_one(call, &item) : err;
}
