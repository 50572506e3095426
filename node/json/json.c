#include "node/json/json.h"

#include "proto/base/text.h"
#include "storage/model/kinds.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *hs_json_text(struct hs_bytes text)
{
    if (hs_text_valid(text))
        return json_stringn_nocheck(text.size != 0 ? (const char *)text.data : "", text.size);
    char *clean = malloc(text.size);
    if (clean == NULL)
        return NULL;
    for (size_t i = 0; i < text.size; i++)
        clean[i] = (char)(text.data[i] >= ' ' && text.data[i] < 0x7f ? text.data[i] : '?');
    json_t *value = json_stringn_nocheck(clean, text.size);
    free(clean);
    return value;
}

static json_t *hex(struct hs_bytes bytes)
{
    char *text = malloc(2 * bytes.size + 1);
    if (text == NULL)
        return NULL;
    hs_text_to_hex(bytes, text);
    json_t *value = json_stringn_nocheck(text, 2 * bytes.size);
    free(text);
    return value;
}

const char *hs_json_kind(uint32_t kind, char text[static HS_JSON_KIND_BYTES])
{
    const struct hs_kind *known = hs_kind_by_number(kind);
    if (known != NULL)
        snprintf(text, HS_JSON_KIND_BYTES, "%s", known->name);
    else
        snprintf(text, HS_JSON_KIND_BYTES, "kind-%" PRIu32, kind);
    return text;
}

const char *hs_json_safety(Hallsync__Safety safety)
{
    switch (safety) {
    case HALLSYNC__SAFETY__SAFETY_SAFE:
        return "safe";
    case HALLSYNC__SAFETY__SAFETY_HUB:
        return "hub";
    default:
        return "here";
    }
}

/* "SAFETY_HERE" -> "here" */
static json_t *enum_value(const ProtobufCEnumDescriptor *type, int value)
{
    char text[48] = "unknown";
    const ProtobufCEnumValue *known = protobuf_c_enum_descriptor_get_value(type, value);
    const char *tail = known != NULL ? strchr(known->name, '_') : NULL;
    if (tail != NULL)
        snprintf(text, sizeof text, "%s", tail + 1);
    for (char *at = text; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    return json_string(text);
}

static bool is_partition(const char *name)
{
    static const char *const NAMES[] = {"partition", "districts", "home", "scope"};
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        if (strcmp(name, NAMES[i]) == 0)
            return true;
    }
    return false;
}

static json_t *number_u32(const char *name, uint32_t value)
{
    char partition[HS_PARTITION_TEXT_BYTES];
    char kind[HS_JSON_KIND_BYTES];
    if (is_partition(name) && hs_partition_valid(value))
        return json_string(hs_partition_text((hs_partition)value, partition));
    if (strcmp(name, "kind") == 0)
        return json_string(hs_json_kind(value, kind));
    return json_integer(value);
}

static json_t *number_fixed64(uint64_t value)
{
    uint8_t raw[8];
    hs_be64(raw, value);
    return hex(HS_BYTES(raw, sizeof raw));
}

static json_t *text_or_bytes(const ProtobufCFieldDescriptor *field, const void *at)
{
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        const char *text = *(char *const *)at;
        return hs_json_text(HS_BYTES(text, strlen(text)));
    }
    const ProtobufCBinaryData *bytes = at;
    return hex(HS_BYTES(bytes->data, bytes->len));
}

static json_t *value_of(const ProtobufCFieldDescriptor *field, const void *at)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_MESSAGE:
        return hs_json_message(*(ProtobufCMessage *const *)at);
    case PROTOBUF_C_TYPE_ENUM:
        return enum_value(field->descriptor, *(const int *)at);
    case PROTOBUF_C_TYPE_BOOL:
        return json_boolean(*(const protobuf_c_boolean *)at);
    case PROTOBUF_C_TYPE_UINT32:
        return number_u32(field->name, *(const uint32_t *)at);
    case PROTOBUF_C_TYPE_FIXED64:
        return number_fixed64(*(const uint64_t *)at);
    case PROTOBUF_C_TYPE_DOUBLE:
        return json_real(*(const double *)at);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        return text_or_bytes(field, at);
    default: /* INT64, SINT64, UINT64: our messages have no other types (cli_json_test) */
        return json_integer((json_int_t) * (const int64_t *)at);
    }
}

static size_t element_bytes(const ProtobufCFieldDescriptor *field)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
        return sizeof(uint32_t);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    default:
        return sizeof(uint64_t);
    }
}

