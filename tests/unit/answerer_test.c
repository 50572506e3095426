/* answerer_test.c -- a hub holds closes against its own entries: it agrees, waits for what has not come, names what
 * differs, answers again when something has changed and only then; and what stores say of closes follows. */
#include "tests/lib/store_world.h"

#include "node/daemon/answerer.h"
#include "node/service/survey.h"
#include "proto/msg/tlv.h"

#define DAY 20261121

static const struct hs_hall_day TODAY = {.home = 3201, .node = "nj-gulou", .date = DAY};

struct place {
    struct world_region region;
    struct world_node hall, hub;
    struct hs_answerer answerer;
    struct hs_arena arena;
};

static int open_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    world_begin(&place->region);
    world_add(&place->region, &place->hall, "nj-gulou", HS_ROLE_HALL);
    world_add(&place->region, &place->hub, "nj-hub", HS_ROLE_HUB);
    world_open(&place->hall, true);
    world_open(&place->hub, true);
    hs_answerer_init(&place->answerer, place->hub.store);
    hs_arena_init(&place->arena, 0);
    *state = place;
    return 0;
}

static enum hs_err count_rotten(void *ctx, const struct hs_rotten *rotten)
{
    size_t *count = ctx;
    (void)rotten;
    (*count)++;
    return HS_OK;
}

/* Rows that follow from records are the same, made step by step or of the whole. */
static void check_store(struct world_node *node)
{
    size_t found = 0;
    struct hs_check_options options = {.full = true, .visit = count_rotten, .ctx = &found};
    struct hs_check *check = NULL;
    assert_int_equal(hs_store_flush(node->store), HS_OK);
    assert_int_equal(hs_check_new(&options, &check), HS_OK);
    while (!hs_check_over(check)) {
        struct hs_view *view = NULL;
        assert_int_equal(hs_view_open(node->store, 0, 0, &view), HS_OK);
        assert_int_equal(hs_check_step(check, view, 10000), HS_OK);
        hs_view_close(view);
    }
    hs_check_free(check);
    assert_int_equal(found, 0);
}

static int close_place(void **state)
{
    struct place *place = *state;
    check_store(&place->hall);
    check_store(&place->hub);
    hs_answerer_fini(&place->answerer);
    hs_arena_fini(&place->arena);
    world_drop(&place->hall);
    world_drop(&place->hub);
    world_end(&place->region);
    free(place);
    return 0;
}

/* ---- a hall's day ---- */

static hs_partition home = 3201; /* of what is written next */

static void put_fact(struct world_node *node, uint16_t kind, const char *id, const struct hs_buf *fact)
{
    struct hs_write write = {.kind = kind, .id = HS_BYTES(id, strlen(id)), .is_fact = true, .fact = hs_buf_bytes(fact)};
    struct hs_draft draft = {.partition = home, .lane = HS_LANE_MONEY, .writes = &write, .write_count = 1};
    struct hs_dot dot;
    hs_stamp stamp;
    assert_int_equal(fact->err, HS_OK);
    assert_int_equal(hs_store_write(node->store, &draft, &dot, &stamp), HS_OK);
}

/* The hash by which one of several contents counts; @entry is empty. */
static struct hs_hash make_entry(struct world_node *node, const char *number, int64_t fen, struct hs_buf *entry)
{
    struct hs_id id = world_fact_id(node, ++node->made);
    hs_tlv_put_text(entry, 1, number);
    hs_tlv_put_u64(entry, 2, node->region->now_ms);
    hs_tlv_put_s64(entry, 3, fen);
    hs_tlv_put_u64(entry, 4, HS_KIND_PAYMENT);
    hs_tlv_put_bytes(entry, 5, HS_BYTES(id.bytes, sizeof id.bytes));
    hs_tlv_put_u64(entry, 6, 3201);
    return hs_hash_domain("hallsync fact 1", hs_buf_bytes(entry));
}

