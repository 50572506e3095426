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

struct value {
    const char *name; /* of its field */
    const struct hs_field_rule *rule;
    const ProtobufCFieldDescriptor *type;
    const struct hs_tlv *tlv;
};

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
    size_t most = value->rule->bytes_max != 0 ? value->rule->bytes_max : TEXT_BYTES_DEFAULT;
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

static enum hs_err check_amount(const struct value *value, struct hs_why *why)
{
    int64_t fen = (int64_t)value->tlv->value;
    if (fen <= 0)
        return hs_fail(HS_EAMOUNT, why, "%s: %" PRId64 " is not above zero", value->name, fen);
    if (fen > HS_AMOUNT_FEN_MAX)
        return hs_fail(HS_EOVERFLOW, why, "%s: %" PRId64 " is above %lld", value->name, fen, HS_AMOUNT_FEN_MAX);
    return HS_OK;
}

static enum hs_err check_change(const struct value *value, struct hs_why *why)
{
    uint64_t raw = value->tlv->value;
    int64_t fen = (int64_t)(raw >> 1) ^ -(int64_t)(raw & 1); /* zigzag */
    if (fen == 0)
        return hs_fail(HS_EAMOUNT, why, "%s: is zero", value->name);
    if (fen > HS_AMOUNT_FEN_MAX || fen < -HS_AMOUNT_FEN_MAX)
        return hs_fail(HS_EOVERFLOW, why, "%s: %" PRId64 " is beyond %lld", value->name, fen, HS_AMOUNT_FEN_MAX);
    return HS_OK;
}

static enum hs_err check_at_most(const struct value *value, uint64_t most, struct hs_why *why)
{
    uint64_t number = value->tlv->value;
    if (number > most)
        return hs_fail(HS_EOVERFLOW, why, "%s: %" PRIu64 " is above %" PRIu64, value->name, number, most);
    return HS_OK;
}

static enum hs_err check_id(const struct value *value, struct hs_why *why)
{
    size_t size = value->tlv->bytes.size;
    if (size != HS_ID_BYTES)
        return hs_fail(HS_EVALUE, why, "%s: %zu bytes, an id has %d", value->name, size, HS_ID_BYTES);
    return HS_OK;
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
    for (const char *const *choice = value->rule->choices; *choice != NULL; choice++) {
        if (hs_bytes_equal(text, HS_BYTES(*choice, strlen(*choice))))
            return HS_OK;
        if (used < sizeof list)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used == 0 ? "" : ", ", *choice);
    }
    return hs_fail(HS_EVALUE, why, "%s: %s is none of %s", value->name, quote(text).text, list);
}

static enum hs_err check_service(const struct value *value, struct hs_why *why)
{
    if (hs_service_by_code((const char *)value->tlv->bytes.data, value->tlv->bytes.size) == NULL)
        return wrong(value, HS_ESERVICE, why, "is not in the catalogue of services");
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
    if (size > value->rule->bytes_max)
        return hs_fail(HS_ETOOBIG, why, "%s: %zu bytes, at most %u", value->name, size,
                       (unsigned)value->rule->bytes_max);
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
        return check_amount(value, why);
    case HS_FORM_CHANGE:
        return check_change(value, why);
    case HS_FORM_NUMBER:
        return check_at_most(value, UINT32_MAX, why);
    case HS_FORM_TIME:
        return check_at_most(value, TIME_MS_MAX, why);
    case HS_FORM_ID:
        return check_id(value, why);
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
    return type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_BYTES ? HS_WIRE_BYTES : HS_WIRE_VARINT;
}

/* @seen: one bit for each field met that has a rule; their numbers are below 64 (model_test). */
static enum hs_err check_field(const struct hs_kind *kind, const struct hs_tlv *tlv, bool strict, uint64_t *seen,
                               struct hs_why *why)
{
    struct value value = {
        .name = hs_kind_field_name(kind, tlv->number), .rule = hs_kind_rule(kind, tlv->number), .tlv = tlv};
    if (value.rule == NULL && strict)
        return hs_fail(HS_EFIELD, why, "%s: has no field %" PRIu32, kind->name, tlv->number);
    if (value.rule == NULL)
        return HS_OK;
    value.type = protobuf_c_message_descriptor_get_field(kind->message, tlv->number);
    if (tlv->wire != wire_of(value.type->type))
        return hs_fail(HS_EVALUE, why, "%s: is not encoded as its type", value.name);
    if ((*seen >> tlv->number & 1) != 0)
        return hs_fail(HS_EVALUE, why, "%s: is given twice", value.name);
    *seen |= (uint64_t)1 << tlv->number;
    return check_form(&value, why);
}

