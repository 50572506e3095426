/* service_test.c -- the local API apart from what is written: the socket, requests that are none, look-ups, the change
 * feed, waiting, figures, enrolment, and a store that was set back. */
#include "tests/unit/service_desk.h"

#include "proto/msg/tlv.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <sys/un.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- the socket ---- */

static void live_socket_is_refused_and_a_stale_one_removed(void **state)
{
    struct desk *desk = *state;
    struct hs_service *second = NULL;
    struct hs_why why = {{0}};
    struct hs_service_options options = desk->office.options;
    const char *path = desk->office.endpoint + strlen("ipc://");
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0660);
    assert_int_equal(hs_service_new(&options, &second, &why), HS_EINUSE);
    assert_non_null(strstr(why.text, path));
    assert_non_null(status(&desk->client)); /* the first one has not noticed */

    struct hs_buf stale = {0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    hs_buf_put_format(&stale, "%s.stale", desk->office.endpoint);
    hs_buf_put_u8(&stale, 0);
    assert_true(stale.size - strlen("ipc://") < sizeof address.sun_path);
    memcpy(address.sun_path, stale.data + strlen("ipc://"), stale.size - strlen("ipc://"));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd); /* the file stays, as after a crash */
    options.endpoint = (const char *)stale.data;
    assert_int_equal(hs_service_new(&options, &second, &why), HS_OK);
    assert_string_equal(hs_service_endpoint(second), (const char *)stale.data);
    hs_service_stop(second);
    hs_buf_fini(&stale);
    assert_int_equal(stat(address.sun_path, &found), -1);
}

static void endpoints_that_cannot_be_are_refused(void **state)
{
    struct desk *desk = *state;
    struct hs_service *service = NULL;
    struct hs_why why = {{0}};
    char file[WORLD_PATH_BYTES + 64];
    struct hs_service_options options = desk->office.options;
    snprintf(file, sizeof file, "ipc://%s/plain", desk->office.region->base);
    fclose(fopen(file + strlen("ipc://"), "w"));
    const char *const BAD[] = {file, "tcp://127.0.0.1:9999", "ipc://@abstract", "ipc://relative"};
    for (size_t i = 0; i < COUNT(BAD); i++) {
        options.endpoint = BAD[i];
        assert_int_equal(hs_service_new(&options, &service, &why), HS_EADDRESS);
    }
    char far[300];
    memset(far, 'x', sizeof far);
    memcpy(far, "ipc:///", 7);
    far[sizeof far - 1] = '\0';
    options.endpoint = far;
    assert_int_equal(hs_service_new(&options, &service, &why), HS_EADDRESS);
    options.endpoint = "ipc:///no/such/folder/api.sock";
    assert_int_not_equal(hs_service_new(&options, &service, &why), HS_OK);
    assert_non_null(strstr(why.text, "/no/such/folder"));
}

/* A job that has been committed, and keeps the writer from its flush. */
struct holding {
    struct hs_job job;
    sem_t reached, go_on;
};

static enum hs_err holding_run(struct hs_job *job, struct hs_store *store)
{
    (void)job;
    return hs_store_strike(store, "test");
}

static void holding_done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct holding *holding = (struct holding *)job;
    (void)commit;
    assert_int_equal(err, HS_OK);
    sem_post(&holding->reached);
    sem_wait(&holding->go_on);
}

