/* The canonical form of a record: what is stored, hashed and sent.  Equal states have equal bytes, and no other bytes
 * decode.
 *
 *   state     = 0x01                                  version of this form
 *               varint O, O origins                   ascending, each used below or applied
 *               varint S, S sources                   ascending by (origin, n, stamp), each used below
 *               varint V, V variants                  ascending by hash
 *               varint F, F fields                    ascending by number
 *   origin    = u64 id, varint applied                highest number applied to the registers; 0: none
 *   source    = varint index of origin, varint n, u64 stamp
 *   variant   = varint index of source, sized bytes   of a fact
 *   field     = varint number, varint 2 * L + c       c is 1 if there are covered dots, else 0
 *               L live values                         ascending by (origin, n), then by value
 *               if c: varint C, C covered dots        C > 0, ascending by (origin, n)
 *   live      = varint index of source, sized value
 *   covered   = varint index of origin, varint n
 *
 * u64 is big-endian, varint is protobuf's in its least form, sized is a varint length and as many bytes; indexes count
 * from 0 in the order given; field numbers are 1..2^29-1; a field has a live value or a covered dot.  n is at least 1;
 * that of a live value is not above the applied number of its origin, that of a covered dot is.  Values are ordered as
 * by memcmp, where one is the beginning of the other the shorter first; the same value under the same (origin, n)
 * stands once.  A variant's hash is BLAKE2b-256("hallsync fact 1" NUL bytes), and not stored. */
#include "storage/model/record.h"

#include <stdlib.h>
#include <string.h>

#define FORM_VERSION 1
#define FEW          12 /* table rows that need no memory from the heap */

struct source {
    struct hs_dot dot;
    hs_stamp stamp;
};

static int origin_compare(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;
    return (*left > *right) - (*left < *right);
}

static int source_compare(const void *a, const void *b)
{
    const struct source *left = a;
    const struct source *right = b;
    int order = hs_dot_compare(&left->dot, &right->dot);
    return order != 0 ? order : (left->stamp > right->stamp) - (left->stamp < right->stamp);
}

/* ---- encode ---- */

struct tables {
    uint64_t *origins;
    struct source *sources;
    size_t origin_count;
    size_t source_count;
    uint64_t few_origins[FEW];
    struct source few_sources[FEW];
};

static enum hs_err tables_init(struct tables *tables, const struct hs_record *record)
{
    size_t sources = record->variant_count;
    size_t origins = record->variant_count + record->applied_count;
    for (size_t i = 0; i < record->field_count; i++) {
        sources += record->fields[i].live_count;
        origins += record->fields[i].live_count + record->fields[i].covered_count;
    }
    tables->origin_count = 0;
    tables->source_count = 0;
    tables->origins = origins <= FEW ? tables->few_origins : calloc(origins, sizeof *tables->origins);
    tables->sources = sources <= FEW ? tables->few_sources : calloc(sources, sizeof *tables->sources);
    return tables->origins == NULL || tables->sources == NULL ? HS_ENOMEM : HS_OK;
}

static void tables_fini(struct tables *tables)
{
    if (tables->origins != tables->few_origins)
        free(tables->origins);
    if (tables->sources != tables->few_sources)
        free(tables->sources);
}

/* Neighbours mostly share their source, so looking back one row keeps the tables short before they are sorted. */
static void add_origin(struct tables *tables, uint64_t origin)
{
    if (tables->origin_count == 0 || tables->origins[tables->origin_count - 1] != origin)
        tables->origins[tables->origin_count++] = origin;
}

static void add_source(struct tables *tables, const struct hs_dot *dot, hs_stamp stamp)
{
    struct source source = {.dot = *dot, .stamp = stamp};
    if (tables->source_count == 0 || source_compare(&tables->sources[tables->source_count - 1], &source) != 0)
        tables->sources[tables->source_count++] = source;
    add_origin(tables, dot->origin);
}

