/* Does a record keep the rules of its kind?  Asked before a write, and again wherever a record is shown or counted. */
#include "storage/model/kinds.h"

#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/model/ticket.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BYTES_DEFAULT 256
#define QUOTE_BYTES_MAX    40
#define TIME_MS_MAX        (((uint64_t)1 << 47) - 1)
#define FIELDS_MAX         64 /* their numbers are below */

struct value {
    const char *name; /* of its field */
    const struct hs_field_rule *rule;
    const ProtobufCFieldDescriptor *type;
    const struct hs_tlv *tlv;
    const struct hs_fields *fields; /* to which it belongs */
    size_t before;                  /* occurrences of the field before this one */
    bool strict;
};

static enum hs_err check_line(const struct value *value, struct hs_why *why);

/* A value as a sentence can hold it: in quotes if it is short and printable, else its size. */
struct quote {
    char text[QUOTE_BYTES_MAX + 32];
};

static struct quote quote(struct hs_bytes bytes)
{
    struct quote quoted;
    bool printable = bytes.size <= QUOTE_BYTES_MAX && hs_text_valid(bytes);
    for (size_t i = 0; i < bytes.size && printable; i++)
        printable = bytes.data[i] >= ' ';
    if (printable)
        snprintf(quoted.text, sizeof quoted.text, "'%.*s'", (int)bytes.size, (const char *)bytes.data);
    else
        snprintf(quoted.text, sizeof quoted.text, "a value of %zu bytes", bytes.size);
    return quoted;
}

static enum hs_err wrong(const struct value *value, enum hs_err err, struct hs_why *why, const char *reason)
{
    return hs_fail(err, why, "%s: %s %s", value->name, quote(value->tlv->bytes).text, reason);
}

/* ---- forms ---- */

static enum hs_err check_text(const struct value *value, struct hs_why *why)
{
    struct hs_bytes text = value->tlv->bytes;
    size_t most = value->rule->most != 0 ? value->rule->most : TEXT_BYTES_DEFAULT;
    if (text.size == 0)
        return hs_fail(HS_EVALUE, why, "%s: is empty; leave it out or clear it", value->name);
    if (text.size > most)
        return hs_fail(HS_ETOOBIG, why, "%s: %zu bytes, at most %zu", value->name, text.size, most);
    if (!hs_text_valid(text))
        return hs_fail(HS_EUTF8, why, "%s: is not valid UTF-8 or has control characters", value->name);
    return HS_OK;
}

static enum hs_err check_account(const struct value *value, struct hs_why *why)
{
    if (!hs_account_valid((const char *)value->tlv->bytes.data, value->tlv->bytes.size))
        return wrong(value, HS_EACCOUNT, why, "is not 10 digits");
    return HS_OK;
}

static enum hs_err check_fen(const struct value *value, int64_t fen, bool may_be_zero, struct hs_why *why)
{
    if (fen == 0 && !may_be_zero)
        return hs_fail(HS_EAMOUNT, why, "%s: is zero", value->name);
    if (fen > HS_AMOUNT_FEN_MAX || fen < -HS_AMOUNT_FEN_MAX)
        return hs_fail(HS_EOVERFLOW, why, "%s: %" PRId64 " is beyond %lld", value->name, fen, HS_AMOUNT_FEN_MAX);
    return HS_OK;
}

static enum hs_err check_amount(const struct value *value, int64_t least, struct hs_why *why)
{
    int64_t fen = (int64_t)value->tlv->value;
    if (fen < least)
        return hs_fail(HS_EAMOUNT, why,
                       least > 0 ? "%s: %" PRId64 " is not above zero" : "%s: %" PRId64 " is below zero", value->name,
                       fen);
    if (fen > HS_AMOUNT_FEN_MAX)
        return hs_fail(HS_EOVERFLOW, why, "%s: %" PRId64 " is above %lld", value->name, fen, HS_AMOUNT_FEN_MAX);
    return HS_OK;
}

static enum hs_err check_change(const struct value *value, bool may_be_zero, struct hs_why *why)
{
    uint64_t raw = value->tlv->value;
    return check_fen(value, (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1), may_be_zero, why); /* zigzag */
}

static enum hs_err check_at_most(const struct value *value, uint64_t most, struct hs_why *why)
{
    uint64_t number = value->tlv->value;
    if (number > most)
        return hs_fail(HS_EOVERFLOW, why, "%s: %" PRIu64 " is above %" PRIu64, value->name, number, most);
    return HS_OK;
}

/* From @least to what the rule says. */
static enum hs_err check_number(const struct value *value, uint64_t least, struct hs_why *why)
{
    if (value->tlv->value < least)
        return hs_fail(HS_EVALUE, why, "%s: is zero", value->name);
    return check_at_most(value, value->rule->most != 0 ? value->rule->most : UINT32_MAX, why);
}

