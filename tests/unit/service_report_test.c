/* service_report_test.c -- reports through the local API: a hall's day, and who has not paid in time. */
#include "tests/unit/service_desk.h"

#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "storage/model/close.h"

#define CREATED HALLSYNC__RESULT__RESULT_CREATED
#define DAY_MS  86400000

static const Hallsync__Reply *ask_day(struct client *client, const char *hall, uint32_t date)
{
    Hallsync__DayReportRequest body = HALLSYNC__DAY_REPORT_REQUEST__INIT;
    body.hall = TEXT(hall);
    body.has_date = date != 0;
    body.date = date;
    Hallsync__Request request = REQUEST(day_report, DAY_REPORT, &body);
    return client_ask(client, &request);
}

static const Hallsync__DayReportReply *day_of(struct client *client, uint32_t date)
{
    const Hallsync__Reply *reply = ask_day(client, NULL, date);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    return reply->day_report;
}

static int open_desk(void **state)
{
    struct desk *desk = make_desk(HS_ROLE_HALL);
    struct client *client = &desk->client;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("陈"), .phone = TEXT("13800000000")), CREATED);
    *state = desk;
    return 0;
}

/* ---- a day ---- */

static void assert_money(const Hallsync__DayReportReply *day, const char *what, const char *method, const char *purpose,
                         uint64_t count, int64_t fen)
{
    uint64_t found = 0;
    int64_t sum = 0;
    for (size_t i = 0; i < day->n_money; i++) {
        const Hallsync__DayMoney *money = day->money[i];
        if (strcmp(money->what, what) != 0 || strcmp(money->method, method) != 0 ||
            strcmp(money->purpose, purpose) != 0)
            continue;
        found += money->count;
        sum += money->sum_fen;
    }
    assert_int_equal(found, count);
    assert_int_equal(sum, fen);
}

static uint32_t date_of(const char *receipt)
{
    struct hs_number number;
    assert_true(hs_number_parse(HS_BYTES(receipt, strlen(receipt)), &number));
    return number.date;
}

static void money_is_told_apart_by_what_it_is(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__PaymentPart part = HALLSYNC__PAYMENT_PART__INIT, *parts[] = {&part};
    part.bill_id = TEXT("B-1");
    part.has_amount_fen = true;
    part.amount_fen = 300;
    uint32_t date = date_of(PAY(.account = TEXT(ACCOUNT), .amount_fen = 1000, .bill_id = TEXT("B-1"))->receipt);
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 500, .method = TEXT("cheque"), .slip_no = TEXT("S-1"),
                      .parts = parts, .n_parts = 1, .payment_id = TEXT("p-2")),
                  CREATED);
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 70, .purpose = TEXT("topup"), .card_no = TEXT("E-1"),
                      .has_card_counter = true, .card_counter = 1),
                  CREATED);
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 20, .purpose = TEXT("fee"), .window = 4), CREATED);
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 9), CREATED);
    assert_null(reverse(client, "p-2", "r-2")->error);
    const Hallsync__DayReportReply *day = day_of(client, date);
    assert_money(day, "payment", "cash", "bill", 1, 1000);
    assert_money(day, "payment", "cheque", "bill", 1, 500);
    assert_money(day, "payment", "cash", "topup", 1, 70);
    assert_money(day, "payment", "cash", "fee", 1, 20);
    assert_money(day, "payment", "cash", "advance", 1, 9);
    assert_money(day, "reversal", "cheque", "bill", 1, -500);
    assert_int_equal(day->n_money, 6);
    assert_int_equal(day->entries, 6);
    assert_int_equal(day->sum_fen, 1099);
    assert_int_equal(day->payments, 5);
    assert_int_equal(day->payments_fen, 1599);
    assert_int_equal(day->reversals, 1);
    assert_int_equal(day->reversals_fen, 500);
    assert_int_equal(day->topups, 1);
    assert_int_equal(day->topups_fen, 70);
    assert_int_equal(day->advance_fen, 200 + 9);
    assert_int_equal(day->n_windows, 3); /* none, the fee's and the reversal's */
    assert_int_equal(day->windows[2]->window, 4);
    assert_int_equal(day->windows[2]->sum_fen, 20);
    assert_string_equal(day->books, "open");
}

