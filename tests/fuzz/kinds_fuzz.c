/* kinds_fuzz.c -- requests of clients, and records as the table of kinds judges them: in requests, and by themselves
 * (as facts of other nodes come).  What is sound under the stricter reading is sound under the laxer one, has a message
 * that unpacks, and is refused with a sentence that can be shown.  Lines: of a kind that has some, its keys, and their
 * text, which reads as it was written.  And the fold of a ticket's events.
 *
 *     input = how u8 || Request | record | text | events */
#include "proto/base/text.h"
#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"
#include "storage/model/kinds.h"
#include "storage/model/ticket.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/thing_kind.h"

#define REQUEST_ARENA_BYTES ((size_t)24 << 20) /* HS_CALL_ARENA_BYTES_MAX of node/service */
#define EVENTS_MAX          24

enum { HOW_TEXT = 60, HOW_THING, HOW_FOLD, HOW_REQUEST, HOW_COUNT }; /* below: a kind of the table */

static enum hs_err check(const struct hs_kind *kind, struct hs_bytes message, bool complete, bool strict)
{
    struct hs_why why = {{0}};
    uint32_t field = UINT32_MAX;
    enum hs_err err = hs_kind_check(kind, message, (struct hs_check){.complete = complete, .strict = strict}, &field,
                                    &why);
    FUZZ_CHECK(field != UINT32_MAX);
    FUZZ_CHECK(err == HS_OK || hs_err_class(err) == HS_CLASS_INPUT || err == HS_EMALFORMED);
    FUZZ_CHECK(err == HS_OK || why.text[0] != '\0');
    FUZZ_CHECK(hs_text_valid(HS_BYTES(why.text, strlen(why.text))));
    return err;
}

static void judge(const struct hs_kind *kind, struct hs_bytes message)
{
    enum hs_err lax = check(kind, message, false, false), strict = check(kind, message, false, true);
    enum hs_err complete = check(kind, message, true, false), both = check(kind, message, true, true);
    FUZZ_CHECK(strict != HS_OK || lax == HS_OK);
    FUZZ_CHECK(complete != HS_OK || lax == HS_OK);
    FUZZ_CHECK((both == HS_OK) == (strict == HS_OK && complete == HS_OK));
    struct hs_hash flaw; /* what breaks no rule has no flaw that a person could not let pass */
    enum hs_err passes = hs_kind_flaw(kind, message, &flaw);
    FUZZ_CHECK(passes == HS_OK || (passes == HS_EVALUE && complete != HS_OK));
    bool made_up = kind == &THING; /* its message has fields of which it knows nothing, and needs one */
    if (lax != HS_OK || (made_up && both != HS_OK))
        return;
    struct hs_arena arena;
    ProtobufCMessage *unpacked;
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_msg_unpack(kind->message, message, &arena, &unpacked);
    FUZZ_CHECK(err == HS_OK);
    FUZZ_CHECK(strict != HS_OK || unpacked->n_unknown_fields == 0);
    hs_arena_fini(&arena);
}

static void request(struct hs_bytes bytes)
{
    struct hs_arena arena;
    ProtobufCMessage *message;
    hs_arena_init(&arena, REQUEST_ARENA_BYTES);
    if (hs_msg_unpack(&hallsync__request__descriptor, bytes, &arena, &message) == HS_OK) {
        const Hallsync__Request *request = (const Hallsync__Request *)message;
        const Hallsync__PutRequest *put = request->body_case == HALLSYNC__REQUEST__BODY_PUT ? request->put : NULL;
        const struct hs_kind *kind = put != NULL ? hs_kind_by_number(put->kind) : NULL;
        for (size_t i = 0; kind != NULL && i < put->n_records; i++)
            judge(kind, HS_BYTES(put->records[i]->record.data, put->records[i]->record.len));
    }
    hs_arena_fini(&arena);
}

/* ---- lines ---- */

static void take_key(void *ctx, struct hs_bytes key)
{
    size_t *count = ctx;
    FUZZ_CHECK(key.size > 0);
    (*count)++;
}

