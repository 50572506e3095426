/* meta.c -- the rows of the table "meta": whose store it is, and which origin it writes under. */
#include "storage/log/inside.h"
#include "proto/msg/tlv.h"

#include <stdio.h>
#include <string.h>

#define KEY(literal) HS_BYTES(literal, sizeof(literal) - 1)
#define KEY_SCHEMA   KEY("schema")  /* u32 */
#define KEY_STORE    KEY("store")   /* u64 */
#define KEY_NODE     KEY("node")    /* root key 32, node key 32, node id */
#define KEY_LIFE     KEY("life")    /* u64 current, u64 last, u64 count, why */
#define KEY_FOLDED   KEY("folded")  /* u64 */
#define KEY_RESET    KEY("reset")   /* u64 */
#define KEY_ANEW     KEY("anew")    /* u64 */
#define KEY_DOUBT    KEY("doubt")   /* u64 */
#define KEY_CHECKED  KEY("checked") /* u64 ended (ms), u64 found */

#define NODE_ROW_BYTES_MAX (2 * HS_KEY_BYTES + HS_NODE_ID_BYTES_MAX)
#define LIFE_ROW_BYTES     (3 * 8)

/* None also after a failure: who takes that for damage looks at txn->err first. */
static struct hs_bytes get(struct hs_txn *txn, struct hs_bytes key)
{
    struct hs_bytes value;
    hs_txn_get(txn, LOG_META, key, &value);
    return value;
}

/* ---- the node's origins ---- */

void log_put_life(struct hs_log *log)
{
    struct hs_buf row = {0};
    hs_buf_put_u64(&row, log->life.current);
    hs_buf_put_u64(&row, log->life.last);
    hs_buf_put_u64(&row, log->life.count);
    hs_buf_put(&row, log->life.why, strlen(log->life.why));
    if (row.err != HS_OK)
        log_fail(log, row.err);
    hs_txn_put(log_change(log), LOG_META, KEY_LIFE, hs_buf_bytes(&row));
    hs_buf_fini(&row);
}

enum hs_err log_get_life(struct hs_txn *txn, struct log_life *life)
{
    *life = (struct log_life){0};
    struct hs_bytes row = get(txn, KEY_LIFE);
    if (row.size == 0)
        return txn->err; /* a new store */
    struct hs_cur cur = hs_cur_of(row);
    life->current = hs_cur_u64(&cur);
    life->last = hs_cur_u64(&cur);
    life->count = hs_cur_u64(&cur);
    if (cur.err != HS_OK || cur.left > WHY_BYTES_MAX)
        return HS_EDAMAGED;
    memcpy(life->why, cur.at, cur.left);
    return HS_OK;
}

uint64_t hs_log_current_origin(struct hs_txn *txn)
{
    struct log_life life;
    return log_get_life(txn, &life) == HS_OK ? life.current : 0;
}

uint64_t hs_log_own_origins(struct hs_txn *txn)
{
    struct log_life life;
    return log_get_life(txn, &life) == HS_OK ? life.count : 0;
}

enum hs_err log_find_root(struct hs_txn *txn, struct hs_key *root)
{
    struct hs_bytes row = get(txn, KEY_NODE);
    if (row.size < HS_KEY_BYTES)
        return txn->err == HS_OK ? HS_EDAMAGED : txn->err;
    memcpy(root->bytes, row.data, HS_KEY_BYTES);
    return HS_OK;
}

/* ---- numbers ---- */

static void put_number(struct hs_log *log, struct hs_bytes key, uint64_t number)
{
    uint8_t row[8];
    hs_be64(row, number);
    hs_txn_put(log_change(log), LOG_META, key, HS_BYTES(row, sizeof row));
}

static uint64_t get_number(struct hs_txn *txn, struct hs_bytes key)
{
    struct hs_bytes row = get(txn, key);
    return row.size == 8 ? hs_from_be64(row.data) : 0;
}

/* ---- commits that do not list any more all that came in them ---- */

void log_put_folded(struct hs_log *log, uint64_t commit)
{
    put_number(log, KEY_FOLDED, commit);
}

uint64_t hs_log_folded(struct hs_txn *txn)
{
    return get_number(txn, KEY_FOLDED);
}

void log_put_anew(struct hs_log *log)
{
    put_number(log, KEY_ANEW, log->position.commit + 1);
}

uint64_t log_anew(struct hs_txn *txn)
{
    return get_number(txn, KEY_ANEW);
}

void log_reset_feeds(struct hs_log *log)
{
    put_number(log, KEY_RESET, log->position.commit + 1);
}

enum hs_err hs_log_check_feed(struct hs_txn *txn, const struct hs_position *position)
{
    uint64_t reset = get_number(txn, KEY_RESET);
    uint64_t folded = hs_log_folded(txn);
    if (txn->err != HS_OK)
        return txn->err;
    return position->commit < (reset > folded ? reset : folded) ? HS_ERESET : hs_log_check_position(txn, position);
}