static enum hs_err check_size(const struct value *value, size_t wanted, const char *what, struct hs_why *why)
{
    size_t size = value->tlv->bytes.size;
    if (size != wanted)
        return hs_fail(HS_EVALUE, why, "%s: %zu bytes, %s has %zu", value->name, size, what, wanted);
    return HS_OK;
}

static enum hs_err check_node(const struct value *value, struct hs_why *why)
{
    char id[HS_NODE_ID_BYTES_MAX + 1] = "";
    struct hs_bytes text = value->tlv->bytes;
    if (text.size <= HS_NODE_ID_BYTES_MAX && text.size != 0)
        memcpy(id, text.data, text.size);
    return hs_node_id_valid(id) && strlen(id) == text.size ? HS_OK : wrong(value, HS_EVALUE, why, "is no id of a node");
}

static enum hs_err check_hour(const struct value *value, struct hs_why *why)
{
    static const char HIGHEST[] = "29:59"; /* of each place */
    struct hs_bytes text = value->tlv->bytes;
    bool fits = text.size == sizeof HIGHEST - 1;
    for (size_t i = 0; i < text.size && fits; i++)
        fits = i == 2 ? text.data[i] == ':' : text.data[i] >= '0' && text.data[i] <= HIGHEST[i];
    fits = fits && (text.data[0] < '2' || text.data[1] < '4');
    return fits ? HS_OK : wrong(value, HS_EVALUE, why, "is not a time of day like 08:30");
}

/* "2026-11-21" or, of 7 bytes, "2026-11" as 20261121 or 20261101; 0 if it has not that form. */
static uint32_t read_date(struct hs_bytes text)
{
    uint32_t date = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        bool hyphen = i == 4 || i == 7;
        if (hyphen ? c != '-' : c < '0' || c > '9')
            return 0;
        if (!hyphen)
            date = date * 10 + (uint32_t)(c - '0');
    }
    return text.size == 7 ? date * 100 + 1 : date;
}

static enum hs_err check_date(const struct value *value, size_t size, const char *reason, struct hs_why *why)
{
    struct hs_bytes text = value->tlv->bytes;
    if (text.size != size || !hs_date_valid(read_date(text)))
        return wrong(value, HS_EVALUE, why, reason);
    return HS_OK;
}

static enum hs_err check_choice(const struct value *value, struct hs_why *why)
{
    struct hs_bytes text = value->tlv->bytes;
    char list[128] = "";
    size_t used = 0;
    for (const struct hs_choice *choice = value->rule->choices; choice->value != NULL; choice++) {
        if (hs_bytes_equal(text, HS_BYTES(choice->value, strlen(choice->value))))
            return HS_OK;
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used == 0 ? "" : ", ", choice->value);
    }
    return hs_fail(HS_EVALUE, why, "%s: %s is none of %s", value->name, quote(text).text, list);
}

static enum hs_err check_service(const struct value *value, struct hs_why *why)
{
    if (!hs_service_code_valid((const char *)value->tlv->bytes.data, value->tlv->bytes.size))
        return wrong(value, HS_ESERVICE, why, "is no code of a service: lower-case letters, digits and '-'");
    return HS_OK;
}

static enum hs_err check_state(const struct value *value, struct hs_why *why)
{
    enum hs_ticket_state state;
    if (!hs_ticket_state_parse((const char *)value->tlv->bytes.data, value->tlv->bytes.size, &state))
        return wrong(value, HS_ESTATE, why, "is not a state of a ticket");
    return HS_OK;
}

static enum hs_err check_district(const struct value *value, struct hs_why *why)
{
    struct hs_bytes text = value->tlv->bytes;
    bool digits = text.size == HS_DISTRICT_DIGITS;
    for (size_t i = 0; i < text.size && digits; i++)
        digits = text.data[i] >= '0' && text.data[i] <= '9';
    return digits ? HS_OK : wrong(value, HS_EVALUE, why, "is not a district of 4 digits");
}

static enum hs_err check_bytes(const struct value *value, struct hs_why *why)
{
    size_t size = value->tlv->bytes.size;
    if (size == 0)
        return hs_fail(HS_EVALUE, why, "%s: is empty", value->name);
    if (size > value->rule->most)
        return hs_fail(HS_ETOOBIG, why, "%s: %zu bytes, at most %u", value->name, size, (unsigned)value->rule->most);
    return HS_OK;
}

