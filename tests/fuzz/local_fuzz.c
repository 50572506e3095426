/* local_fuzz.c -- requests of counter programs, from the bytes on the socket to the reply, by the service's own code
 * over a real store.  In the place of the socket stands a buffer, in the place of the writer's thread a call: all
 * requests of an input run in one group, see what the ones before have written, and are given up at the end.
 *
 * Each request is answered once, by a reply that a client can read.  Money moves by what was answered as created and by
 * nothing else.  A write sent again changes nothing: it was done once, for good.
 *
 *     input = setting u8, requests: row u8, id u8, fields ... */
#include "node/service/call.h"
#include "proto/base/text.h"
#include "proto/msg/frame.h"
#include "proto/records.pb-c.h"
#include "tests/fuzz/fuzz_record.h"
#include "tests/fuzz/fuzz_region.h"

#include <sys/eventfd.h>

#define REQUESTS_MAX     8
#define DEPTH_MAX        4
#define REPLY_ARENA_MAX  ((size_t)64 << 20)
#define OTHERS_ORIGIN    4711
#define TEXTS_MAX        96
#define REQUEST_BODY_MIN HALLSYNC__REQUEST__BODY_PUT
#define REQUEST_ROWS     13   /* bodies of Request, numbered on from there */
#define ROW_SCOPE        0xff /* came later: the other rows of the corpus mean what they meant */
#define ROW_REMINDERS    0xfe
#define ROW_DAY          0xfd
#define ROW_ARREARS      0xfc

/* A node with its desk. */
struct office {
    struct hs_store *store;
    struct hs_desk desk;
    struct hs_position positions[4]; /* of its first commits */
};
static struct office offices[2]; /* a hub's, a hall's */
static struct office *office;
static struct fuzz_region region;
static struct fuzz_node nodes[3]; /* whose they are, and a hall elsewhere */
static const char *texts[TEXTS_MAX];
static size_t text_count;
static uint64_t tick_ms;

/* Of the request at hand. */
static struct hs_buf reply;
static size_t replies;
static bool at_counter; /* they come in at the counters' socket */
static bool given_up;   /* the group was, and what was written before with it */

/* ---- what the service is given instead of a socket, a writer, a clock and snapshots ---- */

void hs_socket_send(struct hs_socket *sock, const struct hs_route *route, struct hs_bytes body)
{
    (void)sock;
    (void)route;
    replies++;
    hs_buf_reset(&reply);
    hs_buf_put_bytes(&reply, body);
}

enum hs_err hs_writer_submit(struct hs_writer *writer, struct hs_job *job)
{
    struct hs_commit commit = {.position = hs_store_position(office->store)};
    (void)writer;
    job->torn = false;
    enum hs_err err = job->run(job, office->store);
    if (err != HS_OK && job->torn) {
        given_up = true;
        hs_store_abort(office->store);
        FUZZ_CHECK(hs_store_begin(office->store) == HS_OK);
    }
    job->done(job, err, err == HS_OK ? &commit : NULL);
    return HS_OK;
}

enum hs_err hs_writer_after_flush(struct hs_writer *writer, struct hs_job *job)
{
    (void)writer;
    job->done(job, HS_OK, NULL);
    return HS_OK;
}

void hs_chore_soon(struct hs_chore *chore, uint64_t ms) /* none runs here */
{
    (void)chore;
    (void)ms;
}

const struct hs_histogram *hs_writer_commits(const struct hs_writer *writer)
{
    static const struct hs_histogram NONE = {.bounds = &HS_BOUNDS_WORK};
    (void)writer;
    return &NONE;
}

void hs_writer_figures(struct hs_writer *writer, struct hs_writer_figures *figures)
{
    (void)writer;
    *figures = (struct hs_writer_figures){0};
}

/* By --wrap: reads see the open group. */
enum hs_err __wrap_hs_view_open(struct hs_store *of, uint64_t min_commit, unsigned wait_ms, struct hs_view **view);
enum hs_err __wrap_hs_view_open(struct hs_store *of, uint64_t min_commit, unsigned wait_ms, struct hs_view **view)
{
    (void)min_commit;
    (void)wait_ms;
    *view = hs_store_view(of);
    return HS_OK;
}

void __wrap_hs_view_close(struct hs_view *view);
void __wrap_hs_view_close(struct hs_view *view)
{
    (void)view; /* the writer's own is not closed */
}

/* The log's order is that of its commits: an open group has no place in it yet. */
enum hs_err __real_hs_view_open(struct hs_store *of, uint64_t min_commit, unsigned wait_ms, struct hs_view **view);
void __real_hs_view_close(struct hs_view *view);
enum hs_err __real_hs_view_changes(struct hs_view *view, const struct hs_position *from, size_t limit,
                                   hs_visit_change visit, void *ctx, struct hs_position *to);
