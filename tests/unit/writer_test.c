/* writer_test.c -- node/writer over a store that is only pretended: it records what is called in which order, and fails
 * when told. */
#include "tests/unit/writer_world.h"

/* ---- tests ---- */

static void waiting_jobs_share_one_commit_and_keep_their_order(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    for (unsigned i = 1; i <= 10; i++)
        assert_int_equal(submit(fixture, i, HS_OK, 100), HS_OK);
    open_gate(&gate);
    wait_for(&fixture->done, 11);
    struct hs_writer_figures figures;
    hs_writer_figures(fixture->writer, &figures);
    assert_int_equal(figures.groups, 2);
    assert_int_equal(figures.jobs, 11);
    assert_int_equal(figures.inbox_jobs, 0);
    assert_int_equal(figures.inbox_bytes, 0);
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcbwwwwwwwwwwcf");
    assert_int_equal(fixture->committed, 2);
    assert_int_equal(fixture->last_commit, 2);
    for (unsigned i = 0; i <= 10; i++)
        assert_int_equal(fixture->order[i], i);
    sem_destroy(&gate);
    finish(fixture);
}

static void groups_are_bounded(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.group_bytes = 3000, .flush_ms = 60000});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    for (unsigned i = 1; i <= 4; i++)
        assert_int_equal(submit(fixture, i, HS_OK, 1000), HS_OK);
    assert_int_equal(submit(fixture, 5, HS_OK, 1000000), HS_OK); /* larger than a group: alone */
    open_gate(&gate);
    wait_for(&fixture->done, 6);
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcbwwcbwwcbwcf");
    sem_destroy(&gate);
    finish(fixture);
}

static void full_inbox_says_busy(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.inbox_bytes = 5000});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    assert_int_equal(submit(fixture, 1, HS_OK, 100000), HS_OK); /* into an empty inbox always */
    assert_int_equal(submit(fixture, 2, HS_OK, 1), HS_EBUSY);
    struct hs_writer_figures figures;
    hs_writer_figures(fixture->writer, &figures);
    assert_int_equal(figures.refused, 1);
    assert_int_equal(figures.inbox_jobs, 1);
    assert_true(figures.inbox_bytes >= 100000);
    open_gate(&gate);
    wait_for(&fixture->done, 2);
    assert_int_equal(submit(fixture, 3, HS_OK, 1), HS_OK);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->answered, 3);
    sem_destroy(&gate);
    finish(fixture);
}

static void jobs_without_weight_are_bounded_too(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.inbox_bytes = 5000});
    sem_t gate;
    unsigned taken = 0;
    hold_first_commit(fixture, &gate);
    while (taken < 1000 && submit(fixture, taken, HS_OK, 0) == HS_OK)
        taken++;
    assert_in_range(taken, 2, 100);
    open_gate(&gate);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->answered, taken + 1);
    sem_destroy(&gate);
    finish(fixture);
}

static void refused_job_leaves_the_others_alone(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    submit(fixture, 1, HS_OK, 0);
    submit(fixture, 2, HS_OK, 0);
    submit(fixture, 3, HS_EREVERSED, 0);
    open_gate(&gate);
    wait_for(&fixture->done, 4);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->last_err, HS_EREVERSED);
    assert_string_equal(fixture->store.trace, "bwcbwwcf");
    sem_destroy(&gate);
    finish(fixture);
}

static void group_of_refusals_commits_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){0});
    submit(fixture, 1, HS_EDIFFERS, 0);
    wait_for(&fixture->done, 1);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->last_err, HS_EDIFFERS);
    assert_int_equal(fixture->committed, 0);
    assert_string_equal(fixture->store.trace, "ba");
    finish(fixture);
}

static void submit_torn(struct fixture *fixture, unsigned number)
{
    struct job *job = calloc(1, sizeof *job);
    assert_non_null(job);
    *job = (struct job){.job = {.run = run_job, .done = end_job}, .refuse = HS_ENOMEM, .tears = true, .number = number};
    job->fixture = fixture;
    assert_int_equal(hs_writer_submit(fixture->writer, &job->job), HS_OK);
}

