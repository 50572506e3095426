/* Windows are opened, closed, paused and resumed by clerks; a hall's day is closed when its windows are.  The close
 * itself is made here, of the node's own cash entries: those of the day that no close has named before. */
#include "node/service/put.h"
#include "node/service/telling.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"
#include "storage/books.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EVENT_WINDOW = 2, EVENT_EVENT, EVENT_CLERK, EVENT_FLOAT, EVENT_COUNTED, EVENT_REASON, EVENT_DATE, EVENT_HALL };
enum {
    CLOSE_ID = 1,
    CLOSE_HALL,
    CLOSE_DATE,
    CLOSE_WINDOW,
    CLOSE_CLERK,
    CLOSE_LINES,
    CLOSE_ENTRIES,
    CLOSE_SUM,
    CLOSE_CASH,
    CLOSE_FLOAT,
    CLOSE_COUNTED,
    CLOSE_DIFFERENCE,
    CLOSE_REASON,
    CLOSE_EVENT,
    CLOSE_HASH
};

#define LETTERS           8
#define WINDOWS_TOLD      8
#define WINDOW_TEXT_BYTES 24

/* What is to be done, and about which book. */
struct doing {
    const struct hs_item *item;
    const Hallsync__WindowEvent *event;
    enum hs_window_move move;
    struct hs_hall_day day;
    uint32_t today;
    struct hs_bytes message; /* the event with what the node adds */
    struct hs_window_now now;
    struct hs_closed *closes; /* of the day */
    struct hs_book book;      /* the same */
    struct hs_book open;      /* of it, what no close of this window, or of the hall, has named */
};

