/* service_books_test.c -- windows and closes through the local API: who may open and close what, counted cash, what
 * comes behind a close, handing-in, and the books that a hall shows. */
#include "tests/unit/service_desk.h"

#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/msg/tlv.h"
#include "storage/model/close.h"

#define WINDOW_EVENT(...) put_window(client, (Hallsync__WindowEvent){MESSAGE(window_event), __VA_ARGS__})
#define CREATED           HALLSYNC__RESULT__RESULT_CREATED
#define EXISTS            HALLSYNC__RESULT__RESULT_EXISTS

static const Hallsync__PutResult *put_window(struct client *client, Hallsync__WindowEvent event)
{
    event.clerk = event.clerk != NULL ? event.clerk : TEXT("王芳");
    return put(client, &(struct putting){.kind = HS_KIND_WINDOW_EVENT, .message = &event.base});
}

static const Hallsync__PutResult *open_window(struct client *client, uint32_t window, int64_t float_fen)
{
    return WINDOW_EVENT(.has_window = true, .window = window, .event = TEXT("open"), .has_float_fen = true,
                        .float_fen = float_fen);
}

static const Hallsync__PutResult *close_window(struct client *client, uint32_t window, int64_t counted_fen)
{
    return WINDOW_EVENT(.has_window = true, .window = window, .event = TEXT("close"), .has_counted_fen = true,
                        .counted_fen = counted_fen);
}

static const Hallsync__PutResult *close_day(struct client *client)
{
    return WINDOW_EVENT(.event = TEXT("close"));
}

#define CLOSE_ON(day, of, fen)                                                                        \
    WINDOW_EVENT(.has_window = true, .window = (of), .event = TEXT("close"), .has_counted_fen = true, \
                 .counted_fen = (fen), .date = TEXT(day))

static void pay(struct client *client, const char *id, uint32_t window, int64_t fen, const char *method,
                struct hs_number *number)
{
    static char receipt[HS_RECORD_ID_BYTES_MAX + 1];
    const Hallsync__PutResult *result = PAY(.payment_id = TEXT(id), .account = TEXT(ACCOUNT), .amount_fen = fen,
                                            .method = TEXT(method), .window = window);
    assert_result(result, CREATED);
    snprintf(receipt, sizeof receipt, "%s", result->receipt);
    assert_true(hs_number_parse(HS_BYTES(receipt, strlen(receipt)), number));
}

static uint32_t today(struct desk *desk)
{
    return hs_date_of(hs_now_ms(), desk->office.options.utc_offset_minutes);
}

static const Hallsync__BooksReply *books(struct client *client, const char *hall, uint32_t date)
{
    Hallsync__BooksRequest body = HALLSYNC__BOOKS_REQUEST__INIT;
    body.hall = TEXT(hall);
    body.has_date = date != 0;
    body.date = date;
    Hallsync__Request request = REQUEST(books, BOOKS, &body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    return reply->books;
}

static void write_fact(struct world_node *node, uint16_t kind, struct hs_bytes id, const struct hs_buf *fact)
{
    struct hs_write write = {.kind = kind, .id = id, .is_fact = true, .fact = hs_buf_bytes(fact)};
    struct hs_draft draft = {.partition = 3201, .lane = HS_LANE_MONEY, .writes = &write, .write_count = 1};
    struct hs_dot dot;
    hs_stamp stamp;
    struct hs_commit commit;
    assert_int_equal(fact->err, HS_OK);
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_write(node->store, &draft, &dot, &stamp), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
}

/* An entry of this hall, as if it came back from where it had been. */
static void write_entry(struct desk *desk, const char *number, int64_t fen)
{
    struct hs_buf entry = {0};
    static const uint8_t ID[HS_ID_BYTES] = {7};
    hs_tlv_put_text(&entry, 1, number);
    hs_tlv_put_u64(&entry, 2, hs_now_ms());
    hs_tlv_put_s64(&entry, 3, fen);
    hs_tlv_put_u64(&entry, 4, HS_KIND_PAYMENT);
    hs_tlv_put_bytes(&entry, 5, HS_BYTES(ID, sizeof ID));
    hs_tlv_put_u64(&entry, 6, 3201);
    write_fact(leave(desk), HS_KIND_CASH_ENTRY, HS_BYTES(number, strlen(number)), &entry);
    come_back(desk);
    hs_buf_fini(&entry);
}

static int open_desk(void **state)
{
    struct desk *desk = make_desk(HS_ROLE_HALL);
    struct client *client = &desk->client;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("陈")), CREATED);
    *state = desk;
    return 0;
}

