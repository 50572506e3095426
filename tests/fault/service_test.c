/* service_test.c -- requests to a node in which something fails: each is answered, by OK or by name, or not at all; the
 * node goes on or ends; and who asks again under the same id, as clients do, finds it done, once. */
#include "tests/fault/fault.h"
#include "tests/unit/service_world.h"

#include "node/service/call.h"
#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/store/inside.h"

#define ALONE_KINDS     (FAULT_OF_MEMORY | FAULT_BIT(FAULT_SEND) | FAULT_BIT(FAULT_RECEIVE)) /* without the store */
#define READ_KINDS      (ALONE_KINDS | (FAULT_OF_DB & ~FAULT_BIT(FAULT_DB_FULL)))
#define WRITE_KINDS     (ALONE_KINDS | FAULT_OF_DB | FAULT_OF_LATE)
#define STATUS_WITHHELD 51   /* of StatusReply */
#define QUIET_TURNS     30   /* since a call failed, without an answer: none will come */
#define TURNS_MAX       5000 /* until an answer that must come */

/* ---- an office without threads ---- */

struct place {
    struct office office;
    struct client client;
    bool fatal;
    uint64_t number; /* of the attempt */
};

static struct place *place_of(void *office)
{
    return (struct place *)office; /* its first member */
}

static void note_fatal(void *ctx, enum hs_err err)
{
    (void)err;
    place_of(ctx)->fatal = true;
}

static void begin(struct place *place)
{
    struct office *office = &place->office;
    struct hs_why why = {{0}};
    struct hs_writer_options writer = {
        .store = office->node.store, .committed = office_committed, .fatal = note_fatal, .ctx = office};
    struct hs_service *service = NULL;
    place->fatal = false;
    assert_int_equal(hs_writer_new(&writer, &office->writer), HS_OK);
    office->options.store = office->node.store;
    office->options.writer = office->writer;
    enum hs_err err = hs_service_new(&office->options, &service, &why);
    if (err != HS_OK)
        fail_msg("%s: %s", hs_err_name(err), why.text);
    office->service = service;
    client_open(&place->client, office, ZMQ_DEALER);
}

static void end(struct place *place)
{
    struct office *office = &place->office;
    client_close(&place->client);
    hs_writer_stop(office->writer);
    hs_service_stop(office->service);
    hs_writer_free(office->writer);
    office->service = NULL;
    office->writer = NULL;
}

static void turn(struct place *place)
{
    hs_service_turn(place->office.service);
    hs_writer_turn(place->office.writer);
}

/* NULL: none came, which may be (@quietly) when something has failed. */
static const Hallsync__Reply *ask(struct place *place, Hallsync__Request *request, bool quietly)
{
    const Hallsync__Reply *reply = NULL;
    int quiet = 0;
    fault_pause();
    client_send(&place->client, request);
    for (int i = 0; i < TURNS_MAX && quiet < QUIET_TURNS && reply == NULL; i++) {
        quiet += quietly && fault_hit();
        fault_resume();
        turn(place);
        fault_pause();
        reply = client_receive(&place->client, i == 0 ? 0 : 1);
    }
    fault_resume();
    return reply;
}

static const Hallsync__Reply *must_ask(struct place *place, Hallsync__Request *request)
{
    const Hallsync__Reply *reply = ask(place, request, false);
    if (reply == NULL)
        fail_msg("no answer");
    return reply;
}

/* As its supervisor does when the process has ended. */
static void restart(struct place *place)
{
    end(place);
    world_reopen(&place->office.node);
    begin(place);
}

/* What a revoked node had written waits: its stream is listed among what does not go on. */
static void tell_withheld(void *ctx, struct hs_buf *partial)
{
    static uint8_t hash[HS_HASH_BYTES];
    Hallsync__WithheldStatus row = HALLSYNC__WITHHELD_STATUS__INIT;
    (void)ctx;
    row.node_id = TEXT("nj-hall");
    row.key = TEXT("ab");
    row.origin = TEXT("00000000000000ab");
    row.partition = 3201;
    row.lane = TEXT("money");
    row.last = 1;
    row.hash = (ProtobufCBinaryData){sizeof hash, hash};
    hs_call_put(partial, STATUS_WITHHELD, &row.base);
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    office_make(&place->office, HS_ROLE_HUB, NULL); /* with its threads: the files are made */
    office_stop(&place->office);
    world_open(&place->office.node, false);
    place->office.options.hooks.status = tell_withheld;
    begin(place);
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    fault_report(NULL);
    end(place);
    world_drop(&place->office.node);
    zmq_ctx_term(place->office.context);
    world_end(place->office.region);
    free(place);
    return 0;
}

