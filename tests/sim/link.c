/* link.c -- node/link/link.h on the virtual network.
 *
 * As libzmq over TCP, seen from above: a connection comes up authenticated by the other end's CURVE key, frames arrive
 * in order unless the road loses, doubles or reorders them, an end is told or, if the road is cut, is not. */
#include "tests/sim/inside.h"

#include "node/link/backoff.h"
#include "node/link/link.h"

#include <stdlib.h>
#include <string.h>

#define QUEUE_BYTES_MAX ((size_t)4 << 20) /* of one direction; then a send fails, as at libzmq's high-water mark */
#define CONNECT_MS      3000
#define STEADY_MS       10000
#define NEVER           UINT64_MAX

/* The upstreams of one group, of which one is connected. */
struct dial {
    struct hs_link_upstream upstreams[SIM_UPSTREAMS_MAX];
    size_t upstream_count, turn; /* the upstream to be dialled next */
    uint64_t dial_at_ms;         /* NEVER: a connection is there or coming */
    uint64_t good_ms;            /* since when there is a session; 0: none */
    hs_peer peer;                /* of the connection; 0: none */
    bool paused;
    struct hs_backoff backoff;
};

struct hs_link {
    struct sim_machine *machine;
    char listen[HS_ADDRESS_BYTES_MAX + 1]; /* "": does not */
    struct dial dials[HS_LINK_GROUPS_MAX];
    struct hs_key curve_public;
    struct hs_buf frame; /* handed out by the last call */
    uint64_t counts[HS_LINK_COUNTER_COUNT];
};

struct sim_machine *sim_link_machine(const struct hs_link *link)
{
    return link->machine;
}

static struct sim *world_of(const struct hs_link *link)
{
    return link->machine->sim;
}

static struct sim_road *road(struct hs_link *from, struct hs_link *to)
{
    return &world_of(from)->roads[from->machine->index][to->machine->index];
}

static uint64_t way_ms(struct sim *sim, const struct sim_road *road)
{
    return road->delay_ms + (road->jitter_ms == 0 ? 0 : sim_below(&sim->network, road->jitter_ms + 1));
}

/* ---- connections ---- */

static int side_of(const struct sim_connection *connection, const struct hs_link *link)
{
    return connection->end[0] == link ? 0 : connection->end[1] == link ? 1 : -1;
}

static struct sim_connection *connection_of(struct hs_link *link, hs_peer peer, int *side)
{
    for (struct sim_connection *at = world_of(link)->connections; at != NULL; at = at->next) {
        *side = side_of(at, link);
        if (*side >= 0 && at->peer[*side] == peer)
            return at;
    }
    return NULL;
}

static void free_frames(struct sim_connection *connection, int side)
{
    while (connection->frames[side] != NULL) {
        struct sim_frame *frame = connection->frames[side];
        connection->frames[side] = frame->next;
        hs_buf_fini(&frame->bytes);
        free(frame);
    }
    connection->queued_bytes[side] = 0;
}

static void forget(struct sim_connection *connection, int side)
{
    free_frames(connection, side);
    connection->end[side] = NULL;
    connection->up_ms[side] = connection->down_ms[side] = NEVER;
}

/* Whose connection it is; NULL: another end has dialled it. */
static struct dial *dial_of(struct hs_link *link, hs_peer peer)
{
    for (size_t i = 0; i < HS_LINK_GROUPS_MAX; i++) {
        if (peer != 0 && link->dials[i].peer == peer)
            return &link->dials[i];
    }
    return NULL;
}

/* As dial.c does it: after a failure the next upstream has its turn, and once all had theirs, the waits grow. */
static void dial_again(const struct hs_link *link, struct dial *dial, bool failed)
{
    uint64_t now = world_of(link)->now_ms;
    if (dial->good_ms != 0 && now - dial->good_ms >= STEADY_MS)
        hs_backoff_reset(&dial->backoff);
    dial->good_ms = 0;
    dial->peer = 0;
    if (failed)
        dial->turn = (dial->turn + 1) % dial->upstream_count;
    bool round = failed && dial->turn == 0;
    dial->dial_at_ms = now + (round ? hs_backoff_next(&dial->backoff) : hs_backoff_least(&dial->backoff));
}

