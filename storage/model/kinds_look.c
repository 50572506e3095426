/* Looking things up in the table of kinds, and what follows from a row of it. */
#include "proto/base/text.h"
#include "proto/msg/tlv.h"
#include "storage/model/kinds.h"

#include <sodium.h>
#include <string.h>

const struct hs_kind *hs_kind_by_number(uint32_t number)
{
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        if (HS_KINDS[i].number == number)
            return &HS_KINDS[i];
    }
    return NULL;
}

const struct hs_kind *hs_kind_by_name(const char *name)
{
    for (size_t i = 0; i < HS_KIND_COUNT; i++) {
        if (strcmp(HS_KINDS[i].name, name) == 0)
            return &HS_KINDS[i];
    }
    return NULL;
}

const struct hs_field_rule *hs_kind_rule(const struct hs_kind *kind, uint32_t field)
{
    struct hs_fields fields = hs_kind_fields(kind);
    return hs_field_rule(&fields, field);
}

const struct hs_index *hs_kind_index(const struct hs_kind *kind, const char *name)
{
    for (size_t i = 0; i < kind->index_count; i++) {
        if (strcmp(kind->indexes[i].name, name) == 0)
            return &kind->indexes[i];
    }
    return NULL;
}

const char *hs_kind_field_name(const struct hs_kind *kind, uint32_t field)
{
    const ProtobufCFieldDescriptor *found = protobuf_c_message_descriptor_get_field(kind->message, field);
    return found != NULL ? found->name : NULL;
}

struct hs_fields hs_kind_fields(const struct hs_kind *kind)
{
    return (struct hs_fields){kind->message, kind->fields, kind->field_count};
}

struct hs_fields hs_line_fields(const struct hs_fields *fields, const struct hs_field_rule *rule)
{
    const ProtobufCFieldDescriptor *field = protobuf_c_message_descriptor_get_field(fields->message, rule->number);
    return (struct hs_fields){field->descriptor, rule->lines, rule->line_fields};
}

const struct hs_field_rule *hs_field_rule(const struct hs_fields *fields, uint32_t field)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (fields->rules[i].number == field)
            return &fields->rules[i];
    }
    return NULL;
}

static bool district_of(struct hs_bytes value, hs_partition *district)
{
    char text[HS_DISTRICT_DIGITS + 1] = "";
    if (value.size != HS_DISTRICT_DIGITS)
        return false;
    memcpy(text, value.data, value.size);
    return hs_partition_parse(text, district) == HS_OK;
}

bool hs_kind_home(const struct hs_kind *kind, struct hs_bytes value, hs_partition *home)
{
    bool is_account = kind->home_form == HS_HOME_ACCOUNT && hs_account_valid((const char *)value.data, value.size);
    bool is_region = kind->home_form == HS_HOME_REGION || (kind->home_form == HS_HOME_DISTRICT && value.size == 0);
    if (is_account)
        *home = hs_account_partition((const char *)value.data);
    else if (is_region)
        *home = HS_PARTITION_REGION;
    return is_account || is_region || (kind->home_form == HS_HOME_DISTRICT && district_of(value, home));
}

bool hs_kind_found_in(const struct hs_kind *kind, const struct hs_index *index, struct hs_bytes key,
                      hs_partition *partition)
{
    uint32_t field = index != NULL ? index->field : kind->id_form == HS_ID_FIELD ? kind->id_field : 0;
    bool named = field != 0 && field == kind->home_field;
    if (named && index != NULL && index->then != 0) {
        struct hs_cur cur = hs_cur_of(key);
        key = hs_cur_take(&cur, hs_cur_u16(&cur));
    }
    if (!named && kind->home_form == HS_HOME_DISTRICT)
        return false;
    return hs_kind_home(kind, named ? key : HS_BYTES_NONE, partition);
}

bool hs_kind_open(const struct hs_kind *kind, const struct hs_index *index)
{
    static const char *const BROUGHT[] = {"account",     "card_no",        "identity_no", "bill_id",
                                          "payment_id",  "number",         "slip_no",     "ticket_id",
                                          "linked_from", "appointment_id", "fact_id",     "of_id"};
    bool brought = false;
    for (size_t i = 0; i < sizeof BROUGHT / sizeof *BROUGHT && index != NULL; i++)
        brought = brought || strcmp(index->name, BROUGHT[i]) == 0;
    return brought || !kind->personal;
}

const char *hs_form_text(enum hs_form form)
{
    static const char *const TEXTS[] = {
        [HS_FORM_TEXT] = "text",
        [HS_FORM_ACCOUNT] = "account number, 10 digits",
        [HS_FORM_AMOUNT] = "amount in fen, above zero",
        [HS_FORM_NUMBER] = "whole number",
        [HS_FORM_ID] = "id, 16 bytes",
        [HS_FORM_DATE] = "date, 2026-11-21",
        [HS_FORM_PERIOD] = "month, 2026-11",
        [HS_FORM_CHOICE] = "one of",
        [HS_FORM_SERVICE] = "code of a service",
        [HS_FORM_STATE] = "state of a ticket",
        [HS_FORM_CHANGE] = "amount in fen of either sign, not zero",
        [HS_FORM_TIME] = "milliseconds since 1970, UTC",
        [HS_FORM_DISTRICT] = "district, 4 digits",
        [HS_FORM_BYTES] = "bytes",
        [HS_FORM_ANY] = "anything",
        [HS_FORM_COUNT] = "whole number from 1",
        [HS_FORM_SUM] = "amount in fen, or zero",
        [HS_FORM_BALANCE] = "amount in fen of either sign, or zero",
        [HS_FORM_QUANTITY] = "whole number",
        [HS_FORM_HASH] = "hash, 32 bytes",
        [HS_FORM_NODE] = "id of a node",
        [HS_FORM_HOUR] = "time of day, 08:30",
        [HS_FORM_LINES] = "lines",
    };
    return TEXTS[form];
}

const char *hs_policy_text(enum hs_policy policy)
{
    static const char *const TEXTS[] = {
        [HS_POLICY_MERGE] = "merge", [HS_POLICY_REVIEW] = "review", [HS_POLICY_FIXED] = "fixed"};
    return TEXTS[policy];
}

const char *hs_by_text(enum hs_by by)
{
    static const char *const TEXTS[] = {
        [HS_BY_ANYONE] = "halls and hubs",
        [HS_BY_HUBS] = "hubs",
        [HS_BY_NODE] = "the node itself, refused from clients",
        [HS_BY_OWNER] = "the owner of the district; what others write counts nothing",
    };
    return TEXTS[by];
}

void hs_kind_id(const struct hs_kind *kind, struct hs_bytes message, struct hs_id *id)
{
    static const char DOMAIN[] = "hallsync id of 1";
    uint8_t number[2];
    crypto_generichash_state state;
    hs_be16(number, kind->number);
    crypto_generichash_init(&state, NULL, 0, sizeof id->bytes);
    crypto_generichash_update(&state, (const uint8_t *)DOMAIN, sizeof DOMAIN);
    crypto_generichash_update(&state, number, sizeof number);
    for (const uint32_t *of = kind->id_of; *of != 0; of++) {
        struct hs_cur cur = hs_cur_of(message);
        struct hs_tlv tlv;
        while (hs_tlv_next(&cur, &tlv)) {
            if (tlv.number == *of)
                crypto_generichash_update(&state, tlv.raw.data, tlv.raw.size);
        }
    }
    crypto_generichash_final(&state, id->bytes, sizeof id->bytes);
}