static json_t *list_of(const ProtobufCFieldDescriptor *field, const char *base)
{
    size_t count = *(const size_t *)(base + field->quantifier_offset);
    const char *elements = *(char *const *)(base + field->offset);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, value_of(field, elements + i * element_bytes(field)));
    return list;
}

static bool is_set(const ProtobufCFieldDescriptor *field, const char *base)
{
    if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE)
        return *(void *const *)(base + field->offset) != NULL;
    return field->label == PROTOBUF_C_LABEL_REQUIRED ||
           *(const protobuf_c_boolean *)(base + field->quantifier_offset) != 0;
}

static void add_fields(json_t *object, const ProtobufCMessage *message)
{
    const char *base = (const char *)message;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
        if (field->label == PROTOBUF_C_LABEL_REPEATED)
            json_object_set_new(object, field->name, list_of(field, base));
        else if (is_set(field, base))
            json_object_set_new(object, field->name, value_of(field, base + field->offset));
    }
}

json_t *hs_json_message(const ProtobufCMessage *message)
{
    json_t *object = json_object();
    if (object != NULL)
        add_fields(object, message);
    return object;
}

/* The id first, under its own name; then the fields of the message.  A kind that this program does not know: id and
 * bytes. */
static void add_content(json_t *object, const Hallsync__Record *record)
{
    const struct hs_kind *kind = hs_kind_by_number(record->kind);
    ProtobufCMessage *message = kind != NULL ? protobuf_c_message_unpack(kind->message, NULL, record->record.len,
                                                                         record->record.data)
                                             : NULL;
    struct hs_bytes id = HS_BYTES(record->id, strlen(record->id));
    if (message == NULL) {
        json_object_set_new(object, "id", hs_json_text(id));
        json_object_set_new(object, "record", hex(HS_BYTES(record->record.data, record->record.len)));
        return;
    }
    const char *name = hs_kind_field_name(kind, kind->id_field);
    json_object_set_new(object, name, hs_json_text(id));
    add_fields(object, message);
    for (size_t i = 0; i < kind->field_count; i++) {
        const char *field = hs_kind_field_name(kind, kind->fields[i].number);
        if (json_is_array(json_object_get(object, field)) && json_array_size(json_object_get(object, field)) == 0)
            json_object_del(object, field); /* no lines are a field that is not there */
    }
    json_object_set_new(object, name, hs_json_text(id)); /* what the node calls it, should the message differ */
    protobuf_c_message_free_unpacked(message, NULL);
}

json_t *hs_json_content(const Hallsync__Record *record)
{
    json_t *object = json_object();
    if (object != NULL)
        add_content(object, record);
    return object;
}

static void add_time(json_t *object, const char *key, bool has, uint64_t ms, int utc_offset_minutes)
{
    char text[HS_TIME_TEXT_BYTES];
    if (has)
        json_object_set_new(object, key, json_string(hs_time_text(ms, utc_offset_minutes, text)));
}

static void add_text(json_t *object, const char *key, const char *text)
{
    if (text != NULL)
        json_object_set_new(object, key, hs_json_text(HS_BYTES(text, strlen(text))));
}

static json_t *step(const Hallsync__TicketStep *from, int utc_offset_minutes)
{
    json_t *object = hs_json_message(&from->base);
    json_object_del(object, "time_ms");
    add_time(object, "time", from->has_time_ms != 0, from->time_ms, utc_offset_minutes);
    return object;
}

static json_t *notice(const Hallsync__NoticeShown *from, int utc_offset_minutes)
{
    json_t *object = hs_json_message(&from->base);
    add_time(object, "starts", from->has_starts_ms != 0, from->starts_ms, utc_offset_minutes);
    add_time(object, "ends", from->has_ends_ms != 0, from->ends_ms, utc_offset_minutes);
    return object;
}

static void add_notices(json_t *object, const Hallsync__Record *record, int utc_offset_minutes)
{
    json_t *notices = record->n_notices != 0 ? json_array() : NULL;
    for (size_t i = 0; i < record->n_notices; i++)
        json_array_append_new(notices, notice(record->notices[i], utc_offset_minutes));
    if (notices != NULL)
        json_object_set_new(object, "notices", notices);
}

