/* scan.c -- the records one by one, in steps: does each have the hash that was stored with it?  And the environment of
 * a store that nobody has open. */
#include "storage/records/env.h"

#include <string.h>

/* HS_EDAMAGED: *name is what can be read of its key. */
static enum hs_err read_row(const struct hs_scan *scan, struct hs_record_name *name)
{
    struct hs_stored stored;
    *name = (struct hs_record_name){.partition = 0};
    if (scan->key.size > HS_RECORD_KEY_BYTES_MAX || hs_record_from_key(scan->key, name) != HS_OK)
        return HS_EDAMAGED;
    return hs_state_read(name, scan->value, &stored);
}

enum hs_err hs_records_each(struct hs_txn *txn, hs_partition partition, uint8_t lane, hs_visit_record visit, void *ctx)
{
    uint8_t prefix[3];
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_be16(prefix, partition);
    prefix[2] = lane;
    hs_scan_begin(&scan, txn, HS_TABLE_STATE, HS_BYTES(prefix, sizeof prefix), HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        struct hs_record_name name;
        struct hs_stored stored;
        if (scan.key.size > HS_RECORD_KEY_BYTES_MAX || hs_record_from_key(scan.key, &name) != HS_OK ||
            hs_state_read(&name, scan.value, &stored) != HS_OK)
            continue;
        err = visit(ctx, &stored);
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

static enum hs_err scan_row(struct hs_records_scan *at, const struct hs_scan *scan, hs_visit_rotten visit, void *ctx)
{
    struct hs_rotten rotten = {.sort = HS_ROT_RECORD, .key = scan->key, .row = scan->value};
    enum hs_err err = read_row(scan, &rotten.name);
    at->records++;
    at->size = scan->key.size < sizeof at->key ? scan->key.size : sizeof at->key;
    memcpy(at->key, scan->key.data, at->size);
    return err == HS_EDAMAGED ? visit(ctx, &rotten) : err;
}

enum hs_err hs_records_scan(struct hs_txn *txn, struct hs_records_scan *at, size_t budget, hs_visit_rotten visit,
                            void *ctx)
{
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    bool more = true;
    hs_scan_begin(&scan, txn, HS_TABLE_STATE, HS_BYTES_NONE, HS_BYTES(at->key, at->size));
    while (err == HS_OK && budget > 0 && (more = hs_scan_next(&scan))) {
        if (at->size != 0 && hs_bytes_compare(scan.key, HS_BYTES(at->key, at->size)) <= 0)
            continue; /* where the step before ended */
        budget--;
        err = scan_row(at, &scan, visit, ctx);
    }
    hs_scan_end(&scan);
    at->over = !more;
    return err == HS_OK ? txn->err : err;
}

uint64_t hs_records_count(struct hs_txn *txn)
{
    return hs_txn_count(txn, HS_TABLE_STATE);
}

enum hs_err hs_records_inspect(const char *path, size_t map_bytes, struct hs_env **env, struct hs_why *why)
{
    struct hs_env_options options = {
        .path = path, .tables = HS_RECORDS_TABLES, .table_count = HS_TABLE_COUNT, .map_bytes = map_bytes};
    struct hs_meta meta = {0};
    struct hs_txn txn;
    uint64_t rules = 0;
    enum hs_err err = hs_env_open(&options, env, why);
    if (err != HS_OK)
        return err;
    err = hs_txn_begin(*env, false, &txn);
    if (err == HS_OK)
        err = hs_meta_read(&txn, &meta);
    hs_txn_abort(&txn);
    if (err == HS_OK)
        err = hs_rules_mark(&rules);
    if (err == HS_OK && (meta.version != HS_RECORDS_VERSION || meta.rules != rules))
        err = HS_ERESET;
    if (err != HS_OK)
        hs_env_close(*env);
    return err == HS_ENOTFOUND ? HS_ERESET : err;
}
