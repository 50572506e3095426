/* audit_ops.c -- the table of all operations: which contents there are, who holds them, who could know of what. */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define GROUPS_MAX 256 /* payments in which one operation has a part */

enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_ID = 1, NODE_ROLE = 2, ROLE_HUB = 2 };
enum { KIND_CUSTOMER = 1, KIND_PAYMENT = 3, KIND_REVERSAL = 5, KIND_TITLE_CHANGE = 8 };
enum { CUSTOMER_NAME = 2, TITLE_ACCOUNT = 2, TITLE_NAME = 4 };

/* ---- streams ---- */

static struct audit_node *author_of(struct auditor *auditor, struct hs_txn *txn, uint64_t origin)
{
    struct hs_bytes certificate, opening;
    if (hs_log_find_origin(txn, origin, &certificate, &opening) != HS_OK)
        return NULL;
    struct hs_bytes body = audit_tlv_find(audit_tlv_find(certificate, CERTIFICATE_NODE).data, SIGNED_BODY).data;
    struct hs_bytes id = audit_tlv_find(body, NODE_ID).data;
    for (unsigned i = 0; i < auditor->node_count; i++) {
        if (hs_bytes_equal(id, audit_text(auditor->nodes[i]->id)))
            return auditor->nodes[i];
    }
    return NULL;
}

struct audit_stream *audit_stream_find(const struct auditor *auditor, const struct hs_stream *name)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_stream_key(name, key);
    return audit_map_get(&auditor->streams, HS_BYTES(key, sizeof key));
}

static struct audit_stream *stream_of(struct auditor *auditor, const struct audit_machine *machine, struct hs_txn *txn,
                                      const struct hs_stream *name)
{
    uint8_t key[HS_STREAM_KEY_BYTES];
    hs_stream_key(name, key);
    void **place = audit_map_at(&auditor->streams, HS_BYTES(key, sizeof key));
    if (*place != NULL)
        return *place;
    struct audit_stream *stream = audit_new(auditor, sizeof *stream);
    stream->name = *name;
    stream->author = author_of(auditor, txn, name->origin);
    if (stream->author == NULL)
        audit_fail(auditor, AUDIT_FRONTIER, "%s holds operations of origin %016" PRIx64 " whose opening it has not",
                   machine->sim->name, name->origin);
    *place = stream;
    return stream;
}

static struct audit_op **place_of(struct auditor *auditor, struct audit_stream *stream, uint64_t n)
{
    if (n > stream->room) {
        uint64_t room = stream->room == 0 ? 8 : 2 * stream->room;
        while (room < n)
            room *= 2;
        struct audit_op **ops = audit_new(auditor, room * sizeof(struct audit_op *));
        if (stream->room != 0)
            memcpy(ops, stream->ops, stream->room * sizeof(struct audit_op *));
        stream->ops = ops;
        stream->room = room;
    }
    return &stream->ops[n - 1];
}

struct audit_op *audit_held_at(const struct audit_stream *stream, uint64_t n, uint32_t bit)
{
    struct audit_op *op = n >= 1 && n <= stream->room ? stream->ops[n - 1] : NULL;
    while (op != NULL && (op->held & bit) == 0)
        op = op->other;
    return op;
}

struct audit_op *audit_op_find(const struct auditor *auditor, const struct audit_record *record,
                               const struct hs_dot *dot, uint32_t bit)
{
    struct hs_stream name = {.origin = dot->origin, .partition = record->partition, .lane = record->lane};
    struct audit_stream *stream = audit_stream_find(auditor, &name);
    return stream != NULL ? audit_held_at(stream, dot->n, bit) : NULL;
}

struct audit_op *audit_op_seen(const struct auditor *auditor, const struct audit_record *record,
                               const struct hs_dot *dot)
{
    struct hs_stream name = {.origin = dot->origin, .partition = record->partition, .lane = record->lane};
    const struct audit_stream *stream = audit_stream_find(auditor, &name);
    return stream != NULL && dot->n >= 1 && dot->n <= stream->room ? stream->ops[dot->n - 1] : NULL;
}

/* ---- records ---- */

