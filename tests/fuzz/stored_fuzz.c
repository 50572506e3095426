/* stored_fuzz.c -- rows of the store's files that are not what was written: a bit that turned, a page of another time.
 * Whatever stands there, everything that reads the store comes to an end with an answer or an error, and so do writes
 * on top of it; the group is then given up.  FORMAT.md, sections 1 and 2.
 *
 *     input = damages: table u8, row u8, how u8, ... */
#include "proto/msg/tlv.h"
#include "storage/model/record.h"
#include "storage/records/env.h"
#include "storage/records/rows.h"
#include "storage/log/inside.h"
#include "storage/store/inside.h"
#include "tests/fuzz/fuzz_record.h"
#include "tests/fuzz/fuzz_region.h"

#define DAMAGES_MAX  4
#define VISITS_MAX   100000 /* more, of a store with some dozen rows, is a loop */
#define OTHERS       4711
#define VALUE_MAX    4096
#define PARTITION    3201
#define LOST         3299
#define REQUEST_TEXT "request-16-bytes"

static struct fuzz_region region;
static struct fuzz_node hub, hall;
static struct hs_store *store;
static uint64_t own_origin;
static size_t visits;
static struct hs_buf states; /* a body of two of them, in their order */

/* ---- a store with something in every table ---- */

static struct hs_dot write_one(enum hs_lane lane, const struct hs_write *write, struct hs_bytes request)
{
    struct hs_draft draft = {
        .partition = PARTITION, .lane = lane, .writes = write, .write_count = 1, .request = request};
    struct hs_dot dot;
    hs_stamp stamp;
    FUZZ_CHECK(hs_store_write(store, &draft, &dot, &stamp) == HS_OK);
    return dot;
}

static void write_record(const struct hs_kind *kind, struct hs_bytes id, struct hs_bytes message, struct hs_bytes over)
{
    struct hs_field_write fields[16];
    struct hs_write write = {.kind = kind->number, .id = id, .is_fact = kind->shape == HS_SHAPE_FACT};
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    if (write.is_fact)
        write.fact = message;
    while (kind->shape == HS_SHAPE_REGISTER && hs_tlv_next(&cur, &tlv))
        fields[write.field_count++] = (struct hs_field_write){.number = tlv.number, .value = tlv.raw};
    write.fields = fields;
    own_origin = write_one(kind->lane, &write, over).origin;
}

/* A record of each kind, by the first choice for each field; two of those that may stand in conflict. */
static void write_records(void)
{
    uint8_t nothing[64] = {0};
    struct hs_arena arena;
    hs_arena_init(&arena, 0);
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        for (uint8_t again = 0; again < 2; again++) {
            struct hs_buf message = {0};
            uint8_t id[HS_ID_BYTES] = {again};
            memset(nothing, again * 0x40, sizeof nothing);
            struct hs_cur in = hs_cur_of(HS_BYTES(nothing, sizeof nothing));
            for (size_t j = 0; j < HS_KINDS[i].field_count; j++)
                fuzz_put_field(&in, &arena, &HS_KINDS[i].fields[j], &message);
            struct hs_bytes text = hs_tlv_bytes(hs_buf_bytes(&message), HS_KINDS[i].id_field);
            bool by_field = HS_KINDS[i].id_form == HS_ID_FIELD && text.size > 0;
            write_record(&HS_KINDS[i], by_field ? text : HS_BYTES(id, sizeof id), hs_buf_bytes(&message),
                         again != 0 ? HS_BYTES_NONE : FUZZ_SEED(REQUEST_TEXT));
            hs_buf_fini(&message);
        }
    }
    hs_arena_fini(&arena);
}

static void write_number(void)
{
    char number[HS_NUMBER_BYTES_MAX];
    FUZZ_CHECK(hs_store_number(store, 20261121, 1, number) == HS_OK);
    struct hs_write write = {
        .kind = HS_KIND_CASH_ENTRY, .id = HS_BYTES(number, strlen(number)), .is_fact = true, .fact = {0}};
    write_one(HS_LANE_MONEY, &write, HS_BYTES_NONE);
}

