/* Settlements: refunds and credits, made at the node that owns the account's district and nowhere else.  It says which
 * payments one is about, and which settlement of the same money came before: from these follows the id. */
#include "node/service/put.h"
#include "node/service/settled.h"
#include "node/service/telling.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"

#include <string.h>

enum {
    SETTLEMENT_ACCOUNT = 2,
    SETTLEMENT_BILL = 3,
    SETTLEMENT_FACTS = 4,
    SETTLEMENT_AMOUNT = 5,
    SETTLEMENT_TYPE = 6,
    SETTLEMENT_FORM = 9,
    SETTLEMENT_METHOD = 11,
    SETTLEMENT_AFTER = 12,
    SETTLEMENT_GRANT = 13,
    SETTLEMENT_TO_BILL = 14,
    SETTLEMENT_PAYEE = 15
};
enum { PAYMENT_ACCOUNT = 2, BILL_ACCOUNT = 2, FACT_PAYMENT = 1 };

#define FACTS_MAX 232 /* payments of one settlement; what is over is named by the next one */
#define TAKEN_MAX 8   /* ids that are taken */

/* Those of the same bill, or of what the account has paid ahead, that count. */
struct before {
    struct before *next;
    struct hs_bytes id, message;
};

struct settling {
    struct hs_work *work;
    const Hallsync__Settlement *asked;
    struct hs_bytes account, bill_id;
    hs_partition partition;
    struct hs_owner owner;
    struct before *before;
    Hallsync__SettledFact *facts[FACTS_MAX + TAKEN_MAX];
    size_t fact_count;
};

static struct hs_bytes bytes_of(const char *text)
{
    return text != NULL ? HS_BYTES(text, strlen(text)) : HS_BYTES_NONE;
}

static bool same_text(const char *text, struct hs_bytes bytes)
{
    return hs_bytes_equal(bytes_of(text), bytes);
}

/* ---- what is asked for ---- */

static enum hs_err check_made(struct hs_work *work, const Hallsync__Settlement *asked)
{
    const char *why = "is made by the node; leave it out";
    if (asked->n_facts != 0)
        return hs_refuse(&work->refusal, HS_EINVAL, SETTLEMENT_FACTS, "facts: %s", why);
    if (asked->has_after)
        return hs_refuse(&work->refusal, HS_EINVAL, SETTLEMENT_AFTER, "after: %s", why);
    return asked->has_grant ? hs_refuse(&work->refusal, HS_EINVAL, SETTLEMENT_GRANT, "grant: %s", why) : HS_OK;
}

static enum hs_err check_type(struct hs_work *work, const Hallsync__Settlement *asked)
{
    struct hs_refusal *refusal = &work->refusal;
    bool is_refund = strcmp(asked->type, "refund") == 0;
    if (is_refund && asked->to_bill != NULL)
        return hs_refuse(refusal, HS_EVALUE, SETTLEMENT_TO_BILL, "to_bill: is of a credit; a refund is money back");
    if (is_refund)
        return HS_OK;
    if (asked->method != NULL)
        return hs_refuse(refusal, HS_EVALUE, SETTLEMENT_METHOD, "method: is of a refund; a credit moves no money");
    if (asked->payee != NULL)
        return hs_refuse(refusal, HS_EVALUE, SETTLEMENT_PAYEE, "payee: is of a refund; a credit moves no money");
    if (asked->bill_id == NULL && asked->to_bill == NULL)
        return hs_refuse(refusal, HS_EREQUIRED, SETTLEMENT_TO_BILL,
                         "to_bill: is missing; what was paid ahead is counted for a bill");
    if (asked->to_bill != NULL && same_text(asked->to_bill, bytes_of(asked->bill_id)))
        return hs_refuse(refusal, HS_EVALUE, SETTLEMENT_TO_BILL, "to_bill: is the bill that was paid too much");
    return HS_OK;
}

/* ---- was it done before? ---- */

