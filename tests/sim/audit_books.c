/* audit_books.c -- windows and days that are closed: a close names each receipt of its book, once, with its sums and
 * hashes, as PROTOCOL.md 10.7 has them; nothing is of a day behind its close; and what a hub says of a close is what
 * its own entries make of it.  All of it is added up plainly, number by number. */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { ENTRY = 4, CLOSE = 13, ANSWER = 1004 };
enum { ENTRY_AMOUNT = 3, ENTRY_METHOD = 7 };
enum {
    CLOSE_HALL = 2,
    CLOSE_DATE = 3,
    CLOSE_WINDOW = 4,
    CLOSE_LINES = 6,
    CLOSE_ENTRIES = 7,
    CLOSE_SUM = 8,
    CLOSE_CASH = 9,
    CLOSE_FLOAT = 10,
    CLOSE_COUNTED = 11,
    CLOSE_DIFFERENCE = 12
};
enum { LINE_SERIES = 1, LINE_FIRST, LINE_LAST, LINE_SUM, LINE_HASH };
enum { ANSWER_CLOSE = 2, ANSWER_HUB, ANSWER_VERDICT };

static int64_t zigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* ---- numbers: "hall-1-20260601-03-K7Q2ZD-000017" ---- */

struct book {
    struct hs_bytes hall;
    char date[9]; /* "20260601" */
    bool has_window;
    uint64_t window;
};

static bool is_digits(struct hs_bytes text)
{
    bool digits = text.size > 0;
    for (size_t i = 0; i < text.size; i++)
        digits = digits && text.data[i] >= '0' && text.data[i] <= '9';
    return digits;
}

/* What stands before the last hyphen, and behind it. */
static bool cut(struct hs_bytes text, struct hs_bytes *before, struct hs_bytes *behind)
{
    size_t at = text.size;
    while (at > 0 && text.data[at - 1] != '-')
        at--;
    if (at == 0)
        return false;
    *before = HS_BYTES(text.data, at - 1);
    *behind = HS_BYTES(text.data + at, text.size - at);
    return true;
}

static uint64_t value_of(struct hs_bytes digits)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.size; i++)
        value = 10 * value + (uint64_t)(digits.data[i] - '0');
    return value;
}

struct number {
    struct hs_bytes hall, date, series;
    uint64_t window, counter;
};

static bool read_number(struct hs_bytes text, struct number *number)
{
    struct hs_bytes rest, counter, letters, window;
    bool good = cut(text, &number->series, &counter) && cut(number->series, &rest, &letters) &&
                cut(rest, &rest, &window) && cut(rest, &number->hall, &number->date);
    good = good && is_digits(counter) && is_digits(window) && is_digits(number->date) && number->date.size == 8;
    number->window = good ? value_of(window) : 0;
    number->counter = good ? value_of(counter) : 0;
    return good;
}

static bool is_of(const struct number *number, const struct book *book)
{
    return hs_bytes_equal(number->hall, book->hall) && memcmp(number->date.data, book->date, 8) == 0 &&
           (!book->has_window || number->window == book->window);
}

static struct book book_of(struct hs_bytes close)
{
    struct hs_bytes date = audit_tlv_find(close, CLOSE_DATE).data; /* "2026-06-01" */
    struct audit_tlv window = audit_tlv_find(close, CLOSE_WINDOW);
    struct book book = {audit_tlv_find(close, CLOSE_HALL).data, "", window.raw.size != 0, window.value};
    if (date.size == 10)
        snprintf(book.date, sizeof book.date, "%.4s%.2s%.2s", (const char *)date.data, (const char *)date.data + 5,
                 (const char *)date.data + 8);
    return book;
}

static bool same_book(const struct book *a, const struct book *b)
{
    return hs_bytes_equal(a->hall, b->hall) && strcmp(a->date, b->date) == 0 && a->has_window == b->has_window &&
           a->window == b->window;
}

/* ---- lines ---- */

struct line {
    struct hs_bytes series;
    uint64_t first, last;
    int64_t sum_fen;
    struct hs_bytes hash;
};

