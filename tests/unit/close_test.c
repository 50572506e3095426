/* close_test.c -- storage/model/close.h: numbers of cash entries, lines of a close, verdicts, windows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "storage/model/close.h"

#include <string.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define SERIES        "nj-a-20261121-03-K7Q2ZD"
#define ENTRIES       250

/* ---- numbers ---- */

static void a_number_is_read_from_its_end(void **state)
{
    struct hs_number number;
    (void)state;
    assert_true(hs_number_parse(TEXT("nj-a-2-20261121-03-K7Q2ZD-000017"), &number));
    assert_true(hs_bytes_equal(number.node, TEXT("nj-a-2")));
    assert_true(hs_bytes_equal(number.series, TEXT("nj-a-2-20261121-03-K7Q2ZD")));
    assert_int_equal(number.date, 20261121);
    assert_int_equal(number.window, 3);
    assert_int_equal(number.counter, 17);
    assert_true(hs_number_parse(TEXT("a-20261121-4294967295-K7Q2ZD-1000000"), &number));
    assert_int_equal(number.window, UINT32_MAX);
    assert_int_equal(number.counter, 1000000);
}

static void what_is_no_number_is_none(void **state)
{
    static const char *const NONE[] = {
        "",
        "-",
        "a",
        "a-20261121-03-K7Q2ZD",
        "a-20261121-03-K7Q2ZD-",
        "a-20261121-03-K7Q2ZD-000000",
        "a-20261121-03-K7Q2ZD--00001",
        "a-20261331-03-K7Q2ZD-000001",
        "a-20261121-x-K7Q2ZD-000001",
        "-20261121-03-K7Q2ZD-000001",
        "a-20261121-4294967296-K7Q2ZD-000001",
    };
    (void)state;
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        struct hs_number number;
        assert_false(hs_number_parse(HS_BYTES(NONE[i], strlen(NONE[i])), &number));
    }
}

static void a_number_has_a_text(void **state)
{
    char text[HS_RECORD_ID_BYTES_MAX + 1];
    char longest[HS_RECORD_ID_BYTES_MAX];
    (void)state;
    assert_true(hs_number_text(TEXT(SERIES), 17, text));
    assert_string_equal(text, SERIES "-000017");
    memset(longest, 'x', sizeof longest);
    assert_true(hs_number_text(HS_BYTES(longest, HS_RECORD_ID_BYTES_MAX - 7), 1, text));
    assert_false(hs_number_text(HS_BYTES(longest, HS_RECORD_ID_BYTES_MAX - 6), 1, text));
}

static void days_have_texts_and_follow_each_other(void **state)
{
    static const uint32_t DAYS[][2] = {{20261121, 20261122}, {20261130, 20261201}, {20261231, 20270101},
                                       {20280228, 20280229}, {20270228, 20270301}, {20280229, 20280301}};
    char text[HS_DAY_TEXT_BYTES];
    uint32_t date;
    (void)state;
    for (size_t i = 0; i < sizeof DAYS / sizeof *DAYS; i++)
        assert_int_equal(hs_day_after(DAYS[i][0]), DAYS[i][1]);
    assert_string_equal(hs_day_text(20260103, text), "2026-01-03");
    assert_true(hs_day_parse(TEXT("2026-01-03"), &date));
    assert_int_equal(date, 20260103);
    assert_false(hs_day_parse(TEXT("2026-02-30"), &date));
    assert_false(hs_day_parse(TEXT("20260103"), &date));
    assert_false(hs_day_parse(TEXT("2026-1-003"), &date));
}

/* ---- a book ---- */

struct book {
    struct hs_book_entry entries[ENTRIES];
    size_t count;
};

static struct hs_book_entry entry_of(uint64_t counter, int64_t fen)
{
    return (struct hs_book_entry){.number = {.series = TEXT(SERIES), .counter = counter},
                                  .amount_fen = fen,
                                  .in_cash = counter % 2 == 0,
                                  .hash = hs_hash_of(HS_BYTES(&fen, sizeof fen))};
}

static void fill(struct book *book, uint64_t first, uint64_t last)
{
    for (uint64_t counter = first; counter <= last; counter++)
        book->entries[book->count++] = entry_of(counter, (int64_t)counter * 10);
}

