/* records_index_test.c -- storage/records/index.c: which index rows come and go where a record of lines changes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/msg/tlv.h"
#include "storage/records/derive.h"
#include "tests/lib/thing_kind.h"

#include <stdio.h>
#include <string.h>

/* What came and went, as "+2 -1 ": index numbers in the order of the rows. */
static char told[256];

static void tell_row(struct hs_derive *derive, const struct hs_row_key *key, bool there)
{
    (void)derive;
    size_t used = strlen(told);
    struct hs_bytes bytes = hs_row_key_bytes(key);
    struct hs_cur cur = hs_cur_of(bytes);
    hs_cur_take(&cur, hs_cur_u8(&cur)); /* a value that is short stands there itself */
    assert_int_equal(hs_cur_u16(&cur), THING.number);
    snprintf(told + used, sizeof told - used, "%c%u ", there ? '+' : '-', hs_cur_u8(&cur));
    assert_int_equal(cur.err, HS_OK);
}

static const struct hs_derive_sink SINK = {.index = tell_row};

static void put_lines(struct hs_buf *buf, const char *text)
{
    struct hs_fields fields = hs_kind_fields(&THING);
    struct hs_why why = {""};
    assert_int_equal(
        hs_field_parse(&fields, hs_kind_rule(&THING, THING_LINES), HS_BYTES(text, strlen(text)), buf, &why), HS_OK);
}

struct shown {
    const char *state, *assignee, *lines; /* NULL: not there; no state: no record */
    bool parked;
};

static void make(const struct shown *shown, struct hs_buf *buf, struct hs_facet *facet)
{
    if (shown->state != NULL)
        hs_tlv_put_text(buf, 1, shown->state);
    if (shown->assignee != NULL)
        hs_tlv_put_text(buf, 2, shown->assignee);
    if (shown->lines != NULL)
        put_lines(buf, shown->lines);
    *facet = (struct hs_facet){
        .there = shown->state != NULL,
        .name = {.partition = 3201, .lane = HS_LANE_WORK, .kind = THING.number, .id = HS_BYTES("x", 1)},
        .kind = &THING,
        .message = hs_buf_bytes(buf),
        .fault = shown->parked ? HS_EVALUE : HS_OK};
    struct hs_cur cur = hs_cur_of(facet->message);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv))
        facet->fields[tlv.number] = tlv;
}

static void assert_rows(struct shown old, struct shown new, const char *expected)
{
    struct hs_arena arena;
    enum hs_err err = HS_OK;
    struct hs_buf before = {0};
    struct hs_buf after = {0};
    struct hs_facet old_facet;
    struct hs_facet new_facet;
    hs_arena_init(&arena, 0);
    struct hs_derive derive = {.arena = &arena, .err = &err, .sink = &SINK};
    make(&old, &before, &old_facet);
    make(&new, &after, &new_facet);
    told[0] = '\0';
    hs_index_change(&derive, &old_facet, &new_facet);
    assert_int_equal(err, HS_OK);
    assert_string_equal(told, expected);
    hs_buf_fini(&before);
    hs_buf_fini(&after);
    hs_arena_fini(&arena);
}

static void rows_follow_lines_and_pairs(void **state)
{
    (void)state;
    struct shown none = {0};
    struct shown one = {"open", "li", "a;b", false};
    assert_rows(none, one, "+1 +2 +2 +3 ");
    assert_rows(one, one, "");
    assert_rows(one, none, "-1 -2 -2 -3 ");
    /* A line gone and one come; one that stands twice is one row. */
    assert_rows(one, (struct shown){"open", "li", "b;c;c", false}, "-2 +2 ");
    assert_rows(one, (struct shown){"open", "li", "b;a", false}, "");
    assert_rows(one, (struct shown){"open", "li", "a;b:yes;b", false}, "");
    /* Either part of a pair makes another key. */
    assert_rows(one, (struct shown){"shut", "li", "a;b", false}, "-1 +1 -3 +3 ");
    assert_rows(one, (struct shown){"open", NULL, "a;b", false}, "-3 ");
    /* What is parked is found by nothing. */
    assert_rows(one, (struct shown){"open", "li", "a;b", true}, "-1 -2 -2 -3 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_follow_lines_and_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
