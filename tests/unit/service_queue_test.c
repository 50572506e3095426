/* service_queue_test.c -- the queue through the local API: numbers, calls, what is refused; and 13 windows with a
 * ticket machine at once: no number twice and none left out, nobody called by two windows. */
#include "tests/unit/service_desk.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/model/queue.h"

#include <pthread.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { WINDOWS = 13, CUSTOMERS = 260 };

#define TAKE(...) put_queue_ticket(client, (Hallsync__QueueTicket){MESSAGE(queue_ticket), __VA_ARGS__})
#define MOVE(...) put_queue_event(client, (Hallsync__QueueEvent){MESSAGE(queue_event), __VA_ARGS__})

static const Hallsync__PutResult *put_queue_ticket(struct client *client, Hallsync__QueueTicket ticket)
{
    return put(client, &(struct putting){.kind = HS_KIND_QUEUE_TICKET, .message = &ticket.base});
}

static const Hallsync__PutResult *put_queue_event(struct client *client, Hallsync__QueueEvent event)
{
    event.has_window = event.window != 0;
    event.has_to_window = event.to_window != 0;
    return put(client, &(struct putting){.kind = HS_KIND_QUEUE_EVENT, .message = &event.base});
}

static void assert_number(const Hallsync__PutResult *result, const char *number)
{
    assert_result(result, HALLSYNC__RESULT__RESULT_CREATED);
    assert_string_equal(result->number, number);
}

static const Hallsync__QueueState *state_of(struct client *client, const char *id)
{
    const Hallsync__Record *record = get_record(client, HS_KIND_QUEUE_TICKET, id);
    assert_non_null(record);
    assert_non_null(record->queue);
    return record->queue;
}

static const Hallsync__QueueFiguresReply *figures(struct client *client)
{
    Hallsync__QueueFiguresRequest body = HALLSYNC__QUEUE_FIGURES_REQUEST__INIT;
    Hallsync__Request request = REQUEST(queue_figures, QUEUE_FIGURES, &body);
    const Hallsync__Reply *reply = client_ask(client, &request);
    if (reply->error != NULL)
        fail_msg("%s: %s", reply->error, reply->text);
    return reply->queue_figures;
}

static void figures_are_of_halls_that_are_known(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    static const char *const HALLS[][2] = {{"nix", "not-found"}, {"no hall", "bad-value"}};
    for (size_t i = 0; i < COUNT(HALLS); i++) {
        Hallsync__QueueFiguresRequest body = HALLSYNC__QUEUE_FIGURES_REQUEST__INIT;
        Hallsync__Request request = REQUEST(queue_figures, QUEUE_FIGURES, &body);
        body.hall = TEXT(HALLS[i][0]);
        const Hallsync__Reply *reply = client_ask(client, &request);
        assert_string_equal(reply->error, HALLS[i][1]);
        assert_non_null(strstr(reply->text, HALLS[i][0]));
    }
    assert_int_equal(figures(client)->all->taken, 0);
}

/* ---- numbers ---- */

static void numbers_have_no_gaps(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    assert_number(TAKE(.queue_id = TEXT("q-1"), .group = TEXT("A")), "A001");
    assert_number(TAKE(.queue_id = TEXT("q-2"), .group = TEXT("A")), "A002");
    assert_number(TAKE(.queue_id = TEXT("q-3"), .group = TEXT("B")), "B001");
    assert_refused(TAKE(.group = TEXT("a")), "bad-value", "group");
    assert_refused(TAKE(.group = TEXT("A"), .number = TEXT("A009")), "invalid", "number");
    assert_refused(TAKE(.group = TEXT("A"), .hall = TEXT("nj-gulou")), "invalid", "hall");
    assert_refused(TAKE(.priority = TEXT("elderly")), "missing-field", "group");
    const Hallsync__PutResult *again = TAKE(.queue_id = TEXT("q-2"), .group = TEXT("A"));
    assert_result(again, HALLSYNC__RESULT__RESULT_EXISTS);
    assert_string_equal(again->number, "A002");
    assert_refused(TAKE(.queue_id = TEXT("q-2"), .group = TEXT("B")), "id-in-use", NULL);
    restart(desk);
    for (unsigned i = 3; i <= 40; i++) {
        char number[HS_QUEUE_NUMBER_BYTES_MAX];
        assert_number(TAKE(.group = TEXT("A")), hs_queue_number("A", i, number));
    }
    const Hallsync__Record *record = get_record(client, HS_KIND_QUEUE_TICKET, "q-1");
    Hallsync__QueueTicket *ticket = hallsync__queue_ticket__unpack(NULL, record->record.len, record->record.data);
    assert_string_equal(ticket->number, "A001");
    assert_string_equal(ticket->hall, "nj-gulou");
    assert_int_equal(strlen(ticket->date), 10);
    assert_int_equal(record->partition, 3201);
    assert_string_equal(record->queue->state, "waiting");
    hallsync__queue_ticket__free_unpacked(ticket, NULL);
}

