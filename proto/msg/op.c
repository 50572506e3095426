#include "proto/msg/op.h"

#include "proto/msg/tlv.h"

/* Field numbers of op.proto.  All are below 16, so that every tag here is one byte. */
enum { OP_STAMP = 1, OP_WRITE = 2, OP_REQUEST = 3 };
enum { WRITE_KIND = 1, WRITE_ID = 2, WRITE_FACT = 3, WRITE_FIELD = 4 };
enum { FIELD_NUMBER = 1, FIELD_VALUE = 2, FIELD_OVER = 3 };
enum { DOT_ORIGIN = 1, DOT_N = 2 };

#define TAG_BYTES     1
#define FIXED64_BYTES (TAG_BYTES + 8)

/* ---- sizes: a message inside another has its length before it ---- */

static size_t varint_bytes(uint64_t value)
{
    size_t size = 1;
    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

static size_t sized_bytes(size_t size)
{
    return TAG_BYTES + varint_bytes(size) + size;
}

static size_t dot_bytes(const struct hs_dot *dot)
{
    return FIXED64_BYTES + TAG_BYTES + varint_bytes(dot->n);
}

static size_t field_bytes(const struct hs_field_write *field)
{
    size_t size = TAG_BYTES + varint_bytes(field->number);
    if (field->value.size > 0)
        size += sized_bytes(field->value.size);
    for (size_t i = 0; i < field->over_count; i++)
        size += sized_bytes(dot_bytes(&field->over[i]));
    return size;
}

static size_t write_bytes(const struct hs_write *write)
{
    size_t size = TAG_BYTES + varint_bytes(write->kind) + sized_bytes(write->id.size);
    if (write->is_fact)
        size += sized_bytes(write->fact.size);
    for (size_t i = 0; i < write->field_count; i++)
        size += sized_bytes(field_bytes(&write->fields[i]));
    return size;
}

static size_t op_bytes(const struct hs_op *op)
{
    size_t size = FIXED64_BYTES;
    for (size_t i = 0; i < op->write_count; i++)
        size += sized_bytes(write_bytes(&op->writes[i]));
    if (op->request.size > 0)
        size += sized_bytes(op->request.size);
    return size;
}

/* ---- encoding ---- */

static void put_message_head(struct hs_buf *buf, uint32_t number, size_t size)
{
    hs_buf_put_varint(buf, (uint64_t)number << 3 | HS_WIRE_BYTES);
    hs_buf_put_varint(buf, size);
}

static void put_dot(struct hs_buf *buf, const struct hs_dot *dot)
{
    put_message_head(buf, FIELD_OVER, dot_bytes(dot));
    hs_tlv_put_fixed64(buf, DOT_ORIGIN, dot->origin);
    hs_tlv_put_u64(buf, DOT_N, dot->n);
}

static void put_field(struct hs_buf *buf, const struct hs_field_write *field)
{
    put_message_head(buf, WRITE_FIELD, field_bytes(field));
    hs_tlv_put_u64(buf, FIELD_NUMBER, field->number);
    if (field->value.size > 0)
        hs_tlv_put_bytes(buf, FIELD_VALUE, field->value);
    for (size_t i = 0; i < field->over_count; i++)
        put_dot(buf, &field->over[i]);
}

static void put_write(struct hs_buf *buf, const struct hs_write *write)
{
    put_message_head(buf, OP_WRITE, write_bytes(write));
    hs_tlv_put_u64(buf, WRITE_KIND, write->kind);
    hs_tlv_put_bytes(buf, WRITE_ID, write->id);
    if (write->is_fact)
        hs_tlv_put_bytes(buf, WRITE_FACT, write->fact);
    for (size_t i = 0; i < write->field_count; i++)
        put_field(buf, &write->fields[i]);
}

void hs_op_encode(const struct hs_op *op, struct hs_buf *buf)
{
    hs_tlv_put_fixed64(buf, OP_STAMP, op->stamp);
    for (size_t i = 0; i < op->write_count; i++)
        put_write(buf, &op->writes[i]);
    if (op->request.size > 0)
        hs_tlv_put_bytes(buf, OP_REQUEST, op->request);
}

/* ---- rules: what both writer and reader hold an op to ---- */

/* All occurrences in a field's value are whole and of that field. */
static bool value_is_of_field(const struct hs_field_write *field)
{
    struct hs_cur cur = hs_cur_of(field->value);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number != field->number)
            return false;
    }
    return cur.err == HS_OK;
}

static enum hs_err check_over(const struct hs_field_write *field)
{
    if (field->over_count > HS_FIELD_OVER_MAX)
        return HS_ETOOBIG;
    for (size_t i = 0; i < field->over_count; i++) {
        const struct hs_dot *dot = &field->over[i];
        if (dot->origin == 0 || dot->n == 0)
            return HS_EINVAL;
        if (i > 0 && hs_dot_compare(dot - 1, dot) >= 0)
            return HS_EINVAL;
    }
    return HS_OK;
}