static enum hs_err look(void *ctx, struct hs_bytes series, uint64_t counter, struct hs_book_entry *entry)
{
    const struct book *book = ctx;
    for (size_t i = 0; i < book->count; i++) {
        if (book->entries[i].number.counter == counter && hs_bytes_equal(book->entries[i].number.series, series)) {
            *entry = book->entries[i];
            return HS_OK;
        }
    }
    return HS_ENOTFOUND;
}

static enum hs_err broken(void *ctx, struct hs_bytes series, uint64_t counter, struct hs_book_entry *entry)
{
    (void)ctx, (void)series, (void)counter, (void)entry;
    return HS_EDAMAGED;
}

static size_t close_book(const struct book *book, struct hs_close_line *lines, struct hs_close_sums *sums)
{
    size_t taken;
    size_t count = hs_close_lines(book->entries, book->count, lines, HS_CLOSE_LINES_MAX, sums, &taken);
    assert_int_equal(taken, book->count);
    return count;
}

static void lines_end_at_gaps_and_limits(void **state)
{
    struct book book = {.count = 0};
    struct hs_close_line lines[HS_CLOSE_LINES_MAX];
    struct hs_close_sums sums;
    size_t taken;
    (void)state;
    fill(&book, 1, 130);
    fill(&book, 140, 141);
    assert_int_equal(close_book(&book, lines, &sums), 3);
    assert_int_equal(lines[0].first, 1);
    assert_int_equal(lines[0].last, HS_CLOSE_LINE_ENTRIES_MAX);
    assert_int_equal(lines[1].first, HS_CLOSE_LINE_ENTRIES_MAX + 1);
    assert_int_equal(lines[1].last, 130);
    assert_int_equal(lines[2].first, 140);
    assert_int_equal(lines[2].sum_fen, 2810);
    assert_int_equal(sums.count, 132);
    assert_int_equal(sums.sum_fen, 130 * 131 / 2 * 10 + 2810);
    assert_int_equal(sums.cash_fen, 65 * 66 * 10 + 1400);
    struct hs_number number = {.series = TEXT(SERIES), .counter = 135};
    assert_false(hs_close_covers(lines, 3, &number));
    number.counter = 141;
    assert_true(hs_close_covers(lines, 3, &number));
    number.series = TEXT("other");
    assert_false(hs_close_covers(lines, 3, &number));
    assert_int_equal(hs_close_lines(book.entries, book.count, lines, 1, &sums, &taken), 1);
    assert_int_equal(taken, HS_CLOSE_LINE_ENTRIES_MAX);
    assert_int_equal(sums.count, HS_CLOSE_LINE_ENTRIES_MAX);
}

static void lines_are_read_as_they_were_written(void **state)
{
    struct book book = {.count = 0};
    struct hs_close_line lines[HS_CLOSE_LINES_MAX], back[HS_CLOSE_LINES_MAX];
    struct hs_close_sums sums;
    struct hs_buf buf = {0};
    size_t count, read;
    (void)state;
    fill(&book, 1, 230);
    count = close_book(&book, lines, &sums);
    hs_close_put_lines(lines, count, 6, &buf);
    assert_int_equal(buf.err, HS_OK);
    assert_int_equal(hs_close_take_lines(hs_buf_bytes(&buf), 6, back, HS_CLOSE_LINES_MAX, &read), HS_OK);
    assert_int_equal(read, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(back[i].first, lines[i].first);
        assert_int_equal(back[i].last, lines[i].last);
        assert_int_equal(back[i].sum_fen, lines[i].sum_fen);
        assert_true(hs_hash_equal(&back[i].hash, &lines[i].hash));
    }
    assert_int_equal(hs_close_take_lines(hs_buf_bytes(&buf), 6, back, count - 1, &read), HS_ETOOBIG);
    assert_int_equal(hs_close_take_lines(HS_BYTES(buf.data, buf.size - 1), 6, back, count, &read), HS_EMALFORMED);
    hs_buf_fini(&buf);
}

/* ---- verdicts ---- */

struct day {
    struct book book;
    struct hs_close_line lines[HS_CLOSE_LINES_MAX];
    size_t count;
    struct hs_close_sums sums;
    struct hs_close_claim claim;
    struct hs_close_judged judged;
};

static const struct hs_close_claim WINDOW_3 = {
    .node = {(const uint8_t *)"nj-a", 4}, .date = 20261121, .has_window = true, .window = 3};

static void judge(struct day *day)
{
    day->claim.sums = day->sums;
    assert_int_equal(hs_close_judge(&day->claim, day->lines, day->count, look, &day->book, &day->judged), HS_OK);
}

