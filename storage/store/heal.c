/* heal.c -- operations that rotted: put right from elsewhere, or, where only this node had them, what the records still
 * have of them and of what lies behind them is issued anew under another origin, and they go. */
#include "storage/store/inside.h"

#include "storage/model/record.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what a replay could not read ---- */

uint64_t store_set_whole_from(struct hs_store *store, uint64_t commit)
{
    pthread_mutex_lock(&store->mutex);
    uint64_t before = store->whole_from;
    store->whole_from = commit;
    pthread_mutex_unlock(&store->mutex);
    return before;
}

enum hs_err store_rot_found(struct hs_store *store, const struct hs_stream *stream, uint64_t first, uint64_t last)
{
    store_set_whole_from(store, UINT64_MAX);
    if (store->found_count == HS_HEALED_MAX)
        return HS_OK; /* a store of which this much has rotted is not healed piece by piece */
    if (store->found == NULL)
        store->found = calloc(HS_HEALED_MAX, sizeof *store->found);
    if (store->found == NULL)
        return HS_ENOMEM;
    store->found[store->found_count++] = (struct hs_healed){.stream = *stream, .first = first, .last = last};
    return HS_OK;
}

/* The records were made without them. */
static enum hs_err note_bases(struct hs_store *store)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_record_name name;
    enum hs_err err = hs_log_find_rotten_base(store->log, key, &name);
    while (err == HS_OK) {
        err = hs_log_note_base(store->log, &name, NULL);
        if (err == HS_OK)
            err = hs_log_find_rotten_base(store->log, key, &name);
    }
    store->base_rotten = store->base_rotten && err != HS_ENOTFOUND;
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* The records do not know the numbers that a replay has left out; there may be more of these than were kept. */
static bool may_lack_numbers(struct hs_store *store)
{
    uint64_t current = hs_log_current_origin(hs_log_reader_of(store->log).txn);
    bool may = store->found_count == HS_HEALED_MAX;
    for (size_t i = 0; i < store->found_count && !may; i++)
        may = store->found[i].stream.origin == current && store->found[i].stream.lane == HS_LANE_MONEY;
    return may;
}

enum hs_err store_note_found(struct hs_store *store)
{
    enum hs_err err = may_lack_numbers(store) ? hs_log_close_series(store->log) : HS_OK;
    for (size_t i = 0; i < store->found_count && err == HS_OK; i++) {
        const struct hs_healed *found = &store->found[i];
        bool mended = false;
        err = hs_log_note_rot(store->log, &found->stream, found->first, found->last, &mended);
        store->group_completes = store->group_completes || mended;
    }
    store->group_notes = err == HS_OK;
    return err == HS_OK && store->base_rotten ? note_bases(store) : err;
}

/* ---- from elsewhere ---- */

enum hs_err hs_store_note_rot(struct hs_store *store, const struct hs_stream *stream, uint64_t first, uint64_t last)
{
    assert(store->in_group);
    bool mended = false;
    return hs_log_note_rot(store->log, stream, first, last, &mended);
}

enum hs_err hs_store_note_receipt(struct hs_store *store, const struct hs_stream *stream, uint64_t store_id)
{
    assert(store->in_group);
    return hs_log_note_receipt(store->log, stream, store_id);
}

/* Records that are to be made anew are no witness of what the base state was. */
static enum hs_err note_base(struct hs_store *store, const struct hs_record_name *name)
{
    struct hs_stored record;
    bool sound = !store->behind && !store->rotten && !store->group_completes &&
                 hs_records_get(hs_records_txn(store->records), name, &record) == HS_OK;
    return hs_log_note_base(store->log, name, sound ? &record : NULL);
}