struct audit_record *audit_named(const struct auditor *auditor, uint16_t kind, struct hs_bytes id)
{
    uint8_t name[2 + HS_RECORD_ID_BYTES_MAX];
    if (id.size > HS_RECORD_ID_BYTES_MAX)
        return NULL;
    hs_be16(name, kind);
    memcpy(name + 2, id.data, id.size);
    return audit_map_get(&auditor->names, HS_BYTES(name, 2 + id.size));
}

static void put_by_name(struct auditor *auditor, struct audit_record *record)
{
    uint8_t name[2 + HS_RECORD_ID_BYTES_MAX];
    hs_be16(name, record->kind);
    memcpy(name + 2, record->id.data, record->id.size);
    struct audit_record **at = (struct audit_record **)audit_map_at(&auditor->names,
                                                                    HS_BYTES(name, 2 + record->id.size));
    while (*at != NULL && (*at)->partition < record->partition)
        at = &(*at)->same_name;
    record->same_name = *at;
    *at = record;
}

struct audit_record *audit_record(struct auditor *auditor, const struct hs_stream *stream, uint16_t kind,
                                  struct hs_bytes id)
{
    uint8_t key[5 + HS_RECORD_ID_BYTES_MAX];
    hs_be16(key, stream->partition);
    key[2] = stream->lane;
    hs_be16(key + 3, kind);
    memcpy(key + 5, id.data, id.size);
    void **place = audit_map_at(&auditor->records, HS_BYTES(key, 5 + id.size));
    if (*place != NULL)
        return *place;
    struct audit_record *record = audit_new(auditor, sizeof *record);
    *place = record;
    record->key = audit_copy(auditor, HS_BYTES(key, 5 + id.size));
    record->partition = stream->partition;
    record->lane = stream->lane;
    record->kind = kind;
    record->id = HS_BYTES(record->key.data + 5, id.size);
    record->writes_end = &record->writes;
    put_by_name(auditor, record);
    return record;
}

/* ---- a new operation ---- */

/* What lies behind is not held where a stream begins later, or came as state: only its hash is there. */
static bool hash_behind(struct hs_txn *txn, const struct audit_op *op, struct hs_hash *hash)
{
    struct hs_log_reader reader = {txn, NULL};
    return op->n > 1 && hs_log_hash_at(&reader, &op->stream->name, op->n - 1, hash) == HS_OK;
}

static void reckon_chain(struct audit_op *op, struct hs_txn *txn, uint32_t bit)
{
    static const char DOMAIN[] = "hallsync chain 1"; /* with its zero */
    const struct audit_op *before = audit_held_at(op->stream, op->n - 1, bit);
    uint8_t key[HS_STREAM_KEY_BYTES];
    struct hs_hash last;
    crypto_generichash_state state;
    if (before != NULL) {
        last = before->chain;
    } else if (!hash_behind(txn, op, &last)) {
        hs_stream_key(&op->stream->name, key);
        crypto_generichash_init(&state, NULL, 0, sizeof last.bytes);
        crypto_generichash_update(&state, (const uint8_t *)DOMAIN, sizeof DOMAIN);
        crypto_generichash_update(&state, key, sizeof key);
        crypto_generichash_final(&state, last.bytes, sizeof last.bytes);
    }
    crypto_generichash_init(&state, NULL, 0, sizeof last.bytes);
    crypto_generichash_update(&state, last.bytes, sizeof last.bytes);
    crypto_generichash_update(&state, op->bytes.data, op->bytes.size);
    crypto_generichash_final(&state, op->chain.bytes, sizeof op->chain.bytes);
}