struct forms {
    const Hallsync__Settlement *asked;
    struct hs_view *view;
    bool found, same;
    bool strange; /* another one has it that counts nothing: its writer was not the owner */
    struct hs_record_name name;
    uint8_t id[HS_ID_BYTES];
    struct hs_dot dot;
    struct hs_arena *arena;
};

static enum hs_err take_form(void *ctx, const struct hs_stored *stored)
{
    struct forms *forms = ctx;
    const Hallsync__Settlement *asked = forms->asked;
    const struct hs_variant *variant;
    enum hs_err err = hs_fact_variant(stored, forms->arena, &variant);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    if (hs_view_listed(forms->view, HS_LIST_NOT_OWNER, &stored->name)) {
        forms->strange = true;
        return HS_OK;
    }
    struct hs_bytes message = variant->bytes;
    forms->found = true;
    forms->same = same_text(asked->bill_id, hs_tlv_bytes(message, SETTLEMENT_BILL)) &&
                  same_text(asked->to_bill, hs_tlv_bytes(message, SETTLEMENT_TO_BILL)) &&
                  same_text(asked->type, hs_tlv_bytes(message, SETTLEMENT_TYPE)) &&
                  asked->amount_fen == hs_tlv_i64(message, SETTLEMENT_AMOUNT, 0);
    memcpy(forms->id, stored->name.id.data, sizeof forms->id); /* the index has only what counts: ids of 16 bytes */
    forms->name = stored->name;
    forms->name.id = HS_BYTES(forms->id, sizeof forms->id);
    forms->dot = variant->dot;
    return HS_EEXISTS;
}

static void tell_id(struct hs_work *work, struct hs_bytes id)
{
    hs_text_to_hex(id, work->out.id);
}

static enum hs_err find_form(struct hs_work *work, struct forms *forms)
{
    const struct hs_index *index = hs_kind_index(hs_kind_by_number(HS_KIND_SETTLEMENT), "form_no");
    struct hs_buf key = {0};
    hs_index_pair(&key, bytes_of(forms->asked->form_no), bytes_of(forms->asked->account));
    struct hs_ask ask = {.kind = HS_KIND_SETTLEMENT, .index = index->number, .key = hs_buf_bytes(&key)};
    enum hs_err err = key.err == HS_OK ? hs_look_index(&work->look, &ask, take_form, forms) : key.err;
    hs_buf_fini(&key);
    return err == HS_EEXISTS ? HS_OK : err;
}

/* The form is the customer's paper: sent again, it is the same settlement.  HS_ENOTFOUND: it is a new one. */
static enum hs_err done_before(struct hs_work *work, const Hallsync__Settlement *asked)
{
    struct forms forms = {.asked = asked, .view = work->view, .arena = work->scratch};
    enum hs_err err = find_form(work, &forms);
    if (err == HS_OK && !forms.found && forms.strange)
        return hs_refuse(&work->refusal, HS_EDIFFERS, SETTLEMENT_FORM,
                         "form_no: %s was settled by a node that may not, which counts nothing (list: not-owner); "
                         "give another number",
                         asked->form_no);
    if (err != HS_OK || !forms.found)
        return err == HS_OK ? HS_ENOTFOUND : err;
    if (!forms.same)
        return hs_refuse(&work->refusal, HS_EDIFFERS, SETTLEMENT_FORM,
                         "form_no: %s was settled before, of another bill, type or amount", asked->form_no);
    work->out.result = HALLSYNC__RESULT__RESULT_EXISTS;
    work->out.safe = (Hallsync__Safety)hs_look_safety(&work->look, &forms.name, &forms.dot);
    tell_id(work, forms.name.id);
    return hs_fact_receipt(&work->look, HS_KIND_SETTLEMENT, forms.name.id, work->out.receipt);
}

/* ---- who may ---- */

