/* revoke.c -- keys that were revoked, and what is taken of them nevertheless.  Revocation: key node key; row the
 * encoded Revocation.  Release: key node key, first 16 bytes of the row's hash; row the encoded Release.  Rows are
 * verified before they are put, and never go. */
#include "storage/log/inside.h"

#include "proto/msg/revoke.h"
#include "proto/msg/tlv.h"

#include <stdlib.h>
#include <string.h>

#define RELEASE_KEY_BYTES (HS_KEY_BYTES + 16)
enum { REVOCATION_NODE = 2 }; /* of Revocation */

#define RELEASE_DOMAIN "hallsync release row 1"

static struct hs_bytes key_bytes(const struct hs_key *key)
{
    return HS_BYTES(key->bytes, HS_KEY_BYTES);
}

enum hs_err log_check_revoked(struct hs_txn *txn, struct hs_bytes node_key)
{
    struct hs_bytes row;
    enum hs_err err = hs_txn_get(txn, LOG_REVOCATION, node_key, &row);
    return err == HS_OK ? HS_EREVOKED : err == HS_ENOTFOUND ? HS_OK : err;
}

/* ---- taking them in ---- */

static bool is_full(struct hs_log *log)
{
    return hs_txn_count(&log->txn, LOG_REVOCATION) + hs_txn_count(&log->txn, LOG_RELEASE) >= HS_REVOCATIONS_MAX;
}

static enum hs_err put_row(struct hs_log *log, unsigned table, struct hs_bytes key, struct hs_bytes row)
{
    struct hs_bytes held;
    enum hs_err err = hs_txn_get(&log->txn, table, key, &held);
    if (err != HS_ENOTFOUND)
        return err; /* one is enough */
    if (is_full(log))
        return HS_EFULL;
    hs_txn_put(log_change(log), table, key, row);
    log->revoked = true;
    return log->txn.err;
}

enum hs_err hs_log_put_revocation(struct hs_log *log, struct hs_bytes encoded)
{
    struct hs_revocation revocation;
    enum hs_err err = hs_revocation_verify(encoded, &log->certificate.root_key, &revocation);
    if (err != HS_OK)
        return err;
    /* Whom it is about is to be known, too; a certificate that does not fit another one of that key changes nothing. */
    err = hs_log_put_certificate(log, hs_tlv_bytes(encoded, REVOCATION_NODE));
    if (err == HS_OK || err == HS_ECERT)
        err = put_row(log, LOG_REVOCATION, key_bytes(&revocation.node.node_key), encoded);
    return err;
}