/* The next line of a close; false: that was the last. */
static bool next_line(struct hs_cur *cur, struct line *line)
{
    struct audit_tlv tlv;
    while (audit_tlv_next(cur, &tlv)) {
        if (tlv.number != CLOSE_LINES)
            continue;
        *line = (struct line){audit_tlv_find(tlv.data, LINE_SERIES).data, audit_tlv_find(tlv.data, LINE_FIRST).value,
                              audit_tlv_find(tlv.data, LINE_LAST).value,
                              zigzag(audit_tlv_find(tlv.data, LINE_SUM).value),
                              audit_tlv_find(tlv.data, LINE_HASH).data};
        return true;
    }
    return false;
}

static bool names(struct hs_bytes close, const struct number *number)
{
    struct hs_cur cur = hs_cur_of(close);
    struct line line;
    while (next_line(&cur, &line)) {
        if (hs_bytes_equal(line.series, number->series) && number->counter >= line.first &&
            number->counter <= line.last)
            return true;
    }
    return false;
}

/* The entry as it counts at the machine; NULL: it is not there. */
static const struct audit_write *entry_at(const struct auditor *auditor, hs_partition partition, struct hs_bytes series,
                                          uint64_t counter, uint32_t bit)
{
    struct hs_buf id = {0};
    hs_buf_put_bytes(&id, series);
    hs_buf_put_format(&id, "-%06" PRIu64, counter);
    const struct audit_record *record = audit_named(auditor, ENTRY, hs_buf_bytes(&id));
    while (record != NULL && record->partition != partition)
        record = record->same_name;
    hs_buf_fini(&id);
    return record != NULL ? audit_variant(record, bit) : NULL;
}

static void chain(uint8_t hash[static 32], struct hs_bytes first, const struct audit_write *entry, uint64_t counter)
{
    static const char DOMAIN[] = "hallsync book 1"; /* with its zero */
    uint8_t number[8];
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, 32);
    crypto_generichash_update(&state, (const uint8_t *)DOMAIN, sizeof DOMAIN);
    if (entry == NULL) {
        crypto_generichash_update(&state, first.data, first.size);
    } else {
        hs_be64(number, counter);
        crypto_generichash_update(&state, hash, 32);
        crypto_generichash_update(&state, number, sizeof number);
        crypto_generichash_update(&state, entry->fact_hash.bytes, sizeof entry->fact_hash.bytes);
    }
    crypto_generichash_final(&state, hash, 32);
}

struct added {
    uint64_t entries, missing, wrong; /* numbers, numbers, lines */
    int64_t sum_fen, cash_fen;
};

static bool in_cash(const struct audit_write *entry)
{
    struct hs_bytes method = audit_tlv_find(entry->fact, ENTRY_METHOD).data;
    return method.size == 0 || hs_bytes_equal(method, audit_text("cash"));
}

static void add_line(const struct auditor *auditor, hs_partition partition, const struct line *line, uint32_t bit,
                     struct added *added)
{
    uint8_t hash[32];
    uint64_t missing = 0;
    int64_t sum_fen = 0;
    chain(hash, line->series, NULL, 0);
    for (uint64_t counter = line->first; counter <= line->last; counter++) {
        const struct audit_write *entry = entry_at(auditor, partition, line->series, counter, bit);
        if (entry == NULL) {
            missing++;
            continue;
        }
        int64_t fen = zigzag(audit_tlv_find(entry->fact, ENTRY_AMOUNT).value);
        sum_fen += fen;
        added->cash_fen += in_cash(entry) ? fen : 0;
        added->entries++;
        chain(hash, HS_BYTES_NONE, entry, counter);
    }
    added->sum_fen += sum_fen;
    added->missing += missing;
    added->wrong += missing == 0 && (sum_fen != line->sum_fen || !hs_bytes_equal(HS_BYTES(hash, 32), line->hash));
}

