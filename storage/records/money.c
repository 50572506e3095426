/* Money as sums of facts.  A payment and its reversals are one group: each reversal counts with the payment's
 * amount, under the payment's account and bills and on the reversal's own day, window and origin (it is cash out of
 * that drawer); without the payment it gives nothing.  Payments and bill meet in the sums of (account, bill), where
 * the bill stands with the most that it can ever ask for: no row here may depend on the day of today. */
#include "proto/base/text.h"
#include "storage/model/bill_due.h"
#include "storage/records/env.h"

#include <string.h>

enum { PAYMENT_ACCOUNT = 2, PAYMENT_AMOUNT = 3, PAYMENT_WINDOW = 6 };
enum { REVERSAL_PAYMENT = 2, REVERSAL_WINDOW = 5 };
enum { SETTLEMENT_WINDOW = 10 };
enum { BILL_ACCOUNT = 2 };

int64_t hs_payment_amount(const struct hs_facet *payment)
{
    return (int64_t)hs_facet_number(payment, PAYMENT_AMOUNT);
}

static uint32_t window_field(const struct hs_kind *kind)
{
    if (kind->number == HS_KIND_PAYMENT)
        return PAYMENT_WINDOW;
    return kind->number == HS_KIND_REVERSAL ? REVERSAL_WINDOW : SETTLEMENT_WINDOW;
}

struct hs_day hs_day_of(const struct hs_facet *fact, int utc_offset_minutes)
{
    const struct hs_variant *variant = &fact->record.variants[0];
    return (struct hs_day){
        .date = hs_date_of(hs_stamp_ms(variant->stamp), utc_offset_minutes),
        .window = (uint32_t)hs_facet_number(fact, window_field(fact->kind)),
        .origin = variant->dot.origin,
    };
}

/* ---- payments and reversals ---- */

struct counting {
    struct hs_derive *derive;
    const struct hs_facet *payment;
    struct hs_addition addition;
};

static void count_part(void *ctx, const struct hs_part *part)
{
    struct counting *counting = ctx;
    const struct hs_facet *payment = counting->payment;
    struct hs_row_key key;
    struct hs_addition addition = counting->addition;
    if (part->bill_id.size > HS_RECORD_ID_BYTES_MAX)
        return; /* there can be no such bill; of one that was let count as it is */
    addition.key = &key;
    addition.fen = part->fen;
    hs_bill_key(&key, hs_facet_bytes(payment, PAYMENT_ACCOUNT), part->bill_id, payment->name.partition);
    counting->derive->sink->add(counting->derive, &addition);
}

/* Add what @fact, the payment itself or a reversal of it, gives to all sums; or take it away. */
static void count_fact(struct hs_derive *derive, const struct hs_facet *payment, const struct hs_facet *fact, int sign)
{
    struct hs_row_key key;
    struct hs_addition addition = {
        .table = HS_TABLE_INDEX,
        .key = &key,
        .pair = fact == payment ? HS_PAIR_PAID : HS_PAIR_REVERSED,
        .sign = sign,
        .fen = hs_payment_amount(payment),
    };
    struct counting counting = {derive, payment, addition};
    hs_account_key(&key, hs_facet_bytes(payment, PAYMENT_ACCOUNT), payment->name.partition);
    derive->sink->add(derive, &addition);
    hs_payment_parts(payment->message, count_part, &counting);
    struct hs_day day = hs_day_of(fact, derive->utc_offset_minutes);
    addition.table = HS_TABLE_DAY;
    hs_day_key(&key, &day);
    derive->sink->add(derive, &addition);
    hs_day_key(&key, &HS_DAY_TOTAL);
    derive->sink->add(derive, &addition);
}

static struct hs_wanted reversals_of(const struct hs_record_name *payment)
{
    return (struct hs_wanted){
        .kind = HS_KIND_REVERSAL, .index = "payment_id", .value = payment->id, .partition = payment->partition};
}

struct hs_facet *hs_payment_reversals(struct hs_derive *derive, const struct hs_record_name *payment)
{
    struct hs_wanted wanted = reversals_of(payment);
    return hs_index_facets(derive, &wanted);
}

