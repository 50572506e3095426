/* ticket_orders.c -- a ticket's fold is one, whatever the order in which its events come: every set of up to four
 * events out of a small stock (with equal stamps and with others), in every order of arrival, for every machine, folded
 * as the store does it (on from where it has got to if the event lies behind, else anew) and by other means.
 *
 *   test_ticket_orders [--events N] */
#include "tests/exhaustive/search.h"

#include "proto/msg/tlv.h"
#include "storage/model/ticket.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define EVENTS_MAX    5
#define STAMPS        2
#define MESSAGE_BYTES 64

/* What an event may ask for. */
static const struct {
    const char *move; /* NULL: none */
    const char *assignee;
    const char *type;
    const char *consent;
} ASKED[] = {
    {.move = "open"},
    {.move = "accepted"},
    {.move = "assigned", .assignee = "li"},
    {.move = "working"},
    {.move = "resolved"},
    {.move = "archived"},
    {.move = "called_back"},
    {.move = NULL},
    {.assignee = "wang"},
    {.move = "a later version's state"},
    {.type = "urge"},
    {.type = "reopen"},
    {.type = "consent", .consent = "no"},
};
#define ASKED_COUNT (sizeof ASKED / sizeof *ASKED)
static const char *const SERVICES[] = {"outage-report", "consultation", "complaint", "hazard", "of a later version"};
#define SERVICE_COUNT (sizeof SERVICES / sizeof *SERVICES)

static unsigned events_most = 3;
static uint8_t messages[ASKED_COUNT][MESSAGE_BYTES];
static size_t message_sizes[ASKED_COUNT];
static uint64_t sets, orders;
static struct hs_ticket_terms terms;

/* ---- events ---- */

static void write_messages(void)
{
    for (size_t i = 0; i < ASKED_COUNT; i++) {
        struct hs_buf buf = {0};
        if (ASKED[i].move != NULL)
            hs_tlv_put_text(&buf, 3, ASKED[i].move);
        if (ASKED[i].assignee != NULL)
            hs_tlv_put_text(&buf, 4, ASKED[i].assignee);
        if (ASKED[i].type != NULL)
            hs_tlv_put_text(&buf, 7, ASKED[i].type);
        if (ASKED[i].consent != NULL)
            hs_tlv_put_text(&buf, 14, ASKED[i].consent);
        if (buf.err != HS_OK || buf.size > MESSAGE_BYTES)
            give_up("a message has no room");
        if (buf.size != 0)
            memcpy(messages[i], buf.data, buf.size);
        message_sizes[i] = buf.size;
        hs_buf_fini(&buf);
    }
}

struct event {
    unsigned asked;
    unsigned stamp;
    uint8_t id;
};

static struct hs_ticket_event real_event(const struct event *event)
{
    struct hs_ticket_event real = {.stamp = event->stamp + 1, .id = {{event->id}}};
    real.message = HS_BYTES(messages[event->asked], message_sizes[event->asked]);
    return real;
}

/* ---- the fold in other words: again and again the lowest that has not been taken ---- */

struct expected {
    enum hs_ticket_state state;
    const char *assignee;
    unsigned misfits; /* set of ids */
    unsigned opened, changed;
    unsigned urged, reopened;
    bool no_call_back;
};

static bool is(const char *text, const char *what)
{
    return text != NULL && strcmp(text, what) == 0;
}

static const char *move_of(const struct event *event)
{
    return is(ASKED[event->asked].type, "reopen") ? "working" : ASKED[event->asked].move;
}

static bool fits(const struct expected *expected, const struct event *event)
{
    enum hs_ticket_state from = expected->state;
    const char *move = move_of(event);
    enum hs_ticket_state to;
    if (is(ASKED[event->asked].type, "reopen") && from == HS_TICKET_ARCHIVED)
        return true;
    if (expected->no_call_back && from == HS_TICKET_RESOLVED && is(move, "archived"))
        return true;
    if (move == NULL)
        return ASKED[event->asked].assignee == NULL || (from != HS_TICKET_NONE && from != HS_TICKET_ARCHIVED);
    return hs_ticket_state_parse(move, strlen(move), &to) && hs_ticket_move(terms.machine, from, to);
}

static void take(struct expected *expected, const struct event *event)
{
    const char *move = move_of(event);
    if (!fits(expected, event)) {
        expected->misfits |= 1U << event->id;
        return;
    }
    if (move != NULL && expected->state == HS_TICKET_NONE)
        expected->opened = event->stamp + 1;
    if (move != NULL)
        hs_ticket_state_parse(move, strlen(move), &expected->state);
    if (ASKED[event->asked].assignee != NULL)
        expected->assignee = ASKED[event->asked].assignee;
    expected->urged += is(ASKED[event->asked].type, "urge");
    expected->reopened += is(ASKED[event->asked].type, "reopen");
    expected->no_call_back = expected->no_call_back || is(ASKED[event->asked].consent, "no");
    expected->changed = event->stamp + 1;
}

static struct expected fold_otherwise(const struct event *events, size_t count)
{
    struct expected expected = {.state = HS_TICKET_NONE};
    unsigned taken = 0;
    for (size_t round = 0; round < count; round++) {
        size_t lowest = count;
        for (size_t i = 0; i < count; i++) {
            if ((taken >> i & 1) == 0 &&
                (lowest == count || events[i].stamp < events[lowest].stamp ||
                 (events[i].stamp == events[lowest].stamp && events[i].id < events[lowest].id)))
                lowest = i;
        }
        taken |= 1U << lowest;
        take(&expected, &events[lowest]);
    }
    return expected;
}