static enum hs_err check_form(const struct value *value, struct hs_why *why)
{
    switch (value->rule->form) {
    case HS_FORM_TEXT:
        return check_text(value, why);
    case HS_FORM_ACCOUNT:
        return check_account(value, why);
    case HS_FORM_AMOUNT:
        return check_amount(value, 1, why);
    case HS_FORM_SUM:
        return check_amount(value, 0, why);
    case HS_FORM_CHANGE:
        return check_change(value, false, why);
    case HS_FORM_BALANCE:
        return check_change(value, true, why);
    case HS_FORM_NUMBER:
        return check_number(value, 0, why);
    case HS_FORM_COUNT:
        return check_number(value, 1, why);
    case HS_FORM_QUANTITY:
        return check_at_most(value, HS_QUANTITY_MAX, why);
    case HS_FORM_TIME:
        return check_at_most(value, TIME_MS_MAX, why);
    case HS_FORM_ID:
        return check_size(value, HS_ID_BYTES, "an id", why);
    case HS_FORM_HASH:
        return check_size(value, HS_HASH_BYTES, "a hash", why);
    case HS_FORM_NODE:
        return check_node(value, why);
    case HS_FORM_HOUR:
        return check_hour(value, why);
    case HS_FORM_LINES:
        return check_line(value, why);
    case HS_FORM_DATE:
        return check_date(value, 10, "is not a date like 2026-11-21", why);
    case HS_FORM_PERIOD:
        return check_date(value, 7, "is not a month like 2026-11", why);
    case HS_FORM_CHOICE:
        return check_choice(value, why);
    case HS_FORM_SERVICE:
        return check_service(value, why);
    case HS_FORM_STATE:
        return check_state(value, why);
    case HS_FORM_DISTRICT:
        return check_district(value, why);
    case HS_FORM_BYTES:
        return check_bytes(value, why);
    case HS_FORM_ANY:
        break;
    }
    return HS_OK;
}

/* ---- messages ---- */

static enum hs_wire wire_of(ProtobufCType type)
{
    bool bytes = type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_BYTES || type == PROTOBUF_C_TYPE_MESSAGE;
    return bytes ? HS_WIRE_BYTES : HS_WIRE_VARINT;
}

/* What has been met of a message. */
struct met {
    const struct hs_fields *fields;
    const char *what; /* "payment" */
    bool strict;
    uint8_t times[FIELDS_MAX]; /* of fields that have a rule; the highest stands for more */
};

static bool was_met(const struct met *met, uint32_t field)
{
    return met->times[field] != 0;
}

static enum hs_err check_field(struct met *met, const struct hs_tlv *tlv, struct hs_why *why)
{
    struct value value = {
        .rule = hs_field_rule(met->fields, tlv->number), .tlv = tlv, .fields = met->fields, .strict = met->strict};
    if (value.rule == NULL && met->strict)
        return hs_fail(HS_EFIELD, why, "%s: has no field %" PRIu32, met->what, tlv->number);
    if (value.rule == NULL)
        return HS_OK;
    value.type = protobuf_c_message_descriptor_get_field(met->fields->message, tlv->number);
    value.name = value.type->name;
    if (tlv->wire != wire_of(value.type->type))
        return hs_fail(HS_EVALUE, why, "%s: is not encoded as its type", value.name);
    bool is_lines = value.rule->form == HS_FORM_LINES;
    uint8_t *times = &met->times[tlv->number];
    value.before = *times;
    if (!is_lines && value.before != 0)
        return hs_fail(HS_EVALUE, why, "%s: is given twice", value.name);
    if (is_lines && value.before >= value.rule->most)
        return hs_fail(HS_ETOOBIG, why, "%s: more than %u lines", value.name, (unsigned)value.rule->most);
    *times += *times < UINT8_MAX;
    return check_form(&value, why);
}

static enum hs_err check_required(const struct met *met, uint32_t *field, struct hs_why *why)
{
    for (size_t i = 0; i < met->fields->count; i++) {
        const struct hs_field_rule *rule = &met->fields->rules[i];
        if (!rule->required || was_met(met, rule->number))
            continue;
        *field = rule->number;
        const char *name = protobuf_c_message_descriptor_get_field(met->fields->message, rule->number)->name;
        return hs_fail(HS_EREQUIRED, why, "%s: is missing; a %s needs it", name, met->what);
    }
    return HS_OK;
}

static enum hs_err check_message(struct met *met, struct hs_bytes message, bool complete, uint32_t *field,
                                 struct hs_why *why)
{
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    *field = 0;
    while (hs_tlv_next(&cur, &tlv)) {
        enum hs_err err = check_field(met, &tlv, why);
        if (err != HS_OK) {
            *field = tlv.number;
            return err;
        }
    }
    if (cur.err != HS_OK)
        return hs_fail(HS_EMALFORMED, why, "%s: the bytes are not a message", met->what);
    return complete ? check_required(met, field, why) : HS_OK;
}

