/* doors.c -- every door through which a node's code reaches what is outside of it, taken over at link time
 * (-Wl,--wrap=NAME, see CMakeLists.txt); production code knows nothing of it.
 *
 *   clock_gettime                     the virtual clock; CLOCK_REALTIME with the machine's skew, drift or stop
 *   getrandom, libsodium's random     a generator from the seed
 *   mdb_txn_commit                    an effect: a crash may come before or after it; a full disk
 *   hs_note_write, hs_note_drop       the same
 *   statvfs                           how full the disk is
 *   pthread_cond_signal, eventfd_write  a room calls another: it is due
 *   hs_log                            to the world's hooks
 *   hs_view_states                    a node whose records are never ready to be sent
 *   hs_link_*, hs_socket_*            link.c, socket.c: the network, the local socket */
#include "tests/sim/inside.h"

#include "node/log/log.h"
#include "storage/log/continuity.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <time.h>

#define ROOM_DELAY_MS 1 /* a room that is called has its turn within so long: meanwhile more may gather for it */

struct sim *sim_world;

static struct sim_machine *current(void)
{
    return sim_world != NULL ? sim_world->current : NULL;
}

/* ---- effects ---- */

bool sim_effect(struct sim_machine *machine)
{
    if (machine == NULL)
        return true;
    if (machine->life == SIM_DEAD)
        return false;
    machine->effects++;
    if (machine->crash_at == 0 || machine->effects < machine->crash_at)
        return true;
    machine->life = SIM_DEAD;
    return machine->crash_after;
}

void sim_mix(struct sim *sim, struct hs_bytes bytes)
{
    uint8_t out[16];
    crypto_generichash(out, sizeof out, bytes.data, bytes.size, (const uint8_t *)sim->history, sizeof sim->history);
    memcpy(sim->history, out, sizeof out);
}

/* ---- the clock ---- */

int __real_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time);
int __wrap_clock_gettime(clockid_t clock, struct timespec *time)
{
    if (sim_world == NULL)
        return __real_clock_gettime(clock, time);
    uint64_t ms = clock != CLOCK_REALTIME      ? sim_world->now_ms
                  : sim_world->current == NULL ? SIM_EPOCH_MS + sim_world->now_ms
                                               : sim_wall_ms(sim_world->current);
    time->tv_sec = (time_t)(ms / 1000);
    time->tv_nsec = (long)(ms % 1000) * 1000000;
    return 0;
}

/* ---- chance ---- */

static void fill(void *to, size_t size)
{
    uint8_t *at = to;
    for (size_t done = 0; done < size; done += 8) {
        uint64_t drawn = sim_draw(&sim_world->entropy);
        memcpy(at + done, &drawn, size - done < 8 ? size - done : 8);
    }
}

ssize_t __real_getrandom(void *to, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *to, size_t size, unsigned flags)
{
    if (sim_world == NULL)
        return __real_getrandom(to, size, flags);
    fill(to, size);
    return (ssize_t)size;
}

static const char *chance_name(void)
{
    return "simulator";
}

static uint32_t chance_number(void)
{
    return (uint32_t)sim_draw(&sim_world->entropy);
}

static void chance_bytes(void *const to, const size_t size)
{
    fill(to, size);
}

static struct randombytes_implementation chance = {
    .implementation_name = chance_name, .random = chance_number, .buf = chance_bytes};

void sim_doors_open(struct sim *sim)
{
    sim_world = sim;
    randombytes_set_implementation(&chance);
    if (sodium_init() < 0)
        sim_fail(sim, "libsodium does not start");
    sim->entropy = sim_random_of(sim->options.seed, "entropy"); /* the first time, libsodium has drawn from it */
}

/* ---- the disk ---- */

int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
    struct sim_machine *machine = current();
    if (machine != NULL && machine->disk_full && machine->life == SIM_RUNNING) {
        mdb_txn_abort(txn);
        return ENOSPC;
    }
    if (!sim_effect(machine)) {
        mdb_txn_abort(txn);
        return EIO;
    }
    if (machine != NULL)
        machine->sim->commits++;
    return __real_mdb_txn_commit(txn);
}