/* ---- what is asked ---- */

struct question {
    const char *name;
    void (*before)(struct place *place, Hallsync__Request *request); /* asked first, without faults; NULL: nothing */
    /* Fill in the body of place->number; the request's id is the attempt's. */
    void (*ask)(struct place *place, Hallsync__Request *request);
    unsigned kinds;
};

static uint8_t packed_bytes[512];
static Hallsync__PutRecord put_record;
static Hallsync__PutRecord *put_records[] = {&put_record, &put_record};
static Hallsync__PutRequest put_body;
static char texts[3][64];

static void set_put(Hallsync__Request *request, uint32_t kind, const ProtobufCMessage *message, const char *id)
{
    struct hs_buf packed = {0};
    hs_msg_pack(message, &packed);
    assert_true(packed.err == HS_OK && packed.size <= sizeof packed_bytes);
    memcpy(packed_bytes, packed.data, packed.size);
    hallsync__put_request__init(&put_body);
    hallsync__put_record__init(&put_record);
    put_record.record = (ProtobufCBinaryData){packed.size, packed_bytes};
    if (id != NULL) {
        put_record.has_id = true;
        put_record.id = (ProtobufCBinaryData){16, (uint8_t *)(uintptr_t)id};
    }
    put_body.kind = kind;
    put_body.records = put_records;
    put_body.n_records = 1;
    request->body_case = HALLSYNC__REQUEST__BODY_PUT;
    request->put = &put_body;
    hs_buf_fini(&packed);
}

static char *text_of(int at, const char *format, uint64_t number)
{
    (void)format;
    snprintf(texts[at], sizeof texts[at], "%s%014llu", format, (unsigned long long)number);
    return texts[at];
}

static char *account_of(uint64_t number)
{
    snprintf(texts[2], sizeof texts[2], "3201%06llu", (unsigned long long)number % 1000000);
    return texts[2];
}

static void ask_customer(struct place *place, Hallsync__Request *request)
{
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    customer.account = account_of(place->number);
    customer.name = TEXT("Wang Fang");
    set_put(request, HS_KIND_CUSTOMER, &customer.base, NULL);
}

static void ask_payment(struct place *place, Hallsync__Request *request)
{
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    payment.account = account_of(place->number);
    payment.has_amount_fen = true;
    payment.amount_fen = 20000;
    payment.has_window = true;
    payment.window = 3;
    set_put(request, HS_KIND_PAYMENT, &payment.base, text_of(0, "p-", place->number));
}

static void ask_ticket(struct place *place, Hallsync__Request *request)
{
    Hallsync__Ticket ticket = HALLSYNC__TICKET__INIT;
    ticket.service = TEXT("outage-report");
    ticket.account = account_of(place->number);
    ticket.summary = TEXT("no light");
    set_put(request, HS_KIND_TICKET, &ticket.base, text_of(0, "t-", place->number));
}

static void ask_reverse(struct place *place, Hallsync__Request *request)
{
    static Hallsync__ReverseRequest body;
    static char hex[2 * 16 + 1];
    hallsync__reverse_request__init(&body);
    hs_text_to_hex(HS_BYTES(text_of(0, "p-", place->number), 16), hex);
    body.payment_id = hex;
    body.reason = TEXT("mistyped");
    body.clerk = TEXT("zhang");
    body.second = TEXT("li");
    request->body_case = HALLSYNC__REQUEST__BODY_REVERSE;
    request->reverse = &body;
}

