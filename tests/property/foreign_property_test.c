/* foreign_property_test.c -- what a hall shows of another district, which it reads through a hub and joins with its own
 * writes, is what a node shows that holds the writes of both: random customers, bills, payments, reversals, tickets and
 * moves, each at the hall or at the hub.  Record by record, in lists, with what is paid, reversed and moved.
 *
 * HS_SEED and HS_WORLDS choose what is run. */
#include "tests/lib/random.h"
#include "tests/lib/service_line.h"

#define DEFAULT_SEED   20261122
#define DEFAULT_WORLDS 3
#define ROUNDS         4
#define DEEDS          30
#define IDS            4 /* of each kind */

static unsigned below(unsigned bound)
{
    return (unsigned)random_below(bound);
}

/* ---- deeds: whether they are taken does not matter here ---- */

static char text[5][32];

static char *numbered(unsigned which, const char *prefix, unsigned number)
{
    snprintf(text[which], sizeof text[which], "%s%u", prefix, number);
    return text[which];
}

static char *account_of(unsigned number)
{
    return numbered(4, "329900000", number % IDS);
}

/* Of the payments that were tried: what was in them first, and whether that was all. */
static unsigned contents[3 * IDS];
static bool has_two[3 * IDS];

static void pay(struct client *client)
{
    unsigned payment = below(3 * IDS), number = payment, bill = payment / 2, amount = 100 + payment % 3;
    if (below(20) == 0)
        number = below(IDS), bill = below(IDS), amount = 100 + below(3);
    unsigned content = 1 + amount * 100 + number % IDS * 10 + bill % IDS;
    PAY(.payment_id = numbered(0, "p-", payment), .account = account_of(number), .amount_fen = amount,
        .bill_id = numbered(1, "B", bill % IDS), .window = 1);
    has_two[payment] = has_two[payment] || (contents[payment] != 0 && contents[payment] != content);
    contents[payment] = content;
}

static bool any_has_two(void)
{
    for (unsigned i = 0; i < 3 * IDS; i++) {
        if (has_two[i])
            return true;
    }
    return false;
}

static void do_something(struct client *client)
{
    static const char *const MOVES[] = {"accepted", "assigned", "working", "resolved"};
    unsigned number = below(IDS);
    switch (below(7)) {
    case 0:
        CUSTOMER(.account = account_of(number), .name = numbered(0, "name-", below(3)),
                 .card_no = numbered(1, "C", below(3)));
        break;
    case 1:
        CUSTOMER(.account = account_of(number), .name = TEXT("one name"), .phone = numbered(0, "13", below(9)));
        break;
    case 2:
        BILL(.bill_id = numbered(0, "B", number), .account = account_of(number), .amount_fen = 1000 + below(3));
        break;
    case 3:
        pay(client);
        break;
    case 4:
        number = below(3 * IDS);
        reverse(client, numbered(0, "p-", number), numbered(1, "r-", number + 3 * IDS * below(2)));
        break;
    case 5:
        TICKET(.ticket_id = numbered(0, "t-", number), .service = TEXT("consultation"), .account = account_of(number),
               .summary = numbered(1, "about ", below(3)));
        break;
    default:
        EVENT(OF_TICKET(numbered(0, "t-", number)), .state = TEXT(MOVES[below(4)]),
              .assignee = below(2) == 0 ? numbered(1, "clerk-", below(3)) : NULL);
        break;
    }
}

/* ---- comparing ---- */

struct shown {
    struct hs_buf record;
    bool there, reversed, incomplete;
    char receipt[HS_NUMBER_BYTES_MAX];
    int64_t paid_fen, due_fen;
    char state[24], assignee[40];
    size_t events;
};

static void look(struct client *client, uint32_t kind, const char *id, struct shown *shown)
{
    const Hallsync__Record *record = get_record(client, kind, id);
    *shown = (struct shown){.there = record != NULL};
    if (record == NULL) {
        assert_string_equal(client->reply->error, "not-found");
        return;
    }
    hs_buf_put(&shown->record, record->record.data, record->record.len);
    shown->reversed = record->reversed;
    shown->incomplete = record->has_complete && !record->complete;
    snprintf(shown->receipt, sizeof shown->receipt, "%s", record->receipt != NULL ? record->receipt : "");
    if (record->bill != NULL) {
        shown->paid_fen = record->bill->paid_fen;
        shown->due_fen = record->bill->due_fen;
        snprintf(shown->state, sizeof shown->state, "%s", record->bill->state);
    }
    if (record->ticket != NULL) {
        snprintf(shown->state, sizeof shown->state, "%s", record->ticket->state);
        snprintf(shown->assignee, sizeof shown->assignee, "%s",
                 record->ticket->assignee != NULL ? record->ticket->assignee : "");
        shown->events = record->ticket->n_events;
    }
}

static void compare(struct line *line, struct client *at_all, uint32_t kind, const char *id)
{
    struct shown here, all;
    look(&line->at_hall, kind, id, &here);
    look(at_all, kind, id, &all);
    assert_int_equal(here.there, all.there);
    assert_true(hs_bytes_equal(hs_buf_bytes(&here.record), hs_buf_bytes(&all.record)));
    assert_int_equal(here.reversed, all.reversed);
    assert_string_equal(here.receipt, all.receipt);
    assert_false(here.incomplete && kind != HS_KIND_BILL);
    if (!here.incomplete &&
        (kind != HS_KIND_BILL || !any_has_two())) { /* of two contents one counts there, and another here */
        assert_int_equal(here.paid_fen, all.paid_fen);
        assert_int_equal(here.due_fen, all.due_fen);
        assert_string_equal(here.state, all.state);
    }
    assert_string_equal(here.assignee, all.assignee);
    assert_int_equal(here.events, all.events);
    hs_buf_fini(&here.record);
    hs_buf_fini(&all.record);
}

