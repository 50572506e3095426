/* The sink that writes: derived rows into the writer's transaction, sums by way of the cache. */
#include "storage/records/env.h"

#include <stddef.h>
#include <string.h>

_Static_assert(offsetof(struct hs_records, txn) == 0, "hs_records_settle finds the environment by its transaction");

static void put_index(struct hs_derive *derive, const struct hs_row_key *key, bool there)
{
    if (there)
        hs_txn_put(derive->txn, HS_TABLE_INDEX, hs_row_key_bytes(key), HS_BYTES("", 0));
    else
        hs_txn_delete(derive->txn, HS_TABLE_INDEX, hs_row_key_bytes(key));
}

/* ---- sums ---- */

static void add(struct hs_sums *sums, const struct hs_addition *addition)
{
    sums->of[addition->pair].count += addition->sign;
    sums->of[addition->pair].fen += addition->sign * (hs_wide)addition->fen;
}

static void write_sums(struct hs_derive *derive, struct hs_bytes key, const struct hs_sums *sums)
{
    struct hs_buf *value = &((struct hs_records *)derive->ctx)->sums;
    hs_buf_reset(value);
    hs_sums_put(value, sums);
    hs_derive_fail(derive, value->err);
    if (value->size != 0)
        hs_txn_put(derive->txn, HS_TABLE_INDEX, key, hs_buf_bytes(value));
    else
        hs_txn_delete(derive->txn, HS_TABLE_INDEX, key);
}

/* Accounts and bills are many and each changes seldom: their rows are written at once, while their page, on which
 * the index rows of the same account lie too, is at hand. */
static void add_at_once(struct hs_derive *derive, const struct hs_addition *addition)
{
    struct hs_sums sums = {0};
    struct hs_bytes key = hs_row_key_bytes(addition->key);
    struct hs_bytes value;
    uint8_t sort = 0;
    enum hs_err err = hs_txn_get(derive->txn, HS_TABLE_INDEX, key, &value);
    if (err == HS_OK && hs_sums_read(value, &sums) != HS_OK)
        err = HS_EDAMAGED;
    hs_derive_fail(derive, err == HS_ENOTFOUND ? HS_OK : err);
    hs_derive_fail(derive, hs_sums_sort(key, &sort));
    uint8_t lists = hs_bill_lists(&sums);
    add(&sums, addition);
    write_sums(derive, key, &sums);
    lists |= hs_bill_lists(&sums);
    if (sort == HS_SUMS_BILL && lists != 0)
        hs_bill_list(derive, key, &sums, lists);
}

/* Days, totals and counts change with every op. */
static struct hs_row *changing_row(struct hs_records *records, hs_table table, struct hs_bytes key)
{
    struct hs_row *row = hs_cache_row(&records->cache, &records->txn, table, key);
    if (row != NULL)
        hs_cache_touch(&records->cache, row);
    return row;
}

static void add_sum(struct hs_derive *derive, const struct hs_addition *addition)
{
    if (addition->table == HS_TABLE_INDEX) {
        add_at_once(derive, addition);
        return;
    }
    struct hs_row *row = changing_row(derive->ctx, addition->table, hs_row_key_bytes(addition->key));
    if (row != NULL)
        add(&row->sums, addition);
}

/* ---- lists ---- */

struct hs_bytes hs_list_count_key(enum hs_list list, uint8_t key[static HS_LIST_COUNT_KEY_BYTES])
{
    memcpy(key, "list", 4);
    key[4] = (uint8_t)list;
    return HS_BYTES(key, HS_LIST_COUNT_KEY_BYTES);
}

static void count_listed(struct hs_records *records, enum hs_list list, int sign)
{
    uint8_t key[HS_LIST_COUNT_KEY_BYTES];
    struct hs_row *row = changing_row(records, HS_TABLE_META, hs_list_count_key(list, key));
    if (row != NULL)
        row->sums.of[0].count += sign;
}

static void put_listing(struct hs_derive *derive, const struct hs_row_key *key, const struct hs_listing *listing)
{
    struct hs_records *records = derive->ctx;
    struct hs_bytes stored;
    enum hs_list list = (enum hs_list)key->bytes[0];
    bool listed = hs_txn_get(derive->txn, HS_TABLE_LIST, hs_row_key_bytes(key), &stored) == HS_OK;
    if (listing == NULL) {
        if (listed) {
            hs_txn_delete(derive->txn, HS_TABLE_LIST, hs_row_key_bytes(key));
            count_listed(records, list, -1);
        }
        return;
    }
    struct hs_buf value = {0};
    hs_wide_put(&value, listing->fen);
    hs_buf_put_bytes(&value, listing->detail);
    hs_derive_fail(derive, value.err);
    if (!listed)
        count_listed(records, list, 1);
    if (!listed || !hs_bytes_equal(stored, hs_buf_bytes(&value)))
        hs_txn_put(derive->txn, HS_TABLE_LIST, hs_row_key_bytes(key), hs_buf_bytes(&value));
    hs_buf_fini(&value);
}

static void put_fold(struct hs_derive *derive, struct hs_bytes key, struct hs_bytes row)
{
    if (row.size != 0)
        hs_txn_put(derive->txn, HS_TABLE_FOLD, key, row);
    else
        hs_txn_delete(derive->txn, HS_TABLE_FOLD, key);
}

const struct hs_derive_sink HS_TABLES_SINK = {
    .index = put_index, .add = add_sum, .list = put_listing, .fold = put_fold};

void hs_records_settle(struct hs_txn *txn)
{
    if (txn->writes && txn->err == HS_OK) {
        struct hs_records *records = (struct hs_records *)txn;
        hs_cache_write(&records->cache, txn);
    }
}
