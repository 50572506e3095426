/* store_thread_test.c -- storage/store: views, the change feed, one writer and many readers.  Meant to be run under the
 * thread sanitizer as well. */
#include "tests/lib/store_world.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <time.h>

#define READERS   4
#define GROUPS    150
#define GROUP_OPS 7
#define WAIT_MS   20000

struct place {
    struct world_region region;
    struct world_node hall;
    sem_t opened;
    sem_t wanted;                              /* posted by flush_wanted */
    atomic_uint asked;                         /* how often */
    atomic_uint_fast64_t acknowledged, commit; /* facts, and the commit that holds them */
    atomic_uint_fast64_t origin;
    atomic_bool done;
    atomic_uint failures; /* cmocka's asserts are for its own thread */
};

static void ask(void *ctx)
{
    struct world_node *node = ctx;
    struct place *place = (struct place *)((char *)node - offsetof(struct place, hall));
    atomic_fetch_add(&place->asked, 1);
    sem_post(&place->wanted);
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    *state = place;
    world_begin(&place->region);
    world_add(&place->region, &place->hall, "nj-hall", HS_ROLE_HALL);
    place->hall.options.flush_wanted = ask;
    place->hall.options.flush_ops = 200;
    return sem_init(&place->wanted, 0, 0) == 0 && sem_init(&place->opened, 0, 0) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    struct place *place = *state;
    sem_destroy(&place->wanted);
    sem_destroy(&place->opened);
    world_drop(&place->hall);
    world_end(&place->region);
    free(place);
    return 0;
}

static void check(struct place *place, bool holds)
{
    if (!holds)
        atomic_fetch_add(&place->failures, 1);
}

static bool has_fact(struct hs_view *view, const struct world_node *writer, uint64_t number)
{
    struct hs_id id = world_fact_id(writer, number);
    struct hs_record_name name = {3201, HS_LANE_MONEY, WORLD_KIND_FACT, HS_BYTES(id.bytes, sizeof id.bytes)};
    struct hs_stored stored;
    return hs_view_record(view, &name, &stored) == HS_OK;
}

/* ---- views ---- */

struct seen {
    size_t count;
    uint64_t last_n;
};

static enum hs_err see_change(void *ctx, const struct hs_change *change)
{
    struct seen *seen = ctx;
    assert_int_equal(change->stream.partition, 3201);
    assert_true(change->op.size > 0);
    assert_true(change->n > seen->last_n);
    seen->last_n = change->n;
    seen->count++;
    return HS_OK;
}

static void the_feed_goes_on_from_any_position_of_this_store(void **state)
{
    struct place *place = *state;
    world_open(&place->hall, true);
    struct seen seen = {0};
    struct hs_position from = {0};
    struct hs_position to;
    for (size_t i = 1; i <= 6; i++)
        world_group(&place->hall, i);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_view_changes(view, &from, 8, see_change, &seen, &to), HS_OK);
    assert_int_equal(seen.count, 10); /* whole commits: 1 + 2 + 3 + 4 */
    assert_int_equal(hs_view_changes(view, &to, 1000, see_change, &seen, &to), HS_OK);
    assert_int_equal(seen.count, 21);
    assert_true(to.commit == hs_view_position(view).commit && to.tag == hs_view_position(view).tag);
    assert_int_equal(hs_view_changes(view, &to, 1000, see_change, &seen, &to), HS_OK);
    assert_int_equal(seen.count, 21);
    struct hs_position strange = {to.commit, to.tag + 1};
    assert_int_equal(hs_view_changes(view, &strange, 1000, see_change, &seen, &to), HS_ERESET);
    strange = (struct hs_position){to.commit + 1, 5};
    assert_int_equal(hs_view_changes(view, &strange, 1000, see_change, &seen, &to), HS_ERESET);
    hs_view_close(view);

    world_group(&place->hall, 1); /* in the log only: who were told of it would not find it */
    assert_int_equal(hs_view_open(place->hall.store, 0, 0, &view), HS_OK);
    assert_int_equal(hs_view_changes(view, &to, 1000, see_change, &seen, &to), HS_OK);
    assert_int_equal(seen.count, 21);
    hs_view_close(view);
}

