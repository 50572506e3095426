/* admin_answers_test.c -- handlers beside a node that is slow, says too much, or is asked without memory (its calls and
 * the clock are the test's); and samples without a disk to keep them. */
#include "node/admin/changes.h"
#include "node/admin/handlers.h"
#include "node/admin/inside.h"
#include "node/admin/wire.h"
#include "proto/base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define BEGIN 1000000ULL

/* ---- the node, the clock, memory ---- */

static struct {
    uint64_t now_ms, call_ms; /* that each call takes */
    unsigned timeout_ms, calls, pages;
    size_t next_size;
} node;

static size_t memory_left = SIZE_MAX; /* pieces, until one is refused */

uint64_t __wrap_hs_tick_ms(void);
uint64_t __wrap_hs_tick_ms(void)
{
    return node.now_ms;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    bool refuse = memory_left == 0;
    memory_left -= memory_left != SIZE_MAX; /* behind zero: all there is */
    return refuse ? NULL : __real_malloc(size);
}

bool __wrap_admin_poll_answers(struct admin_poll *poll);
bool __wrap_admin_poll_answers(struct admin_poll *poll)
{
    (void)poll;
    return true;
}

void __wrap_hallsync_set_timeout(struct hallsync *client, unsigned timeout_ms);
void __wrap_hallsync_set_timeout(struct hallsync *client, unsigned timeout_ms)
{
    (void)client;
    node.timeout_ms = timeout_ms;
}

/* A ticket a page, late, and more behind it. */
enum hallsync_status __wrap_hallsync_call(struct hallsync *client, const Hallsync__Request *request, uint8_t id[16],
                                          const Hallsync__Reply **reply);
enum hallsync_status __wrap_hallsync_call(struct hallsync *client, const Hallsync__Request *request, uint8_t id[16],
                                          const Hallsync__Reply **reply)
{
    static uint8_t next[512];
    static Hallsync__TicketState ticket;
    static Hallsync__Record record, *records[] = {&record};
    static Hallsync__RecordsReply page;
    static Hallsync__Reply made;
    (void)client;
    (void)id;
    *reply = NULL;
    node.calls++;
    if (node.call_ms > node.timeout_ms) {
        node.now_ms += node.timeout_ms;
        return HALLSYNC_TIMEOUT;
    }
    node.now_ms += node.call_ms;
    hallsync__ticket_state__init(&ticket);
    hallsync__record__init(&record);
    hallsync__records_reply__init(&page);
    hallsync__reply__init(&made);
    assert_int_equal(request->body_case, HALLSYNC__REQUEST__BODY_FIND);
    ticket.overdue = true;
    ticket.due_ms = 5;
    record.id = (char *)"t-1";
    record.node = (char *)"hall-1";
    record.partition = 3201;
    record.ticket = &ticket;
    page.n_records = 1;
    page.records = records;
    page.has_next = node.pages > 1; /* of the first state; the others have one */
    node.pages -= page.has_next;
    page.next = (ProtobufCBinaryData){.len = node.next_size, .data = next};
    made.body_case = HALLSYNC__REPLY__BODY_RECORDS;
    made.records = &page;
    *reply = &made;
    return HALLSYNC_OK;
}

/* Its answer, whole; NULL: it had no memory for it.  @refused: a piece was. */
static json_t *overdue_with(unsigned status, bool *refused)
{
    static struct hs_conf conf;
    struct admin admin = {.conf = &conf};
    struct admin_request request = {
        .admin = &admin, .node = (void *)&node, .until_ms = node.now_ms + ADMIN_NODE_MS_MAX};
    node.calls = 0;
    admin_get_overdue(&request);
    *refused = memory_left == SIZE_MAX;
    memory_left = SIZE_MAX;
    if (request.answer.status != 503)
        assert_int_equal(request.answer.status, status);
    json_t *answer = request.answer.status == 503
                         ? NULL
                         : json_loadb((const char *)request.answer.body.data, request.answer.body.size, 0, NULL);
    hs_buf_fini(&request.answer.body);
    return answer;
}

static json_t *overdue(unsigned status)
{
    bool refused;
    return overdue_with(status, &refused);
}

static void slow(uint64_t call_ms, unsigned pages, size_t next_size)
{
    node.now_ms = BEGIN;
    node.call_ms = call_ms;
    node.pages = pages;
    node.next_size = next_size;
}

/* ---- what a request may take ---- */

static void assert_tickets(json_t *answer, size_t count, bool complete)
{
    assert_int_equal(json_array_size(json_object_get(answer, "tickets")), count);
    assert_int_equal(json_is_true(json_object_get(answer, "complete")), complete);
    json_decref(answer);
}

static void a_slow_node_holds_up_a_worker_for_a_while(void **state)
{
    (void)state;
    slow(10, 30, 8);
    assert_tickets(overdue(200), 34, true); /* of five states, the first of which has 30 pages */
    slow(3000, 30, 8);
    assert_tickets(overdue(200), 2, false);
    assert_int_equal(node.now_ms, BEGIN + ADMIN_NODE_MS_MAX);
    slow(9000, 30, 8);
    json_t *answer = overdue(504);
    assert_string_equal(json_string_value(json_object_get(answer, "error")), "timed-out");
    assert_int_equal(node.calls, 1);
    json_decref(answer);
}