/* A payment without its cash entry must not be committed because its neighbours are. */
static void torn_job_is_taken_back_and_the_others_run_again(void **state)
{
    (void)state;
    sem_t gate;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    hold_first_commit(fixture, &gate);
    submit(fixture, 1, HS_OK, 0);
    submit_torn(fixture, 2);
    submit(fixture, 3, HS_OK, 0);
    open_gate(&gate);
    wait_for(&fixture->done, 4);
    assert_int_equal(fixture->last_err, HS_OK);
    assert_int_equal(fixture->last_commit, 2);
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcbwwwabwwcf");
    assert_int_equal(fixture->fatal, HS_OK);
    finish(fixture);
    sem_destroy(&gate);
}

static void torn_job_alone_commits_nothing(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    submit_torn(fixture, 1);
    wait_for(&fixture->done, 1);
    assert_int_equal(fixture->last_err, HS_ENOMEM);
    hs_writer_stop(fixture->writer);
    assert_null(strchr(fixture->store.trace, 'c'));
    assert_int_equal(fixture->committed, 0);
    finish(fixture);
}

static void full_disk_gives_up_the_group_and_goes_on(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    set_err(&fixture->store, &fixture->store.commit_err, HS_EFULL);
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    pthread_mutex_lock(&fixture->lock);
    assert_int_equal(fixture->last_err, HS_EFULL);
    assert_int_equal(fixture->fatal, HS_OK);
    pthread_mutex_unlock(&fixture->lock);
    submit(fixture, 2, HS_OK, 0);
    wait_for(&fixture->done, 1);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->last_err, HS_OK);
    assert_int_equal(fixture->committed, 1);
    assert_string_equal(fixture->store.trace, "bwcabwcf");
    finish(fixture);
}

/* What a job refused may rest on what another wrote: if that is gone, so is the refusal. */
static void refusals_fall_with_their_group(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){0});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    submit(fixture, 1, HS_OK, 0);
    submit(fixture, 2, HS_EREVERSED, 0);
    sem_post(&gate);
    wait_for(&fixture->done, 1);
    set_err(&fixture->store, &fixture->store.commit_err, HS_ENOMEM);
    open_gate(&gate);
    wait_for(&fixture->done, 2);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->last_err, HS_ENOMEM);
    sem_destroy(&gate);
    finish(fixture);
}

static void broken_store_is_fatal(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 1});
    set_err(&fixture->store, &fixture->store.commit_err, HS_EIO);
    submit(fixture, 1, HS_OK, 0);
    submit(fixture, 2, HS_OK, 0);
    wait_for(&fixture->done, 2);
    hs_writer_flush(fixture->writer);
    submit(fixture, 3, HS_OK, 0);
    wait_for(&fixture->done, 1);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->fatal, HS_EIO);
    assert_int_equal(fixture->last_err, HS_EIO);
    assert_null(strchr(fixture->store.trace, 'f'));
    finish(fixture);
}

static void store_broken_by_a_full_disk_is_fatal(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){0});
    sem_t gate;
    hold_first_commit(fixture, &gate);
    set_err(&fixture->store, &fixture->store.commit_err, HS_EFULL);
    set_err(&fixture->store, &fixture->store.broken, HS_EFULL);
    open_gate(&gate);
    wait_for(&fixture->done, 1);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->fatal, HS_EFULL);
    sem_destroy(&gate);
    finish(fixture);
}

/* Nobody is told OK, so nothing failed; but the records could not be put back to where they were. */
static void store_broken_by_giving_up_a_group_is_fatal_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    set_err(&fixture->store, &fixture->store.abort_err, HS_EDAMAGED);
    submit(fixture, 1, HS_ENOMEM, 0);
    wait_for(&fixture->done, 1);
    pthread_mutex_lock(&fixture->lock);
    assert_int_equal(fixture->last_err, HS_ENOMEM);
    assert_int_equal(fixture->fatal, HS_EDAMAGED);
    pthread_mutex_unlock(&fixture->lock);
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "ba");
    finish(fixture);
}

/* A view that cannot be had just now is no reason to end for the sake of a wrong request. */
static void store_is_not_asked_after_refusals_by_rule(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    set_err(&fixture->store, &fixture->store.broken, HS_EBUSY);
    submit(fixture, 1, HS_EDIFFERS, 0);
    submit(fixture, 2, HS_EGAP, 0);
    wait_for(&fixture->done, 2);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->fatal, HS_OK);
    finish(fixture);
}

