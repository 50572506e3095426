#include "node/cli/draft.h"

#include "node/cli/forms.h"
#include "proto/base/text.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum hs_err cli_draft_init(struct cli_draft *draft, const struct hs_kind *kind)
{
    *draft = (struct cli_draft){.kind = kind, .message = calloc(1, kind->message->sizeof_message)};
    if (draft->message == NULL)
        return HS_ENOMEM;
    protobuf_c_message_init(kind->message, draft->message);
    return HS_OK;
}

void cli_draft_fini(struct cli_draft *draft)
{
    if (draft->message != NULL)
        protobuf_c_message_free_unpacked(draft->message, NULL);
    *draft = (struct cli_draft){0};
}

enum hs_err cli_draft_pack(const struct cli_draft *draft, struct hs_buf *buf)
{
    size_t size = protobuf_c_message_get_packed_size(draft->message);
    uint8_t *at = hs_buf_extend(buf, size);
    if (at != NULL)
        protobuf_c_message_pack(draft->message, at);
    return buf->err;
}

static void *member(const struct cli_draft *draft, const ProtobufCFieldDescriptor *field)
{
    return (char *)draft->message + field->offset;
}

static void mark_present(const struct cli_draft *draft, const ProtobufCFieldDescriptor *field)
{
    if (field->quantifier_offset != 0)
        *(protobuf_c_boolean *)((char *)draft->message + field->quantifier_offset) = 1;
}

/* Find the field and note that it was given. */
static enum hs_err find_field(struct cli_draft *draft, const char *name, const ProtobufCFieldDescriptor **field,
                              struct cli_bad *bad)
{
    *field = protobuf_c_message_descriptor_get_field_by_name(draft->kind->message, name);
    if (*field == NULL)
        return cli_bad(bad, HS_EFIELD, name, "a %s has no such field", draft->kind->name);
    uint64_t bit = (uint64_t)1 << ((*field)->id % 64);
    if ((draft->given & bit) != 0)
        return cli_bad(bad, HS_EVALUE, name, "is given twice");
    draft->given |= bit;
    return HS_OK;
}

static enum hs_form form_of(const struct cli_draft *draft, const ProtobufCFieldDescriptor *field)
{
    const struct hs_field_rule *rule = hs_kind_rule(draft->kind, field->id);
    return rule != NULL ? rule->form : HS_FORM_ANY;
}

/* An amount that is no whole number has an error of its own. */
static enum hs_err not_a_number(const struct cli_draft *draft, const ProtobufCFieldDescriptor *field,
                                struct cli_bad *bad)
{
    enum hs_form form = form_of(draft, field);
    if (form == HS_FORM_AMOUNT || form == HS_FORM_SUM || form == HS_FORM_CHANGE || form == HS_FORM_BALANCE)
        return cli_bad(bad, HS_EAMOUNT, field->name, "%s", hs_err_text(HS_EAMOUNT));
    if (form == HS_FORM_TIME)
        return cli_bad(bad, HS_EVALUE, field->name, "is not a time like 2026-11-21T14:00");
    return cli_bad(bad, HS_EVALUE, field->name, "is not a whole number");
}

static enum hs_err clear_field(struct cli_draft *draft, const ProtobufCFieldDescriptor *field, struct cli_bad *bad)
{
    if (draft->kind->shape != HS_SHAPE_REGISTER)
        return cli_bad(bad, HS_EVALUE, field->name, "is empty; leave it out");
    if (draft->clear_count == CLI_CLEAR_MAX)
        return cli_bad(bad, HS_ETOOBIG, field->name, "more than %d fields to clear", CLI_CLEAR_MAX);
    draft->clear[draft->clear_count++] = field->id;
    return HS_OK;
}