static const Hallsync__PutResult *rate(struct client *client, const char *of, uint32_t score)
{
    struct hs_id id;
    bool hashed;
    assert_int_equal(hs_id_from_text(of, strlen(of), &id, &hashed), HS_OK);
    Hallsync__Rating rating = {MESSAGE(rating), .of_kind = TEXT("payment"), .has_of_id = true};
    rating.of_id = (ProtobufCBinaryData){.len = sizeof id.bytes, .data = id.bytes};
    rating.has_score = true;
    rating.score = score;
    return put(client, &(struct putting){.kind = HS_KIND_RATING, .message = &rating.base});
}

static void a_local_day_lies_in_two_of_utc(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    static const struct {
        const char *of;
        int minutes; /* from the day's midnight */
        uint32_t score;
    } RATINGS[] = {{"a", -30, 1}, {"b", 30, 5}, {"c", 12 * 60, 4}, {"d", 24 * 60 - 30, 3}, {"e", 24 * 60 + 30, 1}};
    uint64_t local = WORLD_START_MS + (uint64_t)OFFICE_UTC_OFFSET * 60000;
    uint64_t midnight = (local / DAY_MS + 2) * DAY_MS - (uint64_t)OFFICE_UTC_OFFSET * 60000;
    for (size_t i = 0; i < sizeof RATINGS / sizeof *RATINGS; i++) {
        desk->office.region->now_ms = (uint64_t)((int64_t)midnight + (int64_t)RATINGS[i].minutes * 60000);
        assert_result(rate(client, RATINGS[i].of, RATINGS[i].score), CREATED);
    }
    const Hallsync__DayReportReply *day = day_of(client, hs_date_of(midnight, OFFICE_UTC_OFFSET));
    assert_int_equal(day->ratings, 3);
    assert_int_equal(day->rating_sum, 12);
    assert_int_equal(day->n_scores, 5);
    assert_int_equal(day->scores[0], 0);
    assert_int_equal(day->scores[4], 1);
}

static void only_what_is_asked_for_well_is_answered(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_string_equal(ask_day(client, "nj-nowhere", 0)->error, "not-found");
    assert_string_equal(ask_day(client, "No Hall", 0)->error, "bad-value");
    assert_string_equal(ask_day(client, NULL, 20261131)->error, "bad-value");
    const Hallsync__DayReportReply *day = day_of(client, 20200101);
    assert_string_equal(day->date, "2020-01-01");
    assert_string_equal(day->hall, "nj-gulou");
    assert_int_equal(day->entries, 0);
    assert_int_equal(day->n_money, 0);
    assert_false(day->has_wait_ms);
}

/* ---- arrears ---- */

static void owe(struct client *client, const char *bill, const char *account, int64_t fen, int days_from_now)
{
    char text[HS_TIME_TEXT_BYTES];
    assert_result(BILL(.bill_id = TEXT(bill), .account = TEXT(account), .amount_fen = fen,
                       .due_date = TEXT(day_text(days_from_now, text))),
                  CREATED);
}

struct asking {
    const char *after;
    uint32_t limit, days, district;
    uint64_t fen;
};

static const Hallsync__Reply *ask_arrears(struct client *client, struct asking asking)
{
    Hallsync__ArrearsRequest body = HALLSYNC__ARREARS_REQUEST__INIT;
    body.after = TEXT(asking.after);
    body.has_limit = asking.limit != 0;
    body.limit = asking.limit;
    body.has_days = asking.days != 0;
    body.days = asking.days;
    body.has_district = asking.district != 0;
    body.district = asking.district;
    body.has_fen = asking.fen != 0;
    body.fen = asking.fen;
    Hallsync__Request request = REQUEST(arrears, ARREARS, &body);
    return client_ask(client, &request);
}
#define ARREARS(...) ask_arrears(client, (struct asking){__VA_ARGS__})->arrears

static void open_accounts(struct client *client)
{
    assert_result(CUSTOMER(.account = TEXT("3201000888"), .name = TEXT("王")), CREATED);
    assert_result(CUSTOMER(.account = TEXT("3201000999"), .name = TEXT("李")), CREATED);
    owe(client, "B-1", ACCOUNT, 1000, -3);
    owe(client, "B-2", ACCOUNT, 500, -40);
    owe(client, "B-3", ACCOUNT, 700, 0);       /* today is the last day */
    owe(client, "B-4", "3201000777", 90, -1);  /* no customer that is known */
    owe(client, "B-5", "3201000888", 60, -9);  /* paid */
    owe(client, "B-6", "3201000999", 60, -9);  /* half paid */
    owe(client, "B-7", "3201000999", 10, -20); /* paid too much: that is taken off nothing */
    assert_result(PAY(.account = TEXT("3201000888"), .amount_fen = 60, .bill_id = TEXT("B-5")), CREATED);
    assert_result(PAY(.account = TEXT("3201000999"), .amount_fen = 30, .bill_id = TEXT("B-6")), CREATED);
    assert_result(PAY(.account = TEXT("3201000999"), .amount_fen = 90, .bill_id = TEXT("B-7")), CREATED);
}

