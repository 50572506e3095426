/* Reconnection after arrears: the payment that leaves no arrears makes the urgent work order by itself, where it is
 * taken; and where it was taken elsewhere, or was one of several, the node that looks after the district makes it when
 * all has come (tend.h).  Id and content follow from the last payment, so that two who make it make the same one. */
#include "node/service/catalogue.h"
#include "node/service/tended.h"
#include "node/service/tickets.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"

#include <stdio.h>
#include <string.h>

#define REST_MS  (600 * 1000)
#define AFTER_MS 5000 /* the work order of who took the payment may be on its way */

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
    hs_stamp since; /* of tickets: such as were opened behind it, and are done, count, too */
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
    looking->found = hs_ticket_is_open(fold.state) || fold.opened > looking->since;
    return looking->found ? HS_EEXISTS : HS_OK;
}

static enum hs_err any_since(struct hs_work *work, const char *account, uint16_t kind, hs_visit_record visit,
                             hs_stamp since, bool *found)
{
    struct looking looking = {.work = work, .since = since};
    enum hs_err err = hs_view_index(work->view, kind, INDEX_ACCOUNT, HS_BYTES(account, strlen(account)), HS_BYTES_NONE,
                                    visit, &looking);
    *found = looking.found;
    return looking.found ? HS_OK : err;
}

static enum hs_err any(struct hs_work *work, const char *account, uint16_t kind, hs_visit_record visit, bool *found)
{
    return any_since(work, account, kind, visit, UINT64_MAX, found);
}

/* ---- the ticket ---- */

/* Its deadline counts from the payment, whoever opens it and whenever. */
static enum hs_err fill(struct hs_work *work, Hallsync__Ticket *ticket, struct hs_bytes payment)
{
    uint64_t now_ms = work->now_ms;
    struct hs_stored stored;
    const struct hs_variant *variant;
    enum hs_err err = hs_view_find(work->view, HS_KIND_PAYMENT, payment, &stored);
    if (err == HS_OK)
        err = hs_fact_variant(&stored, work->scratch, &variant);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    if (err == HS_OK) /* else a stranger has put something else under its id: no reason to refuse the payment */
        work->now_ms = hs_stamp_ms(variant->stamp);
    err = hs_catalogue_fill(work, ticket);
    work->now_ms = now_ms;
    return err;
}

static void ticket_id(struct hs_bytes payment, struct hs_id *id)
{
    hs_id_made("hallsync reconnection 1", payment, id);
}

