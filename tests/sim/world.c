/* world.c -- machines and time: who lives, whose turn it is. */
#include "tests/sim/inside.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NEVER        UINT64_MAX
#define DISK_DEFAULT ((uint64_t)10 << 30)
#define CALM_TURNS   100000 /* without time going by: somebody goes round in circles */

/* ---- chance ---- */

uint64_t sim_draw(struct sim_random *random) /* splitmix64 */
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

uint64_t sim_below(struct sim_random *random, uint64_t bound)
{
    return sim_draw(random) % bound;
}

bool sim_chance(struct sim_random *random, unsigned millionths)
{
    return millionths != 0 && sim_below(random, 1000000) < millionths;
}

struct sim_random sim_random_of(uint64_t seed, const char *purpose)
{
    struct sim_random random = {seed};
    for (const char *at = purpose; *at != '\0'; at++)
        random.state = sim_draw(&random) ^ (uint64_t)(uint8_t)*at;
    return random;
}

/* ---- saying things ---- */

static const char *clock_text(const struct sim *sim, char text[static 32])
{
    snprintf(text, 32, "%3" PRIu64 ".%03u", sim->now_ms / 1000, (unsigned)(sim->now_ms % 1000));
    return text;
}

void sim_say(struct sim *sim, const char *format, ...)
{
    char clock[32];
    va_list args;
    if (!sim->options.verbose)
        return;
    printf("%s  ", clock_text(sim, clock));
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

void sim_fail(struct sim *sim, const char *format, ...)
{
    char clock[32];
    va_list args;
    fflush(stdout);
    fprintf(stderr, "VIOLATION seed=%" PRIu64 " at %s s: ", sim->options.seed, clock_text(sim, clock));
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    sim_world = NULL;
    sim_remove(sim->base);
    _exit(1);
}

/* ---- a world ---- */

static void make_base(struct sim *sim)
{
    snprintf(sim->base, sizeof sim->base, "/dev/shm/hallsync-sim.XXXXXX");
    if (mkdtemp(sim->base) == NULL)
        sim_fail(sim, "cannot make a folder in /dev/shm");
}

struct sim *sim_new(const struct sim_options *options, const struct sim_hooks *hooks)
{
    struct sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL)
        return NULL;
    sim->options = *options;
    if (hooks != NULL)
        sim->hooks = *hooks;
    sim->order = sim_random_of(options->seed, "order");
    sim->network = sim_random_of(options->seed, "network");
    sim->next_peer = 1;
    sim->now_ms = 1000;
    make_base(sim);
    sim_doors_open(sim);
    return sim;
}

void sim_free(struct sim *sim)
{
    sim->hooks = (struct sim_hooks){0};
    for (unsigned i = 0; i < sim->machine_count; i++) {
        struct sim_machine *machine = sim->machines[i];
        if (machine->life != SIM_STOPPED)
            sim_kill(machine);
        hs_conf_free(&machine->conf);
        free(machine);
    }
    sim_connections_free(sim);
    sim_remove(sim->base);
    sim_world = NULL;
    free(sim);
}

/* ---- machines ---- */

static struct sim_machine *new_machine(struct sim *sim, const char *name, const char *node_id, enum hs_role role)
{
    struct sim_machine *machine = calloc(1, sizeof *machine);
    char notes[48];
    if (machine == NULL || sim->machine_count == SIM_MACHINES_MAX)
        sim_fail(sim, "no room for another machine");
    *machine = (struct sim_machine){
        .sim = sim, .index = sim->machine_count, .role = role, .clock_fixed_ms = -1, .disk_free_bytes = DISK_DEFAULT};
    snprintf(machine->name, sizeof machine->name, "%s", name);
    snprintf(machine->node_id, sizeof machine->node_id, "%s", node_id);
    snprintf(machine->address, sizeof machine->address, "tcp://127.0.0.1:%u", 7400 + machine->index);
    snprintf(notes, sizeof notes, "%s.notes", name);
    sim_path(machine->dir, sim->base, name);
    sim_path(machine->notes, sim->base, notes);
    sim_make_dir(machine->dir);
    sim_make_dir(machine->notes);
    for (unsigned room = 0; room < SIM_ROOMS; room++)
        machine->due_ms[room] = NEVER;
    for (unsigned other = 0; other < SIM_MACHINES_MAX; other++) {
        sim->roads[machine->index][other] = (struct sim_road){.delay_ms = 5, .jitter_ms = 5};
        sim->roads[other][machine->index] = (struct sim_road){.delay_ms = 5, .jitter_ms = 5};
    }
    sim->machines[sim->machine_count++] = machine;
    return machine;
}

