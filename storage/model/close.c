#include "storage/model/close.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATE_DIGITS 8

/* ---- numbers ---- */

/* Takes the part behind the last hyphen off @text. */
static bool take_last(struct hs_bytes *text, struct hs_bytes *part)
{
    size_t at = text->size;
    while (at > 0 && text->data[at - 1] != '-')
        at--;
    if (at < 2 || at == text->size)
        return false;
    *part = HS_BYTES(text->data + at, text->size - at);
    text->size = at - 1;
    return true;
}

static bool take_number(struct hs_bytes *text, uint64_t most, uint64_t *number)
{
    struct hs_bytes part;
    int64_t value = 0;
    if (!take_last(text, &part) || hs_text_to_i64((const char *)part.data, part.size, &value) != HS_OK || value < 0)
        return false;
    *number = (uint64_t)value;
    return *number <= most;
}

bool hs_number_parse(struct hs_bytes text, struct hs_number *number)
{
    struct hs_bytes rest = text, letters;
    uint64_t window, date;
    if (!take_number(&rest, INT64_MAX, &number->counter) || number->counter == 0)
        return false;
    number->series = rest;
    if (!take_last(&rest, &letters) || !take_number(&rest, UINT32_MAX, &window) ||
        !take_number(&rest, UINT32_MAX, &date) || !hs_date_valid((uint32_t)date))
        return false;
    number->window = (uint32_t)window;
    number->date = (uint32_t)date;
    number->node = rest;
    return true;
}

bool hs_number_text(struct hs_bytes series, uint64_t counter, char text[static HS_RECORD_ID_BYTES_MAX + 1])
{
    int size = snprintf(text, HS_RECORD_ID_BYTES_MAX + 1, "%.*s-%06" PRIu64, (int)series.size,
                        (const char *)series.data, counter);
    bool is_text = series.size == 0 || memchr(series.data, '\0', series.size) == NULL; /* or it was cut there */
    return is_text && size > 0 && size <= HS_RECORD_ID_BYTES_MAX;
}

const char *hs_day_text(uint32_t date, char text[static HS_DAY_TEXT_BYTES])
{
    snprintf(text, HS_DAY_TEXT_BYTES, "%04u-%02u-%02u", (unsigned)(date / 10000 % 10000), (unsigned)(date / 100 % 100),
             (unsigned)(date % 100));
    return text;
}

bool hs_day_parse(struct hs_bytes text, uint32_t *date)
{
    uint32_t value = 0;
    if (text.size != HS_DAY_TEXT_BYTES - 1)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        bool hyphen = i == 4 || i == 7;
        if (hyphen ? text.data[i] != '-' : text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = hyphen ? value : value * 10 + (uint32_t)(text.data[i] - '0');
    }
    *date = value;
    return hs_date_valid(value);
}

uint32_t hs_day_after(uint32_t date)
{
    uint32_t next = date + 1;
    if (!hs_date_valid(next))
        next = (date / 100 + 1) * 100 + 1;                                /* of the next month, */
    return hs_date_valid(next) ? next : (date / 10000 + 1) * 10000 + 101; /* or year */
}

/* ---- lines ---- */

static int compare_entries(const void *a, const void *b)
{
    const struct hs_number *left = &((const struct hs_book_entry *)a)->number;
    const struct hs_number *right = &((const struct hs_book_entry *)b)->number;
    int order = hs_bytes_compare(left->series, right->series);
    if (order == 0)
        order = (left->counter > right->counter) - (left->counter < right->counter);
    return order;
}

void hs_book_sort(struct hs_book_entry *entries, size_t count)
{
    if (count > 1)
        qsort(entries, count, sizeof *entries, compare_entries);
}

static struct hs_hash chain_begin(struct hs_bytes series)
{
    return hs_hash_domain("hallsync book 1", series);
}

static void chain_on(struct hs_hash *chain, uint64_t counter, const struct hs_hash *entry)
{
    uint8_t step[HS_HASH_BYTES + 8 + HS_HASH_BYTES];
    memcpy(step, chain->bytes, HS_HASH_BYTES);
    hs_be64(step + HS_HASH_BYTES, counter);
    memcpy(step + HS_HASH_BYTES + 8, entry->bytes, HS_HASH_BYTES);
    *chain = hs_hash_domain("hallsync book 1", HS_BYTES(step, sizeof step));
}

/* What a close's own hash is made of. */
static void add_line(struct hs_hash *all, const struct hs_hash *line)
{
    uint8_t step[2 * HS_HASH_BYTES];
    memcpy(step, all->bytes, HS_HASH_BYTES);
    memcpy(step + HS_HASH_BYTES, line->bytes, HS_HASH_BYTES);
    *all = hs_hash_domain("hallsync close 1", HS_BYTES(step, sizeof step));
}

