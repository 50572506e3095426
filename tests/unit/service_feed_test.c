/* service_feed_test.c -- what a consumer of the change feed is told of, who asks for kinds, districts and fields: no
 * more, no less, in bounded answers, and nothing is gone over twice. */
#include "storage/model/where.h"
#include "tests/unit/service_desk.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct feed {
    Hallsync__WatchRequest body;
    Hallsync__Position from;
    uint32_t kinds[2];
    uint32_t districts[2];
    Hallsync__WatchWhere where[2];
    Hallsync__WatchWhere *where_list[2];
    char *values[2][2];
};

static struct client *client_of(void **state)
{
    return &((struct desk *)*state)->client;
}

/* From now on. */
static void begin(struct client *client, struct feed *feed)
{
    *feed = (struct feed){.from = HALLSYNC__POSITION__INIT};
    hallsync__watch_request__init(&feed->body);
    Hallsync__Request request = REQUEST(watch, WATCH, &feed->body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    assert_null(reply->error);
    feed->from = *reply->watch->position;
    feed->body.from = &feed->from;
    feed->body.kinds = feed->kinds;
    feed->body.districts = feed->districts;
    feed->body.where = feed->where_list;
}

static void of_kind(struct feed *feed, uint32_t kind)
{
    feed->kinds[feed->body.n_kinds++] = kind;
}

static void where(struct feed *feed, const char *field, const char *value)
{
    size_t at = feed->body.n_where++;
    hallsync__watch_where__init(&feed->where[at]);
    feed->values[at][0] = TEXT(value);
    feed->where[at].field = TEXT(field);
    feed->where[at].values = feed->values[at];
    feed->where[at].n_values = 1;
    feed->where_list[at] = &feed->where[at];
}

static const Hallsync__WatchReply *ask(struct client *client, struct feed *feed)
{
    Hallsync__Request request = REQUEST(watch, WATCH, &feed->body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    return reply->watch;
}

/* The next answer: ids of its records, "b-1 b-2", and the feed goes on from there. */
static const char *next(struct client *client, struct feed *feed)
{
    static char ids[512];
    size_t used = 0;
    const Hallsync__WatchReply *reply = ask(client, feed);
    ids[0] = '\0';
    for (size_t i = 0; i < reply->n_records && used < sizeof ids; i++)
        used += (size_t)snprintf(ids + used, sizeof ids - used, "%s%s", i == 0 ? "" : " ", reply->records[i]->id);
    feed->from = *reply->position;
    return ids;
}

static void refused(struct client *client, struct feed *feed, const char *error, const char *why)
{
    Hallsync__Request request = REQUEST(watch, WATCH, &feed->body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    assert_non_null(reply->error);
    assert_string_equal(reply->error, error);
    if (strstr(reply->text, why) == NULL)
        fail_msg("%s", reply->text);
}

static void two_customers_and_their_bills(struct client *client)
{
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(CUSTOMER(.account = TEXT(OTHER_ACCOUNT), .name = TEXT("y")), HALLSYNC__RESULT__RESULT_CREATED);
    BILL(.bill_id = TEXT("b-1"), .account = TEXT(ACCOUNT), .amount_fen = 500, .period = TEXT("2026-10"));
    BILL(.bill_id = TEXT("b-2"), .account = TEXT(ACCOUNT), .amount_fen = 700, .period = TEXT("2026-11"));
    BILL(.bill_id = TEXT("b-3"), .account = TEXT(OTHER_ACCOUNT), .amount_fen = 900, .period = TEXT("2026-11"));
}

static void a_field_filters_what_is_told(void **state)
{
    struct client *client = client_of(state);
    struct feed feed;
    begin(client, &feed);
    two_customers_and_their_bills(client);
    struct feed narrow = feed;
    narrow.body.from = &narrow.from;
    narrow.body.kinds = narrow.kinds;
    narrow.body.where = narrow.where_list;
    where(&narrow, "period", "2026-11"); /* only bills have it */
    assert_string_equal(next(client, &narrow), "b-2 b-3");
    assert_string_equal(next(client, &narrow), "");

    begin(client, &feed);
    where(&feed, "account", OTHER_ACCOUNT);
    BILL(.bill_id = TEXT("b-1"), .account = TEXT(ACCOUNT), .amount_fen = 501);
    BILL(.bill_id = TEXT("b-3"), .account = TEXT(OTHER_ACCOUNT), .amount_fen = 901);
    CUSTOMER(.account = TEXT(OTHER_ACCOUNT), .phone = TEXT("2"));
    assert_string_equal(next(client, &feed), "b-3 " OTHER_ACCOUNT);

    begin(client, &feed); /* as it stands after the change, whatever the change was */
    of_kind(&feed, HS_KIND_BILL);
    where(&feed, "status", "cancelled");
    BILL(.bill_id = TEXT("b-1"), .account = TEXT(ACCOUNT), .status = TEXT("cancelled"));
    BILL(.bill_id = TEXT("b-2"), .account = TEXT(ACCOUNT), .amount_fen = 702);
    assert_string_equal(next(client, &feed), "b-1");
}

static void a_district_filters_what_is_told(void **state)
{
    struct client *client = client_of(state);
    struct feed feed;
    begin(client, &feed);
    feed.districts[feed.body.n_districts++] = 3299;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 5);
    PAY(.payment_id = TEXT("p-2"), .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 6);
    assert_string_equal(next(client, &feed), "p-2");
    feed.districts[feed.body.n_districts++] = 3201;
    CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("2"));
    assert_string_equal(next(client, &feed), ACCOUNT);
}

/* A bill is paid by a payment, and a ticket moved by its event: nobody writes to the bill or the ticket. */
static void what_is_derived_is_told_with_what_it_comes_from(void **state)
{
    struct client *client = client_of(state);
    struct feed bills, tickets;
    two_customers_and_their_bills(client);
    assert_null(
        TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("complaint"), .summary = TEXT("s"), .account = TEXT(ACCOUNT))
            ->error);
    begin(client, &bills);
    of_kind(&bills, HS_KIND_BILL);
    where(&bills, "state", "paid");
    begin(client, &tickets);
    of_kind(&tickets, HS_KIND_TICKET);
    where(&tickets, "state", "accepted");
    PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 500, .bill_id = TEXT("b-1"));
    PAY(.payment_id = TEXT("p-2"), .account = TEXT(OTHER_ACCOUNT), .amount_fen = 500, .bill_id = TEXT("b-3"));
    assert_string_equal(next(client, &bills), "b-1");
    assert_string_equal(next(client, &tickets), "");
    assert_null(EVENT(.ticket_id = {3, (uint8_t *)TEXT("t-1")}, .state = TEXT("accepted"))->error);
    assert_string_equal(next(client, &tickets), "t-1");
    assert_string_equal(next(client, &bills), "");

    Hallsync__PaymentPart parts[] = {HALLSYNC__PAYMENT_PART__INIT, HALLSYNC__PAYMENT_PART__INIT};
    Hallsync__PaymentPart *list[] = {&parts[0], &parts[1]};
    parts[0].bill_id = TEXT("b-2");
    parts[1].bill_id = TEXT("b-1");
    for (size_t i = 0; i < COUNT(parts); i++)
        parts[i].has_amount_fen = true;
    parts[0].amount_fen = 700;
    parts[1].amount_fen = 1;
    assert_null(PAY(.payment_id = TEXT("p-3"), .account = TEXT(ACCOUNT), .amount_fen = 701, .parts = list, .n_parts = 2)
                    ->error);
    assert_string_equal(next(client, &bills), "b-2"); /* of b-1 too much is paid */

    struct feed open;
    begin(client, &open);
    of_kind(&open, HS_KIND_BILL);
    where(&open, "state", "open");
    Hallsync__ReverseRequest reverse = HALLSYNC__REVERSE_REQUEST__INIT;
    reverse.payment_id = TEXT("p-3");
    reverse.clerk = TEXT("c");
    reverse.second = TEXT("d");
    reverse.reason = TEXT("r");
    Hallsync__Request request = REQUEST(reverse, REVERSE, &reverse);
    assert_null(client_ask(client, &request)->put->results[0]->error);
    assert_string_equal(next(client, &open), "b-2"); /* by way of the payment */
}

