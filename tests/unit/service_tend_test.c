/* service_tend_test.c -- what a node does by itself: late tickets are shown to a superior, and who was cut off and has
 * paid elsewhere gets his reconnection; each once, by the node whose turn it is. */
#include "tests/unit/service_desk.h"

#include "node/service/put.h"
#include "node/service/tend.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/msg/tlv.h"

#include <semaphore.h>

#define CREATED                HALLSYNC__RESULT__RESULT_CREATED
#define MINUTE                 (60 * 1000ULL)
#define DAY                    (24 * 60 * MINUTE)
#define PIECES                 1000 /* ms: less than that is a piece of a round */
#define WORLD_AT(desk, ago_ms) ((desk)->office.region->now_ms = hs_now_ms() - (ago_ms))

/* ---- rounds, on the writer's thread ---- */

struct round {
    struct hs_job job;
    struct hs_chore *chore;
    sem_t done;
};

static atomic_uint things_told;

static void count_told(const char *task, const char *record, enum hs_err err)
{
    (void)task;
    things_told++;
    if (record[0] == '\0')
        fail_msg("%s", hs_err_name(err));
    if (strlen(record) != HS_ID_TEXT_BYTES - 1)
        fail_msg("'%s' is no id: it is logged, and an account is no matter for a log", record);
}

static enum hs_err run_chore(struct hs_job *job, struct hs_store *store)
{
    struct hs_chore *chore = ((struct round *)job)->chore;
    return chore->job.run(&chore->job, store);
}

static void chore_is_over(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct round *round = (struct round *)job;
    round->chore->job.done(&round->chore->job, err, commit);
    sem_post(&round->done);
}

/* A node starts, goes round once, and says when it wants to go again. */
static uint64_t go_round(struct desk *desk, enum hs_tend_what what)
{
    struct hs_tend *tend = NULL;
    struct hs_tend_options options = {.what = what,
                                      .wanted = true,
                                      .alone = true,
                                      .store = desk->office.node.store,
                                      .utc_offset_minutes = 480,
                                      .tell = count_told};
    assert_int_equal(hs_tend_new(&options, &tend), HS_OK);
    struct round round = {.job = {.run = run_chore, .done = chore_is_over}, .chore = hs_tend_chore(tend)};
    sem_init(&round.done, 0, 0);
    do {
        assert_int_equal(hs_writer_submit(desk->office.writer, &round.job), HS_OK);
        while (sem_wait(&round.done) != 0)
            continue;
    } while (round.chore->wait_ms < PIECES);
    uint64_t wait_ms = round.chore->wait_ms;
    sem_destroy(&round.done);
    hs_tend_free(tend);
    return wait_ms;
}

/* ---- tickets that are late ---- */

static void open_late(struct client *client, const char *ticket, uint64_t due_ms)
{
    assert_result(TICKET(.ticket_id = TEXT(ticket), .service = TEXT("outage-report"), .summary = TEXT("x"),
                         .has_due_ms = true, .due_ms = due_ms),
                  CREATED);
}

static uint32_t escalated(struct client *client, const char *ticket)
{
    return get_record(client, HS_KIND_TICKET, ticket)->ticket->escalated;
}

static void move(struct client *client, const char *ticket, const char *state)
{
    assert_result(EVENT(OF_TICKET(ticket), .state = TEXT(state)), CREATED);
}

static void a_late_ticket_is_shown_to_a_superior_once(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    open_late(client, "late", 1000);
    open_late(client, "not-yet", hs_now_ms() + 30 * 1000);
    open_late(client, "by-hand", 1000);
    assert_result(EVENT(OF_TICKET("by-hand"), .type = TEXT("escalate"), .note = TEXT("逾期")), CREATED);
    open_late(client, "resolved", 1000);
    move(client, "resolved", "accepted");
    move(client, "resolved", "working");
    assert_result(EVENT(OF_TICKET("resolved"), .state = TEXT("resolved")), CREATED);
    uint64_t wait_ms = go_round(desk, HS_TEND_OVERDUE);
    assert_in_range(wait_ms, 1, 30 * 1000 + 1); /* until the next one is late */
    assert_int_equal(escalated(client, "late"), 1);
    assert_int_equal(escalated(client, "not-yet"), 0);
    assert_int_equal(escalated(client, "by-hand"), 1);
    assert_int_equal(escalated(client, "resolved"), 0);
    go_round(desk, HS_TEND_OVERDUE);
    assert_int_equal(escalated(client, "late"), 1);
    assert_string_equal(get_record(client, HS_KIND_TICKET, "late")->ticket->state, "open");
}