void sim_connections_sweep(struct sim *sim)
{
    struct sim_connection **at = &sim->connections;
    while (*at != NULL) {
        struct sim_connection *connection = *at;
        if (connection->end[0] != NULL || connection->end[1] != NULL) {
            at = &connection->next;
            continue;
        }
        *at = connection->next;
        free(connection);
    }
}

void sim_connections_free(struct sim *sim)
{
    for (struct sim_connection *at = sim->connections; at != NULL; at = at->next) {
        forget(at, 0);
        forget(at, 1);
    }
    sim_connections_sweep(sim);
}

/* The other end hears of it, if the road is open: else its own heartbeats must find out. */
static void tell_end(struct sim_connection *connection, int side)
{
    struct hs_link *from = connection->end[1 - side], *to = connection->end[side];
    if (to == NULL || connection->down_ms[side] != NEVER)
        return;
    const struct sim_road *way = road(from, to);
    if (!way->cut)
        connection->down_ms[side] = world_of(to)->now_ms + way_ms(world_of(to), way);
}

void sim_link_crashed(struct sim_machine *machine, bool told)
{
    for (struct sim_connection *at = machine->sim->connections; at != NULL; at = at->next) {
        for (int side = 0; side < 2; side++) {
            if (at->end[side] == NULL || at->end[side]->machine != machine)
                continue;
            if (told)
                tell_end(at, 1 - side);
            forget(at, side);
        }
    }
    sim_connections_sweep(machine->sim);
}

void sim_hang_up(struct sim_machine *a, struct sim_machine *b)
{
    for (struct sim_connection *at = a->sim->connections; at != NULL; at = at->next) {
        if (at->end[0] == NULL || at->end[1] == NULL)
            continue;
        struct sim_machine *dialled = at->end[0]->machine, *listens = at->end[1]->machine;
        if ((dialled == a && listens == b) || (dialled == b && listens == a))
            at->down_ms[0] = at->down_ms[1] = a->sim->now_ms;
    }
}

/* ---- life ---- */

static void add_upstreams(struct hs_link *link, const struct hs_link_options *options)
{
    for (size_t i = 0; i < HS_LINK_GROUPS_MAX; i++) {
        link->dials[i].dial_at_ms = NEVER;
        hs_backoff_init(&link->dials[i].backoff, options->backoff_min_ms == 0 ? 100 : options->backoff_min_ms,
                        options->backoff_max_ms == 0 ? 30000 : options->backoff_max_ms);
    }
    for (size_t i = 0; i < options->upstream_count; i++) {
        struct dial *dial = &link->dials[options->upstreams[i].group];
        if (dial->upstream_count == SIM_UPSTREAMS_MAX)
            sim_fail(world_of(link), "too many upstreams in a group");
        dial->upstreams[dial->upstream_count++] = options->upstreams[i];
        dial->dial_at_ms = world_of(link)->now_ms;
    }
}

enum hs_err hs_link_new(const struct hs_link_options *options, struct hs_link **out, struct hs_why *why)
{
    struct hs_link *link = calloc(1, sizeof *link);
    (void)why;
    if (link == NULL)
        return HS_ENOMEM;
    link->machine = sim_world->current;
    link->curve_public = options->curve_public;
    if (options->listen_count > 0)
        memcpy(link->listen, link->machine->address, sizeof link->listen);
    add_upstreams(link, options);
    link->machine->link = link;
    *out = link;
    return HS_OK;
}

void hs_link_free(struct hs_link *link)
{
    sim_link_crashed(link->machine, true);
    link->machine->link = NULL;
    hs_buf_fini(&link->frame);
    free(link);
}

