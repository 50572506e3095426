/* origin.c -- certificates and origins: who wrote what, and under which origin this node writes now. */
#include "storage/log/inside.h"
#include "proto/msg/tlv.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN_FIRST 16

struct log_known {
    struct hs_certificate *certificate;
};

static struct hs_bytes key_bytes(const struct hs_key *key)
{
    return HS_BYTES(key->bytes, HS_KEY_BYTES);
}

/* ---- decoded certificates ---- */

void log_forget_certificates(struct hs_log *log)
{
    for (size_t i = 0; i < log->known_count; i++)
        free(log->known[i].certificate);
    log->known_count = 0;
    log->memo_origin = 0;
    log->memo_writer = NULL;
}

enum hs_err log_decode_certificate(const struct hs_log *log, struct hs_bytes encoded, struct hs_certificate *out)
{
    return hs_certificate_verify(encoded, &log->certificate.root_key, out);
}

/* Where the key is, or belongs. */
static size_t known_index(const struct hs_log *log, struct hs_bytes key)
{
    size_t low = 0;
    size_t high = log->known_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hs_bytes_compare(key_bytes(&log->known[middle].certificate->node_key), key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static enum hs_err make_known_room(struct hs_log *log)
{
    if (log->known_count < log->known_room)
        return HS_OK;
    size_t room = log->known_room == 0 ? KNOWN_FIRST : 2 * log->known_room;
    struct log_known *known = reallocarray(log->known, room, sizeof *known);
    if (known == NULL)
        return HS_ENOMEM;
    log->known = known;
    log->known_room = room;
    return HS_OK;
}

/* One that was verified when it was taken in: that it holds no more means damage, except that memory may be short. */
static enum hs_err decode_held(const struct hs_log *log, struct hs_bytes encoded, struct hs_certificate *out)
{
    enum hs_err err = log_decode_certificate(log, encoded, out);
    return err == HS_OK || err == HS_ENOMEM ? err : HS_EDAMAGED;
}

/* A certificate that is there and cannot be had is a failure of @txn: if its node's ops were taken for those of nobody,
 * they would be void here and nowhere else. */
static const struct hs_certificate *learn(struct hs_log *log, struct hs_txn *txn, size_t index, struct hs_bytes encoded)
{
    enum hs_err err = make_known_room(log);
    struct hs_certificate *certificate = err == HS_OK ? malloc(sizeof *certificate) : NULL;
    err = certificate == NULL ? HS_ENOMEM : decode_held(log, encoded, certificate);
    if (err != HS_OK) {
        free(certificate);
        txn->err = txn->err == HS_OK ? err : txn->err;
        return NULL;
    }
    memmove(&log->known[index + 1], &log->known[index], (log->known_count - index) * sizeof *log->known);
    log->known[index].certificate = certificate;
    log->known_count++;
    return certificate;
}

static const struct hs_certificate *find_known(struct hs_log *log, struct hs_txn *txn, struct hs_bytes key)
{
    size_t index = known_index(log, key);
    if (index < log->known_count && hs_bytes_equal(key_bytes(&log->known[index].certificate->node_key), key))
        return log->known[index].certificate;
    struct hs_bytes encoded;
    if (hs_txn_get(txn, LOG_CERTIFICATE, key, &encoded) != HS_OK)
        return NULL;
    return learn(log, txn, index, encoded);
}

/* ---- rows of origins: node key 32, opening ---- */

static enum hs_err get_origin(struct hs_txn *txn, uint64_t origin, struct hs_bytes *node_key, struct hs_bytes *opening)
{
    uint8_t key[8];
    struct hs_bytes row;
    hs_be64(key, origin);
    enum hs_err err = hs_txn_get(txn, LOG_ORIGIN, HS_BYTES(key, sizeof key), &row);
    if (err != HS_OK)
        return err;
    if (row.size < HS_KEY_BYTES)
        return HS_EDAMAGED;
    *node_key = HS_BYTES(row.data, HS_KEY_BYTES);
    *opening = HS_BYTES(row.data + HS_KEY_BYTES, row.size - HS_KEY_BYTES);
    return HS_OK;
}

static void put_origin(struct hs_log *log, uint64_t origin, const struct hs_key *node_key, struct hs_bytes opening)
{
    uint8_t key[8];
    hs_be64(key, origin);
    uint8_t *row = hs_txn_reserve(log_change(log), LOG_ORIGIN, HS_BYTES(key, sizeof key), HS_KEY_BYTES + opening.size);
    if (row == NULL)
        return;
    memcpy(row, node_key->bytes, HS_KEY_BYTES);
    memcpy(row + HS_KEY_BYTES, opening.data, opening.size);
}

const struct hs_certificate *hs_log_writer(struct hs_log *log, struct hs_txn *txn, uint64_t origin)
{
    struct hs_bytes node_key;
    struct hs_bytes opening;
    if (log->memo_writer != NULL && log->memo_origin == origin)
        return log->memo_writer;
    if (get_origin(txn, origin, &node_key, &opening) != HS_OK)
        return NULL;
    const struct hs_certificate *writer = find_known(log, txn, node_key);
    log->memo_origin = origin;
    log->memo_writer = writer;
    return writer;
}

const struct hs_certificate *hs_log_writer_of_held(struct hs_log *log, struct hs_txn *txn, uint64_t origin)
{
    const struct hs_certificate *writer = hs_log_writer(log, txn, origin);
    if (writer == NULL && txn->err == HS_OK)
        txn->err = HS_EDAMAGED;
    return writer;
}

/* ---- taking certificates and origins in ---- */

/* Of two certificates of one key the later issued stands; one that does not hold any more gives way to any. */
static enum hs_err is_newer(const struct hs_log *log, const struct hs_certificate *certificate, struct hs_bytes held,
                            bool *newer)
{
    struct hs_certificate old;
    enum hs_err err = decode_held(log, held, &old);
    if (err == HS_OK && certificate->home != old.home)
        return HS_ECERT; /* the home of a key never changes: what its streams are asked for by */
    *newer = err == HS_EDAMAGED || (err == HS_OK && certificate->issued_ms > old.issued_ms);
    return err == HS_EDAMAGED ? HS_OK : err;
}

static enum hs_err put_certificate(struct hs_log *log, struct hs_bytes encoded, struct hs_certificate *certificate)
{
    struct hs_bytes held;
    bool newer = true;
    enum hs_err err = log_decode_certificate(log, encoded, certificate);
    if (err != HS_OK)
        return err;
    err = hs_txn_get(&log->txn, LOG_CERTIFICATE, key_bytes(&certificate->node_key), &held);
    if (err == HS_OK && hs_bytes_equal(held, encoded))
        return HS_OK;
    if (err == HS_OK)
        err = is_newer(log, certificate, held, &newer);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return err;
    if (!newer)
        return HS_OK;
    log_forget_certificates(log);
    hs_txn_put(log_change(log), LOG_CERTIFICATE, key_bytes(&certificate->node_key), encoded);
    return log->txn.err;
}

enum hs_err hs_log_put_certificate(struct hs_log *log, struct hs_bytes encoded)
{
    struct hs_certificate certificate;
    return put_certificate(log, encoded, &certificate);
}

/* Is exactly this opening held?  Spares the signature check for what comes ahead of every session. */
static bool holds_opening(struct hs_log *log, struct hs_bytes opening)
{
    struct hs_bytes node_key;
    struct hs_bytes held;
    uint64_t origin = hs_tlv_u64(hs_tlv_bytes(opening, 1), 1, 0);
    return get_origin(&log->txn, origin, &node_key, &held) == HS_OK && hs_bytes_equal(held, opening);
}

enum hs_err hs_log_put_origin(struct hs_log *log, struct hs_bytes encoded, struct hs_bytes opening)
{
    struct hs_certificate certificate;
    struct hs_opening opened;
    struct hs_bytes node_key;
    struct hs_bytes held;
    enum hs_err err = put_certificate(log, encoded, &certificate);
    if (err != HS_OK || holds_opening(log, opening))
        return err;
    err = hs_opening_verify(opening, &opened);
    if (err != HS_OK)
        return err;
    if (opened.origin == 0 || !hs_key_equal(&opened.node_key, &certificate.node_key))
        return HS_ECERT;
    err = get_origin(&log->txn, opened.origin, &node_key, &held);
    if (err == HS_OK) /* another opening of an origin that is known: the first one stands, if it is the same node's */
        return hs_bytes_equal(node_key, key_bytes(&opened.node_key)) ? HS_OK : HS_ECERT;
    if (err != HS_ENOTFOUND)
        return err;
    put_origin(log, opened.origin, &opened.node_key, opening);
    if (strcmp(certificate.node_id, log->certificate.node_id) == 0) {
        log->life.count++;
        log_put_life(log);
    }
    return log->txn.err;
}

/* ---- this node's own ---- */

static enum hs_err draw_origin(struct hs_log *log, uint64_t *origin)
{
    struct hs_bytes node_key;
    struct hs_bytes opening;
    enum hs_err err;
    do {
        log->random(log->ctx, origin, sizeof *origin);
        err = get_origin(&log->txn, *origin, &node_key, &opening);
    } while (*origin == 0 || err == HS_OK);
    return err == HS_ENOTFOUND ? HS_OK : err;
}

static void open_origin(struct hs_log *log, uint64_t origin)
{
    struct hs_opening opening = {
        .origin = origin,
        .node_key = log->certificate.node_key,
        .follows = log->life.last,
        .opened_ms = log->now_ms(log->ctx),
    };
    struct hs_buf encoded = {0};
    enum hs_err err = hs_opening_sign(&opening, &log->signer, &encoded);
    if (err == HS_OK)
        err = encoded.err;
    if (err == HS_OK) {
        put_origin(log, origin, &opening.node_key, hs_buf_bytes(&encoded));
        log->life.current = origin;
        log->life.last = origin;
        log->life.count++;
        log_put_life(log);
    } else {
        log_fail(log, err);
    }
    hs_buf_fini(&encoded);
}

enum hs_err hs_log_origin(struct hs_log *log, uint64_t *origin)
{
    if (log->life.current == 0) {
        uint64_t fresh;
        enum hs_err err = draw_origin(log, &fresh);
        if (err != HS_OK)
            return log_fail(log, err);
        open_origin(log, fresh);
    }
    *origin = log->life.current;
    return log->txn.err;
}

enum hs_err hs_log_strike(struct hs_log *log, const char *why)
{
    if (log->life.current == 0)
        return log->txn.err;
    log->life.current = 0;
    snprintf(log->life.why, sizeof log->life.why, "%s", why);
    log_put_life(log);
    return log->txn.err;
}

/* ---- reading ---- */

enum hs_err hs_log_origins(struct hs_txn *txn, hs_visit_origin visit, void *ctx)
{
    struct hs_scan scan;
    struct hs_key key;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, LOG_ORIGIN, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan)) {
        err = scan.key.size == 8 && scan.value.size > HS_KEY_BYTES ? HS_OK : HS_EDAMAGED;
        if (err != HS_OK)
            break;
        memcpy(key.bytes, scan.value.data, HS_KEY_BYTES);
        err = visit(ctx, hs_from_be64(scan.key.data), &key);
    }
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

enum hs_err hs_log_find_certificate(struct hs_txn *txn, const struct hs_key *node_key, struct hs_bytes *certificate)
{
    return hs_txn_get(txn, LOG_CERTIFICATE, key_bytes(node_key), certificate);
}

enum hs_err log_find_writer(struct hs_txn *txn, uint64_t origin, struct hs_key *node_key)
{
    struct hs_bytes key, opening;
    enum hs_err err = get_origin(txn, origin, &key, &opening);
    if (err == HS_OK)
        memcpy(node_key->bytes, key.data, HS_KEY_BYTES);
    return err;
}

enum hs_err hs_log_find_origin(struct hs_txn *txn, uint64_t origin, struct hs_bytes *certificate,
                               struct hs_bytes *opening)
{
    struct hs_bytes node_key;
    enum hs_err err = get_origin(txn, origin, &node_key, opening);
    if (err != HS_OK)
        return err;
    err = hs_txn_get(txn, LOG_CERTIFICATE, node_key, certificate);
    return err == HS_ENOTFOUND ? HS_EDAMAGED : err;
}

enum hs_err hs_log_certificates(struct hs_txn *txn, hs_visit_bytes visit, void *ctx)
{
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, LOG_CERTIFICATE, HS_BYTES_NONE, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan))
        err = visit(ctx, scan.key, scan.value);
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