/* What the node has told others of and lost, when it was set back, comes back to it: numbers that it draws again. */
static void write_lost(struct desk *desk, uint64_t number, Hallsync__QueueTicket ticket)
{
    struct hs_buf packed = {0};
    struct hs_commit commit;
    struct hs_dot dot;
    hs_msg_pack(&ticket.base, &packed);
    const struct world_fact fact = {.partition = 3201,
                                    .lane = HS_LANE_WORK,
                                    .kind = HS_KIND_QUEUE_TICKET,
                                    .number = number,
                                    .bytes = hs_buf_bytes(&packed)};
    assert_int_equal(hs_store_begin(desk->office.node.store), HS_OK);
    assert_int_equal(world_write(&desk->office.node, &fact, &dot), HS_OK);
    assert_int_equal(hs_store_commit(desk->office.node.store, &commit), HS_OK);
    hs_buf_fini(&packed);
}

static void a_number_drawn_twice_is_that_of_who_can_be_meant(void **state)
{
    struct desk *desk = *state;
    struct client *client = &desk->client;
    char number[] = "A001";
    char date[16];
    char hall[] = "nj-gulou";
    char group[] = "A";
    assert_number(TAKE(.queue_id = TEXT("q-1"), .group = TEXT("A")), number);
    const Hallsync__Record *record = get_record(client, HS_KIND_QUEUE_TICKET, "q-1");
    snprintf(date, sizeof date, "%.10s", hs_tlv_bytes(HS_BYTES(record->record.data, record->record.len), 3).data);
    leave(desk);
    for (uint64_t i = 0; i < 3; i++)
        write_lost(desk, i,
                   (Hallsync__QueueTicket){MESSAGE(queue_ticket), .number = number, .date = date, .hall = hall,
                                           .group = group});
    come_back(desk);
    for (unsigned i = 0; i < 4; i++) { /* who came last first: q-1 is the oldest */
        const Hallsync__PutResult *called = MOVE(.event = TEXT("called"), .window = 3, .number = number);
        assert_number(called, number);
        struct hs_id last = world_fact_id(&desk->office.node, 2 - i);
        char hex[HS_ID_TEXT_BYTES];
        if (i < 3)
            assert_string_equal(called->of, hs_id_text(&last, hex));
        assert_number(MOVE(.event = TEXT("served"), .window = 3, .number = number), number);
    }
    assert_refused(MOVE(.event = TEXT("called"), .window = 3, .number = number), "bad-state", "event");
    assert_string_equal(state_of(client, "q-1")->state, "served");
    assert_number(TAKE(.group = TEXT("A")), "A002");
}

/* ---- windows ---- */

static void who_comes_first_is_called_first(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    assert_refused(MOVE(.event = TEXT("called"), .window = 3), "not-found", NULL);
    assert_number(TAKE(.queue_id = TEXT("q-1"), .group = TEXT("A")), "A001");
    assert_number(TAKE(.queue_id = TEXT("q-2"), .group = TEXT("B")), "B001");
    assert_number(TAKE(.queue_id = TEXT("q-3"), .group = TEXT("A"), .priority = TEXT("elderly")), "A002");
    const Hallsync__PutResult *called = MOVE(.event_id = TEXT("e-1"), .event = TEXT("called"), .window = 3,
                                             .clerk = TEXT("zhao"));
    assert_number(called, "A002");
    const Hallsync__QueueState *third = state_of(client, "q-3");
    assert_string_equal(third->state, "called");
    assert_int_equal(third->window, 3);
    assert_string_equal(third->clerk, "zhao");
    assert_int_equal(third->n_events, 1);
    called = MOVE(.event_id = TEXT("e-1"), .event = TEXT("called"), .window = 3, .clerk = TEXT("zhao"));
    assert_result(called, HALLSYNC__RESULT__RESULT_EXISTS);
    assert_string_equal(called->number, "A002");
    assert_refused(MOVE(.event_id = TEXT("e-1"), .event = TEXT("called"), .window = 4), "id-in-use", NULL);
    assert_refused(MOVE(.event = TEXT("called"), .window = 3), "bad-state", "window");
    assert_number(MOVE(.event = TEXT("called"), .window = 4, .groups = TEXT("B,C")), "B001");
    assert_refused(MOVE(.event = TEXT("called"), .window = 5, .groups = TEXT("B,C")), "not-found", NULL);
    assert_number(MOVE(.event = TEXT("called"), .window = 5), "A001");
}

