/* One record of a put request, as far as it can be judged without looking anything up. */
#include "node/service/put.h"

#include "proto/msg/frame.h"
#include "proto/msg/tlv.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SOURCE_BYTES_MAX 64

enum hs_err hs_refuse(struct hs_refusal *refusal, enum hs_err err, uint32_t field, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(refusal->why.text, sizeof refusal->why.text, format, args);
    va_end(args);
    refusal->field = field;
    return err;
}

bool hs_refused_alone(enum hs_err err)
{
    enum hs_err_class class = hs_err_class(err);
    return class == HS_CLASS_INPUT || class == HS_CLASS_DAMAGE;
}

enum hs_err hs_refusal_copy(struct hs_arena *arena, const struct hs_refusal *refusal, const struct hs_refusal **copy)
{
    struct hs_refusal *made = hs_arena_alloc(arena, sizeof *made);
    if (made == NULL)
        return HS_ENOMEM;
    *made = *refusal;
    *copy = made;
    return HS_OK;
}

void hs_id_made(const char *domain, struct hs_bytes from, struct hs_id *id)
{
    crypto_generichash_state state;
    crypto_generichash_init(&state, NULL, 0, sizeof id->bytes);
    crypto_generichash_update(&state, (const uint8_t *)domain, strlen(domain) + 1);
    crypto_generichash_update(&state, from.data, from.size);
    crypto_generichash_final(&state, id->bytes, sizeof id->bytes);
}

ProtobufCBinaryData hs_binary(struct hs_bytes bytes)
{
    return (ProtobufCBinaryData){.len = bytes.size, .data = (uint8_t *)(uintptr_t)bytes.data};
}

struct hs_bytes hs_canonical(const ProtobufCMessage *message, struct hs_arena *arena)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = hs_arena_alloc(arena, size);
    if (bytes == NULL)
        return HS_BYTES_NONE;
    protobuf_c_message_pack(message, bytes);
    return HS_BYTES(bytes, size);
}

/* ---- ids ---- */

/* The place of an optional text field in a generated struct. */
static char **text_field(ProtobufCMessage *message, uint32_t number)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(message->descriptor, number);
    return (char **)(void *)((char *)message + field->offset);
}

/* Names what this request made at this place, again and again: sent once more it finds what it wrote the first time. */
static struct hs_bytes place_of(const struct hs_call *call, size_t index, uint8_t place[static HS_REQUEST_ID_BYTES + 4])
{
    memcpy(place, call->id, HS_REQUEST_ID_BYTES);
    hs_be32(place + HS_REQUEST_ID_BYTES, (uint32_t)index);
    return HS_BYTES(place, HS_REQUEST_ID_BYTES + 4);
}

struct found_id {
    struct hs_id id;
    bool keep_text; /* the text is more than another spelling of the id */
};

/* The id given beside the record, that which its text stands for, or one made from the request's. */
static enum hs_err find_id(const struct hs_call *call, size_t index, const struct hs_item *item, const char *text,
                           struct found_id *found, struct hs_refusal *refusal)
{
    const Hallsync__PutRecord *put = item->put;
    struct hs_id given = {0};
    uint8_t place[HS_REQUEST_ID_BYTES + 4];
    if (text != NULL && hs_id_from_text(text, strlen(text), &found->id, &found->keep_text) != HS_OK)
        return hs_refuse(refusal, HS_EVALUE, item->kind->id_field, "an id is 1 to 64 bytes of text");
    if (put->has_id && put->id.len != sizeof given.bytes)
        return hs_refuse(refusal, HS_EVALUE, 0, "id: %zu bytes, an id has %d", put->id.len, HS_ID_BYTES);
    if (put->has_id)
        memcpy(given.bytes, put->id.data, sizeof given.bytes);
    else if (text == NULL)
        hs_id_made("hallsync made 1", place_of(call, index, place), &given);
    if (text != NULL && put->has_id && memcmp(given.bytes, found->id.bytes, sizeof given.bytes) != 0)
        return hs_refuse(refusal, HS_EVALUE, item->kind->id_field, "the record names another id than the request");
    if (text == NULL)
        found->id = given;
    return HS_OK;
}

