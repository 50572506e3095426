/* sim.h -- the simulator's world: whole nodes in one process, on one thread, from one seed.
 *
 * A machine runs the real daemon (service, writer, store on LMDB, replica and all between), but turn by turn, and its
 * doors to the outside are ours: the clock, chance, the network (node/link/link.h), the local socket
 * (node/service/socket.h), what is written to the disk (LMDB's commit, the continuity note) and how full it is.
 * doors.c lists them.  Time is virtual: it jumps to when something is due.
 *
 * The world knows nothing of what is asked of it (workload.h), of what must hold (auditor.h) or of what goes wrong when
 * (faults.h); it offers what can happen.  What cannot happen in a test ends the run by sim_fail. */
#ifndef HS_SIM_H
#define HS_SIM_H

#include "node/conf/conf.h"
#include "node/daemon/daemon.h"
#include "proto/msg/trust.h"

#define SIM_MACHINES_MAX  16
#define SIM_UPSTREAMS_MAX 4
#define SIM_SCOPE_MAX     8
#define SIM_SNAPSHOTS_MAX 5
#define SIM_PATH_BYTES    160
#define SIM_OLD_MS        (30 * 24 * 3600 * 1000ULL) /* of a store that is not young any more */
#define SIM_EPOCH_MS      1780272000000ULL           /* 2026-06-01 00:00 UTC: the wall clock at virtual time 0 */

struct sim;

/* ---- chance: one generator for each who draws, so that one who draws more does not change the others ---- */

struct sim_random {
    uint64_t state;
};
uint64_t sim_draw(struct sim_random *random);
uint64_t sim_below(struct sim_random *random, uint64_t bound);       /* bound > 0 */
bool sim_chance(struct sim_random *random, unsigned millionths);     /* so many times in a million */
struct sim_random sim_random_of(uint64_t seed, const char *purpose); /* independent of other purposes' */

/* ---- the network ---- */

/* How frames go from one machine to another; each direction has its own. */
struct sim_road {
    bool cut;                          /* nothing arrives, nobody is told */
    uint32_t delay_ms;                 /* at least */
    uint32_t jitter_ms;                /* more, by chance */
    uint32_t bytes_per_s;              /* 0: no limit */
    unsigned lost, doubled, reordered; /* millionths of the frames */
    uint64_t busy_until_us;            /* the throttled line */
};

struct sim_frame {
    struct sim_frame *next;
    uint64_t at_ms;
    struct hs_buf bytes;
};
/* A connection; end 0 has dialled. */
struct sim_connection {
    struct sim_connection *next;
    struct hs_link *end[2];      /* NULL: it has forgotten the connection */
    uint64_t peer[2];            /* as that end knows it */
    struct sim_frame *frames[2]; /* on their way to that end, by time */
    uint64_t up_ms[2];           /* when that end hears of it; UINT64_MAX: it has */
    uint64_t down_ms[2];         /* when it hears of the end; UINT64_MAX: not yet */
    size_t queued_bytes[2];
};

/* ---- machines ---- */

enum sim_life { SIM_STOPPED, SIM_RUNNING, SIM_DEAD /* by a crash, not yet swept up */ };

#define SIM_ROOMS 4

struct sim_machine {
    struct sim *sim;
    unsigned index;
    char name[HS_NODE_ID_BYTES_MAX + 1]; /* of this machine; a clone's differs from its node id */
    char node_id[HS_NODE_ID_BYTES_MAX + 1];
    enum hs_role role;
    char address[HS_ADDRESS_BYTES_MAX + 1];
    char dir[SIM_PATH_BYTES];   /* the data directory */
    char notes[SIM_PATH_BYTES]; /* its tmpfs */
    struct hs_conf conf;
    bool conf_loaded;
    hs_partition scope[SIM_SCOPE_MAX]; /* as configured; 0 entries: as the certificate says */
    size_t scope_count;
    enum sim_life life;
    bool is_checked;  /* its log has rotted once: from then on its checker takes turns */
    bool starts_anew; /* its rooms, when its turn is over */
    struct hs_daemon *daemon;
    struct hs_link *link;       /* of the running daemon */
    struct sim_socket *socket;  /* the same */
    uint64_t due_ms[SIM_ROOMS]; /* by enum hs_daemon_room */
    unsigned lives;             /* processes so far */
    struct hs_certificate certificate;

