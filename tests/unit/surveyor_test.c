/* surveyor_test.c -- what a node tells of its books and late tickets when they cannot be counted. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "node/daemon/surveyor.h"
#include "proto/local.pb-c.h"
#include "proto/msg/tlv.h"

/* ---- a store, in its place ---- */

static struct hs_certificate own = {.role = HS_ROLE_HALL};
static enum hs_err view_err, roll_err, books_err, overdue_err;

enum hs_err __wrap_hs_view_open(struct hs_store *store, uint64_t min_commit, unsigned wait_ms, struct hs_view **view);
enum hs_err __wrap_hs_view_open(struct hs_store *store, uint64_t min_commit, unsigned wait_ms, struct hs_view **view)
{
    (void)store, (void)min_commit, (void)wait_ms;
    *view = NULL;
    return view_err;
}

void __wrap_hs_view_close(struct hs_view *view);
void __wrap_hs_view_close(struct hs_view *view)
{
    (void)view;
}

const struct hs_certificate *__wrap_hs_store_certificate(const struct hs_store *store);
const struct hs_certificate *__wrap_hs_store_certificate(const struct hs_store *store)
{
    (void)store;
    return &own;
}

enum hs_err __wrap_hs_survey_roll(const struct hs_survey *survey, struct hs_roll *roll);
enum hs_err __wrap_hs_survey_roll(const struct hs_survey *survey, struct hs_roll *roll)
{
    (void)survey, (void)roll;
    return roll_err;
}

enum hs_err __wrap_hs_survey_books(const struct hs_survey *survey, uint32_t date, struct hs_books_count *count);
enum hs_err __wrap_hs_survey_books(const struct hs_survey *survey, uint32_t date, struct hs_books_count *count)
{
    (void)survey, (void)date;
    *count = (struct hs_books_count){.days = 1, .agree = 1};
    return books_err;
}

enum hs_err __wrap_hs_survey_overdue(const struct hs_survey *survey, uint64_t now_ms, uint64_t *count);
enum hs_err __wrap_hs_survey_overdue(const struct hs_survey *survey, uint64_t now_ms, uint64_t *count)
{
    (void)survey, (void)now_ms;
    *count = 7;
    return overdue_err;
}

/* ---- what it tells after a look ---- */

struct told {
    enum hs_err err;
    bool books, overdue, problem;
};

static struct told look(struct hs_surveyor *surveyor)
{
    enum { STATUS_PROBLEMS = 21, STATUS_BOOKS = 72, STATUS_OVERDUE = 76 };
    struct told told = {.err = hs_surveyor_look(surveyor)};
    struct hs_buf partial = {0};
    hs_surveyor_status(surveyor, &partial);
    told.books = hs_tlv_bytes(hs_buf_bytes(&partial), STATUS_BOOKS).size != 0;
    told.overdue = hs_tlv_u64(hs_buf_bytes(&partial), STATUS_OVERDUE, 0) == 7;
    told.problem = hs_tlv_bytes(hs_buf_bytes(&partial), STATUS_PROBLEMS).size != 0;
    hs_buf_fini(&partial);
    return told;
}

static void assert_told(struct told told, enum hs_err err, bool books, bool overdue)
{
    assert_int_equal(told.err, err);
    assert_int_equal(told.books, books);
    assert_int_equal(told.overdue, overdue);
    assert_int_equal(told.problem, own.role != HS_ROLE_WITNESS && !(books && overdue)); /* people are told */
}

static void what_cannot_be_counted_is_not_known(void **state)
{
    (void)state;
    struct hs_conf conf = {.utc_offset_minutes = 480};
    struct hs_surveyor *surveyor = NULL;
    assert_int_equal(hs_surveyor_new(&(struct hs_surveyor_options){.conf = &conf}, &surveyor), HS_OK);
    assert_told(look(surveyor), HS_OK, true, true);
    books_err = HS_EDAMAGED; /* a hall's day: late tickets are none of its */
    assert_told(look(surveyor), HS_EDAMAGED, false, true);
    books_err = HS_OK;
    overdue_err = HS_EDAMAGED;
    assert_told(look(surveyor), HS_EDAMAGED, true, false);
    overdue_err = HS_OK;
    roll_err = HS_EDAMAGED;
    assert_told(look(surveyor), HS_EDAMAGED, true, true);
    view_err = HS_EIO;
    assert_told(look(surveyor), HS_EIO, false, false);
    view_err = roll_err = HS_OK;
    assert_told(look(surveyor), HS_OK, true, true);
    own.role = HS_ROLE_WITNESS;
    hs_surveyor_free(surveyor);
    assert_int_equal(hs_surveyor_new(&(struct hs_surveyor_options){.conf = &conf}, &surveyor), HS_OK);
    assert_told(look(surveyor), HS_OK, false, false); /* it has none */
    view_err = HS_EIO;
    assert_told(look(surveyor), HS_EIO, false, false);
    hs_surveyor_free(surveyor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_cannot_be_counted_is_not_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