static struct hs_bytes bytes_of(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

static const char *whose(const struct doing *doing, char text[static WINDOW_TEXT_BYTES])
{
    if (doing->event->has_window)
        snprintf(text, WINDOW_TEXT_BYTES, "window %" PRIu32, doing->event->window);
    else
        snprintf(text, WINDOW_TEXT_BYTES, "the hall");
    return text;
}

/* ---- the event ---- */

/* As it is kept: with the hall and the business day. */
static enum hs_err complete(struct hs_work *work, struct doing *doing)
{
    Hallsync__WindowEvent event = *doing->event;
    char day[HS_DAY_TEXT_BYTES];
    event.hall = (char *)(uintptr_t)doing->day.node; /* only read */
    event.date = (char *)(uintptr_t)hs_day_text(doing->day.date, day);
    doing->message = hs_canonical(&event.base, work->scratch);
    return doing->message.data != NULL ? HS_OK : HS_ENOMEM;
}

/* The close that an event had made, into the outcome. */
static void tell_close(struct hs_work *work, const struct hs_closed *closes, struct hs_bytes event_id)
{
    for (; closes != NULL; closes = closes->next) {
        if (hs_bytes_equal(hs_tlv_bytes(closes->message, CLOSE_EVENT), event_id) &&
            closes->id.size < sizeof work->out.receipt) {
            memcpy(work->out.receipt, closes->id.data, closes->id.size);
            work->out.receipt[closes->id.size] = '\0';
        }
    }
}

/* Sent again: the same event, on whatever day it was.  HS_ENOTFOUND: it is new. */
static enum hs_err done_before(struct hs_work *work, struct doing *doing)
{
    struct hs_stored stored;
    const struct hs_variant *variant;
    struct hs_closed *closes;
    enum hs_err err = hs_view_find(work->view, HS_KIND_WINDOW_EVENT, doing->item->id, &stored);
    if (err == HS_OK)
        err = hs_fact_variant(&stored, work->scratch, &variant);
    if (err != HS_OK)
        return err;
    uint32_t asked = doing->day.date;
    if (!hs_day_parse(hs_tlv_bytes(variant->bytes, EVENT_DATE), &doing->day.date) ||
        (doing->event->date != NULL && asked != doing->day.date))
        doing->day.date = asked;
    err = complete(work, doing);
    if (err == HS_OK)
        err = hs_fact_known(work, doing->item, doing->message);
    work->out.receipt[0] = '\0';
    if (err == HS_OK)
        err = hs_books_closes(work->view, &doing->day, work->scratch, &closes);
    if (err == HS_OK)
        tell_close(work, closes, doing->item->id);
    return err;
}

/* What has no meaning for this event is told, rather than kept. */
static enum hs_err check_fields(struct hs_work *work, const struct doing *doing)
{
    const Hallsync__WindowEvent *event = doing->event;
    struct hs_refusal *refusal = &work->refusal;
    bool closes = doing->move == HS_WINDOW_DO_CLOSE;
    if (!event->has_window && !closes)
        return hs_refuse(refusal, HS_EREQUIRED, EVENT_WINDOW,
                         "window: is missing; only the day of a whole hall is "
                         "closed without one");
    if (event->has_float_fen && doing->move != HS_WINDOW_DO_OPEN)
        return hs_refuse(refusal, HS_EVALUE, EVENT_FLOAT, "float_fen: is given when a window is opened");
    if (event->has_counted_fen && !closes)
        return hs_refuse(refusal, HS_EVALUE, EVENT_COUNTED, "counted_fen: is given when a window is closed");
    if (event->date != NULL && !closes)
        return hs_refuse(refusal, HS_EVALUE, EVENT_DATE, "date: is given only where a day is closed");
    if (event->hall != NULL && strcmp(event->hall, doing->day.node) != 0)
        return hs_refuse(refusal, HS_EVALUE, EVENT_HALL, "hall: this is %s", doing->day.node);
    return HS_OK;
}

static enum hs_err begin(struct hs_work *work, const struct hs_item *item, struct doing *doing)
{
    const struct hs_certificate *own = hs_store_certificate(work->store);
    *doing = (struct doing){.item = item, .event = (const Hallsync__WindowEvent *)item->parsed};
    doing->today = hs_date_of(work->now_ms, work->desk->options.utc_offset_minutes);
    doing->day = (struct hs_hall_day){.home = own->home, .node = own->node_id, .date = doing->today};
    if (doing->event->date != NULL && !hs_day_parse(bytes_of(doing->event->date), &doing->day.date))
        return hs_refuse(&work->refusal, HS_EVALUE, EVENT_DATE, "date: is no day like 2026-11-21");
    if (!hs_window_move_parse(bytes_of(doing->event->event), &doing->move))
        return hs_refuse(&work->refusal, HS_EVALUE, EVENT_EVENT, "event: is none of open, close, pause, resume");
    return check_fields(work, doing);
}

static enum hs_err write_fact(struct hs_work *work, hs_partition home, uint16_t kind, struct hs_bytes id,
                              struct hs_bytes fact)
{
    struct hs_dot dot;
    hs_stamp stamp;
    struct hs_write write = {.kind = kind, .id = id, .is_fact = true, .fact = fact};
    struct hs_draft draft = {.partition = home, .lane = HS_LANE_MONEY, .writes = &write, .write_count = 1};
    enum hs_err err = hs_store_write(work->store, &draft, &dot, &stamp);
    assert(err != HS_ETOOBIG && err != HS_EINVAL); /* a refusal now would leave an event without its close */
    return err;
}

static enum hs_err write_event(struct hs_work *work, const struct doing *doing)
{
    work->out.result = HALLSYNC__RESULT__RESULT_CREATED;
    work->out.safe = hs_safety_here(work->desk);
    return write_fact(work, doing->day.home, HS_KIND_WINDOW_EVENT, doing->item->id, doing->message);
}

/* ---- opening, pausing, resuming: on the business day of the window ---- */

static enum hs_err move_window(struct hs_work *work, struct doing *doing)
{
    enum hs_window_state to;
    uint32_t window = doing->event->window;
    char day[HS_DAY_TEXT_BYTES];
    enum hs_err err = hs_books_day(work->view, &doing->day, window, &doing->day.date);
    if (err == HS_OK)
        err = hs_books_window(work->view, &doing->day, window, work->scratch, &doing->now);
    if (err == HS_OK && !hs_window_moves(doing->now.state, doing->move, &to))
        return hs_refuse(&work->refusal, HS_EWINDOW, EVENT_EVENT,
                         "event: window %" PRIu32 " is %s on %s, and cannot "
                         "%s",
                         window, hs_window_state_text(doing->now.state), hs_day_text(doing->day.date, day),
                         doing->event->event);
    if (err == HS_OK)
        err = complete(work, doing);
    return err == HS_OK ? write_event(work, doing) : err;
}

enum hs_err hs_window_check(struct hs_work *work, uint32_t window, uint32_t field)
{
    const struct hs_certificate *own = hs_store_certificate(work->store);
    struct hs_hall_day day = {.home = own->home,
                              .node = own->node_id,
                              .date = hs_date_of(work->now_ms, work->desk->options.utc_offset_minutes)};
    struct hs_window_now now;
    enum hs_err err = hs_books_day(work->view, &day, window, &day.date);
    if (err == HS_OK)
        err = hs_books_window(work->view, &day, window, work->scratch, &now);
    if (err == HS_OK && now.known && now.state != HS_WINDOW_OPEN)
        err = hs_refuse(&work->refusal, HS_EWINDOW, field, "window: %" PRIu32 " is %s; open it, or resume it, first",
                        window, hs_window_state_text(now.state));
    return err;
}

/* ---- what is to be closed ---- */

static enum hs_err gather(struct hs_work *work, struct doing *doing)
{
    const Hallsync__WindowEvent *event = doing->event;
    enum hs_err err = hs_books_closes(work->view, &doing->day, work->scratch, &doing->closes);
    if (err == HS_OK)
        err = hs_books_entries(work->view, &doing->day, work->scratch, &doing->book);
    if (err == HS_OK && event->has_window)
        err = hs_books_window(work->view, &doing->day, event->window, work->scratch, &doing->now);
    if (err != HS_OK)
        return err;
    doing->open.entries = hs_arena_array(work->scratch, doing->book.count + 1, sizeof *doing->open.entries);
    if (doing->open.entries == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < doing->book.count; i++) {
        const struct hs_number *number = &doing->book.entries[i].number;
        if (event->has_window && number->window != event->window)
            continue;
        if (!hs_closed_covers(doing->closes, event->has_window, event->window, number))
            doing->open.entries[doing->open.count++] = doing->book.entries[i];
    }
    return HS_OK;
}

static const struct hs_closed *closed_before(const struct doing *doing)
{
    const struct hs_closed *last = NULL;
    for (const struct hs_closed *closed = doing->closes; closed != NULL; closed = closed->next) {
        if (hs_closed_is_of(closed, doing->event->has_window, doing->event->window))
            last = closed;
    }
    return last;
}

/* A day is closed once, and again only for what has come back of it since. */
static enum hs_err check_wanted(struct hs_work *work, const struct doing *doing)
{
    char day[HS_DAY_TEXT_BYTES], who[WINDOW_TEXT_BYTES];
    const struct hs_closed *before = closed_before(doing);
    hs_day_text(doing->day.date, day);
    if (before != NULL && doing->open.count == 0 && doing->now.state == HS_WINDOW_CLOSED)
        return hs_refuse(&work->refusal, HS_EWINDOW, EVENT_EVENT, "event: %s has closed %s before: %.*s",
                         whose(doing, who), day, (int)before->id.size, (const char *)before->id.data);
    if (doing->event->has_window && before == NULL && doing->open.count == 0 && !doing->now.known)
        return hs_refuse(&work->refusal, HS_EWINDOW, EVENT_EVENT,
                         "event: %s was not opened on %s, and took nothing; date= closes another day",
                         whose(doing, who), day);
    return HS_OK;
}

/* A day to come is closed only if a clock that was wrong has put receipts into it, and not one that windows that have
 * closed today work in already. */
static enum hs_err check_day(struct hs_work *work, const struct doing *doing)
{
    struct hs_hall_day next = doing->day;
    struct hs_closed *closes = NULL;
    char day[HS_DAY_TEXT_BYTES];
    enum hs_err err = HS_OK;
    if (doing->day.date <= doing->today)
        return HS_OK;
    next.date = doing->today;
    do {
        next.date = hs_day_after(next.date);
        err = hs_books_closes(work->view, &next, work->scratch, &closes);
    } while (err == HS_OK && closes != NULL && next.date < doing->day.date);
    if (err != HS_OK || (next.date < doing->day.date && doing->open.count != 0))
        return err;
    return hs_refuse(&work->refusal, HS_EVALUE, EVENT_DATE, "date: %s has not come yet",
                     hs_day_text(doing->day.date, day));
}

/* Windows that took money which no close of theirs names, or that stand open.  What was taken at no window is closed
 * with the hall. */
static enum hs_err check_windows(struct hs_work *work, const struct doing *doing)
{
    uint32_t windows[WINDOWS_TOLD];
    size_t count = 0;
    char text[WINDOWS_TOLD * 12] = "", day[HS_DAY_TEXT_BYTES];
    enum hs_err err = hs_books_open_windows(work->view, &doing->day, work->scratch, windows, WINDOWS_TOLD, &count);
    for (size_t i = 0; i < doing->book.count && count < WINDOWS_TOLD; i++) {
        const struct hs_number *number = &doing->book.entries[i].number;
        bool told = number->window == 0 || hs_closed_covers(doing->closes, true, number->window, number);
        for (size_t k = 0; k < count; k++)
            told = told || windows[k] == number->window;
        if (!told)
            windows[count++] = number->window;
    }
    if (err != HS_OK || count == 0)
        return err;
    for (size_t i = 0, used = 0; i < count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRIu32, i == 0 ? "" : ", ", windows[i]);
    return hs_refuse(&work->refusal, HS_EOPENBOOKS, EVENT_WINDOW,
                     "windows that have not closed %s: %s%s; they close first", hs_day_text(doing->day.date, day), text,
                     count == WINDOWS_TOLD ? "..." : "");
}

/* What would break a rule is not written. */
static enum hs_err check_sums(struct hs_work *work, const struct doing *doing, int64_t cash_fen)
{
    int64_t difference_fen = doing->event->counted_fen - doing->now.float_fen - cash_fen;
    bool fits = doing->now.float_fen <= HS_AMOUNT_FEN_MAX && llabs(difference_fen) <= HS_AMOUNT_FEN_MAX;
    if (!doing->event->has_counted_fen || fits)
        return HS_OK;
    return hs_refuse(
        &work->refusal, HS_EOVERFLOW, EVENT_COUNTED,
        "counted_fen: float, or difference, is above a billion yuan; look for a payment that was mistyped");
}

static enum hs_err check_counted(struct hs_work *work, const struct doing *doing, int64_t cash_fen)
{
    const Hallsync__WindowEvent *event = doing->event;
    char should[HS_FEN_TEXT_BYTES], counted[HS_FEN_TEXT_BYTES];
    int64_t there = doing->now.float_fen + cash_fen;
    if (!event->has_counted_fen && event->has_window)
        return hs_refuse(&work->refusal, HS_EREQUIRED, EVENT_COUNTED, "counted_fen: is missing; count the cash");
    if (!event->has_counted_fen || event->counted_fen == there || event->reason != NULL)
        return HS_OK;
    return hs_refuse(&work->refusal, HS_EREQUIRED, EVENT_REASON,
                     "reason: there should be %s yuan in cash, counted are %s; count again, or say why",
                     hs_yuan_text(there, should), hs_yuan_text(event->counted_fen, counted));
}

/* ---- closes ---- */

/* Eight letters of the content: another close of the same day, made by another life of this node, is another record. */
static void close_id(const struct doing *doing, struct hs_bytes content, char id[static HS_RECORD_ID_BYTES_MAX + 1])
{
    static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    struct hs_hash hash = hs_hash_domain("hallsync close id 1", content);
    uint64_t bits = hs_from_be64(hash.bytes);
    char letters[LETTERS + 1] = "", window[WINDOW_TEXT_BYTES] = "hall";
    for (int i = 0; i < LETTERS; i++)
        letters[i] = DIGITS[bits >> (59 - 5 * i) & 31];
    if (doing->event->has_window)
        snprintf(window, sizeof window, "%02" PRIu32, doing->event->window);
    int size = snprintf(id, HS_RECORD_ID_BYTES_MAX + 1, "%s-%08u-%s-%s", doing->day.node, (unsigned)doing->day.date,
                        window, letters);
    assert(size > 0 && size <= HS_RECORD_ID_BYTES_MAX);
    (void)size;
}

/* A part of a close: all of it, but where there are more lines, or higher sums, than a record holds.  Then cash is
 * counted in the last one. */
struct part {
    struct hs_close_line lines[HS_CLOSE_LINES_MAX];
    size_t line_count;
    struct hs_close_sums sums;
    bool last;
    int64_t cash_fen; /* of all parts */
};

static void put_content(const struct doing *doing, const struct part *part, struct hs_buf *to)
{
    const Hallsync__WindowEvent *event = doing->event;
    char day[HS_DAY_TEXT_BYTES];
    bool counts = part->last && event->has_counted_fen;
    hs_tlv_put_text(to, CLOSE_HALL, doing->day.node);
    hs_tlv_put_text(to, CLOSE_DATE, hs_day_text(doing->day.date, day));
    if (event->has_window)
        hs_tlv_put_u64(to, CLOSE_WINDOW, event->window);
    hs_tlv_put_text(to, CLOSE_CLERK, event->clerk);
    hs_close_put_lines(part->lines, part->line_count, CLOSE_LINES, to);
    hs_tlv_put_u64(to, CLOSE_ENTRIES, part->sums.count);
    hs_tlv_put_s64(to, CLOSE_SUM, part->sums.sum_fen);
    hs_tlv_put_s64(to, CLOSE_CASH, part->sums.cash_fen);
    if (counts) {
        hs_tlv_put_u64(to, CLOSE_FLOAT, (uint64_t)doing->now.float_fen);
        hs_tlv_put_u64(to, CLOSE_COUNTED, (uint64_t)event->counted_fen);
        hs_tlv_put_s64(to, CLOSE_DIFFERENCE, event->counted_fen - doing->now.float_fen - part->cash_fen);
    }
    if (part->last && event->reason != NULL)
        hs_tlv_put_text(to, CLOSE_REASON, event->reason);
    hs_tlv_put_bytes(to, CLOSE_EVENT, doing->item->id);
    hs_tlv_put_bytes(to, CLOSE_HASH, HS_BYTES(part->sums.hash.bytes, HS_HASH_BYTES));
}

static enum hs_err write_close(struct hs_work *work, const struct doing *doing, const struct part *part)
{
    struct hs_buf content = {0}, close = {0};
    char id[HS_RECORD_ID_BYTES_MAX + 1];
    put_content(doing, part, &content);
    close_id(doing, hs_buf_bytes(&content), id);
    hs_tlv_put_text(&close, CLOSE_ID, id);
    hs_buf_put_bytes(&close, hs_buf_bytes(&content));
    enum hs_err err = content.err != HS_OK ? content.err : close.err;
    if (err == HS_OK)
        err = write_fact(work, doing->day.home, HS_KIND_CLOSE, bytes_of(id), hs_buf_bytes(&close));
    snprintf(work->out.receipt, sizeof work->out.receipt, "%s", id);
    hs_buf_fini(&content);
    hs_buf_fini(&close);
    return err;
}

static enum hs_err write_closes(struct hs_work *work, const struct doing *doing, int64_t cash_fen)
{
    struct part *part = hs_arena_alloc(work->scratch, sizeof *part);
    size_t at = 0, taken;
    enum hs_err err = part != NULL ? HS_OK : HS_ENOMEM;
    do {
        if (err != HS_OK)
            break;
        part->line_count = hs_close_lines(doing->open.entries + at, doing->open.count - at, part->lines,
                                          HS_CLOSE_LINES_MAX, &part->sums, &taken);
        at += taken;
        assert(taken > 0 || doing->open.count == 0);
        part->last = at == doing->open.count;
        part->cash_fen = cash_fen;
        err = write_close(work, doing, part);
    } while (at < doing->open.count);
    return err;
}

static enum hs_err close_day(struct hs_work *work, struct doing *doing)
{
    int64_t cash_fen = 0;
    enum hs_err err = gather(work, doing);
    for (size_t i = 0; err == HS_OK && i < doing->open.count; i++)
        cash_fen += doing->open.entries[i].in_cash ? doing->open.entries[i].amount_fen : 0;
    if (err == HS_OK && closed_before(doing) != NULL)
        doing->now.float_fen = 0; /* it was counted then */
    if (err == HS_OK)
        err = check_day(work, doing);
    if (err == HS_OK)
        err = check_wanted(work, doing);
    if (err == HS_OK && !doing->event->has_window)
        err = check_windows(work, doing);
    if (err == HS_OK)
        err = check_sums(work, doing, cash_fen);
    if (err == HS_OK)
        err = check_counted(work, doing, cash_fen);
    if (err == HS_OK)
        err = complete(work, doing);
    if (err == HS_OK)
        err = write_event(work, doing);
    return err == HS_OK ? write_closes(work, doing, cash_fen) : err;
}

enum hs_err hs_window_write(struct hs_work *work, const struct hs_item *item)
{
    struct doing doing;
    enum hs_err err = begin(work, item, &doing);
    if (err == HS_OK)
        err = done_before(work, &doing);
    if (err != HS_ENOTFOUND)
        return err;
    return doing.move == HS_WINDOW_DO_CLOSE ? close_day(work, &doing) : move_window(work, &doing);
}
