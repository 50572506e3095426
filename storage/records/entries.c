/* Cash entries of one fact: a payment sent twice to different windows, or before and after a rebuild, is one payment
 * with two receipts in people's hands, and somebody has to know. */
#include "proto/msg/tlv.h"
#include "storage/records/derive.h"

enum { ENTRY_AMOUNT = 3, ENTRY_FACT_KIND = 4, ENTRY_FACT_ID = 5, ENTRY_FACT_PARTITION = 6 };

#define LISTED_ENTRIES_MAX 8

/* The record of the fact that an entry is about; false if there can be none of that name. */
static bool fact_of(const struct hs_facet *entry, struct hs_record_name *name)
{
    if (!hs_facet_counts(entry))
        return false;
    uint64_t kind = hs_facet_number(entry, ENTRY_FACT_KIND);
    uint64_t partition = hs_facet_number(entry, ENTRY_FACT_PARTITION);
    if (kind > UINT16_MAX || !hs_partition_valid((uint32_t)partition))
        return false;
    *name = (struct hs_record_name){(hs_partition)partition, HS_LANE_MONEY, (uint16_t)kind,
                                    hs_facet_bytes(entry, ENTRY_FACT_ID)};
    return true;
}

static bool same_record(const struct hs_record_name *a, const struct hs_record_name *b)
{
    return a->partition == b->partition && a->lane == b->lane && a->kind == b->kind && hs_bytes_equal(a->id, b->id);
}

/* The entries of a fact in the order of their keys, from all districts: the second one may be another hall's. */
static struct hs_facet *entries_of(struct hs_derive *derive, const struct hs_record_name *fact)
{
    struct hs_wanted wanted = {.kind = HS_KIND_CASH_ENTRY, .index = "fact_id", .value = fact->id, .anywhere = true};
    struct hs_facet *first = NULL;
    struct hs_facet **end = &first;
    struct hs_facet *next;
    for (struct hs_facet *entry = hs_index_facets(derive, &wanted); entry != NULL; entry = next) {
        struct hs_record_name other;
        next = entry->next;
        if (!fact_of(entry, &other) || !same_record(&other, fact))
            continue;
        *end = entry;
        end = &entry->next;
    }
    *end = NULL;
    return first;
}

/* The amounts but that of the first, and the numbers of the first few. */
static void list_entries(struct hs_derive *derive, const struct hs_record_name *fact, const struct hs_facet *entries)
{
    struct hs_row_key key;
    struct hs_listing listing = {0};
    struct hs_buf numbers = {0};
    size_t count = 0;
    for (const struct hs_facet *entry = entries; entry != NULL; entry = entry->next, count++) {
        if (count != 0)
            listing.fen += hs_tlv_s64(entry->message, ENTRY_AMOUNT, 0);
        if (count < LISTED_ENTRIES_MAX)
            hs_buf_put_sized(&numbers, entry->name.id);
    }
    hs_derive_fail(derive, numbers.err);
    listing.detail = hs_buf_bytes(&numbers);
    hs_list_key(&key, HS_LIST_DOUBLE_ENTRY, fact, HS_BYTES_NONE);
    derive->sink->list(derive, &key, count > 1 ? &listing : NULL);
    hs_buf_fini(&numbers);
}

static void list_fact(struct hs_derive *derive, const struct hs_facet *entry)
{
    struct hs_record_name fact;
    if (fact_of(entry, &fact))
        list_entries(derive, &fact, entries_of(derive, &fact));
}

void hs_entry_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    struct hs_bytes fact_id = hs_facet_counts(new) ? hs_facet_bytes(new, ENTRY_FACT_ID) : HS_BYTES_NONE;
    struct hs_wanted wanted = {.kind = HS_KIND_CASH_ENTRY, .index = "fact_id", .value = fact_id, .anywhere = true};
    if (!old->there && hs_index_count(derive, &wanted, 2) < 2)
        return; /* a new entry and the only one, as nearly all are */
    list_fact(derive, old);
    list_fact(derive, new);
}

void hs_entry_whole(struct hs_derive *derive, const struct hs_facet *entry)
{
    struct hs_record_name fact;
    if (!fact_of(entry, &fact))
        return;
    const struct hs_facet *entries = entries_of(derive, &fact);
    if (entries != NULL && same_record(&entries->name, &entry->name)) /* the group is asked through its first */
        list_entries(derive, &fact, entries);
}
