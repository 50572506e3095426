#include "node/cli/record_csv.h"

#include "node/cli/csv.h"
#include "node/json/json.h"
#include "proto/msg/tlv.h"
#include "storage/model/where.h"

#include <stdio.h>
#include <string.h>

static struct hs_bytes bytes_of(const char *text)
{
    return HS_BYTES(text, strlen(text));
}

static void put_value(struct hs_buf *line, const json_t *value, bool first)
{
    char number[32];
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        cli_csv_put(line, bytes_of(number), first);
    } else if (json_is_boolean(value)) {
        cli_csv_put(line, bytes_of(json_is_true(value) ? "true" : "false"), first);
    } else {
        cli_csv_put(line, HS_BYTES(json_string_value(value), json_string_length(value)), first);
    }
}

/* ---- the kind's fields ---- */

void cli_csv_fields_header(struct hs_buf *line, const struct hs_kind *kind, bool first)
{
    for (unsigned i = 0; i < kind->message->n_fields; i++)
        cli_csv_put(line, bytes_of(kind->message->fields[i].name), first && i == 0);
}

/* Lines are one cell. */
static void put_lines(struct hs_buf *line, const struct hs_kind *kind, const Hallsync__Record *record, uint32_t number,
                      bool first)
{
    struct hs_fields fields = hs_kind_fields(kind);
    struct hs_bytes value = hs_tlv_run(HS_BYTES(record->record.data, record->record.len), number);
    struct hs_buf text = {0};
    hs_field_text(&fields, hs_kind_rule(kind, number), value, &text);
    cli_csv_put(line, hs_buf_bytes(&text), first);
    if (text.err != HS_OK)
        line->err = text.err;
    hs_buf_fini(&text);
}

enum hs_err cli_csv_fields(struct hs_buf *line, const struct hs_kind *kind, const Hallsync__Record *record, bool first)
{
    json_t *object = hs_json_content(record);
    if (object == NULL)
        return HS_ENOMEM;
    for (unsigned i = 0; i < kind->message->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &kind->message->fields[i];
        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            put_lines(line, kind, record, field->id, first && i == 0);
        else
            put_value(line, json_object_get(object, field->name), first && i == 0);
    }
    json_decref(object);
    return line->err;
}

/* ---- what stands beside them ---- */

static const char *const BESIDE[] = {"partition", "node", "time", "receipt", "reversed", "parked"};
#define BESIDE_COUNT (sizeof BESIDE / sizeof *BESIDE)

/* Single values of what the node derives, but for what the kind calls by the same name. */
static bool stands_beside(const struct hs_kind *kind, const ProtobufCFieldDescriptor *derived)
{
    return derived->label != PROTOBUF_C_LABEL_REPEATED && derived->type != PROTOBUF_C_TYPE_MESSAGE &&
           protobuf_c_message_descriptor_get_field_by_name(kind->message, derived->name) == NULL;
}

void cli_csv_change_header(struct hs_buf *line, const struct hs_kind *kind)
{
    cli_csv_put(line, bytes_of("change"), true);
    if (kind == NULL) {
        cli_csv_put(line, bytes_of("kind"), false);
        cli_csv_put(line, bytes_of("id"), false);
        cli_csv_put(line, bytes_of("record"), false);
        return;
    }
    cli_csv_fields_header(line, kind, false);
    for (size_t i = 0; i < BESIDE_COUNT; i++)
        cli_csv_put(line, bytes_of(BESIDE[i]), false);
    const ProtobufCMessageDescriptor *fold = hs_kind_fold(kind, &hallsync__record__descriptor);
    for (unsigned i = 0; fold != NULL && i < fold->n_fields; i++) {
        if (stands_beside(kind, &fold->fields[i]))
            cli_csv_put(line, bytes_of(fold->fields[i].name), false);
    }
}

static enum hs_err put_fold(struct hs_buf *line, const struct hs_kind *kind, const Hallsync__Record *record)
{
    const ProtobufCMessageDescriptor *fold = hs_kind_fold(kind, &hallsync__record__descriptor);
    const ProtobufCMessage *folded = hs_kind_folded(kind, &record->base);
    json_t *values = folded != NULL ? hs_json_message(folded) : json_object();
    if (values == NULL)
        return HS_ENOMEM;
    for (unsigned i = 0; fold != NULL && i < fold->n_fields; i++) {
        if (stands_beside(kind, &fold->fields[i]))
            put_value(line, json_object_get(values, fold->fields[i].name), false);
    }
    json_decref(values);
    return line->err;
}

static void put_hex(struct hs_buf *line, const ProtobufCBinaryData *bytes, bool first)
{
    struct hs_buf text = {0};
    for (size_t i = 0; i < bytes->len; i++)
        hs_buf_put_format(&text, "%02x", bytes->data[i]);
    cli_csv_put(line, hs_buf_bytes(&text), first);
    if (text.err != HS_OK)
        line->err = text.err;
    hs_buf_fini(&text);
}

enum hs_err cli_csv_change(struct hs_buf *line, const struct hs_kind *kind, const Hallsync__Record *record,
                           int utc_offset_minutes)
{
    char name[HS_JSON_KIND_BYTES];
    put_hex(line, &record->change, true);
    if (kind == NULL) {
        cli_csv_put(line, bytes_of(hs_json_kind(record->kind, name)), false);
        cli_csv_put(line, bytes_of(record->id), false);
        put_hex(line, &record->record, false);
        return line->err;
    }
    json_t *shown = hs_json_record(record, utc_offset_minutes);
    enum hs_err err = shown != NULL ? cli_csv_fields(line, kind, record, false) : HS_ENOMEM;
    if (err == HS_OK && record->n_parked > 0) /* why, as one cell */
        json_object_set_new(shown, "parked", json_string(record->parked[0]));
    for (size_t i = 0; i < BESIDE_COUNT && err == HS_OK; i++)
        put_value(line, json_object_get(shown, BESIDE[i]), false);
    json_decref(shown);
    return err == HS_OK ? put_fold(line, kind, record) : err;
}
