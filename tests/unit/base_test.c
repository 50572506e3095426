/* base_test.c -- proto/base: buffers, names, hashes, text.  Expected hashes come from Python's hashlib.blake2b. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/base/hash.h"
#include "proto/base/names.h"
#include "proto/base/text.h"
#include "tests/lib/chinese.h"

#include <string.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define COUNT(array)  (sizeof(array) / sizeof *(array))

/* err */

static void errors_stand_in_both_languages(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HS_ERR_COUNT; i++) {
        assert_true(hs_err_text((enum hs_err)i)[0] != '\0');
        assert_chinese(hs_err_text_zh((enum hs_err)i));
    }
    assert_string_equal(hs_err_text_zh(HS_ERR_COUNT), hs_err_text_zh(HS_EINTERNAL));
}

/* buf */

static void bytes_are_ordered_like_keys(void **state)
{
    (void)state;
    assert_true(hs_bytes_equal(HS_BYTES_NONE, TEXT("")));
    assert_true(hs_bytes_equal(TEXT("ab"), TEXT("ab")));
    assert_false(hs_bytes_equal(TEXT("ab"), TEXT("ac")));
    assert_false(hs_bytes_equal(TEXT("ab"), TEXT("abc")));
    assert_int_equal(hs_bytes_compare(TEXT("ab"), TEXT("ab")), 0);
    assert_true(hs_bytes_compare(HS_BYTES_NONE, TEXT("a")) < 0);
    assert_true(hs_bytes_compare(TEXT("ab"), TEXT("abc")) < 0);
    assert_true(hs_bytes_compare(TEXT("b"), TEXT("abc")) > 0);
    assert_true(hs_bytes_compare(TEXT("\xff"), TEXT("\x01")) > 0);
}

static void buffer_writes_what_cursor_reads(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    hs_buf_put_u8(&buf, 0xab);
    hs_buf_put_u16(&buf, 0x0102);
    hs_buf_put_u32(&buf, 0x03040506);
    hs_buf_put_u64(&buf, 0x0708090a0b0c0d0eULL);
    hs_buf_put_sized(&buf, TEXT("hall"));
    hs_buf_put_format(&buf, "%s-%d", "fen", 7);
    assert_int_equal(buf.err, HS_OK);
    static const uint8_t EXPECTED[] = "\xab\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x04hallfen-7";
    assert_int_equal(buf.size, sizeof EXPECTED - 1);
    assert_memory_equal(buf.data, EXPECTED, sizeof EXPECTED - 1);

    struct hs_cur cur = hs_cur_of(hs_buf_bytes(&buf));
    assert_int_equal(hs_cur_u8(&cur), 0xab);
    assert_int_equal(hs_cur_u16(&cur), 0x0102);
    assert_int_equal(hs_cur_u32(&cur), 0x03040506);
    assert_true(hs_cur_u64(&cur) == 0x0708090a0b0c0d0eULL);
    assert_true(hs_bytes_equal(hs_cur_sized(&cur), TEXT("hall")));
    assert_false(hs_cur_done(&cur));
    assert_true(hs_bytes_equal(hs_cur_take(&cur, 5), TEXT("fen-7")));
    assert_true(hs_cur_done(&cur));
    hs_buf_fini(&buf);
    assert_null(buf.data);
}

static void buffer_keeps_its_bytes_while_growing(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    for (uint32_t i = 0; i < 10000; i++)
        hs_buf_put_u32(&buf, i);
    assert_int_equal(buf.size, 40000);
    struct hs_cur cur = hs_cur_of(hs_buf_bytes(&buf));
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(hs_cur_u32(&cur), i);
    assert_true(hs_cur_done(&cur));
    hs_buf_fini(&buf);
}

static void buffer_error_sticks_until_reset(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    hs_buf_put_u8(&buf, 1);
    assert_null(hs_buf_extend(&buf, (size_t)1 << 31));
    assert_int_equal(buf.err, HS_ETOOBIG);
    hs_buf_put_u8(&buf, 2);
    hs_buf_put_format(&buf, "three");
    assert_int_equal(buf.size, 1);
    assert_int_equal(buf.data[0], 1);
    hs_buf_reset(&buf);
    assert_int_equal(buf.err, HS_OK);
    hs_buf_put_u8(&buf, 3);
    assert_int_equal(buf.size, 1);
    assert_int_equal(buf.data[0], 3);
    hs_buf_fini(&buf);
}

