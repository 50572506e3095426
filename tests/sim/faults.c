#include "tests/sim/faults.h"

#include "tests/sim/sticks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEVER        UINT64_MAX
#define OLD_SEEDS    150 /* whose runs are known to find this and that */
#define MILLION      1000000
#define YEAR_MS      ((int64_t)31556952 * 1000)
#define PRUNE_AGE_MS 8000 /* at most */
#define BUNDLES_MAX  16
#define BACKUPS_MAX  3
#define SLOTS        (SIM_SNAPSHOTS_MAX - 1) /* of snapshots by the plan; the last one is of lost-commits */

struct faults {
    struct sim *sim;
    struct auditor *auditor;
    struct chronicle *chronicle;
    struct workload *workload;
    struct sim_random random;
    struct fault plan[FAULTS_MAX];
    bool skipped[FAULTS_MAX];
    unsigned count, next;
    uint64_t types;
    uint64_t start_ms[SIM_MACHINES_MAX]; /* when a stopped machine starts again; NEVER: it runs, or is not to */
    uint64_t well_ms[SIM_MACHINES_MAX];  /* when its disk and clock are well again */
    uint64_t open_ms[SIM_MACHINES_MAX][SIM_MACHINES_MAX]; /* when a road is */
    unsigned clones;
    struct sticks *sticks;
    struct hs_buf backups[SIM_MACHINES_MAX]; /* the newest of each */
    bool loses_commits[SIM_MACHINES_MAX];    /* when its process ends */
    bool healed;
};

static const char *const NAMES[] = {
#define X(fault, name, what) [FAULT_##fault] = name,
    FAULTS(X)
#undef X
};

const char *fault_name(enum fault_type type)
{
    return NAMES[type];
}

/* ---- the plan ---- */

static bool needs_snapshot(enum fault_type type)
{
    return type == FAULT_OLD_COPY || type == FAULT_OLD_LOG || type == FAULT_OLD_RECORDS || type == FAULT_OLD_MEMORY;
}

static uint64_t draw_types(struct sim_random *random)
{
    uint64_t types = 0;
    for (unsigned type = 0; type < FAULTS_DRAWN; type++) {
        unsigned rare = type == FAULT_OLD_MEMORY || type == FAULT_ROT || type == FAULT_WIPE ? 6 : 2;
        if (sim_below(random, rare) == 0)
            types |= (uint64_t)1 << type;
    }
    return types & ~((uint64_t)1 << FAULT_ROT_LOG);
}

static uint64_t draw_rotting(uint64_t seed)
{
    struct sim_random random = sim_random_of(seed, "rotting");
    return seed > OLD_SEEDS && sim_below(&random, 6) == 0 ? (uint64_t)1 << FAULT_ROT_LOG : 0;
}

static uint64_t draw_revoking(uint64_t seed)
{
    struct sim_random random = sim_random_of(seed, "revoking");
    return seed > OLD_SEEDS && sim_below(&random, 4) == 0 ? (uint64_t)1 << FAULT_REVOKE : 0;
}

static uint64_t draw_carrying(uint64_t seed)
{
    struct sim_random random = sim_random_of(seed, "carrying");
    return seed > OLD_SEEDS && sim_below(&random, 3) == 0 ? (uint64_t)1 << FAULT_BUNDLE : 0;
}

static uint64_t draw_restoring(uint64_t seed)
{
    struct sim_random random = sim_random_of(seed, "restoring");
    return seed > OLD_SEEDS && sim_below(&random, 4) == 0 ? (uint64_t)1 << FAULT_BACKUP : 0;
}

