/* bench-halls -- plays many halls against one real hub: the real replica over real CURVE links, a small store in memory
 * each, a few processes.
 *
 *   bench-halls HUB_DATA_DIR HUB_ADDRESS HALLS PROCESSES HALLS_PER_DISTRICT [SEED]
 *
 * Certificates are signed with the hub's issuer key.  Hall number 0 has a process of its own, so that it can be
 * stopped. The first line printed names the processes.  Then, by lines on standard input:
 *   rate R   from now on R payments a second, in all
 *   reset    forget the times measured
 *   report   a line of JSON: live halls, what was made and came back, times in ms, seconds until each hall was live
 *   quit */
#include "node/link/keys.h"
#include "node/link/link.h"
#include "proto/keys.pb-c.h"
#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"
#include "proto/peer.pb-c.h"
#include "tests/light/light.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#define HALLS_MAX      10000
#define PROCESSES_MAX  64
#define FIRST_DISTRICT 3201
#define STEP_US        100    /* of the tables of times */
#define STEPS          600000 /* a minute; more counts as that */
#define UNDER_WAY_MAX  8192
#define LOOK_MS        200
#define STACK_BYTES    (512 * 1024)
#define SEGMENT_COST   256 /* PROTOCOL.md, "Credit" */

enum { HELLO_CREDIT = 10, ACK_CREDIT = 1, SEGMENT_FIRST = 2, SEGMENT_COUNT = 3, SEGMENT_RAW = 5 };

/* ---- what all processes see ---- */

struct times {
    _Atomic uint32_t counts[STEPS];
    _Atomic uint64_t count;
};
struct shared {
    _Atomic uint64_t interval_us; /* between two payments of a hall, on average; 0: none */
    _Atomic uint64_t since_us;    /* the last reset */
    _Atomic uint64_t made, credited, receipted, ended, refused, damage, dials, send_failed;
    _Atomic uint32_t live;
    _Atomic uint64_t live_us[HALLS_MAX]; /* when it went live first since the reset; 0: not yet */
    struct times credit, receipt;
};
static struct shared *shared;

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void note_time(struct times *times, uint64_t us)
{
    uint64_t step = us / STEP_US;
    atomic_fetch_add_explicit(&times->counts[step < STEPS ? step : STEPS - 1], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&times->count, 1, memory_order_relaxed);
}

static double quantile_ms(struct times *times, double part)
{
    uint64_t below = 0, wanted = (uint64_t)(part * (double)atomic_load(&times->count));
    for (size_t i = 0; i < STEPS; i++) {
        below += atomic_load_explicit(&times->counts[i], memory_order_relaxed);
        if (below > wanted)
            return (double)(i + 1) * STEP_US / 1000;
    }
    return 0;
}

/* ---- a hall ---- */

struct sent {
    uint64_t at_us, n;
    uint64_t cost; /* cumulative of its segment; 0: not sent yet */
};
struct hall {
    pthread_t thread;
    size_t number;
    struct light_node node;
    struct hs_link *link;
    hs_peer peer; /* 0: none */
    bool live;
    uint64_t first_credit, cost;
    struct sent under_way[UNDER_WAY_MAX]; /* a ring, ascending by n */
    size_t receipt_at, credit_at, sent_at, end;
    uint64_t due_us;
};

static struct hs_link_upstream upstream;
static struct light_region region;
static size_t per_district;
static volatile bool stopping;

static uint64_t tag_u64(struct hs_bytes body, uint32_t number)
{
    return hs_tlv_u64(body, number, 0);
}

/* The segment's payments are back when so much credit is. */
static void watch_sent(struct hall *hall, struct hs_bytes frame)
{
    struct hs_frame decoded;
    if (hs_frame_decode(frame, &decoded) != HS_OK || decoded.type != HALLSYNC__PEER_TYPE__PEER_SEGMENT)
        return;
    uint64_t last = tag_u64(decoded.body, SEGMENT_FIRST) + tag_u64(decoded.body, SEGMENT_COUNT) - 1;
    hall->cost += tag_u64(decoded.body, SEGMENT_RAW) + SEGMENT_COST;
    for (; hall->sent_at < hall->end && hall->under_way[hall->sent_at % UNDER_WAY_MAX].n <= last; hall->sent_at++)
        hall->under_way[hall->sent_at % UNDER_WAY_MAX].cost = hall->cost;
}