/* Sort and drop doubles; returns how many are left. */
static size_t sort_rows(void *rows, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    if (count < 2)
        return count;
    uint8_t *at = rows;
    size_t left = 1;
    qsort(rows, count, size, compare);
    for (size_t i = 1; i < count; i++) {
        if (compare(at + (left - 1) * size, at + i * size) != 0)
            memmove(at + left++ * size, at + i * size, size);
    }
    return left;
}

static void tables_fill(struct tables *tables, const struct hs_record *record)
{
    for (size_t i = 0; i < record->applied_count; i++)
        add_origin(tables, record->applied[i].origin);
    for (size_t i = 0; i < record->variant_count; i++)
        add_source(tables, &record->variants[i].dot, record->variants[i].stamp);
    for (size_t i = 0; i < record->field_count; i++) {
        const struct hs_field_state *field = &record->fields[i];
        for (size_t j = 0; j < field->live_count; j++)
            add_source(tables, &field->live[j].dot, field->live[j].stamp);
        for (size_t j = 0; j < field->covered_count; j++)
            add_origin(tables, field->covered[j].origin);
    }
    tables->origin_count = sort_rows(tables->origins, tables->origin_count, sizeof *tables->origins, origin_compare);
    tables->source_count = sort_rows(tables->sources, tables->source_count, sizeof *tables->sources, source_compare);
}

static void put_origin_index(struct hs_buf *buf, const struct tables *tables, uint64_t origin)
{
    const uint64_t *at = bsearch(&origin, tables->origins, tables->origin_count, sizeof *tables->origins,
                                 origin_compare);
    hs_buf_put_varint(buf, (uint64_t)(at - tables->origins));
}

static void put_source_index(struct hs_buf *buf, const struct tables *tables, const struct hs_dot *dot, hs_stamp stamp)
{
    struct source source = {.dot = *dot, .stamp = stamp};
    const struct source *at = bsearch(&source, tables->sources, tables->source_count, sizeof *tables->sources,
                                      source_compare);
    hs_buf_put_varint(buf, (uint64_t)(at - tables->sources));
}

static void put_tables(struct hs_buf *buf, const struct tables *tables, const struct hs_record *record)
{
    size_t applied = 0;
    hs_buf_put_varint(buf, tables->origin_count);
    for (size_t i = 0; i < tables->origin_count; i++) {
        bool is_applied = applied < record->applied_count && record->applied[applied].origin == tables->origins[i];
        hs_buf_put_u64(buf, tables->origins[i]);
        hs_buf_put_varint(buf, is_applied ? record->applied[applied].n : 0);
        applied += is_applied;
    }
    hs_buf_put_varint(buf, tables->source_count);
    for (size_t i = 0; i < tables->source_count; i++) {
        put_origin_index(buf, tables, tables->sources[i].dot.origin);
        hs_buf_put_varint(buf, tables->sources[i].dot.n);
        hs_buf_put_u64(buf, tables->sources[i].stamp);
    }
}

static void put_field(struct hs_buf *buf, const struct tables *tables, const struct hs_field_state *field)
{
    hs_buf_put_varint(buf, field->number);
    hs_buf_put_varint(buf, 2 * (uint64_t)field->live_count + (field->covered_count != 0));
    for (size_t i = 0; i < field->live_count; i++) {
        put_source_index(buf, tables, &field->live[i].dot, field->live[i].stamp);
        hs_buf_put_sized(buf, field->live[i].value);
    }
    if (field->covered_count != 0)
        hs_buf_put_varint(buf, field->covered_count);
    for (size_t i = 0; i < field->covered_count; i++) {
        put_origin_index(buf, tables, field->covered[i].origin);
        hs_buf_put_varint(buf, field->covered[i].n);
    }
}

void hs_record_encode(const struct hs_record *record, struct hs_buf *buf)
{
    struct tables tables;
    if (tables_init(&tables, record) != HS_OK) {
        buf->err = HS_ENOMEM;
        goto out;
    }
    tables_fill(&tables, record);
    hs_buf_put_u8(buf, FORM_VERSION);
    put_tables(buf, &tables, record);
    hs_buf_put_varint(buf, record->variant_count);
    for (size_t i = 0; i < record->variant_count; i++) {
        put_source_index(buf, &tables, &record->variants[i].dot, record->variants[i].stamp);
        hs_buf_put_sized(buf, record->variants[i].bytes);
    }
    hs_buf_put_varint(buf, record->field_count);
    for (size_t i = 0; i < record->field_count; i++)
        put_field(buf, &tables, &record->fields[i]);
out:
    tables_fini(&tables);
}