enum hs_err __wrap_hs_view_changes(struct hs_view *view, const struct hs_position *from, size_t limit,
                                   hs_visit_change visit, void *ctx, struct hs_position *to);
enum hs_err __wrap_hs_view_changes(struct hs_view *view, const struct hs_position *from, size_t limit,
                                   hs_visit_change visit, void *ctx, struct hs_position *to)
{
    struct hs_view *committed = NULL;
    (void)view;
    FUZZ_CHECK(__real_hs_view_open(office->store, 0, 0, &committed) == HS_OK);
    enum hs_err err = __real_hs_view_changes(committed, from, limit, visit, ctx, to);
    __real_hs_view_close(committed);
    return err;
}

uint64_t __wrap_hs_now_ms(void);
uint64_t __wrap_hs_now_ms(void)
{
    return FUZZ_NOW_MS;
}

uint64_t __wrap_hs_tick_ms(void);
uint64_t __wrap_hs_tick_ms(void)
{
    return tick_ms;
}

static void status_hook(void *ctx, struct hs_buf *partial)
{
    Hallsync__PeerStatus peer = HALLSYNC__PEER_STATUS__INIT;
    struct hs_buf packed = {0};
    (void)ctx;
    peer.node_id = (char *)(uintptr_t) "hub-2";
    peer.role = (char *)(uintptr_t) "hub";
    peer.state = (char *)(uintptr_t) "live";
    hs_msg_pack(&peer.base, &packed);
    hs_tlv_put_bytes(partial, 9, hs_buf_bytes(&packed)); /* StatusReply.peers */
    hs_buf_fini(&packed);
}

static void desk_over(struct hs_desk *desk)
{
    (void)desk;
    FUZZ_CHECK(false); /* somebody has left it once too often */
}

/* ---- replies ---- */

/* An error that a client may be told; the others are defects of the node. */
static bool is_answer(const char *error)
{
    enum hs_err err = hs_err_by_name(error);
    return err != HS_EINTERNAL && err != HS_EIO && err != HS_EDAMAGED;
}

static void check_results(const Hallsync__PutReply *put, size_t count)
{
    FUZZ_CHECK(put->n_results == count);
    for (size_t i = 0; i < put->n_results; i++) {
        const Hallsync__PutResult *result = put->results[i];
        if (result->error != NULL) {
            FUZZ_CHECK(is_answer(result->error));
            FUZZ_CHECK(result->text != NULL && result->text[0] != '\0');
        } else {
            FUZZ_CHECK(result->has_result && result->has_safe && result->id != NULL);
        }
    }
}

static const Hallsync__Reply *read_reply(struct hs_bytes id, struct hs_arena *arena)
{
    ProtobufCMessage *message;
    FUZZ_CHECK(replies == 1);
    FUZZ_CHECK(reply.err == HS_OK && reply.size <= HS_REPLY_BYTES_MAX);
    FUZZ_CHECK(hs_msg_unpack(&hallsync__reply__descriptor, hs_buf_bytes(&reply), arena, &message) == HS_OK);
    const Hallsync__Reply *read = (const Hallsync__Reply *)message;
    FUZZ_CHECK(id.size != HS_REQUEST_ID_BYTES || hs_bytes_equal(id, HS_BYTES(read->id.data, read->id.len)));
    FUZZ_CHECK(read->error == NULL || (read->text != NULL && read->text[0] != '\0'));
    FUZZ_CHECK(read->error == NULL || is_answer(read->error));
    FUZZ_CHECK(read->error != NULL || read->body_case != HALLSYNC__REPLY__BODY__NOT_SET);
    return read;
}

/* One message in; whoever waits is told that something was committed, then that the time is over. */
static void ask(struct hs_bytes request)
{
    struct hs_desk *desk = &office->desk;
    struct hs_route route = {.size = 1, .counter = at_counter};
    uint8_t *copy = malloc(request.size > 0 ? request.size : 1); /* of exactly that size */
    FUZZ_CHECK(copy != NULL);
    if (request.size > 0)
        memcpy(copy, request.data, request.size);
    replies = 0;
    hs_request_take(desk, &route, HS_BYTES(copy, request.size), HS_OK);
    hs_desk_collect(desk);
    atomic_store(&desk->committed, true);
    hs_park_look(desk);
    tick_ms += 10;
    if (replies == 0)
        hs_park_end(desk);
    FUZZ_CHECK(desk->under_way == 0 && desk->parked_count == 0 && desk->jobs == 0);
    free(copy);
}

