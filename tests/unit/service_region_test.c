/* service_region_test.c -- what the region adds to the local API: its own kinds. */
#include "node/service/call.h"
#include "tests/unit/service_desk.h"

/* ---- the region's kinds ---- */

#define CATALOGUE(...) put_catalogue(client, (Hallsync__Catalogue){MESSAGE(catalogue), __VA_ARGS__})
#define NOTICE(...)    put_notice(client, (Hallsync__Notice){MESSAGE(notice), __VA_ARGS__})

static const Hallsync__PutResult *put_catalogue(struct client *client, Hallsync__Catalogue catalogue)
{
    return put(client, &(struct putting){.kind = HS_KIND_CATALOGUE, .message = &catalogue.base});
}

static const Hallsync__PutResult *put_notice(struct client *client, Hallsync__Notice notice)
{
    return put(client, &(struct putting){.kind = HS_KIND_NOTICE, .message = &notice.base});
}

static void a_hub_writes_the_catalogue_for_the_region(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(CATALOGUE(.service_id = TEXT("meter-check"), .name = TEXT("电能表校验")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(CATALOGUE(.service_id = TEXT("meter-check"), .fee = TEXT("none"), .active = TEXT("yes")),
                  HALLSYNC__RESULT__RESULT_CHANGED);
    assert_refused(CATALOGUE(.service_id = TEXT("meter-check"), .active = TEXT("maybe")), "bad-value", "active");
    assert_refused(CATALOGUE(.service_id = TEXT("nothing-else")), "missing-field", "name");
    const Hallsync__Record *record = get_record(client, HS_KIND_CATALOGUE, "meter-check");
    assert_non_null(record);
    assert_int_equal(record->partition, HS_PARTITION_REGION);
    assert_int_equal(record->n_parked, 0);
}

static size_t found_of_district(struct client *client, const char *district)
{
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    body.kind = HS_KIND_NOTICE;
    body.index = district != NULL ? TEXT("district") : NULL;
    body.key = TEXT(district);
    const Hallsync__Reply *reply = find(client, &body);
    assert_null(reply->error);
    return reply->records->n_records;
}

static void a_notice_goes_to_its_district_or_to_all(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(NOTICE(.notice_id = TEXT("n-1"), .district = TEXT("3201"), .type = TEXT("planned"),
                         .text = TEXT("no power"), .has_starts_ms = true, .starts_ms = 1795240800000),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(NOTICE(.notice_id = TEXT("n-2"), .type = TEXT("info"), .text = TEXT("new year")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(NOTICE(.notice_id = TEXT("n-1"), .text = TEXT("power is back")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_refused(NOTICE(.notice_id = TEXT("n-1"), .district = TEXT("3202")), "fixed-field", "district");
    assert_refused(NOTICE(.notice_id = TEXT("n-2"), .district = TEXT("3201")), "fixed-field", "district");
    assert_refused(NOTICE(.notice_id = TEXT("n-3"), .district = TEXT("32"), .type = TEXT("info"), .text = TEXT("x")),
                   "bad-value", "district");
    assert_int_equal(get_record(client, HS_KIND_NOTICE, "n-1")->partition, 3201);
    assert_int_equal(get_record(client, HS_KIND_NOTICE, "n-2")->partition, HS_PARTITION_REGION);
    assert_int_equal(found_of_district(client, "3201"), 1);
    assert_int_equal(found_of_district(client, "3202"), 0);
    assert_int_equal(found_of_district(client, NULL), 2);
}

static enum hs_err put_error(struct client *client, uint32_t kind)
{
    static uint8_t bytes[] = {0x0a, 1, 'x'};
    Hallsync__PutRecord record = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__PutRecord *records[] = {&record};
    Hallsync__PutRequest body = HALLSYNC__PUT_REQUEST__INIT;
    record.record = (ProtobufCBinaryData){.len = sizeof bytes, .data = bytes};
    body.kind = kind;
    body.records = records;
    body.n_records = 1;
    Hallsync__Request request = REQUEST(put, PUT, &body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    return reply->error == NULL ? HS_OK : hs_err_by_name(reply->error);
}

static void a_hall_does_not_write_them(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_int_equal(put_error(client, HS_KIND_CATALOGUE), HS_ENOTHUB);
    assert_non_null(strstr(client->reply->text, "write it at a hub"));
    assert_int_equal(put_error(client, HS_KIND_NOTICE), HS_ENOTHUB);
    assert_int_equal(put_error(client, HS_KIND_REISSUE), HS_EINVAL); /* nor does anybody's client */
}

/* ---- what a hall has not handed in ---- */

/* A hub, made for this, signs for what the hall's stream has by now. */
static void sign_at_a_hub(struct world_node *hall, const struct hs_stream *stream, uint64_t n)
{
    struct world_node hub;
    struct hs_commit commit;
    struct hs_receipt receipt = {.store_id = 77, .stream = *stream, .n = n, .time_ms = 1};
    world_add(hall->region, &hub, "nj-hub", HS_ROLE_HUB);
    receipt.hub_key = hub.draft.node_key;
    struct hs_view *view = world_view(hall);
    assert_int_equal(hs_view_hash_at(view, stream, n, &receipt.hash), HS_OK);
    hs_view_close(view);
    assert_int_equal(hs_receipt_sign(&receipt, &hub.options.signer), HS_OK);
    assert_int_equal(hs_store_begin(hall->store), HS_OK);
    assert_int_equal(hs_store_put_receipt(hall->store, &receipt, hub.options.certificate), HS_OK);
    assert_int_equal(hs_store_commit(hall->store, &commit), HS_OK);
    world_drop(&hub);
}

static void own_operations_wait_until_a_hub_has_signed(void **state)
{
    struct desk *desk = *state;
    struct world_node *hall = &desk->office.node;
    struct world_node other;
    client_close(&desk->client);
    office_stop(&desk->office);
    world_open(hall, false);
    struct hs_stream stream = {.origin = world_group(hall, 5).origin, .partition = 3201, .lane = HS_LANE_MONEY};
    sign_at_a_hub(hall, &stream, 5);
    world_group(hall, 2);
    world_add(desk->office.region, &other, "nj-xuanwu", HS_ROLE_HALL);
    world_open(&other, true);
    world_group(&other, 3); /* which nobody has signed for, as far as this hall has heard */
    assert_int_equal(world_carry(&other, hall), 1);
    world_drop(&other);
    world_close(hall);
    office_start(&desk->office, false);
    client_open(&desk->client, &desk->office, ZMQ_DEALER);
    const Hallsync__StatusReply *told = status(&desk->client);
    assert_int_equal(told->n_waiting, 1);
    assert_string_equal(told->waiting[0]->lane, "money");
    assert_int_equal(told->waiting[0]->out_ops, 2);
}

/* ---- while records are still coming ---- */

static bool is_complete(bool has, bool complete)
{
    assert_true(!has || !complete); /* it is only said where it is not */
    return !has;
}

static void assert_complete(struct client *client, bool complete)
{
    Hallsync__TotalsRequest all = HALLSYNC__TOTALS_REQUEST__INIT;
    Hallsync__FindRequest customers = HALLSYNC__FIND_REQUEST__INIT, tickets = HALLSYNC__FIND_REQUEST__INIT;
    Hallsync__TotalsReply sums = totals(client, &all);
    assert_int_equal(is_complete(sums.has_complete, sums.complete), complete);
    customers.kind = HS_KIND_CUSTOMER;
    const Hallsync__RecordsReply *found = find(client, &customers)->records;
    assert_int_equal(is_complete(found->has_complete, found->complete), complete);
    tickets.kind = HS_KIND_TICKET;
    tickets.index = TEXT("state");
    tickets.key = TEXT("open");
    found = find(client, &tickets)->records;
    assert_int_equal(is_complete(found->has_complete, found->complete), complete);
}

/* Sums and lists of all that is here: nobody else is asked, so that they must say that they are not whole. */
static void sums_and_lists_say_that_records_are_still_coming(void **state)
{
    struct desk *desk = *state;
    assert_complete(&desk->client, false);
    client_close(&desk->client);
    office_stop(&desk->office);
    world_open(&desk->office.node, false);
    world_fill_empty(&desk->office.node);
    world_close(&desk->office.node);
    office_start(&desk->office, false);
    client_open(&desk->client, &desk->office, ZMQ_DEALER);
    assert_complete(&desk->client, true);
}

/* ---- nodes that are made anew ---- */

static const Hallsync__Reply *enroll_again(struct client *client, const char *node_id, const uint32_t *district)
{
    Hallsync__EnrollRequest body = HALLSYNC__ENROLL_REQUEST__INIT;
    body.node_id = TEXT(node_id);
    body.ttl_ms = 3600000;
    body.has_rebuild = body.rebuild = true;
    body.districts = (uint32_t *)(uintptr_t)district;
    body.n_districts = district != NULL;
    Hallsync__Request request = REQUEST(enroll, ENROLL, &body);
    return client_ask(client, &request);
}

static const Hallsync__Reply *lives_of(struct client *client, const char *node_id)
{
    Hallsync__LivesRequest body = HALLSYNC__LIVES_REQUEST__INIT;
    body.node_id = TEXT(node_id);
    Hallsync__Request request = REQUEST(lives, LIVES, &body);
    return client_ask(client, &request);
}

static void expect_error(const Hallsync__Reply *reply, const char *error)
{
    assert_non_null(reply->error);
    assert_string_equal(reply->error, error);
}

static void only_who_has_joined_is_made_anew(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    const uint32_t district = 3201;
    expect_error(enroll_again(client, "nj-nobody", NULL), "not-found");
    expect_error(enroll_again(client, "nj-hub", NULL), "exists");
    expect_error(enroll_again(client, "nj-nobody", &district), "invalid");
    expect_error(lives_of(client, "nj-nobody"), "not-found");
}

static void a_life_is_told_with_what_is_here_of_it(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("x")), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(PAY(.account = TEXT(ACCOUNT), .has_amount_fen = 1, .amount_fen = 250),
                  HALLSYNC__RESULT__RESULT_CREATED);
    char *node_id = strdup(status(client)->node_id);
    const Hallsync__Reply *reply = lives_of(client, node_id);
    free(node_id);
    assert_null(reply->error);
    assert_int_equal(reply->lives->n_lives, 1);
    const Hallsync__Life *life = reply->lives->lives[0];
    assert_true(life->own && !life->revoked);
    assert_int_equal(life->origins, 1);
    assert_int_equal(life->payments, 1);
    assert_int_equal(life->sum_fen, 250);
    assert_true(life->operations >= 2);
    assert_true(life->money >= 1 && life->money < life->operations);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_hub_writes_the_catalogue_for_the_region, open_hub, close_desk),
        cmocka_unit_test_setup_teardown(a_notice_goes_to_its_district_or_to_all, open_hub, close_desk),
        cmocka_unit_test_setup_teardown(a_hall_does_not_write_them, open_hall, close_desk),
        cmocka_unit_test_setup_teardown(own_operations_wait_until_a_hub_has_signed, open_hall, close_desk),
        cmocka_unit_test_setup_teardown(only_who_has_joined_is_made_anew, open_hub, close_desk),
        cmocka_unit_test_setup_teardown(a_life_is_told_with_what_is_here_of_it, open_hall, close_desk),
        cmocka_unit_test_setup_teardown(sums_and_lists_say_that_records_are_still_coming, open_hall, close_desk),
    };
    return cmocka_run_group_tests_name("service region", tests, NULL, NULL);
}
