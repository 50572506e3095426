/* scope.c -- what this node holds in full: the districts of its certificate, narrowed by configuration.  A start
 * compares that with what it was before: what is new is filled, what is gone is evicted.  meta/scope: u8 extent, varint
 * count, u16 partitions, ascending. */
#include "storage/log/inside.h"

#include <string.h>

#define KEY_SCOPE HS_BYTES("scope", 5)

bool log_in_scope(const struct log_scope *scope, hs_partition partition)
{
    for (size_t i = 0; scope->extent == SCOPE_LISTED && i < scope->count; i++) {
        if (scope->partitions[i] == partition)
            return true;
    }
    return scope->extent == SCOPE_EVERYTHING;
}

bool hs_log_holds(const struct hs_log *log, hs_partition partition)
{
    return log_in_scope(&log->scope, partition);
}

/* A configured district that the certificate does not name (any more) is not held. */
static void effective_scope(const struct hs_certificate *own, const struct hs_log_options *options,
                            struct log_scope *scope)
{
    bool narrowed = options->district_count > 0;
    const hs_partition *districts = narrowed ? options->districts : own->districts;
    size_t count = narrowed ? options->district_count : own->district_count;
    *scope = (struct log_scope){.extent = SCOPE_NOTHING};
    if (own->role == HS_ROLE_WITNESS)
        return;
    scope->extent = own->role == HS_ROLE_HUB && !narrowed ? SCOPE_EVERYTHING : SCOPE_LISTED;
    for (size_t i = 0; i < count && scope->extent == SCOPE_LISTED && scope->count < HS_SCOPE_MAX; i++) {
        if (hs_certificate_scope(own, districts[i]))
            scope->partitions[scope->count++] = districts[i];
    }
    if (scope->extent == SCOPE_LISTED)
        scope->partitions[scope->count++] = HS_PARTITION_REGION;
}

/* ---- as it is kept ---- */

static void put_scope(struct hs_log *log)
{
    struct hs_buf row = {0};
    hs_buf_put_u8(&row, (uint8_t)log->scope.extent);
    hs_buf_put_varint(&row, log->scope.count);
    for (size_t i = 0; i < log->scope.count; i++)
        hs_buf_put_u16(&row, log->scope.partitions[i]);
    if (row.err != HS_OK)
        log_fail(log, row.err);
    hs_txn_put(log_change(log), LOG_META, KEY_SCOPE, hs_buf_bytes(&row));
    hs_buf_fini(&row);
}

/* HS_ENOTFOUND: none is kept. */
static enum hs_err get_scope(struct hs_txn *txn, struct log_scope *scope)
{
    struct hs_bytes row;
    enum hs_err err = hs_txn_get(txn, LOG_META, KEY_SCOPE, &row);
    if (err != HS_OK)
        return err;
    struct hs_cur cur = hs_cur_of(row);
    uint8_t extent = hs_cur_u8(&cur);
    uint64_t count = hs_cur_varint(&cur);
    if (cur.err != HS_OK || extent > SCOPE_EVERYTHING || count > HS_SCOPE_MAX + 1)
        return HS_EDAMAGED;
    *scope = (struct log_scope){.extent = (enum log_extent)extent, .count = (size_t)count};
    for (size_t i = 0; i < scope->count; i++)
        scope->partitions[i] = hs_cur_u16(&cur);
    return hs_cur_done(&cur) ? HS_OK : HS_EDAMAGED;
}

static bool same_scope(const struct log_scope *a, const struct log_scope *b)
{
    return a->extent == b->extent && a->count == b->count &&
           memcmp(a->partitions, b->partitions, a->count * sizeof *a->partitions) == 0;
}

/* ---- what has changed ---- */

/* The first partition from @from on with rows in the table; -1: none. */
static int32_t next_partition(struct hs_txn *txn, hs_table table, uint32_t from)
{
    uint8_t key[2];
    struct hs_scan scan;
    hs_be16(key, (uint16_t)from);
    hs_scan_begin(&scan, txn, table, HS_BYTES_NONE, HS_BYTES(key, sizeof key));
    int32_t found = hs_scan_next(&scan) && scan.key.size >= 2 ? hs_from_be16(scan.key.data) : -1;
    hs_scan_end(&scan);
    return found;
}

static enum hs_err fill_partition(struct hs_log *log, hs_partition partition)
{
    enum hs_err err = HS_OK;
    for (unsigned lane = HS_LANE_WORK; lane <= HS_LANE_BULK && err == HS_OK; lane++)
        err = hs_log_fill_begin(log, partition, (uint8_t)lane);
    return err;
}

