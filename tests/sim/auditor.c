/* auditor.c -- the contract of auditor.h: machines followed, checks called, violations told. */

/* clang-format off */
/* Invariants, by their numbers in the project's design; from 20 on by our own:
 *
 *    1  what was acknowledged is in the committed log of who said so, at as many stores of hubs
 *       as was said, stays there, and is in the end at every full holder, once, with its bytes;   audit_deeds, _listing
 *       what a hub holds of it is known to be there where it was written                          audit_peers
 *    2  totals, accounts, days, bills and what does not add up: as the held operations make it    audit_money, _lists
 *    3  a record's state is what the held operations make, whatever their order; made anew it is
 *       the same; tickets, queue tickets and seats are as their events make them      audit_nodes, _tickets, _queue
 *    4  a value disappears only under a write whose author had it, with a stamp above its         audit_ops, _life
 *    5  no name of an operation has two contents, but where a fork is possible                    audit_ops
 *    6  receipt numbers are unique, and without gaps in their series                              audit_receipts
 *    7  after healing all that hold the same partition have equal digests                         audit_nodes
 *    8  damage is told of where it is, and nowhere else                                           auditor_logged
 *    9  closes name each receipt of their book once, with its sums; nothing is of a day behind its
 *       close; a hub says of a close what its own entries make of it                              audit_books
 *   12  frames, credit and the memory of sessions keep their bounds                               audit_wire, _nodes
 *   14  all nodes call the same operations void                                                   audit_lists
 *   15  heads and receipts name what is there, without a gap                                      audit_nodes, _peers
 *   16  who follows the change feed has the node's records                                        audit_feed
 *   18  nobody holds what is outside his scope                                                    audit_ops
 *   19  no write names what its origin has not signed                                             audit_ops
 *   20  a node opens a fresh origin only for a reason that it has                                 audit_life
 *   21  a node that was told of more of its origin than it has writes no more under it            audit_peers, _life
 *   22  who knows that a key is revoked takes nothing of it that no hub has had                audit_ops */
/* clang-format on */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_AT_ONCE 4

/* ---- saying what is wrong ---- */

void audit_fail(const struct auditor *auditor, enum audit_invariant invariant, const char *format, ...)
{
    char text[700];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sim_fail(auditor->sim, "invariant %d: %s", (int)invariant, text);
}

static char *next_text(size_t *room)
{
    static char texts[NAMES_AT_ONCE][320];
    static unsigned next;
    *room = sizeof texts[0];
    return texts[next++ % NAMES_AT_ONCE];
}

static bool is_plain(struct hs_bytes id)
{
    bool plain = true;
    for (size_t i = 0; i < id.size; i++)
        plain = plain && id.data[i] > ' ' && id.data[i] < 0x7f;
    return plain && id.size != 16;
}

const char *audit_name(const struct audit_record *record)
{
    static const char *const KINDS[] = {"",           "customer", "bill",   "payment",
                                        "cash entry", "reversal", "ticket", "ticket event"};
    char kind[24], partition[HS_PARTITION_TEXT_BYTES];
    size_t room;
    char *text = next_text(&room);
    snprintf(kind, sizeof kind, "record of kind %u", (unsigned)record->kind);
    int at = snprintf(text, room, "%s ", record->kind <= 7 ? KINDS[record->kind] : kind);
    if (is_plain(record->id))
        at += snprintf(text + at, room - (size_t)at, "%.*s", (int)record->id.size, (const char *)record->id.data);
    for (size_t i = 0; !is_plain(record->id) && i < record->id.size; i++)
        at += snprintf(text + at, room - (size_t)at, "%02x", record->id.data[i]);
    snprintf(text + at, room - (size_t)at, " in %s", hs_partition_text(record->partition, partition));
    return text;
}

const char *audit_op_name(const struct audit_op *op)
{
    char partition[HS_PARTITION_TEXT_BYTES];
    size_t room;
    char *text = next_text(&room);
    snprintf(text, room, "operation %" PRIu64 " of origin %016" PRIx64 " (%s) in %s lane %u", op->n,
             op->stream->name.origin, op->stream->author->id, hs_partition_text(op->stream->name.partition, partition),
             (unsigned)op->stream->name.lane);
    return text;
}

