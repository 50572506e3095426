/* Money read: totals of an account, a day, a window, an origin or all, and the sums of a bill. */
#include "storage/records/env.h"

#include <string.h>

static enum hs_err add_narrow(int64_t *to, hs_wide more)
{
    return hs_wide_narrow(*to + more, to);
}

static enum hs_err add_row(const struct hs_sums *sums, struct hs_totals *totals)
{
    totals->count += (uint64_t)sums->of[HS_PAIR_PAID].count;
    totals->reversed_count += (uint64_t)sums->of[HS_PAIR_REVERSED].count;
    totals->settled_count += (uint64_t)sums->of[HS_PAIR_SETTLED].count;
    enum hs_err err = add_narrow(&totals->sum_fen, sums->of[HS_PAIR_PAID].fen);
    if (err == HS_OK)
        err = add_narrow(&totals->reversed_fen, sums->of[HS_PAIR_REVERSED].fen);
    return err != HS_OK ? err : add_narrow(&totals->settled_fen, sums->of[HS_PAIR_SETTLED].fen);
}

static enum hs_err read_sums(struct hs_bytes value, struct hs_sums *sums)
{
    return hs_sums_read(value, sums) == HS_OK ? HS_OK : HS_EDAMAGED;
}

/* ---- by day, window and origin ---- */

static bool has_origin(const struct hs_totals_filter *filter, uint64_t origin)
{
    for (size_t i = 0; i < filter->origin_count; i++) {
        if (filter->origins[i] == origin)
            return true;
    }
    return filter->origins == NULL;
}

static bool day_matches(const struct hs_totals_filter *filter, const struct hs_day *day)
{
    return (filter->date == 0 || filter->date == day->date) && (!filter->has_window || filter->window == day->window);
}

static enum hs_err total_days(struct hs_txn *txn, const struct hs_totals_filter *filter, struct hs_totals *totals)
{
    uint8_t date[4];
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_be32(date, filter->date);
    hs_scan_begin(&scan, txn, HS_TABLE_DAY, filter->date != 0 ? HS_BYTES(date, sizeof date) : HS_BYTES_NONE,
                  HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        struct hs_day day;
        struct hs_sums sums;
        if (hs_day_from_key(scan.key, &day) != HS_OK)
            err = HS_EDAMAGED;
        else if (day.date != HS_DAY_TOTAL.date && day_matches(filter, &day) && has_origin(filter, day.origin)) {
            err = read_sums(scan.value, &sums);
            if (err == HS_OK)
                err = add_row(&sums, totals);
        }
    }
    hs_scan_end(&scan);
    return err != HS_OK ? err : txn->err;
}

