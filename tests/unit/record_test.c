/* record_test.c -- storage/model/record.h: the ways in which systems like this lose values, each as a small story (the
 * numbers in names are those of the counterexamples that the design answers), and what is shown. */
#include "tests/unit/record_steps.h"

/* The live values of a field are these texts, in the order of their dots. */
static void assert_live(struct hs_record record, uint32_t number, size_t count, const char *const *texts)
{
    const struct hs_field_state *field = hs_record_field(&record, number);
    assert_int_equal(field != NULL ? field->live_count : 0, count);
    for (size_t i = 0; i < count; i++)
        assert_true(hs_bytes_equal(field->live[i].value, field_value(number, texts[i])));
}
#define ASSERT_LIVE(record, number, ...) \
    assert_live(record, number, COUNT(((const char *const[]){__VA_ARGS__})), ((const char *const[]){__VA_ARGS__}))

static void assert_shown(struct hs_record record, struct hs_bytes bytes)
{
    struct hs_buf buf = {0};
    assert_int_equal(hs_record_shown(&record, &buf), HS_OK);
    assert_true(hs_bytes_equal(hs_buf_bytes(&buf), bytes));
    hs_buf_fini(&buf);
}

/* ---- registers ---- */

static void a_write_replaces_what_it_names(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{X, 1}, 100, PHONE, "p1", NO_DOTS});
    record = after(record, (struct put){{Y, 1}, 90, PHONE, "p2", DOTS({X, 1})}); /* an older stamp loses nothing */
    ASSERT_LIVE(record, PHONE, "p2");
}

static void concurrent_writes_both_live(void **state)
{
    (void)state;
    struct put first = {{X, 1}, 100, PHONE, "p1", NO_DOTS};
    struct put second = {{Y, 1}, 200, PHONE, "p2", NO_DOTS};
    struct hs_record record = after(after(NONE, first), second);
    ASSERT_LIVE(record, PHONE, "p1", "p2");
    assert_same(record, after(after(NONE, second), first));
    assert_int_equal(hs_field_rivals(hs_record_field(&record, PHONE)), 1);
}

static void replayed_writes_change_nothing(void **state)
{
    (void)state;
    struct put first = {{X, 1}, 100, PHONE, "p1", NO_DOTS};
    struct put second = {{X, 3}, 200, PHONE, "p2", DOTS({X, 1})};
    struct hs_record record = after(after(NONE, first), second);
    assert_same(after(record, first), record);
    assert_same(after(record, second), record);
    /* nor does a number that was passed over, which can only be a lie: a stream has one order */
    assert_same(after(record, (struct put){{X, 2}, 300, REMARK, "late", NO_DOTS}), record);
}

static void a_clear_is_a_value_without_bytes(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{X, 1}, 100, PHONE, "p1", NO_DOTS});
    record = after(record, (struct put){{X, 2}, 200, PHONE, NULL, DOTS({X, 1})});
    ASSERT_LIVE(record, PHONE, NULL);
    assert_shown(record, HS_BYTES_NONE);
    /* who edits while another clears: both are kept, and told apart */
    record = after(record, (struct put){{Y, 1}, 150, PHONE, "p2", DOTS({X, 1})});
    ASSERT_LIVE(record, PHONE, NULL, "p2");
    assert_int_equal(hs_field_rivals(hs_record_field(&record, PHONE)), 1);
}

static void a_step_leaves_the_state_before_it_alone(void **state)
{
    (void)state;
    struct hs_record before = after(NONE, (struct put){{X, 1}, 100, PHONE, "p1", NO_DOTS});
    before = after_fact(before, (struct hs_dot){X, 2}, 110, TEXT("a fact"));
    struct hs_bytes bytes = encoded(before);
    after(before, (struct put){{X, 3}, 200, PHONE, "p2", DOTS({X, 1})});
    after_fact(before, (struct hs_dot){X, 1}, 1, TEXT("a fact"));
    assert_true(hs_bytes_equal(encoded(before), bytes));
}