/* ---- windows ---- */

static void windows_are_opened_paused_and_closed(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(open_window(client, 3, 20000), CREATED);
    assert_refused(open_window(client, 3, 20000), "bad-window-state", "event");
    assert_result(WINDOW_EVENT(.has_window = true, .window = 3, .event = TEXT("pause"), .reason = TEXT("午休")),
                  CREATED);
    assert_refused(WINDOW_EVENT(.has_window = true, .window = 3, .event = TEXT("pause")), "bad-window-state", NULL);
    assert_result(WINDOW_EVENT(.has_window = true, .window = 3, .event = TEXT("resume")), CREATED);
    const Hallsync__PutResult *closed = close_window(client, 3, 20000);
    assert_result(closed, CREATED);
    assert_non_null(strstr(closed->receipt, "nj-gulou-"));
    assert_non_null(strstr(closed->receipt, "-03-"));
    assert_refused(close_window(client, 3, 20000), "bad-window-state", "event");
    assert_refused(close_window(client, 4, 0), "bad-window-state", "event"); /* nobody opened it, and it took nothing */
    assert_result(open_window(client, 3, 0), CREATED);                       /* for the next business day */
}

static void events_that_make_no_sense_are_refused(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_refused(WINDOW_EVENT(.event = TEXT("open")), "missing-field", "window");
    assert_refused(WINDOW_EVENT(.has_window = true, .window = 1, .event = TEXT("ajar")), "bad-value", "event");
    assert_refused(WINDOW_EVENT(.has_window = true, .window = 1, .event = TEXT("open"), .date = TEXT("2026-11-21")),
                   "bad-value", "date");
    assert_refused(WINDOW_EVENT(.event = TEXT("close"), .has_float_fen = true), "bad-value", "float_fen");
    assert_refused(WINDOW_EVENT(.has_window = true, .window = 1, .event = TEXT("open"), .has_counted_fen = true),
                   "bad-value", "counted_fen");
    assert_refused(WINDOW_EVENT(.event = TEXT("close"), .hall = TEXT("nj-other")), "bad-value", "hall");
    assert_refused(WINDOW_EVENT(.event = TEXT("close"), .date = TEXT("2999-01-01")), "bad-value", "date");
    assert_result(WINDOW_EVENT(.event = TEXT("close"), .date = TEXT("2026-01-01")), CREATED); /* a day without money */
}

static void cash_is_held_against_the_books(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    struct hs_number number;
    open_window(client, 2, 10000);
    pay(client, "p-1", 2, 3000, "cash", &number);
    pay(client, "p-2", 2, 700, "cheque", &number);
    pay(client, "p-3", 2, 50, "cash", &number);
    assert_null(reverse(client, "p-3", "r-3")->error);
    assert_refused(WINDOW_EVENT(.has_window = true, .window = 2, .event = TEXT("close")), "missing-field",
                   "counted_fen");
    const Hallsync__PutResult *refused = close_window(client, 2, 12950);
    assert_refused(refused, "missing-field", "reason");
    assert_non_null(strstr(refused->text, "130.50")); /* the reversal was at another window */
    const Hallsync__PutResult *closed = WINDOW_EVENT(.has_window = true, .window = 2, .event = TEXT("close"),
                                                     .has_counted_fen = true, .counted_fen = 12950,
                                                     .reason = TEXT("找零差错"));
    assert_result(closed, CREATED);
    const Hallsync__Record *record = get_record(client, HS_KIND_CLOSE, closed->receipt);
    Hallsync__Close *close = hallsync__close__unpack(NULL, record->record.len, record->record.data);
    assert_int_equal(close->entries, 3);
    assert_int_equal(close->sum_fen, 3750);
    assert_int_equal(close->cash_fen, 3050);
    assert_int_equal(close->float_fen, 10000);
    assert_int_equal(close->counted_fen, 12950);
    assert_int_equal(close->difference_fen, -100);
    assert_string_equal(close->reason, "找零差错");
    hallsync__close__free_unpacked(close, NULL);
}

