/* msg_test.c -- proto/msg: the wire format field by field, operations, messages and frames. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/base/text.h"
#include "proto/local.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/op.h"
#include "proto/msg/tlv.h"
#include "proto/peer.pb-c.h"

#include <string.h>

#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define COUNT(array)  (sizeof(array) / sizeof *(array))

/* ---- notation: hex digits are bytes, {TT ...} is tag TT and the length of what follows in it; spaces are free ---- */

static uint8_t hex_byte(const char *digits)
{
    uint8_t byte;
    assert_int_equal(hs_text_from_hex(digits, 2, &byte, 1), HS_OK);
    return byte;
}

static const char *assemble_group(const char *at, struct hs_buf *buf)
{
    while (*at != '\0' && *at != '}') {
        if (*at == ' ') {
            at++;
        } else if (*at == '{') {
            struct hs_buf inner = {0};
            hs_buf_put_u8(buf, hex_byte(at + 1));
            at = assemble_group(at + 3, &inner) + 1;
            hs_buf_put_sized(buf, hs_buf_bytes(&inner));
            hs_buf_fini(&inner);
        } else {
            hs_buf_put_u8(buf, hex_byte(at));
            at += 2;
        }
    }
    return at;
}

static struct hs_bytes assemble(const char *notation, struct hs_buf *buf)
{
    hs_buf_reset(buf);
    assert_int_equal(*assemble_group(notation, buf), '\0');
    assert_int_equal(buf->err, HS_OK);
    return hs_buf_bytes(buf);
}

/* ---- tlv ---- */

static void fields_are_read_as_written(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    hs_tlv_put_u64(&buf, 1, UINT64_MAX);
    hs_tlv_put_s64(&buf, 2, INT64_MIN);
    hs_tlv_put_s64(&buf, 3, -1);
    hs_tlv_put_fixed64(&buf, 4, 0x0102030405060708);
    hs_tlv_put_text(&buf, HS_FIELD_NUMBER_MAX, "hall");
    struct hs_bytes message = hs_buf_bytes(&buf);
    assert_true(hs_tlv_u64(message, 1, 0) == UINT64_MAX);
    assert_true(hs_tlv_i64(message, 1, 0) == -1);
    assert_true(hs_tlv_s64(message, 2, 0) == INT64_MIN);
    assert_true(hs_tlv_s64(message, 3, 0) == -1);
    assert_true(hs_bytes_equal(hs_tlv_bytes(message, HS_FIELD_NUMBER_MAX), TEXT("hall")));
    struct hs_tlv tlv;
    assert_true(hs_tlv_find(message, 4, &tlv));
    assert_int_equal(tlv.wire, HS_WIRE_FIXED64);
    assert_true(tlv.value == 0x0102030405060708);
    assert_true(hs_bytes_equal(tlv.raw, TEXT("\x21\x08\x07\x06\x05\x04\x03\x02\x01"))); /* little-endian, as protobuf */
    hs_buf_fini(&buf);
}

static void missing_and_mistyped_fields_give_the_default(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    struct hs_bytes message = assemble("{0a 68} 15 01000000", &buf); /* 1: bytes, 2: fixed32 */
    assert_true(hs_tlv_u64(message, 9, 7) == 7);
    assert_true(hs_tlv_u64(message, 1, 7) == 7);
    assert_true(hs_tlv_u64(message, 2, 7) == 7);
    assert_true(hs_tlv_s64(message, 1, -7) == -7);
    assert_true(hs_tlv_s64(message, 1, INT64_MIN) == INT64_MIN);
    assert_int_equal(hs_tlv_bytes(message, 2).size, 0);
    assert_int_equal(hs_tlv_bytes(message, 9).size, 0);
    hs_buf_fini(&buf);
}

static void the_last_occurrence_counts(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    assert_true(hs_tlv_u64(assemble("0801 {12 61} 0802", &buf), 1, 0) == 2);
    assert_true(hs_tlv_u64(assemble("0801 0802 08", &buf), 1, 7) == 7); /* cut: nothing in it is believed */
    hs_buf_fini(&buf);
}

