/* peer_store.c -- stores of hubs and witnesses: which are theirs now, which are gone.  Key: node key 32, store id u64;
 * id 0 stands for all that the key ever had.  Row: since u64 (ms), state u8, u8 1 while receipts are to be asked for
 * anew.  What is gone never comes back: ids are random. */
#include "storage/log/inside.h"
#include "proto/msg/tlv.h"

#include <string.h>

#define STORE_KEY_BYTES (HS_KEY_BYTES + 8)
#define STORE_ROW_BYTES (8 + 1 + 1)
#define ALL_OF_IT       0

static struct hs_bytes make_key(const struct hs_key *key, uint64_t id, uint8_t to[static STORE_KEY_BYTES])
{
    memcpy(to, key->bytes, HS_KEY_BYTES);
    hs_be64(to + HS_KEY_BYTES, id);
    return HS_BYTES(to, STORE_KEY_BYTES);
}

static enum hs_err decode(struct hs_bytes key, struct hs_bytes row, struct hs_peer_store *to)
{
    struct hs_cur cur = hs_cur_of(row);
    if (key.size != STORE_KEY_BYTES)
        return HS_EDAMAGED;
    memcpy(to->node_key.bytes, key.data, HS_KEY_BYTES);
    to->store_id = hs_from_be64(key.data + HS_KEY_BYTES);
    to->since_ms = hs_cur_u64(&cur);
    to->state = hs_cur_u8(&cur);
    to->is_wanted = hs_cur_u8(&cur) != 0;
    return hs_cur_done(&cur) && to->state <= HS_PEER_STORE_BACKUP ? HS_OK : HS_EDAMAGED;
}

static enum hs_err get_row(struct hs_txn *txn, const struct hs_key *key, uint64_t id, struct hs_peer_store *to)
{
    uint8_t bytes[STORE_KEY_BYTES];
    struct hs_bytes row, name = make_key(key, id, bytes);
    enum hs_err err = hs_txn_get(txn, LOG_PEER_STORE, name, &row);
    return err == HS_OK ? decode(name, row, to) : err;
}

static void put_row(struct hs_txn *txn, const struct hs_peer_store *row)
{
    uint8_t key[STORE_KEY_BYTES], value[STORE_ROW_BYTES];
    hs_be64(value, row->since_ms);
    value[8] = (uint8_t)row->state;
    value[9] = row->is_wanted;
    hs_txn_put(txn, LOG_PEER_STORE, make_key(&row->node_key, row->store_id, key), HS_BYTES(value, sizeof value));
}

/* ---- reading ---- */

