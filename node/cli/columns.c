/* What people see of each kind of record. */
#include "node/cli/table.h"

#include "storage/model/kinds.h"

static const struct cli_column CUSTOMER[] = {
    {"account", "account", CLI_FORM_TEXT},
    {"name", "name", CLI_FORM_TEXT},
    {"phone", "phone", CLI_FORM_TEXT},
    {"address", "address", CLI_FORM_TEXT},
    {"identity_no", "identity", CLI_FORM_TEXT},
    {"card_no", "card", CLI_FORM_TEXT},
    {"tariff", "tariff", CLI_FORM_TEXT},
    {"supply_status", "supply", CLI_FORM_TEXT},
    {"remark", "remark", CLI_FORM_TEXT},
    {"safe", "safe", CLI_FORM_TEXT},
    {"held_by", "held by", CLI_FORM_TEXT},
    {"node", "node", CLI_FORM_TEXT},
    {"time", "time", CLI_FORM_TIME},
};
static const struct cli_column BILL[] = {
    {"bill_id", "bill", CLI_FORM_TEXT},      {"account", "account", CLI_FORM_TEXT},
    {"period", "period", CLI_FORM_TEXT},     {"amount_fen", "amount", CLI_FORM_MONEY},
    {"paid_fen", "paid", CLI_FORM_MONEY},    {"due_fen", "due", CLI_FORM_MONEY},
    {"due_date", "due date", CLI_FORM_TEXT}, {"state", "state", CLI_FORM_TEXT},
    {"safe", "safe", CLI_FORM_TEXT},         {"held_by", "held by", CLI_FORM_TEXT},
    {"node", "node", CLI_FORM_TEXT},         {"time", "time", CLI_FORM_TIME},
};
static const struct cli_column PAYMENT[] = {
    {"payment_id", "payment", CLI_FORM_TEXT}, {"account", "account", CLI_FORM_TEXT},
    {"amount_fen", "amount", CLI_FORM_MONEY}, {"bill_id", "bill", CLI_FORM_TEXT},
    {"reversed", "reversed", CLI_FORM_TEXT},  {"safe", "safe", CLI_FORM_TEXT},
    {"held_by", "held by", CLI_FORM_TEXT},    {"time", "time", CLI_FORM_TIME},
    {"method", "method", CLI_FORM_TEXT},      {"window", "window", CLI_FORM_NUMBER},
    {"clerk", "clerk", CLI_FORM_TEXT},        {"node", "node", CLI_FORM_TEXT},
    {"receipt", "receipt", CLI_FORM_TEXT},
};
static const struct cli_column TICKET[] = {
    {"ticket_id", "ticket", CLI_FORM_TEXT},  {"state", "state", CLI_FORM_TEXT},
    {"service", "service", CLI_FORM_TEXT},   {"account", "account", CLI_FORM_TEXT},
    {"assignee", "assignee", CLI_FORM_TEXT}, {"opened", "opened", CLI_FORM_TIME},
    {"safe", "safe", CLI_FORM_TEXT},         {"held_by", "held by", CLI_FORM_TEXT},
    {"node", "node", CLI_FORM_TEXT},         {"changed", "changed", CLI_FORM_TIME},
    {"summary", "summary", CLI_FORM_PROSE},
};
static const struct cli_column CATALOGUE[] = {
    {"service_id", "service", CLI_FORM_TEXT},
    {"name", "name", CLI_FORM_TEXT},
    {"section", "section", CLI_FORM_TEXT},
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
        {HS_KIND_CATALOGUE, CATALOGUE, sizeof CATALOGUE / sizeof *CATALOGUE},
        {HS_KIND_NOTICE, NOTICE, sizeof NOTICE / sizeof *NOTICE},
    };
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        if (ROWS[i].kind == kind) {
            *columns = ROWS[i].columns;
            return ROWS[i].count;
        }
    }
    *columns = NULL;
    return 0;
}
