/* workload.c -- clients: each thinks, perhaps looks, asks, and asks again until it is answered. */
#include "tests/sim/workload_inside.h"

#include "proto/base/err.h"
#include "storage/model/kinds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEVER   UINT64_MAX
#define MILLION 1000000

#define MONEY_SEEDS 150 /* up to here days are as they were before halls had more to do than money and tickets */

/* ---- knobs ---- */

static const char *const ACTION_NAMES[] = {
#define X(action) [WORKLOAD_##action] = #action,
    WORKLOAD_ACTIONS(X)
#undef X
};

static uint64_t among(struct sim_random *random, uint64_t from, uint64_t to)
{
    return from + sim_below(random, to - from + 1);
}

void workload_draw(struct sim_random *random, struct workload_knobs *knobs)
{
    static const uint32_t THINK_MS[] = {5, 50, 500, 5000};
    *knobs = (struct workload_knobs){
        .clients = (unsigned)among(random, 1, 6),
        .accounts = (unsigned)among(random, 1, 12),
        .think_ms = THINK_MS[sim_below(random, 4)],
        .patience_ms = (uint32_t)among(random, 500, 5000),
        .elsewhere = sim_below(random, 2) == 0 ? 0 : 200000,
        .foreign = sim_below(random, 2) == 0 ? 0 : (unsigned)among(random, 10000, 300000),
        .seen = (unsigned)sim_below(random, MILLION),
        .text_ids = sim_below(random, 3) == 0 ? 200000 : 0,
        .note_bytes = sim_below(random, 4) == 0 ? (unsigned)among(random, 200, 2000) : 20,
        .deeds = sim_below(random, 20) == 0 ? among(random, 200, 800) : among(random, 20, 160),
    };
    for (unsigned i = 0; i < WORKLOAD_ACTION_COUNT; i++)
        knobs->weights[i] = sim_below(random, 3) == 0 ? 0 : (unsigned)among(random, 1, 10);
    knobs->weights[WORKLOAD_PAY] += 2;
    knobs->weights[WORKLOAD_NEW_CUSTOMER] += 1;
}

void workload_describe(const struct workload_knobs *knobs, char *text, size_t size)
{
    int at = snprintf(text, size, "clients %u accounts %u think %u ms deeds %" PRIu64 " foreign %u%% elsewhere %u%%",
                      knobs->clients, knobs->accounts, knobs->think_ms, knobs->deeds, knobs->foreign / 10000,
                      knobs->elsewhere / 10000);
    for (unsigned i = 0; i < WORKLOAD_ACTION_COUNT && at > 0 && (size_t)at < size; i++) {
        if (knobs->weights[i] != 0)
            at += snprintf(text + at, size - (size_t)at, " %s %u", ACTION_NAMES[i], knobs->weights[i]);
    }
}

/* ---- pools ---- */

const struct deed *pool_any(struct workload *workload, const struct pool *pool)
{
    uint64_t held = pool->count < POOL_MAX ? pool->count : POOL_MAX;
    return held == 0 ? NULL : pool->deeds[sim_below(&workload->random, held)];
}

void pool_put(struct pool *pool, const struct deed *deed)
{
    pool->deeds[pool->count++ % POOL_MAX] = deed;
}

static struct pool *hall_pool(struct workload *workload, uint16_t kind)
{
    switch (kind) {
    case HS_KIND_QUEUE_TICKET:
        return &workload->queued;
    case HS_KIND_SLOT:
        return &workload->slots;
    case HS_KIND_APPOINTMENT:
        return &workload->appointments;
    default:
        return NULL;
    }
}

static struct pool *pool_of(struct workload *workload, const struct deed *deed)
{
    switch (deed->type) {
    case DEED_HALL:
        return hall_pool(workload, deed->kind);
    case DEED_CUSTOMER:
        return &workload->customers;
    case DEED_BILL:
        return &workload->bills;
    case DEED_PAYMENT:
        return &workload->payments;
    case DEED_TICKET:
        return &workload->tickets;
    default:
        return NULL;
    }
}