static void time_spent_waiting_for_the_customer_does_not_make_it_late(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    WORLD_AT(desk, 60 * MINUTE);
    open_late(client, "t-1", hs_now_ms() - 10 * MINUTE);
    move(client, "t-1", "accepted");
    move(client, "t-1", "working");
    move(client, "t-1", "waiting");
    go_round(desk, HS_TEND_OVERDUE);
    assert_int_equal(escalated(client, "t-1"), 0);
    WORLD_AT(desk, 55 * MINUTE);
    move(client, "t-1", "working"); /* it has waited for 5 minutes, and is late by 5 */
    go_round(desk, HS_TEND_OVERDUE);
    assert_int_equal(escalated(client, "t-1"), 1);
}

/* Its time stands still two seconds before it is late: nobody goes round every two seconds for that. */
static void a_ticket_that_waits_just_before_it_is_late_keeps_nobody_busy(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    WORLD_AT(desk, 60 * MINUTE);
    open_late(client, "t-1", desk->office.region->now_ms + 2000);
    move(client, "t-1", "accepted");
    move(client, "t-1", "working");
    move(client, "t-1", "waiting");
    assert_in_range(go_round(desk, HS_TEND_OVERDUE), 5000, 60000);
    assert_int_equal(escalated(client, "t-1"), 0);
}

/* More than a piece, and more than are written in one. */
static void all_of_many_are_found(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char name[16];
    for (unsigned i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "t-%u", i);
        open_late(client, name, i % 3 == 0 ? 1000 : 0);
    }
    go_round(desk, HS_TEND_OVERDUE);
    for (unsigned i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "t-%u", i);
        assert_int_equal(escalated(client, name), i % 3 == 0);
    }
}

/* ---- as other nodes have written it ---- */

/* A head, without this node's opening event. */
static void put_head(struct desk *desk, const struct hs_id *id, const char *service, uint64_t due_ms)
{
    struct hs_buf raw[4] = {{0}};
    struct hs_field_write fields[4];
    static const uint32_t NUMBERS[] = {2, 3, 4, 11};
    hs_tlv_put_text(&raw[0], 2, service);
    hs_tlv_put_text(&raw[1], 3, ACCOUNT);
    hs_tlv_put_text(&raw[2], 4, "x");
    hs_tlv_put_u64(&raw[3], 11, due_ms);
    for (size_t i = 0; i < 4; i++)
        fields[i] = (struct hs_field_write){.number = NUMBERS[i], .value = hs_buf_bytes(&raw[i])};
    struct hs_write write = {
        .kind = HS_KIND_TICKET, .id = HS_BYTES(id->bytes, sizeof id->bytes), .fields = fields, .field_count = 4};
    office_write(&desk->office, 3201, HS_LANE_WORK, &write);
    for (size_t i = 0; i < 4; i++)
        hs_buf_fini(&raw[i]);
}

static void open_elsewhere(struct desk *desk, const char *ticket, uint64_t due_ms)
{
    struct hs_id id;
    bool hashed;
    assert_int_equal(hs_id_from_text(ticket, strlen(ticket), &id, &hashed), HS_OK);
    put_head(desk, &id, "outage-report", due_ms);
    move(&desk->client, ticket, "open");
}

/* To a node that has not joined here. */
static void grant_stranger(struct desk *desk, const char *district)
{
    const struct hs_kind *kind = hs_kind_by_number(HS_KIND_GRANT);
    Hallsync__Grant grant = HALLSYNC__GRANT__INIT;
    struct hs_buf message = {0};
    struct hs_id id;
    grant.district = TEXT(district);
    grant.has_number = true;
    grant.number = 1;
    grant.owner = TEXT("nj-xuanwu");
    grant.granted_by = TEXT("Wang");
    hs_msg_pack(&grant.base, &message);
    hs_kind_id(kind, hs_buf_bytes(&message), &id);
    struct hs_write write = {.kind = HS_KIND_GRANT,
                             .id = HS_BYTES(id.bytes, sizeof id.bytes),
                             .is_fact = true,
                             .fact = hs_buf_bytes(&message)};
    office_write(&desk->office, HS_PARTITION_REGION, kind->lane, &write);
    hs_buf_fini(&message);
}

