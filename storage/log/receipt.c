/* receipt.c -- which other stores have signed that they hold a stream, and how far.  Key: stream, store id u64.  Row: n
 * u64, hash 32, time u64, hub key 32, signature 64. */
#include "storage/log/inside.h"

#include "proto/msg/tlv.h"

#include <string.h>

#define RECEIPT_KEY_BYTES (HS_STREAM_KEY_BYTES + 8)
#define RECEIPT_ROW_BYTES (8 + HS_HASH_BYTES + 8 + HS_KEY_BYTES + HS_SIGNATURE_BYTES)

static void make_key(const struct hs_stream *stream, uint64_t store_id, uint8_t key[static RECEIPT_KEY_BYTES])
{
    hs_stream_key(stream, key);
    hs_be64(key + HS_STREAM_KEY_BYTES, store_id);
}

enum hs_err log_decode_receipt(struct hs_bytes key, struct hs_bytes row, struct hs_receipt *receipt)
{
    struct hs_cur cur = hs_cur_of(row);
    if (key.size != RECEIPT_KEY_BYTES)
        return HS_EDAMAGED;
    receipt->stream = hs_stream_from_key(key.data);
    receipt->store_id = hs_from_be64(key.data + HS_STREAM_KEY_BYTES);
    receipt->n = hs_cur_u64(&cur);
    hs_cur_copy(&cur, receipt->hash.bytes, HS_HASH_BYTES);
    receipt->time_ms = hs_cur_u64(&cur);
    hs_cur_copy(&cur, receipt->hub_key.bytes, HS_KEY_BYTES);
    hs_cur_copy(&cur, receipt->signature.bytes, HS_SIGNATURE_BYTES);
    return hs_cur_done(&cur) ? HS_OK : HS_EDAMAGED;
}

void log_put_receipt_row(struct hs_log *log, const struct hs_receipt *receipt)
{
    uint8_t key[RECEIPT_KEY_BYTES];
    make_key(&receipt->stream, receipt->store_id, key);
    uint8_t *row = hs_txn_reserve(log_change(log), LOG_RECEIPT, HS_BYTES(key, sizeof key), RECEIPT_ROW_BYTES);
    if (row == NULL)
        return;
    hs_be64(row, receipt->n);
    memcpy(row + 8, receipt->hash.bytes, HS_HASH_BYTES);
    hs_be64(row + 8 + HS_HASH_BYTES, receipt->time_ms);
    row += 8 + HS_HASH_BYTES + 8;
    memcpy(row, receipt->hub_key.bytes, HS_KEY_BYTES);
    memcpy(row + HS_KEY_BYTES, receipt->signature.bytes, HS_SIGNATURE_BYTES);
}

enum hs_err log_get_receipt(struct hs_txn *txn, const struct hs_stream *stream, uint64_t store_id,
                            struct hs_receipt *receipt)
{
    uint8_t key[RECEIPT_KEY_BYTES];
    struct hs_bytes row;
    make_key(stream, store_id, key);
    enum hs_err err = hs_txn_get(txn, LOG_RECEIPT, HS_BYTES(key, sizeof key), &row);
    return err == HS_OK ? log_decode_receipt(HS_BYTES(key, sizeof key), row, receipt) : err;
}

void log_drop_receipt(struct hs_log *log, const struct hs_stream *stream, uint64_t store_id)
{
    uint8_t key[RECEIPT_KEY_BYTES];
    make_key(stream, store_id, key);
    log_keep_row(log, LOG_RECEIPT, HS_BYTES(key, sizeof key));
    hs_txn_delete(log_change(log), LOG_RECEIPT, HS_BYTES(key, sizeof key));
}

/* Does it speak of the branch that is held here?  Only what is held can be compared; HS_EPRUNED: not held any more, or
 * it came as state. */
static enum hs_err check_branch(const struct hs_log_reader *reader, const struct hs_receipt *receipt)
{
    struct hs_hash hash;
    enum hs_err err = hs_log_hash_at(reader, &receipt->stream, receipt->n, &hash);
    if (err != HS_OK)
        return err == HS_ENOTFOUND && log_reaches(reader, &receipt->stream, receipt->n) ? HS_EPRUNED : err;
    return hs_hash_equal(&hash, &receipt->hash) ? HS_OK : HS_EFORK;
}

/* Of what is not here a receipt says something to who passes it on, to who is to get the stream, and to its writer, for
 * whom the ops will come back as well; and whose it is may not be known yet. */
static bool is_of_use(struct hs_log *log, const struct hs_stream *stream)
{
    if (log->certificate.role != HS_ROLE_HALL || hs_log_holds(log, stream->partition))
        return true;
    const struct hs_certificate *writer = hs_log_writer(log, &log->txn, stream->origin);
    return writer == NULL || strcmp(writer->node_id, log->certificate.node_id) == 0;
}

