/* disk.c -- data directories on a tmpfs: snapshots, restores, clones, losses, turned bits. */
#include "tests/sim/inside.h"

#include <dirent.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void sim_path(char to[static SIM_PATH_BYTES], const char *dir, const char *name)
{
    int size = snprintf(to, SIM_PATH_BYTES, "%s/%s", dir, name);
    if (size < 0 || size >= SIM_PATH_BYTES)
        sim_fail(sim_world, "path too long: %s/%s", dir, name);
}

void sim_make_dir(const char *path)
{
    if (mkdir(path, 0700) != 0 && access(path, W_OK) != 0)
        sim_fail(sim_world, "cannot make %s", path);
}

void sim_empty(const char *path)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return;
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char inner[SIM_PATH_BYTES];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        sim_path(inner, path, entry->d_name);
        sim_remove(inner);
    }
    closedir(dir);
}

void sim_remove(const char *path)
{
    sim_empty(path);
    remove(path);
}

/* ---- copies ---- */

static void copy_file(const char *from, const char *to, bool same_file)
{
    static uint8_t bytes[1 << 18];
    if (!same_file)
        unlink(to);
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (in < 0 || out < 0)
        sim_fail(sim_world, "cannot copy %s to %s", from, to);
    for (ssize_t size = read(in, bytes, sizeof bytes); size > 0; size = read(in, bytes, sizeof bytes)) {
        if (write(out, bytes, (size_t)size) != size)
            sim_fail(sim_world, "cannot write %s", to);
    }
    close(in);
    close(out);
}

static void copy_part(const char *from, const char *to, const char *part, bool same_files)
{
    char source[SIM_PATH_BYTES], target[SIM_PATH_BYTES], inner[SIM_PATH_BYTES];
    sim_path(target, to, part);
    sim_make_dir(target);
    sim_path(inner, target, "lock.mdb"); /* LMDB's own; of no process that is there */
    unlink(inner);
    sim_path(inner, target, "data.mdb");
    sim_path(target, from, part);
    sim_path(source, target, "data.mdb");
    if (access(source, R_OK) == 0)
        copy_file(source, inner, same_files);
    else
        unlink(inner);
}

void sim_copy_store(const char *from, const char *to, struct sim_restore what)
{
    sim_make_dir(to);
    if (what.log)
        copy_part(from, to, "log", what.same_files);
    if (what.records)
        copy_part(from, to, "records", what.same_files);
}

static void copy_folder(const char *from, const char *to)
{
    DIR *dir = opendir(from);
    sim_make_dir(to);
    sim_empty(to);
    for (struct dirent *entry = dir != NULL ? readdir(dir) : NULL; entry != NULL; entry = readdir(dir)) {
        char source[SIM_PATH_BYTES], target[SIM_PATH_BYTES];
        if (entry->d_name[0] == '.')
            continue;
        sim_path(source, from, entry->d_name);
        sim_path(target, to, entry->d_name);
        copy_file(source, target, true);
    }
    if (dir != NULL)
        closedir(dir);
}

/* ---- snapshots ---- */

static void snapshot_path(const struct sim_machine *machine, unsigned slot, const char *what, char path[SIM_PATH_BYTES])
{
    char name[64];
    snprintf(name, sizeof name, "%s.%s%u", machine->name, what, slot);
    sim_path(path, machine->sim->base, name);
}

void sim_snapshot(struct sim_machine *machine, unsigned slot)
{
    char path[SIM_PATH_BYTES];
    snapshot_path(machine, slot, "disk", path);
    sim_copy_store(machine->dir, path, (struct sim_restore){.log = true, .records = true});
    snapshot_path(machine, slot, "memory", path);
    copy_folder(machine->notes, path);
    machine->snapshot_taken[slot] = true;
    sim_say(machine->sim, "%s: snapshot %u", machine->name, slot);
}

static void restore_notes(struct sim_machine *machine, unsigned slot)
{
    char path[SIM_PATH_BYTES];
    snapshot_path(machine, slot, "memory", path);
    copy_folder(path, machine->notes);
}

void sim_restore(struct sim_machine *machine, unsigned slot, struct sim_restore what)
{
    char path[SIM_PATH_BYTES];
    if (machine->life != SIM_STOPPED || !machine->snapshot_taken[slot])
        sim_fail(machine->sim, "%s: nothing can be restored now", machine->name);
    snapshot_path(machine, slot, "disk", path);
    sim_copy_store(path, machine->dir, what);
    if (what.notes)
        restore_notes(machine, slot);
    sim_say(machine->sim, "%s: back to snapshot %u:%s%s%s", machine->name, slot, what.log ? " log" : "",
            what.records ? " records" : "", what.notes ? " memory" : "");
}

/* ---- turned bits ---- */

struct place {
    MDB_cursor *cursor;
    MDB_val key, value;
};

static bool go_to(struct place *place, uint64_t index)
{
    int code = mdb_cursor_get(place->cursor, &place->key, &place->value, MDB_FIRST);
    for (uint64_t i = 0; i < index && code == 0; i++)
        code = mdb_cursor_get(place->cursor, &place->key, &place->value, MDB_NEXT);
    return code == 0 && place->value.mv_size > 0;
}

static bool turn_bit(MDB_txn *txn, MDB_dbi table, struct sim_random *random)
{
    MDB_stat stat;
    struct place place = {0};
    uint8_t bytes[512];
    if (mdb_stat(txn, table, &stat) != 0 || stat.ms_entries == 0 || mdb_cursor_open(txn, table, &place.cursor) != 0)
        return false;
    bool found = go_to(&place, sim_below(random, stat.ms_entries)) && place.value.mv_size <= sizeof bytes;
    if (found) {
        uint64_t bit = sim_below(random, place.value.mv_size * 8);
        memcpy(bytes, place.value.mv_data, place.value.mv_size);
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        MDB_val rotten = {place.value.mv_size, bytes};
        found = mdb_cursor_put(place.cursor, &place.key, &rotten, MDB_CURRENT) == 0;
    }
    mdb_cursor_close(place.cursor);
    return found;
}

void sim_forget_records(struct sim_machine *machine)
{
    char path[SIM_PATH_BYTES];
    sim_path(path, machine->dir, "records/data.mdb");
    if (unlink(path) != 0)
        sim_fail(machine->sim, "%s: no records to forget", machine->name);
}

bool sim_rot(struct sim_machine *machine, const char *store, const char *table, struct sim_random *random)
{
    char path[SIM_PATH_BYTES];
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi handle;
    bool done = false;
    sim_path(path, machine->dir, store);
    if (mdb_env_create(&env) != 0)
        sim_fail(machine->sim, "out of memory");
    mdb_env_set_maxdbs(env, 64);
    mdb_env_set_mapsize(env, (size_t)1 << 34);
    if (mdb_env_open(env, path, 0, 0600) == 0 && mdb_txn_begin(env, NULL, 0, &txn) == 0) {
        done = mdb_dbi_open(txn, table, 0, &handle) == 0 && turn_bit(txn, handle, random) && mdb_txn_commit(txn) == 0;
        if (!done)
            mdb_txn_abort(txn);
    }
    mdb_env_close(env);
    machine->is_checked = machine->is_checked || strcmp(store, "log") == 0;
    machine->has_rotted = machine->has_rotted || done;
    sim_say(machine->sim, "%s: a bit has turned in %s/%s: %s", machine->name, store, table, done ? "yes" : "no value");
    return done;
}
