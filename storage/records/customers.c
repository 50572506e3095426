/* Customers who are cut off: rows of an index that has nobody else, so that who has paid is found among hundreds. */
#include "storage/records/derive.h"

#include <string.h>

enum { CUSTOMER_STATUS = 8 };

static struct hs_bytes off_of(const struct hs_facet *customer)
{
    static const char off[] = HS_SUPPLY_OFF;
    struct hs_bytes value = HS_BYTES(off, sizeof off - 1);
    bool is_off = hs_facet_counts(customer) && hs_bytes_equal(hs_facet_bytes(customer, CUSTOMER_STATUS), value);
    return is_off ? value : HS_BYTES_NONE;
}

void hs_customer_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    struct hs_bytes before = off_of(old);
    struct hs_bytes after = off_of(new);
    if (hs_bytes_equal(before, after))
        return;
    hs_index_row(derive, HS_SUPPLY, before, &new->name, false);
    hs_index_row(derive, HS_SUPPLY, after, &new->name, true);
}

void hs_customer_whole(struct hs_derive *derive, const struct hs_facet *customer)
{
    struct hs_facet none = {.name = customer->name};
    hs_customer_change(derive, &none, customer);
}