static struct hs_hash put_entry(struct world_node *node, const char *number, int64_t fen)
{
    struct hs_buf entry = {0};
    struct hs_hash hash = make_entry(node, number, fen, &entry);
    put_fact(node, HS_KIND_CASH_ENTRY, number, &entry);
    hs_buf_fini(&entry);
    return hash;
}

/* Under a number that is taken, of another amount, and it is what counts: of two contents that with the lower hash. */
static void put_instead(struct world_node *node, const char *number, int64_t fen, const struct hs_hash *of)
{
    struct hs_buf entry = {0};
    struct hs_hash hash = make_entry(node, number, fen, &entry);
    while (memcmp(hash.bytes, of->bytes, sizeof hash.bytes) >= 0) {
        hs_buf_reset(&entry);
        hash = make_entry(node, number, fen, &entry); /* with another id in it */
    }
    put_fact(node, HS_KIND_CASH_ENTRY, number, &entry);
    hs_buf_fini(&entry);
}

/* Entries 1, 2, ... of a window; leaves number and hash of the last. */
static struct hs_hash take(struct world_node *node, size_t count, char number[static HS_NUMBER_BYTES_MAX])
{
    struct hs_commit commit;
    struct hs_hash last = {{0}};
    assert_int_equal(hs_store_begin(node->store), HS_OK);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(hs_store_number(node->store, DAY, 3, number), HS_OK);
        last = put_entry(node, number, 100 + (int64_t)i);
    }
    assert_int_equal(hs_store_commit(node->store, &commit), HS_OK);
    return last;
}

static enum { TRUTH, TOO_MUCH, NOTHING, MORE_CASH } says; /* of the next close */

/* A close of the day as @by makes it in the name of the hall, of what @by holds. */
static void close_day(struct place *place, struct world_node *by, const char *id)
{
    struct hs_close_line lines[HS_CLOSE_LINES_MAX];
    struct hs_close_sums sums;
    struct hs_book book;
    struct hs_buf close = {0};
    struct hs_commit commit;
    size_t taken;
    uint8_t event[HS_ID_BYTES] = {1};
    assert_int_equal(hs_store_begin(by->store), HS_OK);
    assert_int_equal(hs_books_entries(hs_store_view(by->store), &TODAY, &place->arena, &book), HS_OK);
    size_t count = hs_close_lines(book.entries, book.count, lines, HS_CLOSE_LINES_MAX, &sums, &taken);
    if (says == TOO_MUCH || says == NOTHING) {
        count = 1;
        lines[0].last = book.count;
        lines[0].sum_fen = says == TOO_MUCH ? HS_AMOUNT_FEN_MAX + 1 : 0;
    }
    hs_tlv_put_text(&close, 1, id);
    hs_tlv_put_text(&close, 2, TODAY.node);
    hs_tlv_put_text(&close, 3, "2026-11-21");
    hs_close_put_lines(lines, count, 6, &close);
    hs_tlv_put_u64(&close, 7, sums.count);
    hs_tlv_put_s64(&close, 8, says == NOTHING ? 0 : sums.sum_fen);
    hs_tlv_put_s64(&close, 9, says == MORE_CASH ? sums.cash_fen + 1 : sums.cash_fen);
    hs_tlv_put_bytes(&close, 14, HS_BYTES(event, sizeof event));
    hs_tlv_put_bytes(&close, 15, HS_BYTES(sums.hash.bytes, HS_HASH_BYTES));
    put_fact(by, HS_KIND_CLOSE, id, &close);
    assert_int_equal(hs_store_commit(by->store, &commit), HS_OK);
    hs_buf_fini(&close);
}

/* ---- the hub ---- */

/* One run; has it written anything? */
static bool run(struct place *place)
{
    struct hs_job *job = &place->answerer.chore.job;
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    enum hs_err err = job->run(job, place->hub.store);
    if (err == HS_OK)
        assert_int_equal(hs_store_commit(place->hub.store, &commit), HS_OK);
    else
        hs_store_abort(place->hub.store);
    job->done(job, err, NULL);
    assert_true(err == HS_OK || err == HS_ENOTFOUND);
    return err == HS_OK;
}