/* Of records that are of this log, each that has its checksum. */
static enum hs_err mend_bases(struct hs_store *store, struct hs_txn *records)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_record_name name;
    struct hs_stored record;
    struct hs_position at = hs_records_snapshot_position(records);
    bool fits = at.commit > 0 && hs_log_check_position(hs_log_reader_of(store->log).txn, &at) == HS_OK;
    enum hs_err err = hs_log_find_rotten_base(store->log, key, &name);
    while (err == HS_OK) {
        bool sound = fits && hs_records_get(records, &name, &record) == HS_OK;
        err = hs_log_note_base(store->log, &name, sound ? &record : NULL);
        if (err == HS_OK)
            err = hs_log_find_rotten_base(store->log, key, &name);
    }
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* Before the records are emptied, for they are the last to know. */
enum hs_err store_mend_bases(struct hs_store *store)
{
    struct hs_txn records = {0};
    struct hs_commit commit;
    enum hs_err err = hs_records_snapshot(store->records, &records);
    if (err == HS_OK)
        err = hs_log_begin(store->log);
    if (err != HS_OK) {
        hs_txn_abort(&records);
        return err;
    }
    err = mend_bases(store, &records);
    if (err == HS_OK)
        err = hs_log_commit(store->log, &commit);
    else
        hs_log_abort(store->log);
    hs_txn_abort(&records);
    return err;
}

enum hs_err hs_store_mend(struct hs_store *store, const struct hs_rotten *rotten)
{
    assert(store->in_group);
    switch (rotten->sort) {
    case HS_ROT_OPS:
    case HS_ROT_CHECKPOINT:
        return hs_store_note_rot(store, &rotten->stream, rotten->first, rotten->last);
    case HS_ROT_RECEIPT:
        return hs_log_note_receipt(store->log, &rotten->stream, rotten->store_id);
    case HS_ROT_BASE:
        return rotten->name.kind == 0 ? HS_OK : note_base(store, &rotten->name);
    default:
        return HS_OK;
    }
}

enum hs_err hs_store_note_check(struct hs_store *store, const struct hs_checked *checked)
{
    assert(store->in_group);
    return hs_log_note_check(store->log, checked);
}

void hs_view_checked(struct hs_view *view, struct hs_checked *checked)
{
    hs_log_checked(store_log_reader(view).txn, checked);
}

static bool is_live(const struct hs_field_state *field, const struct hs_dot *dot)
{
    for (size_t i = 0; field != NULL && i < field->live_count; i++) {
        if (hs_dot_compare(&field->live[i].dot, dot) == 0)
            return true;
    }
    return false;
}

/* A record of which later writes of the same origin are known takes this one for known, though a replay had left it
 * out.  What is live of it shows that it is in; of what was overwritten since nobody can say. */
static bool may_lack(const struct hs_record *record, const struct hs_dot *dot, const struct hs_write *write)
{
    bool known = false, lacks = false;
    for (size_t i = 0; i < record->applied_count; i++)
        known = known || (record->applied[i].origin == dot->origin && record->applied[i].n >= dot->n);
    for (size_t i = 0; i < write->field_count; i++)
        lacks = lacks || !is_live(hs_record_field(record, write->fields[i].number), dot);
    return known && lacks;
}

static enum hs_err look_at_write(struct hs_store *store, struct hs_arena *arena, const struct hs_logged *logged,
                                 const struct hs_write *write)
{
    struct hs_record_name name = {logged->stream.partition, logged->stream.lane, write->kind, write->id};
    struct hs_dot dot = {logged->stream.origin, logged->n};
    struct hs_stored stored;
    struct hs_record record = {0};
    enum hs_err err = hs_records_get(hs_records_txn(store->records), &name, &stored);
    if (err == HS_OK)
        err = hs_record_decode(stored.state, arena, &record);
    store->group_completes = store->group_completes || (err == HS_OK && may_lack(&record, &dot, write));
    return err == HS_ENOMEM ? err : HS_OK; /* what is damaged is found when it is applied */
}