struct sim_machine *sim_add_as(struct sim *sim, const struct sim_plan *plan)
{
    struct sim_machine *machine = new_machine(sim, plan->name != NULL ? plan->name : plan->node_id, plan->node_id,
                                              plan->role);
    struct hs_certificate draft = {.role = plan->role, .home = plan->home, .issued_ms = SIM_EPOCH_MS};
    if (plan->district_count > SIM_SCOPE_MAX)
        sim_fail(sim, "too many districts");
    snprintf(draft.node_id, sizeof draft.node_id, "%s", plan->node_id);
    if (plan->role == HS_ROLE_HUB) {
        machine->scope_count = plan->district_count;
        memcpy(machine->scope, plan->districts, plan->district_count * sizeof *plan->districts);
    } else {
        draft.district_count = plan->district_count;
        memcpy(draft.districts, plan->districts, plan->district_count * sizeof *plan->districts);
    }
    sim->current = machine;
    machine->life = SIM_RUNNING;
    sim_make_keys(machine, &draft);
    sim_make_conf(machine, plan->upstreams, plan->upstream_count);
    machine->life = SIM_STOPPED;
    sim->current = NULL;
    return machine;
}

struct sim_machine *sim_add(struct sim *sim, const char *node_id, enum hs_role role, const hs_partition *districts,
                            size_t district_count, struct sim_machine *const *upstreams, size_t upstream_count)
{
    struct sim_plan plan = {.node_id = node_id, .role = role, .upstream_count = upstream_count};
    plan.home = districts[0];
    plan.districts = districts;
    plan.district_count = role == HS_ROLE_HUB ? 0 : district_count;
    for (size_t i = 0; i < upstream_count; i++)
        plan.upstreams[i].machine = upstreams[i];
    return sim_add_as(sim, &plan);
}

static void copy_keys(const struct sim_machine *from, const struct sim_machine *to)
{
    char command[3 * SIM_PATH_BYTES]; /* the clone's keys are the same files */
    snprintf(command, sizeof command, "cp -a %s/keys %s/keys", from->dir, to->dir);
    if (system(command) != 0)
        sim_fail(from->sim, "cannot copy keys");
}

struct sim_machine *sim_clone(struct sim_machine *machine, int snapshot, const char *name)
{
    struct sim *sim = machine->sim;
    struct sim_machine *clone = new_machine(sim, name, machine->node_id, machine->role);
    struct sim_upstream upstreams[SIM_UPSTREAMS_MAX];
    size_t count = 0;
    char from[SIM_PATH_BYTES], part[64];
    for (unsigned i = 0; i < sim->machine_count; i++) {
        for (unsigned u = 0; u < machine->conf.upstreams_count; u++) {
            if (strcmp(machine->conf.upstreams[u].address, sim->machines[i]->address) == 0)
                upstreams[count++] = (struct sim_upstream){sim->machines[i], machine->conf.upstreams[u].group};
        }
    }
    snprintf(part, sizeof part, "%s.disk%d", machine->name, snapshot);
    sim_path(from, sim->base, part);
    copy_keys(machine, clone);
    sim_copy_store(snapshot < 0 ? machine->dir : from, clone->dir, (struct sim_restore){.log = true, .records = true});
    clone->certificate = machine->certificate;
    clone->has_rotted = machine->has_rotted;
    clone->scope_count = machine->scope_count;
    memcpy(clone->scope, machine->scope, sizeof clone->scope);
    sim_make_conf(clone, upstreams, count);
    sim_say(sim, "%s: a clone of %s", name, machine->name);
    return clone;
}

/* ---- life and death ---- */

static void died(void *ctx, enum hs_err err)
{
    struct sim_machine *machine = ctx;
    if (machine->life == SIM_RUNNING) {
        sim_say(machine->sim, "%s: ends by itself: %s", machine->name, hs_err_name(err));
        machine->life = SIM_DEAD;
    }
}

static void start_anew(void *ctx)
{
    ((struct sim_machine *)ctx)->starts_anew = true;
}

