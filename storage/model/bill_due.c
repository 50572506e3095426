#include "storage/model/bill_due.h"

#include "proto/base/limits.h"
#include "proto/msg/tlv.h"
#include "storage/model/close.h"
#include "storage/model/kinds.h"

#include <stdlib.h>
#include <string.h>

enum { PAYMENT_AMOUNT = 3, PAYMENT_BILL = 4, PAYMENT_PARTS = 8, PAYMENT_PURPOSE = 9 };
enum { PART_BILL = 1, PART_AMOUNT = 2 };
enum { BILL_AMOUNT = 4, BILL_LATE_FEES = 7, BILL_STATUS = 8, BILL_REPLACED_BY = 9 };
enum { FEE_DATE = 1, FEE_AMOUNT = 2 };

/* An amount, or 0 for what is none. */
static int64_t amount_of(struct hs_bytes message, uint32_t field)
{
    int64_t fen = hs_tlv_i64(message, field, 0);
    return fen > 0 && fen <= HS_AMOUNT_FEN_MAX ? fen : 0;
}

/* ---- payments ---- */

static int64_t take_parts(struct hs_bytes payment, hs_take_part take, void *ctx, size_t *parts)
{
    struct hs_cur cur = hs_cur_of(payment);
    struct hs_tlv tlv;
    int64_t left = amount_of(payment, PAYMENT_AMOUNT);
    *parts = 0;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number != PAYMENT_PARTS || tlv.wire != HS_WIRE_BYTES)
            continue;
        int64_t fen = amount_of(tlv.bytes, PART_AMOUNT);
        struct hs_part part = {hs_tlv_bytes(tlv.bytes, PART_BILL), fen < left ? fen : left};
        ++*parts;
        if (part.fen == 0 || part.bill_id.size == 0)
            continue;
        left -= part.fen;
        take(ctx, &part);
    }
    return left;
}

int64_t hs_payment_parts(struct hs_bytes payment, hs_take_part take, void *ctx)
{
    size_t parts;
    int64_t left = take_parts(payment, take, ctx, &parts);
    struct hs_part whole = {hs_tlv_bytes(payment, PAYMENT_BILL), left};
    if (parts != 0 || whole.bill_id.size == 0 || whole.fen == 0)
        return left;
    take(ctx, &whole);
    return 0;
}

struct giving {
    struct hs_bytes bill_id;
    int64_t fen;
};

static void add_part(void *ctx, const struct hs_part *part)
{
    struct giving *giving = ctx;
    if (hs_bytes_equal(giving->bill_id, part->bill_id))
        giving->fen += part->fen;
}

int64_t hs_payment_gives(struct hs_bytes payment, struct hs_bytes bill_id)
{
    struct giving giving = {.bill_id = bill_id};
    hs_payment_parts(payment, add_part, &giving);
    return giving.fen;
}

static bool is_text(struct hs_bytes bytes, const char *text)
{
    return hs_bytes_equal(bytes, HS_BYTES(text, strlen(text)));
}

static void pass_part(void *ctx, const struct hs_part *part)
{
    (void)ctx;
    (void)part;
}

int64_t hs_payment_ahead(struct hs_bytes payment)
{
    struct hs_bytes purpose = hs_tlv_bytes(payment, PAYMENT_PURPOSE);
    bool is_ahead = !is_text(purpose, "topup") && !is_text(purpose, "fee");
    return is_ahead ? hs_payment_parts(payment, pass_part, NULL) : 0;
}

/* ---- bills ---- */

enum hs_bill_end hs_bill_end(struct hs_bytes bill)
{
    struct hs_bytes state = hs_tlv_bytes(bill, BILL_STATUS);
    if (is_text(state, "cancelled"))
        return HS_BILL_CANCELLED;
    bool replaced = is_text(state, "corrected") && hs_tlv_bytes(bill, BILL_REPLACED_BY).size != 0;
    return replaced ? HS_BILL_REPLACED : HS_BILL_STANDS;
}

struct fee {
    uint32_t date;
    int64_t fen;
};

static size_t read_fees(struct hs_bytes bill, struct fee fees[static HS_LINES_MAX])
{
    struct hs_cur cur = hs_cur_of(bill);
    struct hs_tlv tlv;
    size_t count = 0;
    while (count < HS_LINES_MAX && hs_tlv_next(&cur, &tlv)) {
        if (tlv.number != BILL_LATE_FEES || tlv.wire != HS_WIRE_BYTES)
            continue;
        fees[count].fen = amount_of(tlv.bytes, FEE_AMOUNT);
        bool dated = hs_day_parse(hs_tlv_bytes(tlv.bytes, FEE_DATE), &fees[count].date);
        count += dated && fees[count].fen != 0;
    }
    return count;
}

static int compare_fees(const void *a, const void *b)
{
    const struct fee *left = a;
    const struct fee *right = b;
    return left->date < right->date ? -1 : left->date > right->date;
}

int64_t hs_bill_most(struct hs_bytes bill)
{
    struct fee fees[HS_LINES_MAX];
    if (hs_bill_end(bill) != HS_BILL_STANDS)
        return 0;
    int64_t most = amount_of(bill, BILL_AMOUNT);
    size_t count = read_fees(bill, fees);
    for (size_t i = 0; i < count; i++)
        most += fees[i].fen;
    return most;
}

static int64_t paid_before(const struct hs_bill_paid *paid, size_t count, uint32_t date)
{
    int64_t fen = 0;
    for (size_t i = 0; i < count; i++)
        fen += paid[i].date < date ? paid[i].fen : 0;
    return fen;
}

void hs_bill_asks(struct hs_bytes bill, const struct hs_bill_paid *paid, size_t count, uint32_t today,
                  struct hs_bill_asks *asks)
{
    struct fee fees[HS_LINES_MAX];
    *asks = (struct hs_bill_asks){0};
    if (hs_bill_end(bill) != HS_BILL_STANDS)
        return;
    asks->amount_fen = amount_of(bill, BILL_AMOUNT);
    size_t fee_count = read_fees(bill, fees);
    if (fee_count > 1)
        qsort(fees, fee_count, sizeof *fees, compare_fees);
    for (size_t i = 0; i < fee_count && fees[i].date <= today; i++) {
        if (asks->amount_fen + asks->late_fen > paid_before(paid, count, fees[i].date))
            asks->late_fen += fees[i].fen;
    }
}
