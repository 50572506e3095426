/* service_world.h -- a real store, writer and service on a temporary ipc endpoint, and raw ZeroMQ clients that talk to
 * it. */
#ifndef HS_TESTS_SERVICE_WORLD_H
#define HS_TESTS_SERVICE_WORLD_H

#include "tests/lib/chinese.h"
#include "tests/lib/store_world.h"

#include "node/service/service.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"
#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/records.pb-c.h"

#include <semaphore.h>
#include <sodium.h>
#include <stdatomic.h>
#include <zmq.h>

#define ANSWER_MS       20000
#define ACCOUNT         "3201000001"
#define OTHER_ACCOUNT   "3201000002"
#define FOREIGN_ACCOUNT "3299000001"

/* ---- the clock ---- */

#define OFFICE_BEGINS_MS  1795320000000ULL /* 2026-11-22 12:00 at +08:00 */
#define OFFICE_UTC_OFFSET 480              /* minutes */

/* Of the service and of the test, in unit/: it goes on as the machine's does, but no run meets a midnight or a holiday.
 */
uint64_t __wrap_hs_now_ms(void);
uint64_t __wrap_hs_now_ms(void)
{
    static atomic_uint_least64_t first_tick;
    uint64_t tick = hs_tick_ms();
    uint64_t first = 0;
    if (atomic_compare_exchange_strong(&first_tick, &first, tick))
        first = tick;
    return OFFICE_BEGINS_MS + tick - first;
}

static inline const char *day_text(int days_from_now, char text[static HS_TIME_TEXT_BYTES])
{
    hs_time_text(hs_now_ms() + (uint64_t)((int64_t)days_from_now * 86400000), OFFICE_UTC_OFFSET, text);
    text[10] = '\0';
    return text;
}

/* ---- a node ---- */

struct office {
    struct world_node node; /* first: the store's callbacks get it */
    struct world_region own_region;
    struct world_region *region; /* its own, or that of another office */
    struct hs_writer *writer;
    struct hs_service *_Atomic service;
    struct hs_service_options options;
    char endpoint[WORLD_PATH_BYTES + 64];
    void *context;
    atomic_uint_least64_t probe_token;
    atomic_uint_least64_t probe_ended;
};

static inline void office_flush_wanted(void *ctx)
{
    struct office *office = ctx;
    hs_writer_flush(office->writer);
}

static inline void office_committed(void *ctx, const struct hs_commit *commit)
{
    struct office *office = ctx;
    (void)commit;
    hs_service_committed(office->service);
}

static inline void office_start(struct office *office, bool create)
{
    struct hs_why why = {{0}};
    world_open(&office->node, create);
    struct hs_writer_options writer = {.store = office->node.store, .committed = office_committed, .ctx = office};
    assert_int_equal(hs_writer_new(&writer, &office->writer), HS_OK);
    assert_int_equal(hs_writer_start(office->writer), HS_OK);
    office->options.store = office->node.store;
    office->options.writer = office->writer;
    struct hs_service *service = NULL;
    enum hs_err err = hs_service_new(&office->options, &service, &why);
    if (err == HS_OK)
        err = hs_service_start(service);
    if (err != HS_OK)
        fail_msg("%s: %s", hs_err_name(err), why.text);
    office->service = service;
}

static inline void office_stop(struct office *office)
{
    hs_writer_stop(office->writer);
    hs_service_stop(office->service);
    hs_writer_free(office->writer);
    office->service = NULL;
    world_close(&office->node);
}

static inline void office_restart(struct office *office)
{
    office_stop(office);
    office_start(office, false);
}

/* @region: of an office made before; NULL: a new one. */
static inline void office_make_as(struct office *office, const char *id, enum hs_role role, struct world_region *region)
{
    static const char *const ADDRESSES[] = {"tcp://192.0.2.1:7420"};
    static const struct hs_secret ISSUER;
    memset(office, 0, sizeof *office);
    office->region = region != NULL ? region : &office->own_region;
    if (region == NULL)
        world_begin(office->region);
    world_add(office->region, &office->node, id, role);
    office->node.options.flush_wanted = office_flush_wanted;
    snprintf(office->endpoint, sizeof office->endpoint, "ipc://%s/%s.sock", office->region->base, office->node.id);
    office->options = (struct hs_service_options){.endpoint = office->endpoint,
                                                  .dir = office->region->base,
                                                  .issuer = role == HS_ROLE_HUB ? &ISSUER : NULL,
                                                  .peer_addresses = ADDRESSES,
                                                  .peer_address_count = 1,
                                                  .utc_offset_minutes = OFFICE_UTC_OFFSET};
    office->context = zmq_ctx_new();
    office_start(office, true);
}

static inline void office_make(struct office *office, enum hs_role role, struct world_region *region)
{
    office_make_as(office, role == HS_ROLE_HUB ? "nj-hub" : "nj-gulou", role, region);
}

