/* scenario_books.c -- days that are closed while the link is down, or by a hall that was set back: in the end hub and
 * hall agree, and each receipt is in one close.
 *
 * DESIGN, section 12, invariant 9. */
#include "tests/sim/scenarios.h"

#include "proto/msg/frame.h"
#include "proto/records.pb-c.h"
#include "storage/model/close.h"

#include <stdio.h>
#include <string.h>

/* Close the day of the whole hall; "" or the error. */
static void close_day(struct stage *stage, struct sim_machine *hall, const char *date, char error[static 32])
{
    struct hs_buf record = {0};
    Hallsync__WindowEvent event = HALLSYNC__WINDOW_EVENT__INIT;
    char close[] = "close", clerk[] = "c01";
    event.event = close;
    event.clerk = clerk;
    event.date = (char *)(uintptr_t)date;
    hs_msg_pack(&event.base, &record);
    Hallsync__PutRecord put = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__PutRecord *puts[] = {&put};
    put.record = (ProtobufCBinaryData){.len = record.size, .data = record.data};
    Hallsync__PutRequest body = HALLSYNC__PUT_REQUEST__INIT;
    body.kind = HS_KIND_WINDOW_EVENT;
    body.records = puts;
    body.n_records = 1;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_PUT;
    request.put = &body;
    Hallsync__Reply *reply = stage_ask(stage, hall, &request);
    const char *said = reply->put->results[0]->error;
    snprintf(error, 32, "%s", said != NULL ? said : "");
    hallsync__reply__free_unpacked(reply, NULL);
    hs_buf_fini(&record);
}

struct day {
    char books[32];
    uint64_t entries, closed, later, twice;
    size_t closes, agreeing;
};

/* The book of a hall, as a machine shows it. */
static struct day day_at(struct stage *stage, struct sim_machine *machine, const char *hall, uint32_t date)
{
    Hallsync__BooksRequest body = HALLSYNC__BOOKS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    body.hall = (char *)(uintptr_t)hall;
    body.has_date = true;
    body.date = date;
    request.body_case = HALLSYNC__REQUEST__BODY_BOOKS;
    request.books = &body;
    Hallsync__Reply *reply = stage_ask(stage, machine, &request);
    STAGE_CHECK(stage, reply->books->n_books > 0);
    const Hallsync__Book *book = reply->books->books[0];
    struct day day = {.entries = book->entries,
                      .closed = book->closed_entries,
                      .later = book->later_entries,
                      .twice = book->twice_entries,
                      .closes = book->n_closes};
    for (size_t i = 0; i < book->n_closes; i++)
        day.agreeing += strcmp(book->closes[i]->books, "agrees") == 0;
    snprintf(day.books, sizeof day.books, "%s", book->books);
    hallsync__reply__free_unpacked(reply, NULL);
    return day;
}

static void pay_at_no_window(struct stage *stage, struct sim_machine *hall, const char *id, struct hs_number *number)
{
    static char receipt[80];
    struct deed_told told = stage_do(stage, hall, deed_payment(&stage->random, id, ACCOUNT, 100, "", 0));
    snprintf(receipt, sizeof receipt, "%s", told.receipt);
    STAGE_CHECK(stage, hs_number_parse(HS_BYTES(receipt, strlen(receipt)), number));
}

/* Until both say so: an answer is made half a second after what it answers has come. */
static void both_agree(struct stage *stage, const struct cast *cast, uint32_t date, uint64_t closed, uint64_t later)
{
    stage_settle(stage);
    stage_run(stage, 3000);
    stage_settle(stage);
    struct sim_machine *machines[] = {cast->hub, cast->hall};
    for (size_t i = 0; i < 2; i++) {
        struct day day = day_at(stage, machines[i], "hall-1", date);
        STAGE_CHECK(stage, strcmp(day.books, later == 0 ? "agrees" : "open") == 0);
        STAGE_CHECK(stage, day.agreeing == day.closes);
        STAGE_CHECK(stage, day.closed == closed && day.later == later && day.twice == 0);
        STAGE_CHECK(stage, day.entries == closed + later);
    }
}

/* The link is down over the close; what is taken after it has the next day's number. */
static void a_day_is_closed_without_a_link(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct hs_number first, late;
    char error[32], date[HS_DAY_TEXT_BYTES];
    pay_at_no_window(stage, cast.hall, "one", &first);
    uint32_t day = first.date;
    stage_part(stage, cast.hall, cast.hub, true);
    pay_at_no_window(stage, cast.hall, "two", &late);
    STAGE_CHECK(stage, late.date == day);
    close_day(stage, cast.hall, hs_day_text(day, date), error);
    STAGE_CHECK(stage, error[0] == '\0');
    pay_at_no_window(stage, cast.hall, "late", &late);
    STAGE_CHECK(stage, late.date == hs_day_after(day));
    STAGE_CHECK(stage, strcmp(day_at(stage, cast.hall, "hall-1", day).books, "unanswered") == 0);
    stage_part(stage, cast.hall, cast.hub, false);
    both_agree(stage, &cast, day, 2, 0);
    close_day(stage, cast.hall, hs_day_text(day, date), error);
    STAGE_CHECK(stage, strcmp(error, "bad-window-state") == 0);
}