static void what_cannot_be_asked_is_refused(void **state)
{
    struct client *client = client_of(state);
    struct feed feed;
    begin(client, &feed);
    where(&feed, "colour", "red");
    refused(client, &feed, "unknown-field", "colour");
    begin(client, &feed);
    of_kind(&feed, HS_KIND_BILL);
    of_kind(&feed, HS_KIND_CUSTOMER);
    where(&feed, "period", "2026-11"); /* a customer was named, and has none */
    refused(client, &feed, "unknown-field", "customer");
    begin(client, &feed);
    where(&feed, "period", "November"); /* whatever other kinds lack the field */
    refused(client, &feed, "bad-value", "period");
    begin(client, &feed);
    feed.districts[feed.body.n_districts++] = 12345;
    refused(client, &feed, "bad-value", "12345");
    begin(client, &feed);
    where(&feed, "period", "2026-11");
    feed.where[0].n_values = 0;
    refused(client, &feed, "bad-value", "values");
    Hallsync__WatchWhere *many[HS_WHERE_FIELDS_MAX + 1];
    begin(client, &feed);
    where(&feed, "period", "2026-11");
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = &feed.where[0];
    feed.body.where = many;
    feed.body.n_where = COUNT(many);
    refused(client, &feed, "too-big", "at most");
}

