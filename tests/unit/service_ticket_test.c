/* service_ticket_test.c -- tickets through the local API: what an opening takes from the catalogue, and what events
 * besides moves say and make. */
#include "tests/unit/service_desk.h"

#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/msg/tlv.h"

#define ACCOUNT   "3201000001"
#define ELSEWHERE "3299"

static Hallsync__Document document(const char *name)
{
    Hallsync__Document made = HALLSYNC__DOCUMENT__INIT;
    made.name = TEXT(name);
    return made;
}

static Hallsync__Outcome outcome(const char *name, const char *value)
{
    Hallsync__Outcome made = HALLSYNC__OUTCOME__INIT;
    made.name = TEXT(name);
    made.value = TEXT(value);
    return made;
}

static const Hallsync__TicketState *state_of(struct client *client, const char *id)
{
    return get_record(client, HS_KIND_TICKET, id)->ticket;
}

/* What a ticket says, to be freed. */
static Hallsync__Ticket *head_of(struct client *client, const char *id)
{
    const Hallsync__Record *record = get_record(client, HS_KIND_TICKET, id);
    Hallsync__Ticket *ticket = hallsync__ticket__unpack(NULL, record->record.len, record->record.data);
    assert_non_null(ticket);
    return ticket;
}

static void move(struct client *client, const char *ticket, const char *state)
{
    assert_result(EVENT(OF_TICKET(ticket), .state = TEXT(state)), HALLSYNC__RESULT__RESULT_CREATED);
}

/* ---- opening ---- */

static void an_opening_takes_over_what_the_catalogue_says(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    uint64_t now_ms = hs_now_ms();
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("name-change"), .account = TEXT(ACCOUNT),
                         .summary = TEXT("更名")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    Hallsync__Ticket *ticket = head_of(client, "t-1");
    assert_int_equal(ticket->catalogue_version, 1);
    assert_string_equal(ticket->machine, "general");
    assert_string_equal(ticket->department, "marketing");
    assert_string_equal(ticket->urgency, "normal");
    assert_true(ticket->due_ms >= now_ms + 96 * 3600000ULL); /* 40 hours of work, of 8 a day */
    assert_true(ticket->n_documents >= 2);
    hallsync__ticket__free_unpacked(ticket, NULL);
    assert_false(state_of(client, "t-1")->overdue);
    assert_result(TICKET(.ticket_id = TEXT("t-2"), .service = TEXT("outage-report"), .summary = TEXT("x"),
                         .has_due_ms = true, .due_ms = 1000),
                  HALLSYNC__RESULT__RESULT_CREATED);
    ticket = head_of(client, "t-2");
    assert_string_equal(ticket->urgency, "urgent");
    hallsync__ticket__free_unpacked(ticket, NULL);
    const Hallsync__TicketState *late = state_of(client, "t-2");
    assert_true(late->overdue);
    assert_int_equal(late->due_ms, 1000);
    assert_string_equal(late->department, "repair");
}

static const Hallsync__PutResult *put_service(struct client *client, Hallsync__Catalogue service)
{
    return put(client, &(struct putting){.kind = HS_KIND_CATALOGUE, .message = &service.base});
}
#define SERVICE(...) put_service(client, (Hallsync__Catalogue){MESSAGE(catalogue), __VA_ARGS__})

