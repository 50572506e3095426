/* Cash books of a business day: of each hall one line, or of one hall everything that both sides have signed. */
#include "node/service/day_books.h"
#include "node/service/handlers.h"
#include "node/service/show.h"

#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"
#include "storage/model/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE_HALLS   50
#define PAGE_ENTRIES 20000 /* a page ends behind the hall that passes it: it is read while others wait */
#define NUMBER_TEXT  (HS_RECORD_ID_BYTES_MAX + 40)

enum { CLOSE_CLERK = 5, CLOSE_ENTRIES = 7, CLOSE_SUM, CLOSE_CASH, CLOSE_FLOAT, CLOSE_COUNTED, CLOSE_DIFFERENCE };
enum { CLOSE_REASON = 13, CLOSE_HASH = 15 };
enum { ANSWER_ENTRIES = 5, ANSWER_SUM = 6, ANSWER_HASH = 7, ANSWER_MORE = 9, ANSWER_TIME = 10 };
enum { HANDED_AMOUNT = 3 };
enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_ID = 1, NODE_HOME = 5 }; /* fields of keys.proto */
enum { REPLY_DATE = 1, REPLY_BOOKS, REPLY_NEXT, REPLY_COMPLETE };

struct reading {
    struct hs_day_books books;
    size_t entries, halls;
};

/* ---- closes and answers ---- */

static enum hs_err answers_of(const struct hs_day_books *reading, const struct hs_closed *closed,
                              struct hs_answered **answers, enum hs_books *books)
{
    enum hs_err err = hs_books_answers(reading->view, closed, reading->arena, answers);
    *books = HS_BOOKS_UNANSWERED;
    for (const struct hs_answered *at = *answers; err == HS_OK && at != NULL; at = at->next)
        *books = at == *answers ? at->books : hs_books_worse(*books, at->books);
    return err;
}

static ProtobufCBinaryData data_of(struct hs_bytes bytes)
{
    return (ProtobufCBinaryData){.len = bytes.size, .data = (uint8_t *)(uintptr_t)bytes.data}; /* only read */
}

static char *text_of(const struct hs_day_books *reading, struct hs_bytes bytes)
{
    return hs_arena_text(reading->arena, bytes);
}

/* "NUMBER", "NUMBER..000017", "NUMBER differs" */
static char *named_text(const struct hs_day_books *reading, const struct hs_close_named *named)
{
    char number[HS_RECORD_ID_BYTES_MAX + 1] = "", range[32] = "", text[NUMBER_TEXT];
    hs_number_text(named->series, named->first, number);
    if (named->last != named->first)
        snprintf(range, sizeof range, "..%06llu", (unsigned long long)named->last);
    int size = snprintf(text, sizeof text, "%s%s%s", number, range, named->missing ? "" : " differs");
    return hs_arena_text(reading->arena, HS_BYTES(text, (size_t)size));
}

static enum hs_err fill_answer(const struct hs_day_books *reading, const struct hs_answered *answered,
                               Hallsync__BookAnswer *to)
{
    struct hs_close_named *named = hs_arena_array(reading->arena, HS_CLOSE_NAMED_MAX, sizeof *named);
    if (named == NULL)
        return HS_ENOMEM;
    hallsync__book_answer__init(to);
    to->node = text_of(reading, answered->node);
    to->origin = answered->dot.origin;
    to->n = answered->dot.n;
    to->verdict = (char *)(uintptr_t)hs_books_text(answered->books);
    to->time_ms = hs_tlv_u64(answered->message, ANSWER_TIME, 0);
    to->entries = hs_tlv_u64(answered->message, ANSWER_ENTRIES, 0);
    to->sum_fen = hs_tlv_s64(answered->message, ANSWER_SUM, 0);
    to->hash = data_of(hs_tlv_bytes(answered->message, ANSWER_HASH));
    to->more = (uint32_t)hs_tlv_u64(answered->message, ANSWER_MORE, 0);
    to->has_more = to->more != 0;
    to->n_numbers = hs_answered_named(answered, named);
    to->numbers = hs_arena_array(reading->arena, to->n_numbers + 1, sizeof *to->numbers);
    if (to->node == NULL || to->numbers == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < to->n_numbers; i++) {
        to->numbers[i] = named_text(reading, &named[i]);
        if (to->numbers[i] == NULL)
            return HS_ENOMEM;
    }
    return HS_OK;
}

