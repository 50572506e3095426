/* The table of kinds.  Numbers are frozen. */
#include "storage/model/kinds.h"

#include "proto/records.pb-c.h"
#include "storage/model/appointment.h"
#include "storage/model/choices.h"
#include "storage/model/queue.h"
#include "storage/model/refusals.h"
#include "storage/model/worktime.h"

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

#define FIELD(number, form, policy, required, most, choices, unit, en, zh)                         \
    {                                                                                              \
        number, HS_FORM_##form, HS_POLICY_##policy, required, most, choices, NULL, 0, unit, en, zh \
    }
/* Sub-messages, at most @most; @line: the fields of each. */
#define LINES(number, policy, required, most, line, en, zh)                                                 \
    {                                                                                                       \
        number, HS_FORM_LINES, HS_POLICY_##policy, required, most, NULL, line, COUNT_OF(line), NULL, en, zh \
    }

#define FIELDS(array)  .fields = (array), .field_count = COUNT_OF(array)
#define INDEXES(array) .indexes = (array), .index_count = COUNT_OF(array)
#define ERRORS(array)  .errors = (array), .error_count = COUNT_OF(array)

#define ID_BYTES HS_RECORD_ID_BYTES_MAX

/* ---- fields: number, form, policy, required, most, choices, unit, meaning in English and Chinese ---- */
/* clang-format off */

static const struct hs_field_rule CONTACTS[] = {
    FIELD(1, TEXT, FIXED, true, 128, NULL, NULL, "name", "姓名"),
    FIELD(2, TEXT, FIXED, false, 64, NULL, NULL, "telephone", "电话"),
    FIELD(3, TEXT, FIXED, false, 64, NULL, NULL, "what he is: electrician, tenant...", "身份（电工、租户等）"),
};

static const struct hs_field_rule AUTHORISED[] = {
    FIELD(1, TEXT, FIXED, true, 128, NULL, NULL, "name", "姓名"),
    FIELD(2, TEXT, FIXED, false, 64, NULL, NULL, "number of the identity card", "身份证号"),
    FIELD(3, DATE, FIXED, false, 0, NULL, NULL, "last day of it", "授权截止日"),
};

static const struct hs_field_rule CUSTOMER_FIELDS[] = {
    FIELD(1, ACCOUNT, FIXED, true, 0, NULL, NULL, "account number", "户号"),
    FIELD(2, TEXT, REVIEW, true, 128, NULL, NULL, "title holder", "户名"),
    FIELD(3, TEXT, REVIEW, false, 64, NULL, NULL, "telephone", "联系电话"),
    FIELD(4, TEXT, REVIEW, false, 512, NULL, NULL, "address of the supply", "用电地址"),
    FIELD(5, TEXT, REVIEW, false, 64, NULL, NULL, "number of the identity card", "身份证号"),
    FIELD(6, TEXT, REVIEW, false, 64, NULL, NULL, "number of the electricity card", "电卡号"),
    FIELD(7, TEXT, REVIEW, false, 64, NULL, NULL, "tariff", "电价类别"),
    FIELD(8, CHOICE, REVIEW, false, 0, SUPPLY, NULL, "state of the supply", "供电状态"),
    FIELD(9, TEXT, MERGE, false, 2048, NULL, NULL, "remark", "备注"),
    FIELD(10, TEXT, REVIEW, false, 64, NULL, NULL, "number of the meter", "电能表编号"),
    FIELD(11, CHOICE, REVIEW, false, 0, BILLING, NULL, "when he pays", "付费方式"),
    LINES(12, REVIEW, false, 16, CONTACTS, "whom to speak to", "联系人"),
    LINES(13, REVIEW, false, 16, AUTHORISED, "who may act for the title holder", "授权经办人"),
    FIELD(14, TEXT, REVIEW, false, 64, NULL, NULL, "bank account that bills are drawn from", "代扣银行账号"),
    FIELD(15, DATE, REVIEW, false, 0, NULL, NULL, "since when the name is the title holder's", "过户日期"),
    FIELD(16, TEXT, MERGE, false, 128, NULL, NULL, "e-mail", "电子邮箱"),
};

static const struct hs_field_rule BILL_LINES[] = {
    FIELD(1, TEXT, FIXED, true, 128, NULL, NULL, "what it is for", "计费项目"),
    FIELD(2, QUANTITY, FIXED, false, 0, NULL, "1/1000", "quantity, in thousandths of the unit", "计费数量（千分之一单位）"),
    FIELD(3, TEXT, FIXED, false, 16, NULL, NULL, "unit of the quantity", "计量单位"),
    FIELD(4, BALANCE, FIXED, true, 0, NULL, "fen", "amount; below zero: taken off", "金额（负数为减免）"),
};

static const struct hs_field_rule LATE_FEES[] = {
    FIELD(1, DATE, FIXED, true, 0, NULL, NULL, "day from which on it is asked for", "起计日期"),
    FIELD(2, AMOUNT, FIXED, true, 0, NULL, "fen", "how much more from that day on", "违约金增加额"),
};

static const struct hs_field_rule BILL_FIELDS[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "number of the bill", "账单号"),
    FIELD(2, ACCOUNT, FIXED, true, 0, NULL, NULL, "account number", "户号"),
    FIELD(3, PERIOD, REVIEW, false, 0, NULL, NULL, "month that it is for", "电费年月"),
    FIELD(4, AMOUNT, REVIEW, true, 0, NULL, "fen", "amount", "金额"),
    FIELD(5, DATE, REVIEW, false, 0, NULL, NULL, "last day to pay it", "交费截止日"),
    LINES(6, REVIEW, false, 64, BILL_LINES, "what the amount is made of", "账单明细"),
    LINES(7, REVIEW, false, 128, LATE_FEES, "late fees, as the marketing system gives them", "违约金"),
    FIELD(8, CHOICE, REVIEW, false, 0, BILL_STATES, NULL, "whether it stands", "账单状态"),
    FIELD(9, TEXT, REVIEW, false, ID_BYTES, NULL, NULL, "bill that has taken its place", "替代账单号"),
    FIELD(10, TEXT, REVIEW, false, 64, NULL, NULL, "number in the marketing system", "营销系统单号"),
};

static const struct hs_field_rule PAYMENT_PARTS[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "bill", "账单号"),
    FIELD(2, AMOUNT, FIXED, true, 0, NULL, "fen", "so much of the amount", "分摊金额"),
};

static const struct hs_field_rule PAYMENT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text and not 128 bits in hexadecimal", "交费编号"),
    FIELD(2, ACCOUNT, FIXED, true, 0, NULL, NULL, "account number", "户号"),
    FIELD(3, AMOUNT, FIXED, true, 0, NULL, "fen", "amount taken", "实收金额"),
    FIELD(4, TEXT, FIXED, false, ID_BYTES, NULL, NULL, "bill that it pays", "账单号"),
    FIELD(5, CHOICE, FIXED, false, 0, METHODS, NULL, "how it was paid", "交费方式"),
    FIELD(6, NUMBER, FIXED, false, 0, NULL, NULL, "window", "窗口号"),
    FIELD(7, TEXT, FIXED, false, 64, NULL, NULL, "clerk", "营业员"),
    LINES(8, FIXED, false, 32, PAYMENT_PARTS, "bills that it pays; what is over is advance", "分摊账单（余额转预收）"),
    FIELD(9, CHOICE, FIXED, false, 0, PURPOSES, NULL, "what for", "用途"),
    FIELD(10, TEXT, FIXED, false, 64, NULL, NULL, "number of the cheque or bank slip", "支票或银行单据号"),
    FIELD(11, TEXT, FIXED, false, 128, NULL, NULL, "bank", "开户银行"),
    FIELD(12, AMOUNT, FIXED, false, 0, NULL, "fen", "cash that was handed over", "收到现金"),
    FIELD(13, SUM, FIXED, false, 0, NULL, "fen", "change given", "找零"),
    FIELD(14, TEXT, FIXED, false, 64, NULL, NULL, "electricity card topped up", "购电卡号"),
    FIELD(15, COUNT, FIXED, false, 0, NULL, NULL, "the card's counter of purchases", "购电次数"),
    FIELD(16, TEXT, FIXED, false, 128, NULL, NULL, "who paid, if not the customer", "交费人"),
};

