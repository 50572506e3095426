/* records_fuzz.c -- operations of all kinds, sound and strange, as certified nodes may send them: none may stop the
 * records; all that is derived equals what is recomputed; and another order of arrival (of one stream in its own) comes
 * to the same digests, lists and sums.
 *
 *     input = up to 16 operations: stream, stamp, writes, read field by field */
#include "storage/records/records.h"
#include "tests/fuzz/fuzz_record.h"
#include "tests/fuzz/fuzz_region.h"

#include <unistd.h>

#define OPS_MAX    16
#define MAP_BYTES  ((size_t)256 << 20)
#define NOON_STAMP ((hs_stamp)1795233600000 << 16)

static struct hs_records *records;

static void tear_down(void)
{
    hs_records_close(records);
}

static void set_up(void)
{
    char dir[] = FUZZ_TMPFS "/hs-fuzz-XXXXXX";
    struct hs_why why;
    if (records != NULL)
        return;
    FUZZ_CHECK(mkdtemp(dir) != NULL);
    struct hs_records_options options = {
        .path = dir, .map_bytes = MAP_BYTES, .create = true, .utc_offset_minutes = 480};
    enum hs_err err = hs_records_open(&options, &records, &why);
    fuzz_remove(dir);
    FUZZ_CHECK(err == HS_OK);
    atexit(tear_down);
}

/* ---- operations ---- */

struct sent {
    struct hs_stream stream;
    uint64_t n;
    struct hs_bytes bytes;
    bool hub;
};

static struct hs_bytes record_id(struct hs_cur *in, struct hs_arena *arena, const struct hs_kind *kind)
{
    uint8_t how = fuzz_u8(in);
    if (how == 0xff)
        return fuzz_bytes(in, 1 + fuzz_u8(in) % HS_RECORD_ID_BYTES_MAX);
    if (kind->id_form != HS_ID_FIELD)
        return fuzz_id_128(in, arena);
    const char *text = fuzz_text_of(in, hs_kind_rule(kind, kind->id_field));
    return HS_BYTES(text, strlen(text));
}

static void make_fields(struct hs_cur *in, struct hs_arena *arena, const struct hs_kind *kind, struct hs_write *write)
{
    struct hs_field_write *fields = fuzz_array(arena, kind->field_count, sizeof *fields);
    for (size_t i = 0; i < kind->field_count; i++) {
        struct hs_buf value = {0};
        struct hs_field_write *field = &fields[write->field_count];
        uint8_t how = fuzz_u8(in);
        if (how % 8 == 7)
            continue;
        field->number = kind->fields[i].number;
        fuzz_put_field(in, arena, &kind->fields[i], &value);
        field->value = hs_arena_copy(arena, hs_buf_bytes(&value));
        if (how % 8 > 3)
            fuzz_over(in, arena, field, true);
        write->field_count++;
        hs_buf_fini(&value);
    }
    write->fields = fields;
}

static struct hs_write make_write(struct hs_cur *in, struct hs_arena *arena, const struct hs_kind *kind)
{
    struct hs_write write = {.kind = kind->number, .id = record_id(in, arena, kind)};
    uint8_t how = fuzz_u8(in);
    write.is_fact = (kind->shape == HS_SHAPE_FACT) != (how % 16 == 15); /* now and then the other shape */
    if (how % 16 == 14)
        write.kind = (uint16_t)fuzz_number(in);
    if (!write.is_fact) {
        make_fields(in, arena, kind, &write);
        return write;
    }
    struct hs_buf message = {0};
    for (size_t i = 0; i < kind->field_count; i++)
        fuzz_put_field(in, arena, &kind->fields[i], &message);
    write.fact = hs_arena_copy(arena, hs_buf_bytes(&message));
    hs_buf_fini(&message);
    if (kind->id_form == HS_ID_HASH && how % 8 != 7) {
        struct hs_id id;
        hs_kind_id(kind, write.fact, &id);
        write.id = hs_arena_copy(arena, HS_BYTES(id.bytes, sizeof id.bytes));
    }
    return write;
}

/* ---- decisions, about the fact that was made last ---- */