static enum hs_err take_id_128(struct hs_call *call, size_t index, struct hs_item *item, ProtobufCMessage *message,
                               struct hs_refusal *refusal)
{
    char **text = text_field(message, item->kind->id_field);
    struct found_id found = {0};
    enum hs_err err = find_id(call, index, item, *text, &found, refusal);
    if (err != HS_OK)
        return err;
    char hex[HS_ID_TEXT_BYTES];
    item->id = hs_arena_copy(&call->arena, HS_BYTES(found.id.bytes, sizeof found.id.bytes));
    item->id_text = *text;
    if (!found.keep_text) {
        item->id_text = hs_arena_text(&call->arena, HS_BYTES(hs_id_text(&found.id, hex), sizeof hex - 1));
        *text = NULL; /* it says what the id says */
    }
    return item->id.data == NULL || item->id_text == NULL ? HS_ENOMEM : HS_OK;
}

/* The id that follows from the record: who names one must name that. */
static enum hs_err take_id_hash(struct hs_call *call, struct hs_item *item, ProtobufCMessage *message,
                                struct hs_refusal *refusal)
{
    char **text = text_field(message, item->kind->id_field);
    const char *field = hs_kind_field_name(item->kind, item->kind->id_field);
    struct hs_id made;
    struct hs_id named;
    bool hashed;
    char *given = *text;
    *text = NULL;
    struct hs_bytes bytes = hs_canonical(message, &call->arena);
    if (bytes.data == NULL)
        return HS_ENOMEM;
    hs_kind_id(item->kind, bytes, &made);
    bool same = given == NULL || (hs_id_from_text(given, strlen(given), &named, &hashed) == HS_OK &&
                                  memcmp(named.bytes, made.bytes, sizeof made.bytes) == 0);
    bool beside = !item->put->has_id || (item->put->id.len == sizeof made.bytes &&
                                         memcmp(item->put->id.data, made.bytes, sizeof made.bytes) == 0);
    if (!same || !beside)
        return hs_refuse(refusal, HS_EVALUE, item->kind->id_field, "%s: follows from what the %s is of; leave it out",
                         field, item->kind->name);
    char hex[HS_ID_TEXT_BYTES];
    item->id = hs_arena_copy(&call->arena, HS_BYTES(made.bytes, sizeof made.bytes));
    item->id_text = hs_arena_text(&call->arena, HS_BYTES(hs_id_text(&made, hex), sizeof hex - 1));
    return item->id.data == NULL || item->id_text == NULL ? HS_ENOMEM : HS_OK;
}

static enum hs_err take_id_field(struct hs_item *item, ProtobufCMessage *message, struct hs_refusal *refusal)
{
    const char *text = *text_field(message, item->kind->id_field);
    const char *field = hs_kind_field_name(item->kind, item->kind->id_field);
    if (text == NULL)
        return hs_refuse(refusal, HS_EREQUIRED, item->kind->id_field, "%s: is missing; it is the id of a %s", field,
                         item->kind->name);
    if (item->put->has_id)
        return hs_refuse(refusal, HS_EINVAL, 0, "the id of a %s is its %s", item->kind->name, field);
    item->id = HS_BYTES(text, strlen(text));
    item->id_text = text;
    return HS_OK;
}

/* ---- what register records have besides ---- */

static bool add_given(struct hs_given *given, size_t *count, const struct hs_given *one)
{
    size_t at = *count;
    while (at > 0 && given[at - 1].number >= one->number)
        at--;
    if (at < *count && given[at].number == one->number)
        return false;
    memmove(given + at + 1, given + at, (*count - at) * sizeof *given);
    given[at] = *one;
    (*count)++;
    return true;
}