/* ---- closes ---- */

static void what_comes_behind_a_close_is_of_the_next_day(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct hs_number number;
    uint32_t day = today(desk), next = hs_day_after(day);
    pay(client, "p-1", 1, 100, "cash", &number);
    assert_int_equal(number.date, day);
    assert_result(close_window(client, 1, 100), CREATED);
    pay(client, "p-2", 1, 200, "cash", &number);
    assert_int_equal(number.date, next);
    assert_int_equal(number.counter, 1);
    pay(client, "p-3", 2, 300, "cash", &number); /* another window goes on */
    assert_int_equal(number.date, day);
    assert_refused(close_day(client), "open-window", "window");
    assert_result(close_window(client, 2, 300), CREATED);
    pay(client, "p-4", 0, 400, "cash", &number); /* at no window: closed with the hall */
    assert_int_equal(number.date, day);
    assert_result(close_day(client), CREATED);
    pay(client, "p-5", 0, 500, "cash", &number);
    assert_int_equal(number.date, next);
    assert_refused(close_day(client), "bad-window-state", "event");
    assert_refused(close_window(client, 1, 200), "bad-window-state", "event"); /* tomorrow has not come */
    restart(desk);
    pay(client, "p-6", 3, 600, "cash", &number);
    assert_int_equal(number.date, next);

    const Hallsync__BooksReply *reply = books(client, NULL, day);
    assert_int_equal(reply->n_books, 1);
    const Hallsync__Book *hall = reply->books[0];
    assert_string_equal(hall->hall, "nj-gulou");
    assert_string_equal(hall->books, "unanswered");
    assert_int_equal(hall->entries, 3);
    assert_int_equal(hall->sum_fen, 800);
    assert_int_equal(hall->closed_fen, 800);
    assert_int_equal(hall->later_entries, 0);
    assert_int_equal(hall->counted_fen, 400);
    reply = books(client, NULL, next);
    assert_string_equal(reply->books[0]->books, "open");
    assert_int_equal(reply->books[0]->later_fen, 1300);
}

static void an_open_window_keeps_the_day_open(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(open_window(client, 5, 0), CREATED);
    const Hallsync__PutResult *refused = close_day(client);
    assert_refused(refused, "open-window", NULL);
    assert_non_null(strstr(refused->text, "5"));
    assert_result(close_window(client, 5, 0), CREATED);
    assert_result(close_day(client), CREATED);
}

static void a_close_sent_again_is_the_same_close(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct hs_number number;
    char close_id[HS_RECORD_ID_BYTES_MAX + 1];
    pay(client, "p-1", 1, 100, "cash", &number);
    Hallsync__WindowEvent event = {MESSAGE(window_event),  .event_id = TEXT("e-1"), .has_window = true, .window = 1,
                                   .event = TEXT("close"), .has_counted_fen = true, .counted_fen = 100};
    const Hallsync__PutResult *result = put_window(client, event);
    assert_result(result, CREATED);
    snprintf(close_id, sizeof close_id, "%s", result->receipt);
    restart(desk);
    result = put_window(client, event);
    assert_result(result, EXISTS);
    assert_string_equal(result->receipt, close_id);
    event.counted_fen = 101;
    assert_refused(put_window(client, event), "id-in-use", NULL);
    assert_int_equal(books(client, "nj-gulou", 0)->books[0]->entries, 1);
}

/* A day that a wrong clock has put money into is closed though it has not come, and the money can be handed in; one in
 * which windows work already is not. */