struct target {
    struct hs_stream stream;
    uint16_t kind;
    struct hs_bytes id, fact;
};

static struct hs_write make_decision(struct hs_cur *in, struct hs_arena *arena, const struct target *target)
{
    static const char *const VERDICTS[] = {"release", "reject", "release", "forget"};
    struct hs_write write = {.kind = HS_KIND_DECISION, .id = fuzz_id_128(in, arena), .is_fact = true};
    struct hs_hash contents = hs_hash_domain("hallsync contents 1", target->fact);
    struct hs_buf message = {0};
    uint8_t how = fuzz_u8(in);
    hs_tlv_put_u64(&message, 2, how >= 0xf8 ? fuzz_number(in) : target->stream.lane);
    hs_tlv_put_u64(&message, 3, how >= 0xf0 ? fuzz_number(in) : target->kind);
    hs_tlv_put_bytes(&message, 4, target->id);
    hs_tlv_put_text(&message, 5, VERDICTS[how % 4]);
    hs_tlv_put_bytes(&message, 6, HS_BYTES(contents.bytes, how / 4 % 16 == 15 ? fuzz_u8(in) % 33 : HS_HASH_BYTES));
    if (how / 4 % 2 == 1)
        hs_tlv_put_bytes(&message, 7, HS_BYTES(contents.bytes, HS_HASH_BYTES));
    if (how / 8 % 2 == 1)
        hs_tlv_put_bytes(&message, 8, fuzz_id_128(in, arena));
    hs_tlv_put_text(&message, 9, "a");
    hs_tlv_put_text(&message, 10, "b");
    write.fact = hs_arena_copy(arena, hs_buf_bytes(&message));
    hs_buf_fini(&message);
    return write;
}

/* Also such as the envelope forbids: those are void. */
static struct sent make_op(struct hs_cur *in, struct hs_arena *arena, struct target *target)
{
    static const hs_partition PARTITIONS[] = {3201, 3202, HS_PARTITION_REGION};
    struct hs_write writes[3];
    struct hs_op op = {.stamp = NOON_STAMP + fuzz_number(in), .writes = writes};
    uint8_t how = fuzz_u8(in), which = fuzz_u8(in);
    bool decides = which >= 0xf0 && target->fact.size != 0;
    const struct hs_kind *kind = decides ? hs_kind_by_number(HS_KIND_DECISION) : &HS_KINDS[which % HS_KIND_COUNT];
    struct sent sent = {.stream = {1 + how % 3, PARTITIONS[how / 3 % 8 % 3], (uint8_t)kind->lane}, .hub = how % 2 == 0};
    if (decides)
        sent.stream.partition = target->stream.partition;
    if (how >= 0xf0)
        sent.stream.lane = HS_LANE_WORK;
    do
        writes[op.write_count++] = decides ? make_decision(in, arena, target) : make_write(in, arena, kind);
    while (op.write_count < 3 && fuzz_u8(in) % 8 == 1);
    if (writes[0].is_fact && !decides)
        *target = (struct target){sent.stream, writes[0].kind, writes[0].id, writes[0].fact};
    if (op.stamp > HS_STAMP_MAX)
        op.stamp = HS_STAMP_MAX;
    struct hs_buf buf = {0};
    hs_op_encode(&op, &buf);
    sent.bytes = how == 0xef ? fuzz_bytes(in, fuzz_u8(in)) : hs_arena_copy(arena, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
    return sent;
}

static size_t make_ops(struct hs_cur *in, struct hs_arena *arena, struct sent *ops)
{
    size_t count = 0;
    struct target target = {.kind = 0};
    while (count < OPS_MAX && in->left > 0) {
        ops[count] = make_op(in, arena, &target);
        ops[count].n = 1;
        for (size_t i = 0; i < count; i++)
            ops[count].n += hs_stream_equal(&ops[i].stream, &ops[count].stream);
        count++;
    }
    return count;
}

/* ---- what comes of them ---- */

static void apply(const struct sent *sent)
{
    static const struct hs_certificate HUB = {.role = HS_ROLE_HUB, .home = 3201};
    static const struct hs_certificate HALL = {
        .role = HS_ROLE_HALL, .home = 3202, .districts = {3202}, .district_count = 1};
    struct hs_records_op op = {
        .stream = sent->stream, .n = sent->n, .bytes = sent->bytes, .writer = sent->hub ? &HUB : &HALL};
    FUZZ_CHECK(hs_records_apply(records, &op) == HS_OK);
}

static void verify(void)
{
    struct hs_why why = {{0}};
    enum hs_err err = hs_records_verify(hs_records_txn(records), &why);
    if (err != HS_OK)
        fprintf(stderr, "verify: %s: %s\n", hs_err_name(err), why.text);
    FUZZ_CHECK(err == HS_OK);
}

static enum hs_err put_digest(void *ctx, const struct hs_digest *digest)
{
    hs_buf_put_format(ctx, "%u %u %ju ", digest->partition, digest->kind, (uintmax_t)digest->count);
    hs_buf_put(ctx, digest->sum.bytes, sizeof digest->sum.bytes);
    return HS_OK;
}

static enum hs_err put_listed(void *ctx, const struct hs_listed *listed)
{
    hs_buf_put_sized(ctx, listed->key);
    hs_buf_put_u64(ctx, (uint64_t)listed->amount_fen);
    hs_buf_put_sized(ctx, listed->detail);
    return HS_OK;
}

static void put_totals(struct hs_buf *to)
{
    struct hs_totals_filter filters[] = {
        {0}, {.date = 20261121}, {.has_window = true, .window = 1}, {.account = "3201000017"}};
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        struct hs_totals totals = {0};
        FUZZ_CHECK(hs_records_totals(hs_records_txn(records), &filters[i], &totals) == HS_OK);
        hs_buf_put(to, &totals, sizeof totals);
    }
    struct hs_bill_sums sums = {0};
    FUZZ_CHECK(hs_records_bill(hs_records_txn(records), "3201000017", HS_BYTES("B-1", 3), &sums) == HS_OK);
    hs_buf_put_u64(to, (uint64_t)sums.paid_fen);
    hs_buf_put_u64(to, sums.known ? (uint64_t)sums.amount_fen : 1);
}

