/* Bills that are not paid off, by account: the sums of an account's bills lie side by side in the table of indexes,
 * before everything else that has to do with it, so that neither bills nor payments are read. */
#include "storage/records/env.h"

#include <string.h>

#define KEY_ACCOUNT 1                       /* behind the byte of its size */
#define KEY_KIND    (1 + HS_ACCOUNT_DIGITS) /* of an index row; of sums 0 */
#define KEY_SORT    (1 + HS_ACCOUNT_DIGITS + 2)

static bool is_sums(struct hs_bytes key)
{
    return key.size > KEY_SORT && key.data[KEY_KIND] == 0 && key.data[KEY_KIND + 1] == 0;
}

static enum hs_err look_at(struct hs_bytes key, struct hs_bytes value, hs_visit_unpaid visit, void *ctx)
{
    struct hs_record_name bill;
    struct hs_bytes account;
    struct hs_sums sums;
    if (key.data[KEY_SORT] != HS_SUMS_BILL)
        return HS_OK;
    if (hs_sums_read(value, &sums) != HS_OK)
        return HS_EDAMAGED;
    if (sums.of[HS_PAIR_BILLED].count == 0) /* no such bill is here */
        return HS_OK;
    if (sums.of[HS_PAIR_BILLED].fen <=
        sums.of[HS_PAIR_PAID].fen - sums.of[HS_PAIR_REVERSED].fen - sums.of[HS_PAIR_SETTLED].fen)
        return HS_OK;
    hs_bill_from_key(key, &account, &bill);
    return visit(ctx, account, &bill);
}

/* The first key of an account behind @after, or of none. */
static void put_from(const struct hs_unpaid_scan *at, struct hs_row_key *from)
{
    uint8_t size = HS_ACCOUNT_DIGITS;
    uint8_t behind = 0xff; /* above the kind of every row of an account */
    from->size = 0;
    hs_row_key_put(from, HS_BYTES(&size, 1));
    if (!at->has_after) {
        hs_row_key_put(from, HS_BYTES(at->district, strlen(at->district)));
        return;
    }
    hs_row_key_put(from, HS_BYTES(at->after, HS_ACCOUNT_DIGITS)); /* it may be no account, but other bytes */
    hs_row_key_put(from, HS_BYTES(&behind, 1));
}

/* One account, or what has as many bytes: its sums come first, and what follows is passed over. */
static enum hs_err one_account(struct hs_txn *txn, struct hs_bytes prefix, struct hs_unpaid_scan *at,
                               hs_visit_unpaid visit, void *ctx)
{
    struct hs_row_key from;
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    put_from(at, &from);
    hs_scan_begin(&scan, txn, HS_TABLE_INDEX, prefix, hs_row_key_bytes(&from));
    at->over = !hs_scan_next(&scan);
    if (!at->over) {
        memcpy(at->after, scan.key.data + KEY_ACCOUNT, HS_ACCOUNT_DIGITS);
        at->after[HS_ACCOUNT_DIGITS] = '\0';
        at->has_after = true;
    }
    for (bool more = !at->over; more && err == HS_OK; more = hs_scan_next(&scan)) {
        if (!is_sums(scan.key) || memcmp(scan.key.data + KEY_ACCOUNT, at->after, HS_ACCOUNT_DIGITS) != 0)
            break;
        err = look_at(scan.key, scan.value, visit, ctx);
    }
    hs_scan_end(&scan);
    return err != HS_OK ? err : txn->err;
}

enum hs_err hs_records_unpaid(struct hs_txn *txn, struct hs_unpaid_scan *at, hs_visit_unpaid visit, void *ctx)
{
    uint8_t prefix[1 + sizeof at->district] = {HS_ACCOUNT_DIGITS};
    size_t size = strlen(at->district);
    enum hs_err err = HS_OK;
    memcpy(prefix + 1, at->district, size);
    at->has_after = at->has_after && memcmp(at->after, at->district, size) >= 0;
    for (at->over = false; at->accounts > 0 && !at->over && err == HS_OK; at->accounts -= at->over ? 0 : 1)
        err = one_account(txn, HS_BYTES(prefix, 1 + size), at, visit, ctx);
    return err;
}
