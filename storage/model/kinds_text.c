/* Values as people write them, and the text of lines. */
#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ESCAPE '\\'

static const ProtobufCFieldDescriptor *type_of(const struct hs_fields *fields, const struct hs_field_rule *rule)
{
    return protobuf_c_message_descriptor_get_field(fields->message, rule->number);
}

/* ---- to bytes ---- */

static bool is_money(const struct hs_field_rule *rule)
{
    return rule->form == HS_FORM_AMOUNT || rule->form == HS_FORM_SUM || rule->form == HS_FORM_CHANGE ||
           rule->form == HS_FORM_BALANCE;
}

static enum hs_err parse_number(const ProtobufCFieldDescriptor *type, const struct hs_field_rule *rule,
                                struct hs_bytes text, struct hs_buf *to, struct hs_why *why)
{
    int64_t number;
    enum hs_err err = hs_text_to_i64((const char *)text.data, text.size, &number);
    if (err == HS_EOVERFLOW)
        return hs_fail(err, why, "%s: %s", type->name, hs_err_text(err));
    if (err != HS_OK)
        return hs_fail(is_money(rule) ? HS_EAMOUNT : HS_EVALUE, why, "%s: is not a whole number", type->name);
    bool is_signed = type->type == PROTOBUF_C_TYPE_INT64 || type->type == PROTOBUF_C_TYPE_SINT64;
    if (!is_signed && number < 0)
        return hs_fail(HS_EVALUE, why, "%s: is below zero", type->name);
    if (type->type == PROTOBUF_C_TYPE_UINT32 && number > UINT32_MAX)
        return hs_fail(HS_EOVERFLOW, why, "%s: is above %u", type->name, UINT32_MAX);
    if (type->type == PROTOBUF_C_TYPE_SINT64)
        hs_tlv_put_s64(to, rule->number, number);
    else
        hs_tlv_put_u64(to, rule->number, (uint64_t)number);
    return to->err;
}

static enum hs_err parse_bytes(const ProtobufCFieldDescriptor *type, const struct hs_field_rule *rule,
                               struct hs_bytes text, struct hs_buf *to, struct hs_why *why)
{
    struct hs_id id;
    bool hashed;
    if (rule->form == HS_FORM_ID) {
        if (hs_id_from_text((const char *)text.data, text.size, &id, &hashed) != HS_OK)
            return hs_fail(HS_EVALUE, why, "%s: an id has 1 to 64 bytes", type->name);
        hs_tlv_put_bytes(to, rule->number, HS_BYTES(id.bytes, sizeof id.bytes));
        return to->err;
    }
    uint8_t *data = malloc(text.size / 2 + 1);
    if (data == NULL)
        return HS_ENOMEM;
    enum hs_err err = hs_text_from_hex((const char *)text.data, text.size, data, text.size / 2);
    if (err == HS_OK)
        hs_tlv_put_bytes(to, rule->number, HS_BYTES(data, text.size / 2));
    free(data);
    return err == HS_OK ? to->err : hs_fail(err, why, "%s: is not hexadecimal", type->name);
}

static enum hs_err parse_scalar(const struct hs_fields *fields, const struct hs_field_rule *rule, struct hs_bytes text,
                                struct hs_buf *to, struct hs_why *why)
{
    const ProtobufCFieldDescriptor *type = type_of(fields, rule);
    if (text.size > HS_FIELD_BYTES_MAX)
        return hs_fail(HS_ETOOBIG, why, "%s: %zu bytes, at most %d", type->name, text.size, HS_FIELD_BYTES_MAX);
    if (type->type == PROTOBUF_C_TYPE_BYTES)
        return parse_bytes(type, rule, text, to, why);
    if (type->type != PROTOBUF_C_TYPE_STRING)
        return parse_number(type, rule, text, to, why);
    if (!hs_text_valid(text))
        return hs_fail(HS_EUTF8, why, "%s: %s", type->name, hs_err_text(HS_EUTF8));
    hs_tlv_put_bytes(to, rule->number, text);
    return to->err;
}

/* A text of lines, as far as it has been read. */
struct reading {
    struct hs_fields line;
    struct hs_bytes text;
    size_t at;
    struct hs_buf cell, made;
};

/* Reads up to the next ':' or ';' or the end, and says which: '\0' is the end. */
static char next_cell(struct reading *reading)
{
    hs_buf_reset(&reading->cell);
    while (reading->at < reading->text.size) {
        char c = (char)reading->text.data[reading->at++];
        if (c == ':' || c == ';')
            return c;
        if (c == ESCAPE && reading->at < reading->text.size)
            c = (char)reading->text.data[reading->at++];
        hs_buf_put_u8(&reading->cell, (uint8_t)c);
    }
    return '\0';
}

