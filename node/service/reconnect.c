/* Reconnection after arrears: the payment that leaves no arrears makes the urgent work order by itself. */
#include "node/service/catalogue.h"
#include "node/service/tickets.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"

#include <stdio.h>
#include <string.h>

enum { CUSTOMER_STATUS = 8, BILL_DUE_DATE = 5, TICKET_SERVICE = 2, INDEX_ACCOUNT = 1 };

static const char SERVICE[] = "reconnection";

/* ---- is it wanted? ---- */

static bool is(struct hs_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

static enum hs_err supply_is_off(struct hs_work *work, const char *account, bool *off)
{
    struct hs_record_name name = {.partition = hs_account_partition(account),
                                  .lane = HS_LANE_PEOPLE,
                                  .kind = HS_KIND_CUSTOMER,
                                  .id = HS_BYTES(account, strlen(account))};
    struct hs_stored stored;
    struct hs_bytes message;
    *off = false;
    enum hs_err err = hs_view_record(work->view, &name, &stored);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    err = hs_look_message(&work->look, &stored, &message);
    *off = err == HS_OK && is(hs_tlv_bytes(message, CUSTOMER_STATUS), "off");
    return err;
}

struct looking {
    struct hs_work *work;
    const char *account;
    bool found;
};

/* A day that is not over: nobody is in arrears with that bill. */
static bool is_later(const struct hs_work *work, struct hs_bytes date)
{
    char today[16];
    uint32_t now = hs_date_of(work->now_ms, work->desk->options.utc_offset_minutes);
    int size = snprintf(today, sizeof today, "%04u-%02u-%02u", now / 10000, now / 100 % 100, now % 100);
    return date.size != 0 && hs_bytes_compare(date, HS_BYTES(today, (size_t)size)) >= 0;
}

static enum hs_err look_at_bill(void *ctx, const struct hs_stored *stored)
{
    struct looking *looking = ctx;
    struct hs_due due;
    struct hs_bytes message;
    enum hs_err err = hs_look_message(&looking->work->look, stored, &message);
    if (err == HS_OK)
        err = hs_look_due(&looking->work->look, message, &due);
    if (err != HS_OK)
        return err;
    looking->found = due.due_fen > 0 && !is_later(looking->work, hs_tlv_bytes(message, BILL_DUE_DATE));
    return looking->found ? HS_EEXISTS : HS_OK;
}

/* One that is not done: a second customer at another window needs no second crew. */
static enum hs_err look_at_ticket(void *ctx, const struct hs_stored *stored)
{
    struct looking *looking = ctx;
    struct hs_work *work = looking->work;
    struct hs_ticket_events events;
    struct hs_ticket_fold fold;
    struct hs_bytes message;
    enum hs_err err = hs_look_message(&work->look, stored, &message);
    if (err != HS_OK || !is(hs_tlv_bytes(message, TICKET_SERVICE), SERVICE))
        return err;
    err = hs_ticket_gather(&work->look, &stored->name, work->scratch, &events);
    if (err != HS_OK)
        return err;
    struct hs_ticket_terms terms = hs_ticket_terms(message);
    hs_ticket_fold(&terms, events.list, events.count, &fold);
    looking->found = hs_ticket_is_open(fold.state);
    return looking->found ? HS_EEXISTS : HS_OK;
}

static enum hs_err any(struct hs_work *work, const char *account, uint16_t kind, hs_visit_record visit, bool *found)
{
    struct looking looking = {.work = work, .account = account};
    enum hs_err err = hs_view_index(work->view, kind, INDEX_ACCOUNT, HS_BYTES(account, strlen(account)), HS_BYTES_NONE,
                                    visit, &looking);
    *found = looking.found;
    return looking.found ? HS_OK : err;
}

/* ---- the ticket ---- */

static enum hs_err open_ticket(struct hs_work *work, const char *account, struct hs_bytes payment)
{
    static const char summary[] = "欠费已缴清，请复电 / arrears paid, reconnect";
    Hallsync__Ticket ticket = HALLSYNC__TICKET__INIT;
    struct hs_id id;
    ticket.service = (char *)(uintptr_t)SERVICE;
    ticket.account = (char *)(uintptr_t)account;
    ticket.summary = (char *)(uintptr_t)summary;
    struct hs_stored stored;
    hs_id_made("hallsync reconnection 1", payment, &id);
    enum hs_err err = hs_view_find(work->view, HS_KIND_TICKET, HS_BYTES(id.bytes, sizeof id.bytes), &stored);
    if (err != HS_ENOTFOUND)
        return err; /* sent again */
    err = hs_catalogue_fill(work, &ticket);
    if (err != HS_OK)
        return err;
    struct hs_ticket_opening opening = {.partition = hs_account_partition(account),
                                        .id = HS_BYTES(id.bytes, sizeof id.bytes)};
    return hs_ticket_open(work, &ticket, &opening);
}

/* The payment is written: whatever keeps a ticket from being opened, as a service that the region does not offer, is no
 * reason to refuse it. */
static enum hs_err not_refused(struct hs_work *work, enum hs_err err)
{
    work->refusal = (struct hs_refusal){0};
    return hs_refused_alone(err) ? HS_OK : err;
}

enum hs_err hs_reconnect_after(struct hs_work *work, const char *account, struct hs_bytes id)
{
    bool wanted = work->desk->options.reconnect_on_payment;
    bool found = false;
    if (!wanted || !hs_whole(work->desk, work->view, hs_account_partition(account)))
        return HS_OK;
    enum hs_err err = supply_is_off(work, account, &wanted);
    if (err == HS_OK && wanted)
        err = any(work, account, HS_KIND_BILL, look_at_bill, &found);
    if (err == HS_OK && wanted && !found)
        err = any(work, account, HS_KIND_TICKET, look_at_ticket, &found);
    if (err == HS_OK && wanted && !found)
        err = open_ticket(work, account, id);
    return not_refused(work, err);
}