static void thing(struct hs_bytes message)
{
    struct hs_id id;
    judge(&THING, message);
    hs_kind_id(&THING, message, &id);
    for (size_t i = 0; i < THING.index_count; i++) {
        size_t count = 0;
        FUZZ_CHECK(hs_index_keys(&THING.indexes[i], message, take_key, &count) == HS_OK);
        FUZZ_CHECK(check(&THING, message, false, false) != HS_OK || count <= 3);
    }
}

/* @text as lines, and those as text again. */
static enum hs_err there_and_back(struct hs_bytes text, struct hs_buf *raw, struct hs_buf *back)
{
    struct hs_fields fields = hs_kind_fields(&THING);
    struct hs_why why = {{0}};
    enum hs_err err = hs_field_parse(&fields, hs_kind_rule(&THING, THING_LINES), text, raw, &why);
    FUZZ_CHECK(err == HS_OK || (hs_err_class(err) == HS_CLASS_INPUT && why.text[0] != '\0'));
    FUZZ_CHECK(hs_text_valid(HS_BYTES(why.text, strlen(why.text))));
    if (err == HS_OK)
        hs_field_text(&fields, hs_kind_rule(&THING, THING_LINES), hs_buf_bytes(raw), back);
    return err;
}

static void text(struct hs_bytes bytes)
{
    struct hs_buf raw = {0}, back = {0}, same = {0}, again = {0};
    if (there_and_back(bytes, &raw, &back) == HS_OK) {
        FUZZ_CHECK(there_and_back(hs_buf_bytes(&back), &same, &again) == HS_OK);
        FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&raw), hs_buf_bytes(&same)));
        FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&back), hs_buf_bytes(&again)));
        thing(hs_buf_bytes(&raw));
    }
    hs_buf_fini(&raw);
    hs_buf_fini(&back);
    hs_buf_fini(&same);
    hs_buf_fini(&again);
}

/* ---- tickets ---- */

