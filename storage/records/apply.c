/* One op: the verdict, then each write into its record's state, and from the change of the state everything derived. */
#include "storage/records/step.h"

#include "storage/model/record.h"

#include <assert.h>
#include <string.h>

/* ---- the verdict: a function of the op and its writer's certificate, the same on every node for ever ---- */

enum hs_err hs_records_judge(const struct hs_records_op *op, struct hs_arena *arena, struct hs_op *decoded)
{
    enum hs_err err = hs_op_decode(op->bytes, arena, decoded);
    if (err != HS_OK)
        return err;
    if (op->writer == NULL)
        return HS_ECERT;
    for (size_t i = 0; i < decoded->write_count; i++) {
        if (!hs_certificate_allows(op->writer, decoded->writes[i].kind, op->stream.partition))
            return HS_ESCOPE;
    }
    return HS_OK;
}

/* An op is no record: it is listed under a kind 0, and origin and n for an id. */
static void void_key(const struct hs_records_op *op, struct hs_row_key *key)
{
    uint8_t id[HS_VOID_ID_BYTES];
    struct hs_record_name name = {op->stream.partition, op->stream.lane, 0, HS_BYTES(id, sizeof id)};
    hs_be64(id, op->stream.origin);
    hs_be64(id + 8, op->n);
    hs_list_key(key, HS_LIST_VOID, &name, HS_BYTES_NONE);
}

static void list_void(struct hs_records *records, const struct hs_records_op *op, enum hs_err reason)
{
    struct hs_row_key key;
    const char *text = hs_err_name(reason);
    struct hs_listing listing = {.detail = HS_BYTES(text, strlen(text))};
    void_key(op, &key);
    records->derive.sink->list(&records->derive, &key, &listing);
}

enum hs_err hs_records_forget(struct hs_records *records, const struct hs_records_op *op, struct hs_bytes request)
{
    struct hs_row_key key;
    enum hs_err err = hs_records_ready(records);
    if (err != HS_OK)
        return err;
    void_key(op, &key);
    records->derive.sink->list(&records->derive, &key, NULL);
    if (op->own && request.size != 0)
        hs_numbers_forget(records, op, request);
    return records->txn.err;
}

/* ---- one write ---- */

/* The state after the write, encoded behind the room for its hash. */
static enum hs_err make_new(struct hs_records *records, const struct hs_step *step, const struct hs_records_op *op,
                            hs_stamp stamp, const struct hs_write *write, struct hs_record *record)
{
    struct hs_dot dot = {op->stream.origin, op->n};
    enum hs_err err = step->old.there ? hs_record_decode(step->stored.state, &records->arena, record) : HS_OK;
    if (err == HS_OK)
        err = hs_record_apply(record, &dot, stamp, write, &records->arena);
    if (err != HS_OK)
        return err == HS_EMALFORMED ? HS_EDAMAGED : err;
    return hs_step_encode(records, record);
}

static void apply_write(struct hs_records *records, const struct hs_records_op *op, hs_stamp stamp,
                        const struct hs_write *write)
{
    struct hs_record record = {0};
    struct hs_record_name name = {op->stream.partition, op->stream.lane, write->kind, write->id};
    struct hs_step step;
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    if (op->only != NULL && !hs_records_in_range(op->only, HS_BYTES(key, hs_record_key(&name, key))))
        return;
    enum hs_err err = hs_step_begin(records, &name, &step);
    if (err == HS_OK)
        err = make_new(records, &step, op, stamp, write, &record);
    if (err == HS_OK)
        hs_step_end(records, &step, &record);
    else
        hs_derive_fail(&records->derive, err);
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
    if (hs_records_make_ready(records) != HS_OK)
        return records->txn.err;
    enum hs_err err = hs_records_judge(op, &records->arena, &decoded);
    if (err == HS_ENOMEM) {
        hs_derive_fail(&records->derive, err);
        return records->txn.err;
    }
    if (err != HS_OK) {
        list_void(records, op, err);
        return records->txn.err;
    }
    hs_writer_note(records, op, &decoded);
    for (size_t i = 0; i < decoded.write_count && records->txn.err == HS_OK; i++) {
        if (decoded.writes[i].is_fact || op->mode == HS_APPLY_WHOLE)
            apply_write(records, op, decoded.stamp, &decoded.writes[i]);
    }
    if (op->own)
        hs_numbers_note(records, op, &decoded);
    watch(&decoded, op->watched);
    return records->txn.err;
}
