/* receipt show: all that the slip of a cash entry says, put together from ordinary look-ups, for the program that
 * prints it.  Each line has its words in both languages. */
#include "node/cli/forms.h"
#include "node/cli/pages.h"
#include "node/json/json.h"
#include "node/cli/table.h"
#include "storage/model/kinds.h"

#include <stdio.h>
#include <string.h>

/* Words of a line; people see both. */
static const struct {
    const char *key, *zh, *en, *title;
    enum cli_form form;
} LINES[] = {
    {"number", "凭证号", "receipt", "凭证号 receipt", CLI_FORM_TEXT},
    {"kind", "类型", "type", "类型 type", CLI_FORM_TEXT},
    {"account", "户号", "account", "户号 account", CLI_FORM_TEXT},
    {"name", "户名", "customer", "户名 customer", CLI_FORM_TEXT},
    {"address", "用电地址", "address", "用电地址 address", CLI_FORM_TEXT},
    {"payer", "交费人", "payer", "交费人 payer", CLI_FORM_TEXT},
    {"payee", "领款人", "payee", "领款人 payee", CLI_FORM_TEXT},
    {"form_no", "申请单号", "form", "申请单号 form", CLI_FORM_TEXT},
    {"purpose", "用途", "purpose", "用途 purpose", CLI_FORM_TEXT},
    {"bill_id", "账单", "bill", "账单 bill", CLI_FORM_TEXT},
    {"parts", "分摊", "bills", "分摊 bills", CLI_FORM_TEXT},
    {"card_no", "购电卡", "card", "购电卡 card", CLI_FORM_TEXT},
    {"card_counter", "购电次数", "counter", "购电次数 counter", CLI_FORM_NUMBER},
    {"amount_fen", "金额", "amount", "金额 amount", CLI_FORM_MONEY},
    {"method", "方式", "method", "方式 method", CLI_FORM_TEXT},
    {"slip_no", "票据号", "slip", "票据号 slip", CLI_FORM_TEXT},
    {"bank", "开户银行", "bank", "开户银行 bank", CLI_FORM_TEXT},
    {"tendered_fen", "收款", "tendered", "收款 tendered", CLI_FORM_MONEY},
    {"change_fen", "找零", "change", "找零 change", CLI_FORM_MONEY},
    {"payment", "原交费", "payment", "原交费 payment", CLI_FORM_TEXT},
    {"reason", "原因", "reason", "原因 reason", CLI_FORM_TEXT},
    {"time", "时间", "time", "时间 time", CLI_FORM_TIME},
    {"window", "窗口", "window", "窗口 window", CLI_FORM_NUMBER},
    {"clerk", "营业员", "clerk", "营业员 clerk", CLI_FORM_TEXT},
    {"second", "复核人", "second", "复核人 second", CLI_FORM_TEXT},
    {"reprints", "补打次数", "printed again", "补打次数 printed again", CLI_FORM_NUMBER},
    {"replaced", "换发次数", "replaced", "换发次数 replaced", CLI_FORM_NUMBER},
};
#define LINE_COUNT (sizeof LINES / sizeof *LINES)
_Static_assert(LINE_COUNT <= CLI_COLUMNS_MAX, "a card has room for them");

static enum hs_err get(struct cli *cli, uint32_t kind, const char *id, json_t **object)
{
    const Hallsync__Record *record;
    enum hs_err err = cli_get(cli, kind, id, &record);
    if (err != HS_OK)
        return err;
    *object = hs_json_record(record, cli->utc_offset_minutes);
    return *object != NULL ? HS_OK : HS_ENOMEM;
}

/* Those of the fields that a receipt shows. */
static void take(json_t *receipt, const json_t *from)
{
    for (size_t i = 0; i < LINE_COUNT; i++) {
        json_t *value = json_object_get(from, LINES[i].key);
        if (value != NULL && json_object_get(receipt, LINES[i].key) == NULL)
            json_object_set(receipt, LINES[i].key, value);
    }
}

/* A customer who is not known here has a receipt all the same. */
static enum hs_err take_customer(struct cli *cli, json_t *receipt)
{
    const char *account = json_string_value(json_object_get(receipt, "account"));
    json_t *customer = NULL;
    if (account == NULL)
        return HS_OK;
    enum hs_err err = get(cli, HS_KIND_CUSTOMER, account, &customer);
    if (err == HS_OK) {
        json_object_set(receipt, "name", json_object_get(customer, "name"));
        if (json_object_get(customer, "address") != NULL)
            json_object_set(receipt, "address", json_object_get(customer, "address"));
    }
    json_decref(customer);
    return err == HS_ENOTFOUND || err == HS_ENOLINK ? HS_OK : err;
}

static const char *kind_text(json_int_t kind)
{
    if (kind == HS_KIND_PAYMENT)
        return "payment";
    return kind == HS_KIND_SETTLEMENT ? "refund" : "reversal";
}

