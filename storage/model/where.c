#include "storage/model/where.h"

#include "proto/msg/tlv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_BYTES   64
#define NUMBER_BYTES 24

/* ---- what the node derives ---- */

static const ProtobufCFieldDescriptor *fold_field(const struct hs_kind *kind, const ProtobufCMessageDescriptor *record)
{
    return kind->fold != NULL ? protobuf_c_message_descriptor_get_field_by_name(record, kind->fold) : NULL;
}

const ProtobufCMessageDescriptor *hs_kind_fold(const struct hs_kind *kind, const ProtobufCMessageDescriptor *record)
{
    const ProtobufCFieldDescriptor *field = fold_field(kind, record);
    return field != NULL ? field->descriptor : NULL;
}

const ProtobufCMessage *hs_kind_folded(const struct hs_kind *kind, const ProtobufCMessage *record)
{
    const ProtobufCFieldDescriptor *field = fold_field(kind, record->descriptor);
    if (field == NULL)
        return NULL;
    return *(const ProtobufCMessage *const *)(const void *)((const char *)record + field->offset);
}

static bool is_number(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_UINT32 || field->type == PROTOBUF_C_TYPE_UINT64 ||
           field->type == PROTOBUF_C_TYPE_INT64;
}

/* A single text, number or yes-or-no can be asked for. */
static bool can_be_asked(const ProtobufCFieldDescriptor *field)
{
    return field->label != PROTOBUF_C_LABEL_REPEATED &&
           (is_number(field) || field->type == PROTOBUF_C_TYPE_BOOL || field->type == PROTOBUF_C_TYPE_STRING);
}

static int64_t number_of(const ProtobufCFieldDescriptor *field, const void *at)
{
    if (field->type == PROTOBUF_C_TYPE_UINT32)
        return *(const uint32_t *)at;
    return *(const int64_t *)at; /* none of them passes 2^63 */
}

/* Into @room where it is no text; no bytes: it is not set. */
static struct hs_bytes text_of(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *fold,
                               char room[static NUMBER_BYTES])
{
    const char *base = (const char *)fold;
    const void *at = base + field->offset;
    const char *text = room;
    if (field->type == PROTOBUF_C_TYPE_STRING) {
        text = *(const char *const *)at;
        return text != NULL ? HS_BYTES(text, strlen(text)) : HS_BYTES_NONE;
    }
    if (field->label != PROTOBUF_C_LABEL_REQUIRED &&
        *(const protobuf_c_boolean *)(base + field->quantifier_offset) == 0)
        return HS_BYTES_NONE;
    if (field->type == PROTOBUF_C_TYPE_BOOL)
        text = *(const protobuf_c_boolean *)at ? "true" : "false";
    else
        snprintf(room, NUMBER_BYTES, "%" PRId64, number_of(field, at));
    return HS_BYTES(text, strlen(text));
}

static enum hs_err check_derived(const ProtobufCFieldDescriptor *field, const char *value, struct hs_why *why)
{
    char again[NUMBER_BYTES];
    char *end;
    if (field->type == PROTOBUF_C_TYPE_BOOL && strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return hs_fail(HS_EVALUE, why, "%s: '%.40s' is neither true nor false", field->name, value);
    if (!is_number(field))
        return HS_OK;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    snprintf(again, sizeof again, "%lld", number);
    if (errno != 0 || strcmp(again, value) != 0)
        return hs_fail(HS_EVALUE, why, "%s: '%.40s' is not a whole number", field->name, value);
    return HS_OK;
}

/* ---- what is asked ---- */

static uint32_t number_by_name(const ProtobufCMessageDescriptor *message, const char *name)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field_by_name(message, name);
    return field != NULL ? field->id : 0;
}

static enum hs_err no_field(const struct hs_kind *kind, const char *name, struct hs_why *why)
{
    return hs_fail(HS_EFIELD, why, "%.*s: a %s has no such field", NAME_BYTES, name, kind->name);
}

/* "parts.bill_id": a field of the lines. */
static enum hs_err find_line(const struct hs_kind *kind, const char *name, const char *dot, struct hs_where_term *term,
                             struct hs_why *why)
{
    char first[NAME_BYTES];
    struct hs_fields fields = hs_kind_fields(kind);
    snprintf(first, sizeof first, "%.*s", (int)(dot - name), name);
    const struct hs_field_rule *rule = hs_kind_rule(kind, number_by_name(kind->message, first));
    if (rule == NULL || rule->form != HS_FORM_LINES)
        return no_field(kind, name, why);
    struct hs_fields line = hs_line_fields(&fields, rule);
    term->at.field = rule->number;
    term->at.line = number_by_name(line.message, dot + 1);
    return hs_field_rule(&line, term->at.line) != NULL ? HS_OK : no_field(kind, name, why);
}

static enum hs_err find_field(const struct hs_kind *kind, const ProtobufCMessageDescriptor *record, const char *name,
                              struct hs_where_term *term, struct hs_why *why)
{
    const char *dot = strchr(name, '.');
    const ProtobufCMessageDescriptor *fold = hs_kind_fold(kind, record);
    const struct hs_field_rule *rule = hs_kind_rule(kind, number_by_name(kind->message, name));
    if (strlen(name) >= NAME_BYTES)
        return no_field(kind, name, why);
    if (dot != NULL)
        return find_line(kind, name, dot, term, why);
    if (rule != NULL && rule->form == HS_FORM_LINES)
        return hs_fail(HS_EVALUE, why, "%s has lines: name a field of theirs, as %s.FIELD", name, name);
    if (rule != NULL) {
        term->at.field = rule->number;
        return HS_OK;
    }
    if (fold != NULL)
        term->derived = protobuf_c_message_descriptor_get_field_by_name(fold, name);
    return term->derived != NULL && can_be_asked(term->derived) ? HS_OK : no_field(kind, name, why);
}

