/* service_decide_test.c -- parked records in the words of those who decide, and decisions by the local API. */
#include "tests/unit/service_trail.h"

#include "node/service/call.h"
#include "node/writer/writer.h"
#include "proto/msg/tlv.h"

/* ---- a record that the service would refuse goes past it, as a newer version's would ---- */

static void put_called(struct desk *desk, const char *id, const char *called, int64_t fen, const char *method)
{
    struct hs_buf fact = {0};
    struct hs_id number;
    bool hashed;
    assert_int_equal(hs_id_from_text(id, strlen(id), &number, &hashed), HS_OK);
    hs_tlv_put_text(&fact, 1, called);
    hs_tlv_put_text(&fact, 2, ACCOUNT);
    hs_tlv_put_u64(&fact, 3, (uint64_t)fen);
    hs_tlv_put_text(&fact, 5, method);
    hs_tlv_put_u64(&fact, 6, 3);
    struct hs_write write = {.kind = HS_KIND_PAYMENT,
                             .id = HS_BYTES(number.bytes, sizeof number.bytes),
                             .is_fact = true,
                             .fact = hs_buf_bytes(&fact)};
    office_write(&desk->office, 3201, HS_LANE_MONEY, &write);
    hs_buf_fini(&fact);
}

static void put_strange(struct desk *desk, const char *id, int64_t fen, const char *method)
{
    put_called(desk, id, id, fen, method);
}

static const Hallsync__ConflictsReply *list(struct client *client, const char *type, const char *id)
{
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    body.type = TEXT(type);
    body.id = TEXT(id);
    Hallsync__Request request = REQUEST(conflicts, CONFLICTS, &body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    return reply->conflicts;
}

static const Hallsync__Reply *decide_as(struct client *client, const char *id, const char *verdict,
                                        struct hs_bytes request_id)
{
    Hallsync__DecideRequest body = HALLSYNC__DECIDE_REQUEST__INIT;
    body.id = TEXT(id);
    body.verdict = TEXT(verdict);
    body.name = TEXT("Zhao");
    body.reason = TEXT("已核对存根");
    Hallsync__Request request = REQUEST(decide, DECIDE, &body);
    request.id = (ProtobufCBinaryData){.len = request_id.size, .data = (uint8_t *)(uintptr_t)request_id.data};
    return client_ask(client, &request);
}

static const Hallsync__Reply *decide(struct client *client, const char *id, const char *verdict)
{
    return decide_as(client, id, verdict, HS_BYTES_NONE);
}

static void expect(const Hallsync__Reply *reply, Hallsync__Result result)
{
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    assert_result(reply->put->results[0], result);
}

static void take_id(const Hallsync__ConflictsReply *reply, char id[static 200])
{
    assert_int_equal(reply->n_conflicts, 1);
    snprintf(id, 200, "%s", reply->conflicts[0]->id);
}

static void expect_money(struct client *client, uint64_t count, int64_t fen)
{
    Hallsync__TotalsReply all = totals(client, NULL);
    assert_int_equal(all.count, count);
    assert_int_equal(all.sum_fen, fen);
}

static void a_parked_payment_is_told_in_words_and_released(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char id[200], decided[200];
    CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("张三"));
    put_strange(desk, "pay-1", 12500, "beads");
    expect_money(client, 0, 0);
    assert_int_equal(status(client)->parked, 1);
    assert_int_equal(get_record(client, HS_KIND_PAYMENT, "pay-1")->n_parked, 1);

    const Hallsync__Conflict *parked = list(client, NULL, NULL)->conflicts[0];
    assert_string_equal(parked->account, ACCOUNT);
    assert_string_equal(parked->customer, "张三");
    assert_int_equal(parked->window, 3);
    assert_string_equal(parked->node, "nj-hub");
    assert_int_equal(parked->amount_fen, 12500);
    assert_true(parked->has_may_release && parked->may_release && !parked->counts);
    assert_string_equal(parked->reason, "method: 'beads' is none of cash, cheque, card, transfer, bank_slip");
    assert_non_null(
        strstr(parked->text, "payment pay-1 of account " ACCOUNT " (张三), 125.00 yuan, window 3, written at nj-hub"));
    assert_non_null(strstr(parked->text, "breaks a rule and counts nowhere: method: 'beads'"));
    assert_non_null(strstr(parked->advice, "conflict release"));
    take_id(list(client, "parked", NULL), id);

    expect(decide(client, id, "release"), HALLSYNC__RESULT__RESULT_CHANGED);
    expect_money(client, 1, 12500);
    assert_int_equal(status(client)->parked, 0);
    assert_int_equal(list(client, NULL, NULL)->n_conflicts,
                     0); /* what was decided is told only where it is asked for */
    expect(decide(client, id, "release"), HALLSYNC__RESULT__RESULT_UNCHANGED);
    take_id(list(client, "decided", NULL), decided);
    const Hallsync__Conflict *history = list(client, NULL, decided)->conflicts[0];
    assert_non_null(strstr(history->text, "released by Zhao at nj-hub"));
    assert_non_null(strstr(history->text, "已核对存根"));
    assert_int_equal(history->n_decisions, 1);
    assert_true(history->decisions[0]->holds && history->counts);

    expect(decide(client, decided, "reject"),
           HALLSYNC__RESULT__RESULT_CHANGED); /* another decision, by that row's id */
    expect_money(client, 0, 0);
    assert_int_equal(status(client)->parked, 0);
    assert_int_equal(list(client, "decided", NULL)->n_conflicts, 2);
    assert_int_equal(get_record(client, HS_KIND_PAYMENT, "pay-1")->n_parked, 1);
}

