/* service_appointment_test.c -- slots and appointments through the local API: at the slot's own hall, at another that
 * asks a hub, and at one that can ask nobody. */
#include "tests/lib/service_line.h"

#include "proto/msg/tlv.h"
#include "storage/model/appointment.h"

#define OWN   3201
#define THERE 3299 /* a district that the hall does not hold */

#define SLOT(...)                 put_slot(client, (Hallsync__Slot){MESSAGE(slot), __VA_ARGS__}, 0)
#define BOOK(...)                 put_appointment(client, (Hallsync__Appointment){MESSAGE(appointment), __VA_ARGS__}, 0)
#define HAPPEN(appointment, what) put_appointment_event(client, appointment, what)

static struct line *line;

static int open_line(void **state)
{
    *state = line = malloc(sizeof *line);
    line_open(line);
    return 0;
}

static int close_line(void **state)
{
    line_close(*state);
    free(*state);
    return 0;
}

static const Hallsync__PutResult *put_slot(struct client *client, Hallsync__Slot slot, uint32_t partition)
{
    slot.has_capacity = slot.capacity != 0;
    return put(client, &(struct putting){.kind = HS_KIND_SLOT, .message = &slot.base, .partition = partition});
}

static const Hallsync__PutResult *put_appointment(struct client *client, Hallsync__Appointment appointment,
                                                  uint32_t partition)
{
    return put(client,
               &(struct putting){.kind = HS_KIND_APPOINTMENT, .message = &appointment.base, .partition = partition});
}

static const Hallsync__PutResult *put_appointment_event(struct client *client, const char *appointment,
                                                        const char *what)
{
    Hallsync__AppointmentEvent event = HALLSYNC__APPOINTMENT_EVENT__INIT;
    struct hs_id id;
    bool hashed;
    assert_int_equal(hs_id_from_text(appointment, strlen(appointment), &id, &hashed), HS_OK);
    event.has_appointment_id = true;
    event.appointment_id = (ProtobufCBinaryData){.len = sizeof id.bytes, .data = id.bytes};
    event.event = TEXT(what);
    return put(client, &(struct putting){.kind = HS_KIND_APPOINTMENT_EVENT, .message = &event.base});
}

static const char *state_of(struct client *client, const char *id)
{
    const Hallsync__Record *record = get_record(client, HS_KIND_APPOINTMENT, id);
    assert_non_null(record);
    assert_non_null(record->appointment);
    return record->appointment->state;
}

static void make_slot(struct client *client, const char *id, const char *hall, uint32_t capacity, uint32_t partition)
{
    Hallsync__Slot slot = HALLSYNC__SLOT__INIT;
    slot.slot_id = TEXT(id);
    slot.hall = TEXT(hall);
    slot.date = TEXT("2026-11-25");
    slot.begins = TEXT("09:30");
    slot.capacity = capacity;
    assert_result(put_slot(client, slot, partition), HALLSYNC__RESULT__RESULT_CREATED);
}

/* ---- at the slot's own hall ---- */

