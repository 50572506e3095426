/* What people see of each kind of record. */
#include "node/cli/table.h"

#include "storage/model/kinds.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PROSE_BYTES 512

static const struct cli_column CUSTOMER[] = {
    {"account", "account", CLI_FORM_TEXT},
    {"name", "name", CLI_FORM_TEXT},
    {"phone", "phone", CLI_FORM_TEXT},
    {"address", "address", CLI_FORM_TEXT},
    {"identity_no", "identity", CLI_FORM_TEXT},
    {"card_no", "card", CLI_FORM_TEXT},
    {"tariff", "tariff", CLI_FORM_TEXT},
    {"supply_status", "supply", CLI_FORM_TEXT},
    {"meter_no", "meter", CLI_FORM_TEXT},
    {"billing", "billing", CLI_FORM_TEXT},
    {"email", "e-mail", CLI_FORM_TEXT},
    {"contacts", "contacts", CLI_FORM_TEXT},
    {"authorised", "authorised", CLI_FORM_TEXT},
    {"bank_account", "bank account", CLI_FORM_TEXT},
    {"title_since", "title since", CLI_FORM_TEXT},
    {"remark", "remark", CLI_FORM_TEXT},
    {"safe", "safe", CLI_FORM_TEXT},
    {"held_by", "held by", CLI_FORM_TEXT},
    {"node", "node", CLI_FORM_TEXT},
    {"time", "time", CLI_FORM_TIME},
};
static const struct cli_column BILL[] = {
    {"bill_id", "bill", CLI_FORM_TEXT},
    {"account", "account", CLI_FORM_TEXT},
    {"period", "period", CLI_FORM_TEXT},
    {"amount_fen", "amount", CLI_FORM_MONEY},
    {"paid_fen", "paid", CLI_FORM_MONEY},
    {"due_fen", "due", CLI_FORM_MONEY},
    {"due_date", "due date", CLI_FORM_TEXT},
    {"state", "state", CLI_FORM_TEXT},
    {"safe", "safe", CLI_FORM_TEXT},
    {"held_by", "held by", CLI_FORM_TEXT},
    {"node", "node", CLI_FORM_TEXT},
    {"time", "time", CLI_FORM_TIME},
    {"late_fen", "late fees", CLI_FORM_MONEY},
    {"settled_fen", "settled", CLI_FORM_MONEY},
    {"status", "status", CLI_FORM_TEXT},
    {"replaced_by", "replaced by", CLI_FORM_TEXT},
    {"source_no", "source no", CLI_FORM_TEXT},
    {"lines", "lines", CLI_FORM_TEXT},
    {"late_fees", "late fees from", CLI_FORM_TEXT},
};
static const struct cli_column PAYMENT[] = {
    {"payment_id", "payment", CLI_FORM_TEXT},
    {"account", "account", CLI_FORM_TEXT},
    {"amount_fen", "amount", CLI_FORM_MONEY},
    {"bill_id", "bill", CLI_FORM_TEXT},
    {"reversed", "reversed", CLI_FORM_TEXT},
    {"safe", "safe", CLI_FORM_TEXT},
    {"held_by", "held by", CLI_FORM_TEXT},
    {"time", "time", CLI_FORM_TIME},
    {"method", "method", CLI_FORM_TEXT},
    {"window", "window", CLI_FORM_NUMBER},
    {"clerk", "clerk", CLI_FORM_TEXT},
    {"node", "node", CLI_FORM_TEXT},
    {"receipt", "receipt", CLI_FORM_TEXT},
    {"parts", "parts", CLI_FORM_TEXT},
    {"purpose", "purpose", CLI_FORM_TEXT},
    {"slip_no", "slip", CLI_FORM_TEXT},
    {"bank", "bank", CLI_FORM_TEXT},
    {"tendered_fen", "tendered", CLI_FORM_MONEY},
    {"change_fen", "change", CLI_FORM_MONEY},
    {"card_no", "card", CLI_FORM_TEXT},
    {"card_counter", "counter", CLI_FORM_NUMBER},
    {"payer", "payer", CLI_FORM_TEXT},
};
static const struct cli_column TICKET[] = {
    {"ticket_id", "ticket", CLI_FORM_TEXT},
    {"state", "state", CLI_FORM_TEXT},
    {"service", "service", CLI_FORM_TEXT},
    {"account", "account", CLI_FORM_TEXT},
    {"due", "due", CLI_FORM_TIME},
    {"overdue", "overdue", CLI_FORM_TEXT},
    {"department", "department", CLI_FORM_TEXT},
    {"assignee", "assignee", CLI_FORM_TEXT},
    {"urged", "urged", CLI_FORM_NUMBER},
    {"opened", "opened", CLI_FORM_TIME},
    {"safe", "safe", CLI_FORM_TEXT},
    {"held_by", "held by", CLI_FORM_TEXT},
    {"node", "node", CLI_FORM_TEXT},
    {"changed", "changed", CLI_FORM_TIME},
    {"summary", "summary", CLI_FORM_PROSE},
};
static const struct cli_column QUEUE_TICKET[] = {
    {"queue_id", "id", CLI_FORM_TEXT},     {"number", "number", CLI_FORM_TEXT},
    {"date", "date", CLI_FORM_TEXT},       {"hall", "hall", CLI_FORM_TEXT},
    {"state", "state", CLI_FORM_TEXT},     {"window", "window", CLI_FORM_NUMBER},
    {"group", "group", CLI_FORM_TEXT},     {"priority", "priority", CLI_FORM_TEXT},
    {"account", "account", CLI_FORM_TEXT}, {"service", "service", CLI_FORM_TEXT},
    {"taken", "taken", CLI_FORM_TIME},     {"called", "called", CLI_FORM_TIME},
    {"changed", "changed", CLI_FORM_TIME}, {"calls", "calls", CLI_FORM_NUMBER},
    {"clerk", "clerk", CLI_FORM_TEXT},     {"printed_by", "printed by", CLI_FORM_TEXT},
    {"safe", "safe", CLI_FORM_TEXT},       {"held_by", "held by", CLI_FORM_TEXT},
    {"node", "node", CLI_FORM_TEXT},
};
static const struct cli_column SLOT[] = {
    {"slot_id", "slot", CLI_FORM_TEXT},      {"hall", "hall", CLI_FORM_TEXT},
    {"date", "date", CLI_FORM_TEXT},         {"begins", "begins", CLI_FORM_TEXT},
    {"minutes", "minutes", CLI_FORM_NUMBER}, {"capacity", "capacity", CLI_FORM_NUMBER},
    {"booked", "booked", CLI_FORM_NUMBER},   {"free", "free", CLI_FORM_NUMBER},
    {"full", "no seat", CLI_FORM_NUMBER},    {"offered", "offered", CLI_FORM_TEXT},
    {"service", "service", CLI_FORM_TEXT},   {"safe", "safe", CLI_FORM_TEXT},
    {"held_by", "held by", CLI_FORM_TEXT},   {"time", "time", CLI_FORM_TIME},
    {"remark", "remark", CLI_FORM_PROSE},
};
static const struct cli_column APPOINTMENT[] = {
    {"appointment_id", "appointment", CLI_FORM_TEXT},
    {"state", "state", CLI_FORM_TEXT},
    {"slot_id", "slot", CLI_FORM_TEXT},
    {"date", "date", CLI_FORM_TEXT},
    {"begins", "begins", CLI_FORM_TEXT},
    {"hall", "hall", CLI_FORM_TEXT},
    {"name", "name", CLI_FORM_TEXT},
    {"phone", "phone", CLI_FORM_TEXT},
    {"account", "account", CLI_FORM_TEXT},
    {"service", "service", CLI_FORM_TEXT},
    {"clerk", "clerk", CLI_FORM_TEXT},
    {"changed", "changed", CLI_FORM_TIME},
    {"safe", "safe", CLI_FORM_TEXT},
    {"held_by", "held by", CLI_FORM_TEXT},
    {"node", "node", CLI_FORM_TEXT},
    {"time", "time", CLI_FORM_TIME},
    {"note", "note", CLI_FORM_PROSE},
};
static const struct cli_column CATALOGUE[] = {
    {"service_id", "service", CLI_FORM_TEXT},
    {"name", "name", CLI_FORM_TEXT},
    {"section", "section", CLI_FORM_TEXT},
    {"name_zh", "名称", CLI_FORM_TEXT},
    {"version", "version", CLI_FORM_NUMBER},
    {"deadline_hours", "hours", CLI_FORM_NUMBER},
    {"department", "department", CLI_FORM_TEXT},
    {"machine", "machine", CLI_FORM_TEXT},
    {"urgent", "urgent", CLI_FORM_TEXT},
    {"deadline_days", "days", CLI_FORM_NUMBER},
    {"active", "active", CLI_FORM_TEXT},
    {"fee", "fee", CLI_FORM_TEXT},
    {"safe", "safe", CLI_FORM_TEXT},
    {"held_by", "held by", CLI_FORM_TEXT},
    {"time", "time", CLI_FORM_TIME},
    {"remark", "remark", CLI_FORM_TEXT},
    {"documents", "documents", CLI_FORM_PROSE},
};
static const struct cli_column NOTICE[] = {
    {"notice_id", "notice", CLI_FORM_TEXT},  {"district", "district", CLI_FORM_TEXT},
    {"type", "type", CLI_FORM_TEXT},         {"starts", "starts", CLI_FORM_TIME},
    {"ends", "ends", CLI_FORM_TIME},         {"areas", "areas", CLI_FORM_TEXT},
    {"accounts", "accounts", CLI_FORM_TEXT}, {"safe", "safe", CLI_FORM_TEXT},
    {"held_by", "held by", CLI_FORM_TEXT},   {"time", "time", CLI_FORM_TIME},
    {"text", "text", CLI_FORM_PROSE},
};

