/* service_conflicts_test.c -- each type of conflict in words, in both languages: client_ask() holds what is answered
 * against the rules for that; here every type, and every cause of a stopped stream, is made to happen. */
#include "tests/unit/service_desk.h"

#include "node/service/call.h"
#include "node/service/telling.h"
#include "node/status/conflict_types.h"
#include "proto/msg/tlv.h"

/* ---- past the service: records as others write them ---- */

static struct hs_id id_of(const char *text)
{
    struct hs_id id;
    bool hashed;
    assert_int_equal(hs_id_from_text(text, strlen(text), &id, &hashed), HS_OK);
    return id;
}

static void put_named(struct desk *desk, uint16_t kind, struct hs_bytes id, struct hs_buf *fact)
{
    struct hs_write write = {.kind = kind, .id = id, .is_fact = true, .fact = hs_buf_bytes(fact)};
    office_write(&desk->office, 3201, hs_kind_by_number(kind)->lane, &write);
    hs_buf_fini(fact);
}

static void put_fact(struct desk *desk, uint16_t kind, const char *text, struct hs_buf *fact)
{
    struct hs_id id = id_of(text);
    put_named(desk, kind, HS_BYTES(id.bytes, sizeof id.bytes), fact);
}

static void put_id(struct hs_buf *fact, uint32_t field, const char *text)
{
    struct hs_id id = id_of(text);
    hs_tlv_put_bytes(fact, field, HS_BYTES(id.bytes, sizeof id.bytes));
}

struct paying {
    const char *id, *bill, *card;
    uint64_t fen;
};

static void pay(struct desk *desk, const struct paying *paying)
{
    struct hs_buf fact = {0};
    hs_tlv_put_text(&fact, 1, paying->id);
    hs_tlv_put_text(&fact, 2, ACCOUNT);
    hs_tlv_put_u64(&fact, 3, paying->fen);
    if (paying->bill != NULL)
        hs_tlv_put_text(&fact, 4, paying->bill);
    hs_tlv_put_text(&fact, 5, "cash");
    hs_tlv_put_u64(&fact, 6, 3);
    if (paying->card != NULL) {
        hs_tlv_put_text(&fact, 9, "topup");
        hs_tlv_put_text(&fact, 14, paying->card);
        hs_tlv_put_u64(&fact, 15, 7);
    }
    put_fact(desk, HS_KIND_PAYMENT, paying->id, &fact);
}

static void reverse_apart(struct desk *desk, const char *id, const char *payment)
{
    struct hs_buf fact = {0};
    hs_tlv_put_text(&fact, 1, id);
    put_id(&fact, 2, payment);
    hs_tlv_put_text(&fact, 3, ACCOUNT);
    put_fact(desk, HS_KIND_REVERSAL, id, &fact);
}

static void enter(struct desk *desk, const char *number, const char *payment)
{
    struct hs_buf fact = {0};
    hs_tlv_put_text(&fact, 1, number);
    hs_tlv_put_u64(&fact, 2, OFFICE_BEGINS_MS);
    hs_tlv_put_s64(&fact, 3, 100);
    hs_tlv_put_u64(&fact, 4, HS_KIND_PAYMENT);
    put_id(&fact, 5, payment);
    hs_tlv_put_u64(&fact, 6, 3201);
    put_named(desk, HS_KIND_CASH_ENTRY, HS_BYTES(number, strlen(number)), &fact);
}

static void settle(struct desk *desk, const char *payment, uint64_t grant)
{
    struct hs_buf message = {0}, fact = {0};
    struct hs_id id;
    hs_tlv_put_text(&message, 2, ACCOUNT);
    hs_tlv_put_text(&message, 3, "B1");
    put_id(&fact, 1, payment);
    hs_tlv_put_bytes(&message, 4, hs_buf_bytes(&fact));
    hs_tlv_put_u64(&message, 5, 40);
    hs_tlv_put_text(&message, 6, "refund");
    hs_tlv_put_text(&message, 7, "重复收费");
    hs_tlv_put_text(&message, 8, "Li");
    hs_tlv_put_text(&message, 9, payment);
    hs_tlv_put_u64(&message, 13, grant);
    hs_kind_id(hs_kind_by_number(HS_KIND_SETTLEMENT), hs_buf_bytes(&message), &id);
    put_named(desk, HS_KIND_SETTLEMENT, HS_BYTES(id.bytes, sizeof id.bytes), &message);
    hs_buf_fini(&fact);
}