static bool fits(int64_t sum_fen, int64_t amount_fen)
{
    int64_t fen = sum_fen + amount_fen;
    return fen >= -HS_AMOUNT_FEN_MAX && fen <= HS_AMOUNT_FEN_MAX;
}

static bool goes_on(const struct hs_close_line *line, const struct hs_book_entry *entry)
{
    const struct hs_number *number = &entry->number;
    return hs_bytes_equal(line->series, number->series) && number->counter == line->last + 1 &&
           number->counter - line->first < HS_CLOSE_LINE_ENTRIES_MAX && fits(line->sum_fen, entry->amount_fen);
}

size_t hs_close_lines(const struct hs_book_entry *entries, size_t count, struct hs_close_line *lines, size_t room,
                      struct hs_close_sums *sums, size_t *taken)
{
    size_t used = 0, i = 0;
    *sums = (struct hs_close_sums){0};
    for (; i < count; i++) {
        const struct hs_number *number = &entries[i].number;
        int64_t fen = entries[i].amount_fen, cash_fen = entries[i].in_cash ? fen : 0;
        if (!fits(sums->sum_fen, fen) || !fits(sums->cash_fen, cash_fen))
            break;
        if (used == 0 || !goes_on(&lines[used - 1], &entries[i])) {
            if (used == room)
                break;
            lines[used++] = (struct hs_close_line){
                .series = number->series, .first = number->counter, .hash = chain_begin(number->series)};
        }
        struct hs_close_line *line = &lines[used - 1];
        line->last = number->counter;
        line->sum_fen += fen;
        chain_on(&line->hash, number->counter, &entries[i].hash);
        sums->count++;
        sums->sum_fen += fen;
        sums->cash_fen += cash_fen;
    }
    for (size_t k = 0; k < used; k++)
        add_line(&sums->hash, &lines[k].hash);
    *taken = i;
    return used;
}

bool hs_close_covers(const struct hs_close_line *lines, size_t count, const struct hs_number *number)
{
    for (size_t i = 0; i < count; i++) {
        if (number->counter >= lines[i].first && number->counter <= lines[i].last &&
            hs_bytes_equal(lines[i].series, number->series))
            return true;
    }
    return false;
}

enum { LINE_SERIES = 1, LINE_FIRST, LINE_LAST, LINE_SUM, LINE_HASH };

void hs_close_put_lines(const struct hs_close_line *lines, size_t count, uint32_t field, struct hs_buf *to)
{
    struct hs_buf line = {0};
    for (size_t i = 0; i < count; i++) {
        hs_buf_reset(&line);
        hs_tlv_put_bytes(&line, LINE_SERIES, lines[i].series);
        hs_tlv_put_u64(&line, LINE_FIRST, lines[i].first);
        hs_tlv_put_u64(&line, LINE_LAST, lines[i].last);
        hs_tlv_put_s64(&line, LINE_SUM, lines[i].sum_fen);
        hs_tlv_put_bytes(&line, LINE_HASH, HS_BYTES(lines[i].hash.bytes, HS_HASH_BYTES));
        hs_tlv_put_bytes(to, field, hs_buf_bytes(&line));
    }
    if (line.err != HS_OK)
        to->err = line.err;
    hs_buf_fini(&line);
}

static bool take_line(struct hs_bytes message, struct hs_close_line *line)
{
    struct hs_bytes hash = hs_tlv_bytes(message, LINE_HASH);
    line->series = hs_tlv_bytes(message, LINE_SERIES);
    line->first = hs_tlv_u64(message, LINE_FIRST, 0);
    line->last = hs_tlv_u64(message, LINE_LAST, 0);
    line->sum_fen = hs_tlv_s64(message, LINE_SUM, 0);
    if (hash.size == HS_HASH_BYTES)
        memcpy(line->hash.bytes, hash.data, HS_HASH_BYTES);
    return hash.size == HS_HASH_BYTES && line->series.size != 0;
}

enum hs_err hs_close_take_lines(struct hs_bytes message, uint32_t field, struct hs_close_line *lines, size_t room,
                                size_t *count)
{
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    *count = 0;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number != field)
            continue;
        if (*count == room)
            return HS_ETOOBIG;
        if (tlv.wire != HS_WIRE_BYTES || !take_line(tlv.bytes, &lines[*count]))
            return HS_EMALFORMED;
        (*count)++;
    }
    return cur.err;
}

/* ---- do the books agree? ---- */

static const char *const BOOKS[] = {
    [HS_BOOKS_UNANSWERED] = "unanswered",
    [HS_BOOKS_AGREES] = "agrees",
    [HS_BOOKS_WAITING] = "waiting",
    [HS_BOOKS_DIFFERS] = "differs",
};

const char *hs_books_text(enum hs_books books)
{
    return BOOKS[books];
}