/* A write may name only what its author had: else a value would disappear that nobody has seen. */
static void check_causality(struct auditor *auditor, const struct audit_machine *machine,
                            const struct audit_write *write)
{
    for (size_t i = 0; i < write->field_count; i++) {
        const struct audit_field *field = &write->fields[i];
        for (size_t j = 0; j < field->over_count; j++) {
            const struct hs_dot *dot = &field->over[j];
            bool blurred = audit_is_blurred(machine, write->record->partition, write->record->lane);
            const struct audit_op *over = blurred ? audit_op_seen(auditor, write->record, dot)
                                                  : audit_op_find(auditor, write->record, dot, machine->bit);
            bool named = false;
            for (size_t k = 0; over != NULL && k < over->write_count; k++) {
                const struct audit_write *other = &over->writes[k];
                for (size_t l = 0; other->record == write->record && l < other->field_count; l++)
                    named = named || other->fields[l].number == field->number;
            }
            if (!named)
                audit_fail(auditor, AUDIT_CAUSALITY,
                           "%s wrote field %u of %s and overwrote the value of operation %" PRIu64
                           " of origin %016" PRIx64 ", which it %s",
                           machine->sim->name, (unsigned)field->number, audit_name(write->record), dot->n, dot->origin,
                           over == NULL ? "did not hold then" : "held, but which does not write that field");
        }
    }
}

/* A payment that the writer's own store has already must not be written again. */
static void check_once(struct auditor *auditor, const struct audit_machine *machine, const struct audit_write *write)
{
    uint16_t kind = write->record->kind;
    if (!write->is_fact || (kind != KIND_PAYMENT && kind != KIND_REVERSAL))
        return;
    for (const struct audit_record *record = audit_named(auditor, kind, write->record->id); record != NULL;
         record = record->same_name) {
        for (const struct audit_write *other = record->writes; other != NULL; other = other->next) {
            if (other != write && audit_fact_held(other, machine->bit))
                audit_fail(auditor, AUDIT_FACTS, "%s wrote %s although it held it already, from %s", machine->sim->name,
                           audit_name(write->record), audit_op_name(other->op));
        }
    }
}

/* Nor a payment reversed whose reversal is there: money would come out of the drawer twice. */
static void check_not_reversed(struct auditor *auditor, const struct audit_machine *machine,
                               const struct audit_write *write)
{
    if (!write->is_fact || write->record->kind != KIND_REVERSAL)
        return;
    const struct audit_record *payment = audit_payment_named(auditor, write->record, write->fact);
    for (const struct audit_list *at = payment != NULL ? payment->reversals : NULL; at != NULL; at = at->next) {
        if (at->record != write->record && audit_reversed(auditor, at->record, machine->bit) == payment)
            audit_fail(auditor, AUDIT_MONEY, "%s reversed %s although it held %s", machine->sim->name,
                       audit_name(payment), audit_name(at->record));
    }
}

/* A title changes hands in one operation: the change, and the customer's new name. */
static void check_title(struct auditor *auditor, const struct audit_machine *machine, const struct audit_write *write)
{
    bool found = false;
    if (!write->is_fact || write->record->kind != KIND_TITLE_CHANGE)
        return;
    struct hs_bytes account = audit_tlv_find(write->fact, TITLE_ACCOUNT).data;
    struct hs_bytes name = audit_tlv_find(write->fact, TITLE_NAME).data;
    for (size_t i = 0; i < write->op->write_count; i++) {
        const struct audit_write *other = &write->op->writes[i];
        bool of_it = other->record->kind == KIND_CUSTOMER && hs_bytes_equal(other->record->id, account);
        for (size_t j = 0; of_it && j < other->field_count; j++)
            found = found || (other->fields[j].number == CUSTOMER_NAME &&
                              hs_bytes_equal(audit_tlv_find(other->fields[j].value, CUSTOMER_NAME).data, name));
    }
    if (!found)
        audit_fail(auditor, AUDIT_STATE, "%s wrote %s without the customer's new name beside it", machine->sim->name,
                   audit_name(write->record));
}

static void check_new(struct auditor *auditor, const struct audit_machine *machine, const struct audit_op *op)
{
    for (size_t i = 0; !op->is_void && i < op->write_count; i++) {
        check_causality(auditor, machine, &op->writes[i]);
        check_once(auditor, machine, &op->writes[i]);
        check_not_reversed(auditor, machine, &op->writes[i]);
        check_title(auditor, machine, &op->writes[i]);
        audit_books_wrote(auditor, machine, &op->writes[i]);
    }
}