static void make_day(struct day *day)
{
    *day = (struct day){.count = 0, .claim = WINDOW_3};
    fill(&day->book, 1, 150);
    day->count = close_book(&day->book, day->lines, &day->sums);
}

static bool is_stale(struct day *day)
{
    bool stale;
    assert_int_equal(hs_close_stale(day->judged.named, day->judged.named_count, look, &day->book, &stale), HS_OK);
    return stale;
}

static void equal_books_agree(void **state)
{
    static struct day day;
    (void)state;
    make_day(&day);
    judge(&day);
    assert_int_equal(day.judged.books, HS_BOOKS_AGREES);
    assert_int_equal(day.judged.named_count, 0);
    assert_int_equal(day.judged.here.count, 150);
    assert_int_equal(day.judged.here.sum_fen, day.sums.sum_fen);
    assert_int_equal(day.judged.here.cash_fen, day.sums.cash_fen);
    assert_true(hs_hash_equal(&day.judged.here.hash, &day.sums.hash));
    assert_false(is_stale(&day));
    assert_int_equal(hs_close_judge(&day.claim, day.lines, day.count, broken, NULL, &day.judged), HS_EDAMAGED);
}

static void what_has_not_come_is_named(void **state)
{
    static struct day day;
    (void)state;
    make_day(&day);
    for (uint64_t i = 0; i < 3; i++)
        day.book.entries[19 + i].number.counter = 1000 + i; /* 20, 21, 22 */
    judge(&day);
    assert_int_equal(day.judged.books, HS_BOOKS_WAITING);
    assert_int_equal(day.judged.named_count, 1);
    assert_int_equal(day.judged.named[0].first, 20);
    assert_int_equal(day.judged.named[0].last, 22);
    assert_true(day.judged.named[0].missing);
    assert_int_equal(day.judged.here.count, 147);
    assert_false(is_stale(&day));
    day.book.entries[19].number.counter = 20;
    assert_true(is_stale(&day));
}

static void what_differs_is_named(void **state)
{
    static struct day day;
    (void)state;
    make_day(&day);
    day.book.entries[122] = entry_of(123, 1);
    day.book.entries[122].has_others = true;
    day.book.entries[9].has_others = true; /* that one counts as the close says */
    judge(&day);
    assert_int_equal(day.judged.books, HS_BOOKS_DIFFERS);
    assert_int_equal(day.judged.named_count, 1);
    assert_int_equal(day.judged.named[0].first, 123);
    assert_int_equal(day.judged.named[0].last, 123);
    assert_false(day.judged.named[0].missing);
    assert_false(is_stale(&day));
    day.book.entries[122] = entry_of(123, 1230);
    assert_true(is_stale(&day));
    judge(&day);
    assert_int_equal(day.judged.books, HS_BOOKS_AGREES);
}

static void a_range_is_named_where_nothing_in_it_can_be(void **state)
{
    static struct day day;
    (void)state;
    make_day(&day);
    day.book.entries[122] = entry_of(123, 1);
    judge(&day);
    assert_int_equal(day.judged.books, HS_BOOKS_DIFFERS);
    assert_int_equal(day.judged.named[0].first, 101);
    assert_int_equal(day.judged.named[0].last, 150);
    assert_false(is_stale(&day));
    day.book.entries[122] = entry_of(123, 2);
    assert_true(is_stale(&day));
}

static void lines_that_no_honest_node_writes_differ(void **state)
{
    static struct day day;
    (void)state;
    make_day(&day);
    day.lines[1].last = UINT64_MAX;
    judge(&day);
    assert_int_equal(day.judged.books, HS_BOOKS_DIFFERS);
    assert_false(is_stale(&day));
    make_day(&day);
    day.lines[1] = day.lines[0]; /* its money twice */
    judge(&day);
    assert_int_equal(day.judged.books, HS_BOOKS_DIFFERS);
    make_day(&day);
    day.lines[0].sum_fen++;
    judge(&day);
    assert_int_equal(day.judged.books, HS_BOOKS_DIFFERS);
}

