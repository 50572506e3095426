/* main.c -- one run a seed: a region, a day's work, what goes wrong, and the auditor who watches.
 *
 *     hallsync-sim [--seed N | --first N --seeds N] [--verbose] ...
 *
 * tests/sim/run drives it: many seeds on all cores, and a failing one made smaller. */
#include "tests/sim/auditor.h"
#include "tests/sim/faults.h"
#include "tests/sim/keeper.h"
#include "tests/sim/workload.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAL_MS     180000 /* of virtual time, within which all must be equal */
#define CHECK_MS    997
#define SKIP_MAX    64
#define HALLS_MAX   4
#define SHORT_DAYS  4
#define YOUNG_SEEDS 150 /* by which mutations are measured: all stores are young there */

struct options {
    uint64_t first, seeds;
    uint64_t deeds; /* at most; 0: as drawn */
    unsigned halls; /* the same */
    uint64_t faults;
    bool no_faults, verbose, plan, figures;
    const char *history; /* a folder; NULL: none is written */
    unsigned skip[SKIP_MAX], skip_count;
};

struct run {
    const struct options *options;
    struct sim *sim;
    struct auditor *auditor;
    struct workload *workload;
    struct faults *faults;
    struct chronicle *chronicle;
    struct keeper keeper;
    uint64_t horizon_ms, settled_ms; /* the second: how long after healing all were equal */
};

/* ---- hooks ---- */

static void turned(void *ctx, struct sim_machine *machine)
{
    auditor_turned(((struct run *)ctx)->auditor, machine);
}

static void started(void *ctx, struct sim_machine *machine)
{
    auditor_started(((struct run *)ctx)->auditor, machine);
}

static void ended(void *ctx, struct sim_machine *machine, bool clean, enum hs_err err)
{
    struct run *run = ctx;
    (void)err;
    auditor_ended(run->auditor, machine, clean);
    faults_ended(run->faults, machine);
}

static void answered(void *ctx, struct sim_machine *machine, uint64_t client, struct hs_bytes reply)
{
    workload_answered(((struct run *)ctx)->workload, machine, client, reply);
}

static void sent(void *ctx, struct sim_machine *from, struct sim_machine *to, struct hs_bytes frame)
{
    auditor_sent(((struct run *)ctx)->auditor, from, to, frame);
}

static void logged(void *ctx, struct sim_machine *machine, const char *module, const char *event, const char *line)
{
    struct run *run = ctx;
    auditor_logged(run->auditor, machine, module, event, line);
    keeper_logged(&run->keeper, machine, event, line);
}

/* ---- a region ---- */

static const hs_partition DISTRICTS[] = {3201, 3202, 3203, 3204};

#define CITY_DISTRICTS 2

struct region {
    struct sim *sim;
    struct sim_random *random;
    struct sim_machine *hubs[2]; /* that halls dial */
    unsigned hub_count;
    bool tiers; /* each hub is a city's, below a province */
    bool plain; /* no tiers and no witnesses: what tests/system/audit.py reads knows of neither */
};

/* One or two hubs of everything, the second a peer of the first. */
static void make_hubs(struct region *region)
{
    region->hub_count = 1 + (unsigned)sim_below(region->random, 2);
    region->hubs[0] = sim_add(region->sim, "hub-1", HS_ROLE_HUB, DISTRICTS, 1, NULL, 0);
    if (region->hub_count == 2)
        region->hubs[1] = sim_add(region->sim, "hub-2", HS_ROLE_HUB, DISTRICTS, 1, region->hubs, 1);
}

/* A province above two cities of two districts each. */
static void make_tiers(struct region *region)
{
    struct sim_machine *province = sim_add(region->sim, "province", HS_ROLE_HUB, DISTRICTS, 1, NULL, 0);
    region->tiers = true;
    region->hub_count = 2;
    for (unsigned i = 0; i < region->hub_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "city-%u", i + 1);
        struct sim_plan plan = {
            .node_id = name,
            .role = HS_ROLE_HUB,
            .home = DISTRICTS[CITY_DISTRICTS * i],
            .districts = DISTRICTS + CITY_DISTRICTS * i,
            .district_count = CITY_DISTRICTS,
            .upstreams = {{province, NULL}},
            .upstream_count = 1,
        };
        region->hubs[i] = sim_add_as(region->sim, &plan);
    }
}

