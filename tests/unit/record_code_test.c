/* record_code_test.c -- storage/model/record.h: the stored form byte for byte, what is refused as one, hashes. */
#include "tests/unit/record_steps.h"

/* ---- the stored form ---- */

static const uint8_t FACT_STATE[] = {
    1,                                           /* version */
    1, 0, 0,    0,   0,   0, 0, 0, X, 0,         /* origins: X, nothing applied */
    1, 0, 0xac, 2,   0,   0, 0, 0, 0, 0, 0, 100, /* sources: (X, 300) at 100 */
    1, 0, 2,    'h', 'i',                        /* variants */
    0,                                           /* fields */
};

static const uint8_t REGISTER_STATE[] = {
    1, 3, 0, 0, 0,    0, 0,   0, 0, X, 1,    /* X, applied 1 */
    0, 0, 0, 0, 0,    0, 0,   Y, 0,          /* Y, only named */
    0, 0, 0, 0, 0,    0, 0,   Z, 2,          /* Z, applied 2 */
    2, 0, 1, 0, 0,    0, 0,   0, 0, 0, 7,    /* sources: (X, 1) at 7 */
    2, 2, 0, 0, 0,    0, 0,   0, 0, 9,       /* (Z, 2) at 9 */
    0,                                       /* variants */
    2,                                       /* fields */
    3, 5, 0, 3, 0x1a, 1, 'a', 1, 0, 1, 1, 5, /* 3: (X,1) "a", a clear of (Z,2); covered (Y, 5) */
    9, 2, 1, 3, 0x4a, 1, 'b',                /* 9: (Z,2) "b" */
};

static struct hs_record register_record(void)
{
    struct hs_field_write fields[] = {
        {.number = PHONE, .over = (struct hs_dot[]){{Y, 5}}, .over_count = 1},
        {.number = REMARK,
         .value = TEXT("\x4a\x01"
                       "b")},
    };
    struct hs_write write = {.kind = 1, .id = TEXT("r"), .fields = fields, .field_count = 2};
    struct hs_record record = after(NONE, (struct put){{X, 1}, 7, PHONE, "a", NO_DOTS});
    assert_int_equal(hs_record_apply(&record, &(struct hs_dot){Z, 2}, 9, &write, &arena), HS_OK);
    return record;
}

static void stored_forms_are_these_bytes(void **state)
{
    (void)state;
    struct hs_bytes fact = encoded(after_fact(NONE, (struct hs_dot){X, 300}, 100, TEXT("hi")));
    assert_int_equal(fact.size, sizeof FACT_STATE);
    assert_memory_equal(fact.data, FACT_STATE, sizeof FACT_STATE);
    struct hs_bytes registers = encoded(register_record());
    assert_int_equal(registers.size, sizeof REGISTER_STATE);
    assert_memory_equal(registers.data, REGISTER_STATE, sizeof REGISTER_STATE);
    struct hs_bytes nothing = encoded(NONE);
    assert_int_equal(nothing.size, 5);
    assert_memory_equal(nothing.data, "\x01\0\0\0\0", 5);
}

static void decode_gives_back_the_state(void **state)
{
    (void)state;
    struct hs_record record;
    assert_int_equal(hs_record_decode(HS_BYTES(REGISTER_STATE, sizeof REGISTER_STATE), &arena, &record), HS_OK);
    assert_same(record, register_record());
    assert_int_equal(record.applied_count, 2);
    assert_int_equal(hs_record_field(&record, PHONE)->covered[0].n, 5);
    assert_int_equal(hs_record_decode(HS_BYTES(FACT_STATE, sizeof FACT_STATE), &arena, &record), HS_OK);
    assert_int_equal(record.variants[0].dot.n, 300);
    struct hs_hash hash = hs_hash_domain("hallsync fact 1", TEXT("hi"));
    assert_true(hs_hash_equal(&record.variants[0].hash, &hash));
}

static void assert_malformed(const uint8_t *bytes, size_t size)
{
    struct hs_record record = {.field_count = 77};
    assert_int_equal(hs_record_decode(HS_BYTES(bytes, size), &arena, &record), HS_EMALFORMED);
    assert_int_equal(record.field_count, 77); /* untouched */
}