static enum hs_err visit_rows(struct hs_txn *txn, struct hs_bytes prefix, hs_visit_peer_store visit, void *ctx)
{
    struct hs_scan scan;
    struct hs_peer_store row;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, LOG_PEER_STORE, prefix, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        err = decode(scan.key, scan.value, &row);
        if (err == HS_OK)
            err = visit(ctx, &row);
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

enum hs_err hs_log_peer_stores(struct hs_txn *txn, hs_visit_peer_store visit, void *ctx)
{
    return visit_rows(txn, HS_BYTES_NONE, visit, ctx);
}

static enum hs_err find_current(void *ctx, const struct hs_peer_store *row)
{
    if (row->state == HS_PEER_STORE_CURRENT)
        *(struct hs_peer_store *)ctx = *row;
    return HS_OK;
}

enum hs_err hs_log_peer_store(struct hs_txn *txn, const struct hs_key *key, struct hs_peer_store *current)
{
    *current = (struct hs_peer_store){0};
    enum hs_err err = visit_rows(txn, HS_BYTES(key->bytes, HS_KEY_BYTES), find_current, current);
    if (err != HS_OK)
        return err;
    return current->store_id == 0 ? HS_ENOTFOUND : HS_OK;
}

/* Whoever was never met may have any store; whoever was has those that it named itself. */
enum hs_err hs_log_store_counts(struct hs_txn *txn, const struct hs_key *key, uint64_t id, bool *counts)
{
    struct hs_peer_store row;
    *counts = false;
    enum hs_err err = get_row(txn, key, ALL_OF_IT, &row);
    if (err != HS_ENOTFOUND)
        return err;
    err = get_row(txn, key, id, &row);
    if (err == HS_OK)
        *counts = row.state != HS_PEER_STORE_GONE;
    if (err != HS_ENOTFOUND)
        return err;
    err = hs_log_peer_store(txn, key, &row);
    *counts = err == HS_ENOTFOUND;
    return err == HS_ENOTFOUND ? HS_OK : err;
}

/* ---- writing ---- */

struct finding {
    const struct hs_key *own, *gone;
    struct hs_peer_store row;
    bool is_found;
};

static enum hs_err find_unasked(void *ctx, const struct hs_peer_store *row)
{
    struct finding *finding = ctx;
    if (!finding->is_found && row->state == HS_PEER_STORE_CURRENT && !row->is_wanted &&
        !hs_key_equal(&row->node_key, finding->gone) && !hs_key_equal(&row->node_key, finding->own)) {
        finding->row = *row;
        finding->is_found = true;
    }
    return HS_OK;
}

/* What only a store had signed for that is gone, others may have signed for as well, and nobody told it again.  Noted
 * here, for a session may end before it has asked. */
static enum hs_err want_others(struct hs_log *log, const struct hs_key *gone)
{
    struct finding finding = {.own = &log->certificate.node_key, .gone = gone};
    enum hs_err err;
    do {
        finding.is_found = false;
        err = visit_rows(&log->txn, HS_BYTES_NONE, find_unasked, &finding);
        finding.row.is_wanted = true;
        if (err == HS_OK && finding.is_found)
            put_row(log_change(log), &finding.row);
    } while (err == HS_OK && finding.is_found && log->txn.err == HS_OK);
    return err == HS_OK ? log->txn.err : err;
}

static enum hs_err find_gone(void *ctx, const struct hs_peer_store *row)
{
    struct finding *finding = ctx;
    finding->is_found = finding->is_found ||
                        (row->state == HS_PEER_STORE_GONE && !hs_key_equal(&row->node_key, finding->own));
    return HS_OK;
}

static enum hs_err put_gone(struct hs_log *log, const struct hs_key *key, uint64_t id)
{
    struct hs_peer_store row;
    enum hs_err err = get_row(&log->txn, key, id, &row);
    if ((err != HS_OK && err != HS_ENOTFOUND) || (err == HS_OK && row.state == HS_PEER_STORE_GONE))
        return err;
    if (err == HS_ENOTFOUND && hs_txn_count(&log->txn, LOG_PEER_STORE) >= HS_PEER_STORES_MAX)
        return HS_ETOOBIG; /* somebody draws ids as others breathe */
    row = (struct hs_peer_store){.node_key = *key, .store_id = id, .since_ms = log->now_ms(log->ctx)};
    put_row(log_change(log), &row);
    log->stores_changed = true;
    err = log_settle_store(log, id);
    return err == HS_OK ? want_others(log, key) : err;
}

enum hs_err hs_log_store_gone(struct hs_log *log, const struct hs_key *key, uint64_t id)
{
    bool own = hs_key_equal(key, &log->certificate.node_key);
    if (own && id == log->store_id)
        return hs_log_prove_older(log, "others know this store to be gone: it is an older copy");
    return own && id == ALL_OF_IT ? HS_OK : put_gone(log, key, id);
}

struct meeting {
    const struct hs_met *met;
    struct hs_key key; /* of whom is met */
    struct hs_certificate certificate;
    uint64_t gone[HS_PEER_STORES_OF_KEY_MAX]; /* what it named before, and does not name now */
    size_t gone_count;
    size_t count;
    struct hs_key older; /* an earlier key of the same node; found */
    bool is_found;
    struct hs_txn *txn;
};

static enum hs_err note_row(void *ctx, const struct hs_peer_store *row)
{
    struct meeting *meeting = ctx;
    const struct hs_met *met = meeting->met;
    bool named = row->store_id == met->store_id || (met->backup_store != 0 && row->store_id == met->backup_store);
    if (++meeting->count > HS_PEER_STORES_OF_KEY_MAX)
        return HS_EBUSY;
    if (!named && row->state != HS_PEER_STORE_GONE)
        meeting->gone[meeting->gone_count++] = row->store_id;
    return HS_OK;
}

static enum hs_err name_store(struct hs_log *log, const struct meeting *meeting, uint64_t id, unsigned state)
{
    struct hs_peer_store row;
    struct finding any = {.own = &log->certificate.node_key, .is_found = meeting->count > 0}; /* it had another */
    enum hs_err err = get_row(&log->txn, &meeting->key, id, &row);
    if (err == HS_OK && (row.state == HS_PEER_STORE_GONE || row.state == state))
        return HS_OK;
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    if (err == HS_ENOTFOUND && hs_txn_count(&log->txn, LOG_PEER_STORE) >= HS_PEER_STORES_MAX)
        return HS_EBUSY;
    err = visit_rows(&log->txn, HS_BYTES_NONE, find_gone, &any);
    if (err != HS_OK)
        return err;
    row = (struct hs_peer_store){.node_key = meeting->key,
                                 .store_id = id,
                                 .state = state,
                                 .since_ms = log->now_ms(log->ctx),
                                 .is_wanted = state == HS_PEER_STORE_CURRENT && any.is_found};
    put_row(log_change(log), &row);
    log->stores_changed = true;
    return log->txn.err;
}

/* Of an earlier key of this node the whole is gone: the node was made anew. */
static enum hs_err find_older(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    struct meeting *meeting = ctx;
    const struct hs_certificate *now = &meeting->certificate;
    struct hs_bytes body = hs_tlv_bytes(hs_tlv_bytes(encoded, 2), 1); /* Certificate.node, Signed.body */
    struct hs_bytes id = hs_tlv_bytes(body, 1);                       /* NodeBody.node_id, below .issued_ms */
    struct hs_peer_store row;
    if (meeting->is_found || key.size != HS_KEY_BYTES || memcmp(key.data, meeting->key.bytes, HS_KEY_BYTES) == 0 ||
        !hs_bytes_equal(id, HS_BYTES(now->node_id, strlen(now->node_id))) || hs_tlv_u64(body, 8, 0) >= now->issued_ms)
        return HS_OK;
    memcpy(meeting->older.bytes, key.data, HS_KEY_BYTES);
    enum hs_err err = get_row(meeting->txn, &meeting->older, ALL_OF_IT, &row);
    meeting->is_found = err == HS_ENOTFOUND;
    return err == HS_ENOTFOUND ? HS_OK : err;
}

static enum hs_err retire_older(struct hs_log *log, struct meeting *meeting)
{
    enum hs_err err;
    do {
        meeting->is_found = false;
        err = hs_log_certificates(&log->txn, find_older, meeting);
        if (err == HS_OK && meeting->is_found)
            err = put_gone(log, &meeting->older, ALL_OF_IT);
    } while (err == HS_OK && meeting->is_found);
    return err;
}

enum hs_err hs_log_meet(struct hs_log *log, const struct hs_met *met)
{
    struct meeting meeting = {.met = met, .txn = &log->txn};
    enum hs_err err = log_decode_certificate(log, met->certificate, &meeting.certificate);
    if (err != HS_OK)
        return err;
    meeting.key = meeting.certificate.node_key;
    err = hs_log_put_certificate(log, met->certificate);
    if (err == HS_OK)
        err = visit_rows(&log->txn, HS_BYTES(meeting.key.bytes, HS_KEY_BYTES), note_row, &meeting);
    for (size_t i = 0; i < meeting.gone_count && err == HS_OK; i++)
        err = put_gone(log, &meeting.key, meeting.gone[i]);
    if (err == HS_OK && met->store_id != 0)
        err = name_store(log, &meeting, met->store_id, HS_PEER_STORE_CURRENT);
    if (err == HS_OK && met->backup_store != 0)
        err = name_store(log, &meeting, met->backup_store, HS_PEER_STORE_BACKUP);
    return err == HS_OK ? retire_older(log, &meeting) : err;
}

enum hs_err hs_log_store_told(struct hs_log *log, const struct hs_key *key, uint64_t id)
{
    struct hs_peer_store row;
    enum hs_err err = get_row(&log->txn, key, id, &row);
    if (err == HS_OK && row.is_wanted) {
        row.is_wanted = false;
        put_row(log_change(log), &row);
        log->stores_changed = true;
    }
    return err == HS_ENOTFOUND ? HS_OK : err != HS_OK ? err : log->txn.err;
}
