#include "storage/records/rows.h"

#include "storage/model/kinds.h"
#include "storage/model/record.h"

#include <assert.h>
#include <string.h>

#define VALUE_HASHED          0xff /* in place of a value's size */
#define KIND_OF_SUMS          0
#define WIDE_VARINT_BYTES_MAX 19

_Static_assert(HS_INDEX_VALUE_BYTES_MAX < VALUE_HASHED, "no value's size is taken for the mark of a hashed one");
_Static_assert(HS_ROW_KEY_BYTES_MAX <= HS_DB_KEY_BYTES_MAX, "LMDB's longest key");

const char *const HS_RECORDS_TABLES[HS_TABLE_COUNT] = {
    [HS_TABLE_META] = "meta",       [HS_TABLE_STATE] = "state",   [HS_TABLE_INDEX] = "index", [HS_TABLE_DAY] = "day",
    [HS_TABLE_ROOT] = "root",       [HS_TABLE_LEAF] = "leaf",     [HS_TABLE_LIST] = "list",   [HS_TABLE_FOLD] = "fold",
    [HS_TABLE_REQUEST] = "request", [HS_TABLE_NUMBER] = "number",
};

const struct hs_day HS_DAY_TOTAL = {0};

/* ---- keys ---- */

struct hs_bytes hs_row_key_bytes(const struct hs_row_key *key)
{
    return HS_BYTES(key->bytes, key->size);
}

void hs_row_key_put(struct hs_row_key *key, struct hs_bytes bytes)
{
    assert(bytes.size <= sizeof key->bytes - key->size);
    if (bytes.size != 0)
        memcpy(key->bytes + key->size, bytes.data, bytes.size);
    key->size += bytes.size;
}

static void put_u8(struct hs_row_key *key, uint8_t value)
{
    hs_row_key_put(key, HS_BYTES(&value, 1));
}

static void put_u16(struct hs_row_key *key, uint16_t value)
{
    uint8_t raw[2];
    hs_be16(raw, value);
    hs_row_key_put(key, HS_BYTES(raw, sizeof raw));
}

static void put_value(struct hs_row_key *key, struct hs_bytes value)
{
    if (value.size <= HS_INDEX_VALUE_BYTES_MAX) {
        put_u8(key, (uint8_t)value.size);
        hs_row_key_put(key, value);
        return;
    }
    struct hs_hash hash = hs_hash_of(value);
    put_u8(key, VALUE_HASHED);
    hs_row_key_put(key, HS_BYTES(hash.bytes, sizeof hash.bytes));
}

void hs_index_prefix(struct hs_row_key *key, struct hs_bytes value, uint16_t kind, uint8_t index)
{
    key->size = 0;
    put_value(key, value);
    put_u16(key, kind);
    put_u8(key, index);
}

void hs_index_key(struct hs_row_key *key, struct hs_bytes value, uint8_t index, const struct hs_record_name *name)
{
    hs_index_prefix(key, value, name->kind, index);
    put_u16(key, name->partition);
    hs_row_key_put(key, name->id);
}

void hs_account_key(struct hs_row_key *key, struct hs_bytes account, hs_partition partition)
{
    hs_index_prefix(key, account, KIND_OF_SUMS, HS_SUMS_ACCOUNT);
    put_u16(key, partition);
}

void hs_bill_key(struct hs_row_key *key, struct hs_bytes account, struct hs_bytes bill_id, hs_partition partition)
{
    hs_index_prefix(key, account, KIND_OF_SUMS, HS_SUMS_BILL);
    hs_row_key_put(key, bill_id);
    put_u16(key, partition);
}

enum hs_err hs_sums_sort(struct hs_bytes key, uint8_t *sort)
{
    struct hs_cur cur = hs_cur_of(key);
    uint8_t size = hs_cur_u8(&cur);
    hs_cur_take(&cur, size == VALUE_HASHED ? HS_HASH_BYTES : size);
    uint16_t kind = hs_cur_u16(&cur);
    uint8_t index = hs_cur_u8(&cur);
    hs_cur_u16(&cur); /* a partition, in all of them */
    if (cur.err == HS_OK)
        *sort = kind == KIND_OF_SUMS ? index : 0;
    return cur.err;
}

void hs_bill_from_key(struct hs_bytes key, struct hs_bytes *account, struct hs_record_name *bill)
{
    struct hs_cur cur = hs_cur_of(key);
    *account = hs_cur_take(&cur, hs_cur_u8(&cur));
    hs_cur_take(&cur, 2 + 1);
    assert(cur.left > 2);
    struct hs_bytes id = hs_cur_take(&cur, cur.left - 2);
    *bill = (struct hs_record_name){hs_cur_u16(&cur), HS_LANE_BULK, HS_KIND_BILL, id};
}

void hs_day_key(struct hs_row_key *key, const struct hs_day *day)
{
    hs_be32(key->bytes, day->date);
    hs_be32(key->bytes + 4, day->window);
    hs_be64(key->bytes + 8, day->origin);
    key->size = HS_DAY_KEY_BYTES;
}

enum hs_err hs_day_from_key(struct hs_bytes key, struct hs_day *day)
{
    if (key.size != HS_DAY_KEY_BYTES)
        return HS_EMALFORMED;
    *day = (struct hs_day){hs_from_be32(key.data), hs_from_be32(key.data + 4), hs_from_be64(key.data + 8)};
    return HS_OK;
}