static void ask_enroll(struct place *place, Hallsync__Request *request)
{
    static Hallsync__EnrollRequest body;
    static uint32_t districts[] = {3201};
    hallsync__enroll_request__init(&body);
    snprintf(texts[0], sizeof texts[0], "nj-%llu", (unsigned long long)place->number);
    body.node_id = texts[0];
    body.districts = districts;
    body.n_districts = 1;
    body.ttl_ms = 3600000;
    request->body_case = HALLSYNC__REQUEST__BODY_ENROLL;
    request->enroll = &body;
}

/* There is nobody to be in step with: it is answered when its time is over. */
static void ask_wait(struct place *place, Hallsync__Request *request)
{
    static Hallsync__WaitRequest body;
    hallsync__wait_request__init(&body);
    (void)place;
    body.timeout_ms = 1;
    request->body_case = HALLSYNC__REQUEST__BODY_WAIT;
    request->wait = &body;
}

static void ask_get(struct place *place, Hallsync__Request *request)
{
    static Hallsync__GetRequest get;
    hallsync__get_request__init(&get);
    (void)place;
    get.kind = HS_KIND_CUSTOMER;
    get.id = TEXT(ACCOUNT);
    request->body_case = HALLSYNC__REQUEST__BODY_GET;
    request->get = &get;
}

static void ask_find(struct place *place, Hallsync__Request *request)
{
    static Hallsync__FindRequest body;
    hallsync__find_request__init(&body);
    (void)place;
    body.kind = HS_KIND_CUSTOMER;
    request->body_case = HALLSYNC__REQUEST__BODY_FIND;
    request->find = &body;
}

/* ---- customers: handing on, reminders, notices ---- */

static void must_put(struct place *place, void (*fill)(struct place *place, Hallsync__Request *request))
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    fill(place, &request);
    assert_null(must_ask(place, &request)->put->results[0]->error);
}

/* ---- a ticket with a note: texts that a reply can do without ---- */

static void put_note(struct place *place, Hallsync__Request *request)
{
    Hallsync__TicketEvent event = HALLSYNC__TICKET_EVENT__INIT;
    event.has_ticket_id = true;
    event.ticket_id = (ProtobufCBinaryData){.len = HS_ID_BYTES, .data = (uint8_t *)text_of(1, "t-", place->number)};
    event.note = TEXT("come back");
    event.clerk = TEXT("zhang");
    set_put(request, HS_KIND_TICKET_EVENT, &event.base, NULL);
}

static void put_noted(struct place *place, Hallsync__Request *request)
{
    must_put(place, ask_ticket);
    put_note(place, request);
}

static void ask_noted(struct place *place, Hallsync__Request *request)
{
    ask_get(place, request);
    request->get->kind = HS_KIND_TICKET;
    hs_text_to_hex(HS_BYTES(text_of(1, "t-", place->number), HS_ID_BYTES), texts[2]);
    request->get->id = texts[2];
}

static void assert_noted(const Hallsync__TicketState *ticket)
{
    assert_non_null(ticket->department);
    assert_int_equal(ticket->n_events, 2);
    assert_non_null(ticket->events[0]->state);
    assert_non_null(ticket->events[1]->note);
    assert_non_null(ticket->events[1]->clerk);
}

static void put_subscription(Hallsync__Request *request, char *account, const char *hall)
{
    Hallsync__Subscription subscription = HALLSYNC__SUBSCRIPTION__INIT;
    snprintf(texts[1], sizeof texts[1], "%s-sms", account);
    subscription.subscription_id = texts[1];
    subscription.account = account;
    subscription.channel = TEXT("sms");
    subscription.has_days_before = true;
    subscription.days_before = 3;
    subscription.hall = TEXT(hall);
    set_put(request, HS_KIND_SUBSCRIPTION, &subscription.base, NULL);
}

static void ask_subscription(struct place *place, Hallsync__Request *request)
{
    put_subscription(request, account_of(place->number), NULL);
}

static void customer_who_is_reminded(struct place *place, Hallsync__Request *request)
{
    must_put(place, ask_subscription);
    ask_customer(place, request);
}

