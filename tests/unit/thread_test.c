/* thread_test.c -- clocks, and threads with names. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "proto/base/thread.h"

#include <errno.h>
#include <stdbool.h>

#define WAIT_MS 30

static void a_deadline_carries_its_seconds(void **state)
{
    (void)state;
    struct timespec before, at, after;
    clock_gettime(CLOCK_MONOTONIC, &before);
    at = hs_tick_in_ns(3999999999);
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_in_range(at.tv_nsec, 0, 999999999);
    int64_t from = (int64_t)before.tv_sec * 1000000000 + before.tv_nsec + 3999999999;
    int64_t to = (int64_t)after.tv_sec * 1000000000 + after.tv_nsec + 3999999999;
    assert_in_range((int64_t)at.tv_sec * 1000000000 + at.tv_nsec, from, to);
}

static void clocks_are_those_of_the_system(void **state)
{
    (void)state;
    uint64_t tick = hs_tick_ms(), now = hs_now_ms();
    struct timespec system;
    clock_gettime(CLOCK_MONOTONIC, &system);
    assert_in_range(tick, 0, (uint64_t)system.tv_sec * 1000 + (uint64_t)system.tv_nsec / 1000000);
    assert_true(now > 1600000000000); /* 2020 */
}

/* One that waited by the wall clock would find such a time long past. */
static void waits_are_by_the_monotonic_clock(void **state)
{
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t cond;
    int code = 0;
    assert_int_equal(hs_cond_init(&cond), HS_OK);
    uint64_t begun = hs_tick_ms();
    struct timespec until = hs_tick_in_ns(WAIT_MS * 1000000ULL);
    pthread_mutex_lock(&lock);
    while (code == 0)
        code = pthread_cond_timedwait(&cond, &lock, &until);
    pthread_mutex_unlock(&lock);
    assert_int_equal(code, ETIMEDOUT);
    assert_true(hs_tick_ms() - begun >= WAIT_MS - 1); /* of whole milliseconds */
    pthread_cond_destroy(&cond);
}

struct named {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool looked;
};

static void *wait_to_be_looked_at(void *arg)
{
    struct named *named = arg;
    pthread_mutex_lock(&named->lock);
    while (!named->looked)
        pthread_cond_wait(&named->cond, &named->lock);
    pthread_mutex_unlock(&named->lock);
    return named;
}

static void a_thread_has_its_name(void **state)
{
    (void)state;
    struct named named = {.lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t thread;
    char name[16] = "";
    void *end = NULL;
    assert_int_equal(hs_cond_init(&named.cond), HS_OK);
    assert_int_equal(hs_thread_start(&thread, "fifteen letters", wait_to_be_looked_at, &named), HS_OK);
    assert_int_equal(pthread_getname_np(thread, name, sizeof name), 0);
    pthread_mutex_lock(&named.lock);
    named.looked = true;
    pthread_cond_signal(&named.cond);
    pthread_mutex_unlock(&named.lock);
    assert_int_equal(pthread_join(thread, &end), 0);
    assert_ptr_equal(end, &named);
    assert_string_equal(name, "fifteen letters");
    pthread_cond_destroy(&named.cond);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_carries_its_seconds),
        cmocka_unit_test(clocks_are_those_of_the_system),
        cmocka_unit_test(waits_are_by_the_monotonic_clock),
        cmocka_unit_test(a_thread_has_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