static void a_late_flush_holds_up_only_who_reads(void **state)
{
    struct desk *desk = *state;
    struct client other;
    struct holding holding = {.job = {.run = holding_run, .done = holding_done}};
    sem_init(&holding.reached, 0, 0);
    sem_init(&holding.go_on, 0, 0);
    client_open(&other, &desk->office, ZMQ_DEALER);
    struct client *client = &desk->client;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("A")), HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(hs_writer_submit(desk->office.writer, &holding.job), HS_OK);
    sem_wait(&holding.reached);

    Hallsync__GetRequest body = HALLSYNC__GET_REQUEST__INIT;
    Hallsync__Request get = REQUEST(get, GET, &body);
    Hallsync__Request unknown = REQUEST(get, GET, &body);
    body.kind = HS_KIND_CUSTOMER;
    body.id = (char *)ACCOUNT;
    unknown.version = 99;
    client_send(&desk->client, &get);
    client_send(&other, &unknown);
    const Hallsync__Reply *reply = client_receive(&other, 3000);
    assert_non_null(reply);
    assert_string_equal(reply->error, "version");
    assert_null(client_receive(&desk->client, 0)); /* it waits for the records */
    sem_post(&holding.go_on);
    reply = client_receive(&desk->client, ANSWER_MS);
    assert_non_null(reply);
    assert_null(reply->error);
    assert_int_equal(reply->records->n_records, 1);
    client_close(&other);
    sem_destroy(&holding.reached);
    sem_destroy(&holding.go_on);
}

static void a_req_client_is_answered_too(void **state)
{
    struct desk *desk = *state;
    struct client req;
    client_open(&req, &desk->office, ZMQ_REQ);
    assert_string_equal(status(&req)->node_id, "nj-gulou");
    client_close(&req);
}

/* ---- requests that are none ---- */

static void assert_error(const Hallsync__Reply *reply, const char *error)
{
    assert_non_null(reply);
    if (reply->error == NULL)
        fail_msg("was not refused by %s", error);
    assert_string_equal(reply->error, error);
    assert_true(reply->text[0] != '\0');
}

static const Hallsync__Reply *say(struct client *client, const void *bytes, size_t size)
{
    assert_true(zmq_send(client->socket, bytes, size, 0) >= 0);
    return client_receive(client, ANSWER_MS);
}

static void bytes_that_are_no_request_are_named(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    static const uint8_t CUT[] = "\x08\x01\x12\x10"
                                 "0123456789abcdef"
                                 "\x52\x20\x08";
    static const uint8_t NO_ID[] = "\x08\x01\x52\x02\x08\x01";
    static const uint8_t SHORT_ID[] = "\x08\x01\x12\x02zz\xc2\x01\x00";
    static const uint8_t VERSION[] = "\x08\x07\x12\x10"
                                     "0123456789abcdef"
                                     "\x92\x01\x00";
    static const uint8_t NOTHING[] = "\x08\x01\x12\x10"
                                     "0123456789abcdef";
    static const uint8_t NEWER[] = "\x08\x01\x12\x10"
                                   "0123456789abcdef"
                                   "\xa2\x06\x00"; /* field 100 */
    const Hallsync__Reply *reply = say(client, CUT, sizeof CUT - 1);
    assert_error(reply, "malformed");
    assert_memory_equal(reply->id.data, "0123456789abcdef", 16); /* which one it was can be told all the same */
    assert_error(say(client, "", 0), "malformed");
    assert_error(say(client, "\xff\xff\xff", 3), "malformed");
    assert_error(say(client, NO_ID, sizeof NO_ID - 1), "malformed");
    assert_error(say(client, SHORT_ID, sizeof SHORT_ID - 1), "invalid");
    assert_error(say(client, VERSION, sizeof VERSION - 1), "version");
    assert_error(say(client, NOTHING, sizeof NOTHING - 1), "invalid");
    assert_error(say(client, NEWER, sizeof NEWER - 1), "invalid");
    assert_true(zmq_send(client->socket, "one", 3, ZMQ_SNDMORE) >= 0);
    assert_error(say(client, "two", 3), "malformed");
    assert_non_null(status(client));
}

