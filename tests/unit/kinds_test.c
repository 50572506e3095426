/* kinds_test.c -- storage/model/kinds_{check,index,text,look}.c with kinds that no release has: each form by itself,
 * lines, keys of indexes over lines and over two fields, ids that are hashes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/msg/tlv.h"
#include "proto/records.pb-c.h"
#include "storage/model/kinds.h"
#include "tests/lib/thing_kind.h"

#include <string.h>

#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define TEXT(literal) HS_BYTES(literal, sizeof(literal) - 1)

/* ---- forms ---- */

static enum hs_err check_one(const ProtobufCMessageDescriptor *message, const struct hs_field_rule *rule,
                             const struct hs_buf *bytes, struct hs_why *why)
{
    struct hs_kind kind = {.name = "thing", .message = message, .fields = rule, .field_count = 1};
    uint32_t field;
    *why = (struct hs_why){""};
    enum hs_err err = hs_kind_check(&kind, hs_buf_bytes(bytes), (struct hs_check){.strict = true}, &field, why);
    assert_int_equal(field, err == HS_OK ? 0 : rule->number);
    return err;
}

static void numbers_have_bounds(void **state)
{
    (void)state;
    static const struct {
        const ProtobufCMessageDescriptor *message;
        uint32_t number; /* of a field of the type that the form needs */
        enum hs_form form;
        uint16_t most;
        uint64_t raw;
        enum hs_err err;
        const char *why;
    } CASES[] = {
        {&hallsync__payment__descriptor, 6, HS_FORM_COUNT, 5, 1, HS_OK, ""},
        {&hallsync__payment__descriptor, 6, HS_FORM_COUNT, 5, 5, HS_OK, ""},
        {&hallsync__payment__descriptor, 6, HS_FORM_COUNT, 5, 0, HS_EVALUE, "window: is zero"},
        {&hallsync__payment__descriptor, 6, HS_FORM_COUNT, 5, 6, HS_EOVERFLOW, "window: 6 is above 5"},
        {&hallsync__payment__descriptor, 6, HS_FORM_COUNT, 0, UINT32_MAX, HS_OK, ""},
        {&hallsync__payment__descriptor, 6, HS_FORM_NUMBER, 30, 0, HS_OK, ""},
        {&hallsync__payment__descriptor, 6, HS_FORM_NUMBER, 30, 31, HS_EOVERFLOW, "window: 31 is above 30"},
        {&hallsync__payment__descriptor, 3, HS_FORM_SUM, 0, 0, HS_OK, ""},
        {&hallsync__payment__descriptor, 3, HS_FORM_SUM, 0, HS_AMOUNT_FEN_MAX, HS_OK, ""},
        {&hallsync__payment__descriptor, 3, HS_FORM_SUM, 0, (uint64_t)-1, HS_EAMOUNT, "amount_fen: -1 is below zero"},
        {&hallsync__payment__descriptor, 3, HS_FORM_SUM, 0, HS_AMOUNT_FEN_MAX + 1, HS_EOVERFLOW,
         "amount_fen: 100000000001 is above 100000000000"},
        {&hallsync__cash_entry__descriptor, 3, HS_FORM_BALANCE, 0, 0, HS_OK, ""},
        {&hallsync__cash_entry__descriptor, 3, HS_FORM_BALANCE, 0, 1, HS_OK, ""}, /* -1 */
        {&hallsync__cash_entry__descriptor, 3, HS_FORM_BALANCE, 0, 200000000002, HS_EOVERFLOW,
         "amount_fen: 100000000001 is beyond 100000000000"},
        {&hallsync__cash_entry__descriptor, 2, HS_FORM_QUANTITY, 0, 1000000000000, HS_OK, ""},
        {&hallsync__cash_entry__descriptor, 2, HS_FORM_QUANTITY, 0, 1000000000001, HS_EOVERFLOW,
         "time_ms: 1000000000001 is above 1000000000000"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct hs_field_rule rule = {.number = CASES[i].number, .form = CASES[i].form, .most = CASES[i].most};
        struct hs_buf buf = {0};
        struct hs_why why;
        hs_tlv_put_u64(&buf, rule.number, CASES[i].raw);
        assert_int_equal(check_one(CASES[i].message, &rule, &buf, &why), CASES[i].err);
        assert_string_equal(why.text, CASES[i].why);
        hs_buf_fini(&buf);
    }
}

static void texts_have_forms(void **state)
{
    (void)state;
    static const struct {
        enum hs_form form;
        const char *text;
        const char *why; /* NULL: fits */
    } CASES[] = {
        {HS_FORM_NODE, "nj-chengbei", NULL},
        {HS_FORM_NODE, "", "clerk: '' is no id of a node"},
        {HS_FORM_NODE, "9", "clerk: '9' is no id of a node"},
        {HS_FORM_NODE, "a23456789-123456789-123456789-123",
         "clerk: 'a23456789-123456789-123456789-123' is no id of a node"},
        {HS_FORM_HOUR, "00:00", NULL},
        {HS_FORM_HOUR, "19:59", NULL},
        {HS_FORM_HOUR, "23:00", NULL},
        {HS_FORM_HOUR, "24:00", "clerk: '24:00' is not a time of day like 08:30"},
        {HS_FORM_HOUR, "30:00", "clerk: '30:00' is not a time of day like 08:30"},
        {HS_FORM_HOUR, "08:60", "clerk: '08:60' is not a time of day like 08:30"},
        {HS_FORM_HOUR, "8:30", "clerk: '8:30' is not a time of day like 08:30"},
        {HS_FORM_HOUR, "08-30", "clerk: '08-30' is not a time of day like 08:30"},
        {HS_FORM_HOUR, "", "clerk: '' is not a time of day like 08:30"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct hs_field_rule rule = {.number = 7, .form = CASES[i].form};
        struct hs_buf buf = {0};
        struct hs_why why;
        hs_tlv_put_text(&buf, 7, CASES[i].text);
        assert_int_equal(check_one(&hallsync__payment__descriptor, &rule, &buf, &why),
                         CASES[i].why == NULL ? HS_OK : HS_EVALUE);
        assert_string_equal(why.text, CASES[i].why == NULL ? "" : CASES[i].why);
        hs_buf_fini(&buf);
    }
}

static void hashes_have_their_size(void **state)
{
    (void)state;
    static const uint8_t BYTES[33];
    struct hs_field_rule rule = {.number = 5, .form = HS_FORM_HASH};
    for (size_t size = 31; size <= 33; size++) {
        struct hs_buf buf = {0};
        struct hs_why why;
        hs_tlv_put_bytes(&buf, 5, HS_BYTES(BYTES, size));
        assert_int_equal(check_one(&hallsync__cash_entry__descriptor, &rule, &buf, &why),
                         size == 32 ? HS_OK : HS_EVALUE);
        assert_string_equal(why.text, size == 32   ? ""
                                      : size == 31 ? "fact_id: 31 bytes, a hash has 32"
                                                   : "fact_id: 33 bytes, a hash has 32");
        hs_buf_fini(&buf);
    }
}

/* ---- lines ---- */

static void put_lines(struct hs_buf *buf, const char *text)
{
    struct hs_fields fields = hs_kind_fields(&THING);
    struct hs_why why = {""};
    enum hs_err err = hs_field_parse(&fields, hs_kind_rule(&THING, THING_LINES), HS_BYTES(text, strlen(text)), buf,
                                     &why);
    if (err != HS_OK)
        fail_msg("%s: %s", text, why.text);
}

static enum hs_err check_thing(const struct hs_buf *buf, bool strict, struct hs_why *why)
{
    uint32_t field;
    *why = (struct hs_why){""};
    return hs_kind_check(&THING, hs_buf_bytes(buf), (struct hs_check){.strict = strict}, &field, why);
}

static void lines_are_checked_like_records(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        enum hs_err err;
        const char *why;
    } CASES[] = {
        {"a", HS_OK, ""},
        {"a:yes:5;b;c:no", HS_OK, ""},
        {"a;b;a", HS_OK, ""},
        {"a:maybe", HS_EVALUE, "events[0].state: 'maybe' is none of yes, no"},
        {"a;:yes", HS_EREQUIRED, "events[1].event_id: is missing; a line needs it"},
        {"a;b;12345678901234567", HS_ETOOBIG, "events[2].event_id: 17 bytes, at most 16"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct hs_buf buf = {0};
        struct hs_why why;
        struct hs_hash flaw;
        put_lines(&buf, CASES[i].lines);
        assert_int_equal(check_thing(&buf, true, &why), CASES[i].err);
        assert_string_equal(why.text, CASES[i].why);
        hs_tlv_put_text(&buf, 1, "there");
        /* A choice or a missing text in a line can be let pass; a number that is no text of a line could not. */
        assert_int_equal(hs_kind_flaw(&THING, hs_buf_bytes(&buf), &flaw),
                         CASES[i].err == HS_ETOOBIG ? HS_EVALUE : HS_OK);
        hs_buf_fini(&buf);
    }
}

static void lines_have_limits_and_types(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    struct hs_buf line = {0};
    struct hs_why why;
    struct hs_hash flaw;
    put_lines(&buf, "a;b;c");
    put_lines(&buf, "d");
    assert_int_equal(check_thing(&buf, false, &why), HS_ETOOBIG);
    assert_string_equal(why.text, "events: more than 3 lines");
    assert_int_equal(hs_kind_flaw(&THING, hs_buf_bytes(&buf), &flaw), HS_EVALUE);
    hs_buf_reset(&buf);
    hs_tlv_put_u64(&buf, THING_LINES, 1);
    assert_int_equal(check_thing(&buf, false, &why), HS_EVALUE);
    assert_string_equal(why.text, "events: is not encoded as its type");
    hs_buf_reset(&buf);
    hs_tlv_put_bytes(&buf, THING_LINES, TEXT("\xff\xff"));
    assert_int_equal(check_thing(&buf, false, &why), HS_EVALUE);
    assert_string_equal(why.text, "events[0].line: the bytes are not a message");
    /* What a later version has put into a line passes where the record is only read. */
    hs_buf_reset(&buf);
    hs_tlv_put_text(&line, 1, "a");
    hs_tlv_put_text(&line, 31, "later");
    hs_tlv_put_bytes(&buf, THING_LINES, hs_buf_bytes(&line));
    assert_int_equal(check_thing(&buf, false, &why), HS_OK);
    assert_int_equal(check_thing(&buf, true, &why), HS_EFIELD);
    assert_string_equal(why.text, "events[0].line: has no field 31");
    hs_buf_fini(&line);
    hs_buf_fini(&buf);
}

/* ---- text ---- */

static void lines_read_as_they_are_written(void **state)
{
    (void)state;
    static const char *const SAME[] = {
        "a", "a;b", "a:yes:5", "a::5", ":yes", "a;;b", "a\\:b\\;c\\\\d:no", "王:yes;小明::7",
    };
    static const struct {
        const char *text, *as;
    } SHORTER[] = {{"a:", "a"}, {"a:yes:", "a:yes"}, {"a:\\y", "a:y"}, {"a::", "a"}, {"a\\", "a\\\\"}};
    struct hs_fields fields = hs_kind_fields(&THING);
    for (size_t i = 0; i < COUNT(SAME) + COUNT(SHORTER); i++) {
        const char *from = i < COUNT(SAME) ? SAME[i] : SHORTER[i - COUNT(SAME)].text;
        const char *to = i < COUNT(SAME) ? SAME[i] : SHORTER[i - COUNT(SAME)].as;
        struct hs_buf buf = {0};
        struct hs_buf text = {0};
        put_lines(&buf, from);
        hs_field_text(&fields, hs_kind_rule(&THING, THING_LINES), hs_buf_bytes(&buf), &text);
        hs_buf_put_u8(&text, 0);
        assert_string_equal((const char *)text.data, to);
        hs_buf_fini(&buf);
        hs_buf_fini(&text);
    }
}

static void wrong_lines_name_line_and_field(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum hs_err err;
        const char *why;
    } CASES[] = {
        {"a::x", HS_EVALUE, "events[0].time_ms: is not a whole number"},
        {"a;b::-1", HS_EVALUE, "events[1].time_ms: is below zero"},
        {"a::99999999999999999999", HS_EOVERFLOW, "events[0].time_ms: a number is too large"},
        {"a:yes:1:2", HS_EVALUE, "events[0].line: has more than 3 fields"},
        {"a;b;c;d", HS_ETOOBIG, "events: more than 3 lines"},
        {"\xff", HS_EUTF8, "events[0].event_id: a text is not valid UTF-8"},
    };
    struct hs_fields fields = hs_kind_fields(&THING);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct hs_buf buf = {0};
        struct hs_why why = {""};
        assert_int_equal(hs_field_parse(&fields, hs_kind_rule(&THING, THING_LINES),
                                        HS_BYTES(CASES[i].text, strlen(CASES[i].text)), &buf, &why),
                         CASES[i].err);
        size_t same = strcspn(CASES[i].why, ":"); /* the rest is the error's own text where there is one */
        if (CASES[i].err == HS_EVALUE || CASES[i].err == HS_ETOOBIG)
            assert_string_equal(why.text, CASES[i].why);
        else
            assert_memory_equal(why.text, CASES[i].why, same);
        hs_buf_fini(&buf);
    }
}