/* ---- memory ---- */

void *audit_new(struct auditor *auditor, size_t size)
{
    void *made = hs_arena_alloc(&auditor->arena, size == 0 ? 1 : size);
    if (made == NULL)
        sim_fail(auditor->sim, "the auditor is out of memory");
    return made;
}

struct hs_bytes audit_copy(struct auditor *auditor, struct hs_bytes bytes)
{
    uint8_t *copy = audit_new(auditor, bytes.size);
    if (bytes.size != 0)
        memcpy(copy, bytes.data, bytes.size);
    return HS_BYTES(copy, bytes.size);
}

struct hs_bytes audit_text(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

/* ---- machines ---- */

static struct audit_node *node_of(struct auditor *auditor, const struct sim_machine *machine)
{
    for (unsigned i = 0; i < auditor->node_count; i++) {
        if (strcmp(auditor->nodes[i]->id, machine->node_id) == 0)
            return auditor->nodes[i];
    }
    struct audit_node *node = audit_new(auditor, sizeof *node);
    snprintf(node->id, sizeof node->id, "%s", machine->node_id);
    node->role = machine->role;
    node->hub = machine->role == HS_ROLE_HUB;
    node->home = machine->certificate.home;
    node->number = auditor->node_count;
    auditor->nodes[auditor->node_count++] = node;
    return node;
}

struct audit_machine *audit_machine_of(struct auditor *auditor, const struct sim_machine *machine)
{
    struct audit_machine *own = &auditor->machines[machine->index];
    if (own->sim == NULL) {
        own->sim = (struct sim_machine *)(uintptr_t)machine;
        own->node = node_of(auditor, machine);
        own->bit = 1U << machine->index;
    }
    return own;
}

bool audit_watched(const struct audit_machine *machine)
{
    return machine->sim->life == SIM_RUNNING && machine->sim->daemon != NULL && !machine->damaged;
}

bool audit_belongs(const struct audit_machine *machine)
{
    return audit_watched(machine) && !machine->node->revoked;
}

bool audit_counts(const struct auditor *auditor, const struct audit_op *op)
{
    bool counts = !op->stream->author->revoked || op->released;
    for (unsigned i = 0; i < auditor->sim->machine_count && !counts; i++) {
        const struct audit_machine *machine = &auditor->machines[i];
        counts = machine->node->hub && audit_belongs(machine) && ((op->held | op->loose) & machine->bit) != 0;
    }
    return counts;
}

bool audit_holds(const struct audit_machine *machine, hs_partition partition)
{
    const struct hs_certificate *certificate = &machine->sim->certificate;
    bool holds = (machine->node->hub && machine->sim->scope_count == 0) || partition == HS_PARTITION_REGION;
    for (size_t i = 0; i < certificate->district_count && !holds; i++)
        holds = certificate->districts[i] == partition;
    for (size_t i = 0; i < machine->sim->scope_count && !holds; i++)
        holds = machine->sim->scope[i] == partition;
    return holds && machine->node->role != HS_ROLE_WITNESS;
}

/* What others write elsewhere lies at the hubs and witnesses of their home. */
bool audit_passes(const struct audit_machine *machine, const struct audit_node *author)
{
    const struct hs_certificate *certificate = &machine->sim->certificate;
    bool near = machine->node == author;
    if (machine->node->hub)
        near = near || audit_holds(machine, author->home);
    for (size_t i = 0; machine->node->role == HS_ROLE_WITNESS && i < certificate->district_count; i++)
        near = near || certificate->districts[i] == author->home;
    return near;
}

/* A damaged hub or witness goes on signing, and is not looked at. */
bool audit_at_hubs(const struct auditor *auditor, const struct audit_op *op, unsigned stores)
{
    bool unseen = false, witnessed = op->witnessed;
    for (unsigned i = 0; i < auditor->node_count; i++) {
        const struct audit_node *node = auditor->nodes[i];
        unseen = unseen || (node->hub && node->damaged);
        witnessed = witnessed || (node->role == HS_ROLE_WITNESS && node->damaged);
    }
    unsigned counted = op->hub_store_count + (op->hub_store_count > 0 && witnessed);
    return unseen || counted >= stores;
}

/* ---- following a log ---- */

struct following {
    struct auditor *auditor;
    struct audit_machine *machine;
    struct hs_txn *txn;
};

static enum hs_err visit(void *ctx, const struct hs_logged *logged)
{
    struct following *following = ctx;
    if (logged->state != NULL) {
        audit_blur(following->machine, logged->state->name.partition, logged->state->name.lane);
        following->machine->gained++;
        return HS_OK;
    }
    if (logged->evicted != NULL) {
        for (unsigned lane = HS_LANE_WORK; lane <= HS_LANE_BULK; lane++)
            audit_blur(following->machine, logged->evicted->partition, (uint8_t)lane);
        return HS_OK;
    }
    audit_gain(following->auditor, following->machine, following->txn, logged);
    return HS_OK;
}

static void note_totals(struct audit_machine *machine)
{
    uint64_t commit = machine->seen.commit;
    if (commit >= machine->history_room) {
        machine->history_room = machine->history_room == 0 ? 1024 : 2 * machine->history_room;
        machine->history_room = machine->history_room <= commit ? commit + 1 : machine->history_room;
        machine->history = realloc(machine->history, machine->history_room * sizeof *machine->history);
        if (machine->history == NULL)
            abort();
    }
    machine->history[commit] = machine->totals;
}

static void follow_to(struct auditor *auditor, struct audit_machine *machine, struct hs_txn *txn, uint64_t commit)
{
    struct following following = {auditor, machine, txn};
    enum hs_err err = HS_OK;
    if (machine->seen.commit == 0)
        audit_blur_folded(machine, txn); /* read anew: what was folded before is in no commit's list */
    note_totals(machine);
    while (machine->seen.commit < commit && err == HS_OK) {
        struct hs_position to = machine->seen;
        struct hs_log_span span = {machine->seen.commit, machine->seen.commit + 1, SIZE_MAX, NULL};
        err = hs_log_walk(txn, &span, visit, &following, &to);
        bool there = to.commit != machine->seen.commit;
        if (err == HS_OK && !there && to.commit < hs_log_folded(txn))
            to.commit++; /* it lists nothing any more */
        else if (err == HS_OK && !there)
            audit_fail(auditor, AUDIT_FRONTIER, "%s: commit %" PRIu64 " is missing; the last is %" PRIu64,
                       machine->sim->name, to.commit + 1, commit);
        machine->seen = to;
        note_totals(machine);
    }
    if (err != HS_OK)
        audit_fail(auditor, AUDIT_DAMAGE, "%s: commit %" PRIu64 " cannot be read: %s", machine->sim->name,
                   machine->seen.commit + 1, hs_err_name(err));
}

static enum hs_err visit_damaged(void *ctx, const struct hs_logged *logged)
{
    struct following *following = ctx;
    if (logged->state == NULL && logged->evicted == NULL)
        audit_learn(following->auditor, following->machine, following->txn, logged);
    return HS_OK;
}

/* Its disk may have been set back unseen; and what cannot be read of it is passed over. */
static void learn_to(struct auditor *auditor, struct audit_machine *machine, struct hs_txn *txn,
                     struct hs_position position)
{
    struct following following = {auditor, machine, txn};
    struct hs_position to;
    uint64_t after = hs_log_check_position(txn, &machine->seen) == HS_OK ? machine->seen.commit : 0;
    struct hs_log_span span = {after, position.commit, SIZE_MAX, NULL};
    (void)hs_log_walk(txn, &span, visit_damaged, &following, &to);
    machine->seen = position;
}

/* What it reads from now on it has taken knowing of these. */
static void note_revocations(const struct auditor *auditor, struct audit_machine *machine, struct hs_txn *txn)
{
    for (unsigned i = 0; i < auditor->sim->machine_count; i++) {
        const struct audit_machine *other = &auditor->machines[i];
        struct hs_bytes row;
        if (other->node != NULL && other->node->revoked &&
            hs_log_revocation(txn, &other->sim->certificate.node_key, &row) == HS_OK)
            machine->knows |= 1U << other->node->number;
    }
}

/* Only what the continuity note names counts as committed. */
void audit_follow(struct auditor *auditor, struct audit_machine *machine)
{
    if (machine->sim->daemon == NULL)
        return;
    struct hs_store *store = hs_daemon_store(machine->sim->daemon);
    struct hs_position position = hs_store_position(store);
    struct hs_txn txn;
    if (position.commit == machine->seen.commit && position.tag == machine->seen.tag)
        return;
    if (hs_txn_begin(hs_log_env(store->log), false, &txn) != HS_OK)
        return;
    if (machine->damaged)
        learn_to(auditor, machine, &txn, position);
    else
        follow_to(auditor, machine, &txn, position.commit);
    note_revocations(auditor, machine, &txn);
    hs_txn_abort(&txn);
}

/* What a process had when it was last looked at, the next one must have too. */
static void check_continuity(struct auditor *auditor, struct audit_machine *machine)
{
    struct hs_store *store = hs_daemon_store(machine->sim->daemon);
    struct hs_txn txn;
    if (machine->store_id == 0)
        machine->store_id = hs_store_id(store);
    /* One that was set back goes on as another store, and says so. */
    if (machine->node->may_renew && hs_store_renewed(store) != NULL)
        machine->store_id = hs_store_id(store);
    if (machine->store_id != hs_store_id(store))
        audit_fail(auditor, AUDIT_FACTS, "%s started with another store, and nobody changed its disk",
                   machine->sim->name);
    if (hs_txn_begin(hs_log_env(store->log), false, &txn) != HS_OK)
        return;
    enum hs_err err = hs_log_check_position(&txn, &machine->seen);
    hs_txn_abort(&txn);
    if (err != HS_OK)
        audit_fail(auditor, AUDIT_FACTS, "%s had commit %" PRIu64 " and has lost it: its log ends at %" PRIu64,
                   machine->sim->name, machine->seen.commit, hs_store_position(store).commit);
}

/* ---- told by who drives the run ---- */

struct auditor *auditor_new(struct sim *sim)
{
    struct auditor *auditor = calloc(1, sizeof *auditor);
    if (auditor == NULL)
        sim_fail(sim, "out of memory");
    auditor->sim = sim;
    hs_arena_init(&auditor->arena, 0);
    return auditor;
}

void auditor_free(struct auditor *auditor)
{
    for (unsigned i = 0; i < SIM_MACHINES_MAX; i++) {
        free(auditor->machines[i].history);
        audit_feed_free(&auditor->machines[i].feed);
        audit_map_fini(&auditor->machines[i].blurred);
    }
    audit_map_fini(&auditor->streams);
    audit_map_fini(&auditor->records);
    audit_map_fini(&auditor->names);
    audit_map_fini(&auditor->deeds);
    audit_map_fini(&auditor->receipts);
    free(auditor->ops);
    hs_arena_fini(&auditor->arena);
    free(auditor);
}

/* Everything that the machines' code would notice is switched off while the auditor reads. */
static struct sim_machine *step_aside(struct auditor *auditor)
{
    struct sim_machine *current = auditor->sim->current;
    auditor->sim->current = NULL;
    return current;
}

void auditor_turned(struct auditor *auditor, struct sim_machine *machine)
{
    struct audit_machine *own = audit_machine_of(auditor, machine);
    if (machine->life != SIM_RUNNING)
        return;
    struct sim_machine *current = step_aside(auditor);
    audit_follow(auditor, own);
    if (audit_watched(own))
        audit_money_turn(auditor, own);
    auditor->sim->current = current;
}

void auditor_started(struct auditor *auditor, struct sim_machine *machine)
{
    struct audit_machine *own = audit_machine_of(auditor, machine);
    if (own->damaged)
        return;
    struct sim_machine *current = step_aside(auditor);
    own->records_seen = 0;
    check_continuity(auditor, own);
    audit_life_begins(own);
    audit_follow(auditor, own);
    own->life.starting = false;
    auditor->sim->current = current;
}

void auditor_ended(struct auditor *auditor, struct sim_machine *machine, bool clean)
{
    (void)clean;
    audit_life_ends(auditor, audit_machine_of(auditor, machine));
}

void auditor_disk_changed(struct auditor *auditor, struct sim_machine *machine)
{
    struct audit_machine *own = audit_machine_of(auditor, machine);
    own->damaged = own->damaged || own->node->damaged; /* a copy may be of the damaged disk */
    if (own->damaged)
        return;
    audit_forget(auditor, own);
    audit_map_fini(&own->blurred);
    own->knows = 0;
    own->seen = (struct hs_position){0};
    own->store_id = 0;
    own->life = (struct audit_life){.set_back = true};
    own->node->may_renew = true;
}

void auditor_fork_possible(struct auditor *auditor, struct sim_machine *machine)
{
    audit_machine_of(auditor, machine)->node->fork_possible = true;
    audit_machine_of(auditor, machine)->node->may_renew = true;
}

void auditor_revoked(struct auditor *auditor, struct sim_machine *machine)
{
    audit_machine_of(auditor, machine)->node->revoked = true;
}

bool auditor_is_revoked(struct auditor *auditor, struct sim_machine *machine)
{
    return audit_machine_of(auditor, machine)->node->revoked;
}

void auditor_released(struct auditor *auditor, struct sim_machine *machine)
{
    const struct audit_node *node = audit_machine_of(auditor, machine)->node;
    for (size_t i = 0; i < auditor->op_count; i++)
        auditor->ops[i]->released = auditor->ops[i]->released || auditor->ops[i]->stream->author == node;
}

void auditor_damaged(struct auditor *auditor, struct sim_machine *machine)
{
    struct audit_machine *own = audit_machine_of(auditor, machine);
    own->damaged = own->node->damaged = own->node->may_renew = true;
}

/* The digests of two nodes may differ for good where a fork was: PROTOCOL.md 9.3. */
static bool may_differ(const struct auditor *auditor)
{
    bool may = false;
    for (unsigned i = 0; i < auditor->node_count; i++)
        may = may || auditor->nodes[i]->damaged;
    for (size_t i = 0; i < auditor->streams.count; i++)
        may = may || ((struct audit_stream *)auditor->streams.entries[i].value)->forked;
    return may;
}

void auditor_logged(struct auditor *auditor, struct sim_machine *machine, const char *module, const char *event,
                    const char *line)
{
    if (strcmp(module, "replica") == 0 && strcmp(event, "damage") == 0 && !may_differ(auditor))
        audit_fail(auditor, AUDIT_DAMAGE, "%s tells of damage where there is none: %s", machine->name, line);
}

/* ---- settled? ---- */

static bool needs(const struct audit_machine *machine, const struct audit_op *op)
{
    return audit_belongs(machine) && audit_holds(machine, op->stream->name.partition);
}

struct proof {
    const struct audit_stream *stream;
    bool found;
};

static enum hs_err visit_fork(void *ctx, const struct hs_stream *name, uint64_t n, struct hs_bytes proof)
{
    struct proof *wanted = ctx;
    (void)n;
    (void)proof;
    wanted->found = wanted->found || hs_stream_equal(name, &wanted->stream->name);
    return HS_OK;
}

static bool knows_fork(const struct audit_machine *machine, const struct audit_stream *stream)
{
    struct proof proof = {.stream = stream};
    struct hs_view *view;
    if (hs_view_open(hs_daemon_store(machine->sim->daemon), 0, 0, &view) != HS_OK)
        return false;
    enum hs_err err = hs_view_forks(view, visit_fork, &proof);
    hs_view_close(view);
    return err == HS_OK && proof.found;
}

/* Of one name two contents are held by machines that run: everybody must know the proof. */
static bool fork_settled(struct auditor *auditor, const struct audit_op *op, uint32_t running, char why[static 200])
{
    unsigned contents = 0;
    for (const struct audit_op *at = op->stream->ops[op->n - 1]; at != NULL; at = at->other)
        contents += ((at->held | at->loose) & running) != 0;
    for (unsigned i = 0; contents > 1 && i < auditor->sim->machine_count; i++) {
        const struct audit_machine *machine = &auditor->machines[i];
        if (needs(machine, op) && !knows_fork(machine, op->stream)) {
            snprintf(why, 200, "%s has no proof of the fork at %s", machine->sim->name, audit_op_name(op));
            return false;
        }
    }
    return true;
}

struct waiting {
    const struct audit_op *op;
    bool found;
};

static enum hs_err visit_waiting(void *ctx, const struct hs_healed *healed)
{
    struct waiting *waiting = ctx;
    waiting->found = waiting->found ||
                     (healed->state == HS_HEALING_WAITS && healed->store_id == 0 && healed->first <= waiting->op->n &&
                      hs_stream_equal(&healed->stream, &waiting->op->stream->name));
    return HS_OK;
}

/* It, or what its stream has before it, has rotted in that log and has not come again: nothing from there is sent. */
static bool waits_for(const struct audit_machine *machine, const struct audit_op *op)
{
    struct waiting waiting = {.op = op};
    struct hs_view *view;
    if (!machine->damaged || hs_view_open(hs_daemon_store(machine->sim->daemon), 0, 0, &view) != HS_OK)
        return false;
    enum hs_err err = hs_view_healed(view, visit_waiting, &waiting);
    hs_view_close(view);
    return err == HS_OK && waiting.found;
}

/* No hub has it sound, or would take it as state: each waits for it by number. */
static bool hubs_wait_for(const struct auditor *auditor, const struct audit_op *op)
{
    unsigned hubs = 0, waiting = 0;
    for (unsigned i = 0; i < auditor->sim->machine_count; i++) {
        const struct audit_machine *machine = &auditor->machines[i];
        if (!machine->node->hub || machine->sim->life != SIM_RUNNING || machine->sim->daemon == NULL)
            continue;
        hubs++;
        waiting += waits_for(machine, op);
    }
    return hubs > 0 && waiting == hubs;
}

static bool has_as_state(const struct audit_machine *machine, const struct audit_op *op)
{
    struct hs_head head = {.n = 0};
    struct hs_view *view;
    if (machine->sim->life != SIM_RUNNING || machine->sim->daemon == NULL ||
        hs_view_open(hs_daemon_store(machine->sim->daemon), 0, 0, &view) != HS_OK)
        return false;
    enum hs_err err = hs_view_head(view, &op->stream->name, &head);
    hs_view_close(view);
    return err == HS_OK && head.n >= op->n && !audit_in_log(machine, op);
}

/* A witness that dials no hub gives back to its hall, and that takes what is of its districts and not there yet: what
 * it has as state it does not ask for, and cannot give to a hub that waits for it by number (seed 270). */
static bool has_way_out(const struct auditor *auditor, const struct audit_machine *machine, const struct audit_op *op)
{
    bool out = machine->node->role != HS_ROLE_WITNESS || machine->sim->conf.upstreams_count > 0;
    for (unsigned i = 0; i < auditor->sim->machine_count && !out; i++)
        out = auditor->machines[i].node == op->stream->author &&
              audit_holds(&auditor->machines[i], op->stream->name.partition) &&
              !(has_as_state(&auditor->machines[i], op) && hubs_wait_for(auditor, op));
    return out;
}

/* Of a district that it does not hold a machine gives operations only: what it has pruned there, or as a witness let go
 * of, hubs had signed for, and have lost since.  So it is of all districts where hubs wait for it by number. */
static bool somebody_can_give(struct auditor *auditor, const struct audit_op *op)
{
    bool can = false;
    for (unsigned i = 0; i < auditor->sim->machine_count && !can; i++) {
        const struct audit_machine *machine = &auditor->machines[i];
        if (audit_belongs(machine) && ((op->held | op->loose) & machine->bit) != 0 && has_way_out(auditor, machine, op))
            can = (op->loose & machine->bit) != 0 || audit_in_log(machine, op) ||
                  (audit_holds(machine, op->stream->name.partition) && !hubs_wait_for(auditor, op));
    }
    return can;
}

/* Everything that some running machine holds is at all that must hold it. */
bool auditor_settled(struct auditor *auditor, char why[static 200])
{
    uint32_t running = 0;
    for (unsigned i = 0; i < auditor->sim->machine_count; i++) {
        struct audit_machine *machine = audit_machine_of(auditor, auditor->sim->machines[i]);
        running |= audit_belongs(machine) ? machine->bit : 0;
        if (audit_watched(machine))
            audit_heads_check(auditor, machine); /* what came as state counts from now on */
    }
    for (size_t i = 0; i < auditor->op_count; i++) {
        const struct audit_op *op = auditor->ops[i];
        uint32_t held = op->held | op->loose;
        for (unsigned j = 0; (held & running) != 0 && j < auditor->sim->machine_count; j++) {
            const struct audit_machine *machine = &auditor->machines[j];
            if ((held & machine->bit) != 0 || !needs(machine, op) || !audit_counts(auditor, op) ||
                !somebody_can_give(auditor, op))
                continue;
            snprintf(why, 200, "%s has not got %s%s", machine->sim->name, audit_op_name(op),
                     op->stream->forked ? " (forked)" : "");
            return false;
        }
        if (op->other != NULL && audit_counts(auditor, op) && !fork_settled(auditor, op, running, why))
            return false;
    }
    why[0] = '\0';
    return audit_levels_settled(auditor, why) && audit_books_settled(auditor, why);
}

/* ---- checks ---- */

static void check_machine(struct auditor *auditor, struct audit_machine *machine, bool whole)
{
    if (audit_watched(machine))
        audit_follow(auditor, machine);
    if (audit_watched(machine))
        audit_heads_check(auditor, machine);
    if (audit_watched(machine))
        audit_digests_check(auditor, machine);
    if (audit_watched(machine))
        audit_sessions_check(auditor, machine);
    if (audit_watched(machine) && machine->node->role != HS_ROLE_WITNESS)
        audit_money_check(auditor, machine, whole);
    if (whole || auditor->turn % auditor->sim->machine_count == machine->sim->index) {
        audit_listing_check(auditor, machine);
        audit_lists_check(auditor, machine);
    }
}

static void check_all(struct auditor *auditor, bool whole)
{
    for (unsigned i = 0; i < auditor->sim->machine_count; i++)
        check_machine(auditor, audit_machine_of(auditor, auditor->sim->machines[i]), whole);
}

void auditor_check(struct auditor *auditor)
{
    auditor->turn++;
    audit_wire_check(auditor);
    check_all(auditor, false);
    for (unsigned i = 0; i < auditor->sim->machine_count; i++)
        audit_feed_turn(auditor, audit_machine_of(auditor, auditor->sim->machines[i]));
}

/* Incremental is recomputed: the records are made anew from the log, and must be what they were. */
static void rebuild(struct auditor *auditor, struct audit_machine *machine)
{
    auditor->sim->current = machine->sim;
    enum hs_err err = hs_store_rebuild(hs_daemon_store(machine->sim->daemon));
    auditor->sim->current = NULL;
    if (err != HS_OK)
        audit_fail(auditor, AUDIT_STATE, "%s: its records cannot be made anew: %s", machine->sim->name,
                   hs_err_name(err));
    check_machine(auditor, machine, true);
}

void auditor_check_end(struct auditor *auditor)
{
    check_all(auditor, true);
    audit_nodes_equal(auditor);
    audit_deeds_check_end(auditor);
    audit_receipts_check_end(auditor);
    for (unsigned i = 0; i < auditor->sim->machine_count; i++) {
        struct audit_machine *machine = audit_machine_of(auditor, auditor->sim->machines[i]);
        audit_feed_check_end(auditor, machine);
        if (audit_watched(machine))
            rebuild(auditor, machine);
    }
}

struct auditor_figures auditor_figures(const struct auditor *auditor)
{
    return auditor->figures;
}
