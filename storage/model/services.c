/* The 44 services of the default catalogue: what a hub loads to begin with, and what a node goes by that holds no
 * catalogue record of a service.  Codes are frozen, and so are the machines of those marked: tickets of older versions
 * name no machine and go by them. */
#include "storage/model/ticket.h"

#include "proto/msg/tlv.h"
#include "storage/model/worktime.h"

#include <string.h>

#define GENERAL   &HS_MACHINE_GENERAL
#define QUICK     &HS_MACHINE_QUICK
#define COMPLAINT &HS_MACHINE_COMPLAINT
#define ON_SITE   &HS_MACHINE_FIELD

/* Documents: a '?' behind a name: only in some cases.  Results: what it cannot be resolved without. */
#define CARD    "identity card 身份证"
#define TITLE   "proof of title 房产证明"
#define LICENCE "business licence 营业执照"
#define AGENT   "agent's authority 授权委托书?"

/* clang-format off */
/* code, section, name, 名称, department, hours, machine, urgent, documents, results */
const struct hs_ticket_service HS_SERVICES[] = {
    /* machines frozen */
    {"outage-report", "repair", "Outage report", "停电报修", "repair", 2, GENERAL, true, "", ""},
    {"reconnection", "repair", "Reconnection after arrears", "欠费复电", "repair", 24, QUICK, true, "", ""},
    {"new-connection", "business", "New connection", "新装用电", "marketing", 40, GENERAL, false,
     CARD ";" TITLE ";" AGENT, ""},
    {"capacity-change", "business", "Change of capacity", "增容减容", "marketing", 80, GENERAL, false,
     CARD ";" TITLE ";" AGENT, ""},
    {"name-change", "business", "Change of title holder", "更名过户", "marketing", 40, GENERAL, false,
     CARD ";" TITLE ";former holder's identity card 原户主身份证?;" AGENT, ""},
    {"tariff-change", "business", "Change of tariff", "改类", "marketing", 40, GENERAL, false,
     CARD ";" TITLE, ""},
    {"meter-check", "metering", "Meter check", "电能表校验", "metering", 40, GENERAL, false,
     CARD, "error in percent 误差;verdict 结论"},
    {"missing-documents", "business", "Documents to be handed in later", "缺件补交", "hall", 24, GENERAL, false,
     "", ""},
    {"complaint", "complaints", "Complaint", "投诉", "quality", 56, COMPLAINT, false, "", ""},
    {"report", "complaints", "Report of a breach", "举报", "quality", 80, COMPLAINT, false, "", ""},
    {"suggestion", "complaints", "Suggestion", "意见建议", "quality", 80, COMPLAINT, false, "", ""},
    {"bill-query", "query", "Question about a bill", "电费查询", "hall", 8, QUICK, false, "", ""},
    {"consultation", "query", "Consultation", "业务咨询", "hall", 8, QUICK, false, "", ""},
    /* business */
    {"new-connection-business", "business", "New connection of a business, low voltage", "低压非居民新装", "marketing", 56,
     GENERAL, false, CARD ";" TITLE ";" LICENCE ";" AGENT, ""},
    {"new-connection-high", "business", "New connection, high voltage", "高压新装", "marketing", 120, GENERAL, false,
     CARD ";" TITLE ";" LICENCE ";list of equipment 用电设备清单;project approval 项目批复?", ""},
    {"capacity-suspension", "business", "Suspension of capacity", "暂停用电", "marketing", 40, GENERAL, false,
     CARD ";" LICENCE "?", ""},
    {"capacity-resumption", "business", "Resumption of capacity", "暂停恢复", "marketing", 40, ON_SITE, false,
     CARD, ""},
    {"temporary-supply", "business", "Temporary supply", "临时用电", "marketing", 40, ON_SITE, false,
     CARD ";land or building permit 用地或施工许可;" AGENT, ""},
    {"account-split", "business", "Splitting an account", "分户", "marketing", 40, GENERAL, false,
     CARD ";" TITLE, ""},
    {"account-merge", "business", "Merging accounts", "并户", "marketing", 40, GENERAL, false,
     CARD ";" TITLE, ""},
    {"relocation", "business", "Relocation of the supply", "迁址", "marketing", 56, GENERAL, false,
     CARD ";" TITLE, ""},
    {"account-closure", "business", "Closing an account", "销户", "marketing", 40, ON_SITE, false,
     CARD ";" AGENT, "final reading 止码"},
    {"time-of-use", "business", "Time-of-use tariff", "峰谷分时电价", "marketing", 24, GENERAL, false, CARD, ""},
    {"supply-contract", "business", "Supply contract", "供用电合同签订变更", "marketing", 40, GENERAL, false,
     CARD ";" LICENCE "?", ""},
    {"generation", "business", "Connection of distributed generation", "分布式电源并网", "marketing", 120, ON_SITE, false,
     CARD ";" TITLE ";description of the plant 发电项目说明", ""},
    {"charging-pile", "business", "Supply of a charging pile", "充电桩报装", "marketing", 40, ON_SITE, false,
     CARD ";proof of parking space 车位证明;consent of the estate 物业同意书", ""},
    {"customer-data", "business", "Change of contact data", "客户信息变更", "hall", 8, QUICK, false, CARD, ""},
    {"home-visit", "business", "Business at the customer's home", "上门服务", "hall", 24, ON_SITE, false, "", ""},
    /* metering */
    {"meter-fault", "metering", "Meter out of order", "电表故障", "metering", 16, ON_SITE, false, "", "finding 故障原因"},
    {"meter-exchange", "metering", "Exchange of a meter", "换表", "metering", 40, ON_SITE, false,
     CARD, "old reading 旧表止码;new meter 新表号"},
    {"meter-moving", "metering", "Moving a meter", "移表", "metering", 40, ON_SITE, false, CARD, ""},
    {"reading-check", "metering", "Check of a reading", "抄表核实", "metering", 24, ON_SITE, false, "", "reading 抄见示数"},
    /* payments */
    {"bill-dispute", "payments", "Objection to a bill", "电费异议", "accounts", 40, GENERAL, false,
     "bill 电费账单?", ""},
    {"refund", "payments", "Refund", "电费退费", "accounts", 40, GENERAL, false,
     CARD ";receipt 收费凭证;bank account 银行账户", ""},
    {"invoice", "payments", "Invoice issued later", "发票补开", "accounts", 8, QUICK, false, "receipt 收费凭证", ""},
    {"invoice-details", "payments", "Details for value-added tax", "增值税信息变更", "accounts", 16, QUICK, false,
     LICENCE, ""},
    {"direct-debit", "payments", "Payment by direct debit", "代扣签约", "accounts", 24, QUICK, false,
     CARD ";bank account 银行账户", ""},
    {"late-fee-relief", "payments", "Relief of late fees", "违约金减免", "accounts", 40, GENERAL, false,
     CARD ";reason in writing 书面说明", ""},
    {"prepaid-card", "payments", "Prepaid card, new or replaced", "购电卡办理补换", "hall", 8, QUICK, false, CARD, ""},
    {"reminder-subscription", "payments", "Reminder before a bill is late", "交费提醒订阅", "hall", 8, QUICK, false,
     "", ""},
    /* repair and query */
    {"voltage-quality", "repair", "Voltage too low or unsteady", "电压质量", "repair", 40, ON_SITE, false,
     "", "voltage 电压值"},
    {"hazard", "repair", "Danger at lines or equipment", "设备安全隐患", "repair", 4, ON_SITE, true, "", ""},
    {"outage-query", "query", "Question about an outage", "停电咨询", "hall", 8, QUICK, false, "", ""},
    {"opinion-book", "complaints", "Entry in the opinion book", "意见簿留言", "quality", 56, COMPLAINT, false,
     "", ""},
};
/* clang-format on */
const size_t HS_SERVICE_COUNT = sizeof HS_SERVICES / sizeof *HS_SERVICES;