/* What a stranger has put under the event's id does not keep it from being written, nor is it written again and again.
 */
static void a_stranger_under_the_same_id_changes_little(void **state)
{
    struct desk *desk = *state;
    struct hs_id ticket, id;
    bool hashed;
    open_late(&desk->client, "late", 1000);
    assert_int_equal(hs_id_from_text("late", 4, &ticket, &hashed), HS_OK);
    hs_id_made("hallsync overdue 1", HS_BYTES(ticket.bytes, sizeof ticket.bytes), &id);
    static const uint8_t CONTENTS[] = {1, 2, 3, 4, 5, 6, 7, 8};
    for (size_t i = 0; i < sizeof CONTENTS; i++) { /* one of them is before the node's own, and counts */
        struct hs_write write = {.kind = HS_KIND_TICKET_EVENT,
                                 .id = HS_BYTES(id.bytes, sizeof id.bytes),
                                 .is_fact = true,
                                 .fact = HS_BYTES(&CONTENTS[i], 1)};
        office_write(&desk->office, 3201, HS_LANE_WORK, &write);
    }
    things_told = 0;
    go_round(desk, HS_TEND_OVERDUE);
    assert_int_equal(things_told, 1);
    go_round(desk, HS_TEND_OVERDUE);
    assert_int_equal(things_told, 1);
}

/* ---- whose turn it is ---- */

static void a_hall_leaves_to_others_what_is_theirs(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    open_late(client, "own", 1000);
    open_elsewhere(desk, "strange", 1000);
    assert_result(TICKET(.ticket_id = TEXT("far"), .service = TEXT("outage-report"), .summary = TEXT("x"),
                         .account = TEXT(FOREIGN_ACCOUNT), .has_due_ms = true, .due_ms = 1000),
                  CREATED);
    go_round(desk, HS_TEND_OVERDUE);
    assert_int_equal(escalated(client, "own"), 1);
    assert_int_equal(escalated(client, "strange"), 0);
    assert_int_equal(escalated(client, "far"), 0); /* not all of its district is here */
}

static void the_owner_comes_before_who_opened_it(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    open_late(client, "for-long", 1000);
    open_late(client, "just-now", hs_now_ms() - 10 * MINUTE);
    grant_stranger(desk, "3201");
    go_round(desk, HS_TEND_OVERDUE);
    assert_int_equal(escalated(client, "for-long"), 1); /* the owner may be gone */
    assert_int_equal(escalated(client, "just-now"), 0);
}

/* Opened elsewhere, of a district that nobody owns: a hub leaves it an hour to whoever opened it. */
static void a_hub_waits_for_who_opened_it(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    uint64_t due_ms = hs_now_ms() - 10 * MINUTE;
    open_late(client, "own", due_ms);
    open_elsewhere(desk, "strange", due_ms);
    uint64_t wait_ms = go_round(desk, HS_TEND_OVERDUE);
    assert_int_equal(escalated(client, "own"), 1);
    assert_int_equal(escalated(client, "strange"), 0);
    assert_true(wait_ms <= 50 * MINUTE + 1);
    assert_result(put_grant(client, "3201", "nj-hub"), CREATED);
    go_round(desk, HS_TEND_OVERDUE);
    assert_int_equal(escalated(client, "strange"), 1);
}

/* ---- who has paid ---- */

static size_t found_by(struct client *client, uint32_t kind, const char *index, const char *key)
{
    return find_by(client, kind, index, key)->records->n_records;
}

static size_t reconnections(struct client *client, const char *account)
{
    return found_by(client, HS_KIND_TICKET, "account", account);
}

static void supply(struct client *client, const char *account, const char *status)
{
    assert_null(CUSTOMER(.account = TEXT(account), .name = TEXT("王"), .supply_status = TEXT(status))->error);
}

static void owe(struct client *client, const char *bill, const char *account)
{
    assert_result(BILL(.bill_id = TEXT(bill), .account = TEXT(account), .amount_fen = 1000), CREATED);
}