/* ---- life ---- */

struct workload *workload_new(struct sim *sim, struct auditor *auditor, const struct workload_knobs *knobs)
{
    struct workload *workload = calloc(1, sizeof *workload);
    if (workload == NULL)
        sim_fail(sim, "out of memory");
    workload->sim = sim;
    workload->auditor = auditor;
    workload->knobs = *knobs;
    workload->random = sim_random_of(sim->options.seed, "workload");
    workload->outbox = sim_random_of(sim->options.seed, "outbox");
    workload->hall = sim_random_of(sim->options.seed, "hall's day");
    if (sim->options.seed > MONEY_SEEDS && sim_below(&workload->hall, 2) == 0)
        workload->halls = (unsigned)among(&workload->hall, 100000, 700000);
    workload->outboxes = sim_below(&workload->outbox, 4) == 0 ? (unsigned)among(&workload->outbox, 50000, 500000) : 0;
    return workload;
}

void workload_record(struct workload *workload, struct chronicle *chronicle)
{
    workload->chronicle = chronicle;
    if (chronicle != NULL)
        workload->halls = 0; /* who reads it does not know these records */
}

void workload_free(struct workload *workload)
{
    for (uint64_t i = 0; i < workload->deed_count; i++)
        deed_free(workload->deeds[i]);
    free(workload->deeds);
    free(workload);
}

static void know_district(struct workload *workload, hs_partition district)
{
    for (unsigned i = 0; i < workload->district_count; i++) {
        if (workload->districts[i] == district)
            return;
    }
    if (workload->district_count < sizeof workload->districts / sizeof *workload->districts)
        workload->districts[workload->district_count++] = district;
}

static uint64_t think_until(struct workload *workload)
{
    return workload->sim->now_ms + sim_below(&workload->random, 2 * (uint64_t)workload->knobs.think_ms + 1);
}

void workload_join(struct workload *workload, struct sim_machine *machine)
{
    for (size_t i = 0; i < machine->certificate.district_count; i++)
        know_district(workload, machine->certificate.districts[i]);
    if (machine->certificate.district_count == 0)
        know_district(workload, machine->certificate.home);
    for (unsigned i = 0; i < workload->knobs.clients && workload->client_count < CLIENTS_MAX; i++) {
        struct client *client = &workload->clients[workload->client_count++];
        *client = (struct client){.machine = machine, .due_ms = think_until(workload)};
    }
}

void workload_leave(struct workload *workload, struct sim_machine *machine)
{
    for (unsigned i = 0; i < workload->client_count; i++) {
        if (workload->clients[i].machine == machine)
            workload->clients[i] = (struct client){.due_ms = NEVER};
    }
}

static void keep(struct workload *workload, struct deed *deed)
{
    if (workload->deed_count == workload->deed_room) {
        workload->deed_room = workload->deed_room == 0 ? 256 : 2 * workload->deed_room;
        workload->deeds = realloc(workload->deeds, workload->deed_room * sizeof(struct deed *));
        if (workload->deeds == NULL)
            sim_fail(workload->sim, "out of memory");
    }
    workload->deeds[workload->deed_count++] = deed;
    deed->number = workload->deed_count;
}

/* ---- asking ---- */

static void think(struct workload *workload, struct client *client)
{
    client->state = CLIENT_THINKS;
    client->deed = NULL;
    client->tries = 0;
    client->due_ms = think_until(workload);
}

static void be_patient(struct workload *workload, struct client *client)
{
    client->tries++;
    client->due_ms = workload->sim->now_ms + workload->knobs.patience_ms / 2 +
                     sim_below(&workload->random, workload->knobs.patience_ms);
}

static void send(struct workload *workload, struct client *client)
{
    auditor_asked(workload->auditor, client->deed, client->machine);
    chronicle_asked(workload->chronicle, client->deed, client->machine);
    sim_say(workload->sim, "client %u asks %s: deed %" PRIu64 " %s", (unsigned)(client - workload->clients),
            client->machine->name, client->deed->number, client->deed->id);
    sim_ask(client->machine, (uint64_t)(client - workload->clients), hs_buf_bytes(&client->deed->request));
    be_patient(workload, client);
}