static void dial_hubs(struct region *region, unsigned city, struct sim_plan *plan)
{
    unsigned first = (unsigned)sim_below(region->random, region->hub_count);
    plan->upstream_count = region->tiers ? 1 : region->hub_count;
    for (unsigned i = 0; i < plan->upstream_count; i++)
        plan->upstreams[i].machine = region->hubs[region->tiers ? city : (first + i) % region->hub_count];
}

/* With one or two districts, some of them shared; some with a witness, which may dial hubs itself. */
static void make_hall(struct region *region, unsigned number)
{
    char name[24], beside[24];
    unsigned city = (unsigned)sim_below(region->random, CITY_DISTRICTS);
    unsigned first = region->tiers ? CITY_DISTRICTS * city : (unsigned)sim_below(region->random, 3);
    struct sim_plan hall = {.node_id = name, .role = HS_ROLE_HALL, .home = DISTRICTS[first]};
    hall.districts = DISTRICTS + first;
    hall.district_count = 1 + (size_t)sim_below(region->random, 2);
    dial_hubs(region, city, &hall);
    snprintf(name, sizeof name, "hall-%u", number);
    if (sim_below(region->random, 3) == 0 && !region->plain) {
        struct sim_plan witness = {.node_id = beside, .role = HS_ROLE_WITNESS, .home = hall.home};
        witness.districts = hall.districts;
        witness.district_count = 1;
        if (sim_below(region->random, 2) == 0)
            dial_hubs(region, city, &witness);
        snprintf(beside, sizeof beside, "witness-%u", number);
        hall.upstreams[hall.upstream_count++] = (struct sim_upstream){sim_add_as(region->sim, &witness), "witness"};
    }
    sim_add_as(region->sim, &hall);
}

static void make_region(struct run *run, struct sim_random *random)
{
    struct region region = {.sim = run->sim, .random = random, .plain = run->options->history != NULL};
    unsigned hall_count = 1 + (unsigned)sim_below(random, HALLS_MAX);
    if (run->options->halls != 0 && run->options->halls < hall_count)
        hall_count = run->options->halls;
    if (sim_below(random, 3) == 0 && !region.plain)
        make_tiers(&region);
    else
        make_hubs(&region);
    for (unsigned i = 0; i < hall_count; i++)
        make_hall(&region, i + 1);
}

static struct sim_options draw_options(const struct options *options, uint64_t seed, struct sim_random *random)
{
    struct sim_options drawn = {.seed = seed, .verbose = options->verbose, .accept_unknown_accounts = true};
    drawn.escalate_overdue = seed > YOUNG_SEEDS;
    drawn.heartbeat_ms = 500 << sim_below(random, 4);
    drawn.credit_kib = sim_below(random, 2) == 0 ? 512 : 128;
    drawn.accept_unknown_accounts = sim_below(random, 4) != 0;
    drawn.answer_lost = sim_below(random, 2) == 0 ? 0 : 30000;
    struct sim_random age = sim_random_of(seed, "age");
    drawn.age_ms = seed <= YOUNG_SEEDS || sim_below(&age, 2) == 0 ? 0 : SIM_OLD_MS;
    return drawn;
}