static void requests_that_ask_nonsense_are_refused(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__PutRequest put_body = HALLSYNC__PUT_REQUEST__INIT;
    Hallsync__Request putting = REQUEST(put, PUT, &put_body);
    put_body.kind = 77;
    assert_error(client_ask(client, &putting), "unknown-kind");
    put_body.kind = HS_KIND_CUSTOMER;
    assert_error(client_ask(client, &putting), "invalid"); /* no records */
    put_body.kind = HS_KIND_CASH_ENTRY;
    assert_error(client_ask(client, &putting), "invalid");

    Hallsync__GetRequest get = HALLSYNC__GET_REQUEST__INIT;
    Hallsync__Request getting = REQUEST(get, GET, &get);
    get.kind = 77;
    get.id = TEXT("x");
    assert_error(client_ask(client, &getting), "unknown-kind");
    get.kind = HS_KIND_PAYMENT;
    assert_error(client_ask(client, &getting), "not-found");
    get.id = TEXT("");
    assert_error(client_ask(client, &getting), "bad-value");
    get.id = TEXT("\xff");
    assert_error(client_ask(client, &getting), "bad-utf8");

    Hallsync__TotalsRequest sums = HALLSYNC__TOTALS_REQUEST__INIT;
    Hallsync__Request summing = REQUEST(totals, TOTALS, &sums);
    sums.account = TEXT("12");
    assert_error(client_ask(client, &summing), "bad-account");
    sums.account = NULL;
    sums.origin = TEXT("nj-nowhere");
    assert_error(client_ask(client, &summing), "not-found");
    sums.origin = TEXT("No Node");
    assert_error(client_ask(client, &summing), "bad-value");
    sums.origin = NULL;
    sums.has_date = true;
    sums.date = 20261399;
    assert_error(client_ask(client, &summing), "bad-value");
}

/* libzmq ends the connection of who sends more than a request may have; the next one is served. */
static void a_message_of_ten_megabytes_ends_its_connection_only(void **state)
{
    struct desk *desk = *state;
    struct client rude;
    uint8_t *much = calloc(10, 1 << 20);
    client_open(&rude, &desk->office, ZMQ_DEALER);
    assert_true(zmq_send(rude.socket, much, 10 << 20, 0) >= 0);
    assert_null(client_receive(&rude, 300));
    client_close(&rude);
    free(much);
    assert_non_null(status(&desk->client));
}

static void a_request_of_too_many_parts_is_refused(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    struct hs_buf request = {0};
    struct hs_buf body = {0};
    hs_tlv_put_u64(&body, 1, HS_KIND_CUSTOMER);
    for (unsigned i = 0; i < 200000; i++)
        hs_tlv_put_bytes(&body, 2, HS_BYTES("\x0a\x00", 2));
    hs_tlv_put_u64(&request, 1, 1);
    hs_tlv_put_bytes(&request, 2, HS_BYTES("0123456789abcdef", 16));
    hs_tlv_put_bytes(&request, 10, hs_buf_bytes(&body));
    assert_true(request.size < HS_REQUEST_BYTES_MAX);
    assert_error(say(client, request.data, request.size), "too-big");
    hs_buf_fini(&request);
    hs_buf_fini(&body);
}

/* ---- looking up ---- */

static void records_are_found_by_index_and_in_pages(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    for (unsigned i = 0; i < 7; i++) {
        char account[11];
        snprintf(account, sizeof account, "32010001%02u", i);
        assert_result(CUSTOMER(.account = account, .name = TEXT("x"), .card_no = TEXT(i < 5 ? "shared" : "own")),
                      HALLSYNC__RESULT__RESULT_CREATED);
    }
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    uint8_t after[HS_RECORD_KEY_BYTES_MAX];
    size_t found = 0;
    unsigned pages = 0;
    body.kind = HS_KIND_CUSTOMER;
    body.index = TEXT("card_no");
    body.key = TEXT("shared");
    body.has_limit = true;
    body.limit = 2;
    do {
        const Hallsync__Reply *reply = find(client, &body);
        assert_null(reply->error);
        found += reply->records->n_records;
        pages++;
        body.has_after = reply->records->has_next;
        if (body.has_after)
            memcpy(after, reply->records->next.data, reply->records->next.len);
        body.after = (ProtobufCBinaryData){.len = reply->records->next.len, .data = after};
    } while (body.has_after);
    assert_int_equal(found, 5);
    assert_int_equal(pages, 3);
    body.index = NULL;
    body.limit = 1000;
    assert_int_equal(find(client, &body)->records->n_records, 7);
    body.index = TEXT("colour");
    const Hallsync__Reply *reply = find(client, &body);
    assert_error(reply, "invalid");
    assert_non_null(strstr(reply->text, "card_no, identity_no"));
    body.index = TEXT("card_no");
    body.key = NULL;
    assert_error(find(client, &body), "bad-value");
    body.key = TEXT("x");
    body.has_after = true;
    body.after = (ProtobufCBinaryData){.len = 3, .data = after};
    assert_error(find(client, &body), "bad-value");
}