static enum hs_err read_line(struct reading *reading, char *end, struct hs_why *why)
{
    size_t column = 0;
    hs_buf_reset(&reading->made);
    do {
        *end = next_cell(reading);
        if (reading->cell.err != HS_OK)
            return reading->cell.err;
        if (column == reading->line.count)
            return hs_fail(HS_EVALUE, why, "line: has more than %zu fields", reading->line.count);
        const struct hs_field_rule *rule = &reading->line.rules[column++];
        enum hs_err err = HS_OK;
        if (reading->cell.size != 0)
            err = parse_scalar(&reading->line, rule, hs_buf_bytes(&reading->cell), &reading->made, why);
        if (err != HS_OK)
            return err;
    } while (*end == ':');
    return HS_OK;
}

static enum hs_err parse_lines(const struct hs_fields *fields, const struct hs_field_rule *rule, struct hs_bytes text,
                               struct hs_buf *to, struct hs_why *why)
{
    struct reading reading = {.line = hs_line_fields(fields, rule), .text = text};
    const char *name = type_of(fields, rule)->name;
    enum hs_err err = HS_OK;
    char end = ';';
    for (size_t count = 0; end == ';' && err == HS_OK; count++) {
        struct hs_why within = {{0}};
        if (count == rule->most) {
            err = hs_fail(HS_ETOOBIG, why, "%s: more than %u lines", name, (unsigned)rule->most);
            break;
        }
        err = read_line(&reading, &end, &within);
        if (err != HS_OK)
            hs_fail(err, why, "%s[%zu].%.200s", name, count, within.text);
        else
            hs_tlv_put_bytes(to, rule->number, hs_buf_bytes(&reading.made));
    }
    if (err == HS_OK)
        err = reading.made.err != HS_OK ? reading.made.err : to->err;
    hs_buf_fini(&reading.cell);
    hs_buf_fini(&reading.made);
    return err;
}

enum hs_err hs_field_parse(const struct hs_fields *fields, const struct hs_field_rule *rule, struct hs_bytes text,
                           struct hs_buf *to, struct hs_why *why)
{
    return rule->form == HS_FORM_LINES ? parse_lines(fields, rule, text, to, why)
                                       : parse_scalar(fields, rule, text, to, why);
}

/* ---- to text ---- */

static void put_hex(struct hs_bytes bytes, struct hs_buf *text)
{
    for (size_t i = 0; i < bytes.size; i++)
        hs_buf_put_format(text, "%02x", bytes.data[i]);
}

static void put_number(const ProtobufCFieldDescriptor *type, uint64_t raw, struct hs_buf *text)
{
    if (type->type == PROTOBUF_C_TYPE_SINT64)
        hs_buf_put_format(text, "%" PRId64, (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1));
    else if (type->type == PROTOBUF_C_TYPE_INT64)
        hs_buf_put_format(text, "%" PRId64, (int64_t)raw);
    else
        hs_buf_put_format(text, "%" PRIu64, raw);
}

static void put_scalar(const ProtobufCFieldDescriptor *type, const struct hs_tlv *tlv, struct hs_buf *text)
{
    if (tlv->wire == HS_WIRE_VARINT)
        put_number(type, tlv->value, text);
    else if (type->type == PROTOBUF_C_TYPE_STRING && hs_text_valid(tlv->bytes))
        hs_buf_put_bytes(text, tlv->bytes);
    else
        put_hex(tlv->bytes, text);
}

static void put_escaped(struct hs_bytes cell, struct hs_buf *text)
{
    for (size_t i = 0; i < cell.size; i++) {
        if (cell.data[i] == ':' || cell.data[i] == ';' || cell.data[i] == ESCAPE)
            hs_buf_put_u8(text, ESCAPE);
        hs_buf_put_u8(text, cell.data[i]);
    }
}

static void put_line(const struct hs_fields *line, struct hs_bytes message, struct hs_buf *cell, struct hs_buf *text)
{
    size_t colons = 0;
    for (size_t i = 0; i < line->count; i++) {
        struct hs_tlv tlv;
        if (hs_tlv_find(message, line->rules[i].number, &tlv)) {
            hs_buf_reset(cell);
            put_scalar(type_of(line, &line->rules[i]), &tlv, cell);
            for (; colons > 0; colons--)
                hs_buf_put_u8(text, ':');
            put_escaped(hs_buf_bytes(cell), text);
        }
        colons++;
    }
}

void hs_field_text(const struct hs_fields *fields, const struct hs_field_rule *rule, struct hs_bytes value,
                   struct hs_buf *text)
{
    struct hs_cur cur = hs_cur_of(value);
    struct hs_buf cell = {0};
    struct hs_tlv tlv;
    bool first = true;
    while (hs_tlv_next(&cur, &tlv)) {
        if (tlv.number != rule->number)
            continue;
        if (rule->form != HS_FORM_LINES) {
            put_scalar(type_of(fields, rule), &tlv, text);
            break;
        }
        struct hs_fields line = hs_line_fields(fields, rule);
        if (!first)
            hs_buf_put_u8(text, ';');
        put_line(&line, tlv.bytes, &cell, text);
        first = false;
    }
    if (cell.err != HS_OK)
        text->err = cell.err;
    hs_buf_fini(&cell);
}
