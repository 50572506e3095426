/* Index rows: value, kind and index, then the record.  They begin with the value, so that what concerns one account
 * or one payment lies on one page, whatever kinds it is of. */
#include "storage/records/derive.h"
#include "storage/records/records.h"

#include <assert.h>
#include <string.h>

/* The value of one field under which the record stands; size 0: under none.  @number holds a value that is no text. */
static struct hs_bytes value_of(const struct hs_facet *facet, const struct hs_index *index, uint8_t number[static 8])
{
    if (index->field == 0 || !hs_facet_counts(facet))
        return HS_BYTES_NONE;
    assert(index->field < HS_FACET_FIELDS);
    const struct hs_tlv *field = &facet->fields[index->field];
    if (field->number == 0 || field->wire == HS_WIRE_BYTES)
        return field->bytes;
    hs_be64(number, field->value);
    return HS_BYTES(number, 8);
}

static void put_row(struct hs_derive *derive, uint8_t index, struct hs_bytes value, const struct hs_record_name *name,
                    bool there)
{
    struct hs_row_key key;
    if (value.size == 0)
        return;
    hs_index_key(&key, value, index, name);
    derive->sink->index(derive, &key, there);
}

/* ---- indexes over lines, or over two fields ---- */

struct keys {
    struct hs_derive *derive;
    struct hs_bytes *list;
    size_t count, room;
};

static bool has_key(const struct keys *keys, struct hs_bytes key)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (hs_bytes_equal(keys->list[i], key))
            return true;
    }
    return false;
}

static void take_key(void *ctx, struct hs_bytes key)
{
    struct keys *keys = ctx;
    struct hs_arena *arena = keys->derive->arena;
    if (has_key(keys, key))
        return;
    if (keys->count == keys->room) {
        size_t room = keys->room == 0 ? 8 : 2 * keys->room;
        struct hs_bytes *list = hs_arena_array(arena, room, sizeof *list);
        if (list == NULL) {
            hs_derive_fail(keys->derive, HS_ENOMEM);
            return;
        }
        if (keys->count > 0)
            memcpy(list, keys->list, keys->count * sizeof *list);
        keys->list = list;
        keys->room = room;
    }
    struct hs_bytes copy = hs_arena_copy(arena, key);
    if (copy.data == NULL)
        hs_derive_fail(keys->derive, HS_ENOMEM);
    else
        keys->list[keys->count++] = copy;
}

/* Of so many rows of one index. */
static void keys_of(const struct hs_facet *facet, const struct hs_index *index, size_t rows, struct keys *keys)
{
    for (size_t i = 0; i < rows && hs_facet_counts(facet); i++) {
        if (hs_facet_has(facet, &index[i]))
            hs_derive_fail(keys->derive, hs_index_keys(&index[i], facet->message, take_key, keys));
    }
}

static void change_keys(struct hs_derive *derive, const struct hs_index *index, size_t rows, const struct hs_facet *old,
                        const struct hs_facet *new)
{
    struct keys before = {.derive = derive};
    struct keys after = {.derive = derive};
    keys_of(old, index, rows, &before);
    keys_of(new, index, rows, &after);
    for (size_t i = 0; i < before.count; i++) {
        if (!has_key(&after, before.list[i]))
            put_row(derive, index->number, before.list[i], &old->name, false);
    }
    for (size_t i = 0; i < after.count; i++) {
        if (!has_key(&before, after.list[i]))
            put_row(derive, index->number, after.list[i], &new->name, true);
    }
}

/* ---- all of them ---- */

void hs_index_change(struct hs_derive *derive, const struct hs_facet *old, const struct hs_facet *new)
{
    const struct hs_kind *kind = new->kind;
    size_t rows;
    for (size_t i = 0; i < kind->index_count; i += rows) {
        const struct hs_index *index = &kind->indexes[i];
        uint8_t old_number[8];
        uint8_t new_number[8];
        for (rows = 1; i + rows < kind->index_count && index[rows].number == index->number;)
            rows++;
        if (rows > 1 || index->line != 0 || index->then != 0) {
            change_keys(derive, index, rows, old, new);
            continue;
        }
        struct hs_bytes before = value_of(old, index, old_number);
        struct hs_bytes after = value_of(new, index, new_number);
        if (hs_bytes_equal(before, after))
            continue;
        put_row(derive, index->number, before, &old->name, false);
        put_row(derive, index->number, after, &new->name, true);
    }
}

void hs_index_row(struct hs_derive *derive, const char *index, struct hs_bytes value, const struct hs_record_name *name,
                  bool there)
{
    put_row(derive, hs_kind_index(hs_kind_by_number(name->kind), index)->number, value, name, there);
}

/* ---- looking up ---- */

