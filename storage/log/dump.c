/* dump.c -- all rows of the log at one moment, for a backup; and what of them a backup has to know. */
#include "storage/log/inside.h"

#include <string.h>

uint32_t hs_dump_schema(void)
{
    return LOG_SCHEMA;
}

uint64_t hs_log_rows(struct hs_txn *txn)
{
    uint64_t rows = 0;
    for (hs_table table = 0; table < LOG_TABLE_COUNT; table++)
        rows += hs_txn_count(txn, table);
    return rows;
}

static enum hs_err dump_table(struct hs_txn *txn, hs_table table, hs_visit_row visit, void *ctx)
{
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, table, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan))
        err = visit(ctx, LOG_TABLES[table], scan.key, scan.value);
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

enum hs_err hs_log_dump(struct hs_txn *txn, hs_visit_row visit, void *ctx)
{
    enum hs_err err = HS_OK;
    for (hs_table table = 0; table < LOG_TABLE_COUNT && err == HS_OK; table++)
        err = dump_table(txn, table, visit, ctx);
    return err;
}

hs_table log_table_of(const char *name)
{
    hs_table table = 0;
    while (table < LOG_TABLE_COUNT && strcmp(LOG_TABLES[table], name) != 0)
        table++;
    return table;
}

bool hs_row_head(const char *table, struct hs_bytes key, struct hs_bytes value, struct hs_head *head)
{
    if (log_table_of(table) != LOG_OP || key.size != OP_KEY_BYTES || key.data[OP_KEY_BYTES - 1] != ROW_CHECKPOINT ||
        value.size < CHECKPOINT_ROW_BYTES)
        return false;
    head->stream = hs_stream_from_key(key.data);
    head->n = hs_from_be64(key.data + HS_STREAM_KEY_BYTES);
    memcpy(head->hash.bytes, value.data, HS_HASH_BYTES);
    return true;
}