const char *hs_link_address(const struct hs_link *link, size_t i)
{
    return i == 0 ? link->listen : "";
}

uint64_t hs_link_now_ms(void)
{
    return sim_world->now_ms;
}

const char *hs_link_counter_name(enum hs_link_counter counter)
{
    return counter == HS_LINK_FRAMES_OUT ? "frames-out" : "other";
}

uint64_t hs_link_count(const struct hs_link *link, enum hs_link_counter counter)
{
    return link->counts[counter];
}

/* ---- dialling ---- */

static struct hs_link *listener_at(struct sim *sim, const char *address)
{
    for (unsigned i = 0; i < sim->machine_count; i++) {
        struct hs_link *link = sim->machines[i]->link;
        if (link != NULL && sim->machines[i]->life == SIM_RUNNING && strcmp(link->listen, address) == 0)
            return link;
    }
    return NULL;
}

static void connect_to(struct hs_link *link, struct dial *dial, struct hs_link *other)
{
    struct sim *sim = world_of(link);
    struct sim_connection *made = calloc(1, sizeof *made);
    if (made == NULL)
        sim_fail(sim, "out of memory");
    uint64_t there_ms = sim->now_ms + way_ms(sim, road(link, other));
    *made = (struct sim_connection){
        .next = sim->connections,
        .end = {link, other},
        .peer = {sim->next_peer, sim->next_peer + 1},
        .up_ms = {there_ms + way_ms(sim, road(other, link)), there_ms},
        .down_ms = {NEVER, NEVER},
    };
    dial->peer = made->peer[0];
    sim->next_peer += 2;
    sim->connections = made;
}

/* False: nobody there, or not who we look for; to be tried again. */
static bool call(struct hs_link *link, struct dial *dial, struct hs_link_event *event)
{
    const struct hs_link_upstream *upstream = &dial->upstreams[dial->turn];
    struct hs_link *other = listener_at(world_of(link), upstream->address);
    bool road_open = other != NULL && !road(link, other)->cut && !road(other, link)->cut;
    dial->dial_at_ms = NEVER;
    dial->paused = false;
    if (road_open && memcmp(&other->curve_public, &upstream->curve_key, sizeof other->curve_public) == 0) {
        connect_to(link, dial, other);
        return false;
    }
    *event = (struct hs_link_event){.type = HS_LINK_NOTE,
                                    .outbound = true,
                                    .address = upstream->address,
                                    .err = road_open ? HS_EREFUSED : HS_EUNREACHABLE,
                                    .text = "no connection"};
    dial_again(link, dial, true);
    if (!road_open)
        dial->dial_at_ms += other != NULL ? CONNECT_MS : 0; /* silence takes longer than a refusal */
    return true;
}

/* ---- events ---- */

static const char *address_of(const struct sim_connection *connection, int side)
{
    const struct hs_link *dialler = connection->end[0], *listener = connection->end[1];
    if (side == 0 && listener != NULL)
        return listener->machine->address;
    return side == 1 && dialler != NULL ? dialler->machine->address : "";
}

static void give_frame(struct hs_link *link, struct sim_connection *connection, int side, struct hs_link_event *event)
{
    struct sim_frame *frame = connection->frames[side];
    connection->frames[side] = frame->next;
    connection->queued_bytes[side] -= frame->bytes.size;
    hs_buf_fini(&link->frame);
    link->frame = frame->bytes;
    free(frame);
    event->type = HS_LINK_FRAME;
    event->data = hs_buf_bytes(&link->frame);
    link->counts[HS_LINK_FRAMES_IN]++;
}

static bool give_down(struct hs_link *link, struct sim_connection *connection, int side, struct hs_link_event *event)
{
    event->type = HS_LINK_DOWN;
    event->err = HS_EUNREACHABLE;
    event->text = "the connection has ended";
    bool was_up = connection->up_ms[side] == NEVER;
    struct dial *dial = dial_of(link, connection->peer[side]);
    if (dial != NULL) {
        event->address = dial->upstreams[dial->turn].address;
        dial_again(link, dial, dial->good_ms == 0);
    }
    forget(connection, side);
    return was_up || side == 0;
}

