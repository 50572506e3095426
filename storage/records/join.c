/* A base state: what came from another store, joined to what is here. */
#include "storage/records/step.h"

/* Numbers of one origin that the record names, also as overwritten and not here yet. */
static void watch(const struct hs_record *record, struct hs_dot *watched)
{
    for (size_t i = 0; watched != NULL && i < record->applied_count; i++) {
        if (record->applied[i].origin == watched->origin && record->applied[i].n > watched->n)
            watched->n = record->applied[i].n;
    }
    for (size_t i = 0; watched != NULL && i < record->variant_count; i++) {
        if (record->variants[i].dot.origin == watched->origin && record->variants[i].dot.n > watched->n)
            watched->n = record->variants[i].dot.n;
    }
    for (size_t i = 0; watched != NULL && i < record->field_count; i++) {
        for (size_t j = 0; j < record->fields[i].covered_count; j++) {
            const struct hs_dot *covered = &record->fields[i].covered[j];
            if (covered->origin == watched->origin && covered->n > watched->n)
                watched->n = covered->n;
        }
    }
}

static enum hs_err join_old(struct hs_records *records, struct hs_step *step, const struct hs_record *came)
{
    struct hs_record old;
    struct hs_record joined;
    enum hs_err err = hs_record_decode(step->stored.state, &records->arena, &old);
    if (err == HS_EMALFORMED)
        err = HS_EDAMAGED;
    if (err == HS_OK)
        err = hs_record_join(&old, came, &records->arena, &joined);
    if (err == HS_OK)
        err = hs_step_encode(records, &joined);
    if (err == HS_OK)
        hs_step_end(records, step, &joined);
    return err;
}

enum hs_err hs_records_join(struct hs_records *records, const struct hs_stored *came, struct hs_dot *watched)
{
    struct hs_step step;
    struct hs_record record = {0};
    if (hs_records_make_ready(records) != HS_OK)
        return records->txn.err;
    enum hs_err err = hs_step_begin(records, &came->name, &step);
    if (err == HS_OK && step.old.there && hs_hash_equal(&step.stored.hash, &came->hash))
        return HS_OK;
    if (err == HS_OK)
        err = hs_record_decode(came->state, &records->arena, &record);
    if (err == HS_OK && step.old.there)
        err = join_old(records, &step, &record);
    else if (err == HS_OK)
        hs_step_end_new(records, &step, came, &record);
    if (err == HS_OK)
        watch(&record, watched);
    hs_derive_fail(&records->derive, err);
    return records->txn.err;
}
