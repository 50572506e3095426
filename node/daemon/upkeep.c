#include "node/daemon/upkeep.h"

#include "node/log/log.h"

#include <time.h>

#define DAY_MS       (24 * 3600 * 1000ULL)
#define FIRST_MS     1000
#define PIECE_MS     100 /* from one piece to the next */
#define REST_MS      (60 * 1000)
#define PIECE_US_MAX 10000 /* of the writer's time, about: less than a sync takes on most disks */
#define BUDGET_FIRST 500
#define BUDGET_MIN   50
#define BUDGET_MAX   5000

static uint64_t clock_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* A slow disk gets small pieces. */
static void measure(struct hs_upkeeper *upkeeper, uint64_t took_us)
{
    if (took_us > PIECE_US_MAX)
        upkeeper->budget /= 2;
    else if (took_us < PIECE_US_MAX / 4)
        upkeeper->budget *= 2;
    upkeeper->budget = upkeeper->budget < BUDGET_MIN ? BUDGET_MIN : upkeeper->budget;
    upkeeper->budget = upkeeper->budget > BUDGET_MAX ? BUDGET_MAX : upkeeper->budget;
}

static enum hs_err run(struct hs_job *job, struct hs_store *store)
{
    struct hs_upkeeper *upkeeper = (struct hs_upkeeper *)job;
    uint64_t now_ms = clock_us(CLOCK_REALTIME) / 1000;
    uint64_t begun_us = clock_us(CLOCK_MONOTONIC);
    struct hs_upkeep upkeep = {
        .before_ms = now_ms > upkeeper->retention_ms ? now_ms - upkeeper->retention_ms : 0,
        .budget = upkeeper->budget,
    };
    bool more = false;
    enum hs_err err = hs_store_upkeep(store, &upkeep, &more);
    job->torn = err != HS_OK;
    upkeeper->chore.wait_ms = more ? PIECE_MS : REST_MS;
    if (more)
        measure(upkeeper, clock_us(CLOCK_MONOTONIC) - begun_us);
    return err;
}

static void done(struct hs_job *job, enum hs_err err, const struct hs_commit *commit)
{
    struct hs_upkeeper *upkeeper = (struct hs_upkeeper *)job;
    (void)commit;
    job->torn = false; /* it comes again */
    if (err == HS_OK)
        return;
    upkeeper->chore.wait_ms = REST_MS;
    if (err != HS_ESTOPPING)
        HS_LOG(UPKEEP_FAILED, HS_WORD("reason", hs_err_name(err)));
}

void hs_upkeeper_init(struct hs_upkeeper *upkeeper, unsigned retention_days)
{
    *upkeeper = (struct hs_upkeeper){
        .chore = {.job = {.run = run, .done = done}, .wait_ms = FIRST_MS},
        .retention_ms = retention_days * DAY_MS,
        .budget = BUDGET_FIRST,
    };
}