static void begin(struct workload *workload, struct client *client, struct deed *deed)
{
    if (deed == NULL) {
        think(workload, client);
        return;
    }
    keep(workload, deed);
    if (deed->type == DEED_NEWER) {
        if (workload_write_newer(workload, client->machine, deed))
            auditor_asked(workload->auditor, deed, client->machine);
        think(workload, client);
        return;
    }
    client->state = CLIENT_WAITS;
    client->deed = deed;
    client->tries = 0;
    send(workload, client);
}

/* ---- outboxes: what no hub has is sent again, and done anew by a node that has lost it ---- */

static void take_out(struct client *client, unsigned at)
{
    client->kept--;
    memmove(client->outbox + at, client->outbox + at + 1, (client->kept - at) * sizeof(struct deed *));
}

/* The oldest makes room. */
static void put_in(struct workload *workload, struct client *client, const struct deed_told *told)
{
    for (unsigned i = 0; i < client->kept; i++) {
        if (client->outbox[i] == client->deed)
            take_out(client, i);
    }
    if (workload->outboxes == 0 || client->deed->type != DEED_PAYMENT || told->safe >= HALLSYNC__SAFETY__SAFETY_HUB)
        return;
    if (client->kept == OUTBOX_MAX)
        take_out(client, 0);
    client->outbox[client->kept++] = client->deed;
}

static bool work_at_outbox(struct workload *workload, struct client *client)
{
    if (client->kept == 0 || !sim_chance(&workload->outbox, workload->outboxes))
        return false;
    client->state = CLIENT_WAITS;
    client->deed = client->outbox[0];
    client->tries = 0;
    send(workload, client);
    return true;
}

static enum workload_action choose(struct workload *workload)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < WORKLOAD_ACTION_COUNT; i++)
        sum += workload->knobs.weights[i];
    uint64_t drawn = sim_below(&workload->random, sum);
    unsigned action = 0;
    while (drawn >= workload->knobs.weights[action])
        drawn -= workload->knobs.weights[action++];
    return (enum workload_action)action;
}

static void do_next(struct workload *workload, struct client *client)
{
    struct hs_buf request = {0};
    if (workload->stopping || workload->deed_count >= workload->knobs.deeds) {
        client->due_ms = NEVER;
        return;
    }
    if (work_at_outbox(workload, client))
        return;
    if (sim_chance(&workload->hall, workload->halls)) {
        begin(workload, client, workload_hall(workload, client->machine));
        return;
    }
    client->action = choose(workload);
    for (size_t i = 0; i < sizeof client->look_id; i += 8)
        hs_be64(client->look_id + i, sim_draw(&workload->random));
    if (workload_look(workload, client->machine, client->action, client->look_id, &request)) {
        client->state = CLIENT_LOOKS;
        sim_ask(client->machine, (uint64_t)(client - workload->clients), hs_buf_bytes(&request));
        be_patient(workload, client);
    } else {
        begin(workload, client, workload_make(workload, client->machine, client->action, NULL));
    }
    hs_buf_fini(&request);
}

/* The customer has gone to another window, in another hall. */
static void go_elsewhere(struct workload *workload, struct client *client)
{
    const struct client *other = &workload->clients[sim_below(&workload->random, workload->client_count)];
    if (other->machine != NULL && client->deed->type != DEED_HALL &&
        sim_chance(&workload->random, workload->knobs.elsewhere))
        client->machine = other->machine;
}

static void lose_patience(struct workload *workload, struct client *client)
{
    if (client->state == CLIENT_LOOKS) {
        think(workload, client);
        return;
    }
    go_elsewhere(workload, client);
    send(workload, client);
}

/* ---- being answered ---- */

static enum hs_err_class class_of(const char *name)
{
    for (int err = 0; err < HS_ERR_COUNT; err++) {
        if (strcmp(hs_err_name((enum hs_err)err), name) == 0)
            return hs_err_class((enum hs_err)err);
    }
    return HS_CLASS_BUG;
}

