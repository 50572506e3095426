#include "storage/books.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"
#include "storage/model/record.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRY_AMOUNT = 3, ENTRY_METHOD = 7 };
enum { CLOSE_NODE = 2, CLOSE_DATE, CLOSE_WINDOW, CLOSE_LINES = 6, CLOSE_ENTRIES, CLOSE_SUM, CLOSE_CASH };
enum { CLOSE_HASH = 15 };
enum { ANSWER_CLOSE = 2, ANSWER_NODE = 3, ANSWER_VERDICT = 4, ANSWER_NUMBERS = 8 };
enum { NUMBERS_SERIES = 1, NUMBERS_FIRST, NUMBERS_LAST, NUMBERS_HASH };
enum { EVENT_WINDOW = 2, EVENT_EVENT = 3, EVENT_FLOAT = 5, EVENT_DATE = 8, EVENT_NODE = 9 };
enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_ID = 1 };

#define DAY_KEY_BYTES (2 + HS_NODE_ID_BYTES_MAX + HS_DAY_TEXT_BYTES)

static uint8_t index_of(uint16_t kind, const char *name)
{
    return hs_kind_index(hs_kind_by_number(kind), name)->number;
}

static struct hs_bytes bytes_of(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

/* ---- facts and their writers ---- */

struct hs_bytes hs_books_writer(struct hs_view *view, uint64_t origin)
{
    struct hs_bytes certificate, opening;
    if (hs_view_origin(view, origin, &certificate, &opening) != HS_OK)
        return HS_BYTES_NONE;
    return hs_tlv_bytes(hs_tlv_bytes(hs_tlv_bytes(certificate, CERTIFICATE_NODE), SIGNED_BODY), NODE_ID);
}

struct fact {
    struct hs_bytes id, message; /* copies */
    struct hs_variant variant;
    bool has_others;
};

/* Views of @state; without its id.  HS_ENOTFOUND: it is no fact. */
static enum hs_err decode_fact(struct hs_bytes state, struct hs_arena *arena, struct fact *fact)
{
    struct hs_record record;
    enum hs_err err = hs_record_decode(state, arena, &record);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    if (record.variant_count == 0)
        return HS_ENOTFOUND;
    fact->variant = record.variants[0];
    fact->message = fact->variant.bytes;
    fact->has_others = record.variant_count > 1;
    return HS_OK;
}

static enum hs_err read_fact(const struct hs_stored *stored, struct hs_arena *arena, struct fact *fact)
{
    struct hs_bytes state = hs_arena_copy(arena, stored->state);
    fact->id = hs_arena_copy(arena, stored->name.id);
    return state.data != NULL && fact->id.data != NULL ? decode_fact(state, arena, fact) : HS_ENOMEM;
}

static bool is_by(struct hs_view *view, const struct fact *fact, struct hs_bytes node)
{
    return node.size != 0 && hs_bytes_equal(hs_books_writer(view, fact->variant.dot.origin), node);
}

/* The key of a hall's day in an index over hall and date. */
static struct hs_bytes day_key(const struct hs_hall_day *day, uint8_t key[static DAY_KEY_BYTES])
{
    char text[HS_DAY_TEXT_BYTES];
    size_t size = strlen(day->node);
    assert(size <= HS_NODE_ID_BYTES_MAX);
    hs_be16(key, (uint16_t)size);
    memcpy(key + 2, day->node, size);
    memcpy(key + 2 + size, hs_day_text(day->date, text), HS_DAY_TEXT_BYTES - 1);
    return HS_BYTES(key, 2 + size + HS_DAY_TEXT_BYTES - 1);
}

/* ---- entries ---- */

struct entries {
    struct hs_view *view;
    struct hs_arena *arena;
    struct hs_book *book;
    size_t room;
    hs_partition home;
    struct hs_bytes prefix; /* of the day's numbers */
    struct hs_bytes node;
};

static bool is_cash(struct hs_bytes message)
{
    struct hs_bytes method = hs_tlv_bytes(message, ENTRY_METHOD);
    return method.size == 0 || hs_bytes_equal(method, HS_BYTES("cash", 4));
}

/* False: it counts nowhere, for its number or amount is none. */
static bool make_entry(const struct fact *fact, struct hs_book_entry *entry)
{
    *entry = (struct hs_book_entry){.amount_fen = hs_tlv_s64(fact->message, ENTRY_AMOUNT, 0),
                                    .in_cash = is_cash(fact->message),
                                    .has_others = fact->has_others,
                                    .hash = fact->variant.hash,
                                    .message = fact->message};
    return entry->amount_fen >= -HS_AMOUNT_FEN_MAX && entry->amount_fen <= HS_AMOUNT_FEN_MAX &&
           hs_number_parse(fact->id, &entry->number);
}

static bool make_room(struct entries *entries)
{
    struct hs_book *book = entries->book;
    if (book->count < entries->room)
        return true;
    size_t room = entries->room == 0 ? 64 : 2 * entries->room;
    struct hs_book_entry *list = hs_arena_array(entries->arena, room, sizeof *list);
    if (list == NULL)
        return false;
    if (book->count > 0)
        memcpy(list, book->entries, book->count * sizeof *list);
    book->entries = list;
    entries->room = room;
    return true;
}

static bool begins_with(struct hs_bytes text, struct hs_bytes prefix)
{
    return text.size > prefix.size && memcmp(text.data, prefix.data, prefix.size) == 0;
}

/* HS_EEXISTS: the day is over. */
static enum hs_err take_entry(void *ctx, const struct hs_stored *stored)
{
    struct entries *entries = ctx;
    struct fact fact;
    if (stored->name.partition != entries->home || !begins_with(stored->name.id, entries->prefix))
        return HS_EEXISTS;
    enum hs_err err = read_fact(stored, entries->arena, &fact);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    if (!make_room(entries))
        return HS_ENOMEM;
    struct hs_book_entry *entry = &entries->book->entries[entries->book->count];
    bool counts = make_entry(&fact, entry) && hs_bytes_equal(entry->number.node, entries->node) &&
                  is_by(entries->view, &fact, entries->node);
    entries->book->count += counts;
    return HS_OK;
}

enum hs_err hs_books_entries(struct hs_view *view, const struct hs_hall_day *day, struct hs_arena *arena,
                             struct hs_book *book)
{
    char prefix[HS_NODE_ID_BYTES_MAX + 16];
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
    int size = snprintf(prefix, sizeof prefix, "%s-%08u-", day->node, (unsigned)day->date);
    assert(size > 0 && (size_t)size < sizeof prefix);
    struct hs_record_name name = {day->home, HS_LANE_MONEY, HS_KIND_CASH_ENTRY, HS_BYTES(prefix, (size_t)size)};
    struct entries entries = {
        .view = view, .arena = arena, .book = book, .home = day->home, .prefix = name.id, .node = bytes_of(day->node)};
    *book = (struct hs_book){0};
    enum hs_err err = hs_view_all(view, HS_KIND_CASH_ENTRY, HS_BYTES(after, hs_record_key(&name, after)), take_entry,
                                  &entries);
    hs_book_sort(book->entries, book->count);
    return err == HS_EEXISTS ? HS_OK : err;
}

enum hs_err hs_books_look(void *ctx, struct hs_bytes series, uint64_t counter, struct hs_book_entry *entry)
{
    struct hs_books_look *look = ctx;
    char number[HS_RECORD_ID_BYTES_MAX + 1];
    struct hs_stored stored;
    struct fact fact;
    if (!hs_number_text(series, counter, number))
        return HS_ENOTFOUND;
    struct hs_record_name name = {look->home, HS_LANE_MONEY, HS_KIND_CASH_ENTRY, bytes_of(number)};
    hs_arena_reset(look->arena);
    look->looks++;
    enum hs_err err = hs_view_record(look->view, &name, &stored);
    if (err == HS_OK)
        err = read_fact(&stored, look->arena, &fact);
    if (err == HS_OK && !make_entry(&fact, entry))
        err = HS_ENOTFOUND;
    return err;
}

/* ---- closes ---- */

static struct hs_close_sums sums_of(struct hs_bytes close)
{
    struct hs_bytes hash = hs_tlv_bytes(close, CLOSE_HASH);
    struct hs_close_sums sums = {.count = hs_tlv_u64(close, CLOSE_ENTRIES, 0),
                                 .sum_fen = hs_tlv_s64(close, CLOSE_SUM, 0),
                                 .cash_fen = hs_tlv_s64(close, CLOSE_CASH, 0)};
    if (hash.size == HS_HASH_BYTES)
        memcpy(sums.hash.bytes, hash.data, HS_HASH_BYTES);
    return sums;
}

enum hs_err hs_closed_read(struct hs_view *view, const struct hs_stored *stored, struct hs_arena *arena,
                           struct hs_closed *closed)
{
    struct fact fact;
    struct hs_tlv window;
    enum hs_err err = read_fact(stored, arena, &fact);
    if (err != HS_OK)
        return err;
    *closed = (struct hs_closed){.home = stored->name.partition,
                                 .id = fact.id,
                                 .message = fact.message,
                                 .dot = fact.variant.dot,
                                 .stamp = fact.variant.stamp,
                                 .sums = sums_of(fact.message),
                                 .node = hs_tlv_bytes(fact.message, CLOSE_NODE)};
    if (!is_by(view, &fact, closed->node)) /* before anything that costs more */
        return HS_ENOTFOUND;
    closed->has_window = hs_tlv_find(fact.message, CLOSE_WINDOW, &window);
    closed->window = closed->has_window ? (uint32_t)window.value : 0;
    closed->lines = hs_arena_array(arena, HS_CLOSE_LINES_MAX, sizeof *closed->lines);
    if (closed->lines == NULL)
        return HS_ENOMEM;
    bool sound = hs_day_parse(hs_tlv_bytes(fact.message, CLOSE_DATE), &closed->date) &&
                 hs_close_take_lines(fact.message, CLOSE_LINES, closed->lines, HS_CLOSE_LINES_MAX,
                                     &closed->line_count) == HS_OK;
    return sound ? HS_OK : HS_ENOTFOUND;
}

struct closes {
    struct hs_view *view;
    const struct hs_hall_day *day;
    struct hs_arena *arena;
    struct hs_closed *first;
};

static bool comes_before(const struct hs_closed *a, const struct hs_closed *b)
{
    return a->stamp != b->stamp ? a->stamp < b->stamp : hs_bytes_compare(a->id, b->id) < 0;
}

static enum hs_err take_close(void *ctx, const struct hs_stored *stored)
{
    struct closes *closes = ctx;
    struct hs_closed *closed = hs_arena_alloc(closes->arena, sizeof *closed);
    if (closed == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_closed_read(closes->view, stored, closes->arena, closed);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    if (closed->home != closes->day->home)
        return HS_OK;
    struct hs_closed **at = &closes->first;
    while (*at != NULL && comes_before(*at, closed))
        at = &(*at)->next;
    closed->next = *at;
    *at = closed;
    return HS_OK;
}

enum hs_err hs_books_closes(struct hs_view *view, const struct hs_hall_day *day, struct hs_arena *arena,
                            struct hs_closed **closes)
{
    uint8_t key[DAY_KEY_BYTES];
    struct closes taking = {view, day, arena, NULL};
    enum hs_err err = hs_view_index(view, HS_KIND_CLOSE, index_of(HS_KIND_CLOSE, "hall"), day_key(day, key),
                                    HS_BYTES_NONE, take_close, &taking);
    *closes = taking.first;
    return err;
}

bool hs_closed_is_of(const struct hs_closed *closed, bool has_window, uint32_t window)
{
    return closed->has_window == has_window && (!has_window || closed->window == window);
}

bool hs_closed_covers(const struct hs_closed *closes, bool has_window, uint32_t window, const struct hs_number *number)
{
    for (const struct hs_closed *closed = closes; closed != NULL; closed = closed->next) {
        if (hs_closed_is_of(closed, has_window, window) && hs_close_covers(closed->lines, closed->line_count, number))
            return true;
    }
    return false;
}

struct ended {
    struct hs_view *view;
    const struct hs_hall_day *day;
    uint32_t window;
    struct hs_arena *arena;
    bool is_closed;
};

/* Asked for each number that is given: a close is read no further than that.  HS_EEXISTS: it is closed. */
static enum hs_err take_end(void *ctx, const struct hs_stored *stored)
{
    struct ended *ended = ctx;
    struct hs_tlv window;
    struct fact fact = {0};
    hs_arena_reset(ended->arena);
    enum hs_err err = decode_fact(stored->state, ended->arena, &fact);
    if (err != HS_OK || stored->name.partition != ended->day->home)
        return err == HS_ENOTFOUND ? HS_OK : err;
    bool of_window = hs_tlv_find(fact.message, CLOSE_WINDOW, &window);
    if (of_window && window.value != ended->window)
        return HS_OK;
    ended->is_closed = is_by(ended->view, &fact, bytes_of(ended->day->node));
    return ended->is_closed ? HS_EEXISTS : HS_OK;
}

enum hs_err hs_books_day(struct hs_view *view, const struct hs_hall_day *from, uint32_t window, uint32_t *date)
{
    struct hs_hall_day day = *from;
    struct hs_arena arena;
    uint8_t key[DAY_KEY_BYTES];
    enum hs_err err;
    bool is_closed;
    hs_arena_init(&arena, 0);
    do {
        struct ended ended = {.view = view, .day = &day, .window = window, .arena = &arena};
        err = hs_view_index(view, HS_KIND_CLOSE, index_of(HS_KIND_CLOSE, "hall"), day_key(&day, key), HS_BYTES_NONE,
                            take_end, &ended);
        err = err == HS_EEXISTS ? HS_OK : err;
        is_closed = ended.is_closed;
        *date = day.date;
        day.date = hs_day_after(day.date);
    } while (err == HS_OK && is_closed && hs_date_valid(day.date));
    hs_arena_fini(&arena);
    return err;
}

/* ---- answers ---- */

struct answers {
    struct hs_view *view;
    const struct hs_closed *closed;
    struct hs_arena *arena;
    struct hs_answered *first;
};

static bool is_later(const struct hs_answered *a, const struct hs_answered *b)
{
    return a->stamp != b->stamp ? a->stamp > b->stamp : memcmp(a->id.bytes, b->id.bytes, HS_ID_BYTES) > 0;
}

/* In the place of an earlier one of the same hub. */
static void put_answer(struct answers *answers, struct hs_answered *answered)
{
    struct hs_answered **at = &answers->first;
    while (*at != NULL && !hs_bytes_equal((*at)->node, answered->node))
        at = &(*at)->next;
    if (*at != NULL && !is_later(answered, *at))
        return;
    answered->next = *at != NULL ? (*at)->next : NULL;
    *at = answered;
}

static enum hs_err take_answer(void *ctx, const struct hs_stored *stored)
{
    struct answers *answers = ctx;
    struct fact fact;
    struct hs_answered *answered = hs_arena_alloc(answers->arena, sizeof *answered);
    if (answered == NULL)
        return HS_ENOMEM;
    if (stored->name.partition != answers->closed->home || stored->name.id.size != HS_ID_BYTES)
        return HS_OK;
    enum hs_err err = read_fact(stored, answers->arena, &fact);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    *answered = (struct hs_answered){.message = fact.message,
                                     .dot = fact.variant.dot,
                                     .stamp = fact.variant.stamp,
                                     .node = hs_tlv_bytes(fact.message, ANSWER_NODE)};
    memcpy(answered->id.bytes, fact.id.data, HS_ID_BYTES);
    if (hs_books_parse(hs_tlv_bytes(fact.message, ANSWER_VERDICT), &answered->books) &&
        is_by(answers->view, &fact, answered->node))
        put_answer(answers, answered);
    return HS_OK;
}

enum hs_err hs_books_answers(struct hs_view *view, const struct hs_closed *closed, struct hs_arena *arena,
                             struct hs_answered **answers)
{
    struct answers taking = {view, closed, arena, NULL};
    enum hs_err err = hs_view_index(view, HS_KIND_CLOSE_ANSWER, index_of(HS_KIND_CLOSE_ANSWER, "close_id"), closed->id,
                                    HS_BYTES_NONE, take_answer, &taking);
    *answers = taking.first;
    return err;
}

size_t hs_answered_named(const struct hs_answered *answered, struct hs_close_named named[static HS_CLOSE_NAMED_MAX])
{
    struct hs_cur cur = hs_cur_of(answered->message);
    struct hs_tlv tlv;
    size_t count = 0;
    while (count < HS_CLOSE_NAMED_MAX && hs_tlv_next(&cur, &tlv)) {
        if (tlv.number != ANSWER_NUMBERS)
            continue;
        struct hs_bytes hash = hs_tlv_bytes(tlv.bytes, NUMBERS_HASH);
        named[count] = (struct hs_close_named){.series = hs_tlv_bytes(tlv.bytes, NUMBERS_SERIES),
                                               .first = hs_tlv_u64(tlv.bytes, NUMBERS_FIRST, 0),
                                               .last = hs_tlv_u64(tlv.bytes, NUMBERS_LAST, 0),
                                               .missing = hash.size != HS_HASH_BYTES};
        if (!named[count].missing)
            memcpy(named[count].hash.bytes, hash.data, HS_HASH_BYTES);
        count++;
    }
    return count;
}

enum hs_err hs_books_unsettled(struct hs_view *view, hs_visit_record visit, void *ctx)
{
    static const enum hs_books UNSETTLED[] = {HS_BOOKS_UNANSWERED, HS_BOOKS_WAITING, HS_BOOKS_DIFFERS};
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < sizeof UNSETTLED / sizeof *UNSETTLED && err == HS_OK; i++)
        err = hs_view_index(view, HS_KIND_CLOSE, index_of(HS_KIND_CLOSE, "books"),
                            bytes_of(hs_books_text(UNSETTLED[i])), HS_BYTES_NONE, visit, ctx);
    return err;
}

/* ---- windows ---- */

struct happening {
    struct happening *next;
    hs_stamp stamp;
    struct hs_bytes id, message;
    uint32_t window;
};

struct happenings {
    struct hs_view *view;
    const struct hs_hall_day *day;
    struct hs_arena *arena;
    struct happening *first; /* by window, then stamp and id */
};

static bool happened_before(const struct happening *a, const struct happening *b)
{
    if (a->window != b->window)
        return a->window < b->window;
    return a->stamp != b->stamp ? a->stamp < b->stamp : hs_bytes_compare(a->id, b->id) < 0;
}

static enum hs_err take_happening(void *ctx, const struct hs_stored *stored)
{
    struct happenings *all = ctx;
    struct fact fact;
    struct hs_tlv window;
    enum hs_err err = read_fact(stored, all->arena, &fact);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    if (stored->name.partition != all->day->home || !hs_tlv_find(fact.message, EVENT_WINDOW, &window) ||
        !is_by(all->view, &fact, hs_tlv_bytes(fact.message, EVENT_NODE)))
        return HS_OK;
    struct happening *happening = hs_arena_alloc(all->arena, sizeof *happening);
    if (happening == NULL)
        return HS_ENOMEM;
    *happening = (struct happening){
        .stamp = fact.variant.stamp, .id = fact.id, .message = fact.message, .window = (uint32_t)window.value};
    struct happening **at = &all->first;
    while (*at != NULL && happened_before(*at, happening))
        at = &(*at)->next;
    happening->next = *at;
    *at = happening;
    return HS_OK;
}

static enum hs_err happenings_of(struct hs_view *view, const struct hs_hall_day *day, struct hs_arena *arena,
                                 struct happening **first)
{
    uint8_t key[DAY_KEY_BYTES];
    struct happenings all = {view, day, arena, NULL};
    enum hs_err err = hs_view_index(view, HS_KIND_WINDOW_EVENT, index_of(HS_KIND_WINDOW_EVENT, "hall"),
                                    day_key(day, key), HS_BYTES_NONE, take_happening, &all);
    *first = all.first;
    return err;
}

/* A move that is not possible is left out: two halves of a hall that were apart may both have made one. */
static void fold_on(struct hs_window_now *now, const struct happening *happening)
{
    enum hs_window_move move;
    now->known = true;
    if (!hs_window_move_parse(hs_tlv_bytes(happening->message, EVENT_EVENT), &move) ||
        !hs_window_moves(now->state, move, &now->state))
        return;
    if (move == HS_WINDOW_DO_OPEN)
        now->float_fen += hs_tlv_i64(happening->message, EVENT_FLOAT, 0);
}

enum hs_err hs_books_window(struct hs_view *view, const struct hs_hall_day *day, uint32_t window,
                            struct hs_arena *arena, struct hs_window_now *now)
{
    struct happening *happening;
    enum hs_err err = happenings_of(view, day, arena, &happening);
    *now = (struct hs_window_now){.state = HS_WINDOW_CLOSED};
    for (; err == HS_OK && happening != NULL; happening = happening->next) {
        if (happening->window == window)
            fold_on(now, happening);
    }
    return err;
}

enum hs_err hs_books_open_windows(struct hs_view *view, const struct hs_hall_day *day, struct hs_arena *arena,
                                  uint32_t *windows, size_t most, size_t *count)
{
    struct happening *happening;
    struct hs_window_now now = {.state = HS_WINDOW_CLOSED};
    enum hs_err err = happenings_of(view, day, arena, &happening);
    *count = 0;
    for (; err == HS_OK && happening != NULL; happening = happening->next) {
        fold_on(&now, happening);
        if (happening->next != NULL && happening->next->window == happening->window)
            continue;
        if (now.state != HS_WINDOW_CLOSED && *count < most)
            windows[(*count)++] = happening->window;
        now = (struct hs_window_now){.state = HS_WINDOW_CLOSED};
    }
    return err;
}

enum hs_err hs_books_window_events(struct hs_view *view, const struct hs_hall_day *day, struct hs_arena *arena,
                                   hs_visit_window_event visit, void *ctx)
{
    struct happening *happening;
    struct hs_window_event event = {.state = HS_WINDOW_CLOSED};
    enum hs_err err = happenings_of(view, day, arena, &happening);
    for (bool first = true; err == HS_OK && happening != NULL; happening = happening->next, first = false) {
        if (first || happening->window != event.window)
            event.state = HS_WINDOW_CLOSED;
        event.window = happening->window;
        event.stamp = happening->stamp;
        event.message = happening->message;
        if (hs_window_move_parse(hs_tlv_bytes(event.message, EVENT_EVENT), &event.move) &&
            hs_window_moves(event.state, event.move, &event.state))
            visit(ctx, &event);
    }
    return err;
}