static const struct hs_field_rule CASH_ENTRY_FIELDS[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "number: node, date, window, series, counter", "凭证号"),
    FIELD(2, TIME, FIXED, true, 0, NULL, "ms", "clock of the node", "记账时间"),
    FIELD(3, CHANGE, FIXED, true, 0, NULL, "fen", "into the drawer; below zero: out of it", "收入金额（负数为支出）"),
    FIELD(4, NUMBER, FIXED, true, 0, NULL, NULL, "kind of what it records: payment or reversal", "所记事项类型"),
    FIELD(5, ID, FIXED, true, 0, NULL, NULL, "id of what it records", "所记事项编号"),
    FIELD(6, NUMBER, FIXED, true, 0, NULL, NULL, "partition of what it records", "所记事项所属区"),
    FIELD(7, TEXT, FIXED, false, 16, NULL, NULL, "how it was paid; none: in cash", "收付方式（空为现金）"),
};

static const struct hs_field_rule REVERSAL_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "冲正编号"),
    FIELD(2, ID, FIXED, true, 0, NULL, NULL, "payment that it takes back, whole", "被冲正的交费编号"),
    FIELD(3, ACCOUNT, FIXED, false, 0, NULL, NULL, "account number", "户号"),
    FIELD(4, TEXT, FIXED, false, 512, NULL, NULL, "reason", "冲正原因"),
    FIELD(5, NUMBER, FIXED, false, 0, NULL, NULL, "window", "窗口号"),
    FIELD(6, TEXT, FIXED, false, 64, NULL, NULL, "clerk", "营业员"),
    FIELD(7, TEXT, FIXED, false, 64, NULL, NULL, "second person, another than the clerk", "复核人"),
    FIELD(8, CHOICE, FIXED, false, 0, REVERSAL_TYPES, NULL, "what happened", "冲正类型"),
};

static const struct hs_field_rule SETTLED_FACTS[] = {
    FIELD(1, ID, FIXED, true, 0, NULL, NULL, "payment, or settlement of it that counts nothing", "交费编号，或不计入的结算编号"),
};

static const struct hs_field_rule SETTLEMENT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "never set: the id is a hash of what is settled", "编号（自动生成）"),
    FIELD(2, ACCOUNT, FIXED, true, 0, NULL, NULL, "account number", "户号"),
    FIELD(3, TEXT, FIXED, false, ID_BYTES, NULL, NULL, "bill paid too much; none: what was paid ahead", "多交账单号（空为预收）"),
    LINES(4, FIXED, false, 240, SETTLED_FACTS, "payments that it is about; by the node", "所涉交费（节点填写）"),
    FIELD(5, AMOUNT, FIXED, true, 0, NULL, "fen", "amount", "金额"),
    FIELD(6, CHOICE, FIXED, true, 0, SETTLEMENTS, NULL, "which of the two", "结算类型"),
    FIELD(7, TEXT, FIXED, true, 512, NULL, NULL, "reason", "原因"),
    FIELD(8, TEXT, FIXED, true, 64, NULL, NULL, "clerk", "营业员"),
    FIELD(9, TEXT, FIXED, true, 40, NULL, NULL, "number of the application; it is settled once", "申请单号（同号只办一次）"),
    FIELD(10, NUMBER, FIXED, false, 0, NULL, NULL, "window", "窗口号"),
    FIELD(11, CHOICE, FIXED, false, 0, METHODS, NULL, "how it is given back; none: in cash", "退费方式（空为现金）"),
    FIELD(12, ID, FIXED, false, 0, NULL, NULL, "settlement that came before; by the node", "前一笔结算（节点填写）"),
    FIELD(13, COUNT, FIXED, false, 0, NULL, NULL, "number of its writer's grant; by the node", "授权序号（节点填写）"),
    FIELD(14, TEXT, FIXED, false, ID_BYTES, NULL, NULL, "credit: bill that it pays; none: paid ahead", "转入账单号（空为预收）"),
    FIELD(15, TEXT, FIXED, false, 128, NULL, NULL, "who takes the money, if not the customer", "领款人"),
};

static const struct hs_field_rule GRANT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "never set: the id is a hash of district and number", "编号（自动生成）"),
    FIELD(2, DISTRICT, FIXED, true, 0, NULL, NULL, "district", "供电区"),
    FIELD(3, COUNT, FIXED, false, 0, NULL, NULL, "1, 2, 3...: the highest holds; by the node", "授权序号（节点填写）"),
    FIELD(4, NODE, FIXED, true, 0, NULL, NULL, "node that decides refunds and credits", "负责退费的节点"),
    FIELD(5, TEXT, FIXED, true, 128, NULL, NULL, "who has decided it", "授权人"),
    FIELD(6, TEXT, FIXED, false, 512, NULL, NULL, "reason", "理由"),
};

static const struct hs_field_rule REPRINT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "补打编号"),
    FIELD(2, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "number of the receipt: that of its cash entry", "凭证号"),
    FIELD(3, TEXT, FIXED, true, 512, NULL, NULL, "reason", "原因"),
    FIELD(4, TEXT, FIXED, false, 64, NULL, NULL, "clerk", "营业员"),
    FIELD(5, CHOICE, FIXED, false, 0, YES_NO, NULL, "does it replace one that was handed back?", "是否换发（收回原凭证）"),
    FIELD(6, NUMBER, FIXED, false, 0, NULL, NULL, "window", "窗口号"),
};

static const struct hs_field_rule INVOICE_REQUEST_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "开票申请编号"),
    FIELD(2, ACCOUNT, FIXED, true, 0, NULL, NULL, "account number", "户号"),
    FIELD(3, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "number of the receipt", "凭证号"),
    FIELD(4, TEXT, REVIEW, true, 256, NULL, NULL, "title: to whom it is made out", "发票抬头"),
    FIELD(5, TEXT, REVIEW, false, 32, NULL, NULL, "tax number", "纳税人识别号"),
    FIELD(6, TEXT, REVIEW, false, 512, NULL, NULL, "address, or where it is sent", "地址"),
    FIELD(7, CHOICE, REVIEW, false, 0, INVOICE_STATES, NULL, "how far it is", "开票状态"),
    FIELD(8, TEXT, REVIEW, false, 64, NULL, NULL, "number of the invoice", "发票号码"),
};

static const struct hs_field_rule WINDOW_EVENT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "事件编号"),
    FIELD(2, NUMBER, FIXED, false, 0, NULL, NULL, "window; none: the hall's day", "窗口号（空为全厅）"),
    FIELD(3, CHOICE, FIXED, true, 0, WINDOW_MOVES, NULL, "what is done", "窗口动作"),
    FIELD(4, TEXT, FIXED, true, 64, NULL, NULL, "clerk", "营业员"),
    FIELD(5, SUM, FIXED, false, 0, NULL, "fen", "cash to begin with", "备用金"),
    FIELD(6, SUM, FIXED, false, 0, NULL, "fen", "cash counted at the close", "清点现金"),
    FIELD(7, TEXT, FIXED, false, 512, NULL, NULL, "reason of a difference, or of a pause", "长短款或暂停原因"),
    FIELD(8, DATE, FIXED, false, 0, NULL, NULL, "business day", "营业日"),
    FIELD(9, NODE, FIXED, false, 0, NULL, NULL, "hall; written by the node", "营业厅（节点填写）"),
};

static const struct hs_field_rule CLOSE_LINES[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "numbers without their counters", "凭证号序列"),
    FIELD(2, QUANTITY, FIXED, true, 0, NULL, NULL, "first counter", "起号"),
    FIELD(3, QUANTITY, FIXED, true, 0, NULL, NULL, "last counter", "止号"),
    FIELD(4, BALANCE, FIXED, false, 0, NULL, "fen", "sum of their amounts", "金额合计"),
    FIELD(5, HASH, FIXED, true, 0, NULL, NULL, "hash over numbers and contents", "内容摘要"),
};

