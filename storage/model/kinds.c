#include "storage/model/kinds.h"

#include "proto/records.pb-c.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define ROWS(array)     (array), COUNT_OF(array)

static const char *const METHODS[] = {"cash", "cheque", "card", "transfer", NULL};
static const char *const SUPPLY[] = {"on", "off", "closed", NULL};
static const char *const YES_NO[] = {"yes", "no", NULL};
static const char *const VERDICTS[] = {"release", "reject", NULL};
static const char *const NOTICES[] = {"fault", "planned", "arrears", "info", NULL};

/* ---- fields: number, form, policy, required, most bytes, choices ---- */

static const struct hs_field_rule CUSTOMER_FIELDS[] = {
    {1, HS_FORM_ACCOUNT, HS_POLICY_FIXED, true, 0, NULL},  {2, HS_FORM_TEXT, HS_POLICY_REVIEW, true, 128, NULL},
    {3, HS_FORM_TEXT, HS_POLICY_REVIEW, false, 64, NULL},  {4, HS_FORM_TEXT, HS_POLICY_REVIEW, false, 512, NULL},
    {5, HS_FORM_TEXT, HS_POLICY_REVIEW, false, 64, NULL},  {6, HS_FORM_TEXT, HS_POLICY_REVIEW, false, 64, NULL},
    {7, HS_FORM_TEXT, HS_POLICY_REVIEW, false, 64, NULL},  {8, HS_FORM_CHOICE, HS_POLICY_REVIEW, false, 0, SUPPLY},
    {9, HS_FORM_TEXT, HS_POLICY_MERGE, false, 2048, NULL},
};

static const struct hs_field_rule BILL_FIELDS[] = {
    {1, HS_FORM_TEXT, HS_POLICY_FIXED, true, HS_RECORD_ID_BYTES_MAX, NULL},
    {2, HS_FORM_ACCOUNT, HS_POLICY_FIXED, true, 0, NULL},
    {3, HS_FORM_PERIOD, HS_POLICY_REVIEW, false, 0, NULL},
    {4, HS_FORM_AMOUNT, HS_POLICY_REVIEW, true, 0, NULL},
    {5, HS_FORM_DATE, HS_POLICY_REVIEW, false, 0, NULL},
};

static const struct hs_field_rule PAYMENT_FIELDS[] = {
    {1, HS_FORM_TEXT, HS_POLICY_FIXED, false, 64, NULL},
    {2, HS_FORM_ACCOUNT, HS_POLICY_FIXED, true, 0, NULL},
    {3, HS_FORM_AMOUNT, HS_POLICY_FIXED, true, 0, NULL},
    {4, HS_FORM_TEXT, HS_POLICY_FIXED, false, HS_RECORD_ID_BYTES_MAX, NULL},
    {5, HS_FORM_CHOICE, HS_POLICY_FIXED, false, 0, METHODS},
    {6, HS_FORM_NUMBER, HS_POLICY_FIXED, false, 0, NULL},
    {7, HS_FORM_TEXT, HS_POLICY_FIXED, false, 64, NULL},
};

static const struct hs_field_rule CASH_ENTRY_FIELDS[] = {
    {1, HS_FORM_TEXT, HS_POLICY_FIXED, true, HS_RECORD_ID_BYTES_MAX, NULL},
    {2, HS_FORM_TIME, HS_POLICY_FIXED, true, 0, NULL},
    {3, HS_FORM_CHANGE, HS_POLICY_FIXED, true, 0, NULL},
    {4, HS_FORM_NUMBER, HS_POLICY_FIXED, true, 0, NULL},
    {5, HS_FORM_ID, HS_POLICY_FIXED, true, 0, NULL},
    {6, HS_FORM_NUMBER, HS_POLICY_FIXED, true, 0, NULL},
};

static const struct hs_field_rule REVERSAL_FIELDS[] = {
    {1, HS_FORM_TEXT, HS_POLICY_FIXED, false, 64, NULL},   {2, HS_FORM_ID, HS_POLICY_FIXED, true, 0, NULL},
    {3, HS_FORM_ACCOUNT, HS_POLICY_FIXED, false, 0, NULL}, {4, HS_FORM_TEXT, HS_POLICY_FIXED, false, 512, NULL},
    {5, HS_FORM_NUMBER, HS_POLICY_FIXED, false, 0, NULL},  {6, HS_FORM_TEXT, HS_POLICY_FIXED, false, 64, NULL},
};

static const struct hs_field_rule TICKET_FIELDS[] = {
    {1, HS_FORM_TEXT, HS_POLICY_FIXED, false, 64, NULL},
    {2, HS_FORM_SERVICE, HS_POLICY_FIXED, true, 0, NULL},
    {3, HS_FORM_ACCOUNT, HS_POLICY_FIXED, false, 0, NULL},
    {4, HS_FORM_TEXT, HS_POLICY_MERGE, true, 4096, NULL},
};