static void payments_are_found_by_account_and_summed_by_day_window_and_node(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    for (unsigned window = 1; window <= 3; window++)
        assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 100 * window, .window = window),
                      HALLSYNC__RESULT__RESULT_CREATED);
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    body.kind = HS_KIND_PAYMENT;
    body.index = TEXT("account");
    body.key = TEXT(ACCOUNT);
    const Hallsync__Reply *reply = find(client, &body);
    assert_int_equal(reply->records->n_records, 3);
    char origin[17];
    snprintf(origin, sizeof origin, "%s", reply->records->records[0]->origin);

    Hallsync__TotalsRequest sums = HALLSYNC__TOTALS_REQUEST__INIT;
    sums.account = TEXT(ACCOUNT);
    assert_int_equal(totals(client, &sums).sum_fen, 600);
    sums.account = NULL;
    sums.has_window = true;
    sums.window = 2;
    assert_int_equal(totals(client, &sums).sum_fen, 200);
    sums.origin = TEXT("nj-gulou");
    assert_int_equal(totals(client, &sums).count, 1);
    sums.has_window = false;
    sums.origin = origin;
    assert_int_equal(totals(client, &sums).sum_fen, 600);
    sums.has_date = true;
    sums.date = 20200101;
    assert_int_equal(totals(client, &sums).count, 0);
}

static void digests_are_told_in_order(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(PAY(.account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 1), HALLSYNC__RESULT__RESULT_CREATED);
    Hallsync__DigestRequest body = HALLSYNC__DIGEST_REQUEST__INIT;
    Hallsync__Request request = REQUEST(digest, DIGEST, &body);
    const Hallsync__DigestReply *digests = client_ask(client, &request)->digest;
    assert_int_equal(digests->n_digests, 2); /* the payment for another district is not that district's record here */
    for (size_t i = 1; i < digests->n_digests; i++) {
        const Hallsync__Digest *a = digests->digests[i - 1];
        const Hallsync__Digest *b = digests->digests[i];
        assert_true(a->partition < b->partition || (a->partition == b->partition && a->kind < b->kind));
        assert_int_equal(b->digest.len, 32);
    }
    body.has_partition = true;
    body.partition = 3201;
    assert_int_equal(client_ask(client, &request)->digest->n_digests, 2);
    body.partition = 3299;
    assert_int_equal(client_ask(client, &request)->digest->n_digests, 0);
}

/* ---- the change feed ---- */

struct feed {
    Hallsync__WatchRequest body;
    Hallsync__Position from;
};

static void feed_begin(struct feed *feed, uint32_t wait_ms)
{
    hallsync__watch_request__init(&feed->body);
    hallsync__position__init(&feed->from);
    feed->body.has_wait_ms = true;
    feed->body.wait_ms = wait_ms;
}

static void feed_send(struct client *client, struct feed *feed)
{
    Hallsync__Request request = REQUEST(watch, WATCH, &feed->body);
    client_send(client, &request);
}

/* The number of records; the feed goes on from there. */
static size_t feed_take(struct client *client, struct feed *feed)
{
    const Hallsync__Reply *reply = client_receive(client, ANSWER_MS);
    assert_non_null(reply);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    feed->from = *reply->watch->position;
    feed->body.from = &feed->from;
    return reply->watch->n_records;
}