static int compare_faults(const void *a, const void *b)
{
    const struct fault *x = a, *y = b;
    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static void add(struct faults *faults, struct fault fault)
{
    if (faults->count < FAULTS_MAX)
        faults->plan[faults->count++] = fault;
}

/* Lines lead to hubs and witnesses: a hall's other end is one of these. */
static unsigned draw_other(struct faults *faults, unsigned machine)
{
    unsigned other = (unsigned)sim_below(&faults->random, faults->sim->machine_count);
    for (unsigned i = 0; i < faults->sim->machine_count; i++, other = (other + 1) % faults->sim->machine_count) {
        bool has_listener = faults->sim->machines[other]->role != HS_ROLE_HALL ||
                            faults->sim->machines[machine]->role != HS_ROLE_HALL;
        if (other != machine && has_listener)
            return other;
    }
    return machine;
}

/* One hall at most, of those that others share a hub with; drawn apart. */
static void draw_revocation(struct faults *faults, uint64_t horizon_ms)
{
    struct sim_random random = sim_random_of(faults->sim->options.seed, "revoke");
    unsigned machine = (unsigned)sim_below(&random, faults->sim->machine_count);
    uint64_t at_ms = faults->sim->now_ms + sim_below(&random, horizon_ms);
    if ((faults->types >> FAULT_REVOKE & 1) != 0 && faults->sim->machines[machine]->role == HS_ROLE_HALL)
        add(faults, (struct fault){.type = FAULT_REVOKE, .at_ms = at_ms, .machine = machine, .other = 0});
}

/* Whom a bundle may be of, or for. */
static unsigned draw_of(struct faults *faults, struct sim_random *random, bool hub)
{
    const struct sim *sim = faults->sim;
    unsigned drawn = (unsigned)sim_below(random, sim->machine_count);
    while (sim->machines[drawn]->role == HS_ROLE_WITNESS || (hub && sim->machines[drawn]->role != HS_ROLE_HUB))
        drawn = (drawn + 1) % sim->machine_count; /* the first is a hub */
    return drawn;
}

static void draw_bundles(struct faults *faults, uint64_t horizon_ms)
{
    struct sim_random random = sim_random_of(faults->sim->options.seed, "bundles");
    bool wanted = (faults->types >> FAULT_BUNDLE & 1) != 0;
    for (uint64_t i = wanted ? 1 + sim_below(&random, BUNDLES_MAX) : 0; i > 0; i--) {
        struct fault fault = {.type = FAULT_BUNDLE,
                              .at_ms = faults->sim->now_ms + sim_below(&random, horizon_ms),
                              .machine = draw_of(faults, &random, false),
                              .value = sim_draw(&random)};
        fault.other = draw_of(faults, &random, faults->sim->machines[fault.machine]->role != HS_ROLE_HUB);
        add(faults, fault);
    }
}

/* One of each pair is odd: the machine is restored; from the same backup twice, too. */
static void draw_backups(struct faults *faults, uint64_t horizon_ms)
{
    struct sim_random random = sim_random_of(faults->sim->options.seed, "backups");
    bool wanted = (faults->types >> FAULT_BACKUP & 1) != 0;
    for (uint64_t i = wanted ? 2 + sim_below(&random, BACKUPS_MAX) : 0; i > 0; i--) {
        struct fault fault = {.type = FAULT_BACKUP,
                              .at_ms = faults->sim->now_ms + sim_below(&random, horizon_ms),
                              .machine = (unsigned)sim_below(&random, faults->sim->machine_count),
                              .for_ms = (uint32_t)sim_below(&random, horizon_ms / 3 + 1),
                              .value = sim_draw(&random) & ~(uint64_t)1};
        struct fault restored = fault;
        restored.at_ms = fault.at_ms + sim_below(&random, faults->sim->now_ms + horizon_ms - fault.at_ms);
        restored.value++;
        add(faults, fault);
        add(faults, restored);
    }
}

static void draw_plan(struct faults *faults, uint64_t horizon_ms)
{
    struct sim_random *random = &faults->random;
    unsigned wanted = faults->types == 0 ? 0 : (unsigned)sim_below(random, 3 * FAULTS_MAX);
    for (unsigned i = 0; i < wanted; i++) {
        struct fault fault = {
            .type = (enum fault_type)sim_below(random, FAULTS_DRAWN),
            .at_ms = faults->sim->now_ms + sim_below(random, horizon_ms),
            .machine = (unsigned)sim_below(random, faults->sim->machine_count),
            .for_ms = (uint32_t)sim_below(random, horizon_ms / 3 + 1),
            .value = sim_draw(random),
        };
        if ((faults->types >> fault.type & 1) == 0)
            continue;
        fault.other = draw_other(faults, fault.machine);
        if (needs_snapshot(fault.type)) /* somebody must have taken it before */
            add(faults,
                (struct fault){.type = FAULT_SNAPSHOT,
                               .at_ms = faults->sim->now_ms + sim_below(random, fault.at_ms - faults->sim->now_ms + 1),
                               .machine = fault.machine,
                               .value = fault.value});
        add(faults, fault);
    }
    draw_revocation(faults, horizon_ms);
    draw_bundles(faults, horizon_ms);
    draw_backups(faults, horizon_ms);
    qsort(faults->plan, faults->count, sizeof *faults->plan, compare_faults);
}

struct faults *faults_new(struct sim *sim, struct auditor *auditor, struct workload *workload, uint64_t types,
                          uint64_t horizon_ms)
{
    struct faults *faults = calloc(1, sizeof *faults);
    if (faults == NULL)
        sim_fail(sim, "out of memory");
    faults->sim = sim;
    faults->auditor = auditor;
    faults->workload = workload;
    faults->random = sim_random_of(sim->options.seed, "faults");
    uint64_t drawn = draw_types(&faults->random);
    uint64_t seed = sim->options.seed;
    uint64_t later = draw_rotting(seed) | draw_revoking(seed) | draw_carrying(seed) | draw_restoring(seed);
    faults->types = types == 0 ? drawn | later : types;
    for (unsigned i = 0; i < SIM_MACHINES_MAX; i++) {
        faults->start_ms[i] = faults->well_ms[i] = NEVER;
        for (unsigned j = 0; j < SIM_MACHINES_MAX; j++)
            faults->open_ms[i][j] = NEVER;
    }
    faults->sticks = sticks_new(sim);
    draw_plan(faults, horizon_ms);
    return faults;
}

void faults_record(struct faults *faults, struct chronicle *chronicle)
{
    faults->chronicle = chronicle;
}

static void disk_changed(struct faults *faults, struct sim_machine *machine)
{
    auditor_disk_changed(faults->auditor, machine);
    chronicle_forgot(faults->chronicle, machine);
}

void faults_free(struct faults *faults)
{
    sticks_free(faults->sticks);
    for (unsigned i = 0; i < SIM_MACHINES_MAX; i++)
        hs_buf_fini(&faults->backups[i]);
    free(faults);
}

unsigned faults_planned(const struct faults *faults)
{
    return faults->count;
}

void faults_skip(struct faults *faults, unsigned index)
{
    if (index < faults->count)
        faults->skipped[index] = true;
}

void faults_print(const struct faults *faults)
{
    for (unsigned i = 0; i < faults->count; i++) {
        const struct fault *fault = &faults->plan[i];
        printf("  fault %2u at %7.3f s: %-12s %s (%s) for %.3f s%s\n", i, (double)fault->at_ms / 1000,
               fault_name(fault->type), faults->sim->machines[fault->machine]->name,
               faults->sim->machines[fault->other]->name, fault->for_ms / 1000.0,
               faults->skipped[i] ? ", left out" : "");
    }
}

/* ---- lines ---- */

static void line_until(struct faults *faults, unsigned from, unsigned to, uint64_t at_ms)
{
    uint64_t *open_ms = &faults->open_ms[from][to];
    *open_ms = *open_ms == NEVER || *open_ms < at_ms ? at_ms : *open_ms;
}

static void spoil_line(struct faults *faults, const struct fault *fault, unsigned from, unsigned to)
{
    struct sim_road *road = &faults->sim->roads[from][to];
    switch (fault->type) {
    case FAULT_SLOW:
        road->bytes_per_s = 2000 << fault->value % 6;
        break;
    case FAULT_LOSSY:
        road->lost = (unsigned)(fault->value % 50000);
        road->doubled = (unsigned)(fault->value >> 8) % 20000;
        road->reordered = (unsigned)(fault->value >> 16) % 20000;
        break;
    default:
        road->cut = true;
    }
    line_until(faults, from, to, faults->sim->now_ms + fault->for_ms);
}

static void mend_line(struct faults *faults, unsigned from, unsigned to)
{
    struct sim_road *road = &faults->sim->roads[from][to];
    *road = (struct sim_road){.delay_ms = road->delay_ms, .jitter_ms = road->jitter_ms};
    faults->open_ms[from][to] = NEVER;
}

static void spoil_network(struct faults *faults, const struct fault *fault)
{
    if (fault->type == FAULT_HANG_UP) {
        sim_hang_up(faults->sim->machines[fault->machine], faults->sim->machines[fault->other]);
        return;
    }
    spoil_line(faults, fault, fault->machine, fault->other);
    if (fault->type != FAULT_ONE_WAY)
        spoil_line(faults, fault, fault->other, fault->machine);
}

/* ---- processes ---- */

static void start_later(struct faults *faults, struct sim_machine *machine, uint64_t ms)
{
    faults->start_ms[machine->index] = faults->sim->now_ms + ms;
}

static void lose_commits(struct faults *faults, struct sim_machine *machine)
{
    sim_restore(machine, SLOTS, (struct sim_restore){.log = true, .records = true, .same_files = true});
    disk_changed(faults, machine);
    faults->loses_commits[machine->index] = false;
}

void faults_ended(struct faults *faults, struct sim_machine *machine)
{
    if (faults->loses_commits[machine->index])
        lose_commits(faults, machine);
    if (faults->start_ms[machine->index] == NEVER)
        start_later(faults, machine, 10 + sim_below(&faults->random, 3000));
}

static void kill_machine(struct faults *faults, struct sim_machine *machine, const struct fault *fault)
{
    start_later(faults, machine, 1 + fault->for_ms % 20000);
    sim_kill(machine);
}

static void crash_and_lose(struct faults *faults, struct sim_machine *machine, const struct fault *fault)
{
    if (machine->life != SIM_RUNNING)
        return;
    sim_snapshot(machine, SLOTS);
    faults->loses_commits[machine->index] = true;
    sim_crash_at(machine, 1 + fault->value % 12, (fault->value >> 8 & 1) != 0);
}

static void end_process(struct faults *faults, struct sim_machine *machine, const struct fault *fault)
{
    switch (fault->type) {
    case FAULT_CRASH:
        sim_crash_at(machine, 1 + fault->value % 40, (fault->value >> 8 & 1) != 0);
        break;
    case FAULT_LOST_COMMITS:
        crash_and_lose(faults, machine, fault);
        break;
    case FAULT_RESTART:
        start_later(faults, machine, 1 + fault->value % 500);
        sim_stop(machine);
        break;
    case FAULT_REBOOT:
        kill_machine(faults, machine, fault);
        sim_reboot(machine);
        break;
    default:
        kill_machine(faults, machine, fault);
    }
}

/* ---- disks ---- */

static void make_well(struct faults *faults, struct sim_machine *machine)
{
    machine->clock_skew_ms = machine->clock_drift_ppm = 0;
    machine->clock_fixed_ms = -1;
    machine->disk_full = false;
    machine->disk_free_bytes = (uint64_t)10 << 30;
    faults->well_ms[machine->index] = NEVER;
}

static void go_back(struct faults *faults, struct sim_machine *machine, const struct fault *fault)
{
    unsigned slot = (unsigned)(fault->value % SLOTS);
    struct sim_restore what = {.log = fault->type != FAULT_OLD_RECORDS,
                               .records = fault->type != FAULT_OLD_LOG,
                               .notes = fault->type == FAULT_OLD_MEMORY,
                               .same_files = fault->type != FAULT_OLD_COPY || (fault->value >> 8 & 1) != 0};
    if (!machine->snapshot_taken[slot])
        return;
    kill_machine(faults, machine, fault);
    sim_restore(machine, slot, what);
    if (fault->type == FAULT_OLD_LOG)
        sim_reboot(machine); /* what lies about a flush is found out by a loss of power */
    if (what.notes)
        auditor_fork_possible(faults->auditor, machine);
    disk_changed(faults, machine);
}

/* Its tmpfs stays: another store has another note. */
static void back_up(struct faults *faults, struct sim_machine *machine, const struct fault *fault)
{
    struct hs_buf *backup = &faults->backups[machine->index];
    bool restores = fault->value % 2 != 0;
    if (!restores && machine->life == SIM_RUNNING) {
        hs_buf_reset(backup);
        sim_backup(machine, backup);
    }
    if (!restores || backup->size == 0)
        return;
    kill_machine(faults, machine, fault);
    make_well(faults, machine); /* with the new disk */
    sim_restore_backup(machine, backup);
    disk_changed(faults, machine);
}

static void wipe(struct faults *faults, struct sim_machine *machine, const struct fault *fault)
{
    kill_machine(faults, machine, fault);
    sim_reboot(machine);
    make_well(faults, machine); /* with the new disk */
    sim_wipe(machine);
    disk_changed(faults, machine);
}

static void clone(struct faults *faults, struct sim_machine *machine, const struct fault *fault)
{
    char name[HS_NODE_ID_BYTES_MAX + 1];
    bool old = fault->value % 2 == 0 && machine->snapshot_taken[0];
    if (machine->role != HS_ROLE_HALL || faults->clones == 2 || faults->sim->machine_count == SIM_MACHINES_MAX)
        return;
    snprintf(name, sizeof name, "clone-%u", ++faults->clones);
    struct sim_machine *made = sim_clone(machine, old ? 0 : -1, name);
    disk_changed(faults, made);
    start_later(faults, made, 1);
    workload_join(faults->workload, made);
}

static void prune(struct sim_machine *machine, const struct fault *fault)
{
    if (machine->life == SIM_RUNNING)
        sim_prune(machine, sim_wall_ms(machine) - fault->value % PRUNE_AGE_MS);
}

static void rot(struct faults *faults, struct sim_machine *machine, const struct fault *fault)
{
    struct sim_random random = {fault->value};
    bool log = fault->type == FAULT_ROT_LOG;
    kill_machine(faults, machine, fault);
    if (sim_rot(machine, log ? "log" : "records", !log ? "state" : fault->value % 4 == 0 ? "receipt" : "op", &random))
        auditor_damaged(faults->auditor, machine);
}

/* ---- keys ---- */

/* Its counters are closed: what it takes from now on nobody else would get. */
static void revoke(struct faults *faults, struct sim_machine *machine)
{
    struct sim_machine *hub = faults->sim->machines[0];
    if (hub->life != SIM_RUNNING || faults->sim->current != NULL)
        return;
    if (!sim_revoke(hub, machine, false)) {
        sim_say(faults->sim, "%s does not answer: nobody is revoked", hub->name);
        return;
    }
    auditor_revoked(faults->auditor, machine);
    workload_leave(faults->workload, machine);
}

/* ---- clocks ---- */

static void set_clock(struct faults *faults, struct sim_machine *machine, const struct fault *fault)
{
    static const int64_t JUMPS[] = {-56 * YEAR_MS, -25 * YEAR_MS, 64 * YEAR_MS, 3600000, -3600000, 90000, -90000};
    machine->clock_since_ms = faults->sim->now_ms;
    if (fault->type == FAULT_CLOCK_JUMP)
        machine->clock_skew_ms = JUMPS[fault->value % (sizeof JUMPS / sizeof *JUMPS)];
    else if (fault->type == FAULT_CLOCK_STANDS)
        machine->clock_fixed_ms = (int64_t)sim_wall_ms(machine);
    else
        machine->clock_drift_ppm = (int64_t)(fault->value % 400001) - 200000;
    faults->well_ms[machine->index] = faults->sim->now_ms + fault->for_ms;
}

static void fill_disk(struct faults *faults, struct sim_machine *machine, const struct fault *fault)
{
    machine->disk_free_bytes = (fault->value % 700) << 20;
    machine->disk_full = fault->type == FAULT_DISK_FAILS;
    faults->well_ms[machine->index] = faults->sim->now_ms + fault->for_ms;
}

/* ---- sticks ---- */

/* A new one is written; then any parts of any of the last ones turn up at those that they are for. */
static void carry_bundles(struct faults *faults, struct sim_machine *from, struct sim_machine *to, uint64_t value)
{
    struct sim_random random = {value};
    struct sticks_told told;
    int fresh = from == to ? -1 : sticks_write(faults->sticks, from, to, sim_below(&random, 4) == 0);
    bool at_once = sim_below(&random, 2) == 0;
    for (unsigned i = 0; at_once && i < sticks_parts(faults->sticks, fresh); i++)
        sticks_read(faults->sticks, fresh, i, to, &told);
    for (uint64_t i = sim_below(&random, 6); i > 0; i--) {
        int stick = sticks_newest(faults->sticks) - (int)sim_below(&random, STICKS_MAX);
        unsigned parts = sticks_parts(faults->sticks, stick);
        if (parts > 0)
            sticks_read(faults->sticks, stick, (unsigned)sim_below(&random, parts),
                        sticks_receiver(faults->sticks, stick), &told);
    }
}

/* ---- all of them ---- */

static void strike(struct faults *faults, const struct fault *fault)
{
    struct sim_machine *machine = faults->sim->machines[fault->machine];
    sim_say(faults->sim, "fault: %s of %s", fault_name(fault->type), machine->name);
    switch (fault->type) {
    case FAULT_CUT:
    case FAULT_ONE_WAY:
    case FAULT_HANG_UP:
    case FAULT_SLOW:
    case FAULT_LOSSY:
        spoil_network(faults, fault);
        break;
    case FAULT_KILL:
    case FAULT_CRASH:
    case FAULT_LOST_COMMITS:
    case FAULT_RESTART:
    case FAULT_REBOOT:
        end_process(faults, machine, fault);
        break;
    case FAULT_SNAPSHOT:
        sim_snapshot(machine, (unsigned)(fault->value % SLOTS));
        break;
    case FAULT_OLD_COPY:
    case FAULT_OLD_LOG:
    case FAULT_OLD_RECORDS:
    case FAULT_OLD_MEMORY:
        go_back(faults, machine, fault);
        break;
    case FAULT_CLONE:
        clone(faults, machine, fault);
        break;
    case FAULT_WIPE:
        wipe(faults, machine, fault);
        break;
    case FAULT_CLOCK_JUMP:
    case FAULT_CLOCK_STANDS:
    case FAULT_CLOCK_DRIFTS:
        set_clock(faults, machine, fault);
        break;
    case FAULT_DISK_FULL:
    case FAULT_DISK_FAILS:
        fill_disk(faults, machine, fault);
        break;
    case FAULT_PRUNE:
        prune(machine, fault);
        break;
    case FAULT_ROT:
    case FAULT_ROT_LOG:
        rot(faults, machine, fault);
        break;
    case FAULT_REVOKE:
        revoke(faults, machine);
        break;
    case FAULT_BUNDLE:
        carry_bundles(faults, machine, faults->sim->machines[fault->other], fault->value);
        break;
    case FAULT_BACKUP:
        back_up(faults, machine, fault);
        break;
    case FAULT_COUNT:
        break;
    }
}

/* ---- time ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t faults_due_ms(const struct faults *faults)
{
    uint64_t due = faults->next < faults->count && !faults->healed ? faults->plan[faults->next].at_ms : NEVER;
    for (unsigned i = 0; i < faults->sim->machine_count; i++) {
        due = least(due, least(faults->start_ms[i], faults->well_ms[i]));
        for (unsigned j = 0; j < faults->sim->machine_count; j++)
            due = least(due, faults->open_ms[i][j]);
    }
    return due;
}

/* A start may fail: a disk that is full, a store that has rotted. */
static void start_again(struct faults *faults, struct sim_machine *machine)
{
    faults->start_ms[machine->index] = NEVER;
    if (machine->life == SIM_STOPPED && sim_try_start(machine) != HS_OK) {
        if (faults->healed)
            sim_fail(faults->sim, "%s does not start any more", machine->name);
        start_later(faults, machine, 1000);
    }
}

void faults_step(struct faults *faults)
{
    uint64_t now = faults->sim->now_ms;
    for (unsigned i = 0; i < faults->sim->machine_count; i++) {
        if (faults->well_ms[i] <= now)
            make_well(faults, faults->sim->machines[i]);
        if (faults->start_ms[i] <= now)
            start_again(faults, faults->sim->machines[i]);
        for (unsigned j = 0; j < faults->sim->machine_count; j++) {
            if (faults->open_ms[i][j] <= now)
                mend_line(faults, i, j);
        }
    }
    while (!faults->healed && faults->next < faults->count && faults->plan[faults->next].at_ms <= now) {
        unsigned index = faults->next++;
        if (!faults->skipped[index])
            strike(faults, &faults->plan[index]);
    }
}

void faults_heal(struct faults *faults)
{
    faults->healed = true;
    for (unsigned i = 0; i < faults->sim->machine_count; i++) {
        struct sim_machine *machine = faults->sim->machines[i];
        make_well(faults, machine);
        machine->crash_at = 0;
        faults->loses_commits[i] = false;
        for (unsigned j = 0; j < faults->sim->machine_count; j++)
            mend_line(faults, i, j);
        if (machine->life == SIM_STOPPED)
            start_again(faults, machine);
    }
}
