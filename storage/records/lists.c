/* Derived lists: the rows that a record gives by itself, and reading them. */
#include "storage/model/record.h"
#include "storage/records/cache.h"
#include "storage/records/derive.h"
#include "storage/records/env.h"
#include "storage/records/records.h"

#include <string.h>

/* The numbers of the fields that wait for a person, each a varint. */
static bool rival_fields(struct hs_derive *derive, const struct hs_facet *facet, struct hs_listing *listing)
{
    struct hs_buf numbers = {0};
    if (facet->kind->shape != HS_SHAPE_REGISTER)
        return false;
    for (size_t i = 0; i < facet->record.field_count; i++) {
        const struct hs_field_state *field = &facet->record.fields[i];
        const struct hs_field_rule *rule = hs_kind_rule(facet->kind, field->number);
        if (rule != NULL && rule->policy == HS_POLICY_REVIEW && hs_field_rivals(field) != 0)
            hs_buf_put_varint(&numbers, field->number);
    }
    listing->detail = hs_arena_copy(derive->arena, hs_buf_bytes(&numbers));
    if (listing->detail.size != numbers.size || numbers.err != HS_OK)
        hs_derive_fail(derive, HS_ENOMEM);
    hs_buf_fini(&numbers);
    return listing->detail.size != 0;
}

static bool other_contents(struct hs_derive *derive, const struct hs_facet *facet, struct hs_listing *listing)
{
    (void)derive;
    (void)listing;
    return facet->kind->shape == HS_SHAPE_FACT && facet->record.variant_count > 1;
}

/* Until somebody has decided, and again where two have who did not know of each other. */
static bool undecided(struct hs_derive *derive, const struct hs_facet *facet, struct hs_listing *listing)
{
    (void)derive;
    const char *name = facet->fault != HS_OK ? hs_err_name(facet->fault) : "disputed";
    listing->detail = HS_BYTES(name, strlen(name));
    return facet->is_disputed || (facet->fault != HS_OK && facet->verdict == HS_VERDICT_NONE);
}

static const struct {
    enum hs_list list;
    bool (*belongs)(struct hs_derive *derive, const struct hs_facet *facet, struct hs_listing *listing);
} OWN_LISTS[] = {
    {HS_LIST_FIELD, rival_fields},
    {HS_LIST_FACT, other_contents},
    {HS_LIST_PARKED, undecided},
};

void hs_lists_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    for (size_t i = 0; i < sizeof OWN_LISTS / sizeof *OWN_LISTS; i++) {
        struct hs_listing listing = {0};
        bool belongs = OWN_LISTS[i].belongs(derive, new, &listing);
        if (!belongs && !old->there)
            continue; /* a new record without a flaw, as nearly all are */
        struct hs_row_key key;
        hs_list_key(&key, OWN_LISTS[i].list, &new->name, HS_BYTES_NONE);
        derive->sink->list(derive, &key, belongs ? &listing : NULL);
    }
}

/* ---- reading ---- */

static enum hs_err read_listed(const struct hs_scan *scan, struct hs_listed *listed)
{
    struct hs_cur cur = hs_cur_of(scan->value);
    hs_wide fen = hs_wide_take(&cur);
    listed->key = scan->key;
    listed->detail = hs_cur_take(&cur, cur.left);
    if (cur.err != HS_OK || hs_list_from_key(scan->key, &listed->list, &listed->name) != HS_OK)
        return HS_EDAMAGED;
    return hs_wide_narrow(fen, &listed->amount_fen);
}

enum hs_err hs_records_list(struct hs_txn *txn, enum hs_list list, struct hs_bytes after, hs_visit_listed visit,
                            void *ctx)
{
    uint8_t number = (uint8_t)list;
    struct hs_bytes prefix = list == 0 ? HS_BYTES_NONE : HS_BYTES(&number, 1);
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, HS_TABLE_LIST, prefix, after);
    while (err == HS_OK && hs_scan_next(&scan)) {
        struct hs_listed listed;
        if (after.size != 0 && hs_bytes_equal(scan.key, after))
            continue;
        err = read_listed(&scan, &listed);
        if (err == HS_OK)
            err = visit(ctx, &listed);
    }
    hs_scan_end(&scan);
    return err != HS_OK ? err : txn->err;
}

uint64_t hs_records_list_count(struct hs_txn *txn, enum hs_list list)
{
    struct hs_bytes value;
    struct hs_sums sums = {0};
    uint8_t key[HS_LIST_COUNT_KEY_BYTES];
    hs_records_settle(txn);
    if (list == 0)
        return hs_txn_count(txn, HS_TABLE_LIST);
    if (hs_txn_get(txn, HS_TABLE_META, hs_list_count_key(list, key), &value) == HS_OK)
        hs_sums_read(value, &sums);
    return (uint64_t)sums.of[0].count;
}

bool hs_records_listed(struct hs_txn *txn, enum hs_list list, const struct hs_record_name *name)
{
    struct hs_row_key key;
    struct hs_scan scan;
    hs_list_key(&key, list, name, HS_BYTES_NONE);
    hs_scan_begin(&scan, txn, HS_TABLE_LIST, hs_row_key_bytes(&key), HS_BYTES_NONE);
    bool found = hs_scan_next(&scan);
    hs_scan_end(&scan);
    return found;
}