enum hs_err __real_hs_note_write(struct hs_note *note, const struct hs_position *position, uint64_t origin);
enum hs_err __wrap_hs_note_write(struct hs_note *note, const struct hs_position *position, uint64_t origin);
enum hs_err __wrap_hs_note_write(struct hs_note *note, const struct hs_position *position, uint64_t origin)
{
    return sim_effect(current()) ? __real_hs_note_write(note, position, origin) : HS_EIO;
}

void __real_hs_note_drop(struct hs_note *note);
void __wrap_hs_note_drop(struct hs_note *note);
void __wrap_hs_note_drop(struct hs_note *note)
{
    if (sim_effect(current()))
        __real_hs_note_drop(note);
}

int __real_statvfs(const char *path, struct statvfs *disk);
int __wrap_statvfs(const char *path, struct statvfs *disk);
int __wrap_statvfs(const char *path, struct statvfs *disk)
{
    struct sim_machine *machine = current();
    if (machine == NULL)
        return __real_statvfs(path, disk);
    *disk = (struct statvfs){.f_frsize = 4096, .f_bavail = machine->disk_free_bytes / 4096};
    return 0;
}

/* ---- rooms that call each other ---- */

void sim_call_room(enum hs_daemon_room room)
{
    struct sim_machine *machine = current();
    if (machine == NULL)
        return;
    uint64_t at_ms = machine->sim->now_ms + sim_below(&machine->sim->order, ROOM_DELAY_MS + 1);
    if (machine->due_ms[room] > at_ms)
        machine->due_ms[room] = at_ms;
}

/* The writer's is the only condition that is signalled; the store's, for readers that wait, is broadcast. */
int __real_pthread_cond_signal(pthread_cond_t *condition);
int __wrap_pthread_cond_signal(pthread_cond_t *condition);
int __wrap_pthread_cond_signal(pthread_cond_t *condition)
{
    sim_call_room(HS_DAEMON_WRITER);
    return __real_pthread_cond_signal(condition);
}

int __real_eventfd_write(int fd, eventfd_t value);
int __wrap_eventfd_write(int fd, eventfd_t value);
int __wrap_eventfd_write(int fd, eventfd_t value)
{
    sim_call_room(HS_DAEMON_SERVICE);
    return sim_world == NULL ? __real_eventfd_write(fd, value) : 0;
}

/* ---- the log ---- */

void __wrap_hs_log(enum hs_log_level level, enum hs_log_event event, const struct hs_detail *fields, size_t count);
void __wrap_hs_log(enum hs_log_level level, enum hs_log_event event, const struct hs_detail *fields, size_t count)
{
    char line[400];
    const struct hs_log_row *row = hs_log_row(event);
    (void)level;
    hs_details_line(line, sizeof line, fields, count);
    struct sim_machine *machine = current();
    if (machine == NULL || machine->life != SIM_RUNNING)
        return;
    sim_say(machine->sim, "%s: %s %s %s", machine->name, row->module, row->event, line);
    if (machine->sim->hooks.logged != NULL)
        machine->sim->hooks.logged(machine->sim->hooks.ctx, machine, row->module, row->event, line);
}

/* ---- records ---- */

enum hs_err __real_hs_view_states(struct hs_view *view, hs_partition partition, uint8_t lane, struct hs_bytes after,
                                  size_t limit, struct hs_buf *body, struct hs_bytes *next, bool *last);
enum hs_err __wrap_hs_view_states(struct hs_view *view, hs_partition partition, uint8_t lane, struct hs_bytes after,
                                  size_t limit, struct hs_buf *body, struct hs_bytes *next, bool *last);
enum hs_err __wrap_hs_view_states(struct hs_view *view, hs_partition partition, uint8_t lane, struct hs_bytes after,
                                  size_t limit, struct hs_buf *body, struct hs_bytes *next, bool *last)
{
    const struct sim_machine *machine = current();
    if (machine != NULL && machine->no_states)
        return HS_EBUSY;
    return __real_hs_view_states(view, partition, lane, after, limit, body, next, last);
}