static enum hs_err fill_answers(const struct hs_day_books *reading, const struct hs_answered *answers,
                                Hallsync__BookClose *to)
{
    size_t count = 0;
    enum hs_err err = HS_OK;
    for (const struct hs_answered *at = answers; at != NULL; at = at->next)
        count++;
    to->answers = hs_arena_array(reading->arena, count + 1, sizeof(Hallsync__BookAnswer *));
    if (to->answers == NULL)
        return HS_ENOMEM;
    for (; answers != NULL && err == HS_OK; answers = answers->next) {
        Hallsync__BookAnswer *answer = hs_arena_alloc(reading->arena, sizeof *answer);
        err = answer != NULL ? fill_answer(reading, answers, answer) : HS_ENOMEM;
        to->answers[to->n_answers++] = answer;
    }
    return err;
}

static enum hs_err fill_close(const struct hs_day_books *reading, const struct hs_closed *closed,
                              const struct hs_answered *answers, enum hs_books books, Hallsync__BookClose *to)
{
    hallsync__book_close__init(to);
    struct hs_bytes clerk = hs_tlv_bytes(closed->message, CLOSE_CLERK);
    struct hs_bytes reason = hs_tlv_bytes(closed->message, CLOSE_REASON);
    to->close_id = text_of(reading, closed->id);
    to->clerk = clerk.size != 0 ? text_of(reading, clerk) : NULL;
    to->reason = reason.size != 0 ? text_of(reading, reason) : NULL;
    to->time_ms = hs_stamp_ms(closed->stamp);
    to->entries = hs_tlv_u64(closed->message, CLOSE_ENTRIES, 0);
    to->sum_fen = hs_tlv_s64(closed->message, CLOSE_SUM, 0);
    to->books = (char *)(uintptr_t)hs_books_text(books);
    to->hash = data_of(hs_tlv_bytes(closed->message, CLOSE_HASH));
    to->node = text_of(reading, closed->node);
    to->origin = closed->dot.origin;
    to->n = closed->dot.n;
    bool whole = to->close_id != NULL && to->node != NULL && (clerk.size == 0 || to->clerk != NULL) &&
                 (reason.size == 0 || to->reason != NULL);
    return whole ? fill_answers(reading, answers, to) : HS_ENOMEM;
}

/* ---- what was handed in ---- */

struct slip {
    struct slip *next;
    struct hs_bytes id;
};

struct slips {
    const struct hs_day_books *reading;
    struct slip *first;
    int64_t fen;
};

/* A slip may name the closes of several windows: it is one.  Only the hall's own are of its money. */
static enum hs_err take_slip(void *ctx, const struct hs_stored *stored)
{
    struct slips *slips = ctx;
    const struct hs_day_books *reading = slips->reading;
    struct hs_record record;
    for (const struct slip *slip = slips->first; slip != NULL; slip = slip->next) {
        if (hs_bytes_equal(slip->id, stored->name.id))
            return HS_OK;
    }
    enum hs_err err = hs_record_decode(stored->state, reading->arena, &record);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    if (record.variant_count == 0 || !hs_bytes_equal(hs_books_writer(reading->view, record.variants[0].dot.origin),
                                                     HS_BYTES(reading->day.node, strlen(reading->day.node))))
        return HS_OK;
    struct slip *slip = hs_arena_alloc(reading->arena, sizeof *slip);
    struct hs_bytes id = hs_arena_copy(reading->arena, stored->name.id);
    if (slip == NULL || id.data == NULL)
        return HS_ENOMEM;
    *slip = (struct slip){.next = slips->first, .id = id};
    slips->first = slip;
    slips->fen += hs_tlv_i64(record.variants[0].bytes, HANDED_AMOUNT, 0);
    return HS_OK;
}