static void a_view_is_a_snapshot(void **state)
{
    struct place *place = *state;
    struct hs_head head;
    world_open(&place->hall, true);
    struct hs_stream stream = {world_group(&place->hall, 2).origin, 3201, HS_LANE_MONEY};
    struct hs_view *view = world_view(&place->hall);
    world_group(&place->hall, 3);
    assert_int_equal(hs_store_flush(place->hall.store), HS_OK);
    assert_int_equal(hs_view_head(view, &stream, &head), HS_OK);
    assert_int_equal(head.n, 2);
    assert_false(has_fact(view, &place->hall, 4));
    struct hs_store_sizes sizes;
    hs_view_sizes(view, &sizes);
    assert_true(sizes.log_bytes > 0 && sizes.records_bytes > 0 && sizes.commit == sizes.records_commit);
    hs_view_close(view);
    view = world_view(&place->hall); /* the same object, taken up again */
    assert_int_equal(hs_view_head(view, &stream, &head), HS_OK);
    assert_int_equal(head.n, 5);
    assert_int_equal(hs_view_own_origins(view), 1);
    hs_view_close(view);
}

static void a_flush_is_due_after_so_many_ops(void **state)
{
    struct place *place = *state;
    place->hall.options.flush_ops = 10;
    world_open(&place->hall, true);
    world_group(&place->hall, 9);
    assert_false(hs_store_flush_due(place->hall.store));
    world_group(&place->hall, 1);
    assert_true(hs_store_flush_due(place->hall.store));
    assert_int_equal(hs_store_flush(place->hall.store), HS_OK);
    assert_false(hs_store_flush_due(place->hall.store));
}

/* ---- many readers ---- */

static enum hs_err count_op(void *ctx, const struct hs_change *change)
{
    (void)change;
    ++*(uint64_t *)ctx;
    return HS_OK;
}

/* What was acknowledged before the view was asked for is in it, in log and records; and the log is never behind the
 * records. */
static void check_view(struct place *place, struct hs_view *view, uint64_t acknowledged)
{
    struct hs_stream stream = {atomic_load(&place->origin), 3201, HS_LANE_MONEY};
    struct hs_head head = {.n = 0};
    struct hs_hash hash;
    struct hs_position from = {0};
    struct hs_position to;
    uint64_t ops = 0;
    check(place, hs_view_head(view, &stream, &head) == HS_OK && head.n >= acknowledged);
    check(place, hs_view_hash_at(view, &stream, head.n, &hash) == HS_OK && hs_hash_equal(&hash, &head.hash));
    check(place, has_fact(view, &place->hall, acknowledged));
    check(place, hs_view_changes(view, &from, SIZE_MAX, count_op, &ops, &to) == HS_OK);
    check(place, ops >= acknowledged && ops <= head.n && to.commit == hs_view_position(view).commit);
    check(place, has_fact(view, &place->hall, ops) && !has_fact(view, &place->hall, ops + 1));
}

static void *read_on(void *ctx)
{
    struct place *place = ctx;
    while (!atomic_load(&place->done)) {
        uint64_t acknowledged = atomic_load(&place->acknowledged);
        uint64_t commit = atomic_load(&place->commit);
        struct hs_view *view = NULL;
        if (acknowledged == 0)
            continue;
        enum hs_err err = hs_view_open(place->hall.store, commit, WAIT_MS, &view);
        check(place, err == HS_OK);
        if (err != HS_OK)
            break;
        check(place, hs_store_position(place->hall.store).commit >= hs_view_position(view).commit);
        check_view(place, view, acknowledged);
        hs_view_close(view);
    }
    return NULL;
}

static void write_groups(struct place *place)
{
    for (int group = 0; group < GROUPS; group++) {
        struct hs_dot dot = world_group(&place->hall, GROUP_OPS);
        atomic_store(&place->origin, dot.origin);
        /* In this order: a reader that knows the number knows a commit that holds it. */
        atomic_store(&place->commit, hs_store_position(place->hall.store).commit);
        atomic_store(&place->acknowledged, dot.n);
        if (group % 10 == 9) {
            struct world_fact fact = world_money(1 + (uint64_t)group * 1000);
            assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
            assert_int_equal(world_write(&place->hall, &fact, &dot), HS_OK);
            hs_store_abort(place->hall.store); /* readers must not notice */
        }
        if (hs_store_flush_due(place->hall.store))
            assert_int_equal(hs_store_flush(place->hall.store), HS_OK);
    }
}

static void readers_see_what_was_acknowledged(void **state)
{
    struct place *place = *state;
    pthread_t readers[READERS];
    world_open(&place->hall, true);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, place), 0);
    write_groups(place);
    assert_int_equal(hs_store_flush(place->hall.store), HS_OK);
    atomic_store(&place->done, true);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    assert_int_equal(atomic_load(&place->failures), 0);
}