static void watch_received(struct hall *hall, struct hs_bytes frame)
{
    struct hs_frame decoded;
    if (hs_frame_decode(frame, &decoded) != HS_OK)
        return;
    if (decoded.type == HALLSYNC__PEER_TYPE__PEER_HELLO)
        hall->first_credit = tag_u64(decoded.body, HELLO_CREDIT);
    if (decoded.type != HALLSYNC__PEER_TYPE__PEER_ACK)
        return;
    uint64_t total = tag_u64(decoded.body, ACK_CREDIT), now = now_us();
    for (; total > hall->first_credit && hall->credit_at < hall->sent_at; hall->credit_at++) {
        const struct sent *sent = &hall->under_way[hall->credit_at % UNDER_WAY_MAX];
        if (sent->cost > total - hall->first_credit)
            break;
        note_time(&shared->credit, now - sent->at_us);
        atomic_fetch_add(&shared->credited, 1);
    }
}

static void note_receipt(void *ctx, struct light_node *node, const struct hs_receipt *receipt)
{
    struct hall *hall = ctx;
    uint64_t now = now_us();
    if (receipt->stream.origin != node->store.current)
        return;
    for (; hall->receipt_at < hall->end; hall->receipt_at++) {
        const struct sent *sent = &hall->under_way[hall->receipt_at % UNDER_WAY_MAX];
        if (sent->n > receipt->n)
            break;
        note_time(&shared->receipt, now - sent->at_us);
        atomic_fetch_add(&shared->receipted, 1);
    }
}

static void went_down(struct hall *hall)
{
    if (hall->live)
        atomic_fetch_sub(&shared->live, 1);
    hall->live = false;
    hall->peer = 0;
    /* What was on its way is sent again, or is there already: its credit tells nothing any more. */
    hall->credit_at = hall->sent_at = hall->end;
    hall->cost = 0;
}

static void door_drop(void *ctx, struct light_node *node, hs_peer peer)
{
    struct hall *hall = ctx;
    (void)node;
    hs_link_drop(hall->link, peer, true);
    went_down(hall);
}

static void door_send(void *ctx, struct light_node *node, hs_peer peer, struct hs_bytes frame)
{
    struct hall *hall = ctx;
    (void)node;
    watch_sent(hall, frame);
    if (hs_link_send(hall->link, peer, frame) != HS_OK)
        atomic_fetch_add(&shared->send_failed, 1); /* its DOWN comes next */
}

static void went_live(struct hall *hall)
{
    uint64_t none = 0;
    hs_link_good(hall->link, hall->peer);
    hall->live = true;
    atomic_fetch_add(&shared->live, 1);
    atomic_compare_exchange_strong(&shared->live_us[hall->number], &none, now_us());
}

static void door_notice(void *ctx, struct light_node *node, const struct hs_replica_update *update)
{
    struct hall *hall = ctx;
    (void)node;
    if (update->notice == HS_NOTICE_LIVE)
        went_live(hall);
    else if (update->notice == HS_NOTICE_ENDED)
        atomic_fetch_add(&shared->ended, 1);
    else if (update->notice == HS_NOTICE_REFUSED)
        atomic_fetch_add(&shared->refused, 1);
    else if (update->notice == HS_NOTICE_DAMAGE || update->notice == HS_NOTICE_STREAM_STOPPED)
        atomic_fetch_add(&shared->damage, 1);
    else
        return;
    if (update->notice != HS_NOTICE_LIVE && getenv("HS_VERBOSE") != NULL)
        fprintf(stderr, "%s: %d %s %s\n", node->certificate.node_id, update->notice, hs_err_name(update->err),
                update->text);
}

/* ---- its thread ---- */

static void take_event(struct hall *hall, const struct hs_link_event *event)
{
    struct hs_replica_event step = {.peer = event->peer};
    uint64_t now = hs_link_now_ms();
    switch (event->type) {
    case HS_LINK_UP:
        hall->peer = event->peer;
        hall->credit_at = hall->sent_at = hall->receipt_at;
        step.type = HS_REPLICA_PEER_UP;
        step.outbound = true;
        step.curve_key = event->curve_key;
        light_step(&hall->node, now, step);
        break;
    case HS_LINK_DOWN:
        went_down(hall);
        step.type = HS_REPLICA_PEER_DOWN;
        step.err = event->err;
        light_step(&hall->node, now, step);
        break;
    case HS_LINK_FRAME:
        watch_received(hall, event->data);
        step.type = HS_REPLICA_RECEIVED;
        step.frame = event->data;
        light_step(&hall->node, now, step);
        break;
    default:
        break;
    }
}

/* As clerks are: each time the mean interval, times a draw from the exponential distribution. */
static uint64_t next_due(struct hall *hall, uint64_t from_us, uint64_t interval_us)
{
    double draw = (double)(light_random(&hall->node) >> 11) / (double)(1ULL << 53);
    return from_us + (uint64_t)(-log(1 - draw) * (double)interval_us);
}

