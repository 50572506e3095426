/* Who has not paid in time: accounts with bills whose last day to pay is past, and what these ask for now; a page at a
 * time.  The sums of the bills say which are not paid off; only those are read. */
#include "node/service/handlers.h"
#include "node/service/look.h"

#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "storage/model/reminder.h"

#include <stdio.h>
#include <string.h>

#define PAGE_DEFAULT  100
#define ACCOUNTS_MAX  4000 /* looked at for one page: counters are served by this thread, too */
#define BILLS_MAX     4000 /* read for one page, and of one account: nobody has so many but by mischief */
#define BILL_DUE_DATE 5

enum { REPLY_ACCOUNTS = 1, REPLY_NEXT, REPLY_COMPLETE };
enum { CUSTOMER_NAME = 2, CUSTOMER_PHONE, CUSTOMER_ADDRESS, CUSTOMER_SUPPLY = 8 };

struct page {
    struct hs_call *call;
    struct hs_look look;
    uint32_t today;
    uint32_t days;
    int64_t least_fen;
    uint32_t limit;
    uint32_t shown;
    size_t bills;                        /* read so far ... */
    size_t of_account;                   /* ... and of the account at hand */
    bool cut;                            /* it has more than are looked at */
    char account[HS_ACCOUNT_DIGITS + 1]; /* at hand; empty: none yet */
    uint32_t oldest;
    Hallsync__Arrears owes;
};

/* ---- an account ---- */

static char *text_of(struct page *page, struct hs_bytes message, uint32_t field)
{
    struct hs_bytes text = hs_tlv_bytes(message, field);
    return text.size != 0 ? hs_arena_text(page->look.arena, text) : NULL;
}

static enum hs_err add_customer(struct page *page, Hallsync__Arrears *owes)
{
    struct hs_record_name name = {hs_account_partition(page->account), HS_LANE_PEOPLE, HS_KIND_CUSTOMER,
                                  HS_BYTES(page->account, HS_ACCOUNT_DIGITS)};
    struct hs_stored stored;
    struct hs_bytes message;
    enum hs_err err = hs_view_record(page->look.view, &name, &stored);
    if (err == HS_OK)
        err = hs_look_message(&page->look, &stored, &message);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    owes->name = text_of(page, message, CUSTOMER_NAME);
    owes->phone = text_of(page, message, CUSTOMER_PHONE);
    owes->address = text_of(page, message, CUSTOMER_ADDRESS);
    owes->supply_status = text_of(page, message, CUSTOMER_SUPPLY);
    return HS_OK;
}

/* The account at hand is over: all of its bills were looked at. */
static enum hs_err end_account(struct page *page)
{
    Hallsync__Arrears *owes = &page->owes;
    char oldest[16];
    if (owes->bills == 0 || owes->due_fen < page->least_fen || owes->days < page->days)
        return HS_OK;
    snprintf(oldest, sizeof oldest, "%04u-%02u-%02u", page->oldest / 10000 % 10000, page->oldest / 100 % 100,
             page->oldest % 100);
    owes->account = page->account;
    owes->oldest = oldest;
    hs_arena_reset(page->look.arena);
    enum hs_err err = add_customer(page, owes);
    if (err != HS_OK)
        return err;
    hs_call_put(&page->call->body, REPLY_ACCOUNTS, &owes->base);
    page->shown++;
    return page->call->body.err;
}

static enum hs_err add_bill(struct page *page, const struct hs_record_name *name)
{
    Hallsync__Arrears *owes = &page->owes;
    struct hs_stored stored;
    struct hs_bytes bill;
    struct hs_due due;
    page->cut = page->cut || page->of_account == BILLS_MAX;
    if (page->of_account == BILLS_MAX)
        return HS_OK;
    page->of_account++;
    page->bills++;
    hs_arena_reset(page->look.arena);
    enum hs_err err = hs_view_record(page->look.view, name, &stored);
    if (err == HS_OK)
        err = hs_look_message(&page->look, &stored, &bill);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_EDAMAGED : err;
    uint32_t date = hs_date_parse(hs_tlv_bytes(bill, BILL_DUE_DATE));
    if (date == 0 || date >= page->today)
        return HS_OK;
    err = hs_look_due(&page->look, bill, &due);
    if (err != HS_OK || due.due_fen <= 0)
        return err;
    owes->bills++;
    owes->due_fen += due.due_fen;
    owes->late_fen += due.asks.late_fen < due.due_fen ? due.asks.late_fen : due.due_fen;
    page->oldest = owes->bills == 1 || date < page->oldest ? date : page->oldest;
    owes->days = hs_date_days(page->today) - hs_date_days(page->oldest);
    return HS_OK;
}