static void broken_fields_are_malformed(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {
        "00 00",                   /* number 0 */
        "0b 0c",                   /* group */
        "0e 00",                   /* wire type 6 */
        "0f 00",                   /* wire type 7 */
        "8800 01",                 /* tag not minimal */
        "08 8000",                 /* varint not minimal */
        "08 ffffffffffffffffff02", /* varint above 64 bits */
        "88 8080808001 01",        /* number above 2^29-1 */
        "08",                      /* no varint */
        "0a",                      /* no length */
        "0a 02 61",                /* content cut */
        "0a ffffffffffffffffff01", /* length above everything */
        "09 01020304050607",       /* fixed64 cut */
        "0d 010203",               /* fixed32 cut */
    };
    struct hs_buf buf = {0};
    for (size_t i = 0; i < COUNT(BROKEN); i++) {
        struct hs_cur cur = hs_cur_of(assemble(BROKEN[i], &buf));
        struct hs_tlv tlv;
        if (hs_tlv_next(&cur, &tlv) || cur.err != HS_EMALFORMED)
            fail_msg("taken for a field: %s", BROKEN[i]);
    }
    hs_buf_fini(&buf);
}

/* ---- operations ---- */

static enum hs_err decode(struct hs_bytes bytes)
{
    struct hs_arena arena;
    struct hs_op op;
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_op_decode(bytes, &arena, &op);
    hs_arena_fini(&arena);
    return err;
}

/* Stamp 5, a payment, a customer with a value and a clear, and the request. */
#define STAMP   "09 0500000000000000 "
#define FACT    "{12 0803 {12 6162} {1a 78}} "
#define REQUEST "{1a 000102030405060708090a0b0c0d0e0f} "
#define DOT_7_5 "{1a 09 0700000000000000 1005} "
#define DOT_7_6 "{1a 09 0700000000000000 1006} "

static void an_op_is_read_field_by_field(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    struct hs_arena arena;
    struct hs_op op;
    hs_arena_init(&arena, 0);
    struct hs_bytes bytes = assemble(
        STAMP FACT "{12 0801 {12 6b} {22 0802 {12 {12 7a}} " DOT_7_5 DOT_7_6 "} {22 0804}} " REQUEST, &buf);
    assert_int_equal(hs_op_decode(bytes, &arena, &op), HS_OK);
    assert_true(op.stamp == 5);
    assert_int_equal(op.write_count, 2);
    assert_int_equal(op.request.size, HS_REQUEST_ID_BYTES);
    assert_int_equal(op.writes[0].kind, 3);
    assert_true(op.writes[0].is_fact);
    assert_true(hs_bytes_equal(op.writes[0].id, TEXT("ab")));
    assert_true(hs_bytes_equal(op.writes[0].fact, TEXT("x")));
    assert_int_equal(op.writes[0].field_count, 0);
    const struct hs_write *customer = &op.writes[1];
    assert_false(customer->is_fact);
    assert_int_equal(customer->field_count, 2);
    assert_int_equal(customer->fields[0].number, 2);
    assert_true(hs_bytes_equal(customer->fields[0].value, TEXT("\x12\x01z")));
    assert_int_equal(customer->fields[0].over_count, 2);
    assert_true(customer->fields[0].over[1].origin == 7);
    assert_true(customer->fields[0].over[1].n == 6);
    assert_int_equal(customer->fields[1].number, 4);
    assert_int_equal(customer->fields[1].value.size, 0);
    assert_int_equal(hs_op_check(&op), HS_OK);
    hs_arena_fini(&arena);
    hs_buf_fini(&buf);
}

static void good_forms_are_accepted(void **state)
{
    (void)state;
    static const char *const GOOD[] = {
        STAMP FACT,
        STAMP FACT REQUEST,
        STAMP "{12 0803 {12 61} {1a}}",                        /* a fact without bytes */
        STAMP "{12 0803 {12 61} {1a}} {12 0804 {12 61} {1a}}", /* the id of a record of another kind */
        STAMP "{12 08ffff03 {12 61} {22 0801}}",               /* the highest kind; a clear that overwrites nothing */
        STAMP "{12 0801 {12 61} {22 0802 {12 1001 1001 {12 7a} 15 00000000}}}", /* a value of many occurrences */
    };
    struct hs_buf buf = {0};
    for (size_t i = 0; i < COUNT(GOOD); i++) {
        if (decode(assemble(GOOD[i], &buf)) != HS_OK)
            fail_msg("refused: %s", GOOD[i]);
    }
    hs_buf_fini(&buf);
}