static void ask_transfer(struct place *place, Hallsync__Request *request)
{
    Hallsync__TitleChange change = HALLSYNC__TITLE_CHANGE__INIT;
    change.account = account_of(place->number);
    change.name = TEXT("Li Si");
    set_put(request, HS_KIND_TITLE_CHANGE, &change.base, text_of(0, "c-", place->number));
}

static void ask_reminder(struct place *place, Hallsync__Request *request)
{
    Hallsync__Reminder reminder = HALLSYNC__REMINDER__INIT;
    reminder.account = TEXT(ACCOUNT);
    reminder.bill_id = TEXT("B-1");
    reminder.channel = TEXT("phone");
    reminder.result = TEXT("told");
    set_put(request, HS_KIND_REMINDER, &reminder.base, text_of(0, "r-", place->number));
}

static void put_owed(struct place *place, Hallsync__Request *request)
{
    Hallsync__Bill bill = HALLSYNC__BILL__INIT;
    (void)place;
    bill.bill_id = TEXT("B-1");
    bill.account = TEXT(ACCOUNT);
    bill.has_amount_fen = true;
    bill.amount_fen = 5000;
    bill.due_date = TEXT("2026-11-21");
    set_put(request, HS_KIND_BILL, &bill.base, NULL);
}

static void owed_by_one_who_is_reminded(struct place *place, Hallsync__Request *request)
{
    must_put(place, put_owed);
    put_subscription(request, TEXT(ACCOUNT), "nj-other");
}

static void ask_reminders(struct place *place, Hallsync__Request *request)
{
    static Hallsync__RemindersRequest body;
    hallsync__reminders_request__init(&body);
    (void)place;
    body.has_date = true;
    body.date = 20261121;
    body.hall = TEXT("nj-other");
    request->body_case = HALLSYNC__REQUEST__BODY_REMINDERS;
    request->reminders = &body;
}

static void put_notice(struct place *place, Hallsync__Request *request)
{
    Hallsync__Notice notice = HALLSYNC__NOTICE__INIT;
    (void)place;
    notice.notice_id = TEXT("N-1");
    notice.type = TEXT("info");
    notice.text = TEXT("new prices");
    set_put(request, HS_KIND_NOTICE, &notice.base, NULL);
}

static void ask_totals(struct place *place, Hallsync__Request *request)
{
    static Hallsync__TotalsRequest body;
    hallsync__totals_request__init(&body);
    (void)place;
    request->body_case = HALLSYNC__REQUEST__BODY_TOTALS;
    request->totals = &body;
}

static void ask_conflicts(struct place *place, Hallsync__Request *request)
{
    static Hallsync__ConflictsRequest body;
    hallsync__conflicts_request__init(&body);
    (void)place;
    request->body_case = HALLSYNC__REQUEST__BODY_CONFLICTS;
    request->conflicts = &body;
}

static void ask_digest(struct place *place, Hallsync__Request *request)
{
    static Hallsync__DigestRequest body;
    hallsync__digest_request__init(&body);
    (void)place;
    request->body_case = HALLSYNC__REQUEST__BODY_DIGEST;
    request->digest = &body;
}

static void ask_watch(struct place *place, Hallsync__Request *request)
{
    static Hallsync__WatchRequest body;
    static Hallsync__Position from;
    hallsync__watch_request__init(&body);
    hallsync__position__init(&from);
    (void)place;
    body.from = &from;
    request->body_case = HALLSYNC__REQUEST__BODY_WATCH;
    request->watch = &body;
}

static void ask_status(struct place *place, Hallsync__Request *request)
{
    static Hallsync__StatusRequest body;
    hallsync__status_request__init(&body);
    (void)place;
    request->body_case = HALLSYNC__REQUEST__BODY_STATUS;
    request->status = &body;
}

static void ask_nodes(struct place *place, Hallsync__Request *request)
{
    static Hallsync__NodesRequest body;
    hallsync__nodes_request__init(&body);
    (void)place;
    request->body_case = HALLSYNC__REQUEST__BODY_NODES;
    request->nodes = &body;
}

/* ---- a decision about a payment that breaks a rule, which only a newer version's service would take ---- */

struct past_service {
    struct hs_job job;
    struct hs_draft draft;
    bool done;
    enum hs_err err;
};