/* Facts get in whenever they come; of register records one that may lack the operation is looked for. */
static enum hs_err look_at_records(struct hs_store *store, const struct hs_logged *logged)
{
    struct hs_arena arena;
    struct hs_op op = {.write_count = 0};
    hs_arena_init(&arena, 0);
    enum hs_err err = hs_op_decode(logged->bytes, &arena, &op) == HS_ENOMEM ? HS_ENOMEM : HS_OK;
    for (size_t i = 0; err == HS_OK && i < op.write_count; i++)
        err = op.writes[i].is_fact ? HS_OK : look_at_write(store, &arena, logged, &op.writes[i]);
    hs_arena_fini(&arena);
    return err;
}

static enum hs_err apply_healed(struct hs_store *store, const struct hs_segment *segment)
{
    struct hs_log_reader reader = hs_log_reader_of(store->log);
    struct hs_cur cur = hs_cur_of(segment->body);
    struct hs_head head = {.n = 0};
    enum hs_err err = hs_log_head(&reader, &segment->stream, &head);
    for (uint64_t n = segment->first; err == HS_OK && cur.left > 0 && n <= head.n; n++) {
        struct hs_logged op = {.stream = segment->stream, .n = n, .bytes = hs_cur_sized(&cur)};
        struct hs_bytes held;
        if (hs_log_op(&reader, &segment->stream, n, &held) == HS_ENOTFOUND)
            continue; /* what it did came as state */
        store->group_ops++;
        err = look_at_records(store, &op);
        if (err == HS_OK)
            err = store_apply(store, reader.txn, &op, NULL);
        store->group_err = err;
    }
    return err;
}

enum hs_err hs_store_heal(struct hs_store *store, const struct hs_segment *segment)
{
    assert(store->in_group);
    bool others = false;
    store->group_heals = true;
    enum hs_err err = hs_log_heal(store->log, segment, &others);
    store->group_completes = store->group_completes || others;
    return err == HS_OK ? apply_healed(store, segment) : err;
}

enum hs_err hs_view_healed(struct hs_view *view, hs_visit_healed visit, void *ctx)
{
    return hs_log_healed(store_log_reader(view).txn, visit, ctx);
}

/* ---- what is to be issued anew ---- */

struct waiting {
    struct hs_log *log;
    struct hs_txn *txn;
    bool found;
    struct hs_healed first;
};

static enum hs_err find_waiting(void *ctx, const struct hs_healed *healed)
{
    struct waiting *waiting = ctx;
    bool alone;
    if (waiting->found || healed->state != HS_HEALING_WAITS || healed->store_id != 0 ||
        !hs_log_is_rotten(waiting->log, waiting->txn, healed))
        return HS_OK;
    enum hs_err err = hs_log_is_alone(waiting->log, waiting->txn, healed, &alone);
    if (err == HS_OK && alone) {
        waiting->found = true;
        waiting->first = *healed;
        waiting->first.why = HS_BYTES_NONE;
    }
    return err;
}

bool hs_store_wants_opening(struct hs_store *store)
{
    assert(store->in_group);
    struct waiting waiting = {.log = store->log, .txn = hs_log_reader_of(store->log).txn};
    return hs_log_healed(waiting.txn, find_waiting, &waiting) == HS_OK && waiting.found;
}

/* A register record to which the stream wrote from its rot on, as it is and as it would be without. */
struct mended {
    struct mended *next;
    struct hs_record_name name;
    struct hs_record is, without;
};

/* One write of an operation that goes, as part of one that takes its place. */
struct piece {
    uint64_t n;
    hs_stamp stamp;
    struct hs_write write;
};

struct anew {
    struct hs_store *store;
    struct hs_stream stream;
    uint64_t first, last; /* that rotted; what lies behind goes with them */
    struct hs_txn log, records;
    struct hs_arena arena;
    struct mended *mended;
    struct piece *pieces;
    size_t count, room;
    uint64_t left; /* operations, of the rotten ones, of which something is left */
};

static bool goes(const struct anew *anew, const struct hs_dot *dot)
{
    return dot->origin == anew->stream.origin && dot->n >= anew->first;
}

