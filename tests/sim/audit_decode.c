/* audit_decode.c -- an operation read by the grammar and the rules of PROTOCOL.md section 4, and judged by 5.3. */
#include "tests/sim/audit_inside.h"

#include <sodium.h>
#include <string.h>

#define OP_BYTES_MAX    65536
#define WRITES_MAX      64
#define ID_BYTES_MAX    64
#define FACT_BYTES_MAX  32768
#define FIELDS_MAX      256
#define VALUE_BYTES_MAX 16384
#define DOTS_MAX        256

struct reader {
    struct auditor *auditor;
    struct audit_op *op;
};

static uint64_t fixed64(struct hs_cur *cur)
{
    struct hs_bytes raw = hs_cur_take(cur, 8);
    uint64_t value = 0;
    for (size_t i = raw.size; i > 0; i--)
        value = value << 8 | raw.data[i - 1];
    return value;
}

static bool next_is(const struct hs_cur *cur, uint8_t tag)
{
    return cur->err == HS_OK && cur->left > 0 && cur->at[0] == tag;
}

static void expect(struct hs_cur *cur, uint8_t tag)
{
    if (!next_is(cur, tag))
        hs_cur_fail(cur);
    hs_cur_u8(cur);
}

static void demand(struct hs_cur *cur, bool holds)
{
    if (!holds)
        hs_cur_fail(cur);
}

/* How often the tag comes at the top of what is left. */
static size_t count_of(struct hs_cur cur, uint8_t tag)
{
    size_t count = 0;
    struct audit_tlv tlv;
    while (audit_tlv_next(&cur, &tlv))
        count += tlv.raw.data[0] == tag;
    return count;
}

/* ---- fields ---- */

static void read_dots(struct reader *reader, struct hs_cur *cur, struct audit_field *field)
{
    size_t most = count_of(*cur, 0x1a);
    demand(cur, most <= DOTS_MAX);
    if (cur->err != HS_OK)
        return;
    field->over = audit_new(reader->auditor, most * sizeof *field->over);
    while (next_is(cur, 0x1a) && field->over_count < most) {
        expect(cur, 0x1a);
        struct hs_cur inner = hs_cur_of(hs_cur_sized(cur));
        struct hs_dot dot;
        expect(&inner, 0x09);
        dot.origin = fixed64(&inner);
        expect(&inner, 0x10);
        dot.n = hs_cur_varint(&inner);
        demand(cur, hs_cur_done(&inner) && dot.origin != 0 && dot.n != 0);
        const struct hs_dot *last = field->over_count > 0 ? &field->over[field->over_count - 1] : NULL;
        demand(cur, last == NULL || last->origin < dot.origin || (last->origin == dot.origin && last->n < dot.n));
        field->over[field->over_count++] = dot;
    }
}

static bool value_holds(struct hs_bytes value, uint32_t number)
{
    struct hs_cur cur = hs_cur_of(value);
    struct audit_tlv tlv;
    bool holds = value.size > 0 && value.size <= VALUE_BYTES_MAX;
    while (holds && audit_tlv_next(&cur, &tlv))
        holds = tlv.number == number;
    return holds && hs_cur_done(&cur);
}

static void read_field(struct reader *reader, struct hs_cur *cur, uint32_t above, struct audit_field *field)
{
    expect(cur, 0x22);
    struct hs_cur inner = hs_cur_of(hs_cur_sized(cur));
    expect(&inner, 0x08);
    uint64_t number = hs_cur_varint(&inner);
    demand(cur, number > above && number <= HS_FIELD_NUMBER_MAX);
    field->number = (uint32_t)number;
    if (next_is(&inner, 0x12)) {
        expect(&inner, 0x12);
        field->value = hs_cur_sized(&inner);
        demand(cur, value_holds(field->value, field->number));
    }
    read_dots(reader, &inner, field);
    demand(cur, hs_cur_done(&inner));
}