static bool is_full(const struct page *page)
{
    return page->shown >= page->limit || page->bills >= BILLS_MAX || page->call->body.size >= HS_PAGE_BYTES_SOFT;
}

/* HS_EEXISTS: the page ends before this account. */
static enum hs_err take_bill(void *ctx, struct hs_bytes account, const struct hs_record_name *bill)
{
    struct page *page = ctx;
    if (!hs_account_valid((const char *)account.data, account.size))
        return HS_OK;
    if (memcmp(page->account, account.data, HS_ACCOUNT_DIGITS) != 0) {
        enum hs_err err = end_account(page);
        page->owes = (Hallsync__Arrears)HALLSYNC__ARREARS__INIT;
        page->of_account = 0;
        if (err == HS_OK && is_full(page))
            err = HS_EEXISTS;
        if (err != HS_OK)
            return err;
        memcpy(page->account, account.data, HS_ACCOUNT_DIGITS);
    }
    return add_bill(page, bill);
}

/* ---- the request ---- */

static enum hs_err check(struct hs_call *call, struct hs_unpaid_scan *scan)
{
    const Hallsync__ArrearsRequest *asked = call->request->arrears;
    if (asked->has_district && asked->district > 9999)
        return hs_fail(HS_EVALUE, &call->why, "district: %u is not four digits", (unsigned)asked->district);
    if (asked->has_fen && asked->fen > (uint64_t)HS_AMOUNT_FEN_MAX)
        return hs_fail(HS_EVALUE, &call->why, "fen: that is more than an amount can be");
    if (asked->after != NULL && !hs_account_valid(asked->after, strlen(asked->after)))
        return hs_fail(HS_EVALUE, &call->why, "after: was not in the answer to such a request");
    if (asked->has_district)
        snprintf(scan->district, sizeof scan->district, "%04u", (unsigned)asked->district % 10000);
    scan->has_after = asked->after != NULL;
    if (scan->has_after)
        snprintf(scan->after, sizeof scan->after, "%s", asked->after);
    scan->accounts = ACCOUNTS_MAX;
    return HS_OK;
}

static enum hs_err go_through(struct page *page, struct hs_unpaid_scan *scan)
{
    char next[sizeof scan->after];
    enum hs_err err = hs_view_unpaid(page->look.view, scan, take_bill, page);
    bool full = err == HS_EEXISTS;
    if (err == HS_OK)
        err = end_account(page);
    if (err != HS_OK && !full)
        return err;
    /* A full page ends with the account before the one that did not fit. */
    memcpy(next, full ? page->account : scan->after, sizeof next);
    if (full || !scan->over)
        hs_tlv_put_text(&page->call->body, REPLY_NEXT, next);
    return page->call->body.err;
}

enum hs_err hs_arrears_read(struct hs_call *call, struct hs_view *view)
{
    const Hallsync__ArrearsRequest *asked = call->request->arrears;
    struct hs_unpaid_scan scan = {0};
    struct page page = {.call = call,
                        .look = {.desk = call->desk, .view = view, .arena = &call->scratch},
                        .days = asked->has_days && asked->days != 0 ? asked->days : 1,
                        .least_fen = asked->has_fen ? (int64_t)asked->fen : 0,
                        .limit = asked->has_limit && asked->limit != 0 ? asked->limit : PAGE_DEFAULT,
                        .owes = HALLSYNC__ARREARS__INIT};
    enum hs_err err = check(call, &scan);
    if (err != HS_OK)
        return err;
    page.today = hs_look_today(&page.look);
    page.limit = page.limit < HS_PAGE_RECORDS_MAX ? page.limit : HS_PAGE_RECORDS_MAX;
    err = go_through(&page, &scan);
    if (err == HS_OK && (page.cut || hs_still_coming(view, HS_LANE_BULK) || hs_still_coming(view, HS_LANE_MONEY)))
        hs_tlv_put_u64(&call->body, REPLY_COMPLETE, false);
    return err == HS_OK ? call->body.err : err;
}