static struct added add_up(const struct auditor *auditor, hs_partition partition, struct hs_bytes close, uint32_t bit)
{
    struct hs_cur cur = hs_cur_of(close);
    struct added added = {0};
    struct line line;
    while (next_line(&cur, &line))
        add_line(auditor, partition, &line, bit, &added);
    return added;
}

/* ---- when a hall writes ---- */

/* The closes that a machine holds of its own. */
static const struct audit_write *close_at(const struct audit_record *record, const struct audit_node *node,
                                          uint32_t bit)
{
    const struct audit_write *close = record->kind == CLOSE ? audit_variant(record, bit) : NULL;
    bool own = close != NULL && hs_bytes_equal(audit_tlv_find(close->fact, CLOSE_HALL).data, audit_text(node->id));
    return own ? close : NULL;
}

/* What is taken behind a close is of another day. */
static void check_entry(struct auditor *auditor, const struct audit_machine *machine, const struct audit_write *write)
{
    struct number number;
    if (!read_number(write->record->id, &number))
        return; /* audit_receipts.c says so */
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        const struct audit_write *close = close_at(record, machine->node, machine->bit);
        if (close == NULL)
            continue;
        struct book book = book_of(close->fact);
        if (is_of(&number, &book))
            audit_fail(auditor, AUDIT_BOOKS, "%s wrote %s behind %s, which closed that day", machine->sim->name,
                       audit_name(write->record), audit_name(record));
    }
}

/* In how many closes of the book, of those that the machine holds and this new one. */
static unsigned times_named(const struct auditor *auditor, const struct audit_machine *machine,
                            const struct audit_write *close, const struct number *number)
{
    struct book book = book_of(close->fact);
    unsigned times = names(close->fact, number);
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        const struct audit_write *other = close_at(record, machine->node, machine->bit);
        struct book of = other != NULL ? book_of(other->fact) : (struct book){0};
        times += other != NULL && record != close->record && same_book(&book, &of) && names(other->fact, number);
    }
    return times;
}

static void check_sums(struct auditor *auditor, const struct audit_machine *machine, const struct audit_write *close)
{
    struct added added = add_up(auditor, close->record->partition, close->fact, machine->bit);
    int64_t counted = (int64_t)audit_tlv_find(close->fact, CLOSE_COUNTED).value;
    int64_t should = (int64_t)audit_tlv_find(close->fact, CLOSE_FLOAT).value + added.cash_fen;
    bool is_counted = audit_tlv_find(close->fact, CLOSE_COUNTED).raw.size != 0;
    if (added.missing != 0 || added.wrong != 0 || added.entries != audit_tlv_find(close->fact, CLOSE_ENTRIES).value ||
        added.sum_fen != zigzag(audit_tlv_find(close->fact, CLOSE_SUM).value) ||
        added.cash_fen != zigzag(audit_tlv_find(close->fact, CLOSE_CASH).value) ||
        (is_counted && counted - should != zigzag(audit_tlv_find(close->fact, CLOSE_DIFFERENCE).value)))
        audit_fail(auditor, AUDIT_BOOKS,
                   "%s wrote %s: of its receipts %" PRIu64 " are there, %" PRIu64 " not, %" PRId64 " fen, %" PRId64
                   " in cash, and %" PRIu64 " lines are not as they should be",
                   machine->sim->name, audit_name(close->record), added.entries, added.missing, added.sum_fen,
                   added.cash_fen, added.wrong);
}

/* Each receipt of the book that the hall holds is in one close, this or one before. */
static void check_close(struct auditor *auditor, const struct audit_machine *machine, const struct audit_write *close)
{
    struct book book = book_of(close->fact);
    check_sums(auditor, machine, close);
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        struct number number;
        if (record->kind != ENTRY || record->partition != close->record->partition ||
            audit_variant(record, machine->bit) == NULL || !read_number(record->id, &number) || !is_of(&number, &book))
            continue;
        unsigned times = times_named(auditor, machine, close, &number);
        if (times != 1)
            audit_fail(auditor, AUDIT_BOOKS, "%s wrote %s: %s is in %u closes of its book", machine->sim->name,
                       audit_name(close->record), audit_name(record), times);
    }
}