/* ---- what is known of the store ---- */

struct standing {
    struct hs_totals totals;
    struct hs_buf digests;
};

static enum hs_err put_digest(void *ctx, const struct hs_digest *digest)
{
    hs_buf_put_u16(ctx, digest->partition);
    hs_buf_put_u16(ctx, digest->kind);
    hs_buf_put_u64(ctx, digest->count);
    hs_buf_put(ctx, digest->sum.bytes, sizeof digest->sum.bytes);
    return HS_OK;
}

static void look(struct standing *standing)
{
    struct hs_view *view = hs_store_view(office->store);
    hs_buf_reset(&standing->digests);
    FUZZ_CHECK(hs_view_totals(view, &(struct hs_totals_filter){0}, &standing->totals) == HS_OK);
    FUZZ_CHECK(hs_view_digests(view, put_digest, &standing->digests) == HS_OK);
}

static bool same_totals(const struct hs_totals *a, const struct hs_totals *b)
{
    return a->count == b->count && a->sum_fen == b->sum_fen && a->reversed_count == b->reversed_count &&
           a->reversed_fen == b->reversed_fen;
}

/* ---- what a write must do, and must not do again ---- */

struct done {
    uint64_t payments, reversals;
    int64_t fen;
    bool repeatable; /* all of it was done, by requests that remember themselves */
};

/* What wrote nothing left no operation to be known by.  Sent again it may write, if the same request wrote another
 * value of that field behind it. */
static bool remembers(const Hallsync__PutRequest *put, const Hallsync__PutResult *result)
{
    const struct hs_kind *kind = put != NULL ? hs_kind_by_number(put->kind) : NULL;
    return kind == NULL || kind->shape == HS_SHAPE_FACT || result->result == HALLSYNC__RESULT__RESULT_CREATED ||
           result->result == HALLSYNC__RESULT__RESULT_CHANGED;
}

static struct done done_by(const Hallsync__Request *request, const Hallsync__Reply *answer)
{
    struct done done = {.repeatable = answer->error == NULL && answer->body_case == HALLSYNC__REPLY__BODY_PUT};
    const Hallsync__PutReply *results = done.repeatable ? answer->put : NULL;
    const Hallsync__PutRequest *put = request->body_case == HALLSYNC__REQUEST__BODY_PUT ? request->put : NULL;
    for (size_t i = 0; results != NULL && i < results->n_results; i++) {
        const Hallsync__PutResult *result = results->results[i];
        bool created = result->error == NULL && result->result == HALLSYNC__RESULT__RESULT_CREATED;
        done.repeatable = done.repeatable && result->error == NULL &&
                          (results->n_results == 1 || remembers(put, result));
        done.repeatable = done.repeatable && (put == NULL || put->records[i]->source == NULL);
        done.reversals += created && (put == NULL ? request->body_case == HALLSYNC__REQUEST__BODY_REVERSE
                                                  : put->kind == HS_KIND_REVERSAL);
        if (!created || put == NULL || put->kind != HS_KIND_PAYMENT)
            continue;
        FUZZ_CHECK(result->receipt != NULL && result->receipt[0] != '\0');
        done.payments++;
        done.fen += hs_tlv_i64(HS_BYTES(put->records[i]->record.data, put->records[i]->record.len), 3, 0);
    }
    return done;
}

static void check_done(const struct done *done, const struct standing *before, const struct standing *after)
{
    if (given_up)
        return;
    FUZZ_CHECK(after->totals.count == before->totals.count + done->payments);
    FUZZ_CHECK(after->totals.sum_fen == before->totals.sum_fen + done->fen);
    FUZZ_CHECK(after->totals.reversed_count == before->totals.reversed_count + done->reversals);
}

static bool same_receipts(const Hallsync__Reply *first, const Hallsync__Reply *second)
{
    bool same = second->error == NULL && second->put->n_results == first->put->n_results;
    for (size_t i = 0; same && i < first->put->n_results; i++) {
        const Hallsync__PutResult *a = first->put->results[i], *b = second->put->results[i];
        same = b->error == NULL && strcmp(a->id, b->id) == 0 && (a->receipt == NULL) == (b->receipt == NULL) &&
               (a->receipt == NULL || strcmp(a->receipt, b->receipt) == 0);
    }
    return same;
}

static bool writes(const Hallsync__Request *request)
{
    return request->body_case == HALLSYNC__REQUEST__BODY_PUT || request->body_case == HALLSYNC__REQUEST__BODY_REVERSE ||
           request->body_case == HALLSYNC__REQUEST__BODY_RESOLVE;
}