/* ---- is it the newest state that this node ever had? ---- */

enum hs_err hs_log_note_check(struct hs_log *log, const struct hs_checked *checked)
{
    uint8_t row[8 + 8];
    hs_be64(row, checked->ended_ms);
    hs_be64(row + 8, checked->found);
    hs_txn_put(log_change(log), LOG_META, KEY_CHECKED, HS_BYTES(row, sizeof row));
    return log->txn.err;
}

void hs_log_checked(struct hs_txn *txn, struct hs_checked *checked)
{
    struct hs_bytes row = get(txn, KEY_CHECKED);
    *checked = (struct hs_checked){.ended_ms = 0};
    if (row.size == 8 + 8)
        *checked = (struct hs_checked){hs_from_be64(row.data), hs_from_be64(row.data + 8)};
}

void log_doubt(struct hs_log *log)
{
    log->doubt_ms = log->now_ms(log->ctx);
    log->doubt_stale = true;
}

void log_put_doubt(struct hs_log *log)
{
    put_number(log, KEY_DOUBT, log->doubt_ms);
}

/* ---- whose store it is ---- */

/* The certificate was verified by whoever gives it; its own root is in it: Certificate.issuer.body.root_key. */
static enum hs_err decode_own(struct hs_bytes encoded, struct hs_certificate *out)
{
    struct hs_bytes root = hs_tlv_bytes(hs_tlv_bytes(hs_tlv_bytes(encoded, 1), 1), 2);
    struct hs_key key;
    if (root.size != HS_KEY_BYTES)
        return HS_EMALFORMED;
    memcpy(key.bytes, root.data, HS_KEY_BYTES);
    return hs_certificate_verify(encoded, &key, out);
}

static void put_node(struct hs_log *log)
{
    const struct hs_certificate *own = &log->certificate;
    uint8_t row[NODE_ROW_BYTES_MAX];
    size_t id_size = strlen(own->node_id);
    memcpy(row, own->root_key.bytes, HS_KEY_BYTES);
    memcpy(row + HS_KEY_BYTES, own->node_key.bytes, HS_KEY_BYTES);
    memcpy(row + 2 * HS_KEY_BYTES, own->node_id, id_size);
    hs_txn_put(log_change(log), LOG_META, KEY_NODE, HS_BYTES(row, 2 * HS_KEY_BYTES + id_size));
}

void log_put_schema(struct hs_log *log)
{
    uint8_t schema[4];
    hs_be32(schema, LOG_SCHEMA);
    hs_txn_put(log_change(log), LOG_META, KEY_SCHEMA, HS_BYTES(schema, sizeof schema));
}

bool log_is_own_key(struct hs_txn *txn, const struct hs_key *node_key)
{
    struct hs_bytes row = get(txn, KEY_NODE);
    return row.size >= 2 * HS_KEY_BYTES && memcmp(row.data + HS_KEY_BYTES, node_key->bytes, HS_KEY_BYTES) == 0;
}

uint64_t log_own_store(struct hs_txn *txn)
{
    return get_number(txn, KEY_STORE);
}

static void make(struct hs_log *log)
{
    uint8_t store[8];
    while (log->store_id == 0)
        log->random(log->ctx, &log->store_id, sizeof log->store_id);
    hs_be64(store, log->store_id);
    log_put_schema(log);
    hs_txn_put(log_change(log), LOG_META, KEY_STORE, HS_BYTES(store, sizeof store));
    put_node(log);
}

/* On a full disk the store still opens for reading: then it is migrated by the first group that finds room. */
static enum hs_err migrate(struct hs_log *log, uint32_t from, const char *path, struct hs_why *why)
{
    log->schema = log->migrated = from;
    enum hs_err err = log_migrate(log, why);
    if (err == HS_OK || err == HS_EFULL)
        return HS_OK;
    return hs_wrap(err, why, "%s cannot be migrated to this program's format", path);
}

static enum hs_err check_schema(struct hs_log *log, struct hs_bytes row, const char *path, struct hs_why *why)
{
    uint32_t schema = row.size == 4 ? hs_from_be32(row.data) : 0;
    if (schema == 0)
        return hs_fail(HS_EDAMAGED, why, "%s does not say which version wrote it: restore it, or rebuild the node",
                       path);
    if (schema <= LOG_SCHEMA)
        return schema == LOG_SCHEMA ? HS_OK : migrate(log, schema, path, why);
    return hs_fail(HS_ESCHEMA, why, "%s has format %u and this program knows up to %u: install the newer version again",
                   path, schema, LOG_SCHEMA);
}

