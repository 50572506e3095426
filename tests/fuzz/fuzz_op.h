/* fuzz_op.h -- operations read from an input, field by field: such as no decoder would let through, or proper ones. */
#ifndef HS_TESTS_FUZZ_OP_H
#define HS_TESTS_FUZZ_OP_H

#include "proto/msg/op.h"
#include "proto/msg/tlv.h"
#include "tests/fuzz/fuzz.h"

#define FUZZ_WRITES_MAX 6
#define FUZZ_FIELDS_MAX 6
#define FUZZ_DOTS_MAX   6

static inline void *fuzz_array(struct hs_arena *arena, size_t count, size_t size)
{
    void *array = hs_arena_array(arena, count, size);
    FUZZ_CHECK(array != NULL);
    return array;
}

static inline struct hs_bytes fuzz_zeros(struct hs_arena *arena, size_t size)
{
    return HS_BYTES(fuzz_array(arena, size, 1), size);
}

/* Of the field @number: a few shapes, near the limits too; or bytes as they come. */
static inline struct hs_bytes fuzz_value(struct hs_cur *in, struct hs_arena *arena, uint32_t number, bool proper)
{
    uint8_t shape = fuzz_u8(in) % (proper ? 5 : 6);
    struct hs_buf buf = {0};
    if (shape == 1)
        hs_tlv_put_u64(&buf, number, fuzz_number(in));
    else if (shape == 2)
        hs_tlv_put_bytes(&buf, number, fuzz_bytes(in, fuzz_u8(in) % 16));
    else if (shape == 3)
        hs_tlv_put_fixed64(&buf, number, fuzz_u64(in));
    if (shape == 3)
        hs_tlv_put_u64(&buf, number, fuzz_u8(in)); /* a second occurrence */
    if (shape == 4) {
        hs_tlv_put_bytes(&buf, number, fuzz_zeros(arena, HS_FIELD_BYTES_MAX - 16 + fuzz_u8(in) % (proper ? 4U : 32U)));
    }
    if (shape == 5)
        hs_buf_put_bytes(&buf, fuzz_bytes(in, fuzz_u8(in)));
    struct hs_bytes value = hs_arena_copy(arena, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
    return value;
}

static inline void fuzz_over(struct hs_cur *in, struct hs_arena *arena, struct hs_field_write *field, bool proper)
{
    uint8_t count = fuzz_u8(in);
    field->over_count = !proper && count == 0xff ? HS_FIELD_OVER_MAX + fuzz_u8(in) % 2U : count % FUZZ_DOTS_MAX;
    struct hs_dot *over = fuzz_array(arena, field->over_count, sizeof *over);
    struct hs_dot last = {0, 0};
    for (size_t i = 0; i < field->over_count; i++) {
        uint8_t step = count == 0xff ? 0 : fuzz_u8(in);
        over[i].origin = proper || count == 0xff ? last.origin + step % 3U : fuzz_number(in);
        over[i].n = over[i].origin == last.origin ? last.n + 1 + step / 3 % 4U : 1U + step / 3;
        if (proper && over[i].origin == 0)
            over[i].origin = 1;
        last = over[i];
    }
    field->over = over;
}

static inline void fuzz_fields(struct hs_cur *in, struct hs_arena *arena, struct hs_write *write, bool proper)
{
    uint8_t count = fuzz_u8(in);
    write->field_count = !proper && count == 0xff ? HS_WRITE_FIELDS_MAX + fuzz_u8(in) % 2U : count % FUZZ_FIELDS_MAX;
    if (proper && write->field_count == 0)
        write->field_count = 1;
    struct hs_field_write *fields = fuzz_array(arena, write->field_count, sizeof *fields);
    uint32_t last = 0;
    for (size_t i = 0; i < write->field_count; i++) {
        bool ascends = proper || count == 0xff || fuzz_u8(in) % 8 != 0;
        fields[i].number = ascends ? last + 1 + fuzz_u8(in) % 3 : (uint32_t)fuzz_u64(in);
        last = fields[i].number;
        fields[i].value = fuzz_value(in, arena, fields[i].number, proper);
        fuzz_over(in, arena, &fields[i], proper);
    }
    write->fields = fields;
}

static inline struct hs_write fuzz_write(struct hs_cur *in, struct hs_arena *arena, bool proper)
{
    struct hs_write write = {0};
    uint8_t shape = fuzz_u8(in);
    write.kind = (uint16_t)(proper ? 1U + fuzz_u8(in) % 9 : fuzz_number(in));
    write.id = fuzz_bytes(in, proper ? 1 + fuzz_u8(in) % 2 : fuzz_u8(in) % (HS_RECORD_ID_BYTES_MAX + 2));
    if (proper && write.id.size == 0)
        write.id = HS_BYTES("i", 1);
    write.is_fact = shape % 3 == 0;
    if (write.is_fact && shape < 0xf0)
        write.fact = fuzz_bytes(in, fuzz_u8(in) % 32);
    else if (write.is_fact)
        write.fact = fuzz_zeros(arena, HS_RECORD_BYTES_MAX + (shape % 2U && !proper));
    if (!write.is_fact || (!proper && shape % 16 == 3))
        fuzz_fields(in, arena, &write, proper);
    return write;
}

/* Not @proper: hs_op_check() may say no. */
static inline struct hs_op fuzz_op(struct hs_cur *in, struct hs_arena *arena, bool proper)
{
    struct hs_op op = {.stamp = proper ? fuzz_number(in) & HS_STAMP_MAX : fuzz_number(in)};
    uint8_t count = fuzz_u8(in);
    op.write_count = !proper && count == 0xff ? HS_OP_WRITES_MAX + fuzz_u8(in) % 2U : count % FUZZ_WRITES_MAX;
    struct hs_write *writes = fuzz_array(arena, op.write_count, sizeof *writes);
    for (size_t i = 0; i < op.write_count; i++)
        writes[i] = fuzz_write(in, arena, proper);
    op.writes = writes;
    uint8_t request = fuzz_u8(in);
    op.request = fuzz_bytes(in, request % 4 == 1 ? HS_REQUEST_ID_BYTES : request % 4 == 2 && !proper ? request : 0U);
    return op;
}

#endif