static inline void office_drop(struct office *office)
{
    office_stop(office);
    world_drop(&office->node);
    zmq_ctx_term(office->context);
    if (office->region == &office->own_region)
        world_end(office->region);
}

/* ---- past the service: what other nodes have written, or a newer one would ---- */

struct office_write {
    struct hs_job job;
    struct hs_draft draft;
    enum hs_err err;
    sem_t done;
};

static inline enum hs_err office_run_write(struct hs_job *job, struct hs_store *store)
{
    struct hs_dot dot;
    hs_stamp stamp;
    return hs_store_write(store, &((struct office_write *)job)->draft, &dot, &stamp);
}

static inline void office_write_done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct office_write *one = (struct office_write *)job;
    (void)commit;
    one->err = err;
    sem_post(&one->done);
}

/* By the writer, as the node's own: returns when it is committed. */
static inline void office_write(struct office *office, hs_partition partition, enum hs_lane lane,
                                const struct hs_write *write)
{
    struct office_write one = {.job = {.run = office_run_write, .done = office_write_done},
                               .draft = {.partition = partition, .lane = lane, .writes = write, .write_count = 1}};
    sem_init(&one.done, 0, 0);
    assert_int_equal(hs_writer_submit(office->writer, &one.job), HS_OK);
    while (sem_wait(&one.done) != 0)
        continue;
    sem_destroy(&one.done);
    assert_int_equal(one.err, HS_OK);
}

/* ---- a client ---- */

struct client {
    void *socket;
    Hallsync__Reply *reply;
    Hallsync__Actor *actor; /* who asks; NULL: nobody is named */
    const char *reason;
};

static inline void client_open(struct client *client, struct office *office, int type)
{
    static const int NONE = 0;
    *client = (struct client){.socket = zmq_socket(office->context, type)};
    zmq_setsockopt(client->socket, ZMQ_LINGER, &NONE, sizeof NONE);
    assert_int_equal(zmq_connect(client->socket, office->endpoint), 0);
}

static inline void client_close(struct client *client)
{
    if (client->reply != NULL)
        hallsync__reply__free_unpacked(client->reply, NULL);
    client->reply = NULL;
    if (client->socket != NULL)
        zmq_close(client->socket);
    client->socket = NULL;
}