static enum hs_err check_node(struct hs_log *log, const char *path, struct hs_why *why)
{
    const struct hs_certificate *own = &log->certificate;
    struct hs_bytes row = get(&log->txn, KEY_NODE);
    if (log->txn.err != HS_OK)
        return hs_fail(log->txn.err, why, "cannot read %s: %s", path, hs_err_text(log->txn.err));
    if (row.size < 2 * HS_KEY_BYTES)
        return hs_fail(HS_EDAMAGED, why, "%s does not say whose it is: restore it, or rebuild the node", path);
    struct hs_bytes id = HS_BYTES(row.data + 2 * HS_KEY_BYTES, row.size - 2 * HS_KEY_BYTES);
    if (memcmp(row.data, own->root_key.bytes, HS_KEY_BYTES) != 0)
        return hs_fail(HS_EFOREIGN, why, "%s belongs to another region than the certificate: use that region's keys",
                       path);
    if (!hs_bytes_equal(id, HS_BYTES(own->node_id, strlen(own->node_id))))
        return hs_fail(HS_EFOREIGN, why, "%s is the store of node %.*s, not of %s: use the right data directory", path,
                       (int)id.size, (const char *)id.data, own->node_id);
    if (memcmp(row.data + HS_KEY_BYTES, own->node_key.bytes, HS_KEY_BYTES) != 0) {
        put_node(log);
        hs_log_strike(log, "the node has a new key");
    }
    return HS_OK;
}

static enum hs_err load(struct hs_log *log, const char *path, struct hs_why *why)
{
    struct hs_bytes store = get(&log->txn, KEY_STORE);
    if (log->txn.err != HS_OK)
        return hs_fail(log->txn.err, why, "cannot read %s: %s", path, hs_err_text(log->txn.err));
    if (store.size != 8)
        return hs_fail(HS_EDAMAGED, why, "%s has no store id: restore it, or rebuild the node", path);
    log->store_id = hs_from_be64(store.data);
    log->position = hs_log_last(&log->txn);
    log->stamp = log_last_stamp(&log->txn);
    log->doubt_ms = get_number(&log->txn, KEY_DOUBT);
    enum hs_err err = log_get_life(&log->txn, &log->life);
    log->life_before = log->life;
    if (err == HS_EDAMAGED)
        return hs_fail(err, why, "%s: the row of the current origin cannot be read: restore it, or rebuild the node",
                       path);
    if (err != HS_OK)
        return hs_fail(err, why, "cannot read %s: %s", path, hs_err_text(err));
    return check_node(log, path, why);
}

/* Did a later certificate come for this very node?  It stands from this start on, whatever file is given.  One that
 * says something else than districts is another node's, or another life's. */
static bool replaces(const struct hs_certificate *later, const struct hs_certificate *own)
{
    return later->issued_ms > own->issued_ms && later->role == own->role && later->home == own->home &&
           strcmp(later->node_id, own->node_id) == 0 && hs_key_equal(&later->curve_key, &own->curve_key);
}

static enum hs_err adopt_certificate(struct hs_log *log, struct hs_bytes given)
{
    struct hs_certificate later;
    struct hs_bytes held;
    enum hs_err err = hs_log_put_certificate(log, given);
    if (err == HS_OK)
        err = hs_log_find_certificate(&log->txn, &log->certificate.node_key, &held);
    if (err == HS_OK)
        err = log_decode_certificate(log, held, &later);
    if (err != HS_OK)
        return err;
    bool use_later = replaces(&later, &log->certificate);
    hs_buf_put_bytes(&log->own, use_later ? held : given);
    if (use_later)
        log->certificate = later;
    return log->own.err;
}

enum hs_err log_enter(struct hs_log *log, const struct hs_log_options *options, struct hs_why *why)
{
    enum hs_err err = decode_own(options->certificate, &log->certificate);
    if (err != HS_OK)
        return hs_wrap(err, why, "the certificate of this node");
    struct hs_bytes schema;
    err = hs_txn_get(&log->txn, LOG_META, KEY_SCHEMA, &schema);
    if (err == HS_OK && options->create)
        return hs_fail(HS_EEXISTS, why, "there is a store in %s already: choose another directory", options->path);
    if (err == HS_ENOTFOUND && !options->create)
        return hs_fail(HS_ENOSTORE, why, "the store in %s was never finished: make it again", options->path);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return hs_wrap(err, why, "cannot read %s", options->path);
    if (err == HS_ENOTFOUND) {
        make(log);
    } else {
        err = check_schema(log, schema, options->path, why);
        if (err == HS_OK)
            err = load(log, options->path, why);
        if (err != HS_OK)
            return err;
    }
    err = adopt_certificate(log, options->certificate);
    if (err != HS_OK)
        return hs_wrap(err, why, "cannot keep the certificate in %s", options->path);
    err = log_enter_store(log);
    if (err != HS_OK)
        return hs_wrap(err, why, "cannot give %s another store id", options->path);
    err = log_enter_scope(log, options);
    return err == HS_OK ? HS_OK : hs_wrap(err, why, "cannot keep the scope in %s", options->path);
}
