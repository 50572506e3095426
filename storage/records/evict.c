/* Records of a district that is not held any more go, a range at a time, with everything that follows from them. */
#include "storage/records/step.h"

#include <string.h>

static struct hs_bytes partition_prefix(hs_partition partition, uint8_t prefix[static 2])
{
    hs_be16(prefix, partition);
    return HS_BYTES(prefix, 2);
}

size_t hs_records_range(struct hs_txn *txn, const struct hs_records_range *range, size_t most,
                        uint8_t last[static HS_RECORD_KEY_BYTES_MAX], size_t *last_size)
{
    uint8_t prefix[2];
    struct hs_scan scan;
    size_t count = 0;
    hs_scan_begin(&scan, txn, HS_TABLE_STATE, partition_prefix(range->partition, prefix), range->after);
    while (count < most && hs_scan_next(&scan)) {
        if (hs_bytes_equal(scan.key, range->after) || scan.key.size > HS_RECORD_KEY_BYTES_MAX)
            continue;
        memcpy(last, scan.key.data, scan.key.size);
        *last_size = scan.key.size;
        count++;
    }
    hs_scan_end(&scan);
    return count;
}

bool hs_records_in_range(const struct hs_records_range *range, struct hs_bytes key)
{
    return hs_bytes_compare(key, range->after) > 0 && (range->to.size == 0 || hs_bytes_compare(key, range->to) <= 0);
}

/* Ops without effect lie in no range of records: they go with the first. */
static void forget_void(struct hs_records *records, hs_partition partition)
{
    uint8_t prefix[1 + 1 + 2] = {HS_LIST_VOID, HS_VOID_KEY_BYTES};
    hs_be16(prefix + 2, partition);
    bool found = true;
    while (found && records->txn.err == HS_OK) {
        struct hs_scan scan;
        struct hs_row_key key = {.size = 0};
        hs_scan_begin(&scan, &records->txn, HS_TABLE_LIST, HS_BYTES(prefix, sizeof prefix), HS_BYTES_NONE);
        found = hs_scan_next(&scan) && scan.key.size <= sizeof key.bytes;
        if (found)
            hs_row_key_put(&key, scan.key);
        hs_scan_end(&scan);
        if (found)
            records->derive.sink->list(&records->derive, &key, NULL);
    }
}

static enum hs_err remove_record(struct hs_records *records, struct hs_bytes key)
{
    struct hs_record_name name;
    struct hs_step step;
    enum hs_err err = hs_record_from_key(key, &name) == HS_OK ? HS_OK : HS_EDAMAGED;
    if (err == HS_OK)
        err = hs_step_begin(records, &name, &step);
    if (err == HS_OK)
        hs_step_remove(records, &step);
    hs_derive_fail(&records->derive, err);
    return records->txn.err;
}

enum hs_err hs_records_evict(struct hs_records *records, const struct hs_records_range *range)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    size_t size = 0;
    enum hs_err err = hs_records_make_ready(records);
    if (err == HS_OK && range->after.size == 0)
        forget_void(records, range->partition);
    while (err == HS_OK && hs_records_range(&records->txn, range, 1, key, &size) == 1 &&
           hs_records_in_range(range, HS_BYTES(key, size))) {
        err = remove_record(records, HS_BYTES(key, size));
        if (err == HS_OK)
            err = hs_records_make_ready(records);
    }
    return err == HS_OK ? records->txn.err : err;
}