enum hs_err sim_try_start(struct sim_machine *machine)
{
    struct sim *sim = machine->sim;
    struct hs_why why = {{0}};
    struct hs_daemon_options options = {
        .conf = &machine->conf, .note_dir = machine->notes, .fatal = died, .restart = start_anew, .ctx = machine};
    if (machine->life != SIM_STOPPED)
        sim_fail(sim, "%s is not stopped", machine->name);
    machine->life = SIM_RUNNING;
    machine->crash_at = 0;
    machine->starts_anew = false;
    sim->current = machine;
    enum hs_err err = hs_daemon_new(&options, &machine->daemon, &why);
    sim->current = NULL;
    if (err != HS_OK) {
        machine->daemon = NULL;
        machine->life = SIM_STOPPED;
        sim_say(sim, "%s: does not start: %s: %s", machine->name, hs_err_name(err), why.text);
        return err;
    }
    machine->lives++;
    for (unsigned room = 0; room < SIM_ROOMS; room++)
        machine->due_ms[room] = room == HS_DAEMON_CHECKER && !machine->is_checked ? NEVER : sim->now_ms;
    sim_say(sim, "%s: starts, life %u", machine->name, machine->lives);
    if (sim->hooks.started != NULL)
        sim->hooks.started(sim->hooks.ctx, machine);
    return HS_OK;
}

void sim_start(struct sim_machine *machine)
{
    enum hs_err err = sim_try_start(machine);
    if (err != HS_OK)
        sim_fail(machine->sim, "%s does not start: %s", machine->name, hs_err_name(err));
}

static void end(struct sim_machine *machine, bool clean, bool told)
{
    struct sim *sim = machine->sim;
    if (!told)
        sim_link_crashed(machine, false);
    sim->current = machine;
    hs_daemon_stop(machine->daemon);
    sim->current = NULL;
    machine->daemon = NULL;
    machine->life = SIM_STOPPED;
    machine->crash_at = 0;
    for (unsigned room = 0; room < SIM_ROOMS; room++)
        machine->due_ms[room] = NEVER;
    if (sim->hooks.ended != NULL)
        sim->hooks.ended(sim->hooks.ctx, machine, clean, HS_OK);
}

void sim_stop(struct sim_machine *machine)
{
    if (machine->life != SIM_RUNNING)
        return;
    sim_say(machine->sim, "%s: is stopped", machine->name);
    end(machine, true, true);
}

void sim_kill(struct sim_machine *machine)
{
    if (machine->life == SIM_STOPPED)
        return;
    sim_say(machine->sim, "%s: is killed", machine->name);
    machine->life = SIM_DEAD;
    end(machine, false, sim_below(&machine->sim->network, 2) == 0);
}

void sim_crash_at(struct sim_machine *machine, uint64_t effects, bool after)
{
    if (machine->life != SIM_RUNNING)
        return;
    machine->crash_at = machine->effects + effects;
    machine->crash_after = after;
}

void sim_reboot(struct sim_machine *machine)
{
    sim_empty(machine->notes);
    sim_say(machine->sim, "%s: reboots", machine->name);
}

void sim_wipe(struct sim_machine *machine)
{
    char path[SIM_PATH_BYTES];
    if (machine->life != SIM_STOPPED)
        sim_fail(machine->sim, "%s is not stopped", machine->name);
    sim_path(path, machine->dir, "log");
    sim_remove(path);
    sim_path(path, machine->dir, "records");
    sim_remove(path);
    sim_say(machine->sim, "%s: its store is gone", machine->name);
    machine->sim->current = machine;
    machine->life = SIM_RUNNING;
    sim_make_keys(machine, NULL);
    machine->life = SIM_STOPPED;
    machine->sim->current = NULL;
}

/* ---- the network ---- */

void sim_cut(struct sim_machine *from, struct sim_machine *to, bool cut)
{
    from->sim->roads[from->index][to->index].cut = cut;
    sim_say(from->sim, "%s -> %s: %s", from->name, to->name, cut ? "cut" : "open");
}

void sim_part(struct sim_machine *a, struct sim_machine *b, bool cut)
{
    sim_cut(a, b, cut);
    sim_cut(b, a, cut);
}

/* ---- clients ---- */

void sim_ask(struct sim_machine *machine, uint64_t client, struct hs_bytes request)
{
    struct sim *sim = machine->sim;
    bool lost = sim_chance(&sim->network, sim->options.answer_lost);
    if (machine->life != SIM_RUNNING || machine->socket == NULL || lost)
        return;
    uint64_t at_ms = sim->now_ms + sim_below(&sim->network, 2);
    sim_socket_put(machine->socket, at_ms, client, request);
}

static void turn(struct sim_machine *machine, enum hs_daemon_room room)
{
    struct sim *sim = machine->sim;
    machine->due_ms[room] = NEVER;
    sim->current = machine;
    uint64_t next_ms = hs_daemon_turn(machine->daemon, room);
    sim->current = NULL;
    if (next_ms != NEVER && next_ms < sim->now_ms)
        next_ms = sim->now_ms;
    if (next_ms < machine->due_ms[room])
        machine->due_ms[room] = next_ms;
    sim->turns++;
}

