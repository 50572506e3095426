/* group.c -- a group of writes: begun, filled, committed whole or given up whole. */
#include "storage/log/inside.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define GROWN_FIRST 16

enum hs_err log_fail(struct hs_log *log, enum hs_err err)
{
    if (log->txn.err == HS_OK)
        log->txn.err = err;
    return log->txn.err;
}

struct hs_txn *log_change(struct hs_log *log)
{
    assert(log->in_group);
    log->dirty = true;
    return &log->txn;
}

enum hs_err hs_log_begin(struct hs_log *log)
{
    assert(!log->in_group);
    if (log->fatal != HS_OK)
        return log->fatal;
    enum hs_err err = hs_txn_begin(log->env, true, &log->txn);
    if (err != HS_OK)
        return err;
    log->in_group = true;
    log->dirty = false;
    log->migrates = log->stores_changed = log->is_to_renew = false;
    log->life_before = log->life;
    log->grown_count = 0;
    log->revoked = false;
    log->older_found = false;
    log->vouched_count = 0;
    log_begin_commit(log);
    if (log->schema < LOG_SCHEMA)
        err = log_migrate(log, NULL);
    if (err != HS_OK)
        hs_log_abort(log);
    return err;
}

/* An origin that was struck out stays so: what spoke against it is no less true because the disk was full. */
static void give_up(struct hs_log *log)
{
    struct log_life now = log->life;
    log->life = log->life_before;
    if (now.current != log->life.current && log->life.current != 0) {
        log->life.current = 0;
        memcpy(log->life.why, now.why, sizeof now.why);
        log->life_stale = true;
    }
    log->grown_count = 0;
    log->in_group = false;
    if (log->dirty) /* else none of them came with it: chores that find nothing to do end so, between segments, too */
        log_forget_certificates(log);
}

void hs_log_abort(struct hs_log *log)
{
    assert(log->in_group);
    hs_txn_abort(&log->txn);
    give_up(log);
}

/* ---- streams of the group ---- */

const struct log_grown *log_touched(const struct hs_log *log, const struct hs_stream *stream)
{
    for (size_t i = log->grown_count; i > 0; i--) {
        if (hs_stream_equal(&log->grown[i - 1].stream, stream))
            return &log->grown[i - 1];
    }
    return NULL;
}

static enum hs_err make_room(struct hs_log *log)
{
    if (log->grown_count < log->grown_room)
        return HS_OK;
    size_t room = log->grown_room == 0 ? GROWN_FIRST : 2 * log->grown_room;
    struct log_grown *grown = reallocarray(log->grown, room, sizeof *grown);
    if (grown == NULL)
        return log_fail(log, HS_ENOMEM);
    log->grown = grown;
    log->grown_room = room;
    return HS_OK;
}

struct log_grown *log_touch(struct hs_log *log, const struct hs_stream *stream)
{
    if (log->txn.err != HS_OK)
        return NULL;
    const struct log_grown *touched = log_touched(log, stream);
    if (touched != NULL)
        return &log->grown[touched - log->grown];
    struct log_checkpoint head = {0};
    enum hs_err err = log_find_checkpoint(&log->txn, stream, UINT64_MAX, &head);
    if (err == HS_ENOTFOUND) {
        head.hash = hs_chain_start(stream);
    } else if (err != HS_OK) {
        log_fail(log, err);
        return NULL;
    }
    if (make_room(log) != HS_OK)
        return NULL;
    struct log_grown *grown = &log->grown[log->grown_count++];
    *grown = (struct log_grown){
        .stream = *stream,
        .n = head.n,
        .hash = head.hash,
        .bytes = head.bytes,
        .sealed_n = head.n,
        .sealed_bytes = head.bytes,
        .before_n = head.n,
    };
    return grown;
}

static void put_checkpoint(struct hs_log *log, struct log_grown *grown, const struct hs_signature *signature,
                           bool begins)
{
    uint8_t key[OP_KEY_BYTES];
    size_t size = begins ? BEGINNING_ROW_BYTES : CHECKPOINT_ROW_BYTES;
    log_op_key(&grown->stream, grown->n, ROW_CHECKPOINT, key);
    uint8_t *row = hs_txn_reserve(log_change(log), LOG_OP, HS_BYTES(key, sizeof key), size);
    if (row == NULL)
        return;
    memcpy(row, grown->hash.bytes, HS_HASH_BYTES);
    memcpy(row + HS_HASH_BYTES, signature->bytes, HS_SIGNATURE_BYTES);
    hs_be64(row + HS_HASH_BYTES + HS_SIGNATURE_BYTES, grown->bytes);
    if (begins)
        row[size - 1] = BEGINNING_MARK;
    grown->sealed_n = grown->n;
    grown->sealed_bytes = grown->bytes;
}

void log_put_checkpoint(struct hs_log *log, struct log_grown *grown, const struct hs_signature *signature)
{
    put_checkpoint(log, grown, signature, false);
}

void log_begin_behind(struct hs_log *log, struct log_grown *grown, const struct hs_signed_head *head)
{
    assert(head->n > grown->n);
    grown->n = head->n;
    grown->hash = head->hash;
    put_checkpoint(log, grown, &head->signature, true);
}