static inline const Hallsync__Reply *client_receive(struct client *client, int wait_ms)
{
    zmq_msg_t message;
    if (client->reply != NULL)
        hallsync__reply__free_unpacked(client->reply, NULL);
    client->reply = NULL;
    zmq_setsockopt(client->socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    zmq_msg_init(&message);
    if (zmq_msg_recv(&message, client->socket, 0) >= 0)
        client->reply = hallsync__reply__unpack(NULL, zmq_msg_size(&message), zmq_msg_data(&message));
    zmq_msg_close(&message);
    return client->reply;
}

static inline void client_send(struct client *client, Hallsync__Request *request)
{
    uint8_t id[HS_REQUEST_ID_BYTES];
    struct hs_buf packed = {0};
    if (request->version == 0)
        request->version = 1;
    Hallsync__Actor *actor = request->actor;
    char *reason = request->reason;
    request->actor = actor != NULL ? actor : client->actor;
    request->reason = reason != NULL ? reason : (char *)(uintptr_t)client->reason;
    if (request->id.data == NULL) {
        randombytes_buf(id, sizeof id);
        request->id = (ProtobufCBinaryData){.len = sizeof id, .data = id};
    }
    hs_msg_pack(&request->base, &packed);
    assert_true(zmq_send(client->socket, packed.data, packed.size, 0) >= 0);
    hs_buf_fini(&packed);
    request->actor = actor;
    request->reason = reason;
    if (request->id.data == id)
        request->id = (ProtobufCBinaryData){0};
}

/* What people wrote stands in both languages as they wrote it. */
static inline void blank(char *text, const char *written)
{
    size_t size = written != NULL ? strlen(written) : 0;
    for (char *at = text; size != 0 && (at = strstr(at, written)) != NULL; at += size)
        memset(at, '#', size);
}

/* Both or neither; the Chinese one without what people wrote. */
static inline void check_told(const Hallsync__Conflict *conflict, const char *en, const char *zh)
{
    char text[4096];
    assert_true((en != NULL) == (zh != NULL) && (en == NULL || (en[0] != '\0') == (zh[0] != '\0')));
    if (en == NULL || en[0] == '\0')
        return;
    snprintf(text, sizeof text, "%s", zh);
    blank(text, conflict->customer);
    for (size_t i = 0; i < conflict->n_decisions; i++)
        blank(text, conflict->decisions[i]->reason);
    for (size_t i = 0; i < conflict->n_fields; i++) {
        assert_chinese(conflict->fields[i]->name_zh);
        for (size_t k = 0; k < conflict->fields[i]->n_values; k++)
            blank(text, conflict->fields[i]->values[k]->text);
    }
    assert_chinese(text);
}

/* Whatever a test asks for, what it is told stands in both languages. */
static inline const Hallsync__Reply *client_ask(struct client *client, Hallsync__Request *request)
{
    client_send(client, request);
    const Hallsync__Reply *reply = client_receive(client, ANSWER_MS);
    if (reply == NULL)
        fail_msg("no answer");
    bool tells = reply->body_case == HALLSYNC__REPLY__BODY_CONFLICTS;
    for (size_t i = 0; tells && i < reply->conflicts->n_conflicts; i++) {
        const Hallsync__Conflict *conflict = reply->conflicts->conflicts[i];
        check_told(conflict, conflict->text, conflict->text_zh);
        check_told(conflict, conflict->advice, conflict->advice_zh);
        check_told(conflict, conflict->reason, conflict->reason_zh);
    }
    return reply;
}

/* ---- requests ---- */

#define REQUEST(member, CASE, address)                                                                        \
    {                                                                                                         \
        PROTOBUF_C_MESSAGE_INIT(&hallsync__request__descriptor), .body_case = HALLSYNC__REQUEST__BODY_##CASE, \
                                                                 .member = (address)                          \
    }

/* What a test varies about one record to be put. */
struct putting {
    uint32_t kind;
    const ProtobufCMessage *message;
    struct hs_bytes raw; /* instead of a message */
    const char *source;
    const uint32_t *clear;
    size_t clear_count;
    Hallsync__FieldDots **seen;
    size_t seen_count;
    struct hs_bytes id;      /* of the record */
    struct hs_bytes request; /* of the request; none: random */
    uint32_t partition;
};

static inline const Hallsync__PutResult *put(struct client *client, const struct putting *putting)
{
    struct hs_buf packed = {0};
    Hallsync__PutRecord record = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__PutRecord *records[] = {&record};
    Hallsync__PutRequest body = HALLSYNC__PUT_REQUEST__INIT;
    if (putting->message != NULL)
        hs_msg_pack(putting->message, &packed);
    else
        hs_buf_put_bytes(&packed, putting->raw);
    record.record = (ProtobufCBinaryData){.len = packed.size, .data = packed.data};
    record.source = (char *)(uintptr_t)putting->source;
    record.clear = (uint32_t *)(uintptr_t)putting->clear;
    record.n_clear = putting->clear_count;
    record.seen = putting->seen;
    record.n_seen = putting->seen_count;
    record.has_id = putting->id.size != 0;
    record.id = (ProtobufCBinaryData){.len = putting->id.size, .data = (uint8_t *)(uintptr_t)putting->id.data};
    record.has_partition = putting->partition != 0;
    record.partition = putting->partition;
    body.kind = putting->kind;
    body.records = records;
    body.n_records = 1;
    Hallsync__Request request = REQUEST(put, PUT, &body);
    request.id = (ProtobufCBinaryData){.len = putting->request.size,
                                       .data = (uint8_t *)(uintptr_t)putting->request.data};
    const Hallsync__Reply *reply = client_ask(client, &request);
    hs_buf_fini(&packed);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    assert_int_equal(reply->body_case, HALLSYNC__REPLY__BODY_PUT);
    assert_int_equal(reply->put->n_results, 1);
    return reply->put->results[0];
}

static inline void assert_result(const Hallsync__PutResult *result, Hallsync__Result expected)
{
    if (result->error != NULL)
        fail_msg("%s: %s", result->error, result->text);
    assert_true(result->has_result);
    assert_int_equal(result->result, expected);
    assert_true(result->has_safe);
}

static inline void assert_refused(const Hallsync__PutResult *result, const char *error, const char *field)
{
    if (result->error == NULL)
        fail_msg("was not refused by %s", error);
    assert_string_equal(result->error, error);
    assert_true(result->text[0] != '\0');
    if (field != NULL)
        assert_string_equal(result->field, field);
}

static inline const Hallsync__Record *get_record(struct client *client, uint32_t kind, const char *id)
{
    Hallsync__GetRequest get = HALLSYNC__GET_REQUEST__INIT;
    get.kind = kind;
    get.id = (char *)(uintptr_t)id;
    Hallsync__Request request = REQUEST(get, GET, &get);
    const Hallsync__Reply *reply = client_ask(client, &request);
    if (reply->error != NULL)
        return NULL;
    assert_int_equal(reply->records->n_records, 1);
    return reply->records->records[0];
}

static inline const Hallsync__Reply *find(struct client *client, Hallsync__FindRequest *body)
{
    Hallsync__Request request = REQUEST(find, FIND, body);
    return client_ask(client, &request);
}

static inline const Hallsync__Reply *find_by(struct client *client, uint32_t kind, const char *index, const char *key)
{
    Hallsync__FindRequest by = HALLSYNC__FIND_REQUEST__INIT;
    by.kind = kind;
    by.index = (char *)(uintptr_t)index;
    by.key = (char *)(uintptr_t)key;
    return find(client, &by);
}

static inline const Hallsync__StatusReply *status(struct client *client)
{
    Hallsync__StatusRequest body = HALLSYNC__STATUS_REQUEST__INIT;
    Hallsync__Request request = REQUEST(status, STATUS, &body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    assert_null(reply->error);
    return reply->status;
}

/* ---- records ---- */

#define MESSAGE(name) .base = PROTOBUF_C_MESSAGE_INIT(&hallsync__##name##__descriptor)
#define CUSTOMER(...) put_customer(client, (Hallsync__Customer){MESSAGE(customer), __VA_ARGS__})
#define BILL(...)     put_bill(client, (Hallsync__Bill){MESSAGE(bill), __VA_ARGS__})
#define PAY(...)      put_payment(client, (Hallsync__Payment){MESSAGE(payment), __VA_ARGS__})
#define TICKET(...)   put_ticket(client, (Hallsync__Ticket){MESSAGE(ticket), __VA_ARGS__})
#define EVENT(...)    put_event(client, (Hallsync__TicketEvent){MESSAGE(ticket_event), __VA_ARGS__})
#define TEXT(text)    ((char *)(uintptr_t)(text))

static inline const Hallsync__PutResult *put_customer(struct client *client, Hallsync__Customer customer)
{
    return put(client, &(struct putting){.kind = HS_KIND_CUSTOMER, .message = &customer.base});
}

static inline const Hallsync__PutResult *put_bill(struct client *client, Hallsync__Bill bill)
{
    bill.has_amount_fen = bill.amount_fen != 0;
    return put(client, &(struct putting){.kind = HS_KIND_BILL, .message = &bill.base});
}

static inline const Hallsync__PutResult *put_payment(struct client *client, Hallsync__Payment payment)
{
    payment.has_amount_fen = true;
    payment.has_window = payment.window != 0;
    return put(client, &(struct putting){.kind = HS_KIND_PAYMENT, .message = &payment.base});
}

static inline const Hallsync__PutResult *put_ticket(struct client *client, Hallsync__Ticket ticket)
{
    return put(client, &(struct putting){.kind = HS_KIND_TICKET, .message = &ticket.base});
}

static inline const Hallsync__PutResult *put_grant(struct client *client, const char *district, const char *owner)
{
    Hallsync__Grant grant = HALLSYNC__GRANT__INIT;
    grant.district = TEXT(district);
    grant.owner = TEXT(owner);
    grant.granted_by = TEXT("Wang");
    grant.reason = TEXT("the hall decides");
    return put(client, &(struct putting){.kind = HS_KIND_GRANT, .message = &grant.base});
}

/* The ticket is named by its text. */
static inline const Hallsync__PutResult *put_event(struct client *client, Hallsync__TicketEvent event)
{
    struct hs_id id;
    bool hashed;
    const char *text = (const char *)event.ticket_id.data;
    assert_int_equal(hs_id_from_text(text, strlen(text), &id, &hashed), HS_OK);
    event.has_ticket_id = true;
    event.ticket_id = (ProtobufCBinaryData){.len = sizeof id.bytes, .data = id.bytes};
    return put(client, &(struct putting){.kind = HS_KIND_TICKET_EVENT, .message = &event.base});
}
#define OF_TICKET(text) .ticket_id = {.data = (uint8_t *)(uintptr_t)(text)}

static inline const Hallsync__Reply *reverse(struct client *client, const char *payment_id, const char *reversal_id)
{
    Hallsync__ReverseRequest body = HALLSYNC__REVERSE_REQUEST__INIT;
    body.payment_id = TEXT(payment_id);
    body.reversal_id = TEXT(reversal_id);
    body.reason = TEXT("mistyped");
    body.has_window = true;
    body.window = 3;
    body.clerk = TEXT("zhang");
    body.second = TEXT("li");
    Hallsync__Request request = REQUEST(reverse, REVERSE, &body);
    return client_ask(client, &request);
}

static inline Hallsync__TotalsReply totals(struct client *client, const Hallsync__TotalsRequest *body)
{
    Hallsync__TotalsRequest all = HALLSYNC__TOTALS_REQUEST__INIT;
    Hallsync__Request request = REQUEST(totals, TOTALS,
                                        body != NULL ? (Hallsync__TotalsRequest *)(uintptr_t)body : &all);
    const Hallsync__Reply *reply = client_ask(client, &request);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    return *reply->totals;
}

#endif