static void wanted_prefix(const struct hs_wanted *wanted, struct hs_row_key *prefix)
{
    const struct hs_index *index = hs_kind_index(hs_kind_by_number(wanted->kind), wanted->index);
    assert(index != NULL);
    hs_index_prefix(prefix, wanted->value, wanted->kind, index->number);
    uint8_t partition[2];
    hs_be16(partition, wanted->partition);
    if (!wanted->anywhere)
        hs_row_key_put(prefix, HS_BYTES(partition, sizeof partition));
}

size_t hs_index_count(struct hs_derive *derive, const struct hs_wanted *wanted, size_t most)
{
    struct hs_row_key prefix;
    struct hs_scan scan;
    size_t count = 0;
    wanted_prefix(wanted, &prefix);
    hs_scan_begin(&scan, derive->txn, HS_TABLE_INDEX, hs_row_key_bytes(&prefix), HS_BYTES_NONE);
    while (count < most && hs_scan_next(&scan))
        count++;
    hs_scan_end(&scan);
    hs_derive_fail(derive, derive->txn->err);
    return count;
}

/* The record that an index row names: behind the value's prefix of @size bytes come partition and id. */
static enum hs_err name_in_row(struct hs_bytes key, size_t size, const struct hs_kind *kind,
                               struct hs_record_name *name)
{
    struct hs_cur cur = hs_cur_of(HS_BYTES(key.data + size, key.size - size));
    name->partition = hs_cur_u16(&cur);
    name->lane = (uint8_t)kind->lane;
    name->kind = kind->number;
    name->id = hs_cur_take(&cur, cur.left);
    bool whole = cur.err == HS_OK && name->id.size > 0 && name->id.size <= HS_RECORD_ID_BYTES_MAX;
    return whole ? HS_OK : HS_EDAMAGED;
}

struct hs_facet *hs_index_facets(struct hs_derive *derive, const struct hs_wanted *wanted)
{
    struct hs_facet *first = NULL;
    struct hs_facet **end = &first;
    struct hs_row_key prefix;
    struct hs_scan scan;
    wanted_prefix(wanted, &prefix);
    size_t name_at = prefix.size - (wanted->anywhere ? 0 : 2);
    hs_scan_begin(&scan, derive->txn, HS_TABLE_INDEX, hs_row_key_bytes(&prefix), HS_BYTES_NONE);
    while (*derive->err == HS_OK && hs_scan_next(&scan)) {
        struct hs_record_name name;
        struct hs_facet *facet = hs_arena_alloc(derive->arena, sizeof *facet);
        enum hs_err err = name_in_row(scan.key, name_at, hs_kind_by_number(wanted->kind), &name);
        hs_derive_fail(derive, facet == NULL ? HS_ENOMEM : err);
        if (*derive->err != HS_OK)
            break;
        hs_facet_load(derive, &name, facet);
        if (*derive->err == HS_OK && !hs_facet_counts(facet))
            hs_derive_fail(derive, HS_EDAMAGED);
        *end = facet;
        end = &facet->next;
    }
    hs_scan_end(&scan);
    hs_derive_fail(derive, derive->txn->err);
    return *derive->err == HS_OK ? first : NULL;
}

/* Where a scan goes on behind the record @after of the same kind. */
static enum hs_err go_on(struct hs_row_key *from, struct hs_bytes after)
{
    struct hs_record_name name;
    if (after.size == 0)
        return HS_OK;
    if (hs_record_from_key(after, &name) != HS_OK)
        return HS_EINVAL;
    uint8_t partition[2];
    hs_be16(partition, name.partition);
    hs_row_key_put(from, HS_BYTES(partition, sizeof partition));
    hs_row_key_put(from, name.id);
    return HS_OK;
}

enum hs_err hs_records_index(struct hs_txn *txn, uint16_t kind, uint8_t index, struct hs_bytes key,
                             struct hs_bytes after, hs_visit_record visit, void *ctx)
{
    struct hs_row_key prefix;
    struct hs_scan scan;
    const struct hs_kind *known = hs_kind_by_number(kind);
    if (known == NULL)
        return HS_EKIND;
    hs_index_prefix(&prefix, key, kind, index);
    struct hs_row_key from = prefix;
    enum hs_err err = go_on(&from, after);
    if (err != HS_OK)
        return err;
    hs_scan_begin(&scan, txn, HS_TABLE_INDEX, hs_row_key_bytes(&prefix), hs_row_key_bytes(&from));
    while (err == HS_OK && hs_scan_next(&scan)) {
        struct hs_record_name name;
        struct hs_stored stored;
        if (after.size != 0 && hs_bytes_equal(scan.key, hs_row_key_bytes(&from)))
            continue;
        err = name_in_row(scan.key, prefix.size, known, &name);
        if (err == HS_OK)
            err = hs_records_get(txn, &name, &stored);
        if (err == HS_OK)
            err = visit(ctx, &stored);
        else if (err == HS_ENOTFOUND)
            err = HS_EDAMAGED;
    }
    hs_scan_end(&scan);
    return err != HS_OK ? err : txn->err;
}
