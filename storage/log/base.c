/* base.c -- base states: records as they came from another store, and what folded ops became.  Key: record key.  Row:
 * the record's hash 32, its state.  The records are at any time what these and the ops add up to. */
#include "storage/log/inside.h"

#include "storage/model/record.h"

#include <string.h>

enum hs_err log_decode_base(struct hs_bytes key, struct hs_bytes row, struct hs_stored *state)
{
    if (row.size < HS_HASH_BYTES || hs_record_from_key(key, &state->name) != HS_OK)
        return HS_EDAMAGED;
    memcpy(state->hash.bytes, row.data, HS_HASH_BYTES);
    state->state = HS_BYTES(row.data + HS_HASH_BYTES, row.size - HS_HASH_BYTES);
    struct hs_hash actual = hs_record_hash(&state->name, state->state);
    return hs_hash_equal(&actual, &state->hash) ? HS_OK : HS_EDAMAGED;
}

void hs_log_put_base_state(struct hs_log *log, const struct hs_stored *state)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_bytes name = HS_BYTES(key, hs_record_key(&state->name, key));
    uint8_t *row = hs_txn_reserve(log_change(log), LOG_BASE, name, HS_HASH_BYTES + state->state.size);
    if (row == NULL)
        return;
    memcpy(row, state->hash.bytes, HS_HASH_BYTES);
    memcpy(row + HS_HASH_BYTES, state->state.data, state->state.size);
}

enum hs_err hs_log_base_state(struct hs_txn *txn, const struct hs_record_name *name, struct hs_stored *state)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_bytes bytes = HS_BYTES(key, hs_record_key(name, key));
    struct hs_bytes row;
    enum hs_err err = hs_txn_get(txn, LOG_BASE, bytes, &row);
    if (err == HS_OK)
        err = log_decode_base(bytes, row, state);
    state->name = *name;
    return err;
}

/* Behind @after, or from @from on, up to and with @to; none: no bound. */
struct bounds {
    struct hs_bytes after, from, to;
};

static enum hs_err visit_all(struct hs_txn *txn, const struct bounds *bounds, hs_visit_record visit, void *ctx)
{
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    bool all = bounds->after.size == 0 && bounds->from.size == 0 && bounds->to.size == 0;
    uint64_t visited = 0;
    hs_scan_begin(&scan, txn, LOG_BASE, HS_BYTES_NONE, bounds->after.size > 0 ? bounds->after : bounds->from);
    while (err == HS_OK && hs_scan_next(&scan)) {
        struct hs_stored state;
        visited++;
        if (bounds->after.size > 0 && hs_bytes_equal(scan.key, bounds->after))
            continue;
        if (bounds->to.size > 0 && hs_bytes_compare(scan.key, bounds->to) > 0)
            break;
        state.state = HS_BYTES_NONE;
        err = log_decode_base(scan.key, scan.value, &state);
        if (err != HS_OK && state.state.data != NULL) { /* its name can be read */
            state.state = HS_BYTES_NONE;
            err = HS_OK;
        }
        if (err == HS_OK)
            err = visit(ctx, &state);
    }
    hs_scan_end(&scan);
    uint64_t count = all && err == HS_OK ? hs_txn_count(txn, LOG_BASE) : visited;
    if (err == HS_OK)
        err = txn->err;
    return err == HS_OK && visited != count ? HS_EDAMAGED : err; /* nothing else says how many there are */
}

/* ---- one that rotted ---- */

enum hs_err hs_log_note_base(struct hs_log *log, const struct hs_record_name *name, const struct hs_stored *record)
{
    uint8_t key[HS_RECORD_KEY_BYTES_MAX];
    struct hs_bytes bytes = HS_BYTES(key, hs_record_key(name, key));
    struct hs_stored held;
    enum hs_err err = hs_log_base_state(&log->txn, name, &held);
    if (err != HS_EDAMAGED || log->txn.err != HS_OK)
        return err == HS_EDAMAGED || err == HS_ENOTFOUND ? log->txn.err : err;
    log_keep_row(log, LOG_BASE, bytes);
    if (record != NULL) {
        hs_log_put_base_state(log, record);
        return log->txn.err;
    }
    hs_txn_delete(log_change(log), LOG_BASE, bytes);
    log_reset_feeds(log);
    return hs_log_fill_begin(log, name->partition, name->lane);
}

/* The first that does not match its checksum; HS_ENOTFOUND. */
enum hs_err hs_log_find_rotten_base(struct hs_log *log, uint8_t key[static HS_RECORD_KEY_BYTES_MAX],
                                    struct hs_record_name *name)
{
    struct hs_scan scan;
    struct hs_stored state;
    enum hs_err err = HS_OK;
    bool found = false;
    hs_scan_begin(&scan, &log->txn, LOG_BASE, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && !found && hs_scan_next(&scan)) {
        found = log_decode_base(scan.key, scan.value, &state) != HS_OK;
        if (found && scan.key.size <= HS_RECORD_KEY_BYTES_MAX) {
            memcpy(key, scan.key.data, scan.key.size);
            err = hs_record_from_key(HS_BYTES(key, scan.key.size), name);
        }
    }
    hs_scan_end(&scan);
    if (log->txn.err != HS_OK)
        return log->txn.err;
    return err == HS_OK && !found ? HS_ENOTFOUND : err;
}

/* ---- all ---- */

enum hs_err hs_log_base_states(struct hs_txn *txn, struct hs_bytes after, hs_visit_record visit, void *ctx)
{
    return visit_all(txn, &(struct bounds){.after = after}, visit, ctx);
}

enum hs_err log_bases(struct hs_txn *txn, struct hs_bytes from, struct hs_bytes to, hs_visit_record visit, void *ctx)
{
    return visit_all(txn, &(struct bounds){.from = from, .to = to}, visit, ctx);
}
