/* audit_life.c -- how a node numbers and dates what it writes: a fresh origin only for a reason, none that it was told
 * to be behind in, and stamps above what they overwrite. */
#include "tests/sim/audit_inside.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define STRIKE_MS_MAX 2000 /* to store that an origin is struck out; what came before may be written first */

/* ---- reasons for a fresh origin ---- */

/* A file beside the note, which goes with the machine's memory and with nothing else. */
static void mark_path(const struct audit_machine *machine, char path[static SIM_PATH_BYTES + 8])
{
    snprintf(path, SIM_PATH_BYTES + 8, "%s/.lived", machine->sim->notes);
}

void audit_life_ends(struct auditor *auditor, struct audit_machine *machine)
{
    char path[SIM_PATH_BYTES + 8];
    mark_path(machine, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        sim_fail(auditor->sim, "cannot make %s", path);
    close(fd);
    machine->life.told_origin = 0; /* who did not store it has not heard it */
}

void audit_life_begins(struct audit_machine *machine)
{
    char path[SIM_PATH_BYTES + 8];
    mark_path(machine, path);
    machine->life.may_open |= access(path, F_OK) != 0;
    machine->life.starting = true;
}

/* One that lies may have told it anything. */
static bool any_damaged(const struct auditor *auditor)
{
    bool any = false;
    for (unsigned i = 0; i < auditor->node_count; i++)
        any = any || auditor->nodes[i]->damaged;
    return any;
}

/* An origin whose first commit was made and not noted is struck out, harmlessly: there is no note to go on from. */
static void check_origin(struct auditor *auditor, struct audit_machine *machine, const struct audit_op *op)
{
    struct audit_life *life = &machine->life;
    uint64_t origin = op->stream->name.origin;
    if (origin == life->origin)
        return;
    if (life->origin != 0 && !life->may_open && !life->set_back && !machine->node->fork_possible &&
        !any_damaged(auditor))
        audit_fail(auditor, AUDIT_ORIGINS,
                   "%s has opened origin %016" PRIx64 " behind %016" PRIx64
                   " although it has lost neither its disk nor its memory",
                   machine->sim->name, origin, life->origin);
    life->origin = origin;
    life->may_open = life->starting;
    life->told_origin = 0;
}

static void check_told(struct auditor *auditor, const struct audit_machine *machine, const struct audit_op *op)
{
    const struct audit_life *life = &machine->life;
    uint64_t ms = auditor->sim->now_ms - life->told_ms;
    if (life->told_origin != 0 && life->told_origin == op->stream->name.origin && ms > STRIKE_MS_MAX)
        audit_fail(auditor, AUDIT_SET_BACK, "%s wrote %s %" PRIu64 " ms after it was told of more of it than it has",
                   machine->sim->name, audit_op_name(op), ms);
}

/* ---- stamps ---- */

static hs_stamp highest_over(const struct auditor *auditor, const struct audit_machine *machine,
                             const struct audit_op *op)
{
    hs_stamp highest = 0;
    for (size_t i = 0; i < op->write_count; i++) {
        const struct audit_write *write = &op->writes[i];
        for (size_t j = 0; j < write->field_count; j++) {
            const struct audit_field *field = &write->fields[j];
            for (size_t k = 0; k < field->over_count; k++) {
                const struct audit_op *over = audit_op_find(auditor, write->record, &field->over[k], machine->bit);
                highest = over != NULL && over->stamp > highest ? over->stamp : highest;
            }
        }
    }
    return highest;
}

static void check_stamp(struct auditor *auditor, const struct audit_machine *machine, const struct audit_op *op)
{
    hs_stamp over = highest_over(auditor, machine, op);
    if (op->stamp <= over && over < HS_STAMP_MAX)
        audit_fail(auditor, AUDIT_CAUSALITY,
                   "%s gave %s the stamp %" PRIu64 ", and overwrote by it what has the stamp %" PRIu64,
                   machine->sim->name, audit_op_name(op), op->stamp, over);
}

void audit_life_wrote(struct auditor *auditor, struct audit_machine *machine, const struct audit_op *op)
{
    check_told(auditor, machine, op);
    check_origin(auditor, machine, op);
    if (!op->is_void)
        check_stamp(auditor, machine, op);
}