static enum hs_err open_ticket(struct hs_work *work, const char *account, struct hs_bytes payment)
{
    static const char summary[] = "欠费已缴清，请复电 / arrears paid, reconnect";
    Hallsync__Ticket ticket = HALLSYNC__TICKET__INIT;
    struct hs_id id;
    ticket.service = (char *)(uintptr_t)SERVICE;
    ticket.account = (char *)(uintptr_t)account;
    ticket.summary = (char *)(uintptr_t)summary;
    struct hs_stored stored;
    ticket_id(payment, &id);
    enum hs_err err = hs_view_find(work->view, HS_KIND_TICKET, HS_BYTES(id.bytes, sizeof id.bytes), &stored);
    if (err != HS_ENOTFOUND)
        return err; /* sent again */
    err = fill(work, &ticket, payment);
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

/* ---- what was paid elsewhere ---- */

struct paid {
    struct hs_work *work;
    struct hs_arena *one; /* of the payment at hand: an account may have many */
    hs_stamp stamp;       /* of the last one, behind what it begins with ... */
    struct hs_id id;      /* ... and its id */
    bool found;
};

static enum hs_err take_payment(void *ctx, const struct hs_stored *stored)
{
    struct paid *paid = ctx;
    const struct hs_variant *payment;
    bool reversed = false;
    hs_arena_reset(paid->one);
    enum hs_err err = hs_fact_variant(stored, paid->one, &payment);
    if (err != HS_OK || stored->name.id.size != sizeof paid->id.bytes)
        return err == HS_ENOTFOUND ? HS_OK : err;
    bool is_behind = payment->stamp > paid->stamp ||
                     (paid->found && payment->stamp == paid->stamp &&
                      memcmp(stored->name.id.data, paid->id.bytes, sizeof paid->id.bytes) > 0);
    if (is_behind)
        err = hs_fact_reversed(&paid->work->look, &stored->name, &reversed);
    if (err != HS_OK || reversed || !is_behind)
        return err;
    paid->found = true;
    paid->stamp = payment->stamp;
    memcpy(paid->id.bytes, stored->name.id.data, sizeof paid->id.bytes);
    return HS_OK;
}

/* The last one since the supply was put off.  A house that is off for other reasons has none. */
static enum hs_err last_payment(struct hs_work *work, const char *account, hs_stamp since, struct paid *paid)
{
    struct hs_arena one;
    hs_arena_init(&one, 0);
    *paid = (struct paid){.work = work, .one = &one, .stamp = since};
    enum hs_err err = hs_view_index(work->view, HS_KIND_PAYMENT, INDEX_ACCOUNT, HS_BYTES(account, strlen(account)),
                                    HS_BYTES_NONE, take_payment, paid);
    hs_arena_fini(&one);
    return err;
}

static enum hs_err off_since(struct hs_work *work, const struct hs_stored *customer, hs_stamp *since)
{
    struct hs_record record;
    enum hs_err err = hs_record_decode(customer->state, work->scratch, &record);
    const struct hs_field_state *field = err == HS_OK ? hs_record_field(&record, CUSTOMER_STATUS) : NULL;
    const struct hs_live *shown = field != NULL ? hs_field_shown(field) : NULL;
    *since = shown != NULL ? shown->stamp : UINT64_MAX;
    return err;
}

/* There is one for that payment, in whatever state, or another one since. */
static enum hs_err is_made(struct hs_work *work, const char *account, struct hs_bytes payment, hs_stamp since,
                           bool *made)
{
    struct hs_id id;
    struct hs_stored stored;
    ticket_id(payment, &id);
    enum hs_err err = hs_view_find(work->view, HS_KIND_TICKET, HS_BYTES(id.bytes, sizeof id.bytes), &stored);
    *made = err == HS_OK;
    return err == HS_ENOTFOUND ? any_since(work, account, HS_KIND_TICKET, look_at_ticket, since, made) : err;
}

static bool account_of(const struct hs_record_name *customer, char account[static HS_ACCOUNT_DIGITS + 1])
{
    if (!hs_account_valid((const char *)customer->id.data, customer->id.size))
        return false;
    memcpy(account, customer->id.data, HS_ACCOUNT_DIGITS);
    account[HS_ACCOUNT_DIGITS] = '\0';
    return true;
}

static enum hs_err look_at_account(struct hs_work *work, const struct hs_stored *stored, struct hs_tended *tended,
                                   uint64_t *wait_ms)
{
    char account[HS_ACCOUNT_DIGITS + 1];
    struct paid paid;
    hs_stamp since = 0;
    uint64_t leave_ms = 0;
    bool found = false;
    bool is_own = hs_store_certificate(work->store)->home == stored->name.partition;
    if (!account_of(&stored->name, account))
        return HS_OK;
    enum hs_err err = hs_tend_leave(work, stored->name.partition, is_own, &leave_ms);
    if (err == HS_OK && leave_ms != UINT64_MAX)
        err = off_since(work, stored, &since);
    if (err != HS_OK || leave_ms == UINT64_MAX)
        return err;
    err = last_payment(work, account, since, &paid);
    if (err != HS_OK || !paid.found)
        return err;
    tended->follow = paid.id;
    err = is_made(work, account, HS_BYTES(paid.id.bytes, sizeof paid.id.bytes), since, &found);
    if (err == HS_OK && !found)
        err = any(work, account, HS_KIND_BILL, look_at_bill, &found);
    if (err != HS_OK || found)
        return err;
    uint64_t at_ms = hs_stamp_ms(paid.stamp) + AFTER_MS + leave_ms;
    *wait_ms = work->now_ms >= at_ms ? 0 : at_ms - work->now_ms;
    return HS_OK;
}

static enum hs_err write_ticket(struct hs_work *work, const struct hs_tended *tended)
{
    char account[HS_ACCOUNT_DIGITS + 1];
    struct hs_bytes payment = HS_BYTES(tended->follow.bytes, sizeof tended->follow.bytes);
    return account_of(&tended->name, account) ? open_ticket(work, account, payment) : HS_EDAMAGED;
}

static const char *const OFF[] = {HS_SUPPLY_OFF, NULL};

const struct hs_tend_task HS_TASK_CUT_OFF = {.name = "reconnection",
                                             .kind = HS_KIND_CUSTOMER,
                                             .index = HS_SUPPLY,
                                             .values = OFF,
                                             .lanes = 1U << HS_LANE_MONEY | 1U << HS_LANE_PEOPLE | 1U << HS_LANE_BULK,
                                             .rest_ms = REST_MS,
                                             .look = look_at_account,
                                             .write = write_ticket};