static enum hs_err check_owner(struct settling *settling)
{
    struct hs_work *work = settling->work;
    const struct hs_owner *owner = &settling->owner;
    char district[HS_PARTITION_TEXT_BYTES];
    hs_partition_text(settling->partition, district);
    enum hs_err err = hs_owner_find(work->view, work->scratch, district, &settling->owner);
    if (err != HS_OK)
        return err;
    if (owner->number == 0)
        return hs_refuse(&work->refusal, HS_ENOTOWNER, SETTLEMENT_ACCOUNT,
                         "account: nobody settles for district %s yet; a hub grants it to a node", district);
    if (strcmp(owner->node, hs_store_certificate(work->store)->node_id) != 0)
        return hs_refuse(&work->refusal, HS_ENOTOWNER, SETTLEMENT_ACCOUNT,
                         "account: %s settles for district %s; do it there, or open a ticket of service refund",
                         owner->node, district);
    if (!hs_whole(work->desk, work->view, settling->partition))
        return hs_refuse(&work->refusal, HS_ENOTHERE, SETTLEMENT_ACCOUNT,
                         "account: not all of district %s is here, so nobody can say what is left to settle", district);
    return HS_OK;
}

/* ---- what came before, and what it is about ---- */

static enum hs_err take_before(void *ctx, const struct hs_record_name *name, const struct hs_variant *variant)
{
    struct settling *settling = ctx;
    struct hs_arena *arena = settling->work->scratch;
    if (!hs_bytes_equal(hs_tlv_bytes(variant->bytes, SETTLEMENT_BILL), settling->bill_id))
        return HS_OK;
    struct before *before = hs_arena_alloc(arena, sizeof *before);
    if (before == NULL)
        return HS_ENOMEM;
    *before = (struct before){settling->before, hs_arena_copy(arena, name->id), hs_arena_copy(arena, variant->bytes)};
    settling->before = before;
    return before->id.data != NULL && before->message.data != NULL ? HS_OK : HS_ENOMEM;
}

/* They are a chain: the last one is what none of the others follows. */
static struct hs_bytes last_before(const struct settling *settling)
{
    for (const struct before *one = settling->before; one != NULL; one = one->next) {
        const struct before *other = settling->before;
        while (other != NULL && !hs_bytes_equal(hs_tlv_bytes(other->message, SETTLEMENT_AFTER), one->id))
            other = other->next;
        if (other == NULL)
            return one->id;
    }
    return HS_BYTES_NONE;
}

static bool is_named(const struct settling *settling, struct hs_bytes payment)
{
    for (const struct before *one = settling->before; one != NULL; one = one->next) {
        struct hs_cur cur = hs_cur_of(one->message);
        struct hs_tlv tlv;
        while (hs_tlv_next(&cur, &tlv)) {
            if (tlv.number == SETTLEMENT_FACTS && hs_bytes_equal(hs_tlv_bytes(tlv.bytes, FACT_PAYMENT), payment))
                return true;
        }
    }
    return false;
}

static enum hs_err add_fact(struct settling *settling, struct hs_bytes named)
{
    struct hs_arena *arena = settling->work->scratch;
    Hallsync__SettledFact *fact = hs_arena_alloc(arena, sizeof *fact);
    struct hs_bytes id = hs_arena_copy(arena, named);
    if (fact == NULL || id.data == NULL)
        return HS_ENOMEM;
    hallsync__settled_fact__init(fact);
    fact->has_payment_id = true;
    fact->payment_id = hs_binary(id);
    settling->facts[settling->fact_count++] = fact;
    return HS_OK;
}

/* In the order of their ids, as the index has them: the same payments make the same settlement. */
static enum hs_err take_payment(void *ctx, const struct hs_stored *stored)
{
    struct settling *settling = ctx;
    struct hs_work *work = settling->work;
    const struct hs_variant *payment;
    bool reversed = false;
    enum hs_err err = hs_fact_variant(stored, work->scratch, &payment);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    int64_t gives = settling->bill_id.size != 0 ? hs_payment_gives(payment->bytes, settling->bill_id)
                                                : hs_payment_ahead(payment->bytes);
    if (gives <= 0 || !hs_bytes_equal(hs_tlv_bytes(payment->bytes, PAYMENT_ACCOUNT), settling->account) ||
        is_named(settling, stored->name.id))
        return HS_OK;
    err = hs_fact_reversed(&work->look, &stored->name, &reversed);
    if (err != HS_OK || reversed)
        return err;
    err = add_fact(settling, stored->name.id);
    return err == HS_OK && settling->fact_count == FACTS_MAX ? HS_EEXISTS : err;
}