void log_seal(struct hs_log *log, struct log_grown *grown)
{
    if (grown->n == grown->sealed_n || log->txn.err != HS_OK)
        return;
    struct hs_signature signature;
    enum hs_err err = hs_checkpoint_sign(&grown->stream, grown->n, &grown->hash, &log->signer, &signature);
    if (err != HS_OK)
        log_fail(log, err);
    else
        log_put_checkpoint(log, grown, &signature);
}

/* ---- commit ---- */

static enum hs_err make_result_room(struct hs_log *log)
{
    size_t room = log->grown_count + log->vouched_count;
    if (room <= log->result_room)
        return HS_OK;
    struct hs_head *heads = reallocarray(log->heads, room, sizeof *heads);
    if (heads == NULL)
        return log_fail(log, HS_ENOMEM);
    log->heads = heads;
    struct hs_receipt *receipts = reallocarray(log->receipts, room, sizeof *receipts);
    if (receipts == NULL)
        return log_fail(log, HS_ENOMEM);
    log->receipts = receipts;
    log->result_room = room;
    return HS_OK;
}

/* A hub's or a witness's word for what it holds once this commit is on disk: in the same transaction, so neither is
 * without the other.
 */
static void sign_receipt(struct hs_log *log, const struct log_grown *grown, struct hs_receipt *receipt)
{
    *receipt = (struct hs_receipt){
        .store_id = log->store_id,
        .stream = grown->stream,
        .n = grown->n,
        .hash = grown->hash,
        .time_ms = log->now_ms(log->ctx),
        .hub_key = log->certificate.node_key,
    };
    enum hs_err err = hs_receipt_sign(receipt, &log->signer);
    if (err != HS_OK)
        log_fail(log, err);
    else
        log_put_receipt_row(log, receipt);
}

static bool signs_receipts(const struct hs_log *log)
{
    return log->certificate.role == HS_ROLE_HUB || log->certificate.role == HS_ROLE_WITNESS;
}

static void conclude(struct hs_log *log, struct hs_commit *commit)
{
    size_t heads = 0;
    size_t receipts = 0;
    log_end_money_fills(log);
    if (log->txn.err != HS_OK || make_result_room(log) != HS_OK)
        return;
    for (size_t i = 0; i < log->grown_count; i++) {
        struct log_grown *grown = &log->grown[i];
        if (grown->n == grown->before_n)
            continue;
        log_seal(log, grown);
        log->heads[heads++] = (struct hs_head){grown->stream, grown->n, grown->hash};
        if (grown->received && signs_receipts(log))
            sign_receipt(log, grown, &log->receipts[receipts++]);
    }
    for (size_t i = 0; i < log->vouched_count; i++)
        log->receipts[receipts++] = log->vouched[i];
    commit->stores = log->stores_changed;
    commit->renews = log->is_to_renew;
    commit->heads = log->heads;
    commit->head_count = heads;
    commit->receipts = log->receipts;
    commit->receipt_count = receipts;
    commit->is_revoking = log->revoked;
    commit->older = log->older_found ? &log->older : NULL;
}

/* Is the disk where it was before the commit that failed? */
static bool unchanged(struct hs_log *log)
{
    struct hs_txn txn;
    if (hs_txn_begin(log->env, false, &txn) != HS_OK)
        return false;
    struct hs_position last = hs_log_last(&txn);
    bool same = txn.err == HS_OK && last.commit == log->position.commit && last.tag == log->position.tag;
    hs_txn_abort(&txn);
    return same;
}

static enum hs_err end_failed(struct hs_log *log, enum hs_err err)
{
    give_up(log);
    if ((err == HS_EFULL || err == HS_ENOMEM) && unchanged(log))
        return err;
    hs_note_drop(log->note);
    log->fatal = err;
    return err;
}

enum hs_err hs_log_commit(struct hs_log *log, struct hs_commit *commit)
{
    assert(log->in_group);
    *commit = (struct hs_commit){.position = log->position};
    if (log->txn.err == HS_OK && !log->dirty && !log->life_stale && !log->doubt_stale) {
        hs_log_abort(log);
        return HS_OK;
    }
    if (log->life_stale)
        log_put_life(log);
    if (log->doubt_stale)
        log_put_doubt(log);
    conclude(log, commit);
    struct hs_position next = {.commit = log->position.commit + 1};
    log->random(log->ctx, &next.tag, sizeof next.tag);
    log_put_commit(log, &next);
    if (log->txn.err != HS_OK) {
        enum hs_err err = log->txn.err;
        hs_log_abort(log);
        return err;
    }
    enum hs_err err = hs_txn_commit(&log->txn);
    if (err != HS_OK)
        return end_failed(log, err);
    log->in_group = false;
    log->life_stale = false;
    log->doubt_stale = false;
    if (log->migrates)
        log->schema = LOG_SCHEMA;
    /* Nothing of this commit may be shown to anybody before the note names it. */
    err = hs_note_write(log->note, &next, log->life.current);
    if (err != HS_OK) {
        log->fatal = err;
        return err;
    }
    log->position = next;
    commit->position = next;
    return HS_OK;
}