static void pay(struct client *client, const char *payment, const char *account, const char *bill, int64_t fen)
{
    assert_null(
        PAY(.payment_id = TEXT(payment), .account = TEXT(account), .bill_id = TEXT(bill), .amount_fen = fen)->error);
}

static void those_who_are_cut_off_are_found(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    supply(client, ACCOUNT, "off");
    supply(client, OTHER_ACCOUNT, "on");
    assert_int_equal(found_by(client, HS_KIND_CUSTOMER, "supply", "off"), 1);
    assert_int_equal(found_by(client, HS_KIND_CUSTOMER, "supply", "on"), 0);
    supply(client, ACCOUNT, "closed");
    assert_int_equal(found_by(client, HS_KIND_CUSTOMER, "supply", "off"), 0);
}

/* The node that took the payment did not open it: as one of another district, or one that did not know of all. */
static void who_has_paid_elsewhere_gets_his_supply_back(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    WORLD_AT(desk, 2 * DAY);
    supply(client, ACCOUNT, "off");
    owe(client, "b-1", ACCOUNT);
    owe(client, "b-2", ACCOUNT);
    supply(client, OTHER_ACCOUNT, "off"); /* for other reasons: nothing was paid */
    WORLD_AT(desk, DAY);
    pay(client, "p-1", ACCOUNT, "b-1", 1000);
    go_round(desk, HS_TEND_CUT_OFF);
    assert_int_equal(reconnections(client, ACCOUNT), 0); /* b-2 */
    pay(client, "p-2", ACCOUNT, "b-2", 1000);
    go_round(desk, HS_TEND_CUT_OFF);
    go_round(desk, HS_TEND_CUT_OFF);
    assert_int_equal(reconnections(client, ACCOUNT), 1);
    assert_int_equal(reconnections(client, OTHER_ACCOUNT), 0);
}

static struct hs_id only_ticket(struct client *client, uint64_t *due_ms)
{
    struct hs_id id;
    bool hashed;
    const Hallsync__Reply *reply = find_by(client, HS_KIND_TICKET, "account", ACCOUNT);
    assert_int_equal(reply->records->n_records, 1);
    const char *text = reply->records->records[0]->id;
    assert_int_equal(hs_id_from_text(text, strlen(text), &id, &hashed), HS_OK);
    *due_ms = reply->records->records[0]->ticket->due_ms;
    return id;
}

/* Two nodes that open it apart have opened the same: id and deadline follow from the payment. */
static void who_took_the_payment_would_have_opened_the_same(void **state)
{
    struct desk *desk = *state;
    struct desk *other = make_desk(HS_ROLE_HALL);
    uint64_t at_ms = hs_now_ms() - DAY;
    uint64_t due_ms[2];
    other->office.options.reconnect_on_payment = true;
    restart(other);
    for (unsigned i = 0; i < 2; i++) {
        struct client *client = i == 0 ? &desk->client : &other->client;
        (i == 0 ? desk : other)->office.region->now_ms = at_ms;
        supply(client, ACCOUNT, "off");
        owe(client, "b-1", ACCOUNT);
        pay(client, "p-1", ACCOUNT, "b-1", 1000);
    }
    go_round(desk, HS_TEND_CUT_OFF);
    struct hs_id id = only_ticket(&desk->client, &due_ms[0]);
    struct hs_id same = only_ticket(&other->client, &due_ms[1]);
    assert_memory_equal(id.bytes, same.bytes, sizeof id.bytes);
    assert_int_equal(due_ms[0], due_ms[1]);
    assert_int_equal(due_ms[0], at_ms + DAY);
    go_round(other, HS_TEND_CUT_OFF);
    only_ticket(&other->client, &due_ms[1]);
    void *closed = other;
    close_desk(&closed);
}