static void who_is_late_is_told_with_what_is_due_now(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char text[HS_TIME_TEXT_BYTES];
    open_accounts(client);
    const Hallsync__ArrearsReply *reply = ARREARS(0);
    assert_int_equal(reply->n_accounts, 3);
    assert_null(reply->next);
    const Hallsync__Arrears *owes = reply->accounts[0];
    assert_string_equal(owes->account, ACCOUNT);
    assert_int_equal(owes->due_fen, 1500);
    assert_int_equal(owes->late_fen, 0);
    assert_int_equal(owes->bills, 2);
    assert_int_equal(owes->days, 40);
    assert_string_equal(owes->oldest, day_text(-40, text));
    assert_string_equal(owes->name, "陈");
    assert_string_equal(owes->phone, "13800000000");
    owes = reply->accounts[1];
    assert_string_equal(owes->account, "3201000777");
    assert_int_equal(owes->days, 1);
    assert_null(owes->name);
    owes = reply->accounts[2];
    assert_int_equal(owes->due_fen, 30);
    assert_int_equal(owes->days, 9);
    assert_int_equal(owes->bills, 1);
    assert_int_equal(owes->late_fen, 0);
    assert_int_equal(ARREARS(.days = 10)->n_accounts, 1);
    assert_int_equal(ARREARS(.days = 9)->n_accounts, 2);
    assert_int_equal(ARREARS(.fen = 90)->n_accounts, 2);
    assert_int_equal(ARREARS(.fen = 91)->n_accounts, 1);
    assert_int_equal(ARREARS(.district = 3201)->n_accounts, 3);
    assert_int_equal(ARREARS(.district = 3202)->n_accounts, 0);
}

static void a_page_goes_on_where_the_last_one_ended(void **state)
{
    static const char *const WANTED[] = {ACCOUNT, "3201000777", "3201000999"};
    struct client *client = &((struct desk *)*state)->client;
    char after[16] = "";
    size_t found = 0, pages = 0;
    open_accounts(client);
    for (bool more = true; more; pages++) {
        const Hallsync__ArrearsReply *reply = ARREARS(.limit = 1, .after = after[0] != '\0' ? after : NULL);
        for (size_t i = 0; i < reply->n_accounts; i++) {
            assert_true(found < 3);
            assert_string_equal(reply->accounts[i]->account, WANTED[found++]);
        }
        assert_true(reply->n_accounts <= 1 && pages < 10);
        more = reply->next != NULL;
        if (more)
            snprintf(after, sizeof after, "%s", reply->next);
    }
    assert_int_equal(found, 3);
    assert_string_equal(ask_arrears(client, (struct asking){.after = "3201"})->error, "bad-value");
    assert_string_equal(ask_arrears(client, (struct asking){.district = 10000})->error, "bad-value");
    assert_string_equal(ask_arrears(client, (struct asking){.fen = UINT64_MAX})->error, "bad-value");
}

/* The amount was paid, late: what is still asked for is the late fee. */
static void a_late_fee_alone_is_owed_too(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char due[HS_TIME_TEXT_BYTES], from[HS_TIME_TEXT_BYTES];
    Hallsync__LateFee fee = HALLSYNC__LATE_FEE__INIT, *fees[] = {&fee};
    fee.date = TEXT(day_text(-5, from));
    fee.has_amount_fen = true;
    fee.amount_fen = 30;
    assert_result(BILL(.bill_id = TEXT("B-1"), .account = TEXT(ACCOUNT), .amount_fen = 1000,
                       .due_date = TEXT(day_text(-9, due)), .late_fees = fees, .n_late_fees = 1),
                  CREATED);
    ((struct desk *)*state)->office.region->now_ms = hs_now_ms();
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 1000, .bill_id = TEXT("B-1")), CREATED);
    assert_int_equal(ARREARS(0)->accounts[0]->due_fen, 30);
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 10, .bill_id = TEXT("B-1")), CREATED);
    const Hallsync__ArrearsReply *reply = ARREARS(0);
    assert_int_equal(reply->n_accounts, 1);
    assert_int_equal(reply->accounts[0]->due_fen, 20);
    assert_int_equal(reply->accounts[0]->late_fen, 20);
}