static void a_service_goes_its_way(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    TAKE(.queue_id = TEXT("q-1"), .group = TEXT("A"));
    assert_refused(MOVE(.event = TEXT("serving"), .window = 3), "not-found", "window");
    assert_refused(MOVE(.event = TEXT("called")), "missing-field", "window");
    assert_number(MOVE(.event = TEXT("called"), .window = 3), "A001");
    assert_number(MOVE(.event = TEXT("recalled"), .window = 3), "A001");
    assert_refused(MOVE(.event = TEXT("serving"), .window = 4), "not-found", "window");
    assert_refused(MOVE(.event = TEXT("serving"), .window = 4, .number = TEXT("A001")), "bad-state", "event");
    assert_refused(MOVE(.event = TEXT("serving"), .window = 4, .number = TEXT("A007")), "unknown-ticket", "number");
    assert_number(MOVE(.event = TEXT("serving"), .window = 3), "A001");
    assert_refused(MOVE(.event = TEXT("skipped"), .window = 3), "bad-state", "event");
    assert_refused(MOVE(.event = TEXT("served"), .window = 3, .to_window = 4), "invalid", "to_window");
    assert_number(MOVE(.event = TEXT("transferred"), .window = 3, .to_window = 7, .to_group = TEXT("C")), "A001");
    assert_string_equal(state_of(client, "q-1")->state, "waiting");
    assert_string_equal(state_of(client, "q-1")->group, "C");
    assert_refused(MOVE(.event = TEXT("called"), .window = 3), "not-found", NULL);
    assert_refused(MOVE(.event = TEXT("called"), .window = 3, .number = TEXT("A001")), "bad-state", "event");
    assert_number(MOVE(.event = TEXT("called"), .window = 7, .groups = TEXT("A")), "A001");
    assert_number(MOVE(.event = TEXT("served"), .window = 7), "A001");
    const Hallsync__QueueState *last = state_of(client, "q-1");
    assert_string_equal(last->state, "served");
    assert_int_equal(last->n_events, 6);
    assert_int_equal(last->calls, 3);
    for (size_t i = 0; i < last->n_events; i++)
        assert_true(last->events[i]->fits);
}

static void who_does_not_come_is_skipped_and_may_come_back(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    TAKE(.queue_id = TEXT("q-1"), .group = TEXT("A"));
    TAKE(.queue_id = TEXT("q-2"), .group = TEXT("A"));
    assert_number(MOVE(.event = TEXT("called"), .window = 3), "A001");
    assert_number(MOVE(.event = TEXT("skipped"), .window = 3), "A001");
    assert_number(MOVE(.event = TEXT("called"), .window = 3), "A002");
    assert_number(MOVE(.event = TEXT("served"), .window = 3), "A002");
    assert_refused(MOVE(.event = TEXT("called"), .window = 3), "not-found", NULL); /* not by itself */
    assert_number(MOVE(.event = TEXT("called"), .window = 3, .number = TEXT("A001")), "A001");
    assert_number(MOVE(.event = TEXT("left"), .number = TEXT("A001")), "A001");
    assert_refused(MOVE(.event = TEXT("left"), .number = TEXT("A002")), "bad-state", "event");
    assert_refused(MOVE(.event = TEXT("left")), "missing-field", "window");
}

static void do_window(struct client *client, const char *event)
{
    Hallsync__WindowEvent window = HALLSYNC__WINDOW_EVENT__INIT;
    window.has_window = true;
    window.window = 3;
    window.event = TEXT(event);
    window.clerk = TEXT("zhao");
    assert_null(put(client, &(struct putting){.kind = HS_KIND_WINDOW_EVENT, .message = &window.base})->error);
}

/* Who is there is served to the end; nobody else is called. */
static void a_window_that_is_paused_calls_nobody(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    TAKE(.queue_id = TEXT("q-1"), .group = TEXT("A"));
    TAKE(.queue_id = TEXT("q-2"), .group = TEXT("A"));
    do_window(client, "open");
    assert_number(MOVE(.event = TEXT("called"), .window = 3), "A001");
    do_window(client, "pause");
    assert_number(MOVE(.event = TEXT("served"), .window = 3), "A001");
    assert_refused(MOVE(.event = TEXT("called"), .window = 3), "bad-window-state", "window");
    assert_string_equal(state_of(client, "q-2")->state, "waiting");
    do_window(client, "resume");
    assert_number(MOVE(.event = TEXT("called"), .window = 3), "A002");
}

