/* client_test.c -- libhallsync against a node that is played here: a ROUTER on a thread that follows a script. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/client/hallsync.h"
#include "storage/model/kinds.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

/* The public numbers are those of the table. */
_Static_assert((int)HALLSYNC_KIND_CUSTOMER == (int)HS_KIND_CUSTOMER, "customer");
_Static_assert((int)HALLSYNC_KIND_BILL == (int)HS_KIND_BILL, "bill");
_Static_assert((int)HALLSYNC_KIND_PAYMENT == (int)HS_KIND_PAYMENT, "payment");
_Static_assert((int)HALLSYNC_KIND_CASH_ENTRY == (int)HS_KIND_CASH_ENTRY, "cash_entry");
_Static_assert((int)HALLSYNC_KIND_REVERSAL == (int)HS_KIND_REVERSAL, "reversal");
_Static_assert((int)HALLSYNC_KIND_TICKET == (int)HS_KIND_TICKET, "ticket");
_Static_assert((int)HALLSYNC_KIND_TICKET_EVENT == (int)HS_KIND_TICKET_EVENT, "ticket_event");
_Static_assert((int)HALLSYNC_KIND_CATALOGUE == (int)HS_KIND_CATALOGUE, "catalogue");
_Static_assert((int)HALLSYNC_KIND_NOTICE == (int)HS_KIND_NOTICE, "notice");
_Static_assert((int)HALLSYNC_KIND_REISSUE == (int)HS_KIND_REISSUE, "reissue");
_Static_assert((int)HALLSYNC_KIND_DECISION == (int)HS_KIND_DECISION, "decision");

#define S(literal)     ((char[]){literal}) /* protobuf-c's members know no const */
#define REQUESTS_MAX   16
#define IDENTITY_BYTES 64

enum act {
    ACT_ANSWER,     /* as the service does */
    ACT_SILENT,     /* nothing */
    ACT_STALE,      /* an answer to another request, then the right one */
    ACT_GARBAGE,    /* bytes that are no reply */
    ACT_REFUSE,     /* an error */
    ACT_BAD_RECORD, /* an error of the record */
    ACT_WATCH,      /* no records, and a place within a commit */
};

struct node {
    void *context;
    char dir[64];
    char endpoint[96];
    const enum act *script;
    size_t script_count;
    pthread_t thread;
    atomic_bool stop;
    /* what came, read after the thread has ended or where the client has its answer */
    size_t request_count;
    uint8_t *bytes[REQUESTS_MAX];
    size_t sizes[REQUESTS_MAX];
};

static void send_reply(void *router, const void *identity, size_t identity_size, const Hallsync__Reply *reply)
{
    uint8_t bytes[512];
    size_t size = hallsync__reply__pack(reply, bytes);
    zmq_send(router, identity, identity_size, ZMQ_SNDMORE);
    zmq_send(router, bytes, size, 0);
}

static void answer(void *router, const void *identity, size_t identity_size, ProtobufCBinaryData id, enum act act)
{
    Hallsync__PutResult result = HALLSYNC__PUT_RESULT__INIT;
    result.id = S("P-1");
    result.error = act == ACT_BAD_RECORD ? S("bad-amount") : NULL;
    result.text = act == ACT_BAD_RECORD ? S("amount_fen: 0 is not above zero") : NULL;
    Hallsync__PutResult *results[] = {&result};
    Hallsync__PutReply put = HALLSYNC__PUT_REPLY__INIT;
    put.n_results = 1;
    put.results = results;
    Hallsync__Reply reply = HALLSYNC__REPLY__INIT;
    reply.id = id;
    reply.body_case = HALLSYNC__REPLY__BODY_PUT;
    reply.put = &put;
    uint8_t other[16] = "another request";
    Hallsync__Position position = HALLSYNC__POSITION__INIT;
    Hallsync__WatchReply watch = HALLSYNC__WATCH_REPLY__INIT;
    position.commit = 7;
    position.tag = 9;
    position.has_ops = 1;
    position.ops = 2;
    watch.position = &position;
    if (act == ACT_WATCH) {
        reply.body_case = HALLSYNC__REPLY__BODY_WATCH;
        reply.watch = &watch;
    }
    if (act == ACT_STALE) {
        reply.id = (ProtobufCBinaryData){.len = sizeof other, .data = other};
        send_reply(router, identity, identity_size, &reply);
        reply.id = id;
    }
    char error[] = "disk-full";
    char text[] = "the disk or the store is full";
    if (act == ACT_REFUSE) {
        reply.body_case = HALLSYNC__REPLY__BODY__NOT_SET;
        reply.error = error;
        reply.text = text;
    }
    send_reply(router, identity, identity_size, &reply);
}