static const struct hs_field_rule CLOSE_FIELDS[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "node, date, window or hall, letters", "结账编号"),
    FIELD(2, NODE, FIXED, true, 0, NULL, NULL, "hall", "营业厅"),
    FIELD(3, DATE, FIXED, true, 0, NULL, NULL, "business day", "营业日"),
    FIELD(4, NUMBER, FIXED, false, 0, NULL, NULL, "window; none: the hall's day", "窗口号（空为全厅）"),
    FIELD(5, TEXT, FIXED, false, 64, NULL, NULL, "clerk", "营业员"),
    LINES(6, FIXED, false, 240, CLOSE_LINES, "ranges of numbers, with their sums", "凭证号段及合计"),
    FIELD(7, NUMBER, FIXED, false, 0, NULL, NULL, "entries in them", "笔数"),
    FIELD(8, BALANCE, FIXED, false, 0, NULL, "fen", "sum of these", "金额合计"),
    FIELD(9, BALANCE, FIXED, false, 0, NULL, "fen", "of that, in cash", "其中现金"),
    FIELD(10, SUM, FIXED, false, 0, NULL, "fen", "cash to begin with", "备用金"),
    FIELD(11, SUM, FIXED, false, 0, NULL, "fen", "cash counted", "清点现金"),
    FIELD(12, BALANCE, FIXED, false, 0, NULL, "fen", "counted, less what should be there", "长款（负为短款）"),
    FIELD(13, TEXT, FIXED, false, 512, NULL, NULL, "reason of the difference", "长短款原因"),
    FIELD(14, ID, FIXED, true, 0, NULL, NULL, "window event that asked for it", "对应的窗口事件"),
    FIELD(15, HASH, FIXED, true, 0, NULL, NULL, "hash over those of the lines", "总摘要"),
};

static const struct hs_field_rule ANSWER_NUMBERS[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "numbers without their counters", "凭证号序列"),
    FIELD(2, QUANTITY, FIXED, true, 0, NULL, NULL, "first counter", "起号"),
    FIELD(3, QUANTITY, FIXED, true, 0, NULL, NULL, "last counter", "止号"),
    FIELD(4, HASH, FIXED, false, 0, NULL, NULL, "hash of what is here; none: not here", "本地内容摘要（空为未到）"),
};

static const struct hs_field_rule CLOSE_ANSWER_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "never set: the id is a hash of the content", "编号（自动生成）"),
    FIELD(2, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "close", "结账编号"),
    FIELD(3, NODE, FIXED, true, 0, NULL, NULL, "hub that answers", "答复的区域中心"),
    FIELD(4, CHOICE, FIXED, true, 0, BOOKS, NULL, "do the books agree?", "核对结果"),
    FIELD(5, NUMBER, FIXED, false, 0, NULL, NULL, "entries that are here", "已到笔数"),
    FIELD(6, BALANCE, FIXED, false, 0, NULL, "fen", "sum of these", "已到金额"),
    FIELD(7, HASH, FIXED, false, 0, NULL, NULL, "hash over the lines as they are here", "本地总摘要"),
    LINES(8, FIXED, false, 100, ANSWER_NUMBERS, "numbers that it waits for, or that differ", "未到或不符的凭证号"),
    FIELD(9, NUMBER, FIXED, false, 0, NULL, NULL, "ranges that are not among them", "未列出的号段数"),
    FIELD(10, TIME, FIXED, false, 0, NULL, "ms", "clock of the hub", "核对时间"),
};

static const struct hs_field_rule HANDED_CLOSES[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "close", "结账编号"),
};

static const struct hs_field_rule HANDING_IN_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "缴款编号"),
    FIELD(2, DATE, FIXED, true, 0, NULL, NULL, "day", "缴款日期"),
    FIELD(3, AMOUNT, FIXED, true, 0, NULL, "fen", "amount", "缴款金额"),
    FIELD(4, TEXT, FIXED, true, 64, NULL, NULL, "number of the bank's slip", "缴款单号"),
    FIELD(5, TEXT, FIXED, false, 128, NULL, NULL, "bank", "银行"),
    FIELD(6, TEXT, FIXED, true, 64, NULL, NULL, "clerk", "营业员"),
    LINES(7, FIXED, true, 64, HANDED_CLOSES, "closes whose money it is", "所缴的结账"),
    FIELD(8, TEXT, FIXED, false, 512, NULL, NULL, "remark", "备注"),
    FIELD(9, NODE, FIXED, false, 0, NULL, NULL, "hall; written by the node", "营业厅（节点填写）"),
};

static const struct hs_field_rule DOCUMENT[] = {
    FIELD(1, TEXT, FIXED, true, 128, NULL, NULL, "name of the document", "资料名称"),
    FIELD(2, CHOICE, FIXED, false, 0, YES_NO, NULL, "no: only where it applies; else it is needed", "是否必需"),
};

static const struct hs_field_rule ATTACHMENT[] = {
    FIELD(1, TEXT, FIXED, true, 128, NULL, NULL, "name of the file", "文件名"),
    FIELD(2, QUANTITY, FIXED, false, 0, NULL, "bytes", "how large it is", "文件大小"),
    FIELD(3, HASH, FIXED, false, 0, NULL, NULL, "BLAKE2b-256 of its bytes", "文件摘要"),
    FIELD(4, TEXT, FIXED, false, 512, NULL, NULL, "where it is kept", "存放位置"),
};

static const struct hs_field_rule RESULT[] = {
    FIELD(1, TEXT, FIXED, true, 64, NULL, NULL, "what was found out", "结果项"),
    FIELD(2, TEXT, FIXED, false, 256, NULL, NULL, "what it is", "结果值"),
};

static const struct hs_field_rule TICKET_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "工单编号"),
    FIELD(2, SERVICE, FIXED, true, 0, NULL, NULL, "service; it chooses the states", "业务类别"),
    FIELD(3, ACCOUNT, FIXED, false, 0, NULL, NULL, "account number", "户号"),
    FIELD(4, TEXT, MERGE, true, 4096, NULL, NULL, "what is asked for", "业务内容"),
    FIELD(5, NUMBER, FIXED, false, 0, NULL, NULL, "version of the catalogue's service at its opening", "业务目录版本"),
    FIELD(6, TEXT, MERGE, false, 64, NULL, NULL, "department that is to do it at first", "承办部门"),
    FIELD(7, ID, FIXED, false, 0, NULL, NULL, "ticket of another district that it comes from", "来源工单编号"),
    FIELD(8, CHOICE, FIXED, false, 0, URGENCY, NULL, "urgency", "紧急程度"),
    FIELD(9, CHOICE, FIXED, false, 0, YES_NO, NULL, "may the customer be called back?", "是否同意回访"),
    FIELD(10, TEXT, MERGE, false, 128, NULL, NULL, "whom to reach, and how", "联系人及联系方式"),
    FIELD(11, TIME, FIXED, false, 0, NULL, "ms", "when it is late", "办理截止时间"),
    LINES(12, FIXED, false, 32, DOCUMENT, "documents that it takes", "所需资料"),
    LINES(13, MERGE, false, 32, ATTACHMENT, "attachments", "附件"),
    FIELD(14, CHOICE, FIXED, false, 0, MACHINES, NULL, "state machine, as the catalogue said", "流转方式"),
    FIELD(15, DISTRICT, FIXED, false, 0, NULL, NULL, "district of the ticket that it comes from", "来源供电区"),
    FIELD(16, ACCOUNT, FIXED, false, 0, NULL, NULL, "account of that other ticket", "来源户号"),
    LINES(17, FIXED, false, 16, RESULT, "what it cannot be resolved without", "办结必填结果"),
};