/* All lines are those of the hub; what the close says beside them is not. */
static void what_a_close_says_of_its_lines_is_held_against_them(void **state)
{
    static struct day day;
    static const struct hs_close_sums MORE[] = {
        {.count = 1}, {.sum_fen = 1}, {.cash_fen = 1}, {.hash = {.bytes = {1}}}};
    (void)state;
    for (size_t i = 0; i < sizeof MORE / sizeof *MORE; i++) {
        make_day(&day);
        day.sums.count += MORE[i].count;
        day.sums.sum_fen += MORE[i].sum_fen;
        day.sums.cash_fen += MORE[i].cash_fen;
        day.sums.hash.bytes[0] ^= MORE[i].hash.bytes[0];
        judge(&day);
        assert_int_equal(day.judged.books, HS_BOOKS_DIFFERS);
        assert_int_equal(day.judged.named_count, 0);
        assert_false(is_stale(&day));
    }
}

/* Receipts of another hall, day or window are here, just as the close says: they are not of its book. */
static void receipts_of_others_are_not_of_the_book(void **state)
{
    static struct day day;
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        make_day(&day);
        day.claim.node = i == 0 ? TEXT("nj-b") : day.claim.node;
        day.claim.date += i == 1;
        day.claim.window += i == 2;
        day.claim.has_window = i != 3;
        day.claim.window = i == 3 ? 7 : day.claim.window;
        judge(&day);
        assert_int_equal(day.judged.books, i == 3 ? HS_BOOKS_AGREES : HS_BOOKS_DIFFERS);
        assert_int_equal(day.judged.named_count, i == 3 ? 0 : 2);
    }
}

/* Each sum of a close is one that a record may say. */
static void sums_beyond_the_limit_are_parted(void **state)
{
    struct book book = {.count = 0};
    struct hs_close_line lines[HS_CLOSE_LINES_MAX];
    struct hs_close_sums sums;
    size_t taken;
    (void)state;
    book.entries[book.count++] = entry_of(1, HS_AMOUNT_FEN_MAX);
    book.entries[book.count++] = entry_of(2, -HS_AMOUNT_FEN_MAX);
    book.entries[book.count++] = entry_of(3, HS_AMOUNT_FEN_MAX);
    book.entries[book.count++] = entry_of(4, 1);
    assert_int_equal(hs_close_lines(book.entries, 4, lines, HS_CLOSE_LINES_MAX, &sums, &taken), 1);
    assert_int_equal(taken, 3);
    assert_int_equal(sums.sum_fen, HS_AMOUNT_FEN_MAX);
    assert_int_equal(sums.cash_fen, -HS_AMOUNT_FEN_MAX); /* in cash are those with an even counter */
    book.entries[3].amount_fen = -1;
    assert_int_equal(hs_close_lines(book.entries, 4, lines, HS_CLOSE_LINES_MAX, &sums, &taken), 1);
    assert_int_equal(taken, 3); /* the sum fits, that of the cash does not */
    book.entries[3].in_cash = false;
    assert_int_equal(hs_close_lines(book.entries, 4, lines, HS_CLOSE_LINES_MAX, &sums, &taken), 1);
    assert_int_equal(taken, 4);
    book.entries[0] = entry_of(1, -HS_AMOUNT_FEN_MAX); /* what one window gave back was another's */
    book.entries[1] = entry_of(2, HS_AMOUNT_FEN_MAX);
    book.entries[2] = entry_of(3, HS_AMOUNT_FEN_MAX);
    book.entries[1].number.series = book.entries[2].number.series = TEXT("nj-a-20261121-04-K7Q2ZD");
    assert_int_equal(hs_close_lines(book.entries, 3, lines, HS_CLOSE_LINES_MAX, &sums, &taken), 3);
    assert_int_equal(taken, 3);
    assert_int_equal(sums.sum_fen, HS_AMOUNT_FEN_MAX);
    assert_int_equal(lines[1].sum_fen, HS_AMOUNT_FEN_MAX);
}

static void names_have_a_limit(void **state)
{
    static struct day day;
    (void)state;
    *(&day) = (struct day){.count = 0, .claim = WINDOW_3};
    fill(&day.book, 1, ENTRIES);
    day.count = close_book(&day.book, day.lines, &day.sums);
    for (size_t i = 0; i < ENTRIES; i += 2)
        day.book.entries[i].number.counter += 1000; /* every other one is missing */
    judge(&day);
    assert_int_equal(day.judged.books, HS_BOOKS_WAITING);
    assert_int_equal(day.judged.named_count, HS_CLOSE_NAMED_MAX);
    assert_int_equal(day.judged.more, ENTRIES / 2 - HS_CLOSE_NAMED_MAX);
}