/* X writes p1, which a hub gets; X is set back and goes on as another origin.  Nobody there ever saw p1. */
static void h2_an_abandoned_branch_loses_nothing(void **state)
{
    (void)state;
    struct hs_record hub = after(NONE, (struct put){{X, 51}, 1000, PHONE, "p1", NO_DOTS});
    struct hs_record hall = after(NONE, (struct put){{X2, 1}, 2000, PHONE, "p2", NO_DOTS});
    hall = after(hall, (struct put){{X2, 2}, 2100, PHONE, "p3", DOTS({X2, 1})});
    ASSERT_LIVE(joined(hub, hall), PHONE, "p1", "p3");
    /* nor does a third that has read p2 elsewhere remove p1 */
    struct hs_record third = after(NONE, (struct put){{X2, 1}, 2000, PHONE, "p2", NO_DOTS});
    third = after(third, (struct put){{Y, 1}, 2200, PHONE, "p4", DOTS({X2, 1})});
    ASSERT_LIVE(joined(hub, third), PHONE, "p1", "p4");
}

static void h4_a_clock_set_back_loses_nothing(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{X, 1}, 1000, PHONE, "p1", NO_DOTS});
    struct hs_record elsewhere = after(record, (struct put){{X, 2}, 1000, PHONE, "p2", DOTS({X, 1})});
    ASSERT_LIVE(elsewhere, PHONE, "p2");
    ASSERT_LIVE(joined(record, elsewhere), PHONE, "p2");
    /* an older stamp of another origin is no older write */
    record = after(record, (struct put){{Y, 1}, 1, PHONE, "p3", NO_DOTS});
    ASSERT_LIVE(record, PHONE, "p1", "p3");
}

static void h4_a_far_name_silences_nobody(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{Z, 1}, 1, PHONE, "z", DOTS({Y, UINT64_MAX})});
    record = after(record, (struct put){{Y, 1}, 2, PHONE, "y", NO_DOTS});
    ASSERT_LIVE(record, PHONE, "y", "z");
}

static void h10_siblings_stay_until_a_write_names_them(void **state)
{
    (void)state;
    struct put p1 = {{X, 1}, 100, PHONE, "p1", NO_DOTS};
    struct put p2 = {{Y, 1}, 200, PHONE, "p2", NO_DOTS};
    struct put resolved = {{Z, 1}, 300, PHONE, "p3", DOTS({X, 1}, {Y, 1})};
    struct hs_record record = after(after(after(NONE, p1), p2), resolved);
    ASSERT_LIVE(record, PHONE, "p3");
    assert_same(after(after(after(NONE, resolved), p2), p1), record); /* named before they came */
    assert_same(joined(after(NONE, resolved), after(after(NONE, p1), p2)), record);
}

static void h10_equal_bytes_are_no_conflict(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{X, 1}, 100, PHONE, "p1", NO_DOTS});
    record = after(record, (struct put){{Y, 1}, 200, PHONE, "p1", NO_DOTS});
    ASSERT_LIVE(record, PHONE, "p1", "p1");
    assert_int_equal(hs_field_rivals(hs_record_field(&record, PHONE)), 0);
}

static void h11_all_occurrences_of_a_write_are_one_value(void **state)
{
    (void)state;
    struct hs_buf twice = {0};
    hs_tlv_put_text(&twice, UNKNOWN, "a");
    hs_tlv_put_text(&twice, UNKNOWN, "b");
    struct hs_field_write field = {.number = UNKNOWN, .value = hs_buf_bytes(&twice)};
    struct hs_write write = {.kind = 999, .id = TEXT("r"), .fields = &field, .field_count = 1};
    struct hs_record record = NONE;
    assert_int_equal(hs_record_apply(&record, &(struct hs_dot){X, 1}, 1, &write, &arena), HS_OK);
    assert_int_equal(hs_record_field(&record, UNKNOWN)->live_count, 1);
    assert_shown(record, hs_buf_bytes(&twice));
    hs_buf_fini(&twice);
}

static void h12_one_dot_with_two_contents_keeps_both(void **state)
{
    (void)state;
    struct hs_record one = after(NONE, (struct put){{X, 1}, 100, PHONE, "p1", NO_DOTS});
    struct hs_record other = after(NONE, (struct put){{X, 1}, 100, PHONE, "p2", NO_DOTS});
    ASSERT_LIVE(joined(one, other), PHONE, "p1", "p2");
    assert_same(joined(one, other), joined(other, one));
    /* whoever overwrites the dot has seen one of them, and ends the dispute */
    struct hs_record after_both = after(joined(one, other), (struct put){{Y, 1}, 200, PHONE, "p3", DOTS({X, 1})});
    ASSERT_LIVE(after_both, PHONE, "p3");
    /* one content, two stamps: a total rule there too */
    struct hs_record later = after(NONE, (struct put){{X, 1}, 101, PHONE, "p1", NO_DOTS});
    assert_same(joined(one, later), joined(later, one));
}

