#include "node/backup/tally.h"

#include <inttypes.h>
#include <string.h>

/* The root key is not among them: it does not belong on a node's machine. */
const char *const BACKUP_FILES[] = {"keys/node.key",  "keys/curve.key", "keys/issuer.key", "keys/issuer.signed",
                                    "keys/node.cert", "keys/hub.cert",  "keys/root.pub",   NULL};

void backup_tally_begin(struct backup_tally *tally)
{
    memset(tally, 0, sizeof *tally);
    crypto_generichash_init(&tally->items, NULL, 0, HS_HASH_BYTES);
    crypto_generichash_init(&tally->frontier, NULL, 0, HS_HASH_BYTES);
}

static void hash_item(struct backup_tally *tally, const struct hs_sealed_item *item)
{
    uint8_t head[1 + 8];
    head[0] = item->type;
    hs_be64(head + 1, item->bytes.size);
    crypto_generichash_update(&tally->items, head, sizeof head);
    crypto_generichash_update(&tally->items, item->bytes.data, item->bytes.size);
}

/* ---- the frontier: the last checkpoint of each stream, in their order ---- */

static void end_stream(struct backup_tally *tally)
{
    uint8_t key[HS_STREAM_KEY_BYTES + 8];
    if (tally->head.n == 0)
        return;
    hs_stream_key(&tally->head.stream, key);
    hs_be64(key + HS_STREAM_KEY_BYTES, tally->head.n);
    crypto_generichash_update(&tally->frontier, key, sizeof key);
    crypto_generichash_update(&tally->frontier, tally->head.hash.bytes, HS_HASH_BYTES);
    tally->streams++;
    tally->head.n = 0;
}

static void take_head(struct backup_tally *tally, const struct hs_head *head)
{
    if (tally->head.n != 0 && !hs_stream_equal(&tally->head.stream, &head->stream))
        end_stream(tally);
    tally->head = *head;
}

/* ---- items ---- */

static enum hs_err take_table(struct backup_tally *tally, struct hs_bytes name)
{
    if (tally->table_count == BACKUP_TABLES_MAX || name.size == 0 || name.size > BACKUP_TABLE_NAME_MAX ||
        memchr(name.data, 0, name.size) != NULL)
        return HS_EDAMAGED;
    memcpy(tally->tables[tally->table_count++].name, name.data, name.size);
    return HS_OK;
}

static enum hs_err take_row(struct backup_tally *tally, struct hs_bytes bytes, struct backup_item *out)
{
    struct hs_head head;
    struct hs_cur cur = hs_cur_of(bytes);
    out->key = hs_cur_sized(&cur);
    out->value = hs_cur_take(&cur, cur.left);
    if (tally->table_count == 0 || cur.err != HS_OK)
        return HS_EDAMAGED;
    out->table = tally->tables[tally->table_count - 1].name;
    tally->tables[tally->table_count - 1].rows++;
    tally->rows++;
    if (hs_row_head(out->table, out->key, out->value, &head))
        take_head(tally, &head);
    return HS_OK;
}

static enum hs_err take_file(struct hs_bytes bytes, struct backup_item *out)
{
    struct hs_cur cur = hs_cur_of(bytes);
    out->key = hs_cur_sized(&cur);
    out->value = hs_cur_take(&cur, cur.left);
    bool named = out->key.size > 0 && out->key.size <= BACKUP_FILE_NAME_MAX;
    return cur.err == HS_OK && named && out->value.size <= BACKUP_FILE_BYTES_MAX ? HS_OK : HS_EDAMAGED;
}

enum hs_err backup_tally_item(struct backup_tally *tally, const struct hs_sealed_item *item, struct backup_item *out)
{
    *out = (struct backup_item){.type = item->type};
    hash_item(tally, item);
    switch (item->type) {
    case BACKUP_TABLE:
        return take_table(tally, item->bytes);
    case BACKUP_ROW:
        return take_row(tally, item->bytes, out);
    case BACKUP_FILE:
        return take_file(item->bytes, out);
    default:
        return HS_EDAMAGED;
    }
}

/* ---- the manifest's part ---- */

static void results(struct backup_tally *tally, struct hs_hash *items, struct hs_hash *frontier)
{
    end_stream(tally);
    crypto_generichash_state copy = tally->items;
    crypto_generichash_final(&copy, items->bytes, HS_HASH_BYTES);
    copy = tally->frontier;
    crypto_generichash_final(&copy, frontier->bytes, HS_HASH_BYTES);
}

static ProtobufCBinaryData keep_hash(struct hs_arena *arena, const struct hs_hash *hash)
{
    struct hs_bytes kept = hs_arena_copy(arena, HS_BYTES(hash->bytes, HS_HASH_BYTES));
    return (ProtobufCBinaryData){kept.data == NULL ? 0 : kept.size, (uint8_t *)(uintptr_t)kept.data};
}

enum hs_err backup_tally_tell(struct backup_tally *tally, struct hs_arena *arena, Hallsync__BackupManifest *manifest)
{
    struct hs_hash items, frontier;
    results(tally, &items, &frontier);
    manifest->tables = hs_arena_array(arena, tally->table_count, sizeof *manifest->tables);
    Hallsync__BackupTable *tables = hs_arena_array(arena, tally->table_count, sizeof *tables);
    manifest->items_hash = keep_hash(arena, &items);
    manifest->frontier = keep_hash(arena, &frontier);
    if (manifest->tables == NULL || tables == NULL || manifest->items_hash.len == 0 || manifest->frontier.len == 0)
        return HS_ENOMEM;
    for (size_t i = 0; i < tally->table_count; i++) {
        hallsync__backup_table__init(&tables[i]);
        tables[i].name = tally->tables[i].name;
        tables[i].rows = tally->tables[i].rows;
        manifest->tables[manifest->n_tables++] = &tables[i];
    }
    manifest->streams = tally->streams;
    return HS_OK;
}

static bool same_hash(const ProtobufCBinaryData *told, const struct hs_hash *hash)
{
    return told->len == HS_HASH_BYTES && memcmp(told->data, hash->bytes, HS_HASH_BYTES) == 0;
}

enum hs_err backup_tally_check(struct backup_tally *tally, const Hallsync__BackupManifest *manifest, struct hs_why *why)
{
    struct hs_hash items, frontier;
    results(tally, &items, &frontier);
    if (manifest->n_tables != tally->table_count)
        return hs_fail(HS_EDAMAGED, why, "the manifest speaks of %zu tables, and there are %zu", manifest->n_tables,
                       tally->table_count);
    for (size_t i = 0; i < tally->table_count; i++) {
        const Hallsync__BackupTable *told = manifest->tables[i];
        if (strcmp(told->name, tally->tables[i].name) != 0 || told->rows != tally->tables[i].rows)
            return hs_fail(HS_EDAMAGED, why,
                           "the manifest speaks of %" PRIu64 " rows of %s, and there are %" PRIu64 " of %s", told->rows,
                           told->name, tally->tables[i].rows, tally->tables[i].name);
    }
    if (!same_hash(&manifest->items_hash, &items))
        return hs_fail(HS_EDAMAGED, why, "the rows are not those of the manifest");
    if (manifest->streams != tally->streams || !same_hash(&manifest->frontier, &frontier))
        return hs_fail(HS_EDAMAGED, why, "the heads of the streams are not those of the manifest");
    return HS_OK;
}