/* The payment, reversal or refund that the entry records; of a reversal what its payment says besides. */
static enum hs_err take_fact(struct cli *cli, const json_t *entry, json_t *receipt)
{
    const char *id = json_string_value(json_object_get(entry, "fact_id"));
    json_int_t kind = json_integer_value(json_object_get(entry, "fact_kind"));
    bool is_payment = kind == HS_KIND_PAYMENT;
    json_t *fact = NULL;
    json_t *payment = NULL;
    json_object_set_new(receipt, "kind", json_string(kind_text(kind)));
    if (id == NULL || kind <= 0 || kind > UINT16_MAX)
        return HS_EDAMAGED;
    enum hs_err err = get(cli, (uint32_t)kind, id, &fact);
    const char *paid = json_string_value(json_object_get(fact, "payment_id"));
    if (err == HS_OK && kind == HS_KIND_REVERSAL && paid != NULL) {
        json_object_set(receipt, "payment", json_object_get(fact, "payment_id"));
        err = get(cli, HS_KIND_PAYMENT, paid, &payment);
    }
    if (err == HS_OK)
        take(receipt, fact);
    if (err == HS_OK && payment != NULL)
        take(receipt, payment);
    if (err == HS_OK && is_payment)
        json_object_set(receipt, "reversed", json_object_get(fact, "reversed"));
    json_decref(fact);
    json_decref(payment);
    return err;
}

static enum hs_err count_replaced(void *ctx, const Hallsync__Record *record)
{
    json_t *reprint = hs_json_content(record);
    const char *replaced = json_string_value(json_object_get(reprint, "replaced"));
    *(json_int_t *)ctx += replaced != NULL && strcmp(replaced, "yes") == 0;
    json_decref(reprint);
    return reprint != NULL ? HS_OK : HS_ENOMEM;
}

/* How many of the further prints were given for one that was handed back. */
static enum hs_err take_replaced(struct cli *cli, json_t *receipt)
{
    json_int_t count = 0;
    struct cli_find find = {.kind = HS_KIND_REPRINT,
                            .index = "number",
                            .key = json_string_value(json_object_get(receipt, "number")),
                            .here = cli->options[CLI_HERE] != NULL};
    if (json_integer_value(json_object_get(receipt, "reprints")) == 0)
        return HS_OK;
    enum hs_err err = cli_find(cli, &find, count_replaced, &count);
    if (err == HS_OK && count > 0)
        json_object_set_new(receipt, "replaced", json_integer(count));
    return err;
}

static json_t *value_text(const json_t *value, enum cli_form form)
{
    char money[CLI_MONEY_BYTES];
    char number[32];
    if (json_is_integer(value) && form == CLI_FORM_MONEY)
        return json_string(cli_money_text(json_integer_value(value), money));
    if (!json_is_integer(value))
        return json_deep_copy(value);
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return json_string(number);
}

static void add_lines(json_t *receipt)
{
    json_t *lines = json_array();
    for (size_t i = 0; i < LINE_COUNT; i++) {
        const json_t *value = json_object_get(receipt, LINES[i].key);
        if (value == NULL)
            continue;
        json_t *line = json_object();
        json_object_set_new(line, "zh", json_string(LINES[i].zh));
        json_object_set_new(line, "en", json_string(LINES[i].en));
        json_object_set_new(line, "value", value_text(value, LINES[i].form));
        json_array_append_new(lines, line);
    }
    json_object_set_new(receipt, "lines", lines);
}

static enum hs_err show(const struct cli *cli, json_t *receipt)
{
    struct cli_column columns[LINE_COUNT];
    for (size_t i = 0; i < LINE_COUNT; i++)
        columns[i] = (struct cli_column){LINES[i].key, LINES[i].title, LINES[i].form};
    if (cli->json)
        add_lines(receipt);
    return cli_card(cli, columns, LINE_COUNT, receipt);
}

static enum hs_err take_entry(struct cli *cli, json_t *entry, json_t *receipt)
{
    static const char *const OWN[] = {"number", "amount_fen", "time", "safe"};
    json_t *reprints = json_object_get(entry, "reprints");
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++)
        json_object_set(receipt, OWN[i], json_object_get(entry, OWN[i]));
    json_object_set_new(receipt, "reprints", reprints != NULL ? json_incref(reprints) : json_integer(0));
    return take_fact(cli, entry, receipt);
}

enum hs_err cli_run_receipt(struct cli *cli)
{
    json_t *entry = NULL;
    json_t *receipt = json_object();
    enum hs_err err = cli_take_args(cli, 1, 1);
    if (err == HS_OK && receipt == NULL)
        err = HS_ENOMEM;
    if (err == HS_OK)
        err = get(cli, HS_KIND_CASH_ENTRY, cli->args[0], &entry);
    if (err == HS_OK)
        err = take_entry(cli, entry, receipt);
    if (err == HS_OK)
        err = take_customer(cli, receipt);
    if (err == HS_OK)
        err = take_replaced(cli, receipt);
    if (err == HS_OK)
        err = show(cli, json_incref(receipt));
    json_decref(entry);
    json_decref(receipt);
    return err;
}