static bool text_is(struct hs_bytes text, const char *known)
{
    return text.size == strlen(known) && memcmp(text.data, known, text.size) == 0;
}

bool hs_books_parse(struct hs_bytes text, enum hs_books *books)
{
    for (unsigned i = HS_BOOKS_AGREES; i < sizeof BOOKS / sizeof *BOOKS; i++) {
        if (text_is(text, BOOKS[i])) {
            *books = (enum hs_books)i;
            return true;
        }
    }
    return false;
}

enum hs_books hs_books_worse(enum hs_books a, enum hs_books b)
{
    static const unsigned RANK[] = {
        [HS_BOOKS_AGREES] = 0, [HS_BOOKS_UNANSWERED] = 1, [HS_BOOKS_WAITING] = 2, [HS_BOOKS_DIFFERS] = 3};
    return RANK[a] >= RANK[b] ? a : b;
}

static void name(struct hs_close_judged *judged, const struct hs_close_named *named)
{
    struct hs_close_named *last = judged->named_count != 0 ? &judged->named[judged->named_count - 1] : NULL;
    if (named->missing && last != NULL && last->missing && last->last + 1 == named->first &&
        hs_bytes_equal(last->series, named->series)) {
        last->last = named->last;
        return;
    }
    if (judged->named_count == HS_CLOSE_NAMED_MAX)
        judged->more++;
    else
        judged->named[judged->named_count++] = *named;
    if (!named->missing)
        judged->books = HS_BOOKS_DIFFERS;
    else if (judged->books == HS_BOOKS_AGREES)
        judged->books = HS_BOOKS_WAITING;
}

struct walked {
    int64_t sum_fen;
    struct hs_hash hash;
    uint64_t missing, suspects;
};

/* All numbers of a line.  @suspects: whose content may be another one is named. */
static enum hs_err walk(const struct hs_close_line *line, hs_book_look look, void *ctx, bool suspects,
                        struct hs_close_judged *judged, struct walked *walked)
{
    *walked = (struct walked){.hash = chain_begin(line->series)};
    for (uint64_t counter = line->first; counter <= line->last; counter++) {
        struct hs_book_entry entry;
        enum hs_err err = look(ctx, line->series, counter, &entry);
        if (err != HS_OK && err != HS_ENOTFOUND)
            return err;
        struct hs_close_named named = {.series = line->series, .first = counter, .last = counter};
        if (err == HS_ENOTFOUND) {
            named.missing = true;
            walked->missing++;
            if (!suspects)
                name(judged, &named);
            continue;
        }
        named.hash = entry.hash;
        if (suspects && entry.has_others) {
            name(judged, &named);
            walked->suspects++;
        }
        chain_on(&walked->hash, counter, &entry.hash);
        walked->sum_fen += entry.amount_fen;
        if (!suspects) {
            judged->here.count++;
            judged->here.sum_fen += entry.amount_fen;
            judged->here.cash_fen += entry.in_cash ? entry.amount_fen : 0;
        }
    }
    return HS_OK;
}

/* Receipts of the hall, day and window that the close is of: another's money is not its own. */
static bool is_of(const struct hs_close_claim *claim, const struct hs_close_line *line)
{
    char text[HS_RECORD_ID_BYTES_MAX + 1];
    struct hs_number number;
    return hs_number_text(line->series, line->first, text) && hs_number_parse(HS_BYTES(text, strlen(text)), &number) &&
           hs_bytes_equal(number.node, claim->node) && number.date == claim->date &&
           (!claim->has_window || number.window == claim->window);
}

/* The lines are signed with their sums, and so is what the close says that they come to. */
static bool comes_to(const struct hs_close_sums *here, const struct hs_close_sums *claim)
{
    return here->count == claim->count && here->sum_fen == claim->sum_fen && here->cash_fen == claim->cash_fen &&
           hs_hash_equal(&here->hash, &claim->hash);
}

/* A line that an honest node writes: so few numbers, and behind the line before it. */
static bool is_range(const struct hs_close_line *line, const struct hs_close_line *before)
{
    if (line->first == 0 || line->first > line->last || line->last - line->first >= HS_CLOSE_LINE_ENTRIES_MAX)
        return false;
    int order = before != NULL ? hs_bytes_compare(before->series, line->series) : -1;
    return order < 0 || (order == 0 && before->last < line->first);
}

/* Once more through a line that does not agree: for what has another content under its number; if there is no such, it
 * is the range that is named. */
static enum hs_err name_different(const struct hs_close_line *line, const struct hs_hash *hash, hs_book_look look,
                                  void *ctx, struct hs_close_judged *judged)
{
    struct walked walked;
    struct hs_book_entry entry;
    struct hs_close_named range = {.series = line->series, .first = line->first, .last = line->last, .hash = *hash};
    enum hs_err err = walk(line, look, ctx, true, judged, &walked);
    if (err != HS_OK || walked.suspects != 0)
        return err;
    if (line->first == line->last)
        err = look(ctx, line->series, line->first, &entry);
    if (err == HS_OK && line->first == line->last)
        range.hash = entry.hash;
    name(judged, &range);
    return err;
}

