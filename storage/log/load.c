/* load.c -- a log made of the rows of a dump.  It is another store: an id of its own, and no continuity note, so what
 * it writes has an origin of its own, whatever became of the store that was dumped. */
#include "storage/log/inside.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES ((size_t)32 << 20) /* of a transaction: its pages are in memory */

struct hs_log_load {
    struct hs_env *env;
    struct hs_txn txn;
    size_t bytes; /* put in the open transaction */
    char path[LOG_PATH_BYTES], beside[LOG_PATH_BYTES];
    uint64_t store_id, dumped_id;
};

enum hs_err hs_log_load_begin(const char *path, size_t map_bytes, uint64_t store_id, struct hs_log_load **out,
                              struct hs_why *why)
{
    *out = NULL;
    struct hs_log_load *load = calloc(1, sizeof *load);
    if (load == NULL)
        return hs_fail(HS_ENOMEM, why, "no memory to make %s", path);
    load->store_id = store_id;
    strncpy(load->path, path, sizeof load->path - 1);
    enum hs_err err = log_make_beside(path, load->beside, why);
    if (err == HS_OK && load->beside[0] == '\0')
        err = hs_fail(HS_EEXISTS, why, "there is a log in %s already", path);
    struct hs_env_options options = {.path = load->beside,
                                     .tables = LOG_TABLES,
                                     .table_count = LOG_TABLE_COUNT,
                                     .map_bytes = map_bytes,
                                     .create = true};
    if (err == HS_OK)
        err = hs_env_open(&options, &load->env, why);
    if (err == HS_OK)
        err = hs_txn_begin(load->env, true, &load->txn);
    if (err != HS_OK) {
        hs_log_load_abort(load);
        return err;
    }
    *out = load;
    return HS_OK;
}

static bool is_key(struct hs_bytes key, const char *text)
{
    return hs_bytes_equal(key, HS_BYTES(text, strlen(text)));
}

/* What names the store that was dumped is not taken over, nor what it vouches for: backups later than this one may be
 * gone. */
static void put_row(struct hs_log_load *load, hs_table table, struct hs_bytes key, struct hs_bytes value)
{
    uint8_t store[8];
    hs_be64(store, load->store_id);
    if (table == LOG_META && is_key(key, "store")) {
        load->dumped_id = value.size == 8 ? hs_from_be64(value.data) : 0;
        value = HS_BYTES(store, sizeof store);
    }
    if (table != LOG_BACKUP || !is_key(key, "store"))
        hs_txn_append(&load->txn, table, key, value);
}

enum hs_err hs_log_load_row(struct hs_log_load *load, const char *name, struct hs_bytes key, struct hs_bytes value)
{
    hs_table table = log_table_of(name);
    if (table == LOG_TABLE_COUNT)
        return HS_ESCHEMA;
    if (key.size == 0 || key.size > HS_DB_KEY_BYTES_MAX)
        return HS_EDAMAGED;
    put_row(load, table, key, value);
    if (load->txn.err == HS_EEXISTS)
        load->txn.err = HS_EDAMAGED; /* rows of a table ascend */
    load->bytes += key.size + value.size;
    if (load->bytes < PIECE_BYTES || load->txn.err != HS_OK)
        return load->txn.err;
    load->bytes = 0;
    enum hs_err err = hs_txn_commit(&load->txn);
    return err == HS_OK ? hs_txn_begin(load->env, true, &load->txn) : err;
}

/* With the schema and the store id there it is a store; without them a heap of rows. */
static enum hs_err check(struct hs_log_load *load, struct hs_why *why)
{
    struct hs_bytes schema, store;
    enum hs_err err = hs_txn_get(&load->txn, LOG_META, HS_BYTES("schema", 6), &schema);
    if (err == HS_OK)
        err = hs_txn_get(&load->txn, LOG_META, HS_BYTES("store", 5), &store);
    if (err == HS_ENOTFOUND || (err == HS_OK && (schema.size != 4 || store.size != 8)))
        return hs_fail(HS_EDAMAGED, why, "the rows do not say which version wrote them");
    if (err == HS_OK && hs_from_be32(schema.data) > LOG_SCHEMA)
        return hs_fail(HS_ESCHEMA, why,
                       "the rows have format %u and this program knows up to %u: install the newer one",
                       hs_from_be32(schema.data), LOG_SCHEMA);
    return err;
}

enum hs_err hs_log_load_end(struct hs_log_load *load, struct hs_why *why)
{
    enum hs_err err = check(load, why);
    if (err == HS_OK)
        log_mark_replaced(&load->txn, load->dumped_id, 0); /* nobody asks since when */
    if (err == HS_OK)
        err = hs_txn_commit(&load->txn);
    if (err == HS_OK)
        err = hs_env_sync(load->env);
    hs_txn_abort(&load->txn);
    hs_env_close(load->env);
    load->env = NULL;
    if (err == HS_OK)
        err = log_put_in_place(load->beside, load->path, why);
    hs_log_load_abort(load);
    return err;
}

void hs_log_load_abort(struct hs_log_load *load)
{
    if (load == NULL)
        return;
    hs_txn_abort(&load->txn);
    hs_env_close(load->env);
    free(load);
}
