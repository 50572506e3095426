/* close_property_test.c -- random days: whoever holds the same entries makes the same close of them, whatever order
 * they came in; what comes behind a close is in the next one, and each entry in just one; and an answer waits for, or
 * differs by, exactly what was taken away or changed, and ends in `agrees` when that has come.
 *
 * HS_SEED=N HS_WORLDS=M repeats a run. */
#include "tests/lib/random.h"

#include "storage/model/close.h"

#include <stdio.h>
#include <string.h>

#define ENTRIES_MAX 400
#define SERIES_MAX  4

struct world {
    char series[SERIES_MAX][40];
    struct hs_book_entry entries[ENTRIES_MAX];
    size_t count;
    bool gone[ENTRIES_MAX];    /* not at the hub */
    bool changed[ENTRIES_MAX]; /* another content counts there */
};

static struct hs_hash hash_of(uint64_t value)
{
    return hs_hash_of(HS_BYTES(&value, sizeof value));
}

static void make(struct world *world)
{
    size_t series_count = 1 + random_below(SERIES_MAX);
    world->count = 0;
    memset(world->gone, 0, sizeof world->gone);
    memset(world->changed, 0, sizeof world->changed);
    for (size_t s = 0; s < series_count; s++) {
        char *series = world->series[s];
        snprintf(series, sizeof world->series[s], "nj-a-20261121-%02zu-S%zu", random_below(3), s);
        uint64_t counter = 0;
        for (size_t left = random_below(ENTRIES_MAX / SERIES_MAX); left > 0; left--) {
            counter += chance(95) ? 1 : 1 + random_below(5);
            world->entries[world->count++] = (struct hs_book_entry){
                .number = {.series = HS_BYTES(series, strlen(series)), .counter = counter},
                .amount_fen = (int64_t)random_below(200000) - 50000,
                .in_cash = chance(70),
                .hash = hash_of(random_u64())};
        }
    }
}

static void shuffle(struct hs_book_entry *entries, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t k = random_below(i);
        struct hs_book_entry entry = entries[i - 1];
        entries[i - 1] = entries[k];
        entries[k] = entry;
    }
}

static bool same_lines(const struct hs_close_line *a, const struct hs_close_line *b, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!hs_bytes_equal(a[i].series, b[i].series) || a[i].first != b[i].first || a[i].last != b[i].last ||
            a[i].sum_fen != b[i].sum_fen || !hs_hash_equal(&a[i].hash, &b[i].hash))
            return false;
    }
    return true;
}

static size_t make_lines(struct hs_book_entry *entries, size_t count, struct hs_close_line *lines,
                         struct hs_close_sums *sums)
{
    size_t taken;
    hs_book_sort(entries, count);
    size_t line_count = hs_close_lines(entries, count, lines, HS_CLOSE_LINES_MAX, sums, &taken);
    assert_int_equal(taken, count);
    return line_count;
}

static void order_does_not_matter(struct world *world)
{
    struct hs_close_line once[HS_CLOSE_LINES_MAX], again[HS_CLOSE_LINES_MAX];
    struct hs_close_sums sums, sums_again;
    size_t count = make_lines(world->entries, world->count, once, &sums);
    shuffle(world->entries, world->count);
    assert_int_equal(make_lines(world->entries, world->count, again, &sums_again), count);
    assert_true(same_lines(once, again, count));
    assert_true(hs_hash_equal(&sums.hash, &sums_again.hash));
    assert_int_equal(sums.sum_fen, sums_again.sum_fen);
    int64_t fen = 0;
    for (size_t i = 0; i < world->count; i++)
        fen += world->entries[i].amount_fen;
    assert_int_equal(sums.sum_fen, fen);
}

/* Entries come in random parts, a close is made behind each: of all that no close before it has. */
static void each_entry_is_in_one_close(struct world *world)
{
    static struct hs_close_line closes[8][HS_CLOSE_LINES_MAX];
    size_t lines[8] = {0}, close_count = 0, come = 0;
    uint64_t entries = 0;
    int64_t fen = 0, all_fen = 0;
    shuffle(world->entries, world->count);
    while (close_count < 8) {
        struct hs_book_entry part[ENTRIES_MAX];
        struct hs_close_sums sums;
        size_t part_count = 0;
        come = close_count == 7 ? world->count : come + random_below(world->count - come + 1);
        for (size_t i = 0; i < come; i++) {
            bool covered = false;
            for (size_t c = 0; c < close_count; c++)
                covered = covered || hs_close_covers(closes[c], lines[c], &world->entries[i].number);
            if (!covered)
                part[part_count++] = world->entries[i];
        }
        lines[close_count] = make_lines(part, part_count, closes[close_count], &sums);
        entries += sums.count;
        fen += sums.sum_fen;
        close_count++;
    }
    for (size_t i = 0; i < world->count; i++) {
        size_t covering = 0;
        for (size_t c = 0; c < close_count; c++)
            covering += hs_close_covers(closes[c], lines[c], &world->entries[i].number);
        assert_int_equal(covering, 1);
        all_fen += world->entries[i].amount_fen;
    }
    assert_int_equal(entries, world->count);
    assert_int_equal(fen, all_fen);
}