enum hs_err hs_log_put_receipt(struct hs_log *log, const struct hs_receipt *receipt, struct hs_bytes certificate)
{
    struct hs_receipt held;
    struct hs_log_reader reader = hs_log_reader_of(log);
    enum hs_err branch = check_branch(&reader, receipt); /* before anything is written */
    if (branch != HS_OK && branch != HS_ENOTFOUND && branch != HS_EPRUNED)
        return branch;
    enum hs_err err = hs_log_put_certificate(log, certificate);
    if (err != HS_OK)
        return err;
    if (branch == HS_ENOTFOUND && receipt->stream.origin == log->life.current)
        err = hs_log_prove_older(log, "a hub signed for more of this origin than this store holds");
    if (err != HS_OK)
        return err;
    if (branch == HS_ENOTFOUND && !is_of_use(log, &receipt->stream))
        return log->txn.err;
    if (branch == HS_ENOTFOUND)
        log_note_signed(log, receipt);
    err = log_get_receipt(&log->txn, &receipt->stream, receipt->store_id, &held);
    if (err == HS_ENOTFOUND || (err == HS_OK && receipt->n > held.n)) {
        log_put_receipt_row(log, receipt);
        return log_settle_receipt(log, &receipt->stream, receipt->store_id);
    }
    return err == HS_OK ? log->txn.err : err;
}