/* The hub's last answer to the hall's only close, as @node knows it; what it names in @named. */
static enum hs_books answer_at(struct place *place, struct world_node *node, struct hs_close_named *named,
                               size_t *count)
{
    static struct hs_close_named all[HS_CLOSE_NAMED_MAX];
    struct hs_closed *closes;
    struct hs_answered *answers;
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_books_closes(view, &TODAY, &place->arena, &closes), HS_OK);
    assert_non_null(closes);
    assert_null(closes->next);
    assert_int_equal(hs_books_answers(view, closes, &place->arena, &answers), HS_OK);
    enum hs_books books = answers != NULL ? answers->books : HS_BOOKS_UNANSWERED;
    *count = answers != NULL ? hs_answered_named(answers, all) : 0;
    *named = all[0];
    hs_view_close(view);
    return books;
}

static enum hs_err count_record(void *ctx, const struct hs_stored *stored)
{
    size_t *count = ctx;
    (void)stored;
    (*count)++;
    return HS_OK;
}

static size_t unsettled(struct world_node *node)
{
    size_t count = 0;
    struct hs_view *view = world_view(node);
    assert_int_equal(hs_books_unsettled(view, count_record, &count), HS_OK);
    hs_view_close(view);
    return count;
}

/* As status tells them. */
static void assert_surveyed(struct world_node *node, uint32_t agree, uint32_t differ, uint32_t waiting)
{
    struct hs_survey survey = {.store = node->store, .view = world_view(node)};
    struct hs_books_count count;
    assert_int_equal(hs_survey_books(&survey, DAY, &count), HS_OK);
    assert_int_equal(count.days, agree + differ + waiting);
    assert_int_equal(count.agree, agree);
    assert_int_equal(count.differ, differ);
    assert_int_equal(count.waiting, waiting);
    hs_view_close(survey.view);
}

static void books_that_agree_are_answered_once(void **state)
{
    struct place *place = *state;
    struct hs_close_named named;
    size_t count;
    char number[HS_NUMBER_BYTES_MAX];
    assert_false(run(place));
    take(&place->hall, 130, number);
    close_day(place, &place->hall, "c-1");
    world_carry(&place->hall, &place->hub);
    assert_int_equal(answer_at(place, &place->hub, &named, &count), HS_BOOKS_UNANSWERED);
    assert_int_equal(unsettled(&place->hub), 1);
    assert_surveyed(&place->hub, 0, 0, 1);
    assert_true(run(place));
    assert_int_equal(answer_at(place, &place->hub, &named, &count), HS_BOOKS_AGREES);
    assert_surveyed(&place->hub, 1, 0, 0);
    assert_int_equal(count, 0);
    assert_int_equal(unsettled(&place->hub), 0);
    assert_false(run(place));
    world_carry(&place->hub, &place->hall);
    assert_int_equal(answer_at(place, &place->hall, &named, &count), HS_BOOKS_AGREES);
    assert_int_equal(unsettled(&place->hall), 0);
}

static enum hs_err carry_but_first(void *ctx, const struct hs_head *head)
{
    struct world_carrier *carrier = ctx;
    return head->stream.origin == carrier->segments
               ? HS_OK
               : world_carry_stream(&(struct world_carrier){carrier->from, carrier->to, 0}, head);
}