/* ---- kinds without a choice of their own: all fields, and what the node knows ---- */

#define TITLE_BYTES 32

static struct {
    struct cli_column columns[CLI_COLUMNS_MAX];
    char titles[CLI_COLUMNS_MAX][TITLE_BYTES];
    size_t count;
} made; /* of the kind that was asked for last: a command is of one */

static enum cli_form form_of(const struct hs_field_rule *rule)
{
    switch (rule->form) {
    case HS_FORM_AMOUNT:
    case HS_FORM_SUM:
    case HS_FORM_CHANGE:
    case HS_FORM_BALANCE:
        return CLI_FORM_MONEY;
    case HS_FORM_NUMBER:
    case HS_FORM_COUNT:
    case HS_FORM_QUANTITY:
        return CLI_FORM_NUMBER;
    case HS_FORM_TIME:
        return CLI_FORM_TIME;
    default:
        return CLI_FORM_TEXT;
    }
}

/* "amount_fen" -> "amount", "of_kind" -> "of kind" */
static void put_title(const char *name, char title[static TITLE_BYTES])
{
    size_t size = strlen(name);
    bool has_unit = size > 4 && strcmp(name + size - 4, "_fen") == 0;
    bool has_ms = size > 3 && strcmp(name + size - 3, "_ms") == 0;
    snprintf(title, TITLE_BYTES, "%.*s", (int)(size - (has_unit ? 4 : 0) - (has_ms ? 3 : 0)), name);
    for (char *at = title; *at != '\0'; at++)
        *at = *at == '_' ? ' ' : *at;
}