static void add_progress(json_t *object, const Hallsync__TicketState *ticket, int utc_offset_minutes)
{
    add_text(object, "department", ticket->department);
    if (ticket->has_urged)
        json_object_set_new(object, "urged", json_integer(ticket->urged));
    if (ticket->has_escalated)
        json_object_set_new(object, "escalated", json_integer(ticket->escalated));
    if (ticket->has_reopened)
        json_object_set_new(object, "reopened", json_integer(ticket->reopened));
    if (ticket->has_due_ms)
        json_object_set_new(object, "due_ms", json_integer((json_int_t)ticket->due_ms));
    add_time(object, "due", ticket->has_due_ms != 0, ticket->due_ms, utc_offset_minutes);
    if (ticket->has_overdue)
        json_object_set_new(object, "overdue", json_boolean(ticket->overdue));
    if (ticket->has_no_call_back)
        json_object_set_new(object, "no_call_back", json_boolean(ticket->no_call_back));
    if (ticket->has_rate)
        json_object_set_new(object, "rate", json_boolean(ticket->rate));
    if (ticket->n_missing == 0)
        return;
    json_t *missing = json_array();
    for (size_t i = 0; i < ticket->n_missing; i++)
        json_array_append_new(missing, hs_json_text(HS_BYTES(ticket->missing[i], strlen(ticket->missing[i]))));
    json_object_set_new(object, "missing", missing);
}

static void add_ticket(json_t *object, const Hallsync__TicketState *ticket, int utc_offset_minutes)
{
    json_object_set_new(object, "state", json_string(ticket->state));
    if (ticket->assignee != NULL)
        json_object_set_new(object, "assignee", hs_json_text(HS_BYTES(ticket->assignee, strlen(ticket->assignee))));
    add_time(object, "opened", ticket->has_opened_ms != 0, ticket->opened_ms, utc_offset_minutes);
    add_time(object, "changed", ticket->has_changed_ms != 0, ticket->changed_ms, utc_offset_minutes);
    add_progress(object, ticket, utc_offset_minutes);
    if (ticket->n_events == 0)
        return;
    json_t *events = json_array();
    for (size_t i = 0; i < ticket->n_events; i++)
        json_array_append_new(events, step(ticket->events[i], utc_offset_minutes));
    json_object_set_new(object, "events", events);
}

static json_t *queue_step(const Hallsync__QueueStep *from, int utc_offset_minutes)
{
    json_t *object = hs_json_message(&from->base);
    json_object_del(object, "time_ms");
    add_time(object, "time", from->has_time_ms != 0, from->time_ms, utc_offset_minutes);
    return object;
}

static json_t *queue_state(const Hallsync__QueueState *queue, int utc_offset_minutes)
{
    static const char *const TIMES[] = {"taken_ms", "called_ms", "changed_ms", "events"};
    json_t *object = hs_json_message(&queue->base);
    for (size_t i = 0; i < sizeof TIMES / sizeof *TIMES; i++)
        json_object_del(object, TIMES[i]);
    add_time(object, "taken", queue->has_taken_ms != 0, queue->taken_ms, utc_offset_minutes);
    add_time(object, "called", queue->has_called_ms != 0, queue->called_ms, utc_offset_minutes);
    add_time(object, "changed", queue->has_changed_ms != 0, queue->changed_ms, utc_offset_minutes);
    json_t *events = queue->n_events != 0 ? json_array() : NULL;
    for (size_t i = 0; i < queue->n_events; i++)
        json_array_append_new(events, queue_step(queue->events[i], utc_offset_minutes));
    if (events != NULL)
        json_object_set_new(object, "events", events);
    return object;
}

/* Of a ticket in the object itself; of an event beside what it says, for the ticket may have gone on. */
static void add_queue(json_t *object, const Hallsync__Record *record, int utc_offset_minutes)
{
    json_t *state = queue_state(record->queue, utc_offset_minutes);
    if (record->kind != HS_KIND_QUEUE_TICKET) {
        json_object_set_new(object, "queue", state);
        return;
    }
    json_object_update(object, state);
    json_decref(state);
}

static void add_slot(json_t *object, const Hallsync__SlotState *slot)
{
    json_t *state = hs_json_message(&slot->base);
    if (slot->n_bookings == 0)
        json_object_del(state, "bookings");
    json_object_update(object, state);
    json_decref(state);
}

/* Of an appointment in the object itself, of an event beside what it says. */
static void add_appointment(json_t *object, const Hallsync__Record *record, int utc_offset_minutes)
{
    json_t *state = hs_json_message(&record->appointment->base);
    json_object_del(state, "changed_ms");
    add_time(state, "changed", record->appointment->has_changed_ms != 0, record->appointment->changed_ms,
             utc_offset_minutes);
    if (record->kind != HS_KIND_APPOINTMENT) {
        json_object_set_new(object, "appointment", state);
        return;
    }
    json_object_update(object, state);
    json_decref(state);
}