/* A value of a field that names none before it; NULL: it is cleared. */
static void write_apart(struct desk *desk, const char *phone)
{
    struct hs_buf value = {0};
    if (phone != NULL)
        hs_tlv_put_text(&value, 3, phone);
    struct hs_field_write field = {.number = 3, .value = hs_buf_bytes(&value)};
    struct hs_write write = {
        .kind = HS_KIND_CUSTOMER, .id = HS_BYTES(ACCOUNT, strlen(ACCOUNT)), .fields = &field, .field_count = 1};
    office_write(&desk->office, 3201, HS_LANE_PEOPLE, &write);
    hs_buf_fini(&value);
}

static void move_strangely(struct desk *desk, const char *event, const char *ticket)
{
    struct hs_buf fact = {0};
    hs_tlv_put_text(&fact, 1, event);
    put_id(&fact, 2, ticket);
    hs_tlv_put_text(&fact, 3, "archived");
    put_fact(desk, HS_KIND_TICKET_EVENT, event, &fact);
}

static void decide_apart(struct desk *desk, const char *id, const char *verdict, const char *reason)
{
    struct hs_buf fact = {0};
    struct hs_id payment = id_of("beads");
    struct hs_stored stored;
    struct hs_standing standing;
    struct hs_view *view;
    struct hs_record_name name = {3201, HS_LANE_MONEY, HS_KIND_PAYMENT, HS_BYTES(payment.bytes, sizeof payment.bytes)};
    struct hs_store *store = desk->office.node.store;
    assert_int_equal(hs_view_open(store, hs_store_position(store).commit, ANSWER_MS, &view), HS_OK);
    assert_int_equal(hs_view_record(view, &name, &stored), HS_OK);
    assert_int_equal(hs_view_standing(view, &stored, &standing), HS_OK);
    hs_view_close(view);
    hs_tlv_put_u64(&fact, 2, HS_LANE_MONEY);
    hs_tlv_put_u64(&fact, 3, HS_KIND_PAYMENT);
    hs_tlv_put_bytes(&fact, 4, name.id);
    hs_tlv_put_text(&fact, 5, verdict);
    hs_tlv_put_bytes(&fact, 6, HS_BYTES(standing.contents.bytes, sizeof standing.contents.bytes));
    hs_tlv_put_text(&fact, 9, "Zhao");
    hs_tlv_put_text(&fact, 10, reason);
    put_fact(desk, HS_KIND_DECISION, id, &fact);
}

/* ---- streams that do not go on ---- */

static void say_stopped(void *ctx, struct hs_buf *partial)
{
    Hallsync__StoppedStatus chain = HALLSYNC__STOPPED_STATUS__INIT;
    Hallsync__WithheldStatus withheld = HALLSYNC__WITHHELD_STATUS__INIT;
    uint8_t hash[HS_HASH_BYTES] = {0};
    (void)ctx;
    chain.node_id = TEXT("nj-chengbei");
    chain.partition = 3201;
    chain.lane = TEXT("money");
    chain.last = 530;
    chain.behind = 512;
    chain.from = TEXT("nj-hub-2");
    hs_call_put(partial, 60, &chain.base);
    withheld.node_id = TEXT("nj-xuanwu");
    withheld.key = TEXT("00");
    withheld.origin = TEXT("0000000000001234");
    withheld.partition = 3201;
    withheld.lane = TEXT("work");
    withheld.last = 9;
    withheld.hash = (ProtobufCBinaryData){.len = sizeof hash, .data = hash};
    hs_call_put(partial, 51, &withheld.base);
    withheld.lane = TEXT("money");
    withheld.holder = TEXT("nj-hub-2");
    withheld.payments = 2;
    withheld.payments_fen = 12345;
    hs_call_put(partial, 51, &withheld.base);
}

static void say_announced(void *ctx, struct hs_buf *partial)
{
    Hallsync__AnnouncedStatus announced = HALLSYNC__ANNOUNCED_STATUS__INIT;
    Hallsync__AnnouncedStream stream = HALLSYNC__ANNOUNCED_STREAM__INIT, *streams[] = {&stream};
    say_stopped(ctx, partial);
    stream.partition = 3201;
    stream.lane = TEXT("bulk");
    stream.origin = TEXT("0000000000001234");
    stream.last = 3;
    announced.node_id = TEXT("nj-qinhuai");
    announced.n_streams = 1;
    announced.streams = streams;
    announced.has_payments = announced.has_fen = true;
    announced.payments = 1;
    announced.fen = 200;
    hs_call_put(partial, 40, &announced.base);
}