static void a_ticket_has_so_many_events(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    TAKE(.queue_id = TEXT("q-1"), .group = TEXT("A"));
    assert_number(MOVE(.event = TEXT("called"), .window = 3), "A001");
    for (unsigned i = 2; i < HS_QUEUE_EVENTS_MAX; i++)
        assert_number(MOVE(.event = TEXT("recalled"), .window = 3), "A001");
    assert_refused(MOVE(.event = TEXT("recalled"), .window = 3), "overflow", "event");
    assert_string_equal(state_of(client, "q-1")->state, "called");
    assert_number(MOVE(.event = TEXT("left"), .window = 3), "A001");
    assert_string_equal(state_of(client, "q-1")->state, "left");
}

/* ---- what is shown ---- */

static void the_feed_says_what_a_board_needs(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    uint32_t kinds[] = {HS_KIND_QUEUE_TICKET, HS_KIND_QUEUE_EVENT};
    Hallsync__WatchRequest body = HALLSYNC__WATCH_REQUEST__INIT;
    Hallsync__Position from = HALLSYNC__POSITION__INIT;
    Hallsync__Request request = REQUEST(watch, WATCH, &body);
    body.kinds = kinds;
    body.n_kinds = COUNT(kinds);
    TAKE(.queue_id = TEXT("q-1"), .group = TEXT("A"));
    from = *client_ask(client, &request)->watch->position;
    MOVE(.event = TEXT("called"), .window = 3, .clerk = TEXT("zhao"));
    body.from = &from;
    body.has_wait_ms = true;
    body.wait_ms = 5000;
    const Hallsync__Reply *reply = client_ask(client, &request);
    assert_null(reply->error);
    assert_int_equal(reply->watch->n_records, 1);
    const Hallsync__Record *record = reply->watch->records[0];
    assert_int_equal(record->kind, HS_KIND_QUEUE_EVENT);
    assert_string_equal(record->queue->number, "A001");
    assert_string_equal(record->queue->queue_id, "q-1");
    assert_string_equal(record->queue->state, "called");
    assert_int_equal(record->queue->window, 3);
}

static size_t count_in_state(struct client *client, const char *state, const char *date)
{
    Hallsync__FindRequest body = HALLSYNC__FIND_REQUEST__INIT;
    body.kind = HS_KIND_QUEUE_TICKET;
    body.index = TEXT("state");
    body.key = TEXT(state);
    body.then = TEXT(date);
    body.has_limit = true;
    body.limit = 1000;
    const Hallsync__Reply *reply = find(client, &body);
    assert_null(reply->error);
    return reply->records->n_records;
}

static void figures_and_states_agree(void **state)
{
    struct client *client = &((struct desk *)*state)->client;
    char date[16];
    for (unsigned i = 0; i < 5; i++)
        TAKE(.group = TEXT("A"));
    for (unsigned i = 0; i < 3; i++) {
        MOVE(.event = TEXT("called"), .window = 3);
        MOVE(.event = TEXT("serving"), .window = 3);
        MOVE(.event = TEXT("served"), .window = 3);
    }
    MOVE(.event = TEXT("called"), .window = 4);
    const Hallsync__QueueFiguresReply *reply = figures(client);
    assert_string_equal(reply->hall, "nj-gulou");
    assert_int_equal(reply->all->taken, 5);
    assert_int_equal(reply->all->served, 3);
    assert_int_equal(reply->all->called, 1);
    assert_int_equal(reply->all->waiting, 1);
    assert_true(reply->all->has_wait_ms);
    assert_int_equal(reply->n_windows, 2);
    assert_int_equal(reply->windows[0]->window, 3);
    assert_int_equal(reply->windows[0]->served, 3);
    assert_int_equal(reply->windows[1]->calls, 1);
    snprintf(date, sizeof date, "%s", reply->date);
    assert_int_equal(count_in_state(client, "served", date), 3);
    assert_int_equal(count_in_state(client, "waiting", date), 1);
    assert_int_equal(count_in_state(client, "waiting", "2020-01-01"), 0);
}

/* ---- all at once ---- */

struct machine {
    pthread_t thread;
    struct office *office;
    char numbers[CUSTOMERS][HS_QUEUE_NUMBER_BYTES_MAX];
};