static void h17_a_late_retry_is_a_sibling_not_a_loss(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{X, 1}, 100, PHONE, "p1", NO_DOTS});
    record = after(record, (struct put){{Y, 1}, 200, PHONE, "p2", DOTS({X, 1})});
    record = after(record, (struct put){{X, 2}, 300, PHONE, "p1", NO_DOTS}); /* with what its user had seen: nothing */
    ASSERT_LIVE(record, PHONE, "p1", "p2");
}

/* Z names dots that wrote something else, or nothing yet: every order ends in the same bytes. */
static void merge_is_total_over_lies(void **state)
{
    (void)state;
    struct put lie = {{Z, 1}, 1, PHONE, "z", DOTS({Y, 5}, {Y, 6}, {Y, 7})};
    struct put y5 = {{Y, 5}, 5, REMARK, "not phone", NO_DOTS};
    struct put y6 = {{Y, 6}, 6, PHONE, "y6", NO_DOTS};
    struct hs_record last = after(after(after(NONE, y5), y6), lie);
    assert_same(after(after(after(NONE, lie), y5), y6), last);
    assert_same(after(after(after(NONE, y5), lie), y6), last);
    assert_same(joined(after(NONE, lie), after(after(NONE, y5), y6)), last);
    ASSERT_LIVE(last, PHONE, "z");
    const struct hs_field_state *field = hs_record_field(&last, PHONE);
    assert_int_equal(field->covered_count, 1); /* (Y,7), until Y gets there */
    struct hs_record beyond = after(last, (struct put){{Y, 9}, 9, REMARK, "r", DOTS({Y, 5})});
    assert_int_equal(hs_record_field(&beyond, PHONE)->covered_count, 0);
}

static void nobody_names_his_own_future(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{X, 3}, 1, PHONE, "p1", DOTS({X, 3}, {X, 4})});
    ASSERT_LIVE(record, PHONE, "p1");
    assert_int_equal(hs_record_field(&record, PHONE)->covered_count, 0);
    record = after(record, (struct put){{X, 4}, 2, PHONE, "p2", NO_DOTS});
    ASSERT_LIVE(record, PHONE, "p1", "p2");
}

static void a_field_that_came_to_nothing_is_not_there(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{Z, 1}, 1, PHONE, "z", DOTS({Y, 1})});
    record = after(record, (struct put){{Z, 2}, 1, REMARK, "r", DOTS({Y, 1})});
    record = after(record, (struct put){{X, 1}, 1, UNKNOWN, "x", DOTS({Z, 3})});
    record = after(record, (struct put){{Z, 3}, 1, UNKNOWN, "u", DOTS({X, 1})});
    assert_null(hs_record_field(&record, UNKNOWN)); /* each named the other: nothing of it lives */
    assert_int_equal(record.field_count, 2);
}

static void unknown_fields_merge_like_all(void **state)
{
    (void)state;
    struct put known = {{X, 1}, 1, PHONE, "p", NO_DOTS};
    struct put unknown = {{Y, 1}, 2, UNKNOWN, "new in version 9", NO_DOTS};
    struct put import = {{Y, 2}, 3, 1003, "last imported", NO_DOTS};
    struct hs_record record = after(after(after(NONE, known), unknown), import);
    assert_same(joined(after(NONE, known), after(after(NONE, unknown), import)), record);
    ASSERT_LIVE(record, UNKNOWN, "new in version 9");
}

/* ---- facts ---- */

static void h9_one_id_with_two_contents_keeps_both(void **state)
{
    (void)state;
    struct hs_record cheap = after_fact(NONE, (struct hs_dot){X, 1}, 100, TEXT("amount 100"));
    struct hs_record both = after_fact(cheap, (struct hs_dot){Y, 1}, 50, TEXT("amount 120"));
    struct hs_record turned = after_fact(NONE, (struct hs_dot){Y, 1}, 50, TEXT("amount 120"));
    turned = after_fact(turned, (struct hs_dot){X, 1}, 100, TEXT("amount 100"));
    assert_int_equal(both.variant_count, 2);
    assert_same(both, turned);
    struct hs_hash first = hs_hash_domain("hallsync fact 1", TEXT("amount 100"));
    struct hs_hash second = hs_hash_domain("hallsync fact 1", TEXT("amount 120"));
    bool first_counts = hs_hash_compare(&first, &second) < 0;
    assert_shown(both, first_counts ? TEXT("amount 100") : TEXT("amount 120"));
    assert_int_equal(hs_record_stamp(&both), 100);
}