static enum hs_err gather(struct settling *settling)
{
    struct hs_work *work = settling->work;
    bool of_bill = settling->bill_id.size != 0;
    struct hs_ask payments = {.kind = HS_KIND_PAYMENT, .key = of_bill ? settling->bill_id : settling->account};
    payments.index = hs_kind_index(hs_kind_by_number(HS_KIND_PAYMENT), of_bill ? "bill_id" : "account")->number;
    enum hs_err err = hs_look_settled(&work->look, "account", settling->account, take_before, settling);
    if (err == HS_OK)
        err = hs_look_index(&work->look, &payments, take_payment, settling);
    return err == HS_EEXISTS ? HS_OK : err;
}

/* ---- is there so much? ---- */

static enum hs_err due_of(struct settling *settling, const char *bill_id, uint32_t field, struct hs_due *due)
{
    struct hs_work *work = settling->work;
    const char *name = field == SETTLEMENT_BILL ? "bill_id" : "to_bill";
    struct hs_stored stored;
    struct hs_bytes bill;
    struct hs_record_name record = {
        .partition = settling->partition, .lane = HS_LANE_BULK, .kind = HS_KIND_BILL, .id = bytes_of(bill_id)};
    enum hs_err err = hs_view_record(work->view, &record, &stored);
    if (err == HS_OK)
        err = hs_look_message(&work->look, &stored, &bill);
    if (err == HS_ENOTFOUND)
        return hs_refuse(&work->refusal, err, field, "%s: there is no bill %s of account %s here", name, bill_id,
                         settling->asked->account);
    if (err == HS_OK && !hs_bytes_equal(hs_tlv_bytes(bill, BILL_ACCOUNT), settling->account))
        return hs_refuse(&work->refusal, HS_EBILLACCOUNT, field, "%s: the bill %s is not of account %s", name, bill_id,
                         settling->asked->account);
    return err == HS_OK ? hs_look_due(&work->look, bill, due) : err;
}

static enum hs_err check_from(struct settling *settling)
{
    struct hs_work *work = settling->work;
    const Hallsync__Settlement *asked = settling->asked;
    char fen[HS_FEN_TEXT_BYTES];
    struct hs_due due = {0};
    int64_t there = 0;
    enum hs_err err;
    if (asked->bill_id != NULL) {
        err = due_of(settling, asked->bill_id, SETTLEMENT_BILL, &due);
        there = err == HS_OK && due.due_fen < 0 ? -due.due_fen : 0;
    } else
        err = hs_look_advance(&work->look, asked->account, &there);
    if (err != HS_OK || asked->amount_fen <= there)
        return err;
    return hs_refuse(&work->refusal, HS_ENOTSOMUCH, SETTLEMENT_AMOUNT, "amount_fen: %s yuan %s, and no more",
                     hs_yuan_text(there > 0 ? there : 0, fen),
                     asked->bill_id != NULL ? "of the bill were paid too much" : "are paid ahead");
}

