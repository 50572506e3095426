/* choices.h -- values of fields that have a choice of them, one row each, and what they mean; of kinds.c alone.
 */
#ifndef HS_MODEL_CHOICES_H
#define HS_MODEL_CHOICES_H

#include "storage/model/kinds.h"

/* clang-format off */

static const struct hs_choice YES_NO[] = {
    {"yes", "yes", "是"},
    {"no", "no", "否"},
    {0}};

/* ---- customers and bills ---- */

static const struct hs_choice SUPPLY[] = {
    {"on", "has power", "正常供电"},
    {"off", "cut off, for arrears", "欠费停电"},
    {"closed", "account closed", "销户"},
    {0}};
static const struct hs_choice BILLING[] = {
    {"postpaid", "pays behind the bill", "后付费"},
    {"prepaid", "pays before use", "预付费"},
    {0}};
static const struct hs_choice BILL_STATES[] = {
    {"open", "asks for its amount", "正常"},
    {"cancelled", "asks for nothing", "作废"},
    {"corrected", "has other values now, or another bill has taken its place", "更正"},
    {0}};
static const struct hs_choice CHANNELS[] = {
    {"sms", "text message", "短信"},
    {"phone", "call", "电话"},
    {"letter", "letter", "信函"},
    {0}};
static const struct hs_choice TOLD[] = {
    {"told", "was told", "已告知"},
    {"absent", "nobody was reached: again tomorrow", "未联系上"},
    {"wrong_number", "the number is another's", "号码有误"},
    {0}};

/* ---- money ---- */

static const struct hs_choice METHODS[] = {
    {"cash", "cash", "现金"},
    {"cheque", "cheque", "支票"},
    {"card", "bank card", "刷卡"},
    {"transfer", "transfer", "转账"},
    {"bank_slip", "slip of a bank that took the money", "银行进账单"},
    {0}};
static const struct hs_choice PURPOSES[] = {
    {"bill", "bills", "电费"},
    {"topup", "top-up of a prepaid card", "购电"},
    {"advance", "paid ahead", "预收电费"},
    {"fee", "fee of a service", "业务费"},
    {0}};
static const struct hs_choice SETTLEMENTS[] = {
    {"refund", "money given back", "退费"},
    {"credit", "counted elsewhere", "转抵"},
    {0}};
static const struct hs_choice REVERSAL_TYPES[] = {
    {"mistake", "taken by mistake", "收费差错"},
    {"bounced", "cheque or slip was not honoured", "退票"},
    {"refused", "the bank has refused it", "银行拒付"},
    {0}};
static const struct hs_choice INVOICE_STATES[] = {
    {"asked", "asked for", "已申请"},
    {"issued", "issued", "已开具"},
    {"refused", "will not be issued", "不予开具"},
    {0}};
static const struct hs_choice WINDOW_MOVES[] = {
    {"open", "opened", "开窗"},
    {"close", "cash counted, and closed", "结账"},
    {"pause", "paused", "暂停"},
    {"resume", "goes on", "恢复"},
    {0}};
static const struct hs_choice BOOKS[] = {
    {"agrees", "the same", "相符"},
    {"waiting", "numbers have not come yet", "凭证号未到齐"},
    {"differs", "numbers are there with other contents", "不符"},
    {0}};
static const struct hs_choice VERDICTS[] = {
    {"release", "it counts", "放行"},
    {"reject", "it does not, for good", "驳回"},
    {0}};

/* ---- tickets ---- */

static const struct hs_choice URGENCY[] = {
    {"normal", "in its turn", "普通"},
    {"urgent", "before others; the deadline runs day and night", "紧急"},
    {0}};
static const struct hs_choice MACHINES[] = {
    {"general", "through all steps", "一般流程"},
    {"quick", "done at once, at the counter", "即办"},
    {"complaint", "answered, and the customer called back", "投诉举报"},
    {"field", "somebody is sent to the place", "现场办理"},
    {0}};
static const struct hs_choice EVENTS[] = {
    {"move", "goes to another state", "流转"},
    {"note", "a note", "备注"},
    {"urge", "the customer urges", "催办"},
    {"tick", "documents have come in", "补齐资料"},
    {"pass", "passed on to a department", "转办"},
    {"link", "passed on to another district", "跨区转办"},
    {"result", "what a linked ticket came to", "关联工单办结"},
    {"attach", "attachments", "添加附件"},
    {"escalate", "shown to a superior", "上报督办"},
    {"rate", "the customer was asked what he thinks", "评价"},
    {"consent", "may the customer be called back", "回访意愿"},
    {"reopen", "comes back from the archive", "重新办理"},
    {0}};
static const struct hs_choice NOTICES[] = {
    {"fault", "outage by a fault", "故障停电"},
    {"planned", "planned work", "计划停电"},
    {"arrears", "outage for arrears", "欠费停电"},
    {"info", "anything else", "其他通知"},
    {0}};

/* ---- the queue, appointments, ratings ---- */

static const struct hs_choice PRIORITIES[] = {
    {"elderly", "elderly", "老年人"},
    {"disabled", "disabled", "残疾人"},
    {"pregnant", "pregnant, or with a small child", "孕妇及携婴者"},
    {"soldier", "serving or former soldier", "军人"},
    {"appointment", "has an appointment", "预约客户"},
    {0}};
static const struct hs_choice QUEUE_EVENTS[] = {
    {"called", "called to a window", "叫号"},
    {"recalled", "called once more", "重呼"},
    {"serving", "has come, is served", "开始办理"},
    {"served", "done", "办结"},
    {"skipped", "did not come", "过号"},
    {"transferred", "waits again, for another window or group", "转移"},
    {"left", "has gone", "弃号"},
    {0}};
static const struct hs_choice BOOKING_EVENTS[] = {
    {"cancelled", "will not come", "取消"},
    {"kept", "has come", "赴约"},
    {"missed", "has not come", "失约"},
    {0}};
static const struct hs_choice RATED[] = {
    {"payment", "payment", "交费"},
    {"ticket", "ticket", "工单"},
    {"queue_ticket", "service at a window, by its queue ticket", "窗口服务（排队号）"},
    {"appointment", "appointment", "预约"},
    {0}};

/* ---- the audit trail ---- */

static const struct hs_choice WAYS[] = {
    {"console", "a user of the console", "控制台"},
    {"command_line", "a user of the command line", "命令行"},
    {"program", "another program", "其他程序"},
    {0}};
static const struct hs_choice DEEDS[] = {
    {"resolve", "values that two had written were decided between", "裁决字段冲突"},
    {"release", "a record that breaks a rule was made to count", "放行违规记录"},
    {"reject", "a record that breaks a rule was turned down", "驳回违规记录"},
    {"grant", "a district's refunds were given to a node", "退费授权"},
    {"publish", "a service, a notice or a day of the calendar was changed", "变更业务目录、公告或工作日历"},
    {"enroll", "a node was let in", "登记节点"},
    {"rebuild", "a node may be made anew, with other keys", "重建节点"},
    {"scope", "a node's districts were changed", "变更节点供电区"},
    {"revoke", "a node's key was revoked", "吊销节点密钥"},
    {"admit", "what a revoked key had signed was made to count", "放行被吊销密钥的记录"},
    {"user_add", "a user of the console was added", "新增控制台用户"},
    {"user_role", "a user of the console got another role", "变更用户角色"},
    {"user_password", "a user of the console got another password", "重设用户密码"},
    {"user_remove", "a user of the console was removed", "删除控制台用户"},
    {0}};

/* clang-format on */

#endif