void audit_books_wrote(struct auditor *auditor, const struct audit_machine *machine, const struct audit_write *write)
{
    if (write->is_fact && write->record->kind == ENTRY)
        check_entry(auditor, machine, write);
    if (write->is_fact && write->record->kind == CLOSE)
        check_close(auditor, machine, write);
}

/* ---- what hubs say ---- */

/* The one that holds of this hub, at a machine: of the highest stamp. */
static struct hs_bytes verdict_of(const struct auditor *auditor, const struct audit_record *close, struct hs_bytes hub,
                                  uint32_t bit)
{
    const struct audit_write *last = NULL;
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        bool beside = record->kind == ANSWER && record->partition == close->partition;
        const struct audit_write *answer = beside ? audit_variant(record, bit) : NULL;
        if (answer == NULL || !hs_bytes_equal(audit_tlv_find(answer->fact, ANSWER_CLOSE).data, close->id) ||
            !hs_bytes_equal(audit_tlv_find(answer->fact, ANSWER_HUB).data, hub))
            continue;
        bool later = last == NULL || answer->op->stamp > last->op->stamp ||
                     (answer->op->stamp == last->op->stamp && hs_bytes_compare(record->id, last->record->id) > 0);
        last = later ? answer : last;
    }
    return last != NULL ? audit_tlv_find(last->fact, ANSWER_VERDICT).data : HS_BYTES_NONE;
}

/* Some hub has agreed, and none says anything else: nobody is asked any more. */
static bool is_agreed(const struct auditor *auditor, const struct audit_record *close, uint32_t bit)
{
    bool any = false, all = true;
    for (unsigned i = 0; i < auditor->node_count; i++) {
        struct hs_bytes said = verdict_of(auditor, close, audit_text(auditor->nodes[i]->id), bit);
        bool agrees = hs_bytes_equal(said, audit_text("agrees"));
        any = any || agrees;
        all = all && (agrees || said.size == 0);
    }
    return any && all;
}

/* Who has agreed goes on to, also where a fork brings another content under a number later. */
static bool is_answered(const struct auditor *auditor, const struct audit_record *record,
                        const struct audit_machine *hub, char why[static 200])
{
    const struct audit_write *close = audit_variant(record, hub->bit);
    const struct audit_node *author = close != NULL ? close->op->stream->author : NULL;
    if (close == NULL || !hs_bytes_equal(audit_tlv_find(close->fact, CLOSE_HALL).data, audit_text(author->id)))
        return true; /* or nobody's */
    struct added added = add_up(auditor, record->partition, close->fact, hub->bit);
    const char *should = added.wrong != 0 ? "differs" : added.missing != 0 ? "waiting" : "agrees";
    struct hs_bytes said = verdict_of(auditor, record, audit_text(hub->node->id), hub->bit);
    bool agreed = author->fork_possible && hs_bytes_equal(said, audit_text("agrees"));
    if (agreed || hs_bytes_equal(said, audit_text(should)) || (said.size == 0 && is_agreed(auditor, record, hub->bit)))
        return true;
    snprintf(why, 200, "invariant 9: %s says of %s \"%.*s\"; by its entries it %s", hub->sim->name, audit_name(record),
             (int)said.size, (const char *)said.data, should);
    return false;
}

bool audit_books_settled(const struct auditor *auditor, char why[static 200])
{
    bool settled = true;
    for (unsigned i = 0; i < auditor->sim->machine_count && settled; i++) {
        const struct audit_machine *hub = &auditor->machines[i];
        if (hub->node == NULL || !hub->node->hub || !audit_belongs(hub))
            continue;
        for (size_t j = 0; j < auditor->records.count && settled; j++) {
            const struct audit_record *record = auditor->records.entries[j].value;
            if (record->kind == CLOSE && audit_holds(hub, record->partition))
                settled = is_answered(auditor, record, hub, why);
        }
    }
    return settled;
}
