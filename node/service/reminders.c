/* Whom this hall's people tell of a bill today: storage/model/reminder.h over the subscriptions of which it has the
 * duty, a page at a time. */
#include "node/service/handlers.h"
#include "node/service/show.h"

#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "storage/model/reminder.h"

#include <string.h>

#define PAGE_DUES_DEFAULT      100
#define PAGE_SUBSCRIPTIONS_MAX 1000 /* looked at for one page */

enum { REPLY_DUE = 1, REPLY_NEXT = 2, REPLY_COMPLETE = 3 };
enum {
    SUBSCRIPTION_ACCOUNT = 2,
    SUBSCRIPTION_CHANNEL,
    SUBSCRIPTION_CONTACT,
    SUBSCRIPTION_DAYS,
    SUBSCRIPTION_ACTIVE,
    SUBSCRIPTION_HALL
};
enum { INDEX_SUBSCRIPTION_HALL = 2, INDEX_BILL_ACCOUNT = 1, INDEX_REMINDER_ACCOUNT = 1 };
enum { CUSTOMER_NAME = 2, CUSTOMER_PHONE = 3, CUSTOMER_ADDRESS = 4 };
enum { BILL_DUE_DATE = 5 };
enum { REMINDER_BILL = 3, REMINDER_CHANNEL = 4, REMINDER_RESULT = 6 };

struct page {
    struct hs_call *call;
    struct hs_view *view;
    bool all;       /* halls */
    uint32_t today; /* 20261121 */
    uint32_t limit;
    uint32_t dues;
    uint32_t subscriptions;
    uint8_t last[HS_RECORD_KEY_BYTES_MAX];
    size_t last_size;
    bool full;
};

/* One subscription, and what is known of its account. */
struct subscriber {
    struct page *page;
    const char *id;
    char *account;
    struct hs_bytes message; /* of the subscription */
    struct hs_bytes name, contact;
    struct hs_subscribed subscribed;
    struct hs_reminding *done;
    size_t done_count, done_room;
};

/* What a record shows, in the call's scratch room. */
static enum hs_err shown_of(struct page *page, const struct hs_stored *stored, struct hs_record *record,
                            struct hs_bytes *message)
{
    struct hs_buf shown = {0};
    enum hs_err err = hs_record_decode(stored->state, &page->call->scratch, record);
    if (err == HS_OK)
        err = hs_record_shown(record, &shown);
    if (err == HS_OK) {
        *message = hs_arena_copy(&page->call->scratch, hs_buf_bytes(&shown));
        err = message->size == shown.size ? HS_OK : HS_ENOMEM;
    }
    hs_buf_fini(&shown);
    return err == HS_EMALFORMED ? HS_EDAMAGED : err;
}

static hs_stamp stamp_of(const struct hs_record *record, uint32_t number)
{
    const struct hs_field_state *field = hs_record_field(record, number);
    const struct hs_live *shown = field != NULL ? hs_field_shown(field) : NULL;
    return shown != NULL ? shown->stamp : 0;
}

/* ---- what was done ---- */

static enum hs_err take_done(void *ctx, const struct hs_stored *stored)
{
    struct subscriber *subscriber = ctx;
    struct hs_call *call = subscriber->page->call;
    struct hs_record record;
    struct hs_bytes message;
    struct hs_reminding done = {0};
    enum hs_err err = shown_of(subscriber->page, stored, &record, &message);
    if (err != HS_OK || record.variant_count == 0 ||
        !hs_reminded_parse(hs_tlv_bytes(message, REMINDER_RESULT), &done.result))
        return err;
    done.bill_id = hs_tlv_bytes(message, REMINDER_BILL);
    done.channel = hs_tlv_bytes(message, REMINDER_CHANNEL);
    done.stamp = record.variants[0].stamp;
    done.date = hs_date_of(hs_stamp_ms(done.stamp), call->desk->options.utc_offset_minutes);
    if (subscriber->done_count == subscriber->done_room) {
        size_t room = subscriber->done_room == 0 ? 16 : 2 * subscriber->done_room;
        struct hs_reminding *list = hs_arena_array(&call->scratch, room, sizeof *list);
        if (list == NULL)
            return HS_ENOMEM;
        if (subscriber->done_count > 0)
            memcpy(list, subscriber->done, subscriber->done_count * sizeof *list);
        subscriber->done = list;
        subscriber->done_room = room;
    }
    subscriber->done[subscriber->done_count++] = done;
    return HS_OK;
}

/* ---- what is owed ---- */

static char *text_of(struct subscriber *subscriber, struct hs_bytes text)
{
    return text.size != 0 ? hs_arena_text(&subscriber->page->call->scratch, text) : NULL;
}