static bool give(struct hs_link *link, struct sim_connection *connection, int side, struct hs_link_event *event)
{
    uint64_t now = world_of(link)->now_ms;
    *event = (struct hs_link_event){.peer = connection->peer[side], .outbound = side == 0, .address = "", .text = ""};
    if (connection->up_ms[side] <= now && connection->end[1 - side] == NULL)
        return give_down(link, connection, side, event); /* it has died meanwhile */
    if (connection->up_ms[side] <= now) {
        connection->up_ms[side] = NEVER;
        event->type = HS_LINK_UP;
        event->curve_key = connection->end[1 - side]->curve_public;
        event->address = address_of(connection, side);
        return true;
    }
    if (connection->up_ms[side] == NEVER && connection->frames[side] != NULL &&
        connection->frames[side]->at_ms <= now) {
        give_frame(link, connection, side, event);
        return true;
    }
    if (connection->down_ms[side] <= now)
        return give_down(link, connection, side, event);
    return false;
}

enum hs_err hs_link_next(struct hs_link *link, uint64_t until_ms, struct hs_link_event *event)
{
    struct sim *sim = world_of(link);
    (void)until_ms; /* a turn never waits */
    for (size_t i = 0; i < HS_LINK_GROUPS_MAX; i++) {
        if (link->dials[i].dial_at_ms <= sim->now_ms && call(link, &link->dials[i], event))
            return HS_OK;
    }
    for (struct sim_connection *at = sim->connections; at != NULL; at = at->next) {
        int side = side_of(at, link);
        if (side >= 0 && give(link, at, side, event))
            return HS_OK;
    }
    return HS_ETIMEDOUT;
}

uint64_t sim_link_due_ms(const struct hs_link *link)
{
    uint64_t due = NEVER;
    for (size_t i = 0; i < HS_LINK_GROUPS_MAX; i++)
        due = link->dials[i].dial_at_ms < due ? link->dials[i].dial_at_ms : due;
    for (const struct sim_connection *at = world_of(link)->connections; at != NULL; at = at->next) {
        int side = side_of(at, link);
        if (side < 0)
            continue;
        if (at->up_ms[side] < due)
            due = at->up_ms[side];
        if (at->down_ms[side] < due)
            due = at->down_ms[side];
        if (at->up_ms[side] == NEVER && at->frames[side] != NULL && at->frames[side]->at_ms < due)
            due = at->frames[side]->at_ms;
    }
    return due;
}

/* ---- frames ---- */

/* When the last byte is there: after its turn on a throttled line. */
static uint64_t arrival_ms(struct sim *sim, struct sim_road *road, size_t size)
{
    uint64_t now_us = sim->now_ms * 1000;
    if (road->bytes_per_s != 0) {
        uint64_t from = road->busy_until_us > now_us ? road->busy_until_us : now_us;
        road->busy_until_us = from + (uint64_t)size * 1000000 / road->bytes_per_s;
        now_us = road->busy_until_us;
    }
    return now_us / 1000 + way_ms(sim, road);
}

static void put_frame(struct sim_connection *connection, int side, struct hs_bytes bytes, uint64_t at_ms,
                      bool overtakes)
{
    struct sim_frame *frame = calloc(1, sizeof *frame);
    struct sim_frame **at = &connection->frames[side];
    while (*at != NULL && (!overtakes || (*at)->at_ms <= at_ms)) {
        if (!overtakes && (*at)->at_ms > at_ms)
            at_ms = (*at)->at_ms; /* jitter reorders nothing */
        at = &(*at)->next;
    }
    if (frame != NULL)
        hs_buf_put_bytes(&frame->bytes, bytes);
    if (frame == NULL || frame->bytes.err != HS_OK)
        sim_fail(sim_world, "out of memory");
    frame->at_ms = at_ms;
    frame->next = *at;
    *at = frame;
    connection->queued_bytes[side] += bytes.size;
}