static void cursor_error_sticks_and_reads_zeros(void **state)
{
    (void)state;
    struct hs_cur cur = hs_cur_of(TEXT("\x01\x02\x03"));
    assert_int_equal(hs_cur_u16(&cur), 0x0102);
    assert_int_equal(hs_cur_u32(&cur), 0);
    assert_int_equal(cur.err, HS_EMALFORMED);
    assert_int_equal(cur.left, 0);
    assert_int_equal(hs_cur_u8(&cur), 0);
    assert_false(hs_cur_done(&cur));
    uint8_t copy[2] = {9, 9};
    hs_cur_copy(&cur, copy, sizeof copy);
    assert_int_equal(copy[0], 0);
    assert_int_equal(copy[1], 0);

    struct hs_cur empty = hs_cur_of(HS_BYTES_NONE);
    assert_true(hs_cur_done(&empty));
    assert_int_equal(hs_cur_take(&empty, 0).size, 0);
    assert_int_equal(empty.err, HS_OK);
    hs_cur_fail(&empty);
    assert_false(hs_cur_done(&empty));

    struct hs_cur cut = hs_cur_of(TEXT("\x05hall"));
    assert_null(hs_cur_sized(&cut).data);
    assert_int_equal(cut.err, HS_EMALFORMED);
}

/* varint */

static void varint_round_trips_in_least_bytes(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        size_t size;
    } CASES[] = {{0, 1},          {1, 1},          {127, 1},       {128, 2},         {16383, 2},      {16384, 3},
                 {UINT32_MAX, 5}, {1ULL << 62, 9}, {INT64_MAX, 9}, {1ULL << 63, 10}, {UINT64_MAX, 10}};
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct hs_buf buf = {0};
        hs_buf_put_varint(&buf, CASES[i].value);
        assert_int_equal(buf.size, CASES[i].size);
        struct hs_cur cur = hs_cur_of(hs_buf_bytes(&buf));
        assert_true(hs_cur_varint(&cur) == CASES[i].value);
        assert_true(hs_cur_done(&cur));
        hs_buf_fini(&buf);
    }
    struct hs_cur known = hs_cur_of(TEXT("\xac\x02"));
    assert_int_equal(hs_cur_varint(&known), 300);
}

