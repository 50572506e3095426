/* backup.c -- a machine's backup, as node/backup makes one: all rows of one moment of its log, without the sealed file
 * around them; and the restore, which makes another store of the node. */
#include "tests/sim/inside.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum hs_err keep_row(void *ctx, const char *table, struct hs_bytes key, struct hs_bytes value)
{
    struct hs_buf *rows = ctx;
    hs_buf_put_sized(rows, HS_BYTES(table, strlen(table) + 1));
    hs_buf_put_sized(rows, key);
    hs_buf_put_sized(rows, value);
    return rows->err;
}

void sim_backup(struct sim_machine *machine, struct hs_buf *rows)
{
    struct hs_dump *dump = NULL;
    if (machine->life != SIM_RUNNING)
        sim_fail(machine->sim, "%s does not run", machine->name);
    machine->sim->current = machine;
    enum hs_err err = hs_dump_begin(hs_daemon_store(machine->daemon), &dump);
    if (err == HS_OK)
        err = hs_dump_rows(dump, keep_row, rows);
    hs_dump_end(dump);
    machine->sim->current = NULL;
    if (err != HS_OK)
        sim_fail(machine->sim, "%s: the backup: %s", machine->name, hs_err_name(err));
    sim_say(machine->sim, "%s: backup of %zu bytes", machine->name, rows->size);
}

static enum hs_err load(struct sim_machine *machine, const struct hs_buf *rows)
{
    struct hs_load_options options = {.dir = machine->dir, .map_bytes = SIM_BACKUP_MAP_BYTES};
    struct hs_load *load = NULL;
    struct hs_cur cur = hs_cur_of(hs_buf_bytes(rows));
    enum hs_err err = hs_load_begin(&options, &load, NULL);
    while (err == HS_OK && cur.left > 0) {
        struct hs_bytes table = hs_cur_sized(&cur), key = hs_cur_sized(&cur), value = hs_cur_sized(&cur);
        err = hs_load_row(load, (const char *)table.data, key, value);
    }
    if (err == HS_OK)
        return hs_load_end(load, NULL);
    hs_load_abort(load);
    return err;
}

/* Its keys lie there; as in a directory in which a restore was cut short. */
void sim_restore_backup(struct sim_machine *machine, const struct hs_buf *rows)
{
    char path[SIM_PATH_BYTES];
    if (machine->life != SIM_STOPPED)
        sim_fail(machine->sim, "%s is not stopped", machine->name);
    sim_path(path, machine->dir, "log");
    sim_remove(path);
    sim_path(path, machine->dir, "records");
    sim_remove(path);
    sim_path(path, machine->dir, "restoring");
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        sim_fail(machine->sim, "cannot write %s", path);
    close(fd);
    machine->sim->current = machine;
    machine->life = SIM_RUNNING;
    enum hs_err err = load(machine, rows);
    machine->life = SIM_STOPPED;
    machine->sim->current = NULL;
    if (err != HS_OK)
        sim_fail(machine->sim, "%s: the restore: %s", machine->name, hs_err_name(err));
    sim_say(machine->sim, "%s: restored from its backup", machine->name);
}