/* Its records lag behind for want of disk: no group can begin until there is some. */
static void store_that_cannot_begin_now_goes_on_later(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    set_err(&fixture->store, &fixture->store.begin_err, HS_EFULL);
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    pthread_mutex_lock(&fixture->lock);
    assert_int_equal(fixture->last_err, HS_EFULL);
    pthread_mutex_unlock(&fixture->lock);
    set_err(&fixture->store, &fixture->store.begin_err, HS_OK);
    submit(fixture, 2, HS_OK, 0);
    wait_for(&fixture->done, 1);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->last_err, HS_OK);
    assert_int_equal(fixture->fatal, HS_OK);
    assert_string_equal(fixture->store.trace, "bwcf");
    finish(fixture);
}

static bool traced(struct fixture *fixture, char what)
{
    pthread_mutex_lock(&fixture->store.lock);
    bool found = memchr(fixture->store.trace, what, fixture->store.traced) != NULL;
    pthread_mutex_unlock(&fixture->store.lock);
    return found;
}

static void wait_for_trace(struct fixture *fixture, char what)
{
    for (int i = 0; i < 1000 && !traced(fixture, what); i++)
        usleep(5000);
    assert_true(traced(fixture, what));
}

static void records_are_flushed_after_a_while(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 20});
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    wait_for_trace(fixture, 'f');
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcf");
    finish(fixture);
}

static void records_are_flushed_when_asked_or_due(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    hs_writer_flush(fixture->writer);
    wait_for_trace(fixture, 'f');
    pthread_mutex_lock(&fixture->store.lock);
    fixture->store.traced = 0;
    memset(fixture->store.trace, 0, TRACE_BYTES);
    fixture->store.flush_due = true;
    pthread_mutex_unlock(&fixture->store.lock);
    submit(fixture, 2, HS_OK, 0);
    wait_for_trace(fixture, 'f');
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcf");
    finish(fixture);
}

static void steady_load_does_not_put_the_flush_off_for_ever(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 20});
    for (int i = 0; i < 10000 && !traced(fixture, 'f'); i++) {
        submit(fixture, 1, HS_OK, 0);
        wait_for(&fixture->done, 1);
        usleep(1000);
    }
    assert_true(traced(fixture, 'f'));
    hs_writer_stop(fixture->writer);
    finish(fixture);
}

/* The first commit stands still for longer than a stop may take. */
static void *stop_in_thread(void *arg)
{
    hs_writer_stop(arg);
    return NULL;
}

static void stop_does_not_wait_for_a_full_inbox(void **state)
{
    (void)state;
    sem_t gate;
    pthread_t stopper;
    struct fixture *fixture = start(&(struct hs_writer_options){.group_bytes = 1000, .flush_ms = 60000});
    hold_first_commit(fixture, &gate);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(submit(fixture, i, HS_OK, 500), HS_OK);
    assert_int_equal(pthread_create(&stopper, NULL, stop_in_thread, fixture->writer), 0);
    usleep(1300000);
    open_gate(&gate);
    pthread_join(stopper, NULL);
    assert_int_equal(fixture->answered, 101);
    assert_int_equal(fixture->last_err, HS_ESTOPPING);
    assert_string_equal(fixture->store.trace, "bwcf");
    finish(fixture);
    sem_destroy(&gate);
}

static void end_reader(struct hs_job *hs_job, enum hs_err err, const struct hs_commit *commit)
{
    struct job *job = (struct job *)hs_job;
    assert_null(commit);
    job->refuse = err;
    job->number = traced(job->fixture, 'f');
    sem_post(&job->fixture->done);
}

