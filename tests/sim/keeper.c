/* keeper.c -- a hall that alone shows what all hubs have lost, and that is at a hub that must not take it so
 * (PROTOCOL.md 8.14), is kept from that one for a while: it goes to the next of its list, which may. */
#include "tests/sim/keeper.h"

#include <stdio.h>
#include <string.h>

#define LOOKS_MS 45000 /* after healing; the slowest runs are equal in half of that */
#define AWAY_MS  60000

struct keeper keeper_of(struct sim *sim)
{
    return (struct keeper){.sim = sim, .from_ms = sim->now_ms + LOOKS_MS};
}

static struct sim_machine *named_in(const struct sim *sim, const char *line)
{
    for (unsigned i = 0; i < sim->machine_count; i++) {
        char address[HS_ADDRESS_BYTES_MAX + 16];
        snprintf(address, sizeof address, "address=%s ", sim->machines[i]->address);
        if (strstr(line, address) != NULL)
            return sim->machines[i];
    }
    return NULL;
}

/* Noted only: this is in the middle of a turn. */
void keeper_logged(struct keeper *keeper, struct sim_machine *machine, const char *event, const char *line)
{
    if (keeper->sim == NULL || keeper->sim->now_ms < keeper->from_ms || strcmp(event, "fill-failed") != 0 ||
        strstr(line, "as state only") == NULL)
        return;
    const struct sim_machine *hall = named_in(keeper->sim, line);
    if (hall != NULL && hall->role == HS_ROLE_HALL && keeper->hub[hall->index] == NULL)
        keeper->hub[hall->index] = machine;
}

void keeper_step(struct keeper *keeper)
{
    struct sim *sim = keeper->sim;
    for (unsigned i = 0; i < sim->machine_count; i++) {
        struct sim_machine *hall = sim->machines[i], *hub = keeper->hub[i];
        if (hub != NULL && keeper->until_ms[i] == 0) {
            sim_say(sim, "%s is kept from %s", hall->name, hub->name);
            keeper->until_ms[i] = sim->now_ms + AWAY_MS;
            sim_part(hall, hub, true);
            sim_hang_up(hall, hub);
        } else if (hub != NULL && keeper->until_ms[i] <= sim->now_ms) {
            keeper->until_ms[i] = UINT64_MAX;
            sim_part(hall, hub, false);
        }
    }
}