static void other_fields_read_as_they_are_written(void **state)
{
    (void)state;
    static const struct {
        uint32_t kind, field;
        const char *text;
    } CASES[] = {
        {HS_KIND_CASH_ENTRY, 3, "-5"},      {HS_KIND_CASH_ENTRY, 5, "00112233445566778899aabbccddeeff"},
        {HS_KIND_PAYMENT, 3, "12345"},      {HS_KIND_PAYMENT, 5, "cash"},
        {HS_KIND_PAYMENT, 6, "4294967295"}, {HS_KIND_REISSUE, 3, "00ff"},
    };
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct hs_kind *kind = hs_kind_by_number(CASES[i].kind);
        struct hs_fields fields = hs_kind_fields(kind);
        const struct hs_field_rule *rule = hs_kind_rule(kind, CASES[i].field);
        struct hs_buf buf = {0};
        struct hs_buf text = {0};
        struct hs_why why;
        assert_int_equal(hs_field_parse(&fields, rule, HS_BYTES(CASES[i].text, strlen(CASES[i].text)), &buf, &why),
                         HS_OK);
        hs_field_text(&fields, rule, hs_buf_bytes(&buf), &text);
        hs_buf_put_u8(&text, 0);
        assert_string_equal((const char *)text.data, CASES[i].text);
        hs_buf_fini(&buf);
        hs_buf_fini(&text);
    }
}

