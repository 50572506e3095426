/* The money of a hall's day: its cash entries, by what they are and how it was paid; its books; its windows. */
#include "node/service/day_report.h"
#include "node/service/put.h"

#include "proto/msg/tlv.h"
#include "storage/model/bill_due.h"
#include "storage/model/kinds.h"

#include <string.h>

enum { ENTRY_KIND = 4, ENTRY_FACT = 5, ENTRY_PARTITION = 6, ENTRY_METHOD = 7 };
enum { PAYMENT_METHOD = 5, PAYMENT_PURPOSE = 9, REVERSAL_PAYMENT = 2 };
enum { CLOSE_REASON = 13, EVENT_CLERK = 4 };

/* ---- what an entry is ---- */

enum what { PAYMENT, REVERSAL, REFUND, WHATS };
static const char *const WHATS_TEXT[WHATS] = {"payment", "reversal", "refund"};

#define CHOICES_MAX 16 /* of a method or a purpose; what comes behind stands with the last */
#define ROWS        ((size_t)WHATS * CHOICES_MAX * CHOICES_MAX)

struct money {
    struct hs_day_report *report;
    const struct hs_choice *methods;
    const struct hs_choice *purposes;
    Hallsync__DayMoney rows[ROWS]; /* by what, method and purpose, the last of these for such as is not known */
};

static Hallsync__DayMoney *row_of(struct money *money, size_t what, size_t method, size_t purpose)
{
    return &money->rows[(what * CHOICES_MAX + method) * CHOICES_MAX + purpose];
}

static size_t choice_of(const struct hs_choice *choices, struct hs_bytes text, size_t none)
{
    for (size_t i = 0; i < none && choices[i].value != NULL; i++) {
        if (hs_bytes_equal(HS_BYTES(choices[i].value, strlen(choices[i].value)), text))
            return i;
    }
    return none;
}

/* A fact in the arena of one.  HS_ENOTFOUND: it is not here. */
static enum hs_err fact_of(struct hs_day_report *report, uint16_t kind, hs_partition partition, struct hs_bytes id,
                           struct hs_bytes *message)
{
    struct hs_record_name name = {partition, HS_LANE_MONEY, kind, id};
    const struct hs_variant *variant;
    struct hs_stored stored;
    enum hs_err err = id.size != 0 ? hs_view_record(report->view, &name, &stored) : HS_ENOTFOUND;
    if (err == HS_OK)
        err = hs_fact_variant(&stored, report->one, &variant);
    if (err != HS_OK)
        return err;
    *message = hs_arena_copy(report->one, variant->bytes);
    return message->data != NULL || variant->bytes.size == 0 ? HS_OK : HS_ENOMEM;
}

/* The payment of an entry: of a reversal, the one that it takes back. */
static enum hs_err payment_of(struct hs_day_report *report, enum what what, struct hs_bytes entry,
                              struct hs_bytes *payment)
{
    hs_partition partition = (hs_partition)hs_tlv_u64(entry, ENTRY_PARTITION, 0);
    struct hs_bytes id = hs_tlv_bytes(entry, ENTRY_FACT);
    struct hs_bytes reversal;
    if (what == REFUND)
        return HS_ENOTFOUND;
    if (what == REVERSAL) {
        enum hs_err err = fact_of(report, HS_KIND_REVERSAL, partition, id, &reversal);
        if (err != HS_OK)
            return err;
        id = hs_tlv_bytes(reversal, REVERSAL_PAYMENT);
    }
    return fact_of(report, HS_KIND_PAYMENT, partition, id, payment);
}

static void pass_part(void *ctx, const struct hs_part *part)
{
    (void)ctx;
    (void)part;
}

static bool is(struct hs_bytes text, const char *other)
{
    return hs_bytes_equal(text, HS_BYTES(other, strlen(other)));
}

/* What it was for; where it does not say so, what became of it. */
static size_t purpose_of(const struct money *money, struct hs_bytes payment, int64_t amount_fen)
{
    struct hs_bytes purpose = hs_tlv_bytes(payment, PAYMENT_PURPOSE);
    const char *other = hs_payment_parts(payment, pass_part, NULL) < amount_fen ? "bill" : "advance";
    if (purpose.size == 0)
        purpose = HS_BYTES(other, strlen(other));
    return choice_of(money->purposes, purpose, CHOICES_MAX - 1);
}

/* ---- entries ---- */

