/* step.h -- one step of one record: its state before, its state after, and everything derived from the change. */
#ifndef HS_RECORDS_STEP_H
#define HS_RECORDS_STEP_H

#include "storage/records/env.h"

struct hs_step {
    struct hs_record_name name; /* its id is borrowed */
    uint8_t raw[HS_RECORD_KEY_BYTES_MAX];
    size_t key_size;
    struct hs_stored stored; /* the state before, in the arena; if old.there */
    struct hs_facet old, new;
};
struct hs_bytes hs_step_key(const struct hs_step *step);

/* The arena emptied, the cache kept within its bounds, the transaction begun. */
enum hs_err hs_records_make_ready(struct hs_records *records);
enum hs_err hs_step_begin(struct hs_records *records, const struct hs_record_name *name, struct hs_step *step);
/* The state after, into records->state, behind the room for its hash. */
enum hs_err hs_step_encode(struct hs_records *records, const struct hs_record *record);
/* Store what was encoded, if it differs from what is there, and derive.  Errors stick to the transaction. */
void hs_step_end(struct hs_records *records, struct hs_step *step, const struct hs_record *record);
/* The same for a record that is not there yet, and whose state is at hand with its hash. */
void hs_step_end_new(struct hs_records *records, struct hs_step *step, const struct hs_stored *came,
                     const struct hs_record *record);
/* The record, which was there, is so no more. */
void hs_step_remove(struct hs_records *records, struct hs_step *step);

#endif