/* Each change is the next version; a ticket keeps the machine of the version that opened it. */
static void the_regions_catalogue_is_edited_by_version(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(SERVICE(.service_id = TEXT("praise"), .name = TEXT("Praise"), .machine = TEXT("quick"),
                          .has_deadline_hours = true, .deadline_hours = 8),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("praise"), .summary = TEXT("x")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(SERVICE(.service_id = TEXT("praise"), .machine = TEXT("complaint")),
                  HALLSYNC__RESULT__RESULT_CHANGED);
    assert_result(SERVICE(.service_id = TEXT("praise"), .machine = TEXT("complaint")),
                  HALLSYNC__RESULT__RESULT_UNCHANGED);
    assert_refused(SERVICE(.service_id = TEXT("praise"), .has_version = true, .version = 2, .name = TEXT("Lob")),
                   "bad-value", "version");
    static const uint32_t VERSION[] = {9};
    Hallsync__Catalogue praise = {MESSAGE(catalogue), .service_id = TEXT("praise"), .fee = TEXT("none")};
    assert_refused(
        put(client,
            &(struct putting){.kind = HS_KIND_CATALOGUE, .message = &praise.base, .clear = VERSION, .clear_count = 1}),
        "missing-field", "version");
    assert_result(TICKET(.ticket_id = TEXT("t-2"), .service = TEXT("praise"), .summary = TEXT("x")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    Hallsync__Ticket *first = head_of(client, "t-1");
    Hallsync__Ticket *second = head_of(client, "t-2");
    assert_int_equal(first->catalogue_version, 1);
    assert_int_equal(second->catalogue_version, 2);
    hallsync__ticket__free_unpacked(first, NULL);
    hallsync__ticket__free_unpacked(second, NULL);
    move(client, "t-1", "resolved"); /* quick may */
    assert_refused(EVENT(OF_TICKET("t-2"), .state = TEXT("resolved")), "bad-state", "state");
    assert_result(SERVICE(.service_id = TEXT("praise"), .active = TEXT("no")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_refused(TICKET(.ticket_id = TEXT("t-3"), .service = TEXT("praise"), .summary = TEXT("x")), "unknown-service",
                   "service");
}

/* As a hub of a later version, or a broken one, has written it.  What is parked is kept out of openings too, which
 * would be parked with it. */
static void a_service_that_breaks_a_rule_is_none(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    struct hs_buf values[4] = {{0}};
    static const uint32_t NUMBERS[] = {1, 2, 12, 13};
    struct hs_field_write fields[4];
    hs_tlv_put_text(&values[0], 1, "consultation");
    hs_tlv_put_text(&values[1], 2, "Consultation");
    hs_tlv_put_u64(&values[2], 12, UINT32_MAX);
    hs_tlv_put_text(&values[3], 13, "loom");
    for (size_t i = 0; i < 4; i++)
        fields[i] = (struct hs_field_write){.number = NUMBERS[i], .value = hs_buf_bytes(&values[i])};
    struct hs_write write = {
        .kind = HS_KIND_CATALOGUE, .id = HS_BYTES("consultation", 12), .fields = fields, .field_count = 4};
    office_write(&desk->office, HS_PARTITION_REGION, HS_LANE_BULK, &write);
    for (size_t i = 0; i < 4; i++)
        hs_buf_fini(&values[i]);
    assert_non_null(get_record(client, HS_KIND_CATALOGUE, "consultation")->parked);
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("consultation"), .summary = TEXT("x")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_null(get_record(client, HS_KIND_TICKET, "t-1")->parked);
    assert_true(state_of(client, "t-1")->has_due_ms);
    move(client, "t-1", "resolved"); /* the default one's machine */
}

/* A calendar on which nobody works for a year moves the deadline behind it. */
static void deadlines_go_by_the_calendar(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    uint64_t now_ms = hs_now_ms();
    for (unsigned i = 0; i < 30; i++) {
        Hallsync__Calendar day = HALLSYNC__CALENDAR__INIT;
        char text[16];
        uint32_t date = hs_date_of(now_ms + i * 86400000ULL, 480);
        snprintf(text, sizeof text, "%04u-%02u-%02u", date / 10000, date / 100 % 100, date % 100);
        day.day = text;
        day.working = TEXT("no");
        assert_result(put(client, &(struct putting){.kind = HS_KIND_CALENDAR, .message = &day.base}),
                      HALLSYNC__RESULT__RESULT_CREATED);
    }
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("consultation"), .summary = TEXT("x")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(TICKET(.ticket_id = TEXT("t-2"), .service = TEXT("reconnection"), .summary = TEXT("x")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_true(state_of(client, "t-1")->due_ms > now_ms + 29 * 86400000ULL);
    assert_true(state_of(client, "t-2")->due_ms < now_ms + 2 * 86400000ULL); /* urgent: by the clock */
}

/* ---- events ---- */

static void what_is_missing_is_told_at_once_and_ticked_as_it_comes(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__Document card = document("identity card");
    Hallsync__Document title = document("proof of title");
    Hallsync__Document authority = document("authority");
    Hallsync__Document *needed[] = {&card, &title, &authority};
    Hallsync__Document *come[] = {&title};
    Hallsync__Document *other = &(Hallsync__Document){MESSAGE(document), .name = TEXT("passport")};
    authority.needed = TEXT("no");
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("new-connection"), .summary = TEXT("x"),
                         .n_documents = 3, .documents = needed),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_int_equal(state_of(client, "t-1")->n_missing, 2);
    assert_refused(EVENT(OF_TICKET("t-1"), .type = TEXT("tick")), "missing-field", "documents");
    assert_refused(EVENT(OF_TICKET("t-1"), .type = TEXT("tick"), .n_documents = 1, .documents = &other), "bad-value",
                   "documents");
    assert_result(EVENT(OF_TICKET("t-1"), .type = TEXT("tick"), .n_documents = 1, .documents = come),
                  HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__TicketState *ticket = state_of(client, "t-1");
    assert_int_equal(ticket->n_missing, 1);
    assert_string_equal(ticket->missing[0], "identity card");
    assert_string_equal(ticket->events[1]->documents, "proof of title");
    assert_string_equal(ticket->events[1]->type, "tick");
}

static void urging_is_counted_and_archives_open_again(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("complaint"), .summary = TEXT("x"),
                         .customer_consent = TEXT("no")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    for (unsigned i = 0; i < 3; i++)
        assert_result(EVENT(OF_TICKET("t-1"), .type = TEXT("urge")), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(EVENT(OF_TICKET("t-1"), .type = TEXT("escalate")), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(EVENT(OF_TICKET("t-1"), .type = TEXT("pass"), .department = TEXT("metering")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_refused(EVENT(OF_TICKET("t-1"), .type = TEXT("pass")), "missing-field", "department");
    assert_refused(EVENT(OF_TICKET("t-1"), .type = TEXT("reopen")), "bad-state", "state");
    move(client, "t-1", "accepted");
    move(client, "t-1", "working");
    move(client, "t-1", "resolved");
    assert_refused(EVENT(OF_TICKET("t-1"), .state = TEXT("called_back")), "no-consent", "state");
    move(client, "t-1", "archived"); /* a complaint, but he does not want to be called */
    const Hallsync__TicketState *ticket = state_of(client, "t-1");
    assert_int_equal(ticket->urged, 3);
    assert_int_equal(ticket->escalated, 1);
    assert_true(ticket->no_call_back);
    assert_true(ticket->rate);
    assert_string_equal(ticket->department, "metering");
    assert_result(EVENT(OF_TICKET("t-1"), .type = TEXT("reopen")), HALLSYNC__RESULT__RESULT_CREATED);
    assert_string_equal(state_of(client, "t-1")->state, "working");
    assert_int_equal(state_of(client, "t-1")->reopened, 1);
    assert_int_equal(find_by(client, HS_KIND_TICKET, "department", "metering")->records->n_records, 1);
    assert_int_equal(find_by(client, HS_KIND_TICKET, "department", "quality")->records->n_records, 0);
}

static void a_meter_check_is_resolved_with_its_result(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__Outcome error = outcome("error in percent 误差", "0.4");
    Hallsync__Outcome verdict = outcome("verdict 结论", "合格");
    Hallsync__Outcome *lines[] = {&error, &verdict};
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("meter-check"), .summary = TEXT("x")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    move(client, "t-1", "accepted");
    move(client, "t-1", "working");
    assert_refused(EVENT(OF_TICKET("t-1"), .state = TEXT("resolved")), "missing-field", "result");
    assert_refused(EVENT(OF_TICKET("t-1"), .state = TEXT("resolved"), .n_result = 1, .result = lines), "missing-field",
                   "result");
    assert_result(EVENT(OF_TICKET("t-1"), .state = TEXT("resolved"), .n_result = 2, .result = lines),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_string_equal(state_of(client, "t-1")->events[3]->result, "error in percent 误差:0.4;verdict 结论:合格");
}

/* ---- links ---- */

static void another_district_gets_a_linked_ticket_and_its_result_comes_back(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char linked[40];
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("consultation"), .account = TEXT(ACCOUNT),
                         .summary = TEXT("x"), .contact = TEXT("王 138")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_refused(EVENT(OF_TICKET("t-1"), .type = TEXT("link")), "missing-field", "to_district");
    assert_refused(EVENT(OF_TICKET("t-1"), .type = TEXT("link"), .to_district = TEXT("3201")), "bad-value",
                   "to_district");
    for (unsigned i = 0; i < 2; i++)
        assert_result(EVENT(.event_id = TEXT("e-1"), OF_TICKET("t-1"), .type = TEXT("link"),
                            .to_district = TEXT(ELSEWHERE), .department = TEXT("repair"), .note = TEXT("yours")),
                      i == 0 ? HALLSYNC__RESULT__RESULT_CREATED : HALLSYNC__RESULT__RESULT_EXISTS);
    const Hallsync__TicketState *first = state_of(client, "t-1");
    assert_int_equal(first->n_events, 2);
    snprintf(linked, sizeof linked, "%s", first->events[1]->linked_ticket);
    Hallsync__Ticket *head = head_of(client, linked);
    assert_string_equal(head->linked_account, ACCOUNT);
    assert_null(head->account);
    assert_string_equal(head->linked_district, "3201");
    assert_string_equal(head->contact, "王 138");
    assert_string_equal(head->department, "repair");
    hallsync__ticket__free_unpacked(head, NULL);
    assert_int_equal(get_record(client, HS_KIND_TICKET, linked)->partition, 3299);
    assert_string_equal(state_of(client, linked)->events[0]->note, "yours");
    assert_result(EVENT(OF_TICKET(linked), .state = TEXT("resolved"), .note = TEXT("done there")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    first = state_of(client, "t-1");
    assert_int_equal(first->n_events, 3);
    assert_string_equal(first->events[2]->type, "result");
    assert_string_equal(first->events[2]->note, "done there");
    assert_string_equal(first->events[2]->linked_ticket, linked);
    assert_string_equal(first->state, "open");
}

/* ---- links: what does not fit ---- */

#define LONG_REFERENCE 500

static Hallsync__Attachment **attachments(size_t count, const char *name)
{
    static Hallsync__Attachment made[32];
    static Hallsync__Attachment *list[32];
    static char reference[LONG_REFERENCE + 1];
    memset(reference, 'r', LONG_REFERENCE);
    for (size_t i = 0; i < count; i++) {
        made[i] = (Hallsync__Attachment){MESSAGE(attachment), .name = TEXT(name), .reference = reference};
        list[i] = &made[i];
    }
    return list;
}

static const char *link_of(struct client *client, const char *ticket)
{
    static char linked[40];
    assert_result(EVENT(OF_TICKET(ticket), .type = TEXT("link"), .to_district = TEXT(ELSEWHERE)),
                  HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__TicketState *first = state_of(client, ticket);
    snprintf(linked, sizeof linked, "%s", first->events[first->n_events - 1]->linked_ticket);
    return linked;
}

/* Each of the events has as many as one may; the linked ticket has as many as a field holds, the first ones. */
static void a_link_takes_as_many_attachments_as_fit(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("consultation"), .summary = TEXT("x")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    for (unsigned i = 0; i < 2; i++)
        assert_result(EVENT(OF_TICKET("t-1"), .type = TEXT("attach"), .n_attachments = 30,
                            .attachments = attachments(30, i == 0 ? "first" : "second")),
                      HALLSYNC__RESULT__RESULT_CREATED);
    Hallsync__Ticket *head = head_of(client, link_of(client, "t-1"));
    assert_in_range(head->n_attachments, 30, 31);
    assert_string_equal(head->attachments[0]->name, "first");
    hallsync__ticket__free_unpacked(head, NULL);
}

/* The event of the result says two things that the first did not; its attachments stay where they are. */
static void a_result_that_is_too_large_comes_back_without_attachments(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    Hallsync__TicketEvent event = HALLSYNC__TICKET_EVENT__INIT;
    Hallsync__Outcome line = outcome("found", NULL);
    Hallsync__Outcome *lines[32];
    char note[8192];
    char value[257] = "";
    uint8_t id[HS_ID_BYTES] = {0};
    memset(note, 'n', sizeof note);
    memset(value, 'v', sizeof value - 1);
    line.value = value;
    for (size_t i = 0; i < 32; i++)
        lines[i] = &line;
    event.has_ticket_id = true;
    event.ticket_id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
    event.state = TEXT("resolved");
    event.n_attachments = 31;
    event.attachments = attachments(31, "photo");
    event.n_result = 32;
    event.result = lines;
    event.clerk = TEXT("a clerk whose name is somewhat longer than others");
    event.note = note;
    note[5000] = '\0';
    size_t size = hallsync__ticket_event__get_packed_size(&event);
    note[5000] = 'n';
    assert_in_range(HS_RECORD_BYTES_MAX - size, 1, sizeof note - 5001);
    note[5000 + HS_RECORD_BYTES_MAX - size] = '\0';
    assert_int_equal(hallsync__ticket_event__get_packed_size(&event), HS_RECORD_BYTES_MAX);
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("consultation"), .summary = TEXT("x")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    const char *linked = link_of(client, "t-1");
    event.ticket_id = (ProtobufCBinaryData){.data = (uint8_t *)(uintptr_t)linked};
    assert_result(put_event(client, event), HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__TicketState *first = state_of(client, "t-1");
    const Hallsync__TicketStep *result = first->events[first->n_events - 1];
    assert_string_equal(result->type, "result");
    assert_string_equal(result->note, note);
    assert_non_null(result->result);
    assert_null(result->attachments);
}

/* What imports remember is the first ticket's own, and no part of what it says. */
static void a_link_leaves_behind_what_imports_remember(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char source[16];
    char summary[16];
    for (unsigned i = 0; i < 40; i++) {
        Hallsync__Ticket ticket = HALLSYNC__TICKET__INIT;
        snprintf(source, sizeof source, "source-%u", i);
        snprintf(summary, sizeof summary, "summary %u", i);
        ticket.ticket_id = TEXT("t-1");
        ticket.service = TEXT("consultation");
        ticket.summary = summary;
        assert_null(
            put(client, &(struct putting){.kind = HS_KIND_TICKET, .message = &ticket.base, .source = source})->error);
    }
    Hallsync__Ticket *head = head_of(client, link_of(client, "t-1"));
    assert_string_equal(head->service, "consultation");
    hallsync__ticket__free_unpacked(head, NULL);
}

/* ---- reconnection ---- */

static size_t tickets_of(struct client *client, const char *account)
{
    return find_by(client, HS_KIND_TICKET, "account", account)->records->n_records;
}

static void owe(struct client *client, const char *bill)
{
    assert_result(BILL(.bill_id = TEXT(bill), .account = TEXT(ACCOUNT), .amount_fen = 1000),
                  HALLSYNC__RESULT__RESULT_CREATED);
}

static void pay(struct client *client, const char *payment, const char *bill, int64_t fen)
{
    const Hallsync__PutResult *result = PAY(.payment_id = TEXT(payment), .account = TEXT(ACCOUNT),
                                            .bill_id = TEXT(bill), .amount_fen = fen);
    assert_null(result->error);
}

static void who_pays_all_gets_his_supply_back(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    desk->office.options.reconnect_on_payment = true;
    restart(desk);
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("王"), .supply_status = TEXT("off")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    owe(client, "b-1");
    owe(client, "b-2");
    assert_result(BILL(.bill_id = TEXT("b-3"), .account = TEXT(ACCOUNT), .amount_fen = 1000,
                       .due_date = TEXT("2999-12-31")), /* no arrears */
                  HALLSYNC__RESULT__RESULT_CREATED);
    pay(client, "p-1", "b-1", 1000);
    pay(client, "p-2", "b-2", 999);
    assert_int_equal(tickets_of(client, ACCOUNT), 0);
    pay(client, "p-3", "b-2", 1);
    assert_int_equal(tickets_of(client, ACCOUNT), 1);
    pay(client, "p-3", "b-2", 1);
    pay(client, "p-4", "b-2", 1); /* one is on its way */
    assert_int_equal(tickets_of(client, ACCOUNT), 1);
    const Hallsync__Record *record = find_by(client, HS_KIND_TICKET, "account", ACCOUNT)->records->records[0];
    Hallsync__Ticket *ticket = hallsync__ticket__unpack(NULL, record->record.len, record->record.data);
    assert_string_equal(ticket->service, "reconnection");
    assert_string_equal(ticket->urgency, "urgent");
    assert_string_equal(record->ticket->state, "open");
    hallsync__ticket__free_unpacked(ticket, NULL);
}

static void who_has_supply_or_is_not_to_be_asked_gets_no_ticket(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("王"), .supply_status = TEXT("off")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    owe(client, "b-1");
    pay(client, "p-1", "b-1", 1000); /* not configured */
    desk->office.options.reconnect_on_payment = true;
    restart(desk);
    client = &desk->client;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .supply_status = TEXT("on")), HALLSYNC__RESULT__RESULT_CHANGED);
    owe(client, "b-2");
    pay(client, "p-2", "b-2", 1000);
    assert_int_equal(tickets_of(client, ACCOUNT), 0);
}

#define AT_HALL(test) cmocka_unit_test_setup_teardown(test, open_hall, close_desk)
#define AT_HUB(test)  cmocka_unit_test_setup_teardown(test, open_hub, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AT_HALL(an_opening_takes_over_what_the_catalogue_says),
        AT_HUB(the_regions_catalogue_is_edited_by_version),
        AT_HUB(a_service_that_breaks_a_rule_is_none),
        AT_HUB(deadlines_go_by_the_calendar),
        AT_HALL(what_is_missing_is_told_at_once_and_ticked_as_it_comes),
        AT_HALL(urging_is_counted_and_archives_open_again),
        AT_HALL(a_meter_check_is_resolved_with_its_result),
        AT_HALL(another_district_gets_a_linked_ticket_and_its_result_comes_back),
        AT_HALL(a_link_takes_as_many_attachments_as_fit),
        AT_HALL(a_result_that_is_too_large_comes_back_without_attachments),
        AT_HALL(a_link_leaves_behind_what_imports_remember),
        AT_HALL(who_pays_all_gets_his_supply_back),
        AT_HALL(who_has_supply_or_is_not_to_be_asked_gets_no_ticket),
    };
    return cmocka_run_group_tests_name("service ticket", tests, NULL, NULL);
}