static const Hallsync__Reply *decide_having_seen(struct client *client, const char *id, const char *verdict,
                                                 uint32_t decisions)
{
    Hallsync__DecideRequest body = HALLSYNC__DECIDE_REQUEST__INIT;
    body.id = TEXT(id);
    body.verdict = TEXT(verdict);
    body.name = TEXT("Zhao");
    body.reason = TEXT("the slip was seen");
    body.has_seen = true;
    body.seen = decisions;
    Hallsync__Request request = REQUEST(decide, DECIDE, &body);
    return client_ask(client, &request);
}

/* Who decides has seen how many have decided before; what he decides is told of, and what is refused is not. */
static void a_decision_is_told_of_and_is_no_late_one(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    Hallsync__Actor zhao = person("Zhao", "console");
    char id[200], number[2 * HS_ID_BYTES + 1];
    put_strange(desk, "pay-1", 12500, "beads");
    take_id(list(client, "parked", NULL), id);
    snprintf(number, sizeof number, "%s", list(client, "parked", NULL)->conflicts[0]->record_id);
    client->actor = &zhao;
    assert_string_equal(decide_having_seen(client, id, "release", 1)->error, "changed-meanwhile");
    assert_int_equal(trail_size(client), 0);
    expect(decide_having_seen(client, id, "release", 0), HALLSYNC__RESULT__RESULT_CHANGED);
    TOLD(.name = TEXT("Zhao"), .way = TEXT("console"), .action = TEXT("release"), .of_kind = TEXT("payment"),
         .record_id = number, .district = TEXT("3201"), .reason = TEXT("the slip was seen"));
    assert_string_equal(decide_having_seen(client, id, "reject", 0)->error, "changed-meanwhile");
    expect_money(client, 1, 12500);
    expect(decide_having_seen(client, id, "reject", 1), HALLSYNC__RESULT__RESULT_CHANGED);
    expect_money(client, 0, 0);
    TOLD(.name = TEXT("Zhao"), .way = TEXT("console"), .action = TEXT("reject"), .of_kind = TEXT("payment"),
         .record_id = number, .district = TEXT("3201"), .reason = TEXT("the slip was seen"));
    assert_int_equal(trail_size(client), 2);
}

/* Whoever keeps a copy of the payments must hear of those that count from now on, and of those that do not any more. */
static void a_decision_is_a_change_of_its_record(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char id[200];
    uint32_t kinds[] = {HS_KIND_PAYMENT};
    put_strange(desk, "pay-5", 100, "beads");
    take_id(list(client, "parked", NULL), id);
    Hallsync__Position from = *client->reply->position;
    from.base.unknown_fields = NULL;
    expect(decide(client, id, "release"), HALLSYNC__RESULT__RESULT_CHANGED);
    Hallsync__WatchRequest body = HALLSYNC__WATCH_REQUEST__INIT;
    Hallsync__Request request = REQUEST(watch, WATCH, &body);
    body.from = &from;
    body.kinds = kinds;
    body.n_kinds = 1;
    const Hallsync__Reply *reply = client_ask(client, &request);
    assert_null(reply->error);
    assert_int_equal(reply->watch->n_records, 1);
    assert_string_equal(reply->watch->records[0]->id, "pay-5");
    assert_int_equal(reply->watch->records[0]->n_parked, 0);
}

static void what_cannot_be_released_says_what_to_do(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char id[200];
    put_strange(desk, "pay-2", -100, "cash");
    take_id(list(client, "parked", NULL), id);
    assert_false(list(client, "parked", NULL)->conflicts[0]->may_release);
    const Hallsync__Reply *reply = decide(client, id, "release");
    assert_string_equal(reply->error, "invalid");
    assert_non_null(strstr(reply->text, "amount_fen: -100 is not above zero"));
    assert_non_null(strstr(reply->text, "enter it again with right values"));
    assert_string_equal(decide(client, id, "forget")->error, "bad-value");
    assert_string_equal(decide(client, "parked:3201:3:00", "reject")->error, "not-found");
    assert_string_equal(decide(client, "field:3201:3:00", "reject")->error, "invalid");
    assert_string_equal(decide(client, "nonsense", "reject")->error, "bad-value");
    expect(decide(client, id, "reject"), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_int_equal(status(client)->parked, 0);
}

/* What it is called is no text, or no end of it: who has rejected it stands in the trail all the same. */
static void what_has_a_hostile_name_is_rejected_too(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char endless[201], id[200];
    const char *const NAMES[] = {"\xff\xfe", "", endless};
    Hallsync__Actor wang = HALLSYNC__ACTOR__INIT;
    wang.name = TEXT("wang");
    wang.way = TEXT("command_line");
    client->actor = &wang;
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        char own[8] = {'p', 'a', 'y', '-', (char)('5' + i)};
        put_called(desk, own, NAMES[i], 100, "cash");
        take_id(list(client, "parked", NULL), id);
        expect(decide(client, id, "reject"), HALLSYNC__RESULT__RESULT_CHANGED);
        assert_int_equal(status(client)->parked, 0);
    }
    client->actor = NULL;
}