static enum hs_err add_clear(struct hs_item *item, struct hs_given *given, uint32_t number, struct hs_refusal *refusal)
{
    struct hs_given clear = {.number = number, .rule = hs_kind_rule(item->kind, number)};
    if (clear.rule == NULL)
        return hs_refuse(refusal, HS_EFIELD, number, "%s: has no field %u", item->kind->name, (unsigned)number);
    const char *name = hs_kind_field_name(item->kind, number);
    if (clear.rule->required)
        return hs_refuse(refusal, HS_EREQUIRED, number, "%s: cannot be cleared; a %s needs it", name, item->kind->name);
    if (clear.rule->policy == HS_POLICY_FIXED)
        return hs_refuse(refusal, HS_EFIXED, number, "%s: cannot be cleared once it is set", name);
    if (!add_given(given, &item->given_count, &clear))
        return hs_refuse(refusal, HS_EINVAL, number, "%s: is to be cleared and is given a value, or is named twice",
                         name);
    return HS_OK;
}

size_t hs_given_of(const struct hs_kind *kind, struct hs_bytes message, struct hs_given *given)
{
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    size_t count = 0;
    while (hs_tlv_next(&cur, &tlv)) {
        if (count > 0 && given[count - 1].number == tlv.number) /* lines stand together, and are one value */
            given[count - 1].value.size += tlv.raw.size;
        else
            given[count++] = (struct hs_given){
                .number = tlv.number, .value = tlv.raw, .rule = hs_kind_rule(kind, tlv.number)};
    }
    return count;
}

static enum hs_err take_given(struct hs_call *call, struct hs_item *item, struct hs_refusal *refusal)
{
    struct hs_given *given = hs_arena_array(&call->arena, item->kind->field_count + 1, sizeof *given);
    if (given == NULL)
        return HS_ENOMEM;
    item->given_count = hs_given_of(item->kind, item->message, given);
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < item->put->n_clear && err == HS_OK; i++)
        err = add_clear(item, given, item->put->clear[i], refusal);
    item->given = given;
    return err;
}

/* A new record needs more than a change: whether it is one is known later. */
static enum hs_err take_completeness(struct hs_call *call, struct hs_item *item)
{
    struct hs_refusal refusal = {0};
    refusal.err = hs_kind_check(item->kind, item->message, (struct hs_check){.complete = true, .strict = true},
                                &refusal.field, &refusal.why);
    return refusal.err == HS_OK ? HS_OK : hs_refusal_copy(&call->arena, &refusal, &item->incomplete);
}

/* The op remembers the request, so that the same one is not done twice; an import needs no such memory. */
static enum hs_err take_request(struct hs_call *call, size_t index, struct hs_item *item)
{
    if (item->put->source != NULL)
        return HS_OK;
    struct hs_id id;
    uint8_t place[HS_REQUEST_ID_BYTES + 4];
    if (call->request->put->n_records == 1)
        memcpy(id.bytes, call->id, sizeof id.bytes);
    else
        hs_id_made("hallsync request 1", place_of(call, index, place), &id);
    item->request = hs_arena_copy(&call->arena, HS_BYTES(id.bytes, sizeof id.bytes));
    return item->request.data == NULL ? HS_ENOMEM : HS_OK;
}

static enum hs_err check_seen(const Hallsync__PutRecord *put, struct hs_refusal *refusal)
{
    bool bounded = put->n_seen <= HS_WRITE_FIELDS_MAX;
    for (size_t i = 0; i < put->n_seen && bounded; i++)
        bounded = put->seen[i]->n_dots <= HS_FIELD_OVER_MAX;
    return bounded ? HS_OK : hs_refuse(refusal, HS_ETOOBIG, 0, "seen: more than %d dots", HS_FIELD_OVER_MAX);
}