struct waiter {
    struct place *place;
    uint64_t min_commit;
    unsigned wait_ms;
    enum hs_err err;
};

static void *wait_for_view(void *ctx)
{
    struct waiter *waiter = ctx;
    struct hs_view *view = NULL;
    waiter->err = hs_view_open(waiter->place->hall.store, waiter->min_commit, waiter->wait_ms, &view);
    hs_view_close(view);
    return NULL;
}

/* Writes happen on this thread, the one that opened the store; the reader waits on another. */
static void a_reader_that_waits_asks_once_for_a_flush(void **state)
{
    struct place *place = *state;
    pthread_t thread;
    world_open(&place->hall, true);
    world_group(&place->hall, 1);
    assert_false(hs_store_flush_due(place->hall.store));
    struct waiter waiter = {place, hs_store_position(place->hall.store).commit, WAIT_MS, HS_EINTERNAL};
    assert_int_equal(pthread_create(&thread, NULL, wait_for_view, &waiter), 0);
    sem_wait(&place->wanted);
    assert_true(hs_store_flush_due(place->hall.store));
    assert_int_equal(hs_store_flush(place->hall.store), HS_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(waiter.err, HS_OK);
    assert_int_equal(atomic_load(&place->asked), 1);
    assert_false(hs_store_flush_due(place->hall.store));
}

static void a_reader_waits_no_longer_than_it_may(void **state)
{
    struct place *place = *state;
    struct hs_view *view = NULL;
    struct timespec before;
    struct timespec after;
    world_open(&place->hall, true);
    world_group(&place->hall, 1);
    clock_gettime(CLOCK_MONOTONIC, &before);
    assert_int_equal(hs_view_open(place->hall.store, hs_store_position(place->hall.store).commit, 50, &view),
                     HS_ETIMEDOUT);
    clock_gettime(CLOCK_MONOTONIC, &after);
    int64_t waited = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    assert_true(waited >= 49);
    assert_int_equal(hs_view_open(place->hall.store, UINT64_MAX, 0, &view), HS_ETIMEDOUT);
    assert_int_equal(hs_view_open(place->hall.store, 0, 0, &view), HS_OK);
    hs_view_close(view);
}

/* The writer is a thread of its own, as in the daemon: opens, writes, flushes when asked, closes. */
static void *own_the_store(void *ctx)
{
    struct place *place = ctx;
    struct hs_why why;
    place->hall.options.create = true;
    check(place, hs_store_open(&place->hall.options, &place->hall.store, &why) == HS_OK);
    for (int i = 0; i < 3; i++)
        world_group(&place->hall, GROUP_OPS);
    sem_post(&place->opened);
    while (!atomic_load(&place->done)) {
        sem_wait(&place->wanted);
        if (hs_store_flush_due(place->hall.store))
            check(place, hs_store_flush(place->hall.store) == HS_OK);
    }
    hs_store_close(place->hall.store);
    place->hall.store = NULL;
    return NULL;
}

static void the_writer_may_be_a_thread_of_its_own(void **state)
{
    struct place *place = *state;
    pthread_t writer;
    pthread_t readers[READERS];
    struct waiter waiters[READERS];
    assert_int_equal(pthread_create(&writer, NULL, own_the_store, place), 0);
    sem_wait(&place->opened);
    uint64_t commit = hs_store_position(place->hall.store).commit;
    for (int i = 0; i < READERS; i++) {
        waiters[i] = (struct waiter){place, commit, WAIT_MS, HS_EINTERNAL};
        assert_int_equal(pthread_create(&readers[i], NULL, wait_for_view, &waiters[i]), 0);
    }
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(pthread_join(readers[i], NULL), 0);
        assert_int_equal(waiters[i].err, HS_OK);
    }
    atomic_store(&place->done, true);
    sem_post(&place->wanted);
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_int_equal(atomic_load(&place->failures), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_feed_goes_on_from_any_position_of_this_store),
        TEST(a_view_is_a_snapshot),
        TEST(a_flush_is_due_after_so_many_ops),
        TEST(readers_see_what_was_acknowledged),
        TEST(a_reader_that_waits_asks_once_for_a_flush),
        TEST(a_reader_waits_no_longer_than_it_may),
        TEST(the_writer_may_be_a_thread_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