/* Each breaks one rule of the encoding; the same rules as protobuf's own reader would not hold. */
static void every_other_encoding_is_malformed(void **state)
{
    (void)state;
    static const struct {
        const char *rule;
        const char *op;
    } BROKEN[] = {
        {"empty", ""},
        {"no stamp", FACT},
        {"stamp behind the writes", FACT STAMP},
        {"stamp twice", STAMP STAMP FACT},
        {"stamp as varint", "08 05" FACT},
        {"stamp at 2^63", "09 0000000000000080" FACT},
        {"no write", STAMP},
        {"unknown field in the op", STAMP FACT "2001"},
        {"unknown field before the stamp", "2001" STAMP FACT},
        {"write of the wrong wire type", STAMP "1001" FACT},
        {"request before the writes", STAMP REQUEST FACT},
        {"request twice", STAMP FACT REQUEST REQUEST},
        {"request of 15 bytes", STAMP FACT "{1a 000102030405060708090a0b0c0d0e}"},
        {"request of no bytes", STAMP FACT "{1a}"},
        {"length not minimal", STAMP "12 8900 0803 12026162 1a0178"},
        {"tag not minimal", STAMP "9200 09 0803 12026162 1a0178"},
        {"same record twice", STAMP FACT FACT},
        {"same record twice, apart", STAMP FACT "{12 0804 {12 61} {1a}}" FACT},
        {"write without kind", STAMP "{12 {12 61} {1a 78}}"},
        {"kind 0", STAMP "{12 0800 {12 61} {1a 78}}"},
        {"kind 65536", STAMP "{12 08808004 {12 61} {1a 78}}"},
        {"kind not minimal", STAMP "{12 088300 {12 61} {1a 78}}"},
        {"kind twice", STAMP "{12 0803 0803 {12 61} {1a 78}}"},
        {"write without id", STAMP "{12 0803 {1a 78}}"},
        {"id of no bytes", STAMP "{12 0803 {12} {1a 78}}"},
        {"id before kind", STAMP "{12 {12 61} 0803 {1a 78}}"},
        {"neither fact nor fields", STAMP "{12 0803 {12 61}}"},
        {"fact with fields", STAMP "{12 0803 {12 61} {1a 78} {22 0801}}"},
        {"fact behind fields", STAMP "{12 0803 {12 61} {22 0801} {1a 78}}"},
        {"fact twice", STAMP "{12 0803 {12 61} {1a 78} {1a 78}}"},
        {"unknown field in a write", STAMP "{12 0803 {12 61} {1a 78} 2801}"},
        {"field without number", STAMP "{12 0801 {12 61} {22 {12 {12 7a}}}}"},
        {"field 0", STAMP "{12 0801 {12 61} {22 0800}}"},
        {"field 2^29", STAMP "{12 0801 {12 61} {22 088080808002}}"},
        {"field 2^32 + 1", STAMP "{12 0801 {12 61} {22 088180808010}}"},
        {"fields descending", STAMP "{12 0801 {12 61} {22 0803} {22 0802}}"},
        {"field twice", STAMP "{12 0801 {12 61} {22 0802} {22 0802}}"},
        {"value of no bytes", STAMP "{12 0801 {12 61} {22 0802 {12}}}"},
        {"value twice", STAMP "{12 0801 {12 61} {22 0802 {12 1001} {12 1001}}}"},
        {"value of another field", STAMP "{12 0801 {12 61} {22 0802 {12 1801}}}"},
        {"value partly of another field", STAMP "{12 0801 {12 61} {22 0802 {12 1001 1801}}}"},
        {"value cut", STAMP "{12 0801 {12 61} {22 0802 {12 1001 10}}}"},
        {"value not minimal", STAMP "{12 0801 {12 61} {22 0802 {12 108100}}}"},
        {"value a group", STAMP "{12 0801 {12 61} {22 0802 {12 13 14}}}"},
        {"unknown field in a field", STAMP "{12 0801 {12 61} {22 0802 2001}}"},
        {"value behind dots", STAMP "{12 0801 {12 61} {22 0802 " DOT_7_5 "{12 1001}}}"},
        {"dots descending", STAMP "{12 0801 {12 61} {22 0802 " DOT_7_6 DOT_7_5 "}}"},
        {"dot twice", STAMP "{12 0801 {12 61} {22 0802 " DOT_7_5 DOT_7_5 "}}"},
        {"dot of origin 0", STAMP "{12 0801 {12 61} {22 0802 {1a 09 0000000000000000 1005}}}"},
        {"dot of number 0", STAMP "{12 0801 {12 61} {22 0802 {1a 09 0700000000000000 1000}}}"},
        {"dot without origin", STAMP "{12 0801 {12 61} {22 0802 {1a 1005}}}"},
        {"dot without number", STAMP "{12 0801 {12 61} {22 0802 {1a 09 0700000000000000}}}"},
        {"dot the wrong way round", STAMP "{12 0801 {12 61} {22 0802 {1a 1005 09 0700000000000000}}}"},
        {"unknown field in a dot", STAMP "{12 0801 {12 61} {22 0802 {1a 09 0700000000000000 1005 1801}}}"},
    };
    struct hs_buf buf = {0};
    for (size_t i = 0; i < COUNT(BROKEN); i++) {
        if (decode(assemble(BROKEN[i].op, &buf)) != HS_EMALFORMED)
            fail_msg("accepted: %s", BROKEN[i].rule);
    }
    hs_buf_fini(&buf);
}

