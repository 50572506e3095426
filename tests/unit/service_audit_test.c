/* service_audit_test.c -- the audit trail: what people decide is told of in the same commit, once, and read again the
 * newest first. */
#include "tests/unit/service_trail.h"

#define WANG "王芳"

static const Hallsync__Reply *resolve(struct client *client, const char *id, Hallsync__FieldDots *seen)
{
    Hallsync__ResolveRequest body = HALLSYNC__RESOLVE_REQUEST__INIT;
    body.id = TEXT(id);
    body.reason = TEXT("asked the customer");
    body.seen = &seen;
    body.n_seen = seen != NULL;
    Hallsync__Request request = REQUEST(resolve, RESOLVE, &body);
    return client_ask(client, &request);
}

/* Two that did not know of each other's. */
static void put_apart(struct client *client, const char *phone)
{
    Hallsync__FieldDots dots = HALLSYNC__FIELD_DOTS__INIT;
    Hallsync__FieldDots *seen[] = {&dots};
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    dots.field = 3;
    customer.account = TEXT(ACCOUNT);
    customer.name = TEXT("张三");
    customer.phone = TEXT(phone);
    struct putting putting = {.kind = HS_KIND_CUSTOMER, .message = &customer.base, .seen = seen, .seen_count = 1};
    assert_null(put(client, &putting)->error);
}