/* ---- keys ---- */

struct found {
    struct hs_bytes wanted;
    size_t count, hits;
};

static void take_key(void *ctx, struct hs_bytes key)
{
    struct found *found = ctx;
    found->count++;
    found->hits += hs_bytes_equal(key, found->wanted);
}

/* Where @text and @then find @message: how often among how many keys. */
static struct found find(const struct hs_index *index, const struct hs_buf *message, const char *text, const char *then)
{
    struct hs_buf key = {0};
    struct hs_why why = {""};
    enum hs_err err = hs_index_key_parse(&THING, index, text, then, &key, &why);
    if (err != HS_OK)
        fail_msg("%s", why.text);
    struct found found = {.wanted = hs_buf_bytes(&key)};
    assert_int_equal(hs_index_keys(index, hs_buf_bytes(message), take_key, &found), HS_OK);
    hs_buf_fini(&key);
    return found;
}

static void assert_found(struct found found, size_t count, size_t hits)
{
    assert_int_equal(found.count, count);
    assert_int_equal(found.hits, hits);
}

static void records_are_found_by_lines_and_pairs(void **state)
{
    (void)state;
    struct hs_buf buf = {0};
    hs_tlv_put_text(&buf, 1, "open");
    put_lines(&buf, "a:yes:5;b");
    assert_found(find(&THING_INDEXES[0], &buf, "open", NULL), 1, 1);
    assert_found(find(&THING_INDEXES[1], &buf, "a", NULL), 2, 1);
    assert_found(find(&THING_INDEXES[1], &buf, "b", NULL), 2, 1);
    assert_found(find(&THING_INDEXES[1], &buf, "c", NULL), 2, 0);
    assert_found(find(&THING_INDEXES[2], &buf, "li", "open"), 0, 0); /* the first field is not there */
    assert_found(find(&THING_INDEXES[3], &buf, "9", "li"), 0, 0);
    hs_tlv_put_text(&buf, 2, "li");
    assert_found(find(&THING_INDEXES[2], &buf, "li", "open"), 1, 1);
    assert_found(find(&THING_INDEXES[2], &buf, "l", "iopen"), 1, 0); /* where one ends is part of the key */
    assert_found(find(&THING_INDEXES[2], &buf, "li", "closed"), 1, 0);
    hs_tlv_put_u64(&buf, 3, 9);
    assert_found(find(&THING_INDEXES[3], &buf, "9", "li"), 1, 1);
    assert_found(find(&THING_INDEXES[3], &buf, "10", "li"), 1, 0);
    assert_found(find(&THING_INDEXES[4], &buf, "5", "9"), 1, 1); /* of the one line that has it */
    hs_buf_fini(&buf);
}