static enum hs_err add_piece(struct anew *anew, uint64_t n, hs_stamp stamp, const struct hs_write *write)
{
    if (anew->count == anew->room) {
        size_t room = anew->room == 0 ? 64 : 2 * anew->room;
        struct piece *pieces = reallocarray(anew->pieces, room, sizeof *pieces);
        if (pieces == NULL)
            return HS_ENOMEM;
        anew->pieces = pieces;
        anew->room = room;
    }
    anew->pieces[anew->count++] = (struct piece){n, stamp, *write};
    return HS_OK;
}

static enum hs_err keep_name(struct anew *anew, const struct hs_record_name *from, struct hs_record_name *name)
{
    *name = *from;
    name->id = hs_arena_copy(&anew->arena, from->id);
    return name->id.size == from->id.size ? HS_OK : HS_ENOMEM;
}

static enum hs_err take_facts(struct anew *anew, const struct hs_record_name *name, const struct hs_record *record)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < record->variant_count && err == HS_OK; i++) {
        const struct hs_variant *variant = &record->variants[i];
        struct hs_write write = {.kind = name->kind, .id = name->id, .is_fact = true, .fact = variant->bytes};
        if (goes(anew, &variant->dot))
            err = add_piece(anew, variant->dot.n, variant->stamp, &write);
    }
    return err;
}

static bool has_going(const struct anew *anew, const struct hs_record *record, bool *facts, bool *fields)
{
    *facts = *fields = false;
    for (size_t i = 0; i < record->variant_count; i++)
        *facts = *facts || goes(anew, &record->variants[i].dot);
    for (size_t i = 0; i < record->field_count; i++) {
        for (size_t j = 0; j < record->fields[i].live_count; j++)
            *fields = *fields || goes(anew, &record->fields[i].live[j].dot);
    }
    return *facts || *fields;
}

/* The state is copied where something of it goes: records are views into it. */
static enum hs_err take_record(void *ctx, const struct hs_stored *stored)
{
    struct anew *anew = ctx;
    struct hs_arena look;
    struct hs_record record = {0};
    struct hs_record_name name;
    bool facts = false, fields = false;
    hs_arena_init(&look, 0);
    enum hs_err err = hs_record_decode(stored->state, &look, &record);
    bool any = err == HS_OK && has_going(anew, &record, &facts, &fields);
    hs_arena_fini(&look);
    if (err != HS_OK || !any)
        return err == HS_ENOMEM ? err : HS_OK;
    struct hs_bytes state = hs_arena_copy(&anew->arena, stored->state);
    record = (struct hs_record){0};
    err = state.size == stored->state.size ? hs_record_decode(state, &anew->arena, &record) : HS_ENOMEM;
    if (err == HS_OK)
        err = keep_name(anew, &stored->name, &name);
    if (err == HS_OK && facts)
        err = take_facts(anew, &name, &record);
    if (err != HS_OK || !fields)
        return err;
    struct mended *mended = hs_arena_alloc(&anew->arena, sizeof *mended);
    if (mended == NULL)
        return HS_ENOMEM;
    *mended = (struct mended){.next = anew->mended, .name = name, .is = record};
    anew->mended = mended;
    return HS_OK;
}

/* ---- registers: what would be there without ---- */

static struct mended *find_mended(const struct anew *anew, const struct hs_stream *stream, const struct hs_write *write)
{
    struct mended *mended = anew->mended;
    if (stream->partition != anew->stream.partition || stream->lane != anew->stream.lane)
        return NULL;
    while (mended != NULL && (mended->name.kind != write->kind || !hs_bytes_equal(mended->name.id, write->id)))
        mended = mended->next;
    return mended;
}