/* ---- the limits of an op, and what its writer is told ---- */

/* An op as large as the tests below need it; each takes what it wants. */
struct big {
    uint8_t bytes[HS_RECORD_BYTES_MAX + 1];
    uint8_t ids[HS_OP_WRITES_MAX + 1];
    struct hs_dot over[HS_FIELD_OVER_MAX + 1];
    struct hs_buf values[3]; /* of fields 1, 2, 3 */
    struct hs_field_write fields[HS_WRITE_FIELDS_MAX + 1];
    struct hs_write writes[HS_OP_WRITES_MAX + 1];
    struct hs_op op;
};

/* One fact without bytes per write to begin with; over and fields lie ready. */
static void big_init(struct big *big)
{
    memset(big, 0, sizeof *big);
    for (size_t i = 0; i < COUNT(big->over); i++)
        big->over[i] = (struct hs_dot){1, i + 1};
    for (size_t i = 0; i < COUNT(big->fields); i++)
        big->fields[i].number = (uint32_t)i + 1;
    for (size_t i = 0; i < COUNT(big->writes); i++) {
        big->ids[i] = (uint8_t)i;
        big->writes[i] = (struct hs_write){.kind = 1, .id = HS_BYTES(&big->ids[i], 1), .is_fact = true};
    }
    big->op = (struct hs_op){.stamp = HS_STAMP_MAX, .writes = big->writes, .write_count = 1};
}

static void big_fini(struct big *big)
{
    for (size_t i = 0; i < COUNT(big->values); i++)
        hs_buf_fini(&big->values[i]);
}

static void big_registers(struct big *big, size_t field_count)
{
    big->writes[0].is_fact = false;
    big->writes[0].fields = big->fields;
    big->writes[0].field_count = field_count;
}

/* Give field @number a value of so many bytes in all: a tag, a length of two bytes, 128 to 16383 bytes of content. */
static void big_value(struct big *big, uint32_t number, size_t size)
{
    struct hs_buf *value = &big->values[number - 1];
    hs_tlv_put_bytes(value, number, HS_BYTES(big->bytes, size - 3));
    assert_int_equal(value->size, size);
    big->fields[number - 1].value = hs_buf_bytes(value);
}

/* The writer is told @expected; a reader takes the encoding exactly if that is HS_OK. */
static void expect_verdict(const struct hs_op *op, enum hs_err expected)
{
    struct hs_buf buf = {0};
    hs_op_encode(op, &buf);
    assert_int_equal(buf.err, HS_OK);
    assert_int_equal(hs_op_check(op), expected);
    assert_int_equal(decode(hs_buf_bytes(&buf)), expected == HS_OK ? HS_OK : HS_EMALFORMED);
    hs_buf_fini(&buf);
}

static void counts_have_limits(void **state)
{
    (void)state;
    struct big big;
    big_init(&big);
    big.op.write_count = HS_OP_WRITES_MAX;
    expect_verdict(&big.op, HS_OK);
    big.op.write_count++;
    expect_verdict(&big.op, HS_ETOOBIG);
    big.op.write_count = 1;
    big_registers(&big, HS_WRITE_FIELDS_MAX);
    expect_verdict(&big.op, HS_OK);
    big.writes[0].field_count++;
    expect_verdict(&big.op, HS_ETOOBIG);
    big.writes[0].field_count = 1;
    big.fields[0].over = big.over;
    big.fields[0].over_count = HS_FIELD_OVER_MAX;
    expect_verdict(&big.op, HS_OK);
    big.fields[0].over_count++;
    expect_verdict(&big.op, HS_ETOOBIG);
    big_fini(&big);
}