static enum hs_err check_required(const struct hs_kind *kind, uint64_t seen, uint32_t *field, struct hs_why *why)
{
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct hs_field_rule *rule = &kind->fields[i];
        if (!rule->required || (seen >> rule->number & 1) != 0)
            continue;
        *field = rule->number;
        return hs_fail(HS_EREQUIRED, why, "%s: is missing; a %s needs it", hs_kind_field_name(kind, rule->number),
                       kind->name);
    }
    return HS_OK;
}

/* ---- all that is wrong ---- */

static bool is_looked_up_by(const struct hs_kind *kind, uint32_t field)
{
    bool found = field == kind->id_field;
    for (size_t i = 0; i < kind->index_count && !found; i++)
        found = kind->indexes[i].field == field;
    return found;
}

/* May be another than this version knows, or be missing, without anything being counted wrong. */
static bool is_soft(const struct hs_field_rule *rule)
{
    return rule->form == HS_FORM_TEXT || rule->form == HS_FORM_CHOICE || rule->form == HS_FORM_SERVICE ||
           rule->form == HS_FORM_DATE || rule->form == HS_FORM_PERIOD;
}

static bool may_pass(const struct hs_kind *kind, const struct hs_tlv *tlv, enum hs_err err)
{
    const struct hs_field_rule *rule = hs_kind_rule(kind, tlv->number);
    if (tlv->wire != HS_WIRE_BYTES || !is_soft(rule) || !hs_text_valid(tlv->bytes))
        return false;
    return err != HS_ETOOBIG || !is_looked_up_by(kind, tlv->number);
}

enum hs_err hs_kind_flaw(const struct hs_kind *kind, struct hs_bytes message, struct hs_hash *flaw)
{
    uint64_t seen = 0;
    bool passes = true;
    struct hs_buf flaws = {0};
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    while (hs_tlv_next(&cur, &tlv)) {
        bool again = hs_kind_rule(kind, tlv.number) != NULL && (seen >> tlv.number & 1) != 0;
        enum hs_err err = check_field(kind, &tlv, false, &seen, NULL);
        if (err == HS_OK)
            continue;
        hs_buf_put_sized(&flaws, tlv.raw);
        passes = passes && !again && may_pass(kind, &tlv, err);
    }
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct hs_field_rule *rule = &kind->fields[i];
        if (!rule->required || (seen >> rule->number & 1) != 0)
            continue;
        hs_buf_put_varint(&flaws, rule->number);
        passes = passes && is_soft(rule);
    }
    enum hs_err err = flaws.err != HS_OK ? flaws.err : passes && cur.err == HS_OK ? HS_OK : HS_EVALUE;
    *flaw = hs_hash_domain("hallsync flaw 1", hs_buf_bytes(&flaws));
    hs_buf_fini(&flaws);
    return err;
}

enum hs_err hs_kind_check(const struct hs_kind *kind, struct hs_bytes message, struct hs_check how, uint32_t *field,
                          struct hs_why *why)
{
    uint64_t seen = 0;
    struct hs_cur cur = hs_cur_of(message);
    struct hs_tlv tlv;
    *field = 0;
    while (hs_tlv_next(&cur, &tlv)) {
        enum hs_err err = check_field(kind, &tlv, how.strict, &seen, why);
        if (err != HS_OK) {
            *field = tlv.number;
            return err;
        }
    }
    if (cur.err != HS_OK)
        return hs_fail(HS_EMALFORMED, why, "%s: the bytes are not a message", kind->name);
    return how.complete ? check_required(kind, seen, field, why) : HS_OK;
}