static void fold(struct hs_cur *in)
{
    struct hs_ticket_event events[EVENTS_MAX];
    struct hs_ticket_fold first, second;
    struct hs_ticket_terms terms = {.machine = HS_SERVICES[fuzz_u8(in) % HS_SERVICE_COUNT].machine};
    size_t count = 0;
    while (count < EVENTS_MAX && in->left > 0) {
        events[count] = (struct hs_ticket_event){.stamp = fuzz_number(in)};
        hs_be64(events[count].id.bytes, count * 0x9e3779b97f4a7c15);
        events[count++].message = fuzz_bytes(in, fuzz_u8(in) % 48);
    }
    hs_ticket_fold(&terms, events, count, &first);
    FUZZ_CHECK(first.misfits <= count);
    for (size_t i = 0; i < count / 2; i++) { /* the order of arrival does not matter */
        struct hs_ticket_event event = events[i];
        events[i] = events[count - 1 - i];
        events[count - 1 - i] = event;
    }
    hs_ticket_fold(&terms, events, count, &second);
    FUZZ_CHECK(first.state == second.state);
    FUZZ_CHECK(first.opened == second.opened);
    FUZZ_CHECK(first.changed == second.changed);
    FUZZ_CHECK(first.misfits == second.misfits);
    FUZZ_CHECK(hs_bytes_equal(first.assignee, second.assignee));
    FUZZ_CHECK(hs_bytes_equal(first.department, second.department));
    FUZZ_CHECK(first.urged == second.urged);
    FUZZ_CHECK(first.waited_ms == second.waited_ms);
    FUZZ_CHECK(first.no_call_back == second.no_call_back);
    for (size_t i = 1; i < count; i++)
        FUZZ_CHECK(events[i - 1].stamp <= events[i].stamp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    uint8_t how = fuzz_u8(&in) % HOW_COUNT;
    if (how == HOW_TEXT)
        text(fuzz_rest(&in));
    else if (how == HOW_THING)
        thing(fuzz_rest(&in));
    else if (how == HOW_FOLD)
        fold(&in);
    else if (how == HOW_REQUEST)
        request(fuzz_rest(&in));
    else
        judge(&HS_KINDS[how % HS_KIND_COUNT], fuzz_rest(&in));
    return 0;
}

/* ---- seeds ---- */

static void put_message(fuzz_put put, const char *name, uint8_t how, const ProtobufCMessage *message)
{
    struct hs_buf seed = {0};
    hs_buf_put_u8(&seed, how);
    hs_msg_pack(message, &seed);
    put(name, hs_buf_bytes(&seed));
    hs_buf_fini(&seed);
}

static void put_request(fuzz_put put, uint32_t kind, const ProtobufCMessage *message)
{
    struct hs_buf packed = {0};
    hs_msg_pack(message, &packed);
    Hallsync__PutRecord record = HALLSYNC__PUT_RECORD__INIT, *records[] = {&record, &record};
    record.record = (ProtobufCBinaryData){packed.size, packed.data};
    Hallsync__PutRequest body = HALLSYNC__PUT_REQUEST__INIT;
    body.kind = kind;
    body.n_records = 2;
    body.records = records;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    request.version = 1;
    request.id = (ProtobufCBinaryData){16, (uint8_t *)"request-16-bytes"};
    request.body_case = HALLSYNC__REQUEST__BODY_PUT;
    request.put = &body;
    put_message(put, "request", HOW_REQUEST, &request.base);
    hs_buf_fini(&packed);
}

static void put_money(fuzz_put put)
{
    ProtobufCBinaryData id = {16, (uint8_t *)"0123456789abcdef"};
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    payment.account = (char *)"3201000017";
    payment.has_amount_fen = true;
    payment.amount_fen = 100000000000;
    payment.method = (char *)"cash";
    payment.bill_id = (char *)"B-1";
    put_message(put, "payment", 2, &payment.base);
    put_request(put, HS_KIND_PAYMENT, &payment.base);
    Hallsync__CashEntry entry = HALLSYNC__CASH_ENTRY__INIT;
    entry.number = (char *)"h-20261121-01-AAAAAA-1";
    entry.has_time_ms = entry.has_amount_fen = entry.has_fact_kind = entry.has_fact_id = entry.has_fact_partition =
        true;
    entry.time_ms = 1;
    entry.amount_fen = -5;
    entry.fact_id = id;
    put_message(put, "cash-entry", 3, &entry.base);
    Hallsync__Reversal reversal = HALLSYNC__REVERSAL__INIT;
    reversal.has_payment_id = true;
    reversal.payment_id = id;
    put_message(put, "reversal", 4, &reversal.base);
}

void fuzz_seeds(fuzz_put put)
{
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    customer.account = (char *)"3201000017";
    customer.name = (char *)"\xe7\x8e\x8b";
    customer.supply_status = (char *)"off";
    put_message(put, "customer", 0, &customer.base);
    Hallsync__Bill bill = HALLSYNC__BILL__INIT;
    bill.bill_id = (char *)"B-1";
    bill.account = (char *)"3201000017";
    bill.period = (char *)"2026-02";
    bill.due_date = (char *)"2024-02-29";
    bill.has_amount_fen = true;
    bill.amount_fen = 1;
    put_message(put, "bill", 1, &bill.base);
    put_money(put);
    Hallsync__Ticket ticket = HALLSYNC__TICKET__INIT;
    ticket.service = (char *)"outage-report";
    ticket.summary = (char *)"no light";
    put_message(put, "ticket", 5, &ticket.base);
    Hallsync__TicketEvent event = HALLSYNC__TICKET_EVENT__INIT;
    event.state = (char *)"called_back";
    event.assignee = (char *)"crew 7";
    put_message(put, "event", 6, &event.base);
    Hallsync__Rating rating = HALLSYNC__RATING__INIT;
    rating.of_kind = (char *)"payment";
    rating.has_of_id = rating.has_score = true;
    rating.of_id = (ProtobufCBinaryData){16, (uint8_t *)"0123456789abcdef"};
    rating.score = 5;
    put_message(put, "rating", 7, &rating.base);
    put("lines", FUZZ_SEED("\74"
                           "a:yes:5;b\\:c;d::7"));
    put("thing", FUZZ_SEED("\75\12\4open\52\3\12\1a\52\10\12\1b\22\3yes"));
    put("fold", FUZZ_SEED("\76\0\1\6\x1a\4open\2\12\x1a\10"
                          "accepted\3\12\x1a\10"
                          "assigned\4\5\x22\3bob"));
}