static void sign_one(struct hs_segment *segment, struct hs_bytes op, struct hs_buf *body)
{
    struct hs_signer signer = hs_signer_of(&hall.secret);
    struct hs_hash start = hs_chain_start(&segment->stream);
    hs_buf_reset(body);
    hs_buf_put_sized(body, op);
    segment->first = segment->count = 1;
    segment->body = hs_buf_bytes(body);
    segment->end = hs_chain_next(&start, op);
    FUZZ_CHECK(hs_checkpoint_sign(&segment->stream, 1, &segment->end, &signer, &segment->signature) == HS_OK);
}

/* A stream of another node, forked, with a piece, a receipt, and a token that was given out. */
static void receive_others(void)
{
    struct hs_write write = {.kind = HS_KIND_PAYMENT, .id = FUZZ_SEED("0123456789abcdef"), .is_fact = true};
    struct hs_op op = {.stamp = FUZZ_NOW_MS << 16, .writes = &write, .write_count = 1};
    struct hs_opening opening = {.origin = OTHERS, .node_key = hall.certificate.node_key, .opened_ms = 1};
    struct hs_signer signer = hs_signer_of(&hall.secret);
    struct hs_buf opened = {0}, encoded = {0}, body = {0};
    struct hs_segment segment = {.stream = {OTHERS, PARTITION, HS_LANE_MONEY}};
    FUZZ_CHECK(hs_opening_sign(&opening, &signer, &opened) == HS_OK);
    FUZZ_CHECK(hs_store_put_origin(store, hs_buf_bytes(&hall.encoded), hs_buf_bytes(&opened)) == HS_OK);
    hs_op_encode(&op, &encoded);
    sign_one(&segment, hs_buf_bytes(&encoded), &body);
    FUZZ_CHECK(hs_store_receive(store, &segment) == HS_OK);
    struct hs_receipt receipt = {.store_id = 9, .stream = segment.stream, .n = 1, .hash = segment.end, .time_ms = 1};
    receipt.hub_key = hall.certificate.node_key;
    FUZZ_CHECK(hs_receipt_sign(&receipt, &signer) == HS_OK);
    FUZZ_CHECK(hs_store_put_receipt(store, &receipt, hs_buf_bytes(&hall.encoded)) == HS_OK);
    FUZZ_CHECK(hs_store_put_fork(store, &segment.stream, 1, FUZZ_SEED("proof")) == HS_OK);
    struct hs_loose loose = {.segment = segment, .start = hs_chain_start(&segment.stream)};
    sign_one(&loose.segment, FUZZ_SEED("other"), &body);
    FUZZ_CHECK(hs_store_put_loose(store, &loose) == HS_OK);
    struct hs_enrolment enrolment = {.node_id = "hall-2", .role = HS_ROLE_HALL, .districts = {PARTITION}};
    enrolment.district_count = 1;
    FUZZ_CHECK(hs_store_put_enrolment(store, &segment.end, &enrolment) == HS_OK);
    hs_buf_fini(&opened);
    hs_buf_fini(&encoded);
    hs_buf_fini(&body);
}

static void put_state(uint8_t lane, uint8_t last_of_id)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    uint8_t id[HS_ID_BYTES] = {[HS_ID_BYTES - 1] = last_of_id};
    struct hs_record record = {0};
    struct hs_record_name name = {PARTITION, lane, 900, HS_BYTES(id, sizeof id)};
    struct hs_write write = {.kind = name.kind, .id = name.id, .is_fact = true, .fact = FUZZ_SEED("came")};
    struct hs_dot dot = {OTHERS, last_of_id};
    struct hs_arena arena;
    struct hs_buf state = {0};
    hs_arena_init(&arena, 0);
    FUZZ_CHECK(hs_record_apply(&record, &dot, FUZZ_NOW_MS << 16, &write, &arena) == HS_OK);
    hs_record_encode(&record, &state);
    hs_buf_put_sized(&states, HS_BYTES(key, hs_record_key(&name, key)));
    hs_buf_put_sized(&states, hs_buf_bytes(&state));
    hs_buf_fini(&state);
    hs_arena_fini(&arena);
}

