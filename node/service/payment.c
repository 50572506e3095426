/* Payments: what they may say, which bills they pay, and that a card is topped up once under a counter. */
#include "node/service/put.h"
#include "node/service/telling.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"

#include <stdio.h>
#include <string.h>

enum {
    PAYMENT_ACCOUNT = 2,
    PAYMENT_BILL = 4,
    PAYMENT_METHOD = 5,
    PAYMENT_PARTS = 8,
    PAYMENT_PURPOSE = 9,
    PAYMENT_SLIP = 10,
    PAYMENT_TENDERED = 12,
    PAYMENT_CHANGE = 13,
    PAYMENT_CARD = 14,
    PAYMENT_COUNTER = 15
};
enum { BILL_ACCOUNT = 2, BILL_REPLACED_BY = 9 };

static struct hs_bytes bytes_of(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

static bool is(const char *text, const char *value)
{
    return text != NULL && strcmp(text, value) == 0;
}

/* ---- what it says ---- */

static enum hs_err check_parts(struct hs_work *work, const Hallsync__Payment *payment)
{
    int64_t left = payment->amount_fen;
    char fen[HS_FEN_TEXT_BYTES];
    if (payment->n_parts != 0 && payment->bill_id != NULL)
        return hs_refuse(&work->refusal, HS_EVALUE, PAYMENT_BILL,
                         "bill_id: goes with parts not together; give it a part");
    for (size_t i = 0; i < payment->n_parts; i++) {
        const Hallsync__PaymentPart *part = payment->parts[i];
        for (size_t j = 0; j < i; j++) {
            if (strcmp(part->bill_id, payment->parts[j]->bill_id) == 0)
                return hs_refuse(&work->refusal, HS_EVALUE, PAYMENT_PARTS,
                                 "parts: bill %s stands there twice; one part is for a bill", part->bill_id);
        }
        if (part->amount_fen > left)
            return hs_refuse(&work->refusal, HS_EAMOUNT, PAYMENT_PARTS,
                             "parts: together above the amount of %s yuan; what was taken is shared out",
                             hs_yuan_text(payment->amount_fen, fen));
        left -= part->amount_fen;
    }
    return HS_OK;
}

static enum hs_err check_change(struct hs_work *work, const Hallsync__Payment *payment)
{
    char fen[HS_FEN_TEXT_BYTES];
    if (!payment->has_tendered_fen && !payment->has_change_fen)
        return HS_OK;
    if (!payment->has_tendered_fen)
        return hs_refuse(&work->refusal, HS_EREQUIRED, PAYMENT_TENDERED,
                         "tendered_fen: is missing; change is given of what was handed over");
    if (payment->method != NULL && !is(payment->method, "cash"))
        return hs_refuse(&work->refusal, HS_EVALUE, PAYMENT_TENDERED, "tendered_fen: is of cash, and this is %s",
                         payment->method);
    if (payment->tendered_fen - payment->change_fen != payment->amount_fen)
        return hs_refuse(&work->refusal, HS_EAMOUNT, PAYMENT_CHANGE,
                         "change_fen: what was handed over less change is not the amount of %s yuan",
                         hs_yuan_text(payment->amount_fen, fen));
    return HS_OK;
}

static enum hs_err check_topup(struct hs_work *work, const Hallsync__Payment *payment)
{
    bool is_topup = is(payment->purpose, "topup");
    bool has_card = payment->card_no != NULL;
    if (!is_topup && (has_card || payment->has_card_counter))
        return hs_refuse(&work->refusal, HS_EVALUE, PAYMENT_PURPOSE,
                         "purpose: topup is what goes with card_no and card_counter");
    if (is_topup && !has_card)
        return hs_refuse(&work->refusal, HS_EREQUIRED, PAYMENT_CARD, "card_no: is missing; a top-up names the card");
    if (is_topup && !payment->has_card_counter)
        return hs_refuse(&work->refusal, HS_EREQUIRED, PAYMENT_COUNTER,
                         "card_counter: is missing; by it a top-up is not done twice");
    if (payment->bill_id == NULL && payment->n_parts == 0)
        return HS_OK;
    if (is_topup || is(payment->purpose, "advance") || is(payment->purpose, "fee"))
        return hs_refuse(&work->refusal, HS_EVALUE, PAYMENT_PURPOSE, "purpose: %s pays no bill", payment->purpose);
    return HS_OK;
}

static enum hs_err check_content(struct hs_work *work, const Hallsync__Payment *payment)
{
    enum hs_err err = check_parts(work, payment);
    if (err == HS_OK)
        err = check_change(work, payment);
    if (err == HS_OK)
        err = check_topup(work, payment);
    if (err == HS_OK && is(payment->method, "bank_slip") && payment->slip_no == NULL)
        err = hs_refuse(&work->refusal, HS_EREQUIRED, PAYMENT_SLIP, "slip_no: is missing; a bank slip has a number");
    return err;
}

/* ---- what is known here ---- */

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

static enum hs_err find_bill(struct hs_work *work, const char *account, struct hs_bytes bill_id,
                             struct hs_stored *stored)
{
    struct hs_record_name name = {
        .partition = hs_account_partition(account), .lane = HS_LANE_BULK, .kind = HS_KIND_BILL, .id = bill_id};
    enum hs_err err = hs_view_record(work->view, &name, stored);
    return err == HS_ENOTFOUND ? hs_view_find(work->view, HS_KIND_BILL, bill_id, stored) : err;
}

/* A bill that is not here yet is taken on trust, and listed until it comes; one that is here belongs to its account. */
static enum hs_err check_bill(struct hs_work *work, const char *account, const char *bill_id, uint32_t field)
{
    struct hs_stored stored;
    struct hs_bytes bill;
    const char *what = field == PAYMENT_BILL ? "bill_id" : "parts";
    enum hs_err err = find_bill(work, account, bytes_of(bill_id), &stored);
    if (err == HS_OK)
        err = hs_look_message(&work->look, &stored, &bill);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    struct hs_bytes of = hs_tlv_bytes(bill, BILL_ACCOUNT);
    struct hs_bytes by = hs_tlv_bytes(bill, BILL_REPLACED_BY);
    if (of.size != 0 && !hs_bytes_equal(of, bytes_of(account)))
        return hs_refuse(&work->refusal, HS_EBILLACCOUNT, field, "%s: the bill %s is not of account %s", what, bill_id,
                         account);
    switch (hs_bill_end(bill)) {
    case HS_BILL_STANDS:
        return HS_OK;
    case HS_BILL_CANCELLED:
        return hs_refuse(&work->refusal, HS_EBILLCLOSED, field, "%s: the bill %s was cancelled; nothing is to be paid",
                         what, bill_id);
    case HS_BILL_REPLACED:
        break;
    }
    return hs_refuse(&work->refusal, HS_EBILLCLOSED, field, "%s: the bill %s was corrected; pay %.*s", what, bill_id,
                     (int)by.size, (const char *)by.data);
}

static enum hs_err check_bills(struct hs_work *work, const Hallsync__Payment *payment)
{
    enum hs_err err = HS_OK;
    if (payment->bill_id != NULL)
        err = check_bill(work, payment->account, payment->bill_id, PAYMENT_BILL);
    for (size_t i = 0; i < payment->n_parts && err == HS_OK; i++)
        err = check_bill(work, payment->account, payment->parts[i]->bill_id, PAYMENT_PARTS);
    return err;
}

struct topping {
    struct hs_work *work;
    bool found;
    uint8_t id[HS_ID_BYTES];
};

static enum hs_err take_topup(void *ctx, const struct hs_stored *stored)
{
    struct topping *topping = ctx;
    bool reversed = false;
    enum hs_err err = hs_fact_reversed(&topping->work->look, &stored->name, &reversed);
    if (err != HS_OK || reversed)
        return err;
    topping->found = true;
    memcpy(topping->id, stored->name.id.data, sizeof topping->id); /* the index has only what counts: ids of 16 bytes */
    return HS_EEXISTS;
}

/* Money for a purchase that the card has already would be money for nothing. */
static enum hs_err check_card(struct hs_work *work, const Hallsync__Payment *payment)
{
    const struct hs_kind *kind = hs_kind_by_number(HS_KIND_PAYMENT);
    const struct hs_index *index = hs_kind_index(kind, "card_counter");
    struct topping topping = {.work = work};
    struct hs_buf key = {0};
    char counter[16];
    char receipt[HS_NUMBER_BYTES_MAX] = "";
    if (payment->card_no == NULL)
        return HS_OK;
    snprintf(counter, sizeof counter, "%u", (unsigned)payment->card_counter);
    enum hs_err err = hs_index_key_parse(kind, index, counter, payment->card_no, &key, &work->refusal.why);
    struct hs_ask topups = {.kind = HS_KIND_PAYMENT, .index = index->number, .key = hs_buf_bytes(&key)};
    if (err == HS_OK)
        err = hs_look_index(&work->look, &topups, take_topup, &topping);
    hs_buf_fini(&key);
    if (!topping.found)
        return err;
    err = hs_fact_receipt(&work->look, HS_KIND_PAYMENT, HS_BYTES(topping.id, sizeof topping.id), receipt);
    if (err != HS_OK)
        return err;
    return hs_refuse(&work->refusal, HS_ETOPUP, PAYMENT_COUNTER,
                     "card_counter: card %s was topped up under %s before, receipt %s; read the card again",
                     payment->card_no, counter, receipt[0] != '\0' ? receipt : "not known here");
}

enum hs_err hs_payment_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__Payment *payment = (const Hallsync__Payment *)item->parsed;
    enum hs_err err = hs_fact_known(work, item, item->message);
    if (err != HS_ENOTFOUND)
        return err;
    err = check_content(work, payment);
    if (err == HS_OK)
        err = check_account(work, payment->account);
    if (err == HS_OK)
        err = check_bills(work, payment);
    if (err == HS_OK)
        err = check_card(work, payment);
    if (err != HS_OK)
        return err;
    struct hs_money money = {.partition = hs_account_partition(payment->account),
                             .fact = item->message,
                             .window = payment->window,
                             .amount_fen = payment->amount_fen,
                             .method = hs_tlv_bytes(item->message, PAYMENT_METHOD)};
    err = hs_cash_write(work, item, &money);
    return err == HS_OK ? hs_reconnect_after(work, payment->account, item->id) : err;
}
