/* queue_property_test.c -- random events of queue tickets, sensible and senseless, given to the fold in random orders:
 * the outcome is the same, and what a second, plainer reading of them says; the figures add up to what the tickets
 * are.  HS_SEED=N HS_WORLDS=M repeats a run. */
#include "tests/property/random_writes.h"

#include "storage/model/queue.h"

#define DEFAULT_SEED   20261122
#define DEFAULT_WORLDS 400
#define TICKETS        12
#define EVENTS_MAX     14
#define WINDOWS        3
#define BEGIN          ((hs_stamp)1795233600000 << 16)

struct ticket {
    hs_stamp taken;
    struct hs_queue_event events[EVENTS_MAX];
    size_t count;
};

static void random_event(struct hs_arena *arena, hs_stamp taken, struct hs_queue_event *event)
{
    struct hs_buf message = {0};
    const char *what = PICK("called", "called", "recalled", "serving", "served", "skipped", "transferred", "left",
                            "vanished");
    if (chance(97))
        hs_tlv_put_text(&message, 3, what);
    if (chance(95))
        hs_tlv_put_u64(&message, 4, 1 + random_below(WINDOWS));
    if (chance(30))
        hs_tlv_put_text(&message, 5, PICK("zhao", "qian"));
    if (strcmp(what, "transferred") == 0 && chance(50))
        hs_tlv_put_u64(&message, 6, 1 + random_below(WINDOWS));
    if (strcmp(what, "transferred") == 0 && chance(50))
        hs_tlv_put_text(&message, 7, PICK("A", "B"));
    *event = (struct hs_queue_event){.stamp = taken - 2000 + (random_below(60000) << 16),
                                     .message = keep(arena, &message)};
    event->id.bytes[0] = (uint8_t)random_below(4); /* at one time, the id decides */
    event->id.bytes[1] = (uint8_t)random_below(256);
}

static void shuffle(struct hs_queue_event *events, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = random_below(i);
        struct hs_queue_event one = events[i - 1];
        events[i - 1] = events[j];
        events[j] = one;
    }
}

/* ---- the second reading: a text of what is, and rules as sentences ---- */

struct reading {
    const char *state;
    uint64_t window; /* at which it is, or to which it was passed on */
    size_t misfits;
};

static bool text_is(struct hs_bytes text, const char *what)
{
    return hs_bytes_equal(text, HS_BYTES(what, strlen(what)));
}

static bool is_at(const struct reading *reading, uint64_t window)
{
    bool called = strcmp(reading->state, "called") == 0 || strcmp(reading->state, "serving") == 0;
    return called && reading->window == window;
}

static bool step(struct reading *reading, struct hs_bytes message)
{
    struct hs_bytes what = hs_tlv_bytes(message, 3);
    uint64_t window = hs_tlv_u64(message, 4, 0);
    bool waiting = strcmp(reading->state, "waiting") == 0;
    bool called = strcmp(reading->state, "called") == 0;
    bool skipped = strcmp(reading->state, "skipped") == 0;
    bool over = strcmp(reading->state, "served") == 0 || strcmp(reading->state, "left") == 0;
    if (text_is(what, "called")) {
        bool mine = reading->window == 0 || reading->window == window;
        if (!skipped && !(waiting && mine))
            return false;
        *reading = (struct reading){"called", window, reading->misfits};
    } else if (text_is(what, "left")) {
        if (over)
            return false;
        reading->state = "left";
    } else if (!is_at(reading, window)) {
        return false;
    } else if (text_is(what, "served")) {
        reading->state = "served";
    } else if (text_is(what, "transferred")) {
        *reading = (struct reading){"waiting", hs_tlv_u64(message, 6, 0), reading->misfits};
    } else if (!called) {
        return false;
    } else if (text_is(what, "serving")) {
        reading->state = "serving";
    } else if (text_is(what, "skipped")) {
        reading->state = "skipped";
    } else {
        return text_is(what, "recalled");
    }
    return true;
}

/* Of events in their order. */
static struct reading read_events(const struct ticket *ticket)
{
    struct reading reading = {.state = "waiting"};
    for (size_t i = 0; i < ticket->count; i++) {
        bool fits = step(&reading, ticket->events[i].message);
        assert_int_equal(fits, ticket->events[i].fits);
        reading.misfits += !fits;
    }
    return reading;
}

/* ---- one ticket ---- */