/* A hall that was set back goes on in another stream: it may come before what it had written in the one before. */
static void what_has_not_come_is_waited_for(void **state)
{
    struct place *place = *state;
    struct hs_close_named named;
    size_t count;
    struct hs_commit commit;
    char number[HS_NUMBER_BYTES_MAX];
    take(&place->hall, 7, number);
    uint64_t first = world_current_origin(&place->hall);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    assert_int_equal(hs_store_strike(place->hall.store, "test"), HS_OK);
    assert_int_equal(hs_store_commit(place->hall.store, &commit), HS_OK);
    take(&place->hall, 3, number);
    assert_int_not_equal(world_current_origin(&place->hall), first);
    close_day(place, &place->hall, "c-1");
    struct world_carrier carrier = {world_view(&place->hall), &place->hub, first};
    assert_int_equal(hs_view_heads(carrier.from, carry_but_first, &carrier), HS_OK);
    hs_view_close(carrier.from);
    assert_true(run(place));
    assert_int_equal(answer_at(place, &place->hub, &named, &count), HS_BOOKS_WAITING);
    assert_int_equal(count, 1);
    assert_int_equal(named.first, 1);
    assert_int_equal(named.last, 7);
    assert_true(named.missing);
    assert_false(run(place)); /* nothing has changed */
    assert_int_equal(unsettled(&place->hub), 1);
    world_carry(&place->hall, &place->hub);
    assert_true(run(place));
    assert_int_equal(answer_at(place, &place->hub, &named, &count), HS_BOOKS_AGREES);
    world_carry(&place->hub, &place->hall);
    assert_int_equal(unsettled(&place->hall), 0);
}

/* Somebody has put another content under the fifth number, and it counts. */
static void what_differs_is_named(void **state)
{
    struct place *place = *state;
    struct hs_close_named named;
    struct hs_close_judged *judged = &place->answerer.judged;
    size_t count;
    char number[HS_NUMBER_BYTES_MAX], fifth[HS_NUMBER_BYTES_MAX];
    struct hs_commit commit;
    struct hs_hash hash = take(&place->hall, 5, fifth);
    take(&place->hall, 4, number);
    close_day(place, &place->hall, "c-1");
    world_carry(&place->hall, &place->hub);
    assert_int_equal(hs_store_begin(place->hub.store), HS_OK);
    put_instead(&place->hub, fifth, 100001, &hash);
    assert_int_equal(hs_store_commit(place->hub.store, &commit), HS_OK);
    assert_true(run(place));
    assert_int_equal(judged->named_count, 1);
    assert_int_equal(answer_at(place, &place->hub, &named, &count), HS_BOOKS_DIFFERS);
    assert_surveyed(&place->hub, 0, 1, 0);
    assert_int_equal(count, 1);
    assert_int_equal(named.first, 5);
    assert_int_equal(named.last, 5);
    assert_false(named.missing);
    assert_false(run(place));
    assert_int_equal(unsettled(&place->hub), 1);
}

/* A close in the hall's name that another node has written is nobody's. */
static void a_close_of_a_stranger_counts_nowhere(void **state)
{
    struct place *place = *state;
    char number[HS_NUMBER_BYTES_MAX];
    struct hs_closed *closes;
    take(&place->hall, 2, number);
    world_carry(&place->hall, &place->hub);
    close_day(place, &place->hub, "c-1");
    struct hs_view *view = world_view(&place->hub);
    assert_int_equal(hs_books_closes(view, &TODAY, &place->arena, &closes), HS_OK);
    assert_null(closes);
    hs_view_close(view);
    assert_false(run(place));
    world_carry(&place->hub, &place->hall);
    take(&place->hall, 1, number); /* its day is open still */
    assert_non_null(strstr(number, "-20261121-03-"));
}

/* Of so much that the sum is no sum: the close lies about it, the answer says nothing of it, and is given once. */
static void a_sum_that_is_none_is_answered_once(void **state)
{
    struct place *place = *state;
    struct hs_close_named named;
    size_t count;
    char number[HS_NUMBER_BYTES_MAX];
    struct hs_commit commit;
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(hs_store_number(place->hall.store, DAY, 3, number), HS_OK);
        put_entry(&place->hall, number, HS_AMOUNT_FEN_MAX);
    }
    assert_int_equal(hs_store_commit(place->hall.store, &commit), HS_OK);
    says = TOO_MUCH;
    close_day(place, &place->hall, "c-1");
    world_carry(&place->hall, &place->hub);
    assert_false(run(place)); /* it breaks a rule, and is parked */
    take(&place->hall, 1, number);
    says = NOTHING;
    close_day(place, &place->hall, "c-2");
    says = TRUTH;
    world_carry(&place->hall, &place->hub);
    assert_true(run(place));
    assert_int_equal(answer_at(place, &place->hub, &named, &count), HS_BOOKS_DIFFERS);
    assert_false(run(place));
}