bool hs_payment_is_reversed(struct hs_derive *derive, const struct hs_record_name *payment)
{
    struct hs_wanted wanted = reversals_of(payment);
    return hs_index_count(derive, &wanted, 1) != 0;
}

static void count_group(struct hs_derive *derive, const struct hs_facet *payment, const struct hs_facet *reversals,
                        int sign)
{
    if (!hs_facet_counts(payment))
        return;
    count_fact(derive, payment, payment, sign);
    for (const struct hs_facet *reversal = reversals; reversal != NULL; reversal = reversal->next)
        count_fact(derive, payment, reversal, sign);
}

static void list_over_reversed(struct hs_derive *derive, const struct hs_facet *payment)
{
    struct hs_row_key key;
    struct hs_listing listing = {0};
    struct hs_wanted wanted = reversals_of(&payment->name);
    size_t reversals = hs_index_count(derive, &wanted, SIZE_MAX);
    bool over = reversals > 1 && hs_facet_counts(payment);
    if (over)
        listing.fen = (hs_wide)hs_payment_amount(payment) * (hs_wide)(reversals - 1);
    hs_list_key(&key, HS_LIST_OVER_REVERSED, &payment->name, HS_BYTES_NONE);
    derive->sink->list(derive, &key, over ? &listing : NULL);
}

void hs_payment_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    const struct hs_facet *reversals = hs_payment_reversals(derive, &new->name);
    count_group(derive, old, reversals, -1);
    count_group(derive, new, reversals, 1);
    if (reversals != NULL)
        list_over_reversed(derive, new);
    hs_topup_change(derive, old, new);
    hs_bill_named(derive, old, new);
}

void hs_payment_whole(struct hs_derive *derive, const struct hs_facet *payment)
{
    const struct hs_facet *reversals = hs_payment_reversals(derive, &payment->name);
    count_group(derive, payment, reversals, 1);
    list_over_reversed(derive, payment);
    hs_topup_whole(derive, payment);
}

static void reversal_change(struct hs_derive *derive, const struct hs_facet *reversal, int sign)
{
    if (!hs_facet_counts(reversal))
        return;
    struct hs_facet payment;
    struct hs_record_name name = {reversal->name.partition, HS_LANE_MONEY, HS_KIND_PAYMENT,
                                  hs_facet_bytes(reversal, REVERSAL_PAYMENT)};
    hs_facet_load(derive, &name, &payment);
    if (!hs_facet_counts(&payment))
        return;
    count_fact(derive, &payment, reversal, sign);
    list_over_reversed(derive, &payment);
    hs_topup_reversed(derive, &payment);
}

void hs_reversal_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    reversal_change(derive, old, -1);
    reversal_change(derive, new, 1);
}

/* ---- bills ---- */

static void count_bill(struct hs_derive *derive, const struct hs_facet *bill, int sign)
{
    if (!hs_facet_counts(bill))
        return;
    struct hs_row_key key;
    struct hs_bill_asks asks;
    struct hs_addition addition = {.table = HS_TABLE_INDEX, .key = &key, .pair = HS_PAIR_LATE, .sign = sign};
    hs_bill_key(&key, hs_facet_bytes(bill, BILL_ACCOUNT), bill->name.id, bill->name.partition);
    hs_bill_asks(bill->message, NULL, 0, 0, &asks);
    int64_t most = hs_bill_most(bill->message);
    addition.fen = most - asks.amount_fen;
    if (addition.fen != 0)
        derive->sink->add(derive, &addition);
    addition.pair = HS_PAIR_BILLED;
    addition.fen = most;
    derive->sink->add(derive, &addition);
}

void hs_bill_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    count_bill(derive, old, -1);
    count_bill(derive, new, 1);
}

void hs_bill_whole(struct hs_derive *derive, const struct hs_facet *bill)
{
    count_bill(derive, bill, 1);
}

/* ---- lists that follow from a bill's sums ---- */

enum { IS_OVERPAID = 1, HAS_NO_BILL = 2 };

static hs_wide paid(const struct hs_sums *sums)
{
    return sums->of[HS_PAIR_PAID].fen - sums->of[HS_PAIR_REVERSED].fen - sums->of[HS_PAIR_SETTLED].fen;
}