/* ---- the tests ---- */

static const Hallsync__ConflictsReply *list(struct client *client, const char *type)
{
    Hallsync__ConflictsRequest body = HALLSYNC__CONFLICTS_REQUEST__INIT;
    body.type = TEXT(type);
    Hallsync__Request request = REQUEST(conflicts, CONFLICTS, &body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    return reply->conflicts;
}

static void make_money(struct desk *desk)
{
    struct client *client = &desk->client;
    BILL(.bill_id = TEXT("B1"), .account = TEXT(ACCOUNT), .amount_fen = 100);
    put_grant(client, "3201", "nj-hub");
    pay(desk, &(struct paying){"p-1", "B1", NULL, 100});
    pay(desk, &(struct paying){"p-2", "B1", NULL, 100}); /* overpaid */
    pay(desk, &(struct paying){"p-3", "B7", NULL, 100}); /* no-bill */
    settle(desk, "p-1", 1);
    settle(desk, "p-2", 1); /* settled-twice */
    settle(desk, "p-3", 9); /* not-owner: there is no such grant */
    pay(desk, &(struct paying){"p-4", NULL, "C-1", 100});
    pay(desk, &(struct paying){"p-5", NULL, "C-1", 100}); /* topup-twice */
    pay(desk, &(struct paying){"p-6", NULL, NULL, 100});
    pay(desk, &(struct paying){"p-6", NULL, NULL, 200}); /* fact */
    pay(desk, &(struct paying){"p-7", NULL, NULL, 100});
    reverse_apart(desk, "r-1", "p-7");
    reverse_apart(desk, "r-2", "p-7"); /* over-reversed */
    pay(desk, &(struct paying){"p-8", NULL, NULL, 100});
    enter(desk, "nj-hub-20261122-3-A-1", "p-8");
    enter(desk, "nj-hub-20261122-3-A-2", "p-8"); /* double-entry */
}

static void make_others(struct desk *desk)
{
    struct client *client = &desk->client;
    struct hs_buf parked = {0};
    struct hs_commit commit;
    write_apart(desk, "111");
    write_apart(desk, "222"); /* field */
    TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("outage-report"), .account = TEXT(ACCOUNT),
           .summary = TEXT("停电"));
    move_strangely(desk, "e-1", "t-1"); /* event */
    hs_tlv_put_text(&parked, 1, "beads");
    hs_tlv_put_text(&parked, 2, ACCOUNT);
    hs_tlv_put_u64(&parked, 3, 100);
    hs_tlv_put_text(&parked, 5, "beads");
    put_fact(desk, HS_KIND_PAYMENT, "beads", &parked);
    decide_apart(desk, "d-1", "release", "已核对存根");
    decide_apart(desk, "d-2", "reject", "存根不符"); /* parked: decided in two ways */
    struct world_node *node = leave(desk);
    struct hs_stream stream = {.origin = world_current_origin(node), .partition = 3201, .lane = HS_LANE_WORK};
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    assert_int_equal(hs_store_put_fork(node->store, &stream, 1, HS_BYTES("proof", 5)), HS_OK);
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    come_back(desk);
}

static void each_type_is_told_in_both_languages(void **state)
{
    struct desk *desk = *state;
    desk->office.options.hooks.status = say_announced;
    restart(desk);
    struct client *client = &desk->client;
    CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("张三"));
    make_money(desk);
    make_others(desk);
    for (size_t i = 0; i < HS_CONFLICT_TYPE_COUNT; i++) {
        const struct hs_conflict_type_row *row = hs_conflict_type_row((enum hs_conflict_type)i);
        assert_true(row->en[0] != '\0' && row->advice_en[0] != '\0');
        assert_chinese(row->zh);
        assert_chinese(row->advice_zh);
        if (i != HS_CONFLICT_VOID && list(&desk->client, row->name)->n_conflicts == 0)
            fail_msg("there is no conflict of type %s", row->name);
    }
    assert_int_equal(list(&desk->client, "stopped")->n_conflicts, 4);
    const char *text = list(&desk->client, "overpaid")->conflicts[0]->text_zh;
    assert_string_equal(text, "电费账单 B1：户号 " ACCOUNT "，多交 0.60 元；此前已结算 0.40 元");
    text = list(client, "fact")->conflicts[0]->text_zh;
    assert_non_null(strstr(text, "实收金额（分）：“200”（nj-hub）、“100”（nj-hub）"));
}