static enum hs_err check_to(struct settling *settling)
{
    struct hs_work *work = settling->work;
    const Hallsync__Settlement *asked = settling->asked;
    char fen[HS_FEN_TEXT_BYTES];
    struct hs_due due = {0};
    if (asked->to_bill == NULL)
        return HS_OK;
    enum hs_err err = due_of(settling, asked->to_bill, SETTLEMENT_TO_BILL, &due);
    if (err == HS_OK && due.end != HS_BILL_STANDS)
        return hs_refuse(&work->refusal, HS_EBILLCLOSED, SETTLEMENT_TO_BILL,
                         "to_bill: the bill %s was cancelled or corrected", asked->to_bill);
    if (err != HS_OK || asked->amount_fen <= due.due_fen)
        return err;
    return hs_refuse(&work->refusal, HS_ENOTSOMUCH, SETTLEMENT_AMOUNT,
                     "amount_fen: the bill %s asks for %s yuan, and no more", asked->to_bill,
                     hs_yuan_text(due.due_fen > 0 ? due.due_fen : 0, fen));
}

/* ---- writing ---- */

/* A refund is money out of the drawer, and has its number in the cash book; a credit moves none. */
static enum hs_err write_made(struct settling *settling, const struct hs_item *item)
{
    struct hs_work *work = settling->work;
    const Hallsync__Settlement *asked = settling->asked;
    struct hs_money money = {.partition = settling->partition,
                             .fact = item->message,
                             .window = asked->window,
                             .amount_fen = -asked->amount_fen,
                             .method = bytes_of(asked->method)};
    struct hs_new_fact credit = {.message = item->message, .partition = settling->partition};
    bool is_refund = strcmp(asked->type, "refund") == 0;
    return is_refund ? hs_cash_write(work, item, &money) : hs_fact_put(work, item, &credit);
}

/* The item with what the node fills in, and the id that follows. */
static enum hs_err make(struct settling *settling, struct hs_item *item, struct hs_id *id)
{
    Hallsync__Settlement made = *settling->asked;
    struct hs_bytes last = last_before(settling);
    made.facts = settling->facts;
    made.n_facts = settling->fact_count;
    made.has_after = last.size != 0;
    made.after = hs_binary(last);
    made.has_grant = true;
    made.grant = settling->owner.number;
    item->message = hs_canonical(&made.base, settling->work->scratch);
    if (item->message.data == NULL)
        return HS_ENOMEM;
    hs_kind_id(item->kind, item->message, id);
    item->id = HS_BYTES(id->bytes, sizeof id->bytes);
    return HS_OK;
}

/* Under its id there may be what somebody wrote who may not, and what counts nothing: it must not be in the way, so it
 * is named, and the id is another one. */
static enum hs_err make_and_write(struct settling *settling, const struct hs_item *item)
{
    struct hs_work *work = settling->work;
    struct hs_item own = *item;
    struct hs_id id;
    enum hs_err err = HS_EDIFFERS;
    for (int i = 0; i <= TAKEN_MAX && err == HS_EDIFFERS; i++) {
        work->refusal = (struct hs_refusal){0};
        err = i > 0 ? add_fact(settling, own.id) : HS_OK;
        if (err == HS_OK)
            err = make(settling, &own, &id);
        if (err == HS_OK)
            err = hs_fact_known(work, &own, own.message);
    }
    if (err == HS_ENOTFOUND)
        err = write_made(settling, &own);
    if (err == HS_OK)
        tell_id(work, own.id);
    return err;
}

enum hs_err hs_settlement_write(struct hs_work *work, const struct hs_item *item)
{
    const Hallsync__Settlement *asked = (const Hallsync__Settlement *)item->parsed;
    struct settling settling = {.work = work,
                                .asked = asked,
                                .account = bytes_of(asked->account),
                                .bill_id = bytes_of(asked->bill_id),
                                .partition = hs_account_partition(asked->account)};
    enum hs_err err = check_made(work, asked);
    if (err == HS_OK)
        err = check_type(work, asked);
    if (err == HS_OK)
        err = done_before(work, asked);
    if (err != HS_ENOTFOUND)
        return err;
    err = check_owner(&settling);
    if (err == HS_OK)
        err = gather(&settling);
    if (err == HS_OK)
        err = check_from(&settling);
    if (err == HS_OK)
        err = check_to(&settling);
    return err == HS_OK ? make_and_write(&settling, item) : err;
}
