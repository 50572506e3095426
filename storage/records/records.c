#include "storage/records/env.h"

#include <stdlib.h>

#define MINUTES_OF_DAY (24 * 60)

static const char META_KEY[] = "records";

/* ---- meta ---- */

enum hs_err hs_meta_read(struct hs_txn *txn, struct hs_meta *meta)
{
    struct hs_bytes value;
    enum hs_err err = hs_txn_get(txn, HS_TABLE_META, HS_BYTES(META_KEY, sizeof META_KEY - 1), &value);
    if (err != HS_OK)
        return err;
    struct hs_cur cur = hs_cur_of(value);
    meta->version = hs_cur_u32(&cur);
    meta->position.commit = hs_cur_u64(&cur);
    meta->position.tag = hs_cur_u64(&cur);
    meta->utc_offset_minutes = (int)(int32_t)hs_cur_u32(&cur);
    meta->rules = hs_cur_u64(&cur);
    return cur.err == HS_OK ? HS_OK : HS_EDAMAGED; /* a newer version's may be longer */
}

void hs_meta_write(struct hs_txn *txn, const struct hs_meta *meta)
{
    struct hs_buf value = {0};
    hs_buf_put_u32(&value, meta->version);
    hs_buf_put_u64(&value, meta->position.commit);
    hs_buf_put_u64(&value, meta->position.tag);
    hs_buf_put_u32(&value, (uint32_t)meta->utc_offset_minutes);
    hs_buf_put_u64(&value, meta->rules);
    if (value.err != HS_OK && txn->err == HS_OK)
        txn->err = value.err;
    hs_txn_put(txn, HS_TABLE_META, HS_BYTES(META_KEY, sizeof META_KEY - 1), hs_buf_bytes(&value));
    hs_buf_fini(&value);
}

static void write_meta(struct hs_records *records, const struct hs_position *position)
{
    hs_meta_write(&records->txn, &(struct hs_meta){
                                     .version = HS_RECORDS_VERSION,
                                     .position = *position,
                                     .utc_offset_minutes = records->utc_offset_minutes,
                                     .rules = records->rules,
                                 });
}

/* ---- opening ---- */

/* What an older version, another rule or another time zone has derived is of no use: empty, so that the store
 * replays its log. */
static enum hs_err adopt(struct hs_records *records, struct hs_why *why)
{
    struct hs_meta meta;
    enum hs_err err = hs_meta_read(&records->txn, &meta);
    if (err != HS_OK && err != HS_ENOTFOUND)
        return hs_fail(err, why, "the records have no readable position: delete them, they are rebuilt from the log");
    if (err == HS_OK && meta.version > HS_RECORDS_VERSION)
        return hs_fail(HS_ESCHEMA, why,
                       "the records are of version %u, this program knows %u: install the newer version again, or "
                       "delete records/data.mdb: they are made anew from the log",
                       (unsigned)meta.version, (unsigned)HS_RECORDS_VERSION);
    bool usable = err == HS_OK && meta.version == HS_RECORDS_VERSION && meta.rules == records->rules &&
                  meta.utc_offset_minutes == records->utc_offset_minutes;
    if (usable) {
        records->position = meta.position;
        return HS_OK;
    }
    err = hs_records_empty(records);
    if (err == HS_OK)
        err = hs_records_commit(records, &(struct hs_position){0});
    return err == HS_OK ? HS_OK : hs_wrap(err, why, "cannot empty the records");
}

static enum hs_err enter(struct hs_records *records, const struct hs_env_options *options, struct hs_why *why)
{
    enum hs_err err = hs_env_open(options, &records->env, why);
    if (err != HS_OK)
        return err;
    err = hs_txn_begin(records->env, true, &records->txn);
    if (err != HS_OK)
        return hs_fail(err, why, "cannot begin a transaction in %s: %s", options->path, hs_err_text(err));
    return adopt(records, why);
}