static void fill_from_others(enum hs_lane lane, bool to_the_end)
{
    struct hs_signer signer = hs_signer_of(&hall.secret);
    struct hs_signed_head head = {.stream = {OTHERS, PARTITION, (uint8_t)lane}, .n = 3};
    struct hs_fill_note note = {
        .partition = PARTITION, .lane = (uint8_t)lane, .heads = &head, .count = 1, .last = true, .total = 2};
    FUZZ_CHECK(hs_checkpoint_sign(&head.stream, 3, &head.hash, &signer, &head.signature) == HS_OK);
    FUZZ_CHECK(hs_store_fill_begin(store, PARTITION, (uint8_t)lane) == HS_OK);
    FUZZ_CHECK(hs_store_fill_note(store, &note) == HS_OK);
    hs_buf_reset(&states);
    put_state((uint8_t)lane, 1);
    put_state((uint8_t)lane, 2);
    struct hs_states body = {PARTITION, (uint8_t)lane, hs_buf_bytes(&states)};
    FUZZ_CHECK(hs_store_fill_states(store, &body) == HS_OK);
    FUZZ_CHECK(!to_the_end || hs_store_fill_end(store, PARTITION, (uint8_t)lane) == HS_OK);
}

/* A lane that came as state, in which a stream has jumped, and one that is being filled. */
static void be_filled(void)
{
    struct hs_buf body = {0};
    struct hs_segment segment = {.stream = {OTHERS, PARTITION, HS_LANE_PEOPLE}};
    sign_one(&segment, FUZZ_SEED("void"), &body);
    FUZZ_CHECK(hs_store_receive(store, &segment) == HS_OK);
    hs_buf_fini(&body);
    fill_from_others(HS_LANE_PEOPLE, true);
    fill_from_others(HS_LANE_BULK, false);
}

/* A district that is evicted: its records went, and an operation stays that nobody else has. */
static void lose_district(void)
{
    struct hs_write write = {.kind = 900, .id = FUZZ_SEED("0123456789abcdef"), .is_fact = true, .fact = FUZZ_SEED("x")};
    struct hs_draft draft = {.partition = LOST, .lane = HS_LANE_BULK, .writes = &write, .write_count = 1};
    struct hs_eviction next;
    struct hs_dot dot;
    hs_stamp stamp;
    FUZZ_CHECK(hs_store_write(store, &draft, &dot, &stamp) == HS_OK);
    FUZZ_CHECK(log_evict_begin(store->log, LOST) == HS_OK);
    FUZZ_CHECK(hs_log_next_eviction(store->log, &next) == HS_OK && next.partition == LOST && next.of_records);
    FUZZ_CHECK(hs_log_evict_records(store->log, &(struct hs_evicted){.partition = LOST}) == HS_OK);
}

static void set_up(void)
{
    static void (*const STEPS[])(void) = {write_records, write_number, receive_others, be_filled, lose_district};
    if (store != NULL)
        return;
    fuzz_region_make(&region);
    fuzz_node_make(&region, "hub-1", 3, HS_ROLE_HUB, &hub);
    fuzz_node_make(&region, "hall-1", 4, HS_ROLE_HALL, &hall);
    store = fuzz_store_make(&hub);
    for (size_t i = 0; i < COUNT_OF(STEPS); i++) {
        struct hs_commit commit;
        FUZZ_CHECK(hs_store_begin(store) == HS_OK);
        STEPS[i]();
        FUZZ_CHECK(hs_store_commit(store, &commit) == HS_OK);
    }
    FUZZ_CHECK(hs_store_flush(store) == HS_OK);
}

/* ---- damage ---- */

