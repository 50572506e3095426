/* service_foreign_test.c -- records of other districts: asked of a hub, joined with what was written here, remembered;
 * and what is said where nobody can be asked.  The hub is a store of its own, which the test asks as a replica would.
 */
#include "tests/lib/service_line.h"

#include "node/service/foreign.h"
#include "proto/msg/tlv.h"

#define PAGES 250

static struct line *line;

static int open_line(void **state)
{
    *state = line = malloc(sizeof *line);
    line_open(line);
    return 0;
}

static int close_line(void **state)
{
    line_close(*state);
    free(*state);
    return 0;
}

/* What the district's own hall wrote has reached the hub. */
static void fill_hub(void)
{
    struct client *client = &line->at_hub;
    assert_result(CUSTOMER(.account = TEXT(FOREIGN_ACCOUNT), .name = TEXT("周"), .card_no = TEXT("C9")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(BILL(.bill_id = TEXT("B9"), .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 5000),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(PAY(.payment_id = TEXT("p-9"), .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 3000,
                      .bill_id = TEXT("B9"), .window = 1),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(TICKET(.ticket_id = TEXT("t-9"), .service = TEXT("complaint"), .account = TEXT(FOREIGN_ACCOUNT),
                         .summary = TEXT("x")),
                  HALLSYNC__RESULT__RESULT_CREATED);
}

static const char *get_error(uint32_t kind, const char *id)
{
    return get_record(&line->at_hall, kind, id) != NULL ? NULL : line->at_hall.reply->error;
}

/* ---- reading ---- */

static void records_are_the_hubs(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    fill_hub();
    const Hallsync__Record *customer = get_record(client, HS_KIND_CUSTOMER, FOREIGN_ACCOUNT);
    assert_non_null(customer);
    assert_string_equal(customer->from, "nj-hub");
    assert_true(customer->has_as_of_ms && customer->as_of_ms == 1795240800000);
    assert_false(customer->has_complete);
    assert_int_equal(customer->safe, HALLSYNC__SAFETY__SAFETY_HUB);
    assert_int_equal(customer->n_held_by, 1);
    assert_string_equal(customer->held_by[0], "nj-hub");
    const Hallsync__Record *bill = get_record(client, HS_KIND_BILL, "B9");
    assert_int_equal(bill->bill->paid_fen, 3000);
    assert_int_equal(bill->bill->due_fen, 2000);
    const Hallsync__Record *payment = get_record(client, HS_KIND_PAYMENT, "p-9");
    assert_false(payment->reversed);
    assert_non_null(strstr(payment->receipt, "nj-hub-"));
    const Hallsync__Record *ticket = get_record(client, HS_KIND_TICKET, "t-9");
    assert_string_equal(ticket->ticket->state, "open");
    assert_int_equal(ticket->ticket->n_events, 1);
    assert_string_equal(get_error(HS_KIND_CUSTOMER, "3299000002"), "not-found");
    assert_non_null(strstr(client->reply->text, "nj-hub"));
    assert_string_equal(get_error(HS_KIND_PAYMENT, "never"), "not-found");
}

static void what_is_here_is_not_asked_for(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("陈"), .card_no = TEXT("C1")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 100),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_non_null(get_record(client, HS_KIND_CUSTOMER, ACCOUNT));
    assert_non_null(get_record(client, HS_KIND_PAYMENT, "p-1"));
    assert_string_equal(get_error(HS_KIND_CUSTOMER, OTHER_ACCOUNT), "not-found");
    static const char *const FOUND[][3] = {{"card_no", "C1"}, {"identity_no", "nobody"}};
    for (size_t i = 0; i < 2; i++) {
        Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
        body.kind = HS_KIND_CUSTOMER;
        body.index = TEXT(FOUND[i][0]);
        body.key = TEXT(FOUND[i][1]);
        assert_null(find(client, &body)->error);
        assert_int_equal(line->questions, i); /* the second is nobody's here: a hub may know him */
    }
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    body.kind = HS_KIND_TICKET;
    body.index = TEXT("state");
    body.key = TEXT("open");
    assert_null(find(client, &body)->error);
    body.kind = HS_KIND_BILL;
    body.index = TEXT("account");
    body.key = TEXT(FOREIGN_ACCOUNT);
    body.has_here = body.here = true;
    const Hallsync__Reply *reply = find(client, &body);
    assert_null(reply->error);
    assert_true(reply->records->has_complete && !reply->records->complete);
    assert_int_equal(line->questions, 1);
}

/* The hall's own writes, of which the hub has not heard, show at once. */
static void own_writes_count(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    fill_hub();
    assert_result(PAY(.payment_id = TEXT("p-10"), .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 500,
                      .bill_id = TEXT("B9"), .window = 1),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(get_record(client, HS_KIND_BILL, "B9")->bill->paid_fen, 3500);
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    body.kind = HS_KIND_PAYMENT;
    body.index = TEXT("account");
    body.key = TEXT(FOREIGN_ACCOUNT);
    const Hallsync__Reply *reply = find(client, &body);
    assert_int_equal(reply->records->n_records, 2);
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    customer.account = TEXT(FOREIGN_ACCOUNT);
    customer.name = TEXT("周");
    customer.phone = TEXT("139");
    assert_result(put(client, &(struct putting){.kind = HS_KIND_CUSTOMER, .message = &customer.base}),
                  HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__Record *record = get_record(client, HS_KIND_CUSTOMER, FOREIGN_ACCOUNT);
    Hallsync__Customer *shown = hallsync__customer__unpack(NULL, record->record.len, record->record.data);
    assert_string_equal(shown->phone, "139");
    assert_string_equal(shown->card_no, "C9");
    hallsync__customer__free_unpacked(shown, NULL);
    assert_int_equal(record->safe, HALLSYNC__SAFETY__SAFETY_HERE); /* the phone is only here */
}

/* A page ends where the client's limit or the hub's answer does. */
static void list_in_pages(uint32_t limit)
{
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
    char last[HS_RECORD_ID_BYTES_MAX + 1] = "";
    size_t count = 0, pages = 0;
    body.kind = HS_KIND_BILL;
    body.index = TEXT("account");
    body.key = TEXT(FOREIGN_ACCOUNT);
    body.has_limit = true;
    body.limit = limit;
    for (bool more = true; more; pages++) {
        const Hallsync__Reply *reply = find(&line->at_hall, &body);
        assert_null(reply->error);
        for (size_t i = 0; i < reply->records->n_records; i++) {
            assert_true(strcmp(last, reply->records->records[i]->id) < 0);
            snprintf(last, sizeof last, "%s", reply->records->records[i]->id);
        }
        count += reply->records->n_records;
        more = reply->records->has_next;
        body.has_after = more;
        body.after = (ProtobufCBinaryData){.len = reply->records->next.len, .data = after};
        if (more)
            memcpy(after, reply->records->next.data, reply->records->next.len);
        assert_in_range(pages, 0, 20);
    }
    assert_int_equal(count, PAGES + PAGES / 50);
    assert_string_equal(last, "b-0498");
}

static void pages_go_on_through_the_hubs_pages(void **state)
{
    (void)state;
    struct client *client = &line->at_hub;
    for (unsigned i = 0; i < PAGES; i++) {
        char id[16];
        snprintf(id, sizeof id, "b-%04u", i * 2);
        assert_result(BILL(.bill_id = id, .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 100),
                      HALLSYNC__RESULT__RESULT_CREATED);
    }
    assert_non_null(get_record(client, HS_KIND_BILL, "b-0000"));
    client = &line->at_hall;
    for (unsigned i = 0; i < PAGES; i += 50) {
        char id[16];
        snprintf(id, sizeof id, "b-%04u", i * 2 + 1);
        assert_result(BILL(.bill_id = id, .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 100),
                      HALLSYNC__RESULT__RESULT_CREATED);
    }
    list_in_pages(70);
    list_in_pages(150);
}

/* Whatever stands in a question, its answer fits it: who passes questions on must not lose his own session for them. */
static enum hs_err count_asked(void *ctx, const struct hs_asked *asked)
{
    *(size_t *)ctx += !asked->beside;
    return HS_OK;
}

static void answers_go_on_behind_a_record_of_the_kind(void **state)
{
    (void)state;
    static const struct {
        uint16_t kind, after_kind;
        uint8_t index, after_lane;
        const char *key, *after_id;
        enum hs_err err;
        size_t count;
    } CASES[] = {
        {HS_KIND_BILL, HS_KIND_BILL, 0, HS_LANE_BULK, "B9", "B8", HS_OK, 1},
        {HS_KIND_BILL, HS_KIND_BILL, 0, HS_LANE_BULK, "B9", "B9", HS_OK, 0},
        {HS_KIND_BILL, HS_KIND_BILL, 1, HS_LANE_BULK, FOREIGN_ACCOUNT, "B9", HS_OK, 0},
        {HS_KIND_BILL, HS_KIND_BILL, 1, HS_LANE_BULK, FOREIGN_ACCOUNT, "B8", HS_OK, 1},
        {HS_KIND_BILL, HS_KIND_PAYMENT, 1, HS_LANE_BULK, FOREIGN_ACCOUNT, "B8", HS_EINVAL, 0},
        {HS_KIND_BILL, HS_KIND_BILL, 1, HS_LANE_WORK, FOREIGN_ACCOUNT, "B8", HS_EINVAL, 0},
        {HS_KIND_BILL, HS_KIND_BILL, 2, HS_LANE_BULK, FOREIGN_ACCOUNT, "B8", HS_EINVAL, 0},
        {HS_KIND_TICKET, HS_KIND_TICKET, 2, HS_LANE_WORK, "open", "0123456789abcdef", HS_EINVAL, 0}, /* computed */
        {99, 99, 0, HS_LANE_WORK, "x", "x", HS_EINVAL, 0},
    };
    fill_hub();
    struct hs_view *view = line_hub_view(line);
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        size_t count = 0;
        uint8_t after[HS_RECORD_KEY_BYTES_MAX];
        struct hs_record_name behind = {3299, CASES[i].after_lane, CASES[i].after_kind,
                                        HS_BYTES(CASES[i].after_id, strlen(CASES[i].after_id))};
        struct hs_ask ask = {.kind = CASES[i].kind,
                             .index = CASES[i].index,
                             .key = HS_BYTES(CASES[i].key, strlen(CASES[i].key)),
                             .after = HS_BYTES(after, hs_record_key(&behind, after))};
        assert_int_equal(hs_view_ask(view, &ask, count_asked, &count), CASES[i].err);
        assert_int_equal(count, CASES[i].count);
    }
    hs_view_close(view);
}

/* ---- without a link ---- */

static void the_last_answer_is_remembered(void **state)
{
    (void)state;
    fill_hub();
    assert_null(get_error(HS_KIND_CUSTOMER, FOREIGN_ACCOUNT));
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    body.kind = HS_KIND_BILL;
    body.index = TEXT("account");
    body.key = TEXT(FOREIGN_ACCOUNT);
    assert_int_equal(find(&line->at_hall, &body)->records->n_records, 1);
    line->err = HS_ENOLINK;
    assert_null(get_error(HS_KIND_CUSTOMER, FOREIGN_ACCOUNT));
    const Hallsync__Record *bill = get_record(&line->at_hall, HS_KIND_BILL, "B9"); /* of the list */
    assert_non_null(bill);
    assert_int_equal(bill->bill->paid_fen, 3000);
    assert_true(bill->has_as_of_ms);
    assert_string_equal(get_error(HS_KIND_PAYMENT, "p-9"), "no-link"); /* it went with the bill: not all of it came */
    line->err = HS_EBUSY;
    assert_string_equal(get_error(HS_KIND_CUSTOMER, "3299000002"), "busy");
    line->err = HS_OK;
    line->garbled = true;
    assert_string_equal(get_error(HS_KIND_TICKET, "t-9"), "malformed");
    assert_null(get_error(HS_KIND_CUSTOMER, FOREIGN_ACCOUNT)); /* what was good before still is */
}

static void what_is_here_alone_is_said_to_be_that(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    line->err = HS_ENOLINK;
    assert_result(PAY(.payment_id = TEXT("p-11"), .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 500),
                  HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__Record *payment = get_record(client, HS_KIND_PAYMENT, "p-11");
    assert_true(payment->has_complete && !payment->complete);
    assert_false(payment->has_as_of_ms);
    Hallsync__TotalsRequest body = HALLSYNC__TOTALS_REQUEST__INIT;
    body.account = TEXT(FOREIGN_ACCOUNT);
    Hallsync__TotalsReply sums = totals(client, &body);
    assert_true(sums.has_complete && !sums.complete);
    assert_int_equal(sums.sum_fen, 500);
    body.account = TEXT(ACCOUNT);
    assert_false(totals(client, &body).has_complete);
}

static void nobody_is_kept_waiting_by_the_end(void **state)
{
    (void)state;
    Hallsync__GetRequest get = HALLSYNC__GET_REQUEST__INIT;
    get.kind = HS_KIND_CUSTOMER;
    get.id = TEXT(FOREIGN_ACCOUNT);
    Hallsync__Request request = REQUEST(get, GET, &get);
    line->silent = true;
    client_send(&line->at_hall, &request);
    assert_int_equal(sem_wait(&line->asked), 0);
    assert_non_null(status(&line->at_hub)); /* others are served meanwhile; so they are here: */
    struct client second;
    client_open(&second, &line->hall, ZMQ_DEALER);
    assert_non_null(status(&second));
    client_close(&second);
    hs_service_stop(line->hall.service);
    line->hall.service = NULL;
    const Hallsync__Reply *reply = client_receive(&line->at_hall, ANSWER_MS);
    assert_non_null(reply);
    assert_string_equal(reply->error, "stopping");
    assert_int_equal(line->given_up, 1);
    hs_writer_stop(line->hall.writer);
    hs_writer_free(line->hall.writer);
    world_close(&line->hall.node);
    client_close(&line->at_hall);
    line->silent = false;
    office_start(&line->hall, false);
    client_open(&line->at_hall, &line->hall, ZMQ_DEALER);
}

/* ---- reversing ---- */

static const char *reverse_error(const char *payment, const char *reversal)
{
    const Hallsync__Reply *reply = reverse(&line->at_hall, payment, reversal);
    if (reply->error != NULL)
        return reply->error;
    return reply->put->results[0]->error;
}

static void a_payment_is_reversed_with_the_hubs_knowledge(void **state)
{
    (void)state;
    fill_hub();
    line->err = HS_ENOLINK;
    assert_string_equal(reverse_error("p-9", "r-1"), "no-link");
    line->err = HS_OK;
    assert_null(reverse_error("p-9", "r-1"));
    assert_int_equal(line->at_hall.reply->put->results[0]->result, HALLSYNC__RESULT__RESULT_CREATED);
    assert_non_null(strstr(line->at_hall.reply->put->results[0]->receipt, "nj-gulou-"));
    unsigned before = line->questions;
    assert_null(reverse_error("p-9", "r-1")); /* once more: it is here */
    assert_int_equal(line->at_hall.reply->put->results[0]->result, HALLSYNC__RESULT__RESULT_EXISTS);
    assert_int_equal(line->questions, before);
    assert_string_equal(reverse_error("p-9", "r-2"), "already-reversed");
    assert_true(get_record(&line->at_hall, HS_KIND_PAYMENT, "p-9")->reversed);
    assert_string_equal(reverse_error("never", "r-3"), "unknown-payment");
}

static void another_hall_was_first(void **state)
{
    (void)state;
    fill_hub();
    assert_null(get_error(HS_KIND_PAYMENT, "p-9")); /* remembered, and not used for money */
    assert_null(reverse(&line->at_hub, "p-9", "r-there")->error);
    assert_non_null(get_record(&line->at_hub, HS_KIND_REVERSAL, "r-there"));
    assert_string_equal(reverse_error("p-9", "r-here"), "already-reversed");
    line->err = HS_ENOLINK;
    assert_string_equal(reverse_error("p-9", "r-here"), "no-link");
}

/* The hub has not got it yet: that is an answer too. */
static void an_own_payment_is_reversed_before_the_hub_has_it(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    assert_result(PAY(.payment_id = TEXT("p-12"), .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 500),
                  HALLSYNC__RESULT__RESULT_CREATED);
    line->err = HS_ENOLINK;
    assert_string_equal(reverse_error("p-12", "r-12"), "no-link");
    line->err = HS_OK;
    assert_null(reverse_error("p-12", "r-12"));
}

/* Sent again when the district, and with it the reversal, has left this hall: it is known by the hub. */
static void a_reversal_sent_again_is_the_same(void **state)
{
    (void)state;
    fill_hub();
    assert_null(reverse(&line->at_hub, "p-9", "r-9")->error);
    assert_non_null(get_record(&line->at_hub, HS_KIND_REVERSAL, "r-9"));
    assert_null(reverse_error("p-9", "r-9"));
    assert_int_equal(line->at_hall.reply->put->results[0]->result, HALLSYNC__RESULT__RESULT_EXISTS);
    assert_string_equal(reverse_error("p-9", "r-10"), "already-reversed");
}

#define SLIP "nj-gulou-20261101-01-ABCDEF-000007"

/* The slip of a payment of 500 fen, without the payment. */
static void write_slip(struct hs_store *store, const char *payment_id)
{
    struct hs_buf entry = {0};
    struct hs_id id;
    struct hs_dot dot;
    hs_stamp stamp;
    struct hs_commit commit;
    bool hashed;
    assert_int_equal(hs_id_from_text(payment_id, strlen(payment_id), &id, &hashed), HS_OK);
    hs_tlv_put_text(&entry, 1, SLIP);
    hs_tlv_put_u64(&entry, 2, 1795240800000);
    hs_tlv_put_s64(&entry, 3, 500);
    hs_tlv_put_u64(&entry, 4, HS_KIND_PAYMENT);
    hs_tlv_put_bytes(&entry, 5, HS_BYTES(id.bytes, sizeof id.bytes));
    hs_tlv_put_u64(&entry, 6, 3299);
    struct hs_write write = {.kind = HS_KIND_CASH_ENTRY,
                             .id = HS_BYTES(SLIP, sizeof SLIP - 1),
                             .is_fact = true,
                             .fact = hs_buf_bytes(&entry)};
    struct hs_draft draft = {.partition = 3201, .lane = HS_LANE_MONEY, .writes = &write, .write_count = 1};
    assert_int_equal(hs_store_begin(store), HS_OK);
    assert_int_equal(hs_store_write(store, &draft, &dot, &stamp), HS_OK);
    assert_int_equal(hs_store_commit(store, &commit), HS_OK);
    hs_buf_fini(&entry);
}

static void a_payment_of_a_district_that_has_left_keeps_its_slip(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    client_close(client);
    office_stop(&line->hall);
    world_open(&line->hall.node, false);
    write_slip(line->hall.node.store, "p-13");
    world_close(&line->hall.node);
    office_start(&line->hall, false);
    client_open(client, &line->hall, ZMQ_DEALER);
    const Hallsync__PutResult *result = PAY(.payment_id = TEXT("p-13"), .account = TEXT(FOREIGN_ACCOUNT),
                                            .amount_fen = 501);
    assert_string_equal(result->error, "id-in-use");
    result = PAY(.payment_id = TEXT("p-13"), .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 500);
    assert_result(result, HALLSYNC__RESULT__RESULT_EXISTS);
    assert_string_equal(result->receipt, SLIP);
    assert_string_equal(get_record(client, HS_KIND_PAYMENT, "p-13")->receipt, SLIP); /* it may have been nowhere else */
    result = PAY(.payment_id = TEXT("p-13"), .account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 500);
    assert_result(result, HALLSYNC__RESULT__RESULT_EXISTS);
}

/* ---- the memory of answers ---- */

static struct hs_foreign *made(unsigned number, size_t records, size_t state_bytes, struct hs_ask *ask)
{
    static struct hs_asked asked[1100];
    static uint8_t state[300000];
    static char key[16];
    snprintf(key, sizeof key, "%010u", number);
    *ask = (struct hs_ask){.kind = HS_KIND_CUSTOMER, .index = 1, .key = HS_BYTES(key, 10)};
    for (size_t i = 0; i < records; i++) {
        asked[i].stored.name = (struct hs_record_name){3299, HS_LANE_PEOPLE, HS_KIND_CUSTOMER, HS_BYTES(key, 10)};
        asked[i].stored.state = HS_BYTES(state, state_bytes);
        asked[i].beside = i > 0;
    }
    struct hs_answer answer = {.records = asked, .count = records, .last = true, .node = "hub"};
    struct hs_foreign *foreign = hs_foreign_new(1, HS_OK, &answer);
    assert_non_null(foreign);
    return foreign;
}

static bool remembers(struct hs_foreign_cache *cache, unsigned number)
{
    char key[16];
    snprintf(key, sizeof key, "%010u", number);
    struct hs_ask ask = {.kind = HS_KIND_CUSTOMER, .index = 1, .key = HS_BYTES(key, 10)};
    return hs_foreign_find(cache, &ask) != NULL;
}

static void the_memory_is_bounded(void **state)
{
    (void)state;
    struct hs_foreign_cache cache = {0};
    struct hs_ask ask;
    for (unsigned i = 0; i < 300; i++) {
        struct hs_foreign *foreign = made(i, 10, 20, &ask);
        hs_foreign_keep(&cache, &ask, foreign);
        assert_true(remembers(&cache, 0)); /* used all the time: it stays */
        assert_in_range(cache.records, 1, HS_FOREIGN_RECORDS_MAX);
    }
    assert_true(remembers(&cache, 0) && remembers(&cache, 299));
    assert_false(remembers(&cache, 1));
    for (unsigned i = 1000; i < 1100; i++) {
        struct hs_foreign *foreign = made(i, 1, 250000, &ask);
        hs_foreign_keep(&cache, &ask, foreign);
        assert_in_range(cache.bytes, 1, HS_FOREIGN_BYTES_MAX);
    }
    size_t records = cache.records;
    struct hs_foreign *again = made(1099, 1, 250000, &ask);
    hs_foreign_keep(&cache, &ask, again); /* the same question: in the place of the older answer */
    assert_int_equal(cache.records, records);
    struct hs_foreign *large = made(5000, 1050, 20, &ask);
    hs_foreign_keep(&cache, &ask, large);
    assert_false(remembers(&cache, 5000));
    struct hs_foreign *nothing = made(5001, 0, 20, &ask);
    hs_foreign_keep(&cache, &ask, nothing);
    assert_false(remembers(&cache, 5001));
    struct hs_ask by_id = {.kind = HS_KIND_CUSTOMER, .key = HS_BYTES("0000001099", 10)};
    assert_non_null(hs_foreign_find(&cache, &by_id));
    hs_foreign_forget(&cache);
    assert_int_equal(cache.records + cache.bytes, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, open_line, close_line)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(records_are_the_hubs),
        CASE(what_is_here_is_not_asked_for),
        CASE(own_writes_count),
        CASE(pages_go_on_through_the_hubs_pages),
        CASE(answers_go_on_behind_a_record_of_the_kind),
        CASE(the_last_answer_is_remembered),
        CASE(what_is_here_alone_is_said_to_be_that),
        CASE(nobody_is_kept_waiting_by_the_end),
        CASE(a_payment_is_reversed_with_the_hubs_knowledge),
        CASE(another_hall_was_first),
        CASE(an_own_payment_is_reversed_before_the_hub_has_it),
        CASE(a_reversal_sent_again_is_the_same),
        CASE(a_payment_of_a_district_that_has_left_keeps_its_slip),
        cmocka_unit_test(the_memory_is_bounded),
    };
    return cmocka_run_group_tests_name("service foreign", tests, NULL, NULL);
}