/* ---- decode ---- */

struct known_origin {
    struct hs_dot applied; /* n 0: none */
    bool used;
};

struct known_source {
    struct source source;
    size_t origin;
    bool used;
};

/* After the first failure all reads yield zeros. */
struct reader {
    struct hs_cur cur;
    bool no_memory; /* the cursor has failed for this and not for the bytes */
    struct hs_arena *arena;
    struct known_origin *origins;
    struct known_source *sources;
    size_t origin_count;
    size_t source_count;
};

static bool failed(const struct reader *reader)
{
    return reader->cur.err != HS_OK;
}

static void require(struct reader *reader, bool condition)
{
    if (!condition && !failed(reader))
        hs_cur_fail(&reader->cur);
}

/* How many items follow, each of at least @least bytes: so a hostile number costs no more memory than its message. */
static size_t read_count(struct reader *reader, size_t least)
{
    uint64_t count = hs_cur_varint(&reader->cur);
    require(reader, count <= reader->cur.left / least);
    return failed(reader) ? 0 : (size_t)count;
}

static void *new_array(struct reader *reader, size_t count, size_t size)
{
    void *array = failed(reader) || count == 0 ? NULL : hs_arena_array(reader->arena, count, size);
    if (array == NULL && count != 0 && !failed(reader)) {
        reader->no_memory = true;
        hs_cur_fail(&reader->cur);
    }
    return array;
}

static void read_origins(struct reader *reader, struct hs_record *record)
{
    size_t count = read_count(reader, 9);
    reader->origins = new_array(reader, count, sizeof *reader->origins);
    record->applied = new_array(reader, count, sizeof *record->applied);
    for (size_t i = 0; i < count && !failed(reader); i++) {
        struct known_origin *origin = &reader->origins[i];
        origin->applied.origin = hs_cur_u64(&reader->cur);
        origin->applied.n = hs_cur_varint(&reader->cur);
        origin->used = origin->applied.n != 0;
        require(reader, i == 0 || reader->origins[i - 1].applied.origin < origin->applied.origin);
        if (origin->used)
            record->applied[record->applied_count++] = origin->applied;
    }
    reader->origin_count = count;
}

/* The origin that an index names, from now on a used one; NULL after a failure. */
static struct known_origin *read_origin_index(struct reader *reader)
{
    uint64_t index = hs_cur_varint(&reader->cur);
    require(reader, index < reader->origin_count);
    if (failed(reader))
        return NULL;
    reader->origins[index].used = true;
    return &reader->origins[index];
}

static void read_sources(struct reader *reader)
{
    size_t count = read_count(reader, 10);
    reader->sources = new_array(reader, count, sizeof *reader->sources);
    for (size_t i = 0; i < count && !failed(reader); i++) {
        struct known_source *known = &reader->sources[i];
        const struct known_origin *origin = read_origin_index(reader);
        if (origin == NULL)
            break;
        known->origin = (size_t)(origin - reader->origins);
        known->source.dot.origin = origin->applied.origin;
        known->source.dot.n = hs_cur_varint(&reader->cur);
        known->source.stamp = hs_cur_u64(&reader->cur);
        require(reader, known->source.dot.n != 0);
        require(reader, i == 0 || source_compare(&reader->sources[i - 1].source, &known->source) < 0);
    }
    reader->source_count = count;
}

static struct known_source *read_source_index(struct reader *reader)
{
    uint64_t index = hs_cur_varint(&reader->cur);
    require(reader, index < reader->source_count);
    if (failed(reader))
        return NULL;
    reader->sources[index].used = true;
    return &reader->sources[index];
}