static void the_feed_tells_what_came_after(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct client watcher;
    struct feed feed;
    client_open(&watcher, &desk->office, ZMQ_DEALER);
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    feed_begin(&feed, 0);
    feed_send(&watcher, &feed);
    assert_int_equal(feed_take(&watcher, &feed), 0); /* from now */

    for (unsigned i = 0; i < 3; i++)
        CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT(i == 0 ? "1" : i == 1 ? "2" : "3"));
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 5), HALLSYNC__RESULT__RESULT_CREATED);
    struct feed payments = feed;
    static uint32_t KINDS[] = {HS_KIND_PAYMENT};
    feed_send(&watcher, &feed);
    assert_int_equal(feed_take(&watcher, &feed), 3); /* the customer once, the payment, its entry */
    payments.body.from = &payments.from;
    payments.body.kinds = KINDS;
    payments.body.n_kinds = 1;
    feed_send(&watcher, &payments);
    assert_int_equal(feed_take(&watcher, &payments), 1);

    feed.body.wait_ms = 10000;
    feed_send(&watcher, &feed);
    assert_null(client_receive(&watcher, 100)); /* it waits */
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("4")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_int_equal(feed_take(&watcher, &feed), 1);
    feed.body.wait_ms = 50;
    feed_send(&watcher, &feed);
    assert_int_equal(feed_take(&watcher, &feed), 0); /* in time, though nothing came */
    client_close(&watcher);
}

/* Found by the simulator: records come in the state of now, under a position that may be older; a node that was set
 * back to between the two took the consumer for one who had missed nothing. */
static void the_feed_is_reset_by_what_was_shown_too(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    struct feed feed;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    feed_begin(&feed, 0);
    feed_send(client, &feed);
    feed_take(client, &feed);
    for (unsigned i = 0; i < 3; i++)
        CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT(i == 0 ? "1" : i == 1 ? "2" : "3"));
    feed.body.has_limit = true;
    feed.body.limit = 1;
    feed_send(client, &feed);
    assert_int_equal(feed_take(client, &feed), 1); /* already with phone 3 */
    assert_true(feed.from.has_shown_commit && feed.from.shown_commit > feed.from.commit);
    struct feed honest = feed;
    honest.body.from = &honest.from;
    feed_send(client, &honest);
    assert_int_equal(feed_take(client, &honest), 1);
    feed.from.shown_tag ^= 1;
    feed_send(client, &feed);
    const Hallsync__Reply *reply = client_receive(client, ANSWER_MS);
    assert_string_equal(reply->error, "reset");
}

static void the_feed_is_reset_by_a_foreign_position(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    struct feed feed;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    feed_begin(&feed, 0);
    feed_send(client, &feed);
    feed_take(client, &feed);
    Hallsync__Request request = REQUEST(watch, WATCH, &feed.body);
    feed.from.tag++;
    assert_error(client_ask(client, &request), "reset");
    feed.from.commit += 1000;
    assert_error(client_ask(client, &request), "reset");
}

/* A page is whole commits as long as that fits a message; else the position counts the operations within one. */
static void the_feed_divides_a_large_commit(void **state)
{
    enum { RECORDS = 30000 };
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct feed feed;
    size_t found = 0;
    unsigned pages = 0;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    feed_begin(&feed, 0);
    feed_send(client, &feed);
    feed_take(client, &feed);
    client_close(client);
    office_stop(&desk->office);
    world_open(&desk->office.node, false);
    world_group(&desk->office.node, RECORDS);
    world_close(&desk->office.node);
    office_start(&desk->office, false);
    client_open(client, &desk->office, ZMQ_DEALER);
    feed.body.has_limit = true;
    feed.body.limit = 1;
    for (size_t last = 1; last > 0; pages++) {
        feed_send(client, &feed);
        last = feed_take(client, &feed);
        found += last;
        assert_true(last == 0 || pages > 0 || feed.from.has_ops);
    }
    assert_int_equal(found, RECORDS);
    assert_in_range(pages, 3, 10);
    assert_false(feed.from.has_ops);
}