static void add_payment(Hallsync__DayReportReply *reply, struct hs_bytes payment, int64_t fen)
{
    struct hs_bytes purpose = hs_tlv_bytes(payment, PAYMENT_PURPOSE);
    bool topup = is(purpose, "topup");
    reply->topups += topup;
    reply->topups_fen += topup ? fen : 0;
    if (!topup && !is(purpose, "fee"))
        reply->advance_fen += hs_payment_parts(payment, pass_part, NULL);
}

static void add_entry(Hallsync__DayReportReply *reply, enum what what, int64_t fen)
{
    reply->payments += what == PAYMENT;
    reply->payments_fen += what == PAYMENT ? fen : 0;
    reply->reversals += what == REVERSAL;
    reply->reversals_fen -= what == REVERSAL ? fen : 0;
    reply->refunds += what == REFUND;
    reply->refunds_fen -= what == REFUND ? fen : 0;
}

static enum hs_err take_entry(struct money *money, const struct hs_book_entry *entry)
{
    struct hs_day_report *report = money->report;
    uint64_t kind = hs_tlv_u64(entry->message, ENTRY_KIND, 0);
    enum what what = kind == HS_KIND_PAYMENT ? PAYMENT : kind == HS_KIND_REVERSAL ? REVERSAL : REFUND;
    struct hs_bytes method = hs_tlv_bytes(entry->message, ENTRY_METHOD);
    struct hs_bytes payment;
    size_t purpose = CHOICES_MAX - 1;
    hs_arena_reset(report->one);
    enum hs_err err = payment_of(report, what, entry->message, &payment);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    bool known = err == HS_OK;
    report->cut = report->cut || (!known && what != REFUND);
    add_entry(&report->reply, what, entry->amount_fen);
    if (known)
        purpose = purpose_of(money, payment, what == PAYMENT ? entry->amount_fen : -entry->amount_fen);
    if (known && method.size == 0)
        method = hs_tlv_bytes(payment, PAYMENT_METHOD);
    if (known && what == PAYMENT)
        add_payment(&report->reply, payment, entry->amount_fen);
    if (method.size == 0)
        method = HS_BYTES("cash", 4);
    Hallsync__DayMoney *row = row_of(money, what, choice_of(money->methods, method, CHOICES_MAX - 1), purpose);
    row->count++;
    row->sum_fen += entry->amount_fen;
    return HS_OK;
}

static char *choice_text(const struct hs_choice *choices, size_t at)
{
    static char other[] = "other";
    return at < CHOICES_MAX - 1 ? (char *)(uintptr_t)choices[at].value : other;
}

static void name_row(const struct money *money, size_t what, size_t method, size_t purpose, Hallsync__DayMoney *row)
{
    row->what = (char *)(uintptr_t)WHATS_TEXT[what]; /* only read, as all of them */
    row->method = choice_text(money->methods, method);
    row->purpose = purpose < CHOICES_MAX - 1 ? choice_text(money->purposes, purpose) : NULL;
}

static enum hs_err show_rows(struct money *money)
{
    Hallsync__DayReportReply *reply = &money->report->reply;
    reply->money = hs_arena_array(money->report->arena, ROWS, sizeof *reply->money);
    if (reply->money == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < ROWS; i++) {
        size_t what = i / (CHOICES_MAX * CHOICES_MAX), method = i / CHOICES_MAX % CHOICES_MAX,
               purpose = i % CHOICES_MAX;
        Hallsync__DayMoney *row = &money->rows[i];
        if (row->count == 0)
            continue;
        name_row(money, what, method, purpose, row);
        reply->money[reply->n_money++] = row;
    }
    return HS_OK;
}

static enum hs_err take_entries(struct hs_day_report *report, const struct hs_book *book)
{
    const struct hs_kind *payment = hs_kind_by_number(HS_KIND_PAYMENT);
    struct money *money = hs_arena_alloc(report->arena, sizeof *money);
    enum hs_err err = HS_OK;
    if (money == NULL)
        return HS_ENOMEM;
    money->report = report;
    money->methods = hs_kind_rule(payment, PAYMENT_METHOD)->choices;
    money->purposes = hs_kind_rule(payment, PAYMENT_PURPOSE)->choices;
    for (size_t i = 0; i < ROWS; i++)
        hallsync__day_money__init(&money->rows[i]);
    for (size_t i = 0; i < book->count && err == HS_OK; i++)
        err = take_entry(money, &book->entries[i]);
    return err == HS_OK ? show_rows(money) : err;
}

/* ---- books ---- */