static void read_fields(struct reader *reader, struct hs_cur *cur, struct audit_write *write)
{
    size_t most = count_of(*cur, 0x22), bytes = 0;
    demand(cur, most >= 1 && most <= FIELDS_MAX);
    if (cur->err != HS_OK)
        return;
    write->fields = audit_new(reader->auditor, most * sizeof *write->fields);
    while (cur->err == HS_OK && cur->left > 0 && write->field_count < most) {
        uint32_t above = write->field_count > 0 ? write->fields[write->field_count - 1].number : 0;
        read_field(reader, cur, above, &write->fields[write->field_count]);
        bytes += write->fields[write->field_count++].value.size;
    }
    demand(cur, bytes <= FACT_BYTES_MAX);
}

/* ---- writes ---- */

static struct hs_hash fact_hash(struct hs_bytes fact)
{
    static const char DOMAIN[] = "hallsync fact 1"; /* with its zero */
    struct hs_hash hash;
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof hash.bytes);
    crypto_generichash_update(&state, (const uint8_t *)DOMAIN, sizeof DOMAIN);
    crypto_generichash_update(&state, fact.data, fact.size);
    crypto_generichash_final(&state, hash.bytes, sizeof hash.bytes);
    return hash;
}

struct name {
    uint16_t kind;
    struct hs_bytes id;
};

static void read_write(struct reader *reader, struct hs_cur *cur, struct audit_write *write, struct name *name)
{
    struct hs_cur inner = hs_cur_of(hs_cur_sized(cur));
    expect(&inner, 0x08);
    uint64_t kind = hs_cur_varint(&inner);
    demand(cur, kind >= 1 && kind <= UINT16_MAX);
    expect(&inner, 0x12);
    *name = (struct name){(uint16_t)kind, hs_cur_sized(&inner)};
    demand(cur, name->id.size >= 1 && name->id.size <= ID_BYTES_MAX);
    write->op = reader->op;
    write->is_fact = next_is(&inner, 0x1a);
    if (write->is_fact) {
        expect(&inner, 0x1a);
        write->fact = hs_cur_sized(&inner);
        write->fact_hash = fact_hash(write->fact);
        demand(cur, write->fact.size <= FACT_BYTES_MAX);
    } else {
        read_fields(reader, &inner, write);
    }
    demand(cur, hs_cur_done(&inner));
}

static bool is_new(const struct name *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].kind == names[count].kind && hs_bytes_equal(names[i].id, names[count].id))
            return false;
    }
    return true;
}

static void read_op(struct reader *reader, struct hs_cur *cur, struct name names[static WRITES_MAX])
{
    struct audit_op *op = reader->op;
    size_t most = 0;
    expect(cur, 0x09);
    op->stamp = fixed64(cur);
    demand(cur, op->stamp >> 63 == 0 && op->bytes.size <= OP_BYTES_MAX);
    if (cur->err == HS_OK)
        most = count_of(*cur, 0x12);
    demand(cur, most >= 1 && most <= WRITES_MAX);
    if (cur->err != HS_OK)
        return;
    op->writes = audit_new(reader->auditor, most * sizeof *op->writes);
    while (next_is(cur, 0x12) && op->write_count < most) {
        expect(cur, 0x12);
        read_write(reader, cur, &op->writes[op->write_count], &names[op->write_count]);
        demand(cur, is_new(names, op->write_count));
        op->write_count++;
    }
    if (next_is(cur, 0x1a)) {
        expect(cur, 0x1a);
        op->request = hs_cur_sized(cur);
        demand(cur, op->request.size == HS_REQUEST_ID_BYTES);
    }
}

static bool may_write(bool hub, uint16_t kind)
{
    return kind <= 999 || (hub && kind <= 1999);
}

bool audit_decode(struct auditor *auditor, struct audit_op *op, bool hub)
{
    struct reader reader = {auditor, op};
    struct name names[WRITES_MAX];
    struct hs_cur cur = hs_cur_of(op->bytes);
    read_op(&reader, &cur, names);
    bool good = hs_cur_done(&cur);
    for (size_t i = 0; good && i < op->write_count; i++)
        good = may_write(hub, names[i].kind);
    if (!good)
        return false;
    for (size_t i = 0; i < op->write_count; i++) {
        struct audit_write *write = &op->writes[i];
        write->record = audit_record(auditor, &op->stream->name, names[i].kind, names[i].id);
        *write->record->writes_end = write;
        write->record->writes_end = &write->next;
        if (write->is_fact)
            audit_link(auditor, write);
    }
    return true;
}
