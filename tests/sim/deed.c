/* deed.c -- deeds as requests of the local API. */
#include "tests/sim/deed.h"

#include "proto/base/text.h"
#include "proto/records.pb-c.h"
#include "storage/model/kinds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEWER_FIELD 97 /* of a customer, one day */

/* protobuf-c's texts are not const, though it only reads them. */
#define TEXT(text) ((char *)(uintptr_t)(text))

static struct deed *new_deed(struct sim_random *random, enum deed_type type, uint16_t kind, const char *id)
{
    struct deed *deed = calloc(1, sizeof *deed);
    if (deed == NULL)
        abort();
    deed->type = type;
    deed->kind = kind;
    for (size_t i = 0; i < sizeof deed->request_id; i += 8)
        hs_be64(deed->request_id + i, sim_draw(random));
    snprintf(deed->id, sizeof deed->id, "%s", id);
    return deed;
}

void deed_free(struct deed *deed)
{
    if (deed == NULL)
        return;
    hs_buf_fini(&deed->request);
    hs_buf_fini(&deed->record);
    free(deed);
}

static void set_account(struct deed *deed, const char *account)
{
    snprintf(deed->account, sizeof deed->account, "%s", account);
    deed->partition = hs_account_partition(account);
}

static void pack(const ProtobufCMessage *message, struct hs_buf *to)
{
    uint8_t *at = hs_buf_extend(to, protobuf_c_message_get_packed_size(message));
    if (at == NULL)
        abort();
    protobuf_c_message_pack(message, at);
}

static Hallsync__Request request_of(const uint8_t id[static 16])
{
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.version = 1;
    request.id = (ProtobufCBinaryData){.len = 16, .data = (uint8_t *)(uintptr_t)id};
    return request;
}

void deed_look(const uint8_t id[static 16], Hallsync__Request *request, struct hs_buf *to)
{
    request->version = 1;
    request->id = (ProtobufCBinaryData){.len = 16, .data = (uint8_t *)(uintptr_t)id};
    pack(&request->base, to);
}

static struct deed *finish_put(struct deed *deed, const ProtobufCMessage *message, Hallsync__PutRecord *put)
{
    Hallsync__Request request = request_of(deed->request_id);
    Hallsync__PutRequest body = HALLSYNC__PUT_REQUEST__INIT;
    pack(message, &deed->record);
    put->record = (ProtobufCBinaryData){.len = deed->record.size, .data = deed->record.data};
    body.kind = deed->kind;
    body.n_records = 1;
    body.records = &put;
    request.body_case = HALLSYNC__REQUEST__BODY_PUT;
    request.put = &body;
    pack(&request.base, &deed->request);
    return deed;
}

/* ---- register records ---- */

struct deed *deed_customer(struct sim_random *random, const char *account, const struct deed_fields *fields)
{
    struct deed *deed = new_deed(random, DEED_CUSTOMER, HS_KIND_CUSTOMER, account);
    Hallsync__PutRecord put = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    set_account(deed, account);
    customer.account = deed->account;
    customer.name = TEXT(fields->name);
    customer.phone = TEXT(fields->phone);
    customer.supply_status = TEXT(fields->supply_status);
    customer.remark = TEXT(fields->remark);
    put.source = TEXT(fields->source);
    if (fields->shown != NULL) {
        put.n_seen = fields->shown->n_dots;
        put.seen = fields->shown->dots;
    }
    return finish_put(deed, &customer.base, &put);
}

struct deed *deed_bill(struct sim_random *random, const char *id, const char *account, const char *period,
                       int64_t amount_fen)
{
    struct deed *deed = new_deed(random, DEED_BILL, HS_KIND_BILL, id);
    Hallsync__PutRecord put = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__Bill bill = HALLSYNC__BILL__INIT;
    set_account(deed, account);
    deed->amount_fen = amount_fen;
    bill.bill_id = deed->id;
    bill.account = deed->account;
    bill.period = TEXT(period);
    bill.has_amount_fen = true;
    bill.amount_fen = amount_fen;
    return finish_put(deed, &bill.base, &put);
}