static enum hs_err look(void *ctx, struct hs_bytes series, uint64_t counter, struct hs_book_entry *entry)
{
    const struct world *world = ctx;
    for (size_t i = 0; i < world->count; i++) {
        const struct hs_number *number = &world->entries[i].number;
        if (number->counter != counter || !hs_bytes_equal(number->series, series))
            continue;
        *entry = world->entries[i];
        entry->has_others = world->changed[i];
        entry->hash = world->changed[i] ? hash_of(counter) : entry->hash;
        return world->gone[i] ? HS_ENOTFOUND : HS_OK;
    }
    return HS_ENOTFOUND;
}

static bool is_named(const struct hs_close_judged *judged, const struct hs_number *number, bool missing)
{
    for (size_t i = 0; i < judged->named_count; i++) {
        const struct hs_close_named *named = &judged->named[i];
        if (named->missing == missing && number->counter >= named->first && number->counter <= named->last &&
            hs_bytes_equal(named->series, number->series))
            return true;
    }
    return false;
}

/* A line of which something is missing says no more than that. */
static bool line_waits(const struct world *world, const struct hs_close_line *lines, size_t count, size_t entry)
{
    for (size_t i = 0; i < count; i++) {
        if (!hs_close_covers(&lines[i], 1, &world->entries[entry].number))
            continue;
        for (size_t k = 0; k < world->count; k++) {
            if (world->gone[k] && hs_close_covers(&lines[i], 1, &world->entries[k].number))
                return true;
        }
    }
    return false;
}

static void check_answer(struct world *world, const struct hs_close_line *lines, size_t count,
                         const struct hs_close_sums *sums)
{
    static struct hs_close_judged judged;
    struct hs_close_claim claim = {.node = HS_BYTES("nj-a", 4), .date = 20261121, .sums = *sums};
    bool any_gone = false, any_changed = false;
    assert_int_equal(hs_close_judge(&claim, lines, count, look, world, &judged), HS_OK);
    for (size_t i = 0; i < world->count; i++) {
        bool differs = world->changed[i] && !line_waits(world, lines, count, i);
        any_gone = any_gone || world->gone[i];
        any_changed = any_changed || differs;
        if (judged.more != 0)
            continue;
        assert_int_equal(is_named(&judged, &world->entries[i].number, true), world->gone[i]);
        assert_int_equal(is_named(&judged, &world->entries[i].number, false), differs);
    }
    assert_int_equal(judged.books, any_changed ? HS_BOOKS_DIFFERS : any_gone ? HS_BOOKS_WAITING : HS_BOOKS_AGREES);
}

static void answers_name_what_is_not_the_same(struct world *world)
{
    struct hs_close_line lines[HS_CLOSE_LINES_MAX];
    struct hs_close_sums sums;
    size_t count = make_lines(world->entries, world->count, lines, &sums);
    for (size_t i = 0; i < world->count; i++) {
        world->gone[i] = chance(5);
        world->changed[i] = !world->gone[i] && chance(2);
    }
    check_answer(world, lines, count, &sums);
    for (size_t step = 0; step < 3; step++) { /* and some of it comes, until all has */
        for (size_t i = 0; i < world->count; i++)
            world->gone[i] = world->gone[i] && step < 2 && chance(50);
        check_answer(world, lines, count, &sums);
    }
    memset(world->changed, 0, sizeof world->changed);
    check_answer(world, lines, count, &sums);
}

static void days_are_closed(void **state)
{
    static struct world world;
    uint64_t seed = number_of(getenv("HS_SEED"), 20261122);
    uint64_t worlds = number_of(getenv("HS_WORLDS"), 400);
    (void)state;
    for (uint64_t i = 0; i < worlds; i++) {
        random_state = seed + i;
        make(&world);
        order_does_not_matter(&world);
        each_entry_is_in_one_close(&world);
        answers_name_what_is_not_the_same(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(days_are_closed)};
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    if (failures != 0)
        print_message("HS_SEED=%llu HS_WORLDS=1\n", (unsigned long long)random_state);
    return failures;
}