/* As a page would have it: the values that were shown of its only field, by their dots. */
static void look(struct client *client, char id[static 200], Hallsync__FieldDots *shown,
                 Hallsync__DotName dots[static 8])
{
    static Hallsync__DotName *pointers[8];
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    Hallsync__Request request = REQUEST(conflicts, CONFLICTS, &body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    assert_int_equal(reply->conflicts->n_conflicts, 1);
    snprintf(id, 200, "%s", reply->conflicts->conflicts[0]->id);
    body.id = id;
    reply = client_ask(client, &request);
    const Hallsync__ConflictField *field = reply->conflicts->conflicts[0]->fields[0];
    hallsync__field_dots__init(shown);
    shown->field = field->number;
    shown->dots = pointers;
    for (size_t i = 0; i < field->n_values && i < 8; i++) {
        hallsync__dot_name__init(&dots[i]);
        dots[i].origin = field->values[i]->dot->origin;
        dots[i].n = field->values[i]->dot->n;
        pointers[shown->n_dots++] = &dots[i];
    }
}

static void who_has_resolved_a_conflict_is_told(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    Hallsync__Actor wang = person(WANG, "console");
    Hallsync__FieldDots shown;
    Hallsync__DotName dots[8];
    char id[200];
    put_apart(client, "111");
    put_apart(client, "222");
    look(client, id, &shown, dots);
    client->actor = &wang;
    assert_null(resolve(client, id, &shown)->error);
    TOLD(.name = TEXT(WANG), .way = TEXT("console"), .action = TEXT("resolve"), .of_kind = TEXT("customer"),
         .record_id = TEXT(ACCOUNT), .district = TEXT("3201"), .detail = TEXT("phone"),
         .reason = TEXT("asked the customer"));
    restart(desk);
    assert_int_equal(trail_size(&desk->client), 1);
}

static void the_same_request_is_told_of_once(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    static uint8_t id[HS_REQUEST_ID_BYTES] = "the same request";
    Hallsync__Actor wang = person(WANG, "command_line");
    Hallsync__AuditRequest body = HALLSYNC__AUDIT_REQUEST__INIT;
    Hallsync__Request request = REQUEST(audit, AUDIT, &body);
    body.action = TEXT("user_role");
    body.user = TEXT("li");
    body.detail = TEXT("viewer");
    client->actor = &wang;
    for (int i = 0; i < 3; i++) {
        request.id = (ProtobufCBinaryData){sizeof id, id};
        assert_null(client_ask(client, &request)->error);
        assert_int_equal(trail_size(client), 1);
    }
    TOLD(.name = TEXT(WANG), .way = TEXT("command_line"), .action = TEXT("user_role"), .user = TEXT("li"),
         .district = TEXT("3201"), .detail = TEXT("viewer"));
    size_t size = 1;
    body.user = TEXT("sun"); /* an id that was used before hides nothing */
    assert_null(client_ask(client, &request)->error);
    assert_int_equal(trail_size(client), ++size);
    body.detail = TEXT("administrator");
    assert_null(client_ask(client, &request)->error);
    assert_int_equal(trail_size(client), ++size);
    wang.name = TEXT("li");
    assert_null(client_ask(client, &request)->error);
    assert_int_equal(trail_size(client), ++size);
}

/* Two tokens are two, whatever the request is called. */
static void what_an_old_id_changes_is_told_of(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    static uint8_t id[HS_REQUEST_ID_BYTES] = "the same request";
    Hallsync__Actor wang = person(WANG, "command_line");
    Hallsync__EnrollRequest body = HALLSYNC__ENROLL_REQUEST__INIT;
    Hallsync__Request request = REQUEST(enroll, ENROLL, &body);
    uint32_t district = 3202;
    body.node_id = TEXT("nj-new");
    body.districts = &district;
    body.n_districts = 1;
    body.ttl_ms = 3600000;
    client->actor = &wang;
    for (size_t i = 0; i < 2; i++) {
        request.id = (ProtobufCBinaryData){sizeof id, id};
        assert_null(client_ask(client, &request)->error);
        assert_int_equal(trail_size(client), i + 1);
    }
    district = 3203;
    assert_null(client_ask(client, &request)->error);
    TOLD(.name = TEXT(WANG), .way = TEXT("command_line"), .action = TEXT("enroll"), .node_id = TEXT("nj-new"),
         .detail = TEXT("hall 3203"));
}

static void who_chooses_between_other_values_looks_again(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__Actor wang = person(WANG, "console");
    Hallsync__FieldDots shown;
    Hallsync__DotName dots[8];
    char id[200];
    put_apart(client, "111");
    put_apart(client, "222");
    look(client, id, &shown, dots);
    put_apart(client, "333");
    client->actor = &wang;
    assert_string_equal(resolve(client, id, &shown)->error, "changed-meanwhile");
    assert_int_equal(trail_size(client), 0);
    look(client, id, &shown, dots);
    assert_int_equal(shown.n_dots, 3);
    assert_null(resolve(client, id, &shown)->error);
    assert_string_equal(resolve(client, id, &shown)->error, "changed-meanwhile"); /* somebody was quicker */
    assert_int_equal(trail_size(client), 1);
}

static void from_the_console_a_reason_is_given(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__Actor wang = person(WANG, "console");
    Hallsync__EnrollRequest body = HALLSYNC__ENROLL_REQUEST__INIT;
    Hallsync__Request request = REQUEST(enroll, ENROLL, &body);
    uint32_t district = 3202;
    body.node_id = TEXT("nj-new");
    body.districts = &district;
    body.n_districts = 1;
    body.ttl_ms = 3600000;
    client->actor = &wang;
    assert_string_equal(client_ask(client, &request)->error, "missing-field");
    client->reason = "";
    assert_string_equal(client_ask(client, &request)->error, "missing-field");
    client->reason = "a new hall";
    assert_null(client_ask(client, &request)->error);
    TOLD(.name = TEXT(WANG), .way = TEXT("console"), .action = TEXT("enroll"), .node_id = TEXT("nj-new"),
         .detail = TEXT("hall 3202"), .reason = TEXT("a new hall"));
    client->reason = NULL;
    wang.way = TEXT("command_line");
    assert_null(client_ask(client, &request)->error);
    client->actor = NULL; /* an older program */
    assert_null(client_ask(client, &request)->error);
    assert_int_equal(trail_size(client), 2);
}

static void who_cannot_be_told_of_changes_nothing(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__Actor nobody = person("", "command_line");
    Hallsync__NodesRequest all = HALLSYNC__NODES_REQUEST__INIT;
    Hallsync__Request nodes = REQUEST(nodes, NODES, &all);
    Hallsync__EnrollRequest body = HALLSYNC__ENROLL_REQUEST__INIT;
    Hallsync__Request enroll = REQUEST(enroll, ENROLL, &body);
    Hallsync__AuditRequest deed = HALLSYNC__AUDIT_REQUEST__INIT;
    Hallsync__Request audit = REQUEST(audit, AUDIT, &deed);
    uint32_t district = 3202;
    body.node_id = TEXT("nj-new");
    body.districts = &district;
    body.n_districts = 1;
    body.ttl_ms = 3600000;
    client->actor = &nobody;
    assert_non_null(client_ask(client, &enroll)->error);
    nobody = person(WANG, "by letter");
    assert_string_equal(client_ask(client, &enroll)->error, "bad-value");
    nobody = person(WANG, "program");
    deed.action = TEXT("revoke"); /* of that the node tells itself */
    deed.user = TEXT("li");
    assert_string_equal(client_ask(client, &audit)->error, "bad-value");
    client->actor = NULL;
    deed.action = TEXT("user_add");
    assert_string_equal(client_ask(client, &audit)->error, "missing-field");
    assert_int_equal(client_ask(client, &nodes)->nodes->n_nodes, 1); /* the hub itself */
    assert_int_equal(trail_size(client), 0);
}

static const Hallsync__PutResult *put_notice(struct client *client, const char *text)
{
    Hallsync__Notice notice = HALLSYNC__NOTICE__INIT;
    notice.notice_id = TEXT("N-1");
    notice.type = TEXT("info");
    notice.text = TEXT(text);
    return put(client, &(struct putting){.kind = HS_KIND_NOTICE, .message = &notice.base});
}

static void what_is_said_to_the_region_is_told_of(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__Actor wang = person(WANG, "command_line");
    client->actor = &wang;
    client->reason = "the mayor asks";
    assert_result(put_notice(client, "no power on Sunday"), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(put_notice(client, "no power on Sunday"), HALLSYNC__RESULT__RESULT_UNCHANGED);
    assert_int_equal(trail_size(client), 1);
    assert_result(put_notice(client, "no power on Monday"), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_int_equal(trail_size(client), 2);
    TOLD(.name = TEXT(WANG), .way = TEXT("command_line"), .action = TEXT("publish"), .of_kind = TEXT("notice"),
         .record_id = TEXT("N-1"), .detail = TEXT("text"), .reason = TEXT("the mayor asks"));
    Hallsync__Catalogue service = HALLSYNC__CATALOGUE__INIT;
    service.service_id = TEXT("S-1");
    service.name = TEXT("new meter");
    assert_result(put(client, &(struct putting){.kind = HS_KIND_CATALOGUE, .message = &service.base}),
                  HALLSYNC__RESULT__RESULT_CREATED);
    TOLD(.name = TEXT(WANG), .way = TEXT("command_line"), .action = TEXT("publish"), .of_kind = TEXT("catalogue"),
         .record_id = TEXT("S-1"), .detail = TEXT("service_id,name,version"), .reason = TEXT("the mayor asks"));
    service.name = TEXT("meter"); /* beside it the node keeps the fields that an importer may have written */
    assert_result(put(client, &(struct putting){.kind = HS_KIND_CATALOGUE, .message = &service.base, .source = "nj"}),
                  HALLSYNC__RESULT__RESULT_CHANGED);
    TOLD(.name = TEXT(WANG), .way = TEXT("command_line"), .action = TEXT("publish"), .of_kind = TEXT("catalogue"),
         .record_id = TEXT("S-1"), .detail = TEXT("name"), .reason = TEXT("the mayor asks"));
}

static void clients_write_none(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__PutRecord record = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__PutRecord *records[] = {&record};
    Hallsync__PutRequest body = HALLSYNC__PUT_REQUEST__INIT;
    Hallsync__Request request = REQUEST(put, PUT, &body);
    body.kind = HS_KIND_AUDIT;
    body.records = records;
    body.n_records = 1;
    assert_string_equal(client_ask(client, &request)->error, "invalid");
}

/* ---- reading ---- */

#define DAY_MS 86400000ULL

static void tell(struct client *client, const char *name, const char *user)
{
    Hallsync__Actor actor = person(name, "command_line");
    Hallsync__AuditRequest body = HALLSYNC__AUDIT_REQUEST__INIT;
    Hallsync__Request request = REQUEST(audit, AUDIT, &body);
    body.action = TEXT("user_add");
    body.user = TEXT(user);
    client->actor = &actor;
    assert_null(client_ask(client, &request)->error);
    client->actor = NULL;
}

static void pages_go_on_where_the_last_one_ended(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char user[16];
    for (int i = 0; i < 20; i++) {
        snprintf(user, sizeof user, "u%d", i);
        tell(client, i % 4 == 0 ? "li" : WANG, user);
    }
    static const uint32_t LIMITS[] = {1, 3, 7, 20, 100};
    for (size_t l = 0; l < sizeof LIMITS / sizeof *LIMITS; l++) {
        uint8_t after[128];
        Hallsync__TrailRequest body = HALLSYNC__TRAIL_REQUEST__INIT;
        int next = 19;
        body.has_limit = true;
        body.limit = LIMITS[l];
        do {
            const Hallsync__TrailReply *page = read_trail(client, &body);
            assert_true(page->n_records <= LIMITS[l]);
            for (size_t i = 0; i < page->n_records; i++) {
                Hallsync__Audit *audit = hallsync__audit__unpack(NULL, page->records[i]->record.len,
                                                                 page->records[i]->record.data);
                snprintf(user, sizeof user, "u%d", next--);
                assert_string_equal(audit->user, user);
                hallsync__audit__free_unpacked(audit, NULL);
            }
            body.has_after = page->has_next;
            assert_true(page->next.len <= sizeof after);
            if (page->has_next)
                memcpy(after, page->next.data, page->next.len);
            body.after = (ProtobufCBinaryData){page->next.len, after};
        } while (body.has_after);
        assert_int_equal(next, -1);
    }
}

static uint64_t ask_of_day(struct client *client, uint32_t date)
{
    Hallsync__TrailRequest body = HALLSYNC__TRAIL_REQUEST__INIT;
    uint64_t begun = hs_tick_ms();
    body.has_date = true;
    body.date = date;
    for (int i = 0; i < 20; i++)
        assert_int_equal(read_trail(client, &body)->n_records, 0);
    return hs_tick_ms() - begun;
}

/* All counters of a hall are served by that thread. */
static void a_far_day_is_asked_for_as_quickly_as_a_near_one(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    uint64_t near_ms = ask_of_day(client, 20260102);
    assert_in_range(ask_of_day(client, 99991231), 0, 5 * near_ms + 200);
}

static void entries_are_found_by_person_and_day(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    tell(client, "li", "a");
    tell(client, WANG, "b");
    Hallsync__TrailRequest body = HALLSYNC__TRAIL_REQUEST__INIT;
    body.name = TEXT("li");
    assert_int_equal(read_trail(client, &body)->n_records, 1);
    body.name = NULL;
    body.has_date = true;
    body.date = hs_date_of(hs_now_ms(), 480);
    assert_int_equal(read_trail(client, &body)->n_records, 2);
    body.date = hs_date_of(hs_now_ms() - DAY_MS, 480);
    assert_int_equal(read_trail(client, &body)->n_records, 0);
    body.date = 19700102; /* of a clock that has lost its battery */
    assert_int_equal(read_trail(client, &body)->n_records, 0);
    static const uint32_t NONE[] = {20260231, 19700101, 0, UINT32_MAX};
    Hallsync__Request request = REQUEST(trail, TRAIL, &body);
    for (size_t i = 0; i < sizeof NONE / sizeof *NONE; i++) {
        body.date = NONE[i];
        assert_string_equal(client_ask(client, &request)->error, "bad-value");
    }
    body.has_date = false;
    body.has_after = true;
    body.after = (ProtobufCBinaryData){3, (uint8_t *)(uintptr_t) "abc"};
    assert_string_equal(client_ask(client, &request)->error, "bad-value");
}

#define AT_HALL(name) cmocka_unit_test_setup_teardown(name, open_hall, close_desk)
#define AT_HUB(name)  cmocka_unit_test_setup_teardown(name, open_hub, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_HALL(who_has_resolved_a_conflict_is_told),
        AT_HALL(the_same_request_is_told_of_once),
        AT_HALL(who_chooses_between_other_values_looks_again),
        AT_HUB(from_the_console_a_reason_is_given),
        AT_HUB(what_an_old_id_changes_is_told_of),
        AT_HALL(a_far_day_is_asked_for_as_quickly_as_a_near_one),
        AT_HUB(who_cannot_be_told_of_changes_nothing),
        AT_HALL(clients_write_none),
        AT_HUB(what_is_said_to_the_region_is_told_of),
        AT_HALL(pages_go_on_where_the_last_one_ended),
        AT_HALL(entries_are_found_by_person_and_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
