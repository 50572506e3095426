/* conflict_types.h -- what people must decide or know of: each type of conflict, what it is called and how it ends, in
 * both languages, declared once, below.  The service, the console and its page go by the table. */
#ifndef HS_STATUS_CONFLICT_TYPES_H
#define HS_STATUS_CONFLICT_TYPES_H

/* X(id, name, title en, zh, advice en, zh).  The id is that of its list in the store (HS_LIST_...); the names never
 * change once released.  They stand in the order in which people choose among them. */
#define HS_CONFLICT_TYPES(X)                                                                                           \
    X(FIELD, "field", "two versions of a field", "字段有两个版本", "choose the values that are to stand",              \
      "选定应保留的值")                                                                                                \
    X(FACT, "fact", "one id, two facts", "同一编号两条记录",                                                           \
      "one id has two contents, and the same one counts everywhere: enter the other under a new id if it is true",     \
      "同一编号有两种内容，各节点均以同一种为准；另一种若属实，请以新编号重新录入")                                    \
    X(EVENT, "event", "event that does not fit", "事件与状态不符",                                                     \
      "the ticket went another way: enter the move again from where it is now, if it is still wanted",                 \
      "该工单或排队号已转入其他状态；如仍需要，请按当前状态重新流转")                                                  \
    X(OVERPAID, "overpaid", "overpaid", "多交",                                                                        \
      "reverse a payment that is one too many, or settle it at the district's owner; it ends by itself",               \
      "冲正多收的一笔，或由负责该供电区退费的节点退费、转抵；结清后自动消除")                                          \
    X(OVER_REVERSED, "over-reversed", "reversed too much", "冲正过多",                                                 \
      "money came out twice: settle it with the customer, or enter the payment anew",                                  \
      "款项退出了两次：请与客户结清，或重新录入该笔交费")                                                              \
    X(DOUBLE_ENTRY, "double-entry", "entered twice", "重复开具凭证",                                                   \
      "one payment has two receipts: withdraw a slip; nothing is counted twice",                                       \
      "一笔交费开具了两张凭证：请收回一张；金额没有重复计入")                                                          \
    X(SETTLED_TWICE, "settled-twice", "settled twice", "重复退费",                                                     \
      "two settled the same money apart from each other, and the other one counts: get this money back",               \
      "两处各自结算了同一笔款项，以另一笔为准：请追回此笔款项")                                                        \
    X(TOPUP_TWICE, "topup-twice", "topped up twice", "重复购电",                                                       \
      "a card takes one purchase under a counter: reverse the payment that did not reach the card; it ends by itself", \
      "同一购电次数只能写卡一次：请冲正未写入卡的那笔交费；冲正后自动消除")                                            \
    X(NO_BILL, "no-bill", "paid for no bill", "无对应账单",                                                            \
      "import the bill, or reverse the payment and enter it for the right one; it ends by itself",                     \
      "导入该账单，或冲正后按正确的账单重新收费；处理后自动消除")                                                      \
    X(NOT_OWNER, "not-owner", "written by one who may not", "无权退费",                                                \
      "the money counts as not given back: where it was, get it back, or let the district's owner settle it",          \
      "该款项按未退还计：若已付出，请追回，或由负责该供电区退费的节点办理")                                            \
    X(VOID, "void", "void", "无效操作",                                                                                \
      "the operation was not allowed to its writer: look at that node's certificate",                                  \
      "写入节点无权进行该操作：请检查该节点的证书")                                                                    \
    X(STOPPED, "stopped", "stopped stream", "中断的数据流",                                                            \
      "the list says what to do about this one; it ends by itself when the stream goes on",                            \
      "请按该项的处理办法处理；数据流恢复后自动消除")                                                                  \
    X(FORK, "fork", "fork", "分叉",                                                                                    \
      "a node's key or memory was in use twice: find out where, and enrol the node anew",                              \
      "某节点的密钥或内存状态曾在两处使用：请查明何处，并重新登记该节点")                                              \
    X(PARKED, "parked", "parked", "挂起",                                                                              \
      "put the record with right values, or upgrade this node if a newer one wrote it; or decide: release, or reject", \
      "以正确的值重新写入该记录；若由较新版本的节点写入，请升级本节点；或作出裁决：放行或驳回")                        \
    X(DECISION, "decided", "decided", "已裁决", "to decide otherwise: release, or reject", "如需改判：放行或驳回")

enum hs_conflict_type {
#define X(id, ...) HS_CONFLICT_##id,
    HS_CONFLICT_TYPES(X)
#undef X
        HS_CONFLICT_TYPE_COUNT
};

struct hs_conflict_type_row {
    const char *name, *en, *zh, *advice_en, *advice_zh;
};
const struct hs_conflict_type_row *hs_conflict_type_row(enum hs_conflict_type type);

#endif