enum hs_err hs_log_receipts(struct hs_txn *txn, const struct hs_stream *stream, hs_visit_receipt visit, void *ctx)
{
    uint8_t prefix[HS_STREAM_KEY_BYTES];
    struct hs_scan scan;
    struct hs_receipt receipt;
    enum hs_err err = HS_OK;
    hs_stream_key(stream, prefix);
    hs_scan_begin(&scan, txn, LOG_RECEIPT, HS_BYTES(prefix, sizeof prefix), HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        if (log_decode_receipt(scan.key, scan.value, &receipt) == HS_OK) /* a row that is none says nothing */
            err = visit(ctx, &receipt);
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

bool log_receipt_raises(struct hs_log *log, const struct hs_stream *stream, uint64_t store_id, uint64_t n)
{
    struct hs_receipt held;
    enum hs_err err = log_get_receipt(&log->txn, stream, store_id, &held);
    return err == HS_ENOTFOUND || (err == HS_OK && held.n < n);
}

/* ---- receipts that go ---- */

/* The first of the stream's, or the first at or below n that is of another branch; HS_ENOTFOUND. */
static enum hs_err find_receipt(struct hs_log *log, const struct hs_stream *stream, const uint64_t *false_until,
                                uint8_t key[static RECEIPT_KEY_BYTES])
{
    struct hs_log_reader reader = hs_log_reader_of(log);
    struct hs_scan scan;
    struct hs_receipt receipt;
    enum hs_err err = HS_ENOTFOUND;
    hs_stream_key(stream, key);
    hs_scan_begin(&scan, &log->txn, LOG_RECEIPT, HS_BYTES(key, HS_STREAM_KEY_BYTES), HS_BYTES_NONE);
    while (err == HS_ENOTFOUND && hs_scan_next(&scan)) {
        bool is_one = log_decode_receipt(scan.key, scan.value, &receipt) == HS_OK;
        bool wanted = false_until == NULL ||
                      (is_one && receipt.n <= *false_until && check_branch(&reader, &receipt) == HS_EFORK);
        if (wanted && scan.key.size == RECEIPT_KEY_BYTES)
            err = HS_OK;
    }
    if (err == HS_OK)
        memcpy(key, scan.key.data, RECEIPT_KEY_BYTES);
    hs_scan_end(&scan);
    return log->txn.err == HS_OK ? err : log->txn.err;
}

static enum hs_err drop_receipts(struct hs_log *log, const struct hs_stream *stream, const uint64_t *false_until)
{
    uint8_t key[RECEIPT_KEY_BYTES];
    enum hs_err err = find_receipt(log, stream, false_until, key);
    while (err == HS_OK) {
        hs_txn_delete(log_change(log), LOG_RECEIPT, HS_BYTES(key, sizeof key));
        err = find_receipt(log, stream, false_until, key);
    }
    return err == HS_ENOTFOUND ? HS_OK : err;
}

enum hs_err log_drop_false_receipts(struct hs_log *log, const struct hs_stream *stream, uint64_t n)
{
    return drop_receipts(log, stream, &n);
}

void log_drop_receipts(struct hs_log *log, const struct hs_stream *stream)
{
    enum hs_err err = drop_receipts(log, stream, NULL);
    if (err != HS_OK)
        log_fail(log, err);
}

/* ---- who has signed ---- */

enum { CERTIFICATE_NODE = 2, SIGNED_BODY = 1, NODE_ID = 1, NODE_ROLE = 2, NODE_KEY = 3 }; /* fields of keys.proto */

static struct hs_bytes body_of(struct hs_bytes certificate)
{
    return hs_tlv_bytes(hs_tlv_bytes(certificate, CERTIFICATE_NODE), SIGNED_BODY);
}

static enum hs_err tell_holder(struct hs_bytes certificate, hs_visit_holder visit, void *ctx)
{
    char node_id[HS_NODE_ID_BYTES_MAX + 1] = "";
    struct hs_bytes body = body_of(certificate);
    struct hs_bytes id = hs_tlv_bytes(body, NODE_ID);
    if (id.size > HS_NODE_ID_BYTES_MAX)
        return HS_EDAMAGED;
    if (id.size > 0)
        memcpy(node_id, id.data, id.size);
    return visit(ctx, node_id, (enum hs_role)hs_tlv_u64(body, NODE_ROLE, 0));
}

/* This node's own word, for another store than the one that is open: what it held before it was restored is gone, and
 * only its backups are there besides. */
static bool is_of_lost_store(struct hs_txn *txn, const struct hs_receipt *receipt)
{
    return log_is_own_key(txn, &receipt->hub_key) && receipt->store_id != log_own_store(txn) &&
           receipt->store_id != hs_log_backup_store(txn);
}

/* Does it say that its store had that?  HS_EREVOKED: no, whoever has the key now may have signed it. */
static enum hs_err receipt_holds(struct hs_txn *txn, const struct hs_receipt *receipt)
{
    return log_check_revoked(txn, HS_BYTES(receipt->hub_key.bytes, HS_KEY_BYTES));
}

/* Does it say anything of how safe an operation is?  HS_EREVOKED: no, as above, or the store that it names is gone. */
static enum hs_err receipt_counts(struct hs_txn *txn, const struct hs_receipt *receipt)
{
    bool counts = false;
    enum hs_err err = is_of_lost_store(txn, receipt) ? HS_EREVOKED : receipt_holds(txn, receipt);
    if (err == HS_OK)
        err = hs_log_store_counts(txn, &receipt->hub_key, receipt->store_id, &counts);
    return err == HS_OK && !counts ? HS_EREVOKED : err;
}

struct holders {
    const struct hs_log_reader *reader;
    uint64_t n;
    uint64_t store_id;
    struct hs_bytes writer; /* node key */
    hs_visit_holder visit;
    void *ctx;
};

/* A receipt that came before the ops was not compared then.  The writer's own says nothing new: it is a hub that was
 * set back and has taken its own ops in again. */
static enum hs_err visit_signed(void *ctx, const struct hs_receipt *receipt)
{
    const struct holders *holders = ctx;
    struct hs_bytes certificate;
    bool another = receipt->store_id != holders->store_id &&
                   !hs_bytes_equal(HS_BYTES(receipt->hub_key.bytes, HS_KEY_BYTES), holders->writer);
    if (!another || receipt->n < holders->n)
        return HS_OK;
    enum hs_err err = receipt_counts(holders->reader->txn, receipt);
    if (err != HS_OK)
        return err == HS_EREVOKED ? HS_OK : err;
    err = check_branch(holders->reader, receipt);
    if (err != HS_OK && err != HS_EPRUNED)
        return HS_OK;
    err = hs_log_find_certificate(holders->reader->txn, &receipt->hub_key, &certificate);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err; /* nobody's key: it has rotted */
    return tell_holder(certificate, holders->visit, holders->ctx);
}

enum hs_err hs_log_holders(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n,
                           uint64_t store_id, hs_visit_holder visit, void *ctx)
{
    struct hs_bytes certificate, opening;
    struct holders holders = {reader, n, store_id, HS_BYTES_NONE, visit, ctx};
    if (hs_log_find_origin(reader->txn, stream->origin, &certificate, &opening) == HS_OK)
        holders.writer = hs_tlv_bytes(body_of(certificate), NODE_KEY);
    return hs_log_receipts(reader->txn, stream, visit_signed, &holders);
}

bool hs_log_is_own_origin(struct hs_txn *txn, uint64_t origin)
{
    struct hs_bytes certificate, opening;
    struct hs_key key;
    if (hs_log_find_origin(txn, origin, &certificate, &opening) != HS_OK)
        return false;
    struct hs_bytes writer = hs_tlv_bytes(body_of(certificate), NODE_KEY);
    if (writer.size != HS_KEY_BYTES)
        return false;
    memcpy(key.bytes, writer.data, HS_KEY_BYTES);
    return log_is_own_key(txn, &key);
}

enum hs_err hs_log_writer_holds(struct hs_txn *txn, uint64_t origin, hs_visit_holder visit, void *ctx)
{
    struct hs_bytes certificate, opening;
    enum hs_err err = hs_log_find_origin(txn, origin, &certificate, &opening);
    if (err == HS_OK)
        err = log_check_revoked(txn, hs_tlv_bytes(body_of(certificate), NODE_KEY));
    if (err == HS_EREVOKED)
        return HS_OK;
    return err == HS_OK ? tell_holder(certificate, visit, ctx) : err;
}

/* ---- how far ---- */

struct reach {
    struct hs_log_reader reader;
    bool others;           /* this node's own word does not count: whatever store it is of, it is no other hub's */
    bool beyond;           /* how far they had it once: also what is not held here, and what is gone since */
    bool ever;             /* who has signed at all, gone or revoked since or not */
    struct hs_bytes first; /* id of the hub that is at n[0] */
    uint64_t n[2];         /* the highest, and the highest of another hub: a hub, its backups and what was there before
                            * it under its name are one */
};

/* Is it the word of a hub?  One that has vouched for an operation has, though its store is gone since.  Of what is not
 * held nothing but the signature says that it has not rotted. */
static enum hs_err is_of_hub(const struct reach *reach, const struct hs_receipt *receipt, bool *is_hub,
                             struct hs_bytes *id)
{
    struct hs_txn *txn = reach->reader.txn;
    struct hs_bytes certificate;
    enum hs_err err = hs_log_find_certificate(txn, &receipt->hub_key, &certificate);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err; /* nobody's key: it has rotted */
    *id = hs_tlv_bytes(body_of(certificate), NODE_ID);
    *is_hub = hs_tlv_u64(body_of(certificate), NODE_ROLE, 0) == HS_ROLE_HUB &&
              (!reach->beyond || hs_receipt_verify(receipt) == HS_OK);
    if (*is_hub && !reach->ever)
        err = reach->beyond ? receipt_holds(txn, receipt) : receipt_counts(txn, receipt);
    *is_hub = *is_hub && err != HS_EREVOKED;
    return err == HS_EREVOKED ? HS_OK : err;
}

static enum hs_err raise(void *ctx, const struct hs_receipt *receipt)
{
    struct reach *reach = ctx;
    struct hs_bytes id = HS_BYTES_NONE;
    bool is_hub = false;
    if (receipt->n <= reach->n[1] || (reach->others && log_is_own_key(reach->reader.txn, &receipt->hub_key)))
        return HS_OK;
    enum hs_err err = is_of_hub(reach, receipt, &is_hub, &id);
    if (err != HS_OK || !is_hub)
        return err;
    err = check_branch(&reach->reader, receipt);
    if (err != HS_OK && err != HS_EPRUNED && !(reach->beyond && err == HS_ENOTFOUND))
        return HS_OK;
    bool same = reach->n[0] != 0 && hs_bytes_equal(id, reach->first);
    bool highest = receipt->n > reach->n[0];
    if (!same)
        reach->n[1] = highest ? reach->n[0] : receipt->n;
    if (highest) {
        reach->n[0] = receipt->n;
        reach->first = id;
    }
    return HS_OK;
}

static enum hs_err find_reach(struct hs_log *log, const struct hs_stream *stream, size_t stores, uint64_t *n)
{
    struct reach reach = {.reader = hs_log_reader_of(log), .others = true};
    enum hs_err err = hs_log_receipts(&log->txn, stream, raise, &reach);
    *n = reach.n[stores - 1];
    return err;
}

enum hs_err log_signed_by_hub(struct hs_log *log, const struct hs_stream *stream, uint64_t *n)
{
    return find_reach(log, stream, 1, n);
}

enum hs_err log_signed_by_two_hubs(struct hs_log *log, const struct hs_stream *stream, uint64_t *n)
{
    return find_reach(log, stream, 2, n);
}

/* Also what is not held yet: this is how far it may be taken. */
enum hs_err log_signed_at_all(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t *n)
{
    struct reach reach = {.reader = *reader, .beyond = true};
    enum hs_err err = hs_log_receipts(reader->txn, stream, raise, &reach);
    *n = reach.n[0];
    return err;
}

enum hs_err hs_log_two_hubs_had(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t *n)
{
    struct reach reach = {.reader = *reader, .ever = true};
    enum hs_err err = hs_log_receipts(reader->txn, stream, raise, &reach);
    *n = reach.n[1];
    return err;
}