static const struct hs_field_rule TICKET_EVENT_FIELDS[] = {
    {1, HS_FORM_TEXT, HS_POLICY_FIXED, false, 64, NULL},   {2, HS_FORM_ID, HS_POLICY_FIXED, true, 0, NULL},
    {3, HS_FORM_STATE, HS_POLICY_FIXED, false, 0, NULL},   {4, HS_FORM_TEXT, HS_POLICY_FIXED, false, 64, NULL},
    {5, HS_FORM_TEXT, HS_POLICY_FIXED, false, 8192, NULL}, {6, HS_FORM_TEXT, HS_POLICY_FIXED, false, 64, NULL},
};

static const struct hs_field_rule CATALOGUE_FIELDS[] = {
    {1, HS_FORM_TEXT, HS_POLICY_FIXED, true, HS_RECORD_ID_BYTES_MAX, NULL},
    {2, HS_FORM_TEXT, HS_POLICY_REVIEW, true, 128, NULL},
    {3, HS_FORM_TEXT, HS_POLICY_MERGE, false, 64, NULL},
    {4, HS_FORM_NUMBER, HS_POLICY_REVIEW, false, 0, NULL},
    {5, HS_FORM_TEXT, HS_POLICY_REVIEW, false, 512, NULL},
    {6, HS_FORM_TEXT, HS_POLICY_MERGE, false, 4096, NULL},
    {7, HS_FORM_CHOICE, HS_POLICY_REVIEW, false, 0, YES_NO},
    {8, HS_FORM_TEXT, HS_POLICY_MERGE, false, 2048, NULL},
};

static const struct hs_field_rule NOTICE_FIELDS[] = {
    {1, HS_FORM_TEXT, HS_POLICY_FIXED, true, HS_RECORD_ID_BYTES_MAX, NULL},
    {2, HS_FORM_DISTRICT, HS_POLICY_FIXED, false, 0, NULL},
    {3, HS_FORM_CHOICE, HS_POLICY_REVIEW, true, 0, NOTICES},
    {4, HS_FORM_TEXT, HS_POLICY_REVIEW, true, 4096, NULL},
    {5, HS_FORM_TIME, HS_POLICY_REVIEW, false, 0, NULL},
    {6, HS_FORM_TIME, HS_POLICY_REVIEW, false, 0, NULL},
    {7, HS_FORM_TEXT, HS_POLICY_MERGE, false, 2048, NULL},
    {8, HS_FORM_TEXT, HS_POLICY_MERGE, false, 2048, NULL},
};

static const struct hs_field_rule REISSUE_FIELDS[] = {
    {1, HS_FORM_TEXT, HS_POLICY_FIXED, false, 64, NULL},
    {2, HS_FORM_TEXT, HS_POLICY_FIXED, true, HS_NODE_ID_BYTES_MAX, NULL},
    {3, HS_FORM_BYTES, HS_POLICY_FIXED, true, HS_CERTIFICATE_BYTES_MAX, NULL},
};

static const struct hs_field_rule DECISION_FIELDS[] = {
    {1, HS_FORM_TEXT, HS_POLICY_FIXED, false, 64, NULL},
    {2, HS_FORM_NUMBER, HS_POLICY_FIXED, true, 0, NULL},
    {3, HS_FORM_NUMBER, HS_POLICY_FIXED, true, 0, NULL},
    {4, HS_FORM_BYTES, HS_POLICY_FIXED, true, HS_RECORD_ID_BYTES_MAX, NULL},
    {5, HS_FORM_CHOICE, HS_POLICY_FIXED, true, 0, VERDICTS},
    {6, HS_FORM_BYTES, HS_POLICY_FIXED, true, HS_HASH_BYTES, NULL},
    {7, HS_FORM_BYTES, HS_POLICY_FIXED, false, HS_HASH_BYTES, NULL},
    {8, HS_FORM_BYTES, HS_POLICY_FIXED, false, HS_FOLLOWS_MAX *HS_ID_BYTES, NULL},
    {9, HS_FORM_TEXT, HS_POLICY_FIXED, true, 128, NULL},
    {10, HS_FORM_TEXT, HS_POLICY_FIXED, true, 512, NULL},
};

/* ---- indexes: number, name, field ---- */

static const struct hs_index CUSTOMER_INDEXES[] = {{1, "card_no", 6}, {2, "identity_no", 5}};
static const struct hs_index BILL_INDEXES[] = {{1, "account", 2}};
static const struct hs_index PAYMENT_INDEXES[] = {{1, "account", 2}, {2, "bill_id", 4}};
static const struct hs_index CASH_ENTRY_INDEXES[] = {{1, "fact_id", 5}};
static const struct hs_index REVERSAL_INDEXES[] = {{1, "payment_id", 2}};
static const struct hs_index TICKET_INDEXES[] = {{1, "account", 3}, {2, "state", 0}, {3, "assignee", 0}};
static const struct hs_index TICKET_EVENT_INDEXES[] = {{1, "ticket_id", 2}};
static const struct hs_index NOTICE_INDEXES[] = {{1, "district", 2}};
static const struct hs_index REISSUE_INDEXES[] = {{1, "node_id", 2}};

