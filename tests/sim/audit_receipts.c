/* audit_receipts.c -- numbers on the slips in people's hands: each for one payment or reversal, without a gap in its
 * series. */
#include "tests/sim/audit_inside.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { KIND_ENTRY = 4 };

void audit_receipt_told(struct auditor *auditor, const struct audit_deed *deed, const struct deed_told *told,
                        const struct audit_record *fact, uint32_t bit)
{
    struct hs_bytes number = audit_text(told->receipt);
    bool any = false, found = false, twice = false; /* a memory that was set back counts again */
    for (const struct audit_list *at = fact->entries; at != NULL; at = at->next) {
        const struct audit_write *entry = audit_entered(at->record, fact, bit);
        if (entry == NULL)
            continue;
        any = true;
        found = found || hs_bytes_equal(at->record->id, number);
        twice = twice || entry->op->stream->author->fork_possible;
    }
    if (number.size == 0 ? any : !found)
        audit_fail(auditor, AUDIT_RECEIPTS, "%s told \"%s\" as the receipt of %s, and holds %s", told->machine->name,
                   told->receipt, audit_name(fact), any ? "other entries for it" : "no entry for it");
    if (number.size == 0)
        return;
    void **place = audit_map_at(&auditor->receipts, number);
    if (*place != NULL && *place != fact && !twice)
        audit_fail(auditor, AUDIT_RECEIPTS, "deed %" PRIu64 ": the number %s was told for %s and for %s",
                   deed->deed->number, told->receipt, audit_name(fact), audit_name(*place));
    *place = (void *)(uintptr_t)fact;
}

/* ---- series ---- */

struct series {
    uint64_t count, highest;
};

/* Where the counter begins: behind the last dash; 0: it has none. */
static size_t counter_of(struct hs_bytes number, uint64_t *counter)
{
    size_t at = number.size;
    uint64_t unit = 1;
    *counter = 0;
    while (at > 0 && number.data[at - 1] >= '0' && number.data[at - 1] <= '9') {
        *counter += unit * (uint64_t)(number.data[--at] - '0');
        unit *= 10;
    }
    return at < number.size && at > 0 && number.data[at - 1] == '-' ? at : 0;
}

static bool may_be_forked(const struct audit_record *entry)
{
    for (const struct audit_write *write = entry->writes; write != NULL; write = write->next) {
        if (write->op->stream->author->fork_possible)
            return true;
    }
    return false;
}

static void count_entry(struct auditor *auditor, struct audit_map *all, const struct audit_record *entry)
{
    uint64_t counter;
    size_t size = counter_of(entry->id, &counter);
    if (may_be_forked(entry))
        return;
    if (size == 0 || counter == 0)
        audit_fail(auditor, AUDIT_RECEIPTS, "%s is no number of a series", audit_name(entry));
    for (const struct audit_write *write = entry->writes->next; write != NULL; write = write->next) {
        if (!hs_bytes_equal(write->fact, entry->writes->fact))
            audit_fail(auditor, AUDIT_RECEIPTS, "%s was given twice, in %s and another", audit_name(entry),
                       audit_op_name(write->op));
    }
    struct series **series = (struct series **)audit_map_at(all, HS_BYTES(entry->id.data, size));
    if (*series == NULL)
        *series = calloc(1, sizeof **series);
    if (*series == NULL)
        abort();
    (*series)->count++;
    (*series)->highest = counter > (*series)->highest ? counter : (*series)->highest;
}

/* Over all entries that were ever seen, lost ones too: so a disk that was set back excuses nothing. */
void audit_receipts_check_end(struct auditor *auditor)
{
    struct audit_map all = {0};
    for (size_t i = 0; i < auditor->records.count; i++) {
        const struct audit_record *record = auditor->records.entries[i].value;
        if (record->kind == KIND_ENTRY && record->writes != NULL)
            count_entry(auditor, &all, record);
    }
    for (size_t i = 0; i < all.count; i++) {
        const struct series *series = all.entries[i].value;
        if (series->count != series->highest)
            audit_fail(auditor, AUDIT_RECEIPTS, "series %.*s: %" PRIu64 " numbers up to %" PRIu64 ": there is a gap",
                       (int)all.entries[i].key.size, (const char *)all.entries[i].key.data, series->count,
                       series->highest);
        free(all.entries[i].value);
    }
    audit_map_fini(&all);
}