/* A place that cannot be gone on from is not the end. */
static void long_cursors_are_no_end(void **state)
{
    (void)state;
    static const uint8_t NEXT[ADMIN_AFTER_BYTES_MAX + 1];
    slow(1, 30, ADMIN_AFTER_BYTES_MAX + 1);
    assert_tickets(overdue(200), 5, false);
    for (size_t size = ADMIN_AFTER_BYTES_MAX; size <= sizeof NEXT; size++) {
        const ProtobufCBinaryData next = {.len = size, .data = (uint8_t *)(uintptr_t)NEXT};
        json_t *answer = json_object();
        admin_next(answer, true, &next);
        bool told = size <= ADMIN_AFTER_BYTES_MAX;
        assert_int_equal(json_string_length(json_object_get(answer, "next")), told ? 2 * size : 0);
        assert_int_equal(json_is_false(json_object_get(answer, "complete")), !told);
        json_decref(answer);
    }
}

/* ---- memory ---- */

/* Whichever piece is lacking: all of it, or that there was no memory for it. */
static void an_answer_is_whole_or_none(void **state)
{
    (void)state;
    slow(1, 1, 8);
    json_t *whole = overdue(200);
    assert_int_equal(json_array_size(json_object_get(whole, "tickets")), 5);
    unsigned lacked = 0;
    bool refused = true;
    for (size_t pieces = 0; refused; pieces++) {
        slow(1, 1, 8);
        memory_left = pieces;
        json_t *answer = overdue_with(200, &refused);
        lacked += answer == NULL;
        assert_true(answer == NULL || json_equal(answer, whole));
        json_decref(answer);
    }
    assert_true(lacked > 50);
    json_decref(whole);
}

/* ---- samples ---- */

static void full_disk(bool is)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = is ? 0 : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static unsigned status_of_samples(struct admin *admin)
{
    char name[] = "node", value[] = "hall-1";
    struct admin_request request = {.admin = admin, .queries = {{name, value}}, .query_count = 1};
    admin_get_samples(&request);
    hs_buf_fini(&request.answer.body);
    return request.answer.status;
}

/* Whoever looks after a full disk does so at the console: it starts, and keeps samples as soon as there is room. */
static void a_full_disk_keeps_nobody_out(void **state)
{
    (void)state;
    char dir[] = "/tmp/hallsync-wire.XXXXXX", path[64];
    static struct hs_conf conf;
    Hallsync__StatusReply reply = HALLSYNC__STATUS_REPLY__INIT;
    Hallsync__PeerStatus peer = HALLSYNC__PEER_STATUS__INIT, *peers[] = {&peer};
    struct hs_why why = {0};
    struct admin admin = {.conf = &conf};
    const struct admin_status status = {&reply, BEGIN};
    assert_non_null(mkdtemp(dir));
    conf.admin.dir = dir;
    reply.node_id = reply.role = reply.region = reply.version = (char *)"hub";
    peer.node_id = (char *)"hall-1";
    peer.role = peer.state = (char *)"live";
    reply.peers = peers;
    reply.n_peers = 1;
    signal(SIGXFSZ, SIG_IGN);
    full_disk(true);
    assert_int_equal(admin_events_new(&admin.events), HS_OK);
    assert_int_equal(admin_wire_new(&admin, &why), HS_OK);
    assert_true(admin.samples_failed);
    admin_wire_told(&admin, &status);
    assert_int_equal(status_of_samples(&admin), 404);
    full_disk(false);
    admin_wire_told(&admin, &status); /* not so soon */
    assert_true(admin.samples == NULL && admin.samples_failed);
    node.now_ms += 10000;
    admin_wire_told(&admin, &status);
    assert_true(admin.samples != NULL && !admin.samples_failed);
    assert_int_equal(status_of_samples(&admin), 200);
    admin_wire_free(&admin);
    admin_events_free(admin.events);
    snprintf(path, sizeof path, "%s/samples", dir);
    unlink(path);
    rmdir(dir);
}

static void what_is_set_up_wrong_is_refused(void **state)
{
    (void)state;
    static char dir[5000];
    static struct hs_conf conf = {.admin.dir = dir};
    struct hs_why why = {0};
    for (size_t size = 300; size < sizeof dir; size += 4000) {
        struct admin admin = {.conf = &conf};
        memset(dir, 'x', size);
        memcpy(dir, "/tmp/", 5);
        assert_int_equal(admin_wire_new(&admin, &why), HS_ECONFIG);
        assert_non_null(strstr(why.text, "admin.dir"));
        admin_wire_free(&admin);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_node_holds_up_a_worker_for_a_while),
        cmocka_unit_test(long_cursors_are_no_end),
        cmocka_unit_test(an_answer_is_whole_or_none),
        cmocka_unit_test(a_full_disk_keeps_nobody_out),
        cmocka_unit_test(what_is_set_up_wrong_is_refused),
    };
    admin_json_memory();
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