static enum hs_err handed_in(const struct hs_day_books *reading, bool has_window, uint32_t window, int64_t *fen)
{
    struct slips slips = {.reading = reading};
    uint8_t index = hs_kind_index(hs_kind_by_number(HS_KIND_HANDING_IN), "closes")->number;
    enum hs_err err = HS_OK;
    for (const struct hs_closed *closed = reading->closes; closed != NULL && err == HS_OK; closed = closed->next) {
        if (!has_window || hs_closed_is_of(closed, has_window, window))
            err = hs_view_index(reading->view, HS_KIND_HANDING_IN, index, closed->id, HS_BYTES_NONE, take_slip, &slips);
    }
    *fen = slips.fen;
    return err;
}

/* ---- one book: of the hall, or of a window ---- */

static void add_entries(const struct hs_day_books *reading, Hallsync__Book *book)
{
    for (size_t i = 0; i < reading->book.count; i++) {
        const struct hs_book_entry *entry = &reading->book.entries[i];
        size_t closes = 0;
        if (book->has_window && entry->number.window != book->window)
            continue;
        for (const struct hs_closed *closed = reading->closes; closed != NULL; closed = closed->next)
            closes += hs_closed_is_of(closed, book->has_window, book->window) &&
                      hs_close_covers(closed->lines, closed->line_count, &entry->number);
        book->entries++;
        book->sum_fen += entry->amount_fen;
        book->later_entries += closes == 0;
        book->later_fen += closes == 0 ? entry->amount_fen : 0;
        book->twice_entries += closes > 1;
    }
}

static void add_close(const struct hs_closed *closed, Hallsync__Book *book)
{
    struct hs_bytes message = closed->message;
    struct hs_tlv counted;
    book->closed_entries += hs_tlv_u64(message, CLOSE_ENTRIES, 0);
    book->closed_fen += hs_tlv_s64(message, CLOSE_SUM, 0);
    book->cash_fen += hs_tlv_s64(message, CLOSE_CASH, 0);
    if (!hs_tlv_find(message, CLOSE_COUNTED, &counted))
        return;
    book->has_float_fen = book->has_counted_fen = book->has_difference_fen = true;
    book->float_fen += hs_tlv_i64(message, CLOSE_FLOAT, 0);
    book->counted_fen += (int64_t)counted.value;
    book->difference_fen += hs_tlv_s64(message, CLOSE_DIFFERENCE, 0);
}

/* A hall counts its cash at the windows. */
static void add_counted(const struct hs_day_books *reading, Hallsync__Book *book)
{
    if (book->has_window || book->has_counted_fen)
        return;
    for (const struct hs_closed *closed = reading->closes; closed != NULL; closed = closed->next) {
        struct hs_tlv counted;
        if (!closed->has_window || !hs_tlv_find(closed->message, CLOSE_COUNTED, &counted))
            continue;
        book->has_float_fen = book->has_counted_fen = book->has_difference_fen = true;
        book->float_fen += hs_tlv_i64(closed->message, CLOSE_FLOAT, 0);
        book->counted_fen += (int64_t)counted.value;
        book->difference_fen += hs_tlv_s64(closed->message, CLOSE_DIFFERENCE, 0);
    }
}

static enum hs_err fill_closes(const struct hs_day_books *reading, Hallsync__Book *book)
{
    enum hs_books all = HS_BOOKS_AGREES;
    size_t count = 0;
    enum hs_err err = HS_OK;
    for (const struct hs_closed *closed = reading->closes; closed != NULL; closed = closed->next)
        count++;
    book->closes = hs_arena_array(reading->arena, count + 1, sizeof(Hallsync__BookClose *));
    if (book->closes == NULL)
        return HS_ENOMEM;
    bool any = false;
    for (const struct hs_closed *closed = reading->closes; closed != NULL && err == HS_OK; closed = closed->next) {
        struct hs_answered *answers;
        enum hs_books books;
        if (!hs_closed_is_of(closed, book->has_window, book->window))
            continue;
        err = answers_of(reading, closed, &answers, &books);
        all = hs_books_worse(all, books);
        any = true;
        add_close(closed, book);
        if (err != HS_OK || !reading->whole)
            continue;
        Hallsync__BookClose *close = hs_arena_alloc(reading->arena, sizeof *close);
        err = close != NULL ? fill_close(reading, closed, answers, books, close) : HS_ENOMEM;
        book->closes[book->n_closes++] = close;
    }
    bool settled = all == HS_BOOKS_AGREES || all == HS_BOOKS_UNANSWERED;
    bool open = !any || (settled && book->later_entries != 0); /* it has receipts that nobody has closed */
    book->books = (char *)(uintptr_t)(open ? "open" : hs_books_text(all));
    return err;
}