static void read_variants(struct reader *reader, struct hs_record *record)
{
    size_t count = read_count(reader, 2);
    record->variants = new_array(reader, count, sizeof *record->variants);
    for (size_t i = 0; i < count && !failed(reader); i++) {
        struct hs_variant *variant = &record->variants[i];
        const struct known_source *known = read_source_index(reader);
        variant->bytes = hs_cur_sized(&reader->cur);
        if (failed(reader))
            break;
        variant->dot = known->source.dot;
        variant->stamp = known->source.stamp;
        variant->hash = hs_hash_domain("hallsync fact 1", variant->bytes);
        require(reader, i == 0 || hs_hash_compare(&variant[-1].hash, &variant->hash) < 0);
    }
    record->variant_count = count;
}

static bool live_ascends(const struct hs_live *before, const struct hs_live *after)
{
    int order = hs_dot_compare(&before->dot, &after->dot);
    return order < 0 || (order == 0 && hs_bytes_compare(before->value, after->value) < 0);
}

static void read_live(struct reader *reader, struct hs_field_state *field, uint64_t count)
{
    require(reader, count <= reader->cur.left / 2);
    field->live_count = failed(reader) ? 0 : (size_t)count;
    field->live = new_array(reader, field->live_count, sizeof *field->live);
    for (size_t i = 0; i < field->live_count && !failed(reader); i++) {
        struct hs_live *live = &field->live[i];
        const struct known_source *known = read_source_index(reader);
        live->value = hs_cur_sized(&reader->cur);
        if (failed(reader))
            break;
        live->dot = known->source.dot;
        live->stamp = known->source.stamp;
        require(reader, live->dot.n <= reader->origins[known->origin].applied.n);
        require(reader, i == 0 || live_ascends(&live[-1], live));
    }
}

static void read_covered(struct reader *reader, struct hs_field_state *field)
{
    field->covered_count = read_count(reader, 2);
    require(reader, field->covered_count != 0);
    field->covered = new_array(reader, field->covered_count, sizeof *field->covered);
    for (size_t i = 0; i < field->covered_count && !failed(reader); i++) {
        struct hs_dot *covered = &field->covered[i];
        const struct known_origin *origin = read_origin_index(reader);
        covered->n = hs_cur_varint(&reader->cur);
        if (failed(reader))
            break;
        covered->origin = origin->applied.origin;
        require(reader, covered->n > origin->applied.n);
        require(reader, i == 0 || hs_dot_compare(&covered[-1], covered) < 0);
    }
}

static void read_fields(struct reader *reader, struct hs_record *record)
{
    size_t count = read_count(reader, 4);
    uint64_t last = 0;
    record->fields = new_array(reader, count, sizeof *record->fields);
    for (size_t i = 0; i < count && !failed(reader); i++) {
        struct hs_field_state *field = &record->fields[i];
        uint64_t number = hs_cur_varint(&reader->cur);
        uint64_t shape = hs_cur_varint(&reader->cur);
        require(reader, number > last && number <= HS_FIELD_NUMBER_MAX && shape != 0);
        field->number = (uint32_t)number;
        last = number;
        read_live(reader, field, shape / 2);
        if (shape % 2 != 0)
            read_covered(reader, field);
    }
    record->field_count = count;
}

static void require_all_used(struct reader *reader)
{
    for (size_t i = 0; i < reader->origin_count && !failed(reader); i++)
        require(reader, reader->origins[i].used);
    for (size_t i = 0; i < reader->source_count && !failed(reader); i++)
        require(reader, reader->sources[i].used);
}

enum hs_err hs_record_decode(struct hs_bytes state, struct hs_arena *arena, struct hs_record *record)
{
    struct reader reader = {.cur = hs_cur_of(state), .arena = arena};
    struct hs_record read = {0};
    require(&reader, hs_cur_u8(&reader.cur) == FORM_VERSION);
    read_origins(&reader, &read);
    read_sources(&reader);
    read_variants(&reader, &read);
    read_fields(&reader, &read);
    require_all_used(&reader);
    require(&reader, reader.cur.left == 0);
    if (!failed(&reader))
        *record = read;
    return reader.no_memory ? HS_ENOMEM : reader.cur.err;
}