static void the_worst_of_answers_is_told(void **state)
{
    static const enum hs_books ORDER[] = {HS_BOOKS_AGREES, HS_BOOKS_UNANSWERED, HS_BOOKS_WAITING, HS_BOOKS_DIFFERS};
    enum hs_books books;
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++)
            assert_int_equal(hs_books_worse(ORDER[i], ORDER[k]), ORDER[i > k ? i : k]);
    }
    assert_true(hs_books_parse(TEXT("differs"), &books));
    assert_int_equal(books, HS_BOOKS_DIFFERS);
    assert_false(hs_books_parse(TEXT("unanswered"), &books)); /* nobody answers so */
    assert_string_equal(hs_books_text(HS_BOOKS_WAITING), "waiting");
}

/* ---- windows ---- */

static void a_window_goes_from_open_to_closed(void **state)
{
    static const struct {
        enum hs_window_state from;
        enum hs_window_move move;
        bool can;
        enum hs_window_state to;
    } MOVES[] = {
        {HS_WINDOW_CLOSED, HS_WINDOW_DO_OPEN, true, HS_WINDOW_OPEN},
        {HS_WINDOW_CLOSED, HS_WINDOW_DO_CLOSE, true, HS_WINDOW_CLOSED},
        {HS_WINDOW_CLOSED, HS_WINDOW_DO_PAUSE, false, HS_WINDOW_CLOSED},
        {HS_WINDOW_CLOSED, HS_WINDOW_DO_RESUME, false, HS_WINDOW_CLOSED},
        {HS_WINDOW_OPEN, HS_WINDOW_DO_OPEN, false, HS_WINDOW_OPEN},
        {HS_WINDOW_OPEN, HS_WINDOW_DO_CLOSE, true, HS_WINDOW_CLOSED},
        {HS_WINDOW_OPEN, HS_WINDOW_DO_PAUSE, true, HS_WINDOW_PAUSED},
        {HS_WINDOW_OPEN, HS_WINDOW_DO_RESUME, false, HS_WINDOW_OPEN},
        {HS_WINDOW_PAUSED, HS_WINDOW_DO_OPEN, false, HS_WINDOW_PAUSED},
        {HS_WINDOW_PAUSED, HS_WINDOW_DO_CLOSE, true, HS_WINDOW_CLOSED},
        {HS_WINDOW_PAUSED, HS_WINDOW_DO_PAUSE, false, HS_WINDOW_PAUSED},
        {HS_WINDOW_PAUSED, HS_WINDOW_DO_RESUME, true, HS_WINDOW_OPEN},
    };
    enum hs_window_move move;
    (void)state;
    for (size_t i = 0; i < sizeof MOVES / sizeof *MOVES; i++) {
        enum hs_window_state to = MOVES[i].from;
        assert_int_equal(hs_window_moves(MOVES[i].from, MOVES[i].move, &to), MOVES[i].can);
        assert_int_equal(to, MOVES[i].to);
    }
    assert_true(hs_window_move_parse(TEXT("resume"), &move));
    assert_int_equal(move, HS_WINDOW_DO_RESUME);
    assert_false(hs_window_move_parse(TEXT("res"), &move));
    assert_string_equal(hs_window_state_text(HS_WINDOW_PAUSED), "paused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_read_from_its_end),
        cmocka_unit_test(what_is_no_number_is_none),
        cmocka_unit_test(a_number_has_a_text),
        cmocka_unit_test(days_have_texts_and_follow_each_other),
        cmocka_unit_test(lines_end_at_gaps_and_limits),
        cmocka_unit_test(lines_are_read_as_they_were_written),
        cmocka_unit_test(equal_books_agree),
        cmocka_unit_test(what_has_not_come_is_named),
        cmocka_unit_test(what_differs_is_named),
        cmocka_unit_test(a_range_is_named_where_nothing_in_it_can_be),
        cmocka_unit_test(lines_that_no_honest_node_writes_differ),
        cmocka_unit_test(what_a_close_says_of_its_lines_is_held_against_them),
        cmocka_unit_test(receipts_of_others_are_not_of_the_book),
        cmocka_unit_test(sums_beyond_the_limit_are_parted),
        cmocka_unit_test(names_have_a_limit),
        cmocka_unit_test(the_worst_of_answers_is_told),
        cmocka_unit_test(a_window_goes_from_open_to_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