static void *draw_all(void *ctx)
{
    struct machine *machine = ctx;
    struct client own;
    struct client *client = &own;
    client_open(client, machine->office, ZMQ_DEALER);
    for (unsigned i = 0; i < CUSTOMERS; i++) {
        const Hallsync__PutResult *result = TAKE(.group = TEXT("A"), .priority = i % 10 == 9 ? TEXT("elderly") : NULL);
        snprintf(machine->numbers[i], sizeof machine->numbers[i], "%s", result->number);
    }
    client_close(client);
    return NULL;
}

struct window {
    pthread_t thread;
    struct office *office;
    unsigned number;
    atomic_uint *served; /* by all */
    char numbers[CUSTOMERS][HS_QUEUE_NUMBER_BYTES_MAX];
    size_t count;
    const char *failed;
};

/* Until all who come have been served, by whichever window. */
static void *serve_all(void *ctx)
{
    struct window *window = ctx;
    struct client own;
    struct client *client = &own;
    client_open(client, window->office, ZMQ_DEALER);
    while (atomic_load(window->served) < CUSTOMERS && window->failed == NULL) {
        const Hallsync__PutResult *result = MOVE(.event = TEXT("called"), .window = window->number);
        if (result->error != NULL && strcmp(result->error, "not-found") != 0)
            window->failed = "called";
        if (result->error != NULL)
            continue;
        snprintf(window->numbers[window->count++], HS_QUEUE_NUMBER_BYTES_MAX, "%s", result->number);
        if (MOVE(.event = TEXT("serving"), .window = window->number)->error != NULL)
            window->failed = "serving";
        result = MOVE(.event = TEXT("served"), .window = window->number);
        if (result->error != NULL || strcmp(result->number, window->numbers[window->count - 1]) != 0)
            window->failed = "served";
        atomic_fetch_add(window->served, 1);
    }
    client_close(client);
    return NULL;
}

static int text_compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void thirteen_windows_and_a_machine(void **state)
{
    struct desk *desk = *state;
    atomic_uint served = 0;
    struct machine *machine = calloc(1, sizeof *machine);
    struct window *windows = calloc(WINDOWS, sizeof *windows);
    char(*all)[HS_QUEUE_NUMBER_BYTES_MAX] = calloc(CUSTOMERS, sizeof *all);
    size_t count = 0;
    machine->office = &desk->office;
    for (unsigned i = 0; i < WINDOWS; i++) {
        windows[i] = (struct window){.office = &desk->office, .number = i + 1, .served = &served};
        assert_int_equal(pthread_create(&windows[i].thread, NULL, serve_all, &windows[i]), 0);
    }
    assert_int_equal(pthread_create(&machine->thread, NULL, draw_all, machine), 0);
    pthread_join(machine->thread, NULL);
    for (unsigned i = 0; i < WINDOWS; i++) {
        pthread_join(windows[i].thread, NULL);
        assert_null(windows[i].failed);
        assert_true(count + windows[i].count <= CUSTOMERS);
        memcpy(all[count], windows[i].numbers, windows[i].count * sizeof *all);
        count += windows[i].count;
    }
    assert_int_equal(count, CUSTOMERS);
    qsort(all, count, sizeof *all, text_compare);
    for (unsigned i = 0; i < CUSTOMERS; i++) { /* each number once, called once, none left out */
        char number[HS_QUEUE_NUMBER_BYTES_MAX];
        assert_string_equal(machine->numbers[i], hs_queue_number("A", i + 1, number));
        assert_string_equal(all[i], number);
    }
    const Hallsync__QueueFiguresReply *reply = figures(&desk->client);
    assert_int_equal(reply->all->taken, CUSTOMERS);
    assert_int_equal(reply->all->served, CUSTOMERS);
    uint64_t calls = 0;
    for (size_t i = 0; i < reply->n_windows; i++)
        calls += reply->windows[i]->calls;
    assert_int_equal(calls, CUSTOMERS);
    assert_int_equal(status(&desk->client)->conflicts, 0);
    free(machine);
    free(windows);
    free(all);
}

#define IN_HALL(test) cmocka_unit_test_setup_teardown(test, open_hall, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_HALL(numbers_have_no_gaps),
        IN_HALL(a_number_drawn_twice_is_that_of_who_can_be_meant),
        IN_HALL(who_comes_first_is_called_first),
        IN_HALL(a_service_goes_its_way),
        IN_HALL(who_does_not_come_is_skipped_and_may_come_back),
        IN_HALL(a_window_that_is_paused_calls_nobody),
        IN_HALL(a_ticket_has_so_many_events),
        IN_HALL(the_feed_says_what_a_board_needs),
        IN_HALL(figures_and_states_agree),
        IN_HALL(figures_are_of_halls_that_are_known),
        IN_HALL(thirteen_windows_and_a_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
