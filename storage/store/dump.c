/* dump.c -- dumps of an open store, and its backups. */
#include "storage/store/inside.h"

#include <stdlib.h>

struct hs_dump {
    struct hs_store *store;
    struct hs_txn txn;
    struct hs_position position;
    uint64_t begun_bytes; /* of the log, when it was begun */
};

enum hs_err hs_dump_begin(struct hs_store *store, struct hs_dump **out)
{
    *out = NULL;
    struct hs_dump *dump = calloc(1, sizeof *dump);
    if (dump == NULL)
        return HS_ENOMEM;
    dump->store = store;
    enum hs_err err = store_failed(store);
    if (err == HS_OK)
        err = hs_txn_begin(hs_log_env(store->log), false, &dump->txn);
    if (err == HS_OK) {
        dump->position = hs_log_last(&dump->txn);
        err = dump->txn.err;
    }
    if (err == HS_OK)
        err = store_wait_for_note(store, &dump->position);
    if (err != HS_OK) {
        hs_dump_end(dump);
        return err;
    }
    dump->begun_bytes = hs_env_used_bytes(hs_log_env(store->log));
    *out = dump;
    return HS_OK;
}

void hs_dump_end(struct hs_dump *dump)
{
    if (dump == NULL)
        return;
    hs_txn_abort(&dump->txn);
    free(dump);
}

struct hs_position hs_dump_position(const struct hs_dump *dump)
{
    return dump->position;
}

uint64_t hs_dump_count(struct hs_dump *dump)
{
    return hs_log_rows(&dump->txn);
}

uint64_t hs_dump_growth(const struct hs_dump *dump)
{
    uint64_t now = hs_env_used_bytes(hs_log_env(dump->store->log));
    return now > dump->begun_bytes ? now - dump->begun_bytes : 0;
}

enum hs_err hs_dump_rows(struct hs_dump *dump, hs_visit_row visit, void *ctx)
{
    return hs_log_dump(&dump->txn, visit, ctx);
}

enum hs_err hs_dump_heads(struct hs_dump *dump, hs_visit_head visit, void *ctx)
{
    struct hs_log_reader reader = {&dump->txn, NULL};
    return hs_log_heads(&reader, visit, ctx);
}

/* ---- backups ---- */

enum hs_err hs_store_put_backup(struct hs_store *store, const struct hs_backup_row *row)
{
    return hs_log_put_backup(store->log, row);
}

enum hs_err hs_store_drop_backup(struct hs_store *store, uint64_t time_ms)
{
    return hs_log_drop_backup(store->log, time_ms);
}

enum hs_err hs_view_backups(struct hs_view *view, hs_visit_backup visit, void *ctx)
{
    return hs_log_backups(store_log_reader(view).txn, visit, ctx);
}

enum hs_err hs_store_vouch(struct hs_store *store, const struct hs_head *heads, size_t count)
{
    return hs_log_vouch(store->log, heads, count);
}

uint64_t hs_view_backup_store(struct hs_view *view)
{
    return hs_log_backup_store(store_log_reader(view).txn);
}

enum hs_err hs_store_retire_backups(struct hs_store *store)
{
    return hs_log_retire_backups(store->log);
}