static void sizes_have_limits(void **state)
{
    (void)state;
    struct big big;
    big_init(&big);
    big.writes[0].fact = HS_BYTES(big.bytes, HS_RECORD_BYTES_MAX);
    expect_verdict(&big.op, HS_OK);
    big.writes[0].fact.size++;
    expect_verdict(&big.op, HS_ETOOBIG);
    big.writes[0].fact.size = 0;
    big.writes[0].id = HS_BYTES(big.bytes, HS_RECORD_ID_BYTES_MAX);
    expect_verdict(&big.op, HS_OK);
    big.writes[0].id.size++;
    expect_verdict(&big.op, HS_ETOOBIG);
    big_fini(&big);
}

static void values_have_limits(void **state)
{
    (void)state;
    struct big big;
    big_init(&big);
    big_registers(&big, 2);
    big_value(&big, 1, HS_FIELD_BYTES_MAX);
    big_value(&big, 2, HS_FIELD_BYTES_MAX);
    expect_verdict(&big.op, HS_OK);
    big.writes[0].field_count = 3; /* the record over its limit, no field */
    big_value(&big, 3, 200);
    expect_verdict(&big.op, HS_ETOOBIG);
    big_fini(&big);
    big_init(&big);
    big_registers(&big, 1);
    big_value(&big, 1, HS_FIELD_BYTES_MAX + 1);
    expect_verdict(&big.op, HS_ETOOBIG);
    big_fini(&big);
}

static void an_op_has_a_limit(void **state)
{
    (void)state;
    struct big big;
    struct hs_buf buf = {0};
    big_init(&big);
    big.op.write_count = 2;
    big.writes[0].fact = HS_BYTES(big.bytes, HS_RECORD_BYTES_MAX);
    big.writes[1].fact = HS_BYTES(big.bytes, HS_RECORD_BYTES_MAX - 100);
    hs_op_encode(&big.op, &buf);
    big.writes[1].fact.size += HS_OP_BYTES_MAX - buf.size; /* the lengths before it do not grow */
    expect_verdict(&big.op, HS_OK);
    big.writes[1].fact.size++;
    expect_verdict(&big.op, HS_ETOOBIG);
    hs_buf_fini(&buf);
    big_fini(&big);
}

static void writers_are_told_what_does_not_make_sense(void **state)
{
    (void)state;
    struct hs_dot over[] = {{1, 1}, {2, 1}};
    struct hs_field_write fields[] = {{.number = 1, .over = over, .over_count = 2}, {.number = 2}};
    struct hs_write writes[] = {{.kind = 1, .id = TEXT("a"), .fields = fields, .field_count = 2},
                                {.kind = 1, .id = TEXT("b"), .is_fact = true}};
    struct hs_op op = {.stamp = 1, .writes = writes, .write_count = 2};
    expect_verdict(&op, HS_OK);
#define EXPECT_INVALID(lvalue, bad)         \
    do {                                    \
        __typeof__(lvalue) good = (lvalue); \
        (lvalue) = bad;                     \
        expect_verdict(&op, HS_EINVAL);     \
        (lvalue) = good;                    \
    } while (0)
    EXPECT_INVALID(op.stamp, (HS_STAMP_MAX + 1));
    EXPECT_INVALID(op.write_count, 0);
    EXPECT_INVALID(op.request, TEXT("fifteen bytes 5"));
    EXPECT_INVALID(writes[1].kind, 0);
    EXPECT_INVALID(writes[1].id, TEXT(""));
    EXPECT_INVALID(writes[1].id, TEXT("a")); /* the same record twice */
    EXPECT_INVALID(writes[1].is_fact, false);
    EXPECT_INVALID(writes[0].is_fact, true);
    EXPECT_INVALID(fields[0].number, 0);
    EXPECT_INVALID(fields[0].number, 2); /* twice */
    EXPECT_INVALID(fields[0].number, 3); /* descending */
    EXPECT_INVALID(fields[1].number, (HS_FIELD_NUMBER_MAX + 1));
    EXPECT_INVALID(fields[1].value, TEXT("\x08\x01")); /* of field 1 */
    EXPECT_INVALID(over[0].origin, 0);
    EXPECT_INVALID(over[0].origin, 2); /* twice */
    EXPECT_INVALID(over[1].n, 0);
#undef EXPECT_INVALID
    expect_verdict(&op, HS_OK);
}