/* The row @which of a table, or of as many as it has. */
static bool find_row(struct hs_txn *txn, hs_table table, uint8_t which, struct hs_buf *key, struct hs_buf *value)
{
    uint64_t count = hs_txn_count(txn, table);
    struct hs_scan scan;
    if (count == 0)
        return false;
    hs_scan_begin(&scan, txn, table, HS_BYTES_NONE, HS_BYTES_NONE);
    bool found = true;
    for (uint64_t left = which % count + 1; left > 0 && found; left--)
        found = hs_scan_next(&scan);
    if (found) {
        hs_buf_put_bytes(key, scan.key);
        hs_buf_put_bytes(value, scan.value);
    }
    hs_scan_end(&scan);
    return found;
}

static void change(struct hs_cur *in, uint8_t how, struct hs_buf *bytes)
{
    size_t at = bytes->size > 0 ? fuzz_u16(in) % bytes->size : 0;
    struct hs_bytes fresh = fuzz_bytes(in, fuzz_u8(in) % 32);
    if (how % 4 == 0 && bytes->size > 0) {
        bytes->data[at] ^= (uint8_t)(1U << how / 4 % 8);
    } else if (how % 4 == 1) {
        bytes->size = at;
    } else if (how % 4 == 2) {
        for (size_t i = 0; i < fresh.size && at + i < bytes->size; i++)
            bytes->data[at + i] = fresh.data[i];
    } else {
        hs_buf_put_bytes(bytes, fresh);
    }
}

static void damage(struct hs_cur *in)
{
    uint8_t which = fuzz_u8(in) % (LOG_TABLE_COUNT + HS_TABLE_COUNT), row = fuzz_u8(in), how = fuzz_u8(in);
    bool in_log = which < LOG_TABLE_COUNT;
    hs_table table = in_log ? which : which - LOG_TABLE_COUNT;
    struct hs_txn *txn = in_log ? &store->log->txn : hs_records_txn(store->records);
    struct hs_buf key = {0}, value = {0};
    if (find_row(txn, table, row, &key, &value)) {
        bool of_key = how >= 0xe0;
        if (of_key || how >= 0xd0)
            hs_txn_delete(txn, table, hs_buf_bytes(&key));
        change(in, how, of_key ? &key : &value);
        if (key.size > 0 && key.size <= HS_ROW_KEY_BYTES_MAX && value.size <= VALUE_MAX && (of_key || how < 0xd0))
            hs_txn_put(txn, table, hs_buf_bytes(&key), hs_buf_bytes(&value));
    }
    hs_buf_fini(&key);
    hs_buf_fini(&value);
}

/* ---- everything that reads ---- */

static enum hs_err visited(void)
{
    FUZZ_CHECK(++visits < VISITS_MAX);
    return HS_OK;
}

static enum hs_err visit_receipt(void *ctx, const struct hs_receipt *receipt)
{
    (void)ctx;
    (void)receipt;
    return visited();
}

static enum hs_err visit_op(void *ctx, const struct hs_change *change)
{
    struct hs_arena arena;
    struct hs_op op;
    (void)ctx;
    hs_arena_init(&arena, 0);
    hs_op_decode(change->op, &arena, &op);
    hs_arena_fini(&arena);
    return visited();
}

static enum hs_err visit_bytes(void *ctx, struct hs_bytes key, struct hs_bytes value)
{
    struct hs_certificate certificate;
    (void)ctx;
    (void)key;
    hs_certificate_verify(value, &region.root_key, &certificate);
    return visited();
}

static enum hs_err visit_enrolment(void *ctx, const struct hs_enrolment *enrolment)
{
    (void)ctx;
    FUZZ_CHECK(strlen(enrolment->node_id) <= HS_NODE_ID_BYTES_MAX && enrolment->district_count <= HS_SCOPE_MAX);
    return visited();
}

static enum hs_err visit_fork(void *ctx, const struct hs_stream *stream, uint64_t n, struct hs_bytes proof)
{
    (void)ctx;
    (void)stream;
    (void)n;
    (void)proof;
    return visited();
}

