/* What is due today: a bill's amount and late fees, less what was paid of it. */
#include "node/service/call.h"
#include "node/service/look.h"
#include "node/service/put.h"
#include "node/service/settled.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"

#include <string.h>

enum { BILL_ID = 1, BILL_ACCOUNT = 2, BILL_AMOUNT = 4 };
enum { PAYMENT_ACCOUNT = 2, SETTLEMENT_ACCOUNT = 2 };

uint32_t hs_look_today(const struct hs_look *look)
{
    return hs_date_of(hs_now_ms(), look->desk->options.utc_offset_minutes);
}

/* ---- when it was paid: late fees depend on it ---- */

struct paying {
    const struct hs_look *look;
    struct hs_arena *one; /* of the payment at hand: an account may have many */
    struct hs_bytes account, bill_id;
    struct hs_bill_paid *list;
    size_t count, room;
};

static enum hs_err add_paid(struct paying *paying, const struct hs_bill_paid *paid)
{
    if (paying->count == paying->room) {
        size_t room = paying->room == 0 ? 8 : 2 * paying->room;
        struct hs_bill_paid *list = hs_arena_array(paying->look->arena, room, sizeof *list);
        if (list == NULL)
            return HS_ENOMEM;
        if (paying->count > 0)
            memcpy(list, paying->list, paying->count * sizeof *list);
        paying->list = list;
        paying->room = room;
    }
    paying->list[paying->count++] = *paid;
    return HS_OK;
}

/* One that was taken back, a bounced cheque too, has paid nothing on no day. */
static enum hs_err take_payment(void *ctx, const struct hs_stored *stored)
{
    struct paying *paying = ctx;
    const struct hs_variant *payment;
    bool reversed = false;
    hs_arena_reset(paying->one);
    enum hs_err err = hs_fact_variant(stored, paying->one, &payment);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    if (!hs_bytes_equal(hs_tlv_bytes(payment->bytes, PAYMENT_ACCOUNT), paying->account))
        return HS_OK;
    err = hs_fact_reversed(paying->look, &stored->name, &reversed);
    if (err != HS_OK || reversed)
        return err;
    struct hs_bill_paid paid = {
        .date = hs_date_of(hs_stamp_ms(payment->stamp), paying->look->desk->options.utc_offset_minutes),
        .fen = hs_payment_gives(payment->bytes, paying->bill_id)};
    return add_paid(paying, &paid);
}

/* What was given back, or counted here from elsewhere, on its day. */
static enum hs_err take_settled(void *ctx, const struct hs_record_name *name, const struct hs_variant *settlement)
{
    struct paying *paying = ctx;
    (void)name;
    if (!hs_bytes_equal(hs_tlv_bytes(settlement->bytes, SETTLEMENT_ACCOUNT), paying->account))
        return HS_OK;
    struct hs_bill_paid paid = {
        .date = hs_date_of(hs_stamp_ms(settlement->stamp), paying->look->desk->options.utc_offset_minutes),
        .fen = hs_settlement_gives(settlement->bytes, paying->bill_id)};
    return add_paid(paying, &paid);
}

static enum hs_err go_through(struct paying *paying)
{
    struct hs_arena one;
    struct hs_ask payments = {.kind = HS_KIND_PAYMENT, .key = paying->bill_id};
    payments.index = hs_kind_index(hs_kind_by_number(HS_KIND_PAYMENT), "bill_id")->number;
    hs_arena_init(&one, 0);
    paying->one = &one;
    enum hs_err err = hs_look_index(paying->look, &payments, take_payment, paying);
    hs_arena_fini(&one);
    return err == HS_OK ? hs_look_settled(paying->look, "bill_id", paying->bill_id, take_settled, paying) : err;
}

