/* backups.c -- which backups of this store were verified, and what a hub vouches for by them: they are, together, a
 * store of its own, with an id that lives on from one to the next, for each holds what those before it held. */
#include "storage/log/inside.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_MAX     64 /* the oldest goes */
#define KEY_STORE    HS_BYTES("store", 5)
#define KEY_BYTES    8
#define ROW_MIN      (8 + 8 + 8 + HS_HASH_BYTES)
#define VOUCHED_STEP 64

static struct hs_bytes row_key(uint64_t time_ms, uint8_t key[static KEY_BYTES])
{
    hs_be64(key, time_ms);
    return HS_BYTES(key, KEY_BYTES);
}

/* ---- rows ---- */

static enum hs_err decode(struct hs_bytes key, struct hs_bytes value, struct hs_backup_row *row)
{
    struct hs_cur cur = hs_cur_of(value);
    if (key.size != KEY_BYTES || value.size < ROW_MIN)
        return HS_EDAMAGED;
    row->time_ms = hs_from_be64(key.data);
    row->position.commit = hs_cur_u64(&cur);
    row->position.tag = hs_cur_u64(&cur);
    row->bytes = hs_cur_u64(&cur);
    hs_cur_copy(&cur, row->file.bytes, HS_HASH_BYTES);
    row->path = hs_cur_take(&cur, cur.left);
    return HS_OK;
}

enum hs_err hs_log_backups(struct hs_txn *txn, hs_visit_backup visit, void *ctx)
{
    struct hs_scan scan;
    struct hs_backup_row row;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, LOG_BACKUP, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        if (hs_bytes_equal(scan.key, KEY_STORE))
            continue;
        err = decode(scan.key, scan.value, &row);
        if (err == HS_OK)
            err = visit(ctx, &row);
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

static void drop_oldest(struct hs_log *log)
{
    struct hs_scan scan;
    uint8_t oldest[KEY_BYTES];
    hs_scan_begin(&scan, &log->txn, LOG_BACKUP, HS_BYTES_NONE, HS_BYTES_NONE);
    bool found = hs_scan_next(&scan) && scan.key.size == KEY_BYTES;
    if (found)
        memcpy(oldest, scan.key.data, KEY_BYTES);
    hs_scan_end(&scan);
    if (found)
        hs_txn_delete(log_change(log), LOG_BACKUP, HS_BYTES(oldest, KEY_BYTES));
}

enum hs_err hs_log_put_backup(struct hs_log *log, const struct hs_backup_row *row)
{
    uint8_t key[KEY_BYTES];
    struct hs_buf value = {0};
    if (row->path.size > HS_BACKUP_PATH_BYTES_MAX)
        return HS_ETOOBIG;
    hs_buf_put_u64(&value, row->position.commit);
    hs_buf_put_u64(&value, row->position.tag);
    hs_buf_put_u64(&value, row->bytes);
    hs_buf_put(&value, row->file.bytes, HS_HASH_BYTES);
    hs_buf_put_bytes(&value, row->path);
    if (value.err == HS_OK) {
        hs_txn_put(log_change(log), LOG_BACKUP, row_key(row->time_ms, key), hs_buf_bytes(&value));
        if (hs_txn_count(&log->txn, LOG_BACKUP) > ROWS_MAX)
            drop_oldest(log);
    } else {
        log_fail(log, value.err);
    }
    hs_buf_fini(&value);
    return log->txn.err;
}

enum hs_err hs_log_drop_backup(struct hs_log *log, uint64_t time_ms)
{
    uint8_t key[KEY_BYTES];
    hs_txn_delete(log_change(log), LOG_BACKUP, row_key(time_ms, key));
    return log->txn.err;
}

/* ---- the store that they are ---- */

uint64_t hs_log_backup_store(struct hs_txn *txn)
{
    struct hs_bytes row;
    return hs_txn_get(txn, LOG_BACKUP, KEY_STORE, &row) == HS_OK && row.size == 8 ? hs_from_be64(row.data) : 0;
}

enum hs_err hs_log_retire_backups(struct hs_log *log)
{
    uint64_t id = hs_log_backup_store(&log->txn);
    if (id == 0)
        return log->txn.err;
    hs_txn_delete(log_change(log), LOG_BACKUP, KEY_STORE);
    return hs_log_store_gone(log, &log->certificate.node_key, id);
}

static uint64_t take_store(struct hs_log *log)
{
    uint8_t row[8];
    uint64_t id = hs_log_backup_store(&log->txn);
    if (id != 0 || log->txn.err != HS_OK)
        return id;
    while (id == 0 || id == log->store_id)
        log->random(log->ctx, &id, sizeof id);
    hs_be64(row, id);
    hs_txn_put(log_change(log), LOG_BACKUP, KEY_STORE, HS_BYTES(row, sizeof row));
    return id;
}

static struct hs_receipt *next_vouched(struct hs_log *log)
{
    if (log->vouched_count == log->vouched_room) {
        size_t room = log->vouched_room + VOUCHED_STEP;
        struct hs_receipt *vouched = reallocarray(log->vouched, room, sizeof *vouched);
        if (vouched == NULL) {
            log_fail(log, HS_ENOMEM);
            return NULL;
        }
        log->vouched = vouched;
        log->vouched_room = room;
    }
    return &log->vouched[log->vouched_count];
}

enum hs_err log_vouch(struct hs_log *log, uint64_t store_id, const struct hs_head *head)
{
    struct hs_receipt *receipt = next_vouched(log);
    if (receipt == NULL)
        return log->txn.err;
    *receipt = (struct hs_receipt){
        .store_id = store_id,
        .stream = head->stream,
        .n = head->n,
        .hash = head->hash,
        .time_ms = log->now_ms(log->ctx),
        .hub_key = log->certificate.node_key,
    };
    enum hs_err err = hs_receipt_sign(receipt, &log->signer);
    if (err != HS_OK)
        return log_fail(log, err);
    log_put_receipt_row(log, receipt);
    log->vouched_count++;
    return log->txn.err;
}

/* What the log itself does not hold any more, or another branch of it, is not vouched for. */
static enum hs_err vouch(struct hs_log *log, uint64_t id, const struct hs_head *head)
{
    struct hs_log_reader reader = hs_log_reader_of(log);
    struct hs_hash hash;
    const struct hs_certificate *writer = hs_log_writer(log, &log->txn, head->stream.origin);
    if (writer != NULL && hs_key_equal(&writer->node_key, &log->certificate.node_key))
        return log->txn.err; /* a writer's own receipt says nothing */
    if (!log_receipt_raises(log, &head->stream, id, head->n))
        return log->txn.err;
    enum hs_err err = hs_log_hash_at(&reader, &head->stream, head->n, &hash);
    if (err == HS_ENOTFOUND || (err == HS_OK && !hs_hash_equal(&hash, &head->hash)))
        return HS_OK;
    return err == HS_OK ? log_vouch(log, id, head) : err;
}

enum hs_err hs_log_vouch(struct hs_log *log, const struct hs_head *heads, size_t count)
{
    if (log->certificate.role != HS_ROLE_HUB)
        return HS_ENOTHUB;
    uint64_t id = take_store(log);
    enum hs_err err = log->txn.err;
    for (size_t i = 0; i < count && err == HS_OK; i++)
        err = vouch(log, id, &heads[i]);
    return err;
}