static void keep_op(struct auditor *auditor, struct audit_op *op)
{
    if (auditor->op_count == auditor->op_room) {
        auditor->op_room = auditor->op_room == 0 ? 1024 : 2 * auditor->op_room;
        auditor->ops = realloc(auditor->ops, auditor->op_room * sizeof(struct audit_op *));
        if (auditor->ops == NULL)
            abort();
    }
    auditor->ops[auditor->op_count++] = op;
    auditor->figures.ops++;
}

static void check_fork(struct auditor *auditor, const struct audit_machine *machine, struct audit_op *op)
{
    if (op->other == NULL)
        return;
    if (!op->stream->author->fork_possible)
        audit_fail(auditor, AUDIT_ONE_CONTENT,
                   "%s: two contents under one name; %s has another one than was seen before", audit_op_name(op),
                   machine->sim->name);
    auditor->figures.forks += !op->stream->forked;
    op->stream->forked = true;
}

/* Of what nobody had before: of a node that is not looked at, another machine may have written it. */
static bool is_writer(const struct audit_machine *machine, const struct audit_stream *stream)
{
    return machine->node == stream->author && !machine->node->damaged;
}

static struct audit_op *new_op(struct auditor *auditor, struct audit_machine *machine, struct hs_txn *txn,
                               struct audit_stream *stream, const struct hs_logged *logged)
{
    struct audit_op **place = place_of(auditor, stream, logged->n);
    struct audit_op *op = audit_new(auditor, sizeof *op);
    op->stream = stream;
    op->n = logged->n;
    op->bytes = audit_copy(auditor, logged->bytes);
    op->other = *place;
    *place = op;
    check_fork(auditor, machine, op);
    if (machine->node != stream->author && !stream->author->damaged)
        audit_fail(auditor, AUDIT_ONE_CONTENT, "%s is at %s, but %s, which must have written it, never had it",
                   audit_op_name(op), machine->sim->name, stream->author->id);
    op->is_void = !audit_decode(auditor, op, stream->author->hub);
    if (op->is_void)
        op->write_count = 0;
    if (!logged->loose)
        reckon_chain(op, txn, machine->bit);
    if (machine->node == stream->author && !machine->damaged)
        check_new(auditor, machine, op);
    if (is_writer(machine, stream))
        audit_life_wrote(auditor, machine, op);
    keep_op(auditor, op);
    return op;
}

/* ---- who holds it ---- */

static void check_scope(struct auditor *auditor, const struct audit_machine *machine, const struct audit_stream *stream)
{
    char partition[HS_PARTITION_TEXT_BYTES];
    if (!audit_holds(machine, stream->name.partition) && !audit_passes(machine, stream->author))
        audit_fail(auditor, AUDIT_SCOPE, "%s holds operations of %s in %s, which is outside its scope",
                   machine->sim->name, stream->author->id, hs_partition_text(stream->name.partition, partition));
}

static void check_order(struct auditor *auditor, struct audit_machine *machine, struct hs_txn *txn,
                        struct audit_stream *stream, const struct hs_logged *logged)
{
    uint64_t next = stream->head[machine->sim->index] + 1;
    if (!logged->loose && logged->n != next &&
        !audit_jump(auditor, machine, txn, stream, &(struct audit_claim){logged->n - 1, NULL}))
        audit_fail(auditor, AUDIT_FRONTIER,
                   "%s: operation %" PRIu64 " of origin %016" PRIx64 " in %u lane %u came behind number %" PRIu64,
                   machine->sim->name, logged->n, stream->name.origin, (unsigned)stream->name.partition,
                   (unsigned)stream->name.lane, stream->head[machine->sim->index]);
}

static void note_store(struct audit_op *op, const struct audit_machine *machine)
{
    bool known = !machine->node->hub;
    op->witnessed = op->witnessed || machine->node->role == HS_ROLE_WITNESS;
    for (unsigned i = 0; i < op->hub_store_count; i++)
        known = known || op->hub_stores[i] == machine->store_id;
    if (!known && op->hub_store_count < AUDIT_HUB_STORES)
        op->hub_stores[op->hub_store_count++] = machine->store_id;
}

