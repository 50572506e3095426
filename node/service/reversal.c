/* Reversals: which payment is taken back, whether it may be, and by whom.  A mistake is put right the same day at the
 * same window by its clerk; whatever is later, or from elsewhere, is seen by a second person. */
#include "node/service/handlers.h"
#include "node/service/put.h"
#include "node/service/settled.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"
#include "storage/books.h"

#include <string.h>

enum { PAYMENT_ACCOUNT = 2, PAYMENT_AMOUNT = 3, PAYMENT_METHOD = 5 };
enum { REVERSAL_PAYMENT = 2, REVERSAL_ACCOUNT = 3, REVERSAL_REASON = 4, REVERSAL_CLERK = 6, REVERSAL_SECOND = 7 };
enum { REVERSAL_TYPE = 8 };

struct reversed {
    struct hs_record_name name; /* of the payment */
    struct hs_bytes payment;    /* its message */
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
    struct hs_bytes message = hs_arena_copy(work->scratch, variant->bytes);
    if (message.size != variant->bytes.size)
        return HS_ENOMEM;
    *reversed = (struct reversed){.name = {.partition = stored.name.partition, .id = id},
                                  .payment = message,
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

/* ---- who may, and when ---- */

static bool is(struct hs_bytes value, const char *text)
{
    return hs_bytes_equal(value, HS_BYTES(text, strlen(text)));
}

/* Did this node take it at this window on the business day that is still open there?  Its receipt says so. */
static enum hs_err look_at_window(struct hs_work *work, const Hallsync__Reversal *reversal,
                                  const struct reversed *reversed, bool *same)
{
    const struct hs_certificate *own = hs_store_certificate(work->store);
    struct hs_hall_day today = {.home = own->home,
                                .node = own->node_id,
                                .date = hs_date_of(work->now_ms, work->desk->options.utc_offset_minutes)};
    char receipt[HS_NUMBER_BYTES_MAX];
    struct hs_number number;
    enum hs_err err = hs_fact_receipt(&work->look, HS_KIND_PAYMENT, reversed->name.id, receipt);
    if (err == HS_OK)
        err = hs_books_day(work->view, &today, reversal->window, &today.date);
    *same = err == HS_OK && hs_number_parse(HS_BYTES(receipt, strlen(receipt)), &number) &&
            is(number.node, own->node_id) && number.window == reversal->window && number.date == today.date;
    return err;
}

static enum hs_err check_second(struct hs_work *work, const Hallsync__Reversal *reversal)
{
    const char *why = "a payment of another day, or of another window, is taken back";
    if (reversal->reason == NULL)
        return hs_refuse(&work->refusal, HS_ESECOND, REVERSAL_REASON, "reason: is missing; %s with a reason", why);
    if (reversal->clerk == NULL)
        return hs_refuse(&work->refusal, HS_ESECOND, REVERSAL_CLERK, "clerk: is missing; %s by two people", why);
    if (reversal->second == NULL)
        return hs_refuse(&work->refusal, HS_ESECOND, REVERSAL_SECOND, "second: is missing; %s by two people", why);
    return HS_OK;
}

static enum hs_err find_settled(void *ctx, const struct hs_record_name *name, const struct hs_variant *variant)
{
    (void)name;
    (void)variant;
    *(bool *)ctx = true;
    return HS_EEXISTS;
}

/* Money that was given back, or counted elsewhere, would go out twice.  What the bank does not honour is taken back
 * all the same: then the customer owes it. */
static enum hs_err check_not_settled(struct hs_work *work, const Hallsync__Reversal *reversal,
                                     const struct hs_record_name *payment)
{
    char text[HS_ID_TEXT_BYTES];
    bool settled = false;
    if (reversal->type != NULL && strcmp(reversal->type, "mistake") != 0)
        return HS_OK;
    enum hs_err err = hs_look_settled(&work->look, "facts", payment->id, find_settled, &settled);
    if (!settled)
        return err;
    hs_text_to_hex(payment->id, text);
    return hs_refuse(&work->refusal, HS_ESETTLED, REVERSAL_PAYMENT,
                     "payment_id: %s was given back or counted elsewhere; the district's owner settles the rest", text);
}

/* Only what the bank has to honour can bounce. */
static enum hs_err check_type(struct hs_work *work, const Hallsync__Reversal *reversal, struct hs_bytes method)
{
    const char *type = reversal->type;
    if (type == NULL || strcmp(type, "mistake") == 0)
        return HS_OK;
    bool paper = is(method, "cheque") || is(method, "bank_slip");
    bool fits = paper || (strcmp(type, "refused") == 0 && (is(method, "card") || is(method, "transfer")));
    if (!fits)
        return hs_refuse(&work->refusal, HS_EVALUE, REVERSAL_TYPE, "type: a payment by %.*s is not %s",
                         method.size != 0 ? (int)method.size : 4, method.size != 0 ? (const char *)method.data : "cash",
                         type);
    if (reversal->reason == NULL)
        return hs_refuse(&work->refusal, HS_EREQUIRED, REVERSAL_REASON, "reason: is missing; what has the bank said?");
    return HS_OK;
}

static enum hs_err check_rules(struct hs_work *work, const Hallsync__Reversal *reversal,
                               const struct reversed *reversed)
{
    if (reversal->second != NULL && reversal->clerk != NULL && strcmp(reversal->second, reversal->clerk) == 0)
        return hs_refuse(&work->refusal, HS_ESECOND, REVERSAL_SECOND, "second: is another person than the clerk");
    bool same;
    enum hs_err err = check_type(work, reversal, hs_tlv_bytes(reversed->payment, PAYMENT_METHOD));
    if (err == HS_OK)
        err = look_at_window(work, reversal, reversed, &same);
    return err != HS_OK || same ? err : check_second(work, reversal);
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
    if (err == HS_OK)
        err = check_not_settled(work, reversal, &reversed.name);
    if (err == HS_OK)
        err = check_rules(work, reversal, &reversed);
    if (err != HS_OK)
        return err;
    struct hs_money money = {.partition = reversed.name.partition,
                             .fact = message,
                             .window = reversal->window,
                             .amount_fen = -reversed.amount_fen,
                             .method = hs_tlv_bytes(reversed.payment, PAYMENT_METHOD)};
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
    reversal.second = request->second;
    reversal.type = request->type;
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