static void h9_the_same_fact_again_is_one(void **state)
{
    (void)state;
    struct hs_record once = after_fact(NONE, (struct hs_dot){X, 1}, 100, TEXT("amount 100"));
    assert_same(after_fact(once, (struct hs_dot){X, 1}, 100, TEXT("amount 100")), once);
    /* sent again after a rebuild */
    assert_same(after_fact(once, (struct hs_dot){X2, 7}, 200, TEXT("amount 100")), once);
    assert_same(joined(once, once), once);
}

/* The same ticket event as X:60 and, sent again, as X2:5 with an earlier stamp: the lowest name counts in any order. */
static void a_fact_keeps_its_lowest_name(void **state)
{
    (void)state;
    struct hs_record first = after_fact(NONE, (struct hs_dot){X, 60}, 100, TEXT("accept"));
    struct hs_record again = after_fact(NONE, (struct hs_dot){X2, 5}, 90, TEXT("accept"));
    struct hs_record both = after_fact(first, (struct hs_dot){X2, 5}, 90, TEXT("accept"));
    assert_same(both, again);
    assert_same(after_fact(again, (struct hs_dot){X, 60}, 100, TEXT("accept")), again);
    assert_same(joined(first, again), again);
    struct hs_record equal_stamp = after_fact(again, (struct hs_dot){X, 99}, 90, TEXT("accept"));
    assert_int_equal(equal_stamp.variants[0].dot.origin, X);
    struct hs_record lower_number = after_fact(equal_stamp, (struct hs_dot){X, 98}, 90, TEXT("accept"));
    assert_int_equal(lower_number.variants[0].dot.n, 98);
}

/* A has P(100), B has it and P(120) too: lag, not damage; so is a name that only one of them has met. */
static void compare_tells_lag_from_damage(void **state)
{
    (void)state;
    struct hs_record a = after_fact(NONE, (struct hs_dot){X, 1}, 100, TEXT("amount 100"));
    struct hs_record b = after_fact(a, (struct hs_dot){Y, 1}, 50, TEXT("amount 120"));
    struct hs_record renamed = after_fact(a, (struct hs_dot){Y, 1}, 50, TEXT("amount 100"));
    struct hs_record edited = after(a, (struct put){{Y, 2}, 60, PHONE, "p", NO_DOTS});
    struct hs_record damaged = after(a, (struct put){{Y, 2}, 60, PHONE, "q", NO_DOTS});
    struct hs_hash of_a = hs_record_inputs(&a);
    struct hs_hash of_b = hs_record_inputs(&b);
    struct hs_hash of_renamed = hs_record_inputs(&renamed);
    struct hs_hash of_edited = hs_record_inputs(&edited);
    struct hs_hash of_damaged = hs_record_inputs(&damaged);
    assert_false(hs_hash_equal(&of_a, &of_b));
    assert_false(hs_hash_equal(&of_a, &of_renamed));
    assert_false(hs_hash_equal(&of_a, &of_edited));
    assert_true(hs_hash_equal(&of_edited, &of_damaged)); /* the same went in and something else stands there */
}

static void facts_and_registers_live_side_by_side(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{X, 2}, 100, PHONE, "p1", NO_DOTS});
    record = after_fact(record, (struct hs_dot){Y, 1}, 50, TEXT("fact"));
    struct hs_record turned = after_fact(NONE, (struct hs_dot){Y, 1}, 50, TEXT("fact"));
    turned = after(turned, (struct put){{X, 2}, 100, PHONE, "p1", NO_DOTS});
    assert_same(record, turned);
    assert_shown(record, TEXT("fact"));
    ASSERT_LIVE(record, PHONE, "p1");
    /* a fact's number is not the registers': Y's write of number 1 elsewhere would still be new */
    assert_int_equal(record.applied_count, 1);
    ASSERT_LIVE(after(record, (struct put){{Y, 1}, 60, PHONE, "p2", NO_DOTS}), PHONE, "p1", "p2");
}