static void ask_again(struct hs_bytes bytes, const Hallsync__Reply *first, const struct done *done,
                      const struct standing *after)
{
    struct standing again = {0};
    struct hs_arena arena;
    hs_arena_init(&arena, REPLY_ARENA_MAX);
    ask(bytes);
    const Hallsync__Reply *second = read_reply(HS_BYTES(first->id.data, first->id.len), &arena);
    look(&again);
    if (!given_up && done->repeatable) {
        FUZZ_CHECK(same_receipts(first, second));
        FUZZ_CHECK(same_totals(&again.totals, &after->totals));
        FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&again.digests), hs_buf_bytes(&after->digests)));
    }
    hs_buf_fini(&again.digests);
    hs_arena_fini(&arena);
}

static void do_request(struct hs_bytes bytes)
{
    struct standing before = {0}, after = {0};
    struct hs_arena arena;
    ProtobufCMessage *message;
    hs_arena_init(&arena, REPLY_ARENA_MAX);
    const Hallsync__Request *request = NULL;
    if (hs_msg_unpack(&hallsync__request__descriptor, bytes, &arena, &message) == HS_OK)
        request = (const Hallsync__Request *)message;
    look(&before);
    ask(bytes);
    const Hallsync__Reply *answer = read_reply(
        request != NULL ? HS_BYTES(request->id.data, request->id.len) : HS_BYTES_NONE, &arena);
    look(&after);
    FUZZ_CHECK(request != NULL || answer->error != NULL);
    if (request != NULL && request->body_case == HALLSYNC__REQUEST__BODY_PUT && answer->body_case != 0)
        check_results(answer->put, request->put->n_records);
    if (request != NULL) {
        struct done done = done_by(request, answer);
        check_done(&done, &before, &after);
        if (writes(request))
            ask_again(bytes, answer, &done, &after);
    }
    hs_buf_fini(&before.digests);
    hs_buf_fini(&after.digests);
    hs_arena_fini(&arena);
}

/* ---- requests made from an input: any message, by its descriptor ---- */

struct maker {
    struct hs_cur *in;
    struct hs_arena *arena;
    const struct hs_kind *kind; /* the last one named */
    unsigned depth;
};

static void make_message(struct maker *maker, const ProtobufCMessageDescriptor *descriptor, struct hs_buf *to);

/* What a text that people use stands for: the ticket of an event. */
static void make_id(struct maker *maker, uint32_t number, struct hs_buf *to)
{
    static const char *const NAMES[] = {"T-1", "a", "B-1", "P-1"};
    const char *name = NAMES[fuzz_u8(maker->in) % COUNT_OF(NAMES)];
    struct hs_id id;
    bool hashed;
    FUZZ_CHECK(hs_id_from_text(name, strlen(name), &id, &hashed) == HS_OK);
    hs_tlv_put_bytes(to, number, HS_BYTES(id.bytes, sizeof id.bytes));
}

static void make_record(struct maker *maker, struct hs_buf *to)
{
    struct hs_buf record = {0};
    for (size_t i = 0; i < maker->kind->field_count; i++) {
        if (maker->kind->fields[i].form == HS_FORM_ID && fuzz_u8(maker->in) < 0xc0)
            make_id(maker, maker->kind->fields[i].number, &record);
        else
            fuzz_put_field(maker->in, maker->arena, &maker->kind->fields[i], &record);
    }
    hs_tlv_put_bytes(to, 1, hs_buf_bytes(&record));
    hs_buf_fini(&record);
}

static uint64_t make_number(struct maker *maker, const ProtobufCFieldDescriptor *field)
{
    static const uint32_t DATES[] = {20261121, 20261122, 0, 20260230};
    uint8_t how = fuzz_u8(maker->in);
    if (how >= 0xf0)
        return fuzz_number(maker->in);
    if (strcmp(field->name, "kind") == 0 || strcmp(field->name, "kinds") == 0) {
        maker->kind = &HS_KINDS[how % HS_KIND_COUNT];
        return maker->kind->number;
    }
    if (strcmp(field->name, "partition") == 0 || strcmp(field->name, "districts") == 0)
        return how % 8 == 7 ? HS_PARTITION_REGION : 3201U + how % 4;
    if (strcmp(field->name, "ttl_ms") == 0)
        return how * UINT64_C(1000);
    if (strcmp(field->name, "date") == 0)
        return DATES[how % COUNT_OF(DATES)];
    if (strcmp(field->name, "commit") == 0)
        return office->positions[how % COUNT_OF(office->positions)].commit;
    return how;
}

static uint64_t make_fixed(struct maker *maker, const ProtobufCFieldDescriptor *field)
{
    uint8_t how = fuzz_u8(maker->in);
    if (strcmp(field->name, "tag") == 0 && how < 0xf0)
        return office->positions[how % COUNT_OF(office->positions)].tag;
    return how < 0x80 ? OTHERS_ORIGIN : how < 0xf0 ? how : fuzz_u64(maker->in);
}