static const struct hs_field_rule TICKET_EVENT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "事件编号"),
    FIELD(2, ID, FIXED, true, 0, NULL, NULL, "ticket", "工单编号"),
    FIELD(3, STATE, FIXED, false, 0, NULL, NULL, "move asked for; none: a note", "申请转入的状态"),
    FIELD(4, TEXT, FIXED, false, 64, NULL, NULL, "who is to do it", "处理人"),
    FIELD(5, TEXT, FIXED, false, 8192, NULL, NULL, "note", "处理意见"),
    FIELD(6, TEXT, FIXED, false, 64, NULL, NULL, "clerk", "营业员"),
    FIELD(7, CHOICE, FIXED, false, 0, EVENTS, NULL, "type; none: what the fields say", "事件类型"),
    LINES(8, FIXED, false, 32, DOCUMENT, "documents that have come in", "已补资料"),
    LINES(9, FIXED, false, 32, ATTACHMENT, "attachments", "附件"),
    FIELD(10, TEXT, FIXED, false, 64, NULL, NULL, "department that is to do it", "转办部门"),
    FIELD(11, ID, FIXED, false, 0, NULL, NULL, "linked ticket, in the other district", "关联工单编号"),
    LINES(12, FIXED, false, 32, RESULT, "results", "办理结果"),
    FIELD(13, DISTRICT, FIXED, false, 0, NULL, NULL, "district that it is passed on to", "转往供电区"),
    FIELD(14, CHOICE, FIXED, false, 0, YES_NO, NULL, "may the customer be called back?", "是否同意回访"),
};

static const struct hs_field_rule QUEUE_TICKET_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "排队编号"),
    FIELD(2, TEXT, FIXED, false, HS_QUEUE_NUMBER_BYTES_MAX - 1, NULL, NULL,
          "number: group and counter of the day; by the node", "排队号（节点按日连续编号）"),
    FIELD(3, DATE, FIXED, false, 0, NULL, NULL, "business day; by the node", "营业日（节点填写）"),
    FIELD(4, NODE, FIXED, false, 0, NULL, NULL, "hall; by the node", "营业厅（节点填写）"),
    FIELD(5, TEXT, FIXED, true, HS_QUEUE_GROUP_BYTES_MAX, NULL, NULL, "group of services: capital letters", "业务分组"),
    FIELD(6, CHOICE, FIXED, false, 0, PRIORITIES, NULL, "why it is called before others",
          "优先类别"),
    FIELD(7, ACCOUNT, FIXED, false, 0, NULL, NULL, "account number", "户号"),
    FIELD(8, TEXT, FIXED, false, 64, NULL, NULL, "service", "业务类别"),
    FIELD(9, TEXT, FIXED, false, 64, NULL, NULL, "ticket machine or clerk", "取号机或营业员"),
    FIELD(10, ID, FIXED, false, 0, NULL, NULL, "appointment that it was taken for", "预约编号"),
};

static const struct hs_field_rule QUEUE_EVENT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "事件编号"),
    FIELD(2, ID, FIXED, false, 0, NULL, NULL, "queue ticket; none: the node finds it", "排队编号（可由节点选定）"),
    FIELD(3, CHOICE, FIXED, true, 0, QUEUE_EVENTS, NULL, "what happened",
          "事件类型"),
    FIELD(4, NUMBER, FIXED, false, HS_QUEUE_WINDOW_MAX, NULL, NULL, "window", "窗口号"),
    FIELD(5, TEXT, FIXED, false, 64, NULL, NULL, "clerk", "营业员"),
    FIELD(6, NUMBER, FIXED, false, HS_QUEUE_WINDOW_MAX, NULL, NULL, "transferred: to this window only", "转至窗口"),
    FIELD(7, TEXT, FIXED, false, HS_QUEUE_GROUP_BYTES_MAX, NULL, NULL, "transferred: to this group", "转至业务分组"),
    FIELD(8, TEXT, FIXED, false, HS_QUEUE_NUMBER_BYTES_MAX - 1, NULL, NULL, "number of the queue ticket", "排队号"),
    FIELD(9, TEXT, FIXED, false, 64, NULL, NULL, "called: next of these groups, commas between", "叫号的业务分组"),
    FIELD(10, TEXT, FIXED, false, 512, NULL, NULL, "note", "备注"),
};

static const struct hs_field_rule TITLE_CHANGE_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "过户编号"),
    FIELD(2, ACCOUNT, FIXED, true, 0, NULL, NULL, "account number", "户号"),
    FIELD(3, TEXT, FIXED, false, 128, NULL, NULL, "title holder before; filled in by the node", "原户名（自动填写）"),
    FIELD(4, TEXT, FIXED, true, 128, NULL, NULL, "title holder from now on", "新户名"),
    FIELD(5, TEXT, FIXED, false, 64, NULL, NULL, "number of his identity card", "新户主身份证号"),
    FIELD(6, TEXT, FIXED, false, 64, NULL, NULL, "his telephone", "新户主电话"),
    FIELD(7, ID, FIXED, false, 0, NULL, NULL, "ticket of the application", "申请工单"),
    FIELD(8, TEXT, FIXED, false, 64, NULL, NULL, "clerk", "营业员"),
    FIELD(9, TEXT, FIXED, false, 512, NULL, NULL, "reason: sale, inheritance...", "过户原因"),
};

static const struct hs_field_rule SUBSCRIPTION_FIELDS[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "account and channel, with - between", "户号-渠道"),
    FIELD(2, ACCOUNT, FIXED, true, 0, NULL, NULL, "account number", "户号"),
    FIELD(3, CHOICE, FIXED, true, 0, CHANNELS, NULL, "how he is told", "提醒渠道"),
    FIELD(4, TEXT, REVIEW, false, 512, NULL, NULL, "number or address; none: the customer's own", "接收号码或地址（空为客户本人）"),
    FIELD(5, NUMBER, REVIEW, true, 30, NULL, "days", "so long before the last day to pay", "交费截止日前几天提醒"),
    FIELD(6, CHOICE, MERGE, false, 0, YES_NO, NULL, "is it in force?  none: yes", "是否有效（空为有效）"),
    FIELD(7, NODE, REVIEW, false, 0, NULL, NULL, "hall whose people tell him; none: who writes it first", "负责提醒的营业厅"),
};

static const struct hs_field_rule REMINDER_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "提醒编号"),
    FIELD(2, ACCOUNT, FIXED, true, 0, NULL, NULL, "account number", "户号"),
    FIELD(3, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "bill that he was told of", "账单号"),
    FIELD(4, CHOICE, FIXED, true, 0, CHANNELS, NULL, "channel of the subscription", "提醒渠道"),
    FIELD(5, TEXT, FIXED, false, 64, NULL, NULL, "clerk", "营业员"),
    FIELD(6, CHOICE, FIXED, true, 0, TOLD, NULL, "what came of it", "提醒结果"),
    FIELD(7, TEXT, FIXED, false, 512, NULL, NULL, "note", "备注"),
};

static const struct hs_field_rule SLOT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "number of the slot", "预约时段编号"),
    FIELD(2, NODE, FIXED, true, 0, NULL, NULL, "hall", "营业厅"),
    FIELD(3, TEXT, MERGE, false, 64, NULL, NULL, "service; none: any", "业务类别（空为不限）"),
    FIELD(4, DATE, FIXED, true, 0, NULL, NULL, "day", "日期"),
    FIELD(5, HOUR, FIXED, true, 0, NULL, NULL, "begins, local time", "开始时间"),
    FIELD(6, COUNT, MERGE, false, 1440, NULL, "min", "how long it is", "时长（分钟）"),
    FIELD(7, COUNT, REVIEW, true, HS_SLOT_CAPACITY_MAX, NULL, NULL, "how many may book it", "可预约人数"),
    FIELD(8, CHOICE, MERGE, false, 0, YES_NO, NULL, "no: it takes no more", "是否接受预约"),
    FIELD(9, TEXT, MERGE, false, 2048, NULL, NULL, "remark", "备注"),
};

static const struct hs_field_rule APPOINTMENT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "预约编号"),
    FIELD(2, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "slot that is asked for", "预约时段编号"),
    FIELD(3, TEXT, FIXED, true, 128, NULL, NULL, "name of the customer", "客户姓名"),
    FIELD(4, TEXT, FIXED, false, 64, NULL, NULL, "telephone", "联系电话"),
    FIELD(5, ACCOUNT, FIXED, false, 0, NULL, NULL, "account number", "户号"),
    FIELD(6, TEXT, FIXED, false, 64, NULL, NULL, "service", "业务类别"),
    FIELD(7, TEXT, FIXED, false, 64, NULL, NULL, "clerk", "营业员"),
    FIELD(8, TEXT, FIXED, false, 512, NULL, NULL, "note", "备注"),
};