static enum hs_err set_number(struct cli_draft *draft, const ProtobufCFieldDescriptor *field, int64_t value,
                              struct cli_bad *bad)
{
    bool wide = field->type == PROTOBUF_C_TYPE_INT64 || field->type == PROTOBUF_C_TYPE_SINT64;
    if (!wide && value < 0)
        return cli_bad(bad, HS_EVALUE, field->name, "is below zero");
    if (field->type == PROTOBUF_C_TYPE_UINT32 && value > UINT32_MAX)
        return cli_bad(bad, HS_EOVERFLOW, field->name, "is above %u", UINT32_MAX);
    if (field->type == PROTOBUF_C_TYPE_UINT32)
        *(uint32_t *)member(draft, field) = (uint32_t)value;
    else
        *(int64_t *)member(draft, field) = value; /* uint64 has the same size and, above zero, bits */
    mark_present(draft, field);
    return HS_OK;
}

static enum hs_err set_string(struct cli_draft *draft, const ProtobufCFieldDescriptor *field, struct hs_bytes text,
                              struct cli_bad *bad)
{
    if (!hs_text_valid(text))
        return cli_bad(bad, HS_EUTF8, field->name, "%s", hs_err_text(HS_EUTF8));
    char *copy = strndup((const char *)text.data, text.size);
    if (copy == NULL)
        return cli_bad(bad, HS_ENOMEM, NULL, "%s", hs_err_text(HS_ENOMEM));
    *(char **)member(draft, field) = copy;
    return HS_OK;
}

/* An id of another record is given as its text, other bytes in hex. */
static enum hs_err set_bytes(struct cli_draft *draft, const ProtobufCFieldDescriptor *field, struct hs_bytes text,
                             struct cli_bad *bad)
{
    bool is_id = form_of(draft, field) == HS_FORM_ID;
    size_t size = is_id ? HS_ID_BYTES : text.size / 2;
    uint8_t *data = malloc(size + 1);
    if (data == NULL)
        return cli_bad(bad, HS_ENOMEM, NULL, "%s", hs_err_text(HS_ENOMEM));
    struct hs_id id;
    bool hashed;
    enum hs_err err = is_id ? hs_id_from_text((const char *)text.data, text.size, &id, &hashed)
                            : hs_text_from_hex((const char *)text.data, text.size, data, size);
    if (err != HS_OK) {
        free(data);
        return cli_bad(bad, err, field->name, is_id ? "an id has 1 to 64 bytes" : "is not hexadecimal");
    }
    if (is_id)
        memcpy(data, id.bytes, sizeof id.bytes);
    *(ProtobufCBinaryData *)member(draft, field) = (ProtobufCBinaryData){.len = size, .data = data};
    mark_present(draft, field);
    return HS_OK;
}

static bool is_number(const ProtobufCFieldDescriptor *field)
{
    return field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_BYTES &&
           field->type != PROTOBUF_C_TYPE_MESSAGE;
}

/* The value of a field that is text, or is written as text. */
static enum hs_err set_text(struct cli_draft *draft, const ProtobufCFieldDescriptor *field, struct hs_bytes text,
                            struct cli_bad *bad)
{
    if (text.size == 0)
        return clear_field(draft, field, bad);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return cli_draft_lines_text(draft, field, text, bad);
    if (text.size > HS_FIELD_BYTES_MAX)
        return cli_bad(bad, HS_ETOOBIG, field->name, "%zu bytes, at most %d", text.size, HS_FIELD_BYTES_MAX);
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return set_string(draft, field, text, bad);
    return set_bytes(draft, field, text, bad);
}

/* "2026-11-21T14:00", or the number itself. */
static enum hs_err time_value(const struct cli_draft *draft, struct hs_bytes text, int64_t *value)
{
    char copy[32];
    uint64_t ms;
    snprintf(copy, sizeof copy, "%.*s", (int)(text.size < sizeof copy ? text.size : sizeof copy),
             (const char *)text.data);
    if (text.size >= sizeof copy || cli_time_parse(copy, draft->utc_offset_minutes, &ms) != HS_OK)
        return hs_text_to_i64((const char *)text.data, text.size, value);
    *value = (int64_t)ms;
    return HS_OK;
}