static enum hs_err total_all(struct hs_txn *txn, struct hs_totals *totals)
{
    struct hs_row_key key;
    struct hs_bytes value;
    struct hs_sums sums;
    hs_day_key(&key, &HS_DAY_TOTAL);
    enum hs_err err = hs_txn_get(txn, HS_TABLE_DAY, hs_row_key_bytes(&key), &value);
    if (err == HS_OK)
        err = read_sums(value, &sums);
    if (err == HS_OK)
        err = add_row(&sums, totals);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* ---- of an account ---- */

static enum hs_err total_account(struct hs_txn *txn, struct hs_bytes account, struct hs_totals *totals)
{
    struct hs_row_key prefix;
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_account_key(&prefix, account, 0);
    prefix.size -= 2; /* in all partitions */
    hs_scan_begin(&scan, txn, HS_TABLE_INDEX, hs_row_key_bytes(&prefix), HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        struct hs_sums sums;
        err = read_sums(scan.value, &sums);
        if (err == HS_OK)
            err = add_row(&sums, totals);
    }
    hs_scan_end(&scan);
    return err != HS_OK ? err : txn->err;
}

/* An account's days are not kept: its payments are few, and gone through one by one. */
struct account_walk {
    struct hs_derive derive;
    const struct hs_totals_filter *filter;
    struct hs_totals *totals;
};

static void add_matching(struct account_walk *walk, const struct hs_facet *fact, enum hs_pair pair, int64_t fen)
{
    struct hs_day day = hs_day_of(fact, walk->derive.utc_offset_minutes);
    struct hs_sums sums = {0};
    if (!day_matches(walk->filter, &day))
        return;
    sums.of[pair].count = 1;
    sums.of[pair].fen = fen;
    hs_derive_fail(&walk->derive, add_row(&sums, walk->totals));
}

static enum hs_err visit_payment(void *ctx, const struct hs_stored *stored)
{
    struct account_walk *walk = ctx;
    struct hs_facet payment;
    hs_arena_reset(walk->derive.arena);
    hs_facet_of_stored(&walk->derive, stored, &payment);
    if (*walk->derive.err == HS_OK && !hs_facet_counts(&payment))
        hs_derive_fail(&walk->derive, HS_EDAMAGED); /* the index has only what counts */
    if (*walk->derive.err != HS_OK)
        return *walk->derive.err;
    int64_t fen = hs_payment_amount(&payment);
    add_matching(walk, &payment, HS_PAIR_PAID, fen);
    const struct hs_facet *reversal = hs_payment_reversals(&walk->derive, &payment.name);
    for (; reversal != NULL; reversal = reversal->next)
        add_matching(walk, reversal, HS_PAIR_REVERSED, fen);
    return *walk->derive.err;
}

static enum hs_err visit_settlement(void *ctx, const struct hs_stored *stored)
{
    struct account_walk *walk = ctx;
    struct hs_facet settlement;
    hs_arena_reset(walk->derive.arena);
    hs_facet_of_stored(&walk->derive, stored, &settlement);
    if (*walk->derive.err == HS_OK && hs_settlement_refunds(&settlement) != 0 &&
        hs_settlement_stands(&walk->derive, &settlement))
        add_matching(walk, &settlement, HS_PAIR_SETTLED, hs_settlement_refunds(&settlement));
    return *walk->derive.err;
}

static enum hs_err walk_account(struct hs_txn *txn, uint16_t kind, struct hs_bytes account, hs_visit_record visit,
                                struct account_walk *walk)
{
    uint8_t index = hs_kind_index(hs_kind_by_number(kind), "account")->number;
    return hs_records_index(txn, kind, index, account, HS_BYTES_NONE, visit, walk);
}

static enum hs_err total_account_days(struct hs_txn *txn, struct hs_bytes account,
                                      const struct hs_totals_filter *filter, struct hs_totals *totals)
{
    struct hs_arena arena;
    enum hs_err err;
    hs_arena_init(&arena, 0);
    struct account_walk walk = {.derive = hs_derive_reader(txn, &arena, &err), .filter = filter, .totals = totals};
    if (err == HS_OK)
        err = walk_account(txn, HS_KIND_PAYMENT, account, visit_payment, &walk);
    if (err == HS_OK)
        err = walk_account(txn, HS_KIND_SETTLEMENT, account, visit_settlement, &walk);
    hs_arena_fini(&arena);
    return err;
}

enum hs_err hs_records_totals(struct hs_txn *txn, const struct hs_totals_filter *filter, struct hs_totals *totals)
{
    bool any_day = filter->date == 0 && !filter->has_window;
    *totals = (struct hs_totals){0};
    if (filter->account != NULL) {
        struct hs_bytes account = HS_BYTES(filter->account, strlen(filter->account));
        if (!hs_account_valid(filter->account, account.size))
            return HS_EACCOUNT;
        return any_day ? total_account(txn, account, totals) : total_account_days(txn, account, filter, totals);
    }
    hs_records_settle(txn);
    return any_day && filter->origins == NULL ? total_all(txn, totals) : total_days(txn, filter, totals);
}

/* ---- of a bill ---- */

enum hs_err hs_records_bill(struct hs_txn *txn, const char *account, struct hs_bytes bill_id, struct hs_bill_sums *out)
{
    struct hs_row_key prefix;
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    *out = (struct hs_bill_sums){0};
    if (!hs_account_valid(account, strlen(account)))
        return HS_EACCOUNT;
    if (bill_id.size == 0 || bill_id.size > HS_RECORD_ID_BYTES_MAX)
        return HS_OK;
    hs_bill_key(&prefix, HS_BYTES(account, strlen(account)), bill_id, 0);
    size_t whole = prefix.size;
    prefix.size -= 2; /* in all partitions */
    hs_scan_begin(&scan, txn, HS_TABLE_INDEX, hs_row_key_bytes(&prefix), HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        struct hs_sums sums;
        if (scan.key.size != whole)
            continue; /* a longer id that begins with this one */
        err = read_sums(scan.value, &sums);
        if (err != HS_OK)
            break;
        out->known = out->known || sums.of[HS_PAIR_BILLED].count != 0;
        err = add_narrow(&out->amount_fen, sums.of[HS_PAIR_BILLED].fen);
        if (err == HS_OK)
            err = add_narrow(&out->paid_fen,
                             sums.of[HS_PAIR_PAID].fen - sums.of[HS_PAIR_REVERSED].fen - sums.of[HS_PAIR_SETTLED].fen);
        if (err == HS_OK)
            err = add_narrow(&out->settled_fen, sums.of[HS_PAIR_SETTLED].fen);
    }
    hs_scan_end(&scan);
    return err != HS_OK ? err : txn->err;
}
