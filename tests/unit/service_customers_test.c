/* service_customers_test.c -- customers through the local API: what a counter may look up and what is an operator's,
 * changes of title, reminders and who is to be told today, notices at a look-up. */
#include "tests/unit/service_desk.h"

#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/msg/tlv.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define TODAY        20260529 /* of the clock of the stores: WORLD_START_MS at +08:00 */
#define TODAY_TEXT   "2026-05-29"

#define TRANSFER(...)  put_transfer(client, (Hallsync__TitleChange){MESSAGE(title_change), __VA_ARGS__})
#define SUBSCRIBE(...) put_subscription(client, (Hallsync__Subscription){MESSAGE(subscription), __VA_ARGS__})
#define REMIND(...)    put_reminder(client, (Hallsync__Reminder){MESSAGE(reminder), __VA_ARGS__})

static const Hallsync__PutResult *put_transfer(struct client *client, Hallsync__TitleChange change)
{
    return put(client, &(struct putting){.kind = HS_KIND_TITLE_CHANGE, .message = &change.base});
}

static const Hallsync__PutResult *put_subscription(struct client *client, Hallsync__Subscription subscription)
{
    return put(client, &(struct putting){.kind = HS_KIND_SUBSCRIPTION, .message = &subscription.base});
}

static const Hallsync__PutResult *put_reminder(struct client *client, Hallsync__Reminder reminder)
{
    return put(client, &(struct putting){.kind = HS_KIND_REMINDER, .message = &reminder.base});
}

/* A hall with two customers, and a bill of the first. */
static int open_desk(void **state)
{
    struct desk *desk = make_desk(HS_ROLE_HALL);
    struct client *client = &desk->client;
    Hallsync__Contact contact = HALLSYNC__CONTACT__INIT;
    Hallsync__Contact *contacts[] = {&contact};
    contact.name = TEXT("赵电工");
    contact.phone = TEXT("13700000000");
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("陈"), .phone = TEXT("13800000000"),
                           .identity_no = TEXT("I-1"), .card_no = TEXT("C-1"), .meter_no = TEXT("M-1"),
                           .billing = TEXT("postpaid"), .bank_account = TEXT("6222"), .email = TEXT("chen@example.org"),
                           .contacts = contacts, .n_contacts = 1),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(CUSTOMER(.account = TEXT(OTHER_ACCOUNT), .name = TEXT("李")), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(
        BILL(.bill_id = TEXT("B1"), .account = TEXT(ACCOUNT), .amount_fen = 5000, .due_date = TEXT(TODAY_TEXT)),
        HALLSYNC__RESULT__RESULT_CREATED);
    *state = desk;
    return 0;
}

static struct hs_bytes shown(const Hallsync__Record *record, uint32_t field)
{
    assert_non_null(record);
    return hs_tlv_bytes(HS_BYTES(record->record.data, record->record.len), field);
}

static void assert_shown(const Hallsync__Record *record, uint32_t field, const char *text)
{
    struct hs_bytes value = shown(record, field);
    if (value.size != strlen(text) || memcmp(value.data, text, value.size) != 0)
        fail_msg("field %u is '%.*s', not '%s'", (unsigned)field, (int)value.size, (const char *)value.data, text);
}

/* ---- changes of title ---- */