static void a_waiting_feed_ends_with_the_service(void **state)
{
    struct desk *desk = *state;
    struct client watcher;
    struct feed feed;
    client_open(&watcher, &desk->office, ZMQ_DEALER);
    feed_begin(&feed, 60000);
    feed_send(&watcher, &feed);
    assert_null(client_receive(&watcher, 100));
    restart(desk);
    assert_int_equal(feed_take(&watcher, &feed), 0);
    client_close(&watcher);
}

static void too_many_who_wait_are_refused(void **state)
{
    enum { MANY = 300 };
    struct client *client = &((struct desk *)*state)->client;
    struct feed feed;
    size_t busy = 0;
    feed_begin(&feed, 3000);
    for (unsigned i = 0; i < MANY; i++)
        feed_send(client, &feed);
    for (unsigned i = 0; i < MANY; i++) {
        const Hallsync__Reply *reply = client_receive(client, ANSWER_MS);
        assert_non_null(reply);
        busy += reply->error != NULL && strcmp(reply->error, "busy") == 0;
    }
    assert_int_equal(busy, MANY - 256);
}

/* ---- waiting for the hub ---- */

static void probe(void *ctx, uint64_t token)
{
    struct office *office = ctx;
    atomic_store(&office->probe_token, token);
}

static void probe_end(void *ctx, uint64_t token)
{
    struct office *office = ctx;
    atomic_store(&office->probe_ended, token);
}

static void partial_status(void *ctx, struct hs_buf *to)
{
    struct hs_buf peer = {0};
    (void)ctx;
    hs_tlv_put_text(&peer, 1, "nj-hub");
    hs_tlv_put_text(&peer, 2, "hub");
    hs_tlv_put_text(&peer, 4, "live");
    hs_tlv_put_u64(&peer, 7, 12);
    hs_tlv_put_u64(&peer, 9, 3);
    hs_tlv_put_bytes(to, 9, hs_buf_bytes(&peer));
    Hallsync__StoppedStatus stopped = HALLSYNC__STOPPED_STATUS__INIT;
    stopped.node_id = stopped.from = TEXT("nj-hub");
    stopped.lane = TEXT("money");
    for (stopped.partition = 3201; stopped.partition < 3206; stopped.partition++) {
        hs_buf_reset(&peer);
        hs_msg_pack(&stopped.base, &peer);
        hs_tlv_put_bytes(to, 60, hs_buf_bytes(&peer));
    }
    hs_buf_fini(&peer);
}

static void a_wait_ends_when_all_is_there_or_in_time(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    desk->office.options.hooks = (struct hs_service_hooks){
        .ctx = &desk->office, .status = partial_status, .probe = probe, .probe_end = probe_end};
    restart(desk);
    Hallsync__WaitRequest body = HALLSYNC__WAIT_REQUEST__INIT;
    Hallsync__Request request = REQUEST(wait, WAIT, &body);
    body.timeout_ms = 10000;
    client_send(client, &request);
    assert_null(client_receive(client, 50));
    hs_service_probed(desk->office.service, atomic_load(&desk->office.probe_token) + 7); /* nobody's */
    hs_service_probed(desk->office.service, atomic_load(&desk->office.probe_token));
    assert_true(client_receive(client, ANSWER_MS)->wait->synced);
    assert_int_equal(atomic_load(&desk->office.probe_ended), 0);

    body.timeout_ms = 30;
    const Hallsync__WaitReply *reply = client_ask(client, &request)->wait;
    assert_false(reply->synced);
    assert_string_equal(reply->missing, "nj-hub is live: 12 operations to send, 3 to receive");
    assert_int_equal(atomic_load(&desk->office.probe_ended), atomic_load(&desk->office.probe_token));
    const Hallsync__StatusReply *own = status(client);
    assert_int_equal(own->n_peers, 1);
    assert_int_equal(own->peers[0]->lag_out_ops, 12);
    assert_int_equal(own->stopped_streams, 5);
}

