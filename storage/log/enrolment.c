/* enrolment.c -- join tokens that were given out.  Key: hash of the secret, 32.  Row: role u8, node id (sized),
 * districts (varint count, u16 each), created u64, expires u64, used u8, node key 32. */
#include "storage/log/inside.h"

#include <string.h>

static struct hs_bytes hash_bytes(const struct hs_hash *hash)
{
    return HS_BYTES(hash->bytes, HS_HASH_BYTES);
}

enum hs_err hs_log_put_enrolment(struct hs_log *log, const struct hs_hash *secret_hash,
                                 const struct hs_enrolment *enrolment)
{
    struct hs_buf row = {0};
    hs_buf_put_u8(&row, (uint8_t)enrolment->role);
    hs_buf_put_sized(&row, HS_BYTES(enrolment->node_id, strlen(enrolment->node_id)));
    hs_buf_put_varint(&row, enrolment->district_count);
    for (size_t i = 0; i < enrolment->district_count; i++)
        hs_buf_put_u16(&row, enrolment->districts[i]);
    hs_buf_put_u64(&row, enrolment->created_ms);
    hs_buf_put_u64(&row, enrolment->expires_ms);
    hs_buf_put_u8(&row, enrolment->used);
    hs_buf_put(&row, enrolment->used_by.bytes, HS_KEY_BYTES);
    if (row.err != HS_OK)
        log_fail(log, row.err);
    hs_txn_put(log_change(log), LOG_ENROLMENT, hash_bytes(secret_hash), hs_buf_bytes(&row));
    hs_buf_fini(&row);
    return log->txn.err;
}

static enum hs_err decode(struct hs_bytes row, struct hs_enrolment *out)
{
    struct hs_cur cur = hs_cur_of(row);
    *out = (struct hs_enrolment){.role = (enum hs_role)hs_cur_u8(&cur)};
    struct hs_bytes id = hs_cur_sized(&cur);
    uint64_t count = hs_cur_varint(&cur);
    if (cur.err != HS_OK || id.size > HS_NODE_ID_BYTES_MAX || count > HS_SCOPE_MAX)
        return HS_EDAMAGED;
    memcpy(out->node_id, id.data, id.size);
    out->district_count = (size_t)count;
    for (size_t i = 0; i < out->district_count; i++)
        out->districts[i] = hs_cur_u16(&cur);
    out->created_ms = hs_cur_u64(&cur);
    out->expires_ms = hs_cur_u64(&cur);
    out->used = hs_cur_u8(&cur) != 0;
    hs_cur_copy(&cur, out->used_by.bytes, HS_KEY_BYTES);
    return hs_cur_done(&cur) ? HS_OK : HS_EDAMAGED;
}

enum hs_err hs_log_enrolment(struct hs_txn *txn, const struct hs_hash *secret_hash, struct hs_enrolment *out)
{
    struct hs_bytes row;
    enum hs_err err = hs_txn_get(txn, LOG_ENROLMENT, hash_bytes(secret_hash), &row);
    if (err == HS_ENOTFOUND)
        return HS_ETOKEN;
    return err == HS_OK ? decode(row, out) : err;
}

enum hs_err hs_log_enrolments(struct hs_txn *txn, hs_visit_enrolment visit, void *ctx)
{
    struct hs_scan scan;
    struct hs_enrolment enrolment;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, LOG_ENROLMENT, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        err = decode(scan.value, &enrolment);
        if (err == HS_OK)
            err = visit(ctx, &enrolment);
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}