static enum hs_err find_begun(struct hs_log *log, hs_partition partition, bool *found)
{
    struct hs_stream stream = {.partition = partition};
    enum hs_err err = log_next_stream(&log->txn, &stream, &stream);
    while (err == HS_OK && stream.partition == partition && !*found) {
        uint64_t n = 0;
        err = hs_log_beginning(&log->txn, &stream, &n);
        *found = err == HS_OK && n > 0;
        if (err == HS_OK)
            err = log_step_stream(&stream) ? log_next_stream(&log->txn, &stream, &stream) : HS_ENOTFOUND;
    }
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* A hub is filled by the logs of those below and beside it, and by state only where these are not kept any more: of
 * streams that an eviction has left nobody would be asked for what lies before. */
enum hs_err log_regain(struct hs_log *log, hs_partition partition)
{
    bool wanted = log->certificate.role == HS_ROLE_HALL;
    enum hs_err err = log->certificate.role == HS_ROLE_HUB ? find_begun(log, partition, &wanted) : HS_OK;
    return err == HS_OK && wanted ? fill_partition(log, partition) : err;
}

static enum hs_err regain_if_new(struct hs_log *log, const struct log_scope *before, hs_partition partition)
{
    bool evicting = true;
    if (log_in_scope(before, partition) || !hs_log_holds(log, partition))
        return HS_OK;
    enum hs_err err = log_evict_cancel(log, partition, &evicting);
    return err == HS_OK && !evicting ? log_regain(log, partition) : err; /* else at the end of the eviction */
}

/* Of a hub, whose scope may have no list, only where something is. */
static enum hs_err regain_new(struct hs_log *log, const struct log_scope *before)
{
    const struct log_scope *now = &log->scope;
    enum hs_err err = HS_OK;
    for (size_t i = 0; log->certificate.role == HS_ROLE_HALL && i < now->count && err == HS_OK; i++)
        err = regain_if_new(log, before, now->partitions[i]);
    int32_t at = log->certificate.role == HS_ROLE_HUB ? next_partition(&log->txn, LOG_OP, 0) : -1;
    while (at >= 0 && err == HS_OK) {
        err = regain_if_new(log, before, (hs_partition)at);
        at = at == UINT16_MAX ? -1 : next_partition(&log->txn, LOG_OP, (uint32_t)at + 1);
    }
    return err;
}

static enum hs_err evict_gone(struct hs_log *log, const struct log_scope *before)
{
    static const hs_table TABLES[] = {LOG_OP, LOG_BASE, LOG_FILL, LOG_RECEIPT, LOG_FORK};
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++) {
        int32_t at = next_partition(&log->txn, TABLES[i], 0);
        while (at >= 0 && err == HS_OK) {
            hs_partition partition = (hs_partition)at;
            if (log_in_scope(before, partition) && !hs_log_holds(log, partition))
                err = log_evict_begin(log, partition);
            at = at == UINT16_MAX ? -1 : next_partition(&log->txn, TABLES[i], (uint32_t)at + 1);
        }
    }
    return err == HS_OK ? log->txn.err : err;
}

static enum hs_err change_scope(struct hs_log *log, bool create)
{
    struct log_scope before = {.extent = SCOPE_NOTHING};
    enum hs_err err = get_scope(&log->txn, &before);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    bool known = err == HS_OK || create;
    if (err == HS_OK && same_scope(&before, &log->scope))
        return HS_OK;
    put_scope(log);
    if (!known)
        return log->txn.err; /* of a version that kept none: it has taken the logs of all that it holds */
    err = regain_new(log, &before);
    return err == HS_OK ? evict_gone(log, &before) : err;
}

enum hs_err log_enter_scope(struct hs_log *log, const struct hs_log_options *options)
{
    effective_scope(&log->certificate, options, &log->scope);
    enum hs_err err = change_scope(log, options->create);
    log->evicts_first = log->certificate.role == HS_ROLE_HUB && hs_txn_count(&log->txn, LOG_EVICT) > 0;
    for (size_t i = 0; i < log->scope.count && err == HS_OK; i++)
        log->evicts_first = log->evicts_first || hs_log_evicting(&log->txn, log->scope.partitions[i]);
    return err == HS_OK ? log->txn.err : err;
}

bool hs_log_evicts_first(const struct hs_log *log)
{
    return log->evicts_first;
}