static struct audit_totals sum_groups(struct audit_record **groups, size_t count, uint32_t bit)
{
    struct audit_totals sum = {0};
    for (size_t i = 0; i < count; i++) {
        struct audit_totals one = audit_group(groups[i], bit);
        sum.count += one.count;
        sum.fen += one.fen;
        sum.reversed_count += one.reversed_count;
        sum.reversed_fen += one.reversed_fen;
    }
    return sum;
}

void audit_hold(struct auditor *auditor, struct audit_machine *machine, struct audit_op *op, bool loose)
{
    struct audit_record *groups[GROUPS_MAX];
    bool has_records = machine->node->role != HS_ROLE_WITNESS;
    size_t count = has_records ? audit_groups_of(auditor, op, groups, GROUPS_MAX) : 0;
    struct audit_totals before = sum_groups(groups, count, machine->bit);
    if (loose) {
        op->loose |= machine->bit;
    } else {
        op->held |= machine->bit;
        op->stream->head[machine->sim->index] = op->n;
    }
    struct audit_totals after = sum_groups(groups, count, machine->bit);
    machine->totals.count += after.count - before.count;
    machine->totals.fen += after.fen - before.fen;
    machine->totals.reversed_count += after.reversed_count - before.reversed_count;
    machine->totals.reversed_fen += after.reversed_fen - before.reversed_fen;
    note_store(op, machine);
}

/* Who knows of a revocation takes what some hub's store has had, or what a person has released. */
static void check_revoked(struct auditor *auditor, const struct audit_machine *machine, const struct audit_op *op)
{
    const struct audit_node *author = op->stream->author;
    if ((machine->knows >> author->number & 1) == 0 || machine->node == author || op->hub_store_count > 0 ||
        op->at_damaged_hub || op->released || author->damaged)
        return;
    audit_fail(auditor, AUDIT_REVOKED, "%s knows that %s is revoked, and has taken %s, which no hub has had",
               machine->sim->name, author->id, audit_op_name(op));
}

void audit_gain(struct auditor *auditor, struct audit_machine *machine, struct hs_txn *txn,
                const struct hs_logged *logged)
{
    struct audit_stream *stream = stream_of(auditor, machine, txn, &logged->stream);
    struct audit_op *op = logged->n <= stream->room ? stream->ops[logged->n - 1] : NULL;
    check_scope(auditor, machine, stream);
    check_order(auditor, machine, txn, stream, logged);
    while (op != NULL && !hs_bytes_equal(op->bytes, logged->bytes))
        op = op->other;
    bool is_new = op == NULL;
    if (is_new)
        op = new_op(auditor, machine, txn, stream, logged);
    check_revoked(auditor, machine, op);
    audit_hold(auditor, machine, op, logged->loose);
    if (is_writer(machine, stream) && (is_new || machine->life.starting))
        op->own |= machine->bit;
    machine->gained++;
}

void audit_learn(struct auditor *auditor, struct audit_machine *machine, struct hs_txn *txn,
                 const struct hs_logged *logged)
{
    struct audit_stream *stream = stream_of(auditor, machine, txn, &logged->stream);
    struct audit_op *op = logged->n <= stream->room ? stream->ops[logged->n - 1] : NULL;
    bool known = op != NULL && !stream->author->fork_possible; /* or a bit has turned in it */
    for (; op != NULL; op = op->other) {
        bool is_it = hs_bytes_equal(op->bytes, logged->bytes);
        op->at_damaged_hub = op->at_damaged_hub || (is_it && machine->node->hub);
        known = known || is_it;
    }
    if (!known && !logged->loose && machine->node == stream->author)
        new_op(auditor, machine, txn, stream, logged);
}

void audit_forget(struct auditor *auditor, struct audit_machine *machine)
{
    for (size_t i = 0; i < auditor->op_count; i++) {
        auditor->ops[i]->held &= ~machine->bit;
        auditor->ops[i]->loose &= ~machine->bit;
        auditor->ops[i]->own &= ~machine->bit;
    }
    for (size_t i = 0; i < auditor->streams.count; i++)
        ((struct audit_stream *)auditor->streams.entries[i].value)->head[machine->sim->index] = 0;
    machine->totals = (struct audit_totals){0};
    machine->gained++; /* what is being compared has changed */
}