static enum hs_err visit_loose(void *ctx, const struct hs_loose *loose)
{
    (void)ctx;
    (void)loose;
    return visited();
}

static enum hs_err visit_digest(void *ctx, const struct hs_digest *digest)
{
    (void)ctx;
    (void)digest;
    return visited();
}

static enum hs_err visit_listed(void *ctx, const struct hs_listed *listed)
{
    (void)ctx;
    (void)listed;
    return visited();
}

/* Decoded, shown and hashed for a comparison, as everything that finds a record does. */
static enum hs_err visit_record(void *ctx, const struct hs_stored *stored)
{
    struct hs_arena arena;
    struct hs_record record;
    (void)ctx;
    hs_arena_init(&arena, 0);
    if (hs_record_decode(stored->state, &arena, &record) == HS_OK) {
        struct hs_buf shown = {0};
        hs_record_shown(&record, &shown);
        hs_record_inputs(&record);
        hs_buf_fini(&shown);
    }
    hs_arena_fini(&arena);
    return visited();
}

static enum hs_err visit_head(void *ctx, const struct hs_head *head)
{
    struct hs_view *view = ctx;
    struct hs_buf body = {0};
    struct hs_segment segment;
    struct hs_checkpoint checkpoint;
    struct hs_bytes bytes[2];
    struct hs_hash hash;
    uint64_t ops, size;
    if (hs_view_cut(view, &head->stream, 1, &body, &segment) == HS_OK)
        FUZZ_CHECK(segment.count > 0 && segment.body.size == body.size);
    hs_view_hash_at(view, &head->stream, 2, &hash);
    hs_view_op(view, &head->stream, 1, &bytes[0]);
    hs_view_checkpoint(view, &head->stream, head->n, &checkpoint);
    hs_view_receipts(view, &head->stream, visit_receipt, NULL);
    hs_view_safety(view, &head->stream, 1);
    hs_view_loose(view, &head->stream, visit_loose, NULL);
    hs_view_origin(view, head->stream.origin, &bytes[0], &bytes[1]);
    hs_view_lag(view, &head->stream, 0, &ops, &size);
    hs_buf_fini(&body);
    return visited();
}

static enum hs_err visit_fill(void *ctx, const struct hs_fill *fill)
{
    (void)ctx;
    FUZZ_CHECK(fill->after.size <= HS_RECORD_KEY_BYTES_MAX);
    return visited();
}

static void read_log(struct hs_view *view)
{
    struct hs_stream stream;
    struct hs_position from = {0}, to = {0};
    struct hs_enrolment enrolment;
    struct log_life life;
    uint64_t n;
    hs_view_heads(view, visit_head, view);
    visit_head(view, &(struct hs_head){.stream = {OTHERS, PARTITION, HS_LANE_MONEY}, .n = 1});
    visit_head(view, &(struct hs_head){.stream = {own_origin, PARTITION, HS_LANE_MONEY}, .n = 3});
    visit_head(view, &(struct hs_head){.stream = {OTHERS, PARTITION, HS_LANE_PEOPLE}, .n = 3});
    hs_view_certificates(view, visit_bytes, NULL);
    hs_view_enrolments(view, visit_enrolment, NULL);
    hs_view_enrolment(view, &(struct hs_hash){{0}}, &enrolment);
    hs_view_forks(view, visit_fork, NULL);
    hs_view_fills(view, visit_fill, NULL);
    hs_view_whole(view, PARTITION);
    hs_log_base_states(&store->log->txn, HS_BYTES_NONE, visit_record, NULL);
    hs_view_current_origin(view);
    log_get_life(&store->log->txn, &life);
    hs_log_check_position(&store->log->txn, &(struct hs_position){1, 1});
    hs_log_last(&store->log->txn);
    log_before_last(&store->log->txn);
    hs_view_changes(view, &from, SIZE_MAX, visit_op, NULL, &to);
    hs_view_request(view, FUZZ_SEED(REQUEST_TEXT), &stream, &n);
}