    int64_t clock_skew_ms;   /* wall clock minus the true one */
    int64_t clock_drift_ppm; /* how it moves */
    uint64_t clock_since_ms;
    int64_t clock_fixed_ms; /* it stands at this, -1: it goes */
    uint64_t disk_free_bytes;
    bool disk_full; /* commits fail */
    bool no_states; /* its records cannot be read to be sent, however long one waits */

    /* Outside effects of the process are counted: commits, notes, frames, answers.  crash_at: it dies at that one. */
    uint64_t effects, crash_at; /* 0: not armed */
    bool crash_after;           /* the effect itself still happens */

    bool has_rotted; /* a bit has turned on its disk, or on the one that it was cloned from */
    bool snapshot_taken[SIM_SNAPSHOTS_MAX];
};

/* ---- what the world tells ---- */

struct sim_hooks {
    void *ctx;
    /* A room of the machine has had its turn. */
    void (*turned)(void *ctx, struct sim_machine *machine);
    void (*started)(void *ctx, struct sim_machine *machine);
    /* A process has ended; @clean: it was stopped, else it died at an effect or by itself (@err). */
    void (*ended)(void *ctx, struct sim_machine *machine, bool clean, enum hs_err err);
    /* An answer has reached a client (its route as given to sim_ask). */
    void (*answered)(void *ctx, struct sim_machine *machine, uint64_t client, struct hs_bytes reply);
    /* A frame leaves a machine, before anything is lost. */
    void (*sent)(void *ctx, struct sim_machine *from, struct sim_machine *to, struct hs_bytes frame);
    void (*logged)(void *ctx, struct sim_machine *machine, const char *module, const char *event, const char *line);
};

struct sim_options {
    uint64_t seed;
    bool verbose;          /* everything that happens, on stdout */
    uint32_t heartbeat_ms; /* 0: 2000 */
    unsigned credit_kib;   /* 0: 512 */
    bool accept_unknown_accounts;
    bool escalate_overdue; /* scenarios tell of other things */
    unsigned answer_lost;  /* millionths of the answers that do not reach their client; of the requests too */
    uint64_t age_ms;       /* so long before the first turn stores were made: a young hub takes states from halls */
};

struct sim {
    struct sim_options options;
    struct sim_hooks hooks;
    uint64_t now_ms;           /* virtual, since the beginning */
    struct sim_random order;   /* whose turn it is among those that are due */
    struct sim_random network; /* delays and losses */
    struct sim_random entropy; /* what nodes draw: keys, tags, origins */
    struct sim_machine *machines[SIM_MACHINES_MAX];
    unsigned machine_count;
    struct sim_road roads[SIM_MACHINES_MAX][SIM_MACHINES_MAX]; /* [from][to] */
    struct sim_connection *connections;
    uint64_t next_peer;
    struct sim_machine *current; /* whose code runs: doors look here; NULL: ours */
    char base[SIM_PATH_BYTES];
    uint64_t turns, frames, frame_bytes, commits; /* figures */
    uint64_t history[2]; /* a running hash of all that left any machine: equal seeds, equal histories */
    unsigned keys_made;
};

/* ---- a world ---- */

struct sim *sim_new(const struct sim_options *options, const struct sim_hooks *hooks);
void sim_free(struct sim *sim);
/* Say what is wrong and end the run: seed, time, what.  Does not return. */
_Noreturn void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_say(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3))); /* if verbose */

struct sim_upstream {
    struct sim_machine *machine;
    const char *group; /* NULL: the ordinary one */
};
struct sim_plan {
    const char *node_id;
    const char *name; /* of the machine; NULL: as the node's id */
    enum hs_role role;
    hs_partition home;
    const hs_partition *districts; /* of the certificate; of a hub: the scope that it is given */
    size_t district_count;         /* of a hub 0: everything */
    struct sim_upstream upstreams[SIM_UPSTREAMS_MAX];
    size_t upstream_count;
};
/* The first machine must be a hub: it makes the region's keys and certifies the others.  Made, not started. */
struct sim_machine *sim_add_as(struct sim *sim, const struct sim_plan *plan);
/* The same for a hub of everything, and for a hall; @upstreams: machines that it dials, in order. */
struct sim_machine *sim_add(struct sim *sim, const char *node_id, enum hs_role role, const hs_partition *districts,
                            size_t district_count, struct sim_machine *const *upstreams, size_t upstream_count);