static void play(struct node *node, void *router, const void *identity, size_t identity_size)
{
    size_t turn = node->request_count - 1;
    enum act act = turn < node->script_count ? node->script[turn] : ACT_ANSWER;
    Hallsync__Request *request = hallsync__request__unpack(NULL, node->sizes[turn], node->bytes[turn]);
    if (act == ACT_GARBAGE) {
        zmq_send(router, identity, identity_size, ZMQ_SNDMORE);
        zmq_send(router, "\xff\xff\xff", 3, 0);
    } else if (act != ACT_SILENT && request != NULL) {
        answer(router, identity, identity_size, request->id, act);
    }
    if (request != NULL)
        hallsync__request__free_unpacked(request, NULL);
}

static void *run_node(void *ctx)
{
    struct node *node = ctx;
    void *router = zmq_socket(node->context, ZMQ_ROUTER);
    int wait_ms = 20, linger_ms = 0;
    zmq_setsockopt(router, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_setsockopt(router, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    if (zmq_bind(router, node->endpoint) != 0)
        abort();
    while (!atomic_load(&node->stop)) {
        uint8_t identity[IDENTITY_BYTES];
        int identity_size = zmq_recv(router, identity, sizeof identity, 0);
        if (identity_size < 0 || node->request_count == REQUESTS_MAX)
            continue;
        zmq_msg_t message;
        zmq_msg_init(&message);
        zmq_msg_recv(&message, router, 0);
        size_t size = zmq_msg_size(&message);
        node->bytes[node->request_count] = malloc(size);
        memcpy(node->bytes[node->request_count], zmq_msg_data(&message), size);
        node->sizes[node->request_count++] = size;
        zmq_msg_close(&message);
        play(node, router, identity, (size_t)identity_size);
    }
    zmq_close(router);
    return NULL;
}

static void make_node(struct node *node, const enum act *script, size_t script_count)
{
    memset(node, 0, sizeof *node);
    snprintf(node->dir, sizeof node->dir, "/tmp/hallsync-client-XXXXXX");
    assert_non_null(mkdtemp(node->dir));
    snprintf(node->endpoint, sizeof node->endpoint, "ipc://%s/s", node->dir);
    node->script = script;
    node->script_count = script_count;
    node->context = zmq_ctx_new();
}

static void start_node(struct node *node)
{
    assert_int_equal(pthread_create(&node->thread, NULL, run_node, node), 0);
}

static void stop_node(struct node *node)
{
    atomic_store(&node->stop, true);
    assert_int_equal(pthread_join(node->thread, NULL), 0);
    atomic_store(&node->stop, false);
}

static void free_node(struct node *node)
{
    char path[96];
    for (size_t i = 0; i < node->request_count; i++)
        free(node->bytes[i]);
    zmq_ctx_term(node->context);
    snprintf(path, sizeof path, "%s/s", node->dir);
    unlink(path);
    rmdir(node->dir);
}

static enum hallsync_status put_payment(struct hallsync *client, const Hallsync__PutResult **result)
{
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    payment.payment_id = S("P-1");
    payment.has_amount_fen = 1;
    payment.amount_fen = 12345;
    return hallsync_put(client, 3, &payment.base, result);
}

static void one_request_is_answered(void **state)
{
    (void)state;
    struct node node;
    make_node(&node, NULL, 0);
    start_node(&node);
    struct hallsync *client = hallsync_open(node.endpoint);
    assert_non_null(client);
    const Hallsync__PutResult *result = NULL;
    assert_int_equal(put_payment(client, &result), HALLSYNC_OK);
    assert_string_equal(result->id, "P-1");
    assert_string_equal(hallsync_error(client), "");
    hallsync_close(client);
    stop_node(&node);
    Hallsync__Request *request = hallsync__request__unpack(NULL, node.sizes[0], node.bytes[0]);
    assert_non_null(request);
    assert_int_equal(request->version, 1);
    assert_int_equal(request->id.len, 16);
    assert_int_equal(request->body_case, HALLSYNC__REQUEST__BODY_PUT);
    assert_int_equal(request->put->kind, 3);
    assert_int_equal(request->put->n_records, 1);
    Hallsync__Payment *payment = hallsync__payment__unpack(NULL, request->put->records[0]->record.len,
                                                           request->put->records[0]->record.data);
    assert_non_null(payment);
    assert_true(payment->amount_fen == 12345);
    hallsync__payment__free_unpacked(payment, NULL);
    hallsync__request__free_unpacked(request, NULL);
    free_node(&node);
}

static void every_request_has_an_id_of_its_own(void **state)
{
    (void)state;
    struct node node;
    make_node(&node, NULL, 0);
    start_node(&node);
    struct hallsync *client = hallsync_open(node.endpoint);
    Hallsync__StatusRequest status = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request.status = &status;
    uint8_t first[16], second[16], third[16];
    const Hallsync__Reply *reply;
    assert_int_equal(hallsync_call(client, &request, first, &reply), HALLSYNC_OK);
    assert_int_equal(request.id.len, 0);
    assert_int_equal(hallsync_call(client, &request, second, &reply), HALLSYNC_OK);
    assert_memory_not_equal(first, second, 16);
    request.id = (ProtobufCBinaryData){.len = sizeof first, .data = first};
    assert_int_equal(hallsync_call(client, &request, third, &reply), HALLSYNC_OK);
    assert_memory_equal(first, third, 16);
    hallsync_close(client);
    stop_node(&node);
    assert_int_equal(node.request_count, 3);
    assert_int_equal(node.sizes[0], node.sizes[2]);
    assert_memory_equal(node.bytes[0], node.bytes[2], node.sizes[0]);
    free_node(&node);
}

static void silence_is_answered_with_the_same_bytes(void **state)
{
    (void)state;
    static const enum act SCRIPT[] = {ACT_SILENT, ACT_ANSWER};
    struct node node;
    make_node(&node, SCRIPT, 2);
    start_node(&node);
    struct hallsync *client = hallsync_open(node.endpoint);
    const Hallsync__PutResult *result = NULL;
    assert_int_equal(put_payment(client, &result), HALLSYNC_OK);
    hallsync_close(client);
    stop_node(&node);
    assert_int_equal(node.request_count, 2);
    assert_int_equal(node.sizes[0], node.sizes[1]);
    assert_memory_equal(node.bytes[0], node.bytes[1], node.sizes[0]);
    free_node(&node);
}

static void no_answer_in_time_is_a_timeout(void **state)
{
    (void)state;
    static const enum act SCRIPT[] = {ACT_SILENT, ACT_SILENT, ACT_SILENT};
    struct node node;
    make_node(&node, SCRIPT, 3);
    start_node(&node);
    struct hallsync *client = hallsync_open(node.endpoint);
    hallsync_set_timeout(client, 300);
    const Hallsync__PutResult *result = NULL;
    assert_int_equal(put_payment(client, &result), HALLSYNC_TIMEOUT);
    assert_null(result);
    assert_non_null(strstr(hallsync_error(client), "no answer"));
    hallsync_close(client);
    stop_node(&node);
    assert_int_equal(node.request_count, 1);
    free_node(&node);
}

static void answers_to_other_requests_are_passed_over(void **state)
{
    (void)state;
    static const enum act SCRIPT[] = {ACT_STALE};
    struct node node;
    make_node(&node, SCRIPT, 1);
    start_node(&node);
    struct hallsync *client = hallsync_open(node.endpoint);
    const Hallsync__PutResult *result = NULL;
    assert_int_equal(put_payment(client, &result), HALLSYNC_OK);
    hallsync_close(client);
    stop_node(&node);
    assert_int_equal(node.request_count, 1);
    free_node(&node);
}

static void errors_are_told_apart(void **state)
{
    (void)state;
    static const enum act SCRIPT[] = {ACT_GARBAGE, ACT_REFUSE, ACT_BAD_RECORD, ACT_ANSWER, ACT_ANSWER, ACT_BAD_RECORD};
    struct node node;
    make_node(&node, SCRIPT, 6);
    start_node(&node);
    struct hallsync *client = hallsync_open(node.endpoint);
    const Hallsync__PutResult *result = NULL;
    assert_int_equal(put_payment(client, &result), HALLSYNC_PROTOCOL);
    assert_int_equal(put_payment(client, &result), HALLSYNC_REFUSED);
    assert_null(result);
    assert_string_equal(hallsync_error(client), "disk-full: the disk or the store is full");
    assert_int_equal(put_payment(client, &result), HALLSYNC_REFUSED);
    assert_non_null(result);
    assert_string_equal(result->error, "bad-amount");
    const Hallsync__Record *record = NULL;
    assert_int_equal(hallsync_get(client, 3, "P-1", &record), HALLSYNC_PROTOCOL); /* a put's answer to a get */
    assert_null(record);
    const Hallsync__RecordsReply *found = NULL;
    assert_int_equal(hallsync_find(client, 2, "account", "3201000001", &found), HALLSYNC_PROTOCOL);
    assert_null(found);
    Hallsync__ReverseRequest reverse = HALLSYNC__REVERSE_REQUEST__INIT;
    reverse.payment_id = S("P-1");
    result = NULL;
    assert_int_equal(hallsync_reverse(client, &reverse, &result),
                     HALLSYNC_REFUSED); /* of the record, not the request */
    assert_string_equal(result->error, "bad-amount");
    hallsync_close(client);
    stop_node(&node);
    free_node(&node);
}

/* Longer than the time of a call, if it may wait longer; and on from there. */
static void a_feed_goes_on_where_it_was(void **state)
{
    (void)state;
    static const enum act SCRIPT[] = {ACT_WATCH, ACT_SILENT, ACT_WATCH, ACT_ANSWER};
    struct node node;
    make_node(&node, SCRIPT, 4);
    start_node(&node);
    struct hallsync *client = hallsync_open(node.endpoint);
    Hallsync__WatchRequest what = HALLSYNC__WATCH_REQUEST__INIT;
    Hallsync__Position position = HALLSYNC__POSITION__INIT;
    const Hallsync__WatchReply *reply;
    hallsync_set_timeout(client, 500);
    assert_int_equal(hallsync_watch(client, &what, &position, &reply), HALLSYNC_OK);
    assert_ptr_equal(what.from, &position);
    assert_true(position.commit == 7 && position.tag == 9 && position.has_ops && position.ops == 2);
    what.has_wait_ms = 1;
    what.wait_ms = 700;
    struct timespec before, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(hallsync_watch(client, &what, &position, &reply), HALLSYNC_TIMEOUT);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000 >= 1150);
    assert_int_equal(hallsync_watch(client, &what, &position, &reply), HALLSYNC_OK);
    assert_int_equal(reply->n_records, 0);
    Hallsync__Request *sent = hallsync__request__unpack(NULL, node.sizes[2], node.bytes[2]);
    assert_true(sent->watch->from->commit == 7 && sent->watch->from->tag == 9 && sent->watch->from->ops == 2);
    hallsync__request__free_unpacked(sent, NULL);
    assert_int_equal(hallsync_watch(client, &what, &position, &reply), HALLSYNC_PROTOCOL); /* a put's answer */
    assert_null(reply);
    assert_int_equal(position.commit, 7);
    hallsync_close(client);
    stop_node(&node);
    free_node(&node);
}

static void a_node_that_comes_later_is_found(void **state)
{
    (void)state;
    struct node node;
    make_node(&node, NULL, 0);
    struct hallsync *client = hallsync_open(node.endpoint);
    hallsync_set_timeout(client, 200);
    const Hallsync__PutResult *result = NULL;
    assert_int_equal(put_payment(client, &result), HALLSYNC_TIMEOUT);
    start_node(&node);
    hallsync_set_timeout(client, 10000);
    assert_int_equal(put_payment(client, &result), HALLSYNC_OK);
    stop_node(&node); /* and falls, and comes again */
    start_node(&node);
    assert_int_equal(put_payment(client, &result), HALLSYNC_OK);
    hallsync_close(client);
    stop_node(&node);
    free_node(&node);
}

static void bad_endpoints_and_big_requests_are_refused_here(void **state)
{
    (void)state;
    const Hallsync__PutResult *result = NULL;
    struct hallsync *client = hallsync_open("nonsense");
    assert_non_null(client);
    assert_int_equal(put_payment(client, &result), HALLSYNC_SYSTEM);
    hallsync_close(client);

    client = hallsync_open("ipc:///tmp/hallsync-nobody");
    char *big = malloc(2 << 20);
    memset(big, 'x', (2 << 20) - 1);
    big[(2 << 20) - 1] = '\0';
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    customer.remark = big;
    errno = 0;
    assert_int_equal(hallsync_put(client, 1, &customer.base, &result), HALLSYNC_SYSTEM);
    assert_int_equal(errno, EMSGSIZE);
    free(big);
    hallsync_close(client);
    hallsync_close(NULL);
    assert_string_equal(hallsync_version(), HS_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_is_answered),
        cmocka_unit_test(every_request_has_an_id_of_its_own),
        cmocka_unit_test(silence_is_answered_with_the_same_bytes),
        cmocka_unit_test(no_answer_in_time_is_a_timeout),
        cmocka_unit_test(answers_to_other_requests_are_passed_over),
        cmocka_unit_test(errors_are_told_apart),
        cmocka_unit_test(a_node_that_comes_later_is_found),
        cmocka_unit_test(a_feed_goes_on_where_it_was),
        cmocka_unit_test(bad_endpoints_and_big_requests_are_refused_here),
    };
    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