static void tell(struct workload *workload, struct client *client, struct sim_machine *machine,
                 const Hallsync__Reply *reply)
{
    struct deed_told told = {.deed = client->deed, .machine = machine, .at_ms = workload->sim->now_ms};
    deed_told_read(reply, &told);
    sim_say(workload->sim, "client %u is told by %s: deed %" PRIu64 " %s %s", (unsigned)(client - workload->clients),
            machine->name, client->deed->number, told.error[0] != '\0' ? told.error : "done", told.receipt);
    auditor_told(workload->auditor, &told);
    chronicle_told(workload->chronicle, &told);
    enum hs_err_class class = told.error[0] == '\0' ? HS_CLASS_OK : class_of(told.error);
    if (class == HS_CLASS_OK) {
        struct pool *pool = pool_of(workload, client->deed);
        if (pool != NULL && told.result == HALLSYNC__RESULT__RESULT_CREATED)
            pool_put(pool, client->deed);
        if (client->deed->kind == HS_KIND_WINDOW_EVENT && told.receipt[0] != '\0')
            memcpy(workload->closed[machine->index], told.receipt, sizeof told.receipt);
        put_in(workload, client, &told);
    }
    /* No hub speaks with a revoked node any more: what it would have to ask for there does not come. */
    bool never = strcmp(told.error, hs_err_name(HS_ENOLINK)) == 0 && auditor_is_revoked(workload->auditor, machine);
    if (class == HS_CLASS_OK || class == HS_CLASS_INPUT || never)
        think(workload, client);
    else
        be_patient(workload, client);
}

void workload_answered(struct workload *workload, struct sim_machine *machine, uint64_t number, struct hs_bytes bytes)
{
    struct client *client = &workload->clients[number];
    Hallsync__Reply *reply = hallsync__reply__unpack(NULL, bytes.size, bytes.data);
    if (number >= workload->client_count || reply == NULL)
        sim_fail(workload->sim, "%s: a reply that nobody can read", machine->name);
    struct hs_bytes id = HS_BYTES(reply->id.data, reply->id.len);
    if (client->state == CLIENT_WAITS && hs_bytes_equal(id, HS_BYTES(client->deed->request_id, 16)))
        tell(workload, client, machine, reply);
    else if (client->state == CLIENT_LOOKS && hs_bytes_equal(id, HS_BYTES(client->look_id, 16)))
        begin(workload, client, workload_make(workload, client->machine, client->action, reply));
    hallsync__reply__free_unpacked(reply, NULL);
}

/* ---- time ---- */

static struct client *first_due(const struct workload *workload)
{
    const struct client *first = NULL;
    for (unsigned i = 0; i < workload->client_count; i++) {
        const struct client *client = &workload->clients[i];
        if (client->due_ms != NEVER && (first == NULL || client->due_ms < first->due_ms))
            first = client;
    }
    return (struct client *)(uintptr_t)first;
}

uint64_t workload_due_ms(const struct workload *workload)
{
    const struct client *client = first_due(workload);
    return client == NULL ? NEVER : client->due_ms;
}

void workload_step(struct workload *workload)
{
    struct client *client = first_due(workload);
    if (client == NULL || client->due_ms > workload->sim->now_ms)
        return;
    if (client->state == CLIENT_THINKS)
        do_next(workload, client);
    else
        lose_patience(workload, client);
}

void workload_stop(struct workload *workload)
{
    workload->stopping = true;
}

bool workload_over(const struct workload *workload)
{
    bool over = (workload->stopping || workload->deed_count >= workload->knobs.deeds) && workload->newer_pending == 0;
    for (unsigned i = 0; i < workload->client_count && over; i++)
        over = workload->clients[i].state == CLIENT_THINKS || workload->clients[i].machine == NULL;
    return over;
}

uint64_t workload_deeds(const struct workload *workload)
{
    return workload->deed_count;
}