static void outcome(struct hs_buf *to)
{
    hs_buf_reset(to);
    FUZZ_CHECK(hs_records_digests(hs_records_txn(records), put_digest, to) == HS_OK);
    FUZZ_CHECK(hs_records_list(hs_records_txn(records), 0, HS_BYTES_NONE, put_listed, to) == HS_OK);
    put_totals(to);
    FUZZ_CHECK(to->err == HS_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sent ops[OPS_MAX];
    struct hs_buf first = {0}, second = {0};
    struct hs_arena arena;
    struct hs_cur in = hs_cur_of(HS_BYTES(data, size));
    set_up();
    hs_arena_init(&arena, 0);
    size_t count = make_ops(&in, &arena, ops);
    for (size_t i = 0; i < count; i++)
        apply(&ops[i]);
    verify();
    outcome(&first);
    FUZZ_CHECK(hs_records_abort(records) == HS_OK);
    for (uint64_t origin = 3; origin > 0; origin--) {
        for (size_t i = 0; i < count; i++) {
            if (ops[i].stream.origin == origin)
                apply(&ops[i]);
        }
    }
    verify();
    outcome(&second);
    FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&first), hs_buf_bytes(&second)));
    FUZZ_CHECK(hs_records_abort(records) == HS_OK);
    hs_buf_fini(&first);
    hs_buf_fini(&second);
    hs_arena_fini(&arena);
    return 0;
}

/* Inputs that happen to be of every kind: zeros mean the first choice everywhere, so a few bytes go a long way. */
void fuzz_seeds(fuzz_put put)
{
    uint8_t bytes[96];
    char name[32];
    for (uint8_t kind = 0; kind < HS_KIND_COUNT; kind++) {
        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = i % 24 == 2 ? (uint8_t)((kind + i / 24) % HS_KIND_COUNT) : i % 24 == 1 ? (uint8_t)(i / 24) : 0;
        snprintf(name, sizeof name, "kind-%u", (unsigned)HS_KINDS[kind].number);
        put(name, HS_BYTES(bytes, sizeof bytes));
    }
}
