/* Imports: what a source brought the last time is kept in the record, so that the same file again changes nothing, and
 * what a counter has changed meanwhile is not undone by tonight's copy of yesterday's value.
 *
 * The memory is a register field of the record like any other, of number 1000 + (source hash mod 4096).  Its value is
 * bytes:
 *
 *   4 bytes         from the source's hash, since two sources may share a number
 *   then for each imported field, ascending:
 *     varint        number of the field
 *     5 bytes       of BLAKE2b-256("hallsync import 1" NUL value), value being the field's bytes, tag included
 *
 * A row's field is written where it differs from what the source brought last, over those live values that are what the
 * source brought last: a merge of three, base, theirs and ours.  Comparing values and not dots makes the same file,
 * brought in at two halls, one history.  Where two imports crossed, the memory has two values, and both count as
 * brought. */
#include "node/service/put.h"

#include "proto/msg/tlv.h"

#include <stdlib.h>
#include <string.h>

#define FIELD_FIRST 1000
#define FIELD_COUNT 4096
#define TAG_BYTES   4
#define PRINT_BYTES 5
#define PRINTS_MAX  512 /* remembered in one record by one source; its own writers keep to the kind's fields */

struct print {
    uint32_t field;
    uint8_t bytes[PRINT_BYTES];
};

struct hs_import {
    uint32_t number; /* of the memory's field */
    uint8_t tag[TAG_BYTES];
    struct print *known; /* what was brought before; ascending, each once */
    size_t known_count;
    size_t known_room;
    struct print *brought; /* what is brought now; ascending */
    size_t brought_count;
};

static struct print print_of(uint32_t field, struct hs_bytes value)
{
    struct hs_hash hash = hs_hash_domain("hallsync import 1", value);
    struct print print = {.field = field};
    memcpy(print.bytes, hash.bytes, sizeof print.bytes);
    return print;
}

static int print_compare(const void *a, const void *b)
{
    const struct print *left = a;
    const struct print *right = b;
    if (left->field != right->field)
        return left->field < right->field ? -1 : 1;
    return memcmp(left->bytes, right->bytes, sizeof left->bytes);
}

/* ---- the memory ---- */

static bool is_ours(const struct hs_import *import, struct hs_bytes memory)
{
    return memory.size >= TAG_BYTES && memcmp(memory.data, import->tag, TAG_BYTES) == 0;
}

static bool live_is_ours(void *ctx, const struct hs_live *live)
{
    const struct hs_import *import = ctx;
    return is_ours(import, hs_tlv_bytes(live->value, import->number));
}

/* A memory that is garbled, by whatever writer, is one that remembers less. */
static void load_one(struct hs_import *import, struct hs_bytes memory)
{
    struct hs_cur cur = hs_cur_of(memory);
    hs_cur_take(&cur, TAG_BYTES);
    while (cur.left > 0 && import->known_count < import->known_room) {
        struct print print = {.field = (uint32_t)hs_cur_varint(&cur)};
        hs_cur_copy(&cur, print.bytes, sizeof print.bytes);
        if (cur.err == HS_OK)
            import->known[import->known_count++] = print;
    }
}

static size_t room_for(const struct hs_field_state *memory)
{
    size_t bytes = 0;
    for (size_t i = 0; memory != NULL && i < memory->live_count; i++)
        bytes += memory->live[i].value.size;
    size_t count = bytes / (PRINT_BYTES + 1);
    return count < PRINTS_MAX ? count : PRINTS_MAX;
}

static void sort_known(struct hs_import *import)
{
    size_t kept = 0;
    if (import->known_count > 1)
        qsort(import->known, import->known_count, sizeof *import->known, print_compare);
    for (size_t i = 0; i < import->known_count; i++) {
        if (kept == 0 || print_compare(&import->known[kept - 1], &import->known[i]) != 0)
            import->known[kept++] = import->known[i];
    }
    import->known_count = kept;
}

static enum hs_err load_all(struct hs_import *import, const struct hs_record *record, struct hs_arena *arena)
{
    const struct hs_field_state *memory = hs_record_field(record, import->number);
    import->known_room = room_for(memory);
    import->known = hs_arena_array(arena, import->known_room, sizeof *import->known);
    if (import->known == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; memory != NULL && i < memory->live_count; i++) {
        if (live_is_ours(import, &memory->live[i]))
            load_one(import, hs_tlv_bytes(memory->live[i].value, import->number));
    }
    sort_known(import);
    return HS_OK;
}

