/* service_survey_test.c -- what status tells of books, late tickets and the registry, counted apart from any request.
 */
#include "tests/unit/service_desk.h"

#include "node/service/survey.h"
#include "proto/base/text.h"
#include "proto/base/thread.h"

#define CREATED HALLSYNC__RESULT__RESULT_CREATED

static int open_desk(void **state)
{
    struct desk *desk = make_desk(HS_ROLE_HALL);
    struct client *client = &desk->client;
    assert_result(CUSTOMER(.account = TEXT(ACCOUNT), .name = TEXT("陈")), CREATED);
    *state = desk;
    return 0;
}

static struct hs_survey begin(struct desk *desk)
{
    struct hs_survey survey = {.store = desk->office.node.store,
                               .utc_offset_minutes = desk->office.options.utc_offset_minutes};
    assert_int_equal(hs_view_open(survey.store, hs_store_position(survey.store).commit, 5000, &survey.view), HS_OK);
    return survey;
}

static struct hs_books_count books_of(struct desk *desk, uint32_t date)
{
    struct hs_survey survey = begin(desk);
    struct hs_books_count count;
    assert_int_equal(hs_survey_books(&survey, date, &count), HS_OK);
    hs_view_close(survey.view);
    return count;
}

static void assert_books(struct hs_books_count count, uint32_t days, uint32_t open, uint32_t waiting)
{
    assert_int_equal(count.days, days);
    assert_int_equal(count.open, open);
    assert_int_equal(count.waiting, waiting);
    assert_int_equal(count.agree + count.differ, 0); /* no hub has answered */
    assert_false(count.more);
}

static void books_are_counted_by_hall(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    uint32_t today = hs_date_of(hs_now_ms(), desk->office.options.utc_offset_minutes);
    assert_books(books_of(desk, today), 0, 0, 0); /* nobody took anything */
    assert_result(PAY(.payment_id = TEXT("p-1"), .account = TEXT(ACCOUNT), .amount_fen = 100, .window = 3), CREATED);
    assert_books(books_of(desk, today), 1, 1, 0);
    Hallsync__WindowEvent event = {MESSAGE(window_event), .event = TEXT("close"), .clerk = TEXT("王芳")};
    event.has_window = event.has_counted_fen = true;
    event.window = 3;
    event.counted_fen = 100;
    assert_result(put(client, &(struct putting){.kind = HS_KIND_WINDOW_EVENT, .message = &event.base}), CREATED);
    event.has_window = event.has_counted_fen = false;
    assert_result(put(client, &(struct putting){.kind = HS_KIND_WINDOW_EVENT, .message = &event.base}), CREATED);
    assert_books(books_of(desk, today), 1, 0, 1);
    assert_books(books_of(desk, 20200101), 0, 0, 0);
}

static uint64_t overdue(struct desk *desk, uint64_t now_ms)
{
    struct hs_survey survey = begin(desk);
    uint64_t count;
    assert_int_equal(hs_survey_overdue(&survey, now_ms, &count), HS_OK);
    hs_view_close(survey.view);
    return count;
}

static void tickets_are_late_until_they_are_resolved(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    assert_result(TICKET(.ticket_id = TEXT("t-1"), .service = TEXT("outage-report"), .summary = TEXT("x"),
                         .has_due_ms = true, .due_ms = 5000),
                  CREATED);
    assert_int_equal(overdue(desk, 5000), 0);
    assert_int_equal(overdue(desk, 5001), 1);
    static const char *const WAY[] = {"accepted", "assigned", "working", "resolved"};
    for (size_t i = 0; i < sizeof WAY / sizeof *WAY; i++) {
        assert_int_equal(overdue(desk, 5001), 1);
        assert_result(EVENT(OF_TICKET("t-1"), .state = TEXT(WAY[i])), CREATED);
    }
    assert_int_equal(overdue(desk, 5001), 0);
}

static void the_roll_has_its_own_node(void **state)
{
    struct desk *desk = *state;
    struct hs_survey survey = begin(desk);
    const struct hs_certificate *own = hs_store_certificate(survey.store);
    struct hs_roll roll = {0};
    assert_int_equal(hs_survey_roll(&survey, &roll), HS_OK);
    const struct hs_enrolled *row = hs_roll_find(&roll, &own->node_key);
    assert_non_null(row);
    assert_string_equal(row->node_id, own->node_id);
    assert_int_equal(row->role, HS_ROLE_HALL);
    assert_int_equal(row->district_count, own->district_count);
    assert_true(row->issued_ms == own->issued_ms && row->key_ms <= row->issued_ms);
    assert_ptr_equal(&roll.rows[row->newest], row);
    assert_null(row->revoked);
    assert_null(hs_roll_find(&roll, &own->curve_key));
    hs_roll_fini(&roll);
    hs_view_close(survey.view);
}

static void a_survey_that_is_to_stop_does(void **state)
{
    struct desk *desk = *state;
    atomic_bool stop = true;
    struct hs_survey survey = begin(desk);
    struct hs_books_count count;
    survey.stop = &stop;
    assert_int_equal(hs_survey_books(&survey, 20261121, &count), HS_ESTOPPING);
    hs_view_close(survey.view);
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(books_are_counted_by_hall),
        EACH(tickets_are_late_until_they_are_resolved),
        EACH(the_roll_has_its_own_node),
        EACH(a_survey_that_is_to_stop_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