static void make_text(struct maker *maker, uint32_t number, struct hs_buf *to)
{
    uint8_t how = fuzz_u8(maker->in);
    if (how >= 0xe0)
        hs_tlv_put_bytes(to, number, fuzz_bytes(maker->in, how - 0xe0));
    else
        hs_tlv_put_text(to, number, texts[how % text_count]);
}

static void make_bytes(struct maker *maker, const ProtobufCFieldDescriptor *field, struct hs_buf *to)
{
    uint8_t how = fuzz_u8(maker->in);
    if (strcmp(field->name, "record") == 0 && maker->kind != NULL && how < 0xf0)
        make_record(maker, to);
    else if (how < 0x40)
        hs_tlv_put_bytes(to, field->id, fuzz_id_128(maker->in, maker->arena));
    else
        hs_tlv_put_bytes(to, field->id, fuzz_bytes(maker->in, how % 32));
}

static void make_field(struct maker *maker, const ProtobufCFieldDescriptor *field, struct hs_buf *to)
{
    struct hs_buf inner = {0};
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        make_text(maker, field->id, to);
        return;
    case PROTOBUF_C_TYPE_BYTES:
        make_bytes(maker, field, to);
        return;
    case PROTOBUF_C_TYPE_FIXED64:
        hs_tlv_put_fixed64(to, field->id, make_fixed(maker, field));
        return;
    case PROTOBUF_C_TYPE_MESSAGE:
        make_message(maker, field->descriptor, &inner);
        hs_tlv_put_bytes(to, field->id, hs_buf_bytes(&inner));
        hs_buf_fini(&inner);
        return;
    default:
        hs_tlv_put_u64(to, field->id, make_number(maker, field));
    }
}

static void make_message(struct maker *maker, const ProtobufCMessageDescriptor *descriptor, struct hs_buf *to)
{
    if (++maker->depth > DEPTH_MAX) {
        maker->depth--;
        return;
    }
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        bool required = field->label == PROTOBUF_C_LABEL_REQUIRED;
        bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
        uint8_t how = fuzz_u8(maker->in);
        unsigned count = required ? how != 0xff : repeated ? how % 4U : how % 2U;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE && repeated && maker->depth == 1)
            count = 1 + how % 3U; /* the records of a put */
        for (; count > 0; count--)
            make_field(maker, field, to);
    }
    maker->depth--;
}

static void make_request(struct hs_cur *in, struct hs_arena *arena, struct hs_buf *to)
{
    struct maker maker = {.in = in, .arena = arena};
    struct hs_buf body = {0}, seen = {0};
    uint8_t id[HS_REQUEST_ID_BYTES] = {0};
    uint8_t row = fuzz_u8(in), how = fuzz_u8(in);
    uint32_t number = row == ROW_SCOPE       ? HALLSYNC__REQUEST__BODY_SCOPE
                      : row == ROW_REMINDERS ? HALLSYNC__REQUEST__BODY_REMINDERS
                      : row == ROW_DAY       ? HALLSYNC__REQUEST__BODY_DAY_REPORT
                      : row == ROW_ARREARS   ? HALLSYNC__REQUEST__BODY_ARREARS
                                             : REQUEST_BODY_MIN + row % (REQUEST_ROWS + 1);
    if (number == REQUEST_BODY_MIN + REQUEST_ROWS) {
        hs_buf_put_bytes(to, fuzz_bytes(in, fuzz_u16(in) % 1024));
        return;
    }
    id[0] = how % 8;
    hs_tlv_put_u64(to, 1, how >= 0xf8 ? fuzz_number(in) : 1);
    hs_tlv_put_bytes(to, 2, HS_BYTES(id, how / 8 % 16 == 15 ? fuzz_u8(in) % sizeof id : sizeof id));
    if (how >= 0x80 && how < 0xa0) {
        make_message(&maker, &hallsync__position__descriptor, &seen);
        hs_tlv_put_bytes(to, 3, hs_buf_bytes(&seen));
    }
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(&hallsync__request__descriptor,
                                                                                    number);
    make_message(&maker, field->descriptor, &body);
    hs_tlv_put_bytes(to, field->id, hs_buf_bytes(&body));
    hs_buf_fini(&body);
    hs_buf_fini(&seen);
}

/* ---- offices with some records ---- */