const struct hs_ticket_service *hs_service_by_code(const char *code, size_t size)
{
    for (size_t i = 0; i < HS_SERVICE_COUNT; i++) {
        if (strlen(HS_SERVICES[i].code) == size && memcmp(HS_SERVICES[i].code, code, size) == 0)
            return &HS_SERVICES[i];
    }
    return NULL;
}

bool hs_service_code_valid(const char *code, size_t size)
{
    if (size == 0 || size > HS_SERVICE_CODE_BYTES_MAX || code[0] < 'a' || code[0] > 'z')
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = code[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

/* ---- as a record of the catalogue ---- */

enum {
    ID = 1,
    NAME,
    SECTION,
    DAYS,
    ACTIVE = 7,
    VERSION = 9,
    NAME_ZH,
    DEPARTMENT,
    HOURS,
    MACHINE,
    URGENT,
    DOCUMENTS,
    RESULTS
};
enum { LINE_NAME = 1, LINE_NEEDED = 2 };

/* A line for each name of the list. */
static void put_names(struct hs_buf *to, uint32_t field, const char *names)
{
    while (*names != '\0') {
        struct hs_buf line = {0};
        size_t size = strcspn(names, ";");
        bool only_some = names[size - 1] == '?';
        hs_tlv_put_bytes(&line, LINE_NAME, HS_BYTES(names, size - only_some));
        if (only_some)
            hs_tlv_put_text(&line, LINE_NEEDED, "no");
        hs_tlv_put_bytes(to, field, hs_buf_bytes(&line));
        to->err = to->err == HS_OK ? line.err : to->err;
        hs_buf_fini(&line);
        names += size + (names[size] == ';');
    }
}

void hs_service_put(const struct hs_ticket_service *service, struct hs_buf *to)
{
    hs_tlv_put_text(to, ID, service->code);
    hs_tlv_put_text(to, NAME, service->name_en);
    hs_tlv_put_text(to, SECTION, service->section);
    if (!service->urgent)
        hs_tlv_put_u64(to, DAYS, service->deadline_hours / HS_WORKDAY_HOURS);
    hs_tlv_put_text(to, ACTIVE, "yes");
    hs_tlv_put_u64(to, VERSION, HS_SERVICES_VERSION);
    hs_tlv_put_text(to, NAME_ZH, service->name_zh);
    hs_tlv_put_text(to, DEPARTMENT, service->department);
    hs_tlv_put_u64(to, HOURS, service->deadline_hours);
    hs_tlv_put_text(to, MACHINE, hs_machine_name(service->machine));
    hs_tlv_put_text(to, URGENT, service->urgent ? "yes" : "no");
    put_names(to, DOCUMENTS, service->documents);
    put_names(to, RESULTS, service->results);
}