static void a_wait_that_a_stop_cuts_short_is_no_answer(void **state)
{
    struct desk *desk = *state;
    Hallsync__WaitRequest body = HALLSYNC__WAIT_REQUEST__INIT;
    Hallsync__Request request = REQUEST(wait, WAIT, &body);
    desk->office.options.hooks = (struct hs_service_hooks){
        .ctx = &desk->office, .probe = probe, .probe_end = probe_end};
    restart(desk);
    body.timeout_ms = 60000;
    client_send(&desk->client, &request);
    while (atomic_load(&desk->office.probe_token) == 0)
        sched_yield();
    office_restart(&desk->office);
    const Hallsync__Reply *reply = client_receive(&desk->client, ANSWER_MS);
    assert_non_null(reply);
    assert_non_null(reply->error);
    assert_string_equal(reply->error, "stopping");
    assert_null(reply->wait);
    assert_int_equal(atomic_load(&desk->office.probe_ended), atomic_load(&desk->office.probe_token));
}

/* ---- figures ---- */

static void status_tells_who_and_how_much(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    const Hallsync__StatusReply *own = status(client);
    assert_string_equal(own->node_id, "nj-gulou");
    assert_string_equal(own->role, "hall");
    assert_string_equal(own->region, "Nanjing");
    assert_int_equal(own->n_districts, 1);
    assert_int_equal(own->districts[0], 3201);
    assert_null(own->origin);
    assert_true(own->disk_free_bytes > 0);
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    own = status(client);
    assert_int_equal(strlen(own->origin), 16);
    assert_int_equal(own->origins_opened, 1);
    assert_int_equal(own->commit, own->records_commit);
    assert_true(own->store_bytes > 0);
    assert_true(own->n_counters > 5);
}

/* ---- a store that was set back ---- */