static enum hs_err take_register(struct hs_call *call, size_t index, struct hs_item *item, struct hs_refusal *refusal)
{
    const char *source = item->put->source;
    if (source != NULL && (source[0] == '\0' || strlen(source) > SOURCE_BYTES_MAX))
        return hs_refuse(refusal, HS_EVALUE, 0, "source: 1 to %d bytes of text", SOURCE_BYTES_MAX);
    enum hs_err err = check_seen(item->put, refusal);
    if (err == HS_OK)
        err = take_given(call, item, refusal);
    if (err == HS_OK)
        err = take_completeness(call, item);
    return err == HS_OK ? take_request(call, index, item) : err;
}

/* ---- all of it ---- */

static bool is_register(const struct hs_kind *kind)
{
    return kind->shape == HS_SHAPE_REGISTER;
}

static enum hs_err check_form(const struct hs_item *item, struct hs_refusal *refusal)
{
    const Hallsync__PutRecord *put = item->put;
    if (put->record.len > HS_RECORD_BYTES_MAX)
        return hs_refuse(refusal, HS_ETOOBIG, 0, "%zu bytes, a record has at most %d", put->record.len,
                         HS_RECORD_BYTES_MAX);
    if (!is_register(item->kind) && (put->n_clear != 0 || put->n_seen != 0 || put->source != NULL))
        return hs_refuse(refusal, HS_EINVAL, 0, "a %s is never changed: clear, seen and source have no meaning for it",
                         item->kind->name);
    struct hs_check how = {.complete = !is_register(item->kind), .strict = true};
    return hs_kind_check(item->kind, HS_BYTES(put->record.data, put->record.len), how, &refusal->field, &refusal->why);
}

static enum hs_err take_id(struct hs_call *call, size_t index, struct hs_item *item, ProtobufCMessage *message,
                           struct hs_refusal *refusal)
{
    switch (item->kind->id_form) {
    case HS_ID_128:
        return take_id_128(call, index, item, message, refusal);
    case HS_ID_HASH:
        return take_id_hash(call, item, message, refusal);
    case HS_ID_FIELD:
        break;
    }
    return take_id_field(item, message, refusal);
}

static enum hs_err prepare(struct hs_call *call, size_t index, struct hs_item *item, struct hs_refusal *refusal)
{
    const Hallsync__PutRecord *put = item->put;
    ProtobufCMessage *message;
    enum hs_err err = check_form(item, refusal);
    if (err == HS_OK)
        err = hs_msg_unpack(item->kind->message, HS_BYTES(put->record.data, put->record.len), &call->arena, &message);
    if (err == HS_OK)
        err = take_id(call, index, item, message, refusal);
    if (err != HS_OK)
        return err;
    item->parsed = message;
    item->message = hs_canonical(message, &call->arena);
    if (item->message.data == NULL)
        return HS_ENOMEM;
    return is_register(item->kind) ? take_register(call, index, item, refusal) : HS_OK;
}

enum hs_err hs_item_prepare(struct hs_call *call, size_t index, struct hs_item *item)
{
    struct hs_refusal refusal = {0};
    refusal.err = prepare(call, index, item, &refusal);
    if (refusal.err == HS_OK || refusal.err == HS_ENOMEM)
        return refusal.err;
    return hs_refusal_copy(&call->arena, &refusal, &item->refused);
}

/* ---- where it goes ---- */

enum hs_err hs_item_home(struct hs_work *work, const struct hs_item *item, hs_partition *partition)
{
    struct hs_bytes value = HS_BYTES_NONE;
    if (item->kind->home_field != 0)
        value = hs_tlv_bytes(item->message, item->kind->home_field);
    if (hs_kind_home(item->kind, value, partition))
        return HS_OK;
    uint32_t asked = item->put->has_partition ? item->put->partition : hs_store_certificate(work->store)->home;
    if (!hs_partition_valid(asked) || asked == HS_PARTITION_REGION)
        return hs_refuse(&work->refusal, HS_EVALUE, 0, "partition: %u is no district", (unsigned)asked);
    *partition = (hs_partition)asked;
    return HS_OK;
}