static void pay(struct hall *hall, uint64_t now)
{
    uint64_t interval_us = atomic_load_explicit(&shared->interval_us, memory_order_relaxed);
    if (interval_us == 0) {
        hall->due_us = 0;
        return;
    }
    if (hall->due_us == 0)
        hall->due_us = next_due(hall, now, interval_us);
    if (hall->due_us > now)
        return;
    if (hall->end - hall->receipt_at < UNDER_WAY_MAX) {
        hall->under_way[hall->end++ % UNDER_WAY_MAX] = (struct sent){now, hall->node.payments + 1, 0};
        light_pay(&hall->node, hs_link_now_ms(), 1);
        atomic_fetch_add(&shared->made, 1);
    }
    hall->due_us = next_due(hall, hall->due_us, interval_us);
}

static void *run(void *arg)
{
    struct hall *hall = arg;
    struct hs_link_event event;
    while (!stopping) {
        uint64_t until = hs_link_now_ms() + LOOK_MS;
        if (hall->node.wake_ms < until)
            until = hall->node.wake_ms;
        if (hall->due_us != 0 && hall->due_us / 1000 < until)
            until = hall->due_us / 1000;
        enum hs_err err = hs_link_next(hall->link, until, &event);
        if (err == HS_OK)
            take_event(hall, &event);
        else if (err != HS_ETIMEDOUT) {
            fprintf(stderr, "hall %zu: the link fails: %s\n", hall->number, hs_err_name(err));
            exit(1);
        }
        pay(hall, now_us());
        if (hs_link_now_ms() >= hall->node.wake_ms)
            light_step(&hall->node, hs_link_now_ms(), (struct hs_replica_event){.type = HS_REPLICA_TICK});
    }
    return NULL;
}

static void open_hall(struct hall *hall, size_t number)
{
    char id[HS_NODE_ID_BYTES_MAX + 1];
    hs_partition district = (hs_partition)(FIRST_DISTRICT + number / per_district);
    struct hs_why why = {0};
    struct timespec wall;
    clock_gettime(CLOCK_REALTIME, &wall);
    *hall = (struct hall){.number = number};
    snprintf(id, sizeof id, "light-%04zu", number);
    light_node_make(&hall->node, &region, id, &district, 1);
    hall->node.random ^= (uint64_t)wall.tv_nsec << 20; /* another run writes other origins */
    hall->node.clock_ms = (uint64_t)wall.tv_sec * 1000 - hs_link_now_ms();
    hall->node.store.has_digests = true;
    hall->node.door = (struct light_door){hall, door_send, door_drop, door_notice, note_receipt};
    light_node_start(&hall->node, hs_link_now_ms());
    struct hs_link_options options = {.upstreams = &upstream,
                                      .upstream_count = 1,
                                      .curve_public = hall->node.certificate.curve_key,
                                      .curve_secret = hall->node.curve_secret};
    if (hs_link_new(&options, &hall->link, &why) != HS_OK) {
        fprintf(stderr, "hall %zu: no link: %s\n", number, why.text);
        exit(1);
    }
}

/* Halls from @first on until below @end, and a wait for the parent's end. */
static void work(size_t first, size_t end)
{
    pthread_attr_t attributes;
    struct hall *halls = calloc(end - first, sizeof *halls);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = first; i < end; i++)
        open_hall(&halls[i - first], i);
    for (size_t i = first; i < end; i++) {
        if (pthread_create(&halls[i - first].thread, &attributes, run, &halls[i - first]) != 0) {
            fprintf(stderr, "no more threads: %s\n", strerror(errno));
            exit(1);
        }
    }
    for (;;)
        pause();
}

/* ---- the driver ---- */

