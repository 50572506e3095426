/* hall_fuzz.c -- what halls write of their day, as any certified node may send it: lines of closes and what a hub makes
 * of them, parts of payments, the queue, seats of a slot.  Whatever the bytes are, the sums hold, an order of arrival
 * changes nothing, and what was taken apart is put together again.
 *
 *     input = how u8 || a message, or events field by field */
#include "storage/model/appointment.h"
#include "storage/model/bill_due.h"
#include "storage/model/close.h"
#include "storage/model/queue.h"
#include "tests/fuzz/fuzz.h"

enum { HOW_NUMBER, HOW_CLOSE, HOW_PARTS, HOW_QUEUE, HOW_SEATS, HOW_COUNT };
enum { CLOSE_LINES = 6 };

#define EVENTS_MAX   16
#define BOOKINGS_MAX 16

/* ---- numbers and closes ---- */

static void number(struct hs_bytes text)
{
    struct hs_number number;
    char again[HS_RECORD_ID_BYTES_MAX + 1];
    if (!hs_number_parse(text, &number))
        return;
    FUZZ_CHECK(number.series.size < text.size && number.node.size < number.series.size);
    if (hs_number_text(number.series, number.counter, again)) {
        struct hs_number same;
        FUZZ_CHECK(hs_number_parse(HS_BYTES(again, strlen(again)), &same));
        FUZZ_CHECK(same.counter == number.counter && same.window == number.window && same.date == number.date);
    }
}

/* Of each number that is even there is an entry. */
static enum hs_err look(void *ctx, struct hs_bytes series, uint64_t counter, struct hs_book_entry *entry)
{
    size_t *looks = ctx;
    (void)series;
    if (++*looks > HS_CLOSE_LINES_MAX * HS_CLOSE_LINE_ENTRIES_MAX || counter % 2 != 0)
        return HS_ENOTFOUND;
    *entry = (struct hs_book_entry){.amount_fen = (int64_t)(counter % 1000), .in_cash = true};
    entry->number.series = series;
    entry->number.counter = counter;
    return HS_OK;
}

/* Of whatever hall and day the first line is. */
static struct hs_close_claim claim_of(const struct hs_close_line *lines, size_t count,
                                      char text[static HS_RECORD_ID_BYTES_MAX + 1])
{
    struct hs_close_claim claim = {0};
    struct hs_number number;
    if (count > 0 && hs_number_text(lines[0].series, lines[0].first, text) &&
        hs_number_parse(HS_BYTES(text, strlen(text)), &number))
        claim = (struct hs_close_claim){.node = number.node, .date = number.date};
    return claim;
}

static void judge(const struct hs_close_line *lines, size_t count)
{
    static struct hs_close_judged judged;
    char text[HS_RECORD_ID_BYTES_MAX + 1];
    struct hs_close_claim claim = claim_of(lines, count, text);
    for (int with_sums = 0; with_sums < 2; with_sums++) {
        size_t looks = 0;
        if (hs_close_judge(&claim, lines, count, look, &looks, &judged) != HS_OK)
            return;
        FUZZ_CHECK(judged.named_count <= HS_CLOSE_NAMED_MAX);
        FUZZ_CHECK(judged.books != HS_BOOKS_AGREES || judged.named_count == 0);
        claim.sums = judged.here;
    }
    FUZZ_CHECK(judged.books == HS_BOOKS_AGREES || judged.named_count > 0);
}

static void close_lines(struct hs_bytes message)
{
    static struct hs_close_line lines[HS_CLOSE_LINES_MAX], same[HS_CLOSE_LINES_MAX];
    struct hs_buf again = {0};
    size_t count = 0, count_again = 0;
    if (hs_close_take_lines(message, CLOSE_LINES, lines, HS_CLOSE_LINES_MAX, &count) != HS_OK)
        return;
    FUZZ_CHECK(count <= HS_CLOSE_LINES_MAX);
    hs_close_put_lines(lines, count, CLOSE_LINES, &again);
    FUZZ_CHECK(again.err == HS_OK);
    FUZZ_CHECK(hs_close_take_lines(hs_buf_bytes(&again), CLOSE_LINES, same, HS_CLOSE_LINES_MAX, &count_again) == HS_OK);
    FUZZ_CHECK(count_again == count);
    for (size_t i = 0; i < count; i++)
        FUZZ_CHECK(same[i].first == lines[i].first && same[i].last == lines[i].last &&
                   same[i].sum_fen == lines[i].sum_fen && hs_hash_equal(&same[i].hash, &lines[i].hash));
    hs_buf_fini(&again);
    judge(lines, count);
}

/* ---- parts ---- */

struct parts {
    int64_t fen;
    struct hs_bytes bills[64];
    size_t count;
};

static void take_part(void *ctx, const struct hs_part *part)
{
    struct parts *parts = ctx;
    FUZZ_CHECK(part->fen > 0 && part->bill_id.size > 0);
    FUZZ_CHECK(part->fen <= INT64_MAX - parts->fen);
    parts->fen += part->fen;
    if (parts->count < 64)
        parts->bills[parts->count++] = part->bill_id;
}