static enum hs_err run_past(struct hs_job *job, struct hs_store *store)
{
    struct hs_dot dot;
    hs_stamp stamp;
    return hs_store_write(store, &((struct past_service *)job)->draft, &dot, &stamp);
}

static void past_done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct past_service *past = (struct past_service *)job;
    (void)commit;
    past->done = true;
    past->err = err;
}

static void pay_in_beads(struct place *place, Hallsync__Request *request)
{
    struct hs_buf fact = {0};
    hs_tlv_put_text(&fact, 2, account_of(place->number));
    hs_tlv_put_u64(&fact, 3, 20000);
    hs_tlv_put_text(&fact, 5, "beads");
    struct hs_write write = {.kind = HS_KIND_PAYMENT,
                             .id = HS_BYTES(text_of(0, "p-", place->number), HS_ID_BYTES),
                             .is_fact = true,
                             .fact = hs_buf_bytes(&fact)};
    struct past_service past = {
        .job = {.run = run_past, .done = past_done, .weight = 64},
        .draft = {.partition = 3201, .lane = HS_LANE_MONEY, .writes = &write, .write_count = 1}};
    assert_int_equal(hs_writer_submit(place->office.writer, &past.job), HS_OK);
    for (int i = 0; i < TURNS_MAX && !past.done; i++)
        turn(place);
    assert_true(past.done && past.err == HS_OK);
    hs_buf_fini(&fact);
    ask_totals(place, request);
}

static void ask_decide(struct place *place, Hallsync__Request *request)
{
    static Hallsync__DecideRequest body;
    static char hex[2 * HS_ID_BYTES + 1], id[64];
    hallsync__decide_request__init(&body);
    hs_text_to_hex(HS_BYTES(text_of(0, "p-", place->number), HS_ID_BYTES), hex);
    snprintf(id, sizeof id, "parked:3201:3:%s", hex);
    body.id = id;
    body.verdict = TEXT("release");
    body.name = TEXT("Zhao");
    body.reason = TEXT("the slip was seen");
    request->body_case = HALLSYNC__REQUEST__BODY_DECIDE;
    request->decide = &body;
}

static const struct question QUESTIONS[] = {
    {"put a customer", NULL, ask_customer, WRITE_KINDS},
    {"put a payment", NULL, ask_payment, WRITE_KINDS},
    {"put a ticket", NULL, ask_ticket, WRITE_KINDS},
    {"reverse a payment", ask_payment, ask_reverse, WRITE_KINDS},
    {"release a parked payment", pay_in_beads, ask_decide, WRITE_KINDS},
    {"hand an account on", customer_who_is_reminded, ask_transfer, WRITE_KINDS},
    {"subscribe", NULL, ask_subscription, WRITE_KINDS},
    {"put a reminder", NULL, ask_reminder, WRITE_KINDS},
    {"reminders", owed_by_one_who_is_reminded, ask_reminders, READ_KINDS},
    {"look somebody up who is told something", put_notice, ask_get, READ_KINDS},
    {"enroll", NULL, ask_enroll, WRITE_KINDS},
    {"wait", NULL, ask_wait, ALONE_KINDS},
    {"get", NULL, ask_get, READ_KINDS},
    {"get a ticket", put_noted, ask_noted, FAULT_OF_MEMORY},
    {"find", NULL, ask_find, READ_KINDS},
    {"totals", NULL, ask_totals, READ_KINDS},
    {"conflicts", NULL, ask_conflicts, READ_KINDS},
    {"digest", NULL, ask_digest, READ_KINDS},
    {"watch", NULL, ask_watch, READ_KINDS},
    {"status", NULL, ask_status, READ_KINDS},
    {"nodes", NULL, ask_nodes, READ_KINDS},
};

/* ---- the body ---- */

struct attempt {
    struct place *place;
    const struct question *question;
};

static Hallsync__Actor actor = {PROTOBUF_C_MESSAGE_INIT(&hallsync__actor__descriptor), .name = (char[]){"Zhao"},
                                .way = (char[]){"command_line"}};