static void a_hall_says_when_it_can_be_come_to(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    make_slot(client, "s-1", "nj-gulou", 2, 0);
    assert_result(SLOT(.slot_id = TEXT("s-1"), .capacity = 3), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_refused(SLOT(.slot_id = TEXT("s-1"), .begins = TEXT("10:30")), "fixed-field", "begins");
    assert_refused(SLOT(.slot_id = TEXT("s-2"), .hall = TEXT("nj-xuanwu"), .date = TEXT("2026-11-25"),
                        .begins = TEXT("09:30"), .capacity = 1),
                   "invalid", "hall");
    assert_refused(SLOT(.slot_id = TEXT("s-2"), .hall = TEXT("nj-gulou"), .date = TEXT("2026-11-25"),
                        .begins = TEXT("24:30"), .capacity = 1),
                   "bad-value", "begins");
    const Hallsync__SlotState *slot = get_record(client, HS_KIND_SLOT, "s-1")->slot;
    assert_int_equal(slot->booked, 0);
    assert_int_equal(slot->free, 3);
    assert_int_equal(line->questions, 0);
}

static void seats_are_given_once(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    make_slot(client, "s-1", "nj-gulou", 2, 0);
    assert_result(BOOK(.appointment_id = TEXT("a-1"), .slot_id = TEXT("s-1"), .name = TEXT("陈")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(BOOK(.appointment_id = TEXT("a-1"), .slot_id = TEXT("s-1"), .name = TEXT("陈")),
                  HALLSYNC__RESULT__RESULT_EXISTS);
    assert_refused(BOOK(.appointment_id = TEXT("a-1"), .slot_id = TEXT("s-1"), .name = TEXT("李")), "id-in-use", NULL);
    assert_result(BOOK(.appointment_id = TEXT("a-2"), .slot_id = TEXT("s-1"), .name = TEXT("李"), .phone = TEXT("1")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_refused(BOOK(.appointment_id = TEXT("a-3"), .slot_id = TEXT("s-1"), .name = TEXT("王")), "bad-state",
                   "slot_id");
    assert_string_equal(state_of(client, "a-2"), "booked");
    assert_result(HAPPEN("a-1", "cancelled"), HALLSYNC__RESULT__RESULT_CREATED);
    assert_refused(HAPPEN("a-1", "kept"), "bad-state", "event");
    assert_refused(HAPPEN("a-9", "kept"), "not-found", "appointment_id");
    assert_string_equal(state_of(client, "a-1"), "cancelled");
    assert_result(BOOK(.appointment_id = TEXT("a-3"), .slot_id = TEXT("s-1"), .name = TEXT("王")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(HAPPEN("a-3", "missed"), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(HAPPEN("a-3", "kept"), HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__SlotState *slot = get_record(client, HS_KIND_SLOT, "s-1")->slot;
    assert_int_equal(slot->booked, 2);
    assert_int_equal(slot->free, 0);
    assert_int_equal(slot->n_bookings, 3);
    assert_string_equal(slot->bookings[2]->state, "kept");
    assert_string_equal(slot->bookings[1]->phone, "1");
    assert_string_equal(get_record(client, HS_KIND_APPOINTMENT, "a-3")->appointment->begins, "09:30");
}

static void a_slot_may_take_no_more(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    make_slot(client, "s-1", "nj-gulou", 2, 0);
    assert_result(SLOT(.slot_id = TEXT("s-1"), .offered = TEXT("no")), HALLSYNC__RESULT__RESULT_CHANGED);
    assert_refused(BOOK(.slot_id = TEXT("s-1"), .name = TEXT("陈")), "bad-state", "slot_id");
    assert_refused(BOOK(.slot_id = TEXT("s-1")), "missing-field", "name");
}

/* Beyond the limits the fold would look at others, or at nobody: a seat that was given stays. */
static void what_would_be_too_much_for_the_fold_is_refused(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    make_slot(client, "s-1", "nj-gulou", 1, 0);
    assert_result(BOOK(.appointment_id = TEXT("a-1"), .slot_id = TEXT("s-1"), .name = TEXT("陈")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    for (unsigned i = 0; i < HS_BOOKING_EVENTS_MAX; i++)
        assert_result(HAPPEN("a-1", i % 2 == 0 ? "missed" : "kept"), HALLSYNC__RESULT__RESULT_CREATED);
    assert_refused(HAPPEN("a-1", "missed"), "overflow", "event");
    assert_string_equal(state_of(client, "a-1"), "kept");
    for (unsigned i = 0; i < HS_SLOT_BOOKINGS_MAX; i++) { /* on trust: halls that did not know that it was full */
        assert_result(
            put_appointment(
                client, (Hallsync__Appointment){MESSAGE(appointment), .slot_id = TEXT("s-2"), .name = TEXT("李")}, OWN),
            HALLSYNC__RESULT__RESULT_CREATED);
    }
    make_slot(client, "s-2", "nj-gulou", HS_SLOT_CAPACITY_MAX, 0);
    assert_refused(BOOK(.slot_id = TEXT("s-2"), .name = TEXT("赵")), "overflow", "slot_id");
}

/* Halls that did not hear of each other have given one seat to two: the slot says how many are to be told. */
static void a_slot_counts_who_has_no_seat(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    static const char *const IDS[] = {"a-1", "a-2", "a-3"};
    for (size_t i = 0; i < 3; i++)
        assert_result(put_appointment(client,
                                      (Hallsync__Appointment){MESSAGE(appointment), .appointment_id = TEXT(IDS[i]),
                                                              .slot_id = TEXT("s-1"), .name = TEXT("李")},
                                      OWN),
                      HALLSYNC__RESULT__RESULT_CREATED);
    make_slot(client, "s-1", "nj-gulou", 1, 0);
    assert_string_equal(state_of(client, "a-1"), "booked");
    assert_int_equal(get_record(client, HS_KIND_SLOT, "s-1")->slot->full, 2);
    assert_result(HAPPEN("a-2", "cancelled"), HALLSYNC__RESULT__RESULT_CREATED); /* he was told */
    assert_int_equal(get_record(client, HS_KIND_SLOT, "s-1")->slot->full, 1);
    assert_result(HAPPEN("a-3", "cancelled"), HALLSYNC__RESULT__RESULT_CREATED);
    assert_false(get_record(client, HS_KIND_SLOT, "s-1")->slot->has_full);
}

/* As the hall of another district has made it, which has not heard of this one's. */
static void write_slot(struct office *office, const char *id, uint32_t capacity, hs_partition partition)
{
    struct hs_buf values[5] = {{0}};
    static const uint32_t NUMBERS[] = {1, 2, 4, 5, 7};
    struct hs_field_write fields[5];
    struct hs_write write = {.kind = HS_KIND_SLOT, .id = HS_BYTES(id, strlen(id)), .fields = fields, .field_count = 5};
    hs_tlv_put_text(&values[0], 1, id);
    hs_tlv_put_text(&values[1], 2, "nj-far");
    hs_tlv_put_text(&values[2], 4, "2026-11-25");
    hs_tlv_put_text(&values[3], 5, "10:00");
    hs_tlv_put_u64(&values[4], 7, capacity);
    for (size_t i = 0; i < 5; i++)
        fields[i] = (struct hs_field_write){.number = NUMBERS[i], .value = hs_buf_bytes(&values[i])};
    office_write(office, partition, HS_LANE_WORK, &write);
    for (size_t i = 0; i < 5; i++)
        hs_buf_fini(&values[i]);
}

static void slots_of_two_districts_may_have_one_id(void **state)
{
    (void)state;
    struct office hub;
    struct client at_hub;
    struct client *client = &at_hub;
    office_make(&hub, HS_ROLE_HUB, NULL);
    write_slot(&hub, "0930", 1, OWN);
    write_slot(&hub, "0930", 2, THERE);
    client_open(client, &hub, ZMQ_DEALER);
    Hallsync__Appointment asked = {MESSAGE(appointment), .slot_id = TEXT("0930"), .name = TEXT("周")};
    asked.appointment_id = TEXT("a-1");
    assert_result(put_appointment(client, asked, THERE), HALLSYNC__RESULT__RESULT_CREATED);
    asked.appointment_id = TEXT("a-2");
    assert_result(put_appointment(client, asked, OWN), HALLSYNC__RESULT__RESULT_CREATED);
    asked.appointment_id = TEXT("a-3");
    assert_refused(put_appointment(client, asked, OWN), "bad-state", "slot_id");
    assert_result(put_appointment(client, asked, THERE), HALLSYNC__RESULT__RESULT_CREATED);
    assert_string_equal(state_of(client, "a-1"), "booked");
    assert_string_equal(state_of(client, "a-2"), "booked");
    assert_string_equal(state_of(client, "a-3"), "booked");
    assert_result(HAPPEN("a-3", "cancelled"), HALLSYNC__RESULT__RESULT_CREATED);
    assert_refused(HAPPEN("a-3", "kept"), "bad-state", "event");
    Hallsync__FindRequest all = {MESSAGE(find_request), .kind = HS_KIND_SLOT};
    const Hallsync__Reply *reply = find(client, &all);
    assert_int_equal(reply->records->n_records, 2);
    assert_int_equal(reply->records->records[0]->slot->free, 0);
    assert_int_equal(reply->records->records[1]->slot->free, 1);
    client_close(client);
    office_drop(&hub);
}

/* ---- at another hall ---- */

static void a_hub_is_asked_for_the_slot(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    make_slot(&line->at_hub, "s-9", "nj-hub", 2, THERE);
    assert_result(put_appointment(&line->at_hub,
                                  (Hallsync__Appointment){MESSAGE(appointment), .appointment_id = TEXT("a-8"),
                                                          .slot_id = TEXT("s-9"), .name = TEXT("周")},
                                  0),
                  HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(BOOK(.appointment_id = TEXT("a-9"), .slot_id = TEXT("s-9"), .name = TEXT("陈")),
                  HALLSYNC__RESULT__RESULT_CREATED);
    const Hallsync__Record *record = get_record(client, HS_KIND_APPOINTMENT, "a-8");
    assert_int_equal(record->partition, THERE);
    assert_string_equal(record->appointment->state, "booked");
    assert_string_equal(record->appointment->hall, "nj-hub");
    const Hallsync__SlotState *slot = get_record(client, HS_KIND_SLOT, "s-9")->slot;
    assert_int_equal(slot->n_bookings, 2); /* the hub's, and this hall's own, of which the hub has not heard */
    assert_int_equal(slot->free, 0);
    assert_refused(BOOK(.slot_id = TEXT("s-9"), .name = TEXT("王")), "bad-state", "slot_id");
    assert_refused(BOOK(.slot_id = TEXT("s-10"), .name = TEXT("王")), "not-found", "slot_id");
}

static const char *refused_as_a_whole(struct client *client, const Hallsync__Appointment *appointment)
{
    struct hs_buf packed = {0};
    Hallsync__PutRecord record = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__PutRecord *records[] = {&record};
    Hallsync__PutRequest body = HALLSYNC__PUT_REQUEST__INIT;
    Hallsync__Request request = REQUEST(put, PUT, &body);
    hs_msg_pack(&appointment->base, &packed);
    record.record = (ProtobufCBinaryData){.len = packed.size, .data = packed.data};
    body.kind = HS_KIND_APPOINTMENT;
    body.records = records;
    body.n_records = 1;
    const Hallsync__Reply *reply = client_ask(client, &request);
    hs_buf_fini(&packed);
    return reply->error;
}

static void without_a_link_it_is_asked_for_on_trust(void **state)
{
    (void)state;
    struct client *client = &line->at_hall;
    Hallsync__Appointment asked = {MESSAGE(appointment), .appointment_id = TEXT("a-9"), .slot_id = TEXT("s-9"),
                                   .name = TEXT("陈")};
    line->err = HS_ENOLINK;
    assert_string_equal(refused_as_a_whole(client, &asked), "no-link");
    assert_result(put_appointment(client, asked, THERE), HALLSYNC__RESULT__RESULT_CREATED);
    assert_result(put_appointment(client, asked, THERE), HALLSYNC__RESULT__RESULT_EXISTS);
    assert_string_equal(state_of(client, "a-9"), "asked");
    assert_result(HAPPEN("a-9", "cancelled"), HALLSYNC__RESULT__RESULT_CREATED);
}

#define ON_LINE(test) cmocka_unit_test_setup_teardown(test, open_line, close_line)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_LINE(a_hall_says_when_it_can_be_come_to),
        ON_LINE(seats_are_given_once),
        ON_LINE(a_slot_may_take_no_more),
        cmocka_unit_test(slots_of_two_districts_may_have_one_id),
        ON_LINE(a_slot_counts_who_has_no_seat),
        ON_LINE(what_would_be_too_much_for_the_fold_is_refused),
        ON_LINE(a_hub_is_asked_for_the_slot),
        ON_LINE(without_a_link_it_is_asked_for_on_trust),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
