/* record_steps.h -- how the stories of record_test.c and record_code_test.c are told: one step a line. */
#ifndef HS_TESTS_RECORD_STEPS_H
#define HS_TESTS_RECORD_STEPS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/msg/tlv.h"
#include "storage/model/record.h"

#include <string.h>

#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define DOTS(...)     ((const struct hs_dot[]){__VA_ARGS__}), COUNT(((const struct hs_dot[]){__VA_ARGS__}))
#define NO_DOTS       NULL, 0
#define NONE          ((struct hs_record){0})

enum { X = 10, X2 = 11, Y = 20, Z = 30 }; /* origins */
enum { PHONE = 3, REMARK = 9, UNKNOWN = 4000 };

static struct hs_arena arena; /* of all tests of a program */

static inline int setup(void **state)
{
    (void)state;
    hs_arena_init(&arena, 0);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    hs_arena_fini(&arena);
    return 0;
}

/* ---- steps ---- */

struct put {
    struct hs_dot dot;
    hs_stamp stamp;
    uint32_t field;
    const char *value; /* NULL: a clear */
    const struct hs_dot *over;
    size_t over_count;
};

static inline struct hs_bytes field_value(uint32_t number, const char *text)
{
    struct hs_buf buf = {0};
    if (text == NULL)
        return HS_BYTES_NONE;
    hs_tlv_put_text(&buf, number, text);
    struct hs_bytes value = hs_arena_copy(&arena, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
    return value;
}

static inline struct hs_record after(struct hs_record record, struct put put)
{
    struct hs_dot *over = hs_arena_array(&arena, put.over_count, sizeof *over); /* states outlive this call */
    if (put.over_count != 0)
        memcpy(over, put.over, put.over_count * sizeof *over);
    struct hs_field_write field = {
        .number = put.field, .value = field_value(put.field, put.value), .over = over, .over_count = put.over_count};
    struct hs_write write = {.kind = 1, .id = TEXT("3201000001"), .fields = &field, .field_count = 1};
    assert_int_equal(hs_record_apply(&record, &put.dot, put.stamp, &write, &arena), HS_OK);
    return record;
}

static inline struct hs_record after_fact(struct hs_record record, struct hs_dot dot, hs_stamp stamp,
                                          struct hs_bytes fact)
{
    struct hs_write write = {.kind = 3, .id = TEXT("0123456789abcdef"), .is_fact = true, .fact = fact};
    assert_int_equal(hs_record_apply(&record, &dot, stamp, &write, &arena), HS_OK);
    return record;
}

static inline struct hs_record joined(struct hs_record a, struct hs_record b)
{
    struct hs_record out;
    assert_int_equal(hs_record_join(&a, &b, &arena, &out), HS_OK);
    return out;
}

static inline struct hs_bytes encoded(struct hs_record record)
{
    struct hs_buf buf = {0};
    hs_record_encode(&record, &buf);
    assert_int_equal(buf.err, HS_OK);
    struct hs_bytes bytes = hs_arena_copy(&arena, hs_buf_bytes(&buf));
    hs_buf_fini(&buf);
    return bytes;
}

static inline void assert_same(struct hs_record a, struct hs_record b)
{
    struct hs_bytes left = encoded(a);
    struct hs_bytes right = encoded(b);
    assert_int_equal(left.size, right.size);
    assert_memory_equal(left.data, right.data, left.size);
}

#endif