enum hs_err hs_close_judge(const struct hs_close_claim *claim, const struct hs_close_line *lines, size_t count,
                           hs_book_look look, void *ctx, struct hs_close_judged *judged)
{
    enum hs_err err = HS_OK;
    *judged = (struct hs_close_judged){.books = HS_BOOKS_AGREES};
    for (size_t i = 0; i < count && err == HS_OK; i++) {
        const struct hs_close_line *line = &lines[i];
        struct walked walked = {0};
        if (!is_range(line, i > 0 ? line - 1 : NULL) || !is_of(claim, line)) {
            name(judged, &(struct hs_close_named){.series = line->series, .first = line->first, .last = line->last});
            continue;
        }
        err = walk(line, look, ctx, false, judged, &walked);
        bool same = hs_hash_equal(&walked.hash, &line->hash) && walked.sum_fen == line->sum_fen;
        if (err == HS_OK && walked.missing == 0 && !same)
            err = name_different(line, &walked.hash, look, ctx, judged);
        add_line(&judged->here.hash, &walked.hash);
    }
    if (judged->books == HS_BOOKS_AGREES && !comes_to(&judged->here, &claim->sums))
        judged->books = HS_BOOKS_DIFFERS; /* by no number: its own sums are not those of its lines */
    return err;
}

static enum hs_err is_stale(const struct hs_close_named *named, hs_book_look look, void *ctx, bool *stale)
{
    struct hs_close_line line = {.series = named->series, .first = named->first, .last = named->last};
    struct hs_book_entry entry;
    struct hs_close_judged none;
    struct walked walked;
    if (!is_range(&line, NULL))
        return HS_OK; /* it stays what it is */
    enum hs_err err = look(ctx, named->series, named->first, &entry);
    if (named->missing || err != HS_OK) {
        *stale = named->missing == (err == HS_OK);
        return err == HS_ENOTFOUND ? HS_OK : err;
    }
    if (named->first != named->last) {
        none = (struct hs_close_judged){0};
        err = walk(&line, look, ctx, false, &none, &walked);
        entry.hash = walked.hash;
    }
    *stale = !hs_hash_equal(&entry.hash, &named->hash);
    return err;
}

enum hs_err hs_close_stale(const struct hs_close_named *named, size_t count, hs_book_look look, void *ctx, bool *stale)
{
    enum hs_err err = HS_OK;
    *stale = false;
    for (size_t i = 0; i < count && err == HS_OK && !*stale; i++)
        err = is_stale(&named[i], look, ctx, stale);
    return err;
}

/* ---- windows ---- */

static const char *const STATES[] = {
    [HS_WINDOW_CLOSED] = "closed", [HS_WINDOW_OPEN] = "open", [HS_WINDOW_PAUSED] = "paused"};
static const char *const MOVES[] = {[HS_WINDOW_DO_OPEN] = "open",
                                    [HS_WINDOW_DO_CLOSE] = "close",
                                    [HS_WINDOW_DO_PAUSE] = "pause",
                                    [HS_WINDOW_DO_RESUME] = "resume"};

const char *hs_window_state_text(enum hs_window_state state)
{
    return STATES[state];
}

bool hs_window_move_parse(struct hs_bytes text, enum hs_window_move *move)
{
    for (unsigned i = 0; i < sizeof MOVES / sizeof *MOVES; i++) {
        if (text_is(text, MOVES[i])) {
            *move = (enum hs_window_move)i;
            return true;
        }
    }
    return false;
}

bool hs_window_moves(enum hs_window_state from, enum hs_window_move move, enum hs_window_state *to)
{
    static const struct {
        unsigned from; /* bits of states */
        enum hs_window_state to;
    } ALLOWED[] = {
        [HS_WINDOW_DO_OPEN] = {1U << HS_WINDOW_CLOSED, HS_WINDOW_OPEN},
        [HS_WINDOW_DO_CLOSE] = {1U << HS_WINDOW_CLOSED | 1U << HS_WINDOW_OPEN | 1U << HS_WINDOW_PAUSED,
                                HS_WINDOW_CLOSED},
        [HS_WINDOW_DO_PAUSE] = {1U << HS_WINDOW_OPEN, HS_WINDOW_PAUSED},
        [HS_WINDOW_DO_RESUME] = {1U << HS_WINDOW_PAUSED, HS_WINDOW_OPEN},
    };
    if ((ALLOWED[move].from >> from & 1) == 0)
        return false;
    *to = ALLOWED[move].to;
    return true;
}
