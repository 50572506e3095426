/* light-growth -- what a region costs against its halls and its age: the pure replica on virtual links, in virtual
 * time.
 *
 *   light-growth [--per-district D] [--days N] [--pay PER_HOUR] [--minutes M] [--changed K] [--check] HALLS...
 *
 * One hub; D halls hold each district, and each has written under N origins before (one a day: who switches its machine
 * off each evening opens an origin each morning).  For each number of halls one line: they come, are idle, pay, one was
 * away while K others of its district wrote.  Everything is seeded; times are of this machine's processor.  --check:
 * fail where a cost for each hall grows with the number of halls. */
#include "tests/light/light.h"

#include "proto/base/text.h"

#include <assert.h>
#include <malloc.h>
#include <math.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HALLS_MAX      20000
#define SIZES_MAX      16
#define FIRST_DISTRICT 1000
#define COME_MS        30000 /* all halls connect within */
#define SETTLE_MS      30000
#define COMMIT_MS      5 /* of the hub: what came meanwhile is one commit */
#define LATENCY_MS     10
#define OLD_STREAM_OPS 40
#define MINUTE_MS      60000
#define BACK_MS        1000 /* enough for all that a hall that comes back exchanges, and for no heartbeat */

struct options {
    size_t per_district, days, changed, minutes;
    double pay_per_hour;
    bool check;
};

/* ---- the world ---- */

enum event_type { EVENT_FRAME, EVENT_TICK, EVENT_COMMIT, EVENT_PAY, EVENT_DIAL };
struct event {
    uint64_t at_ms, order;
    enum event_type type;
    size_t hall; /* 0: the hub */
    bool up;     /* FRAME: towards the hub */
    uint64_t connection;
    struct hs_bytes frame; /* own memory */
};

struct hall {
    struct light_node node;
    uint64_t connection; /* 0: none; the hall's peer, and with its number the hub's */
    uint64_t tick_ms;    /* the earliest that is planned */
};

struct tally {
    uint64_t frames, bytes;
    double hub_s, halls_s; /* of the processor */
};

struct world {
    const struct options *options;
    struct light_region region;
    struct hall hub;
    struct hall *halls; /* from 1 on */
    size_t count;
    struct event *heap;
    size_t heap_count, heap_room;
    uint64_t now_ms, order, connections, pay_until_ms;
    bool commit_planned, hanging_up;
    struct tally tally;
    size_t only;          /* count this hall's frames alone; 0: all */
    size_t live, strange; /* notices that nothing here is a reason for */
};