uint8_t hs_bill_lists(const struct hs_sums *sums)
{
    if (sums->of[HS_PAIR_BILLED].count == 0)
        return paid(sums) != 0 ? HAS_NO_BILL : 0;
    /* Which late fees count may have to be looked up: it may be that none does. */
    return paid(sums) > sums->of[HS_PAIR_BILLED].fen - sums->of[HS_PAIR_LATE].fen ? IS_OVERPAID : 0;
}

/* ---- what a bill with late fees asks for, once it is paid off ---- */

#define PAID_MAX 64 /* payments and settlements of one bill that are looked at */

struct payers {
    struct hs_derive *derive;
    struct hs_bytes account, bill_id;
    struct hs_bill_paid list[PAID_MAX];
    size_t count;
};

static void take_paid(struct payers *payers, const struct hs_facet *fact, int64_t fen)
{
    uint32_t date = hs_day_of(fact, payers->derive->utc_offset_minutes).date;
    if (payers->count < PAID_MAX && hs_bytes_equal(hs_facet_bytes(fact, PAYMENT_ACCOUNT), payers->account))
        payers->list[payers->count++] = (struct hs_bill_paid){date, fen};
}

static void take_payers(struct payers *payers, const struct hs_wanted *payments, const struct hs_wanted *settlements)
{
    struct hs_derive *derive = payers->derive;
    for (const struct hs_facet *payment = hs_index_facets(derive, payments); payment != NULL; payment = payment->next) {
        if (!hs_payment_is_reversed(derive, &payment->name))
            take_paid(payers, payment, hs_payment_gives(payment->message, payers->bill_id));
    }
    for (const struct hs_facet *one = hs_index_facets(derive, settlements); one != NULL; one = one->next) {
        if (hs_settlement_stands(derive, one))
            take_paid(payers, one, hs_settlement_pays(one, payers->bill_id));
    }
}

/* All that name the bill, whether they pay it or not; how many, as far as it matters. */
static size_t payers_of(struct hs_derive *derive, const struct hs_record_name *bill, struct hs_wanted *payments,
                        struct hs_wanted *settlements)
{
    size_t most = PAID_MAX + 2;
    *payments = (struct hs_wanted){
        .kind = HS_KIND_PAYMENT, .index = "bill_id", .value = bill->id, .partition = bill->partition};
    *settlements = *payments;
    settlements->kind = HS_KIND_SETTLEMENT;
    return hs_index_count(derive, payments, most) + hs_index_count(derive, settlements, most);
}

/* Late fees of days behind that on which it was paid off never count, so it does not depend on the day of today.  Of a
 * bill that very many name all of them do. */
static hs_wide asks_in_the_end(struct hs_derive *derive, struct hs_bytes sums_key, const struct hs_sums *sums)
{
    struct hs_record_name name;
    struct hs_facet bill;
    struct hs_bill_asks asks;
    struct hs_wanted payments;
    struct hs_wanted settlements;
    struct payers payers = {.derive = derive};
    if (sums->of[HS_PAIR_LATE].fen == 0)
        return sums->of[HS_PAIR_BILLED].fen;
    hs_bill_from_key(sums_key, &payers.account, &name);
    payers.bill_id = name.id;
    size_t count = payers_of(derive, &name, &payments, &settlements);
    hs_facet_load(derive, &name, &bill);
    if (count > PAID_MAX || !hs_facet_counts(&bill))
        return sums->of[HS_PAIR_BILLED].fen;
    take_payers(&payers, &payments, &settlements);
    hs_bill_asks(bill.message, payers.list, payers.count, UINT32_MAX, &asks);
    return (hs_wide)asks.amount_fen + asks.late_fen;
}

static void list_bill(struct hs_derive *derive, struct hs_bytes sums_key, enum hs_list list,
                      const struct hs_listing *listing)
{
    struct hs_row_key key;
    struct hs_record_name name;
    struct hs_bytes account;
    hs_bill_from_key(sums_key, &account, &name);
    struct hs_listing full = {.fen = listing != NULL ? listing->fen : 0, .detail = account};
    hs_list_key(&key, list, &name, account);
    derive->sink->list(derive, &key, listing != NULL ? &full : NULL);
}