static void put_one(uint32_t kind, const ProtobufCMessage *message)
{
    static uint8_t id[HS_REQUEST_ID_BYTES] = {0xff};
    struct hs_buf packed = {0}, bytes = {0};
    Hallsync__PutRecord record = HALLSYNC__PUT_RECORD__INIT, *records[] = {&record};
    Hallsync__PutRequest put = HALLSYNC__PUT_REQUEST__INIT;
    Hallsync__Request request = HALLSYNC__REQUEST__INIT;
    struct hs_arena arena;
    hs_arena_init(&arena, 0);
    hs_msg_pack(message, &packed);
    id[1]++;
    record.record = (ProtobufCBinaryData){packed.size, packed.data};
    put.kind = kind;
    put.n_records = 1;
    put.records = records;
    request.version = 1;
    request.id = (ProtobufCBinaryData){sizeof id, id};
    request.body_case = HALLSYNC__REQUEST__BODY_PUT;
    request.put = &put;
    hs_msg_pack(&request.base, &bytes);
    ask(hs_buf_bytes(&bytes));
    const Hallsync__Reply *answer = read_reply(HS_BYTES(id, sizeof id), &arena);
    FUZZ_CHECK(answer->error == NULL && answer->put->results[0]->error == NULL);
    hs_buf_fini(&packed);
    hs_buf_fini(&bytes);
    hs_arena_fini(&arena);
}

#define TEXT(text) ((char *)(uintptr_t)(text))

static void put_bill(const char *id, const char *account, const char *period, const char *due_date)
{
    Hallsync__Bill bill = HALLSYNC__BILL__INIT;
    bill.bill_id = TEXT(id);
    bill.account = TEXT(account);
    bill.period = TEXT(period);
    bill.due_date = TEXT(due_date);
    bill.has_amount_fen = true;
    bill.amount_fen = 100;
    put_one(HS_KIND_BILL, &bill.base);
}

static void put_people(void)
{
    Hallsync__Customer customer = HALLSYNC__CUSTOMER__INIT;
    customer.account = TEXT("3201000017");
    customer.name = TEXT("Wang");
    put_one(HS_KIND_CUSTOMER, &customer.base);
    customer.account = TEXT("3201000018");
    customer.phone = TEXT("139");
    put_one(HS_KIND_CUSTOMER, &customer.base);
    put_bill("B-1", "3201000017", "2026-10", NULL);
}

static void put_reminded(void)
{
    Hallsync__Subscription subscription = HALLSYNC__SUBSCRIPTION__INIT;
    subscription.subscription_id = TEXT("3201000018-sms");
    subscription.account = TEXT("3201000018");
    subscription.channel = TEXT("sms");
    subscription.has_days_before = true;
    subscription.days_before = 3;
    put_one(HS_KIND_SUBSCRIPTION, &subscription.base);
    put_bill("B-2", "3201000018", NULL, "2026-10-25");
}

static void put_work(void)
{
    Hallsync__Payment payment = HALLSYNC__PAYMENT__INIT;
    payment.payment_id = TEXT("P-1");
    payment.account = TEXT("3201000017");
    payment.bill_id = TEXT("B-1");
    payment.has_amount_fen = true;
    payment.amount_fen = 150;
    put_one(HS_KIND_PAYMENT, &payment.base);
    payment.payment_id = TEXT("P-2");
    put_one(HS_KIND_PAYMENT, &payment.base);
    Hallsync__Ticket ticket = HALLSYNC__TICKET__INIT;
    ticket.ticket_id = TEXT("T-1");
    ticket.service = TEXT(HS_SERVICES[0].code);
    ticket.account = TEXT("3201000017");
    ticket.summary = TEXT("no light");
    put_one(HS_KIND_TICKET, &ticket.base);
    put_reminded();
}