static double cpu_s(void)
{
    struct timespec at;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void push(struct world *w, struct event event)
{
    if (w->heap_count == w->heap_room) {
        w->heap_room = w->heap_room == 0 ? 1024 : w->heap_room * 2;
        w->heap = realloc(w->heap, w->heap_room * sizeof *w->heap);
        assert(w->heap != NULL);
    }
    event.order = ++w->order;
    size_t at = w->heap_count++;
    for (; at > 0 && is_before(&event, &w->heap[(at - 1) / 2]); at = (at - 1) / 2)
        w->heap[at] = w->heap[(at - 1) / 2];
    w->heap[at] = event;
}

static struct event pop(struct world *w)
{
    struct event first = w->heap[0], last = w->heap[--w->heap_count];
    size_t at = 0;
    for (size_t child = 1; child < w->heap_count; child = 2 * at + 1) {
        if (child + 1 < w->heap_count && is_before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!is_before(&w->heap[child], &last))
            break;
        w->heap[at] = w->heap[child];
        at = child;
    }
    w->heap[at] = last;
    return first;
}

/* The hub knows the connection of hall i by a number that gives i back. */
static hs_peer hub_peer(const struct world *w, size_t hall)
{
    return w->halls[hall].connection * HALLS_MAX + hall;
}

static struct hall *end_of(struct world *w, size_t number)
{
    return number == 0 ? &w->hub : &w->halls[number];
}

/* ---- what nodes want done ---- */

static void send_frame(void *ctx, struct light_node *node, hs_peer peer, struct hs_bytes frame)
{
    struct world *w = ctx;
    bool up = node != &w->hub.node;
    size_t hall = up ? (size_t)((struct hall *)(void *)node - w->halls) : peer % HALLS_MAX;
    uint8_t *copy = malloc(frame.size);
    assert(copy != NULL);
    memcpy(copy, frame.data, frame.size);
    if (w->only == 0 || w->only == hall) {
        w->tally.frames++;
        w->tally.bytes += frame.size;
    }
    push(w, (struct event){.at_ms = w->now_ms + LATENCY_MS,
                           .type = EVENT_FRAME,
                           .hall = hall,
                           .up = up,
                           .connection = w->halls[hall].connection,
                           .frame = HS_BYTES(copy, frame.size)});
}

static void drop(void *ctx, struct light_node *node, hs_peer peer)
{
    struct world *w = ctx;
    fprintf(stderr, "%s dropped %llu\n", node->certificate.node_id, (unsigned long long)peer);
    w->strange++;
}

static void notice(void *ctx, struct light_node *node, const struct hs_replica_update *update)
{
    struct world *w = ctx;
    bool at_hub = node == &w->hub.node;
    if (update->notice == HS_NOTICE_LIVE) {
        w->live += at_hub;
    } else if (update->notice != HS_NOTICE_EQUAL && !w->hanging_up) {
        fprintf(stderr, "%s: notice %d: %s: %s\n", node->certificate.node_id, update->notice, hs_err_name(update->err),
                update->text);
        w->strange++;
    }
}

/* ---- going on ---- */

static void plan(struct world *w, struct hall *end, size_t number)
{
    if (end->node.wake_ms < end->tick_ms) {
        end->tick_ms = end->node.wake_ms < w->now_ms ? w->now_ms : end->node.wake_ms;
        push(w, (struct event){.at_ms = end->tick_ms, .type = EVENT_TICK, .hall = number});
    }
    if (number == 0 && end->node.waiting_count > 0 && !w->commit_planned) {
        w->commit_planned = true;
        push(w, (struct event){.at_ms = w->now_ms + COMMIT_MS, .type = EVENT_COMMIT});
    }
}

static void step(struct world *w, size_t number, struct hs_replica_event event)
{
    struct hall *end = end_of(w, number);
    double began = cpu_s();
    if (number == 0)
        light_step_only(&end->node, w->now_ms, event);
    else
        light_step(&end->node, w->now_ms, event);
    *(number == 0 ? &w->tally.hub_s : &w->tally.halls_s) += cpu_s() - began;
    plan(w, end, number);
}

static void dial(struct world *w, size_t hall)
{
    struct hall *end = &w->halls[hall];
    end->connection = ++w->connections;
    struct hs_replica_event event = {.type = HS_REPLICA_PEER_UP, .peer = end->connection, .outbound = true};
    event.curve_key = w->hub.node.certificate.curve_key;
    step(w, hall, event);
    event = (struct hs_replica_event){.type = HS_REPLICA_PEER_UP, .peer = hub_peer(w, hall)};
    event.curve_key = end->node.certificate.curve_key;
    step(w, 0, event);
}

static void hang_up(struct world *w, size_t hall)
{
    struct hs_replica_event event = {.type = HS_REPLICA_PEER_DOWN, .peer = w->halls[hall].connection};
    w->hanging_up = true;
    step(w, hall, event);
    event.peer = hub_peer(w, hall);
    step(w, 0, event);
    w->halls[hall].connection = 0;
    w->hanging_up = false;
}

static void deliver(struct world *w, const struct event *event)
{
    struct hs_replica_event received = {.type = HS_REPLICA_RECEIVED, .frame = event->frame};
    received.peer = event->up ? hub_peer(w, event->hall) : event->connection;
    if (event->connection == w->halls[event->hall].connection)
        step(w, event->up ? 0 : event->hall, received);
    free((void *)(uintptr_t)event->frame.data);
}

static void pay(struct world *w, size_t hall)
{
    struct light_node *node = &w->halls[hall].node;
    double began = cpu_s();
    light_pay(node, w->now_ms, 1);
    w->tally.halls_s += cpu_s() - began;
    plan(w, &w->halls[hall], hall);
}

static void plan_payment(struct world *w, size_t hall)
{
    double draw = (double)(light_random(&w->halls[hall].node) >> 11) / (double)(1ULL << 53);
    uint64_t at = w->now_ms + (uint64_t)(-log(1 - draw) * 3600000 / w->options->pay_per_hour);
    if (at < w->pay_until_ms)
        push(w, (struct event){.at_ms = at, .type = EVENT_PAY, .hall = hall});
}

static void handle(struct world *w, const struct event *event)
{
    struct hall *end = end_of(w, event->hall);
    switch (event->type) {
    case EVENT_FRAME:
        deliver(w, event);
        break;
    case EVENT_TICK:
        if (end->tick_ms != event->at_ms)
            break;
        end->tick_ms = UINT64_MAX;
        step(w, event->hall, (struct hs_replica_event){.type = HS_REPLICA_TICK});
        break;
    case EVENT_COMMIT:
        w->commit_planned = false;
        double began = cpu_s();
        light_commit(&w->hub.node, w->now_ms);
        w->tally.hub_s += cpu_s() - began;
        plan(w, &w->hub, 0);
        break;
    case EVENT_PAY:
        pay(w, event->hall);
        plan_payment(w, event->hall);
        break;
    case EVENT_DIAL:
        dial(w, event->hall);
        break;
    }
}

static void advance(struct world *w, uint64_t ms)
{
    uint64_t end_ms = w->now_ms + ms;
    while (w->heap_count > 0 && w->heap[0].at_ms <= end_ms) {
        struct event event = pop(w);
        w->now_ms = event.at_ms;
        handle(w, &event);
    }
    w->now_ms = end_ms;
}

static struct tally measured(struct world *w, uint64_t ms)
{
    w->tally = (struct tally){0};
    advance(w, ms);
    return w->tally;
}

/* ---- the past ---- */

struct past {
    uint64_t origin;
    uint32_t hall;
};

static int by_origin(const void *a, const void *b)
{
    const struct past *left = a, *right = b;
    return (left->origin > right->origin) - (left->origin < right->origin);
}

/* Streams that are complete everywhere: only their heads are ever looked at. */
static void put_past(struct light_node *at, const struct light_stream *like, struct hs_bytes certificate,
                     struct hs_bytes opening)
{
    light_put_origin(&at->store, like->name.origin, certificate, opening);
    struct light_stream *stream = light_stream_get(&at->store, &like->name);
    struct hs_signature none = {{0}};
    stream->n = stream->base = like->n;
    stream->hash = stream->base_hash = like->hash;
    light_stream_check(&at->store, stream, &none);
    light_put_receipt(&at->store, &like->receipts[0]);
}

static void make_past(struct world *w, const struct past *past)
{
    struct light_node *writer = &w->halls[past->hall].node;
    struct hs_opening opening = {past->origin, writer->certificate.node_key, 0, 1};
    struct hs_signer signer = hs_signer_of(&writer->secret);
    struct hs_buf encoded = {0};
    struct light_stream like = {.name = {past->origin, writer->certificate.home, HS_LANE_MONEY}, .n = OLD_STREAM_OPS};
    like.hash = hs_hash_of(HS_BYTES(&past->origin, sizeof past->origin));
    like.receipts[0] = (struct hs_receipt){
        .store_id = w->hub.node.store_id, .stream = like.name, .n = like.n, .hash = like.hash};
    like.receipts[0].hub_key = w->hub.node.certificate.node_key;
    enum hs_err err = hs_opening_sign(&opening, &signer, &encoded);
    assert(err == HS_OK);
    struct hs_bytes certificate = hs_buf_bytes(&writer->certificate_bytes);
    put_past(&w->hub.node, &like, certificate, hs_buf_bytes(&encoded));
    size_t first = (past->hall - 1) / w->options->per_district * w->options->per_district + 1;
    for (size_t hall = first; hall < first + w->options->per_district && hall <= w->count; hall++)
        put_past(&w->halls[hall].node, &like, certificate, hs_buf_bytes(&encoded));
    hs_buf_fini(&encoded);
}

static void make_pasts(struct world *w)
{
    size_t count = w->count * w->options->days;
    struct past *pasts = calloc(count + 1, sizeof *pasts);
    assert(pasts != NULL);
    for (size_t i = 0; i < count; i++) {
        uint32_t hall = (uint32_t)(i / w->options->days + 1);
        pasts[i] = (struct past){light_random(&w->halls[hall].node), hall};
    }
    qsort(pasts, count, sizeof *pasts, by_origin);
    for (size_t i = 0; i < count; i++)
        make_past(w, &pasts[i]);
    free(pasts);
}

/* ---- one size ---- */

static void add_node(struct world *w, struct hall *hall, const char *id, const hs_partition *districts, size_t count)
{
    light_node_make(&hall->node, &w->region, id, districts, count);
    hall->node.clock_ms = 1780000000000ULL;
    hall->node.door = (struct light_door){w, send_frame, drop, notice, NULL};
    hall->tick_ms = UINT64_MAX;
}

static void make_world(struct world *w, const struct options *options, size_t count)
{
    *w = (struct world){.options = options, .count = count, .halls = calloc(count + 1, sizeof *w->halls)};
    assert(w->halls != NULL);
    light_region_make(&w->region, 1);
    add_node(w, &w->hub, "hub-a", NULL, 0);
    w->hub.node.store.keep_own = 0;
    w->hub.node.store.keep_foreign = 512;
    for (size_t i = 1; i <= count; i++) {
        char id[32];
        hs_partition district = (hs_partition)(FIRST_DISTRICT + (i - 1) / options->per_district);
        snprintf(id, sizeof id, "light-%05zu", i);
        add_node(w, &w->halls[i], id, &district, 1);
    }
    make_pasts(w);
}

static double mib(size_t bytes)
{
    return (double)bytes / (1024 * 1024);
}

/* Memory of the hub's replica, without its store; the session of hall 1 as status tells it. */
static void tell_memory(struct world *w)
{
    static struct hs_peer_status peers[1];
    size_t held = hs_replica_peers(w->hub.node.replica, peers, 1) > 0 ? peers[0].memory_bytes : 0;
    size_t before = mallinfo2().uordblks;
    light_node_stop(&w->hub.node);
    size_t after = mallinfo2().uordblks;
    printf("   hub's replica: %.1f MiB, %.1f KiB a hall, %zu streams; a session holds %zu bytes by its own count\n",
           mib(before - after), (double)(before - after) / 1024 / (double)w->count, w->hub.node.store.stream_count,
           held);
}

static void tell(const char *name, const struct tally *tally, double per, const char *unit)
{
    printf("   %-10s %10.2f frames %12.0f bytes %10.1f us of the hub, %8.1f us of halls, %s\n", name,
           (double)tally->frames / per, (double)tally->bytes / per, tally->hub_s * 1e6 / per,
           tally->halls_s * 1e6 / per, unit);
    fflush(stdout);
}

struct figures {
    double come_bytes, idle_us, pay_us, back_bytes;
};

static void start_all(struct world *w)
{
    double began = cpu_s();
    light_node_start(&w->hub.node, w->now_ms);
    double took = cpu_s() - began;
    for (size_t i = 1; i <= w->count; i++)
        light_node_start(&w->halls[i].node, w->now_ms);
    printf("   hub starts over %zu streams in %.0f ms\n", w->hub.node.store.stream_count, took * 1e3);
}

/* Hall 1 is away while others of its district write. */
static struct tally come_back(struct world *w)
{
    hang_up(w, 1);
    size_t last = w->options->per_district < w->count ? w->options->per_district : w->count;
    for (size_t hall = 2; hall <= last && hall < 2 + w->options->changed; hall++)
        pay(w, hall);
    advance(w, SETTLE_MS);
    push(w, (struct event){.at_ms = w->now_ms, .type = EVENT_DIAL, .hall = 1});
    w->only = 1;
    struct tally after = measured(w, BACK_MS);
    w->only = 0;
    return after;
}

static struct figures run(const struct options *options, size_t count)
{
    struct world w;
    struct figures figures;
    printf("%zu halls, %zu a district, %zu origins each before\n", count, options->per_district, options->days);
    make_world(&w, options, count);
    start_all(&w);
    for (size_t i = 1; i <= count; i++)
        push(&w, (struct event){.at_ms = light_random(&w.halls[i].node) % COME_MS, .type = EVENT_DIAL, .hall = i});
    struct tally came = measured(&w, COME_MS + SETTLE_MS);
    tell("come", &came, (double)count, "a hall (first minute)");
    struct tally idle = measured(&w, options->minutes * MINUTE_MS);
    double hall_hours = (double)count * (double)options->minutes / 60;
    tell("idle", &idle, hall_hours, "a hall and hour");
    w.pay_until_ms = w.now_ms + options->minutes * MINUTE_MS;
    for (size_t i = 1; i <= count; i++)
        plan_payment(&w, i);
    uint64_t had = 0, have = 0;
    for (size_t i = 1; i <= count; i++)
        had += w.halls[i].node.payments;
    struct tally paid = measured(&w, options->minutes * MINUTE_MS);
    for (size_t i = 1; i <= count; i++)
        have += w.halls[i].node.payments;
    paid.frames -= idle.frames < paid.frames ? idle.frames : paid.frames;
    paid.bytes -= idle.bytes < paid.bytes ? idle.bytes : paid.bytes;
    paid.hub_s -= idle.hub_s;
    paid.halls_s -= idle.halls_s;
    tell("pay", &paid, (double)(have - had), "a payment");
    struct tally back = come_back(&w);
    printf("   %-10s %10.2f frames %12.0f bytes, once, what had changed included\n", "come back", (double)back.frames,
           (double)back.bytes);
    if (w.live != count + 1 || w.strange != 0) {
        fprintf(stderr, "%zu of %zu sessions came about, %zu strange notices\n", w.live, count + 1, w.strange);
        exit(1);
    }
    figures = (struct figures){(double)came.bytes / (double)count, idle.hub_s * 1e6 / hall_hours,
                               paid.hub_s * 1e6 / (double)(have - had), (double)back.bytes};
    tell_memory(&w);
    while (w.heap_count > 0) {
        struct event event = pop(&w);
        free((void *)(uintptr_t)event.frame.data);
    }
    light_node_fini(&w.hub.node);
    for (size_t i = 1; i <= count; i++)
        light_node_fini(&w.halls[i].node);
    light_region_fini(&w.region);
    free(w.halls);
    free(w.heap);
    return figures;
}

/* Bytes are exact; times are of a machine that others use too, so only a cost that multiplies is called growth. */
static bool grows(const char *name, double first, double last, double most)
{
    if (last <= first * most)
        return false;
    fprintf(stderr, "%s grows with the halls: %.1f, then %.1f for each\n", name, first, last);
    return true;
}

int main(int argc, char **argv)
{
    struct options options = {.per_district = 10, .changed = 9, .minutes = 5, .pay_per_hour = 120};
    struct figures figures[SIZES_MAX];
    size_t count = 0;
    if (sodium_init() < 0)
        return 1;
    for (int i = 1; i < argc; i++) {
        bool more = i + 1 < argc;
        if (strcmp(argv[i], "--check") == 0)
            options.check = true;
        else if (strcmp(argv[i], "--per-district") == 0 && more)
            options.per_district = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--days") == 0 && more)
            options.days = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--changed") == 0 && more)
            options.changed = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--minutes") == 0 && more)
            options.minutes = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--pay") == 0 && more)
            options.pay_per_hour = strtod(argv[++i], NULL);
        else if (strtoul(argv[i], NULL, 10) > 0 && strtoul(argv[i], NULL, 10) < HALLS_MAX && count < SIZES_MAX)
            figures[count++] = run(&options, strtoul(argv[i], NULL, 10));
        else
            count = SIZES_MAX;
    }
    if (count == 0 || count == SIZES_MAX) {
        fprintf(stderr, "usage: light-growth [--per-district D] [--days N] [--pay PER_HOUR] [--minutes M] "
                        "[--changed K] [--check] HALLS...\n");
        return 2;
    }
    bool grown = options.check && grows("coming, in bytes,", figures[0].come_bytes, figures[count - 1].come_bytes, 1.5);
    grown |= options.check && grows("idling, in time,", figures[0].idle_us, figures[count - 1].idle_us, 4);
    grown |= options.check && grows("a payment, in time,", figures[0].pay_us, figures[count - 1].pay_us, 4);
    grown |= options.check && grows("coming back, in bytes,", figures[0].back_bytes, figures[count - 1].back_bytes, 2);
    return grown;
}