static void add_column(const char *key, const char *title, enum cli_form form)
{
    assert(made.count < CLI_COLUMNS_MAX);
    snprintf(made.titles[made.count], TITLE_BYTES, "%s", title);
    made.columns[made.count] = (struct cli_column){key, made.titles[made.count], form};
    made.count++;
}

static void add_field(const struct hs_kind *kind, const struct hs_field_rule *rule, enum cli_form form)
{
    char title[TITLE_BYTES];
    put_title(hs_kind_field_name(kind, rule->number), title);
    add_column(hs_kind_field_name(kind, rule->number), title, form);
}

/* The longest text stands last, where it may be wrapped. */
static const struct hs_field_rule *prose_of(const struct hs_kind *kind)
{
    const struct hs_field_rule *prose = NULL;
    for (size_t i = 0; i < kind->field_count; i++) {
        const struct hs_field_rule *rule = &kind->fields[i];
        if (rule->form == HS_FORM_TEXT && rule->most >= PROSE_BYTES && (prose == NULL || rule->most > prose->most))
            prose = rule;
    }
    return prose;
}

static void make_columns(const struct hs_kind *kind)
{
    const struct hs_field_rule *prose = prose_of(kind);
    size_t room = CLI_COLUMNS_MAX - 5;
    for (size_t i = 0; i < kind->field_count && made.count < room; i++) {
        if (&kind->fields[i] != prose)
            add_field(kind, &kind->fields[i], form_of(&kind->fields[i]));
    }
    add_column("safe", "safe", CLI_FORM_TEXT);
    add_column("held_by", "held by", CLI_FORM_TEXT);
    add_column("node", "node", CLI_FORM_TEXT);
    add_column("time", "time", CLI_FORM_TIME);
    if (prose != NULL)
        add_field(kind, prose, CLI_FORM_PROSE);
}

size_t cli_kind_columns(uint32_t kind, const struct cli_column **columns)
{
    static const struct {
        uint32_t kind;
        const struct cli_column *columns;
        size_t count;
    } ROWS[] = {
        {HS_KIND_CUSTOMER, CUSTOMER, sizeof CUSTOMER / sizeof *CUSTOMER},
        {HS_KIND_BILL, BILL, sizeof BILL / sizeof *BILL},
        {HS_KIND_PAYMENT, PAYMENT, sizeof PAYMENT / sizeof *PAYMENT},
        {HS_KIND_TICKET, TICKET, sizeof TICKET / sizeof *TICKET},
        {HS_KIND_QUEUE_TICKET, QUEUE_TICKET, sizeof QUEUE_TICKET / sizeof *QUEUE_TICKET},
        {HS_KIND_SLOT, SLOT, sizeof SLOT / sizeof *SLOT},
        {HS_KIND_APPOINTMENT, APPOINTMENT, sizeof APPOINTMENT / sizeof *APPOINTMENT},
        {HS_KIND_CATALOGUE, CATALOGUE, sizeof CATALOGUE / sizeof *CATALOGUE},
        {HS_KIND_NOTICE, NOTICE, sizeof NOTICE / sizeof *NOTICE},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (ROWS[i].kind == kind) {
            *columns = ROWS[i].columns;
            return ROWS[i].count;
        }
    }
    const struct hs_kind *known = hs_kind_by_number(kind);
    made.count = 0;
    if (known != NULL)
        make_columns(known);
    *columns = made.columns;
    return made.count;
}