static void a_transfer_is_one_with_the_customers_name(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(SUBSCRIBE(.subscription_id = TEXT(ACCOUNT "-sms"), .account = TEXT(ACCOUNT), .channel = TEXT("sms"),
                            .has_days_before = true, .days_before = 3),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(TRANSFER(.change_id = TEXT("t-1"), .account = TEXT(ACCOUNT), .name = TEXT("王"),
                           .identity_no = TEXT("I-2"), .clerk = TEXT("07"), .reason = TEXT("sale")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    char today[HS_TIME_TEXT_BYTES];
    const Hallsync__Record *customer = get_record(client, HS_KIND_CUSTOMER, ACCOUNT);
    assert_shown(customer, 2, "王");
    assert_shown(customer, 5, "I-2");
    assert_shown(customer, 15, day_text(0, today));
    assert_shown(customer, 6, "C-1"); /* the card and the meter stay where they are */
    assert_shown(customer, 10, "M-1");
    static const uint32_t ENDED[] = {3, 12, 13, 14, 16};
    for (size_t i = 0; i < COUNT(ENDED); i++)
        assert_int_equal(shown(customer, ENDED[i]).size, 0);
    const Hallsync__Record *change = get_record(client, HS_KIND_TITLE_CHANGE, "t-1");
    assert_shown(change, 3, "陈");
    assert_shown(change, 4, "王");
    assert_shown(get_record(client, HS_KIND_SUBSCRIPTION, ACCOUNT "-sms"), 6, "no");
}

static void a_transfer_sent_again_is_done_once(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    assert_result(TRANSFER(.change_id = TEXT("t-1"), .account = TEXT(ACCOUNT), .name = TEXT("王")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    for (unsigned restarts = 0; restarts < 2; restarts++) {
        assert_result(TRANSFER(.change_id = TEXT("t-1"), .account = TEXT(ACCOUNT), .name = TEXT("王")),
                      HALLSYNC__RESULT__RESULT_EXISTS);
        assert_result(
            TRANSFER(.change_id = TEXT("t-1"), .account = TEXT(ACCOUNT), .from_name = TEXT("陈"), .name = TEXT("王")),
            HALLSYNC__RESULT__RESULT_EXISTS);
        restart(desk);
    }
    assert_refused(TRANSFER(.change_id = TEXT("t-1"), .account = TEXT(ACCOUNT), .name = TEXT("孙")), "id-in-use", NULL);
    /* Once more to somebody else, and the first one sent late: the name stays the last. */
    assert_result(TRANSFER(.change_id = TEXT("t-2"), .account = TEXT(ACCOUNT), .name = TEXT("孙")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(TRANSFER(.change_id = TEXT("t-1"), .account = TEXT(ACCOUNT), .name = TEXT("王")),
                  HALLSYNC__RESULT__RESULT_EXISTS);
    assert_shown(get_record(client, HS_KIND_CUSTOMER, ACCOUNT), 2, "孙");
    assert_int_equal(find_by(client, HS_KIND_TITLE_CHANGE, "account", ACCOUNT)->records->n_records, 2);
}

static void transfers_that_cannot_be_are_refused_by_name(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_refused(TRANSFER(.account = TEXT("3201000009"), .name = TEXT("王")), "unknown-account", "account");
    assert_refused(TRANSFER(.account = TEXT(FOREIGN_ACCOUNT), .name = TEXT("王")), "not-here", "account");
    assert_refused(TRANSFER(.account = TEXT(ACCOUNT), .from_name = TEXT("李"), .name = TEXT("王")), "bad-value",
                   "from_name");
    assert_refused(TRANSFER(.account = TEXT(ACCOUNT)), "missing-field", "name");
    assert_shown(get_record(client, HS_KIND_CUSTOMER, ACCOUNT), 2, "陈");
}

/* ---- reminders ---- */

static void a_subscription_names_its_account_channel_and_hall(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_refused(SUBSCRIBE(.subscription_id = TEXT(ACCOUNT "-phone"), .account = TEXT(ACCOUNT),
                             .channel = TEXT("sms"), .has_days_before = true),
                   "bad-value", "subscription_id");
    assert_refused(SUBSCRIBE(.subscription_id = TEXT(ACCOUNT "-sms"), .account = TEXT(ACCOUNT), .channel = TEXT("sms"),
                             .has_days_before = true, .days_before = 31),
                   "overflow", "days_before");
    assert_refused(SUBSCRIBE(.subscription_id = TEXT(FOREIGN_ACCOUNT "-sms"), .account = TEXT(FOREIGN_ACCOUNT),
                             .channel = TEXT("sms"), .has_days_before = true),
                   "missing-field", "hall");
    assert_result(SUBSCRIBE(.subscription_id = TEXT(FOREIGN_ACCOUNT "-sms"), .account = TEXT(FOREIGN_ACCOUNT),
                            .channel = TEXT("sms"), .has_days_before = true, .hall = TEXT("nj-xuanwu")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(SUBSCRIBE(.subscription_id = TEXT(ACCOUNT "-sms"), .account = TEXT(ACCOUNT), .channel = TEXT("sms"),
                            .has_days_before = true, .days_before = 3),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_shown(get_record(client, HS_KIND_SUBSCRIPTION, ACCOUNT "-sms"), 7, "nj-gulou");
    assert_result(SUBSCRIBE(.subscription_id = TEXT(ACCOUNT "-sms"), .hall = TEXT("nj-xuanwu")),
                  HALLSYNC__RESULT__RESULT_CHANGED);
    assert_shown(get_record(client, HS_KIND_SUBSCRIPTION, ACCOUNT "-sms"), 7, "nj-xuanwu");
}

static const Hallsync__RemindersReply *ask_due(struct client *client, Hallsync__RemindersRequest body)
{
    Hallsync__Request request = REQUEST(reminders, REMINDERS, &body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    return reply->reminders;
}
#define DUE(...) \
    ask_due(client, (Hallsync__RemindersRequest){MESSAGE(reminders_request), .has_date = true, __VA_ARGS__})

static void subscribe(struct client *client, const char *account, const char *channel)
{
    char id[64];
    snprintf(id, sizeof id, "%s-%s", account, channel);
    assert_result(SUBSCRIBE(.subscription_id = id, .account = TEXT(account), .channel = TEXT(channel),
                            .has_days_before = true, .days_before = 3),
                  HALLSYNC__RESULT__RESULT_CREATED);
}

static void who_is_to_be_told_follows_from_the_records(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    subscribe(client, ACCOUNT, "sms");
    assert_int_equal(DUE(.date = 20260525)->n_due, 0);
    const Hallsync__RemindersReply *reply = DUE(.date = 20260526);
    assert_int_equal(reply->n_due, 1);
    assert_string_equal(reply->due[0]->account, ACCOUNT);
    assert_string_equal(reply->due[0]->name, "陈");
    assert_string_equal(reply->due[0]->contact, "13800000000");
    assert_string_equal(reply->due[0]->bill_id, "B1");
    assert_int_equal(reply->due[0]->due_fen, 5000);
    assert_string_equal(reply->due[0]->due_date, TODAY_TEXT);
    assert_string_equal(reply->due[0]->state, "due");
    assert_string_equal(reply->due[0]->hall, "nj-gulou");
    assert_int_equal(DUE(.date = TODAY, .hall = TEXT("nj-xuanwu"))->n_due, 0);
    assert_int_equal(DUE(.date = TODAY, .hall = TEXT("all"))->n_due, 1);

    assert_refused(
        REMIND(.account = TEXT(OTHER_ACCOUNT), .bill_id = TEXT("B1"), .channel = TEXT("sms"), .result = TEXT("told")),
        "bill-of-another-account", "bill_id");
    assert_result(REMIND(.account = TEXT(ACCOUNT), .bill_id = TEXT("B1"), .channel = TEXT("sms"), .clerk = TEXT("07"),
                         .result = TEXT("absent")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(DUE(.date = TODAY)->n_due, 0);
    assert_string_equal(DUE(.date = TODAY + 1)->due[0]->state, "again");
    assert_result(
        REMIND(.account = TEXT(ACCOUNT), .bill_id = TEXT("B1"), .channel = TEXT("sms"), .result = TEXT("wrong_number")),
        HALLSYNC__RESULT__RESULT_CREATED);
    assert_string_equal(DUE(.date = TODAY + 1)->due[0]->state, "wrong_number");
    assert_result(SUBSCRIBE(.subscription_id = TEXT(ACCOUNT "-sms"), .contact = TEXT("13900000000")),
                  HALLSYNC__RESULT__RESULT_CHANGED);
    reply = DUE(.date = TODAY + 1);
    assert_string_equal(reply->due[0]->state, "again");
    assert_string_equal(reply->due[0]->contact, "13900000000");
    assert_result(
        REMIND(.account = TEXT(ACCOUNT), .bill_id = TEXT("B1"), .channel = TEXT("sms"), .result = TEXT("told")),
        HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(DUE(.date = TODAY + 1)->n_due, 0);
}

static void who_has_paid_or_has_had_enough_is_left_in_peace(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    subscribe(client, ACCOUNT, "sms");
    subscribe(client, ACCOUNT, "phone");
    assert_int_equal(DUE(.date = TODAY)->n_due, 2);
    assert_result(SUBSCRIBE(.subscription_id = TEXT(ACCOUNT "-phone"), .active = TEXT("no")),
                  HALLSYNC__RESULT__RESULT_CHANGED);
    assert_int_equal(DUE(.date = TODAY)->n_due, 1);
    assert_result(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 2000, .bill_id = TEXT("B1")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(DUE(.date = TODAY)->due[0]->due_fen, 3000);
    assert_result(PAY(.payment_id = TEXT("p-2"), .account = TEXT(ACCOUNT), .amount_fen = 3000, .bill_id = TEXT("B1")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(DUE(.date = TODAY)->n_due, 0);
}

static void the_list_comes_in_pages(void **state)
{
    enum { ACCOUNTS = 7 };
    struct client *client = &((struct desk *)*state)->client;
    for (unsigned i = 1; i <= ACCOUNTS; i++) {
        char account[16], bill[16];
        snprintf(account, sizeof account, "320100010%u", i);
        snprintf(bill, sizeof bill, "B-%u", i);
        assert_result(BILL(.bill_id = bill, .account = account, .amount_fen = 100 * i, .due_date = TEXT(TODAY_TEXT)),
                      HALLSYNC__RESULT__RESULT_CREATED);
        subscribe(client, account, "sms");
    }
    static const char *const HALLS[] = {NULL, "all"};
    for (size_t h = 0; h < COUNT(HALLS); h++) {
        uint8_t after[HS_RECORD_KEY_BYTES_MAX];
        size_t after_size = 0, seen = 0, pages = 0;
        do {
            const Hallsync__RemindersReply *reply = DUE(.date = TODAY, .hall = TEXT(HALLS[h]), .has_limit = true,
                                                        .limit = 2, .has_after = after_size != 0,
                                                        .after = {.len = after_size, .data = after});
            for (size_t i = 0; i < reply->n_due; i++)
                assert_int_equal(reply->due[i]->due_fen, 100 * (int64_t)++seen);
            after_size = reply->next.len;
            if (after_size != 0)
                memcpy(after, reply->next.data, after_size);
            pages++;
        } while (after_size != 0);
        assert_int_equal(seen, ACCOUNTS);
        assert_int_equal(pages, 4);
    }
}

static void reminder_requests_that_make_no_sense_are_refused(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    static const uint8_t NO_KEY[] = {1, 2};
    Hallsync__RemindersRequest wrong[] = {
        {MESSAGE(reminders_request), .has_date = true, .date = 20260230},
        {MESSAGE(reminders_request), .hall = TEXT("Nanjing!")},
        {MESSAGE(reminders_request), .has_after = true, .after = {.len = 2, .data = (uint8_t *)(uintptr_t)NO_KEY}},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        Hallsync__Request request = REQUEST(reminders, REMINDERS, &wrong[i]);
        assert_string_equal(client_ask(client, &request)->error, "bad-value");
    }
}

/* ---- notices ---- */

static void put_notice(struct client *client, Hallsync__Notice notice)
{
    notice.type = TEXT("planned");
    notice.text = TEXT("停电检修");
    assert_result(put(client, &(struct putting){.kind = HS_KIND_NOTICE, .message = &notice.base}),
                  HALLSYNC__RESULT__RESULT_CREATED);
}
#define NOTICE(...) put_notice(client, (Hallsync__Notice){MESSAGE(notice), __VA_ARGS__})

static void a_look_up_says_what_the_customer_is_to_be_told(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    uint64_t now_ms = hs_now_ms();
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("陈"), .card_no = TEXT("C-1")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(get_record(client, HS_KIND_CUSTOMER, ACCOUNT)->n_notices, 0);
    NOTICE(.notice_id = TEXT("N-soon"), .district = TEXT("3201"), .has_starts_ms = true, .starts_ms = now_ms + 3600000,
           .has_ends_ms = true, .ends_ms = now_ms + 7200000);
    NOTICE(.notice_id = TEXT("N-far"), .has_starts_ms = true, .starts_ms = now_ms + 150 * 86400000ULL,
           .has_ends_ms = true, .ends_ms = now_ms + 151 * 86400000ULL);
    NOTICE(.notice_id = TEXT("N-over"), .district = TEXT("3201"), .has_ends_ms = true, .ends_ms = now_ms - 1000);
    NOTICE(.notice_id = TEXT("N-other"), .district = TEXT("3202"));
    NOTICE(.notice_id = TEXT("N-street"), .district = TEXT("3201"), .accounts = TEXT("3201999,3201888"));
    NOTICE(.notice_id = TEXT("N-his"), .district = TEXT("3201"), .accounts = TEXT("3201999, 320100"),
           .areas = TEXT("鼓楼街"), .has_starts_ms = true, .starts_ms = now_ms - 1000);
    NOTICE(.notice_id = TEXT("N-all"), .has_ends_ms = true, .ends_ms = now_ms + 3600000);
    const Hallsync__Record *customer = get_record(client, HS_KIND_CUSTOMER, ACCOUNT);
    static const char *const TOLD[] = {"N-his", "N-all", "N-soon"};
    static const char *const STATES[] = {"active", "active", "planned"};
    assert_int_equal(customer->n_notices, COUNT(TOLD));
    for (size_t i = 0; i < COUNT(TOLD); i++) {
        assert_string_equal(customer->notices[i]->notice_id, TOLD[i]);
        assert_string_equal(customer->notices[i]->state, STATES[i]);
        assert_string_equal(customer->notices[i]->type, "planned");
        assert_string_equal(customer->notices[i]->text, "停电检修");
    }
    assert_string_equal(customer->notices[0]->areas, "鼓楼街");
    assert_int_equal(customer->notices[2]->starts_ms, now_ms + 3600000);
    const Hallsync__Reply *reply = find_by(client, HS_KIND_CUSTOMER, "card_no", "C-1");
    assert_int_equal(reply->records->records[0]->n_notices, COUNT(TOLD));
    Hallsync__FindRequest all = HALLSYNC__FIND_REQUEST__INIT;
    all.kind = HS_KIND_CUSTOMER;
    assert_int_equal(find(client, &all)->records->records[0]->n_notices, 0); /* a list, and nobody at the counter */
}

/* ---- counters and operators ---- */

/* A second client, at the counters' socket. */
static void open_counter(struct desk *desk, struct client *counter)
{
    static const int NONE = 0;
    static char path[WORLD_PATH_BYTES + 64];
    snprintf(path, sizeof path, "ipc://%s/counters.sock", desk->office.region->base);
    desk->office.options.counters = path;
    restart(desk);
    *counter = (struct client){.socket = zmq_socket(desk->office.context, ZMQ_DEALER)};
    zmq_setsockopt(counter->socket, ZMQ_LINGER, &NONE, sizeof NONE);
    assert_int_equal(zmq_connect(counter->socket, path), 0);
}

static void assert_found(const Hallsync__Reply *reply, size_t count)
{
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    assert_int_equal(reply->records->n_records, count);
}

static void assert_operators(const Hallsync__Reply *reply)
{
    assert_non_null(reply->error);
    assert_string_equal(reply->error, "operator-only");
    assert_true(strstr(reply->text, "listen.clients") != NULL);
}

static void a_counter_finds_people_by_what_they_bring(void **state)
{
    struct desk *desk = *state;
    struct client counter;
    open_counter(desk, &counter);
    assert_shown(get_record(&counter, HS_KIND_CUSTOMER, ACCOUNT), 2, "陈");
    assert_found(find_by(&counter, HS_KIND_CUSTOMER, "card_no", "C-1"), 1);
    assert_found(find_by(&counter, HS_KIND_CUSTOMER, "identity_no", "I-1"), 1);
    assert_operators(find_by(&counter, HS_KIND_CUSTOMER, "meter_no", "M-1"));
    assert_found(find_by(&desk->client, HS_KIND_CUSTOMER, "meter_no", "M-1"), 1);
    assert_found(find_by(&counter, HS_KIND_BILL, "account", ACCOUNT), 1);
    static const uint32_t PERSONAL[] = {
        HS_KIND_CUSTOMER,     HS_KIND_BILL,     HS_KIND_PAYMENT,  HS_KIND_REVERSAL,     HS_KIND_TITLE_CHANGE,
        HS_KIND_SUBSCRIPTION, HS_KIND_REMINDER, HS_KIND_TICKET,   HS_KIND_TICKET_EVENT, HS_KIND_APPOINTMENT,
        HS_KIND_CASH_ENTRY,   HS_KIND_RATING,   HS_KIND_DECISION, HS_KIND_AUDIT};
    for (size_t i = 0; i < COUNT(PERSONAL); i++) {
        Hallsync__FindRequest all = HALLSYNC__FIND_REQUEST__INIT;
        all.kind = PERSONAL[i];
        assert_operators(find(&counter, &all));
        assert_null(find(&desk->client, &all)->error);
    }
    Hallsync__FindRequest notices = HALLSYNC__FIND_REQUEST__INIT;
    notices.kind = HS_KIND_NOTICE;
    assert_found(find(&counter, &notices), 0);
    assert_operators(find_by(&counter, HS_KIND_SUBSCRIPTION, "hall", "nj-gulou"));
    assert_operators(find_by(&counter, HS_KIND_AUDIT, "record_id", ACCOUNT));
    Hallsync__TrailRequest trail = HALLSYNC__TRAIL_REQUEST__INIT;
    Hallsync__Request request = REQUEST(trail, TRAIL, &trail);
    assert_operators(client_ask(&counter, &request));
    client_close(&counter);
}

/* Work is found by whose it is, or by its own number; lists of what is to be done name people, too. */
static void a_counter_lists_nobody_by_his_work(void **state)
{
    struct desk *desk = *state;
    struct client counter;
    open_counter(desk, &counter);
    struct client *client = &counter;
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("consultation"), .account = TEXT(ACCOUNT),
                         .summary = TEXT("x"), .contact = TEXT("王 138")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_string_equal(get_record(client, HS_KIND_TICKET, "t-1")->ticket->state, "open");
    assert_found(find_by(client, HS_KIND_TICKET, "account", ACCOUNT), 1);
    assert_found(find_by(client, HS_KIND_TICKET_EVENT, "ticket_id", "t-1"), 1);
    assert_operators(find_by(client, HS_KIND_TICKET, "state", "open"));
    assert_operators(find_by(client, HS_KIND_TICKET, "assignee", "zhang"));
    assert_operators(find_by(client, HS_KIND_TICKET, "department", "hall"));
    assert_operators(find_by(client, HS_KIND_RATING, "window", "1"));
    assert_operators(find_by(client, HS_KIND_APPOINTMENT, "slot_id", "s-1"));
    client_close(&counter);
}

/* Whose the other seats are is not the business of a customer who looks at the slot. */
static void a_counter_sees_of_a_slot_what_is_free(void **state)
{
    struct desk *desk = *state;
    struct client counter;
    Hallsync__Slot slot = {MESSAGE(slot),
                           .slot_id = TEXT("s-1"),
                           .hall = TEXT("nj-gulou"),
                           .date = TEXT("2026-11-25"),
                           .begins = TEXT("09:30"),
                           .has_capacity = true,
                           .capacity = 3};
    Hallsync__Appointment asked = {MESSAGE(appointment), .appointment_id = TEXT("a-1"), .slot_id = TEXT("s-1"),
                                   .name = TEXT("周"), .phone = TEXT("139")};
    open_counter(desk, &counter);
    put(&desk->client, &(struct putting){.kind = HS_KIND_SLOT, .message = &slot.base});
    assert_result(put(&counter, &(struct putting){.kind = HS_KIND_APPOINTMENT, .message = &asked.base}),
                  HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__SlotState *seen = get_record(&counter, HS_KIND_SLOT, "s-1")->slot;
    assert_int_equal(seen->free, 2);
    assert_int_equal(seen->n_bookings, 0);
    assert_int_equal(get_record(&desk->client, HS_KIND_SLOT, "s-1")->slot->n_bookings, 1);
    client_close(&counter);
}

static void a_counter_writes_and_administers_nothing(void **state)
{
    struct desk *desk = *state;
    struct client counter;
    open_counter(desk, &counter);
    struct client *client = &counter;
    assert_result(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 100),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_null(reverse(client, "p-1", "r-1")->error);
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .phone = TEXT("13900000000")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_int_equal(totals(client, NULL).count, 1);
    assert_string_equal(status(client)->node_id, "nj-gulou");

    Hallsync__RemindersRequest due = HALLSYNC__REMINDERS_REQUEST__INIT;
    Hallsync__ConflictsRequest conflicts = HALLSYNC__CONFLICTS_REQUEST__INIT;
    Hallsync__NodesRequest nodes = HALLSYNC__NODES_REQUEST__INIT;
    Hallsync__DigestRequest digest = HALLSYNC__DIGEST_REQUEST__INIT;
    Hallsync__WatchRequest watch = HALLSYNC__WATCH_REQUEST__INIT;
    Hallsync__DayReportRequest day = HALLSYNC__DAY_REPORT_REQUEST__INIT;
    Hallsync__ArrearsRequest arrears = HALLSYNC__ARREARS_REQUEST__INIT;
    uint32_t kinds[] = {HS_KIND_NOTICE, HS_KIND_PAYMENT};
    Hallsync__WatchRequest watch_payments = {MESSAGE(watch_request), .kinds = kinds, .n_kinds = 2};
    Hallsync__Request refused[] = {
        REQUEST(reminders, REMINDERS, &due),   REQUEST(conflicts, CONFLICTS, &conflicts),
        REQUEST(nodes, NODES, &nodes),         REQUEST(digest, DIGEST, &digest),
        REQUEST(watch, WATCH, &watch),         REQUEST(watch, WATCH, &watch_payments),
        REQUEST(day_report, DAY_REPORT, &day), REQUEST(arrears, ARREARS, &arrears),
    };
    for (size_t i = 0; i < COUNT(refused); i++)
        assert_operators(client_ask(client, &refused[i]));
    watch_payments.n_kinds = 1;
    Hallsync__Request notices = REQUEST(watch, WATCH, &watch_payments);
    assert_null(client_ask(client, &notices)->error);

    Hallsync__PutRecord record = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__PutRecord *records[] = {&record};
    Hallsync__PutRequest import = HALLSYNC__PUT_REQUEST__INIT;
    record.source = TEXT("marketing");
    import.kind = HS_KIND_CUSTOMER;
    import.records = records;
    import.n_records = 1;
    Hallsync__Request request = REQUEST(put, PUT, &import);
    assert_operators(client_ask(client, &request));
    client_close(&counter);
}

#define IN_HALL(test) cmocka_unit_test_setup_teardown(test, open_desk, close_desk)
#define AT_HUB(test)  cmocka_unit_test_setup_teardown(test, open_hub, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HALL(a_transfer_is_one_with_the_customers_name),
        IN_HALL(a_transfer_sent_again_is_done_once),
        IN_HALL(transfers_that_cannot_be_are_refused_by_name),
        IN_HALL(a_subscription_names_its_account_channel_and_hall),
        IN_HALL(who_is_to_be_told_follows_from_the_records),
        IN_HALL(who_has_paid_or_has_had_enough_is_left_in_peace),
        IN_HALL(the_list_comes_in_pages),
        IN_HALL(reminder_requests_that_make_no_sense_are_refused),
        AT_HUB(a_look_up_says_what_the_customer_is_to_be_told),
        IN_HALL(a_counter_finds_people_by_what_they_bring),
        IN_HALL(a_counter_lists_nobody_by_his_work),
        IN_HALL(a_counter_sees_of_a_slot_what_is_free),
        IN_HALL(a_counter_writes_and_administers_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