static void set_request(struct place *place, const struct question *question, Hallsync__Request *request,
                        uint8_t id[static HS_REQUEST_ID_BYTES])
{
    hallsync__request__init(request);
    hs_be64(id + 8, place->number);
    request->id = (ProtobufCBinaryData){.len = HS_REQUEST_ID_BYTES, .data = id};
    request->actor = &actor;
    question->ask(place, request);
}

static const char *error_of(const Hallsync__Reply *reply)
{
    bool refused = reply->error == NULL && reply->body_case == HALLSYNC__REPLY__BODY_PUT;
    return refused ? reply->put->results[0]->error : reply->error;
}

/* Who is not told OK is told why, in a name that fits. */
static void assert_told(const Hallsync__Reply *reply)
{
    const char *error = error_of(reply);
    if (error == NULL)
        return;
    if (!fault_hit())
        fail_msg("refused: %s", error);
    enum hs_err err = hs_err_by_name(error);
    assert_string_equal(hs_err_name(err), error);
    fault_assert_named(err);
}

static void assert_counted_once(struct place *place, const struct question *question)
{
    Hallsync__TotalsRequest body = HALLSYNC__TOTALS_REQUEST__INIT;
    Hallsync__Request request = REQUEST(totals, TOTALS, &body);
    body.account = account_of(place->number);
    const Hallsync__Reply *reply = must_ask(place, &request);
    assert_null(reply->error);
    if (question->ask == ask_payment || question->ask == ask_decide)
        assert_int_equal(reply->totals->count, 1);
    if (question->ask == ask_reverse)
        assert_int_equal(reply->totals->reversed_count, 1);
}

static size_t count_nodes(struct place *place)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    ask_nodes(place, &request);
    const Hallsync__Reply *reply = must_ask(place, &request);
    size_t count = 0;
    char id[sizeof texts[0]];
    assert_null(reply->error);
    snprintf(id, sizeof id, "nj-%llu", (unsigned long long)place->number);
    for (size_t i = 0; i < reply->nodes->n_nodes; i++)
        count += strcmp(reply->nodes->nodes[i]->node_id, id) == 0;
    return count;
}

static size_t count_entries(struct place *place, const char *index, char *key)
{
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    Hallsync__Request request = REQUEST(find, FIND, &body);
    body.kind = HS_KIND_AUDIT;
    body.index = TEXT(index);
    body.key = key;
    const Hallsync__Reply *reply = must_ask(place, &request);
    assert_null(reply->error);
    return reply->records->n_records;
}

/* The change and its entry in the audit trail: both are there, or neither is. */
static void assert_told_of(struct place *place, const struct question *question)
{
    char key[2 * HS_ID_BYTES + 1];
    Hallsync__Request settle = HALLSYNC__REQUEST__INIT;
    if (question->ask != ask_decide && question->ask != ask_enroll)
        return;
    ask_totals(place, &settle);
    must_ask(place, &settle); /* what was asked before, and taken in late, is over then */
    if (place->fatal)
        restart(place);
    if (question->ask == ask_decide) {
        Hallsync__TotalsRequest body = HALLSYNC__TOTALS_REQUEST__INIT;
        Hallsync__Request request = REQUEST(totals, TOTALS, &body);
        body.account = account_of(place->number);
        size_t counted = must_ask(place, &request)->totals->count;
        hs_text_to_hex(HS_BYTES(text_of(0, "p-", place->number), HS_ID_BYTES), key);
        assert_int_equal(count_entries(place, "record_id", key), counted);
    } else {
        size_t enrolled = count_nodes(place); /* who asks again gets another token */
        snprintf(key, sizeof key, "nj-%llu", (unsigned long long)place->number);
        assert_int_equal(count_entries(place, "node_id", key), enrolled);
    }
}

static void assert_verified(struct world_node *node)
{
    struct hs_why why = {{0}};
    struct hs_view *view = world_view(node);
    if (hs_records_verify(store_records_txn(view), &why) != HS_OK)
        fail_msg("verify: %s", why.text);
    hs_view_close(view);
}