/* A line is written whole, so it is always complete. */
static enum hs_err check_line(const struct value *value, struct hs_why *why)
{
    struct hs_fields line = hs_line_fields(value->fields, value->rule);
    struct met met = {.fields = &line, .what = "line", .strict = value->strict};
    struct hs_why within = {{0}};
    uint32_t field;
    enum hs_err err = check_message(&met, value->tlv->bytes, true, &field, &within);
    if (err == HS_OK)
        return HS_OK;
    return hs_fail(err == HS_EMALFORMED ? HS_EVALUE : err, why, "%s[%zu].%.200s", value->name, value->before,
                   within.text);
}

enum hs_err hs_kind_check(const struct hs_kind *kind, struct hs_bytes message, struct hs_check how, uint32_t *field,
                          struct hs_why *why)
{
    struct hs_fields fields = hs_kind_fields(kind);
    struct met met = {.fields = &fields, .what = kind->name, .strict = how.strict};
    return check_message(&met, message, how.complete, field, why);
}

/* ---- all that is wrong ---- */

/* @field: of the kind; of a line's field the field of the lines. */
static bool is_looked_up_by(const struct hs_kind *kind, uint32_t field)
{
    bool found = field == kind->id_field;
    for (size_t i = 0; i < kind->index_count && !found; i++)
        found = kind->indexes[i].field == field || (field != 0 && kind->indexes[i].then == field);
    return found;
}

/* May be another than this version knows, or be missing, without anything being counted wrong. */
static bool is_soft(const struct hs_field_rule *rule)
{
    return rule->form == HS_FORM_TEXT || rule->form == HS_FORM_CHOICE || rule->form == HS_FORM_SERVICE ||
           rule->form == HS_FORM_DATE || rule->form == HS_FORM_PERIOD || rule->form == HS_FORM_HOUR;
}

struct flaws {
    const struct hs_kind *kind;
    uint32_t field; /* of the lines that are looked into; 0: none are */
    struct hs_buf *found;
    bool pass; /* out: a person may let all of them pass */
};

static void find_flaws(struct flaws *flaws, const struct hs_fields *fields, struct hs_bytes message);

static bool may_pass(const struct flaws *flaws, const struct hs_fields *fields, const struct hs_tlv *tlv,
                     enum hs_err err)
{
    const struct hs_field_rule *rule = hs_field_rule(fields, tlv->number);
    uint32_t field = flaws->field != 0 ? flaws->field : tlv->number;
    if (rule->form == HS_FORM_LINES && tlv->wire == HS_WIRE_BYTES) {
        struct hs_fields line = hs_line_fields(fields, rule);
        struct flaws within = {.kind = flaws->kind, .field = field, .pass = true};
        find_flaws(&within, &line, tlv->bytes);
        return within.pass && err != HS_ETOOBIG;
    }
    if (tlv->wire != HS_WIRE_BYTES || !is_soft(rule) || !hs_text_valid(tlv->bytes))
        return false;
    return err != HS_ETOOBIG || !is_looked_up_by(flaws->kind, field);
}

static void find_flaws(struct flaws *flaws, const struct hs_fields *fields, struct hs_bytes message)
{
    struct met met = {.fields = fields};
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv)) {
        const struct hs_field_rule *rule = hs_field_rule(fields, tlv.number);
        bool again = rule != NULL && rule->form != HS_FORM_LINES && was_met(&met, tlv.number);
        enum hs_err err = check_field(&met, &tlv, NULL);
        if (err == HS_OK)
            continue;
        if (flaws->found != NULL)
            hs_buf_put_sized(flaws->found, tlv.raw);
        flaws->pass = flaws->pass && !again && may_pass(flaws, fields, &tlv, err);
    }
    for (size_t i = 0; i < fields->count; i++) {
        const struct hs_field_rule *rule = &fields->rules[i];
        if (!rule->required || was_met(&met, rule->number))
            continue;
        if (flaws->found != NULL)
            hs_buf_put_varint(flaws->found, rule->number);
        flaws->pass = flaws->pass && is_soft(rule);
    }
    flaws->pass = flaws->pass && cur.err == HS_OK;
}

enum hs_err hs_kind_flaw(const struct hs_kind *kind, struct hs_bytes message, struct hs_hash *flaw)
{
    struct hs_fields fields = hs_kind_fields(kind);
    struct hs_buf found = {0};
    struct flaws flaws = {.kind = kind, .found = &found, .pass = true};
    find_flaws(&flaws, &fields, message);
    enum hs_err err = found.err != HS_OK ? found.err : flaws.pass ? HS_OK : HS_EVALUE;
    *flaw = hs_hash_domain("hallsync flaw 1", hs_buf_bytes(&found));
    hs_buf_fini(&found);
    return err;
}