static enum hs_err apply_without(void *ctx, const struct hs_logged *logged)
{
    struct anew *anew = ctx;
    struct hs_op op;
    struct hs_dot dot = {logged->stream.origin, logged->n};
    if (logged->state != NULL || logged->evicted != NULL || logged->stream.partition != anew->stream.partition ||
        logged->stream.lane != anew->stream.lane || goes(anew, &dot))
        return HS_OK;
    struct hs_bytes bytes = hs_arena_copy(&anew->arena, logged->bytes);
    struct hs_records_op judged = {.stream = logged->stream,
                                   .n = logged->n,
                                   .bytes = bytes,
                                   .writer = hs_log_writer(anew->store->log, &anew->log, dot.origin)};
    enum hs_err err = hs_records_judge(&judged, &anew->arena, &op);
    for (size_t i = 0; err == HS_OK && i < op.write_count; i++) {
        struct mended *mended = op.writes[i].is_fact ? NULL : find_mended(anew, &logged->stream, &op.writes[i]);
        if (mended != NULL && !logged->loose)
            err = hs_record_apply(&mended->without, &dot, op.stamp, &op.writes[i], &anew->arena);
    }
    return err == HS_ENOMEM ? err : HS_OK;
}

static enum hs_err pass_over(void *ctx, const struct hs_stream *stream, uint64_t first, uint64_t last)
{
    (void)ctx, (void)stream, (void)first, (void)last;
    return HS_OK;
}

static enum hs_err make_without(struct anew *anew)
{
    struct hs_position to = {0};
    struct hs_log_span span = {0, hs_log_last(&anew->log).commit, SIZE_MAX, pass_over};
    enum hs_err err = HS_OK;
    for (struct mended *mended = anew->mended; mended != NULL && err == HS_OK; mended = mended->next) {
        struct hs_stored base;
        err = hs_log_base_state(&anew->log, &mended->name, &base);
        if (err == HS_OK)
            err = hs_record_decode(base.state, &anew->arena, &mended->without);
        err = err == HS_ENOTFOUND || err == HS_EDAMAGED || err == HS_EMALFORMED ? HS_OK : err;
    }
    return err == HS_OK && anew->mended != NULL ? hs_log_walk(&anew->log, &span, apply_without, anew, &to) : err;
}

static int by_dot(const void *a, const void *b)
{
    const struct hs_dot *one = a, *other = b;
    if (one->origin != other->origin)
        return one->origin < other->origin ? -1 : 1;
    return one->n < other->n ? -1 : one->n > other->n;
}

/* The value, and in its shadow what it had overwritten: its old self, and what would show again without it. */
static enum hs_err field_anew(struct anew *anew, const struct mended *mended, const struct hs_field_state *field,
                              const struct hs_live *live, struct hs_field_write *to)
{
    const struct hs_field_state *without = hs_record_field(&mended->without, field->number);
    size_t most = 1 + (without != NULL ? without->live_count : 0);
    struct hs_dot *over = hs_arena_array(&anew->arena, most, sizeof *over);
    if (over == NULL)
        return HS_ENOMEM;
    size_t count = 0;
    over[count++] = live->dot;
    for (size_t i = 0; without != NULL && i < without->live_count; i++) {
        if (!is_live(field, &without->live[i].dot))
            over[count++] = without->live[i].dot;
    }
    qsort(over, count, sizeof *over, by_dot);
    *to = (struct hs_field_write){.number = field->number, .value = live->value, .over = over, .over_count = count};
    return HS_OK;
}

/* What operation n wrote to the record and is live. */
static enum hs_err take_fields(struct anew *anew, const struct mended *mended, uint64_t n)
{
    const struct hs_record *record = &mended->is;
    struct hs_field_write *fields = hs_arena_array(&anew->arena, record->field_count, sizeof *fields);
    struct hs_write write = {.kind = mended->name.kind, .id = mended->name.id, .fields = fields};
    hs_stamp stamp = 0;
    enum hs_err err = fields == NULL ? HS_ENOMEM : HS_OK;
    for (size_t i = 0; i < record->field_count && err == HS_OK; i++) {
        for (size_t j = 0; j < record->fields[i].live_count && err == HS_OK; j++) {
            const struct hs_live *live = &record->fields[i].live[j];
            if (!goes(anew, &live->dot) || live->dot.n != n)
                continue;
            stamp = live->stamp;
            err = field_anew(anew, mended, &record->fields[i], live, &fields[write.field_count++]);
            break;
        }
    }
    return err == HS_OK ? add_piece(anew, n, stamp, &write) : err;
}