static void decoding_says_when_memory_is_out(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    struct hs_op op = {.stamp = 99};
    struct hs_bytes bytes = assemble(STAMP FACT "{12 0801 {12 6b} {22 0802 " DOT_7_5 "}}", &buf);
    size_t failures = 0;
    enum hs_err err = HS_ENOMEM;
    for (size_t limit = 16; err != HS_OK; limit += 16) {
        struct hs_arena arena;
        hs_arena_init(&arena, limit);
        err = hs_op_decode(bytes, &arena, &op);
        hs_arena_fini(&arena);
        if (err != HS_OK) {
            assert_int_equal(err, HS_ENOMEM);
            assert_true(op.stamp == 99);
            failures++;
        }
    }
    assert_true(failures > 3);
    hs_buf_fini(&buf);
}

/* ---- messages and frames ---- */

static enum hs_err unpack(const ProtobufCMessageDescriptor *descriptor, struct hs_bytes bytes, size_t limit)
{
    struct hs_arena arena;
    ProtobufCMessage *message;
    hs_arena_init(&arena, limit);
    enum hs_err err = hs_msg_unpack(descriptor, bytes, &arena, &message);
    hs_arena_fini(&arena);
    return err;
}

static void messages_are_packed_and_unpacked(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    struct hs_arena arena;
    ProtobufCMessage *message;
    Hallsync__PeerRefuse refuse = HALLSYNC__PEER_REFUSE__INIT;
    refuse.error = (char *)"version";
    hs_arena_init(&arena, 0);
    hs_msg_pack(&refuse.base, &buf);
    assert_int_equal(hs_msg_unpack(&hallsync__peer_refuse__descriptor, hs_buf_bytes(&buf), &arena, &message), HS_OK);
    assert_string_equal(((Hallsync__PeerRefuse *)message)->error, "version");
    assert_null(((Hallsync__PeerRefuse *)message)->text);
    hs_arena_fini(&arena);
    hs_buf_fini(&buf);
}

/* Partition 2^32 + 3201 is not partition 3201, at whatever depth. */
static void numbers_are_not_cut_short(void **state)
{
    (void)state;
    struct hs_buf name = {0}, buf = {0};
    for (int wide = 0; wide < 2; wide++) {
        hs_buf_reset(&name);
        hs_buf_reset(&buf);
        hs_tlv_put_fixed64(&name, 1, 7);
        hs_tlv_put_u64(&name, 2, 3201 + ((uint64_t)wide << 32));
        hs_tlv_put_u64(&name, 3, 2);
        hs_tlv_put_bytes(&buf, 1, hs_buf_bytes(&name));
        hs_tlv_put_u64(&buf, 2, 5);
        assert_int_equal(unpack(&hallsync__stream_ack__descriptor, hs_buf_bytes(&buf), 0),
                         wide ? HS_EMALFORMED : HS_OK);
    }
    hs_buf_fini(&name);
    hs_buf_fini(&buf);
}

static void text_is_checked_at_every_depth(void **state)
{
    (void)state;
    static const ProtobufCMessageDescriptor *const REFUSE = &hallsync__peer_refuse__descriptor;
    static const ProtobufCMessageDescriptor *const NODES = &hallsync__nodes_reply__descriptor;
    struct hs_buf buf = {0};
    assert_int_equal(unpack(REFUSE, assemble("{0a 61}", &buf), 0), HS_OK);
    assert_int_equal(unpack(REFUSE, assemble("{0a 61ff}", &buf), 0), HS_EUTF8);
    assert_int_equal(unpack(REFUSE, assemble("{0a 610062}", &buf), 0), HS_EUTF8); /* nothing hides behind a zero */
    assert_int_equal(unpack(REFUSE, assemble("{0a 61} {12 07}", &buf), 0), HS_EUTF8);
    assert_int_equal(unpack(REFUSE, assemble("{0a 61} {7a ff}", &buf), 0), HS_OK); /* unknown: not for us to judge */
    assert_int_equal(unpack(NODES, assemble("{0a {0a 61} {12 62} {22 63}}", &buf), 0), HS_OK);
    assert_int_equal(unpack(NODES, assemble("{0a {0a 61} {12 62} {22 c0}}", &buf), 0), HS_EUTF8);
    hs_buf_fini(&buf);
}

