/* Facts by who wrote them and when: rows of the index "written" of such kinds as have it, so that a day's report of a
 * hall finds what it did that day, and does not go through what all others did. */
#include "proto/base/text.h"
#include "storage/records/derive.h"

static struct hs_bytes value_of(const struct hs_facet *fact, char text[static HS_WRITTEN_BYTES])
{
    if (!hs_facet_counts(fact))
        return HS_BYTES_NONE;
    const struct hs_variant *variant = &fact->record.variants[0];
    hs_written_text(variant->dot.origin, hs_date_of(hs_stamp_ms(variant->stamp), 0), text);
    return HS_BYTES(text, HS_WRITTEN_BYTES - 1);
}

void hs_written_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    char before[HS_WRITTEN_BYTES];
    char after[HS_WRITTEN_BYTES];
    if (hs_kind_index(new->kind, HS_WRITTEN) == NULL)
        return;
    struct hs_bytes old_value = value_of(old, before);
    struct hs_bytes new_value = value_of(new, after);
    if (hs_bytes_equal(old_value, new_value))
        return;
    hs_index_row(derive, HS_WRITTEN, old_value, &new->name, false);
    hs_index_row(derive, HS_WRITTEN, new_value, &new->name, true);
}