static int ascending(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

static void report_live(size_t halls)
{
    static uint64_t times[HALLS_MAX];
    size_t count = 0;
    uint64_t since = atomic_load(&shared->since_us);
    for (size_t i = 0; i < halls; i++) {
        uint64_t at = atomic_load(&shared->live_us[i]);
        if (at >= since && at != 0)
            times[count++] = at - since;
    }
    qsort(times, count, sizeof *times, ascending);
    printf("\"came\":%zu,\"came_s\":[", count);
    for (size_t i = 0; i <= 10 && count > 0; i++)
        printf("%s%.2f", i == 0 ? "" : ",", (double)times[(count - 1) * i / 10] / 1e6);
    printf("]");
}

static void report_times(const char *name, struct times *times)
{
    printf("\"%s_ms\":{\"count\":%llu,\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f},", name,
           (unsigned long long)atomic_load(&times->count), quantile_ms(times, 0.5), quantile_ms(times, 0.9),
           quantile_ms(times, 0.99), quantile_ms(times, 0.999), quantile_ms(times, 0.999999));
}

static void report(size_t halls)
{
    printf("{\"seconds\":%.2f,\"live\":%u,\"made\":%llu,\"credited\":%llu,\"receipted\":%llu,\"ended\":%llu,"
           "\"refused\":%llu,\"damage\":%llu,\"send_failed\":%llu,",
           (double)(now_us() - atomic_load(&shared->since_us)) / 1e6, atomic_load(&shared->live),
           (unsigned long long)atomic_load(&shared->made), (unsigned long long)atomic_load(&shared->credited),
           (unsigned long long)atomic_load(&shared->receipted), (unsigned long long)atomic_load(&shared->ended),
           (unsigned long long)atomic_load(&shared->refused), (unsigned long long)atomic_load(&shared->damage),
           (unsigned long long)atomic_load(&shared->send_failed));
    report_times("credit", &shared->credit);
    report_times("receipt", &shared->receipt);
    report_live(halls);
    printf("}\n");
    fflush(stdout);
}

static void reset(size_t halls)
{
    memset(&shared->credit, 0, sizeof shared->credit);
    memset(&shared->receipt, 0, sizeof shared->receipt);
    _Atomic uint64_t *counts[] = {&shared->made,    &shared->credited, &shared->receipted,  &shared->ended,
                                  &shared->refused, &shared->damage,   &shared->send_failed};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        atomic_store(counts[i], 0);
    for (size_t i = 0; i < halls; i++)
        atomic_store(&shared->live_us[i], 0);
    atomic_store(&shared->since_us, now_us());
}

static void obey(size_t halls)
{
    char line[80];
    while (fgets(line, sizeof line, stdin) != NULL && strncmp(line, "quit", 4) != 0) {
        if (strncmp(line, "rate ", 5) == 0) {
            double rate = strtod(line + 5, NULL);
            atomic_store(&shared->interval_us, rate > 0 ? (uint64_t)((double)halls * 1e6 / rate) : 0);
        } else if (strncmp(line, "reset", 5) == 0) {
            reset(halls);
        } else if (strncmp(line, "report", 6) == 0) {
            report(halls);
        } else {
            fprintf(stderr, "no such command: %s", line);
        }
    }
}

static void open_region(const char *dir, const char *address, uint64_t seed)
{
    struct hs_keys keys = {0};
    struct hs_why why = {0};
    if (hs_keys_load(dir, &keys, &why) != HS_OK || keys.issuer == NULL) {
        fprintf(stderr, "no keys of a hub in %s: %s\n", dir, why.text);
        exit(2);
    }
    region = (struct light_region){.root_key = keys.root_key, .issuer = *keys.issuer, .seed = seed};
    hs_buf_put_bytes(&region.issuer_signed, hs_buf_bytes(&keys.issuer_signed));
    upstream.curve_key = keys.curve_key;
    snprintf(upstream.address, sizeof upstream.address, "%s", address);
    hs_keys_free(&keys);
}

/* Keys and memory are made before anything is forked, sockets and threads behind. */
static void spawn(size_t halls, size_t processes, pid_t *pids)
{
    size_t first = 0;
    printf("{\"processes\":[");
    for (size_t i = 0; i < processes; i++) {
        size_t end = i == 0 && processes > 1 ? 1 : halls * (i + 1) / processes;
        fflush(stdout);
        pids[i] = fork();
        if (pids[i] == 0) {
            work(first, end);
            exit(0);
        }
        printf("%s%d", i == 0 ? "" : ",", (int)pids[i]);
        first = end;
    }
    printf("]}\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static pid_t pids[PROCESSES_MAX];
    if (argc < 6) {
        fprintf(stderr, "usage: bench-halls HUB_DATA_DIR HUB_ADDRESS HALLS PROCESSES HALLS_PER_DISTRICT [SEED]\n");
        return 2;
    }
    size_t halls = strtoul(argv[3], NULL, 10), processes = strtoul(argv[4], NULL, 10);
    per_district = strtoul(argv[5], NULL, 10);
    if (halls == 0 || halls > HALLS_MAX || processes == 0 || processes > PROCESSES_MAX || per_district == 0 ||
        halls < processes || sodium_init() < 0)
        return 2;
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    open_region(argv[1], argv[2], argc > 6 ? strtoull(argv[6], NULL, 10) : 1);
    reset(halls);
    spawn(halls, processes, pids);
    obey(halls);
    for (size_t i = 0; i < processes; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
    return 0;
}