/* The node's disk as in a snapshot (or as it is now: -1) in another machine, with the same keys and upstreams. */
struct sim_machine *sim_clone(struct sim_machine *machine, int snapshot, const char *name);

/* ---- life and death ---- */

void sim_start(struct sim_machine *machine); /* a stopped one; a daemon that cannot start fails the run */
/* The same, but answers the error of a start that may fail. */
enum hs_err sim_try_start(struct sim_machine *machine);
void sim_stop(struct sim_machine *machine); /* as SIGTERM */
void sim_kill(struct sim_machine *machine); /* as kill -9, now; the continuity note stays */
void sim_crash_at(struct sim_machine *machine, uint64_t effects,
                  bool after);                /* ... at an effect from now on; 1: next */
void sim_reboot(struct sim_machine *machine); /* stopped: its tmpfs is empty afterwards */

/* ---- disks; of machines that are stopped, snapshots also of running ones ---- */

/* Files as a process that is killed now would leave them. */
void sim_snapshot(struct sim_machine *machine, unsigned slot);
struct sim_restore {
    bool log, records; /* which of the two stores goes back */
    bool notes;        /* the machine's memory too: continuity is proven falsely */
    bool same_files;   /* written into the same files, else they are new ones */
};
void sim_restore(struct sim_machine *machine, unsigned slot, struct sim_restore what);
void sim_wipe(struct sim_machine *machine); /* the store is gone, keys stay; the next start makes a new one */
/* All rows of the log of a machine that runs, as a backup has them; and a stopped one restored from that: another store
 * of the node.  The rows are freed by the caller. */
#define SIM_BACKUP_MAP_BYTES ((size_t)1 << 30)
void sim_backup(struct sim_machine *machine, struct hs_buf *rows);
void sim_restore_backup(struct sim_machine *machine, const struct hs_buf *rows);
/* One bit of a value of a table of one of the two stores ("log" or "records") turned, by chance; false: no such value.
 */
void sim_forget_records(struct sim_machine *machine); /* of a stopped one: they are to be made anew */
bool sim_rot(struct sim_machine *machine, const char *store, const char *table, struct sim_random *random);

/* Operations other than money that came before this (its wall clock) become base states, piece by piece, as far as a
 * hub has them; of a machine that runs. */
void sim_prune(struct sim_machine *machine, uint64_t before_ms);

/* ---- the network ---- */

void sim_cut(struct sim_machine *from, struct sim_machine *to, bool cut); /* one way */
void sim_part(struct sim_machine *a, struct sim_machine *b, bool cut);    /* both ways */
void sim_hang_up(struct sim_machine *a, struct sim_machine *b);           /* connections end, both ends are told */

/* ---- clients ---- */

/* A request on its way to a machine's local socket; the answer comes by the hook, if it comes.  Nobody listening: lost.
 */
void sim_ask(struct sim_machine *machine, uint64_t client, struct hs_bytes request);
/* The same without time, loss or other machines' turns: asked and answered at once, for who looks at a node from
 * outside. The reply is appended; false: the machine died of it. */
bool sim_ask_now(struct sim_machine *machine, struct hs_bytes request, struct hs_buf *reply);

/* At a hub that runs, and that has the region's issuer key or is given what the root key has signed, the key of a node
 * is revoked.  False: the hub did not do it. */
bool sim_revoke(struct sim_machine *hub, const struct sim_machine *machine, bool by_root);
/* ... and what waits of it counts nevertheless. */
bool sim_release(struct sim_machine *hub, const struct sim_machine *machine);

/* A job for the machine's writer, past the service; true: taken, done() will be called. */
bool sim_submit(struct sim_machine *machine, struct hs_job *job);

/* ---- time ---- */

uint64_t sim_wall_ms(const struct sim_machine *machine);
/* When something in the world is due next; UINT64_MAX: never. */
uint64_t sim_due_ms(const struct sim *sim);
/* One thing that is due happens (one room's turn); time goes on to it first, but not beyond @until_ms: false then. */
bool sim_step(struct sim *sim, uint64_t until_ms);
void sim_run(struct sim *sim, uint64_t ms); /* steps until so much time has gone by */

#endif