static enum hs_err check_field(const struct hs_field_write *field)
{
    if (field->number == 0 || field->number > HS_FIELD_NUMBER_MAX)
        return HS_EINVAL;
    if (field->value.size > HS_FIELD_BYTES_MAX)
        return HS_ETOOBIG;
    return value_is_of_field(field) ? check_over(field) : HS_EINVAL;
}

static enum hs_err check_fields(const struct hs_write *write)
{
    if (write->field_count > HS_WRITE_FIELDS_MAX)
        return HS_ETOOBIG;
    size_t content = 0;
    for (size_t i = 0; i < write->field_count; i++) {
        const struct hs_field_write *field = &write->fields[i];
        enum hs_err err = check_field(field);
        if (err != HS_OK)
            return err;
        if (i > 0 && field->number <= write->fields[i - 1].number)
            return HS_EINVAL;
        content += field->value.size;
    }
    return content > HS_RECORD_BYTES_MAX ? HS_ETOOBIG : HS_OK;
}

static enum hs_err check_write(const struct hs_write *write)
{
    if (write->kind == 0 || write->id.size == 0)
        return HS_EINVAL;
    if (write->is_fact == (write->field_count > 0))
        return HS_EINVAL; /* both shapes, or neither */
    if (write->id.size > HS_RECORD_ID_BYTES_MAX || write->fact.size > HS_RECORD_BYTES_MAX)
        return HS_ETOOBIG;
    return check_fields(write);
}

/* Does an earlier write name the same record? */
static bool written_before(const struct hs_op *op, size_t index)
{
    const struct hs_write *write = &op->writes[index];
    for (size_t i = 0; i < index; i++) {
        if (op->writes[i].kind == write->kind && hs_bytes_equal(op->writes[i].id, write->id))
            return true;
    }
    return false;
}

static enum hs_err check_op(const struct hs_op *op)
{
    if (op->stamp > HS_STAMP_MAX || op->write_count == 0)
        return HS_EINVAL;
    if (op->request.size != 0 && op->request.size != HS_REQUEST_ID_BYTES)
        return HS_EINVAL;
    if (op->write_count > HS_OP_WRITES_MAX)
        return HS_ETOOBIG;
    for (size_t i = 0; i < op->write_count; i++) {
        enum hs_err err = check_write(&op->writes[i]);
        if (err != HS_OK)
            return err;
        if (written_before(op, i))
            return HS_EINVAL;
    }
    return HS_OK;
}

enum hs_err hs_op_check(const struct hs_op *op)
{
    enum hs_err err = check_op(op);
    if (err == HS_OK && op_bytes(op) > HS_OP_BYTES_MAX)
        err = HS_ETOOBIG;
    return err;
}

/* ---- decoding: a cursor whose next field is read ahead, and fields taken from it in their only order ---- */

struct reader {
    struct hs_cur cur;
    struct hs_tlv next; /* number 0: none left */
    struct hs_arena *arena;
    enum hs_err err; /* sticky: HS_EMALFORMED or HS_ENOMEM */
};

static void reader_fail(struct reader *reader, enum hs_err err)
{
    if (reader->err == HS_OK)
        reader->err = err;
    reader->next.number = 0;
}

static void reader_advance(struct reader *reader)
{
    if (hs_tlv_next(&reader->cur, &reader->next))
        return;
    reader->next.number = 0;
    if (reader->cur.err != HS_OK)
        reader_fail(reader, reader->cur.err);
}

static struct reader reader_of(struct hs_bytes bytes, struct hs_arena *arena)
{
    struct reader reader = {.cur = hs_cur_of(bytes), .arena = arena, .err = HS_OK};
    reader_advance(&reader);
    return reader;
}

static bool reader_at(const struct reader *reader, uint32_t number)
{
    return reader->next.number == number;
}

/* Take the next field, which must be this one; zeros if it is not. */
static struct hs_tlv reader_take(struct reader *reader, uint32_t number, enum hs_wire wire)
{
    if (!reader_at(reader, number) || reader->next.wire != wire) {
        reader_fail(reader, HS_EMALFORMED);
        return (struct hs_tlv){0};
    }
    struct hs_tlv taken = reader->next;
    reader_advance(reader);
    return taken;
}

/* Nothing may be left; hands out the verdict. */
static enum hs_err reader_end(struct reader *reader)
{
    if (reader->next.number != 0)
        reader_fail(reader, HS_EMALFORMED);
    return reader->err;
}