/* Times of a record as people read them, beside the numbers: "starts_ms" as "starts". */
static void add_times(json_t *object, const Hallsync__Record *record, int utc_offset_minutes)
{
    const struct hs_kind *kind = hs_kind_by_number(record->kind);
    for (size_t i = 0; kind != NULL && i < kind->field_count; i++) {
        const char *name = hs_kind_field_name(kind, kind->fields[i].number);
        const json_t *ms = kind->fields[i].form == HS_FORM_TIME ? json_object_get(object, name) : NULL;
        char plain[HS_JSON_KIND_BYTES];
        size_t size = strlen(name);
        if (!json_is_integer(ms) || size < 4 || size >= sizeof plain)
            continue;
        snprintf(plain, sizeof plain, "%.*s", (int)(size - 3), name);
        add_time(object, plain, true, (uint64_t)json_integer_value(ms), utc_offset_minutes);
    }
}

static void add_derived(json_t *object, const Hallsync__Record *record, int utc_offset_minutes)
{
    if (record->bill != NULL) {
        json_object_set_new(object, "paid_fen", json_integer(record->bill->paid_fen));
        json_object_set_new(object, "due_fen", json_integer(record->bill->due_fen));
        json_object_set_new(object, "state", json_string(record->bill->state));
        if (record->bill->has_late_fen)
            json_object_set_new(object, "late_fen", json_integer(record->bill->late_fen));
        if (record->bill->has_settled_fen)
            json_object_set_new(object, "settled_fen", json_integer(record->bill->settled_fen));
    }
    if (record->ticket != NULL)
        add_ticket(object, record->ticket, utc_offset_minutes);
    if (record->queue != NULL)
        add_queue(object, record, utc_offset_minutes);
    add_notices(object, record, utc_offset_minutes);
    if (record->slot != NULL)
        add_slot(object, record->slot);
    if (record->appointment != NULL)
        add_appointment(object, record, utc_offset_minutes);
    if (record->receipt != NULL)
        json_object_set_new(object, "receipt", json_string(record->receipt));
    if (record->has_reprints)
        json_object_set_new(object, "reprints", json_integer(record->reprints));
    if (record->has_safe)
        json_object_set_new(object, "safe", json_string(hs_json_safety(record->safe)));
    if (record->has_reversed || record->kind == HS_KIND_PAYMENT)
        json_object_set_new(object, "reversed", json_boolean(record->reversed));
}

/* Where it is, and where this was known from. */
static void add_source(json_t *object, const Hallsync__Record *record, int utc_offset_minutes)
{
    json_t *holders = record->n_held_by != 0 ? json_array() : NULL;
    for (size_t i = 0; i < record->n_held_by; i++)
        json_array_append_new(holders, json_string(record->held_by[i]));
    if (holders != NULL)
        json_object_set_new(object, "held_by", holders);
    add_time(object, "as_of", record->has_as_of_ms, record->as_of_ms, utc_offset_minutes);
    if (record->from != NULL)
        json_object_set_new(object, "from", json_string(record->from));
    if (record->has_complete)
        json_object_set_new(object, "complete", json_boolean(record->complete));
}

json_t *hs_json_record(const Hallsync__Record *record, int utc_offset_minutes)
{
    json_t *object = json_object();
    if (object == NULL)
        return NULL;
    add_content(object, record);
    add_times(object, record, utc_offset_minutes);
    add_derived(object, record, utc_offset_minutes);
    add_source(object, record, utc_offset_minutes);
    if (record->n_parked != 0) {
        json_t *parked = json_array();
        for (size_t i = 0; i < record->n_parked; i++)
            json_array_append_new(parked, json_string(record->parked[i]));
        json_object_set_new(object, "parked", parked);
    }
    if (record->node != NULL)
        json_object_set_new(object, "node", json_string(record->node));
    if (record->origin != NULL)
        json_object_set_new(object, "origin", json_string(record->origin));
    json_object_set_new(object, "partition", number_u32("partition", record->partition));
    add_time(object, "time", record->has_time_ms != 0, record->time_ms, utc_offset_minutes);
    return object;
}

json_t *hs_json_result(const Hallsync__PutResult *result)
{
    json_t *object = json_object();
    if (object == NULL)
        return NULL;
    add_text(object, "error", result->error);
    add_text(object, "text", result->text);
    add_text(object, "field", result->field);
    add_text(object, "id", result->id);
    if (result->has_result)
        json_object_set_new(object, "result", enum_value(&hallsync__result__descriptor, result->result));
    if (result->has_safe)
        json_object_set_new(object, "safe", json_string(hs_json_safety(result->safe)));
    add_text(object, "receipt", result->receipt);
    add_text(object, "number", result->number);
    add_text(object, "of", result->of);
    if (result->has_reprints)
        json_object_set_new(object, "reprints", json_integer(result->reprints));
    return object;
}
