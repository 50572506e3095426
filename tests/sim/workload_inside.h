/* workload_inside.h -- what the files of the workload share. */
#ifndef HS_SIM_WORKLOAD_INSIDE_H
#define HS_SIM_WORKLOAD_INSIDE_H

#include "proto/local.pb-c.h"
#include "tests/sim/workload.h"

#define CLIENTS_MAX 64
#define POOL_MAX    256 /* deeds remembered of a type: the newest ones */

enum client_state {
    CLIENT_THINKS,
    CLIENT_LOOKS, /* has asked for a record or a conflict to see what is there */
    CLIENT_WAITS  /* for the answer to its deed */
};

#define OUTBOX_MAX 8

struct client {
    struct sim_machine *machine;
    struct deed
        *outbox[OUTBOX_MAX]; /* payments that were done, and that no hub has as far as it was told; oldest first */
    unsigned kept;
    enum client_state state;
    enum workload_action action; /* LOOKS: what for */
    struct deed *deed;           /* WAITS */
    uint8_t look_id[16];
    uint64_t due_ms; /* thinks: until then; else: patience ends */
    unsigned tries;
};

/* Deeds that were done, to be referred to by later ones. */
struct pool {
    const struct deed *deeds[POOL_MAX];
    uint64_t count; /* ever */
};

struct workload {
    struct sim *sim;
    struct auditor *auditor;
    struct chronicle *chronicle;
    struct workload_knobs knobs;
    struct sim_random random;
    struct client clients[CLIENTS_MAX];
    unsigned client_count;
    struct deed **deeds;
    uint64_t deed_count, deed_room;
    struct pool customers, bills, payments, tickets;
    hs_partition districts[16];
    unsigned district_count;
    uint64_t newer_pending;
    bool stopping;
    struct sim_random outbox; /* apart, so that whoever keeps none does as before */
    struct pool queued, slots, appointments;
    char closed[SIM_MACHINES_MAX][80]; /* the last close that a machine has told of */
    struct sim_random hall;            /* apart, too */
    unsigned halls;    /* millionths of the times between deeds at which a client does what a hall's day has besides */
    unsigned outboxes; /* millionths of the times between deeds at which a counter works at its outbox */
};

const struct deed *pool_any(struct workload *workload, const struct pool *pool); /* NULL: empty */
void pool_put(struct pool *pool, const struct deed *deed);

/* workload_deeds.c: a new deed, ready to be sent; NULL: there is nothing of the kind to do now.  @shown: the reply to
 * the look, or NULL. */
struct deed *workload_make(struct workload *workload, struct sim_machine *machine, enum workload_action action,
                           const Hallsync__Reply *shown);
/* The request that looks first, if the action needs it: encoded into @request with @id; false: no look. */
bool workload_look(struct workload *workload, struct sim_machine *machine, enum workload_action action,
                   const uint8_t id[static 16], struct hs_buf *request);
/* workload_hall.c: windows opened and closed, days closed, money handed in, queue, appointments, ratings.  As
 * workload_make. */
struct deed *workload_hall(struct workload *workload, struct sim_machine *machine);
/* workload_newer.c: hand the deed to the machine's writer; it tells the auditor itself. */
bool workload_write_newer(struct workload *workload, struct sim_machine *machine, struct deed *deed);

#endif