static void read_kind(struct hs_view *view, const struct hs_kind *kind)
{
    struct hs_stored stored;
    uint8_t id[HS_ID_BYTES] = {0};
    struct hs_record_name name = {PARTITION, (uint8_t)kind->lane, kind->number, HS_BYTES(id, sizeof id)};
    hs_view_all(view, kind->number, HS_BYTES_NONE, visit_record, NULL);
    hs_view_find(view, kind->number, FUZZ_SEED("3201000017"), &stored);
    hs_view_record(view, &name, &stored);
    for (size_t i = 0; i < kind->index_count; i++)
        hs_view_index(view, kind->number, kind->indexes[i].number, FUZZ_SEED("3201000017"), HS_BYTES_NONE, visit_record,
                      NULL);
    hs_view_digest_level(view, PARTITION, kind->number, -1, visit_digest, NULL);
    hs_view_digest_level(view, PARTITION, kind->number, 0, visit_digest, NULL);
    for (uint32_t leaf = 0; leaf < HS_DIGEST_LEAVES; leaf += HS_DIGEST_LEAVES / 4)
        hs_view_digest_leaf(view, PARTITION, kind->number, leaf, HS_BYTES_NONE, visit_record, NULL);
}

static void read_states(struct hs_view *view)
{
    for (uint8_t lane = HS_LANE_WORK; lane <= HS_LANE_BULK; lane++) {
        struct hs_buf body = {0};
        struct hs_bytes next;
        bool last;
        hs_view_states(view, PARTITION, lane, HS_BYTES_NONE, 4096, &body, &next, &last);
        hs_view_states_count(view, PARTITION, lane);
        hs_buf_fini(&body);
    }
}

static void read_kinds(struct hs_view *view)
{
    read_states(view);
    for (size_t i = 0; i < HS_KIND_COUNT; i++)
        read_kind(view, &HS_KINDS[i]);
}

static void read_sums(struct hs_view *view)
{
    const struct hs_totals_filter filters[] = {
        {0}, {.date = 20261121}, {.has_window = true}, {.account = "3201000017"}, {.origins = &own_origin}};
    struct hs_totals totals;
    struct hs_bill_sums sums;
    for (size_t i = 0; i < COUNT_OF(filters); i++)
        hs_view_totals(view, &filters[i], &totals);
    hs_view_bill(view, "3201000017", FUZZ_SEED("a"), &sums);
    hs_view_digests(view, visit_digest, NULL);
    for (unsigned list = 0; list <= HS_LIST_FORK; list++) {
        hs_view_list_count(view, (enum hs_list)list);
        hs_view_list(view, (enum hs_list)list, HS_BYTES_NONE, visit_listed, NULL);
    }
}

static void read_all(struct hs_view *view)
{
    struct hs_why why = {{0}};
    (void)view;
    hs_records_verify(hs_records_txn(store->records), &why);
}

/* The fill goes on with what was sent, of which something may have been changed; and is ended. */
static void fill_on(struct hs_cur *in)
{
    struct hs_buf body = {0};
    uint8_t lane = fuzz_u8(in);
    hs_buf_put_bytes(&body, hs_buf_bytes(&states));
    for (uint8_t how = fuzz_u8(in); how > 0; how /= 16)
        change(in, how, &body);
    struct hs_states more = {PARTITION, lane < 0x80 ? HS_LANE_BULK : lane % 5, hs_buf_bytes(&body)};
    hs_store_fill_states(store, &more);
    hs_store_fill_end(store, PARTITION, HS_LANE_BULK);
    hs_buf_fini(&body);
}

static enum hs_err visit_evicting(void *ctx, hs_partition partition, bool waits)
{
    (void)ctx;
    (void)partition;
    (void)waits;
    return visited();
}

