/* What derivation sees of a record: its kind, what it shows, and whether it keeps the kind's rules. */
#include "storage/records/derive.h"

#include <assert.h>

bool hs_facet_counts(const struct hs_facet *facet)
{
    if (!facet->there || facet->kind == NULL || facet->verdict == HS_VERDICT_REJECTED)
        return false;
    return facet->fault == HS_OK || (facet->verdict == HS_VERDICT_RELEASED && facet->may_release);
}

void hs_derive_fail(struct hs_derive *derive, enum hs_err err)
{
    if (*derive->err == HS_OK)
        *derive->err = err;
}

/* Of a fact the content that counts, of a register record its fields: what a strange writer has put into the other
 * part of the state must not hide what is in the right one. */
static void show(struct hs_derive *derive, struct hs_facet *facet)
{
    const struct hs_record *record = &facet->record;
    if (facet->kind->shape == HS_SHAPE_FACT) {
        facet->message = record->variant_count != 0 ? record->variants[0].bytes : HS_BYTES_NONE;
        return;
    }
    struct hs_record fields = *record;
    struct hs_buf buf = {0};
    fields.variant_count = 0;
    hs_derive_fail(derive, hs_record_shown(&fields, &buf));
    facet->message = hs_arena_copy(derive->arena, hs_buf_bytes(&buf));
    if (facet->message.size != buf.size)
        hs_derive_fail(derive, HS_ENOMEM);
    hs_buf_fini(&buf);
}

struct hs_bytes hs_facet_bytes(const struct hs_facet *facet, uint32_t field)
{
    assert(field < HS_FACET_FIELDS);
    return facet->fields[field].bytes;
}

uint64_t hs_facet_number(const struct hs_facet *facet, uint32_t field)
{
    assert(field < HS_FACET_FIELDS);
    return facet->fields[field].value;
}

bool hs_facet_has(const struct hs_facet *facet, const struct hs_index *index)
{
    assert(index->field < HS_FACET_FIELDS && index->then < HS_FACET_FIELDS);
    return facet->fields[index->field].number != 0 && (index->then == 0 || facet->fields[index->then].number != 0);
}

/* Read the message once, for all who ask for its fields. */
static void split(struct hs_facet *facet)
{
    struct hs_cur cur = hs_cur_of(facet->message);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number < HS_FACET_FIELDS)
            facet->fields[tlv.number] = tlv;
    }
}

/* An id is 16 bytes, the text that stands in the record too, or the hash of what does. */
bool hs_facet_is_named(const struct hs_facet *facet)
{
    struct hs_bytes id = facet->name.id;
    struct hs_id made;
    switch (facet->kind->id_form) {
    case HS_ID_FIELD:
        return hs_bytes_equal(hs_facet_bytes(facet, facet->kind->id_field), id);
    case HS_ID_HASH:
        hs_kind_id(facet->kind, facet->message, &made);
        return hs_bytes_equal(HS_BYTES(made.bytes, sizeof made.bytes), id);
    case HS_ID_128:
        break;
    }
    return id.size == HS_ID_BYTES;
}

/* What names an account lies in that account's district: else the same payment, put into two, would count twice where
 * both are held, and the holders of one district would not know.  What is the region's lies there, and what names a
 * district in that one. */
bool hs_facet_at_home(const struct hs_facet *facet)
{
    hs_partition home;
    if (facet->kind == NULL)
        return true;
    struct hs_bytes value = facet->kind->home_field != 0 ? hs_facet_bytes(facet, facet->kind->home_field)
                                                         : HS_BYTES_NONE;
    return !hs_kind_home(facet->kind, value, &home) || home == facet->name.partition;
}

bool hs_facet_is_shaped(const struct hs_facet *facet)
{
    return facet->kind->shape != HS_SHAPE_FACT || facet->record.variant_count != 0;
}

static enum hs_err check(const struct hs_facet *facet)
{
    if (facet->name.lane != facet->kind->lane)
        return HS_EINVAL;
    uint32_t field;
    enum hs_err err = hs_kind_check(facet->kind, facet->message, (struct hs_check){.complete = true}, &field, NULL);
    bool right = hs_facet_is_named(facet) && hs_facet_at_home(facet) && hs_facet_is_shaped(facet);
    return err == HS_OK && !right ? HS_EVALUE : err;
}

void hs_facet_of(struct hs_derive *derive, const struct hs_record_name *name, const struct hs_record *record,
                 struct hs_facet *facet)
{
    *facet = (struct hs_facet){.there = true, .name = *name, .record = *record, .kind = hs_kind_by_number(name->kind)};
    if (facet->kind == NULL)
        return;
    show(derive, facet);
    split(facet);
    if (*derive->err == HS_OK)
        facet->fault = check(facet);
    if (*derive->err == HS_OK && facet->kind->number != HS_KIND_DECISION)
        hs_decisions_judge(derive, facet);
}

void hs_facet_of_stored(struct hs_derive *derive, const struct hs_stored *stored, struct hs_facet *facet)
{
    struct hs_record_name name = stored->name;
    struct hs_record record = {0};
    struct hs_bytes state = hs_arena_copy(derive->arena, stored->state);
    name.id = hs_arena_copy(derive->arena, stored->name.id);
    *facet = (struct hs_facet){.name = stored->name};
    enum hs_err err = state.data == NULL || name.id.data == NULL ? HS_ENOMEM : HS_OK;
    if (err == HS_OK)
        err = hs_record_decode(state, derive->arena, &record);
    hs_derive_fail(derive, err == HS_EMALFORMED ? HS_EDAMAGED : err);
    if (err == HS_OK)
        hs_facet_of(derive, &name, &record, facet);
}

void hs_facet_load(struct hs_derive *derive, const struct hs_record_name *name, struct hs_facet *facet)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_bytes value;
    struct hs_stored stored;
    *facet = (struct hs_facet){.name = *name};
    enum hs_err err = hs_txn_get(derive->txn, HS_TABLE_STATE, HS_BYTES(key, hs_record_key(name, key)), &value);
    if (err == HS_ENOTFOUND)
        return;
    if (err == HS_OK)
        err = hs_state_read(name, value, &stored);
    if (err == HS_OK)
        hs_facet_of_stored(derive, &stored, facet);
    hs_derive_fail(derive, err);
}
