/* The months in which a notice is in force: rows of an index, so that a look-up of a customer finds what is so now. */
#include "storage/model/notice.h"
#include "storage/records/derive.h"

#include <string.h>

struct months {
    uint32_t list[HS_NOTICE_MONTHS_MAX];
    size_t count;
};

static void months_of(const struct hs_facet *notice, struct months *months)
{
    months->count = hs_facet_counts(notice) ? hs_notice_months(notice->message, months->list) : 0;
}

static bool has(const struct months *months, uint32_t month)
{
    for (size_t i = 0; i < months->count; i++) {
        if (months->list[i] == month)
            return true;
    }
    return false;
}

static void put_rows(struct hs_derive *derive, const struct hs_record_name *name, const struct months *of,
                     const struct months *but, bool there)
{
    char key[HS_NOTICE_KEY_BYTES];
    for (size_t i = 0; i < of->count; i++) {
        if (has(but, of->list[i]))
            continue;
        hs_notice_key(name->partition, of->list[i], key);
        hs_index_row(derive, "month", HS_BYTES(key, strlen(key)), name, there);
    }
}

void hs_notice_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    struct months before;
    struct months after;
    months_of(old, &before);
    months_of(new, &after);
    put_rows(derive, &new->name, &before, &after, false);
    put_rows(derive, &new->name, &after, &before, true);
}

void hs_notice_whole(struct hs_derive *derive, const struct hs_facet *notice)
{
    struct hs_facet none = {.name = notice->name};
    hs_notice_change(derive, &none, notice);
}