enum hs_err hs_import_load(const struct hs_item *item, const struct hs_record *record, struct hs_arena *arena,
                           struct hs_import **import)
{
    struct hs_import *made = hs_arena_alloc(arena, sizeof *made);
    if (made == NULL)
        return HS_ENOMEM;
    const char *source = item->put->source;
    struct hs_hash hash = hs_hash_domain("hallsync source 1", HS_BYTES(source, strlen(source)));
    made->number = FIELD_FIRST + hs_from_be16(hash.bytes) % FIELD_COUNT;
    memcpy(made->tag, hash.bytes + 2, sizeof made->tag);
    made->brought = hs_arena_array(arena, item->given_count, sizeof *made->brought);
    if (made->brought == NULL)
        return HS_ENOMEM;
    *import = made;
    return load_all(made, record, arena);
}

static bool remembers(const struct hs_import *import, const struct print *print)
{
    for (size_t i = 0; i < import->known_count; i++) {
        if (print_compare(&import->known[i], print) == 0)
            return true;
    }
    return false;
}

/* Exactly this was brought last, and nothing else. */
static bool settled(const struct hs_import *import, const struct print *print)
{
    bool other = false;
    for (size_t i = 0; i < import->known_count; i++)
        other = other || (import->known[i].field == print->field && print_compare(&import->known[i], print) != 0);
    return !other && remembers(import, print);
}

/* ---- one field ---- */

struct brought {
    const struct hs_import *import;
    uint32_t field;
    struct hs_bytes value;
};

static bool was_brought(void *ctx, const struct hs_live *live)
{
    const struct brought *brought = ctx;
    struct print print = print_of(brought->field, live->value);
    return hs_bytes_equal(live->value, brought->value) || remembers(brought->import, &print);
}

/* Shown, and nobody says otherwise: the source has it from there, or says the same by itself. */
static bool says_so_already(const struct hs_field_state *field, struct hs_bytes value)
{
    const struct hs_live *shown = field != NULL ? hs_field_shown(field) : NULL;
    if (shown == NULL)
        return value.size == 0;
    return hs_field_rivals(field) == 0 && hs_bytes_equal(shown->value, value);
}

enum hs_err hs_import_plan(struct hs_import *import, const struct hs_given *given, const struct hs_record *record,
                           struct hs_plan *plan)
{
    const struct hs_field_state *field = hs_record_field(record, given->number);
    struct print print = print_of(given->number, given->value);
    import->brought[import->brought_count++] = print;
    if (settled(import, &print) || says_so_already(field, given->value))
        return HS_OK;
    struct brought brought = {.import = import, .field = given->number, .value = given->value};
    plan->seen_changes++;
    return hs_plan_add(plan, given->number, given->value, field, was_brought, &brought);
}

/* ---- the memory after it ---- */

static void put_print(struct hs_buf *to, const struct print *print)
{
    hs_buf_put_varint(to, print->field);
    hs_buf_put(to, print->bytes, sizeof print->bytes);
}

static bool is_brought(const struct hs_import *import, uint32_t field)
{
    for (size_t i = 0; i < import->brought_count; i++) {
        if (import->brought[i].field == field)
            return true;
    }
    return false;
}

/* Fields that this row does not have keep what is remembered of them.  Ascending, since both lists are. */
static void put_memory(const struct hs_import *import, struct hs_buf *to)
{
    size_t next = 0;
    hs_buf_put(to, import->tag, sizeof import->tag);
    for (size_t i = 0; i < import->known_count; i++) {
        const struct print *known = &import->known[i];
        for (; next < import->brought_count && import->brought[next].field < known->field; next++)
            put_print(to, &import->brought[next]);
        if (!is_brought(import, known->field))
            put_print(to, known);
    }
    for (; next < import->brought_count; next++)
        put_print(to, &import->brought[next]);
}

static bool is_stored(const struct hs_import *import, const struct hs_record *record, struct hs_bytes value)
{
    const struct hs_field_state *memory = hs_record_field(record, import->number);
    size_t ours = 0;
    bool equal = false;
    for (size_t i = 0; memory != NULL && i < memory->live_count; i++) {
        if (!live_is_ours((void *)(uintptr_t)import, &memory->live[i]))
            continue;
        ours++;
        equal = hs_bytes_equal(memory->live[i].value, value);
    }
    return ours == 1 && equal;
}

enum hs_err hs_import_remember(struct hs_import *import, const struct hs_record *record, struct hs_plan *plan)
{
    struct hs_buf memory = {0};
    struct hs_buf field = {0};
    put_memory(import, &memory);
    hs_tlv_put_bytes(&field, import->number, hs_buf_bytes(&memory));
    enum hs_err err = memory.err != HS_OK ? memory.err : field.err;
    if (err == HS_OK && !is_stored(import, record, hs_buf_bytes(&field))) {
        const struct hs_field_state *old = hs_record_field(record, import->number);
        struct hs_bytes value = hs_arena_copy(plan->arena, hs_buf_bytes(&field));
        err = value.data != NULL ? hs_plan_add(plan, import->number, value, old, live_is_ours, import) : HS_ENOMEM;
    }
    hs_buf_fini(&memory);
    hs_buf_fini(&field);
    return err;
}