static void assert_same(const struct hs_queue_fold *a, const struct hs_queue_fold *b)
{
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->window, b->window);
    assert_int_equal(a->since, b->since);
    assert_int_equal(a->first_called, b->first_called);
    assert_int_equal(a->calls, b->calls);
    assert_int_equal(a->waited_ms, b->waited_ms);
    assert_int_equal(a->served_ms, b->served_ms);
    assert_int_equal(a->misfits, b->misfits);
    assert_true(hs_bytes_equal(a->group, b->group));
    assert_true(hs_bytes_equal(a->clerk, b->clerk));
}

static void check_ticket(struct ticket *ticket)
{
    struct hs_queue_fold first;
    struct hs_queue_fold other;
    hs_queue_fold(ticket->taken, ticket->events, ticket->count, &first);
    struct reading reading = read_events(ticket);
    assert_string_equal(hs_queue_state_text(first.state), reading.state);
    assert_int_equal(first.misfits, reading.misfits);
    if (first.state == HS_QUEUE_CALLED || first.state == HS_QUEUE_SERVING || first.state == HS_QUEUE_WAITING)
        assert_int_equal(first.window, reading.window);
    for (int order = 0; order < 4; order++) {
        shuffle(ticket->events, ticket->count);
        hs_queue_fold(ticket->taken, ticket->events, ticket->count, &other);
        assert_same(&first, &other);
    }
}

/* ---- a day ---- */

static void check_figures(struct ticket *tickets)
{
    struct hs_queue_window windows[HS_QUEUE_WINDOW_MAX + 1];
    struct hs_queue_figures figures = {.windows = windows};
    uint64_t states[HS_QUEUE_STATE_COUNT] = {0};
    uint64_t served_ms = 0, calls = 0;
    for (size_t i = 0; i < TICKETS; i++) {
        struct hs_queue_fold fold;
        hs_queue_fold(tickets[i].taken, tickets[i].events, tickets[i].count, &fold);
        states[fold.state]++;
        served_ms += fold.served_ms;
        calls += fold.calls;
        shuffle(tickets[i].events, tickets[i].count);
        hs_queue_figures_add(&figures, tickets[i].taken, tickets[i].events, tickets[i].count, 480);
    }
    uint64_t taken = 0, waiting = 0, called = 0, serving = 0, served = 0, skipped = 0, left = 0;
    for (size_t i = 0; i < HS_QUEUE_HOURS; i++) {
        const struct hs_queue_sums *hour = &figures.hours[i];
        taken += hour->taken;
        waiting += hour->waiting;
        called += hour->called;
        serving += hour->serving;
        served += hour->served;
        skipped += hour->skipped;
        left += hour->left;
        assert_true(hour->waits <= hour->taken);
        assert_true(hour->wait_most_ms <= hour->wait_ms);
    }
    assert_int_equal(taken, TICKETS);
    assert_int_equal(waiting, states[HS_QUEUE_WAITING]);
    assert_int_equal(called, states[HS_QUEUE_CALLED]);
    assert_int_equal(serving, states[HS_QUEUE_SERVING]);
    assert_int_equal(served, states[HS_QUEUE_SERVED]);
    assert_int_equal(skipped, states[HS_QUEUE_SKIPPED]);
    assert_int_equal(left, states[HS_QUEUE_LEFT]);
    for (size_t i = 0; i < figures.window_count; i++) {
        assert_true(i == 0 || windows[i - 1].window < windows[i].window);
        assert_true(windows[i].serve_most_ms <= windows[i].serve_ms);
        served_ms -= windows[i].serve_ms;
        calls -= windows[i].calls + windows[i].recalls;
    }
    assert_int_equal(served_ms, 0);
    assert_int_equal(calls, 0);
}

static void run_world(void *unused)
{
    (void)unused;
    struct hs_arena arena;
    struct ticket tickets[TICKETS] = {{0}};
    hs_arena_init(&arena, 0);
    for (size_t i = 0; i < TICKETS; i++) {
        tickets[i].taken = BEGIN + ((hs_stamp)random_below(36000000) << 16);
        tickets[i].count = random_below(EVENTS_MAX + 1);
        for (size_t j = 0; j < tickets[i].count; j++)
            random_event(&arena, tickets[i].taken, &tickets[i].events[j]);
        check_ticket(&tickets[i]);
    }
    check_figures(tickets);
    hs_arena_fini(&arena);
}

static void any_order_gives_the_same(void **state)
{
    (void)state;
    run_worlds(DEFAULT_SEED, DEFAULT_WORLDS, run_world, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_order_gives_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