/* A hall that was set back closes what it knows; what comes back is of the next close, and nothing is in two. */
static void a_hall_that_was_set_back_closes_twice(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct hs_number number;
    char error[32], date[HS_DAY_TEXT_BYTES], id[16];
    pay_at_no_window(stage, cast.hall, "before", &number);
    uint32_t day = number.date;
    sim_snapshot(cast.hall, 0);
    for (unsigned i = 0; i < 5; i++) {
        snprintf(id, sizeof id, "lost-%u", i);
        pay_at_no_window(stage, cast.hall, id, &number);
    }
    stage_settle(stage);
    stage_part(stage, cast.hall, cast.hub, true);
    stage_restore(stage, cast.hall, 0);
    pay_at_no_window(stage, cast.hall, "after", &number);
    close_day(stage, cast.hall, hs_day_text(day, date), error);
    STAGE_CHECK(stage, error[0] == '\0' && day_at(stage, cast.hall, "hall-1", day).closed == 2);
    stage_part(stage, cast.hall, cast.hub, false);
    both_agree(stage, &cast, day, 2, 5);
    close_day(stage, cast.hall, hs_day_text(day, date), error);
    STAGE_CHECK(stage, error[0] == '\0');
    both_agree(stage, &cast, day, 7, 0);
    STAGE_CHECK(stage, day_at(stage, cast.hub, "hall-1", day).closes == 2);
}

/* What a broken program of a hall says of its only receipt: another content than the one that was handed in. */
static void write_close(struct stage *stage, struct sim_machine *hall, const struct hs_number *number)
{
    static const char ID[] = "hall-1-wrong-hall-AAAAAAAA";
    char series[HS_RECORD_ID_BYTES_MAX + 1], date[HS_DAY_TEXT_BYTES], clerk[] = "c01";
    uint8_t wrong[HS_HASH_BYTES] = {7}, event[HS_ID_BYTES] = {1};
    Hallsync__CloseLine line = HALLSYNC__CLOSE_LINE__INIT;
    Hallsync__CloseLine *lines[] = {&line};
    Hallsync__Close close = HALLSYNC__CLOSE__INIT;
    struct hs_buf fact = {0};
    snprintf(series, sizeof series, "%.*s", (int)number->series.size, (const char *)number->series.data);
    line.series = series;
    line.has_first = line.has_last = line.has_sum_fen = line.has_hash = true;
    line.first = line.last = number->counter;
    line.sum_fen = 100;
    line.hash = (ProtobufCBinaryData){.len = sizeof wrong, .data = wrong};
    close.close_id = (char *)(uintptr_t)ID;
    close.hall = hall->node_id;
    close.date = (char *)(uintptr_t)hs_day_text(number->date, date);
    close.clerk = clerk;
    close.lines = lines;
    close.n_lines = 1;
    close.has_entries = close.has_sum_fen = close.has_cash_fen = close.has_hash = true;
    close.entries = 1;
    close.sum_fen = close.cash_fen = 100;
    close.hash = line.hash;
    close.has_event_id = true;
    close.event_id = (ProtobufCBinaryData){.len = sizeof event, .data = event};
    hs_msg_pack(&close.base, &fact);
    struct hs_write write = {
        .kind = HS_KIND_CLOSE, .id = HS_BYTES(ID, strlen(ID)), .is_fact = true, .fact = hs_buf_bytes(&fact)};
    stage_write(stage, hall,
                &(struct hs_draft){.partition = DISTRICT, .lane = HS_LANE_MONEY, .writes = &write, .write_count = 1});
    hs_buf_fini(&fact);
}

/* Invariant 9: the hub holds each close against the receipts that it has, and says which it does not find so. */
static void a_close_that_does_not_add_up_is_told(struct stage *stage)
{
    struct cast cast = one_hub(stage);
    struct hs_number number;
    pay_at_no_window(stage, cast.hall, "one", &number);
    uint32_t day = number.date;
    auditor_damaged(stage->auditor, cast.hall);
    write_close(stage, cast.hall, &number);
    stage_run(stage, 10000);
    STAGE_CHECK(stage, strcmp(day_at(stage, cast.hub, "hall-1", day).books, "differs") == 0);
}

const struct scenario SCENARIOS_BOOKS[] = {
    {"a-day-is-closed-without-a-link", a_day_is_closed_without_a_link},
    {"a-close-that-does-not-add-up-is-told", a_close_that_does_not_add_up_is_told},
    {"a-hall-that-was-set-back-closes-twice", a_hall_that_was_set_back_closes_twice},
    {0},
};