static void reader_is_told_after_the_flush(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 60000});
    struct job reader = {.job = {.done = end_reader}, .refuse = HS_EINTERNAL, .fixture = fixture};
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    assert_int_equal(hs_writer_after_flush(fixture->writer, &reader.job), HS_OK);
    wait_for(&fixture->done, 1);
    assert_int_equal(reader.refuse, HS_OK);
    assert_int_equal(reader.number, 1);

    submit(fixture, 2, HS_OK, 0);
    wait_for(&fixture->done, 1);
    set_err(&fixture->store, &fixture->store.flush_err, HS_EFULL);
    assert_int_equal(hs_writer_after_flush(fixture->writer, &reader.job), HS_OK);
    wait_for(&fixture->done, 1);
    assert_int_equal(reader.refuse, HS_EFULL);
    hs_writer_stop(fixture->writer);
    assert_int_equal(hs_writer_after_flush(fixture->writer, &reader.job), HS_ESTOPPING);
    finish(fixture);
}

static void failed_flush_is_tried_again(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.flush_ms = 10});
    set_err(&fixture->store, &fixture->store.flush_err, HS_EFULL);
    submit(fixture, 1, HS_OK, 0);
    wait_for(&fixture->done, 1);
    wait_for_trace(fixture, 'f');
    usleep(50000);
    hs_writer_stop(fixture->writer);
    assert_string_equal(fixture->store.trace, "bwcff");
    assert_int_equal(fixture->fatal, HS_OK);
    finish(fixture);
}

static void stop_drains(void **state)
{
    (void)state;
    struct fixture *fixture = start(&(struct hs_writer_options){.group_bytes = 1000, .flush_ms = 60000});
    for (unsigned i = 0; i < 500; i++)
        assert_int_equal(submit(fixture, i, HS_OK, 500), HS_OK);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->answered, 500);
    assert_int_equal(fixture->store.unflushed, 0);
    finish(fixture);
}

static void *submit_many(void *arg)
{
    struct fixture *fixture = arg;
    for (unsigned i = 0; i < 500; i++) {
        while (submit(fixture, i, i % 7 == 0 ? HS_ESTATE : HS_OK, i) == HS_EBUSY)
            usleep(100);
        if (i % 50 == 0)
            hs_writer_flush(fixture->writer);
    }
    return NULL;
}

static void many_threads_submit_at_once(void **state)
{
    (void)state;
    struct fixture *fixture = start(
        &(struct hs_writer_options){.inbox_bytes = 20000, .group_bytes = 5000, .flush_ms = 2});
    pthread_t threads[8];
    struct hs_writer_figures figures;
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_many, fixture), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    wait_for(&fixture->done, 8 * 500);
    hs_writer_figures(fixture->writer, &figures);
    assert_int_equal(figures.jobs, 8 * 500);
    hs_writer_stop(fixture->writer);
    assert_int_equal(fixture->answered, 8 * 500);
    assert_int_equal(fixture->store.unflushed, 0);
    finish(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waiting_jobs_share_one_commit_and_keep_their_order),
        cmocka_unit_test(groups_are_bounded),
        cmocka_unit_test(full_inbox_says_busy),
        cmocka_unit_test(jobs_without_weight_are_bounded_too),
        cmocka_unit_test(refused_job_leaves_the_others_alone),
        cmocka_unit_test(group_of_refusals_commits_nothing),
        cmocka_unit_test(full_disk_gives_up_the_group_and_goes_on),
        cmocka_unit_test(refusals_fall_with_their_group),
        cmocka_unit_test(broken_store_is_fatal),
        cmocka_unit_test(store_broken_by_a_full_disk_is_fatal),
        cmocka_unit_test(store_broken_by_giving_up_a_group_is_fatal_at_once),
        cmocka_unit_test(store_is_not_asked_after_refusals_by_rule),
        cmocka_unit_test(store_that_cannot_begin_now_goes_on_later),
        cmocka_unit_test(records_are_flushed_after_a_while),
        cmocka_unit_test(records_are_flushed_when_asked_or_due),
        cmocka_unit_test(torn_job_is_taken_back_and_the_others_run_again),
        cmocka_unit_test(torn_job_alone_commits_nothing),
        cmocka_unit_test(reader_is_told_after_the_flush),
        cmocka_unit_test(failed_flush_is_tried_again),
        cmocka_unit_test(steady_load_does_not_put_the_flush_off_for_ever),
        cmocka_unit_test(stop_does_not_wait_for_a_full_inbox),
        cmocka_unit_test(stop_drains),
        cmocka_unit_test(many_threads_submit_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