static void send_frame(struct hs_link *link, struct sim_connection *connection, int side, struct hs_bytes bytes)
{
    struct sim *sim = world_of(link);
    struct hs_link *other = connection->end[side];
    struct sim_road *way = road(link, other);
    bool overtakes = sim_chance(&sim->network, way->reordered);
    uint64_t at_ms = arrival_ms(sim, way, bytes.size);
    if (way->cut || sim_chance(&sim->network, way->lost))
        return;
    put_frame(connection, side, bytes, overtakes ? sim->now_ms : at_ms, overtakes);
    if (sim_chance(&sim->network, way->doubled))
        put_frame(connection, side, bytes, at_ms, false);
}

enum hs_err hs_link_send(struct hs_link *link, hs_peer peer, struct hs_bytes frame)
{
    int side;
    struct sim *sim = world_of(link);
    struct sim_connection *connection = connection_of(link, peer, &side);
    if (frame.size > HS_MESSAGE_BYTES_MAX)
        return HS_ETOOBIG;
    if (connection == NULL || connection->queued_bytes[1 - side] + frame.size > QUEUE_BYTES_MAX)
        return HS_EUNREACHABLE;
    if (!sim_effect(link->machine))
        return HS_OK; /* nobody is there any more to care */
    sim->frames++;
    sim->frame_bytes += frame.size;
    link->counts[HS_LINK_FRAMES_OUT]++;
    sim_mix(sim, frame);
    struct hs_link *other = connection->end[1 - side];
    if (other == NULL)
        return HS_OK; /* sent into the void: our end has not been told yet */
    if (sim->hooks.sent != NULL)
        sim->hooks.sent(sim->hooks.ctx, link->machine, other->machine, frame);
    send_frame(link, connection, 1 - side, frame);
    return HS_OK;
}

void hs_link_drop(struct hs_link *link, hs_peer peer, bool failed)
{
    int side;
    struct sim_connection *connection = connection_of(link, peer, &side);
    if (connection == NULL)
        return;
    tell_end(connection, 1 - side);
    forget(connection, side);
    struct dial *dial = dial_of(link, peer);
    if (dial != NULL)
        dial_again(link, dial, failed);
}

void hs_link_pause(struct hs_link *link, hs_peer peer, uint32_t ms)
{
    struct dial *dial = dial_of(link, peer);
    hs_link_drop(link, peer, false);
    if (dial == NULL)
        return;
    dial->paused = true;
    dial->dial_at_ms = world_of(link)->now_ms + ms;
}

void hs_link_resume(struct hs_link *link, const struct hs_key *curve_key)
{
    for (size_t i = 0; i < HS_LINK_GROUPS_MAX; i++) {
        struct dial *dial = &link->dials[i];
        if (dial->paused && memcmp(&dial->upstreams[dial->turn].curve_key, curve_key, sizeof *curve_key) == 0)
            dial->dial_at_ms = world_of(link)->now_ms;
    }
}

const char *hs_link_peer_address(const struct hs_link *link, hs_peer peer)
{
    for (const struct sim_connection *at = world_of(link)->connections; at != NULL; at = at->next) {
        int side = side_of(at, link);
        if (side >= 0 && at->peer[side] == peer)
            return address_of(at, side);
    }
    return "";
}

void hs_link_good(struct hs_link *link, hs_peer peer)
{
    struct dial *dial = dial_of(link, peer);
    if (dial != NULL)
        dial->good_ms = world_of(link)->now_ms;
}

void hs_link_know(struct hs_link *link, const struct hs_key *curve_key)
{
    (void)link;
    (void)curve_key; /* strangers are not bounded here */
}

void hs_link_wake(struct hs_link *link)
{
    (void)link;
    sim_call_room(HS_DAEMON_PEERS);
}