static enum hs_err fill_hall(struct hs_day_report *report, const struct hs_day_books *books)
{
    Hallsync__DayReportReply *reply = &report->reply;
    Hallsync__Book book;
    enum hs_err err = hs_day_books_fill(books, false, 0, &book);
    if (err != HS_OK)
        return err;
    reply->entries = book.entries;
    reply->sum_fen = book.sum_fen;
    reply->books = book.books;
    reply->closed_entries = book.closed_entries;
    reply->closed_fen = book.closed_fen;
    reply->cash_fen = book.cash_fen;
    reply->later_entries = book.later_entries;
    reply->later_fen = book.later_fen;
    reply->has_float_fen = reply->has_counted_fen = reply->has_difference_fen = book.has_counted_fen;
    reply->float_fen = book.float_fen;
    reply->counted_fen = book.counted_fen;
    reply->difference_fen = book.difference_fen;
    reply->handed_fen = book.handed_fen;
    return HS_OK;
}

static char *text_of(const struct hs_day_report *report, struct hs_bytes text)
{
    return text.size != 0 ? hs_arena_text(report->arena, text) : NULL;
}

/* Reasons of differences, the last one that has any. */
static void take_reason(struct hs_day_report *report, const struct hs_closed *closes, Hallsync__DayWindow *window)
{
    for (; closes != NULL; closes = closes->next) {
        struct hs_bytes reason = hs_tlv_bytes(closes->message, CLOSE_REASON);
        if (hs_closed_is_of(closes, true, window->window) && reason.size != 0)
            window->reason = text_of(report, reason);
    }
}

static enum hs_err fill_window(struct hs_day_report *report, const struct hs_day_books *books, uint32_t number)
{
    Hallsync__DayWindow *window = hs_day_window(report, number);
    Hallsync__Book book;
    if (window == NULL)
        return report->cut ? HS_OK : HS_ENOMEM;
    enum hs_err err = hs_day_books_fill(books, true, number, &book);
    if (err != HS_OK)
        return err;
    window->books = book.books;
    window->entries = book.entries;
    window->sum_fen = book.sum_fen;
    window->has_float_fen = window->has_counted_fen = window->has_difference_fen = book.has_counted_fen;
    window->float_fen = book.float_fen;
    window->counted_fen = book.counted_fen;
    window->difference_fen = book.difference_fen;
    take_reason(report, books->closes, window);
    return HS_OK;
}

/* ---- what the windows did ---- */

static void take_event(void *ctx, const struct hs_window_event *event)
{
    struct hs_day_report *report = ctx;
    Hallsync__DayWindow *window = hs_day_window(report, event->window);
    struct hs_bytes clerk = hs_tlv_bytes(event->message, EVENT_CLERK);
    if (window == NULL)
        return;
    bool opened = event->move == HS_WINDOW_DO_OPEN, closed = event->move == HS_WINDOW_DO_CLOSE;
    if (opened && !window->has_opened_ms) {
        window->has_opened_ms = true;
        window->opened_ms = hs_stamp_ms(event->stamp);
    }
    window->has_closed_ms = window->has_closed_ms || closed;
    window->closed_ms = closed ? hs_stamp_ms(event->stamp) : window->closed_ms;
    window->opened += opened;
    window->closed += closed;
    window->paused += event->move == HS_WINDOW_DO_PAUSE;
    window->state = (char *)(uintptr_t)hs_window_state_text(event->state); /* only read */
    if (clerk.size != 0)
        window->clerk = text_of(report, clerk);
}

enum hs_err hs_day_money(struct hs_day_report *report)
{
    char *node = hs_arena_text(report->arena, report->hall);
    uint32_t *windows = hs_arena_array(report->arena, HS_BOOK_WINDOWS_MAX, sizeof *windows);
    size_t count = 0;
    struct hs_day_books books = {.call = report->call, .view = report->view, .arena = report->arena};
    books.day = (struct hs_hall_day){.home = report->home, .node = node, .date = report->date};
    enum hs_err err = node != NULL && windows != NULL ? hs_day_books_read(&books) : HS_ENOMEM;
    if (err == HS_OK)
        err = take_entries(report, &books.book);
    if (err == HS_OK)
        err = fill_hall(report, &books);
    if (err == HS_OK)
        err = hs_books_window_events(report->view, &books.day, report->arena, take_event, report);
    if (err == HS_OK)
        hs_day_books_windows(&books, windows, &count);
    for (size_t i = 0; i < count && err == HS_OK; i++)
        err = fill_window(report, &books, windows[i]);
    return err;
}