static void prepare(struct place *place, const struct question *question)
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    uint8_t id[HS_REQUEST_ID_BYTES] = "before";
    hs_be64(id + 8, place->number);
    request.id = (ProtobufCBinaryData){.len = HS_REQUEST_ID_BYTES, .data = id};
    question->before(place, &request);
    assert_null(error_of(must_ask(place, &request)));
}

static void ask_once(void *ctx)
{
    struct attempt *attempt = ctx;
    struct place *place = attempt->place;
    uint8_t id[HS_REQUEST_ID_BYTES] = "attempt";
    Hallsync__Request request;
    place->number++;
    if (attempt->question->before != NULL)
        prepare(place, attempt->question);
    set_request(place, attempt->question, &request, id);
    fault_begin();
    const Hallsync__Reply *reply = ask(place, &request, true);
    fault_end();
    assert_true(reply != NULL || fault_hit());
    bool done = reply != NULL && error_of(reply) == NULL;
    if (reply != NULL)
        assert_told(reply);
    if (done && attempt->question->ask == ask_conflicts)
        assert_int_equal(reply->conflicts->n_conflicts, 1);
    if (done && attempt->question->ask == ask_reminders)
        assert_int_equal(reply->reminders->n_due, 1);
    if (done && attempt->question->ask == ask_noted)
        assert_noted(reply->records->records[0]->ticket);
    if (done && attempt->question->before == put_notice)
        assert_int_equal(reply->records->records[0]->n_notices, 1);
    assert_true(place->fatal || store_failed(place->office.node.store) == HS_OK); /* or nobody ends the process */
    if (place->fatal)
        restart(place);
    client_close(&place->client); /* with an answer that may still be on its way */
    client_open(&place->client, &place->office, ZMQ_DEALER);
    if (done)
        assert_counted_once(place, attempt->question);
    assert_told_of(place, attempt->question);
    set_request(place, attempt->question, &request, id);
    reply = must_ask(place, &request);
    if (error_of(reply) != NULL)
        fail_msg("refused when nothing failed any more: %s", error_of(reply));
    assert_counted_once(place, attempt->question);
    assert_told_of(place, attempt->question);
    assert_verified(&place->office.node);
}

static void every_request_is_answered_or_can_be_asked_again(void **state)
{
    struct place *place = *state;
    place->office.options.accept_unknown_accounts = true;
    end(place);
    begin(place);
    for (size_t i = 0; i < sizeof QUESTIONS / sizeof *QUESTIONS; i++) {
        const struct question *question = &QUESTIONS[i];
        struct attempt attempt = {place, question};
        /* Where memory that was short once cut the answer short, no call is left out. */
        bool whole = question->ask == ask_conflicts || question->ask == ask_noted;
        unsigned whole_kinds = whole ? FAULT_BIT(FAULT_MEMORY) : 0;
        fault_each(question->name, question->kinds & ~whole_kinds, ask_once, &attempt);
        fault_each_without_sampling(question->name, whole_kinds, ask_once, &attempt);
    }
}

/* ---- starting ---- */

static void start_once(void *ctx)
{
    struct place *place = ctx;
    struct office *office = &place->office;
    struct hs_why why = {{0}};
    struct hs_writer_options options = {.store = office->node.store};
    struct hs_writer *writer = NULL;
    struct hs_service *service = NULL;
    end(place);
    fault_begin();
    enum hs_err err = hs_writer_new(&options, &writer);
    if (err == HS_OK)
        err = hs_writer_start(writer);
    office->options.writer = writer;
    if (err == HS_OK)
        err = hs_service_new(&office->options, &service, &why);
    if (err == HS_OK)
        err = hs_service_start(service);
    fault_end();
    fault_assert_named(err);
    hs_writer_stop(writer);
    hs_service_stop(service);
    hs_writer_free(writer);
    begin(place);
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = REQUEST(status, STATUS, &body);
    assert_null(must_ask(place, &request)->error);
}

static void a_start_that_fails_leaves_nothing(void **state)
{
    fault_each("starting", FAULT_OF_MEMORY | FAULT_BIT(FAULT_SYSTEM), start_once, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_request_is_answered_or_can_be_asked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(a_start_that_fails_leaves_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