enum hs_err hs_log_put_release(struct hs_log *log, struct hs_bytes encoded)
{
    uint8_t key[RELEASE_KEY_BYTES];
    struct hs_release *release = malloc(sizeof *release);
    if (release == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_release_verify(encoded, &log->certificate.root_key, release);
    if (err == HS_OK) {
        struct hs_hash hash = hs_hash_domain(RELEASE_DOMAIN, encoded);
        memcpy(key, release->node_key.bytes, HS_KEY_BYTES);
        memcpy(key + HS_KEY_BYTES, hash.bytes, sizeof key - HS_KEY_BYTES);
    }
    free(release);
    return err == HS_OK ? put_row(log, LOG_RELEASE, HS_BYTES(key, sizeof key), encoded) : err;
}

/* ---- reading ---- */

enum hs_err hs_log_revocation(struct hs_txn *txn, const struct hs_key *node_key, struct hs_bytes *encoded)
{
    return hs_txn_get(txn, LOG_REVOCATION, key_bytes(node_key), encoded);
}

static enum hs_err visit_rows(struct hs_txn *txn, unsigned table, struct hs_bytes prefix, hs_visit_bytes visit,
                              void *ctx)
{
    struct hs_scan scan;
    enum hs_err err = HS_OK;
    hs_scan_begin(&scan, txn, table, prefix, HS_BYTES_NONE);
    while (err == HS_OK && hs_scan_next(&scan))
        err = visit(ctx, scan.key, scan.value);
    hs_scan_end(&scan);
    return err == HS_OK ? txn->err : err;
}

enum hs_err hs_log_revocations(struct hs_txn *txn, hs_visit_bytes visit, void *ctx)
{
    return visit_rows(txn, LOG_REVOCATION, HS_BYTES_NONE, visit, ctx);
}

enum hs_err hs_log_releases(struct hs_txn *txn, hs_visit_bytes visit, void *ctx)
{
    return visit_rows(txn, LOG_RELEASE, HS_BYTES_NONE, visit, ctx);
}

/* ---- how far a revoked key's streams are taken ---- */

struct limit {
    const struct hs_log_reader *reader;
    const struct hs_stream *stream;
    const struct hs_key *root;
    uint64_t n;
    struct hs_release *release;  /* room for one */
    const struct hs_key *signer; /* looked for among revoked issuers */
    bool is_signer_revoked;
};

/* Whoever has a hub's issuer key in hand must not release with it. */
static enum hs_err compare_issuer(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    struct limit *limit = ctx;
    struct hs_revocation revocation;
    (void)key;
    enum hs_err err = hs_revocation_verify(encoded, limit->root, &revocation);
    if (err != HS_OK)
        return err == HS_ENOMEM ? err : HS_EDAMAGED;
    limit->is_signer_revoked = limit->is_signer_revoked ||
                               (revocation.is_issuer && hs_key_equal(&revocation.node.issuer_key, limit->signer));
    return HS_OK;
}

/* Of what is not held the branch cannot be compared: it is, when it comes. */
static void raise_to(struct limit *limit, const struct hs_released *head)
{
    struct hs_hash hash;
    if (!hs_stream_equal(&head->stream, limit->stream) || head->n <= limit->n)
        return;
    enum hs_err err = hs_log_hash_at(limit->reader, limit->stream, head->n, &hash);
    if (err != HS_OK || hs_hash_equal(&hash, &head->hash))
        limit->n = head->n;
}

static enum hs_err add_release(void *ctx, struct hs_bytes key, struct hs_bytes encoded)
{
    struct limit *limit = ctx;
    struct hs_release *release = limit->release;
    (void)key;
    enum hs_err err = hs_release_verify(encoded, limit->root, release);
    if (err != HS_OK)
        return err == HS_ENOMEM ? err : HS_EDAMAGED;
    limit->signer = &release->signer;
    limit->is_signer_revoked = false;
    if (!release->is_by_root)
        err = hs_log_revocations(limit->reader->txn, compare_issuer, limit);
    for (size_t i = 0; err == HS_OK && !limit->is_signer_revoked && i < release->count; i++)
        raise_to(limit, &release->heads[i]);
    return err;
}

static enum hs_err add_releases(struct limit *limit, const struct hs_key *node_key)
{
    limit->release = malloc(sizeof *limit->release);
    if (limit->release == NULL)
        return HS_ENOMEM;
    enum hs_err err = visit_rows(limit->reader->txn, LOG_RELEASE, key_bytes(node_key), add_release, limit);
    free(limit->release);
    return err;
}

enum hs_err hs_log_limit(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t *n)
{
    struct hs_bytes encoded;
    struct hs_key writer, root;
    enum hs_err err = log_find_writer(reader->txn, stream->origin, &writer);
    if (err == HS_OK)
        err = hs_log_revocation(reader->txn, &writer, &encoded);
    if (err == HS_OK)
        err = log_find_root(reader->txn, &root);
    if (err != HS_OK)
        return err;
    struct limit limit = {.reader = reader, .stream = stream, .root = &root};
    err = log_signed_at_all(reader, stream, &limit.n);
    if (err == HS_OK)
        err = add_releases(&limit, &writer);
    *n = limit.n;
    return err;
}

enum hs_err log_check_limit(const struct hs_log_reader *reader, const struct hs_stream *stream, uint64_t n)
{
    uint64_t limit;
    enum hs_err err = hs_log_limit(reader, stream, &limit);
    if (err != HS_OK)
        return err == HS_ENOTFOUND ? HS_OK : err;
    return n <= limit ? HS_OK : HS_EREVOKED;
}