static void begin(struct run *run, const struct options *options, uint64_t seed)
{
    struct sim_random random = sim_random_of(seed, "region");
    struct sim_hooks hooks = {run, turned, started, ended, answered, sent, logged};
    struct sim_options drawn = draw_options(options, seed, &random);
    struct workload_knobs knobs;
    *run = (struct run){.options = options};
    run->sim = sim_new(&drawn, &hooks);
    if (run->sim == NULL)
        abort();
    run->auditor = auditor_new(run->sim);
    make_region(run, &random);
    workload_draw(&random, &knobs);
    if (options->history != NULL)
        knobs.weights[WORKLOAD_SAME_ID] = knobs.text_ids = 0; /* an id is one fact there, and 32 digits */
    knobs.deeds = options->deeds != 0 && options->deeds < knobs.deeds ? options->deeds : knobs.deeds;
    run->workload = workload_new(run->sim, run->auditor, &knobs);
    for (unsigned i = 0; i < run->sim->machine_count; i++) {
        if (run->sim->machines[i]->role != HS_ROLE_WITNESS)
            workload_join(run->workload, run->sim->machines[i]);
    }
    run->horizon_ms = 5000 << sim_below(&random, SHORT_DAYS);
    run->faults = faults_new(run->sim, run->auditor, run->workload, options->faults, run->horizon_ms);
    if (options->history != NULL)
        run->chronicle = chronicle_open(run->sim, options->history);
    workload_record(run->workload, run->chronicle);
    faults_record(run->faults, run->chronicle);
    for (unsigned i = 0; i < faults_planned(run->faults) && options->no_faults; i++)
        faults_skip(run->faults, i);
    for (unsigned i = 0; i < options->skip_count; i++)
        faults_skip(run->faults, options->skip[i]);
    if (options->plan) {
        char text[400];
        workload_describe(&knobs, text, sizeof text);
        printf("seed %" PRIu64 ": %u machines, %s, horizon %" PRIu64 " s\n", seed, run->sim->machine_count, text,
               run->horizon_ms / 1000);
        faults_print(run->faults);
    }
}

/* ---- time ---- */

/* Whatever is due first: somebody in the world, a client, a fault. */
static void step(struct run *run, uint64_t until_ms)
{
    uint64_t work_ms = workload_due_ms(run->workload), fault_ms = faults_due_ms(run->faults);
    uint64_t next_ms = work_ms < fault_ms ? work_ms : fault_ms;
    if (sim_step(run->sim, next_ms < until_ms ? next_ms : until_ms))
        return;
    if (fault_ms <= run->sim->now_ms)
        faults_step(run->faults);
    else if (work_ms <= run->sim->now_ms)
        workload_step(run->workload);
}

static void run_until(struct run *run, uint64_t until_ms)
{
    uint64_t check_ms = run->sim->now_ms + CHECK_MS;
    while (run->sim->now_ms < until_ms) {
        step(run, until_ms);
        if (run->sim->now_ms < check_ms)
            continue;
        auditor_check(run->auditor);
        check_ms = run->sim->now_ms + CHECK_MS;
    }
}

static void settle(struct run *run)
{
    char why[200] = "";
    uint64_t healed_ms = run->sim->now_ms, deadline_ms = healed_ms + HEAL_MS;
    faults_heal(run->faults);
    workload_stop(run->workload);
    run->keeper = keeper_of(run->sim);
    while (run->sim->now_ms < deadline_ms) {
        keeper_step(&run->keeper);
        run_until(run, run->sim->now_ms + 500);
        run->settled_ms = run->sim->now_ms - healed_ms;
        if (workload_over(run->workload) && auditor_settled(run->auditor, why))
            return;
    }
    sim_fail(run->sim, "invariant 7: not equal %u s after healing: %s", HEAL_MS / 1000,
             workload_over(run->workload) ? why : "a client is still not answered");
}

struct sum {
    uint64_t runs, machine_ms, deeds, ops, frames, commits;
};

static void run_seed(const struct options *options, uint64_t seed, struct sum *sum)
{
    struct run run;
    begin(&run, options, seed);
    for (unsigned i = 0; i < run.sim->machine_count; i++)
        sim_start(run.sim->machines[i]);
    run_until(&run, run.sim->now_ms + run.horizon_ms);
    settle(&run);
    auditor_check_end(run.auditor);
    chronicle_close(run.chronicle);
    struct auditor_figures figures = auditor_figures(run.auditor);
    sum->runs++;
    sum->machine_ms += run.sim->now_ms * run.sim->machine_count;
    sum->deeds += figures.acknowledged;
    sum->ops += figures.ops;
    sum->frames += run.sim->frames;
    sum->commits += run.sim->commits;
    if (options->figures)
        printf("seed %" PRIu64 " history %016" PRIx64 "%016" PRIx64 " equal %.1f s after healing\n", seed,
               run.sim->history[0], run.sim->history[1], (double)run.settled_ms / 1000);
    auditor_free(run.auditor);
    faults_free(run.faults);
    sim_free(run.sim);
    workload_free(run.workload);
}