enum hs_err hs_day_books_fill(const struct hs_day_books *reading, bool has_window, uint32_t window,
                              Hallsync__Book *book)
{
    hallsync__book__init(book);
    book->hall = (char *)(uintptr_t)reading->day.node; /* only read */
    book->date = reading->day.date;
    book->has_window = has_window;
    book->window = window;
    add_entries(reading, book);
    enum hs_err err = fill_closes(reading, book);
    add_counted(reading, book);
    return err == HS_OK ? handed_in(reading, has_window, window, &book->handed_fen) : err;
}

static enum hs_err put_book(const struct hs_day_books *reading, bool has_window, uint32_t window)
{
    Hallsync__Book book;
    enum hs_err err = hs_day_books_fill(reading, has_window, window, &book);
    if (err == HS_OK)
        hs_call_put(&reading->call->body, REPLY_BOOKS, &book.base);
    return err == HS_OK ? reading->call->body.err : err;
}

/* ---- a hall's day ---- */

void hs_window_add(uint32_t windows[static HS_BOOK_WINDOWS_MAX], size_t *count, uint32_t window)
{
    size_t at = *count;
    while (at > 0 && windows[at - 1] > window)
        at--;
    if ((at > 0 && windows[at - 1] == window) || *count == HS_BOOK_WINDOWS_MAX)
        return;
    memmove(windows + at + 1, windows + at, (*count - at) * sizeof *windows);
    windows[at] = window;
    (*count)++;
}

void hs_day_books_windows(const struct hs_day_books *reading, uint32_t windows[static HS_BOOK_WINDOWS_MAX],
                          size_t *count)
{
    for (size_t i = 0; i < reading->book.count; i++)
        hs_window_add(windows, count, reading->book.entries[i].number.window);
    for (const struct hs_closed *closed = reading->closes; closed != NULL; closed = closed->next) {
        if (closed->has_window)
            hs_window_add(windows, count, closed->window);
    }
}

static enum hs_err put_windows(const struct hs_day_books *reading)
{
    uint32_t *windows = hs_arena_array(reading->arena, HS_BOOK_WINDOWS_MAX, sizeof *windows);
    size_t count = 0;
    enum hs_err err = windows != NULL ? HS_OK : HS_ENOMEM;
    if (err == HS_OK)
        hs_day_books_windows(reading, windows, &count);
    for (size_t i = 0; err == HS_OK && i < count; i++)
        err = put_book(reading, true, windows[i]);
    return err;
}

enum hs_err hs_day_books_read(struct hs_day_books *reading)
{
    enum hs_err err = hs_books_closes(reading->view, &reading->day, reading->arena, &reading->closes);
    return err == HS_OK ? hs_books_entries(reading->view, &reading->day, reading->arena, &reading->book) : err;
}

static enum hs_err put_hall(struct reading *reading)
{
    struct hs_day_books *books = &reading->books;
    hs_arena_reset(books->arena);
    enum hs_err err = hs_day_books_read(books);
    if (err != HS_OK || (books->closes == NULL && books->book.count == 0 && !books->whole))
        return err;
    reading->halls++;
    reading->entries += books->book.count;
    err = put_book(books, false, 0);
    return err == HS_OK && books->whole ? put_windows(books) : err;
}

/* ---- which halls ---- */

