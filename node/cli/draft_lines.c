/* Lines of a record, from text (CSV, arguments) and from a JSON array of objects. */
#include "node/cli/draft.h"

#include "proto/msg/tlv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The field of the draft, which has no lines yet, becomes what @raw says; what it cannot take goes with the draft. */
static enum hs_err take_raw(struct cli_draft *draft, const ProtobufCFieldDescriptor *field, const struct hs_buf *raw,
                            struct cli_bad *bad)
{
    size_t *count = (size_t *)(void *)((char *)draft->message + field->quantifier_offset);
    ProtobufCMessage ***list = (ProtobufCMessage ***)(void *)((char *)draft->message + field->offset);
    struct hs_cur cur = hs_cur_of(hs_buf_bytes(raw));
    struct hs_tlv tlv;
    *list = calloc(HS_LINES_MAX, sizeof **list);
    while (*list != NULL && *count < HS_LINES_MAX && hs_tlv_next(&cur, &tlv)) {
        ProtobufCMessage *line = protobuf_c_message_unpack(field->descriptor, NULL, tlv.bytes.size, tlv.bytes.data);
        if (line == NULL)
            return cli_bad(bad, HS_ENOMEM, NULL, "%s", hs_err_text(HS_ENOMEM));
        (*list)[(*count)++] = line;
    }
    return *list != NULL ? HS_OK : cli_bad(bad, HS_ENOMEM, NULL, "%s", hs_err_text(HS_ENOMEM));
}

enum hs_err cli_draft_lines_text(struct cli_draft *draft, const ProtobufCFieldDescriptor *field, struct hs_bytes text,
                                 struct cli_bad *bad)
{
    struct hs_fields fields = hs_kind_fields(draft->kind);
    struct hs_why why = {{0}};
    struct hs_buf raw = {0};
    enum hs_err err = hs_field_parse(&fields, hs_kind_rule(draft->kind, field->id), text, &raw, &why);
    if (err == HS_OK)
        err = take_raw(draft, field, &raw, bad);
    else
        cli_bad_text(bad, err, field->name, err == HS_ENOMEM ? hs_err_text(err) : why.text);
    hs_buf_fini(&raw);
    return err;
}

/* ---- JSON ---- */

static bool is_number(const ProtobufCFieldDescriptor *field)
{
    return field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_BYTES;
}

/* One value of a line; null is none. */
static enum hs_err put_value(const struct hs_fields *line, const char *name, const json_t *value, struct hs_buf *made,
                             struct hs_why *why)
{
    char number[32];
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(line->message, name);
    struct hs_bytes text;
    if (field == NULL)
        return hs_fail(HS_EFIELD, why, "%s: a line has no such field", name);
    if (json_is_null(value))
        return HS_OK;
    if (is_number(field) && json_is_integer(value)) {
        int size = snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        text = HS_BYTES(number, (size_t)size);
    } else if (!is_number(field) && json_is_string(value)) {
        text = HS_BYTES(json_string_value(value), json_string_length(value));
    } else {
        return hs_fail(HS_EVALUE, why, "%s: is not a %s", name, is_number(field) ? "whole number" : "text");
    }
    return hs_field_parse(line, hs_field_rule(line, field->id), text, made, why);
}

static enum hs_err put_line(const struct hs_fields *line, json_t *object, struct hs_buf *made, struct hs_why *why)
{
    enum hs_err err = json_is_object(object) ? HS_OK : hs_fail(HS_EVALUE, why, "is not a JSON object");
    void *at = err == HS_OK ? json_object_iter(object) : NULL;
    hs_buf_reset(made);
    for (; at != NULL && err == HS_OK; at = json_object_iter_next(object, at))
        err = put_value(line, json_object_iter_key(at), json_object_iter_value(at), made, why);
    return err;
}

enum hs_err cli_draft_lines_json(struct cli_draft *draft, const ProtobufCFieldDescriptor *field, const json_t *value,
                                 struct cli_bad *bad)
{
    const struct hs_field_rule *rule = hs_kind_rule(draft->kind, field->id);
    struct hs_fields fields = hs_kind_fields(draft->kind);
    struct hs_fields line = hs_line_fields(&fields, rule);
    struct hs_buf raw = {0};
    struct hs_buf made = {0};
    enum hs_err err = HS_OK;
    if (!json_is_array(value))
        return cli_bad(bad, HS_EVALUE, field->name, "is not an array of objects");
    if (json_array_size(value) > rule->most)
        return cli_bad(bad, HS_ETOOBIG, field->name, "more than %u lines", (unsigned)rule->most);
    for (size_t i = 0; i < json_array_size(value) && err == HS_OK; i++) {
        struct hs_why why = {{0}};
        err = put_line(&line, json_array_get(value, i), &made, &why);
        if (err == HS_OK)
            err = made.err;
        if (err == HS_ENOMEM)
            cli_bad(bad, err, NULL, "%s", hs_err_text(err));
        else if (err != HS_OK)
            cli_bad(bad, err, field->name, "line %zu: %.200s", i + 1, why.text);
        else
            hs_tlv_put_bytes(&raw, field->id, hs_buf_bytes(&made));
    }
    if (err == HS_OK)
        err = take_raw(draft, field, &raw, bad);
    hs_buf_fini(&raw);
    hs_buf_fini(&made);
    return err;
}