enum hs_err cli_draft_text(struct cli_draft *draft, const char *name, struct hs_bytes text, struct cli_bad *bad)
{
    const ProtobufCFieldDescriptor *field;
    enum hs_err err = find_field(draft, name, &field, bad);
    if (err != HS_OK)
        return err;
    if (text.size == 0 || !is_number(field))
        return set_text(draft, field, text, bad);
    int64_t value;
    err = form_of(draft, field) == HS_FORM_TIME ? time_value(draft, text, &value)
                                                : hs_text_to_i64((const char *)text.data, text.size, &value);
    if (err == HS_EOVERFLOW)
        return cli_bad(bad, err, name, "%s", hs_err_text(err));
    return err == HS_OK ? set_number(draft, field, value, bad) : not_a_number(draft, field, bad);
}

enum hs_err cli_draft_json(struct cli_draft *draft, const char *name, const json_t *value, struct cli_bad *bad)
{
    const ProtobufCFieldDescriptor *field;
    enum hs_err err = find_field(draft, name, &field, bad);
    if (err != HS_OK)
        return err;
    if (json_is_null(value) || (json_is_array(value) && json_array_size(value) == 0))
        return clear_field(draft, field, bad);
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return cli_draft_lines_json(draft, field, value, bad);
    if (is_number(field))
        return json_is_integer(value) ? set_number(draft, field, json_integer_value(value), bad)
                                      : not_a_number(draft, field, bad);
    if (!json_is_string(value))
        return cli_bad(bad, HS_EVALUE, name, "is not a text");
    return set_text(draft, field, HS_BYTES(json_string_value(value), json_string_length(value)), bad);
}

enum hs_err cli_draft_make_id(struct cli_draft *draft, char id[static HS_ID_TEXT_BYTES], struct cli_bad *bad)
{
    const struct hs_kind *kind = draft->kind;
    id[0] = '\0';
    if (kind->id_form != HS_ID_128 || (draft->given >> kind->id_field & 1) != 0)
        return HS_OK;
    struct hs_id made;
    randombytes_buf(made.bytes, sizeof made.bytes);
    hs_id_text(&made, id);
    return cli_draft_text(draft, hs_kind_field_name(kind, kind->id_field), HS_BYTES(id, HS_ID_TEXT_BYTES - 1), bad);
}

static enum hs_err not_an_object(const json_error_t *error, struct cli_bad *bad)
{
    switch (json_error_code(error)) {
    case json_error_numeric_overflow:
        return cli_bad(bad, HS_EOVERFLOW, NULL, "column %d: %s", error->column, hs_err_text(HS_EOVERFLOW));
    case json_error_invalid_utf8:
        return cli_bad(bad, HS_EUTF8, NULL, "column %d: %s", error->column, hs_err_text(HS_EUTF8));
    case json_error_out_of_memory:
        return cli_bad(bad, HS_ENOMEM, NULL, "%s", hs_err_text(HS_ENOMEM));
    default:
        return cli_bad(bad, HS_EVALUE, NULL, "not a JSON object: column %d: %s", error->column, error->text);
    }
}

enum hs_err cli_draft_line(struct cli_draft *draft, struct hs_bytes line, struct cli_bad *bad)
{
    json_error_t error;
    json_t *object = json_loadb((const char *)line.data, line.size, JSON_REJECT_DUPLICATES, &error);
    if (object == NULL)
        return not_an_object(&error, bad);
    enum hs_err err = HS_OK;
    if (!json_is_object(object))
        err = cli_bad(bad, HS_EVALUE, NULL, "not a JSON object");
    void *at = json_object_iter(object);
    for (; at != NULL && err == HS_OK; at = json_object_iter_next(object, at))
        err = cli_draft_json(draft, json_object_iter_key(at), json_object_iter_value(at), bad);
    json_decref(object);
    return err;
}