static void an_empty_fact_is_a_fact(void **state)
{
    (void)state;
    struct hs_record record = after_fact(NONE, (struct hs_dot){X, 1}, 100, HS_BYTES_NONE);
    assert_int_equal(record.variant_count, 1);
    struct hs_record decoded;
    assert_int_equal(hs_record_decode(encoded(record), &arena, &decoded), HS_OK);
    assert_same(record, decoded);
}

/* ---- what is shown ---- */

static void the_highest_stamp_shows_then_bytes_then_dot(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{X, 1}, 100, PHONE, "zz", NO_DOTS});
    record = after(record, (struct put){{Y, 1}, 200, PHONE, "aa", NO_DOTS});
    assert_shown(record, field_value(PHONE, "aa"));
    record = after(record, (struct put){{Z, 1}, 200, PHONE, "bb", NO_DOTS});
    assert_shown(record, field_value(PHONE, "bb"));
    record = after(record, (struct put){{X2, 1}, 200, PHONE, "bb", NO_DOTS});
    assert_int_equal(hs_field_shown(hs_record_field(&record, PHONE))->dot.origin, Z);
    assert_int_equal(hs_field_rivals(hs_record_field(&record, PHONE)), 2);
    assert_int_equal(hs_record_stamp(&record), 200);
}

static void shown_fields_make_a_message_in_order(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{X, 1}, 100, UNKNOWN, "u", NO_DOTS});
    record = after(record, (struct put){{X, 2}, 200, PHONE, "p", NO_DOTS});
    struct hs_buf message = {0};
    hs_tlv_put_text(&message, PHONE, "p");
    hs_tlv_put_text(&message, UNKNOWN, "u");
    assert_shown(record, hs_buf_bytes(&message));
    hs_buf_fini(&message);
    assert_null(hs_record_field(&record, REMARK));
}

static void a_field_with_names_only_shows_nothing(void **state)
{
    (void)state;
    struct hs_record record = after(NONE, (struct put){{X, 1}, 1, PHONE, "x", DOTS({Y, 1})});
    record = after(record, (struct put){{X, 2}, 2, PHONE, "gone", DOTS({X, 1}, {Z, 2})});
    record = after(after(NONE, (struct put){{Z, 1}, 1, PHONE, "z", DOTS({X, 1}, {Y, 4})}),
                   (struct put){{X, 1}, 1, PHONE, "x", DOTS({Z, 1})});
    const struct hs_field_state *field = hs_record_field(&record, PHONE);
    assert_non_null(field);
    assert_null(hs_field_shown(field));
    assert_int_equal(hs_field_rivals(field), 0);
    assert_shown(record, HS_BYTES_NONE);
    assert_int_equal(hs_record_stamp(&record), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_replaces_what_it_names),
        cmocka_unit_test(concurrent_writes_both_live),
        cmocka_unit_test(replayed_writes_change_nothing),
        cmocka_unit_test(a_clear_is_a_value_without_bytes),
        cmocka_unit_test(a_step_leaves_the_state_before_it_alone),
        cmocka_unit_test(h2_an_abandoned_branch_loses_nothing),
        cmocka_unit_test(h4_a_clock_set_back_loses_nothing),
        cmocka_unit_test(h4_a_far_name_silences_nobody),
        cmocka_unit_test(h9_one_id_with_two_contents_keeps_both),
        cmocka_unit_test(h9_the_same_fact_again_is_one),
        cmocka_unit_test(h10_siblings_stay_until_a_write_names_them),
        cmocka_unit_test(h10_equal_bytes_are_no_conflict),
        cmocka_unit_test(h11_all_occurrences_of_a_write_are_one_value),
        cmocka_unit_test(h12_one_dot_with_two_contents_keeps_both),
        cmocka_unit_test(h17_a_late_retry_is_a_sibling_not_a_loss),
        cmocka_unit_test(merge_is_total_over_lies),
        cmocka_unit_test(nobody_names_his_own_future),
        cmocka_unit_test(a_field_that_came_to_nothing_is_not_there),
        cmocka_unit_test(unknown_fields_merge_like_all),
        cmocka_unit_test(a_fact_keeps_its_lowest_name),
        cmocka_unit_test(compare_tells_lag_from_damage),
        cmocka_unit_test(facts_and_registers_live_side_by_side),
        cmocka_unit_test(an_empty_fact_is_a_fact),
        cmocka_unit_test(the_highest_stamp_shows_then_bytes_then_dot),
        cmocka_unit_test(shown_fields_make_a_message_in_order),
        cmocka_unit_test(a_field_with_names_only_shows_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