static void varint_refuses_other_forms(void **state)
{
    (void)state;
    static const struct hs_bytes CASES[] = {
        {(const uint8_t *)"", 0},                                              /* nothing */
        {(const uint8_t *)"\x80", 1},                                          /* cut */
        {(const uint8_t *)"\x80\x00", 2},                                      /* 0 in two bytes */
        {(const uint8_t *)"\xff\x00", 2},                                      /* 127 in two bytes */
        {(const uint8_t *)"\xac\x82\x00", 3},                                  /* 300 in three bytes */
        {(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10},     /* 65 bits */
        {(const uint8_t *)"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10},     /* 0 in ten bytes */
        {(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00", 11}, /* eleven bytes */
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct hs_cur cur = hs_cur_of(CASES[i]);
        assert_true(hs_cur_varint(&cur) == 0);
        assert_int_equal(cur.err, HS_EMALFORMED);
    }
}

/* names */

static void partitions_are_districts_or_the_region(void **state)
{
    (void)state;
    assert_true(hs_partition_valid(0));
    assert_true(hs_partition_valid(9999));
    assert_false(hs_partition_valid(10000));
    assert_false(hs_partition_valid(0xfffe));
    assert_true(hs_partition_valid(0xffff));
    assert_false(hs_partition_valid(0x1ffff));

    char text[HS_PARTITION_TEXT_BYTES];
    assert_string_equal(hs_partition_text(7, text), "0007");
    assert_string_equal(hs_partition_text(3201, text), "3201");
    assert_string_equal(hs_partition_text(HS_PARTITION_REGION, text), "region");

    hs_partition partition = 1;
    assert_int_equal(hs_partition_parse("0042", &partition), HS_OK);
    assert_int_equal(partition, 42);
    assert_int_equal(hs_partition_parse("region", &partition), HS_OK);
    assert_int_equal(partition, HS_PARTITION_REGION);
    static const char *const WRONG[] = {"", "320", "32011", "32a1", "+320", " 320", "Region", "regions", "65535"};
    for (size_t i = 0; i < COUNT(WRONG); i++)
        assert_int_equal(hs_partition_parse(WRONG[i], &partition), HS_EVALUE);
    assert_int_equal(partition, HS_PARTITION_REGION);
}

static void accounts_have_ten_digits(void **state)
{
    (void)state;
    assert_true(hs_account_valid("3201000017", 10));
    assert_false(hs_account_valid("3201000017", 9));
    assert_false(hs_account_valid("32010000170", 11));
    assert_false(hs_account_valid("320100001x", 10));
    assert_false(hs_account_valid("-201000017", 10));
    assert_int_equal(hs_account_partition("3201000017"), 3201);
    assert_int_equal(hs_account_partition("0009999999"), 9);
}

static void lanes_have_numbers_and_names(void **state)
{
    (void)state;
    assert_false(hs_lane_valid(0));
    assert_false(hs_lane_valid(5));
    assert_false(hs_lane_valid(257));
    static const char *const TEXTS[] = {"work", "money", "people", "bulk"};
    for (unsigned lane = 1; lane < HS_LANE_COUNT; lane++) {
        assert_true(hs_lane_valid(lane));
        assert_string_equal(hs_lane_text((enum hs_lane)lane), TEXTS[lane - 1]);
        uint8_t parsed = 0;
        assert_int_equal(hs_lane_parse(TEXTS[lane - 1], &parsed), HS_OK);
        assert_int_equal(parsed, lane);
    }
    static const char *const WRONG[] = {"", "mone", "moneyy", "Money", "1"};
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        uint8_t parsed = 7;
        assert_int_equal(hs_lane_parse(WRONG[i], &parsed), HS_EVALUE);
        assert_int_equal(parsed, 7);
    }
}

static void stream_keys_sort_like_streams(void **state)
{
    (void)state;
    static const struct hs_stream SORTED[] = {{.partition = 1, .origin = 5, .lane = 4},
                                              {.partition = 2, .origin = 1, .lane = 2},
                                              {.partition = 2, .origin = 1, .lane = 3},
                                              {.partition = 2, .origin = 2, .lane = 1},
                                              {.partition = 2, .origin = UINT64_MAX, .lane = 1},
                                              {.partition = 0x0100, .origin = 0, .lane = 1},
                                              {.partition = HS_PARTITION_REGION, .origin = 0, .lane = 1}};
    for (size_t i = 0; i < COUNT(SORTED); i++) {
        uint8_t left[HS_STREAM_KEY_BYTES];
        hs_stream_key(&SORTED[i], left);
        struct hs_stream back = hs_stream_from_key(left);
        assert_int_equal(back.partition, SORTED[i].partition);
        assert_true(back.origin == SORTED[i].origin);
        assert_int_equal(back.lane, SORTED[i].lane);
        for (size_t j = 0; j < COUNT(SORTED); j++) {
            uint8_t right[HS_STREAM_KEY_BYTES];
            hs_stream_key(&SORTED[j], right);
            int expected = (i > j) - (i < j);
            int by_key = memcmp(left, right, sizeof left);
            assert_int_equal(hs_stream_compare(&SORTED[i], &SORTED[j]), expected);
            assert_int_equal((by_key > 0) - (by_key < 0), expected);
            assert_int_equal(hs_stream_equal(&SORTED[i], &SORTED[j]), i == j);
        }
    }
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_stream_key(&(struct hs_stream){.partition = 3201, .origin = 0x0102030405060708ULL, .lane = 2}, key);
    assert_memory_equal(key, "\x0c\x81\x01\x02\x03\x04\x05\x06\x07\x08\x02", sizeof key);
}

static void dots_sort_by_origin_then_number(void **state)
{
    (void)state;
    struct hs_dot low = {.origin = 1, .n = UINT64_MAX};
    struct hs_dot high = {.origin = UINT64_MAX, .n = 1};
    struct hs_dot next = {.origin = UINT64_MAX, .n = 2};
    assert_true(hs_dot_compare(&low, &high) < 0);
    assert_true(hs_dot_compare(&high, &low) > 0);
    assert_true(hs_dot_compare(&high, &next) < 0);
    assert_true(hs_dot_compare(&next, &high) > 0);
    assert_int_equal(hs_dot_compare(&high, &high), 0);
}

static void stamps_rise_and_saturate(void **state)
{
    (void)state;
    const uint64_t top_ms = ((uint64_t)1 << 47) - 1;
    assert_true(hs_stamp_next(0, 0, 0) == 1);
    assert_true(hs_stamp_next(0, 0, 1000) == (uint64_t)1000 << 16);
    assert_true(hs_stamp_next((uint64_t)1000 << 16, 0, 1000) == ((uint64_t)1000 << 16) + 1);
    assert_true(hs_stamp_next(0, (uint64_t)1000 << 16, 1000) == ((uint64_t)1000 << 16) + 1);
    assert_true(hs_stamp_next((uint64_t)2000 << 16, 7, 1000) == ((uint64_t)2000 << 16) + 1); /* the clock went back */
    assert_true(hs_stamp_next(7, (uint64_t)2000 << 16, 3000) == (uint64_t)3000 << 16);
    assert_true(hs_stamp_next(0xffff, 0, 0) == 0x10000); /* a full counter carries into the milliseconds */
    assert_true(hs_stamp_next(0, 0, top_ms) == top_ms << 16);
    assert_true(hs_stamp_next(0, 0, top_ms + 1) == top_ms << 16);
    assert_true(hs_stamp_next(0, 0, UINT64_MAX) == top_ms << 16);
    assert_true(hs_stamp_next(HS_STAMP_MAX - 1, 0, 0) == HS_STAMP_MAX);
    assert_true(hs_stamp_next(HS_STAMP_MAX, 0, 0) == HS_STAMP_MAX);
    assert_true(hs_stamp_next(0, UINT64_MAX, UINT64_MAX) == HS_STAMP_MAX);
    assert_true(hs_stamp_ms(((uint64_t)1000 << 16) + 65535) == 1000);
    assert_true(hs_stamp_ms(HS_STAMP_MAX) == top_ms);
}

static void check_id(const char *text, bool hashed, const char *hex)
{
    struct hs_id id;
    bool was_hashed = !hashed;
    char back[HS_ID_TEXT_BYTES];
    assert_int_equal(hs_id_from_text(text, strlen(text), &id, &was_hashed), HS_OK);
    assert_int_equal(was_hashed, hashed);
    assert_string_equal(hs_id_text(&id, back), hex);
}

static void ids_come_from_hex_uuid_or_any_text(void **state)
{
    (void)state;
    check_id("0123456789abcdef0123456789abcdef", false, "0123456789abcdef0123456789abcdef");
    check_id("0123456789ABCDEF0123456789abcdef", false, "0123456789abcdef0123456789abcdef");
    check_id("01234567-89AB-cdef-0123-456789abcdef", false, "0123456789abcdef0123456789abcdef");
    check_id("PAY-2026-0001", true, "01254d9e2f8220643cbbb93d046b83a8");
    check_id("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", true,
             "194ca8fe548dc7f57f062a8e4d86c95a");
    check_id("0123456789abcdef0123456789abcdeg", true, "bd4160fa1616419de8c15247563f956c");
}

static void ids_of_almost_uuids_are_hashed(void **state)
{
    (void)state;
    static const char *const TEXTS[] = {
        "0123456-789ab-cdef-0123-456789abcdef",  "01234567-89ab-cdef-0123-456789abcde-",
        "01234567-89ab-cdef-0123-456789abcdeg",  "01234567-89ab-cdef-01230456789abcdef",
        "01234567-89ab-cdef-0123-456789abcde",   "01234567-89ab-cdef-0123-456789abcdef0",
        "{01234567-89ab-cdef-0123-456789abcdef}"};
    for (size_t i = 0; i < COUNT(TEXTS); i++) {
        struct hs_id id;
        bool hashed = false;
        assert_int_equal(hs_id_from_text(TEXTS[i], strlen(TEXTS[i]), &id, &hashed), HS_OK);
        assert_true(hashed);
    }
    struct hs_id id;
    bool hashed;
    char text[65];
    memset(text, 'x', sizeof text);
    assert_int_equal(hs_id_from_text(text, 0, &id, &hashed), HS_EVALUE);
    assert_int_equal(hs_id_from_text(text, 65, &id, &hashed), HS_EVALUE);
}

static void record_keys_round_trip(void **state)
{
    (void)state;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_record_name name = {.partition = 3201, .lane = HS_LANE_MONEY, .kind = 0x0405, .id = TEXT("id")};
    size_t size = hs_record_key(&name, key);
    assert_int_equal(size, 7);
    assert_memory_equal(key, "\x0c\x81\x02\x04\x05id", 7);
    struct hs_record_name back;
    assert_int_equal(hs_record_from_key(HS_BYTES(key, size), &back), HS_OK);
    assert_int_equal(back.partition, 3201);
    assert_int_equal(back.lane, HS_LANE_MONEY);
    assert_int_equal(back.kind, 0x0405);
    assert_true(hs_bytes_equal(back.id, TEXT("id")));
    assert_ptr_equal(back.id.data, key + 5);

    uint8_t long_id[HS_RECORD_ID_BYTES_MAX];
    memset(long_id, 0xee, sizeof long_id);
    name.id = HS_BYTES(long_id, sizeof long_id);
    assert_int_equal(hs_record_key(&name, key), HS_RECORD_KEY_BYTES_MAX);
    assert_int_equal(hs_record_from_key(HS_BYTES(key, sizeof key), &back), HS_OK);
    assert_true(hs_bytes_equal(back.id, name.id));
}

static void record_keys_of_no_record_are_malformed(void **state)
{
    (void)state;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX + 1] = {0x0c, 0x81, HS_LANE_MONEY, 0, 1, 'x'};
    struct hs_record_name name = {.kind = 77};
    assert_int_equal(hs_record_from_key(HS_BYTES_NONE, &name), HS_EMALFORMED);
    assert_int_equal(hs_record_from_key(HS_BYTES(key, 5), &name), HS_EMALFORMED);
    assert_int_equal(hs_record_from_key(HS_BYTES(key, sizeof key), &name), HS_EMALFORMED);
    key[2] = 0;
    assert_int_equal(hs_record_from_key(HS_BYTES(key, 6), &name), HS_EMALFORMED);
    key[2] = HS_LANE_COUNT;
    assert_int_equal(hs_record_from_key(HS_BYTES(key, 6), &name), HS_EMALFORMED);
    key[2] = HS_LANE_BULK;
    hs_be16(key, 10000);
    assert_int_equal(hs_record_from_key(HS_BYTES(key, 6), &name), HS_EMALFORMED);
    assert_int_equal(name.kind, 77);
    hs_be16(key, HS_PARTITION_REGION);
    assert_int_equal(hs_record_from_key(HS_BYTES(key, 6), &name), HS_OK);
    assert_int_equal(name.kind, 1);
}

static void node_ids_are_short_and_plain(void **state)
{
    (void)state;
    static const char *const RIGHT[] = {"a", "hall-3201", "z9-", "abcdefghijklmnopqrstuvwxyz012345"};
    static const char *const WRONG[] = {"",       "3hall",        "-hall", "Hall", "hall_1",
                                        "hall 1", "hall\xc3\xa9", "a.b",   "aB",   "abcdefghijklmnopqrstuvwxyz0123456"};
    for (size_t i = 0; i < COUNT(RIGHT); i++)
        assert_true(hs_node_id_valid(RIGHT[i]));
    for (size_t i = 0; i < COUNT(WRONG); i++)
        assert_false(hs_node_id_valid(WRONG[i]));
}

/* hash */

static void check_hash(struct hs_hash hash, const char *hex)
{
    char text[HS_HASH_TEXT_BYTES];
    assert_string_equal(hs_hash_text(&hash, text), hex);
}

static void hashes_are_blake2b(void **state)
{
    (void)state;
    check_hash(hs_hash_of(HS_BYTES_NONE), "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    check_hash(hs_hash_of(TEXT("abc")), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    check_hash(hs_hash_domain("hallsync test 1", TEXT("abc")),
               "288475925ea6c5ac68b23029610539b4171719edbcb648e7998d6229d8c85a02");
    struct hs_stream stream = {.partition = 3201, .origin = 0x0102030405060708ULL, .lane = HS_LANE_MONEY};
    struct hs_hash start = hs_chain_start(&stream);
    check_hash(start, "69c96e4853cd59d6c4280c986a9d4cccdcd51c14535832d33da5d71b2f9ca481");
    check_hash(hs_chain_next(&start, TEXT("op")), "6fd57d7b8628d885200a5e36ac9d4eb0c25059d2aa6e62c5a9f92858287a8f9b");
}

static void hashes_compare_as_bytes(void **state)
{
    (void)state;
    struct hs_hash zero = {{0}};
    struct hs_hash first = {{1}};
    struct hs_hash last = {{0}};
    last.bytes[HS_HASH_BYTES - 1] = 0xff;
    assert_true(hs_hash_is_zero(&zero));
    assert_false(hs_hash_is_zero(&first));
    assert_false(hs_hash_is_zero(&last));
    assert_true(hs_hash_equal(&last, &last));
    assert_false(hs_hash_equal(&zero, &last));
    assert_int_equal(hs_hash_compare(&first, &first), 0);
    assert_true(hs_hash_compare(&last, &first) < 0);
    assert_true(hs_hash_compare(&first, &last) > 0);
}

static void sums_carry_and_wrap(void **state)
{
    (void)state;
    struct hs_hash one = {{1}};
    struct hs_hash sum = {{0xff, 0xff, 0x02}};
    hs_sum_add(&sum, &one);
    assert_memory_equal(sum.bytes, "\x00\x00\x03", 3);
    hs_sum_subtract(&sum, &one);
    assert_memory_equal(sum.bytes, "\xff\xff\x02", 3);

    struct hs_hash all_ones;
    memset(all_ones.bytes, 0xff, sizeof all_ones.bytes);
    sum = all_ones;
    hs_sum_add(&sum, &one);
    assert_true(hs_hash_is_zero(&sum));
    hs_sum_subtract(&sum, &one);
    assert_true(hs_hash_equal(&sum, &all_ones));
    hs_sum_add(&sum, &all_ones); /* 0xff + 0xff + carry in every byte */
    assert_int_equal(sum.bytes[0], 0xfe);
    for (size_t i = 1; i < HS_HASH_BYTES; i++)
        assert_int_equal(sum.bytes[i], 0xff);
    hs_sum_subtract(&sum, &all_ones);
    assert_true(hs_hash_equal(&sum, &all_ones));
}

static void sums_forget_order_and_what_was_subtracted(void **state)
{
    (void)state;
    struct hs_hash forward = {{0}};
    struct hs_hash backward = {{0}};
    for (uint8_t i = 0; i < 100; i++) {
        uint8_t other = (uint8_t)(99 - i);
        struct hs_hash a = hs_hash_of(HS_BYTES(&i, 1));
        struct hs_hash b = hs_hash_of(HS_BYTES(&other, 1));
        hs_sum_add(&forward, &a);
        hs_sum_add(&backward, &b);
    }
    assert_true(hs_hash_equal(&forward, &backward));
    assert_false(hs_hash_is_zero(&forward));
    for (uint8_t i = 0; i < 100; i++) {
        struct hs_hash a = hs_hash_of(HS_BYTES(&i, 1));
        hs_sum_subtract(&forward, &a);
    }
    assert_true(hs_hash_is_zero(&forward));
}

/* text */

static void text_accepts_utf8(void **state)
{
    (void)state;
    static const char *const RIGHT[] = {"",
                                        "hall 3201~",
                                        "tab\tand\nline",
                                        "\xc2\xa0",         /* U+00A0, the first after C1 */
                                        "\xdf\xbf",         /* U+07FF */
                                        "\xe0\xa0\x80",     /* U+0800 */
                                        "\xe6\xb0\xb4",     /* water */
                                        "\xed\x9f\xbf",     /* U+D7FF */
                                        "\xee\x80\x80",     /* U+E000 */
                                        "\xef\xbf\xbf",     /* U+FFFF */
                                        "\xf0\x90\x80\x80", /* U+10000 */
                                        "\xf4\x8f\xbf\xbf" /* U+10FFFF */};
    for (size_t i = 0; i < COUNT(RIGHT); i++)
        assert_true(hs_text_valid(HS_BYTES(RIGHT[i], strlen(RIGHT[i]))));
    assert_true(hs_text_valid(HS_BYTES_NONE));
}

static void text_refuses_what_is_not_utf8(void **state)
{
    (void)state;
    static const char *const WRONG[] = {
        "a\x80",            /* continuation without a lead */
        "\xbf\x80",         /* continuation without a lead */
        "\xc1\xbf",         /* overlong */
        "\xe0\x9f\xbf",     /* overlong */
        "\xf0\x8f\xbf\xbf", /* overlong */
        "\xed\xa0\x80",     /* first surrogate */
        "\xed\xbf\xbf",     /* last surrogate */
        "\xf4\x90\x80\x80", /* U+110000 */
        "\xf7\xbf\xbf\xbf", /* lead of nothing */
        "\xf8\x88\x80\x80\x80",
        "\xff",
        "\xe6\xb0",     /* cut */
        "\xe6\xb0z",    /* broken off */
        "\xe6z\xb4",    /* broken off */
        "\xc3\xc3\xa9", /* lead after lead */
    };
    for (size_t i = 0; i < COUNT(WRONG); i++)
        assert_false(hs_text_valid(HS_BYTES(WRONG[i], strlen(WRONG[i]))));
    assert_false(hs_text_valid(HS_BYTES("\xe6\xb0\xb4", 2))); /* the rest stands behind the end */
}

static void text_refuses_controls(void **state)
{
    (void)state;
    for (unsigned code = 0; code < 0x80; code++) {
        uint8_t byte = (uint8_t)code;
        bool expected = (code >= 0x20 && code != 0x7f) || code == '\t' || code == '\n';
        assert_int_equal(hs_text_valid(HS_BYTES(&byte, 1)), expected);
    }
    for (unsigned code = 0x80; code < 0xa0; code++) {
        uint8_t pair[2] = {0xc2, (uint8_t)code};
        assert_false(hs_text_valid(HS_BYTES(pair, 2)));
    }
    assert_false(hs_text_valid(TEXT("a\0b")));
    assert_false(hs_text_valid(TEXT("\xc0\x80"))); /* the overlong zero */
    assert_false(hs_text_valid(TEXT("\xc0\x8a"))); /* a line feed is allowed, but not in this form */
}

static void check_number(const char *text, int64_t expected)
{
    int64_t value = ~expected;
    assert_int_equal(hs_text_to_i64(text, strlen(text), &value), HS_OK);
    assert_true(value == expected);
}

static void numbers_reach_both_ends(void **state)
{
    (void)state;
    check_number("0", 0);
    check_number("-0", 0);
    check_number("0017", 17);
    check_number("-250", -250);
    check_number("9223372036854775807", INT64_MAX);
    check_number("-9223372036854775808", INT64_MIN);
    int64_t value = 0;
    assert_int_equal(hs_text_to_i64("123x", 3, &value), HS_OK);
    assert_true(value == 123);
}

static void numbers_refuse_the_rest(void **state)
{
    (void)state;
    static const char *const WRONG[] = {"",     "-",   "--1", "+1",  " 1",   "1 ",
                                        "1.0",  "1e3", "0x1", "1-",  "a",    "\xef\xbc\x91",
                                        "1\n2", "/",   ":",   "-/0", "12:0", "99999999999999999999x"};
    static const char *const OVER[] = {"9223372036854775808", "-9223372036854775809", "18446744073709551616",
                                       "184467440737095516160", "-99999999999999999999999999999999999999999"};
    int64_t value = 42;
    for (size_t i = 0; i < COUNT(WRONG); i++)
        assert_int_equal(hs_text_to_i64(WRONG[i], strlen(WRONG[i]), &value), HS_EVALUE);
    for (size_t i = 0; i < COUNT(OVER); i++)
        assert_int_equal(hs_text_to_i64(OVER[i], strlen(OVER[i]), &value), HS_EOVERFLOW);
    assert_int_equal(hs_text_to_i64("1\0", 2, &value), HS_EVALUE);
    assert_true(value == 42);
}

static void hex_has_exact_length(void **state)
{
    (void)state;
    uint8_t bytes[3] = {0};
    char text[7];
    assert_int_equal(hs_text_from_hex("09afAF", 6, bytes, 3), HS_OK);
    assert_memory_equal(bytes, "\x09\xaf\xaf", 3);
    hs_text_to_hex(HS_BYTES(bytes, 3), text);
    assert_string_equal(text, "09afaf");
    hs_text_to_hex(HS_BYTES_NONE, text);
    assert_string_equal(text, "");
    assert_int_equal(hs_text_from_hex("", 0, bytes, 0), HS_OK);
    static const char *const WRONG[] = {"",       "09af",   "09afa",  "09afAF0", "09afAF00", "09af0g", "09afg0",
                                        "0x09af", "09af0/", "09af0:", "09af0@",  "09af0G",   "09af0`"};
    for (size_t i = 0; i < COUNT(WRONG); i++)
        assert_int_equal(hs_text_from_hex(WRONG[i], strlen(WRONG[i]), bytes, 3), HS_EVALUE);
}

/* dates */

#define MORNING_MS 1795249805123ULL /* 2026-11-21T08:30:05.123Z */

static void dates_follow_the_offset(void **state)
{
    (void)state;
    assert_int_equal(hs_date_of(MORNING_MS, 0), 20261121);
    assert_int_equal(hs_date_of(MORNING_MS, 15 * 60 + 29), 20261121);
    assert_int_equal(hs_date_of(MORNING_MS, 15 * 60 + 30), 20261122);
    assert_int_equal(hs_date_of(MORNING_MS, -(8 * 60 + 30)), 20261121);
    assert_int_equal(hs_date_of(MORNING_MS, -(8 * 60 + 31)), 20261120);
    assert_int_equal(hs_date_of(0, 0), 19700101);
    assert_int_equal(hs_date_of(0, -1), 19691231);
    assert_int_equal(hs_date_of(0, -1439), 19691231);
    assert_int_equal(hs_date_of(86399999, 0), 19700101);
    assert_int_equal(hs_date_of(86400000, 0), 19700102);
    assert_int_equal(hs_date_of(951782400000ULL, 0), 20000229);
    assert_int_equal(hs_date_of(4107542400000ULL - 1, 0), 21000228); /* 2100 is no leap year */
    assert_int_equal(hs_date_of(4107542400000ULL, 0), 21000301);
    assert_int_equal(hs_date_of(UINT64_MAX, 1439), 99991231);
}

static void every_day_follows_the_one_before(void **state)
{
    (void)state;
    uint32_t before = 19691231;
    for (uint64_t day = 0; day < 2932897; day++) { /* to the end of 9999 */
        uint32_t date = hs_date_of(day * 86400000, 0);
        assert_int_equal(hs_date_days(date) - hs_date_days(19700101), day);
        bool next_day = date == before + 1;
        bool next_month = date % 100 == 1 && date / 100 == before / 100 + 1 && !hs_date_valid(before + 1);
        bool next_year = before % 10000 == 1231 && date == (before / 10000 + 1) * 10000 + 101;
        assert_true(hs_date_valid(date));
        assert_true(next_day || next_month || next_year);
        before = date;
    }
    assert_int_equal(before, 99991231);
}

static void times_are_rfc3339(void **state)
{
    (void)state;
    char text[HS_TIME_TEXT_BYTES];
    assert_string_equal(hs_time_text(MORNING_MS, 480, text), "2026-11-21T16:30:05.123+08:00");
    assert_string_equal(hs_time_text(MORNING_MS, 0, text), "2026-11-21T08:30:05.123+00:00");
    assert_string_equal(hs_time_text(MORNING_MS, -570, text), "2026-11-20T23:00:05.123-09:30");
    assert_string_equal(hs_time_text(0, -1, text), "1969-12-31T23:59:00.000-00:01");
    assert_string_equal(hs_time_text(UINT64_MAX, 1439, text), "9999-12-31T23:59:59.999+23:59");
}

static void dates_exist_in_the_calendar(void **state)
{
    (void)state;
    static const uint32_t RIGHT[] = {20261121, 20240229, 20000229, 20260131, 20260430, 10000101, 99991231};
    static const uint32_t WRONG[] = {0,        20261100, 20261131, 20261301,  20260001, 20260229,  21000229,
                                     20260132, 20240230, 9991231,  100000101, 261121,   UINT32_MAX};
    for (size_t i = 0; i < COUNT(RIGHT); i++)
        assert_true(hs_date_valid(RIGHT[i]));
    for (size_t i = 0; i < COUNT(WRONG); i++)
        assert_false(hs_date_valid(WRONG[i]));
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(errors_stand_in_both_languages),
        cmocka_unit_test(bytes_are_ordered_like_keys),
        cmocka_unit_test(buffer_writes_what_cursor_reads),
        cmocka_unit_test(buffer_keeps_its_bytes_while_growing),
        cmocka_unit_test(buffer_error_sticks_until_reset),
        cmocka_unit_test(cursor_error_sticks_and_reads_zeros),
        cmocka_unit_test(varint_round_trips_in_least_bytes),
        cmocka_unit_test(varint_refuses_other_forms),
        cmocka_unit_test(partitions_are_districts_or_the_region),
        cmocka_unit_test(accounts_have_ten_digits),
        cmocka_unit_test(lanes_have_numbers_and_names),
        cmocka_unit_test(stream_keys_sort_like_streams),
        cmocka_unit_test(dots_sort_by_origin_then_number),
        cmocka_unit_test(stamps_rise_and_saturate),
        cmocka_unit_test(ids_come_from_hex_uuid_or_any_text),
        cmocka_unit_test(ids_of_almost_uuids_are_hashed),
        cmocka_unit_test(record_keys_round_trip),
        cmocka_unit_test(record_keys_of_no_record_are_malformed),
        cmocka_unit_test(node_ids_are_short_and_plain),
        cmocka_unit_test(hashes_are_blake2b),
        cmocka_unit_test(hashes_compare_as_bytes),
        cmocka_unit_test(sums_carry_and_wrap),
        cmocka_unit_test(sums_forget_order_and_what_was_subtracted),
        cmocka_unit_test(text_accepts_utf8),
        cmocka_unit_test(text_refuses_what_is_not_utf8),
        cmocka_unit_test(text_refuses_controls),
        cmocka_unit_test(numbers_reach_both_ends),
        cmocka_unit_test(numbers_refuse_the_rest),
        cmocka_unit_test(hex_has_exact_length),
        cmocka_unit_test(dates_follow_the_offset),
        cmocka_unit_test(every_day_follows_the_one_before),
        cmocka_unit_test(times_are_rfc3339),
        cmocka_unit_test(dates_exist_in_the_calendar),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
