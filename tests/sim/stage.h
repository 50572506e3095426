/* stage.h -- for scenarios: a world, its auditor, and clients that do one thing after the other and wait for the
 * answer. What is not expected ends the run by sim_fail. */
#ifndef HS_SIM_STAGE_H
#define HS_SIM_STAGE_H

#include "tests/sim/auditor.h"

#define STAGE_FRAME_TYPES 32 /* Hallsync__PeerType */

struct stage {
    struct sim *sim;
    struct auditor *auditor;
    struct sim_random random;
    struct deed **deeds;
    size_t deed_count;
    uint8_t asked[16]; /* the request that is waited for */
    bool answered;
    struct hs_buf reply;
    unsigned marks; /* events of the daemons' log seen: stage_seen */
    char watched[32];
    uint64_t frames[SIM_MACHINES_MAX][STAGE_FRAME_TYPES], bytes[SIM_MACHINES_MAX]; /* sent so far */
};

void stage_open(struct stage *stage, uint64_t seed, bool verbose);
/* Settles, checks all invariants, ends the world; answers how many virtual milliseconds it lasted. */
uint64_t stage_close(struct stage *stage);

/* The first machine must be a hub.  Started. */
struct sim_machine *stage_hub(struct stage *stage, const char *name, struct sim_machine *peer);
struct sim_machine *stage_hall(struct stage *stage, const char *name, hs_partition district, struct sim_machine *hub,
                               struct sim_machine *other_hub);

/* Any other one.  Started. */
struct sim_machine *stage_add(struct stage *stage, const struct sim_plan *plan);

/* ---- deeds; the stage owns them from here on ---- */

/* Sent until it is answered; an answer of error class other than input is no answer.  Fails after a virtual minute. */
struct deed_told stage_do(struct stage *stage, struct sim_machine *machine, struct deed *deed);
/* Sent once; the answer, if it comes within @ms; false: none. */
bool stage_try(struct stage *stage, struct sim_machine *machine, struct deed *deed, uint64_t ms,
               struct deed_told *told);
/* Done without error. */
const struct deed *stage_pay(struct stage *stage, struct sim_machine *machine, const char *id, const char *account,
                             int64_t amount_fen, const char *bill);
const struct deed *stage_name(struct stage *stage, struct sim_machine *machine, const char *account, const char *name);
/* The same under what a user was shown: NULL: nothing. */
const struct deed *stage_name_seen(struct stage *stage, struct sim_machine *machine, const char *account,
                                   const char *name, const Hallsync__Record *shown);
const struct deed *stage_bill(struct stage *stage, struct sim_machine *machine, const char *id, const char *account,
                              int64_t amount_fen);
const struct deed *stage_reverse(struct stage *stage, struct sim_machine *machine, const char *id,
                                 const struct deed *payment);
const struct deed *stage_ticket(struct stage *stage, struct sim_machine *machine, const char *id, const char *account);
const struct deed *stage_move(struct stage *stage, struct sim_machine *machine, const char *id,
                              const struct deed *ticket, const char *state);
void stage_resolve(struct stage *stage, struct sim_machine *machine, const char *type); /* the first of the type */
/* About the first of a type, at a hub: "release" or "reject". */
void stage_decide(struct stage *stage, struct sim_machine *hub, const char *type, const char *verdict);
void stage_expect(struct stage *stage, const struct deed_told *told, const char *error); /* "": done */
/* Past the service, as only a hostile or broken program would: committed when it returns.  Nobody is told of it. */
struct hs_dot stage_write(struct stage *stage, struct sim_machine *machine, const struct hs_draft *draft);

/* ---- faults, told to the auditor ---- */

/* Nothing passes between the two, and both are told; or everything again. */
void stage_part(struct stage *stage, struct sim_machine *a, struct sim_machine *b, bool part);
/* Killed, its disk set back, not started. */
void stage_set_back(struct stage *stage, struct sim_machine *machine, unsigned slot, struct sim_restore what);
/* As an old copy of the directory that somebody puts in place, started again. */
void stage_restore(struct stage *stage, struct sim_machine *machine, unsigned slot);
void stage_wipe(struct stage *stage, struct sim_machine *machine); /* killed, store lost, started again */

/* At a hub the node's key is revoked; or what waits of it released. */
void stage_revoke(struct stage *stage, struct sim_machine *hub, struct sim_machine *machine, bool by_root);
void stage_release(struct stage *stage, struct sim_machine *hub, struct sim_machine *machine);
/* What the hub says that waits of revoked nodes: payments. */
uint64_t stage_withheld(struct stage *stage, struct sim_machine *hub);

/* ---- looking ---- */

/* Asked and answered at once; freed with hallsync__reply__free_unpacked.  Fails if the reply is an error. */
Hallsync__Reply *stage_ask(struct stage *stage, struct sim_machine *machine, Hallsync__Request *request);
Hallsync__Reply *stage_get(struct stage *stage, struct sim_machine *machine, uint16_t kind, const char *id);
bool stage_has(struct stage *stage, struct sim_machine *machine, uint16_t kind, const char *id);
Hallsync__Reply *stage_status(struct stage *stage, struct sim_machine *machine);
/* The customer's name as shown; "": none. */
void stage_shown(struct stage *stage, struct sim_machine *machine, const char *account, char name[static 64]);
/* The ticket's state; "": no such ticket. */
void stage_state(struct stage *stage, struct sim_machine *machine, const char *ticket, char state[static 32]);
unsigned stage_safe(struct stage *stage, struct sim_machine *machine, uint16_t kind, const char *id); /* its level */
struct stage_totals {
    uint64_t count, reversed_count;
    int64_t sum_fen, reversed_fen;
} stage_totals(struct stage *stage, struct sim_machine *machine);
/* How many conflicts of a type ("field", "overpaid", "fork"...; NULL: all) it lists. */
size_t stage_conflicts(struct stage *stage, struct sim_machine *machine, const char *type);
/* The number of lives of the machine's node that its store knows, and the current origin as 16 hex digits ("": none).
 */
uint64_t stage_origins(struct stage *stage, struct sim_machine *machine, char origin[static 17]);
void stage_watch(struct stage *stage, const char *event); /* count this event of all logs from now on */
unsigned stage_seen(const struct stage *stage);

/* ---- time ---- */

void stage_run(struct stage *stage, uint64_t ms);
bool stage_settled(struct stage *stage, uint64_t within_ms);
void stage_settle(struct stage *stage); /* within five virtual minutes, or it fails */

#define STAGE_CHECK(stage, condition) \
    ((condition) ? (void)0 : sim_fail((stage)->sim, "%s:%d: %s", __FILE__, __LINE__, #condition))

#endif