static void once_for_each_time_that_the_supply_was_put_off(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char name[HS_ID_TEXT_BYTES];
    uint64_t due_ms;
    WORLD_AT(desk, 4 * DAY);
    supply(client, ACCOUNT, "off");
    owe(client, "b-1", ACCOUNT);
    pay(client, "p-1", ACCOUNT, "b-1", 1000);
    go_round(desk, HS_TEND_CUT_OFF);
    struct hs_id id = only_ticket(client, &due_ms);
    hs_id_text(&id, name);
    WORLD_AT(desk, 3 * DAY);
    move(client, name, "accepted");
    move(client, name, "working");
    move(client, name, "resolved");
    pay(client, "p-2", ACCOUNT, NULL, 500); /* nobody has said yet that the supply is on */
    go_round(desk, HS_TEND_CUT_OFF);
    assert_int_equal(reconnections(client, ACCOUNT), 1);
    supply(client, ACCOUNT, "on");
    WORLD_AT(desk, 2 * DAY);
    supply(client, ACCOUNT, "off");
    go_round(desk, HS_TEND_CUT_OFF);
    assert_int_equal(reconnections(client, ACCOUNT), 1); /* nothing was paid since */
    pay(client, "p-3", ACCOUNT, NULL, 500);
    go_round(desk, HS_TEND_CUT_OFF);
    assert_int_equal(reconnections(client, ACCOUNT), 2);
}

/* Also if nothing else has come of it, or somebody has decided that it does not count. */
static void what_is_there_is_not_made_again(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct hs_id payment, id;
    bool hashed;
    WORLD_AT(desk, DAY);
    supply(client, ACCOUNT, "off");
    pay(client, "p-1", ACCOUNT, NULL, 1000);
    assert_int_equal(hs_id_from_text("p-1", 3, &payment, &hashed), HS_OK);
    hs_id_made("hallsync reconnection 1", HS_BYTES(payment.bytes, sizeof payment.bytes), &id);
    put_head(desk, &id, "reconnection", 0);
    things_told = 0;
    go_round(desk, HS_TEND_CUT_OFF);
    assert_int_equal(things_told, 0);
}

static void a_payment_that_was_taken_back_does_not_count(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    WORLD_AT(desk, DAY);
    supply(client, ACCOUNT, "off");
    pay(client, "p-1", ACCOUNT, NULL, 1000);
    assert_null(reverse(client, "p-1", "r-1")->error);
    go_round(desk, HS_TEND_CUT_OFF);
    assert_int_equal(reconnections(client, ACCOUNT), 0);
}

/* Who took it may have opened one that is on its way; and a hub waits an hour for the nodes of the district. */
static void it_is_left_to_others_for_a_while(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    WORLD_AT(desk, 10 * MINUTE);
    supply(client, FOREIGN_ACCOUNT, "off");
    pay(client, "p-1", FOREIGN_ACCOUNT, NULL, 1000);
    go_round(desk, HS_TEND_CUT_OFF);
    assert_int_equal(reconnections(client, FOREIGN_ACCOUNT), 0);
    assert_result(put_grant(client, "3299", "nj-hub"), CREATED);
    go_round(desk, HS_TEND_CUT_OFF);
    assert_int_equal(reconnections(client, FOREIGN_ACCOUNT), 1);
    WORLD_AT(desk, 0);
    supply(client, ACCOUNT, "off");
    pay(client, "p-2", ACCOUNT, NULL, 1000);
    assert_in_range(go_round(desk, HS_TEND_CUT_OFF), 1, 5000);
    assert_int_equal(reconnections(client, ACCOUNT), 0);
}

#define AT_HALL(test) cmocka_unit_test_setup_teardown(test, open_hall, close_desk)
#define AT_HUB(test)  cmocka_unit_test_setup_teardown(test, open_hub, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_HALL(a_late_ticket_is_shown_to_a_superior_once),
        AT_HALL(time_spent_waiting_for_the_customer_does_not_make_it_late),
        AT_HALL(a_ticket_that_waits_just_before_it_is_late_keeps_nobody_busy),
        AT_HALL(all_of_many_are_found),
        AT_HALL(a_stranger_under_the_same_id_changes_little),
        AT_HALL(a_hall_leaves_to_others_what_is_theirs),
        AT_HUB(the_owner_comes_before_who_opened_it),
        AT_HUB(a_hub_waits_for_who_opened_it),
        AT_HALL(those_who_are_cut_off_are_found),
        AT_HALL(who_has_paid_elsewhere_gets_his_supply_back),
        AT_HALL(who_took_the_payment_would_have_opened_the_same),
        AT_HALL(once_for_each_time_that_the_supply_was_put_off),
        AT_HALL(what_is_there_is_not_made_again),
        AT_HALL(a_payment_that_was_taken_back_does_not_count),
        AT_HUB(it_is_left_to_others_for_a_while),
    };
    return cmocka_run_group_tests_name("service tend", tests, NULL, NULL);
}