/* Can a record of the kind show it? */
static enum hs_err check_value(const struct hs_kind *kind, const struct hs_where_term *term, struct hs_bytes text,
                               struct hs_why *why)
{
    struct hs_buf message = {0};
    uint32_t wrong;
    struct hs_fields fields = hs_kind_fields(kind);
    enum hs_err err = hs_field_parse(&fields, hs_kind_rule(kind, term->at.field), text, &message, why);
    if (err == HS_OK)
        err = hs_kind_check(kind, hs_buf_bytes(&message), (struct hs_check){.strict = true}, &wrong, why);
    hs_buf_fini(&message);
    return err;
}

static enum hs_err make_key(const struct hs_kind *kind, const struct hs_where_term *term, const char *value,
                            struct hs_arena *arena, struct hs_bytes *key, struct hs_why *why)
{
    struct hs_buf made = {0};
    struct hs_bytes text = HS_BYTES(value, strlen(value));
    enum hs_err err = HS_OK;
    *key = HS_BYTES_NONE;
    if (text.size == 0)
        return HS_OK;
    if (term->derived != NULL) {
        err = check_derived(term->derived, value, why);
        hs_buf_put_bytes(&made, text);
    } else {
        err = term->at.line == 0 ? check_value(kind, term, text, why) : HS_OK;
        if (err == HS_OK)
            err = hs_index_key_parse(kind, &term->at, value, NULL, &made, why);
    }
    if (err == HS_OK)
        err = made.err;
    if (err == HS_OK)
        *key = hs_arena_copy(arena, hs_buf_bytes(&made));
    if (err == HS_OK && key->data == NULL)
        err = HS_ENOMEM;
    hs_buf_fini(&made);
    return err;
}

static enum hs_err make_term(const struct hs_kind *kind, const ProtobufCMessageDescriptor *record,
                             const struct hs_where_asked *asked, struct hs_arena *arena, struct hs_where_term *term,
                             struct hs_why *why)
{
    *term = (struct hs_where_term){.count = asked->count};
    enum hs_err err = find_field(kind, record, asked->field, term, why);
    if (err != HS_OK)
        return err;
    if (asked->count == 0 || asked->count > HS_WHERE_VALUES_MAX)
        return hs_fail(asked->count == 0 ? HS_EVALUE : HS_ETOOBIG, why,
                       "%s: %zu values, from one to %d can be asked for", asked->field, asked->count,
                       HS_WHERE_VALUES_MAX);
    struct hs_bytes *keys = hs_arena_array(arena, asked->count, sizeof *keys);
    if (keys == NULL)
        return HS_ENOMEM;
    term->at.name = hs_arena_text(arena, HS_BYTES(asked->field, strlen(asked->field)));
    term->keys = keys;
    if (term->at.name == NULL)
        return HS_ENOMEM;
    for (size_t i = 0; i < asked->count && err == HS_OK; i++)
        err = make_key(kind, term, asked->values[i], arena, &keys[i], why);
    return err;
}

enum hs_err hs_where_make(const struct hs_kind *kind, const ProtobufCMessageDescriptor *record,
                          const struct hs_where_asked *asked, size_t count, struct hs_arena *arena,
                          struct hs_where *where, struct hs_why *why)
{
    *where = (struct hs_where){0};
    if (count > HS_WHERE_FIELDS_MAX)
        return hs_fail(HS_ETOOBIG, why, "%zu fields, at most %d can be asked for", count, HS_WHERE_FIELDS_MAX);
    struct hs_where_term *terms = hs_arena_array(arena, count, sizeof *terms);
    enum hs_err err = terms != NULL || count == 0 ? HS_OK : HS_ENOMEM;
    for (size_t i = 0; i < count && err == HS_OK; i++) {
        err = make_term(kind, record, &asked[i], arena, &terms[i], why);
        where->derived = where->derived || terms[i].derived != NULL;
    }
    where->terms = terms;
    where->count = err == HS_OK ? count : 0;
    return err;
}

/* ---- does it fit? ---- */

struct fitting {
    const struct hs_where_term *term;
    bool any; /* the record has one at all */
    bool fits;
};

static void take_key(void *ctx, struct hs_bytes key)
{
    struct fitting *fitting = ctx;
    fitting->any = true;
    for (size_t i = 0; i < fitting->term->count && !fitting->fits; i++)
        fitting->fits = hs_bytes_equal(fitting->term->keys[i], key);
}

static bool is_none_asked(const struct hs_where_term *term)
{
    bool none = false;
    for (size_t i = 0; i < term->count; i++)
        none = none || term->keys[i].size == 0;
    return none;
}

enum hs_err hs_where_fits(const struct hs_where *where, const struct hs_kind *kind, struct hs_bytes message,
                          const ProtobufCMessage *record, bool *fits)
{
    char room[NUMBER_BYTES];
    enum hs_err err = HS_OK;
    *fits = true;
    for (size_t i = 0; i < where->count && *fits && err == HS_OK; i++) {
        struct fitting fitting = {.term = &where->terms[i]};
        const ProtobufCMessage *fold = fitting.term->derived != NULL ? hs_kind_folded(kind, record) : NULL;
        struct hs_bytes text = fold != NULL ? text_of(fitting.term->derived, fold, room) : HS_BYTES_NONE;
        if (text.size != 0)
            take_key(&fitting, text);
        if (fitting.term->derived == NULL)
            err = hs_index_keys(&fitting.term->at, message, take_key, &fitting);
        *fits = fitting.fits || (!fitting.any && is_none_asked(fitting.term));
    }
    return err;
}