static enum hs_err put_due(struct subscriber *subscriber, const Hallsync__Record *bill, enum hs_reminder reminder)
{
    struct page *page = subscriber->page;
    struct hs_bytes message = HS_BYTES(bill->record.data, bill->record.len);
    Hallsync__ReminderDue due = HALLSYNC__REMINDER_DUE__INIT;
    due.account = subscriber->account;
    due.subscription_id = (char *)(uintptr_t)subscriber->id; /* only read */
    due.bill_id = bill->id;
    due.due_fen = bill->bill->due_fen;
    due.state = (char *)(uintptr_t)hs_reminder_text(reminder);
    due.channel = text_of(subscriber, subscriber->subscribed.channel);
    due.due_date = text_of(subscriber, hs_tlv_bytes(message, BILL_DUE_DATE));
    due.hall = text_of(subscriber, hs_tlv_bytes(subscriber->message, SUBSCRIPTION_HALL));
    due.name = text_of(subscriber, subscriber->name);
    due.contact = text_of(subscriber, subscriber->contact);
    if (due.channel == NULL || due.due_date == NULL)
        return HS_ENOMEM; /* neither is empty */
    hs_call_put(&page->call->body, REPLY_DUE, &due.base);
    page->dues++;
    return page->call->body.err;
}

static enum hs_err take_bill(void *ctx, const struct hs_stored *stored)
{
    struct subscriber *subscriber = ctx;
    struct page *page = subscriber->page;
    struct hs_arena *arena = &page->call->scratch;
    struct hs_show show = {.look = {.desk = page->call->desk, .view = page->view, .arena = arena}, .arena = arena};
    Hallsync__Record *bill;
    enum hs_err err = hs_show(&show, stored, &bill);
    if (err != HS_OK || bill->bill == NULL)
        return err;
    struct hs_bytes message = HS_BYTES(bill->record.data, bill->record.len);
    struct hs_owed owed = {.bill_id = HS_BYTES(bill->id, strlen(bill->id)),
                           .due_fen = bill->bill->due_fen,
                           .due_date = hs_date_parse(hs_tlv_bytes(message, BILL_DUE_DATE))};
    enum hs_reminder reminder = hs_reminder_of(&subscriber->subscribed, &owed, subscriber->done, subscriber->done_count,
                                               page->today);
    return reminder != HS_REMINDER_NOT ? put_due(subscriber, bill, reminder) : HS_OK;
}

/* ---- who is to be told ---- */

/* His name, and the number or address of his own where the subscription names none. */
static enum hs_err take_customer(struct subscriber *subscriber)
{
    struct hs_stored stored;
    struct hs_record record;
    struct hs_bytes message;
    struct hs_record_name name = {.partition = hs_account_partition(subscriber->account),
                                  .lane = HS_LANE_PEOPLE,
                                  .kind = HS_KIND_CUSTOMER,
                                  .id = HS_BYTES(subscriber->account, strlen(subscriber->account))};
    enum hs_err err = hs_view_record(subscriber->page->view, &name, &stored);
    if (err == HS_ENOTFOUND)
        return HS_OK;
    if (err == HS_OK)
        err = shown_of(subscriber->page, &stored, &record, &message);
    if (err != HS_OK)
        return err;
    subscriber->name = hs_tlv_bytes(message, CUSTOMER_NAME);
    if (subscriber->contact.size != 0)
        return HS_OK;
    bool by_letter = hs_bytes_equal(subscriber->subscribed.channel, HS_BYTES("letter", 6));
    uint32_t own = by_letter ? CUSTOMER_ADDRESS : CUSTOMER_PHONE;
    subscriber->contact = hs_tlv_bytes(message, own);
    subscriber->subscribed.contact_stamp = stamp_of(&record, own);
    return HS_OK;
}

static bool make_subscriber(struct page *page, const struct hs_record *record, struct hs_bytes message,
                            struct subscriber *subscriber)
{
    struct hs_bytes account = hs_tlv_bytes(message, SUBSCRIPTION_ACCOUNT);
    *subscriber = (struct subscriber){
        .page = page,
        .message = message,
        .contact = hs_tlv_bytes(message, SUBSCRIPTION_CONTACT),
        .subscribed = {.channel = hs_tlv_bytes(message, SUBSCRIPTION_CHANNEL),
                       .active = !hs_bytes_equal(hs_tlv_bytes(message, SUBSCRIPTION_ACTIVE), HS_BYTES("no", 2)),
                       .days_before = (uint32_t)hs_tlv_u64(message, SUBSCRIPTION_DAYS, 0),
                       .contact_stamp = stamp_of(record, SUBSCRIPTION_CONTACT)}};
    return subscriber->subscribed.active && subscriber->subscribed.channel.size != 0 &&
           hs_account_valid((const char *)account.data, account.size);
}

