/* op_fuzz.c -- the frozen envelope.  Bytes that decode encode to the same bytes; and of ops made up freely exactly
 * those that hs_op_check() lets through can be decoded again. */
#include "tests/fuzz/fuzz_op.h"

static void same_op(const struct hs_op *a, const struct hs_op *b)
{
    struct hs_buf left = {0}, right = {0};
    hs_op_encode(a, &left);
    hs_op_encode(b, &right);
    FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&left), hs_buf_bytes(&right)));
    FUZZ_CHECK(a->write_count == b->write_count);
    for (size_t i = 0; i < a->write_count; i++) {
        FUZZ_CHECK(a->writes[i].is_fact == b->writes[i].is_fact);
        FUZZ_CHECK(a->writes[i].field_count == b->writes[i].field_count);
    }
    hs_buf_fini(&left);
    hs_buf_fini(&right);
}

static void decode(struct hs_bytes bytes, struct hs_arena *arena)
{
    struct hs_op op;
    struct hs_buf again = {0};
    enum hs_err err = hs_op_decode(bytes, arena, &op);
    FUZZ_CHECK(err == HS_OK || err == HS_EMALFORMED);
    if (err != HS_OK)
        return;
    FUZZ_CHECK(hs_op_check(&op) == HS_OK);
    hs_op_encode(&op, &again);
    FUZZ_CHECK(again.err == HS_OK);
    FUZZ_CHECK(hs_bytes_equal(hs_buf_bytes(&again), bytes));
    hs_buf_fini(&again);
}

static void encode(struct hs_bytes bytes, struct hs_arena *arena)
{
    struct hs_cur in = hs_cur_of(bytes);
    struct hs_op op = fuzz_op(&in, arena, false);
    struct hs_op back;
    struct hs_buf encoded = {0};
    enum hs_err checked = hs_op_check(&op);
    hs_op_encode(&op, &encoded);
    enum hs_err decoded = hs_op_decode(hs_buf_bytes(&encoded), arena, &back);
    FUZZ_CHECK((checked == HS_OK) == (decoded == HS_OK));
    if (decoded == HS_OK)
        same_op(&op, &back);
    hs_buf_fini(&encoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_arena arena;
    hs_arena_init(&arena, 0);
    decode(HS_BYTES(data, size), &arena);
    encode(HS_BYTES(data, size), &arena);
    hs_arena_fini(&arena);
    return 0;
}

/* ---- seeds ---- */

static void put_op(fuzz_put put, const char *name, const struct hs_op *op)
{
    struct hs_buf buf = {0};
    hs_op_encode(op, &buf);
    put(name, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
}

void fuzz_seeds(fuzz_put put)
{
    static const struct hs_dot OVER[] = {{1, 2}, {1, 3}, {UINT64_MAX, UINT64_MAX}};
    struct hs_buf text = {0}, number = {0}, twice = {0};
    hs_tlv_put_text(&text, 2, "name");
    hs_tlv_put_u64(&number, 4, 12345);
    hs_tlv_put_u64(&twice, HS_FIELD_NUMBER_MAX, 1);
    hs_tlv_put_fixed64(&twice, HS_FIELD_NUMBER_MAX, 1);
    struct hs_field_write fields[] = {
        {.number = 2, .value = hs_buf_bytes(&text), .over = OVER, .over_count = 3},
        {.number = 3},
        {.number = 4, .value = hs_buf_bytes(&number)},
        {.number = HS_FIELD_NUMBER_MAX, .value = hs_buf_bytes(&twice), .over = OVER, .over_count = 1},
    };
    struct hs_write writes[] = {
        {.kind = 3, .id = HS_BYTES("0123456789abcdef", 16), .is_fact = true, .fact = hs_buf_bytes(&text)},
        {.kind = 1, .id = HS_BYTES("3201000017", 10), .fields = fields, .field_count = 4},
        {.kind = UINT16_MAX, .id = HS_BYTES("x", 1), .is_fact = true},
    };
    struct hs_op op = {.stamp = HS_STAMP_MAX, .writes = writes, .write_count = 3};
    put_op(put, "three", &op);
    op = (struct hs_op){
        .stamp = 1, .writes = &writes[0], .write_count = 1, .request = HS_BYTES("request-16-bytes", 16)};
    put_op(put, "fact", &op);
    op = (struct hs_op){
        .stamp = 1, .writes = &writes[1], .write_count = 1, .request = HS_BYTES("request-16-bytes", 16)};
    put_op(put, "registers", &op);
    op = (struct hs_op){.writes = &writes[2], .write_count = 1};
    put_op(put, "least", &op);
    put("free-many-writes", FUZZ_SEED("\1\377\1\0\1\1x"));
    put("free-many-fields", FUZZ_SEED("\1\1\1\1\1x\377\1\1\1\1\1\1\1\1\1\1\1\1\1"));
    put("free-many-dots", FUZZ_SEED("\1\1\1\1\1x\1\1\1\1\377\1\377"));
    put("free-big", FUZZ_SEED("\1\1\1\1\1x\4\1\1\4\20\1\1\4\20\1\1\4\20\1\1\4\20"));
    hs_buf_fini(&text);
    hs_buf_fini(&number);
    hs_buf_fini(&twice);
}