enum hs_err hs_records_open(const struct hs_records_options *options, struct hs_records **out, struct hs_why *why)
{
    struct hs_records *records = calloc(1, sizeof *records);
    if (records == NULL)
        return hs_fail(HS_ENOMEM, why, "cannot open %s: out of memory", options->path);
    struct hs_env_options env = {.path = options->path,
                                 .tables = HS_RECORDS_TABLES,
                                 .table_count = HS_TABLE_COUNT,
                                 .map_bytes = options->map_bytes,
                                 .create = options->create};
    records->utc_offset_minutes = options->utc_offset_minutes;
    hs_cache_init(&records->cache);
    hs_arena_init(&records->arena, 0);
    records->derive = (struct hs_derive){.txn = &records->txn,
                                         .arena = &records->arena,
                                         .err = &records->txn.err,
                                         .utc_offset_minutes = options->utc_offset_minutes,
                                         .sink = &HS_TABLES_SINK,
                                         .ctx = records};
    enum hs_err err = hs_rules_mark(&records->rules);
    if (err != HS_OK)
        hs_fail(err, why, "cannot open %s: %s", options->path, hs_err_text(err));
    else
        err = enter(records, &env, why);
    if (err != HS_OK) {
        hs_records_close(records);
        return err;
    }
    hs_records_rest(records);
    *out = records;
    return HS_OK;
}

void hs_records_close(struct hs_records *records)
{
    if (records == NULL)
        return;
    hs_txn_abort(&records->txn);
    hs_env_close(records->env);
    hs_cache_fini(&records->cache);
    hs_arena_fini(&records->arena);
    hs_buf_fini(&records->state);
    hs_buf_fini(&records->sums);
    free(records);
}

/* ---- the writer's transaction ---- */

struct hs_position hs_records_position(const struct hs_records *records)
{
    return records->position;
}

/* A write transaction of LMDB belongs to the thread that began it, so it is begun where it is first needed: on the
 * writer's thread, not on the one that opened the store. */
enum hs_err hs_records_ready(struct hs_records *records)
{
    if (records->txn.handle != NULL || records->txn.err != HS_OK)
        return records->txn.err;
    return hs_txn_begin(records->env, true, &records->txn);
}

struct hs_txn *hs_records_txn(struct hs_records *records)
{
    hs_records_ready(records); /* a failure sticks to the transaction */
    return &records->txn;
}

void hs_records_rest(struct hs_records *records)
{
    hs_cache_drop(&records->cache);
    hs_txn_abort(&records->txn);
}

enum hs_err hs_records_abort(struct hs_records *records)
{
    struct hs_meta meta = {0};
    hs_records_rest(records);
    enum hs_err err = hs_records_ready(records);
    if (err == HS_OK)
        err = hs_meta_read(&records->txn, &meta);
    records->position = meta.position;
    return err == HS_ENOTFOUND ? HS_OK : err;
}

enum hs_err hs_records_commit(struct hs_records *records, const struct hs_position *position)
{
    enum hs_err err = hs_records_ready(records);
    if (err == HS_OK) {
        hs_records_settle(&records->txn);
        write_meta(records, position);
    }
    err = hs_txn_commit(&records->txn);
    if (err != HS_OK || records->cache.count > HS_CACHED_ROWS_MAX)
        hs_cache_drop(&records->cache);
    if (err == HS_OK)
        records->position = *position;
    return err;
}

enum hs_err hs_records_empty(struct hs_records *records)
{
    struct hs_position start = {0};
    hs_cache_drop(&records->cache);
    hs_records_ready(records);
    for (hs_table table = 0; table < HS_TABLE_COUNT; table++)
        hs_txn_empty(&records->txn, table);
    write_meta(records, &start);
    enum hs_err err = records->txn.err;
    if (err == HS_OK)
        records->position = start;
    return err;
}

/* ---- snapshots ---- */

enum hs_err hs_records_snapshot(struct hs_records *records, struct hs_txn *txn)
{
    return hs_txn_begin(records->env, false, txn);
}

struct hs_position hs_records_snapshot_position(struct hs_txn *txn)
{
    struct hs_meta meta = {0};
    hs_meta_read(txn, &meta);
    return meta.position;
}

uint64_t hs_records_left_bytes(const struct hs_records *records)
{
    return hs_env_left_bytes(records->env);
}

enum hs_err hs_records_readers(const struct hs_records *records, struct hs_reader *oldest)
{
    return hs_env_readers(records->env, oldest);
}

uint64_t hs_records_used_bytes(struct hs_records *records)
{
    return hs_env_used_bytes(records->env);
}

struct hs_derive hs_derive_reader(struct hs_txn *txn, struct hs_arena *arena, enum hs_err *err)
{
    struct hs_meta meta = {0};
    *err = hs_meta_read(txn, &meta);
    if (meta.utc_offset_minutes <= -MINUTES_OF_DAY || meta.utc_offset_minutes >= MINUTES_OF_DAY) {
        meta.utc_offset_minutes = 0;
        *err = HS_EDAMAGED;
    }
    return (struct hs_derive){.txn = txn, .arena = arena, .err = err, .utc_offset_minutes = meta.utc_offset_minutes};
}