static void a_day_of_a_wrong_clock_can_be_closed(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct hs_number number;
    char tomorrow[HS_DAY_TEXT_BYTES];
    static const char date[] = "2099-12-31";
    uint32_t day = today(desk);
    hs_day_text(hs_day_after(day), tomorrow);
    write_entry(desk, "nj-gulou-20991231-01-ANYWAY-000001", 700);
    pay(client, "p-2", 1, 100, "cash", &number);
    assert_int_equal(number.date, day);
    assert_result(close_window(client, 1, 100), CREATED);
    pay(client, "p-3", 1, 200, "cash", &number);
    assert_int_equal(number.date, hs_day_after(day));
    assert_refused(CLOSE_ON(tomorrow, 1, 200), "bad-value", "date");
    assert_refused(CLOSE_ON("2999-01-01", 1, 0), "bad-value", "date");
    assert_refused(WINDOW_EVENT(.event = TEXT("close"), .date = TEXT(date)), "open-window", "window");
    assert_result(CLOSE_ON(date, 1, 700), CREATED);
    assert_result(WINDOW_EVENT(.event = TEXT("close"), .date = TEXT(date)), CREATED);
    assert_refused(WINDOW_EVENT(.event = TEXT("close"), .date = TEXT(date)), "bad-value", "date");
    assert_int_equal(books(client, NULL, 20991231)->books[0]->closed_fen, 700);
    assert_refused(CLOSE_ON(tomorrow, 1, 200), "bad-value", "date"); /* as before */
    pay(client, "p-4", 1, 200, "cash", &number);
    assert_int_equal(number.date, hs_day_after(day));
}

/* Money that was handed over is written down, whatever is said of the window: in the book of the day that it works on.
 */
static void a_paused_window_takes_money_all_the_same(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct hs_number number;
    uint32_t day = today(desk);
    assert_result(open_window(client, 3, 500), CREATED);
    assert_result(WINDOW_EVENT(.has_window = true, .window = 3, .event = TEXT("pause")), CREATED);
    pay(client, "p-1", 3, 100, "cash", &number);
    assert_int_equal(number.date, day);
    assert_int_equal(number.window, 3);
    assert_null(reverse(client, "p-1", "r-1")->error);
    pay(client, "p-2", 3, 300, "cash", &number);
    assert_result(close_window(client, 3, 800), CREATED); /* the reversal was at this window, too */
    pay(client, "p-3", 3, 50, "cash", &number);           /* closed, and not opened again */
    assert_int_equal(number.date, hs_day_after(day));
}

/* What has come of a closed day and is in no close yet keeps it open: nobody has signed it. */
static void a_receipt_that_no_close_names_keeps_the_day_open(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct hs_number number;
    char id[HS_NUMBER_BYTES_MAX];
    uint32_t day = today(desk);
    pay(client, "p-1", 0, 100, "cash", &number);
    assert_result(close_day(client), CREATED);
    assert_string_equal(books(client, NULL, day)->books[0]->books, "unanswered");
    snprintf(id, sizeof id, "nj-gulou-%08u-00-ANYWAY-000001", (unsigned)day);
    write_entry(desk, id, 250);
    const Hallsync__Book *book = books(client, NULL, day)->books[0];
    assert_string_equal(book->books, "open");
    assert_int_equal(book->later_fen, 250);
    assert_result(close_day(client), CREATED);
    book = books(client, NULL, day)->books[0];
    assert_string_equal(book->books, "unanswered");
    assert_int_equal(book->closed_fen, 350);
    assert_int_equal(book->twice_entries, 0);
}

/* ---- handing-in ---- */

static const Hallsync__PutResult *hand_in(struct client *client, const char *id, int64_t fen, const char *close_id)
{
    Hallsync__HandedClose closed = {MESSAGE(handed_close), .close_id = TEXT(close_id)};
    Hallsync__HandedClose *closes[] = {&closed};
    Hallsync__HandingIn handed = {MESSAGE(handing_in),    .handing_in_id = TEXT(id), .date = TEXT("2026-11-22"),
                                  .has_amount_fen = true, .amount_fen = fen,         .slip_no = TEXT("S-17"),
                                  .clerk = TEXT("王芳"),  .closes = closes,          .n_closes = 1};
    return put(client, &(struct putting){.kind = HS_KIND_HANDING_IN, .message = &handed.base});
}