bool sim_ask_now(struct sim_machine *machine, struct hs_bytes request, struct hs_buf *reply)
{
    if (machine->life != SIM_RUNNING)
        return false;
    sim_socket_put(machine->socket, machine->sim->now_ms, SIM_CLIENT_NOBODY, request);
    sim_socket_listen_in(machine->socket, reply);
    for (unsigned i = 0; reply->size == 0 && machine->life == SIM_RUNNING; i++) {
        if (i == CALM_TURNS)
            sim_fail(machine->sim, "%s does not answer", machine->name);
        turn(machine, HS_DAEMON_SERVICE);
        turn(machine, HS_DAEMON_WRITER);
    }
    if (machine->socket != NULL)
        sim_socket_listen_in(machine->socket, NULL);
    if (machine->life == SIM_DEAD)
        sim_kill(machine);
    return reply->size > 0;
}

bool sim_submit(struct sim_machine *machine, struct hs_job *job)
{
    if (machine->life != SIM_RUNNING)
        return false;
    machine->sim->current = machine;
    enum hs_err err = hs_writer_submit(hs_daemon_writer(machine->daemon), job);
    machine->sim->current = NULL;
    return err == HS_OK;
}

/* ---- time ---- */

uint64_t sim_wall_ms(const struct sim_machine *machine)
{
    if (machine->clock_fixed_ms >= 0)
        return (uint64_t)machine->clock_fixed_ms;
    uint64_t now = machine->sim->now_ms;
    int64_t drift = (int64_t)(now - machine->clock_since_ms) * machine->clock_drift_ppm / 1000000;
    int64_t wall = (int64_t)(SIM_EPOCH_MS + now) + machine->clock_skew_ms + drift;
    return wall < 0 ? 0 : (uint64_t)wall;
}

/* A room is due when it said so, when another calls it, or when something has come for it. */
static uint64_t due_of(const struct sim_machine *machine, unsigned room)
{
    uint64_t due = machine->due_ms[room], from_outside = NEVER;
    if (room == HS_DAEMON_PEERS && machine->link != NULL)
        from_outside = sim_link_due_ms(machine->link);
    if (room == HS_DAEMON_SERVICE && machine->socket != NULL)
        from_outside = sim_socket_due_ms(machine->socket);
    return from_outside < due ? from_outside : due;
}

struct due {
    struct sim_machine *machine;
    unsigned room;
};

/* The earliest time at which somebody is due, and all that are. */
static uint64_t find_due(const struct sim *sim, struct due *due, unsigned *count)
{
    uint64_t earliest = NEVER;
    *count = 0;
    for (unsigned i = 0; i < sim->machine_count; i++) {
        struct sim_machine *machine = sim->machines[i];
        for (unsigned room = 0; machine->life == SIM_RUNNING && room < SIM_ROOMS; room++) {
            uint64_t at = due_of(machine, room);
            if (at < sim->now_ms)
                at = sim->now_ms;
            if (at < earliest) {
                earliest = at;
                *count = 0;
            }
            if (at == earliest && at != NEVER)
                due[(*count)++] = (struct due){machine, room};
        }
    }
    return earliest;
}

uint64_t sim_due_ms(const struct sim *sim)
{
    struct due due[SIM_MACHINES_MAX * SIM_ROOMS];
    unsigned count;
    return find_due(sim, due, &count);
}

bool sim_step(struct sim *sim, uint64_t until_ms)
{
    struct due due[SIM_MACHINES_MAX * SIM_ROOMS];
    unsigned count;
    uint64_t at_ms = find_due(sim, due, &count);
    if (at_ms > until_ms || count == 0) {
        if (until_ms != NEVER && until_ms > sim->now_ms)
            sim->now_ms = until_ms;
        return false;
    }
    sim->now_ms = at_ms;
    struct due chosen = due[sim_below(&sim->order, count)];
    turn(chosen.machine, chosen.room);
    if (chosen.machine->life == SIM_DEAD)
        sim_kill(chosen.machine);
    if (chosen.machine->life == SIM_RUNNING && chosen.machine->starts_anew) {
        sim_stop(chosen.machine);
        sim_start(chosen.machine);
    }
    if (sim->turns % 64 == 0)
        sim_connections_sweep(sim);
    if (sim->hooks.turned != NULL)
        sim->hooks.turned(sim->hooks.ctx, chosen.machine);
    return true;
}

void sim_run(struct sim *sim, uint64_t ms)
{
    uint64_t until_ms = sim->now_ms + ms;
    while (sim_step(sim, until_ms))
        continue;
}