/* ---- the command line ---- */

enum {
    KEY_FIRST = 256,
    KEY_SEEDS,
    KEY_SKIP,
    KEY_DEEDS,
    KEY_HALLS,
    KEY_FAULTS,
    KEY_NO_FAULTS,
    KEY_PLAN,
    KEY_FIGURES,
    KEY_HISTORY
};

static const struct argp_option OPTIONS[] = {
    {"seed", 's', "N", 0, "one run, of this seed", 0},
    {"first", KEY_FIRST, "N", 0, "the first of several", 0},
    {"seeds", KEY_SEEDS, "N", 0, "so many runs", 0},
    {"skip", KEY_SKIP, "N,...", 0, "faults of the plan that do not happen", 0},
    {"deeds", KEY_DEEDS, "N", 0, "at most so many", 0},
    {"halls", KEY_HALLS, "N", 0, "at most so many", 0},
    {"faults", KEY_FAULTS, "NAME,...", 0, "only such faults", 0},
    {"no-faults", KEY_NO_FAULTS, NULL, 0, "a good day", 0},
    {"plan", KEY_PLAN, NULL, 0, "print region, workload and faults", 0},
    {"figures", KEY_FIGURES, NULL, 0, "print a hash of each run's history: the same seed, the same hash", 0},
    {"history", KEY_HISTORY, "DIR", 0, "write what tests/system/audit.py reads", 0},
    {"verbose", 'v', NULL, 0, "print all that happens", 0},
    {0},
};

static uint64_t fault_types(struct argp_state *state, char *list)
{
    uint64_t types = 0;
    char *rest = NULL;
    for (char *name = strtok_r(list, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest)) {
        unsigned type = 0;
        while (type < FAULT_COUNT && strcmp(fault_name((enum fault_type)type), name) != 0)
            type++;
        if (type == FAULT_COUNT)
            argp_error(state, "no such fault: %s", name);
        types |= (uint64_t)1 << type;
    }
    return types;
}

static void take_skips(struct options *options, char *list)
{
    char *rest = NULL;
    for (char *one = strtok_r(list, ",", &rest); one != NULL && options->skip_count < SKIP_MAX;
         one = strtok_r(NULL, ",", &rest))
        options->skip[options->skip_count++] = (unsigned)strtoul(one, NULL, 10);
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 's':
    case KEY_FIRST:
        options->first = strtoull(value, NULL, 10);
        return 0;
    case KEY_SEEDS:
        options->seeds = strtoull(value, NULL, 10);
        return 0;
    case KEY_SKIP:
        take_skips(options, value);
        return 0;
    case KEY_DEEDS:
        options->deeds = strtoull(value, NULL, 10);
        return 0;
    case KEY_HALLS:
        options->halls = (unsigned)strtoul(value, NULL, 10);
        return 0;
    case KEY_FAULTS:
        options->faults = fault_types(state, value);
        return 0;
    case KEY_NO_FAULTS:
        options->no_faults = true;
        return 0;
    case KEY_PLAN:
        options->plan = true;
        return 0;
    case KEY_HISTORY:
        options->history = value;
        return 0;
    case KEY_FIGURES:
        options->figures = true;
        return 0;
    case 'v':
        options->verbose = options->plan = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp ARGP = {OPTIONS, parse, NULL, "Simulate a region of hallsync nodes.", NULL, NULL, NULL};
    struct options options = {.first = 1, .seeds = 1};
    struct sum sum = {0};
    argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    for (uint64_t i = 0; i < options.seeds; i++)
        run_seed(&options, options.first + i, &sum);
    printf("%" PRIu64 " runs from seed %" PRIu64 ": %.1f node-hours, %" PRIu64 " deeds acknowledged, %" PRIu64
           " operations, %" PRIu64 " frames, %" PRIu64 " commits: no violation\n",
           sum.runs, options.first, (double)sum.machine_ms / 3600000, sum.deeds, sum.ops, sum.frames, sum.commits);
    return 0;
}