static void broken_messages_are_malformed(void **state)
{
    (void)state;
    static const char *const BROKEN[] = {"", "{12 61}", "0801", "{0a 61} 0b", "{0a 61} 1a05", "{0a 61} 209001 8000"};
    struct hs_buf buf = {0};
    for (size_t i = 0; i < COUNT(BROKEN); i++)
        assert_int_equal(unpack(&hallsync__peer_refuse__descriptor, assemble(BROKEN[i], &buf), 0), HS_EMALFORMED);
    hs_buf_fini(&buf);
}

static void the_arena_bounds_an_unpacked_message(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    for (size_t i = 0; i < 10000; i++)
        hs_tlv_put_u64(&buf, 7, i); /* districts of a Hello: two or three bytes on the wire, four in memory */
    struct hs_bytes bytes = hs_buf_bytes(&buf);
    assert_int_equal(unpack(&hallsync__peer_hello__descriptor, bytes, 4096), HS_ENOMEM);
    assert_int_equal(unpack(&hallsync__peer_hello__descriptor, bytes, 0), HS_EMALFORMED); /* required ones missing */
    hs_buf_fini(&buf);
}

static void frames_have_a_header(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    struct hs_frame frame;
    Hallsync__PeerProbe probe = HALLSYNC__PEER_PROBE__INIT;
    probe.id = 5;
    hs_frame_encode(HALLSYNC__PEER_TYPE__PEER_PROBE, 0x01020304, &probe.base, &buf);
    assert_true(hs_bytes_equal(hs_buf_bytes(&buf), TEXT("\x01\x08\x01\x02\x03\x04\x08\x05")));
    assert_int_equal(hs_frame_decode(hs_buf_bytes(&buf), &frame), HS_OK);
    assert_int_equal(frame.type, HALLSYNC__PEER_TYPE__PEER_PROBE);
    assert_true(frame.sequence == 0x01020304);
    assert_true(hs_bytes_equal(frame.body, TEXT("\x08\x05")));
    assert_int_equal(hs_frame_decode(HS_BYTES(buf.data, HS_FRAME_HEADER_BYTES), &frame), HS_OK);
    assert_int_equal(frame.body.size, 0);
    assert_int_equal(hs_frame_decode(HS_BYTES(buf.data, HS_FRAME_HEADER_BYTES - 1), &frame), HS_EMALFORMED);
    buf.data[0] = 2;
    assert_int_equal(hs_frame_decode(hs_buf_bytes(&buf), &frame), HS_EVERSION);
    buf.data[0] = HS_FRAME_VERSION;
    size_t more = HS_MESSAGE_BYTES_MAX - buf.size;
    assert_non_null(hs_buf_extend(&buf, more));
    assert_int_equal(hs_frame_decode(hs_buf_bytes(&buf), &frame), HS_OK);
    hs_buf_put_u8(&buf, 0);
    assert_int_equal(hs_frame_decode(hs_buf_bytes(&buf), &frame), HS_EMALFORMED);
    hs_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_read_as_written),
        cmocka_unit_test(missing_and_mistyped_fields_give_the_default),
        cmocka_unit_test(the_last_occurrence_counts),
        cmocka_unit_test(broken_fields_are_malformed),
        cmocka_unit_test(an_op_is_read_field_by_field),
        cmocka_unit_test(good_forms_are_accepted),
        cmocka_unit_test(every_other_encoding_is_malformed),
        cmocka_unit_test(counts_have_limits),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(values_have_limits),
        cmocka_unit_test(an_op_has_a_limit),
        cmocka_unit_test(writers_are_told_what_does_not_make_sense),
        cmocka_unit_test(decoding_says_when_memory_is_out),
        cmocka_unit_test(messages_are_packed_and_unpacked),
        cmocka_unit_test(numbers_are_not_cut_short),
        cmocka_unit_test(text_is_checked_at_every_depth),
        cmocka_unit_test(broken_messages_are_malformed),
        cmocka_unit_test(the_arena_bounds_an_unpacked_message),
        cmocka_unit_test(frames_have_a_header),
    };
    return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
