#include "storage/records/cache.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 1024
#define ROWS_MIN  256

_Static_assert(sizeof((struct hs_cache *)0)->secret == crypto_shorthash_KEYBYTES, "the secret is a short hash's key");

void hs_cache_init(struct hs_cache *cache)
{
    *cache = (struct hs_cache){0};
    hs_arena_init(&cache->arena, 0);
    randombytes_buf(cache->secret, sizeof cache->secret);
}

void hs_cache_fini(struct hs_cache *cache)
{
    hs_arena_fini(&cache->arena);
    hs_buf_fini(&cache->value);
    free(cache->rows);
    free(cache->slots);
    *cache = (struct hs_cache){0};
}

void hs_cache_drop(struct hs_cache *cache)
{
    hs_arena_reset(&cache->arena);
    free(cache->slots);
    cache->slots = NULL;
    cache->slot_count = 0;
    cache->count = 0;
    cache->dirty_count = 0;
}

/* ---- finding ---- */

static uint64_t hash_of(const struct hs_cache *cache, hs_table table, struct hs_bytes key)
{
    uint8_t raw[crypto_shorthash_BYTES];
    crypto_shorthash(raw, key.data, key.size, cache->secret);
    return hs_from_be64(raw) ^ table;
}

static bool is_row(const struct hs_slot *slot, uint64_t hash, hs_table table, struct hs_bytes key)
{
    return slot->hash == hash && slot->row->table == table && hs_bytes_equal(slot->row->key, key);
}

/* The slot that has the row or would have it; there is always a free one. */
static struct hs_slot *slot_of(struct hs_cache *cache, uint64_t hash, hs_table table, struct hs_bytes key)
{
    size_t mask = cache->slot_count - 1;
    size_t at = (size_t)hash & mask;
    while (cache->slots[at].row != NULL && !is_row(&cache->slots[at], hash, table, key))
        at = (at + 1) & mask;
    return &cache->slots[at];
}

/* Room for one more row, at most half of the slots taken. */
static bool make_room(struct hs_cache *cache)
{
    if (cache->count == cache->room) {
        size_t room = cache->room == 0 ? ROWS_MIN : 2 * cache->room;
        struct hs_row **rows = realloc(cache->rows, room * sizeof(*rows));
        if (rows == NULL)
            return false;
        cache->rows = rows;
        cache->room = room;
    }
    if (2 * (cache->count + 1) <= cache->slot_count)
        return true;
    size_t slot_count = cache->slot_count == 0 ? SLOTS_MIN : 2 * cache->slot_count;
    struct hs_slot *old = cache->slots;
    struct hs_slot *slots = calloc(slot_count, sizeof *slots);
    if (slots == NULL)
        return false;
    size_t old_count = cache->slot_count;
    cache->slots = slots;
    cache->slot_count = slot_count;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].row != NULL)
            *slot_of(cache, old[i].hash, old[i].row->table, old[i].row->key) = old[i];
    }
    free(old);
    return true;
}

static bool has_tally(hs_table table)
{
    return table == HS_TABLE_ROOT || table == HS_TABLE_LEAF;
}

static enum hs_err read_row(struct hs_row *row, struct hs_bytes value)
{
    enum hs_err err = has_tally(row->table) ? hs_tally_read(value, &row->tally) : hs_sums_read(value, &row->sums);
    return err == HS_EMALFORMED ? HS_EDAMAGED : err;
}

static struct hs_row *new_row(struct hs_cache *cache, struct hs_txn *txn, hs_table table, struct hs_bytes key)
{
    struct hs_row *row = hs_arena_alloc(&cache->arena, sizeof *row);
    struct hs_bytes copy = hs_arena_copy(&cache->arena, key);
    if (row == NULL || copy.data == NULL) {
        txn->err = txn->err != HS_OK ? txn->err : HS_ENOMEM;
        return NULL;
    }
    *row = (struct hs_row){.key = copy, .table = table};
    struct hs_bytes value;
    enum hs_err err = hs_txn_get(txn, table, key, &value);
    row->stored = err == HS_OK;
    if (row->stored)
        err = read_row(row, value);
    if (err != HS_OK && err != HS_ENOTFOUND) {
        txn->err = txn->err != HS_OK ? txn->err : err;
        return NULL;
    }
    return row;
}

struct hs_row *hs_cache_row(struct hs_cache *cache, struct hs_txn *txn, hs_table table, struct hs_bytes key)
{
    assert(key.size != 0);
    if (txn->err != HS_OK)
        return NULL;
    if (!make_room(cache)) {
        txn->err = HS_ENOMEM;
        return NULL;
    }
    uint64_t hash = hash_of(cache, table, key);
    struct hs_slot *slot = slot_of(cache, hash, table, key);
    if (slot->row != NULL)
        return slot->row;
    struct hs_row *row = new_row(cache, txn, table, key);
    if (row != NULL) {
        cache->rows[cache->count++] = row;
        *slot = (struct hs_slot){row, hash};
    }
    return row;
}

/* ---- writing ---- */

void hs_cache_touch(struct hs_cache *cache, struct hs_row *row)
{
    cache->dirty_count += !row->dirty;
    row->dirty = true;
}

void hs_cache_write_row(struct hs_cache *cache, struct hs_txn *txn, struct hs_row *row)
{
    hs_buf_reset(&cache->value);
    if (has_tally(row->table))
        hs_tally_put(&cache->value, &row->tally);
    else
        hs_sums_put(&cache->value, &row->sums);
    if (cache->value.err != HS_OK && txn->err == HS_OK)
        txn->err = cache->value.err;
    bool keep = cache->value.size != 0;
    if (keep)
        hs_txn_put(txn, row->table, row->key, hs_buf_bytes(&cache->value));
    else if (row->stored)
        hs_txn_delete(txn, row->table, row->key);
    row->stored = keep;
    cache->dirty_count -= row->dirty;
    row->dirty = false;
}

static int row_compare(const void *a, const void *b)
{
    const struct hs_row *left = *(struct hs_row *const *)a;
    const struct hs_row *right = *(struct hs_row *const *)b;
    if (left->table != right->table)
        return left->table < right->table ? -1 : 1;
    return hs_bytes_compare(left->key, right->key);
}

void hs_cache_write(struct hs_cache *cache, struct hs_txn *txn)
{
    size_t count = 0;
    if (cache->dirty_count == 0)
        return;
    struct hs_row **dirty = malloc(cache->dirty_count * sizeof(*dirty));
    if (dirty == NULL) {
        txn->err = txn->err != HS_OK ? txn->err : HS_ENOMEM;
        return;
    }
    for (size_t i = 0; i < cache->count; i++) {
        if (cache->rows[i]->dirty)
            dirty[count++] = cache->rows[i];
    }
    if (count > 1) /* neighbours share pages */
        qsort(dirty, count, sizeof(*dirty), row_compare);
    for (size_t i = 0; i < count; i++)
        hs_cache_write_row(cache, txn, dirty[i]);
    free(dirty);
}
