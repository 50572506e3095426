/* writer_chore_test.c -- what node/writer does when nobody asks for anything. */
#include "tests/unit/writer_world.h"

#define PUT_OFF_MS 1000 /* by other work, at most */

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

struct test_chore {
    struct hs_chore chore; /* first */
    sem_t done;
    unsigned times;
    uint64_t wait_ms; /* after each */
};

static enum hs_err run_chore(struct hs_job *job, struct hs_store *store)
{
    struct test_chore *chore = (struct test_chore *)job;
    assert_true(store->open);
    trace(store, 'x');
    chore->times++;
    chore->chore.wait_ms = chore->wait_ms;
    return HS_OK;
}

static void end_chore(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    (void)err;
    (void)commit;
    sem_post(&((struct test_chore *)job)->done);
}

static void a_chore_comes_again_in_groups_of_its_own(void **state)
{
    (void)state;
    struct test_chore chore = {.chore = {.job = {.run = run_chore, .done = end_chore}, .wait_ms = 1}, .wait_ms = 1};
    sem_init(&chore.done, 0, 0);
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000, .chore = &chore.chore});
    wait_for(&chore.done, 3);
    assert_int_equal(submit(fixture, 1, HS_OK, 0), HS_OK);
    wait_for(&fixture->done, 1);
    wait_for(&chore.done, 1);
    hs_writer_stop(fixture->writer);
    assert_non_null(strstr(fixture->store.trace, "bxcbxcbxc"));
    assert_non_null(strstr(fixture->store.trace, "bwc")); /* the job's group is not the chore's */
    finish(fixture);
    sem_destroy(&chore.done);
}

static void a_chore_is_put_off_for_work_but_not_for_ever(void **state)
{
    (void)state;
    struct test_chore chore = {.chore = {.job = {.run = run_chore, .done = end_chore}, .wait_ms = 0}, .wait_ms = 60000};
    sem_init(&chore.done, 0, 0);
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_mutex_init(&fixture->store.lock, NULL);
    sem_init(&fixture->done, 0, 0);
    sem_init(&fixture->store.in_commit, 0, 0);
    struct hs_writer_options options = {.store = &fixture->store, .flush_ms = 60000, .chore = &chore.chore};
    uint64_t begun_ms = now_ms();
    assert_int_equal(hs_writer_new(&options, &fixture->writer), HS_OK);
    time_t give_up = time(NULL) + 30;
    while (chore.times == 0 && time(NULL) < give_up) { /* there is always something to do */
        assert_int_equal(submit(fixture, 1, HS_OK, 0), HS_OK);
        hs_writer_turn(fixture->writer);
    }
    assert_int_equal(chore.times, 1);
    assert_true(now_ms() - begun_ms >= PUT_OFF_MS);
    hs_writer_stop(fixture->writer);
    finish(fixture);
    sem_destroy(&chore.done);
}

/* One is called after a commit, the other comes by itself; each has groups of its own. */
struct caller {
    struct test_chore *called;
};

static void call_chore(void *ctx, const struct hs_commit *commit)
{
    (void)commit;
    struct test_chore *called = ((struct caller *)ctx)->called;
    if (called->times == 0)
        hs_chore_soon(&called->chore, 1);
}

static void a_chore_that_rests_comes_when_it_is_called(void **state)
{
    (void)state;
    struct test_chore called = {.chore = {.job = {.run = run_chore, .done = end_chore}, .wait_ms = UINT64_MAX},
                                .wait_ms = UINT64_MAX};
    struct test_chore other = {.chore = {.job = {.run = run_chore, .done = end_chore}, .wait_ms = 1}, .wait_ms = 1};
    struct caller caller = {.called = &called};
    sem_init(&called.done, 0, 0);
    sem_init(&other.done, 0, 0);
    other.chore.next = &called.chore;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    pthread_mutex_init(&fixture->lock, NULL);
    pthread_mutex_init(&fixture->store.lock, NULL);
    sem_init(&fixture->done, 0, 0);
    sem_init(&fixture->store.in_commit, 0, 0);
    struct hs_writer_options options = {
        .store = &fixture->store, .flush_ms = 60000, .chore = &other.chore, .committed = call_chore, .ctx = &caller};
    assert_int_equal(hs_writer_new(&options, &fixture->writer), HS_OK);
    assert_int_equal(hs_writer_start(fixture->writer), HS_OK);
    wait_for(&called.done, 1); /* the other's commits have called it */
    wait_for(&other.done, 3);
    hs_writer_stop(fixture->writer);
    assert_int_equal(called.times, 1);
    finish(fixture);
    sem_destroy(&called.done);
    sem_destroy(&other.done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chore_comes_again_in_groups_of_its_own),
        cmocka_unit_test(a_chore_is_put_off_for_work_but_not_for_ever),
        cmocka_unit_test(a_chore_that_rests_comes_when_it_is_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
