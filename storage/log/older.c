/* older.c -- what shows that this store is an older copy of itself: somebody was told more of this node's own writes
 * than it holds.  A start that merely cannot prove the contrary (a machine started anew) is none of it.
 *
 * meta "older": u64 found (ms), u64 last (ms), u64 operations that came back, u64 of these of lane money, who brought
 * the last of them (sized), how it was found (the rest). */
#include "storage/log/inside.h"

#include <stdio.h>
#include <string.h>

#define KEY_OLDER HS_BYTES("older", 5)
#define CAME_BACK "operations that it had written before and did not hold any more"

enum hs_err hs_log_older(struct hs_txn *txn, struct hs_older *older)
{
    struct hs_bytes row;
    *older = (struct hs_older){0};
    enum hs_err err = hs_txn_get(txn, LOG_META, KEY_OLDER, &row);
    if (err != HS_OK)
        return err;
    struct hs_cur cur = hs_cur_of(row);
    older->found_ms = hs_cur_u64(&cur);
    older->last_ms = hs_cur_u64(&cur);
    older->operations = hs_cur_u64(&cur);
    older->money = hs_cur_u64(&cur);
    struct hs_bytes from = hs_cur_sized(&cur);
    if (cur.err != HS_OK || from.size > HS_NODE_ID_BYTES_MAX || cur.left >= sizeof older->why)
        return HS_EDAMAGED;
    memcpy(older->from, from.data, from.size);
    memcpy(older->why, cur.at, cur.left);
    return HS_OK;
}

static void put(struct hs_log *log, const struct hs_older *older)
{
    struct hs_buf row = {0};
    log->older = *older;
    log->older_found = true;
    hs_buf_put_u64(&row, older->found_ms);
    hs_buf_put_u64(&row, older->last_ms);
    hs_buf_put_u64(&row, older->operations);
    hs_buf_put_u64(&row, older->money);
    hs_buf_put_sized(&row, HS_BYTES(older->from, strlen(older->from)));
    hs_buf_put(&row, older->why, strlen(older->why));
    if (row.err != HS_OK)
        log_fail(log, row.err);
    hs_txn_put(log_change(log), LOG_META, KEY_OLDER, hs_buf_bytes(&row));
    hs_buf_fini(&row);
}

/* What was found, to be added to: a later start that proves nothing begins another finding, and so does a row that has
 * rotted, which is to keep nothing from coming back. */
static enum hs_err find(struct hs_log *log, const char *why, struct hs_older *older)
{
    uint64_t now_ms = log->now_ms(log->ctx);
    enum hs_err err = hs_log_older(&log->txn, older);
    bool of_now = err == HS_OK && (log->doubt_ms <= older->found_ms || log->doubt_ms > now_ms);
    if (log->txn.err != HS_OK)
        return log->txn.err;
    if (!of_now) {
        *older = (struct hs_older){.found_ms = now_ms};
        snprintf(older->why, sizeof older->why, "%s", why);
    }
    older->last_ms = now_ms;
    return HS_OK;
}

enum hs_err hs_log_prove_older(struct hs_log *log, const char *why)
{
    struct hs_older older;
    enum hs_err err = log_renew_or_strike(log, why);
    if (err == HS_OK)
        err = find(log, why, &older);
    if (err != HS_OK)
        return err;
    put(log, &older);
    return log->txn.err;
}

/* Districts that come back to the scope bring own streams as well, which had been evicted. */
enum hs_err log_came_back(struct hs_log *log, const struct hs_segment *segment, uint64_t from)
{
    uint64_t count = segment->first + segment->count - from;
    struct hs_older older;
    if (from == 1 && hs_log_filling(&log->txn, segment->stream.partition))
        return log->txn.err;
    enum hs_err err = find(log, CAME_BACK, &older);
    if (err != HS_OK)
        return err;
    older.operations += count;
    older.money += segment->stream.lane == HS_LANE_MONEY ? count : 0;
    if (segment->from != NULL)
        snprintf(older.from, sizeof older.from, "%s", segment->from);
    put(log, &older);
    return log->txn.err;
}