struct deed *deed_ticket(struct sim_random *random, const char *id, const char *account, const char *service)
{
    struct deed *deed = new_deed(random, DEED_TICKET, HS_KIND_TICKET, id);
    Hallsync__PutRecord put = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__Ticket ticket = HALLSYNC__TICKET__INIT;
    set_account(deed, account);
    ticket.ticket_id = deed->id;
    ticket.service = TEXT(service);
    ticket.account = deed->account;
    ticket.summary = TEXT("no light on the third floor");
    return finish_put(deed, &ticket.base, &put);
}

struct deed *deed_hall(struct sim_random *random, uint16_t kind, const char *id, hs_partition partition,
                       const ProtobufCMessage *message)
{
    struct deed *deed = new_deed(random, DEED_HALL, kind, id);
    Hallsync__PutRecord put = HALLSYNC__PUT_RECORD__INIT;
    deed->partition = partition;
    return finish_put(deed, message, &put);
}

struct deed *deed_resolve(struct sim_random *random, const Hallsync__Conflict *conflict)
{
    struct deed *deed = new_deed(random, DEED_RESOLVE, (uint16_t)conflict->kind, conflict->record_id);
    Hallsync__Request request = request_of(deed->request_id);
    Hallsync__ResolveRequest body = HALLSYNC__RESOLVE_REQUEST__INIT;
    deed->partition = (hs_partition)conflict->partition;
    body.id = conflict->id;
    body.reason = TEXT("asked the customer");
    request.body_case = HALLSYNC__REQUEST__BODY_RESOLVE;
    request.resolve = &body;
    pack(&request.base, &deed->request);
    return deed;
}

/* ---- facts ---- */

struct paying {
    const char *id, *account, *bill;
    int64_t amount_fen;
    uint32_t window;
};

/* @more: what it says besides. */
static struct deed *pay(struct sim_random *random, const struct paying *paying, Hallsync__Payment *more)
{
    struct deed *deed = new_deed(random, DEED_PAYMENT, HS_KIND_PAYMENT, paying->id);
    Hallsync__PutRecord put = HALLSYNC__PUT_RECORD__INIT;
    snprintf(deed->other, sizeof deed->other, "%s", paying->bill);
    set_account(deed, paying->account);
    deed->amount_fen = paying->amount_fen;
    more->payment_id = deed->id;
    more->account = deed->account;
    more->has_amount_fen = true;
    more->amount_fen = paying->amount_fen;
    more->bill_id = paying->bill[0] != '\0' ? deed->other : NULL;
    more->method = TEXT("cash");
    more->has_window = true;
    more->window = paying->window;
    more->clerk = TEXT("c01");
    return finish_put(deed, &more->base, &put);
}

struct deed *deed_payment(struct sim_random *random, const char *id, const char *account, int64_t amount_fen,
                          const char *bill, uint32_t window)
{
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    return pay(random, &(struct paying){id, account, bill, amount_fen, window}, &payment);
}

struct deed *deed_payment_parts(struct sim_random *random, const char *id, const char *account, int64_t amount_fen,
                                const char *const bills[2], const int64_t parts[2], uint32_t window)
{
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    Hallsync__PaymentPart part[2];
    Hallsync__PaymentPart *list[2] = {&part[0], &part[1]};
    for (size_t i = 0; i < 2; i++) {
        hallsync__payment_part__init(&part[i]);
        part[i].bill_id = (char *)(uintptr_t)bills[i];
        part[i].has_amount_fen = true;
        part[i].amount_fen = parts[i];
    }
    payment.parts = list;
    payment.n_parts = 2;
    return pay(random, &(struct paying){id, account, "", amount_fen, window}, &payment);
}

struct deed *deed_topup(struct sim_random *random, const char *id, const char *account, int64_t amount_fen,
                        const char *card, uint32_t counter, uint32_t window)
{
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    payment.purpose = TEXT("topup");
    payment.card_no = (char *)(uintptr_t)card;
    payment.has_card_counter = true;
    payment.card_counter = counter;
    return pay(random, &(struct paying){id, account, "", amount_fen, window}, &payment);
}