static const struct hs_field_rule APPOINTMENT_EVENT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "id, if it is a text", "事件编号"),
    FIELD(2, ID, FIXED, true, 0, NULL, NULL, "appointment", "预约编号"),
    FIELD(3, CHOICE, FIXED, true, 0, BOOKING_EVENTS, NULL, "what became of it", "事件类型"),
    FIELD(4, TEXT, FIXED, false, 64, NULL, NULL, "clerk", "营业员"),
    FIELD(5, TEXT, FIXED, false, 512, NULL, NULL, "note", "备注"),
};

static const struct hs_field_rule RATING_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "never set: the id is a hash of what is rated", "评价编号（自动生成）"),
    FIELD(2, CHOICE, FIXED, true, 0, RATED, NULL, "kind of what is rated", "被评价业务的类型"),
    FIELD(3, ID, FIXED, true, 0, NULL, NULL, "id of what is rated", "被评价业务的编号"),
    FIELD(4, COUNT, FIXED, true, 5, NULL, NULL, "5 very satisfied, 3 fair, 1 not at all", "满意度（5非常满意，1不满意）"),
    FIELD(5, NUMBER, FIXED, false, 0, NULL, NULL, "window", "窗口号"),
    FIELD(6, TEXT, FIXED, false, 64, NULL, NULL, "clerk", "营业员"),
    FIELD(7, TEXT, FIXED, false, 2048, NULL, NULL, "what the customer said", "客户意见"),
};

static const struct hs_field_rule AUDIT_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "never set: the id is made by the node", "编号（自动生成）"),
    FIELD(2, DATE, FIXED, true, 0, NULL, NULL, "day on which it was done", "日期"),
    FIELD(3, TEXT, FIXED, true, 64, NULL, NULL, "who has done it", "操作人"),
    FIELD(4, TEXT, FIXED, false, 32, NULL, NULL, "his role", "角色"),
    FIELD(5, CHOICE, FIXED, true, 0, WAYS, NULL, "how he asked for it", "操作方式"),
    FIELD(6, CHOICE, FIXED, true, 0, DEEDS, NULL, "what was done", "操作"),
    FIELD(7, NODE, FIXED, false, 0, NULL, NULL, "node that it is about", "相关节点"),
    FIELD(8, TEXT, FIXED, false, 32, NULL, NULL, "kind of the record that it is about", "相关记录的类型"),
    FIELD(9, TEXT, FIXED, false, 2 * ID_BYTES, NULL, NULL, "id of that record", "相关记录的编号"),
    FIELD(10, TEXT, FIXED, false, 64, NULL, NULL, "user of the console that it is about", "相关用户"),
    FIELD(11, DISTRICT, FIXED, false, 0, NULL, NULL, "district that it is about", "供电区"),
    FIELD(12, TEXT, FIXED, false, 2048, NULL, NULL, "more: names of fields, districts", "说明"),
    FIELD(13, TEXT, FIXED, false, 2048, NULL, NULL, "why", "原因"),
};

static const struct hs_field_rule CATALOGUE_FIELDS[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "code of the service", "业务代码"),
    FIELD(2, TEXT, REVIEW, true, 128, NULL, NULL, "name", "名称"),
    FIELD(3, TEXT, MERGE, false, 64, NULL, NULL, "section: business, payments, query...", "业务分类"),
    FIELD(4, NUMBER, REVIEW, false, 0, NULL, "days", "working days from acceptance", "办理时限（工作日）"),
    FIELD(5, TEXT, REVIEW, false, 512, NULL, NULL, "what it costs", "收费标准"),
    FIELD(6, TEXT, MERGE, false, 4096, NULL, NULL, "what to bring", "所需资料"),
    FIELD(7, CHOICE, REVIEW, false, 0, YES_NO, NULL, "is it offered?", "是否受理"),
    FIELD(8, TEXT, MERGE, false, 2048, NULL, NULL, "remark", "备注"),
    FIELD(9, NUMBER, REVIEW, false, 0, NULL, NULL, "version; each change makes the next one", "版本"),
    FIELD(10, TEXT, REVIEW, false, 128, NULL, NULL, "name in Chinese", "中文名称"),
    FIELD(11, TEXT, REVIEW, false, 64, NULL, NULL, "department that does it", "承办部门"),
    FIELD(12, NUMBER, REVIEW, false, HS_WORKTIME_HOURS_MAX, NULL, "hours",
          "working hours; of urgent ones: hours", "办理时限（工作小时）"),
    FIELD(13, CHOICE, REVIEW, false, 0, MACHINES, NULL, "state machine of its tickets", "流转方式"),
    FIELD(14, CHOICE, REVIEW, false, 0, YES_NO, NULL, "is it urgent?", "是否紧急"),
    LINES(15, MERGE, false, 32, DOCUMENT, "documents that it takes", "所需资料清单"),
    LINES(16, MERGE, false, 16, RESULT, "what it cannot be resolved without", "办结必填结果"),
};

static const struct hs_field_rule NOTICE_FIELDS[] = {
    FIELD(1, TEXT, FIXED, true, ID_BYTES, NULL, NULL, "number of the notice", "公告编号"),
    FIELD(2, DISTRICT, FIXED, false, 0, NULL, NULL, "district; none: the whole region", "供电区（空为全地区）"),
    FIELD(3, CHOICE, REVIEW, true, 0, NOTICES, NULL, "what it is about", "公告类型"),
    FIELD(4, TEXT, REVIEW, true, 4096, NULL, NULL, "what customers are told", "公告内容"),
    FIELD(5, TIME, REVIEW, false, 0, NULL, "ms", "begins", "开始时间"),
    FIELD(6, TIME, REVIEW, false, 0, NULL, "ms", "ends", "结束时间"),
    FIELD(7, TEXT, MERGE, false, 2048, NULL, NULL, "streets, estates, lines", "停电范围"),
    FIELD(8, TEXT, MERGE, false, 2048, NULL, NULL, "beginnings of account numbers, with commas between", "涉及户号段"),
};

static const struct hs_field_rule CALENDAR_FIELDS[] = {
    FIELD(1, DATE, FIXED, true, 0, NULL, NULL, "day", "日期"),
    FIELD(2, CHOICE, REVIEW, true, 0, YES_NO, NULL, "does anybody work?", "是否工作日"),
    FIELD(3, HOUR, REVIEW, false, 0, NULL, NULL, "work begins; else at 09:00", "上班时间"),
    FIELD(4, HOUR, REVIEW, false, 0, NULL, NULL, "work ends; else at 17:00", "下班时间"),
    FIELD(5, TEXT, MERGE, false, 128, NULL, NULL, "why it is not a usual day", "说明"),
};

static const struct hs_field_rule REISSUE_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "never set: the id is a hash of the certificate", "编号（自动生成）"),
    FIELD(2, TEXT, FIXED, true, HS_NODE_ID_BYTES_MAX, NULL, NULL, "node", "节点"),
    FIELD(3, BYTES, FIXED, true, HS_CERTIFICATE_BYTES_MAX, NULL, NULL, "its certificate", "节点证书"),
};