static void money_is_handed_in_for_closes(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    struct hs_number number;
    char close_id[HS_RECORD_ID_BYTES_MAX + 1];
    pay(client, "p-1", 0, 5000, "cash", &number);
    const Hallsync__PutResult *closed = close_day(client);
    assert_result(closed, CREATED);
    snprintf(close_id, sizeof close_id, "%s", closed->receipt);
    assert_refused(hand_in(client, "h-0", 5000, "nj-gulou-20260101-hall-AAAAAAAA"), "not-found", "closes");
    assert_result(hand_in(client, "h-1", 3000, close_id), CREATED);
    assert_result(hand_in(client, "h-1", 3000, close_id), EXISTS);
    assert_refused(hand_in(client, "h-1", 4000, close_id), "id-in-use", NULL);
    assert_result(hand_in(client, "h-2", 2000, close_id), CREATED);
    const Hallsync__BooksReply *reply = books(client, "nj-gulou", 0);
    assert_int_equal(reply->books[0]->handed_fen, 5000);
    assert_int_equal(reply->books[0]->n_closes, 1);
    const Hallsync__BookClose *close = reply->books[0]->closes[0];
    assert_string_equal(close->close_id, close_id);
    assert_string_equal(close->node, "nj-gulou");
    assert_true(close->n > 0);
    assert_int_equal(close->n_answers, 0);
}

/* Another hall says that it has handed in this one's money. */
static void a_slip_of_a_stranger_is_of_nobodys_money(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct world_node *stranger = calloc(1, sizeof *stranger);
    struct hs_number number;
    struct hs_buf handed = {0}, closes = {0};
    static const uint8_t ID[HS_ID_BYTES] = {9};
    char close_id[HS_RECORD_ID_BYTES_MAX + 1];
    pay(client, "p-1", 0, 5000, "cash", &number);
    snprintf(close_id, sizeof close_id, "%s", close_day(client)->receipt);
    assert_result(hand_in(client, "h-1", 3000, close_id), CREATED);
    hs_tlv_put_text(&closes, 1, close_id);
    hs_tlv_put_text(&handed, 2, "2026-11-22");
    hs_tlv_put_u64(&handed, 3, 2000);
    hs_tlv_put_text(&handed, 4, "S-18");
    hs_tlv_put_text(&handed, 6, "x");
    hs_tlv_put_bytes(&handed, 7, hs_buf_bytes(&closes));
    hs_tlv_put_text(&handed, 9, "nj-gulou");
    world_add(desk->office.region, stranger, "nj-pukou", HS_ROLE_HALL);
    world_open(stranger, true);
    write_fact(stranger, HS_KIND_HANDING_IN, HS_BYTES(ID, sizeof ID), &handed);
    world_carry(stranger, leave(desk));
    come_back(desk);
    assert_int_equal(books(client, "nj-gulou", 0)->books[0]->handed_fen, 3000);
    world_drop(stranger);
    free(stranger);
    hs_buf_fini(&handed);
    hs_buf_fini(&closes);
}

static void books_that_cannot_be_shown_are_refused(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__BooksRequest body = HALLSYNC__BOOKS_REQUEST__INIT;
    Hallsync__Request request = REQUEST(books, BOOKS, &body);
    body.has_date = true;
    body.date = 20261341;
    assert_string_equal(client_ask(client, &request)->error, "bad-value");
    body.date = 20261121;
    body.hall = TEXT("nobody-here");
    assert_string_equal(client_ask(client, &request)->error, "not-found");
    body.hall = TEXT("No node");
    assert_string_equal(client_ask(client, &request)->error, "bad-value");
    body.hall = NULL;
    const Hallsync__Reply *reply = client_ask(client, &request);
    assert_null(reply->error);
    assert_int_equal(reply->books->n_books, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(windows_are_opened_paused_and_closed, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(events_that_make_no_sense_are_refused, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(cash_is_held_against_the_books, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(what_comes_behind_a_close_is_of_the_next_day, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(an_open_window_keeps_the_day_open, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_close_sent_again_is_the_same_close, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_day_of_a_wrong_clock_can_be_closed, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_paused_window_takes_money_all_the_same, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_receipt_that_no_close_names_keeps_the_day_open, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(money_is_handed_in_for_closes, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(a_slip_of_a_stranger_is_of_nobodys_money, open_desk, close_desk),
        cmocka_unit_test_setup_teardown(books_that_cannot_be_shown_are_refused, open_desk, close_desk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
