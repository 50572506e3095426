#include "storage/records/step.h"

#include <string.h>

enum hs_err hs_records_make_ready(struct hs_records *records)
{
    hs_arena_reset(&records->arena);
    if (hs_records_ready(records) == HS_OK && records->cache.count > HS_CACHED_ROWS_MAX) {
        hs_records_settle(&records->txn);
        hs_cache_drop(&records->cache);
    }
    return records->txn.err;
}

struct hs_bytes hs_step_key(const struct hs_step *step)
{
    return HS_BYTES(step->raw, step->key_size);
}

enum hs_err hs_step_begin(struct hs_records *records, const struct hs_record_name *name, struct hs_step *step)
{
    struct hs_bytes value;
    step->name = *name;
    step->key_size = hs_record_key(name, step->raw);
    step->old = (struct hs_facet){.name = *name};
    enum hs_err err = hs_txn_get(&records->txn, HS_TABLE_STATE, hs_step_key(step), &value);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    struct hs_bytes copy = hs_arena_copy(&records->arena, value);
    if (copy.size != value.size)
        return HS_ENOMEM;
    err = hs_state_read(&step->name, copy, &step->stored);
    step->old.there = err == HS_OK;
    return err;
}

enum hs_err hs_step_encode(struct hs_records *records, const struct hs_record *record)
{
    hs_buf_reset(&records->state);
    hs_buf_extend(&records->state, HS_HASH_BYTES);
    hs_record_encode(record, &records->state);
    return records->state.err;
}

static void derive(struct hs_records *records, struct hs_step *step, const struct hs_record *record)
{
    if (step->old.there)
        hs_facet_of_stored(&records->derive, &step->stored, &step->old);
    hs_facet_of(&records->derive, &step->name, record, &step->new);
    hs_derive_change(&records->derive, &step->old, &step->new);
}

void hs_step_end(struct hs_records *records, struct hs_step *step, const struct hs_record *record)
{
    struct hs_bytes state = HS_BYTES(records->state.data + HS_HASH_BYTES, records->state.size - HS_HASH_BYTES);
    if (step->old.there && hs_bytes_equal(step->stored.state, state))
        return; /* came before */
    struct hs_hash hash = hs_record_hash(&step->name, state);
    memcpy(records->state.data, hash.bytes, sizeof hash.bytes);
    hs_txn_put(&records->txn, HS_TABLE_STATE, hs_step_key(step), hs_buf_bytes(&records->state));
    hs_digest_change(records, &step->name, step->old.there ? &step->stored.hash : NULL, &hash);
    derive(records, step, record);
}

void hs_step_end_new(struct hs_records *records, struct hs_step *step, const struct hs_stored *came,
                     const struct hs_record *record)
{
    uint8_t *row = hs_txn_reserve(&records->txn, HS_TABLE_STATE, hs_step_key(step), HS_HASH_BYTES + came->state.size);
    if (row == NULL)
        return;
    memcpy(row, came->hash.bytes, HS_HASH_BYTES);
    memcpy(row + HS_HASH_BYTES, came->state.data, came->state.size);
    hs_digest_change(records, &step->name, NULL, &came->hash);
    derive(records, step, record);
}

void hs_step_remove(struct hs_records *records, struct hs_step *step)
{
    hs_facet_of_stored(&records->derive, &step->stored, &step->old);
    step->new = (struct hs_facet){.name = step->name, .kind = step->old.kind};
    hs_txn_delete(&records->txn, HS_TABLE_STATE, hs_step_key(step));
    hs_digest_change(records, &step->name, &step->stored.hash, NULL);
    hs_derive_change(&records->derive, &step->old, &step->new);
}