/* Bills get what the payment has, and no more; each what it is told alone. */
static void parts(struct hs_bytes payment)
{
    struct parts all = {0};
    int64_t rest = hs_payment_parts(payment, take_part, &all), given = 0;
    FUZZ_CHECK(rest >= 0);
    for (size_t i = 0; i < all.count; i++) {
        bool first = true;
        for (size_t j = 0; j < i; j++)
            first = first && !hs_bytes_equal(all.bills[i], all.bills[j]);
        given += first ? hs_payment_gives(payment, all.bills[i]) : 0;
    }
    FUZZ_CHECK(all.count == 64 || given == all.fen);
}

/* ---- folds ---- */

static void queue(struct hs_cur *in)
{
    struct hs_queue_event events[EVENTS_MAX];
    struct hs_queue_fold first, second;
    hs_stamp taken = fuzz_number(in);
    size_t count = 0;
    for (; count < EVENTS_MAX && in->left > 0; count++) {
        events[count] = (struct hs_queue_event){.stamp = fuzz_number(in)};
        hs_be64(events[count].id.bytes, count * 0x9e3779b97f4a7c15);
        events[count].message = fuzz_bytes(in, fuzz_u8(in) % 32);
    }
    hs_queue_fold(taken, events, count, &first);
    FUZZ_CHECK(first.misfits <= count && first.state < HS_QUEUE_STATE_COUNT);
    for (size_t i = 0; i < count / 2; i++) { /* the order of arrival does not matter */
        struct hs_queue_event event = events[i];
        events[i] = events[count - 1 - i];
        events[count - 1 - i] = event;
    }
    hs_queue_fold(taken, events, count, &second);
    FUZZ_CHECK(first.state == second.state && first.window == second.window && first.misfits == second.misfits);
    FUZZ_CHECK(first.waited_ms == second.waited_ms && first.served_ms == second.served_ms);
    FUZZ_CHECK(hs_bytes_equal(first.group, second.group) && hs_bytes_equal(first.clerk, second.clerk));
}

static void seats(struct hs_cur *in)
{
    struct hs_booking bookings[BOOKINGS_MAX];
    struct hs_booking_event events[EVENTS_MAX];
    struct hs_slot_asked asked = {.capacity = fuzz_u8(in) % 8, .bookings = bookings, .events = events};
    size_t wanted = fuzz_u8(in) % (BOOKINGS_MAX + 1), sitting = 0;
    for (size_t i = 0; i < wanted; i++) {
        bookings[i] = (struct hs_booking){.stamp = fuzz_number(in)};
        hs_be64(bookings[i].id.bytes, i);
    }
    asked.booking_count = wanted;
    for (size_t i = 0; i < EVENTS_MAX && in->left > 0; i++) {
        events[i] = (struct hs_booking_event){.stamp = fuzz_number(in)};
        hs_be64(events[i].id.bytes, i);
        hs_be64(events[i].booking.bytes, fuzz_u8(in) % BOOKINGS_MAX);
        events[i].message = fuzz_bytes(in, fuzz_u8(in) % 16);
        asked.event_count++;
    }
    uint32_t taken = hs_slot_fold(&asked);
    FUZZ_CHECK(taken <= asked.capacity);
    for (size_t i = 0; i < wanted; i++) {
        enum hs_booking_state state = bookings[i].state;
        sitting += state == HS_BOOKING_BOOKED || state == HS_BOOKING_KEPT || state == HS_BOOKING_MISSED;
    }
    FUZZ_CHECK(sitting == taken);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    switch (fuzz_u8(&in) % HOW_COUNT) {
    case HOW_NUMBER:
        number(fuzz_rest(&in));
        break;
    case HOW_CLOSE:
        close_lines(fuzz_rest(&in));
        break;
    case HOW_PARTS:
        parts(fuzz_rest(&in));
        break;
    case HOW_QUEUE:
        queue(&in);
        break;
    default:
        seats(&in);
    }
    return 0;
}

/* ---- seeds ---- */

static void put_close(fuzz_put put)
{
    static const char SERIES[] = "h-20261121-01-AAAAAA", OTHER[] = "h-20261121-02-BBBBBB";
    struct hs_close_line lines[] = {
        {.series = HS_BYTES(SERIES, sizeof SERIES - 1), .first = 1, .last = 3, .sum_fen = 2},
        {.series = HS_BYTES(OTHER, sizeof OTHER - 1), .first = 2, .last = 2, .sum_fen = -5}};
    struct hs_buf seed = {0};
    hs_buf_put_u8(&seed, HOW_CLOSE);
    hs_close_put_lines(lines, 2, CLOSE_LINES, &seed);
    put("close", hs_buf_bytes(&seed));
    hs_buf_fini(&seed);
}

void fuzz_seeds(fuzz_put put)
{
    put_close(put);
    put("number", FUZZ_SEED("\0nj-chengbei-20261121-03-K7Q2ZD-000017"));
    put("number-long", FUZZ_SEED("\0h-20261121-3-K7Q2ZD-18446744073709551615"));
    put("parts", FUZZ_SEED("\2\30\144\102\7\12\3B-1\20\74\102\7\12\3B-2\20\36"));
    put("one-part", FUZZ_SEED("\2\30\144\42\3B-1"));
    put("queue", FUZZ_SEED("\3\1\2\14\32\6called\40\1\12\1x\3\12\32\6served\40\1"));
    put("seats", FUZZ_SEED("\4\1\2\1\2\3\0\13\32\11cancelled"));
}