static enum hs_err take_registers(struct anew *anew)
{
    enum hs_err err = HS_OK;
    for (const struct mended *mended = anew->mended; mended != NULL; mended = mended->next) {
        size_t before = anew->count;
        for (size_t i = 0; i < mended->is.field_count && err == HS_OK; i++) {
            for (size_t j = 0; j < mended->is.fields[i].live_count && err == HS_OK; j++) {
                const struct hs_dot *dot = &mended->is.fields[i].live[j].dot;
                bool taken = !goes(anew, dot);
                for (size_t k = before; k < anew->count && !taken; k++)
                    taken = anew->pieces[k].n == dot->n;
                if (!taken)
                    err = take_fields(anew, mended, dot->n);
            }
        }
    }
    return err;
}

/* ---- the plan, carried out ---- */

static int by_number(const void *a, const void *b)
{
    const struct piece *one = a, *other = b;
    if (one->n != other->n)
        return one->n < other->n ? -1 : 1;
    if (one->write.kind != other->write.kind)
        return one->write.kind < other->write.kind ? -1 : 1;
    return hs_bytes_compare(one->write.id, other->write.id);
}

/* So that a client that asks again is told that it was done. */
static struct hs_bytes request_of(struct anew *anew, uint64_t n)
{
    struct hs_log_reader reader = {&anew->log, NULL};
    struct hs_bytes bytes;
    struct hs_op op;
    if (hs_log_op(&reader, &anew->stream, n, &bytes) != HS_OK || hs_op_decode(bytes, &anew->arena, &op) != HS_OK)
        return HS_BYTES_NONE;
    return op.request;
}

static enum hs_err write_op(struct anew *anew, const struct piece *pieces, size_t count)
{
    struct hs_store *store = anew->store;
    struct hs_write *writes = hs_arena_array(&anew->arena, count, sizeof *writes);
    struct hs_dot dot;
    hs_stamp above = 0;
    if (writes == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        writes[i] = pieces[i].write;
        above = pieces[i].stamp > above ? pieces[i].stamp : above;
    }
    struct hs_op op = {.stamp = hs_log_stamp(store->log, above),
                       .writes = writes,
                       .write_count = count,
                       .request = request_of(anew, pieces[0].n)};
    enum hs_err err = hs_op_check(&op);
    if (err != HS_OK)
        return err;
    hs_buf_reset(&store->op);
    hs_op_encode(&op, &store->op);
    if (store->op.err != HS_OK)
        return store->op.err;
    return hs_log_write(store->log, anew->stream.partition, anew->stream.lane, hs_buf_bytes(&store->op), &dot);
}

static enum hs_err write_all(struct anew *anew)
{
    enum hs_err err = HS_OK;
    for (size_t i = 0, end; i < anew->count && err == HS_OK; i = end) {
        for (end = i + 1; end < anew->count && anew->pieces[end].n == anew->pieces[i].n; end++)
            ;
        anew->left += anew->pieces[i].n <= anew->last;
        err = write_op(anew, &anew->pieces[i], end - i);
    }
    return err;
}

static enum hs_err make_plan(struct anew *anew)
{
    enum hs_err err = hs_records_each(&anew->records, anew->stream.partition, anew->stream.lane, take_record, anew);
    if (err == HS_OK)
        err = make_without(anew);
    if (err == HS_OK)
        err = take_registers(anew);
    if (anew->count > 0)
        qsort(anew->pieces, anew->count, sizeof *anew->pieces, by_number);
    return err;
}