/* ---- series of cash numbers: key the series, row the origin that it belongs to (0: closed), u64 ---- */

enum hs_err hs_log_find_series(struct hs_txn *txn, const char *series, uint64_t *origin)
{
    struct hs_bytes row;
    enum hs_err err = hs_txn_get(txn, LOG_SERIES, HS_BYTES(series, strlen(series)), &row);
    if (err != HS_OK)
        return err;
    if (row.size != 8)
        return HS_EDAMAGED;
    *origin = hs_from_be64(row.data);
    return HS_OK;
}

enum hs_err hs_log_put_series(struct hs_log *log, const char *series, uint64_t origin)
{
    uint8_t row[8];
    hs_be64(row, origin);
    hs_txn_put(log_change(log), LOG_SERIES, HS_BYTES(series, strlen(series)), HS_BYTES(row, sizeof row));
    return log->txn.err;
}

enum hs_err hs_log_close_series(struct hs_log *log)
{
    uint8_t key[HS_RECORD_ID_BYTES_MAX], closed[8] = {0};
    struct hs_scan scan;
    hs_scan_begin(&scan, log_change(log), LOG_SERIES, HS_BYTES_NONE, HS_BYTES_NONE);
    while (log->life.current != 0 && hs_scan_next(&scan)) {
        size_t size = scan.key.size;
        if (scan.value.size != 8 || size > sizeof key || hs_from_be64(scan.value.data) != log->life.current)
            continue;
        memcpy(key, scan.key.data, size);
        hs_txn_put(log_change(log), LOG_SERIES, HS_BYTES(key, size), HS_BYTES(closed, sizeof closed));
    }
    hs_scan_end(&scan);
    return log->txn.err;
}