enum hs_err hs_look_due(const struct hs_look *look, struct hs_bytes bill, struct hs_due *due)
{
    struct hs_bytes account = hs_tlv_bytes(bill, BILL_ACCOUNT);
    struct paying paying = {.look = look, .account = account, .bill_id = hs_tlv_bytes(bill, BILL_ID)};
    char text[HS_ACCOUNT_DIGITS + 1] = "";
    struct hs_bill_sums sums;
    memcpy(text, account.data, account.size < sizeof text ? account.size : 0);
    *due = (struct hs_due){.end = hs_bill_end(bill)};
    enum hs_err err = hs_look_bill(look, text, paying.bill_id, &sums);
    if (err == HS_OK && hs_bill_most(bill) > hs_tlv_i64(bill, BILL_AMOUNT, 0))
        err = go_through(&paying);
    if (err != HS_OK)
        return err;
    hs_bill_asks(bill, paying.list, paying.count, hs_look_today(look), &due->asks);
    due->paid_fen = sums.paid_fen;
    due->settled_fen = sums.settled_fen;
    due->due_fen = due->asks.amount_fen + due->asks.late_fen - due->paid_fen;
    return HS_OK;
}

/* ---- of an account ---- */

struct owing {
    struct hs_look look; /* with an arena of the bill at hand */
    int64_t due_fen;
};

static enum hs_err take_bill(void *ctx, const struct hs_stored *stored)
{
    struct owing *owing = ctx;
    struct hs_bytes bill;
    struct hs_due due;
    hs_arena_reset(owing->look.arena);
    enum hs_err err = hs_look_message(&owing->look, stored, &bill);
    if (err == HS_OK)
        err = hs_look_due(&owing->look, bill, &due);
    if (err == HS_OK && due.due_fen > 0)
        owing->due_fen += due.due_fen;
    return err;
}

enum hs_err hs_look_account_due(const struct hs_look *look, const char *account, int64_t *due_fen)
{
    struct hs_arena one;
    struct owing owing = {.look = *look};
    struct hs_ask bills = {.kind = HS_KIND_BILL, .key = HS_BYTES(account, strlen(account))};
    bills.index = hs_kind_index(hs_kind_by_number(HS_KIND_BILL), "account")->number;
    hs_arena_init(&one, 0);
    owing.look.arena = &one;
    enum hs_err err = hs_look_index(look, &bills, take_bill, &owing);
    hs_arena_fini(&one);
    *due_fen = owing.due_fen;
    return err;
}

struct ahead {
    struct hs_look look; /* with an arena of the payment at hand */
    int64_t fen;
};

static enum hs_err take_ahead(void *ctx, const struct hs_stored *stored)
{
    struct ahead *ahead = ctx;
    const struct hs_variant *payment;
    bool reversed = false;
    hs_arena_reset(ahead->look.arena);
    enum hs_err err = hs_fact_variant(stored, ahead->look.arena, &payment);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    int64_t left = hs_payment_ahead(payment->bytes);
    if (left > 0)
        err = hs_fact_reversed(&ahead->look, &stored->name, &reversed);
    if (err == HS_OK && !reversed)
        ahead->fen += left;
    return err;
}

static enum hs_err settle_ahead(void *ctx, const struct hs_record_name *name, const struct hs_variant *settlement)
{
    struct ahead *ahead = ctx;
    (void)name;
    ahead->fen += hs_settlement_gives(settlement->bytes, HS_BYTES_NONE);
    return HS_OK;
}

enum hs_err hs_look_advance(const struct hs_look *look, const char *account, int64_t *fen)
{
    struct hs_arena one;
    struct ahead ahead = {.look = *look};
    struct hs_ask payments = {.kind = HS_KIND_PAYMENT, .key = HS_BYTES(account, strlen(account))};
    payments.index = hs_kind_index(hs_kind_by_number(HS_KIND_PAYMENT), "account")->number;
    hs_arena_init(&one, 0);
    ahead.look.arena = &one;
    enum hs_err err = hs_look_index(look, &payments, take_ahead, &ahead);
    if (err == HS_OK)
        err = hs_look_settled(&ahead.look, "account", payments.key, settle_ahead, &ahead);
    hs_arena_fini(&one);
    *fen = ahead.fen;
    return err;
}