/* ---- bounds ---- */

enum { MANY = 6000, PER_PUT = 1000 };

static void put_many(struct client *client)
{
    static char accounts[PER_PUT][HS_ACCOUNT_DIGITS + 1];
    static Hallsync__PutRecord records[PER_PUT];
    static Hallsync__PutRecord *list[PER_PUT];
    for (unsigned at = 0; at < MANY; at += PER_PUT) {
        struct hs_buf packed = {0};
        size_t ends[PER_PUT];
        for (unsigned i = 0; i < PER_PUT; i++) {
            Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
            snprintf(accounts[i], sizeof accounts[i], "3201%06u", at + i);
            customer.account = accounts[i];
            customer.name = TEXT("z");
            hs_msg_pack(&customer.base, &packed);
            ends[i] = packed.size;
        }
        for (unsigned i = 0; i < PER_PUT; i++) {
            size_t start = i == 0 ? 0 : ends[i - 1];
            hallsync__put_record__init(&records[i]);
            records[i].record = (ProtobufCBinaryData){ends[i] - start, packed.data + start};
            list[i] = &records[i];
        }
        Hallsync__PutRequest body = HALLSYNC__PUT_REQUEST__INIT;
        body.kind = HS_KIND_CUSTOMER;
        body.records = list;
        body.n_records = PER_PUT;
        Hallsync__Request request = REQUEST(put, PUT, &body);
        assert_null(client_ask(client, &request)->error);
        hs_buf_fini(&packed);
    }
}

/* An answer ends after so much in vain; what was gone over is not gone over again. */
static void what_does_not_fit_is_gone_over_once_in_bounded_answers(void **state)
{
    struct client *client = client_of(state);
    struct feed feed;
    unsigned answers = 0;
    begin(client, &feed);
    uint64_t start = feed.from.commit;
    put_many(client);
    uint64_t end = status(client)->commit;
    feed.body.has_wait_ms = true;
    feed.body.wait_ms = 5000; /* an answer that is told because of its bound does not wait */
    where(&feed, "phone", "1");
    while (feed.from.commit < end) {
        uint64_t commit = feed.from.commit, ops = feed.from.ops;
        feed.body.wait_ms = 0;
        assert_string_equal(next(client, &feed), "");
        assert_true(feed.from.commit > commit || feed.from.ops > ops);
        answers++;
    }
    assert_true(start < end);
    assert_in_range(answers, 2, 4);
    assert_false(feed.from.has_ops);
    CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("1"));
    assert_string_equal(next(client, &feed), ACCOUNT);
}