static void keys_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct hs_buf key = {0};
    struct hs_why why;
    assert_int_equal(hs_index_key_parse(&THING, &THING_INDEXES[0], "a", "b", &key, &why), HS_EVALUE);
    assert_string_equal(why.text, "state is looked up by itself, with no second field");
    assert_int_equal(hs_index_key_parse(&THING, &THING_INDEXES[2], "a", NULL, &key, &why), HS_EVALUE);
    assert_string_equal(why.text, "assignee is looked up together with state");
    assert_int_equal(hs_index_key_parse(&THING, &THING_INDEXES[3], "a", "b", &key, &why), HS_EVALUE);
    assert_string_equal(why.text, "opened_ms: is not a whole number");
    assert_int_equal(key.size, 0);
    hs_buf_fini(&key);
}

/* The district of a pair's first field is where its records lie. */
static void pairs_say_where_their_records_lie(void **state)
{
    (void)state;
    struct hs_index index = {1, "account", 2, 0, 4};
    const struct hs_kind *payment = hs_kind_by_number(HS_KIND_PAYMENT);
    struct hs_buf key = {0};
    struct hs_why why;
    hs_partition partition = 0;
    assert_int_equal(hs_index_key_parse(payment, &index, "3201000001", "b-1", &key, &why), HS_OK);
    assert_true(hs_kind_found_in(payment, &index, hs_buf_bytes(&key), &partition));
    assert_int_equal(partition, 3201);
    hs_buf_fini(&key);
}

