/* renew.c -- a store of this node that is not what it was: proven set back, or loaded from a copy.  It goes on under
 * another id, and what it vouches for is signed anew: a receipt must not say what the store does not hold. */
#include "storage/log/inside.h"

#include <stdlib.h>
#include <string.h>

#define KEY_RENEW  HS_BYTES("renew", 5)  /* why: at the next opening */
#define KEY_RESIGN HS_BYTES("resign", 6) /* u8 1: receipts are to be signed for all that is held */
#define KEY_STORE  HS_BYTES("store", 5)
#define KEY_NODE   HS_BYTES("node", 4)

/* Two processes under one key would make each other renew without end. */
#define RENEWALS_MAX 4
#define RENEWALS_MS  3600000

struct renewals {
    const struct hs_key *own;
    uint64_t since_ms, count;
};

static enum hs_err count_own(void *ctx, const struct hs_peer_store *row)
{
    struct renewals *renewals = ctx;
    renewals->count += row->since_ms >= renewals->since_ms && hs_key_equal(&row->node_key, renewals->own);
    return HS_OK;
}

/* As far as rows can be read: one that has rotted is no reason to vouch for what is not held. */
static bool is_too_often(struct hs_log *log)
{
    uint64_t now = log->now_ms(log->ctx);
    struct renewals renewals = {&log->certificate.node_key, now > RENEWALS_MS ? now - RENEWALS_MS : 1, 0};
    enum hs_err err = hs_log_peer_stores(&log->txn, count_own, &renewals);
    return (err == HS_OK || err == HS_EDAMAGED) && renewals.count >= RENEWALS_MAX;
}

enum hs_err log_renew(struct hs_log *log, const char *why)
{
    struct hs_bytes held;
    size_t size = strlen(why);
    enum hs_err err = hs_txn_get(&log->txn, LOG_META, KEY_RENEW, &held);
    if (err != HS_ENOTFOUND)
        return err;
    if (is_too_often(log))
        return log->txn.err;
    hs_txn_put(log_change(log), LOG_META, KEY_RENEW, HS_BYTES(why, size < WHY_BYTES_MAX ? size : WHY_BYTES_MAX));
    log->is_to_renew = true;
    return log->txn.err;
}

enum hs_err log_renew_or_strike(struct hs_log *log, const char *why)
{
    enum hs_err err = hs_log_strike(log, why);
    return err != HS_OK || log->certificate.role == HS_ROLE_HALL ? err : log_renew(log, why);
}

void log_mark_replaced(struct hs_txn *txn, uint64_t old_id, uint64_t now_ms)
{
    struct hs_bytes node;
    uint8_t key[HS_KEY_BYTES + 8], row[8 + 1 + 1] = {0}, one = 1;
    enum hs_err err = hs_txn_get(txn, LOG_META, KEY_NODE, &node); /* root key, node key, id */
    if (err != HS_OK || node.size < (size_t)2 * HS_KEY_BYTES) {
        if (txn->err == HS_OK)
            txn->err = HS_EDAMAGED;
        return;
    }
    memcpy(key, node.data + HS_KEY_BYTES, HS_KEY_BYTES);
    hs_be64(key + HS_KEY_BYTES, old_id);
    hs_be64(row, now_ms); /* state 0: gone */
    hs_txn_put(txn, LOG_PEER_STORE, HS_BYTES(key, sizeof key), HS_BYTES(row, sizeof row));
    hs_txn_put(txn, LOG_META, KEY_RESIGN, HS_BYTES(&one, 1));
}

/* ---- at the opening ---- */

/* Nor does it know of backups that were made since, for which it has signed in their one id: the next is another. */
static void draw(struct hs_log *log)
{
    uint8_t store[8];
    uint64_t old_id = log->store_id, backups = hs_log_backup_store(&log->txn);
    while (log->store_id == old_id || log->store_id == 0)
        log->random(log->ctx, &log->store_id, sizeof log->store_id);
    hs_be64(store, log->store_id);
    hs_txn_put(log_change(log), LOG_META, KEY_STORE, HS_BYTES(store, sizeof store));
    hs_txn_delete(&log->txn, LOG_META, KEY_RENEW);
    log_mark_replaced(&log->txn, old_id, log->now_ms(log->ctx));
    if (backups != 0) {
        hs_txn_delete(&log->txn, LOG_BACKUP, KEY_STORE);
        log_mark_replaced(&log->txn, backups, 0); /* it is no renewal */
    }
    log->stores_changed = true;
}