static enum hs_err add_hall(void *ctx, struct hs_bytes key, struct hs_bytes value)
{
    struct hs_halls *halls = ctx;
    struct hs_bytes body = hs_tlv_bytes(hs_tlv_bytes(value, CERTIFICATE_NODE), SIGNED_BODY);
    struct hs_bytes id = hs_tlv_bytes(body, NODE_ID);
    (void)key;
    if (id.size == 0 || id.size > HS_NODE_ID_BYTES_MAX)
        return HS_OK;
    if (halls->count == halls->room) {
        size_t room = halls->room == 0 ? 128 : 2 * halls->room;
        struct hs_hall *list = hs_arena_array(halls->arena, room, sizeof *list);
        if (list == NULL)
            return HS_ENOMEM;
        if (halls->count > 0)
            memcpy(list, halls->list, halls->count * sizeof *list);
        halls->list = list;
        halls->room = room;
    }
    struct hs_hall *hall = &halls->list[halls->count++];
    memcpy(hall->id, id.data, id.size);
    hall->id[id.size] = '\0';
    hall->home = (hs_partition)hs_tlv_u64(body, NODE_HOME, HS_PARTITION_REGION);
    return HS_OK;
}

int hs_hall_compare(const void *a, const void *b)
{
    const struct hs_hall *left = a, *right = b;
    int order = strcmp(left->id, right->id);
    return order != 0 ? order : (left->home > right->home) - (left->home < right->home);
}

enum hs_err hs_halls_read(struct hs_view *view, struct hs_halls *halls)
{
    enum hs_err err = hs_view_certificates(view, add_hall, halls);
    if (halls->count > 1)
        qsort(halls->list, halls->count, sizeof *halls->list, hs_hall_compare);
    return err;
}

/* One that was made anew has several certificates. */
static bool is_next(const struct hs_halls *halls, size_t i, const char *after)
{
    const struct hs_hall *hall = &halls->list[i];
    return (after == NULL || strcmp(hall->id, after) > 0) && (i == 0 || hs_hall_compare(hall - 1, hall) != 0);
}

static enum hs_err put_halls(struct reading *reading, struct hs_halls *halls)
{
    const Hallsync__BooksRequest *asked = reading->books.call->request->books;
    enum hs_err err = HS_OK;
    bool found = false;
    for (size_t i = 0; i < halls->count && err == HS_OK; i++) {
        const struct hs_hall *hall = &halls->list[i];
        if (!is_next(halls, i, asked->after) || (reading->books.whole && strcmp(hall->id, asked->hall) != 0))
            continue;
        found = true;
        reading->books.day.node = hall->id;
        reading->books.day.home = hall->home;
        err = put_hall(reading);
        bool full = reading->halls >= PAGE_HALLS || reading->entries > PAGE_ENTRIES;
        if (err == HS_OK && full && i + 1 < halls->count && strcmp(hall->id, hall[1].id) != 0) {
            hs_tlv_put_text(&reading->books.call->body, REPLY_NEXT, hall->id);
            break;
        }
    }
    if (err == HS_OK && reading->books.whole && !found)
        return hs_fail(HS_ENOTFOUND, &reading->books.call->why, "hall: no node %s is known here", asked->hall);
    return err;
}

enum hs_err hs_books_read(struct hs_call *call, struct hs_view *view)
{
    const Hallsync__BooksRequest *asked = call->request->books;
    struct hs_halls halls = {.arena = &call->arena};
    struct reading reading = {
        .books = {.call = call, .view = view, .arena = &call->scratch, .whole = asked->hall != NULL}};
    reading.books.day.date = asked->has_date ? asked->date
                                             : hs_date_of(hs_now_ms(), call->desk->options.utc_offset_minutes);
    if (!hs_date_valid(reading.books.day.date))
        return hs_fail(HS_EVALUE, &call->why, "date: %u is not a day like 20261121", (unsigned)reading.books.day.date);
    if (asked->hall != NULL && !hs_node_id_valid(asked->hall))
        return hs_fail(HS_EVALUE, &call->why, "hall: '%s' is not a node's id", asked->hall);
    hs_tlv_put_u64(&call->body, REPLY_DATE, reading.books.day.date);
    if (hs_still_coming(view, HS_LANE_MONEY))
        hs_tlv_put_u64(&call->body, REPLY_COMPLETE, 0);
    enum hs_err err = hs_halls_read(view, &halls);
    return err == HS_OK ? put_halls(&reading, &halls) : err;
}