static enum hs_err carry_out(struct anew *anew)
{
    struct hs_log *log = anew->store->log;
    struct hs_commit commit;
    char why[160];
    enum hs_err err = hs_log_begin(log);
    if (err != HS_OK)
        return err;
    if (hs_log_current_origin(hs_log_reader_of(log).txn) == anew->stream.origin)
        err = hs_log_strike(log, "operations of this origin rotted before a hub had them");
    if (err == HS_OK)
        err = write_all(anew);
    uint64_t rotten = anew->last - anew->first + 1;
    snprintf(why, sizeof why, "of %" PRIu64 " that rotted something is left of %" PRIu64 ", in the records", rotten,
             anew->left);
    if (err == HS_OK)
        err = hs_log_strip(log, &anew->stream, anew->first, why);
    if (err == HS_OK)
        return hs_log_commit(log, &commit);
    hs_log_abort(log);
    return err;
}

static enum hs_err issue_anew(struct hs_store *store, const struct hs_healed *healed)
{
    struct anew anew = {.store = store, .stream = healed->stream, .first = healed->first, .last = healed->last};
    hs_arena_init(&anew.arena, 0);
    enum hs_err err = hs_txn_begin(hs_log_env(store->log), false, &anew.log);
    if (err == HS_OK)
        err = hs_records_snapshot(store->records, &anew.records);
    if (err == HS_OK)
        err = make_plan(&anew);
    if (err == HS_OK)
        err = carry_out(&anew);
    hs_txn_abort(&anew.records);
    hs_txn_abort(&anew.log);
    hs_arena_fini(&anew.arena);
    free(anew.pieces);
    return err;
}

/* ---- when a store is opened ---- */

static enum hs_err note_found(struct hs_store *store)
{
    struct hs_commit commit;
    if (store->found_count == 0 && !store->base_rotten)
        return HS_OK;
    enum hs_err err = hs_store_begin(store);
    if (err != HS_OK)
        return err;
    err = store_note_found(store);
    if (err == HS_OK)
        return hs_store_commit(store, &commit);
    hs_store_abort(store);
    return err;
}

static enum hs_err next_waiting(struct hs_store *store, struct waiting *waiting)
{
    struct hs_txn txn;
    enum hs_err err = hs_txn_begin(hs_log_env(store->log), false, &txn);
    if (err != HS_OK)
        return err;
    *waiting = (struct waiting){.log = store->log, .txn = &txn};
    err = hs_log_healed(&txn, find_waiting, waiting);
    hs_txn_abort(&txn);
    return err;
}

/* No reason not to start: the stream waits, by name, and all else goes on. */
static enum hs_err give_up(struct hs_store *store, const struct hs_healed *healed, enum hs_err why)
{
    struct hs_commit commit;
    if (why == HS_EFULL || why == HS_ENOMEM || why == HS_EIO || hs_log_failed(store->log) != HS_OK)
        return why;
    enum hs_err err = hs_log_begin(store->log);
    if (err != HS_OK)
        return err;
    hs_log_give_up(store->log, healed, hs_err_text(why));
    return hs_log_commit(store->log, &commit);
}

/* A full disk keeps nobody from reading: another start tries it again. */
enum hs_err store_heal_own(struct hs_store *store)
{
    struct waiting waiting = {.found = true};
    enum hs_err err = note_found(store);
    if (err == HS_OK && store->rotten)
        err = store_catch_up(store);
    for (size_t i = 0; err == HS_OK && waiting.found && i < HS_HEALED_MAX; i++) {
        err = next_waiting(store, &waiting);
        if (err == HS_OK && waiting.found) {
            err = hs_store_flush(store); /* what the records have is about to be all that there is */
            hs_records_rest(store->records);
            if (err != HS_OK)
                break;
            err = issue_anew(store, &waiting.first);
            if (err != HS_OK)
                err = give_up(store, &waiting.first, err);
        }
        if (err == HS_OK && waiting.found)
            err = store_catch_up(store);
    }
    hs_records_rest(store->records); /* this thread may not be the writer's */
    return err == HS_EFULL ? HS_OK : err;
}