struct listed {
    char ids[16][HS_RECORD_ID_BYTES_MAX + 1];
    bool incomplete[16];
    size_t count;
};

static void list(struct client *client, uint32_t kind, const char *index, const char *key, struct listed *listed)
{
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    body.kind = kind;
    body.index = TEXT(index);
    body.key = TEXT(key);
    const Hallsync__Reply *reply = find(client, &body);
    assert_null(reply->error);
    assert_true(reply->records->n_records <= 16);
    for (listed->count = 0; listed->count < reply->records->n_records; listed->count++) {
        const Hallsync__Record *record = reply->records->records[listed->count];
        snprintf(listed->ids[listed->count], sizeof listed->ids[0], "%s", record->id);
        listed->incomplete[listed->count] = record->has_complete && !record->complete;
    }
}

static bool lists(const struct listed *listed, const char *id)
{
    for (size_t i = 0; i < listed->count; i++) {
        if (strcmp(listed->ids[i], id) == 0)
            return true;
    }
    return false;
}

/* One that is here as the hall wrote it, and that the hub lists under another value, is said to be incomplete. */
static void compare_lists(struct line *line, struct client *at_all, uint32_t kind, const char *index, const char *key)
{
    struct listed here, all;
    list(&line->at_hall, kind, index, key, &here);
    list(at_all, kind, index, key, &all);
    for (size_t i = 0; i < all.count; i++)
        assert_true(lists(&here, all.ids[i]));
    for (size_t i = 0; i < here.count; i++) {
        assert_true(i == 0 || strcmp(here.ids[i - 1], here.ids[i]) != 0);
        bool other = kind == HS_KIND_PAYMENT && has_two[atoi(here.ids[i] + 2)]; /* another content may count there */
        assert_true(here.incomplete[i] || other || lists(&all, here.ids[i]));
        assert_false(here.incomplete[i] && kind == HS_KIND_PAYMENT); /* a fact shows the same everywhere */
    }
}

static void compare_all(struct line *line, struct client *at_all)
{
    for (unsigned i = 0; i < IDS; i++) {
        compare(line, at_all, HS_KIND_CUSTOMER, account_of(i));
        compare(line, at_all, HS_KIND_BILL, numbered(0, "B", i));
        compare(line, at_all, HS_KIND_TICKET, numbered(0, "t-", i));
        compare_lists(line, at_all, HS_KIND_BILL, "account", account_of(i));
        compare_lists(line, at_all, HS_KIND_PAYMENT, "account", account_of(i));
        compare_lists(line, at_all, HS_KIND_TICKET, "account", account_of(i));
        compare_lists(line, at_all, HS_KIND_PAYMENT, "bill_id", numbered(0, "B", i));
        compare_lists(line, at_all, HS_KIND_CUSTOMER, "card_no", numbered(0, "C", i));
    }
    for (unsigned i = 0; i < 3 * IDS; i++) {
        compare(line, at_all, HS_KIND_PAYMENT, numbered(0, "p-", i));
        compare(line, at_all, HS_KIND_REVERSAL, numbered(0, "r-", i));
        compare(line, at_all, HS_KIND_REVERSAL, numbered(0, "r-", i + 3 * IDS));
    }
}

/* ---- worlds ---- */

/* Both into the one that holds all; the hall and the hub do not hear of each other. */
static void gather(struct line *line, struct office *all)
{
    client_close(&line->at_hall);
    client_close(&line->at_hub);
    office_stop(&line->hall);
    office_stop(&line->hub);
    office_stop(all);
    world_open(&line->hall.node, false);
    world_open(&line->hub.node, false);
    world_open(&all->node, false);
    world_carry(&line->hall.node, &all->node);
    world_carry(&line->hub.node, &all->node);
    world_close(&line->hall.node);
    world_close(&line->hub.node);
    world_close(&all->node);
    office_start(&line->hall, false);
    office_start(&line->hub, false);
    office_start(all, false);
    client_open(&line->at_hall, &line->hall, ZMQ_DEALER);
    client_open(&line->at_hub, &line->hub, ZMQ_DEALER);
}

static void run_world(void *ctx)
{
    struct line *line = ctx;
    struct office *all = malloc(sizeof *all);
    struct client at_all;
    assert_non_null(all);
    memset(contents, 0, sizeof contents);
    memset(has_two, 0, sizeof has_two);
    line_open(line);
    office_make_as(all, "nj-all", HS_ROLE_HUB, line->hub.region);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < DEEDS; i++) {
            line->err = below(8) == 0 ? HS_ENOLINK : HS_OK;
            do_something(below(2) == 0 ? &line->at_hall : &line->at_hub);
        }
        line->err = HS_OK;
        gather(line, all);
        client_open(&at_all, all, ZMQ_DEALER);
        compare_all(line, &at_all);
        client_close(&at_all);
    }
    line_close(line);
    office_drop(all);
    free(all);
}

static void a_hall_shows_what_all_know(void **state)
{
    (void)state;
    struct line *line = malloc(sizeof *line);
    assert_non_null(line);
    run_worlds(DEFAULT_SEED, DEFAULT_WORLDS, run_world, line);
    free(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_hall_shows_what_all_know)};
    return cmocka_run_group_tests_name("foreign property", tests, NULL, NULL);
}
