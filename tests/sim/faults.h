/* faults.h -- what goes wrong, and when: a plan drawn from the seed before the run begins, so that a run can be
 * repeated without some of it (tests/sim/run --shrink). */
#ifndef HS_SIM_FAULTS_H
#define HS_SIM_FAULTS_H

#include "tests/sim/auditor.h"
#include "tests/sim/workload.h"

/* X(fault, name, what happens) */
#define FAULTS(X)                                                                                     \
    X(CUT, "cut", "nothing goes between two machines for a time")                                     \
    X(ONE_WAY, "one-way", "nothing goes in one direction for a time")                                 \
    X(HANG_UP, "hang-up", "connections between two machines end")                                     \
    X(SLOW, "slow", "a line of 2 to 64 kbyte/s for a time")                                           \
    X(LOSSY, "lossy", "frames are lost, doubled and reordered for a time")                            \
    X(KILL, "kill", "kill -9, and a start later")                                                     \
    X(CRASH, "crash", "the process dies at its n-th commit, note, frame or answer from now")          \
    X(RESTART, "restart", "a clean stop and start")                                                   \
    X(REBOOT, "reboot", "power is lost: the continuity note is gone")                                 \
    X(SNAPSHOT, "snapshot", "somebody copies the data directory")                                     \
    X(OLD_COPY, "old-copy", "the directory as it was at a snapshot, and nobody knows")                \
    X(OLD_LOG, "old-log", "the disk has lied: the log alone is as at a snapshot")                     \
    X(OLD_RECORDS, "old-records", "the disk has lied: the records alone are as at a snapshot")        \
    X(LOST_COMMITS, "lost-commits", "a kill, and the disk has lost the last few commits before it")   \
    X(OLD_MEMORY, "old-memory", "a machine resumed with its memory: an origin forks")                 \
    X(CLONE, "clone", "a second machine with the same disk and keys")                                 \
    X(WIPE, "wipe", "the store is lost; keys remain, a new one is made")                              \
    X(CLOCK_JUMP, "clock-jump", "the wall clock goes to 1970, 2001 or 2090, or an hour off")          \
    X(CLOCK_STANDS, "clock-stands", "the wall clock stands still for a time")                         \
    X(CLOCK_DRIFTS, "clock-drifts", "the wall clock goes too fast or too slow")                       \
    X(DISK_FULL, "disk-full", "no space is free for a time")                                          \
    X(DISK_FAILS, "disk-fails", "commits fail for a time")                                            \
    X(ROT, "rot", "a bit turns in a record of a stopped machine")                                     \
    X(PRUNE, "prune", "operations other than money, older than a few seconds, become base states")    \
    X(ROT_LOG, "rot-log", "a bit turns in an operation or a receipt")                                 \
    X(REVOKE, "revoke", "the key of a hall is revoked at the first hub: it was stolen")               \
    X(BUNDLE, "bundle", "somebody carries bundles: new ones, old ones, twice, in part, in any order") \
    X(BACKUP, "backup", "a backup is made, or the machine restored from it")

enum fault_type {
#define X(fault, name, what) FAULT_##fault,
    FAULTS(X)
#undef X
        FAULT_COUNT
};
const char *fault_name(enum fault_type type);

struct fault {
    enum fault_type type;
    uint64_t at_ms;
    unsigned machine, other; /* indexes */
    uint32_t for_ms;
    uint64_t value;
};
#define FAULTS_DRAWN FAULT_REVOKE /* those before it are drawn one by one: plans of old seeds stay what they were */
#define FAULTS_MAX   48

struct faults;
/* @types: bit set of fault types that this run may have; 0: drawn from the seed as well.  @horizon_ms: none later. */
struct faults *faults_new(struct sim *sim, struct auditor *auditor, struct workload *workload, uint64_t types,
                          uint64_t horizon_ms);
void faults_record(struct faults *faults, struct chronicle *chronicle); /* NULL is fine */
void faults_free(struct faults *faults);
unsigned faults_planned(const struct faults *faults);
void faults_skip(struct faults *faults, unsigned index); /* of the plan; it does not happen */
void faults_print(const struct faults *faults);          /* the plan, one a line */
uint64_t faults_due_ms(const struct faults *faults);
void faults_step(struct faults *faults);                               /* what is due happens, restarts included */
void faults_ended(struct faults *faults, struct sim_machine *machine); /* a process died: it will be started again */
/* All is well from now on: lines, disks, clocks; everybody runs. */
void faults_heal(struct faults *faults);

#endif