void hs_root_key(struct hs_row_key *key, hs_partition partition, uint16_t kind)
{
    key->size = 0;
    put_u16(key, partition);
    put_u16(key, kind);
}

void hs_leaf_key(struct hs_row_key *key, hs_partition partition, uint16_t kind, uint32_t leaf)
{
    assert(leaf < HS_DIGEST_LEAVES);
    hs_root_key(key, partition, kind);
    put_u16(key, (uint16_t)leaf);
}

void hs_list_key(struct hs_row_key *key, enum hs_list list, const struct hs_record_name *name, struct hs_bytes extra)
{
    uint8_t record[HS_RECORD_KEY_BYTES_MAX];
    size_t size = hs_record_key(name, record);
    key->size = 0;
    put_u8(key, (uint8_t)list);
    put_u8(key, (uint8_t)size);
    hs_row_key_put(key, HS_BYTES(record, size));
    hs_row_key_put(key, extra);
}

enum hs_err hs_list_from_key(struct hs_bytes key, enum hs_list *list, struct hs_record_name *name)
{
    struct hs_cur cur = hs_cur_of(key);
    uint8_t number = hs_cur_u8(&cur);
    struct hs_bytes record = hs_cur_take(&cur, hs_cur_u8(&cur));
    *list = (enum hs_list)number;
    return cur.err != HS_OK ? cur.err : hs_record_from_key(record, name);
}

/* ---- values ---- */

void hs_wide_put(struct hs_buf *buf, hs_wide value)
{
    unsigned __int128 left = (unsigned __int128)value << 1 ^ (value < 0 ? ~(unsigned __int128)0 : 0); /* zigzag */
    uint8_t raw[WIDE_VARINT_BYTES_MAX];
    size_t size = 0;
    while (left >= 0x80) {
        raw[size++] = (uint8_t)(left | 0x80);
        left >>= 7;
    }
    raw[size++] = (uint8_t)left;
    hs_buf_put(buf, raw, size);
}

hs_wide hs_wide_take(struct hs_cur *cur)
{
    unsigned __int128 value = 0;
    uint8_t byte = 0x80;
    for (size_t i = 0; i < WIDE_VARINT_BYTES_MAX && (byte & 0x80) != 0; i++) {
        byte = hs_cur_u8(cur);
        value |= (unsigned __int128)(byte & 0x7f) << 7 * i;
    }
    if ((byte & 0x80) != 0)
        hs_cur_fail(cur);
    return (hs_wide)(value >> 1 ^ ((value & 1) != 0 ? ~(unsigned __int128)0 : 0));
}

enum hs_err hs_wide_narrow(hs_wide wide, int64_t *narrow)
{
    if (wide > INT64_MAX || wide < INT64_MIN)
        return HS_EOVERFLOW;
    *narrow = (int64_t)wide;
    return HS_OK;
}

void hs_sums_put(struct hs_buf *buf, const struct hs_sums *sums)
{
    size_t pairs = HS_PAIR_COUNT;
    while (pairs > 0 && sums->of[pairs - 1].count == 0 && sums->of[pairs - 1].fen == 0)
        pairs--;
    for (size_t i = 0; i < pairs; i++) {
        hs_wide_put(buf, sums->of[i].count);
        hs_wide_put(buf, sums->of[i].fen);
    }
}

enum hs_err hs_sums_read(struct hs_bytes bytes, struct hs_sums *sums)
{
    struct hs_cur cur = hs_cur_of(bytes);
    *sums = (struct hs_sums){0};
    for (size_t i = 0; i < HS_PAIR_COUNT && cur.left > 0; i++) {
        sums->of[i].count = (int64_t)hs_wide_take(&cur);
        sums->of[i].fen = hs_wide_take(&cur);
    }
    return hs_cur_done(&cur) ? HS_OK : HS_EMALFORMED;
}

void hs_tally_put(struct hs_buf *buf, const struct hs_tally *tally)
{
    if (tally->count == 0)
        return;
    hs_buf_put_u64(buf, tally->count);
    hs_buf_put(buf, tally->sum.bytes, sizeof tally->sum.bytes);
}

enum hs_err hs_tally_read(struct hs_bytes bytes, struct hs_tally *tally)
{
    struct hs_cur cur = hs_cur_of(bytes);
    tally->count = hs_cur_u64(&cur);
    hs_cur_copy(&cur, tally->sum.bytes, sizeof tally->sum.bytes);
    return hs_cur_done(&cur) ? HS_OK : HS_EMALFORMED;
}

enum hs_err hs_state_read(const struct hs_record_name *name, struct hs_bytes value, struct hs_stored *stored)
{
    if (value.size < HS_HASH_BYTES)
        return HS_EDAMAGED;
    stored->name = *name;
    stored->state = HS_BYTES(value.data + HS_HASH_BYTES, value.size - HS_HASH_BYTES);
    memcpy(stored->hash.bytes, value.data, HS_HASH_BYTES);
    struct hs_hash actual = hs_record_hash(name, stored->state);
    return hs_hash_equal(&actual, &stored->hash) ? HS_OK : HS_EDAMAGED;
}