/* ---- kinds: number, name, shape, lane, id, home, message, fields, indexes, by node only ---- */

const struct hs_kind HS_KINDS[] = {
    {HS_KIND_CUSTOMER, "customer", HS_SHAPE_REGISTER, HS_LANE_PEOPLE, HS_ID_FIELD, 1, HS_HOME_ACCOUNT, 1,
     &hallsync__customer__descriptor, ROWS(CUSTOMER_FIELDS), ROWS(CUSTOMER_INDEXES), false},
    {HS_KIND_BILL, "bill", HS_SHAPE_REGISTER, HS_LANE_BULK, HS_ID_FIELD, 1, HS_HOME_ACCOUNT, 2,
     &hallsync__bill__descriptor, ROWS(BILL_FIELDS), ROWS(BILL_INDEXES), false},
    {HS_KIND_PAYMENT, "payment", HS_SHAPE_FACT, HS_LANE_MONEY, HS_ID_128, 1, HS_HOME_ACCOUNT, 2,
     &hallsync__payment__descriptor, ROWS(PAYMENT_FIELDS), ROWS(PAYMENT_INDEXES), false},
    {HS_KIND_CASH_ENTRY, "cash_entry", HS_SHAPE_FACT, HS_LANE_MONEY, HS_ID_FIELD, 1, HS_HOME_NODE, 0,
     &hallsync__cash_entry__descriptor, ROWS(CASH_ENTRY_FIELDS), ROWS(CASH_ENTRY_INDEXES), true},
    {HS_KIND_REVERSAL, "reversal", HS_SHAPE_FACT, HS_LANE_MONEY, HS_ID_128, 1, HS_HOME_ACCOUNT, 3,
     &hallsync__reversal__descriptor, ROWS(REVERSAL_FIELDS), ROWS(REVERSAL_INDEXES), false},
    {HS_KIND_TICKET, "ticket", HS_SHAPE_REGISTER, HS_LANE_WORK, HS_ID_128, 1, HS_HOME_ACCOUNT, 3,
     &hallsync__ticket__descriptor, ROWS(TICKET_FIELDS), ROWS(TICKET_INDEXES), false},
    {HS_KIND_TICKET_EVENT, "ticket_event", HS_SHAPE_FACT, HS_LANE_WORK, HS_ID_128, 1, HS_HOME_ACCOUNT, 0,
     &hallsync__ticket_event__descriptor, ROWS(TICKET_EVENT_FIELDS), ROWS(TICKET_EVENT_INDEXES), false},
    {HS_KIND_CATALOGUE, "catalogue", HS_SHAPE_REGISTER, HS_LANE_BULK, HS_ID_FIELD, 1, HS_HOME_REGION, 0,
     &hallsync__catalogue__descriptor, ROWS(CATALOGUE_FIELDS), NULL, 0, false},
    {HS_KIND_NOTICE, "notice", HS_SHAPE_REGISTER, HS_LANE_WORK, HS_ID_FIELD, 1, HS_HOME_DISTRICT, 2,
     &hallsync__notice__descriptor, ROWS(NOTICE_FIELDS), ROWS(NOTICE_INDEXES), false},
    {HS_KIND_REISSUE, "reissue", HS_SHAPE_FACT, HS_LANE_PEOPLE, HS_ID_128, 1, HS_HOME_REGION, 0,
     &hallsync__reissue__descriptor, ROWS(REISSUE_FIELDS), ROWS(REISSUE_INDEXES), true},
    {HS_KIND_DECISION, "decision", HS_SHAPE_FACT, HS_LANE_MONEY, HS_ID_128, 1, HS_HOME_ACCOUNT, 0,
     &hallsync__decision__descriptor, ROWS(DECISION_FIELDS), NULL, 0, true},
};
const size_t HS_KIND_COUNT = COUNT_OF(HS_KINDS);

/* ---- look-ups ---- */

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
    for (size_t i = 0; i < kind->field_count; i++) {
        if (kind->fields[i].number == field)
            return &kind->fields[i];
    }
    return NULL;
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
    if (!named && kind->home_form == HS_HOME_DISTRICT)
        return false;
    return hs_kind_home(kind, named ? key : HS_BYTES_NONE, partition);
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
    };
    return TEXTS[form];
}

const char *hs_policy_text(enum hs_policy policy)
{
    static const char *const TEXTS[] = {
        [HS_POLICY_MERGE] = "merge", [HS_POLICY_REVIEW] = "review", [HS_POLICY_FIXED] = "fixed"};
    return TEXTS[policy];
}