struct signing {
    struct hs_head *heads;
    size_t count, room;
};

static enum hs_err add_head(void *ctx, const struct hs_head *head)
{
    struct signing *signing = ctx;
    if (signing->count == signing->room) {
        size_t room = signing->room == 0 ? 64 : 2 * signing->room;
        struct hs_head *heads = reallocarray(signing->heads, room, sizeof *heads);
        if (heads == NULL)
            return HS_ENOMEM;
        signing->heads = heads;
        signing->room = room;
    }
    signing->heads[signing->count++] = *head;
    return HS_OK;
}

static enum hs_err sign_one(struct hs_log *log, const struct hs_head *head)
{
    struct hs_receipt receipt = {
        .store_id = log->store_id,
        .stream = head->stream,
        .n = head->n,
        .hash = head->hash,
        .time_ms = log->now_ms(log->ctx),
        .hub_key = log->certificate.node_key,
    };
    enum hs_err err = hs_receipt_sign(&receipt, &log->signer);
    if (err == HS_OK)
        log_put_receipt_row(log, &receipt);
    return err == HS_OK ? log->txn.err : err;
}

/* A witness begins where its hall says (PROTOCOL 8.13), and has nothing of what lies before: where nothing has come
 * behind that yet, only what two hubs have signed for may be vouched for.  What a hub begins behind it holds as state.
 */
enum hs_err log_may_vouch(struct hs_log *log, const struct hs_head *head, bool *may)
{
    uint64_t n = 0;
    *may = log->certificate.role == HS_ROLE_HUB;
    if (*may)
        return HS_OK;
    enum hs_err err = hs_log_beginning(&log->txn, &head->stream, &n);
    *may = err == HS_OK && n < head->n;
    if (err != HS_OK || *may)
        return err;
    err = log_signed_by_two_hubs(log, &head->stream, &n);
    *may = err == HS_OK && n >= head->n;
    return err;
}

static enum hs_err sign_if_held(struct hs_log *log, const struct hs_head *head)
{
    bool may = false;
    enum hs_err err = log_may_vouch(log, head, &may);
    return err == HS_OK && may ? sign_one(log, head) : err;
}

/* Of what it wrote itself its store counts without a receipt. */
static enum hs_err sign_all(struct hs_log *log)
{
    struct hs_log_reader reader = hs_log_reader_of(log);
    struct signing signing = {0};
    enum hs_err err = hs_log_heads(&reader, add_head, &signing);
    for (size_t i = 0; i < signing.count && err == HS_OK; i++) {
        const struct hs_certificate *writer = hs_log_writer(log, &log->txn, signing.heads[i].stream.origin);
        err = log->txn.err;
        if (err == HS_OK && (writer == NULL || !hs_key_equal(&writer->node_key, &log->certificate.node_key)))
            err = sign_if_held(log, &signing.heads[i]);
    }
    free(signing.heads);
    return err;
}

enum hs_err log_enter_store(struct hs_log *log)
{
    struct hs_bytes row;
    enum hs_err err = hs_txn_get(&log->txn, LOG_META, KEY_RENEW, &row);
    if (err == HS_OK) {
        memcpy(log->renewed, row.data, row.size < WHY_BYTES_MAX ? row.size : WHY_BYTES_MAX);
        log->renewed_from = log->store_id;
        draw(log);
    } else if (err != HS_ENOTFOUND) {
        return err;
    }
    err = hs_txn_get(&log->txn, LOG_META, KEY_RESIGN, &row);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? log->txn.err : err;
    hs_txn_delete(log_change(log), LOG_META, KEY_RESIGN);
    return log->certificate.role == HS_ROLE_HALL ? log->txn.err : sign_all(log);
}