/* What a hall elsewhere wrote meanwhile: another name for one customer, another content for one payment. */
static void receive_others(void)
{
    const struct fuzz_node *other = &nodes[2];
    struct hs_buf value = {0}, fact = {0}, ops[2] = {{0}, {0}}, opened = {0};
    struct hs_id id;
    bool hashed;
    FUZZ_CHECK(hs_id_from_text("P-1", 3, &id, &hashed) == HS_OK);
    hs_tlv_put_text(&value, 2, "Li");
    hs_tlv_put_text(&fact, 1, "P-1");
    hs_tlv_put_text(&fact, 2, "3201000017");
    hs_tlv_put_u64(&fact, 3, 7);
    struct hs_field_write field = {.number = 2, .value = hs_buf_bytes(&value)};
    struct hs_write writes[] = {
        {.kind = HS_KIND_CUSTOMER, .id = HS_BYTES("3201000017", 10), .fields = &field, .field_count = 1},
        {.kind = HS_KIND_PAYMENT, .id = HS_BYTES(id.bytes, sizeof id.bytes), .is_fact = true},
    };
    writes[1].fact = hs_buf_bytes(&fact);
    struct hs_opening opening = {.origin = OTHERS_ORIGIN, .node_key = other->certificate.node_key, .opened_ms = 1};
    struct hs_signer signer = hs_signer_of(&other->secret);
    FUZZ_CHECK(hs_opening_sign(&opening, &signer, &opened) == HS_OK);
    FUZZ_CHECK(hs_store_put_origin(office->store, hs_buf_bytes(&other->encoded), hs_buf_bytes(&opened)) == HS_OK);
    for (size_t i = 0; i < 2; i++) {
        struct hs_op op = {.stamp = FUZZ_NOW_MS << 16, .writes = &writes[i], .write_count = 1};
        struct hs_segment segment = {
            .stream = {OTHERS_ORIGIN, 3201, i == 0 ? HS_LANE_PEOPLE : HS_LANE_MONEY}, .first = 1, .count = 1};
        struct hs_hash start = hs_chain_start(&segment.stream);
        struct hs_buf encoded = {0};
        hs_op_encode(&op, &encoded);
        hs_buf_put_sized(&ops[i], hs_buf_bytes(&encoded));
        segment.body = hs_buf_bytes(&ops[i]);
        segment.end = hs_chain_next(&start, hs_buf_bytes(&encoded));
        FUZZ_CHECK(hs_checkpoint_sign(&segment.stream, 1, &segment.end, &signer, &segment.signature) == HS_OK);
        FUZZ_CHECK(hs_store_receive(office->store, &segment) == HS_OK);
        hs_buf_fini(&encoded);
        hs_buf_fini(&ops[i]);
    }
    hs_buf_fini(&value);
    hs_buf_fini(&fact);
    hs_buf_fini(&opened);
}

static void strike(void)
{
    FUZZ_CHECK(hs_store_strike(office->store, "a copy") == HS_OK); /* so that each input opens its own */
}

static void open_office(size_t which)
{
    static const char *const ADDRESSES[] = {"tcp://192.0.2.1:7420"};
    static void (*const STEPS[])(void) = {put_people, put_work, receive_others, strike};
    office = &offices[which];
    office->store = fuzz_store_make(&nodes[which]);
    office->desk = (struct hs_desk){.options = {.dir = FUZZ_TMPFS,
                                                .store = office->store,
                                                .hooks = {.status = status_hook},
                                                .issuer = which == 0 ? &region.issuer : NULL,
                                                .issuer_signed = hs_buf_bytes(&region.issuer_signed),
                                                .peer_addresses = ADDRESSES,
                                                .peer_address_count = 1,
                                                .utc_offset_minutes = 480},
                                    .disk = {.dir = FUZZ_TMPFS, .store = office->store},
                                    .over = desk_over};
    office->desk.done_tail = &office->desk.done;
    office->desk.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_init(&office->desk.holders, 1);
    FUZZ_CHECK(office->desk.wake >= 0 && pthread_mutex_init(&office->desk.lock, NULL) == 0);
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        struct hs_commit commit;
        FUZZ_CHECK(hs_store_begin(office->store) == HS_OK);
        STEPS[i]();
        FUZZ_CHECK(hs_store_commit(office->store, &commit) == HS_OK);
        office->positions[i] = commit.position;
    }
    FUZZ_CHECK(hs_store_flush(office->store) == HS_OK);
}

/* ---- texts worth saying ---- */

static void add_text(const char *text)
{
    FUZZ_CHECK(text_count < TEXTS_MAX);
    texts[text_count++] = text;
}

static void add_conflicts(void)
{
    static const uint8_t ASK[] = {8, 1, 18, 16, 'c', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 14 << 3 | 2, 0};
    struct hs_arena arena;
    hs_arena_init(&arena, 0);
    office = &offices[0];
    FUZZ_CHECK(hs_store_begin(office->store) == HS_OK);
    ask(HS_BYTES(ASK, sizeof ASK));
    hs_store_abort(office->store);
    const Hallsync__Reply *answer = read_reply(HS_BYTES_NONE, &arena);
    FUZZ_CHECK(answer->error == NULL && answer->conflicts->n_conflicts >= 3); /* field, fact, overpaid */
    for (size_t i = 0; i < answer->conflicts->n_conflicts; i++)
        add_text(strdup(answer->conflicts->conflicts[i]->id));
    hs_arena_fini(&arena);
}