/* An array with room for the fields of this number that come next; their count. */
static void *reader_array(struct reader *reader, uint32_t number, size_t max, size_t item_bytes, size_t *count)
{
    struct hs_cur ahead = reader->cur;
    struct hs_tlv tlv = reader->next;
    size_t found = 0;
    for (bool more = tlv.number != 0; more && tlv.number == number; more = hs_tlv_next(&ahead, &tlv))
        found++;
    *count = 0;
    if (found == 0)
        return NULL;
    if (found > max) {
        reader_fail(reader, HS_EMALFORMED);
        return NULL;
    }
    void *items = hs_arena_array(reader->arena, found, item_bytes);
    if (items == NULL)
        reader_fail(reader, HS_ENOMEM);
    else
        *count = found;
    return items;
}

static struct hs_dot read_dot(struct reader *outer)
{
    struct reader reader = reader_of(reader_take(outer, FIELD_OVER, HS_WIRE_BYTES).bytes, outer->arena);
    struct hs_dot dot;
    dot.origin = reader_take(&reader, DOT_ORIGIN, HS_WIRE_FIXED64).value;
    dot.n = reader_take(&reader, DOT_N, HS_WIRE_VARINT).value;
    if (reader_end(&reader) != HS_OK)
        reader_fail(outer, reader.err);
    return dot;
}

static void read_over(struct reader *reader, struct hs_field_write *field)
{
    size_t count;
    struct hs_dot *over = reader_array(reader, FIELD_OVER, HS_FIELD_OVER_MAX, sizeof *over, &count);
    for (size_t i = 0; i < count; i++)
        over[i] = read_dot(reader);
    field->over = over;
    field->over_count = count;
}

static struct hs_field_write read_field(struct reader *outer)
{
    struct reader reader = reader_of(reader_take(outer, WRITE_FIELD, HS_WIRE_BYTES).bytes, outer->arena);
    struct hs_field_write field = {0};
    uint64_t number = reader_take(&reader, FIELD_NUMBER, HS_WIRE_VARINT).value;
    if (number > HS_FIELD_NUMBER_MAX)
        reader_fail(&reader, HS_EMALFORMED);
    field.number = (uint32_t)number;
    if (reader_at(&reader, FIELD_VALUE)) {
        field.value = reader_take(&reader, FIELD_VALUE, HS_WIRE_BYTES).bytes;
        if (field.value.size == 0)
            reader_fail(&reader, HS_EMALFORMED); /* a clear has one form: no value at all */
    }
    read_over(&reader, &field);
    if (reader_end(&reader) != HS_OK)
        reader_fail(outer, reader.err);
    return field;
}

static void read_fields(struct reader *reader, struct hs_write *write)
{
    size_t count;
    struct hs_field_write *fields = reader_array(reader, WRITE_FIELD, HS_WRITE_FIELDS_MAX, sizeof *fields, &count);
    for (size_t i = 0; i < count; i++)
        fields[i] = read_field(reader);
    write->fields = fields;
    write->field_count = count;
}

static struct hs_write read_write(struct reader *outer)
{
    struct reader reader = reader_of(reader_take(outer, OP_WRITE, HS_WIRE_BYTES).bytes, outer->arena);
    struct hs_write write = {0};
    uint64_t kind = reader_take(&reader, WRITE_KIND, HS_WIRE_VARINT).value;
    if (kind > UINT16_MAX)
        reader_fail(&reader, HS_EMALFORMED);
    write.kind = (uint16_t)kind;
    write.id = reader_take(&reader, WRITE_ID, HS_WIRE_BYTES).bytes;
    write.is_fact = reader_at(&reader, WRITE_FACT);
    if (write.is_fact)
        write.fact = reader_take(&reader, WRITE_FACT, HS_WIRE_BYTES).bytes;
    read_fields(&reader, &write);
    if (reader_end(&reader) != HS_OK)
        reader_fail(outer, reader.err);
    return write;
}

static void read_writes(struct reader *reader, struct hs_op *op)
{
    size_t count;
    struct hs_write *writes = reader_array(reader, OP_WRITE, HS_OP_WRITES_MAX, sizeof *writes, &count);
    for (size_t i = 0; i < count; i++)
        writes[i] = read_write(reader);
    op->writes = writes;
    op->write_count = count;
}

enum hs_err hs_op_decode(struct hs_bytes bytes, struct hs_arena *arena, struct hs_op *op)
{
    if (bytes.size > HS_OP_BYTES_MAX)
        return HS_EMALFORMED;
    struct reader reader = reader_of(bytes, arena);
    struct hs_op read = {0};
    read.stamp = reader_take(&reader, OP_STAMP, HS_WIRE_FIXED64).value;
    read_writes(&reader, &read);
    if (reader_at(&reader, OP_REQUEST)) {
        read.request = reader_take(&reader, OP_REQUEST, HS_WIRE_BYTES).bytes;
        if (read.request.size == 0)
            reader_fail(&reader, HS_EMALFORMED);
    }
    enum hs_err err = reader_end(&reader);
    if (err == HS_OK && check_op(&read) != HS_OK)
        err = HS_EMALFORMED;
    if (err == HS_OK)
        *op = read;
    return err;
}