static const struct hs_field_rule DECISION_FIELDS[] = {
    FIELD(1, TEXT, FIXED, false, 64, NULL, NULL, "never set: the id is a hash of the request", "编号（自动生成）"),
    FIELD(2, NUMBER, FIXED, true, 0, NULL, NULL, "lane of the record", "记录的通道"),
    FIELD(3, NUMBER, FIXED, true, 0, NULL, NULL, "kind of the record", "记录的类型"),
    FIELD(4, BYTES, FIXED, true, ID_BYTES, NULL, NULL, "id of the record", "记录的编号"),
    FIELD(5, CHOICE, FIXED, true, 0, VERDICTS, NULL, "what is decided", "裁决结果"),
    FIELD(6, BYTES, FIXED, true, HS_HASH_BYTES, NULL, NULL, "hash of what the record showed", "所见内容的摘要"),
    FIELD(7, BYTES, FIXED, false, HS_HASH_BYTES, NULL, NULL, "hash of the fields that break a rule", "违规字段的摘要"),
    FIELD(8, BYTES, FIXED, false, HS_FOLLOWS_MAX *HS_ID_BYTES, NULL, NULL, "ids of the decisions known to its writer",
          "已知的先前裁决"),
    FIELD(9, TEXT, FIXED, true, 128, NULL, NULL, "who has decided", "裁决人"),
    FIELD(10, TEXT, FIXED, true, 512, NULL, NULL, "reason", "理由"),
};

/* ---- indexes: number, name, field, field of each line, second field ---- */

static const struct hs_index CUSTOMER_INDEXES[] = {
    {1, "card_no", 6, 0, 0}, {2, "identity_no", 5, 0, 0}, {3, "meter_no", 10, 0, 0},
    {4, HS_SUPPLY, 0, 0, 0}};
static const struct hs_index BILL_INDEXES[] = {{1, "account", 2, 0, 0}};
static const struct hs_index PAYMENT_INDEXES[] = {{1, "account", 2, 0, 0},  {2, "bill_id", 4, 0, 0},
                                                  {2, "bill_id", 8, 1, 0},  {3, "slip_no", 10, 0, 0},
                                                  {4, "card_no", 14, 0, 0}, {5, "card_counter", 15, 0, 14}};
static const struct hs_index CASH_ENTRY_INDEXES[] = {{1, "fact_id", 5, 0, 0}};
static const struct hs_index REVERSAL_INDEXES[] = {{1, "payment_id", 2, 0, 0}};
static const struct hs_index SETTLEMENT_INDEXES[] = {
    {1, "account", 2, 0, 0}, {2, "bill_id", 3, 0, 0}, {2, "bill_id", 14, 0, 0}, {3, "form_no", 9, 0, 2},
    {4, "facts", 4, 1, 0}};
static const struct hs_index GRANT_INDEXES[] = {{1, "district", 2, 0, 0}};
static const struct hs_index REPRINT_INDEXES[] = {{1, "number", 2, 0, 0}, {2, HS_WRITTEN, 0, 0, 0}};
static const struct hs_index INVOICE_REQUEST_INDEXES[] = {{1, "account", 2, 0, 0}, {2, "number", 3, 0, 0}};
static const struct hs_index WINDOW_EVENT_INDEXES[] = {{1, "hall", 9, 0, 8}};
static const struct hs_index CLOSE_INDEXES[] = {{1, "hall", 2, 0, 3}, {2, "date", 3, 0, 0}, {3, "books", 0, 0, 0}};
static const struct hs_index CLOSE_ANSWER_INDEXES[] = {{1, "close_id", 2, 0, 0}};
static const struct hs_index HANDING_IN_INDEXES[] = {{1, "closes", 7, 1, 0}, {2, "slip_no", 4, 0, 0}};
static const struct hs_index TICKET_INDEXES[] = {
    {1, "account", 3, 0, 0},    {2, "state", 0, 0, 0},       {3, "assignee", 0, 0, 0},
    {4, "department", 0, 0, 0}, {5, "linked_from", 7, 0, 0},
};
static const struct hs_index TICKET_EVENT_INDEXES[] = {{1, "ticket_id", 2, 0, 0}, {2, HS_WRITTEN, 0, 0, 0}};
static const struct hs_index QUEUE_TICKET_INDEXES[] = {
    {1, "date", 3, 0, 4}, {2, "number", 2, 0, 3}, {3, "state", 0, 0, 3}, {4, "account", 7, 0, 0}};
static const struct hs_index QUEUE_EVENT_INDEXES[] = {{1, "queue_id", 2, 0, 0}};
static const struct hs_index TITLE_CHANGE_INDEXES[] = {{1, "account", 2, 0, 0}};
static const struct hs_index SUBSCRIPTION_INDEXES[] = {{1, "account", 2, 0, 0}, {2, "hall", 7, 0, 0}};
static const struct hs_index REMINDER_INDEXES[] = {
    {1, "account", 2, 0, 0}, {2, "bill_id", 3, 0, 0}, {3, HS_WRITTEN, 0, 0, 0}};
static const struct hs_index SLOT_INDEXES[] = {{1, "hall", 2, 0, 4}};
static const struct hs_index APPOINTMENT_INDEXES[] = {{1, "slot_id", 2, 0, 0}, {2, "account", 5, 0, 0}};
static const struct hs_index APPOINTMENT_EVENT_INDEXES[] = {{1, "appointment_id", 2, 0, 0}};
static const struct hs_index AUDIT_INDEXES[] = {
    {1, "day", 2, 0, 0}, {2, "name", 3, 0, 0}, {3, "record_id", 9, 0, 0}, {4, "node_id", 7, 0, 0}};
static const struct hs_index RATING_INDEXES[] = {
    {1, "of_id", 3, 0, 0}, {2, "window", 5, 0, 0}, {3, "clerk", 6, 0, 0}, {4, HS_WRITTEN, 0, 0, 0}};
static const struct hs_index NOTICE_INDEXES[] = {{1, "district", 2, 0, 0}, {2, "month", 0, 0, 0}};
static const struct hs_index REISSUE_INDEXES[] = {{1, "node_id", 2, 0, 0}};

/* ---- ids that are hashes: of which fields ---- */

static const uint32_t RATING_OF[] = {2, 3, 0};
static const uint32_t SETTLEMENT_OF[] = {2, 3, 4, 12, 0};
static const uint32_t GRANT_OF[] = {2, 3, 0};

/* ---- kinds ---- */

