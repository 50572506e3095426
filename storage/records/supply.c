/* What a supplier sends of its records: the states of a partition and lane, in the order of their keys.  All of them:
 * also a payment that a strange writer put into another lane, which is parked and counts nowhere; else the digests of
 * who was filled would differ from everybody's for ever. */
#include "storage/records/env.h"

#include <string.h>

#define PLACE_BYTES 3 /* partition and lane, with which a record key begins */

static enum hs_err put_state(struct hs_buf *body, const struct hs_scan *scan)
{
    struct hs_record_name name;
    struct hs_stored stored;
    enum hs_err err = hs_record_from_key(scan->key, &name) == HS_OK ? HS_OK : HS_EDAMAGED;
    if (err == HS_OK)
        err = hs_state_read(&name, scan->value, &stored);
    if (err != HS_OK)
        return err;
    hs_buf_put_sized(body, scan->key);
    hs_buf_put_sized(body, stored.state);
    return body->err;
}

/* The next one must fit as well, unless it is the first. */
static bool is_full(const struct hs_scan *scan, size_t size, size_t limit)
{
    return size > 0 && (size >= limit || scan->key.size + scan->value.size > limit - size);
}

enum hs_err hs_records_states(struct hs_txn *txn, const struct hs_states_wanted *wanted, struct hs_buf *body,
                              struct hs_bytes *next, bool *last)
{
    uint8_t prefix[PLACE_BYTES];
    struct hs_scan scan;
    size_t start = body->size;
    size_t next_at = 0;
    size_t next_size = 0;
    enum hs_err err = HS_OK;
    *last = true;
    hs_be16(prefix, wanted->partition);
    prefix[2] = wanted->lane;
    if (wanted->after.size != 0 &&
        (wanted->after.size <= PLACE_BYTES || memcmp(wanted->after.data, prefix, PLACE_BYTES) != 0))
        return HS_EINVAL;
    hs_scan_begin(&scan, txn, HS_TABLE_STATE, HS_BYTES(prefix, sizeof prefix), wanted->after);
    while (err == HS_OK && *last && hs_scan_next(&scan)) {
        if (wanted->after.size != 0 && hs_bytes_equal(scan.key, wanted->after))
            continue;
        *last = !is_full(&scan, body->size - start, wanted->limit);
        if (!*last)
            break;
        next_at = body->size + 1; /* a record key is short: its length is one byte */
        next_size = scan.key.size;
        err = put_state(body, &scan);
    }
    hs_scan_end(&scan);
    err = err == HS_OK ? txn->err : err;
    if (err != HS_OK && body->err == HS_OK)
        body->size = start;
    *next = err == HS_OK && next_size > 0 ? HS_BYTES(body->data + next_at, next_size) : wanted->after;
    return err;
}

struct counter {
    hs_partition partition;
    uint8_t lane;
    uint64_t count;
};

static enum hs_err add_kind(void *ctx, const struct hs_digest *digest)
{
    struct counter *counter = ctx;
    const struct hs_kind *kind = hs_kind_by_number(digest->kind);
    if (digest->partition == counter->partition && kind != NULL && kind->lane == counter->lane)
        counter->count += digest->count;
    return HS_OK;
}

uint64_t hs_records_states_count(struct hs_txn *txn, hs_partition partition, uint8_t lane)
{
    struct counter counter = {partition, lane, 0};
    hs_records_digests(txn, add_kind, &counter); /* about: a failure shows where the states are read */
    return counter.count;
}