/* ---- the fold of the store ---- */

struct arrived {
    struct hs_ticket_event events[EVENTS_MAX];
    size_t count;
    struct hs_ticket_event last; /* the fold has got to here */
    struct hs_ticket_fold fold;
};

static void arrive(struct arrived *arrived, const struct event *event)
{
    struct hs_ticket_event real = real_event(event);
    if (arrived->count == 0 || hs_ticket_event_compare(&real, &arrived->last) > 0) {
        hs_ticket_fold_on(&terms, &real, &arrived->fold);
        arrived->events[arrived->count++] = real;
    } else {
        arrived->events[arrived->count++] = real;
        hs_ticket_fold(&terms, arrived->events, arrived->count, &arrived->fold);
        real = arrived->events[arrived->count - 1];
    }
    arrived->last = real;
}

static bool is_expected(const struct arrived *arrived, const struct expected *expected)
{
    const struct hs_ticket_fold *fold = &arrived->fold;
    struct hs_bytes assignee = HS_BYTES_NONE;
    unsigned misfits = 0;
    if (expected->assignee != NULL)
        assignee = HS_BYTES(expected->assignee, strlen(expected->assignee));
    for (size_t i = 0; i < arrived->count; i++)
        misfits |= arrived->events[i].fits ? 0 : 1U << arrived->events[i].id.bytes[0];
    return fold->state == expected->state && hs_bytes_equal(fold->assignee, assignee) && misfits == expected->misfits &&
           fold->misfits == (size_t)__builtin_popcount(misfits) && fold->opened == expected->opened &&
           fold->changed == expected->changed && fold->urged == expected->urged &&
           fold->reopened == expected->reopened && fold->no_call_back == expected->no_call_back;
}

/* ---- all of them ---- */

static void tell(const struct event *events, const size_t *order, size_t count, const struct arrived *arrived,
                 const struct expected *expected)
{
    printf("violation:\n");
    for (size_t i = 0; i < count; i++) {
        const struct event *event = &events[order[i]];
        const char *move = ASKED[event->asked].move;
        const char *assignee = ASKED[event->asked].assignee;
        printf("  %zu. event %u of stamp %u comes: move %s, assignee %s;\n", i + 1, event->id, event->stamp + 1,
               move != NULL ? move : "none", assignee != NULL ? assignee : "none");
    }
    printf("  then the ticket is %s with %zu misfits, and should be %s with %d (or assignee or times differ).\n",
           hs_ticket_state_text(arrived->fold.state), arrived->fold.misfits, hs_ticket_state_text(expected->state),
           __builtin_popcount(expected->misfits));
}

static bool try_orders(const struct event *events, size_t count)
{
    struct expected expected = fold_otherwise(events, count);
    size_t order[EVENTS_MAX];
    size_t total = 1;
    sets++;
    for (size_t i = 2; i <= count; i++)
        total *= i;
    for (size_t k = 0; k < total; k++) {
        struct arrived arrived = {.count = 0};
        size_t rest = k;
        for (size_t i = 0; i < count; i++) { /* the k-th order: put each into its place */
            size_t at = rest % (i + 1);
            rest /= i + 1;
            memmove(&order[at + 1], &order[at], (i - at) * sizeof *order);
            order[at] = i;
        }
        orders++;
        for (size_t i = 0; i < count; i++)
            arrive(&arrived, &events[order[i]]);
        if (!is_expected(&arrived, &expected)) {
            tell(events, order, count, &arrived, &expected);
            return false;
        }
    }
    return true;
}

/* Every choice of what @count events ask for, and when. */
static bool try_sets(size_t count)
{
    struct event events[EVENTS_MAX];
    uint64_t total = 1;
    for (size_t i = 0; i < count; i++)
        total *= ASKED_COUNT * STAMPS;
    for (uint64_t k = 0; k < total; k++) {
        uint64_t rest = k;
        for (size_t i = 0; i < count; i++) {
            events[i] = (struct event){rest % ASKED_COUNT, rest / ASKED_COUNT % STAMPS, (uint8_t)(i + 1)};
            rest /= ASKED_COUNT * STAMPS;
        }
        if (!try_orders(events, count))
            return false;
    }
    return true;
}

static void read_options(int argc, char **argv)
{
    static const struct option OPTIONS[] = {{"events", required_argument, NULL, 'e'}, {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", OPTIONS, NULL)) != -1;) {
        if (option != 'e')
            give_up("wrong usage; the head of ticket_orders.c has it");
        events_most = number_of("--events", optarg, EVENTS_MAX);
    }
}

int main(int argc, char **argv)
{
    double began = seconds_now();
    bool sound = true;
    read_options(argc, argv);
    write_messages();
    for (size_t i = 0; i < SERVICE_COUNT && sound; i++) {
        const struct hs_ticket_service *service = hs_service_by_code(SERVICES[i], strlen(SERVICES[i]));
        terms = (struct hs_ticket_terms){.machine = service != NULL ? service->machine : NULL};
        for (size_t count = 0; count <= events_most && sound; count++)
            sound = try_sets(count);
    }
    printf("up to %u events: %llu sets, %llu orders; %.1f s\n", events_most, (unsigned long long)sets,
           (unsigned long long)orders, seconds_now() - began);
    return sound ? 0 : 1;
}