static enum hs_err look_at(struct page *page, const struct hs_stored *stored)
{
    struct hs_record record;
    struct hs_bytes message;
    struct subscriber subscriber;
    enum hs_err err = shown_of(page, stored, &record, &message);
    if (err != HS_OK || !make_subscriber(page, &record, message, &subscriber))
        return err;
    subscriber.id = text_of(&subscriber, stored->name.id);
    subscriber.account = text_of(&subscriber, hs_tlv_bytes(message, SUBSCRIPTION_ACCOUNT));
    if (subscriber.id == NULL || subscriber.account == NULL)
        return HS_ENOMEM;
    struct hs_bytes account = HS_BYTES(subscriber.account, strlen(subscriber.account));
    err = take_customer(&subscriber);
    if (err == HS_OK)
        err = hs_view_index(page->view, HS_KIND_REMINDER, INDEX_REMINDER_ACCOUNT, account, HS_BYTES_NONE, take_done,
                            &subscriber);
    if (err == HS_OK)
        err = hs_view_index(page->view, HS_KIND_BILL, INDEX_BILL_ACCOUNT, account, HS_BYTES_NONE, take_bill,
                            &subscriber);
    return err;
}

/* A page ends behind a subscription.  HS_EEXISTS: it has. */
static enum hs_err take_subscription(void *ctx, const struct hs_stored *stored)
{
    struct page *page = ctx;
    page->full = page->dues >= page->limit || page->subscriptions >= PAGE_SUBSCRIPTIONS_MAX ||
                 page->call->body.size >= HS_PAGE_BYTES_SOFT;
    if (page->full)
        return HS_EEXISTS;
    page->subscriptions++;
    page->last_size = hs_record_key(&stored->name, page->last);
    hs_arena_reset(&page->call->scratch);
    if (page->all && hs_view_listed(page->view, HS_LIST_PARKED, &stored->name))
        return HS_OK;
    return look_at(page, stored);
}

/* ---- the request ---- */

static enum hs_err check(struct hs_call *call, struct page *page)
{
    const Hallsync__RemindersRequest *asked = call->request->reminders;
    struct hs_bytes after = HS_BYTES(asked->after.data, asked->has_after ? asked->after.len : 0);
    struct hs_record_name name;
    page->today = hs_date_of(hs_now_ms(), call->desk->options.utc_offset_minutes);
    if (asked->has_date && !hs_date_valid(asked->date))
        return hs_fail(HS_EVALUE, &call->why, "date: %u is not a day like 20261121", (unsigned)asked->date);
    if (asked->has_date)
        page->today = asked->date;
    page->limit = asked->has_limit && asked->limit != 0 ? asked->limit : PAGE_DUES_DEFAULT;
    page->limit = page->limit < HS_PAGE_RECORDS_MAX ? page->limit : HS_PAGE_RECORDS_MAX;
    page->all = asked->hall != NULL && strcmp(asked->hall, "all") == 0;
    if (asked->hall != NULL && !page->all && !hs_node_id_valid(asked->hall))
        return hs_fail(HS_EVALUE, &call->why, "hall: '%s' is not a node's id, nor all", asked->hall);
    if (after.size != 0 && (hs_record_from_key(after, &name) != HS_OK || name.kind != HS_KIND_SUBSCRIPTION))
        return hs_fail(HS_EVALUE, &call->why, "after: was not in the answer to such a request");
    return HS_OK;
}

enum hs_err hs_reminders_read(struct hs_call *call, struct hs_view *view)
{
    const Hallsync__RemindersRequest *asked = call->request->reminders;
    struct page page = {.call = call, .view = view};
    enum hs_err err = check(call, &page);
    if (err != HS_OK)
        return err;
    struct hs_bytes after = HS_BYTES(asked->after.data, asked->has_after ? asked->after.len : 0);
    const char *hall = asked->hall != NULL ? asked->hall : hs_store_certificate(call->desk->options.store)->node_id;
    if (page.all)
        err = hs_view_all(view, HS_KIND_SUBSCRIPTION, after, take_subscription, &page);
    else
        err = hs_view_index(view, HS_KIND_SUBSCRIPTION, INDEX_SUBSCRIPTION_HALL, HS_BYTES(hall, strlen(hall)), after,
                            take_subscription, &page);
    if (err != HS_OK && err != HS_EEXISTS)
        return err;
    if (page.full)
        hs_tlv_put_bytes(&call->body, REPLY_NEXT, HS_BYTES(page.last, page.last_size));
    if (hs_still_coming(view, HS_LANE_PEOPLE) || hs_still_coming(view, HS_LANE_BULK))
        hs_tlv_put_u64(&call->body, REPLY_COMPLETE, false);
    return call->body.err;
}