static void decode_refuses_cut_and_longer_bytes(void **state)
{
    (void)state;
    uint8_t longer[sizeof REGISTER_STATE + 1] = {0};
    memcpy(longer, REGISTER_STATE, sizeof REGISTER_STATE);
    for (size_t size = 0; size < sizeof REGISTER_STATE; size++)
        assert_malformed(REGISTER_STATE, size);
    for (size_t size = 0; size < sizeof FACT_STATE; size++)
        assert_malformed(FACT_STATE, size);
    assert_malformed(longer, sizeof longer);
}

#define ORIGIN(id, applied)      0, 0, 0, 0, 0, 0, 0, id, applied
#define SOURCE(origin, n, stamp) origin, n, 0, 0, 0, 0, 0, 0, 0, stamp
#define REFUSED(...)                                                           \
    {                                                                          \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}) \
    }

static void decode_refuses_other_forms_of_a_state(void **state)
{
    (void)state;
    const struct {
        const uint8_t *bytes;
        size_t size;
    } cases[] = {
        REFUSED(2, 0, 0, 0, 0),                                                        /* another version */
        REFUSED(1, 1, ORIGIN(X, 0), 0, 0, 0),                                          /* origin without use */
        REFUSED(1, 1, ORIGIN(X, 1), 1, SOURCE(0, 1, 7), 0, 0),                         /* source without use */
        REFUSED(1, 2, ORIGIN(Y, 1), ORIGIN(X, 1), 0, 0, 0),                            /* origins descend */
        REFUSED(1, 2, ORIGIN(X, 1), ORIGIN(X, 2), 0, 0, 0),                            /* origin twice */
        REFUSED(1, 1, ORIGIN(X, 0), 1, SOURCE(1, 1, 7), 1, 0, 0, 0),                   /* no such origin */
        REFUSED(1, 1, ORIGIN(X, 0), 1, SOURCE(0, 0, 7), 1, 0, 0, 0),                   /* number 0 */
        REFUSED(1, 1, ORIGIN(X, 0), 1, SOURCE(0, 1, 7), 1, 1, 0, 0),                   /* no such source */
        REFUSED(1, 1, ORIGIN(X, 0), 1, SOURCE(0, 1, 7), 2, 0, 0, 0, 0, 0),             /* variant twice */
        REFUSED(1, 1, ORIGIN(X, 2), 1, SOURCE(0, 1, 7), 0, 1, 0, 2, 0, 0),             /* field number 0 */
        REFUSED(1, 1, ORIGIN(X, 2), 1, SOURCE(0, 1, 7), 0, 2, 3, 2, 0, 0, 3, 2, 0, 0), /* field twice */
        REFUSED(1, 1, ORIGIN(X, 2), 1, SOURCE(0, 1, 7), 0, 2, 3, 2, 0, 2, 7, 7, 4, 0), /* field of nothing */
        REFUSED(1, 1, ORIGIN(X, 2), 2, SOURCE(0, 2, 7), SOURCE(0, 1, 7), 0, 1, 3, 4, 1, 0, 0, 0), /* sources descend */
        REFUSED(1, 1, ORIGIN(X, 2), 1, SOURCE(0, 3, 7), 0, 1, 3, 2, 0, 0),          /* live, but not applied */
        REFUSED(1, 1, ORIGIN(X, 2), 1, SOURCE(0, 1, 7), 0, 1, 3, 4, 0, 0, 0, 0),    /* the same value twice */
        REFUSED(1, 1, ORIGIN(X, 2), 1, SOURCE(0, 1, 7), 0, 1, 3, 3, 0, 0, 0),       /* covered dots, but none */
        REFUSED(1, 1, ORIGIN(X, 2), 1, SOURCE(0, 1, 7), 0, 1, 3, 3, 0, 0, 1, 0, 2), /* covered, but applied */
        REFUSED(1, 1, ORIGIN(X, 2), 0, 0, 1, 3, 1, 2, 0, 4, 0, 4),                  /* covered twice */
        REFUSED(1, 1, ORIGIN(X, 2), 0, 0, 1, 3, 1, 2, 0, 5, 0, 4),                  /* covered descend */
        REFUSED(1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),        /* more than there can be */
        REFUSED(1, 0x80, 0, 0, 0, 0),                                               /* not the least varint */
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_malformed(cases[i].bytes, cases[i].size);
    static const uint8_t GOOD[] = {1, 1, ORIGIN(X, 2), 1, SOURCE(0, 1, 7), 0, 1, 3, 3, 0, 0, 1, 0, 4};
    struct hs_record record;
    assert_int_equal(hs_record_decode(HS_BYTES(GOOD, sizeof GOOD), &arena, &record), HS_OK);
}

static void records_with_many_writers_encode(void **state)
{
    (void)state;
    struct hs_record record = NONE;
    for (uint64_t i = 200; i > 0; i--) { /* more than the encoder keeps on its stack, and not in order */
        uint64_t origin = i * 0x9e3779b97f4a7c15;
        record = after(record, (struct put){{origin, i}, i, PHONE, "p", NO_DOTS});
        record = after(record, (struct put){{origin, i + 1}, i, REMARK, "r", NO_DOTS});
    }
    struct hs_record decoded;
    assert_int_equal(hs_record_decode(encoded(record), &arena, &decoded), HS_OK);
    assert_same(record, decoded);
    assert_int_equal(hs_record_field(&decoded, PHONE)->live_count, 200);
}

static void hashes_are_of_key_and_state(void **state)
{
    (void)state;
    struct hs_record_name name = {.partition = 3201, .lane = HS_LANE_PEOPLE, .kind = 1, .id = TEXT("3201000001")};
    struct hs_bytes bytes = TEXT("any state");
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_buf whole = {0};
    hs_buf_put(&whole, key, hs_record_key(&name, key));
    hs_buf_put_bytes(&whole, bytes);
    struct hs_hash expected = hs_hash_domain("hallsync record 1", hs_buf_bytes(&whole));
    struct hs_hash hash = hs_record_hash(&name, bytes);
    assert_true(hs_hash_equal(&hash, &expected));
    hs_buf_fini(&whole);
}

/* ---- memory ---- */

static enum hs_err work_within(size_t limit)
{
    struct hs_arena small;
    struct hs_record record;
    struct hs_record other;
    hs_arena_init(&small, limit);
    enum hs_err err = hs_record_decode(HS_BYTES(REGISTER_STATE, sizeof REGISTER_STATE), &small, &record);
    if (err == HS_OK)
        err = hs_record_decode(HS_BYTES(FACT_STATE, sizeof FACT_STATE), &small, &other);
    if (err == HS_OK)
        err = hs_record_join(&record, &other, &small, &other);
    struct hs_field_write field = {.number = 9, .over = (struct hs_dot[]){{Z, 2}}, .over_count = 1};
    struct hs_write write = {.kind = 1, .id = TEXT("r"), .fields = &field, .field_count = 1};
    struct hs_write fact = {.kind = 1, .id = TEXT("r"), .is_fact = true, .fact = TEXT("f")};
    if (err == HS_OK)
        err = hs_record_apply(&other, &(struct hs_dot){Y, 9}, 10, &write, &small);
    if (err == HS_OK)
        err = hs_record_apply(&other, &(struct hs_dot){Y, 10}, 10, &fact, &small);
    hs_arena_fini(&small);
    return err;
}

static void a_full_arena_is_out_of_memory(void **state)
{
    (void)state;
    size_t limit = 16;
    size_t failures = 0;
    enum hs_err err = HS_ENOMEM;
    for (; limit < 16 * 1024 && err != HS_OK; limit += 16) {
        err = work_within(limit);
        assert_true(err == HS_OK || err == HS_ENOMEM);
        failures += err == HS_ENOMEM;
    }
    assert_int_equal(err, HS_OK);
    assert_true(failures > 20);
}

static void encode_keeps_the_buffers_error(void **state)
{
    (void)state;
    struct hs_record record = register_record();
    struct hs_buf buf = {.err = HS_ENOMEM};
    hs_record_encode(&record, &buf);
    assert_int_equal(buf.err, HS_ENOMEM);
    assert_int_equal(hs_record_shown(&record, &buf), HS_ENOMEM);
    assert_int_equal(buf.size, 0);
    hs_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_forms_are_these_bytes),        cmocka_unit_test(decode_gives_back_the_state),
        cmocka_unit_test(decode_refuses_cut_and_longer_bytes), cmocka_unit_test(decode_refuses_other_forms_of_a_state),
        cmocka_unit_test(records_with_many_writers_encode),    cmocka_unit_test(hashes_are_of_key_and_state),
        cmocka_unit_test(a_full_arena_is_out_of_memory),       cmocka_unit_test(encode_keeps_the_buffers_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