/* What is old is folded, and the eviction goes on. */
static void tidy_up(struct hs_cur *in)
{
    struct hs_eviction next;
    bool more;
    size_t budget = 1 + fuzz_u8(in) % 32;
    hs_store_upkeep(store, &(struct hs_upkeep){UINT64_MAX, budget}, &more);
    if (hs_log_next_eviction(store->log, &next) == HS_OK && !next.of_records)
        hs_log_evict(store->log, next.partition, &budget);
    hs_view_evicting(hs_store_view(store), visit_evicting, NULL);
}

/* On top of what is damaged: a payment of that account by this node, and the fork goes on. */
static void write_more(struct hs_cur *in)
{
    struct hs_arena arena;
    struct hs_buf message = {0};
    char number[HS_NUMBER_BYTES_MAX];
    struct hs_dot dot;
    hs_stamp stamp;
    hs_arena_init(&arena, 0);
    const struct hs_kind *kind = &HS_KINDS[fuzz_u8(in) % HS_KIND_COUNT];
    for (size_t i = 0; i < kind->field_count; i++)
        fuzz_put_field(in, &arena, &kind->fields[i], &message);
    struct hs_field_write field = {.number = 2, .value = FUZZ_SEED("\x12\1x")};
    struct hs_write write = {.kind = kind->number,
                             .id = FUZZ_SEED("3201000017"),
                             .is_fact = kind->shape == HS_SHAPE_FACT,
                             .fact = kind->shape == HS_SHAPE_FACT ? hs_buf_bytes(&message) : HS_BYTES_NONE,
                             .fields = &field,
                             .field_count = kind->shape == HS_SHAPE_REGISTER};
    struct hs_draft draft = {.partition = PARTITION, .lane = kind->lane, .writes = &write, .write_count = 1};
    hs_store_number(store, 20261121, 1, number);
    hs_store_write(store, &draft, &dot, &stamp);
    fill_on(in);
    tidy_up(in);
    hs_buf_fini(&message);
    hs_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const READERS[])(struct hs_view * view) = {read_log, read_kinds, read_sums, read_all};
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    set_up();
    visits = 0;
    FUZZ_CHECK(hs_store_begin(store) == HS_OK);
    uint8_t how = fuzz_u8(&in);
    for (unsigned left = 1 + how % DAMAGES_MAX; left > 0; left--)
        damage(&in);
    READERS[how / 4 % COUNT_OF(READERS)](hs_store_view(store));
    if (how >= 0x80)
        write_more(&in);
    hs_store_abort(store);
    FUZZ_CHECK(hs_records_abort(store->records) == HS_OK);
    return 0;
}

/* ---- seeds: a row of each table with a bit turned, cut, and under another key ---- */

void fuzz_seeds(fuzz_put put)
{
    static const uint8_t HOWS[] = {0, 1, 3, 0xe0, 0xd0};
    char name[48];
    for (uint8_t table = 0; table < LOG_TABLE_COUNT + HS_TABLE_COUNT; table++) {
        for (size_t i = 0; i < sizeof HOWS; i++) {
            uint8_t reader = table < LOG_TABLE_COUNT ? 0 : (uint8_t)(1 + (table + i) % 3);
            uint8_t seed[] = {(uint8_t)(4 * reader), table, table, HOWS[i], 0, 3, 4, 'a', 0, 0, 0};
            snprintf(name, sizeof name, "table-%02u-%zu", (unsigned)table, i);
            put(name, HS_BYTES(seed, sizeof seed));
        }
    }
    put("token-cut-before-its-name", FUZZ_SEED("\0\6\0\1\0\1\0"));
    put("loose-of-billions", FUZZ_SEED("\0\10\0\2\0\0\4\xff\xff\xff\xff"));
    put("states-changed", FUZZ_SEED("\x80\0\0\xff\0\0\0\0\0\0\1\20\x1b\0"));
    put("eviction-changed", FUZZ_SEED("\x80\16\0\1\0\0\0\0\0\0\0\0\0\0\0\0"));
    put("time-zone-out-of-range", FUZZ_SEED("\14\12\3\2\0\24\4\x7f\0\0\0"));
}