/* The same receipts on both sides, and a sum of its own that is not theirs: that is what the books would show. */
static void a_close_that_lies_of_its_lines_differs(void **state)
{
    struct place *place = *state;
    struct hs_close_named named;
    size_t count;
    char number[HS_NUMBER_BYTES_MAX];
    take(&place->hall, 3, number);
    says = MORE_CASH;
    close_day(place, &place->hall, "c-1");
    says = TRUTH;
    world_carry(&place->hall, &place->hub);
    assert_true(run(place));
    assert_int_equal(answer_at(place, &place->hub, &named, &count), HS_BOOKS_DIFFERS);
    assert_int_equal(count, 0);
    assert_false(run(place));
}

/* However many closes stand that nobody answers, those behind them have their turn. */
static void a_run_looks_at_a_part(void **state)
{
    struct place *place = *state;
    struct hs_close_named named;
    size_t count, runs = 0;
    char number[HS_NUMBER_BYTES_MAX], id[16];
    take(&place->hall, 2, number);
    close_day(place, &place->hall, "z-1");
    world_carry(&place->hall, &place->hub);
    for (unsigned i = 0; i < 150; i++) {
        snprintf(id, sizeof id, "c-%03u", i);
        close_day(place, &place->hub, id); /* a stranger's */
    }
    while (!run(place)) {
        assert_true(place->answerer.chore.wait_ms < UINT64_MAX); /* it comes again */
        assert_true(++runs < 10);
    }
    assert_true(runs > 0);
    assert_int_equal(answer_at(place, &place->hub, &named, &count), HS_BOOKS_AGREES);
    while (place->answerer.chore.wait_ms < UINT64_MAX) {
        assert_false(run(place));
        assert_true(++runs < 20);
    }
}

/* The day's last entry stands before one of the same name in another district: that is of no book of this hall. */
static void a_book_ends_with_its_district(void **state)
{
    struct place *place = *state;
    struct hs_book book;
    struct hs_commit commit;
    char number[HS_NUMBER_BYTES_MAX];
    take(&place->hall, 2, number);
    assert_int_equal(hs_store_begin(place->hall.store), HS_OK);
    home = 3202;
    put_entry(&place->hall, "nj-gulou-20261121-03-ANYWAY-000001", 5);
    home = 3201;
    assert_int_equal(hs_store_commit(place->hall.store, &commit), HS_OK);
    struct hs_view *view = world_view(&place->hall);
    assert_int_equal(hs_books_entries(view, &TODAY, &place->arena, &book), HS_OK);
    assert_int_equal(book.count, 2);
    hs_view_close(view);
}

/* The hall's own close moves its numbers on. */
static void numbers_behind_a_close_are_of_the_next_day(void **state)
{
    struct place *place = *state;
    char number[HS_NUMBER_BYTES_MAX];
    take(&place->hall, 2, number);
    assert_non_null(strstr(number, "-20261121-03-"));
    close_day(place, &place->hall, "c-1");
    take(&place->hall, 1, number);
    assert_non_null(strstr(number, "-20261122-03-"));
    assert_non_null(strstr(number, "-000001"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(books_that_agree_are_answered_once, open_place, close_place),
        cmocka_unit_test_setup_teardown(what_has_not_come_is_waited_for, open_place, close_place),
        cmocka_unit_test_setup_teardown(what_differs_is_named, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_close_of_a_stranger_counts_nowhere, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_sum_that_is_none_is_answered_once, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_close_that_lies_of_its_lines_differs, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_run_looks_at_a_part, open_place, close_place),
        cmocka_unit_test_setup_teardown(a_book_ends_with_its_district, open_place, close_place),
        cmocka_unit_test_setup_teardown(numbers_behind_a_close_are_of_the_next_day, open_place, close_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