/* ---- ids ---- */

static struct hs_id id_of(const char *state, const char *assignee, const char *lines)
{
    struct hs_buf buf = {0};
    struct hs_id id;
    hs_tlv_put_text(&buf, 1, state);
    hs_tlv_put_text(&buf, 2, assignee);
    put_lines(&buf, lines);
    hs_kind_id(&THING, hs_buf_bytes(&buf), &id);
    hs_buf_fini(&buf);
    return id;
}

static void hashed_ids_are_of_their_fields(void **state)
{
    (void)state;
    struct hs_id one = id_of("open", "li", "a;b"), same = id_of("closed", "li", "a;b");
    struct hs_id other = id_of("open", "wang", "a;b"), fewer = id_of("open", "li", "a");
    assert_memory_equal(one.bytes, same.bytes, sizeof one.bytes);
    assert_memory_not_equal(one.bytes, other.bytes, sizeof one.bytes);
    assert_memory_not_equal(one.bytes, fewer.bytes, sizeof one.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_bounds),
        cmocka_unit_test(texts_have_forms),
        cmocka_unit_test(hashes_have_their_size),
        cmocka_unit_test(lines_are_checked_like_records),
        cmocka_unit_test(lines_have_limits_and_types),
        cmocka_unit_test(lines_read_as_they_are_written),
        cmocka_unit_test(wrong_lines_name_line_and_field),
        cmocka_unit_test(other_fields_read_as_they_are_written),
        cmocka_unit_test(records_are_found_by_lines_and_pairs),
        cmocka_unit_test(keys_that_cannot_be_are_refused),
        cmocka_unit_test(pairs_say_where_their_records_lie),
        cmocka_unit_test(hashed_ids_are_of_their_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