static void a_client_that_knows_more_strikes_the_origin(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char origin[17];
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    snprintf(origin, sizeof origin, "%s", status(client)->origin);
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = REQUEST(status, STATUS, &body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    Hallsync__Position seen = HALLSYNC__POSITION__INIT;
    seen.commit = reply->position->commit;
    seen.tag = reply->position->tag;
    request.seen = &seen;
    client_ask(client, &request); /* what it was told itself proves nothing */
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("1")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_string_equal(status(client)->origin, origin);

    seen.commit += 50;
    for (unsigned i = 0; i < 3; i++)
        client_ask(client, &request); /* shown again it is the same proof */
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("2")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_string_not_equal(status(client)->origin, origin);
    assert_int_equal(status(client)->origins_opened, 2);
    seen.commit = 1;
    seen.tag ^= 1;
    client_ask(client, &request); /* a number that is here, with another tag */
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("3")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_int_equal(status(client)->origins_opened, 3);
    assert_string_equal(status(client)->older_copy->why, "a client knows more than this store");
    assert_int_equal(status(client)->older_copy->operations, 0);

    seen.commit = 1000;
    seen.has_store = true; /* that the one which has burnt knew more is no news */
    seen.store = status(client)->store_id + 1;
    client_ask(client, &request);
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("4")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_int_equal(status(client)->origins_opened, 3);
    seen.store--;
    client_ask(client, &request);
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("5")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_int_equal(status(client)->origins_opened, 4);
}

/* ---- enrolment ---- */

static const Hallsync__Reply *enroll(struct client *client, const char *node_id, uint32_t district, uint64_t ttl_ms)
{
    Hallsync__EnrollRequest body = HALLSYNC__ENROLL_REQUEST__INIT;
    body.node_id = TEXT(node_id);
    body.districts = &district;
    body.n_districts = 1;
    body.ttl_ms = ttl_ms;
    Hallsync__Request request = REQUEST(enroll, ENROLL, &body);
    return client_ask(client, &request);
}

static void only_a_hub_enrols(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_error(enroll(client, "nj-new", 3201, 3600000), "not-a-hub");
}

static void a_hub_gives_out_tokens(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct hs_token token;
    struct hs_enrolment enrolment;
    assert_error(enroll(client, "Bad Name", 3201, 3600000), "bad-value");
    assert_error(enroll(client, "nj-new", 12345, 3600000), "bad-value");
    assert_error(enroll(client, "nj-new", 3201, 0), "bad-value");
    assert_error(enroll(client, "nj-hub", 3201, 3600000), "exists");
    const Hallsync__Reply *reply = enroll(client, "nj-new", 3202, 3600000);
    assert_null(reply->error);
    assert_int_equal(hs_token_decode(reply->enroll->token, &token), HS_OK);
    assert_string_equal(token.node_id, "nj-new");
    assert_string_equal(token.region, "Nanjing");
    assert_int_equal(token.address_count, 1);
    struct hs_view *view = NULL;
    assert_int_equal(hs_view_open(desk->office.node.store, 0, 1000, &view), HS_OK);
    struct hs_hash hash = hs_hash_domain("hallsync token 1", HS_BYTES(token.secret, sizeof token.secret));
    assert_int_equal(hs_view_enrolment(view, &hash, &enrolment), HS_OK);
    hs_view_close(view);
    assert_int_equal(enrolment.districts[0], 3202);

    Hallsync__NodesRequest body = HALLSYNC__NODES_REQUEST__INIT;
    Hallsync__Request request = REQUEST(nodes, NODES, &body);
    const Hallsync__NodesReply *nodes = client_ask(client, &request)->nodes;
    assert_true(nodes->n_nodes >= 1);
    assert_string_equal(nodes->nodes[0]->node_id, "nj-new");
    assert_string_equal(nodes->nodes[0]->state, "enrolled");
    assert_int_equal(nodes->nodes[0]->districts[0], 3202);
}

static void a_hub_is_safe_as_a_hub_and_knows_all_districts(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_refused(PAY(.account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 1), "unknown-account", "account");
    const Hallsync__PutResult *result = CUSTOMER(.account = TEXT(FOREIGN_ACCOUNT), .name = TEXT("x"));
    assert_int_equal(result->safe, HALLSYNC__SAFETY__SAFETY_HUB);
    result = PAY(.account = TEXT(FOREIGN_ACCOUNT), .amount_fen = 1);
    assert_result(result, HALLSYNC__RESULT__RESULT_CREATED);
    assert_non_null(strstr(result->receipt, "nj-hub-"));
}

static void unknown_accounts_may_be_accepted(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    desk->office.options.accept_unknown_accounts = true;
    restart(desk);
    assert_result(PAY(.account = TEXT(ACCOUNT), .amount_fen = 1), HALLSYNC__RESULT__RESULT_CREATED);
}

#define HALL(name) cmocka_unit_test_setup_teardown(name, open_hall, close_desk)
#define HUB(name)  cmocka_unit_test_setup_teardown(name, open_hub, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HALL(live_socket_is_refused_and_a_stale_one_removed),
        HALL(endpoints_that_cannot_be_are_refused),
        HALL(a_req_client_is_answered_too),
        HALL(a_late_flush_holds_up_only_who_reads),
        HALL(bytes_that_are_no_request_are_named),
        HALL(requests_that_ask_nonsense_are_refused),
        HALL(a_message_of_ten_megabytes_ends_its_connection_only),
        HALL(a_request_of_too_many_parts_is_refused),
        HALL(records_are_found_by_index_and_in_pages),
        HALL(payments_are_found_by_account_and_summed_by_day_window_and_node),
        HALL(digests_are_told_in_order),
        HALL(the_feed_tells_what_came_after),
        HALL(the_feed_is_reset_by_what_was_shown_too),
        HALL(the_feed_is_reset_by_a_foreign_position),
        HALL(the_feed_divides_a_large_commit),
        HALL(a_waiting_feed_ends_with_the_service),
        HALL(too_many_who_wait_are_refused),
        HALL(a_wait_ends_when_all_is_there_or_in_time),
        HALL(a_wait_that_a_stop_cuts_short_is_no_answer),
        HALL(status_tells_who_and_how_much),
        HALL(a_client_that_knows_more_strikes_the_origin),
        HALL(only_a_hub_enrols),
        HUB(a_hub_gives_out_tokens),
        HUB(a_hub_is_safe_as_a_hub_and_knows_all_districts),
        HALL(unknown_accounts_may_be_accepted),
    };
    return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