static const Hallsync__Reply *resolve(struct client *client, const char *id, const char *field, const char *value)
{
    Hallsync__FieldChoice choice = HALLSYNC__FIELD_CHOICE__INIT, *choices[] = {&choice};
    Hallsync__ResolveRequest body = HALLSYNC__RESOLVE_REQUEST__INIT;
    choice.field = TEXT(field);
    choice.value = TEXT(value);
    body.id = TEXT(id);
    body.choices = choices;
    body.n_choices = 1;
    Hallsync__Request request = REQUEST(resolve, RESOLVE, &body);
    return client_ask(client, &request);
}

/* One has cleared the number that another one has changed: no number is one of the two versions. */
static void the_empty_version_may_be_chosen(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char id[200];
    CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("张三"));
    write_apart(desk, "111");
    write_apart(desk, NULL);
    const Hallsync__ConflictsReply *reply = list(client, "field");
    assert_int_equal(reply->n_conflicts, 1);
    snprintf(id, sizeof id, "%s", reply->conflicts[0]->id);
    const Hallsync__Reply *resolved = resolve(client, id, "phone", "");
    if (resolved->error != NULL)
        fail_msg("%s: %s", resolved->error, resolved->text);
    assert_result(resolved->put->results[0], HALLSYNC__RESULT__RESULT_CHANGED);
    assert_int_equal(list(client, "field")->n_conflicts, 0);
    const Hallsync__Record *record = get_record(client, HS_KIND_CUSTOMER, ACCOUNT);
    assert_int_equal(hs_tlv_bytes(HS_BYTES(record->record.data, record->record.len), 3).size, 0);
    write_apart(desk, "222");
    assert_string_equal(resolve(client, id, "name", "")->error, "missing-field"); /* a customer needs it */
}

/* What a hall writes that only hubs may write. */
static void what_is_void_says_why(void **state)
{
    struct desk *desk = *state;
    struct hs_buf fact = {0};
    hs_tlv_put_text(&fact, 5, "release");
    put_fact(desk, HS_KIND_DECISION, "d-1", &fact);
    const Hallsync__ConflictsReply *reply = list(&desk->client, "void");
    assert_int_equal(reply->n_conflicts, 1);
    assert_non_null(strstr(reply->conflicts[0]->text, "operation 1 has no effect: scope"));
    assert_non_null(strstr(reply->conflicts[0]->text_zh, "第 1 条操作无效：超出证书允许的范围"));
}

static void what_does_not_fit_is_cut_behind_a_whole_character(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 3; shift++) {
        struct hs_sentence said = {.en = {.is_cut = false}};
        hs_tell(&said, "%.*s", "%.*s", (int)shift, "ab");
        for (size_t i = 0; i < HS_TELLING_BYTES; i++)
            hs_tell(&said, "so", "户号");
        hs_tell(&said, "on", "号");
        size_t size = strlen(said.zh.text);
        assert_true(size < HS_TELLING_BYTES && size + 6 > HS_TELLING_BYTES);
        assert_true(hs_text_valid(HS_BYTES(said.zh.text, size)) &&
                    hs_text_valid(HS_BYTES(said.en.text, strlen(said.en.text))));
        assert_string_equal(said.zh.text + size - strlen("…"), "…");
        assert_string_equal(said.en.text + strlen(said.en.text) - strlen("…"), "…");
    }
}

static void what_is_no_text_ends_the_sentence(void **state)
{
    struct hs_sentence said = {.en = {.is_cut = false}};
    (void)state;
    hs_tell(&said, "card %s", "购电卡 %s",
            "1\xff"
            "2");
    hs_tell(&said, " on", "后");
    assert_string_equal(said.en.text, "card 1…");
    assert_string_equal(said.zh.text, "购电卡 1…");
}

#define AT(role, test) cmocka_unit_test_setup_teardown(test, open_##role, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT(hub, each_type_is_told_in_both_languages),
        AT(hub, the_empty_version_may_be_chosen),
        AT(hall, what_is_void_says_why),
        cmocka_unit_test(what_does_not_fit_is_cut_behind_a_whole_character),
        cmocka_unit_test(what_is_no_text_ends_the_sentence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