struct deed *deed_reversal(struct sim_random *random, const char *id, const struct deed *payment, uint32_t window)
{
    struct deed *deed = new_deed(random, DEED_REVERSAL, HS_KIND_REVERSAL, id);
    Hallsync__Request request = request_of(deed->request_id);
    Hallsync__ReverseRequest body = HALLSYNC__REVERSE_REQUEST__INIT;
    set_account(deed, payment->account);
    snprintf(deed->other, sizeof deed->other, "%s", payment->id);
    deed->amount_fen = payment->amount_fen;
    body.payment_id = deed->other;
    body.reversal_id = deed->id;
    body.reason = TEXT("wrong account");
    body.clerk = TEXT("c01");
    body.second = TEXT("c02");
    body.has_window = true;
    body.window = window;
    request.body_case = HALLSYNC__REQUEST__BODY_REVERSE;
    request.reverse = &body;
    pack(&request.base, &deed->request);
    return deed;
}

struct deed *deed_event(struct sim_random *random, const char *id, const struct deed *ticket, const char *state,
                        const char *note, const char *assignee)
{
    struct deed *deed = new_deed(random, DEED_EVENT, HS_KIND_TICKET_EVENT, id);
    Hallsync__PutRecord put = HALLSYNC__PUT_RECORD__INIT;
    Hallsync__TicketEvent event = HALLSYNC__TICKET_EVENT__INIT;
    struct hs_id ticket_id;
    bool hashed;
    if (hs_id_from_text(ticket->id, strlen(ticket->id), &ticket_id, &hashed) != HS_OK)
        abort();
    set_account(deed, ticket->account);
    snprintf(deed->other, sizeof deed->other, "%s", ticket->id);
    event.event_id = deed->id;
    event.has_ticket_id = true;
    event.ticket_id = (ProtobufCBinaryData){.len = sizeof ticket_id.bytes, .data = ticket_id.bytes};
    event.state = TEXT(state);
    event.note = TEXT(note);
    event.assignee = TEXT(assignee);
    return finish_put(deed, &event.base, &put);
}

/* ---- what a newer version knows ---- */

struct deed *deed_newer(struct sim_random *random, uint16_t kind, const char *id, const char *account, uint8_t value)
{
    struct deed *deed = new_deed(random, DEED_NEWER, kind, id);
    const uint8_t field[] = {0x88, 0x06, value & 0x7f}; /* 97, a number */
    set_account(deed, account);
    hs_buf_put(&deed->record, field, sizeof field);
    return deed;
}

enum hs_err deed_write_newer(const struct deed *deed, struct hs_store *store)
{
    struct hs_bytes value = hs_buf_bytes(&deed->record);
    struct hs_field_write field = {.number = NEWER_FIELD, .value = value};
    struct hs_write write = {.kind = deed->kind, .id = HS_BYTES(deed->id, strlen(deed->id))};
    bool fact = deed->kind == DEED_NEWER_FACT;
    struct hs_dot dot;
    hs_stamp stamp;
    if (fact) {
        write.is_fact = true;
        write.fact = value;
    } else {
        write.fields = &field;
        write.field_count = 1;
    }
    struct hs_draft draft = {
        .partition = deed->partition, .lane = fact ? HS_LANE_WORK : HS_LANE_PEOPLE, .writes = &write, .write_count = 1};
    return hs_store_write(store, &draft, &dot, &stamp);
}

/* ---- answers ---- */

static void read_put(const Hallsync__PutReply *put, struct deed_told *told)
{
    if (put->n_results != 1)
        return;
    const Hallsync__PutResult *result = put->results[0];
    if (result->error != NULL)
        snprintf(told->error, sizeof told->error, "%s", result->error);
    if (result->receipt != NULL)
        snprintf(told->receipt, sizeof told->receipt, "%s", result->receipt);
    told->result = result->has_result ? (unsigned)result->result : 0;
    told->safe = result->has_safe ? (unsigned)result->safe : 0;
}

void deed_told_read(const Hallsync__Reply *reply, struct deed_told *told)
{
    if (reply->error != NULL)
        snprintf(told->error, sizeof told->error, "%s", reply->error);
    else if (reply->body_case == HALLSYNC__REPLY__BODY_PUT)
        read_put(reply->put, told);
}