const struct hs_kind HS_KINDS[] = {
    {.number = HS_KIND_CUSTOMER, .name = "customer", .en = "Customer", .zh = "客户",
     .about = "Who has an account: found by account, electricity card or identity number only.",
     .about_zh = "用电客户档案；只能凭户号、电卡号或身份证号查询。",
     .shape = HS_SHAPE_REGISTER, .lane = HS_LANE_PEOPLE, .id_form = HS_ID_FIELD, .id_field = 1,
     .home_form = HS_HOME_ACCOUNT, .home_field = 1, .personal = true, .message = &hallsync__customer__descriptor,
     FIELDS(CUSTOMER_FIELDS), INDEXES(CUSTOMER_INDEXES)},
    {.number = HS_KIND_BILL, .name = "bill", .en = "Bill", .zh = "电费账单",
     .about = "What the marketing system asks of an account for a month; paid and due now are computed.",
     .about_zh = "营销系统发行的电费；已交与应交由交费记录计算得出。",
     .shape = HS_SHAPE_REGISTER, .lane = HS_LANE_BULK, .id_form = HS_ID_FIELD, .id_field = 1,
     .home_form = HS_HOME_ACCOUNT, .home_field = 2, .personal = true, .message = &hallsync__bill__descriptor,
     .fold = "bill",
     FIELDS(BILL_FIELDS), INDEXES(BILL_INDEXES)},
    {.number = HS_KIND_PAYMENT, .name = "payment", .en = "Payment", .zh = "交费",
     .about = "Money taken at a counter; written together with its cash entry, which has the receipt's number.",
     .about_zh = "柜台收费；与凭证号所在的现金账同时记入。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_MONEY, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_ACCOUNT,
     .home_field = 2, .personal = true, .message = &hallsync__payment__descriptor,
     FIELDS(PAYMENT_FIELDS), INDEXES(PAYMENT_INDEXES), ERRORS(PAYMENT_ERRORS)},
    {.number = HS_KIND_CASH_ENTRY, .name = "cash_entry", .en = "Cash entry", .zh = "现金账",
     .about = "A line of a hall's cash book: number, business day and amount of a payment or reversal.",
     .about_zh = "营业厅现金账的一笔：凭证号、营业日与金额。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_MONEY, .id_form = HS_ID_FIELD, .id_field = 1, .home_form = HS_HOME_NODE,
     .personal = true, .message = &hallsync__cash_entry__descriptor,
     FIELDS(CASH_ENTRY_FIELDS), INDEXES(CASH_ENTRY_INDEXES), .by = HS_BY_NODE},
    {.number = HS_KIND_REVERSAL, .name = "reversal", .en = "Reversal", .zh = "冲正",
     .about = "Takes a whole payment back, once; later than its day only with a second person.",
     .about_zh = "将一笔交费全额冲正，只能一次；隔日或异窗口须经复核。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_MONEY, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_ACCOUNT,
     .home_field = 3, .personal = true, .message = &hallsync__reversal__descriptor,
     FIELDS(REVERSAL_FIELDS), INDEXES(REVERSAL_INDEXES), ERRORS(REVERSAL_ERRORS)},
    {.number = HS_KIND_SETTLEMENT, .name = "settlement", .en = "Settlement", .zh = "退费结算",
     .about = "What was paid too much, or ahead, is given back or counted elsewhere; by the district's owner only.",
     .about_zh = "多交或预收款的退还或转抵；仅由负责该供电区的节点办理。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_MONEY, .id_form = HS_ID_HASH, .id_field = 1, .id_of = SETTLEMENT_OF,
     .home_form = HS_HOME_ACCOUNT, .home_field = 2, .personal = true, .message = &hallsync__settlement__descriptor,
     FIELDS(SETTLEMENT_FIELDS), INDEXES(SETTLEMENT_INDEXES), .by = HS_BY_OWNER, ERRORS(SETTLEMENT_ERRORS)},
    {.number = HS_KIND_REPRINT, .name = "reprint", .en = "Reprint", .zh = "凭证补打",
     .about = "A receipt that was printed once more, or in place of one that was handed back.",
     .about_zh = "收费凭证的补打或换发。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_MONEY, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_NODE,
     .personal = true, .message = &hallsync__reprint__descriptor,
     FIELDS(REPRINT_FIELDS), INDEXES(REPRINT_INDEXES), ERRORS(REPRINT_ERRORS)},
    {.number = HS_KIND_INVOICE_REQUEST, .name = "invoice_request", .en = "Request of an invoice", .zh = "开票申请",
     .about = "What a customer wants a tax invoice for, and whether it was issued.",
     .about_zh = "客户的增值税发票申请与开具情况。",
     .shape = HS_SHAPE_REGISTER, .lane = HS_LANE_WORK, .id_form = HS_ID_128, .id_field = 1,
     .home_form = HS_HOME_ACCOUNT, .home_field = 2, .personal = true,
     .message = &hallsync__invoice_request__descriptor,
     FIELDS(INVOICE_REQUEST_FIELDS), INDEXES(INVOICE_REQUEST_INDEXES), ERRORS(INVOICE_REQUEST_ERRORS)},
    {.number = HS_KIND_WINDOW_EVENT, .name = "window_event", .en = "Event of a window", .zh = "窗口事件",
     .about = "A window was opened, closed, paused or resumed by a clerk; or the hall's day was closed.",
     .about_zh = "营业员开窗、结账、暂停或恢复窗口；或全厅日结。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_MONEY, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_NODE,
     .message = &hallsync__window_event__descriptor,
     FIELDS(WINDOW_EVENT_FIELDS), INDEXES(WINDOW_EVENT_INDEXES), ERRORS(WINDOW_EVENT_ERRORS)},
    {.number = HS_KIND_CLOSE, .name = "close", .en = "Close", .zh = "日结",
     .about = "What a window, or a hall, took on a business day, by ranges of receipt numbers; made by the node.",
     .about_zh = "窗口或全厅一个营业日的收款结账，按凭证号段列明，由节点生成。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_MONEY, .id_form = HS_ID_FIELD, .id_field = 1, .home_form = HS_HOME_NODE,
     .message = &hallsync__close__descriptor,
     FIELDS(CLOSE_FIELDS), INDEXES(CLOSE_INDEXES), .by = HS_BY_NODE},
    {.number = HS_KIND_HANDING_IN, .name = "handing_in", .en = "Handing-in", .zh = "资金上缴",
     .about = "Money of closed days given to the bank, with the slip's number.",
     .about_zh = "将已结账的款项解缴银行，记缴款单号。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_MONEY, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_NODE,
     .message = &hallsync__handing_in__descriptor,
     FIELDS(HANDING_IN_FIELDS), INDEXES(HANDING_IN_INDEXES), ERRORS(HANDING_IN_ERRORS)},
    {.number = HS_KIND_TICKET, .name = "ticket", .en = "Ticket", .zh = "工单",
     .about = "Head of a work order; its state is the fold of its events.",
     .about_zh = "工单表头；状态由其事件依次推得。",
     .shape = HS_SHAPE_REGISTER, .lane = HS_LANE_WORK, .id_form = HS_ID_128, .id_field = 1,
     .home_form = HS_HOME_ACCOUNT, .home_field = 3, .personal = true, .message = &hallsync__ticket__descriptor,
     .fold = "ticket",
     FIELDS(TICKET_FIELDS), INDEXES(TICKET_INDEXES), ERRORS(TICKET_ERRORS)},
    {.number = HS_KIND_TICKET_EVENT, .name = "ticket_event", .en = "Event of a ticket", .zh = "工单事件",
     .about = "A move of a ticket, somebody who is to do it, or a note.",
     .about_zh = "工单的流转、派单或备注。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_WORK, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_ACCOUNT,
     .personal = true, .message = &hallsync__ticket_event__descriptor,
     FIELDS(TICKET_EVENT_FIELDS), INDEXES(TICKET_EVENT_INDEXES), ERRORS(TICKET_EVENT_ERRORS)},
    {.number = HS_KIND_TITLE_CHANGE, .name = "title_change", .en = "Change of title", .zh = "过户",
     .about = "An account has another title holder: the customer's name changes with it, in one operation.",
     .about_zh = "更名过户记录；与客户户名的变更同时记入。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_PEOPLE, .id_form = HS_ID_128, .id_field = 1,
     .home_form = HS_HOME_ACCOUNT, .home_field = 2, .personal = true, .message = &hallsync__title_change__descriptor,
     FIELDS(TITLE_CHANGE_FIELDS), INDEXES(TITLE_CHANGE_INDEXES), ERRORS(TITLE_CHANGE_ERRORS)},
    {.number = HS_KIND_SUBSCRIPTION, .name = "subscription", .en = "Reminder subscription", .zh = "提醒订阅",
     .about = "A customer wants to be told before a bill is late; one hall has the duty.",
     .about_zh = "客户订阅的交费提醒；由一个营业厅负责。",
     .shape = HS_SHAPE_REGISTER, .lane = HS_LANE_PEOPLE, .id_form = HS_ID_FIELD, .id_field = 1,
     .home_form = HS_HOME_ACCOUNT, .home_field = 2, .personal = true, .message = &hallsync__subscription__descriptor,
     FIELDS(SUBSCRIPTION_FIELDS), INDEXES(SUBSCRIPTION_INDEXES), ERRORS(SUBSCRIPTION_ERRORS)},
    {.number = HS_KIND_QUEUE_TICKET, .name = "queue_ticket", .en = "Queue ticket", .zh = "排队号",
     .about = "A number drawn at a hall's ticket machine; its state is the fold of its events.",
     .about_zh = "取号机发放的排队号；状态由其事件依次推得。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_WORK, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_NODE,
     .message = &hallsync__queue_ticket__descriptor, .fold = "queue",
     FIELDS(QUEUE_TICKET_FIELDS), INDEXES(QUEUE_TICKET_INDEXES), ERRORS(QUEUE_TICKET_ERRORS)},
    {.number = HS_KIND_QUEUE_EVENT, .name = "queue_event", .en = "Event of a queue ticket", .zh = "排队事件",
     .about = "A number is called to a window, served, skipped, passed on; or its holder leaves.",
     .about_zh = "排队号的叫号、办理、过号、转移或离开。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_WORK, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_NODE,
     .message = &hallsync__queue_event__descriptor, .fold = "queue",
     FIELDS(QUEUE_EVENT_FIELDS), INDEXES(QUEUE_EVENT_INDEXES), ERRORS(QUEUE_EVENT_ERRORS)},
    {.number = HS_KIND_REMINDER, .name = "reminder", .en = "Reminder", .zh = "交费提醒",
     .about = "A customer was told of a bill, or could not be: when, by whom, with what result.",
     .about_zh = "一次交费提醒的时间、经办人与结果。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_PEOPLE, .id_form = HS_ID_128, .id_field = 1,
     .home_form = HS_HOME_ACCOUNT, .home_field = 2, .personal = true, .message = &hallsync__reminder__descriptor,
     FIELDS(REMINDER_FIELDS), INDEXES(REMINDER_INDEXES), ERRORS(REMINDER_ERRORS)},
    {.number = HS_KIND_SLOT, .name = "slot", .en = "Slot", .zh = "预约时段",
     .about = "A time at which so many customers may come to a hall by appointment.",
     .about_zh = "营业厅可预约的一个时段及可预约人数。",
     .shape = HS_SHAPE_REGISTER, .lane = HS_LANE_WORK, .id_form = HS_ID_FIELD, .id_field = 1,
     .home_form = HS_HOME_NODE, .message = &hallsync__slot__descriptor, .fold = "slot",
     FIELDS(SLOT_FIELDS), INDEXES(SLOT_INDEXES), ERRORS(SLOT_ERRORS)},
    {.number = HS_KIND_APPOINTMENT, .name = "appointment", .en = "Appointment", .zh = "预约",
     .about = "A customer asks for a seat of a slot, at any hall; the fold of the slot says whether he has one.",
     .about_zh = "客户申请预约某时段，可在任一营业厅办理；是否约上由该时段的全部申请依次推得。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_WORK, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_NODE,
     .personal = true, .message = &hallsync__appointment__descriptor, .fold = "appointment",
     FIELDS(APPOINTMENT_FIELDS), INDEXES(APPOINTMENT_INDEXES), ERRORS(APPOINTMENT_ERRORS)},
    {.number = HS_KIND_APPOINTMENT_EVENT, .name = "appointment_event", .en = "Event of an appointment", .zh = "预约事件",
     .about = "An appointment is cancelled, kept or missed.",
     .about_zh = "预约的取消、赴约或失约。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_WORK, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_NODE,
     .personal = true, .message = &hallsync__appointment_event__descriptor, .fold = "appointment",
     FIELDS(APPOINTMENT_EVENT_FIELDS), INDEXES(APPOINTMENT_EVENT_INDEXES), ERRORS(APPOINTMENT_EVENT_ERRORS)},
    {.number = HS_KIND_RATING, .name = "rating", .en = "Rating", .zh = "满意度评价",
     .about = "What a customer thought of one service, from the satisfaction device; one a service, never changed.",
     .about_zh = "客户在评价器上对一次服务的评价；每次服务一个，不可修改。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_WORK, .id_form = HS_ID_HASH, .id_field = 1, .id_of = RATING_OF,
     .home_form = HS_HOME_NODE, .personal = true, .message = &hallsync__rating__descriptor,
     FIELDS(RATING_FIELDS), INDEXES(RATING_INDEXES), ERRORS(RATING_ERRORS)},
    {.number = HS_KIND_AUDIT, .name = "audit", .en = "Entry of the audit trail", .zh = "操作留痕",
     .about = "What a person decided or changed, with the reason; made by the node in the same commit.",
     .about_zh = "人工裁决或变更的操作人、对象与原因，由节点与变更同时记入。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_WORK, .id_form = HS_ID_128, .id_field = 1,
     .home_form = HS_HOME_DISTRICT, .home_field = 11, .personal = true, .message = &hallsync__audit__descriptor,
     FIELDS(AUDIT_FIELDS), INDEXES(AUDIT_INDEXES), .by = HS_BY_NODE},
    {.number = HS_KIND_CATALOGUE, .name = "catalogue", .en = "Service of the catalogue", .zh = "业务目录",
     .about = "A service that the halls of the region offer.",
     .about_zh = "本地区营业厅受理的一项业务。",
     .shape = HS_SHAPE_REGISTER, .lane = HS_LANE_BULK, .id_form = HS_ID_FIELD, .id_field = 1,
     .home_form = HS_HOME_REGION, .message = &hallsync__catalogue__descriptor,
     FIELDS(CATALOGUE_FIELDS), ERRORS(CATALOGUE_ERRORS), .by = HS_BY_HUBS},
    {.number = HS_KIND_NOTICE, .name = "notice", .en = "Notice", .zh = "公告",
     .about = "What the halls of a district, or all, are to tell their customers: outages, planned work.",
     .about_zh = "需告知客户的公告：故障停电、计划停电等。",
     .shape = HS_SHAPE_REGISTER, .lane = HS_LANE_WORK, .id_form = HS_ID_FIELD, .id_field = 1,
     .home_form = HS_HOME_DISTRICT, .home_field = 2, .message = &hallsync__notice__descriptor,
     FIELDS(NOTICE_FIELDS), INDEXES(NOTICE_INDEXES), .by = HS_BY_HUBS},
    {.number = HS_KIND_CALENDAR, .name = "calendar", .en = "Day of the calendar", .zh = "工作日历",
     .about = "A day that differs from the usual week; deadlines run in working hours.",
     .about_zh = "与常规工作周不同的日期；办理时限按工作小时计算。",
     .shape = HS_SHAPE_REGISTER, .lane = HS_LANE_BULK, .id_form = HS_ID_FIELD, .id_field = 1,
     .home_form = HS_HOME_REGION, .message = &hallsync__calendar__descriptor,
     FIELDS(CALENDAR_FIELDS), .by = HS_BY_HUBS},
    {.number = HS_KIND_GRANT, .name = "grant", .en = "Grant of a district", .zh = "退费授权",
     .about = "Which node decides the refunds and credits of a district: that of the highest number.",
     .about_zh = "指定一个供电区的退费与转抵由哪个节点办理，序号最大者有效。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_PEOPLE, .id_form = HS_ID_HASH, .id_field = 1, .id_of = GRANT_OF,
     .home_form = HS_HOME_REGION, .message = &hallsync__grant__descriptor,
     FIELDS(GRANT_FIELDS), INDEXES(GRANT_INDEXES), .by = HS_BY_HUBS, ERRORS(GRANT_ERRORS)},
    {.number = HS_KIND_REISSUE, .name = "reissue", .en = "Certificate issued anew", .zh = "证书换发",
     .about = "A node's certificate after its districts were changed; made by hubs.",
     .about_zh = "供电区变更后由区域中心换发的节点证书。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_PEOPLE, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_REGION,
     .message = &hallsync__reissue__descriptor,
     FIELDS(REISSUE_FIELDS), INDEXES(REISSUE_INDEXES), .by = HS_BY_NODE},
    {.number = HS_KIND_DECISION, .name = "decision", .en = "Decision", .zh = "裁决",
     .about = "A person's decision about a record that breaks a rule; made by hubs.",
     .about_zh = "对违规记录的人工裁决，由区域中心作出。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_MONEY, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_ACCOUNT,
     .personal = true, .message = &hallsync__decision__descriptor,
     FIELDS(DECISION_FIELDS), .by = HS_BY_NODE},
    {.number = HS_KIND_CLOSE_ANSWER, .name = "close_answer", .en = "Answer to a close", .zh = "日结核对",
     .about = "A hub has held a close against the entries that it has: agrees, waits for numbers, or differs by some.",
     .about_zh = "区域中心对日结的核对结果：相符、待到凭证号、不符凭证号。",
     .shape = HS_SHAPE_FACT, .lane = HS_LANE_MONEY, .id_form = HS_ID_128, .id_field = 1, .home_form = HS_HOME_NODE,
     .message = &hallsync__close_answer__descriptor,
     FIELDS(CLOSE_ANSWER_FIELDS), INDEXES(CLOSE_ANSWER_INDEXES), .by = HS_BY_NODE},
};
/* clang-format on */
const size_t HS_KIND_COUNT = COUNT_OF(HS_KINDS);