static void a_decision_sent_again_is_made_once(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char id[200];
    struct hs_bytes request = HS_BYTES("0123456789abcdef", 16);
    put_strange(desk, "pay-3", 100, "beads");
    take_id(list(client, "parked", NULL), id);
    expect(decide_as(client, id, "release", request), HALLSYNC__RESULT__RESULT_CHANGED);
    expect(decide_as(client, id, "release", request), HALLSYNC__RESULT__RESULT_EXISTS);
    assert_int_equal(list(client, "decided", NULL)->n_conflicts, 1);
    expect_money(client, 1, 100);
}

static void a_hall_is_told_to_decide_at_a_hub(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char id[200];
    put_strange(desk, "pay-4", 100, "beads");
    take_id(list(client, "parked", NULL), id);
    const Hallsync__Reply *reply = decide(client, id, "release");
    assert_string_equal(reply->error, "not-a-hub");
    assert_non_null(strstr(reply->text, "nj-gulou is a hall"));
    expect_money(client, 0, 0);
}

/* ---- streams that do not go on ---- */

static void say_stopped(void *ctx, struct hs_buf *partial)
{
    Hallsync__StoppedStatus row = HALLSYNC__STOPPED_STATUS__INIT;
    (void)ctx;
    row.node_id = TEXT("nj-chengbei");
    row.origin = 0x1234;
    row.partition = 3201;
    row.lane = TEXT("money");
    row.behind = 512;
    row.last = 530;
    row.from = TEXT("nj-hub-2");
    row.since_ms = 1795233600000;
    hs_call_put(partial, 60, &row.base);
    row.from = TEXT("nj-hub-3"); /* the same stream, from another peer */
    hs_call_put(partial, 60, &row.base);
    row.lane = TEXT("people");
    hs_call_put(partial, 60, &row.base);
}

static void stopped_streams_are_listed_in_words(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char id[200];
    desk->office.options.hooks.status = say_stopped;
    restart(desk);
    assert_int_equal(status(client)->stopped_streams, 3);
    assert_int_equal(list(client, NULL, NULL)->n_conflicts, 3);
    const Hallsync__Conflict *stopped = list(client, "stopped", NULL)->conflicts[0];
    assert_string_equal(stopped->text,
                        "payments and cash entries of nj-chengbei, district 3201: stopped behind operation 512: what "
                        "nj-hub-2 sends of them (18 more) does not continue what is here, by hash or signature");
    assert_non_null(strstr(stopped->advice, "hallsync verify here and at nj-hub-2"));
    assert_string_equal(stopped->node, "nj-chengbei");
    assert_int_equal(stopped->behind, 512);
    assert_int_equal(stopped->operations, 18);
    snprintf(id, sizeof id, "%s", stopped->id);
    assert_int_equal(list(client, NULL, id)->n_conflicts, 1);
    const Hallsync__Reply *reply = decide(client, id, "release");
    assert_string_equal(reply->error, "invalid");

    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT; /* page by page */
    Hallsync__Request request = REQUEST(conflicts, CONFLICTS, &body);
    uint8_t after[16];
    body.has_limit = true;
    body.limit = 2;
    const Hallsync__ConflictsReply *page = client_ask(client, &request)->conflicts;
    assert_true(page->n_conflicts == 2 && page->has_next && page->next.len <= sizeof after);
    assert_string_not_equal(page->conflicts[0]->id, page->conflicts[1]->id);
    memcpy(after, page->next.data, page->next.len);
    body.has_after = true;
    body.after = (ProtobufCBinaryData){.len = page->next.len, .data = after};
    page = client_ask(client, &request)->conflicts;
    assert_int_equal(page->n_conflicts, 1);
    assert_string_equal(page->conflicts[0]->lane, "people");
}

#define AT(role, test) cmocka_unit_test_setup_teardown(test, open_##role, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT(hub, a_parked_payment_is_told_in_words_and_released),
        AT(hub, a_decision_is_told_of_and_is_no_late_one),
        AT(hub, a_decision_is_a_change_of_its_record),
        AT(hub, what_cannot_be_released_says_what_to_do),
        AT(hub, what_has_a_hostile_name_is_rejected_too),
        AT(hub, a_decision_sent_again_is_made_once),
        AT(hub, stopped_streams_are_listed_in_words),
        AT(hall, a_hall_is_told_to_decide_at_a_hub),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