/* Asked for what never comes, a waiting consumer is told at the end how far it was looked. */
static void a_waiting_consumer_gets_on_though_nothing_fits(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct client watcher;
    struct feed feed;
    client_open(&watcher, &desk->office, ZMQ_DEALER);
    begin(&watcher, &feed);
    where(&feed, "phone", "1");
    feed.body.has_wait_ms = true;
    feed.body.wait_ms = 1000;
    Hallsync__Request request = REQUEST(watch, WATCH, &feed.body);
    client_send(&watcher, &request);
    assert_null(client_receive(&watcher, 50)); /* it waits */
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    uint64_t commit = status(client)->commit;
    const Hallsync__Reply *reply = client_receive(&watcher, ANSWER_MS);
    assert_int_equal(reply->watch->n_records, 0);
    assert_int_equal(reply->watch->position->commit, commit);
    client_close(&watcher);
}

/* Found by tests/system/bulk.py: a commit behind the one for which the records were being brought up to date was
 * overlooked, and told of only when the consumer's time was over. */
static void no_commit_is_overlooked_while_somebody_waits(void **state)
{
    enum { ROUNDS = 150, SOON_MS = 10000 };
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct client watcher;
    unsigned told = 0;
    two_customers_and_their_bills(client);
    client_open(&watcher, &desk->office, ZMQ_DEALER);
    for (unsigned round = 0; round < ROUNDS; round++) {
        char phone[16];
        struct feed feed;
        snprintf(phone, sizeof phone, "%u", round);
        begin(&watcher, &feed);
        where(&feed, "phone", phone);
        feed.body.has_wait_ms = true;
        feed.body.wait_ms = 60000;
        Hallsync__Request request = REQUEST(watch, WATCH, &feed.body);
        client_send(&watcher, &request);
        for (unsigned i = 0; i < 3; i++)
            CUSTOMER(.account = TEXT(OTHER_ACCOUNT), .phone = TEXT(i == 1 ? "-" : "+"));
        CUSTOMER(.account = TEXT(ACCOUNT), .phone = phone);
        const Hallsync__Reply *reply = client_receive(&watcher, SOON_MS);
        told += reply != NULL && reply->watch->n_records == 1;
        if (reply == NULL)
            break;
    }
    client_close(&watcher);
    assert_int_equal(told, ROUNDS);
}

/* ---- is it news? ---- */

static void copy_change(const Hallsync__Record *record, uint8_t change[static 16])
{
    assert_true(record->has_change);
    assert_int_equal(record->change.len, 16);
    memcpy(change, record->change.data, 16);
}

static void a_change_has_a_name(void **state)
{
    struct client *client = client_of(state);
    struct feed feed;
    uint8_t told[4][16];
    begin(client, &feed);
    of_kind(&feed, HS_KIND_CUSTOMER);
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    copy_change(ask(client, &feed)->records[0], told[0]);
    copy_change(ask(client, &feed)->records[0], told[1]); /* the same again */
    assert_memory_equal(told[0], told[1], 16);
    Hallsync__FindRequest all = HALLSYNC__FIND_REQUEST__INIT;
    all.kind = HS_KIND_CUSTOMER;
    copy_change(find(client, &all)->records->records[0], told[1]); /* as a list has it */
    assert_memory_equal(told[0], told[1], 16);

    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("y")), HALLSYNC__RESULT__RESULT_CHANGED);
    copy_change(ask(client, &feed)->records[0], told[2]);
    assert_memory_not_equal(told[0], told[2], 16);
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CHANGED);
    copy_change(ask(client, &feed)->records[0], told[3]); /* it reads as before, and was written since */
    assert_memory_not_equal(told[0], told[3], 16);
    assert_memory_not_equal(told[2], told[3], 16);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_hall, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_field_filters_what_is_told),
        CASE(a_district_filters_what_is_told),
        CASE(what_is_derived_is_told_with_what_it_comes_from),
        CASE(what_cannot_be_asked_is_refused),
        CASE(what_does_not_fit_is_gone_over_once_in_bounded_answers),
        CASE(a_waiting_consumer_gets_on_though_nothing_fits),
        CASE(no_commit_is_overlooked_while_somebody_waits),
        CASE(a_change_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
