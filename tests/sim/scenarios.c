/* scenarios.c -- tells all stories, or those named; each in a process of its own, so that one that fails does not end
 * the others. */
#include "tests/sim/scenarios.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct scenario *const LISTS[] = {
    SCENARIOS_ORIGINS, SCENARIOS_MERGE,  SCENARIOS_MONEY,  SCENARIOS_REPLICATION, SCENARIOS_TRUST,
    SCENARIOS_PEERS,   SCENARIOS_REGION, SCENARIOS_BOUNDS, SCENARIOS_BACKUP,      SCENARIOS_REVOKE,
    SCENARIOS_BUNDLES, SCENARIOS_DECIDE, SCENARIOS_BOOKS};
#define LIST_COUNT (sizeof LISTS / sizeof *LISTS)

/* ---- the cast ---- */

struct cast one_hub(struct stage *stage)
{
    struct cast cast = {.hub = stage_hub(stage, "hub-1", NULL)};
    cast.hall = stage_hall(stage, "hall-1", DISTRICT, cast.hub, NULL);
    cast.other_hall = stage_hall(stage, "hall-2", DISTRICT, cast.hub, NULL);
    stage_run(stage, 500);
    return cast;
}

struct cast two_hubs(struct stage *stage)
{
    struct cast cast = {.hub = stage_hub(stage, "hub-1", NULL)};
    cast.other_hub = stage_hub(stage, "hub-2", cast.hub);
    cast.hall = stage_hall(stage, "hall-1", DISTRICT, cast.hub, cast.other_hub);
    cast.other_hall = stage_hall(stage, "hall-2", DISTRICT, cast.other_hub, cast.hub);
    stage_run(stage, 500);
    return cast;
}

static const hs_partition HOME = DISTRICT;

struct sim_machine *witness_of(struct stage *stage, struct sim_machine *hub)
{
    return stage_add(stage, &(struct sim_plan){.node_id = "witness-1",
                                               .role = HS_ROLE_WITNESS,
                                               .home = HOME,
                                               .districts = &HOME,
                                               .district_count = 1,
                                               .upstreams = {{hub, NULL}},
                                               .upstream_count = 1});
}

struct sim_plan hall_beside(struct sim_machine *hub, struct sim_machine *witness)
{
    return (struct sim_plan){.node_id = "hall-1",
                             .role = HS_ROLE_HALL,
                             .home = HOME,
                             .districts = &HOME,
                             .district_count = 1,
                             .upstreams = {{hub, NULL}, {witness, "witness"}},
                             .upstream_count = 2};
}

void pay_many(struct stage *stage, struct sim_machine *machine, const char *prefix, unsigned count)
{
    for (unsigned i = 1; i <= count; i++) {
        char id[32];
        snprintf(id, sizeof id, "%s-%u", prefix, i);
        stage_pay(stage, machine, id, ACCOUNT, 100, "");
    }
}

void set_clock(struct sim_machine *machine, int64_t skew_ms)
{
    machine->clock_since_ms = machine->sim->now_ms;
    machine->clock_skew_ms = skew_ms;
}

/* ---- looking ---- */

bool has_payments(struct stage *stage, struct sim_machine *machine, uint64_t count)
{
    return stage_totals(stage, machine).count == count;
}

bool all_have_payments(struct stage *stage, uint64_t count)
{
    bool all = true;
    for (unsigned i = 0; i < stage->sim->machine_count; i++)
        all = all &&
              (stage->sim->machines[i]->life != SIM_RUNNING || has_payments(stage, stage->sim->machines[i], count));
    return all;
}

bool all_show(struct stage *stage, const char *account, const char *name)
{
    bool all = true;
    for (unsigned i = 0; i < stage->sim->machine_count; i++) {
        char shown[64];
        if (stage->sim->machines[i]->life != SIM_RUNNING)
            continue;
        stage_shown(stage, stage->sim->machines[i], account, shown);
        all = all && strcmp(shown, name) == 0;
    }
    return all;
}

size_t all_conflicts(struct stage *stage, const char *type)
{
    size_t count = 0;
    bool first = true;
    for (unsigned i = 0; i < stage->sim->machine_count; i++) {
        if (stage->sim->machines[i]->life != SIM_RUNNING)
            continue;
        size_t here = stage_conflicts(stage, stage->sim->machines[i], type);
        if (!first && here != count)
            sim_fail(stage->sim, "%s lists %zu conflicts of type %s, another machine %zu",
                     stage->sim->machines[i]->name, here, type, count);
        count = here;
        first = false;
    }
    return count;
}

uint64_t origins_of(struct stage *stage, struct sim_machine *machine)
{
    char origin[17];
    return stage_origins(stage, machine, origin);
}

void position_of(struct stage *stage, struct sim_machine *machine, Hallsync__Position *position)
{
    Hallsync__Reply *reply = stage_status(stage, machine);
    STAGE_CHECK(stage, reply->position != NULL);
    hallsync__position__init(position);
    position->commit = reply->position->commit;
    position->tag = reply->position->tag;
    hallsync__reply__free_unpacked(reply, NULL);
}

/* ---- running ---- */

struct options {
    bool verbose, list;
    uint64_t seed;
    char **names;
    int name_count;
};

static bool is_wanted(const struct options *options, const char *name)
{
    bool wanted = options->name_count == 0;
    for (int i = 0; i < options->name_count; i++)
        wanted = wanted || strcmp(options->names[i], name) == 0;
    return wanted;
}

_Noreturn static void tell(const struct scenario *scenario, const struct options *options)
{
    struct stage stage;
    stage_open(&stage, options->seed, options->verbose);
    scenario->tell(&stage);
    uint64_t ms = stage_close(&stage);
    printf("%-58s %6" PRIu64 ".%03u s  ok\n", scenario->name, ms / 1000, (unsigned)(ms % 1000));
    exit(0);
}

static bool tell_apart(const struct scenario *scenario, const struct options *options)
{
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        tell(scenario, options);
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("fork");
        return false;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        printf("%-58s           FAILED, seed %" PRIu64 "\n", scenario->name, options->seed);
        return false;
    }
    return true;
}

/* ---- the command line ---- */

static const struct argp_option OPTIONS[] = {
    {"list", 'l', NULL, 0, "print the names", 0},
    {"seed", 's', "N", 0, "of chance in the network and in turns (default: 1)", 0},
    {"verbose", 'v', NULL, 0, "print all that happens", 0},
    {0},
};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'l':
        options->list = true;
        return 0;
    case 's':
        options->seed = strtoull(value, NULL, 10);
        return 0;
    case 'v':
        options->verbose = true;
        return 0;
    case ARGP_KEY_ARGS:
        options->names = state->argv + state->next;
        options->name_count = state->argc - state->next;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp ARGP = {OPTIONS, parse, "[NAME...]", "Tell failure stories.", NULL, NULL, NULL};
    struct options options = {.seed = 1};
    int told = 0, failed = 0;
    argp_parse(&ARGP, argc, argv, 0, NULL, &options);
    for (size_t i = 0; i < LIST_COUNT; i++) {
        for (const struct scenario *at = LISTS[i]; at->name != NULL; at++) {
            if (!is_wanted(&options, at->name))
                continue;
            told++;
            if (options.list)
                puts(at->name);
            else
                failed += !tell_apart(at, &options);
        }
    }
    if (told == 0 || told < options.name_count) {
        fprintf(stderr, "no such scenario\n");
        return 2;
    }
    if (!options.list)
        printf("%d scenarios, %d failed\n", told, failed);
    return failed != 0;
}