static void set_up(void)
{
    static const char *const WORDS[] = {
        "3201000017",       "3201000018", "3202000019", "B-1",   "P-1",  "T-1",        "a",        "name",     "phone",
        "amount_fen",       "account",    "bill",       "state", "Li",   "field",      "fact",     "overpaid", "hub-1",
        "hall-2",           "hall-9",     "hall",       "hub",   "open", "accepted",   "source-1", "source-2", "",
        "0000000000001267", "assignee",   "2026-10",    "cash",  "12",   "customer_1", "service"};
    if (offices[0].store != NULL)
        return;
    fuzz_region_make(&region);
    fuzz_node_make(&region, "hub-1", 3, HS_ROLE_HUB, &nodes[0]);
    fuzz_node_make(&region, "hall-1", 4, HS_ROLE_HALL, &nodes[1]);
    fuzz_node_make(&region, "hall-2", 5, HS_ROLE_HALL, &nodes[2]);
    for (size_t i = 0; i < COUNT_OF(WORDS); i++)
        add_text(WORDS[i]);
    open_office(0);
    open_office(1);
    add_conflicts();
    static const char *const LATER[] = {"3201000018-sms", "sms", "told", "absent", "no", "all", "B-2", "hall-1"};
    for (size_t i = 0; i < COUNT_OF(LATER); i++)
        add_text(LATER[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    struct hs_arena arena;
    struct hs_buf request = {0};
    set_up();
    hs_arena_init(&arena, 0);
    uint8_t setting = fuzz_u8(&in);
    office = &offices[setting % 2];
    office->desk.options.accept_unknown_accounts = setting / 2 % 2 != 0;
    at_counter = setting >= 0xf0 && setting != 0xff;
    office->desk.options.disk_reserve_bytes = setting == 0xff ? UINT64_MAX : 0;
    office->desk.told = (struct hs_told){0};
    tick_ms = 1000;
    given_up = false;
    FUZZ_CHECK(hs_store_begin(office->store) == HS_OK);
    for (size_t i = 0; i < REQUESTS_MAX && in.left > 0; i++) {
        hs_buf_reset(&request);
        make_request(&in, &arena, &request);
        do_request(hs_buf_bytes(&request));
    }
    hs_store_abort(office->store);
    at_counter = false;
    hs_buf_fini(&request);
    hs_arena_fini(&arena);
    return 0;
}

/* ---- seeds: each row twice, and each kind put ---- */

#define HALL_2 18 /* among the texts */

void fuzz_seeds(fuzz_put put)
{
    char name[48];
    for (uint8_t row = 0; row <= REQUEST_ROWS; row++) {
        uint8_t bytes[64] = {(uint8_t)(row % 2), row, 1};
        memset(bytes + 32, row, 3);
        snprintf(name, sizeof name, "row-%02u", row);
        put(name, HS_BYTES(bytes, sizeof bytes));
        memset(bytes + 3, 1, 29);
        snprintf(name, sizeof name, "row-%02u-all", row);
        put(name, HS_BYTES(bytes, sizeof bytes));
    }
    /* hall-2 gets another district, then is to lose its home. */
    static const uint8_t SCOPES[] = {0, ROW_SCOPE, 1, 1, HALL_2, 2, 0, 1, ROW_SCOPE, 2, 1, HALL_2, 1, 1};
    put("scope", HS_BYTES(SCOPES, sizeof SCOPES));
    static const uint8_t REMINDERS[] = {1, ROW_REMINDERS, 1, 0, 0, 0, 0, ROW_REMINDERS, 2, 1, 1, 0, 1, 2, 0};
    put("reminders", HS_BYTES(REMINDERS, sizeof REMINDERS));
    /* Today and here; then of a date and a hall.  All; then of a district, so many days, an amount, a page of one. */
    static const uint8_t DAYS[] = {1, ROW_DAY, 1, 0, 0, 0, 0, ROW_DAY, 2, 1, 1, 1, HALL_2, 0};
    put("day", HS_BYTES(DAYS, sizeof DAYS));
    static const uint8_t ARREARS[] = {1, ROW_ARREARS, 1, 0, 0, 0, 0, 0, 0, 0, ROW_ARREARS,
                                      1, 1,           1, 1, 2, 1, 3, 1, 1, 0};
    put("arrears", HS_BYTES(ARREARS, sizeof ARREARS));
    uint8_t listed[16] = {0xf1, HALLSYNC__REQUEST__BODY_FIND - REQUEST_BODY_MIN, 1, 0, 0, 0};
    put("counter-find", HS_BYTES(listed, sizeof listed));
    for (uint8_t kind = 0; kind < HS_KIND_COUNT; kind++) {
        uint8_t bytes[64] = {0, 0, 1, 0, kind};
        snprintf(name, sizeof name, "put-%s", HS_KINDS[kind].name);
        put(name, HS_BYTES(bytes, sizeof bytes));
    }
}