/* More accounts, or bills, than one request looks at: pages may be empty, and the last one is not lost. */
static void put_many(struct client *client, const char *status, size_t of_account)
{
    enum { MANY = 5000, GROUP = 500 };
    Hallsync__PutRecord *records[GROUP];
    static Hallsync__PutRecord room[GROUP];
    static uint8_t bytes[GROUP][64];
    for (size_t i = 0; i < MANY; i++) {
        char bill[16], account[16];
        Hallsync__Bill message = {MESSAGE(bill), .has_amount_fen = true, .amount_fen = 5};
        snprintf(bill, sizeof bill, "M-%zu", i);
        snprintf(account, sizeof account, "32013%05zu", i / of_account);
        message.bill_id = bill;
        message.account = account;
        message.due_date = TEXT("2999-01-01");
        message.status = TEXT(status);
        records[i % GROUP] = &room[i % GROUP];
        hallsync__put_record__init(&room[i % GROUP]);
        room[i % GROUP].record.data = bytes[i % GROUP];
        room[i % GROUP].record.len = hallsync__bill__pack(&message, bytes[i % GROUP]);
        if (i % GROUP != GROUP - 1)
            continue;
        Hallsync__PutRequest body = HALLSYNC__PUT_REQUEST__INIT;
        body.kind = HS_KIND_BILL;
        body.records = records;
        body.n_records = GROUP;
        Hallsync__Request request = REQUEST(put, PUT, &body);
        assert_null(client_ask(client, &request)->error);
    }
}

static void expect_after_an_empty_page(struct client *client, const char *account)
{
    const Hallsync__ArrearsReply *reply = ARREARS(0);
    assert_int_equal(reply->n_accounts, 0);
    assert_non_null(reply->next);
    char after[16];
    snprintf(after, sizeof after, "%s", reply->next);
    reply = ARREARS(.after = after);
    assert_int_equal(reply->n_accounts, 1);
    assert_string_equal(reply->accounts[0]->account, account);
    assert_null(reply->next);
}

static void many_who_owe_nothing_are_passed_over(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    put_many(client, "cancelled", 1);
    owe(client, "B-1", "3201999999", 1000, -3);
    expect_after_an_empty_page(client, "3201999999");
}

static void many_bills_that_have_time_are_passed_over(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    put_many(client, NULL, 1000);
    owe(client, "B-1", "3201999999", 1000, -3);
    expect_after_an_empty_page(client, "3201999999");
}

/* They are counted for each account by itself. */
static void an_account_is_looked_at_whole(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    put_many(client, NULL, 2500);
    owe(client, "Z-1", "3201300001", 1000, -3);
    const Hallsync__ArrearsReply *reply = ARREARS(0);
    assert_int_equal(reply->n_accounts, 1);
    assert_int_equal(reply->accounts[0]->due_fen, 1000);
}

/* Of one with more bills than anybody has only so many are looked at; who comes behind it is told nevertheless. */
static void an_account_of_too_many_bills_holds_up_nobody(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    put_many(client, NULL, 5000);
    owe(client, "Z-1", "3201300000", 1000, -3); /* behind the others of its account */
    owe(client, "B-1", "3201999999", 1000, -3);
    assert_false(ARREARS(.district = 3201)->complete);
    expect_after_an_empty_page(client, "3201999999");
}

#define IN_HALL(test) cmocka_unit_test_setup_teardown(test, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HALL(money_is_told_apart_by_what_it_is),
        IN_HALL(a_local_day_lies_in_two_of_utc),
        IN_HALL(only_what_is_asked_for_well_is_answered),
        IN_HALL(who_is_late_is_told_with_what_is_due_now),
        IN_HALL(a_late_fee_alone_is_owed_too),
        IN_HALL(a_page_goes_on_where_the_last_one_ended),
        IN_HALL(many_bills_that_have_time_are_passed_over),
        IN_HALL(an_account_is_looked_at_whole),
        IN_HALL(an_account_of_too_many_bills_holds_up_nobody),
        IN_HALL(many_who_owe_nothing_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