void hs_bill_list(struct hs_derive *derive, struct hs_bytes key, const struct hs_sums *sums, uint8_t which)
{
    uint8_t lists = hs_bill_lists(sums);
    struct hs_listing too_much = {.fen = paid(sums)};
    if ((lists & IS_OVERPAID) != 0)
        too_much.fen -= asks_in_the_end(derive, key, sums);
    if ((which & IS_OVERPAID) != 0)
        list_bill(derive, key, HS_LIST_OVERPAID, (lists & IS_OVERPAID) != 0 && too_much.fen > 0 ? &too_much : NULL);
    if ((which & HAS_NO_BILL) != 0)
        list_bill(derive, key, HS_LIST_NO_BILL, (lists & HAS_NO_BILL) != 0 ? &too_much : NULL);
}

/* ---- who names a bill ---- */

struct naming {
    struct hs_derive *derive;
    struct hs_bytes account;
    hs_partition partition;
};

/* The sums of a bill of this account; false: there is none, or an error. */
static bool sums_of_bill(const struct naming *naming, struct hs_bytes bill_id, struct hs_row_key *key,
                         struct hs_sums *sums)
{
    struct hs_bytes value;
    hs_bill_key(key, naming->account, bill_id, naming->partition);
    enum hs_err err = hs_txn_get(naming->derive->txn, HS_TABLE_INDEX, hs_row_key_bytes(key), &value);
    if (err == HS_OK && hs_sums_read(value, sums) != HS_OK)
        err = HS_EDAMAGED;
    hs_derive_fail(naming->derive, err == HS_ENOTFOUND ? HS_OK : err);
    return err == HS_OK && sums->of[HS_PAIR_BILLED].count != 0;
}

/* It may be a bill of another account than theirs who name it. */
static bool find_sums(struct naming naming, const struct hs_record_name *name, struct hs_row_key *key,
                      struct hs_sums *sums)
{
    struct hs_facet bill;
    if (sums_of_bill(&naming, name->id, key, sums))
        return true;
    hs_facet_load(naming.derive, name, &bill);
    naming.account = hs_facet_counts(&bill) ? hs_facet_bytes(&bill, BILL_ACCOUNT) : HS_BYTES_NONE;
    return hs_facet_counts(&bill) && sums_of_bill(&naming, name->id, key, sums);
}

/* There may be too many that name it now, or no more, though the sums are what they were.  Only bills with late fees
 * ask who pays them; of all others, which is nearly every payment, nothing but a row that has just been written is
 * read. */
static void judge_anew(void *ctx, struct hs_bytes bill_id)
{
    const struct naming *naming = ctx;
    struct hs_derive *derive = naming->derive;
    struct hs_record_name name = {naming->partition, HS_LANE_BULK, HS_KIND_BILL, bill_id};
    struct hs_wanted payments;
    struct hs_wanted settlements;
    struct hs_row_key key;
    struct hs_sums sums;
    if (bill_id.size > HS_RECORD_ID_BYTES_MAX || !find_sums(*naming, &name, &key, &sums) ||
        sums.of[HS_PAIR_LATE].fen == 0)
        return;
    size_t count = payers_of(derive, &name, &payments, &settlements);
    if (count == PAID_MAX || count == PAID_MAX + 1)
        hs_bill_list(derive, hs_row_key_bytes(&key), &sums, hs_bill_lists(&sums));
}

static void judge_each(struct hs_derive *derive, const struct hs_facet *fact)
{
    if (!hs_facet_counts(fact))
        return;
    struct naming naming = {derive, hs_facet_bytes(fact, PAYMENT_ACCOUNT), fact->name.partition};
    for (size_t i = 0; i < fact->kind->index_count; i++) {
        const struct hs_index *index = &fact->kind->indexes[i];
        if (hs_facet_has(fact, index) && strcmp(index->name, "bill_id") == 0)
            hs_derive_fail(derive, hs_index_keys(index, fact->message, judge_anew, &naming));
    }
}

void hs_bill_named(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    judge_each(derive, old);
    judge_each(derive, new);
}
