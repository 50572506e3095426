/* One op: the verdict, then each write into its record's state, and from the change of the state everything derived. */
#include "storage/records/env.h"

#include "storage/model/record.h"

#include <assert.h>
#include <string.h>

/* ---- the verdict: a function of the op and its writer's certificate, the same on every node for ever ---- */

static enum hs_err judge(const struct hs_records_op *op, const struct hs_op *decoded)
{
    if (op->writer == NULL)
        return HS_ECERT;
    for (size_t i = 0; i < decoded->write_count; i++) {
        if (!hs_certificate_allows(op->writer, decoded->writes[i].kind, op->stream.partition))
            return HS_ESCOPE;
    }
    return HS_OK;
}

/* An op is no record: it is listed under a kind 0, and origin and n for an id. */
static void list_void(struct hs_records *records, const struct hs_records_op *op, enum hs_err reason)
{
    uint8_t id[16];
    struct hs_row_key key;
    const char *text = hs_err_name(reason);
    struct hs_record_name name = {op->stream.partition, op->stream.lane, 0, HS_BYTES(id, sizeof id)};
    struct hs_listing listing = {.detail = HS_BYTES(text, strlen(text))};
    hs_be64(id, op->stream.origin);
    hs_be64(id + 8, op->n);
    hs_list_key(&key, HS_LIST_VOID, &name, HS_BYTES_NONE);
    records->derive.sink->list(&records->derive, &key, &listing);
}

/* ---- one write ---- */

/* A record's state before and after, and its facets. */
struct step {
    struct hs_record_name name;
    struct hs_bytes key;
    struct hs_stored stored; /* of the old state, in the arena */
    struct hs_facet old, new;
};

static enum hs_err load_old(struct hs_records *records, struct step *step)
{
    struct hs_bytes value;
    step->old = (struct hs_facet){.name = step->name};
    enum hs_err err = hs_txn_get(&records->txn, HS_TABLE_STATE, step->key, &value);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    struct hs_bytes copy = hs_arena_copy(&records->arena, value);
    if (copy.size != value.size)
        return HS_ENOMEM;
    err = hs_state_read(&step->name, copy, &step->stored);
    step->old.there = err == HS_OK;
    return err;
}

/* The state after the write, encoded behind the room for its hash. */
static enum hs_err make_new(struct hs_records *records, const struct step *step, const struct hs_records_op *op,
                            hs_stamp stamp, const struct hs_write *write, struct hs_record *record)
{
    struct hs_dot dot = {op->stream.origin, op->n};
    enum hs_err err = step->old.there ? hs_record_decode(step->stored.state, &records->arena, record) : HS_OK;
    if (err == HS_OK)
        err = hs_record_apply(record, &dot, stamp, write, &records->arena);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    hs_buf_reset(&records->state);
    hs_buf_extend(&records->state, HS_HASH_BYTES);
    hs_record_encode(record, &records->state);
    return records->state.err;
}

static struct hs_bytes new_state(const struct hs_records *records)
{
    return HS_BYTES(records->state.data + HS_HASH_BYTES, records->state.size - HS_HASH_BYTES);
}

static void store_new(struct hs_records *records, const struct step *step)
{
    struct hs_hash hash = hs_record_hash(&step->name, new_state(records));
    memcpy(records->state.data, hash.bytes, sizeof hash.bytes);
    hs_txn_put(&records->txn, HS_TABLE_STATE, step->key, hs_buf_bytes(&records->state));
    hs_digest_change(records, &step->name, step->old.there ? &step->stored.hash : NULL, &hash);
}

static void derive(struct hs_records *records, struct step *step, const struct hs_record *record)
{
    if (step->old.there)
        hs_facet_of_stored(&records->derive, &step->stored, &step->old);
    hs_facet_of(&records->derive, &step->name, record, &step->new);
    hs_derive_change(&records->derive, &step->old, &step->new);
}

static void apply_write(struct hs_records *records, const struct hs_records_op *op, hs_stamp stamp,
                        const struct hs_write *write)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_record record = {0};
    struct step step = {.name = {op->stream.partition, op->stream.lane, write->kind, write->id}};
    step.key = HS_BYTES(key, hs_record_key(&step.name, key));
    enum hs_err err = load_old(records, &step);
    if (err == HS_OK)
        err = make_new(records, &step, op, stamp, write, &record);
    if (err != HS_OK) {
        hs_derive_fail(&records->derive, err);
        return;
    }
    if (step.old.there && hs_bytes_equal(step.stored.state, new_state(records)))
        return; /* came before */
    store_new(records, &step);
    derive(records, &step, &record);
}

static void watch(const struct hs_op *decoded, struct hs_dot *watched)
{
    for (size_t i = 0; watched != NULL && i < decoded->write_count; i++) {
        const struct hs_write *write = &decoded->writes[i];
        for (size_t j = 0; j < write->field_count; j++) {
            for (size_t k = 0; k < write->fields[j].over_count; k++) {
                const struct hs_dot *over = &write->fields[j].over[k];
                if (over->origin == watched->origin && over->n > watched->n)
                    watched->n = over->n;
            }
        }
    }
}

enum hs_err hs_records_apply(struct hs_records *records, const struct hs_records_op *op)
{
    assert(op->n != 0);
    struct hs_op decoded = {0};
    hs_arena_reset(&records->arena);
    if (hs_records_ready(records) != HS_OK)
        return records->txn.err;
    if (records->cache.count > HS_CACHED_ROWS_MAX) {
        hs_records_settle(&records->txn);
        hs_cache_drop(&records->cache);
    }
    enum hs_err err = hs_op_decode(op->bytes, &records->arena, &decoded);
    if (err == HS_ENOMEM) {
        hs_derive_fail(&records->derive, err);
        return records->txn.err;
    }
    if (err == HS_OK)
        err = judge(op, &decoded);
    if (err != HS_OK) {
        list_void(records, op, err);
        return records->txn.err;
    }
    for (size_t i = 0; i < decoded.write_count && records->txn.err == HS_OK; i++) {
        if (decoded.writes[i].is_fact || op->mode == HS_APPLY_WHOLE)
            apply_write(records, op, decoded.stamp, &decoded.writes[i]);
    }
    if (op->own)
        hs_numbers_note(records, op, &decoded);
    watch(&decoded, op->watched);
    return records->txn.err;
}
